// SPDX-License-Identifier: GPL-2.0-only
/*
 * Leave this kernel for another while guests run: in order (kexec), by a crash
 * that a crash kernel was loaded for, or by one that it was not. lab/hygiene
 * looks at what comes after.
 *
 * usage: kexec reboot|crash KERNEL INITRD CMDLINE | kexec panic
 */
#include <fcntl.h>
#include <linux/kexec.h>
#include <linux/reboot.h>
#include <sys/syscall.h>

#include "guest.h"

static volatile uint64_t turns[2];

static void g_spin(void)
{
	for (;;) {
		turns[0]++;
		cpuid_count(0, 0);
	}
}

static void g_spin_alone(void)
{
	for (;;)
		turns[1]++;
}

static int load(const char *kernel, const char *initrd, const char *cmdline, unsigned long flags)
{
	int k = open(kernel, O_RDONLY | O_CLOEXEC), i = open(initrd, O_RDONLY | O_CLOEXEC);

	if (k < 0 || i < 0 ||
	    syscall(SYS_kexec_file_load, k, i, strlen(cmdline) + 1, cmdline, flags)) {
		perror("# loading the kernel");
		return -1;
	}
	return 0;
}

static int sysrq(char c)
{
	int fd = open("/proc/sysrq-trigger", O_WRONLY | O_CLOEXEC);

	return fd < 0 || write(fd, &c, 1) != 1;
}

int main(int argc, char **argv)
{
	bool crash = argc > 1 && !strcmp(argv[1], "crash");
	struct gvm *vm;
	int i;

	if (argc < 2 || (strcmp(argv[1], "panic") && argc != 5)) {
		fprintf(stderr, "usage: kexec reboot|crash KERNEL INITRD CMDLINE | kexec panic\n");
		return 2;
	}
	if (argc == 5 && load(argv[2], argv[3], argv[4], crash ? KEXEC_FILE_ON_CRASH : 0))
		return 1;
	vm = gvm_new(GVM_SPLIT);
	for (i = 0; i < 2; i++) {
		struct gcpu *c = gcpu_new(vm, i, i ? g_spin_alone : g_spin);

		hvm_set_mp_state(c->fd, HVM_MP_STATE_RUNNABLE);
		gcpu_start(c);
	}
	if (!wait_for(&turns[0], 1000, 60) || !wait_for(&turns[1], 1000, 60)) {
		fprintf(stderr, "# the guests do not run\n");
		return 1;
	}
	printf("# guests run: now %s\n", argv[1]);
	fflush(stdout);
	sleep(1);	/* until that is out; nothing may be on its way at the end */
	if (!freopen("/dev/null", "w", stderr))
		return 1;
	if (!strcmp(argv[1], "reboot"))
		syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2,
			LINUX_REBOOT_CMD_KEXEC, NULL);
	else
		sysrq('c');
	sleep(10);
	printf("# still here\n");
	return 1;
}
