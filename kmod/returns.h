/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * returns.h - the return stack after an exit, for the backends' enter.S
 *
 * Returns of the guest's may still be in the processor's return stack. What the
 * kernel does about it in a loop of sixteen is done here in a row, since it is
 * done after every exit: no branches but the calls that fill the stack.
 */
#ifndef HVM_RETURNS_H
#define HVM_RETURNS_H

#include <asm/nospec-branch.h>

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
