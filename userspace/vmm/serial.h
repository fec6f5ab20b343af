/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The serial port. See serial.c.
 */
#ifndef VMM_SERIAL_H
#define VMM_SERIAL_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SERIAL_PORTS	8
#define SERIAL_FIFO	16

/**
 * struct serial_ops - what a serial port needs of the machine around it
 * @irq: drive the interrupt line; called with the port's lock held
 * @output: the guest sent a byte; called without the lock, and may block
 * @readable: there is room for input again; called without the lock
 */
struct serial_ops {
	void (*irq)(void *ptr, bool high);
	void (*output)(void *ptr, uint8_t byte);
	void (*readable)(void *ptr);
};

/**
 * struct serial - a 16550A
 * @lock: guards the rest
 * @ops: the machine
 * @ptr: for @ops
 * @fifo: bytes received, from @head on, @count of them
 * @thre: a "transmitter empty" interrupt is due
 */
struct serial {
	pthread_mutex_t lock;
	const struct serial_ops *ops;
	void *ptr;
	uint8_t ier, fcr, lcr, mcr, scr;
	uint16_t divisor;
	uint8_t fifo[SERIAL_FIFO];
	unsigned int head, count;
	bool thre;
	bool line;
};

/** serial_init() - as after reset */
void serial_init(struct serial *s, const struct serial_ops *ops, void *ptr);
/** serial_access() - an iotrap_fn */
void serial_access(void *ptr, uint64_t offset, void *data, unsigned int len,
		   bool write);

/**
 * serial_room() - how many bytes serial_input() would take
 *
 * Nothing as long as the guest has not enabled the receive interrupt: what
 * came earlier would be lost when its driver resets the FIFO.
 */
size_t serial_room(struct serial *s);
/** serial_input() - receive bytes; returns how many found room */
size_t serial_input(struct serial *s, const void *data, size_t len);

#endif
