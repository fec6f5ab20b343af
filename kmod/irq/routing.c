// SPDX-License-Identifier: GPL-2.0-only
/*
 * routing.c - GSIs and messages: where an interrupt source leads
 *
 * A VM has a table of up to HVM_MAX_GSI routes, replaced as a whole by
 * SET_GSI_ROUTING and indexed by GSI. With the split irqchip every route is a
 * message (an MSI); routes to pins need an in-kernel IOAPIC or 8259A, which hvm
 * does not have. Messages are kept as written and decoded when they are sent,
 * because what their bits mean depends on HVM_CAP_X2APIC_API.
 *
 * GSIs 0..nr_ioapic_pins-1 are those of userspace's IOAPIC. A level-triggered
 * one keeps its line until the guest's EOI, so each vCPU notes the vectors of
 * such routes that may reach it (hvm_routing_eoi_vectors()), and their EOIs go
 * to userspace and to resampling irqfds.
 *
 * Locks: vm->irq_lock for replacing the table; readers use RCU, in any context.
 * The old table is freed after a grace period that nobody waits for, so a
 * message may still leave by the old route while SET_GSI_ROUTING returns, as
 * one that was already on the bus would.
 */
#include <linux/nospec.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "hvm.h"

#define ROUTE_DEVID		BIT(0)		/* devid is valid: KVM takes it and ignores it on x86 */
#define MSI_LOGICAL		BIT(2)		/* address: destination mode */
#define MSI_REDIRECT		BIT(3)		/* address: redirection hint */
#define MSI_LEVEL		BIT(15)		/* data: trigger mode */

struct hvm_route {
	u32 address_lo, address_hi, data;
	bool used;
};

struct hvm_irq_table {
	struct rcu_head rcu;
	u32 nr;				/* GSIs 0..nr-1 */
	struct hvm_route route[];
};

/* ---- messages ---- */

static void msi_decode(struct hvm_vm *vm, u32 lo, u32 hi, u32 data, struct hvm_lapic_irq *irq)
{
	*irq = (struct hvm_lapic_irq) {
		.dest = lo >> 12 & 0xff,
		.logical = lo & MSI_LOGICAL,
		.vector = data,
		.mode = data >> 8 & 7,
		.level = data & MSI_LEVEL,
		.assert = true,
	};
	if (vm->x2apic_ids)
		irq->dest |= hi & 0xffffff00;
	/* The hint asks for one of the set, which is what lowest priority means. */
	if (lo & MSI_REDIRECT && !irq->mode)
		irq->mode = 1;
}

static bool msi_bad(struct hvm_vm *vm, u32 address_hi)
{
	return vm->x2apic_ids && address_hi & 0xff;
}

/**
 * hvm_signal_msi - HVM_SIGNAL_MSI
 * @vm: the VM
 * @msi: the message
 *
 * Return: how many local APICs took it; 0: addressed, but disabled; -1: nobody
 * has that address; -EINVAL: flags, a reserved part of the address, or no
 * in-kernel local APICs.
 */
int hvm_signal_msi(struct hvm_vm *vm, const struct hvm_msi *msi)
{
	struct hvm_lapic_irq irq;

	if (!READ_ONCE(vm->irqchip_kernel) || msi->flags || msi_bad(vm, msi->address_hi))
		return -EINVAL;
	msi_decode(vm, msi->address_lo, msi->address_hi, msi->data, &irq);
	return hvm_lapic_deliver(vm, &irq);
}

/* ---- the table ---- */

/* Under RCU. NULL: the GSI leads nowhere. */
static const struct hvm_route *route_find(struct hvm_vm *vm, u32 gsi)
{
	struct hvm_irq_table *t = rcu_dereference(vm->routes);

	if (!t || gsi >= t->nr)
		return NULL;
	gsi = array_index_nospec(gsi, t->nr);
	return t->route[gsi].used ? &t->route[gsi] : NULL;
}

/**
 * hvm_set_irq - raise or lower a GSI
 * @vm: the VM
 * @source: who does; of no account to messages
 * @gsi: the GSI
 * @level: 1 sends the message; lowering does nothing
 *
 * Any context. Return: how many took it, or -1.
 */
int hvm_set_irq(struct hvm_vm *vm, int source, u32 gsi, int level)
{
	const struct hvm_route *route;
	struct hvm_lapic_irq irq;
	int r = -1;

	if (!level)
		return -1;
	rcu_read_lock();
	route = route_find(vm, gsi);
	if (route) {
		msi_decode(vm, route->address_lo, route->address_hi, route->data, &irq);
		r = hvm_lapic_deliver(vm, &irq);
	}
	rcu_read_unlock();
	return r;
}

/* The message of pin @gsi, if it is level-triggered. Under RCU. */
static bool level_route(struct hvm_vm *vm, u32 gsi, struct hvm_lapic_irq *irq)
{
	const struct hvm_route *route = route_find(vm, gsi);

	if (!route)
		return false;
	msi_decode(vm, route->address_lo, route->address_hi, route->data, irq);
	return irq->level;
}

/**
 * hvm_routing_eoi_vectors - vectors whose EOI must be told
 * @vcpu: own thread
 * @bitmap: 256 bits, overwritten
 */
void hvm_routing_eoi_vectors(struct hvm_vcpu *vcpu, u64 bitmap[4])
{
	u64 new[4] = { 0 };
	struct hvm_lapic_irq irq;
	u32 gsi;

	rcu_read_lock();
	for (gsi = 0; gsi < vcpu->vm->nr_ioapic_pins; gsi++)
		/* One that was posted before its route changed is still to be ended. */
		if (level_route(vcpu->vm, gsi, &irq) &&
		    (hvm_lapic_match(vcpu, irq.dest, irq.logical) ||
		     hvm_lapic_busy(vcpu, irq.vector)))
			new[irq.vector / 64] |= BIT_ULL(irq.vector % 64);
	rcu_read_unlock();
	memcpy(bitmap, new, sizeof(new));
}

/* The guest ended @vec on @vcpu: tell resampling irqfds of the pins that send it. */
void hvm_routing_eoi(struct hvm_vcpu *vcpu, u8 vec)
{
	struct hvm_vm *vm = vcpu->vm;
	struct hvm_lapic_irq irq;
	u32 gsi;

	if (list_empty(&vm->resamplers))
		return;
	rcu_read_lock();
	for (gsi = 0; gsi < vm->nr_ioapic_pins; gsi++)
		if (level_route(vm, gsi, &irq) && irq.vector == vec)
			hvm_irqfd_eoi(vm, gsi);
	rcu_read_unlock();
}

static void publish(struct hvm_vm *vm, struct hvm_irq_table *new)
{
	struct hvm_irq_table *old;
	struct hvm_vcpu *vcpu;
	int i;

	mutex_lock(&vm->irq_lock);
	old = rcu_replace_pointer(vm->routes, new, lockdep_is_held(&vm->irq_lock));
	mutex_unlock(&vm->irq_lock);
	if (vm->nr_ioapic_pins)
		hvm_for_each_vcpu(i, vcpu, vm)
			hvm_request(vcpu, HVM_REQ_SCAN_IOAPIC);
	if (old)
		kvfree_rcu(old, rcu);
}

static int fill_route(struct hvm_vm *vm, struct hvm_irq_table *t,
		      const struct hvm_irq_routing_entry *e)
{
	struct hvm_route *route = &t->route[e->gsi];

	/* Pins are full irqchips' only, and one GSI leads to one message. */
	if (e->type != HVM_IRQ_ROUTING_MSI || e->flags & ~ROUTE_DEVID || route->used ||
	    msi_bad(vm, e->u.msi.address_hi))
		return -EINVAL;
	route->address_lo = e->u.msi.address_lo;
	route->address_hi = e->u.msi.address_hi;
	route->data = e->u.msi.data;
	route->used = true;
	return 0;
}

static struct hvm_irq_table *build(struct hvm_vm *vm, const struct hvm_irq_routing_entry *e, u32 n)
{
	struct hvm_irq_table *t;
	u32 i, nr = 0;
	int r = 0;

	for (i = 0; i < n; i++) {
		if (e[i].gsi >= HVM_MAX_GSI)
			return ERR_PTR(-EINVAL);
		nr = max(nr, e[i].gsi + 1);
	}
	t = kvzalloc(struct_size(t, route, nr), GFP_KERNEL_ACCOUNT);
	if (!t)
		return ERR_PTR(-ENOMEM);
	t->nr = nr;
	for (i = 0; i < n && !r; i++)
		r = fill_route(vm, t, &e[i]);
	if (!r)
		return t;
	kvfree(t);
	return ERR_PTR(r);
}

/**
 * hvm_set_routing - HVM_SET_GSI_ROUTING
 * @vm: the VM
 * @uarg: user address of a struct hvm_irq_routing
 *
 * Return: 0; -EINVAL: no in-kernel local APICs, too many entries, flags, a GSI
 * out of range or named twice, an unknown type; -EFAULT; -ENOMEM.
 */
int hvm_set_routing(struct hvm_vm *vm, unsigned long uarg)
{
	struct hvm_irq_routing __user *u = (void __user *)uarg;
	struct hvm_irq_routing_entry *entries = NULL;
	struct hvm_irq_table *t;
	struct hvm_irq_routing head;

	if (copy_from_user(&head, u, sizeof(head)))
		return -EFAULT;
	if (!READ_ONCE(vm->irqchip_kernel) || head.nr > HVM_MAX_GSI || head.flags)
		return -EINVAL;
	if (head.nr) {
		entries = vmemdup_user(u->entries, array_size(head.nr, sizeof(*entries)));
		if (IS_ERR(entries))
			return PTR_ERR(entries);
	}
	t = build(vm, entries, head.nr);
	kvfree(entries);
	if (IS_ERR(t))
		return PTR_ERR(t);
	publish(vm, t);
	return 0;
}

int hvm_routing_init(struct hvm_vm *vm)
{
	return 0;			/* without a table no GSI leads anywhere */
}

void hvm_routing_destroy(struct hvm_vm *vm)
{
	struct hvm_irq_table *t = rcu_dereference_raw(vm->routes);

	RCU_INIT_POINTER(vm->routes, NULL);
	if (t)
		kvfree_rcu(t, rcu);
}
