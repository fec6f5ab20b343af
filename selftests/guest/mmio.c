// SPDX-License-Identifier: GPL-2.0-only
/*
 * MMIO: the fields of the exit for every size, accesses that cross pages, the
 * border between memory and device, and a read that is finished late.
 */
#include "mmio.h"
#include "kselftest_harness.h"

#define DEV(off) (MMIO_GPA + (off))

static volatile uint64_t got[8];

static void g_sizes(void)
{
	uint64_t v;

	asm volatile("movb %b1, (%0)" :: "r"(DEV(0)), "q"(0x11) : "memory");
	asm volatile("movw %w1, (%0)" :: "r"(DEV(2)), "r"(0x2233) : "memory");
	asm volatile("movl %k1, (%0)" :: "r"(DEV(4)), "r"(0x44556677)
		     : "memory");
	asm volatile("movq %1, (%0)" :: "r"(DEV(8)), "r"(0x8899aabbccddeeff)
		     : "memory");
	v = -1ull;
	asm volatile("movb (%1), %b0" : "+q"(v) : "r"(DEV(0)) : "memory");
	got[0] = v;
	v = -1ull;
	asm volatile("movw (%1), %w0" : "+q"(v) : "r"(DEV(2)) : "memory");
	got[1] = v;
	v = -1ull;
	asm volatile("movl (%1), %k0" : "+q"(v) : "r"(DEV(4)) : "memory");
	got[2] = v;
	asm volatile("movq (%1), %0" : "+q"(v) : "r"(DEV(8)) : "memory");
	got[3] = v;
}

TEST(sizes)
{
	static const struct mmio_access t[] = {
		{ DEV(0), 0x11, 1, true }, { DEV(2), 0x2233, 2, true },
		{ DEV(4), 0x44556677, 4, true },
		{ DEV(8), 0x8899aabbccddeeff, 8, true },
		{ DEV(0), 0x11, 1, false }, { DEV(2), 0x2233, 2, false },
		{ DEV(4), 0x44556677, 4, false },
		{ DEV(8), 0x8899aabbccddeeff, 8, false },
	};
	struct gcpu *c = gcpu_new(gvm_new(GVM_NO_IRQCHIP), 0, g_sizes);
	size_t i;

	ASSERT_EQ(UCALL_DONE, mmio_serve(c));
	ASSERT_EQ(ARRAY_LEN(t), mmio_count);
	for (i = 0; i < ARRAY_LEN(t); i++) {
		EXPECT_EQ(t[i].gpa, mmio_log[i].gpa);
		EXPECT_EQ(t[i].len, mmio_log[i].len);
		EXPECT_EQ(t[i].write, mmio_log[i].write);
		EXPECT_EQ(t[i].data, mmio_log[i].data);
	}
	EXPECT_EQ(0xffffffffffffff11ull, got[0]);
	EXPECT_EQ(0xffffffffffff2233ull, got[1]);
	EXPECT_EQ(0x44556677ull, got[2]);
	EXPECT_EQ(0x8899aabbccddeeffull, got[3]);
}

/* unaligned, and over the end of a page: bytes arrive where they belong */
static void g_unaligned(void)
{
	uint64_t v;

	asm volatile("movq %1, (%0)" :: "r"(DEV(0x11)), "r"(0x0102030405060708)
		     : "memory");
	asm volatile("movq %1, (%0)" :: "r"(DEV(0xffd)),
		     "r"(0x1112131415161718) : "memory");
	asm volatile("movq (%1), %0" : "=r"(v) : "r"(DEV(0xffd)) : "memory");
	GUEST_ASSERT_EQ(v, 0x1112131415161718);
	asm volatile("movl (%1), %k0" : "=r"(v) : "r"(DEV(0xfff)) : "memory");
	GUEST_ASSERT_EQ(v, 0x13141516);
}

TEST(unaligned)
{
	struct gcpu *c = gcpu_new(gvm_new(GVM_NO_IRQCHIP), 0, g_unaligned);
	uint64_t v;

	ASSERT_EQ(UCALL_DONE, mmio_serve(c));
	memcpy(&v, mmio_mem + 0x11, 8);
	EXPECT_EQ(0x0102030405060708ull, v);
	memcpy(&v, mmio_mem + 0xffd, 8);
	EXPECT_EQ(0x1112131415161718ull, v);
}

/* device and memory at one another's side */
static void g_border(void)
{
	uint64_t v;

	asm volatile("movq %1, (%0)" :: "r"(DEV(-4)), "r"(0xa1a2a3a4a5a6a7a8)
		     : "memory");
	asm volatile("movq (%1), %0" : "=r"(v) : "r"(DEV(-4)) : "memory");
	GUEST_ASSERT_EQ(v, 0xa1a2a3a4a5a6a7a8);
}

TEST(border)
{
	struct gvm *vm = gvm_new(GVM_NO_IRQCHIP);
	uint8_t *mem = gvm_add_memory(vm, MMIO_GPA - SZ_2M, SZ_2M, 0);
	struct gcpu *c = gcpu_new(vm, 0, g_border);

	ASSERT_EQ(UCALL_DONE, mmio_serve(c));
	EXPECT_EQ(0xa5a6a7a8u, *(uint32_t *)(mem + SZ_2M - 4));
	EXPECT_EQ(0xa1a2a3a4u, *(uint32_t *)mmio_mem);
}

/* between the exit and the next RUN the instruction is not done */
static void g_late(void)
{
	uint64_t v = 0;

	asm volatile("movl (%1), %k0" : "+r"(v) : "r"(DEV(0)) : "memory");
	GUEST_ASSERT_EQ(v, 0xfeedface);
	mmio_write32(DEV(0), 5);
}

TEST(completes_late)
{
	struct gcpu *c = gcpu_new(gvm_new(GVM_NO_IRQCHIP), 0, g_late);
	uint32_t v = 0xfeedface;
	uint64_t rip;

	ASSERT_EQ(HVM_EXIT_MMIO, gcpu_run(c));
	rip = gcpu_regs(c).rip;
	memcpy(c->run->mmio.data, &v, 4);
	c->run->immediate_exit = 1;
	ASSERT_EQ(-EINTR, gcpu_run(c));
	EXPECT_LT(rip, gcpu_regs(c).rip);
	ASSERT_EQ(-EINTR, gcpu_run(c));
	c->run->immediate_exit = 0;
	ASSERT_EQ(HVM_EXIT_MMIO, gcpu_run(c));
	EXPECT_EQ(1, c->run->mmio.is_write);
	ASSERT_DONE(c);
}

/* far above all memory */
static void g_high(void)
{
	volatile uint64_t *p = (void *)0x8000000000;

	*p = 0x77;
	GUEST_ASSERT_EQ(*p, 0x77);
}

TEST(high_address)
{
	struct gvm *vm = gvm_new(GVM_NO_IRQCHIP);
	struct gcpu *c = gcpu_new(vm, 0, g_high);

	gvm_map_page(vm, 0x8000000000, 0x1200000000, PTE_P | PTE_W);
	ASSERT_EQ(UCALL_DONE, mmio_serve_at(c, 0x1200000000));
	EXPECT_EQ(0x1200000000ull, mmio_log[0].gpa);
}

/* Userspace that sets RIP at an exit ends the access: hvm's, where KVM goes on by half. */
static volatile uint64_t loaded = 0x77;

static void g_elsewhere(void)
{
	GUEST_ASSERT_EQ(loaded, 0x77);
	GUEST_DONE();
}

static void g_load(void)
{
	uint64_t v = 0x77;

	asm volatile("movq (%1), %0" : "+r"(v) : "r"(DEV(8)) : "memory");
	loaded = v;
	GUEST_SYNC(1);
}

TEST(moved_away)
{
	struct gcpu *c = gcpu_new(gvm_new(GVM_NO_IRQCHIP), 0, g_load);
	struct hvm_regs r;
	int twice;

	REQUIRE_HVM();
	/* the second time it is a page known to be a device's */
	for (twice = 0; twice < 2; twice++) {
		gcpu_long_mode(c, g_load);
		ASSERT_EQ(HVM_EXIT_MMIO, gcpu_run(c));
		r = gcpu_regs(c);
		r.rip = (uintptr_t)g_elsewhere;
		ASSERT_EQ(0, hvm_set_regs(c->fd, &r));
		memset(c->run->mmio.data, 0x55, 8);
		ASSERT_DONE(c);
		EXPECT_EQ(0x77, loaded);
	}
}

TEST_HARNESS_MAIN
