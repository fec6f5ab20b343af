// SPDX-License-Identifier: GPL-2.0-only
/*
 * `hvm check`: can this host run guests? Each thing that is needed gets a
 * line: "yes" or "no", what it is, and after a no what to do about it. A "-"
 * is a thing that could not be looked at, or does not matter here.
 */
#include "check.h"
#include "vm.h"

#include <cpuid.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MSR_VM_CR		0xc0010114
#define VM_CR_SVMDIS		(1u << 4)
#define MSR_FEATURE_CONTROL	0x3a
#define FEATURE_LOCKED		(1u << 0)
#define FEATURE_VMX		(1u << 2)

#define MIB_WANTED		64

enum vendor { VENDOR_AMD, VENDOR_INTEL, VENDOR_OTHER };

static bool all_good = true;

static void say(bool good, const char *what, const char *mend)
{
	if (good) {
		printf("yes  %s\n", what);
		return;
	}
	printf("no   %s\n     -> %s\n", what, mend);
	all_good = false;
}

static void note(const char *what)
{
	printf("-    %s\n", what);
}

static enum vendor get_vendor(char name[13])
{
	unsigned int a, b, c, d;

	__cpuid(0, a, b, c, d);
	memcpy(name, &b, 4);
	memcpy(name + 4, &d, 4);
	memcpy(name + 8, &c, 4);
	name[12] = '\0';
	if (!strcmp(name, "AuthenticAMD") || !strcmp(name, "HygonGenuine"))
		return VENDOR_AMD;
	if (!strcmp(name, "GenuineIntel") || !strcmp(name, "CentaurHauls") ||
	    !strcmp(name, "  Shanghai  "))
		return VENDOR_INTEL;
	return VENDOR_OTHER;
}

static bool has_feature(enum vendor vendor)
{
	unsigned int a, b, c, d;

	if (vendor == VENDOR_AMD)
		return __get_cpuid(0x80000001, &a, &b, &c, &d) && c & 1u << 2;
	return __get_cpuid(1, &a, &b, &c, &d) && c & 1u << 5;
}

/* Nested paging; of Intel's EPT, CPUID does not tell. */
static bool has_npt(void)
{
	unsigned int a, b, c, d;

	return __get_cpuid(0x8000000a, &a, &b, &c, &d) && d & 1;
}

static bool inside_guest(void)
{
	unsigned int a, b, c, d;

	return __get_cpuid(1, &a, &b, &c, &d) && c & 1u << 31;
}

static void check_cpu(enum vendor vendor, const char *name)
{
	const char *mend = inside_guest() ?
		"this machine is itself a guest: have its hypervisor offer nested virtualisation" :
		"use a processor that has it, or turn it on in the firmware's setup";
	char line[96];

	snprintf(line, sizeof(line), "processor: %s, from AMD or Intel", name);
	say(vendor != VENDOR_OTHER, line, "hvm needs AMD-V or VT-x");
	if (vendor == VENDOR_AMD) {
		say(has_feature(vendor), "AMD-V (svm)", mend);
		if (has_feature(vendor))
			say(has_npt(), "nested paging (npt)", mend);
	} else if (vendor == VENDOR_INTEL) {
		say(has_feature(vendor), "VT-x (vmx)", mend);
	}
}

static bool read_msr(uint32_t index, uint64_t *value)
{
	int fd = open("/dev/cpu/0/msr", O_RDONLY | O_CLOEXEC);
	bool ok;

	if (fd < 0)
		return false;
	ok = pread(fd, value, sizeof(*value), index) == sizeof(*value);
	close(fd);
	return ok;
}

static void check_firmware(enum vendor vendor)
{
	static const char mend[] =
		"turn virtualisation on in the firmware's setup (\"SVM Mode\", \"VT-x\"), then power-cycle";
	uint64_t value;
	bool good;

	if (vendor == VENDOR_OTHER || !has_feature(vendor))
		return;
	if (!read_msr(vendor == VENDOR_AMD ? MSR_VM_CR : MSR_FEATURE_CONTROL,
		      &value)) {
		note("firmware allows it: not known (as root, after 'modprobe msr', it can be read)");
		return;
	}
	if (vendor == VENDOR_AMD)
		good = !(value & VM_CR_SVMDIS);
	else
		good = !(value & FEATURE_LOCKED) || value & FEATURE_VMX;
	say(good, "firmware allows it", mend);
}

/* A module's use count; -1 if it is not loaded */
static int module_users(const char *name)
{
	char path[64];
	int users = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/module/%s/refcnt", name);
	f = fopen(path, "re");
	if (f) {
		if (fscanf(f, "%d", &users) != 1)
			users = -1;
		fclose(f);
	}
	return users;
}

/* Two can share VT-x, not AMD-V. */
static void check_kvm(enum vendor vendor)
{
	if (vendor == VENDOR_INTEL && module_users("kvm_intel") > 0)
		note("KVM has guests running: hvm's run beside them");
	else
		say(module_users("kvm_amd") <= 0, "KVM has no guests running",
		    "end KVM's guests, then 'modprobe -r kvm_amd'");
}

/* What the module chose of the features that not every processor has. */
static void show_options(void)
{
	static const char directory[] = "/sys/module/hvm/parameters";
	char path[320], value[16];
	struct dirent *entry;
	DIR *dir;
	FILE *f;

	dir = opendir(directory);
	if (!dir)
		return;
	printf("     the module's options:");
	while ((entry = readdir(dir))) {
		snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
		f = entry->d_name[0] == '.' ? NULL : fopen(path, "re");
		if (!f)
			continue;
		/* -1: of the other vendor's processors */
		if (fscanf(f, "%15s", value) == 1 && strcmp(value, "-1"))
			printf(" %s=%s", entry->d_name, value);
		fclose(f);
	}
	putchar('\n');
	closedir(dir);
}

static void check_module(void)
{
	say(module_users("hvm") >= 0 || !access("/sys/module/hvm", F_OK),
	    "the module hvm is loaded",
	    "'modprobe hvm' as root; if it refuses, 'dmesg' says why");
}

/* Return: the device, or negative */
static int check_device(const char *path)
{
	char line[160];
	int dev = hvm_open(path);

	snprintf(line, sizeof(line), "%s is there", path);
	if (dev == -ENOENT || dev == -ENXIO || dev == -ENODEV) {
		say(false, line, "load the module; udev then makes the device");
		return dev;
	}
	say(true, line, "");
	snprintf(line, sizeof(line), "%s may be used by this user", path);
	if (dev == -EACCES || dev == -EPERM) {
		say(false, line, "join the group that owns it: 'usermod -aG kvm USER', then log in again");
		return dev;
	}
	say(true, line, "");
	snprintf(line, sizeof(line), "%s speaks API version %d", path,
		 HVM_API_VERSION);
	say(dev >= 0, line, "install the module and hvm of one release");
	return dev;
}

static void check_memory(void)
{
	unsigned long long kib = 0;
	char line[128];
	FILE *f;

	f = fopen("/proc/meminfo", "re");
	if (!f)
		return;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "MemAvailable: %llu", &kib) == 1)
			break;
	fclose(f);
	snprintf(line, sizeof(line), "memory for a guest: %llu MiB available",
		 kib >> 10);
	say(kib >> 10 >= MIB_WANTED, line, "free some memory, or add some");
}

/* The capabilities `hvm run` needs, and what some others answer */
static void check_capabilities(int dev)
{
	static const struct {
		const char *name;
		long cap;
		bool needed;
	} caps[] = {
		{ "user_memory", HVM_CAP_USER_MEMORY, true },
		{ "split_irqchip", HVM_CAP_SPLIT_IRQCHIP, true },
		{ "signal_msi", HVM_CAP_SIGNAL_MSI, true },
		{ "immediate_exit", HVM_CAP_IMMEDIATE_EXIT, true },
		{ "ext_cpuid", HVM_CAP_EXT_CPUID, true },
		{ "nr_vcpus", HVM_CAP_NR_VCPUS, false },
		{ "max_vcpus", HVM_CAP_MAX_VCPUS, false },
		{ "nr_memslots", HVM_CAP_NR_MEMSLOTS, false },
		{ "irqfd", HVM_CAP_IRQFD, false },
		{ "ioeventfd", HVM_CAP_IOEVENTFD, false },
		{ "irq_routing", HVM_CAP_IRQ_ROUTING, false },
		{ "tsc_deadline_timer", HVM_CAP_TSC_DEADLINE_TIMER, false },
		{ "xsave", HVM_CAP_XSAVE, false },
		{ "readonly_mem", HVM_CAP_READONLY_MEM, false },
		{ "sync_mmu", HVM_CAP_SYNC_MMU, false },
		{ "binary_stats_fd", HVM_CAP_BINARY_STATS_FD, false },
	};
	bool good = true;
	size_t i;

	for (i = 0; i < sizeof(caps) / sizeof(caps[0]); i++)
		if (caps[i].needed &&
		    hvm_check_extension(dev, caps[i].cap) <= 0)
			good = false;
	say(good, "the capabilities that 'hvm run' needs",
	    "install the module and hvm of one release");
	printf("     capabilities:");
	for (i = 0; i < sizeof(caps) / sizeof(caps[0]); i++)
		printf(" %s=%d", caps[i].name,
		       hvm_check_extension(dev, caps[i].cap));
	putchar('\n');
}

bool check_host(const char *device)
{
	const char *path = hvm_device_path(device);
	enum vendor vendor;
	char name[13];
	int dev;

	all_good = true;
	vendor = get_vendor(name);
	check_cpu(vendor, name);
	check_firmware(vendor);
	check_memory();
	/* With somebody else's device, somebody else's module is meant. */
	if (!strcmp(path, HVM_DEVICE_DEFAULT)) {
		check_kvm(vendor);
		check_module();
		show_options();
	}
	dev = check_device(path);
	if (dev >= 0) {
		check_capabilities(dev);
		close(dev);
	}
	puts(all_good ? "This host can run guests." :
	     "This host cannot run guests.");
	return all_good;
}
