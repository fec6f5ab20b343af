/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * layout.h: where things lie in the first 2 MiB of a test guest, for C and
 * for assembly. The test's own image lies above, at its own addresses.
 */
#ifndef SELFTESTS_LAYOUT_H
#define SELFTESTS_LAYOUT_H

#define LOW_SIZE		0x200000
#define LOW_PML4		0x1000
#define LOW_PDPT		0x2000
#define LOW_PD			0x3000	/* four pages: 4 GiB of 2 MiB pages */
#define LOW_TRAMP		0x8000	/* start-up IPI vector 8 */
#define LOW_GDT			0x9000
#define LOW_GDT_SIZE		0x400
#define LOW_IDT			0xa000
#define LOW_TSS			0xb000	/* 128 bytes for each vCPU */
#define LOW_BLOB		0xc000	/* code that must run below 64 KiB */
#define LOW_STACKS		0x10000
#define LOW_STACK_SIZE		0x2000	/* the upper half: ring 0 */
#define LOW_MAX_VCPUS		24
#define LOW_POOL		0x40000	/* gvm_alloc() takes pages from here */

#define SEL_CODE64		0x08
#define SEL_DATA		0x10
#define SEL_CODE32		0x18
#define SEL_CODE16		0x20
#define SEL_DATA16		0x28
#define SEL_UCODE64		0x33
#define SEL_UDATA		0x3b
#define SEL_TSS(id)		(0x40 + (id) * 16)

#endif /* SELFTESTS_LAYOUT_H */
