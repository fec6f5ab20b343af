// SPDX-License-Identifier: GPL-2.0-only
/*
 * HVM_INTERRUPT: delivery at once where the guest can take it, otherwise by the
 * interrupt window; the interrupt shadow counts.
 */
#include "guest.h"
#include "kselftest_harness.h"

static volatile uint64_t count, last, shadow_rip;

static void irq(struct trap_frame *f)
{
	count++;
	last = f->vector;
	shadow_rip = f->rip;
}

static void set_handlers(void)
{
	int i;

	for (i = 32; i < 0xfe; i++)
		guest_handlers[i] = irq;
}

static void g_open(void)
{
	set_handlers();
	sti();
	GUEST_SYNC(1);
	GUEST_ASSERT_EQ(count, 1);
	GUEST_ASSERT_EQ(last, 0x40);
	GUEST_SYNC(2);
	GUEST_ASSERT_EQ(count, 2);
	GUEST_ASSERT_EQ(last, 0xf0);
}

TEST(delivered)
{
	struct gcpu *c = gcpu_new(gvm_new(GVM_NO_IRQCHIP), 0, g_open);

	ASSERT_SYNC(c, 1);
	EXPECT_EQ(1, c->run->if_flag);
	EXPECT_EQ(1, c->run->ready_for_interrupt_injection);
	ASSERT_EQ(0, hvm_interrupt(c->fd, 0x40));
	ASSERT_SYNC(c, 2);
	ASSERT_EQ(0, hvm_interrupt(c->fd, 0xf0));
	ASSERT_DONE(c);
}

static void g_closed(void)
{
	set_handlers();
	GUEST_SYNC(1);
	GUEST_SYNC(2);
	GUEST_ASSERT_EQ(count, 0);
	sti_nop();
	GUEST_SYNC(3);
	GUEST_ASSERT_EQ(count, 1);
	cli();
	GUEST_SYNC(4);
}

TEST(window)
{
	struct gcpu *c = gcpu_new(gvm_new(GVM_NO_IRQCHIP), 0, g_closed);

	ASSERT_SYNC(c, 1);
	EXPECT_EQ(0, c->run->if_flag);
	EXPECT_EQ(0, c->run->ready_for_interrupt_injection);
	c->run->request_interrupt_window = 1;
	ASSERT_SYNC(c, 2);
	ASSERT_EQ(HVM_EXIT_IRQ_WINDOW_OPEN, gcpu_run(c));
	EXPECT_EQ(1, c->run->ready_for_interrupt_injection);
	EXPECT_EQ(1, c->run->if_flag);
	c->run->request_interrupt_window = 0;
	ASSERT_EQ(0, hvm_interrupt(c->fd, 0x77));
	ASSERT_SYNC(c, 3);
	EXPECT_EQ(0x77ull, last);
	ASSERT_SYNC(c, 4);
	EXPECT_EQ(0, c->run->if_flag);
	ASSERT_DONE(c);
}

/* HLT right behind STI: the interrupt comes after both or wakes, never between */
static void g_halt(void)
{
	set_handlers();
	sti_hlt();
	GUEST_ASSERT_EQ(count, 1);
	asm volatile("cli" ::: "memory");
}

TEST(halt_wakes)
{
	struct gcpu *c = gcpu_new(gvm_new(GVM_NO_IRQCHIP), 0, g_halt);

	ASSERT_EQ(HVM_EXIT_HLT, gcpu_run(c));
	EXPECT_EQ(1, c->run->if_flag);
	EXPECT_EQ(1, c->run->ready_for_interrupt_injection);
	ASSERT_EQ(0, hvm_interrupt(c->fd, 0x33));
	ASSERT_DONE(c);
}

/* many, one after the other, each through the window */
static void g_busy(void)
{
	set_handlers();
	sti();
	while (count < 100)
		cpu_relax();
	cli();
}

TEST(many)
{
	struct gcpu *c = gcpu_new(gvm_new(GVM_NO_IRQCHIP), 0, g_busy);
	int i;

	for (i = 0; i < 100; i++) {
		c->run->request_interrupt_window = 1;
		ASSERT_EQ(HVM_EXIT_IRQ_WINDOW_OPEN, gcpu_run(c));
		c->run->request_interrupt_window = 0;
		ASSERT_EQ(0, hvm_interrupt(c->fd, 32 + i));
	}
	ASSERT_DONE(c);
	EXPECT_EQ(131ull, last);
}

/* a vCPU that is saved and set in between gets what HVM_INTERRUPT gave it once */
static void g_saved(void)
{
	set_handlers();
	sti();
	GUEST_SYNC(1);
	GUEST_ASSERT_EQ(count, 1);
	GUEST_ASSERT_EQ(last, 0x40);
	GUEST_SYNC(2);
	GUEST_ASSERT_EQ(count, 2);
	GUEST_ASSERT_EQ(last, 0x50);
	GUEST_SYNC(3);
	GUEST_ASSERT_EQ(count, 2);
	cli();
}

TEST(saved)
{
	struct gcpu *c = gcpu_new(gvm_new(GVM_NO_IRQCHIP), 0, g_saved);
	struct hvm_vcpu_events ev;
	struct hvm_sregs sregs;

	ASSERT_SYNC(c, 1);
	ASSERT_EQ(0, hvm_interrupt(c->fd, 0x40));
	ASSERT_EQ(0, hvm_get_vcpu_events(c->fd, &ev));
	EXPECT_EQ(1, ev.interrupt.injected);
	EXPECT_EQ(0x40, ev.interrupt.nr);
	ASSERT_EQ(0, hvm_set_vcpu_events(c->fd, &ev));
	ASSERT_SYNC(c, 2);
	ASSERT_EQ(0, hvm_interrupt(c->fd, 0x50));
	ASSERT_EQ(0, hvm_get_sregs(c->fd, &sregs));
	EXPECT_EQ(1ull << 0x10, sregs.interrupt_bitmap[1]);
	ASSERT_EQ(0, hvm_set_sregs(c->fd, &sregs));
	ASSERT_SYNC(c, 3);
	/* It is taken back, as a reset by userspace does. */
	ASSERT_EQ(0, hvm_interrupt(c->fd, 0x60));
	ASSERT_EQ(0, hvm_get_vcpu_events(c->fd, &ev));
	ev.interrupt.injected = 0;
	ASSERT_EQ(0, hvm_set_vcpu_events(c->fd, &ev));
	ASSERT_DONE(c);
}

/* CR8 is the run page's without a local APIC */
static void g_tpr(void)
{
	GUEST_ASSERT_EQ(read_cr8(), 0);
	write_cr8(9);
	GUEST_SYNC(1);
	GUEST_ASSERT_EQ(read_cr8(), 3);
}

TEST(cr8)
{
	struct gcpu *c = gcpu_new(gvm_new(GVM_NO_IRQCHIP), 0, g_tpr);
	int ret = gcpu_run(c);

	if (ret == HVM_EXIT_SET_TPR)
		ret = gcpu_run(c);
	ASSERT_EQ(UCALL_SYNC, ret);
	EXPECT_EQ(9ull, c->run->cr8);
	c->run->cr8 = 3;
	ASSERT_DONE(c);
}

/*
 * #BP that userspace injects: its handler returns behind the INT3 that RIP is
 * at, or the guest would never get past it.
 */
void int3_entry(void);
static volatile uint64_t bp_rip, bp_count;

asm(".pushsection .text\n"
    "int3_entry:	int3\n"
    "	jmp after_int3\n"
    ".popsection\n");

static void on_bp(struct trap_frame *f)
{
	bp_rip = f->rip;
	bp_count++;
}

__attribute__((used)) void after_int3(void)
{
	GUEST_ASSERT_EQ(bp_count, 1);
	GUEST_ASSERT_EQ(bp_rip, (uintptr_t)int3_entry + 1);
	GUEST_DONE();
}

TEST(breakpoint)
{
	struct gcpu *c = gcpu_new(gvm_new(GVM_NO_IRQCHIP), 0, int3_entry);
	struct hvm_vcpu_events ev;

	guest_handlers[VEC_BP] = on_bp;
	ASSERT_EQ(0, hvm_get_vcpu_events(c->fd, &ev));
	ev.exception.injected = 1;
	ev.exception.nr = VEC_BP;
	ev.exception.has_error_code = 0;
	ASSERT_EQ(0, hvm_set_vcpu_events(c->fd, &ev));
	ASSERT_DONE(c);
}

TEST_HARNESS_MAIN
