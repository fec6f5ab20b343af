/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The interface between userspace and /dev/hvm.
 *
 * This file owns every number and every byte layout that crosses the boundary.
 * hvm speaks version 12 of the KVM interface: each call, structure, exit and
 * capability named here has the number, the layout, the meaning and the errno
 * that a KVM client expects, so such a client runs on /dev/hvm unmodified. The
 * names follow from KVM's by one rule (KVM_X -> HVM_X, struct kvm_x -> struct
 * hvm_x) and clash with none of them: both headers may be included together,
 * which is how selftests/uapi/abi_equality.c compares them. docs/abi.md lists
 * what is there, what is planned and what will never be.
 *
 * Three kinds of file descriptor take these calls; each ioctl below says which:
 *
 *   system  open("/dev/hvm")
 *   VM      returned by HVM_CREATE_VM
 *   vCPU    returned by HVM_CREATE_VCPU
 *
 * Errors any call may give, not repeated below:
 *
 *   -ENOTTY  the call does not exist on this kind of descriptor
 *   -EFAULT  a pointer does not lead to accessible memory of the caller
 *   -EIO     the caller is not the process that created the VM, or the VM is
 *            dead after a failure that makes going on unsafe
 *   -EINTR   a fatal signal came while the call waited for a busy vCPU
 *   -ENOMEM  the kernel is out of memory
 *   -EINVAL  a reserved field or an unknown flag is not zero
 *
 * References are by title, because section numbers move: "APM 2" is the AMD64
 * Architecture Programmer's Manual, volume 2; "SDM 3" the Intel Software
 * Developer's Manual, volume 3.
 *
 * Nothing here takes a lock; every structure is copied in or out whole, apart
 * from those in the shared mapping of a vCPU (struct hvm_run and the rings), of
 * which the kernel reads each field once and trusts none.
 */
#ifndef _UAPI_LINUX_HVM_H
#define _UAPI_LINUX_HVM_H

#include <linux/types.h>
#include <linux/ioctl.h>

/** define HVM_API_VERSION - What HVM_GET_API_VERSION returns; it is final. */
#define HVM_API_VERSION		12

/** define HVMIO - The type byte of every ioctl shared with KVM. */
#define HVMIO			0xAE

/*
 * The mapping of a vCPU descriptor, in pages from offset 0: struct hvm_run, the
 * data of port I/O, the ring of coalesced writes; and, far behind, the dirty
 * ring. HVM_GET_VCPU_MMAP_SIZE tells how much of it there is, the dirty ring
 * not counted.
 */
#define HVM_PIO_PAGE_OFFSET		1
#define HVM_COALESCED_MMIO_PAGE_OFFSET	2
#define HVM_DIRTY_LOG_PAGE_OFFSET	64

/** define HVM_NR_INTERRUPTS - Vectors an x86 CPU has. */
#define HVM_NR_INTERRUPTS	256

/* ------------------------------------------------------------------------ */
/* Guest memory                                                             */
/* ------------------------------------------------------------------------ */

/**
 * struct hvm_userspace_memory_region - One slot of the guest-physical map.
 * @slot: bits 0-15 the slot's number, below HVM_CAP_NR_MEMSLOTS; bits 16-31 the
 *	address space, which must be 0.
 * @flags: HVM_MEM_LOG_DIRTY_PAGES, HVM_MEM_READONLY.
 * @guest_phys_addr: first guest-physical byte; a multiple of the page size.
 * @memory_size: bytes; a multiple of the page size. 0 deletes the slot.
 * @userspace_addr: where the caller has the memory; a multiple of the page
 *	size. Backing is found on demand, and follows later mmap, munmap,
 *	mremap and madvise of the range.
 *
 * Argument of HVM_SET_USER_MEMORY_REGION.
 */
struct hvm_userspace_memory_region {
	__u32 slot;
	__u32 flags;
	__u64 guest_phys_addr;
	__u64 memory_size;
	__u64 userspace_addr;
};

/** define HVM_MEM_LOG_DIRTY_PAGES - Record which pages of the slot change. */
#define HVM_MEM_LOG_DIRTY_PAGES	(1UL << 0)
/** define HVM_MEM_READONLY - Guest writes to the slot exit as MMIO. */
#define HVM_MEM_READONLY	(1UL << 1)

/**
 * struct hvm_dirty_log - Fetch the dirty bitmap of a slot.
 * @slot: as in struct hvm_userspace_memory_region.
 * @padding1: ignored.
 * @dirty_bitmap: out: one bit per page, bit 0 of byte 0 the slot's first page;
 *	the slot's pages rounded up to a multiple of 64 bits are written.
 * @padding2: makes the pointer 64 bits wide for every caller.
 */
struct hvm_dirty_log {
	__u32 slot;
	__u32 padding1;
	union {
		void *dirty_bitmap;
		__u64 padding2;
	};
};

/**
 * struct hvm_clear_dirty_log - Forget dirty bits and watch those pages anew.
 * @slot: as in struct hvm_userspace_memory_region.
 * @num_pages: pages to look at; a multiple of 64 unless the range ends with the
 *	slot.
 * @first_page: first of them, from the slot's start; a multiple of 64.
 * @dirty_bitmap: in: a bit set means clear that page.
 * @padding2: makes the pointer 64 bits wide for every caller.
 */
struct hvm_clear_dirty_log {
	__u32 slot;
	__u32 num_pages;
	__u64 first_page;
	union {
		void *dirty_bitmap;
		__u64 padding2;
	};
};

/* args[0] of HVM_CAP_MANUAL_DIRTY_LOG_PROTECT2, and what it answers. */
#define HVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE	(1 << 0)
#define HVM_DIRTY_LOG_INITIALLY_SET		(1 << 1)

/**
 * struct hvm_dirty_gfn - One entry of a vCPU's dirty ring.
 * @flags: 0: empty; HVM_DIRTY_GFN_F_DIRTY: filled by the kernel;
 *	HVM_DIRTY_GFN_F_RESET: set by userspace once it has read the entry, in
 *	the order the entries were filled, and taken back by
 *	HVM_RESET_DIRTY_RINGS.
 * @slot: as in struct hvm_userspace_memory_region.
 * @offset: page number within the slot.
 *
 * The ring is mapped at HVM_DIRTY_LOG_PAGE_OFFSET pages into the vCPU
 * descriptor; its size is what HVM_CAP_DIRTY_LOG_RING was enabled with.
 * Read @flags with acquire and write them with release order.
 */
struct hvm_dirty_gfn {
	__u32 flags;
	__u32 slot;
	__u64 offset;
};

#define HVM_DIRTY_GFN_F_DIRTY	(1UL << 0)
#define HVM_DIRTY_GFN_F_RESET	(1UL << 1)
#define HVM_DIRTY_GFN_F_MASK	0x3

/* ------------------------------------------------------------------------ */
/* Interrupts                                                               */
/* ------------------------------------------------------------------------ */

/**
 * struct hvm_irq_level - The level of one interrupt line.
 * @irq: in: the GSI.
 * @status: out, HVM_IRQ_LINE_STATUS only: 0: merged with one still pending;
 *	above 0: CPUs it was delivered to; below 0: ignored (masked).
 * @level: 0 low, else high.
 */
struct hvm_irq_level {
	union {
		__u32 irq;
		__s32 status;
	};
	__u32 level;
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

/** define HVM_PIT_SPEAKER_DUMMY - Answer port 0x61 in the kernel as well. */
#define HVM_PIT_SPEAKER_DUMMY	1

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

/** define HVM_PIT_FLAGS_HPET_LEGACY - An HPET has taken over counter 0. */
#define HVM_PIT_FLAGS_HPET_LEGACY	0x00000001
/** define HVM_PIT_FLAGS_SPEAKER_DATA_ON - Bit 1 of port 0x61 is set. */
#define HVM_PIT_FLAGS_SPEAKER_DATA_ON	0x00000002

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
 * struct hvm_irq_routing_irqchip - A GSI that leads to a pin.
 * @irqchip: HVM_IRQCHIP_*.
 * @pin: input of that chip.
 */
struct hvm_irq_routing_irqchip {
	__u32 irqchip;
	__u32 pin;
};

/**
 * struct hvm_irq_routing_msi - A GSI that leads to a message.
 * @address_lo: bits 0-31 of the message address.
 * @address_hi: bits 32-63: with HVM_X2APIC_API_USE_32BIT_IDS, bits 8-31 are
 *	those of the destination ID; otherwise ignored.
 * @data: message data.
 * @pad: ignored.
 * @devid: no meaning on x86.
 */
struct hvm_irq_routing_msi {
	__u32 address_lo;
	__u32 address_hi;
	__u32 data;
	union {
		__u32 pad;
		__u32 devid;
	};
};

#define HVM_IRQ_ROUTING_IRQCHIP	1
#define HVM_IRQ_ROUTING_MSI	2

/**
 * struct hvm_irq_routing_entry - Where one GSI leads.
 * @gsi: the GSI; one may have several entries, at most one per chip.
 * @type: HVM_IRQ_ROUTING_*; any other type is -EINVAL.
 * @flags: 0.
 * @pad: ignored.
 * @u: by @type.
 */
struct hvm_irq_routing_entry {
	__u32 gsi;
	__u32 type;
	__u32 flags;
	__u32 pad;
	union {
		struct hvm_irq_routing_irqchip irqchip;
		struct hvm_irq_routing_msi msi;
		__u32 pad[8];
	} u;
};

/**
 * struct hvm_irq_routing - The whole routing table.
 * @nr: entries that follow; at most HVM_CAP_IRQ_ROUTING.
 * @flags: 0.
 * @entries: the table.
 */
struct hvm_irq_routing {
	__u32 nr;
	__u32 flags;
	struct hvm_irq_routing_entry entries[];
};

/**
 * struct hvm_irqfd - Tie an eventfd to a GSI.
 * @fd: the eventfd; each write raises the GSI.
 * @gsi: the GSI.
 * @flags: HVM_IRQFD_FLAG_*.
 * @resamplefd: with HVM_IRQFD_FLAG_RESAMPLE: eventfd signalled when the guest
 *	ends the level-triggered interrupt; the line is lowered first.
 * @pad: ignored.
 */
struct hvm_irqfd {
	__u32 fd;
	__u32 gsi;
	__u32 flags;
	__u32 resamplefd;
	__u8 pad[16];
};

/** define HVM_IRQFD_FLAG_DEASSIGN - Undo the tie of @fd and @gsi. */
#define HVM_IRQFD_FLAG_DEASSIGN	(1 << 0)
/** define HVM_IRQFD_FLAG_RESAMPLE - Level triggered; @resamplefd counts. */
#define HVM_IRQFD_FLAG_RESAMPLE	(1 << 1)

/**
 * struct hvm_ioeventfd - Turn a guest write into an eventfd signal.
 * @datamatch: value written, with HVM_IOEVENTFD_FLAG_DATAMATCH.
 * @addr: port or guest-physical address.
 * @len: 1, 2, 4 or 8 bytes; 0: any length (then no datamatch).
 * @fd: the eventfd.
 * @flags: HVM_IOEVENTFD_FLAG_*.
 * @pad: ignored.
 */
struct hvm_ioeventfd {
	__u64 datamatch;
	__u64 addr;
	__u32 len;
	__s32 fd;
	__u32 flags;
	__u8 pad[36];
};

/** define HVM_IOEVENTFD_FLAG_DATAMATCH - Only writes of @datamatch signal. */
#define HVM_IOEVENTFD_FLAG_DATAMATCH	(1 << 0)
/** define HVM_IOEVENTFD_FLAG_PIO - @addr is a port, not a memory address. */
#define HVM_IOEVENTFD_FLAG_PIO		(1 << 1)
/** define HVM_IOEVENTFD_FLAG_DEASSIGN - Take the registration back. */
#define HVM_IOEVENTFD_FLAG_DEASSIGN	(1 << 2)
/*
 * The mask has KVM's value, but of bits 3 and 4 (another architecture's, and
 * one that only the kernel sets) hvm takes as much notice as KVM on x86: none.
 */
#define HVM_IOEVENTFD_VALID_FLAG_MASK	((1 << 5) - 1)

/**
 * struct hvm_msi - A message-signalled interrupt, delivered at once.
 * @address_lo: bits 0-31 of the message address.
 * @address_hi: as in struct hvm_irq_routing_msi.
 * @data: message data.
 * @flags: 0.
 * @devid: no meaning on x86.
 * @pad: ignored.
 */
struct hvm_msi {
	__u32 address_lo;
	__u32 address_hi;
	__u32 data;
	__u32 flags;
	__u32 devid;
	__u8 pad[12];
};

/**
 * struct hvm_interrupt - An external interrupt, without in-kernel irqchip.
 * @irq: the vector, 0-255; with HVM_CAP_SPLIT_IRQCHIP the 8259A's, which the
 *	local APIC takes as ExtINT.
 */
struct hvm_interrupt {
	__u32 irq;
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

/* args[0] of HVM_CAP_X2APIC_API */
#define HVM_X2APIC_API_USE_32BIT_IDS		(1ULL << 0)
#define HVM_X2APIC_API_DISABLE_BROADCAST_QUIRK	(1ULL << 1)

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

/* ------------------------------------------------------------------------ */
/* vCPU state                                                               */
/* ------------------------------------------------------------------------ */

/**
 * struct hvm_regs - General-purpose registers, RIP and RFLAGS.
 * @rax: @rbx: @rcx: @rdx: @rsi: @rdi: @rsp: @rbp: and so on: as named.
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
 * @cs: @ds: @es: @fs: @gs: @ss: segment registers.
 * @tr: @ldt: task register and LDTR.
 * @gdt: @idt: descriptor-table registers.
 * @cr0: @cr2: @cr3: @cr4: control registers.
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
 * @cs: @ds: @es: @fs: @gs: @ss: segment registers.
 * @tr: @ldt: task register and LDTR.
 * @gdt: @idt: descriptor-table registers.
 * @cr0: @cr2: @cr3: @cr4: control registers.
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
 * @eax: @ebx: @ecx: @edx: the answer.
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
 * @eax: @ebx: @ecx: @edx: the answer.
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

/* ------------------------------------------------------------------------ */
/* VM-wide settings                                                         */
/* ------------------------------------------------------------------------ */

/**
 * struct hvm_clock_data - The guest's paravirtual clock.
 * @clock: nanoseconds since it was 0.
 * @flags: out: HVM_CLOCK_*; in: 0 or HVM_CLOCK_REALTIME.
 * @pad0: ignored.
 * @realtime: host's CLOCK_REALTIME at that moment, nanoseconds, with
 *	HVM_CLOCK_REALTIME; in: the clock is set forward by what passed since.
 * @host_tsc: host's TSC at that moment, with HVM_CLOCK_HOST_TSC.
 * @pad: out: 0.
 */
struct hvm_clock_data {
	__u64 clock;
	__u32 flags;
	__u32 pad0;
	__u64 realtime;
	__u64 host_tsc;
	__u32 pad[4];
};

/* Bit 0 is never used: once, the capability's answer was a plain 1. */
#define HVM_CLOCK_TSC_STABLE	2
#define HVM_CLOCK_REALTIME	(1 << 2)
#define HVM_CLOCK_HOST_TSC	(1 << 3)

/**
 * struct hvm_enable_cap - Switch a capability on.
 * @cap: HVM_CAP_*.
 * @flags: 0.
 * @args: by capability.
 * @pad: ignored.
 */
struct hvm_enable_cap {
	__u32 cap;
	__u32 flags;
	__u64 args[4];
	__u8 pad[64];
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

/**
 * struct hvm_device_attr - A setting reached by number.
 * @flags: 0.
 * @group: which group; on the system descriptor 0, on a vCPU
 *	HVM_VCPU_TSC_CTRL.
 * @attr: which of the group.
 * @addr: where the caller has, or wants, the 64-bit value.
 */
struct hvm_device_attr {
	__u32 flags;
	__u32 group;
	__u64 attr;
	__u64 addr;
};

/** define HVM_X86_XCOMP_GUEST_SUPP - System, group 0: XSAVE components a guest can have. */
#define HVM_X86_XCOMP_GUEST_SUPP	0
/** define HVM_VCPU_TSC_CTRL - vCPU: group of the time-stamp counter. */
#define HVM_VCPU_TSC_CTRL		0
/** define HVM_VCPU_TSC_OFFSET - In that group: guest's TSC less the (scaled) host's. */
#define HVM_VCPU_TSC_OFFSET		0

/* ------------------------------------------------------------------------ */
/* Coalesced writes                                                         */
/* ------------------------------------------------------------------------ */

/**
 * struct hvm_coalesced_mmio_zone - Writes there queue up instead of exiting.
 * @addr: first port or guest-physical byte.
 * @size: bytes.
 * @pad: see @pio.
 * @pio: 0: memory; 1: ports.
 */
struct hvm_coalesced_mmio_zone {
	__u64 addr;
	__u32 size;
	union {
		__u32 pad;
		__u32 pio;
	};
};

/**
 * struct hvm_coalesced_mmio - One write that was queued.
 * @phys_addr: port or guest-physical address.
 * @len: bytes, 1-8.
 * @pad: see @pio.
 * @pio: 0: memory; 1: ports.
 * @data: what was written.
 */
struct hvm_coalesced_mmio {
	__u64 phys_addr;
	__u32 len;
	union {
		__u32 pad;
		__u32 pio;
	};
	__u8 data[8];
};

/**
 * struct hvm_coalesced_mmio_ring - The queue, one page in each vCPU's mapping.
 * @first: index of the oldest entry; userspace moves it.
 * @last: index behind the newest; the kernel moves it.
 * @coalesced_mmio: HVM_COALESCED_MMIO_MAX entries.
 */
struct hvm_coalesced_mmio_ring {
	__u32 first, last;
	struct hvm_coalesced_mmio coalesced_mmio[];
};

/* Entries in the page; PAGE_SIZE is the including file's to provide. */
#define HVM_COALESCED_MMIO_MAX \
	((PAGE_SIZE - sizeof(struct hvm_coalesced_mmio_ring)) / \
	 sizeof(struct hvm_coalesced_mmio))

/* ------------------------------------------------------------------------ */
/* Statistics                                                               */
/* ------------------------------------------------------------------------ */

/**
 * struct hvm_stats_header - Start of what a statistics descriptor reads.
 * @flags: 0.
 * @name_size: bytes of each descriptor's name, the closing NUL counted.
 * @num_desc: descriptors.
 * @id_offset: file offset of the VM's or vCPU's name.
 * @desc_offset: file offset of the descriptors.
 * @data_offset: file offset of the values.
 */
struct hvm_stats_header {
	__u32 flags;
	__u32 name_size;
	__u32 num_desc;
	__u32 id_offset;
	__u32 desc_offset;
	__u32 data_offset;
};

#define HVM_STATS_TYPE_SHIFT		0
#define HVM_STATS_TYPE_MASK		(0xF << HVM_STATS_TYPE_SHIFT)
#define HVM_STATS_TYPE_CUMULATIVE	(0x0 << HVM_STATS_TYPE_SHIFT)
#define HVM_STATS_TYPE_INSTANT		(0x1 << HVM_STATS_TYPE_SHIFT)
#define HVM_STATS_TYPE_PEAK		(0x2 << HVM_STATS_TYPE_SHIFT)
#define HVM_STATS_TYPE_LINEAR_HIST	(0x3 << HVM_STATS_TYPE_SHIFT)
#define HVM_STATS_TYPE_LOG_HIST		(0x4 << HVM_STATS_TYPE_SHIFT)
#define HVM_STATS_TYPE_MAX		HVM_STATS_TYPE_LOG_HIST

#define HVM_STATS_UNIT_SHIFT		4
#define HVM_STATS_UNIT_MASK		(0xF << HVM_STATS_UNIT_SHIFT)
#define HVM_STATS_UNIT_NONE		(0x0 << HVM_STATS_UNIT_SHIFT)
#define HVM_STATS_UNIT_BYTES		(0x1 << HVM_STATS_UNIT_SHIFT)
#define HVM_STATS_UNIT_SECONDS		(0x2 << HVM_STATS_UNIT_SHIFT)
#define HVM_STATS_UNIT_CYCLES		(0x3 << HVM_STATS_UNIT_SHIFT)
#define HVM_STATS_UNIT_BOOLEAN		(0x4 << HVM_STATS_UNIT_SHIFT)
#define HVM_STATS_UNIT_MAX		HVM_STATS_UNIT_BOOLEAN

#define HVM_STATS_BASE_SHIFT		8
#define HVM_STATS_BASE_MASK		(0xF << HVM_STATS_BASE_SHIFT)
#define HVM_STATS_BASE_POW10		(0x0 << HVM_STATS_BASE_SHIFT)
#define HVM_STATS_BASE_POW2		(0x1 << HVM_STATS_BASE_SHIFT)
#define HVM_STATS_BASE_MAX		HVM_STATS_BASE_POW2

/**
 * struct hvm_stats_desc - One statistic.
 * @flags: HVM_STATS_TYPE_*, HVM_STATS_UNIT_*, HVM_STATS_BASE_*.
 * @exponent: the unit is base to this power.
 * @size: 64-bit values it has; above 1 for histograms.
 * @offset: of its first value, in bytes from the header's data_offset.
 * @bucket_size: width of each bucket of a linear histogram.
 * @name: its name, padded with NUL to the header's name_size.
 */
struct hvm_stats_desc {
	__u32 flags;
	__s16 exponent;
	__u16 size;
	__u32 offset;
	__u32 bucket_size;
	char name[];
};

/* ------------------------------------------------------------------------ */
/* Running a vCPU                                                           */
/* ------------------------------------------------------------------------ */

/* Why HVM_RUN returned. The gaps belong to what hvm does not have. */
#define HVM_EXIT_UNKNOWN		0
#define HVM_EXIT_EXCEPTION		1
#define HVM_EXIT_IO			2
#define HVM_EXIT_HYPERCALL		3
#define HVM_EXIT_DEBUG			4
#define HVM_EXIT_HLT			5
#define HVM_EXIT_MMIO			6
#define HVM_EXIT_IRQ_WINDOW_OPEN	7
#define HVM_EXIT_SHUTDOWN		8
#define HVM_EXIT_FAIL_ENTRY		9
#define HVM_EXIT_INTR			10
#define HVM_EXIT_SET_TPR		11
#define HVM_EXIT_TPR_ACCESS		12
#define HVM_EXIT_NMI			16
#define HVM_EXIT_INTERNAL_ERROR		17
#define HVM_EXIT_SYSTEM_EVENT		24
#define HVM_EXIT_IOAPIC_EOI		26
#define HVM_EXIT_X86_RDMSR		29
#define HVM_EXIT_X86_WRMSR		30
#define HVM_EXIT_DIRTY_RING_FULL	31

/* suberror of HVM_EXIT_INTERNAL_ERROR */
#define HVM_INTERNAL_ERROR_EMULATION			1
#define HVM_INTERNAL_ERROR_SIMUL_EX			2
#define HVM_INTERNAL_ERROR_DELIVERY_EV			3
#define HVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON	4

/* flags of emulation_failure: which of its members hold. */
#define HVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES	(1ULL << 0)

/* flags of struct hvm_run; hvm has no SMM, so the first is never set. */
#define HVM_RUN_X86_SMM		(1 << 0)
#define HVM_RUN_X86_BUS_LOCK	(1 << 1)

/* type of HVM_EXIT_SYSTEM_EVENT */
#define HVM_SYSTEM_EVENT_SHUTDOWN	1
#define HVM_SYSTEM_EVENT_RESET		2
#define HVM_SYSTEM_EVENT_CRASH		3

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

/* valid_regs and dirty_regs of struct hvm_run */
#define HVM_SYNC_X86_REGS	(1UL << 0)
#define HVM_SYNC_X86_SREGS	(1UL << 1)
#define HVM_SYNC_X86_EVENTS	(1UL << 2)
#define HVM_SYNC_X86_VALID_FIELDS \
	(HVM_SYNC_X86_REGS | HVM_SYNC_X86_SREGS | HVM_SYNC_X86_EVENTS)

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

/** define HVM_SYNC_REGS_SIZE_BYTES - Room kept for struct hvm_sync_regs. */
#define HVM_SYNC_REGS_SIZE_BYTES	2048

#define HVM_EXIT_IO_IN	0
#define HVM_EXIT_IO_OUT	1

/**
 * struct hvm_run - The page a vCPU shares with userspace.
 * @request_interrupt_window: in: exit with HVM_EXIT_IRQ_WINDOW_OPEN as soon as
 *	the guest can take an interrupt (without in-kernel local APIC).
 * @immediate_exit: in: return -EINTR before entering the guest. Set it from a
 *	signal handler, and no wakeup is lost.
 * @padding1: ignored.
 * @exit_reason: out: HVM_EXIT_*.
 * @ready_for_interrupt_injection: out: HVM_INTERRUPT would be accepted now.
 * @if_flag: out: RFLAGS.IF.
 * @flags: out: HVM_RUN_X86_*.
 * @cr8: in and out: task priority (without in-kernel local APIC).
 * @apic_base: in and out: the APIC_BASE MSR (likewise).
 * @hw: HVM_EXIT_UNKNOWN: the exit code as the hardware gave it.
 * @fail_entry: HVM_EXIT_FAIL_ENTRY: the hardware's reason for refusing the
 *	guest state, and the host CPU.
 * @ex: HVM_EXIT_EXCEPTION: vector and error code.
 * @io: HVM_EXIT_IO: direction HVM_EXIT_IO_*, size 1, 2 or 4 bytes, count
 *	repetitions, data at data_offset bytes from the start of the mapping.
 *	Input is complete, and RIP advanced, at the next HVM_RUN.
 * @debug: HVM_EXIT_DEBUG.
 * @mmio: HVM_EXIT_MMIO: at most 8 bytes; a larger access takes several exits.
 *	A read is complete at the next HVM_RUN.
 * @hypercall: HVM_EXIT_HYPERCALL: number, arguments; ret goes to RAX.
 * @tpr_access: HVM_EXIT_TPR_ACCESS: where, and whether it was a write.
 * @internal: HVM_EXIT_INTERNAL_ERROR: ndata words of data, by suberror.
 * @emulation_failure: the same, for HVM_INTERNAL_ERROR_EMULATION: which
 *	instruction could not be carried out, where flags says so.
 * @system_event: HVM_EXIT_SYSTEM_EVENT: type, and ndata words.
 * @eoi: HVM_EXIT_IOAPIC_EOI: vector the guest ended (with the split irqchip).
 * @msr: HVM_EXIT_X86_RDMSR, HVM_EXIT_X86_WRMSR: set error to have #GP raised;
 *	data carries the value either way.
 * @padding: fixes the size of the union.
 * @valid_regs: in: HVM_SYNC_X86_*: what to store in @s on every exit.
 * @dirty_regs: in: HVM_SYNC_X86_*: what to load from @s at the next HVM_RUN;
 *	cleared once loaded.
 * @s: the synchronised state.
 *
 * Offset 0 of a vCPU descriptor's mapping. "In" is read once per HVM_RUN.
 */
struct hvm_run {
	__u8 request_interrupt_window;
	__u8 immediate_exit;
	__u8 padding1[6];

	__u32 exit_reason;
	__u8 ready_for_interrupt_injection;
	__u8 if_flag;
	__u16 flags;

	__u64 cr8;
	__u64 apic_base;

	union {
		struct {
			__u64 hardware_exit_reason;
		} hw;
		struct {
			__u64 hardware_entry_failure_reason;
			__u32 cpu;
		} fail_entry;
		struct {
			__u32 exception;
			__u32 error_code;
		} ex;
		struct {
			__u8 direction;
			__u8 size;
			__u16 port;
			__u32 count;
			__u64 data_offset;
		} io;
		struct {
			struct hvm_debug_exit_arch arch;
		} debug;
		struct {
			__u64 phys_addr;
			__u8 data[8];
			__u32 len;
			__u8 is_write;
		} mmio;
		struct {
			__u64 nr;
			__u64 args[6];
			__u64 ret;
			__u32 longmode;
			__u32 pad;
		} hypercall;
		struct {
			__u64 rip;
			__u32 is_write;
			__u32 pad;
		} tpr_access;
		struct {
			__u32 suberror;
			__u32 ndata;
			__u64 data[16];
		} internal;
		struct {
			__u32 suberror;
			__u32 ndata;
			__u64 flags;
			union {
				struct {
					__u8 insn_size;
					__u8 insn_bytes[15];
				};
			};
		} emulation_failure;
		struct {
			__u32 type;
			__u32 ndata;
			union {
				__u64 flags;
				__u64 data[16];
			};
		} system_event;
		struct {
			__u8 vector;
		} eoi;
		struct {
			__u8 error;
			__u8 pad[7];
			__u32 reason;
			__u32 index;
			__u64 data;
		} msr;
		char padding[256];
	};

	__u64 valid_regs;
	__u64 dirty_regs;
	union {
		struct hvm_sync_regs regs;
		char padding[HVM_SYNC_REGS_SIZE_BYTES];
	} s;
};

/* ------------------------------------------------------------------------ */
/* Capabilities: numbers for HVM_CHECK_EXTENSION                            */
/* ------------------------------------------------------------------------ */

#define HVM_CAP_IRQCHIP				0
#define HVM_CAP_HLT				1
#define HVM_CAP_USER_MEMORY			3
#define HVM_CAP_SET_TSS_ADDR			4
#define HVM_CAP_VAPIC				6
#define HVM_CAP_EXT_CPUID			7
#define HVM_CAP_CLOCKSOURCE			8
#define HVM_CAP_NR_VCPUS			9	/* how many are sensible */
#define HVM_CAP_NR_MEMSLOTS			10	/* how many are possible */
#define HVM_CAP_PIT				11
#define HVM_CAP_NOP_IO_DELAY			12
#define HVM_CAP_MP_STATE			14
#define HVM_CAP_COALESCED_MMIO			15	/* page of the ring */
#define HVM_CAP_SYNC_MMU			16
#define HVM_CAP_DESTROY_MEMORY_REGION_WORKS	21
#define HVM_CAP_USER_NMI			22
#define HVM_CAP_SET_GUEST_DEBUG			23
#define HVM_CAP_REINJECT_CONTROL		24
#define HVM_CAP_IRQ_ROUTING			25	/* entries possible */
#define HVM_CAP_IRQ_INJECT_STATUS		26
#define HVM_CAP_JOIN_MEMORY_REGIONS_WORKS	30
#define HVM_CAP_MCE				31	/* banks */
#define HVM_CAP_IRQFD				32
#define HVM_CAP_PIT2				33
#define HVM_CAP_SET_BOOT_CPU_ID			34
#define HVM_CAP_PIT_STATE2			35
#define HVM_CAP_IOEVENTFD			36
#define HVM_CAP_SET_IDENTITY_MAP_ADDR		37
#define HVM_CAP_ADJUST_CLOCK			39	/* HVM_CLOCK_* */
#define HVM_CAP_INTERNAL_ERROR_DATA		40
#define HVM_CAP_VCPU_EVENTS			41
#define HVM_CAP_INTR_SHADOW			49
#define HVM_CAP_DEBUGREGS			50
#define HVM_CAP_X86_ROBUST_SINGLESTEP		51
#define HVM_CAP_ENABLE_CAP			54
#define HVM_CAP_XSAVE				55
#define HVM_CAP_XCRS				56
#define HVM_CAP_TSC_CONTROL			60
#define HVM_CAP_GET_TSC_KHZ			61
#define HVM_CAP_MAX_VCPUS			66
#define HVM_CAP_TSC_DEADLINE_TIMER		72
#define HVM_CAP_SYNC_REGS			74	/* HVM_SYNC_X86_* */
#define HVM_CAP_KVMCLOCK_CTRL			76
#define HVM_CAP_SIGNAL_MSI			77
#define HVM_CAP_READONLY_MEM			81
#define HVM_CAP_IRQFD_RESAMPLE			82
#define HVM_CAP_EXT_EMUL_CPUID			95
#define HVM_CAP_IOAPIC_POLARITY_IGNORED		97
#define HVM_CAP_ENABLE_CAP_VM			98
#define HVM_CAP_IOEVENTFD_NO_LENGTH		100
#define HVM_CAP_CHECK_EXTENSION_VM		105
#define HVM_CAP_DISABLE_QUIRKS			116
#define HVM_CAP_MULTI_ADDRESS_SPACE		118
#define HVM_CAP_SPLIT_IRQCHIP			121
#define HVM_CAP_IOEVENTFD_ANY_LENGTH		122
#define HVM_CAP_VCPU_ATTRIBUTES			127
#define HVM_CAP_MAX_VCPU_ID			128
#define HVM_CAP_X2APIC_API			129	/* HVM_X2APIC_API_* */
#define HVM_CAP_IMMEDIATE_EXIT			136
#define HVM_CAP_X86_DISABLE_EXITS		143	/* HVM_X86_DISABLE_EXITS_* */
#define HVM_CAP_GET_MSR_FEATURES		153
#define HVM_CAP_MSR_PLATFORM_INFO		159
#define HVM_CAP_COALESCED_PIO			162
#define HVM_CAP_EXCEPTION_PAYLOAD		164
#define HVM_CAP_MANUAL_DIRTY_LOG_PROTECT2	168	/* HVM_DIRTY_LOG_* */
#define HVM_CAP_HALT_POLL			182
#define HVM_CAP_LAST_CPU			184
#define HVM_CAP_SMALLER_MAXPHYADDR		185
#define HVM_CAP_STEAL_TIME			187
#define HVM_CAP_X86_USER_SPACE_MSR		188
#define HVM_CAP_X86_MSR_FILTER			189
#define HVM_CAP_ENFORCE_PV_FEATURE_CPUID	190
#define HVM_CAP_DIRTY_LOG_RING			192	/* bytes possible */
#define HVM_CAP_SET_GUEST_DEBUG2		195	/* HVM_GUESTDBG_* */
#define HVM_CAP_SREGS2				200
#define HVM_CAP_EXIT_HYPERCALL			201
#define HVM_CAP_BINARY_STATS_FD			203
#define HVM_CAP_EXIT_ON_EMULATION_FAILURE	204
#define HVM_CAP_VM_GPA_BITS			207
#define HVM_CAP_XSAVE2				208	/* bytes of struct hvm_xsave */
#define HVM_CAP_SYS_ATTRIBUTES			209
#define HVM_CAP_DISABLE_QUIRKS2			213	/* HVM_X86_QUIRK_* */
#define HVM_CAP_VM_TSC_CONTROL			214
#define HVM_CAP_SYSTEM_EVENT_DATA		215
#define HVM_CAP_X86_TRIPLE_FAULT_EVENT		218
#define HVM_CAP_DIRTY_LOG_RING_ACQ_REL		223

/* Asked by clients; hvm answers 0 (docs/abi.md says why). */
#define HVM_CAP_HYPERV				44
#define HVM_CAP_ASYNC_PF			59
#define HVM_CAP_PCI_2_3				75
#define HVM_CAP_DEVICE_CTRL			89
#define HVM_CAP_VM_ATTRIBUTES			101
#define HVM_CAP_X86_SMM				117
#define HVM_CAP_NESTED_STATE			157
#define HVM_CAP_PMU_EVENT_FILTER		173
#define HVM_CAP_ASYNC_PF_INT			183
#define HVM_CAP_X86_BUS_LOCK_EXIT		193
#define HVM_CAP_PMU_CAPABILITY			212
#define HVM_CAP_X86_NOTIFY_VMEXIT		219

/*
 * hvm's own range, "HVM" in ASCII: KVM answers 0 to every number in it.
 */
/** define HVM_CAP_HVM_BASE - Answers 1 on /dev/hvm: this is hvm, not KVM. */
#define HVM_CAP_HVM_BASE			0x48564d00

/* ------------------------------------------------------------------------ */
/* ioctls of the system descriptor                                          */
/* ------------------------------------------------------------------------ */

#define HVM_GET_API_VERSION		_IO(HVMIO, 0x00)
#define HVM_CREATE_VM			_IO(HVMIO, 0x01)
#define HVM_GET_MSR_INDEX_LIST		_IOWR(HVMIO, 0x02, struct hvm_msr_list)
#define HVM_CHECK_EXTENSION		_IO(HVMIO, 0x03)
#define HVM_GET_VCPU_MMAP_SIZE		_IO(HVMIO, 0x04)
#define HVM_GET_SUPPORTED_CPUID		_IOWR(HVMIO, 0x05, struct hvm_cpuid2)
#define HVM_GET_EMULATED_CPUID		_IOWR(HVMIO, 0x09, struct hvm_cpuid2)
#define HVM_GET_MSR_FEATURE_INDEX_LIST	_IOWR(HVMIO, 0x0a, struct hvm_msr_list)

/* ------------------------------------------------------------------------ */
/* ioctls of a VM descriptor                                                */
/* ------------------------------------------------------------------------ */

#define HVM_CREATE_VCPU			_IO(HVMIO, 0x41)
#define HVM_GET_DIRTY_LOG		_IOW(HVMIO, 0x42, struct hvm_dirty_log)
#define HVM_SET_NR_MMU_PAGES		_IO(HVMIO, 0x44)
#define HVM_GET_NR_MMU_PAGES		_IO(HVMIO, 0x45)
#define HVM_SET_USER_MEMORY_REGION \
	_IOW(HVMIO, 0x46, struct hvm_userspace_memory_region)
#define HVM_SET_TSS_ADDR		_IO(HVMIO, 0x47)
#define HVM_SET_IDENTITY_MAP_ADDR	_IOW(HVMIO, 0x48, __u64)
#define HVM_CREATE_IRQCHIP		_IO(HVMIO, 0x60)
#define HVM_IRQ_LINE			_IOW(HVMIO, 0x61, struct hvm_irq_level)
#define HVM_GET_IRQCHIP			_IOWR(HVMIO, 0x62, struct hvm_irqchip)
#define HVM_SET_IRQCHIP			_IOR(HVMIO, 0x63, struct hvm_irqchip)
#define HVM_CREATE_PIT			_IO(HVMIO, 0x64)
#define HVM_GET_PIT			_IOWR(HVMIO, 0x65, struct hvm_pit_state)
#define HVM_SET_PIT			_IOR(HVMIO, 0x66, struct hvm_pit_state)
#define HVM_IRQ_LINE_STATUS		_IOWR(HVMIO, 0x67, struct hvm_irq_level)
#define HVM_REGISTER_COALESCED_MMIO \
	_IOW(HVMIO, 0x67, struct hvm_coalesced_mmio_zone)
#define HVM_UNREGISTER_COALESCED_MMIO \
	_IOW(HVMIO, 0x68, struct hvm_coalesced_mmio_zone)
#define HVM_SET_GSI_ROUTING		_IOW(HVMIO, 0x6a, struct hvm_irq_routing)
#define HVM_REINJECT_CONTROL		_IO(HVMIO, 0x71)
#define HVM_IRQFD			_IOW(HVMIO, 0x76, struct hvm_irqfd)
#define HVM_CREATE_PIT2			_IOW(HVMIO, 0x77, struct hvm_pit_config)
#define HVM_SET_BOOT_CPU_ID		_IO(HVMIO, 0x78)
#define HVM_IOEVENTFD			_IOW(HVMIO, 0x79, struct hvm_ioeventfd)
#define HVM_SET_CLOCK			_IOW(HVMIO, 0x7b, struct hvm_clock_data)
#define HVM_GET_CLOCK			_IOR(HVMIO, 0x7c, struct hvm_clock_data)
#define HVM_GET_PIT2			_IOR(HVMIO, 0x9f, struct hvm_pit_state2)
#define HVM_SET_PIT2			_IOW(HVMIO, 0xa0, struct hvm_pit_state2)
#define HVM_SIGNAL_MSI			_IOW(HVMIO, 0xa5, struct hvm_msi)
#define HVM_CLEAR_DIRTY_LOG		_IOWR(HVMIO, 0xc0, struct hvm_clear_dirty_log)
#define HVM_X86_SET_MSR_FILTER		_IOW(HVMIO, 0xc6, struct hvm_msr_filter)
#define HVM_RESET_DIRTY_RINGS		_IO(HVMIO, 0xc7)

/* ------------------------------------------------------------------------ */
/* ioctls of a vCPU descriptor                                              */
/* ------------------------------------------------------------------------ */

#define HVM_RUN				_IO(HVMIO, 0x80)
#define HVM_GET_REGS			_IOR(HVMIO, 0x81, struct hvm_regs)
#define HVM_SET_REGS			_IOW(HVMIO, 0x82, struct hvm_regs)
#define HVM_GET_SREGS			_IOR(HVMIO, 0x83, struct hvm_sregs)
#define HVM_SET_SREGS			_IOW(HVMIO, 0x84, struct hvm_sregs)
#define HVM_TRANSLATE			_IOWR(HVMIO, 0x85, struct hvm_translation)
#define HVM_INTERRUPT			_IOW(HVMIO, 0x86, struct hvm_interrupt)
#define HVM_GET_MSRS			_IOWR(HVMIO, 0x88, struct hvm_msrs)
#define HVM_SET_MSRS			_IOW(HVMIO, 0x89, struct hvm_msrs)
#define HVM_SET_CPUID			_IOW(HVMIO, 0x8a, struct hvm_cpuid)
#define HVM_SET_SIGNAL_MASK		_IOW(HVMIO, 0x8b, struct hvm_signal_mask)
#define HVM_GET_FPU			_IOR(HVMIO, 0x8c, struct hvm_fpu)
#define HVM_SET_FPU			_IOW(HVMIO, 0x8d, struct hvm_fpu)
#define HVM_GET_LAPIC			_IOR(HVMIO, 0x8e, struct hvm_lapic_state)
#define HVM_SET_LAPIC			_IOW(HVMIO, 0x8f, struct hvm_lapic_state)
#define HVM_SET_CPUID2			_IOW(HVMIO, 0x90, struct hvm_cpuid2)
#define HVM_GET_CPUID2			_IOWR(HVMIO, 0x91, struct hvm_cpuid2)
#define HVM_TPR_ACCESS_REPORTING	_IOWR(HVMIO, 0x92, struct hvm_tpr_access_ctl)
#define HVM_SET_VAPIC_ADDR		_IOW(HVMIO, 0x93, struct hvm_vapic_addr)
#define HVM_GET_MP_STATE		_IOR(HVMIO, 0x98, struct hvm_mp_state)
#define HVM_SET_MP_STATE		_IOW(HVMIO, 0x99, struct hvm_mp_state)
#define HVM_NMI				_IO(HVMIO, 0x9a)
#define HVM_SET_GUEST_DEBUG		_IOW(HVMIO, 0x9b, struct hvm_guest_debug)
#define HVM_X86_SETUP_MCE		_IOW(HVMIO, 0x9c, __u64)
#define HVM_X86_GET_MCE_CAP_SUPPORTED	_IOR(HVMIO, 0x9d, __u64) /* system */
#define HVM_X86_SET_MCE			_IOW(HVMIO, 0x9e, struct hvm_x86_mce)
#define HVM_GET_VCPU_EVENTS		_IOR(HVMIO, 0x9f, struct hvm_vcpu_events)
#define HVM_SET_VCPU_EVENTS		_IOW(HVMIO, 0xa0, struct hvm_vcpu_events)
#define HVM_GET_DEBUGREGS		_IOR(HVMIO, 0xa1, struct hvm_debugregs)
#define HVM_SET_DEBUGREGS		_IOW(HVMIO, 0xa2, struct hvm_debugregs)
#define HVM_SET_TSC_KHZ			_IO(HVMIO, 0xa2) /* VM, vCPU */
#define HVM_GET_TSC_KHZ			_IO(HVMIO, 0xa3) /* VM, vCPU */
#define HVM_ENABLE_CAP			_IOW(HVMIO, 0xa3, struct hvm_enable_cap) /* VM, vCPU */
#define HVM_GET_XSAVE			_IOR(HVMIO, 0xa4, struct hvm_xsave)
#define HVM_SET_XSAVE			_IOW(HVMIO, 0xa5, struct hvm_xsave)
#define HVM_GET_XCRS			_IOR(HVMIO, 0xa6, struct hvm_xcrs)
#define HVM_SET_XCRS			_IOW(HVMIO, 0xa7, struct hvm_xcrs)
#define HVM_KVMCLOCK_CTRL		_IO(HVMIO, 0xad)
#define HVM_SMI				_IO(HVMIO, 0xb7)
#define HVM_GET_SREGS2			_IOR(HVMIO, 0xcc, struct hvm_sregs2)
#define HVM_SET_SREGS2			_IOW(HVMIO, 0xcd, struct hvm_sregs2)
#define HVM_GET_STATS_FD		_IO(HVMIO, 0xce) /* VM, vCPU */
#define HVM_GET_XSAVE2			_IOR(HVMIO, 0xcf, struct hvm_xsave)

/* Settings by number: system and vCPU descriptors. */
#define HVM_SET_DEVICE_ATTR		_IOW(HVMIO, 0xe1, struct hvm_device_attr)
#define HVM_GET_DEVICE_ATTR		_IOW(HVMIO, 0xe2, struct hvm_device_attr)
#define HVM_HAS_DEVICE_ATTR		_IOW(HVMIO, 0xe3, struct hvm_device_attr)

#endif /* _UAPI_LINUX_HVM_H */
