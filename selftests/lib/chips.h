/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * chips.h: the PC's 8259A pair, IOAPIC and 8254, as guest code reaches them.
 * Everything is inline, so that guest code stays in the test's own image.
 */
#ifndef SELFTESTS_CHIPS_H
#define SELFTESTS_CHIPS_H

#include "x86.h"

#define PIC1		0x20
#define PIC2		0xa0
#define PIC_ELCR	0x4d0
#define PIC_EOI		0x20
#define PIC_EOI_ROTATE	0xa0
#define PIC_READ_IRR	0x0a
#define PIC_READ_ISR	0x0b
#define PIC_POLL	0x0c
#define PIC_BASE	0x30		/* vector of line 0 after pic_init() */

#define IOAPIC_GPA	0xfec00000ul
#define IOAPIC_LEVEL	(1u << 15)
#define IOAPIC_REMOTE	(1u << 14)
#define IOAPIC_MASKED	(1u << 16)
#define IOAPIC_LOGICAL	(1u << 11)

#define PIT_HZ		1193182

/* both controllers, lines masked as @mask says, the slave's in bits 8-15 */
static inline void pic_init(uint16_t mask, uint8_t icw4)
{
	outb(PIC1, 0x11);
	outb(PIC1 + 1, PIC_BASE);
	outb(PIC1 + 1, 1 << 2);
	outb(PIC1 + 1, icw4);
	outb(PIC2, 0x11);
	outb(PIC2 + 1, PIC_BASE + 8);
	outb(PIC2 + 1, 2);
	outb(PIC2 + 1, icw4);
	outb(PIC1 + 1, mask);
	outb(PIC2 + 1, mask >> 8);
}

static inline uint8_t pic_reg(uint16_t pic, uint8_t which)
{
	outb(pic, which);
	return inb(pic);
}

/* let the 8259A in */
static inline void lint0_extint(void)
{
	xapic_write(APIC_LVT0, 0x700);
}

static inline uint32_t ioapic_read(uint32_t reg)
{
	mmio_write32(IOAPIC_GPA, reg);
	return mmio_read32(IOAPIC_GPA + 0x10);
}

static inline void ioapic_write(uint32_t reg, uint32_t v)
{
	mmio_write32(IOAPIC_GPA, reg);
	mmio_write32(IOAPIC_GPA + 0x10, v);
}

/* the low half last, as it opens the pin */
static inline void ioapic_pin(uint32_t pin, uint32_t low, uint8_t dest)
{
	ioapic_write(0x11 + 2 * pin, (uint32_t)dest << 24);
	ioapic_write(0x10 + 2 * pin, low);
}

/* counter @i counts down from @count in @mode */
static inline void pit_start(unsigned int i, unsigned int mode, uint32_t count)
{
	outb(0x43, i << 6 | 0x30 | mode << 1);
	outb(0x40 + i, count);
	outb(0x40 + i, count >> 8);
}

static inline uint16_t pit_count(unsigned int i)
{
	uint8_t low;

	outb(0x43, i << 6);
	low = inb(0x40 + i);
	return low | inb(0x40 + i) << 8;
}

#endif /* SELFTESTS_CHIPS_H */
