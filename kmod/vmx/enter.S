/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * enter.S - into a VT-x guest and out again
 *
 * The processor switches RSP, RIP, RFLAGS, control registers and segments by
 * the VMCS; the other general registers and SPEC_CTRL are ours. An exit arrives
 * at vmx_exit_point with the stack as it was (HOST_RSP), host segments and all
 * guest registers still in place.
 *
 * On the way out every register that held a guest value is cleared or reloaded
 * before anything can speculate on it, the return stack is refilled and the
 * host's SPEC_CTRL is back before the first RET.
 */
#include <linux/linkage.h>
#include <asm/asm.h>
#include <asm/msr-index.h>
#include <asm/nospec-branch.h>
#include <asm/segment.h>
#include <asm/unwind_hints.h>
#include "vmx/vmcs.h"
#include "enter_common.h"

/* The stack below the saved registers */
#define ARGS	0
#define VCPU	8
#define RESULT	16

.section .rodata
.Lverw_sel:
	.word __KERNEL_DS

.text

/* int vmx_enter(struct hvm_vcpu *vcpu, struct vmx_enter_args *args) */
SYM_FUNC_START(vmx_enter)
	push	%rbp
	push	%r15
	push	%r14
	push	%r13
	push	%r12
	push	%rbx
	push	$0
	push	%rdi
	push	%rsi

	/* The call depth hardly ever changes: HOST_RSP is written when it does. */
	cmpq	%rsp, ENTER_HOST_RSP(%rsi)
	je	.Lrsp_set
	movl	$VMCS_HOST_RSP, %eax
1:	vmwrite	%rsp, %rax
	movq	%rsp, ENTER_HOST_RSP(%rsi)
.Lrsp_set:
	movl	ENTER_FLAGS(%rsi), %ebx
	testl	$ENTER_SPEC_CTRL, %ebx
	jz	.Lspec_in
	movq	ENTER_GUEST_SPEC(%rsi), %rax
	cmpq	ENTER_HOST_SPEC(%rsi), %rax
	je	.Lspec_in
	movq	%rax, %rdx
	shrq	$32, %rdx
	movl	$MSR_IA32_SPEC_CTRL, %ecx
	wrmsr
.Lspec_in:
	/* ZF: no VERW. CF: VMRESUME. BT leaves ZF, MOV leaves both, VERW leaves CF. */
	testl	$ENTER_VERW, %ebx
	btl	$ENTER_RESUME_BIT, %ebx
	movq	GPR(0)(%rdi), %rax
	LOAD_GPRS
	jz	.Lno_verw
	verw	.Lverw_sel(%rip)
.Lno_verw:
	jnc	.Llaunch

	/* The exit resumes below with this very stack: objtool cannot see that. */
	UNWIND_HINT_SAVE
2:	vmresume
	jmp	.Lfailed
.Llaunch:
3:	vmlaunch
	jmp	.Lfailed

SYM_INNER_LABEL_ALIGN(vmx_exit_point, SYM_L_GLOBAL)
	UNWIND_HINT_RESTORE
	ENDBR
	push	%rdi
	movq	VCPU + 8(%rsp), %rdi
	movq	%rax, GPR(0)(%rdi)
	STORE_GPRS %rdi
	pop	GPR(7)(%rdi)
.Lout:
	ALTERNATIVE_2 "jmp .Lreturns_filled", "", X86_FEATURE_RSB_VMEXIT, \
		"jmp .Lone_return", X86_FEATURE_RSB_VMEXIT_LITE
	FILL_RETURNS
	jmp	.Lreturns_filled
.Lone_return:
	__FILL_ONE_RETURN
.Lreturns_filled:

	movq	ARGS(%rsp), %rsi
	movl	ENTER_FLAGS(%rsi), %ebx
	testl	$(ENTER_SPEC_CTRL | ENTER_SAVE_SPEC), %ebx
	jz	.Lspec_out
	movl	$MSR_IA32_SPEC_CTRL, %ecx
	testl	$ENTER_SAVE_SPEC, %ebx
	jz	.Lspec_kept
	rdmsr
	shlq	$32, %rdx
	orq	%rdx, %rax
	movq	%rax, ENTER_GUEST_SPEC(%rsi)
.Lspec_kept:
	movq	ENTER_HOST_SPEC(%rsi), %rax
	cmpq	ENTER_GUEST_SPEC(%rsi), %rax
	je	.Lspec_out
	movq	%rax, %rdx
	shrq	$32, %rdx
	wrmsr
.Lspec_out:
	CLEAR_GPRS

	add	$16, %rsp
	pop	%rax
	pop	%rbx
	pop	%r12
	pop	%r13
	pop	%r14
	pop	%r15
	pop	%rbp
	RET

	/* VMfail: the guest did not run; its registers are what they were. */
.Lfailed:
	movl	$1, RESULT(%rsp)
	jmp	.Lout
	/* VMX is off (reboot, kexec). */
.Lfault:
	movl	$2, RESULT(%rsp)
	jmp	.Lout

	_ASM_EXTABLE(1b, .Lrsp_set)
	_ASM_EXTABLE(2b, .Lfault)
	_ASM_EXTABLE(3b, .Lfault)
SYM_FUNC_END(vmx_enter)
