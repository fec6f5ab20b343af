// SPDX-License-Identifier: GPL-2.0-only
/*
 * The dirty log as rings: what is written comes up once in the ring of who wrote
 * it, again after it was reset, and never without; a full ring stops its vCPU; what
 * userspace puts into the ring does no harm; copies made by the rules are true.
 */
#include <sched.h>

#include "guest.h"
#include "kselftest_harness.h"

#define GPA	0x10000000ul
#define PAGES	2048u			/* 8 MiB */
#define SIZE	(PAGES * PAGE_SIZE)
#define SLOT	2
#define RESERVE	64u			/* entries that stay free, and for a processor's log */
#define PML	512u
#define MSR_KVM_WALL_CLOCK_NEW	0x4b564d00

/* of each vCPU: the pages to write to, from @first on, each @step-th, until @end */
static volatile uint64_t first[2], end[2], step = 1, reads, stop, turns;

static void g_writes(unsigned int who)
{
	uint64_t i;

	for (;;) {
		for (i = 0; i < PAGES; i += 7)
			reads += *(volatile uint64_t *)(GPA + i * PAGE_SIZE);
		for (i = first[who]; i < end[who]; i += step)
			*(volatile uint64_t *)(GPA + i * PAGE_SIZE) = i;
		GUEST_SYNC(1);
	}
}

static void g_first(void)
{
	g_writes(0);
}

static void g_second(void)
{
	g_writes(1);
}

FIXTURE(ring) {
	struct gvm *vm;
	struct gcpu *c;
	struct hvm_dirty_gfn *ring;
	uint32_t nr, next;
	uint8_t *p;
	uint8_t seen[PAGES];
};

FIXTURE_VARIANT(ring) {
	bool huge;
};

FIXTURE_VARIANT_ADD(ring, small_pages) {
	.huge = false,
};

FIXTURE_VARIANT_ADD(ring, large_pages) {
	.huge = true,
};

static struct hvm_dirty_gfn *map_ring(struct gcpu *c, uint32_t nr)
{
	void *p = mmap(NULL, nr * sizeof(struct hvm_dirty_gfn), PROT_READ | PROT_WRITE,
		       MAP_SHARED, c->fd, HVM_DIRTY_LOG_PAGE_OFFSET * PAGE_SIZE);

	return p == MAP_FAILED ? NULL : p;
}

FIXTURE_SETUP(ring)
{
	uint32_t bytes = 4096;

	REQUIRE(have_cap(HVM_CAP_DIRTY_LOG_RING), "no dirty ring");
	self->vm = gvm_new(GVM_NO_IRQCHIP);
	/* the smallest: a processor with a log of its own wants more */
	while (hvm_enable_cap(self->vm->fd, HVM_CAP_DIRTY_LOG_RING, bytes))
		ASSERT_GT(65536u, bytes *= 2);
	self->nr = bytes / sizeof(*self->ring);
	self->p = map_aligned(SIZE);
	madvise(self->p, SIZE, variant->huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	memset(self->p, 1, SIZE);
	self->c = gcpu_new(self->vm, 0, g_first);
	self->ring = map_ring(self->c, self->nr);
	ASSERT_NE(NULL, self->ring);
	ASSERT_EQ(0, gvm_slot(self->vm, SLOT, 0, GPA, SIZE, self->p));
	ASSERT_SYNC(self->c, 1);
	ASSERT_EQ(0, gvm_slot(self->vm, SLOT, HVM_MEM_LOG_DIRTY_PAGES, GPA, SIZE, self->p));
}

FIXTURE_TEARDOWN(ring)
{
	if (!self->vm)
		return;
	munmap(self->ring, self->nr * sizeof(*self->ring));
	gcpu_free(self->c);
	gvm_free(self->vm);
}

/* Read up to @max entries: count each page in @seen, give it back. */
static unsigned int harvest(struct hvm_dirty_gfn *ring, uint32_t nr, uint32_t *next,
			    uint8_t *seen, unsigned int max)
{
	struct hvm_dirty_gfn *e;
	unsigned int n;

	for (n = 0; n < max; n++, ++*next) {
		e = &ring[*next % nr];
		if (__atomic_load_n(&e->flags, __ATOMIC_ACQUIRE) != HVM_DIRTY_GFN_F_DIRTY)
			break;
		if (e->slot != SLOT || e->offset >= PAGES)
			return -1;
		seen[e->offset]++;
		__atomic_store_n(&e->flags, HVM_DIRTY_GFN_F_RESET, __ATOMIC_RELEASE);
	}
	return n;
}

#define HARVEST(max) harvest(self->ring, self->nr, &self->next, self->seen, max)
#define RESET() ioctl(self->vm->fd, HVM_RESET_DIRTY_RINGS, 0)
#define WRITE(from, to, by) do {					\
	first[0] = from;						\
	end[0] = to;							\
	step = by;							\
	ASSERT_SYNC(self->c, 1);					\
} while (0)

TEST_F(ring, exact)
{
	unsigned int i, turn;

	for (turn = 0; turn < 3; turn++) {
		memset(self->seen, 0, PAGES);
		WRITE(3, 3 + 40 * 13, 13);
		EXPECT_EQ(40u, HARVEST(10000));
		for (i = 0; i < PAGES; i++)
			EXPECT_EQ(i >= 3 && i < 3 + 40 * 13 && (i - 3) % 13 == 0, self->seen[i]);
		/* not reset yet: written without notice */
		WRITE(3, 3 + 40 * 13, 13);
		EXPECT_EQ(0u, HARVEST(10000));
		EXPECT_EQ(40, RESET());
		EXPECT_EQ(0, RESET());
	}
	/* nothing written */
	WRITE(0, 0, 1);
	EXPECT_EQ(0u, HARVEST(10000));
	EXPECT_EQ(0u, self->ring[self->next % self->nr].flags);
}

TEST_F(ring, in_order)
{
	WRITE(0, 10, 1);
	/* what was not read is not taken */
	EXPECT_EQ(0, RESET());
	EXPECT_EQ(4u, HARVEST(4));
	self->ring[7].flags = HVM_DIRTY_GFN_F_RESET;
	EXPECT_EQ(4, RESET());
	self->ring[7].flags = HVM_DIRTY_GFN_F_DIRTY;
	/* the four come again, the six do not */
	WRITE(0, 10, 1);
	EXPECT_EQ(10u, HARVEST(10000));
	EXPECT_EQ(10, RESET());
}

TEST_F(ring, full)
{
	unsigned int i, used, sum = 0, stops = 0;
	int r;

	first[0] = 0;
	end[0] = PAGES;
	step = 1;
	while ((r = gcpu_run(self->c)) == HVM_EXIT_DIRTY_RING_FULL) {
		stops++;
		ASSERT_GT(100u, stops);
		/* the first time: to the entry, or what one processor's log adds at once */
		for (used = i = 0; stops == 1 && i < self->nr; i++)
			used += self->ring[i].flags == HVM_DIRTY_GFN_F_DIRTY;
		if (stops == 1) {
			EXPECT_GE(self->nr - RESERVE, used);
			EXPECT_LE(self->nr - RESERVE - (self->nr > 256 ? PML : 0), used);
		}
		/* room for what one exit may write is left */
		EXPECT_EQ(0u, self->ring[(self->next + self->nr - 1) % self->nr].flags);
		if (stops < 3)
			continue;
		/* by and by: it stays full until enough are back */
		sum += HARVEST(stops & 1 ? 1 : 10000);
		EXPECT_LT(0, RESET());
	}
	EXPECT_EQ(UCALL_SYNC, r);
	sum += HARVEST(10000);
	EXPECT_LT(3u, stops);
	EXPECT_LE(PAGES, sum);
	for (i = 0; i < PAGES; i++) {
		EXPECT_LE(1, self->seen[i]);
		EXPECT_EQ(i, *(uint64_t *)(self->p + i * PAGE_SIZE));
	}
}

/* Every vCPU fills its own. */
TEST_F(ring, two_vcpus)
{
	struct gcpu *c = gcpu_new(self->vm, 1, g_second);
	struct hvm_dirty_gfn *ring = map_ring(c, self->nr);
	uint8_t seen[PAGES] = { 0 };
	uint32_t next = 0;
	unsigned int i;

	ASSERT_NE(NULL, ring);
	first[1] = 500;
	end[1] = 530;
	WRITE(100, 120, 1);
	ASSERT_SYNC(c, 1);
	EXPECT_EQ(20u, HARVEST(10000));
	EXPECT_EQ(30u, harvest(ring, self->nr, &next, seen, 10000));
	for (i = 0; i < PAGES; i++) {
		EXPECT_EQ(i >= 100 && i < 120, self->seen[i]);
		EXPECT_EQ(i >= 500 && i < 530, seen[i]);
	}
	EXPECT_EQ(50, RESET());
	munmap(ring, self->nr * sizeof(*ring));
	gcpu_free(c);
}

/* Memory that the kernel writes for a vCPU. */
TEST_F(ring, kernel_writes)
{
	struct {
		struct hvm_msrs h;
		struct hvm_msr_entry e;
	} m = { .h.nmsrs = 1, .e = { .index = MSR_KVM_WALL_CLOCK_NEW,
				     .data = GPA + 77 * PAGE_SIZE } };

	ASSERT_EQ(1, ioctl(self->c->fd, HVM_SET_MSRS, &m));
	EXPECT_LE(1u, HARVEST(10000));
	EXPECT_LE(1, self->seen[77]);
}

/* ... in calls without end: the ring must not overflow, nor be taken for empty. */
TEST_F(ring, kernel_writes_on)
{
	struct {
		struct hvm_msrs h;
		struct hvm_msr_entry e;
	} m = { .h.nmsrs = 1, .e.index = MSR_KVM_WALL_CLOCK_NEW };
	unsigned int i;

	REQUIRE_HVM();
	for (i = 0; i < PAGES; i++) {
		m.e.data = GPA + i * PAGE_SIZE;
		ASSERT_EQ(1, ioctl(self->c->fd, HVM_SET_MSRS, &m));
	}
	EXPECT_EQ(HVM_EXIT_DIRTY_RING_FULL, gcpu_run(self->c));
	EXPECT_EQ(self->nr, HARVEST(10000));
	EXPECT_EQ((int)self->nr, RESET());
	EXPECT_EQ(1, self->seen[0]);
	EXPECT_EQ(1, self->seen[self->nr - 1]);
	EXPECT_EQ(0, self->seen[self->nr]);
	WRITE(0, 10, 1);
	EXPECT_EQ(10u, HARVEST(10000));
}

/* Userspace writes what it likes. */
TEST_F(ring, nonsense)
{
	static const uint32_t slots[] = { SLOT, 0, 1, 3, 0x7fff, 0x10000 | SLOT, 0xffffffff };
	static const uint64_t offsets[] = { PAGES - 1, PAGES, 1ull << 31, 1ull << 52, ~0ull };
	unsigned int i, n = 0;

	for (i = 0; i < 3; i++) {
		memset(self->ring, 0xff, self->nr * sizeof(*self->ring));
		/* no entry was pushed, so there is none to take */
		if (device_is_hvm())
			EXPECT_EQ(0, RESET());
		memset(self->ring, 0, self->nr * sizeof(*self->ring));
		self->next = n;
		WRITE(0, 35, 1);
		n += 35;
		for (; self->next < n; self->next++) {
			struct hvm_dirty_gfn *e = &self->ring[self->next % self->nr];

			e->slot = slots[self->next % ARRAY_LEN(slots)];
			e->offset = offsets[self->next % ARRAY_LEN(offsets)];
			e->flags = 0xfffffffe;
		}
		EXPECT_EQ(35, RESET());
		/* these pages were never given back: no matter, but for their owner */
		ASSERT_EQ(0, gvm_slot(self->vm, SLOT, 0, GPA, SIZE, self->p));
		ASSERT_EQ(0, gvm_slot(self->vm, SLOT, HVM_MEM_LOG_DIRTY_PAGES, GPA, SIZE,
				      self->p));
		if (!device_is_hvm())
			return;
	}
}

/* A slot that is gone, or another one by now, when its pages come back. */
TEST_F(ring, slot_changes)
{
	WRITE(0, 20, 1);
	EXPECT_EQ(10u, HARVEST(10));
	ASSERT_EQ(0, gvm_slot(self->vm, SLOT, 0, GPA, 0, self->p));
	EXPECT_EQ(10, RESET());
	ASSERT_EQ(0, gvm_slot(self->vm, SLOT, HVM_MEM_LOG_DIRTY_PAGES, GPA, SIZE, self->p));
	EXPECT_EQ(10u, HARVEST(10000));
	/* KVM takes the pages that are only read now for written, and the ring is full. */
	if (!device_is_hvm())
		return;
	WRITE(0, 20, 1);
	EXPECT_EQ(10, RESET());
	/* 10 to 19 may come twice: they were taken back when they had been written anew */
	EXPECT_LE(20u, HARVEST(10000));
	WRITE(0, 20, 1);
	EXPECT_LE(20, RESET());
}

static void g_on(void)
{
	uint64_t x = 1;

	while (!stop) {
		x = x * 6364136223846793005ul + 1442695040888963407ul;
		*(volatile uint64_t *)(GPA + (x >> 33) % PAGES * PAGE_SIZE + 8) = x;
		turns++;
	}
	GUEST_SYNC(2);
}

static volatile bool running;

static void *run_on(void *arg)
{
	struct gcpu *c = arg;
	int r;

	do {
		r = gcpu_run(c);
		if (r == HVM_EXIT_DIRTY_RING_FULL)
			sched_yield();
	} while (r == HVM_EXIT_DIRTY_RING_FULL);
	running = false;
	return (void *)(long)r;
}

/* Migration: copies of what the rings told, each made after the reset, are the memory. */
TEST_F(ring, copies)
{
	unsigned int i, n;
	uint8_t *copy = malloc(SIZE);
	bool was;
	pthread_t thread;
	void *r;

	memcpy(copy, self->p, SIZE);
	stop = 0;
	turns = 0;
	gcpu_long_mode(self->c, g_on);
	running = true;
	ASSERT_EQ(0, pthread_create(&thread, NULL, run_on, self->c));
	do {
		/* what comes now was written before the guest stopped, or it goes on */
		was = running;
		memset(self->seen, 0, PAGES);
		n = HARVEST(10000);
		EXPECT_EQ((int)n, RESET());
		for (i = 0; i < PAGES; i++)
			if (self->seen[i])
				memcpy(copy + i * PAGE_SIZE, self->p + i * PAGE_SIZE, PAGE_SIZE);
		if (turns > 20 * PAGES)
			stop = 1;
		if (!n)
			sched_yield();
	} while (was || n);
	pthread_join(thread, &r);
	EXPECT_EQ(UCALL_SYNC, (int)(long)r);
	EXPECT_EQ(0, memcmp(copy, self->p, SIZE));
	free(copy);
}

TEST_HARNESS_MAIN
