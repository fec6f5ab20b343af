// SPDX-License-Identifier: GPL-2.0-only
/*
 * The serial port by its registers, as a driver sees it, and how much input
 * it takes.
 */
#include "ktap.h"
#include "../../userspace/vmm/serial.h"

#include <string.h>

enum { DATA, IER, IIR, LCR, MCR, LSR, MSR, SCR };

static struct serial port;
static bool line;
static unsigned int rises, readable;
static char out[64];
static unsigned int nout;

static void on_irq(void *ptr, bool high)
{
	(void)ptr;
	CHECK(high != line);
	line = high;
	rises += high;
}

static void on_output(void *ptr, uint8_t byte)
{
	(void)ptr;
	if (nout < sizeof(out))
		out[nout++] = byte;
}

static void on_readable(void *ptr)
{
	(void)ptr;
	readable++;
}

static const struct serial_ops ops = {
	.irq = on_irq, .output = on_output, .readable = on_readable,
};

static void reset(void)
{
	serial_init(&port, &ops, NULL);
	line = false;
	rises = readable = nout = 0;
}

static uint8_t in(unsigned int reg)
{
	uint8_t value = 0xaa;

	serial_access(&port, reg, &value, 1, false);
	return value;
}

static void put(unsigned int reg, uint8_t value)
{
	serial_access(&port, reg, &value, 1, true);
}

static void after_reset(void)
{
	reset();
	CHECK_EQ(in(IER), 0);
	CHECK_EQ(in(IIR), 0x01);
	CHECK_EQ(in(LSR), 0x60);
	CHECK_EQ(in(MSR), 0xb0);
	CHECK(!line);
}

static void output(void)
{
	reset();
	put(DATA, 'h');
	put(DATA, 'i');
	CHECK_EQ(nout, 2);
	CHECK(!memcmp(out, "hi", 2));
	CHECK_EQ(in(LSR), 0x60);
	CHECK(!line);
}

static void transmit_interrupt(void)
{
	reset();
	put(IER, 0x02);
	CHECK(line);
	CHECK_EQ(in(IIR), 0x02);
	CHECK(!line);
	CHECK_EQ(in(IIR), 0x01);
	put(DATA, 'x');
	CHECK(line);
	CHECK_EQ(rises, 2);
	put(IER, 0);
	CHECK(!line);
	CHECK_EQ(in(IIR), 0x01);
}

static void receive_interrupt(void)
{
	reset();
	put(IER, 0x01);
	CHECK_EQ(serial_input(&port, "ab", 2), 2);
	CHECK(line);
	CHECK_EQ(in(IIR), 0x04);
	CHECK_EQ(in(LSR), 0x61);
	CHECK_EQ(in(DATA), 'a');
	CHECK(line);
	CHECK_EQ(in(DATA), 'b');
	CHECK(!line);
	CHECK_EQ(in(LSR), 0x60);
	CHECK_EQ(in(DATA), 0);
}

static void priority(void)
{
	reset();
	put(IER, 0x03);
	serial_input(&port, "a", 1);
	CHECK_EQ(in(IIR), 0x04);
	/* Reading about one must not forget the other. */
	CHECK_EQ(in(DATA), 'a');
	CHECK(line);
	CHECK_EQ(in(IIR), 0x02);
	CHECK(!line);
}

static void input_room(void)
{
	char many[40];

	memset(many, 'z', sizeof(many));
	reset();
	CHECK_EQ(serial_room(&port), 0);
	CHECK_EQ(serial_input(&port, many, sizeof(many)), 0);
	put(IER, 0x01);
	CHECK_EQ(readable, 1);
	CHECK_EQ(serial_room(&port), SERIAL_FIFO);
	CHECK_EQ(serial_input(&port, many, sizeof(many)), SERIAL_FIFO);
	CHECK_EQ(serial_room(&port), 0);
	readable = 0;
	in(DATA);
	CHECK_EQ(readable, 1);
	in(DATA);
	CHECK_EQ(readable, 1);
	CHECK_EQ(serial_room(&port), 2);
}

static void fifo_order(void)
{
	unsigned int i, expect = 0;
	uint8_t byte = 0;

	reset();
	put(IER, 0x01);
	for (i = 0; i < 100; i++) {
		while (serial_input(&port, &byte, 1))
			byte++;
		for (unsigned int n = i % SERIAL_FIFO; n--; expect++)
			CHECK_EQ(in(DATA), (uint8_t)expect);
	}
}

static void fifo_control(void)
{
	reset();
	put(IER, 0x01);
	serial_input(&port, "abc", 3);
	put(IIR, 0x01);
	CHECK_EQ(in(IIR), 0xc4);
	CHECK_EQ(in(LSR), 0x61);
	put(IIR, 0x03);
	CHECK_EQ(in(IIR), 0xc1);
	CHECK_EQ(in(LSR), 0x60);
	CHECK(!line);
}

static void divisor_latch(void)
{
	reset();
	put(IER, 0x01);
	put(LCR, 0x83);
	put(DATA, 0x34);
	put(IER, 0x12);
	CHECK_EQ(nout, 0);
	CHECK_EQ(in(DATA), 0x34);
	CHECK_EQ(in(IER), 0x12);
	put(LCR, 0x03);
	CHECK_EQ(in(IER), 0x01);
	CHECK_EQ(in(LCR), 0x03);
}

static void loopback(void)
{
	reset();
	put(MCR, 0x10 | 0x0f);
	CHECK_EQ(in(MSR), 0xf0);
	put(MCR, 0x10 | 0x02);
	CHECK_EQ(in(MSR), 0x10);
	put(DATA, 'L');
	CHECK_EQ(nout, 0);
	CHECK_EQ(in(LSR), 0x61);
	CHECK_EQ(in(DATA), 'L');
	put(IER, 0x01);
	CHECK_EQ(serial_room(&port), 0);
	for (unsigned int i = 0; i < 100; i++)
		put(DATA, i);
	CHECK_EQ(port.count, SERIAL_FIFO);
}

static void widths(void)
{
	uint32_t wide = 0;

	reset();
	put(SCR, 0x5a);
	serial_access(&port, SCR, &wide, 4, false);
	CHECK_EQ(wide, 0xffffff5a);
	wide = 0x44434241;
	serial_access(&port, DATA, &wide, 4, true);
	CHECK_EQ(nout, 1);
	CHECK_EQ(out[0], 'A');
	put(IER, 0xff);
	CHECK_EQ(in(IER), 0x0f);
}

static const struct ktap_test tests[] = {
	{ "after reset", after_reset },
	{ "bytes go out", output },
	{ "the transmitter's interrupt", transmit_interrupt },
	{ "the receiver's interrupt", receive_interrupt },
	{ "the receiver comes first", priority },
	{ "input waits for room and for a driver", input_room },
	{ "input keeps its order", fifo_order },
	{ "the FIFO control register", fifo_control },
	{ "the divisor latch", divisor_latch },
	{ "loopback", loopback },
	{ "widths", widths },
};

KTAP_MAIN(tests)
