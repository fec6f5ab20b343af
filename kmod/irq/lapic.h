/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lapic.h - what lapic.c and the local APIC's timer share
 *
 * lapic.c tells who may touch what; the timer's rules are in lapic_timer.c.
 */
#ifndef HVM_LAPIC_H
#define HVM_LAPIC_H

#include <linux/hrtimer.h>
#include <asm/apicdef.h>
#include "legacy.h"

#define LVTT_MODE		(3 << 17)	/* the timer's mode, in its LVT entry */

struct hvm_lapic {
	u8 *regs;			/* [C] the page */
	struct hvm_vcpu *vcpu;		/* [C] */
	int isr_top;			/* [T] highest vector in service, -1 = none */
	bool pv_eoi;			/* [T] the guest may end isr_top by clearing a bit in its memory */
	u8 timer_shift;			/* [T] log2 of the divisor */
	int phys_id;			/* [*] key in map->phys, -1 = none; read by others when an ID is given up */
	unsigned long events;		/* [A] EV_* */
	u64 eoi_exits[4];		/* [T] vectors whose EOI userspace's IOAPIC wants to hear of */
	unsigned long posted[4];	/* [A] on their way to the IRR, where that is the processor's */
	unsigned long irr_words;	/* [A] words of the IRR that may have a bit set; not kept while virtual_irq */
	struct hrtimer timer;		/* this and the next six: irq/lapic_timer.c */
	u32 timer_mode;			/* [*] see lapic_timer.c, as the next two */
	u64 period;			/* ns */
	u64 deadline;			/* IA32_TSC_DEADLINE; the callback clears it */
	u64 armed;			/* the deadline that the timer runs to, at most ->deadline; 0: it does not */
	u32 tsc_moves;			/* [T] of the vCPU, when the timer was started */
	u32 advance;			/* [T] TSC ticks that deadlines are met early */
	struct rcu_head rcu;
};

static inline u32 reg_get(const struct hvm_lapic *apic, u32 off)
{
	return READ_ONCE(*(u32 *)(apic->regs + off));
}

static inline void reg_set(struct hvm_lapic *apic, u32 off, u32 val)
{
	WRITE_ONCE(*(u32 *)(apic->regs + off), val);
}

void hvm_lapic_local_deliver(struct hvm_lapic *apic, u32 lvt);	/* any context */

/* ---- irq/lapic_timer.c; own thread, or who makes or frees the vCPU ---- */
void hvm_lapic_timer_setup(struct hvm_lapic *apic);
void hvm_lapic_timer_cancel(struct hvm_lapic *apic);	/* it does not run after this */
void hvm_lapic_timer_reset(struct hvm_lapic *apic);	/* as after RESET or INIT */
void hvm_lapic_timer_resume(struct hvm_lapic *apic, u32 count);	/* go on as the registers say, from this count */
void hvm_lapic_timer_start(struct hvm_lapic *apic);	/* TMICT was written */
u32 hvm_lapic_timer_count(struct hvm_lapic *apic);	/* TMCCT */
void hvm_lapic_set_divide(struct hvm_lapic *apic, u32 val);	/* TDCR */
void hvm_lapic_set_lvtt(struct hvm_lapic *apic, u32 val);
u64 hvm_lapic_get_deadline(struct hvm_lapic *apic);	/* IA32_TSC_DEADLINE */
void hvm_lapic_set_deadline(struct hvm_lapic *apic, u64 deadline);

#endif
