// SPDX-License-Identifier: GPL-2.0-only
/*
 * The near end of the lab's channel: reads the stream an emulated host sends,
 * writes the command's output to stdout as it comes, and leaves the rest in a
 * directory: "status", "klog" and the files taken out, each under its number
 * (directories as "N.tar").
 *
 * usage: receive STREAM DIRECTORY
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "channel.h"

static FILE *stream;

static FILE *create(const char *name)
{
	FILE *file = fopen(name, "we");

	if (!file) {
		fprintf(stderr, "receive: %s: %s\n", name, strerror(errno));
		exit(1);
	}
	return file;
}

static void store(FILE *file, const void *data, size_t size)
{
	if (!file || fwrite(data, 1, size, file) != size || fflush(file)) {
		fprintf(stderr, "receive: cannot store what the host sent\n");
		exit(1);
	}
}

/* Skip what firmware may have sent. */
static int find_magic(void)
{
	const char *want = CHANNEL_MAGIC;
	int c;

	while (*want && (c = getc(stream)) != EOF) {
		if (c == *want)
			want++;
		else
			want = CHANNEL_MAGIC;
	}
	return !*want;
}

static FILE *begin_file(const char *text)
{
	char name[32];
	char kind;
	int number;

	if (sscanf(text, "%c %d", &kind, &number) != 2)
		return NULL;
	snprintf(name, sizeof(name), kind == 'd' ? "%d.tar" : "%d", number);
	return create(name);
}

static void serve_frame(int type, const char *data, size_t size)
{
	static FILE *file, *klog;

	switch (type) {
	case FRAME_OUTPUT:
		store(stdout, data, size);
		break;
	case FRAME_KLOG:
		if (!klog)
			klog = create("klog");
		store(klog, data, size);
		break;
	case FRAME_FILE:
		if (file)
			fclose(file);
		file = begin_file(data);
		break;
	case FRAME_DATA:
		store(file, data, size);
		break;
	case FRAME_EXIT:
		store(create("status"), data, size);
		break;
	}
}

int main(int argc, char **argv)
{
	uint8_t header[FRAME_HEADER];
	char data[FRAME_MAX + 1];

	if (argc != 3)
		return 2;
	stream = fopen(argv[1], "re");
	if (!stream || chdir(argv[2])) {
		perror("receive");
		return 1;
	}
	if (!find_magic())
		return 0;
	while (fread(header, sizeof(header), 1, stream) == 1) {
		uint32_t size = header[1] | header[2] << 8 | header[3] << 16 |
				(uint32_t)header[4] << 24;

		/* another kernel, by kexec: its agent begins anew */
		if (!memcmp(header, CHANNEL_MAGIC, sizeof(header))) {
			if (fread(data, 1, strlen(CHANNEL_MAGIC) - sizeof(header), stream) !=
			    strlen(CHANNEL_MAGIC) - sizeof(header))
				break;
			continue;
		}
		if (size > FRAME_MAX || fread(data, 1, size, stream) != size)
			break;
		data[size] = 0;
		serve_frame(header[0], data, size);
	}
	return 0;
}
