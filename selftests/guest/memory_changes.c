// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host changes memory under a running guest: munmap, a new mapping, mremap,
 * madvise, fork and copy-on-write, page merging, mprotect. The guest sees what
 * the process sees, always.
 */
#include <fcntl.h>
#include <sys/wait.h>

#include "guest.h"
#include "kselftest_harness.h"

#define GPA	0x10000000ul
#define PAGES	64

/* the guest counts in every page, and tells what it found on demand */
static volatile uint64_t turns, stop, command, answer, target;

enum { NOTHING, READ, WRITE };

static void g_serve(void)
{
	for (;;) {
		turns++;
		if (stop)
			break;
		if (command == READ)
			answer = *(volatile uint64_t *)(GPA + target);
		else if (command == WRITE)
			*(volatile uint64_t *)(GPA + target) = answer;
		else
			continue;
		command = NOTHING;
	}
}

FIXTURE(mem) {
	struct gvm *vm;
	struct gcpu *c;
	uint64_t *p;
};

FIXTURE_SETUP(mem)
{
	self->vm = gvm_new(GVM_NO_IRQCHIP);
	self->p = gvm_add_memory(self->vm, GPA, SZ_2M, 0);
	self->c = gcpu_new(self->vm, 0, g_serve);
	gcpu_start(self->c);
	ASSERT_TRUE(wait_for(&turns, 1, 5));
}

FIXTURE_TEARDOWN(mem)
{
	stop = 1;
	EXPECT_EQ(UCALL_DONE, gcpu_join(self->c, 5));
}

static bool done(void)
{
	int i;

	for (i = 0; i < 5000 && command; i++)
		usleep(1000);
	return !command;
}

static uint64_t guest_reads(uint64_t off)
{
	target = off;
	command = READ;
	return done() ? answer : -1ull;
}

static bool guest_writes(uint64_t off, uint64_t v)
{
	target = off;
	answer = v;
	command = WRITE;
	return done();
}

#define AT(off) (*(volatile uint64_t *)((char *)self->p + (off)))

TEST_F(mem, shared_with_the_process)
{
	AT(0) = 0x1111;
	EXPECT_EQ(0x1111ull, guest_reads(0));
	EXPECT_TRUE(guest_writes(8, 0x2222));
	EXPECT_EQ(0x2222ull, AT(8));
	AT(8) = 0x3333;
	EXPECT_EQ(0x3333ull, guest_reads(8));
}

TEST_F(mem, dontneed)
{
	int i;

	for (i = 0; i < PAGES; i++)
		ASSERT_TRUE(guest_writes(i * PAGE_SIZE, 0x100 + i));
	ASSERT_EQ(0, madvise(self->p, PAGES * PAGE_SIZE, MADV_DONTNEED));
	for (i = 0; i < PAGES; i++) {
		ASSERT_EQ(0ull, guest_reads(i * PAGE_SIZE));
		AT(i * PAGE_SIZE) = 0x200 + i;
		ASSERT_EQ(0x200ull + i, guest_reads(i * PAGE_SIZE));
	}
}

TEST_F(mem, new_mapping)
{
	void *q;

	ASSERT_TRUE(guest_writes(0, 0xaaaa));
	q = mmap(self->p, PAGE_SIZE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	ASSERT_EQ((void *)self->p, q);
	AT(0) = 0xbbbb;
	EXPECT_EQ(0xbbbbull, guest_reads(0));
	EXPECT_TRUE(guest_writes(0, 0xcccc));
	EXPECT_EQ(0xccccull, AT(0));
}

TEST_F(mem, moved_in)
{
	uint64_t *q = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	*q = 0x7777;
	ASSERT_TRUE(guest_writes(PAGE_SIZE, 1));
	ASSERT_NE(MAP_FAILED, mremap(q, PAGE_SIZE, PAGE_SIZE,
				     MREMAP_MAYMOVE | MREMAP_FIXED,
				     (char *)self->p + PAGE_SIZE));
	EXPECT_EQ(0x7777ull, guest_reads(PAGE_SIZE));
	EXPECT_TRUE(guest_writes(PAGE_SIZE, 0x8888));
	EXPECT_EQ(0x8888ull, AT(PAGE_SIZE));
}

/* after fork, either side's write parts the pages; the guest is the parent's */
TEST_F(mem, fork_copy_on_write)
{
	int status, to[2], from[2], i;
	char b;
	pid_t pid;

	ASSERT_EQ(0, pipe(to));
	ASSERT_EQ(0, pipe(from));
	for (i = 0; i < PAGES; i++)
		ASSERT_TRUE(guest_writes(i * PAGE_SIZE, 0x1000 + i));
	pid = fork();
	if (!pid) {
		/* first the guest writes to half of them, then we look */
		if (read(to[0], &b, 1) != 1)
			_exit(1);
		for (i = 0; i < PAGES; i++)
			if (AT(i * PAGE_SIZE) != 0x1000 + i)
				_exit(2);
		for (i = 0; i < PAGES; i++)
			AT(i * PAGE_SIZE) = 0xbad;
		if (write(from[1], "x", 1) != 1)
			_exit(3);
		_exit(0);
	}
	for (i = 0; i < PAGES; i += 2)
		ASSERT_TRUE(guest_writes(i * PAGE_SIZE, 0x2000 + i));
	ASSERT_EQ(1, write(to[1], "x", 1));
	ASSERT_EQ(1, read(from[0], &b, 1));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, WEXITSTATUS(status));
	for (i = 0; i < PAGES; i++) {
		uint64_t v = (i & 1 ? 0x1000 : 0x2000) + i;

		ASSERT_EQ(v, AT(i * PAGE_SIZE));
		ASSERT_EQ(v, guest_reads(i * PAGE_SIZE));
		/* still one page, not two copies */
		ASSERT_TRUE(guest_writes(i * PAGE_SIZE, 0x3000 + i));
		ASSERT_EQ(0x3000ull + i, AT(i * PAGE_SIZE));
	}
}

static bool put(const char *file, const char *text)
{
	int fd = open(file, O_WRONLY);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) > 0;

	if (fd >= 0)
		close(fd);
	return ok;
}

static long number(const char *file)
{
	FILE *f = fopen(file, "r");
	long n = 0;

	if (f && fscanf(f, "%ld", &n) != 1)
		n = 0;
	if (f)
		fclose(f);
	return n;
}

#define KSM "/sys/kernel/mm/ksm/"

TEST_F(mem, merged_pages)
{
	int i, j;

	REQUIRE(!access(KSM "run", W_OK), "no KSM here");
	madvise(self->p, SZ_2M, MADV_NOHUGEPAGE);
	ASSERT_EQ(0, madvise(self->p, SZ_2M, MADV_MERGEABLE));
	for (i = 0; i < PAGES; i++)
		for (j = 0; j < 512; j++)
			AT(i * PAGE_SIZE + j * 8) = 0x6b736d6b736d + j;
	ASSERT_TRUE(guest_writes(0, 0x6b736d6b736d));
	put(KSM "pages_to_scan", "10000");
	put(KSM "sleep_millisecs", "10");
	ASSERT_TRUE(put(KSM "run", "1"));
	for (i = 0; i < 500 && number(KSM "pages_sharing") < PAGES / 2; i++)
		usleep(10000);
	EXPECT_LE(PAGES / 2, number(KSM "pages_sharing"));
	/* what the guest writes to one of them stays in that one */
	for (i = 0; i < PAGES; i += 3)
		ASSERT_TRUE(guest_writes(i * PAGE_SIZE, 0x5000 + i));
	for (i = 0; i < PAGES; i++) {
		uint64_t v = i % 3 ? 0x6b736d6b736d : 0x5000 + i;

		ASSERT_EQ(v, AT(i * PAGE_SIZE));
		ASSERT_EQ(v, guest_reads(i * PAGE_SIZE));
	}
	put(KSM "run", "2");
	put(KSM "run", "0");
	for (i = 0; i < PAGES; i++)
		ASSERT_EQ(i % 3 ? 0x6b736d6b736d : 0x5000ull + i,
			  guest_reads(i * PAGE_SIZE));
}

/* nothing is behind the page any more: RUN says so */
TEST(unmapped)
{
	struct gvm *vm = gvm_new(GVM_NO_IRQCHIP);
	uint64_t *p = gvm_add_memory(vm, GPA, SZ_2M, 0);
	struct gcpu *c = gcpu_new(vm, 0, g_serve);

	target = 0;
	command = READ;
	munmap(p, PAGE_SIZE);
	EXPECT_EQ(-EFAULT, gcpu_run(c));
	/* it may come back */
	ASSERT_NE(MAP_FAILED, mmap(p, PAGE_SIZE, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
				   0));
	*p = 0x99;
	gcpu_start(c);
	EXPECT_TRUE(done());
	EXPECT_EQ(0x99ull, answer);
	stop = 1;
	EXPECT_EQ(UCALL_DONE, gcpu_join(c, 5));
}

/* the process may not write: nor may its guest */
TEST(protected)
{
	struct gvm *vm = gvm_new(GVM_NO_IRQCHIP);
	uint64_t *p = gvm_add_memory(vm, GPA, SZ_2M, 0);
	struct gcpu *c = gcpu_new(vm, 0, g_serve);

	p[0] = 0x77;
	ASSERT_EQ(0, mprotect(p, PAGE_SIZE, PROT_READ));
	gcpu_start(c);
	EXPECT_EQ(0x77ull, guest_reads(0));
	target = 0;
	answer = 5;
	command = WRITE;
	EXPECT_EQ(-EFAULT, gcpu_join(c, 5));
	EXPECT_EQ(0x77ull, p[0]);
	ASSERT_EQ(0, mprotect(p, PAGE_SIZE, PROT_READ | PROT_WRITE));
	gcpu_start(c);
	EXPECT_TRUE(done());
	EXPECT_EQ(5ull, p[0]);
	stop = 1;
	EXPECT_EQ(UCALL_DONE, gcpu_join(c, 5));
}

/* a storm: pages go and come while the guest counts in them */
static void g_storm(void)
{
	uint64_t i;

	while (!stop)
		for (i = 0; i < PAGES; i++) {
			*(volatile uint64_t *)(GPA + i * PAGE_SIZE) += 1;
			turns++;
		}
}

TEST(storm)
{
	struct gvm *vm = gvm_new(GVM_NO_IRQCHIP);
	uint8_t *p = gvm_add_memory(vm, GPA, SZ_2M, 0);
	struct gcpu *c = gcpu_new(vm, 0, g_storm);
	int i;

	gcpu_start(c);
	for (i = 0; i < 300; i++) {
		madvise(p + (i % PAGES) * PAGE_SIZE, PAGE_SIZE * 3,
			MADV_DONTNEED);
		mprotect(p, PAGES * PAGE_SIZE / 2, PROT_READ);
		mprotect(p, PAGES * PAGE_SIZE / 2, PROT_READ | PROT_WRITE);
		if (c->finished)
			gcpu_join(c, 1), gcpu_start(c);
	}
	stop = 1;
	i = gcpu_join(c, 10);
	EXPECT_TRUE(i == UCALL_DONE || i == -EFAULT)
		TH_LOG("ended with %d", i);
	EXPECT_LT(0ull, turns);
}

TEST_HARNESS_MAIN
