// SPDX-License-Identifier: GPL-2.0-only
/*
 * vCPU calls with values that the state cannot hold.
 */
#include "guest.h"
#include "kselftest_harness.h"

static void guest(void)
{
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

TEST_F(vcpu, events)
{
	struct hvm_vcpu_events e, base;

	ASSERT_EQ(0, hvm_get_vcpu_events(self->c->fd, &base));
	EXPECT_EQ(0, hvm_set_vcpu_events(self->c->fd, &base));
	e = base;
	e.flags |= 1u << 31;
	EXPECT_EQ(-EINVAL, hvm_set_vcpu_events(self->c->fd, &e));
	e = base;
	e.exception.injected = 1;
	e.exception.nr = 32;
	EXPECT_EQ(-EINVAL, hvm_set_vcpu_events(self->c->fd, &e));
	e.exception.nr = VEC_NMI;
	EXPECT_EQ(-EINVAL, hvm_set_vcpu_events(self->c->fd, &e));
	e.exception.nr = VEC_GP;
	EXPECT_EQ(0, hvm_set_vcpu_events(self->c->fd, &e));
	/* payloads only with their capability */
	e = base;
	e.flags |= HVM_VCPUEVENT_VALID_PAYLOAD;
	EXPECT_EQ(-EINVAL, hvm_set_vcpu_events(self->c->fd, &e));
	e = base;
	e.flags |= HVM_VCPUEVENT_VALID_TRIPLE_FAULT;
	EXPECT_EQ(-EINVAL, hvm_set_vcpu_events(self->c->fd, &e));
}

TEST_F(vcpu, debugregs)
{
	struct hvm_debugregs d;

	ASSERT_EQ(0, hvm_get_debugregs(self->c->fd, &d));
	EXPECT_EQ(0, hvm_set_debugregs(self->c->fd, &d));
	d.flags = 1;
	EXPECT_EQ(-EINVAL, hvm_set_debugregs(self->c->fd, &d));
	d.flags = 0;
	d.dr6 = 1ull << 32;
	EXPECT_EQ(-EINVAL, hvm_set_debugregs(self->c->fd, &d));
	d.dr6 = 0;
	d.dr7 = 1ull << 32;
	EXPECT_EQ(-EINVAL, hvm_set_debugregs(self->c->fd, &d));
}

TEST_F(vcpu, xcrs)
{
	struct hvm_xcrs x;

	REQUIRE(have_cap(HVM_CAP_XCRS) && cpuid_count(1, 0).ecx & 1 << 26,
		"no XSAVE");
	ASSERT_EQ(0, hvm_get_xcrs(self->c->fd, &x));
	ASSERT_EQ(1u, x.nr_xcrs);
	EXPECT_EQ(0, hvm_set_xcrs(self->c->fd, &x));
	x.xcrs[0].value = 0;			/* the x87 bit is always 1 */
	EXPECT_EQ(-EINVAL, hvm_set_xcrs(self->c->fd, &x));
	x.xcrs[0].value = 5;			/* AVX without SSE */
	EXPECT_EQ(-EINVAL, hvm_set_xcrs(self->c->fd, &x));
	x.xcrs[0].value = 1ull << 62 | 1;
	EXPECT_EQ(-EINVAL, hvm_set_xcrs(self->c->fd, &x));
	x.xcrs[0].value = 1;
	x.flags = 1;
	EXPECT_EQ(-EINVAL, hvm_set_xcrs(self->c->fd, &x));
	x.flags = 0;
	x.nr_xcrs = 1000;
	EXPECT_EQ(-EINVAL, hvm_set_xcrs(self->c->fd, &x));
}

TEST_F(vcpu, xsave)
{
	struct hvm_xsave *x = calloc(1, xsave_area_size(self->vm) + 4096);

	ASSERT_EQ(0, hvm_get_xsave(self->c->fd, x));
	EXPECT_EQ(0, hvm_set_xsave(self->c->fd, x));
	/* XSTATE_BV with a component that nobody has */
	x->region[129] = 1u << 30;
	EXPECT_EQ(-EINVAL, hvm_set_xsave(self->c->fd, x));
	x->region[129] = 0;
	x->region[128] = 2;
	/* reserved MXCSR bits */
	x->region[6] = 0xffffffff;
	EXPECT_EQ(-EINVAL, hvm_set_xsave(self->c->fd, x));
}

TEST_F(vcpu, mp_state)
{
	EXPECT_EQ(-EINVAL, hvm_set_mp_state(self->c->fd, 77));
	EXPECT_EQ(-EINVAL, hvm_set_mp_state(self->c->fd, 0xffffffff));
	EXPECT_EQ(0, hvm_set_mp_state(self->c->fd, HVM_MP_STATE_HALTED));
	EXPECT_EQ(0, hvm_set_mp_state(self->c->fd, HVM_MP_STATE_RUNNABLE));
}

/* without a local APIC there is no waiting for a start-up IPI */
TEST_F(vcpu, mp_state_no_apic)
{
	struct gvm *vm = gvm_new(GVM_NO_IRQCHIP);
	struct gcpu *c = gcpu_bare(vm, 0);

	EXPECT_EQ(-EINVAL, hvm_set_mp_state(c->fd,
					    HVM_MP_STATE_INIT_RECEIVED));
	EXPECT_EQ(0, hvm_set_mp_state(c->fd, HVM_MP_STATE_RUNNABLE));
}

TEST_F(vcpu, interrupt)
{
	struct gvm *vm = gvm_new(GVM_NO_IRQCHIP);
	struct gcpu *c = gcpu_bare(vm, 0);

	EXPECT_EQ(-EINVAL, hvm_interrupt(c->fd, 256));
	EXPECT_EQ(-EINVAL, hvm_interrupt(c->fd, -1u));
	EXPECT_EQ(0, hvm_interrupt(c->fd, 32));
	/* with the split chips it is the PIC that userspace has: one at a time */
	EXPECT_EQ(0, hvm_interrupt(self->c->fd, 32));
	EXPECT_EQ(-EEXIST, hvm_interrupt(self->c->fd, 33));
}

TEST_F(vcpu, lapic_without)
{
	struct gvm *vm = gvm_new(GVM_NO_IRQCHIP);
	struct gcpu *c = gcpu_bare(vm, 0);
	struct hvm_lapic_state l;

	memset(&l, 0, sizeof(l));
	EXPECT_EQ(-EINVAL, hvm_get_lapic(c->fd, &l));
	EXPECT_EQ(-EINVAL, hvm_set_lapic(c->fd, &l));
}

TEST_F(vcpu, guest_debug)
{
	struct hvm_guest_debug d = { .control = HVM_GUESTDBG_ENABLE };

	EXPECT_EQ(0, hvm_set_guest_debug(self->c->fd, &d));
	d.control = 0;
	EXPECT_EQ(0, hvm_set_guest_debug(self->c->fd, &d));
	/* asked to inject while an exception is already on its way */
	struct hvm_vcpu_events e;

	ASSERT_EQ(0, hvm_enable_cap(self->vm->fd, HVM_CAP_EXCEPTION_PAYLOAD,
				    1));
	ASSERT_EQ(0, hvm_get_vcpu_events(self->c->fd, &e));
	e.flags |= HVM_VCPUEVENT_VALID_PAYLOAD;
	e.exception.pending = 1;
	e.exception.nr = VEC_GP;
	ASSERT_EQ(0, hvm_set_vcpu_events(self->c->fd, &e));
	d.control = HVM_GUESTDBG_ENABLE | HVM_GUESTDBG_INJECT_DB;
	EXPECT_EQ(-EBUSY, hvm_set_guest_debug(self->c->fd, &d));
}

TEST_F(vcpu, tsc_khz)
{
	int khz = hvm_get_tsc_khz(self->c->fd);

	EXPECT_LT(0, khz);
	EXPECT_EQ(0, hvm_set_tsc_khz(self->c->fd, khz));
	EXPECT_EQ(khz, hvm_get_tsc_khz(self->c->fd));
}

TEST_F(vcpu, kvmclock_ctrl)
{
	/* the guest has no clock page yet */
	EXPECT_EQ(-EINVAL, hvm_kvmclock_ctrl(self->c->fd));
}

TEST_F(vcpu, enable_cap)
{
	struct hvm_enable_cap e = { .cap = 0x7fffffff };

	EXPECT_EQ(-EINVAL, hvm_enable_cap_args(self->c->fd, &e));
	e.cap = HVM_CAP_SPLIT_IRQCHIP;
	EXPECT_EQ(-EINVAL, hvm_enable_cap_args(self->c->fd, &e));
}

TEST_HARNESS_MAIN
