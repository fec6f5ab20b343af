// SPDX-License-Identifier: GPL-2.0-only
/*
 * The local APIC's timer: one-shot, periodic and TSC-deadline, waking HLT;
 * masked, stopped, read while it runs.
 */
#include "guest.h"
#include "kselftest_harness.h"

#define VEC 0xe0

static volatile uint64_t ticks, last_tsc, left_over;
static uint64_t khz;

static void tick(struct trap_frame *f)
{
	ticks++;
	last_tsc = rdtsc();
	xapic_write(APIC_EOI, 0);
}

/* a deadline that has expired is no more when its interrupt is there */
static void tick_once(struct trap_frame *f)
{
	left_over |= rdmsr(MSR_TSC_DEADLINE);
	tick(f);
}

static void start(uint32_t mode, uint32_t count)
{
	guest_handlers[VEC] = tick;
	xapic_enable();
	xapic_write(APIC_TDCR, 0xb);		/* by 1 */
	xapic_write(APIC_LVTT, VEC | mode);
	xapic_write(APIC_TMICT, count);
}

static void g_one_shot(void)
{
	uint64_t a = rdtsc(), i;

	start(0, 30000000);			/* 30 ms: a bus tick is 1 ns */
	GUEST_ASSERT(xapic_read(APIC_TMCCT) > 0);
	GUEST_ASSERT(xapic_read(APIC_TMCCT) <= 30000000);
	sti_hlt();
	cli();
	GUEST_ASSERT_EQ(ticks, 1);
	GUEST_ASSERT((last_tsc - a) / khz >= 29);
	GUEST_ASSERT_EQ(xapic_read(APIC_TMCCT), 0);
	/* once only */
	sti();
	for (i = 0; i < 5 * khz; i = rdtsc() - last_tsc)
		cpu_relax();
	GUEST_ASSERT_EQ(ticks, 1);
	/* stopped before it fires */
	xapic_write(APIC_TMICT, 40000000);
	xapic_write(APIC_TMICT, 0);
	a = rdtsc();
	while (rdtsc() - a < 45 * khz)
		cpu_relax();
	GUEST_ASSERT_EQ(ticks, 1);
	/* masked */
	xapic_write(APIC_LVTT, VEC | APIC_LVT_MASKED);
	xapic_write(APIC_TMICT, 500000);
	a = rdtsc();
	while (rdtsc() - a < 3 * khz)
		cpu_relax();
	GUEST_ASSERT_EQ(ticks, 1);
	cli();
}

static void g_periodic(void)
{
	uint64_t a = rdtsc();

	start(APIC_LVT_PERIODIC, 2000000);
	while (ticks < 5)
		sti_hlt();
	GUEST_ASSERT((last_tsc - a) / khz >= 9);
	xapic_write(APIC_TMICT, 0);
	cli();
}

static void g_deadline(void)
{
	uint64_t a, i, when;

	guest_handlers[VEC] = tick;
	xapic_enable();
	xapic_write(APIC_LVTT, VEC | APIC_LVT_DEADLINE);
	for (i = 1; i <= 4; i++) {
		a = rdtsc();
		when = a + 30 * khz;
		wrmsr(MSR_TSC_DEADLINE, when);
		GUEST_ASSERT_EQ(rdmsr(MSR_TSC_DEADLINE), when);
		sti_hlt();
		cli();
		GUEST_ASSERT_EQ(ticks, i);
		GUEST_ASSERT(last_tsc >= when);
		GUEST_ASSERT_EQ(rdmsr(MSR_TSC_DEADLINE), 0);
	}
	/* in the past: at once */
	wrmsr(MSR_TSC_DEADLINE, 1);
	sti();
	a = rdtsc();
	while (ticks < 5 && rdtsc() - a < 100 * khz)
		cpu_relax();
	GUEST_ASSERT_EQ(ticks, 5);
	/* disarmed */
	wrmsr(MSR_TSC_DEADLINE, rdtsc() + 40 * khz);
	wrmsr(MSR_TSC_DEADLINE, 0);
	a = rdtsc();
	while (rdtsc() - a < 45 * khz)
		cpu_relax();
	GUEST_ASSERT_EQ(ticks, 5);
	/* in another mode the MSR takes nothing */
	xapic_write(APIC_LVTT, VEC);
	wrmsr(MSR_TSC_DEADLINE, rdtsc() + 2 * khz);
	GUEST_ASSERT_EQ(rdmsr(MSR_TSC_DEADLINE), 0);
	cli();
}

/*
 * However well the host has learnt to be there in time, it is never too soon:
 * halted, and in the middle of running.
 */
static void g_not_early(void)
{
	uint64_t i, when;

	guest_handlers[VEC] = tick_once;
	xapic_enable();
	xapic_write(APIC_LVTT, VEC | APIC_LVT_DEADLINE);
	for (i = 1; i <= 200; i++) {
		when = rdtsc() + khz / 2 * (1 + i % 3);
		wrmsr(MSR_TSC_DEADLINE, when);
		if (i % 4) {
			sti_hlt();
			cli();
		} else {
			sti();
			while (ticks < i)
				cpu_relax();
			cli();
		}
		GUEST_ASSERT_EQ(ticks, i);
		GUEST_ASSERT(last_tsc >= when);
		GUEST_ASSERT_EQ(left_over, 0);
	}
}

static void spin_until(uint64_t tsc)
{
	while (rdtsc() < tsc)
		cpu_relax();
}

/* False: the emulated processor stood still for so long that @old may have expired first. */
static bool move_deadline(uint64_t old, uint64_t new)
{
	wrmsr(MSR_TSC_DEADLINE, new);
	GUEST_ASSERT_EQ(rdmsr(MSR_TSC_DEADLINE), new);
	return rdtsc() < old - khz;
}

/* Move a deadline in one way or another. Returns the one that counts; 0: too slow. */
static uint64_t moved(uint64_t way, uint64_t a)
{
	const uint64_t step = 40 * khz;
	bool ok;

	wrmsr(MSR_TSC_DEADLINE, a + step);
	ok = move_deadline(a + step, a + 4 * step);	/* put off */
	switch (way) {
	case 1:						/* taken nearer again */
		ok &= move_deadline(a + 4 * step, a + 2 * step);
		return ok ? a + 2 * step : 0;
	case 2:						/* further off, once the first has passed */
		spin_until(a + 2 * step);
		ok &= move_deadline(a + 4 * step, a + 6 * step);
		return ok ? a + 6 * step : 0;
	case 3:						/* ... nearer */
		ok &= move_deadline(a + 4 * step, a + 50 * step);
		spin_until(a + 2 * step);
		ok &= move_deadline(a + 50 * step, a + 3 * step);
		return ok ? a + 3 * step : 0;
	case 4:						/* taken back, and a new one */
		ok &= move_deadline(a + 4 * step, 0);
		sti();
		spin_until(a + 5 * step);
		cli();
		wrmsr(MSR_TSC_DEADLINE, a + 6 * step);
		return ok ? a + 6 * step : 0;
	}
	return ok ? a + 4 * step : 0;
}

/*
 * A deadline that moves while it runs: only the last one counts, whether the
 * guest runs meanwhile or halts.
 */
static void g_moving(void)
{
	uint64_t way, i, when;

	guest_handlers[VEC] = tick;
	xapic_enable();
	xapic_write(APIC_LVTT, VEC | APIC_LVT_DEADLINE);
	for (i = 0; i < 10; i++) {
		way = i / 2;
		ticks = 0;
		when = moved(way, rdtsc());
		if (!when) {
			wrmsr(MSR_TSC_DEADLINE, 0);
			sti_nop();
			cli();
			i--;
			continue;
		}
		GUEST_ASSERT_EQ(ticks, 0);
		if (i % 2) {
			sti_hlt();
		} else {
			sti();
			while (!ticks)
				cpu_relax();
		}
		cli();
		GUEST_ASSERT_EQ(ticks, 1);
		GUEST_ASSERT(last_tsc >= when);
		GUEST_ASSERT(last_tsc < when + 1000 * khz);
		GUEST_ASSERT_EQ(rdmsr(MSR_TSC_DEADLINE), 0);
	}
	/* by a little more each time, past the first one's time: the last comes */
	sti();
	for (i = 0; i < 100; i++) {
		when = rdtsc() + 2 * khz;
		wrmsr(MSR_TSC_DEADLINE, when);
		spin_until(when - 3 * khz / 2);
	}
	while (last_tsc < when)
		cpu_relax();
	cli();
}

/* A deadline by the clock as it is now, while one by the clock as it was still runs. */
static void g_tsc_moves(void)
{
	uint64_t when;

	guest_handlers[VEC] = tick;
	xapic_enable();
	xapic_write(APIC_LVTT, VEC | APIC_LVT_DEADLINE);
	wrmsr(MSR_TSC_DEADLINE, rdtsc() + 200 * khz);
	wrmsr(MSR_TSC, rdtsc() + 3600000 * khz);
	when = rdtsc() + 300 * khz;
	wrmsr(MSR_TSC_DEADLINE, when);
	sti();
	while (!ticks)
		cpu_relax();
	cli();
	GUEST_ASSERT(last_tsc >= when);
	GUEST_ASSERT(last_tsc < when + 1000 * khz);
}

/* halted for good in the kernel, with no timer: only userspace wakes it */
static void run_timer(struct __test_metadata *_metadata, void (*fn)(void))
{
	struct gcpu *c = gcpu_new(gvm_new(GVM_SPLIT), 0, fn);

	khz = hvm_get_tsc_khz(c->fd);
	gcpu_start(c);
	ASSERT_EQ(UCALL_DONE, gcpu_join(c, 15));
}

TEST(one_shot) { run_timer(_metadata, g_one_shot); }
TEST(periodic) { run_timer(_metadata, g_periodic); }
TEST(tsc_deadline) { run_timer(_metadata, g_deadline); }
TEST(never_early) { run_timer(_metadata, g_not_early); }
TEST(moving_deadline) { run_timer(_metadata, g_moving); }
TEST(moving_tsc) { run_timer(_metadata, g_tsc_moves); }

/* the timer goes on while the vCPU is outside */
static void g_outside(void)
{
	start(0, 1000000);
	GUEST_SYNC(1);
	GUEST_ASSERT_EQ(ticks, 0);
	sti_nop();
	GUEST_ASSERT_EQ(ticks, 1);
}

TEST(fires_outside)
{
	struct gcpu *c = gcpu_new(gvm_new(GVM_SPLIT), 0, g_outside);

	ASSERT_SYNC(c, 1);
	usleep(20000);
	ASSERT_DONE(c);
}

/* and a timer that was armed moves with GET and SET of the state */
static void g_moved(void)
{
	guest_handlers[VEC] = tick;
	xapic_enable();
	xapic_write(APIC_LVTT, VEC | APIC_LVT_DEADLINE);
	wrmsr(MSR_TSC_DEADLINE, rdtsc() + 300 * khz);
	GUEST_SYNC(1);
	sti_hlt();
	GUEST_ASSERT_EQ(ticks, 1);
}

TEST(deadline_is_state)
{
	struct gcpu *c = gcpu_new(gvm_new(GVM_SPLIT), 0, g_moved);
	uint64_t v;

	khz = hvm_get_tsc_khz(c->fd);
	ASSERT_SYNC(c, 1);
	ASSERT_EQ(0, hvm_get_msr(c->fd, MSR_TSC_DEADLINE, &v));
	EXPECT_LT(0ull, v);
	ASSERT_EQ(0, hvm_set_msr(c->fd, MSR_TSC_DEADLINE, 0));
	ASSERT_EQ(0, hvm_set_msr(c->fd, MSR_TSC_DEADLINE, v));
	gcpu_start(c);
	ASSERT_EQ(UCALL_DONE, gcpu_join(c, 10));
}

/*
 * QEMU restores a local APIC without the current count. A one-shot timer that
 * may have been running must not be forgotten: its interrupt comes at once.
 */
static void g_restored(void)
{
	uint64_t a;

	start(0, 0xffffffff);			/* 4.3 s */
	GUEST_SYNC(1);
	a = rdtsc();
	sti_hlt();
	cli();
	GUEST_ASSERT_EQ(ticks, 1);
	GUEST_ASSERT((last_tsc - a) / khz < 2000);
	/* one that was never started is not */
	xapic_write(APIC_TMICT, 0);
	GUEST_SYNC(2);
	sti_nop();
	GUEST_ASSERT_EQ(ticks, 1);
}

static void restore_without_count(struct __test_metadata *_metadata, struct gcpu *c)
{
	struct hvm_lapic_state s;

	ASSERT_EQ(0, ioctl(c->fd, HVM_GET_LAPIC, &s));
	*(uint32_t *)(s.regs + APIC_TMCCT) = 0;
	ASSERT_EQ(0, ioctl(c->fd, HVM_SET_LAPIC, &s));
}

TEST(restored_without_count)
{
	struct gcpu *c = gcpu_new(gvm_new(GVM_SPLIT), 0, g_restored);

	khz = hvm_get_tsc_khz(c->fd);
	ASSERT_SYNC(c, 1);
	restore_without_count(_metadata, c);
	ASSERT_SYNC(c, 2);
	restore_without_count(_metadata, c);
	ASSERT_DONE(c);
}

TEST_HARNESS_MAIN
