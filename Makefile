# SPDX-License-Identifier: GPL-2.0-only
#
# hvm: the kernel module, the VMM, the selftests and the emulated hosts they
# run in.  "make help" tells the targets.  Nothing is built in the source tree:
# everything goes to $(O), and what is downloaded to a cache outside the tree.

O       ?= build
PREFIX  ?= /usr/local
override O := $(abspath $(O))

# The kernel to build for: KDIR, a build directory; or KVER, a kernel of the
# lab (6.1, 6.12, 7, debug or a release).  Default: the running kernel if its headers
# are here, else the lab's 6.1.
running := $(shell uname -r)
ifeq ($(KDIR)$(KVER),)
ifneq ($(wildcard /lib/modules/$(running)/build/Makefile),)
KDIR := /lib/modules/$(running)/build
else
KVER := 6.1
endif
endif

all: modules userspace

help:
	@echo 'make                    the module and the VMM'
	@echo 'make modules            hvm.ko, in $$(O)/kmod-RELEASE; KVER=6.1|6.12|7|debug|RELEASE'
	@echo '                        or KDIR=DIR choose the kernel'
	@echo 'make userspace          libhvm, hvm and their man pages'
	@echo 'make selftests          the selftests'
	@echo 'make demo               two Linux guests at once, here or in an emulated host'
	@echo 'make run                a shell on a host with hvm, to play with'
	@echo 'make check              build and test everything'
	@echo 'make bench              what hvm costs beside KVM, in instructions, on both lanes'
	@echo 'make bench-accept       keep the figures that make check compares with'
	@echo "make check-kvm          the kernel's KVM selftests, on hvm and on KVM (HOST=amd|intel: one host)"
	@echo 'make debug-kernel       a kernel that checks what hvm does to it (20 minutes)'
	@echo 'make check-clients      QEMU, firmware and libvirt, as Debian has them, on hvm'
	@echo 'make check-debug        all selftests on it'
	@echo 'make fuzz               fuzz it on that kernel for TIME seconds (300)'
	@echo 'make soak               boot a guest 100 times in a row (COUNT=N)'
	@echo 'make install            module, VMM, man pages, udev rule (DESTDIR, PREFIX)'
	@echo 'make clean              remove $$(O)'
	@echo
	@echo 'HOST=amd|intel|here     the host of demo, run, soak and check-clients'
	@echo 'O=DIR                   where to build (default: build)'
	@echo 'lab/deps installs the Debian packages all of this needs.'

modules:
	@lab/module "$(O)" $(if $(KDIR),"$(KDIR)",$(KVER))

userspace:
	@$(MAKE) --no-print-directory -C userspace O="$(O)/userspace"

selftests:
	@$(MAKE) --no-print-directory -C selftests O="$(O)/selftests" \
		KSELFTEST_DIR="$$(lab/fetch kselftest)"

demo:
	@lab/demo $(if $(HOST),--host $(HOST))

run:
	@lab/demo --shell $(if $(HOST),--host $(HOST))

bench:
	@lab/bench --output "$(O)" $(or $(LANES),amd intel) $(if $(KVER),--kernel $(KVER))

bench-accept:
	@lab/bench --accept --output "$(O)" $(or $(LANES),amd intel) $(if $(KVER),--kernel $(KVER))

check:
	@lab/check "$(O)"

check-kvm:
	@lab/deps build amd intel
	@lab/check-kvm "$(O)" $(HOST)

debug-kernel:
	@lab/deps build debug
	@lab/debug-kernel

check-debug: debug-kernel
	@HVM_KERNELS=debug lab/check "$(O)" amd-debug intel-debug
	@lab/hygiene --kernel debug --output "$(O)"

fuzz: debug-kernel
	@lab/fuzz --time $(or $(TIME),300) --output "$(O)"

check-clients:
	@lab/clients --output "$(O)" $(if $(HOST),--host $(HOST))

soak:
	@lab/soak --count $(or $(COUNT),100) $(if $(HOST),--host $(HOST))

install: all
	@dir=$$(lab/module --where "$(O)" $(if $(KDIR),"$(KDIR)",$(KVER))) && \
	env -u MAKEFLAGS -u MAKEOVERRIDES make -C "$$(cat "$$dir/.kdir")" M="$$dir" \
		INSTALL_MOD_PATH="$(DESTDIR)" CONFIG_MODULE_SIG_ALL= modules_install
	@$(MAKE) --no-print-directory -C userspace O="$(O)/userspace" \
		DESTDIR="$(DESTDIR)" PREFIX="$(PREFIX)" install
	install -D -m 644 lab/60-hvm.rules "$(DESTDIR)/lib/udev/rules.d/60-hvm.rules"

clean:
	rm -rf "$(O)"

.PHONY: all help modules userspace selftests demo run bench bench-accept check debug-kernel check-debug check-kvm check-clients fuzz soak install clean
