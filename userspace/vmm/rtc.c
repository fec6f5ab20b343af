// SPDX-License-Identifier: GPL-2.0-only
/*
 * The real-time clock, by Motorola's MC146818 data sheet: time and date in
 * UTC, and battery-backed RAM that lasts as long as the guest. There is no
 * alarm or periodic interrupt, and the ACPI tables give it none.
 *
 * The guest sets the time as it does on the chip: SET in register B, the new
 * time, SET off. What is kept is the difference from the host's clock.
 *
 * The lock guards all of it.
 */
#include "rtc.h"

#include <string.h>

enum {
	REG_SEC, REG_MIN = 2, REG_HOUR = 4, REG_WDAY = 6, REG_MDAY, REG_MONTH,
	REG_YEAR, REG_A, REG_B, REG_C, REG_D, REG_CENTURY = 0x32
};

#define A_32KHZ		0x26	/* the divider and rate a PC has */
#define B_SET		0x80
#define B_BINARY	0x04
#define B_24H		0x02
#define D_VALID		0x80
#define HOUR_PM		0x80

static bool is_time(uint8_t reg)
{
	return reg == REG_CENTURY || (reg <= REG_YEAR &&
	       reg != 1 && reg != 3 && reg != 5);
}

static uint8_t encode(const struct rtc *s, unsigned int value)
{
	if (s->cmos[REG_B] & B_BINARY)
		return value;
	return value / 10 << 4 | value % 10;
}

static unsigned int decode(const struct rtc *s, uint8_t reg)
{
	uint8_t value = s->cmos[reg];

	if (s->cmos[REG_B] & B_BINARY)
		return value;
	return (value >> 4) * 10 + (value & 0xf);
}

static uint8_t encode_hour(const struct rtc *s, unsigned int hour)
{
	if (s->cmos[REG_B] & B_24H)
		return encode(s, hour);
	return encode(s, (hour + 11) % 12 + 1) | (hour >= 12 ? HOUR_PM : 0);
}

/* The registers of the time, from the clock */
static void latch(struct rtc *s)
{
	time_t now = time(NULL) + s->offset;
	struct tm tm;

	if (!gmtime_r(&now, &tm))
		return;
	s->cmos[REG_SEC] = encode(s, tm.tm_sec);
	s->cmos[REG_MIN] = encode(s, tm.tm_min);
	s->cmos[REG_HOUR] = encode_hour(s, tm.tm_hour);
	s->cmos[REG_WDAY] = encode(s, tm.tm_wday + 1);
	s->cmos[REG_MDAY] = encode(s, tm.tm_mday);
	s->cmos[REG_MONTH] = encode(s, tm.tm_mon + 1);
	s->cmos[REG_YEAR] = encode(s, tm.tm_year % 100);
	s->cmos[REG_CENTURY] = encode(s, 19 + tm.tm_year / 100);
}

/* The clock, from the registers of the time */
static void set_clock(struct rtc *s)
{
	uint8_t hour = s->cmos[REG_HOUR];
	struct tm tm = {
		.tm_sec = decode(s, REG_SEC),
		.tm_min = decode(s, REG_MIN),
		.tm_mday = decode(s, REG_MDAY),
		.tm_mon = (int)decode(s, REG_MONTH) - 1,
		.tm_year = (int)decode(s, REG_YEAR) +
			   ((int)decode(s, REG_CENTURY) - 19) * 100,
	};

	if (s->cmos[REG_B] & B_24H) {
		tm.tm_hour = decode(s, REG_HOUR);
	} else {
		s->cmos[REG_HOUR] &= ~HOUR_PM;
		tm.tm_hour = decode(s, REG_HOUR) % 12 +
			     (hour & HOUR_PM ? 12 : 0);
	}
	s->offset = timegm(&tm) - time(NULL);
}

static uint8_t read_register(struct rtc *s)
{
	if (is_time(s->index) && !(s->cmos[REG_B] & B_SET))
		latch(s);
	return s->cmos[s->index];
}

static void write_register(struct rtc *s, uint8_t value)
{
	bool setting = s->cmos[REG_B] & B_SET;

	switch (s->index) {
	case REG_B:
		/* No interrupt can be enabled. */
		value &= B_SET | B_BINARY | B_24H;
		if (!setting && value & B_SET)
			latch(s);
		s->cmos[REG_B] = value;
		if (setting && !(value & B_SET))
			set_clock(s);
		break;
	case REG_A:
	case REG_C:
	case REG_D:
		break;
	default:
		/* While the clock runs it would overwrite the time at once. */
		if (setting || !is_time(s->index))
			s->cmos[s->index] = value;
	}
}

void rtc_access(void *ptr, uint64_t offset, void *data, unsigned int len,
		bool write)
{
	struct rtc *s = ptr;
	uint8_t *byte = data;

	if (!write)
		memset(data, 0xff, len);
	pthread_mutex_lock(&s->lock);
	/* Bit 7 of the index port is the NMI mask, which is not here. */
	if (offset == 0 && write)
		s->index = *byte & 0x7f;
	else if (offset == 1 && write)
		write_register(s, *byte);
	else if (offset == 1)
		*byte = read_register(s);
	pthread_mutex_unlock(&s->lock);
}

void rtc_init(struct rtc *s)
{
	memset(s, 0, sizeof(*s));
	pthread_mutex_init(&s->lock, NULL);
	s->cmos[REG_A] = A_32KHZ;
	s->cmos[REG_B] = B_24H;
	s->cmos[REG_D] = D_VALID;
}
