// SPDX-License-Identifier: GPL-2.0-only
/*
 * immediate_exit: RUN finishes what is pending and does not enter the guest.
 */
#include "guest.h"
#include "kselftest_harness.h"

static volatile uint64_t reads, got;

static void guest(void)
{
	for (;;) {
		got = inl(0x10);
		reads++;
	}
}

FIXTURE(vcpu) {
	struct gvm *vm;
	struct gcpu *c;
};

FIXTURE_SETUP(vcpu)
{
	self->vm = gvm_new(GVM_SPLIT);
	self->c = gcpu_new(self->vm, 0, guest);
}

FIXTURE_TEARDOWN(vcpu)
{
	gcpu_free(self->c);
	gvm_free(self->vm);
}

TEST_F(vcpu, does_not_enter)
{
	self->c->run->immediate_exit = 1;
	EXPECT_EQ(-EINTR, gcpu_run(self->c));
	EXPECT_EQ(-EINTR, gcpu_run(self->c));
	EXPECT_EQ(0ull, reads);
	self->c->run->immediate_exit = 0;
	EXPECT_EQ(HVM_EXIT_IO, gcpu_run(self->c));
}

/* the answer to an IN is taken over even so: a VMM saves state this way */
TEST_F(vcpu, completes_io)
{
	struct hvm_run *run = self->c->run;
	uint64_t rip;

	ASSERT_EQ(HVM_EXIT_IO, gcpu_run(self->c));
	rip = gcpu_regs(self->c).rip;
	*(uint32_t *)((uint8_t *)run + run->io.data_offset) = 0xabcd1234;
	run->immediate_exit = 1;
	ASSERT_EQ(-EINTR, gcpu_run(self->c));
	EXPECT_EQ(0xabcd1234u, (uint32_t)gcpu_regs(self->c).rax);
	EXPECT_LT(rip, gcpu_regs(self->c).rip);
	EXPECT_EQ(0ull, reads);
	run->immediate_exit = 0;
	ASSERT_EQ(HVM_EXIT_IO, gcpu_run(self->c));
	EXPECT_EQ(1ull, reads);
	EXPECT_EQ(0xabcd1234ull, got);
}

/* a processor that waits for its start-up IPI does not wait then */
TEST_F(vcpu, waiting_processor)
{
	struct gcpu *ap = gcpu_new(self->vm, 1, guest);

	ap->run->immediate_exit = 1;
	EXPECT_EQ(-EINTR, gcpu_run(ap));
	EXPECT_EQ(0ull, reads);
	gcpu_free(ap);
}

TEST_HARNESS_MAIN
