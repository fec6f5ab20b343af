// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM's paravirtual guest interface: the signature, the clock, steal time, EOI,
 * the kick, and hypercalls that nobody knows.
 */
#include <linux/kvm_para.h>
#include <sched.h>

#include "guest.h"
#include "kselftest_harness.h"

/* the ABI's structures, which the kernel does not hand to userspace */
struct pvclock_vcpu_time_info {
	uint32_t version, pad0;
	uint64_t tsc_timestamp, system_time;
	uint32_t tsc_to_system_mul;
	int8_t tsc_shift;
	uint8_t flags, pad[2];
};

struct pvclock_wall_clock {
	uint32_t version, sec, nsec;
};

#define PVCLOCK_GUEST_STOPPED	2

#define PV	0x180000ul	/* a page of low memory for the shared pieces */

static uint32_t features;

static void g_cpuid(void)
{
	struct cpuid_regs r = cpuid_count(0x40000000, 0);

	GUEST_ASSERT_EQ(r.ebx, 0x4b4d564b);
	GUEST_ASSERT_EQ(r.ecx, 0x564b4d56);
	GUEST_ASSERT_EQ(r.edx, 0x4d);
	GUEST_ASSERT(r.eax >= 0x40000001);
	GUEST_SYNC2(1, cpuid_count(0x40000001, 0).eax, 0);
}

TEST(signature)
{
	struct gcpu *c = gcpu_new(gvm_new(GVM_SPLIT), 0, g_cpuid);

	ASSERT_SYNC(c, 1);
	features = c->uc.arg[1];
	EXPECT_NE(0, features & 1 << KVM_FEATURE_CLOCKSOURCE2);
	EXPECT_NE(0, features & 1 << KVM_FEATURE_STEAL_TIME);
	EXPECT_NE(0, features & 1 << KVM_FEATURE_PV_EOI);
	EXPECT_NE(0, features & 1 << KVM_FEATURE_PV_UNHALT);
}

static uint64_t clock_ns(volatile struct pvclock_vcpu_time_info *t)
{
	uint64_t delta, ns;
	uint32_t v;

	do {
		v = t->version;
		asm volatile("" ::: "memory");
		delta = rdtsc() - t->tsc_timestamp;
		if (t->tsc_shift >= 0)
			delta <<= t->tsc_shift;
		else
			delta >>= -t->tsc_shift;
		ns = t->system_time +
		     (uint64_t)((unsigned __int128)delta *
				t->tsc_to_system_mul >> 32);
		asm volatile("" ::: "memory");
	} while (v & 1 || v != t->version);
	return ns;
}

static void g_clock(void)
{
	volatile struct pvclock_vcpu_time_info *t = (void *)PV;
	volatile struct pvclock_wall_clock *w = (void *)(PV + 256);
	uint64_t a, b, i;

	wrmsr(MSR_KVM_SYSTEM_TIME_NEW, PV | 1);
	cpuid_count(0, 0);
	GUEST_ASSERT(t->version && !(t->version & 1));
	GUEST_ASSERT(t->tsc_to_system_mul);
	GUEST_ASSERT_EQ(rdmsr(MSR_KVM_SYSTEM_TIME_NEW), PV | 1);
	a = clock_ns(t);
	for (i = 0; i < 2000; i++) {
		b = clock_ns(t);
		GUEST_ASSERT(b >= a);
		a = b;
		if (i % 100 == 0)
			cpuid_count(0, 0);
	}
	GUEST_SYNC2(1, a, 0);		/* the host sleeps 20 ms */
	b = clock_ns(t);
	GUEST_ASSERT(b - a >= 20000000);
	GUEST_ASSERT(b - a < 10000000000);
	GUEST_SYNC2(2, b, 0);		/* the host moves the clock on */
	cpuid_count(0, 0);
	b = clock_ns(t);
	GUEST_ASSERT(b >= 5000000000000);
	GUEST_ASSERT(b < 5010000000000);
	wrmsr(MSR_KVM_WALL_CLOCK_NEW, PV + 256);
	GUEST_ASSERT(w->version && !(w->version & 1));
	GUEST_SYNC2(3, w->sec, 0);
	/* KVMCLOCK_CTRL marks that the guest was stopped */
	GUEST_SYNC(4);
	GUEST_ASSERT(t->flags & PVCLOCK_GUEST_STOPPED);
	wrmsr(MSR_KVM_SYSTEM_TIME_NEW, 0);
}

TEST(clock_pages)
{
	struct gcpu *c = gcpu_new(gvm_new(GVM_SPLIT), 0, g_clock);
	struct hvm_clock_data d = { .clock = 5000000000000 };

	ASSERT_SYNC(c, 1);
	usleep(20000);
	ASSERT_SYNC(c, 2);
	ASSERT_EQ(0, hvm_set_clock(c->vm->fd, &d));
	ASSERT_SYNC(c, 3);
	ASSERT_SYNC(c, 4);
	EXPECT_EQ(0, hvm_kvmclock_ctrl(c->fd));
	ASSERT_DONE(c);
}

static void g_bad_clock(void)
{
	/* beyond all memory: taken, and nothing happens */
	wrmsr_safe(MSR_KVM_SYSTEM_TIME_NEW, 0x7ffffff000 | 1);
	cpuid_count(0, 0);
	wrmsr(MSR_KVM_SYSTEM_TIME_NEW, 0);
	/* reserved bits, misaligned */
	GUEST_ASSERT_EQ(wrmsr_safe(MSR_KVM_STEAL_TIME, PV | 1 | 2), VEC_GP);
}

TEST(bad_addresses)
{
	ASSERT_DONE(gcpu_new(gvm_new(GVM_SPLIT), 0, g_bad_clock));
}

static void g_steal(void)
{
	volatile struct kvm_steal_time *s = (void *)PV;
	uint64_t before;

	wrmsr(MSR_KVM_STEAL_TIME, PV | KVM_MSR_ENABLED);
	cpuid_count(0, 0);
	GUEST_ASSERT_EQ(s->version & 1, 0);
	before = s->steal;
	GUEST_SYNC(1);
	GUEST_SYNC2(2, before, s->steal);
	GUEST_SYNC(3);
	cpuid_count(0, 0);
	GUEST_ASSERT(s->steal >= before);
	GUEST_SYNC2(4, before, s->steal);
}

static volatile uint64_t burn;

static void *burner(void *arg)
{
	while (!burn)
		;
	return NULL;
}

static volatile uint64_t spin_stop;

static void g_steal_run(void)
{
	volatile struct kvm_steal_time *s = (void *)PV;

	wrmsr(MSR_KVM_STEAL_TIME, PV | KVM_MSR_ENABLED);
	while (!spin_stop)
		cpu_relax();
	GUEST_ASSERT_EQ(s->version & 1, 0);
	GUEST_ASSERT(s->steal > 1000000);
}

/* another thread wants the same processor: what it takes is stolen */
TEST(steal_time)
{
	struct gcpu *c = gcpu_new(gvm_new(GVM_SPLIT), 0, g_steal);
	cpu_set_t one;
	pthread_t t;
	int cpu;

	ASSERT_SYNC(c, 1);
	ASSERT_SYNC(c, 2);
	ASSERT_SYNC(c, 3);
	ASSERT_SYNC(c, 4);
	gcpu_free(c);
	host_cpus(&cpu, 1);
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	ASSERT_EQ(0, sched_setaffinity(0, sizeof(one), &one));
	c = gcpu_new(gvm_new(GVM_SPLIT), 0, g_steal_run);
	ASSERT_EQ(0, pthread_create(&t, NULL, burner, NULL));
	gcpu_start(c);
	usleep(300000);
	spin_stop = 1;
	burn = 1;
	EXPECT_EQ(UCALL_DONE, gcpu_join(c, 10));
	pthread_join(t, NULL);
}

/* the bit that says: this interrupt needs no EOI */
static volatile uint64_t got, skipped;

static void irq(struct trap_frame *f)
{
	volatile uint64_t *eoi = (void *)PV;

	got++;
	if (*eoi & 1) {
		*eoi &= ~1ull;
		skipped++;
	} else {
		xapic_write(APIC_EOI, 0);
	}
}

static void g_eoi(void)
{
	guest_handlers[0x40] = irq;
	xapic_enable();
	wrmsr(MSR_KVM_PV_EOI_EN, PV | KVM_MSR_ENABLED);
	sti();
	while (got < 20) {
		uint64_t n = got;

		xapic_icr(0, 0x40 | ICR_SELF);
		while (got == n)
			cpu_relax();
		GUEST_ASSERT_EQ(xapic_read(APIC_ISR + 0x20) & 1, 0);
	}
	cli();
	GUEST_ASSERT_EQ(got, 20);
	GUEST_ASSERT(skipped > 0);
}

TEST(eoi)
{
	ASSERT_DONE(gcpu_new(gvm_new(GVM_SPLIT), 0, g_eoi));
}

/* KVM_HC_KICK_CPU ends a HLT without an interrupt */
static volatile uint64_t halted, kicked;

static void g_sleeper(void)
{
	xapic_enable();
	halted = 1;
	asm volatile("cli; hlt");
	kicked = 1;
}

static void g_kicker(void)
{
	while (!halted)
		cpu_relax();
	while (!kicked)
		GUEST_ASSERT_EQ(guest_hypercall(KVM_HC_KICK_CPU, 0, 1), 0);
}

TEST(kick)
{
	struct gvm *vm = gvm_new(GVM_SPLIT);
	struct gcpu *a = gcpu_new(vm, 0, g_kicker);
	struct gcpu *b = gcpu_new(vm, 1, g_sleeper);

	ASSERT_EQ(0, hvm_set_mp_state(b->fd, HVM_MP_STATE_RUNNABLE));
	gcpu_start(b);
	ASSERT_TRUE(wait_for(&halted, 1, 5));
	usleep(20000);
	EXPECT_EQ(0ull, kicked);
	gcpu_start(a);
	EXPECT_EQ(UCALL_DONE, gcpu_join(b, 5));
	EXPECT_EQ(UCALL_DONE, gcpu_join(a, 5));
}

static uint64_t user_ret;

static void user_hypercall(void)
{
	user_ret = guest_hypercall(KVM_HC_KICK_CPU, 0, 0);
	guest_user_exit();
}

static void g_hypercalls(void)
{
	GUEST_ASSERT_EQ(guest_hypercall(9999, 0, 0), -1000ull);	/* ENOSYS */
	GUEST_ASSERT_EQ(guest_hypercall(-1ull, 0, 0), -1000ull);
	/* nobody there */
	guest_hypercall(KVM_HC_KICK_CPU, 0, 77);
	guest_user_call(user_hypercall, LOW_STACKS + 6 * LOW_STACK_SIZE);
	GUEST_ASSERT_EQ(user_ret, -1ull);			/* EPERM */
	/* no page is new, so nothing else exits between the kernel's call and the user's */
	user_ret = 0;
	GUEST_ASSERT_EQ(guest_hypercall(KVM_HC_KICK_CPU, 0, 77), 0);
	guest_user_call(user_hypercall, LOW_STACKS + 6 * LOW_STACK_SIZE);
	GUEST_ASSERT_EQ(user_ret, -1ull);
}

TEST(hypercalls)
{
	ASSERT_DONE(gcpu_new(gvm_new(GVM_SPLIT), 0, g_hypercalls));
}

TEST_HARNESS_MAIN
