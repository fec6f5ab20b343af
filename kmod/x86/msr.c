// SPDX-License-Identifier: GPL-2.0-only
/*
 * msr.c - model-specific registers
 *
 * Each register has one owner, asked in this order: this file for what is kept
 * in software (struct hvm_msr_state, or a field of the vCPU); irq/lapic.c and
 * x86/clock.c and pv.c for theirs; the backend for what lives in its control
 * block. get_soft() and set_msr() are the tables of contents.
 *
 * What nobody owns does not exist: RDMSR and WRMSR are a #GP, and userspace
 * is told -ENOENT. A value that does not fit is a #GP as well (-EINVAL).
 * "Host" is userspace, which may write what a guest may only read, so that a
 * saved vCPU can be restored.
 *
 * hvm_fast_rdmsr() and hvm_fast_wrmsr() run in the backend's inner loop with
 * interrupts off. They do what neither sleeps nor faults and decline the rest,
 * which then arrives at hvm_handle_rdmsr() and hvm_handle_wrmsr(). Those may
 * hand a refused access to userspace (CAP_X86_USER_SPACE_MSR).
 *
 * Locks: registers belong to the vCPU's thread (vcpu->mutex). The filter is
 * replaced under vm->lock and read under RCU.
 */
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <uapi/asm/kvm_para.h>	/* not <asm/>: its types clash on 7.x */
#include "hvm.h"
#include "trace.h"

/* Names that the kernel's msr-index.h lacks, or did not always have. */
#define MSR_PLATFORM_ID		0x17
#define MSR_MCE_BANKS		0x400	/* CTL, STATUS, ADDR, MISC of each */
#define MSR_MTRR_VAR		0x200	/* base, mask of each */
#define MSR_DE_CFG		0xc0011029
#define DE_CFG_LFENCE_SERIALIZE	BIT_ULL(1)
#define HWCR_MC_STATUS_WRITE	BIT_ULL(18)
#define HWCR_IGNORED		0x148ULL	/* FFDIS, TLBCACHEDIS, IGNNE: nothing to switch here */
#define MISC_ENABLE_EMON	BIT_ULL(7)
#define MISC_ENABLE_MWAIT	BIT_ULL(18)
#define MISC_ENABLE_READ_ONLY	(MISC_ENABLE_EMON | BIT_ULL(11) | BIT_ULL(12))
#define MISC_ENABLE_INIT	(BIT_ULL(11) | BIT_ULL(12))	/* no branch trace store, no PEBS */
#define DEBUGCTL_IGNORED	3ULL	/* LBR, BTF */
#define MTRR_CAP		0x508	/* write-combining, fixed ranges, eight variable ones */
#define NR_MTRR_VAR		16
#define MAX_IO_MSRS		256

/*
 * What hvm passes on of the host's IA32_ARCH_CAPABILITIES: statements on the
 * processor, not registers to be written. RDCL_NO IBRS_ALL RSBA SSB_NO MDS_NO
 * PSCHANGE_MC_NO TAA_NO SBDR_SSDP_NO FBSDP_NO PSDP_NO FB_CLEAR RRSBA BHI_NO
 * PBRSB_NO GDS_NO RFDS_NO RFDS_CLEAR ITS_NO
 */
#define ARCH_CAPS_OFFERED	0x400000001d1ae177ULL
#define ARCH_CAPS_PSCHANGE_MC_NO BIT_ULL(6)

struct hvm_msr_state {
	u64 mtrr_var[NR_MTRR_VAR];
	u64 mtrr_fix[11];		/* 250, 258, 259, 268..26f */
	u64 mtrr_def;
	u64 misc_enable;
	u64 ucode_rev;
	u64 arch_caps;
	u64 platform_info;
	u64 power_ctl;
	u64 smi_count;
	u64 hwcr;
	u64 de_cfg;
	u64 osvw[2];
	u64 mcg_cap, mcg_status, mcg_ctl;
	u64 mce[HVM_MCE_BANKS * 4];
};

static bool is_x2apic(u32 msr)
{
	return msr - 0x800 <= 0xff;
}

/* ---- registers that always read the same ---- */

enum on_write { FAULTS, IGNORED, SAME_ONLY };

/*
 * Kernels read these on the way up. Values are those of a machine without the
 * feature in question, and where there is no such value KVM's.
 */
static const struct fixed_msr {
	u32 msr;
	u8 on_write;
	u64 val;
} fixed_msrs[] = {
	{ 0x0, SAME_ONLY }, { 0x1, SAME_ONLY },			/* P5_MC_ADDR, P5_MC_TYPE */
	{ MSR_PLATFORM_ID, FAULTS }, { 0x2a, FAULTS },		/* EBL_CR_POWERON */
	{ 0x2c, FAULTS, 1 << 24 },				/* EBC_FREQUENCY_ID */
	{ 0x79, IGNORED },					/* microcode update trigger */
	{ 0xc1, IGNORED }, { 0xc2, IGNORED },			/* counters */
	{ 0xcd, FAULTS, 3 },					/* FSB_FREQ */
	{ MSR_MTRRcap, FAULTS, MTRR_CAP },
	{ 0x11e, SAME_ONLY, 0xbe702111 },			/* BBL_CR_CTL3 */
	{ MSR_MISC_FEATURES_ENABLES, SAME_ONLY },		/* no CPUID faulting */
	{ 0x186, IGNORED }, { 0x187, IGNORED },			/* event selects */
	{ 0x198, FAULTS, 1000 | 4ULL << 40 }, { 0x199, FAULTS },	/* PERF_STATUS, PERF_CTL */
	{ 0x1db, FAULTS }, { 0x1dc, FAULTS }, { 0x1dd, FAULTS }, { 0x1de, FAULTS }, /* last branch */
	{ 0x606, FAULTS }, { 0x611, FAULTS }, { 0x619, FAULTS },	/* RAPL */
	{ 0x639, FAULTS }, { 0x641, FAULTS },
	{ 0xc0010000, IGNORED }, { 0xc0010001, IGNORED },	/* K7 event selects, counters */
	{ 0xc0010002, IGNORED }, { 0xc0010003, IGNORED },
	{ 0xc0010004, IGNORED }, { 0xc0010005, IGNORED },
	{ 0xc0010006, IGNORED }, { 0xc0010007, IGNORED },
	{ 0xc0010010, SAME_ONLY },				/* SYSCFG */
	{ 0xc001001b, FAULTS, 0x20000000 },			/* CLK_CTL */
	{ 0xc001001f, IGNORED },				/* NB_CFG */
	{ 0xc0010020, IGNORED },				/* microcode update trigger */
	{ 0xc0010055, FAULTS }, { 0xc0010058, SAME_ONLY },	/* INT_PENDING, MMIO_CONF_BASE */
	{ 0xc0010112, FAULTS }, { 0xc0010113, FAULTS },		/* TSEG */
	{ 0xc0011022, IGNORED }, { 0xc0011023, FAULTS },	/* DC_CFG, TW_CFG */
	{ 0xc001102a, IGNORED }, { 0xc001102c, IGNORED },	/* BU_CFG2, EX_CFG */
};

static const struct fixed_msr *find_fixed(u32 msr)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(fixed_msrs); i++)
		if (fixed_msrs[i].msr == msr)
			return &fixed_msrs[i];
	return NULL;
}

static int set_fixed(u32 msr, u64 val)
{
	const struct fixed_msr *f = find_fixed(msr);

	if (!f)
		return -ENOENT;
	return f->on_write == IGNORED || (f->on_write == SAME_ONLY && val == f->val) ? 0 : -EINVAL;
}

/* ---- what this host can give ---- */

static u64 host_spec_ctrl(void)
{
	u64 bits = 0;

	if (boot_cpu_has(X86_FEATURE_SPEC_CTRL) || boot_cpu_has(X86_FEATURE_AMD_IBRS))
		bits |= SPEC_CTRL_IBRS;
	if (boot_cpu_has(X86_FEATURE_INTEL_STIBP) || boot_cpu_has(X86_FEATURE_AMD_STIBP))
		bits |= SPEC_CTRL_STIBP;
	if (boot_cpu_has(X86_FEATURE_SPEC_CTRL_SSBD) || boot_cpu_has(X86_FEATURE_AMD_SSBD))
		bits |= SPEC_CTRL_SSBD;
	return bits;
}

static bool guest_has_spec_ctrl(struct hvm_vcpu *vcpu)
{
	return hvm_guest_has(vcpu, X86_FEATURE_SPEC_CTRL) ||
	       hvm_guest_has(vcpu, X86_FEATURE_SPEC_CTRL_SSBD) ||
	       hvm_guest_has(vcpu, X86_FEATURE_AMD_IBRS) ||
	       hvm_guest_has(vcpu, X86_FEATURE_AMD_STIBP) ||
	       hvm_guest_has(vcpu, X86_FEATURE_AMD_SSBD);
}

static u64 host_arch_caps(void)
{
	u64 caps = 0;

	if (boot_cpu_has(X86_FEATURE_ARCH_CAPABILITIES))
		rdmsrq(MSR_IA32_ARCH_CAPABILITIES, caps);
	caps &= ARCH_CAPS_OFFERED;
	if (!boot_cpu_has_bug(X86_BUG_CPU_MELTDOWN))
		caps |= BIT_ULL(0);
	if (!boot_cpu_has_bug(X86_BUG_SPEC_STORE_BYPASS))
		caps |= BIT_ULL(4);
	if (!boot_cpu_has_bug(X86_BUG_MDS))
		caps |= BIT_ULL(5);
	/* Stage 2 is what the page-size-change erratum is about, and the guest has none of its own. */
	return caps | ARCH_CAPS_PSCHANGE_MC_NO;
}

static bool host_has_tsc_aux(void)
{
	return boot_cpu_has(X86_FEATURE_RDTSCP) || boot_cpu_has(X86_FEATURE_RDPID);
}

/* Feature MSRs: what userspace may learn of the host without a vCPU. */
static const u32 feature_msrs[] = {
	MSR_IA32_UCODE_REV, MSR_IA32_ARCH_CAPABILITIES, MSR_DE_CFG,
};

static int get_feature(u32 msr, u64 *val)
{
	*val = 0;
	switch (msr) {
	case MSR_IA32_UCODE_REV:
		if (rdmsrq_safe(MSR_IA32_UCODE_REV, val))
			*val = boot_cpu_data.microcode;
		return 0;
	case MSR_IA32_ARCH_CAPABILITIES:
		*val = host_arch_caps();
		return 0;
	case MSR_DE_CFG:
		if (boot_cpu_has(X86_FEATURE_LFENCE_RDTSC))
			*val = DE_CFG_LFENCE_SERIALIZE;
		return 0;
	}
	return -ENOENT;
}

int hvm_msrs_create(struct hvm_vcpu *vcpu)
{
	struct hvm_msr_state *s = kzalloc(sizeof(*s), GFP_KERNEL_ACCOUNT);

	if (!s)
		return -ENOMEM;
	get_feature(MSR_IA32_UCODE_REV, &s->ucode_rev);
	get_feature(MSR_IA32_ARCH_CAPABILITIES, &s->arch_caps);
	get_feature(MSR_DE_CFG, &s->de_cfg);
	s->misc_enable = MISC_ENABLE_INIT;
	s->mcg_cap = HVM_MCE_BANKS;
	vcpu->msrs = s;
	return 0;
}

void hvm_msrs_destroy(struct hvm_vcpu *vcpu)
{
	kfree(vcpu->msrs);
	vcpu->msrs = NULL;
}

/* ---- reading ---- */

/* Where a fixed-range MTRR is kept, or NULL: none has this number. */
static u64 *mtrr_fixed(struct hvm_msr_state *s, u32 msr)
{
	if (msr == MSR_MTRRfix64K_00000)
		return &s->mtrr_fix[0];
	if (msr - MSR_MTRRfix16K_80000 < 2)
		return &s->mtrr_fix[1 + msr - MSR_MTRRfix16K_80000];
	if (msr - MSR_MTRRfix4K_C0000 < 8)
		return &s->mtrr_fix[3 + msr - MSR_MTRRfix4K_C0000];
	return NULL;
}

static u32 nr_bank_msrs(const struct hvm_msr_state *s)
{
	return (s->mcg_cap & MCG_BANKCNT_MASK) * 4;
}

static int get_rare(struct hvm_vcpu *vcpu, u32 msr, u64 *val)
{
	const struct fixed_msr *f;
	struct hvm_msr_state *s = vcpu->msrs;
	u64 *p;

	if (msr - MSR_MTRR_VAR < NR_MTRR_VAR) {
		*val = s->mtrr_var[msr - MSR_MTRR_VAR];
		return 0;
	}
	if (msr - MSR_MCE_BANKS < HVM_MCE_BANKS * 4) {
		*val = s->mce[msr - MSR_MCE_BANKS];
		return msr - MSR_MCE_BANKS < nr_bank_msrs(s) ? 0 : -EINVAL;
	}
	p = mtrr_fixed(s, msr);
	if (p) {
		*val = *p;
		return 0;
	}
	f = find_fixed(msr);
	if (f) {
		*val = f->val;
		return 0;
	}
	return hvm_pv_get_msr(vcpu, msr, val);
}

/* Everything but the backend's: never sleeps, so the inner loop may come here too. */
static int get_soft(struct hvm_vcpu *vcpu, u32 msr, u64 *val, bool host)
{
	struct hvm_msr_state *s = vcpu->msrs;

	if (is_x2apic(msr))
		return hvm_lapic_get_msr(vcpu, msr, val);
	switch (msr) {
	case MSR_IA32_TSC:
		*val = hvm_tsc_read(vcpu);
		return 0;
	case MSR_IA32_TSC_DEADLINE:
		return hvm_lapic_get_msr(vcpu, msr, val);
	case MSR_IA32_APICBASE:
		*val = vcpu->apic_base;
		return 0;
	case MSR_IA32_SPEC_CTRL:
		if (!host_spec_ctrl() || (!host && !guest_has_spec_ctrl(vcpu)))
			return -ENOENT;
		*val = vcpu->spec_ctrl;
		return 0;
	case MSR_EFER:
		*val = vcpu->efer;
		return 0;
	case MSR_IA32_CR_PAT:
		*val = vcpu->pat;
		return 0;
	case MSR_TSC_AUX:
		if (!host && !hvm_guest_has(vcpu, X86_FEATURE_RDTSCP) &&
		    !hvm_guest_has(vcpu, X86_FEATURE_RDPID))
			return -ENOENT;
		*val = vcpu->tsc_aux;
		return host_has_tsc_aux() ? 0 : -ENOENT;
	case MSR_IA32_TSC_ADJUST:
		*val = hvm_tsc_adjust(vcpu);
		return 0;
	case MSR_IA32_MISC_ENABLE:
		*val = s->misc_enable;
		return 0;
	case MSR_IA32_UCODE_REV:
		*val = s->ucode_rev;
		return 0;
	case MSR_IA32_ARCH_CAPABILITIES:
		*val = s->arch_caps;
		return host || hvm_guest_has(vcpu, X86_FEATURE_ARCH_CAPABILITIES) ? 0 : -ENOENT;
	case MSR_PLATFORM_INFO:
		*val = s->platform_info;
		return host || !vcpu->vm->hide_platform_info ? 0 : -EINVAL;
	case MSR_IA32_POWER_CTL:
		*val = s->power_ctl;
		return 0;
	case MSR_SMI_COUNT:
		*val = s->smi_count;
		return 0;
	case MSR_MTRRdefType:
		*val = s->mtrr_def;
		return 0;
	case MSR_IA32_MCG_STATUS:
		*val = s->mcg_status;
		return 0;
	case MSR_IA32_MCG_CTL:
		*val = s->mcg_ctl;
		return host || s->mcg_cap & MCG_CTL_P ? 0 : -EINVAL;
	case MSR_IA32_MCG_CAP:
		*val = s->mcg_cap;
		return 0;
	case MSR_K7_HWCR:
		*val = s->hwcr;
		return 0;
	case MSR_DE_CFG:
		*val = s->de_cfg;
		return 0;
	case MSR_AMD64_OSVW_ID_LENGTH:
	case MSR_AMD64_OSVW_STATUS:
		*val = s->osvw[msr - MSR_AMD64_OSVW_ID_LENGTH];
		return host || hvm_guest_has(vcpu, X86_FEATURE_OSVW) ? 0 : -ENOENT;
	}
	return get_rare(vcpu, msr, val);
}

/**
 * hvm_get_msr - read an MSR
 * @vcpu: loaded
 * @msr: number
 * @val: result
 * @host: for userspace, which sees more than the guest
 *
 * Return: 0, -ENOENT (there is none), -EINVAL (it cannot be read now).
 */
int hvm_get_msr(struct hvm_vcpu *vcpu, u32 msr, u64 *val, bool host)
{
	int r = get_soft(vcpu, msr, val, host);

	if (r != -ENOENT)
		return r;
	r = hvm_backend->get_msr(vcpu, msr, val);
	if (r == -ENOENT && msr == MSR_IA32_DEBUGCTLMSR) {
		*val = 0;
		r = 0;
	}
	return r;
}

/* ---- writing ---- */

static bool valid_mtrr_type(u8 type)
{
	return type < 8 && BIT(type) & 0x73;	/* UC WC WT WP WB */
}

static bool valid_mtrr_fixed(u64 val)
{
	for (; val; val >>= 8)
		if (!valid_mtrr_type(val))
			return false;
	return true;
}

/* SDM 3 12.11.2.3: even numbers are bases with a type, odd ones masks with a valid bit. */
static bool valid_mtrr_var(struct hvm_vcpu *vcpu, u32 msr, u64 val)
{
	if (val >> vcpu->maxphyaddr)
		return false;
	return msr & 1 ? !(val & 0x7ff) : !(val & 0xf00) && valid_mtrr_type(val);
}

/* Every byte one of 0, 1, 4..7: types 2 and 3 have bit 1 without bit 2. */
static bool valid_pat(u64 val)
{
	return !(val & 0xf8f8f8f8f8f8f8f8ULL) && !(val & ~(val >> 1) & 0x0202020202020202ULL);
}

/* What the backend owns, or wants to be told of. */
static int tell_backend(struct hvm_vcpu *vcpu, u32 msr, u64 val)
{
	int r = hvm_backend->set_msr(vcpu, msr, val);

	return r == -ENOENT ? 0 : r;
}

static int set_pat(struct hvm_vcpu *vcpu, u64 val)
{
	if (!valid_pat(val))
		return -EINVAL;
	vcpu->pat = val;
	return tell_backend(vcpu, MSR_IA32_CR_PAT, val);
}

static int set_spec_ctrl(struct hvm_vcpu *vcpu, u64 val, bool host)
{
	u64 bits = host_spec_ctrl();

	if (!bits || (!host && !guest_has_spec_ctrl(vcpu)))
		return -ENOENT;
	if (val & ~bits)
		return -EINVAL;
	vcpu->spec_ctrl = val;
	return tell_backend(vcpu, MSR_IA32_SPEC_CTRL, val);
}

/* A command, not a state: the barrier is for whatever runs on this CPU now. */
static int set_pred_cmd(struct hvm_vcpu *vcpu, u64 val, bool host)
{
	if (!host && !hvm_guest_has(vcpu, X86_FEATURE_SPEC_CTRL) &&
	    !hvm_guest_has(vcpu, X86_FEATURE_AMD_IBPB))
		return -ENOENT;
	if (val & ~(u64)PRED_CMD_IBPB)
		return -EINVAL;
	if (!boot_cpu_has(X86_FEATURE_SPEC_CTRL) && !boot_cpu_has(X86_FEATURE_AMD_IBPB))
		return val ? -EINVAL : 0;
	if (val)
		wrmsrq(MSR_IA32_PRED_CMD, val);
	return 0;
}

static int set_tsc_aux(struct hvm_vcpu *vcpu, u64 val, bool host)
{
	int r;

	if (!host_has_tsc_aux() || (!host && !hvm_guest_has(vcpu, X86_FEATURE_RDTSCP) &&
				    !hvm_guest_has(vcpu, X86_FEATURE_RDPID)))
		return -ENOENT;
	if (val >> 32)
		return -EINVAL;
	/* Between the two vcpu_put() would take the register for the host's. */
	preempt_disable();
	vcpu->tsc_aux = val;
	r = tell_backend(vcpu, MSR_TSC_AUX, val);
	preempt_enable();
	return r;
}

static int set_misc_enable(struct hvm_vcpu *vcpu, u64 val, bool host)
{
	struct hvm_msr_state *s = vcpu->msrs;

	if (!host) {
		val = (val & ~MISC_ENABLE_EMON) | (s->misc_enable & MISC_ENABLE_EMON);
		if ((val ^ s->misc_enable) & MISC_ENABLE_READ_ONLY)
			return -EINVAL;
	}
	/* By KVM's quirk CPUID takes no notice. */
	if ((val ^ s->misc_enable) & MISC_ENABLE_MWAIT &&
	    vcpu->vm->disabled_quirks & HVM_X86_QUIRK_MISC_ENABLE_NO_MWAIT) {
		if (!hvm_guest_has(vcpu, X86_FEATURE_XMM3))
			return -EINVAL;
		s->misc_enable = val;
		hvm_cpuid_update(vcpu);
	}
	s->misc_enable = val;
	return 0;
}

bool hvm_mwait_enabled(struct hvm_vcpu *vcpu)
{
	return vcpu->msrs->misc_enable & MISC_ENABLE_MWAIT;
}

static int set_hwcr(struct hvm_msr_state *s, u64 val)
{
	val &= ~HWCR_IGNORED;
	if (val & ~HWCR_MC_STATUS_WRITE)
		return -EINVAL;
	s->hwcr = val;
	return 0;
}

static int set_de_cfg(struct hvm_msr_state *s, u64 val, bool host)
{
	u64 valid;

	get_feature(MSR_DE_CFG, &valid);
	if (val & ~valid || (!host && val != s->de_cfg))
		return -EINVAL;
	s->de_cfg = val;
	return 0;
}

static int set_bank(struct hvm_msr_state *s, u32 i, u64 val, bool host)
{
	if (i >= nr_bank_msrs(s))
		return -EINVAL;
	switch (i & 3) {
	case 0:		/* CTL: all or nothing; bits 0 and 10 may be clear for old processors' sake */
		if (val && (val | BIT_ULL(10) | 1) != ~0ULL)
			return -EINVAL;
		break;
	case 1:		/* STATUS: software only clears it */
		if (!host && val && !(s->hwcr & HWCR_MC_STATUS_WRITE))
			return -EINVAL;
		break;
	}
	s->mce[i] = val;
	return 0;
}

static int set_base(struct hvm_vcpu *vcpu, u32 msr, u64 val)
{
	int unused = hvm_call(get_cr, vcpu, 4) & X86_CR4_LA57 ? 64 - 57 : 64 - 48;
	u64 canonical = (s64)(val << unused) >> unused;

	/* SYSENTER's are truncated by some processors and refused by others: be kind. */
	if (msr != MSR_IA32_SYSENTER_ESP && msr != MSR_IA32_SYSENTER_EIP && val != canonical)
		return -EINVAL;
	return hvm_backend->set_msr(vcpu, msr, canonical);
}

static int set_debugctl(struct hvm_vcpu *vcpu, u64 val)
{
	int r = hvm_backend->set_msr(vcpu, MSR_IA32_DEBUGCTLMSR, val);

	if (r != -ENOENT)
		return r;
	return val & ~DEBUGCTL_IGNORED ? -EINVAL : 0;
}

static int set_rare(struct hvm_vcpu *vcpu, u32 msr, u64 val, bool host)
{
	struct hvm_msr_state *s = vcpu->msrs;
	u64 *p;
	int r;

	if (msr - MSR_MTRR_VAR < NR_MTRR_VAR) {
		if (!valid_mtrr_var(vcpu, msr, val))
			return -EINVAL;
		s->mtrr_var[msr - MSR_MTRR_VAR] = val;
		return 0;
	}
	if (msr - MSR_MCE_BANKS < HVM_MCE_BANKS * 4)
		return set_bank(s, msr - MSR_MCE_BANKS, val, host);
	p = mtrr_fixed(s, msr);
	if (p) {
		if (!valid_mtrr_fixed(val))
			return -EINVAL;
		*p = val;
		return 0;
	}
	r = set_fixed(msr, val);
	if (r == -ENOENT)
		r = hvm_pv_set_msr(vcpu, msr, val, host);
	if (r == -ENOENT)
		r = hvm_backend->set_msr(vcpu, msr, val);
	return r;
}

/* Registers that only userspace writes: a #GP for the guest, though it may read them. */
static int set_host_only(u64 *reg, u64 val, bool host)
{
	if (!host)
		return -EINVAL;
	*reg = val;
	return 0;
}

/**
 * hvm_set_msr - write an MSR
 * @vcpu: loaded; may sleep
 * @msr: number
 * @val: value
 * @host: for userspace, which may write more than the guest
 *
 * Return: 0, -ENOENT (there is none), -EINVAL (it cannot take this value).
 */
int hvm_set_msr(struct hvm_vcpu *vcpu, u32 msr, u64 val, bool host)
{
	struct hvm_msr_state *s = vcpu->msrs;

	if (is_x2apic(msr))
		return hvm_lapic_set_msr(vcpu, msr, val, host);
	switch (msr) {
	case MSR_IA32_TSC_DEADLINE:
	case MSR_IA32_APICBASE:
		return hvm_lapic_set_msr(vcpu, msr, val, host) ? -EINVAL : 0;
	case MSR_IA32_TSC:
		hvm_tsc_write(vcpu, val, host);
		return 0;
	case MSR_IA32_TSC_ADJUST:
		hvm_tsc_set_adjust(vcpu, val, host);
		return 0;
	case MSR_EFER:
		return hvm_set_efer(vcpu, val, host) ? -EINVAL : 0;
	case MSR_IA32_CR_PAT:
		return set_pat(vcpu, val);
	case MSR_FS_BASE:
	case MSR_GS_BASE:
	case MSR_KERNEL_GS_BASE:
	case MSR_LSTAR:
	case MSR_CSTAR:
	case MSR_IA32_SYSENTER_ESP:
	case MSR_IA32_SYSENTER_EIP:
		return set_base(vcpu, msr, val);
	case MSR_IA32_SPEC_CTRL:
		return set_spec_ctrl(vcpu, val, host);
	case MSR_IA32_PRED_CMD:
		return set_pred_cmd(vcpu, val, host);
	case MSR_TSC_AUX:
		return set_tsc_aux(vcpu, val, host);
	case MSR_IA32_MISC_ENABLE:
		return set_misc_enable(vcpu, val, host);
	case MSR_IA32_UCODE_REV:
		/* Writing 0 before CPUID is how the revision is asked for. */
		if (host)
			s->ucode_rev = val;
		return 0;
	case MSR_IA32_ARCH_CAPABILITIES:
		return set_host_only(&s->arch_caps, val, host);
	case MSR_IA32_POWER_CTL:	/* remembered: there is no power to control */
		s->power_ctl = val;
		return 0;
	case MSR_PLATFORM_INFO:
		return set_host_only(&s->platform_info, val, host);
	case MSR_SMI_COUNT:
		return set_host_only(&s->smi_count, val, host);
	case MSR_MTRRdefType:
		if (val & ~0xcffULL || !valid_mtrr_type(val))
			return -EINVAL;
		s->mtrr_def = val;
		return 0;
	case MSR_IA32_MCG_STATUS:
		s->mcg_status = val;
		return 0;
	case MSR_IA32_MCG_CTL:
		if ((val && ~val) || (!(s->mcg_cap & MCG_CTL_P) && (val || !host)))
			return -EINVAL;
		s->mcg_ctl = val;
		return 0;
	case MSR_IA32_MCG_CAP:
		return -EINVAL;		/* HVM_X86_SETUP_MCE's */
	case MSR_IA32_DEBUGCTLMSR:
		return set_debugctl(vcpu, val);
	case MSR_K7_HWCR:
		return set_hwcr(s, val);
	case MSR_DE_CFG:
		return set_de_cfg(s, val, host);
	case MSR_AMD64_OSVW_ID_LENGTH:
	case MSR_AMD64_OSVW_STATUS:
		return set_host_only(&s->osvw[msr - MSR_AMD64_OSVW_ID_LENGTH], val, host);
	}
	return set_rare(vcpu, msr, val, host);
}

/* ---- machine checks ---- */

/**
 * hvm_setup_mce - HVM_X86_SETUP_MCE
 * @vcpu: loaded
 * @mcg_cap: what IA32_MCG_CAP reads: number of banks, HVM_MCG_CAPS
 *
 * Return: 0, or -EINVAL: no banks, too many, unknown features.
 */
int hvm_setup_mce(struct hvm_vcpu *vcpu, const u64 *mcg_cap)
{
	struct hvm_msr_state *s = vcpu->msrs;
	u32 i, banks = *mcg_cap & MCG_BANKCNT_MASK;

	/* Bits 16 to 23 count extended state registers: KVM lets them through. */
	if (!banks || banks > HVM_MCE_BANKS || *mcg_cap & ~(HVM_MCG_CAPS | 0xff00ffULL))
		return -EINVAL;
	s->mcg_cap = *mcg_cap;
	if (s->mcg_cap & MCG_CTL_P)
		s->mcg_ctl = ~0ULL;
	for (i = 0; i < banks; i++)
		s->mce[i * 4] = ~0ULL;
	return 0;
}

/**
 * hvm_set_mce - HVM_X86_SET_MCE: an error shows up in a bank
 * @vcpu: loaded
 * @mce: which, and what
 *
 * One that is not corrected raises #MC, or shuts the vCPU down if that finds it
 * not ready: CR4.MCE clear, or another being handled.
 *
 * Return: 0, or -EINVAL: no such bank, or a status that is not valid.
 */
int hvm_set_mce(struct hvm_vcpu *vcpu, const struct hvm_x86_mce *mce)
{
	struct hvm_msr_state *s = vcpu->msrs;
	bool uc = mce->status & MCI_STATUS_UC;
	u64 *bank, over;

	if (mce->bank * 4 >= nr_bank_msrs(s) || !(mce->status & MCI_STATUS_VAL))
		return -EINVAL;
	bank = &s->mce[mce->bank * 4];		/* CTL, STATUS, ADDR, MISC */
	if (uc && ((s->mcg_cap & MCG_CTL_P && ~s->mcg_ctl) || ~bank[0]))
		return 0;		/* the guest does not want to know */
	if (uc && (s->mcg_status & MCG_STATUS_MCIP ||
		   !(hvm_call(get_cr, vcpu, 4) & X86_CR4_MCE))) {
		hvm_request_only(vcpu, HVM_REQ_TRIPLE_FAULT);
		return 0;
	}
	over = bank[1] & MCI_STATUS_VAL ? MCI_STATUS_OVER : 0;
	if (!uc && over && bank[1] & MCI_STATUS_UC) {
		bank[1] |= over;	/* the worse one stays */
		return 0;
	}
	bank[1] = mce->status | over;
	bank[2] = mce->addr;
	bank[3] = mce->misc;
	if (uc) {
		s->mcg_status = mce->mcg_status;
		hvm_queue_exception(vcpu, 18);
	}
	return 0;
}

/* ---- the filter: HVM_X86_SET_MSR_FILTER ---- */

struct hvm_msr_filter_set {
	struct rcu_head rcu;
	bool allow;			/* what holds outside the ranges */
	int nr;
	struct {
		u32 base, n, flags;
		u8 *bits;		/* in bitmaps[] */
	} range[HVM_MSR_FILTER_MAX_RANGES];
	u8 bitmaps[];
};

/* May the guest touch it? Any context. */
bool hvm_msr_allowed(struct hvm_vm *vm, u32 msr, bool write)
{
	u32 kind = write ? HVM_MSR_FILTER_WRITE : HVM_MSR_FILTER_READ;
	const struct hvm_msr_filter_set *f;
	bool allowed = true;
	u32 bit;
	int i;

	if (likely(!rcu_access_pointer(vm->msr_filter)) || is_x2apic(msr))
		return true;
	rcu_read_lock();
	f = rcu_dereference(vm->msr_filter);
	if (f) {
		allowed = f->allow;
		for (i = 0; i < f->nr; i++) {
			bit = msr - f->range[i].base;
			if (msr < f->range[i].base || bit >= f->range[i].n ||
			    !(f->range[i].flags & kind))
				continue;
			allowed = f->range[i].bits[bit / 8] & BIT(bit % 8);
			break;
		}
	}
	rcu_read_unlock();
	return allowed;
}

/* Bytes of all bitmaps, or -EINVAL. */
static int filter_bytes(const struct hvm_msr_filter *f)
{
	const struct hvm_msr_filter_range *r;
	int bytes = 0;

	if (f->flags & ~HVM_MSR_FILTER_DEFAULT_DENY)
		return -EINVAL;
	for (r = f->ranges; r < f->ranges + HVM_MSR_FILTER_MAX_RANGES; r++) {
		if (!r->nmsrs)
			continue;
		if (!r->flags || r->flags & ~(HVM_MSR_FILTER_READ | HVM_MSR_FILTER_WRITE) ||
		    r->nmsrs > HVM_MSR_FILTER_MAX_BITMAP_SIZE * 8)
			return -EINVAL;
		bytes += DIV_ROUND_UP(r->nmsrs, 8);
	}
	/* Denying everything and naming nothing is taken for a mistake. */
	return !bytes && f->flags & HVM_MSR_FILTER_DEFAULT_DENY ? -EINVAL : bytes;
}

static struct hvm_msr_filter_set *copy_filter(const struct hvm_msr_filter *f, int bytes)
{
	struct hvm_msr_filter_set *set = kvzalloc(sizeof(*set) + bytes, GFP_KERNEL_ACCOUNT);
	u8 *bits;
	u32 i, n;

	if (!set)
		return ERR_PTR(-ENOMEM);
	set->allow = !(f->flags & HVM_MSR_FILTER_DEFAULT_DENY);
	bits = set->bitmaps;
	for (i = 0; i < HVM_MSR_FILTER_MAX_RANGES; i++) {
		if (!f->ranges[i].nmsrs)
			continue;
		n = DIV_ROUND_UP(f->ranges[i].nmsrs, 8);
		if (copy_from_user(bits, (const void __user *)f->ranges[i].bitmap, n)) {
			kvfree(set);
			return ERR_PTR(-EFAULT);
		}
		set->range[set->nr].base = f->ranges[i].base;
		set->range[set->nr].n = f->ranges[i].nmsrs;
		set->range[set->nr].flags = f->ranges[i].flags;
		set->range[set->nr++].bits = bits;
		bits += n;
	}
	return set;
}

/**
 * hvm_set_msr_filter - HVM_X86_SET_MSR_FILTER
 * @vm: vm->lock held
 * @f: flags and ranges; the bitmaps are in user memory
 *
 * Return: 0, -EINVAL, -EFAULT, -ENOMEM.
 */
int hvm_set_msr_filter(struct hvm_vm *vm, const struct hvm_msr_filter *f)
{
	struct hvm_msr_filter_set *set = NULL, *old;
	int i, bytes = filter_bytes(f);
	struct hvm_vcpu *vcpu;

	if (bytes < 0)
		return bytes;
	if (bytes) {
		set = copy_filter(f, bytes);
		if (IS_ERR(set))
			return PTR_ERR(set);
	}
	old = rcu_replace_pointer(vm->msr_filter, set, lockdep_is_held(&vm->lock));
	hvm_for_each_vcpu(i, vcpu, vm)
		hvm_request(vcpu, HVM_REQ_TRAPS);
	if (old)
		kvfree_rcu(old, rcu);
	return 0;
}

/* The VM dies: nobody looks any more. */
void hvm_msr_filter_free(struct hvm_vm *vm)
{
	kvfree(rcu_dereference_protected(vm->msr_filter, true));
	RCU_INIT_POINTER(vm->msr_filter, NULL);
}

/* ---- the guest's RDMSR and WRMSR ---- */

static void set_result(struct hvm_vcpu *vcpu, u64 val)
{
	vcpu->gpr[HVM_RAX] = (u32)val;
	vcpu->gpr[HVM_RDX] = val >> 32;
}

static u64 operand(const struct hvm_vcpu *vcpu)
{
	return (u32)vcpu->gpr[HVM_RAX] | vcpu->gpr[HVM_RDX] << 32;
}

/**
 * hvm_fast_rdmsr - RDMSR without leaving the inner loop
 * @vcpu: interrupts off
 *
 * Return: true: RAX and RDX are set, RIP is the caller's to move; false: not here.
 */
bool hvm_fast_rdmsr(struct hvm_vcpu *vcpu)
{
	u32 msr = vcpu->gpr[HVM_RCX];
	u64 val;

	if (unlikely(rcu_access_pointer(vcpu->vm->msr_filter)) && !is_x2apic(msr))
		return false;
	if (unlikely(get_soft(vcpu, msr, &val, false)))
		return false;
	set_result(vcpu, val);
	vcpu->stat[HVM_STAT_MSR_READ]++;
	trace_hvm_msr(vcpu, false, msr, val, false);
	return true;
}

/**
 * hvm_fast_wrmsr - WRMSR without leaving the inner loop
 * @vcpu: interrupts off
 *
 * Return: true: done, RIP is the caller's to move; false: not here.
 */
bool hvm_fast_wrmsr(struct hvm_vcpu *vcpu)
{
	u32 msr = vcpu->gpr[HVM_RCX];
	u64 val = operand(vcpu);
	int r;

	if (is_x2apic(msr)) {
		r = hvm_lapic_set_msr(vcpu, msr, val, false);
	} else {
		if (unlikely(rcu_access_pointer(vcpu->vm->msr_filter)))
			return false;
		if (msr == MSR_IA32_TSC_DEADLINE)
			r = hvm_lapic_set_msr(vcpu, msr, val, false);
		else if (msr == MSR_IA32_SPEC_CTRL)
			r = set_spec_ctrl(vcpu, val, false);
		else if (msr == MSR_IA32_PRED_CMD)
			r = set_pred_cmd(vcpu, val, false);
		else if (msr == MSR_IA32_CR_PAT)
			r = set_pat(vcpu, val);
		else
			return false;
	}
	if (unlikely(r))
		return false;
	vcpu->stat[HVM_STAT_MSR_WRITE]++;
	trace_hvm_msr(vcpu, true, msr, val, false);
	return true;
}

static int complete_rdmsr(struct hvm_vcpu *vcpu)
{
	if (READ_ONCE(vcpu->run->msr.error)) {
		hvm_inject_gp(vcpu);
		return 1;
	}
	set_result(vcpu, READ_ONCE(vcpu->run->msr.data));
	hvm_skip_insn(vcpu);
	return 1;
}

static int complete_wrmsr(struct hvm_vcpu *vcpu)
{
	if (READ_ONCE(vcpu->run->msr.error))
		hvm_inject_gp(vcpu);
	else
		hvm_skip_insn(vcpu);
	return 1;
}

/* Refused with -EPERM (the filter), -ENOENT or -EINVAL: userspace decides if it wants to, else #GP. */
static int refused(struct hvm_vcpu *vcpu, int why, bool write, u32 msr, u64 val)
{
	u32 reason = why == -EPERM ? HVM_MSR_EXIT_REASON_FILTER :
		     why == -ENOENT ? HVM_MSR_EXIT_REASON_UNKNOWN : HVM_MSR_EXIT_REASON_INVAL;
	struct hvm_run *run = vcpu->run;

	if (!(READ_ONCE(vcpu->vm->user_msr_exits) & reason)) {
		hvm_inject_gp(vcpu);
		return 1;
	}
	run->exit_reason = write ? HVM_EXIT_X86_WRMSR : HVM_EXIT_X86_RDMSR;
	run->msr.error = 0;
	memset(run->msr.pad, 0, sizeof(run->msr.pad));
	run->msr.reason = reason;
	run->msr.index = msr;
	run->msr.data = val;
	vcpu->complete = write ? complete_wrmsr : complete_rdmsr;
	return 0;
}

int hvm_handle_rdmsr(struct hvm_vcpu *vcpu)
{
	u32 msr = vcpu->gpr[HVM_RCX];
	u64 val = 0;
	int r = -EPERM;

	vcpu->stat[HVM_STAT_MSR_READ]++;
	if (hvm_msr_allowed(vcpu->vm, msr, false))
		r = hvm_get_msr(vcpu, msr, &val, false);
	trace_hvm_msr(vcpu, false, msr, val, r);
	if (r)
		return refused(vcpu, r, false, msr, 0);
	set_result(vcpu, val);
	hvm_skip_insn(vcpu);
	return 1;
}

int hvm_handle_wrmsr(struct hvm_vcpu *vcpu)
{
	u32 msr = vcpu->gpr[HVM_RCX];
	u64 val = operand(vcpu);
	int r = -EPERM;

	vcpu->stat[HVM_STAT_MSR_WRITE]++;
	if (hvm_msr_allowed(vcpu->vm, msr, true))
		r = hvm_set_msr(vcpu, msr, val, false);
	trace_hvm_msr(vcpu, true, msr, val, r);
	if (r)
		return refused(vcpu, r, true, msr, val);
	hvm_skip_insn(vcpu);
	return 1;
}

/* ---- lists, HVM_GET_MSRS, HVM_SET_MSRS ---- */

/* Runs of numbers whose registers make up a vCPU: all can be read, and take back what they gave. */
static const struct { u32 first, n; } listed[] = {
	{ MSR_IA32_TSC, 1 }, { MSR_KVM_WALL_CLOCK, 2 }, { MSR_SMI_COUNT, 1 },
	{ MSR_IA32_TSC_ADJUST, 1 }, { MSR_IA32_SPEC_CTRL, 1 }, { MSR_IA32_UCODE_REV, 1 },
	{ MSR_PLATFORM_INFO, 1 }, { MSR_IA32_ARCH_CAPABILITIES, 1 }, { MSR_IA32_POWER_CTL, 1 },
	{ MSR_MISC_FEATURES_ENABLES, 1 }, { MSR_IA32_SYSENTER_CS, 3 },
	{ MSR_IA32_MCG_STATUS, 2 }, { MSR_IA32_MISC_ENABLE, 1 },
	{ MSR_MTRR_VAR, NR_MTRR_VAR }, { MSR_MTRRfix64K_00000, 1 },
	{ MSR_MTRRfix16K_80000, 2 }, { MSR_MTRRfix4K_C0000, 8 }, { MSR_IA32_CR_PAT, 1 },
	{ MSR_MTRRdefType, 1 }, { MSR_IA32_TSC_DEADLINE, 1 }, { MSR_KVM_WALL_CLOCK_NEW, 2 },
	{ MSR_KVM_STEAL_TIME, 1 }, { MSR_KVM_PV_EOI_EN, 1 }, { MSR_KVM_POLL_CONTROL, 1 },
	{ MSR_STAR, 4 }, { MSR_KERNEL_GS_BASE, 1 }, { MSR_TSC_AUX, 1 },
	{ MSR_K7_HWCR, 1 }, { MSR_DE_CFG, 1 },
};

static bool is_listed(u32 msr)
{
	switch (msr) {
	case MSR_IA32_SPEC_CTRL:
		return host_spec_ctrl();
	case MSR_TSC_AUX:
		return host_has_tsc_aux();
	case MSR_KVM_STEAL_TIME:
		return hvm_pv_features() & BIT(KVM_FEATURE_STEAL_TIME);
	}
	return true;
}

/* With @out NULL only counts. */
static u32 list_msrs(u32 *out)
{
	u32 i, j, n = 0;

	for (i = 0; i < ARRAY_SIZE(listed); i++)
		for (j = listed[i].first; j < listed[i].first + listed[i].n; j++) {
			if (!is_listed(j))
				continue;
			if (out)
				out[n] = j;
			n++;
		}
	return n;
}

/**
 * hvm_msr_index_list - HVM_GET_MSR_INDEX_LIST, HVM_GET_MSR_FEATURE_INDEX_LIST
 * @uarg: user address of a struct hvm_msr_list
 * @features: the second of the two
 *
 * Return: 0, -E2BIG (nmsrs tells how many there are), -EFAULT, -ENOMEM.
 */
long hvm_msr_index_list(unsigned long uarg, bool features)
{
	struct hvm_msr_list __user *u = (void __user *)uarg;
	u32 n = features ? ARRAY_SIZE(feature_msrs) : list_msrs(NULL), room;
	u32 *indices;
	long r = 0;

	if (get_user(room, &u->nmsrs) || put_user(n, &u->nmsrs))
		return -EFAULT;
	if (room < n)
		return -E2BIG;
	indices = kmalloc_array(n, sizeof(*indices), GFP_KERNEL);
	if (!indices)
		return -ENOMEM;
	if (features)
		memcpy(indices, feature_msrs, sizeof(feature_msrs));
	else
		list_msrs(indices);
	if (copy_to_user(u->indices, indices, n * sizeof(*indices)))
		r = -EFAULT;
	kfree(indices);
	return r;
}

static int msr_io_one(struct hvm_vcpu *vcpu, struct hvm_msr_entry *e, bool set)
{
	if (!vcpu)
		return get_feature(e->index, &e->data);
	return set ? hvm_set_msr(vcpu, e->index, e->data, true) :
		     hvm_get_msr(vcpu, e->index, &e->data, true);
}

/**
 * hvm_msr_io - HVM_GET_MSRS and HVM_SET_MSRS
 * @vcpu: loaded; NULL on /dev/hvm, which knows feature MSRs
 * @uarg: user address of a struct hvm_msrs
 * @set: the second of the two
 *
 * Return: how many entries were handled; the next one failed. -E2BIG, -EFAULT,
 * -ENOMEM.
 */
long hvm_msr_io(struct hvm_vcpu *vcpu, unsigned long uarg, bool set)
{
	struct hvm_msrs __user *u = (void __user *)uarg;
	struct hvm_msr_entry *e;
	u32 n;
	long i;

	if (get_user(n, &u->nmsrs))
		return -EFAULT;
	if (n >= MAX_IO_MSRS)
		return -E2BIG;
	e = memdup_user(u->entries, n * sizeof(*e));
	if (IS_ERR(e))
		return PTR_ERR(e);
	for (i = 0; i < n; i++)
		if (msr_io_one(vcpu, &e[i], set))
			break;
	if (!set && copy_to_user(u->entries, e, n * sizeof(*e)))
		i = -EFAULT;
	kfree(e);
	return i;
}
