/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * entry.S: the assembly under every long-mode guest: the 256 exception and
 * interrupt entries that meet in guest_trap(), and the trampoline that takes
 * an application processor from its start-up IPI to a C function. The
 * trampoline is copied to guest-physical LOW_TRAMP and addresses itself
 * there. All C code is compiled for the general registers alone, so a trap
 * need not save any other.
 */
#include "layout.h"

	.section .text.guest_entry, "ax"
	.code64

	.global guest_vectors
	.balign 16
guest_vectors:
	.set	v, 0
	.rept	256
	.balign	16
	.if (v == 8) || ((v >= 10) && (v <= 14)) || (v == 17) || (v == 21)
	.else
	push	$0
	.endif
	push	$v
	jmp	trap_common
	.set	v, v + 1
	.endr

trap_common:
	push	%rax
	push	%rbx
	push	%rcx
	push	%rdx
	push	%rsi
	push	%rdi
	push	%rbp
	push	%r8
	push	%r9
	push	%r10
	push	%r11
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	cld
	mov	%rsp, %rdi
	mov	%rsp, %rbp
	and	$-16, %rsp
	call	guest_trap
	mov	%rbp, %rsp
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%r11
	pop	%r10
	pop	%r9
	pop	%r8
	pop	%rbp
	pop	%rdi
	pop	%rsi
	pop	%rdx
	pop	%rcx
	pop	%rbx
	pop	%rax
	add	$16, %rsp
	iretq

/* where a guest function that returns ends up */
	.global guest_return
guest_return:
	call	guest_done
	ud2

/*
 * guest_enter_user(fn, stack, save): to ring 3, and back when vector 0xfe is
 * raised there; where to go back to is kept on this stack, at *save.
 */
	.global guest_enter_user
guest_enter_user:
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	lea	1f(%rip), %rax
	push	%rax
	mov	%rsp, (%rdx)
	pushq	$SEL_UDATA
	push	%rsi
	pushq	$2
	pushq	$SEL_UCODE64
	push	%rdi
	iretq
1:	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	ret

#define AT(sym) (LOW_TRAMP + (sym) - ap_trampoline)

	.section .data.ap_trampoline, "aw"
	.code16
	.global ap_trampoline
ap_trampoline:
	cli
	xor	%ax, %ax
	mov	%ax, %ds
	lgdtl	AT(ap_gdtr)
	lidtl	AT(ap_idtr)
	mov	AT(ap_cr4), %eax
	mov	%eax, %cr4
	mov	$LOW_PML4, %eax
	mov	%eax, %cr3
	mov	$0xc0000080, %ecx
	mov	$0x901, %eax
	xor	%edx, %edx
	wrmsr
	mov	$0x80010033, %eax
	mov	%eax, %cr0
	ljmpl	$SEL_CODE64, $AT(ap_long)
	.code64
ap_long:
	mov	$SEL_DATA, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	xor	%eax, %eax
	mov	%eax, %fs
	mov	%eax, %gs
	mov	$1, %eax
	cpuid
	shr	$24, %ebx
	mov	%ebx, %edi
	lea	1(%rbx), %ecx
	imul	$LOW_STACK_SIZE, %ecx, %ecx
	lea	LOW_STACKS - 8(%rcx), %rsp
	movq	$guest_return, (%rsp)
	mov	$ap_entry, %eax
	mov	(%rax), %rax
	jmp	*%rax

	.balign	8
ap_gdtr:
	.word	LOW_GDT_SIZE - 1
	.long	LOW_GDT
	.balign	8
ap_idtr:
	.word	256 * 16 - 1
	.long	LOW_IDT
	.balign	8
	.global ap_cr4
ap_cr4:
	.long	0x620
	.global ap_trampoline_end
ap_trampoline_end:

	.section .note.GNU-stack, "", @progbits
