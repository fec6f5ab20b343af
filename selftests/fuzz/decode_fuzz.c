// SPDX-License-Identifier: GPL-2.0-only
/*
 * libFuzzer target for kmod/x86/decode.c, with address and undefined-behaviour
 * sanitizers: any bytes, any registers, each code size.
 *
 * The first byte picks the code size, the next sixteen seed the registers, the
 * rest are instruction bytes. They are decoded from an exact-size heap block,
 * so that a read past the end is seen. Then what must always hold is checked:
 *
 *  - the verdict depends on the instruction's own bytes and nothing behind it;
 *  - each proper prefix asks for more bytes;
 *  - every field is within its range, and reads and writes agree with the form;
 *  - address, result and string step stay inside what the kernel gives them.
 */
#include <stdlib.h>
#include <string.h>
#include "decode.h"

#define CHECK(x)	do { if (!(x)) __builtin_trap(); } while (0)

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static bool gpr_ok(u8 reg, bool high)
{
	return reg < 16 || (high && reg >= HVM_REG_HIGH && reg < HVM_REG_HIGH + 4);
}

static bool size_ok(u8 size)
{
	return size == 1 || size == 2 || size == 4 || size == 8;
}

static void check_fields(const struct hvm_insn *i, unsigned int avail, unsigned int mode)
{
	CHECK(i->len >= 1 && i->len <= HVM_INSN_MAX && i->len <= avail);
	CHECK(i->op > HVM_OP_NONE && i->op < HVM_OP_COUNT && i->mode == mode);
	CHECK(size_ok(i->size) && size_ok(i->regsize));
	CHECK(i->adsize == 2 || i->adsize == 4 || i->adsize == 8);
	CHECK(mode == HVM_CODE64 ? i->adsize >= 4 : i->adsize <= 4);
	CHECK(i->seg <= HVM_SREG_NONE && (mode == HVM_CODE64 || i->seg != HVM_SREG_NONE));
	CHECK(mode != HVM_CODE64 || i->seg >= HVM_SREG_FS);
	CHECK(gpr_ok(i->base, false) || i->base == HVM_REG_NONE || i->base == HVM_REG_RIP);
	CHECK((gpr_ok(i->index, false) && i->index != HVM_REG_RSP) || i->index == HVM_REG_NONE);
	CHECK(i->scale < 4 && gpr_ok(i->reg, i->size == 1 || i->op == HVM_OP_SYS));
	CHECK(mode == HVM_CODE64 || i->base < 8 || i->base == HVM_REG_NONE);
	CHECK(!i->lock || (i->flags & HVM_INSN_LOCKOK && i->flags & HVM_INSN_WRITE));
	CHECK(!i->rep || i->rep == 0xf2 || i->rep == 0xf3);
	CHECK(!(i->flags & HVM_INSN_LOAD) || !(i->flags & HVM_INSN_WRITE));
	CHECK(mode == HVM_CODE64 || i->size < 8);
}

static void check_bytes(const struct hvm_insn *i, const u8 *buf, unsigned int mode)
{
	struct hvm_insn again;
	u8 copy[32];

	memset(copy, 0xa5, sizeof(copy));
	memcpy(copy, buf, i->len);
	CHECK(!hvm_insn_decode(&again, copy, sizeof(copy), mode));
	CHECK(!memcmp(i, &again, sizeof(again)));
	for (unsigned int n = 0; n < i->len; n++)
		CHECK(hvm_insn_decode(&again, copy, n, mode) == HVM_INSN_MORE);
}

static void run(const struct hvm_insn *i, u64 gpr[16], u64 seed)
{
	u64 mem[2] = { seed * 3, seed * 5 }, flags = seed, store = 0, count;
	u64 before[16];
	bool wrote;

	for (unsigned int n = 0; n < 2; n++) {
		u64 off = hvm_insn_offset(i, n, gpr, seed);

		CHECK(hvm_insn_seg(i, n) <= HVM_SREG_NONE);
		CHECK(i->adsize == 8 || !(off >> (8 * i->adsize)));
		CHECK(i->mode == HVM_CODE64 || !(hvm_insn_ea(i, n, gpr, seed, seed) >> 32));
	}
	memcpy(before, gpr, sizeof(before));
	wrote = hvm_insn_finish(i, mem, gpr, &flags, &store);
	CHECK(wrote == !!(i->flags & HVM_INSN_WRITE));
	CHECK(!wrote || i->size == 8 || !(store >> (8 * i->size)));
	CHECK(!((flags ^ seed) & ~0x8d5ull));
	if (!(i->flags & HVM_INSN_STRING)) {
		CHECK(hvm_insn_count(i, gpr) == 1);
		return;
	}
	/* The count never grows, and one step takes one from it. */
	count = hvm_insn_count(i, gpr);
	if (count) {
		bool more = hvm_insn_step(i, 1, gpr, flags);

		CHECK(!more || (i->rep && hvm_insn_count(i, gpr) == count - 1 && count > 1));
	} else {
		CHECK(!hvm_insn_step(i, 0, gpr, flags));
	}
	CHECK(gpr[HVM_REG_RBX] == before[HVM_REG_RBX] && gpr[15] == before[15]);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	unsigned int mode, avail;
	u64 gpr[16], seed[2];
	struct hvm_insn insn;
	u8 *buf;
	int ret;

	if (size < 18)
		return 0;
	mode = HVM_CODE16 << data[0] % 3;
	memcpy(seed, data + 1, 16);
	for (int n = 0; n < 16; n++)
		gpr[n] = seed[n & 1] * (2 * n + 1) ^ seed[~n & 1] >> n;
	avail = size - 17;
	buf = malloc(avail);
	memcpy(buf, data + 17, avail);

	ret = hvm_insn_decode(&insn, buf, avail, mode);
	CHECK(ret == 0 || ret == HVM_INSN_MORE || ret == HVM_INSN_UNSUPPORTED ||
	      ret == HVM_INSN_ILLEGAL);
	CHECK(ret != HVM_INSN_MORE || avail < HVM_INSN_MAX);
	if (!ret) {
		check_fields(&insn, avail, mode);
		check_bytes(&insn, buf, mode);
		run(&insn, gpr, seed[0]);
	}
	free(buf);
	return 0;
}
