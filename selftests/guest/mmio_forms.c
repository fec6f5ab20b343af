// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every instruction form that drivers use on device memory does to a device
 * what it does to memory: registers, flags and bytes are compared with the same
 * instruction on RAM.
 */
#include "mmio.h"
#include "kselftest_harness.h"

struct state {
	uint64_t rax, rbx, rcx, rdx, rsi, rdi, r12, flags;
};

/* bytes of RAM that the device's are compared with */
static uint8_t ram[MMIO_SIZE] __attribute__((aligned(4096)));
static volatile uint64_t form;

#define CF	RFLAGS_CF
#define ARITH	0x8c5ull	/* CF PF ZF SF OF */
#define NOFLAGS	0ull

/*
 * One form: RDI is the device (or RAM), RSI scratch memory that is the same
 * for both, all other registers as given.
 */
#define EXEC(st, insn)							\
	asm volatile("push %%rbp\n\t"					\
		     "mov %[s], %%rbp\n\t"				\
		     "mov 0(%%rbp), %%rax\n\t"				\
		     "mov 8(%%rbp), %%rbx\n\t"				\
		     "mov 16(%%rbp), %%rcx\n\t"				\
		     "mov 24(%%rbp), %%rdx\n\t"				\
		     "mov 32(%%rbp), %%rsi\n\t"				\
		     "mov 40(%%rbp), %%rdi\n\t"				\
		     "mov 48(%%rbp), %%r12\n\t"				\
		     "pushq 56(%%rbp)\n\t"				\
		     "popfq\n\t"					\
		     insn "\n\t"					\
		     "mov %%rax, 0(%%rbp)\n\t"				\
		     "mov %%rbx, 8(%%rbp)\n\t"				\
		     "mov %%rcx, 16(%%rbp)\n\t"				\
		     "mov %%rdx, 24(%%rbp)\n\t"				\
		     "mov %%rsi, 32(%%rbp)\n\t"				\
		     "mov %%rdi, 40(%%rbp)\n\t"				\
		     "mov %%r12, 48(%%rbp)\n\t"				\
		     "pushfq\n\t"					\
		     "popq 56(%%rbp)\n\t"				\
		     "cld\n\t"						\
		     "pop %%rbp"					\
		     :: [s] "r"(st) : "rax", "rbx", "rcx", "rdx", "rsi",	\
		     "rdi", "r12", "memory", "cc")

static uint8_t scratch[2][256];

static void init(struct state *s, uint64_t dev, uint8_t *scr, uint64_t flags)
{
	int i;

	*s = (struct state){
		.rax = 0x8123456789abcdef, .rbx = 0xf0e1d2c3b4a59687,
		.rcx = 3, .rdx = 0xfedcba9876543210,
		.rsi = (uintptr_t)scr + 128, .rdi = dev + 128,
		.r12 = 0x1122334455667788, .flags = RFLAGS_FIXED | flags,
	};
	for (i = 0; i < 256; i++)
		scr[i] = i ^ 0x5a;
}

static void compare(struct state *a, struct state *b, uint64_t mask)
{
	GUEST_ASSERT_EQ(a->rax, b->rax);
	GUEST_ASSERT_EQ(a->rbx, b->rbx);
	GUEST_ASSERT_EQ(a->rcx, b->rcx);
	GUEST_ASSERT_EQ(a->rdx, b->rdx);
	GUEST_ASSERT_EQ(a->r12, b->r12);
	GUEST_ASSERT_EQ(a->rsi - (uintptr_t)scratch[0],
			b->rsi - (uintptr_t)scratch[1]);
	GUEST_ASSERT_EQ(a->rdi - (uintptr_t)ram, b->rdi - MMIO_GPA);
	GUEST_ASSERT_EQ(a->flags & mask, b->flags & mask);
}

/* the test resets the device's bytes and RAM's to one pattern at each SYNC */
#define FORM_FLAGS(insn, in, mask) do {					\
	struct state a_, b_;						\
	int i_;								\
									\
	GUEST_SYNC2(0, #insn, 0);					\
	init(&a_, (uintptr_t)ram, scratch[0], in);			\
	init(&b_, MMIO_GPA, scratch[1], in);				\
	EXEC(&a_, insn);						\
	EXEC(&b_, insn);						\
	compare(&a_, &b_, mask);					\
	for (i_ = 0; i_ < 256; i_++)					\
		GUEST_ASSERT_EQ(scratch[0][i_], scratch[1][i_]);	\
} while (0)
#define FORM(insn, mask) FORM_FLAGS(insn, CF, mask)

static void g_mov(void)
{
	FORM("movb %%al, (%%rdi)", NOFLAGS);
	FORM("movb %%ah, 1(%%rdi)", NOFLAGS);
	FORM("movb %%dh, -1(%%rdi)", NOFLAGS);
	FORM("movb %%sil, (%%rdi)", NOFLAGS);
	FORM("movb %%r12b, (%%rdi)", NOFLAGS);
	FORM("movw %%dx, 2(%%rdi)", NOFLAGS);
	FORM("movl %%ebx, 4(%%rdi,%%rcx,4)", NOFLAGS);
	FORM("movq %%r12, 8(%%rdi)", NOFLAGS);
	FORM("movb $0x5a, (%%rdi)", NOFLAGS);
	FORM("movw $0x1234, (%%rdi)", NOFLAGS);
	FORM("movl $0x12345678, (%%rdi)", NOFLAGS);
	FORM("movq $-2, (%%rdi)", NOFLAGS);
	FORM("movb (%%rdi), %%al", NOFLAGS);
	FORM("movb (%%rdi), %%ah", NOFLAGS);
	FORM("movb (%%rdi), %%bh", NOFLAGS);
	FORM("movb (%%rdi), %%r12b", NOFLAGS);
	FORM("movw (%%rdi), %%ax", NOFLAGS);
	FORM("movl (%%rdi), %%eax", NOFLAGS);
	FORM("movl (%%rdi), %%r12d", NOFLAGS);
	FORM("movq (%%rdi), %%rbx", NOFLAGS);
	FORM("movl 64(%%rdi,%%rcx,8), %%edx", NOFLAGS);
	FORM("mov %%fs:(%%rdi), %%eax", NOFLAGS);
}

/* the short forms with an absolute address: MOV AL/AX/EAX/RAX, moffs */
static void g_moffs(void)
{
	uint64_t v;

	GUEST_SYNC2(0, "movabs", 0);
	asm volatile("movabs %%rax, 0xd0000040" :: "a"(0x1020304050607080)
		     : "memory");
	asm volatile("movabs 0xd0000040, %%rax" : "=a"(v) :: "memory");
	GUEST_ASSERT_EQ(v, 0x1020304050607080);
	v = -1ull;
	asm volatile("movabs 0xd0000041, %%al" : "+a"(v) :: "memory");
	GUEST_ASSERT_EQ(v, 0xffffffffffffff70);
	asm volatile("movabs 0xd0000040, %%eax" : "+a"(v) :: "memory");
	GUEST_ASSERT_EQ(v, 0x50607080);
}

static void g_extend(void)
{
	FORM("movzbl (%%rdi), %%eax", NOFLAGS);
	FORM("movzbw (%%rdi), %%ax", NOFLAGS);
	FORM("movzbq (%%rdi), %%rax", NOFLAGS);
	FORM("movzwl 3(%%rdi), %%ebx", NOFLAGS);
	FORM("movzwq 3(%%rdi), %%r12", NOFLAGS);
	FORM("movsbl (%%rdi), %%eax", NOFLAGS);
	FORM("movsbw (%%rdi), %%ax", NOFLAGS);
	FORM("movsbq 7(%%rdi), %%rdx", NOFLAGS);
	FORM("movswl 7(%%rdi), %%eax", NOFLAGS);
	FORM("movswq 9(%%rdi), %%rax", NOFLAGS);
	FORM("movslq 9(%%rdi), %%rax", NOFLAGS);
}

#define ALU(op, mask) do {						\
	FORM(#op "b %%al, (%%rdi)", mask);				\
	FORM(#op "w %%dx, (%%rdi)", mask);				\
	FORM(#op "l %%ebx, (%%rdi)", mask);				\
	FORM(#op "q %%r12, (%%rdi)", mask);				\
	FORM(#op "b $0x71, (%%rdi)", mask);				\
	FORM(#op "w $0x7001, (%%rdi)", mask);				\
	FORM(#op "l $-3, (%%rdi)", mask);				\
	FORM(#op "l $0x12345678, (%%rdi)", mask);			\
	FORM(#op "q $-3, (%%rdi)", mask);				\
	FORM(#op "b (%%rdi), %%al", mask);				\
	FORM(#op "w (%%rdi), %%bx", mask);				\
	FORM(#op "l (%%rdi), %%edx", mask);				\
	FORM(#op "q (%%rdi), %%r12", mask);				\
	FORM_FLAGS(#op "l %%ebx, (%%rdi)", 0, mask);			\
} while (0)

static void g_alu1(void)
{
	ALU(add, ARITH);
	ALU(or, ARITH);
	ALU(adc, ARITH);
	ALU(sbb, ARITH);
}

static void g_alu2(void)
{
	ALU(and, ARITH);
	ALU(sub, ARITH);
	ALU(xor, ARITH);
	ALU(cmp, ARITH);
}

static void g_test_xchg(void)
{
	FORM("testb %%al, (%%rdi)", ARITH);
	FORM("testw %%bx, (%%rdi)", ARITH);
	FORM("testl %%ebx, (%%rdi)", ARITH);
	FORM("testq %%r12, (%%rdi)", ARITH);
	FORM("testb $0x80, (%%rdi)", ARITH);
	FORM("testl $0x80000000, (%%rdi)", ARITH);
	FORM("xchgb %%al, (%%rdi)", NOFLAGS);
	FORM("xchgw %%bx, (%%rdi)", NOFLAGS);
	FORM("xchgl %%edx, (%%rdi)", NOFLAGS);
	FORM("xchgq %%r12, (%%rdi)", NOFLAGS);
	FORM("lock orl %%ebx, (%%rdi)", ARITH);
	FORM("lock addl $1, (%%rdi)", ARITH);
}

static void g_bits(void)
{
	FORM("btl $3, (%%rdi)", CF);
	FORM("btl %%ecx, (%%rdi)", CF);
	FORM("btq $40, (%%rdi)", CF);
	FORM("btsl $5, (%%rdi)", CF);
	FORM("btsl %%ecx, (%%rdi)", CF);
	FORM("btrl $7, (%%rdi)", CF);
	FORM("btrw %%cx, (%%rdi)", CF);
	FORM("btcl $31, (%%rdi)", CF);
	FORM("btcq %%rcx, (%%rdi)", CF);
	FORM("lock btsl $9, (%%rdi)", CF);
	/* the bit lies beyond the operand: another address is meant */
	FORM("mov $200, %%ecx; btsl %%ecx, (%%rdi)", CF);
	FORM("mov $-20, %%rcx; btcq %%rcx, (%%rdi)", CF);
	FORM("mov $-40, %%ecx; btrl %%ecx, (%%rdi)", CF);
	FORM("mov $-18, %%ecx; btcw %%cx, (%%rdi)", CF);
}

static void g_strings(void)
{
	FORM("stosb", NOFLAGS);
	FORM("stosw", NOFLAGS);
	FORM("stosl", NOFLAGS);
	FORM("stosq", NOFLAGS);
	FORM("rep stosb", NOFLAGS);
	FORM("rep stosl", NOFLAGS);
	FORM("std; rep stosq", NOFLAGS);
	FORM("xor %%ecx, %%ecx; rep stosb", NOFLAGS);
	FORM("movsb", NOFLAGS);
	FORM("movsl", NOFLAGS);
	FORM("movsq", NOFLAGS);
	FORM("rep movsb", NOFLAGS);
	FORM("rep movsw", NOFLAGS);
	FORM("std; rep movsl", NOFLAGS);
	/* from the device */
	FORM("xchg %%rsi, %%rdi; movsl; xchg %%rsi, %%rdi", NOFLAGS);
	FORM("xchg %%rsi, %%rdi; rep movsb; xchg %%rsi, %%rdi", NOFLAGS);
	FORM("xchg %%rsi, %%rdi; std; rep movsq; xchg %%rsi, %%rdi", NOFLAGS);
	/* longer than one page of device, and 32-bit addresses */
	FORM("mov $0x400, %%ecx; rep stosl", NOFLAGS);
	FORM("addr32 rep stosl", NOFLAGS);
}

/* unsuffixed REP MOVS within the device */
static void g_dev_to_dev(void)
{
	uint64_t s = MMIO_GPA + 0x100, d = MMIO_GPA + 0x800, n = 10;

	GUEST_SYNC2(0, "movs, device to device", 0);
	asm volatile("cld; rep movsl" : "+S"(s), "+D"(d), "+c"(n) :: "memory");
	GUEST_ASSERT_EQ(n, 0);
	GUEST_ASSERT_EQ(s, MMIO_GPA + 0x128);
	GUEST_ASSERT_EQ(d, MMIO_GPA + 0x828);
	for (n = 0; n < 40; n++)
		ram[0x800 + n] = ram[0x100 + n];
}

static void pattern(void)
{
	size_t i;

	for (i = 0; i < MMIO_SIZE; i++)
		ram[i] = mmio_mem[i] = i * 13 + 0x85;
}

static void run_forms(struct __test_metadata *_metadata, void (*fn)(void),
		      bool same_bytes)
{
	struct gvm *vm = gvm_new(GVM_NO_IRQCHIP);
	struct gcpu *c = gcpu_new(vm, 0, fn);
	const char *name = "start";
	int ret;

	pattern();
	do {
		ret = mmio_serve(c);
		if (same_bytes)
			EXPECT_EQ(0, memcmp(ram, mmio_mem, MMIO_SIZE))
				TH_LOG("form %s", name);
		if (ret == UCALL_SYNC)
			name = (const char *)c->uc.arg[1];
		pattern();
	} while (ret == UCALL_SYNC);
	EXPECT_EQ(UCALL_DONE, ret)
		TH_LOG("form %s", name);
	gcpu_free(c);
	gvm_free(vm);
}

TEST(mov) { run_forms(_metadata, g_mov, true); }
TEST(moffs) { run_forms(_metadata, g_moffs, false); }
TEST(extend) { run_forms(_metadata, g_extend, true); }
TEST(alu_add_or_adc_sbb) { run_forms(_metadata, g_alu1, true); }
TEST(alu_and_sub_xor_cmp) { run_forms(_metadata, g_alu2, true); }
TEST(test_xchg) { run_forms(_metadata, g_test_xchg, true); }
TEST(bits) { run_forms(_metadata, g_bits, true); }
TEST(strings) { run_forms(_metadata, g_strings, true); }
TEST(device_to_device) { run_forms(_metadata, g_dev_to_dev, true); }

TEST_HARNESS_MAIN
