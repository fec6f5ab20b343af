// SPDX-License-Identifier: GPL-2.0-only
/*
 * How a guest stops: HLT with nobody to wake it, a triple fault, an IDT that
 * is not there.
 */
#include "guest.h"
#include "kselftest_harness.h"

static volatile uint64_t after;

static void g_hlt(void)
{
	for (;;) {
		hlt();
		after++;
	}
}

TEST(halt)
{
	struct gcpu *c = gcpu_new(gvm_new(GVM_NO_IRQCHIP), 0, g_hlt);
	uint64_t rip;

	ASSERT_EQ(HVM_EXIT_HLT, gcpu_run(c));
	EXPECT_EQ(0ull, after);
	rip = gcpu_regs(c).rip;
	EXPECT_EQ(0xf4, *(uint8_t *)(rip - 1));
	/* userspace decides when it goes on */
	ASSERT_EQ(HVM_EXIT_HLT, gcpu_run(c));
	EXPECT_EQ(1ull, after);
	ASSERT_EQ(HVM_EXIT_HLT, gcpu_run(c));
	EXPECT_EQ(2ull, after);
}

struct __attribute__((packed)) dtable {
	uint16_t limit;
	uint64_t base;
};

static void g_triple(void)
{
	struct dtable none = { 0, 0 };

	asm volatile("lidt %0; ud2" :: "m"(none));
}

TEST(triple_fault)
{
	struct gcpu *c = gcpu_new(gvm_new(GVM_NO_IRQCHIP), 0, g_triple);

	EXPECT_EQ(HVM_EXIT_SHUTDOWN, gcpu_run(c));
}

/* with the local APIC in the kernel it is no different */
TEST(triple_fault_with_apic)
{
	struct gcpu *c = gcpu_new(gvm_new(GVM_SPLIT), 0, g_triple);

	EXPECT_EQ(HVM_EXIT_SHUTDOWN, gcpu_run(c));
	/* a reset vCPU starts over */
	after = 0;
	gcpu_free(c);
}

static void g_wild_stack(void)
{
	asm volatile("mov %0, %%rsp; ud2" :: "r"(0x123456789000ull));
}

TEST(no_stack)
{
	struct gcpu *c = gcpu_new(gvm_new(GVM_NO_IRQCHIP), 0, g_wild_stack);

	EXPECT_EQ(HVM_EXIT_SHUTDOWN, gcpu_run(c));
}

/* a double fault is still caught by its handler */
static void df(struct trap_frame *f)
{
	GUEST_ASSERT_EQ(f->error, 0);
	GUEST_DONE();
}

static void g_double(void)
{
	struct dtable idt = { 0x9f, LOW_IDT };	/* #DF, but no #GP and #PF */
	uint64_t *gate = (void *)(LOW_IDT + VEC_UD * 16ul);

	guest_handlers[VEC_DF] = df;
	idt.limit = VEC_DF * 16 + 15;
	asm volatile("lidt %0" :: "m"(idt));
	gate[0] = 0;				/* not present: #NP in #UD */
	asm volatile("ud2");
}

TEST(double_fault)
{
	struct gcpu *c = gcpu_new(gvm_new(GVM_NO_IRQCHIP), 0, g_double);

	ASSERT_DONE(c);
}

TEST_HARNESS_MAIN
