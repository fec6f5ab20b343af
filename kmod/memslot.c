// SPDX-License-Identifier: GPL-2.0-only
/*
 * memslot.c - guest-physical memory: slots, the mmu notifier, the dirty log
 *
 * Slots. A slot lends a range of the VMM's address space to the guest. All slots
 * of a VM stand in one array, sorted by guest address; slots themselves never
 * change once they are in it. Writers hold vm->lock, and change the array with
 * s2.lock held for writing, together with raising s2.seq and removing what
 * stage 2 got from the old slot: thus the notifier, which looks under the same
 * lock, always sees a slot whose mappings may exist, and a fault that finds
 * s2.seq unchanged under s2.lock knows that the slot it copied is current.
 * Others read under RCU, look again if slots_seq tells that the array changed
 * meanwhile, and copy the slot out; nobody waits for a grace period, slots and
 * arrays that became too small are freed after one. There may be thousands of
 * slots, and a VMM that changes them often: vm->slot_ids finds one by its
 * number, vm->hva_slots those behind a range of the VMM's addresses.
 *
 * Dirty log. A bitmap belongs to the slot that logs, and to its successors when
 * only flags or place change; it is freed after a grace period. Faults set bits
 * with s2.lock held for reading, GET and CLEAR take bits and write-protect with
 * it held for writing, so no write falls between. The kernel's own writes mark
 * the page after they wrote.
 *
 * Notifier. struct hvm_notifier outlives the VM: the kernel frees it when no
 * callback can still be running, and nobody waits for that (but the module's
 * exit). A callback uses the VM only with a reference on ->active, which
 * hvm_memslots_destroy() takes away.
 */
#include <linux/completion.h>
#include <linux/interval_tree.h>
#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/rcupdate.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "hvm.h"

#define HVM_SLOT_FLAGS	(HVM_MEM_LOG_DIRTY_PAGES | HVM_MEM_READONLY)
#define WRPROTECT_CHUNK	(1UL << 18)	/* pages done under one hold of s2.lock: 1 GiB */
#define DIRTY_CHUNK	32	/* words of bitmap, likewise */

#define MIN_ROOM	16	/* slots that the first array holds */

/* What the array's pointers point into. */
struct slot_node {
	struct hvm_slot slot;		/* first: kfree_rcu() is given this */
	struct interval_tree_node hva;	/* in vm->hva_slots */
};

struct hvm_bitmap {
	struct rcu_head rcu;
	unsigned long bits[];
};

struct hvm_notifier {
	struct mmu_notifier mn;
	struct hvm_vm *vm;		/* use with a reference on active */
	refcount_t active;		/* one of the VM, one of each callback */
	struct completion idle;
};

/* ---- looking up ---- */

static bool slot_has(const struct hvm_slot *s, gfn_t gfn)
{
	return gfn - s->base < s->npages;
}

/* Index of the first slot whose base is above @gfn. */
static u32 slot_above(const struct hvm_slots *slots, gfn_t gfn)
{
	u32 lo = 0, hi = READ_ONCE(slots->nr), mid;

	while (lo < hi) {
		mid = (lo + hi) / 2;
		if (READ_ONCE(slots->slot[mid])->base > gfn)
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo;
}

/* Each index is below nr as it was, so what is found is a slot, if perhaps the wrong one. */
static const struct hvm_slot *slot_lookup(struct hvm_slots *slots, gfn_t gfn)
{
	u32 i = READ_ONCE(slots->hint);
	const struct hvm_slot *s;

	if (likely(i < READ_ONCE(slots->nr))) {
		s = READ_ONCE(slots->slot[i]);
		if (likely(slot_has(s, gfn)))
			return s;
	}
	i = slot_above(slots, gfn);
	if (!i)
		return NULL;
	s = READ_ONCE(slots->slot[i - 1]);
	if (!slot_has(s, gfn))
		return NULL;
	WRITE_ONCE(slots->hint, i - 1);
	return s;
}

/* Under RCU, which keeps the slot. */
static const struct hvm_slot *slot_find(struct hvm_vm *vm, gfn_t gfn)
{
	const struct hvm_slot *s;
	unsigned int seq;

	do {
		seq = read_seqcount_begin(&vm->slots_seq);
		s = slot_lookup(rcu_dereference(vm->slots), gfn);
	} while (unlikely(read_seqcount_retry(&vm->slots_seq, seq)));
	return s;
}

bool hvm_slot_find(struct hvm_vm *vm, gfn_t gfn, struct hvm_slot *out)
{
	const struct hvm_slot *s;

	rcu_read_lock();
	s = slot_find(vm, gfn);
	if (s)
		*out = *s;
	rcu_read_unlock();
	return s;
}

/**
 * hvm_mark_dirty_list - these pages were written
 * @vcpu: by whom, in its thread; interrupts may be off
 * @gpa: an address in each
 * @n: how many
 *
 * Most are neighbours: a slot is looked up only where the one before has not the page.
 */
void hvm_mark_dirty_list(struct hvm_vcpu *vcpu, const u64 *gpa, u32 n)
{
	const struct hvm_slot *s = NULL;
	gfn_t gfn;

	rcu_read_lock();
	for (; n--; gpa++) {
		gfn = hvm_gfn(*gpa);
		if (unlikely(!s || !slot_has(s, gfn)))
			s = slot_find(vcpu->vm, gfn);
		/* Locked even if set already: the write that it tells of must come first. */
		if (s && s->dirty)
			hvm_slot_dirtied(vcpu, s, gfn);
	}
	rcu_read_unlock();
}

void hvm_mark_dirty(struct hvm_vcpu *vcpu, gfn_t gfn)
{
	hvm_mark_dirty_list(vcpu, &(u64){ gfn << PAGE_SHIFT }, 1);
}

/* ---- the kernel's own accesses to guest memory ---- */

/* How many of @len bytes at @gpa lie in its slot, and where: 0 when there is none. */
static u32 gpa_span(struct hvm_vm *vm, gpa_t gpa, u32 len, bool write, void __user **p)
{
	struct hvm_slot s;
	u64 offset;

	/* Slots are addresses in the VMM's memory: nothing to see from elsewhere. */
	if (current->mm != vm->mm || !hvm_slot_find(vm, hvm_gfn(gpa), &s))
		return 0;
	if (write && s.flags & HVM_MEM_READONLY)
		return 0;
	offset = gpa - (s.base << PAGE_SHIFT);
	*p = (void __user *)(s.hva + offset);
	return min_t(u64, len, (s.npages << PAGE_SHIFT) - offset);
}

int hvm_read_gpa(struct hvm_vm *vm, gpa_t gpa, void *buf, u32 len)
{
	void __user *p;
	u32 n;

	for (; len; len -= n, gpa += n, buf += n) {
		n = gpa_span(vm, gpa, len, false, &p);
		if (!n || copy_from_user(buf, p, n))
			return -EFAULT;
	}
	return 0;
}

int hvm_write_gpa(struct hvm_vcpu *vcpu, gpa_t gpa, const void *buf, u32 len)
{
	unsigned long left;
	void __user *p;
	gfn_t gfn;
	u32 n;

	for (; len; len -= n, gpa += n, buf += n) {
		n = gpa_span(vcpu->vm, gpa, len, true, &p);
		if (!n)
			return -EFAULT;
		left = copy_to_user(p, buf, n);
		for (gfn = hvm_gfn(gpa); gfn <= hvm_gfn(gpa + n - 1); gfn++)
			hvm_mark_dirty(vcpu, gfn);
		if (left)
			return -EFAULT;
	}
	return 0;
}

/* ---- changing slots: [M] held ---- */

static struct hvm_slots *slots_locked(struct hvm_vm *vm)
{
	return rcu_dereference_protected(vm->slots, lockdep_is_held(&vm->lock));
}

static struct hvm_slot *slot_by_id(struct hvm_vm *vm, u16 id)
{
	return xa_load(&vm->slot_ids, id);
}

static struct slot_node *node_of(struct hvm_slot *s)
{
	return container_of(s, struct slot_node, slot);
}

static bool slot_overlaps(struct hvm_vm *vm, const struct hvm_slot *new, const struct hvm_slot *old)
{
	struct hvm_slots *slots = slots_locked(vm);
	const struct hvm_slot *s;
	u32 i;

	for (i = slot_above(slots, new->base + new->npages - 1); i--;) {
		s = slots->slot[i];
		if (s == old)
			continue;
		return s->base + s->npages > new->base;
	}
	return false;
}

/* Make room for one more. */
static int slots_reserve(struct hvm_vm *vm)
{
	struct hvm_slots *from = slots_locked(vm), *to;
	u32 room;

	if (from->nr < from->room)
		return 0;
	room = max(from->room * 2, MIN_ROOM);
	to = kvmalloc(struct_size(to, slot, room), GFP_KERNEL_ACCOUNT);
	if (!to)
		return -ENOMEM;
	memcpy(to, from, struct_size(from, slot, from->nr));
	to->room = room;
	rcu_assign_pointer(vm->slots, to);
	kvfree_rcu(from, rcu);
	return 0;
}

/*
 * s2.lock held for writing. Readers see each pointer whole, and look again. They
 * wait meanwhile, some with a run queue's lock held: so nothing may interrupt this.
 */
static void slots_change(struct hvm_vm *vm, struct hvm_slot *old, struct hvm_slot *new)
{
	struct hvm_slots *slots = slots_locked(vm);
	u32 i, n = slots->nr;

	local_irq_disable();
	write_seqcount_begin(&vm->slots_seq);
	if (old) {
		interval_tree_remove(&node_of(old)->hva, &vm->hva_slots);
		for (i = slot_above(slots, old->base); i < n; i++)
			WRITE_ONCE(slots->slot[i - 1], slots->slot[i]);
		WRITE_ONCE(slots->nr, --n);
	}
	if (new) {
		interval_tree_insert(&node_of(new)->hva, &vm->hva_slots);
		for (i = n; i && slots->slot[i - 1]->base > new->base; i--)
			WRITE_ONCE(slots->slot[i], slots->slot[i - 1]);
		WRITE_ONCE(slots->slot[i], new);
		smp_store_release(&slots->nr, n + 1);	/* behind what it counts */
	}
	write_seqcount_end(&vm->slots_seq);
	local_irq_enable();
}

static void bitmap_free_rcu(struct rcu_head *rcu)
{
	kvfree(container_of(rcu, struct hvm_bitmap, rcu));
}

static struct hvm_bitmap *to_bitmap(unsigned long *bits)
{
	return container_of(bits, struct hvm_bitmap, bits[0]);
}

/* All pages count as written when the log begins; never with rings, which could not say so. */
static bool initially_set(struct hvm_vm *vm)
{
	return vm->manual_dirty & HVM_DIRTY_LOG_INITIALLY_SET && !vm->dirty_ring_bytes;
}

static int slot_alloc_bitmap(struct hvm_vm *vm, struct hvm_slot *s)
{
	struct hvm_bitmap *b;

	b = kvzalloc(struct_size(b, bits, BITS_TO_LONGS(s->npages)), GFP_KERNEL_ACCOUNT);
	if (!b)
		return -ENOMEM;
	if (initially_set(vm))
		bitmap_set(b->bits, 0, s->npages);
	s->dirty = b->bits;
	WRITE_ONCE(vm->s2.logged, true);
	return 0;
}

/*
 * Remove what stage 2 has of a slot that is gone from @slots, and of the gap
 * around its place: tables that served only this slot go with it.
 */
static bool slot_zap(struct hvm_vm *vm, const struct hvm_slots *slots, const struct hvm_slot *gone)
{
	gfn_t start = 0, end = 1ULL << HVM_S2_GFN_BITS;
	u32 i = slot_above(slots, gone->base);

	if (i)
		start = min(slots->slot[i - 1]->base + slots->slot[i - 1]->npages, gone->base);
	if (i < slots->nr)
		end = max(slots->slot[i]->base, gone->base + gone->npages);
	return hvm_s2_apply(vm, start, end, HVM_S2_ZAP);
}

static void slot_wrprotect(struct hvm_vm *vm, const struct hvm_slot *s)
{
	gfn_t gfn = s->base, end = s->base + s->npages, next;

	for (; gfn < end; gfn = next) {
		next = min(end, gfn + WRPROTECT_CHUNK);
		write_lock(&vm->s2.lock);
		hvm_s2_unlock(vm, hvm_s2_apply(vm, gfn, next, HVM_S2_WRPROTECT), true);
		cond_resched();
	}
}

/* Put @new in the place of @old; either may be NULL. Publishing and removing are one step. */
static int slot_replace(struct hvm_vm *vm, struct hvm_slot *old, struct hvm_slot *new)
{
	bool flush = false;
	int r;

	r = new ? slots_reserve(vm) : 0;
	if (!r)
		r = xa_err(new ? xa_store(&vm->slot_ids, new->id, new, GFP_KERNEL_ACCOUNT) :
				 xa_erase(&vm->slot_ids, old->id));
	if (r)
		return r;
	write_lock(&vm->s2.lock);
	slots_change(vm, old, new);
	/* Pairs with hvm_fetch_insn(): who sees the number sees the array. */
	smp_store_release(&vm->slots_gen, vm->slots_gen + 1);
	vm->s2.seq++;
	if (old && (!new || new->base != old->base))
		flush = slot_zap(vm, slots_locked(vm), old);
	else if (old && old->dirty && !new->dirty)
		/* Large pages may come back. */
		flush = hvm_s2_apply(vm, old->base, old->base + old->npages, HVM_S2_ZAP);
	hvm_s2_unlock(vm, flush, true);

	if (old && new && !old->dirty && new->dirty &&
	    !initially_set(vm))
		slot_wrprotect(vm, new);
	if (old && old->dirty && (!new || !new->dirty))
		call_rcu(&to_bitmap(old->dirty)->rcu, bitmap_free_rcu);
	if (old)
		kfree_rcu(old, rcu);
	return 0;
}

static bool region_valid(const struct hvm_userspace_memory_region *r)
{
	return !(r->flags & ~HVM_SLOT_FLAGS) &&
	       PAGE_ALIGNED(r->memory_size) && PAGE_ALIGNED(r->guest_phys_addr) &&
	       PAGE_ALIGNED(r->userspace_addr) &&
	       access_ok((void __user *)(unsigned long)r->userspace_addr, r->memory_size) &&
	       r->slot < HVM_MAX_SLOTS &&	/* bits 16 and up: no second address space */
	       r->guest_phys_addr <= ~r->memory_size &&
	       r->memory_size >> PAGE_SHIFT <= HVM_MAX_SLOT_PAGES;
}

/* The first page that guests cannot have: what the processor and four levels reach. */
static gfn_t gfn_limit(void)
{
	return 1ULL << min(boot_cpu_data.x86_phys_bits - PAGE_SHIFT, HVM_S2_GFN_BITS);
}

static int slot_set(struct hvm_vm *vm, struct hvm_slot *old, struct hvm_slot *new)
{
	int r;

	if (old) {
		if (new->hva != old->hva || new->npages != old->npages ||
		    (new->flags ^ old->flags) & HVM_MEM_READONLY)
			return -EINVAL;
		if (new->base == old->base && new->flags == old->flags)
			return 0;
	}
	if (slot_overlaps(vm, new, old))
		return -EEXIST;
	if (new->base + new->npages > gfn_limit())
		return -EINVAL;

	if (!(new->flags & HVM_MEM_LOG_DIRTY_PAGES))
		return slot_replace(vm, old, new);
	if (old && old->dirty) {
		new->dirty = old->dirty;
		return slot_replace(vm, old, new);
	}
	r = slot_alloc_bitmap(vm, new);
	if (r)
		return r;
	r = slot_replace(vm, old, new);
	if (r)
		kvfree(to_bitmap(new->dirty));
	return r;
}

/**
 * hvm_set_memory_region - SET_USER_MEMORY_REGION: create, move, change or delete a slot
 * @vm: the VM, vm->lock held
 * @r: from userspace
 *
 * Return: 0; -EINVAL sizes, alignment, flags, slot number, addresses, a change
 * of size, backing or HVM_MEM_READONLY, deleting what is not there; -EEXIST
 * another slot is in the way; -ENOMEM.
 */
int hvm_set_memory_region(struct hvm_vm *vm, const struct hvm_userspace_memory_region *r)
{
	struct hvm_slot *old, *new;
	struct slot_node *node;
	int ret;

	lockdep_assert_held(&vm->lock);
	if (!region_valid(r))
		return -EINVAL;
	old = slot_by_id(vm, r->slot);
	if (!r->memory_size)
		return old ? slot_replace(vm, old, NULL) : -EINVAL;

	node = kzalloc(sizeof(*node), GFP_KERNEL_ACCOUNT);
	if (!node)
		return -ENOMEM;
	node->hva.start = r->userspace_addr;
	node->hva.last = r->userspace_addr + r->memory_size - 1;
	new = &node->slot;
	new->id = r->slot;
	new->base = hvm_gfn(r->guest_phys_addr);
	new->npages = r->memory_size >> PAGE_SHIFT;
	new->hva = r->userspace_addr;
	new->flags = r->flags;
	ret = slot_set(vm, old, new);
	if (ret || slot_by_id(vm, r->slot) != new)
		kfree(new);
	return ret;
}

/* ---- the dirty log: [M] held ---- */

static struct hvm_slot *log_slot(struct hvm_vm *vm, u32 id)
{
	struct hvm_slot *s;

	lockdep_assert_held(&vm->lock);
	if (vm->dirty_ring_bytes)
		return ERR_PTR(-ENXIO);
	if (id >= HVM_MAX_SLOTS)
		return ERR_PTR(-EINVAL);
	s = slot_by_id(vm, id);
	return s && s->dirty ? s : ERR_PTR(-ENOENT);
}

/*
 * Take the bits in @words (those that @mask names, or all) out of the bitmap, from
 * word @first on, and write-protect their pages. @words gets what was taken.
 */
static bool log_take(struct hvm_vm *vm, const struct hvm_slot *s, unsigned long first,
		     unsigned long *words, unsigned long n, bool masked)
{
	unsigned long *p = s->dirty + first, i, w;
	bool flush = false;
	gfn_t gfn;

	write_lock(&vm->s2.lock);
	for (i = 0; i < n; i++, p++) {
		w = masked ? words[i] : ULONG_MAX;
		if (READ_ONCE(*p) & w)
			w &= atomic_long_fetch_andnot(w, (atomic_long_t *)p);
		else
			w = 0;
		words[i] = w;
		gfn = s->base + (first + i) * BITS_PER_LONG;
		if (w)
			flush |= hvm_s2_wrprotect_mask(vm, gfn, w);
	}
	write_unlock(&vm->s2.lock);
	return flush;
}

/* GET (from the start) and CLEAR (of @n words from @first on) in pieces, and one flush for all. */
static int log_run(struct hvm_vm *vm, const struct hvm_slot *s, unsigned long first,
		   unsigned long n, void __user *user, bool clear)
{
	bool keep = !clear && vm->manual_dirty & HVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE;
	unsigned long words[DIRTY_CHUNK], m, i;
	bool flush = false;
	int r = 0;

	/* The flush comes at the end: a removal by another must not rely on us until then. */
	atomic_inc(&vm->s2.flushing);
	/* What processors have logged is in the bitmap once their guests have exited. */
	if (vm->s2.fmt->dirty_log && !clear)
		hvm_flush_remote(vm);
	for (; n && !r; n -= m, first += m, user += m * sizeof(long)) {
		m = min_t(unsigned long, n, DIRTY_CHUNK);
		if (clear && copy_from_user(words, user, m * sizeof(long))) {
			r = -EFAULT;
			break;
		}
		if (keep)
			for (i = 0; i < m; i++)
				words[i] = READ_ONCE(s->dirty[first + i]);
		else
			flush |= log_take(vm, s, first, words, m, clear);
		if (!clear && copy_to_user(user, words, m * sizeof(long)))
			r = -EFAULT;
		cond_resched();
	}
	if (flush)
		hvm_flush_remote(vm);
	/* As in hvm_s2_unlock(). */
	smp_mb__before_atomic();
	atomic_dec(&vm->s2.flushing);
	return r;
}

/**
 * hvm_get_dirty_log - GET_DIRTY_LOG: which pages changed since the last call
 * @vm: the VM, vm->lock held
 * @log: slot and where to put the bitmap
 *
 * Unless CAP_MANUAL_DIRTY_LOG_PROTECT2 says otherwise, the log starts anew.
 *
 * Return: 0; -EINVAL no such slot number; -ENOENT the slot does not exist or
 * does not log; -ENXIO the log is in rings; -EFAULT.
 */
int hvm_get_dirty_log(struct hvm_vm *vm, const struct hvm_dirty_log *log)
{
	struct hvm_slot *s = log_slot(vm, log->slot);

	if (IS_ERR(s))
		return PTR_ERR(s);
	return log_run(vm, s, 0, BITS_TO_LONGS(s->npages),
		       (void __user *)(unsigned long)log->padding2, false);
}

/**
 * hvm_clear_dirty_log - CLEAR_DIRTY_LOG: log these pages anew
 * @vm: the VM, vm->lock held
 * @log: slot, pages, and a bitmap that says which of them
 *
 * Return: as hvm_get_dirty_log(); -EINVAL also if the range leaves the slot or is
 * not made of groups of 64 pages (the slot's last may be shorter).
 */
int hvm_clear_dirty_log(struct hvm_vm *vm, const struct hvm_clear_dirty_log *log)
{
	struct hvm_slot *s;
	u64 n = log->num_pages, rest;

	if (log->first_page & (BITS_PER_LONG - 1))
		return -EINVAL;
	s = log_slot(vm, log->slot);
	if (IS_ERR(s))
		return PTR_ERR(s);
	if (log->first_page > s->npages)
		return -EINVAL;
	rest = s->npages - log->first_page;
	if (n > rest || (n < rest && n & (BITS_PER_LONG - 1)))
		return -EINVAL;
	return log_run(vm, s, log->first_page / BITS_PER_LONG, BITS_TO_LONGS(n),
		       (void __user *)(unsigned long)log->padding2, true);
}

/* Page @offset of slot @id, as userspace has it, counts as not written; s2.lock held for writing. */
void hvm_log_anew(struct hvm_vm *vm, u32 id, u64 offset)
{
	struct hvm_slot *s = id < HVM_MAX_SLOTS ? slot_by_id(vm, id) : NULL;

	if (!s || !s->dirty || offset >= s->npages)
		return;
	clear_bit(offset, s->dirty);
	hvm_s2_wrprotect_mask(vm, s->base + offset, 1);
}

/* ---- mmu notifier ---- */

static struct hvm_vm *notifier_get(struct mmu_notifier *mn)
{
	struct hvm_notifier *nt = container_of(mn, struct hvm_notifier, mn);

	return refcount_inc_not_zero(&nt->active) ? nt->vm : NULL;
}

static void notifier_put(struct mmu_notifier *mn)
{
	struct hvm_notifier *nt = container_of(mn, struct hvm_notifier, mn);

	if (refcount_dec_and_test(&nt->active))
		complete(&nt->idle);
}

/*
 * Do @op to all guest pages backed by [start, end); s2.lock held for writing.
 * Returns what hvm_s2_apply() said, for HVM_S2_NOTHING whether there are any.
 */
static bool hva_range(struct hvm_vm *vm, unsigned long start, unsigned long end, enum hvm_s2_op op)
{
	struct interval_tree_node *n;
	const struct hvm_slot *s;
	unsigned long lo, hi;
	bool hit = false;
	gfn_t first, last;

	lockdep_assert_held_write(&vm->s2.lock);
	for (n = interval_tree_iter_first(&vm->hva_slots, start, end - 1); n;
	     n = interval_tree_iter_next(n, start, end - 1)) {
		s = &container_of(n, struct slot_node, hva)->slot;
		lo = max(start, s->hva);
		hi = min(end, n->last + 1);
		first = s->base + ((lo - s->hva) >> PAGE_SHIFT);
		last = s->base + ((hi - s->hva + PAGE_SIZE - 1) >> PAGE_SHIFT);
		if (op == HVM_S2_NOTHING)
			return true;
		hit |= hvm_s2_apply(vm, first, last, op);
	}
	return hit;
}

/* Nothing here sleeps when it must not, so ranges are never refused. */
static int notifier_start(struct mmu_notifier *mn, const struct mmu_notifier_range *range)
{
	struct hvm_vm *vm = notifier_get(mn);
	struct hvm_stage2 *s2;

	if (!vm)
		return 0;
	s2 = &vm->s2;
	write_lock(&s2->lock);
	if (s2->invalidating++) {
		s2->inv_start = min(s2->inv_start, range->start);
		s2->inv_end = max(s2->inv_end, range->end);
	} else {
		s2->inv_start = range->start;
		s2->inv_end = range->end;
	}
	hvm_s2_unlock(vm, hva_range(vm, range->start, range->end, HVM_S2_ZAP),
		      mmu_notifier_range_blockable(range));
	notifier_put(mn);
	return 0;
}

static void notifier_end(struct mmu_notifier *mn, const struct mmu_notifier_range *range)
{
	struct hvm_vm *vm = notifier_get(mn);
	struct hvm_stage2 *s2;

	if (!vm)
		return;
	s2 = &vm->s2;
	write_lock(&s2->lock);
	/* A fault that looked at the page between start and now must not map it. */
	if (hva_range(vm, range->start, range->end, HVM_S2_NOTHING))
		s2->seq++;
	s2->invalidating--;
	write_unlock(&s2->lock);
	notifier_put(mn);
}

static bool notifier_young(struct mmu_notifier *mn, unsigned long start, unsigned long end,
			   enum hvm_s2_op op)
{
	struct hvm_vm *vm = notifier_get(mn);
	bool young;

	if (!vm)
		return false;
	write_lock(&vm->s2.lock);
	young = hva_range(vm, start, end, op);
	/*
	 * An A bit that is cleared without a flush only makes a page look idle
	 * that is in a TLB, as on the host itself; a removal must be flushed.
	 */
	if (op == HVM_S2_CLEAR_YOUNG && !vm->s2.fmt->accessed)
		hvm_s2_unlock(vm, young, false);
	else
		write_unlock(&vm->s2.lock);
	notifier_put(mn);
	return young;
}

static hvm_young_t notifier_clear_flush_young(struct mmu_notifier *mn, struct mm_struct *mm,
					      unsigned long start, unsigned long end)
{
	return notifier_young(mn, start, end, HVM_S2_CLEAR_YOUNG);
}

static hvm_young_t notifier_test_young(struct mmu_notifier *mn, struct mm_struct *mm,
				       unsigned long addr)
{
	return notifier_young(mn, addr, addr + PAGE_SIZE, HVM_S2_TEST_YOUNG);
}

/* The address space dies: nothing of it may stay mapped. */
static void notifier_release(struct mmu_notifier *mn, struct mm_struct *mm)
{
	struct hvm_vm *vm = notifier_get(mn);

	if (!vm)
		return;
	write_lock(&vm->s2.lock);
	vm->s2.seq++;
	hvm_s2_unlock(vm, hvm_s2_apply(vm, 0, 1ULL << HVM_S2_GFN_BITS, HVM_S2_ZAP), true);
	notifier_put(mn);
}

static void notifier_free(struct mmu_notifier *mn)
{
	kfree(container_of(mn, struct hvm_notifier, mn));
}

static const struct mmu_notifier_ops notifier_ops = {
	.invalidate_range_start	= notifier_start,
	.invalidate_range_end	= notifier_end,
	.clear_flush_young	= notifier_clear_flush_young,
	.clear_young		= notifier_clear_flush_young,
	.test_young		= notifier_test_young,
	.release		= notifier_release,
	.free_notifier		= notifier_free,
};

/* ---- life ---- */

int hvm_memslots_init(struct hvm_vm *vm)
{
	struct hvm_notifier *nt = kzalloc(sizeof(*nt), GFP_KERNEL_ACCOUNT);
	struct hvm_slots *slots = kvzalloc(sizeof(*slots), GFP_KERNEL_ACCOUNT);
	int r = -ENOMEM;

	if (!nt || !slots)
		goto err;
	nt->mn.ops = &notifier_ops;
	nt->vm = vm;
	refcount_set(&nt->active, 1);
	init_completion(&nt->idle);
	RCU_INIT_POINTER(vm->slots, slots);
	seqcount_init(&vm->slots_seq);
	xa_init(&vm->slot_ids);
	vm->hva_slots = RB_ROOT_CACHED;
	vm->slots_gen = 1;
	r = mmu_notifier_register(&nt->mn, vm->mm);
	if (r)
		goto err;
	vm->notifier = nt;
	return 0;
err:
	RCU_INIT_POINTER(vm->slots, NULL);
	kvfree(slots);
	kfree(nt);
	return r;
}

/* The last user is gone, so only notifier callbacks may still look at the slots. */
void hvm_memslots_destroy(struct hvm_vm *vm)
{
	struct hvm_slots *slots = rcu_dereference_protected(vm->slots, true);
	struct hvm_notifier *nt = vm->notifier;
	u32 i;

	/* Those under way are short; those to come find no VM. */
	if (!refcount_dec_and_test(&nt->active))
		wait_for_completion(&nt->idle);
	mmu_notifier_put(&nt->mn);

	for (i = 0; i < slots->nr; i++) {
		if (slots->slot[i]->dirty)
			kvfree(to_bitmap(slots->slot[i]->dirty));
		kfree(slots->slot[i]);
	}
	kvfree(slots);
	xa_destroy(&vm->slot_ids);
	RCU_INIT_POINTER(vm->slots, NULL);
	vm->notifier = NULL;
}

void hvm_memslots_exit(void)
{
	mmu_notifier_synchronize();
	rcu_barrier();
}
