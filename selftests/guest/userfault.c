// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that userspace fills on demand: a guest that touches it waits for
 * userfaultfd's answer, can be killed while it waits, and file-backed memory
 * whose pages are punched away.
 */
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "guest.h"
#include "kselftest_harness.h"

#define GPA	0x10000000ul
#define PAGES	32

static void g_touch(void)
{
	uint64_t i;

	for (i = 0; i < PAGES; i++)
		GUEST_ASSERT_EQ(*(volatile uint64_t *)(GPA + i * PAGE_SIZE),
				0x4000 + i);
}

static int open_uffd(void *p, size_t size)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = {
		.range = { (uintptr_t)p, size },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC);

	if (fd < 0 || ioctl(fd, UFFDIO_API, &api) ||
	    ioctl(fd, UFFDIO_REGISTER, &reg))
		return -1;
	return fd;
}

/* answer one fault; the page's number is its content */
static bool answer(int fd, uint8_t *base)
{
	static uint64_t page[512] __attribute__((aligned(4096)));
	struct pollfd p = { .fd = fd, .events = POLLIN };
	struct uffdio_copy copy = { .src = (uintptr_t)page, .len = PAGE_SIZE };
	struct uffd_msg msg;

	if (poll(&p, 1, 5000) != 1 ||
	    read(fd, &msg, sizeof(msg)) != sizeof(msg))
		return false;
	copy.dst = msg.arg.pagefault.address & ~(PAGE_SIZE - 1);
	page[0] = 0x4000 + (copy.dst - (uintptr_t)base) / PAGE_SIZE;
	return !ioctl(fd, UFFDIO_COPY, &copy);
}

TEST(on_demand)
{
	struct gvm *vm = gvm_new(GVM_NO_IRQCHIP);
	uint8_t *p = gvm_add_memory(vm, GPA, SZ_2M, 0);
	struct gcpu *c = gcpu_new(vm, 0, g_touch);
	int fd, i;

	madvise(p, SZ_2M, MADV_NOHUGEPAGE);
	fd = open_uffd(p, SZ_2M);
	REQUIRE(fd >= 0, "no userfaultfd");
	gcpu_start(c);
	for (i = 0; i < PAGES; i++)
		ASSERT_TRUE(answer(fd, p));
	EXPECT_EQ(UCALL_DONE, gcpu_join(c, 5));
}

TEST(killed_while_waiting)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		struct gvm *vm = gvm_new(GVM_NO_IRQCHIP);
		uint8_t *p = gvm_add_memory(vm, GPA, SZ_2M, 0);
		struct gcpu *c = gcpu_new(vm, 0, g_touch);

		madvise(p, SZ_2M, MADV_NOHUGEPAGE);
		if (open_uffd(p, SZ_2M) < 0)
			_exit(KSFT_SKIP);
		_exit(gcpu_run(c) ? 1 : 0);
	}
	usleep(300000);
	if (waitpid(pid, &status, WNOHANG) == pid)
		SKIP(return, "no userfaultfd");
	ASSERT_EQ(0, kill(pid, SIGKILL));
	for (status = 0; status < 200 && !waitpid(pid, NULL, WNOHANG); status++)
		usleep(10000);
	EXPECT_GT(200, status);
}

/* shared with another mapping of the same file; holes read as zeros */
static void g_file(void)
{
	volatile uint64_t *p = (void *)GPA;

	GUEST_ASSERT_EQ(p[0], 0x11);
	p[1] = 0x22;
	GUEST_SYNC(1);
	GUEST_ASSERT_EQ(p[0], 0);
	GUEST_ASSERT_EQ(p[1], 0);
	p[512] = 0x33;
	GUEST_SYNC(2);
	GUEST_ASSERT_EQ(p[512], 0x44);
	(void)p[1024];		/* the file ends before it */
}

TEST(file_backed)
{
	struct gvm *vm = gvm_new(GVM_NO_IRQCHIP);
	struct gcpu *c = gcpu_new(vm, 0, g_file);
	int fd = memfd_create("guest", 0);
	uint64_t *p, *q;

	ASSERT_EQ(0, ftruncate(fd, 2 * PAGE_SIZE));
	p = mmap(NULL, 4 * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		 0);
	q = mmap(NULL, 4 * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		 0);
	ASSERT_EQ(0, gvm_slot(vm, 2, 0, GPA, 4 * PAGE_SIZE, p));
	q[0] = 0x11;
	ASSERT_SYNC(c, 1);
	EXPECT_EQ(0x22ull, q[1]);
	ASSERT_EQ(0, fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			       0, PAGE_SIZE));
	ASSERT_SYNC(c, 2);
	EXPECT_EQ(0x33ull, q[512]);
	q[512] = 0x44;
	EXPECT_EQ(-EFAULT, gcpu_run(c));
	/* the file grows */
	ASSERT_EQ(0, ftruncate(fd, 4 * PAGE_SIZE));
	ASSERT_DONE(c);
}

TEST_HARNESS_MAIN
