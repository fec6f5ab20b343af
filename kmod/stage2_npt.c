// SPDX-License-Identifier: GPL-2.0-only
/*
 * stage2_npt.c - stage-2 entries in AMD-V's nested-paging format
 *
 * Nested page tables are ordinary long-mode page tables (APM volume 2,
 * "Nested Paging"), walked as if by user accesses: the U/S bit must be set on
 * every level. The host's EFER.NXE is on, so NX works. Accessed and dirty bits
 * are always set by the processor. Where the host encrypts its memory, each
 * address carries the C-bit.
 *
 * Only constants and pure functions: no locks.
 */
#include <linux/mem_encrypt.h>
#include <asm/pgtable_types.h>
#include "hvm.h"

#define NPT_P		BIT_ULL(0)
#define NPT_W		BIT_ULL(1)
#define NPT_US		BIT_ULL(2)
#define NPT_PWT		BIT_ULL(3)
#define NPT_PCD		BIT_ULL(4)
#define NPT_A		BIT_ULL(5)
#define NPT_D		BIT_ULL(6)
#define NPT_PS		BIT_ULL(7)
#define NPT_SOFT_LOG	BIT_ULL(53)	/* 58:52 are for software */
#define NPT_NX		BIT_ULL(63)
#define NPT_ADDR	GENMASK_ULL(51, 12)

static_assert(NPT_P == _PAGE_PRESENT && NPT_W == _PAGE_RW && NPT_US == _PAGE_USER);
static_assert(NPT_PWT == _PAGE_PWT && NPT_PCD == _PAGE_PCD && NPT_PS == _PAGE_PSE);
static_assert(NPT_A == _PAGE_ACCESSED && NPT_D == _PAGE_DIRTY && NPT_NX == _PAGE_NX);
static_assert(!(NPT_ADDR & (NPT_SOFT_LOG | NPT_NX | NPT_PS)));

static u64 npt_table(u64 table_pa)
{
	return __sme_set(table_pa) | NPT_P | NPT_W | NPT_US | NPT_A;
}

/* A and D are preset where they would be set at once: it saves the walker a locked update. */
static u64 npt_leaf(u64 pa, int level, bool write, bool exec, bool dirty,
		    bool uncached)
{
	u64 e = pa | NPT_P | NPT_US | NPT_A;

	if (level > 1)
		e |= NPT_PS;
	if (write)
		e |= NPT_W;
	if (dirty)
		e |= NPT_D;
	if (!exec)
		e |= NPT_NX;
	if (uncached)
		return e | NPT_PCD | NPT_PWT;
	return __sme_set(e);
}

struct hvm_pt_format hvm_npt_format = {
	.table		= npt_table,
	.leaf		= npt_leaf,
	.present	= NPT_P,
	.large		= NPT_PS,
	.write		= NPT_W,
	.accessed	= NPT_A,
	.dirty		= NPT_D,
	.soft_dirty_log	= NPT_SOFT_LOG,
	.addr_mask	= NPT_ADDR,
	.host_levels	= true,
};
