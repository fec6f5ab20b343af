// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading the files that the user names: a kernel, an initial RAM disk. They
 * are read straight into their place, guest memory as a rule, and never
 * mapped: a file that shrinks meanwhile is then an error and not a SIGBUS.
 */
#include "file.h"
#include "error.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int file_open(struct file *file, const char *what, const char *path)
{
	struct stat st;

	/* O_NONBLOCK: a FIFO is to be refused, not waited for */
	file->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (file->fd < 0)
		return fail_input("%s '%s' cannot be opened: %s", what, path,
				  strerror(errno));
	if (fstat(file->fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		file_close(file);
		return fail_input("%s '%s' is %s, not a regular file", what,
				  path, S_ISDIR(st.st_mode) ? "a directory" :
				  "a device or pipe");
	}
	file->size = st.st_size;
	file->what = what;
	file->path = path;
	return 0;
}

void file_close(struct file *file)
{
	if (file->fd >= 0)
		close(file->fd);
	file->fd = -1;
}

int file_read(const struct file *file, uint64_t offset, void *to, size_t len)
{
	char *p = to;

	if (offset > file->size || len > file->size - offset)
		return fail_input("%s '%s' is truncated: it ends at byte %llu, before the %zu bytes at %llu that it speaks of",
				  file->what, file->path,
				  (unsigned long long)file->size, len,
				  (unsigned long long)offset);
	while (len) {
		ssize_t n = pread(file->fd, p, len, offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return fail_input("%s '%s' cannot be read: %s",
					  file->what, file->path,
					  n ? strerror(errno) :
					  "it became shorter");
		p += n;
		offset += n;
		len -= n;
	}
	return 0;
}
