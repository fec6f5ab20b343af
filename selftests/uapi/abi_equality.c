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

/* F(a, x) for each x of the list; the rescans allow for about 80 of them. */
#define PARENS			()
#define EXPAND(...)		EXPAND3(EXPAND3(EXPAND3(EXPAND3(__VA_ARGS__))))
#define EXPAND3(...)		EXPAND2(EXPAND2(EXPAND2(EXPAND2(__VA_ARGS__))))
#define EXPAND2(...)		EXPAND1(EXPAND1(EXPAND1(EXPAND1(__VA_ARGS__))))
#define EXPAND1(...)		__VA_ARGS__
#define EACH(F, a, ...)		EXPAND(EACH_STEP(F, a, __VA_ARGS__))
#define EACH_STEP(F, a, x, ...)	F(a, x) __VA_OPT__(EACH_AGAIN PARENS (F, a, __VA_ARGS__))
#define EACH_AGAIN()		EACH_STEP

#define SAME(x, y)		_Static_assert((x) == (y), #x " is not " #y);
#define NUMBER(a, name)		SAME(HVM_##name, KVM_##name)
#define NUMBERS(...)		EACH(NUMBER, 0, __VA_ARGS__) \
				_Static_assert(1, "")

#define AT(s, m)		offsetof(struct s, m)
#define ROOM(s, m)		sizeof(((struct s *)0)->m)
#define PAIR(s, m, t, n)	SAME(AT(s, m), AT(t, n)) SAME(ROOM(s, m), ROOM(t, n))
#define MEMBER(s, m)		PAIR(hvm_##s, m, kvm_##s, m)
#define LAYOUT(s, ...)		SAME(sizeof(struct hvm_##s), sizeof(struct kvm_##s)) \
				EACH(MEMBER, s, __VA_ARGS__) \
				_Static_assert(1, "")
/* the array at a structure's end: it has an offset, and elements, but no size */
#define TAIL(s, m)		SAME(AT(hvm_##s, m), AT(kvm_##s, m)) \
				SAME(ROOM(hvm_##s, m[0]), ROOM(kvm_##s, m[0])) \
				_Static_assert(1, "")

SAME(HVMIO, KVMIO)
SAME(HVM_CLOCK_REALTIME, KVM_CLOCK_REALTIME) /* libc has a macro of that name */
SAME(HVM_SYNC_REGS_SIZE_BYTES, SYNC_REGS_SIZE_BYTES)
SAME(HVM_COALESCED_MMIO_MAX, KVM_COALESCED_MMIO_MAX)
NUMBERS(API_VERSION, PIO_PAGE_OFFSET, COALESCED_MMIO_PAGE_OFFSET,
	DIRTY_LOG_PAGE_OFFSET, NR_INTERRUPTS, MEM_LOG_DIRTY_PAGES, MEM_READONLY,
	DIRTY_LOG_MANUAL_PROTECT_ENABLE, DIRTY_LOG_INITIALLY_SET,
	DIRTY_GFN_F_DIRTY, DIRTY_GFN_F_RESET, DIRTY_GFN_F_MASK,
	IOAPIC_NUM_PINS);
NUMBERS(IRQCHIP_PIC_MASTER, IRQCHIP_PIC_SLAVE, IRQCHIP_IOAPIC, NR_IRQCHIPS,
	PIT_SPEAKER_DUMMY, PIT_FLAGS_HPET_LEGACY, PIT_FLAGS_SPEAKER_DATA_ON,
	IRQ_ROUTING_IRQCHIP, IRQ_ROUTING_MSI, IRQFD_FLAG_DEASSIGN,
	IRQFD_FLAG_RESAMPLE);
NUMBERS(IOEVENTFD_FLAG_DATAMATCH, IOEVENTFD_FLAG_PIO, IOEVENTFD_FLAG_DEASSIGN,
	IOEVENTFD_VALID_FLAG_MASK, APIC_REG_SIZE, X2APIC_API_USE_32BIT_IDS,
	X2APIC_API_DISABLE_BROADCAST_QUIRK, SREGS2_FLAGS_PDPTRS_VALID, MAX_XCRS,
	CPUID_FLAG_SIGNIFCANT_INDEX, CPUID_FLAG_STATEFUL_FUNC,
	CPUID_FLAG_STATE_READ_NEXT);
NUMBERS(MP_STATE_RUNNABLE, MP_STATE_UNINITIALIZED, MP_STATE_INIT_RECEIVED,
	MP_STATE_HALTED, MP_STATE_SIPI_RECEIVED, VCPUEVENT_VALID_NMI_PENDING,
	VCPUEVENT_VALID_SIPI_VECTOR, VCPUEVENT_VALID_SHADOW,
	VCPUEVENT_VALID_SMM, VCPUEVENT_VALID_PAYLOAD,
	VCPUEVENT_VALID_TRIPLE_FAULT, X86_SHADOW_INT_MOV_SS,
	X86_SHADOW_INT_STI);
NUMBERS(GUESTDBG_ENABLE, GUESTDBG_SINGLESTEP, GUESTDBG_USE_SW_BP,
	GUESTDBG_USE_HW_BP, GUESTDBG_INJECT_DB, GUESTDBG_INJECT_BP,
	GUESTDBG_BLOCKIRQ, CLOCK_TSC_STABLE, CLOCK_HOST_TSC);
NUMBERS(X86_DISABLE_EXITS_MWAIT, X86_DISABLE_EXITS_HLT, X86_DISABLE_EXITS_PAUSE,
	X86_DISABLE_EXITS_CSTATE, X86_DISABLE_VALID_EXITS,
	X86_QUIRK_LINT0_REENABLED, X86_QUIRK_CD_NW_CLEARED,
	X86_QUIRK_LAPIC_MMIO_HOLE, X86_QUIRK_OUT_7E_INC_RIP,
	X86_QUIRK_MISC_ENABLE_NO_MWAIT, X86_QUIRK_FIX_HYPERCALL_INSN,
	X86_QUIRK_MWAIT_NEVER_UD_FAULTS);
NUMBERS(MSR_EXIT_REASON_INVAL, MSR_EXIT_REASON_UNKNOWN, MSR_EXIT_REASON_FILTER,
	MSR_FILTER_MAX_BITMAP_SIZE, MSR_FILTER_MAX_RANGES, MSR_FILTER_READ,
	MSR_FILTER_WRITE, MSR_FILTER_DEFAULT_ALLOW, MSR_FILTER_DEFAULT_DENY,
	X86_XCOMP_GUEST_SUPP, VCPU_TSC_CTRL, VCPU_TSC_OFFSET);
NUMBERS(STATS_TYPE_SHIFT, STATS_TYPE_MASK, STATS_TYPE_CUMULATIVE,
	STATS_TYPE_INSTANT, STATS_TYPE_PEAK, STATS_TYPE_LINEAR_HIST,
	STATS_TYPE_LOG_HIST, STATS_TYPE_MAX, STATS_UNIT_SHIFT, STATS_UNIT_MASK,
	STATS_UNIT_NONE, STATS_UNIT_BYTES, STATS_UNIT_SECONDS,
	STATS_UNIT_CYCLES, STATS_UNIT_BOOLEAN, STATS_UNIT_MAX, STATS_BASE_SHIFT,
	STATS_BASE_MASK, STATS_BASE_POW10, STATS_BASE_POW2, STATS_BASE_MAX);
NUMBERS(EXIT_UNKNOWN, EXIT_EXCEPTION, EXIT_IO, EXIT_HYPERCALL, EXIT_DEBUG,
	EXIT_HLT, EXIT_MMIO, EXIT_IRQ_WINDOW_OPEN, EXIT_SHUTDOWN,
	EXIT_FAIL_ENTRY, EXIT_INTR, EXIT_SET_TPR, EXIT_TPR_ACCESS, EXIT_NMI,
	EXIT_INTERNAL_ERROR, EXIT_SYSTEM_EVENT, EXIT_IOAPIC_EOI, EXIT_X86_RDMSR,
	EXIT_X86_WRMSR, EXIT_DIRTY_RING_FULL, EXIT_IO_IN, EXIT_IO_OUT);
NUMBERS(INTERNAL_ERROR_EMULATION, INTERNAL_ERROR_SIMUL_EX,
	INTERNAL_ERROR_DELIVERY_EV, INTERNAL_ERROR_UNEXPECTED_EXIT_REASON,
	INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES, RUN_X86_SMM,
	RUN_X86_BUS_LOCK, SYSTEM_EVENT_SHUTDOWN, SYSTEM_EVENT_RESET,
	SYSTEM_EVENT_CRASH, SYNC_X86_REGS, SYNC_X86_SREGS, SYNC_X86_EVENTS,
	SYNC_X86_VALID_FIELDS);

LAYOUT(userspace_memory_region, slot, flags, guest_phys_addr, memory_size,
	userspace_addr);
LAYOUT(dirty_log, slot, padding1, dirty_bitmap, padding2);
LAYOUT(clear_dirty_log, slot, num_pages, first_page, dirty_bitmap, padding2);
LAYOUT(dirty_gfn, flags, slot, offset);
LAYOUT(irq_level, irq, status, level);
LAYOUT(pic_state, last_irr, irr, imr, isr, priority_add, irq_base,
	read_reg_select, poll, special_mask, init_state, auto_eoi,
	rotate_on_auto_eoi, special_fully_nested_mode, init4, elcr, elcr_mask);
LAYOUT(ioapic_state, base_address, ioregsel, id, irr, pad, redirtbl,
	redirtbl[0].bits, redirtbl[0].fields, redirtbl[0].fields.vector,
	redirtbl[0].fields.reserved, redirtbl[0].fields.dest_id);
LAYOUT(irqchip, chip_id, pad, chip, chip.dummy, chip.pic, chip.ioapic);
LAYOUT(pit_config, flags, pad);
LAYOUT(pit_channel_state, count, latched_count, count_latched, status_latched,
	status, read_state, write_state, write_latch, rw_mode, mode, bcd, gate,
	count_load_time);
LAYOUT(pit_state, channels);
LAYOUT(pit_state2, channels, flags, reserved);
LAYOUT(reinject_control, pit_reinject, reserved);
LAYOUT(irq_routing_irqchip, irqchip, pin);
LAYOUT(irq_routing_msi, address_lo, address_hi, data, pad, devid);
LAYOUT(irq_routing_entry, gsi, type, flags, pad, u, u.irqchip, u.msi, u.pad);
LAYOUT(irq_routing, nr, flags);
TAIL(irq_routing, entries);
LAYOUT(irqfd, fd, gsi, flags, resamplefd, pad);
LAYOUT(ioeventfd, datamatch, addr, len, fd, flags, pad);
LAYOUT(msi, address_lo, address_hi, data, flags, devid, pad);
LAYOUT(interrupt, irq);
LAYOUT(lapic_state, regs);
LAYOUT(tpr_access_ctl, enabled, flags, reserved);
LAYOUT(vapic_addr, vapic_addr);
LAYOUT(regs, rax, rbx, rcx, rdx, rsi, rdi, rsp, rbp, r8, r9, r10, r11, r12, r13,
	r14, r15, rip, rflags);
LAYOUT(segment, base, limit, selector, type, present, dpl, db, s, l, g, avl,
	unusable, padding);
LAYOUT(dtable, base, limit, padding);
LAYOUT(sregs, cs, ds, es, fs, gs, ss, tr, ldt, gdt, idt, cr0, cr2, cr3, cr4,
	cr8, efer, apic_base, interrupt_bitmap);
LAYOUT(sregs2, cs, ds, es, fs, gs, ss, tr, ldt, gdt, idt, cr0, cr2, cr3, cr4,
	cr8, efer, apic_base, flags, pdptrs);
LAYOUT(fpu, fpr, fcw, fsw, ftwx, pad1, last_opcode, last_ip, last_dp, xmm,
	mxcsr, pad2);
LAYOUT(xsave, region);
TAIL(xsave, extra);
LAYOUT(xcr, xcr, reserved, value);
LAYOUT(xcrs, nr_xcrs, flags, xcrs, padding);
LAYOUT(debugregs, db, dr6, dr7, flags, reserved);
LAYOUT(msr_entry, index, reserved, data);
LAYOUT(msrs, nmsrs, pad);
TAIL(msrs, entries);
LAYOUT(msr_list, nmsrs);
TAIL(msr_list, indices);
LAYOUT(cpuid_entry, function, eax, ebx, ecx, edx, padding);
LAYOUT(cpuid, nent, padding);
TAIL(cpuid, entries);
LAYOUT(cpuid_entry2, function, index, flags, eax, ebx, ecx, edx, padding);
LAYOUT(cpuid2, nent, padding);
TAIL(cpuid2, entries);
LAYOUT(mp_state, mp_state);
LAYOUT(vcpu_events, exception, exception.injected, exception.nr,
	exception.has_error_code, exception.pending, exception.error_code,
	interrupt, interrupt.injected, interrupt.nr, interrupt.soft,
	interrupt.shadow, nmi, nmi.injected, nmi.pending, nmi.masked, nmi.pad,
	sipi_vector, flags, smi, smi.smm, smi.pending, smi.smm_inside_nmi,
	smi.latched_init, triple_fault, triple_fault.pending, reserved,
	exception_has_payload, exception_payload);
LAYOUT(translation, linear_address, physical_address, valid, writeable,
	usermode, pad);
LAYOUT(signal_mask, len);
TAIL(signal_mask, sigset);
LAYOUT(guest_debug_arch, debugreg);
LAYOUT(guest_debug, control, pad, arch);
LAYOUT(x86_mce, status, addr, misc, mcg_status, bank, pad1, pad2);
LAYOUT(clock_data, clock, flags, pad0, realtime, host_tsc, pad);
LAYOUT(enable_cap, cap, flags, args, pad);
LAYOUT(msr_filter_range, flags, nmsrs, base, bitmap);
LAYOUT(msr_filter, flags, ranges);
LAYOUT(device_attr, flags, group, attr, addr);
LAYOUT(coalesced_mmio_zone, addr, size, pad, pio);
LAYOUT(coalesced_mmio, phys_addr, len, pad, pio, data);
LAYOUT(coalesced_mmio_ring, first, last);
TAIL(coalesced_mmio_ring, coalesced_mmio);
LAYOUT(stats_header, flags, name_size, num_desc, id_offset, desc_offset,
	data_offset);
LAYOUT(stats_desc, flags, exponent, size, offset, bucket_size);
TAIL(stats_desc, name);
LAYOUT(debug_exit_arch, exception, pad, pc, dr6, dr7);
LAYOUT(sync_regs, regs, sregs, events);
LAYOUT(run, request_interrupt_window, immediate_exit, padding1, exit_reason,
	ready_for_interrupt_injection, if_flag, flags, cr8, apic_base, hw,
	hw.hardware_exit_reason, fail_entry,
	fail_entry.hardware_entry_failure_reason, fail_entry.cpu, ex,
	ex.exception, ex.error_code, io, io.direction, io.size, io.port,
	io.count, io.data_offset, debug, debug.arch, mmio, mmio.phys_addr,
	mmio.data, mmio.len, mmio.is_write, hypercall, hypercall.nr,
	hypercall.args, hypercall.ret, hypercall.longmode,
	tpr_access, tpr_access.rip, tpr_access.is_write,
	internal, internal.suberror, internal.ndata, internal.data,
	emulation_failure, emulation_failure.suberror, emulation_failure.ndata,
	emulation_failure.flags, emulation_failure.insn_size,
	emulation_failure.insn_bytes, system_event, system_event.type,
	system_event.ndata, system_event.flags, system_event.data, eoi,
	eoi.vector, msr, msr.error, msr.pad, msr.reason, msr.index, msr.data,
	padding, s, s.regs, s.padding);

/* The rows of abi_rows.h: first the numbers that both headers have ... */
#define IOCTL(name, fds, status)	SAME(HVM_##name, KVM_##name)
#define IOCTL_KVM(name, fds)
#define CAP(name, status)		SAME(HVM_CAP_##name, KVM_CAP_##name)
#define CAP_HOST(name, status)		CAP(name, status)
#define CAP_KVM(name)
#include "abi_rows.h"
#undef IOCTL
#undef IOCTL_KVM
#undef CAP
#undef CAP_HOST
#undef CAP_KVM

/* ... then, as a table. */
enum { SYS = 1, VM = 2, CPU = 4 };
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
#define ROW(x, f, s, ...)		{ .name = "KVM_" #x, .number = KVM_##x, \
					  .fds = f, .status = s, __VA_ARGS__ },
#define IOCTL(x, fds, status)		ROW(x, fds, status)
#define IOCTL_KVM(x, fds)		ROW(x, fds, NEVER)
#define CAP(x, status)			ROW(CAP_##x, 0, status)
#define CAP_HOST(x, status)		ROW(CAP_##x, 0, status, .on_host = true)
#define CAP_KVM(x)			ROW(CAP_##x, 0, NEVER)
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
	int fd[3], i;

	if (!open_all(fd))
		SKIP(return, "no %s", device_path());
	for (r = rows; r < ROWS_END; r++) {
		if (!r->fds || r->number == KVM_KVMCLOCK_CTRL)
			continue;
		if (!hvm && r->status == NEVER)
			continue;
		for (i = 0; i < 3; i++) {
			want = r->fds & 1 << i &&
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
