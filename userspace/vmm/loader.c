// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the two ways to start a kernel share: telling which one a file wants,
 * and finding room for the initial RAM disk and the command line.
 *
 * The files are somebody else's. Each offset and length in them is compared
 * with what is left, in a form that cannot wrap, before it is used.
 */
#include "loader.h"
#include "error.h"
#include "layout.h"

#include <string.h>

#define HDRS_OFFSET 0x202

static int load_kernel(struct boot *boot)
{
	char magic[HDRS_OFFSET + 4];

	if (boot->kernel.size < sizeof(magic))
		return fail_input("kernel '%s' is truncated: %llu bytes cannot hold one",
				  boot->kernel.path,
				  (unsigned long long)boot->kernel.size);
	if (file_read(&boot->kernel, 0, magic, sizeof(magic)))
		return -1;
	if (!memcmp(magic, "\177ELF", 4))
		return boot_pvh_load(boot);
	if (!memcmp(magic + HDRS_OFFSET, "HdrS", 4))
		return boot_linux_load(boot);
	return fail_input("kernel '%s' is neither a bzImage nor an ELF kernel; give the vmlinuz of a distribution or a vmlinux",
			  boot->kernel.path);
}

int boot_load(struct boot *boot, const char *kernel, const char *initrd)
{
	int ret;

	boot->initrd.fd = -1;
	ret = file_open(&boot->kernel, "kernel", kernel);
	if (!ret && initrd)
		ret = file_open(&boot->initrd, "initrd", initrd);
	if (!ret)
		ret = load_kernel(boot);
	file_close(&boot->kernel);
	file_close(&boot->initrd);
	return ret;
}

int initrd_load(struct boot *boot, uint64_t kernel_end, uint64_t limit)
{
	uint64_t size = boot->initrd.size, addr;

	if (boot->initrd.fd < 0)
		return 0;
	if (limit > boot->mem->low)
		limit = boot->mem->low;
	if (kernel_end > limit || size > limit - kernel_end ||
	    ((limit - size) & ~0xfffull) < kernel_end)
		return fail_input("initrd '%s' has %llu MiB, more than the guest's %llu MiB of memory can hold beside the kernel; give more with --memory",
				  boot->initrd.path,
				  (unsigned long long)(size >> 20),
				  (unsigned long long)(boot->mem->size >> 20));
	addr = (limit - size) & ~0xfffull;
	boot->initrd_addr = addr;
	return file_read(&boot->initrd, 0, memory_at(boot->mem, addr, size),
			 size);
}

int cmdline_load(struct boot *boot, size_t max)
{
	size_t len = strlen(boot->cmdline);

	if (max > CMDLINE_ROOM - 1)
		max = CMDLINE_ROOM - 1;
	if (len > max)
		return fail_input("the command line has %zu bytes and this kernel takes %zu; shorten --cmdline",
				  len, max);
	memcpy(memory_at(boot->mem, GPA_CMDLINE, len + 1), boot->cmdline,
	       len + 1);
	return 0;
}
