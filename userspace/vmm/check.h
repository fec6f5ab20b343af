/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * `hvm check`. See check.c.
 */
#ifndef VMM_CHECK_H
#define VMM_CHECK_H

#include <stdbool.h>

/**
 * check_host() - print what guests need and whether this host has it
 * @device: the device, or NULL for the default
 *
 * Return: whether it has all of it.
 */
bool check_host(const char *device);

#endif
