// SPDX-License-Identifier: GPL-2.0-only
/*
 * What VMMs that patch old guests use: an exit for each access to the task
 * priority, and a copy of it in guest memory.
 */
#include "guest.h"
#include "kselftest_harness.h"

static volatile uint64_t got, here_read, here_write;
static volatile uint32_t copy __attribute__((aligned(64)));

static void irq(struct trap_frame *f)
{
	got++;
	xapic_write(APIC_EOI, 0);
}

static void g_access(void)
{
	uint32_t v;

	xapic_enable();
	GUEST_SYNC(1);
	asm volatile("lea 1f(%%rip), %%rax; mov %%rax, %2; lea 2f(%%rip), %%rax; mov %%rax, %3\n\t"
		     "1: movl %1, %0\n\t"
		     "2: movl %0, %1"
		     : "=&r"(v), "+m"(*(volatile uint32_t *)(APIC_GPA + APIC_TPR)),
		       "=m"(here_read), "=m"(here_write) :: "rax", "memory");
	/* others are no matter */
	xapic_read(APIC_ID);
	xapic_write(APIC_EOI, 0);
	GUEST_DONE();
}

TEST(reporting)
{
	struct gcpu *c = gcpu_new(gvm_new(GVM_SPLIT), 0, g_access);
	struct hvm_tpr_access_ctl ctl = { .enabled = 1 };

	REQUIRE(have_cap(HVM_CAP_VAPIC), "the processor keeps the TPR to itself");
	ASSERT_SYNC(c, 1);
	ASSERT_EQ(0, ioctl(c->fd, HVM_TPR_ACCESS_REPORTING, &ctl));
	ASSERT_EQ(HVM_EXIT_TPR_ACCESS, gcpu_run(c));
	EXPECT_EQ(here_read, c->run->tpr_access.rip);
	EXPECT_EQ(0u, c->run->tpr_access.is_write);
	/* it has been done */
	EXPECT_LT(here_read, gcpu_regs(c).rip);
	ASSERT_EQ(HVM_EXIT_TPR_ACCESS, gcpu_run(c));
	EXPECT_EQ(here_write, c->run->tpr_access.rip);
	EXPECT_EQ(1u, c->run->tpr_access.is_write);
	ASSERT_DONE(c);
	ctl.enabled = 0;
	ASSERT_EQ(0, ioctl(c->fd, HVM_TPR_ACCESS_REPORTING, &ctl));
	gcpu_long_mode(c, g_access);
	ASSERT_SYNC(c, 1);
	ASSERT_DONE(c);
	ctl.flags = 1;
	EXPECT_ERRNO(EINVAL, ioctl(c->fd, HVM_TPR_ACCESS_REPORTING, &ctl));
}

static void g_copy(void)
{
	guest_handlers[0x51] = irq;
	guest_handlers[0x91] = irq;
	xapic_enable();
	GUEST_SYNC(1);
	/* the copy says: no interrupts up to 0x60 */
	copy = 0x60;
	sti();
	GUEST_SYNC(2);
	GUEST_ASSERT_EQ(got, 0);
	/* the request that waits is told */
	GUEST_ASSERT_EQ(copy >> 24, 0x51);
	GUEST_ASSERT_EQ(copy & 0xff, 0x60);
	copy = 0;
	GUEST_SYNC(3);
	GUEST_ASSERT_EQ(got, 1);
	GUEST_ASSERT_EQ(copy >> 24, 0);
	GUEST_DONE();
}

TEST(in_memory)
{
	struct gcpu *c = gcpu_new(gvm_new(GVM_SPLIT), 0, g_copy);
	struct hvm_vapic_addr va = { .vapic_addr = (uintptr_t)&copy };

	REQUIRE(have_cap(HVM_CAP_VAPIC), "the processor keeps the TPR to itself");
	ASSERT_SYNC(c, 1);
	ASSERT_EQ(0, ioctl(c->fd, HVM_SET_VAPIC_ADDR, &va));
	ASSERT_SYNC(c, 2);
	ASSERT_EQ(1, hvm_signal_msi(c->vm->fd, APIC_GPA, 0x51));
	ASSERT_SYNC(c, 3);
	ASSERT_DONE(c);
}

TEST(addresses)
{
	struct gcpu *c = gcpu_new(gvm_new(GVM_SPLIT), 0, g_copy);
	struct gcpu *bare = gcpu_bare(gvm_new(GVM_NO_IRQCHIP), 0);
	struct hvm_vapic_addr va = { .vapic_addr = (uintptr_t)&copy };

	EXPECT_ERRNO(EINVAL, ioctl(bare->fd, HVM_SET_VAPIC_ADDR, &va));
	va.vapic_addr = 0xd0000000;
	EXPECT_ERRNO(EINVAL, ioctl(c->fd, HVM_SET_VAPIC_ADDR, &va));
	va.vapic_addr = ~0ull;
	EXPECT_ERRNO(EINVAL, ioctl(c->fd, HVM_SET_VAPIC_ADDR, &va));
	va.vapic_addr = 0;
	EXPECT_EQ(0, ioctl(c->fd, HVM_SET_VAPIC_ADDR, &va));
}

TEST_HARNESS_MAIN
