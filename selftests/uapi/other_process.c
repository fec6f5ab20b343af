// SPDX-License-Identifier: GPL-2.0-only
/*
 * A VM belongs to the process (the mm) that made it: in any other, through
 * fork or SCM_RIGHTS, its calls answer EIO.
 */
#include <sys/socket.h>
#include <sys/wait.h>

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

static int check(int dev, int vm, int vcpu)
{
	struct hvm_regs r;
	struct hvm_userspace_memory_region m = { 0 };

	if (ioctl(vm, HVM_CREATE_VCPU, 5) != -1 || errno != EIO)
		return 1;
	if (ioctl(vm, HVM_CHECK_EXTENSION, 0) != -1 || errno != EIO)
		return 2;
	if (ioctl(vm, HVM_SET_USER_MEMORY_REGION, &m) != -1 || errno != EIO)
		return 3;
	if (ioctl(vcpu, HVM_RUN, 0) != -1 || errno != EIO)
		return 4;
	if (ioctl(vcpu, HVM_GET_REGS, &r) != -1 || errno != EIO)
		return 5;
	/* even a call that nobody knows */
	if (ioctl(vcpu, _IO(HVMIO, 0xff), 0) != -1 || errno != EIO)
		return 6;
	if (ioctl(dev, HVM_GET_API_VERSION, 0) != 12)
		return 7;
	return 0;
}

TEST_F(vcpu, fork)
{
	int status;
	pid_t pid = fork();

	if (!pid)
		_exit(check(self->vm->dev, self->vm->fd, self->c->fd));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, WEXITSTATUS(status));
	/* nothing happened to ours */
	EXPECT_EQ(12, ioctl(self->vm->dev, HVM_GET_API_VERSION, 0));
	EXPECT_LE(0, ioctl(self->vm->fd, HVM_CREATE_VCPU, 5));
}

static void send_fds(int sock, int *fds, int n)
{
	char control[CMSG_SPACE(sizeof(int) * 4)] = { 0 };
	struct iovec iov = { "x", 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = CMSG_SPACE(sizeof(int) * n) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int) * n);
	memcpy(CMSG_DATA(c), fds, sizeof(int) * n);
	sendmsg(sock, &m, 0);
}

static int receive_fds(int sock, int *fds, int n)
{
	char control[CMSG_SPACE(sizeof(int) * 4)], b;
	struct iovec iov = { &b, 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };

	if (recvmsg(sock, &m, 0) != 1 || !CMSG_FIRSTHDR(&m))
		return -1;
	memcpy(fds, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(int) * n);
	return 0;
}

TEST_F(vcpu, scm_rights)
{
	int sock[2], status, fds[3];
	pid_t pid;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sock));
	pid = fork();
	if (!pid) {
		close(self->vm->dev);
		close(self->vm->fd);
		close(self->c->fd);
		if (receive_fds(sock[1], fds, 3))
			_exit(20);
		_exit(check(fds[0], fds[1], fds[2]));
	}
	fds[0] = self->vm->dev;
	fds[1] = self->vm->fd;
	fds[2] = self->c->fd;
	send_fds(sock[0], fds, 3);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, WEXITSTATUS(status));
}

/* the maker goes first: the descriptors keep the VM, which stays unusable */
TEST_F(vcpu, maker_gone)
{
	int sock[2], status, fds[3];
	pid_t pid;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sock));
	pid = fork();
	if (!pid) {
		struct gvm *vm = gvm_new(GVM_SPLIT);
		struct gcpu *c = gcpu_bare(vm, 0);

		fds[0] = vm->dev;
		fds[1] = vm->fd;
		fds[2] = c->fd;
		send_fds(sock[1], fds, 3);
		_exit(0);
	}
	ASSERT_EQ(0, receive_fds(sock[0], fds, 3));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, check(fds[0], fds[1], fds[2]));
	close(fds[1]);
	EXPECT_EQ(0, check(fds[0], fds[2], fds[2]) & ~7);
	close(fds[2]);
	close(fds[0]);
}

TEST_HARNESS_MAIN
