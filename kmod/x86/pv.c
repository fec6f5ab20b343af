// SPDX-License-Identifier: GPL-2.0-only
/*
 * pv.c - KVM's paravirtual interface: its MSRs and hypercalls
 *
 * Offered: clock source (clock.c), steal time with the preempted flag and TLB
 * flushes deferred to it, EOI by memory, KICK_CPU, SEND_IPI and poll control.
 * Not offered, and absent from CPUID: asynchronous page faults, directed
 * yields (the hypercall does no harm), migration control.
 *
 * The guest gives guest-physical addresses; the pages are the VMM's and can go
 * at any moment. Where sleeping is allowed they are written like any guest
 * memory; in the preempt notifier and when an interrupt is injected, through
 * the VMM's mapping with page faults disabled, and what cannot be written then
 * is not: both are hints the guest can do without.
 *
 * Locks: none; the vCPU's thread only.
 */
#include <linux/pagemap.h>
#include <linux/sched.h>
#include <linux/sched/stat.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <asm/apicdef.h>
#include <uapi/asm/kvm_para.h>
#include "hvm.h"
#include "pv.h"

/* Of <linux/kvm_para.h>, whose names clash with hvm's on newer kernels. */
enum { HC_VAPIC_POLL_IRQ = 1, HC_KICK_CPU = 5, HC_CLOCK_PAIRING = 9, HC_SEND_IPI = 10, HC_SCHED_YIELD = 11 };
#define HC_ENOSYS	1000		/* its other errors are the kernel's */

#define PV_FEATURES	(BIT(KVM_FEATURE_CLOCKSOURCE) | BIT(KVM_FEATURE_NOP_IO_DELAY) | \
			 BIT(KVM_FEATURE_CLOCKSOURCE2) | BIT(KVM_FEATURE_PV_EOI) | \
			 BIT(KVM_FEATURE_PV_UNHALT) | BIT(KVM_FEATURE_PV_SEND_IPI) | \
			 BIT(KVM_FEATURE_POLL_CONTROL) | BIT(KVM_FEATURE_CLOCKSOURCE_STABLE_BIT))

u32 hvm_pv_features(void)
{
	u32 features = PV_FEATURES;

	if (sched_info_on())
		features |= BIT(KVM_FEATURE_STEAL_TIME) | BIT(KVM_FEATURE_PV_TLB_FLUSH);
	return features;
}

/* ---- guest memory ---- */

/* Where the VMM has @gpa mapped, for writing; NULL: nowhere. The caller's bytes do not cross a page. */
static void __user *user_addr(struct hvm_vcpu *vcpu, gpa_t gpa)
{
	struct hvm_slot slot;

	if (!hvm_slot_find(vcpu->vm, hvm_gfn(gpa), &slot) || slot.flags & HVM_MEM_READONLY)
		return NULL;
	return (void __user *)(slot.hva + (gpa - (slot.base << PAGE_SHIFT)));
}

/* Any context, in the VMM's address space. */
static bool put_byte_atomic(struct hvm_vcpu *vcpu, gpa_t gpa, u8 val)
{
	u8 __user *p = user_addr(vcpu, gpa);
	int r;

	if (!p)
		return false;
	pagefault_disable();
	r = put_user(val, p);
	pagefault_enable();
	if (!r)
		hvm_mark_dirty(vcpu, hvm_gfn(gpa));
	return !r;
}

/* ---- steal time ---- */

static gpa_t steal_gpa(struct hvm_pv *pv)
{
	return pv->steal_time & KVM_STEAL_VALID_BITS;
}

/* Swap out the preempted byte, into which the guest's other CPUs put FLUSH_TLB while it is set. */
static int take_preempted(struct hvm_vcpu *vcpu, u8 __user *p)
{
	u8 old;
	int tries;

	if (get_user(old, p))
		return -EFAULT;
	/* At most one flag can come in between; a guest that scribbles on is left alone. */
	for (tries = 0; old && tries < 4; tries++) {
		if (!user_access_begin(p, 1))
			return -EFAULT;
		if (unsafe_try_cmpxchg_user(p, &old, (u8)0, fault)) {
			user_access_end();
			break;
		}
		user_access_end();
	}
	return old;
fault:
	user_access_end();
	return -EFAULT;
}

static u64 run_delay(void)
{
#ifdef CONFIG_SCHED_INFO
	return current->sched_info.run_delay;
#else
	return 0;
#endif
}

bool hvm_pv_waited(struct hvm_vcpu *vcpu)
{
	return run_delay() != vcpu->pv->run_delay;
}

/* Time the thread waited for a CPU since it was last asked; a new thread starts afresh. */
static u64 newly_stolen(struct hvm_pv *pv)
{
	u64 now = run_delay(), delta = now - pv->run_delay;

	if (pv->task != current)
		delta = 0;
	pv->task = current;
	pv->run_delay = now;
	return delta;
}

static int steal_write(struct hvm_vcpu *vcpu, gpa_t gpa, u64 delta)
{
	struct kvm_steal_time __user *st = user_addr(vcpu, gpa);
	u32 version;
	u64 steal;
	int flags;

	if (!st)
		return -EFAULT;
	flags = take_preempted(vcpu, &st->preempted);
	if (flags < 0 || get_user(version, &st->version) || get_user(steal, &st->steal))
		return -EFAULT;
	if (flags & KVM_VCPU_FLUSH_TLB)
		vcpu->tlb_flush = true;
	/* Odd while it is being written: pairs with the guest's read barriers. */
	version |= 1;
	if (put_user(version, &st->version))
		return -EFAULT;
	smp_wmb();	/* the version first ... */
	if (put_user(steal + delta, &st->steal))
		return -EFAULT;
	smp_wmb();	/* ... and last */
	return put_user(version + 1, &st->version) ? -EFAULT : 0;
}

/**
 * hvm_pv_steal_update - HVM_REQ_STEAL: guest memory that a sleepless context left behind
 * @vcpu: loaded; may sleep
 */
void hvm_pv_steal_update(struct hvm_vcpu *vcpu)
{
	struct hvm_pv *pv = vcpu->pv;
	gpa_t gpa = steal_gpa(pv);
	u64 delta;

	hvm_lapic_sync_pv_eoi(vcpu);
	if (!(pv->steal_time & KVM_MSR_ENABLED))
		return;
	delta = newly_stolen(pv);
	if (!delta && !pv->preempted)
		return;
	pv->preempted = false;
	if (!steal_write(vcpu, gpa, delta))
		hvm_mark_dirty(vcpu, hvm_gfn(gpa));
}

/* The thread is scheduled out while it wants to run: the run queue's lock is held. */
void hvm_pv_preempted(struct hvm_vcpu *vcpu)
{
	struct hvm_pv *pv = vcpu->pv;

	if (!vcpu->steal_time || pv->preempted)
		return;
	pv->preempted = put_byte_atomic(vcpu, steal_gpa(pv) +
					offsetof(struct kvm_steal_time, preempted),
					KVM_VCPU_PREEMPTED);
}

/* ---- EOI by memory ---- */

bool hvm_pv_eoi_enabled(struct hvm_vcpu *vcpu)
{
	return vcpu->pv->eoi & KVM_MSR_ENABLED;
}

/**
 * hvm_pv_eoi_set - tell the guest that it may end this interrupt in its memory
 * @vcpu: its own thread; never sleeps
 *
 * Return: whether it was told.
 */
bool hvm_pv_eoi_set(struct hvm_vcpu *vcpu)
{
	return put_byte_atomic(vcpu, vcpu->pv->eoi & ~1ULL, KVM_PV_EOI_ENABLED);
}

/**
 * hvm_pv_eoi_clear - take back what hvm_pv_eoi_set() told
 * @vcpu: its own thread, the guest not running
 * @atomic: must not sleep
 *
 * Return: 1: the guest had ended the interrupt; 0: not, and it now must write
 * the register; -EFAULT: cannot tell.
 */
int hvm_pv_eoi_clear(struct hvm_vcpu *vcpu, bool atomic)
{
	gpa_t gpa = vcpu->pv->eoi & ~1ULL;
	u8 __user *p = user_addr(vcpu, gpa);
	u8 val = 0;
	int r;

	if (!p)
		return -EFAULT;
	if (atomic)
		pagefault_disable();
	r = get_user(val, p);
	if (!r && val & KVM_PV_EOI_ENABLED)
		r = put_user(KVM_PV_EOI_DISABLED, p);
	if (atomic)
		pagefault_enable();
	if (r)
		return -EFAULT;
	if (val & KVM_PV_EOI_ENABLED)
		hvm_mark_dirty(vcpu, hvm_gfn(gpa));
	return !(val & KVM_PV_EOI_ENABLED);
}

/* ---- MSRs ---- */

/* Features that its CPUID does not show are not there, if userspace wants it so. */
static bool guest_may(struct hvm_vcpu *vcpu, int feature)
{
	return likely(!vcpu->pv->enforce) || hvm_cpuid_pv_features(vcpu) & BIT(feature);
}

static bool may_access(struct hvm_vcpu *vcpu, u32 msr)
{
	switch (msr) {
	case MSR_KVM_WALL_CLOCK:
	case MSR_KVM_SYSTEM_TIME:
		return guest_may(vcpu, KVM_FEATURE_CLOCKSOURCE);
	case MSR_KVM_WALL_CLOCK_NEW:
	case MSR_KVM_SYSTEM_TIME_NEW:
		return guest_may(vcpu, KVM_FEATURE_CLOCKSOURCE2);
	case MSR_KVM_STEAL_TIME:
		return guest_may(vcpu, KVM_FEATURE_STEAL_TIME);
	case MSR_KVM_PV_EOI_EN:
		return guest_may(vcpu, KVM_FEATURE_PV_EOI);
	case MSR_KVM_POLL_CONTROL:
		return guest_may(vcpu, KVM_FEATURE_POLL_CONTROL);
	}
	return false;
}

static int set_system_time(struct hvm_vcpu *vcpu, u64 val)
{
	vcpu->pv->system_time = val;
	hvm_request_only(vcpu, HVM_REQ_CLOCK);
	return 0;
}

static int set_steal_time(struct hvm_vcpu *vcpu, u64 val)
{
	struct hvm_pv *pv = vcpu->pv;

	if (!sched_info_on() || val & KVM_STEAL_RESERVED_MASK)
		return -EINVAL;
	pv->steal_time = val;
	vcpu->steal_time = val & KVM_MSR_ENABLED;
	if (vcpu->steal_time) {
		newly_stolen(pv);
		pv->preempted = true;	/* whatever is in that page: write it at once */
		hvm_request_only(vcpu, HVM_REQ_STEAL);
	}
	return 0;
}

static int set_eoi(struct hvm_vcpu *vcpu, u64 val)
{
	if (val & 2)			/* four-byte alignment */
		return -EINVAL;
	if (val & KVM_MSR_ENABLED && !user_addr(vcpu, val & ~1ULL))
		return -EINVAL;
	/* An interrupt may be waiting for its EOI in the old place. */
	hvm_lapic_sync_pv_eoi(vcpu);
	vcpu->pv->eoi = val;
	return 0;
}

int hvm_pv_get_msr(struct hvm_vcpu *vcpu, u32 msr, u64 *val)
{
	struct hvm_pv *pv = vcpu->pv;

	if (!may_access(vcpu, msr))
		return -ENOENT;
	switch (msr) {
	case MSR_KVM_WALL_CLOCK:
	case MSR_KVM_WALL_CLOCK_NEW:
		*val = READ_ONCE(vcpu->vm->wall_clock_msr);
		return 0;
	case MSR_KVM_SYSTEM_TIME:
	case MSR_KVM_SYSTEM_TIME_NEW:
		*val = pv->system_time;
		return 0;
	case MSR_KVM_STEAL_TIME:
		*val = pv->steal_time;
		return sched_info_on() ? 0 : -ENOENT;
	case MSR_KVM_PV_EOI_EN:
		*val = pv->eoi;
		return 0;
	case MSR_KVM_POLL_CONTROL:
		*val = pv->poll_control;
		return 0;
	}
	return -ENOENT;
}

int hvm_pv_set_msr(struct hvm_vcpu *vcpu, u32 msr, u64 val, bool host)
{
	if (!may_access(vcpu, msr))
		return -ENOENT;
	switch (msr) {
	case MSR_KVM_WALL_CLOCK:
	case MSR_KVM_WALL_CLOCK_NEW:
		WRITE_ONCE(vcpu->vm->wall_clock_msr, val);
		hvm_clock_write_wall(vcpu, val);
		return 0;
	case MSR_KVM_SYSTEM_TIME:
	case MSR_KVM_SYSTEM_TIME_NEW:
		return set_system_time(vcpu, val);
	case MSR_KVM_STEAL_TIME:
		return sched_info_on() ? set_steal_time(vcpu, val) : -ENOENT;
	case MSR_KVM_PV_EOI_EN:
		return set_eoi(vcpu, val);
	case MSR_KVM_POLL_CONTROL:
		if (val & ~1ULL)
			return -EINVAL;
		vcpu->pv->poll_control = val;
		return 0;
	}
	return -ENOENT;
}

/* ---- hypercalls ---- */

static long kick_cpu(struct hvm_vm *vm, u32 apic_id)
{
	const struct hvm_lapic_irq irq = { .dest = apic_id, .mode = 3, .assert = true,
					   .x2apic_dest = true };

	/* Nobody kicks everybody. */
	if (apic_id <= HVM_MAX_VCPU_ID)
		hvm_lapic_deliver(vm, &irq);
	return 0;
}

static long send_ipi(struct hvm_vm *vm, u64 low, u64 high, u32 min, u32 icr, bool wide)
{
	u32 step = wide ? 64 : 32;

	if (icr & (APIC_DEST_LOGICAL | APIC_DEST_ALLBUT))
		return -EINVAL;
	/* IDs stay far below 2^32: a sum that wraps would start over at 0. */
	if (min > HVM_MAX_VCPU_ID)
		return 0;
	return hvm_lapic_send_mask(vm, min, low, icr) + hvm_lapic_send_mask(vm, min + step, high, icr);
}

static void hypercall(struct hvm_vcpu *vcpu)
{
	/* Outside 64-bit mode registers are 32 bits wide. */
	bool wide = hvm_long_mode(vcpu) && hvm_cpu_mode(vcpu) == HVM_CPU_LONG64;
	u64 *gpr = vcpu->gpr, mask = wide ? U64_MAX : U32_MAX, nr = gpr[HVM_RAX] & mask;
	long ret = -HC_ENOSYS;

	vcpu->stat[HVM_STAT_HYPERCALLS]++;
	if (hvm_vcpu_cpl(vcpu))
		ret = -EPERM;
	else if (nr == HC_VAPIC_POLL_IRQ)
		ret = 0;		/* pending interrupts are looked at before each entry */
	else if (nr == HC_KICK_CPU && vcpu->apic && guest_may(vcpu, KVM_FEATURE_PV_UNHALT))
		ret = kick_cpu(vcpu->vm, gpr[HVM_RCX]);
	else if (nr == HC_SEND_IPI && vcpu->apic && guest_may(vcpu, KVM_FEATURE_PV_SEND_IPI))
		ret = send_ipi(vcpu->vm, gpr[HVM_RBX] & mask, gpr[HVM_RCX] & mask,
			       gpr[HVM_RDX], gpr[HVM_RSI], wide);
	else if (nr == HC_SCHED_YIELD && guest_may(vcpu, KVM_FEATURE_PV_SCHED_YIELD))
		ret = 0;		/* a hint, and to leave the guest is to follow it */
	else if (nr == HC_CLOCK_PAIRING)
		ret = -EOPNOTSUPP;
	gpr[HVM_RAX] = ret & mask;
}

int hvm_handle_hypercall(struct hvm_vcpu *vcpu)
{
	hypercall(vcpu);
	hvm_skip_insn(vcpu);
	cond_resched();
	return 1;
}

/* But for SCHED_YIELD they are done where they are found: none sleeps. RIP is the backend's to advance. */
bool hvm_fast_hypercall(struct hvm_vcpu *vcpu)
{
	if (vcpu->gpr[HVM_RAX] == HC_SCHED_YIELD)
		return false;
	hvm_forget_mode(vcpu);
	hypercall(vcpu);
	return true;
}

/**
 * hvm_fix_hypercall - #UD: a hypercall by the other vendor's instruction?
 * @vcpu: loaded; may sleep
 * @rip: linear address of the instruction
 *
 * Then it is made this vendor's in the guest's memory, and done again: what KVM
 * does for guests that came from another host, unless the quirk is disabled.
 *
 * Return: false: the #UD is the guest's.
 */
bool hvm_fix_hypercall(struct hvm_vcpu *vcpu, gva_t rip)
{
	static const u8 hypercalls[2][3] = { { 0x0f, 0x01, 0xc1 }, { 0x0f, 0x01, 0xd9 } };
	const u8 *native = hvm_backend->hypercall;
	u32 access = HVM_ACCESS_WRITE;
	gpa_t gpa[3];
	u8 buf[3];
	int i, r;

	if (vcpu->vm->disabled_quirks & HVM_X86_QUIRK_FIX_HYPERCALL_INSN || vcpu->inj ||
	    hvm_fetch_insn(vcpu, buf, sizeof(buf)) != sizeof(buf))
		return vcpu->exception.pending;
	if (!memcmp(buf, native, 3) || (memcmp(buf, hypercalls[0], 3) && memcmp(buf, hypercalls[1], 3)))
		return false;
	if (hvm_vcpu_cpl(vcpu) == 3)
		access |= HVM_ACCESS_USER;
	for (i = 0; i < 3; i++) {
		r = hvm_walk(vcpu, rip + i, access, &gpa[i], true);
		if (r)
			return r > 0;
	}
	for (i = 0; i < 3; i++)
		if (hvm_write_gpa(vcpu, gpa[i], &native[i], 1))
			return false;
	return true;
}

/**
 * hvm_pv_enforce - CAP_ENFORCE_PV_FEATURE_CPUID
 * @vcpu: its mutex held
 * @on: the guest has no paravirtual feature that its CPUID does not show
 *
 * Return: 0.
 */
int hvm_pv_enforce(struct hvm_vcpu *vcpu, bool on)
{
	vcpu->pv->enforce = on;
	return 0;
}

/* ---- life ---- */

/* Reset and INIT both: the guest's pages are no longer what it said. */
void hvm_pv_reset(struct hvm_vcpu *vcpu)
{
	struct hvm_pv *pv = vcpu->pv;

	pv->system_time = 0;
	pv->steal_time = 0;
	pv->eoi = 0;
	pv->guest_stopped = false;
	pv->poll_control = 1;
	vcpu->steal_time = false;
}

int hvm_pv_create(struct hvm_vcpu *vcpu)
{
	vcpu->pv = kzalloc(sizeof(*vcpu->pv), GFP_KERNEL_ACCOUNT);
	if (!vcpu->pv)
		return -ENOMEM;
	vcpu->clock_cpu = -1;
	vcpu->pv->poll_control = 1;
	return 0;
}

void hvm_pv_destroy(struct hvm_vcpu *vcpu)
{
	kfree(vcpu->pv);
	vcpu->pv = NULL;
}
