/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The far end of the serial port. See console.c.
 */
#ifndef VMM_CONSOLE_H
#define VMM_CONSOLE_H

#include "args.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define CONSOLE_BUFFER	512

/**
 * struct console - where the guest's serial port leads
 * @kind: to what
 * @in: what the user types comes from here; -1: nothing does, for now
 * @listener: a socket that a client may connect to, or -1
 * @flush_timer: readable when console_flush() is due
 * @is_tty: @in is a terminal
 * @closing: do not wait for a reader any more
 * @ready: the text that means "booted", or NULL
 * @ready_ns: when it came, by CLOCK_MONOTONIC, or 0
 * @lock: guards the rest
 * @out: what the guest writes goes here; -1: nowhere
 * @buffer: what the guest wrote and is not yet put out
 * @used: bytes of it
 * @ready_matched: bytes of @ready that the guest wrote last
 * @path: a socket to be removed in the end
 * @slave: a pseudo-terminal's other end, kept open
 */
struct console {
	enum serial_kind kind;
	int in;
	int listener;
	int flush_timer;
	bool is_tty;
	atomic_bool closing;
	const char *ready;
	atomic_ullong ready_ns;

	pthread_mutex_t lock;
	int out;
	char buffer[CONSOLE_BUFFER];
	size_t used;
	size_t ready_matched;
	const char *path;
	int slave;
};

/** console_open() - open what @cfg says */
int console_open(struct console *c, const struct config *cfg);
/** console_close() - put out what is left, and close; harmless when not open */
void console_close(struct console *c);

/** console_put() - the guest sent a byte; may wait for the reader */
void console_put(struct console *c, uint8_t byte);
/** console_flush() - put out what can be without waiting */
void console_flush(struct console *c);
/** console_accept() - a client connects to the listener */
void console_accept(struct console *c);

/**
 * console_read() - what the user typed; call when .in is readable
 *
 * Return: bytes; 0 when there are none, now or ever (then .in is -1).
 */
size_t console_read(struct console *c, char *buf, size_t len);

#endif
