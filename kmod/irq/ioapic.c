// SPDX-License-Identifier: GPL-2.0-only
/*
 * ioapic.c - the IOAPIC: 24 pins that send messages to local APICs
 *
 * Laid out as the 82093AA's, version 0x11. A pin's message goes out when its
 * line rises (edge) or while it is high and the last message has been ended
 * (level, remote IRR). A local APIC tells of the end of the vectors that
 * hvm_ioapic_eoi_vectors() named to its vCPU; so when an entry changes, every
 * vCPU is asked to look again before the entry's first message is sent.
 * Polarity is ignored: a line is up when it is asserted.
 *
 * Locks: io->lock, raw and with interrupts off, as lines are raised from eventfd
 * callbacks and timers. Messages are sent under it, so that remote IRR and an
 * EOI that follows at once on another CPU agree; hvm_lapic_deliver() takes no
 * lock. Ends of interrupts are told to irqfds and PIT without it.
 */
#include <linux/slab.h>
#include "legacy.h"

#define BASE		0xfec00000
#define LENGTH		0x100
#define VERSION		(0x11 | (HVM_IOAPIC_NUM_PINS - 1) << 16)
#define REG_SELECT	0x00
#define REG_WINDOW	0x10
#define PINS		(BIT(HVM_IOAPIC_NUM_PINS) - 1)

#define ENTRY_STATUS	BIT_ULL(12)	/* delivery status, */
#define ENTRY_REMOTE	BIT_ULL(14)	/* remote IRR: not the guest's to write */
#define ENTRY_LEVEL	BIT_ULL(15)
#define ENTRY_MASK	BIT_ULL(16)

struct hvm_ioapic {
	raw_spinlock_t lock;
	struct hvm_ioapic_state s;	/* s.irr: lines that are high */
	u32 sent;			/* edges whose message is out: no longer pending */
	u8 lines[HVM_IOAPIC_NUM_PINS];	/* who holds them up */
};

static void decode(u64 entry, struct hvm_lapic_irq *irq)
{
	*irq = (struct hvm_lapic_irq) {
		.dest = entry >> 56, .logical = entry & BIT(11), .vector = entry,
		.mode = entry >> 8 & 7, .level = entry & ENTRY_LEVEL, .assert = true,
	};
}

/* ---- pins; under io->lock ---- */

static int service(struct hvm_vm *vm, struct hvm_ioapic *io, u32 pin)
{
	u64 *entry = &io->s.redirtbl[pin].bits;
	struct hvm_lapic_irq irq;
	int r;

	if (*entry & ENTRY_MASK || (*entry & ENTRY_LEVEL && *entry & ENTRY_REMOTE))
		return -1;
	decode(*entry, &irq);
	r = hvm_lapic_deliver(vm, &irq);
	if (!irq.level)
		io->sent |= BIT(pin);
	else if (r > 0)
		*entry |= ENTRY_REMOTE;
	return r;
}

static int set_pin(struct hvm_vm *vm, struct hvm_ioapic *io, u32 pin, bool level)
{
	u32 old = io->s.irr;

	if (!level) {
		io->s.irr &= ~BIT(pin);
		return 1;
	}
	io->s.irr |= BIT(pin);
	if (!(io->s.redirtbl[pin].bits & ENTRY_LEVEL)) {
		io->sent &= ~BIT(pin);
		if (old & BIT(pin))
			return 0;
	}
	return service(vm, io, pin);
}

int hvm_ioapic_set(struct hvm_vm *vm, int source, u32 pin, int level)
{
	struct hvm_ioapic *io = vm->ioapic;
	unsigned long flags;
	int r;

	raw_spin_lock_irqsave(&io->lock, flags);
	r = set_pin(vm, io, pin, hvm_line_set(&io->lines[pin], source, level));
	raw_spin_unlock_irqrestore(&io->lock, flags);
	return r;
}

/* Has the message of an edge not been ended yet? */
bool hvm_ioapic_busy(struct hvm_vm *vm, u32 pin)
{
	struct hvm_lapic_irq irq;
	struct hvm_vcpu *vcpu;
	int i;

	decode(READ_ONCE(vm->ioapic->s.redirtbl[pin].bits), &irq);
	hvm_for_each_vcpu(i, vcpu, vm)
		if (hvm_lapic_busy(vcpu, irq.vector) &&
		    hvm_lapic_match(vcpu, irq.dest, irq.logical))
			return true;
	return false;
}

/* ---- ends of interrupts ---- */

static bool pin_sends(struct hvm_ioapic *io, u32 pin, u8 vec)
{
	return (u8)READ_ONCE(io->s.redirtbl[pin].bits) == vec;
}

void hvm_ioapic_eoi(struct hvm_vm *vm, u8 vec, bool level)
{
	struct hvm_ioapic *io = vm->ioapic;
	unsigned long flags;
	u64 *entry;
	u32 pin;

	for (pin = 0; pin < HVM_IOAPIC_NUM_PINS; pin++) {
		if (!pin_sends(io, pin, vec))
			continue;
		/* First, so that a line lowered there sends nothing more below. */
		hvm_routing_acked(vm, HVM_IRQCHIP_IOAPIC, pin);
		if (!level)
			continue;
		raw_spin_lock_irqsave(&io->lock, flags);
		entry = &io->s.redirtbl[pin].bits;
		if (*entry & ENTRY_LEVEL && (u8)*entry == vec) {
			*entry &= ~ENTRY_REMOTE;
			if (io->s.irr & BIT(pin))
				service(vm, io, pin);
		}
		raw_spin_unlock_irqrestore(&io->lock, flags);
	}
}

/**
 * hvm_ioapic_eoi_vectors - vectors whose EOI the IOAPIC must hear of
 * @vcpu: own thread
 * @bitmap: 256 bits, set where it must
 */
void hvm_ioapic_eoi_vectors(struct hvm_vcpu *vcpu, u64 bitmap[4])
{
	struct hvm_ioapic *io = vcpu->vm->ioapic;
	struct hvm_lapic_irq irq;
	u32 pin;

	for (pin = 0; pin < HVM_IOAPIC_NUM_PINS; pin++) {
		decode(READ_ONCE(io->s.redirtbl[pin].bits), &irq);
		if (!irq.level && pin != HVM_RTC_GSI &&
		    !hvm_routing_wants_ack(vcpu->vm, HVM_IRQCHIP_IOAPIC, pin))
			continue;
		/* One that was sent before its entry changed is still to be ended. */
		if (hvm_lapic_match(vcpu, irq.dest, irq.logical) ||
		    hvm_lapic_busy(vcpu, irq.vector))
			bitmap[irq.vector / 64] |= BIT_ULL(irq.vector % 64);
	}
}

/* ---- registers ---- */

/* Half an entry was written. Returns what of the entry changed. */
static u64 entry_write(struct hvm_ioapic *io, u32 index, u32 val)
{
	u64 *entry = &io->s.redirtbl[index / 2].bits, old = *entry, new;

	if (index & 1) {
		new = (u32)old | (u64)val << 32;
	} else {
		new = (old & GENMASK_ULL(63, 32)) |
		      (val & ~(ENTRY_STATUS | ENTRY_REMOTE)) |
		      (old & (ENTRY_STATUS | ENTRY_REMOTE));
		/* Guests end a level interrupt by making it an edge for a moment. */
		if (!(new & ENTRY_LEVEL))
			new &= ~ENTRY_REMOTE;
	}
	WRITE_ONCE(*entry, new);
	return old ^ new;
}

static void write_window(struct hvm_vm *vm, struct hvm_ioapic *io, u32 val)
{
	unsigned long flags;
	u32 index, pin;
	u64 changed;

	raw_spin_lock_irqsave(&io->lock, flags);
	index = io->s.ioregsel - 0x10;
	pin = index / 2;
	if (io->s.ioregsel == 0)
		io->s.id = val >> 24 & 0xf;
	if (index >= 2 * HVM_IOAPIC_NUM_PINS) {
		raw_spin_unlock_irqrestore(&io->lock, flags);
		return;
	}
	changed = entry_write(io, index, val);
	raw_spin_unlock_irqrestore(&io->lock, flags);

	/* Before a message by the new entry: its end has to be seen. */
	if (changed & ~(ENTRY_MASK | ENTRY_REMOTE))
		hvm_routing_scan(vm);
	if (changed & ENTRY_MASK && !(val & ENTRY_MASK))
		hvm_routing_unmasked(vm, HVM_IRQCHIP_IOAPIC, pin);
	raw_spin_lock_irqsave(&io->lock, flags);
	if (io->s.redirtbl[pin].bits & ENTRY_LEVEL && io->s.irr & BIT(pin))
		service(vm, io, pin);
	raw_spin_unlock_irqrestore(&io->lock, flags);
}

static u32 read_window(const struct hvm_ioapic *io)
{
	u32 index = io->s.ioregsel - 0x10;

	if (io->s.ioregsel == 1)
		return VERSION;
	if (io->s.ioregsel == 0 || io->s.ioregsel == 2)	/* ID, arbitration ID */
		return (io->s.id & 0xf) << 24;
	if (index >= 2 * HVM_IOAPIC_NUM_PINS)
		return 0;
	return io->s.redirtbl[index / 2].bits >> (index & 1) * 32;
}

bool hvm_ioapic_owns(struct hvm_vm *vm, gpa_t gpa)
{
	return gpa - READ_ONCE(vm->ioapic->s.base_address) < LENGTH;
}

/**
 * hvm_ioapic_mmio - the guest reads or writes the IOAPIC's page
 * @vm: the VM
 * @gpa: guest-physical address
 * @len: bytes
 * @data: where they go or come from
 * @write: direction
 *
 * Return: false: not the IOAPIC's address.
 */
bool hvm_ioapic_mmio(struct hvm_vm *vm, gpa_t gpa, u32 len, void *data, bool write)
{
	struct hvm_ioapic *io = vm->ioapic;
	u64 off = gpa - READ_ONCE(io->s.base_address);
	unsigned long flags;
	u32 val = 0;

	if (off > LENGTH - len)
		return false;
	if (write) {
		memcpy(&val, data, min_t(u32, len, sizeof(val)));
		if (off == REG_SELECT)
			WRITE_ONCE(io->s.ioregsel, (u8)val);
		else if (off == REG_WINDOW)
			write_window(vm, io, val);
		return true;
	}
	raw_spin_lock_irqsave(&io->lock, flags);
	if (off == REG_SELECT)
		val = io->s.ioregsel;
	else if (off == REG_WINDOW)
		val = read_window(io);
	raw_spin_unlock_irqrestore(&io->lock, flags);
	memset(data, 0, len);
	memcpy(data, &val, min_t(u32, len, sizeof(val)));
	return true;
}

/* ---- state, life ---- */

void hvm_ioapic_get(struct hvm_vm *vm, struct hvm_ioapic_state *s)
{
	struct hvm_ioapic *io = vm->ioapic;
	unsigned long flags;

	raw_spin_lock_irqsave(&io->lock, flags);
	*s = io->s;
	s->irr &= ~io->sent;
	raw_spin_unlock_irqrestore(&io->lock, flags);
}

void hvm_ioapic_put(struct hvm_vm *vm, const struct hvm_ioapic_state *s)
{
	struct hvm_ioapic *io = vm->ioapic;
	unsigned long flags;
	u32 pending;

	raw_spin_lock_irqsave(&io->lock, flags);
	io->s = *s;
	io->s.irr = 0;
	io->sent = 0;
	raw_spin_unlock_irqrestore(&io->lock, flags);
	hvm_routing_scan(vm);
	raw_spin_lock_irqsave(&io->lock, flags);
	for (pending = s->irr & PINS; pending; pending &= pending - 1)
		set_pin(vm, io, __ffs(pending), true);
	raw_spin_unlock_irqrestore(&io->lock, flags);
}

int hvm_ioapic_create(struct hvm_vm *vm)
{
	struct hvm_ioapic *io = kzalloc(sizeof(*io), GFP_KERNEL_ACCOUNT);
	int pin;

	if (!io)
		return -ENOMEM;
	raw_spin_lock_init(&io->lock);
	io->s.base_address = BASE;
	for (pin = 0; pin < HVM_IOAPIC_NUM_PINS; pin++)
		io->s.redirtbl[pin].bits = ENTRY_MASK;
	vm->ioapic = io;
	return 0;
}

void hvm_ioapic_destroy(struct hvm_vm *vm)
{
	kfree(vm->ioapic);
	vm->ioapic = NULL;
}
