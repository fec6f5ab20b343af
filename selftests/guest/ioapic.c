// SPDX-License-Identifier: GPL-2.0-only
/*
 * The IOAPIC in the kernel: its registers, edges and levels, remote IRR and the
 * ends of interrupts, what IRQ_LINE_STATUS tells, where messages go, irqfds
 * that resample, saving and restoring.
 */
#include <linux/kvm_para.h>
#include <sys/eventfd.h>

#include "chips.h"
#include "guest.h"
#include "kselftest_harness.h"

static volatile uint64_t got[256], total, on_cpu[4], ready;

static void count(struct trap_frame *f)
{
	__atomic_fetch_add(&got[f->vector], 1, __ATOMIC_SEQ_CST);
	__atomic_fetch_add(&total, 1, __ATOMIC_SEQ_CST);
}

/* what the host waits for is written last */
static void take(struct trap_frame *f)
{
	on_cpu[xapic_read(APIC_ID) >> 24 & 3]++;
	count(f);
	xapic_write(APIC_EOI, 0);
}

static void init(void (*handler)(struct trap_frame *))
{
	int i;

	for (i = 0x40; i < 0xfe; i++)
		guest_handlers[i] = handler;
	xapic_enable();
}

static struct gcpu *cpu(void (*fn)(void))
{
	return gcpu_new(gvm_new(GVM_FULL), 0, fn);
}

static int line(struct gcpu *c, unsigned int gsi, int level)
{
	struct hvm_irq_level l = { .irq = gsi, .level = level };

	if (ioctl(c->vm->fd, HVM_IRQ_LINE_STATUS, &l))
		return -errno;
	return l.status;
}

static void g_registers(void)
{
	unsigned int i;

	GUEST_ASSERT_EQ(ioapic_read(1), 0x170011);
	for (i = 0; i < 24; i++) {
		GUEST_ASSERT_EQ(ioapic_read(0x10 + 2 * i), IOAPIC_MASKED);
		GUEST_ASSERT_EQ(ioapic_read(0x11 + 2 * i), 0);
	}
	ioapic_write(0, 0xffffffff);
	GUEST_ASSERT_EQ(ioapic_read(0), 0x0f000000);
	GUEST_ASSERT_EQ(ioapic_read(2), 0x0f000000);
	ioapic_write(1, 0);
	GUEST_ASSERT_EQ(ioapic_read(1), 0x170011);
	/* delivery status and remote IRR are not the guest's to write */
	ioapic_write(0x10 + 2 * 23, 0xffffffff);
	GUEST_ASSERT_EQ(ioapic_read(0x10 + 2 * 23) & (1 << 12 | IOAPIC_REMOTE), 0);
	GUEST_ASSERT_EQ(ioapic_read(0x10 + 2 * 23) & 0xff, 0xff);
	ioapic_write(0x11 + 2 * 23, 0xab000000);
	GUEST_ASSERT_EQ(ioapic_read(0x11 + 2 * 23) >> 24, 0xab);
	/* beyond the last register */
	ioapic_write(0x40, 0x12345678);
	GUEST_ASSERT_EQ(mmio_read32(IOAPIC_GPA), 0x40);
	ioapic_write(0xff, 0x12345678);
	GUEST_DONE();
}

TEST(registers)
{
	ASSERT_DONE(cpu(g_registers));
}

static void g_edge(void)
{
	init(take);
	ioapic_pin(19, 0x53, 0);
	sti();
	GUEST_SYNC(1);
	GUEST_ASSERT_EQ(got[0x53], 1);
	GUEST_SYNC(2);
	GUEST_ASSERT_EQ(got[0x53], 1);
	GUEST_SYNC(3);
	GUEST_ASSERT_EQ(got[0x53], 2);
	/* one that comes while it is masked is lost */
	ioapic_pin(19, IOAPIC_MASKED | 0x53, 0);
	GUEST_SYNC(4);
	ioapic_pin(19, 0x53, 0);
	GUEST_ASSERT_EQ(got[0x53], 2);
	GUEST_DONE();
}

TEST(edge)
{
	struct gcpu *c = cpu(g_edge);

	ASSERT_SYNC(c, 1);
	EXPECT_LT(0, line(c, 19, 1));
	ASSERT_SYNC(c, 2);
	/* still up: nothing new */
	EXPECT_EQ(0, line(c, 19, 1));
	ASSERT_SYNC(c, 3);
	EXPECT_LE(0, line(c, 19, 0));
	EXPECT_LT(0, line(c, 19, 1));
	ASSERT_SYNC(c, 4);
	line(c, 19, 0);
	line(c, 19, 1);
	line(c, 19, 0);
	ASSERT_DONE(c);
}

#define PV_EOI	0x180000ul

static void pv_end(struct trap_frame *f)
{
	volatile uint64_t *skip = (void *)PV_EOI;

	count(f);
	if (*skip & 1)
		*skip = 0;
	else
		xapic_write(APIC_EOI, 0);
}

static void g_rtc(void)
{
	init(count);
	pic_init(0xffff, 1);
	ioapic_pin(8, 0x71, 0);
	ioapic_pin(9, 0x62, 0);
	GUEST_SYNC(1);
	sti();
	asm volatile("nop");
	GUEST_ASSERT_EQ(got[0x71], 1);
	GUEST_SYNC(2);
	GUEST_ASSERT_EQ(got[0x71], 1);
	GUEST_ASSERT_EQ(got[0x62], 0);
	/* only now is the first ended */
	xapic_write(APIC_EOI, 0);
	GUEST_ASSERT_EQ(got[0x62], 1);
	xapic_write(APIC_EOI, 0);
	GUEST_SYNC(3);
	GUEST_ASSERT_EQ(got[0x71], 2);
	/* masked while in service */
	ioapic_pin(8, IOAPIC_MASKED | 0x71, 0);
	GUEST_SYNC(4);
	/* with an end that needs no exit */
	ioapic_pin(8, 0x72, 0);
	xapic_write(APIC_EOI, 0);
	guest_handlers[0x72] = pv_end;
	wrmsr(MSR_KVM_PV_EOI_EN, PV_EOI | KVM_MSR_ENABLED);
	GUEST_SYNC(5);
	sti_nop();
	GUEST_ASSERT_EQ(got[0x72], 1);
	GUEST_SYNC(6);
	sti_nop();
	GUEST_ASSERT_EQ(got[0x72], 2);
	GUEST_DONE();
}

/* The RTC hears of ticks that got lost, others do not. */
TEST(rtc_status)
{
	struct gcpu *c = cpu(g_rtc);
	unsigned int i;

	ASSERT_SYNC(c, 1);
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(i == 0, line(c, 8, 1) > 0);
		EXPECT_LE(0, line(c, 8, 0));
		EXPECT_LT(0, line(c, 9, 1));
		EXPECT_LE(0, line(c, 9, 0));
	}
	ASSERT_SYNC(c, 2);
	EXPECT_EQ(0, line(c, 8, 1));
	EXPECT_LE(0, line(c, 8, 0));
	ASSERT_SYNC(c, 3);
	EXPECT_LT(0, line(c, 8, 1));
	EXPECT_LE(0, line(c, 8, 0));
	ASSERT_SYNC(c, 4);
	EXPECT_EQ(0, line(c, 8, 1));
	EXPECT_LE(0, line(c, 8, 0));
	for (i = 5; i < 7; i++) {
		ASSERT_SYNC(c, i);
		EXPECT_LT(0, line(c, 8, 1));
		EXPECT_LE(0, line(c, 8, 0));
	}
	ASSERT_DONE(c);
}

/* a level: one message until its end, then again while the line is up */
static void g_level(void)
{
	init(count);
	ioapic_pin(20, IOAPIC_LEVEL | 0x64, 0);
	sti();
	GUEST_SYNC(1);
	GUEST_ASSERT_EQ(got[0x64], 1);
	GUEST_ASSERT(ioapic_read(0x10 + 2 * 20) & IOAPIC_REMOTE);
	xapic_write(APIC_EOI, 0);
	GUEST_ASSERT_EQ(got[0x64], 2);
	GUEST_SYNC(2);
	xapic_write(APIC_EOI, 0);
	GUEST_ASSERT_EQ(got[0x64], 2);
	GUEST_ASSERT_EQ(ioapic_read(0x10 + 2 * 20) & IOAPIC_REMOTE, 0);
	/* masked and opened again with the line up */
	ioapic_pin(20, IOAPIC_MASKED | IOAPIC_LEVEL | 0x64, 0);
	GUEST_SYNC(3);
	GUEST_ASSERT_EQ(got[0x64], 2);
	ioapic_write(0x10 + 2 * 20, IOAPIC_LEVEL | 0x64);
	GUEST_ASSERT_EQ(got[0x64], 3);
	/* as an edge for a moment it forgets what is in service */
	ioapic_write(0x10 + 2 * 20, IOAPIC_MASKED | 0x64);
	GUEST_ASSERT_EQ(ioapic_read(0x10 + 2 * 20) & IOAPIC_REMOTE, 0);
	GUEST_DONE();
}

TEST(level)
{
	struct gcpu *c = cpu(g_level);

	ASSERT_SYNC(c, 1);
	EXPECT_EQ(1, line(c, 20, 1));
	/* in service: remembered, not delivered */
	EXPECT_EQ(UCALL_SYNC, gcpu_run(c));
	EXPECT_EQ(2ull, c->uc.arg[0]);
	EXPECT_EQ(-1, line(c, 20, 1));
	line(c, 20, 0);
	ASSERT_SYNC(c, 3);
	EXPECT_EQ(-1, line(c, 20, 1));
	ASSERT_DONE(c);
}

/* two sources of one line: userspace, and an irqfd that resamples */
static void g_resample(void)
{
	init(take);
	ioapic_pin(21, IOAPIC_LEVEL | 0x65, 0);
	sti();
	GUEST_SYNC(1);
	while (got[0x65] < 1)
		cpu_relax();
	GUEST_SYNC(2);
	while (got[0x65] < 2)
		cpu_relax();
	GUEST_SYNC(3);
	GUEST_ASSERT_EQ(got[0x65], 2);
	GUEST_DONE();
}

TEST(resample)
{
	struct gcpu *c = cpu(g_resample);
	int ev = eventfd(0, 0), rs = eventfd(0, EFD_NONBLOCK);
	uint64_t one = 1, v = 0;

	ASSERT_EQ(0, hvm_irqfd(c->vm->fd, ev, 21, HVM_IRQFD_FLAG_RESAMPLE, rs));
	ASSERT_SYNC(c, 1);
	ASSERT_EQ(8, write(ev, &one, 8));
	/* up, and not yet ended */
	EXPECT_EQ(-1, read(rs, &v, 8));
	ASSERT_SYNC(c, 2);
	EXPECT_EQ(8, read(rs, &v, 8));
	EXPECT_EQ(1ull, v);
	/* the device still wants attention */
	ASSERT_EQ(8, write(ev, &one, 8));
	ASSERT_SYNC(c, 3);
	EXPECT_EQ(8, read(rs, &v, 8));
	/* taken back, it lets go of the line */
	ASSERT_EQ(0, hvm_irqfd(c->vm->fd, ev, 21, HVM_IRQFD_FLAG_DEASSIGN, 0));
	ASSERT_DONE(c);
}

/* taken back while up, the line falls, or the guest would never be rid of it */
static void g_dropped(void)
{
	init(take);
	GUEST_SYNC(1);
	ioapic_pin(21, IOAPIC_LEVEL | 0x65, 0);
	sti_nop();
	GUEST_ASSERT_EQ(got[0x65], 0);
	GUEST_DONE();
}

TEST(dropped)
{
	struct gcpu *c = cpu(g_dropped);
	int ev = eventfd(0, 0), rs = eventfd(0, 0);
	uint64_t one = 1;

	ASSERT_SYNC(c, 1);
	ASSERT_EQ(0, hvm_irqfd(c->vm->fd, ev, 21, HVM_IRQFD_FLAG_RESAMPLE, rs));
	ASSERT_EQ(8, write(ev, &one, 8));
	ASSERT_EQ(0, hvm_irqfd(c->vm->fd, ev, 21, HVM_IRQFD_FLAG_DEASSIGN, 0));
	ASSERT_DONE(c);
}

/* an irqfd's edge, also to the 8259A; and a resampling one on an edge */
static void g_irqfd(void)
{
	init(take);
	/* the same lines go to an 8259A */
	xapic_write(APIC_LVT0, APIC_LVT_MASKED);
	ioapic_pin(5, 0x75, 0);
	ioapic_pin(6, 0x76, 0);
	sti();
	GUEST_SYNC(1);
	while (got[0x75] < 2)
		cpu_relax();
	GUEST_SYNC(2);
	while (got[0x76] < 1)
		cpu_relax();
	GUEST_DONE();
}

TEST(irqfd)
{
	struct gcpu *c = cpu(g_irqfd);
	int ev = eventfd(0, 0), edge = eventfd(0, 0), rs = eventfd(0, EFD_NONBLOCK);
	struct hvm_irqchip pic = { .chip_id = 0 };
	uint64_t one = 1, v;

	ASSERT_EQ(0, hvm_irqfd(c->vm->fd, ev, 5, 0, 0));
	ASSERT_EQ(0, hvm_irqfd(c->vm->fd, edge, 6, HVM_IRQFD_FLAG_RESAMPLE, rs));
	ASSERT_SYNC(c, 1);
	ASSERT_EQ(8, write(ev, &one, 8));
	gcpu_start(c);
	ASSERT_TRUE(wait_for(&got[0x75], 1, 5));
	ASSERT_EQ(8, write(ev, &one, 8));
	ASSERT_TRUE(wait_for(&got[0x75], 2, 5));
	ASSERT_EQ(0, hvm_get_irqchip(c->vm->fd, &pic));
	EXPECT_EQ(1 << 5, pic.chip.pic.irr & 1 << 5);
	ASSERT_EQ(8, write(edge, &one, 8));
	ASSERT_EQ(UCALL_DONE, gcpu_join(c, 5));
	EXPECT_EQ(8, read(rs, &v, 8));
}

/* destinations: by ID, by a set, and by nobody's */
static void g_dest(void)
{
	init(take);
	xapic_write(APIC_LDR, 1u << (24 + (xapic_read(APIC_ID) >> 24)));
	sti();
	if (xapic_read(APIC_ID) >> 24) {
		__atomic_fetch_add(&ready, 1, __ATOMIC_SEQ_CST);
		while (got[0x99] < 1)
			cpu_relax();
		GUEST_DONE();
	}
	ioapic_pin(16, 0x80, 1);
	ioapic_pin(17, IOAPIC_LOGICAL | 0x81, 3);
	ioapic_pin(18, 0x82, 7);
	ioapic_pin(19, 0x99, 1);
	__atomic_fetch_add(&ready, 1, __ATOMIC_SEQ_CST);
	while (got[0x99] < 1)
		cpu_relax();
	GUEST_DONE();
}

TEST(destinations)
{
	struct gvm *vm = gvm_new(GVM_FULL);
	struct gcpu *a = gcpu_new(vm, 0, g_dest), *b = gcpu_new(vm, 1, g_dest);

	ASSERT_EQ(0, hvm_set_mp_state(b->fd, HVM_MP_STATE_RUNNABLE));
	gcpu_start(a);
	gcpu_start(b);
	ASSERT_TRUE(wait_for(&ready, 2, 5));
	EXPECT_EQ(1, line(a, 16, 1));
	ASSERT_TRUE(wait_for(&got[0x80], 1, 5));
	EXPECT_EQ(1ull, on_cpu[1]);
	EXPECT_EQ(2, line(a, 17, 1));
	ASSERT_TRUE(wait_for(&got[0x81], 2, 5));
	EXPECT_EQ(1ull, on_cpu[0]);
	EXPECT_EQ(2ull, on_cpu[1]);
	EXPECT_GT(1, line(a, 18, 1));
	EXPECT_EQ(1, line(a, 19, 1));
	EXPECT_EQ(UCALL_DONE, gcpu_join(a, 5));
	EXPECT_EQ(UCALL_DONE, gcpu_join(b, 5));
}

/* saved with a level in service; the end comes after the restoring */
static void g_save(void)
{
	init(count);
	ioapic_pin(22, IOAPIC_LEVEL | 0x66, 0);
	sti();
	GUEST_SYNC(1);
	GUEST_ASSERT_EQ(got[0x66], 1);
	GUEST_SYNC(2);
	GUEST_ASSERT_EQ(got[0x66], 1);
	xapic_write(APIC_EOI, 0);
	GUEST_ASSERT_EQ(got[0x66], 2);
	GUEST_SYNC(3);
	xapic_write(APIC_EOI, 0);
	GUEST_ASSERT_EQ(got[0x66], 2);
	GUEST_DONE();
}

TEST(save)
{
	struct gcpu *c = cpu(g_save);
	struct hvm_irqchip chip = { .chip_id = 2 }, empty = { .chip_id = 2 }, now = empty;

	ASSERT_SYNC(c, 1);
	EXPECT_EQ(1, line(c, 22, 1));
	ASSERT_SYNC(c, 2);
	ASSERT_EQ(0, hvm_get_irqchip(c->vm->fd, &chip));
	EXPECT_EQ(IOAPIC_GPA, chip.chip.ioapic.base_address);
	EXPECT_EQ(1u << 22, chip.chip.ioapic.irr);
	EXPECT_EQ(IOAPIC_REMOTE, chip.chip.ioapic.redirtbl[22].bits & IOAPIC_REMOTE);
	EXPECT_EQ(0x66, (uint8_t)chip.chip.ioapic.redirtbl[22].bits);
	ASSERT_EQ(0, hvm_set_irqchip(c->vm->fd, &empty));
	ASSERT_EQ(0, hvm_set_irqchip(c->vm->fd, &chip));
	ASSERT_EQ(0, hvm_get_irqchip(c->vm->fd, &now));
	EXPECT_EQ(0, memcmp(&now.chip.ioapic, &chip.chip.ioapic,
			    sizeof(now.chip.ioapic)));
	ASSERT_SYNC(c, 3);
	line(c, 22, 0);
	ASSERT_DONE(c);
}

/* restored with an edge not sent yet, it is sent then */
static void g_pending(void)
{
	init(take);
	GUEST_SYNC(1);
	sti_nop();
	GUEST_ASSERT_EQ(got[0x67], 1);
	GUEST_DONE();
}

TEST(restored_edge)
{
	struct gcpu *c = cpu(g_pending);
	struct hvm_irqchip chip = { .chip_id = 2 };

	ASSERT_SYNC(c, 1);
	ASSERT_EQ(0, hvm_get_irqchip(c->vm->fd, &chip));
	chip.chip.ioapic.redirtbl[23].bits = 0x67;
	chip.chip.ioapic.irr = 1u << 23;
	ASSERT_EQ(0, hvm_set_irqchip(c->vm->fd, &chip));
	ASSERT_EQ(0, hvm_get_irqchip(c->vm->fd, &chip));
	EXPECT_EQ(0u, chip.chip.ioapic.irr);
	ASSERT_DONE(c);
}

TEST_HARNESS_MAIN
