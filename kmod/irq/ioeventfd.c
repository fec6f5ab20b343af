// SPDX-License-Identifier: GPL-2.0-only
/*
 * ioeventfd.c - guest writes that signal an eventfd instead of leaving to userspace
 *
 * Each VM has two tables, for ports and for memory, sorted by address and
 * published by RCU: a lookup takes no lock and is a binary search, so it can be
 * done with interrupts off, straight from the exit. Registration makes a new
 * table. No two entries can match the same write, so one signal is sent at most.
 *
 * Locks: vm->irq_lock for changes. A table dropped by a removal carries the
 * eventfd that was removed, and gives it up after the grace period.
 */
#include <linux/preempt.h>
#include <linux/slab.h>
#include "hvm.h"

struct iodev {
	u64 addr;
	u64 datamatch;
	struct eventfd_ctx *ctx;
	u32 len;			/* 0: any, and no datamatch */
	bool any_data;
};

struct hvm_iodev_table {
	struct rcu_head rcu;
	struct eventfd_ctx *dropped;	/* goes with this table */
	u32 nr;
	struct iodev dev[];
};

/* ---- lookup ---- */

/* Index of the first entry at or above @addr. */
static u32 lower_bound(const struct hvm_iodev_table *t, u64 addr)
{
	u32 low = 0, high = t->nr, mid;

	while (low < high) {
		mid = (low + high) / 2;
		if (t->dev[mid].addr < addr)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static struct eventfd_ctx *lookup(const struct hvm_iodev_table *t, u64 addr, u32 len, u64 val)
{
	const struct iodev *d = t->dev + lower_bound(t, addr), *end = t->dev + t->nr;

	for (; d < end && d->addr == addr; d++)
		if (!d->len || (d->len == len && (d->any_data || d->datamatch == val)))
			return d->ctx;
	return NULL;
}

/**
 * hvm_ioeventfd_hit - does a guest's write signal an eventfd?
 * @vm: the VM
 * @mmio: memory or port
 * @addr: address
 * @len: bytes written; 0: not known, so only entries that take any length match
 * @val: what was written
 *
 * Any context. Return: true: signalled, the write is done.
 */
bool hvm_ioeventfd_hit(struct hvm_vm *vm, bool mmio, u64 addr, u32 len, u64 val)
{
	struct eventfd_ctx *ctx = NULL;
	struct hvm_iodev_table *t;

	/* There an eventfd's lock sleeps; the slow path asks again. */
	if (IS_ENABLED(CONFIG_PREEMPT_RT) && irqs_disabled())
		return false;
	if (len < 8)
		val &= BIT_ULL(len * 8) - 1;
	rcu_read_lock();
	t = rcu_dereference(vm->iodevs[mmio]);
	if (t)
		ctx = lookup(t, addr, len, val);
	if (ctx)
		hvm_eventfd_signal(ctx);
	rcu_read_unlock();
	return ctx;
}

/* ---- registration ---- */

static void table_free(struct rcu_head *rcu)
{
	struct hvm_iodev_table *t = container_of(rcu, struct hvm_iodev_table, rcu);

	if (t->dropped)
		eventfd_ctx_put(t->dropped);
	kvfree(t);
}

static struct hvm_iodev_table *table_alloc(u32 nr)
{
	struct hvm_iodev_table *t = kvzalloc(struct_size(t, dev, nr), GFP_KERNEL_ACCOUNT);

	if (t)
		t->nr = nr;
	return t;
}

static struct hvm_iodev_table *table_of(struct hvm_vm *vm, bool mmio)
{
	return rcu_dereference_protected(vm->iodevs[mmio], lockdep_is_held(&vm->irq_lock));
}

/* Could one write match both? */
static bool collide(const struct iodev *a, const struct iodev *b)
{
	if (a->addr != b->addr)
		return false;
	if (!a->len || !b->len)
		return true;
	return a->len == b->len && (a->any_data || b->any_data || a->datamatch == b->datamatch);
}

/* Under vm->irq_lock. */
static int insert(struct hvm_vm *vm, bool mmio, const struct iodev *dev)
{
	struct hvm_iodev_table *other = table_of(vm, !mmio);
	struct hvm_iodev_table *old = table_of(vm, mmio);
	u32 i, at, nr = old ? old->nr : 0;
	struct hvm_iodev_table *new;

	if (nr + (other ? other->nr : 0) >= HVM_MAX_IOEVENTFDS)
		return -ENOSPC;
	for (i = 0; i < nr; i++)
		if (collide(&old->dev[i], dev))
			return -EEXIST;
	new = table_alloc(nr + 1);
	if (!new)
		return -ENOMEM;
	at = old ? lower_bound(old, dev->addr) : 0;
	if (old) {
		memcpy(new->dev, old->dev, at * sizeof(*dev));
		memcpy(new->dev + at + 1, old->dev + at, (nr - at) * sizeof(*dev));
	}
	new->dev[at] = *dev;
	rcu_assign_pointer(vm->iodevs[mmio], new);
	if (old)
		call_rcu(&old->rcu, table_free);
	return 0;
}

/* Under vm->irq_lock. An empty table is none, so that hvm_ioeventfd_any() is one load. */
static int remove_at(struct hvm_vm *vm, bool mmio, struct hvm_iodev_table *old, u32 at)
{
	struct hvm_iodev_table *new = NULL;

	if (old->nr > 1) {
		new = table_alloc(old->nr - 1);
		if (!new)
			return -ENOMEM;
		memcpy(new->dev, old->dev, at * sizeof(new->dev[0]));
		memcpy(new->dev + at, old->dev + at + 1, (new->nr - at) * sizeof(new->dev[0]));
	}
	rcu_assign_pointer(vm->iodevs[mmio], new);
	old->dropped = old->dev[at].ctx;
	call_rcu(&old->rcu, table_free);
	return 0;
}

/* Under vm->irq_lock. */
static int remove(struct hvm_vm *vm, bool mmio, const struct iodev *dev)
{
	struct hvm_iodev_table *t = table_of(vm, mmio);
	struct iodev *d;

	for (d = t ? t->dev : NULL; t && d < t->dev + t->nr; d++)
		if (d->ctx == dev->ctx && d->addr == dev->addr && d->len == dev->len &&
		    d->any_data == dev->any_data &&
		    (d->any_data || d->datamatch == dev->datamatch))
			return remove_at(vm, mmio, t, d - t->dev);
	return -ENOENT;
}

static bool valid(const struct hvm_ioeventfd *a)
{
	const u32 flags = HVM_IOEVENTFD_FLAG_DATAMATCH | HVM_IOEVENTFD_FLAG_PIO |
			  HVM_IOEVENTFD_FLAG_DEASSIGN;

	if (a->flags & ~flags || a->addr + a->len < a->addr)
		return false;
	if (a->len > 8 || (a->len && !is_power_of_2(a->len)))
		return false;
	return a->len || !(a->flags & HVM_IOEVENTFD_FLAG_DATAMATCH);
}

/**
 * hvm_ioeventfd - HVM_IOEVENTFD
 * @vm: the VM
 * @a: address, length, data, eventfd and flags
 *
 * Return: 0; -EINVAL: a length that is not 0, 1, 2, 4 or 8, a range that wraps,
 * flags, any length together with datamatch, or a file that is no eventfd;
 * -EBADF; -EEXIST: a write could match another one too; -ENOENT: nothing to
 * de-assign; -ENOSPC: HVM_MAX_IOEVENTFDS; -ENOMEM.
 */
int hvm_ioeventfd(struct hvm_vm *vm, const struct hvm_ioeventfd *a)
{
	bool mmio = !(a->flags & HVM_IOEVENTFD_FLAG_PIO);
	bool deassign = a->flags & HVM_IOEVENTFD_FLAG_DEASSIGN;
	struct iodev dev = {
		.addr = a->addr, .datamatch = a->datamatch, .len = a->len,
		.any_data = !(a->flags & HVM_IOEVENTFD_FLAG_DATAMATCH),
	};
	int r;

	if (!deassign && !valid(a))
		return -EINVAL;
	dev.ctx = eventfd_ctx_fdget(a->fd);
	if (IS_ERR(dev.ctx))
		return PTR_ERR(dev.ctx);
	mutex_lock(&vm->irq_lock);
	r = deassign ? remove(vm, mmio, &dev) : insert(vm, mmio, &dev);
	mutex_unlock(&vm->irq_lock);
	if (r || deassign)
		eventfd_ctx_put(dev.ctx);
	return r;
}

void hvm_ioeventfd_release_all(struct hvm_vm *vm)
{
	struct hvm_iodev_table *t;
	int i, bus;

	for (bus = 0; bus < 2; bus++) {
		t = rcu_dereference_protected(vm->iodevs[bus], true);
		RCU_INIT_POINTER(vm->iodevs[bus], NULL);
		for (i = 0; t && i < t->nr; i++)
			eventfd_ctx_put(t->dev[i].ctx);
		kvfree(t);
	}
}
