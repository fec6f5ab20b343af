#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# What `hvm` says to arguments and files that are no good: one line on standard
# error that names the culprit, status 35, nothing on standard output, no core.
# And what it says when asked for help. Needs no device.

here=$(dirname "$0")
hvm=${HVM:-$here/hvm}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
number=0 failed=0

result() { # ok?, name
	number=$((number + 1))
	if [ "$1" = yes ]; then
		echo "ok $number $2"
	else
		failed=1
		echo "not ok $number $2"
	fi
}

# Run hvm; leaves $status, $tmp/out and $tmp/err.
run() { # arguments
	timeout 20 "$hvm" "$@" >"$tmp/out" 2>"$tmp/err" </dev/null
	status=$?
}

# Status 35 and one line that holds the text
refuses() { # name, text, arguments
	name=$1 text=$2
	shift 2
	run "$@"
	good=yes
	if [ "$status" -ne 35 ]; then
		echo "# status $status"
		good=no
	fi
	if [ "$(wc -l <"$tmp/err")" -ne 1 ] || [ -s "$tmp/out" ] ||
	   ! grep -qF -- "$text" "$tmp/err"; then
		sed 's/^/# said: /' "$tmp/out" "$tmp/err"
		good=no
	fi
	result $good "$name"
}

# Status 0, the text on standard output, nothing on standard error
prints() { # name, text, arguments
	name=$1 text=$2
	shift 2
	run "$@"
	good=yes
	if [ "$status" -ne 0 ] || [ -s "$tmp/err" ] ||
	   ! grep -qF -- "$text" "$tmp/out"; then
		echo "# status $status"
		sed 's/^/# said: /' "$tmp/out" "$tmp/err"
		good=no
	fi
	result $good "$name"
}

# A file that is large enough to be a kernel, and is none
head -c 100000 /dev/zero >"$tmp/zeroes"
printf '\177ELF' >"$tmp/short"
{ printf '\177ELF'; head -c 100000 /dev/zero; } >"$tmp/elf"
mkfifo "$tmp/fifo"
: >"$tmp/empty"
long=$(head -c 5000 /dev/zero | tr '\0' x)
kernel=$here/host/vmm/payload-poweroff

echo "KTAP version 1"
echo "1..46"
refuses "no verb" "--help"
refuses "unknown verb" "fly" fly
prints "--version" "hvm " --version
prints "--help" "hvm run --kernel FILE" --help
prints "run --help" "--kernel=FILE" run --help
prints "run --help tells the statuses" "36" run --help
prints "check --help" "--device=PATH" check --help
refuses "no kernel" "--kernel" run
refuses "unknown option" "--frobnicate" run --frobnicate
refuses "unknown short option" "-Z" run -Z
refuses "option without value" "--cpus" run --kernel "$kernel" --cpus
refuses "a word that is no option" "'word'" run word
refuses "check takes no words" "'word'" check word
refuses "check: unknown option" "--kernel" check --kernel x
refuses "no such kernel" "$tmp/none" run --kernel "$tmp/none"
refuses "empty kernel name" "kernel ''" run --kernel ""
refuses "kernel is a directory" "directory" run --kernel "$tmp"
refuses "kernel is a FIFO" "not a regular file" run --kernel "$tmp/fifo"
refuses "kernel is a device" "not a regular file" run --kernel /dev/zero
refuses "kernel is empty" "truncated" run --kernel "$tmp/empty"
refuses "kernel is zeroes" "neither" run --kernel "$tmp/zeroes"
refuses "kernel is four bytes of ELF" "truncated" run --kernel "$tmp/short"
refuses "kernel is ELF, then zeroes" "kernel" run --kernel "$tmp/elf"
refuses "kernel is a program" "kernel" run --kernel "$hvm"
refuses "no such initrd" "$tmp/none" run --kernel "$kernel" \
	--initrd "$tmp/none"
truncate -s 1G "$tmp/huge"
refuses "initrd larger than memory" "--memory" run --kernel "$kernel" \
	--initrd "$tmp/huge"
refuses "no memory" "16M" run --kernel "$kernel" --memory 0
refuses "little memory" "16M" run --kernel "$kernel" --memory 64K
refuses "negative memory" "'-1'" run --kernel "$kernel" --memory -1
refuses "memory is a word" "'lots'" run --kernel "$kernel" --memory lots
refuses "memory with two suffixes" "'1GB'" run --kernel "$kernel" --memory 1GB
refuses "memory that wraps" "4 TiB" run --kernel "$kernel" \
	--memory 18446744073709551615G
refuses "memory beyond numbers" "not a size" run --kernel "$kernel" \
	--memory 99999999999999999999999
refuses "memory in odd bytes" "4K" run --kernel "$kernel" --memory 20001K
refuses "0 CPUs" "1 to 255" run --kernel "$kernel" --cpus 0
refuses "10,000 CPUs" "1 to 255" run --kernel "$kernel" --cpus 10000
refuses "a CPU and a half" "1 to 255" run --kernel "$kernel" --cpus 1.5
refuses "command line too long" "command line" run --kernel "$kernel" \
	--cmdline "$long"
refuses "name with a slash" "--name" run --kernel "$kernel" --name a/b
refuses "unknown serial" "--serial" run --kernel "$kernel" --serial usb
refuses "serial file in no directory" "$tmp/no/file" run --kernel "$kernel" \
	--serial "file=$tmp/no/file"
refuses "serial socket too long" "too long" run --kernel "$kernel" \
	--serial "socket=/$long"
refuses "watchdog of 0" "--watchdog" run --kernel "$kernel" --watchdog 0
refuses "statistics in no directory" "$tmp/no/file" run --kernel "$kernel" \
	--stats "$tmp/no/file"
refuses "no such device" "/dev/none" run --kernel "$kernel" \
	--device /dev/none
refuses "a device that is no hypervisor" "/dev/null" run --kernel "$kernel" \
	--device /dev/null
exit $failed
