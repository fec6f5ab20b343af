// SPDX-License-Identifier: GPL-2.0-only
/*
 * vcpu.c - the vCPU file descriptor and the outer run loop
 *
 * A vCPU is run by whichever host thread calls HVM_RUN, one at a time
 * (vcpu->mutex). Between hvm_vcpu_load() and hvm_vcpu_put() the thread may be
 * preempted and moved to another CPU: preempt notifiers hand the processor
 * state back and take it again, and backend->vcpu_load() alone knows about
 * migration. A RUN that ends at the first exit, as most do that come for a device,
 * is over before anybody could preempt it with profit: it keeps preemption off and
 * needs no notifier (vcpu_load(), vcpu_unpin()).
 *
 * One turn of the loop, in vcpu_enter():
 *	requests	events, clock, flushes: may sleep
 *	interrupts off	mode = IN_GUEST, then requests are looked at once more
 *	FPU in
 *	backend->run()	as many entries as need no help
 *	FPU out
 *	interrupts on
 *	handle_exit()	may sleep
 *
 * Kicks. Whoever wants the vCPU's attention sets a request and then looks at
 * vcpu->mode; the vCPU sets mode and then looks at its requests; a full barrier
 * stands between the two on either side. So either the kicker sees IN_GUEST
 * and sends an IPI, which interrupts the guest, or the vCPU sees the request
 * and does not enter.
 *
 * Locks: vcpu->mutex is held over every ioctl on the fd but the few that only
 * post something. Fields tagged [T] in hvm.h belong to the thread inside it.
 */
#include <linux/anon_inodes.h>
#include <linux/fs.h>
#include <linux/hardirq.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/uaccess.h>
#include <linux/vtime.h>
#include <asm/debugreg.h>
#include "hvm.h"
#include "trace.h"

/* ---- loading, preemption, kicks ---- */

static void sched_in(struct preempt_notifier *pn, int cpu)
{
	struct hvm_vcpu *vcpu = container_of(pn, struct hvm_vcpu, pn);

	vcpu->cpu = cpu;
	hvm_call(vcpu_load, vcpu, cpu);
	hvm_clock_loaded(vcpu, cpu);
	if (vcpu->steal_time)
		hvm_request_only(vcpu, HVM_REQ_STEAL);
}

static void sched_out(struct preempt_notifier *pn, struct task_struct *next)
{
	struct hvm_vcpu *vcpu = container_of(pn, struct hvm_vcpu, pn);

	if (task_is_running(current)) {
		vcpu->stat[HVM_STAT_PREEMPTED]++;
		hvm_pv_preempted(vcpu);
	}
	hvm_clock_left(vcpu);
	hvm_call(vcpu_put, vcpu);
	vcpu->cpu = -1;
}

static struct preempt_ops preempt_ops = { .sched_in = sched_in, .sched_out = sched_out };

/* Preemption stays off until vcpu_unpin() or vcpu_put(): a short RUN needs no notifier. */
static __always_inline void vcpu_load(struct hvm_vcpu *vcpu)
{
	int cpu = get_cpu();

	vcpu->pinned = true;
	vcpu->loaded = true;
	vcpu->cpu = cpu;
	hvm_forget_mode(vcpu);
	hvm_call(vcpu_load, vcpu, cpu);
	hvm_clock_in(vcpu, cpu);
}

static noinline void unpin(struct hvm_vcpu *vcpu)
{
	vcpu->pinned = false;
	preempt_notifier_register(&vcpu->pn);
	preempt_enable();
}

/* Before anything that may sleep. */
static __always_inline void vcpu_unpin(struct hvm_vcpu *vcpu)
{
	if (unlikely(vcpu->pinned))
		unpin(vcpu);
}

static __always_inline void vcpu_put(struct hvm_vcpu *vcpu)
{
	if (!vcpu->pinned) {
		preempt_disable();
		preempt_notifier_unregister(&vcpu->pn);
	}
	hvm_clock_out(vcpu);
	hvm_call(vcpu_put, vcpu);
	vcpu->cpu = -1;
	vcpu->loaded = false;
	preempt_enable();
}

void hvm_vcpu_load(struct hvm_vcpu *vcpu)
{
	vcpu_load(vcpu);
	vcpu_unpin(vcpu);
}

void hvm_vcpu_put(struct hvm_vcpu *vcpu)
{
	vcpu_put(vcpu);
}

void hvm_vcpu_kick(struct hvm_vcpu *vcpu)
{
	int cpu;

	rcuwait_wake_up(&vcpu->wait);	/* a full barrier, also when nobody sleeps */
	if (READ_ONCE(vcpu->mode) != HVM_MODE_IN_GUEST)
		return;
	cpu = READ_ONCE(vcpu->cpu);
	preempt_disable();
	/* On its own CPU the vCPU is outside the guest by now and looks before it enters. */
	if (cpu >= 0 && cpu != smp_processor_id() && cpu_online(cpu))
		hvm_send_kick(cpu);
	preempt_enable();
}

static void ack_flush(void *unused)
{
}

void hvm_flush_remote(struct hvm_vm *vm)
{
	struct hvm_vcpu *vcpu;
	int i, cpu;

	hvm_for_each_vcpu(i, vcpu, vm)
		hvm_request_only(vcpu, HVM_REQ_TLB_FLUSH);
	smp_mb__after_atomic();
	preempt_disable();
	hvm_for_each_vcpu(i, vcpu, vm) {
		if (READ_ONCE(vcpu->mode) != HVM_MODE_IN_GUEST)
			continue;
		cpu = READ_ONCE(vcpu->cpu);
		if (cpu >= 0 && cpu != smp_processor_id())
			smp_call_function_single(cpu, ack_flush, NULL, 1);
	}
	preempt_enable();
}

/**
 * hvm_host_irq_window - let the host take the interrupt that ended an entry
 * @vcpu: in the backend's inner loop, interrupts off
 *
 * Return: true when the guest may be entered again at once.
 */
bool hvm_host_irq_window(struct hvm_vcpu *vcpu)
{
	vcpu->stat[HVM_STAT_IRQ_EXITS]++;
	/* The exit turned the host's breakpoints off; vcpu_enter() turns them on first. */
	if (unlikely(hw_breakpoint_active()))
		return false;
	hvm_fpu_put(vcpu);
	preempt_disable();
	local_irq_enable();
	/* STI blocks interrupts for one instruction: give them one. */
	asm volatile("nop");
	local_irq_disable();
	preempt_enable();
	hvm_fpu_load(vcpu);
	/* The host's grace periods must not wait for a guest that runs on and on. */
	rcu_note_context_switch(false);
	return (!READ_ONCE(vcpu->requests) || hvm_fast_event(vcpu)) &&
	       !hvm_guest_work_pending() && !hw_breakpoint_active();
}

/* ---- small services for the handlers ---- */

void hvm_skip_insn(struct hvm_vcpu *vcpu)
{
	u64 rip = vcpu->rip + vcpu->exit.insn_len;

	/* Outside 64-bit mode EIP wraps; the mode is only asked for where it could. */
	if (unlikely((vcpu->rip ^ rip) >> 32) && hvm_cpu_mode(vcpu) != HVM_CPU_LONG64)
		rip = (u32)rip;
	vcpu->rip = rip;
	if (vcpu->shadow_word)
		*vcpu->shadow_word = 0;
	else
		vmx_end_shadow(vcpu);
	if (unlikely(vcpu->rflags & X86_EFLAGS_TF)) {
		if (vcpu->guest_debug & HVM_GUESTDBG_SINGLESTEP)
			hvm_request_only(vcpu, HVM_REQ_DEBUG_STEP);
		else
			hvm_queue_exception_payload(vcpu, 1, false, 0, DR_STEP);
	}
}

int hvm_exit_internal_error(struct hvm_vcpu *vcpu, u32 suberror, int n, const u64 *data)
{
	struct hvm_run *run = vcpu->run;

	run->exit_reason = HVM_EXIT_INTERNAL_ERROR;
	run->internal.suberror = suberror;
	run->internal.ndata = n;
	if (n)
		memcpy(run->internal.data, data, n * sizeof(*data));
	return 0;
}

/* ---- exits ---- */

static int handle_hlt(struct hvm_vcpu *vcpu)
{
	hvm_skip_insn(vcpu);
	vcpu->stat[HVM_STAT_HALT_EXITS]++;
	if (!vcpu->apic) {
		vcpu->run->exit_reason = HVM_EXIT_HLT;
		return 0;
	}
	vcpu->mp_state = HVM_MP_STATE_HALTED;
	return 1;
}

static int handle_stage2(struct hvm_vcpu *vcpu)
{
	gpa_t gpa = vcpu->exit.fault.gpa;
	u32 access = vcpu->exit.fault.access;
	int r;

	trace_hvm_page_fault(vcpu, gpa, access);
	vcpu->stat[HVM_STAT_PF_TAKEN]++;
	r = hvm_s2_fault(vcpu, gpa, access);
	if (r)
		return r;
	return hvm_handle_mmio(vcpu, gpa, access);
}

static int handle_fail_entry(struct hvm_vcpu *vcpu)
{
	vcpu->run->exit_reason = HVM_EXIT_FAIL_ENTRY;
	vcpu->run->fail_entry.hardware_entry_failure_reason = vcpu->exit.hw_reason;
	vcpu->run->fail_entry.cpu = raw_smp_processor_id();
	return 0;
}

static noinline int handle_unknown(struct hvm_vcpu *vcpu)
{
	u64 data[2] = { vcpu->exit.hw_reason, raw_smp_processor_id() };

	return hvm_exit_internal_error(vcpu, HVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON, 2, data);
}

static int handle_window(struct hvm_vcpu *vcpu, u32 which, enum hvm_stat stat)
{
	vcpu->windows &= ~which;
	hvm_backend->set_windows(vcpu);
	vcpu->stat[stat]++;
	hvm_request_only(vcpu, HVM_REQ_EVENT);
	return 1;
}

static int handle_cr8_below(struct hvm_vcpu *vcpu)
{
	if (!vcpu->apic) {
		vcpu->run->exit_reason = HVM_EXIT_SET_TPR;
		return 0;
	}
	hvm_lapic_tpr_changed(vcpu);
	hvm_request_only(vcpu, HVM_REQ_EVENT);
	return 1;
}

/* Nothing is monitored, so MWAIT may go on at once. By KVM's quirk whatever CPUID says. */
static int handle_monitor(struct hvm_vcpu *vcpu)
{
	if (vcpu->vm->disabled_quirks & HVM_X86_QUIRK_MWAIT_NEVER_UD_FAULTS &&
	    !hvm_guest_has(vcpu, X86_FEATURE_MWAIT)) {
		hvm_inject_ud(vcpu);
		return 1;
	}
	hvm_skip_insn(vcpu);
	cond_resched();
	return 1;
}

static int skip(struct hvm_vcpu *vcpu)
{
	hvm_skip_insn(vcpu);
	return 1;
}

static int handle_exit(struct hvm_vcpu *vcpu)
{
	hvm_forget_mode(vcpu);
	if (unlikely(vcpu->vapic))
		hvm_lapic_from_vapic(vcpu);
	switch (vcpu->exit.code) {
	case HVM_X_NONE:
	case HVM_X_BUS_LOCK:
		return 1;
	case HVM_X_PIO:
		return hvm_handle_pio(vcpu);
	case HVM_X_STAGE2:
		return handle_stage2(vcpu);
	case HVM_X_HLT:
		return handle_hlt(vcpu);
	case HVM_X_RDMSR:
		return hvm_handle_rdmsr(vcpu);
	case HVM_X_WRMSR:
		return hvm_handle_wrmsr(vcpu);
	case HVM_X_CPUID:
		hvm_fast_cpuid(vcpu);
		return skip(vcpu);
	case HVM_X_HYPERCALL:
		return hvm_handle_hypercall(vcpu);
	case HVM_X_IRQ_WINDOW:
		return handle_window(vcpu, HVM_WINDOW_IRQ, HVM_STAT_IRQ_WINDOW);
	case HVM_X_NMI_WINDOW:
		return handle_window(vcpu, HVM_WINDOW_NMI, HVM_STAT_NMI_WINDOW);
	case HVM_X_CR8_BELOW:
		return handle_cr8_below(vcpu);
	case HVM_X_EXCEPTION:
		return hvm_handle_exception(vcpu);
	case HVM_X_CR:
		return hvm_handle_cr(vcpu);
	case HVM_X_DR:
		return hvm_handle_dr(vcpu);
	case HVM_X_XSETBV:
		return hvm_handle_xsetbv(vcpu);
	case HVM_X_PAUSE:
		hvm_skip_insn(vcpu);
		cond_resched();
		return 1;
	case HVM_X_INVD:
		return skip(vcpu);
	case HVM_X_MONITOR:
		return handle_monitor(vcpu);
	case HVM_X_RDPMC:
		hvm_inject_gp(vcpu);
		return 1;
	case HVM_X_RDTSCP:
	case HVM_X_UD:
		hvm_inject_ud(vcpu);
		return 1;
	case HVM_X_SHUTDOWN:
		vcpu->run->exit_reason = HVM_EXIT_SHUTDOWN;
		return 0;
	case HVM_X_FAIL_ENTRY:
		return handle_fail_entry(vcpu);
	case HVM_X_TASK_SWITCH:
		return hvm_emul_failure(vcpu, NULL, 0);
	case HVM_X_USER:
		return 0;
	case HVM_X_UNKNOWN:
		break;
	}
	return handle_unknown(vcpu);
}

/* ---- the loop ---- */

static bool take_request(struct hvm_vcpu *vcpu, enum hvm_req req)
{
	return READ_ONCE(vcpu->requests) & BIT(req) && test_and_clear_bit(req, &vcpu->requests);
}

static int serve_rare_requests(struct hvm_vcpu *vcpu)
{
	int eoi;

	if (take_request(vcpu, HVM_REQ_RING_FULL) && hvm_dirty_ring_full(vcpu)) {
		vcpu->run->exit_reason = HVM_EXIT_DIRTY_RING_FULL;
		return 0;
	}
	if (take_request(vcpu, HVM_REQ_TRIPLE_FAULT)) {
		vcpu->run->exit_reason = HVM_EXIT_SHUTDOWN;
		return 0;
	}
	if (take_request(vcpu, HVM_REQ_IOAPIC_EOI)) {
		vcpu->run->exit_reason = HVM_EXIT_IOAPIC_EOI;
		eoi = find_first_bit(vcpu->eoi_pending, 256);
		__clear_bit(eoi, vcpu->eoi_pending);
		vcpu->run->eoi.vector = eoi;
		if (!bitmap_empty(vcpu->eoi_pending, 256))
			hvm_request_only(vcpu, HVM_REQ_IOAPIC_EOI);
		return 0;
	}
	if (take_request(vcpu, HVM_REQ_TPR_ACCESS)) {
		vcpu->run->exit_reason = HVM_EXIT_TPR_ACCESS;
		vcpu->run->tpr_access.rip = vcpu->tpr_rip;
		vcpu->run->tpr_access.is_write = vcpu->tpr_write;
		return 0;
	}
	if (take_request(vcpu, HVM_REQ_DEBUG_STEP))
		return hvm_debug_stepped(vcpu);
	if (take_request(vcpu, HVM_REQ_USER_TRAP))
		hvm_trap_from_user(vcpu);
	if (take_request(vcpu, HVM_REQ_SCAN_IOAPIC))
		hvm_lapic_scan_ioapic(vcpu);
	if (take_request(vcpu, HVM_REQ_TRAPS))
		hvm_backend->update_traps(vcpu, HVM_TRAPS_MSR);
	if (take_request(vcpu, HVM_REQ_CLOCK))
		hvm_clock_update(vcpu);
	if (take_request(vcpu, HVM_REQ_STEAL))
		hvm_pv_steal_update(vcpu);
	return 1;
}

/* Everything asked of the vCPU since it last entered. 1: enter; else as handlers. */
static int serve_requests(struct hvm_vcpu *vcpu)
{
	const unsigned long frequent = BIT(HVM_REQ_EVENT) | BIT(HVM_REQ_TLB_FLUSH);
	int r;

	if (READ_ONCE(vcpu->requests) & ~frequent) {
		r = serve_rare_requests(vcpu);
		if (r <= 0)
			return r;
	}
	if (take_request(vcpu, HVM_REQ_TLB_FLUSH)) {
		vcpu->tlb_flush = true;
		vcpu->stat[HVM_STAT_TLB_FLUSH]++;
	}
	if (take_request(vcpu, HVM_REQ_EVENT)) {
		if (vcpu->apic && hvm_lapic_has_init_sipi(vcpu)) {
			r = hvm_lapic_init_sipi(vcpu);
			if (r < 0 || vcpu->mp_state != HVM_MP_STATE_RUNNABLE)
				return r < 0 ? r : 1;
		}
		return hvm_prepare_events(vcpu);
	}
	return 1;
}

static int vcpu_enter(struct hvm_vcpu *vcpu)
{
	bool debug, entered = false;
	int r;

	if (READ_ONCE(vcpu->requests)) {
		vcpu_unpin(vcpu);
		r = serve_requests(vcpu);
		if (r <= 0 || vcpu->mp_state != HVM_MP_STATE_RUNNABLE)
			return r;
	}

	local_irq_disable();
	/* Pairs with the barriers in hvm_vcpu_kick() and hvm_flush_remote(). */
	smp_store_mb(vcpu->mode, HVM_MODE_IN_GUEST);
	if (likely(!READ_ONCE(vcpu->requests) && !hvm_guest_work_pending())) {
		hvm_fpu_load(vcpu);
		debug = unlikely(hvm_effective_dr7(vcpu) & HVM_DR7_ENABLED ||
				 hw_breakpoint_active());
		if (debug)
			hvm_debug_load(vcpu);
		trace_hvm_entry(vcpu);
		vtime_account_guest_enter();
		hvm_call(run, vcpu);
		vtime_account_guest_exit();
		vcpu->stat[HVM_STAT_EXITS]++;
		trace_hvm_exit(vcpu);
		if (debug)
			hvm_debug_put(vcpu);
		hvm_fpu_put(vcpu);
		entered = true;
	}
	WRITE_ONCE(vcpu->mode, HVM_MODE_OUTSIDE);
	local_irq_enable();
	if (likely(entered && vcpu->exit.code == HVM_X_USER && !vcpu->vapic))
		return 0;
	vcpu_unpin(vcpu);
	return entered ? handle_exit(vcpu) : 1;
}

static bool wait_over(struct hvm_vcpu *vcpu)
{
	return hvm_vcpu_runnable(vcpu) || signal_pending(current) ||
	       READ_ONCE(vcpu->requests) & ~BIT(HVM_REQ_EVENT) & ~BIT(HVM_REQ_TLB_FLUSH);
}

/* Userspace would rather have the CPU spin than a guest wait for it to wake up. */
static void halt_poll(struct hvm_vcpu *vcpu, u32 ns)
{
	u64 end = ktime_get_ns() + ns;

	while (ktime_get_ns() < end && !wait_over(vcpu)) {
		cpu_relax();
		cond_resched();
	}
}

/* HLT, or waiting for INIT or SIPI: sleep until something comes. */
static noinline int vcpu_block(struct hvm_vcpu *vcpu)
{
	u32 poll = READ_ONCE(vcpu->vm->halt_poll_ns);
	int r;

	vcpu_unpin(vcpu);
	if (unlikely(poll) && vcpu->mp_state == HVM_MP_STATE_HALTED)
		halt_poll(vcpu, poll);
	hvm_lapic_halting(vcpu);
	prepare_to_rcuwait(&vcpu->wait);
	for (;;) {
		set_current_state(TASK_INTERRUPTIBLE);
		if (wait_over(vcpu))
			break;
		schedule();
	}
	finish_rcuwait(&vcpu->wait);

	if (vcpu->apic && hvm_lapic_has_init_sipi(vcpu)) {
		r = hvm_lapic_init_sipi(vcpu);
		return r < 0 ? r : 1;
	}
	if (vcpu->mp_state == HVM_MP_STATE_HALTED && hvm_vcpu_runnable(vcpu)) {
		WRITE_ONCE(vcpu->pv_unhalted, false);
		vcpu->mp_state = HVM_MP_STATE_RUNNABLE;
		vcpu->stat[HVM_STAT_HALT_WAKEUP]++;
		hvm_request_only(vcpu, HVM_REQ_EVENT);
	}
	/* Served without an entry: a halted vCPU must still report EOIs, clocks … */
	if (READ_ONCE(vcpu->requests) & ~BIT(HVM_REQ_EVENT))
		return serve_rare_requests(vcpu);
	return 1;
}

/* Could HVM_INTERRUPT deliver now? With a local APIC only if LVT0 lets an 8259 through. */
static __always_inline bool irq_window_open(struct hvm_vcpu *vcpu)
{
	return !vcpu->inj && vcpu->ext_irq < 0 && vcpu->rflags & X86_EFLAGS_IF &&
	       (!vcpu->apic || hvm_lapic_accepts_pic(vcpu)) &&
	       !(hvm_call(get_shadow, vcpu) & (HVM_SHADOW_STI | HVM_SHADOW_MOV_SS));
}

static int vcpu_run(struct hvm_vcpu *vcpu)
{
	struct hvm_run *run = vcpu->run;
	int r;

	for (;;) {
		if (likely(vcpu->mp_state == HVM_MP_STATE_RUNNABLE))
			r = vcpu_enter(vcpu);
		else
			r = vcpu_block(vcpu);
		if (r <= 0)
			return r;
		if (unlikely(READ_ONCE(run->request_interrupt_window)) && !vcpu->vm->pic &&
		    irq_window_open(vcpu)) {
			run->exit_reason = HVM_EXIT_IRQ_WINDOW_OPEN;
			vcpu->stat[HVM_STAT_REQUEST_IRQ_EXITS]++;
			return 0;
		}
		if (unlikely(hvm_guest_work_pending_on())) {
			r = hvm_guest_work();
			if (r) {
				run->exit_reason = HVM_EXIT_INTR;
				vcpu->stat[HVM_STAT_SIGNAL_EXITS]++;
				return r;
			}
		}
	}
}

/* The part of the run page that describes the vCPU after any RUN. */
static void run_page_out(struct hvm_vcpu *vcpu)
{
	struct hvm_run *run = vcpu->run;

	run->if_flag = !!(vcpu->rflags & X86_EFLAGS_IF);
	run->flags = 0;
	run->cr8 = vcpu->cr8;
	run->apic_base = vcpu->apic_base;
	run->ready_for_interrupt_injection = vcpu->vm->pic || irq_window_open(vcpu);
}

/* Before the first instruction: what userspace left in the run page. 1: go on; else as RUN returns. */
static int run_page_in(struct hvm_vcpu *vcpu)
{
	struct hvm_run *run = vcpu->run;
	int (*complete)(struct hvm_vcpu *) = vcpu->complete;
	int r;

	if (unlikely((READ_ONCE(run->valid_regs) | READ_ONCE(run->dirty_regs)) &
		     ~(u64)HVM_SYNC_X86_VALID_FIELDS))
		return -EINVAL;
	if (unlikely(READ_ONCE(run->dirty_regs))) {
		vcpu_unpin(vcpu);
		r = hvm_sync_regs_in(vcpu);
		if (r)
			return r;
	}
	if (!vcpu->apic) {
		u64 cr8 = READ_ONCE(run->cr8);

		if (unlikely(cr8 != vcpu->cr8) && hvm_set_cr8(vcpu, cr8))
			return -EINVAL;
	}
	if (unlikely(READ_ONCE(run->request_interrupt_window)))
		hvm_request_only(vcpu, HVM_REQ_EVENT);
	if (complete) {
		vcpu->complete = NULL;
		if (!vcpu->completes_fast)
			vcpu_unpin(vcpu);
		vcpu->completes_fast = false;
		r = complete(vcpu);
		if (r <= 0)
			return r;
	}
	return READ_ONCE(run->immediate_exit) ? -EINTR : 1;
}

/* An application processor that waits for INIT or SIPI: each RUN is one wait. */
static int wait_for_sipi(struct hvm_vcpu *vcpu)
{
	int r;

	if (READ_ONCE(vcpu->run->immediate_exit))
		return -EINTR;
	r = vcpu_block(vcpu);
	if (r <= 0)
		return r;
	if (signal_pending(current)) {
		vcpu->run->exit_reason = HVM_EXIT_INTR;
		vcpu->stat[HVM_STAT_SIGNAL_EXITS]++;
		return -EINTR;
	}
	return -EAGAIN;
}

/*
 * The thread's own mask stays in force for signals that would end the process: one
 * that only RUN lets through ends RUN and waits, as with KVM.
 */
static void sigset_swap(struct hvm_vcpu *vcpu, bool in)
{
	if (likely(!vcpu->sigset_active))
		return;
	if (in) {
		sigprocmask(SIG_SETMASK, &vcpu->sigset, &current->real_blocked);
		return;
	}
	sigprocmask(SIG_SETMASK, &current->real_blocked, NULL);
	sigemptyset(&current->real_blocked);
}

static long ioctl_run(struct hvm_vcpu *vcpu, unsigned long uarg)
{
	long r;

	if (uarg)
		return -EINVAL;
	if (!mutex_trylock(&vcpu->mutex) && mutex_lock_killable(&vcpu->mutex))
		return -EINTR;
	vcpu_load(vcpu);
	if (vcpu->steal_time && hvm_pv_waited(vcpu))
		hvm_request_only(vcpu, HVM_REQ_STEAL);
	sigset_swap(vcpu, true);
	vcpu->pdptr_set = false;
	if (unlikely(vcpu->mp_state == HVM_MP_STATE_UNINITIALIZED)) {
		r = wait_for_sipi(vcpu);
	} else {
		r = run_page_in(vcpu);
		if (r > 0)
			r = vcpu_run(vcpu);
		if (unlikely(READ_ONCE(vcpu->run->valid_regs))) {
			vcpu_unpin(vcpu);
			hvm_sync_regs_out(vcpu);
		}
	}
	run_page_out(vcpu);
	sigset_swap(vcpu, false);
	vcpu_put(vcpu);
	mutex_unlock(&vcpu->mutex);
	return r;
}

/* ---- other ioctls ---- */

HVM_HANDLER(get_regs, hvm_get_regs(obj, arg))
HVM_HANDLER(set_regs, hvm_set_regs(obj, arg))
HVM_HANDLER(get_sregs, hvm_get_sregs(obj, arg))
HVM_HANDLER(set_sregs, hvm_set_sregs(obj, arg))
HVM_HANDLER(get_sregs2, hvm_get_sregs2(obj, arg))
HVM_HANDLER(set_sregs2, hvm_set_sregs2(obj, arg))
HVM_HANDLER(get_fpu, hvm_get_fpu(obj, arg))
HVM_HANDLER(set_fpu, hvm_set_fpu(obj, arg))
HVM_HANDLER(get_xcrs, hvm_get_xcrs(obj, arg))
HVM_HANDLER(set_xcrs, hvm_set_xcrs(obj, arg))
HVM_HANDLER(get_debugregs, hvm_get_debugregs(obj, arg))
HVM_HANDLER(set_debugregs, hvm_set_debugregs(obj, arg))
HVM_HANDLER(set_guest_debug, hvm_set_guest_debug(obj, arg))
HVM_HANDLER(get_mp_state, hvm_get_mp_state(obj, arg))
HVM_HANDLER(set_mp_state, hvm_set_mp_state(obj, arg))
HVM_HANDLER(set_events, hvm_set_events(obj, arg))
HVM_HANDLER(translate, hvm_translate(obj, arg))
HVM_HANDLER(setup_mce, hvm_setup_mce(obj, arg))
HVM_HANDLER(set_mce, hvm_set_mce(obj, arg))
HVM_HANDLER(get_cpuid2, hvm_get_cpuid(obj, uarg))
HVM_HANDLER(set_xsave, hvm_set_xsave(obj, uarg))
HVM_HANDLER(set_tsc_khz, hvm_set_tsc_khz(obj, uarg))

static long get_events(void *obj, void *arg, unsigned long uarg)
{
	hvm_get_events(obj, arg);
	return 0;
}

static long get_lapic(void *obj, void *arg, unsigned long uarg)
{
	struct hvm_vcpu *vcpu = obj;

	return vcpu->apic ? hvm_lapic_get_state(vcpu, arg) : -EINVAL;
}

static long set_lapic(void *obj, void *arg, unsigned long uarg)
{
	struct hvm_vcpu *vcpu = obj;

	return vcpu->apic ? hvm_lapic_set_state(vcpu, arg) : -EINVAL;
}

HVM_HANDLER(get_msrs, hvm_msr_io(obj, uarg, false))
HVM_HANDLER(set_msrs, hvm_msr_io(obj, uarg, true))
HVM_HANDLER(set_cpuid, hvm_set_cpuid(obj, uarg, false))
HVM_HANDLER(set_cpuid2, hvm_set_cpuid(obj, uarg, true))
HVM_HANDLER(has_attr, hvm_vcpu_attr(obj, arg, HVM_HAS_DEVICE_ATTR))
HVM_HANDLER(get_attr, hvm_vcpu_attr(obj, arg, HVM_GET_DEVICE_ATTR))
HVM_HANDLER(set_attr, hvm_vcpu_attr(obj, arg, HVM_SET_DEVICE_ATTR))
HVM_HANDLER(get_xsave, hvm_get_xsave(obj, uarg, false))
HVM_HANDLER(get_xsave2, hvm_get_xsave(obj, uarg, true))
HVM_HANDLER(get_tsc_khz, hvm_tsc_khz(obj))
HVM_HANDLER(kvmclock_ctrl, hvm_kvmclock_ctrl(obj))

static long do_interrupt(void *obj, void *arg, unsigned long uarg)
{
	const struct hvm_interrupt *irq = arg;
	struct hvm_vcpu *vcpu = obj;

	if (irq->irq > 255)
		return -EINVAL;
	if (vcpu->vm->pic)
		return -ENXIO;
	/* Without a local APIC the last one wins; with one userspace waits for its turn. */
	if (vcpu->apic && vcpu->ext_irq >= 0)
		return -EEXIST;
	vcpu->ext_irq = irq->irq;
	hvm_request_only(vcpu, HVM_REQ_EVENT);
	return 0;
}

static long tpr_reporting(void *obj, void *arg, unsigned long uarg)
{
	const struct hvm_tpr_access_ctl *ctl = arg;
	struct hvm_vcpu *vcpu = obj;

	if (ctl->flags)
		return -EINVAL;
	vcpu->tpr_report = ctl->enabled;
	return 0;
}

static long set_vapic(void *obj, void *arg, unsigned long uarg)
{
	struct hvm_vcpu *vcpu = obj;

	if (!vcpu->apic)
		return -EINVAL;
	return hvm_lapic_set_vapic(vcpu, ((struct hvm_vapic_addr *)arg)->vapic_addr);
}

static long do_nmi(void *obj, void *arg, unsigned long uarg)
{
	hvm_queue_nmi(obj);
	return 0;
}

static long set_sigmask(void *obj, void *arg, unsigned long uarg)
{
	struct hvm_signal_mask __user *u = (void __user *)uarg;
	struct hvm_vcpu *vcpu = obj;
	sigset_t set;
	u32 len;

	if (!uarg) {
		vcpu->sigset_active = false;
		return 0;
	}
	if (get_user(len, &u->len))
		return -EFAULT;
	if (len != sizeof(set))
		return -EINVAL;
	if (copy_from_user(&set, u->sigset, sizeof(set)))
		return -EFAULT;
	sigdelsetmask(&set, sigmask(SIGKILL) | sigmask(SIGSTOP));
	vcpu->sigset = set;
	vcpu->sigset_active = true;
	return 0;
}

static long enable_cap(void *obj, void *arg, unsigned long uarg)
{
	const struct hvm_enable_cap *cap = arg;

	if (cap->flags || cap->cap != HVM_CAP_ENFORCE_PV_FEATURE_CPUID)
		return -EINVAL;
	return hvm_pv_enforce(obj, cap->args[0]);
}

static long vcpu_stats_fd(void *obj, void *arg, unsigned long uarg)
{
	struct hvm_vcpu *vcpu = obj;

	return hvm_stats_fd(vcpu->vm, vcpu);
}

#define ROW(cmd, lock, fn)	{ cmd, _IOC_SIZE(cmd), HVM_LOCK_##lock, fn }
#define RAW(cmd, lock, fn)	{ cmd, 0, HVM_LOCK_##lock, fn }

static const struct hvm_ioctl vcpu_table[] = {
	ROW(HVM_GET_REGS, VCPU, get_regs),
	ROW(HVM_SET_REGS, VCPU, set_regs),
	ROW(HVM_GET_SREGS, VCPU, get_sregs),
	ROW(HVM_SET_SREGS, VCPU, set_sregs),
	ROW(HVM_INTERRUPT, VCPU, do_interrupt),
	RAW(HVM_GET_MSRS, VCPU, get_msrs),
	RAW(HVM_SET_MSRS, VCPU, set_msrs),
	ROW(HVM_GET_SREGS2, VCPU, get_sregs2),
	ROW(HVM_SET_SREGS2, VCPU, set_sregs2),
	ROW(HVM_GET_FPU, VCPU, get_fpu),
	ROW(HVM_SET_FPU, VCPU, set_fpu),
	RAW(HVM_GET_XSAVE, VCPU, get_xsave),
	RAW(HVM_GET_XSAVE2, VCPU, get_xsave2),
	RAW(HVM_SET_XSAVE, VCPU, set_xsave),
	ROW(HVM_GET_XCRS, VCPU, get_xcrs),
	ROW(HVM_SET_XCRS, VCPU, set_xcrs),
	ROW(HVM_GET_DEBUGREGS, VCPU, get_debugregs),
	ROW(HVM_SET_DEBUGREGS, VCPU, set_debugregs),
	ROW(HVM_SET_GUEST_DEBUG, VCPU, set_guest_debug),
	RAW(HVM_SET_CPUID, VCPU, set_cpuid),
	RAW(HVM_SET_CPUID2, VCPU, set_cpuid2),
	RAW(HVM_GET_CPUID2, VCPU, get_cpuid2),
	ROW(HVM_GET_LAPIC, VCPU, get_lapic),
	ROW(HVM_SET_LAPIC, VCPU, set_lapic),
	ROW(HVM_GET_MP_STATE, VCPU, get_mp_state),
	ROW(HVM_SET_MP_STATE, VCPU, set_mp_state),
	ROW(HVM_GET_VCPU_EVENTS, VCPU, get_events),
	ROW(HVM_SET_VCPU_EVENTS, VCPU, set_events),
	RAW(HVM_GET_TSC_KHZ, VCPU, get_tsc_khz),
	RAW(HVM_SET_TSC_KHZ, VCPU, set_tsc_khz),
	ROW(HVM_TPR_ACCESS_REPORTING, VCPU, tpr_reporting),
	ROW(HVM_SET_VAPIC_ADDR, VCPU, set_vapic),
	RAW(HVM_NMI, NONE, do_nmi),
	RAW(HVM_SET_SIGNAL_MASK, VCPU, set_sigmask),
	ROW(HVM_TRANSLATE, VCPU, translate),
	RAW(HVM_KVMCLOCK_CTRL, VCPU, kvmclock_ctrl),
	ROW(HVM_ENABLE_CAP, VCPU, enable_cap),
	RAW(HVM_GET_STATS_FD, NONE, vcpu_stats_fd),
	ROW(HVM_X86_SETUP_MCE, VCPU, setup_mce),
	ROW(HVM_X86_SET_MCE, VCPU, set_mce),
	ROW(HVM_HAS_DEVICE_ATTR, VCPU, has_attr),
	ROW(HVM_GET_DEVICE_ATTR, VCPU, get_attr),
	ROW(HVM_SET_DEVICE_ATTR, VCPU, set_attr),
};

static long vcpu_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct hvm_vcpu *vcpu = file->private_data;

	if (vcpu->vm->mm != current->mm)
		return -EIO;
	if (likely(cmd == HVM_RUN))
		return ioctl_run(vcpu, arg);
	return hvm_ioctl_run(vcpu_table, ARRAY_SIZE(vcpu_table), cmd, arg, vcpu, NULL, vcpu);
}

/* ---- lifetime ---- */

static vm_fault_t vcpu_fault(struct vm_fault *vmf)
{
	struct hvm_vcpu *vcpu = vmf->vma->vm_file->private_data;
	struct page *page;

	if (vmf->pgoff < ARRAY_SIZE(vcpu->pages))
		page = vcpu->pages[vmf->pgoff];
	else if (vmf->pgoff == HVM_COALESCED_MMIO_PAGE_OFFSET)
		page = hvm_ring_page(vcpu->vm);
	else if (hvm_dirty_ring_mapped(vcpu, vmf->pgoff, 1))
		page = hvm_dirty_ring_page(vcpu, vmf->pgoff);
	else
		return VM_FAULT_SIGBUS;
	if (!page)
		return VM_FAULT_OOM;
	get_page(page);
	vmf->page = page;
	return 0;
}

static const struct vm_operations_struct vcpu_vm_ops = { .fault = vcpu_fault };

static int vcpu_mmap(struct file *file, struct vm_area_struct *vma)
{
	/* A private copy of a ring is of no use to either side. */
	if (hvm_dirty_ring_mapped(file->private_data, vma->vm_pgoff, vma_pages(vma)) &&
	    (vma->vm_flags & VM_EXEC || !(vma->vm_flags & VM_SHARED)))
		return -EINVAL;
	vma->vm_ops = &vcpu_vm_ops;
	return 0;
}

static int vcpu_release(struct inode *inode, struct file *file)
{
	struct hvm_vcpu *vcpu = file->private_data;

	hvm_vm_put(vcpu->vm);
	return 0;
}

static const struct file_operations vcpu_fops = {
	.owner		= THIS_MODULE,
	.release	= vcpu_release,
	.unlocked_ioctl	= vcpu_ioctl,
	.mmap		= vcpu_mmap,
	.llseek		= noop_llseek,
};

void hvm_vcpu_free(struct hvm_vcpu *vcpu)
{
	hvm_pv_destroy(vcpu);
	if (vcpu->apic)
		hvm_lapic_destroy(vcpu);
	hvm_backend->vcpu_destroy(vcpu);
	hvm_emul_destroy(vcpu);
	hvm_msrs_destroy(vcpu);
	hvm_cpuid_destroy(vcpu);
	hvm_fpu_destroy(vcpu);
	hvm_dirty_ring_destroy(vcpu);
	if (vcpu->pages[1])
		put_page(vcpu->pages[1]);
	if (vcpu->pages[0])
		put_page(vcpu->pages[0]);
	/* Kickers that found it through an RCU-published map may still look at it. */
	kvfree_rcu(vcpu, rcu);
}

static int vcpu_init_parts(struct hvm_vcpu *vcpu)
{
	int i, r;

	for (i = 0; i < ARRAY_SIZE(vcpu->pages); i++) {
		vcpu->pages[i] = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);
		if (!vcpu->pages[i])
			return -ENOMEM;
	}
	vcpu->run = page_address(vcpu->pages[0]);
	vcpu->pio_data = page_address(vcpu->pages[1]);
	r = hvm_fpu_create(vcpu);
	if (!r)
		r = hvm_msrs_create(vcpu);
	if (!r)
		r = hvm_emul_create(vcpu);
	if (!r)
		r = hvm_backend->vcpu_create(vcpu);
	if (!r && vcpu->vm->irqchip_kernel)
		r = hvm_lapic_create(vcpu);
	if (!r)
		r = hvm_pv_create(vcpu);
	if (!r)
		r = hvm_dirty_ring_create(vcpu);
	return r;
}

static struct hvm_vcpu *vcpu_create(struct hvm_vm *vm, u32 id)
{
	struct hvm_vcpu *vcpu;
	int r;

	vcpu = kzalloc(sizeof(*vcpu), GFP_KERNEL_ACCOUNT);
	if (!vcpu)
		return ERR_PTR(-ENOMEM);
	vcpu->vm = vm;
	vcpu->id = id;
	vcpu->idx = vm->nr_vcpus;
	vcpu->cpu = -1;
	vcpu->ext_irq = -1;
	mutex_init(&vcpu->mutex);
	rcuwait_init(&vcpu->wait);
	preempt_notifier_init(&vcpu->pn, &preempt_ops);
	r = vcpu_init_parts(vcpu);
	if (r) {
		hvm_vcpu_free(vcpu);
		return ERR_PTR(r);
	}
	hvm_vcpu_load(vcpu);
	hvm_vcpu_reset(vcpu, false);
	hvm_tsc_init_vcpu(vcpu);
	hvm_backend->update_traps(vcpu, HVM_TRAPS_DEBUG | HVM_TRAPS_MSR | HVM_TRAPS_CPUID);
	hvm_vcpu_put(vcpu);
	return vcpu;
}

/**
 * hvm_vcpu_create_fd - HVM_CREATE_VCPU
 * @vm: VM, vm->lock held
 * @id: APIC id, checked and not in use
 *
 * Return: a file descriptor, or -ENOMEM, -EMFILE.
 */
int hvm_vcpu_create_fd(struct hvm_vm *vm, u32 id)
{
	char name[32];
	struct hvm_vcpu *vcpu;
	struct file *file;
	int fd;

	fd = get_unused_fd_flags(O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return fd;
	vcpu = vcpu_create(vm, id);
	if (IS_ERR(vcpu)) {
		put_unused_fd(fd);
		return PTR_ERR(vcpu);
	}
	snprintf(name, sizeof(name), "hvm-vcpu:%u", id);
	file = anon_inode_getfile(name, &vcpu_fops, vcpu, O_RDWR);
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		hvm_vcpu_free(vcpu);
		return PTR_ERR(file);
	}
	hvm_vm_get(vm);
	vm->vcpus[vm->nr_vcpus] = vcpu;
	/* Whoever sees the new count sees the vCPU. */
	smp_store_release(&vm->nr_vcpus, vm->nr_vcpus + 1);
	hvm_stats_create_vcpu(vcpu);
	fd_install(fd, file);
	return fd;
}
