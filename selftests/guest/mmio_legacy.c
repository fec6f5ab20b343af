// SPDX-License-Identifier: GPL-2.0-only
/*
 * MMIO from 16-bit and 32-bit code: operand and address sizes, segment bases,
 * prefixes, string forms with their 16-bit counts.
 */
#include "mmio.h"
#include "kselftest_harness.h"

/* real mode: the device lies at 0xb8000, where a VGA text screen would */
#define VGA 0xb8000ul

asm(".pushsection .data.mmio16, \"aw\"\n"
	".code16\n"
	"real16:\n"
	"	mov	$0xb800, %ax\n"
	"	mov	%ax, %es\n"
	"	mov	%ax, %ds\n"
	"	xor	%ax, %ax\n"
	"	mov	%ax, %fs\n"
	"	movb	$0x41, 0\n"
	"	movw	$0x4243, 2\n"
	"	movl	$0x44454647, 4\n"
	"	mov	$8, %bx\n"
	"	mov	$2, %si\n"
	"	mov	$0x55, %al\n"
	"	movb	%al, (%bx,%si)\n"		/* 10 */
	"	movb	%al, -1(%bx)\n"			/* 7 */
	"	movw	0x2, %dx\n"
	"	movw	%dx, %fs:0x600\n"		/* RAM */
	"	mov	$0x20, %di\n"
	"	mov	$4, %cx\n"
	"	mov	$0x0741, %ax\n"
	"	cld\n"
	"	rep stosw\n"
	"	mov	%di, %fs:0x602\n"
	"	mov	%cx, %fs:0x604\n"
	"	orb	$0x80, 0x20\n"
	"	mov	$0x40, %ebx\n"
	"	addr32 movl $0x01020304, (%ebx)\n"
	"	mov	$0x20, %si\n"
	"	mov	$0x60, %di\n"
	"	mov	$8, %cx\n"
	"	rep movsb\n"
	"	xor	%ax, %ax\n"
	"	mov	%ax, %es\n"
	"	mov	$0x60, %si\n"
	"	mov	$0x610, %di\n"
	"	mov	$2, %cx\n"
	"	rep movsl\n"
	"	mov	0x4, %al\n"
	"	mov	%al, %fs:0x606\n"
	"	hlt\n"
	"real16_end:\n"
	".balign 16\n"
	".code32\n"
	"prot32:\n"
	"	mov	$0xd0000000, %edi\n"
	"	movb	$0x41, (%edi)\n"
	"	movw	$0x4243, 2(%edi)\n"
	"	movl	$0x44454647, 4(%edi)\n"
	"	mov	$2, %ecx\n"
	"	movl	$0x11223344, (%edi,%ecx,4)\n"	/* 8 */
	"	movl	$0x55667788, 0xd000000c\n"	/* no base */
	"	mov	0xd000000c, %eax\n"		/* moffs */
	"	movl	%eax, 0x600\n"
	"	movzbl	(%edi), %eax\n"
	"	movl	%eax, 0x604\n"
	"	movsbl	3(%edi), %eax\n"
	"	movl	%eax, 0x608\n"
	"	addl	$0x10, 4(%edi)\n"
	"	xchg	%eax, 16(%edi)\n"
	"	movl	%eax, 0x60c\n"
	"	lea	0x20(%edi), %edi\n"
	"	mov	$0x0a0b0c0d, %eax\n"
	"	mov	$4, %ecx\n"
	"	cld\n"
	"	rep stosl\n"
	"	movl	%edi, 0x610\n"
	"	movw	$0x99aa, %gs:0x50\n"		/* GS has a base */
	"	hlt\n"
	".code64\n"
	".popsection\n");
extern uint8_t real16[], real16_end[], prot32[];

TEST(real_mode)
{
	struct gvm *vm = gvm_new(GVM_NO_IRQCHIP);
	struct gcpu *c = gcpu_bare(vm, 0);

	/* low memory ends where the screen begins */
	ASSERT_EQ(0, gvm_slot(vm, 0, 0, 0, 0, NULL));
	ASSERT_EQ(0, gvm_slot(vm, 0, 0, 0, 0xa0000, vm->low));
	gcpu_set_cpuid(c);
	gcpu_real_mode(c, real16, real16_end);
	ASSERT_EQ(HVM_EXIT_HLT, mmio_serve_at(c, VGA));
	EXPECT_EQ(0x41, mmio_mem[0]);
	EXPECT_EQ(0x4243, *(uint16_t *)(mmio_mem + 2));
	EXPECT_EQ(0x55454647u, *(uint32_t *)(mmio_mem + 4));
	EXPECT_EQ(0x55, mmio_mem[10]);
	EXPECT_EQ(0x4243, *(uint16_t *)(vm->low + 0x600));
	EXPECT_EQ(0x07c1, *(uint16_t *)(mmio_mem + 0x20));
	EXPECT_EQ(0x0741, *(uint16_t *)(mmio_mem + 0x26));
	EXPECT_EQ(0, *(uint16_t *)(mmio_mem + 0x28));
	EXPECT_EQ(0x28, *(uint16_t *)(vm->low + 0x602));
	EXPECT_EQ(0, *(uint16_t *)(vm->low + 0x604));
	EXPECT_EQ(0x01020304u, *(uint32_t *)(mmio_mem + 0x40));
	EXPECT_EQ(0, memcmp(mmio_mem + 0x20, mmio_mem + 0x60, 8));
	EXPECT_EQ(0, memcmp(mmio_mem + 0x20, vm->low + 0x610, 8));
	EXPECT_EQ(0x47, *(vm->low + 0x606));
}

static void protected_mode(struct __test_metadata *_metadata, uint64_t cr4,
			   uint64_t cr3, struct gvm *vm)
{
	struct gcpu *c = gcpu_bare(vm, 0);
	struct hvm_sregs s;

	gcpu_set_cpuid(c);
	gcpu_protected(c, prot32, SEL_CODE32, cr4, cr3);
	ASSERT_EQ(0, hvm_get_sregs(c->fd, &s));
	s.gs.base = MMIO_GPA;
	ASSERT_EQ(0, hvm_set_sregs(c->fd, &s));
	memset(mmio_mem + 16, 0x77, 4);
	ASSERT_EQ(HVM_EXIT_HLT, mmio_serve(c));
	EXPECT_EQ(0x41, mmio_mem[0]);
	EXPECT_EQ(0x4243, *(uint16_t *)(mmio_mem + 2));
	EXPECT_EQ(0x44454657u, *(uint32_t *)(mmio_mem + 4));
	EXPECT_EQ(0x11223344u, *(uint32_t *)(mmio_mem + 8));
	EXPECT_EQ(0x55667788u, *(uint32_t *)(mmio_mem + 12));
	EXPECT_EQ(0x42u, *(uint32_t *)(mmio_mem + 16));
	EXPECT_EQ(0x0a0b0c0du, *(uint32_t *)(mmio_mem + 0x2c));
	EXPECT_EQ(0x99aa, *(uint16_t *)(mmio_mem + 0x50));
	EXPECT_EQ(0x55667788u, *(uint32_t *)(vm->low + 0x600));
	EXPECT_EQ(0x41u, *(uint32_t *)(vm->low + 0x604));
	EXPECT_EQ(0x42u, *(uint32_t *)(vm->low + 0x608));
	EXPECT_EQ(0x77777777u, *(uint32_t *)(vm->low + 0x60c));
	EXPECT_EQ(0xd0000030u, *(uint32_t *)(vm->low + 0x610));
}

TEST(no_paging)
{
	protected_mode(_metadata, 0, 0, gvm_new(GVM_NO_IRQCHIP));
}

TEST(two_level_paging)
{
	struct gvm *vm = gvm_new(GVM_NO_IRQCHIP);
	uint64_t at = gvm_alloc(vm);
	uint32_t i;

	for (i = 0; i < 1024; i++)
		((uint32_t *)(vm->low + at))[i] = i << 22 | PTE_P | PTE_W |
						  PTE_PS;
	protected_mode(_metadata, CR4_PSE, at, vm);
}

TEST(pae)
{
	struct gvm *vm = gvm_new(GVM_NO_IRQCHIP);
	int i;

	for (i = 0; i < 4; i++)
		((uint64_t *)(vm->low + LOW_PDPT))[i] &= ~(PTE_W | PTE_U);
	protected_mode(_metadata, CR4_PAE, LOW_PDPT, vm);
}

TEST_HARNESS_MAIN
