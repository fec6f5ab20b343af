// SPDX-License-Identifier: GPL-2.0-only
/*
 * NMIs: delivered with interrupts off, one pending behind the one in progress,
 * unblocked by IRET.
 */
#include "guest.h"
#include "kselftest_harness.h"

static volatile uint64_t count, inside, nested;

static void nmi(struct trap_frame *f)
{
	GUEST_ASSERT_EQ(inside, 0);
	inside = 1;
	count++;
	if (count == 2) {
		GUEST_SYNC(20);		/* the host sends two more here */
		GUEST_ASSERT_EQ(count, 2);
	}
	inside = 0;
}

static void g_main(void)
{
	guest_handlers[VEC_NMI] = nmi;
	GUEST_SYNC(1);
	GUEST_ASSERT_EQ(count, 1);
	GUEST_SYNC(2);
	GUEST_ASSERT_EQ(count, 3);	/* two sent inside, one remembered */
	GUEST_SYNC(3);
	GUEST_ASSERT_EQ(count, 3);
}

TEST(deliver)
{
	struct gcpu *c = gcpu_new(gvm_new(GVM_NO_IRQCHIP), 0, g_main);
	struct hvm_vcpu_events e;

	ASSERT_SYNC(c, 1);
	ASSERT_EQ(0, hvm_nmi(c->fd));
	ASSERT_SYNC(c, 2);
	ASSERT_EQ(0, hvm_nmi(c->fd));
	ASSERT_SYNC(c, 20);
	ASSERT_EQ(0, hvm_get_vcpu_events(c->fd, &e));
	EXPECT_EQ(1, e.nmi.masked);
	EXPECT_EQ(0, e.nmi.pending);
	ASSERT_EQ(0, hvm_nmi(c->fd));
	ASSERT_EQ(0, hvm_nmi(c->fd));
	ASSERT_EQ(0, hvm_get_vcpu_events(c->fd, &e));
	EXPECT_EQ(1, e.nmi.pending);
	ASSERT_SYNC(c, 3);
	ASSERT_EQ(0, hvm_get_vcpu_events(c->fd, &e));
	EXPECT_EQ(0, e.nmi.masked);
	EXPECT_EQ(0, e.nmi.pending);
	ASSERT_DONE(c);
}

/* an NMI wakes a halted processor, whatever IF says */
static volatile uint64_t woken;

static void g_halt(void)
{
	guest_handlers[VEC_NMI] = nmi;
	woken = 1;
	asm volatile("cli; hlt");
	woken = 2;
	GUEST_ASSERT_EQ(count, 1);
}

TEST(wakes)
{
	struct gcpu *c = gcpu_new(gvm_new(GVM_SPLIT), 0, g_halt);

	gcpu_start(c);
	ASSERT_TRUE(wait_for(&woken, 1, 5));
	usleep(20000);
	EXPECT_EQ(1ull, woken);
	EXPECT_FALSE(c->finished);
	/* the calls of a vCPU wait for RUN: out, and back into HLT */
	ASSERT_EQ(-EINTR, gcpu_stop(c));
	ASSERT_EQ(0, hvm_nmi(c->fd));
	gcpu_start(c);
	EXPECT_EQ(UCALL_DONE, gcpu_join(c, 5));
}

/* a fault inside the handler does not unblock: only IRET does, and it did */
static void nmi_fault(struct trap_frame *f)
{
	int vec;

	count++;
	SAFE(vec, "ud2", "a"(0));
	GUEST_ASSERT_EQ(vec, VEC_UD);
}

static void g_fault(void)
{
	guest_handlers[VEC_NMI] = nmi_fault;
	GUEST_SYNC(1);
	GUEST_ASSERT_EQ(count, 1);
	GUEST_SYNC(2);
	GUEST_ASSERT_EQ(count, 2);
}

TEST(fault_inside)
{
	struct gcpu *c = gcpu_new(gvm_new(GVM_NO_IRQCHIP), 0, g_fault);

	ASSERT_SYNC(c, 1);
	ASSERT_EQ(0, hvm_nmi(c->fd));
	ASSERT_SYNC(c, 2);
	ASSERT_EQ(0, hvm_nmi(c->fd));
	ASSERT_DONE(c);
}

TEST_HARNESS_MAIN
