/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * compat.h - one face for kernels 6.1, 6.12 and 7.x.
 *
 * The only file that asks for LINUX_VERSION_CODE. hvm is written against the
 * newest kernel's names; what an older one lacks or spells differently is
 * bridged here. A header's presence or a macro's definition is tested rather
 * than the version wherever that tells, because distribution kernels backport.
 *
 * Not to be used, because 7.x closed them to modules or dropped them:
 * static_cpu_has() (boot_cpu_has(), cpu_feature_enabled()), no_llseek
 * (noop_llseek), asm/svm.h (svm/vmcb.h), del_timer*() (timer_delete*()).
 */
#ifndef HVM_COMPAT_H
#define HVM_COMPAT_H

#include <linux/version.h>
#include <linux/cpu.h>
#include <linux/eventfd.h>
#include <linux/file.h>
#include <linux/hrtimer.h>
#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/smp.h>
#include <linux/syscore_ops.h>
#include <linux/timer.h>
#include <linux/workqueue.h>
#include <asm/cpufeature.h>
#include <asm/msr.h>
#include <asm/processor.h>
#include <asm/tsc.h>

#if __has_include(<asm/cpuid/api.h>)
#include <asm/cpuid/api.h>
#elif __has_include(<asm/cpuid.h>)
#include <asm/cpuid.h>
#endif

#if __has_include(<linux/unaligned.h>)
#include <linux/unaligned.h>
#else
#include <asm/unaligned.h>
#endif

/* 6.16 names the 64-bit MSR accessors by their operand size. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 16, 0) && !defined(rdmsrq)
#define rdmsrq(msr, val)	rdmsrl(msr, val)
#define wrmsrq(msr, val)	wrmsrl(msr, val)
#define rdmsrq_safe(msr, p)	rdmsrl_safe(msr, p)
#define wrmsrq_safe(msr, val)	wrmsrl_safe(msr, val)
#endif

/* 6.13 sets a timer's function when it is initialised. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
static inline void hvm_hrtimer_setup(struct hrtimer *timer,
				     enum hrtimer_restart (*fn)(struct hrtimer *),
				     clockid_t clock, enum hrtimer_mode mode)
{
	hrtimer_init(timer, clock, mode);
	timer->function = fn;
}
#define hrtimer_setup hvm_hrtimer_setup
#endif

#ifndef timer_container_of
#define timer_container_of(var, timer, field)	from_timer(var, timer, field)
#endif

/* 6.8 always adds one. */
static inline void hvm_eventfd_signal(struct eventfd_ctx *ctx)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 8, 0)
	eventfd_signal(ctx, 1);
#else
	eventfd_signal(ctx);
#endif
}

#ifndef fd_file
#define fd_file(f)	((f).file)
#endif

/* 6.3 guards vm_flags. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
static inline void vm_flags_set(struct vm_area_struct *vma, unsigned long flags)
{
	vma->vm_flags |= flags;
}

static inline void vm_flags_clear(struct vm_area_struct *vma, unsigned long flags)
{
	vma->vm_flags &= ~flags;
}
#endif

/**
 * hvm_follow_pfn - the page frame that a VM_IO or VM_PFNMAP mapping points to
 * @vma: the mapping, mmap_lock held
 * @addr: user address in it, already faulted in
 * @pfn: result
 * @writable: result: userspace may write it
 *
 * Return: 0, or -EINVAL when nothing is mapped there.
 */
static inline int hvm_follow_pfn(struct vm_area_struct *vma, unsigned long addr,
				 unsigned long *pfn, bool *writable)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
	spinlock_t *ptl;
	pte_t *pte;
	int r;

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 10, 0)
	r = follow_pte(vma->vm_mm, addr, &pte, &ptl);
#else
	r = follow_pte(vma, addr, &pte, &ptl);
#endif
	if (r)
		return -EINVAL;
	*pfn = pte_pfn(*pte);
	*writable = pte_write(*pte);
	pte_unmap_unlock(pte, ptl);
	return 0;
#else
	struct follow_pfnmap_args args = { .vma = vma, .address = addr };

	if (follow_pfnmap_start(&args))
		return -EINVAL;
	*pfn = args.pfn;
	*writable = args.writable;
	follow_pfnmap_end(&args);
	return 0;
#endif
}

/* 6.2 lets a page fault taken for the caller be interrupted by any signal. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
#define HVM_FOLL_INTERRUPTIBLE	0
#else
#define HVM_FOLL_INTERRUPTIBLE	FOLL_INTERRUPTIBLE
#endif

/* What the young callbacks of an mmu notifier return: int, later bool. */
typedef typeof(((struct mmu_notifier_ops *)0)->test_young(NULL, NULL, 0)) hvm_young_t;

/*
 * Suspend, resume and shutdown callbacks: 6.19 hands them a context, and so do
 * late releases of the stable series before it; Kbuild looks into the header.
 * HVM_SYSCORE_ARGS stands in the callbacks' parameter list.
 */
#ifndef HVM_SYSCORE_CONTEXT
#define HVM_SYSCORE_ARGS	void
#define HVM_SYSCORE(name, susp, res, shut)				\
	static struct syscore_ops name = {				\
		.suspend = (susp), .resume = (res), .shutdown = (shut),	\
	}
#define hvm_register_syscore(p)		register_syscore_ops(p)
#define hvm_unregister_syscore(p)	unregister_syscore_ops(p)
#else
#define HVM_SYSCORE_ARGS	void *hvm_unused_
#define HVM_SYSCORE(name, susp, res, shut)				\
	static const struct syscore_ops name##_ops = {			\
		.suspend = (susp), .resume = (res), .shutdown = (shut),	\
	};								\
	static struct syscore name = { .ops = &name##_ops }
#define hvm_register_syscore(p)		register_syscore(p)
#define hvm_unregister_syscore(p)	unregister_syscore(p)
#endif

/*
 * hvm_guest_work() - before an entry, with interrupts on: signals, rescheduling
 * and what else a return to userspace would do. 0, or -EINTR: a signal waits.
 * Until 6.18 the kernel's function notes the signal in a struct kvm_vcpu; see
 * compat.c. hvm_guest_work_pending() asks whether there is any (interrupts off).
 */
#if __has_include(<linux/entry-virt.h>)
#include <linux/entry-virt.h>
#define hvm_guest_work()	xfer_to_guest_mode_handle_work()
#else
#include <linux/entry-kvm.h>
int hvm_guest_work(void);
#endif
#define hvm_guest_work_pending()	xfer_to_guest_mode_work_pending()
#define hvm_guest_work_pending_on()	__xfer_to_guest_mode_work_pending() /* interrupts on: may be stale */

/* The IPI that makes a CPU leave the guest and look; 6.4 put a tracepoint around the old name. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 4, 0)
#define hvm_send_kick(cpu)	smp_send_reschedule(cpu)
#else
#define hvm_send_kick(cpu)	arch_smp_send_reschedule(cpu)
#endif

/*
 * CR4's helpers, which keep the kernel's per-CPU shadow of it right, are closed
 * to modules since 6.19: HVM_CR4_OPEN says whether they may be used.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 19, 0)
#include <asm/tlbflush.h>
#define HVM_CR4_OPEN		1
#define hvm_cr4_set_bits(bits)	cr4_set_bits(bits)
#define hvm_cr4_clear_bits(bits)	cr4_clear_bits(bits)
#else
#define HVM_CR4_OPEN		0
#define hvm_cr4_set_bits(bits)	do { } while (0)
#define hvm_cr4_clear_bits(bits)	do { } while (0)
#endif

/* A barrier when another guest ran last on this CPU? 6.15 keeps its choice to itself. */
#ifdef X86_FEATURE_USE_IBPB
#define hvm_switch_ibpb()	boot_cpu_has(X86_FEATURE_USE_IBPB)
#else
#define hvm_switch_ibpb()	boot_cpu_has(X86_FEATURE_IBPB)
#endif

/* Tracepoints: 6.10 dropped the source from __assign_str(). */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 10, 0)
#define hvm_assign_str(dst, src)	__assign_str(dst, src)
#else
#define hvm_assign_str(dst, src)	__assign_str(dst)
#endif

/* 6.17 wants a choice between per-CPU and unbound work queues. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 17, 0)
#define HVM_WQ_PERCPU	0
#else
#define HVM_WQ_PERCPU	WQ_PERCPU
#endif

#endif
