// SPDX-License-Identifier: GPL-2.0-only
/*
 * Accesses to devices: MMIO, ports, and the instructions behind them.
 *
 * A stage-2 fault where there is no memory ends here. The instruction is
 * fetched and decoded (decode.c), then carried out as a small machine with
 * four phases - load operand 0, load operand 1, compute, store - over struct
 * hvm_emul. A phase moves its operand in one chunk, or in two where it crosses
 * a page, since what lies behind that may be another thing altogether. Each
 * chunk goes to the local APIC, to guest memory, to an ioeventfd, or out to
 * userspace as one HVM_EXIT_MMIO; in the last case the machine stops where it
 * is and vcpu->complete takes it up at the next RUN.
 *
 * Both addresses are translated, with the access rights that will be needed,
 * before anything is loaded: nothing has happened yet when a fault is raised.
 * Registers and RIP move on in the compute phase, so before the stores, as
 * clients know it from KVM: a vCPU stopped at an MMIO write is past it.
 *
 * A plain MOV of a guest in 64-bit mode, which is what drivers use, does not
 * come that far: hvm_fast_mmio() does it where the exit is found. It knows the
 * last instruction it decoded by its bytes, and the last page where chunk() found
 * no memory for as long as no slot changes.
 *
 * Userspace that sets RIP at an exit (a reset, most often) ends the access
 * there and then.
 *
 * Port I/O needs no decoding but for the string forms, which are moved a page
 * at a time: one exit for up to 4096 bytes where memory is ordinary memory.
 *
 * struct hvm_emul is touched by the vCPU's own thread only. What userspace left
 * in the shared pages is read once, and nothing but data is taken from there.
 */
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <asm/apicdef.h>
#include "../irq/legacy.h"
#include "../trace.h"
#include "decode.h"

/* REP goes back into the guest this often, so that interrupts get in. */
#define EMUL_REP_MAX	64

enum { EMUL_LOAD0, EMUL_LOAD1, EMUL_STORE };

/* A memory operand, translated. */
struct hvm_operand {
	gpa_t gpa[2];		/* start; continuation if it crosses a page */
	u16 first;		/* bytes before the crossing */
};

struct hvm_emul {
	struct hvm_insn insn;
	struct hvm_operand op[2];
	u64 val[2];		/* operands as loaded */
	u64 store;
	gpa_t fault_gpa;	/* what the processor told, for the first access only */
	u8 phase;
	u8 pos;			/* bytes moved in this phase */
	bool do_store;
	bool more;		/* REP: not the last iteration */
	u8 rounds;
	u32 count;		/* port I/O under way */
	u64 exit_rip;		/* RIP at the exit that vcpu->complete takes up */
	u64 bytes[2];		/* what fast_decode() last made fast_insn of */
	struct hvm_insn fast_insn;	/* .len 0: none */
	u64 device_gen;		/* vm->slots_gen when there was no memory at device_gfn; 0: never */
	gfn_t device_gfn;
};

static_assert(HVM_SREG_ES == (int)HVM_SEG_ES && HVM_SREG_GS == (int)HVM_SEG_GS);
static_assert(HVM_REG_RDI == (int)HVM_RDI && HVM_REG_RSP == (int)HVM_RSP);

int hvm_emul_create(struct hvm_vcpu *vcpu)
{
	vcpu->emul = kzalloc(sizeof(*vcpu->emul), GFP_KERNEL_ACCOUNT);
	return vcpu->emul ? 0 : -ENOMEM;
}

void hvm_emul_destroy(struct hvm_vcpu *vcpu)
{
	kfree(vcpu->emul);
	vcpu->emul = NULL;
}

/**
 * hvm_emul_failure() - an instruction hvm does not carry out
 * @vcpu: the vCPU
 * @bytes: instruction bytes, if known
 * @n: how many, 0 ... 15
 *
 * A guest's user programs must not be able to stop it: they get #UD. For its
 * kernel the answer is HVM_EXIT_INTERNAL_ERROR, with #UD waiting should
 * userspace go on regardless.
 *
 * Return: as handlers of exits do.
 */
int hvm_emul_failure(struct hvm_vcpu *vcpu, const u8 *bytes, int n)
{
	struct hvm_run *run = vcpu->run;
	int info = 1;

	if (!vcpu->vm->exit_on_emul_error) {
		hvm_inject_ud(vcpu);
		if (hvm_vcpu_cpl(vcpu))
			return 1;
	}
	memset(&run->internal, 0, sizeof(run->internal));
	run->exit_reason = HVM_EXIT_INTERNAL_ERROR;
	run->emulation_failure.suberror = HVM_INTERNAL_ERROR_EMULATION;
	if (n) {
		info = 3;
		run->emulation_failure.flags =
			HVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES;
		run->emulation_failure.insn_size = n;
		memset(run->emulation_failure.insn_bytes, 0x90, HVM_INSN_MAX);
		memcpy(run->emulation_failure.insn_bytes, bytes, n);
	}
	run->internal.data[info] = vcpu->exit.code;
	if (vcpu->exit.code == HVM_X_STAGE2) {
		run->internal.data[info + 1] = vcpu->exit.fault.gpa;
		run->internal.data[info + 2] = vcpu->exit.fault.access;
	}
	run->emulation_failure.ndata = info + 5;
	return 0;
}

static unsigned int code_size(struct hvm_vcpu *vcpu)
{
	switch (hvm_cpu_mode(vcpu)) {
	case HVM_CPU_LONG64:
		return HVM_CODE64;
	case HVM_CPU_PROT32:
		return HVM_CODE32;
	default:
		return HVM_CODE16;
	}
}

/*
 * Decode the instruction at RIP. False: *ret is what the handler returns.
 * Bytes from the processor spare the walk, but end with the page.
 */
static bool emul_decode(struct hvm_vcpu *vcpu, struct hvm_insn *insn, int *ret)
{
	struct hvm_exit_info *x = &vcpu->exit;
	unsigned int mode = code_size(vcpu);
	u8 buf[HVM_INSN_MAX];
	int n, r = HVM_INSN_MORE;

	if (x->insn_bytes_valid) {
		n = min_t(int, x->nr_insn_bytes, HVM_INSN_MAX);
		memcpy(buf, x->insn_bytes, n);
		r = hvm_insn_decode(insn, buf, n, mode);
	}
	if (r == HVM_INSN_MORE) {
		*ret = 1;
		n = hvm_fetch_insn(vcpu, buf, HVM_INSN_MAX);
		if (n < 0)		/* fetched from where there is no memory */
			*ret = hvm_emul_failure(vcpu, buf, 0);
		if (n <= 0)
			return false;
		r = hvm_insn_decode(insn, buf, n, mode);
	}
	if (!r)
		return true;
	if (r == HVM_INSN_ILLEGAL) {
		hvm_inject_ud(vcpu);
		*ret = 1;
	} else {
		*ret = hvm_emul_failure(vcpu, buf, n);
	}
	return false;
}

/* Would the segment let @bytes at @off through? For 16- and 32-bit code. */
static bool segment_ok(struct hvm_vcpu *vcpu, const struct hvm_segment *s,
		       u64 off, u32 bytes, bool write)
{
	u64 last = off + bytes - 1;

	if (hvm_cpu_mode(vcpu) > HVM_CPU_VM86) {
		bool code = s->type & 8, rw = s->type & 2;

		if (s->unusable || (write && (code || !rw)) || (!write && code && !rw))
			return false;
		if (!code && s->type & 4)	/* expands down */
			return off > s->limit && last <= (s->db ? U32_MAX : U16_MAX);
	}
	return last <= s->limit;
}

/* Linear address of operand @n; false: outside its segment. */
static bool operand_linear(struct hvm_vcpu *vcpu, unsigned int n, u32 bytes,
			   bool write, gva_t *la)
{
	struct hvm_insn *insn = &vcpu->emul->insn;
	unsigned int sreg = hvm_insn_seg(insn, n);
	struct hvm_segment s = {};

	if (sreg != HVM_SREG_NONE)
		hvm_backend->get_seg(vcpu, sreg, &s);
	*la = hvm_insn_ea(insn, n, vcpu->gpr, s.base, vcpu->rip);
	return insn->mode == HVM_CODE64 ||
	       segment_ok(vcpu, &s, hvm_insn_offset(insn, n, vcpu->gpr, vcpu->rip),
			  bytes, write);
}

/* Does the operand begin at the start of a page, rather than before it? 64-bit code. */
static bool page_aligned(struct hvm_vcpu *vcpu, const struct hvm_insn *insn)
{
	unsigned int sreg = hvm_insn_seg(insn, 0);
	struct hvm_segment s = {};

	if (sreg == HVM_SREG_FS || sreg == HVM_SREG_GS)
		hvm_backend->get_seg(vcpu, sreg, &s);
	return !offset_in_page(hvm_insn_ea(insn, 0, vcpu->gpr, s.base, vcpu->rip));
}

/* Translate operand @n. 0: done; 1: the guest gets a fault; -EFAULT: no table. */
static int operand(struct hvm_vcpu *vcpu, unsigned int n, bool write)
{
	struct hvm_emul *e = vcpu->emul;
	struct hvm_operand *op = &e->op[n];
	u32 access = write ? HVM_ACCESS_WRITE : HVM_ACCESS_READ;
	u32 size = e->insn.size, left;
	gva_t la;
	int r;

	if (!operand_linear(vcpu, n, size, write, &la)) {
		hvm_queue_exception_err(vcpu, hvm_insn_seg(&e->insn, n) == HVM_SREG_SS ?
					12 : 13, 0);
		return 1;
	}
	left = PAGE_SIZE - offset_in_page(la);
	op->first = min(size, left);
	if (e->fault_gpa != HVM_INVALID_GPA && size <= left &&
	    offset_in_page(la) == offset_in_page(e->fault_gpa)) {
		op->gpa[0] = e->fault_gpa;
		return 0;
	}
	if (hvm_vcpu_cpl(vcpu) == 3)
		access |= HVM_ACCESS_USER;
	r = hvm_walk(vcpu, la, access, &op->gpa[0], true);
	if (r || size <= left)
		return r;
	la += left;
	if (e->insn.mode != HVM_CODE64)
		la = (u32)la;
	return hvm_walk(vcpu, la, access, &op->gpa[1], true);
}

/* Begin an iteration: translate what will be accessed. As operand(). */
static int emul_begin(struct hvm_vcpu *vcpu)
{
	struct hvm_emul *e = vcpu->emul;
	u8 flags = e->insn.flags;
	bool movs = hvm_insn_dst(&e->insn);
	int r = 0;

	e->phase = EMUL_LOAD0;
	e->pos = 0;
	memset(e->val, 0, sizeof(e->val));
	if (flags & (HVM_INSN_READ | HVM_INSN_WRITE))
		r = operand(vcpu, 0, flags & HVM_INSN_WRITE && !movs);
	if (!r && (movs || flags & HVM_INSN_READ1))
		r = operand(vcpu, 1, movs);
	e->fault_gpa = HVM_INVALID_GPA;
	return r;
}

static int emul_run(struct hvm_vcpu *vcpu);

/* The buffer and the operand of the phase we are in. */
static u8 *phase_buf(struct hvm_emul *e, struct hvm_operand **op)
{
	if (e->phase == EMUL_STORE) {
		*op = &e->op[hvm_insn_dst(&e->insn)];
		return (u8 *)&e->store;
	}
	*op = &e->op[e->phase];
	return (u8 *)&e->val[e->phase];
}

static u32 chunk_len(const struct hvm_emul *e, const struct hvm_operand *op)
{
	u32 end = e->pos < op->first ? op->first : e->insn.size;

	return end - e->pos;
}

static void trace_chunk(bool write, gpa_t gpa, const void *buf, u32 len)
{
	u64 val = 0;

	if (trace_hvm_mmio_enabled()) {
		memcpy(&val, buf, len);
		trace_hvm_mmio(write, gpa, len, val);
	}
}

static gpa_t chunk_gpa(const struct hvm_emul *e, const struct hvm_operand *op)
{
	return e->pos < op->first ? op->gpa[0] + e->pos : op->gpa[1] + e->pos - op->first;
}

static int mmio_complete(struct hvm_vcpu *vcpu)
{
	struct hvm_emul *e = vcpu->emul;
	struct hvm_operand *op;
	u8 *buf = phase_buf(e, &op);
	u32 len = chunk_len(e, op);

	if (vcpu->rip != e->exit_rip)
		return 1;
	if (e->phase != EMUL_STORE) {
		memcpy(buf + e->pos, vcpu->run->mmio.data, len);
		trace_chunk(false, chunk_gpa(e, op), buf + e->pos, len);
	}
	e->pos += len;
	return emul_run(vcpu);
}

static int mmio_exit(struct hvm_vcpu *vcpu, gpa_t gpa, u64 val, u32 len, bool write)
{
	struct hvm_run *run = vcpu->run;

	run->exit_reason = HVM_EXIT_MMIO;
	run->mmio.phys_addr = gpa;
	*(u64 *)run->mmio.data = val;
	run->mmio.len = len;
	run->mmio.is_write = write;
	vcpu->stat[HVM_STAT_MMIO_EXITS]++;
	vcpu->emul->exit_rip = vcpu->rip;
	vcpu->complete = mmio_complete;
	return 0;
}
static_assert(sizeof_field(struct hvm_run, mmio.data) == sizeof(u64));

/* The VMM wants to know which instructions use the task priority. */
static void report_tpr_access(struct hvm_vcpu *vcpu, bool write)
{
	/* Stores come when RIP has moved on. */
	vcpu->tpr_rip = vcpu->rip - (write ? vcpu->exit.insn_len : 0);
	vcpu->tpr_write = write;
	hvm_request_only(vcpu, HVM_REQ_TPR_ACCESS);
}

/* Memory after all, as @s knows it: another look might find the slot gone again. */
static int slot_access(struct hvm_vcpu *vcpu, const struct hvm_slot *s, gpa_t gpa,
		       u8 *buf, u32 len, bool write)
{
	void __user *p = (void __user *)(s->hva + (gpa - (s->base << PAGE_SHIFT)));

	if (!write)
		return copy_from_user(buf, p, len) ? -EFAULT : 1;
	if (copy_to_user(p, buf, len))
		return -EFAULT;
	hvm_mark_dirty(vcpu, hvm_gfn(gpa));
	return 1;
}

/* One chunk, to or from whatever is there. 1: done; else as handlers. */
static int chunk(struct hvm_vcpu *vcpu, gpa_t gpa, u8 *buf, u32 len, bool write)
{
	struct hvm_vm *vm = vcpu->vm;
	struct hvm_slot slot;
	u64 val = 0, gen;

	if (write) {
		memcpy(&val, buf, len);
		trace_chunk(write, gpa, buf, len);
	}
	if (vcpu->apic && hvm_lapic_owns(vcpu, gpa) &&
	    !hvm_lapic_mmio(vcpu, gpa, len, buf, write)) {
		if (unlikely(vcpu->tpr_report) && offset_in_page(gpa) == APIC_TASKPRI)
			report_tpr_access(vcpu, write);
		return 1;
	}
	gen = smp_load_acquire(&vm->slots_gen);
	if (!hvm_slot_find(vm, hvm_gfn(gpa), &slot)) {
		vcpu->emul->device_gfn = hvm_gfn(gpa);
		vcpu->emul->device_gen = gen;
	} else if (!(write && slot.flags & HVM_MEM_READONLY)) {
		return slot_access(vcpu, &slot, gpa, buf, len, write);
	}
	if (vm->ioapic && hvm_ioapic_mmio(vm, gpa, len, buf, write))
		return 1;
	if (write && hvm_ioeventfd_any(vm, true) &&
	    hvm_ioeventfd_hit(vm, true, gpa, len, val))
		return 1;
	if (write && hvm_coalesce(vm, false, gpa, len, buf))
		return 1;
	return mmio_exit(vcpu, gpa, val, len, write);
}

/* Move the operand of this phase. 1: all of it; else as handlers. */
static int transfer(struct hvm_vcpu *vcpu)
{
	struct hvm_emul *e = vcpu->emul;
	struct hvm_operand *op;
	u8 *buf = phase_buf(e, &op);

	while (e->pos < e->insn.size) {
		u32 len = chunk_len(e, op);
		gpa_t gpa = chunk_gpa(e, op);
		int r = chunk(vcpu, gpa, buf + e->pos, len, e->phase == EMUL_STORE);

		if (r <= 0)
			return r;
		if (e->phase != EMUL_STORE)
			trace_chunk(false, gpa, buf + e->pos, len);
		e->pos += len;
	}
	return 1;
}

/* Compute; registers, flags and RIP (or the string's count) move on. */
static void emul_retire(struct hvm_vcpu *vcpu)
{
	struct hvm_emul *e = vcpu->emul;

	e->more = false;
	e->do_store = hvm_insn_finish(&e->insn, e->val, vcpu->gpr, &vcpu->rflags,
				      &e->store);
	if (e->insn.flags & HVM_INSN_STRING)
		e->more = hvm_insn_step(&e->insn, min_t(u64, hvm_insn_count(&e->insn, vcpu->gpr), 1),
					vcpu->gpr, vcpu->rflags);
	/* With length 0 this only ends the shadow and single-steps the iteration. */
	vcpu->exit.insn_len = e->more ? 0 : e->insn.len;
	hvm_skip_insn(vcpu);
	e->phase = EMUL_STORE;
	e->pos = 0;
}

static bool may_continue(struct hvm_vcpu *vcpu)
{
	return vcpu->emul->more && ++vcpu->emul->rounds < EMUL_REP_MAX &&
	       !(vcpu->rflags & X86_EFLAGS_TF) && !vcpu->guest_debug &&
	       !READ_ONCE(vcpu->requests) && !signal_pending(current) &&
	       !need_resched();
}

static int outs_exit(struct hvm_vcpu *vcpu);

/* RUN after one that could not reach guest memory: take it up, unless userspace moved RIP. */
static int emul_resume(struct hvm_vcpu *vcpu)
{
	return vcpu->rip == vcpu->emul->exit_rip ? emul_run(vcpu) : 1;
}

/* Move this phase's operand. On an error the machine stays as it is: no store may be lost. */
static int emul_transfer(struct hvm_vcpu *vcpu)
{
	int r = transfer(vcpu);

	if (unlikely(r < 0)) {
		vcpu->emul->exit_rip = vcpu->rip;
		vcpu->complete = emul_resume;
	}
	return r;
}

/* Go on from where the machine stands. Returns as handlers do. */
static int emul_run(struct hvm_vcpu *vcpu)
{
	struct hvm_emul *e = vcpu->emul;
	int r;

	do {
		if (e->phase == EMUL_LOAD0 && e->insn.flags & HVM_INSN_READ) {
			r = emul_transfer(vcpu);
			if (r <= 0)
				return r;
		}
		if (e->phase == EMUL_LOAD0) {
			e->phase = EMUL_LOAD1;
			e->pos = 0;
		}
		if (e->phase == EMUL_LOAD1) {
			r = e->insn.flags & HVM_INSN_READ1 ? emul_transfer(vcpu) : 1;
			if (r <= 0)
				return r;
			emul_retire(vcpu);
			if (e->insn.op == HVM_OP_OUTS)
				return outs_exit(vcpu);
		}
		if (e->do_store) {
			r = emul_transfer(vcpu);
			if (r <= 0)
				return r;
		}
		/* INS has its next datum to get: another exit of the processor. */
		if (e->insn.op == HVM_OP_INS || !may_continue(vcpu))
			return 1;
		r = emul_begin(vcpu);
	} while (!r);
	return r == 1 ? 1 : hvm_emul_failure(vcpu, NULL, 0);
}

/**
 * hvm_handle_mmio() - a stage-2 fault where there is no memory to map
 * @vcpu: the vCPU; vcpu->exit describes the fault
 * @gpa: guest-physical address
 * @access: HVM_ACCESS_*
 *
 * Return: as handlers of exits do.
 */
int hvm_handle_mmio(struct hvm_vcpu *vcpu, gpa_t gpa, u32 access)
{
	struct hvm_emul *e = vcpu->emul;
	int r;

	/* While an event is being delivered RIP is not what caused the access. */
	if (vcpu->inj) {
		u64 data[] = { vcpu->inj, vcpu->exit.code, access, gpa };

		return hvm_exit_internal_error(vcpu, HVM_INTERNAL_ERROR_DELIVERY_EV,
					       ARRAY_SIZE(data), data);
	}
	vcpu->stat[HVM_STAT_INSN_EMULATION]++;
	if (access & HVM_ACCESS_EXEC || vcpu->exit.fault.table_walk)
		return hvm_emul_failure(vcpu, NULL, 0);
	if (!emul_decode(vcpu, &e->insn, &r))
		return r;
	if (e->insn.op == HVM_OP_SYS || e->insn.op == HVM_OP_INS ||
	    e->insn.op == HVM_OP_OUTS)	/* not what faulted: code has changed */
		return 1;
	if (!hvm_insn_count(&e->insn, vcpu->gpr))
		return 1;
	e->fault_gpa = e->insn.flags & HVM_INSN_STRING ? HVM_INVALID_GPA : gpa;
	e->rounds = 0;
	r = emul_begin(vcpu);
	if (r)
		return r == 1 ? 1 : hvm_emul_failure(vcpu, NULL, 0);
	return emul_run(vcpu);
}

/*
 * Fetch and decode with interrupts off; what would have to sleep is left to the
 * slow path. The same bytes are the same instruction.
 */
static struct hvm_insn *fast_decode(struct hvm_vcpu *vcpu)
{
	struct hvm_exit_info *x = &vcpu->exit;
	struct hvm_emul *e = vcpu->emul;
	struct hvm_insn *insn = &e->fast_insn;
	u64 bytes[2] = {};
	bool fetched;

	if (x->insn_bytes_valid) {
		memcpy(bytes, x->insn_bytes, sizeof(x->insn_bytes));
		if (x->nr_insn_bytes < sizeof(x->insn_bytes))
			return NULL;
	} else {
		pagefault_disable();
		fetched = hvm_fetch_cached(vcpu, bytes);
		pagefault_enable();
		if (!fetched)
			return NULL;
	}
	if (likely(insn->len && bytes[0] == e->bytes[0] && bytes[1] == e->bytes[1]))
		return insn;
	memcpy(e->bytes, bytes, sizeof(bytes));
	if (!hvm_insn_decode(insn, (u8 *)bytes, HVM_INSN_MAX, HVM_CODE64) &&
	    insn->op == HVM_OP_MOV && !(insn->flags & HVM_INSN_STRING))
		return insn;
	insn->len = 0;
	return NULL;
}

static int fast_mmio_complete(struct hvm_vcpu *vcpu)
{
	struct hvm_insn *insn = &vcpu->emul->fast_insn;
	u64 mem[2] = { READ_ONCE(*(u64 *)vcpu->run->mmio.data) }, store;

	if (vcpu->rip != vcpu->emul->exit_rip)
		return 1;
	trace_hvm_mmio(false, vcpu->exit.fault.gpa, insn->size, mem[0]);
	hvm_insn_finish(insn, mem, vcpu->gpr, &vcpu->rflags, &store);
	vcpu->exit.insn_len = insn->len;
	hvm_skip_insn(vcpu);
	return 1;
}

/**
 * hvm_fast_mmio() - a plain MOV in 64-bit code to or from a device
 * @vcpu: the vCPU; interrupts may be off
 * @gpa: guest-physical address that faulted
 * @access: HVM_ACCESS_*
 *
 * The processor told the physical address, so the operand need not be
 * translated; only where it could be the second page of an access that
 * crosses into it, at offset 0, the slow path has to look.
 *
 * Return: HVM_FAST_SLOW: nothing was done; HVM_FAST_DONE: the caller advances RIP by
 * exit.insn_len; HVM_FAST_USER: likewise (by 0 for a load), and the rest is userspace's.
 */
enum hvm_fast hvm_fast_mmio(struct hvm_vcpu *vcpu, gpa_t gpa, u32 access)
{
	bool owned = vcpu->apic && hvm_lapic_owns(vcpu, gpa), apic = owned && !vcpu->tpr_report;
	bool write = access & HVM_ACCESS_WRITE;
	bool bells = write && hvm_ioeventfd_any(vcpu->vm, true);
	struct hvm_emul *e = vcpu->emul;
	bool user = !owned && hvm_gfn(gpa) == e->device_gfn &&
		    e->device_gen == READ_ONCE(vcpu->vm->slots_gen) &&
		    !(vcpu->vm->ioapic && hvm_ioapic_owns(vcpu->vm, gpa));
	u64 mem[2] = {}, store = 0;
	struct hvm_insn *insn;

	if (!apic && !bells && !user)
		return HVM_FAST_SLOW;
	hvm_forget_mode(vcpu);
	if (vcpu->inj || access & HVM_ACCESS_EXEC || vcpu->exit.fault.table_walk ||
	    hvm_cpu_mode(vcpu) != HVM_CPU_LONG64)
		return HVM_FAST_SLOW;
	insn = fast_decode(vcpu);
	if (!insn || !(insn->flags & (write ? HVM_INSN_WRITE : HVM_INSN_READ)) ||
	    offset_in_page(gpa) + insn->size > PAGE_SIZE ||
	    (!offset_in_page(gpa) && insn->size > 1 && !page_aligned(vcpu, insn)))
		return HVM_FAST_SLOW;
	vcpu->exit.insn_len = insn->len;
	if (write)
		hvm_insn_finish(insn, mem, vcpu->gpr, &vcpu->rflags, &store);
	if (apic ? !hvm_lapic_mmio(vcpu, gpa, insn->size, write ? &store : mem, write) :
		   (bells && hvm_ioeventfd_hit(vcpu->vm, true, gpa, insn->size, store)) ||
		   (write && user && hvm_coalesce(vcpu->vm, false, gpa, insn->size, &store))) {
		if (!write)
			hvm_insn_finish(insn, mem, vcpu->gpr, &vcpu->rflags, &store);
		trace_hvm_mmio(write, gpa, insn->size, write ? store : mem[0]);
		return HVM_FAST_DONE;
	}
	if (apic || !user)
		return HVM_FAST_SLOW;
	if (write)
		trace_hvm_mmio(true, gpa, insn->size, store);
	vcpu->stat[HVM_STAT_INSN_EMULATION]++;
	if (!write)
		vcpu->exit.insn_len = 0;
	mmio_exit(vcpu, gpa, store, insn->size, write);
	vcpu->complete = write ? NULL : fast_mmio_complete;
	vcpu->completes_fast = !write;
	return HVM_FAST_USER;
}

/* ---- ports ---- */

static int pio_complete(struct hvm_vcpu *vcpu);

static __always_inline int pio_exit(struct hvm_vcpu *vcpu, u32 size, u32 count, u32 offset,
				    int (*complete)(struct hvm_vcpu *vcpu))
{
	struct hvm_run *run = vcpu->run;

	trace_hvm_pio(vcpu->exit.pio.in, vcpu->exit.pio.port, size, count);
	run->exit_reason = HVM_EXIT_IO;
	run->io.direction = vcpu->exit.pio.in ? HVM_EXIT_IO_IN : HVM_EXIT_IO_OUT;
	run->io.size = size;
	run->io.port = vcpu->exit.pio.port;
	run->io.count = count;
	run->io.data_offset = HVM_PIO_PAGE_OFFSET * PAGE_SIZE + offset;
	vcpu->stat[HVM_STAT_IO_EXITS]++;
	vcpu->complete = complete;
	vcpu->completes_fast = complete == pio_complete;
	return 0;
}

/* IN and OUT: RIP moves on when userspace comes back. */
static int pio_complete(struct hvm_vcpu *vcpu)
{
	const struct hvm_exit_info *x = &vcpu->exit;
	u64 kept, *rax = &vcpu->gpr[HVM_RAX];

	if (vcpu->rip != vcpu->emul->exit_rip)
		return 1;
	if (x->pio.in) {
		kept = x->pio.size == 4 ? 0 : ~0ull << x->pio.size * 8;
		*rax = (*rax & kept) | (READ_ONCE(*(u32 *)vcpu->pio_data) & ~kept);
	}
	hvm_skip_insn(vcpu);
	return 1;
}

/* How many of @count accesses the kernel's own chips served. */
static u32 chips_pio(struct hvm_vcpu *vcpu, void *data, u32 count)
{
	const struct hvm_exit_info *x = &vcpu->exit;
	struct hvm_vm *vm = vcpu->vm;
	u32 i;

	if (likely(!vm->pic))
		return 0;
	for (i = 0; i < count; i++, data += x->pio.size)
		if (!hvm_pic_pio(vm, x->pio.port, x->pio.size, data, x->pio.in) &&
		    !hvm_pit_pio(vm, x->pio.port, x->pio.size, data, x->pio.in))
			break;
	return i;
}

static noinline int pio_string(struct hvm_vcpu *vcpu);

/**
 * hvm_fast_bell() - OUT to a port that an ioeventfd watches
 * @vcpu: the vCPU; interrupts may be off
 *
 * Return: true if signalled; the caller skips the instruction.
 */
bool hvm_fast_bell(struct hvm_vcpu *vcpu)
{
	const struct hvm_exit_info *x = &vcpu->exit;

	return !x->pio.in && !x->pio.string &&
	       hvm_ioeventfd_hit(vcpu->vm, false, x->pio.port, x->pio.size,
				 hvm_reg_read(vcpu->gpr, HVM_RAX, x->pio.size));
}

/* @whole: look at ioeventfds and the kernel's chips as well. */
static __always_inline int pio_one(struct hvm_vcpu *vcpu, bool whole)
{
	struct hvm_exit_info *x = &vcpu->exit;
	u64 *rax = &vcpu->gpr[HVM_RAX];

	vcpu->emul->exit_rip = vcpu->rip;
	if (x->pio.in) {
		if (whole && chips_pio(vcpu, vcpu->pio_data, 1))
			return pio_complete(vcpu);
		return pio_exit(vcpu, x->pio.size, 1, 0, pio_complete);
	}
	/* The first pio.size bytes count. */
	*(u32 *)vcpu->pio_data = *rax;
	if ((whole && hvm_ioeventfd_any(vcpu->vm, false) && hvm_fast_bell(vcpu)) ||
	    (whole && chips_pio(vcpu, rax, 1)) ||
	    (rcu_access_pointer(vcpu->vm->zones) &&
	     hvm_coalesce(vcpu->vm, true, x->pio.port, x->pio.size, rax))) {
		hvm_skip_insn(vcpu);
		return 1;
	}
	if (x->pio.port == 0x7e &&
	    !(vcpu->vm->disabled_quirks & HVM_X86_QUIRK_OUT_7E_INC_RIP)) {
		hvm_skip_insn(vcpu);
		return pio_exit(vcpu, x->pio.size, 1, 0, NULL);
	}
	return pio_exit(vcpu, x->pio.size, 1, 0, pio_complete);
}

/**
 * hvm_handle_pio() - the guest accessed a port
 * @vcpu: the vCPU; vcpu->exit.pio says how
 *
 * Return: as handlers of exits do.
 */
int hvm_handle_pio(struct hvm_vcpu *vcpu)
{
	return vcpu->exit.pio.string ? pio_string(vcpu) : pio_one(vcpu, true);
}

/**
 * hvm_fast_pio() - the same, if nothing has to sleep for it
 * @vcpu: the vCPU; interrupts may be off; hvm_fast_bell() was not it
 *
 * Return: HVM_FAST_SLOW: nothing was done; HVM_FAST_DONE: all of it, RIP too;
 * HVM_FAST_USER: the rest is userspace's.
 */
enum hvm_fast hvm_fast_pio(struct hvm_vcpu *vcpu)
{
	/* The 8254 has a mutex. */
	if (unlikely(vcpu->exit.pio.string || vcpu->vm->pic))
		return HVM_FAST_SLOW;
	return pio_one(vcpu, false) ? HVM_FAST_DONE : HVM_FAST_USER;
}

/* ---- string port I/O ---- */

/* OUTS, the data in the PIO page: ioeventfds take theirs, userspace the rest. */
static int outs_data(struct hvm_vcpu *vcpu, u32 count,
		     int (*complete)(struct hvm_vcpu *vcpu))
{
	const struct hvm_exit_info *x = &vcpu->exit;
	u32 size = x->pio.size, i = chips_pio(vcpu, vcpu->pio_data, count);

	while (i < count) {
		u64 val = 0;

		memcpy(&val, vcpu->pio_data + i * size, size);
		if (!hvm_ioeventfd_hit(vcpu->vm, false, x->pio.port, size, val) &&
		    !hvm_coalesce(vcpu->vm, true, x->pio.port, size, &val))
			break;
		i++;
	}
	if (i < count)
		return pio_exit(vcpu, size, count - i, i * size, complete);
	return complete ? complete(vcpu) : 1;
}

/* OUTS whose datum came from a device, one at a time; already retired. */
static int outs_exit(struct hvm_vcpu *vcpu)
{
	memcpy(vcpu->pio_data, vcpu->emul->val, sizeof(u64));
	return outs_data(vcpu, 1, NULL);
}

/* INS of one element: the port's value is operand 0, then it is a store. */
static int ins_complete(struct hvm_vcpu *vcpu)
{
	struct hvm_emul *e = vcpu->emul;

	if (vcpu->rip != e->exit_rip)
		return 1;
	e->val[0] = READ_ONCE(*(u32 *)vcpu->pio_data);
	e->phase = EMUL_LOAD1;
	return emul_run(vcpu);
}

static int block_complete(struct hvm_vcpu *vcpu)
{
	struct hvm_emul *e = vcpu->emul;
	bool more;
	int r;

	if (vcpu->rip != e->exit_rip)
		return 1;
	/* Userspace may have made RCX less: no more than that many. */
	e->count = min_t(u64, e->count, hvm_insn_count(&e->insn, vcpu->gpr));
	if (e->insn.op == HVM_OP_INS && e->count) {
		r = hvm_write_gpa(vcpu, e->op[0].gpa[0], vcpu->pio_data,
				  e->count * e->insn.size);
		if (r) {		/* the data are still there for the next RUN */
			vcpu->complete = block_complete;
			return r;
		}
	}
	more = hvm_insn_step(&e->insn, e->count, vcpu->gpr, vcpu->rflags);
	vcpu->exit.insn_len = more ? 0 : e->insn.len;
	hvm_skip_insn(vcpu);
	return 1;
}

/* Iterations one exit can do: upwards, inside a page, the segment, the count. */
static u32 block_count(struct hvm_vcpu *vcpu, u64 count)
{
	struct hvm_insn *insn = &vcpu->emul->insn;
	u64 mask = ~0ull >> (64 - 8 * insn->adsize);
	u64 off = hvm_insn_offset(insn, 0, vcpu->gpr, vcpu->rip);
	u64 room;
	gva_t la;

	if (count == 1 || vcpu->rflags & (X86_EFLAGS_DF | X86_EFLAGS_TF) ||
	    vcpu->guest_debug)
		return 1;
	operand_linear(vcpu, 0, 1, false, &la);
	room = PAGE_SIZE - offset_in_page(la);
	if (mask - off < room)
		room = mask - off + 1;
	count = clamp_t(u64, count, 1, max_t(u64, room / insn->size, 1));
	if (count > 1 && !operand_linear(vcpu, 0, count * insn->size,
					 insn->op == HVM_OP_INS, &la))
		count = 1;
	return count;
}

static noinline int pio_string(struct hvm_vcpu *vcpu)
{
	struct hvm_exit_info *x = &vcpu->exit;
	struct hvm_emul *e = vcpu->emul;
	bool in = x->pio.in;
	struct hvm_slot slot;
	u64 count;
	int r;

	if (!emul_decode(vcpu, &e->insn, &r))
		return r;
	if (e->insn.op != (in ? HVM_OP_INS : HVM_OP_OUTS) || e->insn.size != x->pio.size)
		return 1;	/* not what exited: code has changed */
	count = hvm_insn_count(&e->insn, vcpu->gpr);
	if (!count) {
		x->insn_len = e->insn.len;
		hvm_skip_insn(vcpu);
		return 1;
	}
	e->count = block_count(vcpu, count);
	e->fault_gpa = HVM_INVALID_GPA;
	e->exit_rip = vcpu->rip;
	e->rounds = 0;
	r = emul_begin(vcpu);
	if (r)
		return r == 1 ? 1 : hvm_emul_failure(vcpu, NULL, 0);

	if (e->op[0].first < e->insn.size ||
	    !hvm_slot_find(vcpu->vm, hvm_gfn(e->op[0].gpa[0]), &slot) ||
	    (in && slot.flags & HVM_MEM_READONLY)) {
		if (!in)
			return emul_run(vcpu);
		if (chips_pio(vcpu, vcpu->pio_data, 1))
			return ins_complete(vcpu);
		return pio_exit(vcpu, x->pio.size, 1, 0, ins_complete);
	}
	if (in && chips_pio(vcpu, vcpu->pio_data, e->count))
		return block_complete(vcpu);
	if (in)
		return pio_exit(vcpu, x->pio.size, e->count, 0, block_complete);
	r = hvm_read_gpa(vcpu->vm, e->op[0].gpa[0], vcpu->pio_data,
			 e->count * e->insn.size);
	return r ?: outs_data(vcpu, e->count, block_complete);
}

/* ---- control and debug registers ---- */

/**
 * hvm_decode_cr_dr() - find out which register an intercepted move names
 * @vcpu: the vCPU; its exit is HVM_X_CR or HVM_X_DR without details
 *
 * Fills exit.cr and exit.insn_len.
 *
 * Return: 1, and exit.insn_len is 0 if the guest got a fault instead; or as
 * handlers of exits do.
 */
int hvm_decode_cr_dr(struct hvm_vcpu *vcpu)
{
	struct hvm_exit_info *x = &vcpu->exit;
	struct hvm_insn insn;
	int r;

	x->insn_len = 0;
	if (!emul_decode(vcpu, &insn, &r))
		return r;
	x->cr.nr = insn.reg;
	x->cr.gpr = insn.base;
	switch (insn.op == HVM_OP_SYS ? insn.opcode : 0) {
	case 0x0f20: case 0x0f21:
		x->cr.op = HVM_CROP_READ;
		break;
	case 0x0f22: case 0x0f23:
		x->cr.op = HVM_CROP_WRITE;
		break;
	case 0x0f06:
		x->cr.op = HVM_CROP_CLTS;
		x->cr.nr = 0;
		break;
	case 0x0f01:
		if (insn.reg == 6) {	/* LMSW r16 */
			x->cr.op = HVM_CROP_LMSW;
			x->cr.nr = 0;
			x->cr.lmsw = vcpu->gpr[insn.base];
			break;
		}
		fallthrough;
	default:
		return 1;	/* not what exited: code has changed */
	}
	x->insn_len = insn.len;
	return 1;
}
