// SPDX-License-Identifier: GPL-2.0-only
/*
 * The small pieces of the machine: the registry of ports and addresses, the
 * guest's memory map, PCI configuration space, the clock, power management.
 */
#include "ktap.h"
#include "../../userspace/vmm/error.h"
#include "../../userspace/vmm/iotrap.h"
#include "../../userspace/vmm/layout.h"
#include "../../userspace/vmm/memory.h"
#include "../../userspace/vmm/pci.h"
#include "../../userspace/vmm/pm.h"
#include "../../userspace/vmm/rtc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- the registry ---- */

static uint64_t last_offset;
static unsigned int last_len, calls;

static void on_access(void *ptr, uint64_t offset, void *data, unsigned int len,
		      bool write)
{
	last_offset = offset;
	last_len = len;
	calls++;
	if (!write)
		memset(data, *(char *)ptr, len);
}

static void registry(void)
{
	static const char tags[] = "abc";
	struct iotrap t = { 0 };
	uint32_t data;

	CHECK_EQ(iotrap_add(&t, IOTRAP_PIO, 0x200, 8, on_access,
			    (void *)&tags[1]), 0);
	CHECK_EQ(iotrap_add(&t, IOTRAP_PIO, 0x100, 8, on_access,
			    (void *)&tags[0]), 0);
	CHECK_EQ(iotrap_add(&t, IOTRAP_PIO, 0x300, 8, on_access,
			    (void *)&tags[2]), 0);
	CHECK(iotrap_access(&t, IOTRAP_PIO, 0x204, &data, 4, false));
	CHECK_EQ(data, 0x62626262);
	CHECK_EQ(last_offset, 4);
	CHECK_EQ(last_len, 4);
	CHECK(iotrap_access(&t, IOTRAP_PIO, 0x307, &data, 1, true));
	CHECK_EQ(last_offset, 7);
	/* Nobody: beyond, before, in the other space, across an end */
	calls = 0;
	data = 0;
	CHECK(!iotrap_access(&t, IOTRAP_PIO, 0x308, &data, 4, false));
	CHECK_EQ(data, 0xffffffff);
	CHECK(!iotrap_access(&t, IOTRAP_PIO, 0xff, &data, 1, false));
	CHECK(!iotrap_access(&t, IOTRAP_MMIO, 0x200, &data, 4, false));
	CHECK(!iotrap_access(&t, IOTRAP_PIO, 0x106, &data, 4, true));
	CHECK_EQ(calls, 0);
}

static void registry_limits(void)
{
	struct iotrap t = { 0 };
	uint64_t i, data;

	CHECK_EQ(iotrap_add(&t, IOTRAP_MMIO, 0, 0, on_access, ""), -EINVAL);
	CHECK_EQ(iotrap_add(&t, IOTRAP_MMIO, ~0ull, 2, on_access, ""), -EINVAL);
	CHECK_EQ(iotrap_add(&t, IOTRAP_MMIO, ~0ull, 1, on_access, "z"), 0);
	CHECK(iotrap_access(&t, IOTRAP_MMIO, ~0ull, &data, 1, false));
	CHECK(!iotrap_access(&t, IOTRAP_MMIO, ~0ull, &data, 2, false));
	CHECK_EQ(iotrap_add(&t, IOTRAP_MMIO, 0x1000, 0x1000, on_access, ""), 0);
	CHECK_EQ(iotrap_add(&t, IOTRAP_MMIO, 0x1fff, 1, on_access, ""),
		 -EEXIST);
	CHECK_EQ(iotrap_add(&t, IOTRAP_MMIO, 0xfff, 2, on_access, ""), -EEXIST);
	CHECK_EQ(iotrap_add(&t, IOTRAP_MMIO, 0x1800, ~0ull - 0x1800, on_access,
			    ""), -EEXIST);
	CHECK_EQ(iotrap_add(&t, IOTRAP_MMIO, 0x2000, 1, on_access, ""), 0);
	for (i = 3; i < IOTRAP_MAX; i++)
		CHECK_EQ(iotrap_add(&t, IOTRAP_MMIO, i << 20, 1, on_access,
				    ""), 0);
	CHECK_EQ(iotrap_add(&t, IOTRAP_MMIO, 1ull << 40, 1, on_access, ""),
		 -ENOSPC);
}

/* ---- memory ---- */

static void memory_small(void)
{
	struct memory m = { 0 };

	CHECK_EQ(memory_create(&m, 64 << 20), 0);
	CHECK_EQ((uintptr_t)m.host % (2 << 20), 0);
	CHECK(memory_at(&m, 0, 64 << 20) == m.host);
	CHECK(memory_at(&m, 0, (64 << 20) + 1) == NULL);
	CHECK(memory_at(&m, (64 << 20) - 1, 1) == m.host + (64 << 20) - 1);
	CHECK(memory_at(&m, 64 << 20, 0) == NULL);
	CHECK(memory_at(&m, 1, ~0ull) == NULL);
	CHECK(memory_at(&m, ~0ull, 1) == NULL);
	CHECK(memory_at(&m, 1ull << 32, 1) == NULL);
	CHECK_EQ(m.nmap, 4);
	CHECK_EQ(m.map[3].addr, 0x100000);
	CHECK_EQ(m.map[3].addr + m.map[3].size, 64 << 20);
	memory_destroy(&m);
	memory_destroy(&m);
}

static void memory_large(void)
{
	const uint64_t four = 4ull << 30, three = 3ull << 30;
	struct memory m = { 0 };
	unsigned int i;

	CHECK_EQ(memory_create(&m, 5ull << 30), 0);
	CHECK(memory_at(&m, three - 1, 1) == m.host + three - 1);
	CHECK(memory_at(&m, three - 1, 2) == NULL);
	CHECK(memory_at(&m, three, 1) == NULL);
	CHECK(memory_at(&m, four - 1, 1) == NULL);
	CHECK(memory_at(&m, four - 1, 2) == NULL);
	CHECK(memory_at(&m, four, 2ull << 30) == m.host + three);
	CHECK(memory_at(&m, four, (2ull << 30) + 1) == NULL);
	CHECK(memory_at(&m, four + (2ull << 30), 0) == NULL);
	CHECK_EQ(m.nmap, 5);
	CHECK_EQ(m.map[3].addr + m.map[3].size, three);
	CHECK_EQ(m.map[4].addr, four);
	CHECK_EQ(m.map[4].size, 2ull << 30);
	for (i = 1; i < m.nmap; i++)
		CHECK(m.map[i - 1].addr + m.map[i - 1].size <= m.map[i].addr);
	memory_destroy(&m);
	CHECK(memory_create(&m, ~0ull & ~0xfffull) < 0);
	CHECK_EQ(failure_status(), STATUS_INPUT);
	failure_clear();
}

/* ---- PCI ---- */

static struct pci pci;
static unsigned int resets;

static void on_reset(void *ptr)
{
	(void)ptr;
	resets++;
}

static uint32_t config(uint32_t address, unsigned int byte, unsigned int len)
{
	uint32_t value = 0;

	pci_access(&pci, 0, &address, 4, true);
	pci_access(&pci, 4 + byte, &value, len, false);
	return value;
}

static void pci_config(void)
{
	uint32_t value = ~0u, slot;

	pci_init(&pci, on_reset, NULL);
	CHECK_EQ(config(0x80000000, 0, 4), 0x00081b36);
	CHECK_EQ(config(0x80000000, 2, 2), 0x0008);
	CHECK_EQ(config(0x80000008, 0, 4), 0x06000000);
	CHECK_EQ(config(0x800000fc, 3, 1), 0);
	/* Not enabled, another function, another bus, empty slots */
	CHECK_EQ(config(0x00000000, 0, 4), 0xffffffff);
	CHECK_EQ(config(0x80000100, 0, 4), 0xffffffff);
	CHECK_EQ(config(0x80010000, 0, 4), 0xffffffff);
	for (slot = 1; slot < 32; slot++)
		CHECK_EQ(config(0x80000000 | slot << 11, 0, 4), 0xffffffff);
	/* Its identity cannot be changed, CONFIG_ADDRESS can be read. */
	config(0x80000000, 0, 4);
	pci_access(&pci, 4, &value, 4, true);
	CHECK_EQ(config(0x80000000, 0, 4), 0x00081b36);
	pci_access(&pci, 0, &value, 4, true);
	value = 0;
	pci_access(&pci, 0, &value, 4, false);
	CHECK_EQ(value, 0x80fffffc);
	/* Half of it is another register. */
	value = 0;
	pci_access(&pci, 2, &value, 4, false);
	CHECK_EQ(value, 0xffffffff);
}

static void pci_reset(void)
{
	uint32_t value = 0x06060606;

	resets = 0;
	pci_init(&pci, on_reset, NULL);
	pci_access(&pci, 0, &value, 4, true);
	pci_access(&pci, 1, &value, 2, true);
	pci_access(&pci, 2, &value, 1, true);
	value = 0x02;
	pci_access(&pci, 1, &value, 1, true);
	CHECK_EQ(resets, 0);
	value = 0x06;
	pci_access(&pci, 1, &value, 1, true);
	CHECK_EQ(resets, 1);
}

/* ---- the clock ---- */

static struct rtc rtc;

static uint8_t rtc_read(uint8_t reg)
{
	uint8_t value = 0;

	rtc_access(&rtc, 0, &reg, 1, true);
	rtc_access(&rtc, 1, &value, 1, false);
	return value;
}

static void rtc_write(uint8_t reg, uint8_t value)
{
	rtc_access(&rtc, 0, &reg, 1, true);
	rtc_access(&rtc, 1, &value, 1, true);
}

static unsigned int from_bcd(uint8_t value)
{
	CHECK((value & 0xf) < 10 && value >> 4 < 10);
	return (value >> 4) * 10 + (value & 0xf);
}

static time_t rtc_time(void)
{
	struct tm tm = {
		.tm_sec = from_bcd(rtc_read(0)),
		.tm_min = from_bcd(rtc_read(2)),
		.tm_hour = from_bcd(rtc_read(4)),
		.tm_mday = from_bcd(rtc_read(7)),
		.tm_mon = from_bcd(rtc_read(8)) - 1,
		.tm_year = from_bcd(rtc_read(9)) +
			   from_bcd(rtc_read(0x32)) * 100 - 1900,
	};

	return timegm(&tm);
}

static bool close_to(time_t a, time_t b)
{
	return a - b <= 2 && b - a <= 2;
}

static void clock_reads(void)
{
	unsigned int pm, hour24;

	rtc_init(&rtc);
	CHECK_EQ(rtc_read(0x0a) & 0x80, 0);
	CHECK_EQ(rtc_read(0x0d), 0x80);
	CHECK(close_to(rtc_time(), time(NULL)));
	/* Binary, then twelve hours */
	hour24 = from_bcd(rtc_read(4));
	rtc_write(0x0b, 0x06);
	CHECK_EQ(rtc_read(4), hour24);
	rtc_write(0x0b, 0x04);
	pm = rtc_read(4);
	CHECK_EQ((pm & 0x7f) % 12 + (pm & 0x80 ? 12 : 0), hour24);
	CHECK((pm & 0x7f) >= 1 && (pm & 0x7f) <= 12);
}

static void clock_sets(void)
{
	static const uint8_t when[][2] = {	/* 2031-02-03 04:05:06 */
		{ 0, 0x06 }, { 2, 0x05 }, { 4, 0x04 }, { 7, 0x03 },
		{ 8, 0x02 }, { 9, 0x31 }, { 0x32, 0x20 },
	};
	unsigned int i;

	rtc_init(&rtc);
	rtc_write(9, 0x31);
	CHECK(close_to(rtc_time(), time(NULL)));
	rtc_write(0x0b, 0x82);
	for (i = 0; i < sizeof(when) / sizeof(when[0]); i++)
		rtc_write(when[i][0], when[i][1]);
	rtc_write(0x0b, 0x02);
	CHECK(close_to(rtc_time(), 1927857906));
	/* RAM keeps what is written; interrupts cannot be enabled. */
	rtc_write(0x40, 0x5a);
	CHECK_EQ(rtc_read(0x40), 0x5a);
	rtc_write(0x0b, 0x72);
	CHECK_EQ(rtc_read(0x0b), 0x02);
}

static void clock_nonsense(void)
{
	unsigned int reg;

	rtc_init(&rtc);
	rtc_write(0x0b, 0x80);
	for (reg = 0; reg < 0x80; reg++)
		if (reg < 0x0a || reg > 0x0d)
			rtc_write(reg, 0xff);
	rtc_write(0x0b, 0x00);
	for (reg = 0; reg < 0x80; reg++)
		rtc_read(reg);
	CHECK_EQ(rtc_read(0x0d), 0x80);
}

/* ---- power management ---- */

static struct pm pm;
static struct iotrap ports;
static unsigned int offs, panics;
static bool sci;

static void on_sci(void *ptr, bool high)
{
	(void)ptr;
	sci = high;
}

static void on_off(void *ptr)
{
	(void)ptr;
	offs++;
}

static void on_panic(void *ptr)
{
	(void)ptr;
	panics++;
}

static const struct pm_ops pm_ops = {
	.sci = on_sci, .poweroff = on_off, .reset = on_reset,
	.panic = on_panic,
};

static void pm_reset(void)
{
	memset(&ports, 0, sizeof(ports));
	pm_init(&pm, &pm_ops, NULL);
	CHECK_EQ(pm_register(&pm, &ports), 0);
	offs = panics = resets = 0;
	sci = false;
}

static void out(uint16_t port, uint32_t value, unsigned int len)
{
	CHECK(iotrap_access(&ports, IOTRAP_PIO, port, &value, len, true));
}

static uint32_t in(uint16_t port, unsigned int len)
{
	uint32_t value = 0;

	CHECK(iotrap_access(&ports, IOTRAP_PIO, port, &value, len, false));
	return value;
}

static void power_off(void)
{
	pm_reset();
	CHECK_EQ(in(PORT_PM1_CNT, 2), 1);
	out(PORT_PM1_CNT, 5 << 10, 2);
	CHECK_EQ(offs, 0);
	CHECK_EQ(in(PORT_PM1_CNT, 2), 5 << 10 | 1);
	out(PORT_PM1_CNT, 1 << 10 | 1 << 13, 2);
	CHECK_EQ(offs, 0);
	CHECK_EQ(in(PORT_PM1_EVT, 2), 1 << 15);
	out(PORT_PM1_CNT, 5 << 10 | 1 << 13, 2);
	CHECK_EQ(offs, 1);
	/* By bytes: the type is kept, the upper byte says go. */
	pm_reset();
	out(PORT_PM1_CNT + 1, 5 << 2 | 1 << 5, 1);
	CHECK_EQ(offs, 1);
}

static void power_button(void)
{
	pm_reset();
	CHECK(!pm_press_power_button(&pm));
	CHECK(!sci);
	out(PORT_PM1_EVT + 2, 1 << 8, 2);
	CHECK(pm_press_power_button(&pm));
	CHECK(sci);
	CHECK_EQ(in(PORT_PM1_EVT, 4), 1 << 8 | 1 << 24);
	out(PORT_PM1_EVT, 1 << 5, 2);
	CHECK(sci);
	out(PORT_PM1_EVT + 2, 0, 2);
	CHECK(!sci);
	out(PORT_PM1_EVT + 2, 1 << 8, 2);
	CHECK(sci);
	out(PORT_PM1_EVT, 1 << 8, 2);
	CHECK(!sci);
	CHECK_EQ(in(PORT_PM1_EVT, 2), 0);
	/* What cannot happen can be enabled, and does not happen. */
	out(PORT_PM1_EVT + 2, 0xffff, 2);
	CHECK_EQ(in(PORT_PM1_EVT + 2, 2), 0x0521);
	CHECK(!sci);
}

static void other_ports(void)
{
	uint32_t a, b;

	pm_reset();
	CHECK_EQ(in(PORT_PVPANIC, 1), 1);
	out(PORT_PVPANIC, 2, 1);
	CHECK_EQ(panics, 0);
	out(PORT_PVPANIC, 1, 1);
	CHECK_EQ(panics, 1);
	CHECK_EQ(in(PORT_I8042_CMD, 1), 0);
	out(PORT_I8042_CMD, 0xd1, 1);
	CHECK_EQ(resets, 0);
	out(PORT_I8042_CMD, 0xfe, 1);
	CHECK_EQ(resets, 1);
	/* The timer: about 3.58 MHz, and writing changes nothing */
	a = in(PORT_PM_TMR, 4);
	out(PORT_PM_TMR, 0, 4);
	nanosleep(&(struct timespec){ .tv_nsec = 50000000 }, NULL);
	b = in(PORT_PM_TMR, 4);
	CHECK(b - a >= 178977 && b - a < 10 * 178977);
}

static const struct ktap_test tests[] = {
	{ "accesses find their device", registry },
	{ "regions do not overlap or wrap", registry_limits },
	{ "memory below the hole", memory_small },
	{ "memory around the hole", memory_large },
	{ "PCI configuration space", pci_config },
	{ "the reset control register", pci_reset },
	{ "the clock shows the time", clock_reads },
	{ "the clock can be set", clock_sets },
	{ "the clock survives nonsense", clock_nonsense },
	{ "S5 turns the machine off", power_off },
	{ "the power button", power_button },
	{ "pvpanic, the keyboard controller, the timer", other_ports },
};

KTAP_MAIN(tests)
