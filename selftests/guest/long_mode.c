// SPDX-License-Identifier: GPL-2.0-only
/*
 * Long mode: ring 3, SYSCALL, compatibility mode, no-execute, write
 * protection; every processor exception reaches its handler.
 */
#include "guest.h"
#include "kselftest_harness.h"

static volatile uint64_t ran, cs_in_user;

static void user(void)
{
	uint64_t cs;

	asm volatile("mov %%cs, %0" : "=r"(cs));
	cs_in_user = cs;
	ran++;
	guest_user_exit();
}

static void user_hlt(void)
{
	int vec;

	SAFE(vec, "hlt", "a"(0));
	ran = vec;
	guest_user_exit();
}

static void ring3(void)
{
	guest_user_call(user, LOW_STACKS + 6 * LOW_STACK_SIZE);
	GUEST_ASSERT_EQ(ran, 1);
	GUEST_ASSERT_EQ(cs_in_user, SEL_UCODE64);
	guest_user_call(user_hlt, LOW_STACKS + 6 * LOW_STACK_SIZE);
	GUEST_ASSERT_EQ(ran, VEC_GP);
}

/* SYSCALL stays in ring 0 here: it is the target and R11 that count */
static void syscall_insn(void)
{
	uint64_t r11, landed;

	wrmsr(MSR_STAR, (uint64_t)SEL_CODE64 << 32);
	wrmsr(MSR_SYSCALL_MASK, RFLAGS_IF | RFLAGS_CF);
	asm volatile("lea 1f(%%rip), %%rax\n\t"
		     "mov %%rax, %%rdx\n\t"
		     "shr $32, %%rdx\n\t"
		     "mov $0xc0000082, %%ecx\n\t"
		     "wrmsr\n\t"
		     "stc\n\t"
		     "xor %%ebx, %%ebx\n\t"
		     "stc\n\t"
		     "syscall\n\t"
		     "inc %%ebx\n\t"
		     "1: setnc %%bl\n\t"
		     "mov %%rcx, %1"
		     : "=b"(r11), "=r"(landed) :: "rax", "rcx", "rdx", "r11",
		     "memory", "cc");
	GUEST_ASSERT_EQ(r11, 1);
	GUEST_ASSERT(landed);
}

static void compat(void)
{
	uint32_t v = 0;

	/* to a 32-bit segment and back, as a 32-bit process does */
	asm volatile("push %%rbx\n\t"
		     "lea 1f(%%rip), %%rax\n\t"
		     "sub $16, %%rsp\n\t"
		     "mov %%eax, (%%rsp)\n\t"
		     "movl %1, 4(%%rsp)\n\t"
		     "ljmpl *(%%rsp)\n\t"
		     ".code32\n\t"
		     "1: mov $0xffffffff, %%eax\n\t"
		     "inc %%eax\n\t"
		     "dec %%eax\n\t"
		     "mov %%eax, %%ebx\n\t"
		     "ljmpl %2, $2f\n\t"
		     ".code64\n\t"
		     "2: add $16, %%rsp\n\t"
		     "mov %%ebx, %0\n\t"
		     "pop %%rbx" : "=r"(v) : "i"(SEL_CODE32), "i"(SEL_CODE64)
		     : "rax", "memory", "cc");
	GUEST_ASSERT_EQ(v, 0xffffffff);
}

static void guest(void)
{
	ring3();
	syscall_insn();
	compat();
}

TEST(modes)
{
	struct gvm *vm = gvm_new(GVM_SPLIT);
	struct gcpu *c = gcpu_new(vm, 0, guest);

	ASSERT_DONE(c);
}

static void overflow_handler(struct trap_frame *f)
{
	ran = f->vector;
}

static void not_present(void)
{
	int vec;

	SAFE(vec, "mov %%eax, %%ds", "a"(0x3f8));
	GUEST_ASSERT_EQ(vec, VEC_NP);
}

static void g_exceptions(void)
{
	uint64_t bad = 1ull << 62;
	int vec;

	SAFE(vec, "divl %%ecx", "a"(1), "d"(0), "c"(0));
	GUEST_ASSERT_EQ(vec, VEC_DE);
	SAFE(vec, "ud2", "a"(0));
	GUEST_ASSERT_EQ(vec, VEC_UD);
	SAFE(vec, "testl $1, (%%rax)", "a"(bad));
	GUEST_ASSERT_EQ(vec, VEC_GP);
	SAFE(vec, "mov %%rax, %%cr4", "a"(1ull << 40));
	GUEST_ASSERT_EQ(vec, VEC_GP);
	SAFE(vec, "mov %%rax, %%cr0", "a"(CR0_PG));
	GUEST_ASSERT_EQ(vec, VEC_GP);
	SAFE(vec, "mov %%rax, %%cr8", "a"(16ull));
	GUEST_ASSERT_EQ(vec, VEC_GP);
	SAFE(vec, "mov %%eax, %%ds", "a"(0x1ff0));
	GUEST_ASSERT_EQ(vec, VEC_GP);
	not_present();
	guest_handlers[VEC_BP] = overflow_handler;
	asm volatile("int3");
	GUEST_ASSERT_EQ(ran, VEC_BP);
	ran = 0;
	guest_handlers[0x77] = overflow_handler;
	asm volatile("int $0x77");
	GUEST_ASSERT_EQ(ran, 0x77);
}

TEST(exceptions)
{
	struct gvm *vm = gvm_new(GVM_NO_IRQCHIP);
	struct gcpu *c = gcpu_new(vm, 0, g_exceptions);

	/* a data segment that is not present */
	*(uint64_t *)(vm->low + LOW_GDT + 0x3f8) = 0x00cf13000000ffff;
	ASSERT_DONE(c);
}

TEST_HARNESS_MAIN
