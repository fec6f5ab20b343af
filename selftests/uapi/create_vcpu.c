// SPDX-License-Identifier: GPL-2.0-only
/*
 * CREATE_VCPU: numbers that are taken, out of range, or as many as allowed.
 */
#include <fcntl.h>
#include <sys/resource.h>

#include "guest.h"
#include "kselftest_harness.h"

FIXTURE(vm) {
	int dev, fd;
};

FIXTURE_SETUP(vm)
{
	self->dev = hvm_open(NULL);
	self->fd = hvm_create_vm(self->dev, 0);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(vm)
{
	close(self->fd);
	close(self->dev);
}

TEST_F(vm, numbers)
{
	int max = ioctl(self->fd, HVM_CHECK_EXTENSION, HVM_CAP_MAX_VCPU_ID);
	int fd = ioctl(self->fd, HVM_CREATE_VCPU, 0);

	ASSERT_LE(0, fd);
	EXPECT_NE(0, fcntl(fd, F_GETFD) & FD_CLOEXEC);
	EXPECT_ERRNO(EEXIST, ioctl(self->fd, HVM_CREATE_VCPU, 0));
	EXPECT_ERRNO(EINVAL, ioctl(self->fd, HVM_CREATE_VCPU, max));
	EXPECT_ERRNO(EINVAL, ioctl(self->fd, HVM_CREATE_VCPU, -1));
	/* a vCPU lives as long as its VM: its number stays taken */
	close(fd);
	EXPECT_ERRNO(EEXIST, ioctl(self->fd, HVM_CREATE_VCPU, 0));
	EXPECT_LE(0, ioctl(self->fd, HVM_CREATE_VCPU, max - 1));
}

TEST_F(vm, as_many_as_allowed)
{
	int max = ioctl(self->fd, HVM_CHECK_EXTENSION, HVM_CAP_MAX_VCPUS);
	struct rlimit lim = { 4096, 4096 };
	int i, n = max < 64 ? max : 64;

	setrlimit(RLIMIT_NOFILE, &lim);
	for (i = 0; i < n; i++)
		ASSERT_LE(0, ioctl(self->fd, HVM_CREATE_VCPU, i));
	if (!device_is_hvm())
		return;		/* the peer's hundreds take long */
	for (; i < max; i++)
		ASSERT_LE(0, ioctl(self->fd, HVM_CREATE_VCPU, i));
	EXPECT_ERRNO(EINVAL, ioctl(self->fd, HVM_CREATE_VCPU, max));
}

TEST_F(vm, no_memory_yet)
{
	struct hvm_vcpu_fd c;
	struct hvm_regs r;

	/* a fresh vCPU stands at the reset vector, with nothing behind it */
	ASSERT_EQ(0, hvm_vcpu_open(self->dev, self->fd, 0, &c));
	ASSERT_EQ(0, hvm_get_regs(c.fd, &r));
	EXPECT_EQ(0xfff0ull, r.rip);
	EXPECT_EQ(2ull, r.rflags);
	hvm_vcpu_close(&c);
}

TEST_F(vm, run_page)
{
	int size = hvm_vcpu_mmap_size(self->dev);
	int fd = ioctl(self->fd, HVM_CREATE_VCPU, 3);
	struct hvm_run *a, *b;

	a = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	b = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, (void *)a);
	ASSERT_NE(MAP_FAILED, (void *)b);
	a->immediate_exit = 1;
	EXPECT_EQ(1, b->immediate_exit);
	munmap(a, size);
	munmap(b, size);
}

TEST_F_SIGNAL(vm, run_page_beyond, SIGBUS)
{
	int size = hvm_vcpu_mmap_size(self->dev);
	int fd = ioctl(self->fd, HVM_CREATE_VCPU, 3);
	volatile char *p;

	p = mmap(NULL, PAGE_SIZE, PROT_READ, MAP_SHARED, fd, size);
	if (p == MAP_FAILED)
		raise(SIGBUS);	/* refusing the mapping is as good */
	(void)p[0];
}

TEST_HARNESS_MAIN
