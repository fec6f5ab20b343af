/* SPDX-License-Identifier: GPL-2.0-only */
/* enter.h - what svm.c and enter.S agree on */
#ifndef HVM_SVM_ENTER_H
#define HVM_SVM_ENTER_H

#define ENTER_VMCB_PA		0
#define ENTER_HOST_PA		8
#define ENTER_GUEST_SPEC	16
#define ENTER_HOST_SPEC		24
#define ENTER_FLAGS		32

#define ENTER_SPEC_CTRL		1	/* SPEC_CTRL differs: write it both ways */
#define ENTER_IBPB		2	/* barrier right after the exit */
#define ENTER_VERW		4	/* clear buffers right before the entry */

#ifndef __ASSEMBLY__
#include <linux/stddef.h>
#include <linux/types.h>

struct hvm_vcpu;

struct svm_enter_args {
	u64 vmcb_pa, host_pa;
	u64 guest_spec, host_spec;
	u32 flags;			/* ENTER_* */
};
static_assert(offsetof(struct svm_enter_args, host_pa) == ENTER_HOST_PA);
static_assert(offsetof(struct svm_enter_args, guest_spec) == ENTER_GUEST_SPEC);
static_assert(offsetof(struct svm_enter_args, host_spec) == ENTER_HOST_SPEC);
static_assert(offsetof(struct svm_enter_args, flags) == ENTER_FLAGS);

/* Returns 0, or 1 when an SVM instruction faulted (SVM was turned off: reboot, kexec). */
int svm_enter(struct hvm_vcpu *vcpu, const struct svm_enter_args *args);
#endif
#endif
