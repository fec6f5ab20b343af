/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ACPI tables. See acpi.c.
 */
#ifndef VMM_ACPI_H
#define VMM_ACPI_H

#include <stddef.h>
#include <stdint.h>

/**
 * acpi_build() - write the tables
 * @to: where; zeroed
 * @room: bytes there
 * @gpa: the same place to the guest, a multiple of 64
 * @cpus: vCPUs, whose APIC IDs are 0 to @cpus - 1; at most 255
 *
 * The RSDP is at @gpa. Return: bytes used; -ENOSPC.
 */
long acpi_build(void *to, size_t room, uint64_t gpa, unsigned int cpus);

#endif
