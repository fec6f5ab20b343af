/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * mmio.h: a device of a test: MMIO_SIZE bytes at MMIO_GPA that behave like
 * memory and keep a log of the accesses. It belongs to the thread that runs
 * the vCPU.
 */
#ifndef SELFTESTS_MMIO_H
#define SELFTESTS_MMIO_H

#include "guest.h"

#define MMIO_GPA	0xd0000000ul
#define MMIO_SIZE	0x2000

struct mmio_access {
	uint64_t gpa, data;
	uint32_t len;
	bool write;
};

static uint8_t mmio_mem[MMIO_SIZE];
static struct mmio_access mmio_log[4096];
static unsigned int mmio_count;

/* run, and be the device, until anything else happens */
static int mmio_serve_at(struct gcpu *c, uint64_t base)
{
	struct hvm_run *run = c->run;
	int ret;

	while ((ret = gcpu_run(c)) == HVM_EXIT_MMIO) {
		uint64_t at = run->mmio.phys_addr - base;
		struct mmio_access *a = &mmio_log[mmio_count++ % 4096];

		if (!run->mmio.len || run->mmio.len > 8 ||
		    at > MMIO_SIZE - run->mmio.len)
			return -ERANGE;
		if (run->mmio.is_write)
			memcpy(mmio_mem + at, run->mmio.data, run->mmio.len);
		else
			memcpy(run->mmio.data, mmio_mem + at, run->mmio.len);
		a->gpa = run->mmio.phys_addr;
		a->len = run->mmio.len;
		a->write = run->mmio.is_write;
		a->data = 0;
		memcpy(&a->data, run->mmio.data, run->mmio.len);
	}
	return ret;
}

static inline int mmio_serve(struct gcpu *c)
{
	return mmio_serve_at(c, MMIO_GPA);
}

#endif /* SELFTESTS_MMIO_H */
