// SPDX-License-Identifier: GPL-2.0-only
/*
 * pit.c - the 8254 interval timer, and port 0x61 beside it
 *
 * Counter 0 is an hrtimer that raises GSI 0 from hard interrupt context; what
 * the counters read is computed from the time of their last reload. Counting in
 * BCD is not offered, counts are binary.
 *
 * Ticks that come faster than the guest takes them are kept and given to it one
 * by one, each when it has ended the interrupt of the one before (reinjection),
 * since old guests count ticks to know the time. HVM_REINJECT_CONTROL turns
 * that off. Local APICs whose LVT0 is an NMI get each tick as one. A guest may
 * ask for 1.19 million ticks a second; it gets 5,000.
 *
 * Locks: pit->lock, a mutex, for the counters. The timer's callback takes no lock of
 * this file; it reads the period, which only changes while the timer is
 * cancelled, and what is atomic.
 */
#include <linux/math64.h>
#include <linux/slab.h>
#include "legacy.h"

#define PIT_HZ		1193182
#define MIN_PERIOD_NS	200000		/* as for the local APIC's timer */
#define MAX_PENDING	(1 << 20)	/* ticks kept for a guest that does not look */
#define STOPPED		0xff		/* mode of a counter that was never programmed */

/* rw_mode, read_state, write_state; BOTH goes on to HIGH_NEXT after the low byte */
enum { LOW = 1, HIGH, BOTH, HIGH_NEXT };

struct hvm_pit {
	struct hvm_vm *vm;		/* [C] */
	struct mutex lock;
	struct hvm_pit_channel_state ch[3];	/* [lock] */
	u32 flags;			/* [lock] HVM_PIT_FLAGS_* */
	bool port61;			/* [C] answers there too */
	struct hrtimer timer;
	u64 period;			/* [*] ns, 0 = once: see above */
	bool reinject;			/* [A] */
	atomic_t acked;			/* the last tick was taken */
	atomic_t pending;		/* ticks, the one under way included, not taken yet */
};

/* ---- ticks ---- */

static void inject(struct hvm_pit *pit)
{
	struct hvm_vcpu *vcpu;
	int i;

	if (READ_ONCE(pit->reinject) && !atomic_xchg(&pit->acked, 0))
		return;
	hvm_set_irq(pit->vm, HVM_IRQ_PIT, HVM_PIT_GSI, 1);
	hvm_set_irq(pit->vm, HVM_IRQ_PIT, HVM_PIT_GSI, 0);
	/* Guests take it at LINT0 as their watchdog's NMI, too. */
	hvm_for_each_vcpu(i, vcpu, pit->vm)
		if (hvm_lapic_lint0_nmi(vcpu))
			hvm_queue_nmi(vcpu);
}

static enum hrtimer_restart tick(struct hrtimer *timer)
{
	struct hvm_pit *pit = container_of(timer, struct hvm_pit, timer);
	u64 n = pit->period ? hrtimer_forward_now(timer, pit->period) : 1;

	if (READ_ONCE(pit->reinject) && atomic_read(&pit->pending) < MAX_PENDING)
		atomic_add(min_t(u64, n, MAX_PENDING), &pit->pending);
	inject(pit);
	return pit->period ? HRTIMER_RESTART : HRTIMER_NORESTART;
}

bool hvm_pit_wants_ack(struct hvm_vm *vm)
{
	struct hvm_pit *pit = READ_ONCE(vm->pit);

	return pit && READ_ONCE(pit->reinject);
}

void hvm_pit_acked(struct hvm_vm *vm)
{
	struct hvm_pit *pit = vm->pit;

	atomic_set(&pit->acked, 1);
	/* A tick that comes now either finds `acked` or is counted below. */
	smp_mb();
	if (atomic_dec_if_positive(&pit->pending) > 0)
		inject(pit);
}

static void forget_ticks(struct hvm_pit *pit)
{
	atomic_set(&pit->pending, 0);
	atomic_set(&pit->acked, 1);
}

void hvm_pit_unmasked(struct hvm_vm *vm)
{
	if (hvm_pit_wants_ack(vm))
		forget_ticks(vm->pit);
}

/* ---- counters; under pit->lock ---- */

static void timer_set(struct hvm_pit *pit, u64 ns, bool periodic)
{
	pit->period = periodic ? max_t(u64, ns, MIN_PERIOD_NS) : 0;
	forget_ticks(pit);
	hrtimer_start(&pit->timer, ns_to_ktime(ns), HRTIMER_MODE_REL_HARD);
}

static void load(struct hvm_pit *pit, int i, u32 count)
{
	struct hvm_pit_channel_state *c = &pit->ch[i];
	u64 ns;

	c->count = count ?: 0x10000;
	c->count_load_time = ktime_get();
	if (i)
		return;
	hrtimer_cancel(&pit->timer);
	ns = mul_u64_u32_div(c->count, NSEC_PER_SEC, PIT_HZ);
	if (c->mode <= 4 && !(pit->flags & HVM_PIT_FLAGS_HPET_LEGACY))
		timer_set(pit, ns, c->mode == 2 || c->mode == 3);
}

/* Input clocks since the counter was loaded. */
static u64 clocks(const struct hvm_pit_channel_state *c)
{
	return mul_u64_u32_div(ktime_get() - c->count_load_time, PIT_HZ, NSEC_PER_SEC);
}

static u16 count_now(const struct hvm_pit_channel_state *c)
{
	u64 t = clocks(c);

	switch (c->mode) {
	case 0:
	case 1:
	case 4:
	case 5:
		return c->count - t;	/* goes on below 0 */
	case 3:				/* counts by two */
		t *= 2;
	}
	return c->count - (u32)(t - div_u64(t, c->count) * c->count);
}

static bool output(const struct hvm_pit_channel_state *c)
{
	u64 t = clocks(c);
	u32 rest;

	div_u64_rem(t, c->count, &rest);
	switch (c->mode) {
	case 1:
		return t < c->count;
	case 2:
		return !rest && t;
	case 3:
		return rest < (c->count + 1) / 2;
	case 4:
	case 5:
		return t == c->count;
	}
	return t >= c->count;
}

static void latch_count(struct hvm_pit_channel_state *c)
{
	if (c->count_latched)
		return;
	c->latched_count = count_now(c);
	c->count_latched = c->rw_mode;
}

static void latch_status(struct hvm_pit_channel_state *c)
{
	if (c->status_latched)
		return;
	c->status = output(c) << 7 | c->rw_mode << 4 | c->mode << 1 | c->bcd;
	c->status_latched = 1;
}

/* ---- ports; under pit->lock ---- */

static void control(struct hvm_pit *pit, u8 val)
{
	struct hvm_pit_channel_state *c = &pit->ch[val >> 6];
	int i, access = val >> 4 & 3;

	if (val >> 6 == 3) {		/* read back */
		for (i = 0; i < 3; i++) {
			if (val & 2 << i && !(val & 0x20))
				latch_count(&pit->ch[i]);
			if (val & 2 << i && !(val & 0x10))
				latch_status(&pit->ch[i]);
		}
		return;
	}
	if (!access) {
		latch_count(c);
		return;
	}
	c->rw_mode = c->read_state = c->write_state = access;
	c->mode = val >> 1 & 7;
	if (c->mode > 5)
		c->mode -= 4;
	c->bcd = val & 1;
}

static void counter_write(struct hvm_pit *pit, int i, u8 val)
{
	struct hvm_pit_channel_state *c = &pit->ch[i];

	switch (c->write_state) {
	case LOW:
		load(pit, i, val);
		break;
	case HIGH:
		load(pit, i, val << 8);
		break;
	case BOTH:
		c->write_latch = val;
		c->write_state = HIGH_NEXT;
		break;
	case HIGH_NEXT:
		load(pit, i, c->write_latch | val << 8);
		c->write_state = BOTH;
		break;
	}
}

static u8 counter_read(struct hvm_pit_channel_state *c)
{
	u8 *state = c->count_latched ? &c->count_latched : &c->read_state;
	u16 val = c->count_latched ? c->latched_count : count_now(c);

	if (c->status_latched) {
		c->status_latched = 0;
		return c->status;
	}
	switch (*state) {
	case BOTH:
		*state = HIGH_NEXT;
		return val;
	case HIGH_NEXT:
	case HIGH:
		val >>= 8;
		break;
	}
	/* The latch is empty; without one the next read begins again. */
	if (c->count_latched)
		c->count_latched = 0;
	else if (*state == HIGH_NEXT)
		*state = BOTH;
	return val;
}

static u8 port61_read(struct hvm_pit *pit)
{
	bool refresh = ktime_get() >> 14 & 1;	/* toggles every 16 us, about */

	return pit->ch[2].gate | (pit->flags & HVM_PIT_FLAGS_SPEAKER_DATA_ON) |
	       refresh << 4 | output(&pit->ch[2]) << 5;
}

static void port61_write(struct hvm_pit *pit, u8 val)
{
	struct hvm_pit_channel_state *c = &pit->ch[2];

	pit->flags &= ~HVM_PIT_FLAGS_SPEAKER_DATA_ON;
	pit->flags |= val & HVM_PIT_FLAGS_SPEAKER_DATA_ON;
	/* The gate's rising edge starts the counter anew, in the modes that count it so. */
	if (val & 1 && !c->gate && c->mode != 0 && c->mode != 4)
		c->count_load_time = ktime_get();
	c->gate = val & 1;
}

static u8 port_read(struct hvm_pit *pit, u16 port)
{
	if (port == 0x61)
		return port61_read(pit);
	return port == 0x43 ? 0 : counter_read(&pit->ch[port & 3]);
}

static void port_write(struct hvm_pit *pit, u16 port, u8 val)
{
	if (port == 0x61)
		port61_write(pit, val);
	else if (port == 0x43)
		control(pit, val);
	else
		counter_write(pit, port & 3, val);
}

/**
 * hvm_pit_pio - the guest reads or writes a port of the 8254, or 0x61
 * @vm: the VM; may sleep
 * @port: the port
 * @len: bytes; of wider accesses the first counts
 * @data: where they go or come from
 * @in: direction
 *
 * Return: false: not ports of these, or not only.
 */
bool hvm_pit_pio(struct hvm_vm *vm, u16 port, u32 len, void *data, bool in)
{
	/* Pairs with hvm_pit_create(). */
	struct hvm_pit *pit = smp_load_acquire(&vm->pit);

	if (!pit || (port == 0x61 ? !pit->port61 :
		     (port & ~3) != 0x40 || (port & 3) + len > 4))
		return false;
	mutex_lock(&pit->lock);
	if (in) {
		memset(data, 0, len);
		*(u8 *)data = port_read(pit, port);
	} else {
		port_write(pit, port, *(u8 *)data);
	}
	mutex_unlock(&pit->lock);
	return true;
}

/* ---- state, life ---- */

void hvm_pit_get(struct hvm_vm *vm, struct hvm_pit_state2 *s)
{
	struct hvm_pit *pit = vm->pit;

	memset(s, 0, sizeof(*s));
	mutex_lock(&pit->lock);
	memcpy(s->channels, pit->ch, sizeof(s->channels));
	s->flags = pit->flags;
	mutex_unlock(&pit->lock);
}

void hvm_pit_put(struct hvm_vm *vm, const struct hvm_pit_channel_state *ch, const u32 *flags)
{
	struct hvm_pit *pit = vm->pit;
	int i;

	mutex_lock(&pit->lock);
	memcpy(pit->ch, ch, sizeof(pit->ch));
	if (flags)
		pit->flags = *flags;
	/* Counting starts anew: nobody's clock says when it last did. */
	for (i = 0; i < ARRAY_SIZE(pit->ch); i++)
		load(pit, i, ch[i].count);
	mutex_unlock(&pit->lock);
}

void hvm_pit_set_reinject(struct hvm_vm *vm, bool on)
{
	struct hvm_pit *pit = vm->pit;

	mutex_lock(&pit->lock);
	if (on && !pit->reinject)
		forget_ticks(pit);
	WRITE_ONCE(pit->reinject, on);
	mutex_unlock(&pit->lock);
	/* Its EOIs are of interest now, or no more. */
	hvm_routing_scan(vm);
}

int hvm_pit_create(struct hvm_vm *vm, u32 flags)
{
	struct hvm_pit *pit = kzalloc(sizeof(*pit), GFP_KERNEL_ACCOUNT);
	int i;

	if (!pit)
		return -ENOMEM;
	pit->vm = vm;
	pit->port61 = flags & HVM_PIT_SPEAKER_DUMMY;
	pit->reinject = true;
	mutex_init(&pit->lock);
	hrtimer_setup(&pit->timer, tick, CLOCK_MONOTONIC, HRTIMER_MODE_ABS_HARD);
	forget_ticks(pit);
	for (i = 0; i < ARRAY_SIZE(pit->ch); i++) {
		pit->ch[i].mode = STOPPED;
		pit->ch[i].gate = i != 2;
		load(pit, i, 0);
	}
	/* Who sees it sees it whole. */
	smp_store_release(&vm->pit, pit);
	hvm_routing_scan(vm);
	return 0;
}

void hvm_pit_destroy(struct hvm_vm *vm)
{
	if (!vm->pit)
		return;
	hrtimer_cancel(&vm->pit->timer);
	kfree(vm->pit);
	vm->pit = NULL;
}
