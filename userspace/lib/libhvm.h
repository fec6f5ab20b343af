/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * libhvm: the calls of /dev/hvm as C functions.
 *
 * One function per call, in the order of <linux/hvm.h>: the system's, a VM's,
 * a vCPU's. The library holds no state: a device, a VM and a vCPU are file
 * descriptors that the caller owns and closes with close(2), and any of them
 * may be handed to ioctl(2) as well.
 *
 * Every function returns 0, or a value that is not negative where its
 * description says so, or -errno. None of them prints, exits, or changes a
 * signal's disposition. They may be called from any thread; what the kernel
 * asks of a call (a vCPU's calls belong to one thread at a time) stands.
 *
 * Where a call fills a list whose length is not known beforehand, the library
 * allocates it, asks again while the kernel answers E2BIG, and the caller
 * releases it with free(3).
 */
#ifndef LIBHVM_H
#define LIBHVM_H

#include <stddef.h>
#include <stdint.h>

#include <linux/hvm.h>

#ifdef __cplusplus
extern "C" {
#endif

/** HVM_DEVICE_DEFAULT - the device opened when nothing else is asked for */
#define HVM_DEVICE_DEFAULT "/dev/hvm"
/** HVM_DEVICE_ENV - the environment variable that names another device */
#define HVM_DEVICE_ENV "HVM_DEVICE"

/**
 * struct hvm_vcpu_fd - a vCPU and its shared page, as hvm_vcpu_open() made it
 * @fd: the vCPU's file descriptor
 * @run: the shared struct hvm_run; PIO data lies at its io.data_offset
 * @run_size: bytes mapped at @run
 */
struct hvm_vcpu_fd {
	int fd;
	struct hvm_run *run;
	size_t run_size;
};

/* ---- the system ---- */

/**
 * hvm_device_path() - which device is meant
 * @path: a path, or NULL
 *
 * Return: @path; if that is NULL, what HVM_DEVICE names; else /dev/hvm.
 */
const char *hvm_device_path(const char *path);

/**
 * hvm_open() - open the device and make sure that it speaks API version 12
 * @path: as for hvm_device_path()
 *
 * Return: a file descriptor (close-on-exec); -EPROTO if the device answers
 * with another version; what open(2) and ioctl(2) fail with (-ENOTTY: not a
 * hypervisor's device).
 */
int hvm_open(const char *path);

/** hvm_api_version() - the API version that @dev speaks, or -errno */
int hvm_api_version(int dev);

/**
 * hvm_check_extension() - what the kernel answers for a capability
 * @fd: the device or a VM
 * @cap: HVM_CAP_*
 *
 * Return: 0 for no; a positive number, whose meaning is the capability's.
 */
int hvm_check_extension(int fd, long cap);

/** hvm_vcpu_mmap_size() - bytes to map of a vCPU's file descriptor */
int hvm_vcpu_mmap_size(int dev);

/** hvm_get_supported_cpuid() - the CPUID leaves that a guest may be given */
int hvm_get_supported_cpuid(int dev, struct hvm_cpuid2 **cpuid);
/** hvm_get_emulated_cpuid() - the leaves the kernel emulates if asked to */
int hvm_get_emulated_cpuid(int dev, struct hvm_cpuid2 **cpuid);
/** hvm_get_msr_index_list() - the MSRs that make up a vCPU's state */
int hvm_get_msr_index_list(int dev, struct hvm_msr_list **list);
/** hvm_get_msr_feature_index_list() - the MSRs that describe features */
int hvm_get_msr_feature_index_list(int dev, struct hvm_msr_list **list);

/**
 * hvm_create_vm() - make an empty VM
 * @dev: the device
 * @type: 0
 *
 * Return: the VM's file descriptor.
 */
int hvm_create_vm(int dev, unsigned long type);

/* ---- a VM ---- */

/**
 * hvm_set_memory_region() - create, change, move or delete a memory slot
 * @vm: the VM
 * @region: as the kernel takes it
 */
int hvm_set_memory_region(int vm,
			  const struct hvm_userspace_memory_region *region);

/**
 * hvm_map_memory() - hvm_set_memory_region() with its fields as arguments
 * @vm: the VM
 * @slot: the slot's number
 * @flags: HVM_MEM_*
 * @gpa: the guest-physical address
 * @size: bytes; 0 deletes the slot
 * @host: the memory behind it
 */
int hvm_map_memory(int vm, uint32_t slot, uint32_t flags, uint64_t gpa,
		   uint64_t size, void *host);

/** hvm_get_dirty_log() - read and reset a slot's dirty bits, one per page */
int hvm_get_dirty_log(int vm, uint32_t slot, void *bitmap);
/** hvm_clear_dirty_log() - protect the pages of a bitmap again */
int hvm_clear_dirty_log(int vm, uint32_t slot, uint64_t first_page,
			uint32_t num_pages, void *bitmap);

/**
 * hvm_enable_cap() - turn a capability on
 * @fd: the VM or vCPU
 * @cap: HVM_CAP_*
 * @arg0: the capability's first argument; the others and the flags are 0
 */
int hvm_enable_cap(int fd, uint32_t cap, uint64_t arg0);
/** hvm_enable_cap_args() - the same with the whole structure */
int hvm_enable_cap_args(int fd, const struct hvm_enable_cap *cap);

/** hvm_create_irqchip() - PIC, IOAPIC and local APICs in the kernel */
int hvm_create_irqchip(int vm);
/** hvm_create_pit2() - the i8254 in the kernel; @flags: HVM_PIT_* */
int hvm_create_pit2(int vm, uint32_t flags);
/** hvm_get_irqchip() - read one of the chips of hvm_create_irqchip() */
int hvm_get_irqchip(int vm, struct hvm_irqchip *chip);
/** hvm_set_irqchip() - write one of the chips of hvm_create_irqchip() */
int hvm_set_irqchip(int vm, const struct hvm_irqchip *chip);
/** hvm_irq_line() - set the level of a line of the in-kernel chips */
int hvm_irq_line(int vm, uint32_t irq, int level);

/**
 * hvm_split_irqchip() - local APICs in the kernel, PIC and IOAPIC in userspace
 * @vm: the VM, before it has vCPUs
 * @pins: routes that are kept for the pins of userspace's IOAPIC
 */
int hvm_split_irqchip(int vm, unsigned int pins);

/**
 * hvm_signal_msi() - deliver a message-signalled interrupt
 * @vm: the VM
 * @address: the message's address, 64 bits
 * @data: the message's data
 *
 * Return: how many vCPUs took it: 0 if the guest blocked it.
 */
int hvm_signal_msi(int vm, uint64_t address, uint32_t data);

/** hvm_set_gsi_routing() - replace the whole routing table */
int hvm_set_gsi_routing(int vm, const struct hvm_irq_routing *routing);

/**
 * hvm_irqfd() - let an eventfd raise an interrupt
 * @vm: the VM
 * @eventfd: the eventfd
 * @gsi: the route
 * @flags: HVM_IRQFD_FLAG_DEASSIGN, HVM_IRQFD_FLAG_RESAMPLE
 * @resamplefd: signalled at the end of interrupt, with ..._RESAMPLE
 */
int hvm_irqfd(int vm, int eventfd, uint32_t gsi, uint32_t flags,
	      int resamplefd);

/**
 * hvm_ioeventfd() - let a guest's write signal an eventfd
 * @vm: the VM
 * @eventfd: the eventfd
 * @addr: the port or guest-physical address
 * @len: 0 (any), 1, 2, 4 or 8
 * @flags: HVM_IOEVENTFD_FLAG_*
 * @datamatch: the value, with HVM_IOEVENTFD_FLAG_DATAMATCH
 */
int hvm_ioeventfd(int vm, int eventfd, uint64_t addr, uint32_t len,
		  uint32_t flags, uint64_t datamatch);

/** hvm_set_tss_addr() - three pages the kernel may use; below 4 GiB */
int hvm_set_tss_addr(int vm, unsigned long gpa);
/** hvm_set_identity_map_addr() - one page the kernel may use; below 4 GiB */
int hvm_set_identity_map_addr(int vm, uint64_t gpa);
/** hvm_set_boot_cpu_id() - which vCPU starts; before any vCPU is made */
int hvm_set_boot_cpu_id(int vm, unsigned long id);
/** hvm_get_clock() - read the VM's paravirtual clock */
int hvm_get_clock(int vm, struct hvm_clock_data *clock);
/** hvm_set_clock() - set the VM's paravirtual clock */
int hvm_set_clock(int vm, const struct hvm_clock_data *clock);
/** hvm_get_stats_fd() - a VM's or vCPU's binary statistics; returns an fd */
int hvm_get_stats_fd(int fd);

/**
 * hvm_create_vcpu() - add a vCPU
 * @vm: the VM
 * @id: its number, which is also its APIC ID
 *
 * Return: the vCPU's file descriptor.
 */
int hvm_create_vcpu(int vm, unsigned long id);

/* ---- a vCPU ---- */

/**
 * hvm_vcpu_open() - hvm_create_vcpu(), and map its struct hvm_run
 * @dev: the device @vm was made with
 * @vm: the VM
 * @id: the vCPU's number
 * @vcpu: filled in
 */
int hvm_vcpu_open(int dev, int vm, unsigned long id, struct hvm_vcpu_fd *vcpu);
/** hvm_vcpu_close() - undo hvm_vcpu_open(); harmless when done twice */
void hvm_vcpu_close(struct hvm_vcpu_fd *vcpu);

/**
 * hvm_vcpu_run() - run the guest until it needs userspace
 * @vcpu: the vCPU
 *
 * Return: 0 with hvm_run.exit_reason set; -EINTR for a signal or
 * immediate_exit; -EAGAIN where the vCPU was not yet started.
 */
int hvm_vcpu_run(int vcpu);

int hvm_get_regs(int vcpu, struct hvm_regs *regs);
int hvm_set_regs(int vcpu, const struct hvm_regs *regs);
int hvm_get_sregs(int vcpu, struct hvm_sregs *sregs);
int hvm_set_sregs(int vcpu, const struct hvm_sregs *sregs);
int hvm_get_sregs2(int vcpu, struct hvm_sregs2 *sregs);
int hvm_set_sregs2(int vcpu, const struct hvm_sregs2 *sregs);
int hvm_get_fpu(int vcpu, struct hvm_fpu *fpu);
int hvm_set_fpu(int vcpu, const struct hvm_fpu *fpu);
int hvm_get_xsave(int vcpu, struct hvm_xsave *xsave);
int hvm_set_xsave(int vcpu, const struct hvm_xsave *xsave);
/** hvm_get_xsave2() - @xsave holds what HVM_CAP_XSAVE2 answers for the VM */
int hvm_get_xsave2(int vcpu, struct hvm_xsave *xsave);
int hvm_get_xcrs(int vcpu, struct hvm_xcrs *xcrs);
int hvm_set_xcrs(int vcpu, const struct hvm_xcrs *xcrs);
int hvm_get_debugregs(int vcpu, struct hvm_debugregs *regs);
int hvm_set_debugregs(int vcpu, const struct hvm_debugregs *regs);
int hvm_get_lapic(int vcpu, struct hvm_lapic_state *lapic);
int hvm_set_lapic(int vcpu, const struct hvm_lapic_state *lapic);
int hvm_get_mp_state(int vcpu, uint32_t *state);
int hvm_set_mp_state(int vcpu, uint32_t state);
int hvm_get_vcpu_events(int vcpu, struct hvm_vcpu_events *events);
int hvm_set_vcpu_events(int vcpu, const struct hvm_vcpu_events *events);

/** hvm_set_cpuid2() - give the vCPU its CPUID; before it first runs */
int hvm_set_cpuid2(int vcpu, const struct hvm_cpuid2 *cpuid);
/** hvm_get_cpuid2() - @cpuid->nent says how many entries there is room for */
int hvm_get_cpuid2(int vcpu, struct hvm_cpuid2 *cpuid);

/**
 * hvm_get_msrs() - read MSRs; of the device: feature MSRs
 * @fd: a vCPU, or the device
 * @msrs: the indices; the values are filled in
 *
 * Return: how many were read: fewer than @msrs->nmsrs if one is unknown.
 */
int hvm_get_msrs(int fd, struct hvm_msrs *msrs);
/** hvm_set_msrs() - write MSRs; returns how many, as hvm_get_msrs() does */
int hvm_set_msrs(int vcpu, const struct hvm_msrs *msrs);
/** hvm_get_msr() - read one MSR; -EINVAL if it is unknown */
int hvm_get_msr(int fd, uint32_t index, uint64_t *value);
/** hvm_set_msr() - write one MSR; -EINVAL if it does not take the value */
int hvm_set_msr(int vcpu, uint32_t index, uint64_t value);

/** hvm_get_tsc_khz() - the vCPU's TSC frequency in kHz, or -errno */
int hvm_get_tsc_khz(int vcpu);
int hvm_set_tsc_khz(int vcpu, unsigned long khz);
/** hvm_interrupt() - inject an external interrupt (no in-kernel chips) */
int hvm_interrupt(int vcpu, uint32_t vector);
int hvm_nmi(int vcpu);
/** hvm_set_signal_mask() - the mask during RUN; @mask NULL: as outside */
int hvm_set_signal_mask(int vcpu, const void *mask, uint32_t len);
int hvm_translate(int vcpu, struct hvm_translation *translation);
int hvm_set_guest_debug(int vcpu, const struct hvm_guest_debug *debug);
/** hvm_kvmclock_ctrl() - tell the guest that it was paused */
int hvm_kvmclock_ctrl(int vcpu);

/* ---- helpers that make no call ---- */

/**
 * hvm_cpuid_find() - an entry of a CPUID table
 * @cpuid: the table
 * @function: the leaf
 * @index: the sub-leaf; ignored for entries that have none
 *
 * Return: the entry, or NULL.
 */
struct hvm_cpuid_entry2 *hvm_cpuid_find(struct hvm_cpuid2 *cpuid,
					uint32_t function, uint32_t index);

/** hvm_exit_name() - an exit reason's name in lower case; never NULL */
const char *hvm_exit_name(uint32_t reason);

#ifdef __cplusplus
}
#endif

#endif /* LIBHVM_H */
