// SPDX-License-Identifier: GPL-2.0-only
/*
 * The calls of the device itself: version, sizes, and what it refuses.
 */
#include <fcntl.h>
#include <linux/ioctl.h>

#include "guest.h"
#include "kselftest_harness.h"

FIXTURE(dev) {
	int fd;
};

FIXTURE_SETUP(dev)
{
	self->fd = open(device_path(), O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(dev)
{
	close(self->fd);
}

TEST_F(dev, api_version)
{
	EXPECT_EQ(12, ioctl(self->fd, HVM_GET_API_VERSION, 0));
	EXPECT_ERRNO(EINVAL, ioctl(self->fd, HVM_GET_API_VERSION, 1));
}

TEST_F(dev, vcpu_mmap_size)
{
	int size = ioctl(self->fd, HVM_GET_VCPU_MMAP_SIZE, 0);

	EXPECT_LE((int)sizeof(struct hvm_run), size);
	EXPECT_EQ(0, size & 4095);
	EXPECT_ERRNO(EINVAL, ioctl(self->fd, HVM_GET_VCPU_MMAP_SIZE, 1));
}

TEST_F(dev, create_vm)
{
	int fd = ioctl(self->fd, HVM_CREATE_VM, 0);

	EXPECT_LE(0, fd);
	EXPECT_NE(0, fcntl(fd, F_GETFD) & FD_CLOEXEC);
	EXPECT_EQ(0, close(fd));
	EXPECT_ERRNO(EINVAL, ioctl(self->fd, HVM_CREATE_VM, 1));
	EXPECT_ERRNO(EINVAL, ioctl(self->fd, HVM_CREATE_VM, -1ul));
}

TEST_F(dev, unknown_calls)
{
	int vm = ioctl(self->fd, HVM_CREATE_VM, 0);
	int vcpu = ioctl(vm, HVM_CREATE_VCPU, 0);

	EXPECT_ERRNO(EINVAL, ioctl(self->fd, _IO(HVMIO, 0xff), 0));
	EXPECT_ERRNO(ENOTTY, ioctl(vm, _IO(HVMIO, 0xff), 0));
	EXPECT_ERRNO(EINVAL, ioctl(vcpu, _IO(HVMIO, 0xff), 0));
	/* the right number with the wrong size is another call */
	EXPECT_ERRNO(EINVAL, ioctl(vcpu, _IOR(HVMIO, 0x81, char[8]), 0));
	/* not the device's type at all */
	EXPECT_ERRNO(EINVAL, ioctl(vcpu, _IO('x', 0x80), 0));
}

TEST_F(dev, no_read_write)
{
	char b[8];

	EXPECT_ERRNO(EINVAL, read(self->fd, b, 8));
	EXPECT_ERRNO(EINVAL, write(self->fd, b, 8));
}

TEST_HARNESS_MAIN
