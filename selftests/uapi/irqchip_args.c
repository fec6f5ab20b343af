// SPDX-License-Identifier: GPL-2.0-only
/*
 * The calls about the 8259A, IOAPIC and 8254: order, errors, the routes a VM
 * begins with and those it may be given, states kept as they were set, and
 * what hostile states do to nobody.
 */
#include <sys/eventfd.h>

#include "guest.h"
#include "kselftest_harness.h"

static int pit2(int vm)
{
	struct hvm_pit_config c = { 0 };

	return ioctl(vm, HVM_CREATE_PIT2, &c);
}

TEST(order)
{
	struct gvm *bare = gvm_new(GVM_NO_IRQCHIP), *split = gvm_new(GVM_SPLIT);
	struct gvm *late = gvm_new(GVM_NO_IRQCHIP), *full = gvm_new(GVM_NO_IRQCHIP);
	struct hvm_enable_cap e = { .cap = HVM_CAP_SPLIT_IRQCHIP, .args = { 24 } };

	EXPECT_EQ(-EEXIST, hvm_create_irqchip(split->fd));
	gcpu_bare(late, 0);
	EXPECT_EQ(-EINVAL, hvm_create_irqchip(late->fd));
	EXPECT_EQ(0, hvm_create_irqchip(full->fd));
	EXPECT_EQ(-EEXIST, hvm_create_irqchip(full->fd));
	EXPECT_ERRNO(EEXIST, ioctl(full->fd, HVM_ENABLE_CAP, &e));
	EXPECT_EQ(0, pit2(full->fd));
	EXPECT_ERRNO(EEXIST, pit2(full->fd));
	EXPECT_ERRNO(EEXIST, ioctl(full->fd, HVM_CREATE_PIT, 0));
	if (device_is_hvm()) {
		/* kernels before 6.13 let KVM have one that ticks for nobody */
		EXPECT_ERRNO(ENOENT, pit2(bare->fd));
		EXPECT_ERRNO(ENOENT, pit2(split->fd));
	}
}

/* without the chips, each says so in its own way */
TEST(not_there)
{
	struct gvm *vm[] = { gvm_new(GVM_NO_IRQCHIP), gvm_new(GVM_SPLIT) };
	struct hvm_irqchip chip = { 0 };
	struct hvm_pit_state2 s2 = { 0 };
	struct hvm_pit_state s = { 0 };
	struct hvm_reinject_control r = { 0 };
	struct hvm_irq_level l = { 0 };
	int i;

	for (i = 0; i < 2; i++) {
		EXPECT_EQ(-ENXIO, hvm_get_irqchip(vm[i]->fd, &chip));
		EXPECT_EQ(-ENXIO, hvm_set_irqchip(vm[i]->fd, &chip));
		EXPECT_ERRNO(ENXIO, ioctl(vm[i]->fd, HVM_GET_PIT, &s));
		EXPECT_ERRNO(ENXIO, ioctl(vm[i]->fd, HVM_SET_PIT, &s));
		EXPECT_ERRNO(ENXIO, ioctl(vm[i]->fd, HVM_GET_PIT2, &s2));
		EXPECT_ERRNO(ENXIO, ioctl(vm[i]->fd, HVM_SET_PIT2, &s2));
		EXPECT_ERRNO(ENXIO, ioctl(vm[i]->fd, HVM_REINJECT_CONTROL, &r));
	}
	EXPECT_EQ(-ENXIO, hvm_irq_line(vm[0]->fd, 1, 1));
	/* messages have no level, but the call is there */
	EXPECT_EQ(0, hvm_irq_line(vm[1]->fd, 1, 1));
	EXPECT_EQ(0, ioctl(vm[1]->fd, HVM_IRQ_LINE_STATUS, &l));
	EXPECT_EQ(-1, l.status);
}

TEST(pointers)
{
	struct gvm *vm = gvm_new(GVM_FULL);
	void *bad = (void *)8;

	ASSERT_EQ(0, pit2(vm->fd));
	EXPECT_ERRNO(EFAULT, ioctl(vm->fd, HVM_GET_IRQCHIP, bad));
	EXPECT_ERRNO(EFAULT, ioctl(vm->fd, HVM_SET_IRQCHIP, bad));
	EXPECT_ERRNO(EFAULT, ioctl(vm->fd, HVM_IRQ_LINE, bad));
	EXPECT_ERRNO(EFAULT, ioctl(vm->fd, HVM_IRQ_LINE_STATUS, bad));
	EXPECT_ERRNO(EFAULT, ioctl(vm->fd, HVM_CREATE_PIT2, bad));
	EXPECT_ERRNO(EFAULT, ioctl(vm->fd, HVM_GET_PIT, bad));
	EXPECT_ERRNO(EFAULT, ioctl(vm->fd, HVM_SET_PIT, bad));
	EXPECT_ERRNO(EFAULT, ioctl(vm->fd, HVM_GET_PIT2, bad));
	EXPECT_ERRNO(EFAULT, ioctl(vm->fd, HVM_SET_PIT2, bad));
	EXPECT_ERRNO(EFAULT, ioctl(vm->fd, HVM_REINJECT_CONTROL, bad));
}

TEST(chip_id)
{
	struct gvm *vm = gvm_new(GVM_FULL);
	struct hvm_irqchip chip = { .chip_id = 3 };

	EXPECT_EQ(-EINVAL, hvm_get_irqchip(vm->fd, &chip));
	EXPECT_EQ(-EINVAL, hvm_set_irqchip(vm->fd, &chip));
	chip.chip_id = ~0u;
	EXPECT_EQ(-EINVAL, hvm_get_irqchip(vm->fd, &chip));
	EXPECT_EQ(-EINVAL, hvm_set_irqchip(vm->fd, &chip));
}

/* as made */
TEST(reset)
{
	struct gvm *vm = gvm_new(GVM_FULL);
	struct hvm_irqchip chip = { .chip_id = 2 };
	struct hvm_pit_state2 s;
	int i;

	ASSERT_EQ(0, hvm_get_irqchip(vm->fd, &chip));
	EXPECT_EQ(0xfec00000ull, chip.chip.ioapic.base_address);
	EXPECT_EQ(0u, chip.chip.ioapic.id);
	for (i = 0; i < 24; i++)
		EXPECT_EQ(1ull << 16, chip.chip.ioapic.redirtbl[i].bits);
	for (i = 0; i < 2; i++) {
		chip.chip_id = i;
		ASSERT_EQ(0, hvm_get_irqchip(vm->fd, &chip));
		EXPECT_EQ(i ? 0xde : 0xf8, chip.chip.pic.elcr_mask);
		EXPECT_EQ(0, chip.chip.pic.irr);
	}
	ASSERT_EQ(0, pit2(vm->fd));
	ASSERT_EQ(0, ioctl(vm->fd, HVM_GET_PIT2, &s));
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(0x10000u, s.channels[i].count);
		EXPECT_EQ(0xff, s.channels[i].mode);
		EXPECT_EQ(i != 2, s.channels[i].gate);
	}
}

/* GSIs 0 to 23 lead to the IOAPIC's pins, 0 to 15 to the 8259A's as well */
TEST(default_routes)
{
	struct gvm *vm = gvm_new(GVM_FULL);
	struct hvm_irqchip io = { .chip_id = 2 }, pic = { 0 };
	struct hvm_irq_level l = { .level = 1 };
	unsigned int i;

	for (i = 0; i < 24; i++) {
		/* the cascade is no line of the outside's */
		if (i == 2)
			continue;
		ASSERT_EQ(0, hvm_irq_line(vm->fd, i, 1));
		ASSERT_EQ(0, hvm_get_irqchip(vm->fd, &io));
		EXPECT_EQ(1u << i, io.chip.ioapic.irr);
		pic.chip_id = i / 8 & 1;
		ASSERT_EQ(0, hvm_get_irqchip(vm->fd, &pic));
		if (i < 16)
			EXPECT_NE(0, pic.chip.pic.irr & 1 << i % 8);
		ASSERT_EQ(0, hvm_irq_line(vm->fd, i, 0));
		ASSERT_EQ(0, hvm_get_irqchip(vm->fd, &io));
		EXPECT_EQ(0u, io.chip.ioapic.irr);
	}
	l.irq = 24;
	EXPECT_EQ(0, ioctl(vm->fd, HVM_IRQ_LINE_STATUS, &l));
	EXPECT_EQ(-1, l.status);
	l.irq = ~0u;
	EXPECT_EQ(0, ioctl(vm->fd, HVM_IRQ_LINE_STATUS, &l));
	EXPECT_EQ(-1, l.status);
}

static struct {
	struct hvm_irq_routing r;
	struct hvm_irq_routing_entry e[4];
} t;

static int route(struct gvm *vm, unsigned int n)
{
	t.r.nr = n;
	return hvm_set_gsi_routing(vm->fd, &t.r);
}

static void pin(unsigned int i, uint32_t gsi, uint32_t chip, uint32_t nr)
{
	memset(&t.e[i], 0, sizeof(t.e[i]));
	t.e[i].gsi = gsi;
	t.e[i].type = HVM_IRQ_ROUTING_IRQCHIP;
	t.e[i].u.irqchip.irqchip = chip;
	t.e[i].u.irqchip.pin = nr;
}

TEST(routes)
{
	struct gvm *vm = gvm_new(GVM_FULL), *split = gvm_new(GVM_SPLIT);
	struct hvm_irqchip io = { .chip_id = 2 }, pic = { .chip_id = 1 };

	/* one GSI, a pin of each chip */
	pin(0, 100, 0, 3);
	pin(1, 100, 1, 4);
	pin(2, 100, 2, 23);
	EXPECT_EQ(0, route(vm, 3));
	ASSERT_EQ(0, hvm_irq_line(vm->fd, 100, 1));
	ASSERT_EQ(0, hvm_get_irqchip(vm->fd, &io));
	EXPECT_EQ(1u << 23, io.chip.ioapic.irr);
	ASSERT_EQ(0, hvm_get_irqchip(vm->fd, &pic));
	EXPECT_EQ(1 << 4, pic.chip.pic.irr);
	/* and no second one of the same, nor a message */
	pin(3, 100, 2, 22);
	EXPECT_EQ(-EINVAL, route(vm, 4));
	t.e[3] = (struct hvm_irq_routing_entry) { .gsi = 100, .type = HVM_IRQ_ROUTING_MSI };
	EXPECT_EQ(-EINVAL, route(vm, 4));
	t.e[3].gsi = 101;
	EXPECT_EQ(0, route(vm, 4));
	/* pins and chips that are not there */
	pin(0, 100, 0, 8);
	EXPECT_EQ(-EINVAL, route(vm, 1));
	pin(0, 100, 1, 8);
	EXPECT_EQ(-EINVAL, route(vm, 1));
	pin(0, 100, 2, 24);
	EXPECT_EQ(-EINVAL, route(vm, 1));
	pin(0, 100, 3, 0);
	EXPECT_EQ(-EINVAL, route(vm, 1));
	pin(0, 100, 2, ~0u);
	EXPECT_EQ(-EINVAL, route(vm, 1));
	pin(0, 100, 2, 1);
	t.e[0].flags = 1;
	EXPECT_EQ(-EINVAL, route(vm, 1));
	pin(0, 100, 2, 1);
	EXPECT_EQ(0, route(vm, 1));
	EXPECT_EQ(-EINVAL, route(split, 1));
	EXPECT_EQ(0, route(vm, 0));
}

/* what is set is what is got, whatever it is, and the chips live on with it */
TEST(any_state)
{
	struct gvm *vm = gvm_new(GVM_FULL);
	struct hvm_irqchip chip, now;
	unsigned int i, seed = 1;
	uint8_t *p = (uint8_t *)&chip.chip;
	uint32_t n;

	gcpu_bare(vm, 0);
	for (n = 0; n < 300; n++) {
		for (i = 0; i < sizeof(chip.chip); i++) {
			seed = seed * 1103515245 + 12345;
			p[i] = n % 7 == 0 ? 0xff : seed >> 16;
		}
		chip.chip_id = now.chip_id = n % 3;
		ASSERT_EQ(0, hvm_set_irqchip(vm->fd, &chip));
		ASSERT_EQ(0, hvm_get_irqchip(vm->fd, &now));
		if (chip.chip_id == 2) {
			EXPECT_EQ(chip.chip.ioapic.base_address,
				  now.chip.ioapic.base_address);
			EXPECT_EQ(chip.chip.ioapic.ioregsel, now.chip.ioapic.ioregsel);
		} else {
			EXPECT_EQ(chip.chip.pic.irq_base, now.chip.pic.irq_base);
			EXPECT_EQ(chip.chip.pic.imr, now.chip.pic.imr);
		}
		for (i = 0; i < 24; i++) {
			EXPECT_EQ(0, hvm_irq_line(vm->fd, i, 1));
			EXPECT_EQ(0, hvm_irq_line(vm->fd, i, 0));
		}
	}
	gvm_free(vm);
}

/* the older calls know the counters only */
TEST(old_pit)
{
	struct gvm *vm = gvm_new(GVM_FULL);
	struct hvm_pit_state s;
	struct hvm_pit_state2 s2;

	ASSERT_EQ(0, ioctl(vm->fd, HVM_CREATE_PIT, 0));
	ASSERT_EQ(0, ioctl(vm->fd, HVM_GET_PIT, &s));
	EXPECT_EQ(0x10000u, s.channels[0].count);
	s.channels[1].count = 0x1234;
	s.channels[1].mode = 2;
	s.channels[2].count = 0;
	s.channels[2].mode = 3;
	ASSERT_EQ(0, ioctl(vm->fd, HVM_SET_PIT, &s));
	ASSERT_EQ(0, ioctl(vm->fd, HVM_GET_PIT2, &s2));
	EXPECT_EQ(0x1234u, s2.channels[1].count);
	EXPECT_EQ(2, s2.channels[1].mode);
	EXPECT_EQ(0x10000u, s2.channels[2].count);
	EXPECT_EQ(0u, s2.flags);
}

/* descriptors closed in any order while the counter ticks */
TEST(close_ticking)
{
	struct hvm_pit_state2 s;
	int i, ev = eventfd(0, 0);

	for (i = 0; i < 20; i++) {
		struct gvm *vm = gvm_new(GVM_FULL);
		struct gcpu *c;

		ASSERT_EQ(0, pit2(vm->fd));
		c = gcpu_bare(vm, 0);
		ASSERT_EQ(0, ioctl(vm->fd, HVM_GET_PIT2, &s));
		s.channels[0].count = 100;
		s.channels[0].mode = 2;
		ASSERT_EQ(0, ioctl(vm->fd, HVM_SET_PIT2, &s));
		ASSERT_EQ(0, hvm_irqfd(vm->fd, ev, 0, HVM_IRQFD_FLAG_RESAMPLE, ev));
		if (i & 1)
			gcpu_free(c);
		gvm_free(vm);
		usleep(i * 100);
		if (!(i & 1))
			gcpu_free(c);
	}
}

/* with an 8259A of its own the kernel takes no vectors from outside */
TEST(interrupt)
{
	struct gcpu *c = gcpu_bare(gvm_new(GVM_FULL), 0);

	EXPECT_EQ(-ENXIO, hvm_interrupt(c->fd, 0x20));
	EXPECT_EQ(-EINVAL, hvm_interrupt(c->fd, 0x100));
}

TEST_HARNESS_MAIN
