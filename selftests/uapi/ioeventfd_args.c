// SPDX-License-Identifier: GPL-2.0-only
/*
 * What IOEVENTFD refuses, and assigning and taking back.
 */
#include <sys/eventfd.h>

#include "guest.h"
#include "kselftest_harness.h"

#define PIO	HVM_IOEVENTFD_FLAG_PIO
#define MATCH	HVM_IOEVENTFD_FLAG_DATAMATCH
#define OFF	HVM_IOEVENTFD_FLAG_DEASSIGN

FIXTURE(vm) {
	struct gvm *vm;
	int fd, ev;
};

FIXTURE_SETUP(vm)
{
	self->vm = gvm_new(GVM_SPLIT);
	self->fd = self->vm->fd;
	self->ev = eventfd(0, 0);
}

FIXTURE_TEARDOWN(vm)
{
	gvm_free(self->vm);
}

TEST_F(vm, lengths)
{
	static const int good[] = { 1, 2, 4, 8 };
	size_t i;

	for (i = 0; i < ARRAY_LEN(good); i++) {
		EXPECT_EQ(0, hvm_ioeventfd(self->fd, self->ev, 0x1000 * i,
					   good[i], 0, 0));
		EXPECT_EQ(0, hvm_ioeventfd(self->fd, self->ev, 0x100 * i,
					   good[i], PIO, 0));
	}
	EXPECT_EQ(-EINVAL, hvm_ioeventfd(self->fd, self->ev, 0, 3, 0, 0));
	EXPECT_EQ(-EINVAL, hvm_ioeventfd(self->fd, self->ev, 0, 16, 0, 0));
	EXPECT_EQ(-EINVAL, hvm_ioeventfd(self->fd, self->ev, 0, -1u, 0, 0));
	/* any length, but then no value to match */
	EXPECT_EQ(0, hvm_ioeventfd(self->fd, self->ev, 0x9000, 0, 0, 0));
	EXPECT_EQ(-EINVAL, hvm_ioeventfd(self->fd, self->ev, 0xa000, 0, MATCH,
					 1));
}

TEST_F(vm, refused)
{
	EXPECT_EQ(-EINVAL, hvm_ioeventfd(self->fd, self->ev, -2ull, 4, 0, 0));
	EXPECT_EQ(-EINVAL, hvm_ioeventfd(self->fd, self->ev, 0, 4, 1u << 5,
					 0));
	EXPECT_EQ(-EINVAL, hvm_ioeventfd(self->fd, self->ev, 0, 4, 1u << 31,
					 0));
	EXPECT_EQ(-EBADF, hvm_ioeventfd(self->fd, 999, 0, 4, 0, 0));
	EXPECT_EQ(-EINVAL, hvm_ioeventfd(self->fd, STDERR_FILENO, 0, 4, 0, 0));
}

TEST_F(vm, collisions)
{
	int other = eventfd(0, 0);

	EXPECT_EQ(0, hvm_ioeventfd(self->fd, self->ev, 0x100, 4, 0, 0));
	EXPECT_EQ(-EEXIST, hvm_ioeventfd(self->fd, other, 0x100, 4, 0, 0));
	EXPECT_EQ(-EEXIST, hvm_ioeventfd(self->fd, other, 0x100, 4, MATCH, 1));
	EXPECT_EQ(0, hvm_ioeventfd(self->fd, other, 0x100, 2, 0, 0));
	/* ports are another space */
	EXPECT_EQ(0, hvm_ioeventfd(self->fd, self->ev, 0x100, 4, PIO, 0));
	EXPECT_EQ(0, hvm_ioeventfd(self->fd, self->ev, 0x200, 4, MATCH, 1));
	EXPECT_EQ(0, hvm_ioeventfd(self->fd, other, 0x200, 4, MATCH, 2));
	EXPECT_EQ(-EEXIST, hvm_ioeventfd(self->fd, other, 0x200, 4, MATCH, 1));
}

TEST_F(vm, deassign)
{
	EXPECT_EQ(-ENOENT, hvm_ioeventfd(self->fd, self->ev, 0x100, 4, OFF, 0));
	ASSERT_EQ(0, hvm_ioeventfd(self->fd, self->ev, 0x100, 4, MATCH, 7));
	EXPECT_EQ(-ENOENT, hvm_ioeventfd(self->fd, self->ev, 0x100, 4, OFF, 7));
	EXPECT_EQ(-ENOENT, hvm_ioeventfd(self->fd, self->ev, 0x100, 4,
					 OFF | MATCH, 8));
	EXPECT_EQ(-ENOENT, hvm_ioeventfd(self->fd, self->ev, 0x100, 2,
					 OFF | MATCH, 7));
	EXPECT_EQ(-ENOENT, hvm_ioeventfd(self->fd, eventfd(0, 0), 0x100, 4,
					 OFF | MATCH, 7));
	EXPECT_EQ(0, hvm_ioeventfd(self->fd, self->ev, 0x100, 4, OFF | MATCH,
				   7));
	EXPECT_EQ(0, hvm_ioeventfd(self->fd, self->ev, 0x100, 4, 0, 0));
}

TEST_HARNESS_MAIN
