// SPDX-License-Identifier: GPL-2.0-only
/*
 * Many VMs at a time, and one after the other: each works, none is in the
 * other's way, and their memory comes back.
 */
#include "guest.h"
#include "kselftest_harness.h"

#define VMS 40

static void guest(void)
{
	volatile uint64_t *own = (void *)0x180000ul;
	uint64_t i, id = own[0];

	for (i = 0; i < 5; i++) {
		GUEST_ASSERT_EQ(own[0], id);
		own[1] = id * 3;
		GUEST_SYNC(id);
		GUEST_ASSERT_EQ(own[1], id * 3);
	}
}

TEST(side_by_side)
{
	struct gcpu *c[VMS];
	uint64_t i, turn;

	for (i = 0; i < VMS; i++) {
		struct gvm *vm = gvm_new(GVM_SPLIT);

		*(uint64_t *)(vm->low + 0x180000) = i + 1000;
		c[i] = gcpu_new(vm, 0, guest);
	}
	for (turn = 0; turn < 5; turn++)
		for (i = 0; i < VMS; i++)
			ASSERT_SYNC(c[i], i + 1000);
	for (i = 0; i < VMS; i++)
		ASSERT_DONE(c[i]);
}

static long available_kb(void)
{
	FILE *f = fopen("/proc/meminfo", "r");
	char line[128];
	long kb = 0;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "MemAvailable: %ld", &kb) == 1)
			break;
	if (f)
		fclose(f);
	return kb;
}

static void one_after_the_other(struct __test_metadata *_metadata, int n)
{
	int i;

	for (i = 0; i < n; i++) {
		struct gvm *vm = gvm_new(GVM_SPLIT);
		struct gcpu *c = gcpu_new(vm, 0, guest);

		*(uint64_t *)(vm->low + 0x180000) = i;
		ASSERT_SYNC(c, i);
		gcpu_free(c);
		gvm_free(vm);
	}
}

TEST(come_and_go)
{
	long before, after;

	one_after_the_other(_metadata, 10);
	usleep(200000);
	before = available_kb();
	one_after_the_other(_metadata, 60);
	usleep(200000);
	after = available_kb();
	/* KASAN keeps the shadows of stacks and other areas for a while */
	if (!access("/sys/kernel/debug/kmemleak", F_OK))
		SKIP(return, "the debug kernel keeps %ld KiB", before - after);
	/* a page kept per VM and table would be megabytes by now */
	EXPECT_LT(before - after, 6000)
		TH_LOG("%ld KiB less", before - after);
}

TEST_HARNESS_MAIN
