// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every call of the device, a VM and a vCPU, other than RUN, with each
 * allocation and user copy in it failing in turn.
 */
#include <sys/eventfd.h>

#include "fault.h"
#include "kselftest_harness.h"

static uint8_t buf[16384] __attribute__((aligned(4096)));
static uint8_t memory[64 * 4096] __attribute__((aligned(4096)));

/* debugfs says so when it has no memory for a VM's directory; the VM does without */
static void __attribute__((constructor)) expect(void)
{
	printf("# klog-allow: debugfs: out of free dentries, can not create\n");
	printf("# klog-allow: kmemleak: Cannot allocate a scan area\n");
}

static void guest(void)
{
	GUEST_DONE();
}

static int call(int fd, unsigned long cmd, const void *arg)
{
	int ret = ioctl(fd, cmd, arg);

	return ret < 0 ? -errno : ret;
}

/* pages that the call will write to are there, so that only the call can fail */
static void *fresh(void)
{
	memset(buf, 0, sizeof(buf));
	memset(memory, 1, sizeof(memory));
	return buf;
}

#define OP(name, chip, fn, ...)						\
	static int name(struct fault_ctx *x) { __VA_ARGS__ }		\
	TEST(name##_)							\
	{								\
		static const struct fault_op op = { chip, guest, fn, name }; \
									\
		FAULT_STEPS(op);					\
	}
#define CHIP GVM_SPLIT
#define BARE GVM_NO_IRQCHIP

/* a descriptor that the test closes */
static int keep(struct fault_ctx *x, int fd)
{
	if (fd >= 0)
		x->fd = fd;
	return fd;
}

/* ---- the device ---- */

OP(open_device, BARE, NULL, {
	int fd = open(device_path(), O_RDWR | O_CLOEXEC);

	return keep(x, fd < 0 ? -errno : fd);
})

OP(create_vm, BARE, NULL, return keep(x, call(x->vm->dev, HVM_CREATE_VM, 0));)

static void set_count(struct fault_ctx *x)
{
	*(uint32_t *)fresh() = 256;
}

OP(supported_cpuid, BARE, set_count, {
	*(uint32_t *)buf = 256;
	return call(x->vm->dev, HVM_GET_SUPPORTED_CPUID, buf);
})

OP(msr_index_list, BARE, set_count, {
	*(uint32_t *)buf = 256;
	return call(x->vm->dev, HVM_GET_MSR_INDEX_LIST, buf);
})

OP(msr_feature_list, BARE, set_count, {
	*(uint32_t *)buf = 256;
	return call(x->vm->dev, HVM_GET_MSR_FEATURE_INDEX_LIST, buf);
})

/* ---- a VM ---- */

OP(create_vcpu, CHIP, NULL, return keep(x, call(x->vm->fd, HVM_CREATE_VCPU, (void *)1));)

static int slot(struct fault_ctx *x, uint32_t flags, uint64_t size)
{
	struct hvm_userspace_memory_region r = {
		.slot = 9, .flags = flags, .guest_phys_addr = 0x40000000,
		.memory_size = size, .userspace_addr = (uintptr_t)memory,
	};

	return call(x->vm->fd, HVM_SET_USER_MEMORY_REGION, &r);
}

static void add_slot(struct fault_ctx *x)
{
	fresh();
	slot(x, 0, sizeof(memory));
}

static void add_logged(struct fault_ctx *x)
{
	fresh();
	slot(x, HVM_MEM_LOG_DIRTY_PAGES, sizeof(memory));
}

OP(slot_create, BARE, NULL, return slot(x, 0, sizeof(memory));)
OP(slot_create_logged, BARE, NULL, return slot(x, HVM_MEM_LOG_DIRTY_PAGES, sizeof(memory));)
OP(slot_start_log, BARE, add_slot, return slot(x, HVM_MEM_LOG_DIRTY_PAGES, sizeof(memory));)
OP(slot_stop_log, BARE, add_logged, return slot(x, 0, sizeof(memory));)
OP(slot_move, BARE, add_slot, {
	struct hvm_userspace_memory_region r = {
		.slot = 9, .guest_phys_addr = 0x50000000,
		.memory_size = sizeof(memory), .userspace_addr = (uintptr_t)memory,
	};

	return call(x->vm->fd, HVM_SET_USER_MEMORY_REGION, &r);
})

/* deleting what is gone already is EINVAL */
OP(slot_delete, BARE, add_logged, {
	int ret = slot(x, 0, 0);

	return ret == -EINVAL && x->arg ? 0 : (x->arg = 1, ret);
})

OP(dirty_log, BARE, add_logged, {
	struct hvm_dirty_log log = { .slot = 9, .dirty_bitmap = buf };

	return call(x->vm->fd, HVM_GET_DIRTY_LOG, &log);
})

static void add_manual(struct fault_ctx *x)
{
	hvm_enable_cap(x->vm->fd, HVM_CAP_MANUAL_DIRTY_LOG_PROTECT2, 1);
	add_logged(x);
}

OP(clear_dirty_log, BARE, add_manual, {
	struct hvm_clear_dirty_log log = {
		.slot = 9, .num_pages = sizeof(memory) / 4096, .dirty_bitmap = buf,
	};

	return call(x->vm->fd, HVM_CLEAR_DIRTY_LOG, &log);
})

/* split_irqchip has to come before the vCPUs: a VM of its own */
static void other_vm(struct fault_ctx *x)
{
	x->fd = hvm_create_vm(x->vm->dev, 0);
}

static void ring_vm(struct fault_ctx *x)
{
	other_vm(x);
	hvm_enable_cap(x->fd, HVM_CAP_DIRTY_LOG_RING, 16384);
}

OP(create_vcpu_ring, BARE, ring_vm, return keep(x, call(x->fd, HVM_CREATE_VCPU, NULL));)

OP(split_irqchip, BARE, other_vm, return hvm_split_irqchip(x->fd, 24);)
OP(clock_get, BARE, NULL, return hvm_get_clock(x->vm->fd, (void *)buf);)
OP(clock_set, BARE, NULL, {
	struct hvm_clock_data d = { .clock = 1000 };

	return hvm_set_clock(x->vm->fd, &d);
})
OP(vm_stats, BARE, NULL, return keep(x, hvm_get_stats_fd(x->vm->fd));)

static void fill_routes(struct fault_ctx *x)
{
	struct hvm_irq_routing *r = fresh();
	unsigned int i;

	r->nr = 64;
	for (i = 0; i < 64; i++) {
		r->entries[i].gsi = i;
		r->entries[i].type = HVM_IRQ_ROUTING_MSI;
		r->entries[i].u.msi.address_lo = APIC_GPA;
		r->entries[i].u.msi.data = 0x40 + i;
	}
}

OP(routing, CHIP, fill_routes, return hvm_set_gsi_routing(x->vm->fd, (void *)buf);)

static void add_routes(struct fault_ctx *x)
{
	x->ev = eventfd(0, EFD_NONBLOCK);
	gvm_route_msi(x->vm, 8, 0x40);
}

OP(irqfd, CHIP, add_routes, return hvm_irqfd(x->vm->fd, x->ev, 1, 0, 0);)

static void add_pair(struct fault_ctx *x)
{
	add_routes(x);
	x->fd = eventfd(0, EFD_NONBLOCK);
}

OP(irqfd_resample, GVM_FULL, add_pair,
   return hvm_irqfd(x->vm->fd, x->ev, 1, HVM_IRQFD_FLAG_RESAMPLE, x->fd);)

static void add_irqfd(struct fault_ctx *x)
{
	add_routes(x);
	hvm_irqfd(x->vm->fd, x->ev, 1, 0, 0);
}

OP(irqfd_signal, CHIP, add_irqfd, {
	uint64_t one = 1;

	return write(x->ev, &one, 8) == 8 ? 0 : -errno;
})
OP(irqfd_remove, CHIP, add_irqfd,
   return hvm_irqfd(x->vm->fd, x->ev, 1, HVM_IRQFD_FLAG_DEASSIGN, 0);)
OP(signal_msi, CHIP, add_routes, {
	int ret = hvm_signal_msi(x->vm->fd, APIC_GPA, 0x44);

	return ret == -EPERM ? 0 : ret;	/* nobody took it */
})
OP(ioeventfd, BARE, add_routes, return hvm_ioeventfd(x->vm->fd, x->ev, 0x100, 2,
						     HVM_IOEVENTFD_FLAG_PIO, 0);)

static void add_ioeventfd(struct fault_ctx *x)
{
	x->ev = eventfd(0, EFD_NONBLOCK);
	hvm_ioeventfd(x->vm->fd, x->ev, 0xd0000000, 4, 0, 0);
}

OP(ioeventfd_remove, BARE, add_ioeventfd,
   return hvm_ioeventfd(x->vm->fd, x->ev, 0xd0000000, 4,
			HVM_IOEVENTFD_FLAG_DEASSIGN, 0);)

/* ---- the kernel's own chips ---- */

#define FULL GVM_FULL

OP(create_irqchip, BARE, other_vm, return hvm_create_irqchip(x->fd);)
OP(create_pit2, FULL, NULL, return hvm_create_pit2(x->vm->fd, 0);)
OP(irq_line, FULL, NULL, return hvm_irq_line(x->vm->fd, 5, 1);)

static void add_chip(struct fault_ctx *x)
{
	fresh();
	hvm_create_pit2(x->vm->fd, 0);
	x->arg = 2;
}

OP(get_irqchip, FULL, add_chip, {
	struct hvm_irqchip *chip = (void *)buf;

	chip->chip_id = x->arg;
	return hvm_get_irqchip(x->vm->fd, chip);
})
OP(set_irqchip, FULL, add_chip, {
	struct hvm_irqchip *chip = (void *)buf;

	chip->chip_id = x->arg;
	return hvm_set_irqchip(x->vm->fd, chip);
})
OP(get_pit2, FULL, add_chip, return call(x->vm->fd, HVM_GET_PIT2, buf);)
OP(set_pit2, FULL, add_chip, return call(x->vm->fd, HVM_SET_PIT2, buf);)
OP(get_pit, FULL, add_chip, return call(x->vm->fd, HVM_GET_PIT, buf);)
OP(set_pit, FULL, add_chip, return call(x->vm->fd, HVM_SET_PIT, buf);)
OP(reinject, FULL, add_chip, return call(x->vm->fd, HVM_REINJECT_CONTROL, buf);)

static void fill_pins(struct fault_ctx *x)
{
	struct hvm_irq_routing *r = fresh();
	unsigned int i;

	r->nr = 24;
	for (i = 0; i < 24; i++) {
		r->entries[i].gsi = i;
		r->entries[i].type = HVM_IRQ_ROUTING_IRQCHIP;
		r->entries[i].u.irqchip.irqchip = HVM_IRQCHIP_IOAPIC;
		r->entries[i].u.irqchip.pin = i;
	}
}

OP(routing_pins, FULL, fill_pins, return hvm_set_gsi_routing(x->vm->fd, (void *)buf);)

static int zone(struct fault_ctx *x, unsigned long nr)
{
	struct hvm_coalesced_mmio_zone z = { .addr = 0xd0000000, .size = 0x1000 };

	return call(x->vm->fd, nr, &z);
}

static void add_zone(struct fault_ctx *x)
{
	zone(x, HVM_REGISTER_COALESCED_MMIO);
}

OP(coalesce, BARE, NULL, return zone(x, HVM_REGISTER_COALESCED_MMIO);)
OP(coalesce_more, BARE, add_zone, return zone(x, HVM_REGISTER_COALESCED_MMIO);)
OP(uncoalesce, BARE, add_zone, return zone(x, HVM_UNREGISTER_COALESCED_MMIO);)
OP(map_ring, BARE, NULL, {
	volatile char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
				x->c->fd, HVM_COALESCED_MMIO_PAGE_OFFSET * 4096);

	if (p == MAP_FAILED)
		return -errno;
	munmap((void *)p, 4096);
	return 0;
})
OP(vapic, CHIP, NULL, {
	struct hvm_vapic_addr va = { .vapic_addr = LOW_POOL };

	return call(x->c->fd, HVM_SET_VAPIC_ADDR, &va);
})
OP(tpr_reporting, CHIP, NULL, {
	struct hvm_tpr_access_ctl ctl = { .enabled = 1 };

	return call(x->c->fd, HVM_TPR_ACCESS_REPORTING, &ctl);
})

OP(msr_filter, BARE, NULL, {
	static uint8_t bitmap[64];
	struct hvm_msr_filter f = {
		.ranges[0] = { .flags = HVM_MSR_FILTER_READ, .nmsrs = 64,
			       .base = 0x100, .bitmap = bitmap },
		.ranges[3] = { .flags = HVM_MSR_FILTER_WRITE, .nmsrs = 32,
			       .base = 0xc0000080, .bitmap = bitmap },
	};

	return call(x->vm->fd, HVM_X86_SET_MSR_FILTER, &f);
})

/* ---- a vCPU ---- */

#define GET(name, cmd) OP(name, CHIP, NULL, return call(x->c->fd, cmd, buf);)
#define READ_FIRST(name, get)						\
static void name(struct fault_ctx *x) { fresh(); call(x->c->fd, get, buf); }
#define BOTH(name, NAME)						\
	READ_FIRST(read_##name, HVM_GET_##NAME)				\
	GET(get_##name, HVM_GET_##NAME)					\
	OP(set_##name, CHIP, read_##name, return call(x->c->fd, HVM_SET_##NAME, buf);)

BOTH(regs, REGS)
BOTH(sregs, SREGS)
BOTH(sregs2, SREGS2)
BOTH(fpu, FPU)
BOTH(xsave, XSAVE)
BOTH(debugregs, DEBUGREGS)
BOTH(lapic, LAPIC)
BOTH(mp_state, MP_STATE)
BOTH(vcpu_events, VCPU_EVENTS)
GET(get_xsave2, HVM_GET_XSAVE2)

static void fill_cpuid(struct fault_ctx *x)
{
	*(uint32_t *)fresh() = 256;
	call(x->vm->dev, HVM_GET_SUPPORTED_CPUID, buf);
}

OP(set_cpuid, CHIP, fill_cpuid, return call(x->c->fd, HVM_SET_CPUID2, buf);)
OP(get_cpuid, CHIP, set_count, {
	*(uint32_t *)buf = 256;
	return call(x->c->fd, HVM_GET_CPUID2, buf);
})

static void fill_msrs(struct fault_ctx *x)
{
	static const uint32_t some[] = {
		MSR_TSC, MSR_APICBASE, MSR_SYSENTER_EIP, MSR_EFER, MSR_LSTAR,
	};
	struct hvm_msrs *m = fresh();
	size_t i;

	m->nmsrs = ARRAY_LEN(some);
	for (i = 0; i < ARRAY_LEN(some); i++)
		m->entries[i].index = some[i];
	call(x->c->fd, HVM_GET_MSRS, m);
}

GET(get_msrs_none, HVM_GET_MSRS)
OP(get_msrs, CHIP, fill_msrs, return call(x->c->fd, HVM_GET_MSRS, buf);)
OP(set_msrs, CHIP, fill_msrs, return call(x->c->fd, HVM_SET_MSRS, buf);)
OP(translate, CHIP, NULL, {
	struct hvm_translation t = { .linear_address = 0x1000 };

	return hvm_translate(x->c->fd, &t);
})
OP(guest_debug, CHIP, NULL, {
	struct hvm_guest_debug d = {
		.control = HVM_GUESTDBG_ENABLE | HVM_GUESTDBG_SINGLESTEP,
	};

	return hvm_set_guest_debug(x->c->fd, &d);
})
OP(signal_mask, CHIP, NULL, {
	uint64_t mask = 0;

	return hvm_set_signal_mask(x->c->fd, &mask, 8);
})
OP(interrupt, BARE, NULL, return hvm_interrupt(x->c->fd, 0x40);)
OP(nmi, BARE, NULL, return hvm_nmi(x->c->fd);)
OP(kvmclock_msr, CHIP, NULL,
   return hvm_set_msr(x->c->fd, 0x4b564d01, 0x180001);)
OP(vcpu_stats, BARE, NULL, return keep(x, hvm_get_stats_fd(x->c->fd));)

static void open_stats(struct fault_ctx *x)
{
	fresh();
	x->fd = hvm_get_stats_fd(x->c->fd);
}

OP(read_stats, BARE, open_stats, {
	ssize_t n = pread(x->fd, buf, sizeof(buf), 0);

	return n < 0 ? -errno : 0;
})

OP(map_run, BARE, NULL, {
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, x->c->fd, 0);

	if (p == MAP_FAILED)
		return -errno;
	munmap(p, 4096);
	return 0;
})

/* ---- the end: nothing may keep it from coming ---- */

OP(close_vcpu, CHIP, NULL, {
	hvm_vcpu_close(&x->c->h);
	return 0;
})
OP(close_vm, CHIP, add_irqfd, {
	close(x->vm->fd);
	x->vm->fd = dup(2);
	hvm_vcpu_close(&x->c->h);
	return 0;
})

TEST_HARNESS_MAIN
