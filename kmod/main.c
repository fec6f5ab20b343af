// SPDX-License-Identifier: GPL-2.0-only
/*
 * main.c - the module, /dev/hvm, and the taking and giving back of CPUs
 *
 * The module does nothing to the processor until a VM exists. With the first
 * VM every online CPU is taken (backend->cpu_enable()), with the last one all
 * are given back as they were found, so another hypervisor can be loaded and
 * used whenever hvm has no VM. CPUs that come online, go offline, suspend or
 * reboot meanwhile pass through the callbacks at the end of this file.
 *
 * Locks: hvm_cpu_lock guards nr_vms and the "taken" state of all CPUs; the
 * per-CPU flag hvm_cpu_taken is only touched on its own CPU with interrupts
 * off. cpus_read_lock() is taken inside it, so that no CPU comes or goes
 * between the decision and the broadcast.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/preempt.h>
#include <linux/reboot.h>
#include <linux/slab.h>
#include <linux/syscore_ops.h>
#include <linux/uaccess.h>
#include "hvm.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

const struct hvm_backend *hvm_backend __ro_after_init;
struct dentry *hvm_debugfs;

static DEFINE_MUTEX(hvm_cpu_lock);
static int nr_vms;			/* hvm_cpu_lock */
static DEFINE_PER_CPU(bool, hvm_cpu_taken);
static bool rebooting;			/* set once, before the CPUs are given back for good */
static enum cpuhp_state hvm_cpuhp_state;

/* ---- ioctl tables ---- */

#define HVM_IOCTL_STACK	512		/* larger arguments are allocated */

static long ioctl_call(const struct hvm_ioctl *row, unsigned long uarg, void *buf,
		       void *obj, struct mutex *vm_lock, struct hvm_vcpu *vcpu)
{
	long r;

	if (row->lock == HVM_LOCK_VM) {
		if (mutex_lock_killable(vm_lock))
			return -EINTR;
		r = row->fn(obj, buf, uarg);
		mutex_unlock(vm_lock);
	} else if (row->lock == HVM_LOCK_VCPU) {
		if (mutex_lock_killable(&vcpu->mutex))
			return -EINTR;
		hvm_vcpu_load(vcpu);
		r = row->fn(obj, buf, uarg);
		hvm_vcpu_put(vcpu);
		mutex_unlock(&vcpu->mutex);
	} else {
		r = row->fn(obj, buf, uarg);
	}
	return r;
}

long hvm_ioctl_run(const struct hvm_ioctl *table, int n, unsigned int cmd, unsigned long uarg,
		   void *obj, struct mutex *vm_lock, struct hvm_vcpu *vcpu)
{
	const struct hvm_ioctl *row;
	u64 stack[HVM_IOCTL_STACK / sizeof(u64)];
	void *buf = NULL;
	long r = -EFAULT;

	for (row = table; row->cmd != cmd; row++)
		if (row == table + n - 1)	/* KVM's errno differs between the two */
			return vcpu ? -EINVAL : -ENOTTY;

	if (row->size) {
		buf = stack;
		if (row->size > sizeof(stack)) {
			buf = kmalloc(row->size, GFP_KERNEL_ACCOUNT);
			if (!buf)
				return -ENOMEM;
		}
		if (!(_IOC_DIR(cmd) & _IOC_WRITE))
			memset(buf, 0, row->size);
		else if (copy_from_user(buf, (void __user *)uarg, row->size))
			goto out;
	}
	r = ioctl_call(row, uarg, buf, obj, vm_lock, vcpu);
	if (r >= 0 && buf && (_IOC_DIR(cmd) & _IOC_READ) &&
	    copy_to_user((void __user *)uarg, buf, row->size))
		r = -EFAULT;
out:
	if (buf != stack)
		kfree(buf);
	return r;
}

/* ---- /dev/hvm ---- */

static long check_irqchip_cap(unsigned long cap)
{
	switch (cap) {
	case HVM_CAP_IRQ_ROUTING:
		return HVM_MAX_GSI;
	case HVM_CAP_X2APIC_API:
		return HVM_X2APIC_API_USE_32BIT_IDS | HVM_X2APIC_API_DISABLE_BROADCAST_QUIRK;
	case HVM_CAP_SPLIT_IRQCHIP:
	case HVM_CAP_IRQFD:
	case HVM_CAP_IRQFD_RESAMPLE:
	case HVM_CAP_IOEVENTFD:
	case HVM_CAP_IOEVENTFD_NO_LENGTH:
	case HVM_CAP_IOEVENTFD_ANY_LENGTH:
	case HVM_CAP_SIGNAL_MSI:
	case HVM_CAP_TSC_DEADLINE_TIMER:
	case HVM_CAP_SET_BOOT_CPU_ID:
	case HVM_CAP_IRQCHIP:
	case HVM_CAP_IRQ_INJECT_STATUS:
	case HVM_CAP_IOAPIC_POLARITY_IGNORED:
	case HVM_CAP_PIT:
	case HVM_CAP_PIT2:
	case HVM_CAP_PIT_STATE2:
	case HVM_CAP_REINJECT_CONTROL:
	case HVM_CAP_VAPIC:
	case HVM_CAP_COALESCED_PIO:
		return 1;
	case HVM_CAP_COALESCED_MMIO:
		return HVM_COALESCED_MMIO_PAGE_OFFSET;
	}
	return 0;
}

/* Waiting in the guest must not stop the timer that ends it, nor need IPIs to wake up. */
static bool mwait_in_guest(void)
{
	return boot_cpu_has(X86_FEATURE_MWAIT) && boot_cpu_has(X86_FEATURE_ARAT) &&
	       !boot_cpu_has_bug(X86_BUG_MONITOR);
}

/**
 * hvm_check_extension - HVM_CHECK_EXTENSION
 * @vm: the VM asked, NULL on /dev/hvm
 * @cap: HVM_CAP_*
 *
 * Return: what the capability is worth, 0 when hvm does not have it.
 */
long hvm_check_extension(struct hvm_vm *vm, unsigned long cap)
{
	switch (cap) {
	case HVM_CAP_USER_MEMORY:
	case HVM_CAP_SYNC_MMU:
	case HVM_CAP_DESTROY_MEMORY_REGION_WORKS:
	case HVM_CAP_JOIN_MEMORY_REGIONS_WORKS:
	case HVM_CAP_READONLY_MEM:
	case HVM_CAP_MULTI_ADDRESS_SPACE:
	case HVM_CAP_EXT_CPUID:
	case HVM_CAP_EXT_EMUL_CPUID:
	case HVM_CAP_HLT:
	case HVM_CAP_SET_TSS_ADDR:
	case HVM_CAP_SET_IDENTITY_MAP_ADDR:
	case HVM_CAP_NOP_IO_DELAY:
	case HVM_CAP_CLOCKSOURCE:
	case HVM_CAP_MP_STATE:
	case HVM_CAP_USER_NMI:
	case HVM_CAP_SET_GUEST_DEBUG:
	case HVM_CAP_X86_ROBUST_SINGLESTEP:
	case HVM_CAP_INTERNAL_ERROR_DATA:
	case HVM_CAP_VCPU_EVENTS:
	case HVM_CAP_INTR_SHADOW:
	case HVM_CAP_DEBUGREGS:
	case HVM_CAP_ENABLE_CAP:
	case HVM_CAP_ENABLE_CAP_VM:
	case HVM_CAP_CHECK_EXTENSION_VM:
	case HVM_CAP_XSAVE:
	case HVM_CAP_XCRS:
	case HVM_CAP_GET_TSC_KHZ:
	case HVM_CAP_KVMCLOCK_CTRL:
	case HVM_CAP_IMMEDIATE_EXIT:
	case HVM_CAP_GET_MSR_FEATURES:
	case HVM_CAP_MSR_PLATFORM_INFO:
	case HVM_CAP_EXCEPTION_PAYLOAD:
	case HVM_CAP_LAST_CPU:
	case HVM_CAP_STEAL_TIME:
	case HVM_CAP_X86_MSR_FILTER:
	case HVM_CAP_SREGS2:
	case HVM_CAP_EXIT_ON_EMULATION_FAILURE:
	case HVM_CAP_X86_TRIPLE_FAULT_EVENT:
	case HVM_CAP_SYSTEM_EVENT_DATA:
	case HVM_CAP_HVM_BASE:
	case HVM_CAP_BINARY_STATS_FD:
	case HVM_CAP_VCPU_ATTRIBUTES:
	case HVM_CAP_SYS_ATTRIBUTES:
	case HVM_CAP_ENFORCE_PV_FEATURE_CPUID:
	case HVM_CAP_DISABLE_QUIRKS:
	case HVM_CAP_HALT_POLL:
		return 1;
	case HVM_CAP_DISABLE_QUIRKS2:
		return HVM_QUIRKS_VALID;
	case HVM_CAP_DIRTY_LOG_RING:
	case HVM_CAP_DIRTY_LOG_RING_ACQ_REL:
		return HVM_DIRTY_RING_MAX;
	case HVM_CAP_MCE:
		return HVM_MCE_BANKS;
	case HVM_CAP_NR_MEMSLOTS:
		return HVM_MAX_SLOTS;
	case HVM_CAP_NR_VCPUS:
		return min_t(u32, num_online_cpus(), HVM_MAX_VCPUS);
	case HVM_CAP_MAX_VCPUS:
		return HVM_MAX_VCPUS;
	case HVM_CAP_MAX_VCPU_ID:
		return vm && vm->max_vcpu_id ? vm->max_vcpu_id : HVM_MAX_VCPU_ID;
	case HVM_CAP_TSC_CONTROL:
	case HVM_CAP_VM_TSC_CONTROL:
		return hvm_backend->has_tsc_scaling;
	case HVM_CAP_SYNC_REGS:
		return HVM_SYNC_X86_VALID_FIELDS;
	case HVM_CAP_ADJUST_CLOCK:
		return HVM_CLOCK_TSC_STABLE | HVM_CLOCK_REALTIME | HVM_CLOCK_HOST_TSC;
	case HVM_CAP_XSAVE2:
		return hvm_xsave_size();
	case HVM_CAP_MANUAL_DIRTY_LOG_PROTECT2:
		return HVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE | HVM_DIRTY_LOG_INITIALLY_SET;
	case HVM_CAP_X86_USER_SPACE_MSR:
		return HVM_MSR_EXITS_VALID;
	case HVM_CAP_SET_GUEST_DEBUG2:
		return HVM_GUESTDBG_VALID;
	case HVM_CAP_X86_DISABLE_EXITS:
		return HVM_X86_DISABLE_EXITS_HLT | HVM_X86_DISABLE_EXITS_PAUSE |
		       HVM_X86_DISABLE_EXITS_CSTATE |
		       (mwait_in_guest() ? HVM_X86_DISABLE_EXITS_MWAIT : 0);
	}
	return check_irqchip_cap(cap);
}

static long dev_attr(unsigned long arg, bool get)
{
	struct hvm_device_attr a;

	if (copy_from_user(&a, (void __user *)arg, sizeof(a)))
		return -EFAULT;
	if (a.group || a.attr != HVM_X86_XCOMP_GUEST_SUPP)
		return -ENXIO;
	return get ? put_user(hvm_xfeatures, (u64 __user *)(unsigned long)a.addr) : 0;
}

static long dev_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	switch (cmd) {
	case HVM_GET_API_VERSION:
		return arg ? -EINVAL : HVM_API_VERSION;
	case HVM_CREATE_VM:
		return hvm_vm_create_fd(arg);
	case HVM_CHECK_EXTENSION:
		return hvm_check_extension(NULL, arg);
	case HVM_GET_VCPU_MMAP_SIZE:
		return arg ? -EINVAL : 3 * PAGE_SIZE;	/* struct hvm_run, PIO data, ring */
	case HVM_GET_SUPPORTED_CPUID:
	case HVM_GET_EMULATED_CPUID:
		return hvm_cpuid_supported(arg, cmd == HVM_GET_EMULATED_CPUID);
	case HVM_GET_MSR_INDEX_LIST:
	case HVM_GET_MSR_FEATURE_INDEX_LIST:
		return hvm_msr_index_list(arg, cmd == HVM_GET_MSR_FEATURE_INDEX_LIST);
	case HVM_GET_MSRS:
		return hvm_msr_io(NULL, arg, false);
	case HVM_X86_GET_MCE_CAP_SUPPORTED:
		return put_user((u64)HVM_MCG_CAPS, (u64 __user *)arg);
	case HVM_HAS_DEVICE_ATTR:
	case HVM_GET_DEVICE_ATTR:
		return dev_attr(arg, cmd == HVM_GET_DEVICE_ATTR);
	}
	return -EINVAL;
}

static const struct file_operations dev_fops = {
	.owner		= THIS_MODULE,
	.unlocked_ioctl	= dev_ioctl,
	.llseek		= noop_llseek,
};

static struct miscdevice hvm_dev = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "hvm",
	.fops	= &dev_fops,
	.mode	= 0660,
};

/* ---- CPUs ---- */

static void cpu_take(void *failed)
{
	if (__this_cpu_read(hvm_cpu_taken))
		return;
	if (READ_ONCE(rebooting) || hvm_backend->cpu_enable())
		atomic_inc(failed);
	else
		__this_cpu_write(hvm_cpu_taken, true);
}

static void cpu_give_back(void *unused)
{
	if (!__this_cpu_read(hvm_cpu_taken))
		return;
	hvm_backend->cpu_disable();
	__this_cpu_write(hvm_cpu_taken, false);
}

int hvm_cpus_get(void)
{
	atomic_t failed = ATOMIC_INIT(0);
	int r = 0;

	mutex_lock(&hvm_cpu_lock);
	if (nr_vms >= HVM_MAX_VMS) {
		r = -ENOMEM;
	} else if (nr_vms++ == 0) {
		cpus_read_lock();
		on_each_cpu(cpu_take, &failed, 1);
		if (atomic_read(&failed)) {
			on_each_cpu(cpu_give_back, NULL, 1);
			nr_vms--;
			r = -EBUSY;
		}
		cpus_read_unlock();
	}
	mutex_unlock(&hvm_cpu_lock);
	return r;
}

void hvm_cpus_put(void)
{
	mutex_lock(&hvm_cpu_lock);
	if (--nr_vms == 0) {
		cpus_read_lock();
		on_each_cpu(cpu_give_back, NULL, 1);
		cpus_read_unlock();
	}
	mutex_unlock(&hvm_cpu_lock);
}

/* Runs on the CPU that came online; failing keeps it offline, as no vCPU may run there. */
static int cpu_online_cb(unsigned int cpu)
{
	atomic_t failed = ATOMIC_INIT(0);
	unsigned long flags;

	/*
	 * hvm_cpus_get() and _put() hold cpus_read_lock(), so nr_vms cannot
	 * cross 0 while a CPU is on its way in or out.
	 */
	if (READ_ONCE(nr_vms)) {
		local_irq_save(flags);
		cpu_take(&failed);
		local_irq_restore(flags);
	}
	return atomic_read(&failed) ? -EBUSY : 0;
}

static int cpu_offline_cb(unsigned int cpu)
{
	unsigned long flags;

	local_irq_save(flags);
	cpu_give_back(NULL);
	local_irq_restore(flags);
	return 0;
}

/* Suspend and resume of the boot CPU; the others went through hotplug. Interrupts are off. */
static int hvm_suspend(HVM_SYSCORE_ARGS)
{
	cpu_give_back(NULL);
	return 0;
}

static void hvm_resume(HVM_SYSCORE_ARGS)
{
	atomic_t failed = ATOMIC_INIT(0);

	if (nr_vms)
		cpu_take(&failed);
	hvm_clock_resumed();
}

HVM_SYSCORE(hvm_syscore, hvm_suspend, hvm_resume, NULL);

/*
 * Reboot and kexec: the next kernel wants the CPUs as firmware left them. A VM
 * that still runs finds its entry instruction faulting, which the backends
 * turn into a failed entry.
 */
static int reboot_cb(struct notifier_block *nb, unsigned long val, void *v)
{
	/* A VM created from now on would take them again. */
	WRITE_ONCE(rebooting, true);
	on_each_cpu(cpu_give_back, NULL, 1);
	return NOTIFY_OK;
}

static struct notifier_block reboot_nb = { .notifier_call = reboot_cb };

/* ---- load and unload ---- */

static int __init choose_backend(void)
{
	const struct hvm_backend *b;
	const char *why = NULL;
	int r;

	switch (boot_cpu_data.x86_vendor) {
	case X86_VENDOR_AMD:
	case X86_VENDOR_HYGON:
		b = &hvm_svm_backend;
		break;
	case X86_VENDOR_INTEL:
	case X86_VENDOR_CENTAUR:
	case X86_VENDOR_ZHAOXIN:
		b = &hvm_vmx_backend;
		break;
	default:
		pr_err("refused: this CPU's vendor has neither AMD-V nor VT-x\n");
		return -ENODEV;
	}
	r = b->setup(&why);
	if (r) {
		pr_err("refused: %s\n", why ?: "the backend failed to start");
		return r;
	}
	hvm_backend = b;
	return 0;
}

static int __init hvm_init(void)
{
	int r;

	r = hvm_fpu_init();
	if (r)
		return r;
	hvm_cpuid_init();
	r = choose_backend();
	if (r)
		goto err_fpu;
	r = hvm_irqfd_init();
	if (r)
		goto err_backend;
	r = cpuhp_setup_state_nocalls(CPUHP_AP_ONLINE_DYN, "hvm:online",
				      cpu_online_cb, cpu_offline_cb);
	if (r < 0)
		goto err_irqfd;
	hvm_cpuhp_state = r;
	hvm_register_syscore(&hvm_syscore);
	register_reboot_notifier(&reboot_nb);
	preempt_notifier_inc();
	hvm_debugfs = debugfs_create_dir("hvm", NULL);
	r = misc_register(&hvm_dev);
	if (r)
		goto err_all;
	pr_info("ready: %s\n", hvm_backend->name);
	return 0;

err_all:
	debugfs_remove(hvm_debugfs);
	preempt_notifier_dec();
	unregister_reboot_notifier(&reboot_nb);
	hvm_unregister_syscore(&hvm_syscore);
	cpuhp_remove_state_nocalls(hvm_cpuhp_state);
err_irqfd:
	hvm_irqfd_exit();
err_backend:
	hvm_backend->teardown();
err_fpu:
	hvm_fpu_exit();
	return r;
}

static void __exit hvm_exit(void)
{
	misc_deregister(&hvm_dev);
	debugfs_remove(hvm_debugfs);
	preempt_notifier_dec();
	unregister_reboot_notifier(&reboot_nb);
	hvm_unregister_syscore(&hvm_syscore);
	cpuhp_remove_state_nocalls(hvm_cpuhp_state);
	hvm_irqfd_exit();
	hvm_memslots_exit();
	hvm_backend->teardown();
	hvm_fpu_exit();
}

module_init(hvm_init);
module_exit(hvm_exit);
MODULE_DESCRIPTION("hvm: a hypervisor as one small module (AMD-V, VT-x)");
MODULE_AUTHOR("The hvm developers");
MODULE_LICENSE("GPL");
MODULE_VERSION("0.1.0");
