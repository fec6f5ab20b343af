// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writes that queue up: which do and which do not, in what order, the ring that
 * is full or spoilt, ports and string instructions, and taking a zone back.
 */
#include "guest.h"
#include "kselftest_harness.h"

#define ZONE		0xd0000000ul
#define RING_MAX	((PAGE_SIZE - 8) / 24)

static struct hvm_coalesced_mmio_ring *ring(struct gcpu *c)
{
	return (void *)c->run + HVM_COALESCED_MMIO_PAGE_OFFSET * PAGE_SIZE;
}

static int zone(struct gvm *vm, unsigned long call, uint64_t addr, uint32_t size,
		uint32_t pio)
{
	struct hvm_coalesced_mmio_zone z = { .addr = addr, .size = size, .pio = pio };

	return ioctl(vm->fd, call, &z);
}

#define REGISTER	HVM_REGISTER_COALESCED_MMIO
#define UNREGISTER	HVM_UNREGISTER_COALESCED_MMIO

static void g_memory(void)
{
	mmio_write32(ZONE, 0x11223344);
	*(volatile uint8_t *)(ZONE + 0xfff) = 0x55;
	asm volatile("movq %0, (%1)" :: "r"(0x0102030405060708ul), "r"(ZONE + 8));
	/* reads, what lies outside, and what lies half outside */
	mmio_read32(ZONE);
	mmio_write32(ZONE - 4, 1);
	mmio_write32(ZONE + 0x1000, 2);
	*(volatile uint16_t *)(ZONE + 0xfff) = 3;
	GUEST_DONE();
}

TEST(memory)
{
	struct gcpu *c = gcpu_new(gvm_new(GVM_SPLIT), 0, g_memory);
	struct hvm_coalesced_mmio *e = ring(c)->coalesced_mmio;
	static const uint64_t exits[] = { ZONE, ZONE - 4, ZONE + 0x1000 };
	unsigned int i;

	ASSERT_EQ(HVM_COALESCED_MMIO_PAGE_OFFSET, have_cap(HVM_CAP_COALESCED_MMIO));
	ASSERT_EQ(0, zone(c->vm, REGISTER, ZONE, 0x1000, 0));
	EXPECT_EQ(0u, ring(c)->first);
	EXPECT_EQ(0u, ring(c)->last);
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(HVM_EXIT_MMIO, gcpu_run(c));
		EXPECT_EQ(exits[i], c->run->mmio.phys_addr);
	}
	EXPECT_EQ(3u, ring(c)->last);
	EXPECT_EQ(ZONE, e[0].phys_addr);
	EXPECT_EQ(4u, e[0].len);
	EXPECT_EQ(0u, e[0].pio);
	EXPECT_EQ(0, memcmp(e[0].data, "\x44\x33\x22\x11", 4));
	EXPECT_EQ(ZONE + 0xfff, e[1].phys_addr);
	EXPECT_EQ(1u, e[1].len);
	EXPECT_EQ(0x55, e[1].data[0]);
	EXPECT_EQ(8u, e[2].len);
	EXPECT_EQ(0x08, e[2].data[0]);
	EXPECT_EQ(0x01, e[2].data[7]);
	/* across the end: its first half queues or not, the second exits */
	ASSERT_EQ(HVM_EXIT_MMIO, gcpu_run(c));
	while (c->run->exit_reason == HVM_EXIT_MMIO && gcpu_run(c) == HVM_EXIT_MMIO)
		;
	EXPECT_EQ(UCALL_DONE, (int)c->uc.cmd);
}

static void g_many(void)
{
	unsigned int i;

	for (i = 0; i < RING_MAX; i++)
		mmio_write32(ZONE, i);
	GUEST_DONE();
}

TEST(full)
{
	struct gcpu *c = gcpu_new(gvm_new(GVM_NO_IRQCHIP), 0, g_many);
	unsigned int i;

	/* KVM's modulus does not divide 2^32: it takes the ring for full at half */
	REQUIRE_HVM();
	ASSERT_EQ(0, zone(c->vm, REGISTER, ZONE, 0x1000, 0));
	/* one entry stays free, so the last write exits */
	ASSERT_EQ(HVM_EXIT_MMIO, gcpu_run(c));
	EXPECT_EQ((uint32_t)RING_MAX - 1, ring(c)->last);
	EXPECT_EQ((uint32_t)RING_MAX - 1, *(uint32_t *)c->run->mmio.data);
	for (i = 0; i < RING_MAX - 1; i++)
		EXPECT_EQ(i, *(uint32_t *)ring(c)->coalesced_mmio[i].data);
	ASSERT_DONE(c);
}

static void g_two(void)
{
	mmio_write32(ZONE, 1);
	mmio_write32(ZONE, 2);
	GUEST_DONE();
}

/* a page that writes leave from, then queue in, then leave from again */
static void g_changes(void)
{
	int i;

	for (i = 0; i < 3; i++) {
		mmio_write32(ZONE + 8, i);
		mmio_write32(ZONE + 12, i);
		GUEST_SYNC(i);
	}
	GUEST_DONE();
}

TEST(changes)
{
	struct gcpu *c = gcpu_new(gvm_new(GVM_NO_IRQCHIP), 0, g_changes);

	ASSERT_EQ(HVM_EXIT_MMIO, gcpu_run(c));
	ASSERT_EQ(HVM_EXIT_MMIO, gcpu_run(c));
	ASSERT_SYNC(c, 0);
	ASSERT_EQ(0, zone(c->vm, REGISTER, ZONE + 12, 4, 0));
	ASSERT_EQ(HVM_EXIT_MMIO, gcpu_run(c));
	EXPECT_EQ(ZONE + 8, c->run->mmio.phys_addr);
	ASSERT_SYNC(c, 1);
	EXPECT_EQ(1u, ring(c)->last);
	EXPECT_EQ(ZONE + 12, ring(c)->coalesced_mmio[0].phys_addr);
	ASSERT_EQ(0, zone(c->vm, UNREGISTER, ZONE + 12, 4, 0));
	ASSERT_EQ(HVM_EXIT_MMIO, gcpu_run(c));
	ASSERT_EQ(HVM_EXIT_MMIO, gcpu_run(c));
	ASSERT_SYNC(c, 2);
	EXPECT_EQ(1u, ring(c)->last);
	ASSERT_DONE(c);
}

TEST(wraps)
{
	struct gcpu *c = gcpu_new(gvm_new(GVM_NO_IRQCHIP), 0, g_two);

	ASSERT_EQ(0, zone(c->vm, REGISTER, ZONE, 0x1000, 0));
	ring(c)->first = ring(c)->last = RING_MAX - 1;
	ASSERT_DONE(c);
	EXPECT_EQ(1u, ring(c)->last);
	EXPECT_EQ(2u, *(uint32_t *)ring(c)->coalesced_mmio[0].data);
}

/* indices that nobody sane would write: the write exits, nothing else happens */
TEST(spoilt)
{
	static const uint32_t bad[] = { RING_MAX, RING_MAX + 1, 1u << 20, ~0u };
	unsigned int i;

	for (i = 0; i < ARRAY_LEN(bad); i++) {
		struct gcpu *c = gcpu_new(gvm_new(GVM_NO_IRQCHIP), 0, g_two);

		ASSERT_EQ(0, zone(c->vm, REGISTER, ZONE, 0x1000, 0));
		ring(c)->last = bad[i];
		ASSERT_EQ(HVM_EXIT_MMIO, gcpu_run(c));
		EXPECT_EQ(bad[i], ring(c)->last);
		ring(c)->last = 0;
		ring(c)->first = bad[i];
		EXPECT_LT(0, gcpu_run(c));
		EXPECT_GE(1u, ring(c)->last);
		gvm_free(c->vm);
	}
}

static void g_ports(void)
{
	char text[] = "abcd";
	void *p = text;
	uint64_t n = 4;

	outb(0x70, 0x8f);
	outw(0x71, 0x1234);		/* half outside */
	outb(0x72, 1);
	asm volatile("rep outsb" : "+S"(p), "+c"(n) : "d"(0x71) : "memory");
	GUEST_ASSERT_EQ(n, 0);
	inb(0x70);
	GUEST_DONE();
}

TEST(ports)
{
	struct gcpu *c = gcpu_new(gvm_new(GVM_SPLIT), 0, g_ports);
	struct hvm_coalesced_mmio *e = ring(c)->coalesced_mmio;
	unsigned int i;

	ASSERT_EQ(1, have_cap(HVM_CAP_COALESCED_PIO));
	ASSERT_EQ(0, zone(c->vm, REGISTER, 0x70, 2, 1));
	ASSERT_EQ(HVM_EXIT_IO, gcpu_run(c));
	EXPECT_EQ(2, c->run->io.size);
	EXPECT_EQ(1u, ring(c)->last);
	EXPECT_EQ(0x70ull, e[0].phys_addr);
	EXPECT_EQ(1u, e[0].pio);
	EXPECT_EQ(1u, e[0].len);
	EXPECT_EQ(0x8f, e[0].data[0]);
	ASSERT_EQ(HVM_EXIT_IO, gcpu_run(c));
	EXPECT_EQ(0x72, c->run->io.port);
	ASSERT_EQ(HVM_EXIT_IO, gcpu_run(c));
	EXPECT_EQ(HVM_EXIT_IO_IN, c->run->io.direction);
	EXPECT_EQ(5u, ring(c)->last);
	for (i = 0; i < 4; i++)
		EXPECT_EQ('a' + i, (unsigned int)e[1 + i].data[0]);
	ASSERT_DONE(c);
}

TEST(taken_back)
{
	struct gcpu *c = gcpu_new(gvm_new(GVM_NO_IRQCHIP), 0, g_two);

	ASSERT_EQ(0, zone(c->vm, REGISTER, ZONE, 0x1000, 0));
	/* another bus, another place, and more than the zone: it stays */
	EXPECT_EQ(0, zone(c->vm, UNREGISTER, ZONE, 4, 1));
	EXPECT_EQ(0, zone(c->vm, UNREGISTER, ZONE + 0x1000, 4, 0));
	EXPECT_EQ(0, zone(c->vm, UNREGISTER, ZONE, 0x1001, 0));
	ASSERT_DONE(c);
	EXPECT_EQ(2u, ring(c)->last);
	/* a part of it is enough */
	EXPECT_EQ(0, zone(c->vm, UNREGISTER, ZONE + 0x10, 4, 0));
	gcpu_long_mode(c, g_two);
	ASSERT_EQ(HVM_EXIT_MMIO, gcpu_run(c));
	EXPECT_EQ(2u, ring(c)->last);
}

TEST(arguments)
{
	struct gvm *vm = gvm_new(GVM_NO_IRQCHIP);
	int i, r = 0;

	EXPECT_ERRNO(EINVAL, zone(vm, REGISTER, ZONE, 4, 2));
	EXPECT_ERRNO(EINVAL, zone(vm, UNREGISTER, ZONE, 4, 2));
	EXPECT_ERRNO(EFAULT, ioctl(vm->fd, REGISTER, (void *)8));
	/* no end of memory ends a zone */
	EXPECT_EQ(0, zone(vm, REGISTER, ~0ul - 3, 0x1000, 0));
	for (i = 0; i < 2000 && !r; i++)
		r = zone(vm, REGISTER, ZONE + i * 16, 16, 0);
	EXPECT_EQ(-1, r);
	EXPECT_EQ(ENOSPC, errno);
}

/* one ring a VM: every vCPU's mapping shows it */
TEST(shared)
{
	struct gvm *vm = gvm_new(GVM_NO_IRQCHIP);
	struct gcpu *a = gcpu_new(vm, 0, g_two), *b = gcpu_new(vm, 1, g_two);

	ASSERT_EQ(0, zone(vm, REGISTER, ZONE, 0x1000, 0));
	ASSERT_DONE(a);
	ASSERT_DONE(b);
	EXPECT_EQ(4u, ring(a)->last);
	EXPECT_EQ(4u, ring(b)->last);
}

TEST_HARNESS_MAIN
