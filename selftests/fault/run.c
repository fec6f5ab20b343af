// SPDX-License-Identifier: GPL-2.0-only
/*
 * RUN, with each allocation and user copy in it failing in turn: wherever a
 * guest needs the host to fetch memory for it. The vCPU stays usable: RUN again
 * goes on at the instruction that could not be finished.
 */
#include "fault.h"
#include "kselftest_harness.h"

#define MEM	0x40000000ul
#define DEVICE	0xd0000000ul
#define PV	0x180000ul

static uint8_t *mem;

/* to the end of the guest; devices read as ones */
static int run(struct fault_ctx *x)
{
	int i, ret;

	for (i = 0; i < 1000; i++) {
		ret = gcpu_run(x->c);
		if (ret == UCALL_DONE)
			return 0;
		if (ret < 0)
			return ret;
		if (ret == HVM_EXIT_INTERNAL_ERROR)
			return FAULT_DEAD;
		if (ret == HVM_EXIT_MMIO)
			memset(x->c->run->mmio.data, 1, 8);
		else if (ret != UCALL_SYNC && ret != HVM_EXIT_IO)
			return -EPROTO;
	}
	return -ELOOP;
}

static void add_memory(struct fault_ctx *x)
{
	mem = gvm_add_memory(x->vm, MEM, SZ_2M, 0);
	madvise(mem, SZ_2M, MADV_NOHUGEPAGE);
}

static void add_logged(struct fault_ctx *x)
{
	mem = gvm_add_memory(x->vm, MEM, SZ_2M, HVM_MEM_LOG_DIRTY_PAGES);
}

static void add_huge(struct fault_ctx *x)
{
	mem = gvm_add_memory(x->vm, MEM, 2 * SZ_2M, 0);
	madvise(mem, 2 * SZ_2M, MADV_HUGEPAGE);
}

#define RUN(name, chip, fn, ...)					\
	static void g_##name(void) { __VA_ARGS__ }			\
	TEST(name)							\
	{								\
		static const struct fault_op op = {			\
			chip, g_##name, fn, run				\
		};							\
									\
		FAULT_STEPS(op);					\
	}

RUN(nothing, GVM_NO_IRQCHIP, NULL, {
	GUEST_DONE();
})

RUN(fresh_memory, GVM_NO_IRQCHIP, add_memory, {
	volatile uint64_t *p = (void *)MEM;
	uint64_t i;

	for (i = 0; i < 4; i++)
		p[i * 512] = i + 1;
	for (i = 0; i < 4; i++)
		GUEST_ASSERT_EQ(p[i * 512], i + 1);
	GUEST_DONE();
})

RUN(read_memory, GVM_NO_IRQCHIP, add_memory, {
	volatile uint64_t *p = (void *)MEM;
	uint64_t i;

	for (i = 0; i < 4; i++)
		GUEST_ASSERT_EQ(p[i * 512], 0);
	for (i = 0; i < 4; i++)
		p[i * 512] = i;
	GUEST_DONE();
})

RUN(logged_memory, GVM_NO_IRQCHIP, add_logged, {
	volatile uint64_t *p = (void *)MEM;
	uint64_t i;

	for (i = 0; i < 4; i++)
		p[i * 512] = i;
	GUEST_DONE();
})

RUN(huge_memory, GVM_NO_IRQCHIP, add_huge, {
	volatile uint64_t *p = (void *)MEM;

	p[0] = 1;
	p[SZ_2M / 8] = 2;
	GUEST_ASSERT_EQ(p[0] + p[SZ_2M / 8], 3);
	GUEST_DONE();
})

RUN(mmio, GVM_NO_IRQCHIP, NULL, {
	uint64_t v = 0;

	mmio_write32(DEVICE, 1);
	asm volatile("movq (%1), %0" : "=r"(v) : "r"(DEVICE + 8) : "memory");
	GUEST_ASSERT_EQ(v, 0x0101010101010101);
	asm volatile("addl $1, (%0)" :: "r"(DEVICE + 16) : "memory", "cc");
	GUEST_DONE();
})

/* over the border of memory and a device, and from one to the other */
RUN(mmio_strings, GVM_NO_IRQCHIP, add_memory, {
	uint64_t from = DEVICE, to = MEM, n = 5;

	asm volatile("rep movsb" : "+S"(from), "+D"(to), "+c"(n) :: "memory");
	GUEST_ASSERT_EQ(*(volatile uint32_t *)MEM, 0x01010101);
	from = MEM;
	to = DEVICE;
	n = 5;
	asm volatile("rep movsb" : "+S"(from), "+D"(to), "+c"(n) :: "memory");
	GUEST_DONE();
})

RUN(pio, GVM_NO_IRQCHIP, NULL, {
	outl(0x80, 1);
	inl(0x80);
	GUEST_DONE();
})

RUN(pio_strings, GVM_NO_IRQCHIP, add_memory, {
	uint64_t at = MEM + 4090, n = 12;

	asm volatile("rep outsb" : "+S"(at), "+c"(n) : "d"(0x80) : "memory");
	at = MEM + 8186;
	n = 12;
	asm volatile("rep insb" : "+D"(at), "+c"(n) : "d"(0x80) : "memory");
	GUEST_DONE();
})

RUN(cpuid_and_msrs, GVM_NO_IRQCHIP, NULL, {
	uint64_t v;

	cpuid_count(0x40000001, 0);
	rdmsr_safe(0xdeadbeef, &v);
	wrmsr(MSR_LSTAR, 0x1000);
	GUEST_ASSERT_EQ(rdmsr(MSR_LSTAR), 0x1000);
	GUEST_DONE();
})

RUN(hypercall, GVM_NO_IRQCHIP, NULL, {
	GUEST_ASSERT_EQ((int64_t)guest_hypercall(0x1234, 0, 0), -1000);
	GUEST_DONE();
})

/* a page that cannot be written is not: the guest sees no clock, and goes on */
RUN(pv_clock, GVM_SPLIT, NULL, {
	wrmsr(0x4b564d00, PV + 256);
	wrmsr(0x4b564d01, PV | 1);
	GUEST_SYNC(1);
	GUEST_DONE();
})

RUN(steal_time, GVM_SPLIT, NULL, {
	wrmsr(0x4b564d03, PV | 1);
	GUEST_SYNC(1);
	GUEST_SYNC(2);
	GUEST_DONE();
})

static volatile uint64_t irqs;

static void on_irq(struct trap_frame *f)
{
	irqs++;
	xapic_write(APIC_EOI, 0);
}

RUN(interrupts, GVM_SPLIT, NULL, {
	uint64_t before = irqs;

	guest_handlers[0x40] = on_irq;
	xapic_enable();
	asm volatile("sti");
	xapic_icr(0, 0x40 | ICR_SELF);
	while (irqs == before)
		cpu_relax();
	GUEST_DONE();
})

RUN(control_registers, GVM_NO_IRQCHIP, NULL, {
	write_cr4(read_cr4() | CR4_DE);
	write_cr0(read_cr0() ^ CR0_AM);
	write_cr3(read_cr3());
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) & ~EFER_SCE);
	GUEST_DONE();
})

TEST_HARNESS_MAIN
