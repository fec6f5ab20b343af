// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page faults are the guest's own affair: the right error code and address, and
 * its changes to its tables take effect as the architecture says.
 */
#include "guest.h"
#include "kselftest_harness.h"

#define VA 0x7000000000ul

static volatile uint64_t *pte;		/* of VA, as the guest sees it */
static uint64_t page_a, page_b;

static int touch(bool write, uint64_t *err)
{
	register uint64_t r10 asm("r10");
	uint64_t e;

	if (write)
		asm volatile(SAFE_ASM("movl $1, (%[p])") "mov %%r11, %[e]"
			     : "=&r"(r10), [e] "=&r"(e) : [p] "r"(VA + 8)
			     : SAFE_CLOBBER);
	else
		asm volatile(SAFE_ASM("cmpl $1, (%[p])") "mov %%r11, %[e]"
			     : "=&r"(r10), [e] "=&r"(e) : [p] "r"(VA + 8)
			     : SAFE_CLOBBER);
	*err = e;
	return (int)r10;
}

#define FAULTS(write, code) do {					\
	uint64_t e_;							\
									\
	invlpg(VA);							\
	GUEST_ASSERT_EQ(touch(write, &e_), VEC_PF);			\
	GUEST_ASSERT_EQ(e_, code);					\
	GUEST_ASSERT_EQ(read_cr2(), VA + 8);				\
} while (0)
#define WORKS(write) do {						\
	uint64_t e_;							\
									\
	invlpg(VA);							\
	GUEST_ASSERT_EQ(touch(write, &e_), -1);				\
} while (0)

static uint64_t user_vec, user_err;

static void user_touch(void)
{
	user_vec = touch(false, &user_err);
	guest_user_exit();
}

static void g_faults(void)
{
	int vec;

	*pte = 0;
	FAULTS(false, 0);
	FAULTS(true, 2);
	*pte = page_a | PTE_P;
	WORKS(false);
	FAULTS(true, 3);
	/* a supervisor may write unless CR0.WP says no */
	write_cr0(read_cr0() & ~CR0_WP);
	WORKS(true);
	write_cr0(read_cr0() | CR0_WP);
	FAULTS(true, 3);
	*pte = page_a | PTE_P | PTE_W;
	WORKS(true);
	GUEST_ASSERT(*pte & PTE_D);
	/* ring 3 on a supervisor's page */
	guest_user_call(user_touch, LOW_STACKS + 6 * LOW_STACK_SIZE);
	GUEST_ASSERT_EQ(user_vec, VEC_PF);
	GUEST_ASSERT_EQ(user_err, 5);
	*pte = page_a | PTE_P | PTE_W | PTE_U;
	invlpg(VA);
	guest_user_call(user_touch, LOW_STACKS + 6 * LOW_STACK_SIZE);
	GUEST_ASSERT_EQ((int)user_vec, -1);
	/* no-execute */
	*pte = page_a | PTE_P | PTE_NX;
	invlpg(VA);
	asm volatile("lea 7f(%%rip), %%r9; mov $0x5afe5afe, %%r10d\n\t"
		     "jmp *%1\n\t7: mov %%r10d, %0" : "=r"(vec) : "r"(VA)
		     : "r10", SAFE_CLOBBER);
	GUEST_ASSERT_EQ(vec, VEC_PF);
	*pte = page_a | PTE_P | PTE_W;
	WORKS(false);
}

static void g_reserved(void)
{
	uint64_t e;

	*pte = page_a | PTE_P | 1ull << 51;
	invlpg(VA);
	GUEST_ASSERT_EQ(touch(false, &e), VEC_PF);
	GUEST_ASSERT(e & 8);
}

static void g_remap(void)
{
	volatile uint64_t *p = (void *)VA;
	uint64_t i;

	*(volatile uint64_t *)page_a = 0xaaaa;
	*(volatile uint64_t *)page_b = 0xbbbb;
	for (i = 0; i < 200; i++) {
		*pte = (i & 1 ? page_b : page_a) | PTE_P | PTE_W;
		invlpg(VA);
		GUEST_ASSERT_EQ(*p, i & 1 ? 0xbbbb : 0xaaaa);
	}
	/* all at once by CR3, and by CR4.PGE */
	*pte = page_a | PTE_P | PTE_W;
	write_cr3(read_cr3());
	GUEST_ASSERT_EQ(*p, 0xaaaa);
	*pte = page_b | PTE_P | PTE_W | 1 << 8;
	write_cr4(read_cr4() | 1 << 7);
	write_cr4(read_cr4() & ~(1ull << 7));
	GUEST_ASSERT_EQ(*p, 0xbbbb);
}

static struct gcpu *with_page(void (*fn)(void))
{
	struct gvm *vm = gvm_new(GVM_NO_IRQCHIP);

	page_a = gvm_alloc(vm);
	page_b = gvm_alloc(vm);
	gvm_map_page(vm, VA, page_a, PTE_P | PTE_W);
	pte = (void *)((uint8_t *)gvm_pte(vm, VA) - vm->low);
	return gcpu_new(vm, 0, fn);
}

TEST(error_codes)
{
	ASSERT_DONE(with_page(g_faults));
}

TEST(reserved_bits)
{
	ASSERT_DONE(with_page(g_reserved));
}

TEST(remapping)
{
	ASSERT_DONE(with_page(g_remap));
}

/* the fault that VCPU_EVENTS injects is the fault that the guest sees */
static volatile uint64_t seen_error, seen_cr2;

static void pf(struct trap_frame *f)
{
	seen_error = f->error;
	seen_cr2 = read_cr2();
}

static void g_injected(void)
{
	guest_handlers[VEC_PF] = pf;
	GUEST_SYNC(1);
	GUEST_ASSERT_EQ(seen_error, 6);
	GUEST_ASSERT_EQ(seen_cr2, 0x123456000);
}

TEST(injected)
{
	struct gcpu *c = with_page(g_injected);
	struct hvm_vcpu_events e;
	struct hvm_sregs s;

	ASSERT_SYNC(c, 1);
	/* finish the OUT */
	c->run->immediate_exit = 1;
	ASSERT_EQ(-EINTR, gcpu_run(c));
	c->run->immediate_exit = 0;
	ASSERT_EQ(0, hvm_get_sregs(c->fd, &s));
	s.cr2 = 0x123456000;
	ASSERT_EQ(0, hvm_set_sregs(c->fd, &s));
	ASSERT_EQ(0, hvm_get_vcpu_events(c->fd, &e));
	e.exception.injected = 1;
	e.exception.nr = VEC_PF;
	e.exception.has_error_code = 1;
	e.exception.error_code = 6;
	ASSERT_EQ(0, hvm_set_vcpu_events(c->fd, &e));
	ASSERT_DONE(c);
}

/* with a payload the exception is pending and CR2 comes along */
TEST(injected_with_payload)
{
	struct gcpu *c = with_page(g_injected);
	struct hvm_vcpu_events e;

	ASSERT_EQ(0, hvm_enable_cap(c->vm->fd, HVM_CAP_EXCEPTION_PAYLOAD, 1));
	ASSERT_SYNC(c, 1);
	c->run->immediate_exit = 1;
	ASSERT_EQ(-EINTR, gcpu_run(c));
	c->run->immediate_exit = 0;
	ASSERT_EQ(0, hvm_get_vcpu_events(c->fd, &e));
	e.flags |= HVM_VCPUEVENT_VALID_PAYLOAD;
	e.exception.pending = 1;
	e.exception.nr = VEC_PF;
	e.exception.has_error_code = 1;
	e.exception.error_code = 6;
	e.exception_has_payload = 1;
	e.exception_payload = 0x123456000;
	ASSERT_EQ(0, hvm_set_vcpu_events(c->fd, &e));
	ASSERT_DONE(c);
}

TEST_HARNESS_MAIN
