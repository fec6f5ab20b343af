// SPDX-License-Identifier: GPL-2.0-only
/*
 * The far end of the serial port: standard input and output, a file, a
 * pseudo-terminal, a Unix socket with one client at a time, or nothing.
 *
 * Output is gathered up to the end of a line, or for FLUSH_MS, or until the
 * buffer is full. A reader who does not read holds up the vCPU that writes;
 * the exceptions are a pseudo-terminal, which may have no reader, and a socket
 * without client: there, output is dropped. Who holds the lock may be waiting
 * for a reader, so the main thread only ever tries to take it, and never waits
 * itself; console_close() comes when the vCPUs have ended.
 */
#include "console.h"
#include "error.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define FLUSH_MS	10
#define WAIT_MS		50
#define CLOSE_WAITS	20	/* times WAIT_MS, for the last output */

/* A second description of a file, so that not blocking is ours alone */
static int reopen_nonblocking(int fd)
{
	char path[32];
	int copy;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	copy = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	return copy >= 0 ? copy : fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

static int open_stdio(struct console *c)
{
	struct stat st;

	/* Without them: a closed descriptor may by now be something else. */
	if (!fstat(STDIN_FILENO, &st))
		c->in = STDIN_FILENO;
	c->is_tty = isatty(STDIN_FILENO);
	if (!fstat(STDOUT_FILENO, &st)) {
		/* Opening a file again would forget O_APPEND and position. */
		c->out = S_ISREG(st.st_mode) ?
			 fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3) :
			 reopen_nonblocking(STDOUT_FILENO);
	}
	return 0;
}

static int open_file(struct console *c, const char *path)
{
	c->out = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC |
		      O_NOCTTY | O_NONBLOCK, 0666);
	if (c->out < 0)
		return fail_input("--serial file '%s' cannot be written: %s",
				  path, strerror(errno));
	return 0;
}

static int open_pty(struct console *c)
{
	struct termios raw;
	char name[64];

	c->out = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	if (c->out < 0 || grantpt(c->out) || unlockpt(c->out) ||
	    ptsname_r(c->out, name, sizeof(name)))
		return fail_host(-errno, "no pseudo-terminal is to be had");
	/* As long as this end is open, no user who leaves hangs it up. */
	c->slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (c->slave < 0 || tcgetattr(c->slave, &raw))
		return fail_host(-errno, "pseudo-terminal '%s'", name);
	cfmakeraw(&raw);
	tcsetattr(c->slave, TCSANOW, &raw);
	c->in = c->out;
	fprintf(stderr, "hvm: the serial port is at %s\n", name);
	return 0;
}

/* Remove a socket that nobody listens to any more. */
static void remove_stale(const struct sockaddr_un *addr)
{
	struct stat st;
	int fd;

	if (lstat(addr->sun_path, &st) || !S_ISSOCK(st.st_mode))
		return;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return;
	if (connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) &&
	    errno == ECONNREFUSED)
		unlink(addr->sun_path);
	close(fd);
}

static int open_socket(struct console *c, const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(addr.sun_path))
		return fail_input("--serial socket is too long a path, %zu bytes; %zu are possible",
				  strlen(path), sizeof(addr.sun_path) - 1);
	strcpy(addr.sun_path, path);
	remove_stale(&addr);
	c->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC |
			     SOCK_NONBLOCK, 0);
	if (c->listener < 0)
		return fail_host(-errno, "no socket is to be had");
	if (bind(c->listener, (struct sockaddr *)&addr, sizeof(addr)))
		return fail_input("--serial socket '%s' cannot be made: %s",
				  path, strerror(errno));
	c->path = path;
	if (listen(c->listener, 1))
		return fail_host(-errno, "--serial socket '%s'", path);
	return 0;
}

int console_open(struct console *c, const struct config *cfg)
{
	memset(c, 0, sizeof(*c));
	pthread_mutex_init(&c->lock, NULL);
	c->kind = cfg->serial;
	c->in = c->out = c->listener = c->slave = -1;
	c->ready = cfg->ready;
	c->flush_timer = timerfd_create(CLOCK_MONOTONIC,
					TFD_CLOEXEC | TFD_NONBLOCK);
	if (c->flush_timer < 0)
		return fail_host(-errno, "no timer is to be had");
	switch (cfg->serial) {
	case SERIAL_STDIO:
		return open_stdio(c);
	case SERIAL_FILE:
		return open_file(c, cfg->serial_path);
	case SERIAL_PTY:
		return open_pty(c);
	case SERIAL_SOCKET:
		return open_socket(c, cfg->serial_path);
	case SERIAL_OFF:
		break;
	}
	return 0;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* Wait until somebody reads. Return: whether to try again */
static bool wait_for_reader(struct console *c, unsigned int *waits)
{
	struct pollfd p = { .fd = c->out, .events = POLLOUT };

	if (c->kind == SERIAL_PTY)
		return false;
	if (atomic_load(&c->closing) && ++*waits > CLOSE_WAITS)
		return false;
	poll(&p, 1, WAIT_MS);
	return true;
}

/* Put out what is buffered, or with @wait false as much as goes at once. */
static void put_out(struct console *c, bool wait)
{
	unsigned int waits = 0;
	size_t done = 0;

	while (done < c->used && c->out >= 0) {
		ssize_t n = write(c->out, c->buffer + done, c->used - done);

		if (n >= 0) {
			done += n;
		} else if (errno == EAGAIN) {
			if (!wait)
				break;
			if (!wait_for_reader(c, &waits))
				done = c->used;
		} else if (errno == EINTR && !atomic_load(&c->closing)) {
			continue;
		} else {
			/* Nobody will read again here; a client may later. */
			if (c->kind == SERIAL_SOCKET)
				shutdown(c->out, SHUT_RDWR);
			done = c->used;
			if (c->kind != SERIAL_SOCKET)
				close_fd(&c->out);
		}
	}
	if (c->out < 0)
		done = c->used;
	memmove(c->buffer, c->buffer + done, c->used - done);
	c->used -= done;
}

static void arm_timer(struct console *c)
{
	const struct itimerspec when = {
		.it_value.tv_nsec = FLUSH_MS * 1000000,
	};

	timerfd_settime(c->flush_timer, 0, &when, NULL);
}

/* How much of the text's beginning its first @n bytes end with */
static size_t border(const char *text, size_t n)
{
	size_t k;

	for (k = n - 1; k; k--)
		if (!memcmp(text, text + n - k, k))
			break;
	return k;
}

static void look_for_ready(struct console *c, char byte)
{
	struct timespec now;

	if (!c->ready || atomic_load(&c->ready_ns))
		return;
	while (c->ready_matched && c->ready[c->ready_matched] != byte)
		c->ready_matched = border(c->ready, c->ready_matched);
	if (c->ready[c->ready_matched] == byte)
		c->ready_matched++;
	if (c->ready[c->ready_matched])
		return;
	clock_gettime(CLOCK_MONOTONIC, &now);
	atomic_store(&c->ready_ns,
		     now.tv_sec * 1000000000ull + now.tv_nsec);
}

void console_put(struct console *c, uint8_t byte)
{
	pthread_mutex_lock(&c->lock);
	look_for_ready(c, byte);
	c->buffer[c->used++] = byte;
	if (byte == '\n' || c->used == CONSOLE_BUFFER)
		put_out(c, true);
	else if (c->used == 1)
		arm_timer(c);
	pthread_mutex_unlock(&c->lock);
}

void console_flush(struct console *c)
{
	uint64_t expirations;

	if (read(c->flush_timer, &expirations, sizeof(expirations)) < 0 &&
	    errno != EAGAIN)
		return;
	/* Whoever has the lock is putting it out. */
	if (pthread_mutex_trylock(&c->lock))
		return;
	put_out(c, false);
	if (c->used)
		arm_timer(c);
	pthread_mutex_unlock(&c->lock);
}

void console_accept(struct console *c)
{
	int fd = accept4(c->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return;
	if (c->in >= 0) {
		static const char busy[] = "hvm: the serial port is in use\r\n";

		(void)!write(fd, busy, sizeof(busy) - 1);
		close(fd);
		return;
	}
	/* With no client whoever has the lock is soon done. */
	pthread_mutex_lock(&c->lock);
	c->out = c->in = fd;
	pthread_mutex_unlock(&c->lock);
}

/* The client left. A vCPU may still be writing to it, but not for long. */
static void drop_client(struct console *c)
{
	shutdown(c->in, SHUT_RDWR);
	pthread_mutex_lock(&c->lock);
	close_fd(&c->in);
	c->out = -1;
	c->used = 0;
	pthread_mutex_unlock(&c->lock);
}

size_t console_read(struct console *c, char *buf, size_t len)
{
	ssize_t n = read(c->in, buf, len);

	if (n > 0)
		return n;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (c->kind == SERIAL_SOCKET)
		drop_client(c);
	else
		c->in = -1;
	return 0;
}

void console_close(struct console *c)
{
	if (c->flush_timer <= 0)
		return;
	atomic_store(&c->closing, true);
	put_out(c, true);
	if (c->path)
		unlink(c->path);
	close_fd(&c->out);
	close_fd(&c->slave);
	close_fd(&c->listener);
	close_fd(&c->flush_timer);
	c->path = NULL;
	c->in = -1;
}
