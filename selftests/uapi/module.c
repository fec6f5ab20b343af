// SPDX-License-Identifier: GPL-2.0-only
/*
 * hvm.ko itself: it cannot leave while in use, and 200 times in and out leave
 * nothing behind.
 */
#include <fcntl.h>
#include <sys/syscall.h>

#include "guest.h"
#include "kselftest_harness.h"

static void guest(void)
{
}

static int remove_module(void)
{
	return syscall(SYS_delete_module, "hvm", O_NONBLOCK);
}

static int insert_module(void)
{
	const char *file = getenv("HVM_MODULE"), *args = getenv("HVM_MODULE_ARGS");
	int fd = open(file ? file : "/modules/hvm.ko", O_RDONLY | O_CLOEXEC);
	int ret;

	if (fd < 0)
		return -1;
	ret = syscall(SYS_finit_module, fd, args ? args : "", 0);
	close(fd);
	return ret;
}

static bool have_file(void)
{
	const char *file = getenv("HVM_MODULE");

	return !access(file ? file : "/modules/hvm.ko", R_OK);
}

TEST(in_use)
{
	struct gvm *vm;
	struct gcpu *c;

	REQUIRE_HVM();
	REQUIRE(have_file(), "HVM_MODULE does not name the module's file");
	vm = gvm_new(GVM_SPLIT);
	EXPECT_ERRNO(EWOULDBLOCK, remove_module());
	c = gcpu_new(vm, 0, guest);
	close(vm->fd);
	close(vm->dev);
	/* the vCPU alone holds it, and so does its page */
	EXPECT_ERRNO(EWOULDBLOCK, remove_module());
	EXPECT_EQ(UCALL_DONE, gcpu_run(c));
	close(c->fd);
	EXPECT_ERRNO(EWOULDBLOCK, remove_module());
	munmap(c->run, c->h.run_size);
}

static long slab_kb(void)
{
	FILE *f = fopen("/proc/meminfo", "r");
	char line[128];
	long kb = 0;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "SUnreclaim: %ld", &kb) == 1)
			break;
	if (f)
		fclose(f);
	return kb;
}

TEST(in_and_out)
{
	const char *want = getenv("HVM_MODULE_CYCLES");
	int cycles = want ? atoi(want) : 200;
	long before = 0, after;
	int i, tries;

	REQUIRE_HVM();
	REQUIRE(have_file(), "HVM_MODULE does not name the module's file");
	for (i = 0; i < cycles; i++) {
		for (tries = 0; remove_module() && tries < 100; tries++)
			usleep(10000);
		ASSERT_GT(100, tries);
		EXPECT_NE(0, access(device_path(), F_OK));
		ASSERT_EQ(0, insert_module());
		for (tries = 0; access(device_path(), R_OK) && tries < 100;
		     tries++)
			usleep(10000);
		if (i % 20 == 0) {
			struct gvm *vm = gvm_new(GVM_SPLIT);
			struct gcpu *c = gcpu_new(vm, 0, guest);

			ASSERT_DONE(c);
			gcpu_free(c);
			gvm_free(vm);
		}
		if (i == cycles / 5)
			before = slab_kb();
	}
	after = slab_kb();
	EXPECT_GT(before + 2000, after)
		TH_LOG("%ld KiB of slab more", after - before);
}

TEST_HARNESS_MAIN
