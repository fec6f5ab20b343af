// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's CPUID is what SET_CPUID2 gave it, with the bits that follow the
 * guest's own state.
 */
#include "guest.h"
#include "kselftest_harness.h"

static void guest(void)
{
	struct cpuid_regs r = cpuid_count(0x40000010, 0);
	struct cpuid_regs max, osx;

	GUEST_ASSERT_EQ(r.eax, 0x11111111);
	GUEST_ASSERT_EQ(r.ebx, 0x22222222);
	GUEST_ASSERT_EQ(r.ecx, 0x33333333);
	GUEST_ASSERT_EQ(r.edx, 0x44444444);
	/* sub-leaves, where the entry says that they count */
	GUEST_ASSERT_EQ(cpuid_count(0x40000011, 1).eax, 0x51);
	GUEST_ASSERT_EQ(cpuid_count(0x40000011, 2).eax, 0x52);
	GUEST_ASSERT_EQ(cpuid_count(0x40000011, 3).eax, 0);
	GUEST_ASSERT_EQ(cpuid_count(0x40000010, 7).eax, 0x11111111);
	/* upper halves are cleared */
	uint64_t a = 0xffffffff40000010, b = -1ull, c = 0, d = -1ull;

	asm volatile("cpuid" : "+a"(a), "+b"(b), "+c"(c), "+d"(d));
	GUEST_ASSERT_EQ(a, 0x11111111);
	GUEST_ASSERT_EQ(b, 0x22222222);
	GUEST_ASSERT_EQ(d, 0x44444444);
	GUEST_ASSERT_EQ(cpuid_count(1, 0).ebx >> 24, 0x5a);
	/* OSXSAVE follows CR4 */
	max = cpuid_count(1, 0);
	GUEST_ASSERT_EQ(max.ecx & 1 << 27, 0);
	if (max.ecx & 1 << 26) {
		write_cr4(read_cr4() | CR4_OSXSAVE);
		osx = cpuid_count(1, 0);
		GUEST_ASSERT(osx.ecx & 1 << 27);
		write_cr4(read_cr4() & ~CR4_OSXSAVE);
		GUEST_ASSERT_EQ(cpuid_count(1, 0).ecx & 1 << 27, 0);
	}
	/* beyond the highest basic leaf, and in an empty range */
	r = cpuid_count(0x80ffffff, 0);
	(void)r;
}

static void add(struct hvm_cpuid2 *t, uint32_t fn, uint32_t idx, uint32_t flags,
		uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
	t->entries[t->nent++] = (struct hvm_cpuid_entry2){
		.function = fn, .index = idx, .flags = flags,
		.eax = a, .ebx = b, .ecx = c, .edx = d,
	};
}

TEST(as_set)
{
	struct gvm *vm = gvm_new(GVM_NO_IRQCHIP);
	struct gcpu *c = gcpu_bare(vm, 0);
	struct hvm_cpuid2 *sup, *t;

	ASSERT_EQ(0, hvm_get_supported_cpuid(vm->dev, &sup));
	t = calloc(1, sizeof(*t) + (sup->nent + 8) * sizeof(t->entries[0]));
	memcpy(t, sup, sizeof(*t) + sup->nent * sizeof(t->entries[0]));
	hvm_cpuid_find(t, 0x40000000, 0)->eax = 0x40000011;
	hvm_cpuid_find(t, 1, 0)->ebx = 0x5a000000;
	add(t, 0x40000010, 0, 0, 0x11111111, 0x22222222, 0x33333333,
	    0x44444444);
	add(t, 0x40000011, 1, HVM_CPUID_FLAG_SIGNIFCANT_INDEX, 0x51, 0, 0, 0);
	add(t, 0x40000011, 2, HVM_CPUID_FLAG_SIGNIFCANT_INDEX, 0x52, 0, 0, 0);
	ASSERT_EQ(0, hvm_set_cpuid2(c->fd, t));
	gcpu_long_mode(c, guest);
	ASSERT_DONE(c);
}

/*
 * A leaf above the highest basic one answers with that one's data (Intel) or
 * with zeros (AMD); never with the host's.
 */
static void g_out_of_range(void)
{
	struct cpuid_regs r = cpuid_count(0x3fffffff, 0);
	struct cpuid_regs z = cpuid_count(0, 0);

	if (z.ebx == 0x68747541)
		GUEST_ASSERT_EQ(r.eax | r.ebx | r.ecx | r.edx, 0);
	GUEST_ASSERT_EQ(cpuid_count(0x8fffffff, 0).eax |
			cpuid_count(0x8fffffff, 0).ebx, 0);
}

TEST(out_of_range)
{
	REQUIRE(host_is_amd(), "an AMD host");
	ASSERT_DONE(gcpu_new(gvm_new(GVM_NO_IRQCHIP), 0, g_out_of_range));
}

/* without a table there is nothing */
static void g_none(void)
{
	struct cpuid_regs r = cpuid_count(0, 0);

	GUEST_ASSERT_EQ(r.eax | r.ebx | r.ecx | r.edx, 0);
	r = cpuid_count(1, 0);
	GUEST_ASSERT_EQ(r.eax | r.ebx | r.ecx | r.edx, 0);
}

TEST(none)
{
	struct gcpu *c = gcpu_bare(gvm_new(GVM_NO_IRQCHIP), 0);

	gcpu_long_mode(c, g_none);
	ASSERT_DONE(c);
}

TEST_HARNESS_MAIN
