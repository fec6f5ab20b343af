// SPDX-License-Identifier: GPL-2.0-only
/*
 * SET_GSI_ROUTING, SIGNAL_MSI, ENABLE_CAP and the other calls of a VM that set
 * up interrupts: what they refuse.
 */
#include "guest.h"
#include "kselftest_harness.h"

FIXTURE(vm) {
	struct gvm *vm;
	int fd;
};

FIXTURE_SETUP(vm)
{
	self->vm = gvm_new(GVM_SPLIT);
	self->fd = self->vm->fd;
}

FIXTURE_TEARDOWN(vm)
{
	gvm_free(self->vm);
}

static struct hvm_irq_routing *table(uint32_t nr)
{
	struct hvm_irq_routing *r = calloc(1, sizeof(*r) +
					   64 * sizeof(r->entries[0]));
	int i;

	r->nr = nr;
	for (i = 0; i < 64; i++) {
		r->entries[i].gsi = i;
		r->entries[i].type = HVM_IRQ_ROUTING_MSI;
		r->entries[i].u.msi.address_lo = APIC_GPA;
		r->entries[i].u.msi.data = 0x40;
	}
	return r;
}

TEST_F(vm, routing)
{
	struct hvm_irq_routing *r = table(64);

	EXPECT_EQ(0, hvm_set_gsi_routing(self->fd, r));
	r->nr = 0;
	EXPECT_EQ(0, hvm_set_gsi_routing(self->fd, r));
	r->nr = 100000;
	EXPECT_EQ(-EINVAL, hvm_set_gsi_routing(self->fd, r));
	r->nr = 0xffffffff;
	EXPECT_EQ(-EINVAL, hvm_set_gsi_routing(self->fd, r));
	r->nr = 4;
	r->flags = 1;
	EXPECT_EQ(-EINVAL, hvm_set_gsi_routing(self->fd, r));
	r->flags = 0;
	r->entries[2].type = 99;
	EXPECT_EQ(-EINVAL, hvm_set_gsi_routing(self->fd, r));
	r->entries[2].type = HVM_IRQ_ROUTING_MSI;
	r->entries[2].flags = 1u << 4;
	EXPECT_EQ(-EINVAL, hvm_set_gsi_routing(self->fd, r));
	r->entries[2].flags = 0;
	r->entries[2].gsi = 0xfffff;
	EXPECT_EQ(-EINVAL, hvm_set_gsi_routing(self->fd, r));
	/* two messages for one GSI */
	r->entries[2].gsi = 1;
	EXPECT_EQ(-EINVAL, hvm_set_gsi_routing(self->fd, r));
	r->entries[2].gsi = 2;
	EXPECT_EQ(0, hvm_set_gsi_routing(self->fd, r));
}

/* the table reaches past the end of memory */
TEST_F(vm, routing_pointer)
{
	char *p = mmap(NULL, 2 * PAGE_SIZE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct hvm_irq_routing *r;

	munmap(p + PAGE_SIZE, PAGE_SIZE);
	r = (void *)(p + PAGE_SIZE - sizeof(*r) - 2 * sizeof(r->entries[0]));
	r->nr = 2;
	r->entries[0].type = HVM_IRQ_ROUTING_MSI;
	r->entries[1].type = HVM_IRQ_ROUTING_MSI;
	r->entries[1].gsi = 1;
	EXPECT_EQ(0, hvm_set_gsi_routing(self->fd, r));
	r->nr = 3;
	EXPECT_EQ(-EFAULT, hvm_set_gsi_routing(self->fd, r));
}

TEST_F(vm, msi)
{
	struct hvm_msi m = { .address_lo = APIC_GPA, .data = 0x40 };
	struct gvm *bare = gvm_new(GVM_NO_IRQCHIP);

	/* nobody there to take it: KVM says so by -1, which is EPERM */
	EXPECT_EQ(-1, ioctl(self->fd, HVM_SIGNAL_MSI, &m));
	m.flags = 1u << 3;
	EXPECT_ERRNO(EINVAL, ioctl(self->fd, HVM_SIGNAL_MSI, &m));
	m.flags = 0;
	EXPECT_ERRNO(EINVAL, ioctl(bare->fd, HVM_SIGNAL_MSI, &m));
	gvm_free(bare);
}

TEST_F(vm, enable_cap)
{
	struct hvm_enable_cap e = { .cap = HVM_CAP_SPLIT_IRQCHIP,
				    .args = { 24 } };
	struct gvm *bare = gvm_new(GVM_NO_IRQCHIP);

	EXPECT_ERRNO(EEXIST, ioctl(self->fd, HVM_ENABLE_CAP, &e));
	e.args[0] = 100000;
	EXPECT_ERRNO(EINVAL, ioctl(bare->fd, HVM_ENABLE_CAP, &e));
	e.args[0] = 24;
	e.flags = 1;
	EXPECT_ERRNO(EINVAL, ioctl(bare->fd, HVM_ENABLE_CAP, &e));
	e.flags = 0;
	e.cap = 0x7fffffff;
	EXPECT_ERRNO(EINVAL, ioctl(bare->fd, HVM_ENABLE_CAP, &e));
	e.cap = HVM_CAP_X2APIC_API;
	e.args[0] = 1ull << 40;
	EXPECT_ERRNO(EINVAL, ioctl(bare->fd, HVM_ENABLE_CAP, &e));
	e.args[0] = 3;
	EXPECT_EQ(0, ioctl(bare->fd, HVM_ENABLE_CAP, &e));
	/* the chips come before the vCPUs */
	gcpu_bare(bare, 0);
	e.cap = HVM_CAP_SPLIT_IRQCHIP;
	e.args[0] = 24;
	EXPECT_ERRNO(EEXIST, ioctl(bare->fd, HVM_ENABLE_CAP, &e));
}

TEST_F(vm, addresses)
{
	uint64_t gpa = 0xfffbc000;

	EXPECT_EQ(0, hvm_set_tss_addr(self->fd, 0xfffbd000));
	EXPECT_ERRNO(EINVAL, ioctl(self->fd, HVM_SET_TSS_ADDR, 0xfffffffful));
	EXPECT_EQ(0, hvm_set_identity_map_addr(self->fd, gpa));
	EXPECT_EQ(0, hvm_set_boot_cpu_id(self->fd, 0));
	gcpu_bare(self->vm, 0);
	EXPECT_EQ(-EINVAL, hvm_set_identity_map_addr(self->fd, gpa));
	EXPECT_EQ(-EBUSY, hvm_set_boot_cpu_id(self->fd, 1));
}

/* which vCPU is the first is userspace's choice */
TEST_F(vm, boot_cpu)
{
	struct gcpu *a, *b;
	uint32_t s;
	uint64_t v;

	ASSERT_EQ(0, hvm_set_boot_cpu_id(self->fd, 1));
	a = gcpu_bare(self->vm, 0);
	b = gcpu_bare(self->vm, 1);
	ASSERT_EQ(0, hvm_get_mp_state(a->fd, &s));
	EXPECT_EQ(HVM_MP_STATE_UNINITIALIZED, s);
	ASSERT_EQ(0, hvm_get_mp_state(b->fd, &s));
	EXPECT_EQ(HVM_MP_STATE_RUNNABLE, s);
	ASSERT_EQ(0, hvm_get_msr(a->fd, MSR_APICBASE, &v));
	EXPECT_EQ(0ull, v & APICBASE_BSP);
	ASSERT_EQ(0, hvm_get_msr(b->fd, MSR_APICBASE, &v));
	EXPECT_EQ(APICBASE_BSP, v & APICBASE_BSP);
}

TEST_F(vm, clock)
{
	struct hvm_clock_data d = { .flags = 1u << 31 };

	EXPECT_EQ(-EINVAL, hvm_set_clock(self->fd, &d));
	d.flags = 0;
	EXPECT_EQ(0, hvm_set_clock(self->fd, &d));
}

TEST_HARNESS_MAIN
