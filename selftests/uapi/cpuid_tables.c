// SPDX-License-Identifier: GPL-2.0-only
/*
 * CPUID tables: too small, too large, and what is set comes back.
 */
#include "guest.h"
#include "kselftest_harness.h"

#define ENTRIES 300

static struct hvm_cpuid2 *table(uint32_t nent)
{
	struct hvm_cpuid2 *t = calloc(1, sizeof(*t) +
				      ENTRIES * sizeof(t->entries[0]));

	t->nent = nent;
	return t;
}

FIXTURE(vcpu) {
	struct gvm *vm;
	struct gcpu *c;
};

FIXTURE_SETUP(vcpu)
{
	self->vm = gvm_new(GVM_SPLIT);
	self->c = gcpu_bare(self->vm, 0);
}

FIXTURE_TEARDOWN(vcpu)
{
	gcpu_free(self->c);
	gvm_free(self->vm);
}

TEST_F(vcpu, supported)
{
	struct hvm_cpuid2 *t = table(1);
	struct hvm_cpuid_entry2 *e;

	EXPECT_ERRNO(E2BIG, ioctl(self->vm->dev, HVM_GET_SUPPORTED_CPUID, t));
	t->nent = 0;
	EXPECT_ERRNO(E2BIG, ioctl(self->vm->dev, HVM_GET_SUPPORTED_CPUID, t));
	t->nent = ENTRIES;
	ASSERT_EQ(0, ioctl(self->vm->dev, HVM_GET_SUPPORTED_CPUID, t));
	ASSERT_GT(ENTRIES, t->nent);
	e = hvm_cpuid_find(t, 1, 0);
	ASSERT_NE(NULL, e);
	/*
	 * x2APIC and TSC-deadline are the in-kernel APIC's. QEMU takes the first away when
	 * it has its own; the second is a capability's, or its guests would wait for ever.
	 */
	EXPECT_NE(0, e->ecx & (1 << 21));
	EXPECT_EQ(0, e->ecx & (1 << 24));
	EXPECT_EQ(0, e->ecx & (1 << 5));	/* no nested VMX */
	e = hvm_cpuid_find(t, 0x40000000, 0);
	ASSERT_NE(NULL, e);
	EXPECT_EQ(0x4b4d564bu, e->ebx);		/* KVMKVMKVM */
	EXPECT_EQ(0x564b4d56u, e->ecx);
	EXPECT_EQ(0x4du, e->edx);
	ASSERT_NE(NULL, hvm_cpuid_find(t, 0x40000001, 0));
	EXPECT_NE(0, hvm_cpuid_find(t, 0x40000001, 0)->eax & (1 << 3));
}

TEST_F(vcpu, emulated)
{
	struct hvm_cpuid2 *t = table(0);

	EXPECT_ERRNO(E2BIG, ioctl(self->vm->dev, HVM_GET_EMULATED_CPUID, t));
	t->nent = ENTRIES;
	EXPECT_EQ(0, ioctl(self->vm->dev, HVM_GET_EMULATED_CPUID, t));
}

TEST_F(vcpu, set_too_many)
{
	struct hvm_cpuid2 *t = table(ENTRIES);

	EXPECT_ERRNO(E2BIG, ioctl(self->c->fd, HVM_SET_CPUID2, t));
	t->nent = 0xffffffff;
	EXPECT_ERRNO(E2BIG, ioctl(self->c->fd, HVM_SET_CPUID2, t));
}

TEST_F(vcpu, round_trip)
{
	struct hvm_cpuid2 *a = table(ENTRIES), *b = table(1);
	uint32_t i;

	ASSERT_EQ(0, ioctl(self->vm->dev, HVM_GET_SUPPORTED_CPUID, a));
	hvm_cpuid_find(a, 0x40000000, 0)->ebx = 0x31415926;
	ASSERT_EQ(0, ioctl(self->c->fd, HVM_SET_CPUID2, a));
	EXPECT_ERRNO(E2BIG, ioctl(self->c->fd, HVM_GET_CPUID2, b));
	b->nent = ENTRIES;
	ASSERT_EQ(0, ioctl(self->c->fd, HVM_GET_CPUID2, b));
	/* KVM writes the count back since 6.7 */
	ASSERT_TRUE(b->nent == a->nent || b->nent == ENTRIES);
	for (i = 0; i < a->nent; i++) {
		EXPECT_EQ(a->entries[i].function, b->entries[i].function);
		EXPECT_EQ(a->entries[i].index, b->entries[i].index);
		EXPECT_EQ(a->entries[i].eax, b->entries[i].eax);
	}
	EXPECT_EQ(0x31415926u, hvm_cpuid_find(b, 0x40000000, 0)->ebx);
	/* a smaller table replaces all of it */
	a->nent = 2;
	free(b);
	b = table(ENTRIES);
	ASSERT_EQ(0, ioctl(self->c->fd, HVM_SET_CPUID2, a));
	ASSERT_EQ(0, ioctl(self->c->fd, HVM_GET_CPUID2, b));
	EXPECT_TRUE(b->nent == 2 || b->nent == ENTRIES);
	EXPECT_EQ(0u, b->entries[2].eax);
}

TEST_HARNESS_MAIN
