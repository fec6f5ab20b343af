/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * hvm.h - the central structures of hvm, and who owns which function.
 *
 * A VM (struct hvm_vm) is a guest-physical map, a stage-2 table, interrupt
 * routing and vCPUs. A vCPU (struct hvm_vcpu) is run by a host thread inside
 * the RUN ioctl. Two loops drive it: vcpu_run() in vcpu.c handles what may
 * sleep; hvm_backend->run() enters the guest with interrupts off and finishes
 * by itself what hvm_fast_*() can.
 *
 * Locks, outermost first (docs/locking.md tells the story):
 *
 *   vcpu->mutex      [V]  vCPU ioctls; held for the whole of RUN
 *   vm->lock         [M]  slots, vCPU creation, capabilities, clock
 *   vm->irq_lock     [I]  routing table, irqfds, ioeventfds, apic map
 *   mmap_lock             (the kernel's; GUP and user copies take it)
 *   vm->s2.lock      [S]  rwlock: zapping and mmu notifier take it for writing,
 *                         faults and dirty marking for reading
 *   clock_lock            spinlock: the VM's clock, innermost
 *
 *   hvm_cpu_lock          main.c: number of VMs, CPUs taken; never with another
 *
 * Tags on fields below: the letters above; [R] read under RCU, written under
 * the lock named next to it; [A] atomic; [C] constant once created; [T] touched
 * by the vCPU's own thread only (which holds [V]); [*] explained there.
 */
#ifndef HVM_H
#define HVM_H

#include <linux/types.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/hrtimer.h>
#include <linux/mmu_notifier.h>
#include <linux/preempt.h>
#include <linux/refcount.h>
#include <linux/rcuwait.h>
#include <linux/eventfd.h>
#include <linux/cpumask.h>
#include <linux/rbtree.h>
#include <linux/seqlock.h>
#include <linux/xarray.h>
#include <asm/mce.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>
#include <linux/hvm.h>			/* include/uapi/linux/hvm.h */
#include "compat.h"
#include "backend.h"

#define HVM_MAX_VCPUS		255	/* x2APIC ids 0..254; 255 is broadcast in xAPIC mode */
#define HVM_MAX_VCPU_ID		255
#define HVM_MAX_SLOTS		32764	/* user slot ids 0..32763 */
#define HVM_MAX_SLOT_PAGES	((1UL << 31) - 1)
#define HVM_MAX_GSI		4096	/* routing table entries and GSIs */
#define HVM_MAX_IOEVENTFDS	1000	/* per VM */
#define HVM_MAX_IRQFDS		4096	/* per VM */
#define HVM_MAX_CPUID		256	/* SET_CPUID2 entries */
#define HVM_MAX_VMS		4096	/* per host */
#define HVM_APIC_BASE		0xfee00000ULL

/* What hvm takes of the interface's flag sets. */
#define HVM_GUESTDBG_VALID	(HVM_GUESTDBG_ENABLE | HVM_GUESTDBG_SINGLESTEP | \
				 HVM_GUESTDBG_USE_SW_BP | HVM_GUESTDBG_USE_HW_BP | \
				 HVM_GUESTDBG_INJECT_DB | HVM_GUESTDBG_INJECT_BP | \
				 HVM_GUESTDBG_BLOCKIRQ)
/* What KVM does otherwise than hardware, and hvm too unless told not to (CD and NW: always). */
#define HVM_QUIRKS_VALID	(HVM_X86_QUIRK_LINT0_REENABLED | HVM_X86_QUIRK_LAPIC_MMIO_HOLE | \
				 HVM_X86_QUIRK_OUT_7E_INC_RIP | \
				 HVM_X86_QUIRK_MISC_ENABLE_NO_MWAIT | \
				 HVM_X86_QUIRK_FIX_HYPERCALL_INSN | \
				 HVM_X86_QUIRK_MWAIT_NEVER_UD_FAULTS)
#define HVM_MSR_EXITS_VALID	(HVM_MSR_EXIT_REASON_INVAL | HVM_MSR_EXIT_REASON_UNKNOWN | \
				 HVM_MSR_EXIT_REASON_FILTER)

typedef u64 gpa_t;
typedef u64 gva_t;
typedef u64 gfn_t;
typedef u64 hfn_t;			/* host page frame number */

#define HVM_INVALID_GPA		(~(gpa_t)0)
#define hvm_gfn(gpa)		((gpa) >> PAGE_SHIFT)

/* Index into vcpu->gpr[]: the number that instructions encode. enter.S relies on it. */
enum hvm_gpr {
	HVM_RAX, HVM_RCX, HVM_RDX, HVM_RBX, HVM_RSP, HVM_RBP, HVM_RSI, HVM_RDI,
	HVM_R8, HVM_R9, HVM_R10, HVM_R11, HVM_R12, HVM_R13, HVM_R14, HVM_R15, HVM_NR_GPRS
};

/* Access kinds for page walks and faults. */
#define HVM_ACCESS_READ		BIT(0)
#define HVM_ACCESS_WRITE	BIT(1)
#define HVM_ACCESS_EXEC		BIT(2)
#define HVM_ACCESS_USER		BIT(3)	/* CPL 3 (explicit); for gwalk.c */

/* vcpu->mode [A]: may a kick by IPI be needed? Written by the vCPU's thread. */
enum { HVM_MODE_OUTSIDE, HVM_MODE_IN_GUEST };

/* Bits of vcpu->requests [A]. Set by anyone through hvm_request(), served by the vCPU before entry. */
enum hvm_req {
	HVM_REQ_EVENT,		/* look again at what is to be injected */
	HVM_REQ_TLB_FLUSH,	/* stage-2 entries were removed or restricted */
	HVM_REQ_CLOCK,		/* write the pvclock page again */
	HVM_REQ_STEAL,		/* write steal time (the vCPU was scheduled in), or finish a PV EOI */
	HVM_REQ_TRIPLE_FAULT,	/* shut down */
	HVM_REQ_SCAN_IOAPIC,	/* routes changed: which vectors need an EOI exit */
	HVM_REQ_IOAPIC_EOI,	/* leave to userspace with one of vcpu->eoi_pending */
	HVM_REQ_TRAPS,		/* backend->update_traps(HVM_TRAPS_MSR) */
	HVM_REQ_TPR_ACCESS,	/* leave with HVM_EXIT_TPR_ACCESS, vcpu->tpr_rip and tpr_write */
	HVM_REQ_USER_TRAP,	/* userspace injected an exception: a trap's RIP is behind it */
	HVM_REQ_RING_FULL,	/* leave with HVM_EXIT_DIRTY_RING_FULL until it is not */
	HVM_REQ_DEBUG_STEP,	/* leave with HVM_EXIT_DEBUG: the host did the instruction stepped over */
};

/* Counters: vcpu->stat[] [T] (read by anyone); names in stats.c, shown in debugfs. */
enum hvm_stat {
	HVM_STAT_EXITS, HVM_STAT_IO_EXITS, HVM_STAT_MMIO_EXITS, HVM_STAT_HALT_EXITS,
	HVM_STAT_SIGNAL_EXITS, HVM_STAT_IRQ_EXITS, HVM_STAT_IRQ_WINDOW, HVM_STAT_NMI_WINDOW,
	HVM_STAT_PF_TAKEN, HVM_STAT_CPUID, HVM_STAT_MSR_READ, HVM_STAT_MSR_WRITE,
	HVM_STAT_HYPERCALLS, HVM_STAT_INSN_EMULATION, HVM_STAT_REQUEST_IRQ_EXITS,
	HVM_STAT_IRQ_INJECTIONS, HVM_STAT_NMI_INJECTIONS, HVM_STAT_TLB_FLUSH,
	HVM_STAT_HALT_WAKEUP, HVM_STAT_PREEMPTED, HVM_STAT_IOEVENTFD, HVM_STAT_APIC_ACCESS,
	HVM_NR_STATS
};

/*
 * Why run() returned. The backend fills vcpu->exit; vcpu.c handles it.
 * insn_len is 0 where the processor does not tell; rip is that of the
 * instruction (not advanced) unless said otherwise.
 */
enum hvm_x {
	HVM_X_NONE,		/* nothing to handle: a host interrupt, a request, work pending */
	HVM_X_FAIL_ENTRY,	/* .hw_reason */
	HVM_X_UNKNOWN,		/* .hw_reason: an exit the backend did not ask for */
	HVM_X_EXCEPTION,	/* .vector, .error_code, .qual (#DB: DR6 bits; #PF: CR2) */
	HVM_X_NMI_WINDOW,
	HVM_X_IRQ_WINDOW,
	HVM_X_CPUID,
	HVM_X_HLT,
	HVM_X_PAUSE,
	HVM_X_INVD,		/* INVD, WBINVD, WBNOINVD: only skipped */
	HVM_X_RDPMC,
	HVM_X_RDTSCP,		/* only where the guest's CPUID lacks it */
	HVM_X_HYPERCALL,
	HVM_X_UD,		/* an instruction hvm does not offer (VMX, SVM …): #UD */
	HVM_X_MONITOR,		/* MONITOR, MWAIT */
	HVM_X_CR,		/* decode the instruction at RIP, or .cr valid when insn_len != 0 */
	HVM_X_DR,		/* likewise */
	HVM_X_XSETBV,
	HVM_X_PIO,		/* .pio, insn_len */
	HVM_X_RDMSR,
	HVM_X_WRMSR,
	HVM_X_SHUTDOWN,		/* triple fault */
	HVM_X_STAGE2,		/* .fault */
	HVM_X_USER,		/* vcpu->run says what is left to do */
	HVM_X_CR8_BELOW,	/* TPR fell below the threshold; already stored in vcpu->cr8 */
	HVM_X_TASK_SWITCH,	/* reported to userspace as an emulation failure */
	HVM_X_BUS_LOCK,
};

struct hvm_exit_info {
	enum hvm_x code;
	u8 insn_len;
	bool insn_bytes_valid;		/* decode assist gave insn_bytes */
	u8 nr_insn_bytes;
	u8 insn_bytes[15];
	union {
		u64 hw_reason;
		struct {
			u8 vector;
			bool has_error_code;
			u32 error_code;
			u64 qual;
		};
		struct {
			u16 port;
			u8 size;	/* 1, 2, 4 */
			bool in, string;
		} pio;
		struct {
			gpa_t gpa;
			u32 access;	/* HVM_ACCESS_* */
			bool table_walk;	/* the guest's own page-table access faulted */
		} fault;
		struct {
			u8 nr;		/* 0, 2, 3, 4, 8 or the DR number */
			u8 gpr;
			u8 op;		/* HVM_CROP_* */
			u16 lmsw;
		} cr;
	};
};
enum { HVM_CROP_READ, HVM_CROP_WRITE, HVM_CROP_CLTS, HVM_CROP_LMSW };

/* The event now being delivered, in EVENTINJ/VM-entry interruption format (same in both manuals). */
#define HVM_INJ_VECTOR		0xffULL
#define HVM_INJ_TYPE		(7ULL << 8)
#define HVM_INJ_INTR		(0ULL << 8)
#define HVM_INJ_NMI		(2ULL << 8)
#define HVM_INJ_EXC		(3ULL << 8)	/* also #BP and #OF: the VMX backend makes them type 6 */
#define HVM_INJ_SOFT		(4ULL << 8)	/* INT n; vcpu->inj_len is its length */
#define HVM_INJ_HAS_ERR		(1ULL << 11)
#define HVM_INJ_VALID		(1ULL << 31)	/* error code in bits 63:32 */

/* Debug registers: DR6 bits that read 1 when nothing happened; DR7's enables and general detect. */
#define HVM_DR6_INIT		0xffff0ff0ULL
#define HVM_DR6_EVENTS		0xe00fULL	/* BT, BS, BD, B3..B0 */
#define HVM_DR7_INIT		0x400ULL
#define HVM_DR7_ENABLED		0xffULL
#define HVM_DR7_GD		BIT_ULL(13)

struct hvm_exception {
	bool pending, has_error_code, has_payload;
	u8 nr;
	u32 error_code;
	u64 payload;			/* #DB: DR6 bits, #PF: CR2; delivered at injection */
};

/* The last instruction fetch's page walk, good while the same entries still read the same: gwalk.c */
#define HVM_WALK_LEVELS		5
struct hvm_fetch_cache {
	u64 gen;			/* vm->slots_gen; 0: empty */
	u64 page, cr3;			/* what was looked up */
	u64 __user *entry[HVM_WALK_LEVELS];
	u64 val[HVM_WALK_LEVELS];
	int levels;
	unsigned long hva;		/* of the page of instructions */
};

struct hvm_fpu_ctx;			/* x86/fpu.c */
struct hvm_lapic;			/* irq/lapic.c */
struct hvm_cpuid_table;			/* x86/cpuid.c */
struct hvm_pv;				/* x86/pv.c */
struct hvm_emul;			/* x86/emulate.c */
struct hvm_irq_table;			/* irq/routing.c */

/**
 * struct hvm_vcpu - a virtual CPU
 *
 * gpr, rip and rflags are authoritative whenever run() is not executing; the
 * backend copies RAX/RSP/RIP/RFLAGS from and to its control block.
 */
struct hvm_vcpu {
	/* hot: written on each exit. gpr must be first: enter.S indexes it */
	u64 gpr[HVM_NR_GPRS];		/* [T] */
	u64 rip;			/* [T] */
	u64 rflags;			/* [T] */
	u64 inj;			/* [T] event to (re)inject, 0 = none; backend clears or refills at exit */
	unsigned long requests;		/* [A] enum hvm_req */
	int mode;			/* [*] HVM_MODE_*; written by own thread, read by kickers after a barrier */
	int cpu;			/* [*] CPU it is loaded on, or -1; written with preemption off */
	void *arch;			/* [C] the backend's struct */
	struct hvm_run *run;		/* [C] page shared with userspace: every field is hostile input */
	void *pio_data;			/* [C] the page behind it, likewise */
	struct hvm_vm *vm;		/* [C] */
	u64 cr8;			/* [T] TPR bits 7:4; backend keeps it equal to the virtual TPR */
	u8 inj_len;			/* [T] length of the INT n being injected */
	bool tlb_flush;			/* [T] flush at next entry; backend clears it after an entry that did */
	u32 windows;			/* [T] HVM_WINDOW_* wanted; backend->set_windows() after a change */
	u8 tpr_threshold;		/* [T] for HVM_WINDOW_CR8 */
	struct hvm_exit_info exit;	/* [T] */
	u32 *shadow_word;		/* [C] where 0 ends an interrupt shadow; NULL: backend's end_shadow() */
	u64 stat[HVM_NR_STATS];		/* [T] */

	/* control state the common code keeps. CR0/CR3/CR4 live in the backend: get_cr() */
	u64 efer;			/* [T] with LMA */
	u64 pdptr[4];			/* [T] SET_SREGS2's, for set_cr(HVM_CR_PDPTR) */
	bool pdptr_set;			/* [T] and what GET_SREGS2 gives until the vCPU runs */
	u64 apic_base;			/* [T] IA32_APIC_BASE; owned by irq/lapic.c */
	u64 dr[4], dr6, dr7;		/* [T] the guest's */
	u64 guest_dr[4], guest_dr7;	/* [T] SET_GUEST_DEBUG's breakpoints */
	u32 guest_debug;		/* [T] HVM_GUESTDBG_* */
	u64 tsc_offset, tsc_ratio;	/* [T] what set_tsc() applies; ratio 0 = 1:1 */
	u32 tsc_moves;			/* [T] how often either was changed */
	u64 xcr0;			/* [T] guest's; owned by x86/fpu.c */
	u64 spec_ctrl;			/* [T] guest's IA32_SPEC_CTRL; backend switches it */
	u64 tsc_aux;			/* [T] guest's IA32_TSC_AUX; backend switches it */
	u64 pat;			/* [T] */
	u64 cr4_reserved;		/* [T] from cpuid.c */
	u64 efer_allowed;		/* [T] from cpuid.c */
	u64 xcr0_allowed;		/* [T] from cpuid.c: what XSETBV may set */
	u8 mode_known, cpl_known;	/* [T] what hvm_cpu_mode() and hvm_vcpu_cpl() found at this exit, plus 1 */
	int clock_cpu;			/* [T] clock.c: last loaded here */
	u32 clock_epoch;		/* [T] clock.c: host resumes dealt with */
	u8 maxphyaddr;			/* [T] from cpuid.c, 36..52 */

	/* events: events.c */
	struct hvm_exception exception;	/* [T] */
	atomic_t nmi_pending;		/* [A] 0..2 */
	int ext_irq;			/* [T] HVM_INTERRUPT's vector, -1 = none (no in-kernel irqchip) */
	u32 sipi_vector;		/* [*] written before INIT/SIPI bits, see lapic.c */
	u32 mp_state;			/* [T] HVM_MP_STATE_*; others ask through lapic events */
	DECLARE_BITMAP(eoi_pending, 256);	/* [T] vectors ended that userspace was not told of yet */
	bool virtual_irq;		/* [T], senders read it under RCU: the processor delivers the local APIC's interrupts by itself */
	u64 timer_early;		/* [*] TSC deadline whose interrupt was posted before it, or 0: lapic_timer.c */
	bool pv_unhalted;		/* [A] KICK_CPU hypercall: ends one HLT; set by pv.c/lapic.c, cleared by vcpu.c */
	bool tpr_report;		/* [T] TPR_ACCESS_REPORTING */
	bool tpr_write;			/* [T] for HVM_REQ_TPR_ACCESS, */
	u64 tpr_rip;			/* [T] likewise */
	u64 vapic;			/* [T] SET_VAPIC_ADDR, 0 = none: irq/lapic.c */
	bool steal_time;		/* [T] pv.c: the guest wants steal time (HVM_REQ_STEAL when scheduled in) */

	struct hvm_fpu_ctx *fpu;		/* [C] */
	struct hvm_lapic *apic;		/* [C] NULL without in-kernel local APIC */
	struct hvm_cpuid_table *cpuid;	/* [V] NULL until SET_CPUID2 */
	struct hvm_pv *pv;		/* [C] */
	struct hvm_emul *emul;		/* [C] */
	struct hvm_msr_state *msrs;		/* [C] MSRs kept in software: x86/msr.c */
	struct hvm_fetch_cache fetch;	/* [T] */
	int (*complete)(struct hvm_vcpu *vcpu);	/* [T] finishes the last userspace exit at next RUN; returns as handlers do */
	bool completes_fast;		/* [T] ... and that never sleeps */

	/* cold */
	struct mutex mutex;		/* [V] */
	struct rcuwait wait;		/* HLT sleeps here */
	struct preempt_notifier pn;	/* registered while loaded */
	u32 id;				/* [C] APIC id */
	u32 idx;			/* [C] index in vm->vcpus */
	sigset_t sigset;		/* [V] SET_SIGNAL_MASK */
	bool sigset_active;		/* [V] */
	bool loaded;			/* [T] between hvm_vcpu_load() and _put() */
	bool pinned;			/* [T] loaded with preemption off, pn not registered */
	struct hvm_dirty_ring *dirty_ring;	/* [C] NULL: the log is in bitmaps. dirty_ring.c */
	struct page *pages[2];		/* [C] run page, PIO data page (mmap offsets 0 and 1) */
	struct dentry *debugfs;
	struct rcu_head rcu;
};

/* ---- guest-physical memory: memslot.c ---- */

/**
 * struct hvm_slot - a piece of guest-physical memory backed by the VMM's memory
 * Immutable once published (but for the dirty bitmaps); replaced as a whole.
 */
struct hvm_slot {
	gfn_t base;			/* first page */
	u64 npages;
	unsigned long hva;		/* in vm->mm */
	u32 flags;			/* HVM_MEM_* */
	u16 id;
	unsigned long *dirty;		/* [A] bits, or NULL; passed on to the slot that replaces this one */
	struct rcu_head rcu;
};

/* Sorted by base; published by RCU, changed in place under slots_seq, so readers copy what they need out. */
struct hvm_slots {
	struct rcu_head rcu;
	u32 nr, room;
	u32 hint;			/* [*] any index: where the last look-up hit */
	struct hvm_slot *slot[];
};

/* ---- stage 2: stage2.c walks, stage2_ept.c and stage2_npt.c are the formats ---- */

/**
 * struct hvm_pt_format - how a vendor writes stage-2 entries
 * Four levels of 512 eight-byte entries; level 1 is 4 KiB, 2 is 2 MiB, 3 is 1 GiB.
 */
struct hvm_pt_format {
	u64 (*table)(u64 table_pa);			/* non-leaf entry */
	u64 (*leaf)(u64 pa, int level, bool write, bool exec, bool dirty, bool uncached);
	u64 present;		/* any of these bits: present */
	u64 large;		/* leaf above level 1 */
	u64 write;		/* may write */
	u64 accessed, dirty;	/* hardware A/D bits, 0 = the format has none */
	u64 soft_dirty_log;	/* software bit: writable but for dirty logging */
	bool nx_huge;		/* set at load: large leaves are not executable */
	bool dirty_log;		/* set at load: the processor logs whatever it sets the dirty bit of */
	u64 addr_mask;
	bool huge_1g;		/* set at load */
	bool host_levels;	/* walked with as many levels as the host's own tables */
};

struct hvm_stage2 {
	rwlock_t lock;			/* [S] */
	u64 *root;			/* [C] top table of 4 levels */
	u64 *top;			/* [C] level 5 above it, where the format needs one */
	u64 root_pa;			/* [C] what the processor is given */
	unsigned long seq;		/* [S] counts invalidations and changes of slots */
	int invalidating;		/* [S] mmu notifier ranges under way */
	unsigned long inv_start, inv_end;	/* [S] user addresses they cover */
	atomic_t flushing;		/* [A] removals whose TLB flush is not over yet */
	unsigned long freed;		/* [S] unlinked tables that wait for a flush: stage2.c */
	atomic_long_t tables;		/* [A] table pages in use */
	bool logged;			/* [M] some slot was logged once; the backend reads it */
	const struct hvm_pt_format *fmt;	/* [C] */
};

/**
 * struct hvm_vm - a virtual machine
 */
struct hvm_vm {
	struct mm_struct *mm;		/* [C] the creator's; every ioctl checks it */
	struct hvm_stage2 s2;
	struct hvm_slots __rcu *slots;	/* [R] under M and S */
	seqcount_t slots_seq;		/* written under M and S */
	u64 slots_gen;			/* [*] counts their changes; written like slots, read by anyone */
	struct xarray slot_ids;		/* [M] slots by number */
	struct rb_root_cached hva_slots;	/* [S] written under M too: by user address */
	struct mutex lock;		/* [M] */
	struct hvm_vcpu *vcpus[HVM_MAX_VCPUS];	/* [M] to add; readers: index < smp_load_acquire(&nr_vcpus) */
	int nr_vcpus;			/* [M] published with smp_store_release */
	refcount_t users;		/* VM fd, vCPU fds, stats fds */
	struct hvm_notifier *notifier;	/* [C] memslot.c */

	/* irq/ */
	struct mutex irq_lock;		/* [I] */
	struct hvm_irq_table __rcu *routes;	/* [R] under I: irq/routing.c */
	struct hvm_apic_map __rcu *apic_map;	/* made with the first vCPU, [M]; its contents: irq/lapic.c */
	struct list_head irqfds;	/* [I] irq/irqfd.c */
	int nr_irqfds;			/* [I] */
	bool irqfds_used;		/* [I] there was ever one */
	struct list_head resamplers;	/* [I] */
	struct hvm_iodev_table __rcu *iodevs[2];	/* [R] under I: irq/ioeventfd.c; 0 = PIO, 1 = MMIO */
	struct hvm_zone_table __rcu *zones;	/* [R] under I: irq/coalesced.c */
	struct page *ring;		/* [A] set once */
	spinlock_t ring_lock;		/* its `last` and entries; innermost */
	bool irqchip_split;		/* [M] set before the first vCPU */
	bool irqchip_kernel;		/* [M] any in-kernel local APIC (split or full) */
	u16 nr_ioapic_pins;		/* [M] split irqchip: reserved routes 0..n-1 */
	/* irq/legacy.h; NULL with the split irqchip or none. [M] set once, the first two before irqchip_kernel */
	struct hvm_pic *pic;
	struct hvm_ioapic *ioapic;
	struct hvm_pit *pit;		/* readers: smp_load_acquire(), or told by a tick */
	bool x2apic_ids, x2apic_no_broadcast_quirk;	/* [M] CAP_X2APIC_API */
	u32 bsp_id;			/* [M] SET_BOOT_CPU_ID */
	u32 max_vcpu_id;		/* [M] CAP_MAX_VCPU_ID, 0 = default */

	/* x86/ */
	u32 user_msr_exits;		/* [M] CAP_X86_USER_SPACE_MSR mask */
	struct hvm_msr_filter_set __rcu *msr_filter;	/* [R] under M: x86/msr.c */
	bool exception_payload;		/* [M] CAP_EXCEPTION_PAYLOAD */
	bool triple_fault_event;	/* [M] CAP_X86_TRIPLE_FAULT_EVENT */
	bool exit_on_emul_error;	/* [M] CAP_EXIT_ON_EMULATION_FAILURE */
	u64 disabled_exits;		/* [M] CAP_X86_DISABLE_EXITS mask */
	u32 dirty_ring_bytes;		/* [M] CAP_DIRTY_LOG_RING, 0: bitmaps; before the first vCPU */
	u32 manual_dirty;		/* [M] CAP_MANUAL_DIRTY_LOG_PROTECT2 flags */
	u32 halt_poll_ns;		/* [M] CAP_HALT_POLL; read by vCPUs */
	u32 disabled_quirks;		/* [M] HVM_X86_QUIRK_*: CAP_DISABLE_QUIRKS2 */
	bool hide_platform_info;	/* [M] CAP_MSR_PLATFORM_INFO */
	unsigned long tss_addr;		/* [M] SET_TSS_ADDR: only remembered */
	u64 identity_map_addr;		/* [M] likewise */
	u32 nr_mmu_pages;		/* [M] SET_NR_MMU_PAGES: likewise */
	spinlock_t clock_lock;		/* clock: innermost */
	/* [clock_lock], all but the MSR: x86/clock.c */
	bool clock_stable;		/* the clock is a line through the reference, else raw ns + offset */
	u64 clock_offset;
	u64 clock_ref_tsc, clock_ref_ns, clock_ref_raw;	/* host TSC, clock and raw clock of one moment */
	u32 clock_mul;			/* [C] of the host's TSC */
	s8 clock_shift;			/* [C] */
	u32 clock_epoch;		/* host resumes dealt with */
	u64 clock_slept;		/* ns the host had been suspended at the last of them */
	u64 tsc_lost;			/* host TSC ticks that resets took, all told */
	u64 wall_clock_msr;		/* [A] */
	u64 last_tsc_write, last_tsc_ns, last_tsc_offset;	/* TSC synchronisation */
	u32 last_tsc_khz;
	u32 default_tsc_khz;		/* [M] */

	struct dentry *debugfs;
	u64 id;				/* [C] for debugfs and traces */
};

static inline int hvm_nr_vcpus(struct hvm_vm *vm)
{
	return smp_load_acquire(&vm->nr_vcpus);
}
#define hvm_for_each_vcpu(i, v, vm) \
	for ((i) = 0; (i) < hvm_nr_vcpus(vm) && ((v) = (vm)->vcpus[i], 1); (i)++)

/*
 * Handlers of exits return 1: go on running the guest; 0: leave to userspace,
 * vcpu->run says why; negative: RUN fails with this errno.
 */

/* ---- main.c: module, /dev/hvm, CPUs ---- */
int hvm_cpus_get(void);			/* a VM is born: take the CPUs; -EBUSY: another hypervisor has them */
void hvm_cpus_put(void);
long hvm_check_extension(struct hvm_vm *vm, unsigned long cap);	/* vm NULL on /dev/hvm */
extern struct dentry *hvm_debugfs;

/* One row of an ioctl table. Outputs: handler fills @arg, which is copied out when it returns 0. */
struct hvm_ioctl {
	unsigned int cmd;
	u16 size;		/* bytes copied in (_IOC_WRITE) and out (_IOC_READ); 0: arg is a plain value or handled by itself */
	u16 lock;		/* HVM_LOCK_*: taken around fn */
	long (*fn)(void *obj, void *arg, unsigned long uarg);	/* arg: kernel copy (NULL when size 0); uarg: as given */
};
/* A function for such a row that only calls another; @call uses obj, arg and uarg. */
#define HVM_HANDLER(name, call) \
	static long name(void *obj, void *arg, unsigned long uarg) { return call; }
enum { HVM_LOCK_NONE, HVM_LOCK_VM /* vm->lock */, HVM_LOCK_VCPU /* vcpu->mutex, and loaded */ };
/* Find @cmd in a table of @n rows, copy in, lock, call, unlock, copy out. -ENOTTY: no such row. */
long hvm_ioctl_run(const struct hvm_ioctl *table, int n, unsigned int cmd, unsigned long uarg,
		   void *obj, struct mutex *vm_lock, struct hvm_vcpu *vcpu);

/* ---- vm.c ---- */
int hvm_vm_create_fd(unsigned long type);
void hvm_vm_get(struct hvm_vm *vm);
void hvm_vm_put(struct hvm_vm *vm);

/* ---- vcpu.c ---- */
int hvm_vcpu_create_fd(struct hvm_vm *vm, u32 id);	/* [M] held */
void hvm_vcpu_free(struct hvm_vcpu *vcpu);		/* from vm.c when the VM dies */
void hvm_vcpu_load(struct hvm_vcpu *vcpu);
void hvm_vcpu_put(struct hvm_vcpu *vcpu);
void hvm_vcpu_kick(struct hvm_vcpu *vcpu);		/* wake it, or make it leave the guest; any context */
void hvm_flush_remote(struct hvm_vm *vm);		/* TLB flush on every vCPU; may be called under s2.lock; waits until none runs with the old */
bool hvm_host_irq_window(struct hvm_vcpu *vcpu);	/* backend, after an interrupt exit: lets the host take it; true: enter again */
void hvm_skip_insn(struct hvm_vcpu *vcpu);		/* RIP += exit.insn_len, shadow off, #DB for TF */
int hvm_exit_internal_error(struct hvm_vcpu *vcpu, u32 suberror, int n, const u64 *data);	/* returns 0 */

static inline void hvm_request_only(struct hvm_vcpu *vcpu, enum hvm_req req)
{
	set_bit(req, &vcpu->requests);
}

static inline void hvm_request(struct hvm_vcpu *vcpu, enum hvm_req req)
{
	hvm_request_only(vcpu, req);
	hvm_vcpu_kick(vcpu);
}

/* ---- events.c: exceptions, NMIs and interrupts on their way into the guest ---- */
void hvm_queue_exception(struct hvm_vcpu *vcpu, u8 nr);
void hvm_queue_exception_err(struct hvm_vcpu *vcpu, u8 nr, u32 err);
void hvm_queue_exception_payload(struct hvm_vcpu *vcpu, u8 nr, bool has_err, u32 err, u64 payload);
static inline void hvm_inject_gp(struct hvm_vcpu *vcpu) { hvm_queue_exception_err(vcpu, 13, 0); }
static inline void hvm_inject_ud(struct hvm_vcpu *vcpu) { hvm_queue_exception(vcpu, 6); }
void hvm_inject_pf(struct hvm_vcpu *vcpu, gva_t cr2, u32 err);
void hvm_queue_nmi(struct hvm_vcpu *vcpu);		/* any context */
bool hvm_fast_event(struct hvm_vcpu *vcpu);		/* inner loop: true: HVM_REQ_EVENT was all, and is done */
int hvm_prepare_events(struct hvm_vcpu *vcpu);		/* before entry: fills vcpu->inj and windows; 1 = go on, 0 = leave */
void hvm_trap_from_user(struct hvm_vcpu *vcpu);
bool hvm_vcpu_runnable(struct hvm_vcpu *vcpu);		/* would HLT end? */
int hvm_irq_under_way(struct hvm_vcpu *vcpu);
void hvm_get_events(struct hvm_vcpu *vcpu, struct hvm_vcpu_events *ev);
int hvm_set_events(struct hvm_vcpu *vcpu, const struct hvm_vcpu_events *ev);

/* ---- memslot.c ---- */
int hvm_memslots_init(struct hvm_vm *vm);		/* also registers the mmu notifier */
void hvm_memslots_destroy(struct hvm_vm *vm);
void hvm_memslots_exit(void);				/* at unload: wait for what is freed later */
int hvm_set_memory_region(struct hvm_vm *vm, const struct hvm_userspace_memory_region *r);	/* [M] */
int hvm_get_dirty_log(struct hvm_vm *vm, const struct hvm_dirty_log *log);	/* [M] */
int hvm_clear_dirty_log(struct hvm_vm *vm, const struct hvm_clear_dirty_log *log);	/* [M] */
bool hvm_slot_find(struct hvm_vm *vm, gfn_t gfn, struct hvm_slot *out);	/* copies the slot out; any context */
void hvm_mark_dirty(struct hvm_vcpu *vcpu, gfn_t gfn);	/* own thread, any context */
void hvm_mark_dirty_list(struct hvm_vcpu *vcpu, const u64 *gpa, u32 n);	/* likewise */
void hvm_log_anew(struct hvm_vm *vm, u32 id, u64 offset);	/* [M], [S] for writing */
int hvm_read_gpa(struct hvm_vm *vm, gpa_t gpa, void *buf, u32 len);	/* -EFAULT: no memory there; may cross pages; may sleep */
int hvm_write_gpa(struct hvm_vcpu *vcpu, gpa_t gpa, const void *buf, u32 len);

/* ---- dirty_ring.c ---- */
#define HVM_DIRTY_RING_MAX	(65536 * sizeof(struct hvm_dirty_gfn))
#define HVM_HW_LOG_ENTRIES	512	/* that a processor may add at one exit */
int hvm_dirty_ring_enable(struct hvm_vm *vm, u32 bytes);	/* [M] */
int hvm_dirty_ring_create(struct hvm_vcpu *vcpu);
void hvm_dirty_ring_destroy(struct hvm_vcpu *vcpu);
bool hvm_dirty_ring_mapped(struct hvm_vcpu *vcpu, unsigned long first, unsigned long n);
struct page *hvm_dirty_ring_page(struct hvm_vcpu *vcpu, unsigned long pgoff);
void hvm_dirty_ring_push(struct hvm_vcpu *vcpu, const struct hvm_slot *s, u64 offset);
bool hvm_dirty_ring_full(struct hvm_vcpu *vcpu);	/* HVM_REQ_RING_FULL */
int hvm_reset_dirty_rings(struct hvm_vm *vm);		/* [M] */
/* The slot, which logs, is current: under s2.lock, or RCU. */
static inline void hvm_slot_dirtied(struct hvm_vcpu *vcpu, const struct hvm_slot *s, gfn_t gfn)
{
	if (unlikely(vcpu->dirty_ring))
		hvm_dirty_ring_push(vcpu, s, gfn - s->base);
	else
		set_bit(gfn - s->base, s->dirty);
}

/* ---- stage2.c ---- */
int hvm_s2_init(struct hvm_vm *vm);
void hvm_s2_destroy(struct hvm_vm *vm);
/* Handle a fault: 1 mapped (enter again), 0 no memory there or read-only slot written (it is MMIO), -errno (-EFAULT …) */
int hvm_s2_fault(struct hvm_vcpu *vcpu, gpa_t gpa, u32 access);
/*
 * Do @op to what maps pages [start, end), s2.lock held for writing. True if anything
 * was removed or restricted (a TLB flush is due: hvm_s2_unlock() does it), or is young.
 */
#define HVM_S2_GFN_BITS	36		/* four levels: 48 bits of guest-physical address */
enum hvm_s2_op {
	HVM_S2_NOTHING,			/* for memslot.c: only look whether there is memory */
	HVM_S2_ZAP,
	HVM_S2_WRPROTECT,		/* for the dirty log; large leaves are removed */
	HVM_S2_TEST_YOUNG,
	HVM_S2_CLEAR_YOUNG,		/* removes what has no A bit */
};
bool hvm_s2_apply(struct hvm_vm *vm, gfn_t start, gfn_t end, enum hvm_s2_op op);
bool hvm_s2_wrprotect_mask(struct hvm_vm *vm, gfn_t base, unsigned long mask);	/* 64 pages at once */
void hvm_s2_unlock(struct hvm_vm *vm, bool flush, bool may_sleep);	/* write_unlock, flush, free tables */
extern struct hvm_pt_format hvm_ept_format, hvm_npt_format;

/* ---- gwalk.c: the guest's own page tables ---- */
/*
 * Translate @gva. 0: *gpa set; 1: the guest must get a #PF (or #GP for a non-canonical
 * address), which was queued if @inject; -EFAULT: a table is not in memory.
 */
int hvm_walk(struct hvm_vcpu *vcpu, gva_t gva, u32 access, gpa_t *gpa, bool inject);
/* Up to @max instruction bytes at RIP; returns how many (0: fault queued), or -EFAULT. */
int hvm_fetch_insn(struct hvm_vcpu *vcpu, u8 *buf, int max);
bool hvm_fetch_cached(struct hvm_vcpu *vcpu, u64 buf[2]);	/* the same, 64-bit code, from where the last fetch was; false: not so */

/* ---- x86/emulate.c (with x86/decode.c) ---- */
int hvm_emul_create(struct hvm_vcpu *vcpu);
void hvm_emul_destroy(struct hvm_vcpu *vcpu);
int hvm_handle_mmio(struct hvm_vcpu *vcpu, gpa_t gpa, u32 access);	/* exit.code == HVM_X_STAGE2 and no memory there */
int hvm_handle_pio(struct hvm_vcpu *vcpu);		/* exit.pio */
int hvm_decode_cr_dr(struct hvm_vcpu *vcpu);		/* fills exit.cr and exit.insn_len from the bytes at RIP; as handlers */
int hvm_emul_failure(struct hvm_vcpu *vcpu, const u8 *bytes, int n);	/* INTERNAL_ERROR_EMULATION; returns 0 */
enum hvm_fast { HVM_FAST_SLOW, HVM_FAST_DONE, HVM_FAST_USER };
bool hvm_fast_bell(struct hvm_vcpu *vcpu);		/* exit.pio hits an ioeventfd: signalled */
enum hvm_fast hvm_fast_pio(struct hvm_vcpu *vcpu);	/* exit.pio; irqs may be off */
enum hvm_fast hvm_fast_mmio(struct hvm_vcpu *vcpu, gpa_t gpa, u32 access);	/* a MOV to or from a device; irqs off; sets exit.insn_len */

/* ---- x86/cpuid.c ---- */
void hvm_cpuid_init(void);				/* at load, after hvm_fpu_init(): what this host can offer */
void hvm_cpuid_hide(int x86_feature);			/* backend->setup(): guests cannot have this one */
long hvm_cpuid_supported(unsigned long uarg, bool emulated);	/* GET_SUPPORTED_CPUID, GET_EMULATED_CPUID */
int hvm_set_cpuid(struct hvm_vcpu *vcpu, unsigned long uarg, bool v2);	/* struct hvm_cpuid2, hvm_cpuid in user memory */
int hvm_get_cpuid(struct hvm_vcpu *vcpu, unsigned long uarg);
void hvm_cpuid_destroy(struct hvm_vcpu *vcpu);
bool hvm_fast_cpuid(struct hvm_vcpu *vcpu);		/* always true: fills RAX..RDX; any context */
u32 hvm_cpuid_pv_features(struct hvm_vcpu *vcpu);	/* what the guest is shown of hvm_pv_features() */
bool hvm_guest_has(struct hvm_vcpu *vcpu, int x86_feature);	/* X86_FEATURE_* of the words cpuid.c maps */
void hvm_cpuid_update(struct hvm_vcpu *vcpu);		/* CR4/XCR0/APIC_BASE changed: dynamic bits (OSXSAVE, 0xD sizes, APIC) */

/* ---- x86/msr.c ---- */
int hvm_msrs_create(struct hvm_vcpu *vcpu);
void hvm_msrs_destroy(struct hvm_vcpu *vcpu);
int hvm_get_msr(struct hvm_vcpu *vcpu, u32 msr, u64 *val, bool host);	/* 0, or -EINVAL (#GP), -ENOENT (unknown) */
int hvm_set_msr(struct hvm_vcpu *vcpu, u32 msr, u64 val, bool host);
bool hvm_fast_rdmsr(struct hvm_vcpu *vcpu);		/* irqs off; true: done, RAX/RDX set */
bool hvm_fast_wrmsr(struct hvm_vcpu *vcpu);		/* e.g. TSC_DEADLINE, x2APIC ICR/EOI */
#define HVM_MCG_CAPS	(MCG_CTL_P | MCG_SER_P)	/* X86_GET_MCE_CAP_SUPPORTED */
#define HVM_MCE_BANKS	32
int hvm_setup_mce(struct hvm_vcpu *vcpu, const u64 *mcg_cap);
int hvm_set_mce(struct hvm_vcpu *vcpu, const struct hvm_x86_mce *mce);
int hvm_handle_rdmsr(struct hvm_vcpu *vcpu);
int hvm_handle_wrmsr(struct hvm_vcpu *vcpu);
long hvm_msr_index_list(unsigned long uarg, bool features);
long hvm_msr_io(struct hvm_vcpu *vcpu, unsigned long uarg, bool set);	/* vcpu NULL: feature MSRs on /dev/hvm */
int hvm_set_msr_filter(struct hvm_vm *vm, const struct hvm_msr_filter *f);	/* [M]; bitmaps still in user memory */
void hvm_msr_filter_free(struct hvm_vm *vm);
bool hvm_mwait_enabled(struct hvm_vcpu *vcpu);		/* IA32_MISC_ENABLE's bit */
bool hvm_msr_allowed(struct hvm_vm *vm, u32 msr, bool write);	/* for the backends' bitmaps */

/* ---- x86/fpu.c ---- */
void hvm_fpu_exit(void);
int hvm_fpu_init(void);					/* at load: mask of features, size */
int hvm_fpu_create(struct hvm_vcpu *vcpu);
void hvm_fpu_destroy(struct hvm_vcpu *vcpu);
void hvm_fpu_reset(struct hvm_vcpu *vcpu, bool init);
void hvm_fpu_load(struct hvm_vcpu *vcpu);		/* interrupts off from here to the put */
void hvm_fpu_put(struct hvm_vcpu *vcpu);		/* the host's registers are back */
int hvm_set_xcr(struct hvm_vcpu *vcpu, u32 idx, u64 val);	/* 1: #GP */
extern u64 hvm_xfeatures;				/* what guests may have in XCR0 */
extern u64 hvm_host_xss;	/* set by a backend whose guests can execute XSAVES: 0 for them */
int hvm_get_fpu(struct hvm_vcpu *vcpu, struct hvm_fpu *out);
int hvm_set_fpu(struct hvm_vcpu *vcpu, const struct hvm_fpu *in);
long hvm_get_xsave(struct hvm_vcpu *vcpu, unsigned long uarg, bool v2);
long hvm_set_xsave(struct hvm_vcpu *vcpu, unsigned long uarg);
int hvm_get_xcrs(struct hvm_vcpu *vcpu, struct hvm_xcrs *out);
int hvm_set_xcrs(struct hvm_vcpu *vcpu, const struct hvm_xcrs *in);
u32 hvm_xsave_size(void);				/* CAP_XSAVE2 */

/* ---- x86/state.c: registers in and out, control-register semantics ---- */
void hvm_vcpu_reset(struct hvm_vcpu *vcpu, bool init);	/* power-on, or INIT */
int hvm_set_cr0(struct hvm_vcpu *vcpu, u64 val);	/* guest semantics; 1 = #GP due (not queued) */
int hvm_set_cr3(struct hvm_vcpu *vcpu, u64 val);
int hvm_set_cr4(struct hvm_vcpu *vcpu, u64 val);
int hvm_set_cr8(struct hvm_vcpu *vcpu, u64 val);
u64 hvm_get_cr8(struct hvm_vcpu *vcpu);
int hvm_set_efer(struct hvm_vcpu *vcpu, u64 val, bool host);
int hvm_handle_cr(struct hvm_vcpu *vcpu);		/* HVM_X_CR */
int hvm_handle_xsetbv(struct hvm_vcpu *vcpu);
int hvm_get_regs(struct hvm_vcpu *vcpu, struct hvm_regs *r);
int hvm_set_regs(struct hvm_vcpu *vcpu, const struct hvm_regs *r);
int hvm_get_sregs(struct hvm_vcpu *vcpu, struct hvm_sregs *s);
int hvm_set_sregs(struct hvm_vcpu *vcpu, const struct hvm_sregs *s);
int hvm_get_sregs2(struct hvm_vcpu *vcpu, struct hvm_sregs2 *s);
int hvm_set_sregs2(struct hvm_vcpu *vcpu, const struct hvm_sregs2 *s);
int hvm_get_mp_state(struct hvm_vcpu *vcpu, struct hvm_mp_state *s);
int hvm_set_mp_state(struct hvm_vcpu *vcpu, const struct hvm_mp_state *s);
int hvm_translate(struct hvm_vcpu *vcpu, struct hvm_translation *t);
void hvm_sync_regs_out(struct hvm_vcpu *vcpu);		/* kvm_valid_regs → run->s.regs */
int hvm_sync_regs_in(struct hvm_vcpu *vcpu);		/* kvm_dirty_regs */
static inline int hvm_vcpu_cpl(struct hvm_vcpu *vcpu)
{
	if (!vcpu->cpl_known)
		vcpu->cpl_known = hvm_call(get_cpl, vcpu) + 1;
	return vcpu->cpl_known - 1;
}
static inline enum hvm_cpu_mode hvm_cpu_mode(struct hvm_vcpu *vcpu)
{
	if (!vcpu->mode_known)
		vcpu->mode_known = hvm_call(get_mode, vcpu) + 1;
	return vcpu->mode_known - 1;
}
/* At an exit, and whenever CS, SS, CR0, EFER or RFLAGS.VM may have changed. */
static inline void hvm_forget_mode(struct hvm_vcpu *vcpu)
{
	vcpu->mode_known = vcpu->cpl_known = 0;
}
static inline bool hvm_long_mode(struct hvm_vcpu *vcpu) { return vcpu->efer & EFER_LMA; }

/* ---- x86/guest_debug.c ---- */
int hvm_set_guest_debug(struct hvm_vcpu *vcpu, const struct hvm_guest_debug *d);
int hvm_get_debugregs(struct hvm_vcpu *vcpu, struct hvm_debugregs *d);
int hvm_set_debugregs(struct hvm_vcpu *vcpu, const struct hvm_debugregs *d);
int hvm_handle_dr(struct hvm_vcpu *vcpu);		/* HVM_X_DR */
int hvm_handle_exception(struct hvm_vcpu *vcpu);	/* HVM_X_EXCEPTION: #DB, #BP, #AC, #UD, #MC … */
void hvm_debug_load(struct hvm_vcpu *vcpu);		/* irqs off, before run(): DR0-3 when breakpoints are on, the guest's or the host's */
void hvm_debug_put(struct hvm_vcpu *vcpu);		/* after: the host's */
int hvm_debug_stepped(struct hvm_vcpu *vcpu);		/* HVM_REQ_DEBUG_STEP; returns 0 */
/* For the backend's DR7 field, and asked before each entry. */
static inline u64 hvm_effective_dr7(const struct hvm_vcpu *vcpu)
{
	return vcpu->guest_debug & HVM_GUESTDBG_USE_HW_BP ? vcpu->guest_dr7 : vcpu->dr7;
}

/* ---- x86/pv.c, x86/clock.c: KVM's paravirtual interface, TSC and clocks ---- */
int hvm_pv_create(struct hvm_vcpu *vcpu);
void hvm_pv_destroy(struct hvm_vcpu *vcpu);
int hvm_pv_get_msr(struct hvm_vcpu *vcpu, u32 msr, u64 *val);	/* -ENOENT: not one of mine */
int hvm_pv_set_msr(struct hvm_vcpu *vcpu, u32 msr, u64 val, bool host);
u32 hvm_pv_features(void);				/* CPUID 0x40000001 EAX */
int hvm_handle_hypercall(struct hvm_vcpu *vcpu);
bool hvm_fast_hypercall(struct hvm_vcpu *vcpu);		/* KICK_CPU, unknown numbers; irqs off */
bool hvm_fix_hypercall(struct hvm_vcpu *vcpu, gva_t rip);	/* #UD: was it the other vendor's? Handled then */
int hvm_pv_enforce(struct hvm_vcpu *vcpu, bool on);	/* CAP_ENFORCE_PV_FEATURE_CPUID */
void hvm_pv_steal_update(struct hvm_vcpu *vcpu);	/* HVM_REQ_STEAL; may sleep */
bool hvm_pv_waited(struct hvm_vcpu *vcpu);		/* for a CPU, outside RUN too: steal time is due */
void hvm_pv_preempted(struct hvm_vcpu *vcpu);		/* preempt notifier: atomic */
bool hvm_pv_eoi_set(struct hvm_vcpu *vcpu);		/* injection; true = guest may skip the EOI write */
void hvm_pv_reset(struct hvm_vcpu *vcpu);		/* from hvm_lapic_reset() */
int hvm_pv_eoi_clear(struct hvm_vcpu *vcpu, bool atomic);	/* 1 = guest did the EOI by memory, 0 = not, -EFAULT = cannot tell */
bool hvm_pv_eoi_enabled(struct hvm_vcpu *vcpu);
void hvm_clock_init_vm(struct hvm_vm *vm);
void hvm_clock_update(struct hvm_vcpu *vcpu);		/* HVM_REQ_CLOCK: write pvclock; may sleep */
int hvm_clock_get(struct hvm_vm *vm, struct hvm_clock_data *d);
int hvm_clock_set(struct hvm_vm *vm, const struct hvm_clock_data *d);
void hvm_clock_write_wall(struct hvm_vcpu *vcpu, gpa_t gpa);
void hvm_tsc_init_vcpu(struct hvm_vcpu *vcpu);
void hvm_tsc_write(struct hvm_vcpu *vcpu, u64 tsc, bool host);	/* synchronises vCPUs that write alike */
u64 hvm_tsc_read(struct hvm_vcpu *vcpu);		/* the guest's TSC now */
u64 hvm_tsc_adjust(struct hvm_vcpu *vcpu);		/* IA32_TSC_ADJUST */
void hvm_tsc_set_adjust(struct hvm_vcpu *vcpu, u64 val, bool host);
void hvm_clock_loaded(struct hvm_vcpu *vcpu, int cpu);	/* after backend->vcpu_load() */
void hvm_clock_left(struct hvm_vcpu *vcpu);		/* before backend->vcpu_put() */
extern u32 hvm_clock_resumes;				/* of the host; written with one CPU running */
extern bool hvm_clock_unstable;				/* the host's TSC is known to be no clock */
/* Around every RUN; the functions do it all where the thread was scheduled. */
static inline void hvm_clock_in(struct hvm_vcpu *vcpu, int cpu)
{
	if (unlikely(cpu != vcpu->clock_cpu || READ_ONCE(hvm_clock_unstable) ||
		     vcpu->clock_epoch != READ_ONCE(hvm_clock_resumes)))
		hvm_clock_loaded(vcpu, cpu);
}
static inline void hvm_clock_out(struct hvm_vcpu *vcpu)
{
	if (unlikely(READ_ONCE(hvm_clock_unstable)))
		hvm_clock_left(vcpu);
}
void hvm_clock_resumed(void);				/* syscore resume: interrupts off, one CPU */
u32 hvm_tsc_khz(struct hvm_vcpu *vcpu);
int hvm_set_tsc_khz(struct hvm_vcpu *vcpu, u32 khz);
int hvm_set_vm_tsc_khz(struct hvm_vm *vm, u32 khz);	/* [M]; of vCPUs to come */
int hvm_vcpu_attr(struct hvm_vcpu *vcpu, const struct hvm_device_attr *a, unsigned int cmd);
int hvm_kvmclock_ctrl(struct hvm_vcpu *vcpu);

/* ---- irq/lapic.c, irq/lapic_timer.c ---- */
struct hvm_lapic_irq {			/* a message for local APICs */
	u32 dest;
	u8 vector, mode;		/* mode: APIC delivery mode 0..7 */
	u8 shorthand;			/* 0..3 */
	bool logical, level, assert;
	bool x2apic_dest;		/* dest is 32 bits wide (x2APIC format) */
	struct hvm_vcpu *src;		/* NULL: from a device */
};
int hvm_lapic_create(struct hvm_vcpu *vcpu);
void hvm_lapic_destroy(struct hvm_vcpu *vcpu);
void hvm_lapic_reset(struct hvm_vcpu *vcpu, bool init);
int hvm_lapic_pending(struct hvm_vcpu *vcpu);		/* vector above PPR, or -1; takes vcpu->cr8 as TPR */
int hvm_lapic_ack(struct hvm_vcpu *vcpu);		/* IRR → ISR of that vector */
void hvm_lapic_halting(struct hvm_vcpu *vcpu);
void hvm_lapic_await_deadline(struct hvm_vcpu *vcpu);	/* its interrupt was posted ahead of time */
int hvm_lapic_threshold(struct hvm_vcpu *vcpu);		/* TPR class below which something blocked would come, or -1 */
bool hvm_lapic_accepts_pic(struct hvm_vcpu *vcpu);	/* LVT0 ExtINT: for the 8259 */
bool hvm_lapic_lint0_nmi(struct hvm_vcpu *vcpu);	/* LVT0 NMI: a watchdog by the 8254; any context */
bool hvm_lapic_has_init_sipi(struct hvm_vcpu *vcpu);
int hvm_lapic_init_sipi(struct hvm_vcpu *vcpu);		/* own thread: act on them (reset, mp_state, CS:IP) */
int hvm_lapic_deliver(struct hvm_vm *vm, const struct hvm_lapic_irq *irq);	/* any context; number reached, -1: none there */
int hvm_lapic_mmio(struct hvm_vcpu *vcpu, gpa_t gpa, u32 len, void *data, bool write);	/* 0 done, -EOPNOTSUPP not mine; irqs may be off */
bool hvm_lapic_owns(struct hvm_vcpu *vcpu, gpa_t gpa);
int hvm_lapic_get_msr(struct hvm_vcpu *vcpu, u32 msr, u64 *val);	/* x2APIC range, APIC_BASE, TSC_DEADLINE; -ENOENT, -EINVAL */
int hvm_lapic_set_msr(struct hvm_vcpu *vcpu, u32 msr, u64 val, bool host);	/* irqs may be off */
int hvm_lapic_get_state(struct hvm_vcpu *vcpu, struct hvm_lapic_state *s);
int hvm_lapic_set_state(struct hvm_vcpu *vcpu, const struct hvm_lapic_state *s);
void hvm_lapic_scan_ioapic(struct hvm_vcpu *vcpu);	/* HVM_REQ_SCAN_IOAPIC: refresh EOI-exit vectors from routing */
void *hvm_lapic_page(struct hvm_vcpu *vcpu);		/* 4 KiB register page (VMX: virtual-APIC page) */
u64 *hvm_lapic_eoi_exits(struct hvm_vcpu *vcpu);	/* 256 bits */
void hvm_lapic_eoi_induced(struct hvm_vcpu *vcpu, u8 vector);	/* the processor ended a vector of eoi_exits; irqs may be off */
void hvm_lapic_set_virtual(struct hvm_vcpu *vcpu, bool on);	/* backend: the processor delivers interrupts */
u16 hvm_lapic_irq_status(struct hvm_vcpu *vcpu);	/* RVI and SVI, for virtual-interrupt delivery */
void hvm_lapic_tpr_changed(struct hvm_vcpu *vcpu);	/* vcpu->cr8 changed under us */
void hvm_lapic_free_map(struct hvm_vm *vm);
bool hvm_lapic_match(struct hvm_vcpu *vcpu, u32 dest, bool logical);	/* would a device's message reach it? */
bool hvm_lapic_busy(struct hvm_vcpu *vcpu, u8 vec);	/* in IRR or ISR */
int hvm_lapic_send_mask(struct hvm_vm *vm, u32 min, unsigned long mask, u32 icr);	/* SEND_IPI */
int hvm_lapic_set_vapic(struct hvm_vcpu *vcpu, u64 gpa);	/* SET_VAPIC_ADDR */
void hvm_lapic_from_vapic(struct hvm_vcpu *vcpu);	/* after an exit, if vcpu->vapic; may sleep */
void hvm_lapic_to_vapic(struct hvm_vcpu *vcpu);		/* before an entry; likewise */
void hvm_lapic_sync_pv_eoi(struct hvm_vcpu *vcpu);	/* may sleep; part of HVM_REQ_STEAL */

/* ---- irq/routing.c ---- */
int hvm_routing_init(struct hvm_vm *vm);
void hvm_routing_destroy(struct hvm_vm *vm);
int hvm_set_routing(struct hvm_vm *vm, unsigned long uarg);	/* SET_GSI_ROUTING; takes I */
int hvm_signal_msi(struct hvm_vm *vm, const struct hvm_msi *msi);
enum { HVM_IRQ_USER, HVM_IRQ_RESAMPLE, HVM_IRQ_PIT };	/* who holds a line up */
int hvm_set_irq(struct hvm_vm *vm, int source, u32 gsi, int level);	/* any context; number delivered, -1 */
void hvm_pulse_irq(struct hvm_vm *vm, u32 gsi);		/* an edge; any context */
int hvm_routing_default(struct hvm_vm *vm);
void hvm_routing_scan(struct hvm_vm *vm);		/* HVM_REQ_SCAN_IOAPIC to every vCPU */
bool hvm_routing_wants_ack(struct hvm_vm *vm, u32 chip, u32 pin);
void hvm_routing_acked(struct hvm_vm *vm, u32 chip, u32 pin);
void hvm_routing_unmasked(struct hvm_vm *vm, u32 chip, u32 pin);
void hvm_routing_eoi_vectors(struct hvm_vcpu *vcpu, u64 bitmap[4]);	/* vectors of level-triggered pins to this vCPU */

/* ---- irq/legacy.c: calls about 8259A, IOAPIC and 8254 ---- */
int hvm_create_irqchip(struct hvm_vm *vm);		/* [M] */
void hvm_legacy_destroy(struct hvm_vm *vm);
int hvm_get_irqchip(struct hvm_vm *vm, struct hvm_irqchip *c);
int hvm_set_irqchip(struct hvm_vm *vm, unsigned long uarg);
int hvm_irq_line(struct hvm_vm *vm, struct hvm_irq_level *l, bool status);
int hvm_create_pit(struct hvm_vm *vm, u32 flags);	/* [M] */
int hvm_get_pit2(struct hvm_vm *vm, struct hvm_pit_state2 *s);
int hvm_set_pit2(struct hvm_vm *vm, const struct hvm_pit_state2 *s);
int hvm_get_pit(struct hvm_vm *vm, struct hvm_pit_state *s);
int hvm_set_pit(struct hvm_vm *vm, unsigned long uarg);
int hvm_reinject_control(struct hvm_vm *vm, unsigned long uarg);

/* ---- irq/irqfd.c ---- */
int hvm_irqfd_assign(struct hvm_vm *vm, const struct hvm_irqfd *a);	/* also de-assigns; takes I */
void hvm_irqfd_release_all(struct hvm_vm *vm);
void hvm_irqfd_eoi(struct hvm_vm *vm, u32 gsi);		/* resample */
bool hvm_irqfd_resamples(struct hvm_vm *vm, u32 gsi);
int hvm_irqfd_init(void);				/* at load */
void hvm_irqfd_exit(void);

/* ---- irq/ioeventfd.c ---- */
int hvm_ioeventfd(struct hvm_vm *vm, const struct hvm_ioeventfd *a);	/* assign or de-assign; takes I */
void hvm_ioeventfd_release_all(struct hvm_vm *vm);
bool hvm_ioeventfd_hit(struct hvm_vm *vm, bool mmio, u64 addr, u32 len, u64 val);	/* signals and returns true; any context; len 0: only wildcard */
/* Cheap: are there any? An empty table is none. */
static inline bool hvm_ioeventfd_any(struct hvm_vm *vm, bool mmio)
{
	return rcu_access_pointer(vm->iodevs[mmio]);
}

/* ---- irq/coalesced.c ---- */
int hvm_coalesced_zone(struct hvm_vm *vm, const struct hvm_coalesced_mmio_zone *z, bool add);	/* takes I */
bool hvm_coalesce(struct hvm_vm *vm, bool pio, u64 addr, u32 len, const void *data);	/* the write is queued */
struct page *hvm_ring_page(struct hvm_vm *vm);
void hvm_coalesced_destroy(struct hvm_vm *vm);

/* ---- stats.c: counters in debugfs and the binary stats fd ---- */
void hvm_stats_create_vm(struct hvm_vm *vm);
void hvm_stats_create_vcpu(struct hvm_vcpu *vcpu);
void hvm_stats_destroy_vm(struct hvm_vm *vm);
int hvm_stats_fd(struct hvm_vm *vm, struct hvm_vcpu *vcpu);	/* vcpu NULL: the VM's */

#endif
