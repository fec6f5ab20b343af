/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * enter_common.h - what the backends' enter.S do alike: general registers and the return stack
 */
#ifndef HVM_ENTER_COMMON_H
#define HVM_ENTER_COMMON_H

#include <asm/nospec-branch.h>

/* Into struct hvm_vcpu, which begins with the registers by their number. */
#define GPR(n)	(8 * (n))

/* The guest's registers but RAX and RSP, from the vCPU in RDI. Leaves the flags. */
.macro LOAD_GPRS
	movq	GPR(1)(%rdi), %rcx
	movq	GPR(2)(%rdi), %rdx
	movq	GPR(3)(%rdi), %rbx
	movq	GPR(5)(%rdi), %rbp
	movq	GPR(6)(%rdi), %rsi
	.irp n, 8, 9, 10, 11, 12, 13, 14, 15
	movq	GPR(\n)(%rdi), %r\n
	.endr
	movq	GPR(7)(%rdi), %rdi
.endm

/* ... and back, but for RDI, to the vCPU in @vcpu. */
.macro STORE_GPRS vcpu
	movq	%rcx, GPR(1)(\vcpu)
	movq	%rdx, GPR(2)(\vcpu)
	movq	%rbx, GPR(3)(\vcpu)
	movq	%rbp, GPR(5)(\vcpu)
	movq	%rsi, GPR(6)(\vcpu)
	.irp n, 8, 9, 10, 11, 12, 13, 14, 15
	movq	%r\n, GPR(\n)(\vcpu)
	.endr
.endm

/* Those that C does not expect to be kept: nothing of the guest's stays in them. */
.macro CLEAR_GPRS
	.irp reg, ecx, edx, esi, edi, r8d, r9d, r10d, r11d
	xorl	%\reg, %\reg
	.endr
.endm

/*
 * Returns of the guest's may still be in the processor's return stack. What the
 * kernel does about it in a loop of sixteen is done here in a row, since it is
 * done after every exit: no branches but the calls that fill the stack.
 */
.macro FILL_RETURNS
	.rept RSB_CLEAR_LOOPS
	__FILL_RETURN_SLOT
	.endr
	addq	$(8 * RSB_CLEAR_LOOPS), %rsp
	lfence
#ifdef CREDIT_CALL_DEPTH
	CREDIT_CALL_DEPTH
#endif
.endm

#endif
