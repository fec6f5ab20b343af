// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where KVM is kinder than hardware, hvm is, and stops when told so
 * (DISABLE_QUIRKS2): hypercalls by the other vendor's instruction, MONITOR and
 * MWAIT that CPUID does not show. And what can be taken from the guest alone:
 * the platform's MSR, paravirtual features that its CPUID does not show.
 */
#include "guest.h"
#include "kselftest_harness.h"

#define MISC_ENABLE 0x1a0
#define MISC_ENABLE_MWAIT (1ull << 18)
#define PLATFORM_INFO 0xce
#define SYSTEM_TIME_NEW 0x4b564d01
#define POLL_CONTROL 0x4b564d05
#define ENOSYS_OF_KVM (-1000ull)
#define HC_KICK_CPU 5
#define CAP_QUIRKS HVM_CAP_DISABLE_QUIRKS2

/* A hypercall that always succeeds, by whichever instruction main put there. */
static uint8_t code[16] = { 0x0f, 0x01, 0, 0xc3 };
static uint8_t native, other;

static uint64_t call_code(void)
{
	uint64_t ret;

	asm volatile("call *%1" : "=a"(ret) : "r"(code), "a"(1ull), "b"(0ull)
		     : "memory", "rcx", "rdx");
	return ret;
}

static void g_patched(void)
{
	GUEST_ASSERT_EQ(call_code(), 0);
	GUEST_ASSERT_EQ(*(volatile uint8_t *)&code[2], native);
	GUEST_ASSERT_EQ(call_code(), 0);
}

static void g_left(void)
{
	int vec;

	if (native == 0xd9)
		SAFE(vec, "vmcall", "a"(1ull));
	else
		SAFE(vec, "vmmcall", "a"(1ull));
	GUEST_ASSERT_EQ(vec, VEC_UD);
}

/* Other invalid instructions stay what they are. */
static void g_ud(void)
{
	int vec;

	SAFE(vec, "ud2", "a"(0));
	GUEST_ASSERT_EQ(vec, VEC_UD);
}

static void choose(void)
{
	native = host_is_amd() ? 0xd9 : 0xc1;
	other = native ^ 0xd9 ^ 0xc1;
	code[2] = other;
}

TEST(hypercall_patched)
{
	REQUIRE(have_cap(CAP_QUIRKS) & HVM_X86_QUIRK_FIX_HYPERCALL_INSN, "the quirk");
	choose();
	ASSERT_DONE(gcpu_new(gvm_new(GVM_NO_IRQCHIP), 0, g_patched));
	EXPECT_EQ(native, code[2]);
}

TEST(hypercall_left)
{
	struct gcpu *c;

	REQUIRE(have_cap(CAP_QUIRKS) & HVM_X86_QUIRK_FIX_HYPERCALL_INSN, "the quirk");
	choose();
	c = gcpu_new(gvm_new(GVM_NO_IRQCHIP), 0, g_left);
	ASSERT_EQ(0, hvm_enable_cap(c->vm->fd, CAP_QUIRKS, HVM_X86_QUIRK_FIX_HYPERCALL_INSN));
	ASSERT_DONE(c);
}

TEST(invalid_instruction)
{
	ASSERT_DONE(gcpu_new(gvm_new(GVM_NO_IRQCHIP), 0, g_ud));
}

TEST(unknown_quirk)
{
	struct gvm *vm = gvm_new(GVM_NO_IRQCHIP);

	EXPECT_EQ(-EINVAL, hvm_enable_cap(vm->fd, CAP_QUIRKS, 1u << 30));
}

static uint64_t monitored;

static int monitor(void)
{
	int vec;

	SAFE(vec, "monitor", "a"(&monitored), "c"(0), "d"(0));
	return vec;
}

static int mwait(void)
{
	int vec;

	SAFE(vec, "mwait", "a"(0), "c"(0));
	return vec;
}

static void g_mwait(void)
{
	GUEST_ASSERT_EQ(cpuid_count(1, 0).ecx & 8, 0);
	GUEST_ASSERT_EQ(monitor(), -1);
	GUEST_ASSERT_EQ(mwait(), -1);
	GUEST_SYNC(1);			/* without the quirk */
	GUEST_ASSERT_EQ(monitor(), VEC_UD);
	GUEST_ASSERT_EQ(mwait(), VEC_UD);
	GUEST_SYNC(2);			/* MWAIT enabled by IA32_MISC_ENABLE */
	GUEST_ASSERT(cpuid_count(1, 0).ecx & 8);
	GUEST_ASSERT_EQ(monitor(), -1);
	GUEST_ASSERT_EQ(mwait(), -1);
}

TEST(monitor_and_mwait)
{
	const uint64_t both = HVM_X86_QUIRK_MWAIT_NEVER_UD_FAULTS |
			      HVM_X86_QUIRK_MISC_ENABLE_NO_MWAIT;
	struct gcpu *c = gcpu_new(gvm_new(GVM_NO_IRQCHIP), 0, g_mwait);
	uint64_t v;

	REQUIRE((have_cap(CAP_QUIRKS) & both) == both, "the quirks");
	ASSERT_SYNC(c, 1);
	ASSERT_EQ(0, hvm_enable_cap(c->vm->fd, CAP_QUIRKS, both));
	ASSERT_SYNC(c, 2);
	ASSERT_EQ(0, hvm_get_msr(c->fd, MISC_ENABLE, &v));
	ASSERT_EQ(0, hvm_set_msr(c->fd, MISC_ENABLE, v | MISC_ENABLE_MWAIT));
	ASSERT_DONE(c);
}

static void g_platform(void)
{
	uint64_t v;

	GUEST_ASSERT_EQ(rdmsr_safe(PLATFORM_INFO, &v), -1);
	GUEST_ASSERT_EQ(v, 0x1200);
	GUEST_SYNC(1);
	GUEST_ASSERT_EQ(rdmsr_safe(PLATFORM_INFO, &v), VEC_GP);
	GUEST_SYNC(2);
	GUEST_ASSERT_EQ(rdmsr_safe(PLATFORM_INFO, &v), -1);
}

TEST(platform_info)
{
	struct gcpu *c = gcpu_new(gvm_new(GVM_NO_IRQCHIP), 0, g_platform);

	ASSERT_EQ(0, hvm_set_msr(c->fd, PLATFORM_INFO, 0x1200));
	ASSERT_SYNC(c, 1);
	ASSERT_EQ(0, hvm_enable_cap(c->vm->fd, HVM_CAP_MSR_PLATFORM_INFO, 0));
	ASSERT_SYNC(c, 2);
	ASSERT_EQ(0, hvm_enable_cap(c->vm->fd, HVM_CAP_MSR_PLATFORM_INFO, 1));
	ASSERT_DONE(c);
}

static void g_pv_on(void)
{
	uint64_t v;

	GUEST_ASSERT_EQ(rdmsr_safe(SYSTEM_TIME_NEW, &v), -1);
	GUEST_ASSERT_EQ(rdmsr_safe(POLL_CONTROL, &v), -1);
	GUEST_ASSERT_EQ(guest_hypercall(HC_KICK_CPU, 0, 77), 0);
}

static void g_pv_off(void)
{
	uint64_t v;

	GUEST_ASSERT_EQ(rdmsr_safe(SYSTEM_TIME_NEW, &v), VEC_GP);
	GUEST_ASSERT_EQ(wrmsr_safe(SYSTEM_TIME_NEW, 0), VEC_GP);
	GUEST_ASSERT_EQ(rdmsr_safe(POLL_CONTROL, &v), VEC_GP);
	GUEST_ASSERT_EQ(guest_hypercall(HC_KICK_CPU, 0, 77), ENOSYS_OF_KVM);
}

static struct gcpu *pv_vcpu(void (*fn)(void))
{
	struct gcpu *c = gcpu_bare(gvm_new(GVM_SPLIT), 0);
	struct hvm_cpuid2 *t;

	if (hvm_get_supported_cpuid(c->vm->dev, &t))
		lib_die("GET_SUPPORTED_CPUID", errno);
	hvm_cpuid_find(t, 0x40000001, 0)->eax = 0;
	if (hvm_set_cpuid2(c->fd, t))
		lib_die("SET_CPUID2", errno);
	gcpu_long_mode(c, fn);
	return c;
}

TEST(pv_not_enforced)
{
	ASSERT_DONE(pv_vcpu(g_pv_on));
}

TEST(pv_enforced)
{
	struct gcpu *c = pv_vcpu(g_pv_off);

	REQUIRE(have_cap(HVM_CAP_ENFORCE_PV_FEATURE_CPUID), "ENFORCE_PV_FEATURE_CPUID");
	ASSERT_EQ(0, hvm_enable_cap(c->fd, HVM_CAP_ENFORCE_PV_FEATURE_CPUID, 1));
	ASSERT_DONE(c);
}

TEST_HARNESS_MAIN
