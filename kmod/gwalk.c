// SPDX-License-Identifier: GPL-2.0-only
/*
 * gwalk.c - the guest's own page tables, walked by software
 *
 * With nested paging the processor walks them by itself; hvm does so only for
 * what it decodes or emulates (MMIO, string I/O) and for TRANSLATE. All modes
 * are here: none, 32-bit, PAE, four and five levels. The walk reads entries
 * through the VMM's memory, checks what the processor would check, and sets
 * accessed and dirty bits as it would, by cmpxchg on that memory. The tables are
 * the guest's: they may point anywhere and change while they are walked, so each
 * entry is read once, and one that changed before its bits could be set starts
 * the walk again.
 *
 * Not known here, and therefore not to be offered by CPUID: protection keys,
 * shadow stacks, LAM and LASS.
 *
 * No locks. Runs in the vCPU's own thread. With page faults disabled by the
 * caller it does not sleep, and memory that is not there just now is -EFAULT.
 */
#include <linux/mm.h>
#include <linux/uaccess.h>
#include <asm/trap_pf.h>
#include "hvm.h"

#define PTE_P		BIT_ULL(0)
#define PTE_W		BIT_ULL(1)
#define PTE_U		BIT_ULL(2)
#define PTE_A		BIT_ULL(5)
#define PTE_D		BIT_ULL(6)
#define PTE_PS		BIT_ULL(7)
#define PTE_NX		BIT_ULL(63)
#define PTE_ADDR	GENMASK_ULL(51, 12)
#define PDE4M_MBZ	BIT_ULL(21)

#define WALK_TRIES	32	/* against a guest that keeps changing its tables */
#define INSN_MAX	15

struct gwalk {
	struct hvm_vcpu *vcpu;
	gva_t gva;
	u32 access;
	u64 cr3, cr4;
	u64 reserved;		/* bits reserved in entries of any level */
	int levels;		/* of tables; 0: no paging */
	bool wide;		/* 8-byte entries */
	bool long_mode;
	bool nx;		/* the NX bit is in force */
	u8 leaf;		/* level of the last entry */
	int n;			/* entries read */
	u64 __user *entry[HVM_WALK_LEVELS];
	u64 val[HVM_WALK_LEVELS];
	gpa_t at[HVM_WALK_LEVELS];
	struct hvm_slot slot;	/* of the last table: most walks stay in one */
};

static u64 get_cr(struct hvm_vcpu *vcpu, int cr)
{
	return hvm_call(get_cr, vcpu, cr);
}

static int gwalk_fault(struct gwalk *w, bool inject, u32 err)
{
	if (w->access & HVM_ACCESS_WRITE)
		err |= X86_PF_WRITE;
	if (w->access & HVM_ACCESS_USER)
		err |= X86_PF_USER;
	/* Fetches are told apart only where they can fault as such. */
	if (w->access & HVM_ACCESS_EXEC && (w->nx || w->cr4 & X86_CR4_SMEP))
		err |= X86_PF_INSTR;
	if (inject)
		hvm_inject_pf(w->vcpu, w->gva, err);
	return 1;
}

static void gwalk_mode(struct gwalk *w)
{
	struct hvm_vcpu *vcpu = w->vcpu;
	u8 maxphyaddr = vcpu->maxphyaddr;

	w->long_mode = hvm_long_mode(vcpu);
	w->levels = 0;
	if (!w->long_mode) {
		w->gva = (u32)w->gva;
		if (!(get_cr(vcpu, 0) & X86_CR0_PG))
			return;
	}
	w->cr3 = get_cr(vcpu, 3);
	w->cr4 = get_cr(vcpu, 4);
	w->wide = w->cr4 & X86_CR4_PAE;
	w->nx = w->wide && vcpu->efer & EFER_NX;
	w->reserved = 0;
	if (!w->wide) {
		w->levels = 2;
		return;
	}
	if (maxphyaddr < 52)
		w->reserved = GENMASK_ULL(51, maxphyaddr);
	if (!w->nx)
		w->reserved |= PTE_NX;
	if (w->long_mode) {
		w->levels = w->cr4 & X86_CR4_LA57 ? 5 : 4;
	} else {
		w->levels = 3;
		w->reserved |= GENMASK_ULL(62, 52);
	}
}

static gpa_t gwalk_root(const struct gwalk *w)
{
	if (w->long_mode)
		return w->cr3 & PTE_ADDR;
	return w->wide ? (u32)w->cr3 & ~31u : (u32)w->cr3 & PAGE_MASK;
}

/* Bits of the guest address below the index of @level. */
static int gwalk_shift(const struct gwalk *w, int level)
{
	return PAGE_SHIFT + (level - 1) * (w->wide ? 9 : 10);
}

/* Where the VMM has @gpa, or NULL. */
static void __user *gwalk_hva(struct gwalk *w, gpa_t gpa)
{
	struct hvm_slot *s = &w->slot;

	if (unlikely(hvm_gfn(gpa) - s->base >= s->npages) &&
	    !hvm_slot_find(w->vcpu->vm, hvm_gfn(gpa), s)) {
		s->npages = 0;
		return NULL;
	}
	return (void __user *)(s->hva + (gpa - (s->base << PAGE_SHIFT)));
}

static int gwalk_read(struct gwalk *w, gpa_t at, u64 *val)
{
	void __user *p = gwalk_hva(w, at);
	bool wide = w->wide;		/* read before: UBSAN's check may not come below */
	u32 narrow;

	if (!p || !user_access_begin(p, sizeof(*val)))
		return -EFAULT;
	if (likely(wide)) {
		unsafe_get_user(*val, (u64 __user *)p, fault);
	} else {
		unsafe_get_user(narrow, (u32 __user *)p, fault);
		*val = narrow;
	}
	user_access_end();
	w->entry[w->n] = p;
	w->at[w->n] = at;
	w->val[w->n++] = *val;
	return 0;
fault:
	user_access_end();
	return -EFAULT;
}

static bool gwalk_is_leaf(const struct gwalk *w, u64 e, int level)
{
	if (level == 1)
		return true;
	if (!(e & PTE_PS) || level > 3)
		return false;
	if (!w->wide)
		return w->cr4 & X86_CR4_PSE;
	return level == 2 || w->long_mode;
}

/* PSE-36: bits 20:13 of a 4 MiB entry are bits 39:32 of the address. */
static u64 pde4m_addr(u64 e)
{
	return (e & GENMASK_ULL(31, 22)) | (e & GENMASK_ULL(20, 13)) << 19;
}

static bool gwalk_reserved(const struct gwalk *w, u64 e, int level, bool leaf)
{
	u64 mbz = w->reserved;

	if (!w->wide)
		return leaf && level > 1 &&
		       (e & PDE4M_MBZ || pde4m_addr(e) >> w->vcpu->maxphyaddr);
	if (leaf && level > 1)
		mbz |= GENMASK_ULL(gwalk_shift(w, level) - 1, 13);
	else if (level > 3)
		mbz |= PTE_PS;
	else if (level == 3 && !w->long_mode)
		return false;	/* the processor checked it as it loaded CR3 */
	return e & mbz;
}

/* @rights: what all levels grant. NX set in @rights: some level forbids execution. */
static bool gwalk_permitted(const struct gwalk *w, u64 rights)
{
	bool user = w->access & HVM_ACCESS_USER, user_page = rights & PTE_U;

	if (user && !user_page)
		return false;
	if (w->access & HVM_ACCESS_EXEC)
		return !(rights & PTE_NX) && (user || !user_page || !(w->cr4 & X86_CR4_SMEP));
	if (w->access & HVM_ACCESS_WRITE && !(rights & PTE_W) &&
	    (user || get_cr(w->vcpu, 0) & X86_CR0_WP))
		return false;
	if (user || !user_page || !(w->cr4 & X86_CR4_SMAP))
		return true;
	/* AC lifts SMAP, but not for what the processor does by itself in user mode. */
	return w->vcpu->rflags & X86_EFLAGS_AC && hvm_vcpu_cpl(w->vcpu) < 3;
}

/* 0 set, 1 the entry has changed, -EFAULT. */
static int gwalk_set_bits(struct gwalk *w, int i, u64 bits)
{
	u64 __user *p = w->entry[i];
	u64 old = w->val[i];
	u32 narrow = old;

	if (w->wide)
		return __try_cmpxchg_user(p, &old, old | bits, fault64);
	return __try_cmpxchg_user((u32 __user *)p, &narrow, narrow | (u32)bits, fault32);
}

/* Accessed bits on the way, the dirty bit at its end. Tables in read-only slots are left alone. */
static int gwalk_set_ad(struct gwalk *w)
{
	u64 bits = PTE_A;
	int i, r;

	for (i = w->levels == 3; i < w->n; i++) {	/* PAE's top entries have none */
		if (i == w->n - 1 && w->access & HVM_ACCESS_WRITE)
			bits |= PTE_D;
		if (likely(!(~w->val[i] & bits)))
			continue;
		if (!gwalk_hva(w, w->at[i]) || w->slot.flags & HVM_MEM_READONLY)
			continue;
		r = gwalk_set_bits(w, i, bits);
		if (r)
			return r < 0 ? r : -EAGAIN;
		w->val[i] |= bits;
		hvm_mark_dirty(w->vcpu, hvm_gfn(w->at[i]));
	}
	return 0;
}

/* Down to the leaf. 0 with *leaf and *rights, or 1 and -EFAULT as hvm_walk(). */
static int gwalk_descend(struct gwalk *w, u64 *leaf, u64 *rights, bool inject)
{
	gpa_t table = gwalk_root(w);
	int level, r;
	bool is_leaf;
	u64 e, index;

	*rights = PTE_W | PTE_U;
	for (level = w->levels;; level--) {
		index = w->gva >> gwalk_shift(w, level);
		index = w->wide ? (index & 511) * 8 : (index & 1023) * 4;
		r = gwalk_read(w, table + index, &e);
		if (r)
			return r;
		if (!(e & PTE_P))
			return gwalk_fault(w, inject, 0);
		is_leaf = gwalk_is_leaf(w, e, level);
		if (gwalk_reserved(w, e, level, is_leaf))
			return gwalk_fault(w, inject, X86_PF_PROT | X86_PF_RSVD);
		if (level != 3 || w->long_mode)		/* PAE's top entries grant all */
			*rights = (*rights & (e | PTE_NX)) | (e & PTE_NX);
		if (is_leaf)
			break;
		table = e & PTE_ADDR;
	}
	w->leaf = level;
	*leaf = e;
	return 0;
}

/* As hvm_walk(), or -EAGAIN. */
static int gwalk_once(struct gwalk *w, gpa_t *gpa, bool inject)
{
	u64 leaf, rights, offset;
	int r, unused;		/* address bits that repeat the highest used */

	gwalk_mode(w);
	unused = w->levels == 5 ? 7 : 16;
	w->n = 0;
	if (!w->levels) {
		*gpa = w->gva;
		return 0;
	}
	if (w->long_mode && (s64)(w->gva << unused) >> unused != (s64)w->gva) {
		if (inject)
			hvm_inject_gp(w->vcpu);
		return 1;
	}
	r = gwalk_descend(w, &leaf, &rights, inject);
	if (r)
		return r;
	if (!gwalk_permitted(w, rights))
		return gwalk_fault(w, inject, X86_PF_PROT);
	r = gwalk_set_ad(w);
	if (r)
		return r;
	offset = BIT_ULL(gwalk_shift(w, w->leaf)) - 1;
	if (!w->wide && w->leaf == 2)
		*gpa = pde4m_addr(leaf);
	else
		*gpa = leaf & PTE_ADDR & ~offset;
	*gpa |= w->gva & offset;
	return 0;
}

static void gwalk_init(struct gwalk *w, struct hvm_vcpu *vcpu, gva_t gva, u32 access)
{
	w->vcpu = vcpu;
	w->gva = gva;
	w->access = access;
	w->slot.npages = 0;
}

static int gwalk(struct gwalk *w, gpa_t *gpa, bool inject)
{
	int tries = WALK_TRIES, r;

	do {
		r = gwalk_once(w, gpa, inject);
	} while (r == -EAGAIN && --tries);
	return r == -EAGAIN ? -EFAULT : r;
}

/**
 * hvm_walk - translate a linear address of the guest
 * @vcpu: whose tables
 * @gva: the linear address; above 4 GiB it wraps, unless in long mode
 * @access: HVM_ACCESS_*; without HVM_ACCESS_USER the access is a supervisor's
 * @gpa: result
 * @inject: queue the fault that the guest must get
 *
 * Return: 0; 1 the guest must get a fault; -EFAULT a table is not in memory.
 */
int hvm_walk(struct hvm_vcpu *vcpu, gva_t gva, u32 access, gpa_t *gpa, bool inject)
{
	struct gwalk w;

	gwalk_init(&w, vcpu, gva, access);
	return gwalk(&w, gpa, inject);
}

/* ---- instruction fetch ---- */

/*
 * Most fetches repeat: the guest's kernel touches its local APIC from few places.
 * If slots, CR3 and the entries that the last walk read are what they were, so
 * is its result; to read them again costs a fraction of a walk. Rights need no
 * second look: the processor has just fetched this instruction. With page faults
 * disabled in 64-bit mode; false: ask hvm_fetch_insn() where it can sleep. Into @buf
 * go bytes 0 to 7, and 8 to 14 with a zero behind them.
 */
bool hvm_fetch_cached(struct hvm_vcpu *vcpu, u64 buf[2])
{
	struct hvm_fetch_cache *c = &vcpu->fetch;
	unsigned long offset = offset_in_page(vcpu->rip);
	const u64 *want = c->val, *end = want + c->levels;
	u64 __user **entry = c->entry;
	u8 __user *insn;
	u64 val;

	if (c->gen != READ_ONCE(vcpu->vm->slots_gen) || c->page != vcpu->rip >> PAGE_SHIFT ||
	    offset > PAGE_SIZE - INSN_MAX || c->cr3 != get_cr(vcpu, 3))
		return false;
	insn = (u8 __user *)c->hva + offset;
	if (!user_access_begin(insn, INSN_MAX))
		return false;
	for (; want < end; want++, entry++) {
		unsafe_get_user(val, *entry, miss);
		if (val != *want)
			goto miss;
	}
	unsafe_get_user(buf[0], (u64 __user *)insn, miss);
	unsafe_get_user(val, (u64 __user *)(insn + INSN_MAX - 8), miss);
	user_access_end();
	buf[1] = val >> 8;
	return true;
miss:
	user_access_end();
	return false;
}

/* @gen was read before the walk. Only for 64-bit mode. */
static void fetch_remember(struct gwalk *w, gpa_t gpa, u64 gen)
{
	struct hvm_fetch_cache *c = &w->vcpu->fetch;

	c->hva = (unsigned long)gwalk_hva(w, gpa & PAGE_MASK);
	c->gen = c->hva ? gen : 0;
	c->page = w->gva >> PAGE_SHIFT;
	c->cr3 = w->cr3;
	c->levels = w->n;
	memcpy(c->entry, w->entry, sizeof(c->entry));
	memcpy(c->val, w->val, sizeof(c->val));
}

static gva_t fetch_linear(struct hvm_vcpu *vcpu)
{
	struct hvm_segment cs;

	hvm_backend->get_seg(vcpu, HVM_SEG_CS, &cs);
	return (u32)(cs.base + vcpu->rip);
}

static noinline int fetch_walk(struct hvm_vcpu *vcpu, u8 *buf, int max, bool flat)
{
	u32 access = HVM_ACCESS_EXEC, n;
	struct gwalk w;
	int got = 0, r;
	gpa_t gpa;
	u64 gen;

	if (hvm_vcpu_cpl(vcpu) == 3)
		access |= HVM_ACCESS_USER;
	gwalk_init(&w, vcpu, flat ? vcpu->rip : fetch_linear(vcpu), access);
	/* Before the walk looks at slots. */
	gen = smp_load_acquire(&vcpu->vm->slots_gen);
	for (; got < max; got += n, w.gva += n) {
		n = min_t(u32, max - got, PAGE_SIZE - offset_in_page(w.gva));
		r = gwalk(&w, &gpa, !got);
		if (!r && flat && !got)
			fetch_remember(&w, gpa, gen);
		if (!r)
			r = hvm_read_gpa(vcpu->vm, gpa, buf + got, n);
		if (r)
			return got ?: min(r, 0);
	}
	return got;
}

/**
 * hvm_fetch_insn - the bytes of the instruction at RIP, and what follows it
 * @vcpu: the vCPU, stopped at the instruction
 * @buf: where to put them
 * @max: how many fit
 *
 * Return: how many there are, less than @max when the next page cannot be
 * fetched from; 0: not even the first byte, a fault was queued; -EFAULT: the
 * tables or the instruction are not in memory.
 */
int hvm_fetch_insn(struct hvm_vcpu *vcpu, u8 *buf, int max)
{
	bool flat = hvm_cpu_mode(vcpu) == HVM_CPU_LONG64;

	u64 bytes[2];

	if (flat && max >= INSN_MAX && hvm_fetch_cached(vcpu, bytes)) {
		memcpy(buf, bytes, INSN_MAX);
		return INSN_MAX;
	}
	return fetch_walk(vcpu, buf, max, flat);
}
