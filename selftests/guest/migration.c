// SPDX-License-Identifier: GPL-2.0-only
/*
 * A vCPU whose thread wanders between the host's processors, and one that many
 * threads want: state, time and interrupts go along.
 */
#include <sched.h>
#include <signal.h>

#include "guest.h"
#include "kselftest_harness.h"

static volatile uint64_t turns, stop, irqs, msis;

static void irq(struct trap_frame *f)
{
	irqs++;
	xapic_write(APIC_EOI, 0);
}

static void g_main(void)
{
	uint64_t tsc = rdtsc(), now, i = 0;
	uint64_t lo, x[2] = { 0x1122334455667788, 0x99aabbccddeeff00 }, y[2];

	guest_handlers[0x40] = irq;
	xapic_enable();
	wrmsr(MSR_LSTAR, 0x1234567000);
	wrmsr(MSR_KERNEL_GS_BASE, 0x7654321000);
	wrmsr(MSR_FS_BASE, 0x111222333000);
	write_dr0(0xabc000);
	asm volatile("movdqu %0, %%xmm7" :: "m"(x));
	sti();
	while (!stop) {
		now = rdtsc();
		GUEST_ASSERT(now >= tsc);
		tsc = now;
		if (++i % 64 == 0) {
			GUEST_ASSERT_EQ(rdmsr(MSR_LSTAR), 0x1234567000);
			GUEST_ASSERT_EQ(rdmsr(MSR_KERNEL_GS_BASE),
					0x7654321000);
			GUEST_ASSERT_EQ(rdmsr(MSR_FS_BASE), 0x111222333000);
			GUEST_ASSERT_EQ(read_dr0(), 0xabc000);
			asm volatile("movdqu %%xmm7, %0" : "=m"(y));
			GUEST_ASSERT(x[0] == y[0] && x[1] == y[1]);
			cpuid_count(0, 0);
			*(volatile uint64_t *)(0x10000000 +
					       i * 64 % SZ_2M) = i;
		}
		if (i % 4096 == 0) {
			asm volatile("mov %%rsp, %0" : "=r"(lo));
			GUEST_SYNC(lo);
		}
		turns++;
	}
	cli();
}

static void pin(pthread_t t, int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	pthread_setaffinity_np(t, sizeof(set), &set);
}

TEST(wandering)
{
	struct gvm *vm = gvm_new(GVM_SPLIT);
	struct gcpu *c = gcpu_new(vm, 0, g_main);
	int cpu[2], i;

	REQUIRE(host_cpus(cpu, 2) > 1, "the host has one processor");
	gvm_add_memory(vm, 0x10000000, SZ_2M, 0);
	gcpu_start(c);
	for (i = 0; i < 200; i++) {
		pin(c->thread, cpu[i & 1]);
		usleep(2000);
		hvm_signal_msi(vm->fd, APIC_GPA, 0x40);
		msis++;
		ASSERT_FALSE(c->finished);
	}
	stop = 1;
	ASSERT_EQ(UCALL_DONE, gcpu_join(c, 10));
	EXPECT_LT(0ull, irqs);
	EXPECT_GE(msis, irqs);
}

/* two vCPUs of one VM and one of another, chasing each other */
TEST(crossing)
{
	struct gcpu *c[3];
	int cpu[2], i;

	REQUIRE(host_cpus(cpu, 2) > 1, "the host has one processor");
	c[0] = gcpu_new(gvm_new(GVM_SPLIT), 0, g_main);
	c[1] = gcpu_new(c[0]->vm, 1, g_main);
	c[2] = gcpu_new(gvm_new(GVM_SPLIT), 0, g_main);
	ASSERT_EQ(0, hvm_set_mp_state(c[1]->fd, HVM_MP_STATE_RUNNABLE));
	gvm_add_memory(c[0]->vm, 0x10000000, SZ_2M, 0);
	gvm_add_memory(c[2]->vm, 0x10000000, SZ_2M, 0);
	for (i = 0; i < 3; i++)
		gcpu_start(c[i]);
	for (i = 0; i < 300; i++) {
		pin(c[i % 3]->thread, cpu[i / 3 & 1]);
		usleep(1000);
	}
	stop = 1;
	for (i = 0; i < 3; i++)
		EXPECT_EQ(UCALL_DONE, gcpu_join(c[i], 10));
}

/* threads that take turns: the second RUN waits for the first */
static struct gcpu *shared;
static volatile uint64_t runs;

static void *runner(void *arg)
{
	int i;

	for (i = 0; i < 50; i++)
		if (ioctl(shared->fd, HVM_RUN, 0) == 0)
			__atomic_add_fetch(&runs, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static void g_out(void)
{
	for (;;)
		outb(0x10, 1);
}

TEST(many_threads)
{
	pthread_t t[4];
	int i;

	shared = gcpu_new(gvm_new(GVM_NO_IRQCHIP), 0, g_out);
	for (i = 0; i < 4; i++)
		ASSERT_EQ(0, pthread_create(&t[i], NULL, runner, NULL));
	for (i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	EXPECT_EQ(200ull, runs);
}

/* a call that waits for RUN can be interrupted */
static void g_spin(void)
{
	for (;;)
		turns++;
}

static volatile int call_errno;

static void *caller(void *arg)
{
	struct hvm_regs r;

	call_errno = -1;
	call_errno = ioctl(shared->fd, HVM_GET_REGS, &r) ? errno : 0;
	return NULL;
}

TEST(waiting_call)
{
	pthread_t t;

	shared = gcpu_new(gvm_new(GVM_NO_IRQCHIP), 0, g_spin);
	gcpu_start(shared);
	ASSERT_TRUE(wait_for(&turns, 1, 5));
	ASSERT_EQ(0, pthread_create(&t, NULL, caller, NULL));
	usleep(50000);
	EXPECT_EQ(-1, call_errno);
	EXPECT_EQ(-EINTR, gcpu_stop(shared));
	pthread_join(t, NULL);
	EXPECT_EQ(0, call_errno);
}

TEST_HARNESS_MAIN
