// SPDX-License-Identifier: GPL-2.0-only
/*
 * `hvm run`: builds the machine, starts the vCPU threads, and then serves what
 * comes from outside until the guest or the user ends it: input for the serial
 * port, the signals, the watchdog.
 *
 * Only the main thread runs what is here. It takes the signals by a signalfd;
 * the vCPU threads inherit them blocked.
 */
#include "run.h"
#include "stats.h"
#include "term.h"
#include "vm.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#define TYPED_MAX	4096
#define BUTTON_NS	5000000000ull	/* what SIGTERM leaves the guest */

/**
 * struct loop - the main thread's affairs
 * @vm: the guest
 * @signals: the signalfd
 * @deadline: when the guest is stopped, by CLOCK_MONOTONIC in ns; 0: never
 * @deadline_status: and with which status
 * @asked: the user asked the guest to end
 * @escape: the escape key was typed last
 * @typed: input that the serial port has not had room for
 * @ntyped: bytes of it
 */
struct loop {
	struct vm *vm;
	int signals;
	unsigned long long deadline;
	enum exit_status deadline_status;
	bool asked;
	bool escape;
	char typed[TYPED_MAX];
	size_t ntyped;
};

static unsigned long long now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

static void feed_serial(struct loop *l)
{
	size_t n = serial_input(&l->vm->serial, l->typed, l->ntyped);

	memmove(l->typed, l->typed + n, l->ntyped - n);
	l->ntyped -= n;
}

static void take_input(struct loop *l)
{
	struct console *c = &l->vm->console;
	char buf[256];
	size_t n = console_read(c, buf, sizeof(buf)), room;

	if (c->is_tty && term_filter(&l->escape, buf, &n)) {
		fail_host(0, "quit by Ctrl-a x");
		vm_end(l->vm, STATUS_OTHER);
		return;
	}
	/* Only a terminal, whose escape key must work, is read when full. */
	room = TYPED_MAX - l->ntyped;
	if (n > room)
		n = room;
	memcpy(l->typed + l->ntyped, buf, n);
	l->ntyped += n;
	feed_serial(l);
}

/* Of two deadlines, the earlier one counts. */
static void set_deadline(struct loop *l, unsigned long long when,
			 enum exit_status status)
{
	if (l->deadline && l->deadline <= when)
		return;
	l->deadline = when;
	l->deadline_status = status;
}

/* The first time, ask the guest if it listens; else make an end. */
static void asked_to_end(struct loop *l, int sig)
{
	if (!l->asked) {
		fail_host(0, "stopped by SIG%s", sigabbrev_np(sig));
		l->asked = true;
		if (pm_press_power_button(&l->vm->pm)) {
			set_deadline(l, now_ns() + BUTTON_NS, STATUS_OTHER);
			return;
		}
	}
	vm_end(l->vm, STATUS_OTHER);
}

static void take_signal(struct loop *l)
{
	struct signalfd_siginfo info;

	if (read(l->signals, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo == SIGCONT)
		term_continue();
	else
		asked_to_end(l, info.ssi_signo);
}

static void check_deadline(struct loop *l)
{
	if (!l->deadline || now_ns() < l->deadline)
		return;
	if (l->deadline_status == STATUS_WATCHDOG)
		fail_host(0, "the watchdog stopped the guest after %u seconds",
			  l->vm->cfg->watchdog);
	vm_end(l->vm, l->deadline_status);
}

static int poll_timeout(const struct loop *l)
{
	unsigned long long now = now_ns(), ms;

	if (!l->deadline)
		return -1;
	if (now >= l->deadline)
		return 0;
	ms = (l->deadline - now) / 1000000 + 1;
	return ms > 3600000 ? 3600000 : ms;
}

static void serve(struct loop *l)
{
	struct console *c = &l->vm->console;
	bool input = c->is_tty || l->ntyped == 0;
	struct pollfd p[] = {
		{ .fd = l->signals, .events = POLLIN },
		{ .fd = l->vm->wake, .events = POLLIN },
		{ .fd = c->flush_timer, .events = POLLIN },
		{ .fd = c->listener, .events = POLLIN },
		{ .fd = input ? c->in : -1, .events = POLLIN },
	};
	uint64_t count;

	if (poll(p, sizeof(p) / sizeof(p[0]), poll_timeout(l)) < 0 &&
	    errno != EINTR) {
		fail_host(-errno, "poll failed");
		vm_end(l->vm, STATUS_OTHER);
	}
	if (p[0].revents)
		take_signal(l);
	if (p[1].revents && read(l->vm->wake, &count, sizeof(count)) > 0)
		feed_serial(l);
	if (p[2].revents)
		console_flush(c);
	if (p[3].revents)
		console_accept(c);
	if (p[4].revents)
		take_input(l);
	check_deadline(l);
}

static int open_signals(struct loop *l)
{
	static const int handled[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT,
				       SIGCONT };
	sigset_t set;
	size_t i;

	/* A reader who left shows as EPIPE. */
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	for (i = 0; i < sizeof(handled) / sizeof(handled[0]); i++)
		sigaddset(&set, handled[i]);
	if (pthread_sigmask(SIG_BLOCK, &set, NULL))
		return fail_host(-EINVAL, "signals cannot be blocked");
	l->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return l->signals < 0 ? fail_host(-errno, "no signalfd is to be had") :
	       0;
}

static enum exit_status run_loop(struct loop *l)
{
	enum exit_status status = STATUS_OTHER;
	const struct config *cfg = l->vm->cfg;

	if (cfg->watchdog)
		set_deadline(l, l->vm->start_ns + cfg->watchdog * 1000000000ull,
			     STATUS_WATCHDOG);
	if (open_signals(l) || (l->vm->console.is_tty && term_raw()) ||
	    vcpus_start(l->vm))
		vm_end(l->vm, STATUS_OTHER);
	while (!vm_has_ended(l->vm, &status))
		serve(l);
	vcpus_stop(l->vm);
	if (l->signals >= 0)
		close(l->signals);
	return status;
}

/* A guest that did as it was asked has not failed. */
static enum exit_status run_loaded(struct vm *vm, FILE *stats)
{
	struct loop l = { .vm = vm, .signals = -1 };
	enum exit_status status = run_loop(&l);

	if (status == STATUS_POWEROFF)
		failure_clear();
	if (stats && stats_write(vm, stats, status) &&
	    status == STATUS_POWEROFF)
		status = STATUS_OTHER;
	return status;
}

static int open_stats(const struct config *cfg, FILE **stats)
{
	*stats = NULL;
	if (!cfg->stats)
		return 0;
	*stats = fopen(cfg->stats, "we");
	if (!*stats)
		return fail_input("--stats '%s' cannot be written: %s",
				  cfg->stats, strerror(errno));
	return 0;
}

enum exit_status run_guest(const struct config *cfg)
{
	static struct vm vm;
	enum exit_status status;
	FILE *stats = NULL;

	vm.start_ns = now_ns();
	/* What the user gave is looked at before the host is. */
	if (vm_load(&vm, cfg) || open_stats(cfg, &stats) ||
	    console_open(&vm.console, cfg) || vm_create(&vm))
		status = failure_status();
	else
		status = run_loaded(&vm, stats);
	if (stats)
		fclose(stats);
	vm_destroy(&vm);
	term_restore();
	return status;
}
