/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * legacy.h - the PC's own interrupt controllers: 8259A pair, IOAPIC, 8254
 *
 * A VM has them after HVM_CREATE_IRQCHIP and HVM_CREATE_PIT2, and then vm->pic,
 * vm->ioapic and vm->pit are set; with the split irqchip, or none, all three are
 * NULL and nothing here is ever called.
 *
 * Several parties may hold one input line up; a line is high while any does.
 */
#ifndef HVM_IRQ_LEGACY_H
#define HVM_IRQ_LEGACY_H

#include "../hvm.h"

/* Bit @source of @line says whether that party holds it up. Returns the line's level. */
static inline bool hvm_line_set(u8 *line, int source, int level)
{
	if (level)
		*line |= BIT(source);
	else
		*line &= ~BIT(source);
	return *line;
}

/* ---- pic.c ---- */
#define HVM_PIC_PINS	8		/* of each of the two */
int hvm_pic_create(struct hvm_vm *vm);
void hvm_pic_destroy(struct hvm_vm *vm);
/* Any context. 1: will be delivered, 0: was pending already, -1: masked. @pin: 8..15 are the slave's. */
int hvm_pic_set(struct hvm_vm *vm, int source, u32 pin, int level);
bool hvm_pic_output(struct hvm_vm *vm);			/* INTR is high */
u8 hvm_pic_ack(struct hvm_vm *vm);			/* INTA: the vector */
bool hvm_pic_pio(struct hvm_vm *vm, u16 port, u32 len, void *data, bool in);	/* false: not mine */
void hvm_pic_get(struct hvm_vm *vm, u32 chip, struct hvm_pic_state *s);
void hvm_pic_put(struct hvm_vm *vm, u32 chip, const struct hvm_pic_state *s);

/* ---- ioapic.c ---- */
int hvm_ioapic_create(struct hvm_vm *vm);
void hvm_ioapic_destroy(struct hvm_vm *vm);
int hvm_ioapic_set(struct hvm_vm *vm, int source, u32 pin, int level);	/* as hvm_pic_set() */
#define HVM_RTC_GSI	8
bool hvm_ioapic_busy(struct hvm_vm *vm, u32 pin);	/* any context */
bool hvm_ioapic_owns(struct hvm_vm *vm, gpa_t gpa);
bool hvm_ioapic_mmio(struct hvm_vm *vm, gpa_t gpa, u32 len, void *data, bool write);
void hvm_ioapic_eoi(struct hvm_vm *vm, u8 vec, bool level);	/* a local APIC ended @vec; any context */
void hvm_ioapic_eoi_vectors(struct hvm_vcpu *vcpu, u64 bitmap[4]);
void hvm_ioapic_get(struct hvm_vm *vm, struct hvm_ioapic_state *s);
void hvm_ioapic_put(struct hvm_vm *vm, const struct hvm_ioapic_state *s);

/* ---- pit.c ---- */
#define HVM_PIT_GSI	0
int hvm_pit_create(struct hvm_vm *vm, u32 flags);	/* [M] */
void hvm_pit_destroy(struct hvm_vm *vm);
bool hvm_pit_pio(struct hvm_vm *vm, u16 port, u32 len, void *data, bool in);
void hvm_pit_get(struct hvm_vm *vm, struct hvm_pit_state2 *s);
/* @flags: HVM_PIT_FLAGS_*, or NULL to leave them */
void hvm_pit_put(struct hvm_vm *vm, const struct hvm_pit_channel_state *ch, const u32 *flags);
void hvm_pit_set_reinject(struct hvm_vm *vm, bool on);
bool hvm_pit_wants_ack(struct hvm_vm *vm);
void hvm_pit_acked(struct hvm_vm *vm);			/* the guest ended the tick's interrupt; any context */
void hvm_pit_unmasked(struct hvm_vm *vm);		/* ... opened its pin; any context */

#endif
