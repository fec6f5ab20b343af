// SPDX-License-Identifier: GPL-2.0-only
/*
 * Starting an ELF kernel by the PVH boot protocol: the file carries a note of
 * Xen's with the address of a 32-bit entry point, which is called in flat
 * protected mode with EBX pointing to the start info. Xen's public header
 * arch-x86/hvm/start_info.h describes the structures.
 *
 * libelf reads the headers, which it bounds-checks and converts; the segments
 * go from the file into guest memory directly.
 */
#include "error.h"
#include "layout.h"
#include "loader.h"

#include <gelf.h>
#include <libelf.h>
#include <string.h>

#define NOTE_PHYS32_ENTRY	18
#define START_MAGIC		0x336ec578
#define PHDRS_MAX		128
#define NOTES_MAX		(1u << 20)

struct pvh_start_info {
	uint32_t magic;
	uint32_t version;
	uint32_t flags;
	uint32_t nr_modules;
	uint64_t modlist_paddr;
	uint64_t cmdline_paddr;
	uint64_t rsdp_paddr;
	uint64_t memmap_paddr;
	uint32_t memmap_entries;
	uint32_t reserved;
};

struct pvh_modlist_entry {
	uint64_t paddr;
	uint64_t size;
	uint64_t cmdline_paddr;
	uint64_t reserved;
};

struct pvh_memmap_entry {
	uint64_t addr;
	uint64_t size;
	uint32_t type;
	uint32_t reserved;
};

/* All of it, in the page that layout.h gives */
struct pvh_page {
	struct pvh_start_info info;
	struct pvh_modlist_entry initrd;
	struct pvh_memmap_entry map[MEM_MAP_MAX];
};

_Static_assert(sizeof(struct pvh_start_info) == 56, "Xen's layout");
_Static_assert(sizeof(struct pvh_page) <= 4096, "one page");

static int bad_elf(const struct boot *boot, const char *why)
{
	return fail_input("kernel '%s' is a damaged ELF file: %s",
			  boot->kernel.path, why);
}

/* One PT_LOAD segment; *end: raised to where it ends */
static int load_segment(struct boot *boot, const GElf_Phdr *ph, uint64_t *end)
{
	char *to;

	if (!ph->p_memsz)
		return 0;
	if (ph->p_filesz > ph->p_memsz)
		return bad_elf(boot, "a segment is larger in the file than in memory");
	to = memory_at(boot->mem, ph->p_paddr, ph->p_memsz);
	if (!to || ph->p_paddr < GPA_KERNEL_MIN ||
	    ph->p_paddr >= boot->mem->low)
		return fail_input("kernel '%s' has a segment of 0x%llx bytes at 0x%llx, outside the guest's %llu MiB of memory",
				  boot->kernel.path,
				  (unsigned long long)ph->p_memsz,
				  (unsigned long long)ph->p_paddr,
				  (unsigned long long)(boot->mem->size >> 20));
	if (ph->p_paddr + ph->p_memsz > *end)
		*end = ph->p_paddr + ph->p_memsz;
	return file_read(&boot->kernel, ph->p_offset, to, ph->p_filesz);
}

/* Look for the entry point among a PT_NOTE segment's notes */
static void find_entry(struct boot *boot, Elf *elf, const GElf_Phdr *ph)
{
	Elf_Data *data;
	GElf_Nhdr note;
	size_t pos = 0, next, name, desc;
	Elf_Type type = ph->p_align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR;

	if (ph->p_filesz > NOTES_MAX)
		return;
	data = elf_getdata_rawchunk(elf, ph->p_offset, ph->p_filesz, type);
	if (!data)
		return;
	while ((next = gelf_getnote(data, pos, &note, &name, &desc)) > pos) {
		const char *buf = data->d_buf;
		uint32_t entry;

		if (note.n_type == NOTE_PHYS32_ENTRY && note.n_namesz == 4 &&
		    !memcmp(buf + name, "Xen", 4) &&
		    note.n_descsz >= sizeof(entry)) {
			memcpy(&entry, buf + desc, sizeof(entry));
			boot->entry = entry;
		}
		pos = next;
	}
}

static int load_segments(struct boot *boot, Elf *elf, uint64_t *end)
{
	size_t n, i;
	GElf_Ehdr eh;
	GElf_Phdr ph;

	if (!gelf_getehdr(elf, &eh))
		return bad_elf(boot, "its header cannot be read");
	if (eh.e_machine != EM_X86_64 && eh.e_machine != EM_386)
		return fail_input("kernel '%s' is not for x86", boot->kernel.path);
	if (eh.e_type != ET_EXEC && eh.e_type != ET_DYN)
		return fail_input("kernel '%s' is an ELF file, but no program: give a linked vmlinux",
				  boot->kernel.path);
	if (elf_getphdrnum(elf, &n) || !n || n > PHDRS_MAX)
		return bad_elf(boot, "it has no program headers, or too many");
	for (i = 0; i < n; i++) {
		if (!gelf_getphdr(elf, i, &ph))
			return bad_elf(boot, "a program header cannot be read");
		if (ph.p_type == PT_LOAD && load_segment(boot, &ph, end))
			return -1;
		if (ph.p_type == PT_NOTE)
			find_entry(boot, elf, &ph);
	}
	if (!boot->entry)
		return fail_input("kernel '%s' has no PVH entry point; give a bzImage, or a vmlinux built with CONFIG_PVH=y",
				  boot->kernel.path);
	if (boot->entry < GPA_KERNEL_MIN || boot->entry >= *end)
		return bad_elf(boot, "its entry point lies outside its segments");
	return 0;
}

static void make_start_info(struct boot *boot)
{
	const struct memory *mem = boot->mem;
	struct pvh_page *page = memory_at(mem, GPA_PVH_INFO, sizeof(*page));
	unsigned int i;

	memset(page, 0, sizeof(*page));
	page->info.magic = START_MAGIC;
	page->info.version = 1;
	page->info.cmdline_paddr = GPA_CMDLINE;
	page->info.rsdp_paddr = boot->rsdp;
	page->info.memmap_paddr = GPA_PVH_INFO + offsetof(struct pvh_page, map);
	page->info.memmap_entries = mem->nmap;
	if (boot->initrd_addr) {
		page->info.nr_modules = 1;
		page->info.modlist_paddr = GPA_PVH_INFO +
					   offsetof(struct pvh_page, initrd);
		page->initrd.paddr = boot->initrd_addr;
		page->initrd.size = boot->initrd.size;
	}
	for (i = 0; i < mem->nmap; i++) {
		page->map[i].addr = mem->map[i].addr;
		page->map[i].size = mem->map[i].size;
		page->map[i].type = mem->map[i].type;
	}
}

int boot_pvh_load(struct boot *boot)
{
	uint64_t end = GPA_KERNEL_MIN;
	int ret = -1;
	Elf *elf;

	boot->entry = 0;
	if (elf_version(EV_CURRENT) == EV_NONE)
		return fail_host(0, "libelf does not know this ELF version");
	elf = elf_begin(boot->kernel.fd, ELF_C_READ, NULL);
	if (elf && elf_kind(elf) == ELF_K_ELF)
		ret = load_segments(boot, elf, &end);
	else
		bad_elf(boot, elf_errmsg(-1));
	elf_end(elf);
	if (ret || initrd_load(boot, end, GPA_HOLE) ||
	    cmdline_load(boot, CMDLINE_MAX))
		return -1;
	make_start_info(boot);
	boot->long_mode = false;
	boot->info = GPA_PVH_INFO;
	return 0;
}
