// SPDX-License-Identifier: GPL-2.0-only
/*
 * Descriptors closed in every order, while mapped, while a guest runs: what
 * remains works, what is gone is freed (the module's count shows it).
 */
#include <sys/eventfd.h>

#include "guest.h"
#include "kselftest_harness.h"

static int module_users(void)
{
	const char *names[] = { "/sys/module/hvm/refcnt",
				"/sys/module/kvm_amd/refcnt",
				"/sys/module/kvm_intel/refcnt" };
	size_t i = device_is_hvm() ? 0 : 1;
	int n = -1;
	FILE *f;

	for (; i < ARRAY_LEN(names) && n < 0; i++) {
		f = fopen(names[i], "r");
		if (!f)
			continue;
		if (fscanf(f, "%d", &n) != 1)
			n = -1;
		fclose(f);
	}
	return n;
}

static int users_settle(int to)
{
	int i;

	for (i = 0; i < 200 && module_users() != to; i++)
		usleep(10000);
	return module_users();
}

static void out_forever(void)
{
	for (;;)
		outb(0x10, 1);
}

/* the six orders of device, VM and vCPU; each with the run page mapped */
TEST(every_order)
{
	static const char orders[][4] = {
		"dvc", "dcv", "vdc", "vcd", "cdv", "cvd",
	};
	int before = module_users();
	size_t i, j;

	for (i = 0; i < ARRAY_LEN(orders); i++) {
		struct gvm *vm = gvm_new(GVM_NO_IRQCHIP);
		struct gcpu *c = gcpu_new(vm, 0, out_forever);
		bool have_vcpu = true;

		ASSERT_LE(0, before);
		EXPECT_LT(before, module_users());
		for (j = 0; j < 3; j++) {
			if (orders[i][j] == 'c') {
				close(c->fd);
				have_vcpu = false;
			}
			close(orders[i][j] == 'd' ? vm->dev :
			      orders[i][j] == 'v' ? vm->fd : -1);
			if (have_vcpu)
				EXPECT_EQ(HVM_EXIT_IO, gcpu_run(c));
		}
		munmap(c->run, c->h.run_size);
		munmap(vm->low, LOW_SIZE);
	}
	EXPECT_EQ(before, users_settle(before));
}

/* the run page outlives the descriptor */
TEST(page_outlives)
{
	int before = module_users();
	struct gvm *vm = gvm_new(GVM_NO_IRQCHIP);
	struct gcpu *c = gcpu_new(vm, 0, out_forever);

	ASSERT_EQ(HVM_EXIT_IO, gcpu_run(c));
	close(c->fd);
	close(vm->fd);
	close(vm->dev);
	EXPECT_EQ(HVM_EXIT_IO, c->run->exit_reason);
	EXPECT_EQ(1, *((uint8_t *)c->run + c->run->io.data_offset));
	munmap(c->run, c->h.run_size);
	EXPECT_EQ(before, users_settle(before));
}

static void spin(void)
{
	for (;;)
		cpu_relax();
}

/* the descriptors go while a thread is in the guest */
TEST(closed_while_running)
{
	int before = module_users();
	struct gvm *vm = gvm_new(GVM_SPLIT);
	struct gcpu *c = gcpu_new(vm, 0, spin);

	gcpu_start(c);
	usleep(50000);
	close(vm->fd);
	close(vm->dev);
	close(c->fd);
	usleep(50000);
	EXPECT_EQ(-EINTR, gcpu_stop(c));
	munmap(c->run, c->h.run_size);
	EXPECT_EQ(before, users_settle(before));
}

/* eventfds that outlive the VM, and those that are closed before it */
TEST(eventfds)
{
	int before = module_users(), i;

	for (i = 0; i < 4; i++) {
		struct gvm *vm = gvm_new(GVM_SPLIT);
		struct gcpu *c = gcpu_bare(vm, 0);
		int irq = eventfd(0, 0), kick = eventfd(0, 0);
		uint64_t one = 1;

		ASSERT_EQ(0, gvm_route_msi(vm, 4, 0x40));
		ASSERT_EQ(0, hvm_irqfd(vm->fd, irq, 1, 0, 0));
		ASSERT_EQ(0, hvm_ioeventfd(vm->fd, kick, 0x100, 1,
					   HVM_IOEVENTFD_FLAG_PIO, 0));
		if (i & 1) {
			close(irq);
			close(kick);
		}
		if (i & 2)
			gcpu_free(c);
		close(vm->fd);
		if (!(i & 1)) {
			EXPECT_EQ(8, write(irq, &one, 8));
			close(irq);
			close(kick);
		}
		if (!(i & 2))
			gcpu_free(c);
		close(vm->dev);
		munmap(vm->low, LOW_SIZE);
	}
	EXPECT_EQ(before, users_settle(before));
}

/* duplicates count as one object */
TEST(duplicates)
{
	struct gvm *vm = gvm_new(GVM_NO_IRQCHIP);
	struct gcpu *c = gcpu_new(vm, 0, out_forever);
	int d = dup(c->fd);

	close(c->fd);
	EXPECT_EQ(0, ioctl(d, HVM_RUN, 0));
	EXPECT_EQ(HVM_EXIT_IO, c->run->exit_reason);
	close(d);
}

TEST_HARNESS_MAIN
