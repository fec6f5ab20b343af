// SPDX-License-Identifier: GPL-2.0-only
/*
 * Debugging a guest from outside: single steps, software and hardware
 * breakpoints, and the guest that notices nothing.
 */
#include "guest.h"
#include "kselftest_harness.h"

#define ON	HVM_GUESTDBG_ENABLE

extern uint8_t step_start[], step_end[], step_bp[], step_out[];

/* known instructions, with those that exit among them */
asm(".pushsection .text.step, \"ax\"\n"
	"step_guest:\n"
	"	mov	$5, %ebx\n"
	"step_start:\n"
	"	xor	%eax, %eax\n"		/* 0 */
	"	inc	%eax\n"			/* 2 */
	"	cpuid\n"			/* 4 */
	"	mov	$3, %ecx\n"		/* 6 */
	"	pushfq\n"			/* 11 */
	"	pop	%rdx\n"			/* 12 */
	"	nop\n"				/* 13 */
	"step_bp:\n"
	"	nop\n"				/* 14 */
	"step_out:\n"
	"	outb	%al, $0x55\n"		/* 15 */
	"	nop\n"				/* 17 */
	"step_end:\n"
	"	jmp	step_start\n"
	".popsection\n");
void step_guest(void);

static const uint8_t offsets[] = { 2, 4, 6, 11, 12, 13, 14, 15, 17, 18 };

static int debug(struct gcpu *c, uint32_t control)
{
	struct hvm_guest_debug d = { .control = control };

	return hvm_set_guest_debug(c->fd, &d);
}

static void go_to(struct gcpu *c, void *rip)
{
	struct hvm_regs r = gcpu_regs(c);

	r.rip = (uintptr_t)rip;
	hvm_set_regs(c->fd, &r);
}

TEST(single_step)
{
	struct gcpu *c = gcpu_new(gvm_new(GVM_NO_IRQCHIP), 0, step_guest);
	struct hvm_run *run = c->run;
	size_t i, again = 0;

	go_to(c, step_start);
	ASSERT_EQ(0, debug(c, ON | HVM_GUESTDBG_SINGLESTEP));
	for (i = 0; i < ARRAY_LEN(offsets); i++) {
		int ret = gcpu_run(c);

		if (ret == HVM_EXIT_IO) {
			EXPECT_EQ(0x55, run->io.port);
			ret = gcpu_run(c);
		}
		ASSERT_EQ(HVM_EXIT_DEBUG, ret);
		EXPECT_EQ(VEC_DB, run->debug.arch.exception);
		EXPECT_EQ(run->debug.arch.pc, gcpu_regs(c).rip);
		/* an interrupted step may be told twice; none is left out */
		if (i && again < 1000 && run->debug.arch.pc ==
		    (uintptr_t)step_start + offsets[i - 1]) {
			again++;
			i--;
			continue;
		}
		EXPECT_EQ((uintptr_t)step_start + offsets[i],
			  run->debug.arch.pc);
		EXPECT_NE(0, run->debug.arch.dr6 & (1 << 14));
	}
	/* the guest's own flags do not have it */
	EXPECT_EQ(0, gcpu_regs(c).rflags & RFLAGS_TF);
	ASSERT_EQ(0, debug(c, 0));
	EXPECT_EQ(HVM_EXIT_IO, gcpu_run(c));
}

TEST(software_breakpoint)
{
	uintptr_t page = (uintptr_t)step_bp & ~(PAGE_SIZE - 1);
	uint8_t old = *step_bp;
	struct gcpu *c;

	REQUIRE(!host_is_tcg(), "TCG does not intercept INT3");
	c = gcpu_new(gvm_new(GVM_NO_IRQCHIP), 0, step_guest);
	ASSERT_EQ(0, mprotect((void *)page, 2 * PAGE_SIZE,
			      PROT_READ | PROT_WRITE | PROT_EXEC));
	*step_bp = 0xcc;
	ASSERT_EQ(0, debug(c, ON | HVM_GUESTDBG_USE_SW_BP));
	ASSERT_EQ(HVM_EXIT_DEBUG, gcpu_run(c));
	EXPECT_EQ(VEC_BP, c->run->debug.arch.exception);
	EXPECT_EQ((uintptr_t)step_bp, c->run->debug.arch.pc);
	EXPECT_EQ((uintptr_t)step_bp, gcpu_regs(c).rip);
	*step_bp = old;
	ASSERT_EQ(HVM_EXIT_IO, gcpu_run(c));
}

/* not debugged, INT3 is the guest's */
static volatile uint64_t bps;

static void bp(struct trap_frame *f)
{
	bps++;
}

static void g_int3(void)
{
	guest_handlers[VEC_BP] = bp;
	asm volatile("int3");
	GUEST_SYNC(1);
	asm volatile("int3");
	GUEST_ASSERT_EQ(bps, 2);
}

TEST(int3_is_the_guests)
{
	struct hvm_guest_debug d = { .control = ON | HVM_GUESTDBG_USE_SW_BP |
						HVM_GUESTDBG_INJECT_BP };
	struct gcpu *c;

	c = gcpu_new(gvm_new(GVM_NO_IRQCHIP), 0, g_int3);
	ASSERT_SYNC(c, 1);
	EXPECT_EQ(1ull, bps);
	REQUIRE(!host_is_tcg(), "TCG does not intercept INT3");
	ASSERT_EQ(0, debug(c, ON | HVM_GUESTDBG_USE_SW_BP));
	ASSERT_EQ(HVM_EXIT_DEBUG, gcpu_run(c));
	/* a debugger hands on what is not its own, RIP still at the INT3 */
	ASSERT_EQ(0, hvm_set_guest_debug(c->fd, &d));
	ASSERT_DONE(c);
}

TEST(hardware_breakpoint)
{
	struct hvm_guest_debug d = {
		.control = ON | HVM_GUESTDBG_USE_HW_BP,
	};
	struct gcpu *c;
	int i;

	c = gcpu_new(gvm_new(GVM_NO_IRQCHIP), 0, step_guest);
	d.arch.debugreg[0] = (uintptr_t)step_bp;
	d.arch.debugreg[7] = 0x401;
	ASSERT_EQ(0, hvm_set_guest_debug(c->fd, &d));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(HVM_EXIT_DEBUG, gcpu_run(c));
		EXPECT_EQ(VEC_DB, c->run->debug.arch.exception);
		EXPECT_EQ((uintptr_t)step_bp, c->run->debug.arch.pc);
		EXPECT_EQ(1ull, c->run->debug.arch.dr6 & 15);
		/* over it: RF */
		struct hvm_regs r = gcpu_regs(c);

		r.rflags |= RFLAGS_RF;
		ASSERT_EQ(0, hvm_set_regs(c->fd, &r));
		ASSERT_EQ(HVM_EXIT_IO, gcpu_run(c));
	}
	ASSERT_EQ(0, debug(c, 0));
	ASSERT_EQ(HVM_EXIT_IO, gcpu_run(c));
}

/* the debugger watches the debug registers themselves */
static void g_debug_registers(void)
{
	uint64_t v;

	asm volatile(".globl detect_at\n\t"
		     "detect_at: mov %%db0, %0" : "=r"(v));
	GUEST_DONE();
}

extern const uint8_t detect_at[];

TEST(general_detect)
{
	struct hvm_guest_debug d = {
		.control = ON | HVM_GUESTDBG_USE_HW_BP, .arch.debugreg[7] = 0x2400,
	};
	struct gcpu *c = gcpu_new(gvm_new(GVM_NO_IRQCHIP), 0, g_debug_registers);

	REQUIRE(device_is_hvm() || !host_is_tcg(), "KVM has it on VT-x only");
	ASSERT_EQ(0, hvm_set_guest_debug(c->fd, &d));
	ASSERT_EQ(HVM_EXIT_DEBUG, gcpu_run(c));
	EXPECT_EQ(VEC_DB, c->run->debug.arch.exception);
	EXPECT_EQ((uintptr_t)detect_at, c->run->debug.arch.pc);
	EXPECT_EQ(0xffff2ff0ull, c->run->debug.arch.dr6);
	EXPECT_EQ(0x2400ull, c->run->debug.arch.dr7);
	ASSERT_EQ(0, debug(c, 0));
	ASSERT_DONE(c);
}

/* a guest that single-steps itself, with nobody watching */
static volatile uint64_t steps;

static void db(struct trap_frame *f)
{
	steps++;
	if (steps == 10)
		f->rflags &= ~RFLAGS_TF;
}

static void g_self(void)
{
	guest_handlers[VEC_DB] = db;
	asm volatile("pushfq; orq $0x100, (%%rsp); popfq\n\t"
		     "nop; nop; nop; nop; nop\n\t"
		     "xor %%eax, %%eax\n\t"
		     "cpuid\n\t"
		     "nop; nop; nop; nop; nop; nop; nop; nop\n\t"
		     ::: "rax", "rbx", "rcx", "rdx", "cc", "memory");
	GUEST_ASSERT_EQ(steps, 10);
}

TEST(guest_steps_itself)
{
	ASSERT_DONE(gcpu_new(gvm_new(GVM_NO_IRQCHIP), 0, g_self));
}

TEST_HARNESS_MAIN
