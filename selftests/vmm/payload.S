/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Kernels of a few instructions, started by the PVH protocol: 32-bit mode, no
 * paging, EBX at the start info. Which one is told by PAYLOAD_<name>:
 *
 *	poweroff	ACPI's S5
 *	reset		the reset control register
 *	i8042		the keyboard controller's reset line
 *	triple		a fault with no IDT
 *	panic		pvpanic
 *	hang		halts with interrupts off
 *	echo		writes what it is sent, until a 'q'; then S5
 *	button		waits for the power button by its status bit; then S5
 *	irq		counts edges of the serial port's interrupt through the
 *			IOAPIC and the local APIC, and levels of the SCI
 *	mmio		reads where nobody answers
 *	high		writes and reads back just above 4 GiB, by PAE paging
 *
 * They print as they go, so that a test sees how far they came.
 */
#define COM		0x3f8
#define PM1_STS		0x600
#define PM1_EN		0x602
#define PM1_CNT		0x604
#define S5		(5 << 10 | 1 << 13)
#define LAPIC		0xfee00000
#define IOAPIC		0xfec00000

	.section .note.pvh, "a"
	.long 4, 4, 18
	.asciz "Xen"
	.long start

	.text
	.globl start
start:
	mov	$stack, %esp
	mov	(%ebx), %eax
	cmp	$0x336ec578, %eax	/* the start info's magic */
	jne	triple
	mov	$hello, %esi
	call	print

#if defined(PAYLOAD_poweroff)
	jmp	poweroff

#elif defined(PAYLOAD_reset)
	mov	$0xcf9, %dx
	mov	$6, %al
	out	%al, %dx
	jmp	hang

#elif defined(PAYLOAD_i8042)
	mov	$0xfe, %al
	out	%al, $0x64
	jmp	hang

#elif defined(PAYLOAD_triple)
	jmp	triple

#elif defined(PAYLOAD_panic)
	mov	$0x505, %dx
	in	%dx, %al
	test	$1, %al
	jz	poweroff
	mov	$1, %al
	out	%al, %dx
	jmp	hang

#elif defined(PAYLOAD_hang)
	jmp	hang

#elif defined(PAYLOAD_echo)
	mov	$COM + 1, %dx		/* the receive interrupt: ready */
	mov	$1, %al
	out	%al, %dx
1:	mov	$COM + 5, %dx
	in	%dx, %al
	test	$1, %al
	jz	1b
	mov	$COM, %dx
	in	%dx, %al
	out	%al, %dx
	cmp	$'q', %al
	jne	1b
	mov	$'\n', %al
	out	%al, %dx
	jmp	poweroff

#elif defined(PAYLOAD_button)
	mov	$PM1_EN, %dx
	mov	$1 << 8, %ax
	out	%ax, %dx
	mov	$listening, %esi
	call	print
1:	mov	$PM1_STS, %dx
	in	%dx, %ax
	test	$1 << 8, %ax
	jz	1b
	jmp	poweroff

#elif defined(PAYLOAD_mmio)
	mov	0xd0000000, %eax
	inc	%eax
	jnz	triple
	mov	$0x1234, %dx
	in	%dx, %eax
	inc	%eax
	jnz	triple
	movl	$1, 0xd0000000
	jmp	poweroff

#elif defined(PAYLOAD_high)
	/* 0 is mapped to 0, 2 MiB to 4 GiB */
	movl	$directory + 1, pointers
	movl	$0x83, directory
	movl	$0x83, directory + 8
	movl	$1, directory + 12
	mov	%cr4, %eax
	or	$1 << 5, %eax
	mov	%eax, %cr4
	mov	$pointers, %eax
	mov	%eax, %cr3
	mov	%cr0, %eax
	or	$1 << 31, %eax
	mov	%eax, %cr0
	movl	$0x12345678, 0x200000
	cmpl	$0x12345678, 0x200000
	jne	triple
	jmp	poweroff

	.balign 4096
directory:
	.fill	512, 8, 0
pointers:
	.fill	4, 8, 0

#elif defined(PAYLOAD_irq)
	lidt	idt_pointer
	mov	$serial_irq, %eax
	mov	$0x30, %ecx
	call	set_gate
	mov	$sci_irq, %eax
	mov	$0x31, %ecx
	call	set_gate
	movl	$0x1ff, LAPIC + 0xf0	/* on, spurious vector 0xff */
	mov	$0x10 + 2 * 4, %eax	/* pin 4: edge, vector 0x30 */
	mov	$0x30, %ecx
	call	set_pin
	mov	$0x10 + 2 * 9, %eax	/* pin 9: level, vector 0x31 */
	mov	$0x31 | 1 << 15, %ecx
	call	set_pin
	sti
	/* The transmitter's interrupt, once for each byte */
	mov	$COM + 1, %dx
	mov	$2, %al
	out	%al, %dx
1:	cli				/* not between looking and halting */
	cmpl	$3, edges
	jae	2f
	sti
	hlt
	jmp	1b
2:	sti
	mov	$listening, %esi
	call	print
	mov	$PM1_EN, %dx
	mov	$1 << 8, %ax
	out	%ax, %dx
	/*
	 * The SCI stays high until its handler has been here three times:
	 * each end of interrupt has to bring it again.
	 */
1:	cli
	cmpl	$3, levels
	jae	poweroff
	sti
	hlt
	jmp	1b

serial_irq:
	push	%eax
	push	%edx
	mov	$COM + 2, %dx
	in	%dx, %al		/* "seen", and the line falls */
	incl	edges
	cmpl	$3, edges
	jae	1f
	mov	$COM, %dx
	mov	$'.', %al
	out	%al, %dx
	jmp	2f
1:	mov	$COM + 1, %dx
	mov	$0, %al
	out	%al, %dx
2:	movl	$0, LAPIC + 0xb0
	pop	%edx
	pop	%eax
	iret

sci_irq:
	push	%eax
	push	%edx
	incl	levels
	cmpl	$3, levels
	jb	1f
	mov	$PM1_STS, %dx
	mov	$1 << 8, %ax
	out	%ax, %dx
1:	movl	$0, LAPIC + 0xb0
	pop	%edx
	pop	%eax
	iret

set_gate:	/* eax: handler, ecx: vector */
	movw	%ax, idt(, %ecx, 8)
	movw	%cs, idt + 2(, %ecx, 8)
	movw	$0x8e00, idt + 4(, %ecx, 8)
	shr	$16, %eax
	movw	%ax, idt + 6(, %ecx, 8)
	ret

set_pin:	/* eax: index, ecx: lower half; the upper one is 0 */
	mov	%eax, IOAPIC
	mov	%ecx, IOAPIC + 0x10
	ret

	.balign 8
idt:	.fill	64, 8, 0
idt_pointer:
	.word	64 * 8 - 1
	.long	idt
edges:	.long	0
levels:	.long	0
#endif

poweroff:
	mov	$PM1_CNT, %dx
	mov	$S5, %eax
	out	%ax, %dx
hang:
	cli
	hlt
	jmp	hang

triple:
	lidt	no_idt
	int3

print:		/* esi: a string */
	lodsb
	test	%al, %al
	jz	1f
	mov	$COM, %dx
	out	%al, %dx
	jmp	print
1:	ret

hello:	.asciz	"hello\n"
listening: .asciz "listening\n"
no_idt:	.word	0
	.long	0
	.balign 16
	.fill	512, 1, 0
stack:
