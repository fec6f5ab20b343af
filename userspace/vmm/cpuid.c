// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the guest's CPUID says: what the kernel supports, with the leaves that
 * only a VMM can know. These are the topology (one package, as many cores as
 * there are vCPUs, one thread each; APIC ID = vCPU number), the local APIC's
 * TSC-deadline timer, and the TSC's frequency. Leaves are named as in Intel's
 * SDM 2A and AMD's APM 3; 0x40000000 and on are the hypervisor's.
 */
#include "cpuid.h"

#include <stdlib.h>
#include <string.h>

#define LEAF_HV		0x40000000u
#define LEAF_HV_TIMING	0x40000010u
#define LEAF_EXT	0x80000000u

#define L1_ECX_TSC_DEADLINE	(1u << 24)
#define L1_ECX_HYPERVISOR	(1u << 31)
#define L1_EDX_HTT		(1u << 28)
#define EXT1_ECX_CMP_LEGACY	(1u << 1)
#define EXT1_ECX_TOPOLOGY	(1u << 22)

/* The local APIC's timer counts nanoseconds. */
#define APIC_HZ			1000000000u

#define TOPOLOGY_NONE		0
#define TOPOLOGY_SMT		1
#define TOPOLOGY_CORE		2

/* Entries that cpuid_make() may add to those the kernel gave */
#define EXTRA_ENTRIES		16

static bool is_intel(struct hvm_cpuid2 *c)
{
	struct hvm_cpuid_entry2 *e = hvm_cpuid_find(c, 0, 0);

	return e && !memcmp(&e->ebx, "Genu", 4);
}

static unsigned int max_leaf(struct hvm_cpuid2 *c, uint32_t base)
{
	struct hvm_cpuid_entry2 *e = hvm_cpuid_find(c, base, 0);

	return e ? e->eax : 0;
}

/* Bits that number @n things from 0 */
static unsigned int bits_for(unsigned int n)
{
	unsigned int bits = 0;

	while (1u << bits < n)
		bits++;
	return bits;
}

static struct hvm_cpuid_entry2 *add(struct hvm_cpuid2 *c, uint32_t function,
				    uint32_t index, uint32_t flags)
{
	struct hvm_cpuid_entry2 *e = &c->entries[c->nent++];

	memset(e, 0, sizeof(*e));
	e->function = function;
	e->index = index;
	e->flags = flags;
	return e;
}

static void drop(struct hvm_cpuid2 *c, uint32_t function)
{
	uint32_t i, kept = 0;

	for (i = 0; i < c->nent; i++)
		if (c->entries[i].function != function)
			c->entries[kept++] = c->entries[i];
	c->nent = kept;
}

static struct hvm_cpuid_entry2 *find_or_add(struct hvm_cpuid2 *c,
					    uint32_t function)
{
	struct hvm_cpuid_entry2 *e = hvm_cpuid_find(c, function, 0);

	return e ?: add(c, function, 0, 0);
}

static void set_features(struct hvm_cpuid2 *c, unsigned int cpus,
			 bool tsc_deadline)
{
	struct hvm_cpuid_entry2 *e = find_or_add(c, 1);

	e->ebx = (e->ebx & 0x0000ffff) | cpus << 16;
	e->ecx |= L1_ECX_HYPERVISOR;
	if (tsc_deadline)
		e->ecx |= L1_ECX_TSC_DEADLINE;
	if (cpus > 1)
		e->edx |= L1_EDX_HTT;
	else
		e->edx &= ~L1_EDX_HTT;
}

/* Leaves 0xb and 0x1f: threads of a core, cores of the package, the end */
static void set_extended_topology(struct hvm_cpuid2 *c, uint32_t leaf,
				  unsigned int cpus)
{
	const uint32_t flag = HVM_CPUID_FLAG_SIGNIFCANT_INDEX;
	struct hvm_cpuid_entry2 *e;

	drop(c, leaf);
	e = add(c, leaf, 0, flag);
	e->ebx = 1;
	e->ecx = 0 | TOPOLOGY_SMT << 8;
	e = add(c, leaf, 1, flag);
	e->eax = bits_for(cpus);
	e->ebx = cpus;
	e->ecx = 1 | TOPOLOGY_CORE << 8;
	e = add(c, leaf, 2, flag);
	e->ecx = 2 | TOPOLOGY_NONE << 8;
}

/*
 * Leaf 4 (Intel) and 0x8000001d (AMD) describe the caches, alike but for
 * Intel's count of cores: the last level is shared by all, the rest by none.
 */
static void set_cache_sharing(struct hvm_cpuid2 *c, unsigned int cpus)
{
	unsigned int ids = (1u << bits_for(cpus)) - 1;
	uint32_t i;

	for (i = 0; i < c->nent; i++) {
		struct hvm_cpuid_entry2 *e = &c->entries[i];
		unsigned int level = e->eax >> 5 & 7;

		if (!(e->eax & 0x1f))
			continue;
		if (e->function == 4)
			e->eax = (e->eax & 0x3fff) | (ids & 0x3f) << 26;
		else if (e->function == 0x8000001d)
			e->eax &= 0x3fff;
		else
			continue;
		if (level >= 3)
			e->eax |= (e->function == 4 ? ids : cpus - 1) << 14;
	}
}

static void set_amd_topology(struct hvm_cpuid2 *c, unsigned int cpus)
{
	struct hvm_cpuid_entry2 *e = hvm_cpuid_find(c, 0x80000001, 0);

	if (e && cpus > 1)
		e->ecx |= EXT1_ECX_CMP_LEGACY;
	else if (e)
		e->ecx &= ~EXT1_ECX_CMP_LEGACY;
	if (max_leaf(c, LEAF_EXT) >= 0x80000008)
		find_or_add(c, 0x80000008)->ecx = bits_for(cpus) << 12 |
						  (cpus - 1);
	/* Leaf 0x8000001e is only there with the feature that names it. */
	if (e && e->ecx & EXT1_ECX_TOPOLOGY)
		find_or_add(c, 0x8000001e);
	else
		drop(c, 0x8000001e);
}

/* A guest that knows these frequencies need not measure them. */
static void set_frequency(struct hvm_cpuid2 *c, unsigned int tsc_khz)
{
	struct hvm_cpuid_entry2 *e;

	e = hvm_cpuid_find(c, LEAF_HV, 0);
	if (e && e->eax <= LEAF_HV_TIMING) {
		e->eax = LEAF_HV_TIMING;
		drop(c, LEAF_HV_TIMING);
		e = add(c, LEAF_HV_TIMING, 0, 0);
		e->eax = tsc_khz;
		e->ebx = APIC_HZ / 1000;
	}
	if (is_intel(c) && max_leaf(c, 0) >= 0x15) {
		/* TSC Hz = ECX * EBX / EAX; ECX is also the APIC timer's. */
		drop(c, 0x15);
		e = add(c, 0x15, 0, 0);
		e->eax = APIC_HZ / 1000;
		e->ebx = tsc_khz;
		e->ecx = APIC_HZ;
	}
}

struct hvm_cpuid2 *cpuid_make(const struct hvm_cpuid2 *supported,
			      unsigned int cpus, unsigned int tsc_khz,
			      bool tsc_deadline)
{
	struct hvm_cpuid2 *c;

	c = calloc(1, sizeof(*c) + (supported->nent + EXTRA_ENTRIES) *
				   sizeof(c->entries[0]));
	if (!c)
		return NULL;
	c->nent = supported->nent;
	memcpy(c->entries, supported->entries,
	       supported->nent * sizeof(c->entries[0]));

	set_features(c, cpus, tsc_deadline);
	set_cache_sharing(c, cpus);
	if (max_leaf(c, 0) >= 0xb)
		set_extended_topology(c, 0xb, cpus);
	if (max_leaf(c, 0) >= 0x1f)
		set_extended_topology(c, 0x1f, cpus);
	if (!is_intel(c))
		set_amd_topology(c, cpus);
	if (tsc_khz)
		set_frequency(c, tsc_khz);
	return c;
}

void cpuid_personalize(struct hvm_cpuid2 *c, unsigned int id)
{
	uint32_t i;

	for (i = 0; i < c->nent; i++) {
		struct hvm_cpuid_entry2 *e = &c->entries[i];

		switch (e->function) {
		case 1:
			e->ebx = (e->ebx & 0x00ffffff) | id << 24;
			break;
		case 0xb:
		case 0x1f:
			e->edx = id;
			break;
		case 0x8000001e:
			/* APIC ID; core, of one thread; node 0 of 1 */
			e->eax = id;
			e->ebx = id & 0xff;
			e->ecx = 0;
			break;
		}
	}
}
