/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * enter.S - into an AMD-V guest and out again
 *
 * VMRUN switches RAX, RSP, RIP, RFLAGS and the control registers; VMLOAD and
 * VMSAVE switch FS, GS, TR, LDTR and the system-call MSRs; the other registers
 * are ours. From the VMLOAD of the guest's GS to the VMLOAD of the host's no
 * NMI may come in, so the global interrupt flag is clear over all of it; STI
 * inside makes a physical interrupt end the guest as soon as VMRUN sets GIF
 * (APM 2 15.17, 15.21). An NMI that ended the guest is taken at STGI.
 *
 * On the way out every register that held a guest value is cleared or
 * reloaded before anything can speculate on it.
 */
#include <linux/linkage.h>
#include <asm/asm.h>
#include <asm/msr-index.h>
#include <asm/nospec-branch.h>
#include <asm/segment.h>
#include "svm/enter.h"
#include "enter_common.h"

/* The stack below the saved registers */
#define ARGS	0
#define VCPU	8
#define FAULT	16

.section .rodata
.Lverw_sel:
	.word __KERNEL_DS

.text

.macro write_spec_ctrl off
	movl	$MSR_IA32_SPEC_CTRL, %ecx
	movl	\off(%rsi), %eax
	movl	\off + 4(%rsi), %edx
	wrmsr
.endm

/* int svm_enter(struct hvm_vcpu *vcpu, const struct svm_enter_args *args) */
SYM_FUNC_START(svm_enter)
	push	%rbp
	push	%r15
	push	%r14
	push	%r13
	push	%r12
	push	%rbx
	push	$0
	push	%rdi
	push	%rsi

1:	clgi
	movl	ENTER_FLAGS(%rsi), %ebx
	testl	$ENTER_SPEC_CTRL, %ebx
	jz	.Lspec_in
	write_spec_ctrl ENTER_GUEST_SPEC
.Lspec_in:
	movq	ENTER_VMCB_PA(%rsi), %rax
2:	vmload	%rax
.Lloaded:
	testl	$ENTER_VERW, %ebx
	LOAD_GPRS
	/* The flag of the test above: MOV leaves it. VERW is last, it empties the buffers. */
	jz	.Lno_verw
	verw	.Lverw_sel(%rip)
.Lno_verw:
	sti
3:	vmrun	%rax
.Lexited:
	cli
4:	vmsave	%rax
.Lsaved:
	movq	VCPU(%rsp), %rax
	STORE_GPRS %rax
	movq	%rdi, GPR(7)(%rax)

	movq	ARGS(%rsp), %rsi
	movq	ENTER_HOST_PA(%rsi), %rax
5:	vmload	%rax
.Lhost:
	ALTERNATIVE "jmp .Lreturns_filled", "", X86_FEATURE_RSB_VMEXIT
	FILL_RETURNS
.Lreturns_filled:

	testl	$(ENTER_SPEC_CTRL | ENTER_IBPB), ENTER_FLAGS(%rsi)
	jz	.Lno_msrs
	testl	$ENTER_SPEC_CTRL, ENTER_FLAGS(%rsi)
	jz	.Lspec_out
	write_spec_ctrl ENTER_HOST_SPEC
.Lspec_out:
	testl	$ENTER_IBPB, ENTER_FLAGS(%rsi)
	jz	.Lno_msrs
	movl	$MSR_IA32_PRED_CMD, %ecx
	movl	$PRED_CMD_IBPB, %eax
	xorl	%edx, %edx
	wrmsr
.Lno_msrs:
	CLEAR_GPRS
6:	stgi
.Ldone:
	add	$16, %rsp
	pop	%rax
	pop	%rbx
	pop	%r12
	pop	%r13
	pop	%r14
	pop	%r15
	pop	%rbp
	RET

	/* SVM is off: go on to the next step and tell the caller. */
.Lfault_clgi:
	movl	$1, FAULT(%rsp)
	movl	ENTER_FLAGS(%rsi), %ebx
	jmp	.Lspec_in
.Lfault_vmload:
	movl	$1, FAULT(%rsp)
	jmp	.Lloaded
.Lfault_vmrun:
	movl	$1, FAULT(%rsp)
	jmp	.Lexited
.Lfault_vmsave:
	movl	$1, FAULT(%rsp)
	jmp	.Lsaved
.Lfault_host:
	movl	$1, FAULT(%rsp)
	jmp	.Lhost
.Lfault_stgi:
	movl	$1, FAULT(%rsp)
	jmp	.Ldone

	_ASM_EXTABLE(1b, .Lfault_clgi)
	_ASM_EXTABLE(2b, .Lfault_vmload)
	_ASM_EXTABLE(3b, .Lfault_vmrun)
	_ASM_EXTABLE(4b, .Lfault_vmsave)
	_ASM_EXTABLE(5b, .Lfault_host)
	_ASM_EXTABLE(6b, .Lfault_stgi)
SYM_FUNC_END(svm_enter)
