// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who answers at which port or address: one registry for both, sorted by
 * address. Devices register while the machine is built; from the moment the
 * first vCPU runs nothing changes, and so looking up takes no lock.
 */
#include "iotrap.h"

#include <errno.h>
#include <string.h>

int iotrap_add(struct iotrap *t, enum iotrap_space space, uint64_t addr,
	       uint64_t len, iotrap_fn fn, void *ptr)
{
	struct iotrap_region *r = t->space[space].region;
	unsigned int n = t->space[space].n, i;

	if (!len || len - 1 > UINT64_MAX - addr)
		return -EINVAL;
	if (n == IOTRAP_MAX)
		return -ENOSPC;
	for (i = 0; i < n && r[i].addr < addr; i++)
		;
	if ((i && addr - r[i - 1].addr < r[i - 1].len) ||
	    (i < n && r[i].addr - addr < len))
		return -EEXIST;
	memmove(&r[i + 1], &r[i], (n - i) * sizeof(*r));
	r[i] = (struct iotrap_region){ addr, len, fn, ptr };
	t->space[space].n = n + 1;
	return 0;
}

static const struct iotrap_region *find(const struct iotrap *t,
					enum iotrap_space space, uint64_t addr)
{
	const struct iotrap_region *r = t->space[space].region;
	unsigned int low = 0, high = t->space[space].n;

	while (low < high) {
		unsigned int mid = (low + high) / 2;

		if (addr < r[mid].addr)
			high = mid;
		else if (addr - r[mid].addr >= r[mid].len)
			low = mid + 1;
		else
			return &r[mid];
	}
	return NULL;
}

bool iotrap_access(const struct iotrap *t, enum iotrap_space space,
		   uint64_t addr, void *data, unsigned int len, bool write)
{
	const struct iotrap_region *r = find(t, space, addr);

	if (!r || len > r->len - (addr - r->addr)) {
		if (!write)
			memset(data, 0xff, len);
		return false;
	}
	r->fn(r->ptr, addr - r->addr, data, len, write);
	return true;
}
