// SPDX-License-Identifier: GPL-2.0-only
/*
 * exit_cost: what one exit, one call, one fault costs, in ticks of the
 * time-stamp counter; in an emulated host that advances it by one tick per
 * instruction these are instructions (KiB in rows that end in "memory"). The same binary measures any device:
 * HVM_DEVICE names it.
 *
 * usage: exit_cost [--json] [--quick] [--operations] [ROW...]
 *
 * Each row is a function that returns the cost of one of what its name says.
 * A row repeats its measurement in batches and keeps the cheapest batch, so
 * that the host's own timer tick does not count. What userspace sees (an
 * exit there and back) is timed outside, what the kernel handles is timed by
 * the guest. One process, one thread per vCPU that needs one.
 */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/resource.h>

#include "guest.h"

#define BATCHES	8
#define LOOPS	200
#define MEM	0x10000000ul
#define DEVICE	0xd0000000ul
#define VEC	0x60

static bool quick;

/*
 * What is measured stands between BEGIN() and END(), in the program or in its
 * guest. Both execute a NOP that lab/profile counts between; operations counts
 * what was done in all intervals, over which it divides.
 */
static volatile uint64_t operations;
static volatile bool warming;		/* this does not count */

#define NOP_MARK(on) asm volatile("xchg %%bx, %%bx; "			\
			      ".byte 0x0f, 0x1f, 0x80, %c0, 0x6d, 0x76, 0x68" \
			      : : "i"(on) : "memory")

#define MARK(on) do {							\
	if (!warming)							\
		NOP_MARK(on);						\
} while (0)

#define BEGIN() ({ MARK(1); rdtsc(); })

/* A cost is in tenths: a page of the dirty log takes few instructions. */
#define TENTHS	10

/* since BEGIN(), for one of @n */
#define END(since, n) ({						\
	uint64_t ticks_ = rdtsc() - (since);				\
									\
	MARK(0);							\
	operations += warming ? 0 : (n);				\
	(ticks_ * TENTHS + (n) / 2) / (n);				\
})

/* the cheapest of @n batches of @expr, which gives the cost of one batch */
#define BEST(n, expr) ({						\
	uint64_t best_ = -1ull, v_;					\
	int i_;								\
									\
	for (i_ = 0; i_ < (quick ? 2 : (n)); i_++) {			\
		v_ = (expr);						\
		if (v_ < best_)						\
			best_ = v_;					\
	}								\
	best_;								\
})

static void expect(int want, int got, const char *what)
{
	if (want == got)
		return;
	fprintf(stderr, "exit_cost: %s: got %d, not %d\n", what, got, want);
	exit(1);
}

static struct gcpu *start(enum gvm_irqchip chip, void (*fn)(void))
{
	return gcpu_new(gvm_new(chip), 0, fn);
}

static void finish(struct gcpu *c)
{
	struct gvm *vm = c->vm;

	gcpu_free(c);
	gvm_free(vm);
}

/* ---- to userspace and back ---- */

static void g_out(void)
{
	for (;;)
		outb(0x10, 1);
}

static void g_in(void)
{
	for (;;)
		inb(0x10);
}

static void g_mmio_write(void)
{
	for (;;)
		mmio_write32(DEVICE, 1);
}

static void g_mmio_read(void)
{
	for (;;)
		mmio_read32(DEVICE);
}

static void g_halt(void)
{
	for (;;)
		hlt();
}

static void g_string(void)
{
	static uint8_t page[PAGE_SIZE] __attribute__((aligned(4096)));
	uint64_t di, n;

	for (;;) {
		di = (uintptr_t)page;
		n = PAGE_SIZE;
		asm volatile("cld; rep insb" : "+D"(di), "+c"(n) : "d"(0x10)
			     : "memory");
		outb(0x11, 0);
	}
}

static uint64_t batch_of_runs(struct gcpu *c, int n)
{
	uint64_t a = BEGIN();
	int i;

	for (i = 0; i < n; i++)
		ioctl(c->fd, HVM_RUN, 0);
	return END(a, n);
}

static uint64_t exits(void (*fn)(void), int reason)
{
	struct gcpu *c = start(GVM_NO_IRQCHIP, fn);
	uint64_t v;

	warming = true;
	batch_of_runs(c, 20);
	warming = false;
	v = BEST(BATCHES, batch_of_runs(c, LOOPS));
	expect(reason, c->run->exit_reason, "exit");
	finish(c);
	return v;
}

static uint64_t pio_out(void) { return exits(g_out, HVM_EXIT_IO); }
static uint64_t pio_in(void) { return exits(g_in, HVM_EXIT_IO); }
static uint64_t mmio_write(void) { return exits(g_mmio_write, HVM_EXIT_MMIO); }
static uint64_t mmio_read(void) { return exits(g_mmio_read, HVM_EXIT_MMIO); }
static uint64_t hlt_exit(void) { return exits(g_halt, HVM_EXIT_HLT); }

/* one page by REP INSB, however many exits that takes */
static uint64_t one_string(struct gcpu *c)
{
	uint64_t a = BEGIN();

	do
		ioctl(c->fd, HVM_RUN, 0);
	while (c->run->io.port != 0x11);
	return END(a, 1);
}

static uint64_t pio_string_4k(void)
{
	struct gcpu *c = start(GVM_NO_IRQCHIP, g_string);
	uint64_t v;

	warming = true;
	one_string(c);
	warming = false;
	v = BEST(20, one_string(c));
	finish(c);
	return v;
}

/* ---- calls ---- */

static uint64_t batch_of_calls(int fd, unsigned long cmd, void *arg)
{
	uint64_t a = BEGIN();
	int i;

	for (i = 0; i < LOOPS; i++)
		ioctl(fd, cmd, arg);
	return END(a, LOOPS);
}

static uint64_t ioctl_floor(void)
{
	int dev = hvm_open(NULL);
	uint64_t v = BEST(BATCHES, batch_of_calls(dev, HVM_GET_API_VERSION, 0));

	close(dev);
	return v;
}

static uint64_t run_immediate(void)
{
	struct gcpu *c = start(GVM_NO_IRQCHIP, g_out);
	uint64_t v;

	c->run->immediate_exit = 1;
	v = BEST(BATCHES, batch_of_calls(c->fd, HVM_RUN, 0));
	finish(c);
	return v;
}

static uint64_t state_call(unsigned long get, unsigned long set)
{
	struct gcpu *c = start(GVM_SPLIT, g_out);
	static uint8_t buf[8192];
	uint64_t v;

	ioctl(c->fd, get, buf);
	v = BEST(BATCHES, batch_of_calls(c->fd, set ? set : get, buf));
	finish(c);
	return v;
}

static uint64_t get_regs(void) { return state_call(HVM_GET_REGS, 0); }
static uint64_t set_regs(void)
{
	return state_call(HVM_GET_REGS, HVM_SET_REGS);
}
static uint64_t get_sregs(void) { return state_call(HVM_GET_SREGS, 0); }
static uint64_t set_sregs(void)
{
	return state_call(HVM_GET_SREGS, HVM_SET_SREGS);
}

/* ---- handled in the kernel, timed by the guest ---- */

#define NO_SETUP do { } while (0)
#define GUEST_BATCH(name, setup, insn)					\
static void g_##name(void)						\
{									\
	uint64_t a, i;							\
									\
	setup;								\
	for (;;) {							\
		a = BEGIN();						\
		for (i = 0; i < LOOPS; i++) {				\
			insn;						\
		}							\
		GUEST_SYNC(END(a, LOOPS));				\
	}								\
}

static uint64_t guest_batch(struct gcpu *c)
{
	expect(UCALL_SYNC, gcpu_run(c), "guest's batch");
	return c->uc.arg[0];
}

/* a batch that is not measured */
static void warm_up(struct gcpu *c)
{
	warming = true;
	guest_batch(c);
	warming = false;
}

static uint64_t inside(void (*fn)(void))
{
	struct gcpu *c = start(GVM_SPLIT, fn);
	uint64_t v;

	warm_up(c);
	v = BEST(BATCHES, guest_batch(c));
	finish(c);
	return v;
}

#define INSIDE(name, setup, insn)					\
GUEST_BATCH(name, setup, insn)						\
static uint64_t name(void) { return inside(g_##name); }

static volatile uint64_t irqs;

static void on_irq(struct trap_frame *f)
{
	irqs++;
	xapic_write(APIC_EOI, 0);
}

static void on_irq_x2(struct trap_frame *f)
{
	irqs++;
	wrmsr(MSR_X2APIC(APIC_EOI), 0);
}

static void use_deadline(void)
{
	x2apic_enable();
	wrmsr(MSR_X2APIC(APIC_LVTT), VEC | APIC_LVT_DEADLINE);
}

static void use_ipis(void)
{
	x2apic_enable();
	guest_handlers[VEC] = on_irq_x2;
	sti();
}

INSIDE(cpuid, NO_SETUP, cpuid_count(0, 0))
INSIDE(hypercall, NO_SETUP, guest_hypercall(9999, 0, 0))
INSIDE(rdmsr_exit, NO_SETUP, rdmsr(MSR_MISC_ENABLE))
INSIDE(wrmsr_exit, NO_SETUP, wrmsr(MSR_PAT, 0x0007040600070406))
INSIDE(tsc_deadline, use_deadline(), wrmsr(MSR_TSC_DEADLINE, rdtsc() + (1ull << 40)))
INSIDE(self_ipi, use_ipis(), wrmsr(MSR_X2APIC(APIC_ICR), ICR_SELF | VEC))
INSIDE(lapic_read, xapic_enable(), xapic_read(APIC_LVT0))
INSIDE(lapic_write, xapic_enable(), xapic_write(APIC_TPR, 0))
INSIDE(empty_loop, NO_SETUP, asm volatile(""))

/* the wake-up alone: from the deadline to the handler's end */
static void g_hlt_timer(void)
{
	uint64_t sum, i, when;

	x2apic_enable();
	guest_handlers[VEC] = on_irq_x2;
	wrmsr(MSR_X2APIC(APIC_LVTT), VEC | APIC_LVT_DEADLINE);
	for (;;) {
		MARK(1);
		for (sum = 0, i = 0; i < 20; i++) {
			when = rdtsc() + 500000;
			wrmsr(MSR_TSC_DEADLINE, when);
			sti_hlt();
			cli();
			sum += rdtsc() - when;
		}
		MARK(0);
		operations += warming ? 0 : 20;
		GUEST_SYNC(sum * TENTHS / 20);
	}
}

/* where in the host's own time the deadline falls makes a difference here */
static uint64_t hlt_timer(void)
{
	struct gcpu *c = start(GVM_SPLIT, g_hlt_timer);
	uint64_t v;

	warm_up(c);
	v = BEST(6 * BATCHES, guest_batch(c));
	finish(c);
	return v;
}

/* ---- two vCPUs ---- */

static volatile uint64_t stop, done;

static void x2apic_with_irq(void)
{
	x2apic_enable();
	guest_handlers[VEC] = on_irq_x2;
}

static void send_to(uint32_t id)
{
	wrmsr(MSR_X2APIC(APIC_ICR), (uint64_t)id << 32 | VEC);
}

/* each wakes the other and sleeps */
static void g_ping(void)
{
	uint64_t a, i;

	x2apic_with_irq();
	GUEST_SYNC(0);
	for (;;) {
		a = BEGIN();
		for (i = 0; i < LOOPS / 4; i++) {
			send_to(1);
			sti_hlt();
			cli();
		}
		GUEST_SYNC(END(a, LOOPS / 2));
	}
}

static void g_pong(void)
{
	x2apic_with_irq();
	done = 1;
	for (;;) {
		sti_hlt();
		cli();
		send_to(0);
	}
}

/* both on one processor: a wake-up here is a switch between threads too */
static uint64_t ipi_wake(void)
{
	struct gcpu *c = start(GVM_SPLIT, g_ping);
	struct gcpu *d = gcpu_new(c->vm, 1, g_pong);
	cpu_set_t one, all;
	uint64_t v;
	int cpu;

	sched_getaffinity(0, sizeof(all), &all);
	host_cpus(&cpu, 1);
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	sched_setaffinity(0, sizeof(one), &one);
	hvm_set_mp_state(d->fd, HVM_MP_STATE_RUNNABLE);
	done = 0;
	expect(UCALL_SYNC, gcpu_run(c), "first vCPU");
	gcpu_start(d);
	wait_for(&done, 1, 5);
	usleep(1000);
	v = BEST(BATCHES, guest_batch(c));
	gcpu_stop(d);
	gcpu_free(d);
	finish(c);
	sched_setaffinity(0, sizeof(all), &all);
	return v;
}

/* ---- interrupts from outside ---- */

static void g_take(void)
{
	guest_handlers[VEC] = on_irq;
	xapic_enable();
	for (;;) {
		sti_nop();
		cli();
		outb(0x10, 0);
	}
}

static int kick = -1;

static void by_eventfd(struct gcpu *c)
{
	uint64_t one = 1;

	if (write(kick, &one, 8) != 8)
		exit(1);
}

static void by_msi(struct gcpu *c)
{
	struct hvm_msi m = { .address_lo = APIC_GPA, .data = VEC };

	ioctl(c->vm->fd, HVM_SIGNAL_MSI, &m);
}

/*
 * QEMU's TCG delivers one in 100,000 twice, on KVM and hvm alike: a batch with
 * one too many does not count.
 */
static uint64_t batch_of_irqs(struct gcpu *c, void (*raise)(struct gcpu *))
{
	uint64_t n = irqs, a = BEGIN();
	int i;

	for (i = 0; i < LOOPS; i++) {
		raise(c);
		ioctl(c->fd, HVM_RUN, 0);
	}
	a = END(a, LOOPS);
	if (irqs - n > LOOPS)
		return -1ull;
	expect(LOOPS, irqs - n, "interrupts");
	return a;
}

/* from the raising call to the guest's EOI, without the exit that ends it */
static uint64_t raised(void (*raise)(struct gcpu *))
{
	struct gcpu *c = start(GVM_SPLIT, g_take);
	uint64_t v, exit;

	kick = eventfd(0, EFD_NONBLOCK);
	gvm_route_msi(c->vm, 1, VEC);
	hvm_irqfd(c->vm->fd, kick, 0, 0, 0);
	ioctl(c->fd, HVM_RUN, 0);
	warming = true;
	exit = BEST(BATCHES, batch_of_runs(c, LOOPS));
	batch_of_irqs(c, raise);
	warming = false;
	v = BEST(BATCHES, batch_of_irqs(c, raise));
	if (v == -1ull)
		expect(0, 1, "interrupts too many in each batch");
	close(kick);
	finish(c);
	return v - exit;
}

static uint64_t irqfd(void) { return raised(by_eventfd); }
static uint64_t signal_msi(void) { return raised(by_msi); }

GUEST_BATCH(bell_pio, NO_SETUP, outb(0x20, 1))
GUEST_BATCH(bell_mmio, NO_SETUP, mmio_write32(DEVICE, 1))

static uint64_t bell(void (*fn)(void), uint64_t addr, uint32_t len,
		     uint32_t flags)
{
	struct gcpu *c = start(GVM_SPLIT, fn);
	int ev = eventfd(0, EFD_NONBLOCK);
	uint64_t v;

	expect(0, hvm_ioeventfd(c->vm->fd, ev, addr, len, flags, 0),
	       "IOEVENTFD");
	warm_up(c);
	v = BEST(BATCHES, guest_batch(c));
	close(ev);
	finish(c);
	return v;
}

static uint64_t ioeventfd_pio(void)
{
	return bell(g_bell_pio, 0x20, 1, HVM_IOEVENTFD_FLAG_PIO);
}

static uint64_t ioeventfd_mmio(void)
{
	return bell(g_bell_mmio, DEVICE, 4, 0);
}

static uint64_t ioeventfd_wild(void)
{
	return bell(g_bell_mmio, DEVICE, 0, 0);
}

/* ---- memory ---- */

static volatile uint64_t walk_size, walk_step, walk_write;

static void g_walk(void)
{
	volatile uint8_t *p = (void *)MEM;
	uint64_t a, i;

	for (;;) {
		a = BEGIN();
		if (walk_write)
			for (i = 0; i < walk_size; i += walk_step)
				p[i] = 1;
		else
			for (i = 0; i < walk_size; i += walk_step)
				(void)p[i];
		GUEST_SYNC(END(a, walk_size / walk_step));
	}
}

#define PAGES	10240ul
#define SIZE	(PAGES * PAGE_SIZE)

struct walk {
	struct gcpu *c;
	uint8_t *p;
};

static struct walk new_walk(bool huge, bool there, uint64_t step)
{
	struct walk w = { .c = start(GVM_SPLIT, g_walk),
			  .p = map_aligned(SIZE) };
	uint64_t i;

	madvise(w.p, SIZE, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	for (i = 0; there && i < SIZE; i += PAGE_SIZE)
		w.p[i] = 1;
	gvm_slot(w.c->vm, 2, 0, MEM, SIZE, w.p);
	/* page tables and the path itself, before the clock runs */
	walk_write = 0;
	walk_step = PAGE_SIZE;
	walk_size = PAGE_SIZE;
	warm_up(w.c);
	walk_write = 1;
	walk_step = step;
	walk_size = SIZE;
	return w;
}

static void end_walk(struct walk *w)
{
	finish(w->c);
	munmap(w->p, SIZE);
}

static uint64_t one_walk(bool huge, bool there, uint64_t step)
{
	struct walk w = new_walk(huge, there, step);
	uint64_t v = guest_batch(w.c);

	end_walk(&w);
	return v;
}

static uint64_t stage2_4k(void)
{
	return BEST(3, one_walk(false, true, PAGE_SIZE));
}

static uint64_t stage2_4k_cold(void)
{
	return BEST(3, one_walk(false, false, PAGE_SIZE));
}

static uint64_t stage2_2m(void)
{
	return BEST(3, one_walk(true, true, SZ_2M));
}

/* one that has written every page */
static struct walk mapped_walk(void)
{
	struct walk w = new_walk(false, true, PAGE_SIZE);

	warm_up(w.c);
	return w;
}

/* the host took its pages away for a moment: they are there, the entries gone */
static uint64_t refault(struct walk *w)
{
	mprotect(w->p, SIZE, PROT_NONE);
	mprotect(w->p, SIZE, PROT_READ | PROT_WRITE);
	return guest_batch(w->c);
}

static uint64_t stage2_refault(void)
{
	struct walk w = mapped_walk();
	uint64_t v;

	walk_write = 0;
	v = BEST(3, refault(&w));
	end_walk(&w);
	return v;
}

static void log_dirty(struct walk *w)
{
	gvm_slot(w->c->vm, 2, HVM_MEM_LOG_DIRTY_PAGES, MEM, SIZE, w->p);
}

static uint64_t one_enable(void)
{
	struct walk w = mapped_walk();
	uint64_t v = BEGIN();

	log_dirty(&w);
	v = END(v, PAGES);
	end_walk(&w);
	return v;
}

static uint64_t one_dirty_walk(void)
{
	struct walk w = mapped_walk();
	uint64_t v;

	log_dirty(&w);
	v = guest_batch(w.c);
	end_walk(&w);
	return v;
}

static uint64_t one_get(void)
{
	static uint64_t bits[PAGES / 64];
	struct walk w = mapped_walk();
	uint64_t v, i;

	log_dirty(&w);
	warm_up(w.c);
	v = BEGIN();
	hvm_get_dirty_log(w.c->vm->fd, 2, bits);
	v = END(v, PAGES);
	for (i = 0; i < PAGES; i++)
		if (!(bits[i / 64] >> i % 64 & 1))
			expect(1, 0, "dirty log");
	end_walk(&w);
	return v;
}

static uint64_t dirty_enable(void) { return BEST(2, one_enable()); }
static uint64_t dirty_fault(void) { return BEST(2, one_dirty_walk()); }
static uint64_t dirty_get(void) { return BEST(2, one_get()); }

static uint64_t one_delete(void)
{
	struct walk w = mapped_walk();
	uint64_t v = BEGIN();

	gvm_slot(w.c->vm, 2, 0, 0, 0, NULL);
	v = END(v, 1);
	end_walk(&w);
	return v;
}

static uint64_t slot_delete(void)
{
	return BEST(3, one_delete());
}

/* ---- VMs ---- */

struct idle_vm {
	int vm, vcpu;
};

static void new_idle(int dev, struct idle_vm *v, void *mem)
{
	v->vm = hvm_create_vm(dev, 0);
	hvm_map_memory(v->vm, 0, 0, 0, SZ_2M, mem);
	v->vcpu = hvm_create_vcpu(v->vm, 0);
	if (v->vcpu < 0)
		expect(0, v->vcpu, "a VM more");
}

static void end_idle(struct idle_vm *v)
{
	close(v->vcpu);
	close(v->vm);
}

static uint64_t one_life(int dev, void *mem)
{
	struct idle_vm v;
	uint64_t a = BEGIN();

	new_idle(dev, &v, mem);
	end_idle(&v);
	return END(a, 1);
}

static struct idle_vm *many_idle(int dev, int n, void *mem)
{
	struct idle_vm *v = calloc(n, sizeof(*v));
	int i;

	for (i = 0; i < n; i++)
		new_idle(dev, &v[i], mem);
	return v;
}

static void end_many(struct idle_vm *v, int n)
{
	int i;

	for (i = 0; i < n; i++)
		end_idle(&v[i]);
	free(v);
}

/* what one more costs while @others live */
static uint64_t lives(int others)
{
	void *mem = map_aligned(SZ_2M);
	int dev = hvm_open(NULL);
	struct idle_vm *v = many_idle(dev, others, mem);
	uint64_t cost = BEST(4, one_life(dev, mem));

	end_many(v, others);
	close(dev);
	munmap(mem, SZ_2M);
	return cost;
}

static uint64_t vm_lifecycle(void) { return lives(0); }
static uint64_t vm_100(void) { return lives(100); }
static uint64_t vm_500(void) { return lives(500); }

/* free pages, and those that each processor keeps in stock, in KiB */
static long free_kib(void)
{
	FILE *f = fopen("/proc/zoneinfo", "r");
	long pages = 0, n;
	char line[128];

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, " nr_free_pages %ld", &n) == 1 ||
		    sscanf(line, " count: %ld", &n) == 1)
			pages += n;
	if (f)
		fclose(f);
	return pages * (PAGE_SIZE / 1024);
}

#define WEIGHED	100

/* KiB that an idle VM takes; the first ones use up slabs of earlier ones */
static uint64_t vm_kernel_memory(void)
{
	void *mem = map_aligned(SZ_2M);
	int dev = hvm_open(NULL);
	struct idle_vm *first = many_idle(dev, 20, mem), *then;
	long before = free_kib();
	uint64_t kib;

	then = many_idle(dev, WEIGHED, mem);
	kib = (before - free_kib()) * TENTHS / WEIGHED;
	end_many(then, WEIGHED);
	end_many(first, 20);
	close(dev);
	munmap(mem, SZ_2M);
	return kib;
}

/* ---- the table ---- */

static const struct row {
	const char *name;
	uint64_t (*measure)(void);
	bool only_by_name;
} rows[] = {
#define ROW(n) { #n, n, false }
	ROW(ioctl_floor), ROW(run_immediate), ROW(pio_out), ROW(pio_in),
	ROW(mmio_write), ROW(mmio_read), ROW(hlt_exit), ROW(pio_string_4k),
	ROW(cpuid), ROW(hypercall), { "rdmsr", rdmsr_exit, false },
	{ "wrmsr", wrmsr_exit, false }, ROW(tsc_deadline), ROW(self_ipi),
	ROW(ipi_wake), ROW(hlt_timer), ROW(lapic_read), ROW(lapic_write),
	ROW(irqfd), ROW(signal_msi), ROW(ioeventfd_pio), ROW(ioeventfd_mmio),
	ROW(ioeventfd_wild), ROW(stage2_4k), ROW(stage2_4k_cold),
	ROW(stage2_2m), ROW(stage2_refault), ROW(dirty_enable),
	ROW(dirty_fault), ROW(dirty_get), ROW(slot_delete), ROW(get_regs),
	ROW(set_regs), ROW(get_sregs), ROW(set_sregs), ROW(vm_lifecycle),
	ROW(vm_100), ROW(vm_kernel_memory), ROW(vm_500),
	{ "empty_loop", empty_loop, true },
};

static bool wanted(const struct row *r, int argc, char **argv)
{
	int i, names = 0;

	for (i = 1; i < argc; i++) {
		if (argv[i][0] == '-')
			continue;
		names++;
		if (!strcmp(argv[i], r->name))
			return true;
	}
	return !names && !r->only_by_name;
}

static void print_tenths(uint64_t v)
{
	if (v >= 1000 * TENTHS)
		printf("%llu", (unsigned long long)(v + TENTHS / 2) / TENTHS);
	else
		printf("%llu.%llu", (unsigned long long)v / TENTHS,
		       (unsigned long long)v % TENTHS);
}

int main(int argc, char **argv)
{
	bool json = false, count = false, first = true;
	size_t i;
	int j;

	for (j = 1; j < argc; j++) {
		if (!strcmp(argv[j], "--json")) {
			json = true;
		} else if (!strcmp(argv[j], "--quick")) {
			quick = true;
		} else if (!strcmp(argv[j], "--operations")) {
			count = true;
		} else if (argv[j][0] == '-') {
			fprintf(stderr, "usage: exit_cost [--json] [--quick] [--operations] [ROW...]\n");
			return 2;
		}
	}
	setrlimit(RLIMIT_NOFILE, &(struct rlimit){ 4096, 4096 });
	if (json)
		printf("{");
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		uint64_t v;

		if (!wanted(&rows[i], argc, argv))
			continue;
		v = rows[i].measure();
		if (json)
			printf("%s\"%s\": ", first ? "" : ", ", rows[i].name);
		else
			printf("%s ", rows[i].name);
		print_tenths(v);
		if (count)
			printf(" %llu", (unsigned long long)operations);
		if (!json)
			printf("\n");
		fflush(stdout);
		first = false;
	}
	if (json)
		printf("}\n");
	return 0;
}
