// SPDX-License-Identifier: GPL-2.0-only
/*
 * What IRQFD refuses, and assigning and taking back.
 */
#include <sys/eventfd.h>

#include "guest.h"
#include "kselftest_harness.h"

FIXTURE(vm) {
	struct gvm *vm;
	int fd, ev;
};

FIXTURE_SETUP(vm)
{
	self->vm = gvm_new(GVM_SPLIT);
	self->fd = self->vm->fd;
	self->ev = eventfd(0, 0);
	ASSERT_EQ(0, gvm_route_msi(self->vm, 8, 0x40));
}

FIXTURE_TEARDOWN(vm)
{
	gvm_free(self->vm);
}

TEST_F(vm, assign)
{
	EXPECT_EQ(0, hvm_irqfd(self->fd, self->ev, 1, 0, 0));
	/* one eventfd, one interrupt */
	EXPECT_EQ(-EBUSY, hvm_irqfd(self->fd, self->ev, 1, 0, 0));
	EXPECT_EQ(-EBUSY, hvm_irqfd(self->fd, self->ev, 2, 0, 0));
	EXPECT_EQ(0, hvm_irqfd(self->fd, self->ev, 1,
			       HVM_IRQFD_FLAG_DEASSIGN, 0));
	EXPECT_EQ(0, hvm_irqfd(self->fd, self->ev, 2, 0, 0));
	/* another eventfd may share the interrupt */
	EXPECT_EQ(0, hvm_irqfd(self->fd, eventfd(0, 0), 2, 0, 0));
	/* what is not there is taken back all the same */
	EXPECT_EQ(0, hvm_irqfd(self->fd, self->ev, 7,
			       HVM_IRQFD_FLAG_DEASSIGN, 0));
}

TEST_F(vm, refused)
{
	EXPECT_EQ(-EINVAL, hvm_irqfd(self->fd, self->ev, 1, 1u << 5, 0));
	EXPECT_EQ(-EINVAL, hvm_irqfd(self->fd, self->ev, 1, 1u << 31, 0));
	EXPECT_EQ(-EBADF, hvm_irqfd(self->fd, -1, 1, 0, 0));
	EXPECT_EQ(-EBADF, hvm_irqfd(self->fd, 999, 1, 0, 0));
	EXPECT_EQ(-EINVAL, hvm_irqfd(self->fd, STDERR_FILENO, 1, 0, 0));
}

/* without in-kernel interrupt chips there is nowhere to deliver to */
TEST_F(vm, no_chips)
{
	struct gvm *bare = gvm_new(GVM_NO_IRQCHIP);

	EXPECT_EQ(-EINVAL, hvm_irqfd(bare->fd, self->ev, 1, 0, 0));
	gvm_free(bare);
}

/* the end of an interrupt is the kernel's to see only if the IOAPIC is its */
TEST_F(vm, resample)
{
	struct gvm *vm = gvm_new(GVM_NO_IRQCHIP);
	int rs = eventfd(0, 0);

	EXPECT_EQ(-EINVAL, hvm_irqfd(self->fd, self->ev, 1,
				     HVM_IRQFD_FLAG_RESAMPLE, rs));
	REQUIRE(have_cap(HVM_CAP_IRQCHIP), "no IOAPIC in the kernel");
	ASSERT_EQ(0, hvm_create_irqchip(vm->fd));
	EXPECT_EQ(-EBADF, hvm_irqfd(vm->fd, self->ev, 1,
				    HVM_IRQFD_FLAG_RESAMPLE, 999));
	EXPECT_EQ(-EINVAL, hvm_irqfd(vm->fd, self->ev, 1,
				     HVM_IRQFD_FLAG_RESAMPLE, STDERR_FILENO));
	EXPECT_EQ(0, hvm_irqfd(vm->fd, self->ev, 1, HVM_IRQFD_FLAG_RESAMPLE,
			       rs));
	EXPECT_EQ(0, hvm_irqfd(vm->fd, eventfd(0, 0), 1,
			       HVM_IRQFD_FLAG_RESAMPLE, eventfd(0, 0)));
	EXPECT_EQ(0, hvm_irqfd(vm->fd, self->ev, 1, HVM_IRQFD_FLAG_DEASSIGN,
			       0));
	gvm_free(vm);
}

TEST_HARNESS_MAIN
