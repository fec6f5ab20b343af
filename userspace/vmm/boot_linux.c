// SPDX-License-Identifier: GPL-2.0-only
/*
 * Starting a bzImage by the 64-bit boot protocol: Documentation/x86/boot.rst
 * of the kernel describes the header, struct boot_params, and the state that
 * the kernel expects: 64-bit mode, flat segments, what it will touch mapped
 * one to one, RSI pointing to the boot parameters.
 */
#include "error.h"
#include "layout.h"
#include "loader.h"

#include <asm/bootparam.h>
#include <stddef.h>
#include <string.h>

#define HEADER_OFFSET	offsetof(struct boot_params, hdr)
#define PROTOCOL_MIN	0x020c		/* 2.12: xloadflags; Linux 3.8 */
#define ENTRY_64	0x200
#define LOADER_UNKNOWN	0xff
#define PTE_PRESENT_RW	0x3
#define PTE_LARGE	0x80

/* The kernel's header, as long as it says it is, over zeroes */
static int read_header(struct boot *boot, struct setup_header *hdr)
{
	uint8_t raw[sizeof(*hdr)];
	size_t len;

	if (file_read(&boot->kernel, HEADER_OFFSET, raw, sizeof(raw)))
		return -1;
	/* The byte after the jump's opcode is its distance from 0x202. */
	len = 0x202 + raw[0x201 - HEADER_OFFSET] - HEADER_OFFSET;
	if (len > sizeof(raw))
		len = sizeof(raw);
	memset(hdr, 0, sizeof(*hdr));
	memcpy(hdr, raw, len);
	return 0;
}

static int check_header(struct boot *boot, const struct setup_header *hdr)
{
	const char *path = boot->kernel.path;

	if (hdr->version < PROTOCOL_MIN)
		return fail_input("kernel '%s' speaks boot protocol %u.%02u; 2.12 (Linux 3.8) is needed",
				  path, hdr->version >> 8,
				  hdr->version & 0xff);
	if (!(hdr->xloadflags & XLF_KERNEL_64))
		return fail_input("kernel '%s' has no 64-bit entry; give an amd64 kernel",
				  path);
	return 0;
}

/* Load what runs in protected mode; *end: where its memory ends */
static int load_payload(struct boot *boot, const struct setup_header *hdr,
			uint64_t *end)
{
	uint64_t setup = ((hdr->setup_sects ?: 4) + 1) * 512ull;
	uint64_t size = hdr->syssize * 16ull;
	uint64_t room = size > hdr->init_size ? size : hdr->init_size;
	uint64_t addr = hdr->pref_address;
	uint64_t align = hdr->kernel_alignment;

	if (setup > boot->kernel.size || size > boot->kernel.size - setup)
		return fail_input("kernel '%s' is truncated: it has %llu bytes and its header speaks of %llu",
				  boot->kernel.path,
				  (unsigned long long)boot->kernel.size,
				  (unsigned long long)(setup + size));
	if (!size)
		return fail_input("kernel '%s' is empty behind its header",
				  boot->kernel.path);
	/* Where it likes to be, or else as low as it can be moved */
	if (hdr->relocatable_kernel && !memory_at(boot->mem, addr, room)) {
		if (!align || align & (align - 1))
			return fail_input("kernel '%s' asks for an impossible alignment, 0x%llx",
					  boot->kernel.path,
					  (unsigned long long)align);
		addr = (GPA_KERNEL_MIN + align - 1) & ~(align - 1);
	}
	if (addr < GPA_KERNEL_MIN || addr >= boot->mem->low ||
	    !memory_at(boot->mem, addr, room))
		return fail_input("kernel '%s' needs %llu MiB of memory at 0x%llx and the guest has %llu MiB; give more with --memory",
				  boot->kernel.path,
				  (unsigned long long)(room >> 20) + 1,
				  (unsigned long long)addr,
				  (unsigned long long)(boot->mem->size >> 20));
	boot->entry = addr + ENTRY_64;
	*end = addr + room;
	return file_read(&boot->kernel, setup,
			 memory_at(boot->mem, addr, size), size);
}

static void set_memory_map(struct boot_params *bp, const struct memory *mem)
{
	unsigned int i;

	for (i = 0; i < mem->nmap; i++) {
		bp->e820_table[i].addr = mem->map[i].addr;
		bp->e820_table[i].size = mem->map[i].size;
		bp->e820_table[i].type = mem->map[i].type;
	}
	bp->e820_entries = mem->nmap;
}

/* The first 4 GiB, one to one, in pages of 2 MiB */
static void make_page_tables(const struct memory *mem)
{
	uint64_t *t = memory_at(mem, GPA_PAGE_TABLES, 6 * 4096);
	unsigned int i;

	memset(t, 0, 6 * 4096);
	t[0] = (GPA_PAGE_TABLES + 4096) | PTE_PRESENT_RW;
	for (i = 0; i < 4; i++)
		t[512 + i] = (GPA_PAGE_TABLES + (2 + i) * 4096) |
			     PTE_PRESENT_RW;
	for (i = 0; i < 4 * 512; i++)
		t[1024 + i] = ((uint64_t)i << 21) | PTE_PRESENT_RW | PTE_LARGE;
}

int boot_linux_load(struct boot *boot)
{
	struct boot_params *bp = memory_at(boot->mem, GPA_BOOT_PARAMS,
					   sizeof(*bp));
	struct setup_header hdr;
	uint64_t end = 0;

	if (read_header(boot, &hdr) || check_header(boot, &hdr) ||
	    load_payload(boot, &hdr, &end) ||
	    initrd_load(boot, end, hdr.initrd_addr_max + 1ull) ||
	    cmdline_load(boot, hdr.cmdline_size))
		return -1;

	memset(bp, 0, sizeof(*bp));
	bp->hdr = hdr;
	bp->hdr.type_of_loader = LOADER_UNKNOWN;
	bp->hdr.cmd_line_ptr = GPA_CMDLINE;
	bp->hdr.ramdisk_image = boot->initrd_addr;
	bp->hdr.ramdisk_size = boot->initrd_addr ? boot->initrd.size : 0;
	bp->acpi_rsdp_addr = boot->rsdp;
	set_memory_map(bp, boot->mem);
	make_page_tables(boot->mem);
	boot->long_mode = true;
	boot->info = GPA_BOOT_PARAMS;
	return 0;
}
