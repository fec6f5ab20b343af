/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The real-time clock and its CMOS RAM. See rtc.c.
 */
#ifndef VMM_RTC_H
#define VMM_RTC_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#define RTC_PORTS	2

/**
 * struct rtc - an MC146818 without alarm
 * @lock: guards the rest
 * @index: the register that the data port shows
 * @offset: the guest's clock less the host's, in seconds
 * @cmos: registers and RAM; the time only while the guest sets it
 */
struct rtc {
	pthread_mutex_t lock;
	uint8_t index;
	time_t offset;
	uint8_t cmos[128];
};

/** rtc_init() - a clock that shows the host's time in UTC */
void rtc_init(struct rtc *s);
/** rtc_access() - an iotrap_fn */
void rtc_access(void *ptr, uint64_t offset, void *data, unsigned int len,
		bool write);

#endif
