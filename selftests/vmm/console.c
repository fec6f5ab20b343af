// SPDX-License-Identifier: GPL-2.0-only
/*
 * The far end of the serial port, and the escape key of the terminal.
 */
#include "ktap.h"
#include "../../userspace/vmm/console.h"
#include "../../userspace/vmm/error.h"
#include "../../userspace/vmm/term.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static struct console c;
static char dir[] = "/tmp/console.XXXXXX";
static char path[64];

static void open_as(enum serial_kind kind, const char *ready)
{
	struct config cfg = { .serial = kind, .serial_path = path,
			      .ready = ready };

	CHECK_EQ(console_open(&c, &cfg), 0);
}

static void put(const char *s)
{
	while (*s)
		console_put(&c, *s++);
}

static const char *contents(void)
{
	static char buf[4096];
	ssize_t n;
	int fd;

	fd = open(path, O_RDONLY);
	n = read(fd, buf, sizeof(buf) - 1);
	buf[n > 0 ? n : 0] = '\0';
	close(fd);
	return buf;
}

static void output_is_gathered(void)
{
	struct pollfd p;
	char many[2000];

	snprintf(path, sizeof(path), "%s/file", dir);
	open_as(SERIAL_FILE, NULL);
	put("abc");
	CHECK(!strcmp(contents(), ""));
	put("\nde");
	CHECK(!strcmp(contents(), "abc\n"));
	p = (struct pollfd){ .fd = c.flush_timer, .events = POLLIN };
	CHECK_EQ(poll(&p, 1, 2000), 1);
	console_flush(&c);
	CHECK(!strcmp(contents(), "abc\nde"));
	CHECK_EQ(poll(&p, 1, 0), 0);
	memset(many, 'x', sizeof(many) - 1);
	many[sizeof(many) - 1] = '\0';
	put(many);
	console_close(&c);
	CHECK_EQ(strlen(contents()), 6 + sizeof(many) - 1);
	console_close(&c);
}

static bool becomes_ready(const char *text, const char *output)
{
	bool ready;

	open_as(SERIAL_OFF, text);
	put(output);
	ready = c.ready_ns;
	console_close(&c);
	return ready;
}

static void ready_text(void)
{
	CHECK(becomes_ready("up", "it is up now"));
	CHECK(!becomes_ready("up", "u p\nu"));
	/* The text's beginning comes twice before the text does. */
	CHECK(becomes_ready("aab", "aaab"));
	CHECK(becomes_ready("ababc", "abababc"));
	CHECK(becomes_ready("aabaaac", "aabaabaaac"));
	CHECK(!becomes_ready("aab", "abaaa"));
	CHECK(becomes_ready("x", "x"));
	CHECK(!becomes_ready(NULL, "x"));
}

static int client(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(addr.sun_path, path);
	CHECK(!connect(fd, (struct sockaddr *)&addr, sizeof(addr)));
	console_accept(&c);
	return fd;
}

static void socket_clients(void)
{
	char buf[64] = "";
	int first, second;

	snprintf(path, sizeof(path), "%s/socket", dir);
	open_as(SERIAL_SOCKET, NULL);
	put("nobody hears this\n");
	first = client();
	put("hello\n");
	CHECK_EQ(read(first, buf, sizeof(buf)), 6);
	CHECK(!memcmp(buf, "hello\n", 6));
	/* A second one is told so. */
	second = client();
	CHECK(read(second, buf, sizeof(buf)) > 6);
	CHECK_EQ(read(second, buf, sizeof(buf)), 0);
	close(second);
	CHECK_EQ(write(first, "in", 2), 2);
	CHECK_EQ(console_read(&c, buf, sizeof(buf)), 2);
	CHECK_EQ(console_read(&c, buf, sizeof(buf)), 0);
	/* It leaves, output goes nowhere, the next one is welcome. */
	close(first);
	put("lost\n");
	CHECK_EQ(console_read(&c, buf, sizeof(buf)), 0);
	CHECK_EQ(c.in, -1);
	put("lost\n");
	first = client();
	put("again\n");
	CHECK_EQ(read(first, buf, sizeof(buf)), 6);
	close(first);
	console_close(&c);
	CHECK(access(path, F_OK));
}

static void socket_paths(void)
{
	struct config cfg = { .serial = SERIAL_SOCKET, .serial_path = path };
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	/* One that nobody listens to is replaced; another or a file is not. */
	snprintf(path, sizeof(path), "%s/socket", dir);
	strcpy(addr.sun_path, path);
	CHECK(!bind(fd, (struct sockaddr *)&addr, sizeof(addr)));
	CHECK(!listen(fd, 1));
	CHECK(console_open(&c, &cfg) < 0);
	console_close(&c);
	close(fd);
	CHECK_EQ(console_open(&c, &cfg), 0);
	console_close(&c);
	close(open(path, O_CREAT | O_WRONLY, 0600));
	CHECK(console_open(&c, &cfg) < 0);
	CHECK_EQ(failure_status(), STATUS_INPUT);
	console_close(&c);
	CHECK(!access(path, F_OK));
	unlink(path);
	/* Neither is a socket of another type, which refuses to connect. */
	fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	CHECK(!bind(fd, (struct sockaddr *)&addr, sizeof(addr)));
	CHECK(console_open(&c, &cfg) < 0);
	console_close(&c);
	close(fd);
	unlink(path);
	failure_clear();
}

static void pty_without_reader(void)
{
	struct pollfd p;
	unsigned int i;

	open_as(SERIAL_PTY, NULL);
	for (i = 0; i < 5000; i++)
		put("nobody reads this, and the guest goes on\n");
	p = (struct pollfd){ .fd = c.in, .events = POLLIN };
	CHECK_EQ(poll(&p, 1, 0), 0);
	console_close(&c);
}

static void stuck_reader(void)
{
	int fds[2], saved = dup(STDOUT_FILENO), i;
	struct config cfg = { .serial = SERIAL_STDIO };

	/* A full pipe: the last output is given a while, and then up. */
	CHECK(!pipe(fds));
	fflush(stdout);
	dup2(fds[1], STDOUT_FILENO);
	CHECK_EQ(console_open(&c, &cfg), 0);
	dup2(saved, STDOUT_FILENO);
	fcntl(fds[1], F_SETFL, O_NONBLOCK);
	while (write(fds[1], path, sizeof(path)) > 0)
		;
	c.closing = true;
	for (i = 0; i < 3; i++)
		put("x");
	console_close(&c);
	close(fds[0]);
	close(fds[1]);
	close(saved);
}

static bool filter(const char *in, const char *expect, bool *pending)
{
	char buf[64];
	size_t n = strlen(in);
	bool quit;

	memcpy(buf, in, n);
	quit = term_filter(pending, buf, &n);
	CHECK_EQ(n, strlen(expect));
	CHECK(!memcmp(buf, expect, n));
	return quit;
}

static void escape_key(void)
{
	bool pending = false;

	CHECK(!filter("plain x", "plain x", &pending));
	CHECK(!filter("a\001\001b", "a\001b", &pending));
	CHECK(!filter("\001y", "y", &pending));
	CHECK(!filter("\001\001x", "\001x", &pending));
	CHECK(filter("ab\001xcd", "ab", &pending));
	/* The two keys may come one by one. */
	pending = false;
	CHECK(!filter("\001", "", &pending));
	CHECK(pending);
	CHECK(filter("x", "", &pending));
}

static const struct ktap_test tests[] = {
	{ "output is gathered, and none is lost", output_is_gathered },
	{ "the text that means booted", ready_text },
	{ "a socket's clients come and go", socket_clients },
	{ "a socket's path", socket_paths },
	{ "a pseudo-terminal without reader", pty_without_reader },
	{ "a reader that is stuck", stuck_reader },
	{ "the escape key", escape_key },
};

int main(void)
{
	int status;

	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGPIPE, SIG_IGN);
	if (!mkdtemp(dir))
		return 1;
	status = ktap_run(tests, sizeof(tests) / sizeof(tests[0]));
	snprintf(path, sizeof(path), "%s/file", dir);
	unlink(path);
	rmdir(dir);
	return status;
}
