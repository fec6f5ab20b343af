// SPDX-License-Identifier: GPL-2.0-only
/*
 * svm.c - the AMD-V backend: one VMCB per vCPU and the inner run loop
 *
 * The VMCB is the home of the guest's control and segment registers and of the
 * MSRs that VMLOAD moves; get_*() and set_*() read and write it in place, no
 * copies are kept but for what the processor must see differently from the
 * guest (CR0's caching bits, CR4.MCE, EFER.SVME). RAX, RSP, RIP and RFLAGS are
 * copied between the VMCB and struct hvm_vcpu around each VMRUN.
 *
 * Host state: VMRUN keeps what it switches in the host save area (VM_HSAVE_PA);
 * FS, GS, TR, LDTR and the system-call MSRs are saved with VMSAVE into a host
 * VMCB of the CPU at the start of svm_run() and after each window in which the
 * host took interrupts (an IPI may reload the LDT), and come back with VMLOAD
 * on every exit. docs/host-state.md has the whole table.
 *
 * Address-space identifiers (ASIDs) are handed out per CPU; a vCPU takes a new
 * one when it changes the CPU or must forget translations. When they run out
 * everything is flushed and a new generation starts.
 *
 * Locks: none. A VMCB belongs to the thread that holds vcpu->mutex; struct
 * svm_cpu is touched on its own CPU with preemption off. tag [C] as in hvm.h.
 */
#include <linux/cpu.h>
#include <linux/gfp.h>
#include <linux/mem_encrypt.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <asm/asm.h>
#include <asm/debugreg.h>
#include <asm/nospec-branch.h>
#include <asm/spec-ctrl.h>
#include "hvm.h"
#include "svm/enter.h"
#include "svm/vmcb.h"

struct svm_vcpu {
	struct svm_enter_args args;
	struct vmcb *vmcb;		/* [C] */
	unsigned long *msrpm;		/* own MSR permission map, or NULL: the shared one */
	int cpu;			/* whose caches know this VMCB */
	u64 asid_generation;
	u64 cr0_hidden;			/* CD and NW, which the guest sees and the CPU does not */
	u64 cr4;			/* as the guest sees it */
	bool nmi_masked;		/* until the IRET that is intercepted */
	bool iret_pending;		/* that IRET is at iret_rip and about to run */
	bool nmi_step;			/* RFLAGS.TF is ours: stop behind the IRET */
	u64 iret_rip;
};

struct svm_cpu {
	struct page *hsave, *host;	/* [C] */
	u64 host_pa;			/* [C] of the host VMCB */
	u64 asid_generation;
	u32 next_asid;
	struct svm_vcpu *current_vcpu;	/* last one loaded here */
	u64 old_hsave_pa;		/* what cpu_disable() puts back */
	u64 host_tsc_aux;
};

static DEFINE_PER_CPU(struct svm_cpu, svm_cpus);
static u32 svm_features __ro_after_init;	/* CPUID 0x8000000a EDX */
static u32 max_asid __ro_after_init;
static struct page *iopm, *shared_msrpm;
static u32 entry_flags __ro_after_init;		/* ENTER_IBPB, ENTER_VERW */

#define IOPM_ORDER	2			/* 12 KiB and 3 bits */
#define MSRPM_ORDER	1

#define ATTRIB_L	BIT(9)			/* of a segment in the VMCB */
#define ATTRIB_DB	BIT(10)

static struct svm_vcpu *to_svm(struct hvm_vcpu *vcpu)
{
	return vcpu->arch;
}

static struct vmcb *to_vmcb(struct hvm_vcpu *vcpu)
{
	return to_svm(vcpu)->vmcb;
}

/* What the processor is given: where the host encrypts its memory, the C-bit belongs to it. */
static u64 pa_of(const void *p)
{
	return __sme_set(virt_to_phys((void *)p));
}

static void dirty(struct vmcb *vmcb, u32 what)
{
	vmcb->control.clean &= ~what;
}

/* ---- MSR permission map (APM 2 15.11): two bits an MSR, read and write ---- */

static const u32 direct_msrs[] = {
	MSR_FS_BASE, MSR_GS_BASE, MSR_KERNEL_GS_BASE, MSR_STAR, MSR_LSTAR, MSR_CSTAR,
	MSR_SYSCALL_MASK, MSR_IA32_SYSENTER_CS, MSR_IA32_SYSENTER_ESP, MSR_IA32_SYSENTER_EIP,
};

static int msrpm_bit(u32 msr)
{
	if (msr < 0x2000)
		return msr * 2;
	if (msr >= 0xc0000000 && msr < 0xc0002000)
		return 0x4000 + (msr - 0xc0000000) * 2;
	return 0x8000 + (msr - 0xc0010000) * 2;
}

static void fill_msrpm(unsigned long *map, struct hvm_vcpu *vcpu)
{
	int i;

	memset(map, 0xff, PAGE_SIZE << MSRPM_ORDER);
	for (i = 0; i < ARRAY_SIZE(direct_msrs); i++) {
		u32 msr = direct_msrs[i];

		if (!vcpu || hvm_msr_allowed(vcpu->vm, msr, false))
			__clear_bit(msrpm_bit(msr), map);
		if (!vcpu || hvm_msr_allowed(vcpu->vm, msr, true))
			__clear_bit(msrpm_bit(msr) + 1, map);
	}
	/* A barrier command has no state to keep: the guest may as well do it itself. */
	if (vcpu && hvm_guest_has(vcpu, X86_FEATURE_AMD_IBPB) &&
	    hvm_msr_allowed(vcpu->vm, MSR_IA32_PRED_CMD, true))
		__clear_bit(msrpm_bit(MSR_IA32_PRED_CMD) + 1, map);
}

static void update_msrpm(struct hvm_vcpu *vcpu)
{
	struct svm_vcpu *svm = to_svm(vcpu);
	bool own = rcu_access_pointer(vcpu->vm->msr_filter) ||
		   hvm_guest_has(vcpu, X86_FEATURE_AMD_IBPB);

	if (own && !svm->msrpm) {
		svm->msrpm = (void *)__get_free_pages(GFP_KERNEL_ACCOUNT, MSRPM_ORDER);
		/* Without memory no MSR is passed through, which costs time but is right. */
		if (!svm->msrpm) {
			svm->vmcb->control.msrpm_base_pa = pa_of(page_address(iopm));
			dirty(svm->vmcb, CLEAN_PERM_MAPS);
			return;
		}
	}
	if (svm->msrpm)
		fill_msrpm(svm->msrpm, vcpu);
	svm->vmcb->control.msrpm_base_pa =
		pa_of(svm->msrpm ? svm->msrpm : page_address(shared_msrpm));
	dirty(svm->vmcb, CLEAN_PERM_MAPS);
}

/* ---- CPUs ---- */

static int svm_cpu_enable(void)
{
	struct svm_cpu *sc = this_cpu_ptr(&svm_cpus);
	u64 efer;

	rdmsrq(MSR_EFER, efer);
	if (efer & EFER_SVME)
		return -EBUSY;
	wrmsrq(MSR_EFER, efer | EFER_SVME);
	rdmsrq(MSR_VM_HSAVE_PA, sc->old_hsave_pa);
	wrmsrq(MSR_VM_HSAVE_PA, pa_of(page_address(sc->hsave)));
	if (boot_cpu_has(X86_FEATURE_RDTSCP))
		rdmsrq(MSR_TSC_AUX, sc->host_tsc_aux);
	/* Whatever the translation caches hold is not ours: start a generation by a flush. */
	sc->asid_generation++;
	sc->next_asid = max_asid + 1;
	sc->current_vcpu = NULL;
	return 0;
}

static void svm_cpu_disable(void)
{
	struct svm_cpu *sc = this_cpu_ptr(&svm_cpus);
	u64 efer;

	/* Somebody's crash or kexec path may have been here before. */
	rdmsrq(MSR_EFER, efer);
	if (!(efer & EFER_SVME))
		return;
	wrmsrq(MSR_VM_HSAVE_PA, sc->old_hsave_pa);
	wrmsrq(MSR_EFER, efer & ~(u64)EFER_SVME);
}

static void count_svme(void *busy)
{
	u64 efer;

	rdmsrq(MSR_EFER, efer);
	if (efer & EFER_SVME)
		atomic_inc(busy);
}

static int svm_refusal(const char **why)
{
	atomic_t busy = ATOMIC_INIT(0);
	u64 vm_cr;

	if (!boot_cpu_has(X86_FEATURE_SVM) || cpuid_eax(0x80000000) < 0x8000000a) {
		*why = "this CPU has no AMD-V (CPUID 0x80000001 ECX bit 2, SVM)";
		return -EOPNOTSUPP;
	}
	if (rdmsrq_safe(MSR_VM_CR, &vm_cr) || vm_cr & VM_CR_SVMDIS) {
		*why = "AMD-V is disabled by firmware (VM_CR.SVMDIS): turn on SVM in its setup";
		return -EOPNOTSUPP;
	}
	if (!(cpuid_edx(0x8000000a) & SVM_NP)) {
		*why = "this CPU's AMD-V has no nested paging (CPUID 0x8000000a EDX bit 0, NP)";
		return -EOPNOTSUPP;
	}
	if (cpuid_ebx(0x8000000a) < 2) {
		*why = "this CPU's AMD-V has no address-space identifier for a guest";
		return -EOPNOTSUPP;
	}
	on_each_cpu(count_svme, &busy, 1);
	if (atomic_read(&busy)) {
		*why = "another hypervisor holds AMD-V: stop KVM's guests and run 'rmmod kvm_amd'";
		return -EBUSY;
	}
	return 0;
}

static void svm_teardown(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct svm_cpu *sc = per_cpu_ptr(&svm_cpus, cpu);

		if (sc->hsave)
			__free_page(sc->hsave);
		if (sc->host)
			__free_page(sc->host);
		sc->hsave = sc->host = NULL;
	}
	if (iopm)
		__free_pages(iopm, IOPM_ORDER);
	if (shared_msrpm)
		__free_pages(shared_msrpm, MSRPM_ORDER);
	iopm = shared_msrpm = NULL;
}

/* What the host's mitigations ask of each entry and exit; see docs/host-state.md. */
static void choose_mitigations(void)
{
#ifdef X86_FEATURE_UNRET
	/* Retbleed: returns after an exit may be steered by the guest. The untraining
	 * sequences are closed to modules; a barrier does the same, at a price.
	 */
	if (boot_cpu_has(X86_FEATURE_UNRET))
		entry_flags |= ENTER_IBPB;
#endif
#ifdef X86_FEATURE_IBPB_ON_VMEXIT
	if (boot_cpu_has(X86_FEATURE_IBPB_ON_VMEXIT))
		entry_flags |= ENTER_IBPB;
#endif
#ifdef X86_FEATURE_ENTRY_IBPB
	if (boot_cpu_has(X86_FEATURE_ENTRY_IBPB))
		entry_flags |= ENTER_IBPB;
#endif
	if (!boot_cpu_has(X86_FEATURE_IBPB))
		entry_flags &= ~ENTER_IBPB;
#ifdef X86_FEATURE_CLEAR_CPU_BUF_VM
	if (boot_cpu_has(X86_FEATURE_CLEAR_CPU_BUF_VM))
		entry_flags |= ENTER_VERW;
#endif
}

static int svm_setup(const char **why)
{
	int cpu, r;

	r = svm_refusal(why);
	if (r)
		return r;
	svm_features = cpuid_edx(0x8000000a);
	max_asid = cpuid_ebx(0x8000000a) - 1;
	hvm_npt_format.huge_1g = boot_cpu_has(X86_FEATURE_GBPAGES);
	choose_mitigations();
	/* XSAVES cannot be intercepted: with 0 it reaches nothing of the host's (its shadow stack). */
	if (boot_cpu_has(X86_FEATURE_XSAVES))
		rdmsrq(MSR_IA32_XSS, hvm_host_xss);

	*why = "out of memory";
	iopm = alloc_pages(GFP_KERNEL, IOPM_ORDER);
	shared_msrpm = alloc_pages(GFP_KERNEL, MSRPM_ORDER);
	if (!iopm || !shared_msrpm)
		goto err;
	memset(page_address(iopm), 0xff, PAGE_SIZE << IOPM_ORDER);
	fill_msrpm(page_address(shared_msrpm), NULL);
	for_each_possible_cpu(cpu) {
		struct svm_cpu *sc = per_cpu_ptr(&svm_cpus, cpu);

		sc->hsave = alloc_page(GFP_KERNEL | __GFP_ZERO);
		sc->host = alloc_page(GFP_KERNEL | __GFP_ZERO);
		if (!sc->hsave || !sc->host)
			goto err;
		sc->host_pa = pa_of(page_address(sc->host));
	}
	return 0;
err:
	svm_teardown();
	return -ENOMEM;
}

/* ---- vCPUs ---- */

static void init_control(struct hvm_vcpu *vcpu)
{
	struct vmcb_control *c = &to_vmcb(vcpu)->control;

	c->intercept_cr = CR_WRITE(4);
	/* QEMU's TCG, which has no decode assists, lets a guest load CR8 with anything. */
	if (!(svm_features & SVM_DECODE_ASSISTS))
		c->intercept_cr |= CR_WRITE(8);
	c->intercept_dr = ~0U;
	/* #DB, #AC: storms; #UD: the other vendor's hypercall; #MC: the host's */
	c->intercept_exception = BIT(1) | BIT(6) | BIT(17) | BIT(18);
	c->intercept1 = I1_INTR | I1_NMI | I1_SMI | I1_INIT | I1_CR0_SEL_WRITE | I1_RDPMC |
			I1_CPUID | I1_INVD | I1_INVLPGA | I1_IOIO | I1_MSR | I1_SHUTDOWN;
	if (!(vcpu->vm->disabled_exits & HVM_X86_DISABLE_EXITS_HLT))
		c->intercept1 |= I1_HLT;
	c->intercept2 = I2_VMRUN | I2_VMMCALL | I2_VMLOAD | I2_VMSAVE | I2_STGI | I2_CLGI |
			I2_SKINIT | I2_WBINVD | I2_XSETBV | I2_RDPRU;
	if (!(vcpu->vm->disabled_exits & HVM_X86_DISABLE_EXITS_MWAIT))
		c->intercept2 |= I2_MONITOR | I2_MWAIT;
	if (svm_features & SVM_PAUSE_FILTER &&
	    !(vcpu->vm->disabled_exits & HVM_X86_DISABLE_EXITS_PAUSE)) {
		/* A guest that spins for a lock lets another thread have the CPU. */
		c->pause_filter_count = 3000;
		if (svm_features & SVM_PAUSE_THRESHOLD)
			c->pause_filter_threshold = 128;
		c->intercept1 |= I1_PAUSE;
	}
	c->iopm_base_pa = pa_of(page_address(iopm));
	c->msrpm_base_pa = pa_of(page_address(shared_msrpm));
	c->int_ctl = V_INTR_MASKING;
	c->nested_ctl = NESTED_PAGING;
	c->nested_cr3 = vcpu->vm->s2.root_pa;
	to_vmcb(vcpu)->save.dr6 = HVM_DR6_INIT;
	to_vmcb(vcpu)->save.dr7 = HVM_DR7_INIT;
	to_vmcb(vcpu)->save.g_pat = 0x0007040600070406ULL;
}

static int svm_vcpu_create(struct hvm_vcpu *vcpu)
{
	struct svm_vcpu *svm = kzalloc(sizeof(*svm), GFP_KERNEL_ACCOUNT);

	if (!svm)
		return -ENOMEM;
	vcpu->arch = svm;
	svm->vmcb = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (!svm->vmcb)
		return -ENOMEM;
	svm->cpu = -1;
	svm->args.vmcb_pa = pa_of(svm->vmcb);
	vcpu->shadow_word = &svm->vmcb->control.int_state;
	svm->args.flags = entry_flags;
	init_control(vcpu);
	return 0;
}

static void svm_vcpu_destroy(struct hvm_vcpu *vcpu)
{
	struct svm_vcpu *svm = to_svm(vcpu);
	int cpu;

	if (!svm)
		return;
	/* A later vCPU at the same address must not look like this one. */
	for_each_online_cpu(cpu)
		cmpxchg(&per_cpu_ptr(&svm_cpus, cpu)->current_vcpu, svm, NULL);
	free_pages((unsigned long)svm->msrpm, svm->msrpm ? MSRPM_ORDER : 0);
	free_page((unsigned long)svm->vmcb);
	kfree(svm);
	vcpu->arch = NULL;
}

void svm_vcpu_load(struct hvm_vcpu *vcpu, int cpu)
{
	struct svm_cpu *sc = this_cpu_ptr(&svm_cpus);
	struct svm_vcpu *svm = to_svm(vcpu);

	if (unlikely(svm->cpu != cpu)) {
		svm->cpu = cpu;
		svm->args.host_pa = sc->host_pa;
		svm->asid_generation = 0;
		svm->vmcb->control.clean = 0;
	}
	if (unlikely(sc->current_vcpu != svm)) {
		sc->current_vcpu = svm;
		/* Another guest trained this CPU's predictors. */
		if (hvm_switch_ibpb())
			wrmsrq(MSR_IA32_PRED_CMD, PRED_CMD_IBPB);
	}
	if (vcpu->tsc_aux != sc->host_tsc_aux && boot_cpu_has(X86_FEATURE_RDTSCP))
		wrmsrq(MSR_TSC_AUX, vcpu->tsc_aux);
}

void svm_vcpu_put(struct hvm_vcpu *vcpu)
{
	struct svm_cpu *sc = this_cpu_ptr(&svm_cpus);

	if (vcpu->tsc_aux != sc->host_tsc_aux && boot_cpu_has(X86_FEATURE_RDTSCP))
		wrmsrq(MSR_TSC_AUX, sc->host_tsc_aux);
}

/* ---- entering ---- */

static void new_asid(struct svm_vcpu *svm, struct svm_cpu *sc)
{
	struct vmcb_control *c = &svm->vmcb->control;

	if (sc->next_asid > max_asid) {
		sc->asid_generation++;
		sc->next_asid = 1;
		c->tlb_control = FLUSH_ALL;
	}
	c->asid = sc->next_asid++;
	svm->asid_generation = sc->asid_generation;
	dirty(svm->vmcb, CLEAN_ASID);
}

/*
 * The host's FS, GS, TR, LDTR and system-call MSRs, for the VMLOAD after each
 * exit. Faults when a reboot has just turned SVM off; then so will svm_enter().
 */
static void save_host(const struct svm_vcpu *svm)
{
	asm volatile("1: vmsave %%rax\n2:\n"
		     _ASM_EXTABLE(1b, 2b)
		     : : "a" (svm->args.host_pa) : "memory");
}

/* What has to be right before the first entry of a svm_run(). */
static void prepare_entry(struct hvm_vcpu *vcpu, struct svm_vcpu *svm)
{
	struct svm_cpu *sc = this_cpu_ptr(&svm_cpus);
	u64 host_spec;

	/* A new identifier is cheaper than a flush and forgets as well. */
	if (unlikely(vcpu->tlb_flush || svm->asid_generation != sc->asid_generation))
		new_asid(svm, sc);
	if (svm_features & SVM_SPEC_CTRL) {
		svm->vmcb->save.spec_ctrl = vcpu->spec_ctrl;
	} else if (unlikely(vcpu->spec_ctrl)) {
		host_spec = this_cpu_read(x86_spec_ctrl_current);
		svm->args.guest_spec = vcpu->spec_ctrl | host_spec;
		svm->args.host_spec = host_spec;
		svm->args.flags = entry_flags |
				  (svm->args.guest_spec != host_spec ? ENTER_SPEC_CTRL : 0);
	} else {
		svm->args.flags = entry_flags;
	}
	save_host(svm);
}

/*
 * An event whose delivery an exit cut short. INT n, INT3 and INTO run again by
 * themselves (RIP still points at them), unless it was we who raised them; the
 * rest is delivered at the next entry.
 */
static u64 undelivered(u64 info, u64 injected)
{
	u32 type = info & HVM_INJ_TYPE, vector = info & HVM_INJ_VECTOR;

	if (type == HVM_INJ_SOFT || (type == HVM_INJ_EXC && (vector == 3 || vector == 4)))
		return (u32)info == (u32)injected ? injected : 0;
	return info;
}

static void enter_once(struct hvm_vcpu *vcpu, struct svm_vcpu *svm)
{
	struct vmcb_control *c = &svm->vmcb->control;
	struct vmcb_save *s = &svm->vmcb->save;

	s->rax = vcpu->gpr[HVM_RAX];
	s->rsp = vcpu->gpr[HVM_RSP];
	s->rip = vcpu->rip;
	s->rflags = vcpu->rflags;
	c->event_inj = vcpu->inj;
	if (unlikely((c->int_ctl & V_TPR) != vcpu->cr8)) {
		c->int_ctl = (c->int_ctl & ~V_TPR) | vcpu->cr8;
		dirty(svm->vmcb, CLEAN_INTR);
	}

	if (unlikely(svm_enter(vcpu, &svm->args)))
		c->exit_code = X_INVALID;

	vcpu->gpr[HVM_RAX] = s->rax;
	vcpu->gpr[HVM_RSP] = s->rsp;
	vcpu->rip = s->rip;
	vcpu->rflags = s->rflags;
	vcpu->cr8 = c->int_ctl & V_TPR;
	if (likely(!(c->exit_int_info & HVM_INJ_VALID)))
		vcpu->inj = 0;
	else
		vcpu->inj = undelivered(c->exit_int_info, vcpu->inj);
	c->clean = CLEAN_ALL;
	c->tlb_control = FLUSH_NOTHING;
}

/* ---- exits ---- */

static void set_exit(struct hvm_vcpu *vcpu, enum hvm_x code)
{
	vcpu->exit.code = code;
	vcpu->exit.insn_len = 0;
	vcpu->exit.insn_bytes_valid = false;
}

/*
 * Length of the intercepted instruction: told by processors with next-RIP save,
 * else that of its one canonical encoding without redundant prefixes.
 */
static void set_exit_len(struct hvm_vcpu *vcpu, enum hvm_x code, u8 canonical)
{
	struct vmcb_control *c = &to_vmcb(vcpu)->control;

	set_exit(vcpu, code);
	vcpu->exit.insn_len = canonical;
	if (svm_features & SVM_NRIPS && c->next_rip)
		vcpu->exit.insn_len = c->next_rip - vcpu->rip;
}

static void pio_exit(struct hvm_vcpu *vcpu, const struct vmcb_control *c)
{
	u32 info = c->exit_info_1;

	set_exit(vcpu, HVM_X_PIO);
	vcpu->exit.pio.port = info >> 16;
	vcpu->exit.pio.size = (info >> 4) & 7;
	vcpu->exit.pio.in = info & IOIO_IN;
	vcpu->exit.pio.string = info & IOIO_STRING;
	vcpu->exit.insn_len = c->exit_info_2 - vcpu->rip;
}

static void stage2_exit(struct hvm_vcpu *vcpu, const struct vmcb_control *c)
{
	u64 info = c->exit_info_1;

	set_exit(vcpu, HVM_X_STAGE2);
	vcpu->exit.fault.gpa = c->exit_info_2;
	vcpu->exit.fault.access = info & NPF_WRITE ? HVM_ACCESS_WRITE :
				  info & NPF_FETCH ? HVM_ACCESS_EXEC : HVM_ACCESS_READ;
	vcpu->exit.fault.table_walk = !!(info & NPF_TABLE_WALK);
	if (svm_features & SVM_DECODE_ASSISTS && !(info & NPF_FETCH) && c->insn_len) {
		vcpu->exit.nr_insn_bytes = min_t(u8, c->insn_len, sizeof(c->insn_bytes));
		memcpy(vcpu->exit.insn_bytes, c->insn_bytes, sizeof(c->insn_bytes));
		vcpu->exit.insn_bytes_valid = true;
	}
}

/* Come back behind the instruction at RIP: what holds up an NMI ends there. */
static void step_once(struct hvm_vcpu *vcpu, struct svm_vcpu *svm)
{
	svm->iret_pending = true;
	svm->iret_rip = vcpu->rip;
	if (!(vcpu->rflags & X86_EFLAGS_TF)) {
		svm->nmi_step = true;
		vcpu->rflags |= X86_EFLAGS_TF;
	}
}

/* The IRET at which the guest unmasks NMIs is about to run: let it, and look again behind it. */
static void iret_exit(struct hvm_vcpu *vcpu, struct svm_vcpu *svm)
{
	svm->vmcb->control.intercept1 &= ~I1_IRET;
	dirty(svm->vmcb, CLEAN_INTERCEPTS);
	if (vcpu->windows & HVM_WINDOW_NMI) {
		step_once(vcpu, svm);
	} else {
		svm->iret_pending = true;
		svm->iret_rip = vcpu->rip;
	}
	set_exit(vcpu, HVM_X_NONE);
}

/* The exit left the guest's DR6 in the processor, where the host's next #DB would find it. */
static void neutral_dr6(struct vmcb *vmcb)
{
	set_debugreg((unsigned long)HVM_DR6_INIT, 6);
	vmcb->save.dr6 = HVM_DR6_INIT;
	dirty(vmcb, CLEAN_DR);
}

/* At any exit after the IRET has run. True: the exit was only our single step. */
static bool iret_done(struct hvm_vcpu *vcpu, struct svm_vcpu *svm)
{
	struct vmcb *vmcb = svm->vmcb;
	bool ours = false;

	if (vcpu->rip == svm->iret_rip)
		return false;
	svm->iret_pending = false;
	svm->nmi_masked = false;
	if (svm->nmi_step) {
		svm->nmi_step = false;
		vcpu->rflags &= ~(u64)X86_EFLAGS_TF;
		ours = vmcb->control.exit_code == X_EXCEPTION + 1 &&
		       !((vmcb->save.dr6 ^ HVM_DR6_INIT) & 0xf);
		neutral_dr6(vmcb);
	}
	if (vcpu->windows & HVM_WINDOW_NMI) {
		vcpu->windows &= ~HVM_WINDOW_NMI;
		hvm_request_only(vcpu, HVM_REQ_EVENT);
	}
	return ours;
}

static void exception_exit(struct hvm_vcpu *vcpu, struct svm_vcpu *svm)
{
	struct vmcb *vmcb = svm->vmcb;
	u8 vector = vmcb->control.exit_code - X_EXCEPTION;

	if (vector == 18) {
		/* A machine check is the host's: raise it where its handler runs. */
		asm volatile("int $18");
		set_exit(vcpu, HVM_X_NONE);
		return;
	}
	set_exit(vcpu, HVM_X_EXCEPTION);
	vcpu->exit.vector = vector;
	vcpu->exit.has_error_code = vector == 8 || (vector >= 10 && vector <= 14) || vector == 17;
	vcpu->exit.error_code = vmcb->control.exit_info_1;
	vcpu->exit.qual = 0;
	if (vector == 1) {
		vcpu->exit.qual = vmcb->save.dr6 ^ HVM_DR6_INIT;
		neutral_dr6(vmcb);
	} else if (vector == 3) {
		vcpu->exit.insn_len = 1;
		/* Without next-RIP save the trap is reported behind the INT3, else at it. */
		if (svm_features & SVM_NRIPS && vmcb->control.next_rip)
			vcpu->exit.insn_len = vmcb->control.next_rip - vcpu->rip;
	} else if (vector == 14) {
		vcpu->exit.qual = vmcb->control.exit_info_2;
	}
}

/* Everything that goes to the common code. */
static void describe_exit(struct hvm_vcpu *vcpu, struct svm_vcpu *svm)
{
	const struct vmcb_control *c = &svm->vmcb->control;
	u64 code = c->exit_code;

	switch (code) {
	case X_NPF:
		return stage2_exit(vcpu, c);
	case X_IOIO:
		return pio_exit(vcpu, c);
	case X_HLT:
		return set_exit_len(vcpu, HVM_X_HLT, 1);
	case X_MSR:
		return set_exit_len(vcpu, c->exit_info_1 ? HVM_X_WRMSR : HVM_X_RDMSR, 2);
	case X_CPUID:
		return set_exit_len(vcpu, HVM_X_CPUID, 2);
	case X_VMMCALL:
		return set_exit_len(vcpu, HVM_X_HYPERCALL, 3);
	case X_VINTR:
		return set_exit(vcpu, HVM_X_IRQ_WINDOW);
	case X_INTR: case X_NMI: case X_SMI: case X_INIT:
		return set_exit(vcpu, HVM_X_NONE);
	case X_IRET:
		return iret_exit(vcpu, svm);
	case X_CR_READ ... X_CR_READ + 15:
	case X_CR_WRITE ... X_CR_WRITE + 15:
	case X_CR0_SEL_WRITE:
		return set_exit(vcpu, HVM_X_CR);
	case X_DR_READ ... X_DR_LAST:
		return set_exit(vcpu, HVM_X_DR);
	case X_EXCEPTION ... X_EXCEPTION_LAST:
		return exception_exit(vcpu, svm);
	case X_XSETBV:
		return set_exit_len(vcpu, HVM_X_XSETBV, 3);
	case X_PAUSE:
		return set_exit_len(vcpu, HVM_X_PAUSE, 2);
	case X_INVD: case X_WBINVD:
		return set_exit_len(vcpu, HVM_X_INVD, 2);
	case X_RDPMC:
		return set_exit(vcpu, HVM_X_RDPMC);
	case X_RDTSCP:
		return set_exit(vcpu, HVM_X_RDTSCP);
	case X_MONITOR: case X_MWAIT: case X_MWAIT_COND:
		return set_exit_len(vcpu, HVM_X_MONITOR, 3);
	case X_VMRUN: case X_VMMCALL + 1 ... X_SKINIT: case X_INVLPGA: case X_RDPRU:
		return set_exit(vcpu, HVM_X_UD);
	case X_SHUTDOWN:
		return set_exit(vcpu, HVM_X_SHUTDOWN);
	}
	/* The upper half is not QEMU's; and it may clear what lets interrupts end the guest. */
	set_exit(vcpu, (u32)code == (u32)X_INVALID ? HVM_X_FAIL_ENTRY : HVM_X_UNKNOWN);
	vcpu->exit.hw_reason = code;
	svm->vmcb->control.int_ctl |= V_INTR_MASKING;
	dirty(svm->vmcb, CLEAN_INTR);
}

static void fast_skip(struct hvm_vcpu *vcpu, struct vmcb *vmcb, u8 canonical)
{
	if (svm_features & SVM_NRIPS && vmcb->control.next_rip)
		vcpu->rip = vmcb->control.next_rip;
	else
		vcpu->rip += canonical;
	vmcb->control.int_state = 0;
}

enum fast { SLOW, DESCRIBED, AGAIN, LEAVE };

/*
 * Exits that can end here, hottest first. SLOW: nothing was done; DESCRIBED:
 * but vcpu->exit is filled; AGAIN: done, enter again; LEAVE: done, but the
 * common code has a request to serve.
 */
static enum fast fast_exit(struct hvm_vcpu *vcpu, struct svm_vcpu *svm)
{
	struct vmcb *vmcb = svm->vmcb;
	u64 code = vmcb->control.exit_code;
	enum hvm_fast r;

	if (code == X_INTR) {
		if (!hvm_host_irq_window(vcpu))
			return LEAVE;
		/* An interrupt may have reloaded the LDT. */
		save_host(svm);
		return AGAIN;
	}
	/* A single step must be seen after the instruction, by the common code. */
	if (unlikely(vcpu->rflags & X86_EFLAGS_TF))
		return SLOW;
	if (code == X_MSR) {
		if (vmcb->control.exit_info_1 ? !hvm_fast_wrmsr(vcpu) : !hvm_fast_rdmsr(vcpu))
			return SLOW;
		fast_skip(vcpu, vmcb, 2);
	} else if (code == X_IOIO) {
		pio_exit(vcpu, &vmcb->control);
		if (hvm_ioeventfd_any(vcpu->vm, false) && hvm_fast_bell(vcpu)) {
			vcpu->rip = vmcb->control.exit_info_2;
			vmcb->control.int_state = 0;
		} else {
			r = hvm_fast_pio(vcpu);
			if (r == HVM_FAST_USER)
				goto user;
			if (r == HVM_FAST_SLOW)
				return DESCRIBED;
		}
	} else if (code == X_NPF) {
		stage2_exit(vcpu, &vmcb->control);
		r = hvm_fast_mmio(vcpu, vcpu->exit.fault.gpa, vcpu->exit.fault.access);
		if (r == HVM_FAST_SLOW)
			return DESCRIBED;
		if (vcpu->exit.insn_len) {
			vcpu->rip += vcpu->exit.insn_len;
			vmcb->control.int_state = 0;
		}
		if (r == HVM_FAST_USER)
			goto user;
	} else if (code == X_CPUID) {
		hvm_fast_cpuid(vcpu);
		fast_skip(vcpu, vmcb, 2);
	} else if (code == X_VMMCALL) {
		if (!hvm_fast_hypercall(vcpu))
			return SLOW;
		fast_skip(vcpu, vmcb, 3);
	} else if (code != X_NMI) {	/* which was taken at STGI */
		return SLOW;
	}
	return READ_ONCE(vcpu->requests) ? LEAVE : AGAIN;
user:
	vcpu->exit.code = HVM_X_USER;
	return DESCRIBED;
}

void svm_run(struct hvm_vcpu *vcpu)
{
	struct svm_vcpu *svm = to_svm(vcpu);
	enum fast fast;

	prepare_entry(vcpu, svm);
	for (;;) {
		enter_once(vcpu, svm);
		vcpu->tlb_flush = false;
		if (unlikely(svm->iret_pending) && iret_done(vcpu, svm)) {
			set_exit(vcpu, HVM_X_NONE);
			break;
		}
		fast = fast_exit(vcpu, svm);
		if (fast == SLOW) {
			describe_exit(vcpu, svm);
			break;
		} else if (fast == LEAVE) {
			set_exit(vcpu, HVM_X_NONE);
			break;
		} else if (fast == DESCRIBED) {
			break;
		}
		vcpu->stat[HVM_STAT_EXITS]++;
	}
#ifdef X86_FEATURE_IBPB_EXIT_TO_USER
	if (cpu_feature_enabled(X86_FEATURE_IBPB_EXIT_TO_USER))
		this_cpu_write(x86_ibpb_exit_to_user, true);
#endif
}

/* ---- windows and shadows ---- */

static void set_bits(u32 *word, u32 bits, bool on)
{
	*word = on ? *word | bits : *word & ~bits;
}

static void svm_set_windows(struct hvm_vcpu *vcpu)
{
	struct svm_vcpu *svm = to_svm(vcpu);
	struct vmcb_control *c = &svm->vmcb->control;
	bool irq = vcpu->windows & HVM_WINDOW_IRQ;

	/* A virtual interrupt of highest priority that exits when it could be taken. */
	set_bits(&c->intercept1, I1_VINTR, irq);
	set_bits(&c->int_ctl, V_IRQ | V_INTR_PRIO | V_IGN_TPR, irq);
	c->int_vector = 0;
	set_bits(&c->intercept_cr, CR_WRITE(8),
		 vcpu->windows & HVM_WINDOW_CR8 || !(svm_features & SVM_DECODE_ASSISTS));
	dirty(to_vmcb(vcpu), CLEAN_INTERCEPTS | CLEAN_INTR);
	/* An NMI that only the shadow of STI or MOV SS holds up: step over it. */
	if (vcpu->windows & HVM_WINDOW_NMI && !svm->nmi_masked && !svm->iret_pending)
		step_once(vcpu, svm);
}

/* AMD-V has one shadow bit for STI and MOV SS alike. */
u32 svm_get_shadow(struct hvm_vcpu *vcpu)
{
	u32 shadow = to_svm(vcpu)->nmi_masked ? HVM_SHADOW_NMI : 0;

	if (to_vmcb(vcpu)->control.int_state & INT_SHADOW)
		shadow |= HVM_SHADOW_STI | HVM_SHADOW_MOV_SS;
	return shadow;
}

void svm_set_shadow(struct hvm_vcpu *vcpu, u32 shadow)
{
	struct svm_vcpu *svm = to_svm(vcpu);
	struct vmcb_control *c = &svm->vmcb->control;
	bool masked = shadow & HVM_SHADOW_NMI;

	c->int_state = shadow & (HVM_SHADOW_STI | HVM_SHADOW_MOV_SS) ? INT_SHADOW : 0;
	if (svm->nmi_masked == masked && !svm->iret_pending)
		return;
	svm->nmi_masked = masked;
	svm->iret_pending = false;
	set_bits(&c->intercept1, I1_IRET, masked);
	dirty(svm->vmcb, CLEAN_INTERCEPTS);
}

/* ---- registers ---- */

static struct vmcb_seg *seg_ptr(struct hvm_vcpu *vcpu, enum hvm_seg seg)
{
	struct vmcb_save *s = &to_vmcb(vcpu)->save;

	switch (seg) {
	case HVM_SEG_ES:
		return &s->es;
	case HVM_SEG_CS:
		return &s->cs;
	case HVM_SEG_SS:
		return &s->ss;
	case HVM_SEG_DS:
		return &s->ds;
	case HVM_SEG_FS:
		return &s->fs;
	case HVM_SEG_GS:
		return &s->gs;
	case HVM_SEG_TR:
		return &s->tr;
	case HVM_SEG_LDTR:
		return &s->ldtr;
	case HVM_SEG_GDTR:
		return &s->gdtr;
	default:
		return &s->idtr;
	}
}

static void svm_get_seg(struct hvm_vcpu *vcpu, enum hvm_seg seg, struct hvm_segment *out)
{
	const struct vmcb_seg *s = seg_ptr(vcpu, seg);

	*out = (struct hvm_segment) {
		.base = s->base, .limit = s->limit, .selector = s->selector,
		.type = s->attrib & 0xf, .s = (s->attrib >> 4) & 1,
		.dpl = (s->attrib >> 5) & 3, .present = (s->attrib >> 7) & 1,
		.avl = (s->attrib >> 8) & 1, .l = (s->attrib >> 9) & 1,
		.db = (s->attrib >> 10) & 1, .g = (s->attrib >> 11) & 1,
	};
	out->unusable = !out->present;
	switch (seg) {
	case HVM_SEG_CS:
		/* Not every processor keeps G of CS. */
		out->g = s->limit > 0xfffff;
		break;
	case HVM_SEG_SS:
		if (out->unusable)
			out->db = 0;
		out->dpl = to_vmcb(vcpu)->save.cpl;
		break;
	case HVM_SEG_TR:
		out->type |= 2;		/* the VMCB may say available, VT-x wants busy */
		break;
	case HVM_SEG_ES: case HVM_SEG_DS: case HVM_SEG_FS: case HVM_SEG_GS:
		if (!out->unusable)
			out->type |= 1;	/* accessed, likewise */
		break;
	default:
		break;
	}
}

static void svm_set_seg(struct hvm_vcpu *vcpu, enum hvm_seg seg, const struct hvm_segment *in)
{
	struct vmcb_seg *s = seg_ptr(vcpu, seg);

	s->base = in->base;
	s->limit = in->limit;
	s->selector = in->selector;
	s->attrib = 0;
	if (!in->unusable)
		s->attrib = (in->type & 0xf) | (in->s & 1) << 4 | (in->dpl & 3) << 5 |
			    (in->present & 1) << 7 | (in->avl & 1) << 8 | (in->l & 1) << 9 |
			    (in->db & 1) << 10 | (in->g & 1) << 11;
	if (seg == HVM_SEG_SS)
		to_vmcb(vcpu)->save.cpl = in->dpl & 3;
	dirty(to_vmcb(vcpu), CLEAN_SEG | CLEAN_DT);
}

enum hvm_cpu_mode svm_get_mode(struct hvm_vcpu *vcpu)
{
	const struct vmcb_save *s = &to_vmcb(vcpu)->save;

	if (!(s->cr0 & X86_CR0_PE))
		return HVM_CPU_REAL;
	if (vcpu->rflags & X86_EFLAGS_VM)
		return HVM_CPU_VM86;
	if (s->cs.attrib & ATTRIB_L && hvm_long_mode(vcpu))
		return HVM_CPU_LONG64;
	return s->cs.attrib & ATTRIB_DB ? HVM_CPU_PROT32 : HVM_CPU_PROT16;
}

int svm_get_cpl(struct hvm_vcpu *vcpu)
{
	const struct vmcb_save *s = &to_vmcb(vcpu)->save;

	return s->cr0 & X86_CR0_PE ? s->cpl : 0;
}

u64 svm_get_cr(struct hvm_vcpu *vcpu, int cr)
{
	struct svm_vcpu *svm = to_svm(vcpu);

	switch (cr) {
	case 0:
		return svm->vmcb->save.cr0 | svm->cr0_hidden;
	case 2:
		return svm->vmcb->save.cr2;
	case 3:
		return svm->vmcb->save.cr3;
	default:
		return svm->cr4;
	}
}

/*
 * CD and NW are kept from the processor: firmware leaves them set for long, and
 * a guest without caches would be unusably slow. While they differ, reads and
 * all writes of CR0 are intercepted so that the guest sees what it wrote.
 */
static void set_cr0(struct svm_vcpu *svm, u64 val)
{
	struct vmcb_control *c = &svm->vmcb->control;

	svm->cr0_hidden = val & (X86_CR0_CD | X86_CR0_NW);
	svm->vmcb->save.cr0 = val & ~(u64)(X86_CR0_CD | X86_CR0_NW);
	set_bits(&c->intercept_cr, CR_READ(0) | CR_WRITE(0), svm->cr0_hidden);
	dirty(svm->vmcb, CLEAN_INTERCEPTS | CLEAN_CR);
}

static void svm_set_cr(struct hvm_vcpu *vcpu, int cr, u64 val)
{
	struct svm_vcpu *svm = to_svm(vcpu);
	struct vmcb_save *s = &svm->vmcb->save;

	switch (cr) {
	case 0:
		set_cr0(svm, val);
		break;
	case 2:
		s->cr2 = val;
		dirty(svm->vmcb, CLEAN_CR2);
		break;
	case 3:
		s->cr3 = val;
		dirty(svm->vmcb, CLEAN_CR);
		break;
	case 4:
		svm->cr4 = val;
		/* A machine check must reach the intercept, not shut the guest's CPU down. */
		s->cr4 = val | (__read_cr4() & X86_CR4_MCE);
		dirty(svm->vmcb, CLEAN_CR);
		break;
	case HVM_CR_EFER:
		s->efer = vcpu->efer | EFER_SVME;
		dirty(svm->vmcb, CLEAN_CR);
		break;
	}
}

static u64 *msr_field(struct vmcb_save *s, u32 msr)
{
	switch (msr) {
	case MSR_FS_BASE:
		return &s->fs.base;
	case MSR_GS_BASE:
		return &s->gs.base;
	case MSR_KERNEL_GS_BASE:
		return &s->kernel_gs_base;
	case MSR_STAR:
		return &s->star;
	case MSR_LSTAR:
		return &s->lstar;
	case MSR_CSTAR:
		return &s->cstar;
	case MSR_SYSCALL_MASK:
		return &s->sfmask;
	case MSR_IA32_SYSENTER_CS:
		return &s->sysenter_cs;
	case MSR_IA32_SYSENTER_ESP:
		return &s->sysenter_esp;
	case MSR_IA32_SYSENTER_EIP:
		return &s->sysenter_eip;
	case MSR_IA32_CR_PAT:
		return &s->g_pat;
	}
	return NULL;
}

static int svm_get_msr(struct hvm_vcpu *vcpu, u32 msr, u64 *val)
{
	u64 *field = msr_field(&to_vmcb(vcpu)->save, msr);

	if (!field)
		return -ENOENT;
	*val = *field;
	return 0;
}

static int svm_set_msr(struct hvm_vcpu *vcpu, u32 msr, u64 val)
{
	u64 *field = msr_field(&to_vmcb(vcpu)->save, msr);

	if (msr == MSR_TSC_AUX) {
		/* Lives in the processor while the vCPU is loaded. */
		preempt_disable();
		vcpu->tsc_aux = val;
		if (vcpu->loaded && boot_cpu_has(X86_FEATURE_RDTSCP))
			wrmsrq(MSR_TSC_AUX, val);
		preempt_enable();
		return 0;
	}
	if (!field)
		return -ENOENT;
	*field = val;
	dirty(to_vmcb(vcpu), CLEAN_NPT);	/* g_pat is cached with it */
	return 0;
}

static void svm_set_tsc(struct hvm_vcpu *vcpu)
{
	to_vmcb(vcpu)->control.tsc_offset = vcpu->tsc_offset;
	dirty(to_vmcb(vcpu), CLEAN_INTERCEPTS);
}

static void svm_update_traps(struct hvm_vcpu *vcpu, u32 why)
{
	struct vmcb *vmcb = to_vmcb(vcpu);

	if (why & HVM_TRAPS_DEBUG) {
		vmcb->save.dr7 = hvm_effective_dr7(vcpu);
		set_bits(&vmcb->control.intercept_exception, BIT(3),
			 vcpu->guest_debug & HVM_GUESTDBG_USE_SW_BP);
		dirty(vmcb, CLEAN_DR | CLEAN_INTERCEPTS);
	}
	if (why & (HVM_TRAPS_MSR | HVM_TRAPS_CPUID))
		update_msrpm(vcpu);
	if (why & HVM_TRAPS_CPUID) {
		set_bits(&vmcb->control.intercept2, I2_RDTSCP,
			 vcpu->cpuid && !hvm_guest_has(vcpu, X86_FEATURE_RDTSCP));
		dirty(vmcb, CLEAN_INTERCEPTS);
	}
}

const struct hvm_backend hvm_svm_backend = {
	.name		= "AMD-V",
	.s2_format	= &hvm_npt_format,
	.hypercall	= { 0x0f, 0x01, 0xd9 },
	.setup		= svm_setup,
	.teardown	= svm_teardown,
	.cpu_enable	= svm_cpu_enable,
	.cpu_disable	= svm_cpu_disable,
	.vcpu_create	= svm_vcpu_create,
	.vcpu_destroy	= svm_vcpu_destroy,
	.set_windows	= svm_set_windows,
	.get_seg	= svm_get_seg,
	.set_seg	= svm_set_seg,
	.set_cr		= svm_set_cr,
	.get_msr	= svm_get_msr,
	.set_msr	= svm_set_msr,
	.set_tsc	= svm_set_tsc,
	.update_traps	= svm_update_traps,
};
