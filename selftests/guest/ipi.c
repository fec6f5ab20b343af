// SPDX-License-Identifier: GPL-2.0-only
/*
 * Four vCPUs: INIT and start-up IPIs bring them up, and inter-processor
 * interrupts reach whom they name: physical, logical, broadcast, lowest
 * priority, NMI; in xAPIC and in x2APIC mode.
 */
#include "guest.h"
#include "kselftest_harness.h"

#define CPUS	4
#define VEC	0x60
#define ALL	0xff

static volatile uint64_t up, got[CPUS], nmis[CPUS];
static volatile uint64_t use_x2apic, stop;

static uint32_t me(void)
{
	return cpuid_count(1, 0).ebx >> 24;
}

static void on_ipi(struct trap_frame *f)
{
	__atomic_add_fetch(&got[me()], 1, __ATOMIC_SEQ_CST);
	if (use_x2apic)
		wrmsr(MSR_X2APIC(APIC_EOI), 0);
	else
		xapic_write(APIC_EOI, 0);
}

static void on_nmi(struct trap_frame *f)
{
	__atomic_add_fetch(&nmis[me()], 1, __ATOMIC_SEQ_CST);
}

static void set_up(void)
{
	int vec;

	/* IDT and stack are in stage 2 from here on: see docs/testing.md of Bochs */
	SAFE(vec, "ud2", "a"(0));
	GUEST_ASSERT_EQ(vec, VEC_UD);
	if (use_x2apic) {
		x2apic_enable();
	} else {
		xapic_enable();
		xapic_write(APIC_DFR, 0xffffffff);
		xapic_write(APIC_LDR, 1u << (24 + me()));
	}
	__atomic_add_fetch(&up, 1, __ATOMIC_SEQ_CST);
}

static void ap_main(void)
{
	set_up();
	sti();
	while (!stop)
		sti_hlt();
	for (;;)
		hlt();
}

static void send(uint32_t dest, uint32_t low)
{
	if (use_x2apic)
		wrmsr(MSR_X2APIC(APIC_ICR), (uint64_t)dest << 32 | low);
	else
		xapic_icr(dest, low);
}

/* wait until the counters are what they should be, or give up */
static void expect(const volatile uint64_t *v, uint64_t a, uint64_t b,
		   uint64_t c, uint64_t d)
{
	uint64_t want[CPUS] = { a, b, c, d }, start = rdtsc();
	int i;

	for (i = 0; i < CPUS; i++)
		while (v[i] < want[i] && rdtsc() - start < 20000000000)
			cpu_relax();
	for (i = 0; i < CPUS; i++)
		GUEST_ASSERT_EQ(v[i] << 8 | i, want[i] << 8 | i);
}

static void ipis(void)
{
	uint64_t sum = 0, start;
	int i;

	sti();
	for (i = 1; i < CPUS; i++)
		send(i, VEC | ICR_FIXED);
	expect(got, 0, 1, 1, 1);
	send(0, VEC | ICR_FIXED);		/* oneself */
	expect(got, 1, 1, 1, 1);
	send(0, VEC | ICR_SELF);
	expect(got, 2, 1, 1, 1);
	send(0, VEC | ICR_OTHERS);
	expect(got, 2, 2, 2, 2);
	send(0, VEC | ICR_ALL);
	expect(got, 3, 3, 3, 3);
	/* logical: one bit for each */
	send(0x6, VEC | ICR_LOGICAL);
	expect(got, 3, 4, 4, 3);
	send(0xf, VEC | ICR_LOGICAL);
	expect(got, 4, 5, 5, 4);
	/* physical broadcast */
	send(use_x2apic ? 0xffffffff : 0xff, VEC | ICR_FIXED);
	expect(got, 5, 6, 6, 5);
	/* nobody has this ID */
	send(9, VEC | ICR_FIXED);
	/* lowest priority: exactly one of them */
	send(0xe, VEC | ICR_LOGICAL | ICR_LOWEST);
	start = rdtsc();
	while (sum < 23 && rdtsc() - start < 20000000000)
		for (sum = 0, i = 0; i < CPUS; i++)
			sum += got[i];
	GUEST_ASSERT_EQ(sum, 23);
	GUEST_ASSERT_EQ(got[0], 5);
	/* NMI */
	send(2, ICR_NMI);
	expect(nmis, 0, 0, 1, 0);
	send(0, ICR_NMI | ICR_OTHERS);
	expect(nmis, 0, 1, 2, 1);
	if (use_x2apic) {
		wrmsr(MSR_X2APIC(APIC_SELF_IPI), VEC);
		while (got[0] < 6)
			cpu_relax();
	}
	stop = 1;
}

static void bsp_main(void)
{
	int i;

	guest_handlers[VEC] = on_ipi;
	guest_handlers[VEC_NMI] = on_nmi;
	xapic_enable();
	ap_entry = ap_main;
	for (i = 1; i < CPUS; i++)
		guest_start_ap(i);
	set_up();
	while (up < CPUS)
		cpu_relax();
	ipis();
}

static void run_all(struct __test_metadata *_metadata)
{
	struct gvm *vm = gvm_new(GVM_SPLIT);
	struct gcpu *c[CPUS];
	uint32_t s;
	int i;

	for (i = 0; i < CPUS; i++) {
		c[i] = gcpu_new(vm, i, bsp_main);
		/* what the others were told does not matter before SIPI */
		ASSERT_EQ(0, hvm_get_mp_state(c[i]->fd, &s));
		EXPECT_EQ(i ? HVM_MP_STATE_UNINITIALIZED :
			  HVM_MP_STATE_RUNNABLE, s);
	}
	for (i = CPUS - 1; i >= 0; i--)
		gcpu_start(c[i]);
	ASSERT_EQ(UCALL_DONE, gcpu_join(c[0], 20))
		TH_LOG("up %llu; got %llu %llu %llu %llu",
		       (unsigned long long)up, (unsigned long long)got[0],
		       (unsigned long long)got[1], (unsigned long long)got[2],
		       (unsigned long long)got[3]);
	for (i = 1; i < CPUS; i++)
		EXPECT_EQ(-EINTR, gcpu_stop(c[i]));
}

TEST(xapic)
{
	run_all(_metadata);
}

TEST(x2apic)
{
	use_x2apic = 1;
	run_all(_metadata);
}

/* INIT again sends a running processor back to wait for SIPI */
static volatile uint64_t lives;

static void ap_again(void)
{
	__atomic_add_fetch(&lives, 1, __ATOMIC_SEQ_CST);
	for (;;)
		cpu_relax();
}

static void bsp_again(void)
{
	uint64_t i;

	xapic_enable();
	ap_entry = ap_again;
	for (i = 1; i <= 3; i++) {
		guest_start_ap(1);
		while (lives < i)
			cpu_relax();
	}
}

TEST(init_again)
{
	struct gvm *vm = gvm_new(GVM_SPLIT);
	struct gcpu *a = gcpu_new(vm, 0, bsp_again);
	struct gcpu *b = gcpu_new(vm, 1, bsp_again);

	gcpu_start(b);
	gcpu_start(a);
	ASSERT_EQ(UCALL_DONE, gcpu_join(a, 20));
	EXPECT_EQ(-EINTR, gcpu_stop(b));
	EXPECT_EQ(3ull, lives);
}

/* an AP that waits is not run: RUN stays inside until a signal */
TEST(waits)
{
	struct gvm *vm = gvm_new(GVM_SPLIT);
	struct gcpu *b = gcpu_new(vm, 1, bsp_again);
	int ret;

	gcpu_start(b);
	usleep(50000);
	EXPECT_FALSE(b->finished);
	ret = gcpu_stop(b);
	EXPECT_TRUE(ret == -EINTR || ret == -EAGAIN);
	EXPECT_EQ(0ull, lives);
}

TEST_HARNESS_MAIN
