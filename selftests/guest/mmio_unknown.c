// SPDX-License-Identifier: GPL-2.0-only
/*
 * An instruction that nobody emulates on device memory ends in an internal
 * error that carries its bytes, and the vCPU stands at the instruction.
 */
#include "mmio.h"
#include "kselftest_harness.h"

static void guest(void)
{
	/* FNSAVE to a device: no driver does */
	asm volatile("fnsave (%0)" :: "r"(MMIO_GPA) : "memory");
	GUEST_SYNC(1);
}

TEST(bytes)
{
	struct gcpu *c = gcpu_new(gvm_new(GVM_NO_IRQCHIP), 0, guest);
	struct hvm_run *run = c->run;
	struct hvm_regs r;
	uint64_t rip;

	ASSERT_EQ(HVM_EXIT_INTERNAL_ERROR, gcpu_run(c));
	EXPECT_EQ(HVM_INTERNAL_ERROR_EMULATION, run->internal.suberror);
	ASSERT_LE(3u, run->emulation_failure.ndata);
	ASSERT_NE(0, run->emulation_failure.flags &
		  HVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES);
	ASSERT_LE(2, run->emulation_failure.insn_size);
	ASSERT_GE(15, run->emulation_failure.insn_size);
	rip = gcpu_regs(c).rip;
	EXPECT_EQ(0, memcmp(run->emulation_failure.insn_bytes, (void *)rip, 2));
	EXPECT_EQ(0xdd, run->emulation_failure.insn_bytes[0]);
	/* userspace may step over it */
	r = gcpu_regs(c);
	r.rip += 2;
	ASSERT_EQ(0, hvm_set_regs(c->fd, &r));
	ASSERT_SYNC(c, 1);
}

/* code in device memory cannot be fetched */
static void far_away(void)
{
	asm volatile("jmp *%0" :: "r"(MMIO_GPA));
}

TEST(fetch_from_device)
{
	struct gcpu *c = gcpu_new(gvm_new(GVM_NO_IRQCHIP), 0, far_away);
	int ret = gcpu_run(c);

	EXPECT_TRUE(ret == HVM_EXIT_INTERNAL_ERROR || ret == HVM_EXIT_MMIO ||
		    ret == -EFAULT)
		TH_LOG("got %d", ret);
}

TEST_HARNESS_MAIN
