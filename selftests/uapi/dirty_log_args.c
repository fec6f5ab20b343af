// SPDX-License-Identifier: GPL-2.0-only
/*
 * What GET_DIRTY_LOG and CLEAR_DIRTY_LOG refuse.
 */
#include "guest.h"
#include "kselftest_harness.h"

FIXTURE(vm) {
	struct gvm *vm;
	uint64_t *bits;
};

FIXTURE_SETUP(vm)
{
	self->vm = gvm_new(GVM_NO_IRQCHIP);
	self->bits = calloc(1, 4096);
	gvm_add_memory(self->vm, 0x10000000, SZ_2M, HVM_MEM_LOG_DIRTY_PAGES);
	gvm_add_memory(self->vm, 0x20000000, SZ_2M, 0);
}

FIXTURE_TEARDOWN(vm)
{
	gvm_free(self->vm);
}

static int get(int vm, uint32_t slot, void *bits)
{
	return hvm_get_dirty_log(vm, slot, bits);
}

TEST_F(vm, get)
{
	EXPECT_EQ(0, get(self->vm->fd, 2, self->bits));
	EXPECT_EQ(-ENOENT, get(self->vm->fd, 3, self->bits));
	EXPECT_EQ(-ENOENT, get(self->vm->fd, 9, self->bits));
	EXPECT_EQ(-EINVAL, get(self->vm->fd, 0x7fff, self->bits));
	EXPECT_EQ(-EINVAL, get(self->vm->fd, 5 << 16, self->bits));
	EXPECT_EQ(-EINVAL, get(self->vm->fd, 0xffffffff, self->bits));
	EXPECT_EQ(-EFAULT, get(self->vm->fd, 2, NULL));
	EXPECT_EQ(-EFAULT, get(self->vm->fd, 2, (void *)(1ul << 63)));
}

TEST_F(vm, clear)
{
	int fd = self->vm->fd;

	/* the capability changes what GET does, not whether CLEAR works */
	EXPECT_EQ(0, hvm_clear_dirty_log(fd, 2, 0, 512, self->bits));
	ASSERT_EQ(0, hvm_enable_cap(fd, HVM_CAP_MANUAL_DIRTY_LOG_PROTECT2, 1));
	EXPECT_EQ(0, hvm_clear_dirty_log(fd, 2, 0, 512, self->bits));
	EXPECT_EQ(0, hvm_clear_dirty_log(fd, 2, 64, 64, self->bits));
	EXPECT_EQ(-EINVAL, hvm_clear_dirty_log(fd, 2, 1, 64, self->bits));
	EXPECT_EQ(-EINVAL, hvm_clear_dirty_log(fd, 2, 0, 63, self->bits));
	EXPECT_EQ(-EINVAL, hvm_clear_dirty_log(fd, 2, 512, 64, self->bits));
	EXPECT_EQ(-EINVAL, hvm_clear_dirty_log(fd, 2, 64, 512, self->bits));
	EXPECT_EQ(-EINVAL, hvm_clear_dirty_log(fd, 2, -64ull, 128,
					       self->bits));
	EXPECT_EQ(-EINVAL, hvm_clear_dirty_log(fd, 2, 64, -64u, self->bits));
	EXPECT_EQ(-ENOENT, hvm_clear_dirty_log(fd, 3, 0, 512, self->bits));
	EXPECT_EQ(-EINVAL, hvm_clear_dirty_log(fd, 5 << 16, 0, 512,
					       self->bits));
	EXPECT_EQ(-EFAULT, hvm_clear_dirty_log(fd, 2, 0, 512, NULL));
}

TEST_F(vm, capability)
{
	int fd = self->vm->fd;

	EXPECT_EQ(-EINVAL, hvm_enable_cap(fd, HVM_CAP_MANUAL_DIRTY_LOG_PROTECT2,
					  4));
	EXPECT_EQ(-EINVAL, hvm_enable_cap(fd, HVM_CAP_MANUAL_DIRTY_LOG_PROTECT2,
					  2));
	EXPECT_EQ(0, hvm_enable_cap(fd, HVM_CAP_MANUAL_DIRTY_LOG_PROTECT2, 3));
	EXPECT_EQ(0, hvm_enable_cap(fd, HVM_CAP_MANUAL_DIRTY_LOG_PROTECT2, 0));
}

TEST_HARNESS_MAIN
