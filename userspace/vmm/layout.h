/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest's address map. What firmware would have left in the first
 * mebibyte, and where the devices are.
 */
#ifndef VMM_LAYOUT_H
#define VMM_LAYOUT_H

/* Below 640K: what the kernel is started with. It is RAM to the guest. */
#define GPA_PVH_INFO	0x6000u		/* start info, module, memory map */
#define GPA_BOOT_PARAMS	0x7000u
#define GPA_GDT		0x8000u
#define GPA_PAGE_TABLES	0x9000u		/* six pages */
#define GPA_CMDLINE	0x20000u
#define CMDLINE_ROOM	0x10000u
#define GPA_LOW_END	0x9fc00u

/* Reserved: the ACPI tables, where a BIOS keeps them */
#define GPA_ACPI	0xe0000u
#define ACPI_ROOM	0x20000u

/* From here on the kernel and its initial RAM disk */
#define GPA_KERNEL_MIN	0x100000u

/* RAM makes room for the devices between 3 and 4 GiB. */
#define GPA_HOLE	0xc0000000ull
#define GPA_HOLE_END	0x100000000ull
#define GPA_IOAPIC	0xfec00000u
#define GPA_LAPIC	0xfee00000u
#define GPA_IDENTITY	0xfffbc000u	/* VT-x without unrestricted guest */
#define GPA_TSS		0xfffbd000u	/* the same; three pages */

/* Ports; those above 0x3ff are also in dsdt.asl. */
#define PORT_RTC	0x70
#define PORT_I8042_DATA	0x60
#define PORT_I8042_CMD	0x64
#define PORT_SERIAL	0x3f8
#define PORT_PVPANIC	0x505
#define PORT_PM1_EVT	0x600
#define PORT_PM1_CNT	0x604
#define PORT_PM_TMR	0x608
#define PORT_PCI	0xcf8
#define PORT_RESET	0xcf9

/* Interrupts: the IOAPIC's pins */
#define IRQ_SERIAL	4
#define IRQ_SCI		9

#endif
