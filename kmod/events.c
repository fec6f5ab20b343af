// SPDX-License-Identifier: GPL-2.0-only
/*
 * events.c - exceptions, NMIs and interrupts on their way into the guest
 *
 * Three stages. An event is *pending* in vcpu->exception, vcpu->nmi_pending,
 * the local APIC or vcpu->ext_irq. hvm_prepare_events() picks the one that goes
 * next and puts it into vcpu->inj: from then on it is *being delivered*, and
 * nothing overtakes it. The backend hands vcpu->inj to the processor at each
 * entry and takes back at each exit what was not delivered, so an event cut
 * short by an exit (say a stage-2 fault on the guest's stack) is simply still
 * there at the next entry.
 *
 * hvm_prepare_events() runs only when HVM_REQ_EVENT was raised. Whoever makes
 * an event deliverable raises it: posting one, an interrupt window, a change
 * of TPR, userspace writing registers.
 *
 * Locks: none. Fields are the vCPU thread's own but for nmi_pending, which is
 * atomic, and the local APIC's registers, which lapic.c posts to atomically.
 */
#include <linux/kernel.h>
#include "irq/legacy.h"
#include "trace.h"

#define DB_VECTOR	1
#define NMI_VECTOR_NR	2
#define DF_VECTOR	8
#define PF_VECTOR	14

static bool inj_is_exception(const struct hvm_vcpu *vcpu)
{
	return vcpu->inj && (vcpu->inj & HVM_INJ_TYPE) == HVM_INJ_EXC;
}

/* SDM 3 table 6-5: #DE, #TS, #NP, #SS, #GP make a #DF of each other; #PF of them and of itself. */
static bool contributory(u8 nr)
{
	return BIT(nr) & (BIT(0) | BIT(10) | BIT(11) | BIT(12) | BIT(13));
}

static bool makes_double_fault(u8 first, u8 second)
{
	return (contributory(first) && contributory(second)) ||
	       (first == PF_VECTOR && (contributory(second) || second == PF_VECTOR));
}

static void queue_exception(struct hvm_vcpu *vcpu, const struct hvm_exception *new)
{
	struct hvm_exception *e = &vcpu->exception;
	u8 first;

	hvm_request_only(vcpu, HVM_REQ_EVENT);
	if (e->pending || inj_is_exception(vcpu)) {
		first = e->pending ? e->nr : vcpu->inj & HVM_INJ_VECTOR;
		if (inj_is_exception(vcpu))
			vcpu->inj = 0;
		if (first == DF_VECTOR) {
			e->pending = false;
			hvm_request_only(vcpu, HVM_REQ_TRIPLE_FAULT);
			return;
		}
		if (makes_double_fault(first, new->nr)) {
			*e = (struct hvm_exception) {
				.pending = true, .nr = DF_VECTOR, .has_error_code = true,
			};
			return;
		}
		/* Otherwise the second is delivered and the first will happen again. */
	}
	*e = *new;
	e->pending = true;
}

void hvm_queue_exception(struct hvm_vcpu *vcpu, u8 nr)
{
	queue_exception(vcpu, &(struct hvm_exception) { .nr = nr });
}

void hvm_queue_exception_err(struct hvm_vcpu *vcpu, u8 nr, u32 err)
{
	queue_exception(vcpu, &(struct hvm_exception) {
		.nr = nr, .has_error_code = true, .error_code = err });
}

void hvm_queue_exception_payload(struct hvm_vcpu *vcpu, u8 nr, bool has_err, u32 err, u64 payload)
{
	queue_exception(vcpu, &(struct hvm_exception) {
		.nr = nr, .has_error_code = has_err, .error_code = err,
		.has_payload = true, .payload = payload });
}

void hvm_inject_pf(struct hvm_vcpu *vcpu, gva_t cr2, u32 err)
{
	hvm_queue_exception_payload(vcpu, PF_VECTOR, true, err, cr2);
}

/* One NMI may wait behind one that is being handled; more are lost, as on hardware. */
void hvm_queue_nmi(struct hvm_vcpu *vcpu)
{
	atomic_add_unless(&vcpu->nmi_pending, 1, 2);
	hvm_request(vcpu, HVM_REQ_EVENT);
}

/* The architectural side effect of an exception, which happens as it is delivered. */
static void deliver_payload(struct hvm_vcpu *vcpu)
{
	struct hvm_exception *e = &vcpu->exception;

	if (!e->has_payload)
		return;
	e->has_payload = false;
	if (e->nr == DB_VECTOR) {
		/* B0..B3 are replaced, the rest is sticky; in a payload a set bit always means "happened". */
		vcpu->dr6 &= ~0xfULL;
		vcpu->dr6 |= HVM_DR6_INIT | (e->payload & HVM_DR6_EVENTS);
	} else if (e->nr == PF_VECTOR) {
		hvm_backend->set_cr(vcpu, 2, e->payload);
	}
	e->payload = 0;
}

static void inject_exception(struct hvm_vcpu *vcpu)
{
	struct hvm_exception *e = &vcpu->exception;
	bool trap = e->nr == 3 || e->nr == 4;

	deliver_payload(vcpu);
	if (e->nr == DB_VECTOR) {
		if (vcpu->dr7 & HVM_DR7_GD) {
			vcpu->dr7 &= ~HVM_DR7_GD;
			hvm_backend->update_traps(vcpu, HVM_TRAPS_DEBUG);
		}
	} else if (!trap) {
		vcpu->rflags |= X86_EFLAGS_RF;
	}
	vcpu->inj = HVM_INJ_VALID | HVM_INJ_EXC | e->nr;
	/* Real mode pushes no error code (SDM 3 21.1.4). */
	if (e->has_error_code && hvm_call(get_cr, vcpu, 0) & X86_CR0_PE)
		vcpu->inj |= HVM_INJ_HAS_ERR | (u64)e->error_code << 32;
	e->pending = false;
}

/*
 * An 8259A's interrupt, if the local APIC lets it in: HVM_INTERRUPT's vector
 * where userspace emulates the 8259A, else the kernel's own asks.
 */
static bool ext_irq_next(struct hvm_vcpu *vcpu)
{
	if (likely(vcpu->ext_irq < 0 && !vcpu->vm->pic))
		return false;
	return (!vcpu->apic || hvm_lapic_accepts_pic(vcpu)) &&
	       (!vcpu->vm->pic || hvm_pic_output(vcpu->vm));
}

static bool irq_pending(struct hvm_vcpu *vcpu)
{
	return ext_irq_next(vcpu) || (vcpu->apic && hvm_lapic_pending(vcpu) >= 0);
}

/* Likewise, but for what the processor delivers by itself. */
static bool injectable(struct hvm_vcpu *vcpu)
{
	return vcpu->virtual_irq ? ext_irq_next(vcpu) : irq_pending(vcpu);
}

static bool wants_window(struct hvm_vcpu *vcpu)
{
	return READ_ONCE(vcpu->run->request_interrupt_window) && !vcpu->vm->pic &&
	       (!vcpu->apic || hvm_lapic_accepts_pic(vcpu));
}

static void set_windows(struct hvm_vcpu *vcpu, u32 windows, int threshold)
{
	if (threshold >= 0)
		windows |= HVM_WINDOW_CR8;
	else
		threshold = 0;
	if (windows == vcpu->windows && threshold == vcpu->tpr_threshold && !vcpu->virtual_irq)
		return;
	vcpu->windows = windows;
	vcpu->tpr_threshold = threshold;
	hvm_backend->set_windows(vcpu);
}

static void inject_irq(struct hvm_vcpu *vcpu)
{
	int vector;

	if (ext_irq_next(vcpu)) {
		vector = vcpu->vm->pic ? hvm_pic_ack(vcpu->vm) : vcpu->ext_irq;
		vcpu->ext_irq = -1;
	} else {
		vector = hvm_lapic_ack(vcpu);
	}
	if (vector < 0)
		return;
	vcpu->inj = HVM_INJ_VALID | HVM_INJ_INTR | vector;
	vcpu->stat[HVM_STAT_IRQ_INJECTIONS]++;
	trace_hvm_inj_virq(vcpu, vector);
}

/**
 * hvm_prepare_events - choose what the next entry delivers
 * @vcpu: loaded, interrupts on
 *
 * Order of priority: what is already being delivered, exceptions, NMI,
 * interrupts. What has to wait gets a window, so that the guest exits as soon
 * as it can take it.
 *
 * Return: 1.
 */
int hvm_prepare_events(struct hvm_vcpu *vcpu)
{
	u32 windows = 0, shadow = hvm_call(get_shadow, vcpu);
	bool irq;

	if (unlikely(READ_ONCE(vcpu->timer_early)))
		hvm_lapic_await_deadline(vcpu);
	if (!vcpu->inj && vcpu->exception.pending)
		inject_exception(vcpu);
	/* A debugger that steps may want no handlers in between. */
	if (unlikely(vcpu->guest_debug & HVM_GUESTDBG_BLOCKIRQ))
		return 1;

	if (atomic_read(&vcpu->nmi_pending)) {
		if (shadow & HVM_SHADOW_NMI)
			atomic_cmpxchg(&vcpu->nmi_pending, 2, 1);
		if (!vcpu->inj && !shadow) {
			atomic_dec(&vcpu->nmi_pending);
			vcpu->inj = HVM_INJ_VALID | HVM_INJ_NMI | NMI_VECTOR_NR;
			vcpu->stat[HVM_STAT_NMI_INJECTIONS]++;
			shadow |= HVM_SHADOW_NMI;
			hvm_call(set_shadow, vcpu, shadow);
		}
		if (atomic_read(&vcpu->nmi_pending))
			windows |= HVM_WINDOW_NMI;
	}

	irq = injectable(vcpu);
	if (irq && !vcpu->inj && vcpu->rflags & X86_EFLAGS_IF &&
	    !(shadow & (HVM_SHADOW_STI | HVM_SHADOW_MOV_SS))) {
		inject_irq(vcpu);
		irq = injectable(vcpu);
	}
	if (irq || wants_window(vcpu))
		windows |= HVM_WINDOW_IRQ;
	set_windows(vcpu, windows, vcpu->apic && !vcpu->virtual_irq ? hvm_lapic_threshold(vcpu) : -1);
	if (unlikely(vcpu->vapic))
		hvm_lapic_to_vapic(vcpu);
	return 1;
}

/* Interrupts off. With virtual interrupts the processor only has to be told of a new vector. */
bool hvm_fast_event(struct hvm_vcpu *vcpu)
{
	if (!vcpu->virtual_irq || READ_ONCE(vcpu->requests) != BIT(HVM_REQ_EVENT))
		return false;
	/* Before looking at what was asked for: more may come. */
	test_and_clear_bit(HVM_REQ_EVENT, &vcpu->requests);
	if (vcpu->exception.pending || atomic_read(&vcpu->nmi_pending) || ext_irq_next(vcpu) ||
	    vcpu->timer_early || vcpu->windows || vcpu->vapic || hvm_lapic_has_init_sipi(vcpu)) {
		hvm_request_only(vcpu, HVM_REQ_EVENT);
		return false;
	}
	hvm_backend->set_windows(vcpu);
	return true;
}

/**
 * hvm_vcpu_runnable - would anything end a HLT, or a wait for INIT or SIPI?
 * @vcpu: own thread; also with the task state set to sleep, so nothing here sleeps
 */
bool hvm_vcpu_runnable(struct hvm_vcpu *vcpu)
{
	if (vcpu->mp_state == HVM_MP_STATE_RUNNABLE)
		return true;
	if (vcpu->apic && hvm_lapic_has_init_sipi(vcpu))
		return true;
	if (vcpu->mp_state != HVM_MP_STATE_HALTED)
		return false;
	if (READ_ONCE(vcpu->pv_unhalted) || vcpu->exception.pending || vcpu->inj)
		return true;
	if (atomic_read(&vcpu->nmi_pending) &&
	    !(hvm_call(get_shadow, vcpu) & HVM_SHADOW_NMI))
		return true;
	return vcpu->rflags & X86_EFLAGS_IF && irq_pending(vcpu);
}

/* ---- HVM_GET_VCPU_EVENTS, HVM_SET_VCPU_EVENTS ---- */

static void get_exception(struct hvm_vcpu *vcpu, struct hvm_vcpu_events *ev)
{
	struct hvm_exception *e = &vcpu->exception;

	if (inj_is_exception(vcpu)) {
		ev->exception.injected = 1;
		ev->exception.nr = vcpu->inj & HVM_INJ_VECTOR;
		ev->exception.has_error_code = !!(vcpu->inj & HVM_INJ_HAS_ERR);
		ev->exception.error_code = vcpu->inj >> 32;
	}
	if (!e->pending)
		return;
	/* Userspace that knows no payload must find DR6 and CR2 already changed. */
	if (!vcpu->vm->exception_payload)
		deliver_payload(vcpu);
	ev->exception.pending = 1;
	ev->exception.injected = !vcpu->vm->exception_payload;
	ev->exception.nr = e->nr;
	ev->exception.has_error_code = e->has_error_code;
	ev->exception.error_code = e->error_code;
	ev->exception_has_payload = e->has_payload;
	ev->exception_payload = e->payload;
}

/**
 * hvm_irq_under_way - the interrupt that saved state has as being delivered
 * @vcpu: loaded
 *
 * Return: its vector, -1: none. Without a local APIC that of HVM_INTERRUPT is one
 * at once; so whatever state is set takes its place, or takes it back.
 */
int hvm_irq_under_way(struct hvm_vcpu *vcpu)
{
	if (vcpu->inj && (vcpu->inj & HVM_INJ_TYPE) == HVM_INJ_INTR)
		return vcpu->inj & HVM_INJ_VECTOR;
	return vcpu->apic ? -1 : vcpu->ext_irq;
}

void hvm_get_events(struct hvm_vcpu *vcpu, struct hvm_vcpu_events *ev)
{
	u32 shadow = hvm_call(get_shadow, vcpu);
	int irq = hvm_irq_under_way(vcpu);

	memset(ev, 0, sizeof(*ev));
	get_exception(vcpu, ev);
	if (irq >= 0) {
		ev->interrupt.injected = 1;
		ev->interrupt.nr = irq;
	}
	if (shadow & HVM_SHADOW_STI)
		ev->interrupt.shadow |= HVM_X86_SHADOW_INT_STI;
	if (shadow & HVM_SHADOW_MOV_SS)
		ev->interrupt.shadow |= HVM_X86_SHADOW_INT_MOV_SS;
	ev->nmi.injected = vcpu->inj && (vcpu->inj & HVM_INJ_TYPE) == HVM_INJ_NMI;
	ev->nmi.pending = atomic_read(&vcpu->nmi_pending) != 0;
	ev->nmi.masked = !!(shadow & HVM_SHADOW_NMI);
	ev->flags = HVM_VCPUEVENT_VALID_NMI_PENDING | HVM_VCPUEVENT_VALID_SHADOW |
		    HVM_VCPUEVENT_VALID_SMM;
	if (vcpu->vm->exception_payload)
		ev->flags |= HVM_VCPUEVENT_VALID_PAYLOAD;
	if (vcpu->vm->triple_fault_event) {
		ev->triple_fault.pending = !!(READ_ONCE(vcpu->requests) & BIT(HVM_REQ_TRIPLE_FAULT));
		ev->flags |= HVM_VCPUEVENT_VALID_TRIPLE_FAULT;
	}
}

static int check_events(struct hvm_vcpu *vcpu, const struct hvm_vcpu_events *ev)
{
	u32 valid = HVM_VCPUEVENT_VALID_NMI_PENDING | HVM_VCPUEVENT_VALID_SIPI_VECTOR |
		    HVM_VCPUEVENT_VALID_SHADOW | HVM_VCPUEVENT_VALID_SMM;

	if (vcpu->vm->exception_payload)
		valid |= HVM_VCPUEVENT_VALID_PAYLOAD;
	if (vcpu->vm->triple_fault_event)
		valid |= HVM_VCPUEVENT_VALID_TRIPLE_FAULT;
	if (ev->flags & ~valid)
		return -EINVAL;
	if ((ev->exception.injected || ev->exception.pending) &&
	    (ev->exception.nr > 31 || ev->exception.nr == NMI_VECTOR_NR))
		return -EINVAL;
	/* There is no system management mode to be in. */
	if (ev->flags & HVM_VCPUEVENT_VALID_SMM && (ev->smi.smm || ev->smi.pending))
		return -EINVAL;
	return 0;
}

/**
 * hvm_trap_from_user - HVM_REQ_USER_TRAP: userspace handed in a #BP or #OF to be delivered
 * @vcpu: loaded; may sleep
 *
 * Both are traps, whose handler returns behind the instruction, and RIP is at it
 * (a debugger found that this breakpoint was not its own). What hvm itself was
 * delivering when it was saved has RIP behind it already.
 */
void hvm_trap_from_user(struct hvm_vcpu *vcpu)
{
	u8 nr = vcpu->inj & HVM_INJ_VECTOR, buf[2] = {};

	if (!inj_is_exception(vcpu) || (nr != 3 && nr != 4) || hvm_fetch_insn(vcpu, buf, 2) <= 0)
		return;
	if (buf[0] == (nr == 3 ? 0xcc : 0xce))
		vcpu->rip += 1;
	else if (buf[0] == 0xcd && buf[1] == nr)
		vcpu->rip += 2;
}

static void set_exception(struct hvm_vcpu *vcpu, const struct hvm_vcpu_events *ev)
{
	bool payload = ev->flags & HVM_VCPUEVENT_VALID_PAYLOAD;
	struct hvm_exception *e = &vcpu->exception;

	memset(e, 0, sizeof(*e));
	if (payload && ev->exception.pending) {
		e->pending = true;
		e->nr = ev->exception.nr;
		e->has_error_code = ev->exception.has_error_code;
		e->error_code = ev->exception.error_code;
		e->has_payload = ev->exception_has_payload;
		e->payload = ev->exception_payload;
	} else if (ev->exception.injected) {
		vcpu->inj = HVM_INJ_VALID | HVM_INJ_EXC | ev->exception.nr;
		if (ev->exception.has_error_code)
			vcpu->inj |= HVM_INJ_HAS_ERR | (u64)ev->exception.error_code << 32;
		/* RIP may be set later than this. */
		hvm_request_only(vcpu, HVM_REQ_USER_TRAP);
	}
}

int hvm_set_events(struct hvm_vcpu *vcpu, const struct hvm_vcpu_events *ev)
{
	u32 shadow;
	int r = check_events(vcpu, ev);

	if (r)
		return r;
	vcpu->inj = 0;
	if (!vcpu->apic)
		vcpu->ext_irq = -1;
	if (ev->interrupt.injected)
		vcpu->inj = HVM_INJ_VALID | HVM_INJ_INTR | ev->interrupt.nr;
	if (ev->nmi.injected)
		vcpu->inj = HVM_INJ_VALID | HVM_INJ_NMI | NMI_VECTOR_NR;
	set_exception(vcpu, ev);

	shadow = hvm_call(get_shadow, vcpu) & ~HVM_SHADOW_NMI;
	if (ev->flags & HVM_VCPUEVENT_VALID_SHADOW) {
		shadow = 0;
		if (ev->interrupt.shadow & HVM_X86_SHADOW_INT_STI)
			shadow |= HVM_SHADOW_STI;
		if (ev->interrupt.shadow & HVM_X86_SHADOW_INT_MOV_SS)
			shadow |= HVM_SHADOW_MOV_SS;
	}
	if (ev->nmi.masked)
		shadow |= HVM_SHADOW_NMI;
	hvm_call(set_shadow, vcpu, shadow);
	if (ev->flags & HVM_VCPUEVENT_VALID_NMI_PENDING)
		atomic_set(&vcpu->nmi_pending, ev->nmi.pending ? 1 : 0);
	if (ev->flags & HVM_VCPUEVENT_VALID_SIPI_VECTOR)
		vcpu->sipi_vector = ev->sipi_vector;
	if (ev->flags & HVM_VCPUEVENT_VALID_TRIPLE_FAULT) {
		if (ev->triple_fault.pending)
			hvm_request_only(vcpu, HVM_REQ_TRIPLE_FAULT);
		else
			clear_bit(HVM_REQ_TRIPLE_FAULT, &vcpu->requests);
	}
	hvm_request_only(vcpu, HVM_REQ_EVENT);
	return 0;
}
