// SPDX-License-Identifier: GPL-2.0-only
/*
 * State that is set is the state that is read, for every GET and SET pair, and
 * a vCPU whose whole state moves to another VM continues there.
 */
#include "guest.h"
#include "kselftest_harness.h"

static volatile uint64_t stage;

static void guest(void)
{
	uint64_t i, sum = 0;

	for (i = 1; i <= 20; i++) {
		sum += i;
		stage = i;
		GUEST_SYNC2(i, sum, 0);
	}
	GUEST_ASSERT_EQ(sum, 210);
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

TEST_F(vcpu, regs)
{
	struct hvm_regs a, b;
	uint64_t *v = (uint64_t *)&a;
	size_t i;

	for (i = 0; i < sizeof(a) / 8; i++)
		v[i] = 0x1111111111111111ull * i + 0x42;
	a.rip = 0xffffffff81234567;
	a.rflags = 0x246;
	ASSERT_EQ(0, hvm_set_regs(self->c->fd, &a));
	b = gcpu_regs(self->c);
	EXPECT_EQ(0, memcmp(&a, &b, sizeof(a)));
	/* bit 1 of RFLAGS is always set */
	a.rflags = 0;
	ASSERT_EQ(0, hvm_set_regs(self->c->fd, &a));
	EXPECT_EQ(2ull, gcpu_regs(self->c).rflags);
}

TEST_F(vcpu, sregs)
{
	struct hvm_sregs a, b;

	memset(&a, 0, sizeof(a));
	memset(&b, 0, sizeof(b));
	ASSERT_EQ(0, hvm_get_sregs(self->c->fd, &a));
	a.fs.base = 0xffff800000001000;
	a.gs.base = 0x12345678;
	a.gs.selector = 0x10;
	a.ldt.base = 0x5000;
	a.ldt.limit = 0xff;
	a.ldt.selector = 0x48;
	a.ldt.type = 2;
	a.ldt.present = 1;
	a.ldt.unusable = 0;
	a.gdt.limit = 0x77;
	a.idt.base = 0x6000;
	a.cr2 = 0xdeadbeef000;
	a.cr3 = 0x7000;
	a.cr8 = 5;
	ASSERT_EQ(0, hvm_set_sregs(self->c->fd, &a));
	ASSERT_EQ(0, hvm_get_sregs(self->c->fd, &b));
	EXPECT_EQ(a.fs.base, b.fs.base);
	EXPECT_EQ(a.gs.base, b.gs.base);
	EXPECT_EQ(a.gs.selector, b.gs.selector);
	EXPECT_EQ(0, memcmp(&a.ldt, &b.ldt, sizeof(a.ldt)));
	EXPECT_EQ(0, memcmp(&a.tr, &b.tr, sizeof(a.tr)));
	EXPECT_EQ(a.gdt.limit, b.gdt.limit);
	EXPECT_EQ(a.idt.base, b.idt.base);
	EXPECT_EQ(a.cr2, b.cr2);
	EXPECT_EQ(a.cr3, b.cr3);
	EXPECT_EQ(a.cr8, b.cr8);
	EXPECT_EQ(a.efer, b.efer);
	EXPECT_EQ(a.apic_base, b.apic_base);
}

TEST_F(vcpu, fpu)
{
	struct hvm_fpu a, b;

	memset(&a, 0, sizeof(a));
	memset(a.fpr, 0x5a, sizeof(a.fpr));
	memset(a.xmm, 0xa5, sizeof(a.xmm));
	a.fcw = 0x27f;
	a.mxcsr = 0x1f80;
	a.last_ip = 0x1234;
	ASSERT_EQ(0, hvm_set_fpu(self->c->fd, &a));
	ASSERT_EQ(0, hvm_get_fpu(self->c->fd, &b));
	EXPECT_EQ(0, memcmp(a.fpr, b.fpr, sizeof(a.fpr)));
	EXPECT_EQ(0, memcmp(a.xmm, b.xmm, sizeof(a.xmm)));
	EXPECT_EQ(a.fcw, b.fcw);
	EXPECT_EQ(a.last_ip, b.last_ip);
}

TEST_F(vcpu, xsave)
{
	size_t size = xsave_area_size(self->vm), i;
	struct hvm_xsave *a = calloc(1, size), *b = calloc(1, size);

	ASSERT_EQ(0, hvm_get_xsave2(self->c->fd, a));
	for (i = 0; i < 64; i++)
		a->region[40 + i] = 0x01010101 * i;	/* XMM0 to 15 */
	a->region[6] = 0x1f80;
	a->region[128] |= 3;
	ASSERT_EQ(0, hvm_set_xsave(self->c->fd, a));
	ASSERT_EQ(0, hvm_get_xsave2(self->c->fd, b));
	EXPECT_EQ(0, memcmp(a->region + 40, b->region + 40, 256));
	EXPECT_EQ(3u, b->region[128] & 3);
	/* the old call, and the old registers, see the same */
	memset(b, 0, size);
	ASSERT_EQ(0, hvm_get_xsave(self->c->fd, b));
	EXPECT_EQ(0, memcmp(a->region + 40, b->region + 40, 256));
	struct hvm_fpu f;

	ASSERT_EQ(0, hvm_get_fpu(self->c->fd, &f));
	EXPECT_EQ(0, memcmp(a->region + 40, f.xmm, 256));
}

TEST_F(vcpu, debugregs)
{
	struct hvm_debugregs a = { .db = { 0x1000, 0x2000, 0x3000, 0x4000 },
				   .dr6 = 0xffff0ff1, .dr7 = 0x403 }, b;

	ASSERT_EQ(0, hvm_set_debugregs(self->c->fd, &a));
	ASSERT_EQ(0, hvm_get_debugregs(self->c->fd, &b));
	EXPECT_EQ(0, memcmp(a.db, b.db, sizeof(a.db)));
	EXPECT_EQ(a.dr6, b.dr6);
	EXPECT_EQ(a.dr7, b.dr7);
	EXPECT_EQ(0ull, b.flags);
}

TEST_F(vcpu, events)
{
	struct hvm_vcpu_events a, b;

	ASSERT_EQ(0, hvm_get_vcpu_events(self->c->fd, &a));
	a.exception.injected = 1;
	a.exception.nr = VEC_PF;
	a.exception.has_error_code = 1;
	a.exception.error_code = 2;
	a.nmi.masked = 1;
	a.nmi.pending = 1;
	a.sipi_vector = 0x77;
	a.flags = HVM_VCPUEVENT_VALID_NMI_PENDING |
		  HVM_VCPUEVENT_VALID_SIPI_VECTOR;
	ASSERT_EQ(0, hvm_set_vcpu_events(self->c->fd, &a));
	ASSERT_EQ(0, hvm_get_vcpu_events(self->c->fd, &b));
	EXPECT_EQ(1, b.exception.injected);
	EXPECT_EQ(VEC_PF, b.exception.nr);
	EXPECT_EQ(1, b.exception.has_error_code);
	EXPECT_EQ(2u, b.exception.error_code);
	EXPECT_EQ(1, b.nmi.masked);
	EXPECT_EQ(1, b.nmi.pending);
}

TEST_F(vcpu, triple_fault_event)
{
	struct hvm_vcpu_events e;

	ASSERT_EQ(0, hvm_enable_cap(self->vm->fd,
				    HVM_CAP_X86_TRIPLE_FAULT_EVENT, 1));
	ASSERT_EQ(0, hvm_get_vcpu_events(self->c->fd, &e));
	EXPECT_NE(0, e.flags & HVM_VCPUEVENT_VALID_TRIPLE_FAULT);
	e.triple_fault.pending = 1;
	ASSERT_EQ(0, hvm_set_vcpu_events(self->c->fd, &e));
	ASSERT_EQ(0, hvm_get_vcpu_events(self->c->fd, &e));
	EXPECT_EQ(1, e.triple_fault.pending);
	EXPECT_EQ(HVM_EXIT_SHUTDOWN, gcpu_run(self->c));
}

TEST_F(vcpu, mp_state)
{
	static const uint32_t states[] = {
		HVM_MP_STATE_HALTED, HVM_MP_STATE_RUNNABLE,
		HVM_MP_STATE_UNINITIALIZED, HVM_MP_STATE_INIT_RECEIVED,
	};
	struct gcpu *ap = gcpu_bare(self->vm, 1);
	uint32_t s;
	size_t i;

	ASSERT_EQ(0, hvm_get_mp_state(self->c->fd, &s));
	EXPECT_EQ(HVM_MP_STATE_RUNNABLE, s);
	ASSERT_EQ(0, hvm_get_mp_state(ap->fd, &s));
	EXPECT_EQ(HVM_MP_STATE_UNINITIALIZED, s);
	for (i = 0; i < ARRAY_LEN(states); i++) {
		ASSERT_EQ(0, hvm_set_mp_state(ap->fd, states[i]));
		ASSERT_EQ(0, hvm_get_mp_state(ap->fd, &s));
		EXPECT_EQ(states[i], s);
	}
}

TEST_F(vcpu, lapic)
{
	struct hvm_lapic_state a, b;

	ASSERT_EQ(0, hvm_get_lapic(self->c->fd, &a));
	/* as reset leaves it */
	EXPECT_EQ(0x1ffu, *(uint32_t *)(a.regs + APIC_SPIV) | 0x100);
	EXPECT_EQ(0x10000u, *(uint32_t *)(a.regs + APIC_LVTT));
	*(uint32_t *)(a.regs + APIC_SPIV) = 0x1ff;
	*(uint32_t *)(a.regs + APIC_TPR) = 0x50;
	*(uint32_t *)(a.regs + APIC_LDR) = 0x04000000;
	*(uint32_t *)(a.regs + APIC_LVTT) = 0x100ec;
	*(uint32_t *)(a.regs + APIC_TDCR) = 0xb;
	*(uint32_t *)(a.regs + APIC_ISR + 0x20) = 1 << 5;
	*(uint32_t *)(a.regs + APIC_IRR + 0x30) = 1 << 7;
	ASSERT_EQ(0, hvm_set_lapic(self->c->fd, &a));
	ASSERT_EQ(0, hvm_get_lapic(self->c->fd, &b));
	EXPECT_EQ(0x1ffu, *(uint32_t *)(b.regs + APIC_SPIV));
	EXPECT_EQ(0x50u, *(uint32_t *)(b.regs + APIC_TPR));
	EXPECT_EQ(0x04000000u, *(uint32_t *)(b.regs + APIC_LDR));
	EXPECT_EQ(0x100ecu, *(uint32_t *)(b.regs + APIC_LVTT));
	EXPECT_EQ(0xbu, *(uint32_t *)(b.regs + APIC_TDCR));
	EXPECT_EQ(1u << 5, *(uint32_t *)(b.regs + APIC_ISR + 0x20));
	EXPECT_EQ(1u << 7, *(uint32_t *)(b.regs + APIC_IRR + 0x30));
	EXPECT_EQ(*(uint32_t *)(a.regs + APIC_LVR),
		  *(uint32_t *)(b.regs + APIC_LVR));
}

TEST_F(vcpu, clock)
{
	struct hvm_clock_data a, b;

	ASSERT_EQ(0, hvm_get_clock(self->vm->fd, &a));
	usleep(2000);
	ASSERT_EQ(0, hvm_get_clock(self->vm->fd, &b));
	EXPECT_LT(a.clock + 1000000, b.clock);
	memset(&a, 0, sizeof(a));
	a.clock = 1000000000000ull;
	ASSERT_EQ(0, hvm_set_clock(self->vm->fd, &a));
	ASSERT_EQ(0, hvm_get_clock(self->vm->fd, &b));
	EXPECT_LE(a.clock, b.clock);
	EXPECT_GT(a.clock + 1000000000ull, b.clock);
}

static void move_state(struct __test_metadata *_metadata, struct gcpu *from,
		       struct gcpu *to)
{
	size_t size = xsave_area_size(from->vm);
	struct hvm_xsave *x = calloc(1, size);
	struct hvm_vcpu_events ev;
	struct hvm_debugregs dr;
	struct hvm_lapic_state l;
	struct hvm_sregs2 s;
	struct hvm_xcrs xcr;
	struct hvm_regs r;
	uint32_t mp;

	from->run->immediate_exit = 1;		/* finish the OUT first */
	EXPECT_EQ(-EINTR, gcpu_run(from));
	from->run->immediate_exit = 0;
	r = gcpu_regs(from);
	EXPECT_EQ(0, hvm_get_sregs2(from->fd, &s));
	EXPECT_EQ(0, hvm_get_xsave2(from->fd, x));
	EXPECT_EQ(0, hvm_get_xcrs(from->fd, &xcr));
	EXPECT_EQ(0, hvm_get_debugregs(from->fd, &dr));
	EXPECT_EQ(0, hvm_get_vcpu_events(from->fd, &ev));
	EXPECT_EQ(0, hvm_get_mp_state(from->fd, &mp));
	EXPECT_EQ(0, hvm_get_lapic(from->fd, &l));
	EXPECT_EQ(0, hvm_set_sregs2(to->fd, &s));
	EXPECT_EQ(0, hvm_set_regs(to->fd, &r));
	EXPECT_EQ(0, hvm_set_xcrs(to->fd, &xcr));
	EXPECT_EQ(0, hvm_set_xsave(to->fd, x));
	EXPECT_EQ(0, hvm_set_debugregs(to->fd, &dr));
	EXPECT_EQ(0, hvm_set_lapic(to->fd, &l));
	EXPECT_EQ(0, hvm_set_mp_state(to->fd, mp));
	EXPECT_EQ(0, hvm_set_vcpu_events(to->fd, &ev));
	free(x);
}

TEST_F(vcpu, moves)
{
	struct gvm *vm = self->vm;
	struct gcpu *c = self->c;
	uint64_t i;

	for (i = 1; i <= 20; i++) {
		ASSERT_SYNC(c, i);
		EXPECT_EQ(i * (i + 1) / 2, c->uc.arg[1]);
		if (i % 4)
			continue;
		struct gvm *vm2 = gvm_new(GVM_SPLIT);
		struct gcpu *c2 = gcpu_new(vm2, 0, guest);

		move_state(_metadata, c, c2);
		memcpy(vm2->low, vm->low, LOW_SIZE);
		if (vm != self->vm) {
			gcpu_free(c);
			gvm_free(vm);
		}
		vm = vm2;
		c = c2;
	}
	ASSERT_DONE(c);
}

TEST_HARNESS_MAIN
