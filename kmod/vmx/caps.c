// SPDX-License-Identifier: GPL-2.0-only
/*
 * caps.c - what this processor's VT-x can do, and what hvm makes of it
 *
 * The capability MSRs are read once, when the module is loaded. What hvm cannot
 * do without refuses the load by name; what it can is an option: a module
 * parameter that says afterwards what was chosen. Setting one to 0 at load does
 * without the feature. vmx_caps is constant once vmx_setup() returned, so
 * nothing is locked.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpu.h>
#include <linux/module.h>
#include <asm/tlbflush.h>
#include "vmx/vmx.h"

struct vmx_caps vmx_caps __ro_after_init;

#define TIMER_MS	2	/* preemption timer: of time in the guest, over all entries */

enum { PIN, PROC, PROC2, EXIT, ENTRY, EPT_VPID, NR_WORDS };

/* Options: -1 until chosen (and on a host without VT-x), then 0 or 1. */
#define OPTION(name, text)					\
	static int name = -1;					\
	module_param(name, int, 0444);				\
	MODULE_PARM_DESC(name, "VT-x: " text " (-1: if there, 0: no)")
/* Features hvm has no use for: listed as off whatever the processor has. */
#define UNUSED_OPTION(name, text)				\
	static int name = -1;					\
	module_param(name, int, 0444);				\
	MODULE_PARM_DESC(name, "VT-x: " text " (not used)")

OPTION(ept_ad, "accessed and dirty bits in EPT entries");
OPTION(ept_1g, "1 GiB pages in EPT");
OPTION(pml, "page-modification logging");
OPTION(tpr_shadow, "CR8 without exits");
OPTION(x2apic_registers, "x2APIC registers read without exits");
OPTION(virtual_interrupts, "interrupts delivered without exits in x2APIC mode");
OPTION(tsc_scaling, "TSC scaling");
OPTION(msr_bitmaps, "MSRs without exits");
OPTION(preemption_timer, "exit at least every few milliseconds");
OPTION(pause_loop, "exits from loops of PAUSE");
OPTION(rdtscp, "RDTSCP and RDPID in guests");
OPTION(invpcid, "INVPCID in guests");
OPTION(l1d_flush, "flush the L1 data cache at entry, against L1TF");
OPTION(nx_huge_pages, "no execution from large EPT pages, against iTLB multihit");
UNUSED_OPTION(xsaves, "XSAVES in guests");
UNUSED_OPTION(ept_ve, "EPT-violation #VE");

static int vmx_per_run = -1;
module_param(vmx_per_run, int, 0444);
MODULE_PARM_DESC(vmx_per_run, "VT-x: 1: VMX is on only while a guest runs, 0: while VMs exist (-1: 0 if possible)");

static const struct {
	u8 word;
	u64 bits;
	const char *why;
} required[] = {
	{ PROC, PROC_SECONDARY, "this CPU's VT-x has no EPT (no secondary controls)" },
	{ PROC2, PROC2_EPT, "this CPU's VT-x has no EPT" },
	{ PROC2, PROC2_UNRESTRICTED, "this CPU's VT-x cannot run real mode (no unrestricted guest)" },
	{ PROC2, PROC2_VPID, "this CPU's VT-x has no VPID" },
	{ PIN, PIN_EXTERNAL_INTERRUPTS | PIN_NMI, "this CPU's VT-x has no exits on interrupts" },
	{ PIN, PIN_VIRTUAL_NMIS, "this CPU's VT-x has no virtual NMIs" },
	{ PROC, PROC_IRQ_WINDOW | PROC_NMI_WINDOW, "this CPU's VT-x has no interrupt windows" },
	{ PROC, PROC_TSC_OFFSETTING, "this CPU's VT-x has no TSC offsetting" },
	{ PROC, PROC_UNCONDITIONAL_IO | PROC_HLT | PROC_MWAIT | PROC_MONITOR | PROC_MOV_DR |
		PROC_RDPMC | PROC_CR8_LOAD | PROC_CR8_STORE,
	  "this CPU's VT-x lacks basic instruction exits" },
	{ PROC2, PROC2_WBINVD, "this CPU's VT-x has no WBINVD exits" },
	{ EXIT, EXIT_HOST_64, "this CPU's VT-x cannot return to a 64-bit host" },
	{ EXIT, EXIT_LOAD_EFER, "this CPU's VT-x does not load IA32_EFER on exits" },
	{ EXIT, EXIT_LOAD_PAT, "this CPU's VT-x does not load IA32_PAT on exits" },
	{ ENTRY, ENTRY_GUEST_64, "this CPU's VT-x cannot enter 64-bit guests" },
	{ ENTRY, ENTRY_LOAD_EFER, "this CPU's VT-x does not load IA32_EFER on entries" },
	{ ENTRY, ENTRY_LOAD_PAT, "this CPU's VT-x does not load IA32_PAT on entries" },
	{ EPT_VPID, EPT_CAP_WALK_4, "this CPU's EPT has no four-level tables" },
	{ EPT_VPID, EPT_CAP_WB, "this CPU's EPT tables cannot be cached" },
	{ EPT_VPID, EPT_CAP_2M, "this CPU's EPT has no 2 MiB pages" },
	{ EPT_VPID, EPT_CAP_INVEPT | EPT_CAP_INVEPT_SINGLE, "this CPU has no single-context INVEPT" },
	{ EPT_VPID, EPT_CAP_INVVPID | EPT_CAP_INVVPID_SINGLE, "this CPU has no single-context INVVPID" },
};

static const struct {
	int *chosen;
	u8 word;
	u64 bits;
} options[] = {
	{ &ept_ad, EPT_VPID, EPT_CAP_AD },
	{ &ept_1g, EPT_VPID, EPT_CAP_1G },
	{ &pml, PROC2, PROC2_PML },
	{ &tpr_shadow, PROC, PROC_TPR_SHADOW },
	{ &x2apic_registers, PROC2, PROC2_X2APIC | PROC2_APIC_REGISTERS },
	{ &virtual_interrupts, PROC2, PROC2_VIRTUAL_INTERRUPTS },
	{ &tsc_scaling, PROC2, PROC2_TSC_SCALING },
	{ &msr_bitmaps, PROC, PROC_MSR_BITMAPS },
	{ &preemption_timer, PIN, PIN_PREEMPTION_TIMER },
	{ &pause_loop, PROC2, PROC2_PAUSE_LOOP },
	{ &rdtscp, PROC2, PROC2_RDTSCP },
	{ &invpcid, PROC2, PROC2_INVPCID },
};

static int *const unused_options[] = {
	&xsaves, &ept_ve,
};

static u64 read_msr(u32 msr)
{
	u64 val = 0;

	if (rdmsrq_safe(msr, &val))
		return 0;
	return val;
}

/* Low half: bits that must be 1. High half: bits that may be 1 (SDM 3 A.2). */
static void read_words(u64 words[NR_WORDS], u32 must[NR_WORDS])
{
	bool true_controls = read_msr(MSR_IA32_VMX_BASIC) & BASIC_TRUE_CONTROLS;
	const u32 msr[] = {
		[PIN] = true_controls ? MSR_IA32_VMX_TRUE_PINBASED_CTLS : MSR_IA32_VMX_PINBASED_CTLS,
		[PROC] = true_controls ? MSR_IA32_VMX_TRUE_PROCBASED_CTLS :
					 MSR_IA32_VMX_PROCBASED_CTLS,
		[PROC2] = MSR_IA32_VMX_PROCBASED_CTLS2,
		[EXIT] = true_controls ? MSR_IA32_VMX_TRUE_EXIT_CTLS : MSR_IA32_VMX_EXIT_CTLS,
		[ENTRY] = true_controls ? MSR_IA32_VMX_TRUE_ENTRY_CTLS : MSR_IA32_VMX_ENTRY_CTLS,
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(msr); i++) {
		u64 val = read_msr(msr[i]);

		must[i] = (u32)val;
		words[i] = val >> 32;
	}
	must[EPT_VPID] = 0;
	words[EPT_VPID] = words[PROC2] & PROC2_EPT ? read_msr(MSR_IA32_VMX_EPT_VPID_CAP) : 0;
}

static const char *missing(const u64 words[NR_WORDS], const u32 must[NR_WORDS])
{
	u64 basic = read_msr(MSR_IA32_VMX_BASIC);
	int i;

	for (i = 0; i < ARRAY_SIZE(required); i++)
		if (required[i].bits & ~words[required[i].word])
			return required[i].why;
	if (must[PROC] & (PROC_CR3_LOAD | PROC_CR3_STORE | PROC_INVLPG))
		return "this CPU's VT-x cannot leave CR3 to the guest (no true controls)";
	if ((basic & BASIC_TYPE) != BASIC_TYPE_WB)
		return "this CPU wants its VMCS in uncached memory";
	return NULL;
}

static const char *refusal(void)
{
	u64 control = 0;

	/* boot_cpu_has() would not tell a CPU without VT-x from one with it locked off. */
	if (!(cpuid_ecx(1) & BIT(5)))
		return "this CPU has no VT-x (CPUID 1 ECX bit 5)";
	rdmsrq_safe(MSR_IA32_FEAT_CTL, &control);
	if (!(control & FEAT_CTL_LOCKED) || !(control & FEAT_CTL_VMX_ENABLED_OUTSIDE_SMX))
		return "VT-x is disabled by firmware (IA32_FEATURE_CONTROL)";
#ifdef X86_CR4_FRED
	/* Under FRED no symbol open to modules hands an NMI on to the host. */
	if (__read_cr4() & X86_CR4_FRED)
		return "VT-x on a FRED host is not supported (boot with fred=off)";
#endif
	return NULL;
}

static void choose_options(const u64 words[NR_WORDS])
{
	int i;

	for (i = 0; i < ARRAY_SIZE(options); i++)
		*options[i].chosen = *options[i].chosen &&
				     !(options[i].bits & ~words[options[i].word]);
	for (i = 0; i < ARRAY_SIZE(unused_options); i++)
		*unused_options[i] = 0;
	/* Registers read past the bitmap come from the page that the TPR shadow names. */
	x2apic_registers = x2apic_registers && tpr_shadow && msr_bitmaps;
	virtual_interrupts = virtual_interrupts && x2apic_registers;
	pml = pml && ept_ad;
	/* A timer that started anew with each entry would never end a storm of exits. */
	preemption_timer = preemption_timer && words[EXIT] & EXIT_SAVE_TIMER;
}

/* What the host's mitigations ask of each entry; docs/host-state.md has the table. */
static void choose_mitigations(void)
{
	bool off = cpu_mitigations_off();
	bool verw = false;

#ifdef X86_FEATURE_CLEAR_CPU_BUF
	verw |= boot_cpu_has(X86_FEATURE_CLEAR_CPU_BUF);
#endif
#ifdef X86_FEATURE_CLEAR_CPU_BUF_VM
	verw |= boot_cpu_has(X86_FEATURE_CLEAR_CPU_BUF_VM);
#endif
#ifdef X86_BUG_MMIO_STALE_DATA
	verw |= boot_cpu_has_bug(X86_BUG_MMIO_STALE_DATA) && !off;
#endif
	if (verw && boot_cpu_has(X86_FEATURE_MD_CLEAR))
		vmx_caps.enter_flags |= ENTER_VERW;

	if (l1d_flush < 0)
		l1d_flush = boot_cpu_has_bug(X86_BUG_L1TF) && !off;
	vmx_caps.l1d_flush = l1d_flush;
	if (nx_huge_pages < 0)
		nx_huge_pages = boot_cpu_has_bug(X86_BUG_ITLB_MULTIHIT) && !off;
	hvm_ept_format.nx_huge = nx_huge_pages;
#ifdef X86_FEATURE_USE_IBPB
	vmx_caps.ibpb = boot_cpu_has(X86_FEATURE_USE_IBPB);
#else
	vmx_caps.ibpb = boot_cpu_has(X86_FEATURE_IBPB) && !off;
#endif
}

static void choose_controls(const u64 words[NR_WORDS], const u32 must[NR_WORDS])
{
	struct vmx_caps *c = &vmx_caps;

	/*
	 * The host's interrupts end an entry whatever the guest's RFLAGS.IF says, but
	 * not on every emulated processor: the timer bounds what a guest can take.
	 */
	if (preemption_timer) {
		c->pin |= PIN_PREEMPTION_TIMER;
		c->exit |= EXIT_SAVE_TIMER;
		c->timer = ((u64)tsc_khz * TIMER_MS) >> (read_msr(MSR_IA32_VMX_MISC) & 31);
	}
	c->pin |= must[PIN] | PIN_EXTERNAL_INTERRUPTS | PIN_NMI | PIN_VIRTUAL_NMIS;
	c->proc = must[PROC] | PROC_SECONDARY | PROC_HLT | PROC_MWAIT | PROC_MONITOR |
		  PROC_RDPMC | PROC_MOV_DR | PROC_UNCONDITIONAL_IO | PROC_TSC_OFFSETTING;
	if (tpr_shadow)
		c->proc |= PROC_TPR_SHADOW;
	if (msr_bitmaps)
		c->proc |= PROC_MSR_BITMAPS;
	c->proc2 = must[PROC2] | PROC2_EPT | PROC2_VPID | PROC2_UNRESTRICTED | PROC2_WBINVD;
	/* Instructions with controls of their own: kept from guests, whatever the host has. */
	c->proc2 |= words[PROC2] & (PROC2_ENCLS | PROC2_PCONFIG);
	if (pause_loop)
		c->proc2 |= PROC2_PAUSE_LOOP;
	if (rdtscp)
		c->proc2 |= PROC2_RDTSCP;
	if (invpcid)
		c->proc2 |= PROC2_INVPCID;
	if (pml)
		c->proc2 |= PROC2_PML;
	if (tsc_scaling)
		c->proc2 |= PROC2_TSC_SCALING;
	if (x2apic_registers)
		c->proc2 |= PROC2_X2APIC | PROC2_APIC_REGISTERS;
	if (virtual_interrupts)
		c->proc2 |= PROC2_VIRTUAL_INTERRUPTS;
	c->exit |= must[EXIT] | EXIT_HOST_64 | EXIT_LOAD_EFER | EXIT_LOAD_PAT;
	c->entry = must[ENTRY] | ENTRY_LOAD_EFER | ENTRY_LOAD_PAT;
	c->entry |= words[ENTRY] & ENTRY_LOAD_DEBUG;
	c->exit |= words[EXIT] & EXIT_SAVE_DEBUG;
	c->eptp = EPTP_WB | EPTP_WALK_4 | (ept_ad ? EPTP_AD : 0);
}

static void hide_features(void)
{
	if (!rdtscp) {
		hvm_cpuid_hide(X86_FEATURE_RDTSCP);
		hvm_cpuid_hide(X86_FEATURE_RDPID);
	}
	if (!invpcid)
		hvm_cpuid_hide(X86_FEATURE_INVPCID);
	hvm_cpuid_hide(X86_FEATURE_XSAVES);
}

/**
 * vmx_setup - can this machine's VT-x run guests? If so, choose how
 * @why: set to one line that names what is missing
 *
 * Return: 0, -ENODEV or -ENOMEM.
 */
int vmx_setup(const char **why)
{
	u32 must[NR_WORDS];
	u64 words[NR_WORDS];

	*why = refusal();
	if (*why)
		return -ENODEV;
	read_words(words, must);
	*why = missing(words, must);
	if (*why)
		return -ENODEV;

	vmx_caps.revision = read_msr(MSR_IA32_VMX_BASIC) & 0x7fffffff;
	vmx_caps.cr4_fixed = read_msr(MSR_IA32_VMX_CR4_FIXED0);
	rdmsrq(MSR_EFER, vmx_caps.host_efer);
	rdmsrq(MSR_IA32_CR_PAT, vmx_caps.host_pat);
	choose_options(words);
	choose_mitigations();
	choose_controls(words, must);
	hide_features();
	hvm_vmx_backend.has_tsc_scaling = tsc_scaling;
	hvm_ept_format.huge_1g = ept_1g;
	if (!ept_ad)
		hvm_ept_format.accessed = hvm_ept_format.dirty = 0;
	hvm_ept_format.dirty_log = pml;

	vmx_per_run = vmx_per_run > 0 || !HVM_CR4_OPEN;
	vmx_caps.per_run = vmx_per_run;
	if (__read_cr4() & X86_CR4_VMXE)
		pr_info("VMX is in use (kvm_intel): hvm runs beside it\n");
	*why = "out of memory";
	if (l1d_flush && !boot_cpu_has(X86_FEATURE_FLUSH_L1D)) {
		vmx_caps.l1d_fill = __get_free_pages(GFP_KERNEL | __GFP_ZERO, get_order(L1D_FILL));
		if (!vmx_caps.l1d_fill)
			return -ENOMEM;
	}
	if (!vmx_cpus_alloc())
		return 0;
	vmx_teardown();
	return -ENOMEM;
}

void vmx_teardown(void)
{
	vmx_cpus_free();
	free_pages(vmx_caps.l1d_fill, get_order(L1D_FILL));
}
