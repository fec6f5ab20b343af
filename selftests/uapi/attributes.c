// SPDX-License-Identifier: GPL-2.0-only
/*
 * Settings reached by number (HAS, GET, SET_DEVICE_ATTR), devices there are
 * none of, the TSC's frequency on a VM, and the older SET_CPUID.
 */
#include <sys/ioctl.h>

#include "guest.h"
#include "kselftest_harness.h"

static int attr(int fd, unsigned long cmd, uint32_t group, uint64_t nr, uint64_t *val)
{
	struct hvm_device_attr a = { .group = group, .attr = nr, .addr = (uintptr_t)val };

	return ioctl(fd, cmd, &a);
}

TEST(system_fd)
{
	struct gvm *vm = gvm_new(GVM_NO_IRQCHIP);
	uint64_t supported = 0;

	ASSERT_EQ(1, have_cap(HVM_CAP_SYS_ATTRIBUTES));
	EXPECT_EQ(0, attr(vm->dev, HVM_HAS_DEVICE_ATTR, 0, HVM_X86_XCOMP_GUEST_SUPP, NULL));
	EXPECT_EQ(0, attr(vm->dev, HVM_GET_DEVICE_ATTR, 0, HVM_X86_XCOMP_GUEST_SUPP, &supported));
	EXPECT_EQ(3, supported & 3);
	EXPECT_ERRNO(ENXIO, attr(vm->dev, HVM_HAS_DEVICE_ATTR, 0, 7, NULL));
	EXPECT_ERRNO(ENXIO, attr(vm->dev, HVM_GET_DEVICE_ATTR, 1, 0, &supported));
	EXPECT_ERRNO(EFAULT, attr(vm->dev, HVM_GET_DEVICE_ATTR, 0, 0, NULL));
	EXPECT_ERRNO(EINVAL, attr(vm->dev, HVM_SET_DEVICE_ATTR, 0, 0, &supported));
	EXPECT_ERRNO(ENOTTY, attr(vm->fd, HVM_HAS_DEVICE_ATTR, 0, 0, NULL));
}

static void g_tsc(void)
{
	for (;;)
		GUEST_SYNC2(1, rdtsc(), 0);
}

TEST(tsc_offset)
{
	struct gcpu *c = gcpu_new(gvm_new(GVM_NO_IRQCHIP), 0, g_tsc);
	static const uint64_t offsets[] = { 0, 1ull << 40, -(1ull << 40) };
	uint64_t v, before;
	unsigned int i;

	ASSERT_EQ(1, have_cap(HVM_CAP_VCPU_ATTRIBUTES));
	EXPECT_EQ(0, attr(c->fd, HVM_HAS_DEVICE_ATTR, HVM_VCPU_TSC_CTRL, HVM_VCPU_TSC_OFFSET, NULL));
	EXPECT_ERRNO(ENXIO, attr(c->fd, HVM_HAS_DEVICE_ATTR, HVM_VCPU_TSC_CTRL, 1, NULL));
	EXPECT_ERRNO(ENXIO, attr(c->fd, HVM_GET_DEVICE_ATTR, 1, 0, &v));
	EXPECT_ERRNO(EFAULT, attr(c->fd, HVM_SET_DEVICE_ATTR, 0, 0, NULL));
	for (i = 0; i < ARRAY_LEN(offsets); i++) {
		v = offsets[i];
		ASSERT_EQ(0, attr(c->fd, HVM_SET_DEVICE_ATTR, 0, 0, &v));
		v = 5;
		ASSERT_EQ(0, attr(c->fd, HVM_GET_DEVICE_ATTR, 0, 0, &v));
		EXPECT_EQ(offsets[i], v);
		before = rdtsc() + offsets[i];
		ASSERT_SYNC(c, 1);
		EXPECT_LE(before, c->uc.arg[1]);
		EXPECT_GE(rdtsc() + offsets[i], c->uc.arg[1]);
	}
}

TEST(vm_tsc_khz)
{
	struct gvm *vm = gvm_new(GVM_NO_IRQCHIP);
	int khz = ioctl(vm->fd, HVM_GET_TSC_KHZ, 0);

	REQUIRE(khz > 0, "a VM's frequency");
	EXPECT_EQ(khz, hvm_get_tsc_khz(gcpu_bare(vm, 0)->fd));
	EXPECT_EQ(0, ioctl(vm->fd, HVM_SET_TSC_KHZ, 0));
	EXPECT_EQ(khz, ioctl(vm->fd, HVM_GET_TSC_KHZ, 0));
	REQUIRE(have_cap(HVM_CAP_VM_TSC_CONTROL), "hardware that scales");
	EXPECT_ERRNO(EINVAL, ioctl(vm->fd, HVM_SET_TSC_KHZ, ~0u));
	EXPECT_EQ(0, ioctl(vm->fd, HVM_SET_TSC_KHZ, khz / 2));
	EXPECT_EQ(khz / 2, ioctl(vm->fd, HVM_GET_TSC_KHZ, 0));
	EXPECT_EQ(khz / 2, hvm_get_tsc_khz(gcpu_bare(vm, 1)->fd));
}

TEST(no_devices)
{
	struct gvm *vm = gvm_new(GVM_NO_IRQCHIP);
	struct hvm_create_device d = { .type = 9999 };

	EXPECT_ERRNO(ENODEV, ioctl(vm->fd, HVM_CREATE_DEVICE, &d));
}

static void g_cpuid(void)
{
	GUEST_ASSERT_EQ(cpuid_count(0x40000010, 0).ebx, 0x22);
	GUEST_ASSERT_EQ(cpuid_count(0x40000010, 5).edx, 0x44);
}

TEST(old_cpuid)
{
	struct gcpu *c = gcpu_bare(gvm_new(GVM_NO_IRQCHIP), 0);
	struct hvm_cpuid2 *sup;
	struct hvm_cpuid *t;
	uint32_t i;

	ASSERT_EQ(0, hvm_get_supported_cpuid(c->vm->dev, &sup));
	t = calloc(1, sizeof(*t) + 300 * sizeof(t->entries[0]));
	for (i = 0; i < sup->nent; i++) {
		struct hvm_cpuid_entry2 *e = &sup->entries[i];

		if (e->index)
			continue;
		t->entries[t->nent++] = (struct hvm_cpuid_entry) {
			.function = e->function, .eax = e->eax, .ebx = e->ebx,
			.ecx = e->ecx, .edx = e->edx,
		};
	}
	t->entries[t->nent++] = (struct hvm_cpuid_entry) { 0x40000010, 0x11, 0x22, 0x33, 0x44, 0 };
	ASSERT_EQ(0, ioctl(c->fd, HVM_SET_CPUID, t));
	gcpu_long_mode(c, g_cpuid);
	ASSERT_DONE(c);
	t->nent = 257;
	EXPECT_ERRNO(E2BIG, ioctl(c->fd, HVM_SET_CPUID, t));
}

TEST_HARNESS_MAIN
