// SPDX-License-Identifier: GPL-2.0-only
/*
 * The dirty log is exact: a page that was written is in it, one that was not
 * is not; with and without manual protection, with large pages behind, while
 * the guest runs.
 */
#include "guest.h"
#include "kselftest_harness.h"

#define GPA	0x10000000ul
#define PAGES	1024u			/* 4 MiB */
#define SIZE	(PAGES * PAGE_SIZE)
#define SLOT	2

static volatile uint64_t list[64], n_list;
static volatile uint64_t reads;

/* write to the pages of the list and read one of each other */
static void g_writes(void)
{
	uint64_t i;

	for (;;) {
		for (i = 0; i < PAGES; i += 7)
			reads += *(volatile uint64_t *)(GPA + i * PAGE_SIZE);
		for (i = 0; i < n_list; i++)
			*(volatile uint64_t *)(GPA + list[i] * PAGE_SIZE +
					       8 * (i % 500)) = i;
		GUEST_SYNC(1);
	}
}

static int set_log(struct gvm *vm, void *p, bool on)
{
	return gvm_slot(vm, SLOT, on ? HVM_MEM_LOG_DIRTY_PAGES : 0, GPA, SIZE,
			p);
}

FIXTURE(log) {
	struct gvm *vm;
	struct gcpu *c;
	void *p;
	uint64_t bits[PAGES / 64], want[PAGES / 64];
};

FIXTURE_VARIANT(log) {
	bool huge;
};

FIXTURE_VARIANT_ADD(log, small_pages) {
	.huge = false,
};

FIXTURE_VARIANT_ADD(log, large_pages) {
	.huge = true,
};

FIXTURE_SETUP(log)
{
	self->vm = gvm_new(GVM_NO_IRQCHIP);
	self->p = map_aligned(SIZE);
	madvise(self->p, SIZE, variant->huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	memset(self->p, 1, SIZE);
	self->c = gcpu_new(self->vm, 0, g_writes);
	/*
	 * Once around, so that all that will be read is mapped: a first read
	 * with the log on may count as a write, which the log allows for.
	 */
	ASSERT_EQ(0, set_log(self->vm, self->p, false));
	n_list = 0;
	ASSERT_SYNC(self->c, 1);
}

FIXTURE_TEARDOWN(log)
{
	gcpu_free(self->c);
	gvm_free(self->vm);
}

static void choose(uint64_t *want, uint64_t seed, unsigned int n)
{
	unsigned int i;

	memset(want, 0, PAGES / 8);
	n_list = n;
	for (i = 0; i < n; i++) {
		seed = seed * 6364136223846793005ull + 1442695040888963407ull;
		list[i] = (seed >> 33) % PAGES;
		want[list[i] / 64] |= 1ull << list[i] % 64;
	}
}

#define GET() ASSERT_EQ(0, hvm_get_dirty_log(self->vm->fd, SLOT, self->bits))
#define EXPECT_LOG() EXPECT_EQ(0, memcmp(self->bits, self->want, PAGES / 8))
#define EXPECT_EMPTY() do {						\
	memset(self->want, 0, PAGES / 8);				\
	GET();								\
	EXPECT_LOG();							\
} while (0)

TEST_F(log, exact)
{
	int i;

	ASSERT_EQ(0, set_log(self->vm, self->p, true));
	EXPECT_EMPTY();
	for (i = 0; i < 10; i++) {
		choose(self->want, i, i ? 40 : 0);
		ASSERT_SYNC(self->c, 1);
		GET();
		EXPECT_LOG();
		/* read once, it is empty */
		EXPECT_EMPTY();
	}
}

/* turned on when everything is mapped writable already */
TEST_F(log, turned_on_late)
{
	choose(self->want, 3, 60);
	ASSERT_SYNC(self->c, 1);
	ASSERT_EQ(0, set_log(self->vm, self->p, true));
	EXPECT_EMPTY();
	choose(self->want, 4, 60);
	ASSERT_SYNC(self->c, 1);
	GET();
	EXPECT_LOG();
	/* off and on again */
	ASSERT_EQ(0, set_log(self->vm, self->p, false));
	EXPECT_EQ(-ENOENT, hvm_get_dirty_log(self->vm->fd, SLOT, self->bits));
	ASSERT_SYNC(self->c, 1);
	ASSERT_EQ(0, set_log(self->vm, self->p, true));
	EXPECT_EMPTY();
	choose(self->want, 5, 30);
	ASSERT_SYNC(self->c, 1);
	GET();
	EXPECT_LOG();
}

/* manual protection: GET does not reset, CLEAR resets what it names */
TEST_F(log, manual)
{
	uint64_t clear[PAGES / 64] = { 0 };
	int i;

	ASSERT_EQ(0, hvm_enable_cap(self->vm->fd,
				    HVM_CAP_MANUAL_DIRTY_LOG_PROTECT2, 1));
	ASSERT_EQ(0, set_log(self->vm, self->p, true));
	EXPECT_EMPTY();
	choose(self->want, 7, 50);
	ASSERT_SYNC(self->c, 1);
	GET();
	EXPECT_LOG();
	GET();
	EXPECT_LOG();
	/* clear the first half, of what was dirty */
	memcpy(clear, self->want, PAGES / 16);
	ASSERT_EQ(0, hvm_clear_dirty_log(self->vm->fd, SLOT, 0, PAGES / 2,
					 clear));
	memset(self->want, 0, PAGES / 16);
	GET();
	EXPECT_LOG();
	/* one page of the second half, by its own word */
	for (i = PAGES / 128; i < PAGES / 64 && !self->want[i]; i++)
		;
	ASSERT_GT(PAGES / 64, i);
	clear[0] = self->want[i] & -self->want[i];
	self->want[i] &= self->want[i] - 1;
	ASSERT_EQ(0, hvm_clear_dirty_log(self->vm->fd, SLOT, i * 64, 64,
					 clear));
	GET();
	EXPECT_LOG();
	/* what was cleared is seen when it is written again */
	memset(clear, 0xff, sizeof(clear));
	ASSERT_EQ(0, hvm_clear_dirty_log(self->vm->fd, SLOT, 0, PAGES, clear));
	EXPECT_EMPTY();
	choose(self->want, 8, 50);
	ASSERT_SYNC(self->c, 1);
	GET();
	EXPECT_LOG();
}

TEST_F(log, initially_all_set)
{
	uint64_t all[PAGES / 64];
	size_t i;

	ASSERT_EQ(0, hvm_enable_cap(self->vm->fd,
				    HVM_CAP_MANUAL_DIRTY_LOG_PROTECT2, 3));
	ASSERT_EQ(0, set_log(self->vm, self->p, true));
	memset(all, 0xff, sizeof(all));
	GET();
	EXPECT_EQ(0, memcmp(self->bits, all, sizeof(all)));
	for (i = 0; i < PAGES; i += 64)
		ASSERT_EQ(0, hvm_clear_dirty_log(self->vm->fd, SLOT, i, 64,
						 all));
	EXPECT_EMPTY();
	choose(self->want, 9, 50);
	ASSERT_SYNC(self->c, 1);
	GET();
	EXPECT_LOG();
}

/* what the kernel writes for the guest counts too: a string input */
static void g_ins(void)
{
	uint64_t di = GPA + 5 * PAGE_SIZE, n = 4;

	asm volatile("cld; rep insl" : "+D"(di), "+c"(n) : "d"(0x77)
		     : "memory");
	GUEST_SYNC(1);
}

TEST_F(log, written_by_the_kernel)
{
	int ret;

	ASSERT_EQ(0, set_log(self->vm, self->p, true));
	gcpu_long_mode(self->c, g_ins);
	EXPECT_EMPTY();
	while ((ret = gcpu_run(self->c)) == HVM_EXIT_IO)
		;
	ASSERT_EQ(UCALL_SYNC, ret);
	memset(self->want, 0, sizeof(self->want));
	self->want[0] = 1 << 5;
	GET();
	EXPECT_LOG();
}

static volatile uint64_t stop;

/* more pages at once than a processor's own log holds */
static void g_all(void)
{
	uint64_t i;

	for (i = 0; i < PAGES; i++)
		if (i % 8)
			*(volatile uint64_t *)(GPA + i * PAGE_SIZE) = i;
	GUEST_SYNC(1);
}

TEST_F(log, many)
{
	ASSERT_EQ(0, set_log(self->vm, self->p, true));
	EXPECT_EMPTY();
	gcpu_long_mode(self->c, g_all);
	ASSERT_SYNC(self->c, 1);
	memset(self->want, 0xfe, sizeof(self->want));
	GET();
	EXPECT_LOG();
	EXPECT_EMPTY();
}

/* the log is whole while the guest runs: what it says it has written is there */
static volatile uint64_t written;

static void g_steps(void)
{
	for (written = 0; written < PAGES;) {
		*(volatile uint64_t *)(GPA + written * PAGE_SIZE) = 1;
		written++;
	}
	while (!stop)
		cpu_relax();
}

TEST_F(log, while_it_runs)
{
	uint64_t got[PAGES / 64] = { 0 }, until;
	unsigned int i, missed = 0;

	stop = 0;
	ASSERT_EQ(0, set_log(self->vm, self->p, true));
	gcpu_long_mode(self->c, g_steps);
	gcpu_start(self->c);
	do {
		until = written;
		GET();
		for (i = 0; i < PAGES / 64; i++)
			got[i] |= self->bits[i];
		for (i = 0; i < until; i++)
			missed += !(got[i / 64] >> i % 64 & 1);
	} while (until < PAGES && !missed);
	stop = 1;
	EXPECT_EQ(0u, missed);
	EXPECT_EQ(UCALL_DONE, gcpu_join(self->c, 5));
}

/*
 * Live migration in small: copy what the log names while the guest writes,
 * stop it, copy the rest: the copy is the memory.
 */
static void g_busy(void)
{
	uint64_t i = 1;

	while (!stop) {
		i = i * 6364136223846793005ull + 1442695040888963407ull;
		*(volatile uint64_t *)(GPA + (i >> 20) % SIZE / 8 * 8) = i;
	}
}

static void copy_dirty(uint8_t *to, const uint8_t *from, const uint64_t *bits)
{
	size_t i;

	for (i = 0; i < PAGES; i++)
		if (bits[i / 64] >> i % 64 & 1)
			memcpy(to + i * PAGE_SIZE, from + i * PAGE_SIZE,
			       PAGE_SIZE);
}

TEST_F(log, migration)
{
	uint8_t *copy = map_aligned(SIZE);
	int i;

	stop = 0;
	ASSERT_EQ(0, set_log(self->vm, self->p, true));
	memcpy(copy, self->p, SIZE);
	gcpu_long_mode(self->c, g_busy);
	gcpu_start(self->c);
	for (i = 0; i < 8; i++) {
		usleep(5000);
		GET();
		copy_dirty(copy, self->p, self->bits);
	}
	stop = 1;
	ASSERT_EQ(UCALL_DONE, gcpu_join(self->c, 5));
	GET();
	copy_dirty(copy, self->p, self->bits);
	EXPECT_EQ(0, memcmp(copy, self->p, SIZE));
}

TEST_HARNESS_MAIN
