// SPDX-License-Identifier: GPL-2.0-only
/*
 * The one place where a failure is put into words. A function that fails
 * records the reason here and returns a negative errno; its callers pass that
 * on, and main.c prints the line when the terminal is back to normal. Several
 * threads may fail at once, usually for the same reason: the first one counts.
 *
 * The lock guards the record.
 */
#include "error.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char text[512];
static enum exit_status status;

__attribute__((format(printf, 3, 0)))
static void record(enum exit_status why, int err, const char *fmt, va_list ap)
{
	size_t n;

	pthread_mutex_lock(&lock);
	if (!text[0]) {
		status = why;
		vsnprintf(text, sizeof(text), fmt, ap);
		n = strlen(text);
		if (err)
			snprintf(text + n, sizeof(text) - n, ": %s",
				 strerror(-err));
	}
	pthread_mutex_unlock(&lock);
}

int fail_input(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	record(STATUS_INPUT, 0, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

int fail_host(int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	record(STATUS_OTHER, err, fmt, ap);
	va_end(ap);
	return err ? err : -EIO;
}

const char *failure_text(void)
{
	return text[0] ? text : NULL;
}

enum exit_status failure_status(void)
{
	return status;
}

void failure_clear(void)
{
	text[0] = '\0';
}
