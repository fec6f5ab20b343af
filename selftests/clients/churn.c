// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs in a guest that is moved: writes all of its memory again and again, and
 * looks at each page before, so that a page that did not come along, or came
 * along too old, is found in the next pass.
 *
 * Each page holds words that follow from its number and from the pass that
 * wrote it.  The clock has to go on, too: it must not go back, nor jump by more
 * than JUMP_NS within a pass.
 *
 * usage: churn MIB; prints each pass, ends with SIGTERM: 0 if nothing was lost.
 */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PAGE_WORDS	512
#define JUMP_NS		600000000000ULL

static volatile sig_atomic_t ended;

static void on_term(int sig)
{
	ended = sig;
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static uint64_t mix(uint64_t x)
{
	x ^= x >> 31;
	x *= 0x9e3779b97f4a7c15ULL;
	return x ^ x >> 29;
}

static void fill(uint64_t *page, uint64_t number, uint64_t pass)
{
	uint64_t seed = mix(number << 32 | pass);
	int i;

	for (i = 0; i < PAGE_WORDS; i++)
		page[i] = seed + i * pass;
}

static int holds(const uint64_t *page, uint64_t number, uint64_t pass)
{
	uint64_t seed = mix(number << 32 | pass);
	int i;

	for (i = 0; i < PAGE_WORDS; i++)
		if (page[i] != seed + i * pass)
			return 0;
	return 1;
}

int main(int argc, char **argv)
{
	uint64_t pages = (argc > 1 ? strtoull(argv[1], NULL, 0) : 16) * 256;
	uint64_t *memory = aligned_alloc(4096, pages * 4096);
	uint64_t pass = 1, lost = 0, i, before, after;

	if (!memory)
		return 1;
	signal(SIGTERM, on_term);
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (i = 0; i < pages; i++)
		fill(memory + i * PAGE_WORDS, i, pass);
	before = now_ns();
	for (; !ended; pass++) {
		for (i = 0; i < pages; i++) {
			if (!holds(memory + i * PAGE_WORDS, i, pass) && lost++ < 8)
				printf("client: page %llu of pass %llu is lost\n",
				       (unsigned long long)i, (unsigned long long)pass);
			fill(memory + i * PAGE_WORDS, i, pass + 1);
		}
		after = now_ns();
		if (after < before || after - before > JUMP_NS) {
			printf("client: the clock went from %llu to %llu\n",
			       (unsigned long long)before, (unsigned long long)after);
			lost++;
		}
		printf("client: pass %llu at %llu ms\n", (unsigned long long)pass,
		       (unsigned long long)(after / 1000000));
		before = after;
	}
	for (i = 0; i < pages; i++)
		lost += !holds(memory + i * PAGE_WORDS, i, pass);
	printf("client: churn ends after %llu passes, %llu lost\n",
	       (unsigned long long)pass - 1, (unsigned long long)lost);
	return lost != 0;
}
