/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reading the files that the user names. See file.c.
 */
#ifndef VMM_FILE_H
#define VMM_FILE_H

#include <stddef.h>
#include <stdint.h>

/**
 * struct file - an open regular file
 * @fd: its descriptor; -1 when there is none
 * @size: its length when it was opened
 * @what: what the user calls it ("kernel")
 * @path: where it was found
 */
struct file {
	int fd;
	uint64_t size;
	const char *what;
	const char *path;
};

/** file_open() - open a regular file for reading */
int file_open(struct file *file, const char *what, const char *path);
/** file_close() - close it; harmless when there is none */
void file_close(struct file *file);
/** file_read() - read exactly @len bytes at @offset */
int file_read(const struct file *file, uint64_t offset, void *to, size_t len);

#endif
