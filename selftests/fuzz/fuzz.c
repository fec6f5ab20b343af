// SPDX-License-Identifier: GPL-2.0-only
/*
 * fuzz.c: runs inputs, keeps those that reach something new, and changes them.
 *
 * A process runs a batch of inputs, cleaning up after each, and ends; whatever
 * it did to its VMs, memory and descriptors ends with it, and if an input ends
 * it early another process goes on. The work is theirs; the first process only
 * watches over them. What they know is in memory that all share.
 *
 * What an input reached comes from KCOV: the module is built so that each basic
 * block notes its address for the task that runs it. Without KCOV the inputs
 * are random.
 *
 * After each input it is looked at whether the kernel's log has a new line at
 * warning or above; after each batch, whether the process has ended and whether
 * the module's use count is back where it was. If not, that is a finding: the
 * input, or the batch, is printed as bytes and in words, and the fuzzer ends.
 * Bytes are given back to it with --run. If the host is gone with the finding,
 * --trace prints each input first; what is kept is printed as it is found, so
 * that whoever watches can go on with it in another host.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kcov.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fuzz.h"

#define COVER_WORDS	(64u << 10)	/* of a KCOV buffer */
#define TEXT_MAX	(1u << 20)	/* of the module's code */
#define CORPUS_MAX	4096
#define BATCH		32
#define KILL_SECONDS	30		/* an input that takes longer is killed */
#define FOUND		77		/* exit status of a process with a finding */

/* What the processes know together; the last two are the watcher's to read. */
struct state {
	struct fuzz_rng rng;
	uint64_t executions, calls;
	uint32_t nr_seen, nr_corpus, nr_batch, in_input;
	uint8_t seen[TEXT_MAX];
	uint32_t known[TEXT_MAX / 4];
	struct fuzz_input corpus[CORPUS_MAX];
	struct fuzz_input batch[BATCH + 64];	/* run by this process so far */
};

static const struct fuzz_target *target;
static struct state *st;
static uint32_t marked[TEXT_MAX];	/* by the input with this number */
static uint32_t nr_now, now[TEXT_MAX / 4];
static uint64_t text_base;
static struct { int fd; uint64_t *area; } kcov[FUZZ_THREADS];
static int kmsg = -1, first_fd;
static bool tracing;
static unsigned int idle_users;
static struct {
	unsigned int time, seed, times;
	const char *corpus, *save, *cover, *run;
	bool wall;
} o = { .time = 60, .seed = 1, .times = 1 };

static uint64_t rnd(void)
{
	return fuzz_rnd(&st->rng);
}

/* A field of the machine's clock chip. */
static unsigned int cmos(unsigned int reg)
{
	unsigned int v;

	outb(reg, 0x70);
	v = inb(0x71);
	return (v >> 4) * 10 + (v & 15);
}

/*
 * A host that counts instructions has a time of its own; only its clock chip
 * tells how long it really takes.
 */
static long seconds(void)
{
	static long days, last;
	struct timespec ts;
	long now;

	if (!o.wall) {
		clock_gettime(CLOCK_MONOTONIC, &ts);
		return ts.tv_sec;
	}
	do
		now = cmos(0);
	while (now != (long)cmos(0));
	now += cmos(2) * 60 + cmos(4) * 3600;
	/* not the minute before, read while it changed */
	if (now < last && last - now < 7200)
		now = last;
	if (now < last)
		days++;
	last = now;
	return days * 86400 + now;
}

/* ---- coverage ---- */

static uint64_t read_number(const char *path, int base)
{
	char text[64] = "";
	int fd = open(path, O_RDONLY);

	if (fd < 0)
		return 0;
	if (read(fd, text, sizeof(text) - 1) < 0)
		text[0] = 0;
	close(fd);
	return strtoull(text, NULL, base);
}

/* KCOV takes off what the kernel was moved by. */
static uint64_t moved_by(void)
{
	FILE *f = fopen("/proc/kallsyms", "r");
	unsigned long long at;
	char line[200];

	while (f && fgets(line, sizeof(line), f))
		if (strstr(line, " T _text\n") && sscanf(line, "%llx", &at) == 1) {
			fclose(f);
			return at - 0xffffffff81000000;
		}
	return 0;
}

static void open_coverage(void)
{
	unsigned int i;

	text_base = read_number("/sys/module/hvm/sections/.text", 16) - moved_by();
	for (i = 0; i < FUZZ_THREADS; i++) {
		kcov[i].fd = open("/sys/kernel/debug/kcov", O_RDWR | O_CLOEXEC);
		if (kcov[i].fd < 0 || ioctl(kcov[i].fd, KCOV_INIT_TRACE, (unsigned long)COVER_WORDS))
			goto none;
		kcov[i].area = mmap(NULL, COVER_WORDS * 8, PROT_READ | PROT_WRITE,
				    MAP_SHARED, kcov[i].fd, 0);
		if (kcov[i].area == MAP_FAILED)
			goto none;
	}
	return;
none:
	kcov[0].fd = -1;
	printf("# no coverage here: random inputs\n");
}

void fuzz_cover(unsigned int thread)
{
	if (kcov[0].fd >= 0 && thread < FUZZ_THREADS)
		ioctl(kcov[thread].fd, KCOV_ENABLE, KCOV_TRACE_PC);
}

void fuzz_count(unsigned int n)
{
	__atomic_fetch_add(&st->calls, n, __ATOMIC_RELAXED);
}

/* Take what the last input reached into @now; gives how much of it is new. */
static uint32_t collect(void)
{
	uint32_t news = 0;
	unsigned int i;

	nr_now = 0;
	if (kcov[0].fd < 0)
		return 0;
	for (i = 0; i < FUZZ_THREADS; i++) {
		uint64_t n = kcov[i].area[0], k;

		if (n >= COVER_WORDS)
			n = COVER_WORDS - 1;
		for (k = 1; k <= n; k++) {
			uint64_t at = kcov[i].area[k] - text_base;

			if (at >= TEXT_MAX || marked[at] == (uint32_t)st->executions ||
			    nr_now == TEXT_MAX / 4)
				continue;
			marked[at] = st->executions;
			now[nr_now++] = at;
			news += !st->seen[at];
		}
	}
	return news;
}

static void accept_cover(void)
{
	uint32_t i;

	for (i = 0; i < nr_now; i++)
		if (!st->seen[now[i]]) {
			st->seen[now[i]] = 1;
			st->known[st->nr_seen++] = now[i];
		}
}

/* ---- findings ---- */

static void print_input(FILE *f, const struct fuzz_input *in)
{
	unsigned int i, k;

	for (i = 0; i < in->n; i++)
		for (k = 0; k < FUZZ_RECORD; k++)
			fprintf(f, "%02x", in->rec[i][k]);
	fputc('\n', f);
}

static void save_cover(void)
{
	FILE *f = o.cover ? fopen(o.cover, "w") : NULL;
	uint32_t i;

	for (i = 0; f && i < st->nr_seen; i++)
		fprintf(f, "%x\n", st->known[i]);
	if (f)
		fclose(f);
}

/* As it is: the host is not to be trusted any more. */
static void save_all(void)
{
	FILE *f = o.save ? fopen(o.save, "w") : NULL;
	unsigned int i;

	for (i = 0; f && i < st->nr_corpus; i++)
		print_input(f, &st->corpus[i]);
	if (f)
		fclose(f);
}

static void explain(const struct fuzz_input *in)
{
	char text[200];
	unsigned int i;

	printf("# input: ");
	print_input(stdout, in);
	for (i = 0; i < in->n; i++) {
		target->show(in->rec[i], text, sizeof(text));
		printf("#   %s\n", text);
	}
}

/* The last input, or all of the batch. */
static void __attribute__((noreturn)) finding(const char *what, bool all)
{
	uint32_t i = all || !st->nr_batch ? 0 : st->nr_batch - 1;

	printf("# finding: %s\n", what);
	for (; i < st->nr_batch; i++)
		explain(&st->batch[i]);
	printf("# after %llu inputs, %llu calls\nnot ok 1 %s\n",
	       (unsigned long long)st->executions, (unsigned long long)st->calls, target->name);
	save_all();
	save_cover();
	fflush(stdout);
	_exit(FOUND);
}

/* Lines that are the guest's to cause, or the emulated host's. */
static bool expected(const char *line)
{
	static const char * const known_lines[] = {
		"debugfs: out of free dentries", "hrtimer: interrupt took",
		"clocksource: ", "TSC found unstable", "perf: interrupt took",
	};
	size_t i;

	for (i = 0; i < sizeof(known_lines) / sizeof(known_lines[0]); i++)
		if (strstr(line, known_lines[i]))
			return true;
	return false;
}

/* A new line of the kernel's log at warning or above, else NULL. */
static const char *warning(void)
{
	static char line[2048];
	ssize_t n;

	while (kmsg >= 0) {
		char *text;

		n = read(kmsg, line, sizeof(line) - 1);
		if (n < 0 && errno == EPIPE)
			continue;
		if (n <= 0)
			break;
		line[n] = 0;
		text = strchr(line, ';');
		if ((atoi(line) & 7) > 4 || !text || expected(text))
			continue;
		strtok(text, "\n");
		return text + 1;
	}
	return NULL;
}

/* The module is used by nobody but us again; what frees late gets its time. */
static bool idle(void)
{
	int tries;

	for (tries = 0; tries < 1000; tries++) {
		if (read_number("/sys/module/hvm/refcnt", 10) <= idle_users)
			return true;
		usleep(tries < 100 ? 2000 : 10000);
	}
	return false;
}

/* ---- running an input, in a process of a batch ---- */

/* Gives how many blocks it reached that nothing reached before. */
static uint32_t execute(const struct fuzz_input *in)
{
	const char *line;
	unsigned int i;

	if (tracing) {
		printf("# trace: ");
		print_input(stdout, in);
		fflush(stdout);
	}
	if (st->nr_batch < BATCH + 64)
		st->batch[st->nr_batch++] = *in;
	for (i = 0; i < FUZZ_THREADS && kcov[0].fd >= 0; i++)
		__atomic_store_n(&kcov[i].area[0], 0, __ATOMIC_RELAXED);
	st->executions++;
	st->in_input = 1;
	target->run(in);
	st->in_input = 0;
	close_range(first_fd, ~0u, 0);
	line = warning();
	if (line)
		finding(line, false);
	return collect();
}

/* ---- inputs ---- */

static void random_record(uint8_t *rec)
{
	unsigned int i;

	for (i = 0; i < FUZZ_RECORD; i++)
		rec[i] = rnd();
	rec[0] = rnd() % target->kinds;
}

static void insert(struct fuzz_input *in, unsigned int at, const uint8_t *rec)
{
	if (in->n == FUZZ_RECORDS)
		in->n--;
	if (at > in->n)
		at = in->n;
	memmove(in->rec[at + 1], in->rec[at], (in->n - at) * FUZZ_RECORD);
	memcpy(in->rec[at], rec, FUZZ_RECORD);
	in->n++;
}

static void drop(struct fuzz_input *in, unsigned int at, unsigned int count)
{
	memmove(in->rec[at], in->rec[at + count], (in->n - at - count) * FUZZ_RECORD);
	in->n -= count;
}

static const struct fuzz_input *any(void)
{
	unsigned int n = st->nr_corpus, i = rnd() % n;

	/* the newest are the least explored */
	if (rnd() % 3 == 0)
		i = n - 1 - rnd() % (n < 16 ? n : 16);
	return &st->corpus[i];
}

static void join(struct fuzz_input *in, const struct fuzz_input *other)
{
	unsigned int cut = rnd() % (in->n + 1), from = rnd() % (other->n + 1);
	unsigned int n = other->n - from;

	if (n > FUZZ_RECORDS - cut)
		n = FUZZ_RECORDS - cut;
	memcpy(in->rec[cut], other->rec[from], n * FUZZ_RECORD);
	in->n = cut + n;
}

/* All of it but the first record, which is another scene. */
static void append(struct fuzz_input *in, const struct fuzz_input *other)
{
	unsigned int i;

	for (i = 1; i < other->n && in->n < FUZZ_RECORDS; i++)
		memcpy(in->rec[in->n++], other->rec[i], FUZZ_RECORD);
}

static void mutate_once(struct fuzz_input *in)
{
	unsigned int at = in->n ? rnd() % in->n : 0;
	uint8_t rec[FUZZ_RECORD];

	switch (in->n ? rnd() % 12 : 0) {
	case 0 ... 2:
		random_record(rec);
		insert(in, rnd() % (in->n + 1), rec);
		break;
	case 3:
		if (in->n > 2)
			drop(in, at, 1);
		break;
	case 4:
		memcpy(rec, in->rec[at], FUZZ_RECORD);
		insert(in, rnd() % (in->n + 1), rec);
		break;
	case 5:
		join(in, any());
		break;
	case 6:		/* another thread, another way to hand it over */
		in->rec[at][1] = rnd();
		break;
	case 7:
		in->rec[at][rnd() % FUZZ_RECORD] ^= 1u << rnd() % 8;
		break;
	case 8:
		in->rec[at][0] = rnd() % target->kinds;
		break;
	default:
		in->rec[at][1 + rnd() % (FUZZ_RECORD - 1)] = rnd();
	}
}

static void next_input(struct fuzz_input *in)
{
	unsigned int i, n;

	if (!st->nr_corpus || rnd() % 16 == 0) {
		in->n = 1 + rnd() % 24;
		for (i = 0; i < in->n; i++)
			random_record(in->rec[i]);
		return;
	}
	/* those that are kept are short, and most of the work is not in them */
	*in = *any();
	for (n = rnd() % 8; n && in->n < FUZZ_RECORDS / 2; n--)
		append(in, any());
	for (n = 1 + rnd() % 8; n; n--)
		mutate_once(in);
}

/* Leave out what the new blocks do not need, as far as a few tries tell. */
static void trim(struct fuzz_input *in, uint32_t news)
{
	unsigned int chunk, at, tries = 0;

	for (chunk = in->n / 2; chunk; chunk /= 2)
		for (at = 0; at + chunk <= in->n && in->n > chunk && tries < 8; tries++) {
			struct fuzz_input less = *in;

			drop(&less, at, chunk);
			if (execute(&less) >= news)
				*in = less;
			else
				at += chunk;
		}
}

/* What it reached is in @now. */
static void keep(const struct fuzz_input *in)
{
	accept_cover();
	st->corpus[st->nr_corpus++] = *in;
	printf("# kept: ");
	print_input(stdout, in);
	fflush(stdout);
}

static void consider(struct fuzz_input *in, uint32_t news, bool trimmed)
{
	if (!news || st->nr_corpus == CORPUS_MAX)
		return;
	if (!trimmed) {
		trim(in, news);
		execute(in);
	}
	keep(in);
}

/* ---- the corpus in a file: an input a line, in hexadecimal ---- */

static bool parse(const char *line, struct fuzz_input *in)
{
	size_t n = strspn(line, "0123456789abcdef"), i;
	unsigned int byte;

	if (!n || n % (2 * FUZZ_RECORD) || n > sizeof(in->rec) * 2)
		return false;
	for (i = 0; i < n / 2; i++) {
		if (sscanf(line + 2 * i, "%2x", &byte) != 1)
			return false;
		in->rec[i / FUZZ_RECORD][i % FUZZ_RECORD] = byte;
	}
	in->n = n / 2 / FUZZ_RECORD;
	return true;
}

static struct fuzz_input *list;		/* read from a file */
static unsigned int nr_list, list_at;

static int by_size(const void *a, const void *b)
{
	const struct fuzz_input *x = a, *y = b;

	return x->n < y->n ? -1 : x->n > y->n;
}

/* The shortest first: of the others only those that add something are kept. */
static int load(const char *path)
{
	static char line[sizeof(struct fuzz_input) * 2 + 2];
	FILE *f = fopen(path, "r");

	if (!f)
		return -errno;
	list = calloc(CORPUS_MAX, sizeof(*list));
	while (nr_list < CORPUS_MAX && fgets(line, sizeof(line), f))
		nr_list += parse(line, &list[nr_list]);
	if (!o.run)
		qsort(list, nr_list, sizeof(*list), by_size);
	fclose(f);
	return 0;
}

/* ---- batches ---- */

static long begin, shown, end_time;

/* Some new inputs. */
static void fuzz_batch(unsigned int at)
{
	unsigned int n;

	for (n = 0; n < BATCH && st->nr_batch < BATCH + 48 && seconds() < end_time; n++) {
		struct fuzz_input in;

		next_input(&in);
		consider(&in, execute(&in), false);
	}
}

/* Those of the list from here on. */
static void list_batch(unsigned int at)
{
	unsigned int i, n;

	for (i = at; i < nr_list && i < at + BATCH; i++) {
		struct fuzz_input in = list[i];
		uint32_t news = 0;

		for (n = 0; n < o.times; n++)
			news = execute(&in);
		if (!o.run)
			consider(&in, news, true);
	}
}

static void progress(void)
{
	shown = seconds();
	printf("# %4ld s: %llu inputs, %llu calls, %u blocks, %u inputs kept\n",
	       shown - begin, (unsigned long long)st->executions,
	       (unsigned long long)st->calls, st->nr_seen, st->nr_corpus);
	fflush(stdout);
}

/* Said each minute in which something was done: silence tells of a dead host. */
static void progress_if_due(void)
{
	if (!o.run && seconds() - shown >= 60)
		progress();
}

/* Wait for a process; false if it cannot even be killed. */
static bool watch(pid_t pid, int *status)
{
	uint64_t last = 0;
	int still = 0, n;

	for (n = 0; ; n++) {
		pid_t p = waitpid(pid, status, n < 50 ? WNOHANG : 0);

		if (p == pid)
			return true;
		if (n < 50) {
			usleep(1000);
			continue;
		}
		/* interrupted by the alarm, each second */
		still = st->executions == last ? still + 1 : 0;
		last = st->executions;
		if (!still)
			progress_if_due();
		if (still == KILL_SECONDS)
			kill(pid, SIGKILL);
		if (still == 3 * KILL_SECONDS)
			return false;
	}
}

static void batch(void (*fn)(unsigned int at), unsigned int at)
{
	int status;
	pid_t pid;

	st->nr_batch = 0;
	st->in_input = 0;
	fflush(stdout);
	pid = fork();
	if (!pid) {
		setitimer(ITIMER_REAL, &(struct itimerval){ }, NULL);
		setpgid(0, 0);
		target->begin();
		fn(at);
		fflush(stdout);
		_exit(0);
	}
	if (pid < 0)
		return;
	if (!watch(pid, &status))
		finding("the process cannot be killed", true);
	kill(-pid, SIGKILL);	/* what it has forked */
	if (WIFEXITED(status) && WEXITSTATUS(status) == FOUND)
		exit(1);
	/* what an input that ends its process has reached counts too */
	if (st->in_input && collect() && st->nr_corpus < CORPUS_MAX && st->nr_batch)
		keep(&st->batch[st->nr_batch - 1]);
	if (!idle())
		finding("something of the module is still in use", true);
}

static void run_list(void)
{
	/* one that ends its process is not to take the others with it */
	while (list_at < nr_list) {
		uint64_t before = st->executions;

		batch(list_batch, list_at);
		list_at += st->executions > before ? (st->executions - before) / o.times : 1;
	}
}

/* ---- the program ---- */

static int usage(void)
{
	printf("usage: %s [--time SEC] [--seed N] [--corpus FILE] [--save FILE]\n"
	       "       [--cover FILE] [--wall] [--trace] [--run FILE [--times N]]\n"
	       "\n"
	       "--corpus  inputs to begin with      --save   write those that are kept\n"
	       "--cover   write the offsets in .text of the blocks reached\n"
	       "--wall    count the seconds of the machine's clock chip\n"
	       "--run     run the inputs in FILE, nothing else\n"
	       "--trace   print each input before it runs\n", target->name);
	return 2;
}

static bool options(int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++) {
		const char *name = argv[i], *value = i + 1 < argc ? argv[i + 1] : NULL;

		if (!strcmp(name, "--trace") || !strcmp(name, "--wall")) {
			*(name[2] == 't' ? &tracing : &o.wall) = true;
			continue;
		}
		if (!value)
			return false;
		i++;
		if (!strcmp(name, "--time"))
			o.time = atoi(value);
		else if (!strcmp(name, "--seed"))
			o.seed = atoi(value);
		else if (!strcmp(name, "--times"))
			o.times = atoi(value);
		else if (!strcmp(name, "--corpus"))
			o.corpus = value;
		else if (!strcmp(name, "--save"))
			o.save = value;
		else if (!strcmp(name, "--cover"))
			o.cover = value;
		else if (!strcmp(name, "--run"))
			o.run = value;
		else
			return false;
	}
	return true;
}

static void on_alarm(int sig)
{
	(void)sig;
}

static void prepare(void)
{
	struct itimerval second = { { 1, 0 }, { 1, 0 } };
	struct sigaction sa = { .sa_handler = on_alarm };

	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &second, NULL);
	st = mmap(NULL, sizeof(*st), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (st == MAP_FAILED)
		exit(1);
	kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (kmsg >= 0)
		lseek(kmsg, 0, SEEK_END);
	open_coverage();
	first_fd = dup(0);
	close(first_fd);
	idle_users = read_number("/sys/module/hvm/refcnt", 10);
	if (o.wall && ioperm(0x70, 2, 1)) {
		printf("# no clock chip: seconds of the kernel's\n");
		o.wall = false;
	}
}

int fuzz_main(int argc, char **argv, const struct fuzz_target *t)
{
	const char *file;
	int err = 0;

	target = t;
	if (!options(argc, argv))
		return usage();
	printf("TAP version 13\n1..1\n");
	prepare();
	begin = shown = seconds();
	end_time = begin + o.time;
	fuzz_seed(&st->rng, o.seed);
	file = o.run ?: o.corpus;
	if (file)
		err = load(file);
	if (err) {
		printf("# %s: %s\nnot ok 1 %s\n", file, strerror(-err), t->name);
		return 1;
	}
	run_list();
	progress();
	while (!o.run && seconds() < end_time) {
		batch(fuzz_batch, 0);
		progress_if_due();
	}
	progress();
	save_cover();
	save_all();
	printf("ok 1 %s\n", t->name);
	return 0;
}
