// SPDX-License-Identifier: GPL-2.0-only
/*
 * The command line, by argp. argp would print its own complaints and exit;
 * it is kept from both, and what is wrong is told in one line of our own.
 */
#include "args.h"
#include "error.h"

#include <argp.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	KEY_KERNEL = 'k', KEY_INITRD = 'i', KEY_CMDLINE = 'a', KEY_CPUS = 'c',
	KEY_MEMORY = 'm', KEY_NAME = 'n', KEY_HELP = 'h', KEY_SERIAL = 0x100,
	KEY_STATS, KEY_WATCHDOG, KEY_DEVICE, KEY_READY
};

static const struct argp_option run_options[] = {
	{ "kernel", KEY_KERNEL, "FILE", 0,
	  "The kernel: a bzImage, or an ELF file with a PVH entry (required)",
	  0 },
	{ "initrd", KEY_INITRD, "FILE", 0, "The initial RAM disk", 0 },
	{ "cmdline", KEY_CMDLINE, "STRING", 0,
	  "The kernel's command line (console=ttyS0)", 0 },
	{ "cpus", KEY_CPUS, "N", 0, "vCPUs, 1 to 255 (1)", 0 },
	{ "memory", KEY_MEMORY, "SIZE", 0,
	  "RAM, in MiB or with a suffix K, M, G or T (256M)", 0 },
	{ "name", KEY_NAME, "STRING", 0,
	  "The guest's name, which its threads bear (vm)", 0 },
	{ "serial", KEY_SERIAL, "stdio|file=PATH|pty|socket=PATH|off", 0,
	  "Where the serial port goes (stdio)", 0 },
	{ "ready", KEY_READY, "TEXT", 0,
	  "The guest has booted when it writes TEXT to the serial port", 0 },
	{ "stats", KEY_STATS, "FILE", 0, "Write statistics, as JSON", 0 },
	{ "watchdog", KEY_WATCHDOG, "SEC", 0,
	  "Stop the guest after SEC seconds, with status 36", 0 },
	{ "device", KEY_DEVICE, "PATH", 0,
	  "The device ($HVM_DEVICE, or /dev/hvm)", 0 },
	{ "help", KEY_HELP, NULL, 0, "Print this", 0 },
	{ 0 }
};

static const char run_doc[] =
	"Run a guest.\n\n"
	"On a terminal, Ctrl-a x quits and Ctrl-a Ctrl-a sends Ctrl-a. SIGTERM "
	"presses the guest's power button and stops it five seconds later; a "
	"second one stops it at once.\n\n"
	"Exit status: 0 the guest turned itself off, 32 it reset, 33 it "
	"crashed (triple fault), 34 it panicked, 35 an argument or a file is "
	"no good, 36 the watchdog stopped it, 1 anything else.";

static const struct argp_option check_options[] = {
	{ "device", KEY_DEVICE, "PATH", 0,
	  "The device ($HVM_DEVICE, or /dev/hvm)", 0 },
	{ "help", KEY_HELP, NULL, 0, "Print this", 0 },
	{ 0 }
};

static const char check_doc[] =
	"Tell whether this host can run guests: one line for each thing that "
	"is needed, yes or no, and what to do about a no.\n\n"
	"Exit status: 0 it can, 1 it cannot, 35 an argument is no good.";

static int parse_number(const char *what, const char *s, unsigned int min,
			unsigned int max, unsigned int *out)
{
	unsigned long value;
	char *end;

	errno = 0;
	value = strtoul(s, &end, 10);
	if (!isdigit((unsigned char)*s) || *end || errno || value < min ||
	    value > max)
		return fail_input("%s '%s' is not a number from %u to %u",
				  what, s, min, max);
	*out = value;
	return 0;
}

static int parse_memory(const char *s, uint64_t *out)
{
	static const char suffixes[] = "KMGT";
	const char *suffix = NULL;
	unsigned int shift = 20;
	unsigned long long value;
	char *end;

	errno = 0;
	value = strtoull(s, &end, 10);
	if (*end)
		suffix = strchr(suffixes, toupper((unsigned char)*end));
	if (!isdigit((unsigned char)*s) || errno ||
	    (*end && (!suffix || end[1])))
		return fail_input("--memory '%s' is not a size; write 512M or 4G",
				  s);
	if (suffix)
		shift = 10 * (suffix - suffixes + 1);
	if (value > MEMORY_MAX >> shift)
		return fail_input("--memory '%s' is more than the 4 TiB a guest can have",
				  s);
	value <<= shift;
	if (value < MEMORY_MIN)
		return fail_input("--memory '%s' is too little; a guest needs at least 16M",
				  s);
	if (value & 0xfff)
		return fail_input("--memory '%s' is not a multiple of 4K", s);
	*out = value;
	return 0;
}

static int parse_serial(const char *s, struct config *cfg)
{
	cfg->serial_path = NULL;
	if (!strcmp(s, "stdio")) {
		cfg->serial = SERIAL_STDIO;
	} else if (!strcmp(s, "pty")) {
		cfg->serial = SERIAL_PTY;
	} else if (!strcmp(s, "off")) {
		cfg->serial = SERIAL_OFF;
	} else if (!strncmp(s, "file=", 5) && s[5]) {
		cfg->serial = SERIAL_FILE;
		cfg->serial_path = s + 5;
	} else if (!strncmp(s, "socket=", 7) && s[7]) {
		cfg->serial = SERIAL_SOCKET;
		cfg->serial_path = s + 7;
	} else {
		return fail_input("--serial '%s' is none of stdio, file=PATH, pty, socket=PATH, off",
				  s);
	}
	return 0;
}

static int parse_name(const char *s, struct config *cfg)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
		"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

	if (!*s || strlen(s) > NAME_LEN_MAX || s[strspn(s, allowed)])
		return fail_input("--name '%s' is not 1 to %u letters, digits, '.', '_' or '-'",
				  s, NAME_LEN_MAX);
	cfg->name = s;
	return 0;
}

static int parse_ready(const char *s, struct config *cfg)
{
	if (!*s || strlen(s) > READY_MAX)
		return fail_input("--ready needs a text of 1 to %u bytes",
				  READY_MAX);
	cfg->ready = s;
	return 0;
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct config *cfg = state->input;

	switch (key) {
	case KEY_KERNEL:
		cfg->kernel = arg;
		return 0;
	case KEY_INITRD:
		cfg->initrd = arg;
		return 0;
	case KEY_CMDLINE:
		cfg->cmdline = arg;
		return 0;
	case KEY_CPUS:
		return parse_number("--cpus", arg, 1, CPUS_MAX, &cfg->cpus);
	case KEY_MEMORY:
		return parse_memory(arg, &cfg->memory);
	case KEY_NAME:
		return parse_name(arg, cfg);
	case KEY_SERIAL:
		return parse_serial(arg, cfg);
	case KEY_READY:
		return parse_ready(arg, cfg);
	case KEY_STATS:
		cfg->stats = arg;
		return 0;
	case KEY_WATCHDOG:
		return parse_number("--watchdog", arg, 1, 1000000,
				    &cfg->watchdog);
	case KEY_DEVICE:
		cfg->device = arg;
		return 0;
	case KEY_HELP:
		cfg->help = true;
		return 0;
	case ARGP_KEY_ERROR:
		/* argp stopped behind a word that it did not understand. */
		if (!failure_text())
			fail_input("'%s' is no option, or lacks its value; 'hvm %s --help' lists them",
				   state->argv[state->next - 1],
				   state->argv[0]);
		return 0;
	case ARGP_KEY_ARG:
		return fail_input("'%s' is no option of 'hvm %s'; 'hvm %s --help' lists them",
				  arg, state->argv[0], state->argv[0]);
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp run_argp = {
	.options = run_options, .parser = parse_option, .doc = run_doc,
};

static const struct argp check_argp = {
	.options = check_options, .parser = parse_option, .doc = check_doc,
};

static int parse(const struct argp *argp, int argc, char **argv,
		 struct config *cfg)
{
	if (argp_parse(argp, argc, argv, ARGP_NO_ERRS | ARGP_NO_EXIT |
		       ARGP_NO_HELP | ARGP_IN_ORDER, NULL, cfg))
		return failure_text() ? -EINVAL :
		       fail_input("the arguments cannot be parsed");
	return 0;
}

int args_run(int argc, char **argv, struct config *cfg)
{
	*cfg = (struct config){
		.cmdline = "console=ttyS0",
		.name = "vm",
		.serial = SERIAL_STDIO,
		.cpus = 1,
		.memory = 256ull << 20,
	};
	if (parse(&run_argp, argc, argv, cfg))
		return -EINVAL;
	if (!cfg->help && !cfg->kernel)
		return fail_input("no kernel given; use 'hvm run --kernel FILE', or see 'hvm run --help'");
	return 0;
}

int args_check(int argc, char **argv, struct config *cfg)
{
	*cfg = (struct config){ 0 };
	return parse(&check_argp, argc, argv, cfg);
}

void args_help(const char *verb)
{
	char name[32];

	snprintf(name, sizeof(name), "hvm %s", verb);
	argp_help(!strcmp(verb, "check") ? &check_argp : &run_argp, stdout,
		  ARGP_HELP_SHORT_USAGE | ARGP_HELP_LONG | ARGP_HELP_PRE_DOC,
		  name);
}
