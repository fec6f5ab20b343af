/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a run cost. See stats.c.
 */
#ifndef VMM_STATS_H
#define VMM_STATS_H

#include "vm.h"

#include <stdio.h>

/**
 * stats_write() - write a run's statistics
 * @vm: the guest; its vCPUs do not run, and are not yet closed
 * @to: where
 * @status: how it ended
 */
int stats_write(struct vm *vm, FILE *to, enum exit_status status);

/** stats_private_bytes() - the program's private memory less the guest's RAM */
unsigned long long stats_private_bytes(const struct memory *mem);

#endif
