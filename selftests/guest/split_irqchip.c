// SPDX-License-Identifier: GPL-2.0-only
/*
 * The split chips' userspace IOAPIC: level-triggered messages, the EOI exit
 * that tells userspace, and the external interrupts of its PIC.
 */
#include "guest.h"
#include "kselftest_harness.h"

static volatile uint64_t got, last;

static void irq(struct trap_frame *f)
{
	got++;
	last = f->vector;
	xapic_write(APIC_EOI, 0);
}

static void g_level(void)
{
	guest_handlers[0x55] = irq;
	guest_handlers[0x56] = irq;
	xapic_enable();
	sti();
	GUEST_SYNC(1);
	while (got < 1)
		cpu_relax();
	GUEST_SYNC(2);
	while (got < 2)
		cpu_relax();
	GUEST_SYNC(3);
	while (got < 3)
		cpu_relax();
	cli();
}

/* a route of an IOAPIC pin that is level-triggered asks for the exit */
static int route_level(struct gvm *vm)
{
	struct {
		struct hvm_irq_routing r;
		struct hvm_irq_routing_entry e[2];
	} t = { .r.nr = 2 };

	t.e[0].gsi = 5;
	t.e[0].type = HVM_IRQ_ROUTING_MSI;
	t.e[0].u.msi.address_lo = APIC_GPA;
	t.e[0].u.msi.data = 0x55 | 1 << 15 | 1 << 14;
	t.e[1].gsi = 6;
	t.e[1].type = HVM_IRQ_ROUTING_MSI;
	t.e[1].u.msi.address_lo = APIC_GPA;
	t.e[1].u.msi.data = 0x56;
	return hvm_set_gsi_routing(vm->fd, &t.r);
}

TEST(eoi_exit)
{
	struct gcpu *c = gcpu_new(gvm_new(GVM_SPLIT), 0, g_level);
	int i;

	ASSERT_EQ(0, route_level(c->vm));
	ASSERT_SYNC(c, 1);
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(1, hvm_signal_msi(c->vm->fd, APIC_GPA,
					    0x55 | 1 << 15 | 1 << 14));
		ASSERT_EQ(HVM_EXIT_IOAPIC_EOI, gcpu_run(c));
		EXPECT_EQ(0x55, c->run->eoi.vector);
		ASSERT_SYNC(c, 2 + i);
	}
	/* an edge needs no exit */
	ASSERT_EQ(1, hvm_signal_msi(c->vm->fd, APIC_GPA, 0x56));
	ASSERT_DONE(c);
	EXPECT_EQ(0x56ull, last);
}

/* LVT0 as external interrupt: HVM_INTERRUPT brings the PIC's vector */
static void ext(struct trap_frame *f)
{
	got++;
	last = f->vector;
}

static void g_pic(void)
{
	guest_handlers[0x20] = ext;
	guest_handlers[0x21] = ext;
	xapic_enable();
	xapic_write(APIC_LVT0, 0x700);
	sti();
	GUEST_SYNC(1);
	GUEST_ASSERT_EQ(got, 1);
	GUEST_SYNC(2);
	GUEST_ASSERT_EQ(got, 2);
	GUEST_ASSERT_EQ(last, 0x21);
	cli();
}

TEST(external)
{
	struct gcpu *c = gcpu_new(gvm_new(GVM_SPLIT), 0, g_pic);

	ASSERT_SYNC(c, 1);
	ASSERT_EQ(0, hvm_interrupt(c->fd, 0x20));
	ASSERT_SYNC(c, 2);
	ASSERT_EQ(0, hvm_interrupt(c->fd, 0x21));
	ASSERT_DONE(c);
}

TEST_HARNESS_MAIN
