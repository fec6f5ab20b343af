// SPDX-License-Identifier: GPL-2.0-only
/*
 * fpu.c - x87, SSE and AVX state of guests, and XCR0
 *
 * Each vCPU has an XSAVE area of its own in the standard format, which is also
 * what userspace sees. hvm_fpu_load() puts what the registers hold into an area
 * of the CPU and loads the guest's state and XCR0; hvm_fpu_put() goes the other
 * way. Interrupts are off from the one to the other: before the host takes one,
 * hvm_host_irq_window() gives the registers back. So whatever they held, a
 * task's live state or what the kernel still keeps in them of one that left, is
 * there again bit by bit before anybody can look, and the kernel's own
 * bookkeeping (TIF_NEED_FPU_LOAD, the owner of the registers) stays true
 * without being touched. kernel_fpu_begin() would do as well, but sends the
 * task's state through memory and the exit to userspace through a reload,
 * which costs five times as many instructions.
 *
 * The area is restored and saved under the host's XCR0: state that a guest
 * has switched off in its own XCR0 must still be there when it is switched on
 * again. So XSTATE_BV may hold any bit of hvm_xfeatures, never another: XRSTOR
 * would fault. Values from userspace are checked for that on their way in.
 *
 * Guests can have x87, SSE, AVX and AVX-512. Not PKRU, because it also guards
 * the host's own accesses to user memory and would have to be switched around
 * each interrupt; not CET, because its state is supervisor state that only the
 * compacted format carries; not AMX, because its 8 KiB need permission per
 * process and XFD per task, which modules cannot ask for.
 *
 * Locks: none. The area is touched by the vCPU's own thread, under vcpu->mutex.
 */
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <asm/alternative.h>
#include <asm/asm.h>
#include <asm/fpu/api.h>
#include <asm/fpu/xcr.h>
#include "hvm.h"

#define XCR0_OFFERED	(u64)(XFEATURE_MASK_FPSSE | XFEATURE_MASK_YMM | XFEATURE_MASK_AVX512)
#define XCR0_AVX512	(u64)XFEATURE_MASK_AVX512
#define FCW_INIT	0x37f
#define MXCSR_INIT	0x1f80
#define MXCSR_OLD_MASK	0xffbf		/* what an MXCSR_MASK of 0 stands for (SDM 1 11.6.6) */
#define UABI_SIZE	sizeof(struct hvm_xsave)

/* The XSAVE area (SDM 1 13.4): legacy region, header, then components where CPUID puts them. */
struct hvm_fpu_ctx {
	u16 fcw, fsw;
	u8 ftw, rsvd;
	u16 fop;
	u64 fip, fdp;
	u32 mxcsr, mxcsr_mask;
	u8 st[8][16];
	u8 xmm[16][16];
	u8 unused[96];
	u64 xstate_bv, xcomp_bv;
	u64 header[6];
	u8 extended[];
} __aligned(64);
static_assert(offsetof(struct hvm_fpu_ctx, st) == 32);
static_assert(offsetof(struct hvm_fpu_ctx, xstate_bv) == 512);
static_assert(offsetof(struct hvm_fpu_ctx, extended) == 576);

u64 hvm_xfeatures __read_mostly;
static struct hvm_fpu_ctx __percpu *host_area;	/* the host's registers while a guest has them */
static u64 host_xcr0 __read_mostly;	/* the same on every CPU, and constant after boot */
u64 hvm_host_xss __read_mostly;		/* likewise */
static u32 mxcsr_valid __read_mostly;
static u32 area_size __read_mostly;	/* bytes of a context, and at least struct hvm_xsave */
static bool xcr0_leaks __read_mostly;
static bool pointers_leak __read_mostly;	/* AMD: see restore() */

/* Components above SSE, by their XCR0 bit. */
static struct { u32 offset, size; } component[8] __read_mostly;

/* What is loaded should an area fault after all: everything in its initial state. */
static struct hvm_fpu_ctx initial = { .fcw = FCW_INIT, .mxcsr = MXCSR_INIT };

static void find_components(void)
{
	u32 i, size, offset, ecx, edx;

	for (i = 2; i < ARRAY_SIZE(component); i++) {
		if (!(hvm_xfeatures & BIT(i)))
			continue;
		cpuid_count(0xd, i, &size, &offset, &ecx, &edx);
		component[i].offset = offset;
		component[i].size = size;
		area_size = max(area_size, offset + size);
	}
}

static int alloc_host_area(void)
{
	host_area = __alloc_percpu(area_size, __alignof__(*host_area));
	return host_area ? 0 : -ENOMEM;
}

/**
 * hvm_fpu_init - find out at load what guests can have
 *
 * Return: 0, or -ENOMEM.
 */
int hvm_fpu_init(void)
{
	struct hvm_fpu_ctx *probe = kzalloc(sizeof(*probe), GFP_KERNEL);

	if (!probe)
		return -ENOMEM;
	kernel_fpu_begin_mask(0);
	asm volatile("fxsave64 %0" : "=m" (*probe));
	kernel_fpu_end();
	mxcsr_valid = probe->mxcsr_mask ?: MXCSR_OLD_MASK;
	kfree(probe);

	pointers_leak = boot_cpu_has_bug(X86_BUG_FXSAVE_LEAK);
	area_size = UABI_SIZE;
	if (!boot_cpu_has(X86_FEATURE_XSAVE))
		return alloc_host_area();
	host_xcr0 = xgetbv(XCR_XFEATURE_ENABLED_MASK);
	hvm_xfeatures = host_xcr0 & XCR0_OFFERED;
	if ((hvm_xfeatures & XCR0_AVX512) != XCR0_AVX512)
		hvm_xfeatures &= ~XCR0_AVX512;
	/*
	 * Emulators of SVM are known that let a guest's XSETBV through to the
	 * host's XCR0 although it is intercepted. No real processor does.
	 */
	xcr0_leaks = boot_cpu_has(X86_FEATURE_HYPERVISOR);
	find_components();
	return alloc_host_area();
}

void hvm_fpu_exit(void)
{
	free_percpu(host_area);
}

int hvm_fpu_create(struct hvm_vcpu *vcpu)
{
	/* kmalloc() aligns powers of two to their size, so to more than 64. */
	vcpu->fpu = kzalloc(roundup_pow_of_two(area_size), GFP_KERNEL_ACCOUNT);
	return vcpu->fpu ? 0 : -ENOMEM;
}

void hvm_fpu_destroy(struct hvm_vcpu *vcpu)
{
	kfree(vcpu->fpu);
	vcpu->fpu = NULL;
}

/* Power-on, or INIT, which leaves all of it alone. */
void hvm_fpu_reset(struct hvm_vcpu *vcpu, bool init)
{
	struct hvm_fpu_ctx *f = vcpu->fpu;

	if (init)
		return;
	memset(f, 0, area_size);
	f->fcw = FCW_INIT;
	f->mxcsr = MXCSR_INIT;
	vcpu->xcr0 = XFEATURE_MASK_FP;
}

/* ---- in and out of the registers ---- */

static __always_inline void restore(struct hvm_fpu_ctx *f, u64 mask)
{
	static const u32 zero;

	/* Some leave FIP, FDP and FOP alone unless an exception is pending: they are the host's. */
	if (unlikely(pointers_leak))
		asm volatile("fnclex\n\temms\n\tfildl %0" : : "m" (zero));
	if (likely(mask))
		asm goto("1: xrstor64 %0\n"
			 _ASM_EXTABLE(1b, %l[bad])
			 : : "m" (*f), "a" ((u32)mask), "d" (0) : "memory" : bad);
	else
		asm goto("1: fxrstor64 %0\n"
			 _ASM_EXTABLE(1b, %l[bad])
			 : : "m" (*f) : "memory" : bad);
	return;
bad:
	/* Nothing of the host may be left in the registers, whatever the area holds. */
	if (mask)
		asm volatile("xrstor64 %0"
			     : : "m" (initial), "a" ((u32)mask), "d" (0) : "memory");
	else
		asm volatile("fxrstor64 %0" : : "m" (initial) : "memory");
}

/* @opt: may leave out what has not changed since it was restored from the same area. */
static __always_inline void save(struct hvm_fpu_ctx *f, u64 mask, bool opt)
{
	if (likely(mask) && !opt)
		asm volatile("xsave64 (%%rdi)"
			     : : "D" (f), "a" ((u32)mask), "d" (0) : "memory");
	else if (likely(mask))
		asm volatile(ALTERNATIVE("xsave64 (%%rdi)", "xsaveopt64 (%%rdi)",
					 X86_FEATURE_XSAVEOPT)
			     : : "D" (f), "a" ((u32)mask), "d" (0) : "memory");
	else
		asm volatile("fxsave64 %0" : "=m" (*f) : : "memory");
}

/**
 * hvm_fpu_load - the registers become the guest's
 * @vcpu: interrupts off until hvm_fpu_put()
 */
void hvm_fpu_load(struct hvm_vcpu *vcpu)
{
	const u64 mask = hvm_xfeatures;

	save(this_cpu_ptr(host_area), mask, false);
	restore(vcpu->fpu, mask);
	if (unlikely(hvm_host_xss))
		wrmsrq(MSR_IA32_XSS, 0);
	if (mask && vcpu->xcr0 != host_xcr0)
		xsetbv(XCR_XFEATURE_ENABLED_MASK, vcpu->xcr0);
}

static bool valid_xcr0(struct hvm_vcpu *vcpu, u64 val)
{
	if (!(val & XFEATURE_MASK_FP) || val & ~(vcpu->xcr0_allowed | XFEATURE_MASK_FP))
		return false;
	if (val & XFEATURE_MASK_YMM && !(val & XFEATURE_MASK_SSE))
		return false;
	if (val & XCR0_AVX512)
		return (val & XCR0_AVX512) == XCR0_AVX512 && val & XFEATURE_MASK_YMM;
	return true;
}

/* The guest's XSETBV went past its interception: do what the exit would have done. */
static noinline void adopt_xcr0(struct hvm_vcpu *vcpu, u64 val)
{
	val = (val & vcpu->xcr0_allowed) | XFEATURE_MASK_FP;
	if (!valid_xcr0(vcpu, val))
		return;
	vcpu->xcr0 = val;
	hvm_cpuid_update(vcpu);
}

/**
 * hvm_fpu_put - the registers become the host's again
 * @vcpu: interrupts off since hvm_fpu_load()
 */
void hvm_fpu_put(struct hvm_vcpu *vcpu)
{
	const u64 mask = hvm_xfeatures;
	u64 xcr0 = vcpu->xcr0;

	if (likely(mask)) {
		if (xcr0_leaks) {
			xcr0 = xgetbv(XCR_XFEATURE_ENABLED_MASK);
			if (unlikely(xcr0 != vcpu->xcr0))
				adopt_xcr0(vcpu, xcr0);
		}
		if (xcr0 != host_xcr0)
			xsetbv(XCR_XFEATURE_ENABLED_MASK, host_xcr0);
	}
	if (unlikely(hvm_host_xss))
		wrmsrq(MSR_IA32_XSS, hvm_host_xss);
	save(vcpu->fpu, mask, true);
	restore(this_cpu_ptr(host_area), mask);
}

/* ---- XCR0 ---- */

/* XSETBV and SET_XCRS. Returns 1 where XSETBV is a #GP. */
int hvm_set_xcr(struct hvm_vcpu *vcpu, u32 idx, u64 val)
{
	if (idx != XCR_XFEATURE_ENABLED_MASK || !hvm_xfeatures || !valid_xcr0(vcpu, val))
		return 1;
	if (vcpu->xcr0 != val) {
		vcpu->xcr0 = val;
		hvm_cpuid_update(vcpu);
	}
	return 0;
}

int hvm_get_xcrs(struct hvm_vcpu *vcpu, struct hvm_xcrs *out)
{
	memset(out, 0, sizeof(*out));
	if (!hvm_xfeatures)
		return 0;
	out->nr_xcrs = 1;
	out->xcrs[0].xcr = XCR_XFEATURE_ENABLED_MASK;
	out->xcrs[0].value = vcpu->xcr0;
	return 0;
}

/* As in KVM, the first entry for XCR0 counts and entries for others are passed over. */
int hvm_set_xcrs(struct hvm_vcpu *vcpu, const struct hvm_xcrs *in)
{
	u32 i;

	if (!hvm_xfeatures || in->nr_xcrs > HVM_MAX_XCRS || in->flags)
		return -EINVAL;
	for (i = 0; i < in->nr_xcrs; i++)
		if (in->xcrs[i].xcr == XCR_XFEATURE_ENABLED_MASK)
			return hvm_set_xcr(vcpu, XCR_XFEATURE_ENABLED_MASK, in->xcrs[i].value) ?
			       -EINVAL : 0;
	return 0;
}

/* ---- HVM_GET_FPU, HVM_GET_XSAVE and their counterparts ---- */

/* XSAVEOPT leaves out components in their initial state: write down what that is. */
static void settle(struct hvm_fpu_ctx *f)
{
	u64 absent = hvm_xfeatures & ~f->xstate_bv;
	int i;

	if (absent & XFEATURE_MASK_FP) {
		memset(f, 0, offsetof(struct hvm_fpu_ctx, mxcsr));
		memset(f->st, 0, sizeof(f->st));
		f->fcw = FCW_INIT;
	}
	if (absent & XFEATURE_MASK_SSE)
		memset(f->xmm, 0, sizeof(f->xmm));
	for (i = 2; i < ARRAY_SIZE(component); i++)
		if (absent & BIT(i))
			memset((void *)f + component[i].offset, 0, component[i].size);
}

int hvm_get_fpu(struct hvm_vcpu *vcpu, struct hvm_fpu *out)
{
	struct hvm_fpu_ctx *f = vcpu->fpu;

	settle(f);
	memset(out, 0, sizeof(*out));
	memcpy(out->fpr, f->st, sizeof(out->fpr));
	out->fcw = f->fcw;
	out->fsw = f->fsw;
	out->ftwx = f->ftw;
	out->last_opcode = f->fop;
	out->last_ip = f->fip;
	out->last_dp = f->fdp;
	memcpy(out->xmm, f->xmm, sizeof(out->xmm));
	out->mxcsr = f->mxcsr;
	return 0;
}

int hvm_set_fpu(struct hvm_vcpu *vcpu, const struct hvm_fpu *in)
{
	struct hvm_fpu_ctx *f = vcpu->fpu;

	if (in->mxcsr & ~mxcsr_valid)
		return -EINVAL;
	memcpy(f->st, in->fpr, sizeof(f->st));
	f->fcw = in->fcw;
	f->fsw = in->fsw;
	f->ftw = in->ftwx;
	f->fop = in->last_opcode;
	f->fip = in->last_ip;
	f->fdp = in->last_dp;
	memcpy(f->xmm, in->xmm, sizeof(f->xmm));
	f->mxcsr = in->mxcsr;
	f->xstate_bv |= XFEATURE_MASK_FPSSE & hvm_xfeatures;
	return 0;
}

/* CAP_XSAVE2: bytes of the area that GET_XSAVE2 and SET_XSAVE carry. */
u32 hvm_xsave_size(void)
{
	return area_size;
}

long hvm_get_xsave(struct hvm_vcpu *vcpu, unsigned long uarg, bool v2)
{
	struct hvm_fpu_ctx *f = vcpu->fpu;
	u64 bv = XFEATURE_MASK_FPSSE;

	if (!v2 && area_size > UABI_SIZE)
		return -EINVAL;
	settle(f);
	if (copy_to_user((void __user *)uarg, f, area_size))
		return -EFAULT;
	/* Without XSAVE there is no header; userspace expects one all the same. */
	if (!hvm_xfeatures &&
	    put_user(bv, (u64 __user *)(uarg + offsetof(struct hvm_fpu_ctx, xstate_bv))))
		return -EFAULT;
	return 0;
}

static bool valid_area(const struct hvm_fpu_ctx *f)
{
	return !(f->xstate_bv & ~(hvm_xfeatures | XFEATURE_MASK_FPSSE)) && !f->xcomp_bv &&
	       !memchr_inv(f->header, 0, sizeof(f->header)) && !(f->mxcsr & ~mxcsr_valid);
}

/**
 * hvm_set_xsave - HVM_SET_XSAVE
 * @vcpu: loaded
 * @uarg: user address of hvm_xsave_size() bytes
 *
 * Return: 0, -EINVAL (components guests cannot have, reserved bits of MXCSR or
 * of the header), -EFAULT, -ENOMEM.
 */
long hvm_set_xsave(struct hvm_vcpu *vcpu, unsigned long uarg)
{
	struct hvm_fpu_ctx *new = memdup_user((void __user *)uarg, area_size);
	long r = -EINVAL;

	if (IS_ERR(new))
		return PTR_ERR(new);
	if (valid_area(new)) {
		memcpy(vcpu->fpu, new, area_size);
		if (!hvm_xfeatures)
			vcpu->fpu->xstate_bv = 0;
		r = 0;
	}
	kfree(new);
	return r;
}
