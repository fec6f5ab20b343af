/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * KTAP for tests that need no kernel: a table of functions, each of which
 * checks things. A check that does not hold says where it is and what it was,
 * and makes its test fail; the test goes on.
 */
#ifndef VMM_KTAP_H
#define VMM_KTAP_H

#include <stdbool.h>
#include <stdio.h>

struct ktap_test {
	const char *name;
	void (*run)(void);
};

static bool ktap_failed;
static const char *ktap_skip;

#define CHECK(condition) do { \
	if (!(condition)) { \
		printf("# %s:%d: %s\n", __FILE__, __LINE__, #condition); \
		ktap_failed = true; \
	} \
} while (0)

/* Both are evaluated once and shown if they differ. */
#define CHECK_EQ(got, want) do { \
	unsigned long long got_ = (got), want_ = (want); \
	if (got_ != want_) { \
		printf("# %s:%d: %s is 0x%llx, not 0x%llx\n", __FILE__, \
		       __LINE__, #got, got_, want_); \
		ktap_failed = true; \
	} \
} while (0)

#define SKIP(why) (ktap_skip = (why))

static int ktap_run(const struct ktap_test *tests, unsigned int n)
{
	unsigned int i, bad = 0;

	printf("KTAP version 1\n1..%u\n", n);
	for (i = 0; i < n; i++) {
		ktap_failed = false;
		ktap_skip = NULL;
		tests[i].run();
		printf("%sok %u %s%s%s\n", ktap_failed ? "not " : "", i + 1,
		       tests[i].name, ktap_skip ? " # SKIP " : "",
		       ktap_skip ? ktap_skip : "");
		bad += ktap_failed;
	}
	return bad ? 1 : 0;
}

#define KTAP_MAIN(tests) \
	int main(void) \
	{ \
		setvbuf(stdout, NULL, _IOLBF, 0); \
		return ktap_run(tests, sizeof(tests) / sizeof(tests[0])); \
	}

#endif
