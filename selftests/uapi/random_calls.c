// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random bytes for every call of every descriptor: any errno will do, but the
 * process and the kernel live on, and a fresh VM works.
 */
#include <sys/wait.h>

#include "guest.h"
#include "kselftest_harness.h"

static void guest(void)
{
	GUEST_SYNC(1);
}

static uint64_t seed;

static uint64_t rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

/* HVM_RUN has its own tests; a wild guest could run until the time limit */
static const unsigned long calls[] = {
	HVM_CREATE_VCPU, HVM_GET_DIRTY_LOG, HVM_CLEAR_DIRTY_LOG,
	HVM_SET_USER_MEMORY_REGION, HVM_SET_TSS_ADDR,
	HVM_SET_IDENTITY_MAP_ADDR, HVM_ENABLE_CAP, HVM_SIGNAL_MSI,
	HVM_SET_GSI_ROUTING, HVM_IRQFD, HVM_IOEVENTFD, HVM_GET_CLOCK,
	HVM_SET_CLOCK, HVM_SET_BOOT_CPU_ID, HVM_CHECK_EXTENSION,
	HVM_CREATE_IRQCHIP, HVM_CREATE_PIT2, HVM_GET_IRQCHIP, HVM_SET_IRQCHIP,
	HVM_IRQ_LINE, HVM_IRQ_LINE_STATUS, HVM_SET_PIT2, HVM_GET_PIT2,
	HVM_X86_SET_MSR_FILTER, HVM_GET_REGS, HVM_SET_REGS, HVM_GET_SREGS,
	HVM_SET_SREGS, HVM_GET_SREGS2, HVM_SET_SREGS2, HVM_GET_FPU,
	HVM_SET_FPU, HVM_GET_XSAVE, HVM_SET_XSAVE, HVM_GET_XCRS, HVM_SET_XCRS,
	HVM_GET_DEBUGREGS, HVM_SET_DEBUGREGS, HVM_GET_MSRS, HVM_SET_MSRS,
	HVM_GET_CPUID2, HVM_SET_CPUID2, HVM_GET_LAPIC, HVM_SET_LAPIC,
	HVM_GET_MP_STATE, HVM_SET_MP_STATE, HVM_GET_VCPU_EVENTS,
	HVM_SET_VCPU_EVENTS, HVM_SET_TSC_KHZ, HVM_GET_TSC_KHZ, HVM_INTERRUPT,
	HVM_NMI, HVM_SET_SIGNAL_MASK, HVM_TRANSLATE, HVM_SET_GUEST_DEBUG,
	HVM_KVMCLOCK_CTRL, HVM_X86_SETUP_MCE, HVM_X86_SET_MCE,
	HVM_TPR_ACCESS_REPORTING, HVM_SET_VAPIC_ADDR, HVM_GET_STATS_FD,
};

static uint64_t buf[2048];

static void fill(void)
{
	size_t i, dense = rnd() % 4;

	for (i = 0; i < ARRAY_LEN(buf); i++)
		buf[i] = dense == 0 ? rnd() :
			 dense == 1 ? rnd() & rnd() & rnd() & rnd() :
			 dense == 2 ? (rnd() % 16 ? 0 : rnd()) :
			 (rnd() % 4 ? rnd() % 64 : 1ull << rnd() % 64);
	if (rnd() & 1)
		((uint32_t *)buf)[0] = rnd() % 32;
}

static void torture(uint64_t s, int rounds)
{
	struct gvm *vm;
	struct gcpu *c;
	int fds[3];

	seed = s * 0x9e3779b97f4a7c15ull + 1;
	vm = gvm_new(s & 1 ? GVM_SPLIT : GVM_NO_IRQCHIP);
	c = gcpu_new(vm, 0, guest);
	fds[0] = vm->dev;
	fds[1] = vm->fd;
	fds[2] = c->fd;
	while (rounds--) {
		unsigned long cmd = calls[rnd() % ARRAY_LEN(calls)];
		unsigned long arg = rnd() % 8 ? (uintptr_t)buf : rnd() % 64;

		fill();
		/* descriptors 0 to 2 and ours stay what they are */
		ioctl(fds[rnd() % 16 ? rnd() % 2 + 1 : 0], cmd, arg);
		c->run->immediate_exit = 1;
		if (rnd() % 8 == 0)
			ioctl(c->fd, HVM_RUN, 0);
	}
	_exit(0);
}

static void run_one(struct __test_metadata *_metadata, uint64_t s)
{
	int status;
	pid_t pid = fork();

	if (!pid)
		torture(s, 1500);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFEXITED(status) && !WEXITSTATUS(status))
		TH_LOG("seed %llu: status %#x", (unsigned long long)s, status);
}

TEST(all_calls)
{
	struct gcpu *c;
	uint64_t s;

	for (s = 0; s < 6; s++)
		run_one(_metadata, s);
	c = gcpu_new(gvm_new(GVM_SPLIT), 0, guest);
	ASSERT_SYNC(c, 1);
}

TEST_HARNESS_MAIN
