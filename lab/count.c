// SPDX-License-Identifier: GPL-2.0-only
/*
 * A plugin for QEMU's TCG (lab/profile): how often each instruction of the host
 * is executed while somebody wants to know.
 *
 * Whoever wants to know executes a NOP that no compiler writes,
 * `nopl 0x68766d01(%rax)`, and another one, `nopl 0x68766d00(%rax)`, when it
 * is done (MARK() in selftests/perf); this may be the host's userspace as
 * well as a guest. Every instruction counts into a cell of its own all the time;
 * the marks look at what the cells have gained since. At the end each
 * address that has gained anything is written to the file named by out=, with
 * its count. One CPU only: only its cells are read.
 *
 * Debian has no package of qemu-plugin.h, so the few declarations that are
 * needed of its interface (version 7, QEMU 11.1) stand here.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_plugin_scoreboard;

/* A counter that each CPU has: at an offset in its element of a scoreboard. */
typedef struct {
	struct qemu_plugin_scoreboard *score;
	size_t offset;
} qemu_plugin_u64;

size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb,
						 size_t n);
size_t qemu_plugin_insn_data(const struct qemu_plugin_insn *insn, void *dest,
			     size_t len);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id,
					   void (*cb)(struct qemu_plugin_tb *tb,
						      void *data),
					   void *data);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
					    void (*cb)(unsigned int cpu, void *data),
					    int regs, void *data);
void qemu_plugin_register_vcpu_insn_exec_inline_per_vcpu(struct qemu_plugin_insn *insn,
							 int add,
							 qemu_plugin_u64 cell,
							 uint64_t n);
struct qemu_plugin_scoreboard *qemu_plugin_scoreboard_new(size_t element_size);
void *qemu_plugin_scoreboard_find(struct qemu_plugin_scoreboard *score,
				  unsigned int cpu);
void qemu_plugin_register_atexit_cb(uint64_t id, void (*cb)(void *data), void *data);

__attribute__((visibility("default"))) int qemu_plugin_version = 7;

#define BUCKETS	(1u << 18)

struct cell {
	struct cell *next;
	uint64_t address;
	qemu_plugin_u64 at;	/* counted there, ever */
	uint64_t base;		/* when counting began */
	uint64_t wanted;	/* between the marks */
};

#define TOGETHER	512	/* counters in a scoreboard */

static struct cell *cells[BUCKETS];
static char *path;
static bool counting;

static struct cell *cell_of(uint64_t address)
{
	struct cell **p = &cells[(address ^ address >> 18) % BUCKETS], *c;
	static struct qemu_plugin_scoreboard *score;
	static size_t used = TOGETHER;

	for (c = *p; c; c = c->next)
		if (c->address == address)
			return c;
	c = calloc(1, sizeof(*c));
	if (!c)
		abort();
	if (used == TOGETHER) {
		score = qemu_plugin_scoreboard_new(TOGETHER * sizeof(uint64_t));
		used = 0;
	}
	c->at = (qemu_plugin_u64){ score, used++ * sizeof(uint64_t) };
	c->address = address;
	c->next = *p;
	*p = c;
	return c;
}

static uint64_t count(const struct cell *c)
{
	char *first = qemu_plugin_scoreboard_find(c->at.score, 0);

	return *(uint64_t *)(first + c->at.offset);
}

/* An instruction is counted before a mark's own function runs. */
static void mark(unsigned int cpu, void *data)
{
	bool begin = data;
	struct cell *c;
	size_t i;

	if (begin == counting)
		return;
	counting = begin;
	for (i = 0; i < BUCKETS; i++) {
		for (c = cells[i]; c; c = c->next) {
			if (begin)
				c->base = count(c);
			else
				c->wanted += count(c) - c->base;
		}
	}
}

static void translated(struct qemu_plugin_tb *tb, void *data)
{
	static const uint8_t nop[] = { 0x0f, 0x1f, 0x80 };
	size_t i, n = qemu_plugin_tb_n_insns(tb);

	for (i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		uint8_t b[7] = { 0 };
		struct cell *c = cell_of(qemu_plugin_insn_vaddr(insn));

		qemu_plugin_insn_data(insn, b, sizeof(b));
		if (qemu_plugin_insn_size(insn) == 7 && !memcmp(b, nop, 3) &&
		    b[3] <= 1 && !memcmp(b + 4, "mvh", 3))
			qemu_plugin_register_vcpu_insn_exec_cb(insn, mark, 0,
							       b[3] ? cells : NULL);
		else
			qemu_plugin_register_vcpu_insn_exec_inline_per_vcpu(insn, 0,
								    c->at, 1);
	}
}

static void finish(void *data)
{
	FILE *f = fopen(path, "w");
	struct cell *c;
	size_t i;

	for (i = 0; f && i < BUCKETS; i++)
		for (c = cells[i]; c; c = c->next)
			if (c->wanted)
				fprintf(f, "%016" PRIx64 " %" PRIu64 "\n",
					c->address, c->wanted);
	if (!f || fclose(f))
		perror(path);
}

__attribute__((visibility("default")))
int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv)
{
	if (argc != 1 || strncmp(argv[0], "out=", 4)) {
		fprintf(stderr, "count: out=FILE is missing\n");
		return -1;
	}
	path = strdup(argv[0] + 4);
	if (!path)
		return -1;
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated, NULL);
	qemu_plugin_register_atexit_cb(id, finish, NULL);
	return 0;
}
