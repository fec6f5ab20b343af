// SPDX-License-Identifier: GPL-2.0-only
/*
 * lapic_timer.c - the timer of a local APIC
 *
 * An hrtimer that expires in hard interrupt context and posts its vector there.
 * It is always cancelled (which waits for the callback) before any field the
 * callback reads is changed to mean something else, but for a deadline that is
 * put off or taken back: then it may go on to where it is (->armed), and finds
 * there that it has to go further, or that nobody waits for it. So guests that
 * move their deadline all the time touch the host's timers hardly ever; while
 * they halt the host, which may be idle, is not interrupted for that
 * (hvm_lapic_halting()). The APIC timer's clock is 1 GHz: one tick is a nanosecond.
 *
 * A TSC deadline is met from the other side: its hrtimer expires ahead of time
 * by what it takes to bring the vCPU back to the guest, and what was too much of
 * that is waited for just before the interrupt is injected. How much it takes is
 * learnt from each time; at most ADVANCE_MAX.
 *
 * Locks: none. All but the callback is done by whoever holds the vCPU's mutex.
 */
#include <linux/ktime.h>
#include <linux/math64.h>
#include "lapic.h"

#define MIN_PERIOD_NS		200000	/* periodic timers: no faster, or the host drowns */
#define ADVANCE_MAX		30000	/* TSC ticks: waking up takes instructions, not time */

static u64 ticks_to_ns(struct hvm_lapic *apic, u64 ticks)
{
	u32 khz = hvm_tsc_khz(apic->vcpu);

	/* At most some three years, so that the division cannot overflow. */
	return mul_u64_u32_div(min_t(u64, ticks, (u64)khz * 100000000000ULL), 1000000, khz);
}

static enum hrtimer_restart deadline_expired(struct hvm_lapic *apic)
{
	u64 armed = apic->armed, deadline;

	/* Before looking at the deadline: put_off() does it in the other order. */
	smp_store_mb(apic->armed, 0);
	deadline = READ_ONCE(apic->deadline);
	if (!deadline)
		return HRTIMER_NORESTART;
	if (deadline > armed) {
		hrtimer_add_expires_ns(&apic->timer, ticks_to_ns(apic, deadline - armed));
		WRITE_ONCE(apic->armed, deadline);
		return HRTIMER_RESTART;
	}
	/* Whoever sees the interrupt waits for its time. */
	WRITE_ONCE(apic->vcpu->timer_early, deadline);
	hvm_lapic_local_deliver(apic, APIC_LVTT);
	WRITE_ONCE(apic->deadline, 0);
	return HRTIMER_NORESTART;
}

static enum hrtimer_restart timer_expired(struct hrtimer *timer)
{
	struct hvm_lapic *apic = container_of(timer, struct hvm_lapic, timer);
	u32 mode = READ_ONCE(apic->timer_mode);

	if (mode == APIC_LVT_TIMER_TSCDEADLINE)
		return deadline_expired(apic);
	hvm_lapic_local_deliver(apic, APIC_LVTT);
	if (mode != APIC_LVT_TIMER_PERIODIC)
		return HRTIMER_NORESTART;
	/* The guest may have made a fast one-shot timer periodic. */
	hrtimer_forward_now(timer, max_t(u64, apic->period, MIN_PERIOD_NS));
	return HRTIMER_RESTART;
}

void hvm_lapic_timer_cancel(struct hvm_lapic *apic)
{
	hrtimer_cancel(&apic->timer);
	apic->armed = 0;
}

static void timer_stop(struct hvm_lapic *apic)
{
	hvm_lapic_timer_cancel(apic);
	apic->period = 0;
	apic->deadline = 0;
}

/* Count down from the initial count, @left ns of which are left; 0: it ran out before. */
static void timer_start(struct hvm_lapic *apic, u64 left)
{
	hvm_lapic_timer_cancel(apic);
	apic->period = (u64)reg_get(apic, APIC_TMICT) << apic->timer_shift;
	if (apic->period && apic->timer_mode == APIC_LVT_TIMER_PERIODIC)
		apic->period = max_t(u64, apic->period, MIN_PERIOD_NS);
	left = min(left, apic->period);
	if (left)
		hrtimer_start(&apic->timer, ns_to_ktime(left), HRTIMER_MODE_REL_HARD);
}

static u64 timer_left(struct hvm_lapic *apic)
{
	s64 left = ktime_to_ns(ktime_sub(hrtimer_get_expires(&apic->timer), ktime_get()));

	return apic->period && left > 0 ? left : 0;
}

static u8 divide_shift(u32 tdcr)
{
	return ((tdcr & 3) + (tdcr >> 1 & 4) + 1) & 7;
}

void hvm_lapic_set_divide(struct hvm_lapic *apic, u32 val)
{
	u64 ticks = timer_left(apic) >> apic->timer_shift;

	val &= 0xb;
	reg_set(apic, APIC_TDCR, val);
	apic->timer_shift = divide_shift(val);
	/* The count goes on, at the new rate. */
	if (apic->period)
		timer_start(apic, ticks << apic->timer_shift);
}

void hvm_lapic_set_lvtt(struct hvm_lapic *apic, u32 val)
{
	u32 mode = val & LVTT_MODE;

	/* Between counting and deadlines both are disarmed (SDM 3 11.5.4.1). */
	if ((mode == APIC_LVT_TIMER_TSCDEADLINE) !=
	    (apic->timer_mode == APIC_LVT_TIMER_TSCDEADLINE)) {
		timer_stop(apic);
		reg_set(apic, APIC_TMICT, 0);
	}
	WRITE_ONCE(apic->timer_mode, mode);
	reg_set(apic, APIC_LVTT, val);
}

/*
 * The timer runs already, and to before @deadline: leave it. (0 is none, so: never.)
 * Not if the TSC was changed since, as then it runs to some other time.
 */
static bool put_off(struct hvm_lapic *apic, u64 deadline)
{
	u64 armed = READ_ONCE(apic->armed);

	if (armed - 1 >= deadline - 1 || apic->tsc_moves != apic->vcpu->tsc_moves)
		return false;
	smp_store_mb(apic->deadline, deadline);
	/* It may just have expired, or gone on to the deadline before. */
	return READ_ONCE(apic->armed) - 1 < deadline - 1;
}

/* Run to ->deadline and nowhere else. */
static void start_deadline(struct hvm_lapic *apic)
{
	u64 now = hvm_tsc_read(apic->vcpu), left;

	if (!apic->deadline)
		return;
	apic->vcpu->timer_early = 0;
	if (apic->deadline <= now) {
		apic->deadline = 0;
		hvm_lapic_local_deliver(apic, APIC_LVTT);
		return;
	}
	left = apic->deadline - now;
	left -= min_t(u64, left, apic->advance);
	apic->armed = apic->deadline;
	apic->tsc_moves = apic->vcpu->tsc_moves;
	hrtimer_start(&apic->timer, ns_to_ktime(ticks_to_ns(apic, left) + 1), HRTIMER_MODE_REL_HARD);
}

void hvm_lapic_set_deadline(struct hvm_lapic *apic, u64 deadline)
{
	if (put_off(apic, deadline))
		return;
	hvm_lapic_timer_cancel(apic);
	apic->deadline = deadline;
	start_deadline(apic);
}

/**
 * hvm_lapic_halting - the vCPU is about to sleep
 * @vcpu: own thread
 *
 * From here on its timer runs to the deadline that counts.
 */
void hvm_lapic_halting(struct hvm_vcpu *vcpu)
{
	struct hvm_lapic *apic = vcpu->apic;

	if (likely(!apic || READ_ONCE(apic->armed) == READ_ONCE(apic->deadline)))
		return;
	hvm_lapic_timer_cancel(apic);
	start_deadline(apic);
}

/**
 * hvm_lapic_await_deadline - the timer's interrupt is about to be injected, maybe too early
 * @vcpu: vcpu->timer_early is the deadline
 */
void hvm_lapic_await_deadline(struct hvm_vcpu *vcpu)
{
	/* Nor more than a millisecond, however slow the guest's clock. */
	const s64 max = min_t(u32, ADVANCE_MAX, hvm_tsc_khz(vcpu));
	struct hvm_lapic *apic = vcpu->apic;
	u64 deadline = vcpu->timer_early;
	s64 late = hvm_tsc_read(vcpu) - deadline;

	vcpu->timer_early = 0;
	/* Not by that much: the TSC was set, or the thread had no CPU. */
	if (late > max || late < -max)
		return;
	apic->advance = clamp_t(s64, apic->advance + late / 8, 0, max);
	while ((s64)(hvm_tsc_read(vcpu) - deadline) < 0)
		cpu_relax();
}

/* Go on as the state says: to a deadline that may have been set before, or from its current count. */
void hvm_lapic_timer_resume(struct hvm_lapic *apic, u32 count)
{
	u64 left;

	apic->timer_shift = divide_shift(reg_get(apic, APIC_TDCR));
	apic->timer_mode = reg_get(apic, APIC_LVTT) & LVTT_MODE;
	apic->period = 0;
	if (apic->timer_mode == APIC_LVT_TIMER_TSCDEADLINE) {
		hvm_lapic_set_deadline(apic, apic->deadline);
		return;
	}
	apic->deadline = 0;
	left = (u64)count << apic->timer_shift;
	/* QEMU never says how much is left: better an interrupt too many than a tick that never comes. */
	if (!left)
		left = apic->timer_mode == APIC_LVT_TIMER_PERIODIC ? U64_MAX : 1;
	timer_start(apic, left);
}

void hvm_lapic_timer_start(struct hvm_lapic *apic)
{
	timer_start(apic, U64_MAX);
}

u32 hvm_lapic_timer_count(struct hvm_lapic *apic)
{
	return min_t(u64, timer_left(apic) >> apic->timer_shift, U32_MAX);
}

u64 hvm_lapic_get_deadline(struct hvm_lapic *apic)
{
	/* Its interrupt may be there already, and the callback not at its end. */
	if (!READ_ONCE(apic->armed))
		hvm_lapic_halting(apic->vcpu);
	return apic->timer_mode == APIC_LVT_TIMER_TSCDEADLINE ? READ_ONCE(apic->deadline) : 0;
}

void hvm_lapic_timer_reset(struct hvm_lapic *apic)
{
	timer_stop(apic);
	WRITE_ONCE(apic->timer_mode, APIC_LVT_TIMER_ONESHOT);
	apic->timer_shift = 1;
}

void hvm_lapic_timer_setup(struct hvm_lapic *apic)
{
	hrtimer_setup(&apic->timer, timer_expired, CLOCK_MONOTONIC, HRTIMER_MODE_ABS_HARD);
}
