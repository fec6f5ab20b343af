// SPDX-License-Identifier: GPL-2.0-only
/*
 * PCI configuration space by mechanism #1 of the PCI Local Bus Specification
 * 3.0: CONFIG_ADDRESS is the dword at 0xcf8, CONFIG_DATA the four bytes from
 * 0xcfc on. In between, at 0xcf9, PCs have the reset control register; it is
 * only there for accesses of one byte.
 *
 * The lock guards all of it.
 */
#include "pci.h"

#include <string.h>

#define CONFIG_DATA	4
#define RESET_CONTROL	1
#define RESET_CPU	0x04

#define ADDRESS_ENABLE	(1u << 31)
#define ADDRESS_MASK	0x80fffffcu

#define VENDOR_ID	0x00
#define DEVICE_ID	0x02
#define CLASS_DEVICE	0x0a

/* "PCIe host bridge", as Red Hat numbers virtual devices */
#define HOST_VENDOR	0x1b36
#define HOST_DEVICE	0x0008
#define HOST_CLASS	0x0600

static void put16(uint8_t *config, unsigned int at, uint16_t value)
{
	config[at] = value;
	config[at + 1] = value >> 8;
}

/* Whom CONFIG_ADDRESS means, or NULL */
static struct pci_function *selected(const struct pci *s)
{
	unsigned int bus = s->address >> 16 & 0xff;
	unsigned int function = s->address >> 8 & 7;

	if (!(s->address & ADDRESS_ENABLE) || bus || function)
		return NULL;
	return s->slot[s->address >> 11 & 0x1f];
}

static void config_access(struct pci *s, unsigned int byte, uint8_t *data,
			  unsigned int len, bool write)
{
	struct pci_function *f = selected(s);
	unsigned int at = (s->address & 0xfc) + byte, i;

	if (!f) {
		if (!write)
			memset(data, 0xff, len);
		return;
	}
	for (i = 0; i < len; i++) {
		uint8_t mask = f->writable[at + i];

		if (write)
			f->config[at + i] = (f->config[at + i] & ~mask) |
					    (data[i] & mask);
		else
			data[i] = f->config[at + i];
	}
}

static void address_access(struct pci *s, uint64_t offset, void *data,
			   unsigned int len, bool write)
{
	if (offset == 0 && len == 4 && write) {
		memcpy(&s->address, data, 4);
		s->address &= ADDRESS_MASK;
	} else if (offset == 0 && len == 4) {
		memcpy(data, &s->address, 4);
	} else if (!write) {
		memset(data, offset == RESET_CONTROL && len == 1 ? 0 : 0xff,
		       len);
	}
}

void pci_access(void *ptr, uint64_t offset, void *data, unsigned int len,
		bool write)
{
	struct pci *s = ptr;

	pthread_mutex_lock(&s->lock);
	if (offset >= CONFIG_DATA)
		config_access(s, offset - CONFIG_DATA, data, len, write);
	else
		address_access(s, offset, data, len, write);
	pthread_mutex_unlock(&s->lock);

	if (write && offset == RESET_CONTROL && len == 1 &&
	    *(uint8_t *)data & RESET_CPU)
		s->reset(s->ptr);
}

void pci_init(struct pci *s, void (*reset)(void *ptr), void *ptr)
{
	memset(s, 0, sizeof(*s));
	pthread_mutex_init(&s->lock, NULL);
	s->reset = reset;
	s->ptr = ptr;
	put16(s->host.config, VENDOR_ID, HOST_VENDOR);
	put16(s->host.config, DEVICE_ID, HOST_DEVICE);
	put16(s->host.config, CLASS_DEVICE, HOST_CLASS);
	s->slot[0] = &s->host;
}
