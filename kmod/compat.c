// SPDX-License-Identifier: GPL-2.0-only
/*
 * compat.c - what compat.h cannot bridge in a header.
 *
 * It owns one thing. Until 6.18 xfer_to_guest_mode_handle_work() is given a
 * struct kvm_vcpu, in which it counts the signal that ends it and stores the
 * exit reason. The function is what a vCPU loop needs (signals, rescheduling,
 * task work, rseq), the bookkeeping is not: it goes to one sink that nobody
 * reads, so no lock guards it. Including <linux/kvm_host.h> here alone keeps
 * KVM's names out of the rest of hvm.
 */
#if !__has_include(<linux/entry-virt.h>)
#include <linux/entry-kvm.h>
#include <linux/kvm_host.h>

int hvm_guest_work(void);

static struct kvm_run sink_run;
static struct kvm_vcpu sink = { .run = &sink_run };

int hvm_guest_work(void)
{
	return xfer_to_guest_mode_handle_work(&sink);
}
#endif
