// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ACPI tables, by the ACPI specification 6.4: RSDP, XSDT, FADT, FACS,
 * MADT, and the DSDT that iasl made of dsdt.asl. The fixed hardware they
 * describe is in pm.c, the interrupt controller in ioapic.c.
 *
 * There is no i8259, i8254 or HPET, and no keyboard controller or VGA: the
 * guest is told so, and keeps time by its local APIC and the paravirtual
 * clock. An APIC ID never exceeds 254, so no x2APIC entry is needed.
 */
#include "acpi.h"
#include "layout.h"

#include "dsdt.hex"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define PACKED __attribute__((packed))

struct acpi_header {
	char signature[4];
	uint32_t length;
	uint8_t revision;
	uint8_t checksum;
	char oem_id[6];
	char oem_table_id[8];
	uint32_t oem_revision;
	char creator_id[4];
	uint32_t creator_revision;
} PACKED;

struct acpi_rsdp {
	char signature[8];
	uint8_t checksum;
	char oem_id[6];
	uint8_t revision;
	uint32_t rsdt;
	uint32_t length;
	uint64_t xsdt;
	uint8_t extended_checksum;
	uint8_t reserved[3];
} PACKED;

struct acpi_address {
	uint8_t space;
	uint8_t bits;
	uint8_t offset;
	uint8_t access;
	uint64_t address;
} PACKED;

struct acpi_fadt {
	struct acpi_header header;
	uint32_t facs;
	uint32_t dsdt;
	uint8_t reserved0;
	uint8_t profile;
	uint16_t sci;
	uint8_t smi[8];
	uint32_t pm1a_evt;
	uint32_t pm1b_evt;
	uint32_t pm1a_cnt;
	uint32_t pm1b_cnt;
	uint32_t pm2_cnt;
	uint32_t pm_tmr;
	uint32_t gpe[2];
	uint8_t pm1_evt_len;
	uint8_t pm1_cnt_len;
	uint8_t pm2_cnt_len;
	uint8_t pm_tmr_len;
	uint8_t gpe_len[4];
	uint16_t c2_latency;
	uint16_t c3_latency;
	uint16_t flush[2];
	uint8_t duty[2];
	uint8_t day_alarm;
	uint8_t month_alarm;
	uint8_t century;
	uint16_t boot_flags;
	uint8_t reserved1;
	uint32_t flags;
	struct acpi_address reset;
	uint8_t reset_value;
	uint16_t arm_flags;
	uint8_t minor_revision;
	uint64_t x_facs;
	uint64_t x_dsdt;
	struct acpi_address x_pm1a_evt;
	struct acpi_address x_pm1b_evt;
	struct acpi_address x_pm1a_cnt;
	struct acpi_address x_pm1b_cnt;
	struct acpi_address x_pm2_cnt;
	struct acpi_address x_pm_tmr;
	struct acpi_address x_gpe[2];
	struct acpi_address sleep[2];
	uint64_t hypervisor;
} PACKED;

_Static_assert(sizeof(struct acpi_header) == 36, "ACPI 5.2.6");
_Static_assert(sizeof(struct acpi_rsdp) == 36, "ACPI 5.2.5.3");
_Static_assert(sizeof(struct acpi_fadt) == 276, "ACPI 5.2.9");

/* FADT flags, and those of the boot architecture */
#define FADT_WBINVD		(1u << 0)
#define FADT_PROC_C1		(1u << 2)
#define FADT_SLEEP_BUTTON_AML	(1u << 5)	/* that is: no fixed one */
#define FADT_RTC_WAKE_AML	(1u << 6)	/* the same */
#define FADT_TIMER_32		(1u << 8)
#define FADT_RESET_REG		(1u << 10)
#define BOOT_LEGACY_DEVICES	(1u << 0)
#define BOOT_NO_VGA		(1u << 2)
#define BOOT_NO_ASPM		(1u << 4)

#define SPACE_IO	1
#define C2_C3_ABSENT	0xfff
#define CMOS_CENTURY	0x32
#define RESET_VALUE	0x06

struct acpi_facs {
	char signature[4];
	uint32_t length;
	uint8_t rest[56];
} PACKED;

struct madt_lapic {
	uint8_t type, length, uid, apic_id;
	uint32_t flags;
} PACKED;

struct madt_ioapic {
	uint8_t type, length, id, reserved;
	uint32_t address;
	uint32_t gsi_base;
} PACKED;

struct madt_override {
	uint8_t type, length, bus, source;
	uint32_t gsi;
	uint16_t flags;
} PACKED;

struct madt_nmi {
	uint8_t type, length, uid;
	uint16_t flags;
	uint8_t lint;
} PACKED;

#define MADT_ENABLED		1
#define MADT_LEVEL_HIGH		0x0d
#define MADT_ALL_CPUS		0xff

/* Tables being written one behind the other */
struct writer {
	uint8_t *base;
	size_t room;
	size_t used;
	uint64_t gpa;
	bool full;
	struct acpi_header *open;
};

/* Room for the next @len bytes; NULL once it is used up */
static void *take(struct writer *w, size_t len, size_t align)
{
	size_t at = (w->used + align - 1) & ~(align - 1);

	if (w->full || at > w->room || len > w->room - at) {
		w->full = true;
		return NULL;
	}
	w->used = at + len;
	return w->base + at;
}

static void put(struct writer *w, const void *data, size_t len)
{
	void *to = take(w, len, 1);

	if (to)
		memcpy(to, data, len);
}

static uint64_t gpa_of(const struct writer *w, const void *p)
{
	return w->gpa + ((const uint8_t *)p - w->base);
}

static uint8_t checksum(const void *data, size_t len)
{
	const uint8_t *p = data;
	uint8_t sum = 0;

	while (len--)
		sum += *p++;
	return -sum;
}

static void table_begin(struct writer *w, const char *signature, uint8_t rev)
{
	struct acpi_header *h = take(w, sizeof(*h), 64);

	w->open = h;
	if (!h)
		return;
	memcpy(h->signature, signature, 4);
	h->revision = rev;
	memcpy(h->oem_id, "HVM   ", 6);
	memcpy(h->oem_table_id, "HVM     ", 8);
	h->oem_revision = 1;
	memcpy(h->creator_id, "HVM ", 4);
	h->creator_revision = 1;
}

/* Return: the finished table's address */
static uint64_t table_end(struct writer *w)
{
	struct acpi_header *h = w->open;

	if (w->full)
		return 0;
	h->length = w->base + w->used - (uint8_t *)h;
	h->checksum = checksum(h, h->length);
	return gpa_of(w, h);
}

/* iasl has filled in all of the header, checksum included. */
static uint64_t write_dsdt(struct writer *w)
{
	uint8_t *to = take(w, sizeof(dsdt_aml_code), 64);

	if (!to)
		return 0;
	memcpy(to, dsdt_aml_code, sizeof(dsdt_aml_code));
	return gpa_of(w, to);
}

static uint64_t write_facs(struct writer *w)
{
	struct acpi_facs *facs = take(w, sizeof(*facs), 64);

	if (!facs)
		return 0;
	memcpy(facs->signature, "FACS", 4);
	facs->length = sizeof(*facs);
	return gpa_of(w, facs);
}

static struct acpi_address io_address(uint16_t port, uint8_t bits,
				      uint8_t access)
{
	return (struct acpi_address){
		.space = SPACE_IO,
		.bits = bits,
		.access = access,
		.address = port,
	};
}

static uint64_t write_fadt(struct writer *w, uint64_t dsdt, uint64_t facs)
{
	/* The FACS may be named by one of its two pointers only. */
	struct acpi_fadt f = {
		.facs = facs,
		.dsdt = dsdt,
		.sci = IRQ_SCI,
		.pm1a_evt = PORT_PM1_EVT,
		.pm1a_cnt = PORT_PM1_CNT,
		.pm_tmr = PORT_PM_TMR,
		.pm1_evt_len = 4,
		.pm1_cnt_len = 2,
		.pm_tmr_len = 4,
		.c2_latency = C2_C3_ABSENT,
		.c3_latency = C2_C3_ABSENT,
		.century = CMOS_CENTURY,
		.boot_flags = BOOT_LEGACY_DEVICES | BOOT_NO_VGA | BOOT_NO_ASPM,
		.flags = FADT_WBINVD | FADT_PROC_C1 | FADT_SLEEP_BUTTON_AML |
			 FADT_RTC_WAKE_AML | FADT_TIMER_32 | FADT_RESET_REG,
		.reset = io_address(PORT_RESET, 8, 1),
		.reset_value = RESET_VALUE,
		.minor_revision = 4,
		.x_dsdt = dsdt,
		.x_pm1a_evt = io_address(PORT_PM1_EVT, 32, 2),
		.x_pm1a_cnt = io_address(PORT_PM1_CNT, 16, 2),
		.x_pm_tmr = io_address(PORT_PM_TMR, 32, 3),
	};

	table_begin(w, "FACP", 6);
	put(w, &f.header + 1, sizeof(f) - sizeof(f.header));
	return table_end(w);
}

static uint64_t write_madt(struct writer *w, unsigned int cpus)
{
	const uint32_t head[2] = { GPA_LAPIC, 0 };
	const struct madt_ioapic ioapic = {
		.type = 1, .length = sizeof(ioapic), .address = GPA_IOAPIC,
	};
	const struct madt_override sci = {
		.type = 2, .length = sizeof(sci),
		.source = IRQ_SCI, .gsi = IRQ_SCI, .flags = MADT_LEVEL_HIGH,
	};
	const struct madt_nmi nmi = {
		.type = 4, .length = sizeof(nmi),
		.uid = MADT_ALL_CPUS, .lint = 1,
	};
	unsigned int i;

	table_begin(w, "APIC", 5);
	put(w, head, sizeof(head));
	for (i = 0; i < cpus; i++) {
		const struct madt_lapic cpu = {
			.type = 0, .length = sizeof(cpu),
			.uid = i, .apic_id = i, .flags = MADT_ENABLED,
		};

		put(w, &cpu, sizeof(cpu));
	}
	put(w, &ioapic, sizeof(ioapic));
	put(w, &sci, sizeof(sci));
	put(w, &nmi, sizeof(nmi));
	return table_end(w);
}

static uint64_t write_xsdt(struct writer *w, uint64_t fadt, uint64_t madt)
{
	const uint64_t entries[] = { fadt, madt };

	table_begin(w, "XSDT", 1);
	put(w, entries, sizeof(entries));
	return table_end(w);
}

long acpi_build(void *to, size_t room, uint64_t gpa, unsigned int cpus)
{
	struct writer w = { .base = to, .room = room, .gpa = gpa };
	struct acpi_rsdp *rsdp = take(&w, sizeof(*rsdp), 64);
	uint64_t fadt, madt, xsdt;

	fadt = write_dsdt(&w);
	fadt = write_fadt(&w, fadt, write_facs(&w));
	madt = write_madt(&w, cpus);
	xsdt = write_xsdt(&w, fadt, madt);
	if (w.full)
		return -ENOSPC;

	memcpy(rsdp->signature, "RSD PTR ", 8);
	memcpy(rsdp->oem_id, "HVM   ", 6);
	rsdp->revision = 2;
	rsdp->length = sizeof(*rsdp);
	rsdp->xsdt = xsdt;
	/* The first checksum covers what ACPI 1.0 knew, 20 bytes. */
	rsdp->checksum = checksum(rsdp, 20);
	rsdp->extended_checksum = checksum(rsdp, sizeof(*rsdp));
	return w.used;
}
