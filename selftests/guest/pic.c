// SPDX-License-Identifier: GPL-2.0-only
/*
 * The 8259A pair in the kernel: initialisation, edges and levels, masks,
 * priorities, the cascade, ends of interrupts by command and by themselves,
 * polling, and the way to a vCPU through LVT0.
 */
#include "chips.h"
#include "guest.h"
#include "kselftest_harness.h"

static volatile uint64_t got[256], order[8], total;

static void count(struct trap_frame *f)
{
	got[f->vector]++;
	order[total++ & 7] = f->vector;
}

static void take(struct trap_frame *f)
{
	count(f);
	if (f->vector >= PIC_BASE + 8)
		outb(PIC2, PIC_EOI);
	outb(PIC1, PIC_EOI);
}

static void init(void (*handler)(struct trap_frame *), uint16_t mask, uint8_t icw4)
{
	int i;

	for (i = PIC_BASE; i < PIC_BASE + 16; i++)
		guest_handlers[i] = handler;
	pic_init(mask, icw4);
	xapic_enable();
	lint0_extint();
}

static struct gcpu *cpu(void (*fn)(void))
{
	return gcpu_new(gvm_new(GVM_FULL), 0, fn);
}

static int edge(struct gcpu *c, unsigned int line)
{
	return hvm_irq_line(c->vm->fd, line, 1) ?:
	       hvm_irq_line(c->vm->fd, line, 0);
}

static void g_edges(void)
{
	init(take, 0, 1);
	GUEST_SYNC(1);
	GUEST_ASSERT_EQ(pic_reg(PIC1, PIC_READ_IRR), 1 << 1 | 1 << 2 | 1 << 5);
	GUEST_ASSERT_EQ(pic_reg(PIC2, PIC_READ_IRR), 1 << 3);
	sti_nop();
	cli();
	/* lines 8 to 15 come between 1 and 3 */
	GUEST_ASSERT_EQ(total, 3);
	GUEST_ASSERT_EQ(order[0], PIC_BASE + 1);
	GUEST_ASSERT_EQ(order[1], PIC_BASE + 11);
	GUEST_ASSERT_EQ(order[2], PIC_BASE + 5);
	GUEST_ASSERT_EQ(pic_reg(PIC1, PIC_READ_ISR), 0);
	/* a line that stays up is one edge */
	GUEST_SYNC(2);
	sti_nop();
	cli();
	GUEST_ASSERT_EQ(total, 4);
	GUEST_SYNC(3);
	sti_nop();
	GUEST_ASSERT_EQ(total, 4);
	GUEST_DONE();
}

TEST(edges)
{
	struct gcpu *c = cpu(g_edges);

	ASSERT_SYNC(c, 1);
	EXPECT_EQ(0, edge(c, 5));
	EXPECT_EQ(0, edge(c, 11));
	EXPECT_EQ(0, edge(c, 1));
	EXPECT_EQ(0, edge(c, 1));
	ASSERT_SYNC(c, 2);
	EXPECT_EQ(0, hvm_irq_line(c->vm->fd, 4, 1));
	ASSERT_SYNC(c, 3);
	EXPECT_EQ(0, hvm_irq_line(c->vm->fd, 4, 1));
	ASSERT_DONE(c);
}

static void g_mask(void)
{
	init(take, 1 << 6 | 1 << 10, 1);
	sti();
	GUEST_SYNC(1);
	GUEST_ASSERT_EQ(total, 0);
	GUEST_ASSERT_EQ(inb(PIC1 + 1), 1 << 6);
	GUEST_ASSERT_EQ(inb(PIC2 + 1), 1 << 2);
	outb(PIC1 + 1, 0);
	GUEST_ASSERT_EQ(got[PIC_BASE + 6], 1);
	outb(PIC2 + 1, 0);
	GUEST_ASSERT_EQ(got[PIC_BASE + 10], 1);
	GUEST_DONE();
}

TEST(mask)
{
	struct gcpu *c = cpu(g_mask);
	struct hvm_irq_level l = { .irq = 6, .level = 1 };

	ASSERT_SYNC(c, 1);
	/* -1: the mask has it (the IOAPIC's pin is masked as well) */
	ASSERT_EQ(0, ioctl(c->vm->fd, HVM_IRQ_LINE_STATUS, &l));
	EXPECT_EQ(-1, l.status);
	EXPECT_EQ(0, edge(c, 10));
	ASSERT_DONE(c);
}

/* a level comes again until it is masked or its source gives in */
static void take_level(struct trap_frame *f)
{
	count(f);
	if (total == 3)
		outb(PIC1 + 1, 1 << 5);
	outb(PIC1, PIC_EOI);
}

static void g_level(void)
{
	init(take_level, 0, 1);
	outb(PIC_ELCR, 0xff);
	outb(PIC_ELCR + 1, 0xff);
	/* timer, keyboard, cascade, clock and coprocessor stay edges */
	GUEST_ASSERT_EQ(inb(PIC_ELCR), 0xf8);
	GUEST_ASSERT_EQ(inb(PIC_ELCR + 1), 0xde);
	GUEST_SYNC(1);
	sti_nop();
	GUEST_ASSERT_EQ(got[PIC_BASE + 5], 3);
	GUEST_ASSERT_EQ(pic_reg(PIC1, PIC_READ_IRR), 1 << 5);
	GUEST_SYNC(2);
	GUEST_ASSERT_EQ(pic_reg(PIC1, PIC_READ_IRR), 0);
	outb(PIC1 + 1, 0);
	GUEST_ASSERT_EQ(got[PIC_BASE + 5], 3);
	GUEST_DONE();
}

TEST(level)
{
	struct gcpu *c = cpu(g_level);

	ASSERT_SYNC(c, 1);
	ASSERT_EQ(0, hvm_irq_line(c->vm->fd, 5, 1));
	ASSERT_SYNC(c, 2);
	ASSERT_EQ(0, hvm_irq_line(c->vm->fd, 5, 0));
	ASSERT_DONE(c);
}

/* in service, a line holds back those below it; commands end and rotate */
static void g_priority(void)
{
	init(count, 0, 1);
	GUEST_SYNC(1);
	sti_nop();			/* 3 */
	GUEST_ASSERT_EQ(total, 1);
	GUEST_ASSERT_EQ(pic_reg(PIC1, PIC_READ_ISR), 1 << 3);
	GUEST_SYNC(2);
	GUEST_ASSERT_EQ(total, 2);	/* 1 overtook */
	outb(PIC1, PIC_EOI);		/* of 1 */
	GUEST_ASSERT_EQ(pic_reg(PIC1, PIC_READ_ISR), 1 << 3);
	GUEST_ASSERT_EQ(total, 2);
	outb(PIC1, 0x60 | 3);		/* of 3, by name */
	GUEST_ASSERT_EQ(total, 3);	/* 6 */
	GUEST_ASSERT_EQ(order[2], PIC_BASE + 6);
	outb(PIC1, PIC_EOI_ROTATE);	/* 6 is the lowest now, 7 the highest */
	cli();
	GUEST_SYNC(3);
	sti_nop();
	GUEST_ASSERT_EQ(order[3], PIC_BASE + 7);
	outb(PIC1, PIC_EOI);
	GUEST_ASSERT_EQ(order[4], PIC_BASE + 0);
	GUEST_DONE();
}

TEST(priority)
{
	struct gcpu *c = cpu(g_priority);

	ASSERT_SYNC(c, 1);
	EXPECT_EQ(0, edge(c, 3));
	ASSERT_SYNC(c, 2);
	EXPECT_EQ(0, edge(c, 6));
	EXPECT_EQ(0, edge(c, 1));
	ASSERT_SYNC(c, 3);
	EXPECT_EQ(0, edge(c, 0));
	EXPECT_EQ(0, edge(c, 7));
	ASSERT_DONE(c);
}

static void g_auto_eoi(void)
{
	init(count, 0, 3);
	sti();
	GUEST_SYNC(1);
	GUEST_ASSERT_EQ(got[PIC_BASE + 1], 1);
	GUEST_ASSERT_EQ(got[PIC_BASE + 5], 1);
	GUEST_ASSERT_EQ(pic_reg(PIC1, PIC_READ_ISR), 0);
	GUEST_DONE();
}

TEST(auto_eoi)
{
	struct gcpu *c = cpu(g_auto_eoi);

	ASSERT_SYNC(c, 1);
	EXPECT_EQ(0, edge(c, 1));
	EXPECT_EQ(0, edge(c, 5));
	ASSERT_DONE(c);
}

static void g_poll(void)
{
	init(count, 0, 1);
	xapic_write(APIC_LVT0, APIC_LVT_MASKED);
	GUEST_SYNC(1);
	outb(PIC1, PIC_POLL);
	GUEST_ASSERT_EQ(inb(PIC1), 0x80 | 5);
	GUEST_ASSERT_EQ(pic_reg(PIC1, PIC_READ_ISR), 1 << 5);
	outb(PIC1, PIC_EOI);
	outb(PIC1, PIC_POLL);
	GUEST_ASSERT_EQ(inb(PIC1) & 0x80, 0);
	GUEST_DONE();
}

TEST(poll)
{
	struct gcpu *c = cpu(g_poll);

	REQUIRE_HVM();
	ASSERT_SYNC(c, 1);
	EXPECT_EQ(0, edge(c, 5));
	ASSERT_DONE(c);
}

static volatile uint64_t is_hvm;

/* while LVT0 is closed nothing comes; what waits comes when it opens */
static void g_lint0(void)
{
	init(take, 0, 1);
	xapic_write(APIC_LVT0, APIC_LVT_MASKED | 0x700);
	sti();
	GUEST_SYNC(1);
	GUEST_ASSERT_EQ(total, 0);
	lint0_extint();
	/* KVM does not look before something else happens */
	if (!is_hvm)
		GUEST_SYNC(3);
	sti_nop();
	GUEST_ASSERT_EQ(total, 1);
	/* the priority of the local APIC is no matter to it */
	xapic_write(APIC_TPR, 0xff);
	GUEST_SYNC(2);
	GUEST_ASSERT_EQ(total, 2);
	GUEST_DONE();
}

TEST(lint0)
{
	struct gcpu *c = cpu(g_lint0);
	struct hvm_regs r;

	is_hvm = device_is_hvm();
	ASSERT_SYNC(c, 1);
	EXPECT_EQ(0, edge(c, 4));
	if (!is_hvm) {
		ASSERT_SYNC(c, 3);
		ASSERT_EQ(0, ioctl(c->fd, HVM_GET_REGS, &r));
		ASSERT_EQ(0, ioctl(c->fd, HVM_SET_REGS, &r));
	}
	ASSERT_SYNC(c, 2);
	EXPECT_EQ(0, edge(c, 4));
	ASSERT_DONE(c);
}

/* it ends a HLT */
static void g_halt(void)
{
	init(take, 0, 1);
	GUEST_SYNC(1);
	while (!total)
		sti_hlt();
	GUEST_DONE();
}

TEST(halt)
{
	struct gcpu *c = cpu(g_halt);

	ASSERT_SYNC(c, 1);
	gcpu_start(c);
	usleep(20000);
	EXPECT_EQ(0ull, total);
	EXPECT_EQ(0, edge(c, 12));
	ASSERT_EQ(UCALL_DONE, gcpu_join(c, 5));
	EXPECT_EQ(1ull, got[PIC_BASE + 12]);
}

/* registers of one byte: two at once read 0 and write nothing, more are not theirs */
static void g_wide(void)
{
	init(take, 0x55, 1);
	outw(PIC1, 0xffff);
	GUEST_ASSERT_EQ(inb(PIC1 + 1), 0x55);
	GUEST_ASSERT_EQ(inw(PIC1), 0);
	outw(PIC1 + 1, 0xffff);
	inl(PIC2);
	GUEST_ASSERT_EQ(inb(PIC1 + 1), 0x55);
	GUEST_DONE();
}

TEST(wide)
{
	struct gcpu *c = cpu(g_wide);

	ASSERT_EQ(HVM_EXIT_IO, gcpu_run(c));
	EXPECT_EQ(PIC1 + 1, c->run->io.port);
	ASSERT_EQ(HVM_EXIT_IO, gcpu_run(c));
	EXPECT_EQ(PIC2, c->run->io.port);
	ASSERT_DONE(c);
}

/* saved with one interrupt in service and one waiting, it goes on elsewhere */
static void g_save(void)
{
	init(count, 0, 1);
	GUEST_SYNC(1);
	sti_nop();
	GUEST_ASSERT_EQ(total, 1);
	cli();
	GUEST_SYNC(2);
	GUEST_SYNC(3);
	sti_nop();
	GUEST_ASSERT_EQ(total, 1);
	outb(PIC2, PIC_EOI);
	outb(PIC1, PIC_EOI);
	sti_nop();
	GUEST_ASSERT_EQ(total, 2);
	GUEST_ASSERT_EQ(order[1], PIC_BASE + 7);
	GUEST_DONE();
}

TEST(save)
{
	struct gcpu *c = cpu(g_save);
	struct hvm_irqchip chip[2] = { { .chip_id = 0 }, { .chip_id = 1 } };
	struct hvm_irqchip empty = { 0 }, now;
	int i;

	ASSERT_SYNC(c, 1);
	EXPECT_EQ(0, edge(c, 10));
	ASSERT_SYNC(c, 2);
	EXPECT_EQ(0, edge(c, 7));
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, hvm_get_irqchip(c->vm->fd, &chip[i]));
	EXPECT_EQ(PIC_BASE, chip[0].chip.pic.irq_base);
	EXPECT_EQ(1 << 7, chip[0].chip.pic.irr);
	EXPECT_EQ(1 << 2, chip[0].chip.pic.isr);
	EXPECT_EQ(PIC_BASE + 8, chip[1].chip.pic.irq_base);
	EXPECT_EQ(1 << 2, chip[1].chip.pic.isr);
	EXPECT_EQ(0xde, chip[1].chip.pic.elcr_mask);
	for (i = 0; i < 2; i++) {
		empty.chip_id = i;
		ASSERT_EQ(0, hvm_set_irqchip(c->vm->fd, &empty));
	}
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, hvm_set_irqchip(c->vm->fd, &chip[i]));
		now.chip_id = i;
		ASSERT_EQ(0, hvm_get_irqchip(c->vm->fd, &now));
		EXPECT_EQ(0, memcmp(&now.chip.pic, &chip[i].chip.pic,
				    sizeof(now.chip.pic)));
	}
	ASSERT_SYNC(c, 3);
	ASSERT_DONE(c);
}

TEST_HARNESS_MAIN
