// SPDX-License-Identifier: GPL-2.0-only
/*
 * Four vCPUs that send each other interrupts and touch memory, while the rest
 * of the process moves their memory slots, unmaps, protects and reclaims what
 * is behind them, forks, sends signals, opens and closes descriptors, and takes
 * a processor off the host and brings it back. Each vCPU checks that what is
 * its own stays as it was.
 *
 * The argument is how many seconds it goes on.
 */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/wait.h>

#include "guest.h"
#include "kselftest_harness.h"

#define CPUS	4
#define GPA	0x10000000ul
#define SLOT	9

static volatile uint64_t turns[CPUS], irqs[CPUS], stop;
static volatile int over;
static uint64_t done[8];	/* what each disturber has done */
static unsigned int seconds = 5;
static struct gvm *vm;
static struct gcpu *cpu[CPUS];
static uint8_t *memory;

/* a processor that goes and comes says so */
static void __attribute__((constructor)) expect(void)
{
	printf("# klog-allow: smpboot: |x86: Booting SMP configuration|"
	       "kvm-clock: cpu|IRQ[0-9 ]*: .*affinity|microcode\n");
}

/* ---- the guest ---- */

static void irq(struct trap_frame *f)
{
	irqs[xapic_read(APIC_ID) >> 24]++;
	xapic_write(APIC_EOI, 0);
}

static void g_churn(void)
{
	uint64_t id = xapic_read(APIC_ID) >> 24, mark = 0x100000000 * (id + 1), i;
	uint64_t x[2] = { mark, ~mark }, y[2];

	for (i = 0x40; i < 0x48; i++)
		guest_handlers[i] = irq;
	xapic_enable();
	wrmsr(MSR_LSTAR, mark);
	wrmsr(MSR_KERNEL_GS_BASE, mark + 1);
	wrmsr(MSR_FS_BASE, mark + 2);
	asm volatile("movdqu %0, %%xmm7" :: "m"(x));
	sti();
	for (i = 0; !stop; i++) {
		GUEST_ASSERT_EQ(rdmsr(MSR_LSTAR), mark);
		GUEST_ASSERT_EQ(rdmsr(MSR_KERNEL_GS_BASE), mark + 1);
		GUEST_ASSERT_EQ(rdmsr(MSR_FS_BASE), mark + 2);
		asm volatile("movdqu %%xmm7, %0" : "=m"(y));
		GUEST_ASSERT(x[0] == y[0] && x[1] == y[1]);
		*(volatile uint64_t *)(GPA + (i * PAGE_SIZE + id * 8) % SZ_2M) = i;
		cpuid_count(0, 0);
		if (i % 8 == id)
			xapic_icr((id + 1) % CPUS, ICR_ASSERT | 0x40);
		if (i % 16 == id)
			outb(0x60, i);
		turns[id]++;
	}
	cli();
}

/* ---- its process ---- */

static void on_signal(int sig)
{
}

/* Whatever the memory's state makes of RUN, go on; an abort is the guest's. */
static void *run_cpu(void *arg)
{
	struct gcpu *c = arg;
	int ret;

	do {
		ret = gcpu_run(c);
		if (ret == -EFAULT)
			sched_yield();
	} while (ret == -EINTR || ret == -EFAULT || ret == -EAGAIN || ret == HVM_EXIT_IO ||
		 ret == HVM_EXIT_MMIO);
	c->result = ret;
	c->finished = true;
	return NULL;
}

static unsigned int rnd(unsigned int *s)
{
	*s = *s * 1103515245 + 12345;
	return *s >> 16;
}

static int map_slot(uint32_t flags, uint64_t gpa, uint64_t size)
{
	return gvm_slot(vm, SLOT, flags, gpa, size, memory);
}

static void slots(unsigned int *s)
{
	static uint64_t bitmap[SZ_2M / PAGE_SIZE / 64];

	switch (rnd(s) % 6) {
	case 0:
		map_slot(0, 0, 0);
		break;
	case 1:		/* elsewhere and back */
		map_slot(0, GPA + SZ_2M, SZ_2M);
		break;
	case 2:
		map_slot(0, 0, 0);
		map_slot(HVM_MEM_READONLY, GPA, SZ_2M);
		map_slot(0, 0, 0);
		break;
	case 3:
		map_slot(HVM_MEM_LOG_DIRTY_PAGES, GPA, SZ_2M);
		break;
	case 4:
		hvm_get_dirty_log(vm->fd, SLOT, bitmap);
		break;
	}
	map_slot(rnd(s) & 1 ? HVM_MEM_LOG_DIRTY_PAGES : 0, GPA, SZ_2M);
}

static void mappings(unsigned int *s)
{
	static const int advice[] = {
		MADV_DONTNEED, MADV_FREE, MADV_HUGEPAGE, MADV_NOHUGEPAGE, MADV_PAGEOUT, MADV_COLD,
		MADV_MERGEABLE,
	};
	size_t n = rnd(s) & 1 ? SZ_2M : (rnd(s) % 64 + 1) * PAGE_SIZE;
	uint8_t *at = n == SZ_2M ? memory : memory + rnd(s) % 448 * PAGE_SIZE;

	switch (rnd(s) % 4) {
	case 0:
		munmap(at, n);
		break;
	case 1:
		mprotect(at, n, PROT_READ);
		sched_yield();
		mprotect(at, n, PROT_NONE);
		break;
	case 2:
		madvise(at, n, advice[rnd(s) % ARRAY_LEN(advice)]);
		return;
	default:
		mprotect(at, n, PROT_READ | PROT_WRITE);
		return;
	}
	sched_yield();
	if (mmap(at, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != at)
		lib_die("mmap", errno);
}

static void signals(unsigned int *s)
{
	struct gcpu *c = cpu[rnd(s) % CPUS];

	c->run->immediate_exit = rnd(s) % 8 == 0;
	pthread_kill(c->thread, SIGUSR1);
	sched_yield();
	c->run->immediate_exit = 0;
}

static void forks(unsigned int *s)
{
	pid_t pid = fork();

	if (!pid) {
		/* another process: only the descriptors are the same */
		if (ioctl(vm->fd, HVM_CHECK_EXTENSION, 0) != -1 || hvm_vcpu_run(cpu[0]->fd) != -EIO)
			_exit(1);
		vm->low[LOW_SIZE - 1]++;
		_exit(0);
	}
	if (pid > 0)
		waitpid(pid, NULL, 0);
	usleep(5000);
}

static void descriptors(unsigned int *s)
{
	int ev = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), other;

	gvm_route_msi(vm, 8, 0x40);
	hvm_irqfd(vm->fd, ev, rnd(s) % 8, 0, 0);
	hvm_ioeventfd(vm->fd, ev, 0x60, 1, HVM_IOEVENTFD_FLAG_PIO, 0);
	eventfd_write(ev, 1);
	if (rnd(s) & 1)
		hvm_ioeventfd(vm->fd, ev, 0x60, 1, HVM_IOEVENTFD_FLAG_PIO |
			      HVM_IOEVENTFD_FLAG_DEASSIGN, 0);
	close(ev);
	close(hvm_get_stats_fd(cpu[0]->fd));
	other = hvm_create_vm(vm->dev, 0);
	close(ioctl(other, HVM_CREATE_VCPU, 0));
	close(other);
	/* an ioeventfd keeps its eventfd: make room */
	ev = eventfd(0, 0);
	hvm_ioeventfd(vm->fd, ev, 0x60, 1, HVM_IOEVENTFD_FLAG_PIO | HVM_IOEVENTFD_FLAG_DEASSIGN, 0);
	close(ev);
}

static bool set_online(const char *value)
{
	int fd = open("/sys/devices/system/cpu/cpu1/online", O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, value, 1) == 1;

	if (fd >= 0)
		close(fd);
	return ok;
}

static void hotplug(unsigned int *s)
{
	if (!set_online("0")) {
		usleep(100000);
		return;
	}
	usleep(rnd(s) % 20000);
	set_online("1");
	usleep(rnd(s) % 100000);
}

static const struct disturber {
	const char *name;
	void (*fn)(unsigned int *s);
} disturbers[] = {
	{ "slots", slots }, { "mappings", mappings }, { "signals", signals }, { "forks", forks },
	{ "descriptors", descriptors }, { "hotplug", hotplug },
};

static void *disturb(void *arg)
{
	const struct disturber *d = arg;
	unsigned int s = d - disturbers + 1;

	while (!over) {
		d->fn(&s);
		done[d - disturbers]++;
		usleep(rnd(&s) % 2000);
	}
	return NULL;
}

static void start_cpus(void)
{
	struct sigaction sa = { .sa_handler = on_signal };
	unsigned int i;

	sigaction(SIGUSR1, &sa, NULL);
	vm = gvm_new(GVM_SPLIT);
	memory = map_aligned(SZ_2M);
	map_slot(0, GPA, SZ_2M);
	for (i = 0; i < CPUS; i++) {
		cpu[i] = gcpu_new(vm, i, g_churn);
		hvm_set_mp_state(cpu[i]->fd, HVM_MP_STATE_RUNNABLE);
	}
	for (i = 0; i < CPUS; i++)
		pthread_create(&cpu[i]->thread, NULL, run_cpu, cpu[i]);
}

TEST(everything_moves)
{
	pthread_t threads[ARRAY_LEN(disturbers)];
	uint64_t before[CPUS];
	unsigned int i, t;

	start_cpus();
	for (i = 0; i < CPUS; i++)
		ASSERT_TRUE(wait_for(&turns[i], 1, 60));
	for (i = 0; i < ARRAY_LEN(disturbers); i++)
		pthread_create(&threads[i], NULL, disturb, (void *)&disturbers[i]);
	/* none of them may stand still */
	for (t = 0; t < seconds; t += seconds < 60 ? seconds : 60) {
		for (i = 0; i < CPUS; i++)
			before[i] = turns[i];
		sleep(seconds < 60 ? seconds : 60);
		for (i = 0; i < CPUS; i++)
			EXPECT_TRUE(wait_for(&turns[i], before[i] + 1, 60))
				TH_LOG("vCPU %u stands still after %u s", i, t);
	}
	over = 1;
	for (i = 0; i < ARRAY_LEN(disturbers); i++) {
		pthread_join(threads[i], NULL);
		TH_LOG("%s: %llu times", disturbers[i].name, (unsigned long long)done[i]);
	}
	mmap(memory, SZ_2M, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	map_slot(0, GPA, SZ_2M);
	stop = 1;
	for (i = 0; i < CPUS; i++) {
		EXPECT_EQ(UCALL_DONE, gcpu_join(cpu[i], 60));
		TH_LOG("vCPU %u: %llu turns, %llu interrupts", i, (unsigned long long)turns[i],
		       (unsigned long long)irqs[i]);
		EXPECT_NE(0, irqs[i]);
	}
}

int main(int argc, char **argv)
{
	if (argc > 1)
		seconds = atoi(argv[1]);
	_everything_moves_object.timeout = seconds + 600;
	return test_harness_run(1, argv);
}
