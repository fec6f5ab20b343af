// SPDX-License-Identifier: GPL-2.0-only
/*
 * stats.c - counters: files in debugfs and the binary statistics fd
 *
 * The counters are plain u64 in struct hvm_vcpu that only the vCPU's thread
 * writes; readers may see one a moment old. A VM's value is the sum over its
 * vCPUs, formed when read, so counting costs one increment and nothing else.
 *
 *	/sys/kernel/debug/hvm/PID-ID/stats	the VM's sums, "name value" lines
 *	/sys/kernel/debug/hvm/PID-ID/vcpuN	one vCPU's
 *
 * No locks: vCPUs are never removed before the VM, and debugfs waits for its
 * readers before hvm_stats_destroy_vm() returns. A stats fd holds the VM.
 */
#include <linux/anon_inodes.h>
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "hvm.h"

#define NAME_SIZE	32

static const char names[HVM_NR_STATS][NAME_SIZE] = {
	[HVM_STAT_EXITS]		= "exits",
	[HVM_STAT_IO_EXITS]		= "io_exits",
	[HVM_STAT_MMIO_EXITS]		= "mmio_exits",
	[HVM_STAT_HALT_EXITS]		= "halt_exits",
	[HVM_STAT_SIGNAL_EXITS]		= "signal_exits",
	[HVM_STAT_IRQ_EXITS]		= "irq_exits",
	[HVM_STAT_IRQ_WINDOW]		= "irq_window_exits",
	[HVM_STAT_NMI_WINDOW]		= "nmi_window_exits",
	[HVM_STAT_PF_TAKEN]		= "pf_taken",
	[HVM_STAT_CPUID]		= "cpuid_exits",
	[HVM_STAT_MSR_READ]		= "msr_read_exits",
	[HVM_STAT_MSR_WRITE]		= "msr_write_exits",
	[HVM_STAT_HYPERCALLS]		= "hypercalls",
	[HVM_STAT_INSN_EMULATION]	= "insn_emulation",
	[HVM_STAT_REQUEST_IRQ_EXITS]	= "request_irq_exits",
	[HVM_STAT_IRQ_INJECTIONS]	= "irq_injections",
	[HVM_STAT_NMI_INJECTIONS]	= "nmi_injections",
	[HVM_STAT_TLB_FLUSH]		= "tlb_flush",
	[HVM_STAT_HALT_WAKEUP]		= "halt_wakeup",
	[HVM_STAT_PREEMPTED]		= "preemption_reported",
	[HVM_STAT_IOEVENTFD]		= "ioeventfd_hits",
	[HVM_STAT_APIC_ACCESS]		= "apic_accesses",
};

static u64 vm_sum(struct hvm_vm *vm, int stat)
{
	struct hvm_vcpu *vcpu;
	u64 sum = 0;
	int i;

	hvm_for_each_vcpu(i, vcpu, vm)
		sum += READ_ONCE(vcpu->stat[stat]);
	return sum;
}

/* ---- debugfs ---- */

static int vm_stats_show(struct seq_file *m, void *v)
{
	struct hvm_vm *vm = m->private;
	int i;

	for (i = 0; i < HVM_NR_STATS; i++)
		seq_printf(m, "%s %llu\n", names[i], vm_sum(vm, i));
	seq_printf(m, "stage2_tables %ld\n", atomic_long_read(&vm->s2.tables));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(vm_stats);

static int vcpu_stats_show(struct seq_file *m, void *v)
{
	struct hvm_vcpu *vcpu = m->private;
	int i;

	for (i = 0; i < HVM_NR_STATS; i++)
		seq_printf(m, "%s %llu\n", names[i], READ_ONCE(vcpu->stat[i]));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(vcpu_stats);

void hvm_stats_create_vm(struct hvm_vm *vm)
{
	char name[40];

	snprintf(name, sizeof(name), "%d-%llu", task_tgid_nr(current), vm->id);
	vm->debugfs = debugfs_create_dir(name, hvm_debugfs);
	debugfs_create_file("stats", 0400, vm->debugfs, vm, &vm_stats_fops);
}

void hvm_stats_create_vcpu(struct hvm_vcpu *vcpu)
{
	char name[16];

	snprintf(name, sizeof(name), "vcpu%u", vcpu->id);
	debugfs_create_file(name, 0400, vcpu->vm->debugfs, vcpu, &vcpu_stats_fops);
}

void hvm_stats_destroy_vm(struct hvm_vm *vm)
{
	debugfs_remove(vm->debugfs);
	vm->debugfs = NULL;
}

/* ---- HVM_GET_STATS_FD ---- */

/*
 * What a read of the fd sees, in one piece: header, id string, descriptors,
 * values. Only the values change.
 */
struct stats_image {
	struct hvm_stats_header header;
	char id[NAME_SIZE];
	struct {
		struct hvm_stats_desc desc;
		char name[NAME_SIZE];
	} desc[HVM_NR_STATS];
	u64 data[HVM_NR_STATS];
};
static_assert(offsetof(struct stats_image, desc[0].name) ==
	      offsetof(struct stats_image, desc[0].desc.name));

struct stats_file {
	struct hvm_vm *vm;
	struct hvm_vcpu *vcpu;		/* NULL: what only the VM as a whole has */
};

static void add_value(struct stats_image *im, u32 type, const char *name, u64 value)
{
	int i = im->header.num_desc++;

	im->desc[i].desc.flags = type | HVM_STATS_UNIT_NONE | HVM_STATS_BASE_POW10;
	im->desc[i].desc.size = 1;
	im->desc[i].desc.offset = i * sizeof(u64);
	strscpy(im->desc[i].name, name, NAME_SIZE);
	im->data[i] = value;
}

static struct stats_image *make_image(const struct stats_file *f)
{
	struct stats_image *im = kzalloc(sizeof(*im), GFP_KERNEL_ACCOUNT);
	int i;

	if (!im)
		return NULL;
	im->header.name_size = NAME_SIZE;
	im->header.id_offset = offsetof(struct stats_image, id);
	im->header.desc_offset = offsetof(struct stats_image, desc);
	im->header.data_offset = offsetof(struct stats_image, data);
	if (!f->vcpu) {
		snprintf(im->id, NAME_SIZE, "kvm-%d", task_tgid_nr(current));
		add_value(im, HVM_STATS_TYPE_INSTANT, "stage2_tables",
			  atomic_long_read(&f->vm->s2.tables));
		return im;
	}
	snprintf(im->id, NAME_SIZE, "kvm-%d/vcpu-%u", task_tgid_nr(current), f->vcpu->id);
	for (i = 0; i < HVM_NR_STATS; i++)
		add_value(im, HVM_STATS_TYPE_CUMULATIVE, names[i], READ_ONCE(f->vcpu->stat[i]));
	return im;
}

static ssize_t stats_read(struct file *file, char __user *buf, size_t size, loff_t *pos)
{
	struct stats_image *im = make_image(file->private_data);
	ssize_t r;

	if (!im)
		return -ENOMEM;
	r = simple_read_from_buffer(buf, size, pos, im, sizeof(*im));
	kfree(im);
	return r;
}

static int stats_release(struct inode *inode, struct file *file)
{
	struct stats_file *f = file->private_data;

	hvm_vm_put(f->vm);
	kfree(f);
	return 0;
}

static const struct file_operations stats_fops = {
	.owner		= THIS_MODULE,
	.read		= stats_read,
	.release	= stats_release,
	.llseek		= noop_llseek,
};

/**
 * hvm_stats_fd - HVM_GET_STATS_FD
 * @vm: VM
 * @vcpu: one of its vCPUs, or NULL for what only the VM as a whole has
 *
 * Return: a read-only file descriptor, or -ENOMEM, -EMFILE.
 */
int hvm_stats_fd(struct hvm_vm *vm, struct hvm_vcpu *vcpu)
{
	struct stats_file *f;
	struct file *file;
	int fd;

	f = kzalloc(sizeof(*f), GFP_KERNEL_ACCOUNT);
	if (!f)
		return -ENOMEM;
	f->vm = vm;
	f->vcpu = vcpu;
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		goto err;
	file = anon_inode_getfile(vcpu ? "hvm-vcpu-stats" : "hvm-vm-stats", &stats_fops, f, O_RDONLY);
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		fd = PTR_ERR(file);
		goto err;
	}
	hvm_vm_get(vm);
	file->f_mode |= FMODE_PREAD;
	fd_install(fd, file);
	return fd;
err:
	kfree(f);
	return fd;
}
