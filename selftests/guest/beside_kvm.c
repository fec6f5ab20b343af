// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM's VMs and hvm's on the same processor. On VT-x the two live side by side
 * when KVM came first; when hvm did, KVM either works too or is told that the
 * processor is busy, and works once hvm's last VM is gone. Nobody's guest
 * loses a register over it.
 */
#include <errno.h>
#include <stdlib.h>

#include "guest.h"
#include "kselftest_harness.h"

#define TURNS	200

static void check(uint64_t mark)
{
	uint64_t x[2] = { mark, ~mark }, y[2], i;

	wrmsr(MSR_LSTAR, mark);
	wrmsr(MSR_KERNEL_GS_BASE, mark + 1);
	wrmsr(MSR_FS_BASE, mark + 2);
	asm volatile("movdqu %0, %%xmm7" :: "m"(x));
	for (i = 0;; i++) {
		GUEST_SYNC(i);
		GUEST_ASSERT_EQ(rdmsr(MSR_LSTAR), mark);
		GUEST_ASSERT_EQ(rdmsr(MSR_KERNEL_GS_BASE), mark + 1);
		GUEST_ASSERT_EQ(rdmsr(MSR_FS_BASE), mark + 2);
		asm volatile("movdqu %%xmm7, %0" : "=m"(y));
		GUEST_ASSERT(x[0] == y[0] && x[1] == y[1]);
		cpuid_count(0, 0);
	}
}

static void g_kvm(void)
{
	check(0x1111111000);
}

static void g_hvm(void)
{
	check(0x2222222000);
}

static bool inserted;

static bool have_kvm(void)
{
	if (!access("/dev/kvm", R_OK | W_OK))
		return true;
	inserted = true;
	if (system("for m in irqbypass kvm kvm-intel; do insmod /modules/$m.ko; done >/dev/null 2>&1"))
		return false;
	return !access("/dev/kvm", R_OK | W_OK);
}

static int kvm_create_vm(void)
{
	int dev = hvm_open("/dev/kvm"), fd;

	if (dev < 0)
		return dev;
	fd = hvm_create_vm(dev, 0);
	close(dev);
	return fd;
}

static struct gcpu *new_cpu(const char *device, void (*fn)(void))
{
	struct gcpu *c;

	setenv("HVM_DEVICE", device, 1);
	c = gcpu_new(gvm_new(GVM_SPLIT), 0, fn);
	unsetenv("HVM_DEVICE");
	return c;
}

static void drop(struct gcpu *c)
{
	struct gvm *vm = c->vm;

	gcpu_free(c);
	gvm_free(vm);
}

static bool intel(void)
{
	return cpuid_count(0, 0).ebx == 0x756e6547;
}

FIXTURE(both) {
	bool kvm;
};

FIXTURE_SETUP(both)
{
	self->kvm = intel() && device_is_hvm() && have_kvm();
	if (self->kvm)
		printf("# klog-allow: kvm|VMX is in use\n");
	fflush(stdout);
}

/* The tests after this one shall not run beside it: on kernel 7 it keeps VMX on. */
FIXTURE_TEARDOWN(both)
{
	if (inserted)
		EXPECT_EQ(0, system("rmmod kvm_intel kvm"));
}

TEST_F(both, kvm_first)
{
	struct gcpu *k, *h;
	int i;

	REQUIRE(self->kvm, "no kvm_intel here");
	k = new_cpu("/dev/kvm", g_kvm);
	ASSERT_EQ(UCALL_SYNC, gcpu_run(k));
	h = new_cpu("/dev/hvm", g_hvm);
	for (i = 0; i < TURNS; i++) {
		ASSERT_EQ(UCALL_SYNC, gcpu_run(h));
		ASSERT_EQ(UCALL_SYNC, gcpu_run(k));
	}
	drop(h);
	for (i = 0; i < TURNS; i++)
		ASSERT_EQ(UCALL_SYNC, gcpu_run(k));
	/* KVM's last VM may go while hvm has one */
	h = new_cpu("/dev/hvm", g_hvm);
	ASSERT_EQ(UCALL_SYNC, gcpu_run(h));
	drop(k);
	for (i = 0; i < TURNS; i++)
		ASSERT_EQ(UCALL_SYNC, gcpu_run(h));
	drop(h);
}

TEST_F(both, hvm_first)
{
	struct gcpu *h, *k = NULL;
	int i, fd;

	REQUIRE(self->kvm, "no kvm_intel here");
	h = new_cpu("/dev/hvm", g_hvm);
	ASSERT_EQ(UCALL_SYNC, gcpu_run(h));
	fd = kvm_create_vm();
	if (fd >= 0) {
		close(fd);
		k = new_cpu("/dev/kvm", g_kvm);
	} else {
		EXPECT_EQ(-EBUSY, fd);
	}
	for (i = 0; i < TURNS; i++) {
		ASSERT_EQ(UCALL_SYNC, gcpu_run(h));
		if (k)
			ASSERT_EQ(UCALL_SYNC, gcpu_run(k));
	}
	drop(h);
	if (!k)
		k = new_cpu("/dev/kvm", g_kvm);
	for (i = 0; i < TURNS; i++)
		ASSERT_EQ(UCALL_SYNC, gcpu_run(k));
	drop(k);
}

TEST_HARNESS_MAIN
