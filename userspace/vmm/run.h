/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * `hvm run`. See run.c.
 */
#ifndef VMM_RUN_H
#define VMM_RUN_H

#include "args.h"
#include "error.h"

/**
 * run_guest() - run a guest to its end
 *
 * Return: the exit status. What went wrong, if anything, is in
 * failure_text().
 */
enum exit_status run_guest(const struct config *cfg);

#endif
