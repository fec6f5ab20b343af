// SPDX-License-Identifier: GPL-2.0-only
/*
 * fuzz_guest.c: guests for the fuzzers: registers of each mode that are right
 * (the inputs spoil them), tables to go with them, and code that is nonsense
 * but leaves the guest more often than random bytes do.
 */
#include <string.h>

#include <linux/hvm.h>

#include "fuzz.h"
#include "x86.h"

#define N(a)	(sizeof(a) / sizeof((a)[0]))

uint64_t fuzz_value(struct fuzz_rng *r)
{
	static const uint64_t limits[] = {
		0, 1, 2, 3, 7, 8, 0x0f, 0x10, 0x1f, 0x20, 0x3f, 0x40, 0x7f, 0x80, 0xff, 0x100,
		0xfff, 0x1000, 0x1001, 0x7fff, 0x8000, 0xffff, 0x10000, 0xfffff, 0x100000,
		0x200000, 0x7fffffff, 0x80000000, 0xfee00000, 0xffffffff, 0x100000000,
		0x7fffffffffff, 0x800000000000, 0xffff800000000000, 0xffffffff81000000,
		0x7fffffffffffffff, 0x8000000000000000, 0xfffffffffffff000, ~0ull,
	};
	uint64_t v = fuzz_rnd(r);

	switch (fuzz_rnd(r) % 8) {
	case 0:
		return v;
	case 1:
		return 1ull << v % 64;
	case 2:
		return v & fuzz_rnd(r) & fuzz_rnd(r);
	case 3:
		return v % 256;
	case 4:
		return limits[v % N(limits)] + (int)(v >> 32) % 3;
	default:
		return limits[v % N(limits)];
	}
}

/* Not EFER: see fuzz_spare_host(). */
uint32_t fuzz_msr(struct fuzz_rng *r)
{
	static const uint32_t some[] = {
		0x10, 0x11, 0x12, 0x17, 0x1b, 0x2a, 0x34, 0x3a, 0x3b, 0x48, 0x49, 0x79, 0x8b,
		0x9b, 0x9e, 0xc1, 0xce, 0xfe, 0x10a, 0x10b, 0x11e, 0x122, 0x140, 0x174, 0x175,
		0x176, 0x179, 0x17a, 0x17b, 0x186, 0x198, 0x199, 0x1a0, 0x1c4, 0x1d9, 0x1db,
		0x250, 0x258, 0x268, 0x277, 0x2ff, 0x38d, 0x38f, 0x345, 0x480, 0x4d0, 0x560,
		0x6a0, 0x6a2, 0x6e0, 0xda0, 0x4b564d00, 0x4b564d01, 0x4b564d02, 0x4b564d03,
		0x4b564d04, 0x4b564d05, 0x4b564d06, 0x4b564d07, 0x4b564d08, 0x40000000,
		0x40000001, 0xc0000085, 0xc0000081, 0xc0000082, 0xc0000083, 0xc0000084,
		0xc0000100, 0xc0000101, 0xc0000102, 0xc0000103, 0xc0000104, 0xc0010000,
		0xc0010010, 0xc0010015, 0xc001001f, 0xc0010055, 0xc0010058, 0xc0010114,
		0xc0010117, 0xc001011f, 0xc0010140, 0xc0011029, 0xc0011020,
	};

	switch (fuzz_rnd(r) % 8) {
	case 0:
		return 0x800 + fuzz_rnd(r) % 64;	/* x2APIC */
	case 1:
		return 0x200 + fuzz_rnd(r) % 128;	/* MTRRs */
	case 2:
		return 0x400 + fuzz_rnd(r) % 128;	/* machine checks */
	case 3:
		return fuzz_value(r);
	default:
		return some[fuzz_rnd(r) % N(some)];
	}
}

/* What leaves the guest, or sets up what does. */
static const struct { uint8_t len, code[9]; } snippets[] = {
	{ 2, { 0x0f, 0xa2 } },			/* cpuid */
	{ 2, { 0x0f, 0x30 } },			/* wrmsr */
	{ 2, { 0x0f, 0x32 } },			/* rdmsr */
	{ 1, { 0xf4 } },			/* hlt */
	{ 2, { 0xfb, 0xf4 } },			/* sti; hlt */
	{ 1, { 0xee } }, { 1, { 0xef } }, { 1, { 0xec } }, { 1, { 0xed } },
	{ 1, { 0x6c } }, { 1, { 0x6e } }, { 2, { 0xf3, 0x6c } }, { 2, { 0xf3, 0x6f } },
	{ 2, { 0xe6, 0x80 } }, { 2, { 0xe4, 0x40 } }, { 2, { 0xe7, 0x20 } },
	{ 3, { 0x0f, 0x01, 0xd9 } },		/* vmmcall */
	{ 3, { 0x0f, 0x01, 0xc1 } },		/* vmcall */
	{ 3, { 0x0f, 0x22, 0xc0 } }, { 3, { 0x0f, 0x22, 0xd8 } }, { 3, { 0x0f, 0x20, 0xd8 } },
	{ 4, { 0x44, 0x0f, 0x22, 0xc0 } },	/* mov %rax, %cr8 */
	{ 4, { 0x44, 0x0f, 0x20, 0xc0 } },
	{ 3, { 0x0f, 0x20, 0xc0 } }, { 3, { 0x0f, 0x20, 0xe0 } },
	{ 3, { 0x0f, 0x21, 0xf0 } },
	{ 2, { 0x8e, 0xd8 } }, { 2, { 0x8e, 0xd0 } }, { 2, { 0x8e, 0xe0 } },
	{ 2, { 0xcd, 0x21 } }, { 1, { 0xcc } }, { 1, { 0xf1 } }, { 2, { 0x0f, 0x0b } },
	{ 1, { 0xfb } }, { 1, { 0xfa } }, { 1, { 0x9d } }, { 1, { 0x9c } }, { 1, { 0xcf } },
	{ 3, { 0x0f, 0x01, 0x3b } },		/* invlpg (%rbx) */
	{ 3, { 0x0f, 0x01, 0xd1 } },		/* xsetbv */
	{ 3, { 0x0f, 0x01, 0xd0 } },		/* xgetbv */
	{ 2, { 0x0f, 0x06 } }, { 2, { 0x0f, 0x09 } }, { 2, { 0x0f, 0x08 } },
	{ 2, { 0x0f, 0x31 } }, { 3, { 0x0f, 0x01, 0xf9 } }, { 2, { 0x0f, 0x33 } },
	{ 3, { 0x0f, 0x01, 0xc8 } }, { 3, { 0x0f, 0x01, 0xc9 } }, { 2, { 0xf3, 0x90 } },
	{ 3, { 0x0f, 0x01, 0xd8 } }, { 3, { 0x0f, 0x01, 0xda } }, { 3, { 0x0f, 0x01, 0xdc } },
	{ 3, { 0x0f, 0x01, 0xdd } }, { 3, { 0x0f, 0x78, 0xc1 } }, { 2, { 0x0f, 0x37 } },
	{ 2, { 0x0f, 0x05 } }, { 2, { 0x0f, 0x34 } }, { 2, { 0x0f, 0x35 } }, { 2, { 0x0f, 0x07 } },
	{ 3, { 0x0f, 0x00, 0xd8 } }, { 3, { 0x0f, 0x00, 0xd0 } },
	{ 3, { 0x0f, 0x01, 0xf0 } },		/* lmsw %ax */
	{ 3, { 0x0f, 0x01, 0x13 } }, { 3, { 0x0f, 0x01, 0x1b } },
	/* devices, by what rbx, rsi and rdi may point to */
	{ 2, { 0x89, 0x03 } }, { 2, { 0x8b, 0x03 } }, { 2, { 0x88, 0x03 } }, { 2, { 0x01, 0x03 } },
	{ 3, { 0x0f, 0xb6, 0x03 } }, { 3, { 0x0f, 0xbf, 0x03 } }, { 3, { 0x48, 0x8b, 0x03 } },
	{ 2, { 0x87, 0x03 } }, { 4, { 0xf0, 0x0f, 0xb1, 0x0b } }, { 3, { 0x0f, 0xab, 0x03 } },
	{ 1, { 0xa4 } }, { 2, { 0xf3, 0xa5 } }, { 1, { 0xaa } }, { 2, { 0xf3, 0xab } },
	{ 2, { 0xf3, 0xa6 } }, { 1, { 0xac } }, { 2, { 0xff, 0x03 } }, { 2, { 0xff, 0x33 } },
	{ 2, { 0x8f, 0x03 } }, { 2, { 0xff, 0x13 } }, { 2, { 0xff, 0x23 } },
	{ 2, { 0xf6, 0x1b } }, { 3, { 0x83, 0x0b, 0x01 } }, { 3, { 0x0f, 0x11, 0x03 } },
	{ 3, { 0x0f, 0x10, 0x03 } }, { 3, { 0x0f, 0xae, 0x03 } }, { 3, { 0x0f, 0xc7, 0x0b } },
	{ 6, { 0xc7, 0x83, 0x00, 0x03, 0x00, 0x00 } },	/* movl $..., 0x300(%rbx) */
	{ 6, { 0x8b, 0x83, 0x90, 0x03, 0x00, 0x00 } },
	/* registers for those */
	{ 5, { 0xb9, 0x81, 0x00, 0x00, 0xc0 } },	/* mov $STAR, %ecx */
	{ 5, { 0xb9, 0x1b, 0x00, 0x00, 0x00 } },
	{ 5, { 0xb9, 0xe0, 0x06, 0x00, 0x00 } },
	{ 5, { 0xb9, 0x30, 0x08, 0x00, 0x00 } },
	{ 5, { 0xb9, 0x01, 0x4d, 0x56, 0x4b } },
	{ 5, { 0xbb, 0x00, 0x00, 0xe0, 0xfe } },	/* mov $APIC, %ebx */
	{ 5, { 0xbb, 0x00, 0x00, 0x00, 0xd0 } },
	{ 2, { 0x31, 0xc0 } }, { 2, { 0x31, 0xc9 } }, { 2, { 0x31, 0xd2 } },
	{ 5, { 0xb8, 0x01, 0x00, 0x00, 0x80 } }, { 5, { 0xb8, 0x00, 0x00, 0x00, 0x40 } },
	{ 4, { 0x66, 0xba, 0xf8, 0x03 } }, { 4, { 0x66, 0xba, 0x20, 0x00 } },
	{ 2, { 0xeb, 0xf0 } }, { 2, { 0xeb, 0xfe } }, { 5, { 0xea, 0x00, 0xc0, 0x08, 0x00 } },
};

void fuzz_code(struct fuzz_rng *r, uint8_t *p, size_t n)
{
	size_t at = 0, k;

	while (at < n) {
		unsigned int pick = fuzz_rnd(r) % (N(snippets) + N(snippets) / 4);

		if (pick >= N(snippets)) {
			p[at++] = fuzz_rnd(r);
			continue;
		}
		/* a prefix now and then */
		if (fuzz_rnd(r) % 16 == 0)
			p[at++] = "\x66\x67\xf0\xf2\xf3\x48\x2e\x65"[fuzz_rnd(r) % 8];
		for (k = 0; k < snippets[pick].len && at < n; k++)
			p[at++] = snippets[pick].code[k];
	}
}

static void table(uint8_t *mem, uint32_t at, unsigned int i, uint64_t v)
{
	memcpy(mem + at + 8 * i, &v, 8);
}

void fuzz_tables(uint8_t *mem)
{
	static const uint64_t gdt[] = {
		0, 0x00af9b000000ffff, 0x00cf93000000ffff, 0x00cf9b000000ffff,
		0x000f9b000000ffff, 0x000f93000000ffff, 0x00affb000000ffff,
		0x00cff3000000ffff, 0x00008b0000000067 | (uint64_t)FUZZ_TSS << 16, 0,
	};
	uint64_t i;

	memcpy(mem + FUZZ_GDT, gdt, sizeof(gdt));
	for (i = 0; i < 256; i++) {		/* 64-bit gates; nonsense in other modes */
		table(mem, FUZZ_IDT, 2 * i, FUZZ_CODE | 0x8ull << 16 | 0xeeull << 40);
		table(mem, FUZZ_IDT, 2 * i + 1, 0);
	}
	table(mem, FUZZ_PML4, 0, FUZZ_PDPT | 7);
	for (i = 0; i < 4; i++) {
		table(mem, FUZZ_PDPT, i, (FUZZ_PD + i * 4096) | 7);
		table(mem, FUZZ_PDPT_PAE, i, (FUZZ_PD + i * 4096) | 1);
	}
	for (i = 0; i < 2048; i++)
		table(mem, FUZZ_PD, i, i << 21 | 0x87);
	for (i = 0; i < 512; i++)
		table(mem, FUZZ_PD32, i, (2 * i << 22 | 0x87) | (2 * i + 1) << 54 | 0x87ull << 32);
	memset(mem + FUZZ_TSS, 0, 0x68);
	table(mem, FUZZ_TSS + 4, 0, FUZZ_STACK);
}

static struct hvm_segment segment(uint16_t sel, uint8_t type, uint8_t dpl)
{
	struct hvm_segment s = {
		.selector = sel, .limit = 0xffffffff, .type = type, .present = 1,
		.s = 1, .g = 1, .db = 1, .dpl = dpl,
	};

	return s;
}

static void all_data(struct hvm_sregs *s, struct hvm_segment d)
{
	s->ds = d;
	s->es = d;
	s->fs = d;
	s->gs = d;
	s->ss = d;
}

static void sixteen_bit(struct hvm_sregs *s, uint16_t cs, uint8_t dpl)
{
	struct hvm_segment d = segment(0, 3, dpl);

	d.limit = 0xffff;
	d.g = 0;
	d.db = 0;
	all_data(s, d);
	d.type = cs ? 0xb : 3;
	d.selector = cs;
	s->cs = d;
}

static void paged(enum fuzz_mode mode, struct hvm_sregs *s)
{
	s->cr0 |= CR0_PG;
	s->cr3 = mode == FUZZ_PROT32 ? FUZZ_PD32 : mode == FUZZ_PAE ? FUZZ_PDPT_PAE : FUZZ_PML4;
	s->cr4 = CR4_OSFXSR | CR4_OSXMMEXCPT | (mode == FUZZ_PROT32 ? CR4_PSE : CR4_PAE);
	if (mode >= FUZZ_COMPAT)
		s->efer = EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE;
}

/*
 * QEMU (7.2 and 11.1), as a host, ends when a guest outside of long mode changes its
 * privilege with a task register that is busy, as it ought to be, or absent. And
 * when an exit finds EFER.LME set, paging off and CR4.PAE clear, it does not
 * give the host its CR0 back, which goes on without paging through whatever
 * there is: so nobody sets LME but together with paging, and guests do not write
 * CR4, which after compatibility mode would do.
 */
void fuzz_spare_host(struct hvm_sregs *s)
{
	if (!(s->cr0 & CR0_PG))
		s->efer &= ~(uint64_t)(EFER_LME | EFER_LMA);
	if (s->efer & EFER_LMA)
		return;
	s->tr.type = 9;
	s->tr.present = 1;
	/* without a gate nothing changes it */
	if (s->cr0 & CR0_PE)
		s->idt.limit = 0;
}

void fuzz_mode(enum fuzz_mode mode, struct hvm_sregs *s, struct hvm_regs *r)
{
	uint8_t dpl = mode == FUZZ_USER || mode == FUZZ_V86 ? 3 : 0;

	memset(r, 0, sizeof(*r));
	r->rip = FUZZ_CODE;
	r->rsp = FUZZ_STACK - 0x100;
	r->rflags = RFLAGS_FIXED;
	s->cr0 = mode == FUZZ_REAL ? CR0_ET : CR0_PE | CR0_ET | CR0_NE | CR0_MP;
	s->cr3 = 0;
	s->cr4 = CR4_OSFXSR;
	s->efer = 0;
	s->gdt.base = FUZZ_GDT;
	s->gdt.limit = 0x4f;
	s->idt.base = FUZZ_IDT;
	s->idt.limit = 0xfff;
	s->tr = segment(0x40, 0xb, 0);
	s->tr.s = 0;
	s->tr.g = 0;
	s->tr.db = 0;
	s->tr.limit = 0x67;
	s->tr.base = FUZZ_TSS;
	all_data(s, segment(dpl ? 0x3b : 0x10, 3, dpl));
	s->cs = segment(dpl ? 0x33 : 0x18, 0xb, dpl);
	switch (mode) {
	case FUZZ_REAL:
		sixteen_bit(s, 0, 0);
		break;
	case FUZZ_PROT16:
		sixteen_bit(s, 0x20, 0);
		break;
	case FUZZ_V86:
		sixteen_bit(s, 0, 3);
		r->rflags |= 1u << 17 | 3u << 12;
		break;
	case FUZZ_LONG:
	case FUZZ_USER:
		s->cs.l = 1;
		s->cs.db = 0;
		paged(mode, s);
		break;
	case FUZZ_PROT32:
	case FUZZ_PAE:
	case FUZZ_COMPAT:
		paged(mode, s);
		break;
	default:
		break;
	}
	fuzz_spare_host(s);
}
