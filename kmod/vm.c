// SPDX-License-Identifier: GPL-2.0-only
/*
 * vm.c - the VM file descriptor: its ioctls, capabilities and lifetime
 *
 * A VM lives as long as anyone holds vm->users: the VM fd, each vCPU fd, each
 * stats fd (each of which also holds the module). Closing the VM fd ends what the outside world can push into the
 * VM (irqfds, ioeventfds); the last put frees it. vCPUs are created under
 * vm->lock, published by nr_vcpus and never removed before the VM dies, so
 * readers need no lock to walk them.
 *
 * A VM belongs to the process that created it: an ioctl from another address
 * space fails with -EIO, because slots are addresses in the creator's memory.
 */
#include <linux/anon_inodes.h>
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "hvm.h"

static atomic64_t next_vm_id = ATOMIC64_INIT(0);

void hvm_vm_get(struct hvm_vm *vm)
{
	refcount_inc(&vm->users);
}

static void vm_destroy(struct hvm_vm *vm)
{
	int i;

	hvm_stats_destroy_vm(vm);
	hvm_irqfd_release_all(vm);
	/* Before the vCPUs: the 8254's ticks wake them. */
	hvm_legacy_destroy(vm);
	/* Likewise: a notifier callback flushes their TLBs. */
	hvm_memslots_destroy(vm);
	for (i = 0; i < vm->nr_vcpus; i++)
		hvm_vcpu_free(vm->vcpus[i]);
	hvm_s2_destroy(vm);
	hvm_ioeventfd_release_all(vm);
	hvm_coalesced_destroy(vm);
	hvm_routing_destroy(vm);
	hvm_lapic_free_map(vm);
	hvm_msr_filter_free(vm);
	hvm_cpus_put();
	mmdrop(vm->mm);
	kvfree(vm);
}

void hvm_vm_put(struct hvm_vm *vm)
{
	if (refcount_dec_and_test(&vm->users))
		vm_destroy(vm);
}

static struct hvm_vm *vm_create(void)
{
	struct hvm_vm *vm;
	int r;

	vm = kvzalloc(sizeof(*vm), GFP_KERNEL_ACCOUNT);
	if (!vm)
		return ERR_PTR(-ENOMEM);
	refcount_set(&vm->users, 1);
	mutex_init(&vm->lock);
	mutex_init(&vm->irq_lock);
	spin_lock_init(&vm->clock_lock);
	spin_lock_init(&vm->ring_lock);
	INIT_LIST_HEAD(&vm->irqfds);
	INIT_LIST_HEAD(&vm->resamplers);
	vm->id = atomic64_inc_return(&next_vm_id);
	vm->mm = current->mm;
	mmgrab(vm->mm);

	r = hvm_cpus_get();
	if (r)
		goto err_free;
	r = hvm_s2_init(vm);
	if (r)
		goto err_cpus;
	r = hvm_routing_init(vm);
	if (r)
		goto err_s2;
	r = hvm_memslots_init(vm);
	if (r)
		goto err_routing;
	hvm_clock_init_vm(vm);
	hvm_stats_create_vm(vm);
	return vm;

err_routing:
	hvm_routing_destroy(vm);
err_s2:
	hvm_s2_destroy(vm);
err_cpus:
	hvm_cpus_put();
err_free:
	mmdrop(vm->mm);
	kvfree(vm);
	return ERR_PTR(r);
}

/* ---- ioctls ---- */

static long vm_create_vcpu(void *obj, void *arg, unsigned long id)
{
	struct hvm_vm *vm = obj;
	unsigned long max = vm->max_vcpu_id ?: HVM_MAX_VCPU_ID;
	int i;

	if (id >= max || vm->nr_vcpus >= HVM_MAX_VCPUS)
		return -EINVAL;
	for (i = 0; i < vm->nr_vcpus; i++)
		if (vm->vcpus[i]->id == id)
			return -EEXIST;
	return hvm_vcpu_create_fd(vm, id);
}

HVM_HANDLER(vm_set_memory, hvm_set_memory_region(obj, arg))
HVM_HANDLER(vm_get_dirty_log, hvm_get_dirty_log(obj, arg))
HVM_HANDLER(vm_clear_dirty_log, hvm_clear_dirty_log(obj, arg))

static long vm_reset_dirty_rings(void *obj, void *arg, unsigned long uarg)
{
	return hvm_reset_dirty_rings(obj);
}

/* Real mode runs on hardware here, so neither page is ever needed: remembered only. */
static long vm_set_tss_addr(void *obj, void *arg, unsigned long addr)
{
	struct hvm_vm *vm = obj;

	if (addr > (unsigned int)(-3 * PAGE_SIZE))
		return -EINVAL;
	vm->tss_addr = addr;
	return 0;
}

static long vm_set_identity_map_addr(void *obj, void *arg, unsigned long uarg)
{
	struct hvm_vm *vm = obj;

	if (vm->nr_vcpus)
		return -EINVAL;
	vm->identity_map_addr = *(u64 *)arg;
	return 0;
}

/* KVM's limit of shadow page tables, which nested paging does without there too. */
static long vm_set_mmu_pages(void *obj, void *arg, unsigned long n)
{
	struct hvm_vm *vm = obj;

	if ((u32)n < 64)
		return -EINVAL;
	vm->nr_mmu_pages = n;
	return 0;
}

static long vm_get_mmu_pages(void *obj, void *arg, unsigned long uarg)
{
	struct hvm_vm *vm = obj;

	return vm->nr_mmu_pages;
}

static long vm_set_boot_cpu(void *obj, void *arg, unsigned long id)
{
	struct hvm_vm *vm = obj;

	if (vm->nr_vcpus)
		return -EBUSY;
	vm->bsp_id = id;
	return 0;
}

static long vm_enable_split_irqchip(struct hvm_vm *vm, u64 pins)
{
	if (pins > HVM_MAX_GSI)
		return -EINVAL;
	if (vm->irqchip_kernel || vm->nr_vcpus)
		return -EEXIST;
	vm->nr_ioapic_pins = pins;
	vm->irqchip_split = true;
	/* Pairs with READ_ONCE() by readers without the lock. */
	smp_store_release(&vm->irqchip_kernel, true);
	return 0;
}

static long vm_enable_cap(void *obj, void *arg, unsigned long uarg)
{
	const u64 manual = HVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE | HVM_DIRTY_LOG_INITIALLY_SET;
	const struct hvm_enable_cap *cap = arg;
	struct hvm_vm *vm = obj;
	u64 val = cap->args[0];

	if (cap->flags)
		return -EINVAL;
	switch (cap->cap) {
	case HVM_CAP_SPLIT_IRQCHIP:
		return vm_enable_split_irqchip(vm, val);
	case HVM_CAP_X2APIC_API:
		if (val & ~(HVM_X2APIC_API_USE_32BIT_IDS | HVM_X2APIC_API_DISABLE_BROADCAST_QUIRK))
			return -EINVAL;
		if (val & HVM_X2APIC_API_USE_32BIT_IDS)
			vm->x2apic_ids = true;
		if (val & HVM_X2APIC_API_DISABLE_BROADCAST_QUIRK)
			vm->x2apic_no_broadcast_quirk = true;
		return 0;
	case HVM_CAP_X86_USER_SPACE_MSR:
		if (val & ~(u64)HVM_MSR_EXITS_VALID)
			return -EINVAL;
		vm->user_msr_exits = val;
		return 0;
	case HVM_CAP_MANUAL_DIRTY_LOG_PROTECT2:
		if (val & ~manual || (val & HVM_DIRTY_LOG_INITIALLY_SET &&
				      !(val & HVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE)))
			return -EINVAL;
		vm->manual_dirty = val;
		return 0;
	case HVM_CAP_DIRTY_LOG_RING:
	case HVM_CAP_DIRTY_LOG_RING_ACQ_REL:
		return hvm_dirty_ring_enable(vm, val);
	case HVM_CAP_HALT_POLL:
		if (val != (u32)val)
			return -EINVAL;
		WRITE_ONCE(vm->halt_poll_ns, val);
		return 0;
	case HVM_CAP_EXCEPTION_PAYLOAD:
		vm->exception_payload = val;
		return 0;
	case HVM_CAP_X86_TRIPLE_FAULT_EVENT:
		vm->triple_fault_event = val;
		return 0;
	case HVM_CAP_EXIT_ON_EMULATION_FAILURE:
		if (val & ~1ULL)
			return -EINVAL;
		vm->exit_on_emul_error = val;
		return 0;
	case HVM_CAP_MSR_PLATFORM_INFO:
		vm->hide_platform_info = !val;
		return 0;
	case HVM_CAP_DISABLE_QUIRKS2:
		if (val & ~(u64)HVM_QUIRKS_VALID)
			return -EINVAL;
		fallthrough;
	case HVM_CAP_DISABLE_QUIRKS:	/* the older one cannot ask which there are */
		vm->disabled_quirks = val;
		return 0;
	case HVM_CAP_X86_DISABLE_EXITS:
		if (val & ~hvm_check_extension(vm, cap->cap))
			return -EINVAL;
		if (vm->nr_vcpus)
			return -EINVAL;
		vm->disabled_exits |= val;
		return 0;
	case HVM_CAP_MAX_VCPU_ID:
		if (!val || val > HVM_MAX_VCPU_ID || vm->nr_vcpus)
			return -EINVAL;
		if (vm->max_vcpu_id && vm->max_vcpu_id != val)
			return -EINVAL;
		vm->max_vcpu_id = val;
		return 0;
	}
	return -EINVAL;
}

/* There is no kind of device to create: KVM's answer where it was built without one. */
HVM_HANDLER(vm_create_device, -ENODEV)

static long vm_get_tsc_khz(void *obj, void *arg, unsigned long uarg)
{
	struct hvm_vm *vm = obj;

	return vm->default_tsc_khz ?: tsc_khz;
}

HVM_HANDLER(vm_set_tsc_khz, hvm_set_vm_tsc_khz(obj, uarg))
HVM_HANDLER(vm_get_clock, hvm_clock_get(obj, arg))
HVM_HANDLER(vm_set_clock, hvm_clock_set(obj, arg))
HVM_HANDLER(vm_create_irqchip, hvm_create_irqchip(obj))
HVM_HANDLER(vm_get_irqchip, hvm_get_irqchip(obj, arg))
HVM_HANDLER(vm_set_irqchip, hvm_set_irqchip(obj, uarg))
HVM_HANDLER(vm_irq_line, hvm_irq_line(obj, arg, false))
HVM_HANDLER(vm_irq_line_status, hvm_irq_line(obj, arg, true))
HVM_HANDLER(vm_create_pit, hvm_create_pit(obj, HVM_PIT_SPEAKER_DUMMY))
HVM_HANDLER(vm_create_pit2, hvm_create_pit(obj, ((struct hvm_pit_config *)arg)->flags))
HVM_HANDLER(vm_get_pit, hvm_get_pit(obj, arg))
HVM_HANDLER(vm_set_pit, hvm_set_pit(obj, uarg))
HVM_HANDLER(vm_get_pit2, hvm_get_pit2(obj, arg))
HVM_HANDLER(vm_set_pit2, hvm_set_pit2(obj, arg))
HVM_HANDLER(vm_reinject_control, hvm_reinject_control(obj, uarg))
HVM_HANDLER(vm_signal_msi, hvm_signal_msi(obj, arg))
HVM_HANDLER(vm_set_routing, hvm_set_routing(obj, uarg))
HVM_HANDLER(vm_irqfd, hvm_irqfd_assign(obj, arg))
HVM_HANDLER(vm_ioeventfd, hvm_ioeventfd(obj, arg))
HVM_HANDLER(vm_coalesce, hvm_coalesced_zone(obj, arg, true))
HVM_HANDLER(vm_uncoalesce, hvm_coalesced_zone(obj, arg, false))
HVM_HANDLER(vm_set_msr_filter, hvm_set_msr_filter(obj, arg))
HVM_HANDLER(vm_check_extension, hvm_check_extension(obj, uarg))
HVM_HANDLER(vm_stats_fd, hvm_stats_fd(obj, NULL))

#define ROW(cmd, lock, fn)	{ cmd, _IOC_SIZE(cmd), HVM_LOCK_##lock, fn }
#define RAW(cmd, lock, fn)	{ cmd, 0, HVM_LOCK_##lock, fn }

static const struct hvm_ioctl vm_table[] = {
	ROW(HVM_SIGNAL_MSI, NONE, vm_signal_msi),
	ROW(HVM_IRQ_LINE, NONE, vm_irq_line),
	ROW(HVM_IRQ_LINE_STATUS, NONE, vm_irq_line_status),
	ROW(HVM_GET_DIRTY_LOG, VM, vm_get_dirty_log),
	ROW(HVM_CLEAR_DIRTY_LOG, VM, vm_clear_dirty_log),
	RAW(HVM_RESET_DIRTY_RINGS, VM, vm_reset_dirty_rings),
	ROW(HVM_SET_USER_MEMORY_REGION, VM, vm_set_memory),
	RAW(HVM_CREATE_VCPU, VM, vm_create_vcpu),
	ROW(HVM_IRQFD, NONE, vm_irqfd),
	ROW(HVM_IOEVENTFD, NONE, vm_ioeventfd),
	ROW(HVM_REGISTER_COALESCED_MMIO, NONE, vm_coalesce),
	ROW(HVM_UNREGISTER_COALESCED_MMIO, NONE, vm_uncoalesce),
	RAW(HVM_SET_GSI_ROUTING, NONE, vm_set_routing),
	RAW(HVM_CREATE_IRQCHIP, VM, vm_create_irqchip),
	ROW(HVM_GET_IRQCHIP, NONE, vm_get_irqchip),
	RAW(HVM_SET_IRQCHIP, NONE, vm_set_irqchip),
	RAW(HVM_CREATE_PIT, VM, vm_create_pit),
	ROW(HVM_CREATE_PIT2, VM, vm_create_pit2),
	ROW(HVM_GET_PIT, NONE, vm_get_pit),
	RAW(HVM_SET_PIT, NONE, vm_set_pit),
	ROW(HVM_GET_PIT2, NONE, vm_get_pit2),
	ROW(HVM_SET_PIT2, NONE, vm_set_pit2),
	RAW(HVM_REINJECT_CONTROL, NONE, vm_reinject_control),
	ROW(HVM_ENABLE_CAP, VM, vm_enable_cap),
	RAW(HVM_CHECK_EXTENSION, NONE, vm_check_extension),
	RAW(HVM_SET_TSS_ADDR, VM, vm_set_tss_addr),
	ROW(HVM_SET_IDENTITY_MAP_ADDR, VM, vm_set_identity_map_addr),
	RAW(HVM_SET_BOOT_CPU_ID, VM, vm_set_boot_cpu),
	RAW(HVM_SET_NR_MMU_PAGES, VM, vm_set_mmu_pages),
	RAW(HVM_GET_NR_MMU_PAGES, VM, vm_get_mmu_pages),
	ROW(HVM_GET_CLOCK, VM, vm_get_clock),
	ROW(HVM_SET_CLOCK, VM, vm_set_clock),
	ROW(HVM_X86_SET_MSR_FILTER, VM, vm_set_msr_filter),
	RAW(HVM_GET_STATS_FD, NONE, vm_stats_fd),
	RAW(HVM_GET_TSC_KHZ, VM, vm_get_tsc_khz),
	RAW(HVM_SET_TSC_KHZ, VM, vm_set_tsc_khz),
	ROW(HVM_CREATE_DEVICE, NONE, vm_create_device),
};

static long vm_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct hvm_vm *vm = file->private_data;

	if (vm->mm != current->mm)
		return -EIO;
	return hvm_ioctl_run(vm_table, ARRAY_SIZE(vm_table), cmd, arg, vm, &vm->lock, NULL);
}

static int vm_release(struct inode *inode, struct file *file)
{
	struct hvm_vm *vm = file->private_data;

	hvm_irqfd_release_all(vm);
	hvm_vm_put(vm);
	return 0;
}

static const struct file_operations vm_fops = {
	.owner		= THIS_MODULE,
	.release	= vm_release,
	.unlocked_ioctl	= vm_ioctl,
	.llseek		= noop_llseek,
};

/**
 * hvm_vm_create_fd - HVM_CREATE_VM
 * @type: machine type; x86 has only 0
 *
 * Return: a file descriptor, or -EINVAL (unknown type), -EBUSY (another
 * hypervisor holds the CPUs), -ENOMEM, -EMFILE.
 */
int hvm_vm_create_fd(unsigned long type)
{
	struct hvm_vm *vm;
	int fd;

	if (type)
		return -EINVAL;
	vm = vm_create();
	if (IS_ERR(vm))
		return PTR_ERR(vm);
	fd = anon_inode_getfd("hvm-vm", &vm_fops, vm, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		hvm_vm_put(vm);
	return fd;
}
