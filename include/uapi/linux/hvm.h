/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The interface between userspace and /dev/hvm.
 *
 * This file and <linux/hvm_x86.h>, which it includes, own every number and every
 * byte layout that crosses the boundary: calls, capabilities and exits are here,
 * the state of CPUs and chips is there.
 *
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
 *   -EINVAL  on a system or vCPU descriptor, -ENOTTY on a VM descriptor: the
 *            call does not exist there
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
#include <linux/hvm_x86.h>

/* What HVM_GET_API_VERSION returns; it is final. */
#define HVM_API_VERSION		12

/* The type byte of every ioctl shared with KVM. */
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

/* Record which pages of the slot change. */
#define HVM_MEM_LOG_DIRTY_PAGES	(1UL << 0)
/* Guest writes to the slot exit as MMIO. */
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

/* Undo the tie of @fd and @gsi. */
#define HVM_IRQFD_FLAG_DEASSIGN	(1 << 0)
/* Level triggered; @resamplefd counts. */
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

/* Only writes of @datamatch signal. */
#define HVM_IOEVENTFD_FLAG_DATAMATCH	(1 << 0)
/* @addr is a port, not a memory address. */
#define HVM_IOEVENTFD_FLAG_PIO		(1 << 1)
/* Take the registration back. */
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

/* args[0] of HVM_CAP_X2APIC_API */
#define HVM_X2APIC_API_USE_32BIT_IDS		(1ULL << 0)
#define HVM_X2APIC_API_DISABLE_BROADCAST_QUIRK	(1ULL << 1)

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

/**
 * struct hvm_create_device - A device in the kernel, of a kind that x86 has not.
 * @type: which kind.
 * @fd: out: its descriptor.
 * @flags: options.
 */
struct hvm_create_device {
	__u32 type;
	__u32 fd;
	__u32 flags;
};

/* System, group 0: XSAVE components a guest can have. */
#define HVM_X86_XCOMP_GUEST_SUPP	0
/* vCPU: group of the time-stamp counter. */
#define HVM_VCPU_TSC_CTRL		0
/* In that group: guest's TSC less the (scaled) host's. */
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

/* valid_regs and dirty_regs of struct hvm_run */
#define HVM_SYNC_X86_REGS	(1UL << 0)
#define HVM_SYNC_X86_SREGS	(1UL << 1)
#define HVM_SYNC_X86_EVENTS	(1UL << 2)
#define HVM_SYNC_X86_VALID_FIELDS \
	(HVM_SYNC_X86_REGS | HVM_SYNC_X86_SREGS | HVM_SYNC_X86_EVENTS)

/* Room kept for struct hvm_sync_regs. */
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
#define HVM_CAP_STEAL_TIME			187
#define HVM_CAP_X86_USER_SPACE_MSR		188
#define HVM_CAP_X86_MSR_FILTER			189
#define HVM_CAP_ENFORCE_PV_FEATURE_CPUID	190
#define HVM_CAP_DIRTY_LOG_RING			192	/* bytes possible */
#define HVM_CAP_SET_GUEST_DEBUG2		195	/* HVM_GUESTDBG_* */
#define HVM_CAP_SREGS2				200
#define HVM_CAP_BINARY_STATS_FD			203
#define HVM_CAP_EXIT_ON_EMULATION_FAILURE	204
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
#define HVM_CAP_EXIT_HYPERCALL			201
#define HVM_CAP_PMU_CAPABILITY			212
#define HVM_CAP_X86_NOTIFY_VMEXIT		219

/*
 * hvm's own range, "HVM" in ASCII: KVM answers 0 to every number in it.
 */
/* Answers 1 on /dev/hvm: this is hvm, not KVM. */
#define HVM_CAP_HVM_BASE			0x48564d00

/* ------------------------------------------------------------------------ */
/* ioctls of the system descriptor                                          */
/* ------------------------------------------------------------------------ */

/**
 * define HVM_GET_API_VERSION - Which interface this is.
 *
 * Argument: 0. Returns HVM_API_VERSION; a client should refuse any other.
 * -EINVAL: the argument is not 0.
 */
#define HVM_GET_API_VERSION		_IO(HVMIO, 0x00)

/**
 * define HVM_CREATE_VM - Make a VM, without memory and without vCPUs.
 *
 * Argument: the machine type, 0. Returns a VM descriptor, closed on exec.
 * -EINVAL: another type. -EBUSY: the CPUs could not be taken, because another
 * hypervisor holds them; the kernel's log says which and what to do.
 */
#define HVM_CREATE_VM			_IO(HVMIO, 0x01)

/**
 * define HVM_GET_MSR_INDEX_LIST - Which MSRs make up a vCPU's state.
 *
 * In and out: struct hvm_msr_list. -E2BIG: too little room; nmsrs tells how
 * much it takes.
 */
#define HVM_GET_MSR_INDEX_LIST		_IOWR(HVMIO, 0x02, struct hvm_msr_list)

/**
 * define HVM_CHECK_EXTENSION - Is a capability there? (System, VM.)
 *
 * Argument: HVM_CAP_*. Returns 0 if not, else 1 or what the capability's line
 * says. Never fails.
 */
#define HVM_CHECK_EXTENSION		_IO(HVMIO, 0x03)

/**
 * define HVM_GET_VCPU_MMAP_SIZE - Bytes to map of a vCPU descriptor.
 *
 * Argument: 0. -EINVAL: the argument is not 0.
 */
#define HVM_GET_VCPU_MMAP_SIZE		_IO(HVMIO, 0x04)

/**
 * define HVM_GET_SUPPORTED_CPUID - CPUID as a guest may see it at best.
 *
 * In and out: struct hvm_cpuid2. -E2BIG: too little room; try again with more.
 * APM 3 "Obtaining Processor Information Via the CPUID Instruction".
 */
#define HVM_GET_SUPPORTED_CPUID		_IOWR(HVMIO, 0x05, struct hvm_cpuid2)

/**
 * define HVM_GET_EMULATED_CPUID - CPUID of what works though the CPU lacks it.
 *
 * As HVM_GET_SUPPORTED_CPUID.
 */
#define HVM_GET_EMULATED_CPUID		_IOWR(HVMIO, 0x09, struct hvm_cpuid2)

/**
 * define HVM_GET_MSR_FEATURE_INDEX_LIST - Which MSRs describe the host's CPU.
 *
 * As HVM_GET_MSR_INDEX_LIST; HVM_GET_MSRS on the system descriptor reads them.
 */
#define HVM_GET_MSR_FEATURE_INDEX_LIST	_IOWR(HVMIO, 0x0a, struct hvm_msr_list)

/**
 * define HVM_X86_GET_MCE_CAP_SUPPORTED - Bits of MCG_CAP a guest may have.
 *
 * Out: u64. APM 2 and SDM 3, "Machine Check Architecture".
 */
#define HVM_X86_GET_MCE_CAP_SUPPORTED	_IOR(HVMIO, 0x9d, __u64)

/* ------------------------------------------------------------------------ */
/* ioctls of a VM descriptor                                                */
/* ------------------------------------------------------------------------ */

/**
 * define HVM_CREATE_VCPU - Add a vCPU.
 *
 * Argument: its APIC ID. Returns a vCPU descriptor, closed on exec.
 * -EINVAL: not below HVM_CAP_MAX_VCPU_ID, or HVM_CAP_MAX_VCPUS are there.
 * -EEXIST: the ID is taken.
 */
#define HVM_CREATE_VCPU			_IO(HVMIO, 0x41)

/**
 * define HVM_GET_DIRTY_LOG - Which pages of a slot were written.
 *
 * In: struct hvm_dirty_log. Bits fetched are cleared, and the pages watched
 * anew, unless HVM_CAP_MANUAL_DIRTY_LOG_PROTECT2 is enabled. -EINVAL: no such
 * slot number. -ENOENT: the slot is empty or not logged.
 */
#define HVM_GET_DIRTY_LOG		_IOW(HVMIO, 0x42, struct hvm_dirty_log)

/**
 * define HVM_SET_USER_MEMORY_REGION - Create, move, change or delete a slot.
 *
 * In: struct hvm_userspace_memory_region. A slot keeps its size and its
 * userspace address until it is deleted. -EINVAL: not aligned, wraps around,
 * not the caller's to map, or a change that is not possible. -EEXIST: overlaps
 * another slot.
 */
#define HVM_SET_USER_MEMORY_REGION \
	_IOW(HVMIO, 0x46, struct hvm_userspace_memory_region)

/**
 * define HVM_SET_TSS_ADDR - Where three pages of guest memory may be used.
 *
 * Argument: guest-physical address below 4 GiB. hvm never needs them, as the
 * hardware runs real mode by itself. -EINVAL: the pages do not fit below 4 GiB.
 */
#define HVM_SET_TSS_ADDR		_IO(HVMIO, 0x47)

/**
 * define HVM_SET_IDENTITY_MAP_ADDR - Where one more page may be used.
 *
 * In: u64, guest-physical address; not needed either. -EINVAL: there are vCPUs.
 */
#define HVM_SET_IDENTITY_MAP_ADDR	_IOW(HVMIO, 0x48, __u64)

/**
 * define HVM_CREATE_IRQCHIP - 8259A pair, IOAPIC and local APICs in the kernel.
 *
 * Argument: 0. -EEXIST: there is an in-kernel irqchip, this or the split one.
 * -EINVAL: there are vCPUs.
 */
#define HVM_CREATE_IRQCHIP		_IO(HVMIO, 0x60)

/**
 * define HVM_IRQ_LINE - Raise or lower a GSI.
 *
 * In: struct hvm_irq_level. -ENXIO: no in-kernel irqchip.
 */
#define HVM_IRQ_LINE			_IOW(HVMIO, 0x61, struct hvm_irq_level)

/**
 * define HVM_GET_IRQCHIP - State of an 8259A or the IOAPIC.
 *
 * In and out: struct hvm_irqchip. -ENXIO: they are not in the kernel.
 * -EINVAL: no such chip.
 */
#define HVM_GET_IRQCHIP			_IOWR(HVMIO, 0x62, struct hvm_irqchip)

/**
 * define HVM_SET_IRQCHIP - Set the state of an 8259A or the IOAPIC.
 *
 * In, though its number says out: struct hvm_irqchip. Errors as above.
 */
#define HVM_SET_IRQCHIP			_IOR(HVMIO, 0x63, struct hvm_irqchip)

/**
 * define HVM_CREATE_PIT - An 8254 in the kernel; HVM_CREATE_PIT2 has options.
 *
 * Argument: ignored. Errors as there.
 */
#define HVM_CREATE_PIT			_IO(HVMIO, 0x64)

/**
 * define HVM_GET_PIT - State of the 8254, without flags.
 *
 * Out: struct hvm_pit_state. -ENXIO: there is none in the kernel.
 */
#define HVM_GET_PIT			_IOWR(HVMIO, 0x65, struct hvm_pit_state)

/**
 * define HVM_SET_PIT - Set the state of the 8254, without flags.
 *
 * In, though its number says out: struct hvm_pit_state. -ENXIO: as above.
 */
#define HVM_SET_PIT			_IOR(HVMIO, 0x66, struct hvm_pit_state)

/**
 * define HVM_IRQ_LINE_STATUS - As HVM_IRQ_LINE, and tell what came of it.
 *
 * In and out: struct hvm_irq_level. -ENXIO: no in-kernel irqchip.
 */
#define HVM_IRQ_LINE_STATUS		_IOWR(HVMIO, 0x67, struct hvm_irq_level)

/**
 * define HVM_REGISTER_COALESCED_MMIO - Queue the writes to a range.
 *
 * In: struct hvm_coalesced_mmio_zone. -EINVAL: pio above 1. -ENOSPC: too many.
 */
#define HVM_REGISTER_COALESCED_MMIO \
	_IOW(HVMIO, 0x67, struct hvm_coalesced_mmio_zone)

/**
 * define HVM_UNREGISTER_COALESCED_MMIO - Let the writes to a range exit again.
 *
 * In: struct hvm_coalesced_mmio_zone; every registration it lies in is removed.
 * -EINVAL: pio above 1.
 */
#define HVM_UNREGISTER_COALESCED_MMIO \
	_IOW(HVMIO, 0x68, struct hvm_coalesced_mmio_zone)

/**
 * define HVM_SET_GSI_ROUTING - Replace the routing table.
 *
 * In: struct hvm_irq_routing. -EINVAL: no in-kernel irqchip, too many entries,
 * flags, or an entry that leads nowhere; the old table then stays.
 */
#define HVM_SET_GSI_ROUTING		_IOW(HVMIO, 0x6a, struct hvm_irq_routing)

/**
 * define HVM_REINJECT_CONTROL - What becomes of PIT ticks the guest missed.
 *
 * In, though its number says nothing: struct hvm_reinject_control. -ENXIO: no
 * PIT in the kernel.
 */
#define HVM_REINJECT_CONTROL		_IO(HVMIO, 0x71)

/**
 * define HVM_IRQFD - Tie an eventfd to a GSI, or untie it.
 *
 * In: struct hvm_irqfd. -EINVAL: no in-kernel irqchip, flags, not an eventfd,
 * or no such GSI. -EBADF: not a descriptor. -EBUSY: the eventfd is tied
 * already.
 */
#define HVM_IRQFD			_IOW(HVMIO, 0x76, struct hvm_irqfd)

/**
 * define HVM_CREATE_PIT2 - An 8254 in the kernel.
 *
 * In: struct hvm_pit_config. -EEXIST: there is one. -ENOENT: no 8259A and
 * IOAPIC in the kernel.
 */
#define HVM_CREATE_PIT2			_IOW(HVMIO, 0x77, struct hvm_pit_config)

/**
 * define HVM_SET_BOOT_CPU_ID - Which vCPU starts running; without it, 0.
 *
 * Argument: the APIC ID. -EBUSY: there are vCPUs.
 */
#define HVM_SET_BOOT_CPU_ID		_IO(HVMIO, 0x78)

/**
 * define HVM_IOEVENTFD - Turn guest writes into eventfd signals, or stop that.
 *
 * In: struct hvm_ioeventfd. -EINVAL: length, flags, a range that wraps, not an
 * eventfd. -EBADF: not a descriptor. -EEXIST: another one matches the same
 * writes. -ENOENT: none to take back. -ENOSPC: too many.
 */
#define HVM_IOEVENTFD			_IOW(HVMIO, 0x79, struct hvm_ioeventfd)

/**
 * define HVM_SET_CLOCK - Set the paravirtual clock.
 *
 * In: struct hvm_clock_data. -EINVAL: flags.
 */
#define HVM_SET_CLOCK			_IOW(HVMIO, 0x7b, struct hvm_clock_data)

/**
 * define HVM_GET_CLOCK - Read the paravirtual clock.
 *
 * Out: struct hvm_clock_data.
 */
#define HVM_GET_CLOCK			_IOR(HVMIO, 0x7c, struct hvm_clock_data)

/**
 * define HVM_GET_PIT2 - State of the 8254.
 *
 * Out: struct hvm_pit_state2. -ENXIO: there is none in the kernel.
 */
#define HVM_GET_PIT2			_IOR(HVMIO, 0x9f, struct hvm_pit_state2)

/**
 * define HVM_SET_PIT2 - Set the state of the 8254.
 *
 * In: struct hvm_pit_state2. -ENXIO: there is none in the kernel.
 */
#define HVM_SET_PIT2			_IOW(HVMIO, 0xa0, struct hvm_pit_state2)

/**
 * define HVM_SIGNAL_MSI - Deliver an MSI.
 *
 * In: struct hvm_msi. Returns CPUs it was delivered to, 0 if the guest masks
 * it. -EINVAL: no in-kernel irqchip, or flags.
 */
#define HVM_SIGNAL_MSI			_IOW(HVMIO, 0xa5, struct hvm_msi)

/**
 * define HVM_CLEAR_DIRTY_LOG - Forget some dirty bits, watch those pages anew.
 *
 * In: struct hvm_clear_dirty_log. -EINVAL: no such slot number, or a range not
 * aligned or not in the slot. -ENOENT: the slot is empty or not logged.
 */
#define HVM_CLEAR_DIRTY_LOG		_IOWR(HVMIO, 0xc0, struct hvm_clear_dirty_log)

/**
 * define HVM_X86_SET_MSR_FILTER - Which MSRs the guest may touch.
 *
 * In: struct hvm_msr_filter; replaces the one before. -EINVAL: flags, or a
 * bitmap too long.
 */
#define HVM_X86_SET_MSR_FILTER		_IOW(HVMIO, 0xc6, struct hvm_msr_filter)

/**
 * define HVM_SET_NR_MMU_PAGES - Limit shadow page tables, of which there are none.
 *
 * In: at least 64, and remembered. -EINVAL: less.
 */
#define HVM_SET_NR_MMU_PAGES		_IO(HVMIO, 0x44)

/**
 * define HVM_GET_NR_MMU_PAGES - What was set; 0 at first.
 */
#define HVM_GET_NR_MMU_PAGES		_IO(HVMIO, 0x45)

/**
 * define HVM_CREATE_DEVICE - Create a device in the kernel.
 *
 * In, out: struct hvm_create_device. -ENODEV: there is no kind of them.
 */
#define HVM_CREATE_DEVICE		_IOWR(HVMIO, 0xe0, struct hvm_create_device)

/**
 * define HVM_RESET_DIRTY_RINGS - Take back ring entries that were read.
 *
 * Argument: 0. Returns how many there were, in all rings. -EINVAL: no ring.
 */
#define HVM_RESET_DIRTY_RINGS		_IO(HVMIO, 0xc7)

/* ------------------------------------------------------------------------ */
/* ioctls of a vCPU descriptor                                              */
/* ------------------------------------------------------------------------ */

/**
 * define HVM_RUN - Run the guest until something needs userspace.
 *
 * Argument: 0. Returns 0, and exit_reason in struct hvm_run says why. -EINTR:
 * a signal, or immediate_exit (exit_reason: HVM_EXIT_INTR). -EAGAIN: the vCPU
 * waits for INIT or SIPI and was woken for nothing. -EINVAL: the argument is
 * not 0, or unknown bits in valid_regs or dirty_regs.
 */
#define HVM_RUN				_IO(HVMIO, 0x80)

/**
 * define HVM_GET_REGS - Read the general registers.
 *
 * Out: struct hvm_regs.
 */
#define HVM_GET_REGS			_IOR(HVMIO, 0x81, struct hvm_regs)

/**
 * define HVM_SET_REGS - Write the general registers.
 *
 * In: struct hvm_regs. An exception not yet delivered is dropped.
 */
#define HVM_SET_REGS			_IOW(HVMIO, 0x82, struct hvm_regs)

/**
 * define HVM_GET_SREGS - Read segment, table and control registers.
 *
 * Out: struct hvm_sregs.
 */
#define HVM_GET_SREGS			_IOR(HVMIO, 0x83, struct hvm_sregs)

/**
 * define HVM_SET_SREGS - Write segment, table and control registers.
 *
 * In: struct hvm_sregs. -EINVAL: values no CPU could hold together.
 */
#define HVM_SET_SREGS			_IOW(HVMIO, 0x84, struct hvm_sregs)

/**
 * define HVM_TRANSLATE - Ask the guest's page tables about an address.
 *
 * In and out: struct hvm_translation.
 */
#define HVM_TRANSLATE			_IOWR(HVMIO, 0x85, struct hvm_translation)

/**
 * define HVM_INTERRUPT - Queue an interrupt of a controller in userspace.
 *
 * In: struct hvm_interrupt. -EINVAL: above 255. -ENXIO: the controllers are in
 * the kernel. -EEXIST: one is queued already.
 */
#define HVM_INTERRUPT			_IOW(HVMIO, 0x86, struct hvm_interrupt)

/**
 * define HVM_GET_MSRS - Read MSRs. (System, vCPU.)
 *
 * In and out: struct hvm_msrs. Returns how many were read; the next one is not
 * there. -E2BIG: more than 255.
 */
#define HVM_GET_MSRS			_IOWR(HVMIO, 0x88, struct hvm_msrs)

/**
 * define HVM_SET_MSRS - Write MSRs.
 *
 * In: struct hvm_msrs. Returns how many were written; the next one is not there
 * or does not take the value. -E2BIG: more than 255.
 */
#define HVM_SET_MSRS			_IOW(HVMIO, 0x89, struct hvm_msrs)

/**
 * define HVM_SET_CPUID - What CPUID shall answer, without subleaves.
 *
 * In: struct hvm_cpuid. Errors as HVM_SET_CPUID2.
 */
#define HVM_SET_CPUID			_IOW(HVMIO, 0x8a, struct hvm_cpuid)

/**
 * define HVM_SET_SIGNAL_MASK - Signals blocked while in HVM_RUN.
 *
 * In: struct hvm_signal_mask; 0 instead of a pointer: as outside. -EINVAL: len.
 */
#define HVM_SET_SIGNAL_MASK		_IOW(HVMIO, 0x8b, struct hvm_signal_mask)

/**
 * define HVM_GET_FPU - Read x87 and SSE state.
 *
 * Out: struct hvm_fpu.
 */
#define HVM_GET_FPU			_IOR(HVMIO, 0x8c, struct hvm_fpu)

/**
 * define HVM_SET_FPU - Write x87 and SSE state.
 *
 * In: struct hvm_fpu.
 */
#define HVM_SET_FPU			_IOW(HVMIO, 0x8d, struct hvm_fpu)

/**
 * define HVM_GET_LAPIC - Read the local APIC.
 *
 * Out: struct hvm_lapic_state. -EINVAL: it is not in the kernel.
 */
#define HVM_GET_LAPIC			_IOR(HVMIO, 0x8e, struct hvm_lapic_state)

/**
 * define HVM_SET_LAPIC - Write the local APIC; its timer goes on from there.
 *
 * In: struct hvm_lapic_state. -EINVAL: it is not in the kernel, or the state is
 * impossible.
 */
#define HVM_SET_LAPIC			_IOW(HVMIO, 0x8f, struct hvm_lapic_state)

/**
 * define HVM_SET_CPUID2 - What CPUID shall answer.
 *
 * In: struct hvm_cpuid2. -E2BIG: above 256 entries. -EINVAL: features no guest
 * can have, or a change after the first HVM_RUN.
 */
#define HVM_SET_CPUID2			_IOW(HVMIO, 0x90, struct hvm_cpuid2)

/**
 * define HVM_GET_CPUID2 - What CPUID answers.
 *
 * In and out: struct hvm_cpuid2. -E2BIG: too little room; nent tells how much
 * it takes.
 */
#define HVM_GET_CPUID2			_IOWR(HVMIO, 0x91, struct hvm_cpuid2)

/**
 * define HVM_TPR_ACCESS_REPORTING - Exit on each access to the task priority.
 *
 * In and out: struct hvm_tpr_access_ctl. -EINVAL: flags.
 */
#define HVM_TPR_ACCESS_REPORTING	_IOWR(HVMIO, 0x92, struct hvm_tpr_access_ctl)

/**
 * define HVM_SET_VAPIC_ADDR - Keep a copy of the task priority in guest memory.
 *
 * In: struct hvm_vapic_addr. -EINVAL: no local APIC in the kernel, or no guest
 * memory there.
 */
#define HVM_SET_VAPIC_ADDR		_IOW(HVMIO, 0x93, struct hvm_vapic_addr)

/**
 * define HVM_GET_MP_STATE - Does the vCPU run, halt, or wait for INIT or SIPI?
 *
 * Out: struct hvm_mp_state.
 */
#define HVM_GET_MP_STATE		_IOR(HVMIO, 0x98, struct hvm_mp_state)

/**
 * define HVM_SET_MP_STATE - Make it.
 *
 * In: struct hvm_mp_state. -EINVAL: not one of x86's, or other than runnable
 * without a local APIC in the kernel.
 */
#define HVM_SET_MP_STATE		_IOW(HVMIO, 0x99, struct hvm_mp_state)

/**
 * define HVM_NMI - Inject an NMI.
 *
 * Argument: ignored.
 */
#define HVM_NMI				_IO(HVMIO, 0x9a)

/**
 * define HVM_SET_GUEST_DEBUG - Debug the guest from outside.
 *
 * In: struct hvm_guest_debug. -EBUSY: HVM_GUESTDBG_INJECT_* while another
 * exception is pending.
 */
#define HVM_SET_GUEST_DEBUG		_IOW(HVMIO, 0x9b, struct hvm_guest_debug)

/**
 * define HVM_X86_SETUP_MCE - How many MCE banks, and what they can do.
 *
 * In: u64 as MCG_CAP: bits 0-7 banks, the rest as
 * HVM_X86_GET_MCE_CAP_SUPPORTED allows. -EINVAL: anything else.
 */
#define HVM_X86_SETUP_MCE		_IOW(HVMIO, 0x9c, __u64)

/**
 * define HVM_X86_SET_MCE - Raise a machine check in the guest.
 *
 * In: struct hvm_x86_mce. -EINVAL: no such bank, or status not valid.
 */
#define HVM_X86_SET_MCE			_IOW(HVMIO, 0x9e, struct hvm_x86_mce)

/**
 * define HVM_GET_VCPU_EVENTS - Read the events under way.
 *
 * Out: struct hvm_vcpu_events.
 */
#define HVM_GET_VCPU_EVENTS		_IOR(HVMIO, 0x9f, struct hvm_vcpu_events)

/**
 * define HVM_SET_VCPU_EVENTS - Write the events under way.
 *
 * In: struct hvm_vcpu_events. -EINVAL: flags, a vector that is no exception's,
 * or anything of SMM.
 */
#define HVM_SET_VCPU_EVENTS		_IOW(HVMIO, 0xa0, struct hvm_vcpu_events)

/**
 * define HVM_GET_DEBUGREGS - Read the guest's debug registers.
 *
 * Out: struct hvm_debugregs.
 */
#define HVM_GET_DEBUGREGS		_IOR(HVMIO, 0xa1, struct hvm_debugregs)

/**
 * define HVM_SET_DEBUGREGS - Write the guest's debug registers.
 *
 * In: struct hvm_debugregs. -EINVAL: flags, or bits 32-63 of DR6 or DR7.
 */
#define HVM_SET_DEBUGREGS		_IOW(HVMIO, 0xa2, struct hvm_debugregs)

/**
 * define HVM_SET_TSC_KHZ - Set the frequency of the guest's TSC. (VM, vCPU.)
 *
 * Argument: kHz; 0: the host's. On a VM: for vCPUs made later. -EINVAL: the
 * hardware cannot.
 */
#define HVM_SET_TSC_KHZ			_IO(HVMIO, 0xa2)

/**
 * define HVM_GET_TSC_KHZ - The frequency of the guest's TSC. (VM, vCPU.)
 *
 * Argument: ignored. Returns kHz.
 */
#define HVM_GET_TSC_KHZ			_IO(HVMIO, 0xa3)

/**
 * define HVM_ENABLE_CAP - Switch a capability on. (VM, vCPU.)
 *
 * In: struct hvm_enable_cap. -EINVAL: not one that is switched, bits in args
 * that mean nothing, or too late: some must come before the first vCPU.
 */
#define HVM_ENABLE_CAP			_IOW(HVMIO, 0xa3, struct hvm_enable_cap)

/**
 * define HVM_GET_XSAVE - Read the extended state.
 *
 * Out: struct hvm_xsave, 4096 bytes. -EINVAL: it takes more; HVM_GET_XSAVE2
 * does that. APM 2 "x87, SSE, and AVX System Programming"; SDM 1 "Managing
 * State Using the XSAVE Feature Set".
 */
#define HVM_GET_XSAVE			_IOR(HVMIO, 0xa4, struct hvm_xsave)

/**
 * define HVM_SET_XSAVE - Write the extended state.
 *
 * In: struct hvm_xsave, HVM_CAP_XSAVE2 bytes. -EINVAL: components the guest
 * cannot have, or reserved bits.
 */
#define HVM_SET_XSAVE			_IOW(HVMIO, 0xa5, struct hvm_xsave)

/**
 * define HVM_GET_XCRS - Read XCR0.
 *
 * Out: struct hvm_xcrs; nr_xcrs is 0 where the host has no XSAVE.
 */
#define HVM_GET_XCRS			_IOR(HVMIO, 0xa6, struct hvm_xcrs)

/**
 * define HVM_SET_XCRS - Write XCR0.
 *
 * In: struct hvm_xcrs. -EINVAL: the host has no XSAVE, flags, too many, or a
 * value XSETBV would refuse.
 */
#define HVM_SET_XCRS			_IOW(HVMIO, 0xa7, struct hvm_xcrs)

/**
 * define HVM_KVMCLOCK_CTRL - Tell the guest, by its clock, that it was paused.
 *
 * Argument: ignored. -EINVAL: the guest has set up no paravirtual clock.
 */
#define HVM_KVMCLOCK_CTRL		_IO(HVMIO, 0xad)

/**
 * define HVM_SMI - Not there, as hvm has no SMM.
 *
 * Argument: ignored. -EINVAL.
 */
#define HVM_SMI				_IO(HVMIO, 0xb7)

/**
 * define HVM_GET_SREGS2 - As HVM_GET_SREGS, with the PAE page pointers.
 *
 * Out: struct hvm_sregs2.
 */
#define HVM_GET_SREGS2			_IOR(HVMIO, 0xcc, struct hvm_sregs2)

/**
 * define HVM_SET_SREGS2 - As HVM_SET_SREGS, with the PAE page pointers.
 *
 * In: struct hvm_sregs2. -EINVAL: as there, or flags.
 */
#define HVM_SET_SREGS2			_IOW(HVMIO, 0xcd, struct hvm_sregs2)

/**
 * define HVM_GET_STATS_FD - A file of counters. (VM, vCPU.)
 *
 * Argument: ignored. Returns a descriptor to read struct hvm_stats_header from.
 */
#define HVM_GET_STATS_FD		_IO(HVMIO, 0xce)

/**
 * define HVM_GET_XSAVE2 - Read all of the extended state.
 *
 * Out: struct hvm_xsave, HVM_CAP_XSAVE2 bytes.
 */
#define HVM_GET_XSAVE2			_IOR(HVMIO, 0xcf, struct hvm_xsave)

/**
 * define HVM_SET_DEVICE_ATTR - Write a setting.
 *
 * In: struct hvm_device_attr. -ENXIO: there is no such setting.
 */
#define HVM_SET_DEVICE_ATTR		_IOW(HVMIO, 0xe1, struct hvm_device_attr)

/**
 * define HVM_GET_DEVICE_ATTR - Read a setting. (System, vCPU.)
 *
 * In: struct hvm_device_attr; the value goes where addr points. -ENXIO: there
 * is no such setting.
 */
#define HVM_GET_DEVICE_ATTR		_IOW(HVMIO, 0xe2, struct hvm_device_attr)

/**
 * define HVM_HAS_DEVICE_ATTR - Is a setting there? (System, vCPU.)
 *
 * In: struct hvm_device_attr. -ENXIO: it is not.
 */
#define HVM_HAS_DEVICE_ATTR		_IOW(HVMIO, 0xe3, struct hvm_device_attr)

#endif /* _UAPI_LINUX_HVM_H */
