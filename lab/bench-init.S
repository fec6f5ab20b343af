/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * First process of the guest whose boot the bench measures: says so on the
 * console, which the kernel has opened, and waits for the VMM's end.
 */
	.text
	.globl	_start
_start:
	mov	$1, %eax		/* write */
	mov	$1, %edi
	lea	text(%rip), %rsi
	mov	$(end - text), %edx
	syscall
1:	mov	$34, %eax		/* pause */
	syscall
	jmp	1b

	.section .rodata
text:	.ascii	"hvm bench: init\n"
end:
	.section .note.GNU-stack, "", @progbits
