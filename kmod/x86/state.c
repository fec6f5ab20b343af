// SPDX-License-Identifier: GPL-2.0-only
/*
 * state.c - registers in and out, and what writing a control register means
 *
 * The hvm_set_cr*() and hvm_set_efer() functions apply the architecture's
 * rules to a value a guest wrote; the backends only store what passed. All
 * of this runs in the vCPU's thread with the vCPU loaded (vcpu->mutex), so
 * there is nothing to lock.
 */
#include <linux/kernel.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <asm/processor-flags.h>
#include "hvm.h"

#define CR0_DEFINED	(X86_CR0_PE | X86_CR0_MP | X86_CR0_EM | X86_CR0_TS | X86_CR0_ET | \
			 X86_CR0_NE | X86_CR0_WP | X86_CR0_AM | X86_CR0_NW | X86_CR0_CD | \
			 X86_CR0_PG)
#define EFER_DEFINED	(u64)(EFER_SCE | EFER_LME | EFER_LMA | EFER_NX | EFER_FFXSR)
#define CR3_PCID	0xfffULL
#define CR3_NOFLUSH	BIT_ULL(63)

static u64 get_cr(struct hvm_vcpu *vcpu, int cr)
{
	return hvm_call(get_cr, vcpu, cr);
}

static void set_cr(struct hvm_vcpu *vcpu, int cr, u64 val)
{
	hvm_backend->set_cr(vcpu, cr, val);
}

/* ---- control registers, with the guest's eyes ---- */

static void set_lma(struct hvm_vcpu *vcpu, bool on)
{
	if (on)
		vcpu->efer |= EFER_LMA;
	else
		vcpu->efer &= ~(u64)EFER_LMA;
	set_cr(vcpu, HVM_CR_EFER, vcpu->efer);
}

/* SDM 3 2.5, 9.8.5: what may not be combined. Returns 1 where MOV to CR0 is a #GP. */
int hvm_set_cr0(struct hvm_vcpu *vcpu, u64 val)
{
	u64 old = get_cr(vcpu, 0);
	struct hvm_segment cs;

	if (val >> 32)
		return 1;
	val = (val & CR0_DEFINED) | X86_CR0_ET;
	if ((val & X86_CR0_NW && !(val & X86_CR0_CD)) ||
	    (val & X86_CR0_PG && !(val & X86_CR0_PE)))
		return 1;
	if (!(old & X86_CR0_PG) && val & X86_CR0_PG && vcpu->efer & EFER_LME) {
		hvm_backend->get_seg(vcpu, HVM_SEG_CS, &cs);
		if (!(get_cr(vcpu, 4) & X86_CR4_PAE) || cs.l)
			return 1;
		set_lma(vcpu, true);
	} else if (old & X86_CR0_PG && !(val & X86_CR0_PG)) {
		if (get_cr(vcpu, 4) & X86_CR4_PCIDE)
			return 1;
		if (vcpu->efer & EFER_LMA)
			set_lma(vcpu, false);
	}
	set_cr(vcpu, 0, val);
	hvm_forget_mode(vcpu);
	if ((old ^ val) & (X86_CR0_PG | X86_CR0_WP))
		vcpu->tlb_flush = true;
	return 0;
}

int hvm_set_cr3(struct hvm_vcpu *vcpu, u64 val)
{
	if (get_cr(vcpu, 4) & X86_CR4_PCIDE)
		val &= ~CR3_NOFLUSH;
	if (hvm_long_mode(vcpu) && val >> vcpu->maxphyaddr)
		return 1;
	set_cr(vcpu, 3, val);
	vcpu->tlb_flush = true;
	return 0;
}

int hvm_set_cr4(struct hvm_vcpu *vcpu, u64 val)
{
	u64 old = get_cr(vcpu, 4);

	if (val & vcpu->cr4_reserved)
		return 1;
	if (hvm_long_mode(vcpu) && (!(val & X86_CR4_PAE) || (old ^ val) & X86_CR4_LA57))
		return 1;
	if (val & ~old & X86_CR4_PCIDE &&
	    (!hvm_long_mode(vcpu) || get_cr(vcpu, 3) & CR3_PCID))
		return 1;
	set_cr(vcpu, 4, val);
	if (old != val) {
		vcpu->tlb_flush = true;
		hvm_cpuid_update(vcpu);
	}
	return 0;
}

u64 hvm_get_cr8(struct hvm_vcpu *vcpu)
{
	return vcpu->cr8;
}

int hvm_set_cr8(struct hvm_vcpu *vcpu, u64 val)
{
	if (val & ~0xfULL)
		return 1;
	if (vcpu->cr8 == val)
		return 0;
	vcpu->cr8 = val;
	if (vcpu->apic) {
		hvm_lapic_tpr_changed(vcpu);
		hvm_request_only(vcpu, HVM_REQ_EVENT);
	}
	return 0;
}

/* LMA is the processor's to set: a guest's write leaves it, the host's (SET_MSRS) too. */
int hvm_set_efer(struct hvm_vcpu *vcpu, u64 val, bool host)
{
	u64 old = vcpu->efer;

	if (val & ~vcpu->efer_allowed & ~(u64)EFER_LMA)
		return 1;
	if (!host && (old ^ val) & EFER_LME && get_cr(vcpu, 0) & X86_CR0_PG)
		return 1;
	vcpu->efer = (val & ~(u64)EFER_LMA) | (old & EFER_LMA);
	set_cr(vcpu, HVM_CR_EFER, vcpu->efer);
	if ((old ^ vcpu->efer) & EFER_NX)
		vcpu->tlb_flush = true;
	return 0;
}

static int write_cr(struct hvm_vcpu *vcpu, int nr, u64 val)
{
	switch (nr) {
	case 0:
		return hvm_set_cr0(vcpu, val);
	case 2:
		set_cr(vcpu, 2, val);
		return 0;
	case 3:
		return hvm_set_cr3(vcpu, val);
	case 4:
		return hvm_set_cr4(vcpu, val);
	case 8:
		return hvm_set_cr8(vcpu, val);
	}
	return -1;
}

static int read_cr(struct hvm_vcpu *vcpu, int nr, u64 *val)
{
	switch (nr) {
	case 0:
	case 2:
	case 3:
	case 4:
		*val = get_cr(vcpu, nr);
		return 0;
	case 8:
		*val = hvm_get_cr8(vcpu);
		return 0;
	}
	return -1;
}

/* LMSW sets the low four bits of CR0, but cannot clear PE. */
static u64 lmsw_value(struct hvm_vcpu *vcpu, u16 msw)
{
	u64 cr0 = get_cr(vcpu, 0);

	return (cr0 & ~0xeULL) | (msw & 0xf);
}

int hvm_handle_cr(struct hvm_vcpu *vcpu)
{
	struct hvm_exit_info *x = &vcpu->exit;
	bool long64;
	u64 val;
	int r;

	if (!x->insn_len) {
		r = hvm_decode_cr_dr(vcpu);
		if (r <= 0 || !x->insn_len)
			return r;
	}
	long64 = hvm_cpu_mode(vcpu) == HVM_CPU_LONG64;
	switch (x->cr.op) {
	case HVM_CROP_READ:
		r = read_cr(vcpu, x->cr.nr, &val);
		if (!r)
			vcpu->gpr[x->cr.gpr] = long64 ? val : (u32)val;
		break;
	case HVM_CROP_WRITE:
		val = vcpu->gpr[x->cr.gpr];
		r = write_cr(vcpu, x->cr.nr, long64 ? val : (u32)val);
		break;
	case HVM_CROP_CLTS:
		r = hvm_set_cr0(vcpu, get_cr(vcpu, 0) & ~(u64)X86_CR0_TS);
		break;
	default:
		r = hvm_set_cr0(vcpu, lmsw_value(vcpu, x->cr.lmsw));
	}
	if (r < 0)
		hvm_inject_ud(vcpu);
	else if (r)
		hvm_inject_gp(vcpu);
	else
		hvm_skip_insn(vcpu);
	/* Without an in-kernel APIC userspace keeps the interrupt controller: tell it. */
	if (!r && x->cr.nr == 8 && x->cr.op == HVM_CROP_WRITE && !vcpu->apic) {
		vcpu->run->exit_reason = HVM_EXIT_SET_TPR;
		return 0;
	}
	return 1;
}

int hvm_handle_xsetbv(struct hvm_vcpu *vcpu)
{
	u64 val = (u32)vcpu->gpr[HVM_RAX] | vcpu->gpr[HVM_RDX] << 32;

	if (hvm_vcpu_cpl(vcpu) || hvm_set_xcr(vcpu, vcpu->gpr[HVM_RCX], val))
		hvm_inject_gp(vcpu);
	else
		hvm_skip_insn(vcpu);
	return 1;
}

/* ---- reset ---- */

static void reset_segments(struct hvm_vcpu *vcpu)
{
	struct hvm_segment cs = { .base = 0xffff0000, .limit = 0xffff, .selector = 0xf000,
				  .type = 0xb, .present = 1, .s = 1 };
	struct hvm_segment data = { .limit = 0xffff, .type = 3, .present = 1, .s = 1 };
	struct hvm_segment tr = { .limit = 0xffff, .type = 0xb, .present = 1 };
	struct hvm_segment ldt = { .limit = 0xffff, .type = 2, .present = 1 };
	struct hvm_segment table = { .limit = 0xffff };
	int i;

	for (i = HVM_SEG_ES; i <= HVM_SEG_GS; i++)
		hvm_backend->set_seg(vcpu, i, i == HVM_SEG_CS ? &cs : &data);
	hvm_backend->set_seg(vcpu, HVM_SEG_TR, &tr);
	hvm_backend->set_seg(vcpu, HVM_SEG_LDTR, &ldt);
	hvm_backend->set_seg(vcpu, HVM_SEG_GDTR, &table);
	hvm_backend->set_seg(vcpu, HVM_SEG_IDTR, &table);
}

/**
 * hvm_vcpu_reset - put a vCPU into its state after power-on or INIT
 * @vcpu: loaded
 * @init: INIT: caching bits of CR0, the FPU and most MSRs stay (SDM 3 table 9-1)
 */
void hvm_vcpu_reset(struct hvm_vcpu *vcpu, bool init)
{
	u64 cr0 = X86_CR0_ET | X86_CR0_NW | X86_CR0_CD;

	if (init)
		cr0 = X86_CR0_ET | (get_cr(vcpu, 0) & (X86_CR0_NW | X86_CR0_CD));
	memset(vcpu->gpr, 0, sizeof(vcpu->gpr));
	vcpu->gpr[HVM_RDX] = 0x600;	/* family, as CPUID of the first models told it */
	vcpu->rip = 0xfff0;
	vcpu->rflags = X86_EFLAGS_FIXED;
	vcpu->inj = 0;
	memset(&vcpu->exception, 0, sizeof(vcpu->exception));
	atomic_set(&vcpu->nmi_pending, 0);
	vcpu->ext_irq = -1;
	memset(vcpu->dr, 0, sizeof(vcpu->dr));
	vcpu->dr6 = HVM_DR6_INIT;
	vcpu->dr7 = HVM_DR7_INIT;
	vcpu->efer = 0;
	vcpu->cr8 = 0;
	if (!init) {
		vcpu->maxphyaddr = vcpu->maxphyaddr ?: 36;
		vcpu->pat = 0x0007040600070406ULL;
		vcpu->spec_ctrl = 0;
		vcpu->mp_state = !vcpu->vm->irqchip_kernel || vcpu->id == vcpu->vm->bsp_id ?
				 HVM_MP_STATE_RUNNABLE : HVM_MP_STATE_UNINITIALIZED;
	}
	hvm_fpu_reset(vcpu, init);
	set_cr(vcpu, HVM_CR_EFER, 0);
	set_cr(vcpu, 0, cr0);
	set_cr(vcpu, 2, 0);
	set_cr(vcpu, 3, 0);
	set_cr(vcpu, 4, 0);
	reset_segments(vcpu);
	hvm_call(set_shadow, vcpu, 0);
	hvm_forget_mode(vcpu);
	if (vcpu->apic)
		hvm_lapic_reset(vcpu, init);
	else
		vcpu->apic_base = HVM_APIC_BASE | MSR_IA32_APICBASE_ENABLE |
				  (vcpu->id == vcpu->vm->bsp_id ? MSR_IA32_APICBASE_BSP : 0);
	if (init)
		hvm_backend->update_traps(vcpu, HVM_TRAPS_DEBUG);
	hvm_cpuid_update(vcpu);
	vcpu->tlb_flush = true;
	hvm_request_only(vcpu, HVM_REQ_EVENT);
}

/* ---- HVM_GET_REGS, HVM_SET_REGS ---- */

/* The trap flag that single-stepping set is not the guest's. */
static u64 visible_rflags(struct hvm_vcpu *vcpu)
{
	if (vcpu->guest_debug & HVM_GUESTDBG_SINGLESTEP)
		return vcpu->rflags & ~(u64)X86_EFLAGS_TF;
	return vcpu->rflags;
}

int hvm_get_regs(struct hvm_vcpu *vcpu, struct hvm_regs *r)
{
	const u64 *g = vcpu->gpr;

	r->rax = g[HVM_RAX];
	r->rbx = g[HVM_RBX];
	r->rcx = g[HVM_RCX];
	r->rdx = g[HVM_RDX];
	r->rsi = g[HVM_RSI];
	r->rdi = g[HVM_RDI];
	r->rsp = g[HVM_RSP];
	r->rbp = g[HVM_RBP];
	r->r8 = g[HVM_R8];
	r->r9 = g[HVM_R9];
	r->r10 = g[HVM_R10];
	r->r11 = g[HVM_R11];
	r->r12 = g[HVM_R12];
	r->r13 = g[HVM_R13];
	r->r14 = g[HVM_R14];
	r->r15 = g[HVM_R15];
	r->rip = vcpu->rip;
	r->rflags = visible_rflags(vcpu);
	return 0;
}

int hvm_set_regs(struct hvm_vcpu *vcpu, const struct hvm_regs *r)
{
	u64 *g = vcpu->gpr;

	g[HVM_RAX] = r->rax;
	g[HVM_RBX] = r->rbx;
	g[HVM_RCX] = r->rcx;
	g[HVM_RDX] = r->rdx;
	g[HVM_RSI] = r->rsi;
	g[HVM_RDI] = r->rdi;
	g[HVM_RSP] = r->rsp;
	g[HVM_RBP] = r->rbp;
	g[HVM_R8] = r->r8;
	g[HVM_R9] = r->r9;
	g[HVM_R10] = r->r10;
	g[HVM_R11] = r->r11;
	g[HVM_R12] = r->r12;
	g[HVM_R13] = r->r13;
	g[HVM_R14] = r->r14;
	g[HVM_R15] = r->r15;
	hvm_forget_mode(vcpu);
	vcpu->rip = r->rip;
	vcpu->rflags = r->rflags | X86_EFLAGS_FIXED;
	if (vcpu->guest_debug & HVM_GUESTDBG_SINGLESTEP)
		vcpu->rflags |= X86_EFLAGS_TF;
	vcpu->exception.pending = false;
	hvm_request_only(vcpu, HVM_REQ_EVENT);
	return 0;
}

/* ---- HVM_GET_SREGS and its successor ---- */

/* hvm_sregs and hvm_sregs2 begin alike, up to apic_base. */
#define SREGS_COMMON	offsetof(struct hvm_sregs, interrupt_bitmap)
static_assert(offsetof(struct hvm_sregs2, flags) == SREGS_COMMON);

static const struct { enum hvm_seg seg; size_t offset; } sreg_segments[] = {
	{ HVM_SEG_CS, offsetof(struct hvm_sregs, cs) },
	{ HVM_SEG_DS, offsetof(struct hvm_sregs, ds) },
	{ HVM_SEG_ES, offsetof(struct hvm_sregs, es) },
	{ HVM_SEG_FS, offsetof(struct hvm_sregs, fs) },
	{ HVM_SEG_GS, offsetof(struct hvm_sregs, gs) },
	{ HVM_SEG_SS, offsetof(struct hvm_sregs, ss) },
	{ HVM_SEG_TR, offsetof(struct hvm_sregs, tr) },
	{ HVM_SEG_LDTR, offsetof(struct hvm_sregs, ldt) },
};

static void get_table(struct hvm_vcpu *vcpu, enum hvm_seg seg, struct hvm_dtable *t)
{
	struct hvm_segment s = {};

	hvm_backend->get_seg(vcpu, seg, &s);
	t->base = s.base;
	t->limit = s.limit;
}

static void set_table(struct hvm_vcpu *vcpu, enum hvm_seg seg, const struct hvm_dtable *t)
{
	struct hvm_segment s = { .base = t->base, .limit = t->limit };

	hvm_backend->set_seg(vcpu, seg, &s);
}

static void get_sregs_common(struct hvm_vcpu *vcpu, struct hvm_sregs *s)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(sreg_segments); i++)
		hvm_backend->get_seg(vcpu, sreg_segments[i].seg,
				     (void *)s + sreg_segments[i].offset);
	get_table(vcpu, HVM_SEG_GDTR, &s->gdt);
	get_table(vcpu, HVM_SEG_IDTR, &s->idt);
	s->cr0 = get_cr(vcpu, 0);
	s->cr2 = get_cr(vcpu, 2);
	s->cr3 = get_cr(vcpu, 3);
	s->cr4 = get_cr(vcpu, 4);
	s->cr8 = hvm_get_cr8(vcpu);
	s->efer = vcpu->efer;
	s->apic_base = vcpu->apic_base;
}

static bool valid_sregs(struct hvm_vcpu *vcpu, const struct hvm_sregs *s)
{
	if (s->efer & EFER_LME && s->cr0 & X86_CR0_PG) {
		if (!(s->cr4 & X86_CR4_PAE) || !(s->efer & EFER_LMA) ||
		    s->cr3 >> vcpu->maxphyaddr)
			return false;
	} else if (s->efer & EFER_LMA || s->cs.l) {
		return false;
	}
	if (s->efer & ~EFER_DEFINED)
		return false;
	if (s->cr0 >> 32 || (s->cr0 & X86_CR0_NW && !(s->cr0 & X86_CR0_CD)) ||
	    (s->cr0 & X86_CR0_PG && !(s->cr0 & X86_CR0_PE)))
		return false;
	return !(s->cr4 & vcpu->cr4_reserved) && s->cr8 <= 15;
}

static int set_apic_base(struct hvm_vcpu *vcpu, u64 val)
{
	if (vcpu->apic_base == val)
		return 0;
	if (vcpu->apic)
		return hvm_lapic_set_msr(vcpu, MSR_IA32_APICBASE, val, true) ? -EINVAL : 0;
	if (val >> vcpu->maxphyaddr || val & 0x2ff || val & X2APIC_ENABLE)
		return -EINVAL;
	vcpu->apic_base = val;
	hvm_cpuid_update(vcpu);
	return 0;
}

static int set_sregs_common(struct hvm_vcpu *vcpu, const struct hvm_sregs *s)
{
	int i, r;

	if (!valid_sregs(vcpu, s))
		return -EINVAL;
	r = set_apic_base(vcpu, s->apic_base);
	if (r)
		return r;
	set_table(vcpu, HVM_SEG_IDTR, &s->idt);
	set_table(vcpu, HVM_SEG_GDTR, &s->gdt);
	hvm_set_cr8(vcpu, s->cr8);
	vcpu->efer = s->efer;
	set_cr(vcpu, HVM_CR_EFER, s->efer);
	set_cr(vcpu, 2, s->cr2);
	set_cr(vcpu, 3, s->cr3);
	set_cr(vcpu, 4, s->cr4);
	set_cr(vcpu, 0, (s->cr0 & CR0_DEFINED) | X86_CR0_ET);
	for (i = 0; i < ARRAY_SIZE(sreg_segments); i++)
		hvm_backend->set_seg(vcpu, sreg_segments[i].seg,
				     (const void *)s + sreg_segments[i].offset);
	/* A VMM that resets the boot CPU by registers alone means it to run. */
	if (vcpu->id == vcpu->vm->bsp_id && vcpu->rip == 0xfff0 && s->cs.selector == 0xf000 &&
	    s->cs.base == 0xffff0000 && !(s->cr0 & X86_CR0_PE))
		vcpu->mp_state = HVM_MP_STATE_RUNNABLE;
	hvm_forget_mode(vcpu);
	hvm_cpuid_update(vcpu);
	vcpu->tlb_flush = true;
	hvm_request_only(vcpu, HVM_REQ_EVENT);
	return 0;
}

int hvm_get_sregs(struct hvm_vcpu *vcpu, struct hvm_sregs *s)
{
	int irq = hvm_irq_under_way(vcpu);

	get_sregs_common(vcpu, s);
	memset(s->interrupt_bitmap, 0, sizeof(s->interrupt_bitmap));
	if (irq >= 0)
		__set_bit(irq, (unsigned long *)s->interrupt_bitmap);
	return 0;
}

int hvm_set_sregs(struct hvm_vcpu *vcpu, const struct hvm_sregs *s)
{
	int r = set_sregs_common(vcpu, s);
	int irq;

	if (r)
		return r;
	irq = find_first_bit((const unsigned long *)s->interrupt_bitmap, 256);
	if (irq < 256) {
		vcpu->inj = HVM_INJ_VALID | HVM_INJ_INTR | irq;
		if (!vcpu->apic)
			vcpu->ext_irq = -1;
	}
	return 0;
}

static bool pae_paging(u64 cr0, u64 cr4, u64 efer)
{
	return cr0 & X86_CR0_PG && cr4 & X86_CR4_PAE && !(efer & EFER_LMA);
}

int hvm_get_sregs2(struct hvm_vcpu *vcpu, struct hvm_sregs2 *s)
{
	get_sregs_common(vcpu, (struct hvm_sregs *)s);
	s->flags = 0;
	memset(s->pdptrs, 0, sizeof(s->pdptrs));
	if (!pae_paging(s->cr0, s->cr4, s->efer))
		return 0;
	if (vcpu->pdptr_set)
		memcpy(s->pdptrs, vcpu->pdptr, sizeof(s->pdptrs));
	else if (hvm_read_gpa(vcpu->vm, s->cr3 & 0xffffffe0, s->pdptrs, sizeof(s->pdptrs)))
		return 0;
	s->flags = HVM_SREGS2_FLAGS_PDPTRS_VALID;
	return 0;
}

int hvm_set_sregs2(struct hvm_vcpu *vcpu, const struct hvm_sregs2 *s)
{
	int r;

	if (s->flags & ~(u64)HVM_SREGS2_FLAGS_PDPTRS_VALID ||
	    (s->flags && !pae_paging(s->cr0, s->cr4, s->efer)))
		return -EINVAL;
	r = set_sregs_common(vcpu, (const struct hvm_sregs *)s);
	if (r || !s->flags)
		return r;
	memcpy(vcpu->pdptr, s->pdptrs, sizeof(vcpu->pdptr));
	vcpu->pdptr_set = true;
	set_cr(vcpu, HVM_CR_PDPTR, 0);
	return 0;
}

/* ---- multiprocessor state, translation, sync regs ---- */

int hvm_get_mp_state(struct hvm_vcpu *vcpu, struct hvm_mp_state *s)
{
	int r;

	if (vcpu->apic && hvm_lapic_has_init_sipi(vcpu)) {
		r = hvm_lapic_init_sipi(vcpu);
		if (r < 0)
			return r;
	}
	s->mp_state = vcpu->mp_state;
	if (vcpu->mp_state == HVM_MP_STATE_HALTED && READ_ONCE(vcpu->pv_unhalted))
		s->mp_state = HVM_MP_STATE_RUNNABLE;
	return 0;
}

int hvm_set_mp_state(struct hvm_vcpu *vcpu, const struct hvm_mp_state *s)
{
	struct hvm_lapic_irq sipi = {
		.shorthand = 1 /* self */, .src = vcpu, .mode = 6 /* start-up */,
		.vector = vcpu->sipi_vector, .assert = true,
	};

	switch (s->mp_state) {
	case HVM_MP_STATE_RUNNABLE:
		break;
	case HVM_MP_STATE_UNINITIALIZED:
	case HVM_MP_STATE_INIT_RECEIVED:
	case HVM_MP_STATE_HALTED:
	case HVM_MP_STATE_AP_RESET_HOLD:
	case HVM_MP_STATE_SIPI_RECEIVED:
		if (!vcpu->apic)
			return -EINVAL;
		break;
	default:
		return -EINVAL;
	}
	vcpu->mp_state = s->mp_state;
	if (s->mp_state == HVM_MP_STATE_SIPI_RECEIVED) {
		vcpu->mp_state = HVM_MP_STATE_INIT_RECEIVED;
		hvm_lapic_deliver(vcpu->vm, &sipi);
	}
	hvm_request_only(vcpu, HVM_REQ_EVENT);
	return 0;
}

int hvm_translate(struct hvm_vcpu *vcpu, struct hvm_translation *t)
{
	gpa_t gpa = HVM_INVALID_GPA;

	t->valid = hvm_walk(vcpu, t->linear_address, HVM_ACCESS_READ, &gpa, false) == 0;
	t->physical_address = t->valid ? gpa : HVM_INVALID_GPA;
	t->writeable = 1;	/* as KVM answers: nothing was asked about it */
	t->usermode = 0;
	return 0;
}

void hvm_sync_regs_out(struct hvm_vcpu *vcpu)
{
	struct hvm_sync_regs *s = &vcpu->run->s.regs;
	u64 valid = READ_ONCE(vcpu->run->valid_regs);

	if (valid & HVM_SYNC_X86_REGS)
		hvm_get_regs(vcpu, &s->regs);
	if (valid & HVM_SYNC_X86_SREGS)
		hvm_get_sregs(vcpu, &s->sregs);
	if (valid & HVM_SYNC_X86_EVENTS)
		hvm_get_events(vcpu, &s->events);
}

/* Another thread may rewrite the run page meanwhile: each part is copied once, then checked. */
int hvm_sync_regs_in(struct hvm_vcpu *vcpu)
{
	struct hvm_run *run = vcpu->run;
	u64 dirty = READ_ONCE(run->dirty_regs);
	union {
		struct hvm_regs regs;
		struct hvm_sregs sregs;
		struct hvm_vcpu_events events;
	} copy;
	int r;

	if (dirty & HVM_SYNC_X86_REGS) {
		memcpy(&copy.regs, &run->s.regs.regs, sizeof(copy.regs));
		barrier();
		hvm_set_regs(vcpu, &copy.regs);
	}
	if (dirty & HVM_SYNC_X86_SREGS) {
		memcpy(&copy.sregs, &run->s.regs.sregs, sizeof(copy.sregs));
		barrier();
		r = hvm_set_sregs(vcpu, &copy.sregs);
		if (r)
			return r;
	}
	if (dirty & HVM_SYNC_X86_EVENTS) {
		memcpy(&copy.events, &run->s.regs.events, sizeof(copy.events));
		barrier();
		r = hvm_set_events(vcpu, &copy.events);
		if (r)
			return r;
	}
	run->dirty_regs = 0;
	return 0;
}
