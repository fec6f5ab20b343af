/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An option ROM that starts a Linux kernel which is in memory already.
 *
 * Bochs has no -kernel: it can put files into guest memory, though.  Its BIOS
 * runs this ROM when the machine is set up, and the ROM enters the kernel as
 * the kernel's own decompressor does: in 64-bit mode, memory mapped one to one,
 * RSI at the boot parameters below.  So nothing is read from an emulated disk,
 * nothing is unpacked, and nothing of the kernel runs before a kernel with KASAN
 * has its shadow (as it would from its PVH entry).
 *
 * Section .text is the ROM; .data, the boot parameters and the page tables, goes
 * into RAM.
 *
 * Given at assembly: ROM and INFO (where they are), ENTRY (the kernel's entry),
 * INITRD, INITRD_SIZE, MEMORY (bytes of RAM), and the file "cmdline".
 */
	.code16
	.text
start:
	.byte	0x55, 0xaa, SECTORS
	jmp	boot
	.balign	8

gdt:	.quad	0
	.quad	0x00cf9b000000ffff		/* flat 32-bit code */
	.quad	0x00af9b000000ffff		/* 64-bit code */
	.quad	0x00cf93000000ffff		/* flat data */
gdtr:	.word	. - gdt - 1
	.long	ROM + gdt - start

boot:	cli
	inb	$0x92, %al			/* the A20 gate */
	orb	$2, %al
	outb	%al, $0x92
	lgdtl	%cs:gdtr - start
	movl	%cr0, %eax
	orb	$1, %al
	movl	%eax, %cr0
	ljmpl	$8, $(ROM + flat - start)

	.code32
flat:	movl	$0x18, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movl	$0x20, %eax			/* CR4.PAE */
	movl	%eax, %cr4
	movl	$(INFO + pml4 - params), %eax
	movl	%eax, %cr3
	movl	$0xc0000080, %ecx		/* EFER.LME */
	rdmsr
	orl	$0x100, %eax
	wrmsr
	movl	%cr0, %eax
	orl	$0x80000000, %eax
	movl	%eax, %cr0
	ljmpl	$0x10, $(ROM + long - start)

	.code64
long:	movl	$INFO, %esi
	movl	$ENTRY, %eax
	jmp	*%rax
	/* Padding to whole sectors; the last byte makes the sum zero. */
	.org	SECTORS * 512 - 1, 0
	.byte	0

	.data
params:
	.org	0x1e8				/* struct boot_params */
	.byte	(memmap_end - memmap) / 20
	.org	0x1fe
	.word	0xaa55
	.org	0x202
	.ascii	"HdrS"
	.word	0x020c				/* version of the protocol */
	.org	0x210
	.byte	0xff, 1				/* unknown loader, loaded high */
	.org	0x218
	.long	INITRD, INITRD_SIZE
	.org	0x228
	.long	INFO + cmdline - params
	.org	0x2d0
	/* address, size, type (1 RAM, 2 reserved, 3 ACPI) */
memmap:	.quad	0x00000000, 0x0009f000
	.long	1
	.quad	0x0009f000, 0x00061000
	.long	2
	.quad	0x00100000, MEMORY - 0x00100000 - 0x10000
	.long	1
	.quad	MEMORY - 0x10000, 0x10000
	.long	3
	.quad	0xfffc0000, 0x00040000
	.long	2
memmap_end:

	.org	0x1000				/* 1 GiB */
pml4:	.quad	INFO + pdpt - params + 3
	.balign	4096
pdpt:	.quad	INFO + pd - params + 3
	.balign	4096
pd:	.set	at, 0x83
	.rept	512
	.quad	at
	.set	at, at + 0x200000
	.endr

cmdline:
	.incbin	"cmdline"
	.byte	0
