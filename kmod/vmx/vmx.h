/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vmx.h - what the files of the VT-x backend share
 *
 *	caps.c	what the processor can do, module parameters
 *	cpu.c	who owns VMX on a CPU, which VMCS is current
 *	vmx.c	a vCPU's state: registers, controls, MSRs
 *	exits.c	the inner run loop and what ended an entry
 *
 * Guest state that lives in the VMCS is reached through a cache in struct
 * vmx_vcpu, because the VMCS may only be current while the guest runs (cpu.c):
 * .have says which items of the cache are good, .dirty which have to be written
 * before the next entry. A read of what is not there goes to the VMCS.
 *
 * Nothing here is locked. A struct vmx_vcpu belongs to the thread that has the
 * vCPU loaded, a struct vmx_cpu to its CPU with interrupts off.
 */
#ifndef HVM_VMX_H
#define HVM_VMX_H

#include <linux/bits.h>
#include <linux/list.h>
#include <linux/percpu.h>
#include <asm/asm.h>
#include "hvm.h"
#include "vmx/vmcs.h"

struct vmx_enter_args {
	u64 host_rsp;
	u64 guest_spec, host_spec;
	u32 flags;			/* ENTER_* */
};
static_assert(offsetof(struct vmx_enter_args, host_rsp) == ENTER_HOST_RSP);
static_assert(offsetof(struct vmx_enter_args, guest_spec) == ENTER_GUEST_SPEC);
static_assert(offsetof(struct vmx_enter_args, host_spec) == ENTER_HOST_SPEC);
static_assert(offsetof(struct vmx_enter_args, flags) == ENTER_FLAGS);

/* Items of the cache. Segments are bits 0..9, by enum hvm_seg. */
#define ITEMS_SEGS	GENMASK(HVM_NR_SEGS - 1, 0)
#define ITEM_CR0	BIT(10)
#define ITEM_CR3	BIT(11)
#define ITEM_CR4	BIT(12)
#define ITEM_SHADOW	BIT(13)
#define ITEM_SYSENTER	BIT(14)
#define ITEM_RIGHTS	BIT(15)		/* of CS and SS, where the rest of them is not needed */
#define ITEMS_READ	GENMASK(15, 0)	/* those the guest changes; the rest is only written */
#define ITEM_PDPTES	BIT(16)
#define ITEM_EFER	BIT(17)
#define ITEM_CONTROLS	BIT(18)
#define ITEM_PAT	BIT(19)
#define ITEM_DR7	BIT(20)
#define ITEM_IRQ_STATUS	BIT(21)
#define ITEM_CONSTANT	BIT(22)		/* never written yet: all that stays */
#define ITEMS_ALL	GENMASK(22, 0)

struct vmx_seg {
	u64 base;
	u32 limit, rights;
	u16 selector;
};

/* MSRs of SYSCALL and TSC_AUX: the guest's are loaded from run() to vcpu_put(). */
enum { SWITCH_STAR, SWITCH_LSTAR, SWITCH_SFMASK, SWITCH_TSC_AUX, NR_SWITCHED };

struct vmx_vcpu {
	struct vmx_enter_args args;
	u64 rip, rsp, rflags;		/* as the VMCS has them */
	u64 cr2;
	u8 *vtpr;			/* TPR in the virtual-APIC page, or NULL: no TPR shadow */
	u32 have, dirty;		/* ITEM_* */
	u32 reason;			/* of the last exit */
	u32 threshold;			/* TPR threshold in the VMCS */
	u64 host_cr3, host_cr4;		/* in the VMCS */
	u64 tsc_offset, tsc_ratio;	/* in the VMCS */

	/* the cache */
	struct vmx_seg seg[HVM_NR_SEGS];
	u64 cr0, cr3, cr4;		/* as the guest sees them */
	u64 cr4_owned;			/* bits the guest changes without an exit */
	u32 rights[2];			/* of CS and SS */
	u32 shadow;			/* interruptibility state */
	u64 sysenter[3];		/* CS, ESP, EIP */
	u64 pdpte[4];
	u64 pat;
	u32 proc, proc2, exceptions;	/* controls wanted */
	u32 hw_proc, hw_proc2, hw_exceptions, hw_entry;	/* controls in the VMCS */

	/* the processor's side */
	struct page *vmcs;		/* [C] */
	u64 vmcs_pa;			/* [C] */
	unsigned long *msr_bitmap;	/* [C] or NULL */
	u64 *pml;			/* [C] addresses of pages written to, or NULL */
	u16 vpid;			/* [C] 0: none was left */
	int loaded_cpu;			/* whose caches hold the VMCS, or -1 */
	struct list_head loaded;	/* in that CPU's list */
	int cpu;			/* last one loaded on: TLBs */
	int host_cpu;			/* whose tables and stacks the host fields name */
	struct hvm_vcpu *vcpu;		/* [C] */

	/* host state between the first run() and vcpu_put() */
	bool switched;
	bool l1d_stale;			/* loaded since the L1 data cache was flushed */
	bool gs_switched;		/* KERNEL_GS_BASE is the guest's */
	u8 msrs_switched;		/* bit mask */
	u16 fs, gs, ds, es, ldt;
	u64 fs_base, hw_fs_base, user_gs_base, debugctl;
	u64 host_msr[NR_SWITCHED];
	u64 msr[NR_SWITCHED];		/* the guest's; TSC_AUX is vcpu->tsc_aux */
	u64 cstar, kernel_gs_base;
	bool spec_direct;		/* the guest writes SPEC_CTRL without exits */

	/* vmx_hold() */
	bool held;			/* the VMCS is current until vmx_release() */
	u64 held_cr4, held_other;
};

struct vmx_cpu {
	struct page *vmxon;		/* [C] */
	bool enabled, owned;		/* between cpu_enable() and _disable(); VMX kept on by us */
	struct vmx_vcpu *current_vcpu;	/* whose VMCS is current, if owned */
	struct list_head loaded;	/* VMCSs in this CPU's caches */
	u64 last_vm;			/* id of the VM whose guest trained the predictors */
	u64 gs_base, sysenter_cs, sysenter_esp, sysenter_eip;
	u64 msr[NR_SWITCHED];		/* the host's, while nobody else changes them */
};
DECLARE_PER_CPU(struct vmx_cpu, vmx_cpus);

/* What was chosen at load: caps.c. */
#define L1D_FILL	SZ_64K		/* twice the largest L1 data cache of processors with L1TF */

struct vmx_caps {
	u32 revision;
	u32 pin, proc, proc2, exit, entry;	/* to start from */
	u32 timer;				/* preemption timer, in its own ticks */
	u64 eptp;				/* all but the table's address */
	u64 cr4_fixed;				/* must be 1 */
	u64 host_efer, host_pat;
	bool per_run;				/* VMX is on only around each run() */
	bool l1d_flush, ibpb;
	unsigned long l1d_fill;			/* L1D_FILL bytes to read, for want of a command; or 0 */
	u32 enter_flags;
};
extern struct vmx_caps vmx_caps;

static inline struct vmx_vcpu *to_vmx(struct hvm_vcpu *vcpu)
{
	return vcpu->arch;
}

/*
 * VMREAD and VMWRITE fault when VMX was turned off under us (reboot, kexec): a
 * read gives 0, and the entry that follows fails and tells userspace.
 */
static __always_inline u64 vmread(unsigned long field)
{
	u64 val = 0;

	asm volatile("1: vmread %1, %0\n2:\n" _ASM_EXTABLE(1b, 2b)
		     : "+r" (val) : "r" (field) : "cc");
	return val;
}

static __always_inline void vmwrite(unsigned long field, u64 val)
{
	asm volatile("1: vmwrite %1, %0\n2:\n" _ASM_EXTABLE(1b, 2b)
		     : : "r" (field), "rm" (val) : "cc", "memory");
}

/* caps.c */
int vmx_setup(const char **why);
void vmx_teardown(void);

/* cpu.c */
int vmx_cpus_alloc(void);
void vmx_cpus_free(void);
int vmx_cpu_enable(void);
void vmx_cpu_disable(void);
void vmx_make_current(struct vmx_vcpu *v, int cpu);
void vmx_forget(struct vmx_vcpu *v);
bool vmx_hold(struct vmx_vcpu *v);
void vmx_release(struct vmx_vcpu *v);
void vmx_invalidate(struct vmx_vcpu *v);

/* vmx.c */
void vmx_fetch(struct vmx_vcpu *v, u32 items);
void vmx_flush(struct vmx_vcpu *v);
void vmx_prepare(struct vmx_vcpu *v);
void vmx_update_msr_bitmap(struct hvm_vcpu *vcpu);
#define PML_ENTRIES	512	/* filled from the end */

/* enter.S. Returns 0 after an exit; 1: VMfail; 2: VMX is off. */
int vmx_enter(struct hvm_vcpu *vcpu, struct vmx_enter_args *args);
extern const char vmx_exit_point[];

#endif
