// SPDX-License-Identifier: GPL-2.0-only
/*
 * legacy.c - the calls about the PC's own interrupt controllers
 *
 * HVM_CREATE_IRQCHIP gives a VM without vCPUs a pair of 8259A, an IOAPIC and, to
 * each vCPU made later, a local APIC; HVM_CREATE_PIT2 adds an 8254. They stay
 * until the VM ends. The numbers of some calls say "out" where the call takes its
 * argument in; those copy it themselves.
 *
 * Locks: vm->lock for creation. The rest finds the chips by irqchip_kernel and
 * vm->pit, which are published when all is there, and the chips lock themselves.
 */
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "legacy.h"

static bool have_chips(struct hvm_vm *vm)
{
	return smp_load_acquire(&vm->irqchip_kernel) && vm->pic;
}

static bool have_pit(struct hvm_vm *vm)
{
	return smp_load_acquire(&vm->pit);
}

/**
 * hvm_create_irqchip - HVM_CREATE_IRQCHIP
 * @vm: the VM, vm->lock held
 *
 * Return: 0; -EEXIST: there is an irqchip, this or the split one; -EINVAL: there
 * are vCPUs; -ENOMEM.
 */
int hvm_create_irqchip(struct hvm_vm *vm)
{
	int r;

	if (vm->irqchip_kernel)
		return -EEXIST;
	if (vm->nr_vcpus)
		return -EINVAL;
	r = hvm_pic_create(vm) ?: hvm_ioapic_create(vm) ?: hvm_routing_default(vm);
	if (r) {
		hvm_legacy_destroy(vm);
		return r;
	}
	/* Whoever sees it sees the chips and the routes. */
	smp_store_release(&vm->irqchip_kernel, true);
	return 0;
}

void hvm_legacy_destroy(struct hvm_vm *vm)
{
	hvm_pit_destroy(vm);
	hvm_ioapic_destroy(vm);
	hvm_pic_destroy(vm);
}

int hvm_get_irqchip(struct hvm_vm *vm, struct hvm_irqchip *c)
{
	u32 id = c->chip_id;

	if (!have_chips(vm))
		return -ENXIO;
	if (id >= HVM_NR_IRQCHIPS)
		return -EINVAL;
	memset(&c->chip, 0, sizeof(c->chip));
	if (id == HVM_IRQCHIP_IOAPIC)
		hvm_ioapic_get(vm, &c->chip.ioapic);
	else
		hvm_pic_get(vm, id, &c->chip.pic);
	return 0;
}

int hvm_set_irqchip(struct hvm_vm *vm, unsigned long uarg)
{
	struct hvm_irqchip *c = memdup_user((void __user *)uarg, sizeof(*c));
	int r = 0;

	if (IS_ERR(c))
		return PTR_ERR(c);
	if (!have_chips(vm))
		r = -ENXIO;
	else if (c->chip_id >= HVM_NR_IRQCHIPS)
		r = -EINVAL;
	else if (c->chip_id == HVM_IRQCHIP_IOAPIC)
		hvm_ioapic_put(vm, &c->chip.ioapic);
	else
		hvm_pic_put(vm, c->chip_id, &c->chip.pic);
	kfree(c);
	return r;
}

/**
 * hvm_irq_line - HVM_IRQ_LINE, HVM_IRQ_LINE_STATUS
 * @vm: the VM
 * @l: GSI and level in, status out
 * @status: which of the two. Who asks on behalf of a clock that makes up for lost
 *	ticks is told, as by KVM, of one that comes before the end of the last: it is dropped.
 *
 * Return: 0; -ENXIO: no in-kernel irqchip.
 */
int hvm_irq_line(struct hvm_vm *vm, struct hvm_irq_level *l, bool status)
{
	if (!smp_load_acquire(&vm->irqchip_kernel))
		return -ENXIO;
	if (status && l->irq == HVM_RTC_GSI && l->level && vm->ioapic &&
	    hvm_ioapic_busy(vm, HVM_RTC_GSI))
		l->status = 0;
	else
		l->status = hvm_set_irq(vm, HVM_IRQ_USER, l->irq, !!l->level);
	return 0;
}

/**
 * hvm_create_pit - HVM_CREATE_PIT, HVM_CREATE_PIT2
 * @vm: the VM, vm->lock held
 * @flags: HVM_PIT_SPEAKER_DUMMY or 0; other bits are ignored, as KVM does
 *
 * Return: 0; -EEXIST: there is one; -ENOENT: no 8259A and IOAPIC; -ENOMEM.
 */
int hvm_create_pit(struct hvm_vm *vm, u32 flags)
{
	if (vm->pit)
		return -EEXIST;
	if (!vm->pic)
		return -ENOENT;
	return hvm_pit_create(vm, flags);
}

int hvm_get_pit2(struct hvm_vm *vm, struct hvm_pit_state2 *s)
{
	if (!have_pit(vm))
		return -ENXIO;
	hvm_pit_get(vm, s);
	return 0;
}

int hvm_set_pit2(struct hvm_vm *vm, const struct hvm_pit_state2 *s)
{
	if (!have_pit(vm))
		return -ENXIO;
	hvm_pit_put(vm, s->channels, &s->flags);
	return 0;
}

int hvm_get_pit(struct hvm_vm *vm, struct hvm_pit_state *s)
{
	struct hvm_pit_state2 all;
	int r = hvm_get_pit2(vm, &all);

	if (!r)
		memcpy(s->channels, all.channels, sizeof(s->channels));
	return r;
}

int hvm_set_pit(struct hvm_vm *vm, unsigned long uarg)
{
	struct hvm_pit_state s;

	if (copy_from_user(&s, (void __user *)uarg, sizeof(s)))
		return -EFAULT;
	if (!have_pit(vm))
		return -ENXIO;
	hvm_pit_put(vm, s.channels, NULL);
	return 0;
}

int hvm_reinject_control(struct hvm_vm *vm, unsigned long uarg)
{
	struct hvm_reinject_control c;

	if (copy_from_user(&c, (void __user *)uarg, sizeof(c)))
		return -EFAULT;
	if (!have_pit(vm))
		return -ENXIO;
	hvm_pit_set_reinject(vm, c.pit_reinject);
	return 0;
}
