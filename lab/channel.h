/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The byte stream from an emulated host to the machine it runs on.
 *
 * The host writes it to its parallel port, which every emulator can lead into
 * a file or pipe and which needs no driver.  A magic line is followed by
 * frames: a type, a little-endian 32-bit length and that many bytes.
 */
#ifndef HVM_LAB_CHANNEL_H
#define HVM_LAB_CHANNEL_H

#define CHANNEL_MAGIC	"HVMLAB1\n"

enum frame {
	FRAME_OUTPUT = 'O',	/* what the command wrote */
	FRAME_FILE   = 'F',	/* a file begins: "f N" or, as a tar archive, "d N" */
	FRAME_DATA   = 'D',	/* more of that file */
	FRAME_KLOG   = 'K',	/* more of the kernel's log */
	FRAME_EXIT   = 'X',	/* exit status, decimal; the last frame */
};

#define FRAME_HEADER	5	/* bytes: type and length */
#define FRAME_MAX	4096	/* bytes in one frame */

#endif
