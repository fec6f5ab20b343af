// SPDX-License-Identifier: GPL-2.0-only
/*
 * libhvm: one C function per call of /dev/hvm.
 *
 * The contract is in libhvm.h. Everything here turns arguments into the
 * structure that the kernel takes and errno into a negative return value;
 * there is no state and so nothing to lock.
 */
#include "libhvm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

/* A list that the kernel still calls too small at this length is refused. */
#define LIST_MAX 4096

static int call(int fd, unsigned long cmd, unsigned long arg)
{
	int ret = ioctl(fd, cmd, arg);

	return ret < 0 ? -errno : ret;
}

static int call_ptr(int fd, unsigned long cmd, const void *arg)
{
	return call(fd, cmd, (unsigned long)arg);
}

/* ---- the system ---- */

const char *hvm_device_path(const char *path)
{
	const char *env;

	if (path)
		return path;
	env = getenv(HVM_DEVICE_ENV);
	return env && *env ? env : HVM_DEVICE_DEFAULT;
}

int hvm_open(const char *path)
{
	int fd, version;

	fd = open(hvm_device_path(path), O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	version = hvm_api_version(fd);
	if (version == HVM_API_VERSION)
		return fd;
	close(fd);
	return version < 0 ? version : -EPROTO;
}

int hvm_api_version(int dev)
{
	return call(dev, HVM_GET_API_VERSION, 0);
}

int hvm_check_extension(int fd, long cap)
{
	return call(fd, HVM_CHECK_EXTENSION, cap);
}

int hvm_vcpu_mmap_size(int dev)
{
	return call(dev, HVM_GET_VCPU_MMAP_SIZE, 0);
}

static int get_cpuid(int dev, unsigned long cmd, struct hvm_cpuid2 **cpuid)
{
	unsigned int nent;
	int ret = -E2BIG;

	for (nent = 64; nent <= LIST_MAX && ret == -E2BIG; nent *= 2) {
		struct hvm_cpuid2 *list;

		list = calloc(1, sizeof(*list) +
				 nent * sizeof(list->entries[0]));
		if (!list)
			return -ENOMEM;
		list->nent = nent;
		ret = call_ptr(dev, cmd, list);
		if (ret < 0)
			free(list);
		else
			*cpuid = list;
	}
	return ret;
}

int hvm_get_supported_cpuid(int dev, struct hvm_cpuid2 **cpuid)
{
	return get_cpuid(dev, HVM_GET_SUPPORTED_CPUID, cpuid);
}

int hvm_get_emulated_cpuid(int dev, struct hvm_cpuid2 **cpuid)
{
	return get_cpuid(dev, HVM_GET_EMULATED_CPUID, cpuid);
}

static int get_msr_list(int dev, unsigned long cmd, struct hvm_msr_list **out)
{
	unsigned int n;
	int ret = -E2BIG;

	for (n = 128; n <= LIST_MAX && ret == -E2BIG; n *= 2) {
		struct hvm_msr_list *list;

		list = calloc(1, sizeof(*list) + n * sizeof(list->indices[0]));
		if (!list)
			return -ENOMEM;
		list->nmsrs = n;
		ret = call_ptr(dev, cmd, list);
		if (ret < 0)
			free(list);
		else
			*out = list;
	}
	return ret;
}

int hvm_get_msr_index_list(int dev, struct hvm_msr_list **list)
{
	return get_msr_list(dev, HVM_GET_MSR_INDEX_LIST, list);
}

int hvm_get_msr_feature_index_list(int dev, struct hvm_msr_list **list)
{
	return get_msr_list(dev, HVM_GET_MSR_FEATURE_INDEX_LIST, list);
}

int hvm_create_vm(int dev, unsigned long type)
{
	return call(dev, HVM_CREATE_VM, type);
}

/* ---- a VM ---- */

int hvm_set_memory_region(int vm,
			  const struct hvm_userspace_memory_region *region)
{
	return call_ptr(vm, HVM_SET_USER_MEMORY_REGION, region);
}

int hvm_map_memory(int vm, uint32_t slot, uint32_t flags, uint64_t gpa,
		   uint64_t size, void *host)
{
	struct hvm_userspace_memory_region region = {
		.slot = slot,
		.flags = flags,
		.guest_phys_addr = gpa,
		.memory_size = size,
		.userspace_addr = (uintptr_t)host,
	};

	return hvm_set_memory_region(vm, &region);
}

int hvm_get_dirty_log(int vm, uint32_t slot, void *bitmap)
{
	struct hvm_dirty_log log = { .slot = slot, .dirty_bitmap = bitmap };

	return call_ptr(vm, HVM_GET_DIRTY_LOG, &log);
}

int hvm_clear_dirty_log(int vm, uint32_t slot, uint64_t first_page,
			uint32_t num_pages, void *bitmap)
{
	struct hvm_clear_dirty_log log = {
		.slot = slot,
		.first_page = first_page,
		.num_pages = num_pages,
		.dirty_bitmap = bitmap,
	};

	return call_ptr(vm, HVM_CLEAR_DIRTY_LOG, &log);
}

int hvm_enable_cap(int fd, uint32_t cap, uint64_t arg0)
{
	struct hvm_enable_cap arg = { .cap = cap, .args = { arg0 } };

	return hvm_enable_cap_args(fd, &arg);
}

int hvm_enable_cap_args(int fd, const struct hvm_enable_cap *cap)
{
	return call_ptr(fd, HVM_ENABLE_CAP, cap);
}

int hvm_create_irqchip(int vm)
{
	return call(vm, HVM_CREATE_IRQCHIP, 0);
}

int hvm_create_pit2(int vm, uint32_t flags)
{
	struct hvm_pit_config config = { .flags = flags };

	return call_ptr(vm, HVM_CREATE_PIT2, &config);
}

int hvm_get_irqchip(int vm, struct hvm_irqchip *chip)
{
	return call_ptr(vm, HVM_GET_IRQCHIP, chip);
}

int hvm_set_irqchip(int vm, const struct hvm_irqchip *chip)
{
	return call_ptr(vm, HVM_SET_IRQCHIP, chip);
}

int hvm_irq_line(int vm, uint32_t irq, int level)
{
	struct hvm_irq_level line = { .irq = irq, .level = level };

	return call_ptr(vm, HVM_IRQ_LINE, &line);
}

int hvm_split_irqchip(int vm, unsigned int pins)
{
	return hvm_enable_cap(vm, HVM_CAP_SPLIT_IRQCHIP, pins);
}

int hvm_signal_msi(int vm, uint64_t address, uint32_t data)
{
	struct hvm_msi msi = {
		.address_lo = address,
		.address_hi = address >> 32,
		.data = data,
	};

	return call_ptr(vm, HVM_SIGNAL_MSI, &msi);
}

int hvm_set_gsi_routing(int vm, const struct hvm_irq_routing *routing)
{
	return call_ptr(vm, HVM_SET_GSI_ROUTING, routing);
}

int hvm_irqfd(int vm, int eventfd, uint32_t gsi, uint32_t flags,
	      int resamplefd)
{
	struct hvm_irqfd irqfd = {
		.fd = eventfd,
		.gsi = gsi,
		.flags = flags,
		.resamplefd = resamplefd,
	};

	return call_ptr(vm, HVM_IRQFD, &irqfd);
}

int hvm_ioeventfd(int vm, int eventfd, uint64_t addr, uint32_t len,
		  uint32_t flags, uint64_t datamatch)
{
	struct hvm_ioeventfd ioeventfd = {
		.datamatch = datamatch,
		.addr = addr,
		.len = len,
		.fd = eventfd,
		.flags = flags,
	};

	return call_ptr(vm, HVM_IOEVENTFD, &ioeventfd);
}

int hvm_set_tss_addr(int vm, unsigned long gpa)
{
	return call(vm, HVM_SET_TSS_ADDR, gpa);
}

int hvm_set_identity_map_addr(int vm, uint64_t gpa)
{
	return call_ptr(vm, HVM_SET_IDENTITY_MAP_ADDR, &gpa);
}

int hvm_set_boot_cpu_id(int vm, unsigned long id)
{
	return call(vm, HVM_SET_BOOT_CPU_ID, id);
}

int hvm_get_clock(int vm, struct hvm_clock_data *clock)
{
	return call_ptr(vm, HVM_GET_CLOCK, clock);
}

int hvm_set_clock(int vm, const struct hvm_clock_data *clock)
{
	return call_ptr(vm, HVM_SET_CLOCK, clock);
}

int hvm_get_stats_fd(int fd)
{
	return call(fd, HVM_GET_STATS_FD, 0);
}

int hvm_create_vcpu(int vm, unsigned long id)
{
	return call(vm, HVM_CREATE_VCPU, id);
}

/* ---- a vCPU ---- */

int hvm_vcpu_open(int dev, int vm, unsigned long id, struct hvm_vcpu_fd *vcpu)
{
	int size, fd;
	void *run;

	size = hvm_vcpu_mmap_size(dev);
	if (size < 0)
		return size;
	if ((size_t)size < sizeof(struct hvm_run))
		return -EPROTO;
	fd = hvm_create_vcpu(vm, id);
	if (fd < 0)
		return fd;
	run = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (run == MAP_FAILED) {
		int err = -errno;

		close(fd);
		return err;
	}
	vcpu->fd = fd;
	vcpu->run = run;
	vcpu->run_size = size;
	return 0;
}

void hvm_vcpu_close(struct hvm_vcpu_fd *vcpu)
{
	if (!vcpu->run)
		return;
	munmap(vcpu->run, vcpu->run_size);
	close(vcpu->fd);
	vcpu->run = NULL;
	vcpu->fd = -1;
}

int hvm_vcpu_run(int vcpu)
{
	return call(vcpu, HVM_RUN, 0);
}

/*
 * The calls that move one structure and nothing else. The kernel's name, the
 * library's and the structure's are the same but for the case.
 */
#define GETTER(name, NAME, type) \
	int hvm_get_##name(int vcpu, struct type *arg) \
	{ \
		return call_ptr(vcpu, HVM_GET_##NAME, arg); \
	}
#define SETTER(name, NAME, type) \
	int hvm_set_##name(int vcpu, const struct type *arg) \
	{ \
		return call_ptr(vcpu, HVM_SET_##NAME, arg); \
	}
#define GETTER_SETTER(name, NAME, type) \
	GETTER(name, NAME, type) \
	SETTER(name, NAME, type)

GETTER_SETTER(regs, REGS, hvm_regs)
GETTER_SETTER(sregs, SREGS, hvm_sregs)
GETTER_SETTER(sregs2, SREGS2, hvm_sregs2)
GETTER_SETTER(fpu, FPU, hvm_fpu)
GETTER_SETTER(xsave, XSAVE, hvm_xsave)
GETTER(xsave2, XSAVE2, hvm_xsave)
GETTER_SETTER(xcrs, XCRS, hvm_xcrs)
GETTER_SETTER(debugregs, DEBUGREGS, hvm_debugregs)
GETTER_SETTER(lapic, LAPIC, hvm_lapic_state)
GETTER_SETTER(vcpu_events, VCPU_EVENTS, hvm_vcpu_events)
GETTER_SETTER(cpuid2, CPUID2, hvm_cpuid2)
SETTER(msrs, MSRS, hvm_msrs)
SETTER(guest_debug, GUEST_DEBUG, hvm_guest_debug)

int hvm_get_mp_state(int vcpu, uint32_t *state)
{
	struct hvm_mp_state mp = { 0 };
	int ret = call_ptr(vcpu, HVM_GET_MP_STATE, &mp);

	if (ret >= 0)
		*state = mp.mp_state;
	return ret;
}

int hvm_set_mp_state(int vcpu, uint32_t state)
{
	struct hvm_mp_state mp = { .mp_state = state };

	return call_ptr(vcpu, HVM_SET_MP_STATE, &mp);
}

int hvm_get_msrs(int fd, struct hvm_msrs *msrs)
{
	return call_ptr(fd, HVM_GET_MSRS, msrs);
}

/* struct hvm_msrs with room for its one entry */
union one_msr {
	struct hvm_msrs msrs;
	char room[sizeof(struct hvm_msrs) + sizeof(struct hvm_msr_entry)];
};

int hvm_get_msr(int fd, uint32_t index, uint64_t *value)
{
	union one_msr one = { .room = { 0 } };
	int ret;

	one.msrs.nmsrs = 1;
	one.msrs.entries[0].index = index;
	ret = hvm_get_msrs(fd, &one.msrs);
	if (ret < 0)
		return ret;
	if (ret != 1)
		return -EINVAL;
	*value = one.msrs.entries[0].data;
	return 0;
}

int hvm_set_msr(int vcpu, uint32_t index, uint64_t value)
{
	union one_msr one = { .room = { 0 } };
	int ret;

	one.msrs.nmsrs = 1;
	one.msrs.entries[0].index = index;
	one.msrs.entries[0].data = value;
	ret = hvm_set_msrs(vcpu, &one.msrs);
	if (ret < 0)
		return ret;
	return ret == 1 ? 0 : -EINVAL;
}

int hvm_get_tsc_khz(int vcpu)
{
	return call(vcpu, HVM_GET_TSC_KHZ, 0);
}

int hvm_set_tsc_khz(int vcpu, unsigned long khz)
{
	return call(vcpu, HVM_SET_TSC_KHZ, khz);
}

int hvm_interrupt(int vcpu, uint32_t vector)
{
	struct hvm_interrupt irq = { .irq = vector };

	return call_ptr(vcpu, HVM_INTERRUPT, &irq);
}

int hvm_nmi(int vcpu)
{
	return call(vcpu, HVM_NMI, 0);
}

int hvm_set_signal_mask(int vcpu, const void *mask, uint32_t len)
{
	/* The kernel takes its own sigset, 8 bytes, and no other length. */
	union {
		struct hvm_signal_mask arg;
		char room[sizeof(struct hvm_signal_mask) + 8];
	} one = { .room = { 0 } };

	if (!mask)
		return call_ptr(vcpu, HVM_SET_SIGNAL_MASK, NULL);
	one.arg.len = len;
	if (len <= sizeof(one) - sizeof(one.arg))
		memcpy(one.arg.sigset, mask, len);
	return call_ptr(vcpu, HVM_SET_SIGNAL_MASK, &one.arg);
}

int hvm_translate(int vcpu, struct hvm_translation *translation)
{
	return call_ptr(vcpu, HVM_TRANSLATE, translation);
}

int hvm_kvmclock_ctrl(int vcpu)
{
	return call(vcpu, HVM_KVMCLOCK_CTRL, 0);
}

/* ---- helpers that make no call ---- */

struct hvm_cpuid_entry2 *hvm_cpuid_find(struct hvm_cpuid2 *cpuid,
					uint32_t function, uint32_t index)
{
	uint32_t i;

	for (i = 0; i < cpuid->nent; i++) {
		struct hvm_cpuid_entry2 *e = &cpuid->entries[i];

		if (e->function == function &&
		    (!(e->flags & HVM_CPUID_FLAG_SIGNIFCANT_INDEX) ||
		     e->index == index))
			return e;
	}
	return NULL;
}

const char *hvm_exit_name(uint32_t reason)
{
	static const char * const names[] = {
		[HVM_EXIT_UNKNOWN] = "unknown",
		[HVM_EXIT_EXCEPTION] = "exception",
		[HVM_EXIT_IO] = "io",
		[HVM_EXIT_HYPERCALL] = "hypercall",
		[HVM_EXIT_DEBUG] = "debug",
		[HVM_EXIT_HLT] = "hlt",
		[HVM_EXIT_MMIO] = "mmio",
		[HVM_EXIT_IRQ_WINDOW_OPEN] = "irq_window_open",
		[HVM_EXIT_SHUTDOWN] = "shutdown",
		[HVM_EXIT_FAIL_ENTRY] = "fail_entry",
		[HVM_EXIT_INTR] = "intr",
		[HVM_EXIT_SET_TPR] = "set_tpr",
		[HVM_EXIT_TPR_ACCESS] = "tpr_access",
		[HVM_EXIT_NMI] = "nmi",
		[HVM_EXIT_INTERNAL_ERROR] = "internal_error",
		[HVM_EXIT_SYSTEM_EVENT] = "system_event",
		[HVM_EXIT_IOAPIC_EOI] = "ioapic_eoi",
		[HVM_EXIT_X86_RDMSR] = "x86_rdmsr",
		[HVM_EXIT_X86_WRMSR] = "x86_wrmsr",
		[HVM_EXIT_DIRTY_RING_FULL] = "dirty_ring_full",
	};

	if (reason >= sizeof(names) / sizeof(names[0]) || !names[reason])
		return "other";
	return names[reason];
}
