/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * backend.h - what a processor vendor's backend gives to the common code.
 *
 * hvm chooses one backend when it is loaded (svm/svm.c or vmx/vmx.c) and never
 * asks for the vendor again. Everything below is in the vocabulary of the x86
 * architecture; vendor exit codes and control blocks never leave the backend.
 *
 * The life of one entry: vcpu.c calls run() with interrupts and preemption off
 * and the guest's FPU loaded. run() enters the guest, and by itself enters it
 * again after each exit that a hvm_fast_*() function could finish; otherwise it
 * describes the exit in vcpu->exit and returns.
 */
#ifndef HVM_BACKEND_H
#define HVM_BACKEND_H

#include <linux/types.h>
#include <asm/cpufeature.h>

struct hvm_vcpu;
struct hvm_segment;
struct hvm_pt_format;

/*
 * Segment registers by the number that instructions encode, then the system
 * ones. GDTR and IDTR use base and limit only.
 */
enum hvm_seg {
	HVM_SEG_ES, HVM_SEG_CS, HVM_SEG_SS, HVM_SEG_DS, HVM_SEG_FS, HVM_SEG_GS,
	HVM_SEG_TR, HVM_SEG_LDTR, HVM_SEG_GDTR, HVM_SEG_IDTR, HVM_NR_SEGS
};

/* Bits of vcpu->windows: what the guest is waiting to be able to take. */
#define HVM_WINDOW_IRQ		BIT(0)	/* exit when RFLAGS.IF and no shadow */
#define HVM_WINDOW_NMI		BIT(1)	/* exit when NMIs are no longer blocked */
#define HVM_WINDOW_CR8		BIT(2)	/* exit when CR8 falls below vcpu->tpr_threshold */

/* Interrupt shadow, as get_shadow()/set_shadow() speak of it. */
#define HVM_SHADOW_STI		BIT(0)
#define HVM_SHADOW_MOV_SS	BIT(1)
#define HVM_SHADOW_NMI		BIT(2)	/* NMIs are blocked (a handler runs) */

/* How code runs; PROT16 and PROT32 also in compatibility mode. */
enum hvm_cpu_mode { HVM_CPU_REAL, HVM_CPU_VM86, HVM_CPU_PROT16, HVM_CPU_PROT32, HVM_CPU_LONG64 };

/* What changed, for update_traps(). */
#define HVM_TRAPS_DEBUG		BIT(0)	/* guest_debug, debug registers in use */
#define HVM_TRAPS_MSR		BIT(1)	/* MSR filter, local APIC mode, XFD … : the MSR bitmap */
#define HVM_TRAPS_CPUID		BIT(2)	/* the guest's CPUID was set */
#define HVM_TRAPS_EOI		BIT(3)	/* hvm_lapic_eoi_exits() changed */

/**
 * struct hvm_backend - operations and data of a processor vendor
 * @name: "AMD-V" or "VT-x"
 * @s2_format: format of this vendor's stage-2 entries
 * @has_tsc_scaling: the TSC can be scaled as well as offset
 * @tsc_scaling_bits: fraction bits of the TSC ratio
 * @hypercall: the three bytes of this vendor's hypercall instruction
 * @setup: find out whether this machine will do and get ready. On failure
 *	returns -errno and sets *why to one line that names the missing thing.
 * @teardown: undo setup()
 * @cpu_enable: take this CPU (interrupts off). -EBUSY: another hypervisor has it.
 * @cpu_disable: give this CPU back as it was found (interrupts off)
 * @vcpu_create: allocate the control block; state is set by a reset that follows
 * @vcpu_destroy: free it; also called after a failed vcpu_create()
 * @set_windows: vcpu->windows or vcpu->tpr_threshold changed, or hvm_lapic_irq_status()
 * @get_seg: read a segment or table register
 * @set_seg: write one; nothing is checked, state.c did
 * @set_cr: write a control register. Also called with HVM_CR_EFER after vcpu->efer changed, and with
 *	HVM_CR_PDPTR. A backend that keeps PDPTEs reads them itself when CR0, CR3 or
 *	CR4 turn PAE paging on (the caller may sleep).
 * @get_msr: read an MSR that lives in the control block; -ENOENT: not one of mine
 * @set_msr: write one; -ENOENT: not one of mine, -EINVAL: would fault
 * @set_tsc: vcpu->tsc_offset or vcpu->tsc_ratio changed
 * @update_traps: recompute interceptions; HVM_TRAPS_* says why
 *
 * get/set operations run with the vCPU loaded on this CPU (vcpu_load()). What exits
 * call is not in the table: see hvm_call() below.
 */
struct hvm_backend {
	const char *name;
	const struct hvm_pt_format *s2_format;
	bool has_tsc_scaling;
	u8 tsc_scaling_bits;
	u8 hypercall[3];

	int (*setup)(const char **why);
	void (*teardown)(void);
	int (*cpu_enable)(void);
	void (*cpu_disable)(void);
	int (*vcpu_create)(struct hvm_vcpu *vcpu);
	void (*vcpu_destroy)(struct hvm_vcpu *vcpu);
	void (*set_windows)(struct hvm_vcpu *vcpu);
	void (*get_seg)(struct hvm_vcpu *vcpu, enum hvm_seg seg, struct hvm_segment *out);
	void (*set_seg)(struct hvm_vcpu *vcpu, enum hvm_seg seg, const struct hvm_segment *in);
	void (*set_cr)(struct hvm_vcpu *vcpu, int cr, u64 val);
	int (*get_msr)(struct hvm_vcpu *vcpu, u32 msr, u64 *val);
	int (*set_msr)(struct hvm_vcpu *vcpu, u32 msr, u64 val);
	void (*set_tsc)(struct hvm_vcpu *vcpu);
	void (*update_traps)(struct hvm_vcpu *vcpu, u32 why);
};

#define HVM_CR_EFER	16	/* for set_cr() only */
#define HVM_CR_PDPTR	17	/* likewise: vcpu->pdptr[] changed (only EPT keeps the four) */

extern const struct hvm_backend *hvm_backend;	/* chosen at load, then constant */
extern const struct hvm_backend hvm_svm_backend;
extern struct hvm_backend hvm_vmx_backend;	/* its setup() fills in what the processor decides */

/*
 * What exits call is called directly, without a pointer and its retpoline: the
 * processor decides, and the kernel patches its choice in as it loads the module.
 * All of it runs with preemption off or the vCPU loaded.
 *
 * vcpu_load	the vCPU is now on CPU @cpu: the one function that owns migration.
 *		Called from RUN, other ioctls and preempt notifiers.
 * vcpu_put	the vCPU leaves this CPU: host state back in full
 * run		enter the guest (interrupts off) until something needs the common code
 * get_shadow	HVM_SHADOW_* in force now; set_shadow replaces them
 * end_shadow	the instruction behind STI or MOV SS is over, where no store to memory
 *		does it (vcpu->shadow_word)
 * get_mode	how the guest's code runs now, get_cpl with which privilege
 * get_cr	CR0, CR2, CR3 or CR4 as the guest sees it
 */
#define hvm_call(op, ...) (cpu_feature_enabled(X86_FEATURE_SVM) ? \
			   svm_##op(__VA_ARGS__) : vmx_##op(__VA_ARGS__))
void svm_vcpu_load(struct hvm_vcpu *vcpu, int cpu);
void vmx_vcpu_load(struct hvm_vcpu *vcpu, int cpu);
void svm_vcpu_put(struct hvm_vcpu *vcpu);
void vmx_vcpu_put(struct hvm_vcpu *vcpu);
void svm_run(struct hvm_vcpu *vcpu);
void vmx_run(struct hvm_vcpu *vcpu);
u32 svm_get_shadow(struct hvm_vcpu *vcpu);
u32 vmx_get_shadow(struct hvm_vcpu *vcpu);
void svm_set_shadow(struct hvm_vcpu *vcpu, u32 shadow);
void vmx_set_shadow(struct hvm_vcpu *vcpu, u32 shadow);
enum hvm_cpu_mode svm_get_mode(struct hvm_vcpu *vcpu);
enum hvm_cpu_mode vmx_get_mode(struct hvm_vcpu *vcpu);
int svm_get_cpl(struct hvm_vcpu *vcpu);
int vmx_get_cpl(struct hvm_vcpu *vcpu);
void vmx_end_shadow(struct hvm_vcpu *vcpu);
u64 svm_get_cr(struct hvm_vcpu *vcpu, int cr);
u64 vmx_get_cr(struct hvm_vcpu *vcpu, int cr);

#endif
