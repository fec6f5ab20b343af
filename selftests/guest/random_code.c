// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random bytes as guest code, in every mode of the processor, with random
 * answers to whatever comes out: the host goes on, and a sane guest runs after.
 */
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "guest.h"
#include "kselftest_harness.h"

#define MEM	0x10000000ul

static uint64_t seed;

static uint64_t rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static void fill(uint8_t *p, size_t n)
{
	/* what touches devices and the kernel's own work more often than chance */
	static const uint8_t often[][4] = {
		{ 0x0f, 0xa2 }, { 0x0f, 0x30 }, { 0x0f, 0x32 }, { 0xf4 },
		{ 0xe4 }, { 0xe6 }, { 0xec }, { 0xef }, { 0x6c }, { 0x6e },
		{ 0xf3, 0x6c }, { 0xf3, 0xa4 }, { 0x0f, 0x01, 0xd9 },
		{ 0x0f, 0x01, 0xc1 }, { 0x0f, 0x22, 0xc0 }, { 0x0f, 0x20, 0xe0 },
		{ 0x8e, 0xd8 }, { 0xcd }, { 0xcc }, { 0xfb }, { 0x0f, 0x0b },
		{ 0x0f, 0x01, 0x3f }, { 0x0f, 0x09 }, { 0x0f, 0x01, 0xd1 },
	};
	size_t i, j;

	for (i = 0; i < n; i++)
		p[i] = rnd();
	for (i = 0; i < n / 16; i++) {
		const uint8_t *o = often[rnd() % ARRAY_LEN(often)];

		for (j = 0; j < 4 && (j == 0 || o[j]); j++)
			p[rnd() % (n - 4) + j] = o[j];
	}
}

static void on_alarm(int sig)
{
}

static void nothing(void)
{
}

static void one_guest(struct gvm *vm, struct gcpu *c)
{
	/* again and again: one may come while we are outside */
	struct itimerval t = { { 0, 8000 }, { 0, 8000 } };
	uint8_t *mem = gvm_add_memory(vm, MEM, SZ_2M, 0);
	struct hvm_regs r;
	int i, ret;

	fill(mem, PAGE_SIZE);
	fill(vm->low + LOW_BLOB, PAGE_SIZE);
	switch (rnd() % 4) {
	case 0:
		gcpu_long_mode(c, (void *)MEM);
		break;
	case 1:
		gcpu_protected(c, (void *)MEM, SEL_CODE32, 0, 0);
		break;
	case 2:
		gcpu_real_mode(c, vm->low + LOW_BLOB,
			       vm->low + LOW_BLOB + PAGE_SIZE);
		break;
	default:
		gcpu_protected(c, (void *)LOW_BLOB, SEL_CODE16, 0, 0);
	}
	r = gcpu_regs(c);
	r.rax = rnd() % 3 ? rnd() : 0xfee00000 + rnd() % 4096;
	r.rbx = 0xd0000000 + rnd() % 65536;
	r.rcx = rnd() % 2 ? rnd() % 64 : 0xc0000080 + rnd() % 8;
	r.rdx = rnd();
	r.rsi = MEM + rnd() % SZ_2M;
	r.rdi = rnd() % 2 ? 0xd0000000 : MEM + rnd() % SZ_2M;
	hvm_set_regs(c->fd, &r);
	setitimer(ITIMER_REAL, &t, NULL);
	for (i = 0; i < 100; i++) {
		struct hvm_run *run = c->run;

		ret = hvm_vcpu_run(c->fd);
		if (ret)
			break;
		if (run->exit_reason == HVM_EXIT_IO) {
			uint64_t v = rnd();

			if (run->io.data_offset + 8 > c->h.run_size)
				_exit(2);
			memcpy((char *)run + run->io.data_offset, &v, 4);
		} else if (run->exit_reason == HVM_EXIT_MMIO) {
			if (run->mmio.len > 8)
				_exit(3);
			for (ret = 0; ret < 8; ret++)
				run->mmio.data[ret] = rnd();
		} else if (run->exit_reason != HVM_EXIT_HLT) {
			break;
		}
	}
	setitimer(ITIMER_REAL, &(struct itimerval){ { 0, 0 }, { 0, 0 } }, NULL);
}

static void many_guests(uint64_t from, uint64_t n)
{
	struct sigaction sa = { .sa_handler = on_alarm };
	uint64_t i;

	sigaction(SIGALRM, &sa, NULL);
	for (i = from; i < from + n; i++) {
		struct gvm *vm;
		struct gcpu *c;

		seed = (i + 1) * 0x9e3779b97f4a7c15;
		vm = gvm_new(i & 1 ? GVM_SPLIT : GVM_NO_IRQCHIP);
		/* its own copy of the binary's pages is not the guest's to spoil */
		if (gvm_slot(vm, 1, 0, 0, 0, NULL))
			_exit(4);
		c = gcpu_new(vm, 0, nothing);
		one_guest(vm, c);
		gcpu_free(c);
		gvm_free(vm);
	}
	_exit(0);
}

/* the peer takes its time to end a VM */
static void run_some(struct __test_metadata *_metadata, uint64_t from,
		     uint64_t n)
{
	int status;
	pid_t pid = fork();

	if (!pid)
		many_guests(from, n);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	ASSERT_DONE(gcpu_new(gvm_new(GVM_SPLIT), 0, nothing));
}

TEST(first)
{
	run_some(_metadata, 0, device_is_hvm() ? 100 : 20);
}

TEST(second)
{
	run_some(_metadata, 1000, device_is_hvm() ? 100 : 20);
}

TEST_HARNESS_MAIN
