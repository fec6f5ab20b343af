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

/* a VM whose vCPUs are to spin before they sleep */
TEST(polls)
{
	struct gvm *vm = gvm_new(GVM_SPLIT);
	struct gcpu *c = gcpu_new(vm, 0, g_main);
	uint64_t used, i;
	uint32_t s;

	ASSERT_EQ(1, have_cap(HVM_CAP_HALT_POLL));
	EXPECT_EQ(-EINVAL, hvm_enable_cap(vm->fd, HVM_CAP_HALT_POLL, 1ull << 32));
	ASSERT_EQ(0, hvm_enable_cap(vm->fd, HVM_CAP_HALT_POLL, 2000000000));
	gcpu_start(c);
	ASSERT_TRUE(wait_for(&halts, 1, 5));
	used = cpu_ms();
	usleep(300000);
	if (device_is_hvm())
		EXPECT_LE(100, cpu_ms() - used);
	for (i = 1; i <= 10; i++) {
		ASSERT_EQ(1, hvm_signal_msi(vm->fd, APIC_GPA, 0x40));
		ASSERT_TRUE(wait_for(&woken, i, 5));
		ASSERT_TRUE(wait_for(&halts, i + 1, 5));
	}
	/* a signal ends it, too, and sleep comes after all */
	EXPECT_EQ(-EINTR, gcpu_stop(c));
	ASSERT_EQ(0, hvm_get_mp_state(c->fd, &s));
	EXPECT_EQ(HVM_MP_STATE_HALTED, s);
	ASSERT_EQ(0, hvm_enable_cap(vm->fd, HVM_CAP_HALT_POLL, 1000000));
	gcpu_start(c);
	usleep(50000);
	used = cpu_ms();
	usleep(300000);
	EXPECT_GT(150, cpu_ms() - used);
	EXPECT_EQ(-EINTR, gcpu_stop(c));
}

static volatile uint64_t got;

static void g_own(void)
{
	uint64_t v;

	/* power-state residency: read, or #GP where the processor has none */
	got = rdmsr_safe(0x3fd, &v);
	g_main();
}

/* HLT, PAUSE and power states that are the guest's own business */
TEST(left_to_the_guest)
{
	struct gvm *vm = gvm_new(GVM_SPLIT);
	int mask = have_cap(HVM_CAP_X86_DISABLE_EXITS);
	struct gcpu *c;
	uint64_t i;
	uint32_t s;

	EXPECT_EQ(14, mask & 14);
	EXPECT_EQ(-EINVAL, hvm_enable_cap(vm->fd, HVM_CAP_X86_DISABLE_EXITS, 16));
	ASSERT_EQ(0, hvm_enable_cap(vm->fd, HVM_CAP_X86_DISABLE_EXITS, mask));
	c = gcpu_new(vm, 0, g_own);
	if (device_is_hvm())
		EXPECT_EQ(-EINVAL, hvm_enable_cap(vm->fd, HVM_CAP_X86_DISABLE_EXITS, mask));
	gcpu_start(c);
	ASSERT_TRUE(wait_for(&halts, 1, 5));
	for (i = 1; i <= 5; i++) {
		ASSERT_EQ(1, hvm_signal_msi(vm->fd, APIC_GPA, 0x40));
		ASSERT_TRUE(wait_for(&woken, i, 5));
	}
	usleep(50000);
	EXPECT_EQ(-EINTR, gcpu_stop(c));
	/* the kernel has not seen the HLT */
	ASSERT_EQ(0, hvm_get_mp_state(c->fd, &s));
	EXPECT_EQ(HVM_MP_STATE_RUNNABLE, s);
	EXPECT_TRUE(got == 13 || got == (uint64_t)-1);
}

TEST_HARNESS_MAIN
