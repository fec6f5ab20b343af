// SPDX-License-Identifier: GPL-2.0-only
/*
 * `hvm run` on a terminal, a pseudo-terminal and a socket: what is typed gets
 * to the guest, the escape key works, and the terminal is as it was before on
 * every way out. Needs a device; skipped where there is none.
 */
#include "ktap.h"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#include <utmp.h>

#define LIMIT_MS 20000

static char hvm[512], kernel[512];
static char here[400];
static int tty = -1;
static pid_t pid;
static char seen[4096];
static size_t nseen;
static struct termios before;

static void payload(const char *name)
{
	snprintf(kernel, sizeof(kernel), "%s/payload-%s", here, name);
}

/* Run hvm on a new terminal; @serial: --serial's value */
static void start(const char *name, const char *serial)
{
	struct termios cooked;
	int slave;

	payload(name);
	nseen = 0;
	seen[0] = '\0';
	if (openpty(&tty, &slave, NULL, NULL, NULL))
		exit(1);
	tcgetattr(slave, &cooked);
	cooked.c_cc[VINTR] = 7;		/* something to remember */
	tcsetattr(slave, TCSANOW, &cooked);
	memset(&before, 0, sizeof(before));
	tcgetattr(slave, &before);
	pid = fork();
	if (!pid) {
		close(tty);
		login_tty(slave);
		execlp(hvm, hvm, "run", "--memory", "16M", "--watchdog", "30",
		      "--kernel", kernel, "--serial", serial, NULL);
		_exit(127);
	}
	/* Kept open: a terminal forgets its settings with its last user. */
	fcntl(slave, F_SETFD, FD_CLOEXEC);
	fcntl(tty, F_SETFD, FD_CLOEXEC);
}

/* Wait until @text comes out of @fd. */
static bool wait_for(int fd, const char *text)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	ssize_t n;

	while (!strstr(seen, text)) {
		if (nseen == sizeof(seen) - 1 || poll(&p, 1, LIMIT_MS) <= 0)
			break;
		n = read(fd, seen + nseen, sizeof(seen) - 1 - nseen);
		if (n <= 0)
			break;
		nseen += n;
		seen[nseen] = '\0';
	}
	if (strstr(seen, text))
		return true;
	printf("# '%s' did not come, but this:\n", text);
	for (size_t i = 0; i < nseen; i++)
		printf(i && seen[i - 1] != '\n' ? "%c" : "# %c", seen[i]);
	printf("\n");
	ktap_failed = true;
	return false;
}

static void type(int fd, const char *keys)
{
	CHECK_EQ(write(fd, keys, strlen(keys)), strlen(keys));
}

static bool is_raw(void)
{
	struct termios now;

	tcgetattr(tty, &now);
	return !(now.c_lflag & (ICANON | ECHO | ISIG)) &&
	       !(now.c_oflag & OPOST);
}

/* Wait for the end; the terminal has to be as before. Return: as wait(2) */
static int finish(void)
{
	struct termios after = { 0 };	/* with its padding, for memcmp */
	int status, tries;
	char rest[256];

	/* Whoever waits for a terminal to drain needs somebody to read it. */
	fcntl(tty, F_SETFL, O_NONBLOCK);
	for (tries = 0; tries < LIMIT_MS / 10; tries++) {
		while (read(tty, rest, sizeof(rest)) > 0)
			;
		if (waitpid(pid, &status, WNOHANG) == pid)
			break;
		usleep(10000);
	}
	if (tries == LIMIT_MS / 10) {
		printf("# it did not end\n");
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		ktap_failed = true;
	}
	tcgetattr(tty, &after);
	CHECK(!memcmp(&before, &after, sizeof(before)));
	close(tty);
	return status;
}

static void typed(void)
{
	int status;

	start("echo", "stdio");
	if (wait_for(tty, "hello")) {
		CHECK(is_raw());
		type(tty, "ab\003\001\001c");
		/* Ctrl-C is the guest's, Ctrl-a Ctrl-a is one Ctrl-a. */
		wait_for(tty, "ab\003\001c");
		type(tty, "a long line, longer than the FIFO is deep\rq");
		wait_for(tty, "a long line, longer than the FIFO is deep\rq");
	}
	status = finish();
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void quit(void)
{
	int status;

	start("hang", "stdio");
	if (wait_for(tty, "hello"))
		type(tty, "\001x");
	status = finish();
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 1);
}

static void quit_deaf(void)
{
	int status;

	/* A guest that never reads: the escape key works all the same. */
	start("hang", "stdio");
	if (wait_for(tty, "hello")) {
		for (int i = 0; i < 100; i++) {
			type(tty, "0123456789012345678901234567890123456789012345678901234567890123");
			usleep(1000);
		}
		type(tty, "\001x");
	}
	status = finish();
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 1);
}

static void by_signal(int sig, bool exits)
{
	int status;

	start("hang", "stdio");
	if (wait_for(tty, "hello")) {
		CHECK(is_raw());
		kill(pid, sig);
	}
	status = finish();
	if (exits)
		CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 1);
	else
		CHECK(WIFSIGNALED(status) && WTERMSIG(status) == sig);
}

static void signals(void)
{
	by_signal(SIGTERM, true);
	by_signal(SIGINT, true);
	by_signal(SIGHUP, true);
}

static void fatal_signals(void)
{
	by_signal(SIGABRT, false);
	by_signal(SIGSEGV, false);
	by_signal(SIGBUS, false);
}

static void crash(void)
{
	int status;

	start("triple", "stdio");
	wait_for(tty, "triple fault");
	status = finish();
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 33);
}

static void pty(void)
{
	char name[64] = "";
	int fd, status;

	start("echo", "pty");
	if (wait_for(tty, "/dev/pts/") && wait_for(tty, "\n")) {
		sscanf(strstr(seen, "/dev/pts/"), "%63s", name);
		fd = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
		CHECK(fd >= 0);
		wait_for(fd, "hello");
		/* The terminal it was started from is not the guest's. */
		CHECK(!is_raw());
		type(fd, "xyz");
		wait_for(fd, "xyz");
		type(fd, "q");
		status = finish();
		close(fd);
	} else {
		kill(pid, SIGKILL);
		status = finish();
	}
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void unix_socket(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), status, tries;
	char serial[128];

	snprintf(addr.sun_path, sizeof(addr.sun_path), "/tmp/hvm-test.%d",
		 (int)getpid());
	snprintf(serial, sizeof(serial), "socket=%s", addr.sun_path);
	start("echo", serial);
	for (tries = 0; tries < LIMIT_MS / 50; tries++) {
		if (!connect(fd, (struct sockaddr *)&addr, sizeof(addr)))
			break;
		usleep(50000);
	}
	CHECK(tries < LIMIT_MS / 50);
	type(fd, "abc");
	wait_for(fd, "abc");
	type(fd, "q");
	wait_for(fd, "q\n");
	status = finish();
	close(fd);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	CHECK(access(addr.sun_path, F_OK));
}

static const struct ktap_test tests[] = {
	{ "what is typed gets to the guest", typed },
	{ "Ctrl-a x quits", quit },
	{ "Ctrl-a x quits when the guest does not read", quit_deaf },
	{ "the terminal is restored after a signal", signals },
	{ "the terminal is restored after a fatal signal", fatal_signals },
	{ "the terminal is restored after a crash", crash },
	{ "the serial port on a pseudo-terminal", pty },
	{ "the serial port on a socket", unix_socket },
};

int main(int argc, char **argv)
{
	const char *device = getenv("HVM_DEVICE") ?: "/dev/hvm";
	char *slash;

	(void)argc;
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (access(device, F_OK)) {
		printf("KTAP version 1\n1..0 # SKIP no %s\n", device);
		return 4;
	}
	snprintf(here, sizeof(here), "%s", argv[0]);
	slash = strrchr(here, '/');
	if (slash)
		*slash = '\0';
	else
		strcpy(here, ".");
	snprintf(hvm, sizeof(hvm), "%s/hvm", here);
	if (access(hvm, X_OK))
		strcpy(hvm, "hvm");
	return ktap_run(tests, sizeof(tests) / sizeof(tests[0]));
}
