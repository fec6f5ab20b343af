// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a run cost, as one JSON object; hvm(1) describes its members.
 *
 * The exits to userspace are counted by the vCPU threads. What the kernel
 * counts comes from the VM's and the vCPUs' statistics descriptors, which
 * describe themselves: a header, an array of descriptors with names, the
 * values. The vCPUs' values are added up.
 */
#include "stats.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define STATS_MAX	1024	/* descriptors */
#define NAME_MAX_LEN	256

/* Private pages of all mappings that do not belong to the guest's RAM */
unsigned long long stats_private_bytes(const struct memory *mem)
{
	unsigned long long total = 0, kib, start, end;
	const unsigned long long ram = (uintptr_t)mem->host;
	bool ours = false;
	char line[512];
	FILE *f;

	f = fopen("/proc/self/smaps", "re");
	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%llx-%llx ", &start, &end) == 2)
			ours = !mem->host || start < ram ||
			       start >= ram + mem->size;
		else if (ours &&
			 (sscanf(line, "Private_Clean: %llu", &kib) == 1 ||
			  sscanf(line, "Private_Dirty: %llu", &kib) == 1))
			total += kib << 10;
	}
	fclose(f);
	return total;
}

static double seconds_since(unsigned long long from, unsigned long long to)
{
	return to > from ? (to - from) / 1e9 : 0;
}

static unsigned long long now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

/* Add @value to the number called @name. */
static void add_number(cJSON *object, const char *name, double value)
{
	cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);

	if (item)
		cJSON_SetNumberValue(item, item->valuedouble + value);
	else
		cJSON_AddNumberToObject(object, name, value);
}

static void add_stat(cJSON *object, int fd,
		     const struct hvm_stats_header *head,
		     const struct hvm_stats_desc *desc)
{
	uint64_t value;

	/* Histograms are left out. */
	if (desc->size != 1)
		return;
	if (pread(fd, &value, sizeof(value),
		  (off_t)head->data_offset + desc->offset) == sizeof(value))
		add_number(object, desc->name, value);
}

/* Add what the VM or vCPU behind @fd has been counting to @object. */
static void add_kernel_stats(cJSON *object, int fd)
{
	struct hvm_stats_header head;
	struct hvm_stats_desc *desc;
	size_t size;
	uint32_t i;

	if (pread(fd, &head, sizeof(head), 0) != sizeof(head) ||
	    head.name_size > NAME_MAX_LEN || head.num_desc > STATS_MAX)
		return;
	size = sizeof(*desc) + head.name_size;
	desc = calloc(1, size + 1);
	if (!desc)
		return;
	for (i = 0; i < head.num_desc; i++) {
		if (pread(fd, desc, size,
			  (off_t)head.desc_offset + i * size) != (ssize_t)size)
			break;
		add_stat(object, fd, &head, desc);
	}
	free(desc);
}

static void add_stats_of(cJSON *object, int fd)
{
	int stats = hvm_get_stats_fd(fd);

	if (stats < 0)
		return;
	add_kernel_stats(object, stats);
	close(stats);
}

static void add_exits(cJSON *json, const struct vm *vm)
{
	cJSON *object = cJSON_AddObjectToObject(json, "exits");
	unsigned int i, reason;

	if (!object)
		return;
	for (i = 0; i < vm->nvcpus; i++)
		for (reason = 0; reason < EXIT_REASONS; reason++)
			if (vm->vcpu[i].exits[reason])
				add_number(object, hvm_exit_name(reason),
					   vm->vcpu[i].exits[reason]);
}

static void add_kernel(cJSON *json, const struct vm *vm)
{
	cJSON *object = cJSON_AddObjectToObject(json, "kernel");
	unsigned int i;

	if (!object)
		return;
	add_stats_of(object, vm->fd);
	for (i = 0; i < vm->nvcpus; i++)
		add_stats_of(object, vm->vcpu[i].h.fd);
}

static cJSON *make(struct vm *vm, enum exit_status status)
{
	unsigned long long end = now_ns();
	unsigned long long ready = atomic_load(&vm->console.ready_ns);
	unsigned long long bytes = stats_private_bytes(&vm->mem);
	cJSON *json = cJSON_CreateObject();

	if (!json)
		return NULL;
	cJSON_AddStringToObject(json, "name", vm->cfg->name);
	cJSON_AddNumberToObject(json, "exit_status", status);
	if (vm->cfg->ready && !ready)
		cJSON_AddNullToObject(json, "boot_seconds");
	else
		cJSON_AddNumberToObject(json, "boot_seconds",
					seconds_since(vm->start_ns,
						      ready ? ready : end));
	cJSON_AddNumberToObject(json, "total_seconds",
				seconds_since(vm->start_ns, end));
	cJSON_AddNumberToObject(json, "cpus", vm->nvcpus);
	cJSON_AddNumberToObject(json, "memory_bytes", vm->mem.size);
	cJSON_AddNumberToObject(json, "vmm_private_bytes", bytes);
	add_exits(json, vm);
	add_kernel(json, vm);
	return json;
}

int stats_write(struct vm *vm, FILE *to, enum exit_status status)
{
	cJSON *json = make(vm, status);
	char *text = json ? cJSON_Print(json) : NULL;
	int ret = 0;

	cJSON_Delete(json);
	if (!text)
		return fail_host(-ENOMEM, "no memory for the statistics");
	if (fprintf(to, "%s\n", text) < 0 || fflush(to))
		ret = fail_host(-errno, "--stats '%s' cannot be written",
				vm->cfg->stats);
	free(text);
	return ret;
}
