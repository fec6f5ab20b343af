// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ACPI tables: checksums, pointers, one MADT entry per vCPU, and iasl's
 * opinion of each table.
 */
#include "ktap.h"
#include "../../userspace/vmm/acpi.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define GPA	0xe0000u
#define ROOM	0x20000u

static uint8_t image[ROOM];

static uint32_t get32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static uint64_t get64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static uint8_t sum(const uint8_t *p, size_t n)
{
	uint8_t s = 0;

	while (n--)
		s += *p++;
	return s;
}

/* The table at @gpa, of at least @min bytes, all inside the image */
static const uint8_t *table(uint64_t gpa, const char *signature, size_t min)
{
	const uint8_t *t;

	if (gpa < GPA || gpa > GPA + ROOM - 36) {
		printf("# %s is at 0x%llx\n", signature,
		       (unsigned long long)gpa);
		ktap_failed = true;
		return NULL;
	}
	t = image + (gpa - GPA);
	CHECK(!memcmp(t, signature, 4));
	CHECK(get32(t + 4) >= min);
	CHECK(get32(t + 4) <= ROOM - (gpa - GPA));
	if (ktap_failed)
		return NULL;
	if (memcmp(signature, "FACS", 4))
		CHECK_EQ(sum(t, get32(t + 4)), 0);
	return t;
}

static long build(unsigned int cpus)
{
	memset(image, 0, sizeof(image));
	return acpi_build(image, sizeof(image), GPA, cpus);
}

static const uint8_t *xsdt_entry(unsigned int n, const char *signature,
				 size_t min)
{
	const uint8_t *xsdt = table(get64(image + 24), "XSDT", 36 + 16);

	return xsdt ? table(get64(xsdt + 36 + 8 * n), signature, min) : NULL;
}

static void root(void)
{
	CHECK(build(1) > 0);
	CHECK(!memcmp(image, "RSD PTR ", 8));
	CHECK_EQ(sum(image, 20), 0);
	CHECK_EQ(sum(image, 36), 0);
	CHECK_EQ(get32(image + 20), 36);
	table(get64(image + 24), "XSDT", 36 + 16);
}

static void fadt(void)
{
	const uint8_t *t;

	build(1);
	t = xsdt_entry(0, "FACP", 276);
	if (!t)
		return;
	table(get32(t + 40), "DSDT", 100);
	CHECK_EQ(get64(t + 140), get32(t + 40));
	/* One pointer to the FACS, a multiple of 64 */
	table(get32(t + 36), "FACS", 64);
	CHECK_EQ(get32(t + 36) % 64, 0);
	CHECK_EQ(get64(t + 132), 0);
	CHECK_EQ(t[46], 9);
	CHECK_EQ(get32(t + 56), 0x600);
	CHECK_EQ(get32(t + 64), 0x604);
	CHECK_EQ(get32(t + 76), 0x608);
	/* The reset register is said to be there and to be port 0xcf9. */
	CHECK(get32(t + 112) & 1 << 10);
	CHECK_EQ(t[116], 1);
	CHECK_EQ(get64(t + 120), 0xcf9);
	CHECK_EQ(t[128], 6);
}

static void madt(void)
{
	static const unsigned int counts[] = { 1, 2, 4, 64, 255 };

	for (unsigned int i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		unsigned int cpus = 0, ioapics = 0, at;
		const uint8_t *t;

		CHECK(build(counts[i]) > 0);
		t = xsdt_entry(1, "APIC", 44);
		if (!t)
			return;
		CHECK_EQ(get32(t + 36), 0xfee00000);
		for (at = 44; at < get32(t + 4); at += t[at + 1]) {
			CHECK(t[at + 1] >= 2);
			if (t[at] == 0) {
				CHECK_EQ(t[at + 3], cpus);
				CHECK_EQ(get32(t + at + 4), 1);
				cpus++;
			} else if (t[at] == 1) {
				CHECK_EQ(get32(t + at + 4), 0xfec00000);
				ioapics++;
			}
			if (ktap_failed)
				return;
		}
		CHECK_EQ(at, get32(t + 4));
		CHECK_EQ(cpus, counts[i]);
		CHECK_EQ(ioapics, 1);
	}
}

static void too_little_room(void)
{
	long used = build(255);
	uint8_t *small;

	CHECK(used > 0);
	/* On the heap, where a sanitizer sees a byte too many */
	for (long room = 0; room <= used; room += 7) {
		small = calloc(1, room);
		CHECK_EQ(acpi_build(small, room, GPA, 255), (long)-ENOSPC);
		free(small);
	}
	small = calloc(1, used);
	CHECK_EQ(acpi_build(small, used, GPA, 255), used);
	free(small);
}

static void write_table(const char *dir, const char *name, const uint8_t *t)
{
	char path[128];
	FILE *f;

	if (!t)
		return;
	snprintf(path, sizeof(path), "%s/%s.dat", dir, name);
	f = fopen(path, "w");
	CHECK(f && fwrite(t, get32(t + 4), 1, f) == 1);
	if (f)
		fclose(f);
}

/* iasl takes each apart, finds no fault, and the DSDT compiles again. */
static void disassemble(void)
{
	char dir[] = "/tmp/acpi.XXXXXX", command[512];
	const uint8_t *f;
	int status;

	if (system("command -v iasl >/dev/null 2>&1")) {
		SKIP("iasl is not installed (acpica-tools)");
		return;
	}
	CHECK(mkdtemp(dir) != NULL);
	build(4);
	f = xsdt_entry(0, "FACP", 276);
	write_table(dir, "facp", f);
	write_table(dir, "dsdt", f ? table(get32(f + 40), "DSDT", 36) : NULL);
	write_table(dir, "apic", xsdt_entry(1, "APIC", 44));
	write_table(dir, "xsdt", table(get64(image + 24), "XSDT", 52));
	snprintf(command, sizeof(command),
		 "cd %s && for t in facp dsdt apic xsdt; do iasl -d $t.dat || exit 1; done >log 2>&1 && "
		 "iasl -we dsdt.dsl >>log 2>&1 && ! grep -iE 'invalid|incorrect|error [0-9]|warning [0-9]|unknown' log",
		 dir);
	status = system(command);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	if (ktap_failed) {
		snprintf(command, sizeof(command), "sed 's/^/# /' %s/log", dir);
		(void)!system(command);
	}
	snprintf(command, sizeof(command), "rm -r %s", dir);
	(void)!system(command);
}

static const struct ktap_test tests[] = {
	{ "the RSDP leads to the XSDT", root },
	{ "the FADT describes the fixed hardware", fadt },
	{ "the MADT has each vCPU", madt },
	{ "too little room is refused", too_little_room },
	{ "iasl finds no fault", disassemble },
};

KTAP_MAIN(tests)
