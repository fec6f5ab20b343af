/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The machine state that crosses the boundary of /dev/hvm: registers and tables
 * of a vCPU, local APIC, and the legacy chips. Included by <linux/hvm.h>, which
 * has the calls these structures belong to, the conventions, and how errors are
 * told; include that one.
 *
 * Layouts are KVM's on x86, byte for byte. Registers have the names, and where
 * nothing else is said the bits, that the manuals give them; addresses are the
 * guest's. "Ignored" is padding that a caller may leave as it likes, and finds
 * zero on the way out. "APM 2" is the AMD64 Architecture Programmer's Manual,
 * volume 2; "SDM 3" the Intel Software Developer's Manual, volume 3.
 */
#ifndef _UAPI_LINUX_HVM_X86_H
#define _UAPI_LINUX_HVM_X86_H

#include <linux/types.h>

/* Vectors an x86 CPU has. */
#define HVM_NR_INTERRUPTS	256

/**
 * struct hvm_regs - General-purpose registers, RIP and RFLAGS.
 * @rax: RAX.
 * @rbx: RBX.
 * @rcx: RCX.
 * @rdx: RDX.
 * @rsi: RSI.
 * @rdi: RDI.
 * @rsp: RSP.
 * @rbp: RBP.
 * @r8: R8.
 * @r9: R9.
 * @r10: R10.
 * @r11: R11.
 * @r12: R12.
 * @r13: R13.
 * @r14: R14.
 * @r15: R15.
 * @rip: instruction pointer, without the code segment's base.
 * @rflags: bit 1 reads as 1.
 */
struct hvm_regs {
	__u64 rax, rbx, rcx, rdx;
	__u64 rsi, rdi, rsp, rbp;
	__u64 r8, r9, r10, r11;
	__u64 r12, r13, r14, r15;
	__u64 rip, rflags;
};

/**
 * struct hvm_segment - A segment register with its hidden part.
 * @base: linear base.
 * @limit: bytes, granularity already applied.
 * @selector: visible part.
 * @type: descriptor bits 40-43.
 * @present: descriptor bit 47.
 * @dpl: privilege level, 0-3.
 * @db: default operand size.
 * @s: 1: code or data; 0: system.
 * @l: 64-bit code.
 * @g: granularity.
 * @avl: available to software.
 * @unusable: loaded with a null selector.
 * @padding: ignored.
 *
 * APM 2 "Segmented Virtual Memory"; SDM 3 "Protected-Mode Memory Management".
 */
struct hvm_segment {
	__u64 base;
	__u32 limit;
	__u16 selector;
	__u8 type;
	__u8 present, dpl, db, s, l, g, avl;
	__u8 unusable;
	__u8 padding;
};

/**
 * struct hvm_dtable - GDTR or IDTR.
 * @base: linear base.
 * @limit: bytes, less one.
 * @padding: ignored.
 */
struct hvm_dtable {
	__u64 base;
	__u16 limit;
	__u16 padding[3];
};

/**
 * struct hvm_sregs - Segment, table and control registers.
 * @cs: CS.
 * @ds: DS.
 * @es: ES.
 * @fs: FS.
 * @gs: GS.
 * @ss: SS.
 * @tr: TR.
 * @ldt: LDTR.
 * @gdt: GDTR.
 * @idt: IDTR.
 * @cr0: CR0.
 * @cr2: CR2.
 * @cr3: CR3.
 * @cr4: CR4.
 * @cr8: task priority, 0-15.
 * @efer: extended feature enable register.
 * @apic_base: the APIC_BASE MSR.
 * @interrupt_bitmap: a vector injected and not yet taken by the guest; at most
 *	one bit.
 *
 * APM 2 "System Resources"; SDM 3 "System Architecture Overview".
 */
struct hvm_sregs {
	struct hvm_segment cs, ds, es, fs, gs, ss;
	struct hvm_segment tr, ldt;
	struct hvm_dtable gdt, idt;
	__u64 cr0, cr2, cr3, cr4, cr8;
	__u64 efer;
	__u64 apic_base;
	__u64 interrupt_bitmap[(HVM_NR_INTERRUPTS + 63) / 64];
};

/**
 * struct hvm_sregs2 - As struct hvm_sregs, with the PAE page pointers.
 * @cs: CS.
 * @ds: DS.
 * @es: ES.
 * @fs: FS.
 * @gs: GS.
 * @ss: SS.
 * @tr: TR.
 * @ldt: LDTR.
 * @gdt: GDTR.
 * @idt: IDTR.
 * @cr0: CR0.
 * @cr2: CR2.
 * @cr3: CR3.
 * @cr4: CR4.
 * @cr8: task priority, 0-15.
 * @efer: extended feature enable register.
 * @apic_base: the APIC_BASE MSR.
 * @flags: 0 or HVM_SREGS2_FLAGS_PDPTRS_VALID.
 * @pdptrs: PDPTE 0-3, where the flag says so.
 */
struct hvm_sregs2 {
	struct hvm_segment cs, ds, es, fs, gs, ss;
	struct hvm_segment tr, ldt;
	struct hvm_dtable gdt, idt;
	__u64 cr0, cr2, cr3, cr4, cr8;
	__u64 efer;
	__u64 apic_base;
	__u64 flags;
	__u64 pdptrs[4];
};

#define HVM_SREGS2_FLAGS_PDPTRS_VALID	1

/**
 * struct hvm_fpu - x87 and SSE state.
 * @fpr: ST0-ST7, ten bytes each.
 * @fcw: control word.
 * @fsw: status word.
 * @ftwx: abridged tag word, a bit per register, as FXSAVE has it.
 * @pad1: ignored.
 * @last_opcode: opcode of the last x87 instruction.
 * @last_ip: its address.
 * @last_dp: address of its operand.
 * @xmm: XMM0-XMM15.
 * @mxcsr: SSE control and status; reserved bits are -EINVAL.
 * @pad2: ignored.
 */
struct hvm_fpu {
	__u8 fpr[8][16];
	__u16 fcw;
	__u16 fsw;
	__u8 ftwx;
	__u8 pad1;
	__u16 last_opcode;
	__u64 last_ip;
	__u64 last_dp;
	__u8 xmm[16][16];
	__u32 mxcsr;
	__u32 pad2;
};

/**
 * struct hvm_xsave - The XSAVE area, in the standard (not compacted) format.
 * @region: the first 4096 bytes; components where CPUID leaf 0xD puts them.
 * @extra: what lies behind, HVM_CAP_XSAVE2 bytes in all.
 */
struct hvm_xsave {
	__u32 region[1024];
	__u32 extra[];
};

/**
 * struct hvm_xcr - One extended control register.
 * @xcr: its number; only 0 exists.
 * @reserved: ignored.
 * @value: its value.
 */
struct hvm_xcr {
	__u32 xcr;
	__u32 reserved;
	__u64 value;
};

#define HVM_MAX_XCRS	16

/**
 * struct hvm_xcrs - All extended control registers.
 * @nr_xcrs: entries of @xcrs that count.
 * @flags: 0.
 * @xcrs: the registers.
 * @padding: out: 0.
 */
struct hvm_xcrs {
	__u32 nr_xcrs;
	__u32 flags;
	struct hvm_xcr xcrs[HVM_MAX_XCRS];
	__u64 padding[16];
};

/**
 * struct hvm_debugregs - The guest's debug registers.
 * @db: DR0-DR3.
 * @dr6: debug status; bits 32-63 are 0.
 * @dr7: debug control; bits 32-63 are 0.
 * @flags: 0.
 * @reserved: out: 0.
 */
struct hvm_debugregs {
	__u64 db[4];
	__u64 dr6;
	__u64 dr7;
	__u64 flags;
	__u64 reserved[9];
};

/**
 * struct hvm_msr_entry - One model-specific register.
 * @index: its number, as in ECX of RDMSR.
 * @reserved: ignored.
 * @data: its value.
 */
struct hvm_msr_entry {
	__u32 index;
	__u32 reserved;
	__u64 data;
};

/**
 * struct hvm_msrs - Several of them.
 * @nmsrs: entries that follow; below 256.
 * @pad: ignored.
 * @entries: handled in order, up to the first that fails.
 */
struct hvm_msrs {
	__u32 nmsrs;
	__u32 pad;
	struct hvm_msr_entry entries[];
};

/**
 * struct hvm_msr_list - Which registers there are.
 * @nmsrs: in: room in @indices; out: how many there are.
 * @indices: their numbers.
 */
struct hvm_msr_list {
	__u32 nmsrs;
	__u32 indices[];
};

/**
 * struct hvm_cpuid_entry - A CPUID leaf, as HVM_SET_CPUID takes it.
 * @function: EAX of the query.
 * @eax: EAX of the answer.
 * @ebx: EBX of the answer.
 * @ecx: ECX of the answer.
 * @edx: EDX of the answer.
 * @padding: ignored.
 */
struct hvm_cpuid_entry {
	__u32 function;
	__u32 eax;
	__u32 ebx;
	__u32 ecx;
	__u32 edx;
	__u32 padding;
};

/**
 * struct hvm_cpuid - CPUID table without subleaves.
 * @nent: entries that follow; at most 256.
 * @padding: ignored.
 * @entries: the leaves.
 */
struct hvm_cpuid {
	__u32 nent;
	__u32 padding;
	struct hvm_cpuid_entry entries[];
};

/**
 * struct hvm_cpuid_entry2 - A CPUID leaf with its subleaf.
 * @function: EAX of the query.
 * @index: ECX of the query, where HVM_CPUID_FLAG_SIGNIFCANT_INDEX is set.
 * @flags: HVM_CPUID_FLAG_*.
 * @eax: EAX of the answer.
 * @ebx: EBX of the answer.
 * @ecx: ECX of the answer.
 * @edx: EDX of the answer.
 * @padding: out: 0.
 */
struct hvm_cpuid_entry2 {
	__u32 function;
	__u32 index;
	__u32 flags;
	__u32 eax;
	__u32 ebx;
	__u32 ecx;
	__u32 edx;
	__u32 padding[3];
};

/* The spelling of the first is KVM's, so that one rule maps every name. */
#define HVM_CPUID_FLAG_SIGNIFCANT_INDEX	(1 << 0)
#define HVM_CPUID_FLAG_STATEFUL_FUNC	(1 << 1)
#define HVM_CPUID_FLAG_STATE_READ_NEXT	(1 << 2)

/**
 * struct hvm_cpuid2 - CPUID table with subleaves.
 * @nent: in: entries, or room for them; out: entries written.
 * @padding: ignored.
 * @entries: the leaves.
 */
struct hvm_cpuid2 {
	__u32 nent;
	__u32 padding;
	struct hvm_cpuid_entry2 entries[];
};

/* How a vCPU stands; the other numbers belong to other architectures. */
#define HVM_MP_STATE_RUNNABLE		0
#define HVM_MP_STATE_UNINITIALIZED	1	/* waits for INIT */
#define HVM_MP_STATE_INIT_RECEIVED	2	/* waits for SIPI */
#define HVM_MP_STATE_HALTED		3
#define HVM_MP_STATE_SIPI_RECEIVED	4
#define HVM_MP_STATE_AP_RESET_HOLD	9

/**
 * struct hvm_mp_state - How a vCPU stands.
 * @mp_state: HVM_MP_STATE_*.
 */
struct hvm_mp_state {
	__u32 mp_state;
};

/* Which optional parts of struct hvm_vcpu_events count. */
#define HVM_VCPUEVENT_VALID_NMI_PENDING		0x00000001
#define HVM_VCPUEVENT_VALID_SIPI_VECTOR		0x00000002
#define HVM_VCPUEVENT_VALID_SHADOW		0x00000004
#define HVM_VCPUEVENT_VALID_SMM			0x00000008
#define HVM_VCPUEVENT_VALID_PAYLOAD		0x00000010
#define HVM_VCPUEVENT_VALID_TRIPLE_FAULT	0x00000020

/* interrupt.shadow of struct hvm_vcpu_events */
#define HVM_X86_SHADOW_INT_MOV_SS	0x01
#define HVM_X86_SHADOW_INT_STI		0x02

/**
 * struct hvm_vcpu_events - Events under way between two instructions.
 * @exception: being delivered (injected), or raised and not yet delivered
 *	(pending, with HVM_CAP_EXCEPTION_PAYLOAD); nr is the vector.
 * @interrupt: being delivered; nr is the vector, soft means INT n, shadow is
 *	HVM_X86_SHADOW_INT_*.
 * @nmi: being delivered, pending, blocked until IRET.
 * @sipi_vector: page the last SIPI named; in: where its flag is set.
 * @flags: HVM_VCPUEVENT_VALID_*: in: which parts to set; out: which hold.
 * @smi: hvm has no SMM: out: 0, but for latched_init, an INIT kept back; in:
 *	any other nonzero member is -EINVAL.
 * @triple_fault: pending: a triple fault waits to be reported (with
 *	HVM_CAP_X86_TRIPLE_FAULT_EVENT).
 * @reserved: out: 0.
 * @exception_has_payload: @exception_payload counts.
 * @exception_payload: CR2 of a page fault, DR6 bits of a debug exception, not
 *	yet in the register.
 *
 * APM 2 "Exceptions and Interrupts"; SDM 3 "Interrupt and Exception Handling".
 */
struct hvm_vcpu_events {
	struct {
		__u8 injected;
		__u8 nr;
		__u8 has_error_code;
		__u8 pending;
		__u32 error_code;
	} exception;
	struct {
		__u8 injected;
		__u8 nr;
		__u8 soft;
		__u8 shadow;
	} interrupt;
	struct {
		__u8 injected;
		__u8 pending;
		__u8 masked;
		__u8 pad;
	} nmi;
	__u32 sipi_vector;
	__u32 flags;
	struct {
		__u8 smm;
		__u8 pending;
		__u8 smm_inside_nmi;
		__u8 latched_init;
	} smi;
	struct {
		__u8 pending;
	} triple_fault;
	__u8 reserved[26];
	__u8 exception_has_payload;
	__u64 exception_payload;
};

/**
 * struct hvm_translation - Walk the guest's own page tables.
 * @linear_address: in: linear address.
 * @physical_address: out: guest-physical address, all ones where there is none.
 * @valid: out: 1 if it is mapped.
 * @writeable: out: 1.
 * @usermode: out: 0.
 * @pad: out: 0.
 */
struct hvm_translation {
	__u64 linear_address;
	__u64 physical_address;
	__u8 valid;
	__u8 writeable;
	__u8 usermode;
	__u8 pad[5];
};

/**
 * struct hvm_signal_mask - Signals blocked while in HVM_RUN.
 * @len: bytes of @sigset; that of the kernel's signal set, 8.
 * @sigset: the set.
 */
struct hvm_signal_mask {
	__u32 len;
	__u8 sigset[];
};

/* control of struct hvm_guest_debug */
#define HVM_GUESTDBG_ENABLE	0x00000001
#define HVM_GUESTDBG_SINGLESTEP	0x00000002
#define HVM_GUESTDBG_USE_SW_BP	0x00010000	/* INT3 exits */
#define HVM_GUESTDBG_USE_HW_BP	0x00020000	/* debugreg[] replaces the guest's */
#define HVM_GUESTDBG_INJECT_DB	0x00040000
#define HVM_GUESTDBG_INJECT_BP	0x00080000
#define HVM_GUESTDBG_BLOCKIRQ	0x00100000	/* no interrupts while stepping */

/**
 * struct hvm_guest_debug_arch - Breakpoints the debugger sets.
 * @debugreg: DR0-DR3 at 0-3, DR7 at 7; the rest ignored.
 */
struct hvm_guest_debug_arch {
	__u64 debugreg[8];
};

/**
 * struct hvm_guest_debug - Debug the guest from outside.
 * @control: HVM_GUESTDBG_*; without HVM_GUESTDBG_ENABLE it is switched off.
 * @pad: ignored.
 * @arch: with HVM_GUESTDBG_USE_HW_BP.
 */
struct hvm_guest_debug {
	__u32 control;
	__u32 pad;
	struct hvm_guest_debug_arch arch;
};

/**
 * struct hvm_x86_mce - A machine check to be raised in the guest.
 * @status: MCi_STATUS.
 * @addr: MCi_ADDR.
 * @misc: MCi_MISC.
 * @mcg_status: MCG_STATUS.
 * @bank: i, below the number of banks.
 * @pad1: ignored.
 * @pad2: ignored.
 *
 * APM 2 and SDM 3, "Machine Check Architecture".
 */
struct hvm_x86_mce {
	__u64 status;
	__u64 addr;
	__u64 misc;
	__u64 mcg_status;
	__u8 bank;
	__u8 pad1[7];
	__u64 pad2[3];
};

/**
 * struct hvm_debug_exit_arch - What stopped a guest under debug.
 * @exception: vector: 1 (#DB) or 3 (#BP).
 * @pad: 0.
 * @pc: linear address of the instruction.
 * @dr6: with #DB: the status bits the CPU raised.
 * @dr7: with #DB: the control register in force.
 */
struct hvm_debug_exit_arch {
	__u32 exception;
	__u32 pad;
	__u64 pc;
	__u64 dr6;
	__u64 dr7;
};

/**
 * struct hvm_sync_regs - State carried in the shared page, sparing ioctls.
 * @regs: with HVM_SYNC_X86_REGS.
 * @sregs: with HVM_SYNC_X86_SREGS.
 * @events: with HVM_SYNC_X86_EVENTS.
 *
 * Userspace can change all of this at any time: the kernel copies each part
 * before it looks at it.
 */
struct hvm_sync_regs {
	struct hvm_regs regs;
	struct hvm_sregs sregs;
	struct hvm_vcpu_events events;
};

#define HVM_APIC_REG_SIZE	0x400

/**
 * struct hvm_lapic_state - The local APIC's register page.
 * @regs: the first 0x400 bytes of the xAPIC page, a 32-bit register every 16
 *	bytes. The ID register is bits 24-31, or the whole 32 bits where
 *	HVM_X2APIC_API_USE_32BIT_IDS is enabled and the APIC is in x2APIC mode.
 *
 * APM 2 and SDM 3, "Advanced Programmable Interrupt Controller".
 */
struct hvm_lapic_state {
	char regs[HVM_APIC_REG_SIZE];
};

/**
 * struct hvm_pic_state - One 8259A.
 * @last_irr: input levels seen last, for edge detection.
 * @irr: interrupt request register.
 * @imr: interrupt mask register.
 * @isr: in-service register.
 * @priority_add: line that now has the highest priority.
 * @irq_base: vector of line 0 (ICW2).
 * @read_reg_select: 0: reads of port 0 give @irr; 1: @isr (OCW3).
 * @poll: a poll command waits for its read.
 * @special_mask: special mask mode is on.
 * @init_state: next initialisation word expected; 0 when none.
 * @auto_eoi: automatic end of interrupt (ICW4).
 * @rotate_on_auto_eoi: rotate priorities on each automatic EOI.
 * @special_fully_nested_mode: ICW4 bit 4.
 * @init4: ICW4 is to be expected.
 * @elcr: lines that are level triggered.
 * @elcr_mask: lines whose trigger mode may be chosen.
 */
struct hvm_pic_state {
	__u8 last_irr;
	__u8 irr;
	__u8 imr;
	__u8 isr;
	__u8 priority_add;
	__u8 irq_base;
	__u8 read_reg_select;
	__u8 poll;
	__u8 special_mask;
	__u8 init_state;
	__u8 auto_eoi;
	__u8 rotate_on_auto_eoi;
	__u8 special_fully_nested_mode;
	__u8 init4;
	__u8 elcr;
	__u8 elcr_mask;
};

#define HVM_IOAPIC_NUM_PINS	24

/**
 * struct hvm_ioapic_state - The IOAPIC (82093AA register layout).
 * @base_address: guest-physical address of its registers.
 * @ioregsel: register selected for the data window.
 * @id: IOAPIC ID.
 * @irr: input pins now asserted, one bit each.
 * @pad: ignored.
 * @redirtbl: redirection table, raw (bits) or by field.
 */
struct hvm_ioapic_state {
	__u64 base_address;
	__u32 ioregsel;
	__u32 id;
	__u32 irr;
	__u32 pad;
	union {
		__u64 bits;
		struct {
			__u8 vector;
			__u8 delivery_mode:3;
			__u8 dest_mode:1;
			__u8 delivery_status:1;
			__u8 polarity:1;
			__u8 remote_irr:1;
			__u8 trig_mode:1;
			__u8 mask:1;
			__u8 reserve:7;
			__u8 reserved[4];
			__u8 dest_id;
		} fields;
	} redirtbl[HVM_IOAPIC_NUM_PINS];
};

/* chip_id of struct hvm_irqchip, and irqchip of struct hvm_irq_routing_irqchip */
#define HVM_IRQCHIP_PIC_MASTER	0
#define HVM_IRQCHIP_PIC_SLAVE	1
#define HVM_IRQCHIP_IOAPIC	2
#define HVM_NR_IRQCHIPS		3

/**
 * struct hvm_pit_channel_state - One counter of the 8254.
 * @count: reload value; 65536 where the register holds 0.
 * @latched_count: value caught by a latch command.
 * @count_latched: a latched count waits to be read: its access mode, or 0.
 * @status_latched: a latched status waits to be read.
 * @status: that status.
 * @read_state: which byte the next read gives (1 low, 2 high, 3/4 both).
 * @write_state: which byte the next write sets; same values.
 * @write_latch: low byte of a two-byte write under way.
 * @rw_mode: access mode of the control word.
 * @mode: counter mode 0-5.
 * @bcd: counts in BCD.
 * @gate: level of the gate input.
 * @count_load_time: host's monotonic time of the last reload, nanoseconds.
 */
struct hvm_pit_channel_state {
	__u32 count;
	__u16 latched_count;
	__u8 count_latched;
	__u8 status_latched;
	__u8 status;
	__u8 read_state;
	__u8 write_state;
	__u8 write_latch;
	__u8 rw_mode;
	__u8 mode;
	__u8 bcd;
	__u8 gate;
	__s64 count_load_time;
};

/**
 * struct hvm_pit_state - The three counters, as HVM_GET_PIT knows them.
 * @channels: counters 0 (interrupt), 1 (refresh) and 2 (speaker).
 */
struct hvm_pit_state {
	struct hvm_pit_channel_state channels[3];
};

/**
 * struct hvm_pit_state2 - The three counters and the wiring around them.
 * @channels: counters 0 (interrupt), 1 (refresh) and 2 (speaker).
 * @flags: HVM_PIT_FLAGS_*.
 * @reserved: out: 0.
 */
struct hvm_pit_state2 {
	struct hvm_pit_channel_state channels[3];
	__u32 flags;
	__u32 reserved[9];
};

/* An HPET has taken over counter 0. */
#define HVM_PIT_FLAGS_HPET_LEGACY	0x00000001
/* Bit 1 of port 0x61 is set. */
#define HVM_PIT_FLAGS_SPEAKER_DATA_ON	0x00000002

/**
 * struct hvm_irqchip - State of one of the legacy interrupt controllers.
 * @chip_id: in: HVM_IRQCHIP_*.
 * @pad: ignored.
 * @chip: the state; which member counts follows from @chip_id.
 */
struct hvm_irqchip {
	__u32 chip_id;
	__u32 pad;
	union {
		char dummy[512];
		struct hvm_pic_state pic;
		struct hvm_ioapic_state ioapic;
	} chip;
};

/**
 * struct hvm_pit_config - Options of the in-kernel 8254.
 * @flags: 0 or HVM_PIT_SPEAKER_DUMMY.
 * @pad: ignored.
 */
struct hvm_pit_config {
	__u32 flags;
	__u32 pad[15];
};

/* Answer port 0x61 in the kernel as well. */
#define HVM_PIT_SPEAKER_DUMMY	1

/**
 * struct hvm_reinject_control - What becomes of PIT ticks the guest missed.
 * @pit_reinject: not 0: deliver them later; 0: drop them.
 * @reserved: ignored.
 */
struct hvm_reinject_control {
	__u8 pit_reinject;
	__u8 reserved[31];
};

/**
 * struct hvm_tpr_access_ctl - Ask for exits on task-priority accesses.
 * @enabled: in: 0 or 1; HVM_EXIT_TPR_ACCESS for each access by xAPIC MMIO.
 * @flags: 0.
 * @reserved: 0.
 */
struct hvm_tpr_access_ctl {
	__u32 enabled;
	__u32 flags;
	__u32 reserved[8];
};

/**
 * struct hvm_vapic_addr - Where guest code keeps its copy of the TPR.
 * @vapic_addr: guest-physical address of four bytes (TPR, highest in-service,
 *	reserved, highest requested), kept up to date around each entry.
 */
struct hvm_vapic_addr {
	__u64 vapic_addr;
};

/* args[0] of HVM_CAP_X86_DISABLE_EXITS */
#define HVM_X86_DISABLE_EXITS_MWAIT	(1 << 0)
#define HVM_X86_DISABLE_EXITS_HLT	(1 << 1)
#define HVM_X86_DISABLE_EXITS_PAUSE	(1 << 2)
#define HVM_X86_DISABLE_EXITS_CSTATE	(1 << 3)
#define HVM_X86_DISABLE_VALID_EXITS	(HVM_X86_DISABLE_EXITS_MWAIT | \
					 HVM_X86_DISABLE_EXITS_HLT | \
					 HVM_X86_DISABLE_EXITS_PAUSE | \
					 HVM_X86_DISABLE_EXITS_CSTATE)

/* args[0] of HVM_CAP_DISABLE_QUIRKS2 */
#define HVM_X86_QUIRK_LINT0_REENABLED		(1 << 0)
#define HVM_X86_QUIRK_CD_NW_CLEARED		(1 << 1)
#define HVM_X86_QUIRK_LAPIC_MMIO_HOLE		(1 << 2)
#define HVM_X86_QUIRK_OUT_7E_INC_RIP		(1 << 3)
#define HVM_X86_QUIRK_MISC_ENABLE_NO_MWAIT	(1 << 4)
#define HVM_X86_QUIRK_FIX_HYPERCALL_INSN	(1 << 5)
#define HVM_X86_QUIRK_MWAIT_NEVER_UD_FAULTS	(1 << 6)

/* Why an MSR access left for userspace: also args[0] of X86_USER_SPACE_MSR. */
#define HVM_MSR_EXIT_REASON_INVAL	(1 << 0)	/* refused by the register */
#define HVM_MSR_EXIT_REASON_UNKNOWN	(1 << 1)	/* no such register */
#define HVM_MSR_EXIT_REASON_FILTER	(1 << 2)	/* the filter forbids it */

#define HVM_MSR_FILTER_MAX_BITMAP_SIZE	0x600
#define HVM_MSR_FILTER_MAX_RANGES	16

/**
 * struct hvm_msr_filter_range - One run of MSRs and what the guest may do there.
 * @flags: HVM_MSR_FILTER_READ, HVM_MSR_FILTER_WRITE: what the bitmap governs.
 * @nmsrs: bits of @bitmap; 0: the range is unused. At most
 *	HVM_MSR_FILTER_MAX_BITMAP_SIZE bytes' worth.
 * @base: MSR of bit 0.
 * @bitmap: bit set: allowed; clear: #GP in the guest, or an exit.
 */
struct hvm_msr_filter_range {
#define HVM_MSR_FILTER_READ	(1 << 0)
#define HVM_MSR_FILTER_WRITE	(1 << 1)
	__u32 flags;
	__u32 nmsrs;
	__u32 base;
	__u8 *bitmap;
};

/**
 * struct hvm_msr_filter - Which MSRs the guest may touch.
 * @flags: what holds outside the ranges. x2APIC registers are never filtered.
 * @ranges: the first that contains the MSR decides.
 */
struct hvm_msr_filter {
#define HVM_MSR_FILTER_DEFAULT_ALLOW	(0 << 0)
#define HVM_MSR_FILTER_DEFAULT_DENY	(1 << 0)
	__u32 flags;
	struct hvm_msr_filter_range ranges[HVM_MSR_FILTER_MAX_RANGES];
};

#endif /* _UAPI_LINUX_HVM_X86_H */
