/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pv.h - what pv.c and clock.c keep for a vCPU, and for its clock.
 */
#ifndef HVM_PV_H
#define HVM_PV_H

#include <linux/types.h>

/* All of it belongs to the vCPU's thread. */
struct hvm_pv {
	/* MSRs, as the guest wrote them; bit 0 enables the first three */
	u64 system_time;
	u64 steal_time;
	u64 eoi;
	u64 poll_control;
	u64 tsc_adjust;			/* IA32_TSC_ADJUST */

	/* steal time */
	struct task_struct *task;	/* whose run_delay; only compared */
	u64 run_delay;			/* of that, counted so far */
	bool preempted;			/* the guest was told so */

	/* clock.c */
	u32 tsc_khz;			/* the guest's */
	u32 mul;			/* ns = (ticks << shift) * mul >> 32 */
	s8 shift;
	bool enforce;		/* no feature that CPUID does not show */
	bool guest_stopped;		/* KVMCLOCK_CTRL: tell the guest it was paused */
	u64 caught_up;			/* of vm->tsc_lost */
	u64 left_tsc;			/* unreliable TSC: the guest's when it last left a CPU, */
	u64 left_jiffies;		/* ... and when that was */
	u64 written_jiffies;		/* last write of the clock page */
};

#endif
