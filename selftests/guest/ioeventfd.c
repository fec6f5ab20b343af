// SPDX-License-Identifier: GPL-2.0-only
/*
 * ioeventfd: a guest's write that matches signals the eventfd and does not
 * come out; any other does.
 */
#include <sys/eventfd.h>

#include "guest.h"
#include "kselftest_harness.h"

#define MMIO	0xd0000000ul
#define PIO	HVM_IOEVENTFD_FLAG_PIO
#define MATCH	HVM_IOEVENTFD_FLAG_DATAMATCH

static uint64_t count(int ev)
{
	uint64_t n = 0;

	return read(ev, &n, 8) == 8 ? n : 0;
}

static int event(struct gcpu *c, uint64_t addr, uint32_t len, uint32_t flags,
		 uint64_t match)
{
	int ev = eventfd(0, EFD_NONBLOCK);

	return hvm_ioeventfd(c->vm->fd, ev, addr, len, flags, match) ? -1 : ev;
}

static void g_pio(void)
{
	outw(0x100, 5);		/* any value */
	outw(0x100, 6);
	outb(0x100, 7);		/* another length: comes out */
	outw(0x102, 5);		/* another port: comes out */
	inw(0x100);		/* a read: comes out */
	outl(0x200, 0x1234);	/* matches */
	outl(0x200, 0x4321);	/* does not: comes out */
	outb(0x300, 1);		/* any length */
	outw(0x300, 1);
	outl(0x300, 1);
	GUEST_SYNC(1);
}

#define ASSERT_IO(c, p, s) do {						\
	ASSERT_EQ(HVM_EXIT_IO, gcpu_run(c));				\
	EXPECT_EQ(p, (c)->run->io.port);				\
	EXPECT_EQ(s, (c)->run->io.size);				\
} while (0)

TEST(pio)
{
	struct gcpu *c = gcpu_new(gvm_new(GVM_NO_IRQCHIP), 0, g_pio);
	int any, match, wild;

	any = event(c, 0x100, 2, PIO, 0);
	match = event(c, 0x200, 4, PIO | MATCH, 0x1234);
	wild = event(c, 0x300, 0, PIO, 0);
	ASSERT_LE(0, any);
	ASSERT_LE(0, match);
	ASSERT_LE(0, wild);
	ASSERT_IO(c, 0x100, 1);
	ASSERT_IO(c, 0x102, 2);
	ASSERT_IO(c, 0x100, 2);
	EXPECT_EQ(HVM_EXIT_IO_IN, c->run->io.direction);
	ASSERT_IO(c, 0x200, 4);
	ASSERT_SYNC(c, 1);
	EXPECT_EQ(2ull, count(any));
	EXPECT_EQ(1ull, count(match));
	EXPECT_EQ(3ull, count(wild));
}

static void g_mmio(void)
{
	volatile uint8_t *b = (void *)MMIO;
	volatile uint16_t *w = (void *)MMIO;
	volatile uint32_t *l = (void *)MMIO;
	volatile uint64_t *q = (void *)MMIO;

	l[0] = 5;			/* any value */
	w[0] = 5;			/* another length: comes out */
	l[1] = 5;			/* another address: comes out */
	(void)l[0];			/* a read: comes out */
	w[0x10] = 0x55aa;		/* matches */
	w[0x10] = 0x55ab;		/* does not: comes out */
	b[0x40] = 1;			/* any length */
	w[0x20] = 1;
	l[0x10] = 1;
	q[8] = 1;
	q[16] = 0x1122334455667788;	/* eight bytes, all compared */
	q[16] = 0x0022334455667788;	/* comes out */
	GUEST_SYNC(1);
}

#define ASSERT_MMIO(c, a, l, w) do {					\
	ASSERT_EQ(HVM_EXIT_MMIO, gcpu_run(c));				\
	EXPECT_EQ(MMIO + (a), (c)->run->mmio.phys_addr);		\
	EXPECT_EQ(l, (c)->run->mmio.len);				\
	EXPECT_EQ(w, (c)->run->mmio.is_write);				\
} while (0)

TEST(mmio)
{
	struct gcpu *c = gcpu_new(gvm_new(GVM_NO_IRQCHIP), 0, g_mmio);
	int any, match, wild, wide;

	any = event(c, MMIO, 4, 0, 0);
	match = event(c, MMIO + 0x20, 2, MATCH, 0x55aa);
	wild = event(c, MMIO + 0x40, 0, 0, 0);
	wide = event(c, MMIO + 0x80, 8, MATCH, 0x1122334455667788);
	ASSERT_LE(0, any);
	ASSERT_LE(0, match);
	ASSERT_LE(0, wild);
	ASSERT_LE(0, wide);
	ASSERT_MMIO(c, 0, 2u, 1);
	ASSERT_MMIO(c, 4, 4u, 1);
	ASSERT_MMIO(c, 0, 4u, 0);
	ASSERT_MMIO(c, 0x20, 2u, 1);
	ASSERT_MMIO(c, 0x80, 8u, 1);
	ASSERT_SYNC(c, 1);
	EXPECT_EQ(1ull, count(any));
	EXPECT_EQ(1ull, count(match));
	EXPECT_EQ(4ull, count(wild));
	EXPECT_EQ(1ull, count(wide));
}

static void g_many(void)
{
	int i;

	for (i = 0; i < 3; i++) {
		outw(0x100, 1);
		outw(0x100, 2);
		outw(0x100, 3);
	}
	GUEST_SYNC(1);
	outw(0x100, 2);
	GUEST_SYNC(2);
}

/* queues behind one doorbell, told apart by value; one is taken away */
TEST(queues)
{
	struct gcpu *c = gcpu_new(gvm_new(GVM_NO_IRQCHIP), 0, g_many);
	int ev[3], i;

	for (i = 0; i < 3; i++) {
		ev[i] = event(c, 0x100, 2, PIO | MATCH, i + 1);
		ASSERT_LE(0, ev[i]);
	}
	ASSERT_SYNC(c, 1);
	for (i = 0; i < 3; i++)
		EXPECT_EQ(3ull, count(ev[i]));
	ASSERT_EQ(0, hvm_ioeventfd(c->vm->fd, ev[1], 0x100, 2,
				   PIO | MATCH | HVM_IOEVENTFD_FLAG_DEASSIGN,
				   2));
	ASSERT_IO(c, 0x100, 2);
	ASSERT_SYNC(c, 2);
	EXPECT_EQ(0ull, count(ev[1]));
}

/* assigned in the middle of a guest's run */
static volatile uint64_t go;

static void g_spin(void)
{
	while (!go)
		cpu_relax();
	outb(0x180, 1);
	mmio_write32(MMIO + 0x1000, 1);
}

TEST(while_running)
{
	struct gcpu *c = gcpu_new(gvm_new(GVM_NO_IRQCHIP), 0, g_spin);
	int a, b;

	gcpu_start(c);
	usleep(20000);
	a = event(c, 0x180, 1, PIO, 0);
	b = event(c, MMIO + 0x1000, 4, 0, 0);
	go = 1;
	ASSERT_EQ(UCALL_DONE, gcpu_join(c, 5));
	EXPECT_EQ(1ull, count(a));
	EXPECT_EQ(1ull, count(b));
}

TEST_HARNESS_MAIN
