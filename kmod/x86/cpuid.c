// SPDX-License-Identifier: GPL-2.0-only
/*
 * cpuid.c - what a guest is told of its processor
 *
 * Three things live here. hvm_caps[] is what this host and hvm can offer, as
 * feature words numbered as the kernel numbers X86_FEATURE_*; it is computed
 * at load and constant afterwards. GET_SUPPORTED_CPUID writes it down as CPUID
 * leaves. Each vCPU has a table of the leaves userspace set, sorted and
 * indexed so that the CPUID exit, which never leaves the inner loop, finds its
 * entry in a few instructions; a few bits in it follow CR4, XCR0 and the local
 * APIC's state (hvm_cpuid_update()).
 *
 * Locks: vcpu->cpuid is replaced under vcpu->mutex by the vCPU's own thread,
 * which is the only one to read it.
 */
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/uaccess.h>
#include <uapi/asm/kvm_para.h>	/* not <asm/>: its types clash on 7.x */
#include "hvm.h"
#include "trace.h"

#define F(name)		(1U << (X86_FEATURE_##name & 31))
#define MAX_BASIC	0x1f
#define MAX_EXT		0x80000021
#define PV_SIGNATURE	0x40000000
#define PV_FEATURES	0x40000001

enum { EAX, EBX, ECX, EDX };

struct hvm_cpuid_table {
	int n;
	bool amd;			/* no "highest leaf" answer beyond the last basic leaf */
	u16 basic[0x20], ext[0x40];	/* first entry + 1 of leaf 0…, 0x80000000… */
	u32 words[NCAPINTS];		/* by the kernel's feature words */
	struct hvm_cpuid_entry2 e[];	/* sorted by function, then as userspace gave them */
};

/* Feature words and where CPUID shows them; mask: what hvm lets a guest have. */
static const struct word {
	u8 word, reg;
	u32 function, index, mask;
} words[] = {
	{ 0, EDX, 1, 0, F(FPU) | F(VME) | F(DE) | F(PSE) | F(TSC) | F(MSR) | F(PAE) | F(MCE) |
	  F(CX8) | F(APIC) | F(SEP) | F(MTRR) | F(PGE) | F(MCA) | F(CMOV) | F(PAT) | F(PSE36) |
	  F(CLFLUSH) | F(MMX) | F(FXSR) | F(XMM) | F(XMM2) },
	{ 4, ECX, 1, 0, F(XMM3) | F(PCLMULQDQ) | F(SSSE3) | F(FMA) | F(CX16) | F(PCID) |
	  F(XMM4_1) | F(XMM4_2) | F(X2APIC) | F(MOVBE) | F(POPCNT) | F(AES) |
	  F(XSAVE) | F(AVX) | F(F16C) | F(RDRAND) | F(HYPERVISOR) },
	{ 9, EBX, 7, 0, F(FSGSBASE) | F(TSC_ADJUST) | F(BMI1) | F(HLE) | F(AVX2) | F(SMEP) |
	  F(BMI2) | F(ERMS) | F(INVPCID) | F(RTM) | F(RDSEED) | F(ADX) | F(SMAP) |
	  F(CLFLUSHOPT) | F(CLWB) | F(SHA_NI) | F(AVX512F) | F(AVX512DQ) | F(AVX512IFMA) |
	  F(AVX512PF) | F(AVX512ER) | F(AVX512CD) | F(AVX512BW) | F(AVX512VL) },
	{ 16, ECX, 7, 0, F(AVX512VBMI) | F(UMIP) | F(RDPID) | F(AVX512_VBMI2) | F(GFNI) |
	  F(VAES) | F(VPCLMULQDQ) | F(AVX512_VNNI) | F(AVX512_BITALG) | F(AVX512_VPOPCNTDQ) |
	  F(LA57) | F(CLDEMOTE) | F(MOVDIRI) | F(MOVDIR64B) },
	{ 18, EDX, 7, 0, F(AVX512_4VNNIW) | F(AVX512_4FMAPS) | F(FSRM) | F(SERIALIZE) |
	  F(SPEC_CTRL) | F(INTEL_STIBP) | F(SPEC_CTRL_SSBD) | F(ARCH_CAPABILITIES) |
	  F(MD_CLEAR) | F(AVX512_VP2INTERSECT) },
	{ 12, EAX, 7, 1, F(AVX_VNNI) | F(AVX512_BF16) },
	{ 10, EAX, 0xd, 1, F(XSAVEOPT) | F(XSAVEC) | F(XGETBV1) },
	{ 1, EDX, 0x80000001, 0, 0x0183f3ff /* those of leaf 1 that AMD repeats */ |
	  F(SYSCALL) | F(NX) | F(MMXEXT) | F(FXSR_OPT) | F(GBPAGES) | F(RDTSCP) | F(LM) |
	  F(3DNOWEXT) | F(3DNOW) },
	{ 6, ECX, 0x80000001, 0, F(LAHF_LM) | F(CMP_LEGACY) | F(CR8_LEGACY) | F(ABM) |
	  F(SSE4A) | F(MISALIGNSSE) | F(3DNOWPREFETCH) | F(XOP) | F(FMA4) | F(TBM) |
	  F(TOPOEXT) },
	{ 13, EBX, 0x80000008, 0, F(CLZERO) | F(XSAVEERPTR) | F(WBNOINVD) | F(AMD_IBPB) |
	  F(AMD_IBRS) | F(AMD_SSBD) | F(AMD_STIBP) },
};

/*
 * Bits hvm provides whatever the processor has. TSC_DEADLINE_TIMER is the local APIC's
 * of this kernel, and so HVM_CAP_TSC_DEADLINE_TIMER announces it: a client that emulates
 * local APICs passes on what stands here.
 */
static const int emulated[] = {
	X86_FEATURE_X2APIC, X86_FEATURE_HYPERVISOR, X86_FEATURE_TSC_ADJUST, X86_FEATURE_ARCH_CAPABILITIES,
};

static u32 hvm_caps[NCAPINTS] __read_mostly;
static u32 xstate_size[64], xstate_offset[64];	/* standard-format areas, from leaf 0xD */

static bool cap(int feature)
{
	return hvm_caps[feature / 32] & BIT(feature % 32);
}

void hvm_cpuid_hide(int feature)
{
	hvm_caps[feature / 32] &= ~BIT(feature % 32);
}

static u32 *reg_of(struct hvm_cpuid_entry2 *e, int reg)
{
	switch (reg) {
	case EAX:
		return &e->eax;
	case EBX:
		return &e->ebx;
	case ECX:
		return &e->ecx;
	}
	return &e->edx;
}

static void host_cpuid(struct hvm_cpuid_entry2 *e, u32 function, u32 index)
{
	e->function = function;
	e->index = index;
	cpuid_count(function, index, &e->eax, &e->ebx, &e->ecx, &e->edx);
}

void hvm_cpuid_init(void)
{
	u32 max_basic = cpuid_eax(0), max_ext = cpuid_eax(0x80000000);
	struct hvm_cpuid_entry2 e;
	int i;

	for (i = 0; i < ARRAY_SIZE(words); i++) {
		const struct word *w = &words[i];

		if (w->function > (w->function & BIT(31) ? max_ext : max_basic))
			continue;
		host_cpuid(&e, w->function, w->index);
		/* What the host's kernel turned off (a mitigation, a boot option) stays off. */
		hvm_caps[w->word] = *reg_of(&e, w->reg) & w->mask;
		if (w->word != 1)
			hvm_caps[w->word] &= boot_cpu_data.x86_capability[w->word];
	}
	for (i = 0; i < ARRAY_SIZE(emulated); i++)
		hvm_caps[emulated[i] / 32] |= BIT(emulated[i] % 32);

	if (!(hvm_xfeatures & XFEATURE_MASK_YMM)) {
		hvm_cpuid_hide(X86_FEATURE_AVX);
		hvm_cpuid_hide(X86_FEATURE_AVX2);
		hvm_cpuid_hide(X86_FEATURE_FMA);
		hvm_cpuid_hide(X86_FEATURE_F16C);
		hvm_cpuid_hide(X86_FEATURE_VAES);
		hvm_cpuid_hide(X86_FEATURE_VPCLMULQDQ);
		hvm_cpuid_hide(X86_FEATURE_AVX_VNNI);
	}
	if (!(hvm_xfeatures & XFEATURE_MASK_ZMM_Hi256)) {
		hvm_caps[9] &= ~(F(AVX512F) | F(AVX512DQ) | F(AVX512IFMA) | F(AVX512PF) |
				 F(AVX512ER) | F(AVX512CD) | F(AVX512BW) | F(AVX512VL));
		hvm_caps[16] &= ~(F(AVX512VBMI) | F(AVX512_VBMI2) | F(AVX512_VNNI) |
				  F(AVX512_BITALG) | F(AVX512_VPOPCNTDQ));
		hvm_caps[18] &= ~(F(AVX512_4VNNIW) | F(AVX512_4FMAPS) | F(AVX512_VP2INTERSECT));
		hvm_cpuid_hide(X86_FEATURE_AVX512_BF16);
	}
	if (!hvm_xfeatures) {
		hvm_cpuid_hide(X86_FEATURE_XSAVE);
		hvm_caps[10] = 0;
	} else {
		for (i = 2; i < 63; i++) {
			host_cpuid(&e, 0xd, i);
			xstate_size[i] = e.eax;
			xstate_offset[i] = e.ebx;
		}
	}
}

/* Bytes of an XSAVE area with these features (SDM 1 13.4). */
static u32 area_size(u64 features, bool compacted)
{
	u32 size = 512 + 64;
	int i;

	for (i = 2; i < 63; i++) {
		if (!(features & BIT_ULL(i)))
			continue;
		if (compacted)
			size += xstate_size[i];
		else
			size = max(size, xstate_offset[i] + xstate_size[i]);
	}
	return size;
}

/* ---- GET_SUPPORTED_CPUID, GET_EMULATED_CPUID ---- */

struct list {
	struct hvm_cpuid_entry2 *e;
	int n, max;
};

static struct hvm_cpuid_entry2 *add(struct list *l, u32 function, u32 index, bool indexed)
{
	struct hvm_cpuid_entry2 *e;
	int i;

	if (l->n >= l->max)
		return NULL;
	e = &l->e[l->n++];
	host_cpuid(e, function, index);
	e->flags = indexed ? HVM_CPUID_FLAG_SIGNIFCANT_INDEX : 0;
	for (i = 0; i < ARRAY_SIZE(words); i++)
		if (words[i].function == function && words[i].index == index)
			*reg_of(e, words[i].reg) = hvm_caps[words[i].word];
	return e;
}

static void clear_regs(struct hvm_cpuid_entry2 *e)
{
	e->eax = e->ebx = e->ecx = e->edx = 0;
}

/* Cache descriptions: leaf 4, or AMD's 0x8000001d; sub-leaves until type 0. */
static int add_caches(struct list *l, u32 function)
{
	struct hvm_cpuid_entry2 *e;
	int i;

	for (i = 0; i < 16; i++) {
		e = add(l, function, i, true);
		if (!e)
			return -E2BIG;
		if (!(e->eax & 0x1f))
			break;
	}
	return 0;
}

static int add_xstate(struct list *l)
{
	struct hvm_cpuid_entry2 *e = add(l, 0xd, 0, true);
	int i;

	if (!e)
		return -E2BIG;
	e->eax = hvm_xfeatures;
	e->edx = hvm_xfeatures >> 32;
	e->ebx = e->ecx = area_size(hvm_xfeatures, false);
	if (!hvm_xfeatures)
		return 0;
	e = add(l, 0xd, 1, true);
	if (!e)
		return -E2BIG;
	e->ebx = e->eax & F(XSAVEC) ? area_size(hvm_xfeatures, true) : 0;
	e->ecx = e->edx = 0;		/* no supervisor states */
	for (i = 2; i < 63; i++) {
		if (!(hvm_xfeatures & BIT_ULL(i)))
			continue;
		e = add(l, 0xd, i, true);
		if (!e)
			return -E2BIG;
		e->ecx &= 2;		/* alignment in the compacted format */
		e->edx = 0;
	}
	return 0;
}

static int add_leaf7(struct list *l)
{
	struct hvm_cpuid_entry2 *e = add(l, 7, 0, true);
	bool more;

	if (!e)
		return -E2BIG;
	more = e->eax >= 1;
	e->eax = more;
	if (!more)
		return 0;
	e = add(l, 7, 1, true);
	if (!e)
		return -E2BIG;
	e->ebx = e->ecx = e->edx = 0;
	return 0;
}

static int add_basic(struct list *l, u32 function)
{
	struct hvm_cpuid_entry2 *e;

	switch (function) {
	case 4:
		return add_caches(l, 4);
	case 7:
		return add_leaf7(l);
	case 0xd:
		return add_xstate(l);
	}
	e = add(l, function, 0, function == 0xb || function == 0x1f);
	if (!e)
		return -E2BIG;
	switch (function) {
	case 0:
		e->eax = min_t(u32, max_t(u32, e->eax, 0xd), MAX_BASIC);
		break;
	case 1:
		/* The APIC id and the processor count are each vCPU's own. */
		e->ebx &= 0x0000ff00;
		break;
	case 2:
		break;
	case 6:
		clear_regs(e);
		e->eax = BIT(2);	/* the APIC timer runs in every sleep state */
		break;
	default:
		clear_regs(e);		/* no PMU, no topology, no SGX, PT, RDT … */
	}
	return 0;
}

static int add_pv(struct list *l)
{
	struct hvm_cpuid_entry2 *e = add(l, PV_SIGNATURE, 0, false);

	if (!e)
		return -E2BIG;
	e->eax = PV_FEATURES;
	memcpy(&e->ebx, "KVMK", 4);
	memcpy(&e->ecx, "VMKV", 4);
	memcpy(&e->edx, "M\0\0\0", 4);
	e = add(l, PV_FEATURES, 0, false);
	if (!e)
		return -E2BIG;
	clear_regs(e);
	e->eax = hvm_pv_features();
	return 0;
}

static int add_ext(struct list *l, u32 function)
{
	struct hvm_cpuid_entry2 *e;

	if (function == 0x8000001d)
		return cap(X86_FEATURE_TOPOEXT) ? add_caches(l, function) : 0;
	e = add(l, function, 0, false);
	if (!e)
		return -E2BIG;
	switch (function) {
	case 0x80000000:
		e->eax = clamp_t(u32, e->eax, 0x80000008, MAX_EXT);
		break;
	case 0x80000001:
		e->ebx = 0;
		break;
	case 0x80000002: case 0x80000003: case 0x80000004:	/* brand string */
	case 0x80000005: case 0x80000006:			/* caches */
	case 0x80000019: case 0x8000001a:
		break;
	case 0x80000007:
		e->eax = e->ebx = e->ecx = 0;
		e->edx &= BIT(8);	/* invariant TSC */
		break;
	case 0x80000008:
		/* Stage 2 has four levels: 48 bits of guest-physical address. */
		e->eax = (e->eax & 0xff00) | min_t(u32, e->eax & 0xff, 48);
		e->ecx = e->edx = 0;
		break;
	case 0x80000021:
		e->eax &= BIT(0) | BIT(2) | BIT(6);	/* no nested data bp, LFENCE, null selector */
		e->ebx = e->ecx = e->edx = 0;
		break;
	default:
		clear_regs(e);		/* SVM, SEV, IBS and the like; node ids are userspace's */
	}
	return 0;
}

static int fill_supported(struct list *l)
{
	u32 f, max;
	int r = 0;

	max = min_t(u32, max_t(u32, cpuid_eax(0), 0xd), MAX_BASIC);
	for (f = 0; !r && f <= max; f++)
		r = add_basic(l, f);
	if (!r)
		r = add_pv(l);
	max = clamp_t(u32, cpuid_eax(0x80000000), 0x80000008, MAX_EXT);
	for (f = 0x80000000; !r && f <= max; f++)
		r = add_ext(l, f);
	return r;
}

/* hvm emulates no instruction the processor lacks: the leaves are there and empty. */
static int fill_emulated(struct list *l)
{
	static const u32 leaf[] = { 0, 1, 7 };
	struct hvm_cpuid_entry2 *e;
	int i;

	for (i = 0; i < ARRAY_SIZE(leaf); i++) {
		e = add(l, leaf[i], 0, leaf[i] == 7);
		if (!e)
			return -E2BIG;
		clear_regs(e);
		e->eax = leaf[i] ? 0 : 7;
	}
	return 0;
}

/**
 * hvm_cpuid_supported - HVM_GET_SUPPORTED_CPUID and HVM_GET_EMULATED_CPUID
 * @uarg: user address of a struct hvm_cpuid2; nent says how many entries fit
 * @emulated: which of the two
 *
 * Return: 0, -E2BIG (more entries needed), -EFAULT, -ENOMEM.
 */
long hvm_cpuid_supported(unsigned long uarg, bool emulated)
{
	struct hvm_cpuid2 __user *u = (void __user *)uarg;
	struct list l = {};
	u32 nent;
	long r;

	if (get_user(nent, &u->nent))
		return -EFAULT;
	l.max = min_t(u32, nent, HVM_MAX_CPUID);
	l.e = kvcalloc(l.max ?: 1, sizeof(*l.e), GFP_KERNEL);
	if (!l.e)
		return -ENOMEM;
	r = emulated ? fill_emulated(&l) : fill_supported(&l);
	if (!r && (copy_to_user(u->entries, l.e, l.n * sizeof(*l.e)) ||
		   put_user((u32)l.n, &u->nent)))
		r = -EFAULT;
	kvfree(l.e);
	return r;
}

/* ---- a vCPU's table ---- */

static int cmp_entry(const void *a, const void *b)
{
	const struct hvm_cpuid_entry2 *x = a, *y = b;

	if (x->function != y->function)
		return x->function < y->function ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

static struct hvm_cpuid_entry2 *find(struct hvm_cpuid_table *t, u32 function, u32 index)
{
	struct hvm_cpuid_entry2 *e = t->e, *end = t->e + t->n;
	u32 i = function & 0x7fffffff;

	if (function < ARRAY_SIZE(t->basic))
		i = t->basic[function];
	else if (function & BIT(31) && i < ARRAY_SIZE(t->ext))
		i = t->ext[i];
	else
		i = 1;		/* rare: hypervisor leaves and nonsense, searched */
	if (!i)
		return NULL;
	for (e += i - 1; e < end && e->function <= function; e++)
		if (e->function == function && (e->index == index ||
		    !(e->flags & HVM_CPUID_FLAG_SIGNIFCANT_INDEX)))
			return e;
	return NULL;
}

static void index_table(struct hvm_cpuid_table *t)
{
	struct hvm_cpuid_entry2 *e;
	int i;

	for (i = t->n - 1; i >= 0; i--) {
		u32 f = t->e[i].function;

		if (f < ARRAY_SIZE(t->basic))
			t->basic[f] = i + 1;
		else if (f & BIT(31) && (f & 0x7fffffff) < ARRAY_SIZE(t->ext))
			t->ext[f & 0x7fffffff] = i + 1;
	}
	for (i = 0; i < ARRAY_SIZE(words); i++) {
		e = find(t, words[i].function, words[i].index);
		if (e)
			t->words[words[i].word] = *reg_of(e, words[i].reg);
	}
	e = find(t, 0, 0);
	t->amd = e && (e->ecx == 0x444d4163 /* AuthenticAMD */ ||
		       e->ecx == 0x656e6975 /* HygonGenuine */);
}

bool hvm_guest_has(struct hvm_vcpu *vcpu, int feature)
{
	return vcpu->cpuid && vcpu->cpuid->words[feature / 32] & BIT(feature % 32);
}

u32 hvm_cpuid_pv_features(struct hvm_vcpu *vcpu)
{
	const struct hvm_cpuid_entry2 *e = vcpu->cpuid ? find(vcpu->cpuid, PV_FEATURES, 0) : NULL;

	return e ? e->eax : 0;
}

/* What the table allows in CR4, EFER, XCR0 and addresses; without one, what the host has. */
static void set_limits(struct hvm_vcpu *vcpu)
{
	static const struct { u64 bit; int feature; } cr4[] = {
		{ X86_CR4_OSXSAVE, X86_FEATURE_XSAVE }, { X86_CR4_SMEP, X86_FEATURE_SMEP },
		{ X86_CR4_SMAP, X86_FEATURE_SMAP }, { X86_CR4_FSGSBASE, X86_FEATURE_FSGSBASE },
		{ X86_CR4_PCIDE, X86_FEATURE_PCID }, { X86_CR4_LA57, X86_FEATURE_LA57 },
		{ X86_CR4_UMIP, X86_FEATURE_UMIP },
	};
	u64 allowed = X86_CR4_VME | X86_CR4_PVI | X86_CR4_TSD | X86_CR4_DE | X86_CR4_PSE |
		      X86_CR4_PAE | X86_CR4_MCE | X86_CR4_PGE | X86_CR4_PCE |
		      X86_CR4_OSFXSR | X86_CR4_OSXMMEXCPT;
	struct hvm_cpuid_table *t = vcpu->cpuid;
	struct hvm_cpuid_entry2 *e;
	int i;

	for (i = 0; i < ARRAY_SIZE(cr4); i++)
		if (cap(cr4[i].feature) && (!t || hvm_guest_has(vcpu, cr4[i].feature)))
			allowed |= cr4[i].bit;
	vcpu->cr4_reserved = ~allowed;

	vcpu->efer_allowed = EFER_SCE;
	if (!t || hvm_guest_has(vcpu, X86_FEATURE_LM))
		vcpu->efer_allowed |= EFER_LME | EFER_LMA;
	if (cap(X86_FEATURE_NX) && (!t || hvm_guest_has(vcpu, X86_FEATURE_NX)))
		vcpu->efer_allowed |= EFER_NX;
	if (cap(X86_FEATURE_FXSR_OPT) && (!t || hvm_guest_has(vcpu, X86_FEATURE_FXSR_OPT)))
		vcpu->efer_allowed |= EFER_FFXSR;

	vcpu->xcr0_allowed = hvm_xfeatures;
	if (t) {
		e = find(t, 0xd, 0);
		vcpu->xcr0_allowed &= e ? e->eax | (u64)e->edx << 32 : 0;
	}
	vcpu->maxphyaddr = 36;
	e = t ? find(t, 0x80000000, 0) : NULL;
	if (e && e->eax >= 0x80000008) {
		e = find(t, 0x80000008, 0);
		if (e)
			vcpu->maxphyaddr = clamp_t(u32, e->eax & 0xff, 32, 52);
	}
}

static void set_bit_if(u32 *reg, int feature, bool on)
{
	*reg = on ? *reg | BIT(feature % 32) : *reg & ~BIT(feature % 32);
}

/* Bits that follow the vCPU's state. */
void hvm_cpuid_update(struct hvm_vcpu *vcpu)
{
	struct hvm_cpuid_table *t = vcpu->cpuid;
	struct hvm_cpuid_entry2 *e;

	if (!t) {
		set_limits(vcpu);
		return;
	}
	e = find(t, 1, 0);
	if (e) {
		if (cap(X86_FEATURE_XSAVE))
			set_bit_if(&e->ecx, X86_FEATURE_OSXSAVE,
				   hvm_call(get_cr, vcpu, 4) & X86_CR4_OSXSAVE);
		set_bit_if(&e->edx, X86_FEATURE_APIC,
			   vcpu->apic_base & MSR_IA32_APICBASE_ENABLE);
		if (vcpu->vm->disabled_quirks & HVM_X86_QUIRK_MISC_ENABLE_NO_MWAIT) {
			set_bit_if(&e->ecx, X86_FEATURE_MWAIT, hvm_mwait_enabled(vcpu));
			t->words[X86_FEATURE_MWAIT / 32] = e->ecx;
		}
	}
	e = find(t, 0xd, 0);
	if (e)
		e->ebx = area_size(vcpu->xcr0, false);
	e = find(t, 0xd, 1);
	if (e && e->index == 1 && e->eax & (F(XSAVEC) | F(XSAVES)))
		e->ebx = area_size(vcpu->xcr0, true);
	e = find(t, PV_FEATURES, 0);
	if (e && vcpu->vm->disabled_exits & HVM_X86_DISABLE_EXITS_HLT)
		e->eax &= ~BIT(KVM_FEATURE_PV_UNHALT);
}

/*
 * After a first RUN the guest has seen its CPUID: the same may be set again,
 * nothing else (KVM does likewise since 5.18).
 */
static bool same_table(struct hvm_vcpu *vcpu, struct hvm_cpuid_table *new)
{
	struct hvm_cpuid_table *old = vcpu->cpuid;
	bool same;

	vcpu->cpuid = new;
	hvm_cpuid_update(vcpu);
	vcpu->cpuid = old;
	same = old && old->n == new->n && !memcmp(old->e, new->e, new->n * sizeof(*new->e));
	return same;
}

/* HVM_SET_CPUID: no subleaves, so no entry asks for one. */
static int copy_old_entries(struct hvm_cpuid_table *t, unsigned long uarg)
{
	const struct hvm_cpuid __user *u = (void __user *)uarg;
	struct hvm_cpuid_entry old;
	int i;

	for (i = 0; i < t->n; i++) {
		if (copy_from_user(&old, &u->entries[i], sizeof(old)))
			return -EFAULT;
		t->e[i] = (struct hvm_cpuid_entry2) {
			.function = old.function, .eax = old.eax, .ebx = old.ebx,
			.ecx = old.ecx, .edx = old.edx,
		};
	}
	return 0;
}

/**
 * hvm_set_cpuid - HVM_SET_CPUID2, HVM_SET_CPUID
 * @vcpu: loaded
 * @uarg: user address of a struct hvm_cpuid2, or a struct hvm_cpuid
 * @v2: the former
 *
 * Return: 0, -E2BIG (over HVM_MAX_CPUID entries), -EINVAL (impossible address
 * width; changed after the vCPU ran), -EFAULT, -ENOMEM.
 */
int hvm_set_cpuid(struct hvm_vcpu *vcpu, unsigned long uarg, bool v2)
{
	struct hvm_cpuid2 __user *u = (void __user *)uarg;
	struct hvm_cpuid_table *t;
	struct hvm_cpuid_entry2 *e;
	int i, r;
	u32 nent;

	if (get_user(nent, &u->nent))
		return -EFAULT;
	if (nent > HVM_MAX_CPUID)
		return -E2BIG;
	t = kvzalloc(struct_size(t, e, nent), GFP_KERNEL_ACCOUNT);
	if (!t)
		return -ENOMEM;
	t->n = nent;
	r = v2 ? (copy_from_user(t->e, u->entries, nent * sizeof(*t->e)) ? -EFAULT : 0) :
		 copy_old_entries(t, uarg);
	if (r)
		goto err;
	for (i = 0; i < nent; i++)
		memset(t->e[i].padding, 0, sizeof(t->e[i].padding));
	sort(t->e, nent, sizeof(*t->e), cmp_entry, NULL);
	index_table(t);

	r = -EINVAL;
	e = find(t, 0x80000008, 0);
	if (e && !memchr("\0\x30\x39", (e->eax >> 8) & 0xff, 3))
		goto err;
	if (vcpu->stat[HVM_STAT_EXITS]) {
		r = same_table(vcpu, t) ? 0 : -EINVAL;
		goto err;
	}
	kvfree(vcpu->cpuid);
	vcpu->cpuid = t;
	set_limits(vcpu);
	hvm_cpuid_update(vcpu);
	hvm_backend->update_traps(vcpu, HVM_TRAPS_CPUID | HVM_TRAPS_MSR);
	return 0;
err:
	kvfree(t);
	return r;
}

/**
 * hvm_get_cpuid - HVM_GET_CPUID2
 * @vcpu: loaded
 * @uarg: user address of a struct hvm_cpuid2
 *
 * Return: 0, -E2BIG (nent tells how many are needed), -EFAULT.
 */
int hvm_get_cpuid(struct hvm_vcpu *vcpu, unsigned long uarg)
{
	struct hvm_cpuid2 __user *u = (void __user *)uarg;
	struct hvm_cpuid_table *t = vcpu->cpuid;
	u32 nent, n = t ? t->n : 0;

	if (get_user(nent, &u->nent))
		return -EFAULT;
	if (put_user(n, &u->nent))
		return -EFAULT;
	if (nent < n)
		return -E2BIG;
	if (n && copy_to_user(u->entries, t->e, n * sizeof(*t->e)))
		return -EFAULT;
	return 0;
}

void hvm_cpuid_destroy(struct hvm_vcpu *vcpu)
{
	kvfree(vcpu->cpuid);
	vcpu->cpuid = NULL;
}

/* A leaf beyond the last one: Intel's processors answer with the last basic leaf. */
static struct hvm_cpuid_entry2 *out_of_range(struct hvm_cpuid_table *t, u32 function, u32 index)
{
	struct hvm_cpuid_entry2 *top;

	if (t->amd || (function >= 0x40000000 && function < 0x50000000))
		return NULL;
	top = find(t, function & 0x80000000, 0);
	if (top && function <= top->eax)
		return NULL;		/* in range, but not described */
	top = find(t, 0, 0);
	return top ? find(t, top->eax, index) : NULL;
}

/**
 * hvm_fast_cpuid - the CPUID instruction
 * @vcpu: any context of its own thread; RIP is left to the caller
 *
 * Return: true.
 */
bool hvm_fast_cpuid(struct hvm_vcpu *vcpu)
{
	u32 function = vcpu->gpr[HVM_RAX], index = vcpu->gpr[HVM_RCX];
	struct hvm_cpuid_table *t = vcpu->cpuid;
	struct hvm_cpuid_entry2 *e = NULL;

	vcpu->stat[HVM_STAT_CPUID]++;
	if (likely(t)) {
		e = find(t, function, index);
		if (unlikely(!e))
			e = out_of_range(t, function, index);
	}
	vcpu->gpr[HVM_RAX] = vcpu->gpr[HVM_RBX] = 0;
	vcpu->gpr[HVM_RCX] = vcpu->gpr[HVM_RDX] = 0;
	if (likely(e)) {
		vcpu->gpr[HVM_RAX] = e->eax;
		vcpu->gpr[HVM_RBX] = e->ebx;
		vcpu->gpr[HVM_RCX] = e->ecx;
		vcpu->gpr[HVM_RDX] = e->edx;
	} else if (t && (function == 0xb || function == 0x1f)) {
		/* Topology beyond the last level still tells the level and the x2APIC id. */
		e = find(t, function, 1);
		if (e) {
			vcpu->gpr[HVM_RCX] = index & 0xff;
			vcpu->gpr[HVM_RDX] = e->edx;
		}
	}
	trace_hvm_cpuid(vcpu, function, index);
	return true;
}
