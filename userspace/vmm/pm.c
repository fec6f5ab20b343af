// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ports through which a guest and its machine talk about power: ACPI's
 * fixed hardware (chapter 4.8 of the specification), that is the PM1 event
 * and control registers and the power management timer; the port of pvpanic;
 * and the keyboard controller, of which only the line that resets the CPU is
 * there. acpi.c describes them to the guest; the machine is in ACPI mode from
 * the start, so SCI_EN is always set.
 *
 * The lock guards the PM1 registers and the SCI's level.
 */
#include "pm.h"
#include "layout.h"

#include <string.h>
#include <time.h>

#define PM1_TIMER	(1u << 0)
#define PM1_GLOBAL	(1u << 5)
#define PM1_PWRBTN	(1u << 8)
#define PM1_RTC		(1u << 10)
#define PM1_WAKE	(1u << 15)
/* Of these, only the power button ever raises its status. */
#define PM1_ENABLE	(PM1_TIMER | PM1_GLOBAL | PM1_PWRBTN | PM1_RTC)

#define CNT_SCI_EN	(1u << 0)
#define CNT_SLP_TYP	(7u << 10)
#define CNT_SLP_EN	(1u << 13)
#define CNT_WRITABLE	(CNT_SLP_TYP | (1u << 1))
#define SLP_TYP_S5	(5u << 10)	/* _S5 in dsdt.asl */

#define TIMER_HZ	3579545ull

#define PVPANIC_PANICKED (1u << 0)

#define I8042_RESET	0xfe

static void update_sci(struct pm *s)
{
	s->ops->sci(s->ptr, s->status & s->enable & PM1_PWRBTN);
}

/* PM1_EVT: the status word, then the enable word */
static void event_access(void *ptr, uint64_t offset, void *data,
			 unsigned int len, bool write)
{
	struct pm *s = ptr;
	uint8_t regs[4], *byte = data;
	unsigned int i;

	pthread_mutex_lock(&s->lock);
	memcpy(regs, &s->status, 2);
	memcpy(regs + 2, &s->enable, 2);
	for (i = 0; i < len; i++) {
		unsigned int at = offset + i;

		if (!write)
			byte[i] = regs[at];
		else if (at < 2)
			regs[at] &= ~byte[i];	/* write 1 to clear */
		else
			regs[at] = byte[i];
	}
	if (write) {
		memcpy(&s->status, regs, 2);
		memcpy(&s->enable, regs + 2, 2);
		s->enable &= PM1_ENABLE;
		update_sci(s);
	}
	pthread_mutex_unlock(&s->lock);
}

static void control_access(void *ptr, uint64_t offset, void *data,
			   unsigned int len, bool write)
{
	struct pm *s = ptr;
	bool off = false;
	uint16_t value;

	pthread_mutex_lock(&s->lock);
	value = s->control;
	if (write) {
		memcpy((uint8_t *)&value + offset, data, len);
		s->control = (value & CNT_WRITABLE) | CNT_SCI_EN;
		if (value & CNT_SLP_EN) {
			off = (value & CNT_SLP_TYP) == SLP_TYP_S5;
			/* No other state is offered: awake again at once. */
			s->status |= PM1_WAKE;
		}
	} else {
		memcpy(data, (uint8_t *)&value + offset, len);
	}
	pthread_mutex_unlock(&s->lock);
	if (off)
		s->ops->poweroff(s->ptr);
}

static void timer_access(void *ptr, uint64_t offset, void *data,
			 unsigned int len, bool write)
{
	struct timespec now;
	uint32_t value;

	(void)ptr;
	if (write)
		return;
	clock_gettime(CLOCK_MONOTONIC, &now);
	value = now.tv_sec * TIMER_HZ + now.tv_nsec * TIMER_HZ / 1000000000;
	memcpy(data, (uint8_t *)&value + offset, len);
}

static void pvpanic_access(void *ptr, uint64_t offset, void *data,
			   unsigned int len, bool write)
{
	struct pm *s = ptr;
	uint8_t *byte = data;

	(void)offset;
	(void)len;
	if (!write)
		*byte = PVPANIC_PANICKED;
	else if (*byte & PVPANIC_PANICKED)
		s->ops->panic(s->ptr);
}

static void i8042_access(void *ptr, uint64_t offset, void *data,
			 unsigned int len, bool write)
{
	struct pm *s = ptr;
	uint8_t *byte = data;

	(void)offset;
	(void)len;
	if (!write)
		*byte = 0;
	else if (*byte == I8042_RESET)
		s->ops->reset(s->ptr);
}

int pm_register(struct pm *s, struct iotrap *t)
{
	int ret;

	ret = iotrap_add(t, IOTRAP_PIO, PORT_PM1_EVT, 4, event_access, s);
	if (!ret)
		ret = iotrap_add(t, IOTRAP_PIO, PORT_PM1_CNT, 2,
				 control_access, s);
	if (!ret)
		ret = iotrap_add(t, IOTRAP_PIO, PORT_PM_TMR, 4, timer_access,
				 s);
	if (!ret)
		ret = iotrap_add(t, IOTRAP_PIO, PORT_PVPANIC, 1,
				 pvpanic_access, s);
	if (!ret)
		ret = iotrap_add(t, IOTRAP_PIO, PORT_I8042_CMD, 1,
				 i8042_access, s);
	return ret;
}

bool pm_press_power_button(struct pm *s)
{
	bool listens;

	pthread_mutex_lock(&s->lock);
	listens = s->enable & PM1_PWRBTN;
	if (listens) {
		s->status |= PM1_PWRBTN;
		update_sci(s);
	}
	pthread_mutex_unlock(&s->lock);
	return listens;
}

void pm_init(struct pm *s, const struct pm_ops *ops, void *ptr)
{
	memset(s, 0, sizeof(*s));
	pthread_mutex_init(&s->lock, NULL);
	s->ops = ops;
	s->ptr = ptr;
	s->control = CNT_SCI_EN;
}
