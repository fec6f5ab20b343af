/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who answers at which port or address. See iotrap.c.
 */
#ifndef VMM_IOTRAP_H
#define VMM_IOTRAP_H

#include <stdbool.h>
#include <stdint.h>

enum iotrap_space { IOTRAP_PIO, IOTRAP_MMIO, IOTRAP_SPACES };

#define IOTRAP_MAX 64

/**
 * typedef iotrap_fn - a device's answer to one access
 * @ptr: as given to iotrap_add()
 * @offset: from the region's start; the access does not cross its end
 * @data: what is written, or where to put what is read
 * @len: 1 to 8
 * @write: which of the two
 *
 * Called from vCPU threads, several at once: the device does its own locking.
 */
typedef void (*iotrap_fn)(void *ptr, uint64_t offset, void *data,
			  unsigned int len, bool write);

struct iotrap_region {
	uint64_t addr;
	uint64_t len;
	iotrap_fn fn;
	void *ptr;
};

struct iotrap {
	struct {
		unsigned int n;
		struct iotrap_region region[IOTRAP_MAX];
	} space[IOTRAP_SPACES];
};

/**
 * iotrap_add() - let @fn answer for [@addr, @addr + @len)
 *
 * Return: 0; -EINVAL for no length or one that wraps; -EEXIST if part of it
 * is taken; -ENOSPC.
 */
int iotrap_add(struct iotrap *t, enum iotrap_space space, uint64_t addr,
	       uint64_t len, iotrap_fn fn, void *ptr);

/**
 * iotrap_access() - carry out a guest's access
 *
 * Where nobody answers, a read gives all ones and a write is dropped, as on a
 * bus. Return: whether somebody answered.
 */
bool iotrap_access(const struct iotrap *t, enum iotrap_space space,
		   uint64_t addr, void *data, unsigned int len, bool write);

#endif
