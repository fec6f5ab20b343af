/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A guest and its machine. See vm.c.
 */
#ifndef VMM_VM_H
#define VMM_VM_H

#include "args.h"
#include "console.h"
#include "error.h"
#include "ioapic.h"
#include "iotrap.h"
#include "loader.h"
#include "memory.h"
#include "pci.h"
#include "pm.h"
#include "rtc.h"
#include "serial.h"
#include "vcpu.h"

#include <libhvm.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

/**
 * struct vm - everything that belongs to one guest
 * @cfg: what the user asked for
 * @dev: the device, @fd: the VM
 * @wake: an eventfd that the main thread waits on
 * @start_ns: when the program began, by CLOCK_MONOTONIC
 * @stop: vCPU threads are to end
 * @lock: guards @ended and @status
 * @ended: the guest has come to its end
 * @status: how
 * @route_lock: guards @routes
 * @routes: what the level-triggered pins send; an address of 0: nothing
 */
struct vm {
	const struct config *cfg;
	int dev;
	int fd;
	int wake;
	unsigned long long start_ns;
	atomic_bool stop;

	struct memory mem;
	struct boot boot;
	struct iotrap traps;
	struct ioapic ioapic;
	struct serial serial;
	struct rtc rtc;
	struct pci pci;
	struct pm pm;
	struct console console;
	struct vcpu *vcpu;
	unsigned int nvcpus;

	pthread_mutex_t lock;
	bool ended;
	enum exit_status status;

	pthread_mutex_t route_lock;
	struct {
		uint64_t address;
		uint32_t data;
	} routes[IOAPIC_PINS];
};

/** vm_load() - memory with a kernel in it; needs no device */
int vm_load(struct vm *vm, const struct config *cfg);
/** vm_create() - the VM, its devices and its vCPUs, ready to run */
int vm_create(struct vm *vm);
/** vm_destroy() - give everything back, however much of it there is */
void vm_destroy(struct vm *vm);

/**
 * vm_end() - the guest has come to its end, with this status
 *
 * The first call counts. May be called from any thread.
 */
void vm_end(struct vm *vm, enum exit_status status);
/** vm_has_ended() - whether it has, and with which status */
bool vm_has_ended(struct vm *vm, enum exit_status *status);
/** vm_wake() - have the main thread look around */
void vm_wake(struct vm *vm);

#endif
