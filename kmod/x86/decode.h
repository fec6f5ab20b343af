/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Decoder for the x86 instructions that touch device memory and ports.
 *
 * Owns struct hvm_insn and the pure functions over it. The same two files
 * build in the kernel and as a userspace library: freestanding C, no globals
 * that change, no allocation, no access to guest memory, no locks.
 *
 * One instruction is carried out by its caller in steps, and the caller does
 * all the accesses:
 *
 *	hvm_insn_decode()	bytes -> struct hvm_insn
 *	hvm_insn_ea()		linear address of operand 0 (and 1: MOVS, CMPS)
 *	(load)			if HVM_INSN_READ / HVM_INSN_READ1
 *	hvm_insn_finish()	registers, RFLAGS, value to store
 *	(store)			if it returned true, to hvm_insn_dst()
 *	hvm_insn_step()		string forms: indexes and count
 *	rip += len		unless hvm_insn_step() wants another round
 */
#ifndef HVM_X86_DECODE_H
#define HVM_X86_DECODE_H

#ifdef __KERNEL__
#include <linux/errno.h>
#include <linux/types.h>
#else
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;
#endif

#define HVM_INSN_MAX		15	/* bytes in the longest instruction */

/* What hvm_insn_decode() returns besides 0. */
#define HVM_INSN_MORE		(-ENODATA)	/* fetch more bytes, ask again */
#define HVM_INSN_UNSUPPORTED	(-EOPNOTSUPP)	/* real, but not known here */
#define HVM_INSN_ILLEGAL	(-EILSEQ)	/* too long, or a misplaced LOCK: #UD */

/* Code segment size; the value is the default address size in bytes. */
#define HVM_CODE16		2	/* real mode, virtual-8086, 16-bit segment */
#define HVM_CODE32		4
#define HVM_CODE64		8

/* Segments in architectural order; NONE is a base of 0 (64-bit mode). */
enum hvm_sreg {
	HVM_SREG_ES, HVM_SREG_CS, HVM_SREG_SS, HVM_SREG_DS, HVM_SREG_FS, HVM_SREG_GS,
	HVM_SREG_NONE,
};

/* Registers in architectural order, then what is not a plain GPR. */
enum hvm_reg {
	HVM_REG_RAX, HVM_REG_RCX, HVM_REG_RDX, HVM_REG_RBX,
	HVM_REG_RSP, HVM_REG_RBP, HVM_REG_RSI, HVM_REG_RDI,
	HVM_REG_HIGH = 0x14,	/* AH, CH, DH, BH are 0x14 ... 0x17 */
	HVM_REG_RIP = 0x20,
	HVM_REG_NONE = 0x21,
};

/* Order matters: op_flags[] names ranges, and group 1 its low three bits. */
enum hvm_op {
	HVM_OP_NONE,
	HVM_OP_ADD = 8, HVM_OP_OR, HVM_OP_ADC, HVM_OP_SBB,
	HVM_OP_AND, HVM_OP_SUB, HVM_OP_XOR, HVM_OP_CMP,
	HVM_OP_TEST, HVM_OP_BT, HVM_OP_BTS, HVM_OP_BTR, HVM_OP_BTC,
	HVM_OP_NOT, HVM_OP_NEG, HVM_OP_INC, HVM_OP_DEC,
	HVM_OP_XCHG, HVM_OP_XADD, HVM_OP_CMPXCHG,
	HVM_OP_MOV, HVM_OP_MOVBE, HVM_OP_STOS, HVM_OP_INS,
	HVM_OP_MOVZX, HVM_OP_MOVSX,
	HVM_OP_MOVS, HVM_OP_CMPS, HVM_OP_LODS, HVM_OP_SCAS, HVM_OP_OUTS,
	HVM_OP_HINT,		/* cache hints: nothing to do */
	HVM_OP_SYS,		/* intercepted, no memory operand: length only */
	HVM_OP_COUNT,
};

#define HVM_INSN_READ	0x01	/* operand 0 is read */
#define HVM_INSN_READ1	0x02	/* operand 1 is read (CMPS) */
#define HVM_INSN_WRITE	0x04	/* memory is written: operand hvm_insn_dst() */
#define HVM_INSN_LOCKOK	0x08	/* LOCK may prefix this form */
#define HVM_INSN_LOAD	0x10	/* the register is the destination */
#define HVM_INSN_IMM	0x20	/* the source is @imm, not @reg */
#define HVM_INSN_STRING	0x40	/* hvm_insn_step() must follow */

/**
 * struct hvm_insn - a decoded instruction
 * @len: bytes, all prefixes included; 1 ... 15
 * @op: enum hvm_op
 * @flags: HVM_INSN_*
 * @mode: HVM_CODE16/32/64 it was decoded for
 * @size: bytes of the memory operand: 1, 2, 4, 8
 * @regsize: bytes of the register operand; differs for MOVZX and MOVSX
 * @adsize: address size in bytes: 2, 4, 8
 * @seg: segment of operand 0, override applied
 * @base: base register, HVM_REG_RIP or HVM_REG_NONE; SYS: the ModRM r/m register
 * @index: index register or HVM_REG_NONE
 * @scale: log2 of the index scale
 * @reg: register operand: 0 ... 15, or HVM_REG_HIGH + 0 ... 3; for
 *	MOV to and from CR/DR the control or debug register
 * @rep: 0, 0xf2 (REPNE) or 0xf3 (REP, REPE)
 * @lock: there was a LOCK prefix
 * @opcode: last opcode byte, 0x0f00 or 0x3800 added for the two- and three-byte maps
 * @disp: displacement, sign-extended; the address itself for the moffs forms
 * @imm: immediate, sign-extended
 */
struct hvm_insn {
	u8 len, op, flags, mode;
	u8 size, regsize, adsize, seg;
	u8 base, index, scale, reg;
	u8 rep, lock;
	u16 opcode;
	s64 disp;
	s64 imm;
};

int hvm_insn_decode(struct hvm_insn *insn, const u8 *buf, unsigned int avail,
		    unsigned int mode);
u64 hvm_insn_offset(const struct hvm_insn *insn, unsigned int n,
		    const u64 gpr[16], u64 rip);
u64 hvm_insn_alu(unsigned int op, unsigned int size, u64 dst, u64 src,
		 u64 *rflags);
bool hvm_insn_finish(const struct hvm_insn *insn, const u64 mem[2], u64 gpr[16],
		     u64 *rflags, u64 *store);
bool hvm_insn_step(const struct hvm_insn *insn, u64 n, u64 gpr[16], u64 rflags);
u64 hvm_reg_read(const u64 gpr[16], unsigned int reg, unsigned int size);
void hvm_reg_write(u64 gpr[16], unsigned int reg, unsigned int size, u64 val);

/**
 * hvm_insn_seg() - segment of operand @n
 * @insn: the instruction
 * @n: 0, or 1 for the ES:rDI operand of MOVS and CMPS, which takes no override
 */
static inline unsigned int hvm_insn_seg(const struct hvm_insn *insn, unsigned int n)
{
	if (!n)
		return insn->seg;
	return insn->mode == HVM_CODE64 ? HVM_SREG_NONE : HVM_SREG_ES;
}

/* The operand that is written: MOVS reads operand 0 and writes operand 1. */
static inline unsigned int hvm_insn_dst(const struct hvm_insn *insn)
{
	return insn->op == HVM_OP_MOVS;
}

/**
 * hvm_insn_ea() - linear address of operand @n
 * @insn: the instruction
 * @n: operand number, as for hvm_insn_seg()
 * @gpr: general registers
 * @base: base of segment hvm_insn_seg(@insn, @n); 0 for HVM_SREG_NONE
 * @rip: address of the instruction itself
 */
static inline u64 hvm_insn_ea(const struct hvm_insn *insn, unsigned int n,
			      const u64 gpr[16], u64 base, u64 rip)
{
	u64 ea = hvm_insn_offset(insn, n, gpr, rip) + base;

	return insn->mode == HVM_CODE64 ? ea : (u32)ea;
}

/* Iterations left: the count register under REP, else 1. */
static inline u64 hvm_insn_count(const struct hvm_insn *insn, const u64 gpr[16])
{
	if (!(insn->flags & HVM_INSN_STRING) || !insn->rep)
		return 1;
	return hvm_reg_read(gpr, HVM_REG_RCX, insn->adsize);
}

#endif /* HVM_X86_DECODE_H */
