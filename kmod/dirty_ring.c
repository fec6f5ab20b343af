// SPDX-License-Identifier: GPL-2.0-only
/*
 * dirty_ring.c - the dirty log as a ring for each vCPU
 *
 * A VMM that wants so gets what its guests write to as entries of a ring that is
 * mapped behind the run page, and gives them back when it has read them. A page is
 * in one ring at most: the bitmap of its slot, which userspace is not shown here,
 * says that it is, from the entry until HVM_RESET_DIRTY_RINGS takes that back and
 * write-protects the page. Content may be read after that only, so a write that
 * finds the bit set needs no entry.
 *
 * A ring never overflows: when only the reserve is left, the vCPU leaves with
 * HVM_EXIT_DIRTY_RING_FULL instead of entering the guest. The reserve is for what is
 * written on the way out of it. Userspace that lets calls write to memory (MSRs of
 * clocks) until the reserve is gone, too, does not hear of these writes.
 *
 * Locks: a ring is filled by the vCPU's thread, with preemption off because the
 * preempt notifier writes to guest memory, too. It is emptied under vm->lock and, as
 * bits and mappings change together, s2.lock. `pushed` and `taken` count entries,
 * each written by one side. Userspace may write to entries at any time: the kernel
 * reads back only those up to `pushed`, each field once, and any page may be logged anew.
 */
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include "hvm.h"

#define RESERVE		64	/* pages that one exit may write to, and more */
#define RESET_CHUNK	256	/* entries under one hold of s2.lock */

struct hvm_dirty_ring {
	struct hvm_dirty_gfn *entry;
	u32 nr;			/* a power of two */
	u32 soft_limit;
	u32 pushed;
	u32 taken;
};

/* The processor's own log comes on top, all at once. */
static u32 reserve(struct hvm_vm *vm)
{
	return RESERVE + (vm->s2.fmt->dirty_log ? HVM_HW_LOG_ENTRIES : 0);
}

/**
 * hvm_dirty_ring_enable - HVM_CAP_DIRTY_LOG_RING
 * @vm: the VM, vm->lock held
 * @bytes: of each vCPU's ring
 *
 * Return: 0; -EINVAL not a power of two, too small, there is a vCPU, or it was
 * enabled before; -E2BIG.
 */
int hvm_dirty_ring_enable(struct hvm_vm *vm, u32 bytes)
{
	if (!is_power_of_2(bytes) || bytes < PAGE_SIZE ||
	    bytes < reserve(vm) * sizeof(struct hvm_dirty_gfn))
		return -EINVAL;
	if (bytes > HVM_DIRTY_RING_MAX)
		return -E2BIG;
	if (vm->dirty_ring_bytes || vm->nr_vcpus)
		return -EINVAL;
	vm->dirty_ring_bytes = bytes;
	return 0;
}

int hvm_dirty_ring_create(struct hvm_vcpu *vcpu)
{
	u32 bytes = vcpu->vm->dirty_ring_bytes;
	struct hvm_dirty_ring *ring;

	if (!bytes)
		return 0;
	ring = kzalloc(sizeof(*ring), GFP_KERNEL_ACCOUNT);
	if (!ring)
		return -ENOMEM;
	vcpu->dirty_ring = ring;
	ring->entry = __vmalloc(bytes, GFP_KERNEL_ACCOUNT | __GFP_ZERO | __GFP_NOWARN);
	ring->nr = bytes / sizeof(*ring->entry);
	ring->soft_limit = ring->nr - reserve(vcpu->vm);
	return ring->entry ? 0 : -ENOMEM;
}

void hvm_dirty_ring_destroy(struct hvm_vcpu *vcpu)
{
	if (!vcpu->dirty_ring)
		return;
	vfree(vcpu->dirty_ring->entry);
	kfree(vcpu->dirty_ring);
}

/* Does the mapping of @n pages from page @first on show a part of the ring? */
bool hvm_dirty_ring_mapped(struct hvm_vcpu *vcpu, unsigned long first, unsigned long n)
{
	unsigned long pages = vcpu->vm->dirty_ring_bytes >> PAGE_SHIFT;

	return first < HVM_DIRTY_LOG_PAGE_OFFSET + pages && n &&
	       first + (n - 1) >= HVM_DIRTY_LOG_PAGE_OFFSET;
}

/* A page that hvm_dirty_ring_mapped() knows. */
struct page *hvm_dirty_ring_page(struct hvm_vcpu *vcpu, unsigned long pgoff)
{
	return vmalloc_to_page((void *)vcpu->dirty_ring->entry +
			       ((pgoff - HVM_DIRTY_LOG_PAGE_OFFSET) << PAGE_SHIFT));
}

static u32 used(const struct hvm_dirty_ring *ring)
{
	/* Pairs with take(): an entry that was taken back may be filled again. */
	return ring->pushed - smp_load_acquire(&ring->taken);
}

/**
 * hvm_dirty_ring_push - a page was written, or is about to be
 * @vcpu: by whom, in its thread; interrupts may be off
 * @s: the slot, which logs
 * @offset: page in it
 */
void hvm_dirty_ring_push(struct hvm_vcpu *vcpu, const struct hvm_slot *s, u64 offset)
{
	struct hvm_dirty_ring *ring = vcpu->dirty_ring;
	struct hvm_dirty_gfn *e;

	preempt_disable();
	if (likely(used(ring) < ring->nr) && !test_and_set_bit(offset, s->dirty)) {
		e = &ring->entry[ring->pushed & (ring->nr - 1)];
		WRITE_ONCE(e->slot, s->id);
		WRITE_ONCE(e->offset, offset);
		/* Who sees the flag sees the entry. */
		smp_store_release(&e->flags, HVM_DIRTY_GFN_F_DIRTY);
		smp_store_release(&ring->pushed, ring->pushed + 1);
	}
	if (used(ring) >= ring->soft_limit)
		hvm_request_only(vcpu, HVM_REQ_RING_FULL);
	preempt_enable();
}

/* HVM_REQ_RING_FULL: it stands as long as the ring is full. */
bool hvm_dirty_ring_full(struct hvm_vcpu *vcpu)
{
	if (used(vcpu->dirty_ring) < vcpu->dirty_ring->soft_limit)
		return false;
	hvm_request_only(vcpu, HVM_REQ_RING_FULL);
	return true;
}

/* Take back up to RESET_CHUNK entries that userspace has read; s2.lock held for writing. */
static u32 take(struct hvm_vm *vm, struct hvm_dirty_ring *ring)
{
	u32 n, left = smp_load_acquire(&ring->pushed) - ring->taken;
	struct hvm_dirty_gfn *e;

	for (n = 0; n < min_t(u32, left, RESET_CHUNK); n++) {
		e = &ring->entry[ring->taken & (ring->nr - 1)];
		if (!(smp_load_acquire(&e->flags) & HVM_DIRTY_GFN_F_RESET))
			break;
		hvm_log_anew(vm, READ_ONCE(e->slot), READ_ONCE(e->offset));
		WRITE_ONCE(e->flags, 0);
		smp_store_release(&ring->taken, ring->taken + 1);
	}
	return n;
}

static u32 reset(struct hvm_vm *vm, struct hvm_dirty_ring *ring)
{
	u32 n, sum = 0;

	/* No further than once around, however fast userspace fills it and reads. */
	do {
		write_lock(&vm->s2.lock);
		n = take(vm, ring);
		write_unlock(&vm->s2.lock);
		sum += n;
		cond_resched();
	} while (n == RESET_CHUNK && sum < ring->nr);
	return sum;
}

/**
 * hvm_reset_dirty_rings - HVM_RESET_DIRTY_RINGS: log anew the pages whose entries were read
 * @vm: the VM, vm->lock held
 *
 * Return: the number of entries; -EINVAL: there are no rings.
 */
int hvm_reset_dirty_rings(struct hvm_vm *vm)
{
	struct hvm_vcpu *vcpu;
	int i, n = 0;

	if (!vm->dirty_ring_bytes)
		return -EINVAL;
	/* As in log_run(), memslot.c. */
	atomic_inc(&vm->s2.flushing);
	hvm_for_each_vcpu(i, vcpu, vm)
		n += reset(vm, vcpu->dirty_ring);
	if (n)
		hvm_flush_remote(vm);
	smp_mb__before_atomic();
	atomic_dec(&vm->s2.flushing);
	return n;
}
