// SPDX-License-Identifier: GPL-2.0-only
/*
 * SIGKILL for a process whose guests run, halt or storm: it dies at once and
 * nothing of it stays: no memory, no descriptors, no use of the module, and the
 * processors are given back.
 *
 * The argument is how many processes are killed at a random point of their
 * lives.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "guest.h"
#include "kselftest_harness.h"

static void spin(void)
{
	for (;;)
		cpu_relax();
}

static void halt(void)
{
	for (;;)
		hlt();
}

static void touch(void)
{
	volatile uint8_t *p = (void *)0x10000000ul;
	uint64_t i;

	for (;;)
		for (i = 0; i < 16 * SZ_2M; i += PAGE_SIZE)
			p[i]++;
}

static void cpuids(void)
{
	for (;;)
		cpuid_count(0, 0);
}

static void no_memory(void)
{
	for (;;)
		mmio_write32(0xd0000000, 1);
}

static void run_victim(void (*fn)(void), int ready)
{
	struct gvm *vm = gvm_new(GVM_SPLIT);
	struct gcpu *c[2];
	int i;

	gvm_add_memory(vm, 0x10000000, 16 * SZ_2M, 0);
	for (i = 0; i < 2; i++) {
		c[i] = gcpu_new(vm, i, fn);
		hvm_set_mp_state(c[i]->fd, HVM_MP_STATE_RUNNABLE);
	}
	gcpu_start(c[1]);
	if (write(ready, "x", 1) != 1)
		_exit(1);
	for (;;)
		gcpu_run(c[0]);
}

static void kill_one(struct __test_metadata *_metadata, void (*fn)(void))
{
	struct timespec a, b;
	int fds[2], status;
	char x;
	pid_t pid;

	ASSERT_EQ(0, pipe(fds));
	pid = fork();
	if (!pid)
		run_victim(fn, fds[1]);
	ASSERT_EQ(1, read(fds[0], &x, 1));
	usleep(100000);
	clock_gettime(CLOCK_MONOTONIC, &a);
	ASSERT_EQ(0, kill(pid, SIGKILL));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	clock_gettime(CLOCK_MONOTONIC, &b);
	EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	EXPECT_GE(2, b.tv_sec - a.tv_sec);
	close(fds[0]);
	close(fds[1]);
}

TEST(spinning)
{
	kill_one(_metadata, spin);
}

TEST(halted)
{
	kill_one(_metadata, halt);
}

TEST(faulting)
{
	kill_one(_metadata, touch);
}

TEST(exiting)
{
	kill_one(_metadata, cpuids);
}

TEST(to_userspace)
{
	kill_one(_metadata, no_memory);
}

/* ---- at any point ---- */

static unsigned int kills = 20;

/* What is left behind, if anything is; -1 where it cannot be told. */
struct state {
	long users;		/* of the module */
	long files;		/* open in the system */
	long memory;		/* of the kernel, in KiB */
	uint64_t efer[2], hsave[2];
};

static long number(const char *path, const char *format)
{
	FILE *f = fopen(path, "r");
	char line[200];
	long n = -1, v;

	while (f && n < 0 && fgets(line, sizeof(line), f))
		if (sscanf(line, format, &v) == 1)
			n = v;
	if (f)
		fclose(f);
	return n;
}

static uint64_t host_msr(unsigned int cpu, uint32_t index)
{
	char path[40];
	uint64_t v = -1;
	int fd;

	snprintf(path, sizeof(path), "/dev/cpu/%u/msr", cpu);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || pread(fd, &v, 8, index) != 8)
		v = -1;
	if (fd >= 0)
		close(fd);
	return v;
}

static struct state host_state(void)
{
	struct state s;
	unsigned int i;

	s.users = number("/sys/module/hvm/refcnt", "%ld");
	s.files = number("/proc/sys/fs/file-nr", "%ld");
	s.memory = number("/proc/meminfo", "SUnreclaim: %ld") +
		   number("/proc/meminfo", "PageTables: %ld") +
		   number("/proc/meminfo", "Percpu: %ld");
	for (i = 0; i < 2; i++) {
		s.efer[i] = host_msr(i, MSR_EFER);
		s.hsave[i] = host_msr(i, 0xc0010117);
	}
	return s;
}

/* What is freed after a grace period gets its time. */
static struct state settled(long users)
{
	int i;

	for (i = 0; i < 500 && number("/sys/module/hvm/refcnt", "%ld") > users; i++)
		usleep(10000);
	usleep(300000);
	shrink_slabs();
	return host_state();
}

static void kill_at_random(struct __test_metadata *_metadata, unsigned int n)
{
	static void (* const fns[])(void) = { spin, halt, touch, cpuids, no_memory };
	int fds[2], status;
	unsigned int us;
	pid_t pid;

	ASSERT_EQ(0, pipe2(fds, O_CLOEXEC));
	pid = fork();
	if (!pid)
		run_victim(fns[n % ARRAY_LEN(fns)], fds[1]);
	/* from before it opens the device to long after its guests run */
	us = n * 2654435761u >> 12;
	us = n & 1 ? us % 4000 : us % 60000;
	usleep(us);
	kill(pid, SIGKILL);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	close(fds[0]);
	close(fds[1]);
}

TEST(random_points)
{
	struct state first, last;
	unsigned int i;
	int cpu;

	REQUIRE_HVM();
	for (i = 0; i < 10; i++)	/* what is allocated once */
		kill_at_random(_metadata, i);
	first = settled(0);
	for (i = 0; i < kills; i++)
		kill_at_random(_metadata, i);
	last = settled(first.users);
	EXPECT_EQ(first.users, last.users);
	/* the system itself opens and frees now and then */
	EXPECT_GE(64, last.files - first.files);
	EXPECT_GE(1024, last.memory - first.memory);
	for (cpu = 0; cpu < 2; cpu++) {
		EXPECT_EQ(first.efer[cpu], last.efer[cpu]);
		EXPECT_EQ(first.hsave[cpu], last.hsave[cpu]);
		if (last.efer[cpu] != -1ull)
			EXPECT_EQ(0, last.efer[cpu] >> 12 & 1);	/* SVM is off */
	}
	TH_LOG("%u killed: files %ld, kernel memory %ld KiB, users %ld", kills,
	       last.files - first.files, last.memory - first.memory, last.users);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		kills = atoi(argv[1]);
	_random_points_object.timeout = 600 + kills * 5;
	return test_harness_run(1, argv);
}
