// SPDX-License-Identifier: GPL-2.0-only
/*
 * Port I/O: every size and direction, the string forms with any count, the
 * direction flag, addresses that cross pages.
 */
#include "guest.h"
#include "kselftest_harness.h"

static volatile uint32_t in8, in16, in32;
static uint8_t source[8192] __attribute__((aligned(4096)));
static uint8_t target[8192] __attribute__((aligned(4096)));

static void g_sizes(void)
{
	outb(0x80, 0x12);
	outw(0x80, 0x3456);
	outl(0x80, 0x789abcde);
	outb(0x3f8, 0xff);
	asm volatile("outb %%al, $0xff" :: "a"(0x21));
	in8 = inb(0x60);
	in16 = inw(0x60);
	in32 = inl(0xfffc);
	GUEST_ASSERT_EQ(in8, 0xa1);
	GUEST_ASSERT_EQ(in16, 0xb2a1);
	GUEST_ASSERT_EQ(in32, 0xd4c3b2a1);
	/* the rest of RAX: kept by 8 and 16 bits, cleared by 32 */
	uint64_t rax = 0x1122334455667788;

	asm volatile("inb $0x60, %%al" : "+a"(rax));
	GUEST_ASSERT_EQ(rax, 0x11223344556677a1);
	asm volatile("inw $0x60, %%ax" : "+a"(rax));
	GUEST_ASSERT_EQ(rax, 0x112233445566b2a1);
	asm volatile("inl $0x60, %%eax" : "+a"(rax));
	GUEST_ASSERT_EQ(rax, 0xd4c3b2a1);
}

struct access {
	uint16_t port;
	uint8_t size, dir;
	uint32_t value;
};

static void put(struct gcpu *c, const void *data, size_t n)
{
	memcpy((char *)c->run + c->run->io.data_offset, data, n);
}

TEST(sizes)
{
	static const struct access t[] = {
		{ 0x80, 1, HVM_EXIT_IO_OUT, 0x12 },
		{ 0x80, 2, HVM_EXIT_IO_OUT, 0x3456 },
		{ 0x80, 4, HVM_EXIT_IO_OUT, 0x789abcde },
		{ 0x3f8, 1, HVM_EXIT_IO_OUT, 0xff },
		{ 0xff, 1, HVM_EXIT_IO_OUT, 0x21 },
		{ 0x60, 1, HVM_EXIT_IO_IN, 0 }, { 0x60, 2, HVM_EXIT_IO_IN, 0 },
		{ 0xfffc, 4, HVM_EXIT_IO_IN, 0 }, { 0x60, 1, HVM_EXIT_IO_IN, 0 },
		{ 0x60, 2, HVM_EXIT_IO_IN, 0 }, { 0x60, 4, HVM_EXIT_IO_IN, 0 },
	};
	struct gvm *vm = gvm_new(GVM_NO_IRQCHIP);
	struct gcpu *c = gcpu_new(vm, 0, g_sizes);
	struct hvm_run *run = c->run;
	uint32_t v;
	size_t i;

	for (i = 0; i < ARRAY_LEN(t); i++) {
		ASSERT_EQ(HVM_EXIT_IO, gcpu_run(c));
		EXPECT_EQ(t[i].port, run->io.port);
		EXPECT_EQ(t[i].size, run->io.size);
		EXPECT_EQ(t[i].dir, run->io.direction);
		EXPECT_EQ(1u, run->io.count);
		EXPECT_LE(run->io.data_offset + t[i].size, c->h.run_size);
		v = 0;
		memcpy(&v, (char *)run + run->io.data_offset, t[i].size);
		if (t[i].dir == HVM_EXIT_IO_IN)
			put(c, "\xa1\xb2\xc3\xd4", t[i].size);
		else
			ASSERT_EQ(t[i].value, v);
	}
	ASSERT_DONE(c);
}

static void outs(const char *size, const void *p, uint64_t n, uint16_t port)
{
	uint64_t si = (uint64_t)p, cx = n;

	switch (size[0]) {
	case 'b':
		asm volatile("cld; rep outsb" : "+S"(si), "+c"(cx) : "d"(port)
			     : "memory");
		break;
	case 'w':
		asm volatile("cld; rep outsw" : "+S"(si), "+c"(cx) : "d"(port)
			     : "memory");
		break;
	default:
		asm volatile("cld; rep outsl" : "+S"(si), "+c"(cx) : "d"(port)
			     : "memory");
	}
	GUEST_ASSERT_EQ(cx, 0);
	GUEST_ASSERT_EQ(si, (uint64_t)p + n * (size[0] == 'b' ? 1 :
					       size[0] == 'w' ? 2 : 4));
}

static void ins(char size, void *p, uint64_t n, uint16_t port)
{
	uint64_t di = (uint64_t)p, cx = n;

	if (size == 'b')
		asm volatile("cld; rep insb" : "+D"(di), "+c"(cx) : "d"(port)
			     : "memory");
	else if (size == 'w')
		asm volatile("cld; rep insw" : "+D"(di), "+c"(cx) : "d"(port)
			     : "memory");
	else
		asm volatile("cld; rep insl" : "+D"(di), "+c"(cx) : "d"(port)
			     : "memory");
	GUEST_ASSERT_EQ(cx, 0);
	GUEST_ASSERT_EQ(di, (uint64_t)p + n * (size == 'b' ? 1 :
					       size == 'w' ? 2 : 4));
}

static void g_strings(void)
{
	uint64_t si, di, i;

	outs("b", source, 1, 0x90);
	outs("b", source, 0, 0x90);		/* nothing at all */
	outs("b", source + 4090, 20, 0x90);	/* over the page's end */
	outs("w", source + 100, 300, 0x90);
	outs("l", source + 4093, 40, 0x90);
	GUEST_SYNC(1);
	ins('b', target, 5, 0x91);
	ins('b', target + 4090, 20, 0x91);
	ins('w', target + 100, 300, 0x91);
	ins('l', target + 5000, 700, 0x91);
	GUEST_SYNC(2);
	/* not repeated, and downwards */
	si = (uint64_t)source + 50;
	asm volatile("outsb" : "+S"(si) : "d"(0x90) : "memory");
	GUEST_ASSERT_EQ(si, (uint64_t)source + 51);
	di = (uint64_t)target + 7000;
	asm volatile("insl" : "+D"(di) : "d"(0x91) : "memory");
	GUEST_ASSERT_EQ(di, (uint64_t)target + 7004);
	i = 10;
	si = (uint64_t)source + 60;
	asm volatile("std; rep outsb; cld" : "+S"(si), "+c"(i) : "d"(0x90)
		     : "memory");
	GUEST_ASSERT_EQ(si, (uint64_t)source + 50);
	i = 10;
	di = (uint64_t)target + 8000;
	asm volatile("std; rep insb; cld" : "+D"(di), "+c"(i) : "d"(0x91)
		     : "memory");
	GUEST_ASSERT_EQ(di, (uint64_t)target + 7990);
	GUEST_SYNC(3);
}

static uint8_t sent[16384], next_in;
static size_t sent_len;

/* serve the ports until the guest's next message; any count per exit will do */
static int serve(struct gcpu *c)
{
	struct hvm_run *run = c->run;
	int ret;

	while ((ret = gcpu_run(c)) == HVM_EXIT_IO) {
		uint8_t *d = (uint8_t *)run + run->io.data_offset;
		size_t n = run->io.size * run->io.count, i;

		if (!n || n > c->h.run_size - run->io.data_offset)
			return -ERANGE;
		if (run->io.port == 0x90 && run->io.direction) {
			if (sent_len + n > sizeof(sent))
				return -ERANGE;
			memcpy(sent + sent_len, d, n);
			sent_len += n;
		} else if (run->io.port == 0x91 && !run->io.direction) {
			for (i = 0; i < n; i++)
				d[i] = next_in++;
		} else {
			return -EINVAL;
		}
	}
	return ret;
}

static bool counts_up(const uint8_t *p, size_t n, uint8_t from)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (p[i] != (uint8_t)(from + i))
			return false;
	return true;
}

TEST(strings)
{
	struct gvm *vm = gvm_new(GVM_NO_IRQCHIP);
	struct gcpu *c = gcpu_new(vm, 0, g_strings);
	size_t i;

	for (i = 0; i < sizeof(source); i++)
		source[i] = i * 7 + i / 256;
	ASSERT_EQ(UCALL_SYNC, serve(c));
	ASSERT_EQ(1 + 20 + 600 + 160, sent_len);
	EXPECT_EQ(0, memcmp(sent, source, 1));
	EXPECT_EQ(0, memcmp(sent + 1, source + 4090, 20));
	EXPECT_EQ(0, memcmp(sent + 21, source + 100, 600));
	EXPECT_EQ(0, memcmp(sent + 621, source + 4093, 160));
	ASSERT_EQ(UCALL_SYNC, serve(c));
	EXPECT_TRUE(counts_up(target, 5, 0));
	EXPECT_TRUE(counts_up(target + 4090, 20, 5));
	EXPECT_TRUE(counts_up(target + 100, 600, 25));
	EXPECT_TRUE(counts_up(target + 5000, 2800, (uint8_t)625));
	sent_len = 0;
	next_in = 100;
	ASSERT_EQ(UCALL_SYNC, serve(c));
	ASSERT_EQ(11, sent_len);
	EXPECT_EQ(source[50], sent[0]);
	for (i = 0; i < 10; i++) {
		EXPECT_EQ(source[60 - i], sent[1 + i]);
		EXPECT_EQ(104 + i, target[8000 - i]);
	}
	EXPECT_EQ(0, memcmp(target + 7000, "defg", 4));
	ASSERT_DONE(c);
}

/* a string instruction whose memory is not mapped faults in the guest */
static volatile uint64_t faults;

static void pf(struct trap_frame *f)
{
	faults++;
	GUEST_ASSERT_EQ(read_cr2(), 0x8000000000);
	f->rip += 2;
}

static void g_string_faults(void)
{
	uint64_t p = 0x8000000000, n = 4;

	guest_handlers[VEC_PF] = pf;
	asm volatile("cld; rep outsb" : "+S"(p), "+c"(n) : "d"(0x90)
		     : "memory");
	GUEST_ASSERT_EQ(n, 4);
	asm volatile("cld; rep insb" : "+D"(p), "+c"(n) : "d"(0x91)
		     : "memory");
	GUEST_ASSERT_EQ(faults, 2);
}

TEST(string_faults)
{
	struct gvm *vm = gvm_new(GVM_NO_IRQCHIP);
	struct gcpu *c = gcpu_new(vm, 0, g_string_faults);

	ASSERT_EQ(UCALL_DONE, serve(c));
}

static uint8_t in_buf[64];

/* REP INS whose count userspace makes smaller on the way. */
static void g_fewer(void)
{
	uint64_t n = 8;
	void *p = in_buf;

	asm volatile("rep insb" : "+D"(p), "+c"(n) : "d"(0x80) : "memory");
	GUEST_ASSERT_EQ(n, 0);
	GUEST_ASSERT_EQ(p - (void *)in_buf, 3);
	GUEST_DONE();
}

TEST(fewer)
{
	struct gcpu *c = gcpu_new(gvm_new(GVM_NO_IRQCHIP), 0, g_fewer);
	struct hvm_regs r;

	ASSERT_EQ(HVM_EXIT_IO, gcpu_run(c));
	r = gcpu_regs(c);
	REQUIRE(r.rcx == 8, "a count that is still whole");
	r.rcx = 3;
	ASSERT_EQ(0, hvm_set_regs(c->fd, &r));
	memset((uint8_t *)c->run + c->run->io.data_offset, 0xa5, 8);
	ASSERT_DONE(c);
	EXPECT_EQ(0xa5, in_buf[2]);
	EXPECT_EQ(0, in_buf[3]);
}

TEST_HARNESS_MAIN
