// SPDX-License-Identifier: GPL-2.0-only
/*
 * irqfd.c - eventfds that raise GSIs
 *
 * hvm sits on the eventfd's wait queue: the wake-up callback takes the count
 * and sends the GSI's message, or an edge to its pins, right there, with
 * interrupts off, in the context of whoever wrote the eventfd. A resampling irqfd
 * is for level-triggered pins: the line stays up until the guest's EOI, which
 * lowers it and signals a second eventfd, and whoever holds the line raises it
 * again if it is still up. All resampling irqfds of a GSI hold one line.
 *
 * Life. An irqfd ends by de-assignment, when its VM's fd closes, or when the
 * last file of its eventfd closes, which the callback learns as EPOLLHUP with
 * the wait queue's lock held and hands to a work item. Whoever sets `dying`
 * first does the taking down; de-assignment waits for work items under way, so
 * that no interrupt comes after it returned. An irqfd holds no reference to its
 * VM: hvm_irqfd_release_all() comes before the VM goes, and waits for them too.
 *
 * Locks: vm->irq_lock for both lists; the EOI path walks vm->resamplers under
 * RCU; a wait queue's own lock orders callback and removal.
 */
#include <linux/file.h>
#include <linux/poll.h>
#include <linux/rculist.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include "hvm.h"

struct irqfd {
	struct hvm_vm *vm;		/* [C] */
	u32 gsi;			/* [C] */
	struct eventfd_ctx *ctx;	/* [C] */
	struct eventfd_ctx *resample;	/* [C] NULL: edge-triggered */
	wait_queue_entry_t wait;
	wait_queue_head_t *head;	/* [C] of ctx */
	poll_table poll;
	unsigned long dying;		/* [A] bit 0: somebody takes it down */
	struct work_struct hangup;
	struct list_head node;		/* [I] vm->irqfds */
	struct list_head resampler;	/* [R] under I: vm->resamplers */
};

static struct workqueue_struct *irqfd_wq;

/* Does anyone resample @gsi? Any context. */
bool hvm_irqfd_resamples(struct hvm_vm *vm, u32 gsi)
{
	struct irqfd *f;
	bool r = false;

	rcu_read_lock();
	list_for_each_entry_rcu(f, &vm->resamplers, resampler)
		r |= f->gsi == gsi;
	rcu_read_unlock();
	return r;
}

/* ---- taking down ---- */

static void irqfd_free(struct irqfd *f)
{
	eventfd_ctx_put(f->ctx);
	if (f->resample)
		eventfd_ctx_put(f->resample);
	kfree(f);
}

/* Unlinked ones, of which the caller set `dying`. Callbacks are over once off the wait queue. */
static void irqfd_free_list(struct list_head *dead)
{
	struct irqfd *f, *tmp;
	bool resamples = false;
	u64 count;

	list_for_each_entry(f, dead, node) {
		eventfd_ctx_remove_wait_queue(f->ctx, &f->wait, &count);
		resamples |= !!f->resample;
	}
	/* An EOI may be signalling one just now. */
	if (resamples)
		synchronize_rcu();
	list_for_each_entry_safe(f, tmp, dead, node)
		irqfd_free(f);
}

/* Under vm->irq_lock. */
static void irqfd_unlink(struct irqfd *f, struct list_head *dead)
{
	lockdep_assert_held(&f->vm->irq_lock);
	list_move(&f->node, dead);
	if (f->resample) {
		list_del_rcu(&f->resampler);
		/* The last one lets go of the line. */
		if (!hvm_irqfd_resamples(f->vm, f->gsi))
			hvm_set_irq(f->vm, HVM_IRQ_RESAMPLE, f->gsi, 0);
	}
	f->vm->nr_irqfds--;
}

static void irqfd_hangup(struct work_struct *work)
{
	struct irqfd *f = container_of(work, struct irqfd, hangup);
	LIST_HEAD(dead);

	mutex_lock(&f->vm->irq_lock);
	irqfd_unlink(f, &dead);
	mutex_unlock(&f->vm->irq_lock);
	irqfd_free_list(&dead);
}

/* Take down what matches (@ctx NULL: everything), and wait for what is being taken down. */
static void irqfd_take_down(struct hvm_vm *vm, struct eventfd_ctx *ctx, u32 gsi)
{
	struct irqfd *f, *tmp;
	LIST_HEAD(dead);

	mutex_lock(&vm->irq_lock);
	list_for_each_entry_safe(f, tmp, &vm->irqfds, node) {
		if (ctx && (f->ctx != ctx || f->gsi != gsi))
			continue;
		if (test_and_set_bit(0, &f->dying)) {
			/* Let the callback that set it get as far as queueing its work. */
			spin_lock_irq(&f->head->lock);
			spin_unlock_irq(&f->head->lock);
			continue;
		}
		irqfd_unlink(f, &dead);
	}
	mutex_unlock(&vm->irq_lock);
	irqfd_free_list(&dead);
	flush_workqueue(irqfd_wq);
}

/**
 * hvm_irqfd_release_all - the VM's fd closes: nothing raises its GSIs any more
 * @vm: the VM; may be called again
 */
void hvm_irqfd_release_all(struct hvm_vm *vm)
{
	/* An empty list is not enough: a work item may be about to take the last one off its queue. */
	if (READ_ONCE(vm->irqfds_used))
		irqfd_take_down(vm, NULL, 0);
}

/* ---- injection ---- */

static void irqfd_raise(struct irqfd *f)
{
	if (f->resample)
		hvm_set_irq(f->vm, HVM_IRQ_RESAMPLE, f->gsi, 1);
	else
		hvm_pulse_irq(f->vm, f->gsi);
}

/* The eventfd was written or closed. Its wait queue's lock is held, interrupts are off. */
static int irqfd_wakeup(wait_queue_entry_t *wait, unsigned int mode, int sync, void *key)
{
	struct irqfd *f = container_of(wait, struct irqfd, wait);
	__poll_t flags = key_to_poll(key);
	u64 count;
	int r = 0;

	if (flags & EPOLLIN) {
		eventfd_ctx_do_read(f->ctx, &count);
		irqfd_raise(f);
		r = 1;
	}
	if (flags & EPOLLHUP && !test_and_set_bit(0, &f->dying))
		queue_work(irqfd_wq, &f->hangup);
	return r;
}

/**
 * hvm_irqfd_eoi - the guest ended a level-triggered interrupt
 * @vm: the VM
 * @gsi: its GSI
 *
 * Any context.
 */
void hvm_irqfd_eoi(struct hvm_vm *vm, u32 gsi)
{
	struct irqfd *f;

	if (!hvm_irqfd_resamples(vm, gsi))
		return;
	hvm_set_irq(vm, HVM_IRQ_RESAMPLE, gsi, 0);
	rcu_read_lock();
	list_for_each_entry_rcu(f, &vm->resamplers, resampler)
		if (f->gsi == gsi)
			hvm_eventfd_signal(f->resample);
	rcu_read_unlock();
}

/* ---- assignment ---- */

static void irqfd_enqueue(struct file *file, wait_queue_head_t *head, poll_table *poll)
{
	struct irqfd *f = container_of(poll, struct irqfd, poll);

	f->head = head;
	add_wait_queue_priority(head, &f->wait);
}

static struct irqfd *irqfd_alloc(struct hvm_vm *vm, const struct hvm_irqfd *a, struct file *file)
{
	struct irqfd *f = kzalloc(sizeof(*f), GFP_KERNEL_ACCOUNT);
	int r;

	if (!f)
		return ERR_PTR(-ENOMEM);
	f->vm = vm;
	f->gsi = a->gsi;
	INIT_WORK(&f->hangup, irqfd_hangup);
	init_waitqueue_func_entry(&f->wait, irqfd_wakeup);
	init_poll_funcptr(&f->poll, irqfd_enqueue);
	f->ctx = eventfd_ctx_fileget(file);
	if (IS_ERR(f->ctx)) {
		r = PTR_ERR(f->ctx);
		goto err_free;
	}
	if (a->flags & HVM_IRQFD_FLAG_RESAMPLE) {
		f->resample = eventfd_ctx_fdget(a->resamplefd);
		if (IS_ERR(f->resample)) {
			r = PTR_ERR(f->resample);
			goto err_put;
		}
	}
	return f;

err_put:
	eventfd_ctx_put(f->ctx);
err_free:
	kfree(f);
	return ERR_PTR(r);
}

/* Under vm->irq_lock. One eventfd raises one GSI of a VM. */
static int irqfd_link(struct hvm_vm *vm, struct irqfd *f)
{
	struct irqfd *other;

	lockdep_assert_held(&vm->irq_lock);
	if (vm->nr_irqfds >= HVM_MAX_IRQFDS)
		return -ENOSPC;
	list_for_each_entry(other, &vm->irqfds, node)
		if (other->ctx == f->ctx)
			return -EBUSY;
	list_add_tail(&f->node, &vm->irqfds);
	if (f->resample)
		list_add_tail_rcu(&f->resampler, &vm->resamplers);
	vm->nr_irqfds++;
	WRITE_ONCE(vm->irqfds_used, true);
	return 0;
}

static int irqfd_assign(struct hvm_vm *vm, const struct hvm_irqfd *a)
{
	struct irqfd *f;
	struct file *file;
	int r;

	/* The ends of userspace's pins are userspace's to see. */
	if (!smp_load_acquire(&vm->irqchip_kernel) || a->gsi >= HVM_MAX_GSI ||
	    (a->flags & HVM_IRQFD_FLAG_RESAMPLE && !vm->ioapic))
		return -EINVAL;
	file = fget(a->fd);
	if (!file)
		return -EBADF;
	f = irqfd_alloc(vm, a, file);
	if (IS_ERR(f)) {
		fput(file);
		return PTR_ERR(f);
	}
	mutex_lock(&vm->irq_lock);
	r = irqfd_link(vm, f);
	if (!r && vfs_poll(file, &f->poll) & EPOLLIN)
		irqfd_raise(f);		/* written before hvm listened */
	mutex_unlock(&vm->irq_lock);
	/* The ends of edges are of interest now, too. */
	if (!r && a->flags & HVM_IRQFD_FLAG_RESAMPLE)
		hvm_routing_scan(vm);
	/* Not before it listens, or a hang-up could pass unheard. */
	fput(file);
	if (r)
		irqfd_free(f);
	return r;
}

static int irqfd_deassign(struct hvm_vm *vm, const struct hvm_irqfd *a)
{
	struct eventfd_ctx *ctx = eventfd_ctx_fdget(a->fd);

	if (IS_ERR(ctx))
		return PTR_ERR(ctx);
	irqfd_take_down(vm, ctx, a->gsi);
	eventfd_ctx_put(ctx);
	return 0;
}

/**
 * hvm_irqfd_assign - HVM_IRQFD
 * @vm: the VM
 * @a: the eventfd, its GSI and flags
 *
 * Return: 0 (also when there is nothing to de-assign); -EINVAL: unknown flags, a
 * file that is no eventfd, a GSI out of range, no in-kernel local APICs, or to
 * resample no in-kernel IOAPIC; -EBADF;
 * -EBUSY: the eventfd is assigned already; -ENOSPC: HVM_MAX_IRQFDS; -ENOMEM.
 */
int hvm_irqfd_assign(struct hvm_vm *vm, const struct hvm_irqfd *a)
{
	if (a->flags & ~(HVM_IRQFD_FLAG_DEASSIGN | HVM_IRQFD_FLAG_RESAMPLE))
		return -EINVAL;
	return a->flags & HVM_IRQFD_FLAG_DEASSIGN ? irqfd_deassign(vm, a) : irqfd_assign(vm, a);
}

int hvm_irqfd_init(void)
{
	irqfd_wq = alloc_workqueue("hvm-irqfd", WQ_UNBOUND, 0);
	return irqfd_wq ? 0 : -ENOMEM;
}

void hvm_irqfd_exit(void)
{
	destroy_workqueue(irqfd_wq);
	/* RCU callbacks of lapic.c and ioeventfd.c are code of this module. */
	rcu_barrier();
}
