// SPDX-License-Identifier: GPL-2.0-only
/*
 * MSR lists and MSR calls: lengths, unknown indices, round trips of all that
 * the index list names.
 */
#include "guest.h"
#include "kselftest_harness.h"

#define MANY 400

static struct hvm_msrs *msrs(uint32_t n)
{
	struct hvm_msrs *m = calloc(1, sizeof(*m) +
				    MANY * sizeof(m->entries[0]));

	m->nmsrs = n;
	return m;
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

TEST_F(vcpu, lists)
{
	static const unsigned long cmds[] = {
		HVM_GET_MSR_INDEX_LIST, HVM_GET_MSR_FEATURE_INDEX_LIST,
	};
	struct hvm_msr_list *l = calloc(1, 4 + MANY * 4);
	uint32_t i;

	for (i = 0; i < 2; i++) {
		l->nmsrs = 0;
		EXPECT_ERRNO(E2BIG, ioctl(self->vm->dev, cmds[i], l));
		ASSERT_LT(0, l->nmsrs);
		ASSERT_GT(MANY, l->nmsrs);
		EXPECT_EQ(0, ioctl(self->vm->dev, cmds[i], l));
	}
}

TEST_F(vcpu, too_many)
{
	struct hvm_msrs *m = msrs(257);

	EXPECT_ERRNO(E2BIG, ioctl(self->c->fd, HVM_GET_MSRS, m));
	EXPECT_ERRNO(E2BIG, ioctl(self->c->fd, HVM_SET_MSRS, m));
	m->nmsrs = 0xffffffff;
	EXPECT_ERRNO(E2BIG, ioctl(self->c->fd, HVM_GET_MSRS, m));
	m->nmsrs = 0;
	EXPECT_EQ(0, ioctl(self->c->fd, HVM_GET_MSRS, m));
	EXPECT_EQ(0, ioctl(self->c->fd, HVM_SET_MSRS, m));
}

TEST_F(vcpu, stops_at_unknown)
{
	struct hvm_msrs *m = msrs(3);

	gcpu_set_cpuid(self->c);
	m->entries[0].index = MSR_STAR;
	m->entries[0].data = 0x1234;
	m->entries[1].index = 0xdeadbeef;
	m->entries[2].index = MSR_LSTAR;
	EXPECT_EQ(1, ioctl(self->c->fd, HVM_SET_MSRS, m));
	m->entries[0].data = 0;
	EXPECT_EQ(1, ioctl(self->c->fd, HVM_GET_MSRS, m));
	EXPECT_EQ(0x1234ull, m->entries[0].data);
}

/* a value that the register cannot hold stops the list */
TEST_F(vcpu, bad_values)
{
	static const struct {
		uint32_t index;
		uint64_t data;
	} t[] = {
		{ MSR_LSTAR, 1ull << 62 },		/* not canonical */
		{ MSR_KERNEL_GS_BASE, 1ull << 62 },
		{ MSR_PAT, 0x02 },			/* no such type */
		{ MSR_EFER, 1ull << 40 },
		{ 0x2ff, 0xff },			/* MTRR default type */
		{ 0x200, 1ull << 60 },			/* beyond MAXPHYADDR */
		{ MSR_APICBASE, 1ull << 60 },
	};
	size_t i;

	gcpu_set_cpuid(self->c);
	for (i = 0; i < ARRAY_LEN(t); i++)
		EXPECT_EQ(-EINVAL, hvm_set_msr(self->c->fd, t[i].index,
					       t[i].data))
			TH_LOG("MSR %#x", t[i].index);
}

/* saving and restoring a vCPU: what was read may be written */
TEST_F(vcpu, all_listed)
{
	struct hvm_msr_list *l;
	uint64_t v;
	uint32_t i;

	gcpu_set_cpuid(self->c);
	ASSERT_EQ(0, hvm_get_msr_index_list(self->vm->dev, &l));
	for (i = 0; i < l->nmsrs; i++) {
		EXPECT_EQ(0, hvm_get_msr(self->c->fd, l->indices[i], &v))
			TH_LOG("get %#x", l->indices[i]);
		EXPECT_EQ(0, hvm_set_msr(self->c->fd, l->indices[i], v))
			TH_LOG("set %#x to %#llx", l->indices[i],
			       (unsigned long long)v);
	}
}

TEST_F(vcpu, values_stay)
{
	static const struct {
		uint32_t index;
		uint64_t data;
	} t[] = {
		{ MSR_STAR, 0x0023001000000000 },
		{ MSR_LSTAR, 0xffffffff81000000 },
		{ MSR_CSTAR, 0xffffffff81000010 },
		{ MSR_SYSCALL_MASK, 0x47700 },
		{ MSR_KERNEL_GS_BASE, 0xffff888000001000 },
		{ MSR_SYSENTER_CS, 0x10 },
		{ MSR_SYSENTER_ESP, 0x12345000 },
		{ MSR_SYSENTER_EIP, 0x23456000 },
		{ MSR_PAT, 0x0007040600070401 },
		{ MSR_TSC_AUX, 0x77 },
	};
	uint64_t v;
	size_t i;

	gcpu_set_cpuid(self->c);
	for (i = 0; i < ARRAY_LEN(t); i++)
		EXPECT_EQ(0, hvm_set_msr(self->c->fd, t[i].index, t[i].data))
			TH_LOG("MSR %#x", t[i].index);
	for (i = 0; i < ARRAY_LEN(t); i++) {
		EXPECT_EQ(0, hvm_get_msr(self->c->fd, t[i].index, &v));
		EXPECT_EQ(t[i].data, v)
			TH_LOG("MSR %#x", t[i].index);
	}
}

TEST_F(vcpu, features)
{
	struct hvm_msr_list *l;
	uint64_t v;
	uint32_t i;

	ASSERT_EQ(0, hvm_get_msr_feature_index_list(self->vm->dev, &l));
	for (i = 0; i < l->nmsrs; i++)
		EXPECT_EQ(0, hvm_get_msr(self->vm->dev, l->indices[i], &v))
			TH_LOG("feature MSR %#x", l->indices[i]);
	EXPECT_NE(0, hvm_get_msr(self->vm->dev, MSR_LSTAR, &v));
}

TEST_HARNESS_MAIN
