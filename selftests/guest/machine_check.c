// SPDX-License-Identifier: GPL-2.0-only
/*
 * Machine checks: how many banks a vCPU has, what userspace may put into them
 * (X86_SETUP_MCE, X86_SET_MCE), and what the guest sees of it.
 */
#include <sys/ioctl.h>

#include "guest.h"
#include "kselftest_harness.h"

#define MCG_CAP 0x179
#define MCG_STATUS 0x17a
#define MCG_CTL 0x17b
#define BANK(n, reg) (0x400 + 4 * (n) + (reg))	/* CTL, STATUS, ADDR, MISC */
#define CTL_P (1ull << 8)
#define SER_P (1ull << 24)
#define VALID (1ull << 63)
#define OVER (1ull << 62)
#define UC (1ull << 61)
#define MCIP 4ull
#define BANKS 4

static volatile uint64_t checks, seen_status, seen_addr;

static void on_mc(struct trap_frame *f)
{
	checks++;
	seen_status = rdmsr(BANK(1, 1));
	seen_addr = rdmsr(BANK(1, 2));
	wrmsr(BANK(1, 1), 0);
	wrmsr(MCG_STATUS, 0);
}

static void g_banks(void)
{
	uint64_t v;

	GUEST_ASSERT_EQ(rdmsr(MCG_CAP), BANKS | CTL_P);
	GUEST_ASSERT_EQ(rdmsr(MCG_CTL), ~0ull);
	GUEST_ASSERT_EQ(rdmsr(BANK(0, 0)), ~0ull);
	GUEST_ASSERT_EQ(rdmsr_safe(BANK(BANKS - 1, 3), &v), -1);
	GUEST_ASSERT_EQ(rdmsr_safe(BANK(BANKS, 0), &v), VEC_GP);
	GUEST_ASSERT_EQ(wrmsr_safe(BANK(BANKS, 0), 0), VEC_GP);
	GUEST_ASSERT_EQ(wrmsr_safe(MCG_CTL, 5), VEC_GP);
	GUEST_ASSERT_EQ(wrmsr_safe(BANK(0, 1), 5), VEC_GP);

	guest_handlers[18] = on_mc;
	write_cr4(read_cr4() | 1 << 6);
	GUEST_SYNC(1);		/* a corrected error: no exception */
	GUEST_ASSERT_EQ(checks, 0);
	GUEST_ASSERT_EQ(rdmsr(BANK(1, 1)), VALID | 0x99);
	GUEST_ASSERT_EQ(rdmsr(BANK(1, 3)), 0x33);
	GUEST_SYNC(2);		/* one that is not */
	GUEST_ASSERT_EQ(checks, 1);
	GUEST_ASSERT_EQ(seen_status, VALID | OVER | UC | 0x77);
	GUEST_ASSERT_EQ(seen_addr, 0x1234000);
	wrmsr(BANK(1, 0), 0);
	GUEST_SYNC(3);		/* masked */
	GUEST_ASSERT_EQ(checks, 1);
	wrmsr(BANK(1, 0), ~0ull);
	write_cr4(read_cr4() & ~(1ul << 6));
	GUEST_SYNC(4);		/* the end */
}

static int setup(struct gcpu *c, uint64_t cap)
{
	return ioctl(c->fd, HVM_X86_SETUP_MCE, &cap);
}

static int raise_mce(struct gcpu *c, uint8_t bank, uint64_t status)
{
	struct hvm_x86_mce m = { .status = status, .addr = 0x1234000, .misc = 0x33,
				 .mcg_status = MCIP, .bank = bank };

	return ioctl(c->fd, HVM_X86_SET_MCE, &m);
}

TEST(banks)
{
	struct gcpu *c = gcpu_new(gvm_new(GVM_NO_IRQCHIP), 0, g_banks);

	ASSERT_EQ(0, setup(c, BANKS | CTL_P));
	ASSERT_SYNC(c, 1);
	ASSERT_EQ(0, raise_mce(c, 1, VALID | 0x99));
	ASSERT_SYNC(c, 2);
	ASSERT_EQ(0, raise_mce(c, 1, VALID | UC | 0x77));
	ASSERT_SYNC(c, 3);
	ASSERT_EQ(0, raise_mce(c, 1, VALID | UC));
	ASSERT_SYNC(c, 4);
	ASSERT_EQ(0, raise_mce(c, 1, VALID | UC));
	EXPECT_EQ(HVM_EXIT_SHUTDOWN, gcpu_run(c));
}

TEST(arguments)
{
	struct gcpu *c = gcpu_new(gvm_new(GVM_NO_IRQCHIP), 0, g_banks);
	uint64_t cap = 0;

	ASSERT_EQ(0, ioctl(c->vm->dev, HVM_X86_GET_MCE_CAP_SUPPORTED, &cap));
	EXPECT_EQ(CTL_P | SER_P, cap & (CTL_P | SER_P));
	EXPECT_EQ(32, have_cap(HVM_CAP_MCE));
	EXPECT_ERRNO(EINVAL, setup(c, 0));
	EXPECT_ERRNO(EINVAL, setup(c, 33));
	EXPECT_ERRNO(EINVAL, setup(c, BANKS | 1ull << 40));
	ASSERT_EQ(0, setup(c, BANKS | cap));
	EXPECT_ERRNO(EINVAL, raise_mce(c, BANKS, VALID));
	EXPECT_ERRNO(EINVAL, raise_mce(c, 255, VALID));
	EXPECT_ERRNO(EINVAL, raise_mce(c, 0, UC));
}

TEST_HARNESS_MAIN
