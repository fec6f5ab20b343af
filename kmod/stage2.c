// SPDX-License-Identifier: GPL-2.0-only
/*
 * stage2.c - the table that maps guest-physical to host-physical pages
 *
 * A radix tree of four levels, 512 entries each, in the format of the vendor
 * (struct hvm_pt_format). It only caches what memory slots and the host's page
 * tables say: any entry may be dropped at any time and comes back by a fault.
 *
 * Faults. hvm_s2_fault() notes s2.seq, finds the slot, faults the host page in,
 * takes s2.lock for reading and looks whether an mmu notifier or a change of
 * slots came in between (s2.seq, s2.invalidating). If not, the page is the
 * right one until s2.lock is released, and the entry is installed by cmpxchg:
 * faults exclude removals, but not one another. No page stays pinned; the mmu
 * notifier takes an entry out before the host takes the page away. A page is
 * marked dirty when it is mapped writable and hardware's accessed bits answer
 * the host's aging, so removal has nothing to save and never visits leaves.
 *
 * Removal, with s2.lock held for writing: hvm_s2_apply() clears the highest entry
 * that lies in the range and puts the tables below it aside; hvm_s2_unlock()
 * drops the lock, flushes the TLBs and only then frees them, as a processor may
 * still walk them until the flush. s2.flushing tells others that a removal is
 * not yet in force: whoever finds nothing to remove while it is not 0 flushes
 * too, because the page it cares for may still be in a TLB.
 *
 * Dirty logging maps 4 KiB pages without write permission and marks those that
 * the host could write with the format's soft_dirty_log bit: the write fault
 * that follows adds the permission and sets the bit in the slot's bitmap,
 * without looking at the host's tables. A processor that logs by itself
 * (.dirty_log) is given writable pages whose dirty bit is clear, and tells of the
 * first write; pages that are not logged have the bit set from the start.
 *
 * The shape of the tree conflicts with a new mapping when the host joined pages
 * to a large one or dirty logging split one; what is in the way is removed. On
 * processors that must not execute from large pages (.nx_huge), those have no
 * execute permission: a fetch breaks one up, and what is small then stays small.
 */
#include <linux/gfp.h>
#include <linux/mem_encrypt.h>
#include <linux/mm.h>
#include <linux/page-flags.h>
#include <linux/pgtable.h>
#include <linux/sched/signal.h>
#include "hvm.h"

#define S2_LEVELS	4
#define S2_BITS		9
#define S2_ENTRIES	(1 << S2_BITS)

static_assert(S2_ENTRIES * sizeof(u64) == PAGE_SIZE);
static_assert(S2_LEVELS * S2_BITS == HVM_S2_GFN_BITS);
static_assert(PAGE_SHIFT + S2_BITS == PMD_SHIFT && PMD_SHIFT + S2_BITS == PUD_SHIFT);

/* What a fault is about to install. */
struct s2_fault {
	struct hvm_vcpu *vcpu;
	const struct hvm_slot *slot;
	gfn_t gfn;
	unsigned long hva;
	unsigned long seq;
	bool write, exec;
	struct page *page;	/* referenced; NULL: memory without struct page */
	hfn_t hfn;
	bool writable;		/* the host lets us write */
	bool uncached;
	int level;
	u64 *spare[S2_LEVELS - 1];	/* zeroed tables */
	int nr_spare;
};

static int s2_shift(int level)
{
	return (level - 1) * S2_BITS;
}

static u64 s2_pages(int level)
{
	return 1ULL << s2_shift(level);
}

static u64 *s2_entry(u64 *table, gfn_t gfn, int level)
{
	return table + ((gfn >> s2_shift(level)) & (S2_ENTRIES - 1));
}

static bool s2_is_leaf(const struct hvm_pt_format *fmt, u64 e, int level)
{
	return level == 1 || e & fmt->large;
}

static u64 s2_pa(const struct hvm_pt_format *fmt, u64 e)
{
	return __sme_clr(e & fmt->addr_mask);
}

static u64 *s2_next(const struct hvm_pt_format *fmt, u64 e)
{
	return __va(s2_pa(fmt, e));
}

/* ---- tables ---- */

static u64 *s2_alloc_table(void)
{
	return (u64 *)__get_free_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);
}

/* Free a table that nothing can reach any more, and all below it. */
static void s2_free_tree(struct hvm_stage2 *s2, u64 *table, int level, bool may_sleep)
{
	int i;

	for (i = 0; level > 1 && i < S2_ENTRIES; i++)
		if (table[i] & s2->fmt->present && !s2_is_leaf(s2->fmt, table[i], level))
			s2_free_tree(s2, s2_next(s2->fmt, table[i]), level - 1, may_sleep);
	set_page_private(virt_to_page(table), 0);
	free_page((unsigned long)table);
	atomic_long_dec(&s2->tables);
	if (may_sleep)
		cond_resched();
}

/*
 * Put a table aside until the TLBs are flushed. Processors may still walk it,
 * so the list is linked through page->private: address of the next table, its
 * level in the low bits.
 */
static void s2_put_aside(struct hvm_stage2 *s2, u64 *table, int level)
{
	set_page_private(virt_to_page(table), s2->freed);
	s2->freed = (unsigned long)table | level;
}

static void s2_free_aside(struct hvm_stage2 *s2, unsigned long freed, bool may_sleep)
{
	while (freed) {
		u64 *table = (u64 *)(freed & PAGE_MASK);
		int level = freed & ~PAGE_MASK;

		freed = page_private(virt_to_page(table));
		s2_free_tree(s2, table, level, may_sleep);
	}
}

/**
 * hvm_s2_unlock - release s2.lock, held for writing, and make removals final
 * @vm: the VM
 * @flush: entries were removed or restricted
 * @may_sleep: the caller may sleep
 *
 * When it returns no processor uses what was removed, by whomever.
 */
void hvm_s2_unlock(struct hvm_vm *vm, bool flush, bool may_sleep)
{
	struct hvm_stage2 *s2 = &vm->s2;
	unsigned long freed = s2->freed;

	s2->freed = 0;
	flush |= freed || atomic_read(&s2->flushing);
	if (flush)
		atomic_inc(&s2->flushing);
	write_unlock(&s2->lock);
	if (!flush)
		return;
	hvm_flush_remote(vm);
	/* The flush comes before the news that it is over. */
	smp_mb__before_atomic();
	atomic_dec(&s2->flushing);
	s2_free_aside(s2, freed, may_sleep);
}

/* ---- removal, write protection, aging: s2.lock held for writing ---- */

static bool s2_leaf_op(const struct hvm_pt_format *fmt, u64 *p, u64 e, int level, enum hvm_s2_op op)
{
	switch (op) {
	case HVM_S2_NOTHING:
		return false;
	case HVM_S2_ZAP:
		break;
	case HVM_S2_WRPROTECT:
		if (fmt->dirty_log && level == 1) {
			if (!(e & fmt->dirty))
				return false;
			clear_bit(__ffs64(fmt->dirty), (unsigned long *)p);
			return true;
		}
		if (!(e & fmt->write))
			return false;
		if (level > 1)
			break;
		WRITE_ONCE(*p, (e & ~fmt->write) | fmt->soft_dirty_log);
		return true;
	case HVM_S2_TEST_YOUNG:
		return !fmt->accessed || e & fmt->accessed;
	case HVM_S2_CLEAR_YOUNG:
		if (!fmt->accessed)
			break;		/* if it is in use it will fault */
		if (!(e & fmt->accessed))
			return false;
		clear_bit(__ffs64(fmt->accessed), (unsigned long *)p);
		return true;
	}
	WRITE_ONCE(*p, 0);
	return true;
}

/* Apply @op to what maps [start, end) below @table. True if anything changed (or is young). */
static bool s2_apply(struct hvm_stage2 *s2, u64 *table, int level, gfn_t start, gfn_t end,
		     enum hvm_s2_op op)
{
	const struct hvm_pt_format *fmt = s2->fmt;
	u64 size = s2_pages(level), e;
	u64 *p = s2_entry(table, start, level);
	bool hit = false;
	gfn_t gfn, next;

	for (gfn = start; gfn < end; gfn = next, p++) {
		next = min((gfn | (size - 1)) + 1, end);
		e = READ_ONCE(*p);
		if (!(e & fmt->present))
			continue;
		if (s2_is_leaf(fmt, e, level)) {
			hit |= s2_leaf_op(fmt, p, e, level, op);
		} else if (op == HVM_S2_ZAP && next - gfn == size) {
			WRITE_ONCE(*p, 0);
			s2_put_aside(s2, s2_next(fmt, e), level - 1);
			hit = true;
		} else {
			hit |= s2_apply(s2, s2_next(fmt, e), level - 1, gfn, next, op);
		}
	}
	return hit;
}

bool hvm_s2_apply(struct hvm_vm *vm, gfn_t start, gfn_t end, enum hvm_s2_op op)
{
	lockdep_assert_held_write(&vm->s2.lock);
	end = min(end, 1ULL << HVM_S2_GFN_BITS);
	return start < end && s2_apply(&vm->s2, vm->s2.root, S2_LEVELS, start, end, op);
}

/* The leaf that maps @gfn, and its level, or NULL. s2.lock held. */
static u64 *s2_find_leaf(struct hvm_stage2 *s2, gfn_t gfn, int *level)
{
	u64 *table = s2->root, *p, e;

	for (*level = S2_LEVELS;; --*level) {
		p = s2_entry(table, gfn, *level);
		e = READ_ONCE(*p);
		if (!(e & s2->fmt->present))
			return NULL;
		if (s2_is_leaf(s2->fmt, e, *level))
			return p;
		table = s2_next(s2->fmt, e);
	}
}

/* Write-protect the pages base + n for each bit n in @mask: one walk for neighbours. */
bool hvm_s2_wrprotect_mask(struct hvm_vm *vm, gfn_t base, unsigned long mask)
{
	const struct hvm_pt_format *fmt = vm->s2.fmt;
	gfn_t gfn, last = ~0ULL;
	bool hit = false;
	u64 *p = NULL, e;
	int level = 0;

	lockdep_assert_held_write(&vm->s2.lock);
	for (; mask; mask &= mask - 1) {
		gfn = base + __ffs(mask);
		if (p && level == 1 && !((gfn ^ last) >> S2_BITS))
			p += gfn - last;
		else
			p = s2_find_leaf(&vm->s2, gfn, &level);
		last = gfn;
		if (!p)
			continue;
		e = READ_ONCE(*p);
		if (e & fmt->present)
			hit |= s2_leaf_op(fmt, p, e, level, HVM_S2_WRPROTECT);
	}
	return hit;
}

/* ---- the host's side of a fault ---- */

/*
 * Memory without struct page to hold on to: what a driver mapped. The notifier
 * covers it as any other, so it may be mapped as long as s2.seq agrees.
 */
static int s2_get_pfnmap(struct mm_struct *mm, struct s2_fault *f)
{
	unsigned int flags = f->write ? FAULT_FLAG_WRITE : 0;
	struct vm_area_struct *vma;
	bool unlocked = false;
	unsigned long pfn;
	int r = -EFAULT;

	mmap_read_lock(mm);
	vma = vma_lookup(mm, f->hva);
	if (!vma || !(vma->vm_flags & (VM_IO | VM_PFNMAP)))
		goto out;
	if (!(vma->vm_flags & (f->write ? VM_WRITE : VM_READ)))
		goto out;
	r = hvm_follow_pfn(vma, f->hva, &pfn, &f->writable);
	if (r || (f->write && !f->writable)) {
		r = fixup_user_fault(mm, f->hva, flags, &unlocked);
		if (!r)
			r = unlocked ? -EAGAIN : hvm_follow_pfn(vma, f->hva, &pfn, &f->writable);
	}
	if (!r && f->write && !f->writable)
		r = -EFAULT;
	if (r)
		goto out;
	f->writable &= !(f->slot->flags & HVM_MEM_READONLY);
	f->hfn = pfn;
	f->uncached = !pfn_valid(pfn);
out:
	mmap_read_unlock(mm);
	return r == -EAGAIN ? r : r ? -EFAULT : 0;
}

/* Fault the host's page in, if possible writable. It is referenced until the entry is in. */
static int s2_get_page(struct mm_struct *mm, struct s2_fault *f)
{
	bool ro = f->slot->flags & HVM_MEM_READONLY;
	unsigned int flags = FOLL_HWPOISON | HVM_FOLL_INTERRUPTIBLE;
	struct page *page;
	long n;

	f->writable = !ro;
	if (get_user_pages_fast_only(f->hva, 1, ro ? 0 : FOLL_WRITE, &f->page) == 1)
		goto found;

	f->page = NULL;
	f->writable = f->write;
	n = get_user_pages_unlocked(f->hva, 1, &f->page, flags | (f->write ? FOLL_WRITE : 0));
	if (n != 1) {
		f->page = NULL;
		return n == -EFAULT ? s2_get_pfnmap(mm, f) : n ?: -EFAULT;
	}
	/* A read may have found a page that can be written all the same. */
	if (!f->write && !ro && get_user_pages_fast_only(f->hva, 1, FOLL_WRITE, &page) == 1) {
		put_page(f->page);
		f->page = page;
		f->writable = true;
	}
found:
	f->hfn = page_to_pfn(f->page);
	return 0;
}

/*
 * The guest will write through the mapping, and no dirty bit is looked at when
 * it goes. Page-cache pages that get written back are made dirty by the host's
 * own write fault, which the writable host entry proves.
 */
static void s2_mark_host_dirty(struct page *page)
{
	struct folio *folio = page_folio(page);

	if (!folio_test_dirty(folio) && (folio_test_anon(folio) || folio_test_swapbacked(folio)))
		folio_set_dirty(folio);
}

/*
 * By which level the host maps @hva. Interrupts off keep the tables from being
 * freed; whether the answer still holds s2.seq tells.
 */
static int s2_host_level(struct mm_struct *mm, unsigned long hva)
{
	unsigned long irqflags;
	int level = 1;
	pgd_t pgd;
	p4d_t p4d;
	pud_t pud;
	pmd_t pmd;

	local_irq_save(irqflags);
	pgd = READ_ONCE(*pgd_offset(mm, hva));
	if (pgd_none(pgd))
		goto out;
	p4d = READ_ONCE(*p4d_offset(&pgd, hva));
	if (p4d_none(p4d) || !p4d_present(p4d))
		goto out;
	pud = READ_ONCE(*pud_offset(&p4d, hva));
	if (pud_none(pud) || !pud_present(pud))
		goto out;
	if (pud_leaf(pud)) {
		level = 3;
		goto out;
	}
	pmd = READ_ONCE(*pmd_offset(&pud, hva));
	if (pmd_present(pmd) && pmd_leaf(pmd))
		level = 2;
out:
	local_irq_restore(irqflags);
	return level;
}

/* The largest page that host, slot and dirty logging allow. */
static int s2_level(struct hvm_vm *vm, const struct s2_fault *f)
{
	const struct hvm_slot *slot = f->slot;
	int level = vm->s2.fmt->huge_1g ? 3 : 2;
	u64 skew = slot->base ^ (slot->hva >> PAGE_SHIFT), size;
	gfn_t first;

	if (slot->dirty || (f->exec && vm->s2.fmt->nx_huge) || !f->page || !PageCompound(f->page))
		return 1;
	for (; level > 1; level--) {
		size = s2_pages(level);
		first = f->gfn & ~(size - 1);
		if (!(skew & (size - 1)) && first >= slot->base &&
		    first - slot->base + size <= slot->npages)
			return min(level, s2_host_level(vm->mm, f->hva));
	}
	return 1;
}

/* ---- the table's side of a fault: s2.lock held for reading ---- */

/* Has what was looked up changed, or is it about to? */
static bool s2_stale(const struct hvm_stage2 *s2, const struct s2_fault *f)
{
	unsigned long size = s2_pages(f->level) << PAGE_SHIFT;
	unsigned long hva = f->hva & ~(size - 1);

	if (f->seq != s2->seq)
		return true;
	return s2->invalidating && hva < s2->inv_end && hva + (size - 1) >= s2->inv_start;
}

static u64 s2_make_leaf(const struct hvm_pt_format *fmt, const struct s2_fault *f, u64 pa)
{
	bool log = f->slot->dirty && !f->write, soft = log && !fmt->dirty_log;
	u64 e = fmt->leaf(pa, f->level, f->writable && !soft,
			   f->level == 1 || !fmt->nx_huge, !log, f->uncached);

	return f->writable && soft ? e | fmt->soft_dirty_log : e;
}

/*
 * The last step: 1 done (or lost to another fault: try again), -EEXIST something is
 * in the way, -EISDIR it is small pages, which may be there to be executed.
 */
static int s2_set_leaf(const struct hvm_pt_format *fmt, struct s2_fault *f, u64 *p, u64 old)
{
	u64 pa = (f->hfn & ~(s2_pages(f->level) - 1)) << PAGE_SHIFT;

	if (old & fmt->present) {
		if (!s2_is_leaf(fmt, old, f->level))
			return fmt->nx_huge ? -EISDIR : -EEXIST;
		if (s2_pa(fmt, old) != pa)
			return -EEXIST;
		if (!f->write || old & fmt->write)
			return 1;
	}
	if (cmpxchg64(p, old, s2_make_leaf(fmt, f, pa)) == old && f->write && f->slot->dirty)
		hvm_slot_dirtied(f->vcpu, f->slot, f->gfn);
	return 1;
}

/* 1 installed, -EEXIST, -EISDIR, or -EAGAIN: tables are missing and f->spare is too short. */
static int s2_install(struct hvm_stage2 *s2, struct s2_fault *f)
{
	const struct hvm_pt_format *fmt = s2->fmt;
	u64 *table = s2->root, *p, e, new;
	int level;

	for (level = S2_LEVELS;; level--) {
		p = s2_entry(table, f->gfn, level);
		e = READ_ONCE(*p);
		if (level == f->level)
			return s2_set_leaf(fmt, f, p, e);
		if (!(e & fmt->present)) {
			if (f->nr_spare < level - f->level)
				return -EAGAIN;
			new = fmt->table(__pa(f->spare[f->nr_spare - 1]));
			e = cmpxchg64(p, e, new);
			if (!(e & fmt->present)) {
				f->nr_spare--;
				atomic_long_inc(&s2->tables);
				e = new;
			}
		}
		if (s2_is_leaf(fmt, e, level))
			return (f->write && !(e & fmt->write)) || (f->exec && fmt->nx_huge) ?
				-EEXIST : 1;
		table = s2_next(fmt, e);
	}
}

static int s2_fill_spare(struct s2_fault *f)
{
	while (f->nr_spare < S2_LEVELS - f->level) {
		u64 *table = s2_alloc_table();

		if (!table)
			return -ENOMEM;
		f->spare[f->nr_spare++] = table;
	}
	return 0;
}

/* Remove what occupies the place of the new leaf. */
static void s2_make_way(struct hvm_vm *vm, const struct s2_fault *f)
{
	u64 size = s2_pages(f->level);
	gfn_t first = f->gfn & ~(size - 1);

	write_lock(&vm->s2.lock);
	hvm_s2_unlock(vm, hvm_s2_apply(vm, first, first + size, HVM_S2_ZAP), true);
}

static int s2_map(struct hvm_vm *vm, struct s2_fault *f)
{
	int r;

	for (;;) {
		read_lock(&vm->s2.lock);
		r = s2_stale(&vm->s2, f) ? 1 : s2_install(&vm->s2, f);
		read_unlock(&vm->s2.lock);
		if (r == -EEXIST)
			s2_make_way(vm, f);
		else if (r == -EISDIR)
			f->level = 1;
		else if (r != -EAGAIN)
			break;
		else if (s2_fill_spare(f))
			return -ENOMEM;
	}
	return r;
}

/*
 * A write to a page that only dirty logging protects. The slot was found after
 * @f->seq was read, so it and its bitmap are current while the lock is held and
 * s2.seq is the same.
 */
static bool s2_log_write(struct hvm_stage2 *s2, const struct s2_fault *f)
{
	const struct hvm_pt_format *fmt = s2->fmt;
	bool done = false;
	u64 *p, e, new;
	int level;

	read_lock(&s2->lock);
	p = f->seq == s2->seq ? s2_find_leaf(s2, f->gfn, &level) : NULL;
	if (p && level == 1) {
		e = READ_ONCE(*p);
		if (e & fmt->write) {
			done = true;
		} else if (e & fmt->soft_dirty_log) {
			/* If another fault or the processor's A bit came first, fault again. */
			new = (e & ~fmt->soft_dirty_log) | fmt->write | fmt->dirty;
			if (cmpxchg64(p, e, new) == e)
				hvm_slot_dirtied(f->vcpu, f->slot, f->gfn);
			done = true;
		}
	}
	read_unlock(&s2->lock);
	return done;
}

/**
 * hvm_s2_fault - a guest access found no suitable stage-2 entry
 * @vcpu: whose, in its own thread, nothing locked but [V]
 * @gpa: the address
 * @access: HVM_ACCESS_*
 *
 * Return: 1 try again (the page is mapped, or something changed meanwhile); 0
 * there is no memory, or a read-only slot is written: the access is MMIO;
 * -EINTR a signal waits; -EFAULT the VMM's memory behind the slot cannot be
 * accessed so; -ENOMEM. A page that is broken is a SIGBUS for the VMM.
 */
int hvm_s2_fault(struct hvm_vcpu *vcpu, gpa_t gpa, u32 access)
{
	struct s2_fault f = { .vcpu = vcpu, .gfn = hvm_gfn(gpa),
			      .write = access & HVM_ACCESS_WRITE,
			      .exec = access & HVM_ACCESS_EXEC };
	struct hvm_vm *vm = vcpu->vm;
	struct hvm_slot slot;
	int r;

	/* Before the slot and the host's tables are looked at. */
	f.seq = smp_load_acquire(&vm->s2.seq);
	if (!hvm_slot_find(vm, f.gfn, &slot))
		return 0;
	if (f.write && slot.flags & HVM_MEM_READONLY)
		return 0;
	f.slot = &slot;
	if (f.write && slot.dirty && s2_log_write(&vm->s2, &f))
		return 1;

	f.hva = slot.hva + ((f.gfn - slot.base) << PAGE_SHIFT);
	r = s2_get_page(vm->mm, &f);
	if (r == -EAGAIN)
		return signal_pending(current) ? -EINTR : 1;
	if (r == -EHWPOISON)
		return send_sig_mceerr(BUS_MCEERR_AR, (void __user *)f.hva, PAGE_SHIFT,
				       current) ?: 1;
	if (r)
		return r;
	f.level = s2_level(vm, &f);
	if (f.page && f.writable)
		s2_mark_host_dirty(f.page);
	r = s2_map(vm, &f);
	while (f.nr_spare)
		free_page((unsigned long)f.spare[--f.nr_spare]);
	if (f.page)
		put_page(f.page);
	return r;
}

/* ---- life ---- */

int hvm_s2_init(struct hvm_vm *vm)
{
	struct hvm_stage2 *s2 = &vm->s2;

	rwlock_init(&s2->lock);
	s2->fmt = hvm_backend->s2_format;
	s2->root = s2_alloc_table();
	if (!s2->root)
		return -ENOMEM;
	atomic_long_set(&s2->tables, 1);
	s2->root_pa = __sme_set(__pa(s2->root));
	if (!s2->fmt->host_levels || !pgtable_l5_enabled())
		return 0;

	/* The processor wants five levels: one entry on top will do for 48 bits. */
	s2->top = s2_alloc_table();
	if (!s2->top) {
		hvm_s2_destroy(vm);
		return -ENOMEM;
	}
	s2->top[0] = s2->fmt->table(__pa(s2->root));
	s2->root_pa = __sme_set(__pa(s2->top));
	return 0;
}

/* The last user is gone: no vCPU can run, no notifier comes. */
void hvm_s2_destroy(struct hvm_vm *vm)
{
	struct hvm_stage2 *s2 = &vm->s2;

	if (s2->root)
		s2_free_tree(s2, s2->root, S2_LEVELS, true);
	free_page((unsigned long)s2->top);
	s2->root = NULL;
	s2->top = NULL;
}
