// SPDX-License-Identifier: GPL-2.0-only
/*
 * X86_USER_SPACE_MSR: accesses that would fault come out to userspace, which
 * answers with a value or with the fault; the filter takes MSRs away.
 */
#include "guest.h"
#include "kselftest_harness.h"

#define MTRR_DEFAULT 0x2ff
#define UNKNOWN 0xdeadbee0
#define ALL (HVM_MSR_EXIT_REASON_INVAL | HVM_MSR_EXIT_REASON_UNKNOWN | \
	     HVM_MSR_EXIT_REASON_FILTER)

static void g_unknown(void)
{
	uint64_t v;

	GUEST_ASSERT_EQ(rdmsr_safe(UNKNOWN, &v), -1);
	GUEST_ASSERT_EQ(v, 0x1122334455667788);
	GUEST_ASSERT_EQ(rdmsr_safe(UNKNOWN, &v), VEC_GP);
	GUEST_ASSERT_EQ(wrmsr_safe(UNKNOWN, 0xa1b2c3d4e5f60718), -1);
	GUEST_ASSERT_EQ(wrmsr_safe(UNKNOWN, 1), VEC_GP);
	/* known, but not with this value */
	GUEST_ASSERT_EQ(wrmsr_safe(MTRR_DEFAULT, 0xff), VEC_GP);
}

#define ASSERT_MSR(c, rd, i, why) do {					\
	ASSERT_EQ((rd) ? HVM_EXIT_X86_RDMSR : HVM_EXIT_X86_WRMSR,	\
		  gcpu_run(c));						\
	EXPECT_EQ((uint32_t)(i), (c)->run->msr.index);			\
	EXPECT_NE(0, (c)->run->msr.reason & (why));			\
	EXPECT_EQ(0, (c)->run->msr.error);				\
} while (0)

TEST(exits)
{
	const uint32_t unknown = HVM_MSR_EXIT_REASON_UNKNOWN;
	struct gcpu *c = gcpu_new(gvm_new(GVM_SPLIT), 0, g_unknown);

	ASSERT_EQ(0, hvm_enable_cap(c->vm->fd, HVM_CAP_X86_USER_SPACE_MSR,
				    ALL));
	ASSERT_MSR(c, true, UNKNOWN, unknown);
	c->run->msr.data = 0x1122334455667788;
	ASSERT_MSR(c, true, UNKNOWN, unknown);
	c->run->msr.error = 1;
	ASSERT_MSR(c, false, UNKNOWN, unknown);
	EXPECT_EQ(0xa1b2c3d4e5f60718ull, c->run->msr.data);
	ASSERT_MSR(c, false, UNKNOWN, unknown);
	c->run->msr.error = 1;
	ASSERT_MSR(c, false, MTRR_DEFAULT, HVM_MSR_EXIT_REASON_INVAL);
	c->run->msr.error = 1;
	ASSERT_DONE(c);
}

static void g_fault_only(void)
{
	uint64_t v;

	GUEST_ASSERT_EQ(rdmsr_safe(UNKNOWN, &v), VEC_GP);
	GUEST_ASSERT_EQ(wrmsr_safe(UNKNOWN, 0), VEC_GP);
}

TEST(off)
{
	struct gcpu *c = gcpu_new(gvm_new(GVM_SPLIT), 0, g_fault_only);

	ASSERT_DONE(c);
}

TEST(bad_masks)
{
	struct gvm *vm = gvm_new(GVM_SPLIT);

	EXPECT_EQ(-EINVAL, hvm_enable_cap(vm->fd, HVM_CAP_X86_USER_SPACE_MSR,
					  1u << 20));
	EXPECT_EQ(0, hvm_enable_cap(vm->fd, HVM_CAP_X86_USER_SPACE_MSR, 0));
}

static void g_filtered(void)
{
	uint64_t v;

	/* bit 0 of the bitmap is clear: denied */
	GUEST_ASSERT_EQ(rdmsr_safe(MSR_LSTAR, &v), -1);
	GUEST_ASSERT_EQ(v, 0x4711);
	GUEST_ASSERT_EQ(wrmsr_safe(MSR_LSTAR, 5), -1);
	/* the neighbour is allowed */
	GUEST_ASSERT_EQ(wrmsr_safe(MSR_CSTAR, 6), -1);
	GUEST_ASSERT_EQ(rdmsr_safe(MSR_CSTAR, &v), -1);
	GUEST_ASSERT_EQ(v, 6);
}

TEST(filter)
{
	struct gcpu *c = gcpu_new(gvm_new(GVM_SPLIT), 0, g_filtered);
	uint8_t bitmap = 2;
	struct hvm_msr_filter f = {
		.flags = HVM_MSR_FILTER_DEFAULT_ALLOW,
		.ranges[0] = {
			.flags = HVM_MSR_FILTER_READ | HVM_MSR_FILTER_WRITE,
			.nmsrs = 2, .base = MSR_LSTAR, .bitmap = &bitmap,
		},
	};

	REQUIRE(have_cap(HVM_CAP_X86_MSR_FILTER), "no MSR filter");
	ASSERT_EQ(0, hvm_enable_cap(c->vm->fd, HVM_CAP_X86_USER_SPACE_MSR,
				    HVM_MSR_EXIT_REASON_FILTER));
	ASSERT_EQ(0, ioctl(c->vm->fd, HVM_X86_SET_MSR_FILTER, &f));
	ASSERT_MSR(c, true, MSR_LSTAR, HVM_MSR_EXIT_REASON_FILTER);
	c->run->msr.data = 0x4711;
	ASSERT_MSR(c, false, MSR_LSTAR, HVM_MSR_EXIT_REASON_FILTER);
	EXPECT_EQ(5ull, c->run->msr.data);
	ASSERT_DONE(c);
}

TEST(bad_filters)
{
	struct gvm *vm = gvm_new(GVM_SPLIT);
	uint8_t bitmap[1024] = { 0 };
	struct hvm_msr_filter f = { .flags = 1u << 5 };

	REQUIRE(have_cap(HVM_CAP_X86_MSR_FILTER), "no MSR filter");
	EXPECT_ERRNO(EINVAL, ioctl(vm->fd, HVM_X86_SET_MSR_FILTER, &f));
	f.flags = 0;
	f.ranges[0].nmsrs = 8;
	f.ranges[0].bitmap = bitmap;
	f.ranges[0].flags = 1u << 7;
	EXPECT_ERRNO(EINVAL, ioctl(vm->fd, HVM_X86_SET_MSR_FILTER, &f));
	f.ranges[0].flags = HVM_MSR_FILTER_READ;
	f.ranges[0].nmsrs = 0xffffffff;
	EXPECT_ERRNO(EINVAL, ioctl(vm->fd, HVM_X86_SET_MSR_FILTER, &f));
	f.ranges[0].nmsrs = 8;
	f.ranges[0].bitmap = (void *)8;
	EXPECT_ERRNO(EFAULT, ioctl(vm->fd, HVM_X86_SET_MSR_FILTER, &f));
	EXPECT_ERRNO(EFAULT, ioctl(vm->fd, HVM_X86_SET_MSR_FILTER, 8));
	/* deny everything, without naming anything */
	memset(&f, 0, sizeof(f));
	f.flags = HVM_MSR_FILTER_DEFAULT_DENY;
	EXPECT_ERRNO(EINVAL, ioctl(vm->fd, HVM_X86_SET_MSR_FILTER, &f));
	f.flags = 0;
	EXPECT_EQ(0, ioctl(vm->fd, HVM_X86_SET_MSR_FILTER, &f));
}

TEST_HARNESS_MAIN
