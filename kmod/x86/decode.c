// SPDX-License-Identifier: GPL-2.0-only
/*
 * x86 instruction decoder: MMIO forms, string I/O, and their execution.
 *
 * Two 256-entry tables of 16-bit words describe the one- and two-byte maps;
 * everything a plain MOV, ALU or string form needs is in its word, so these
 * decode without a switch. What does not fit (the odd two-byte opcode)
 * carries T_FIX and goes through fixup(). An all-zero word means "not known".
 *
 * Bytes are read through a cursor that can not pass the end of the input. A
 * verdict is given only from bytes that were there: when the cursor ran dry
 * the answer is "more bytes" whatever else was concluded, so a caller may start
 * with what is left on one page and come back with the next page's bytes.
 *
 * No state, no locks. See decode.h for the order of calls.
 */
#include <asm/processor-flags.h>
#include "decode.h"

#define T_OP		0x003f	/* enum hvm_op, or the group under T_GRP */
#define T_MODRM		0x0040
#define T_BYTE		0x0080	/* operands are bytes */
#define T_LOAD		0x0100	/* the register is the destination */
#define T_IMM8		0x0200	/* sign-extended byte follows */
#define T_IMMZ		0x0400	/* immediate of the operand size, 4 at most */
#define T_GRP		0x0800	/* ModRM.reg selects from groups[] */
#define T_PFX		0x1000
#define T_STR		0x2000
#define T_MOFFS		0x4000
#define T_FIX		0x8000

#define MR		T_MODRM
#define MR8		(T_MODRM | T_BYTE)
#define RM		(T_MODRM | T_LOAD)
#define RM8		(T_MODRM | T_BYTE | T_LOAD)
#define GRP(n)		(T_MODRM | T_GRP | (n))
#define STR8		(T_STR | T_BYTE)

enum { G1, G3, G4, G8, G11, G15 };

static const u16 groups[][8] = {
	[G1] = { HVM_OP_ADD, HVM_OP_OR, HVM_OP_ADC, HVM_OP_SBB,
		 HVM_OP_AND, HVM_OP_SUB, HVM_OP_XOR, HVM_OP_CMP },
	[G3] = { T_IMMZ | HVM_OP_TEST, T_IMMZ | HVM_OP_TEST,
		 HVM_OP_NOT, HVM_OP_NEG },
	[G4] = { HVM_OP_INC, HVM_OP_DEC },
	[G8] = { [4] = HVM_OP_BT, HVM_OP_BTS, HVM_OP_BTR, HVM_OP_BTC },
	[G11] = { HVM_OP_MOV },
	[G15] = { [6] = HVM_OP_HINT, HVM_OP_HINT },	/* CLWB, CLFLUSH(OPT) */
};

static const u16 one_byte[256] = {
	[0x00] = MR8 | HVM_OP_ADD, MR | HVM_OP_ADD, RM8 | HVM_OP_ADD, RM | HVM_OP_ADD,
	[0x08] = MR8 | HVM_OP_OR, MR | HVM_OP_OR, RM8 | HVM_OP_OR, RM | HVM_OP_OR,
	[0x10] = MR8 | HVM_OP_ADC, MR | HVM_OP_ADC, RM8 | HVM_OP_ADC, RM | HVM_OP_ADC,
	[0x18] = MR8 | HVM_OP_SBB, MR | HVM_OP_SBB, RM8 | HVM_OP_SBB, RM | HVM_OP_SBB,
	[0x20] = MR8 | HVM_OP_AND, MR | HVM_OP_AND, RM8 | HVM_OP_AND, RM | HVM_OP_AND,
	[0x28] = MR8 | HVM_OP_SUB, MR | HVM_OP_SUB, RM8 | HVM_OP_SUB, RM | HVM_OP_SUB,
	[0x30] = MR8 | HVM_OP_XOR, MR | HVM_OP_XOR, RM8 | HVM_OP_XOR, RM | HVM_OP_XOR,
	[0x38] = MR8 | HVM_OP_CMP, MR | HVM_OP_CMP, RM8 | HVM_OP_CMP, RM | HVM_OP_CMP,
	[0x26] = T_PFX, [0x2e] = T_PFX, [0x36] = T_PFX, [0x3e] = T_PFX,
	[0x40 ... 0x4f] = T_PFX,	/* REX; not a prefix outside 64-bit mode */
	[0x63] = RM | T_FIX | HVM_OP_MOVSX,
	[0x64 ... 0x67] = T_PFX,
	[0x6c] = STR8 | HVM_OP_INS, T_STR | HVM_OP_INS,
	[0x6e] = STR8 | HVM_OP_OUTS, T_STR | HVM_OP_OUTS,
	[0x80] = T_BYTE | T_IMMZ | GRP(G1), T_IMMZ | GRP(G1), 0, T_IMM8 | GRP(G1),
	[0x84] = MR8 | HVM_OP_TEST, MR | HVM_OP_TEST,
	[0x86] = MR8 | HVM_OP_XCHG, MR | HVM_OP_XCHG,
	[0x88] = MR8 | HVM_OP_MOV, MR | HVM_OP_MOV, RM8 | HVM_OP_MOV, RM | HVM_OP_MOV,
	[0x90] = HVM_OP_SYS,				/* PAUSE */
	[0xa0] = T_MOFFS | T_BYTE | T_LOAD | HVM_OP_MOV, T_MOFFS | T_LOAD | HVM_OP_MOV,
	[0xa2] = T_MOFFS | T_BYTE | HVM_OP_MOV, T_MOFFS | HVM_OP_MOV,
	[0xa4] = STR8 | HVM_OP_MOVS, T_STR | HVM_OP_MOVS,
	[0xa6] = STR8 | HVM_OP_CMPS, T_STR | HVM_OP_CMPS,
	[0xaa] = STR8 | HVM_OP_STOS, T_STR | HVM_OP_STOS,
	[0xac] = STR8 | HVM_OP_LODS, T_STR | HVM_OP_LODS,
	[0xae] = STR8 | HVM_OP_SCAS, T_STR | HVM_OP_SCAS,
	[0xc6] = T_BYTE | T_IMMZ | GRP(G11), T_IMMZ | GRP(G11),
	[0xcc] = HVM_OP_SYS, T_IMM8 | HVM_OP_SYS,	/* INT3, INT n */
	[0xe4 ... 0xe7] = T_IMM8 | HVM_OP_SYS, [0xec ... 0xef] = HVM_OP_SYS,	/* IN, OUT */
	[0xf0] = T_PFX,
	[0xf1] = HVM_OP_SYS, T_PFX, T_PFX, HVM_OP_SYS,	/* INT1, REP, HLT */
	[0xf6] = T_BYTE | GRP(G3), GRP(G3),
	[0xfe] = T_BYTE | GRP(G4), GRP(G4),
};

static const u16 two_byte[256] = {
	[0x01] = MR | T_FIX | HVM_OP_SYS,	/* VMMCALL, XSETBV, INVLPG, ... */
	[0x06] = HVM_OP_SYS,			/* CLTS */
	[0x08 ... 0x09] = HVM_OP_SYS,		/* INVD, WBINVD */
	[0x0d] = MR | HVM_OP_HINT,		/* PREFETCHW */
	[0x18] = MR | HVM_OP_HINT,		/* PREFETCHh */
	[0x20 ... 0x23] = MR | T_FIX | HVM_OP_SYS,	/* MOV to, from CR, DR */
	[0x30 ... 0x33] = HVM_OP_SYS,		/* WRMSR, RDTSC, RDMSR, RDPMC */
	[0xa2] = HVM_OP_SYS,			/* CPUID */
	[0xa3] = MR | HVM_OP_BT,
	[0xab] = MR | HVM_OP_BTS,
	[0xae] = T_FIX | GRP(G15),
	[0xb0] = MR8 | HVM_OP_CMPXCHG, MR | HVM_OP_CMPXCHG,
	[0xb3] = MR | HVM_OP_BTR,
	[0xb6 ... 0xb7] = RM | T_FIX | HVM_OP_MOVZX,
	[0xba] = T_IMM8 | GRP(G8), MR | HVM_OP_BTC,
	[0xbe ... 0xbf] = RM | T_FIX | HVM_OP_MOVSX,
	[0xc0] = MR8 | HVM_OP_XADD, MR | HVM_OP_XADD,
	[0xc3] = MR | T_FIX | HVM_OP_MOV,	/* MOVNTI */
};

/* HVM_INSN_* when the register is not the destination. */
#define RW		(HVM_INSN_READ | HVM_INSN_WRITE | HVM_INSN_LOCKOK)

static const u8 op_flags[HVM_OP_COUNT] = {
	[HVM_OP_ADD ... HVM_OP_XOR] = RW,
	[HVM_OP_CMP ... HVM_OP_BT] = HVM_INSN_READ,
	[HVM_OP_BTS ... HVM_OP_CMPXCHG] = RW,
	[HVM_OP_MOV ... HVM_OP_INS] = HVM_INSN_WRITE,
	[HVM_OP_MOVS] = HVM_INSN_READ | HVM_INSN_WRITE,
	[HVM_OP_CMPS] = HVM_INSN_READ | HVM_INSN_READ1,
	[HVM_OP_LODS ... HVM_OP_SCAS] = HVM_INSN_READ | HVM_INSN_LOAD,
	[HVM_OP_OUTS] = HVM_INSN_READ,
};

#define REX_W		8
#define REX_R		4
#define REX_X		2
#define REX_B		1

/* One decode under way: the cursor and the prefixes seen. */
struct dec {
	const u8 *p, *end;
	bool dry;		/* a byte past the end was wanted */
	bool opsize;		/* 66 */
	u8 rex, seg;
};

static inline u8 next8(struct dec *d)
{
	if (d->p == d->end) {
		d->dry = true;
		return 0;
	}
	return *d->p++;
}

static inline s64 sign_extend(u64 val, unsigned int size)
{
	return (s64)(val << (64 - 8 * size)) >> (64 - 8 * size);
}

/* Little-endian, sign-extended; @size is 1, 2, 4 or 8. */
static s64 next_sx(struct dec *d, unsigned int size)
{
	u64 val = 0;

	if (size == 1)
		return (s8)next8(d);
	if (d->end - d->p < size) {
		d->p = d->end;
		d->dry = true;
		return 0;
	}
	for (unsigned int n = size; n--;)
		val = val << 8 | d->p[n];
	d->p += size;
	return sign_extend(val, size);
}

/* Take in one prefix; false: in this mode the byte is an opcode. */
static bool prefix(struct dec *d, struct hvm_insn *insn, u8 b)
{
	bool long_mode = insn->mode == HVM_CODE64;

	if ((b & 0xf0) == 0x40) {
		d->rex = b;
		return long_mode;
	}
	d->rex = 0;	/* a REX counts only right before the opcode */
	switch (b) {
	case 0x26: case 0x2e: case 0x36: case 0x3e:
		if (!long_mode)
			d->seg = b >> 3 & 3;
		break;
	case 0x64: case 0x65:
		d->seg = b & 7;
		break;
	case 0x66:
		d->opsize = true;
		break;
	case 0x67:
		insn->adsize = insn->mode == HVM_CODE32 ? 2 : 4;
		break;
	case 0xf0:
		insn->lock = 1;
		break;
	default:
		insn->rep = b;
	}
	return true;
}

static void mem16(struct dec *d, struct hvm_insn *insn, u8 modrm)
{
	static const u8 base[8] = { HVM_REG_RBX, HVM_REG_RBX, HVM_REG_RBP, HVM_REG_RBP,
				    HVM_REG_RSI, HVM_REG_RDI, HVM_REG_RBP, HVM_REG_RBX };
	u8 mod = modrm >> 6, rm = modrm & 7;

	if (!mod && rm == 6) {
		insn->disp = next_sx(d, 2);
		return;
	}
	insn->base = base[rm];
	if (rm < 4)
		insn->index = rm & 1 ? HVM_REG_RDI : HVM_REG_RSI;
	if (insn->base == HVM_REG_RBP)
		insn->seg = HVM_SREG_SS;
	if (mod)
		insn->disp = next_sx(d, mod);
}

static void mem32(struct dec *d, struct hvm_insn *insn, u8 modrm)
{
	u8 mod = modrm >> 6, rm = modrm & 7;
	bool sib = rm == 4;

	if (sib) {
		u8 b = next8(d), index = (b >> 3 & 7) | (d->rex & REX_X) << 2;

		if (index != HVM_REG_RSP)
			insn->index = index;
		insn->scale = b >> 6;
		rm = b & 7;
	}
	if (!mod && rm == HVM_REG_RBP) {
		if (!sib && insn->mode == HVM_CODE64)
			insn->base = HVM_REG_RIP;
		insn->disp = next_sx(d, 4);
		return;
	}
	insn->base = rm | (d->rex & REX_B) << 3;
	if (insn->base == HVM_REG_RSP || insn->base == HVM_REG_RBP)
		insn->seg = HVM_SREG_SS;
	if (mod)
		insn->disp = next_sx(d, mod == 1 ? 1 : 4);
}

/* ModRM and what hangs on it. Returns the table word, its group resolved. */
static u16 modrm(struct dec *d, struct hvm_insn *insn, u16 e)
{
	u8 b = next8(d), reg = b >> 3 & 7;

	if (e & T_GRP) {
		e = (e & ~(T_OP | T_GRP)) | groups[e & T_OP][reg];
		if (!(e & T_OP))
			return 0;
	}
	insn->reg = reg | (d->rex & REX_R) << 1;
	/* MOV CR and DR ignore mod: it is always a register. */
	if (b >= 0xc0 || (insn->opcode & ~3) == 0x0f20) {
		insn->base = (b & 7) | (d->rex & REX_B) << 3;
		return (e & T_OP) == HVM_OP_SYS ? e : 0;
	}
	if (insn->adsize == 2)
		mem16(d, insn, b);
	else
		mem32(d, insn, b);
	if ((e & T_OP) == HVM_OP_SYS && reg != 7)	/* memory: INVLPG only */
		return 0;
	return e;
}

/* What the table word can not say. Returns false when it is not supported. */
static bool fixup(struct dec *d, struct hvm_insn *insn)
{
	switch (insn->opcode) {
	case 0x0063:		/* MOVSXD; ARPL elsewhere */
		if (insn->size == 8)
			insn->size = 4;
		return insn->mode == HVM_CODE64;
	case 0x0f20: case 0x0f21: case 0x0f22: case 0x0f23:
		insn->size = insn->regsize = insn->mode == HVM_CODE64 ? 8 : 4;
		if (insn->lock && !(insn->opcode & 1)) {	/* AMD: CR8 by LOCK */
			insn->reg |= 8;
			insn->lock = 0;
		}
		return true;
	case 0x0fb6: case 0x0fbe:
		insn->size = 1;
		return true;
	case 0x0fb7: case 0x0fbf:
		insn->size = 2;
		return true;
	case 0x0fae:		/* without 66, /6 is XSAVEOPT; with F3, CLRSSBSY */
		return !insn->rep && (insn->reg & 1 || d->opsize);
	case 0x0fc3:
		return !d->opsize && !insn->rep;
	}
	return true;
}

/* Operand 0 of a string form; rSI is the one with the override. */
static void string(struct hvm_insn *insn)
{
	bool si = insn->flags & HVM_INSN_READ && insn->op != HVM_OP_SCAS;

	insn->base = si ? HVM_REG_RSI : HVM_REG_RDI;
	insn->reg = HVM_REG_RAX;
	insn->flags |= HVM_INSN_STRING;
	/* There is no 8-byte port. */
	if ((insn->op == HVM_OP_INS || insn->op == HVM_OP_OUTS) && insn->size == 8)
		insn->size = insn->regsize = 4;
	if (!si)
		insn->seg = insn->mode == HVM_CODE64 ? HVM_SREG_NONE : HVM_SREG_ES;
}

/* The opcode's table word; @b is its first byte. */
static u16 opcode(struct dec *d, struct hvm_insn *insn, u8 b)
{
	insn->opcode = b;
	if (b != 0x0f)
		return one_byte[b];
	b = next8(d);
	insn->opcode = 0x0f00 | b;
	if (b != 0x38)
		return two_byte[b];
	b = next8(d);
	insn->opcode = 0x3800 | b;
	if ((b & 0xfe) != 0xf0 || insn->rep == 0xf2)	/* F2: CRC32 */
		return 0;
	return (b & 1 ? MR : RM) | HVM_OP_MOVBE;
}

static int decode(struct dec *d, struct hvm_insn *insn)
{
	unsigned int opsize;
	u16 e;
	u8 b;

	while (one_byte[b = next8(d)] & T_PFX)
		if (!prefix(d, insn, b))
			return HVM_INSN_UNSUPPORTED;

	e = opcode(d, insn, b);
	opsize = d->rex & REX_W ? 8 : (insn->mode == HVM_CODE16) ^ d->opsize ? 2 : 4;
	if (e & T_MODRM)
		e = modrm(d, insn, e);
	else if (e & T_MOFFS)
		insn->disp = next_sx(d, insn->adsize);
	if (!e)
		return HVM_INSN_UNSUPPORTED;

	if (e & T_BYTE) {
		opsize = 1;
		if (!d->rex && insn->reg - 4u < 4)
			insn->reg |= HVM_REG_HIGH;
	}
	insn->op = e & T_OP;
	insn->size = insn->regsize = opsize;
	insn->flags = e & T_LOAD ? HVM_INSN_READ | HVM_INSN_LOAD : op_flags[insn->op];
	if (e & (T_IMM8 | T_IMMZ)) {
		insn->flags |= HVM_INSN_IMM;
		insn->imm = next_sx(d, e & T_IMM8 ? 1 : opsize < 4 ? opsize : 4);
	}
	if (insn->mode == HVM_CODE64)
		insn->seg = d->seg;
	else if (d->seg != HVM_SREG_NONE)
		insn->seg = d->seg;
	if (e & T_STR)
		string(insn);
	if (e & T_FIX && !fixup(d, insn))
		return HVM_INSN_UNSUPPORTED;
	if (insn->lock && !(insn->flags & HVM_INSN_LOCKOK))
		return HVM_INSN_ILLEGAL;
	return 0;
}

/**
 * hvm_insn_decode() - decode one instruction
 * @insn: result; holds nothing of use unless 0 is returned
 * @buf: instruction bytes
 * @avail: how many there are; more than 15 are never looked at
 * @mode: HVM_CODE16, HVM_CODE32 or HVM_CODE64
 *
 * Return: 0, HVM_INSN_MORE (with @avail below 15), HVM_INSN_UNSUPPORTED or
 * HVM_INSN_ILLEGAL.
 */
int hvm_insn_decode(struct hvm_insn *insn, const u8 *buf, unsigned int avail,
		    unsigned int mode)
{
	struct dec d = {
		.p = buf,
		.end = buf + (avail < HVM_INSN_MAX ? avail : HVM_INSN_MAX),
		.seg = HVM_SREG_NONE,
	};
	int ret;

	*insn = (struct hvm_insn){
		.mode = mode,
		.adsize = mode,
		.seg = HVM_SREG_DS,
		.base = HVM_REG_NONE,
		.index = HVM_REG_NONE,
	};
	ret = decode(&d, insn);
	if (d.dry)
		return avail < HVM_INSN_MAX ? HVM_INSN_MORE : HVM_INSN_ILLEGAL;
	insn->len = d.p - buf;
	return ret;
}

/**
 * hvm_reg_read() - read a general register
 * @gpr: the registers
 * @reg: 0 ... 15, or HVM_REG_HIGH + 0 ... 3
 * @size: bytes: 1, 2, 4, 8
 *
 * Return: the value, zero-extended.
 */
u64 hvm_reg_read(const u64 gpr[16], unsigned int reg, unsigned int size)
{
	if (reg >= HVM_REG_HIGH)
		return (u8)(gpr[reg & 3] >> 8);
	return gpr[reg] & ~0ull >> (64 - 8 * size);
}

/**
 * hvm_reg_write() - write a general register as the processor does
 * @gpr: the registers
 * @reg: 0 ... 15, or HVM_REG_HIGH + 0 ... 3
 * @size: bytes: 1 and 2 leave the rest of the register, 4 clears it
 * @val: bits above @size are ignored
 */
void hvm_reg_write(u64 gpr[16], unsigned int reg, unsigned int size, u64 val)
{
	if (reg >= HVM_REG_HIGH)
		gpr[reg & 3] = (gpr[reg & 3] & ~0xff00ull) | (u8)val << 8;
	else if (size == 8)
		gpr[reg] = val;
	else if (size == 4)
		gpr[reg] = (u32)val;
	else if (size == 2)
		gpr[reg] = (gpr[reg] & ~0xffffull) | (u16)val;
	else
		gpr[reg] = (gpr[reg] & ~0xffull) | (u8)val;
}

/* BT and kin with a register: the bit may lie outside the addressed operand. */
static s64 bit_displacement(const struct hvm_insn *insn, const u64 gpr[16])
{
	s64 bit = sign_extend(hvm_reg_read(gpr, insn->reg, insn->size), insn->size);

	return (bit >> 3) & ~(s64)(insn->size - 1);
}

/**
 * hvm_insn_offset() - effective address of operand @n inside its segment
 * @insn: the instruction
 * @n: operand number, as for hvm_insn_seg()
 * @gpr: general registers
 * @rip: address of the instruction itself
 *
 * Return: the offset, cut to the address size.
 */
u64 hvm_insn_offset(const struct hvm_insn *insn, unsigned int n,
		    const u64 gpr[16], u64 rip)
{
	u64 ea = insn->disp;

	if (n)
		ea = gpr[HVM_REG_RDI];
	else if (insn->base < 16)
		ea += gpr[insn->base];
	else if (insn->base == HVM_REG_RIP)
		ea += rip + insn->len;
	if (insn->index < 16)
		ea += gpr[insn->index] << insn->scale;
	if (insn->op >= HVM_OP_BT && insn->op <= HVM_OP_BTC &&
	    !(insn->flags & HVM_INSN_IMM))
		ea += bit_displacement(insn, gpr);
	return ea & ~0ull >> (64 - 8 * insn->adsize);
}

#define ARITH_FLAGS	(X86_EFLAGS_CF | X86_EFLAGS_PF | X86_EFLAGS_AF | \
			 X86_EFLAGS_ZF | X86_EFLAGS_SF | X86_EFLAGS_OF)

static u64 alu_bit(unsigned int op, unsigned int size, u64 dst, u64 src, u64 *rflags)
{
	u64 bit = 1ull << (src & (8 * size - 1));

	*rflags &= ~(u64)X86_EFLAGS_CF;
	if (dst & bit)
		*rflags |= X86_EFLAGS_CF;
	return op == HVM_OP_BTS ? dst | bit : op == HVM_OP_BTR ? dst & ~bit :
	       op == HVM_OP_BTC ? dst ^ bit : dst;
}

/* All arithmetic flags from the result and the vector of carries out. */
static u64 alu_flags(u64 r, u64 carry, u64 sign)
{
	u64 f = 0;

	if (carry & sign)
		f |= X86_EFLAGS_CF;
	if (carry & 8)
		f |= X86_EFLAGS_AF;
	if ((carry ^ carry << 1) & sign)
		f |= X86_EFLAGS_OF;
	if (r & sign)
		f |= X86_EFLAGS_SF;
	if (!r)
		f |= X86_EFLAGS_ZF;
	if (0x9669 >> ((r ^ r >> 4) & 15) & 1)	/* even number of ones */
		f |= X86_EFLAGS_PF;
	return f;
}

/**
 * hvm_insn_alu() - what an ALU operation does to its destination and RFLAGS
 * @op: HVM_OP_ADD ... HVM_OP_BTC
 * @size: operand size in bytes: 1, 2, 4, 8
 * @dst: destination operand; bits above @size are ignored
 * @src: source operand, likewise; the bit number for BT and kin
 * @rflags: changed in place; flags the manuals call undefined come out as
 *	processors leave them (AF clear for logic, all but CF kept for BT)
 *
 * Return: the result; for CMP the difference, for TEST the conjunction.
 */
u64 hvm_insn_alu(unsigned int op, unsigned int size, u64 dst, u64 src,
		 u64 *rflags)
{
	u64 mask = ~0ull >> (64 - 8 * size), sign = 1ull << (8 * size - 1);
	u64 change = ARITH_FLAGS, cf = *rflags & X86_EFLAGS_CF;
	u64 r, carry = 0;

	dst &= mask;
	src &= mask;
	if (op >= HVM_OP_BT && op <= HVM_OP_BTC)
		return alu_bit(op, size, dst, src, rflags);
	if (op == HVM_OP_INC || op == HVM_OP_DEC) {
		change &= ~(u64)X86_EFLAGS_CF;
		src = 1;
	} else if (op == HVM_OP_NEG) {
		src = dst;
		dst = 0;
	}
	if (op != HVM_OP_ADC && op != HVM_OP_SBB)
		cf = 0;

	switch (op) {
	case HVM_OP_ADD: case HVM_OP_ADC: case HVM_OP_INC:
		r = (dst + src + cf) & mask;
		carry = (dst & src) | ((dst | src) & ~r);
		break;
	case HVM_OP_SUB: case HVM_OP_SBB: case HVM_OP_CMP:
	case HVM_OP_DEC: case HVM_OP_NEG:
		r = (dst - src - cf) & mask;
		carry = (~dst & src) | ((~dst | src) & r);
		break;
	case HVM_OP_AND: case HVM_OP_TEST:
		r = dst & src;
		break;
	case HVM_OP_OR:
		r = dst | src;
		break;
	case HVM_OP_XOR:
		r = dst ^ src;
		break;
	default:	/* NOT: no flags */
		return ~dst & mask;
	}
	*rflags = (*rflags & ~change) | (alu_flags(r, carry, sign) & change);
	return r;
}

/* Always writes memory: what was there, if the comparison failed. */
static u64 cmpxchg(const struct hvm_insn *insn, u64 mem, u64 gpr[16], u64 *rflags)
{
	unsigned int size = insn->size;

	hvm_insn_alu(HVM_OP_CMP, size, gpr[HVM_REG_RAX], mem, rflags);
	if (*rflags & X86_EFLAGS_ZF)
		return hvm_reg_read(gpr, insn->reg, size);
	hvm_reg_write(gpr, HVM_REG_RAX, size, mem);
	return mem;
}

/**
 * hvm_insn_finish() - carry out the instruction on values already loaded
 * @insn: the instruction
 * @mem: memory operands as loaded; INS: @mem[0] is what the port gave
 * @gpr: general registers, updated; string indexes and counts are not touched
 * @rflags: updated
 * @store: value for operand hvm_insn_dst(), if true is returned
 *
 * Does nothing for HVM_OP_OUTS, HINT and SYS.
 *
 * Return: whether @store is to be written to memory.
 */
bool hvm_insn_finish(const struct hvm_insn *insn, const u64 mem[2], u64 gpr[16],
		     u64 *rflags, u64 *store)
{
	unsigned int size = insn->size, op = insn->op;
	u64 mask = ~0ull >> (64 - 8 * size);
	bool load = insn->flags & HVM_INSN_LOAD;
	u64 reg, dst, src;

	if (op >= HVM_OP_OUTS)
		return false;
	reg = insn->flags & HVM_INSN_IMM ? (u64)insn->imm :
	      hvm_reg_read(gpr, insn->reg, insn->regsize);
	dst = load ? reg : mem[0] & mask;
	src = load ? mem[0] & mask : reg;

	switch (op) {
	case HVM_OP_MOV: case HVM_OP_MOVZX: case HVM_OP_STOS: case HVM_OP_LODS:
		dst = src;
		break;
	case HVM_OP_MOVS: case HVM_OP_INS:
		break;
	case HVM_OP_MOVSX:
		dst = sign_extend(src, size);
		break;
	case HVM_OP_MOVBE:
		dst = __builtin_bswap64(src) >> (64 - 8 * size);
		break;
	case HVM_OP_XADD: case HVM_OP_XCHG:
		if (op == HVM_OP_XADD)
			src = hvm_insn_alu(HVM_OP_ADD, size, dst, reg, rflags);
		hvm_reg_write(gpr, insn->reg, size, dst);
		dst = src;
		break;
	case HVM_OP_CMPXCHG:
		dst = cmpxchg(insn, dst, gpr, rflags);
		break;
	case HVM_OP_SCAS:
		hvm_insn_alu(HVM_OP_CMP, size, dst, src, rflags);
		return false;
	case HVM_OP_CMPS:
		hvm_insn_alu(HVM_OP_CMP, size, dst, mem[1], rflags);
		return false;
	default:
		dst = hvm_insn_alu(op, size, dst, src, rflags);
		if (op == HVM_OP_CMP)
			return false;
	}
	if (load)
		hvm_reg_write(gpr, insn->reg, insn->regsize, dst);
	else
		*store = dst & mask;
	return insn->flags & HVM_INSN_WRITE;
}

/**
 * hvm_insn_step() - move a string instruction on after its accesses
 * @insn: an instruction with HVM_INSN_STRING
 * @n: iterations carried out, at most hvm_insn_count(); 0 if that was 0
 * @gpr: indexes and, under REP, the count are updated
 * @rflags: DF, and ZF as hvm_insn_finish() left it
 *
 * Return: true if there are more iterations; false: move RIP past it.
 */
bool hvm_insn_step(const struct hvm_insn *insn, u64 n, u64 gpr[16], u64 rflags)
{
	u64 delta = n * insn->size, count;
	bool two = insn->op == HVM_OP_MOVS || insn->op == HVM_OP_CMPS;

	if (!n)
		return false;
	if (rflags & X86_EFLAGS_DF)
		delta = -delta;
	hvm_reg_write(gpr, insn->base, insn->adsize, gpr[insn->base] + delta);
	if (two)
		hvm_reg_write(gpr, HVM_REG_RDI, insn->adsize, gpr[HVM_REG_RDI] + delta);
	if (!insn->rep)
		return false;
	count = hvm_reg_read(gpr, HVM_REG_RCX, insn->adsize) - n;
	hvm_reg_write(gpr, HVM_REG_RCX, insn->adsize, count);
	if (!count)
		return false;
	if (insn->op == HVM_OP_CMPS || insn->op == HVM_OP_SCAS)
		return !(rflags & X86_EFLAGS_ZF) == (insn->rep == 0xf2);
	return true;
}
