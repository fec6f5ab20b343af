// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest in any state: registers of a mode that are right, then spoilt one by
 * one; MSRs, CPUID, XSAVE images, local APIC pages, events, page and descriptor
 * tables of which the same is true; and code to run in it, with random answers
 * to whatever it asks. The host's answer may be an errno or any exit.
 *
 * Each record changes one thing or runs a while: byte 0 says what, bit 7 of
 * byte 1 on which of the two vCPUs, byte 2 seeds what the others leave open.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

#include <linux/hvm.h>

#include "../../userspace/lib/libhvm.h"
#include "fuzz.h"

#define N(a)		(sizeof(a) / sizeof((a)[0]))
#define MEM_SIZE	0x400000ul
#define FAR		0x10000000ul	/* another 2 MiB of the guest */

static int dev, vm;
static struct hvm_vcpu_fd cpus[2];
static uint8_t *mem, *far;
static bool chip;

static volatile unsigned int ticks;

static void on_alarm(int sig)
{
	(void)sig;
	if (++ticks > 250)
		_exit(0);
}

static uint64_t value(const uint8_t *p, struct fuzz_rng *r)
{
	uint64_t v;

	if (p[0] & 1)
		return fuzz_value(r);
	memcpy(&v, p + 1, sizeof(v));
	return v;
}

/* A field of a structure of 64-bit and smaller members. */
static void poke(void *s, size_t size, const uint8_t *rec, struct fuzz_rng *r)
{
	size_t len = 1 << (rec[3] & 3), at = (rec[4] | rec[5] << 8) % size & ~(len - 1);
	uint64_t v = value(rec + 6, r);

	if (rec[3] & 4)		/* one bit */
		((uint8_t *)s)[at] ^= 1 << (rec[3] >> 3 & 7);
	else if (at + len <= size)
		memcpy((uint8_t *)s + at, &v, len);
}

/* ---- what a record may be ---- */

static void do_mode(int cpu, const uint8_t *rec, struct fuzz_rng *r)
{
	struct hvm_sregs s;
	struct hvm_regs g;
	uint64_t *reg = (uint64_t *)&g;
	unsigned int i;

	if (hvm_get_sregs(cpu, &s))
		return;
	fuzz_mode(rec[3] % FUZZ_MODES, &s, &g);
	for (i = 0; i < 16; i++)
		if (i != 6)	/* the stack */
			reg[i] = fuzz_value(r);
	g.rbx = rec[4] & 1 ? 0xfee00000 + (rec[5] << 4) : rec[4] & 2 ? 0xd0000000 : g.rbx;
	g.rcx = rec[4] & 4 ? fuzz_msr(r) : rec[4] & 8 ? rec[5] : g.rcx;
	g.rdx = rec[4] & 16 ? rec[5] << 2 : g.rdx;
	g.rsi = rec[4] & 32 ? FAR + rec[6] * 256 : g.rsi;
	g.rdi = rec[4] & 64 ? rec[6] & 1 ? 0xd0000ff8 : FAR + rec[6] * 256 : g.rdi;
	g.rflags |= rec[7] & 1 ? 1u << 9 : 0;
	g.rflags |= rec[7] < 8 ? 1u << 8 : 0;
	hvm_set_sregs(cpu, &s);
	hvm_set_regs(cpu, &g);
}

static void do_sregs(int cpu, const uint8_t *rec, struct fuzz_rng *r)
{
	struct hvm_sregs s;

	if (hvm_get_sregs(cpu, &s))
		return;
	poke(&s, sizeof(s), rec, r);
	fuzz_spare_host(&s);
	hvm_set_sregs(cpu, &s);
}

/* The control registers, which are a small part of the structure. */
static void do_control(int cpu, const uint8_t *rec, struct fuzz_rng *r)
{
	struct hvm_sregs2 s;
	__u64 *reg[] = { &s.cr0, &s.cr3, &s.cr4, &s.efer, &s.apic_base, &s.cr8, &s.flags,
			    &s.pdptrs[rec[4] & 3] };

	if (ioctl(cpu, HVM_GET_SREGS2, &s))
		return;
	if (rec[3] & 8)
		*reg[rec[3] % N(reg)] ^= 1ull << rec[5] % 64;
	else
		*reg[rec[3] % N(reg)] = value(rec + 6, r);
	fuzz_spare_host((void *)&s);	/* it begins like the other */
	ioctl(cpu, HVM_SET_SREGS2, &s);
}

static void do_regs(int cpu, const uint8_t *rec, struct fuzz_rng *r)
{
	struct hvm_regs g;

	if (hvm_get_regs(cpu, &g))
		return;
	((uint64_t *)&g)[rec[3] % (sizeof(g) / 8)] = value(rec + 6, r);
	hvm_set_regs(cpu, &g);
}

static void do_msr(int cpu, const uint8_t *rec, struct fuzz_rng *r)
{
	uint32_t index = fuzz_msr(r);
	uint64_t v;

	if (hvm_get_msr(cpu, index, &v))
		v = 0;
	v = rec[3] & 1 ? v ^ 1ull << rec[4] % 64 : value(rec + 6, r);
	hvm_set_msr(cpu, index, v);
}

/* The paravirtual ones, with an address that may be good. */
static void do_pv_msr(int cpu, const uint8_t *rec, struct fuzz_rng *r)
{
	static const uint32_t some[] = { 0x4b564d00, 0x4b564d01, 0x11, 0x12, 0x4b564d02,
					 0x4b564d03, 0x4b564d04, 0x4b564d05 };

	hvm_set_msr(cpu, some[rec[3] % N(some)],
		    rec[4] & 1 ? value(rec + 6, r) : ((uint64_t)rec[5] << 12) + rec[6] * 4 + 1);
}

static void do_cpuid(int cpu, const uint8_t *rec, struct fuzz_rng *r)
{
	struct hvm_cpuid2 *c;
	unsigned int n = rec[3] % 16;

	if (hvm_get_supported_cpuid(dev, &c))
		return;
	while (n-- && c->nent) {
		struct hvm_cpuid_entry2 *e = &c->entries[fuzz_rnd(r) % c->nent];

		((uint32_t *)e)[fuzz_rnd(r) % 7] = fuzz_value(r);
	}
	if (rec[4] & 1)
		c->nent = rec[5] % (c->nent + 1);
	hvm_set_cpuid2(cpu, c);
	free(c);
}

static void do_xsave(int cpu, const uint8_t *rec, struct fuzz_rng *r)
{
	static uint8_t area[65536];
	unsigned int n = rec[3] >> 4;

	if (ioctl(cpu, HVM_GET_XSAVE2, area))
		return;
	if (rec[3] & 8)		/* the header's words */
		memcpy(area + 512 + (rec[4] & 56), rec + 6, 8);
	else
		poke(area, 1088, rec, r);
	while (n--)
		area[fuzz_rnd(r) % 4096] = fuzz_rnd(r);
	ioctl(cpu, HVM_SET_XSAVE, area);
}

static void do_fpu(int cpu, const uint8_t *rec, struct fuzz_rng *r)
{
	struct hvm_fpu f;

	if (ioctl(cpu, HVM_GET_FPU, &f))
		return;
	poke(&f, sizeof(f), rec, r);
	ioctl(cpu, HVM_SET_FPU, &f);
}

static void do_lapic(int cpu, const uint8_t *rec, struct fuzz_rng *r)
{
	struct hvm_lapic_state l;
	uint32_t v = value(rec + 6, r);

	if (ioctl(cpu, HVM_GET_LAPIC, &l))
		return;
	memcpy(l.regs + rec[3] % 64 * 16, &v, 4);
	if (rec[4] & 1)
		memcpy(l.regs + rec[5] % 64 * 16 + (rec[4] & 12), rec + 8, 4);
	ioctl(cpu, HVM_SET_LAPIC, &l);
}

static void do_events(int cpu, const uint8_t *rec, struct fuzz_rng *r)
{
	struct hvm_vcpu_events e;

	if (ioctl(cpu, HVM_GET_VCPU_EVENTS, &e))
		return;
	switch (rec[3] % 6) {
	case 0:
		e.exception.injected = rec[4] & 1;
		e.exception.pending = rec[4] >> 1 & 1;
		e.exception.nr = rec[5] & 0x1f;
		e.exception.has_error_code = rec[4] >> 2 & 1;
		e.exception.error_code = value(rec + 6, r);
		e.exception_has_payload = rec[4] >> 3 & 1;
		e.exception_payload = value(rec + 6, r);
		break;
	case 1:
		e.interrupt.injected = rec[4] & 1;
		e.interrupt.nr = rec[5];
		e.interrupt.soft = rec[4] >> 1 & 1;
		e.interrupt.shadow = rec[4] >> 2 & 3;
		break;
	case 2:
		e.nmi.injected = rec[4] & 1;
		e.nmi.pending = rec[4] >> 1 & 1;
		e.nmi.masked = rec[4] >> 2 & 1;
		break;
	case 3:
		e.triple_fault.pending = rec[4] & 1;
		e.sipi_vector = rec[5];
		break;
	default:
		poke(&e, sizeof(e), rec, r);
	}
	e.flags = rec[3] & 128 ? rec[15] : 0x37 & rec[15];
	ioctl(cpu, HVM_SET_VCPU_EVENTS, &e);
}

static void do_bytes(int cpu, const uint8_t *rec, struct fuzz_rng *r)
{
	memcpy(mem + FUZZ_CODE + rec[3], rec + 5, 1 + rec[4] % 11);
}

static void do_code(int cpu, const uint8_t *rec, struct fuzz_rng *r)
{
	fuzz_code(r, mem + FUZZ_CODE, 1024);
	if (rec[3] & 1)
		fuzz_code(r, far, 4096);
}

/* An entry of any table: pages, descriptors, gates, the task segment. */
static void do_table(int cpu, const uint8_t *rec, struct fuzz_rng *r)
{
	static const uint16_t at[] = {
		FUZZ_GDT, FUZZ_IDT, FUZZ_PML4, FUZZ_PDPT, FUZZ_PD, FUZZ_PD32, FUZZ_TSS, FUZZ_PDPT_PAE,
	};
	uint8_t *p = mem + at[rec[3] % N(at)] + (rec[4] & 31) * 8;
	uint64_t v = value(rec + 6, r);

	if (rec[5] & 1)
		p[rec[5] >> 5] ^= 1 << (rec[5] >> 2 & 7);
	else
		memcpy(p, &v, 8);
}

static void do_run(int cpu, const uint8_t *rec, struct fuzz_rng *r)
{
	struct hvm_run *run = cpus[cpu == cpus[1].fd].run;
	unsigned int n = 1 + rec[3] % 64, k;

	run->request_interrupt_window = rec[4] & 1;
	run->cr8 = rec[5] & 15;
	while (n--) {
		fuzz_count(1);
		if (hvm_vcpu_run(cpu))
			return;
		switch (run->exit_reason) {
		case HVM_EXIT_IO:
			for (k = 0; k < 64; k++)
				((uint8_t *)run)[run->io.data_offset + k] = fuzz_rnd(r);
			break;
		case HVM_EXIT_MMIO:
			for (k = 0; k < 8; k++)
				run->mmio.data[k] = fuzz_rnd(r);
			break;
		case HVM_EXIT_X86_RDMSR:
		case HVM_EXIT_X86_WRMSR:
			run->msr.error = fuzz_rnd(r) & 1;
			run->msr.data = fuzz_value(r);
			break;
		case HVM_EXIT_HLT:
		case HVM_EXIT_DEBUG:
		case HVM_EXIT_IRQ_WINDOW_OPEN:
		case HVM_EXIT_SET_TPR:
		case HVM_EXIT_IOAPIC_EOI:
			break;
		default:
			return;
		}
	}
}

static void do_xcrs(int cpu, const uint8_t *rec, struct fuzz_rng *r)
{
	struct hvm_xcrs x = { .nr_xcrs = 1 };

	x.xcrs[0].value = rec[3] & 1 ? rec[4] : value(rec + 6, r);
	x.nr_xcrs = rec[5] < 240 ? 1 : rec[5] - 238;
	ioctl(cpu, HVM_SET_XCRS, &x);
}

static void do_debugregs(int cpu, const uint8_t *rec, struct fuzz_rng *r)
{
	struct hvm_debugregs d;

	if (ioctl(cpu, HVM_GET_DEBUGREGS, &d))
		return;
	d.db[rec[3] & 3] = rec[4] & 1 ? FUZZ_CODE + rec[5] : value(rec + 6, r);
	/* enabled breakpoints of a guest end an emulated host */
	d.dr7 = (rec[4] & 2 ? 0x400 : value(rec + 6, r)) & ~0xffull;
	d.dr6 = rec[4] & 4 ? 0xffff0ff0 : value(rec + 6, r);
	ioctl(cpu, HVM_SET_DEBUGREGS, &d);
}

static void do_debug(int cpu, const uint8_t *rec, struct fuzz_rng *r)
{
	struct hvm_guest_debug d = { .control = rec[3] & 3 };

	/* no hardware breakpoints, as above */
	d.control |= (rec[4] & 0x1d) << 16;
	hvm_set_guest_debug(cpu, &d);
}

static void do_inject(int cpu, const uint8_t *rec, struct fuzz_rng *r)
{
	switch (rec[3] % 3) {
	case 0:
		hvm_nmi(cpu);
		break;
	case 1:
		hvm_interrupt(cpu, rec[4]);
		break;
	default:
		hvm_signal_msi(vm, 0xfee00000 | (rec[4] & 3) << 12 | (rec[5] & 12), rec[6] | rec[7] << 8);
	}
}

static void do_mp_state(int cpu, const uint8_t *rec, struct fuzz_rng *r)
{
	hvm_set_mp_state(cpu, rec[3] % 6);
}

static void do_time(int cpu, const uint8_t *rec, struct fuzz_rng *r)
{
	struct hvm_clock_data c = { .clock = value(rec + 6, r) };

	if (rec[3] & 1)
		hvm_set_clock(vm, &c);
	else if (rec[3] & 2)
		hvm_set_tsc_khz(cpu, value(rec + 6, r));
	else
		hvm_set_msr(cpu, rec[3] & 4 ? 0x10 : 0x3b, value(rec + 6, r));
}

static void do_translate(int cpu, const uint8_t *rec, struct fuzz_rng *r)
{
	struct hvm_translation t = { .linear_address = value(rec + 6, r) };

	hvm_translate(cpu, &t);
}

static void do_slot(int cpu, const uint8_t *rec, struct fuzz_rng *r)
{
	uint32_t flags = (rec[3] & 1 ? HVM_MEM_READONLY : 0) | (rec[3] & 2 ? HVM_MEM_LOG_DIRTY_PAGES : 0);
	static uint8_t bitmap[4096];

	switch (rec[4] % 4) {
	case 0:
		hvm_map_memory(vm, 1, 0, 0, 0, NULL);
		hvm_map_memory(vm, 1, flags, FAR, 0x200000, far);
		break;
	case 1:		/* the tables' pages cannot be written, or are gone */
		hvm_map_memory(vm, 0, 0, 0, 0, NULL);
		hvm_map_memory(vm, 0, flags, rec[5] < 64 ? rec[5] << 12 : 0, MEM_SIZE, mem);
		break;
	case 2:
		hvm_get_dirty_log(vm, rec[5] & 1, bitmap);
		break;
	default:
		madvise(rec[5] & 1 ? far : mem, rec[6] << 12, MADV_DONTNEED);
	}
}

static void do_sync(int cpu, const uint8_t *rec, struct fuzz_rng *r)
{
	struct hvm_run *run = cpus[cpu == cpus[1].fd].run;

	run->valid_regs = rec[3] & 7;
	run->dirty_regs = rec[4] & 7;
	if (rec[5] & 1)
		poke(&run->s.regs, sizeof(run->s.regs), rec, r);
	fuzz_spare_host(&run->s.regs.sregs);
}

/* All of one vCPU's state to the other. */
static void do_copy(int cpu, const uint8_t *rec, struct fuzz_rng *r)
{
	static const unsigned long both[][2] = {
		{ HVM_GET_SREGS2, HVM_SET_SREGS2 }, { HVM_GET_REGS, HVM_SET_REGS },
		{ HVM_GET_XCRS, HVM_SET_XCRS }, { HVM_GET_XSAVE2, HVM_SET_XSAVE },
		{ HVM_GET_LAPIC, HVM_SET_LAPIC }, { HVM_GET_DEBUGREGS, HVM_SET_DEBUGREGS },
		{ HVM_GET_MP_STATE, HVM_SET_MP_STATE }, { HVM_GET_VCPU_EVENTS, HVM_SET_VCPU_EVENTS },
	};
	static uint8_t area[65536];
	int to = cpu == cpus[0].fd ? cpus[1].fd : cpus[0].fd;
	unsigned int i;

	for (i = 0; i < N(both); i++)
		if ((rec[3] & 1 || rec[4] >> i & 1) && !ioctl(cpu, both[i][0], area))
			ioctl(to, both[i][1], area);
}

static void do_cap(int cpu, const uint8_t *rec, struct fuzz_rng *r)
{
	static const uint16_t caps[] = {
		HVM_CAP_X86_USER_SPACE_MSR, HVM_CAP_EXCEPTION_PAYLOAD,
		HVM_CAP_X86_TRIPLE_FAULT_EVENT, HVM_CAP_EXIT_ON_EMULATION_FAILURE,
		HVM_CAP_X2APIC_API, HVM_CAP_MANUAL_DIRTY_LOG_PROTECT2,
	};

	hvm_enable_cap(vm, caps[rec[3] % N(caps)], rec[4] & 7);
}

/* Add at the end only. */
static const struct {
	const char *name;
	void (*fn)(int cpu, const uint8_t *rec, struct fuzz_rng *r);
} rows[] = {
	{ "run", do_run }, { "run", do_run }, { "run", do_run }, { "run", do_run },
	{ "mode", do_mode }, { "mode", do_mode }, { "code", do_code }, { "code", do_code },
	{ "bytes", do_bytes }, { "sregs", do_sregs }, { "control", do_control },
	{ "regs", do_regs }, { "msr", do_msr }, { "pv_msr", do_pv_msr }, { "cpuid", do_cpuid },
	{ "xsave", do_xsave }, { "fpu", do_fpu }, { "lapic", do_lapic }, { "events", do_events },
	{ "table", do_table }, { "xcrs", do_xcrs }, { "debugregs", do_debugregs },
	{ "debug", do_debug }, { "inject", do_inject }, { "mp_state", do_mp_state },
	{ "time", do_time }, { "translate", do_translate }, { "slot", do_slot },
	{ "sync", do_sync }, { "copy", do_copy }, { "cap", do_cap }, { "events", do_events },
	{ "table", do_table }, { "msr", do_msr },
};

/* ---- carrying an input out ---- */

static uint8_t *map(size_t size)
{
	uint8_t *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		_exit(3);
	return p;
}

/* The first byte of an input decides whether there are local APICs. */
static void set_scene(const uint8_t *rec)
{
	struct hvm_cpuid2 *cpuid;
	unsigned int i;

	dev = hvm_open(NULL);
	if (dev < 0)
		_exit(4);
	vm = hvm_create_vm(dev, 0);
	mem = map(MEM_SIZE);
	far = map(0x200000);
	fuzz_tables(mem);
	hvm_map_memory(vm, 0, 0, 0, MEM_SIZE, mem);
	hvm_map_memory(vm, 1, 0, FAR, 0x200000, far);
	chip = rec[15] & 3;
	if (chip)
		hvm_split_irqchip(vm, 24);
	if (hvm_get_supported_cpuid(dev, &cpuid))
		_exit(4);
	for (i = 0; i < N(cpus); i++) {
		if (hvm_vcpu_open(dev, vm, i, &cpus[i]))
			_exit(4);
		hvm_set_cpuid2(cpus[i].fd, cpuid);
		hvm_set_mp_state(cpus[i].fd, HVM_MP_STATE_RUNNABLE);
	}
	free(cpuid);
}

static void begin(void)
{
	struct sigaction sa = { .sa_handler = on_alarm };

	sigaction(SIGALRM, &sa, NULL);
	fuzz_cover(0);
}

static void run(const struct fuzz_input *in)
{
	struct itimerval on = { { 0, 2000 }, { 0, 2000 } }, off = { };
	struct fuzz_rng r;
	unsigned int i;

	if (!in->n)
		return;
	set_scene(in->rec[0]);
	ticks = 0;
	setitimer(ITIMER_REAL, &on, NULL);
	for (i = 0; i < in->n; i++) {
		const uint8_t *rec = in->rec[i];

		fuzz_seed(&r, rec[2]);
		rows[rec[0] % N(rows)].fn(cpus[rec[1] >> 7].fd, rec, &r);
		fuzz_count(1);
	}
	setitimer(ITIMER_REAL, &off, NULL);
	for (i = 0; i < N(cpus); i++)
		hvm_vcpu_close(&cpus[i]);
	munmap(mem, MEM_SIZE);
	munmap(far, 0x200000);
}

static void show(const uint8_t *rec, char *text, size_t size)
{
	int n = snprintf(text, size, "vCPU %u: %s, seed %u:", rec[1] >> 7,
			 rows[rec[0] % N(rows)].name, rec[2]);
	unsigned int i;

	for (i = 3; i < FUZZ_RECORD && n < (int)size - 4; i++)
		n += snprintf(text + n, size - n, " %02x", rec[i]);
}

int main(int argc, char **argv)
{
	static const struct fuzz_target t = { "state_fuzz", N(rows), begin, run, show };

	return fuzz_main(argc, argv, &t);
}
