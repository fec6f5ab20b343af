// SPDX-License-Identifier: GPL-2.0-only
/*
 * exits.c - the inner run loop of VT-x, and what ended an entry
 *
 * vmx_run() holds VMX (cpu.c), enters, and enters again after each exit that
 * fast_exit() could finish; every other exit describe_exit() puts into the words
 * of enum hvm_x. A host interrupt is taken with interrupts enabled for a moment,
 * outside vmx_hold(): where VMX is not kept on, nobody may see it then.
 *
 * RIP and RFLAGS are read after each exit, RSP only on the way out, and each is
 * written only if it is no longer what the VMCS has.
 *
 * Locks: none; interrupts are off throughout. See vmx.h.
 */
#include <asm/nospec-branch.h>
#include "vmx/vmx.h"

/* Exits that may cut an event's delivery short (SDM 3 28.2.4). */
#define VECTORING_EXITS	(BIT_ULL(REASON_EXCEPTION) | BIT_ULL(REASON_TASK_SWITCH) |	\
			 BIT_ULL(REASON_APIC_ACCESS) | BIT_ULL(REASON_EPT_VIOLATION) |	\
			 BIT_ULL(REASON_EPT_MISCONFIG) | BIT_ULL(REASON_PML_FULL))

/* Exits between instructions: a trap of the one before may wait. With all others none can. */
#define BOUNDARY_EXITS	(BIT_ULL(REASON_INTERRUPT) | BIT_ULL(REASON_TRIPLE_FAULT) |	\
			 BIT_ULL(REASON_IRQ_WINDOW) | BIT_ULL(REASON_NMI_WINDOW) |	\
			 BIT_ULL(REASON_TPR_BELOW) | BIT_ULL(REASON_APIC_WRITE) |	\
			 BIT_ULL(REASON_EOI_INDUCED) | BIT_ULL(REASON_PREEMPTION_TIMER))

/* Instructions that fast_exit() may finish. */
#define FAST_EXITS	(BIT_ULL(REASON_WRMSR) | BIT_ULL(REASON_RDMSR) | BIT_ULL(REASON_IO) |	\
			 BIT_ULL(REASON_EPT_VIOLATION) | BIT_ULL(REASON_CPUID) | BIT_ULL(REASON_VMCALL))

#define MAX_FAST_EXITS	1024	/* in a row, before the host gets a moment for its interrupts */

#define IO_SIZE(qual)	(((qual) & 7) + 1)
#define IO_IN		BIT(3)
#define IO_STRING	BIT(4)

enum verdict {
	AGAIN,			/* finished: enter again */
	DESCRIBE,		/* for the common code */
	DESCRIBED,		/* likewise, and vcpu->exit is right already */
	LEAVE,			/* finished, but somebody wants the vCPU */
	HOST_INTERRUPT,
};

/* ---- entering ---- */

static bool has_error_code(u8 vector)
{
	return vector < 32 && BIT(vector) & (BIT(8) | GENMASK(14, 10) | BIT(17));
}

/* Hand vcpu->inj to the processor, in a form that VM entry accepts (SDM 3 27.2.1.3). */
static void write_event(struct hvm_vcpu *vcpu, struct vmx_vcpu *v)
{
	u32 info = vcpu->inj & (HVM_INJ_VALID | HVM_INJ_TYPE | HVM_INJ_VECTOR);
	u32 type = info & HVM_INJ_TYPE, shadow;

	if (type == HVM_INJ_EXC) {
		if (has_error_code(info & HVM_INJ_VECTOR) && v->cr0 & X86_CR0_PE) {
			info |= HVM_INJ_HAS_ERR;
			vmwrite(VMCS_ENTRY_ERROR_CODE, vcpu->inj >> 32 & 0xffff);
		}
	} else if (type == HVM_INJ_SOFT) {
		vmwrite(VMCS_ENTRY_INSN_LEN, vcpu->inj_len);
	} else {
		/* Whoever chose to deliver it saw nothing that blocks; an NMI blocks as it is delivered. */
		vmx_fetch(v, ITEM_SHADOW);
		shadow = v->shadow & ~(BLOCKED_BY_STI | BLOCKED_BY_MOV_SS);
		if (type == HVM_INJ_NMI)
			shadow &= ~BLOCKED_BY_NMI;
		if (shadow != v->shadow) {
			v->shadow = shadow;
			vmwrite(VMCS_GUEST_INTERRUPTIBILITY, shadow);
		}
	}
	/* A guest may be halted only where HLT does not exit: few events would be accepted then. */
	if (unlikely(!(v->proc & PROC_HLT)))
		vmwrite(VMCS_GUEST_ACTIVITY, 0);
	vmwrite(VMCS_ENTRY_INTR_INFO, info);
}

static void write_registers(struct hvm_vcpu *vcpu, struct vmx_vcpu *v)
{
	if (vcpu->rip != v->rip) {
		v->rip = vcpu->rip;
		vmwrite(VMCS_GUEST_RIP, v->rip);
	}
	if (vcpu->gpr[HVM_RSP] != v->rsp) {
		v->rsp = vcpu->gpr[HVM_RSP];
		vmwrite(VMCS_GUEST_RSP, v->rsp);
	}
	if (unlikely(vcpu->rflags != v->rflags)) {
		v->rflags = vcpu->rflags;
		vmwrite(VMCS_GUEST_RFLAGS, v->rflags);
		/* IF and TF have to suit an interrupt shadow. */
		vmx_fetch(v, ITEM_SHADOW);
		if (v->shadow & (BLOCKED_BY_STI | BLOCKED_BY_MOV_SS))
			v->dirty |= ITEM_SHADOW;
	}
	if (v->cr2 != read_cr2())
		write_cr2(v->cr2);
}

/*
 * An event whose delivery was cut short. INT n, INT1, INT3 and INTO run again by
 * themselves (RIP still points at them); the rest is delivered at the next entry.
 */
static u64 undelivered(void)
{
	u32 info = vmread(VMCS_IDT_VECTORING_INFO);
	u32 type = info & HVM_INJ_TYPE;
	u64 inj = info & (HVM_INJ_VALID | HVM_INJ_TYPE | HVM_INJ_HAS_ERR | HVM_INJ_VECTOR);

	if (!(info & HVM_INJ_VALID) || type > HVM_INJ_EXC)
		return 0;
	if (info & HVM_INJ_HAS_ERR)
		inj |= vmread(VMCS_IDT_VECTORING_ERROR) << 32;
	return inj;
}

/*
 * Single-stepping: the instruction that exited has not completed, so its trap
 * is not due, but not every model of a processor leaves it out of the VMCS.
 */
static void drop_single_step(struct vmx_vcpu *v)
{
	u64 pending = vmread(VMCS_GUEST_PENDING_DEBUG);

	if (!(pending & PENDING_DEBUG_BS))
		return;
	vmx_fetch(v, ITEM_SHADOW);
	if (!(v->shadow & (BLOCKED_BY_STI | BLOCKED_BY_MOV_SS)))
		vmwrite(VMCS_GUEST_PENDING_DEBUG, pending & ~PENDING_DEBUG_BS);
}

static void failed_entry(struct hvm_vcpu *vcpu, u64 reason)
{
	vcpu->exit.code = HVM_X_FAIL_ENTRY;
	vcpu->exit.hw_reason = reason;
	/* What was to be injected stays in vcpu->inj. */
	vmwrite(VMCS_ENTRY_INTR_INFO, 0);
}

/* True: the guest ran, v->reason says what ended it. */
static bool enter_once(struct hvm_vcpu *vcpu, struct vmx_vcpu *v)
{
	int r;

	write_registers(vcpu, v);
	if (unlikely(v->dirty))
		vmx_flush(v);
	if (unlikely(vcpu->inj))
		write_event(vcpu, v);
	if (unlikely(vcpu->tlb_flush))
		vmx_invalidate(v);
	/* Entry checks that the threshold is not above the TPR, which somebody may have lowered. */
	if (unlikely(v->threshold) && v->threshold > *v->vtpr >> 4) {
		v->threshold = *v->vtpr >> 4;
		vmwrite(VMCS_TPR_THRESHOLD, v->threshold);
	}

	r = vmx_enter(vcpu, &v->args);
	v->cr2 = read_cr2();
	if (unlikely(r)) {
		failed_entry(vcpu, r == 1 ? vmread(VMCS_INSTRUCTION_ERROR) : ~0ULL);
		return false;
	}
	v->reason = vmread(VMCS_EXIT_REASON);
	if (unlikely(v->reason & REASON_FAILED_ENTRY)) {
		failed_entry(vcpu, v->reason);
		return false;
	}
	v->args.flags |= ENTER_RESUME;
	v->have = 0;
	v->rip = vcpu->rip = vmread(VMCS_GUEST_RIP);
	v->rflags = vcpu->rflags = vmread(VMCS_GUEST_RFLAGS);
	vcpu->tlb_flush = false;
	vcpu->inj = 0;
	if (v->reason < 64 && BIT_ULL(v->reason) & VECTORING_EXITS)
		vcpu->inj = undelivered();
	if (unlikely(v->rflags & X86_EFLAGS_TF) && v->reason < 64 &&
	    !(BIT_ULL(v->reason) & BOUNDARY_EXITS))
		drop_single_step(v);
	if (v->vtpr)
		vcpu->cr8 = *v->vtpr >> 4;
	return true;
}

/* ---- exits ---- */

static void set_exit(struct hvm_vcpu *vcpu, enum hvm_x code)
{
	vcpu->exit.code = code;
	vcpu->exit.insn_len = 0;
	vcpu->exit.insn_bytes_valid = false;
}

static void set_exit_len(struct hvm_vcpu *vcpu, enum hvm_x code)
{
	set_exit(vcpu, code);
	vcpu->exit.insn_len = vmread(VMCS_EXIT_INSN_LEN);
}

static void pio_exit(struct hvm_vcpu *vcpu)
{
	u32 qual = vmread(VMCS_EXIT_QUALIFICATION);

	set_exit_len(vcpu, HVM_X_PIO);
	vcpu->exit.pio.port = qual >> 16;
	vcpu->exit.pio.size = IO_SIZE(qual);
	vcpu->exit.pio.in = qual & IO_IN;
	vcpu->exit.pio.string = qual & IO_STRING;
}

/* NMIs were unblocked by the IRET that faulted: they still are blocked. */
static void block_nmi(struct hvm_vcpu *vcpu, struct vmx_vcpu *v)
{
	if (vcpu->inj)
		return;
	vmx_fetch(v, ITEM_SHADOW);
	v->shadow |= BLOCKED_BY_NMI;
	v->dirty |= ITEM_SHADOW;
}

static void stage2_exit(struct hvm_vcpu *vcpu, struct vmx_vcpu *v)
{
	u32 qual = vmread(VMCS_EXIT_QUALIFICATION);

	set_exit(vcpu, HVM_X_STAGE2);
	vcpu->exit.fault.gpa = vmread(VMCS_GUEST_PHYSICAL_ADDRESS);
	vcpu->exit.fault.access = qual & 2 ? HVM_ACCESS_WRITE :
				  qual & 4 ? HVM_ACCESS_EXEC : HVM_ACCESS_READ;
	/* A linear address is known (bit 7), but not its translation was accessed (bit 8). */
	vcpu->exit.fault.table_walk = (qual & (BIT(7) | BIT(8))) == BIT(7);
	if (unlikely(qual & INFO_NMI_UNBLOCKED))
		block_nmi(vcpu, v);
}

/* Empty the page-modification log into the slots' bitmaps. */
static void drain_pml(struct hvm_vcpu *vcpu, struct vmx_vcpu *v)
{
	u16 i = vmread(VMCS_GUEST_PML_INDEX) + 1;

	if (i == PML_ENTRIES)
		return;
	hvm_mark_dirty_list(vcpu, v->pml + i, PML_ENTRIES - i);
	vmwrite(VMCS_GUEST_PML_INDEX, PML_ENTRIES - 1);
}

static void cr_exit(struct hvm_vcpu *vcpu)
{
	static const u8 ops[] = { HVM_CROP_WRITE, HVM_CROP_READ, HVM_CROP_CLTS, HVM_CROP_LMSW };
	u32 qual = vmread(VMCS_EXIT_QUALIFICATION);

	set_exit_len(vcpu, HVM_X_CR);
	vcpu->exit.cr.op = ops[qual >> 4 & 3];
	vcpu->exit.cr.nr = qual & 0x20 ? 0 : qual & 15;
	vcpu->exit.cr.gpr = qual >> 8 & 15;
	vcpu->exit.cr.lmsw = qual >> 16;
}

static void dr_exit(struct hvm_vcpu *vcpu)
{
	u32 qual = vmread(VMCS_EXIT_QUALIFICATION);

	set_exit_len(vcpu, HVM_X_DR);
	vcpu->exit.cr.op = qual & 0x10 ? HVM_CROP_READ : HVM_CROP_WRITE;
	vcpu->exit.cr.nr = qual & 7;
	vcpu->exit.cr.gpr = qual >> 8 & 15;
}

static void exception_exit(struct hvm_vcpu *vcpu, struct vmx_vcpu *v)
{
	u32 info = vmread(VMCS_EXIT_INTR_INFO);

	set_exit(vcpu, HVM_X_EXCEPTION);
	vcpu->exit.vector = info & HVM_INJ_VECTOR;
	vcpu->exit.has_error_code = info & HVM_INJ_HAS_ERR;
	vcpu->exit.error_code = vmread(VMCS_EXIT_ERROR_CODE);
	vcpu->exit.qual = vmread(VMCS_EXIT_QUALIFICATION);
	if (vcpu->exit.vector == 3)
		vcpu->exit.insn_len = vmread(VMCS_EXIT_INSN_LEN);
	if (unlikely(info & INFO_NMI_UNBLOCKED) && vcpu->exit.vector != 8)
		block_nmi(vcpu, v);
}

/* Everything that goes to the common code. */
static void describe_exit(struct hvm_vcpu *vcpu, struct vmx_vcpu *v)
{
	switch (v->reason) {
	case REASON_EPT_VIOLATION:
		return stage2_exit(vcpu, v);
	case REASON_IO:
		return pio_exit(vcpu);
	case REASON_HLT:
		return set_exit_len(vcpu, HVM_X_HLT);
	case REASON_RDMSR:
		return set_exit_len(vcpu, HVM_X_RDMSR);
	case REASON_WRMSR:
		return set_exit_len(vcpu, HVM_X_WRMSR);
	case REASON_CPUID:
		return set_exit_len(vcpu, HVM_X_CPUID);
	case REASON_VMCALL:
		return set_exit_len(vcpu, HVM_X_HYPERCALL);
	case REASON_IRQ_WINDOW:
		return set_exit(vcpu, HVM_X_IRQ_WINDOW);
	case REASON_NMI_WINDOW:
		return set_exit(vcpu, HVM_X_NMI_WINDOW);
	case REASON_TPR_BELOW:
		return set_exit(vcpu, HVM_X_CR8_BELOW);
	case REASON_CR:
		return cr_exit(vcpu);
	case REASON_DR:
		return dr_exit(vcpu);
	case REASON_EXCEPTION:
		return exception_exit(vcpu, v);
	case REASON_XSETBV:
		return set_exit_len(vcpu, HVM_X_XSETBV);
	case REASON_PAUSE:
		return set_exit_len(vcpu, HVM_X_PAUSE);
	case REASON_INVD:
	case REASON_WBINVD:
		return set_exit_len(vcpu, HVM_X_INVD);
	case REASON_RDPMC:
		return set_exit_len(vcpu, HVM_X_RDPMC);
	case REASON_MWAIT:
	case REASON_MONITOR:
		return set_exit_len(vcpu, HVM_X_MONITOR);
	case REASON_RSM:
	case REASON_VMCLEAR ... REASON_VMXON:
	case REASON_INVEPT:
	case REASON_INVVPID:
	case REASON_VMFUNC:
	case REASON_ENCLS:
	case REASON_PCONFIG:
		return set_exit(vcpu, HVM_X_UD);
	case REASON_TRIPLE_FAULT:
		return set_exit(vcpu, HVM_X_SHUTDOWN);
	case REASON_TASK_SWITCH:
		return set_exit(vcpu, HVM_X_TASK_SWITCH);
	}
	set_exit(vcpu, HVM_X_UNKNOWN);
	vcpu->exit.hw_reason = v->reason;
}

/* RIP behind the instruction, and with it the end of an interrupt shadow. */
static void fast_skip(struct hvm_vcpu *vcpu, u32 len)
{
	u64 rip = vcpu->rip + len;
	u32 shadow = vmread(VMCS_GUEST_INTERRUPTIBILITY);

	if (unlikely((rip ^ vcpu->rip) >> 32)) {
		hvm_forget_mode(vcpu);
		if (hvm_cpu_mode(vcpu) != HVM_CPU_LONG64)
			rip = (u32)rip;
	}
	vcpu->rip = rip;
	if (unlikely(shadow & (BLOCKED_BY_STI | BLOCKED_BY_MOV_SS)))
		vmwrite(VMCS_GUEST_INTERRUPTIBILITY,
			shadow & ~(BLOCKED_BY_STI | BLOCKED_BY_MOV_SS));
}

/* NMIs and machine checks are the host's: raised again where its handlers run. */
static enum verdict host_exception(void)
{
	u32 info = vmread(VMCS_EXIT_INTR_INFO);

	if ((info & HVM_INJ_TYPE) == HVM_INJ_NMI) {
		asm volatile("int $2" : : : "memory");
		return AGAIN;
	}
	if ((info & HVM_INJ_VECTOR) == 18) {
		asm volatile("int $18" : : : "memory");
		return LEAVE;
	}
	return DESCRIBE;
}

/* Those that are not by an instruction which could end here. */
static enum verdict other_exit(struct hvm_vcpu *vcpu, struct vmx_vcpu *v)
{
	switch (v->reason) {
	case REASON_PREEMPTION_TIMER:
		vmwrite(VMCS_PREEMPTION_TIMER, vmx_caps.timer);
		fallthrough;
	case REASON_INTERRUPT:
		return HOST_INTERRUPT;
	case REASON_EXCEPTION:
		return host_exception();
	case REASON_PML_FULL:
		if (vmread(VMCS_EXIT_QUALIFICATION) & INFO_NMI_UNBLOCKED)
			block_nmi(vcpu, v);
		drain_pml(vcpu, v);
		/* A dirty ring may be full. */
		return READ_ONCE(vcpu->requests) ? LEAVE : AGAIN;
	case REASON_EOI_INDUCED:
		hvm_lapic_eoi_induced(vcpu, vmread(VMCS_EXIT_QUALIFICATION));
		fallthrough;
	case REASON_APIC_WRITE:
		/* After the instruction. The only such write is a self-IPI of an illegal vector. */
		return READ_ONCE(vcpu->requests) && !hvm_fast_event(vcpu) ? LEAVE : AGAIN;
	}
	return DESCRIBE;
}

/* Exits that end here, hottest first. */
static enum verdict fast_exit(struct hvm_vcpu *vcpu, struct vmx_vcpu *v)
{
	u32 reason = v->reason;
	enum hvm_fast r;

	if (reason >= 64 || !(BIT_ULL(reason) & FAST_EXITS))
		return other_exit(vcpu, v);
	/* A single step must be seen after the instruction, by the common code. */
	if (unlikely(vcpu->rflags & X86_EFLAGS_TF))
		return DESCRIBE;
	if (reason == REASON_WRMSR) {
		if (!hvm_fast_wrmsr(vcpu))
			return DESCRIBE;
	} else if (reason == REASON_IO) {
		pio_exit(vcpu);
		if (!hvm_ioeventfd_any(vcpu->vm, false) || !hvm_fast_bell(vcpu)) {
			r = hvm_fast_pio(vcpu);
			if (r == HVM_FAST_USER)
				vcpu->exit.code = HVM_X_USER;
			if (r != HVM_FAST_DONE)
				return DESCRIBED;
			goto done;
		}
	} else if (reason == REASON_EPT_VIOLATION) {
		/* The processor tells no length here: the decoder does. */
		stage2_exit(vcpu, v);
		r = hvm_fast_mmio(vcpu, vcpu->exit.fault.gpa, vcpu->exit.fault.access);
		if (r == HVM_FAST_SLOW)
			return DESCRIBED;
		if (r == HVM_FAST_USER) {
			vcpu->exit.code = HVM_X_USER;
			if (vcpu->exit.insn_len)
				fast_skip(vcpu, vcpu->exit.insn_len);
			return DESCRIBED;
		}
	} else if (reason == REASON_CPUID) {
		hvm_fast_cpuid(vcpu);
	} else if (reason == REASON_RDMSR) {
		if (!hvm_fast_rdmsr(vcpu))
			return DESCRIBE;
	} else if (!hvm_fast_hypercall(vcpu)) {
		return DESCRIBE;
	}
	if (reason != REASON_EPT_VIOLATION && reason != REASON_IO)
		vcpu->exit.insn_len = vmread(VMCS_EXIT_INSN_LEN);
	fast_skip(vcpu, vcpu->exit.insn_len);
done:
	/* Whoever was woken may want this CPU, and sends it no interrupt for that. */
	if (unlikely(READ_ONCE(vcpu->requests)) && !hvm_fast_event(vcpu))
		return LEAVE;
	return hvm_guest_work_pending() ? LEAVE : AGAIN;
}

/*
 * Until something needs more than this loop. True: a host interrupt waits, or
 * might: see vmx/caps.c on processors that hold it back from the guest.
 */
static bool run_held(struct hvm_vcpu *vcpu, struct vmx_vcpu *v)
{
	int left = MAX_FAST_EXITS;

	for (;;) {
		if (unlikely(!enter_once(vcpu, v)))
			return false;
		switch (fast_exit(vcpu, v)) {
		case AGAIN:
			if (likely(--left)) {
				vcpu->stat[HVM_STAT_EXITS]++;
				continue;
			}
			set_exit(vcpu, HVM_X_NONE);
			return true;
		case DESCRIBE:
			describe_exit(vcpu, v);
			return false;
		case DESCRIBED:
			return false;
		case LEAVE:
			set_exit(vcpu, HVM_X_NONE);
			return false;
		case HOST_INTERRUPT:
			set_exit(vcpu, HVM_X_NONE);
			return true;
		}
	}
}

/* Before a VMCS stops being current: what handlers will ask for. */
static void fetch_for_handlers(struct hvm_vcpu *vcpu, struct vmx_vcpu *v)
{
	switch (vcpu->exit.code) {
	case HVM_X_NONE:
	case HVM_X_FAIL_ENTRY:
		return;
	case HVM_X_CPUID:
	case HVM_X_RDMSR:
	case HVM_X_WRMSR:
	case HVM_X_HLT:
	case HVM_X_IRQ_WINDOW:
		return vmx_fetch(v, ITEM_SHADOW);
	case HVM_X_PIO:
		return vmx_fetch(v, vcpu->exit.pio.string ? ITEMS_READ : ITEM_SHADOW);
	default:
		return vmx_fetch(v, ITEMS_READ);
	}
}

/**
 * vmx_run - enter the guest until something needs the common code
 * @vcpu: loaded on this CPU, interrupts off
 */
void vmx_run(struct hvm_vcpu *vcpu)
{
	struct vmx_vcpu *v = to_vmx(vcpu);
	bool interrupt;

	do {
		if (unlikely(!vmx_hold(v))) {
			set_exit(vcpu, HVM_X_FAIL_ENTRY);
			vcpu->exit.hw_reason = ~0ULL;
			return;
		}
		vmx_prepare(v);
		interrupt = run_held(vcpu, v);
		if (likely(vcpu->exit.code != HVM_X_FAIL_ENTRY))
			v->rsp = vcpu->gpr[HVM_RSP] = vmread(VMCS_GUEST_RSP);
		/* Whoever asks for the log waits for the interrupt that brought us here. */
		if (unlikely(READ_ONCE(vcpu->vm->s2.logged)) && v->pml)
			drain_pml(vcpu, v);
		if (unlikely(v->spec_direct))
			vcpu->spec_ctrl = v->args.guest_spec;
		if (unlikely(v->debugctl))
			wrmsrq(MSR_IA32_DEBUGCTLMSR, v->debugctl);
		if (unlikely(!this_cpu_read(vmx_cpus.owned)))
			fetch_for_handlers(vcpu, v);
		vmx_release(v);
		if (interrupt)
			vcpu->stat[HVM_STAT_EXITS]++;
	} while (interrupt && hvm_host_irq_window(vcpu));
#ifdef X86_FEATURE_IBPB_EXIT_TO_USER
	if (cpu_feature_enabled(X86_FEATURE_IBPB_EXIT_TO_USER))
		this_cpu_write(x86_ibpb_exit_to_user, true);
#endif
}
