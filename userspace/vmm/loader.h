/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Putting a kernel into guest memory. loader.c looks at the file and finds
 * room for the initial RAM disk; boot_linux.c and boot_pvh.c each know a way
 * to start a kernel.
 */
#ifndef VMM_LOADER_H
#define VMM_LOADER_H

#include "file.h"
#include "memory.h"

#include <stdbool.h>

/* Linux' COMMAND_LINE_SIZE less the final NUL */
#define CMDLINE_MAX 2047

/**
 * struct boot - a guest's start
 * @mem: its memory
 * @kernel: the kernel's file
 * @initrd: the initial RAM disk's file; .fd is -1 if there is none
 * @cmdline: the kernel's command line
 * @rsdp: where the ACPI tables begin
 * @initrd_addr: where initrd_load() put it
 * @long_mode: the first vCPU starts in 64-bit mode, else in 32-bit mode
 * @entry: its first instruction
 * @info: what it is handed: RSI in 64-bit mode, EBX in 32-bit mode
 */
struct boot {
	struct memory *mem;
	struct file kernel;
	struct file initrd;
	const char *cmdline;
	uint64_t rsdp;

	uint64_t initrd_addr;

	bool long_mode;
	uint64_t entry;
	uint64_t info;
};

/**
 * boot_load() - load @kernel, and @initrd unless NULL, ready to start
 * @boot: .mem, .cmdline and .rsdp are set
 *
 * The files are closed again, whatever happens.
 */
int boot_load(struct boot *boot, const char *kernel, const char *initrd);

/**
 * initrd_load() - put the initial RAM disk as high as it may lie
 * @kernel_end: the kernel needs what is below
 * @limit: the disk's last byte lies below this
 */
int initrd_load(struct boot *boot, uint64_t kernel_end, uint64_t limit);

/** cmdline_load() - copy the command line; @max: bytes the kernel takes */
int cmdline_load(struct boot *boot, size_t max);

/** boot_linux_load() - a bzImage, by the 64-bit boot protocol */
int boot_linux_load(struct boot *boot);
/** boot_pvh_load() - an ELF kernel, by the PVH boot protocol */
int boot_pvh_load(struct boot *boot);

#endif
