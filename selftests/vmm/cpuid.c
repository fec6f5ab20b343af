// SPDX-License-Identifier: GPL-2.0-only
/*
 * The CPUID tables that vCPUs get, made from what a kernel on AMD and one on
 * Intel might offer.
 */
#include "ktap.h"
#include "../../userspace/vmm/cpuid.h"

#include <stdlib.h>
#include <string.h>

#define INDEXED HVM_CPUID_FLAG_SIGNIFCANT_INDEX

struct table {
	struct hvm_cpuid2 head;
	struct hvm_cpuid_entry2 entry[16];
};

static struct table amd = {
	.head.nent = 7,
	.entry = {
		{ .function = 0, .eax = 0x10, .ebx = 0x68747541 },
		{ .function = 1, .ebx = 0x00080800, .ecx = 1 << 21 },
		{ .function = 0x40000000, .eax = 0x40000001 },
		{ .function = 0x80000000, .eax = 0x8000001f },
		{ .function = 0x80000001, .ecx = 1 << 22 },
		{ .function = 0x80000008, .eax = 0x3028 },
		{ .function = 0x8000001d, .index = 3, .flags = INDEXED,
		  .eax = 0x163 | 0xfff << 14 },
	},
};

static struct table intel = {
	.head.nent = 6,
	.entry = {
		{ .function = 0, .eax = 0x1f, .ebx = 0x756e6547 },
		{ .function = 1, .edx = 1 << 28 },
		{ .function = 4, .index = 0, .flags = INDEXED,
		  .eax = 0x121 | 63u << 26 | 1 << 14 },
		{ .function = 4, .index = 1, .flags = INDEXED, .eax = 0x163 },
		{ .function = 0xb, .index = 0, .flags = INDEXED, .eax = 7 },
		{ .function = 0x40000000, .eax = 0x40000001 },
	},
};

static struct hvm_cpuid2 *make(struct table *t, unsigned int cpus,
			       unsigned int id)
{
	struct hvm_cpuid2 *c = cpuid_make(&t->head, cpus, 2500000, true);

	CHECK(c != NULL);
	if (!c)
		exit(1);
	cpuid_personalize(c, id);
	return c;
}

static struct hvm_cpuid_entry2 leaf(struct hvm_cpuid2 *c, uint32_t function,
				    uint32_t index)
{
	struct hvm_cpuid_entry2 *e = hvm_cpuid_find(c, function, index);

	if (!e) {
		printf("# leaf 0x%x.%u is missing\n", function, index);
		ktap_failed = true;
		return (struct hvm_cpuid_entry2){ 0 };
	}
	return *e;
}

static void features(void)
{
	struct hvm_cpuid2 *c = make(&amd, 4, 3);
	struct hvm_cpuid_entry2 e = leaf(c, 1, 0);

	CHECK_EQ(e.ebx, 3u << 24 | 4 << 16 | 0x0800);
	CHECK_EQ(e.ecx, 1u << 31 | 1 << 24 | 1 << 21);
	CHECK_EQ(e.edx & 1 << 28, 1 << 28);
	free(c);
	c = make(&intel, 1, 0);
	CHECK_EQ(leaf(c, 1, 0).edx & 1 << 28, 0);
	free(c);
	c = cpuid_make(&amd.head, 1, 0, false);
	CHECK_EQ(leaf(c, 1, 0).ecx & 1 << 24, 0);
	CHECK(!hvm_cpuid_find(c, 0x40000010, 0));
	free(c);
}

static void amd_topology(void)
{
	struct hvm_cpuid2 *c = make(&amd, 6, 5);

	CHECK_EQ(leaf(c, 0x80000001, 0).ecx, 1 << 22 | 1 << 1);
	CHECK_EQ(leaf(c, 0x80000008, 0).ecx, 3 << 12 | 5);
	CHECK_EQ(leaf(c, 0x80000008, 0).eax, 0x3028);
	CHECK_EQ(leaf(c, 0x8000001e, 0).eax, 5);
	CHECK_EQ(leaf(c, 0x8000001e, 0).ebx, 5);
	CHECK_EQ(leaf(c, 0x8000001d, 3).eax, 0x163 | 5 << 14);
	free(c);
}

static void extended_topology(void)
{
	static struct table *const tables[] = { &amd, &intel };

	for (unsigned int i = 0; i < 2; i++) {
		struct hvm_cpuid2 *c = make(tables[i], 5, 4);

		CHECK_EQ(leaf(c, 0xb, 0).eax, 0);
		CHECK_EQ(leaf(c, 0xb, 0).ebx, 1);
		CHECK_EQ(leaf(c, 0xb, 0).ecx, 0x100);
		CHECK_EQ(leaf(c, 0xb, 0).edx, 4);
		CHECK_EQ(leaf(c, 0xb, 1).eax, 3);
		CHECK_EQ(leaf(c, 0xb, 1).ebx, 5);
		CHECK_EQ(leaf(c, 0xb, 1).ecx, 0x201);
		CHECK_EQ(leaf(c, 0xb, 1).edx, 4);
		CHECK_EQ(leaf(c, 0xb, 2).ebx, 0);
		CHECK_EQ(leaf(c, 0xb, 2).ecx, 2);
		free(c);
	}
}

static void intel_topology(void)
{
	struct hvm_cpuid2 *c = make(&intel, 4, 2);

	CHECK_EQ(leaf(c, 4, 0).eax, 0x121 | 3u << 26);
	CHECK_EQ(leaf(c, 4, 1).eax, 0x163 | 3u << 26 | 3 << 14);
	CHECK_EQ(leaf(c, 0x1f, 1).ebx, 4);
	CHECK_EQ(leaf(c, 0x1f, 1).edx, 2);
	CHECK(!hvm_cpuid_find(c, 0x80000008, 0));
	free(c);
}

static void frequency(void)
{
	struct hvm_cpuid2 *c = make(&amd, 1, 0);
	struct hvm_cpuid_entry2 e;

	CHECK_EQ(leaf(c, 0x40000000, 0).eax, 0x40000010);
	CHECK_EQ(leaf(c, 0x40000010, 0).eax, 2500000);
	CHECK_EQ(leaf(c, 0x40000010, 0).ebx, 1000000);
	CHECK(!hvm_cpuid_find(c, 0x15, 0));
	free(c);
	c = make(&intel, 1, 0);
	e = leaf(c, 0x15, 0);
	CHECK_EQ((unsigned long long)e.ecx * e.ebx / (e.eax ?: 1),
		 2500000000ull);
	free(c);
}

static void supported_is_left_alone(void)
{
	struct table before = amd;
	struct hvm_cpuid2 *c = make(&amd, 255, 254);

	CHECK(!memcmp(&before, &amd, sizeof(amd)));
	CHECK_EQ(leaf(c, 1, 0).ebx, 254u << 24 | 255 << 16 | 0x0800);
	CHECK_EQ(leaf(c, 0xb, 1).eax, 8);
	free(c);
}

static const struct ktap_test tests[] = {
	{ "feature bits and APIC ID", features },
	{ "AMD's topology leaves", amd_topology },
	{ "leaves 0xb and 0x1f", extended_topology },
	{ "Intel's topology leaves", intel_topology },
	{ "frequencies", frequency },
	{ "the kernel's table is left alone", supported_is_left_alone },
};

KTAP_MAIN(tests)
