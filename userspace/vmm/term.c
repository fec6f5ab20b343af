// SPDX-License-Identifier: GPL-2.0-only
/*
 * The user's terminal: raw while the guest has it, and as it was before on
 * every way out. Ordinary ways end in main(), which calls term_restore();
 * exit() does by atexit(); a fatal signal does in a handler that then lets the
 * signal have its way. Nothing helps against SIGKILL.
 *
 * The saved settings are written once, before the handlers are there.
 */
#include "term.h"
#include "error.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#define ESCAPE	('a' & 0x1f)

static struct termios saved;
static struct termios raw;
static volatile sig_atomic_t is_raw;

void term_restore(void)
{
	if (is_raw) {
		is_raw = 0;
		tcsetattr(STDIN_FILENO, TCSADRAIN, &saved);
	}
}

static void on_fatal(int sig)
{
	int err = errno;

	/* SA_RESETHAND: returning repeats the fault, now with its default. */
	if (is_raw)
		tcsetattr(STDIN_FILENO, TCSANOW, &saved);
	is_raw = 0;
	errno = err;
	raise(sig);
}

static void catch_fatal(void)
{
	static const int fatal[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT,
				     SIGSYS, SIGXCPU, SIGXFSZ };
	struct sigaction sa = {
		.sa_handler = on_fatal,
		.sa_flags = SA_RESETHAND,
	};
	size_t i;

	sigfillset(&sa.sa_mask);
	for (i = 0; i < sizeof(fatal) / sizeof(fatal[0]); i++)
		sigaction(fatal[i], &sa, NULL);
}

int term_raw(void)
{
	if (tcgetattr(STDIN_FILENO, &saved) < 0)
		return fail_host(-errno, "the terminal's settings cannot be read");
	raw = saved;
	cfmakeraw(&raw);
	catch_fatal();
	atexit(term_restore);
	if (tcsetattr(STDIN_FILENO, TCSANOW, &raw) < 0)
		return fail_host(-errno, "the terminal cannot be made raw");
	is_raw = 1;
	return 0;
}

void term_continue(void)
{
	if (is_raw)
		tcsetattr(STDIN_FILENO, TCSANOW, &raw);
}

bool term_filter(bool *pending, char *buf, size_t *len)
{
	size_t in, out = 0;

	for (in = 0; in < *len; in++) {
		char c = buf[in];

		if (!*pending && c == ESCAPE) {
			*pending = true;
		} else if (*pending && c == 'x') {
			*len = out;
			return true;
		} else {
			/* After the escape key, this key alone is meant. */
			*pending = false;
			buf[out++] = c;
		}
	}
	*len = out;
	return false;
}
