/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The user's terminal. See term.c.
 */
#ifndef VMM_TERM_H
#define VMM_TERM_H

#include <stdbool.h>
#include <stddef.h>

/** term_raw() - make standard input, which is a terminal, raw */
int term_raw(void);
/** term_restore() - make it as it was; safe in a signal handler */
void term_restore(void);
/** term_continue() - after SIGCONT: raw again, if it was */
void term_continue(void);

/**
 * term_filter() - take the escape key out of what the user typed
 * @pending: whether the last byte was the escape key; false to begin with
 * @buf: the bytes; those for the guest are left in it
 * @len: how many; changed accordingly
 *
 * Return: whether the user wants to quit.
 */
bool term_filter(bool *pending, char *buf, size_t *len);

#endif
