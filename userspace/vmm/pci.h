/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * PCI configuration space. See pci.c.
 */
#ifndef VMM_PCI_H
#define VMM_PCI_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define PCI_PORTS	8
#define PCI_SLOTS	32
#define PCI_CONFIG_SIZE	256

/**
 * struct pci_function - a device's function 0
 * @config: its configuration space
 * @writable: the bits of it that the guest may change
 */
struct pci_function {
	uint8_t config[PCI_CONFIG_SIZE];
	uint8_t writable[PCI_CONFIG_SIZE];
};

/**
 * struct pci - bus 0, reached through ports 0xcf8 to 0xcff
 * @lock: guards the rest
 * @reset: called, with no lock held, when the guest resets the machine
 * @ptr: for @reset
 * @address: what was written to CONFIG_ADDRESS
 * @host: the host bridge, slot 0
 * @slot: who is on the bus
 */
struct pci {
	pthread_mutex_t lock;
	void (*reset)(void *ptr);
	void *ptr;
	uint32_t address;
	struct pci_function host;
	struct pci_function *slot[PCI_SLOTS];
};

/** pci_init() - a bus with nothing but its host bridge */
void pci_init(struct pci *s, void (*reset)(void *ptr), void *ptr);
/** pci_access() - an iotrap_fn */
void pci_access(void *ptr, uint64_t offset, void *data, unsigned int len,
		bool write);

#endif
