/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vmcs.h - the VT-x control structure as the manual has it: field encodings
 * (SDM 3 appendix B), control bits (chapter 25), exit reasons (appendix C).
 * Only what hvm uses. Numbers alone: enter.S includes this too.
 */
#ifndef HVM_VMX_VMCS_H
#define HVM_VMX_VMCS_H

/* 16 bits */
#define VMCS_VPID			0x0000
#define VMCS_GUEST_ES_SELECTOR		0x0800	/* then CS, SS, DS, FS, GS, LDTR, TR */
#define VMCS_GUEST_IRQ_STATUS		0x0810	/* RVI; SVI in bits 15:8 */
#define VMCS_GUEST_PML_INDEX		0x0812
#define VMCS_HOST_ES_SELECTOR		0x0c00
#define VMCS_HOST_CS_SELECTOR		0x0c02
#define VMCS_HOST_SS_SELECTOR		0x0c04
#define VMCS_HOST_DS_SELECTOR		0x0c06
#define VMCS_HOST_FS_SELECTOR		0x0c08
#define VMCS_HOST_GS_SELECTOR		0x0c0a
#define VMCS_HOST_TR_SELECTOR		0x0c0c

/* 64 bits */
#define VMCS_MSR_BITMAP			0x2004
#define VMCS_PML_ADDRESS		0x200e
#define VMCS_TSC_OFFSET			0x2010
#define VMCS_VIRTUAL_APIC_PAGE		0x2012
#define VMCS_EPT_POINTER		0x201a
#define VMCS_EOI_EXIT_BITMAP0		0x201c	/* then three more */
#define VMCS_ENCLS_EXITING_BITMAP	0x202e
#define VMCS_TSC_MULTIPLIER		0x2032
#define VMCS_GUEST_PHYSICAL_ADDRESS	0x2400
#define VMCS_LINK_POINTER		0x2800
#define VMCS_GUEST_DEBUGCTL		0x2802
#define VMCS_GUEST_PAT			0x2804
#define VMCS_GUEST_EFER			0x2806
#define VMCS_GUEST_PDPTE0		0x280a
#define VMCS_HOST_PAT			0x2c00
#define VMCS_HOST_EFER			0x2c02

/* 32 bits */
#define VMCS_PIN_CONTROLS		0x4000
#define VMCS_PROC_CONTROLS		0x4002
#define VMCS_EXCEPTION_BITMAP		0x4004
#define VMCS_PF_ERROR_MASK		0x4006
#define VMCS_PF_ERROR_MATCH		0x4008
#define VMCS_CR3_TARGET_COUNT		0x400a
#define VMCS_EXIT_CONTROLS		0x400c
#define VMCS_EXIT_MSR_STORE_COUNT	0x400e
#define VMCS_EXIT_MSR_LOAD_COUNT	0x4010
#define VMCS_ENTRY_CONTROLS		0x4012
#define VMCS_ENTRY_MSR_LOAD_COUNT	0x4014
#define VMCS_ENTRY_INTR_INFO		0x4016
#define VMCS_ENTRY_ERROR_CODE		0x4018
#define VMCS_ENTRY_INSN_LEN		0x401a
#define VMCS_TPR_THRESHOLD		0x401c
#define VMCS_PROC2_CONTROLS		0x401e
#define VMCS_PLE_GAP			0x4020
#define VMCS_PLE_WINDOW			0x4022
#define VMCS_INSTRUCTION_ERROR		0x4400
#define VMCS_EXIT_REASON		0x4402
#define VMCS_EXIT_INTR_INFO		0x4404
#define VMCS_EXIT_ERROR_CODE		0x4406
#define VMCS_IDT_VECTORING_INFO		0x4408
#define VMCS_IDT_VECTORING_ERROR	0x440a
#define VMCS_EXIT_INSN_LEN		0x440c
#define VMCS_EXIT_INSN_INFO		0x440e
#define VMCS_GUEST_ES_LIMIT		0x4800	/* order as the selectors */
#define VMCS_GUEST_GDTR_LIMIT		0x4810
#define VMCS_GUEST_IDTR_LIMIT		0x4812
#define VMCS_GUEST_ES_RIGHTS		0x4814
#define VMCS_GUEST_INTERRUPTIBILITY	0x4824
#define VMCS_GUEST_ACTIVITY		0x4826
#define VMCS_GUEST_SYSENTER_CS		0x482a
#define VMCS_PREEMPTION_TIMER		0x482e
#define VMCS_HOST_SYSENTER_CS		0x4c00

/* natural width */
#define VMCS_CR0_MASK			0x6000
#define VMCS_CR4_MASK			0x6002
#define VMCS_CR0_SHADOW			0x6004
#define VMCS_CR4_SHADOW			0x6006
#define VMCS_EXIT_QUALIFICATION		0x6400
#define VMCS_GUEST_CR0			0x6800
#define VMCS_GUEST_CR3			0x6802
#define VMCS_GUEST_CR4			0x6804
#define VMCS_GUEST_ES_BASE		0x6806	/* order as the selectors */
#define VMCS_GUEST_GDTR_BASE		0x6816
#define VMCS_GUEST_IDTR_BASE		0x6818
#define VMCS_GUEST_DR7			0x681a
#define VMCS_GUEST_RSP			0x681c
#define VMCS_GUEST_RIP			0x681e
#define VMCS_GUEST_RFLAGS		0x6820
#define VMCS_GUEST_PENDING_DEBUG	0x6822
#define VMCS_GUEST_SYSENTER_ESP		0x6824
#define VMCS_GUEST_SYSENTER_EIP		0x6826
#define VMCS_HOST_CR0			0x6c00
#define VMCS_HOST_CR3			0x6c02
#define VMCS_HOST_CR4			0x6c04
#define VMCS_HOST_FS_BASE		0x6c06
#define VMCS_HOST_GS_BASE		0x6c08
#define VMCS_HOST_TR_BASE		0x6c0a
#define VMCS_HOST_GDTR_BASE		0x6c0c
#define VMCS_HOST_IDTR_BASE		0x6c0e
#define VMCS_HOST_SYSENTER_ESP		0x6c10
#define VMCS_HOST_SYSENTER_EIP		0x6c12
#define VMCS_HOST_RSP			0x6c14
#define VMCS_HOST_RIP			0x6c16

/* pin-based controls */
#define PIN_EXTERNAL_INTERRUPTS		(1U << 0)
#define PIN_NMI				(1U << 3)
#define PIN_VIRTUAL_NMIS		(1U << 5)
#define PIN_PREEMPTION_TIMER		(1U << 6)

/* primary processor-based controls */
#define PROC_IRQ_WINDOW			(1U << 2)
#define PROC_TSC_OFFSETTING		(1U << 3)
#define PROC_HLT			(1U << 7)
#define PROC_INVLPG			(1U << 9)
#define PROC_MWAIT			(1U << 10)
#define PROC_RDPMC			(1U << 11)
#define PROC_CR3_LOAD			(1U << 15)
#define PROC_CR3_STORE			(1U << 16)
#define PROC_CR8_LOAD			(1U << 19)
#define PROC_CR8_STORE			(1U << 20)
#define PROC_TPR_SHADOW			(1U << 21)
#define PROC_NMI_WINDOW			(1U << 22)
#define PROC_MOV_DR			(1U << 23)
#define PROC_UNCONDITIONAL_IO		(1U << 24)
#define PROC_MSR_BITMAPS		(1U << 28)
#define PROC_MONITOR			(1U << 29)
#define PROC_SECONDARY			(1U << 31)

/* secondary processor-based controls */
#define PROC2_EPT			(1U << 1)
#define PROC2_RDTSCP			(1U << 3)
#define PROC2_X2APIC			(1U << 4)
#define PROC2_VPID			(1U << 5)
#define PROC2_WBINVD			(1U << 6)
#define PROC2_UNRESTRICTED		(1U << 7)
#define PROC2_APIC_REGISTERS		(1U << 8)
#define PROC2_VIRTUAL_INTERRUPTS	(1U << 9)
#define PROC2_PAUSE_LOOP		(1U << 10)
#define PROC2_INVPCID			(1U << 12)
#define PROC2_ENCLS			(1U << 15)
#define PROC2_PML			(1U << 17)
#define PROC2_TSC_SCALING		(1U << 25)
#define PROC2_PCONFIG			(1U << 27)

/* exit controls */
#define EXIT_SAVE_DEBUG			(1U << 2)
#define EXIT_HOST_64			(1U << 9)
#define EXIT_LOAD_PAT			(1U << 19)
#define EXIT_LOAD_EFER			(1U << 21)
#define EXIT_SAVE_TIMER			(1U << 22)

/* entry controls */
#define ENTRY_LOAD_DEBUG		(1U << 2)
#define ENTRY_GUEST_64			(1U << 9)
#define ENTRY_LOAD_PAT			(1U << 14)
#define ENTRY_LOAD_EFER			(1U << 15)

/* IA32_VMX_BASIC, IA32_VMX_EPT_VPID_CAP */
#define BASIC_TYPE_WB			(6ULL << 50)
#define BASIC_TYPE			(15ULL << 50)
#define BASIC_INS_OUTS			(1ULL << 54)
#define BASIC_TRUE_CONTROLS		(1ULL << 55)
#define EPT_CAP_WALK_4			(1ULL << 6)
#define EPT_CAP_WB			(1ULL << 14)
#define EPT_CAP_2M			(1ULL << 16)
#define EPT_CAP_1G			(1ULL << 17)
#define EPT_CAP_INVEPT			(1ULL << 20)
#define EPT_CAP_AD			(1ULL << 21)
#define EPT_CAP_INVEPT_SINGLE		(1ULL << 25)
#define EPT_CAP_INVVPID			(1ULL << 32)
#define EPT_CAP_INVVPID_SINGLE		(1ULL << 41)

#define EPTP_WB				6ULL
#define EPTP_WALK_4			(3ULL << 3)
#define EPTP_AD				(1ULL << 6)

#define INVALIDATE_SINGLE		1UL

/* access rights of a segment */
#define RIGHTS_ACCESSED			0x1
#define RIGHTS_BUSY			0x2
#define RIGHTS_PRESENT			0x80
#define RIGHTS_L			0x2000
#define RIGHTS_DB			0x4000
#define RIGHTS_UNUSABLE			0x10000

/* interruptibility state, pending debug exceptions */
#define BLOCKED_BY_STI			(1U << 0)
#define BLOCKED_BY_MOV_SS		(1U << 1)
#define BLOCKED_BY_NMI			(1U << 3)
#define PENDING_DEBUG_BS		(1ULL << 14)

/* interruption information, and bit 12 of an EPT violation's qualification */
#define INFO_SOFT_EXCEPTION		(6U << 8)
#define INFO_NMI_UNBLOCKED		(1U << 12)

/* exit reasons */
#define REASON_EXCEPTION		0
#define REASON_INTERRUPT		1
#define REASON_TRIPLE_FAULT		2
#define REASON_IRQ_WINDOW		7
#define REASON_NMI_WINDOW		8
#define REASON_TASK_SWITCH		9
#define REASON_CPUID			10
#define REASON_HLT			12
#define REASON_INVD			13
#define REASON_RDPMC			15
#define REASON_RSM			17
#define REASON_VMCALL			18
#define REASON_VMCLEAR			19
#define REASON_VMXON			27
#define REASON_CR			28
#define REASON_DR			29
#define REASON_IO			30
#define REASON_RDMSR			31
#define REASON_WRMSR			32
#define REASON_MWAIT			36
#define REASON_MONITOR			39
#define REASON_PAUSE			40
#define REASON_TPR_BELOW		43
#define REASON_APIC_ACCESS		44
#define REASON_EOI_INDUCED		45
#define REASON_EPT_VIOLATION		48
#define REASON_EPT_MISCONFIG		49
#define REASON_INVEPT			50
#define REASON_PREEMPTION_TIMER		52
#define REASON_INVVPID			53
#define REASON_WBINVD			54
#define REASON_XSETBV			55
#define REASON_APIC_WRITE		56
#define REASON_VMFUNC			59
#define REASON_ENCLS			60
#define REASON_PML_FULL			62
#define REASON_PCONFIG			65
#define REASON_FAILED_ENTRY		(1U << 31)

/* what vmx.h and enter.S agree on: struct vmx_enter_args */
#define ENTER_HOST_RSP			0
#define ENTER_GUEST_SPEC		8
#define ENTER_HOST_SPEC			16
#define ENTER_FLAGS			24

#define ENTER_RESUME_BIT		0
#define ENTER_RESUME			1	/* launched before: VMRESUME */
#define ENTER_SPEC_CTRL			2	/* SPEC_CTRL is switched */
#define ENTER_SAVE_SPEC			4	/* the guest writes it without exits: read it */
#define ENTER_VERW			8	/* clear buffers right before the entry */

#endif
