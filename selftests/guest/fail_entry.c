// SPDX-License-Identifier: GPL-2.0-only
/*
 * State that the processor refuses to enter with comes out as FAIL_ENTRY with
 * its reason (or is refused when it is set), and the vCPU can be mended.
 */
#include "guest.h"
#include "kselftest_harness.h"

static void guest(void)
{
	for (;;)
		GUEST_SYNC(1);
}

static void try_state(struct __test_metadata *_metadata, struct gcpu *c,
		      const struct hvm_sregs *bad)
{
	struct hvm_sregs good;
	int ret;

	ASSERT_EQ(0, hvm_get_sregs(c->fd, &good));
	if (!hvm_set_sregs(c->fd, bad)) {
		ret = gcpu_run(c);
		EXPECT_TRUE(ret == HVM_EXIT_FAIL_ENTRY ||
			    ret == HVM_EXIT_INTERNAL_ERROR ||
			    ret == HVM_EXIT_SHUTDOWN || ret == UCALL_SYNC)
			TH_LOG("exit %d", ret);
		if (ret == HVM_EXIT_FAIL_ENTRY)
			EXPECT_NE(0ull, c->run->fail_entry
				  .hardware_entry_failure_reason);
	}
	ASSERT_EQ(0, hvm_set_sregs(c->fd, &good));
	gcpu_long_mode(c, guest);
	ASSERT_SYNC(c, 1);
}

TEST(reserved_efer)
{
	struct gcpu *c = gcpu_new(gvm_new(GVM_SPLIT), 0, guest);
	struct hvm_sregs s;

	ASSERT_EQ(0, hvm_get_sregs(c->fd, &s));
	s.efer |= 1ull << 9;
	try_state(_metadata, c, &s);
}

TEST(wild_segments)
{
	struct gcpu *c = gcpu_new(gvm_new(GVM_SPLIT), 0, guest);
	struct hvm_sregs s;
	int i;

	printf("# emulator-allow: wrong CS.D_B/L|incorrect TR type|SS.BASE > 32 bit\n");
	fflush(stdout);
	ASSERT_EQ(0, hvm_get_sregs(c->fd, &s));
	for (i = 0; i < 8; i++) {
		struct hvm_sregs bad = s;

		if (i & 1)
			bad.cs.db = 1;		/* with L: neither mode */
		if (i & 2)
			bad.tr.type = 7;
		if (i & 4)
			bad.ss.base = 1ull << 60;
		try_state(_metadata, c, &bad);
	}
}

static void spin(void)
{
	for (;;)
		cpu_relax();
}

/* the host's interrupts end a guest as before */
TEST(interrupts_afterwards)
{
	struct gvm *vm = gvm_new(GVM_SPLIT);
	struct gcpu *c = gcpu_new(vm, 0, guest);
	struct hvm_cpuid2 *t;
	struct hvm_sregs s;
	unsigned int i;

	printf("# emulator-allow: guest invalid CR3\n");
	fflush(stdout);
	ASSERT_EQ(0, hvm_get_supported_cpuid(vm->dev, &t));
	for (i = 0; i < t->nent; i++)
		if (t->entries[i].function == 0x80000008)
			t->entries[i].eax = (t->entries[i].eax & ~0xff) | 52;
	ASSERT_EQ(0, hvm_set_cpuid2(c->fd, t));
	free(t);
	ASSERT_EQ(0, hvm_get_sregs(c->fd, &s));
	s.cr3 |= 1ull << 51;	/* more than this processor has */
	try_state(_metadata, c, &s);
	gcpu_long_mode(c, spin);
	gcpu_start(c);
	usleep(50000);
	EXPECT_EQ(-EINTR, gcpu_stop(c));
}

TEST_HARNESS_MAIN
