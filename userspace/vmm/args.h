/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The command line of `hvm run` and `hvm check`. See args.c.
 */
#ifndef VMM_ARGS_H
#define VMM_ARGS_H

#include <stdbool.h>
#include <stdint.h>

enum serial_kind { SERIAL_STDIO, SERIAL_FILE, SERIAL_PTY, SERIAL_SOCKET,
		   SERIAL_OFF };

#define CPUS_MAX	255
#define MEMORY_MIN	(16ull << 20)
#define MEMORY_MAX	(4ull << 40)
#define NAME_LEN_MAX	64
#define READY_MAX	64

/**
 * struct config - what the user asked for; strings are argv's
 * @kernel: the kernel's path; never NULL after args_run()
 * @initrd: the initial RAM disk's path, or NULL
 * @cmdline: the kernel's command line
 * @name: the guest's name
 * @stats: where to write statistics, or NULL
 * @device: the hypervisor's device, or NULL for the default
 * @ready: what the guest writes when it has booted, or NULL
 * @serial_path: for SERIAL_FILE and SERIAL_SOCKET
 * @serial: where the serial port goes
 * @cpus: vCPUs
 * @memory: bytes
 * @watchdog: seconds after which the guest is stopped, or 0
 * @help: --help was asked for, and nothing else matters
 */
struct config {
	const char *kernel;
	const char *initrd;
	const char *cmdline;
	const char *name;
	const char *stats;
	const char *device;
	const char *ready;
	const char *serial_path;
	enum serial_kind serial;
	unsigned int cpus;
	uint64_t memory;
	unsigned int watchdog;
	bool help;
};

/** args_run() - parse `hvm run ...`; @argv[0] is the verb */
int args_run(int argc, char **argv, struct config *cfg);
/** args_check() - parse `hvm check ...` */
int args_check(int argc, char **argv, struct config *cfg);
/** args_help() - print a verb's help on stdout */
void args_help(const char *verb);

#endif
