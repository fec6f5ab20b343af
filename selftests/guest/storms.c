// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest that does nothing but exit or fault can be stopped: by a signal
 * within a second, by SIGKILL at once, and the host goes on meanwhile.
 */
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

#include "guest.h"
#include "kselftest_harness.h"

static volatile uint64_t turns;

static void g_hlt(void)
{
	for (;;)
		hlt();
}

static void g_cpuid(void)
{
	for (;;)
		cpuid_count(0, 0);
}

static void g_fault(void)
{
	int vec;

	for (;;) {
		SAFE(vec, "ud2", "a"(0));
		turns += vec;
	}
}

static void g_page_fault(void)
{
	int vec;

	for (;;) {
		SAFE(vec, "testb $1, (%%rax)", "a"(0x7000000000));
		turns += vec;
	}
}

/* a single step that never ends */
static void db(struct trap_frame *f)
{
	f->rflags |= RFLAGS_TF;
}

static void g_debug(void)
{
	guest_handlers[VEC_DB] = db;
	asm volatile("pushfq; orq $0x100, (%%rsp); popfq\n\t"
		     "1: jmp 1b" ::: "memory", "cc");
}

/* #AC in ring 3, whose handler returns to the same instruction */
static void ac(struct trap_frame *f)
{
	turns++;
}

static void user_unaligned(void)
{
	static uint64_t data[2];

	asm volatile("pushfq; orq $0x40000, (%%rsp); popfq\n\t"
		     "1: movl (%0), %%eax; jmp 1b" :: "r"((char *)data + 1)
		     : "rax", "memory", "cc");
}

static void g_alignment(void)
{
	guest_handlers[VEC_AC] = ac;
	write_cr0(read_cr0() | CR0_AM);
	guest_user_call(user_unaligned, LOW_STACKS + 6 * LOW_STACK_SIZE);
}

static void g_self_modifying(void)
{
	/* mov $imm, %eax; ret, with the immediate changing under it */
	uint8_t *code = (void *)0x180000ul;
	static const uint8_t insns[] = { 0xb8, 0, 0, 0, 0, 0xc3 };
	uint32_t i, v;
	int j;

	for (j = 0; j < 6; j++)
		code[j] = insns[j];
	for (i = 0;; i++) {
		code[1] = i;
		asm volatile("call *%1" : "=a"(v) : "r"(code) : "memory");
		GUEST_ASSERT_EQ(v, (uint8_t)i);
	}
}

static void g_no_memory(void)
{
	volatile uint64_t *p = (void *)0x10000000ul;
	uint64_t i;

	for (;;)
		for (i = 0; i < 16 * SZ_2M; i += PAGE_SIZE)
			p[i / 8] += 1;
}

static void g_msr(void)
{
	uint64_t v;

	for (;;)
		rdmsr_safe(0xdeadbeef, &v);
}

static void g_hypercall(void)
{
	for (;;)
		guest_hypercall(0x1234, 0, 0);
}

static void g_control(void)
{
	int vec;

	for (;;) {
		SAFE(vec, "mov %%rax, %%cr4", "a"(read_cr4() ^ (1 << 7)));
		turns += vec;
	}
}

static void g_apic(void)
{
	xapic_enable();
	for (;;)
		xapic_icr(0, 0x40 | ICR_SELF);
}

static void on_alarm(int sig)
{
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ull + t.tv_nsec / 1000000;
}

static void storm(struct __test_metadata *_metadata, void (*fn)(void))
{
	struct itimerval t = { { 0, 100000 }, { 0, 100000 } }, off = { 0 };
	struct sigaction sa = { .sa_handler = on_alarm };
	struct gvm *vm = gvm_new(GVM_SPLIT);
	struct gcpu *c = gcpu_new(vm, 0, fn);
	uint64_t start;
	int ret;

	gvm_add_memory(vm, 0x10000000, 16 * SZ_2M, 0);
	gvm_map_page(vm, 0x7000000000, 0, 0);
	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &t, NULL);
	start = now_ms();
	ret = gcpu_run(c);
	EXPECT_EQ(-EINTR, ret);
	EXPECT_GT(1100, now_ms() - start);
	/* and again: the guest is as it was */
	setitimer(ITIMER_REAL, &t, NULL);
	EXPECT_EQ(-EINTR, gcpu_run(c));
	setitimer(ITIMER_REAL, &off, NULL);
	gcpu_free(c);
	gvm_free(vm);
}

TEST(halting) { storm(_metadata, g_hlt); }
TEST(cpuid) { storm(_metadata, g_cpuid); }
TEST(undefined) { storm(_metadata, g_fault); }
TEST(page_faults) { storm(_metadata, g_page_fault); }
TEST(debug_traps) { storm(_metadata, g_debug); }
TEST(alignment_checks) { storm(_metadata, g_alignment); }
TEST(self_modifying) { storm(_metadata, g_self_modifying); }
TEST(fresh_memory) { storm(_metadata, g_no_memory); }
TEST(unknown_msrs) { storm(_metadata, g_msr); }
TEST(hypercalls) { storm(_metadata, g_hypercall); }
TEST(control_registers) { storm(_metadata, g_control); }
TEST(self_ipis) { storm(_metadata, g_apic); }

/* #DB that raises #DB on delivery: an endless loop inside the processor */
static void g_db_in_db(void)
{
	/* the breakpoint is on the handler's own stack */
	write_dr0(LOW_STACKS + LOW_STACK_SIZE - 8 - 48);
	write_dr7(0x400 | 0xf0000 | 2);
	guest_handlers[VEC_DB] = db;
	asm volatile("pushfq; orq $0x100, (%%rsp); popfq; 1: jmp 1b"
		     ::: "memory", "cc");
}

TEST(debug_in_debug)
{
	REQUIRE(!host_is_tcg(), "a #DB while another one is delivered ends TCG");
	storm(_metadata, g_db_in_db);
}

/* four storms in one VM */
TEST(four_at_once)
{
	static void (*const fns[])(void) = { g_cpuid, g_fault, g_apic,
					     g_no_memory };
	uint64_t start;
	int status, i;
	pid_t pid = fork();

	if (!pid) {
		struct gvm *vm = gvm_new(GVM_SPLIT);
		struct gcpu *c[4];

		gvm_add_memory(vm, 0x10000000, 16 * SZ_2M, 0);
		for (i = 0; i < 4; i++) {
			c[i] = gcpu_new(vm, i, fns[i]);
			hvm_set_mp_state(c[i]->fd, HVM_MP_STATE_RUNNABLE);
			gcpu_start(c[i]);
		}
		for (;;)
			pause();
	}
	usleep(300000);
	start = now_ms();
	kill(pid, SIGKILL);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_GT(2000, now_ms() - start);
}

TEST_HARNESS_MAIN
