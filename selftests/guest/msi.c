// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupts from outside: SIGNAL_MSI, irqfd through GSI routes, routes that
 * change, logical and lowest-priority messages, masking by TPR, and the order of
 * priorities.
 */
#include <sys/eventfd.h>

#include "guest.h"
#include "kselftest_harness.h"

static volatile uint64_t got[256], order[8], total, ready, want;

static void irq(struct trap_frame *f)
{
	got[f->vector]++;
	order[total++ & 7] = f->vector;
	xapic_write(APIC_EOI, 0);
}

static void init(void)
{
	int i;

	for (i = 32; i < 0xfe; i++)
		guest_handlers[i] = irq;
	xapic_enable();
}

static void g_wait(void)
{
	init();
	sti();
	GUEST_SYNC(1);
	ready = 1;
	while (total < want)
		sti_hlt();
	cli();
}

static struct gcpu *waiting(struct __test_metadata *_metadata, uint64_t n)
{
	struct gcpu *c = gcpu_new(gvm_new(GVM_SPLIT), 0, g_wait);

	want = n;
	EXPECT_EQ(UCALL_SYNC, gcpu_run(c));
	gcpu_start(c);
	EXPECT_TRUE(wait_for(&ready, 1, 5));
	return c;
}

TEST(signal_msi)
{
	struct gcpu *c = waiting(_metadata, 3);

	EXPECT_EQ(1, hvm_signal_msi(c->vm->fd, APIC_GPA, 0x41));
	ASSERT_TRUE(wait_for(&total, 1, 5));
	EXPECT_EQ(1ull, got[0x41]);
	EXPECT_EQ(1, hvm_signal_msi(c->vm->fd, APIC_GPA, 0x91));
	ASSERT_TRUE(wait_for(&total, 2, 5));
	EXPECT_EQ(1ull, got[0x91]);
	/* broadcast */
	EXPECT_EQ(1, hvm_signal_msi(c->vm->fd, APIC_GPA | 0xff << 12, 0x42));
	ASSERT_EQ(UCALL_DONE, gcpu_join(c, 5));
	EXPECT_EQ(1ull, got[0x42]);
	/* nobody has ID 9 */
	EXPECT_GT(1, hvm_signal_msi(c->vm->fd, APIC_GPA | 9 << 12, 0x43));
}

TEST(irqfd)
{
	struct gcpu *c = waiting(_metadata, 4);
	int ev = eventfd(0, 0);
	uint64_t one = 1;

	ASSERT_EQ(0, gvm_route_msi(c->vm, 8, 0x50));
	ASSERT_EQ(0, hvm_irqfd(c->vm->fd, ev, 3, 0, 0));
	ASSERT_EQ(8, write(ev, &one, 8));
	ASSERT_TRUE(wait_for(&total, 1, 5));
	EXPECT_EQ(1ull, got[0x53]);
	/* another route for the same GSI */
	ASSERT_EQ(0, gvm_route_msi(c->vm, 8, 0x70));
	ASSERT_EQ(8, write(ev, &one, 8));
	ASSERT_TRUE(wait_for(&total, 2, 5));
	EXPECT_EQ(1ull, got[0x73]);
	/* off: the eventfd counts, the guest sees nothing */
	ASSERT_EQ(0, hvm_irqfd(c->vm->fd, ev, 3, HVM_IRQFD_FLAG_DEASSIGN, 0));
	ASSERT_EQ(8, write(ev, &one, 8));
	usleep(20000);
	EXPECT_EQ(2ull, total);
	/* what it counted meanwhile is delivered when it is on again */
	ASSERT_EQ(0, hvm_irqfd(c->vm->fd, ev, 4, 0, 0));
	ASSERT_TRUE(wait_for(&total, 3, 5));
	EXPECT_EQ(1ull, got[0x74]);
	ASSERT_EQ(8, write(ev, &one, 8));
	ASSERT_EQ(UCALL_DONE, gcpu_join(c, 5));
	EXPECT_EQ(2ull, got[0x74]);
}

/* a route of a guest that is not running is taken when it runs */
static void g_pending(void)
{
	init();
	GUEST_SYNC(1);
	GUEST_ASSERT_EQ(total, 0);
	GUEST_ASSERT(xapic_read(APIC_IRR + 0x30) & 1 << 1);
	sti_nop();
	GUEST_ASSERT_EQ(total, 4);
	/* the highest first */
	GUEST_ASSERT_EQ(order[0], 0xb1);
	GUEST_ASSERT_EQ(order[1], 0x95);
	GUEST_ASSERT_EQ(order[2], 0x61);
	GUEST_ASSERT_EQ(order[3], 0x35);
	GUEST_SYNC(2);
	/* held back by TPR */
	xapic_write(APIC_TPR, 0x60);
	GUEST_SYNC(3);
	sti_nop();
	GUEST_ASSERT_EQ(total, 5);
	GUEST_ASSERT_EQ(order[4], 0x71);
	write_cr8(0);
	asm volatile("nop");
	GUEST_ASSERT_EQ(total, 6);
	GUEST_ASSERT_EQ(order[5], 0x61);
	cli();
}

TEST(priorities)
{
	struct gcpu *c = gcpu_new(gvm_new(GVM_SPLIT), 0, g_pending);
	static const uint8_t v[] = { 0x61, 0x35, 0xb1, 0x95 };
	size_t i;

	ASSERT_SYNC(c, 1);
	for (i = 0; i < ARRAY_LEN(v); i++)
		EXPECT_EQ(1, hvm_signal_msi(c->vm->fd, APIC_GPA, v[i]));
	/* twice the same before it is taken is once */
	EXPECT_EQ(1, hvm_signal_msi(c->vm->fd, APIC_GPA, 0x35));
	ASSERT_EQ(UCALL_SYNC, gcpu_run(c));
	ASSERT_SYNC(c, 3);
	EXPECT_EQ(1, hvm_signal_msi(c->vm->fd, APIC_GPA, 0x61));
	EXPECT_EQ(1, hvm_signal_msi(c->vm->fd, APIC_GPA, 0x71));
	ASSERT_DONE(c);
}

/* nested: a higher one interrupts the handler of a lower one */
static volatile uint64_t depth, deepest;

static void nest(struct trap_frame *f)
{
	depth++;
	if (depth > deepest)
		deepest = depth;
	if (f->vector == 0x40) {
		GUEST_SYNC(10);
		sti_nop();
		cli();
		GUEST_ASSERT_EQ(got[0x80], 1);
		GUEST_ASSERT_EQ(got[0x38], 0);
	}
	got[f->vector]++;
	depth--;
	xapic_write(APIC_EOI, 0);
}

static void g_nested(void)
{
	init();
	guest_handlers[0x38] = nest;
	guest_handlers[0x40] = nest;
	guest_handlers[0x80] = nest;
	GUEST_SYNC(1);
	sti_nop();
	GUEST_ASSERT_EQ(deepest, 2);
	GUEST_ASSERT_EQ(got[0x40], 1);
	GUEST_ASSERT_EQ(got[0x38], 1);
	cli();
}

TEST(nested)
{
	struct gcpu *c = gcpu_new(gvm_new(GVM_SPLIT), 0, g_nested);

	ASSERT_SYNC(c, 1);
	EXPECT_EQ(1, hvm_signal_msi(c->vm->fd, APIC_GPA, 0x40));
	ASSERT_SYNC(c, 10);
	EXPECT_EQ(1, hvm_signal_msi(c->vm->fd, APIC_GPA, 0x38));
	EXPECT_EQ(1, hvm_signal_msi(c->vm->fd, APIC_GPA, 0x80));
	ASSERT_DONE(c);
}

/* a hundred, from a thread, into a guest that halts between them */
TEST(stream)
{
	struct gcpu *c = waiting(_metadata, 100);
	uint64_t i;

	for (i = 0; i < 100; i++) {
		ASSERT_LE(0, hvm_signal_msi(c->vm->fd, APIC_GPA, 0x40));
		ASSERT_TRUE(wait_for(&total, i + 1, 5));
	}
	ASSERT_EQ(UCALL_DONE, gcpu_join(c, 5));
}

TEST_HARNESS_MAIN
