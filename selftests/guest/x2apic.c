// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupts in x2APIC mode, where a processor may deliver and end them by
 * itself: order, nesting, the task priority, level-triggered vectors, state
 * that is moved while one is in service, changes of the mode; and which
 * accesses still cost an exit.
 */
#include <fcntl.h>

#include "guest.h"
#include "kselftest_harness.h"

#define X2(reg)		MSR_X2APIC(reg)
#define LOW		0x51
#define HIGH		0x91
#define LEVEL		(1 << 15 | 1 << 14)
#define OPS		50

static volatile uint64_t seen[64], n_log, stepped;

static void note(uint64_t what)
{
	seen[n_log++ % 64] = what;
}

static uint64_t vec_bit(uint32_t base, uint8_t vec)
{
	return rdmsr(X2(base) + vec / 32) >> vec % 32 & 1;
}

static void self_ipi(uint8_t vec)
{
	wrmsr(X2(APIC_SELF_IPI), vec);
}

static void irq(struct trap_frame *f)
{
	note(f->vector);
	wrmsr(X2(APIC_EOI), 0);
}

/* the low one is interrupted by the high one, not by another low one */
static void irq_nested(struct trap_frame *f)
{
	note(f->vector);
	if (f->vector == LOW) {
		GUEST_ASSERT_EQ(vec_bit(APIC_ISR, LOW), 1);
		GUEST_ASSERT_EQ(rdmsr(X2(APIC_PPR)), LOW & 0xf0);
		self_ipi(LOW + 1);
		GUEST_ASSERT_EQ(vec_bit(APIC_IRR, LOW + 1), 1);
		sti();
		cpu_relax();
		note(1);
		self_ipi(HIGH);
		cpu_relax();
		note(2);
		cli();
	}
	wrmsr(X2(APIC_EOI), 0);
}

static void handlers(void (*fn)(struct trap_frame *))
{
	int vec;

	/* IDT and stack are in stage 2 from here on: see docs/testing.md of Bochs */
	SAFE(vec, "ud2", "a"(0));
	GUEST_ASSERT_EQ(vec, VEC_UD);
	guest_handlers[LOW] = fn;
	guest_handlers[LOW + 1] = fn;
	guest_handlers[HIGH] = fn;
}

static void expect_log(const uint64_t *want, uint64_t n)
{
	uint64_t i;

	GUEST_ASSERT_EQ(n_log, n);
	for (i = 0; i < n; i++)
		GUEST_ASSERT_EQ(seen[i], want[i]);
	n_log = 0;
}

static void g_order(void)
{
	static const uint64_t nested[] = { LOW, 1, HIGH, 2, LOW + 1 };
	static const uint64_t by_priority[] = { HIGH, LOW + 1, LOW };
	static const uint64_t raised[] = { HIGH, 7, LOW };

	x2apic_enable();
	handlers(irq_nested);
	sti();
	self_ipi(LOW);
	cpu_relax();
	expect_log(nested, 5);
	handlers(irq);
	/* all wait for the flag, and come by priority */
	cli();
	self_ipi(LOW);
	wrmsr(X2(APIC_ICR), ICR_SELF | HIGH);
	wrmsr(X2(APIC_ICR), ICR_ASSERT | (LOW + 1));
	GUEST_ASSERT_EQ(vec_bit(APIC_IRR, HIGH), 1);
	GUEST_ASSERT_EQ(n_log, 0);
	sti();
	cpu_relax();
	expect_log(by_priority, 3);
	/* the task priority holds the low one back */
	wrmsr(X2(APIC_TPR), 0x60);
	self_ipi(LOW);
	self_ipi(HIGH);
	cpu_relax();
	note(7);
	write_cr8(0);
	cpu_relax();
	expect_log(raised, 3);
	/* an illegal vector is lost */
	self_ipi(5);
	GUEST_ASSERT_EQ(rdmsr(X2(APIC_IRR)), 0);
	GUEST_ASSERT_EQ(wrmsr_safe(X2(APIC_SELF_IPI), 0x100 | LOW), VEC_GP);
	GUEST_ASSERT_EQ(wrmsr_safe(X2(APIC_EOI), 1), VEC_GP);
	GUEST_ASSERT_EQ(n_log, 0);
	cli();
}

TEST(order)
{
	ASSERT_DONE(gcpu_new(gvm_new(GVM_SPLIT), 0, g_order));
}

/* ---- from outside, while the guest runs and while it is halted ---- */

static void g_devices(void)
{
	x2apic_enable();
	handlers(irq);
	sti();
	GUEST_SYNC(1);
	while (n_log < 20)
		cpu_relax();
	GUEST_SYNC(2);
	while (n_log < 40)
		asm volatile("cli; cmpq $40, %0; jae 1f; sti; hlt; 1: sti"
			     : : "m"(n_log));
	cli();
}

TEST(devices)
{
	struct gcpu *c = gcpu_new(gvm_new(GVM_SPLIT), 0, g_devices);
	uint64_t i;

	ASSERT_SYNC(c, 1);
	gcpu_start(c);
	for (i = 0; i < 40; i++) {
		ASSERT_EQ(1, hvm_signal_msi(c->vm->fd, APIC_GPA,
					    i & 1 ? LOW : HIGH));
		ASSERT_TRUE(wait_for(&n_log, i + 1, 5));
	}
	EXPECT_EQ(UCALL_DONE, gcpu_join(c, 5));
}

/* ---- level-triggered: userspace's IOAPIC hears of the end ---- */

static void g_level(void)
{
	x2apic_enable();
	handlers(irq);
	sti();
	GUEST_SYNC(1);
	while (n_log < 2)
		cpu_relax();
	GUEST_SYNC(2);
	cli();
}

TEST(level)
{
	struct gcpu *c = gcpu_new(gvm_new(GVM_SPLIT), 0, g_level);
	struct {
		struct hvm_irq_routing r;
		struct hvm_irq_routing_entry e[1];
	} t = { .r.nr = 1 };

	t.e[0].gsi = 5;
	t.e[0].type = HVM_IRQ_ROUTING_MSI;
	t.e[0].u.msi.address_lo = APIC_GPA;
	t.e[0].u.msi.data = LOW | LEVEL;
	ASSERT_EQ(0, hvm_set_gsi_routing(c->vm->fd, &t.r));
	ASSERT_SYNC(c, 1);
	ASSERT_EQ(1, hvm_signal_msi(c->vm->fd, APIC_GPA, LOW | LEVEL));
	ASSERT_EQ(1, hvm_signal_msi(c->vm->fd, APIC_GPA, HIGH));
	ASSERT_EQ(HVM_EXIT_IOAPIC_EOI, gcpu_run(c));
	EXPECT_EQ(LOW, c->run->eoi.vector);
	ASSERT_SYNC(c, 2);
	EXPECT_EQ((uint64_t)HIGH, seen[0]);
	EXPECT_EQ((uint64_t)LOW, seen[1]);
	ASSERT_DONE(c);
}

/* ---- state taken out and put in while a vector is in service ---- */

static void irq_moved(struct trap_frame *f)
{
	note(f->vector);
	if (f->vector == LOW) {
		self_ipi(LOW + 1);
		GUEST_SYNC(1);
	}
	wrmsr(X2(APIC_EOI), 0);
}

static void g_moved(void)
{
	static const uint64_t want[] = { LOW, HIGH, LOW + 1 };

	x2apic_enable();
	handlers(irq_moved);
	sti();
	self_ipi(LOW);
	cpu_relax();
	expect_log(want, 3);
	GUEST_ASSERT_EQ(rdmsr(X2(APIC_PPR)), 0);
	cli();
}

static uint32_t *word(struct hvm_lapic_state *l, uint32_t base, uint8_t vec)
{
	return (uint32_t *)(l->regs + base + vec / 32 * 16);
}

TEST(moved)
{
	struct gcpu *c = gcpu_new(gvm_new(GVM_SPLIT), 0, g_moved);
	struct hvm_lapic_state l;

	ASSERT_SYNC(c, 1);
	ASSERT_EQ(0, hvm_get_lapic(c->fd, &l));
	EXPECT_EQ(1u << LOW % 32, *word(&l, APIC_ISR, LOW));
	EXPECT_EQ(1u << (LOW + 1) % 32, *word(&l, APIC_IRR, LOW + 1));
	EXPECT_EQ(LOW & 0xf0u, *(uint32_t *)(l.regs + APIC_PPR));
	/* one that waits more, from here; it goes first */
	*word(&l, APIC_IRR, HIGH) |= 1u << HIGH % 32;
	ASSERT_EQ(0, hvm_set_lapic(c->fd, &l));
	ASSERT_DONE(c);
}

/* ---- into x2APIC mode with a vector in service ---- */

static void irq_switch(struct trap_frame *f)
{
	note(f->vector);
	if (f->vector == LOW) {
		self_ipi(LOW + 1);
		GUEST_ASSERT_EQ(vec_bit(APIC_ISR, LOW), 1);
	}
	wrmsr(X2(APIC_EOI), 0);
}

static void irq_xapic(struct trap_frame *f)
{
	x2apic_enable();
	irq_switch(f);
}

static void g_modes(void)
{
	static const uint64_t want[] = { LOW, LOW + 1 };

	xapic_enable();
	handlers(irq_switch);
	guest_handlers[LOW] = irq_xapic;
	sti();
	xapic_write(APIC_ICR, ICR_SELF | LOW);
	cpu_relax();
	expect_log(want, 2);
	/* off, and back to xAPIC mode */
	cli();
	wrmsr(MSR_APICBASE, rdmsr(MSR_APICBASE) & ~(APICBASE_ENABLE |
						    APICBASE_X2APIC));
	wrmsr(MSR_APICBASE, rdmsr(MSR_APICBASE) | APICBASE_ENABLE);
	xapic_enable();
	guest_handlers[HIGH] = irq_xapic;
	sti();
	xapic_write(APIC_ICR, ICR_SELF | HIGH);
	cpu_relax();
	GUEST_ASSERT_EQ(n_log, 1);
	GUEST_ASSERT_EQ(seen[0], HIGH);
	cli();
}

TEST(modes)
{
	ASSERT_DONE(gcpu_new(gvm_new(GVM_SPLIT), 0, g_modes));
}

/* ---- a debugger that wants no handlers while it steps ---- */

static void g_step(void)
{
	x2apic_enable();
	handlers(irq);
	sti();
	GUEST_SYNC(1);
	asm volatile("1: incq %0; cmpq $5, %0; jb 1b" : "+m"(stepped));
	cpu_relax();
}

TEST(blocked_while_stepping)
{
	struct hvm_guest_debug d = {
		.control = HVM_GUESTDBG_ENABLE | HVM_GUESTDBG_SINGLESTEP |
			   HVM_GUESTDBG_BLOCKIRQ,
	};
	struct gcpu *c = gcpu_new(gvm_new(GVM_SPLIT), 0, g_step);

	ASSERT_SYNC(c, 1);
	ASSERT_EQ(0, hvm_set_guest_debug(c->fd, &d));
	ASSERT_EQ(1, hvm_signal_msi(c->vm->fd, APIC_GPA, LOW));
	while (stepped < 5)
		ASSERT_EQ(HVM_EXIT_DEBUG, gcpu_run(c));
	EXPECT_EQ(0ull, n_log);
	d.control = 0;
	ASSERT_EQ(0, hvm_set_guest_debug(c->fd, &d));
	ASSERT_DONE(c);
	EXPECT_EQ(1ull, n_log);
}

/* ---- what costs an exit ---- */

static void g_exits(void)
{
	uint64_t i;

	x2apic_enable();
	handlers(irq);
	sti();
	GUEST_SYNC(1);
	for (i = 0; i < OPS; i++) {
		rdmsr(X2(APIC_LVR));
		rdmsr(X2(APIC_TPR));
		rdmsr(X2(APIC_PPR));
		rdmsr(X2(APIC_SPIV));
		rdmsr(X2(APIC_ISR));
		rdmsr(X2(APIC_IRR));
		rdmsr(X2(APIC_LVT0));
	}
	GUEST_SYNC(2);
	for (i = 0; i < OPS; i++) {
		self_ipi(LOW);
		wrmsr(X2(APIC_TPR), 0x40);
		wrmsr(X2(APIC_TPR), 0);
		wrmsr(X2(APIC_EOI), 0);
	}
	GUEST_SYNC(3);
	for (i = 0; i < OPS; i++)
		wrmsr(X2(APIC_ICR), ICR_SELF | LOW);
	GUEST_SYNC(4);
	cli();
}

static uint64_t exits(struct gcpu *c)
{
	struct hvm_stats_header h;
	struct hvm_stats_desc *d;
	uint64_t v = 0;
	uint32_t i;
	int fd = hvm_get_stats_fd(c->fd);

	if (fd < 0 || pread(fd, &h, sizeof(h), 0) != sizeof(h))
		lib_die("statistics", 0);
	d = calloc(1, sizeof(*d) + h.name_size + 1);
	for (i = 0; i < h.num_desc; i++) {
		uint64_t at = h.desc_offset + i * (sizeof(*d) + h.name_size);

		if (pread(fd, d, sizeof(*d) + h.name_size, at) > 0 &&
		    !strcmp(d->name, "exits"))
			pread(fd, &v, 8, h.data_offset + d->offset);
	}
	free(d);
	close(fd);
	return v;
}

TEST(accesses_that_exit)
{
	struct gcpu *c = gcpu_new(gvm_new(GVM_SPLIT), 0, g_exits);
	uint64_t at[5];
	int i;

	REQUIRE_HVM();
	for (i = 1; i < 5; i++) {
		ASSERT_SYNC(c, i);
		at[i] = exits(c);
	}
	ASSERT_DONE(c);
	EXPECT_EQ(2ull * OPS, n_log);
	/* a host's interrupt now and then ends an entry as well */
	if (module_option("virtual_interrupts") > 0) {
		EXPECT_GT(10ull, at[2] - at[1]);
	} else {
		EXPECT_LE(1ull * OPS, at[2] - at[1]);
	}
	if (module_option("virtual_interrupts") > 0) {
		EXPECT_GT(10ull, at[3] - at[2]);
		EXPECT_GT(OPS + 10ull, at[4] - at[3]);
	} else {
		EXPECT_LE(2ull * OPS, at[3] - at[2]);
	}
	/* an ICR write always exits */
	EXPECT_LE(1ull * OPS, at[4] - at[3]);
}

TEST_HARNESS_MAIN
