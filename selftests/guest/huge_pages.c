// SPDX-License-Identifier: GPL-2.0-only
/*
 * Large host pages: a guest's memory that the host backs with 2 MiB pages is
 * mapped so, splits where it must, and stays correct at every edge.
 */
#include <fcntl.h>

#include "guest.h"
#include "kselftest_harness.h"

#define GPA	0x10000000ul
#define SIZE	(8 * SZ_2M)

static volatile uint64_t base, size;

static void g_fill(void)
{
	uint64_t i;

	for (i = 0; i < size; i += PAGE_SIZE)
		*(volatile uint64_t *)(base + i) = base + i;
	GUEST_SYNC(1);
	for (i = 0; i < size; i += PAGE_SIZE)
		GUEST_ASSERT_EQ(*(volatile uint64_t *)(base + i), base + i);
}

/* code in large pages, data beside it, and code again */
static void g_execute(void)
{
	static const uint8_t code[] = { 0xb8, 1, 0, 0, 0, 0xc3 }; /* mov $1, %eax; ret */
	uint64_t i, turn, n = 0;
	uint32_t v;
	size_t j;

	for (turn = 0; turn < 3; turn++)
		for (i = 0; i < size; i += SZ_2M / 4) {
			volatile uint8_t *p = (void *)(base + i);

			for (j = 0; j < sizeof(code); j++)
				p[j] = code[j];
			p[SZ_2M / 8] = turn;
			asm volatile("call *%1" : "=a"(v) : "r"(p) : "memory");
			n += v;
			GUEST_ASSERT_EQ(p[SZ_2M / 8], turn);
		}
	GUEST_SYNC(n);
}

TEST(executed)
{
	uint8_t *p = map_aligned(SIZE);
	struct gvm *vm = gvm_new(GVM_NO_IRQCHIP);
	struct gcpu *c = gcpu_new(vm, 0, g_execute);

	REQUIRE(!madvise(p, SIZE, MADV_HUGEPAGE), "no transparent huge pages");
	memset(p, 0, SIZE);
	base = GPA;
	size = SIZE;
	ASSERT_EQ(0, gvm_slot(vm, 2, 0, GPA, SIZE, p));
	ASSERT_SYNC(c, 3 * SIZE / (SZ_2M / 4));
	gcpu_free(c);
	gvm_free(vm);
}

static bool in_order(const uint8_t *p, uint64_t from)
{
	uint64_t i;

	for (i = 0; i < size; i += PAGE_SIZE)
		if (*(uint64_t *)(p + i) != from + i)
			return false;
	return true;
}

static void run_on(struct __test_metadata *_metadata, void *p, uint64_t gpa,
		   uint64_t bytes)
{
	struct gvm *vm = gvm_new(GVM_NO_IRQCHIP);
	struct gcpu *c = gcpu_new(vm, 0, g_fill);

	base = gpa;
	size = bytes;
	ASSERT_EQ(0, gvm_slot(vm, 2, 0, gpa, bytes, p));
	ASSERT_SYNC(c, 1);
	EXPECT_TRUE(in_order(p, gpa));
	ASSERT_DONE(c);
	gcpu_free(c);
	gvm_free(vm);
}

TEST(transparent)
{
	uint8_t *p = map_aligned(SIZE);

	REQUIRE(!madvise(p, SIZE, MADV_HUGEPAGE), "no transparent huge pages");
	run_on(_metadata, p, GPA, SIZE);
}

/* host and guest addresses are not aligned alike: no large page may be used */
TEST(misaligned)
{
	uint8_t *p = map_aligned(SIZE);

	madvise(p, SIZE, MADV_HUGEPAGE);
	run_on(_metadata, p + PAGE_SIZE, GPA, SIZE - SZ_2M);
	run_on(_metadata, p, GPA + 3 * PAGE_SIZE, SIZE - SZ_2M);
}

/* the slot begins and ends within a large page of the host */
TEST(partial)
{
	uint8_t *p = map_aligned(SIZE);

	madvise(p, SIZE, MADV_HUGEPAGE);
	memset(p, 0, SIZE);
	run_on(_metadata, p + 5 * PAGE_SIZE, GPA + 5 * PAGE_SIZE,
	       SZ_2M + 7 * PAGE_SIZE);
	EXPECT_EQ(0, p[4 * PAGE_SIZE]);
	EXPECT_EQ(0, p[SZ_2M + 12 * PAGE_SIZE]);
}

TEST(hugetlb)
{
	const char *knob = "/proc/sys/vm/nr_hugepages";
	int fd = open(knob, O_WRONLY);
	void *p;

	REQUIRE(fd >= 0, "no hugetlb");
	if (write(fd, "8", 1) != 1)
		SKIP(return, "no hugetlb");
	p = mmap(NULL, 4 * SZ_2M, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	REQUIRE(p != MAP_FAILED, "no memory for hugetlb");
	run_on(_metadata, p, GPA, 4 * SZ_2M);
	munmap(p, 4 * SZ_2M);
	if (write(fd, "0", 1) != 1)
		TH_LOG("hugetlb pages stay");
	close(fd);
}

/* a large page falls apart under the guest, and grows together again */
static void g_rounds(void)
{
	uint64_t i, n;

	for (n = 0; n < 6; n++) {
		for (i = 0; i < size; i += PAGE_SIZE)
			*(volatile uint64_t *)(base + i) = base + i + n;
		GUEST_SYNC(n);
		for (i = 0; i < size; i += PAGE_SIZE) {
			uint64_t v = *(volatile uint64_t *)(base + i);

			GUEST_ASSERT(v == base + i + n || !v);
		}
	}
}

TEST(split)
{
	struct gvm *vm = gvm_new(GVM_NO_IRQCHIP);
	struct gcpu *c = gcpu_new(vm, 0, g_rounds);
	uint8_t *p = map_aligned(SIZE);
	int i;

	base = GPA;
	size = SIZE;
	madvise(p, SIZE, MADV_HUGEPAGE);
	ASSERT_EQ(0, gvm_slot(vm, 2, 0, GPA, SIZE, p));
	for (i = 0; i < 6; i++) {
		ASSERT_SYNC(c, i);
		EXPECT_TRUE(in_order(p, GPA + i));
		switch (i) {
		case 0:
			madvise(p + 3 * PAGE_SIZE, PAGE_SIZE, MADV_DONTNEED);
			break;
		case 1:
			madvise(p, SZ_2M, MADV_DONTNEED);
			break;
		case 2:
			mprotect(p + SZ_2M + PAGE_SIZE, PAGE_SIZE, PROT_READ);
			mprotect(p + SZ_2M + PAGE_SIZE, PAGE_SIZE,
				 PROT_READ | PROT_WRITE);
			break;
		case 3:
			madvise(p, SIZE, MADV_NOHUGEPAGE);
			break;
		}
	}
	ASSERT_DONE(c);
}

TEST_HARNESS_MAIN
