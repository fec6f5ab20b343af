// SPDX-License-Identifier: GPL-2.0-only
/*
 * Segment bases and the system-call MSRs: what a guest puts there stays there,
 * and the host's thread keeps its own.
 */
#include <asm/prctl.h>
#include <sys/syscall.h>

#include "guest.h"
#include "kselftest_harness.h"

static void turns(uint64_t seed)
{
	uint64_t i;

	for (i = 0; i < 10; i++) {
		uint64_t v = seed + (i << 12);

		wrmsr(MSR_FS_BASE, v + 1);
		wrmsr(MSR_GS_BASE, v + 2);
		wrmsr(MSR_KERNEL_GS_BASE, v + 3);
		wrmsr(MSR_LSTAR, v + 4);
		wrmsr(MSR_STAR, v << 32);
		wrmsr(MSR_SYSCALL_MASK, i);
		wrmsr(MSR_SYSENTER_EIP, v + 5);
		if (i & 1)
			GUEST_SYNC(i);
		else
			cpuid_count(0, 0);
		GUEST_ASSERT_EQ(rdmsr(MSR_FS_BASE), v + 1);
		GUEST_ASSERT_EQ(rdmsr(MSR_GS_BASE), v + 2);
		GUEST_ASSERT_EQ(rdmsr(MSR_KERNEL_GS_BASE), v + 3);
		GUEST_ASSERT_EQ(rdmsr(MSR_LSTAR), v + 4);
		GUEST_ASSERT_EQ(rdmsr(MSR_STAR), v << 32);
		GUEST_ASSERT_EQ(rdmsr(MSR_SYSENTER_EIP), v + 5);
		asm volatile("swapgs" ::: "memory");
		GUEST_ASSERT_EQ(rdmsr(MSR_GS_BASE), v + 3);
		asm volatile("swapgs" ::: "memory");
	}
}

static void g_one(void) { turns(0x10000000); }
static void g_two(void) { turns(0x7f0000000000); }

static uint64_t host_base(int which)
{
	uint64_t v = 0;

	syscall(SYS_arch_prctl, which, &v);
	return v;
}

TEST(guests_and_host)
{
	struct gcpu *a = gcpu_new(gvm_new(GVM_SPLIT), 0, g_one);
	struct gcpu *b = gcpu_new(gvm_new(GVM_SPLIT), 0, g_two);
	uint64_t fs = host_base(ARCH_GET_FS), v;
	int i;

	ASSERT_EQ(0, syscall(SYS_arch_prctl, ARCH_SET_GS, 0x123456789000));
	for (i = 1; i < 10; i += 2) {
		ASSERT_SYNC(a, i);
		ASSERT_SYNC(b, i);
		EXPECT_EQ(fs, host_base(ARCH_GET_FS));
		EXPECT_EQ(0x123456789000ull, host_base(ARCH_GET_GS));
		ASSERT_EQ(0, hvm_get_msr(a->fd, MSR_KERNEL_GS_BASE, &v));
		EXPECT_EQ(0x10000003ull + (i << 12), v);
	}
	ASSERT_DONE(a);
	ASSERT_DONE(b);
}

/* selectors of the host's thread, an LDT entry among them, survive */
struct ldt_entry {
	unsigned int entry_number, base_addr, limit, flags;
};

TEST(host_selectors)
{
	struct ldt_entry e = { 0, 0x1000, 0xfff, 0x51 };
	struct gcpu *a = gcpu_new(gvm_new(GVM_SPLIT), 0, g_one);
	uint16_t es, fs, gs, ds;

	ASSERT_EQ(0, syscall(SYS_modify_ldt, 1, &e, sizeof(e)));
	asm volatile("mov %0, %%es; mov %0, %%gs" :: "r"(7));
	ASSERT_EQ(UCALL_SYNC, gcpu_run(a));
	ASSERT_EQ(UCALL_SYNC, gcpu_run(a));
	asm volatile("mov %%es, %0; mov %%fs, %1; mov %%gs, %2; mov %%ds, %3"
		     : "=r"(es), "=r"(fs), "=r"(gs), "=r"(ds));
	EXPECT_EQ(7, es);
	EXPECT_EQ(0, fs);
	EXPECT_EQ(7, gs);
	EXPECT_EQ(0, ds);
	/* and the entry behind the selector is still there */
	asm volatile("mov %0, %%es" :: "r"(0));
	asm volatile("mov %0, %%es" :: "r"(7));
	asm volatile("mov %0, %%es; mov %0, %%gs" :: "r"(0));
}

TEST_HARNESS_MAIN
