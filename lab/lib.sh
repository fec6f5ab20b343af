# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What the lab's scripts share: where the cache is and how to speak to the user.

LAB=$(cd "${BASH_SOURCE[0]%/*}" && pwd)
HVM_CACHE=${HVM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/hvm}

note() { printf 'lab: %s\n' "$*" >&2; }

die() {
	printf 'lab: %s\n' "$*" >&2
	exit 125
}
