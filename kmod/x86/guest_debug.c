// SPDX-License-Identifier: GPL-2.0-only
/*
 * guest_debug.c - debug registers, debug exceptions, and debugging from outside
 *
 * The guest's DR0-DR3, DR6 and DR7 are kept in the vCPU: every MOV to or from
 * them exits, and #DB is always intercepted (a guest can make the processor
 * raise #DB forever while it delivers one). DR6 is only brought up to date when
 * the exception is delivered, see events.c.
 *
 * A debugger in userspace (HVM_SET_GUEST_DEBUG) may set RFLAGS.TF, which
 * state.c then hides, and may put its breakpoints in place of the guest's. The
 * processor gets DR7 through the control block (hvm_effective_dr7()) but shares
 * DR0-DR3 with the host, so they are loaded around entries while any breakpoint
 * is on. Each exit disables the host's breakpoints: hvm_debug_put() turns them
 * on again.
 *
 * Locks: none; all of it belongs to the vCPU's thread (vcpu->mutex).
 */
#include <linux/percpu.h>
#include <linux/string.h>
#include <asm/debugreg.h>
#include "hvm.h"

#define DB		1
#define BP		3
#define UD		6
#define PF		14
#define MC		18
#define DR6_WRITABLE	HVM_DR6_EVENTS
#define DR7_WRITABLE	0xffff23ffULL	/* all but the reserved bits, and RTM */
#define DR6_BD		BIT_ULL(13)

static u64 fix_dr6(u64 val)
{
	return (val & DR6_WRITABLE) | HVM_DR6_INIT;
}

static u64 fix_dr7(u64 val)
{
	return (val & DR7_WRITABLE) | HVM_DR7_INIT;
}

static u64 linear_rip(struct hvm_vcpu *vcpu)
{
	struct hvm_segment cs;

	if (hvm_cpu_mode(vcpu) == HVM_CPU_LONG64)
		return vcpu->rip;
	hvm_backend->get_seg(vcpu, HVM_SEG_CS, &cs);
	return (u32)(cs.base + vcpu->rip);
}

/* ---- DR0-DR3 while a breakpoint is on, the guest's or the host's ---- */

static DEFINE_PER_CPU(unsigned long[4], host_dr);
static DEFINE_PER_CPU(bool, host_dr_saved);

static bool breakpoints_on(struct hvm_vcpu *vcpu)
{
	return hvm_effective_dr7(vcpu) & HVM_DR7_ENABLED;
}

static void write_drs(unsigned long a, unsigned long b, unsigned long c, unsigned long d)
{
	set_debugreg(a, 0);
	set_debugreg(b, 1);
	set_debugreg(c, 2);
	set_debugreg(d, 3);
}

/* Before run(), interrupts off. */
void hvm_debug_load(struct hvm_vcpu *vcpu)
{
	bool theirs = vcpu->guest_debug & HVM_GUESTDBG_USE_HW_BP;
	const u64 *dr = theirs ? vcpu->guest_dr : vcpu->dr;
	unsigned long *host = *this_cpu_ptr(&host_dr);

	if (!breakpoints_on(vcpu))
		return;
	__this_cpu_write(host_dr_saved, hw_breakpoint_active());
	if (__this_cpu_read(host_dr_saved)) {
		/* The host's must not see the guest's addresses. */
		set_debugreg(0UL, 7);
		get_debugreg(host[0], 0);
		get_debugreg(host[1], 1);
		get_debugreg(host[2], 2);
		get_debugreg(host[3], 3);
	}
	write_drs(dr[0], dr[1], dr[2], dr[3]);
}

/* After run(), interrupts still off. The exit left DR7 with everything disabled. */
void hvm_debug_put(struct hvm_vcpu *vcpu)
{
	unsigned long *host = *this_cpu_ptr(&host_dr);

	if (breakpoints_on(vcpu))
		set_debugreg((unsigned long)HVM_DR6_INIT, 6);
	if (!hw_breakpoint_active())
		return;
	/* Not saved: an interrupt during the run has set them, and they are in place. */
	if (breakpoints_on(vcpu) && __this_cpu_read(host_dr_saved))
		write_drs(host[0], host[1], host[2], host[3]);
	set_debugreg(__this_cpu_read(cpu_dr7), 7);
}

/* ---- HVM_SET_GUEST_DEBUG ---- */

static void set_single_step(struct hvm_vcpu *vcpu, u32 old)
{
	if (old & HVM_GUESTDBG_SINGLESTEP)
		vcpu->rflags &= ~(u64)X86_EFLAGS_TF;
	if (vcpu->guest_debug & HVM_GUESTDBG_SINGLESTEP)
		vcpu->rflags |= X86_EFLAGS_TF;
	else
		clear_bit(HVM_REQ_DEBUG_STEP, &vcpu->requests);
}

static int inject(struct hvm_vcpu *vcpu, u32 control)
{
	if (!(control & (HVM_GUESTDBG_INJECT_DB | HVM_GUESTDBG_INJECT_BP)))
		return 0;
	if (vcpu->exception.pending)
		return -EBUSY;
	if (control & HVM_GUESTDBG_INJECT_DB) {
		hvm_queue_exception(vcpu, DB);
	} else {
		/* A trap: the handler is to find RIP behind the INT3 that RIP points at. */
		vcpu->rip++;
		hvm_queue_exception(vcpu, BP);
	}
	return 0;
}

/**
 * hvm_set_guest_debug - HVM_SET_GUEST_DEBUG
 * @vcpu: loaded
 * @d: HVM_GUESTDBG_* and breakpoints
 *
 * Return: 0, -EINVAL (unknown flags), -EBUSY (HVM_GUESTDBG_INJECT_* while
 * another exception waits).
 */
int hvm_set_guest_debug(struct hvm_vcpu *vcpu, const struct hvm_guest_debug *d)
{
	u32 old = vcpu->guest_debug;
	int r;

	if (d->control & ~HVM_GUESTDBG_VALID)
		return -EINVAL;
	r = inject(vcpu, d->control);
	if (r)
		return r;
	vcpu->guest_debug = 0;
	if (d->control & HVM_GUESTDBG_ENABLE)
		vcpu->guest_debug = d->control &
				    ~(HVM_GUESTDBG_INJECT_DB | HVM_GUESTDBG_INJECT_BP);
	if (vcpu->guest_debug & HVM_GUESTDBG_USE_HW_BP) {
		memcpy(vcpu->guest_dr, d->arch.debugreg, sizeof(vcpu->guest_dr));
		vcpu->guest_dr7 = fix_dr7(d->arch.debugreg[7]);
	}
	set_single_step(vcpu, old);
	hvm_backend->update_traps(vcpu, HVM_TRAPS_DEBUG);
	/* Interrupts that HVM_GUESTDBG_BLOCKIRQ kept back may come now. */
	hvm_request_only(vcpu, HVM_REQ_EVENT);
	return 0;
}

/* ---- HVM_GET_DEBUGREGS, HVM_SET_DEBUGREGS ---- */

int hvm_get_debugregs(struct hvm_vcpu *vcpu, struct hvm_debugregs *d)
{
	memset(d, 0, sizeof(*d));
	memcpy(d->db, vcpu->dr, sizeof(d->db));
	d->dr6 = vcpu->dr6;
	d->dr7 = vcpu->dr7;
	return 0;
}

int hvm_set_debugregs(struct hvm_vcpu *vcpu, const struct hvm_debugregs *d)
{
	if (d->flags || d->dr6 >> 32 || d->dr7 >> 32)
		return -EINVAL;
	memcpy(vcpu->dr, d->db, sizeof(vcpu->dr));
	vcpu->dr6 = fix_dr6(d->dr6);
	vcpu->dr7 = fix_dr7(d->dr7);
	hvm_backend->update_traps(vcpu, HVM_TRAPS_DEBUG);
	return 0;
}

/* ---- exits ---- */

static int exit_debug(struct hvm_vcpu *vcpu, u8 vector, u64 dr6)
{
	struct hvm_debug_exit_arch *a = &vcpu->run->debug.arch;

	memset(a, 0, sizeof(*a));
	a->exception = vector;
	a->pc = linear_rip(vcpu);
	if (vector == DB) {
		a->dr6 = dr6 ^ HVM_DR6_INIT;
		a->dr7 = hvm_effective_dr7(vcpu);
		/* The instruction may have cleared it (POPF, SYSCALL); the debugger goes on stepping. */
		if (vcpu->guest_debug & HVM_GUESTDBG_SINGLESTEP)
			vcpu->rflags |= X86_EFLAGS_TF;
	}
	vcpu->run->exit_reason = HVM_EXIT_DEBUG;
	return 0;
}

/* HVM_REQ_DEBUG_STEP: the host carried out the instruction that was to be stepped over. */
int hvm_debug_stepped(struct hvm_vcpu *vcpu)
{
	return exit_debug(vcpu, DB, DR_STEP);
}

int hvm_handle_exception(struct hvm_vcpu *vcpu)
{
	struct hvm_exit_info *x = &vcpu->exit;

	switch (x->vector) {
	case DB:
		if (vcpu->guest_debug & (HVM_GUESTDBG_SINGLESTEP | HVM_GUESTDBG_USE_HW_BP))
			return exit_debug(vcpu, DB, x->qual);
		hvm_queue_exception_payload(vcpu, DB, false, 0, x->qual);
		return 1;
	case BP:
		if (vcpu->guest_debug & HVM_GUESTDBG_USE_SW_BP)
			return exit_debug(vcpu, BP, 0);
		vcpu->rip += x->insn_len;
		hvm_queue_exception(vcpu, BP);
		return 1;
	case UD:
		if (hvm_fix_hypercall(vcpu, linear_rip(vcpu)))
			return 1;
		break;
	case PF:
		hvm_inject_pf(vcpu, x->qual, x->error_code);
		return 1;
	case MC:
		return 1;		/* the host's, and handled: see the backend */
	}
	if (x->has_error_code)
		hvm_queue_exception_err(vcpu, x->vector, x->error_code);
	else
		hvm_queue_exception(vcpu, x->vector);
	return 1;
}

static u64 read_dr(struct hvm_vcpu *vcpu, u8 nr)
{
	return nr < 4 ? vcpu->dr[nr] : nr == 6 ? vcpu->dr6 : vcpu->dr7;
}

/* False where MOV to DR is a #GP. */
static bool write_dr(struct hvm_vcpu *vcpu, u8 nr, u64 val)
{
	if (nr < 4) {
		vcpu->dr[nr] = val;
		return true;
	}
	if (val >> 32)
		return false;
	if (nr == 6) {
		vcpu->dr6 = fix_dr6(val);
		return true;
	}
	vcpu->dr7 = fix_dr7(val);
	hvm_backend->update_traps(vcpu, HVM_TRAPS_DEBUG);
	return true;
}

/* SDM 3 18.2: what stands before the move, in the order the processor looks at it. */
static bool dr_faults(struct hvm_vcpu *vcpu, u8 nr)
{
	if ((nr & 6) == 4 && hvm_call(get_cr, vcpu, 4) & X86_CR4_DE)
		hvm_inject_ud(vcpu);
	else if (nr > 7)
		hvm_inject_ud(vcpu);
	else if (hvm_vcpu_cpl(vcpu))
		hvm_inject_gp(vcpu);
	else
		return false;
	return true;
}

/* The debug registers are watched themselves: by the guest, or by who debugs it. */
static int general_detect(struct hvm_vcpu *vcpu)
{
	if (vcpu->guest_debug & HVM_GUESTDBG_USE_HW_BP)
		return exit_debug(vcpu, DB, DR6_BD);
	hvm_queue_exception_payload(vcpu, DB, false, 0, DR6_BD);
	return 1;
}

int hvm_handle_dr(struct hvm_vcpu *vcpu)
{
	struct hvm_exit_info *x = &vcpu->exit;
	bool wide;
	u64 val;
	u8 nr;
	int r;

	if (!x->insn_len) {
		r = hvm_decode_cr_dr(vcpu);
		if (r <= 0 || !x->insn_len)
			return r;
	}
	nr = x->cr.nr;
	if (dr_faults(vcpu, nr))
		return 1;
	if (hvm_effective_dr7(vcpu) & HVM_DR7_GD)
		return general_detect(vcpu);
	nr |= nr & 4 ? 2 : 0;		/* DR4 and DR5 are other names of DR6 and DR7 */
	wide = hvm_cpu_mode(vcpu) == HVM_CPU_LONG64;
	if (x->cr.op == HVM_CROP_READ) {
		val = read_dr(vcpu, nr);
		vcpu->gpr[x->cr.gpr] = wide ? val : (u32)val;
	} else {
		val = vcpu->gpr[x->cr.gpr];
		if (!write_dr(vcpu, nr, wide ? val : (u32)val)) {
			hvm_inject_gp(vcpu);
			return 1;
		}
	}
	hvm_skip_insn(vcpu);
	return 1;
}
