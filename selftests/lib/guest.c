// SPDX-License-Identifier: GPL-2.0-only
/*
 * guest.c: builds the guests that guest.h describes, runs their vCPUs, and
 * holds the few functions that run inside of them. The design is at the top
 * of guest.h. A thread of gcpu_start() owns its vCPU until gcpu_join() or
 * gcpu_stop() has returned.
 */
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <time.h>

#include "guest.h"

void (*guest_handlers[256])(struct trap_frame *f);
void (*ap_entry)(void);

extern char __executable_start[], _end[];

/* ---- the guest's side ---- */

void guest_ucall(uint64_t cmd, uint64_t a0, uint64_t a1, uint64_t a2,
		 const char *text, uint64_t line)
{
	struct ucall uc = {
		.cmd = cmd, .arg = { a0, a1, a2 }, .text = text, .line = line,
	};

	asm volatile("outl %0, %w1" :: "a"((uint32_t)(uintptr_t)&uc),
		     "d"(UCALL_PORT) : "memory");
}

void guest_done(void)
{
	for (;;)
		guest_ucall(UCALL_DONE, 0, 0, 0, NULL, 0);
}

/* ring 3 comes back through here, with the way back on the ring-0 stack */
static uint64_t user_return_sp;

void guest_trap(struct trap_frame *f)
{
	if ((uint32_t)f->r10 == SAFE_MAGIC && f->vector < 32 &&
	    f->vector != VEC_NMI) {
		f->rip = f->r9;
		f->r10 = f->vector;
		f->r11 = f->error;
		return;
	}
	if (guest_handlers[f->vector]) {
		guest_handlers[f->vector](f);
		return;
	}
	guest_ucall(UCALL_ABORT, f->vector, f->rip, 2, "unexpected trap",
		    f->error);
}

uint64_t guest_hypercall(uint64_t nr, uint64_t a0, uint64_t a1)
{
	static int amd = -1;
	uint64_t ret;

	if (amd < 0)
		amd = host_is_amd();
	if (amd)
		asm volatile("vmmcall" : "=a"(ret) : "a"(nr), "b"(a0), "c"(a1)
			     : "memory");
	else
		asm volatile("vmcall" : "=a"(ret) : "a"(nr), "b"(a0), "c"(a1)
			     : "memory");
	return ret;
}

void guest_start_ap(uint32_t apic_id)
{
	xapic_icr(apic_id, ICR_INIT | ICR_LEVEL | ICR_ASSERT);
	xapic_icr(apic_id, ICR_SIPI | (LOW_TRAMP >> 12));
	xapic_icr(apic_id, ICR_SIPI | (LOW_TRAMP >> 12));
}

static void user_exit_trap(struct trap_frame *f)
{
	/* resume guest_user_call() in ring 0 on its own stack */
	f->rip = *(uint64_t *)user_return_sp;
	f->rsp = user_return_sp + 8;
	f->cs = SEL_CODE64;
	f->ss = SEL_DATA;
	f->rflags = RFLAGS_FIXED;
}

/* vector 0xfe has a gate that ring 3 may use */
void guest_user_exit(void)
{
	asm volatile("int $0xfe" ::: "memory");
}

void guest_enter_user(void (*fn)(void), uint64_t stack, uint64_t *save);

/* run @fn in ring 3; it must end with guest_user_exit() */
void guest_user_call(void (*fn)(void), uint64_t stack)
{
	guest_handlers[0xfe] = user_exit_trap;
	guest_enter_user(fn, stack - 8, &user_return_sp);
}

/* ---- the host's side ---- */

void lib_die(const char *what, int err)
{
	fflush(stdout);
	fprintf(stderr, "# %s: %s\n", what, strerror(err < 0 ? -err : err));
	_exit(1);
}

const char *device_path(void)
{
	return hvm_device_path(NULL);
}

bool device_is_hvm(void)
{
	char path[PATH_MAX];
	const char *base;

	if (!realpath(device_path(), path))
		return false;
	base = strrchr(path, '/');
	return base && !strcmp(base, "/hvm");
}

int module_option(const char *name)
{
	char path[128], v = 0;
	int fd;

	snprintf(path, sizeof(path), "/sys/module/hvm/parameters/%s", name);
	fd = open(path, O_RDONLY);
	if (fd < 0 || read(fd, &v, 1) != 1 || v == '-')
		v = 0;
	if (fd >= 0)
		close(fd);
	return v ? v - '0' : -1;
}

int have_cap(long cap)
{
	int dev = hvm_open(NULL);
	int ret = dev < 0 ? 0 : hvm_check_extension(dev, cap);

	if (dev >= 0)
		close(dev);
	return ret > 0 ? ret : 0;
}

void *map_aligned(size_t size)
{
	uint8_t *p = mmap(NULL, size + SZ_2M, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	uint8_t *q = (uint8_t *)(((uintptr_t)p + SZ_2M - 1) & ~(SZ_2M - 1));

	if (p == MAP_FAILED)
		lib_die("mmap", errno);
	if (q > p)
		munmap(p, q - p);
	munmap(q + size, p + SZ_2M - q);
	return q;
}

static uint64_t *low_table(struct gvm *vm, uint64_t gpa)
{
	return (uint64_t *)(vm->low + gpa);
}

static void set_gate(struct gvm *vm, unsigned int i)
{
	uint64_t at = (uintptr_t)guest_vectors + i * 16;
	uint64_t dpl = i == 0xfe || i == VEC_BP ? 3 : 0;
	uint64_t *gate = low_table(vm, LOW_IDT + i * 16);

	gate[0] = (at & 0xffff) | SEL_CODE64 << 16 |
		  (0x8e00ull | dpl << 13) << 32 | (at >> 16 & 0xffff) << 48;
	gate[1] = at >> 32;
}

static void build_tables(struct gvm *vm)
{
	static const uint64_t gdt[] = {
		0, 0x00af9b000000ffff, 0x00cf93000000ffff, 0x00cf9b000000ffff,
		0x000f9b000000ffff, 0x000f93000000ffff, 0x00affb000000ffff,
		0x00cff3000000ffff,
	};
	uint64_t *pd = low_table(vm, LOW_PD), i;

	memcpy(vm->low + LOW_GDT, gdt, sizeof(gdt));
	for (i = 0; i < LOW_MAX_VCPUS; i++) {
		uint64_t tss = LOW_TSS + i * 128;
		uint64_t *d = low_table(vm, LOW_GDT + SEL_TSS(i));
		uint64_t sp0 = LOW_STACKS + i * LOW_STACK_SIZE +
			       LOW_STACK_SIZE / 2;

		d[0] = 0x67 | tss << 16 | 0x8bull << 40;
		memcpy(vm->low + tss + 4, &sp0, 8);
	}
	for (i = 0; i < 256; i++)
		set_gate(vm, i);
	*low_table(vm, LOW_PML4) = LOW_PDPT | PTE_P | PTE_W | PTE_U;
	for (i = 0; i < 4; i++)
		low_table(vm, LOW_PDPT)[i] = (LOW_PD + i * PAGE_SIZE) | PTE_P |
					     PTE_W | PTE_U;
	for (i = 0; i < 2048; i++)
		pd[i] = i << 21 | PTE_P | PTE_W | PTE_U | PTE_PS;
	memcpy(vm->low + LOW_TRAMP, ap_trampoline,
	       ap_trampoline_end - ap_trampoline);
}

int gvm_slot(struct gvm *vm, uint32_t slot, uint32_t flags, uint64_t gpa,
	     uint64_t size, void *host)
{
	return hvm_map_memory(vm->fd, slot, flags, gpa, size, host);
}

struct gvm *gvm_new(enum gvm_irqchip irqchip)
{
	uintptr_t start = (uintptr_t)__executable_start & ~(PAGE_SIZE - 1);
	uintptr_t end = ((uintptr_t)_end + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
	struct gvm *vm = calloc(1, sizeof(*vm));
	int err;

	vm->dev = hvm_open(NULL);
	if (vm->dev < 0)
		lib_die(device_path(), vm->dev);
	vm->fd = hvm_create_vm(vm->dev, 0);
	if (vm->fd < 0)
		lib_die("HVM_CREATE_VM", vm->fd);
	vm->low = map_aligned(LOW_SIZE);
	vm->next_page = LOW_POOL;
	build_tables(vm);
	err = gvm_slot(vm, 0, 0, 0, LOW_SIZE, vm->low);
	if (!err)
		err = gvm_slot(vm, 1, 0, start, end - start, (void *)start);
	if (err)
		lib_die("HVM_SET_USER_MEMORY_REGION", err);
	vm->next_slot = 2;
	err = hvm_set_tss_addr(vm->fd, 0xfffbd000);
	if (err)
		lib_die("HVM_SET_TSS_ADDR", err);
	if (irqchip == GVM_SPLIT)
		err = hvm_split_irqchip(vm->fd, 24);
	if (err)
		lib_die("HVM_CAP_SPLIT_IRQCHIP", err);
	if (irqchip == GVM_FULL)
		err = hvm_create_irqchip(vm->fd);
	if (err)
		lib_die("HVM_CREATE_IRQCHIP", err);
	return vm;
}

void gvm_free(struct gvm *vm)
{
	close(vm->fd);
	close(vm->dev);
	munmap(vm->low, LOW_SIZE);
	free(vm);
}

uint64_t gvm_alloc(struct gvm *vm)
{
	uint64_t page = vm->next_page;

	if (page >= LOW_SIZE)
		lib_die("guest page pool", ENOMEM);
	vm->next_page += PAGE_SIZE;
	memset(vm->low + page, 0, PAGE_SIZE);
	return page;
}

void *gvm_add_memory(struct gvm *vm, uint64_t gpa, uint64_t size,
		     uint32_t flags)
{
	void *p = map_aligned(size);
	int err = gvm_slot(vm, vm->next_slot++, flags, gpa, size, p);

	if (err)
		lib_die("HVM_SET_USER_MEMORY_REGION", err);
	return p;
}

uint64_t *gvm_pte(struct gvm *vm, uint64_t va)
{
	uint64_t table = LOW_PML4;
	int shift;

	for (shift = 39; shift > 12; shift -= 9) {
		uint64_t *e = low_table(vm, table) + (va >> shift & 511);
		uint64_t old = *e, i;

		if (!(old & PTE_P) || old & PTE_PS) {
			uint64_t page = gvm_alloc(vm);

			/* a large page becomes the small ones it was */
			for (i = 0; old & PTE_PS && i < 512; i++)
				low_table(vm, page)[i] =
					(old & ~PTE_PS) + (i << 12);
			*e = page | PTE_P | PTE_W | PTE_U;
		}
		table = *e & 0x000ffffffffff000;
	}
	return low_table(vm, table) + (va >> 12 & 511);
}

void gvm_map_page(struct gvm *vm, uint64_t va, uint64_t gpa, uint64_t flags)
{
	*gvm_pte(vm, va) = gpa | flags;
}

int gvm_route_msi(struct gvm *vm, unsigned int n, uint8_t base)
{
	struct hvm_irq_routing *r;
	unsigned int i;
	int err;

	r = calloc(1, sizeof(*r) + n * sizeof(r->entries[0]));
	r->nr = n;
	for (i = 0; i < n; i++) {
		r->entries[i].gsi = i;
		r->entries[i].type = HVM_IRQ_ROUTING_MSI;
		r->entries[i].u.msi.address_lo = APIC_GPA;
		r->entries[i].u.msi.data = base + i;
	}
	err = hvm_set_gsi_routing(vm->fd, r);
	free(r);
	return err;
}

struct gcpu *gcpu_bare(struct gvm *vm, unsigned int id)
{
	struct gcpu *c = calloc(1, sizeof(*c));
	int err = hvm_vcpu_open(vm->dev, vm->fd, id, &c->h);

	if (err)
		lib_die("HVM_CREATE_VCPU", err);
	c->vm = vm;
	c->id = id;
	c->fd = c->h.fd;
	c->run = c->h.run;
	return c;
}

void gcpu_set_cpuid(struct gcpu *c)
{
	struct hvm_cpuid2 *cpuid;
	int err = hvm_get_supported_cpuid(c->vm->dev, &cpuid);
	unsigned int i;

	if (err)
		lib_die("HVM_GET_SUPPORTED_CPUID", err);
	for (i = 0; i < cpuid->nent; i++) {
		struct hvm_cpuid_entry2 *e = &cpuid->entries[i];

		if (e->function == 1) {
			/* the timer is the capability's to announce */
			e->ecx |= 1u << 24;
			e->ebx = (e->ebx & 0xffffff) | c->id << 24;
		} else if (e->function == 0xb || e->function == 0x1f) {
			e->edx = c->id;
		}
	}
	err = hvm_set_cpuid2(c->fd, cpuid);
	if (err)
		lib_die("HVM_SET_CPUID2", err);
	free(cpuid);
}

static void set_segment(struct hvm_segment *s, uint16_t sel, uint8_t type,
			uint8_t l, uint8_t db)
{
	memset(s, 0, sizeof(*s));
	s->selector = sel;
	s->limit = 0xffffffff;
	s->type = type;
	s->present = 1;
	s->s = 1;
	s->g = 1;
	s->l = l;
	s->db = db;
}

static void set_flat(struct gcpu *c, struct hvm_sregs *s, uint16_t cs,
		     uint16_t ds)
{
	set_segment(&s->cs, cs, 0xb, cs == SEL_CODE64, cs == SEL_CODE32);
	set_segment(&s->ds, ds, 3, 0, ds == SEL_DATA);
	s->es = s->ds;
	s->fs = s->ds;
	s->gs = s->ds;
	s->ss = s->ds;
	s->gdt.base = LOW_GDT;
	s->gdt.limit = LOW_GDT_SIZE - 1;
	s->idt.base = LOW_IDT;
	s->idt.limit = 256 * 16 - 1;
	memset(&s->tr, 0, sizeof(s->tr));
	s->tr.selector = SEL_TSS(c->id);
	s->tr.base = LOW_TSS + c->id * 128;
	s->tr.limit = 0x67;
	s->tr.type = 0xb;
	s->tr.present = 1;
}

static void set_state(struct gcpu *c, struct hvm_sregs *s, uint64_t rip)
{
	struct hvm_regs r = { .rip = rip, .rflags = RFLAGS_FIXED };
	int err;

	r.rsp = LOW_STACKS + (c->id + 1) * LOW_STACK_SIZE - 8;
	if (s->cs.l) {
		uint64_t back = (uintptr_t)guest_return;

		memcpy(c->vm->low + r.rsp, &back, 8);
	} else if (!(s->cr0 & CR0_PE)) {
		r.rsp = LOW_BLOB - 0x100;	/* below 64 KiB */
	}
	err = hvm_set_sregs(c->fd, s);
	if (err)
		lib_die("HVM_SET_SREGS", err);
	err = hvm_set_regs(c->fd, &r);
	if (err)
		lib_die("HVM_SET_REGS", err);
}

static void get_sregs(struct gcpu *c, struct hvm_sregs *s)
{
	int err = hvm_get_sregs(c->fd, s);

	if (err)
		lib_die("HVM_GET_SREGS", err);
}

void gcpu_long_mode(struct gcpu *c, void (*fn)(void))
{
	struct hvm_sregs s;

	get_sregs(c, &s);
	set_flat(c, &s, SEL_CODE64, SEL_DATA);
	set_segment(&s.fs, 0, 3, 0, 1);
	s.gs = s.fs;
	s.cr0 = CR0_PE | CR0_MP | CR0_ET | CR0_NE | CR0_WP | CR0_PG;
	s.cr3 = LOW_PML4;
	s.cr4 = CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT;
	s.efer = EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE;
	set_state(c, &s, (uintptr_t)fn);
}

void gcpu_real_mode(struct gcpu *c, const void *code, const void *end)
{
	size_t size = (const char *)end - (const char *)code;
	struct hvm_sregs s;

	if (size > LOW_STACKS - LOW_BLOB)
		lib_die("real-mode code", E2BIG);
	memcpy(c->vm->low + LOW_BLOB, code, size);
	get_sregs(c, &s);
	set_segment(&s.ds, 0, 3, 0, 0);
	s.ds.limit = 0xffff;
	s.ds.g = 0;
	s.cs = s.ds;
	s.cs.type = 0xb;
	s.es = s.ds;
	s.fs = s.ds;
	s.gs = s.ds;
	s.ss = s.ds;
	s.cr0 = CR0_ET;
	s.cr3 = 0;
	s.cr4 = 0;
	s.efer = 0;
	set_state(c, &s, LOW_BLOB);
}

void gcpu_protected(struct gcpu *c, const void *code, uint16_t cs,
		    uint64_t cr4, uint64_t cr3)
{
	struct hvm_sregs s;

	get_sregs(c, &s);
	set_flat(c, &s, cs, cs == SEL_CODE16 ? SEL_DATA16 : SEL_DATA);
	s.cr0 = CR0_PE | CR0_ET | CR0_NE | CR0_MP | (cr3 ? CR0_PG : 0);
	s.cr3 = cr3;
	s.cr4 = cr4 | CR4_OSFXSR;
	s.efer = 0;
	set_state(c, &s, (uintptr_t)code);
}

struct gcpu *gcpu_new(struct gvm *vm, unsigned int id, void (*fn)(void))
{
	struct gcpu *c = gcpu_bare(vm, id);

	gcpu_set_cpuid(c);
	gcpu_long_mode(c, fn);
	return c;
}

void gcpu_free(struct gcpu *c)
{
	hvm_vcpu_close(&c->h);
	free(c);
}

/* guest memory, as far as it is the binary's or low */
static const void *guest_to_host(struct gvm *vm, uint64_t gpa)
{
	return gpa < LOW_SIZE ? vm->low + gpa : (const void *)(uintptr_t)gpa;
}

static void report_abort(struct gcpu *c)
{
	const struct ucall *u = &c->uc;
	const char *how[] = { "failed", "differ", "vector and rip" };

	fprintf(stderr, "# vCPU %u, line or error code %llu: %s %s: %#llx %#llx\n",
		c->id, (unsigned long long)u->line, u->text, how[u->arg[2] % 3],
		(unsigned long long)u->arg[0], (unsigned long long)u->arg[1]);
}

static void report_exit(struct gcpu *c)
{
	struct hvm_regs r = gcpu_regs(c);
	unsigned int i;

	fprintf(stderr, "# vCPU %u: exit %s at rip %#llx", c->id,
		hvm_exit_name(c->run->exit_reason), (unsigned long long)r.rip);
	if (c->run->exit_reason == HVM_EXIT_INTERNAL_ERROR) {
		fprintf(stderr, " suberror %u:", c->run->internal.suberror);
		for (i = 0; i < c->run->internal.ndata && i < 16; i++)
			fprintf(stderr, " %#llx", (unsigned long long)c->run->internal.data[i]);
	}
	if (c->run->exit_reason == HVM_EXIT_FAIL_ENTRY)
		fprintf(stderr, " reason %#llx", (unsigned long long)
			c->run->fail_entry.hardware_entry_failure_reason);
	fprintf(stderr, "\n");
}

int gcpu_result(struct gcpu *c)
{
	struct hvm_run *run = c->run;
	uint32_t at;

	if (run->exit_reason == HVM_EXIT_INTERNAL_ERROR ||
	    run->exit_reason == HVM_EXIT_FAIL_ENTRY)
		report_exit(c);
	if (run->exit_reason != HVM_EXIT_IO || run->io.port != UCALL_PORT ||
	    run->io.direction != HVM_EXIT_IO_OUT || run->io.size != 4)
		return run->exit_reason;
	memcpy(&at, (uint8_t *)run + run->io.data_offset, 4);
	memcpy(&c->uc, guest_to_host(c->vm, at), sizeof(c->uc));
	if (c->uc.cmd == UCALL_ABORT)
		report_abort(c);
	return c->uc.cmd;
}

int gcpu_run(struct gcpu *c)
{
	int err = hvm_vcpu_run(c->fd);

	return err ? err : gcpu_result(c);
}

struct hvm_regs gcpu_regs(struct gcpu *c)
{
	struct hvm_regs r;
	int err = hvm_get_regs(c->fd, &r);

	if (err)
		lib_die("HVM_GET_REGS", err);
	return r;
}

static void kick_handler(int sig)
{
	(void)sig;
}

static void *vcpu_thread(void *arg)
{
	struct gcpu *c = arg;
	int ret;

	for (;;) {
		ret = gcpu_run(c);
		if (ret == UCALL_SYNC)
			c->syncs++;
		else if (ret != -EAGAIN)	/* a start-up IPI came */
			break;
	}
	c->result = ret;
	c->finished = true;
	return NULL;
}

void gcpu_start(struct gcpu *c)
{
	struct sigaction sa = { .sa_handler = kick_handler };
	int err;

	sigaction(SIGUSR1, &sa, NULL);
	c->finished = false;
	err = pthread_create(&c->thread, NULL, vcpu_thread, c);
	if (err)
		lib_die("pthread_create", err);
}

int gcpu_join(struct gcpu *c, unsigned int seconds)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	ts.tv_sec += seconds;
	if (pthread_timedjoin_np(c->thread, NULL, &ts))
		return -ETIMEDOUT;
	return c->result;
}

int gcpu_stop(struct gcpu *c)
{
	c->run->immediate_exit = 1;
	pthread_kill(c->thread, SIGUSR1);
	pthread_join(c->thread, NULL);
	c->run->immediate_exit = 0;
	return c->result;
}

bool wait_for(volatile uint64_t *v, uint64_t at_least, unsigned int seconds)
{
	struct timespec ts = { .tv_nsec = 1000000 };
	time_t end = time(NULL) + seconds + 1;

	while (*v < at_least) {
		if (time(NULL) > end)
			return false;
		nanosleep(&ts, NULL);
	}
	return true;
}

size_t xsave_area_size(struct gvm *vm)
{
	int n = hvm_check_extension(vm->fd, HVM_CAP_XSAVE2);

	return n > 0 ? (size_t)n : sizeof(struct hvm_xsave);
}

int host_cpus(int cpus[], int max)
{
	cpu_set_t set;
	int i, n = 0;

	if (sched_getaffinity(0, sizeof(set), &set))
		lib_die("sched_getaffinity", errno);
	for (i = 0; i < CPU_SETSIZE; i++)
		if (CPU_ISSET(i, &set) && n++ < max)
			cpus[n - 1] = i;
	return n;
}

void shrink_slabs(void)
{
	glob_t all;
	size_t i;

	if (glob("/sys/kernel/slab/*/shrink", 0, NULL, &all))
		return;
	for (i = 0; i < all.gl_pathc; i++) {
		int fd = open(all.gl_pathv[i], O_WRONLY);

		if (fd >= 0 && write(fd, "1", 1) != 1)
			fprintf(stderr, "# %s: %m\n", all.gl_pathv[i]);
		close(fd);
	}
	globfree(&all);
}
