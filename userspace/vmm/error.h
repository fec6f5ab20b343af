/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What went wrong, in one line. See error.c.
 */
#ifndef VMM_ERROR_H
#define VMM_ERROR_H

/* The exit statuses of `hvm run`; hvm(1) promises them. */
enum exit_status {
	STATUS_POWEROFF	= 0,
	STATUS_OTHER	= 1,
	STATUS_RESET	= 32,
	STATUS_CRASH	= 33,
	STATUS_PANIC	= 34,
	STATUS_INPUT	= 35,
	STATUS_WATCHDOG	= 36,
};

/**
 * fail_input() - record that what the user gave cannot be used
 *
 * Return: -EINVAL, so that `return fail_input(...)` unwinds.
 */
int fail_input(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/**
 * fail_host() - record that this host, or the kernel, did not comply
 * @err: a negative errno, whose text is appended; 0 for none
 *
 * Return: @err, or -EIO if that is 0.
 */
int fail_host(int err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/** failure_text() - the first failure's line, or NULL if there was none */
const char *failure_text(void);
/** failure_status() - the exit status that belongs to it */
enum exit_status failure_status(void);
/** failure_clear() - forget it; for tests */
void failure_clear(void);

#endif
