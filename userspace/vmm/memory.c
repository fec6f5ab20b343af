// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's RAM: one anonymous mapping, of which the part that would lie
 * over the devices below 4 GiB appears from 4 GiB on. Pages exist once the
 * guest touches them. The mapping is aligned as its guest-physical addresses
 * are, so that a huge page on one side can be a huge page on the other.
 */
#include "memory.h"
#include "error.h"
#include "layout.h"

#include <errno.h>
#include <libhvm.h>
#include <sys/mman.h>

#define HUGE_PAGE (2ul << 20)

static void add_range(struct memory *mem, uint64_t addr, uint64_t end,
		      enum mem_type type)
{
	mem->map[mem->nmap++] = (struct mem_range){ addr, end - addr, type };
}

static void make_map(struct memory *mem)
{
	mem->nmap = 0;
	add_range(mem, 0, GPA_LOW_END, MEM_RAM);
	add_range(mem, GPA_LOW_END, 0xa0000, MEM_RESERVED);
	add_range(mem, GPA_ACPI, GPA_ACPI + ACPI_ROOM, MEM_RESERVED);
	add_range(mem, GPA_KERNEL_MIN, mem->low, MEM_RAM);
	if (mem->size > mem->low)
		add_range(mem, GPA_HOLE_END,
			  GPA_HOLE_END + (mem->size - mem->low), MEM_RAM);
}

int memory_create(struct memory *mem, uint64_t size)
{
	size_t room = size + HUGE_PAGE;
	char *p, *start;

	if (room < size)
		return fail_input("%llu bytes of memory are more than an address can tell",
				  (unsigned long long)size);
	p = mmap(NULL, room, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		return fail_input("%llu MiB of memory cannot be reserved here; ask for less with --memory",
				  (unsigned long long)(size >> 20));
	start = p + (-(uintptr_t)p & (HUGE_PAGE - 1));
	if (start > p)
		munmap(p, start - p);
	if (start + size < p + room)
		munmap(start + size, p + room - (start + size));
	/* Not to be had on some kernels, and only a matter of speed */
	(void)madvise(start, size, MADV_HUGEPAGE);
	(void)madvise(start, size, MADV_DONTDUMP);
	(void)madvise(start, size, MADV_DONTFORK);

	mem->host = start;
	mem->size = size;
	mem->low = size < GPA_HOLE ? size : GPA_HOLE;
	make_map(mem);
	return 0;
}

void memory_destroy(struct memory *mem)
{
	if (mem->host)
		munmap(mem->host, mem->size);
	mem->host = NULL;
}

int memory_register(const struct memory *mem, int vm)
{
	int ret = hvm_map_memory(vm, 0, 0, 0, mem->low, mem->host);

	if (!ret && mem->size > mem->low)
		ret = hvm_map_memory(vm, 1, 0, GPA_HOLE_END,
				     mem->size - mem->low,
				     mem->host + mem->low);
	if (ret)
		return fail_host(ret, "the guest's memory was refused");
	return 0;
}

void *memory_at(const struct memory *mem, uint64_t gpa, uint64_t len)
{
	if (gpa < mem->low)
		return len <= mem->low - gpa ? mem->host + gpa : NULL;
	if (gpa < GPA_HOLE_END)
		return NULL;
	gpa -= GPA_HOLE_END;
	if (gpa >= mem->size - mem->low || len > mem->size - mem->low - gpa)
		return NULL;
	return mem->host + mem->low + gpa;
}
