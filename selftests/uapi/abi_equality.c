// SPDX-License-Identifier: GPL-2.0-only
/*
 * hvm's interface is KVM's, number by number and byte by byte.
 *
 * The first part is done by the compiler: every number, structure size, member
 * offset and member size of <linux/hvm.h> is asserted to be that of
 * <linux/kvm.h>. If this file compiles, they are equal.
 *
 * The second part needs the sources: docs/abi.md has a row for every ioctl and
 * capability of <linux/kvm.h>, with the right number, and agrees with
 * abi_rows.h about what hvm makes of it. HVM_SRC names the source tree if the
 * test does not run inside it, HVM_KVM_H another copy of the header.
 *
 * The third part needs the device: what the rows call supported is there, and
 * what they call planned or never gets KVM's errno for "no such call", or 0
 * for a capability. On KVM itself, supported and planned must both be there.
 */
#include <fcntl.h>
#include <linux/kvm.h>

#include "guest.h"
#include "kselftest_harness.h"

#define NUMBER(n)	_Static_assert(HVM_##n == KVM_##n, #n)
#define ROOM(s, m)	sizeof(((struct s *)0)->m)
#define SIZE(s)		_Static_assert(sizeof(struct hvm_##s) == sizeof(struct kvm_##s), #s)
#define OFFSET(s, m)	(offsetof(struct hvm_##s, m) == offsetof(struct kvm_##s, m))
#define MEMBER(s, m)	_Static_assert(OFFSET(s, m) && \
				       ROOM(hvm_##s, m) == ROOM(kvm_##s, m), #s "." #m)
/* The array at a structure's end has an offset, and elements, but no size. */
#define TAIL(s, m)	_Static_assert(OFFSET(s, m) && \
				       ROOM(hvm_##s, m[0]) == ROOM(kvm_##s, m[0]), #s "." #m)

_Static_assert(HVMIO == KVMIO, "type byte");
_Static_assert(HVM_CLOCK_REALTIME == KVM_CLOCK_REALTIME, "libc has a macro of that name");
_Static_assert(HVM_SYNC_REGS_SIZE_BYTES == SYNC_REGS_SIZE_BYTES, "room for struct sync_regs");
_Static_assert(HVM_COALESCED_MMIO_MAX == KVM_COALESCED_MMIO_MAX, "entries of the ring");
_Static_assert(offsetof(struct hvm_run, valid_regs) == offsetof(struct kvm_run, kvm_valid_regs), "");
_Static_assert(offsetof(struct hvm_run, dirty_regs) == offsetof(struct kvm_run, kvm_dirty_regs), "");

NUMBER(API_VERSION);
NUMBER(PIO_PAGE_OFFSET);
NUMBER(COALESCED_MMIO_PAGE_OFFSET);
NUMBER(DIRTY_LOG_PAGE_OFFSET);
NUMBER(NR_INTERRUPTS);
NUMBER(MEM_LOG_DIRTY_PAGES);
NUMBER(MEM_READONLY);
NUMBER(DIRTY_LOG_MANUAL_PROTECT_ENABLE);
NUMBER(DIRTY_LOG_INITIALLY_SET);
NUMBER(DIRTY_GFN_F_DIRTY);
NUMBER(DIRTY_GFN_F_RESET);
NUMBER(DIRTY_GFN_F_MASK);
NUMBER(IOAPIC_NUM_PINS);
NUMBER(IRQCHIP_PIC_MASTER);
NUMBER(IRQCHIP_PIC_SLAVE);
NUMBER(IRQCHIP_IOAPIC);
NUMBER(NR_IRQCHIPS);
NUMBER(PIT_SPEAKER_DUMMY);
NUMBER(PIT_FLAGS_HPET_LEGACY);
NUMBER(PIT_FLAGS_SPEAKER_DATA_ON);
NUMBER(IRQ_ROUTING_IRQCHIP);
NUMBER(IRQ_ROUTING_MSI);
NUMBER(IRQFD_FLAG_DEASSIGN);
NUMBER(IRQFD_FLAG_RESAMPLE);
NUMBER(IOEVENTFD_FLAG_DATAMATCH);
NUMBER(IOEVENTFD_FLAG_PIO);
NUMBER(IOEVENTFD_FLAG_DEASSIGN);
NUMBER(IOEVENTFD_VALID_FLAG_MASK);
NUMBER(APIC_REG_SIZE);
NUMBER(X2APIC_API_USE_32BIT_IDS);
NUMBER(X2APIC_API_DISABLE_BROADCAST_QUIRK);
NUMBER(SREGS2_FLAGS_PDPTRS_VALID);
NUMBER(MAX_XCRS);
NUMBER(CPUID_FLAG_SIGNIFCANT_INDEX);
NUMBER(CPUID_FLAG_STATEFUL_FUNC);
NUMBER(CPUID_FLAG_STATE_READ_NEXT);
NUMBER(MP_STATE_RUNNABLE);
NUMBER(MP_STATE_UNINITIALIZED);
NUMBER(MP_STATE_INIT_RECEIVED);
NUMBER(MP_STATE_HALTED);
NUMBER(MP_STATE_SIPI_RECEIVED);
NUMBER(VCPUEVENT_VALID_NMI_PENDING);
NUMBER(VCPUEVENT_VALID_SIPI_VECTOR);
NUMBER(VCPUEVENT_VALID_SHADOW);
NUMBER(VCPUEVENT_VALID_SMM);
NUMBER(VCPUEVENT_VALID_PAYLOAD);
NUMBER(VCPUEVENT_VALID_TRIPLE_FAULT);
NUMBER(X86_SHADOW_INT_MOV_SS);
NUMBER(X86_SHADOW_INT_STI);
NUMBER(GUESTDBG_ENABLE);
NUMBER(GUESTDBG_SINGLESTEP);
NUMBER(GUESTDBG_USE_SW_BP);
NUMBER(GUESTDBG_USE_HW_BP);
NUMBER(GUESTDBG_INJECT_DB);
NUMBER(GUESTDBG_INJECT_BP);
NUMBER(GUESTDBG_BLOCKIRQ);
NUMBER(CLOCK_TSC_STABLE);
NUMBER(CLOCK_HOST_TSC);
NUMBER(X86_DISABLE_EXITS_MWAIT);
NUMBER(X86_DISABLE_EXITS_HLT);
NUMBER(X86_DISABLE_EXITS_PAUSE);
NUMBER(X86_DISABLE_EXITS_CSTATE);
NUMBER(X86_DISABLE_VALID_EXITS);
NUMBER(X86_QUIRK_LINT0_REENABLED);
NUMBER(X86_QUIRK_CD_NW_CLEARED);
NUMBER(X86_QUIRK_LAPIC_MMIO_HOLE);
NUMBER(X86_QUIRK_OUT_7E_INC_RIP);
NUMBER(X86_QUIRK_MISC_ENABLE_NO_MWAIT);
NUMBER(X86_QUIRK_FIX_HYPERCALL_INSN);
NUMBER(X86_QUIRK_MWAIT_NEVER_UD_FAULTS);
NUMBER(MSR_EXIT_REASON_INVAL);
NUMBER(MSR_EXIT_REASON_UNKNOWN);
NUMBER(MSR_EXIT_REASON_FILTER);
NUMBER(MSR_FILTER_MAX_BITMAP_SIZE);
NUMBER(MSR_FILTER_MAX_RANGES);
NUMBER(MSR_FILTER_READ);
NUMBER(MSR_FILTER_WRITE);
NUMBER(MSR_FILTER_DEFAULT_ALLOW);
NUMBER(MSR_FILTER_DEFAULT_DENY);
NUMBER(X86_XCOMP_GUEST_SUPP);
NUMBER(VCPU_TSC_CTRL);
NUMBER(VCPU_TSC_OFFSET);
NUMBER(STATS_TYPE_SHIFT);
NUMBER(STATS_TYPE_MASK);
NUMBER(STATS_TYPE_CUMULATIVE);
NUMBER(STATS_TYPE_INSTANT);
NUMBER(STATS_TYPE_PEAK);
NUMBER(STATS_TYPE_LINEAR_HIST);
NUMBER(STATS_TYPE_LOG_HIST);
NUMBER(STATS_TYPE_MAX);
NUMBER(STATS_UNIT_SHIFT);
NUMBER(STATS_UNIT_MASK);
NUMBER(STATS_UNIT_NONE);
NUMBER(STATS_UNIT_BYTES);
NUMBER(STATS_UNIT_SECONDS);
NUMBER(STATS_UNIT_CYCLES);
NUMBER(STATS_UNIT_BOOLEAN);
NUMBER(STATS_UNIT_MAX);
NUMBER(STATS_BASE_SHIFT);
NUMBER(STATS_BASE_MASK);
NUMBER(STATS_BASE_POW10);
NUMBER(STATS_BASE_POW2);
NUMBER(STATS_BASE_MAX);
NUMBER(EXIT_UNKNOWN);
NUMBER(EXIT_EXCEPTION);
NUMBER(EXIT_IO);
NUMBER(EXIT_HYPERCALL);
NUMBER(EXIT_DEBUG);
NUMBER(EXIT_HLT);
NUMBER(EXIT_MMIO);
NUMBER(EXIT_IRQ_WINDOW_OPEN);
NUMBER(EXIT_SHUTDOWN);
NUMBER(EXIT_FAIL_ENTRY);
NUMBER(EXIT_INTR);
NUMBER(EXIT_SET_TPR);
NUMBER(EXIT_TPR_ACCESS);
NUMBER(EXIT_NMI);
NUMBER(EXIT_INTERNAL_ERROR);
NUMBER(EXIT_SYSTEM_EVENT);
NUMBER(EXIT_IOAPIC_EOI);
NUMBER(EXIT_X86_RDMSR);
NUMBER(EXIT_X86_WRMSR);
NUMBER(EXIT_DIRTY_RING_FULL);
NUMBER(INTERNAL_ERROR_EMULATION);
NUMBER(INTERNAL_ERROR_SIMUL_EX);
NUMBER(INTERNAL_ERROR_DELIVERY_EV);
NUMBER(INTERNAL_ERROR_UNEXPECTED_EXIT_REASON);
NUMBER(INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES);
NUMBER(RUN_X86_SMM);
NUMBER(RUN_X86_BUS_LOCK);
NUMBER(SYSTEM_EVENT_SHUTDOWN);
NUMBER(SYSTEM_EVENT_RESET);
NUMBER(SYSTEM_EVENT_CRASH);
NUMBER(SYNC_X86_REGS);
NUMBER(SYNC_X86_SREGS);
NUMBER(SYNC_X86_EVENTS);
NUMBER(SYNC_X86_VALID_FIELDS);
NUMBER(EXIT_IO_IN);
NUMBER(EXIT_IO_OUT);

SIZE(userspace_memory_region);
MEMBER(userspace_memory_region, slot);
MEMBER(userspace_memory_region, flags);
MEMBER(userspace_memory_region, guest_phys_addr);
MEMBER(userspace_memory_region, memory_size);
MEMBER(userspace_memory_region, userspace_addr);

SIZE(dirty_log);
MEMBER(dirty_log, slot);
MEMBER(dirty_log, padding1);
MEMBER(dirty_log, dirty_bitmap);
MEMBER(dirty_log, padding2);

SIZE(clear_dirty_log);
MEMBER(clear_dirty_log, slot);
MEMBER(clear_dirty_log, num_pages);
MEMBER(clear_dirty_log, first_page);
MEMBER(clear_dirty_log, dirty_bitmap);
MEMBER(clear_dirty_log, padding2);

SIZE(dirty_gfn);
MEMBER(dirty_gfn, flags);
MEMBER(dirty_gfn, slot);
MEMBER(dirty_gfn, offset);

SIZE(irq_level);
MEMBER(irq_level, irq);
MEMBER(irq_level, status);
MEMBER(irq_level, level);

SIZE(pic_state);
MEMBER(pic_state, last_irr);
MEMBER(pic_state, irr);
MEMBER(pic_state, imr);
MEMBER(pic_state, isr);
MEMBER(pic_state, priority_add);
MEMBER(pic_state, irq_base);
MEMBER(pic_state, read_reg_select);
MEMBER(pic_state, poll);
MEMBER(pic_state, special_mask);
MEMBER(pic_state, init_state);
MEMBER(pic_state, auto_eoi);
MEMBER(pic_state, rotate_on_auto_eoi);
MEMBER(pic_state, special_fully_nested_mode);
MEMBER(pic_state, init4);
MEMBER(pic_state, elcr);
MEMBER(pic_state, elcr_mask);

SIZE(ioapic_state);
MEMBER(ioapic_state, base_address);
MEMBER(ioapic_state, ioregsel);
MEMBER(ioapic_state, id);
MEMBER(ioapic_state, irr);
MEMBER(ioapic_state, pad);
MEMBER(ioapic_state, redirtbl);
MEMBER(ioapic_state, redirtbl[0].bits);
MEMBER(ioapic_state, redirtbl[0].fields);
MEMBER(ioapic_state, redirtbl[0].fields.vector);
MEMBER(ioapic_state, redirtbl[0].fields.reserved);
MEMBER(ioapic_state, redirtbl[0].fields.dest_id);

SIZE(irqchip);
MEMBER(irqchip, chip_id);
MEMBER(irqchip, pad);
MEMBER(irqchip, chip);
MEMBER(irqchip, chip.dummy);
MEMBER(irqchip, chip.pic);
MEMBER(irqchip, chip.ioapic);

SIZE(pit_config);
MEMBER(pit_config, flags);
MEMBER(pit_config, pad);

SIZE(pit_channel_state);
MEMBER(pit_channel_state, count);
MEMBER(pit_channel_state, latched_count);
MEMBER(pit_channel_state, count_latched);
MEMBER(pit_channel_state, status_latched);
MEMBER(pit_channel_state, status);
MEMBER(pit_channel_state, read_state);
MEMBER(pit_channel_state, write_state);
MEMBER(pit_channel_state, write_latch);
MEMBER(pit_channel_state, rw_mode);
MEMBER(pit_channel_state, mode);
MEMBER(pit_channel_state, bcd);
MEMBER(pit_channel_state, gate);
MEMBER(pit_channel_state, count_load_time);

SIZE(pit_state);
MEMBER(pit_state, channels);

SIZE(pit_state2);
MEMBER(pit_state2, channels);
MEMBER(pit_state2, flags);
MEMBER(pit_state2, reserved);

SIZE(reinject_control);
MEMBER(reinject_control, pit_reinject);
MEMBER(reinject_control, reserved);

SIZE(irq_routing_irqchip);
MEMBER(irq_routing_irqchip, irqchip);
MEMBER(irq_routing_irqchip, pin);

SIZE(irq_routing_msi);
MEMBER(irq_routing_msi, address_lo);
MEMBER(irq_routing_msi, address_hi);
MEMBER(irq_routing_msi, data);
MEMBER(irq_routing_msi, pad);
MEMBER(irq_routing_msi, devid);

SIZE(irq_routing_entry);
MEMBER(irq_routing_entry, gsi);
MEMBER(irq_routing_entry, type);
MEMBER(irq_routing_entry, flags);
MEMBER(irq_routing_entry, pad);
MEMBER(irq_routing_entry, u);
MEMBER(irq_routing_entry, u.irqchip);
MEMBER(irq_routing_entry, u.msi);
MEMBER(irq_routing_entry, u.pad);

SIZE(irq_routing);
MEMBER(irq_routing, nr);
MEMBER(irq_routing, flags);
TAIL(irq_routing, entries);

SIZE(irqfd);
MEMBER(irqfd, fd);
MEMBER(irqfd, gsi);
MEMBER(irqfd, flags);
MEMBER(irqfd, resamplefd);
MEMBER(irqfd, pad);

SIZE(ioeventfd);
MEMBER(ioeventfd, datamatch);
MEMBER(ioeventfd, addr);
MEMBER(ioeventfd, len);
MEMBER(ioeventfd, fd);
MEMBER(ioeventfd, flags);
MEMBER(ioeventfd, pad);

SIZE(msi);
MEMBER(msi, address_lo);
MEMBER(msi, address_hi);
MEMBER(msi, data);
MEMBER(msi, flags);
MEMBER(msi, devid);
MEMBER(msi, pad);

SIZE(interrupt);
MEMBER(interrupt, irq);

SIZE(lapic_state);
MEMBER(lapic_state, regs);

SIZE(tpr_access_ctl);
MEMBER(tpr_access_ctl, enabled);
MEMBER(tpr_access_ctl, flags);
MEMBER(tpr_access_ctl, reserved);

SIZE(vapic_addr);
MEMBER(vapic_addr, vapic_addr);

SIZE(regs);
MEMBER(regs, rax);
MEMBER(regs, rbx);
MEMBER(regs, rcx);
MEMBER(regs, rdx);
MEMBER(regs, rsi);
MEMBER(regs, rdi);
MEMBER(regs, rsp);
MEMBER(regs, rbp);
MEMBER(regs, r8);
MEMBER(regs, r9);
MEMBER(regs, r10);
MEMBER(regs, r11);
MEMBER(regs, r12);
MEMBER(regs, r13);
MEMBER(regs, r14);
MEMBER(regs, r15);
MEMBER(regs, rip);
MEMBER(regs, rflags);

SIZE(segment);
MEMBER(segment, base);
MEMBER(segment, limit);
MEMBER(segment, selector);
MEMBER(segment, type);
MEMBER(segment, present);
MEMBER(segment, dpl);
MEMBER(segment, db);
MEMBER(segment, s);
MEMBER(segment, l);
MEMBER(segment, g);
MEMBER(segment, avl);
MEMBER(segment, unusable);
MEMBER(segment, padding);

SIZE(dtable);
MEMBER(dtable, base);
MEMBER(dtable, limit);
MEMBER(dtable, padding);

SIZE(sregs);
MEMBER(sregs, cs);
MEMBER(sregs, ds);
MEMBER(sregs, es);
MEMBER(sregs, fs);
MEMBER(sregs, gs);
MEMBER(sregs, ss);
MEMBER(sregs, tr);
MEMBER(sregs, ldt);
MEMBER(sregs, gdt);
MEMBER(sregs, idt);
MEMBER(sregs, cr0);
MEMBER(sregs, cr2);
MEMBER(sregs, cr3);
MEMBER(sregs, cr4);
MEMBER(sregs, cr8);
MEMBER(sregs, efer);
MEMBER(sregs, apic_base);
MEMBER(sregs, interrupt_bitmap);

SIZE(sregs2);
MEMBER(sregs2, cs);
MEMBER(sregs2, ds);
MEMBER(sregs2, es);
MEMBER(sregs2, fs);
MEMBER(sregs2, gs);
MEMBER(sregs2, ss);
MEMBER(sregs2, tr);
MEMBER(sregs2, ldt);
MEMBER(sregs2, gdt);
MEMBER(sregs2, idt);
MEMBER(sregs2, cr0);
MEMBER(sregs2, cr2);
MEMBER(sregs2, cr3);
MEMBER(sregs2, cr4);
MEMBER(sregs2, cr8);
MEMBER(sregs2, efer);
MEMBER(sregs2, apic_base);
MEMBER(sregs2, flags);
MEMBER(sregs2, pdptrs);

SIZE(fpu);
MEMBER(fpu, fpr);
MEMBER(fpu, fcw);
MEMBER(fpu, fsw);
MEMBER(fpu, ftwx);
MEMBER(fpu, pad1);
MEMBER(fpu, last_opcode);
MEMBER(fpu, last_ip);
MEMBER(fpu, last_dp);
MEMBER(fpu, xmm);
MEMBER(fpu, mxcsr);
MEMBER(fpu, pad2);

SIZE(xsave);
MEMBER(xsave, region);
TAIL(xsave, extra);

SIZE(xcr);
MEMBER(xcr, xcr);
MEMBER(xcr, reserved);
MEMBER(xcr, value);

SIZE(xcrs);
MEMBER(xcrs, nr_xcrs);
MEMBER(xcrs, flags);
MEMBER(xcrs, xcrs);
MEMBER(xcrs, padding);

SIZE(debugregs);
MEMBER(debugregs, db);
MEMBER(debugregs, dr6);
MEMBER(debugregs, dr7);
MEMBER(debugregs, flags);
MEMBER(debugregs, reserved);

SIZE(msr_entry);
MEMBER(msr_entry, index);
MEMBER(msr_entry, reserved);
MEMBER(msr_entry, data);

SIZE(msrs);
MEMBER(msrs, nmsrs);
MEMBER(msrs, pad);
TAIL(msrs, entries);

SIZE(msr_list);
MEMBER(msr_list, nmsrs);
TAIL(msr_list, indices);

SIZE(cpuid_entry);
MEMBER(cpuid_entry, function);
MEMBER(cpuid_entry, eax);
MEMBER(cpuid_entry, ebx);
MEMBER(cpuid_entry, ecx);
MEMBER(cpuid_entry, edx);
MEMBER(cpuid_entry, padding);

SIZE(cpuid);
MEMBER(cpuid, nent);
MEMBER(cpuid, padding);
TAIL(cpuid, entries);

SIZE(cpuid_entry2);
MEMBER(cpuid_entry2, function);
MEMBER(cpuid_entry2, index);
MEMBER(cpuid_entry2, flags);
MEMBER(cpuid_entry2, eax);
MEMBER(cpuid_entry2, ebx);
MEMBER(cpuid_entry2, ecx);
MEMBER(cpuid_entry2, edx);
MEMBER(cpuid_entry2, padding);

SIZE(cpuid2);
MEMBER(cpuid2, nent);
MEMBER(cpuid2, padding);
TAIL(cpuid2, entries);

SIZE(mp_state);
MEMBER(mp_state, mp_state);

SIZE(vcpu_events);
MEMBER(vcpu_events, exception);
MEMBER(vcpu_events, exception.injected);
MEMBER(vcpu_events, exception.nr);
MEMBER(vcpu_events, exception.has_error_code);
MEMBER(vcpu_events, exception.pending);
MEMBER(vcpu_events, exception.error_code);
MEMBER(vcpu_events, interrupt);
MEMBER(vcpu_events, interrupt.injected);
MEMBER(vcpu_events, interrupt.nr);
MEMBER(vcpu_events, interrupt.soft);
MEMBER(vcpu_events, interrupt.shadow);
MEMBER(vcpu_events, nmi);
MEMBER(vcpu_events, nmi.injected);
MEMBER(vcpu_events, nmi.pending);
MEMBER(vcpu_events, nmi.masked);
MEMBER(vcpu_events, nmi.pad);
MEMBER(vcpu_events, sipi_vector);
MEMBER(vcpu_events, flags);
MEMBER(vcpu_events, smi);
MEMBER(vcpu_events, smi.smm);
MEMBER(vcpu_events, smi.pending);
MEMBER(vcpu_events, smi.smm_inside_nmi);
MEMBER(vcpu_events, smi.latched_init);
MEMBER(vcpu_events, triple_fault);
MEMBER(vcpu_events, triple_fault.pending);
MEMBER(vcpu_events, reserved);
MEMBER(vcpu_events, exception_has_payload);
MEMBER(vcpu_events, exception_payload);

SIZE(translation);
MEMBER(translation, linear_address);
MEMBER(translation, physical_address);
MEMBER(translation, valid);
MEMBER(translation, writeable);
MEMBER(translation, usermode);
MEMBER(translation, pad);

SIZE(signal_mask);
MEMBER(signal_mask, len);
TAIL(signal_mask, sigset);

SIZE(guest_debug_arch);
MEMBER(guest_debug_arch, debugreg);

SIZE(guest_debug);
MEMBER(guest_debug, control);
MEMBER(guest_debug, pad);
MEMBER(guest_debug, arch);

SIZE(x86_mce);
MEMBER(x86_mce, status);
MEMBER(x86_mce, addr);
MEMBER(x86_mce, misc);
MEMBER(x86_mce, mcg_status);
MEMBER(x86_mce, bank);
MEMBER(x86_mce, pad1);
MEMBER(x86_mce, pad2);

SIZE(clock_data);
MEMBER(clock_data, clock);
MEMBER(clock_data, flags);
MEMBER(clock_data, pad0);
MEMBER(clock_data, realtime);
MEMBER(clock_data, host_tsc);
MEMBER(clock_data, pad);

SIZE(enable_cap);
MEMBER(enable_cap, cap);
MEMBER(enable_cap, flags);
MEMBER(enable_cap, args);
MEMBER(enable_cap, pad);

SIZE(msr_filter_range);
MEMBER(msr_filter_range, flags);
MEMBER(msr_filter_range, nmsrs);
MEMBER(msr_filter_range, base);
MEMBER(msr_filter_range, bitmap);

SIZE(msr_filter);
MEMBER(msr_filter, flags);
MEMBER(msr_filter, ranges);

SIZE(device_attr);
MEMBER(device_attr, flags);
MEMBER(device_attr, group);
MEMBER(device_attr, attr);
MEMBER(device_attr, addr);

SIZE(coalesced_mmio_zone);
MEMBER(coalesced_mmio_zone, addr);
MEMBER(coalesced_mmio_zone, size);
MEMBER(coalesced_mmio_zone, pad);
MEMBER(coalesced_mmio_zone, pio);

SIZE(coalesced_mmio);
MEMBER(coalesced_mmio, phys_addr);
MEMBER(coalesced_mmio, len);
MEMBER(coalesced_mmio, pad);
MEMBER(coalesced_mmio, pio);
MEMBER(coalesced_mmio, data);

SIZE(coalesced_mmio_ring);
MEMBER(coalesced_mmio_ring, first);
MEMBER(coalesced_mmio_ring, last);
TAIL(coalesced_mmio_ring, coalesced_mmio);

SIZE(stats_header);
MEMBER(stats_header, flags);
MEMBER(stats_header, name_size);
MEMBER(stats_header, num_desc);
MEMBER(stats_header, id_offset);
MEMBER(stats_header, desc_offset);
MEMBER(stats_header, data_offset);

SIZE(stats_desc);
MEMBER(stats_desc, flags);
MEMBER(stats_desc, exponent);
MEMBER(stats_desc, size);
MEMBER(stats_desc, offset);
MEMBER(stats_desc, bucket_size);
TAIL(stats_desc, name);

SIZE(debug_exit_arch);
MEMBER(debug_exit_arch, exception);
MEMBER(debug_exit_arch, pad);
MEMBER(debug_exit_arch, pc);
MEMBER(debug_exit_arch, dr6);
MEMBER(debug_exit_arch, dr7);

SIZE(sync_regs);
MEMBER(sync_regs, regs);
MEMBER(sync_regs, sregs);
MEMBER(sync_regs, events);

SIZE(run);
MEMBER(run, request_interrupt_window);
MEMBER(run, immediate_exit);
MEMBER(run, padding1);
MEMBER(run, exit_reason);
MEMBER(run, ready_for_interrupt_injection);
MEMBER(run, if_flag);
MEMBER(run, flags);
MEMBER(run, cr8);
MEMBER(run, apic_base);
MEMBER(run, hw);
MEMBER(run, hw.hardware_exit_reason);
MEMBER(run, fail_entry);
MEMBER(run, fail_entry.hardware_entry_failure_reason);
MEMBER(run, fail_entry.cpu);
MEMBER(run, ex);
MEMBER(run, ex.exception);
MEMBER(run, ex.error_code);
MEMBER(run, io);
MEMBER(run, io.direction);
MEMBER(run, io.size);
MEMBER(run, io.port);
MEMBER(run, io.count);
MEMBER(run, io.data_offset);
MEMBER(run, debug);
MEMBER(run, debug.arch);
MEMBER(run, mmio);
MEMBER(run, mmio.phys_addr);
MEMBER(run, mmio.data);
MEMBER(run, mmio.len);
MEMBER(run, mmio.is_write);
MEMBER(run, hypercall);
MEMBER(run, hypercall.nr);
MEMBER(run, hypercall.args);
MEMBER(run, hypercall.ret);
MEMBER(run, hypercall.longmode);
MEMBER(run, tpr_access);
MEMBER(run, tpr_access.rip);
MEMBER(run, tpr_access.is_write);
MEMBER(run, internal);
MEMBER(run, internal.suberror);
MEMBER(run, internal.ndata);
MEMBER(run, internal.data);
MEMBER(run, emulation_failure);
MEMBER(run, emulation_failure.suberror);
MEMBER(run, emulation_failure.ndata);
MEMBER(run, emulation_failure.flags);
MEMBER(run, emulation_failure.insn_size);
MEMBER(run, emulation_failure.insn_bytes);
MEMBER(run, system_event);
MEMBER(run, system_event.type);
MEMBER(run, system_event.ndata);
MEMBER(run, system_event.flags);
MEMBER(run, system_event.data);
MEMBER(run, eoi);
MEMBER(run, eoi.vector);
MEMBER(run, msr);
MEMBER(run, msr.error);
MEMBER(run, msr.pad);
MEMBER(run, msr.reason);
MEMBER(run, msr.index);
MEMBER(run, msr.data);
MEMBER(run, padding);
MEMBER(run, s);
MEMBER(run, s.regs);
MEMBER(run, s.padding);

/* KVM's number, if hvm's is the same; else it does not compile. */
#define EQUAL(n) \
	(KVM_##n + 0 * sizeof(struct { int i; _Static_assert(HVM_##n == KVM_##n, #n); }))

enum { SYS = 1, VM = 2, CPU = 4, VM_LATER = 8 };
enum { NEVER, PLANNED, SUPPORTED };

static const char *const status_name[] = {
	[NEVER] = "never", [PLANNED] = "planned", [SUPPORTED] = "supported",
};

static const struct row {
	const char *name;
	unsigned long number;
	int fds;
	int status;
	bool on_host;	/* a capability whose answer depends on the host */
} rows[] = {
#define IOCTL(x, f, s)		{ .name = "KVM_" #x, .number = EQUAL(x), .fds = f, .status = s }
#define IOCTL_KVM(x, f)		{ .name = "KVM_" #x, .number = KVM_##x, .fds = f }
#define CAP(x, s)		{ .name = "KVM_CAP_" #x, .number = EQUAL(CAP_##x), .status = s }
#define CAP_HOST(x, s)		{ .name = "KVM_CAP_" #x, .number = EQUAL(CAP_##x), .status = s, \
				  .on_host = true }
#define CAP_KVM(x)		{ .name = "KVM_CAP_" #x, .number = KVM_CAP_##x }
#include "abi_rows.h"
};

#define ROWS_END (rows + ARRAY_LEN(rows))

/* ---- docs/abi.md ---- */

/* A row of its tables; a name that ends in * stands for all that begin so. */
struct doc_row {
	char name[64];
	char number[16];
	char status[16];
	bool used;
};

static struct doc_row doc[512];
static unsigned int nr_doc;

/* Read a file, joining lines that end in a backslash. NULL: there is none. */
static char *read_text(const char *path)
{
	FILE *f = fopen(path, "re");
	char *text = NULL, *p;
	size_t size = 0;

	if (!f)
		return NULL;
	if (getdelim(&text, &size, '\0', f) < 0) {
		free(text);
		text = NULL;
	}
	fclose(f);
	for (p = text; p && (p = strstr(p, "\\\n")); )
		p[0] = p[1] = ' ';
	return text;
}

static char *read_doc(void)
{
	static const char *const up[] = { ".", "..", "../..", "../../.." };
	const char *src = getenv("HVM_SRC");
	char path[512], *text = NULL;
	unsigned int i;

	if (src) {
		snprintf(path, sizeof(path), "%s/docs/abi.md", src);
		return read_text(path);
	}
	for (i = 0; i < ARRAY_LEN(up) && !text; i++) {
		snprintf(path, sizeof(path), "%s/docs/abi.md", up[i]);
		text = read_text(path);
	}
	return text;
}

/* Table lines look like: | `NAME` | number | status | anything | */
static bool parse_doc(void)
{
	char *text = read_doc(), *line, *save = NULL;
	struct doc_row *d = doc;

	if (!text)
		return false;
	for (line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		if (d == doc + ARRAY_LEN(doc))
			break;
		if (sscanf(line, "| `%63[A-Za-z0-9_*]` | %15[^ |] | %15[a-z] |",
			   d->name, d->number, d->status) == 3)
			d++;
	}
	nr_doc = d - doc;
	free(text);
	return true;
}

static struct doc_row *find_doc(const char *name, bool pattern)
{
	struct doc_row *d;
	size_t n;

	for (d = doc; d < doc + nr_doc; d++)
		if (!strcmp(d->name, name))
			return d;
	for (d = doc; pattern && d < doc + nr_doc; d++) {
		n = strlen(d->name);
		if (d->name[n - 1] == '*' && !strncmp(d->name, name, n - 1))
			return d;
	}
	return NULL;
}

/* Does a #define of <linux/kvm.h> name an ioctl or a capability? */
static bool is_api_name(const char *name, const char *value)
{
	if (!strncmp(name, "KVM_CAP_", 8))
		return true;
	return !strncmp(name, "KVM_", 4) && !strncmp(value, "_IO", 3) &&
	       strstr(value, "KVMIO");
}

TEST(doc_covers_the_header)
{
	const char *path = getenv("HVM_KVM_H") ?: "/usr/include/linux/kvm.h";
	char *text = read_text(path), *line, *save = NULL;
	char name[64], value[128];
	unsigned int names = 0;

	if (!text || !parse_doc())
		SKIP(return, "no %s, or no docs/abi.md", path);
	for (line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		if (sscanf(line, "#define %63s %127[^\n]", name, value) != 2 ||
		    !is_api_name(name, value))
			continue;
		names++;
		EXPECT_NE(NULL, find_doc(name, true))
			TH_LOG("docs/abi.md has no row for %s", name);
	}
	EXPECT_LT(300, names);
	free(text);
}

TEST(doc_matches_the_rows)
{
	const struct row *r;
	struct doc_row *d;
	char number[16];

	if (!parse_doc())
		SKIP(return, "no docs/abi.md");
	for (r = rows; r < ROWS_END; r++) {
		d = find_doc(r->name, false);
		ASSERT_NE(NULL, d)
			TH_LOG("docs/abi.md has no row for %s", r->name);
		d->used = true;
		snprintf(number, sizeof(number), r->fds ? "0x%02lx" : "%lu",
			 r->fds ? _IOC_NR(r->number) : r->number);
		EXPECT_STREQ(number, d->number)
			TH_LOG("%s", r->name);
		EXPECT_STREQ(status_name[r->status], d->status)
			TH_LOG("%s", r->name);
	}
	/* What abi_rows.h does not know, hvm cannot have. */
	for (d = doc; d < doc + nr_doc; d++)
		if (!d->used && !strncmp(d->name, "KVM_", 4))
			EXPECT_STREQ("never", d->status)
				TH_LOG("%s", d->name);
}

TEST(bitfields)
{
	union { struct hvm_ioapic_state h; struct kvm_ioapic_state k; } u;

	/* The compiler cannot tell the offset of a bit: set and compare. */
#define BITS(field) do { \
		memset(&u, 0, sizeof(u)); \
		u.h.redirtbl[23].fields.field = ~0; \
		EXPECT_EQ(true, 0 != u.k.redirtbl[23].fields.field); \
		u.k.redirtbl[23].fields.field = 0; \
		EXPECT_EQ(0, u.h.redirtbl[23].bits); \
	} while (0)
	BITS(vector);
	BITS(delivery_mode);
	BITS(dest_mode);
	BITS(delivery_status);
	BITS(polarity);
	BITS(remote_irr);
	BITS(trig_mode);
	BITS(mask);
	BITS(reserve);
	BITS(dest_id);
}

/* ---- the device ---- */

/* Open the device, a VM and a vCPU of it. False: there is no device. */
static bool open_all(int fd[3])
{
	struct hvm_enable_cap split = { .cap = HVM_CAP_SPLIT_IRQCHIP, .args = { 24 } };
	struct hvm_run *run;

	fd[0] = open(device_path(), O_RDWR | O_CLOEXEC);
	if (fd[0] < 0)
		return false;
	fd[1] = ioctl(fd[0], HVM_CREATE_VM, 0);
	if (fd[1] < 0 || ioctl(fd[1], HVM_ENABLE_CAP, &split) < 0)
		lib_die("no VM with a split irqchip", errno);
	fd[2] = ioctl(fd[1], HVM_CREATE_VCPU, 0);
	run = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd[2], 0);
	if (run == MAP_FAILED)
		lib_die("no vCPU", errno);
	run->immediate_exit = 1;	/* HVM_RUN must not get anywhere */
	return true;
}

/*
 * Is the call known there? It gets no argument, so it fails or does next to
 * nothing. KVM's x86 code says "no such call" by ENOTTY on a VM and EINVAL on
 * the two others, where a known call has no reason to say EINVAL, but for
 * KVM_KVMCLOCK_CTRL: the guest has no clock.
 */
static bool is_known(const struct row *r, int fd, int kind)
{
	int ret = ioctl(fd, r->number, NULL);

	if (ret > 2 && (r->number == KVM_CREATE_VM || r->number == KVM_GET_STATS_FD))
		close(ret);
	if (ret >= 0)
		return true;
	return errno != (kind == VM ? ENOTTY : EINVAL);
}

TEST(device_ioctls)
{
	bool hvm = device_is_hvm(), want;
	const struct row *r;
	int fd[3], fds, i;

	if (!open_all(fd))
		SKIP(return, "no %s", device_path());
	for (r = rows; r < ROWS_END; r++) {
		if (!r->fds || r->number == KVM_KVMCLOCK_CTRL)
			continue;
		if (!hvm && r->status == NEVER)
			continue;
		fds = r->fds;
		if (!hvm && fds & VM_LATER)
			fds |= VM;
		for (i = 0; i < 3; i++) {
			want = fds & 1 << i &&
			       r->status >= (hvm ? SUPPORTED : PLANNED);
			EXPECT_EQ(want, is_known(r, fd[i], 1 << i))
				TH_LOG("%s on the %s", r->name,
				       i == 0 ? "system" : i == 1 ? "VM" : "vCPU");
		}
	}
}

TEST(device_capabilities)
{
	bool hvm = device_is_hvm(), want, got;
	const struct row *r;
	int fd[3];

	if (!open_all(fd))
		SKIP(return, "no %s", device_path());
	for (r = rows; r < ROWS_END; r++) {
		if (r->fds || r->on_host || (!hvm && r->status == NEVER))
			continue;
		want = r->status >= (hvm ? SUPPORTED : PLANNED);
		got = ioctl(fd[1], KVM_CHECK_EXTENSION, r->number) > 0;
		EXPECT_EQ(want, got)
			TH_LOG("%s", r->name);
	}
	EXPECT_EQ(hvm, ioctl(fd[0], HVM_CHECK_EXTENSION, HVM_CAP_HVM_BASE));
}

TEST_HARNESS_MAIN
