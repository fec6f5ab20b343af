// SPDX-License-Identifier: GPL-2.0-only
/*
 * The debug registers of guest and host are two sets.
 */
#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>

#include "guest.h"
#include "kselftest_harness.h"

static volatile uint64_t watched, hits, dr6;

static void db(struct trap_frame *f)
{
	hits++;
	dr6 = read_dr6();
	write_dr6(0xffff0ff0);
}

static void g_main(void)
{
	int i;

	GUEST_ASSERT_EQ(read_dr7() & 0xff, 0);
	GUEST_ASSERT_EQ(read_dr0(), 0);
	guest_handlers[VEC_DB] = db;
	write_dr0((uintptr_t)&watched);
	write_dr1(0x1111);
	write_dr2(0x2222);
	write_dr3(0x3333);
	write_dr7(0x400 | 0xd0000 | 2);		/* DR0: 4 bytes, writes */
	for (i = 0; i < 5; i++) {
		GUEST_SYNC(i);			/* the host writes to it too */
		watched = i;
		GUEST_ASSERT_EQ(hits, i + 1);
		GUEST_ASSERT(dr6 & 1);
		GUEST_ASSERT_EQ(read_dr0(), (uintptr_t)&watched);
		GUEST_ASSERT_EQ(read_dr1(), 0x1111);
		GUEST_ASSERT_EQ(read_dr3(), 0x3333);
	}
	write_dr7(0x400);
	watched = 99;
	GUEST_ASSERT_EQ(hits, 5);
}

TEST(guest_watchpoint)
{
	struct hvm_debugregs d;
	struct gcpu *c;
	int i;

	c = gcpu_new(gvm_new(GVM_SPLIT), 0, g_main);
	for (i = 0; i < 5; i++) {
		ASSERT_SYNC(c, i);
		watched = 1000;
		EXPECT_EQ((uint64_t)i, hits);
	}
	ASSERT_EQ(0, hvm_get_debugregs(c->fd, &d));
	EXPECT_EQ((uintptr_t)&watched, d.db[0]);
	EXPECT_EQ(0x2222ull, d.db[2]);
	EXPECT_EQ(2ull, d.dr7 & 3);
	ASSERT_DONE(c);
}

/* a process with a hardware watchpoint of its own runs guests */
static volatile uint64_t host_watched;

static void g_own(void)
{
	int i;

	write_dr0(0x123000);
	for (i = 0; i < 4; i++)
		GUEST_SYNC(i);
	GUEST_ASSERT_EQ(read_dr0(), 0x123000);
}

static void traced(void)
{
	struct gcpu *c;
	int i;

	ptrace(PTRACE_TRACEME, 0, 0, 0);
	raise(SIGSTOP);
	c = gcpu_new(gvm_new(GVM_SPLIT), 0, g_own);
	for (i = 0; i < 4; i++) {
		if (gcpu_run(c) != UCALL_SYNC)
			_exit(1);
		host_watched = i;		/* SIGTRAP to the tracer */
	}
	_exit(0);
}

TEST(host_watchpoint)
{
	int status, traps = 0;
	pid_t pid = fork();

	if (!pid)
		traced();
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_TRUE(WIFSTOPPED(status));
	ASSERT_EQ(0, ptrace(PTRACE_POKEUSER, pid,
			    offsetof(struct user, u_debugreg[0]),
			    &host_watched));
	ASSERT_EQ(0, ptrace(PTRACE_POKEUSER, pid,
			    offsetof(struct user, u_debugreg[7]),
			    0xd0000 | 1));
	for (;;) {
		ASSERT_EQ(0, ptrace(PTRACE_CONT, pid, 0, 0));
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		if (WIFEXITED(status))
			break;
		ASSERT_EQ(SIGTRAP, WSTOPSIG(status));
		traps++;
	}
	EXPECT_EQ(0, WEXITSTATUS(status));
	EXPECT_EQ(4, traps);
}

/* values alone, nothing enabled: guests and userspace agree */
static void values(uint64_t seed)
{
	uint64_t i;

	for (i = 0; i < 6; i++) {
		write_dr0(seed + i);
		write_dr1(seed + i + 1);
		write_dr2(seed + i + 2);
		write_dr3(seed + i + 3);
		write_dr6(0xffff0ff1);
		write_dr7(0x400 | i << 16);
		if (i & 1)
			GUEST_SYNC(i);
		else
			cpuid_count(0, 0);
		GUEST_ASSERT_EQ(read_dr0(), seed + i);
		GUEST_ASSERT_EQ(read_dr1(), seed + i + 1);
		GUEST_ASSERT_EQ(read_dr2(), seed + i + 2);
		GUEST_ASSERT_EQ(read_dr3(), seed + i + 3);
		GUEST_ASSERT_EQ(read_dr6(), 0xffff0ff1);
		GUEST_ASSERT_EQ(read_dr7(), 0x400 | i << 16);
	}
	GUEST_SYNC(100);
	GUEST_ASSERT_EQ(read_dr0(), 0x5000);
	GUEST_ASSERT_EQ(read_dr3(), 0x8000);
}

static void g_values_a(void) { values(0x10000); }
static void g_values_b(void) { values(0x20000); }

TEST(values_only)
{
	struct hvm_debugregs d, set = { .db = { 0x5000, 0x6000, 0x7000, 0x8000 },
					.dr6 = 0xffff0ff0, .dr7 = 0x400 };
	struct gcpu *a = gcpu_new(gvm_new(GVM_SPLIT), 0, g_values_a);
	struct gcpu *b = gcpu_new(gvm_new(GVM_SPLIT), 0, g_values_b);
	uint64_t i;

	for (i = 1; i < 6; i += 2) {
		ASSERT_SYNC(a, i);
		ASSERT_SYNC(b, i);
		ASSERT_EQ(0, hvm_get_debugregs(a->fd, &d));
		EXPECT_EQ(0x10000 + i, d.db[0]);
		EXPECT_EQ(0x10003 + i, d.db[3]);
		EXPECT_EQ(0xffff0ff1ull, d.dr6);
		EXPECT_EQ(0x400 | i << 16, d.dr7);
	}
	ASSERT_SYNC(a, 100);
	ASSERT_SYNC(b, 100);
	ASSERT_EQ(0, hvm_set_debugregs(a->fd, &set));
	ASSERT_EQ(0, hvm_set_debugregs(b->fd, &set));
	ASSERT_DONE(a);
	ASSERT_DONE(b);
}

/* two guests, each with its own */
static void g_other(void)
{
	int i;

	for (i = 0; i < 4; i++) {
		GUEST_ASSERT_EQ(read_dr7() & 0xff, 0);
		watched = i;
		GUEST_SYNC(i);
	}
}

TEST(two_guests)
{
	struct gcpu *a, *b;
	int i;

	a = gcpu_new(gvm_new(GVM_SPLIT), 0, g_main);
	b = gcpu_new(gvm_new(GVM_SPLIT), 0, g_other);
	for (i = 0; i < 4; i++) {
		ASSERT_SYNC(a, i);
		ASSERT_SYNC(b, i);
	}
	ASSERT_SYNC(a, 4);
	ASSERT_DONE(a);
	ASSERT_DONE(b);
}

TEST_HARNESS_MAIN
