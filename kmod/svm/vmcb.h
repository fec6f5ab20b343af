/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vmcb.h - the virtual machine control block and its codes
 *
 * AMD APM volume 2, appendix B (layout) and C (exit codes). The kernel's own
 * header renames fields from release to release, so hvm carries the layout.
 */
#ifndef HVM_SVM_VMCB_H
#define HVM_SVM_VMCB_H

#include <linux/build_bug.h>
#include <linux/stddef.h>
#include <linux/types.h>

struct vmcb_seg {
	u16 selector;
	u16 attrib;		/* descriptor bits 55:52 and 47:40 */
	u32 limit;
	u64 base;
};

struct vmcb_control {
	u32 intercept_cr;		/* 000: reads 15:0, writes 31:16 */
	u32 intercept_dr;		/* 004 */
	u32 intercept_exception;	/* 008 */
	u32 intercept1;			/* 00c */
	u32 intercept2;			/* 010 */
	u32 intercept3;			/* 014 */
	u8 reserved_018[0x24];
	u16 pause_filter_threshold;	/* 03c */
	u16 pause_filter_count;		/* 03e */
	u64 iopm_base_pa;		/* 040 */
	u64 msrpm_base_pa;		/* 048 */
	u64 tsc_offset;			/* 050 */
	u32 asid;			/* 058 */
	u8 tlb_control;			/* 05c */
	u8 reserved_05d[3];
	u32 int_ctl;			/* 060 */
	u32 int_vector;			/* 064 */
	u32 int_state;			/* 068 */
	u32 reserved_06c;
	u64 exit_code;			/* 070 */
	u64 exit_info_1;		/* 078 */
	u64 exit_info_2;		/* 080 */
	u64 exit_int_info;		/* 088: error code in 63:32 */
	u64 nested_ctl;			/* 090 */
	u64 avic_bar;			/* 098 */
	u64 ghcb_pa;			/* 0a0 */
	u64 event_inj;			/* 0a8: error code in 63:32 */
	u64 nested_cr3;			/* 0b0 */
	u64 virt_ext;			/* 0b8 */
	u32 clean;			/* 0c0 */
	u32 reserved_0c4;
	u64 next_rip;			/* 0c8 */
	u8 insn_len;			/* 0d0 */
	u8 insn_bytes[15];
	u8 reserved_0e0[0x320];
};

struct vmcb_save {
	struct vmcb_seg es, cs, ss, ds, fs, gs, gdtr, ldtr, idtr, tr;	/* 400 */
	u8 reserved_4a0[0x2b];
	u8 cpl;				/* 4cb */
	u32 reserved_4cc;
	u64 efer;			/* 4d0 */
	u8 reserved_4d8[0x70];
	u64 cr4, cr3, cr0, dr7, dr6, rflags, rip;	/* 548 */
	u8 reserved_580[0x58];
	u64 rsp;			/* 5d8 */
	u64 s_cet, ssp, isst_addr;
	u64 rax;			/* 5f8 */
	u64 star, lstar, cstar, sfmask, kernel_gs_base;
	u64 sysenter_cs, sysenter_esp, sysenter_eip, cr2;
	u8 reserved_648[0x20];
	u64 g_pat;			/* 668 */
	u64 dbgctl;
	u8 reserved_678[0x68];
	u64 spec_ctrl;			/* 6e0 */
	u8 reserved_6e8[0x918];
};

struct vmcb {
	struct vmcb_control control;
	struct vmcb_save save;
};

static_assert(sizeof(struct vmcb_control) == 0x400);
static_assert(sizeof(struct vmcb) == 0x1000);
static_assert(offsetof(struct vmcb, control.pause_filter_threshold) == 0x03c);
static_assert(offsetof(struct vmcb, control.exit_code) == 0x070);
static_assert(offsetof(struct vmcb, control.event_inj) == 0x0a8);
static_assert(offsetof(struct vmcb, control.insn_bytes) == 0x0d1);
static_assert(offsetof(struct vmcb, save.cpl) == 0x4cb);
static_assert(offsetof(struct vmcb, save.efer) == 0x4d0);
static_assert(offsetof(struct vmcb, save.cr4) == 0x548);
static_assert(offsetof(struct vmcb, save.rsp) == 0x5d8);
static_assert(offsetof(struct vmcb, save.rax) == 0x5f8);
static_assert(offsetof(struct vmcb, save.cr2) == 0x640);
static_assert(offsetof(struct vmcb, save.g_pat) == 0x668);
static_assert(offsetof(struct vmcb, save.spec_ctrl) == 0x6e0);

/* intercept_cr */
#define CR_READ(n)		BIT(n)
#define CR_WRITE(n)		BIT(16 + (n))

/* intercept1 */
#define I1_INTR			BIT(0)
#define I1_NMI			BIT(1)
#define I1_SMI			BIT(2)
#define I1_INIT			BIT(3)
#define I1_VINTR		BIT(4)
#define I1_CR0_SEL_WRITE	BIT(5)
#define I1_RDPMC		BIT(15)
#define I1_CPUID		BIT(18)
#define I1_IRET			BIT(20)
#define I1_INVD			BIT(22)
#define I1_PAUSE		BIT(23)
#define I1_HLT			BIT(24)
#define I1_INVLPGA		BIT(26)
#define I1_IOIO			BIT(27)
#define I1_MSR			BIT(28)
#define I1_SHUTDOWN		BIT(31)

/* intercept2 */
#define I2_VMRUN		BIT(0)
#define I2_VMMCALL		BIT(1)
#define I2_VMLOAD		BIT(2)
#define I2_VMSAVE		BIT(3)
#define I2_STGI			BIT(4)
#define I2_CLGI			BIT(5)
#define I2_SKINIT		BIT(6)
#define I2_RDTSCP		BIT(7)
#define I2_WBINVD		BIT(9)
#define I2_MONITOR		BIT(10)
#define I2_MWAIT		BIT(11)
#define I2_XSETBV		BIT(13)
#define I2_RDPRU		BIT(14)

#define FLUSH_NOTHING	0
#define FLUSH_ALL		1
#define FLUSH_ASID		3

/* int_ctl */
#define V_TPR			0xfU		/* CR8's four bits */
#define V_IRQ			BIT(8)
#define V_INTR_PRIO		(0xfU << 16)
#define V_IGN_TPR		BIT(20)
#define V_INTR_MASKING		BIT(24)

#define INT_SHADOW		BIT(0)		/* int_state */
#define NESTED_PAGING		BIT(0)		/* nested_ctl */

/* clean: what the processor may take from its cache */
#define CLEAN_INTERCEPTS	BIT(0)
#define CLEAN_PERM_MAPS		BIT(1)
#define CLEAN_ASID		BIT(2)
#define CLEAN_INTR		BIT(3)
#define CLEAN_NPT		BIT(4)
#define CLEAN_CR		BIT(5)
#define CLEAN_DR		BIT(6)
#define CLEAN_DT		BIT(7)
#define CLEAN_SEG		BIT(8)
#define CLEAN_CR2		BIT(9)
#define CLEAN_ALL		0x3ffU

/* exit_code */
#define X_CR_READ		0x000
#define X_CR_WRITE		0x010
#define X_DR_READ		0x020
#define X_DR_LAST		0x03f
#define X_EXCEPTION		0x040
#define X_EXCEPTION_LAST	0x05f
#define X_INTR			0x060
#define X_NMI			0x061
#define X_SMI			0x062
#define X_INIT			0x063
#define X_VINTR			0x064
#define X_CR0_SEL_WRITE		0x065
#define X_RDPMC			0x06f
#define X_CPUID			0x072
#define X_IRET			0x074
#define X_INVD			0x076
#define X_PAUSE			0x077
#define X_HLT			0x078
#define X_INVLPGA		0x07a
#define X_IOIO			0x07b
#define X_MSR			0x07c
#define X_SHUTDOWN		0x07f
#define X_VMRUN			0x080
#define X_VMMCALL		0x081
#define X_SKINIT		0x086
#define X_RDTSCP		0x087
#define X_WBINVD		0x089
#define X_MONITOR		0x08a
#define X_MWAIT			0x08b
#define X_MWAIT_COND		0x08c
#define X_XSETBV		0x08d
#define X_RDPRU			0x08e
#define X_NPF			0x400
#define X_INVALID		(~0ULL)

/* exit_info_1 of IOIO */
#define IOIO_IN			BIT(0)
#define IOIO_STRING		BIT(2)
#define IOIO_REP		BIT(3)

/* exit_info_1 of a nested page fault */
#define NPF_WRITE		BIT_ULL(1)
#define NPF_FETCH		BIT_ULL(4)
#define NPF_TABLE_WALK		BIT_ULL(33)

/* CPUID 0x8000000a EDX */
#define SVM_NP			BIT(0)
#define SVM_NRIPS		BIT(3)
#define SVM_FLUSH_BY_ASID	BIT(6)
#define SVM_DECODE_ASSISTS	BIT(7)
#define SVM_PAUSE_FILTER	BIT(10)
#define SVM_PAUSE_THRESHOLD	BIT(12)
#define SVM_SPEC_CTRL		BIT(20)

#define VM_CR_SVMDIS		BIT(4)

#endif
