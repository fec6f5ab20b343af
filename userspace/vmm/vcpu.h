/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vCPUs and their threads. See vcpu.c.
 */
#ifndef VMM_VCPU_H
#define VMM_VCPU_H

#include <libhvm.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define EXIT_REASONS 64

struct vm;

/**
 * struct vcpu - one vCPU
 * @vm: whose
 * @id: its number and APIC ID
 * @h: the kernel's side of it
 * @thread: runs it, if @started
 * @exits: how often it came back to userspace, by reason; its thread's own
 */
struct vcpu {
	struct vm *vm;
	unsigned int id;
	struct hvm_vcpu_fd h;
	pthread_t thread;
	bool started;
	uint64_t exits[EXIT_REASONS];
};

/** vcpus_create() - all of a VM's vCPUs, in the state they start in */
int vcpus_create(struct vm *vm);
/** vcpus_start() - a thread for each */
int vcpus_start(struct vm *vm);
/** vcpus_stop() - make the threads end, and wait until they have */
void vcpus_stop(struct vm *vm);
/** vcpus_destroy() - close them; their threads have ended */
void vcpus_destroy(struct vm *vm);

#endif
