/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * trace.h - the tracepoints hvm:*. They cost one patched-out branch when off.
 * docs/architecture.md shows how to watch one guest with them.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM hvm

#if !defined(HVM_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define HVM_TRACE_H

#include <linux/tracepoint.h>
#include "hvm.h"

/* The exits' names; tools that read raw records learn the numbers from the definitions. */
#define HVM_EXIT_CODES \
	E(HVM_X_NONE, "none") E(HVM_X_FAIL_ENTRY, "fail_entry") E(HVM_X_UNKNOWN, "unknown") \
	E(HVM_X_EXCEPTION, "exception") E(HVM_X_NMI_WINDOW, "nmi_window") \
	E(HVM_X_IRQ_WINDOW, "irq_window") E(HVM_X_CPUID, "cpuid") E(HVM_X_HLT, "hlt") \
	E(HVM_X_PAUSE, "pause") E(HVM_X_INVD, "invd") E(HVM_X_RDPMC, "rdpmc") \
	E(HVM_X_RDTSCP, "rdtscp") E(HVM_X_HYPERCALL, "hypercall") E(HVM_X_UD, "ud") \
	E(HVM_X_CR, "cr") E(HVM_X_DR, "dr") E(HVM_X_XSETBV, "xsetbv") E(HVM_X_PIO, "pio") \
	E(HVM_X_RDMSR, "rdmsr") E(HVM_X_WRMSR, "wrmsr") E(HVM_X_SHUTDOWN, "shutdown") \
	E(HVM_X_STAGE2, "stage2") E(HVM_X_USER, "user") E(HVM_X_CR8_BELOW, "cr8_below") \
	E(HVM_X_TASK_SWITCH, "task_switch") LAST(HVM_X_BUS_LOCK, "bus_lock")

#undef E
#undef LAST
#define E(code, name)		TRACE_DEFINE_ENUM(code);
#define LAST(code, name)	TRACE_DEFINE_ENUM(code);
HVM_EXIT_CODES
#undef E
#undef LAST
#define E(code, name)		{ code, name },
#define LAST(code, name)	{ code, name }

TRACE_EVENT(hvm_entry,
	TP_PROTO(struct hvm_vcpu *vcpu),
	TP_ARGS(vcpu),
	TP_STRUCT__entry(
		__field(u32, vcpu)
		__field(u64, rip)
		__field(u64, inj)
	),
	TP_fast_assign(
		__entry->vcpu = vcpu->id;
		__entry->rip = vcpu->rip;
		__entry->inj = vcpu->inj;
	),
	TP_printk("vcpu %u rip 0x%llx inject 0x%llx", __entry->vcpu, __entry->rip, __entry->inj)
);

TRACE_EVENT(hvm_exit,
	TP_PROTO(struct hvm_vcpu *vcpu),
	TP_ARGS(vcpu),
	TP_STRUCT__entry(
		__field(u32, vcpu)
		__field(u32, code)
		__field(u64, rip)
	),
	TP_fast_assign(
		__entry->vcpu = vcpu->id;
		__entry->code = vcpu->exit.code;
		__entry->rip = vcpu->rip;
	),
	TP_printk("vcpu %u reason %s rip 0x%llx", __entry->vcpu,
		  __print_symbolic(__entry->code, HVM_EXIT_CODES), __entry->rip)
);

TRACE_EVENT(hvm_pio,
	TP_PROTO(bool in, u16 port, u8 size, u32 count),
	TP_ARGS(in, port, size, count),
	TP_STRUCT__entry(
		__field(bool, in)
		__field(u16, port)
		__field(u8, size)
		__field(u32, count)
	),
	TP_fast_assign(
		__entry->in = in;
		__entry->port = port;
		__entry->size = size;
		__entry->count = count;
	),
	TP_printk("%s port 0x%x size %u count %u", __entry->in ? "in" : "out",
		  __entry->port, __entry->size, __entry->count)
);

TRACE_EVENT(hvm_mmio,
	TP_PROTO(bool write, u64 gpa, u32 len, u64 val),
	TP_ARGS(write, gpa, len, val),
	TP_STRUCT__entry(
		__field(bool, write)
		__field(u32, len)
		__field(u64, gpa)
		__field(u64, val)
	),
	TP_fast_assign(
		__entry->write = write;
		__entry->gpa = gpa;
		__entry->len = len;
		__entry->val = val;
	),
	TP_printk("%s gpa 0x%llx len %u val 0x%llx", __entry->write ? "write" : "read",
		  __entry->gpa, __entry->len, __entry->val)
);

TRACE_EVENT(hvm_page_fault,
	TP_PROTO(struct hvm_vcpu *vcpu, u64 gpa, u32 access),
	TP_ARGS(vcpu, gpa, access),
	TP_STRUCT__entry(
		__field(u32, vcpu)
		__field(u32, access)
		__field(u64, gpa)
		__field(u64, rip)
	),
	TP_fast_assign(
		__entry->vcpu = vcpu->id;
		__entry->access = access;
		__entry->gpa = gpa;
		__entry->rip = vcpu->rip;
	),
	TP_printk("vcpu %u gpa 0x%llx access %s%s%s rip 0x%llx", __entry->vcpu, __entry->gpa,
		  __entry->access & HVM_ACCESS_READ ? "r" : "",
		  __entry->access & HVM_ACCESS_WRITE ? "w" : "",
		  __entry->access & HVM_ACCESS_EXEC ? "x" : "", __entry->rip)
);

TRACE_EVENT(hvm_inj_virq,
	TP_PROTO(struct hvm_vcpu *vcpu, u8 vector),
	TP_ARGS(vcpu, vector),
	TP_STRUCT__entry(
		__field(u32, vcpu)
		__field(u8, vector)
	),
	TP_fast_assign(
		__entry->vcpu = vcpu->id;
		__entry->vector = vector;
	),
	TP_printk("vcpu %u vector 0x%x", __entry->vcpu, __entry->vector)
);

TRACE_EVENT(hvm_msr,
	TP_PROTO(struct hvm_vcpu *vcpu, bool write, u32 msr, u64 val, bool fault),
	TP_ARGS(vcpu, write, msr, val, fault),
	TP_STRUCT__entry(
		__field(u32, vcpu)
		__field(u32, msr)
		__field(u64, val)
		__field(bool, write)
		__field(bool, fault)
	),
	TP_fast_assign(
		__entry->vcpu = vcpu->id;
		__entry->msr = msr;
		__entry->val = val;
		__entry->write = write;
		__entry->fault = fault;
	),
	TP_printk("vcpu %u %s 0x%x = 0x%llx%s", __entry->vcpu,
		  __entry->write ? "wrmsr" : "rdmsr", __entry->msr, __entry->val,
		  __entry->fault ? " (#GP)" : "")
);

TRACE_EVENT(hvm_cpuid,
	TP_PROTO(struct hvm_vcpu *vcpu, u32 leaf, u32 index),
	TP_ARGS(vcpu, leaf, index),
	TP_STRUCT__entry(
		__field(u32, leaf)
		__field(u32, index)
		__field(u32, eax)
		__field(u32, ebx)
		__field(u32, ecx)
		__field(u32, edx)
	),
	TP_fast_assign(
		__entry->leaf = leaf;
		__entry->index = index;
		__entry->eax = vcpu->gpr[HVM_RAX];
		__entry->ebx = vcpu->gpr[HVM_RBX];
		__entry->ecx = vcpu->gpr[HVM_RCX];
		__entry->edx = vcpu->gpr[HVM_RDX];
	),
	TP_printk("leaf 0x%x index 0x%x: eax %x ebx %x ecx %x edx %x", __entry->leaf,
		  __entry->index, __entry->eax, __entry->ebx, __entry->ecx, __entry->edx)
);

#endif /* HVM_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
