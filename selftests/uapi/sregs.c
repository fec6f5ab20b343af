// SPDX-License-Identifier: GPL-2.0-only
/*
 * SET_SREGS and SET_SREGS2 refuse what no processor can be in.
 */
#include "guest.h"
#include "kselftest_harness.h"

static void nothing(void)
{
}

FIXTURE(vcpu) {
	struct gvm *vm;
	struct gcpu *c;
	struct hvm_sregs s;
};

FIXTURE_SETUP(vcpu)
{
	self->vm = gvm_new(GVM_SPLIT);
	self->c = gcpu_new(self->vm, 0, nothing);
	ASSERT_EQ(0, hvm_get_sregs(self->c->fd, &self->s));
}

FIXTURE_TEARDOWN(vcpu)
{
	gcpu_free(self->c);
	gvm_free(self->vm);
}

#define REFUSED(change) do {						\
	struct hvm_sregs s = self->s;					\
									\
	change;								\
	EXPECT_EQ(-EINVAL, hvm_set_sregs(self->c->fd, &s))		\
		TH_LOG("%s", #change);					\
} while (0)
#define TAKEN(change) do {						\
	struct hvm_sregs s = self->s;					\
									\
	change;								\
	EXPECT_EQ(0, hvm_set_sregs(self->c->fd, &s))			\
		TH_LOG("%s", #change);					\
} while (0)

TEST_F(vcpu, control_registers)
{
	TAKEN();
	REFUSED(s.cr4 |= 1ull << 63);
	REFUSED(s.cr4 |= 1ull << 31);
	REFUSED(s.cr4 |= 1ull << 13);		/* VMXE */
	REFUSED(s.cr4 &= ~CR4_PAE);		/* long mode needs it */
	REFUSED(s.efer &= ~EFER_LMA);		/* paging and LME are on */
	REFUSED(s.cr0 &= ~CR0_PE);		/* paging without protection */
	REFUSED(s.cr0 |= CR0_NW);		/* without CD */
	REFUSED(s.cr0 |= 1ull << 32);
	REFUSED(s.cr3 |= 1ull << 62);
	TAKEN();
}

TEST_F(vcpu, not_long_mode)
{
	REFUSED(s.efer = 0; s.cr4 = 0; s.cs.l = 1; s.efer = EFER_LMA);
	TAKEN(s.efer = 0; s.cr4 = 0; s.cr0 = CR0_PE | CR0_ET; s.cs.l = 0);
}

TEST_F(vcpu, sregs2)
{
	struct hvm_sregs2 a, b;

	ASSERT_EQ(0, hvm_get_sregs2(self->c->fd, &a));
	EXPECT_EQ(0, hvm_set_sregs2(self->c->fd, &a));
	ASSERT_EQ(0, hvm_get_sregs2(self->c->fd, &b));
	EXPECT_EQ(0, memcmp(&a, &b, sizeof(a)));
	b.flags = 1ull << 32;
	EXPECT_EQ(-EINVAL, hvm_set_sregs2(self->c->fd, &b));
	/* PDPTRs are PAE's */
	b.flags = HVM_SREGS2_FLAGS_PDPTRS_VALID;
	EXPECT_EQ(-EINVAL, hvm_set_sregs2(self->c->fd, &b));
}

TEST_F(vcpu, pdptrs)
{
	struct hvm_sregs2 a, b;
	int i;

	ASSERT_EQ(0, hvm_get_sregs2(self->c->fd, &a));
	a.efer = 0;
	a.cs.l = 0;
	a.cs.db = 1;
	a.cr3 = LOW_PDPT;
	a.flags = HVM_SREGS2_FLAGS_PDPTRS_VALID;
	for (i = 0; i < 4; i++)
		a.pdptrs[i] = (LOW_PD + i * PAGE_SIZE) | PTE_P;
	ASSERT_EQ(0, hvm_set_sregs2(self->c->fd, &a));
	ASSERT_EQ(0, hvm_get_sregs2(self->c->fd, &b));
	EXPECT_EQ(HVM_SREGS2_FLAGS_PDPTRS_VALID, b.flags);
	for (i = 0; i < 4; i++)
		EXPECT_EQ(a.pdptrs[i], b.pdptrs[i]);
}

/* a refused call changes nothing */
TEST_F(vcpu, all_or_nothing)
{
	struct hvm_sregs s;

	REFUSED(s.cr4 |= 1ull << 63; s.cr3 = 0x5000; s.fs.base = 0x1234);
	ASSERT_EQ(0, hvm_get_sregs(self->c->fd, &s));
	EXPECT_EQ(0, memcmp(&s, &self->s, sizeof(s)));
}

TEST_F(vcpu, apic_base)
{
	TAKEN(s.apic_base |= APICBASE_X2APIC);
	REFUSED(s.apic_base = APICBASE_X2APIC);
	REFUSED(s.apic_base |= 1ull << 60);
}

TEST_F(vcpu, interrupt_bitmap)
{
	/* a pending interrupt is taken over and read back */
	struct hvm_sregs s = self->s;

	s.interrupt_bitmap[1] = 1ull << 3;
	EXPECT_EQ(0, hvm_set_sregs(self->c->fd, &s));
}

TEST_HARNESS_MAIN
