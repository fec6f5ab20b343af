// SPDX-License-Identifier: GPL-2.0-only
/*
 * A call on the wrong kind of descriptor is refused.
 */
#include <sys/eventfd.h>

#include "guest.h"
#include "kselftest_harness.h"

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

static union {
	char bytes[8192];
	struct hvm_regs regs;
} buf;

TEST_F(vcpu, on_the_device)
{
	int fd = self->vm->dev;

	EXPECT_ERRNO(EINVAL, ioctl(fd, HVM_CREATE_VCPU, 0));
	EXPECT_ERRNO(EINVAL, ioctl(fd, HVM_SET_USER_MEMORY_REGION, &buf));
	EXPECT_ERRNO(EINVAL, ioctl(fd, HVM_RUN, 0));
	EXPECT_ERRNO(EINVAL, ioctl(fd, HVM_GET_REGS, &buf));
}

TEST_F(vcpu, on_the_vm)
{
	int fd = self->vm->fd;

	EXPECT_ERRNO(ENOTTY, ioctl(fd, HVM_CREATE_VM, 0));
	EXPECT_ERRNO(ENOTTY, ioctl(fd, HVM_GET_API_VERSION, 0));
	EXPECT_ERRNO(ENOTTY, ioctl(fd, HVM_RUN, 0));
	EXPECT_ERRNO(ENOTTY, ioctl(fd, HVM_GET_REGS, &buf));
	EXPECT_ERRNO(ENOTTY, ioctl(fd, HVM_SET_SREGS, &buf));
}

TEST_F(vcpu, on_the_vcpu)
{
	int fd = self->c->fd;

	EXPECT_ERRNO(EINVAL, ioctl(fd, HVM_CREATE_VM, 0));
	EXPECT_ERRNO(EINVAL, ioctl(fd, HVM_CREATE_VCPU, 1));
	EXPECT_ERRNO(EINVAL, ioctl(fd, HVM_SET_USER_MEMORY_REGION, &buf));
	EXPECT_ERRNO(EINVAL, ioctl(fd, HVM_GET_DIRTY_LOG, &buf));
	EXPECT_ERRNO(EINVAL, ioctl(fd, HVM_IRQFD, &buf));
}

TEST_F(vcpu, foreign)
{
	int fd = eventfd(0, 0), fds[2];

	EXPECT_ERRNO(ENOTTY, ioctl(fd, HVM_RUN, 0));
	ASSERT_EQ(0, pipe(fds));
	EXPECT_ERRNO(ENOTTY, ioctl(fds[0], HVM_GET_REGS, &buf));
	EXPECT_ERRNO(EBADF, ioctl(-1, HVM_RUN, 0));
	/* a VM's or a vCPU's descriptor is no eventfd */
	EXPECT_EQ(-EINVAL, hvm_irqfd(self->vm->fd, self->vm->fd, 0, 0, 0));
	EXPECT_EQ(-EINVAL, hvm_ioeventfd(self->vm->fd, self->c->fd, 0x100, 1,
					 HVM_IOEVENTFD_FLAG_PIO, 0));
	EXPECT_EQ(-EBADF, hvm_irqfd(self->vm->fd, 999, 0, 0, 0));
}

TEST_F(vcpu, arguments_of_run)
{
	EXPECT_ERRNO(EINVAL, ioctl(self->c->fd, HVM_RUN, 1));
}

TEST_HARNESS_MAIN
