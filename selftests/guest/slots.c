// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory slots change under a running guest: read-only, deleted, moved, added;
 * what is not backed is a device.
 */
#include <sys/eventfd.h>
#include <time.h>

#include "guest.h"
#include "kselftest_harness.h"

#define GPA	0x10000000ul
#define OTHER	0x20000000ul

static void g_readonly(void)
{
	volatile uint64_t *p = (void *)GPA;

	GUEST_ASSERT_EQ(p[0], 0x1234);
	p[1] = 0x5678;			/* comes out as MMIO */
	GUEST_ASSERT_EQ(p[1], 0x11);	/* and changed nothing */
	GUEST_SYNC(1);
	GUEST_ASSERT_EQ(p[0], 0x4321);
	/* the processor's own writes too: read-modify-write */
	asm volatile("lock addq $1, 16(%0)" :: "r"(p) : "memory");
	GUEST_ASSERT_EQ(p[2], 0x22);
}

TEST(read_only)
{
	struct gvm *vm = gvm_new(GVM_NO_IRQCHIP);
	uint64_t *p = gvm_add_memory(vm, GPA, SZ_2M, HVM_MEM_READONLY);
	struct gcpu *c = gcpu_new(vm, 0, g_readonly);

	p[0] = 0x1234;
	p[1] = 0x11;
	p[2] = 0x22;
	ASSERT_EQ(HVM_EXIT_MMIO, gcpu_run(c));
	EXPECT_EQ(GPA + 8, c->run->mmio.phys_addr);
	EXPECT_EQ(8u, c->run->mmio.len);
	EXPECT_EQ(1, c->run->mmio.is_write);
	EXPECT_EQ(0x5678ull, *(uint64_t *)c->run->mmio.data);
	ASSERT_SYNC(c, 1);
	EXPECT_EQ(0x11ull, p[1]);
	p[0] = 0x4321;
	ASSERT_EQ(HVM_EXIT_MMIO, gcpu_run(c));
	EXPECT_EQ(GPA + 16, c->run->mmio.phys_addr);
	EXPECT_EQ(0x23ull, *(uint64_t *)c->run->mmio.data);
	ASSERT_DONE(c);
	EXPECT_EQ(0x22ull, p[2]);
}

static void g_access(void)
{
	volatile uint64_t *p = (void *)GPA, *q = (void *)OTHER;

	GUEST_ASSERT_EQ(p[0], 0xaa);
	p[1] = 1;
	GUEST_SYNC(1);			/* the slot is deleted */
	GUEST_ASSERT_EQ(p[0], 0xd00d);	/* MMIO */
	GUEST_SYNC(2);			/* it is back, elsewhere */
	GUEST_ASSERT_EQ(q[0], 0xaa);
	GUEST_ASSERT_EQ(q[1], 1);
	GUEST_SYNC(3);			/* moved home */
	GUEST_ASSERT_EQ(p[0], 0xaa);
	GUEST_ASSERT_EQ(q[0], 0xd11d);	/* MMIO */
}

static void answer(struct gcpu *c, uint64_t v)
{
	memcpy(c->run->mmio.data, &v, 8);
}

TEST(delete_and_move)
{
	struct gvm *vm = gvm_new(GVM_NO_IRQCHIP);
	uint64_t *p = gvm_add_memory(vm, GPA, SZ_2M, 0);
	struct gcpu *c = gcpu_new(vm, 0, g_access);

	p[0] = 0xaa;
	ASSERT_SYNC(c, 1);
	ASSERT_EQ(0, gvm_slot(vm, 2, 0, 0, 0, NULL));
	ASSERT_EQ(HVM_EXIT_MMIO, gcpu_run(c));
	EXPECT_EQ(GPA, c->run->mmio.phys_addr);
	answer(c, 0xd00d);
	ASSERT_SYNC(c, 2);
	ASSERT_EQ(0, gvm_slot(vm, 2, 0, OTHER, SZ_2M, p));
	ASSERT_SYNC(c, 3);
	ASSERT_EQ(0, gvm_slot(vm, 2, 0, GPA, SZ_2M, p));
	ASSERT_EQ(HVM_EXIT_MMIO, gcpu_run(c));
	EXPECT_EQ(OTHER, c->run->mmio.phys_addr);
	answer(c, 0xd11d);
	ASSERT_DONE(c);
}

/* what a thread outside does to the slots while the guest is inside */
static volatile uint64_t turns, stop, seen_memory, seen_device;

static void g_loop(void)
{
	volatile uint64_t *p = (void *)GPA;

	while (!stop) {
		uint64_t v = *p;

		if (v == 0x600d)
			seen_memory++;
		else if (v == 0xd00d)
			seen_device++;
		else
			GUEST_ASSERT_EQ(v, 0x600d);
		turns++;
	}
}

static void *server(void *arg)
{
	struct gcpu *c = arg;
	int ret;

	while ((ret = gcpu_run(c)) == HVM_EXIT_MMIO)
		answer(c, 0xd00d);
	c->result = ret;
	return NULL;
}

TEST(while_running)
{
	struct gvm *vm = gvm_new(GVM_NO_IRQCHIP);
	uint64_t *p = gvm_add_memory(vm, GPA, SZ_2M, 0);
	struct gcpu *c = gcpu_new(vm, 0, g_loop);
	pthread_t t;
	uint64_t n, i;

	p[0] = 0x600d;
	ASSERT_EQ(0, pthread_create(&t, NULL, server, c));
	for (i = 0; i < 20; i++) {
		n = seen_memory;
		ASSERT_TRUE(wait_for(&seen_memory, n + 2, 5));
		ASSERT_EQ(0, gvm_slot(vm, 2, 0, 0, 0, NULL));
		n = seen_device;
		ASSERT_TRUE(wait_for(&seen_device, n + 2, 5));
		ASSERT_EQ(0, gvm_slot(vm, 2, 0, GPA, SZ_2M, p));
	}
	stop = 1;
	pthread_join(t, NULL);
	EXPECT_EQ(UCALL_DONE, c->result);
}

static void g_touch(void)
{
	volatile uint64_t *p = (void *)GPA;

	while (!stop)
		p[(turns++ & 1) * 512] = 1;
}

/* Here and away without a pause: each access meets memory or a device, none an error. */
TEST(moves)
{
	struct gvm *vm = gvm_new(GVM_NO_IRQCHIP);
	uint64_t *p = gvm_add_memory(vm, GPA, SZ_2M, 0);
	struct gcpu *c = gcpu_new(vm, 0, g_touch);
	struct hvm_ioeventfd bell = { .fd = eventfd(0, EFD_NONBLOCK) };
	time_t end = time(NULL) + 3;
	pthread_t t;
	int i;

	/* so that the kernel ends what meets no memory */
	for (i = 0; i < 2; i++) {
		bell.addr = GPA + PAGE_SIZE * i;
		ASSERT_EQ(0, ioctl(vm->fd, HVM_IOEVENTFD, &bell));
	}
	ASSERT_EQ(0, pthread_create(&t, NULL, server, c));
	for (i = 0; time(NULL) < end; i ^= 1)
		ASSERT_EQ(0, gvm_slot(vm, 2, 0, i ? GPA : GPA + SZ_2M, SZ_2M, p));
	stop = 1;
	pthread_join(t, NULL);
	EXPECT_EQ(UCALL_DONE, c->result);
	EXPECT_EQ(1ull, p[0]);
}

/* new memory where a device was just seen */
static void g_appears(void)
{
	volatile uint64_t *p = (void *)GPA;

	GUEST_ASSERT_EQ(p[0], 0xd00d);
	GUEST_SYNC(1);
	GUEST_ASSERT_EQ(p[0], 0x55);
	p[0] = 0x66;
}

TEST(appears)
{
	struct gvm *vm = gvm_new(GVM_NO_IRQCHIP);
	struct gcpu *c = gcpu_new(vm, 0, g_appears);
	uint64_t *p;

	ASSERT_EQ(HVM_EXIT_MMIO, gcpu_run(c));
	answer(c, 0xd00d);
	ASSERT_SYNC(c, 1);
	p = gvm_add_memory(vm, GPA, SZ_2M, 0);
	p[0] = 0x55;
	ASSERT_DONE(c);
	EXPECT_EQ(0x66ull, p[0]);
}

/* one piece of host memory at two places */
static void g_alias(void)
{
	volatile uint64_t *p = (void *)GPA, *q = (void *)OTHER;
	int i;

	for (i = 0; i < 10; i++) {
		p[i] = i;
		GUEST_ASSERT_EQ(q[i], i);
		q[i] = i + 100;
		GUEST_ASSERT_EQ(p[i], i + 100);
	}
}

TEST(aliases)
{
	struct gvm *vm = gvm_new(GVM_NO_IRQCHIP);
	uint64_t *p = gvm_add_memory(vm, GPA, SZ_2M, 0);

	ASSERT_EQ(0, gvm_slot(vm, 9, 0, OTHER, SZ_2M, p));
	ASSERT_DONE(gcpu_new(vm, 0, g_alias));
}

TEST_HARNESS_MAIN
