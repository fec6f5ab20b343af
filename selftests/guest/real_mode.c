// SPDX-License-Identifier: GPL-2.0-only
/*
 * Real mode: segments, the interrupt vector table, string and port
 * instructions, 20-bit addresses, and the switch to protected mode and back.
 */
#include "guest.h"
#include "kselftest_harness.h"

/* runs at LOW_BLOB (0xc000) with all segments 0 */
asm(".pushsection .data.real, \"aw\"\n"
	".code16\n"
	"real_start:\n"
	/* arithmetic and the stack */
	"	mov	$0x1234, %ax\n"
	"	push	%ax\n"
	"	pop	%bx\n"
	"	add	$0x1111, %bx\n"
	"	mov	%bx, %ax\n"
	"	out	%ax, $0x10\n"		/* 0x2345 */
	/* segments: 0x1000:0x0010 is 0x10010 */
	"	mov	$0x1000, %ax\n"
	"	mov	%ax, %ds\n"
	"	movl	$0xcafebabe, 0x10\n"
	"	xor	%ax, %ax\n"
	"	mov	%ax, %ds\n"
	"	mov	$0x1001, %ax\n"
	"	mov	%ax, %es\n"
	"	mov	%es:0, %eax\n"
	"	out	%eax, $0x11\n"		/* the same */
	/* a software interrupt through the table at 0 */
	"	movw	$(handler - real_start + 0xc000), 0x80*4\n"
	"	movw	$0, 0x80*4+2\n"
	"	mov	$7, %cx\n"
	"	int	$0x80\n"
	"	mov	%cx, %ax\n"
	"	out	%ax, $0x12\n"		/* 8 */
	/* a division fault comes the same way */
	"	movw	$(fault - real_start + 0xc000), 0\n"
	"	movw	$0, 2\n"
	"	xor	%bx, %bx\n"
	"	div	%bx\n"
	"	mov	$0x77, %al\n"
	"	out	%al, $0x13\n"
	/* beyond the segment limit: #GP, vector 13 */
	"	movw	$(limit - real_start + 0xc000), 13*4\n"
	"	movw	$0, 13*4+2\n"
	"	mov	$0x10000, %ebx\n"
	"	addr32 movb (%ebx), %al\n"
	"	mov	$0x78, %al\n"
	"	out	%al, $0x14\n"
	/* there and back again */
	"	cli\n"
	"	lgdtl	(gdtr - real_start + 0xc000)\n"
	"	mov	%cr0, %eax\n"
	"	or	$1, %al\n"
	"	mov	%eax, %cr0\n"
	"	ljmpl	$0x18, $(prot - real_start + 0xc000)\n"
	".code32\n"
	"prot:	mov	$0x10, %ax\n"
	"	mov	%ax, %ds\n"
	"	movl	0x10010, %eax\n"
	"	out	%eax, $0x15\n"
	"	ljmpl	$0x20, $(prot16 - real_start + 0xc000)\n"
	".code16\n"
	"prot16: mov	$0x28, %ax\n"
	"	mov	%ax, %ds\n"
	"	mov	%cr0, %eax\n"
	"	and	$0xfe, %al\n"
	"	mov	%eax, %cr0\n"
	"	ljmpl	$0, $(back - real_start + 0xc000)\n"
	"back:	xor	%ax, %ax\n"
	"	mov	%ax, %ds\n"
	"	mov	$0x99, %al\n"
	"	out	%al, $0x16\n"
	"	hlt\n"
	"handler: inc	%cx\n"
	"	iret\n"
	"fault:	pop	%ax\n"
	"	add	$2, %ax\n"
	"	push	%ax\n"
	"	iret\n"
	"limit:	pop	%ax\n"
	"	add	$3, %ax\n"
	"	push	%ax\n"
	"	iret\n"
	"gdtr:	.word	0x3ff\n"
	"	.long	0x9000\n"
	"real_end:\n"
	".code64\n"
	".popsection\n");
extern uint8_t real_start[], real_end[];

static const struct {
	uint16_t port;
	uint8_t size;
	uint32_t value;
} expected[] = {
	{ 0x10, 2, 0x2345 }, { 0x11, 4, 0xcafebabe }, { 0x12, 2, 8 },
	{ 0x13, 1, 0x77 }, { 0x14, 1, 0x78 }, { 0x15, 4, 0xcafebabe },
	{ 0x16, 1, 0x99 },
};

TEST(all)
{
	struct gvm *vm = gvm_new(GVM_NO_IRQCHIP);
	struct gcpu *c = gcpu_bare(vm, 0);
	uint32_t v;
	size_t i;

	gcpu_set_cpuid(c);
	gcpu_real_mode(c, real_start, real_end);
	for (i = 0; i < ARRAY_LEN(expected); i++) {
		v = 0;
		ASSERT_EQ(HVM_EXIT_IO, gcpu_run(c))
			TH_LOG("before port %#x", expected[i].port);
		ASSERT_EQ(expected[i].port, c->run->io.port);
		EXPECT_EQ(expected[i].size, c->run->io.size);
		EXPECT_EQ(HVM_EXIT_IO_OUT, c->run->io.direction);
		memcpy(&v, (char *)c->run + c->run->io.data_offset,
		       c->run->io.size);
		EXPECT_EQ(expected[i].value, v)
			TH_LOG("port %#x", expected[i].port);
	}
	EXPECT_EQ(HVM_EXIT_HLT, gcpu_run(c));
}

/* the state at reset: 0xf000:0xfff0 with a base of 0xffff0000 */
TEST(reset_vector)
{
	static const uint8_t code[] = {
		0xb0, 0x5a,		/* mov $0x5a, %al */
		0xe6, 0x42,		/* out %al, $0x42 */
	};
	struct gvm *vm = gvm_new(GVM_NO_IRQCHIP);
	uint8_t *rom = gvm_add_memory(vm, 0xfffe0000, 0x20000, 0);
	struct gcpu *c = gcpu_bare(vm, 0);

	memcpy(rom + 0x1fff0, code, sizeof(code));
	ASSERT_EQ(HVM_EXIT_IO, gcpu_run(c));
	EXPECT_EQ(0x42, c->run->io.port);
	EXPECT_EQ(0x5a, *((uint8_t *)c->run + c->run->io.data_offset));
}

/* big real mode: 16-bit code with segments that reach 4 GiB */
asm(".pushsection .data.real, \"aw\"\n"
	".code16\n"
	"big_start:\n"
	"	mov	$0x10000000, %ebx\n"
	"	addr32 movl $0x600dcafe, (%ebx)\n"
	"	addr32 movl 4(%ebx), %eax\n"
	"	out	%eax, $0x20\n"
	"	hlt\n"
	"big_end:\n"
	".code64\n"
	".popsection\n");
extern uint8_t big_start[], big_end[];

TEST(big_real)
{
	struct gvm *vm = gvm_new(GVM_NO_IRQCHIP);
	uint32_t *mem = gvm_add_memory(vm, 0x10000000, SZ_2M, 0);
	struct gcpu *c = gcpu_bare(vm, 0);
	struct hvm_sregs s;

	gcpu_real_mode(c, big_start, big_end);
	ASSERT_EQ(0, hvm_get_sregs(c->fd, &s));
	s.ds.limit = 0xffffffff;
	s.ds.g = 1;
	ASSERT_EQ(0, hvm_set_sregs(c->fd, &s));
	mem[1] = 0x31337;
	ASSERT_EQ(HVM_EXIT_IO, gcpu_run(c));
	EXPECT_EQ(0x31337u, *(uint32_t *)((char *)c->run +
					  c->run->io.data_offset));
	EXPECT_EQ(0x600dcafeu, mem[0]);
	EXPECT_EQ(HVM_EXIT_HLT, gcpu_run(c));
}

TEST_HARNESS_MAIN
