/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The I/O APIC. See ioapic.c.
 */
#ifndef VMM_IOAPIC_H
#define VMM_IOAPIC_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define IOAPIC_PINS	24
#define IOAPIC_SIZE	0x100

/**
 * struct ioapic_ops - what an IOAPIC needs of the machine around it
 * @send: deliver a message-signalled interrupt
 * @route: pin @pin is level-triggered and sends this message, whose end of
 *	interrupt has to be reported; or, with @address 0, no longer
 *
 * Both are called with the IOAPIC's lock held and must not call it.
 */
struct ioapic_ops {
	void (*send)(void *ptr, uint64_t address, uint32_t data);
	void (*route)(void *ptr, unsigned int pin, uint64_t address,
		      uint32_t data);
};

/**
 * struct ioapic - its registers
 * @lock: guards the rest
 * @ops: the machine
 * @ptr: for @ops
 * @select: the register that the window shows
 * @id: the ID register, which nothing depends on
 * @lines: the pins' levels
 * @table: the redirection table
 */
struct ioapic {
	pthread_mutex_t lock;
	const struct ioapic_ops *ops;
	void *ptr;
	uint32_t select;
	uint32_t id;
	uint32_t lines;
	uint64_t table[IOAPIC_PINS];
};

/** ioapic_init() - as after reset: every pin masked */
void ioapic_init(struct ioapic *s, const struct ioapic_ops *ops, void *ptr);
/** ioapic_access() - an iotrap_fn */
void ioapic_access(void *ptr, uint64_t offset, void *data, unsigned int len,
		   bool write);
/** ioapic_set_line() - a device drives @pin high or low */
void ioapic_set_line(struct ioapic *s, unsigned int pin, bool high);
/** ioapic_eoi() - a local APIC finished @vector */
void ioapic_eoi(struct ioapic *s, uint8_t vector);

#endif
