// SPDX-License-Identifier: GPL-2.0-only
/*
 * coalesced.c - writes that queue up for userspace instead of leaving to it
 *
 * A VM has one ring, a page that each of its vCPUs' mappings shows; a write into
 * a registered zone of memory or ports goes there, and the vCPU runs on.
 * Userspace empties it at the next exit of its own accord. A full ring, or one
 * whose indices userspace has spoilt, lets the write exit as any other.
 *
 * The page comes with whoever needs it first, a registration or a page fault, so
 * VMs that do not coalesce do without.
 *
 * Locks: vm->irq_lock for changes of the zones, which are published by RCU;
 * vm->ring_lock for writers of the ring. Userspace writes the page whenever it
 * likes, so every index is read once and checked.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include "../hvm.h"

#define MAX_ZONES	1000		/* per VM */

struct hvm_zone_table {
	struct rcu_head rcu;
	u32 nr;
	struct hvm_coalesced_mmio_zone zone[];
};

/* Is all of [@addr, @addr + @len) in the zone? */
static bool covers(const struct hvm_coalesced_mmio_zone *z, u32 pio, u64 addr, u32 len)
{
	return z->pio == pio && addr >= z->addr && len <= z->size &&
	       addr - z->addr <= z->size - len;
}

static bool registered(struct hvm_vm *vm, bool pio, u64 addr, u32 len)
{
	struct hvm_zone_table *t;
	bool hit = false;
	u32 i;

	rcu_read_lock();
	t = rcu_dereference(vm->zones);
	for (i = 0; t && i < t->nr && !hit; i++)
		hit = covers(&t->zone[i], pio, addr, len);
	rcu_read_unlock();
	return hit;
}

static bool enqueue(struct hvm_vm *vm, bool pio, u64 addr, u32 len, const void *data)
{
	struct hvm_coalesced_mmio_ring *ring = page_address(vm->ring);
	struct hvm_coalesced_mmio *e;
	bool room;
	u32 last;

	spin_lock(&vm->ring_lock);
	last = READ_ONCE(ring->last);
	room = last < HVM_COALESCED_MMIO_MAX &&
	       (last + 1) % HVM_COALESCED_MMIO_MAX != READ_ONCE(ring->first);
	if (room) {
		e = &ring->coalesced_mmio[last];
		memset(e, 0, sizeof(*e));
		e->phys_addr = addr;
		e->len = len;
		e->pio = pio;
		memcpy(e->data, data, len);
		/* Who sees the index sees the entry. */
		smp_store_release(&ring->last, (last + 1) % HVM_COALESCED_MMIO_MAX);
	}
	spin_unlock(&vm->ring_lock);
	return room;
}

/**
 * hvm_coalesce - queue a guest's write
 * @vm: the VM; process context
 * @pio: port or memory
 * @addr: where
 * @len: bytes, at most 8
 * @data: what was written
 *
 * Return: false: no zone, or no room; it is userspace's now.
 */
bool hvm_coalesce(struct hvm_vm *vm, bool pio, u64 addr, u32 len, const void *data)
{
	return rcu_access_pointer(vm->zones) && registered(vm, pio, addr, len) &&
	       enqueue(vm, pio, addr, len, data);
}

/* The ring's page, or NULL without memory. Any task may be the first. */
struct page *hvm_ring_page(struct hvm_vm *vm)
{
	struct page *page = READ_ONCE(vm->ring);

	if (page)
		return page;
	page = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	if (page && cmpxchg(&vm->ring, NULL, page))
		__free_page(page);
	return READ_ONCE(vm->ring);
}

/* Under vm->irq_lock: the zones without those that cover @z, and with @add if that is not NULL. */
static int replace(struct hvm_vm *vm, const struct hvm_coalesced_mmio_zone *z,
		   const struct hvm_coalesced_mmio_zone *add)
{
	struct hvm_zone_table *old, *new;
	u32 i, nr;

	old = rcu_dereference_protected(vm->zones, lockdep_is_held(&vm->irq_lock));
	nr = old ? old->nr : 0;
	if (add && nr >= MAX_ZONES)
		return -ENOSPC;
	new = kvzalloc(struct_size(new, zone, nr + 1), GFP_KERNEL_ACCOUNT);
	if (!new)
		return -ENOMEM;
	for (i = 0; i < nr; i++)
		if (!z || !covers(&old->zone[i], z->pio, z->addr, z->size))
			new->zone[new->nr++] = old->zone[i];
	if (add)
		new->zone[new->nr++] = *add;
	rcu_assign_pointer(vm->zones, new);
	if (old)
		kvfree_rcu(old, rcu);
	return 0;
}

/**
 * hvm_coalesced_zone - HVM_REGISTER_COALESCED_MMIO, HVM_UNREGISTER_COALESCED_MMIO
 * @vm: the VM
 * @z: the zone; to unregister: what lies in all the zones that are to go
 * @add: which of the two
 *
 * Return: 0; -EINVAL: pio above 1; -ENOSPC; -ENOMEM.
 */
int hvm_coalesced_zone(struct hvm_vm *vm, const struct hvm_coalesced_mmio_zone *z, bool add)
{
	int r;

	if (z->pio > 1)
		return -EINVAL;
	if (add && !hvm_ring_page(vm))
		return -ENOMEM;
	mutex_lock(&vm->irq_lock);
	r = replace(vm, add ? NULL : z, add ? z : NULL);
	mutex_unlock(&vm->irq_lock);
	return r;
}

void hvm_coalesced_destroy(struct hvm_vm *vm)
{
	kvfree(rcu_dereference_protected(vm->zones, true));
	if (vm->ring)
		put_page(vm->ring);
}
