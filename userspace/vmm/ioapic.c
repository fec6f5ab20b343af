// SPDX-License-Identifier: GPL-2.0-only
/*
 * The I/O APIC, by Intel's 82093AA data sheet, with the EOI register of later
 * ones (version 0x20). The local APICs are in the kernel; a pin's interrupt
 * goes to them as the message that its redirection entry amounts to.
 *
 * An edge is sent and forgotten. A level-triggered pin sets Remote IRR when
 * it sends and does not send again before the end of interrupt; the kernel
 * reports that for the messages it was told of through ops->route. A line
 * that rises while its pin is masked is delivered when it is unmasked if it
 * is level-triggered and still high, and is lost if it is edge-triggered.
 *
 * The lock guards all of it. Devices call ioapic_set_line() with their own
 * locks held; nothing here calls back into a device.
 */
#include "ioapic.h"

#include <string.h>

#define REG_SELECT	0x00
#define REG_WINDOW	0x10
#define REG_EOI		0x40

#define INDEX_ID	0x00
#define INDEX_VERSION	0x01
#define INDEX_ARB	0x02
#define INDEX_TABLE	0x10

#define VERSION		(0x20 | (IOAPIC_PINS - 1) << 16)

#define RTE_VECTOR	0xffull
#define RTE_DELIVERY	(7ull << 8)
#define RTE_LOGICAL	(1ull << 11)
#define RTE_REMOTE_IRR	(1ull << 14)
#define RTE_LEVEL	(1ull << 15)
#define RTE_MASKED	(1ull << 16)
#define RTE_DEST_SHIFT	56
#define RTE_WRITABLE	(0xff000000000000ffull | RTE_DELIVERY | RTE_LOGICAL | \
			 (1ull << 13) | RTE_LEVEL | RTE_MASKED)

#define DELIVERY_LOWEST	(1ull << 8)

#define MSI_BASE	0xfee00000ull
#define MSI_LOGICAL	(1ull << 2)
#define MSI_REDIRECT	(1ull << 3)
#define MSI_DEST_SHIFT	12
#define MSI_ASSERT	(1u << 14)
#define MSI_LEVEL	(1u << 15)

/* The message that a redirection entry stands for */
static uint64_t message(uint64_t rte, uint32_t *data)
{
	uint64_t address = MSI_BASE |
			   (rte >> RTE_DEST_SHIFT) << MSI_DEST_SHIFT;

	if (rte & RTE_LOGICAL)
		address |= MSI_LOGICAL;
	if ((rte & RTE_DELIVERY) == DELIVERY_LOWEST)
		address |= MSI_REDIRECT;
	*data = rte & (RTE_VECTOR | RTE_DELIVERY);
	if (rte & RTE_LEVEL)
		*data |= MSI_LEVEL | MSI_ASSERT;
	return address;
}

static void send(struct ioapic *s, unsigned int pin)
{
	uint64_t address;
	uint32_t data;

	address = message(s->table[pin], &data);
	s->ops->send(s->ptr, address, data);
}

/* A level-triggered pin sends if it is high, unmasked, and not in service. */
static void send_level(struct ioapic *s, unsigned int pin)
{
	if (!(s->lines & 1u << pin) ||
	    s->table[pin] & (RTE_MASKED | RTE_REMOTE_IRR))
		return;
	s->table[pin] |= RTE_REMOTE_IRR;
	send(s, pin);
}

void ioapic_set_line(struct ioapic *s, unsigned int pin, bool high)
{
	uint32_t bit = 1u << pin;

	pthread_mutex_lock(&s->lock);
	if (high && !(s->lines & bit)) {
		s->lines |= bit;
		if (s->table[pin] & RTE_LEVEL)
			send_level(s, pin);
		else if (!(s->table[pin] & RTE_MASKED))
			send(s, pin);
	} else if (!high) {
		s->lines &= ~bit;
	}
	pthread_mutex_unlock(&s->lock);
}

static void eoi(struct ioapic *s, uint8_t vector)
{
	unsigned int pin;

	for (pin = 0; pin < IOAPIC_PINS; pin++) {
		uint64_t rte = s->table[pin];

		if ((rte & RTE_VECTOR) != vector || !(rte & RTE_REMOTE_IRR))
			continue;
		s->table[pin] &= ~RTE_REMOTE_IRR;
		send_level(s, pin);
	}
}

void ioapic_eoi(struct ioapic *s, uint8_t vector)
{
	pthread_mutex_lock(&s->lock);
	eoi(s, vector);
	pthread_mutex_unlock(&s->lock);
}

/* Tell the machine if what a level-triggered pin sends has become another. */
static void update_route(struct ioapic *s, unsigned int pin, uint64_t old)
{
	uint64_t address = 0, old_address = 0;
	uint32_t data = 0, old_data = 0;

	if (s->table[pin] & RTE_LEVEL)
		address = message(s->table[pin], &data);
	if (old & RTE_LEVEL)
		old_address = message(old, &old_data);
	if (address != old_address || data != old_data)
		s->ops->route(s->ptr, pin, address, data);
}

static void write_table(struct ioapic *s, unsigned int index, uint32_t value)
{
	unsigned int pin = index / 2, shift = index % 2 * 32;
	uint64_t old = s->table[pin], rte;

	rte = (old & ~(0xffffffffull << shift)) | (uint64_t)value << shift;
	rte = (rte & RTE_WRITABLE) | (old & RTE_REMOTE_IRR);
	/* An edge is never in service: some guests clear Remote IRR so. */
	if (!(rte & RTE_LEVEL))
		rte &= ~RTE_REMOTE_IRR;
	s->table[pin] = rte;
	update_route(s, pin, old);
	if (rte & RTE_LEVEL)
		send_level(s, pin);
}

static uint32_t read_window(const struct ioapic *s)
{
	unsigned int index = s->select;

	switch (index) {
	case INDEX_ID:
	case INDEX_ARB:
		return s->id;
	case INDEX_VERSION:
		return VERSION;
	}
	if (index < INDEX_TABLE || index >= INDEX_TABLE + 2 * IOAPIC_PINS)
		return 0;
	index -= INDEX_TABLE;
	return s->table[index / 2] >> index % 2 * 32;
}

static void write_window(struct ioapic *s, uint32_t value)
{
	if (s->select == INDEX_ID)
		s->id = value & 0x0f000000;
	else if (s->select >= INDEX_TABLE &&
		 s->select < INDEX_TABLE + 2 * IOAPIC_PINS)
		write_table(s, s->select - INDEX_TABLE, value);
}

void ioapic_access(void *ptr, uint64_t offset, void *data, unsigned int len,
		   bool write)
{
	struct ioapic *s = ptr;
	uint32_t value = 0;

	if (!write)
		memset(data, 0, len);
	if (len > sizeof(value))
		len = sizeof(value);
	pthread_mutex_lock(&s->lock);
	if (write) {
		memcpy(&value, data, len);
		if (offset == REG_SELECT)
			s->select = value & 0xff;
		else if (offset == REG_WINDOW)
			write_window(s, value);
		else if (offset == REG_EOI)
			eoi(s, value);
	} else {
		if (offset == REG_SELECT)
			value = s->select;
		else if (offset == REG_WINDOW)
			value = read_window(s);
		memcpy(data, &value, len);
	}
	pthread_mutex_unlock(&s->lock);
}

void ioapic_init(struct ioapic *s, const struct ioapic_ops *ops, void *ptr)
{
	unsigned int pin;

	memset(s, 0, sizeof(*s));
	pthread_mutex_init(&s->lock, NULL);
	s->ops = ops;
	s->ptr = ptr;
	for (pin = 0; pin < IOAPIC_PINS; pin++)
		s->table[pin] = RTE_MASKED;
}
