// SPDX-License-Identifier: GPL-2.0-only
/*
 * Floating point, SSE and AVX registers: two guests and the host keep their
 * own, across exits, faults and preemption.
 */
#include "guest.h"
#include "kselftest_harness.h"

#define WORDS 64		/* 16 registers of 32 bytes */

/* AVX, where both the processor and the device have it */
static bool avx;

#define EACH16(m) m(0) m(1) m(2) m(3) m(4) m(5) m(6) m(7) m(8) m(9) m(10) \
	m(11) m(12) m(13) m(14) m(15)
#define LOAD_Y(n) "vmovdqu " #n "*32(%0), %%ymm" #n "\n\t"
#define SAVE_Y(n) "vmovdqu %%ymm" #n ", " #n "*32(%0)\n\t"
#define LOAD_X(n) "movdqu " #n "*32(%0), %%xmm" #n "\n\t"
#define SAVE_X(n) "movdqu %%xmm" #n ", " #n "*32(%0)\n\t"

static void load(const uint64_t *v)
{
	if (avx)
		asm volatile(EACH16(LOAD_Y) :: "r"(v) : "memory");
	else
		asm volatile(EACH16(LOAD_X) :: "r"(v) : "memory");
}

static void save(uint64_t *v)
{
	if (avx)
		asm volatile(EACH16(SAVE_Y) :: "r"(v) : "memory");
	else
		asm volatile(EACH16(SAVE_X) :: "r"(v) : "memory");
}

static void fill(uint64_t *v, uint64_t seed)
{
	int i;

	for (i = 0; i < WORDS; i++)
		v[i] = avx || !(i & 2) ? seed * 0x9e3779b97f4a7c15 + i : 0;
}

static bool same(const uint64_t *a, const uint64_t *b)
{
	int i;

	for (i = 0; i < WORDS; i++)
		if (a[i] != b[i])
			return false;
	return true;
}

static void guest_turns(uint64_t seed)
{
	uint64_t want[WORDS], got[WORDS];
	uint16_t cw = 0x37f - (seed & 1) * 0x300, cw2;
	uint32_t mxcsr = 0x1f80 | (seed & 1) << 13, mx2;
	int i;

	if (avx)
		write_cr4(read_cr4() | CR4_OSXSAVE);
	asm volatile("fninit; fldcw %0; ldmxcsr %1" :: "m"(cw), "m"(mxcsr));
	for (i = 0; i < WORDS; i++)
		got[i] = 0;
	for (i = 0; i < 8; i++) {
		fill(want, seed + i);
		load(want);
		GUEST_SYNC(seed);		/* to userspace */
		cpuid_count(0, 0);		/* handled in the kernel */
		*(volatile uint8_t *)(0x10000000 + i * PAGE_SIZE) = 1;
		save(got);
		GUEST_ASSERT(same(want, got));
		asm volatile("fnstcw %0; stmxcsr %1" : "=m"(cw2), "=m"(mx2));
		GUEST_ASSERT_EQ(cw, cw2);
		GUEST_ASSERT_EQ(mxcsr, mx2 & ~0x3f);
	}
}

static void g_one(void)
{
	guest_turns(0x1000);
}

static void g_two(void)
{
	guest_turns(0x2001);
}

static bool have_avx(void)
{
	struct hvm_cpuid2 *t;
	int dev = hvm_open(NULL);
	bool yes = cpuid_count(1, 0).ecx & 1 << 28 &&
		   cpuid_count(1, 0).ecx & 1 << 27 && (xgetbv(0) & 7) == 7;

	if (hvm_get_supported_cpuid(dev, &t))
		return false;
	yes = yes && hvm_cpuid_find(t, 1, 0)->ecx & 1 << 28;
	close(dev);
	return yes;
}

static struct gcpu *new_guest(void (*fn)(void))
{
	struct gvm *vm = gvm_new(GVM_SPLIT);
	struct hvm_xcrs x = { .nr_xcrs = 1, .xcrs[0].value = 7 };
	struct gcpu *c = gcpu_new(vm, 0, fn);

	gvm_add_memory(vm, 0x10000000, SZ_2M, 0);
	if (avx && hvm_set_xcrs(c->fd, &x))
		lib_die("HVM_SET_XCRS", EINVAL);
	return c;
}

/* HVM_RUN without the C library, which uses these registers itself */
static inline long raw_run(int fd)
{
	long ret;

	asm volatile("syscall" : "=a"(ret)
		     : "a"(16), "D"(fd), "S"(HVM_RUN), "d"(0)
		     : "rcx", "r11", "memory");
	return ret;
}

static void two_guests_and_host(struct __test_metadata *_metadata)
{
	struct gcpu *a = new_guest(g_one), *b = new_guest(g_two);
	static uint64_t want[WORDS], got[WORDS];
	long ra, rb;
	int i;

	for (i = 0; i < 8; i++) {
		fill(want, 0x3000 + i);
		load(want);
		ra = raw_run(a->fd);
		rb = raw_run(b->fd);
		save(got);
		ASSERT_EQ(0, ra | rb);
		ASSERT_EQ(UCALL_SYNC, gcpu_result(a));
		ASSERT_EQ(UCALL_SYNC, gcpu_result(b));
		EXPECT_TRUE(same(want, got))
			TH_LOG("the host's registers changed");
	}
	ASSERT_DONE(a);
	ASSERT_DONE(b);
}

TEST(sse)
{
	avx = false;
	two_guests_and_host(_metadata);
}

TEST(avx_registers)
{
	avx = true;
	REQUIRE(have_avx(), "no AVX here");
	two_guests_and_host(_metadata);
}

/* two vCPUs in threads of one process, scheduled as the host pleases */
static volatile uint64_t turns[2];

static void spin_with(int who)
{
	uint64_t want[WORDS], got[WORDS];
	uint64_t i, j;

	for (i = 0; i < WORDS; i++)
		got[i] = 0;
	fill(want, 0x4000 + who);
	load(want);
	for (i = 0; i < 200; i++) {
		for (j = 0; j < 20000; j++)
			asm volatile("");
		save(got);
		GUEST_ASSERT(same(want, got));
		turns[who]++;
	}
}

static void g_spin0(void) { spin_with(0); }
static void g_spin1(void) { spin_with(1); }

TEST(preempted)
{
	struct gcpu *a = new_guest(g_spin0), *b = new_guest(g_spin1);

	avx = false;
	gcpu_start(a);
	gcpu_start(b);
	EXPECT_EQ(UCALL_DONE, gcpu_join(a, 20));
	EXPECT_EQ(UCALL_DONE, gcpu_join(b, 20));
}

/* what userspace sets is what the guest finds, and the other way round */
static void g_seen(void)
{
	uint64_t want[WORDS], got[WORDS];
	int i;

	for (i = 0; i < WORDS; i++)
		got[i] = 0;
	/* SET_FPU does not bring registers to life that were never used */
	fill(want, 0x55);
	load(want);
	GUEST_SYNC(1);
	save(got);
	for (i = 0; i < 16; i++) {
		GUEST_ASSERT_EQ(got[i * 4], 0x5a5a000000000000 + i);
		GUEST_ASSERT_EQ(got[i * 4 + 1], ~(uint64_t)i);
	}
	fill(want, 0x77);
	load(want);
	GUEST_SYNC(2);
}

TEST(set_and_get)
{
	struct gcpu *c = new_guest(g_seen);
	uint64_t want[WORDS];
	struct hvm_fpu f;
	int i;

	avx = false;
	ASSERT_SYNC(c, 1);
	ASSERT_EQ(0, hvm_get_fpu(c->fd, &f));
	for (i = 0; i < 16; i++) {
		((uint64_t *)f.xmm[i])[0] = 0x5a5a000000000000 + i;
		((uint64_t *)f.xmm[i])[1] = ~(uint64_t)i;
	}
	ASSERT_EQ(0, hvm_set_fpu(c->fd, &f));
	ASSERT_SYNC(c, 2);
	ASSERT_EQ(0, hvm_get_fpu(c->fd, &f));
	fill(want, 0x77);
	for (i = 0; i < 16; i++)
		EXPECT_EQ(0, memcmp(f.xmm[i], want + i * 4, 16));
}

/* a guest without a use for the FPU does not see another's */
static void g_clean(void)
{
	uint64_t got[WORDS];
	int i;

	for (i = 0; i < WORDS; i++)
		got[i] = 0x11;
	save(got);
	for (i = 0; i < 16; i++)
		GUEST_ASSERT_EQ(got[i * 4] | got[i * 4 + 1], 0);
}

TEST(no_leak)
{
	struct gcpu *c = new_guest(g_clean);
	static uint64_t want[WORDS];
	int ret;

	avx = false;
	fill(want, 0x99);
	load(want);
	ret = raw_run(c->fd);
	ASSERT_EQ(0, ret);
	ASSERT_EQ(UCALL_DONE, gcpu_result(c));
}

TEST_HARNESS_MAIN
