// SPDX-License-Identifier: GPL-2.0-only
/*
 * The registers of the local APIC, through its page and as MSRs: reset values,
 * what is read-only, what is reserved, the modes and what leads between them.
 */
#include "guest.h"
#include "kselftest_harness.h"

static void g_xapic(void)
{
	static const uint16_t lvts[] = { APIC_LVTT, APIC_LVT0, APIC_LVT1,
					 APIC_LVTERR };
	size_t i;

	GUEST_ASSERT_EQ(xapic_read(APIC_ID) >> 24, 0);
	GUEST_ASSERT_EQ(xapic_read(APIC_LVR) & 0xf0, 0x10);
	GUEST_ASSERT(xapic_read(APIC_LVR) >> 16 >= 4);
	GUEST_ASSERT_EQ(xapic_read(APIC_SPIV), 0xff);
	GUEST_ASSERT_EQ(xapic_read(APIC_TPR), 0);
	GUEST_ASSERT_EQ(xapic_read(APIC_LDR), 0);
	GUEST_ASSERT_EQ(xapic_read(APIC_DFR), 0xffffffff);
	/* disabled by software: all LVTs masked and they stay so */
	for (i = 0; i < ARRAY_LEN(lvts); i++) {
		xapic_write(lvts[i], 0x40);
		GUEST_ASSERT(xapic_read(lvts[i]) & APIC_LVT_MASKED);
	}
	xapic_enable();
	for (i = 0; i < ARRAY_LEN(lvts); i++) {
		xapic_write(lvts[i], 0x40 + i);
		GUEST_ASSERT_EQ(xapic_read(lvts[i]), 0x40 + i);
		xapic_write(lvts[i], APIC_LVT_MASKED | 0x50);
	}
	xapic_write(APIC_TPR, 0x30);
	GUEST_ASSERT_EQ(xapic_read(APIC_TPR), 0x30);
	GUEST_ASSERT_EQ(xapic_read(APIC_PPR), 0x30);
	GUEST_ASSERT_EQ(read_cr8(), 3);
	write_cr8(5);
	GUEST_ASSERT_EQ(xapic_read(APIC_TPR), 0x50);
	write_cr8(0);
	xapic_write(APIC_LDR, 0x04ffffff);
	GUEST_ASSERT_EQ(xapic_read(APIC_LDR), 0x04000000);
	xapic_write(APIC_DFR, 0);
	GUEST_ASSERT_EQ(xapic_read(APIC_DFR), 0x0fffffff);
	xapic_write(APIC_TDCR, 0xffffffff);
	GUEST_ASSERT_EQ(xapic_read(APIC_TDCR) & ~0xbu, 0);
	/* read-only */
	xapic_write(APIC_LVR, 0);
	GUEST_ASSERT(xapic_read(APIC_LVR));
	xapic_write(APIC_PPR, 0xff);
	GUEST_ASSERT_EQ(xapic_read(APIC_PPR), 0);
	xapic_write(APIC_TMCCT, 0x1234);
	GUEST_ASSERT_EQ(xapic_read(APIC_TMCCT), 0);
	/* the second half of the ICR */
	xapic_write(APIC_ICR2, 0x07000000);
	GUEST_ASSERT_EQ(xapic_read(APIC_ICR2), 0x07000000);
	/* the page is the APIC's alone */
	GUEST_SYNC(1);
}

TEST(xapic)
{
	struct gcpu *c = gcpu_new(gvm_new(GVM_SPLIT), 0, g_xapic);
	struct hvm_lapic_state l;

	ASSERT_SYNC(c, 1);
	ASSERT_EQ(0, hvm_get_lapic(c->fd, &l));
	EXPECT_EQ(0x04000000u, *(uint32_t *)(l.regs + APIC_LDR));
	ASSERT_DONE(c);
}

#define X2(reg) MSR_X2APIC(reg)

static void g_x2apic(void)
{
	uint64_t v;

	GUEST_ASSERT_EQ(rdmsr_safe(X2(APIC_LVR), &v), VEC_GP);
	x2apic_enable();
	GUEST_ASSERT_EQ(rdmsr(MSR_APICBASE) & 0xfff,
			APICBASE_ENABLE | APICBASE_X2APIC | APICBASE_BSP);
	GUEST_ASSERT_EQ(rdmsr(X2(APIC_ID)), 0);
	GUEST_ASSERT_EQ(rdmsr(X2(APIC_LVR)) & 0xf0, 0x10);
	GUEST_ASSERT_EQ(rdmsr(X2(APIC_LDR)), 1);
	GUEST_ASSERT_EQ(rdmsr(X2(APIC_SPIV)), 0x1ff);
	wrmsr(X2(APIC_TPR), 0x20);
	GUEST_ASSERT_EQ(rdmsr(X2(APIC_TPR)), 0x20);
	GUEST_ASSERT_EQ(read_cr8(), 2);
	wrmsr(X2(APIC_TPR), 0);
	wrmsr(X2(APIC_LVT0), APIC_LVT_MASKED | 0x77);
	GUEST_ASSERT_EQ(rdmsr(X2(APIC_LVT0)), APIC_LVT_MASKED | 0x77);
	/* what is not there, read-only, or reserved */
	GUEST_ASSERT_EQ(rdmsr_safe(X2(APIC_DFR), &v), VEC_GP);
	GUEST_ASSERT_EQ(rdmsr_safe(X2(APIC_ICR2), &v), VEC_GP);
	GUEST_ASSERT_EQ(rdmsr_safe(0x8ff, &v), VEC_GP);
	GUEST_ASSERT_EQ(rdmsr_safe(X2(APIC_EOI), &v), VEC_GP);
	GUEST_ASSERT_EQ(wrmsr_safe(X2(APIC_ID), 0), VEC_GP);
	GUEST_ASSERT_EQ(wrmsr_safe(X2(APIC_LVR), 0), VEC_GP);
	GUEST_ASSERT_EQ(wrmsr_safe(X2(APIC_LDR), 0), VEC_GP);
	GUEST_ASSERT_EQ(wrmsr_safe(X2(APIC_TPR), 1ull << 32), VEC_GP);
	/* from x2APIC there is no way straight to xAPIC */
	v = rdmsr(MSR_APICBASE);
	GUEST_ASSERT_EQ(wrmsr_safe(MSR_APICBASE, v & ~APICBASE_X2APIC), VEC_GP);
	GUEST_ASSERT_EQ(wrmsr_safe(MSR_APICBASE, v & ~APICBASE_ENABLE), VEC_GP);
	GUEST_ASSERT_EQ(wrmsr_safe(MSR_APICBASE, v & ~(APICBASE_ENABLE |
						       APICBASE_X2APIC)), -1);
	GUEST_ASSERT_EQ(rdmsr_safe(X2(APIC_LVR), &v), VEC_GP);
	/* nor from off to x2APIC */
	v = rdmsr(MSR_APICBASE);
	GUEST_ASSERT_EQ(wrmsr_safe(MSR_APICBASE, v | APICBASE_ENABLE |
				   APICBASE_X2APIC), VEC_GP);
	GUEST_ASSERT_EQ(wrmsr_safe(MSR_APICBASE, v | APICBASE_ENABLE), -1);
	GUEST_ASSERT_EQ(xapic_read(APIC_LVR) & 0xf0, 0x10);
	GUEST_ASSERT_EQ(wrmsr_safe(MSR_APICBASE, 1ull << 60), VEC_GP);
}

TEST(x2apic)
{
	ASSERT_DONE(gcpu_new(gvm_new(GVM_SPLIT), 0, g_x2apic));
}

/* in x2APIC mode nothing answers at the APIC's page, unless quirks are off */
static void g_page(void)
{
	x2apic_enable();
	mmio_write32(APIC_GPA + 0x80, 0x1234);
	GUEST_ASSERT_EQ(mmio_read32(APIC_GPA + APIC_LVR), 0xffffffff);
	GUEST_ASSERT_EQ(rdmsr(X2(APIC_TPR)), 0);
}

TEST(page_in_x2apic_mode)
{
	struct gcpu *c = gcpu_new(gvm_new(GVM_SPLIT), 0, g_page);

	ASSERT_DONE(c);
}

/* without in-kernel APICs the page is userspace's */
static void g_no_apic(void)
{
	GUEST_ASSERT_EQ(xapic_read(APIC_LVR), 0x50014);
}

TEST(page_without_apic)
{
	struct gcpu *c = gcpu_new(gvm_new(GVM_NO_IRQCHIP), 0, g_no_apic);

	ASSERT_EQ(HVM_EXIT_MMIO, gcpu_run(c));
	EXPECT_EQ(APIC_GPA + APIC_LVR, c->run->mmio.phys_addr);
	memcpy(c->run->mmio.data, "\x14\x00\x05\x00", 4);
	ASSERT_DONE(c);
}

TEST_HARNESS_MAIN
