// SPDX-License-Identifier: GPL-2.0-only
/*
 * A 16550A serial port, by National Semiconductor's data sheet. Bytes go out
 * the moment they are written, whatever the divisor says, so the transmitter
 * is always empty. Bytes come in only while there is room, so the receiver
 * never overruns.
 *
 * The lock guards the registers. It is not held while a byte is put out: a
 * terminal that does not take it must not keep input or the other vCPUs from
 * the port. It is held while the interrupt line changes, so that the line
 * cannot end up at an older level than the registers.
 */
#include "serial.h"

#include <string.h>

enum {
	REG_DATA, REG_IER, REG_IIR_FCR, REG_LCR, REG_MCR, REG_LSR, REG_MSR,
	REG_SCR
};

#define IER_RX		0x01
#define IER_THRE	0x02
#define IER_MASK	0x0f

#define IIR_NONE	0x01
#define IIR_THRE	0x02
#define IIR_RX		0x04
#define IIR_FIFO	0xc0

#define FCR_ENABLE	0x01
#define FCR_CLEAR_RX	0x02

#define LCR_DLAB	0x80

#define MCR_DTR		0x01
#define MCR_RTS		0x02
#define MCR_OUT1	0x04
#define MCR_OUT2	0x08
#define MCR_LOOP	0x10

#define LSR_DR		0x01
#define LSR_THRE	0x20
#define LSR_TEMT	0x40

#define MSR_CTS		0x10
#define MSR_DSR		0x20
#define MSR_RI		0x40
#define MSR_DCD		0x80

/* What the interrupt identification register shows, highest priority first */
static uint8_t interrupt(const struct serial *s)
{
	if (s->ier & IER_RX && s->count)
		return IIR_RX;
	if (s->ier & IER_THRE && s->thre)
		return IIR_THRE;
	return IIR_NONE;
}

static void update_line(struct serial *s)
{
	bool high = interrupt(s) != IIR_NONE;

	if (high != s->line) {
		s->line = high;
		s->ops->irq(s->ptr, high);
	}
}

static void push(struct serial *s, uint8_t byte)
{
	s->fifo[(s->head + s->count++) % SERIAL_FIFO] = byte;
}

static uint8_t pop(struct serial *s)
{
	uint8_t byte = s->fifo[s->head];

	s->head = (s->head + 1) % SERIAL_FIFO;
	s->count--;
	return byte;
}

static uint8_t modem_status(const struct serial *s)
{
	uint8_t msr = 0;

	if (!(s->mcr & MCR_LOOP))
		return MSR_CTS | MSR_DSR | MSR_DCD;
	if (s->mcr & MCR_RTS)
		msr |= MSR_CTS;
	if (s->mcr & MCR_DTR)
		msr |= MSR_DSR;
	if (s->mcr & MCR_OUT1)
		msr |= MSR_RI;
	if (s->mcr & MCR_OUT2)
		msr |= MSR_DCD;
	return msr;
}

static uint8_t read_iir(struct serial *s)
{
	uint8_t iir = interrupt(s);

	/* Reading says "seen" to this one kind of interrupt. */
	if (iir == IIR_THRE)
		s->thre = false;
	return iir | (s->fcr & FCR_ENABLE ? IIR_FIFO : 0);
}

static uint8_t read_register(struct serial *s, unsigned int reg)
{
	bool dlab = s->lcr & LCR_DLAB;

	switch (reg) {
	case REG_DATA:
		if (dlab)
			return s->divisor;
		return s->count ? pop(s) : 0;
	case REG_IER:
		return dlab ? s->divisor >> 8 : s->ier;
	case REG_IIR_FCR:
		return read_iir(s);
	case REG_LCR:
		return s->lcr;
	case REG_MCR:
		return s->mcr;
	case REG_LSR:
		return LSR_THRE | LSR_TEMT | (s->count ? LSR_DR : 0);
	case REG_MSR:
		return modem_status(s);
	default:
		return s->scr;
	}
}

/* Return: whether the byte is to be put out */
static bool transmit(struct serial *s, uint8_t byte)
{
	s->thre = true;
	if (!(s->mcr & MCR_LOOP))
		return true;
	if (s->count < SERIAL_FIFO)
		push(s, byte);
	return false;
}

static void write_ier(struct serial *s, uint8_t value)
{
	/* Enabling the interrupt of an empty transmitter raises it. */
	if (value & ~s->ier & IER_THRE)
		s->thre = true;
	s->ier = value & IER_MASK;
}

static void write_fcr(struct serial *s, uint8_t value)
{
	/*
	 * The chip also empties the FIFOs when they are turned on or off. A
	 * driver does that after it enabled the interrupts, and input that
	 * came in between would be lost: leave it.
	 */
	if (value & FCR_CLEAR_RX)
		s->count = 0;
	s->fcr = value & FCR_ENABLE;
}

/* Return: whether the value is a byte to be put out */
static bool write_register(struct serial *s, unsigned int reg, uint8_t value)
{
	bool dlab = s->lcr & LCR_DLAB;

	switch (reg) {
	case REG_DATA:
		if (!dlab)
			return transmit(s, value);
		s->divisor = (s->divisor & 0xff00) | value;
		break;
	case REG_IER:
		if (!dlab)
			write_ier(s, value);
		else
			s->divisor = (s->divisor & 0xff) | value << 8;
		break;
	case REG_IIR_FCR:
		write_fcr(s, value);
		break;
	case REG_LCR:
		s->lcr = value;
		break;
	case REG_MCR:
		s->mcr = value & 0x1f;
		break;
	case REG_SCR:
		s->scr = value;
		break;
	}
	return false;
}

void serial_access(void *ptr, uint64_t offset, void *data, unsigned int len,
		   bool write)
{
	struct serial *s = ptr;
	uint8_t *byte = data;
	bool put = false, was_full;

	/* The chip is eight bits wide: a wider read floats at the other bits */
	if (!write)
		memset(data, 0xff, len);
	pthread_mutex_lock(&s->lock);
	was_full = !(s->ier & IER_RX) || s->count == SERIAL_FIFO;
	if (write)
		put = write_register(s, offset, *byte);
	else
		*byte = read_register(s, offset);
	update_line(s);
	was_full = was_full && s->ier & IER_RX && s->count < SERIAL_FIFO;
	pthread_mutex_unlock(&s->lock);
	if (put)
		s->ops->output(s->ptr, *byte);
	if (was_full)
		s->ops->readable(s->ptr);
}

static size_t room(const struct serial *s)
{
	if (!(s->ier & IER_RX) || s->mcr & MCR_LOOP)
		return 0;
	return SERIAL_FIFO - s->count;
}

size_t serial_room(struct serial *s)
{
	size_t n;

	pthread_mutex_lock(&s->lock);
	n = room(s);
	pthread_mutex_unlock(&s->lock);
	return n;
}

size_t serial_input(struct serial *s, const void *data, size_t len)
{
	const uint8_t *p = data;
	size_t n, i;

	pthread_mutex_lock(&s->lock);
	n = room(s);
	if (n > len)
		n = len;
	for (i = 0; i < n; i++)
		push(s, p[i]);
	update_line(s);
	pthread_mutex_unlock(&s->lock);
	return n;
}

void serial_init(struct serial *s, const struct serial_ops *ops, void *ptr)
{
	memset(s, 0, sizeof(*s));
	pthread_mutex_init(&s->lock, NULL);
	s->ops = ops;
	s->ptr = ptr;
	s->divisor = 12;
}
