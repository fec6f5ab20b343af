// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the host has in the processor is what it had before a guest ran there:
 * MSRs, on each CPU; the limits of GDT and TSS; and an NMI that comes while a
 * guest runs is the host's.
 */
#include <fcntl.h>
#include <sched.h>
#include <sys/syscall.h>

#include "guest.h"
#include "kselftest_harness.h"

static const uint32_t host_msrs[] = {
	0x174, 0x175, 0x176,				/* SYSENTER */
	0x277, 0xda0, 0x48,				/* PAT, XSS, SPEC_CTRL */
	0xc0000080, 0xc0000081, 0xc0000082, 0xc0000083, 0xc0000084,
	0xc0000102, 0xc0000103,				/* KERNEL_GS_BASE, TSC_AUX */
};
#define NR_MSRS	ARRAY_LEN(host_msrs)

static volatile uint64_t turns, stop;

/* as unlike the host's as can be */
static void g_msrs(void)
{
	uint64_t i, v;

	for (i = 1;; i++) {
		wrmsr(0x174, 8 * i);
		wrmsr(0x175, 0x1000 * i);
		wrmsr(0x176, 0x2000 * i);
		wrmsr(0x277, 0x0606060606060606);
		wrmsr(0xc0000081, i << 48 | i << 32);
		wrmsr(0xc0000082, 0x3000 * i);
		wrmsr(0xc0000083, 0x4000 * i);
		wrmsr(0xc0000084, 0x500 + i);
		wrmsr(0xc0000102, 0x5000 * i);
		wrmsr_safe(0xc0000103, 0x60 + i);
		rdmsr_safe(0xc0000103, &v);
		GUEST_SYNC(i);
	}
}

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static int open_msrs(int cpu)
{
	char path[32];

	snprintf(path, sizeof(path), "/dev/cpu/%d/msr", cpu);
	if (access(path, R_OK) && system("insmod /modules/msr.ko 2>/dev/null"))
		return -1;
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* by this thread on this CPU, so that KERNEL_GS_BASE is the thread's too */
static void read_msrs(int fd, uint64_t v[NR_MSRS])
{
	size_t i;

	for (i = 0; i < NR_MSRS; i++)
		if (pread(fd, &v[i], 8, host_msrs[i]) != 8)
			v[i] = 0;
}

TEST(model_specific_registers)
{
	int cpu[64], cpus = host_cpus(cpu, 64);
	uint64_t before[NR_MSRS], after[NR_MSRS];
	struct gcpu *c;
	size_t i;
	int fd, turn;

	fd = open_msrs(cpu[0]);
	REQUIRE(fd >= 0, "no /dev/cpu/*/msr");
	close(fd);
	if (cpus > 64)
		cpus = 64;
	c = gcpu_new(gvm_new(GVM_SPLIT), 0, g_msrs);
	for (turn = 0; turn < 2 * cpus; turn++) {
		pin(cpu[turn % cpus]);
		fd = open_msrs(cpu[turn % cpus]);
		ASSERT_LE(0, fd);
		read_msrs(fd, before);
		ASSERT_SYNC(c, turn + 1);
		read_msrs(fd, after);
		for (i = 0; i < NR_MSRS; i++)
			EXPECT_EQ(before[i], after[i])
				TH_LOG("CPU %d, MSR 0x%x", cpu[turn % cpus], host_msrs[i]);
		close(fd);
	}
}

/* ---- tables ---- */

static void g_sync(void)
{
	for (;;)
		GUEST_SYNC(0);
}

static uint16_t gdt_limit(void)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) gdt;

	asm volatile("sgdt %0" : "=m"(gdt));
	return gdt.limit;
}

TEST(descriptor_table_limit)
{
	struct gcpu *c = gcpu_new(gvm_new(GVM_SPLIT), 0, g_sync);
	uint16_t before;

	REQUIRE(!(cpuid_count(7, 0).ecx & 1 << 2), "UMIP hides the GDT");
	before = gdt_limit();
	ASSERT_SYNC(c, 0);
	EXPECT_EQ(before, gdt_limit());
}

/* an exit may cut the TSS before its I/O bitmap, which this thread needs */
TEST(io_bitmap)
{
	struct gcpu *c = gcpu_new(gvm_new(GVM_SPLIT), 0, g_sync);
	int i;

	REQUIRE(!syscall(SYS_ioperm, 0x80, 1, 1), "no ioperm()");
	outb(0x80, 0);
	for (i = 0; i < 3; i++) {
		ASSERT_SYNC(c, 0);
		outb(0x80, 0);
	}
}

/* ---- an NMI ---- */

static void g_spin(void)
{
	while (!stop)
		turns++;
}

static int there;

static void *spin_there(void *arg)
{
	pin(there);
	return (void *)(long)gcpu_run(arg);
}

/* the kernel's log from now on: does it say @what, and nothing bad? */
static bool log_says(int log, const char *what, const char **bad)
{
	static const char * const splats[] = { "BUG:", "WARNING:", "Oops", "general protection" };
	char line[1024];
	bool said = false;
	ssize_t n;
	size_t i;

	while ((n = read(log, line, sizeof(line) - 1)) > 0 || errno == EPIPE) {
		line[n > 0 ? n : 0] = '\0';
		said |= !!strstr(line, what);
		for (i = 0; i < ARRAY_LEN(splats); i++)
			if (strstr(line, splats[i]))
				*bad = splats[i];
		errno = 0;
	}
	return said;
}

TEST(nmi)
{
	struct gcpu *c;
	const char *bad = NULL;
	int log, trigger, i, cpu[2];
	char tells[48];
	bool said = false;
	pthread_t thread;
	uint64_t at;
	void *ret;

	REQUIRE(host_cpus(cpu, 2) > 1, "one CPU");
	trigger = open("/proc/sysrq-trigger", O_WRONLY | O_CLOEXEC);
	log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	REQUIRE(trigger >= 0 && log >= 0, "no sysrq, or no kernel log");
	printf("# klog-allow: .\n");
	fflush(stdout);
	lseek(log, 0, SEEK_END);
	pin(cpu[0]);
	there = cpu[1];
	snprintf(tells, sizeof(tells), "NMI backtrace for cpu %d", there);
	c = gcpu_new(gvm_new(GVM_SPLIT), 0, g_spin);
	pthread_create(&thread, NULL, spin_there, c);
	ASSERT_TRUE(wait_for(&turns, 1000, 10));
	/* All CPUs but ours tell where they are, in an NMI. */
	ASSERT_EQ(1, write(trigger, "l", 1));
	for (i = 0; i < 50 && !said; i++) {
		usleep(20000);
		said = log_says(log, tells, &bad);
	}
	EXPECT_TRUE(said);
	EXPECT_EQ(NULL, bad)
		TH_LOG("the log says %s", bad);
	at = turns;
	EXPECT_TRUE(wait_for(&turns, at + 1000, 10));
	stop = 1;
	pthread_join(thread, &ret);
	EXPECT_EQ(UCALL_DONE, (long)ret);
}

TEST_HARNESS_MAIN
