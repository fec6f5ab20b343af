/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fuzz.h: what the fuzzers of the device share. The design is at the top of
 * fuzz.c.
 *
 * An input is a list of records of 16 bytes; a fuzzer says what one means. The
 * same bytes always mean the same, as far as threads allow, so that an input
 * can be kept, changed a little and run again. Rows are only ever added at the
 * end of a fuzzer's tables: what is kept would mean something else.
 */
#ifndef SELFTESTS_FUZZ_H
#define SELFTESTS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FUZZ_RECORD	16
#define FUZZ_RECORDS	48
#define FUZZ_THREADS	4

/**
 * struct fuzz_input - one input
 * @n: records that count
 * @rec: the records
 */
struct fuzz_input {
	uint32_t n;
	uint8_t rec[FUZZ_RECORDS][FUZZ_RECORD];
};

/**
 * struct fuzz_target - a fuzzer
 * @name: what it is called
 * @kinds: how many values the first byte of a record has
 * @begin: a process begins, which will run some inputs
 * @run: carry an input out; descriptors it leaves open are closed
 * @show: what a record means, for whoever reads a finding
 */
struct fuzz_target {
	const char *name;
	unsigned int kinds;
	void (*begin)(void);
	void (*run)(const struct fuzz_input *in);
	void (*show)(const uint8_t *rec, char *text, size_t size);
};

/** fuzz_main() - everything but the inputs' meaning */
int fuzz_main(int argc, char **argv, const struct fuzz_target *t);

/* ---- for run() ---- */

/** fuzz_cover() - from now on count what this thread reaches as the inputs' */
void fuzz_cover(unsigned int thread);
/** fuzz_count() - this many calls more were made */
void fuzz_count(unsigned int n);

/* A source of numbers that a record seeds. */
struct fuzz_rng {
	uint64_t s;
};

static inline void fuzz_seed(struct fuzz_rng *r, uint64_t seed)
{
	r->s = (seed + 1) * 0x9e3779b97f4a7c15ull;
}

static inline uint64_t fuzz_rnd(struct fuzz_rng *r)
{
	r->s ^= r->s << 13;
	r->s ^= r->s >> 7;
	r->s ^= r->s << 17;
	return r->s * 0x2545f4914f6cdd1dull;
}

/** fuzz_value() - a number that is more often a limit than chance would have it */
uint64_t fuzz_value(struct fuzz_rng *r);
/** fuzz_code() - instructions that leave the guest, among others that do not */
void fuzz_code(struct fuzz_rng *r, uint8_t *p, size_t n);
/** fuzz_msr() - a model-specific register's number: mostly one that is known */
uint32_t fuzz_msr(struct fuzz_rng *r);

struct hvm_sregs;
struct hvm_regs;

enum fuzz_mode {
	FUZZ_REAL, FUZZ_PROT16, FUZZ_PROT32, FUZZ_PAE, FUZZ_V86, FUZZ_COMPAT,
	FUZZ_LONG, FUZZ_USER, FUZZ_MODES
};

/* Tables that fuzz_tables() writes into the guest's memory. */
#define FUZZ_GDT	0x1000
#define FUZZ_IDT	0x2000
#define FUZZ_PML4	0x3000
#define FUZZ_PDPT	0x4000
#define FUZZ_PD		0x5000	/* four pages: 4 GiB one to one */
#define FUZZ_PD32	0x9000
#define FUZZ_TSS	0xa000
#define FUZZ_PDPT_PAE	0xa800
#define FUZZ_CODE	0xc000
#define FUZZ_STACK	0xf000

/** fuzz_tables() - descriptor and page tables at the start of guest memory */
void fuzz_tables(uint8_t *mem);
/** fuzz_mode() - registers of a processor in this mode, about to run FUZZ_CODE */
void fuzz_mode(enum fuzz_mode mode, struct hvm_sregs *s, struct hvm_regs *r);
/** fuzz_spare_host() - take out of registers what ends an emulated host */
void fuzz_spare_host(struct hvm_sregs *s);

#endif /* SELFTESTS_FUZZ_H */
