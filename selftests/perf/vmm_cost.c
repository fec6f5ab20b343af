// SPDX-License-Identifier: GPL-2.0-only
/*
 * vmm_cost: what a VMM costs that boots a guest, any VMM that has its serial
 * port on stdout.
 *
 * usage: vmm_cost MARK RAM COMMAND...
 *
 * Prints two rows as exit_cost does: boot_linux, ticks of the time-stamp
 * counter from just before COMMAND's execve until MARK has come out of it; and
 * vmm_memory, KiB that are private to the process at that moment, mappings of
 * at least RAM MiB, the guest's, left out. Then the VMM is killed.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "x86.h"

#define LOG_MAX	65536

static char text[LOG_MAX];

/* Read until @mark has come; the time when, or 0. */
static uint64_t wait_for_mark(int fd, const char *mark)
{
	size_t size = 0;
	uint64_t now;
	ssize_t n;

	while (size < sizeof(text) - 1) {
		n = read(fd, text + size, sizeof(text) - 1 - size);
		now = rdtsc();
		if (n <= 0)
			break;
		size += n;
		text[size] = 0;
		if (strstr(text, mark))
			return now;
	}
	return 0;
}

static unsigned long private_kib(pid_t pid, unsigned long ram)
{
	unsigned long start, end, kib, sum = 0;
	char path[64], line[512];
	bool vmm = true;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/smaps", (int)pid);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			vmm = end - start < ram << 20;
		else if (vmm && (sscanf(line, "Private_Clean: %lu", &kib) == 1 ||
				 sscanf(line, "Private_Dirty: %lu", &kib) == 1))
			sum += kib;
	}
	if (f)
		fclose(f);
	return sum;
}

int main(int argc, char **argv)
{
	uint64_t *start, end;
	unsigned long kib;
	int fds[2];
	pid_t pid;

	if (argc < 4) {
		fprintf(stderr, "usage: vmm_cost MARK RAM COMMAND...\n");
		return 2;
	}
	start = mmap(NULL, sizeof(*start), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (start == MAP_FAILED || pipe(fds)) {
		perror("vmm_cost");
		return 1;
	}
	pid = fork();
	if (!pid) {
		dup2(fds[1], 1);
		close(fds[0]);
		close(fds[1]);
		*start = rdtsc();
		execvp(argv[3], argv + 3);
		perror(argv[3]);
		_exit(127);
	}
	close(fds[1]);
	end = wait_for_mark(fds[0], argv[1]);
	kill(pid, SIGSTOP);
	kib = private_kib(pid, strtoul(argv[2], NULL, 0));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	if (!end) {
		fprintf(stderr, "vmm_cost: %s ended before its guest said \"%s\":\n%s\n",
			argv[3], argv[1], text);
		return 1;
	}
	printf("boot_linux %llu\nvmm_memory %lu\n",
	       (unsigned long long)(end - *start), kib);
	return 0;
}
