// SPDX-License-Identifier: GPL-2.0-only
/*
 * stage2_ept.c - stage-2 entries in VT-x's EPT format
 *
 * An entry is present when any of R, W, X is set (SDM volume 3, "The Extended
 * Page-Table Mechanism"). Leaves say the memory type: write-back combined with
 * the guest's PAT (the ignore-PAT bit stays clear), or uncacheable for device
 * memory. Accessed and dirty bits exist only if the EPT pointer enables them;
 * on a processor without, the backend sets .accessed and .dirty to 0 when it is
 * loaded, and the preset bits are ignored by the hardware.
 *
 * Only constants and pure functions: no locks.
 */
#include "hvm.h"

#define EPT_R		BIT_ULL(0)
#define EPT_W		BIT_ULL(1)
#define EPT_X		BIT_ULL(2)
#define EPT_RWX		(EPT_R | EPT_W | EPT_X)
#define EPT_TYPE_UC	(0ULL << 3)
#define EPT_TYPE_WB	(6ULL << 3)
#define EPT_TYPE	(7ULL << 3)
#define EPT_IPAT	BIT_ULL(6)
#define EPT_LARGE	BIT_ULL(7)
#define EPT_A		BIT_ULL(8)
#define EPT_D		BIT_ULL(9)
#define EPT_SOFT_LOG	BIT_ULL(53)	/* 56:52 are ignored by the processor */
#define EPT_ADDR	GENMASK_ULL(51, 12)

static_assert(!(EPT_TYPE & (EPT_RWX | EPT_IPAT | EPT_LARGE | EPT_A | EPT_D)));
static_assert(!(EPT_ADDR & (EPT_SOFT_LOG | EPT_D | EPT_TYPE)));

static u64 ept_table(u64 table_pa)
{
	return table_pa | EPT_RWX | EPT_A;
}

static u64 ept_leaf(u64 pa, int level, bool write, bool exec, bool dirty,
		    bool uncached)
{
	u64 e = pa | EPT_R | EPT_A;

	if (level > 1)
		e |= EPT_LARGE;
	if (write)
		e |= EPT_W;
	if (exec)
		e |= EPT_X;
	if (dirty)
		e |= EPT_D;
	return e | (uncached ? EPT_TYPE_UC : EPT_TYPE_WB);
}

struct hvm_pt_format hvm_ept_format = {
	.table		= ept_table,
	.leaf		= ept_leaf,
	.present	= EPT_RWX,
	.large		= EPT_LARGE,
	.write		= EPT_W,
	.accessed	= EPT_A,
	.dirty		= EPT_D,
	.soft_dirty_log	= EPT_SOFT_LOG,
	.addr_mask	= EPT_ADDR,
};
