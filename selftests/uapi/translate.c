// SPDX-License-Identifier: GPL-2.0-only
/*
 * TRANSLATE walks the guest's tables as the guest would.
 */
#include "guest.h"
#include "kselftest_harness.h"

static void guest(void)
{
}

FIXTURE(vcpu) {
	struct gvm *vm;
	struct gcpu *c;
};

FIXTURE_SETUP(vcpu)
{
	self->vm = gvm_new(GVM_SPLIT);
	self->c = gcpu_new(self->vm, 0, guest);
}

FIXTURE_TEARDOWN(vcpu)
{
	gcpu_free(self->c);
	gvm_free(self->vm);
}

static struct hvm_translation walk(struct gcpu *c, uint64_t va)
{
	struct hvm_translation t = { .linear_address = va };

	if (hvm_translate(c->fd, &t))
		t.physical_address = -2ull;
	return t;
}

TEST_F(vcpu, long_mode)
{
	uint64_t page = gvm_alloc(self->vm), va = 0x40000000000 - 0x1000;

	gvm_map_page(self->vm, va, page, PTE_P | PTE_W);
	EXPECT_EQ(page + 0x123, walk(self->c, va + 0x123).physical_address);
	EXPECT_EQ(1, walk(self->c, va).valid);
	EXPECT_EQ(0x12345678ull, walk(self->c, 0x12345678).physical_address);
	EXPECT_EQ(0, walk(self->c, va + 0x1000).valid);
	EXPECT_EQ(-1ull, walk(self->c, va + 0x1000).physical_address);
	*gvm_pte(self->vm, va) = 0;
	EXPECT_EQ(0, walk(self->c, va).valid);
}

TEST_F(vcpu, no_paging)
{
	gcpu_protected(self->c, guest, SEL_CODE32, 0, 0);
	EXPECT_EQ(0x12345678ull, walk(self->c, 0x12345678).physical_address);
	EXPECT_EQ(1, walk(self->c, 0x12345678).valid);
}

TEST_F(vcpu, legacy_and_pae)
{
	uint64_t pd = gvm_alloc(self->vm), pt = gvm_alloc(self->vm);
	uint32_t *d = (uint32_t *)(self->vm->low + pd);
	uint32_t *t = (uint32_t *)(self->vm->low + pt);

	d[0] = pt | PTE_P;
	d[1] = 0x800000 | PTE_P | PTE_PS;
	t[5] = 0x77000 | PTE_P;
	gcpu_protected(self->c, guest, SEL_CODE32, CR4_PSE, pd);
	EXPECT_EQ(0x77abcull, walk(self->c, 0x5abc).physical_address);
	EXPECT_EQ(0x8abcdeull, walk(self->c, 0x4abcde).physical_address);
	EXPECT_EQ(0, walk(self->c, 0x6000).valid);
	gcpu_protected(self->c, guest, SEL_CODE32, CR4_PAE, LOW_PDPT);
	/* PDPTEs have no writable and user bits in PAE */
	struct hvm_sregs s;
	int i;

	for (i = 0; i < 4; i++)
		((uint64_t *)(self->vm->low + LOW_PDPT))[i] &= ~6ull;
	ASSERT_EQ(0, hvm_get_sregs(self->c->fd, &s));
	ASSERT_EQ(0, hvm_set_sregs(self->c->fd, &s));
	EXPECT_EQ(0xc2345678ull, walk(self->c, 0xc2345678).physical_address);
}

/* tables that point at nothing, or at themselves */
TEST_F(vcpu, wild_tables)
{
	struct hvm_sregs s;

	*(uint64_t *)(self->vm->low + LOW_PML4 + 8) = 0x3fffff000 | PTE_P;
	EXPECT_EQ(0, walk(self->c, 1ull << 39).valid);
	*(uint64_t *)(self->vm->low + LOW_PML4 + 16) = LOW_PML4 | PTE_P;
	(void)walk(self->c, 2ull << 39);
	ASSERT_EQ(0, hvm_get_sregs(self->c->fd, &s));
	s.cr3 = 0x7ffffff000;
	ASSERT_EQ(0, hvm_set_sregs(self->c->fd, &s));
	EXPECT_EQ(0, walk(self->c, 0x1000).valid);
}

TEST_HARNESS_MAIN
