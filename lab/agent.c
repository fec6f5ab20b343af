// SPDX-License-Identifier: GPL-2.0-only
/*
 * The lab's agent: runs one command as the init process of an emulated host.
 *
 * It starts /lab/command, sends what that writes, and when it has ended sends
 * the kernel's log, the files named in /lab/out (one per line) and the exit
 * status through the parallel port, then powers the host off.  With the
 * argument "tty" the command gets the serial console instead.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "channel.h"

#define LPT_DATA	0x378
#define LPT_CONTROL	0x37a
#define LPT_READY	0x0c	/* initialised and selected */
#define LPT_STROBE	0x0d

static void send_bytes(const void *data, size_t size)
{
	const uint8_t *byte = data;

	while (size--) {
		outb(*byte++, LPT_DATA);
		outb(LPT_STROBE, LPT_CONTROL);
		outb(LPT_READY, LPT_CONTROL);
	}
}

static void send_frame(enum frame type, const void *data, uint32_t size)
{
	uint8_t header[FRAME_HEADER] = {
		type, size, size >> 8, size >> 16, size >> 24
	};

	send_bytes(header, sizeof(header));
	send_bytes(data, size);
}

/* Send what there is to read; false at the end of the stream. */
static int send_from(int fd, enum frame type)
{
	char buf[FRAME_MAX];
	ssize_t n = read(fd, buf, sizeof(buf));

	if (n > 0)
		send_frame(type, buf, n);
	return n > 0 || (n < 0 && errno == EINTR);
}

static void send_klog(void)
{
	int size = klogctl(10 /* size of the log */, NULL, 0);
	char *log = malloc(size);
	int n, at;

	if (!log)
		return;
	n = klogctl(3 /* read all */, log, size);
	for (at = 0; at < n; at += FRAME_MAX)
		send_frame(FRAME_KLOG, log + at, n - at < FRAME_MAX ? n - at : FRAME_MAX);
	free(log);
}

static int open_tar(const char *dir)
{
	int fds[2];

	if (pipe(fds))
		return -1;
	if (!fork()) {
		dup2(fds[1], 1);
		close(fds[0]);
		execl("/bin/busybox", "tar", "-C", dir, "-cf", "-", ".", NULL);
		_exit(127);
	}
	close(fds[1]);
	return fds[0];
}

static void send_file(const char *path, int number)
{
	struct stat st;
	char begin[32];
	int fd, is_dir;

	if (stat(path, &st))
		return;
	is_dir = S_ISDIR(st.st_mode);
	fd = is_dir ? open_tar(path) : open(path, O_RDONLY);
	if (fd < 0)
		return;
	send_frame(FRAME_FILE, begin,
		   sprintf(begin, "%c %d", is_dir ? 'd' : 'f', number));
	while (send_from(fd, FRAME_DATA))
		;
	close(fd);
}

static void send_files(void)
{
	FILE *list = fopen("/lab/out", "r");
	char path[4096];
	int number;

	for (number = 0; list && fgets(path, sizeof(path), list); number++) {
		path[strcspn(path, "\n")] = 0;
		send_file(path, number);
	}
}

static void run_command(int tty, int out)
{
	int in = open(tty ? "/dev/ttyS0" : "/dev/null", O_RDWR);

	/* An I/O bitmap would be looked at on each return to userspace, and measured. */
	ioperm(LPT_DATA, 3, 0);
	setsid();
	if (tty) {
		ioctl(in, TIOCSCTTY, 0);
		out = in;
	}
	dup2(in, 0);
	dup2(out, 1);
	dup2(out, 2);
	for (in = 3; in < 64; in++)
		close(in);
	execl("/bin/sh", "sh", "/lab/command", NULL);
	_exit(127);
}

/* Reap children until the command itself is among them. */
static int reap(pid_t command, int *status, int flags)
{
	pid_t pid;

	while ((pid = waitpid(-1, status, flags)) > 0)
		if (pid == command)
			return 1;
	return 0;
}

static int follow(pid_t command, int out)
{
	struct pollfd p = { .fd = out, .events = POLLIN };
	int status;

	while (!reap(command, &status, WNOHANG))
		if (poll(&p, 1, 20) > 0 && !send_from(out, FRAME_OUTPUT))
			p.fd = -1;
	/* Processes left behind may hold the pipe open: take what is there. */
	while (poll(&p, 1, 0) > 0 && send_from(out, FRAME_OUTPUT))
		;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int main(int argc, char **argv)
{
	int tty = argc > 1 && !strcmp(argv[1], "tty");
	char text[16];
	int fds[2], status;
	pid_t pid;

	if (ioperm(LPT_DATA, 3, 1) || pipe(fds))
		return 1;
	outb(LPT_READY, LPT_CONTROL);
	send_bytes(CHANNEL_MAGIC, strlen(CHANNEL_MAGIC));
	pid = fork();
	if (!pid)
		run_command(tty, fds[1]);
	close(fds[1]);
	status = follow(pid, fds[0]);
	send_klog();
	send_files();
	send_frame(FRAME_EXIT, text, sprintf(text, "%d", status));
	sync();
	reboot(RB_POWER_OFF);
	return 1;
}
