// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's time-stamp counter: set by the guest and by userspace, adjusted,
 * the same for all vCPUs, and as fast as GET_TSC_KHZ says.
 */
#include <time.h>

#include "guest.h"
#include "kselftest_harness.h"

#define FAR	(1ull << 44)	/* beyond what runs by during a test */

static void g_set(void)
{
	uint64_t a, adjust;

	wrmsr(MSR_TSC, 1ull << 50);
	a = rdtsc();
	GUEST_ASSERT(a >= 1ull << 50 && a < (1ull << 50) + FAR);
	GUEST_ASSERT(rdmsr(MSR_TSC) >= a);
	/* TSC_ADJUST tells what was added, and adds what is written to it */
	adjust = rdmsr(MSR_TSC_ADJUST);
	GUEST_ASSERT(adjust);
	wrmsr(MSR_TSC_ADJUST, adjust + (1ull << 51));
	GUEST_ASSERT_EQ(rdmsr(MSR_TSC_ADJUST), adjust + (1ull << 51));
	a = rdtsc();
	GUEST_ASSERT(a >= 3ull << 50 && a < (3ull << 50) + FAR);
	wrmsr(MSR_TSC_ADJUST, adjust);
	a = rdtsc();
	GUEST_ASSERT(a >= 1ull << 50 && a < (1ull << 50) + FAR);
	GUEST_SYNC(1);		/* userspace sets it */
	a = rdtsc();
	GUEST_ASSERT(a >= 1ull << 52 && a < (1ull << 52) + FAR);
}

TEST(set)
{
	struct gcpu *c = gcpu_new(gvm_new(GVM_SPLIT), 0, g_set);
	uint64_t v;

	ASSERT_SYNC(c, 1);
	ASSERT_EQ(0, hvm_get_msr(c->fd, MSR_TSC, &v));
	EXPECT_LE(1ull << 50, v);
	ASSERT_EQ(0, hvm_set_msr(c->fd, MSR_TSC, 1ull << 52));
	ASSERT_DONE(c);
}

static void g_rate(void)
{
	GUEST_SYNC2(1, rdtsc(), 0);
	GUEST_SYNC2(2, rdtsc(), 0);
}

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000ull + t.tv_nsec / 1000;
}

TEST(rate)
{
	struct gcpu *c = gcpu_new(gvm_new(GVM_SPLIT), 0, g_rate);
	uint64_t a, us, ticks, khz = hvm_get_tsc_khz(c->fd);

	ASSERT_SYNC(c, 1);
	a = c->uc.arg[1];
	us = now_us();
	usleep(200000);
	ASSERT_SYNC(c, 2);
	us = now_us() - us;
	ticks = c->uc.arg[1] - a;
	/* within a tenth: the host may be slow between the readings */
	EXPECT_LT(us * khz / 1000 * 9 / 10, ticks);
	EXPECT_GT(us * khz / 1000 * 11 / 10, ticks);
}

/* two vCPUs, one after the other, see one counter */
static void g_read(void)
{
	for (;;)
		GUEST_SYNC2(1, rdtsc(), 0);
}

TEST(synchronous)
{
	struct gvm *vm = gvm_new(GVM_SPLIT);
	struct gcpu *a = gcpu_new(vm, 0, g_read), *b = gcpu_new(vm, 1, g_read);
	uint64_t last = 0;
	int i;

	ASSERT_EQ(0, hvm_set_mp_state(b->fd, HVM_MP_STATE_RUNNABLE));
	for (i = 0; i < 20; i++) {
		ASSERT_SYNC(i & 1 ? a : b, 1);
		EXPECT_LT(last, (i & 1 ? a : b)->uc.arg[1]);
		last = (i & 1 ? a : b)->uc.arg[1];
	}
}

TEST_HARNESS_MAIN
