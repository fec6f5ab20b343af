/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Power management, and the other ports through which a guest says how it
 * ends. See pm.c.
 */
#ifndef VMM_PM_H
#define VMM_PM_H

#include "iotrap.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/**
 * struct pm_ops - what it needs of the machine around it
 * @sci: drive the ACPI interrupt; called with the lock held
 * @poweroff: the guest turned the machine off
 * @reset: the guest reset it
 * @panic: the guest says that it panicked, and stays there
 *
 * All but @sci are called with no lock held.
 */
struct pm_ops {
	void (*sci)(void *ptr, bool high);
	void (*poweroff)(void *ptr);
	void (*reset)(void *ptr);
	void (*panic)(void *ptr);
};

/**
 * struct pm - ACPI's fixed hardware, pvpanic, and the keyboard controller's
 *	reset line
 * @lock: guards the rest
 * @status: PM1 status
 * @enable: PM1 enable
 * @control: PM1 control
 */
struct pm {
	pthread_mutex_t lock;
	const struct pm_ops *ops;
	void *ptr;
	uint16_t status;
	uint16_t enable;
	uint16_t control;
};

/** pm_init() - as after reset, in ACPI mode */
void pm_init(struct pm *s, const struct pm_ops *ops, void *ptr);
/** pm_register() - take the ports */
int pm_register(struct pm *s, struct iotrap *t);

/**
 * pm_press_power_button() - ask the guest to turn itself off
 *
 * Return: whether the guest listens to the button.
 */
bool pm_press_power_button(struct pm *s);

#endif
