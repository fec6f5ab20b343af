// SPDX-License-Identifier: GPL-2.0-only
/*
 * Signals and RUN: EINTR without losing work, and SET_SIGNAL_MASK, the mask
 * that holds only inside.
 */
#include <signal.h>
#include <sys/time.h>

#include "guest.h"
#include "kselftest_harness.h"

static volatile uint64_t turns;

static void guest(void)
{
	for (;;)
		turns++;
}

FIXTURE(vcpu) {
	struct gvm *vm;
	struct gcpu *c;
};

FIXTURE_SETUP(vcpu)
{
	self->vm = gvm_new(GVM_SPLIT);
	self->c = gcpu_new(self->vm, 0, guest);
}

FIXTURE_TEARDOWN(vcpu)
{
	gcpu_free(self->c);
	gvm_free(self->vm);
}

static volatile int seen;

static void on_signal(int sig)
{
	seen++;
}

static void alarm_in(unsigned int ms)
{
	struct itimerval t = { .it_value = { 0, ms * 1000 } };
	struct sigaction sa = { .sa_handler = on_signal };

	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &t, NULL);
}

TEST_F(vcpu, interrupts_run)
{
	uint64_t before;
	int i;

	for (i = 0; i < 5; i++) {
		before = turns;
		alarm_in(100);
		ASSERT_EQ(-EINTR, gcpu_run(self->c));
		EXPECT_EQ(HVM_EXIT_INTR, self->c->run->exit_reason);
		EXPECT_LT(before, turns);
	}
	EXPECT_EQ(5, seen);
}

/* blocked outside, open inside: the signal ends RUN and stays pending */
TEST_F(vcpu, mask)
{
	uint64_t inside = 0;
	sigset_t block, pending;

	sigemptyset(&block);
	sigaddset(&block, SIGALRM);
	ASSERT_EQ(0, sigprocmask(SIG_BLOCK, &block, NULL));
	ASSERT_EQ(0, hvm_set_signal_mask(self->c->fd, &inside, 8));
	alarm_in(100);
	ASSERT_EQ(-EINTR, gcpu_run(self->c));
	EXPECT_EQ(0, seen);
	sigpending(&pending);
	EXPECT_EQ(1, sigismember(&pending, SIGALRM));
	/* as long as it is pending there is no entry */
	ASSERT_EQ(-EINTR, gcpu_run(self->c));
	sigprocmask(SIG_UNBLOCK, &block, NULL);
	EXPECT_EQ(1, seen);
	/* the mask outside is as it was */
	ASSERT_EQ(0, sigprocmask(SIG_BLOCK, NULL, &pending));
	EXPECT_EQ(0, sigismember(&pending, SIGALRM));
	EXPECT_EQ(0, hvm_set_signal_mask(self->c->fd, NULL, 0));
}

/* the same where nobody handles it: it would end the process, but is blocked outside */
TEST_F(vcpu, mask_fatal)
{
	uint64_t inside = 0;
	sigset_t block;
	int sig = 0;

	sigemptyset(&block);
	sigaddset(&block, SIGALRM);
	ASSERT_EQ(0, sigprocmask(SIG_BLOCK, &block, NULL));
	ASSERT_EQ(0, hvm_set_signal_mask(self->c->fd, &inside, 8));
	alarm_in(100);
	signal(SIGALRM, SIG_DFL);
	ASSERT_EQ(-EINTR, gcpu_run(self->c));
	ASSERT_EQ(0, sigwait(&block, &sig));
	EXPECT_EQ(SIGALRM, sig);
}

TEST_F(vcpu, bad_masks)
{
	struct {
		struct hvm_signal_mask h;
		uint64_t set[2];
	} m = { .h.len = 4 };

	EXPECT_ERRNO(EINVAL, ioctl(self->c->fd, HVM_SET_SIGNAL_MASK, &m));
	m.h.len = 16;
	EXPECT_ERRNO(EINVAL, ioctl(self->c->fd, HVM_SET_SIGNAL_MASK, &m));
	m.h.len = 0xffffffff;
	EXPECT_ERRNO(EINVAL, ioctl(self->c->fd, HVM_SET_SIGNAL_MASK, &m));
	EXPECT_ERRNO(EFAULT, ioctl(self->c->fd, HVM_SET_SIGNAL_MASK, 8));
	EXPECT_EQ(0, ioctl(self->c->fd, HVM_SET_SIGNAL_MASK, 0));
}

TEST_HARNESS_MAIN
