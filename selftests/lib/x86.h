/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * x86.h: the architecture's numbers and instructions, for guest code and for
 * the host side of a test. It holds no state; everything is inline, so that
 * guest code never leaves the test's own image.
 */
#ifndef SELFTESTS_X86_H
#define SELFTESTS_X86_H

#include <stdbool.h>
#include <stdint.h>

#define CR0_PE			(1ull << 0)
#define CR0_MP			(1ull << 1)
#define CR0_EM			(1ull << 2)
#define CR0_TS			(1ull << 3)
#define CR0_ET			(1ull << 4)
#define CR0_NE			(1ull << 5)
#define CR0_WP			(1ull << 16)
#define CR0_AM			(1ull << 18)
#define CR0_NW			(1ull << 29)
#define CR0_CD			(1ull << 30)
#define CR0_PG			(1ull << 31)

#define CR4_TSD			(1ull << 2)
#define CR4_DE			(1ull << 3)
#define CR4_PSE			(1ull << 4)
#define CR4_PAE			(1ull << 5)
#define CR4_OSFXSR		(1ull << 9)
#define CR4_OSXMMEXCPT		(1ull << 10)
#define CR4_OSXSAVE		(1ull << 18)

#define EFER_SCE		(1ull << 0)
#define EFER_LME		(1ull << 8)
#define EFER_LMA		(1ull << 10)
#define EFER_NXE		(1ull << 11)

#define RFLAGS_FIXED		(1ull << 1)
#define RFLAGS_CF		(1ull << 0)
#define RFLAGS_ZF		(1ull << 6)
#define RFLAGS_TF		(1ull << 8)
#define RFLAGS_IF		(1ull << 9)
#define RFLAGS_RF		(1ull << 16)
#define RFLAGS_AC		(1ull << 18)

#define PTE_P			(1ull << 0)
#define PTE_W			(1ull << 1)
#define PTE_U			(1ull << 2)
#define PTE_A			(1ull << 5)
#define PTE_D			(1ull << 6)
#define PTE_PS			(1ull << 7)
#define PTE_NX			(1ull << 63)

#define MSR_TSC			0x10
#define MSR_APICBASE		0x1b
#define MSR_TSC_ADJUST		0x3b
#define MSR_SYSENTER_CS		0x174
#define MSR_SYSENTER_ESP	0x175
#define MSR_SYSENTER_EIP	0x176
#define MSR_MISC_ENABLE		0x1a0
#define MSR_PAT			0x277
#define MSR_TSC_DEADLINE	0x6e0
#define MSR_X2APIC(reg)		(0x800 + ((reg) >> 4))
#define MSR_EFER		0xc0000080
#define MSR_STAR		0xc0000081
#define MSR_LSTAR		0xc0000082
#define MSR_CSTAR		0xc0000083
#define MSR_SYSCALL_MASK	0xc0000084
#define MSR_FS_BASE		0xc0000100
#define MSR_GS_BASE		0xc0000101
#define MSR_KERNEL_GS_BASE	0xc0000102
#define MSR_TSC_AUX		0xc0000103

#define APICBASE_BSP		(1ull << 8)
#define APICBASE_X2APIC		(1ull << 10)
#define APICBASE_ENABLE		(1ull << 11)

#define APIC_GPA		0xfee00000ul
#define APIC_ID			0x20
#define APIC_LVR		0x30
#define APIC_TPR		0x80
#define APIC_PPR		0xa0
#define APIC_EOI		0xb0
#define APIC_LDR		0xd0
#define APIC_DFR		0xe0
#define APIC_SPIV		0xf0
#define APIC_ISR		0x100
#define APIC_TMR		0x180
#define APIC_IRR		0x200
#define APIC_ESR		0x280
#define APIC_ICR		0x300
#define APIC_ICR2		0x310
#define APIC_LVTT		0x320
#define APIC_LVT0		0x350
#define APIC_LVT1		0x360
#define APIC_LVTERR		0x370
#define APIC_TMICT		0x380
#define APIC_TMCCT		0x390
#define APIC_TDCR		0x3e0
#define APIC_SELF_IPI		0x3f0

#define APIC_SPIV_ENABLE	(1 << 8)
#define APIC_LVT_NMI		(4 << 8)
#define APIC_LVT_MASKED		(1 << 16)
#define APIC_LVT_PERIODIC	(1 << 17)
#define APIC_LVT_DEADLINE	(2 << 17)
#define ICR_FIXED		(0 << 8)
#define ICR_LOWEST		(1 << 8)
#define ICR_NMI			(4 << 8)
#define ICR_INIT		(5 << 8)
#define ICR_SIPI		(6 << 8)
#define ICR_LOGICAL		(1 << 11)
#define ICR_BUSY		(1 << 12)
#define ICR_ASSERT		(1 << 14)
#define ICR_LEVEL		(1 << 15)
#define ICR_SELF		(1 << 18)
#define ICR_ALL			(2 << 18)
#define ICR_OTHERS		(3 << 18)

#define VEC_DE			0
#define VEC_DB			1
#define VEC_NMI			2
#define VEC_BP			3
#define VEC_UD			6
#define VEC_NM			7
#define VEC_DF			8
#define VEC_TS			10
#define VEC_NP			11
#define VEC_SS			12
#define VEC_GP			13
#define VEC_PF			14
#define VEC_AC			17

struct cpuid_regs {
	uint32_t eax, ebx, ecx, edx;
};

static inline struct cpuid_regs cpuid_count(uint32_t leaf, uint32_t sub)
{
	struct cpuid_regs r;

	asm volatile("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx),
		     "=d"(r.edx) : "a"(leaf), "c"(sub) : "memory");
	return r;
}

static inline uint64_t rdtsc(void)
{
	uint32_t lo, hi;

	asm volatile("rdtsc" : "=a"(lo), "=d"(hi) :: "memory");
	return (uint64_t)hi << 32 | lo;
}

static inline uint64_t rdmsr(uint32_t msr)
{
	uint32_t lo, hi;

	asm volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr) : "memory");
	return (uint64_t)hi << 32 | lo;
}

static inline void wrmsr(uint32_t msr, uint64_t v)
{
	asm volatile("wrmsr" :: "c"(msr), "a"((uint32_t)v),
		     "d"((uint32_t)(v >> 32)) : "memory");
}

#define DEFINE_CR(n)							\
static inline uint64_t read_cr##n(void)					\
{									\
	uint64_t v;							\
									\
	asm volatile("mov %%cr" #n ", %0" : "=r"(v) :: "memory");	\
	return v;							\
}									\
static inline void write_cr##n(uint64_t v)				\
{									\
	asm volatile("mov %0, %%cr" #n :: "r"(v) : "memory");		\
}
DEFINE_CR(0)
DEFINE_CR(2)
DEFINE_CR(3)
DEFINE_CR(4)
DEFINE_CR(8)

#define DEFINE_DR(n)							\
static inline uint64_t read_dr##n(void)					\
{									\
	uint64_t v;							\
									\
	asm volatile("mov %%dr" #n ", %0" : "=r"(v) :: "memory");	\
	return v;							\
}									\
static inline void write_dr##n(uint64_t v)				\
{									\
	asm volatile("mov %0, %%dr" #n :: "r"(v) : "memory");		\
}
DEFINE_DR(0)
DEFINE_DR(1)
DEFINE_DR(2)
DEFINE_DR(3)
DEFINE_DR(6)
DEFINE_DR(7)

#define DEFINE_IO(sfx, type)						\
static inline void out##sfx(uint16_t port, type v)			\
{									\
	asm volatile("out" #sfx " %0, %1" :: "a"(v), "Nd"(port)		\
		     : "memory");					\
}									\
static inline type in##sfx(uint16_t port)				\
{									\
	type v;								\
									\
	asm volatile("in" #sfx " %1, %0" : "=a"(v) : "Nd"(port)		\
		     : "memory");					\
	return v;							\
}
DEFINE_IO(b, uint8_t)
DEFINE_IO(w, uint16_t)
DEFINE_IO(l, uint32_t)

static inline uint64_t xgetbv(uint32_t i)
{
	uint32_t lo, hi;

	asm volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(i));
	return (uint64_t)hi << 32 | lo;
}

static inline void invlpg(uint64_t va)
{
	asm volatile("invlpg (%0)" :: "r"(va) : "memory");
}

static inline void sti(void)
{
	asm volatile("sti" ::: "memory");
}

/* the interrupt shadow of STI: one more instruction before interrupts */
static inline void sti_nop(void)
{
	asm volatile("sti; nop" ::: "memory");
}

static inline void cli(void)
{
	asm volatile("cli" ::: "memory");
}

static inline void hlt(void)
{
	asm volatile("hlt" ::: "memory");
}

/* no wake-up is lost between the two */
static inline void sti_hlt(void)
{
	asm volatile("sti; hlt" ::: "memory");
}

static inline void cpu_relax(void)
{
	asm volatile("pause" ::: "memory");
}

/* one MOV each, whatever the compiler thinks: device registers */
static inline uint32_t mmio_read32(uint64_t gpa)
{
	uint32_t v;

	asm volatile("movl (%1), %0" : "=r"(v) : "r"(gpa) : "memory");
	return v;
}

static inline void mmio_write32(uint64_t gpa, uint32_t v)
{
	asm volatile("movl %0, (%1)" :: "r"(v), "r"(gpa) : "memory");
}

static inline uint32_t xapic_read(uint32_t reg)
{
	return mmio_read32(APIC_GPA + reg);
}

static inline void xapic_write(uint32_t reg, uint32_t v)
{
	mmio_write32(APIC_GPA + reg, v);
}

static inline void xapic_enable(void)
{
	xapic_write(APIC_SPIV, APIC_SPIV_ENABLE | 0xff);
}

static inline void xapic_icr(uint32_t dest, uint32_t low)
{
	xapic_write(APIC_ICR2, dest << 24);
	xapic_write(APIC_ICR, low);
}

static inline void x2apic_enable(void)
{
	wrmsr(MSR_APICBASE, rdmsr(MSR_APICBASE) | APICBASE_ENABLE |
	      APICBASE_X2APIC);
	wrmsr(MSR_X2APIC(APIC_SPIV), APIC_SPIV_ENABLE | 0xff);
}

static inline bool host_is_amd(void)
{
	/* "AuthenticAMD", "HygonGenuine" */
	uint32_t ebx = cpuid_count(0, 0).ebx;

	return ebx == 0x68747541 || ebx == 0x6f677948;
}

/* QEMU's TCG, which does not have all of SVM. */
static inline bool host_is_tcg(void)
{
	return cpuid_count(1, 0).ecx >> 31 &&
	       cpuid_count(0x40000000, 0).ebx == 0x54474354;
}

#endif /* SELFTESTS_X86_H */
