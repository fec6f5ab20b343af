// SPDX-License-Identifier: GPL-2.0-only
/*
 * Registers in the run page: valid_regs and dirty_regs.
 */
#include "guest.h"
#include "kselftest_harness.h"

static void guest(void)
{
	asm volatile("mov $0x11, %%rbx\n"
		     "1: outb %%al, $0x10\n\t"
		     "inc %%rbx\n\t"
		     "jmp 1b" ::: "rbx");
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

TEST_F(vcpu, refuses_unknown)
{
	self->c->run->valid_regs = 8;
	EXPECT_EQ(-EINVAL, gcpu_run(self->c));
	self->c->run->valid_regs = -1ull;
	EXPECT_EQ(-EINVAL, gcpu_run(self->c));
	self->c->run->valid_regs = 0;
	self->c->run->dirty_regs = 8;
	EXPECT_EQ(-EINVAL, gcpu_run(self->c));
	self->c->run->dirty_regs = 0;
	EXPECT_EQ(HVM_EXIT_IO, gcpu_run(self->c));
}

TEST_F(vcpu, valid)
{
	struct hvm_sync_regs *s = &self->c->run->s.regs;
	struct hvm_vcpu_events ev;
	struct hvm_sregs sregs;
	struct hvm_regs regs;

	memset(s, 0xee, sizeof(*s));
	self->c->run->valid_regs = HVM_SYNC_X86_REGS;
	ASSERT_EQ(HVM_EXIT_IO, gcpu_run(self->c));
	regs = gcpu_regs(self->c);
	EXPECT_EQ(0x11ull, s->regs.rbx);
	EXPECT_EQ(0, memcmp(&regs, &s->regs, sizeof(regs)));
	EXPECT_EQ(0xeeeeeeeeeeeeeeeeull, s->sregs.cr3);

	memset(s, 0, sizeof(*s));
	memset(&sregs, 0, sizeof(sregs));
	memset(&ev, 0, sizeof(ev));
	self->c->run->valid_regs = HVM_SYNC_X86_REGS | HVM_SYNC_X86_SREGS |
				   HVM_SYNC_X86_EVENTS;
	ASSERT_EQ(HVM_EXIT_IO, gcpu_run(self->c));
	ASSERT_EQ(0, hvm_get_sregs(self->c->fd, &sregs));
	ASSERT_EQ(0, hvm_get_vcpu_events(self->c->fd, &ev));
	EXPECT_EQ(0x12ull, s->regs.rbx);
	EXPECT_EQ(0, memcmp(&sregs, &s->sregs, sizeof(sregs)));
	EXPECT_EQ(0, memcmp(&ev, &s->events, sizeof(ev)));

	/* not asked for: left alone */
	self->c->run->valid_regs = 0;
	ASSERT_EQ(HVM_EXIT_IO, gcpu_run(self->c));
	EXPECT_EQ(0x12ull, s->regs.rbx);
}

TEST_F(vcpu, dirty)
{
	struct hvm_sync_regs *s = &self->c->run->s.regs;
	struct hvm_sregs sregs;

	self->c->run->valid_regs = HVM_SYNC_X86_REGS | HVM_SYNC_X86_SREGS;
	ASSERT_EQ(HVM_EXIT_IO, gcpu_run(self->c));
	s->regs.rbx = 0x1000;
	s->sregs.fs.base = 0x7000;
	self->c->run->dirty_regs = HVM_SYNC_X86_REGS | HVM_SYNC_X86_SREGS;
	ASSERT_EQ(HVM_EXIT_IO, gcpu_run(self->c));
	EXPECT_EQ(0x1001ull, gcpu_regs(self->c).rbx);
	EXPECT_EQ(0ull, self->c->run->dirty_regs);
	ASSERT_EQ(0, hvm_get_sregs(self->c->fd, &sregs));
	EXPECT_EQ(0x7000ull, sregs.fs.base);
	/* written but not marked: ignored */
	s->regs.rbx = 0xbad;
	ASSERT_EQ(HVM_EXIT_IO, gcpu_run(self->c));
	EXPECT_EQ(0x1002ull, gcpu_regs(self->c).rbx);
}

TEST_F(vcpu, dirty_bad_sregs)
{
	struct hvm_sync_regs *s = &self->c->run->s.regs;

	self->c->run->valid_regs = HVM_SYNC_X86_SREGS;
	ASSERT_EQ(HVM_EXIT_IO, gcpu_run(self->c));
	s->sregs.cr4 |= 1ull << 63;
	self->c->run->dirty_regs = HVM_SYNC_X86_SREGS;
	EXPECT_EQ(-EINVAL, gcpu_run(self->c));
}

TEST_HARNESS_MAIN
