// SPDX-License-Identifier: GPL-2.0-only
/*
 * XCR0: the guest sets its own, gets faults for what cannot be, and the host's
 * stays.
 */
#include "guest.h"
#include "kselftest_harness.h"

static int xsetbv_safe(uint32_t i, uint64_t v)
{
	int vec;

	SAFE(vec, "xsetbv", "c"(i), "a"((uint32_t)v), "d"((uint32_t)(v >> 32)));
	return vec;
}

static void g_plain(void)
{
	int vec;

	SAFE(vec, "xgetbv", "c"(0));
	GUEST_ASSERT_EQ(vec, VEC_UD);		/* CR4.OSXSAVE is clear */
	write_cr4(read_cr4() | CR4_OSXSAVE);
	GUEST_ASSERT_EQ(xgetbv(0), 1);
	GUEST_ASSERT_EQ(xsetbv_safe(0, 3), -1);
	GUEST_ASSERT_EQ(xgetbv(0), 3);
	GUEST_SYNC(3);
	cpuid_count(0, 0);
	GUEST_ASSERT_EQ(xgetbv(0), 3);
}

/*
 * A processor that does not act on the XSETBV intercept changes the host's
 * XCR0 instead of asking; the device cannot know then what the guest set.
 */
static bool intercepts(struct gcpu *c)
{
	struct hvm_xcrs x;

	return !hvm_get_xcrs(c->fd, &x) && x.xcrs[0].value == 3;
}

TEST(set)
{
	struct gcpu *c = gcpu_new(gvm_new(GVM_SPLIT), 0, g_plain);
	uint64_t host;

	REQUIRE(cpuid_count(1, 0).ecx & 1 << 27, "no XSAVE");
	host = xgetbv(0);
	ASSERT_EQ(UCALL_SYNC, gcpu_run(c));
	EXPECT_EQ(host, xgetbv(0));
	REQUIRE(intercepts(c), "this processor does not intercept XSETBV");
	ASSERT_DONE(c);
	EXPECT_EQ(host, xgetbv(0));
}

/* whatever the guest does, the host's stays */
static void g_change(void)
{
	write_cr4(read_cr4() | CR4_OSXSAVE);
	xsetbv_safe(0, 1);
	GUEST_SYNC(1);
	xsetbv_safe(0, 3);
	cpuid_count(0, 0);
	GUEST_SYNC(2);
}

TEST(host_stays)
{
	struct gcpu *c = gcpu_new(gvm_new(GVM_SPLIT), 0, g_change);
	uint64_t host;

	REQUIRE(cpuid_count(1, 0).ecx & 1 << 27, "no XSAVE");
	host = xgetbv(0);
	ASSERT_SYNC(c, 1);
	EXPECT_EQ(host, xgetbv(0));
	ASSERT_SYNC(c, 2);
	EXPECT_EQ(host, xgetbv(0));
}

static void g_refused(void)
{
	write_cr4(read_cr4() | CR4_OSXSAVE);
	GUEST_ASSERT_EQ(xsetbv_safe(0, 0), VEC_GP);
	GUEST_ASSERT_EQ(xsetbv_safe(0, 5), VEC_GP);
	GUEST_ASSERT_EQ(xsetbv_safe(0, 1ull << 62 | 1), VEC_GP);
	GUEST_ASSERT_EQ(xsetbv_safe(7, 1), VEC_GP);
}

TEST(refused)
{
	struct gcpu *c = gcpu_new(gvm_new(GVM_SPLIT), 0, g_refused);

	REQUIRE(cpuid_count(1, 0).ecx & 1 << 27, "no XSAVE");
	ASSERT_DONE(c);
}

/* SET_XCRS is what XGETBV reads */
static void g_read(void)
{
	write_cr4(read_cr4() | CR4_OSXSAVE);
	GUEST_ASSERT_EQ(xgetbv(0), 3);
	GUEST_SYNC(1);
	GUEST_ASSERT_EQ(xgetbv(0), 1);
}

TEST(from_userspace)
{
	struct gcpu *c = gcpu_new(gvm_new(GVM_SPLIT), 0, g_read);
	struct hvm_xcrs x = { .nr_xcrs = 1, .xcrs[0].value = 3 };

	REQUIRE(cpuid_count(1, 0).ecx & 1 << 27, "no XSAVE");
	ASSERT_EQ(0, hvm_set_xcrs(c->fd, &x));
	ASSERT_SYNC(c, 1);
	x.xcrs[0].value = 1;
	ASSERT_EQ(0, hvm_set_xcrs(c->fd, &x));
	ASSERT_DONE(c);
}

TEST_HARNESS_MAIN
