// SPDX-License-Identifier: GPL-2.0-only
/*
 * routing.c - GSIs and messages: where an interrupt source leads
 *
 * A VM has a table of up to HVM_MAX_GSI routes, replaced as a whole by
 * SET_GSI_ROUTING and indexed by GSI. A route is a message (an MSI), or leads to
 * pins: of the IOAPIC, of either 8259A, or of several of these, where they are in
 * the kernel (legacy.h). Messages are kept as written and decoded when they are
 * sent, because what their bits mean depends on HVM_CAP_X2APIC_API.
 *
 * With the split irqchip GSIs 0..nr_ioapic_pins-1 are those of userspace's
 * IOAPIC. A level-triggered one keeps its line until the guest's EOI, so each
 * vCPU notes the vectors of such routes that may reach it
 * (hvm_routing_eoi_vectors()), and their EOIs go to userspace. The kernel's IOAPIC
 * names such vectors itself; it and the 8259A tell which of their pins was ended,
 * and the table also leads back from pins to GSIs, for resampling irqfds.
 *
 * Locks: vm->irq_lock for replacing the table; readers use RCU, in any context.
 * The old table is freed after a grace period that nobody waits for, so a
 * message may still leave by the old route while SET_GSI_ROUTING returns, as
 * one that was already on the bus would.
 */
#include <linux/nospec.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "legacy.h"

#define ROUTE_DEVID		BIT(0)		/* devid is valid: KVM takes it and ignores it on x86 */
#define MSI_LOGICAL		BIT(2)		/* address: destination mode */
#define MSI_REDIRECT		BIT(3)		/* address: redirection hint */
#define MSI_LEVEL		BIT(15)		/* data: trigger mode */

#define ROUTE_MSI		BIT(HVM_NR_IRQCHIPS)	/* in kinds, beside BIT(HVM_IRQCHIP_*) */
#define NO_GSI			(-1)

struct hvm_route {
	u32 address_lo, address_hi;
	u16 data;
	u8 kinds;
	u8 pin[HVM_NR_IRQCHIPS];
};

struct hvm_irq_table {
	struct rcu_head rcu;
	s16 gsi[HVM_NR_IRQCHIPS][HVM_IOAPIC_NUM_PINS];	/* that leads to a pin */
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
	return t->route[gsi].kinds ? &t->route[gsi] : NULL;
}

static int set_pins(struct hvm_vm *vm, const struct hvm_route *route, int source, int level)
{
	int chip, one, r = -1;

	for (chip = 0; chip < HVM_NR_IRQCHIPS; chip++) {
		if (!(route->kinds & BIT(chip)))
			continue;
		if (chip == HVM_IRQCHIP_IOAPIC)
			one = hvm_ioapic_set(vm, source, route->pin[chip], level);
		else
			one = hvm_pic_set(vm, source, chip * HVM_PIC_PINS + route->pin[chip], level);
		if (one >= 0)
			r = one + max(r, 0);
	}
	return r;
}

static int send_route(struct hvm_vm *vm, const struct hvm_route *route)
{
	struct hvm_lapic_irq irq;

	msi_decode(vm, route->address_lo, route->address_hi, route->data, &irq);
	return hvm_lapic_deliver(vm, &irq);
}

/**
 * hvm_set_irq - raise or lower a GSI
 * @vm: the VM
 * @source: HVM_IRQ_*: who does; of no account to messages
 * @gsi: the GSI
 * @level: 1 raises the pins or sends the message, whose lowering does nothing
 *
 * Any context. Return: how many took it; 0: it was pending already; -1: nobody,
 * or it is masked.
 */
int hvm_set_irq(struct hvm_vm *vm, int source, u32 gsi, int level)
{
	const struct hvm_route *route;
	int r = -1;

	rcu_read_lock();
	route = route_find(vm, gsi);
	if (route && !(route->kinds & ROUTE_MSI))
		r = set_pins(vm, route, source, level);
	else if (route && level)
		r = send_route(vm, route);
	rcu_read_unlock();
	return r;
}

/* An edge on a GSI. Any context. */
void hvm_pulse_irq(struct hvm_vm *vm, u32 gsi)
{
	const struct hvm_route *route;

	rcu_read_lock();
	route = route_find(vm, gsi);
	if (likely(route && route->kinds & ROUTE_MSI)) {
		send_route(vm, route);
	} else if (route) {
		set_pins(vm, route, HVM_IRQ_USER, 1);
		set_pins(vm, route, HVM_IRQ_USER, 0);
	}
	rcu_read_unlock();
}

/* The message of pin @gsi, if it is level-triggered. Under RCU. */
static bool level_route(struct hvm_vm *vm, u32 gsi, struct hvm_lapic_irq *irq)
{
	const struct hvm_route *route = route_find(vm, gsi);

	if (!route || !(route->kinds & ROUTE_MSI))
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

	if (vcpu->vm->ioapic)
		hvm_ioapic_eoi_vectors(vcpu, new);
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

/* ---- pins of the kernel's own chips ---- */

/* The GSI that leads to @pin. */
static int pin_gsi(struct hvm_vm *vm, u32 chip, u32 pin)
{
	struct hvm_irq_table *t;
	int gsi = NO_GSI;

	rcu_read_lock();
	t = rcu_dereference(vm->routes);
	if (t)
		gsi = t->gsi[chip][pin];
	rcu_read_unlock();
	return gsi;
}

/* Does anybody wait for the end of the pin's interrupts, be they edges? */
bool hvm_routing_wants_ack(struct hvm_vm *vm, u32 chip, u32 pin)
{
	int gsi = pin_gsi(vm, chip, pin);

	return gsi >= 0 && ((gsi == HVM_PIT_GSI && hvm_pit_wants_ack(vm)) ||
			    hvm_irqfd_resamples(vm, gsi));
}

/* The guest ended the interrupt of a pin. Any context, but no lock of the chips is held. */
void hvm_routing_acked(struct hvm_vm *vm, u32 chip, u32 pin)
{
	int gsi = pin_gsi(vm, chip, pin);

	if (gsi < 0)
		return;
	if (gsi == HVM_PIT_GSI && hvm_pit_wants_ack(vm))
		hvm_pit_acked(vm);
	if (!list_empty(&vm->resamplers))
		hvm_irqfd_eoi(vm, gsi);
}

/* The guest opened a pin. As above. */
void hvm_routing_unmasked(struct hvm_vm *vm, u32 chip, u32 pin)
{
	if (pin_gsi(vm, chip, pin) == HVM_PIT_GSI)
		hvm_pit_unmasked(vm);
}

/* Which EOIs are of interest has changed. Any context. */
void hvm_routing_scan(struct hvm_vm *vm)
{
	struct hvm_vcpu *vcpu;
	int i;

	if (vm->nr_ioapic_pins || vm->ioapic)
		hvm_for_each_vcpu(i, vcpu, vm)
			hvm_request(vcpu, HVM_REQ_SCAN_IOAPIC);
}

/* ---- changing the table ---- */

static void publish(struct hvm_vm *vm, struct hvm_irq_table *new)
{
	struct hvm_irq_table *old;

	mutex_lock(&vm->irq_lock);
	old = rcu_replace_pointer(vm->routes, new, lockdep_is_held(&vm->irq_lock));
	mutex_unlock(&vm->irq_lock);
	hvm_routing_scan(vm);
	if (old)
		kvfree_rcu(old, rcu);
}

/* One GSI leads to at most one pin of each chip. */
static int fill_pin(struct hvm_vm *vm, struct hvm_irq_table *t,
		    const struct hvm_irq_routing_entry *e)
{
	u32 chip = e->u.irqchip.irqchip, pin = e->u.irqchip.pin;
	struct hvm_route *route = &t->route[e->gsi];

	if (!vm->ioapic || e->flags || chip >= HVM_NR_IRQCHIPS ||
	    route->kinds & (ROUTE_MSI | BIT(chip)) ||
	    pin >= (chip == HVM_IRQCHIP_IOAPIC ? HVM_IOAPIC_NUM_PINS : HVM_PIC_PINS))
		return -EINVAL;
	route->kinds |= BIT(chip);
	route->pin[chip] = pin;
	t->gsi[chip][pin] = e->gsi;
	return 0;
}

static int fill_route(struct hvm_vm *vm, struct hvm_irq_table *t,
		      const struct hvm_irq_routing_entry *e)
{
	struct hvm_route *route = &t->route[e->gsi];

	if (e->type == HVM_IRQ_ROUTING_IRQCHIP)
		return fill_pin(vm, t, e);
	/* One GSI leads to one message. */
	if (e->type != HVM_IRQ_ROUTING_MSI || e->flags & ~ROUTE_DEVID || route->kinds ||
	    msi_bad(vm, e->u.msi.address_hi))
		return -EINVAL;
	route->address_lo = e->u.msi.address_lo;
	route->address_hi = e->u.msi.address_hi;
	route->data = e->u.msi.data;
	route->kinds = ROUTE_MSI;
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
	memset(t->gsi, 0xff, sizeof(t->gsi));
	for (i = 0; i < n && !r; i++)
		r = fill_route(vm, t, &e[i]);
	if (!r)
		return t;
	kvfree(t);
	return ERR_PTR(r);
}

/**
 * hvm_routing_default - the routes of a VM whose chips are in the kernel
 * @vm: the VM, not running yet
 *
 * Each GSI leads to the IOAPIC's pin of its number, the first 16 also to the 8259A's.
 *
 * Return: 0, -ENOMEM.
 */
int hvm_routing_default(struct hvm_vm *vm)
{
	struct hvm_irq_routing_entry *e;
	struct hvm_irq_table *t;
	u32 gsi, n = 0;

	e = kcalloc(HVM_IOAPIC_NUM_PINS + 2 * HVM_PIC_PINS, sizeof(*e), GFP_KERNEL_ACCOUNT);
	if (!e)
		return -ENOMEM;
	for (gsi = 0; gsi < HVM_IOAPIC_NUM_PINS; gsi++)
		e[n++] = (struct hvm_irq_routing_entry) {
			.gsi = gsi, .type = HVM_IRQ_ROUTING_IRQCHIP,
			.u.irqchip = { HVM_IRQCHIP_IOAPIC, gsi },
		};
	for (gsi = 0; gsi < 2 * HVM_PIC_PINS; gsi++)
		e[n++] = (struct hvm_irq_routing_entry) {
			.gsi = gsi, .type = HVM_IRQ_ROUTING_IRQCHIP,
			.u.irqchip = { gsi / HVM_PIC_PINS, gsi % HVM_PIC_PINS },
		};
	t = build(vm, e, n);
	kfree(e);
	if (IS_ERR(t))
		return PTR_ERR(t);
	publish(vm, t);
	return 0;
}

/**
 * hvm_set_routing - HVM_SET_GSI_ROUTING
 * @vm: the VM
 * @uarg: user address of a struct hvm_irq_routing
 *
 * Return: 0; -EINVAL: no in-kernel local APICs, too many entries, flags, a GSI
 * or pin out of range or named twice, an unknown type; -EFAULT; -ENOMEM.
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
