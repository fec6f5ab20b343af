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

static uint64_t ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
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
	const uint64_t poll_ms = 4000;
	uint64_t used, i, t;
	uint32_t s;

	ASSERT_EQ(1, have_cap(HVM_CAP_HALT_POLL));
	EXPECT_EQ(-EINVAL, hvm_enable_cap(vm->fd, HVM_CAP_HALT_POLL, 1ull << 32));
	ASSERT_EQ(0, hvm_enable_cap(vm->fd, HVM_CAP_HALT_POLL, poll_ms * 1000000));
	gcpu_start(c);
	ASSERT_TRUE(wait_for(&halts, 1, 5));
	usleep(700000);
	used = cpu_ms();
	usleep(300000);
	if (device_is_hvm())
		EXPECT_LE(100, cpu_ms() - used);
	/* whatever comes ends it */
	t = ms();
	for (i = 1; i <= 10; i++) {
		ASSERT_EQ(1, hvm_signal_msi(vm->fd, APIC_GPA, 0x40));
		ASSERT_TRUE(wait_for(&woken, i, 5));
		ASSERT_TRUE(wait_for(&halts, i + 1, 5));
	}
	EXPECT_GT(3 * poll_ms, ms() - t);
	/* a signal, too; and sleep comes after all */
	t = ms();
	EXPECT_EQ(-EINTR, gcpu_stop(c));
	EXPECT_GT(poll_ms - 500, ms() - t);
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

/* what tells how long the processor slept, to be read */
static const uint32_t residency[] = { 0x660, 0x3fc, 0x3fd, 0x3fe };

static void g_residency(void)
{
	uint64_t v;
	unsigned int i;

	for (i = 0; i < ARRAY_LEN(residency); i++)
		rdmsr_safe(residency[i], &v);
	GUEST_SYNC(1);
	for (i = 0; i < ARRAY_LEN(residency); i++)
		wrmsr_safe(residency[i], 0);
	GUEST_DONE();
}

/* An access that the processor does not do by itself comes out as an unknown MSR. */
static unsigned int msr_exits(struct gcpu *c, int reason, int end)
{
	unsigned int n = 0;
	int r;

	while ((r = gcpu_run(c)) == reason) {
		c->run->msr.error = 1;
		n++;
	}
	return r == end ? n : -1u;
}

TEST(residency_msrs)
{
	/* without MSR bitmaps every access comes out */
	const bool bitmaps = !host_is_amd() && module_option("msr_bitmaps") != 0;
	struct gvm *vm;
	struct gcpu *c;
	int own;

	for (own = 0; own < 2; own++) {
		vm = gvm_new(GVM_SPLIT);
		ASSERT_EQ(0, hvm_enable_cap(vm->fd, HVM_CAP_X86_USER_SPACE_MSR,
					    HVM_MSR_EXIT_REASON_UNKNOWN));
		if (own)
			ASSERT_EQ(0, hvm_enable_cap(vm->fd, HVM_CAP_X86_DISABLE_EXITS,
						    HVM_X86_DISABLE_EXITS_CSTATE));
		c = gcpu_new(vm, 0, g_residency);
		EXPECT_EQ(own && bitmaps ? 0u : 4u, msr_exits(c, HVM_EXIT_X86_RDMSR, UCALL_SYNC));
		EXPECT_EQ(4u, msr_exits(c, HVM_EXIT_X86_WRMSR, UCALL_DONE));
		gcpu_free(c);
		gvm_free(vm);
	}
}

TEST_HARNESS_MAIN
