// SPDX-License-Identifier: GPL-2.0-only
/*
 * HLT with the local APIC in the kernel: the vCPU sleeps inside RUN until an
 * interrupt comes; a signal takes it out, and MP_STATE says what it was doing.
 */
#include <sys/resource.h>
#include <time.h>

#include "guest.h"
#include "kselftest_harness.h"

static volatile uint64_t woken, halts;

static void irq(struct trap_frame *f)
{
	woken++;
	xapic_write(APIC_EOI, 0);
}

static void g_main(void)
{
	guest_handlers[0x40] = irq;
	xapic_enable();
	for (;;) {
		halts++;
		sti_hlt();
	}
}

static uint64_t cpu_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

TEST(sleeps)
{
	struct gcpu *c = gcpu_new(gvm_new(GVM_SPLIT), 0, g_main);
	uint64_t used, i;
	uint32_t s;

	gcpu_start(c);
	ASSERT_TRUE(wait_for(&halts, 1, 5));
	usleep(50000);
	used = cpu_ms();
	usleep(300000);
	/* it does not spin */
	EXPECT_GT(150, cpu_ms() - used);
	EXPECT_EQ(1ull, halts);
	for (i = 1; i <= 10; i++) {
		ASSERT_EQ(1, hvm_signal_msi(c->vm->fd, APIC_GPA, 0x40));
		ASSERT_TRUE(wait_for(&woken, i, 5));
		ASSERT_TRUE(wait_for(&halts, i + 1, 5));
	}
	usleep(20000);
	EXPECT_EQ(-EINTR, gcpu_stop(c));
	ASSERT_EQ(0, hvm_get_mp_state(c->fd, &s));
	EXPECT_EQ(HVM_MP_STATE_HALTED, s);
	/* on again: still halted; and woken by userspace's word */
	gcpu_start(c);
	usleep(20000);
	EXPECT_EQ(11ull, halts);
	EXPECT_EQ(-EINTR, gcpu_stop(c));
	ASSERT_EQ(0, hvm_set_mp_state(c->fd, HVM_MP_STATE_RUNNABLE));
	gcpu_start(c);
	ASSERT_TRUE(wait_for(&halts, 12, 5));
	EXPECT_EQ(-EINTR, gcpu_stop(c));
}

/* the interrupt that was there before HLT is not slept through */
static void g_before(void)
{
	guest_handlers[0x40] = irq;
	xapic_enable();
	GUEST_SYNC(1);
	sti_hlt();
	GUEST_ASSERT_EQ(woken, 1);
	/* IF clear: only NMI, INIT and userspace wake */
	cli();
	GUEST_SYNC(2);
	halts = 1;
	hlt();
	halts = 2;
}

TEST(pending)
{
	struct gcpu *c = gcpu_new(gvm_new(GVM_SPLIT), 0, g_before);

	ASSERT_SYNC(c, 1);
	ASSERT_EQ(1, hvm_signal_msi(c->vm->fd, APIC_GPA, 0x40));
	ASSERT_SYNC(c, 2);
	ASSERT_EQ(1, hvm_signal_msi(c->vm->fd, APIC_GPA, 0x40));
	gcpu_start(c);
	ASSERT_TRUE(wait_for(&halts, 1, 5));
	usleep(50000);
	EXPECT_EQ(1ull, halts);
	EXPECT_EQ(-EINTR, gcpu_stop(c));
}

TEST_HARNESS_MAIN
