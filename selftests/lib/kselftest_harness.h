/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's kselftest_harness.h, less its 30 seconds for a test: an emulated
 * host on a busy machine takes longer, and selftests/run has limits of its own.
 */
#include_next "kselftest_harness.h"

#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT 600
