// SPDX-License-Identifier: GPL-2.0-only
/*
 * cpu.c - who owns VMX on a CPU, and which VMCS is current there
 *
 * Two ways, told apart for each CPU by vmx_cpu.owned:
 *
 * Kept on. While VMs exist CR4.VMXE is set through the kernel's own helper
 * (which keeps its shadow of CR4 right) and the CPU is in VMX operation. The
 * VMCS of the vCPU that is loaded is current, also with interrupts on. A VMCS
 * stays in the CPU's caches until another CPU wants it: then this one is asked
 * by IPI to VMCLEAR it.
 *
 * Around each run. Where CR4's helpers are closed to modules, where it was asked
 * for, and where another hypervisor has VMX on already: vmx_hold() turns VMX on
 * and makes the VMCS current, vmx_release() writes it back to memory and leaves
 * the CPU as it was, all with interrupts off, so that nobody else sees it. If
 * VMX was on, its owner's VMCS is made current again. The kernel's shadow of CR4
 * never learns, and need not: nothing rewrites CR4 with interrupts off.
 *
 * Locks: struct vmx_cpu is touched on its own CPU with interrupts off.
 */
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/smp.h>
#include <asm/desc.h>
#include <asm/nospec-branch.h>
#include <asm/tlbflush.h>
#include "vmx/vmx.h"

DEFINE_PER_CPU(struct vmx_cpu, vmx_cpus);

/* CR4 as it is, past the kernel's shadow; only with interrupts off until it is put back. */
static void write_cr4(u64 val)
{
	asm volatile("mov %0, %%cr4" : : "r" (val) : "memory");
}

/* Each returns false on VMfail, and when the instruction faulted. */
#define VMX_INSTRUCTION(insn)						\
static bool insn(u64 pa)						\
{									\
	bool failed = true;						\
									\
	asm volatile("1: " #insn " %1\n\tsetna %0\n2:\n" _ASM_EXTABLE(1b, 2b) \
		     : "+qm" (failed) : "m" (pa) : "cc", "memory");	\
	return !failed;							\
}
VMX_INSTRUCTION(vmxon)
VMX_INSTRUCTION(vmclear)
VMX_INSTRUCTION(vmptrld)

static void vmxoff(void)
{
	asm volatile("1: vmxoff\n2:\n" _ASM_EXTABLE(1b, 2b) : : : "cc", "memory");
}

/* False when the CPU is not in VMX operation. */
static bool vmptrst(u64 *pa)
{
	bool failed = true;

	asm volatile("1: vmptrst %1\n\tsetna %0\n2:\n" _ASM_EXTABLE(1b, 2b)
		     : "+qm" (failed), "=m" (*pa) : : "cc", "memory");
	return !failed;
}

struct inv_descriptor {
	u64 context, address;
};

static void invept(u64 eptp)
{
	struct inv_descriptor d = { .context = eptp };

	asm volatile("1: invept %0, %1\n2:\n" _ASM_EXTABLE(1b, 2b)
		     : : "m" (d), "r" (INVALIDATE_SINGLE) : "cc", "memory");
}

static void invvpid(u16 vpid)
{
	struct inv_descriptor d = { .context = vpid };

	asm volatile("1: invvpid %0, %1\n2:\n" _ASM_EXTABLE(1b, 2b)
		     : : "m" (d), "r" (INVALIDATE_SINGLE) : "cc", "memory");
}

/**
 * vmx_invalidate - forget all translations of a vCPU on this CPU
 * @v: its VMCS is current
 *
 * INVEPT drops what went through the VM's stage-2 table, which is every
 * translation of a guest with EPT; INVVPID what is tagged by the VPID alone,
 * left by an earlier user of the number.
 */
void vmx_invalidate(struct vmx_vcpu *v)
{
	invept(vmx_caps.eptp | v->vcpu->vm->s2.root_pa);
	if (v->vpid)
		invvpid(v->vpid);
}

/* ---- taking a CPU and giving it back: interrupts off ---- */

static void read_host(struct vmx_cpu *c)
{
	rdmsrq(MSR_GS_BASE, c->gs_base);
	rdmsrq(MSR_IA32_SYSENTER_CS, c->sysenter_cs);
	rdmsrq(MSR_IA32_SYSENTER_ESP, c->sysenter_esp);
	rdmsrq(MSR_IA32_SYSENTER_EIP, c->sysenter_eip);
	rdmsrq(MSR_STAR, c->msr[SWITCH_STAR]);
	rdmsrq(MSR_LSTAR, c->msr[SWITCH_LSTAR]);
	rdmsrq(MSR_SYSCALL_MASK, c->msr[SWITCH_SFMASK]);
	if (boot_cpu_has(X86_FEATURE_RDTSCP))
		rdmsrq(MSR_TSC_AUX, c->msr[SWITCH_TSC_AUX]);
}

int vmx_cpu_enable(void)
{
	struct vmx_cpu *c = this_cpu_ptr(&vmx_cpus);
	u64 cr4 = __read_cr4();
	bool ok = true;

	read_host(c);
	c->last_vm = 0;
	if (!vmx_caps.per_run && !(cr4 & X86_CR4_VMXE)) {
		hvm_cr4_set_bits(X86_CR4_VMXE);
		ok = vmxon(page_to_phys(c->vmxon));
		if (!ok)
			hvm_cr4_clear_bits(X86_CR4_VMXE);
		c->owned = ok;
	} else if (!(cr4 & X86_CR4_VMXE)) {
		/* Would it work? */
		write_cr4(cr4 | X86_CR4_VMXE);
		ok = vmxon(page_to_phys(c->vmxon));
		if (ok)
			vmxoff();
		write_cr4(cr4);
	}
	c->enabled = ok;
	return ok ? 0 : -EBUSY;
}

static void clear_vmcs(struct vmx_cpu *c, struct vmx_vcpu *v)
{
	vmclear(v->vmcs_pa);
	list_del(&v->loaded);
	if (c->current_vcpu == v)
		c->current_vcpu = NULL;
	v->args.flags &= ~ENTER_RESUME;
	/* Whoever sees -1 may use the VMCS elsewhere. */
	smp_store_release(&v->loaded_cpu, -1);
}

void vmx_cpu_disable(void)
{
	struct vmx_cpu *c = this_cpu_ptr(&vmx_cpus);
	struct vmx_vcpu *v, *next;

	c->enabled = false;
	if (!c->owned)
		return;
	list_for_each_entry_safe(v, next, &c->loaded, loaded)
		clear_vmcs(c, v);
	vmxoff();
	hvm_cr4_clear_bits(X86_CR4_VMXE);
	c->owned = false;
}

/* ---- which VMCS is current ---- */

static void clear_here(void *arg)
{
	struct vmx_vcpu *v = arg;

	/* The CPU may have been given back meanwhile. */
	if (v->loaded_cpu == smp_processor_id())
		clear_vmcs(this_cpu_ptr(&vmx_cpus), v);
}

/* Write the VMCS back to memory, wherever it is. May be called with preemption off. */
void vmx_forget(struct vmx_vcpu *v)
{
	int cpu = smp_load_acquire(&v->loaded_cpu);	/* pairs with clear_vmcs() */

	if (cpu >= 0)
		smp_call_function_single(cpu, clear_here, v, 1);
}

/**
 * vmx_make_current - the vCPU is now on this CPU
 * @v: vCPU
 * @cpu: this CPU, preemption off
 */
void vmx_make_current(struct vmx_vcpu *v, int cpu)
{
	struct vmx_cpu *c = this_cpu_ptr(&vmx_cpus);
	unsigned long flags;

	if (v->loaded_cpu != cpu)
		vmx_forget(v);
	if (!c->owned || c->current_vcpu == v)
		return;
	local_irq_save(flags);
	if (v->loaded_cpu < 0) {
		vmclear(v->vmcs_pa);
		v->args.flags &= ~ENTER_RESUME;
		v->loaded_cpu = cpu;
		list_add(&v->loaded, &c->loaded);
	}
	vmptrld(v->vmcs_pa);
	c->current_vcpu = v;
	local_irq_restore(flags);
}

/**
 * vmx_hold - make the VMCS current, turning VMX on if need be
 * @v: loaded on this CPU; interrupts off until vmx_release()
 *
 * Return: false when VMX cannot be had (reboot, kexec).
 */
bool vmx_hold(struct vmx_vcpu *v)
{
	struct vmx_cpu *c = this_cpu_ptr(&vmx_cpus);

	if (likely(c->owned)) {
		v->held = c->current_vcpu == v;
		return v->held;
	}
	if (!c->enabled)
		return false;
	v->held_cr4 = __read_cr4();
	v->held_other = ~0ULL;
	if (!(v->held_cr4 & X86_CR4_VMXE)) {
		write_cr4(v->held_cr4 | X86_CR4_VMXE);
		if (!vmxon(page_to_phys(c->vmxon)))
			goto off;
	} else if (!vmptrst(&v->held_other)) {
		return false;
	}
	v->args.flags &= ~ENTER_RESUME;
	/* Memory fresh from the allocator has to be cleared once; vmx_release() left it so. */
	v->held = (!(v->dirty & ITEM_CONSTANT) || vmclear(v->vmcs_pa)) && vmptrld(v->vmcs_pa);
	if (v->held)
		return true;
	if (v->held_cr4 & X86_CR4_VMXE)
		return false;
	vmxoff();
off:
	write_cr4(v->held_cr4);
	return false;
}

void vmx_release(struct vmx_vcpu *v)
{
	v->held = false;
	if (likely(this_cpu_read(vmx_cpus.owned)))
		return;
	vmclear(v->vmcs_pa);
	if (!(v->held_cr4 & X86_CR4_VMXE)) {
		vmxoff();
		write_cr4(v->held_cr4);
	} else if (v->held_other != ~0ULL) {
		vmptrld(v->held_other);
	}
}

/* ---- memory ---- */

void vmx_cpus_free(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct vmx_cpu *c = per_cpu_ptr(&vmx_cpus, cpu);

		if (c->vmxon)
			__free_page(c->vmxon);
		c->vmxon = NULL;
	}
}

int vmx_cpus_alloc(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct vmx_cpu *c = per_cpu_ptr(&vmx_cpus, cpu);

		INIT_LIST_HEAD(&c->loaded);
		c->vmxon = alloc_page(GFP_KERNEL | __GFP_ZERO);
		if (!c->vmxon) {
			vmx_cpus_free();
			return -ENOMEM;
		}
		*(u32 *)page_address(c->vmxon) = vmx_caps.revision;
	}
	return 0;
}
