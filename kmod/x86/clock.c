// SPDX-License-Identifier: GPL-2.0-only
/*
 * clock.c - the guest's time-stamp counter and KVM's paravirtual clock
 *
 * The clock counts nanoseconds since the VM was created. The module hears
 * nothing of timekeeping changes, so the clock follows what they do not touch:
 *
 * - Stable: the kernel trusts the TSC (one rate, the same on all CPUs), and all
 *   vCPUs share offset and rate. Then the clock is a line through one reference
 *   (host TSC, ns) that stays as it is until somebody sets the clock; every
 *   vCPU's page holds the same line and PVCLOCK_TSC_STABLE, and the host reads
 *   it by the same arithmetic. NTP does not bend it, so it cannot run backwards,
 *   nor apart between vCPUs.
 * - Otherwise: CLOCK_MONOTONIC_RAW plus vm->clock_offset. Each page holds a pair
 *   (guest TSC, ns) taken on the CPU the vCPU is about to run on, renewed when it
 *   moves to another CPU and once a second; without the flag, guests themselves
 *   keep it from running backwards.
 *
 * Changing over keeps the value.
 *
 * Host suspend stops the raw clock and may reset the TSC. main.c reports the
 * resume, each vCPU finds it when it is loaded again, and the first of a VM
 * adds the time slept to the clock and what the TSC lost to all offsets.
 *
 * Locks: vm->clock_lock for the VM's clock fields; struct hvm_pv is the vCPU
 * thread's own. Offsets of other vCPUs are read without a lock: whoever changes
 * one raises HVM_REQ_CLOCK, which looks again.
 */
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/uaccess.h>
#include <asm/pvclock.h>
#include <asm/tsc.h>
#include <uapi/asm/kvm_para.h>
#include "hvm.h"
#include "pv.h"

#define TOLERANCE_PPM	250		/* KVM's: nearer than this to the host's rate is the host's rate */
#define VALID_FLAGS	(HVM_CLOCK_TSC_STABLE | HVM_CLOCK_REALTIME | HVM_CLOCK_HOST_TSC)

struct stamp {
	u64 tsc, raw, real;		/* of one moment */
};

u32 hvm_clock_resumes;
bool hvm_clock_unstable;

static void stamp_now(struct stamp *s)
{
	unsigned long flags;

	local_irq_save(flags);
	s->real = ktime_get_real_ns();
	s->raw = ktime_get_raw_ns();
	s->tsc = rdtsc_ordered();
	local_irq_restore(flags);
}

static u64 ns_to_cycles(u64 ns, u32 khz)
{
	return mul_u64_u32_div(ns, khz, 1000000);
}

/* ns = (ticks << shift) * mul >> 32, with all of mul's 32 bits in use. */
static void rate_to_scale(u64 hz, u32 *mul, s8 *shift)
{
	u64 scaled = max(hz, 1000ULL);

	hz = scaled;
	for (*shift = 0; scaled > 2ULL * NSEC_PER_SEC; scaled >>= 1)
		(*shift)--;
	for (; scaled <= NSEC_PER_SEC; scaled <<= 1)
		(*shift)++;
	if (*shift < 0)
		*mul = mul_u64_u64_div_u64((u64)NSEC_PER_SEC << 32, 1ULL << -*shift, hz);
	else
		*mul = div64_u64((u64)NSEC_PER_SEC << 32, hz << *shift);
}

/* ---- the time-stamp counter ---- */

static u64 scale_tsc(struct hvm_vcpu *vcpu, u64 tsc)
{
	return vcpu->tsc_ratio ?
	       mul_u64_u64_shr(tsc, vcpu->tsc_ratio, hvm_backend->tsc_scaling_bits) : tsc;
}

u64 hvm_tsc_read(struct hvm_vcpu *vcpu)
{
	return scale_tsc(vcpu, rdtsc()) + vcpu->tsc_offset;
}

u32 hvm_tsc_khz(struct hvm_vcpu *vcpu)
{
	return vcpu->pv->tsc_khz;
}

static void set_offset(struct hvm_vcpu *vcpu, u64 offset)
{
	WRITE_ONCE(vcpu->tsc_offset, offset);
	vcpu->tsc_moves++;
	hvm_backend->set_tsc(vcpu);
	hvm_request_only(vcpu, HVM_REQ_CLOCK);
}

/* The offset for a vCPU whose TSC userspace (or creation) sets to @tsc now. */
static u64 synchronised_offset(struct hvm_vcpu *vcpu, u64 tsc)
{
	u32 khz = vcpu->pv->tsc_khz;
	u64 hz = khz * 1000ULL, raw = ktime_get_raw_ns(), elapsed, expected;
	struct hvm_vm *vm = vcpu->vm;
	bool same = false;
	u64 offset;

	elapsed = ns_to_cycles(raw - vm->last_tsc_ns, khz);
	expected = vm->last_tsc_write + elapsed;
	if (khz == vm->last_tsc_khz)
		same = !tsc || (tsc < expected + hz && tsc + hz > expected);
	if (same && check_tsc_unstable())
		tsc += elapsed;
	offset = tsc - scale_tsc(vcpu, rdtsc());
	if (same && !check_tsc_unstable())
		offset = vm->last_tsc_offset;
	if (!same)
		vm->last_tsc_offset = offset;
	vm->last_tsc_write = tsc;
	vm->last_tsc_ns = raw;
	vm->last_tsc_khz = khz;
	return offset;
}

/**
 * hvm_tsc_write - IA32_TSC is written
 * @vcpu: loaded
 * @tsc: value
 * @host: by userspace
 *
 * Userspace writes the vCPUs one after the other, and by the time it comes to
 * the next the value is old. So a write of 0, or of a value within a second of
 * where the last written TSC is by now, means: the same TSC as that one.
 */
void hvm_tsc_write(struct hvm_vcpu *vcpu, u64 tsc, bool host)
{
	struct hvm_vm *vm = vcpu->vm;
	u64 offset;

	if (host) {
		spin_lock(&vm->clock_lock);
		offset = synchronised_offset(vcpu, tsc);
		spin_unlock(&vm->clock_lock);
	} else {
		tsc -= hvm_tsc_read(vcpu);
		vcpu->pv->tsc_adjust += tsc;
		offset = vcpu->tsc_offset + tsc;
	}
	set_offset(vcpu, offset);
}

u64 hvm_tsc_adjust(struct hvm_vcpu *vcpu)
{
	return vcpu->pv->tsc_adjust;
}

/* IA32_TSC_ADJUST: the guest moves its TSC with it, userspace only restores the register. */
void hvm_tsc_set_adjust(struct hvm_vcpu *vcpu, u64 val, bool host)
{
	if (!host)
		set_offset(vcpu, vcpu->tsc_offset + val - vcpu->pv->tsc_adjust);
	vcpu->pv->tsc_adjust = val;
}

/**
 * hvm_vcpu_attr - HVM_HAS_, GET_ and SET_DEVICE_ATTR on a vCPU: its TSC's offset
 * @vcpu: loaded
 * @a: which attribute, and where the value is or goes
 * @cmd: which of the three
 *
 * Return: 0, -ENXIO (there is no such attribute), -EFAULT.
 */
int hvm_vcpu_attr(struct hvm_vcpu *vcpu, const struct hvm_device_attr *a, unsigned int cmd)
{
	u64 __user *p = (void __user *)(unsigned long)a->addr;
	struct hvm_vm *vm = vcpu->vm;
	u64 offset;

	if (a->group != HVM_VCPU_TSC_CTRL || a->attr != HVM_VCPU_TSC_OFFSET)
		return -ENXIO;
	if (cmd == HVM_HAS_DEVICE_ATTR)
		return 0;
	if (cmd == HVM_GET_DEVICE_ATTR)
		return put_user(vcpu->tsc_offset, p);
	if (get_user(offset, p))
		return -EFAULT;
	/* Others may be set to the same TSC by writing it. */
	spin_lock(&vm->clock_lock);
	vm->last_tsc_offset = offset;
	vm->last_tsc_write = scale_tsc(vcpu, rdtsc()) + offset;
	vm->last_tsc_ns = ktime_get_raw_ns();
	vm->last_tsc_khz = vcpu->pv->tsc_khz;
	spin_unlock(&vm->clock_lock);
	set_offset(vcpu, offset);
	return 0;
}

/* Ratio for @khz, or 0 when hardware cannot. */
static u64 ratio_for(u32 khz)
{
	u8 bits = hvm_backend->tsc_scaling_bits;

	/* Eight integer bits on either vendor's hardware are enough, and all AMD has. */
	if (!hvm_backend->has_tsc_scaling || khz / 255 >= tsc_khz)
		return 0;
	return mul_u64_u32_div(1ULL << bits, khz, tsc_khz);
}

/* The ratio that gives @khz, 0 for the host's own rate; false: hardware cannot. */
static bool find_ratio(u32 khz, u64 *ratio)
{
	u64 host = max(tsc_khz, 1U), slack = host * TOLERANCE_PPM / 1000000;

	*ratio = 0;
	if (khz >= host - slack && khz <= host + slack)
		return true;
	*ratio = ratio_for(khz);
	return *ratio;
}

/**
 * hvm_set_vm_tsc_khz - HVM_SET_TSC_KHZ on a VM
 * @vm: vm->lock held
 * @khz: rate of vCPUs created from now on, 0 for the host's
 *
 * Return: 0, or -EINVAL when the hardware cannot run the TSC at that rate.
 */
int hvm_set_vm_tsc_khz(struct hvm_vm *vm, u32 khz)
{
	u64 ratio;

	if (khz && !find_ratio(khz, &ratio))
		return -EINVAL;
	vm->default_tsc_khz = khz;
	return 0;
}

/**
 * hvm_set_tsc_khz - HVM_SET_TSC_KHZ on a vCPU
 * @vcpu: loaded
 * @khz: rate, 0 for the host's
 *
 * Return: 0, or -EINVAL when the hardware cannot run the TSC at that rate.
 */
int hvm_set_tsc_khz(struct hvm_vcpu *vcpu, u32 khz)
{
	struct hvm_pv *pv = vcpu->pv;
	u64 host = max(tsc_khz, 1U), ratio;

	khz = khz ?: host;
	if (!find_ratio(khz, &ratio))
		return -EINVAL;
	pv->tsc_khz = khz;
	WRITE_ONCE(vcpu->tsc_ratio, ratio);
	vcpu->tsc_moves++;
	rate_to_scale((ratio ? khz : host) * 1000, &pv->mul, &pv->shift);
	hvm_backend->set_tsc(vcpu);
	hvm_request_only(vcpu, HVM_REQ_CLOCK);
	return 0;
}

/* A vCPU is born, loaded: its TSC joins the others'. */
void hvm_tsc_init_vcpu(struct hvm_vcpu *vcpu)
{
	spin_lock(&vcpu->vm->clock_lock);
	vcpu->pv->caught_up = vcpu->vm->tsc_lost;
	vcpu->clock_epoch = vcpu->vm->clock_epoch;
	spin_unlock(&vcpu->vm->clock_lock);
	if (hvm_set_tsc_khz(vcpu, vcpu->vm->default_tsc_khz))
		hvm_set_tsc_khz(vcpu, 0);
	hvm_tsc_write(vcpu, 0, true);
}

/* ---- from CPU to CPU, where the TSC is not trusted ---- */

/**
 * hvm_clock_loaded - the vCPU was loaded, after backend->vcpu_load()
 * @vcpu: the vCPU; preemption off, the run queue's lock may be held
 * @cpu: this CPU
 */
void hvm_clock_loaded(struct hvm_vcpu *vcpu, int cpu)
{
	struct hvm_pv *pv = vcpu->pv;
	u64 now, want, then = pv->left_jiffies;
	bool moved = cpu != vcpu->clock_cpu;

	if (unlikely(vcpu->clock_epoch != READ_ONCE(hvm_clock_resumes)))
		hvm_request_only(vcpu, HVM_REQ_CLOCK);
	vcpu->clock_cpu = cpu;
	WRITE_ONCE(hvm_clock_unstable, check_tsc_unstable());
	if (likely(!hvm_clock_unstable))
		return;
	if (moved && then) {
		/* Neither backwards nor, by more than ticks explain, ahead. */
		now = hvm_tsc_read(vcpu);
		want = ns_to_cycles(jiffies64_to_nsecs(get_jiffies_64() - then + 2), pv->tsc_khz);
		if (now - pv->left_tsc > want)
			set_offset(vcpu, vcpu->tsc_offset + pv->left_tsc + want - now);
	}
	if (moved || get_jiffies_64() - pv->written_jiffies > HZ)
		hvm_request_only(vcpu, HVM_REQ_CLOCK);
}

/* The vCPU leaves its CPU; preemption off, the run queue's lock may be held. */
void hvm_clock_left(struct hvm_vcpu *vcpu)
{
	if (likely(!check_tsc_unstable()))
		return;
	vcpu->pv->left_tsc = hvm_tsc_read(vcpu);
	vcpu->pv->left_jiffies = get_jiffies_64();
}

/* ---- the clock ---- */

/* Under vm->clock_lock. */
static u64 clock_at(struct hvm_vm *vm, const struct stamp *s)
{
	s64 delta = s->tsc - vm->clock_ref_tsc;

	if (!vm->clock_stable)
		return s->raw + vm->clock_offset;
	return vm->clock_ref_ns +
	       (delta > 0 ? pvclock_scale_delta(delta, vm->clock_mul, vm->clock_shift) : 0);
}

/* Under vm->clock_lock: the clock shows @ns at @s. */
static void clock_put(struct hvm_vm *vm, const struct stamp *s, u64 ns)
{
	vm->clock_offset = ns - s->raw;
	vm->clock_ref_tsc = s->tsc;
	vm->clock_ref_raw = s->raw;
	vm->clock_ref_ns = ns;
}

static bool same_tsc(struct hvm_vm *vm, struct hvm_vcpu *vcpu)
{
	struct hvm_vcpu *v;
	int i;

	hvm_for_each_vcpu(i, v, vm)
		if (READ_ONCE(v->tsc_offset) != vcpu->tsc_offset ||
		    READ_ONCE(v->tsc_ratio) != vcpu->tsc_ratio)
			return false;
	return true;
}

/* Under vm->clock_lock. Return: the other vCPUs' pages have to change too. */
static bool reconsider_stable(struct hvm_vm *vm, struct hvm_vcpu *vcpu, const struct stamp *s)
{
	bool stable = !check_tsc_unstable() && same_tsc(vm, vcpu);

	if (stable == vm->clock_stable)
		return false;
	clock_put(vm, s, clock_at(vm, s));
	vm->clock_stable = stable;
	return true;
}

static u64 time_slept(void)
{
	return ktime_get_boottime_ns() - ktime_get_ns();
}

/* Under vm->clock_lock, the first time after the host resumed. */
static void vm_resumed(struct hvm_vm *vm, const struct stamp *s)
{
	u64 slept = time_slept(), passed = s->raw - vm->clock_ref_raw;
	u64 tsc = vm->clock_ref_tsc + ns_to_cycles(passed, tsc_khz);
	s64 more = slept - vm->clock_slept;

	/* The reference's line came to no good if the TSC stopped; the raw clock's did not. */
	clock_put(vm, s, vm->clock_ref_ns + passed + max(more, 0LL));
	vm->clock_slept = slept;
	WRITE_ONCE(hvm_clock_unstable, check_tsc_unstable());
	vm->clock_epoch = READ_ONCE(hvm_clock_resumes);
	/* More than a second behind: it was reset. */
	if ((s64)(tsc - s->tsc) > tsc_khz * 1000LL) {
		vm->tsc_lost += tsc - s->tsc;
		vm->last_tsc_offset += tsc - s->tsc;
		if (vm->last_tsc_khz != tsc_khz)
			vm->last_tsc_khz = 0;
	}
}

static void catch_up(struct hvm_vcpu *vcpu, const struct stamp *s)
{
	struct hvm_pv *pv = vcpu->pv;
	struct hvm_vm *vm = vcpu->vm;
	u64 lost;

	spin_lock(&vm->clock_lock);
	vcpu->clock_epoch = READ_ONCE(hvm_clock_resumes);
	if (vm->clock_epoch != vcpu->clock_epoch)
		vm_resumed(vm, s);
	lost = vm->tsc_lost - pv->caught_up;
	pv->caught_up = vm->tsc_lost;
	spin_unlock(&vm->clock_lock);
	if (lost)
		set_offset(vcpu, vcpu->tsc_offset + scale_tsc(vcpu, lost));
}

static void update_others(struct hvm_vm *vm, struct hvm_vcpu *but)
{
	struct hvm_vcpu *vcpu;
	int i;

	hvm_for_each_vcpu(i, vcpu, vm)
		if (vcpu != but)
			hvm_request(vcpu, HVM_REQ_CLOCK);
}

/* The protocol of struct pvclock_vcpu_time_info: an odd version while it is being written. */
static void write_page(struct hvm_vcpu *vcpu, gpa_t gpa, struct pvclock_vcpu_time_info *t)
{
	const u32 first = sizeof(t->version);
	struct pvclock_vcpu_time_info old;
	struct hvm_vm *vm = vcpu->vm;

	if (hvm_read_gpa(vm, gpa, &old, sizeof(old)))
		return;
	/* The guest takes the stopped flag away when it has seen it. */
	t->flags |= old.flags & PVCLOCK_GUEST_STOPPED;
	if (vcpu->pv->guest_stopped)
		t->flags |= PVCLOCK_GUEST_STOPPED;
	t->version = (old.version + 1) | 1;
	if (hvm_write_gpa(vcpu, gpa, &t->version, first))
		return;
	smp_wmb();	/* pairs with the guest's reads, here and below */
	if (hvm_write_gpa(vcpu, gpa + first, (u8 *)t + first, sizeof(*t) - first))
		return;
	smp_wmb();	/* likewise */
	t->version++;
	if (!hvm_write_gpa(vcpu, gpa, &t->version, first))
		vcpu->pv->guest_stopped = false;
}

/**
 * hvm_clock_update - HVM_REQ_CLOCK: write the vCPU's clock page again
 * @vcpu: loaded; may sleep
 */
void hvm_clock_update(struct hvm_vcpu *vcpu)
{
	struct pvclock_vcpu_time_info t = { 0 };
	struct hvm_pv *pv = vcpu->pv;
	struct hvm_vm *vm = vcpu->vm;
	struct stamp s;
	bool others;
	u64 tsc;

	stamp_now(&s);
	if (unlikely(vcpu->clock_epoch != READ_ONCE(hvm_clock_resumes)))
		catch_up(vcpu, &s);
	if (!(pv->system_time & KVM_MSR_ENABLED))
		return;
	spin_lock(&vm->clock_lock);
	others = reconsider_stable(vm, vcpu, &s);
	tsc = vm->clock_stable ? vm->clock_ref_tsc : s.tsc;
	t.system_time = vm->clock_stable ? vm->clock_ref_ns : clock_at(vm, &s);
	t.flags = vm->clock_stable ? PVCLOCK_TSC_STABLE_BIT : 0;
	spin_unlock(&vm->clock_lock);
	if (others)
		update_others(vm, vcpu);
	t.tsc_timestamp = scale_tsc(vcpu, tsc) + vcpu->tsc_offset;
	t.tsc_to_system_mul = pv->mul;
	t.tsc_shift = pv->shift;
	pv->written_jiffies = get_jiffies_64();
	write_page(vcpu, pv->system_time & ~1ULL, &t);
}

/**
 * hvm_clock_write_wall - the guest asks what time it was when the clock was 0
 * @vcpu: which; may sleep
 * @gpa: of a struct pvclock_wall_clock; nothing is written where no memory is
 */
void hvm_clock_write_wall(struct hvm_vcpu *vcpu, gpa_t gpa)
{
	struct hvm_vm *vm = vcpu->vm;
	struct pvclock_wall_clock wc;
	struct stamp s;
	u32 version, rest;
	u64 wall;

	if (!gpa || hvm_read_gpa(vm, gpa, &version, sizeof(version)))
		return;
	version = (version + 1) | 1;
	if (hvm_write_gpa(vcpu, gpa, &version, sizeof(version)))
		return;
	stamp_now(&s);
	spin_lock(&vm->clock_lock);
	wall = s.real - clock_at(vm, &s);
	spin_unlock(&vm->clock_lock);
	wc.sec = div_u64_rem(wall, NSEC_PER_SEC, &rest);
	wc.nsec = rest;
	smp_wmb();	/* as in write_page() */
	if (hvm_write_gpa(vcpu, gpa + sizeof(version), &wc.sec, sizeof(wc) - sizeof(version)))
		return;
	smp_wmb();	/* likewise */
	version++;
	hvm_write_gpa(vcpu, gpa, &version, sizeof(version));
}

int hvm_clock_get(struct hvm_vm *vm, struct hvm_clock_data *d)
{
	struct stamp s;

	memset(d, 0, sizeof(*d));
	stamp_now(&s);
	spin_lock(&vm->clock_lock);
	d->clock = clock_at(vm, &s);
	if (vm->clock_stable) {
		d->flags = VALID_FLAGS;
		d->realtime = s.real;
		d->host_tsc = s.tsc;
	}
	spin_unlock(&vm->clock_lock);
	return 0;
}

/**
 * hvm_clock_set - HVM_SET_CLOCK
 * @vm: the VM
 * @d: new value; with HVM_CLOCK_REALTIME as of that time. The other flags that
 *	GET_CLOCK gives are taken and mean nothing.
 *
 * Return: 0, or -EINVAL for unknown flags.
 */
int hvm_clock_set(struct hvm_vm *vm, const struct hvm_clock_data *d)
{
	u64 clock = d->clock;
	struct stamp s;

	if (d->flags & ~(u32)VALID_FLAGS)
		return -EINVAL;
	stamp_now(&s);
	/* Never back: a host whose time was set back since counts as no time. */
	if (d->flags & HVM_CLOCK_REALTIME && s.real > d->realtime)
		clock += s.real - d->realtime;
	spin_lock(&vm->clock_lock);
	if (hvm_nr_vcpus(vm))
		reconsider_stable(vm, vm->vcpus[0], &s);
	clock_put(vm, &s, clock);
	spin_unlock(&vm->clock_lock);
	update_others(vm, NULL);
	return 0;
}

/* HVM_KVMCLOCK_CTRL: the guest was paused, so that its watchdogs forgive it. */
int hvm_kvmclock_ctrl(struct hvm_vcpu *vcpu)
{
	if (!(vcpu->pv->system_time & KVM_MSR_ENABLED))
		return -EINVAL;
	vcpu->pv->guest_stopped = true;
	hvm_request_only(vcpu, HVM_REQ_CLOCK);
	return 0;
}

/* The host resumed from suspend; interrupts off, one CPU running. */
void hvm_clock_resumed(void)
{
	WRITE_ONCE(hvm_clock_resumes, hvm_clock_resumes + 1);
}

void hvm_clock_init_vm(struct hvm_vm *vm)
{
	struct stamp s;

	stamp_now(&s);
	rate_to_scale(max(tsc_khz, 1U) * 1000ULL, &vm->clock_mul, &vm->clock_shift);
	vm->clock_slept = time_slept();
	vm->clock_epoch = READ_ONCE(hvm_clock_resumes);
	clock_put(vm, &s, 0);
}
