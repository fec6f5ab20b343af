/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * guest.h: a guest whose code is C in the test's own binary.
 *
 * The binary is linked at a fixed address (no PIE), and its pages are a
 * memory slot of the guest at the same guest-physical address; the first
 * 2 MiB of the guest hold its tables and stacks (layout.h). Page tables map
 * everything below 4 GiB one to one, so a pointer to a static object means
 * the same on both sides and both see the same bytes: a test and its guests
 * share their variables. Guest code may call functions of this binary only,
 * never the C library.
 *
 * Guest to host: GUEST_SYNC(), GUEST_ASSERT() and GUEST_DONE() write the
 * address of a struct ucall to a port; gcpu_run() returns what it says.
 *
 * What the library itself cannot do (no device, no memory) ends the test
 * with a line that says so. The process owns every object; nothing here is
 * safe against use of one vCPU from two threads.
 */
#ifndef SELFTESTS_GUEST_H
#define SELFTESTS_GUEST_H

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/hvm.h>

#include "../../userspace/lib/libhvm.h"
#include "layout.h"
#include "x86.h"

#define UCALL_PORT	0x4856
#ifndef PAGE_SIZE
#define PAGE_SIZE	4096ul
#endif
#define SZ_2M		(2ul << 20)
#define ARRAY_LEN(a)	(sizeof(a) / sizeof((a)[0]))

/* what gcpu_run() returns besides HVM_EXIT_* and -errno */
#define UCALL_SYNC	0x100	/* ucall.arg[0] of GUEST_SYNC() */
#define UCALL_DONE	0x101
#define UCALL_ABORT	0x102	/* a GUEST_ASSERT() failed; it was printed */

/**
 * struct ucall - one message of a guest
 * @cmd: UCALL_*
 * @arg: its arguments
 * @text: of an abort: the expression
 * @line: of an abort: where
 */
struct ucall {
	uint64_t cmd;
	uint64_t arg[4];
	const char *text;
	uint64_t line;
};

/**
 * struct gvm - a VM of a test
 * @dev: the device
 * @fd: the VM
 * @low: the host's view of guest-physical 0 to LOW_SIZE
 * @next_page: the first page that gvm_alloc() has not given away
 * @next_slot: the first memory slot that is not in use
 */
struct gvm {
	int dev;
	int fd;
	uint8_t *low;
	uint64_t next_page;
	uint32_t next_slot;
};

/**
 * struct gcpu - a vCPU of a test
 * @vm: its VM
 * @id: its number and APIC ID
 * @fd: the vCPU
 * @run: its shared page
 * @h: the descriptor that libhvm made
 * @uc: the last message of the guest
 * @thread: of gcpu_start()
 * @result: what gcpu_run() returned last in @thread
 * @syncs: messages UCALL_SYNC that @thread took
 * @finished: @thread has ended
 */
struct gcpu {
	struct gvm *vm;
	unsigned int id;
	int fd;
	struct hvm_run *run;
	struct hvm_vcpu_fd h;
	struct ucall uc;
	pthread_t thread;
	volatile int result;
	volatile uint64_t syncs;
	volatile bool finished;
};

/**
 * struct trap_frame - a guest's registers at an exception or interrupt
 */
struct trap_frame {
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8;
	uint64_t rbp, rdi, rsi, rdx, rcx, rbx, rax;
	uint64_t vector, error;
	uint64_t rip, cs, rflags, rsp, ss;
};

/* ---- the host's side ---- */

enum gvm_irqchip {
	GVM_NO_IRQCHIP,		/* interrupts come by HVM_INTERRUPT */
	GVM_SPLIT,		/* local APICs in the kernel, 24 pins outside */
	GVM_FULL,		/* 8259A, IOAPIC and local APICs in the kernel */
};

/** device_path() - the device under test: HVM_DEVICE or /dev/hvm */
const char *device_path(void);
/** device_is_hvm() - whether the device is hvm's, not its peer's */
bool device_is_hvm(void);
/** module_option() - 1: hvm was loaded with it, 0: without, -1: its backend has no such thing */
int module_option(const char *name);
/** host_cpus() - how many of the host's CPUs are ours; the first @max of them in @cpus */
int host_cpus(int cpus[], int max);
/** have_cap() - what the device answers for a capability */
int have_cap(long cap);
/** lib_die() - end the test as failed with a message and errno's meaning */
void lib_die(const char *what, int err) __attribute__((noreturn));

/** gvm_new() - a VM with its low memory and the binary's image mapped */
struct gvm *gvm_new(enum gvm_irqchip irqchip);
/** gvm_free() - close a VM and unmap its low memory */
void gvm_free(struct gvm *vm);
/** gvm_alloc() - a zeroed page of low memory; returns its address there */
uint64_t gvm_alloc(struct gvm *vm);
/** gvm_slot() - create, change or delete a memory slot; 0 or -errno */
int gvm_slot(struct gvm *vm, uint32_t slot, uint32_t flags, uint64_t gpa,
	     uint64_t size, void *host);
/** gvm_add_memory() - map fresh anonymous memory at @gpa in the next slot */
void *gvm_add_memory(struct gvm *vm, uint64_t gpa, uint64_t size,
		     uint32_t flags);
/** map_aligned() - anonymous memory whose address is a multiple of 2 MiB */
void *map_aligned(size_t size);
/** gvm_map_page() - point one 4 KiB page of the guest's page tables */
void gvm_map_page(struct gvm *vm, uint64_t va, uint64_t gpa, uint64_t flags);
/** gvm_pte() - where the entry of gvm_map_page() lies, for the host */
uint64_t *gvm_pte(struct gvm *vm, uint64_t va);
/** gvm_route_msi() - one MSI route for each of @n GSIs: vector @base + i */
int gvm_route_msi(struct gvm *vm, unsigned int n, uint8_t base);

/** gcpu_new() - a vCPU with the host's CPUID that starts @fn in long mode */
struct gcpu *gcpu_new(struct gvm *vm, unsigned int id, void (*fn)(void));
/** gcpu_bare() - a vCPU as the device makes it */
struct gcpu *gcpu_bare(struct gvm *vm, unsigned int id);
/** gcpu_set_cpuid() - give a vCPU all that the device supports */
void gcpu_set_cpuid(struct gcpu *c);
/** gcpu_long_mode() - registers for @fn in long mode */
void gcpu_long_mode(struct gcpu *c, void (*fn)(void));
/** gcpu_real_mode() - copy code to LOW_BLOB and start it in real mode */
void gcpu_real_mode(struct gcpu *c, const void *code, const void *end);
/**
 * gcpu_protected() - start code in a flat 32-bit or 16-bit segment
 * @c: the vCPU
 * @code: its address
 * @cs: SEL_CODE32 or SEL_CODE16
 * @cr4: PAE, PSE or 0
 * @cr3: page tables, or 0 for no paging
 */
void gcpu_protected(struct gcpu *c, const void *code, uint16_t cs,
		    uint64_t cr4, uint64_t cr3);
/** gcpu_free() - close a vCPU */
void gcpu_free(struct gcpu *c);
/** gcpu_run() - run to the next message, exit or error; EINTR is returned */
int gcpu_run(struct gcpu *c);
/** gcpu_result() - what gcpu_run() says, for a RUN that was made otherwise */
int gcpu_result(struct gcpu *c);
/** gcpu_start() - run a vCPU in a thread past every UCALL_SYNC */
void gcpu_start(struct gcpu *c);
/** gcpu_join() - wait for the thread; its result, or -ETIMEDOUT */
int gcpu_join(struct gcpu *c, unsigned int seconds);
/** gcpu_stop() - make the thread leave the guest; its result */
int gcpu_stop(struct gcpu *c);
/** gcpu_regs() - the general registers */
struct hvm_regs gcpu_regs(struct gcpu *c);
/** wait_for() - poll a variable of the guest; false after @seconds */
bool wait_for(volatile uint64_t *v, uint64_t at_least, unsigned int seconds);
/** xsave_area_size() - bytes of HVM_GET_XSAVE2 */
size_t xsave_area_size(struct gvm *vm);
/** shrink_slabs() - take back what slabs, and KASAN for a while, keep of what was freed */
void shrink_slabs(void);

/* skip by name what this host does not have */
#define REQUIRE(cond, name) do {					\
	if (!(cond))							\
		SKIP(return, "%s", name);				\
} while (0)
#define REQUIRE_HVM() REQUIRE(device_is_hvm(), "only hvm promises this")

#define ASSERT_DONE(c)	ASSERT_EQ(UCALL_DONE, gcpu_run(c))
#define ASSERT_SYNC(c, n) do {						\
	ASSERT_EQ(UCALL_SYNC, gcpu_run(c));				\
	ASSERT_EQ((uint64_t)(n), (c)->uc.arg[0]);			\
} while (0)
/* a call that fails as the peer's does: returns -1 and sets errno */
#define EXPECT_ERRNO(err, call) do {					\
	errno = 0;							\
	EXPECT_EQ(-1, call);						\
	EXPECT_EQ(err, errno);						\
} while (0)

/* ---- the guest's side ---- */

extern void (*guest_handlers[256])(struct trap_frame *f);
extern void (*ap_entry)(void);
extern uint8_t guest_vectors[], ap_trampoline[], ap_trampoline_end[];

void guest_ucall(uint64_t cmd, uint64_t a0, uint64_t a1, uint64_t a2,
		 const char *text, uint64_t line);
void guest_done(void);
void guest_return(void);
void guest_trap(struct trap_frame *f);
uint64_t guest_hypercall(uint64_t nr, uint64_t a0, uint64_t a1);
void guest_start_ap(uint32_t apic_id);
void guest_user_call(void (*fn)(void), uint64_t stack);
void guest_user_exit(void);

#define GUEST_SYNC(n)	guest_ucall(UCALL_SYNC, (uint64_t)(n), 0, 0, 0, 0)
#define GUEST_SYNC2(n, a, b) guest_ucall(UCALL_SYNC, (uint64_t)(n),	\
					 (uint64_t)(a), (uint64_t)(b), 0, 0)
#define GUEST_DONE()	guest_done()
#define GUEST_ASSERT(x) do {						\
	if (!(x))							\
		guest_ucall(UCALL_ABORT, 0, 0, 0, #x, __LINE__);	\
} while (0)
#define GUEST_ASSERT_EQ(a, b) do {					\
	uint64_t a_ = (uint64_t)(a), b_ = (uint64_t)(b);		\
									\
	if (a_ != b_)							\
		guest_ucall(UCALL_ABORT, a_, b_, 1, #a " == " #b, __LINE__); \
} while (0)

/*
 * Run one instruction; give the vector it raised, or -1. R9 and R10 tell
 * guest_trap() where to go on; the error code comes back in R11.
 */
#define SAFE_MAGIC	0x5afe5afe
#define SAFE_ASM(insn)							\
	"lea 7f(%%rip), %%r9\n\t"					\
	"mov $0x5afe5afe, %%r10d\n\t"					\
	insn "\n\t"							\
	"mov $-1, %%r10\n\t"						\
	"7:\n\t"
#define SAFE_CLOBBER	"r9", "r11", "memory", "cc"
#define SAFE(vec, insn, ...) do {					\
	register uint64_t r10_ asm("r10");				\
	asm volatile(SAFE_ASM(insn) : "=&r"(r10_) : __VA_ARGS__		\
		     : SAFE_CLOBBER);					\
	(vec) = (int)r10_;						\
} while (0)

static inline int rdmsr_safe(uint32_t msr, uint64_t *v)
{
	uint32_t lo = 0, hi = 0;
	register uint64_t r10 asm("r10");

	asm volatile(SAFE_ASM("rdmsr") : "=&r"(r10), "+a"(lo), "+d"(hi)
		     : "c"(msr) : SAFE_CLOBBER);
	*v = (uint64_t)hi << 32 | lo;
	return (int)r10;
}

static inline int wrmsr_safe(uint32_t msr, uint64_t v)
{
	int vec;

	SAFE(vec, "wrmsr", "c"(msr), "a"((uint32_t)v),
	     "d"((uint32_t)(v >> 32)));
	return vec;
}

#endif /* SELFTESTS_GUEST_H */
