// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an administrator sees: tracepoints that fire, debugfs counters, binary
 * statistics by descriptor.
 */
#include <dirent.h>
#include <fcntl.h>
#include <sys/mount.h>

#include "guest.h"
#include "kselftest_harness.h"

#define TRACING "/sys/kernel/tracing/"

static const char *const events[] = {
	"entry", "exit", "pio", "mmio", "page_fault", "inj_virq", "msr",
	"cpuid",
};

static const char *prefix(void)
{
	return device_is_hvm() ? "hvm" : "kvm";
}

static bool put(const char *file, const char *text)
{
	int fd = open(file, O_WRONLY | O_TRUNC);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) ==
			     (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return ok;
}

static void mount_once(const char *type, const char *dir)
{
	mount(type, dir, type, 0, NULL);
}

static void irq(struct trap_frame *f)
{
	xapic_write(APIC_EOI, 0);
}

static void g_all(void)
{
	uint64_t v;

	guest_handlers[0x40] = irq;
	xapic_enable();
	outb(0x10, 1);
	mmio_write32(0xd0000000, 1);
	mmio_read32(0xd0000004);
	cpuid_count(0, 0);
	rdmsr_safe(MSR_MISC_ENABLE, &v);
	xapic_icr(0, 0x40 | ICR_SELF);
	sti_nop();
	cli();
	*(volatile uint8_t *)0x10000000 = 1;
}

static void run_all(struct __test_metadata *_metadata, struct gcpu *c)
{
	int ret;

	gvm_add_memory(c->vm, 0x10000000, SZ_2M, 0);
	do {
		ret = gcpu_run(c);
		if (ret == HVM_EXIT_MMIO && !c->run->mmio.is_write)
			memcpy(c->run->mmio.data, "\xef\xbe\xad\xde", 4);
	} while (ret == HVM_EXIT_IO || ret == HVM_EXIT_MMIO);
	EXPECT_EQ(UCALL_DONE, ret);
}

TEST(tracepoints)
{
	static char text[1 << 18];
	char file[128], name[64];
	size_t i, n = 0;
	int fd;
	ssize_t r;

	mount_once("tracefs", "/sys/kernel/tracing");
	snprintf(file, sizeof(file), TRACING "events/%s/enable", prefix());
	REQUIRE(!access(file, W_OK), "no tracing");
	put(TRACING "trace", "");
	ASSERT_TRUE(put(file, "1"));
	run_all(_metadata, gcpu_new(gvm_new(GVM_SPLIT), 0, g_all));
	ASSERT_TRUE(put(file, "0"));
	fd = open(TRACING "trace", O_RDONLY);
	while ((r = read(fd, text + n, sizeof(text) - 1 - n)) > 0)
		n += r;
	close(fd);
	put(TRACING "trace", "");
	for (i = 0; i < ARRAY_LEN(events); i++) {
		snprintf(name, sizeof(name), " %s_%s: ", prefix(), events[i]);
		EXPECT_NE(NULL, strstr(text, name))
			TH_LOG("no line of %s_%s", prefix(), events[i]);
	}
	/* What a device answered is known once it did. */
	EXPECT_NE(NULL, strstr(text, "0xdeadbeef"));
}

static volatile uint64_t spin;

static void g_spin(void)
{
	for (;;) {
		uint64_t end = rdtsc() + spin;

		while (rdtsc() < end)
			;
		GUEST_SYNC(0);
	}
}

/* clock ticks that this process spent in guests */
static unsigned long guest_ticks(void)
{
	char text[1024] = {};
	char *p = text;
	int fd = open("/proc/self/stat", O_RDONLY), field;

	if (read(fd, text, sizeof(text) - 1) <= 0)
		return 0;
	close(fd);
	for (p = strrchr(text, ')'), field = 2; p && field < 43; field++)
		p = strchr(p + 1, ' ');
	return p ? strtoul(p, NULL, 10) : 0;
}

/* A guest's time is accounted as such: top and vmstat show it. */
TEST(guest_time)
{
	struct gcpu *c = gcpu_new(gvm_new(GVM_SPLIT), 0, g_spin);
	unsigned long before = guest_ticks();

	/* a host that is starved of its own CPU has few ticks to count */
	spin = ioctl(c->fd, HVM_GET_TSC_KHZ) * 500ull;
	for (int i = 0; i < 10 && guest_ticks() < before + 8; i++)
		ASSERT_EQ(UCALL_SYNC, gcpu_run(c));
	EXPECT_LE(before + 8, guest_ticks());
}

#define DEBUGFS "/sys/kernel/debug/"

/* the directory of the VM that this process has, or an empty string */
static void find_vm(char *dir, size_t size)
{
	char top[64], mine[32];
	struct dirent *e;
	DIR *d;

	snprintf(top, sizeof(top), DEBUGFS "%s", prefix());
	snprintf(mine, sizeof(mine), "%d-", getpid());
	dir[0] = 0;
	d = opendir(top);
	while (d && (e = readdir(d)))
		if (!strncmp(e->d_name, mine, strlen(mine)))
			snprintf(dir, size, "%s/%s", top, e->d_name);
	if (d)
		closedir(d);
}

/* KVM has a file for each counter, hvm a line */
static long counter(const char *dir, const char *name)
{
	char file[512], line[128];
	long v = -1, n;
	FILE *f;

	snprintf(file, sizeof(file), "%s/%s", dir,
		 device_is_hvm() ? "stats" : name);
	f = fopen(file, "r");
	if (f && !device_is_hvm() && fscanf(f, "%ld", &v) != 1)
		v = -1;
	while (f && device_is_hvm() && fscanf(f, "%127s %ld", line, &n) == 2)
		if (!strcmp(line, name))
			v = n;
	if (f)
		fclose(f);
	return v;
}

TEST(debugfs)
{
	char dir[400], vcpu[410];
	struct gcpu *c;

	mount_once("debugfs", "/sys/kernel/debug");
	snprintf(dir, sizeof(dir), DEBUGFS "%s", prefix());
	REQUIRE(!access(dir, R_OK), "no debugfs");
	c = gcpu_new(gvm_new(GVM_SPLIT), 0, g_all);
	find_vm(dir, sizeof(dir));
	ASSERT_NE(0, dir[0]);
	snprintf(vcpu, sizeof(vcpu), "%s/vcpu0", dir);
	ASSERT_EQ(0, access(vcpu, R_OK));
	run_all(_metadata, c);
	EXPECT_LT(4, counter(dir, "exits"));
	EXPECT_LE(1, counter(dir, "io_exits"));
	EXPECT_LE(1, counter(dir, "mmio_exits"));
	/* gone with the VM */
	close(c->vm->fd);
	gcpu_free(c);
	usleep(100000);
	EXPECT_NE(0, access(dir, R_OK));
}

static long find_stat(struct __test_metadata *_metadata, int fd,
		      const char *want)
{
	struct hvm_stats_header h;
	struct hvm_stats_desc *d;
	uint64_t v = 0;
	size_t each;
	uint32_t i;

	EXPECT_EQ(sizeof(h), pread(fd, &h, sizeof(h), 0));
	EXPECT_LT(0u, h.num_desc);
	EXPECT_GT(1000u, h.num_desc);
	each = sizeof(*d) + h.name_size;
	d = malloc(each);
	for (i = 0; i < h.num_desc; i++) {
		if (pread(fd, d, each, h.desc_offset + i * each) !=
		    (ssize_t)each)
			return -2;
		if (strcmp(d->name, want))
			continue;
		EXPECT_EQ(8, pread(fd, &v, 8, h.data_offset + d->offset));
		return v;
	}
	return -1;
}

TEST(binary_stats)
{
	struct gcpu *c = gcpu_new(gvm_new(GVM_SPLIT), 0, g_all);
	int vm, vcpu;
	char b[8];

	REQUIRE(have_cap(HVM_CAP_BINARY_STATS_FD), "no binary statistics");
	run_all(_metadata, c);
	vm = hvm_get_stats_fd(c->vm->fd);
	vcpu = hvm_get_stats_fd(c->fd);
	ASSERT_LE(0, vm);
	ASSERT_LE(0, vcpu);
	EXPECT_LT(4, find_stat(_metadata, vcpu, "exits"));
	EXPECT_LE(1, find_stat(_metadata, vcpu, "io_exits"));
	EXPECT_EQ(-1, find_stat(_metadata, vcpu, "no_such_counter"));
	EXPECT_EQ(-1, write(vcpu, b, 1));
	/* beyond the end there is nothing */
	EXPECT_GE(0, pread(vcpu, b, 8, 1 << 30));
	EXPECT_GE(0, pread(vcpu, b, 8, -8));
	/* the descriptor outlives the vCPU's */
	gcpu_free(c);
	EXPECT_LT(4, find_stat(_metadata, vcpu, "exits"));
	close(vm);
	close(vcpu);
}

TEST_HARNESS_MAIN
