// SPDX-License-Identifier: GPL-2.0-only
/*
 * MSRs from inside: values stay, unknown ones fault, bad values fault, and
 * userspace sees what the guest wrote.
 */
#include "guest.h"
#include "kselftest_harness.h"

static const struct {
	uint32_t msr;
	uint64_t value;
} plain[] = {
	{ MSR_STAR, 0x0023001000000000 }, { MSR_LSTAR, 0xffffffff81000000 },
	{ MSR_CSTAR, 0xffffffff81000010 }, { MSR_SYSCALL_MASK, 0x47700 },
	{ MSR_KERNEL_GS_BASE, 0xffff888000001000 },
	{ MSR_FS_BASE, 0x00007f1234567000 }, { MSR_GS_BASE, 0xffff888000002000 },
	{ MSR_SYSENTER_CS, 0x10 }, { MSR_SYSENTER_ESP, 0x12345000 },
	{ MSR_SYSENTER_EIP, 0x23456000 }, { MSR_PAT, 0x0007040600070401 },
	{ 0x2ff, 0xc06 }, { 0x250, 0x0606060606060606 }, { 0x200, 0x80000006 },
	{ 0x201, 0xf80000800 },
};

static void g_main(void)
{
	uint64_t v;
	size_t i;
	int vec;

	for (i = 0; i < ARRAY_LEN(plain); i++) {
		vec = wrmsr_safe(plain[i].msr, plain[i].value);
		GUEST_ASSERT_EQ(vec, -1);
		vec = rdmsr_safe(plain[i].msr, &v);
		GUEST_ASSERT_EQ(vec, -1);
		GUEST_ASSERT_EQ(v, plain[i].value);
	}
	GUEST_SYNC(1);
	/* what nobody has */
	GUEST_ASSERT_EQ(rdmsr_safe(0xdeadbeef, &v), VEC_GP);
	GUEST_ASSERT_EQ(wrmsr_safe(0xdeadbeef, 0), VEC_GP);
	GUEST_ASSERT_EQ(rdmsr_safe(0x12345, &v), VEC_GP);
	GUEST_ASSERT_EQ(rdmsr_safe(0xffffffff, &v), VEC_GP);
	/* what does not fit */
	GUEST_ASSERT_EQ(wrmsr_safe(MSR_PAT, 0x02), VEC_GP);
	GUEST_ASSERT_EQ(wrmsr_safe(MSR_EFER, 1ull << 40), VEC_GP);
	/* paging holds long mode in place */
	GUEST_ASSERT_EQ(wrmsr_safe(MSR_EFER, EFER_LMA | EFER_SCE), VEC_GP);
	GUEST_ASSERT_EQ(wrmsr_safe(0x2ff, 0xff), VEC_GP);
	/* LMA is the processor's, written or not */
	GUEST_ASSERT_EQ(wrmsr_safe(MSR_EFER, EFER_LME | EFER_NXE | EFER_SCE),
			-1);
	GUEST_ASSERT(rdmsr(MSR_EFER) & EFER_LMA);
	GUEST_SYNC(2);
	GUEST_ASSERT_EQ(rdmsr(MSR_LSTAR), 0x123456);
	/* the time-stamp counter can be set */
	wrmsr(MSR_TSC, 1ull << 50);
	GUEST_ASSERT(rdtsc() >= 1ull << 50);
	GUEST_ASSERT(rdtsc() < (1ull << 50) + (1ull << 40));
}

TEST(guest)
{
	struct gcpu *c = gcpu_new(gvm_new(GVM_SPLIT), 0, g_main);
	uint64_t v;
	size_t i;

	ASSERT_SYNC(c, 1);
	for (i = 0; i < ARRAY_LEN(plain); i++) {
		EXPECT_EQ(0, hvm_get_msr(c->fd, plain[i].msr, &v));
		EXPECT_EQ(plain[i].value, v)
			TH_LOG("MSR %#x", plain[i].msr);
	}
	ASSERT_SYNC(c, 2);
	ASSERT_EQ(0, hvm_set_msr(c->fd, MSR_LSTAR, 0x123456));
	ASSERT_DONE(c);
}

/* MSRs of the platform that every kernel reads at boot */
static void g_boot(void)
{
	static const uint32_t list[] = {
		0x8b, 0x17, 0x1a0, 0xfe, 0x179, 0x17a, 0xc0010015, 0xc0010010,
	};
	uint64_t v;
	size_t i;

	for (i = 0; i < ARRAY_LEN(list); i++) {
		if (list[i] >= 0xc0010000 && !host_is_amd())
			continue;
		GUEST_ASSERT_EQ(rdmsr_safe(list[i], &v), -1);
	}
	GUEST_ASSERT(rdmsr(MSR_APICBASE) & APICBASE_ENABLE);
	GUEST_ASSERT(rdmsr(MSR_APICBASE) & APICBASE_BSP);
	GUEST_ASSERT_EQ(rdmsr(MSR_APICBASE) & ~0xfffull, APIC_GPA);
}

TEST(boot)
{
	ASSERT_DONE(gcpu_new(gvm_new(GVM_SPLIT), 0, g_boot));
}

TEST_HARNESS_MAIN
