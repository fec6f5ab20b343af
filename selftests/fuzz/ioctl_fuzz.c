// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every call of the device, of VMs and of vCPUs, in any order, by up to three
 * threads at once, with arguments that are sound, nearly sound or nonsense, at
 * addresses that are or are not there; between them everything else that a
 * process may do to what it has lent the kernel: unmapping, moving, protecting
 * and truncating its memory, writing to the shared page, closing descriptors,
 * forking, executing another program, being killed in the middle of a run.
 *
 * The first record sets the scene: interrupt controller, vCPUs, threads, the
 * guest's mode and code. Each other one is a row of the table below: byte 0 the
 * row, byte 1 thread and descriptor, byte 2 where the argument lies, byte 3 the
 * seed of what the others leave open, byte 4 what the argument is made from,
 * bytes 5 to 15 a choice for a field each.
 *
 * A new call is one more row, and an array of its fields if that helps.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/hvm.h>

#include "../../userspace/lib/libhvm.h"
#include "fuzz.h"

#define N(a)		(sizeof(a) / sizeof((a)[0]))
#define MEM		0x20000000ul	/* the guest's, 4 MiB */
#define MEM_SIZE	0x400000ul
#define FILE_MEM	0x21000000ul	/* of a memfd, 1 MiB */
#define FILE_SIZE	0x100000ul
#define READ_ONLY	0x22000000ul
#define NO_ACCESS	0x22001000ul
#define MOVED		0x24000000ul	/* where mremap() goes */
#define BUFFER(t)	(0x23000000ul + (t) * 0x10000)
#define BUFFER_SIZE	0x4000ul	/* behind it is nothing */
#define THREADS		3

enum kind {
	K_ANY, K_ZERO, K_SLOT, K_FLAGS, K_GPA, K_SIZE, K_HVA, K_FD, K_GSI, K_PORT, K_LEN,
	K_MSR, K_COUNT, K_VECTOR, K_CAP, K_APIC, K_BUFFER, K_CHIP, K_TYPE,
};

struct field {
	uint16_t off;
	uint8_t size, kind, n;
	uint16_t stride;
};

#define F(s, m, k)	{ offsetof(struct s, m), sizeof(((struct s *)0)->m), k, 1, 0 }
#define FN(s, m, k, n, e) { offsetof(struct s, m), sizeof(((struct s *)0)->m), k, n, sizeof(e) }
#define ONE(s, k)	{ 0, s, k, 1, 0 }

static const struct field f_slot[] = {
	F(hvm_userspace_memory_region, slot, K_SLOT), F(hvm_userspace_memory_region, flags, K_FLAGS),
	F(hvm_userspace_memory_region, guest_phys_addr, K_GPA),
	F(hvm_userspace_memory_region, memory_size, K_SIZE),
	F(hvm_userspace_memory_region, userspace_addr, K_HVA), {},
};
static const struct field f_dirty[] = {
	F(hvm_dirty_log, slot, K_SLOT), F(hvm_dirty_log, dirty_bitmap, K_BUFFER), {},
};
static const struct field f_clear[] = {
	F(hvm_clear_dirty_log, slot, K_SLOT), F(hvm_clear_dirty_log, num_pages, K_COUNT),
	F(hvm_clear_dirty_log, first_page, K_COUNT), F(hvm_clear_dirty_log, dirty_bitmap, K_BUFFER), {},
};
static const struct field f_line[] = {
	F(hvm_irq_level, irq, K_GSI), F(hvm_irq_level, level, K_FLAGS), {},
};
static const struct field f_routes[] = {
	F(hvm_irq_routing, nr, K_COUNT), F(hvm_irq_routing, flags, K_ZERO),
	FN(hvm_irq_routing, entries[0].type, K_TYPE, 8, struct hvm_irq_routing_entry),
	FN(hvm_irq_routing, entries[0].gsi, K_GSI, 8, struct hvm_irq_routing_entry),
	FN(hvm_irq_routing, entries[0].flags, K_ZERO, 8, struct hvm_irq_routing_entry),
	FN(hvm_irq_routing, entries[0].u.msi.address_lo, K_APIC, 8, struct hvm_irq_routing_entry),
	FN(hvm_irq_routing, entries[0].u.msi.address_hi, K_CHIP, 8, struct hvm_irq_routing_entry),
	FN(hvm_irq_routing, entries[0].u.msi.data, K_VECTOR, 8, struct hvm_irq_routing_entry), {},
};
static const struct field f_irqfd[] = {
	F(hvm_irqfd, fd, K_FD), F(hvm_irqfd, gsi, K_GSI), F(hvm_irqfd, flags, K_FLAGS),
	F(hvm_irqfd, resamplefd, K_FD), {},
};
static const struct field f_ioeventfd[] = {
	F(hvm_ioeventfd, addr, K_PORT), F(hvm_ioeventfd, len, K_LEN), F(hvm_ioeventfd, fd, K_FD),
	F(hvm_ioeventfd, flags, K_FLAGS), F(hvm_ioeventfd, datamatch, K_COUNT), {},
};
static const struct field f_msi[] = {
	F(hvm_msi, address_lo, K_APIC), F(hvm_msi, address_hi, K_CHIP), F(hvm_msi, data, K_VECTOR),
	F(hvm_msi, flags, K_ZERO), {},
};
static const struct field f_clock[] = {
	F(hvm_clock_data, clock, K_ANY), F(hvm_clock_data, flags, K_FLAGS),
	F(hvm_clock_data, pad0, K_ZERO), F(hvm_clock_data, realtime, K_ANY), {},
};
static const struct field f_cap[] = {
	F(hvm_enable_cap, cap, K_CAP), F(hvm_enable_cap, flags, K_ZERO),
	F(hvm_enable_cap, args[0], K_COUNT), {},
};
static const struct field f_filter[] = {
	F(hvm_msr_filter, flags, K_FLAGS),
	FN(hvm_msr_filter, ranges[0].flags, K_FLAGS, 16, struct hvm_msr_filter_range),
	FN(hvm_msr_filter, ranges[0].nmsrs, K_COUNT, 16, struct hvm_msr_filter_range),
	FN(hvm_msr_filter, ranges[0].base, K_MSR, 16, struct hvm_msr_filter_range),
	FN(hvm_msr_filter, ranges[0].bitmap, K_BUFFER, 16, struct hvm_msr_filter_range), {},
};
static const struct field f_zone[] = {
	F(hvm_coalesced_mmio_zone, addr, K_PORT), F(hvm_coalesced_mmio_zone, size, K_SIZE),
	F(hvm_coalesced_mmio_zone, pio, K_FLAGS), {},
};
static const struct field f_irqchip[] = { F(hvm_irqchip, chip_id, K_CHIP), {} };
static const struct field f_attr[] = {
	F(hvm_device_attr, flags, K_ZERO), F(hvm_device_attr, group, K_CHIP),
	F(hvm_device_attr, attr, K_CHIP), F(hvm_device_attr, addr, K_BUFFER), {},
};
static const struct field f_msrs[] = {
	F(hvm_msrs, nmsrs, K_COUNT), FN(hvm_msrs, entries[0].index, K_MSR, 16, struct hvm_msr_entry),
	FN(hvm_msrs, entries[0].data, K_ANY, 16, struct hvm_msr_entry), {},
};
static const struct field f_cpuid[] = { F(hvm_cpuid2, nent, K_COUNT), {} };
static const struct field f_list[] = { F(hvm_msr_list, nmsrs, K_COUNT), {} };
static const struct field f_vector[] = { ONE(4, K_VECTOR), {} };
static const struct field f_gpa[] = { ONE(8, K_GPA), {} };
static const struct field f_mask[] = { ONE(4, K_LEN), { 4, 8, K_ANY, 1, 0 }, {} };
static const struct field f_state[] = { ONE(4, K_CHIP), {} };
static const struct field f_xcrs[] = {
	F(hvm_xcrs, nr_xcrs, K_CHIP), F(hvm_xcrs, flags, K_ZERO), F(hvm_xcrs, xcrs[0].value, K_COUNT), {},
};
static const struct field f_debug[] = {
	{ 0, 2, K_FLAGS, 1, 0 }, { 2, 2, K_FLAGS, 1, 0 }, F(hvm_guest_debug, arch.debugreg[0], K_HVA), {},
};

enum on { DEV, VM, VCPU, STATS };
enum how { NONE, VALUE, BUF };

/* What is not an ioctl. */
enum act {
	IOCTL, ACT_RUN, ACT_MEMORY, ACT_CODE, ACT_MODE, ACT_EVENTFD, ACT_CLOSE, ACT_FORK, ACT_MAP,
	ACT_SCRIBBLE, ACT_STATS, ACT_KICK, ACT_END, ACT_MOVE_CPU, ACT_UNKNOWN, ACT_NEW_VM,
	ACT_NEW_VCPU,
};

struct row {
	const char *name;
	unsigned long cmd;
	enum on on;
	enum how how;
	uint8_t kind;			/* of a VALUE */
	unsigned int size;
	const struct field *fields;
	unsigned long get;		/* gives a sound argument */
	enum act act;
};

#define CALL(c, o, h, k, f, g)	{ #c, HVM_##c, o, h, k, _IOC_SIZE(HVM_##c), f, g, IOCTL }
#define STATE(o, n)		CALL(GET_##n, o, BUF, 0, NULL, 0), \
				CALL(SET_##n, o, BUF, 0, NULL, HVM_GET_##n)
#define DO(n)			{ #n, 0, DEV, NONE, 0, 0, NULL, 0, ACT_##n }

/* Add at the end only. */
static const struct row rows[] = {
	DO(RUN), DO(RUN), DO(RUN), DO(RUN), DO(MEMORY), DO(MEMORY), DO(CODE), DO(MODE),
	DO(EVENTFD), DO(CLOSE), DO(FORK), DO(MAP), DO(SCRIBBLE), DO(STATS), DO(KICK), DO(END),
	DO(MOVE_CPU), DO(UNKNOWN), DO(NEW_VM), DO(NEW_VCPU),
	CALL(SET_USER_MEMORY_REGION, VM, BUF, 0, f_slot, 0),
	CALL(SET_USER_MEMORY_REGION, VM, BUF, 0, f_slot, 0),
	CALL(SET_USER_MEMORY_REGION, VM, BUF, 0, f_slot, 0),
	CALL(GET_API_VERSION, DEV, VALUE, K_ZERO, NULL, 0),
	CALL(CREATE_VM, DEV, VALUE, K_ZERO, NULL, 0),
	CALL(GET_MSR_INDEX_LIST, DEV, BUF, 0, f_list, 0),
	CALL(CHECK_EXTENSION, DEV, VALUE, K_CAP, NULL, 0),
	CALL(GET_VCPU_MMAP_SIZE, DEV, VALUE, K_ZERO, NULL, 0),
	CALL(GET_SUPPORTED_CPUID, DEV, BUF, 0, f_cpuid, 0),
	CALL(GET_EMULATED_CPUID, DEV, BUF, 0, f_cpuid, 0),
	CALL(GET_MSR_FEATURE_INDEX_LIST, DEV, BUF, 0, f_list, 0),
	CALL(X86_GET_MCE_CAP_SUPPORTED, DEV, BUF, 0, NULL, 0),
	CALL(GET_MSRS, DEV, BUF, 0, f_msrs, 0),
	CALL(CREATE_VCPU, VM, VALUE, K_COUNT, NULL, 0),
	CALL(GET_DIRTY_LOG, VM, BUF, 0, f_dirty, 0),
	CALL(CLEAR_DIRTY_LOG, VM, BUF, 0, f_clear, 0),
	CALL(SET_TSS_ADDR, VM, VALUE, K_GPA, NULL, 0),
	CALL(SET_IDENTITY_MAP_ADDR, VM, BUF, 0, f_gpa, 0),
	CALL(CREATE_IRQCHIP, VM, NONE, 0, NULL, 0),
	CALL(IRQ_LINE, VM, BUF, 0, f_line, 0),
	CALL(GET_IRQCHIP, VM, BUF, 0, f_irqchip, 0),
	CALL(SET_IRQCHIP, VM, BUF, 0, f_irqchip, HVM_GET_IRQCHIP),
	CALL(CREATE_PIT, VM, NONE, 0, NULL, 0),
	STATE(VM, PIT),
	CALL(IRQ_LINE_STATUS, VM, BUF, 0, f_line, 0),
	CALL(REGISTER_COALESCED_MMIO, VM, BUF, 0, f_zone, 0),
	CALL(UNREGISTER_COALESCED_MMIO, VM, BUF, 0, f_zone, 0),
	CALL(SET_GSI_ROUTING, VM, BUF, 0, f_routes, 0),
	CALL(REINJECT_CONTROL, VM, BUF, 0, f_state, 0),
	CALL(IRQFD, VM, BUF, 0, f_irqfd, 0),
	CALL(CREATE_PIT2, VM, BUF, 0, f_state, 0),
	CALL(SET_BOOT_CPU_ID, VM, VALUE, K_COUNT, NULL, 0),
	CALL(IOEVENTFD, VM, BUF, 0, f_ioeventfd, 0),
	CALL(SET_CLOCK, VM, BUF, 0, f_clock, HVM_GET_CLOCK),
	CALL(GET_CLOCK, VM, BUF, 0, NULL, 0),
	STATE(VM, PIT2),
	CALL(SIGNAL_MSI, VM, BUF, 0, f_msi, 0),
	CALL(X86_SET_MSR_FILTER, VM, BUF, 0, f_filter, 0),
	CALL(RESET_DIRTY_RINGS, VM, NONE, 0, NULL, 0),
	CALL(ENABLE_CAP, VM, BUF, 0, f_cap, 0),
	CALL(CHECK_EXTENSION, VM, VALUE, K_CAP, NULL, 0),
	CALL(GET_STATS_FD, VM, NONE, 0, NULL, 0),
	STATE(VCPU, REGS), STATE(VCPU, SREGS), STATE(VCPU, SREGS2), STATE(VCPU, FPU),
	STATE(VCPU, XSAVE), STATE(VCPU, DEBUGREGS), STATE(VCPU, LAPIC), STATE(VCPU, VCPU_EVENTS),
	CALL(GET_XSAVE2, VCPU, BUF, 0, NULL, 0),
	CALL(GET_XCRS, VCPU, BUF, 0, NULL, 0),
	CALL(SET_XCRS, VCPU, BUF, 0, f_xcrs, HVM_GET_XCRS),
	CALL(GET_MP_STATE, VCPU, BUF, 0, NULL, 0),
	CALL(SET_MP_STATE, VCPU, BUF, 0, f_state, 0),
	CALL(TRANSLATE, VCPU, BUF, 0, f_gpa, 0),
	CALL(INTERRUPT, VCPU, BUF, 0, f_vector, 0),
	CALL(GET_MSRS, VCPU, BUF, 0, f_msrs, 0),
	CALL(SET_MSRS, VCPU, BUF, 0, f_msrs, 0),
	CALL(SET_CPUID, VCPU, BUF, 0, f_cpuid, 0),
	CALL(SET_SIGNAL_MASK, VCPU, BUF, 0, f_mask, 0),
	CALL(SET_CPUID2, VCPU, BUF, 0, f_cpuid, HVM_GET_CPUID2),
	CALL(GET_CPUID2, VCPU, BUF, 0, f_cpuid, 0),
	CALL(TPR_ACCESS_REPORTING, VCPU, BUF, 0, f_state, 0),
	CALL(SET_VAPIC_ADDR, VCPU, BUF, 0, f_gpa, 0),
	CALL(NMI, VCPU, NONE, 0, NULL, 0),
	CALL(SET_GUEST_DEBUG, VCPU, BUF, 0, f_debug, 0),
	CALL(X86_SETUP_MCE, VCPU, BUF, 0, f_state, 0),
	CALL(X86_SET_MCE, VCPU, BUF, 0, NULL, 0),
	CALL(SET_TSC_KHZ, VCPU, VALUE, K_ANY, NULL, 0),
	CALL(GET_TSC_KHZ, VCPU, NONE, 0, NULL, 0),
	CALL(ENABLE_CAP, VCPU, BUF, 0, f_cap, 0),
	CALL(KVMCLOCK_CTRL, VCPU, NONE, 0, NULL, 0),
	CALL(SMI, VCPU, NONE, 0, NULL, 0),
	CALL(GET_STATS_FD, VCPU, NONE, 0, NULL, 0),
	CALL(SET_DEVICE_ATTR, VCPU, BUF, 0, f_attr, 0),
	CALL(GET_DEVICE_ATTR, VCPU, BUF, 0, f_attr, 0),
	CALL(HAS_DEVICE_ATTR, VCPU, BUF, 0, f_attr, 0),
	CALL(GET_DEVICE_ATTR, DEV, BUF, 0, f_attr, 0),
	CALL(HAS_DEVICE_ATTR, DEV, BUF, 0, f_attr, 0),
};

/* ---- the process's world; every thread may spoil it for the others ---- */

static volatile int dev, vms[2], vcpus[4], events[4], stats[2], memfd;
static struct hvm_run * volatile runs[4];
static size_t run_size;
static struct hvm_cpuid2 *cpuid;	/* all that is supported */
static unsigned int next_id;
static const struct fuzz_input *input;
static volatile bool stop;
static volatile unsigned int running, age;	/* age: of the input, in kicks */
static pthread_t workers[THREADS];
static pthread_barrier_t start, end;

static void map_at(unsigned long at, size_t size, int prot, int flags, int fd)
{
	if (mmap((void *)at, size, prot, flags | MAP_FIXED, fd, 0) == MAP_FAILED)
		_exit(3);
}

static void put_memory(unsigned long at, const void *from, size_t n)
{
	struct iovec l = { (void *)from, n }, r = { (void *)at, n };

	/* may have been unmapped */
	if (process_vm_writev(getpid(), &l, 1, &r, 1, 0) < 0)
		return;
}

static void new_vcpu(unsigned int at, unsigned int vm)
{
	void *run;

	vcpus[at] = ioctl(vms[vm], HVM_CREATE_VCPU, next_id++);
	run = mmap(NULL, run_size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpus[at], 0);
	if (run == MAP_FAILED)
		return;
	if (runs[at])
		munmap(runs[at], run_size);
	runs[at] = run;
	hvm_set_cpuid2(vcpus[at], cpuid);
}

static void new_vm(unsigned int at, unsigned int chip, unsigned int caps)
{
	vms[at] = hvm_create_vm(dev, 0);
	if (chip == 1)
		hvm_split_irqchip(vms[at], 24);
	else if (chip == 2)
		ioctl(vms[at], HVM_CREATE_IRQCHIP, 0);
	if (caps & 1)
		hvm_enable_cap(vms[at], HVM_CAP_MANUAL_DIRTY_LOG_PROTECT2, 1 + (caps & 2));
	if (caps & 4)
		hvm_enable_cap(vms[at], HVM_CAP_X86_USER_SPACE_MSR, 7);
	if (caps & 8)
		hvm_enable_cap(vms[at], HVM_CAP_EXCEPTION_PAYLOAD, 1);
	if (caps & 16)
		hvm_enable_cap(vms[at], HVM_CAP_DIRTY_LOG_RING_ACQ_REL, 4096);
	hvm_map_memory(vms[at], 0, caps & 32 ? HVM_MEM_LOG_DIRTY_PAGES : 0, 0, MEM_SIZE / 2,
		       (void *)MEM);
	hvm_map_memory(vms[at], 1, 0, 0x10000000, FILE_SIZE, (void *)FILE_MEM);
}

static void set_mode(unsigned int cpu, unsigned int mode, struct fuzz_rng *r)
{
	struct hvm_sregs s;
	struct hvm_regs g;

	if (hvm_get_sregs(vcpus[cpu], &s))
		return;
	fuzz_mode(mode % FUZZ_MODES, &s, &g);
	g.rax = fuzz_value(r);
	g.rbx = fuzz_rnd(r) & 1 ? 0xfee00000 + fuzz_rnd(r) % 1024 : 0xd0000000;
	g.rcx = fuzz_rnd(r) & 1 ? fuzz_rnd(r) % 64 : fuzz_msr(r);
	g.rdx = fuzz_rnd(r) & 1 ? 0x3f8 : fuzz_value(r);
	g.rsi = fuzz_rnd(r) % MEM_SIZE;
	g.rdi = fuzz_rnd(r) & 1 ? 0x10000000 : 0xd0000000;
	if (fuzz_rnd(r) & 1)
		g.rflags |= 1u << 9;
	hvm_set_sregs(vcpus[cpu], &s);
	hvm_set_regs(vcpus[cpu], &g);
}

static void put_code(struct fuzz_rng *r)
{
	uint8_t code[512];

	fuzz_code(r, code, sizeof(code));
	put_memory(MEM + FUZZ_CODE, code, sizeof(code));
}

static void set_scene(const uint8_t *rec)
{
	static uint8_t tables[FUZZ_STACK];
	struct fuzz_rng r;
	unsigned int i;

	fuzz_seed(&r, rec[3] | rec[4] << 8);
	memfd = memfd_create("fuzz", MFD_CLOEXEC);
	if (ftruncate(memfd, FILE_SIZE))
		_exit(3);
	map_at(MEM, MEM_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	map_at(FILE_MEM, FILE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, memfd);
	map_at(READ_ONLY, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	map_at(NO_ACCESS, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	for (i = 0; i < THREADS; i++)
		map_at(BUFFER(i), BUFFER_SIZE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1);
	fuzz_tables(tables);
	put_memory(MEM, tables, sizeof(tables));
	put_code(&r);
	for (i = 0; i < N(events); i++)
		events[i] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC | (i & 1 ? EFD_SEMAPHORE : 0));
	dev = hvm_open(NULL);
	if (dev < 0)
		_exit(4);
	run_size = hvm_vcpu_mmap_size(dev);
	new_vm(0, rec[5] % 4 == 3 ? 1 : rec[5] % 4, rec[6]);
	vms[1] = vms[0];
	for (i = 0; i < N(vcpus); i++)
		if (i <= rec[7] % 3)
			new_vcpu(i, 0);
		else
			vcpus[i] = vcpus[0], runs[i] = NULL;
	stats[0] = stats[1] = -1;
	for (i = 0; i <= rec[7] % 3; i++)
		set_mode(i, rec[8] < 128 ? rec[8] : FUZZ_LONG, &r);
}

/* ---- arguments ---- */

static uint64_t address(struct fuzz_rng *r, uint8_t choice)
{
	switch (choice % 12) {
	case 0 ... 3:
		return MEM + (choice / 12) * 0x10000;
	case 4:
		return FILE_MEM + (choice / 12) * 0x1000;
	case 5:
		return MOVED;
	case 6:
		return READ_ONLY;
	case 7:
		return NO_ACCESS;
	case 8:
		return (uintptr_t)runs[choice / 12 % 4];
	case 9:
		return MEM + MEM_SIZE - 4096 * (choice / 12 % 4);
	case 10:
		return 0x7ffffffff000 - 4096 * (choice / 12);
	default:
		return fuzz_value(r);
	}
}

static uint64_t field_value(struct fuzz_rng *r, unsigned int kind, uint8_t c)
{
	static const uint16_t caps[] = {
		HVM_CAP_SPLIT_IRQCHIP, HVM_CAP_X2APIC_API, HVM_CAP_X86_USER_SPACE_MSR,
		HVM_CAP_MANUAL_DIRTY_LOG_PROTECT2, HVM_CAP_EXCEPTION_PAYLOAD,
		HVM_CAP_X86_TRIPLE_FAULT_EVENT, HVM_CAP_EXIT_ON_EMULATION_FAILURE,
		HVM_CAP_X86_DISABLE_EXITS, HVM_CAP_MAX_VCPU_ID, HVM_CAP_DIRTY_LOG_RING,
		HVM_CAP_DIRTY_LOG_RING_ACQ_REL, HVM_CAP_DISABLE_QUIRKS, HVM_CAP_DISABLE_QUIRKS2,
		HVM_CAP_HALT_POLL, HVM_CAP_ENFORCE_PV_FEATURE_CPUID, HVM_CAP_MSR_PLATFORM_INFO,
		HVM_CAP_VM_TSC_CONTROL, HVM_CAP_HYPERV,
	};

	if (c >= 248)
		return fuzz_value(r);
	switch (kind) {
	case K_ZERO:
		return c < 224 ? 0 : c;
	case K_SLOT:
		return c < 200 ? c % 4 : c % 2 << 16 | 32764 >> c % 16;
	case K_FLAGS:
		return c < 128 ? c % 4 : c < 192 ? c % 16 : 1u << c % 32;
	case K_GPA:
		return c < 64 ? 0 : c < 128 ? 0x10000000 : c < 192 ? (c - 128) << 12 :
		       c < 208 ? 0xfee00000 : c < 216 ? 0xd0000000 : (uint64_t)c << 32;
	case K_SIZE:
		return c < 48 ? 0 : c < 64 ? MEM_SIZE : c < 96 ? FILE_SIZE : c < 224 ?
		       (uint64_t)(c - 95) << 12 : (uint64_t)c << 30;
	case K_HVA:
		return address(r, c);
	case K_FD:
		return c < 160 ? events[c % 4] : c < 176 ? vms[c % 2] : c < 192 ? vcpus[c % 4] :
		       c < 208 ? dev : c < 224 ? memfd : c - 236;
	case K_GSI:
		return c < 128 ? c % 8 : c < 192 ? c % 32 : c << 4;
	case K_PORT:
		return c < 32 ? 0xd0000000 : c < 64 ? 0x3f8 : c < 128 ? 0xd0000000 + c * 16 :
		       c < 192 ? c : 0xfee00000;
	case K_LEN:
		return c < 64 ? 4 : c < 192 ? 1 << c % 4 : c % 16;
	case K_MSR:
		return fuzz_msr(r);
	case K_COUNT:
		return c < 192 ? c % 16 : c < 224 ? c : 1u << c % 32;
	case K_VECTOR:
		return c < 128 ? 0x20 + c : c < 224 ? (c & 0x7f) << 4 : fuzz_rnd(r);
	case K_CAP:
		return caps[c % N(caps)];
	case K_APIC:
		return c < 192 ? 0xfee00000 | (c % 8) << 12 | (c & 8 ? 0xc : 0) : c << 24;
	case K_BUFFER:
		return c < 192 ? BUFFER(c % THREADS) : address(r, c);
	case K_CHIP:
		return c % 12;
	case K_TYPE:
		return c < 128 ? 2 : c < 192 ? 1 : c % 8;
	default:
		return fuzz_value(r);
	}
}

/* At the end of the thread's buffer, so that what reads too far faults. */
static void *build(const struct row *row, int fd, const uint8_t *rec, struct fuzz_rng *r)
{
	unsigned int t = rec[1] % THREADS, choice = 5, k, n, base = rec[4] % 8;
	unsigned int size = row->size < 1024 ? 1024 : row->size;
	uint8_t *at = (uint8_t *)BUFFER(t) + BUFFER_SIZE - size;
	const struct field *f;

	memset(at, 0, size);
	if (base < 4 && row->get) {
		*(uint32_t *)at = rec[5] % 4;		/* which chip; how many */
		if (row->get == HVM_GET_CPUID2)
			*(uint32_t *)at = 24;
		ioctl(fd, row->get, at);
	} else if (base == 7) {
		for (k = 0; k < size; k++)
			at[k] = fuzz_rnd(r);
	}
	for (f = row->fields; f && f->size; f++)
		for (n = 0; n < f->n; n++) {
			uint8_t c = choice < FUZZ_RECORD ? rec[choice++] : fuzz_rnd(r);
			uint64_t v = field_value(r, f->kind, c);

			if (base < 4 && row->get && c & 3)
				continue;
			memcpy(at + f->off + n * f->stride, &v, f->size);
		}
	/* registers have no table: change a few words */
	if (!row->fields || base == 6)
		for (n = rec[4] >> 3 & 7; n; n--) {
			uint64_t v = fuzz_value(r);
			unsigned int len = 1 << fuzz_rnd(r) % 4;

			memcpy(at + fuzz_rnd(r) % (row->size < 8 ? 1 : row->size / len) * len, &v, len);
		}
	if (row->cmd == HVM_SET_SREGS || row->cmd == HVM_SET_SREGS2)
		fuzz_spare_host((void *)at);
	return at;
}

/* Sometimes the argument lies where it should not. */
static unsigned long place(void *at, const struct row *row, const uint8_t *rec, struct fuzz_rng *r)
{
	unsigned int t = rec[1] % THREADS, size = row->size ?: 8;

	switch (rec[2] % 32) {
	case 0:
		return 0;
	case 1:
		return NO_ACCESS;
	case 2:
		return READ_ONLY;
	case 3:		/* half of it is there */
		return BUFFER(t) + BUFFER_SIZE - size / 2;
	case 4:
		return 0xffff888000000000;
	case 5:
		return (uintptr_t)runs[rec[2] / 32 % 4];
	case 6:
		return MEM + FUZZ_CODE;
	case 7:
		return fuzz_value(r);
	case 8:
		return 0x7ffffffff000 - size / 2;
	default:
		return (uintptr_t)at;
	}
}

/* ---- what is not an ioctl ---- */

static void act_run(const uint8_t *rec, struct fuzz_rng *r)
{
	unsigned int cpu = rec[1] / 4 % 4, n = rec[5] % 16 + 1, k;
	struct hvm_run *run = runs[cpu];

	if (run)
		run->immediate_exit = rec[6] < 16;
	while (n-- && !stop) {
		fuzz_count(1);
		if (ioctl(vcpus[cpu], HVM_RUN, rec[7] < 8 ? rec[7] : 0) || !run)
			return;
		if (run->exit_reason == HVM_EXIT_IO && run->io.data_offset < run_size - 64)
			for (k = 0; k < 64; k++)
				((uint8_t *)run)[run->io.data_offset + k] = fuzz_rnd(r);
		else if (run->exit_reason == HVM_EXIT_MMIO)
			memset(run->mmio.data, rec[8], 8);
		else if (run->exit_reason == HVM_EXIT_X86_RDMSR)
			run->msr.error = rec[8] & 1;
		else if (run->exit_reason == HVM_EXIT_SHUTDOWN)
			return;
	}
}

static void act_memory(const uint8_t *rec)
{
	static const int advice[] = {
		MADV_DONTNEED, MADV_FREE, MADV_HUGEPAGE, MADV_NOHUGEPAGE, MADV_PAGEOUT, MADV_COLD,
		MADV_MERGEABLE, MADV_UNMERGEABLE, MADV_REMOVE, MADV_WILLNEED, MADV_POPULATE_WRITE,
		25 /* MADV_COLLAPSE */, MADV_HWPOISON + 100,
	};
	unsigned long size = ((rec[5] & 63) + 1) * 4096;
	unsigned long at = MEM + rec[6] * 4096;

	if (rec[7] & 1)
		at = FILE_MEM + rec[6] * 4096;
	if (rec[7] & 2) {
		at &= ~0x1ffffful;
		size = 0x200000;
	}
	if (rec[7] & 4 || at + size > FILE_MEM + FILE_SIZE)
		size = 4096;
	switch (rec[8] % 10) {
	case 0:
		munmap((void *)at, size);
		break;
	case 1:
		mremap((void *)at, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)MOVED);
		break;
	case 2:
		mremap((void *)MOVED, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)at);
		break;
	case 3:
		mprotect((void *)at, size, rec[9] & 7);
		break;
	case 4:
		mmap((void *)at, size, PROT_READ | PROT_WRITE,
		     MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		break;
	case 5:
		mmap((void *)at, size, PROT_READ | (rec[9] & PROT_WRITE),
		     MAP_FIXED | (rec[9] & 4 ? MAP_PRIVATE : MAP_SHARED), memfd, 0);
		break;
	case 6:
		if (ftruncate(memfd, rec[9] & 1 ? FILE_SIZE : rec[9] * 4096))
			return;
		break;
	default:
		madvise((void *)at, size, advice[rec[9] % N(advice)]);
	}
}

static void act_close(const uint8_t *rec)
{
	switch (rec[5] % 6) {
	case 0:
		close(vms[rec[6] % 2]);
		break;
	case 1:
		close(vcpus[rec[6] % 4]);
		break;
	case 2:
		close(dev);
		break;
	case 3:
		close(events[rec[6] % 4]);
		events[rec[6] % 4] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
		break;
	case 4:
		close(stats[rec[6] % 2]);
		break;
	default:
		if (runs[rec[6] % 4])
			munmap(runs[rec[6] % 4], 4096);
		runs[rec[6] % 4] = NULL;
	}
}

static void act_fork(void)
{
	pid_t pid = fork();
	char buf[16];

	if (pid) {
		if (pid > 0)
			waitpid(pid, NULL, 0);
		return;
	}
	alarm(1);
	ioctl(vcpus[0], HVM_RUN, 0);
	ioctl(vms[0], HVM_CREATE_VCPU, 99);
	if (read(stats[0], buf, sizeof(buf)) < 0)
		close(vms[0]);
	*(volatile char *)(MEM + MEM_SIZE - 1) = 1;
	_exit(0);
}

static void act_map(const uint8_t *rec)
{
	static const uint16_t pages[] = { 0, 1, 2, 3, 63, 64, 65, 79, 80, 0xffff };
	size_t size = 4096 * (1 + rec[5] % 20);
	volatile char *p;

	p = mmap(NULL, size, PROT_READ | (rec[6] & (PROT_WRITE | PROT_EXEC)),
		 rec[7] & 1 ? MAP_PRIVATE : MAP_SHARED, vcpus[rec[1] / 4 % 4],
		 pages[rec[8] % N(pages)] * 4096ul);
	if (p == MAP_FAILED)
		return;
	if (rec[9] & 1)
		mremap((void *)p, size, size * 2, MREMAP_MAYMOVE);
	else if (rec[9] & 2)
		mlock((void *)p, 4096);
	else
		munmap((void *)p, size);
}

static void act_scribble(const uint8_t *rec, struct fuzz_rng *r)
{
	uint8_t *run = (uint8_t *)runs[rec[1] / 4 % 4];
	unsigned int n = rec[5] % 32 + 1, limit = rec[6] & 1 ? 64 : run_size;

	if (!run)
		return;
	if (rec[6] & 2) {
		((struct hvm_run *)run)->valid_regs = rec[7] & 7;
		((struct hvm_run *)run)->dirty_regs = rec[7] >> 4 & 7;
		return;
	}
	while (n--) {
		uint64_t v = fuzz_value(r);

		memcpy(run + fuzz_rnd(r) % (limit - 8), &v, 8);
	}
	fuzz_spare_host(&((struct hvm_run *)run)->s.regs.sregs);
}

static void act_stats(const uint8_t *rec)
{
	char buf[600];
	int fd = stats[rec[6] % 2];

	if (fd < 0 || rec[5] & 1)
		fd = ioctl(rec[6] & 4 ? vms[0] : vcpus[0], HVM_GET_STATS_FD, 0);
	stats[rec[6] % 2] = fd;
	if (pread(fd, rec[7] & 1 ? (void *)NO_ACCESS : buf, rec[8] * 2, rec[9] * 16) < 0)
		lseek(fd, 1l << rec[9] % 63, SEEK_SET);
}

static void act_end(const uint8_t *rec)
{
	switch (rec[5] % 8) {
	case 0:
		kill(getpid(), SIGKILL);
		break;
	case 1:
		execl("/bin/true", "true", NULL);
		break;
	case 2:
		_exit(0);
	default:
		usleep(rec[6] * 8);
	}
}

static void act(const struct row *row, const uint8_t *rec, struct fuzz_rng *r)
{
	unsigned int cpu = rec[1] / 4 % 4;
	cpu_set_t set;

	switch (row->act) {
	case ACT_RUN:
		act_run(rec, r);
		break;
	case ACT_MEMORY:
		act_memory(rec);
		break;
	case ACT_CODE:
		put_code(r);
		break;
	case ACT_MODE:
		set_mode(cpu, rec[5], r);
		break;
	case ACT_EVENTFD:
		eventfd_write(events[cpu], rec[5]);
		break;
	case ACT_CLOSE:
		act_close(rec);
		break;
	case ACT_FORK:
		act_fork();
		break;
	case ACT_MAP:
		act_map(rec);
		break;
	case ACT_SCRIBBLE:
		act_scribble(rec, r);
		break;
	case ACT_STATS:
		act_stats(rec);
		break;
	case ACT_KICK:
		pthread_kill(workers[rec[5] % running], SIGUSR1);
		break;
	case ACT_END:
		act_end(rec);
		break;
	case ACT_MOVE_CPU:
		CPU_ZERO(&set);
		CPU_SET(rec[5] % 2, &set);
		sched_setaffinity(0, sizeof(set), &set);
		break;
	case ACT_UNKNOWN:
		ioctl(rec[5] & 1 ? vms[0] : vcpus[0],
		      _IOC(rec[6] & 3, 0xae, rec[7], rec[8] | (rec[9] & 0x3f) << 8), BUFFER(0));
		break;
	case ACT_NEW_VM:
		new_vm(1, rec[5] % 3, rec[6]);
		break;
	case ACT_NEW_VCPU:
		new_vcpu(1 + rec[5] % 3, rec[6] % 2);
		break;
	default:
		break;
	}
}

/* ---- carrying an input out ---- */

static int descriptor(const struct row *row, const uint8_t *rec)
{
	unsigned int i = rec[1] / 4 % 4;

	if (rec[1] >= 252)	/* the wrong one */
		return rec[1] & 1 ? events[i] : memfd;
	return row->on == DEV ? dev : row->on == VM ? vms[i == 3] : vcpus[i];
}

static void one_record(const uint8_t *rec)
{
	const struct row *row = &rows[rec[0] % N(rows)];
	unsigned long arg = 0;
	struct fuzz_rng r;
	int fd, ret;

	fuzz_seed(&r, rec[3]);
	if (row->act) {
		act(row, rec, &r);
		return;
	}
	fd = descriptor(row, rec);
	if (row->how == VALUE)
		arg = field_value(&r, row->kind, rec[5]);
	else if (row->how == BUF)
		arg = place(build(row, fd, rec, &r), row, rec, &r);
	ret = ioctl(fd, row->cmd, arg);
	fuzz_count(1);
	/* descriptors that nobody keeps */
	if (ret > 2 && (row->cmd == HVM_CREATE_VM || row->cmd == HVM_CREATE_VCPU ||
			row->cmd == HVM_GET_STATS_FD))
		close(ret);
}

static void *worker(void *arg)
{
	unsigned int t = (uintptr_t)arg, i;

	fuzz_cover(t);
	for (;;) {
		pthread_barrier_wait(&start);
		for (i = 1; i < input->n && !stop; i++)
			if (input->rec[i][1] % running == t)
				one_record(input->rec[i]);
		pthread_barrier_wait(&end);
	}
	return NULL;
}

static void on_kick(int sig)
{
	(void)sig;
}

/* Nobody may stay in a guest: signals, then a flag, then the end. */
static void *kicker(void *arg)
{
	unsigned int t;

	for (;;) {
		usleep(4000);
		if (!age)
			continue;
		if (++age > 60)
			stop = true;
		if (age > 1000)
			kill(getpid(), SIGKILL);
		for (t = 0; t < THREADS; t++)
			pthread_kill(workers[t], SIGUSR1);
	}
	return arg;
}

static void begin(void)
{
	struct sigaction sa = { .sa_handler = on_kick };
	pthread_t k;
	uintptr_t t;

	dev = hvm_open(NULL);
	if (dev < 0 || hvm_get_supported_cpuid(dev, &cpuid))
		_exit(4);
	close(dev);
	sigaction(SIGUSR1, &sa, NULL);
	fuzz_cover(THREADS);
	pthread_barrier_init(&start, NULL, THREADS + 1);
	pthread_barrier_init(&end, NULL, THREADS + 1);
	for (t = 0; t < THREADS; t++)
		pthread_create(&workers[t], NULL, worker, (void *)t);
	pthread_create(&k, NULL, kicker, NULL);
}

static void run(const struct fuzz_input *in)
{
	cpu_set_t all;
	unsigned int i;

	if (!in->n)
		return;
	input = in;
	running = 1 + in->rec[0][1] % THREADS;
	next_id = 0;
	stop = false;
	set_scene(in->rec[0]);
	age = 1;
	pthread_barrier_wait(&start);
	pthread_barrier_wait(&end);
	age = 0;
	for (i = 0; i < N(runs); i++) {
		if (runs[i])
			munmap(runs[i], run_size);
		runs[i] = NULL;
	}
	munmap((void *)MOVED, 0x200000);
	memset(&all, 0xff, sizeof(all));
	for (i = 0; i < THREADS; i++)
		pthread_setaffinity_np(workers[i], sizeof(all), &all);
}

static void show(const uint8_t *rec, char *text, size_t size)
{
	const struct row *row = &rows[rec[0] % N(rows)];

	snprintf(text, size, "%s (as first: scene) thread %u, descriptor %u, place %u, seed %u, base %u",
		 row->name, rec[1] % THREADS, rec[1] / 4 % 4, rec[2] % 32, rec[3], rec[4] % 8);
}

int main(int argc, char **argv)
{
	static const struct fuzz_target t = { "ioctl_fuzz", N(rows), begin, run, show };

	return fuzz_main(argc, argv, &t);
}
