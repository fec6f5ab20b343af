// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every call that takes a pointer answers a bad one with EFAULT, and leaves
 * the process and the kernel as they were.
 */
#include "guest.h"
#include "kselftest_harness.h"

struct call {
	const char *name;
	unsigned long cmd;
};

#define CALL(n) { #n, HVM_##n }

static const struct call dev_calls[] = {
	CALL(GET_MSR_INDEX_LIST), CALL(GET_SUPPORTED_CPUID),
	CALL(GET_EMULATED_CPUID), CALL(GET_MSR_FEATURE_INDEX_LIST),
	CALL(GET_MSRS),
};

static const struct call vm_calls[] = {
	CALL(SET_USER_MEMORY_REGION), CALL(GET_DIRTY_LOG),
	CALL(CLEAR_DIRTY_LOG), CALL(SET_IDENTITY_MAP_ADDR), CALL(ENABLE_CAP),
	CALL(SIGNAL_MSI), CALL(SET_GSI_ROUTING), CALL(IRQFD), CALL(IOEVENTFD),
	CALL(SET_CLOCK), CALL(GET_CLOCK),
};

static const struct call vcpu_calls[] = {
	CALL(GET_REGS), CALL(SET_REGS), CALL(GET_SREGS), CALL(SET_SREGS),
	CALL(GET_SREGS2), CALL(SET_SREGS2), CALL(GET_FPU), CALL(SET_FPU),
	CALL(GET_XSAVE), CALL(SET_XSAVE), CALL(GET_XSAVE2), CALL(GET_XCRS),
	CALL(SET_XCRS), CALL(GET_DEBUGREGS), CALL(SET_DEBUGREGS),
	CALL(GET_MSRS), CALL(SET_MSRS), CALL(GET_CPUID2), CALL(SET_CPUID2),
	CALL(GET_LAPIC), CALL(SET_LAPIC), CALL(GET_MP_STATE),
	CALL(SET_MP_STATE), CALL(GET_VCPU_EVENTS), CALL(SET_VCPU_EVENTS),
	CALL(INTERRUPT), CALL(TRANSLATE), CALL(SET_GUEST_DEBUG),
};

static const unsigned long bad[] = {
	0, 8, 1ul << 63, -8ul, 0x7ffffffff000, 0xffff888000000000,
};

static void try_all(struct __test_metadata *_metadata, int fd,
		    const struct call *calls, size_t n)
{
	size_t i, j;

	for (i = 0; i < n; i++)
		for (j = 0; j < ARRAY_LEN(bad); j++) {
			errno = 0;
			EXPECT_EQ(-1, ioctl(fd, calls[i].cmd, bad[j]))
				TH_LOG("%s(%#lx)", calls[i].name, bad[j]);
			EXPECT_EQ(EFAULT, errno)
				TH_LOG("%s(%#lx)", calls[i].name, bad[j]);
		}
}

FIXTURE(vcpu) {
	struct gvm *vm;
	struct gcpu *c;
};

FIXTURE_SETUP(vcpu)
{
	self->vm = gvm_new(GVM_SPLIT);
	self->c = gcpu_bare(self->vm, 0);
}

FIXTURE_TEARDOWN(vcpu)
{
	gcpu_free(self->c);
	gvm_free(self->vm);
}

TEST_F(vcpu, system)
{
	try_all(_metadata, self->vm->dev, dev_calls, ARRAY_LEN(dev_calls));
}

TEST_F(vcpu, vm)
{
	/* some calls are for a VM without vCPUs, and say so first */
	int fd = hvm_create_vm(self->vm->dev, 0);

	try_all(_metadata, fd, vm_calls, ARRAY_LEN(vm_calls));
}

TEST_F(vcpu, vcpu)
{
	try_all(_metadata, self->c->fd, vcpu_calls, ARRAY_LEN(vcpu_calls));
}

/* the structure begins in memory and ends outside */
TEST_F(vcpu, straddles)
{
	char *p = mmap(NULL, 2 * PAGE_SIZE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	munmap(p + PAGE_SIZE, PAGE_SIZE);
	p += PAGE_SIZE - 16;
	EXPECT_ERRNO(EFAULT, ioctl(self->c->fd, HVM_GET_REGS, p));
	EXPECT_ERRNO(EFAULT, ioctl(self->c->fd, HVM_SET_REGS, p));
	EXPECT_ERRNO(EFAULT, ioctl(self->c->fd, HVM_GET_SREGS, p));
	EXPECT_ERRNO(EFAULT, ioctl(self->c->fd, HVM_SET_XSAVE, p));
	EXPECT_ERRNO(EFAULT, ioctl(self->vm->fd, HVM_SET_USER_MEMORY_REGION,
				   p));
}

/* read-only memory takes no answer */
TEST_F(vcpu, read_only)
{
	char *p = mmap(NULL, 8 * PAGE_SIZE, PROT_READ,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	EXPECT_ERRNO(EFAULT, ioctl(self->c->fd, HVM_GET_REGS, p));
	EXPECT_ERRNO(EFAULT, ioctl(self->c->fd, HVM_GET_LAPIC, p));
	EXPECT_ERRNO(EFAULT, ioctl(self->c->fd, HVM_GET_XSAVE, p));
	EXPECT_ERRNO(EFAULT, ioctl(self->vm->fd, HVM_GET_CLOCK, p));
}

TEST_HARNESS_MAIN
