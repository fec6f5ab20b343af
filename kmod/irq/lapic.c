// SPDX-License-Identifier: GPL-2.0-only
/*
 * lapic.c - the local APIC of each vCPU, and the way messages find it
 *
 * Registers live in one page laid out as hardware lays them out (a 32-bit
 * register every 16 bytes), so that VMX may use it as the virtual-APIC page.
 * The task priority's class is vcpu->cr8, which the backend changes without
 * telling; the page's TPR only adds the low nibble. In x2APIC mode the ICR is
 * 64 bits wide at its offset, and ID and LDR have their 32-bit forms.
 *
 * Delivery. A sender finds its targets in vm->apic_map, sets the vector's bit
 * in the target's IRR, and raises HVM_REQ_EVENT; the target's thread does the
 * rest before it enters the guest. The map holds one table by APIC ID and sets
 * of vCPUs (bit = vcpu->id) for each logical address; so nobody ever walks over
 * all vCPUs but for a broadcast.
 *
 * Locks: none. A vCPU's place in the map is derived from its own APIC_BASE,
 * ID, LDR and DFR and is written by whoever holds its vcpu->mutex, bit by bit
 * with atomic operations, so a guest may change it with interrupts off. While
 * it does, messages on their way reach the old or the new place, as on
 * hardware. IRR, TMR and events are atomic; the rest of the registers belong to
 * the vCPU's thread, and senders read SPIV and the LVT as single words. APICs
 * and map are freed through RCU, which hvm_lapic_deliver() holds.
 *
 * A processor with virtual-interrupt delivery moves vectors from IRR to ISR and
 * ends them without us (vcpu->virtual_irq), and IRR and ISR are its own while
 * the guest runs. So senders leave vectors in posted[], the vCPU's thread brings
 * them to the IRR outside the guest, and what is in service only the ISR tells.
 * Its timer is lapic_timer.c.
 */
#include <linux/bitmap.h>
#include <linux/gfp.h>
#include <linux/slab.h>
#include "lapic.h"

#define LAPIC_VERSION		(0x14 | 5 << 16)	/* six LVT entries, no EOI-broadcast suppression */
#define LAPIC_IDS		256
#define BASE_X2APIC		(MSR_IA32_APICBASE_ENABLE | X2APIC_ENABLE)
#define ALL_X2APIC		0xffffffffu
#define ALL_XAPIC		0xffu

enum { MODE_FIXED, MODE_LOWEST, MODE_SMI, MODE_KICK, MODE_NMI, MODE_INIT, MODE_SIPI, MODE_EXTINT };
enum { DEST_ADDRESS, DEST_SELF, DEST_ALL, DEST_OTHERS };
enum { EV_INIT, EV_SIPI };

/* Registers as bits of a 64-bit mask: offset / 16. */
#define REG(off)		BIT_ULL((off) >> 4)
#define REGS8(off)		(0xffULL << ((off) >> 4))
#define READABLE	(REG(APIC_ID) | REG(APIC_LVR) | REG(APIC_TASKPRI) | REG(APIC_PROCPRI) | \
			 REG(APIC_LDR) | REG(APIC_SPIV) | REGS8(APIC_ISR) | REGS8(APIC_TMR) | \
			 REGS8(APIC_IRR) | REG(APIC_ESR) | REG(APIC_ICR) | REG(APIC_LVTT) | \
			 REG(APIC_LVTTHMR) | REG(APIC_LVTPC) | REG(APIC_LVT0) | REG(APIC_LVT1) | \
			 REG(APIC_LVTERR) | REG(APIC_TMICT) | REG(APIC_TMCCT) | REG(APIC_TDCR))
#define READABLE_XAPIC	(REG(APIC_ARBPRI) | REG(APIC_DFR) | REG(APIC_ICR2))

struct hvm_apic_map {
	struct rcu_head rcu;
	struct hvm_lapic *vcpu[LAPIC_IDS];	/* [A] by vcpu->id */
	struct hvm_lapic *phys[LAPIC_IDS];	/* [A] by APIC ID */
	/* [A] sets of vcpu->id */
	DECLARE_BITMAP(present, LAPIC_IDS);	/* enabled in IA32_APIC_BASE */
	DECLARE_BITMAP(x2apic, LAPIC_IDS);	/* ... and in x2APIC mode, where ID == vcpu->id */
	DECLARE_BITMAP(xapic, LAPIC_IDS);	/* ... and in xAPIC mode */
	unsigned long flat[8][BITS_TO_LONGS(LAPIC_IDS)];	/* by bit of the logical ID */
	unsigned long cluster[16][4][BITS_TO_LONGS(LAPIC_IDS)];
};

#define SET_WORDS	BITS_TO_LONGS(LAPIC_IDS)

/* ---- registers ---- */

/* Vector registers: IRR, ISR and TMR are eight words each, 16 bytes apart. */
static unsigned long *vec_word(struct hvm_lapic *apic, u32 base, u8 vec)
{
	return (unsigned long *)(apic->regs + base + (vec >> 5) * 0x10);
}

static bool vec_test(struct hvm_lapic *apic, u32 base, u8 vec)
{
	return reg_get(apic, base + (vec >> 5) * 0x10) & BIT(vec & 31);
}

static int vec_highest(const struct hvm_lapic *apic, u32 base)
{
	int i;
	u32 w;

	for (i = 7; i >= 0; i--) {
		w = reg_get(apic, base + i * 0x10);
		if (w)
			return i * 32 + __fls(w);
	}
	return -1;
}

/* Own thread, outside the guest. */
static void take_posted(struct hvm_lapic *apic)
{
	unsigned long bits;
	int i;

	for (i = 0; i < ARRAY_SIZE(apic->posted); i++) {
		if (!READ_ONCE(apic->posted[i]))
			continue;
		bits = xchg(&apic->posted[i], 0);
		*(u32 *)(apic->regs + APIC_IRR + i * 0x20) |= bits;
		*(u32 *)(apic->regs + APIC_IRR + i * 0x20 + 0x10) |= bits >> 32;
	}
}

/* Own thread. */
static int irr_highest(struct hvm_lapic *apic)
{
	unsigned long words;
	u32 w;
	int i;

	if (apic->vcpu->virtual_irq) {
		take_posted(apic);
		return vec_highest(apic, APIC_IRR);
	}
	while ((words = READ_ONCE(apic->irr_words))) {
		i = __fls(words);
		w = reg_get(apic, APIC_IRR + i * 0x10);
		if (w)
			return i * 32 + __fls(w);
		/* post() sets them in the other order: one of the two sees the other. */
		clear_bit(i, &apic->irr_words);
		smp_mb__after_atomic();
		if (reg_get(apic, APIC_IRR + i * 0x10))
			set_bit(i, &apic->irr_words);
	}
	return -1;
}

static int isr_highest(const struct hvm_lapic *apic)
{
	return apic->vcpu->virtual_irq ? vec_highest(apic, APIC_ISR) : apic->isr_top;
}

static bool is_x2apic(const struct hvm_lapic *apic)
{
	return (READ_ONCE(apic->vcpu->apic_base) & BASE_X2APIC) == BASE_X2APIC;
}

static bool hw_enabled(const struct hvm_lapic *apic)
{
	return READ_ONCE(apic->vcpu->apic_base) & MSR_IA32_APICBASE_ENABLE;
}

static bool sw_enabled(const struct hvm_lapic *apic)
{
	return reg_get(apic, APIC_SPIV) & APIC_SPIV_APIC_ENABLED;
}

static u32 x2apic_ldr(u32 id)
{
	return (id >> 4) << 16 | BIT(id & 15);
}

/* cr8 is what counts; the page's low nibble is only right while the class is. */
static u8 tpr_get(const struct hvm_lapic *apic)
{
	u8 tpr = reg_get(apic, APIC_TASKPRI), class = apic->vcpu->cr8;

	return tpr >> 4 == class ? tpr : class << 4;
}

static u8 ppr_get(const struct hvm_lapic *apic)
{
	u8 tpr = tpr_get(apic);
	int isr = isr_highest(apic);

	isr = isr < 0 ? 0 : isr & 0xf0;
	return (tpr & 0xf0) >= isr ? tpr : isr;
}

static void event_if_pending(struct hvm_lapic *apic)
{
	if (irr_highest(apic) >= 0 || apic->vcpu->virtual_irq)
		hvm_request_only(apic->vcpu, HVM_REQ_EVENT);
}

static void tpr_set(struct hvm_lapic *apic, u8 tpr)
{
	reg_set(apic, APIC_TASKPRI, tpr);
	apic->vcpu->cr8 = tpr >> 4;
	if (unlikely(apic->vcpu->vapic))
		hvm_request_only(apic->vcpu, HVM_REQ_EVENT);
	event_if_pending(apic);
}

/* ---- the map ---- */

static void member(unsigned long *set, u32 id, bool in)
{
	if (test_bit(id, set) == in)
		return;
	if (in)
		set_bit(id, set);
	else
		clear_bit(id, set);
}

/* Two APICs with one ID is the guest's mistake: the first one has it until it leaves. */
static void map_phys(struct hvm_apic_map *map, struct hvm_lapic *apic, int id)
{
	int i, old = apic->phys_id;
	struct hvm_lapic *heir;

	if (id == old)
		return;
	WRITE_ONCE(apic->phys_id, id);
	if (id >= 0)
		cmpxchg(&map->phys[id], NULL, apic);
	if (old < 0 || cmpxchg(&map->phys[old], apic, NULL) != apic)
		return;
	rcu_read_lock();
	for (i = 0; i < LAPIC_IDS; i++) {
		heir = READ_ONCE(map->vcpu[i]);
		if (!heir || READ_ONCE(heir->phys_id) != old)
			continue;
		/* If it gives the ID up at this moment, one of the two sees the other. */
		if (!cmpxchg(&map->phys[old], NULL, heir) && READ_ONCE(heir->phys_id) != old)
			cmpxchg(&map->phys[old], heir, NULL);
		break;
	}
	rcu_read_unlock();
}

/* Put the APIC where its registers say it is. Called after each change of them. */
static void map_update(struct hvm_lapic *apic)
{
	struct hvm_apic_map *map = rcu_dereference_raw(apic->vcpu->vm->apic_map);
	u32 me = apic->vcpu->id, ldr = reg_get(apic, APIC_LDR) >> 24;
	bool on = hw_enabled(apic), x2 = is_x2apic(apic), xapic = on && !x2;
	bool flat = xapic && reg_get(apic, APIC_DFR) >> 28 == 0xf;
	bool clusters = xapic && reg_get(apic, APIC_DFR) >> 28 == 0;
	int i;

	member(map->present, me, on);
	member(map->x2apic, me, x2);
	member(map->xapic, me, xapic);
	map_phys(map, apic, !on ? -1 : x2 ? me : reg_get(apic, APIC_ID) >> 24);
	for (i = 0; i < 8; i++)
		member(map->flat[i], me, flat && ldr & BIT(i));
	for (i = 0; i < 64; i++)
		member(map->cluster[i >> 2][i & 3], me,
		       clusters && ldr >> 4 == i >> 2 && ldr & BIT(i & 3));
	/* Other routes may reach it now. */
	hvm_request_only(apic->vcpu, HVM_REQ_SCAN_IOAPIC);
}

static void set_or(unsigned long *set, const unsigned long *other)
{
	int i;

	for (i = 0; i < SET_WORDS; i++)
		set[i] |= READ_ONCE(other[i]);
}

static bool set_empty(const unsigned long *set)
{
	unsigned long all = 0;
	int i;

	for (i = 0; i < SET_WORDS; i++)
		all |= READ_ONCE(set[i]);
	return !all;
}

static void logical_set(struct hvm_apic_map *map, u32 dest, unsigned long *set)
{
	u32 cluster = dest >> 16, bits, i;

	if (cluster < 16) {
		i = cluster / 4;
		set[i] |= (unsigned long)(u16)dest << (cluster % 4 * 16) &
			  READ_ONCE(map->x2apic[i]);
	}
	if (dest > 0xff || set_empty(map->xapic))
		return;
	for (bits = dest; bits; bits &= bits - 1)
		set_or(set, map->flat[__ffs(bits)]);
	for (bits = dest & 0xf; bits; bits &= bits - 1)
		set_or(set, map->cluster[dest >> 4][__ffs(bits)]);
}

/*
 * Is @dest everybody? All ones in the sender's width, where a device's message
 * counts as 8 bits wide; a VMM that disabled the quirk takes 255 for an ID as
 * soon as all APICs are in x2APIC mode.
 */
static bool is_broadcast(struct hvm_vm *vm, struct hvm_apic_map *map, u32 dest, bool x2apic_dest)
{
	if (dest == ALL_X2APIC)
		return true;
	if (dest != ALL_XAPIC)
		return false;
	return vm->x2apic_no_broadcast_quirk ? !set_empty(map->xapic) : !x2apic_dest;
}

/* ---- accepting a message ---- */

static void post(struct hvm_lapic *apic, u8 vec, bool level)
{
	if (unlikely(vec_test(apic, APIC_TMR, vec) != level)) {
		if (level)
			set_bit(vec & 31, vec_word(apic, APIC_TMR, vec));
		else
			clear_bit(vec & 31, vec_word(apic, APIC_TMR, vec));
	}
	/* Whoever set the bit first also asks the vCPU to look. */
	if (READ_ONCE(apic->vcpu->virtual_irq)) {
		if (test_and_set_bit(vec, apic->posted))
			return;
	} else {
		if (test_and_set_bit(vec & 31, vec_word(apic, APIC_IRR, vec)))
			return;
		if (!test_bit(vec >> 5, &apic->irr_words))
			set_bit(vec >> 5, &apic->irr_words);
	}
	hvm_request(apic->vcpu, HVM_REQ_EVENT);
}

/* Returns 1 when the APIC took the message, else 0. */
static int accept(struct hvm_lapic *apic, const struct hvm_lapic_irq *irq)
{
	struct hvm_vcpu *vcpu = apic->vcpu;

	switch (irq->mode) {
	case MODE_FIXED:
	case MODE_LOWEST:
		/* Vectors below 16 are illegal, and no priority would let them through. */
		if ((irq->level && !irq->assert) || !sw_enabled(apic) || irq->vector < 16)
			return 0;
		post(apic, irq->vector, irq->level);
		return 1;
	case MODE_NMI:
		hvm_queue_nmi(vcpu);
		return 1;
	case MODE_INIT:
		if (irq->level && !irq->assert)
			return 0;
		/* Also forgets a start-up message that came before. */
		WRITE_ONCE(apic->events, BIT(EV_INIT));
		hvm_request(vcpu, HVM_REQ_EVENT);
		return 1;
	case MODE_SIPI:
		WRITE_ONCE(vcpu->sipi_vector, irq->vector);
		/* The vector before the bit: pairs with the barrier in hvm_lapic_init_sipi(). */
		smp_wmb();
		set_bit(EV_SIPI, &apic->events);
		hvm_request(vcpu, HVM_REQ_EVENT);
		return 1;
	case MODE_KICK:
		WRITE_ONCE(vcpu->pv_unhalted, true);
		hvm_request(vcpu, HVM_REQ_EVENT);
		return 1;
	}
	/* No system management mode; ExtINT comes by HVM_INTERRUPT only. */
	return 0;
}

void hvm_lapic_local_deliver(struct hvm_lapic *apic, u32 lvt)
{
	u32 val = reg_get(apic, lvt);
	u8 vec = val & APIC_VECTOR_MASK;

	if (!(val & APIC_LVT_MASKED) && hw_enabled(apic) && vec >= 16)
		post(apic, vec, false);
}

/* ---- delivery ---- */

static int deliver_set(struct hvm_apic_map *map, const unsigned long *set,
		       const struct hvm_lapic_irq *irq)
{
	struct hvm_lapic *apic;
	unsigned long bits;
	int i, r = -1;

	for (i = 0; i < SET_WORDS; i++)
		for (bits = set[i]; bits; bits &= bits - 1) {
			apic = READ_ONCE(map->vcpu[i * BITS_PER_LONG + __ffs(bits)]);
			if (apic)
				r = (r < 0 ? 0 : r) + accept(apic, irq);
		}
	return r;
}

/* One of the set, by vector, so that a vector stays with its vCPU and vectors spread. */
static int deliver_lowest(struct hvm_apic_map *map, unsigned long *set,
			  const struct hvm_lapic_irq *irq)
{
	struct hvm_lapic *apic;
	int id, n;

	for_each_set_bit(id, set, LAPIC_IDS) {
		apic = READ_ONCE(map->vcpu[id]);
		if (!apic || !sw_enabled(apic))
			__clear_bit(id, set);
	}
	n = bitmap_weight(set, LAPIC_IDS);
	if (!n)
		return -1;
	n = irq->vector % n;
	for_each_set_bit(id, set, LAPIC_IDS)
		if (!n--)
			break;
	apic = READ_ONCE(map->vcpu[id]);
	return apic ? accept(apic, irq) : -1;
}

static int deliver(struct hvm_vm *vm, struct hvm_apic_map *map, const struct hvm_lapic_irq *irq)
{
	unsigned long set[SET_WORDS] = { 0 };
	struct hvm_lapic *apic;

	if (irq->shorthand == DEST_SELF)
		return irq->src ? accept(irq->src->apic, irq) : -1;
	if (irq->shorthand || is_broadcast(vm, map, irq->dest, irq->x2apic_dest)) {
		set_or(set, map->present);
		if (irq->shorthand == DEST_OTHERS && irq->src)
			__clear_bit(irq->src->id, set);
	} else if (irq->logical) {
		logical_set(map, irq->dest, set);
	} else {
		apic = irq->dest < LAPIC_IDS ? READ_ONCE(map->phys[irq->dest]) : NULL;
		return apic ? accept(apic, irq) : -1;
	}
	if (irq->mode == MODE_LOWEST)
		return deliver_lowest(map, set, irq);
	return deliver_set(map, set, irq);
}

/**
 * hvm_lapic_deliver - send a message to the local APICs it addresses
 * @vm: the VM
 * @irq: the message
 *
 * Any context. Return: how many took it; 0: addressed but not taken (disabled);
 * -1: nobody has that address.
 */
int hvm_lapic_deliver(struct hvm_vm *vm, const struct hvm_lapic_irq *irq)
{
	struct hvm_apic_map *map;
	int r = -1;

	rcu_read_lock();
	map = rcu_dereference(vm->apic_map);
	if (likely(map))
		r = deliver(vm, map, irq);
	rcu_read_unlock();
	return r;
}

/**
 * hvm_lapic_match - would a message with this address reach @vcpu?
 * @vcpu: has a local APIC
 * @dest: destination field
 * @logical: destination mode
 */
bool hvm_lapic_match(struct hvm_vcpu *vcpu, u32 dest, bool logical)
{
	unsigned long set[SET_WORDS] = { 0 };
	struct hvm_apic_map *map;
	bool r;

	rcu_read_lock();
	map = rcu_dereference(vcpu->vm->apic_map);
	if (is_broadcast(vcpu->vm, map, dest, false)) {
		r = test_bit(vcpu->id, map->present);
	} else if (!logical) {
		r = dest < LAPIC_IDS && READ_ONCE(map->phys[dest]) == vcpu->apic;
	} else {
		logical_set(map, dest, set);
		r = test_bit(vcpu->id, set);
	}
	rcu_read_unlock();
	return r;
}

/**
 * hvm_lapic_send_mask - one message to several APIC IDs: the SEND_IPI hypercall
 * @vm: the VM
 * @min: ID of bit 0
 * @mask: one bit for each ID
 * @icr: low half of an ICR; its destination fields must be 0
 *
 * Return: how many took it.
 */
int hvm_lapic_send_mask(struct hvm_vm *vm, u32 min, unsigned long mask, u32 icr)
{
	struct hvm_lapic_irq irq = {
		.vector = icr, .mode = icr >> 8 & 7,
		.assert = icr & APIC_INT_ASSERT, .level = icr & APIC_INT_LEVELTRIG,
	};
	struct hvm_apic_map *map;
	struct hvm_lapic *apic;
	int n = 0;

	rcu_read_lock();
	map = rcu_dereference(vm->apic_map);
	for (; map && mask && min < LAPIC_IDS; mask &= mask - 1) {
		u32 id = min + __ffs(mask);

		apic = id < LAPIC_IDS ? READ_ONCE(map->phys[id]) : NULL;
		if (apic)
			n += accept(apic, &irq);
	}
	rcu_read_unlock();
	return n;
}

static void send_ipi(struct hvm_lapic *apic, u32 lo, u32 hi)
{
	bool x2 = is_x2apic(apic);
	const struct hvm_lapic_irq irq = {
		.dest = x2 ? hi : hi >> 24, .x2apic_dest = x2,
		.vector = lo, .mode = lo >> 8 & 7, .shorthand = lo >> 18 & 3,
		.logical = lo & APIC_DEST_LOGICAL, .assert = lo & APIC_INT_ASSERT,
		.level = lo & APIC_INT_LEVELTRIG, .src = apic->vcpu,
	};

	hvm_lapic_deliver(apic->vcpu->vm, &irq);
}

/* ---- from IRR to ISR to EOI ---- */

/* The IOAPIC, the kernel's or userspace's, hears of the end of level-triggered vectors. */
static void broadcast_eoi(struct hvm_lapic *apic, u8 vec)
{
	struct hvm_vcpu *vcpu = apic->vcpu;

	if (likely(!test_bit(vec, (unsigned long *)apic->eoi_exits)))
		return;
	if (vcpu->vm->ioapic) {
		hvm_ioapic_eoi(vcpu->vm, vec, vec_test(apic, APIC_TMR, vec));
		return;
	}
	__set_bit(vec, vcpu->eoi_pending);
	hvm_request_only(vcpu, HVM_REQ_IOAPIC_EOI);
}

static void eoi(struct hvm_lapic *apic)
{
	int vec = isr_highest(apic);

	if (vec < 0)
		return;
	*(u32 *)vec_word(apic, APIC_ISR, vec) &= ~BIT(vec & 31);
	apic->isr_top = vec_highest(apic, APIC_ISR);
	broadcast_eoi(apic, vec);
	event_if_pending(apic);
}

/*
 * Learn whether the guest ended isr_top through its memory. False: that page
 * cannot be read now; it will be before the next entry, where sleeping is fine.
 */
static bool pv_eoi_sync(struct hvm_lapic *apic, bool atomic)
{
	int done = hvm_pv_eoi_clear(apic->vcpu, atomic);

	if (done < 0 && atomic) {
		hvm_request_only(apic->vcpu, HVM_REQ_STEAL);
		return false;
	}
	apic->pv_eoi = false;
	if (done > 0)
		eoi(apic);
	return true;
}

/* HVM_REQ_STEAL's half for us; may sleep. */
void hvm_lapic_sync_pv_eoi(struct hvm_vcpu *vcpu)
{
	if (vcpu->apic && vcpu->apic->pv_eoi) {
		pv_eoi_sync(vcpu->apic, false);
		hvm_request_only(vcpu, HVM_REQ_EVENT);
	}
}

/*
 * A real EOI. A guest that may end isr_top in memory looks there first; that it
 * writes the register means the bit was gone: it ended isr_top that way before
 * (and this EOI is for the vector below), or the bit is still ours to take back.
 */
static void eoi_write(struct hvm_lapic *apic)
{
	if (unlikely(apic->pv_eoi)) {
		if (hvm_pv_eoi_clear(apic->vcpu, true) != 0)
			eoi(apic);
		apic->pv_eoi = false;
	}
	eoi(apic);
}

int hvm_lapic_pending(struct hvm_vcpu *vcpu)
{
	struct hvm_lapic *apic = vcpu->apic;
	int vec;

	vec = irr_highest(apic);
	if (vec < 0 || !hw_enabled(apic) || !sw_enabled(apic))
		return -1;
	/* What is in service matters only now. */
	if (unlikely(apic->pv_eoi) && !pv_eoi_sync(apic, true))
		return -1;
	return (vec & 0xf0) > (ppr_get(apic) & 0xf0) ? vec : -1;
}

int hvm_lapic_ack(struct hvm_vcpu *vcpu)
{
	struct hvm_lapic *apic = vcpu->apic;
	int vec = hvm_lapic_pending(vcpu);

	if (vec < 0)
		return -1;
	clear_bit(vec & 31, vec_word(apic, APIC_IRR, vec));
	*(u32 *)vec_word(apic, APIC_ISR, vec) |= BIT(vec & 31);
	apic->isr_top = vec;
	/* With more waiting, or userspace listening, the EOI has to be seen at once. */
	if (hvm_pv_eoi_enabled(vcpu) && !test_bit(vec, (unsigned long *)apic->eoi_exits) &&
	    irr_highest(apic) < 0)
		apic->pv_eoi = hvm_pv_eoi_set(vcpu);
	return vec;
}

int hvm_lapic_threshold(struct hvm_vcpu *vcpu)
{
	int vec = irr_highest(vcpu->apic);

	return vec >= 0 && vcpu->cr8 >= vec >> 4 ? vec >> 4 : -1;
}

static bool lint0_is(struct hvm_lapic *apic, u32 mode)
{
	return (reg_get(apic, APIC_LVT0) & (APIC_LVT_MASKED | APIC_MODE_MASK)) == mode << 8;
}

bool hvm_lapic_accepts_pic(struct hvm_vcpu *vcpu)
{
	return !hw_enabled(vcpu->apic) || lint0_is(vcpu->apic, MODE_EXTINT);
}

bool hvm_lapic_lint0_nmi(struct hvm_vcpu *vcpu)
{
	return hw_enabled(vcpu->apic) && lint0_is(vcpu->apic, MODE_NMI);
}

bool hvm_lapic_has_init_sipi(struct hvm_vcpu *vcpu)
{
	return READ_ONCE(vcpu->apic->events);
}

static void start_up(struct hvm_vcpu *vcpu, u8 vector)
{
	struct hvm_segment cs;

	hvm_backend->get_seg(vcpu, HVM_SEG_CS, &cs);
	cs.selector = vector << 8;
	cs.base = vector << 12;
	hvm_backend->set_seg(vcpu, HVM_SEG_CS, &cs);
	vcpu->rip = 0;
}

/**
 * hvm_lapic_init_sipi - act on INIT and start-up messages
 * @vcpu: loaded, in its own thread
 *
 * Return: 0.
 */
int hvm_lapic_init_sipi(struct hvm_vcpu *vcpu)
{
	struct hvm_lapic *apic = vcpu->apic;

	if (test_and_clear_bit(EV_INIT, &apic->events)) {
		hvm_vcpu_reset(vcpu, true);
		vcpu->mp_state = vcpu->id == vcpu->vm->bsp_id ? HVM_MP_STATE_RUNNABLE :
								HVM_MP_STATE_INIT_RECEIVED;
	}
	if (test_and_clear_bit(EV_SIPI, &apic->events) &&
	    vcpu->mp_state == HVM_MP_STATE_INIT_RECEIVED) {
		/* Pairs with accept(). */
		smp_rmb();
		start_up(vcpu, READ_ONCE(vcpu->sipi_vector));
		vcpu->mp_state = HVM_MP_STATE_RUNNABLE;
	}
	return 0;
}

/* ---- guest accesses ---- */

static u32 reg_read(struct hvm_lapic *apic, u32 off)
{
	switch (off) {
	case APIC_TASKPRI:
		return tpr_get(apic);
	case APIC_ISR ... APIC_ISR + 0x70:
	case APIC_PROCPRI:
		/* The guest may have ended isr_top in its memory since. */
		if (unlikely(apic->pv_eoi))
			pv_eoi_sync(apic, true);
		return off == APIC_PROCPRI ? ppr_get(apic) : reg_get(apic, off);
	case APIC_IRR ... APIC_IRR + 0x70:
		take_posted(apic);
		break;
	case APIC_ARBPRI:
		return 0;
	case APIC_TMCCT:
		return hvm_lapic_timer_count(apic);
	}
	return reg_get(apic, off);
}

static void mask_lvts(struct hvm_lapic *apic)
{
	u32 off;

	for (off = APIC_LVTT; off <= APIC_LVTERR; off += 0x10)
		reg_set(apic, off, reg_get(apic, off) | APIC_LVT_MASKED);
}

static void set_spiv(struct hvm_lapic *apic, u32 val)
{
	reg_set(apic, APIC_SPIV, val & 0x3ff);
	if (!sw_enabled(apic))
		mask_lvts(apic);
	else
		event_if_pending(apic);
}

static void set_lvt(struct hvm_lapic *apic, u32 off, u32 val)
{
	u32 mask = APIC_LVT_MASKED | APIC_VECTOR_MASK;

	if (!sw_enabled(apic))
		val |= APIC_LVT_MASKED;
	if (off == APIC_LVTT) {
		hvm_lapic_set_lvtt(apic, val & (mask | LVTT_MODE));
		return;
	}
	if (off != APIC_LVTERR)
		mask |= APIC_MODE_MASK;
	if (off == APIC_LVT0 || off == APIC_LVT1)
		mask |= APIC_INPUT_POLARITY | APIC_LVT_LEVEL_TRIGGER;
	reg_set(apic, off, val & mask);
	/* An 8259A may have been waiting to be let in. */
	if (off == APIC_LVT0)
		hvm_request_only(apic->vcpu, HVM_REQ_EVENT);
}

/* ID, LDR, DFR, ICR2: only xAPIC mode lets the guest write them. */
static int xapic_write(struct hvm_lapic *apic, u32 off, u32 val)
{
	if (is_x2apic(apic))
		return -EINVAL;
	reg_set(apic, off, off == APIC_DFR ? val | 0x0fffffff : val & 0xff000000);
	if (off != APIC_ICR2)
		map_update(apic);
	return 0;
}

/* A 32-bit register. -EINVAL: no such register, or read-only (x2APIC: #GP). */
static int reg_write(struct hvm_lapic *apic, u32 off, u32 val)
{
	switch (off) {
	case APIC_EOI:
		eoi_write(apic);
		return 0;
	case APIC_TASKPRI:
		tpr_set(apic, val);
		return 0;
	case APIC_ICR:
		val &= ~APIC_ICR_BUSY;
		reg_set(apic, APIC_ICR, val);
		send_ipi(apic, val, reg_get(apic, APIC_ICR2));
		return 0;
	case APIC_TMICT:
		if (apic->timer_mode != APIC_LVT_TIMER_TSCDEADLINE) {
			reg_set(apic, APIC_TMICT, val);
			hvm_lapic_timer_start(apic);
		}
		return 0;
	case APIC_TDCR:
		hvm_lapic_set_divide(apic, val);
		return 0;
	case APIC_LVTT:
	case APIC_LVTTHMR:
	case APIC_LVTPC:
	case APIC_LVT0:
	case APIC_LVT1:
	case APIC_LVTERR:
		set_lvt(apic, off, val);
		return 0;
	case APIC_SPIV:
		set_spiv(apic, val);
		return 0;
	case APIC_ESR:
		/* hvm finds no errors; x2APIC mode takes only 0. */
		reg_set(apic, APIC_ESR, 0);
		return val && is_x2apic(apic) ? -EINVAL : 0;
	case APIC_ID:
	case APIC_LDR:
	case APIC_DFR:
	case APIC_ICR2:
		return xapic_write(apic, off, val);
	case APIC_SELF_IPI:
		if (!is_x2apic(apic) || val & ~APIC_VECTOR_MASK)
			return -EINVAL;
		send_ipi(apic, APIC_DEST_SELF | val, 0);
		return 0;
	}
	return -EINVAL;
}

static bool in_page(struct hvm_vcpu *vcpu, gpa_t gpa)
{
	return gpa >> PAGE_SHIFT == vcpu->apic_base >> PAGE_SHIFT;
}

static bool xapic_on(struct hvm_vcpu *vcpu)
{
	return (vcpu->apic_base & BASE_X2APIC) == MSR_IA32_APICBASE_ENABLE;
}

/* KVM's quirk: the page stays a hole that reads as ones while the APIC does not answer there. */
bool hvm_lapic_owns(struct hvm_vcpu *vcpu, gpa_t gpa)
{
	return vcpu->apic && in_page(vcpu, gpa) &&
	       (xapic_on(vcpu) || !(vcpu->vm->disabled_quirks & HVM_X86_QUIRK_LAPIC_MMIO_HOLE));
}

/**
 * hvm_lapic_mmio - the guest reads or writes the xAPIC page
 * @vcpu: own thread; interrupts may be off
 * @gpa: guest-physical address
 * @len: bytes
 * @data: where they go or come from
 * @write: direction
 *
 * Return: 0, or -EOPNOTSUPP when there is no local APIC at @gpa.
 */
int hvm_lapic_mmio(struct hvm_vcpu *vcpu, gpa_t gpa, u32 len, void *data, bool write)
{
	struct hvm_lapic *apic = vcpu->apic;
	u32 off = gpa & ~PAGE_MASK, reg = off & ~0xf, val;

	if (unlikely(!hvm_lapic_owns(vcpu, gpa)))
		return -EOPNOTSUPP;
	vcpu->stat[HVM_STAT_APIC_ACCESS]++;
	if (unlikely(!xapic_on(vcpu))) {
		if (!write)
			memset(data, 0xff, len);
		return 0;
	}
	if (write) {
		/* Only aligned 32-bit accesses are defined; others are lost. */
		if (len == 4 && off == reg)
			reg_write(apic, reg, *(u32 *)data);
		return 0;
	}
	if (unlikely((off & 0xf) + len > 4 || reg > 0x3f0 ||
		     !((READABLE | READABLE_XAPIC) & REG(reg)))) {
		memset(data, 0, len);
		return 0;
	}
	val = reg_read(apic, reg);
	memcpy(data, (u8 *)&val + (off & 0xf), len);
	return 0;
}

static int x2apic_read(struct hvm_lapic *apic, u32 reg, u64 *val)
{
	if (!(READABLE & REG(reg)))
		return -EINVAL;
	*val = reg_read(apic, reg);
	if (reg == APIC_ICR)
		*val |= (u64)reg_get(apic, APIC_ICR + 4) << 32;
	return 0;
}

static int x2apic_write(struct hvm_lapic *apic, u32 reg, u64 val)
{
	if (reg == APIC_ICR) {
		val &= ~(u64)APIC_ICR_BUSY;
		reg_set(apic, APIC_ICR, val);
		reg_set(apic, APIC_ICR + 4, val >> 32);
		send_ipi(apic, val, val >> 32);
		return 0;
	}
	if (val >> 32 || (reg == APIC_EOI && val))
		return -EINVAL;
	return reg_write(apic, reg, val);
}

/* ---- MSRs ---- */

static int set_base(struct hvm_vcpu *vcpu, u64 val, bool host)
{
	struct hvm_lapic *apic = vcpu->apic;
	u64 old = vcpu->apic_base, changed = old ^ val;
	u64 reserved = 0x2ff | ~(BIT_ULL(vcpu->maxphyaddr) - 1);
	u64 mode = val & BASE_X2APIC;

	if (!hvm_guest_has(vcpu, X86_FEATURE_X2APIC))
		reserved |= X2APIC_ENABLE;
	if (val & reserved || mode == X2APIC_ENABLE)
		return -EINVAL;
	/* Into x2APIC mode only from xAPIC mode, out of it only to disabled. */
	if (!host && (((old & BASE_X2APIC) == BASE_X2APIC && mode == MSR_IA32_APICBASE_ENABLE) ||
		      (!(old & MSR_IA32_APICBASE_ENABLE) && mode == BASE_X2APIC)))
		return -EINVAL;
	WRITE_ONCE(vcpu->apic_base, val);
	if (changed & MSR_IA32_APICBASE_ENABLE)
		hvm_cpuid_update(vcpu);
	if (!apic || !(changed & BASE_X2APIC))
		return 0;
	if (mode == BASE_X2APIC) {
		reg_set(apic, APIC_ID, vcpu->id);
		reg_set(apic, APIC_LDR, x2apic_ldr(vcpu->id));
	} else if (mode) {
		reg_set(apic, APIC_ID, vcpu->id << 24);
		reg_set(apic, APIC_LDR, 0);
		reg_set(apic, APIC_DFR, 0xffffffff);
	}
	map_update(apic);
	hvm_request_only(vcpu, HVM_REQ_TRAPS);
	hvm_request_only(vcpu, HVM_REQ_EVENT);
	return 0;
}

int hvm_lapic_get_msr(struct hvm_vcpu *vcpu, u32 msr, u64 *val)
{
	struct hvm_lapic *apic = vcpu->apic;

	if (msr - APIC_BASE_MSR <= 0x3f) {
		if (!apic || !is_x2apic(apic))
			return -EINVAL;
		return x2apic_read(apic, (msr - APIC_BASE_MSR) << 4, val);
	}
	switch (msr) {
	case MSR_IA32_TSC_DEADLINE:
		*val = apic ? hvm_lapic_get_deadline(apic) : 0;
		return 0;
	case MSR_IA32_APICBASE:
		*val = vcpu->apic_base;
		return 0;
	}
	/* The rest of the x2APIC range is reserved. */
	return msr - APIC_BASE_MSR <= 0xff ? -EINVAL : -ENOENT;
}

int hvm_lapic_set_msr(struct hvm_vcpu *vcpu, u32 msr, u64 val, bool host)
{
	struct hvm_lapic *apic = vcpu->apic;

	if (msr - APIC_BASE_MSR <= 0x3f) {
		if (!apic || !is_x2apic(apic))
			return -EINVAL;
		return x2apic_write(apic, (msr - APIC_BASE_MSR) << 4, val);
	}
	switch (msr) {
	case MSR_IA32_TSC_DEADLINE:
		if (apic && hw_enabled(apic) && apic->timer_mode == APIC_LVT_TIMER_TSCDEADLINE)
			hvm_lapic_set_deadline(apic, val);
		return 0;
	case MSR_IA32_APICBASE:
		return set_base(vcpu, val, host);
	}
	return msr - APIC_BASE_MSR <= 0xff ? -EINVAL : -ENOENT;
}

/* ---- HVM_GET_LAPIC, HVM_SET_LAPIC ---- */

/* The register at @off of a struct hvm_lapic_state. */
#define STATE(s, off)	(*(u32 *)((s)->regs + (off)))

int hvm_lapic_get_state(struct hvm_vcpu *vcpu, struct hvm_lapic_state *s)
{
	struct hvm_lapic *apic = vcpu->apic;

	hvm_lapic_sync_pv_eoi(vcpu);
	take_posted(apic);
	memcpy(s->regs, apic->regs, sizeof(s->regs));
	STATE(s, APIC_TASKPRI) = tpr_get(apic);
	STATE(s, APIC_PROCPRI) = ppr_get(apic);
	STATE(s, APIC_TMCCT) = reg_read(apic, APIC_TMCCT);
	if (is_x2apic(apic)) {
		if (!vcpu->vm->x2apic_ids)
			STATE(s, APIC_ID) <<= 24;
		STATE(s, APIC_ICR2) = STATE(s, APIC_ICR + 4);
		STATE(s, APIC_ICR + 4) = 0;
	}
	return 0;
}

int hvm_lapic_set_state(struct hvm_vcpu *vcpu, const struct hvm_lapic_state *s)
{
	struct hvm_lapic *apic = vcpu->apic;
	bool x2 = is_x2apic(apic);

	if (x2 && vcpu->vm->x2apic_ids && STATE(s, APIC_ID) != vcpu->id)
		return -EINVAL;
	hvm_lapic_sync_pv_eoi(vcpu);
	hvm_lapic_timer_cancel(apic);
	memset(apic->posted, 0, sizeof(apic->posted));
	memcpy(apic->regs, s->regs, sizeof(s->regs));
	WRITE_ONCE(apic->irr_words, 0xff);
	/* What is derived, or not userspace's to choose. */
	reg_set(apic, APIC_LVR, LAPIC_VERSION);
	if (x2) {
		reg_set(apic, APIC_ID, vcpu->id);
		reg_set(apic, APIC_LDR, x2apic_ldr(vcpu->id));
		reg_set(apic, APIC_ICR + 4, STATE(s, APIC_ICR2));
		reg_set(apic, APIC_ICR2, 0);
	}
	vcpu->cr8 = reg_get(apic, APIC_TASKPRI) >> 4 & 0xf;
	apic->isr_top = vec_highest(apic, APIC_ISR);
	map_update(apic);
	hvm_lapic_timer_resume(apic, STATE(s, APIC_TMCCT));
	reg_set(apic, APIC_TMCCT, 0);
	hvm_request_only(vcpu, HVM_REQ_EVENT);
	return 0;
}

/*
 * ---- the copy of the TPR in guest memory ----
 *
 * Code that a VMM patches into old guests writes the TPR there instead of to the
 * register, and leaves the guest only if the highest request, which it finds
 * beside it, has become deliverable. So memory says what the TPR is at each exit,
 * and is told before each entry that follows a change.
 */

int hvm_lapic_set_vapic(struct hvm_vcpu *vcpu, u64 gpa)
{
	struct hvm_slot slot;

	if (gpa && (offset_in_page(gpa) > PAGE_SIZE - sizeof(u32) ||
		    !hvm_slot_find(vcpu->vm, hvm_gfn(gpa), &slot)))
		return -EINVAL;
	vcpu->vapic = gpa;
	if (gpa)
		hvm_request_only(vcpu, HVM_REQ_EVENT);
	return 0;
}

void hvm_lapic_from_vapic(struct hvm_vcpu *vcpu)
{
	u8 tpr;

	if (!hvm_read_gpa(vcpu->vm, vcpu->vapic, &tpr, sizeof(tpr)) &&
	    tpr != tpr_get(vcpu->apic))
		tpr_set(vcpu->apic, tpr);
}

void hvm_lapic_to_vapic(struct hvm_vcpu *vcpu)
{
	struct hvm_lapic *apic = vcpu->apic;
	int irr = irr_highest(apic), isr = isr_highest(apic);
	u8 copy[4] = { tpr_get(apic), isr < 0 ? 0 : isr & 0xf0, 0, irr < 0 ? 0 : irr };

	hvm_write_gpa(vcpu, vcpu->vapic, copy, sizeof(copy));
}

/* ---- for the common code and the backends ---- */

/* HVM_REQ_SCAN_IOAPIC */
void hvm_lapic_scan_ioapic(struct hvm_vcpu *vcpu)
{
	struct hvm_lapic *apic = vcpu->apic;

	if (!apic)
		return;
	hvm_routing_eoi_vectors(vcpu, apic->eoi_exits);
	hvm_backend->update_traps(vcpu, HVM_TRAPS_EOI);
}

/* Is @vec on its way to the guest or in service there? Its EOI is still to come. */
bool hvm_lapic_busy(struct hvm_vcpu *vcpu, u8 vec)
{
	return test_bit(vec, vcpu->apic->posted) || vec_test(vcpu->apic, APIC_IRR, vec) ||
	       vec_test(vcpu->apic, APIC_ISR, vec);
}

void *hvm_lapic_page(struct hvm_vcpu *vcpu)
{
	return vcpu->apic->regs;
}

u64 *hvm_lapic_eoi_exits(struct hvm_vcpu *vcpu)
{
	return vcpu->apic->eoi_exits;
}

/* The processor ended a vector that is in eoi_exits. */
void hvm_lapic_eoi_induced(struct hvm_vcpu *vcpu, u8 vector)
{
	broadcast_eoi(vcpu->apic, vector);
}

/**
 * hvm_lapic_set_virtual - from now on the processor delivers interrupts, or no longer does
 * @vcpu: own thread, may sleep
 * @on: which
 */
void hvm_lapic_set_virtual(struct hvm_vcpu *vcpu, bool on)
{
	if (on == vcpu->virtual_irq)
		return;
	/* It would not know of a vector that the guest ended in memory. */
	hvm_lapic_sync_pv_eoi(vcpu);
	WRITE_ONCE(vcpu->virtual_irq, on);
	/* From here on everybody posts the new way. */
	synchronize_rcu_expedited();
	take_posted(vcpu->apic);
	WRITE_ONCE(vcpu->apic->irr_words, 0xff);
	vcpu->apic->isr_top = vec_highest(vcpu->apic, APIC_ISR);
	hvm_request_only(vcpu, HVM_REQ_EVENT);
}

/* What virtual-interrupt delivery starts from: RVI, and SVI in bits 15:8. */
u16 hvm_lapic_irq_status(struct hvm_vcpu *vcpu)
{
	struct hvm_lapic *apic = vcpu->apic;
	int irr = irr_highest(apic), isr = vec_highest(apic, APIC_ISR);

	return (irr > 0 && sw_enabled(apic) ? irr : 0) | (isr > 0 ? isr << 8 : 0);
}

void hvm_lapic_tpr_changed(struct hvm_vcpu *vcpu)
{
	reg_set(vcpu->apic, APIC_TASKPRI, tpr_get(vcpu->apic));
}

/* ---- life ---- */

void hvm_lapic_reset(struct hvm_vcpu *vcpu, bool init)
{
	struct hvm_lapic *apic = vcpu->apic;
	bool bsp = vcpu->id == vcpu->vm->bsp_id;
	u32 id;

	hvm_pv_reset(vcpu);
	hvm_lapic_timer_reset(apic);
	if (!init)
		WRITE_ONCE(vcpu->apic_base, HVM_APIC_BASE | MSR_IA32_APICBASE_ENABLE |
					    (bsp ? MSR_IA32_APICBASE_BSP : 0));
	id = init ? reg_get(apic, APIC_ID) : vcpu->id << 24;
	memset(apic->regs, 0, PAGE_SIZE);
	memset(apic->posted, 0, sizeof(apic->posted));
	reg_set(apic, APIC_ID, id);
	reg_set(apic, APIC_LVR, LAPIC_VERSION);
	reg_set(apic, APIC_SPIV, 0xff);
	reg_set(apic, APIC_DFR, 0xffffffff);
	if (is_x2apic(apic))
		reg_set(apic, APIC_LDR, x2apic_ldr(vcpu->id));
	mask_lvts(apic);
	/* Before an operating system programs it, the 8259A reaches the first processor. */
	if (bsp && !init && !(vcpu->vm->disabled_quirks & HVM_X86_QUIRK_LINT0_REENABLED))
		reg_set(apic, APIC_LVT0, MODE_EXTINT << 8);
	apic->isr_top = -1;
	apic->pv_eoi = false;
	vcpu->vapic = 0;
	vcpu->cr8 = 0;
	map_update(apic);
	hvm_request_only(vcpu, HVM_REQ_TRAPS);
}

int hvm_lapic_create(struct hvm_vcpu *vcpu)
{
	struct hvm_apic_map *map = rcu_dereference_raw(vcpu->vm->apic_map);
	struct hvm_lapic *apic;

	if (vcpu->id >= LAPIC_IDS)
		return -EINVAL;
	if (!map) {
		map = kvzalloc(sizeof(*map), GFP_KERNEL_ACCOUNT);
		if (!map)
			return -ENOMEM;
		rcu_assign_pointer(vcpu->vm->apic_map, map);
	}
	apic = kzalloc(sizeof(*apic), GFP_KERNEL_ACCOUNT);
	if (!apic)
		return -ENOMEM;
	apic->regs = (u8 *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (!apic->regs) {
		kfree(apic);
		return -ENOMEM;
	}
	apic->vcpu = vcpu;
	apic->phys_id = -1;
	apic->isr_top = -1;
	hvm_lapic_timer_setup(apic);
	vcpu->apic = apic;
	/* Senders that find it find it whole. */
	smp_store_release(&map->vcpu[vcpu->id], apic);
	return 0;
}

static void lapic_free(struct rcu_head *rcu)
{
	struct hvm_lapic *apic = container_of(rcu, struct hvm_lapic, rcu);

	free_page((unsigned long)apic->regs);
	kfree(apic);
}

void hvm_lapic_destroy(struct hvm_vcpu *vcpu)
{
	struct hvm_apic_map *map = rcu_dereference_raw(vcpu->vm->apic_map);
	struct hvm_lapic *apic = vcpu->apic;

	hvm_lapic_timer_cancel(apic);
	vcpu->apic_base &= ~BASE_X2APIC;
	map_update(apic);
	WRITE_ONCE(map->vcpu[vcpu->id], NULL);
	call_rcu(&apic->rcu, lapic_free);
}

void hvm_lapic_free_map(struct hvm_vm *vm)
{
	struct hvm_apic_map *map = rcu_dereference_raw(vm->apic_map);

	if (map)
		kvfree_rcu(map, rcu);
}
