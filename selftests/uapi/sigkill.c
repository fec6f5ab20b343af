// SPDX-License-Identifier: GPL-2.0-only
/*
 * SIGKILL for a process whose guests run, halt or storm: it dies at once and
 * nothing of it stays.
 */
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

TEST_HARNESS_MAIN
