// SPDX-License-Identifier: GPL-2.0-only
/*
 * What CHECK_EXTENSION promises: what KVM's clients ask for is there, and
 * nonsense is answered with 0.
 */
#include "guest.h"
#include "kselftest_harness.h"

static const struct {
	const char *name;
	int cap;
	int min;	/* at least this */
} caps[] = {
#define CAP(n, v) { #n, HVM_CAP_##n, v }
	CAP(HLT, 1), CAP(USER_MEMORY, 1), CAP(SET_TSS_ADDR, 1),
	CAP(EXT_CPUID, 1), CAP(NR_VCPUS, 1), CAP(NR_MEMSLOTS, 32),
	CAP(MP_STATE, 1), CAP(SYNC_MMU, 1), CAP(USER_NMI, 1),
	CAP(DESTROY_MEMORY_REGION_WORKS, 1), CAP(SET_GUEST_DEBUG, 1),
	CAP(IRQ_ROUTING, 64), CAP(JOIN_MEMORY_REGIONS_WORKS, 1),
	CAP(IRQFD, 1), CAP(SET_BOOT_CPU_ID, 1), CAP(IOEVENTFD, 1),
	CAP(SET_IDENTITY_MAP_ADDR, 1), CAP(ADJUST_CLOCK, 2),
	CAP(INTERNAL_ERROR_DATA, 1), CAP(VCPU_EVENTS, 1),
	CAP(DEBUGREGS, 1), CAP(X86_ROBUST_SINGLESTEP, 1),
	CAP(XSAVE, 1), CAP(XCRS, 1), CAP(GET_TSC_KHZ, 1), CAP(MAX_VCPUS, 4),
	CAP(TSC_DEADLINE_TIMER, 1), CAP(SYNC_REGS, 7), CAP(KVMCLOCK_CTRL, 1),
	CAP(SIGNAL_MSI, 1), CAP(READONLY_MEM, 1), CAP(IRQFD_RESAMPLE, 1),
	CAP(ENABLE_CAP_VM, 1), CAP(IOEVENTFD_NO_LENGTH, 1),
	CAP(CHECK_EXTENSION_VM, 1), CAP(SPLIT_IRQCHIP, 1),
	CAP(IOEVENTFD_ANY_LENGTH, 1), CAP(MAX_VCPU_ID, 4),
	CAP(X2APIC_API, 3), CAP(IMMEDIATE_EXIT, 1), CAP(GET_MSR_FEATURES, 1),
	CAP(EXCEPTION_PAYLOAD, 1), CAP(MANUAL_DIRTY_LOG_PROTECT2, 3),
	CAP(X86_USER_SPACE_MSR, 1), CAP(SREGS2, 1),
	CAP(X86_TRIPLE_FAULT_EVENT, 1), CAP(XSAVE2, 4096),
};

TEST(promised)
{
	int dev = hvm_open(NULL), vm = hvm_create_vm(dev, 0);
	size_t i;

	ASSERT_LE(0, vm);
	for (i = 0; i < ARRAY_LEN(caps); i++) {
		int on_vm = ioctl(vm, HVM_CHECK_EXTENSION, caps[i].cap);
		int on_dev = ioctl(dev, HVM_CHECK_EXTENSION, caps[i].cap);

		EXPECT_LE(caps[i].min, on_vm)
			TH_LOG("HVM_CAP_%s: %d", caps[i].name, on_vm);
		EXPECT_EQ(on_vm, on_dev)
			TH_LOG("HVM_CAP_%s", caps[i].name);
	}
}

TEST(nonsense)
{
	int dev = hvm_open(NULL), vm = hvm_create_vm(dev, 0);
	static const unsigned long no[] = { 0x7fffffff, -1ul, 100000, 1ul << 40 };
	size_t i;

	for (i = 0; i < ARRAY_LEN(no); i++) {
		EXPECT_EQ(0, ioctl(dev, HVM_CHECK_EXTENSION, no[i]));
		EXPECT_EQ(0, ioctl(vm, HVM_CHECK_EXTENSION, no[i]));
	}
}

TEST(own_range)
{
	EXPECT_EQ(device_is_hvm(), have_cap(HVM_CAP_HVM_BASE) > 0);
}

TEST_HARNESS_MAIN
