// SPDX-License-Identifier: GPL-2.0-only
/*
 * Protected mode: 16 and 32 bits, flat; without paging, with 32-bit paging,
 * with PAE; faults through a 32-bit IDT.
 */
#include "guest.h"
#include "kselftest_harness.h"

/*
 * The same code in every 32-bit mode: read through two addresses what the
 * test put there, take a fault through the 32-bit IDT, report over ports.
 */
asm(".pushsection .data.prot, \"aw\"\n"
	".code32\n"
	"prot32:\n"
	"	movl	0x10000000, %eax\n"
	"	out	%eax, $0x10\n"
	"	movl	$0xbeefbeef, 0x10000ffc\n"
	"	movl	0x20000000, %eax\n"
	"	out	%eax, $0x11\n"
	"	lidtl	idtr32\n"
	"	ud2\n"
	"	mov	$0x55, %al\n"
	"	out	%al, $0x12\n"
	"	push	$0x1234567\n"
	"	pop	%eax\n"
	"	out	%eax, $0x13\n"
	"	movl	0xf0000000, %eax\n"	/* not mapped, if there is paging */
	"	out	%eax, $0x14\n"
	"	hlt\n"
	"ud32:	addl	$2, (%esp)\n"
	"	iretl\n"
	"pf32:	add	$4, %esp\n"
	"	mov	%cr2, %eax\n"
	"	out	%eax, $0x15\n"
	"	hlt\n"
	"prot16:\n"
	".code16\n"
	"	mov	$0x4321, %ax\n"
	"	out	%ax, $0x10\n"
	"	mov	$0xf000, %bx\n"
	"	movw	(%bx), %ax\n"
	"	out	%ax, $0x11\n"
	"	push	%ax\n"
	"	pop	%cx\n"
	"	mov	%cx, %ax\n"
	"	out	%ax, $0x12\n"
	"	hlt\n"
	"prot16_end:\n"
	".code64\n"
	".balign 8\n"
	"idtr32:	.word	15*8-1\n"
	"	.long	idt32\n"
	".balign 8\n"
	"idt32:	.fill	15*8, 1, 0\n"
	".popsection\n");
extern uint8_t prot32[], prot16[], prot16_end[], idt32[], ud32[], pf32[];

static void gate32(int vec, void *fn)
{
	uint32_t at = (uintptr_t)fn, *g = (uint32_t *)(idt32 + vec * 8);

	g[0] = (at & 0xffff) | SEL_CODE32 << 16;
	g[1] = (at & 0xffff0000) | 0x8e00;
}

static uint32_t out_of(struct gcpu *c)
{
	uint32_t v = 0;

	memcpy(&v, (char *)c->run + c->run->io.data_offset, c->run->io.size);
	return v;
}

#define ASSERT_OUT(c, p, v) do {					\
	ASSERT_EQ(HVM_EXIT_IO, gcpu_run(c));				\
	ASSERT_EQ(p, (c)->run->io.port);				\
	EXPECT_EQ(v, out_of(c));					\
} while (0)

FIXTURE(prot) {
	struct gvm *vm;
	struct gcpu *c;
	uint32_t *a, *b;
};

FIXTURE_SETUP(prot)
{
	self->vm = gvm_new(GVM_NO_IRQCHIP);
	self->c = gcpu_bare(self->vm, 0);
	gcpu_set_cpuid(self->c);
	self->a = gvm_add_memory(self->vm, 0x10000000, SZ_2M, 0);
	self->b = gvm_add_memory(self->vm, 0x20000000, SZ_2M, 0);
	self->a[0] = 0x11223344;
	self->b[0] = 0x55667788;
	gate32(VEC_UD, ud32);
	gate32(VEC_PF, pf32);
}

FIXTURE_TEARDOWN(prot)
{
	gcpu_free(self->c);
	gvm_free(self->vm);
}

static void common(struct __test_metadata *_metadata, struct gcpu *c,
		   uint32_t first, uint32_t second)
{
	ASSERT_OUT(c, 0x10, first);
	ASSERT_OUT(c, 0x11, second);
	ASSERT_OUT(c, 0x12, 0x55u);
	ASSERT_OUT(c, 0x13, 0x1234567u);
}

TEST_F(prot, no_paging)
{
	gcpu_protected(self->c, prot32, SEL_CODE32, 0, 0);
	common(_metadata, self->c, 0x11223344, 0x55667788);
	EXPECT_EQ(0xbeefbeefu, self->a[0x3ff]);
	/* nothing lies there: MMIO */
	ASSERT_EQ(HVM_EXIT_MMIO, gcpu_run(self->c));
	EXPECT_EQ(0xf0000000ull, self->c->run->mmio.phys_addr);
	memcpy(self->c->run->mmio.data, "\x04\x03\x02\x01", 4);
	ASSERT_OUT(self->c, 0x14, 0x01020304u);
	EXPECT_EQ(HVM_EXIT_HLT, gcpu_run(self->c));
}

/* the two addresses swapped by the page tables, the third missing */
TEST_F(prot, two_level_paging)
{
	uint64_t at = gvm_alloc(self->vm), pt = gvm_alloc(self->vm);
	uint32_t *pd = (uint32_t *)(self->vm->low + at);
	uint32_t i;

	for (i = 0; i < 1024; i++)
		pd[i] = i << 22 | PTE_P | PTE_W | PTE_PS;
	/* one through a table of 4 KiB pages, one through a 4 MiB page */
	pd[0x10000000 >> 22] = pt | PTE_P | PTE_W;
	((uint32_t *)(self->vm->low + pt))[0] = 0x20000000 | PTE_P | PTE_W;
	pd[0x20000000 >> 22] = 0x10000000 | PTE_P | PTE_W | PTE_PS;
	pd[0xf0000000 >> 22] = 0;
	gcpu_protected(self->c, prot32, SEL_CODE32, CR4_PSE, at);
	common(_metadata, self->c, 0x55667788, 0x11223344);
	EXPECT_EQ(0xbeefbeefu, self->b[0x3ff]);
	ASSERT_OUT(self->c, 0x15, 0xf0000000u);
	EXPECT_EQ(HVM_EXIT_HLT, gcpu_run(self->c));
	/* the processor marked what it used */
	EXPECT_NE(0, pd[0x20000000 >> 22] & PTE_A);
	EXPECT_NE(0, ((uint32_t *)(self->vm->low + pt))[0] & PTE_D);
}

TEST_F(prot, pae)
{
	uint64_t pt = gvm_alloc(self->vm), i;
	uint64_t *pdpt = (uint64_t *)(self->vm->low + LOW_PDPT);
	uint64_t *pd = (uint64_t *)(self->vm->low + LOW_PD);

	for (i = 0; i < 4; i++)
		pdpt[i] &= ~(PTE_W | PTE_U);
	pd[0x10000000 >> 21] = pt | PTE_P | PTE_W;
	((uint64_t *)(self->vm->low + pt))[0] = 0x20000000 | PTE_P | PTE_W;
	pd[0x20000000 >> 21] = 0x10000000 | PTE_P | PTE_W | PTE_PS;
	pd[0xf0000000 >> 21] = 0;
	gcpu_protected(self->c, prot32, SEL_CODE32, CR4_PAE, LOW_PDPT);
	common(_metadata, self->c, 0x55667788, 0x11223344);
	EXPECT_EQ(0xbeefbeefu, self->b[0x3ff]);
	ASSERT_OUT(self->c, 0x15, 0xf0000000u);
	EXPECT_EQ(HVM_EXIT_HLT, gcpu_run(self->c));
}

TEST_F(prot, sixteen_bits)
{
	struct hvm_regs r;

	memcpy(self->vm->low + LOW_BLOB, prot16, prot16_end - prot16);
	*(uint16_t *)(self->vm->low + 0xf000) = 0xabcd;
	gcpu_protected(self->c, (void *)LOW_BLOB, SEL_CODE16, 0, 0);
	r = gcpu_regs(self->c);
	r.rsp = 0xe000;
	ASSERT_EQ(0, hvm_set_regs(self->c->fd, &r));
	ASSERT_OUT(self->c, 0x10, 0x4321u);
	ASSERT_OUT(self->c, 0x11, 0xabcdu);
	ASSERT_OUT(self->c, 0x12, 0xabcdu);
	EXPECT_EQ(HVM_EXIT_HLT, gcpu_run(self->c));
}

TEST_HARNESS_MAIN
