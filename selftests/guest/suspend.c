// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host goes to sleep and wakes up while a guest runs, as far as pm_test goes
 * without the machine being switched off: processes are frozen, processors
 * taken down, the last one's state saved and restored. The guest goes on where
 * it was, with what it had.
 */
#include <fcntl.h>

#include "guest.h"
#include "kselftest_harness.h"

static volatile uint64_t turns, stop;

/* what suspending and resuming says */
static void __attribute__((constructor)) expect(void)
{
	printf("# klog-allow: PM: |Filesystems sync|Freezing |OOM killer|printk: Suspending|smpboot: |"
	       "non-boot CPU|Restarting tasks|ACPI: |x86: Booting SMP|CPU[0-9]+ is up|"
	       "serial 00:|random: |suspend debug: |done\\.$|sd |ata[0-9]|kvm-clock|elapsed\n");
}

static void g_main(void)
{
	uint64_t x[2] = { 0x1122334455667788, 0x99aabbccddeeff00 }, y[2];

	wrmsr(MSR_LSTAR, 0x1234567000);
	wrmsr(MSR_KERNEL_GS_BASE, 0x7654321000);
	asm volatile("movdqu %0, %%xmm7" :: "m"(x));
	while (!stop) {
		GUEST_ASSERT_EQ(rdmsr(MSR_LSTAR), 0x1234567000);
		GUEST_ASSERT_EQ(rdmsr(MSR_KERNEL_GS_BASE), 0x7654321000);
		asm volatile("movdqu %%xmm7, %0" : "=m"(y));
		GUEST_ASSERT(x[0] == y[0] && x[1] == y[1]);
		cpuid_count(0, 0);
		turns++;
	}
}

static bool put(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, value, strlen(value)) == (ssize_t)strlen(value);

	if (fd >= 0)
		close(fd);
	return ok;
}

static void *run_on(void *arg)
{
	struct gcpu *c = arg;
	int ret;

	do
		ret = gcpu_run(c);
	while (ret == -EINTR);	/* the freezer interrupts it */
	c->result = ret;
	return NULL;
}

static void sleep_at(struct __test_metadata *_metadata, const char *level)
{
	struct gcpu *c = gcpu_new(gvm_new(GVM_SPLIT), 0, g_main);
	uint64_t before;

	turns = 0;
	stop = 0;
	pthread_create(&c->thread, NULL, run_on, c);
	ASSERT_TRUE(wait_for(&turns, 100, 60));
	put("/sys/module/suspend/parameters/pm_test_delay", "1");
	put("/sys/power/mem_sleep", "deep");
	ASSERT_TRUE(put("/sys/power/pm_test", level));
	before = turns;
	EXPECT_TRUE(put("/sys/power/state", "mem"));
	put("/sys/power/pm_test", "none");
	EXPECT_TRUE(wait_for(&turns, before + 1000, 60));
	stop = 1;
	EXPECT_EQ(UCALL_DONE, gcpu_join(c, 60));
	/* and another is as good as the first */
	ASSERT_DONE(gcpu_new(gvm_new(GVM_SPLIT), 0, g_main));
}

TEST(freezer)
{
	REQUIRE(!access("/sys/power/pm_test", W_OK), "the kernel has no pm_test");
	sleep_at(_metadata, "freezer");
}

TEST(processors)
{
	REQUIRE(!access("/sys/power/pm_test", W_OK), "the kernel has no pm_test");
	sleep_at(_metadata, "processors");
}

TEST(core)
{
	REQUIRE(!access("/sys/power/pm_test", W_OK), "the kernel has no pm_test");
	sleep_at(_metadata, "core");
}

TEST_HARNESS_MAIN
