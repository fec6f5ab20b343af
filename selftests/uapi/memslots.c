// SPDX-License-Identifier: GPL-2.0-only
/*
 * SET_USER_MEMORY_REGION: every way to ask for a slot that cannot be.
 */
#include "guest.h"
#include "kselftest_harness.h"

FIXTURE(vm) {
	int dev, fd;
	uint8_t *mem;
};

FIXTURE_SETUP(vm)
{
	self->dev = hvm_open(NULL);
	self->fd = hvm_create_vm(self->dev, 0);
	ASSERT_LE(0, self->fd);
	self->mem = map_aligned(SZ_2M);
}

FIXTURE_TEARDOWN(vm)
{
	close(self->fd);
	close(self->dev);
}

static int slot(int vm, uint32_t slot, uint32_t flags, uint64_t gpa,
		uint64_t size, uint64_t hva)
{
	struct hvm_userspace_memory_region r = {
		.slot = slot, .flags = flags, .guest_phys_addr = gpa,
		.memory_size = size, .userspace_addr = hva,
	};

	return ioctl(vm, HVM_SET_USER_MEMORY_REGION, &r);
}

#define MEM ((uintptr_t)self->mem)

TEST_F(vm, pointers)
{
	EXPECT_ERRNO(EFAULT, ioctl(self->fd, HVM_SET_USER_MEMORY_REGION, 0));
	EXPECT_ERRNO(EFAULT, ioctl(self->fd, HVM_SET_USER_MEMORY_REGION,
				   1ul << 63));
}

TEST_F(vm, alignment)
{
	EXPECT_ERRNO(EINVAL, slot(self->fd, 0, 0, 0x100, 0x1000, MEM));
	EXPECT_ERRNO(EINVAL, slot(self->fd, 0, 0, 0, 0x1001, MEM));
	EXPECT_ERRNO(EINVAL, slot(self->fd, 0, 0, 0, 1, MEM));
	EXPECT_ERRNO(EINVAL, slot(self->fd, 0, 0, 0, 0x1000, MEM + 1));
}

TEST_F(vm, flags)
{
	EXPECT_ERRNO(EINVAL, slot(self->fd, 0, 1u << 31, 0, 0x1000, MEM));
	EXPECT_ERRNO(EINVAL, slot(self->fd, 0, 1u << 10, 0, 0x1000, MEM));
	EXPECT_EQ(0, slot(self->fd, 0, HVM_MEM_LOG_DIRTY_PAGES, 0, 0x1000,
			  MEM));
	EXPECT_EQ(0, slot(self->fd, 1, HVM_MEM_READONLY, 0x10000, 0x1000,
			  MEM));
}

TEST_F(vm, slot_numbers)
{
	int n = ioctl(self->fd, HVM_CHECK_EXTENSION, HVM_CAP_NR_MEMSLOTS);

	EXPECT_EQ(0, slot(self->fd, n - 1, 0, 0, 0x1000, MEM));
	EXPECT_ERRNO(EINVAL, slot(self->fd, 0xffff, 0, 0x10000, 0x1000, MEM));
	EXPECT_ERRNO(EINVAL, slot(self->fd, 0xffffffff, 0, 0x10000, 0x1000,
				  MEM));
	/* address spaces beyond those of the capability */
	EXPECT_ERRNO(EINVAL, slot(self->fd, 2 << 16, 0, 0x10000, 0x1000, MEM));
}

TEST_F(vm, wrap)
{
	EXPECT_ERRNO(EINVAL, slot(self->fd, 0, 0, -0x1000ull, 0x2000, MEM));
	EXPECT_ERRNO(EINVAL, slot(self->fd, 0, 0, -0x1000ull, 0x1000, MEM));
	EXPECT_ERRNO(EINVAL, slot(self->fd, 0, 0, 0x1000, -0x1000ull, MEM));
	EXPECT_ERRNO(EINVAL, slot(self->fd, 0, 0, 0, 0x2000, -0x1000ull));
	EXPECT_ERRNO(EINVAL, slot(self->fd, 0, 0, 0, 0x1000, 1ull << 63));
	EXPECT_ERRNO(EINVAL, slot(self->fd, 0, 0, 0, 1ull << 60, MEM));
	/* the last page that userspace has; nothing beyond it */
	EXPECT_ERRNO(EINVAL, slot(self->fd, 0, 0, 0, 0x2000,
				  0x7ffffffff000ull));
}

TEST_F(vm, overlap)
{
	ASSERT_EQ(0, slot(self->fd, 0, 0, 0x10000, 0x10000, MEM));
	EXPECT_ERRNO(EEXIST, slot(self->fd, 1, 0, 0x10000, 0x10000, MEM));
	EXPECT_ERRNO(EEXIST, slot(self->fd, 1, 0, 0x1f000, 0x1000, MEM));
	EXPECT_ERRNO(EEXIST, slot(self->fd, 1, 0, 0xf000, 0x2000, MEM));
	EXPECT_ERRNO(EEXIST, slot(self->fd, 1, 0, 0x8000, 0x20000, MEM));
	EXPECT_ERRNO(EEXIST, slot(self->fd, 1, 0, 0x14000, 0x1000, MEM));
	/* neighbours are none; host memory may be shared */
	EXPECT_EQ(0, slot(self->fd, 1, 0, 0x20000, 0x1000, MEM));
	EXPECT_EQ(0, slot(self->fd, 2, 0, 0xf000, 0x1000, MEM));
	/* moving onto a neighbour */
	EXPECT_ERRNO(EEXIST, slot(self->fd, 1, 0, 0xf000, 0x1000, MEM));
	/* moving over one's own old place is none */
	EXPECT_EQ(0, slot(self->fd, 2, 0, 0xe000, 0x1000, MEM));
	EXPECT_EQ(0, slot(self->fd, 0, 0, 0x10000, 0x10000, MEM));
}

TEST_F(vm, changes)
{
	ASSERT_EQ(0, slot(self->fd, 0, 0, 0x10000, 0x10000, MEM));
	/* size, memory and read-only stay; the address and the log may change */
	EXPECT_ERRNO(EINVAL, slot(self->fd, 0, 0, 0x10000, 0x8000, MEM));
	EXPECT_ERRNO(EINVAL, slot(self->fd, 0, 0, 0x10000, 0x20000, MEM));
	EXPECT_ERRNO(EINVAL, slot(self->fd, 0, 0, 0x10000, 0x10000,
				  MEM + 0x1000));
	EXPECT_ERRNO(EINVAL, slot(self->fd, 0, HVM_MEM_READONLY, 0x10000,
				  0x10000, MEM));
	EXPECT_EQ(0, slot(self->fd, 0, HVM_MEM_LOG_DIRTY_PAGES, 0x10000,
			  0x10000, MEM));
	EXPECT_EQ(0, slot(self->fd, 0, 0, 0x40000, 0x10000, MEM));
	/* the old place is free again */
	EXPECT_EQ(0, slot(self->fd, 1, 0, 0x10000, 0x10000, MEM));
}

TEST_F(vm, delete)
{
	EXPECT_ERRNO(EINVAL, slot(self->fd, 0, 0, 0, 0, 0));
	ASSERT_EQ(0, slot(self->fd, 0, 0, 0x10000, 0x10000, MEM));
	EXPECT_EQ(0, slot(self->fd, 0, 0, 0, 0, 0));
	EXPECT_ERRNO(EINVAL, slot(self->fd, 0, 0, 0, 0, 0));
	EXPECT_EQ(0, slot(self->fd, 5, 0, 0x10000, 0x10000, MEM));
}

TEST_F(vm, many)
{
	int i;

	for (i = 0; i < 500; i++)
		ASSERT_EQ(0, slot(self->fd, i, 0, i * 0x2000ull, 0x1000, MEM));
	for (i = 0; i < 499; i++)
		EXPECT_EQ(-1, slot(self->fd, 600, 0,
				   i * 0x2000ull + 0x1000, 0x2000, MEM));
	for (i = 0; i < 500; i += 2)
		ASSERT_EQ(0, slot(self->fd, i, 0, 0, 0, 0));
}

TEST_HARNESS_MAIN
