// SPDX-License-Identifier: GPL-2.0-only
/*
 * Kernel images, sound and damaged: each has to be loaded where it says, or to
 * be refused with a reason. Ends with random damage, thousands of times.
 */
#include "ktap.h"
#include "../../userspace/vmm/error.h"
#include "../../userspace/vmm/layout.h"
#include "../../userspace/vmm/loader.h"

#include <asm/bootparam.h>
#include <elf.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MIB		(1u << 20)
#define MEMORY		(64 * MIB)
#define ROUNDS		3000

static struct memory mem;
static struct boot boot;
static char kernel_path[] = "/tmp/kernel.XXXXXX";
static char initrd_path[] = "/tmp/initrd.XXXXXX";

static void write_file(const char *path, const void *data, size_t len)
{
	FILE *f = fopen(path, "w");

	if (!f || fwrite(data, 1, len, f) != len || fclose(f)) {
		perror(path);
		exit(1);
	}
}

static int load(const void *kernel, size_t len, const char *initrd)
{
	failure_clear();
	write_file(kernel_path, kernel, len);
	boot = (struct boot){
		.mem = &mem, .cmdline = "console=ttyS0", .rsdp = GPA_ACPI,
	};
	return boot_load(&boot, kernel_path, initrd);
}

/* It was refused, as input, for a reason that says @why. */
static void refused(int ret, const char *why)
{
	CHECK(ret < 0);
	CHECK_EQ(failure_status(), STATUS_INPUT);
	if (!failure_text() || !strstr(failure_text(), why)) {
		printf("# said: %s\n", failure_text() ?: "nothing");
		printf("# not:  %s\n", why);
		ktap_failed = true;
	}
}

/* ---- a bzImage: five sectors of setup, then 64 KiB ---- */

#define SETUP	(5 * 512)
#define PAYLOAD	(64 << 10)

static struct {
	uint8_t bytes[SETUP + PAYLOAD];
} bz;

static struct setup_header *bz_header(void)
{
	return (struct setup_header *)(bz.bytes + 0x1f1);
}

static void make_bz(void)
{
	struct setup_header *h = bz_header();
	unsigned int i;

	memset(&bz, 0, sizeof(bz));
	for (i = 0; i < PAYLOAD; i++)
		bz.bytes[SETUP + i] = i * 7;
	h->setup_sects = 4;
	h->syssize = PAYLOAD / 16;
	h->boot_flag = 0xaa55;
	h->jump = 0x6aeb;
	h->header = 0x53726448;
	h->version = 0x20f;
	h->loadflags = 1;
	h->initrd_addr_max = 0x7fffffff;
	h->kernel_alignment = 0x200000;
	h->relocatable_kernel = 1;
	h->xloadflags = XLF_KERNEL_64;
	h->cmdline_size = 2047;
	h->pref_address = 0x1000000;
	h->init_size = 2 * MIB;
}

static int load_bz(void)
{
	return load(&bz, sizeof(bz), NULL);
}

static void bz_sound(void)
{
	struct boot_params *bp = memory_at(&mem, GPA_BOOT_PARAMS, 4096);
	char *cmdline = memory_at(&mem, GPA_CMDLINE, 64);
	static char initrd[5000] = "the first and the last";

	make_bz();
	write_file(initrd_path, initrd, sizeof(initrd));
	CHECK_EQ(load(&bz, sizeof(bz), initrd_path), 0);
	CHECK(boot.long_mode);
	CHECK_EQ(boot.entry, 0x1000200);
	CHECK_EQ(boot.info, GPA_BOOT_PARAMS);
	CHECK(!memcmp(memory_at(&mem, 0x1000000, PAYLOAD), bz.bytes + SETUP,
		      PAYLOAD));
	CHECK(!strcmp(cmdline, "console=ttyS0"));
	CHECK_EQ(bp->hdr.cmd_line_ptr, GPA_CMDLINE);
	CHECK_EQ(bp->hdr.type_of_loader, 0xff);
	CHECK_EQ(bp->hdr.ramdisk_size, sizeof(initrd));
	CHECK_EQ(bp->hdr.ramdisk_image, MEMORY - 8192);
	CHECK(!memcmp(memory_at(&mem, MEMORY - 8192, sizeof(initrd)), initrd,
		      sizeof(initrd)));
	CHECK_EQ(bp->acpi_rsdp_addr, GPA_ACPI);
	CHECK_EQ(bp->e820_entries, 4);
	CHECK_EQ(bp->e820_table[3].addr, 0x100000);
	CHECK_EQ(bp->e820_table[3].size, MEMORY - 0x100000);
}

static void bz_page_tables(void)
{
	uint64_t *t = memory_at(&mem, GPA_PAGE_TABLES, 6 * 4096);
	uint64_t gpa, pdpte, pde;

	make_bz();
	CHECK_EQ(load_bz(), 0);
	for (gpa = 0; gpa < 4ull << 30; gpa += 2 * MIB) {
		pdpte = t[((t[0] & ~0xfffull) - GPA_PAGE_TABLES) / 8 +
			  (gpa >> 30)];
		pde = t[((pdpte & ~0xfffull) - GPA_PAGE_TABLES) / 8 +
			(gpa >> 21 & 511)];
		if (pde != (gpa | 0x83)) {
			CHECK_EQ(pde, gpa | 0x83);
			break;
		}
	}
}

static void bz_places(void)
{
	make_bz();
	bz_header()->pref_address = 1ull << 40;
	CHECK_EQ(load_bz(), 0);
	CHECK_EQ(boot.entry, 0x200200);
	make_bz();
	bz_header()->relocatable_kernel = 0;
	CHECK_EQ(load_bz(), 0);
	CHECK_EQ(boot.entry, 0x1000200);
	bz_header()->pref_address = 1ull << 40;
	refused(load_bz(), "memory");
	bz_header()->pref_address = ~0ull - 4096;
	refused(load_bz(), "memory");
	bz_header()->pref_address = 0x8000;
	refused(load_bz(), "memory");
	make_bz();
	bz_header()->init_size = 0xffffffff;
	refused(load_bz(), "memory");
	make_bz();
	bz_header()->pref_address = ~0ull;
	bz_header()->kernel_alignment = 0x300000;
	refused(load_bz(), "alignment");
	bz_header()->kernel_alignment = 0;
	refused(load_bz(), "alignment");
	bz_header()->kernel_alignment = 0x80000000;
	refused(load_bz(), "memory");
}

static void bz_truncated(void)
{
	size_t len;

	make_bz();
	for (len = 0; len < sizeof(bz); len += len < 1024 ? 37 : 4001)
		refused(load(&bz, len, NULL), "truncated");
	refused(load(&bz, sizeof(bz) - 1, NULL), "truncated");
	bz_header()->syssize = 0xffffffff;
	refused(load_bz(), "truncated");
	make_bz();
	bz_header()->setup_sects = 255;
	refused(load_bz(), "truncated");
	make_bz();
	bz_header()->syssize = 0;
	refused(load_bz(), "empty");
}

static void bz_unfit(void)
{
	make_bz();
	bz_header()->version = 0x204;
	refused(load_bz(), "protocol 2.04");
	make_bz();
	bz_header()->xloadflags = 0;
	refused(load_bz(), "64-bit");
	make_bz();
	bz_header()->header = 0;
	refused(load_bz(), "neither");
	make_bz();
	bz_header()->cmdline_size = 5;
	refused(load_bz(), "command line");
}

static void initrd_room(void)
{
	static char initrd[4096];

	make_bz();
	write_file(initrd_path, initrd, sizeof(initrd));
	/* It may not lie higher than the kernel can reach, nor over it. */
	bz_header()->initrd_addr_max = 40 * MIB - 1;
	CHECK_EQ(load(&bz, sizeof(bz), initrd_path), 0);
	CHECK_EQ(boot.initrd_addr, 40 * MIB - 4096);
	bz_header()->initrd_addr_max = 18 * MIB + 4095;
	CHECK_EQ(load(&bz, sizeof(bz), initrd_path), 0);
	CHECK_EQ(boot.initrd_addr, 18 * MIB);
	bz_header()->initrd_addr_max = 18 * MIB + 4094;
	refused(load(&bz, sizeof(bz), initrd_path), "initrd");
	bz_header()->initrd_addr_max = 0;
	refused(load(&bz, sizeof(bz), initrd_path), "initrd");
	bz_header()->initrd_addr_max = 0xffffffff;
	CHECK(!truncate(initrd_path, MEMORY));
	refused(load(&bz, sizeof(bz), initrd_path), "--memory");
	CHECK(!truncate(initrd_path, 1ll << 40));
	refused(load(&bz, sizeof(bz), initrd_path), "--memory");
	refused(load(&bz, sizeof(bz), "/nonexistent"), "/nonexistent");
	refused(load(&bz, sizeof(bz), "/tmp"), "directory");
	CHECK(!truncate(initrd_path, 0));
	CHECK_EQ(load(&bz, sizeof(bz), initrd_path), 0);
}

/* ---- an ELF kernel: two segments and a note ---- */

static struct elf {
	Elf64_Ehdr eh;
	Elf64_Phdr ph[3];
	struct {
		Elf64_Nhdr head;
		char name[4];
		uint32_t entry, high;
	} note[2];
	char text[8192];
} elf;

static void make_elf(void)
{
	memset(&elf, 0, sizeof(elf));
	memcpy(elf.eh.e_ident, ELFMAG, 4);
	elf.eh.e_ident[EI_CLASS] = ELFCLASS64;
	elf.eh.e_ident[EI_DATA] = ELFDATA2LSB;
	elf.eh.e_ident[EI_VERSION] = EV_CURRENT;
	elf.eh.e_type = ET_EXEC;
	elf.eh.e_machine = EM_X86_64;
	elf.eh.e_version = EV_CURRENT;
	elf.eh.e_phoff = offsetof(struct elf, ph);
	elf.eh.e_ehsize = sizeof(Elf64_Ehdr);
	elf.eh.e_phentsize = sizeof(Elf64_Phdr);
	elf.eh.e_phnum = 3;
	elf.ph[0] = (Elf64_Phdr){
		.p_type = PT_LOAD, .p_paddr = 16 * MIB,
		.p_vaddr = 0xffffffff81000000,
		.p_offset = offsetof(struct elf, text),
		.p_filesz = sizeof(elf.text), .p_memsz = 3 * MIB,
	};
	elf.ph[1] = (Elf64_Phdr){
		.p_type = PT_LOAD, .p_paddr = 20 * MIB,
		.p_offset = offsetof(struct elf, text) + 16,
		.p_filesz = 32, .p_memsz = 32,
	};
	elf.ph[2] = (Elf64_Phdr){
		.p_type = PT_NOTE, .p_offset = offsetof(struct elf, note),
		.p_filesz = sizeof(elf.note), .p_memsz = sizeof(elf.note),
		.p_align = 4,
	};
	for (unsigned int i = 0; i < 2; i++) {
		elf.note[i].head.n_namesz = 4;
		elf.note[i].head.n_descsz = 8;
		elf.note[i].head.n_type = i ? 18 : 1;
		strcpy(elf.note[i].name, "Xen");
		elf.note[i].entry = 16 * MIB + 0x40;
	}
	memset(elf.text, 0x90, sizeof(elf.text));
}

static int load_elf(void)
{
	return load(&elf, sizeof(elf), NULL);
}

static void elf_sound(void)
{
	struct {
		uint32_t magic, version, flags, nr_modules;
		uint64_t modlist, cmdline, rsdp, memmap;
		uint32_t memmap_entries, reserved;
	} info;
	uint64_t module[2], map[3];
	static char initrd[100] = "ramdisk";

	make_elf();
	write_file(initrd_path, initrd, sizeof(initrd));
	CHECK_EQ(load(&elf, sizeof(elf), initrd_path), 0);
	CHECK(!boot.long_mode);
	CHECK_EQ(boot.entry, 16 * MIB + 0x40);
	CHECK(!memcmp(memory_at(&mem, 16 * MIB, 8192), elf.text, 8192));
	CHECK(!memcmp(memory_at(&mem, 20 * MIB, 32), elf.text + 16, 32));
	memcpy(&info, memory_at(&mem, boot.info, sizeof(info)), sizeof(info));
	CHECK_EQ(info.magic, 0x336ec578);
	CHECK_EQ(info.version, 1);
	CHECK_EQ(info.nr_modules, 1);
	CHECK_EQ(info.rsdp, GPA_ACPI);
	CHECK_EQ(info.cmdline, GPA_CMDLINE);
	CHECK_EQ(info.memmap_entries, 4);
	memcpy(module, memory_at(&mem, info.modlist, 16), 16);
	CHECK_EQ(module[1], sizeof(initrd));
	CHECK(!strcmp(memory_at(&mem, module[0], 8), "ramdisk"));
	memcpy(map, memory_at(&mem, info.memmap + 3 * 24, 24), 24);
	CHECK_EQ(map[0], 0x100000);
	CHECK_EQ(map[1], MEMORY - 0x100000);
	CHECK_EQ(map[2], 1);
}

static void elf_wild_segments(void)
{
	static const uint64_t wild[] = {
		0, 0x8000, 0xfffff, MEMORY - 1, MEMORY, 0xc0000000, 1ull << 32,
		1ull << 63, ~0ull, ~0ull - 8191, -(uint64_t)3 * MIB,
	};

	for (unsigned int i = 0; i < sizeof(wild) / sizeof(wild[0]); i++) {
		make_elf();
		elf.ph[0].p_paddr = wild[i];
		refused(load_elf(), "outside");
		make_elf();
		elf.ph[0].p_offset = wild[i] | 1 << 20;
		refused(load_elf(), "truncated");
		make_elf();
		elf.ph[0].p_memsz = wild[i] | MEMORY;
		refused(load_elf(), "outside");
		make_elf();
		elf.ph[0].p_filesz = wild[i] | MEMORY;
		refused(load_elf(), "damaged");
	}
}

static void elf_wild_headers(void)
{
	make_elf();
	elf.eh.e_phoff = ~0ull - 8;
	refused(load_elf(), "damaged");
	make_elf();
	elf.eh.e_phnum = 0xffff;
	refused(load_elf(), "damaged");
	make_elf();
	elf.eh.e_phnum = 0;
	refused(load_elf(), "damaged");
	make_elf();
	elf.eh.e_phnum = 129;
	refused(load_elf(), "too many");
	make_elf();
	elf.eh.e_machine = EM_AARCH64;
	refused(load_elf(), "x86");
	make_elf();
	elf.eh.e_type = ET_REL;
	refused(load_elf(), "no program");
	make_elf();
	elf.eh.e_ident[EI_CLASS] = 77;
	CHECK(load_elf() < 0);
	for (size_t len = 0; len < sizeof(elf); len += 61)
		CHECK(load(&elf, len, NULL) < 0);
}

static void elf_wild_notes(void)
{
	make_elf();
	elf.note[1].head.n_type = 17;
	refused(load_elf(), "PVH");
	make_elf();
	elf.note[0].head.n_namesz = ~0u;
	refused(load_elf(), "PVH");
	make_elf();
	elf.note[1].head.n_descsz = ~0u - 3;
	refused(load_elf(), "PVH");
	make_elf();
	elf.note[1].head.n_descsz = 0;
	refused(load_elf(), "PVH");
	make_elf();
	elf.ph[2].p_offset = ~0ull - 64;
	refused(load_elf(), "PVH");
	make_elf();
	elf.ph[2].p_filesz = ~0ull;
	refused(load_elf(), "PVH");
	make_elf();
	elf.note[1].entry = 0x7c00;
	refused(load_elf(), "entry point");
	make_elf();
	elf.note[1].entry = ~0u;
	refused(load_elf(), "entry point");
}

/* ---- random damage ---- */

static void damage(const void *image, size_t head, size_t len)
{
	uint8_t *copy = malloc(len);
	unsigned int round, loaded = 0;

	if (!copy)
		exit(1);
	for (round = 0; round < ROUNDS; round++) {
		unsigned int n = 1 + random() % 4;

		memcpy(copy, image, len);
		while (n--) {
			size_t at = random() % head;

			copy[at] = random() & 1 ? random() : -(random() & 1);
		}
		if (!load(copy, random() % 8 ? len : random() % len, NULL))
			loaded++;
		else if (failure_status() != STATUS_INPUT || !failure_text())
			CHECK(!"refused without a reason");
	}
	free(copy);
	/* Some damage does no harm; if all did, this would test nothing. */
	CHECK(loaded > 0 && loaded < ROUNDS);
}

static void random_damage(void)
{
	srandom(1);
	make_bz();
	damage(bz.bytes + 0, 0x270, sizeof(bz));
	make_elf();
	damage(&elf, offsetof(struct elf, text), sizeof(elf));
}

static const struct ktap_test tests[] = {
	{ "a bzImage is loaded", bz_sound },
	{ "the first 4 GiB are mapped", bz_page_tables },
	{ "where a bzImage may lie", bz_places },
	{ "truncated bzImages", bz_truncated },
	{ "bzImages that cannot be started", bz_unfit },
	{ "where an initial RAM disk may lie", initrd_room },
	{ "an ELF kernel is loaded", elf_sound },
	{ "ELF segments at wild addresses", elf_wild_segments },
	{ "wild ELF headers", elf_wild_headers },
	{ "wild ELF notes", elf_wild_notes },
	{ "random damage", random_damage },
};

int main(void)
{
	int status;

	setvbuf(stdout, NULL, _IOLBF, 0);
	close(mkstemp(kernel_path));
	close(mkstemp(initrd_path));
	if (memory_create(&mem, MEMORY))
		return 1;
	status = ktap_run(tests, sizeof(tests) / sizeof(tests[0]));
	unlink(kernel_path);
	unlink(initrd_path);
	memory_destroy(&mem);
	return status;
}
