// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest and its machine: made from the pieces, wired together, taken apart
 * again. The wiring is what the devices call: interrupt lines lead to the
 * IOAPIC, its messages to the kernel, ends to vm_end().
 *
 * The local APICs are in the kernel, the IOAPIC is here: a split irqchip. The
 * kernel reports the end of a level-triggered interrupt only if it finds its
 * message in the routing table, so that is where the IOAPIC's level-triggered
 * pins are; edges go to the kernel as they come and need no route.
 *
 * vm->lock guards how the guest ended, vm->route_lock the routes. The latter
 * is taken with the IOAPIC's lock held.
 */
#include "vm.h"
#include "acpi.h"
#include "layout.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* ---- how it ends ---- */

void vm_wake(struct vm *vm)
{
	const uint64_t one = 1;

	(void)!write(vm->wake, &one, sizeof(one));
}

void vm_end(struct vm *vm, enum exit_status status)
{
	pthread_mutex_lock(&vm->lock);
	if (!vm->ended) {
		vm->ended = true;
		vm->status = status;
	}
	pthread_mutex_unlock(&vm->lock);
	atomic_store(&vm->stop, true);
	vm_wake(vm);
}

bool vm_has_ended(struct vm *vm, enum exit_status *status)
{
	bool ended;

	pthread_mutex_lock(&vm->lock);
	ended = vm->ended;
	if (ended)
		*status = vm->status;
	pthread_mutex_unlock(&vm->lock);
	return ended;
}

static void on_poweroff(void *ptr)
{
	vm_end(ptr, STATUS_POWEROFF);
}

static void on_reset(void *ptr)
{
	vm_end(ptr, STATUS_RESET);
}

static void on_panic(void *ptr)
{
	fail_host(0, "the guest panicked; its console says why");
	vm_end(ptr, STATUS_PANIC);
}

/* ---- interrupts ---- */

static void send_message(void *ptr, uint64_t address, uint32_t data)
{
	struct vm *vm = ptr;
	int ret = hvm_signal_msi(vm->fd, address, data);

	/*
	 * A guest may well send to nobody, or with a vector that is none; the
	 * message is lost then, as on the bus.
	 */
	if (ret < 0 && ret != -EINVAL && ret != -EPERM) {
		fail_host(ret, "an interrupt was refused");
		vm_end(vm, STATUS_OTHER);
	}
}

static void set_route(void *ptr, unsigned int pin, uint64_t address,
		      uint32_t data)
{
	struct vm *vm = ptr;
	union {
		struct hvm_irq_routing routing;
		char room[sizeof(struct hvm_irq_routing) + IOAPIC_PINS *
			  sizeof(struct hvm_irq_routing_entry)];
	} table = { .room = { 0 } };
	struct hvm_irq_routing *routing = &table.routing;
	unsigned int i;
	int ret;

	pthread_mutex_lock(&vm->route_lock);
	vm->routes[pin].address = address;
	vm->routes[pin].data = data;
	for (i = 0; i < IOAPIC_PINS; i++) {
		struct hvm_irq_routing_entry *e;

		if (!vm->routes[i].address)
			continue;
		e = &routing->entries[routing->nr++];
		e->gsi = i;
		e->type = HVM_IRQ_ROUTING_MSI;
		e->u.msi.address_lo = vm->routes[i].address;
		e->u.msi.address_hi = vm->routes[i].address >> 32;
		e->u.msi.data = vm->routes[i].data;
	}
	ret = hvm_set_gsi_routing(vm->fd, routing);
	pthread_mutex_unlock(&vm->route_lock);
	if (ret < 0) {
		fail_host(ret, "interrupt routes were refused");
		vm_end(vm, STATUS_OTHER);
	}
}

static void serial_irq(void *ptr, bool high)
{
	struct vm *vm = ptr;

	ioapic_set_line(&vm->ioapic, IRQ_SERIAL, high);
}

static void serial_output(void *ptr, uint8_t byte)
{
	struct vm *vm = ptr;

	console_put(&vm->console, byte);
}

static void serial_readable(void *ptr)
{
	vm_wake(ptr);
}

static void sci_irq(void *ptr, bool high)
{
	struct vm *vm = ptr;

	ioapic_set_line(&vm->ioapic, IRQ_SCI, high);
}

static const struct ioapic_ops ioapic_ops = {
	.send = send_message,
	.route = set_route,
};

static const struct serial_ops serial_ops = {
	.irq = serial_irq,
	.output = serial_output,
	.readable = serial_readable,
};

static const struct pm_ops pm_ops = {
	.sci = sci_irq,
	.poweroff = on_poweroff,
	.reset = on_reset,
	.panic = on_panic,
};

/* ---- making it ---- */

int vm_load(struct vm *vm, const struct config *cfg)
{
	struct boot *boot = &vm->boot;
	int ret;

	vm->cfg = cfg;
	vm->dev = vm->fd = vm->wake = -1;
	pthread_mutex_init(&vm->lock, NULL);
	pthread_mutex_init(&vm->route_lock, NULL);
	ret = memory_create(&vm->mem, cfg->memory);
	if (ret)
		return ret;
	boot->mem = &vm->mem;
	boot->cmdline = cfg->cmdline;
	boot->rsdp = GPA_ACPI;
	if (acpi_build(memory_at(&vm->mem, GPA_ACPI, ACPI_ROOM), ACPI_ROOM,
		       GPA_ACPI, cfg->cpus) < 0)
		return fail_host(0, "the ACPI tables have no room");
	return boot_load(boot, cfg->kernel, cfg->initrd);
}

static int open_device(struct vm *vm)
{
	const char *path = hvm_device_path(vm->cfg->device);

	vm->dev = hvm_open(path);
	if (vm->dev >= 0)
		return 0;
	if (vm->cfg->device && (vm->dev == -ENOENT || vm->dev == -ENOTTY))
		return fail_input("--device '%s' is not a hypervisor's device",
				  path);
	if (vm->dev == -EPROTO)
		return fail_host(0, "%s speaks another API version; the module and hvm do not belong together",
				 path);
	return fail_host(vm->dev, "%s cannot be used ('hvm check' tells what to do)",
			 path);
}

static int check_capabilities(struct vm *vm)
{
	static const struct {
		long cap;
		const char *name;
	} needed[] = {
		{ HVM_CAP_USER_MEMORY, "user memory" },
		{ HVM_CAP_SPLIT_IRQCHIP, "a split irqchip" },
		{ HVM_CAP_SIGNAL_MSI, "message-signalled interrupts" },
		{ HVM_CAP_EXT_CPUID, "CPUID tables" },
		{ HVM_CAP_IMMEDIATE_EXIT, "immediate exits" },
	};
	unsigned int i;
	int max;

	for (i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if (hvm_check_extension(vm->dev, needed[i].cap) <= 0)
			return fail_host(0, "the kernel does not offer %s",
					 needed[i].name);
	max = hvm_check_extension(vm->dev, HVM_CAP_MAX_VCPUS);
	if (max > 0 && vm->cfg->cpus > (unsigned int)max)
		return fail_input("--cpus %u: this host's guests can have %d",
				  vm->cfg->cpus, max);
	return 0;
}

/* Memory that no guest-physical address reaches would be no use. */
static int check_address_width(struct vm *vm)
{
	struct hvm_cpuid2 *supported;
	struct hvm_cpuid_entry2 *e;
	uint64_t end = vm->mem.size;
	unsigned int bits;
	int ret;

	ret = hvm_get_supported_cpuid(vm->dev, &supported);
	if (ret)
		return fail_host(ret, "the kernel does not tell what CPUID may say");
	e = hvm_cpuid_find(supported, 0x80000008, 0);
	bits = e ? e->eax & 0xff : 36;
	free(supported);
	if (end > GPA_HOLE)
		end += GPA_HOLE_END - GPA_HOLE;
	if (bits < 64 && end > 1ull << bits)
		return fail_input("--memory: this host's guests have %u address bits, enough for %llu GiB",
				  bits, (1ull << bits >> 30) - 1);
	return 0;
}

/* VT-x without unrestricted guest needs pages; elsewhere they mean nothing. */
static int reserve_pages(struct vm *vm)
{
	int ret = 0;

	if (hvm_check_extension(vm->fd, HVM_CAP_SET_IDENTITY_MAP_ADDR) > 0)
		ret = hvm_set_identity_map_addr(vm->fd, GPA_IDENTITY);
	if (!ret && hvm_check_extension(vm->fd, HVM_CAP_SET_TSS_ADDR) > 0)
		ret = hvm_set_tss_addr(vm->fd, GPA_TSS);
	return ret;
}

static int create_fd(struct vm *vm)
{
	int ret;

	vm->fd = hvm_create_vm(vm->dev, 0);
	if (vm->fd < 0)
		return fail_host(vm->fd, "the kernel refused a new VM ('hvm check' tells what may be in the way)");
	ret = reserve_pages(vm);
	if (!ret)
		ret = hvm_split_irqchip(vm->fd, IOAPIC_PINS);
	if (ret)
		return fail_host(ret, "the VM could not be set up");
	return memory_register(&vm->mem, vm->fd);
}

static int create_devices(struct vm *vm)
{
	struct iotrap *t = &vm->traps;
	int ret;

	ioapic_init(&vm->ioapic, &ioapic_ops, vm);
	serial_init(&vm->serial, &serial_ops, vm);
	rtc_init(&vm->rtc);
	pci_init(&vm->pci, on_reset, vm);
	pm_init(&vm->pm, &pm_ops, vm);
	ret = iotrap_add(t, IOTRAP_MMIO, GPA_IOAPIC, IOAPIC_SIZE,
			 ioapic_access, &vm->ioapic);
	if (!ret && vm->cfg->serial != SERIAL_OFF)
		ret = iotrap_add(t, IOTRAP_PIO, PORT_SERIAL, SERIAL_PORTS,
				 serial_access, &vm->serial);
	if (!ret)
		ret = iotrap_add(t, IOTRAP_PIO, PORT_RTC, RTC_PORTS,
				 rtc_access, &vm->rtc);
	if (!ret)
		ret = iotrap_add(t, IOTRAP_PIO, PORT_PCI, PCI_PORTS,
				 pci_access, &vm->pci);
	if (!ret)
		ret = pm_register(&vm->pm, t);
	return ret ? fail_host(ret, "the devices do not fit") : 0;
}

int vm_create(struct vm *vm)
{
	vm->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (vm->wake < 0)
		return fail_host(-errno, "no eventfd is to be had");
	if (open_device(vm) || check_capabilities(vm) ||
	    check_address_width(vm) || create_fd(vm) ||
	    create_devices(vm) || vcpus_create(vm))
		return -1;
	return 0;
}

void vm_destroy(struct vm *vm)
{
	vcpus_destroy(vm);
	console_close(&vm->console);
	if (vm->fd >= 0)
		close(vm->fd);
	if (vm->dev >= 0)
		close(vm->dev);
	if (vm->wake >= 0)
		close(vm->wake);
	memory_destroy(&vm->mem);
	vm->fd = vm->dev = vm->wake = -1;
}
