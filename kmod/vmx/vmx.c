// SPDX-License-Identifier: GPL-2.0-only
/*
 * vmx.c - the VT-x backend: a vCPU's registers, controls and MSRs
 *
 * The VMCS is the home of the guest's control and segment registers, behind the
 * cache that vmx.h describes: get_*() read through it, set_*() write into it and
 * mark items dirty, vmx_flush() brings those to the VMCS before the next entry.
 * What VM entry checks (SDM 3 chapter 27) and userspace may get wrong without
 * meaning harm - accessed and busy bits, granularity, present bits of null
 * segments - is put right on the way; what is nonsense fails the entry, which
 * userspace is told with the processor's reason.
 *
 * CR0 and CR4: bits with an owner in the guest (CR0_OWNED, .cr4_owned) are read
 * from the VMCS; all others exit when they would change, so the cache knows them.
 *
 * Locks: none; see vmx.h. VPIDs are handed out under vpid_lock.
 */
#include <linux/bitmap.h>
#include <linux/cpu.h>
#include <linux/gfp.h>
#include <linux/hardirq.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/spinlock.h>
#include <asm/desc.h>
#include <asm/nospec-branch.h>
#include <asm/segment.h>
#include <asm/spec-ctrl.h>
#include <asm/special_insns.h>
#include "vmx/vmx.h"

#define CR0_OWNED	((u64)(X86_CR0_MP | X86_CR0_EM | X86_CR0_TS | X86_CR0_WP | X86_CR0_AM))
#define CR4_OWNABLE	((u64)(X86_CR4_PVI | X86_CR4_TSD | X86_CR4_DE | X86_CR4_PCE | X86_CR4_PGE | \
			       X86_CR4_OSFXSR | X86_CR4_OSXMMEXCPT | X86_CR4_FSGSBASE))
/* #DB, #AC: storms; #UD: the other vendor's hypercall; #MC: the host's */
#define EXCEPTIONS	(BIT(1) | BIT(6) | BIT(17) | BIT(18))
#define TSC_RATIO_1	BIT_ULL(48)
#define TYPE_BUSY_TSS	11
#define PROC2_APIC	(PROC2_X2APIC | PROC2_APIC_REGISTERS | PROC2_VIRTUAL_INTERRUPTS)

static DEFINE_SPINLOCK(vpid_lock);
static DECLARE_BITMAP(vpids, 1 << 16);	/* vpid_lock; 0 is the host's */

/* ---- the cache ---- */

/* The VMCS has LDTR before TR, enum hvm_seg the other way round. */
static int seg_index(int seg)
{
	return seg < HVM_SEG_TR ? seg : HVM_SEG_TR + HVM_SEG_LDTR - seg;
}

static void fetch_seg(struct vmx_vcpu *v, int seg)
{
	struct vmx_seg *s = &v->seg[seg];
	int off = 2 * seg_index(seg);

	if (seg == HVM_SEG_GDTR || seg == HVM_SEG_IDTR) {
		off = 2 * (seg - HVM_SEG_GDTR);
		s->base = vmread(VMCS_GUEST_GDTR_BASE + off);
		s->limit = vmread(VMCS_GUEST_GDTR_LIMIT + off);
		return;
	}
	s->selector = vmread(VMCS_GUEST_ES_SELECTOR + off);
	s->base = vmread(VMCS_GUEST_ES_BASE + off);
	s->limit = vmread(VMCS_GUEST_ES_LIMIT + off);
	s->rights = vmread(VMCS_GUEST_ES_RIGHTS + off);
}

static void fetch(struct vmx_vcpu *v, u32 items)
{
	u32 segs;

	for (segs = items & ITEMS_SEGS; segs; segs &= segs - 1)
		fetch_seg(v, __ffs(segs));
	if (items & ITEM_CR0)
		v->cr0 = (v->cr0 & ~CR0_OWNED) | (vmread(VMCS_GUEST_CR0) & CR0_OWNED);
	if (items & ITEM_CR3)
		v->cr3 = vmread(VMCS_GUEST_CR3);
	if (items & ITEM_CR4)
		v->cr4 = (v->cr4 & ~v->cr4_owned) | (vmread(VMCS_GUEST_CR4) & v->cr4_owned);
	if (items & ITEM_SHADOW)
		v->shadow = vmread(VMCS_GUEST_INTERRUPTIBILITY);
	if (items & ITEM_SYSENTER) {
		v->sysenter[0] = vmread(VMCS_GUEST_SYSENTER_CS);
		v->sysenter[1] = vmread(VMCS_GUEST_SYSENTER_ESP);
		v->sysenter[2] = vmread(VMCS_GUEST_SYSENTER_EIP);
	}
	if (items & ITEM_RIGHTS) {
		v->rights[0] = vmread(VMCS_GUEST_ES_RIGHTS + 2 * HVM_SEG_CS);
		v->rights[1] = vmread(VMCS_GUEST_ES_RIGHTS + 2 * HVM_SEG_SS);
	}
	v->have |= items;
}

/**
 * vmx_fetch - bring items of the guest's state into the cache
 * @v: loaded on this CPU
 * @items: of ITEMS_READ
 *
 * Where VMX is on only around runs, turning it on costs more than reading: what
 * is missing comes all at once.
 */
void vmx_fetch(struct vmx_vcpu *v, u32 items)
{
	unsigned long flags;

	items &= ~v->have;
	if (likely(!items))
		return;
	preempt_disable();
	if (likely(v->held || this_cpu_read(vmx_cpus.owned))) {
		fetch(v, items);
	} else {
		local_irq_save(flags);
		if (vmx_hold(v)) {
			fetch(v, ITEMS_READ & ~v->have);
			vmx_release(v);
		}
		local_irq_restore(flags);
	}
	preempt_enable();
}

static void flush_seg(struct vmx_vcpu *v, int seg)
{
	struct vmx_seg *s = &v->seg[seg];
	int off = 2 * seg_index(seg);
	u32 rights = s->rights;

	if (seg == HVM_SEG_GDTR || seg == HVM_SEG_IDTR) {
		off = 2 * (seg - HVM_SEG_GDTR);
		vmwrite(VMCS_GUEST_GDTR_BASE + off, s->base);
		vmwrite(VMCS_GUEST_GDTR_LIMIT + off, s->limit);
		return;
	}
	/* 64-bit mode has no 16-bit TSS, but 32-bit code may have loaded one. */
	if (seg == HVM_SEG_TR && v->vcpu->efer & EFER_LMA)
		rights |= TYPE_BUSY_TSS;
	vmwrite(VMCS_GUEST_ES_SELECTOR + off, s->selector);
	vmwrite(VMCS_GUEST_ES_BASE + off, s->base);
	vmwrite(VMCS_GUEST_ES_LIMIT + off, s->limit);
	vmwrite(VMCS_GUEST_ES_RIGHTS + off, rights);
}

static void flush_crs(struct vmx_vcpu *v)
{
	int i;

	if (v->dirty & ITEM_CR0) {
		vmwrite(VMCS_CR0_SHADOW, v->cr0);
		vmwrite(VMCS_GUEST_CR0, (v->cr0 & ~(u64)(X86_CR0_CD | X86_CR0_NW)) | X86_CR0_NE);
	}
	if (v->dirty & ITEM_CR3)
		vmwrite(VMCS_GUEST_CR3, v->cr3);
	if (v->dirty & ITEM_CR4) {
		/* With MCE clear a machine check in the guest would shut the host down. */
		vmwrite(VMCS_CR4_SHADOW, v->cr4);
		vmwrite(VMCS_GUEST_CR4, v->cr4 | vmx_caps.cr4_fixed | X86_CR4_MCE);
		vmwrite(VMCS_CR4_MASK, ~v->cr4_owned);
	}
	for (i = 0; v->dirty & ITEM_PDPTES && i < ARRAY_SIZE(v->pdpte); i++)
		vmwrite(VMCS_GUEST_PDPTE0 + 2 * i, v->pdpte[i]);
}

/* VM entry wants BS pending exactly when TF is set behind a blocking instruction. */
static void flush_pending_debug(struct vmx_vcpu *v)
{
	u64 pending;

	if (!(v->shadow & (BLOCKED_BY_STI | BLOCKED_BY_MOV_SS)))
		return;
	pending = vmread(VMCS_GUEST_PENDING_DEBUG) & ~PENDING_DEBUG_BS;
	if (v->vcpu->rflags & X86_EFLAGS_TF)
		pending |= PENDING_DEBUG_BS;
	vmwrite(VMCS_GUEST_PENDING_DEBUG, pending);
}

static void flush_shadow(struct vmx_vcpu *v)
{
	/* The combinations that no instruction leaves behind (SDM 3 27.3.1.5). */
	if (!(v->vcpu->rflags & X86_EFLAGS_IF) || v->shadow & BLOCKED_BY_MOV_SS)
		v->shadow &= ~BLOCKED_BY_STI;
	vmwrite(VMCS_GUEST_INTERRUPTIBILITY, v->shadow);
	flush_pending_debug(v);
}

static void flush_controls(struct vmx_vcpu *v)
{
	struct hvm_vcpu *vcpu = v->vcpu;
	int i;

	if (v->proc != v->hw_proc)
		vmwrite(VMCS_PROC_CONTROLS, v->proc);
	if (v->proc2 != v->hw_proc2)
		vmwrite(VMCS_PROC2_CONTROLS, v->proc2);
	if (v->exceptions != v->hw_exceptions)
		vmwrite(VMCS_EXCEPTION_BITMAP, v->exceptions);
	v->hw_proc = v->proc;
	v->hw_proc2 = v->proc2;
	v->hw_exceptions = v->exceptions;
	if (!v->vtpr)
		return;
	v->threshold = vcpu->windows & HVM_WINDOW_CR8 ? vcpu->tpr_threshold : 0;
	vmwrite(VMCS_TPR_THRESHOLD, v->threshold);
	vmwrite(VMCS_VIRTUAL_APIC_PAGE, virt_to_phys(hvm_lapic_page(vcpu)));
	for (i = 0; vcpu->virtual_irq && i < 4; i++)
		vmwrite(VMCS_EOI_EXIT_BITMAP0 + 2 * i, hvm_lapic_eoi_exits(vcpu)[i]);
}

static void flush_efer(struct vmx_vcpu *v)
{
	u32 entry = vmx_caps.entry;

	if (v->vcpu->efer & EFER_LMA)
		entry |= ENTRY_GUEST_64;
	vmwrite(VMCS_GUEST_EFER, v->vcpu->efer);
	if (entry != v->hw_entry)
		vmwrite(VMCS_ENTRY_CONTROLS, entry);
	v->hw_entry = entry;
}

static u64 tr_base(u16 selector, const struct desc_ptr *gdt)
{
	const struct ldttss_desc *d = (void *)gdt->address + (selector & ~7);

	return d->base0 | (u32)d->base1 << 16 | (u32)d->base2 << 24 | (u64)d->base3 << 32;
}

/* What exits load that differs between CPUs. */
static void flush_host_cpu(struct vmx_vcpu *v)
{
	const struct vmx_cpu *c = this_cpu_ptr(&vmx_cpus);
	struct desc_ptr gdt, idt;
	u16 tr;

	native_store_gdt(&gdt);
	asm volatile("sidt %0" : "=m" (idt));
	asm volatile("str %0" : "=rm" (tr));
	vmwrite(VMCS_HOST_GDTR_BASE, gdt.address);
	vmwrite(VMCS_HOST_IDTR_BASE, idt.address);
	vmwrite(VMCS_HOST_TR_SELECTOR, tr);
	vmwrite(VMCS_HOST_TR_BASE, tr_base(tr, &gdt));
	vmwrite(VMCS_HOST_GS_BASE, c->gs_base);
	vmwrite(VMCS_HOST_SYSENTER_CS, c->sysenter_cs);
	vmwrite(VMCS_HOST_SYSENTER_ESP, c->sysenter_esp);
	vmwrite(VMCS_HOST_SYSENTER_EIP, c->sysenter_eip);
	v->host_cpu = v->cpu;
}

/* All that is written once. Fields not named here stay 0. */
static void flush_constant(struct vmx_vcpu *v)
{
	vmwrite(VMCS_PIN_CONTROLS, vmx_caps.pin);
	vmwrite(VMCS_EXIT_CONTROLS, vmx_caps.exit);
	vmwrite(VMCS_PF_ERROR_MASK, 0);
	vmwrite(VMCS_PF_ERROR_MATCH, 0);
	vmwrite(VMCS_CR3_TARGET_COUNT, 0);
	vmwrite(VMCS_EXIT_MSR_STORE_COUNT, 0);
	vmwrite(VMCS_EXIT_MSR_LOAD_COUNT, 0);
	vmwrite(VMCS_ENTRY_MSR_LOAD_COUNT, 0);
	vmwrite(VMCS_ENTRY_INTR_INFO, 0);
	vmwrite(VMCS_TPR_THRESHOLD, 0);
	vmwrite(VMCS_CR0_MASK, ~CR0_OWNED);
	vmwrite(VMCS_VPID, v->vpid);
	vmwrite(VMCS_EPT_POINTER, vmx_caps.eptp | v->vcpu->vm->s2.root_pa);
	if (v->msr_bitmap)
		vmwrite(VMCS_MSR_BITMAP, virt_to_phys(v->msr_bitmap));
	if (vmx_caps.proc2 & PROC2_PAUSE_LOOP) {
		vmwrite(VMCS_PLE_GAP, 128);
		vmwrite(VMCS_PLE_WINDOW, 4096);
	}
	if (v->pml) {
		vmwrite(VMCS_PML_ADDRESS, virt_to_phys(v->pml));
		vmwrite(VMCS_GUEST_PML_INDEX, PML_ENTRIES - 1);
	}
	if (vmx_caps.pin & PIN_PREEMPTION_TIMER)
		vmwrite(VMCS_PREEMPTION_TIMER, vmx_caps.timer);
	if (vmx_caps.proc2 & PROC2_ENCLS)
		vmwrite(VMCS_ENCLS_EXITING_BITMAP, ~0ULL);

	vmwrite(VMCS_LINK_POINTER, ~0ULL);
	vmwrite(VMCS_GUEST_DEBUGCTL, 0);
	vmwrite(VMCS_GUEST_ACTIVITY, 0);
	vmwrite(VMCS_GUEST_PENDING_DEBUG, 0);

	vmwrite(VMCS_HOST_CR0, read_cr0());
	vmwrite(VMCS_HOST_PAT, vmx_caps.host_pat);
	vmwrite(VMCS_HOST_EFER, vmx_caps.host_efer);
	vmwrite(VMCS_HOST_CS_SELECTOR, __KERNEL_CS);
	vmwrite(VMCS_HOST_SS_SELECTOR, __KERNEL_DS);
	vmwrite(VMCS_HOST_DS_SELECTOR, 0);
	vmwrite(VMCS_HOST_ES_SELECTOR, 0);
	vmwrite(VMCS_HOST_FS_SELECTOR, 0);
	vmwrite(VMCS_HOST_GS_SELECTOR, 0);
	vmwrite(VMCS_HOST_FS_BASE, v->hw_fs_base);
	vmwrite(VMCS_HOST_RIP, (unsigned long)vmx_exit_point);

	vmwrite(VMCS_GUEST_RIP, v->rip);
	vmwrite(VMCS_GUEST_RSP, v->rsp);
	vmwrite(VMCS_GUEST_RFLAGS, v->rflags);
}

/**
 * vmx_flush - bring the dirty items of the cache to the VMCS
 * @v: its VMCS is current
 */
void vmx_flush(struct vmx_vcpu *v)
{
	u32 dirty = v->dirty, segs;

	if (unlikely(dirty & ITEM_CONSTANT))
		flush_constant(v);
	if (dirty & ITEM_CONTROLS)
		flush_controls(v);
	if (dirty & ITEM_SHADOW)
		flush_shadow(v);
	for (segs = dirty & ITEMS_SEGS; segs; segs &= segs - 1)
		flush_seg(v, __ffs(segs));
	if (dirty & (ITEM_CR0 | ITEM_CR3 | ITEM_CR4 | ITEM_PDPTES))
		flush_crs(v);
	if (dirty & ITEM_EFER)
		flush_efer(v);
	if (dirty & ITEM_SYSENTER) {
		vmwrite(VMCS_GUEST_SYSENTER_CS, v->sysenter[0]);
		vmwrite(VMCS_GUEST_SYSENTER_ESP, v->sysenter[1]);
		vmwrite(VMCS_GUEST_SYSENTER_EIP, v->sysenter[2]);
	}
	if (dirty & ITEM_PAT)
		vmwrite(VMCS_GUEST_PAT, v->pat);
	if (dirty & ITEM_IRQ_STATUS && v->vcpu->virtual_irq)
		vmwrite(VMCS_GUEST_IRQ_STATUS, hvm_lapic_irq_status(v->vcpu));
	if (dirty & ITEM_DR7)
		vmwrite(VMCS_GUEST_DR7, hvm_effective_dr7(v->vcpu));
	v->dirty = 0;
}

/* ---- MSR bitmap (SDM 3 25.6.9): reads of low, high MSRs; writes of low, high ones ---- */

static void pass_through(unsigned long *map, struct hvm_vcpu *vcpu, u32 msr, bool write)
{
	int bit = (msr & 0x1fff) + (msr >= 0xc0000000 ? 0x2000 : 0) + (write ? 0x4000 : 0);

	if (hvm_msr_allowed(vcpu->vm, msr, write))
		__clear_bit(bit, map);
}

static void pass_both(unsigned long *map, struct hvm_vcpu *vcpu, u32 msr)
{
	pass_through(map, vcpu, msr, false);
	pass_through(map, vcpu, msr, true);
}

/* Registers that read as the page has them; lapic.c computes ID, PPR and the current count. */
static void pass_x2apic(unsigned long *map, struct hvm_vcpu *vcpu)
{
	static const u8 regs[] = { 0x03, 0x08, 0x0d, 0x0f, 0x28, 0x2f, 0x30, 0x32, 0x33, 0x34,
				   0x35, 0x36, 0x37, 0x38, 0x3e };
	int i;

	for (i = 0; i < ARRAY_SIZE(regs); i++)
		pass_through(map, vcpu, 0x800 + regs[i], false);
	for (i = 0x10; i < 0x28; i++)	/* ISR, TMR, IRR */
		pass_through(map, vcpu, 0x800 + i, false);
	pass_through(map, vcpu, 0x808, true);	/* TPR: below its threshold it exits */
	if (!vcpu->virtual_irq)
		return;
	pass_through(map, vcpu, 0x80a, false);	/* PPR */
	pass_through(map, vcpu, 0x80b, true);	/* EOI */
	pass_through(map, vcpu, 0x83f, true);	/* self-IPI */
}

static bool x2apic_mode(struct hvm_vcpu *vcpu)
{
	return vcpu->apic && vcpu->apic_base & X2APIC_ENABLE &&
	       vcpu->apic_base & MSR_IA32_APICBASE_ENABLE;
}

void vmx_update_msr_bitmap(struct hvm_vcpu *vcpu)
{
	struct vmx_vcpu *v = to_vmx(vcpu);
	unsigned long *map = v->msr_bitmap;

	v->proc2 &= ~PROC2_APIC;
	if (x2apic_mode(vcpu))
		v->proc2 |= vmx_caps.proc2 & PROC2_APIC;
	/* A debugger that steps may want no handlers in between. */
	if (vcpu->guest_debug & HVM_GUESTDBG_BLOCKIRQ)
		v->proc2 &= ~PROC2_VIRTUAL_INTERRUPTS;
	hvm_lapic_set_virtual(vcpu, v->proc2 & PROC2_VIRTUAL_INTERRUPTS);
	v->dirty |= ITEM_CONTROLS | ITEM_IRQ_STATUS;
	if (!map)
		return;
	memset(map, 0xff, PAGE_SIZE);
	pass_both(map, vcpu, MSR_FS_BASE);
	pass_both(map, vcpu, MSR_GS_BASE);
	pass_both(map, vcpu, MSR_IA32_SYSENTER_CS);
	pass_both(map, vcpu, MSR_IA32_SYSENTER_ESP);
	pass_both(map, vcpu, MSR_IA32_SYSENTER_EIP);
	pass_through(map, vcpu, MSR_IA32_TSC, false);
	if (vcpu->efer & EFER_LMA)
		pass_both(map, vcpu, MSR_KERNEL_GS_BASE);
	if (v->spec_direct && hvm_guest_has(vcpu, X86_FEATURE_SPEC_CTRL))
		pass_both(map, vcpu, MSR_IA32_SPEC_CTRL);
	/* A barrier command has no state to keep: the guest may as well do it itself. */
	if (boot_cpu_has(X86_FEATURE_IBPB) && hvm_guest_has(vcpu, X86_FEATURE_SPEC_CTRL))
		pass_through(map, vcpu, MSR_IA32_PRED_CMD, true);
	/* Only read: who lets guests use power states lets them see for how long. */
	if (vcpu->vm->disabled_exits & HVM_X86_DISABLE_EXITS_CSTATE) {
		pass_through(map, vcpu, MSR_CORE_C1_RES, false);
		pass_through(map, vcpu, MSR_CORE_C3_RESIDENCY, false);
		pass_through(map, vcpu, MSR_CORE_C6_RESIDENCY, false);
		pass_through(map, vcpu, MSR_CORE_C7_RESIDENCY, false);
	}
	if (v->proc2 & PROC2_X2APIC)
		pass_x2apic(map, vcpu);
}

/* ---- life ---- */

static u16 alloc_vpid(void)
{
	unsigned long n;

	spin_lock(&vpid_lock);
	n = find_next_zero_bit(vpids, 1 << 16, 1);
	if (n < 1 << 16)
		__set_bit(n, vpids);
	else
		n = 0;
	spin_unlock(&vpid_lock);
	return n;
}

static void free_vpid(u16 vpid)
{
	spin_lock(&vpid_lock);
	__clear_bit(vpid, vpids);
	spin_unlock(&vpid_lock);
}

static int vmx_vcpu_create(struct hvm_vcpu *vcpu)
{
	struct vmx_vcpu *v = kzalloc(sizeof(*v), GFP_KERNEL_ACCOUNT);

	if (!v)
		return -ENOMEM;
	vcpu->arch = v;
	v->vcpu = vcpu;
	v->loaded_cpu = -1;
	v->cpu = -1;
	v->host_cpu = -1;
	v->tsc_ratio = ~0ULL;	/* nothing in the VMCS yet */
	v->vmcs = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	if (!v->vmcs)
		return -ENOMEM;
	v->vmcs_pa = page_to_phys(v->vmcs);
	*(u32 *)page_address(v->vmcs) = vmx_caps.revision;
	if (vmx_caps.proc & PROC_MSR_BITMAPS) {
		v->msr_bitmap = (void *)__get_free_page(GFP_KERNEL_ACCOUNT);
		if (!v->msr_bitmap)
			return -ENOMEM;
	}
	if (vmx_caps.proc2 & PROC2_PML) {
		v->pml = (void *)__get_free_page(GFP_KERNEL_ACCOUNT);
		if (!v->pml)
			return -ENOMEM;
	}
	v->vpid = alloc_vpid();
	v->have = ITEMS_READ;
	v->dirty = ITEMS_ALL;
	v->pat = 0x0007040600070406ULL;
	v->exceptions = EXCEPTIONS;
	v->args.flags = vmx_caps.enter_flags;
	v->proc = vmx_caps.proc;
	v->proc2 = vmx_caps.proc2 & ~PROC2_APIC;
	if (vcpu->vm->disabled_exits & HVM_X86_DISABLE_EXITS_HLT)
		v->proc &= ~PROC_HLT;
	if (vcpu->vm->disabled_exits & HVM_X86_DISABLE_EXITS_MWAIT)
		v->proc &= ~(PROC_MWAIT | PROC_MONITOR);
	if (vcpu->vm->disabled_exits & HVM_X86_DISABLE_EXITS_PAUSE)
		v->proc2 &= ~PROC2_PAUSE_LOOP;
	/* Without an APIC in the kernel CR8 is userspace's: every access exits. */
	if (!vcpu->vm->irqchip_kernel)
		v->proc &= ~PROC_TPR_SHADOW;
	if (!(v->proc & PROC_TPR_SHADOW))
		v->proc |= PROC_CR8_LOAD | PROC_CR8_STORE;
	if (!v->vpid)
		v->proc2 &= ~PROC2_VPID;
	return 0;
}

static void vmx_vcpu_destroy(struct hvm_vcpu *vcpu)
{
	struct vmx_vcpu *v = to_vmx(vcpu);

	if (!v)
		return;
	vmx_forget(v);
	if (v->vpid)
		free_vpid(v->vpid);
	free_page((unsigned long)v->msr_bitmap);
	free_page((unsigned long)v->pml);
	if (v->vmcs)
		__free_page(v->vmcs);
	kfree(v);
	vcpu->arch = NULL;
}

void vmx_vcpu_load(struct hvm_vcpu *vcpu, int cpu)
{
	struct vmx_vcpu *v = to_vmx(vcpu);

	v->l1d_stale = true;
	if (unlikely(v->cpu != cpu)) {
		v->cpu = cpu;
		vcpu->tlb_flush = true;
	}
	vmx_make_current(v, cpu);
	if (unlikely(this_cpu_read(vmx_cpus.last_vm) != vcpu->vm->id)) {
		this_cpu_write(vmx_cpus.last_vm, vcpu->vm->id);
		/* Another guest trained this CPU's predictors. */
		if (vmx_caps.ibpb)
			wrmsrq(MSR_IA32_PRED_CMD, PRED_CMD_IBPB);
	}
}

/* ---- host state that exits do not bring back: taken in run(), returned in vcpu_put() ---- */

static void switch_msr(struct vmx_vcpu *v, int i, u32 msr, u64 val)
{
	const struct vmx_cpu *c = this_cpu_ptr(&vmx_cpus);

	/*
	 * Where KVM has VMX it also leaves its guest's values in these MSRs until
	 * its thread goes to userspace, and trusts them to stay.
	 */
	if (c->owned)
		v->host_msr[i] = c->msr[i];
	else
		rdmsrq(msr, v->host_msr[i]);
	if (val == v->host_msr[i])
		return;
	wrmsrq(msr, val);
	v->msrs_switched |= BIT(i);
}

static const u32 switched_msrs[NR_SWITCHED] = {
	MSR_STAR, MSR_LSTAR, MSR_SYSCALL_MASK, MSR_TSC_AUX,
};

static u64 fs_base(void)
{
	u64 base;

	if (boot_cpu_has(X86_FEATURE_FSGSBASE))
		asm volatile("rdfsbase %0" : "=r" (base));
	else
		rdmsrq(MSR_FS_BASE, base);
	return base;
}

/* Save what the thread has in the processor, load the guest's MSRs. */
static void switch_to_guest(struct vmx_vcpu *v)
{
	struct hvm_vcpu *vcpu = v->vcpu;
	int i;

	asm volatile("mov %%fs, %0; mov %%gs, %1; mov %%ds, %2; mov %%es, %3"
		     : "=rm" (v->fs), "=rm" (v->gs), "=rm" (v->ds), "=rm" (v->es));
	asm volatile("sldt %0" : "=rm" (v->ldt));
	v->fs_base = fs_base();
	if (v->fs_base != v->hw_fs_base) {
		v->hw_fs_base = v->fs_base;
		vmwrite(VMCS_HOST_FS_BASE, v->fs_base);
	}
	rdmsrq(MSR_IA32_DEBUGCTLMSR, v->debugctl);

	v->gs_switched = vcpu->efer & EFER_LMA;
	if (v->gs_switched || v->gs)
		rdmsrq(MSR_KERNEL_GS_BASE, v->user_gs_base);
	if (v->gs_switched)
		wrmsrq(MSR_KERNEL_GS_BASE, v->kernel_gs_base);
	/* SYSCALL is the only reader of the others. */
	for (i = 0; vcpu->efer & EFER_SCE && i < SWITCH_TSC_AUX; i++)
		switch_msr(v, i, switched_msrs[i], v->msr[i]);
	if (v->proc2 & PROC2_RDTSCP)
		switch_msr(v, SWITCH_TSC_AUX, MSR_TSC_AUX, vcpu->tsc_aux);
	v->switched = true;
}

static void prepare_spec_ctrl(struct vmx_vcpu *v)
{
	v->args.flags &= ~(ENTER_SPEC_CTRL | ENTER_SAVE_SPEC);
	if (likely(!v->vcpu->spec_ctrl && !v->spec_direct))
		return;
	v->args.guest_spec = v->vcpu->spec_ctrl;
	v->args.host_spec = this_cpu_read(x86_spec_ctrl_current);
	v->args.flags |= ENTER_SPEC_CTRL | (v->spec_direct ? ENTER_SAVE_SPEC : 0);
}

/* After these the common code has touched the vCPU and its guest's memory, nobody else's. */
#define CLEAN_EXITS	(BIT(HVM_X_NONE) | BIT(HVM_X_HLT) | BIT(HVM_X_IRQ_WINDOW) |	\
			 BIT(HVM_X_NMI_WINDOW) | BIT(HVM_X_CR8_BELOW) | BIT(HVM_X_STAGE2))

/*
 * Against L1TF: what userspace, another task, or a host interrupt left in the L1
 * data cache may not be there when the guest runs on it. l1d_stale says that the
 * thread was in userspace or scheduled out, the kernel's own flag that this CPU took
 * an interrupt; handlers of exits that are not clean count as well.
 *
 * Without microcode that knows the command, zeros take the cache: twice what it
 * holds, as its replacement is not quite in order; and first a line of each page,
 * or the walks for them would load lines of their own later.
 */
static void flush_l1d(struct vmx_vcpu *v)
{
	unsigned long at = vmx_caps.l1d_fill, end = at + L1D_FILL, page;

	if (!v->l1d_stale && BIT(v->vcpu->exit.code) & CLEAN_EXITS && !kvm_get_cpu_l1tf_flush_l1d())
		return;
	v->l1d_stale = false;
	kvm_clear_cpu_l1tf_flush_l1d();
	if (!at) {
		wrmsrq(MSR_IA32_FLUSH_CMD, L1D_FLUSH);
		return;
	}
	for (page = at; page < end; page += PAGE_SIZE)
		READ_ONCE(*(u8 *)page);
	asm volatile("lfence\n"
		     "1:\n\t.set .Lline, 0\n\t.rept 32\n\t"
		     "movl .Lline(%0), %%eax\n\t.set .Lline, .Lline + 64\n\t.endr\n\t"
		     "add $2048, %0\n\tcmp %1, %0\n\tjb 1b\n\tlfence"
		     : "+r" (at) : "r" (end) : "eax", "cc", "memory");
}

/**
 * vmx_prepare - what has to be right before the first entry of a run()
 * @v: its VMCS is current, interrupts off
 */
void vmx_prepare(struct vmx_vcpu *v)
{
	struct hvm_vcpu *vcpu = v->vcpu;
	u64 cr3 = __read_cr3(), cr4 = __read_cr4();

	if (unlikely(!v->switched))
		switch_to_guest(v);
	if (unlikely(v->host_cpu != v->cpu))
		flush_host_cpu(v);
	if (unlikely(cr3 != v->host_cr3)) {
		v->host_cr3 = cr3;
		vmwrite(VMCS_HOST_CR3, cr3);
	}
	if (unlikely(cr4 != v->host_cr4)) {
		v->host_cr4 = cr4;
		vmwrite(VMCS_HOST_CR4, cr4);
	}
	if (unlikely(vcpu->tsc_offset != v->tsc_offset || vcpu->tsc_ratio != v->tsc_ratio)) {
		v->tsc_offset = vcpu->tsc_offset;
		v->tsc_ratio = vcpu->tsc_ratio;
		vmwrite(VMCS_TSC_OFFSET, v->tsc_offset);
		if (vmx_caps.proc2 & PROC2_TSC_SCALING)
			vmwrite(VMCS_TSC_MULTIPLIER, v->tsc_ratio ?: TSC_RATIO_1);
	}
	prepare_spec_ctrl(v);
	if (unlikely(vmx_caps.l1d_flush))
		flush_l1d(v);
}

static void switch_to_host(struct vmx_vcpu *v)
{
	struct desc_ptr gdt;
	int i;

	v->switched = false;
	for (i = 0; v->msrs_switched && i < NR_SWITCHED; i++)
		if (v->msrs_switched & BIT(i))
			wrmsrq(switched_msrs[i], v->host_msr[i]);
	v->msrs_switched = 0;
	if (v->gs_switched)
		rdmsrq(MSR_KERNEL_GS_BASE, v->kernel_gs_base);

	/* Exits load null selectors. A selector's load changes the base: that comes after it. */
	if (unlikely(v->ldt))
		asm volatile("lldt %0" : : "rm" (v->ldt));
	if (unlikely(v->ds | v->es)) {
		loadsegment(ds, v->ds);
		loadsegment(es, v->es);
	}
	if (unlikely(v->fs)) {
		loadsegment(fs, v->fs);
		wrmsrq(MSR_FS_BASE, v->fs_base);
	}
	if (unlikely(v->gs))
		load_gs_index(v->gs);
	if (v->gs_switched || v->gs)
		wrmsrq(MSR_KERNEL_GS_BASE, v->user_gs_base);
	v->gs_switched = false;

	/* Exits also set the limits of the GDT and of the TSS, which end its I/O bitmap. */
	native_store_gdt(&gdt);
	gdt.size = GDT_SIZE - 1;
	native_load_gdt(&gdt);
	invalidate_tss_limit();
}

void vmx_vcpu_put(struct hvm_vcpu *vcpu)
{
	struct vmx_vcpu *v = to_vmx(vcpu);
	unsigned long flags;

	if (!v->switched)
		return;
	local_irq_save(flags);
	switch_to_host(v);
	local_irq_restore(flags);
}

/* The guest's value of something that was switched has changed: take it all anew at the next run(). */
static void switch_again(struct vmx_vcpu *v)
{
	preempt_disable();
	vmx_vcpu_put(v->vcpu);
	preempt_enable();
}

/* ---- windows and shadows ---- */

static void set_bits(u32 *word, u32 bits, bool on)
{
	*word = on ? *word | bits : *word & ~bits;
}

static void vmx_set_windows(struct hvm_vcpu *vcpu)
{
	struct vmx_vcpu *v = to_vmx(vcpu);

	set_bits(&v->proc, PROC_IRQ_WINDOW, vcpu->windows & HVM_WINDOW_IRQ);
	set_bits(&v->proc, PROC_NMI_WINDOW, vcpu->windows & HVM_WINDOW_NMI);
	/* With virtual interrupts there is no threshold, and mostly no window. */
	if (!vcpu->virtual_irq || v->proc != v->hw_proc)
		v->dirty |= ITEM_CONTROLS;
	v->dirty |= ITEM_IRQ_STATUS;
}

u32 vmx_get_shadow(struct hvm_vcpu *vcpu)
{
	struct vmx_vcpu *v = to_vmx(vcpu);
	u32 shadow;

	vmx_fetch(v, ITEM_SHADOW);
	shadow = v->shadow & (HVM_SHADOW_STI | HVM_SHADOW_MOV_SS);
	return shadow | (v->shadow & BLOCKED_BY_NMI ? HVM_SHADOW_NMI : 0);
}
static_assert(HVM_SHADOW_STI == BLOCKED_BY_STI && HVM_SHADOW_MOV_SS == BLOCKED_BY_MOV_SS);

void vmx_end_shadow(struct hvm_vcpu *vcpu)
{
	struct vmx_vcpu *v = to_vmx(vcpu);

	vmx_fetch(v, ITEM_SHADOW);
	if (likely(!(v->shadow & (BLOCKED_BY_STI | BLOCKED_BY_MOV_SS))))
		return;
	v->shadow &= ~(BLOCKED_BY_STI | BLOCKED_BY_MOV_SS);
	v->dirty |= ITEM_SHADOW;
}

void vmx_set_shadow(struct hvm_vcpu *vcpu, u32 shadow)
{
	struct vmx_vcpu *v = to_vmx(vcpu);

	v->shadow = shadow & (HVM_SHADOW_STI | HVM_SHADOW_MOV_SS);
	if (shadow & HVM_SHADOW_NMI)
		v->shadow |= BLOCKED_BY_NMI;
	v->have |= ITEM_SHADOW;
	v->dirty |= ITEM_SHADOW;
}

/* ---- segments ---- */

static void vmx_get_seg(struct hvm_vcpu *vcpu, enum hvm_seg seg, struct hvm_segment *out)
{
	struct vmx_vcpu *v = to_vmx(vcpu);
	const struct vmx_seg *s = &v->seg[seg];
	u32 r;

	vmx_fetch(v, BIT(seg));
	r = s->rights;
	*out = (struct hvm_segment) {
		.base = s->base, .limit = s->limit, .selector = s->selector,
		.type = r & 15, .s = r >> 4 & 1, .dpl = r >> 5 & 3,
		.avl = r >> 12 & 1, .l = r >> 13 & 1, .db = r >> 14 & 1, .g = r >> 15 & 1,
		.unusable = r >> 16 & 1, .present = !(r >> 16 & 1),
	};
}

/* Rights alone: half of the exits that ask for a mode need nothing else of the segments. */
static __always_inline u32 rights_of(struct vmx_vcpu *v, int seg)
{
	if (v->have & BIT(seg))
		return v->seg[seg].rights;
	if (likely(v->held))
		return vmread(VMCS_GUEST_ES_RIGHTS + 2 * seg);
	vmx_fetch(v, ITEM_RIGHTS);
	return v->rights[seg == HVM_SEG_SS];
}

enum hvm_cpu_mode vmx_get_mode(struct hvm_vcpu *vcpu)
{
	struct vmx_vcpu *v = to_vmx(vcpu);
	u32 rights;

	/* PE is not the guest's to change without an exit: the cache has it. */
	if (!(v->cr0 & X86_CR0_PE))
		return HVM_CPU_REAL;
	if (vcpu->rflags & X86_EFLAGS_VM)
		return HVM_CPU_VM86;
	rights = rights_of(v, HVM_SEG_CS);
	if (rights & RIGHTS_L && hvm_long_mode(vcpu))
		return HVM_CPU_LONG64;
	return rights & RIGHTS_DB ? HVM_CPU_PROT32 : HVM_CPU_PROT16;
}

int vmx_get_cpl(struct hvm_vcpu *vcpu)
{
	struct vmx_vcpu *v = to_vmx(vcpu);

	return v->cr0 & X86_CR0_PE ? rights_of(v, HVM_SEG_SS) >> 5 & 3 : 0;
}

static u32 seg_rights(enum hvm_seg seg, const struct hvm_segment *in)
{
	u32 r = in->type | in->s << 4 | in->dpl << 5 | RIGHTS_PRESENT | in->avl << 12 |
		in->l << 13 | in->db << 14 | in->g << 15;

	/* CS and TR always count; a null segment of another kind is not to be used. */
	if (seg != HVM_SEG_CS && seg != HVM_SEG_TR && (in->unusable || !in->present))
		r |= RIGHTS_UNUSABLE;
	if (seg == HVM_SEG_TR)
		r |= RIGHTS_BUSY;
	else if (seg != HVM_SEG_LDTR)
		r |= RIGHTS_ACCESSED;
	/* Where the limit is only possible with one granularity, it has that one. */
	if ((in->limit & 0xfff) != 0xfff)
		r &= ~(1U << 15);
	else if (in->limit >> 20)
		r |= 1U << 15;
	return r;
}

static void vmx_set_seg(struct hvm_vcpu *vcpu, enum hvm_seg seg, const struct hvm_segment *in)
{
	struct vmx_vcpu *v = to_vmx(vcpu);

	v->seg[seg] = (struct vmx_seg) {
		.base = in->base, .limit = in->limit, .selector = in->selector,
		.rights = seg_rights(seg, in),
	};
	if (seg == HVM_SEG_GDTR || seg == HVM_SEG_IDTR)
		v->seg[seg].limit &= 0xffff;
	v->have |= BIT(seg);
	v->dirty |= BIT(seg);
}

/* ---- control registers ---- */

u64 vmx_get_cr(struct hvm_vcpu *vcpu, int cr)
{
	struct vmx_vcpu *v = to_vmx(vcpu);

	switch (cr) {
	case 0:
		vmx_fetch(v, ITEM_CR0);
		return v->cr0;
	case 2:
		return v->cr2;
	case 3:
		vmx_fetch(v, ITEM_CR3);
		return v->cr3;
	}
	vmx_fetch(v, ITEM_CR4);
	return v->cr4;
}

/*
 * Entries load the four PDPTEs of PAE paging from the VMCS. One with reserved
 * bits would fail the entry, where MOV to CR3 would have faulted: the guest
 * finds it not present instead.
 */
static void set_pdptes(struct vmx_vcpu *v, const u64 pdpte[4])
{
	u64 reserved = GENMASK_ULL(63, v->vcpu->maxphyaddr) | GENMASK_ULL(8, 5) | GENMASK_ULL(2, 1);
	int i;

	for (i = 0; i < ARRAY_SIZE(v->pdpte); i++)
		v->pdpte[i] = pdpte[i] & 1 && !(pdpte[i] & reserved) ? pdpte[i] : 0;
	v->dirty |= ITEM_PDPTES;
}

static void load_pdptes(struct vmx_vcpu *v)
{
	u64 pdpte[4] = {};

	vmx_fetch(v, ITEM_CR0 | ITEM_CR3 | ITEM_CR4);
	if (!(v->cr0 & X86_CR0_PG) || !(v->cr4 & X86_CR4_PAE) || v->vcpu->efer & EFER_LMA)
		return;
	hvm_read_gpa(v->vcpu->vm, v->cr3 & GENMASK_ULL(31, 5), pdpte, sizeof(pdpte));
	set_pdptes(v, pdpte);
}

static void set_efer(struct vmx_vcpu *v)
{
	/* LMA decides about the entry's mode, TR's type, KERNEL_GS_BASE. */
	vmx_fetch(v, BIT(HVM_SEG_TR));
	v->dirty |= ITEM_EFER | BIT(HVM_SEG_TR);
	vmx_update_msr_bitmap(v->vcpu);
	switch_again(v);
}

static void vmx_set_cr(struct hvm_vcpu *vcpu, int cr, u64 val)
{
	struct vmx_vcpu *v = to_vmx(vcpu);

	switch (cr) {
	case 0:
		v->cr0 = val;
		v->have |= ITEM_CR0;
		v->dirty |= ITEM_CR0;
		break;
	case 2:
		v->cr2 = val;
		return;
	case 3:
		v->cr3 = val;
		v->have |= ITEM_CR3;
		v->dirty |= ITEM_CR3;
		break;
	case 4:
		v->cr4 = val;
		v->cr4_owned = CR4_OWNABLE & ~vcpu->cr4_reserved;
		v->have |= ITEM_CR4;
		v->dirty |= ITEM_CR4;
		break;
	case HVM_CR_EFER:
		set_efer(v);
		return;
	case HVM_CR_PDPTR:
		set_pdptes(v, vcpu->pdptr);
		return;
	}
	load_pdptes(v);
}

/* ---- MSRs ---- */

static u64 *switched_value(struct vmx_vcpu *v, u32 msr)
{
	switch (msr) {
	case MSR_STAR:
		return &v->msr[SWITCH_STAR];
	case MSR_LSTAR:
		return &v->msr[SWITCH_LSTAR];
	case MSR_SYSCALL_MASK:
		return &v->msr[SWITCH_SFMASK];
	case MSR_CSTAR:		/* Intel's SYSCALL has no use for it: only kept */
		return &v->cstar;
	case MSR_KERNEL_GS_BASE:
		return &v->kernel_gs_base;
	case MSR_TSC_AUX:
		return &v->vcpu->tsc_aux;
	}
	return NULL;
}

/* MSRs that live in the VMCS; *item is what they belong to. */
static u64 *cached_value(struct vmx_vcpu *v, u32 msr, u32 *item)
{
	*item = ITEM_SYSENTER;
	switch (msr) {
	case MSR_IA32_SYSENTER_CS:
		return &v->sysenter[0];
	case MSR_IA32_SYSENTER_ESP:
		return &v->sysenter[1];
	case MSR_IA32_SYSENTER_EIP:
		return &v->sysenter[2];
	case MSR_FS_BASE:
		*item = BIT(HVM_SEG_FS);
		return &v->seg[HVM_SEG_FS].base;
	case MSR_GS_BASE:
		*item = BIT(HVM_SEG_GS);
		return &v->seg[HVM_SEG_GS].base;
	case MSR_IA32_CR_PAT:
		*item = ITEM_PAT;
		return &v->pat;
	}
	return NULL;
}

static int vmx_get_msr(struct hvm_vcpu *vcpu, u32 msr, u64 *val)
{
	struct vmx_vcpu *v = to_vmx(vcpu);
	u64 *p;
	u32 item;

	p = cached_value(v, msr, &item);
	if (p) {
		vmx_fetch(v, item & ITEMS_READ);
		*val = *p;
		return 0;
	}
	p = switched_value(v, msr);
	if (!p || msr == MSR_TSC_AUX)
		return -ENOENT;
	if (msr == MSR_KERNEL_GS_BASE)
		switch_again(v);
	*val = *p;
	return 0;
}

static int vmx_set_msr(struct hvm_vcpu *vcpu, u32 msr, u64 val)
{
	struct vmx_vcpu *v = to_vmx(vcpu);
	u64 *p;
	u32 item;

	p = cached_value(v, msr, &item);
	if (p) {
		vmx_fetch(v, item & ITEMS_READ);
		*p = val;
		v->dirty |= item;
		return 0;
	}
	if (msr == MSR_IA32_SPEC_CTRL) {
		/* A guest that uses it will write it often: from now on without exits. */
		if (val && !v->spec_direct) {
			v->spec_direct = true;
			vmx_update_msr_bitmap(vcpu);
		}
		return 0;
	}
	p = switched_value(v, msr);
	if (!p)
		return -ENOENT;
	switch_again(v);
	*p = val;
	return 0;
}

/* vmx_prepare() compares: this may be called while the thread is being switched in. */
static void vmx_set_tsc(struct hvm_vcpu *vcpu)
{
}

static void vmx_update_traps(struct hvm_vcpu *vcpu, u32 why)
{
	struct vmx_vcpu *v = to_vmx(vcpu);

	if (why & HVM_TRAPS_DEBUG) {
		set_bits(&v->exceptions, BIT(3), vcpu->guest_debug & HVM_GUESTDBG_USE_SW_BP);
		v->dirty |= ITEM_DR7 | ITEM_CONTROLS;
	}
	if (why & HVM_TRAPS_CPUID) {
		if (vmx_caps.proc2 & PROC2_RDTSCP)
			set_bits(&v->proc2, PROC2_RDTSCP,
				 hvm_guest_has(vcpu, X86_FEATURE_RDTSCP) ||
				 hvm_guest_has(vcpu, X86_FEATURE_RDPID));
		if (vmx_caps.proc2 & PROC2_INVPCID)
			set_bits(&v->proc2, PROC2_INVPCID,
				 hvm_guest_has(vcpu, X86_FEATURE_INVPCID));
		/* CR4 bits the guest's CPUID does not have must exit to be refused. */
		vmx_fetch(v, ITEM_CR4);
		v->cr4_owned = CR4_OWNABLE & ~vcpu->cr4_reserved;
		v->dirty |= ITEM_CR4 | ITEM_CONTROLS;
		switch_again(v);
	}
	if (why & HVM_TRAPS_EOI)
		v->dirty |= ITEM_CONTROLS;
	if (why & (HVM_TRAPS_MSR | HVM_TRAPS_CPUID | HVM_TRAPS_DEBUG)) {
		if (vcpu->apic && v->proc & PROC_TPR_SHADOW)
			v->vtpr = (u8 *)hvm_lapic_page(vcpu) + 0x80;
		vmx_update_msr_bitmap(vcpu);
	}
}

struct hvm_backend hvm_vmx_backend __ro_after_init = {
	.name		= "VT-x",
	.s2_format	= &hvm_ept_format,
	.hypercall	= { 0x0f, 0x01, 0xc1 },
	.tsc_scaling_bits = 48,
	.setup		= vmx_setup,
	.teardown	= vmx_teardown,
	.cpu_enable	= vmx_cpu_enable,
	.cpu_disable	= vmx_cpu_disable,
	.vcpu_create	= vmx_vcpu_create,
	.vcpu_destroy	= vmx_vcpu_destroy,
	.set_windows	= vmx_set_windows,
	.get_seg	= vmx_get_seg,
	.set_seg	= vmx_set_seg,
	.set_cr		= vmx_set_cr,
	.get_msr	= vmx_get_msr,
	.set_msr	= vmx_set_msr,
	.set_tsc	= vmx_set_tsc,
	.update_traps	= vmx_update_traps,
};
