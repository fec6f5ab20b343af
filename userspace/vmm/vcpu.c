// SPDX-License-Identifier: GPL-2.0-only
/*
 * vCPUs: the state they start in, the thread that runs each, and what happens
 * when the kernel hands one back.
 *
 * Only its own thread touches a running vCPU, but for one thing: to stop it,
 * vm->stop is set and its thread gets SIGUSR1. Should the signal come just
 * before the thread enters the kernel, the handler has set immediate_exit,
 * and the kernel returns at once; so no stop is ever missed.
 */
#include "vcpu.h"
#include "cpuid.h"
#include "layout.h"
#include "vm.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KICK_SIGNAL	SIGUSR1
#define STACK_SIZE	(64ul << 10)

#define MSR_MISC_ENABLE	0x1a0
#define MISC_FAST_STRINGS 1
#define MSR_MTRR_DEFTYPE 0x2ff
#define MTRR_ENABLE	(1u << 11)
#define MTRR_WRITE_BACK	6

#define CR0_PE		(1ull << 0)
#define CR0_ET		(1ull << 4)
#define CR0_NE		(1ull << 5)
#define CR0_PG		(1ull << 31)
#define CR4_PAE		(1ull << 5)
#define EFER_LME	(1ull << 8)
#define EFER_LMA	(1ull << 10)
#define RFLAGS_FIXED	(1ull << 1)

/* The segments both boot protocols ask for, and a TSS for VT-x' sake */
#define SELECTOR_CODE	0x10
#define SELECTOR_DATA	0x18
#define SELECTOR_TSS	0x20
#define TYPE_CODE	11
#define TYPE_DATA	3
#define TYPE_TSS_BUSY	11

/* ---- the state they start in ---- */

static uint64_t descriptor(const struct hvm_segment *s)
{
	uint64_t limit = s->g ? s->limit >> 12 : s->limit;

	return (limit & 0xffff) | (limit >> 16 & 0xf) << 48 |
	       (uint64_t)s->type << 40 | (uint64_t)s->s << 44 |
	       (uint64_t)s->dpl << 45 | (uint64_t)s->present << 47 |
	       (uint64_t)s->l << 53 | (uint64_t)s->db << 54 |
	       (uint64_t)s->g << 55;
}

static void set_segments(struct vm *vm, struct hvm_sregs *sregs, bool long_mode)
{
	const struct hvm_segment code = {
		.limit = 0xffffffff, .selector = SELECTOR_CODE,
		.type = TYPE_CODE, .present = 1, .s = 1, .g = 1,
		.l = long_mode, .db = !long_mode,
	}, data = {
		.limit = 0xffffffff, .selector = SELECTOR_DATA,
		.type = TYPE_DATA, .present = 1, .s = 1, .g = 1, .db = 1,
	}, tss = {
		.limit = 0x67, .selector = SELECTOR_TSS,
		.type = TYPE_TSS_BUSY, .present = 1,
	};
	uint64_t gdt[6] = { 0 };

	sregs->cs = code;
	sregs->ds = sregs->es = sregs->ss = sregs->fs = sregs->gs = data;
	sregs->tr = tss;
	gdt[SELECTOR_CODE / 8] = descriptor(&code);
	gdt[SELECTOR_DATA / 8] = descriptor(&data);
	gdt[SELECTOR_TSS / 8] = descriptor(&tss);
	memcpy(memory_at(&vm->mem, GPA_GDT, sizeof(gdt)), gdt, sizeof(gdt));
	sregs->gdt.base = GPA_GDT;
	sregs->gdt.limit = sizeof(gdt) - 1;
	sregs->idt.limit = 0;
}

/* The first vCPU starts the kernel; the others wait for INIT and SIPI. */
static int set_boot_state(struct vcpu *vcpu)
{
	const struct boot *boot = &vcpu->vm->boot;
	struct hvm_regs regs = {
		.rip = boot->entry,
		.rflags = RFLAGS_FIXED,
	};
	struct hvm_sregs sregs;
	int ret;

	ret = hvm_get_sregs(vcpu->h.fd, &sregs);
	if (ret)
		return ret;
	set_segments(vcpu->vm, &sregs, boot->long_mode);
	sregs.cr0 = CR0_PE | CR0_ET;
	if (boot->long_mode) {
		sregs.cr0 |= CR0_NE | CR0_PG;
		sregs.cr3 = GPA_PAGE_TABLES;
		sregs.cr4 = CR4_PAE;
		sregs.efer = EFER_LME | EFER_LMA;
		regs.rsi = boot->info;
	} else {
		regs.rbx = boot->info;
	}
	ret = hvm_set_sregs(vcpu->h.fd, &sregs);
	return ret ?: hvm_set_regs(vcpu->h.fd, &regs);
}

/* What firmware leaves in the MSRs: memory is cached, strings are fast */
static int set_msrs(struct vcpu *vcpu)
{
	uint64_t misc;

	if (!hvm_get_msr(vcpu->h.fd, MSR_MISC_ENABLE, &misc))
		hvm_set_msr(vcpu->h.fd, MSR_MISC_ENABLE,
			    misc | MISC_FAST_STRINGS);
	return hvm_set_msr(vcpu->h.fd, MSR_MTRR_DEFTYPE,
			   MTRR_ENABLE | MTRR_WRITE_BACK);
}

static int set_state(struct vcpu *vcpu, struct hvm_cpuid2 *cpuid)
{
	int ret;

	cpuid_personalize(cpuid, vcpu->id);
	ret = hvm_set_cpuid2(vcpu->h.fd, cpuid);
	if (!ret)
		ret = set_msrs(vcpu);
	if (!ret && vcpu->id == 0)
		ret = set_boot_state(vcpu);
	return ret;
}

static struct hvm_cpuid2 *make_cpuid(struct vm *vm)
{
	int khz = hvm_get_tsc_khz(vm->vcpu[0].h.fd);
	struct hvm_cpuid2 *supported, *cpuid;
	bool deadline;
	int ret;

	ret = hvm_get_supported_cpuid(vm->dev, &supported);
	if (ret < 0) {
		fail_host(ret, "the kernel does not tell what CPUID may say");
		return NULL;
	}
	deadline = hvm_check_extension(vm->dev,
				       HVM_CAP_TSC_DEADLINE_TIMER) > 0;
	cpuid = cpuid_make(supported, vm->nvcpus, khz > 0 ? khz : 0, deadline);
	free(supported);
	if (!cpuid)
		fail_host(-ENOMEM, "no memory for the CPUID table");
	return cpuid;
}

int vcpus_create(struct vm *vm)
{
	struct hvm_cpuid2 *cpuid;
	unsigned int i;
	int ret = 0;

	vm->vcpu = calloc(vm->cfg->cpus, sizeof(*vm->vcpu));
	if (!vm->vcpu)
		return fail_host(-ENOMEM, "no memory for the vCPUs");
	for (i = 0; i < vm->cfg->cpus; i++) {
		vm->vcpu[i].vm = vm;
		vm->vcpu[i].id = i;
		ret = hvm_vcpu_open(vm->dev, vm->fd, i, &vm->vcpu[i].h);
		if (ret)
			return fail_host(ret, "vCPU %u was refused", i);
		vm->nvcpus = i + 1;
	}
	cpuid = make_cpuid(vm);
	if (!cpuid)
		return -EIO;
	for (i = 0; i < vm->nvcpus && !ret; i++)
		ret = set_state(&vm->vcpu[i], cpuid);
	free(cpuid);
	return ret ? fail_host(ret, "vCPU %u could not be set up", i - 1) : 0;
}

void vcpus_destroy(struct vm *vm)
{
	unsigned int i;

	for (i = 0; i < vm->nvcpus; i++)
		hvm_vcpu_close(&vm->vcpu[i].h);
	free(vm->vcpu);
	vm->vcpu = NULL;
	vm->nvcpus = 0;
}

/* ---- what the kernel hands back ---- */

static void handle_io(struct vcpu *vcpu)
{
	struct hvm_run *run = vcpu->h.run;
	uint8_t *data = (uint8_t *)run + run->io.data_offset;
	bool write = run->io.direction == HVM_EXIT_IO_OUT;
	uint32_t i;

	for (i = 0; i < run->io.count; i++) {
		iotrap_access(&vcpu->vm->traps, IOTRAP_PIO, run->io.port, data,
			      run->io.size, write);
		data += run->io.size;
	}
}

static void handle_mmio(struct vcpu *vcpu)
{
	struct hvm_run *run = vcpu->h.run;

	iotrap_access(&vcpu->vm->traps, IOTRAP_MMIO, run->mmio.phys_addr,
		      run->mmio.data, run->mmio.len, run->mmio.is_write);
}

static unsigned long long guest_rip(struct vcpu *vcpu)
{
	struct hvm_regs regs;

	return hvm_get_regs(vcpu->h.fd, &regs) ? 0 : regs.rip;
}

static int handle_internal_error(struct vcpu *vcpu)
{
	const struct hvm_run *run = vcpu->h.run;
	uint32_t n = run->internal.ndata, i;
	char data[300] = "";
	size_t used = 0;

	if (n > 16)
		n = 16;
	for (i = 0; i < n; i++)
		used += snprintf(data + used, sizeof(data) - used, " %llx",
				 (unsigned long long)run->internal.data[i]);
	return fail_host(0, "vCPU %u stopped at 0x%llx with internal error %u%s%s",
			 vcpu->id, guest_rip(vcpu), run->internal.suberror,
			 n ? ", data" : "", data);
}

static void handle_system_event(struct vcpu *vcpu)
{
	switch (vcpu->h.run->system_event.type) {
	case HVM_SYSTEM_EVENT_SHUTDOWN:
		vm_end(vcpu->vm, STATUS_POWEROFF);
		break;
	case HVM_SYSTEM_EVENT_RESET:
		vm_end(vcpu->vm, STATUS_RESET);
		break;
	case HVM_SYSTEM_EVENT_CRASH:
		fail_host(0, "the guest said that it crashed");
		vm_end(vcpu->vm, STATUS_PANIC);
		break;
	}
}

/* Return: negative if the guest cannot go on */
static int handle_exit(struct vcpu *vcpu)
{
	struct hvm_run *run = vcpu->h.run;

	switch (run->exit_reason) {
	case HVM_EXIT_IO:
		handle_io(vcpu);
		return 0;
	case HVM_EXIT_MMIO:
		handle_mmio(vcpu);
		return 0;
	case HVM_EXIT_IOAPIC_EOI:
		ioapic_eoi(&vcpu->vm->ioapic, run->eoi.vector);
		return 0;
	case HVM_EXIT_INTR:
	case HVM_EXIT_IRQ_WINDOW_OPEN:
		return 0;
	case HVM_EXIT_SYSTEM_EVENT:
		handle_system_event(vcpu);
		return 0;
	case HVM_EXIT_SHUTDOWN:
		fail_host(0, "the guest crashed: triple fault on vCPU %u, at 0x%llx",
			  vcpu->id, guest_rip(vcpu));
		vm_end(vcpu->vm, STATUS_CRASH);
		return 0;
	case HVM_EXIT_FAIL_ENTRY:
		return fail_host(0, "vCPU %u cannot be entered, reason 0x%llx",
				 vcpu->id,
				 (unsigned long long)run->fail_entry.hardware_entry_failure_reason);
	case HVM_EXIT_INTERNAL_ERROR:
		return handle_internal_error(vcpu);
	}
	return fail_host(0, "vCPU %u stopped at 0x%llx: exit reason %u (%s) is not expected",
			 vcpu->id, guest_rip(vcpu), run->exit_reason,
			 hvm_exit_name(run->exit_reason));
}

/* ---- the thread ---- */

static __thread struct hvm_run *this_run;

static void on_kick(int sig)
{
	(void)sig;
	if (this_run)
		this_run->immediate_exit = 1;
}

static void run_once(struct vcpu *vcpu)
{
	struct hvm_run *run = vcpu->h.run;
	int ret = hvm_vcpu_run(vcpu->h.fd);

	if (!ret) {
		uint32_t reason = run->exit_reason;

		vcpu->exits[reason < EXIT_REASONS ? reason : 0]++;
		ret = handle_exit(vcpu);
	} else if (ret == -EINTR) {
		run->immediate_exit = 0;
		ret = 0;
	} else if (ret == -EAGAIN) {
		/* It was waiting for its SIPI and something else came. */
		ret = 0;
	} else {
		fail_host(ret, "vCPU %u could not be run", vcpu->id);
	}
	if (ret)
		vm_end(vcpu->vm, STATUS_OTHER);
}

/* "hvm-NAME/N", of whose NAME as much is left as 15 bytes allow */
static void set_thread_name(const struct vcpu *vcpu)
{
	char number[8], name[16];
	int room;

	snprintf(number, sizeof(number), "/%u", vcpu->id & 0xffff);
	room = sizeof(name) - 1 - strlen("hvm-") - strlen(number);
	snprintf(name, sizeof(name), "hvm-%.*s%s", room, vcpu->vm->cfg->name,
		 number);
	pthread_setname_np(pthread_self(), name);
}

static void *vcpu_thread(void *ptr)
{
	struct vcpu *vcpu = ptr;

	set_thread_name(vcpu);
	this_run = vcpu->h.run;
	while (!atomic_load_explicit(&vcpu->vm->stop, memory_order_acquire))
		run_once(vcpu);
	return NULL;
}

int vcpus_start(struct vm *vm)
{
	struct sigaction sa = { .sa_handler = on_kick };
	pthread_attr_t attr;
	unsigned int i;
	int ret = 0;

	sigaction(KICK_SIGNAL, &sa, NULL);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	for (i = 0; i < vm->nvcpus && !ret; i++) {
		ret = pthread_create(&vm->vcpu[i].thread, &attr, vcpu_thread,
				     &vm->vcpu[i]);
		vm->vcpu[i].started = !ret;
	}
	pthread_attr_destroy(&attr);
	return ret ? fail_host(-ret, "vCPU %u got no thread", i - 1) : 0;
}

void vcpus_stop(struct vm *vm)
{
	unsigned int i;

	atomic_store(&vm->stop, true);
	atomic_store(&vm->console.closing, true);
	for (i = 0; i < vm->nvcpus; i++)
		if (vm->vcpu[i].started)
			pthread_kill(vm->vcpu[i].thread, KICK_SIGNAL);
	for (i = 0; i < vm->nvcpus; i++) {
		if (vm->vcpu[i].started)
			pthread_join(vm->vcpu[i].thread, NULL);
		vm->vcpu[i].started = false;
	}
}
