// SPDX-License-Identifier: GPL-2.0-only
/*
 * What GET_DIRTY_LOG and CLEAR_DIRTY_LOG refuse, and rings of dirty pages.
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

static int map_ring(struct gcpu *c, size_t size, int prot, int flags, off_t page)
{
	void *p = mmap(NULL, size, prot, flags, c->fd, page * PAGE_SIZE);

	if (p == MAP_FAILED)
		return -errno;
	munmap(p, size);
	return 0;
}

TEST(ring)
{
	static const long caps[] = { HVM_CAP_DIRTY_LOG_RING, HVM_CAP_DIRTY_LOG_RING_ACQ_REL };
	const off_t at = HVM_DIRTY_LOG_PAGE_OFFSET;
	const int rw = PROT_READ | PROT_WRITE;
	struct gvm *vm = gvm_new(GVM_NO_IRQCHIP);
	uint64_t bits[512 / 64];
	struct gcpu *c;
	unsigned int i;
	int err;

	REQUIRE(have_cap(HVM_CAP_DIRTY_LOG_RING), "no dirty ring");
	for (i = 0; i < ARRAY_LEN(caps); i++) {
		EXPECT_EQ(1 << 20, have_cap(caps[i]));
		EXPECT_EQ(-EINVAL, hvm_enable_cap(vm->fd, caps[i], 0));
		EXPECT_EQ(-EINVAL, hvm_enable_cap(vm->fd, caps[i], 2048));
		EXPECT_EQ(-EINVAL, hvm_enable_cap(vm->fd, caps[i], 3 << 14));
		EXPECT_EQ(-E2BIG, hvm_enable_cap(vm->fd, caps[i], 2 << 20));
	}
	EXPECT_ERRNO(EINVAL, ioctl(vm->fd, HVM_RESET_DIRTY_RINGS, 0));
	/* too late */
	c = gcpu_bare(vm, 0);
	EXPECT_EQ(-EINVAL, hvm_enable_cap(vm->fd, caps[0], 1 << 14));
	EXPECT_ERRNO(EINVAL, ioctl(vm->fd, HVM_RESET_DIRTY_RINGS, 0));
	gcpu_free(c);
	gvm_free(vm);

	vm = gvm_new(GVM_NO_IRQCHIP);
	ASSERT_EQ(0, hvm_enable_cap(vm->fd, caps[1], 1 << 20));
	EXPECT_EQ(-EINVAL, hvm_enable_cap(vm->fd, caps[1], 1 << 20));
	gvm_add_memory(vm, 0x10000000, SZ_2M, HVM_MEM_LOG_DIRTY_PAGES);
	c = gcpu_bare(vm, 0);
	EXPECT_EQ(0, ioctl(vm->fd, HVM_RESET_DIRTY_RINGS, 0));
	/* instead of, not beside the bitmaps */
	EXPECT_EQ(-ENXIO, get(vm->fd, 2, bits));
	EXPECT_EQ(-ENXIO, hvm_clear_dirty_log(vm->fd, 2, 0, 512, bits));
	EXPECT_EQ(0, map_ring(c, 1 << 20, rw, MAP_SHARED, at));
	EXPECT_EQ(-EINVAL, map_ring(c, 1 << 20, rw, MAP_PRIVATE, at));
	/* kernel 7 maps nothing executable of such files, whatever they say */
	err = map_ring(c, 1 << 20, PROT_READ | PROT_EXEC, MAP_SHARED, at);
	EXPECT_TRUE(err == -EINVAL || err == -EPERM);
	EXPECT_EQ(-EINVAL, map_ring(c, 4096, rw, MAP_PRIVATE, at + 255));
	EXPECT_EQ(0, map_ring(c, 4096, rw, MAP_PRIVATE, at + 256));
	EXPECT_EQ(-EINVAL, map_ring(c, 8192, rw, MAP_PRIVATE, at - 1));
	EXPECT_EQ(0, map_ring(c, 4096, rw, MAP_PRIVATE, at - 1));
	gcpu_free(c);
	gvm_free(vm);
}

TEST_HARNESS_MAIN
