// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hvm command: finds the verb, and turns what came of it into an exit
 * status and, if something went wrong, one line on standard error. Nothing
 * else in the program exits.
 */
#include "args.h"
#include "check.h"
#include "error.h"
#include "run.h"

#include <stdio.h>
#include <string.h>

static const char usage[] =
	"Usage: hvm run --kernel FILE [OPTION...]   run a guest\n"
	"       hvm check [--device PATH]           tell whether this host can\n"
	"       hvm --version | --help\n"
	"\n"
	"'hvm run --help' and 'hvm check --help' tell more, and so does hvm(1).\n";

static enum exit_status verb_run(int argc, char **argv)
{
	struct config cfg;

	if (args_run(argc, argv, &cfg))
		return failure_status();
	if (cfg.help) {
		args_help("run");
		return STATUS_POWEROFF;
	}
	return run_guest(&cfg);
}

static enum exit_status verb_check(int argc, char **argv)
{
	struct config cfg;

	if (args_check(argc, argv, &cfg))
		return failure_status();
	if (cfg.help) {
		args_help("check");
		return STATUS_POWEROFF;
	}
	return check_host(cfg.device) ? STATUS_POWEROFF : STATUS_OTHER;
}

static enum exit_status run_verb(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : NULL;

	if (!verb) {
		fail_input("no verb given: 'hvm run --kernel FILE' runs a guest, 'hvm --help' tells more");
		return failure_status();
	}
	if (!strcmp(verb, "run"))
		return verb_run(argc - 1, argv + 1);
	if (!strcmp(verb, "check"))
		return verb_check(argc - 1, argv + 1);
	if (!strcmp(verb, "--help") || !strcmp(verb, "help")) {
		fputs(usage, stdout);
		return STATUS_POWEROFF;
	}
	if (!strcmp(verb, "--version")) {
		puts("hvm " HVM_VERSION);
		return STATUS_POWEROFF;
	}
	fail_input("'%s' is no verb of hvm; 'hvm --help' lists them", verb);
	return failure_status();
}

int main(int argc, char **argv)
{
	enum exit_status status = run_verb(argc, argv);

	if (fflush(stdout) && !status)
		status = STATUS_OTHER;
	if (failure_text())
		fprintf(stderr, "hvm: %s\n", failure_text());
	return status;
}
