/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An option ROM that starts a Linux kernel which is in memory already.
 *
 * Bochs has no -kernel: it can put files into guest memory, though.  Its BIOS
 * runs this ROM when the machine is set up, and the ROM enters the kernel by
 * PVH: 32-bit protected mode, paging off, EBX at the start info below.  So
 * nothing is read from an emulated disk, nothing is unpacked.
 *
 * Section .text is the ROM; .data, the start info, goes into RAM, for kernels
 * use it as their first stack.
 *
 * Given at assembly: ROM and INFO (where they are), ENTRY (the kernel's PVH
 * entry), INITRD, INITRD_SIZE, MEMORY (bytes of RAM), and the file "cmdline".
 */
	.code16
	.text
start:
	.byte	0x55, 0xaa, SECTORS
	jmp	boot
	.balign	8

gdt:	.quad	0
	.quad	0x00cf9b000000ffff		/* flat 32-bit code */
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
flat:	movl	$16, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movl	$INFO, %ebx
	movl	$ENTRY, %eax
	jmp	*%eax
	/* Padding to whole sectors; the last byte makes the sum zero. */
	.org	SECTORS * 512 - 1, 0
	.byte	0

	.data
start_info:
	.long	0x336ec578			/* magic */
	.long	1				/* version */
	.long	0				/* flags */
	.long	1				/* modules */
	.quad	INFO + modules - start_info
	.quad	INFO + cmdline - start_info
	.quad	0				/* RSDP: found by its signature */
	.quad	INFO + memmap - start_info
	.long	(memmap_end - memmap) / 24
	.long	0

modules:
	.quad	INITRD, INITRD_SIZE, 0, 0

	/* address, size, type (1 RAM, 2 reserved, 3 ACPI), reserved */
memmap:	.quad	0x00000000, 0x0009f000
	.long	1, 0
	.quad	0x0009f000, 0x00061000
	.long	2, 0
	.quad	0x00100000, MEMORY - 0x00100000 - 0x10000
	.long	1, 0
	.quad	MEMORY - 0x10000, 0x10000
	.long	3, 0
	.quad	0xfffc0000, 0x00040000
	.long	2, 0
memmap_end:

cmdline:
	.incbin	"cmdline"
	.byte	0
