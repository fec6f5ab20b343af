// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unit tests of kmod/x86/decode.c, on the build machine, without /dev/hvm.
 *
 * Three judges, none of which is the decoder itself: a table of encodings and
 * what an assembler says they mean; the architecture's rules for what must be
 * refused; and the processor this runs on, which executes random instructions
 * next to hvm_insn_ea() and hvm_insn_finish() and has to agree on every
 * register, flag and byte of memory.
 *
 *	decode_test		KTAP; exit status 0 if all passed
 *	decode_test --dump	reads "MODE HEX..." lines, prints what they decode to
 *
 * No locks, no threads; the random numbers are the same in each run.
 */
#include <asm/prctl.h>
#include <cpuid.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "decode.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

#define CF	0x001
#define ARITH	0x8d5		/* OF SF ZF AF PF CF */
#define DF	0x400

struct row {
	unsigned int mode;
	const char *bytes;
	const char *text;
};

static const struct row rows[] = {
#include "decode_rows.h"
};

static int failures, test_no, exit_status;

static void fail(const char *fmt, ...)
{
	va_list ap;

	if (failures++ > 20)
		return;
	printf("# ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
}

static void result(const char *name)
{
	printf("%sok %d %s\n", failures ? "not " : "", ++test_no, name);
	exit_status |= failures != 0;
	failures = 0;
}

static unsigned int hex(const char *s, u8 *out)
{
	unsigned int n = 0;
	char *end;

	for (; n < 32; s = end) {
		unsigned long b = strtoul(s, &end, 16);

		if (end == s)
			break;
		out[n++] = b;
	}
	return n;
}

/* xorshift64*: the tests are the same each time */
static u64 seed = 0x9e3779b97f4a7c15ull;

static u64 rnd(void)
{
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return seed * 0x2545f4914f6cdd1dull;
}

/* Operands that carry and overflow more often than random ones do. */
static u64 rnd_operand(void)
{
	u64 r = rnd();

	switch (r >> 60) {
	case 0: return 0;
	case 1: return ~0ull;
	case 2: return 1ull << (r & 63);
	case 3: return (1ull << (r & 63)) - 1;
	case 4: return r & 0xff;
	case 5: return 0x8000000080008080ull;
	default: return rnd();
	}
}

/* ---- what struct hvm_insn says, as text ---- */

static const char *const size_name[9] = {
	[1] = "BYTE", [2] = "WORD", [4] = "DWORD", [8] = "QWORD",
};
static const char *const seg_name[] = { "es", "cs", "ss", "ds", "fs", "gs", "ds" };
static const char *const op_name[HVM_OP_COUNT] = {
	[HVM_OP_ADD] = "add", "or", "adc", "sbb", "and", "sub", "xor", "cmp",
	"test", "bt", "bts", "btr", "btc", "not", "neg", "inc", "dec",
	"xchg", "xadd", "cmpxchg", "mov", "movbe", "stos", "ins",
	"movzx", "movsx", "movs", "cmps", "lods", "scas", "outs", "hint", "sys",
};

static const char *reg_name(unsigned int reg, unsigned int size)
{
	static const char *const n[8] = { "ax", "cx", "dx", "bx", "sp", "bp", "si", "di" };
	static const char *const hi[4] = { "ah", "ch", "dh", "bh" };
	static char buf[4][8];
	static int turn;
	char *s = buf[turn++ & 3];

	if (reg == HVM_REG_RIP)
		return size == 8 ? "rip" : "eip";
	if (reg >= HVM_REG_HIGH)
		return hi[reg & 3];
	if (reg >= 8)
		sprintf(s, "r%u%s", reg, size == 8 ? "" : size == 4 ? "d" : size == 2 ? "w" : "b");
	else if (size == 1)
		sprintf(s, reg < 4 ? "%cl" : "%c%cl", n[reg][0], n[reg][1]);
	else
		sprintf(s, "%s%s", size == 8 ? "r" : size == 4 ? "e" : "", n[reg]);
	return s;
}

static void mem_text(char *s, const struct hvm_insn *i, unsigned int n)
{
	unsigned int seg = hvm_insn_seg(i, n), def = HVM_SREG_DS;
	unsigned int base = n ? HVM_REG_RDI : i->base;
	bool string = i->flags & HVM_INSN_STRING;
	bool es = string && base == HVM_REG_RDI;

	if (base == HVM_REG_RSP || base == HVM_REG_RBP)
		def = HVM_SREG_SS;
	if (i->op != HVM_OP_HINT)
		s += sprintf(s, "%s PTR ", size_name[i->size]);
	if (seg == HVM_SREG_NONE && es)
		s += sprintf(s, "es:");
	else if (string || (seg != HVM_SREG_NONE && seg != def) ||
		 (base == HVM_REG_NONE && i->index == HVM_REG_NONE))
		s += sprintf(s, "%s:", seg_name[seg]);
	if (base == HVM_REG_NONE && i->index == HVM_REG_NONE) {
		sprintf(s, "0x%llx", (unsigned long long)i->disp &
			~0ull >> (64 - 8 * i->adsize));
		return;
	}
	s += sprintf(s, "[");
	if (base != HVM_REG_NONE)
		s += sprintf(s, "%s", reg_name(base, i->adsize));
	if (i->index != HVM_REG_NONE) {
		s += sprintf(s, "%s%s", base != HVM_REG_NONE ? "+" : "",
			     reg_name(i->index, i->adsize));
		if (i->adsize > 2)
			s += sprintf(s, "*%d", 1 << i->scale);
	}
	if (i->disp)
		s += sprintf(s, "%c0x%llx", i->disp < 0 ? '-' : '+',
			     i->disp < 0 ? -(unsigned long long)i->disp :
			     (unsigned long long)i->disp);
	sprintf(s, "]");
}

static void text(char *s, const struct hvm_insn *i)
{
	bool zf = i->op == HVM_OP_SCAS || i->op == HVM_OP_CMPS;
	char mem[64], reg[32] = "";

	mem_text(mem, i, 0);
	if (i->flags & HVM_INSN_IMM)
		sprintf(reg, "0x%llx", (unsigned long long)i->imm &
			~0ull >> (64 - 8 * i->size));
	else if (i->op != HVM_OP_NOT && i->op != HVM_OP_NEG && i->op != HVM_OP_INC &&
		 i->op != HVM_OP_DEC && i->op != HVM_OP_HINT)
		strcpy(reg, reg_name(i->reg, i->regsize));
	if (i->lock)
		s += sprintf(s, "lock ");
	if (i->rep && i->flags & HVM_INSN_STRING)
		s += sprintf(s, i->rep == 0xf2 ? "repnz " : zf ? "repz " : "rep ");
	s += sprintf(s, "%s", op_name[i->op]);
	if (i->op == HVM_OP_MOVS || i->op == HVM_OP_CMPS) {
		char mem1[64];

		mem_text(mem1, i, 1);
		sprintf(s, " %s,%s", i->op == HVM_OP_MOVS ? mem1 : mem,
			i->op == HVM_OP_MOVS ? mem : mem1);
	} else if (i->op == HVM_OP_INS) {
		sprintf(s, " %s,dx", mem);
	} else if (i->op == HVM_OP_OUTS) {
		sprintf(s, " dx,%s", mem);
	} else if (i->op == HVM_OP_SYS) {
		sprintf(s, " %x", i->opcode);
	} else if (i->flags & HVM_INSN_LOAD || i->op == HVM_OP_SCAS) {
		sprintf(s, " %s,%s", reg, mem);
	} else {
		sprintf(s, reg[0] ? " %s,%s" : " %s", mem, reg);
	}
}

static int dump(void)
{
	char line[256], s[192], *p;
	struct hvm_insn i;
	u8 b[32];

	while (fgets(line, sizeof(line), stdin)) {
		unsigned int mode = strtoul(line, &p, 10), n = hex(p, b);
		int r = hvm_insn_decode(&i, b, n, mode / 8);

		if (!r)
			text(s, &i);
		else
			strcpy(s, r == HVM_INSN_MORE ? "more" : r == HVM_INSN_ILLEGAL ?
			       "illegal" : "unsupported");
		printf("%d %s\n", r ? 0 : i.len, s);
	}
	return 0;
}

/* ---- the table ---- */

static void test_rows(void)
{
	for (size_t k = 0; k < ARRAY_SIZE(rows); k++) {
		u8 b[32] = {};
		unsigned int n = hex(rows[k].bytes, b);
		struct hvm_insn i;
		char s[192] = "(refused)";
		int r = hvm_insn_decode(&i, b, n, rows[k].mode / 8);

		if (!r)
			text(s, &i);
		if (r || i.len != n || strcmp(s, rows[k].text))
			fail("%u-bit %s: wanted \"%s\" (%u), got %d \"%s\" (%u)", rows[k].mode,
			     rows[k].bytes, rows[k].text, n, r, s, i.len);
	}
	result("encodings mean what the assembler says");
}

/* Every proper prefix asks for more, and what follows does not matter. */
static void test_truncated(void)
{
	for (size_t k = 0; k < ARRAY_SIZE(rows); k++) {
		unsigned int mode = rows[k].mode / 8;
		struct hvm_insn a, b;
		u8 buf[32];
		unsigned int n = hex(rows[k].bytes, buf);

		hvm_insn_decode(&a, buf, n, mode);
		for (unsigned int m = 0; m < n; m++)
			if (hvm_insn_decode(&b, buf, m, mode) != HVM_INSN_MORE)
				fail("%s: %u bytes of it are not \"more\"", rows[k].bytes, m);
		memset(buf + n, 0xf0, sizeof(buf) - n);
		if (hvm_insn_decode(&b, buf, sizeof(buf), mode) || memcmp(&a, &b, sizeof(a)))
			fail("%s: what follows it changes it", rows[k].bytes);
	}
	result("truncated instructions ask for more bytes");
}

static const struct {
	unsigned int mode;
	const char *bytes;
	int ret;
} refused[] = {
	{ 64, "f0 8b 07", HVM_INSN_ILLEGAL },		/* lock mov */
	{ 64, "f0 89 07", HVM_INSN_ILLEGAL },
	{ 64, "f0 03 07", HVM_INSN_ILLEGAL },		/* lock, register destination */
	{ 64, "f0 39 07", HVM_INSN_ILLEGAL },		/* lock cmp */
	{ 64, "f0 83 3f 00", HVM_INSN_ILLEGAL },
	{ 64, "f0 85 07", HVM_INSN_ILLEGAL },		/* lock test */
	{ 64, "f0 0f a3 07", HVM_INSN_ILLEGAL },	/* lock bt */
	{ 64, "f0 0f ba 27 01", HVM_INSN_ILLEGAL },
	{ 64, "f0 aa", HVM_INSN_ILLEGAL },
	{ 64, "f0 f3 a4", HVM_INSN_ILLEGAL },
	{ 64, "f0 0f b6 07", HVM_INSN_ILLEGAL },
	{ 64, "f0 c7 07 00 00 00 00", HVM_INSN_ILLEGAL },
	{ 32, "f0 0f a2", HVM_INSN_ILLEGAL },
	{ 64, "66 66 66 66 66 66 66 66 66 66 66 66 66 66 8b 07", HVM_INSN_ILLEGAL },
	{ 64, "2e 2e 2e 2e 2e 2e 2e 2e 2e 2e 2e 2e 2e 2e 2e", HVM_INSN_ILLEGAL },
	{ 64, "66 66 66 66 66 66 66 66 66 c7 84 00 00 00 00 00 00 00", HVM_INSN_ILLEGAL },
	{ 64, "8b c0", HVM_INSN_UNSUPPORTED },		/* no memory operand */
	{ 64, "01 d8", HVM_INSN_UNSUPPORTED },
	{ 64, "90 90", 0 }, { 64, "c3", HVM_INSN_UNSUPPORTED },
	{ 64, "0f 0b", HVM_INSN_UNSUPPORTED }, { 64, "0f 05", HVM_INSN_UNSUPPORTED },
	{ 64, "c5 f8 10 07", HVM_INSN_UNSUPPORTED },	/* VEX */
	{ 32, "c4 07", HVM_INSN_UNSUPPORTED },		/* LES */
	{ 64, "62 f1 7c 48 10 07", HVM_INSN_UNSUPPORTED },	/* EVEX */
	{ 32, "62 07", HVM_INSN_UNSUPPORTED },		/* BOUND */
	{ 32, "63 07", HVM_INSN_UNSUPPORTED },		/* ARPL */
	{ 64, "82 07 01", HVM_INSN_UNSUPPORTED },
	{ 32, "40", HVM_INSN_UNSUPPORTED },		/* INC eax, not REX */
	{ 32, "48 8b 07", HVM_INSN_UNSUPPORTED },
	{ 64, "c7 0f 00 00 00 00", HVM_INSN_UNSUPPORTED },	/* C7 /1 */
	{ 64, "f7 27", HVM_INSN_UNSUPPORTED },		/* MUL */
	{ 64, "f7 3f", HVM_INSN_UNSUPPORTED },		/* IDIV */
	{ 64, "ff 17", HVM_INSN_UNSUPPORTED },		/* CALL */
	{ 64, "ff 37", HVM_INSN_UNSUPPORTED },		/* PUSH */
	{ 64, "fe 17", HVM_INSN_UNSUPPORTED },
	{ 64, "0f ba 07 01", HVM_INSN_UNSUPPORTED },
	{ 64, "0f c7 0f", HVM_INSN_UNSUPPORTED },	/* CMPXCHG8B */
	{ 64, "0f 10 07", HVM_INSN_UNSUPPORTED },	/* MOVUPS */
	{ 64, "0f 44 07", HVM_INSN_UNSUPPORTED },	/* CMOVE */
	{ 64, "0f 94 07", HVM_INSN_UNSUPPORTED },	/* SETE */
	{ 64, "0f c7 37", HVM_INSN_UNSUPPORTED },	/* VMPTRLD */
	{ 64, "0f ae 07", HVM_INSN_UNSUPPORTED },	/* FXSAVE */
	{ 64, "0f ae 37", HVM_INSN_UNSUPPORTED },	/* XSAVEOPT */
	{ 64, "f3 0f ae 37", HVM_INSN_UNSUPPORTED },	/* CLRSSBSY */
	{ 64, "0f 6f 07", HVM_INSN_UNSUPPORTED },	/* MMX */
	{ 64, "0f 7e 07", HVM_INSN_UNSUPPORTED },
	{ 64, "0f d6 07", HVM_INSN_UNSUPPORTED },
	{ 64, "f2 0f 38 f0 07", HVM_INSN_UNSUPPORTED },	/* CRC32 */
	{ 64, "0f 38 f8 07", HVM_INSN_UNSUPPORTED },
	{ 64, "66 0f c3 07", HVM_INSN_UNSUPPORTED },
	{ 64, "0f 01 07", HVM_INSN_UNSUPPORTED },	/* SGDT */
	{ 64, "d1 27", HVM_INSN_UNSUPPORTED },		/* SHL */
	{ 64, "0f af 07", HVM_INSN_UNSUPPORTED },	/* IMUL */
	{ 64, "66 66 66 66 66 66 66 66 66 66 66 66 66 8b 07", 0 },	/* 15 bytes: fine */
	{ 64, "26 66 67 f3 48 a5", 0 },
	{ 64, "", HVM_INSN_MORE }, { 64, "66", HVM_INSN_MORE }, { 16, "f3", HVM_INSN_MORE },
	{ 64, "0f", HVM_INSN_MORE }, { 64, "0f 38", HVM_INSN_MORE }, { 64, "c5", HVM_INSN_UNSUPPORTED },
};

static void test_refused(void)
{
	for (size_t k = 0; k < ARRAY_SIZE(refused); k++) {
		u8 b[32] = {};
		unsigned int n = hex(refused[k].bytes, b);
		struct hvm_insn i;
		int r = hvm_insn_decode(&i, b, n, refused[k].mode / 8);

		if (r != refused[k].ret)
			fail("%u-bit %s: wanted %d, got %d", refused[k].mode, refused[k].bytes,
			     refused[k].ret, r);
	}
	result("what is not known or not legal is refused");
}

/* Intercepted instructions: length, and the registers of MOV CR and DR. */
static const struct {
	unsigned int mode;
	const char *bytes;
	u16 opcode;
	u8 reg, base;
} sys[] = {
	{ 64, "0f a2", 0x0fa2 }, { 64, "f4", 0xf4 }, { 64, "f3 90", 0x90 }, { 64, "cc", 0xcc },
	{ 64, "cd 80", 0xcd }, { 64, "f1", 0xf1 }, { 64, "0f 30", 0x0f30 }, { 64, "0f 32", 0x0f32 },
	{ 64, "48 0f 32", 0x0f32 }, { 64, "0f 31", 0x0f31 }, { 64, "0f 33", 0x0f33 },
	{ 64, "0f 08", 0x0f08 }, { 64, "0f 09", 0x0f09 }, { 64, "f3 0f 09", 0x0f09 },
	{ 64, "0f 01 c1", 0x0f01, 0, 1 }, { 64, "0f 01 d9", 0x0f01, 3, 1 },
	{ 64, "0f 01 d1", 0x0f01, 2, 1 }, { 64, "0f 01 f9", 0x0f01, 7, 1 },
	{ 64, "0f 01 f0", 0x0f01, 6, 0 }, { 32, "0f 01 3f", 0x0f01, 7, 7 },
	{ 64, "0f 06", 0x0f06 }, { 64, "0f 20 c0", 0x0f20, 0, 0 }, { 64, "0f 22 d8", 0x0f22, 3, 0 },
	{ 64, "44 0f 20 c1", 0x0f20, 8, 1 }, { 64, "41 0f 22 e4", 0x0f22, 4, 12 },
	{ 32, "f0 0f 22 c2", 0x0f22, 8, 2 }, { 32, "0f 20 03", 0x0f20, 0, 3 },
	{ 64, "0f 21 fa", 0x0f21, 7, 2 }, { 64, "0f 23 f0", 0x0f23, 6, 0 },
	{ 64, "e4 60", 0xe4 }, { 64, "66 e7 80", 0xe7 }, { 16, "ec", 0xec }, { 32, "66 ef", 0xef },
};

static void test_sys(void)
{
	for (size_t k = 0; k < ARRAY_SIZE(sys); k++) {
		u8 b[32] = {};
		unsigned int n = hex(sys[k].bytes, b);
		struct hvm_insn i;
		int r = hvm_insn_decode(&i, b, n, sys[k].mode / 8);

		if (r || i.len != n || i.op != HVM_OP_SYS || i.opcode != sys[k].opcode ||
		    i.flags & (HVM_INSN_READ | HVM_INSN_WRITE))
			fail("%s: %d, length %u, opcode %x", sys[k].bytes, r, i.len, i.opcode);
		else if ((i.opcode & ~0x23) == 0x0f00 && (i.opcode & 0x21) && i.opcode != 0x0f01 &&
			 (i.reg != sys[k].reg || i.base != sys[k].base))
			fail("%s: register %u, operand %u", sys[k].bytes, i.reg, i.base);
	}
	result("intercepted instructions have their length");
}

/* ---- arithmetic, against the processor's ---- */

#define ALU_SIZE(type, reg, text)					\
	do {								\
		type d = *dst, s = src;					\
									\
		asm volatile("pushq %1; popfq; " text "; pushfq; popq %1"	\
			     : "+" reg (d), "+r" (f) : reg (s) : "cc", "memory"); \
		*dst = d;						\
	} while (0)

#define ALU_OP(name, text)						\
static void cpu_##name(unsigned int size, u64 *dst, u64 src, u64 *flags)	\
{									\
	u64 f = *flags;							\
									\
	if (size == 1)							\
		ALU_SIZE(u8, "q", text("b"));				\
	else if (size == 2)						\
		ALU_SIZE(u16, "r", text("w"));				\
	else if (size == 4)						\
		ALU_SIZE(u32, "r", text("l"));				\
	else								\
		ALU_SIZE(u64, "r", text("q"));				\
	*flags = f;							\
}

#define S_ADD(x) "add" x " %2, %0"
#define S_OR(x) "or" x " %2, %0"
#define S_ADC(x) "adc" x " %2, %0"
#define S_SBB(x) "sbb" x " %2, %0"
#define S_AND(x) "and" x " %2, %0"
#define S_SUB(x) "sub" x " %2, %0"
#define S_XOR(x) "xor" x " %2, %0"
#define S_CMP(x) "cmp" x " %2, %0"
#define S_TEST(x) "test" x " %2, %0"
#define S_NOT(x) "not" x " %0"
#define S_NEG(x) "neg" x " %0"
#define S_INC(x) "inc" x " %0"
#define S_DEC(x) "dec" x " %0"

ALU_OP(add, S_ADD) ALU_OP(or, S_OR) ALU_OP(adc, S_ADC) ALU_OP(sbb, S_SBB)
ALU_OP(and, S_AND) ALU_OP(sub, S_SUB) ALU_OP(xor, S_XOR) ALU_OP(cmp, S_CMP)
ALU_OP(test, S_TEST) ALU_OP(not, S_NOT) ALU_OP(neg, S_NEG) ALU_OP(inc, S_INC)
ALU_OP(dec, S_DEC)

static const struct {
	unsigned int op;
	void (*cpu)(unsigned int size, u64 *dst, u64 src, u64 *flags);
	bool logic;		/* AF undefined */
	bool keeps;		/* destination not written */
} alu[] = {
	{ HVM_OP_ADD, cpu_add }, { HVM_OP_OR, cpu_or, true }, { HVM_OP_ADC, cpu_adc },
	{ HVM_OP_SBB, cpu_sbb }, { HVM_OP_AND, cpu_and, true }, { HVM_OP_SUB, cpu_sub },
	{ HVM_OP_XOR, cpu_xor, true }, { HVM_OP_CMP, cpu_cmp, false, true },
	{ HVM_OP_TEST, cpu_test, true, true }, { HVM_OP_NOT, cpu_not },
	{ HVM_OP_NEG, cpu_neg }, { HVM_OP_INC, cpu_inc }, { HVM_OP_DEC, cpu_dec },
};

static void alu_one(size_t k, unsigned int size)
{
	u64 mask = ~0ull >> (64 - 8 * size);
	u64 a = rnd_operand(), b = rnd_operand(), r, d = a & mask;
	u64 f0 = (rnd() & ARITH) | 0x202, fc = f0, fe = f0;
	u64 care = alu[k].logic ? ARITH & ~0x10 : ARITH;

	alu[k].cpu(size, &d, b & mask, &fc);
	r = hvm_insn_alu(alu[k].op, size, a, b, &fe);
	if (!alu[k].keeps && r != d)
		fail("%s/%u %llx, %llx: %llx, the processor %llx", op_name[alu[k].op], size,
		     (unsigned long long)a, (unsigned long long)b, (unsigned long long)r,
		     (unsigned long long)d);
	if ((fe ^ fc) & care)
		fail("%s/%u %llx, %llx: flags %llx, the processor %llx", op_name[alu[k].op], size,
		     (unsigned long long)a, (unsigned long long)b,
		     (unsigned long long)fe & ARITH, (unsigned long long)fc & ARITH);
	if ((fe ^ f0) & ~(u64)ARITH)
		fail("%s/%u: touched other flags", op_name[alu[k].op], size);
}

static void test_alu(void)
{
	for (size_t k = 0; k < ARRAY_SIZE(alu); k++)
		for (unsigned int size = 1; size <= 8; size *= 2)
			for (int n = 0; n < 20000; n++)
				alu_one(k, size);
	result("arithmetic gives the processor's results and flags");
}

/* ---- whole instructions, against the processor ---- */

#define BUF		4096
#define GS_BASE		0x5000

/* Everything the generated code needs lies below 2 GiB, RIP-relative. */
struct arena {
	u8 code[4096];
	u64 gpr[16], rflags, rsp;
	u8 pad[4096 - 18 * 8];
	u8 mem[BUF];
};

static struct arena *arena;

/* OP r64, [rip+x] or OP [rip+x], r64 */
static u8 *emit_rip(u8 *p, u8 op, unsigned int reg, void *target)
{
	s32 rel = (u8 *)target - (p + 7);

	*p++ = 0x48 | (reg >> 3) << 2;
	*p++ = op;
	*p++ = (reg & 7) << 3 | 5;
	memcpy(p, &rel, 4);
	return p + 4;
}

static u8 *emit(u8 *p, const char *bytes)
{
	return p + hex(bytes, p);
}

/* Code that loads the registers; the instruction goes where it ends. */
static u8 *prologue(void)
{
	u8 *p = emit(arena->code, "53 55 41 54 41 55 41 56 41 57");	/* push callee-saved */

	p = emit_rip(p, 0x89, 4, &arena->rsp);
	p = emit_rip(p, 0x8b, 0, &arena->rflags);
	p = emit(p, "50 9d");						/* push rax; popfq */
	for (unsigned int r = 0; r < 16; r++)
		p = emit_rip(p, 0x8b, r, &arena->gpr[r]);
	return p;
}

static void epilogue(u8 *p)
{
	for (unsigned int r = 0; r < 16; r++)
		p = emit_rip(p, 0x89, r, &arena->gpr[r]);
	p = emit_rip(p, 0x8b, 4, &arena->rsp);
	p = emit(p, "9c 58");						/* pushfq; pop rax */
	p = emit_rip(p, 0x89, 0, &arena->rflags);
	emit(p, "fc 41 5f 41 5e 41 5d 41 5c 5d 5b c3");
}

static bool arena_init(void)
{
	arena = mmap(NULL, sizeof(*arena), PROT_READ | PROT_WRITE | PROT_EXEC,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	return arena != MAP_FAILED && !syscall(SYS_arch_prctl, ARCH_SET_GS, GS_BASE);
}

/* Opcodes for the random instructions; 0x0fxx two-byte, 0x38xx three-byte. */
static const u16 opcodes[] = {
	0x00, 0x01, 0x02, 0x03, 0x08, 0x09, 0x0a, 0x0b, 0x10, 0x11, 0x12, 0x13, 0x18, 0x19,
	0x1a, 0x1b, 0x20, 0x21, 0x22, 0x23, 0x28, 0x29, 0x2a, 0x2b, 0x30, 0x31, 0x32, 0x33,
	0x38, 0x39, 0x3a, 0x3b, 0x63, 0x80, 0x80, 0x81, 0x81, 0x83, 0x83, 0x84, 0x85, 0x86,
	0x87, 0x88, 0x89, 0x8a, 0x8b, 0xa0, 0xa1, 0xa2, 0xa3, 0xc6, 0xc7, 0xf6, 0xf7, 0xfe,
	0xff, 0xf6, 0xf7, 0x0fa3, 0x0fab, 0x0fb3, 0x0fbb, 0x0fba, 0x0fba, 0x0fba, 0x0fb0, 0x0fb1, 0x0fb6,
	0x0fb7, 0x0fbe, 0x0fbf, 0x0fc0, 0x0fc1, 0x0fc3, 0x38f0, 0x38f1,
	0xa4, 0xa5, 0xa6, 0xa7, 0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf,
};

/* Random bytes behind a known opcode. Returns the offset of the ModRM byte. */
static unsigned int random_insn(u8 b[32], bool string)
{
	u16 op = opcodes[rnd() % (sizeof(opcodes) / 2 - (string ? 0 : 10))];
	unsigned int n = 0;
	u64 r = rnd();

	if (string)
		op = opcodes[sizeof(opcodes) / 2 - 1 - r % 10];
	if (r & 0x0700)
		r &= ~0x20ull;
	if (!(r & 0x0070))
		b[n++] = 0x66;
	if (!(r & 0x0380))
		b[n++] = 0x67;
	if (!(r & 0x1c00) && !string)
		b[n++] = 0x65;
	if (!(r & 0xe000) && !string)
		b[n++] = 0xf0;
	if (string && r & 0xc0000)
		b[n++] = 0xf2 | (r >> 30 & 1);
	if (r & 0x30000)
		b[n++] = 0x40 | (r >> 20 & 15);
	if (op >= 0x3800)
		b[n++] = 0x0f, b[n++] = 0x38;
	else if (op >= 0x0f00)
		b[n++] = 0x0f;
	b[n++] = op;
	for (unsigned int k = n; k < 32; k++)
		b[k] = rnd();
	if (!string && (op & 0xfffc) != 0xa0)
		b[n] &= (rnd() & 3) == 0 ? 0xff : 0x7f;
	return n;
}

/*
 * Choose registers, or the displacement in the bytes, so that the operand lies
 * in the arena. False: this one does not allow it.
 */
static bool aim(const struct hvm_insn *i, u8 *b, unsigned int modrm, u8 *code,
		u64 gpr[16])
{
	u64 target = (u64)arena->mem + BUF / 2 + rnd() % 64;
	u64 disp = i->disp, high = i->adsize == 4 ? rnd() << 32 : 0;

	if (i->seg == HVM_SREG_GS)
		target -= GS_BASE;
	if (i->op >= HVM_OP_BT && i->op <= HVM_OP_BTC && !(i->flags & HVM_INSN_IMM)) {
		if (i->reg == i->base || i->reg == i->index)
			return false;
		gpr[i->reg] = (gpr[i->reg] & ~0ull << (8 * i->size - 1) << 1) |
			      ((s64)(rnd() % 8192 - 4096) & ~0ull >> (64 - 8 * i->size));
	}
	if (i->base == HVM_REG_RIP) {
		s32 rel = target - (u64)(code + i->len);

		memcpy(b + modrm + 1, &rel, 4);
	} else if (i->base == HVM_REG_NONE && i->index == HVM_REG_NONE) {
		bool moffs = (i->opcode & ~3) == 0xa0;

		memcpy(b + (moffs ? modrm : modrm + 2), &target, moffs ? i->adsize : 4);
	} else if (i->base == HVM_REG_NONE) {
		if (i->adsize == 4)
			gpr[i->index] = ((u32)(target - disp) >> i->scale) | high;
		else
			gpr[i->index] = (s64)(target - disp) >> i->scale;
	} else if (i->base == i->index) {
		u64 want = target - disp;

		if (i->adsize == 4)
			want = (u32)want;
		else if ((s64)want < 0)
			return false;
		gpr[i->base] = want / (1 + (1 << i->scale)) | high;
	} else {
		u64 index = i->index == HVM_REG_NONE ? 0 : gpr[i->index] << i->scale;

		gpr[i->base] = target - disp - index;
		if (i->adsize == 4)
			gpr[i->base] = (u32)gpr[i->base] | high;
	}
	return true;
}

static void aim_string(const struct hvm_insn *i, u64 gpr[16])
{
	u64 high = i->adsize == 4 ? rnd() << 32 : 0;

	gpr[HVM_REG_RSI] = ((u64)arena->mem + BUF / 2 + rnd() % 64) | high;
	gpr[HVM_REG_RDI] = ((u64)arena->mem + BUF / 2 + rnd() % 64) | high;
	/* No count of 0 here: the high half of the indexes is then not defined. */
	gpr[HVM_REG_RCX] = (1 + rnd() % 20) | high;
	if (i->op == HVM_OP_CMPS || i->op == HVM_OP_SCAS) {	/* some runs of equal bytes */
		memset(arena->mem + BUF / 2 - 256, gpr[HVM_REG_RAX] & 1 ? 0 : 0xff, 512);
		for (int n = 0; n < 8; n++)
			arena->mem[BUF / 2 - 256 + rnd() % 512] = rnd();
	}
}

/* Carry it out on a copy of memory, as the kernel does. False: left the arena. */
static bool emulate(const struct hvm_insn *i, u64 gpr[16], u64 *rflags, u64 rip, u8 *mem)
{
	bool more = hvm_insn_count(i, gpr) != 0;

	while (more) {
		u64 val[2] = {}, store = 0, at[2];

		for (unsigned int n = 0; n < 2; n++) {
			u64 base = hvm_insn_seg(i, n) == HVM_SREG_GS ? GS_BASE : 0;

			at[n] = hvm_insn_ea(i, n, gpr, base, rip) - (u64)arena->mem;
			if (n && i->op != HVM_OP_MOVS && i->op != HVM_OP_CMPS)
				break;
			if (at[n] > BUF - 8)
				return false;
		}
		if (i->flags & HVM_INSN_READ)
			memcpy(&val[0], mem + at[0], i->size);
		if (i->flags & HVM_INSN_READ1)
			memcpy(&val[1], mem + at[1], i->size);
		if (hvm_insn_finish(i, val, gpr, rflags, &store))
			memcpy(mem + at[hvm_insn_dst(i)], &store, i->size);
		more = i->flags & HVM_INSN_STRING && hvm_insn_step(i, 1, gpr, *rflags);
	}
	return true;
}

static void compare(const struct hvm_insn *i, const u8 *b, const u64 gpr[16], u64 rflags,
		    const u8 *mem, const char *what)
{
	char s[192], h[64] = "";
	u64 care = ARITH;

	text(s, i);
	for (unsigned int k = 0; k < i->len; k++)
		sprintf(h + 3 * k, "%02x ", b[k]);
	if (i->op >= HVM_OP_BT && i->op <= HVM_OP_BTC)
		care = CF | 0x40;	/* the others are undefined */
	else if (i->op == HVM_OP_AND || i->op == HVM_OP_OR || i->op == HVM_OP_XOR ||
		 i->op == HVM_OP_TEST)
		care &= ~0x10ull;
	for (unsigned int r = 0; r < 16; r++)
		if (gpr[r] != arena->gpr[r])
			fail("%s%s: %s %s %llx, the processor %llx", h, s, what, reg_name(r, 8),
			     (unsigned long long)gpr[r], (unsigned long long)arena->gpr[r]);
	if ((rflags ^ arena->rflags) & care)
		fail("%s%s: flags %llx, the processor %llx", h, s, (unsigned long long)rflags,
		     (unsigned long long)arena->rflags);
	if (memcmp(mem, arena->mem, BUF))
		fail("%s%s: memory differs", h, s);
}

/* One random instruction, twice. Returns whether it was a usable one. */
static bool cpu_one(bool string)
{
	static u8 mem[BUF];
	u8 b[32], *code = prologue();
	unsigned int modrm = random_insn(b, string);
	struct hvm_insn i;
	u64 rflags;
	u64 gpr[16];
	int r = hvm_insn_decode(&i, b, 15, HVM_CODE64);

	if (r)
		return false;
	if (i.op == HVM_OP_SYS)
		return false;
	for (unsigned int k = 0; k < 16; k++)
		arena->gpr[k] = rnd_operand();
	for (unsigned int k = 0; k < BUF; k += 8) {
		u64 v = rnd_operand();

		memcpy(arena->mem + k, &v, 8);
	}
	arena->rflags = 0x202 | (rnd() & (string ? ARITH | DF : ARITH));
	if (string)
		aim_string(&i, arena->gpr);
	else if (!aim(&i, b, modrm, code, arena->gpr))
		return false;
	if (hvm_insn_decode(&i, b, 15, HVM_CODE64))
		return false;
	memcpy(gpr, arena->gpr, sizeof(gpr));
	memcpy(mem, arena->mem, BUF);
	rflags = arena->rflags;
	if (i.op == HVM_OP_CMPXCHG && rnd() & 1) {	/* let half of them succeed */
		u64 at = hvm_insn_ea(&i, 0, gpr, i.seg == HVM_SREG_GS ? GS_BASE : 0,
				     (u64)code) - (u64)arena->mem;

		if (at < BUF - 8 && i.base != 0 && i.index != 0) {
			memcpy(&gpr[0], mem + at, 8);
			arena->gpr[0] = gpr[0];
		}
	}
	memcpy(code, b, i.len);
	epilogue(code + i.len);
	if (!emulate(&i, gpr, &rflags, (u64)code, mem))
		return false;
	((void (*)(void))arena->code)();
	compare(&i, b, gpr, rflags, mem, string ? "string" : "register");
	return true;
}

static void test_cpu(bool string, const char *name)
{
	int done = 0;

	for (int n = 0; n < 400000 && done < 60000 && failures < 20; n++)
		done += cpu_one(string);
	if (done < 20000 && !failures)
		fail("only %d instructions could be tried", done);
	result(name);
}

static bool has_movbe(void)
{
	unsigned int a, b, c = 0, d;

	return __get_cpuid(1, &a, &b, &c, &d) && c & bit_MOVBE;
}

/* ---- what has no processor to compare with: 16- and 32-bit addresses ---- */

static void test_address(void)
{
	static const struct {
		unsigned int mode;
		const char *bytes;
		u64 ea;
	} t[] = {
		{ 16, "8b 00", 0x10000 + 0x4444 },		/* bx+si wraps at 64K */
		{ 16, "8b 42 10", 0x20000 + 0x3343 },		/* bp+si+0x10 wraps, SS */
		{ 16, "8b 87 ff ff", 0x10000 + 0x8887 },	/* bx-1 */
		{ 16, "a1 34 12", 0x10000 + 0x1234 },
		{ 16, "26 8b 05", 0x30000 + 0xffff },
		{ 16, "67 8b 03", 0x10000 + 0x12348888 },	/* ebx */
		{ 32, "8b 03", 0x10000 + 0x12348888 },
		{ 32, "8b 44 b3 10", (u32)(0x10000 + 0x12348888 + 4 * 0x0000bbbcull + 0x10) },
		{ 32, "8b 80 00 00 00 f0", (u32)(0x10000 + 0xfffffff0ull + 0xf0000000ull) },
		{ 32, "67 8b 00", 0x10000 + 0x4444 },
		{ 32, "8b 45 00", 0x20000 + 0x77777777 },	/* ebp: SS */
		{ 32, "8b 04 24", 0x20000 + 0x66666666 },	/* esp: SS */
		{ 32, "aa", 0x30000 + 0x0000ffff },
		{ 16, "0f a3 17", 0x10000 + 0x8888 - 0x1000 },	/* bt [bx], dx = -32768 */
		{ 32, "0f a3 13", 0x10000 + 0x12348888 + 0x1000 },	/* edx = 32768 */
		{ 32, "66 0f a3 13", 0x10000 + 0x12348888 - 0x1000 },	/* dx = -32768 */
	};
	static const u64 base[7] = { 0x30000, 0xf0000, 0x20000, 0x10000 };
	const u64 gpr[16] = { 0xfffffff0, 0, 0x8000, 0x12348888, 0x66666666, 0x77777777,
			      0xbbbc, 0xffff };

	for (size_t k = 0; k < ARRAY_SIZE(t); k++) {
		u8 b[32] = {};
		struct hvm_insn i;
		u64 ea;

		if (hvm_insn_decode(&i, b, hex(t[k].bytes, b), t[k].mode / 8)) {
			fail("%s: refused", t[k].bytes);
			continue;
		}
		ea = hvm_insn_ea(&i, 0, gpr, base[hvm_insn_seg(&i, 0)], 0);
		if (ea != t[k].ea)
			fail("%u-bit %s: %llx, not %llx", t[k].mode, t[k].bytes,
			     (unsigned long long)ea, (unsigned long long)t[k].ea);
	}
	result("16- and 32-bit addresses wrap and take their segment");
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "--dump"))
		return dump();
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("KTAP version 1\n1..8\n");
	test_rows();
	test_truncated();
	test_refused();
	test_sys();
	test_address();
	test_alu();
	if (!arena_init() || !has_movbe()) {
		for (int n = 7; n <= 8; n++)
			printf("ok %d # SKIP the processor or system does not allow it\n", n);
		return exit_status;
	}
	test_cpu(false, "random instructions do what the processor does");
	test_cpu(true, "random string instructions do what the processor does");
	return exit_status;
}
