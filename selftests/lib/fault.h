/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fault.h: make the n-th thing that can fail in a call fail, for n = 1, 2, …
 * until the call gets through without: allocations of the slab and of pages,
 * and copies from and to userspace, of this task only.
 *
 * For each n there is a fresh VM and vCPU. The call succeeds in spite of the
 * failure or says ENOMEM or EFAULT; then it is made again without one and must
 * do what it always does, and everything is closed. Or the vCPU is dead by an
 * exit that says so, where the host could not see what its guest was doing.
 * What leaks is found by the debug kernel's checks (debug/end).
 */
#ifndef SELFTESTS_FAULT_H
#define SELFTESTS_FAULT_H

#include <fcntl.h>

#include "guest.h"

#define FAULT_MAX	2000	/* more failing calls than any operation has */
#define FAULT_DEAD	(-ENOTRECOVERABLE)	/* of an operation: HVM_EXIT_INTERNAL_ERROR */

/**
 * struct fault_ctx - what an operation works on
 * @vm: a fresh VM
 * @c: its vCPU 0
 * @fd: a descriptor that the operation made, closed after it; or -1
 * @ev: an eventfd
 * @arg: for the operation
 */
struct fault_ctx {
	struct gvm *vm;
	struct gcpu *c;
	int fd, ev;
	uint64_t arg;
};

/**
 * struct fault_op - an operation to step through
 * @irqchip: of its VM
 * @guest: where its vCPU starts, or NULL
 * @setup: makes ready, without failures; or NULL
 * @call: the operation: 0 or more, -errno, or FAULT_DEAD
 */
struct fault_op {
	enum gvm_irqchip irqchip;
	void (*guest)(void);
	void (*setup)(struct fault_ctx *x);
	int (*call)(struct fault_ctx *x);
};

static int fault_fd = -1;

static bool fault_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) >= 0;

	if (fd >= 0)
		close(fd);
	return ok;
}

/* let everything fail that can, and quietly; false: this kernel cannot */
static bool fault_init(void)
{
	static const char *const sorts[] = {
		"failslab", "fail_page_alloc", "fail_usercopy",
	};
	char path[96];
	size_t i;

	for (i = 0; i < ARRAY_LEN(sorts); i++) {
		snprintf(path, sizeof(path), "/sys/kernel/debug/%s/verbose",
			 sorts[i]);
		if (!fault_write(path, "0"))
			return false;
		snprintf(path, sizeof(path),
			 "/sys/kernel/debug/%s/ignore-gfp-wait", sorts[i]);
		fault_write(path, "N");
	}
	fault_write("/sys/kernel/debug/fail_page_alloc/ignore-gfp-highmem", "N");
	fault_write("/sys/kernel/debug/fail_page_alloc/min-order", "0");
	fault_fd = open("/proc/thread-self/fail-nth", O_RDWR);
	return fault_fd >= 0;
}

static void fault_arm(unsigned int n)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", n);

	if (pwrite(fault_fd, text, len, 0) != len)
		lib_die("fail-nth", errno);
}

/* whether the failure has come; none comes any more */
static bool fault_disarm(void)
{
	char text[16] = "";
	ssize_t len = pread(fault_fd, text, sizeof(text) - 1, 0);
	bool left = len < 0 || text[0] != '0';

	/* the write itself can be what fails */
	while (pwrite(fault_fd, "0", 1, 0) != 1)
		;
	return !left;
}

static void fault_open(struct fault_ctx *x, const struct fault_op *op)
{
	memset(x, 0, sizeof(*x));
	x->fd = -1;
	x->ev = -1;
	x->vm = gvm_new(op->irqchip);
	x->c = op->guest ? gcpu_new(x->vm, 0, op->guest) : gcpu_bare(x->vm, 0);
	if (op->setup)
		op->setup(x);
}

static void fault_close(struct fault_ctx *x)
{
	if (x->fd >= 0)
		close(x->fd);
	if (x->ev >= 0)
		close(x->ev);
	if (x->c)
		gcpu_free(x->c);
	if (x->vm)
		gvm_free(x->vm);
}

/* one n; false: the call had fewer than n things that can fail */
static bool fault_step(const struct fault_op *op, unsigned int n, int *ret,
		       int *again)
{
	struct fault_ctx x;
	bool hit;

	fault_open(&x, op);
	fault_arm(n);
	*ret = op->call(&x);
	hit = fault_disarm();
	*again = 0;
	if (*ret < 0 && *ret != FAULT_DEAD)
		*again = op->call(&x);
	fault_close(&x);
	return hit;
}

/* the bookkeeping of a test: op is a struct fault_op */
#define FAULT_STEPS(op) do {						\
	int ret_, again_;						\
	unsigned int n_ = 0;						\
	bool hit_;							\
									\
	REQUIRE(fault_init(), "this kernel injects no failures");	\
	do {								\
		hit_ = fault_step(&(op), ++n_, &ret_, &again_);		\
		EXPECT_TRUE(ret_ >= 0 || ret_ == -ENOMEM ||		\
			    ret_ == -EFAULT || ret_ == FAULT_DEAD)	\
			TH_LOG("failure %u: %s", n_, strerror(-ret_));	\
		EXPECT_LE(0, again_)					\
			TH_LOG("after failure %u (%d): %s", n_, ret_,	\
			       strerror(-again_));			\
	} while (hit_ && n_ < FAULT_MAX);				\
	EXPECT_LE(0, ret_);						\
	TH_LOG("%u calls can fail", n_ - 1);				\
} while (0)

#endif /* SELFTESTS_FAULT_H */
