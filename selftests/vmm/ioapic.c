// SPDX-License-Identifier: GPL-2.0-only
/*
 * The I/O APIC by its registers: what each way to trigger a pin sends, and
 * what it tells the kernel to report.
 */
#include "ktap.h"
#include "../../userspace/vmm/ioapic.h"

#define PIN	9
#define MASKED	(1u << 16)
#define LEVEL	(1u << 15)
#define IRR	(1u << 14)
#define LOGICAL	(1u << 11)

static struct ioapic chip;
static unsigned int sent, routed;
static uint64_t address, route_address;
static uint32_t data, route_data;

static void on_send(void *ptr, uint64_t a, uint32_t d)
{
	(void)ptr;
	sent++;
	address = a;
	data = d;
}

static void on_route(void *ptr, unsigned int pin, uint64_t a, uint32_t d)
{
	(void)ptr;
	CHECK_EQ(pin, PIN);
	routed++;
	route_address = a;
	route_data = d;
}

static const struct ioapic_ops ops = { .send = on_send, .route = on_route };

static void reset(void)
{
	ioapic_init(&chip, &ops, NULL);
	sent = routed = 0;
	address = route_address = 0;
}

static void write32(uint64_t offset, uint32_t value)
{
	ioapic_access(&chip, offset, &value, 4, true);
}

static uint32_t read_index(uint32_t index)
{
	uint32_t value = 0xaaaaaaaa;

	write32(0, index);
	ioapic_access(&chip, 0x10, &value, 4, false);
	return value;
}

static void write_index(uint32_t index, uint32_t value)
{
	write32(0, index);
	write32(0x10, value);
}

static void set_pin(uint32_t low, uint32_t high)
{
	write_index(0x10 + 2 * PIN + 1, high);
	write_index(0x10 + 2 * PIN, low);
}

static uint32_t low(void)
{
	return read_index(0x10 + 2 * PIN);
}

static void after_reset(void)
{
	unsigned int pin;

	reset();
	CHECK_EQ(read_index(1), 0x20 | 23 << 16);
	for (pin = 0; pin < IOAPIC_PINS; pin++) {
		CHECK_EQ(read_index(0x10 + 2 * pin), MASKED);
		ioapic_set_line(&chip, pin, true);
	}
	CHECK_EQ(sent, 0);
}

static void edge(void)
{
	reset();
	set_pin(0x31, 2u << 24);
	ioapic_set_line(&chip, PIN, true);
	CHECK_EQ(sent, 1);
	CHECK_EQ(address, 0xfee02000);
	CHECK_EQ(data, 0x31);
	ioapic_set_line(&chip, PIN, true);
	CHECK_EQ(sent, 1);
	ioapic_set_line(&chip, PIN, false);
	ioapic_set_line(&chip, PIN, true);
	CHECK_EQ(sent, 2);
	CHECK_EQ(low(), 0x31);
	CHECK_EQ(routed, 0);
}

static void edge_while_masked(void)
{
	reset();
	set_pin(0x31 | MASKED, 0);
	ioapic_set_line(&chip, PIN, true);
	set_pin(0x31, 0);
	CHECK_EQ(sent, 0);
}

static void level(void)
{
	reset();
	set_pin(0x41 | LEVEL, 1u << 24);
	ioapic_set_line(&chip, PIN, true);
	CHECK_EQ(sent, 1);
	CHECK_EQ(address, 0xfee01000);
	CHECK_EQ(data, 0x41 | 1 << 15 | 1 << 14);
	CHECK_EQ(low(), 0x41 | LEVEL | IRR);
	/* In service: nothing more, until the end of interrupt finds it high */
	ioapic_set_line(&chip, PIN, false);
	ioapic_set_line(&chip, PIN, true);
	CHECK_EQ(sent, 1);
	ioapic_eoi(&chip, 0x42);
	CHECK_EQ(sent, 1);
	ioapic_eoi(&chip, 0x41);
	CHECK_EQ(sent, 2);
	ioapic_set_line(&chip, PIN, false);
	ioapic_eoi(&chip, 0x41);
	CHECK_EQ(sent, 2);
	CHECK_EQ(low(), 0x41 | LEVEL);
}

static void level_unmasked(void)
{
	reset();
	set_pin(0x41 | LEVEL | MASKED, 0);
	ioapic_set_line(&chip, PIN, true);
	CHECK_EQ(sent, 0);
	set_pin(0x41 | LEVEL, 0);
	CHECK_EQ(sent, 1);
	/* Masking it meanwhile does not lose the end of interrupt. */
	set_pin(0x41 | LEVEL | MASKED, 0);
	CHECK_EQ(low(), 0x41 | LEVEL | MASKED | IRR);
	ioapic_eoi(&chip, 0x41);
	CHECK_EQ(sent, 1);
	CHECK_EQ(low(), 0x41 | LEVEL | MASKED);
}

static void level_to_edge(void)
{
	reset();
	set_pin(0x41 | LEVEL, 0);
	ioapic_set_line(&chip, PIN, true);
	CHECK_EQ(low() & IRR, IRR);
	set_pin(0x41, 0);
	CHECK_EQ(low(), 0x41);
}

static void remote_irr_is_read_only(void)
{
	reset();
	set_pin(0x41 | LEVEL | MASKED | IRR, 0);
	CHECK_EQ(low(), 0x41 | LEVEL | MASKED);
}

static void eoi_register(void)
{
	reset();
	set_pin(0x41 | LEVEL, 0);
	ioapic_set_line(&chip, PIN, true);
	ioapic_set_line(&chip, PIN, false);
	write32(0x40, 0x41);
	CHECK_EQ(low(), 0x41 | LEVEL);
}

static void messages(void)
{
	reset();
	/* Logical destination, lowest priority */
	set_pin(0x51 | 1 << 8 | LOGICAL, 0xffu << 24);
	ioapic_set_line(&chip, PIN, true);
	CHECK_EQ(address, 0xfee00000 | 0xff << 12 | 1 << 2 | 1 << 3);
	CHECK_EQ(data, 0x51 | 1 << 8);
	/* NMI */
	reset();
	set_pin(4 << 8, 0);
	ioapic_set_line(&chip, PIN, true);
	CHECK_EQ(address, 0xfee00000);
	CHECK_EQ(data, 4 << 8);
}

static void routes(void)
{
	reset();
	set_pin(0x41 | LEVEL | MASKED, 0);
	CHECK_EQ(route_address, 0xfee00000);
	CHECK_EQ(route_data, 0x41 | 1 << 15 | 1 << 14);
	routed = 0;
	set_pin(0x41 | LEVEL, 0);
	CHECK_EQ(routed, 0);
	set_pin(0x43 | LEVEL, 0);
	CHECK_EQ(routed, 1);
	CHECK_EQ(route_data, 0x43 | 1 << 15 | 1 << 14);
	set_pin(0x43, 0);
	CHECK_EQ(routed, 2);
	CHECK_EQ(route_address, 0);
}

static void odd_accesses(void)
{
	uint64_t wide = 0x0123456789abcdef;
	unsigned int index;

	reset();
	for (index = 3; index < 0x10; index++)
		CHECK_EQ(read_index(index), 0);
	for (index = 0x40; index < 0x100; index++) {
		write_index(index, 0xffffffff);
		CHECK_EQ(read_index(index), 0);
	}
	write_index(1, 0);
	CHECK_EQ(read_index(1), 0x20 | 23 << 16);
	write32(0, 1);
	ioapic_access(&chip, 0x10, &wide, 8, false);
	CHECK_EQ(wide, 0x20 | 23 << 16);
	wide = ~0ull;
	ioapic_access(&chip, 0x20, &wide, 8, false);
	CHECK_EQ(wide, 0);
	write_index(0, 0xffffffff);
	CHECK_EQ(read_index(0), 0x0f000000);
}

static const struct ktap_test tests[] = {
	{ "after reset every pin is masked", after_reset },
	{ "an edge sends once", edge },
	{ "an edge while masked is lost", edge_while_masked },
	{ "a level sends again after the end of interrupt", level },
	{ "a level is kept while masked", level_unmasked },
	{ "changing to edge ends the service", level_to_edge },
	{ "Remote IRR cannot be written", remote_irr_is_read_only },
	{ "the EOI register ends the service", eoi_register },
	{ "destination and delivery modes", messages },
	{ "only level-triggered messages are routed", routes },
	{ "indices and widths that mean nothing", odd_accesses },
};

KTAP_MAIN(tests)
