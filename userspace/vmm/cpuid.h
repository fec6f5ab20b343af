/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the guest's CPUID says. See cpuid.c.
 */
#ifndef VMM_CPUID_H
#define VMM_CPUID_H

#include <libhvm.h>
#include <stdbool.h>

/**
 * cpuid_make() - the CPUID table that all vCPUs start from
 * @supported: what the kernel offers; left as it is
 * @cpus: vCPUs: cores of one package, one thread each
 * @tsc_khz: the TSC's frequency, or 0 if it is not known
 * @tsc_deadline: the local APIC's timer has the TSC-deadline mode
 *
 * Return: a table for cpuid_personalize() and free(3), or NULL for want of
 * memory.
 */
struct hvm_cpuid2 *cpuid_make(const struct hvm_cpuid2 *supported,
			      unsigned int cpus, unsigned int tsc_khz,
			      bool tsc_deadline);

/** cpuid_personalize() - make the table that of the vCPU with APIC ID @id */
void cpuid_personalize(struct hvm_cpuid2 *cpuid, unsigned int id);

#endif
