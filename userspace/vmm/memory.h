/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest's RAM. See memory.c.
 */
#ifndef VMM_MEMORY_H
#define VMM_MEMORY_H

#include <stddef.h>
#include <stdint.h>

/* A memory map's entries have the same types for e820 and for PVH. */
enum mem_type { MEM_RAM = 1, MEM_RESERVED = 2, MEM_ACPI = 3 };

struct mem_range {
	uint64_t addr;
	uint64_t size;
	enum mem_type type;
};

#define MEM_MAP_MAX 8

/**
 * struct memory - the guest's RAM
 * @host: where it is mapped; guest-physical 0 is its first byte
 * @size: bytes of RAM
 * @low: bytes below the hole; the rest begins at 4 GiB
 * @map: the memory map that the guest is told
 * @nmap: its entries
 */
struct memory {
	char *host;
	uint64_t size;
	uint64_t low;
	struct mem_range map[MEM_MAP_MAX];
	unsigned int nmap;
};

/** memory_create() - reserve @size bytes; no page is touched */
int memory_create(struct memory *mem, uint64_t size);
/** memory_destroy() - give it back; harmless when there is none */
void memory_destroy(struct memory *mem);
/** memory_register() - make it the memory of a VM */
int memory_register(const struct memory *mem, int vm);

/**
 * memory_at() - guest memory by its address
 *
 * Return: where [@gpa, @gpa + @len) is, or NULL if not all of it is RAM in
 * one piece.
 */
void *memory_at(const struct memory *mem, uint64_t gpa, uint64_t len);

#endif
