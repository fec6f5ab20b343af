# SPDX-License-Identifier: GPL-2.0-only
#
# What the userspace Makefiles share: flags, and rules that write every object
# below O (a directory of the caller's), never beside the sources.

top := $(abspath $(dir $(lastword $(MAKEFILE_LIST)))/..)

O ?= $(top)/build/userspace
override O := $(abspath $(O))
V ?= 0
VERSION ?= 0.1

PREFIX ?= /usr/local
DESTDIR ?=

CFLAGS ?= -O2 -g
# Not for the caller to change: the warnings are errors, and the programs read
# files that somebody else made.
HVM_CFLAGS := -std=gnu11 -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes \
	-Wmissing-prototypes -Wvla -Wformat=2 -fPIE -fstack-protector-strong \
	-fstack-clash-protection -fcf-protection -fno-common \
	-ffile-prefix-map=$(top)/=
HVM_CPPFLAGS := -D_GNU_SOURCE -I$(top)/include/uapi \
	-I$(top)/userspace/lib -I$(O) -DHVM_VERSION='"$(VERSION)"'
# A sanitizer build (SANITIZE=address,undefined) brings its own checks.
ifdef SANITIZE
HVM_CFLAGS += -fsanitize=$(SANITIZE) -fno-omit-frame-pointer
HVM_LDFLAGS := -fsanitize=$(SANITIZE) -pie
else
HVM_CPPFLAGS += -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
HVM_LDFLAGS := -pie -Wl,-z,relro,-z,now,-z,noexecstack
endif

ifeq ($(V),1)
Q :=
step :=
else
Q := @
# make -s: not a word
ifeq ($(findstring s,$(firstword -$(MAKEFLAGS))),)
step = @printf '  %-7s %s\n' '$(1)' '$(patsubst $(O)/%,%,$(2))'
endif
endif

COMPILE = $(CC) $(HVM_CPPFLAGS) $(CPPFLAGS) $(HVM_CFLAGS) $(CFLAGS) -MMD -MP

$(O)/%.o: %.c
	$(call step,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(COMPILE) -c -o $@ $<
