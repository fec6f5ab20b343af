// SPDX-License-Identifier: GPL-2.0-only
/*
 * pic.c - the pair of 8259A interrupt controllers of a PC
 *
 * Line 2 of the master is the slave's output. The master's output reaches the
 * vCPUs whose local APIC lets it in (LVT0 as ExtINT, or the APIC disabled);
 * events.c asks hvm_pic_output() and then hvm_pic_ack(), which is the INTA cycle.
 * The state is struct hvm_pic_state itself, so saving and restoring are copies;
 * userspace may put anything there, and every field is good with any value.
 *
 * Locks: pic->lock, raw and with interrupts off, because lines are raised from
 * eventfd callbacks and timers. What the outside must be told of - ends of
 * interrupts, lines opened, the output risen - is noted under the lock and told
 * after it (unlock()), as those who hear of it raise lines again.
 */
#include <linux/slab.h>
#include "legacy.h"

#define CASCADE		2		/* the master's line for the slave */
#define SPURIOUS	7

struct hvm_pic {
	raw_spinlock_t lock;
	struct hvm_pic_state chip[2];	/* master, slave */
	u8 lines[2 * HVM_PIC_PINS];	/* who holds them up */
	bool output;			/* also read without the lock */
	/* for unlock() */
	bool rose;
	u16 ended, unmasked;		/* pins */
};

/* ---- one controller ---- */

/* Lines of @lines in the order of priority: 0 is the highest; 8: none is set. */
static int priority(const struct hvm_pic_state *s, u8 lines)
{
	int i;

	for (i = 0; i < HVM_PIC_PINS; i++)
		if (lines & BIT((i + s->priority_add) & 7))
			break;
	return i;
}

/* The line to be served now, or -1. */
static int next_line(const struct hvm_pic *pic, const struct hvm_pic_state *s)
{
	int want = priority(s, s->irr & ~s->imr);
	u8 busy = s->isr;

	if (s->special_mask)
		busy &= ~s->imr;
	/* Another request of the slave may interrupt one of its own. */
	if (s->special_fully_nested_mode && s == &pic->chip[0])
		busy &= ~BIT(CASCADE);
	return want < priority(s, busy) ? (want + s->priority_add) & 7 : -1;
}

static int set_line(struct hvm_pic_state *s, int line, bool level)
{
	u8 bit = BIT(line);
	int r = 1;

	if (level && (s->elcr & bit || !(s->last_irr & bit))) {
		r = !(s->irr & bit);
		s->irr |= bit;
	} else if (!level && s->elcr & bit) {
		s->irr &= ~bit;
	}
	s->last_irr = level ? s->last_irr | bit : s->last_irr & ~bit;
	return s->imr & bit ? -1 : r;
}

static void end_line(struct hvm_pic *pic, struct hvm_pic_state *s, int line)
{
	s->isr &= ~BIT(line);
	pic->ended |= BIT(line + (s - pic->chip) * HVM_PIC_PINS);
}

static void ack_line(struct hvm_pic *pic, struct hvm_pic_state *s, int line)
{
	s->isr |= BIT(line);
	if (!(s->elcr & BIT(line)))
		s->irr &= ~BIT(line);
	if (!s->auto_eoi)
		return;
	if (s->rotate_on_auto_eoi)
		s->priority_add = (line + 1) & 7;
	end_line(pic, s, line);
}

/* ---- the pair ---- */

static void update(struct hvm_pic *pic)
{
	bool output;

	if (next_line(pic, &pic->chip[1]) >= 0) {
		set_line(&pic->chip[0], CASCADE, true);
		set_line(&pic->chip[0], CASCADE, false);
	}
	output = next_line(pic, &pic->chip[0]) >= 0;
	pic->rose |= output && !pic->output;
	WRITE_ONCE(pic->output, output);
}

static unsigned long lock(struct hvm_pic *pic)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&pic->lock, flags);
	return flags;
}

static void wake(struct hvm_vm *vm)
{
	struct hvm_vcpu *vcpu;
	int i;

	hvm_for_each_vcpu(i, vcpu, vm)
		if (hvm_lapic_accepts_pic(vcpu)) {
			hvm_request(vcpu, HVM_REQ_EVENT);
			break;
		}
}

static void unlock(struct hvm_vm *vm, unsigned long flags)
{
	struct hvm_pic *pic = vm->pic;
	unsigned long ended = pic->ended, unmasked = pic->unmasked;
	bool rose = pic->rose;
	int pin;

	pic->ended = 0;
	pic->unmasked = 0;
	pic->rose = false;
	raw_spin_unlock_irqrestore(&pic->lock, flags);
	for_each_set_bit(pin, &ended, 2 * HVM_PIC_PINS)
		hvm_routing_acked(vm, pin / HVM_PIC_PINS, pin % HVM_PIC_PINS);
	for_each_set_bit(pin, &unmasked, 2 * HVM_PIC_PINS)
		hvm_routing_unmasked(vm, pin / HVM_PIC_PINS, pin % HVM_PIC_PINS);
	if (rose)
		wake(vm);
}

int hvm_pic_set(struct hvm_vm *vm, int source, u32 pin, int level)
{
	struct hvm_pic *pic = vm->pic;
	unsigned long flags = lock(pic);
	int r;

	r = set_line(&pic->chip[pin / HVM_PIC_PINS], pin % HVM_PIC_PINS,
		     hvm_line_set(&pic->lines[pin], source, level));
	update(pic);
	unlock(vm, flags);
	return r;
}

bool hvm_pic_output(struct hvm_vm *vm)
{
	return READ_ONCE(vm->pic->output);
}

u8 hvm_pic_ack(struct hvm_vm *vm)
{
	struct hvm_pic *pic = vm->pic;
	struct hvm_pic_state *s = &pic->chip[0];
	unsigned long flags = lock(pic);
	int line = next_line(pic, s);
	u8 vector;

	if (line >= 0)
		ack_line(pic, s, line);
	if (line == CASCADE) {
		s = &pic->chip[1];
		line = next_line(pic, s);
		if (line >= 0)
			ack_line(pic, s, line);
	}
	/* The request went away between INTR and INTA. */
	vector = s->irq_base + (line < 0 ? SPURIOUS : line);
	update(pic);
	unlock(vm, flags);
	return vector;
}

/* ---- ports ---- */

/* ICW1. Requests of edge-triggered lines are forgotten, so whoever waits for their end hears of it. */
static void init_begin(struct hvm_pic *pic, struct hvm_pic_state *s, u8 val)
{
	u8 edges = s->irr & ~s->elcr;
	int line;

	s->init4 = val & 1;
	s->last_irr = 0;
	s->irr &= s->elcr;
	s->imr = 0;
	s->isr = 0;
	s->priority_add = 0;
	s->special_mask = 0;
	s->read_reg_select = 0;
	if (!s->init4) {
		s->special_fully_nested_mode = 0;
		s->auto_eoi = 0;
	}
	s->init_state = 1;
	for (line = 0; line < HVM_PIC_PINS; line++)
		if (edges & BIT(line))
			end_line(pic, s, line);
}

/* Operation command word 2: ends of interrupts, rotation. */
static void command(struct hvm_pic *pic, struct hvm_pic_state *s, u8 val)
{
	bool rotate = val & 0x80, specific = val & 0x40, eoi = val & 0x20;
	int line = val & 7;

	if (!eoi && !specific) {
		s->rotate_on_auto_eoi = rotate;
		return;
	}
	if (!specific) {
		line = priority(s, s->isr);
		if (line == HVM_PIC_PINS)
			return;
		line = (line + s->priority_add) & 7;
	}
	if (rotate)
		s->priority_add = (line + 1) & 7;
	if (eoi)
		end_line(pic, s, line);
}

static void write_command(struct hvm_pic *pic, struct hvm_pic_state *s, u8 val)
{
	if (val & 0x10) {
		init_begin(pic, s, val);
	} else if (val & 8) {		/* operation command word 3 */
		if (val & 4)
			s->poll = 1;
		if (val & 2)
			s->read_reg_select = val & 1;
		if (val & 0x40)
			s->special_mask = val >> 5 & 1;
	} else {
		command(pic, s, val);
	}
}

static void write_data(struct hvm_pic *pic, struct hvm_pic_state *s, u8 val)
{
	switch (s->init_state) {
	case 1:
		s->irq_base = val & 0xf8;
		s->init_state = 2;
		break;
	case 2:				/* the cascade is wired, not programmed */
		s->init_state = s->init4 ? 3 : 0;
		break;
	case 3:
		s->special_fully_nested_mode = val >> 4 & 1;
		s->auto_eoi = val >> 1 & 1;
		s->init_state = 0;
		break;
	default:
		pic->unmasked |= (s->imr & ~val) << (s - pic->chip) * HVM_PIC_PINS;
		s->imr = val;
	}
}

static u8 read_poll(struct hvm_pic *pic, struct hvm_pic_state *s)
{
	int line = next_line(pic, s);

	s->poll = 0;
	if (line < 0)
		return 0;
	ack_line(pic, s, line);
	return 0x80 | line;
}

static u8 port_read(struct hvm_pic *pic, u16 port)
{
	struct hvm_pic_state *s = &pic->chip[port >> 7 & 1];

	if (port >= 0x4d0)
		return pic->chip[port & 1].elcr;
	if (s->poll)
		return read_poll(pic, s);
	if (port & 1)
		return s->imr;
	return s->read_reg_select ? s->isr : s->irr;
}

static void port_write(struct hvm_pic *pic, u16 port, u8 val)
{
	struct hvm_pic_state *s = &pic->chip[port >> 7 & 1];

	if (port >= 0x4d0)
		pic->chip[port & 1].elcr = val & pic->chip[port & 1].elcr_mask;
	else if (port & 1)
		write_data(pic, s, val);
	else
		write_command(pic, s, val);
}

/**
 * hvm_pic_pio - the guest reads or writes a port of an 8259A or of the trigger modes
 * @vm: the VM
 * @port: the port
 * @len: bytes; these registers have one, so two at once read 0 and are lost
 * @data: where they go or come from
 * @in: direction
 *
 * Return: false: not ports of these, or not only.
 */
bool hvm_pic_pio(struct hvm_vm *vm, u16 port, u32 len, void *data, bool in)
{
	unsigned long flags;

	if (((port & ~0x81) != 0x20 && (port & ~1) != 0x4d0) || (port & 1) + len > 2)
		return false;
	if (len != 1) {
		if (in)
			memset(data, 0, len);
		return true;
	}
	flags = lock(vm->pic);
	if (in)
		*(u8 *)data = port_read(vm->pic, port);
	else
		port_write(vm->pic, port, *(u8 *)data);
	update(vm->pic);
	unlock(vm, flags);
	return true;
}

/* ---- state, life ---- */

void hvm_pic_get(struct hvm_vm *vm, u32 chip, struct hvm_pic_state *s)
{
	unsigned long flags = lock(vm->pic);

	*s = vm->pic->chip[chip];
	unlock(vm, flags);
}

void hvm_pic_put(struct hvm_vm *vm, u32 chip, const struct hvm_pic_state *s)
{
	unsigned long flags = lock(vm->pic);

	vm->pic->chip[chip] = *s;
	update(vm->pic);
	unlock(vm, flags);
}

int hvm_pic_create(struct hvm_vm *vm)
{
	struct hvm_pic *pic = kzalloc(sizeof(*pic), GFP_KERNEL_ACCOUNT);

	if (!pic)
		return -ENOMEM;
	raw_spin_lock_init(&pic->lock);
	/* Timer, keyboard, cascade; clock and coprocessor: always edges. */
	pic->chip[0].elcr_mask = 0xf8;
	pic->chip[1].elcr_mask = 0xde;
	vm->pic = pic;
	return 0;
}

void hvm_pic_destroy(struct hvm_vm *vm)
{
	kfree(vm->pic);
	vm->pic = NULL;
}
