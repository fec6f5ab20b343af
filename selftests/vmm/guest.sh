#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# `hvm run` with guests of a few instructions each (payload.S): how each kind
# of end shows in the exit status, signals, the watchdog, serial output,
# interrupts through the userspace IOAPIC, statistics. Runs on a host with a
# device, which HVM_DEVICE names; skipped where there is none.

here=$(dirname "$0")
hvm=${HVM:-$here/hvm}
[ -x "$hvm" ] || hvm=hvm
if ! [ -e "${HVM_DEVICE:-/dev/hvm}" ]; then
	echo "KTAP version 1"
	echo "1..0 # SKIP no ${HVM_DEVICE:-/dev/hvm}"
	exit 4
fi
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
number=0 failed=0

result() { # name; the test passed if $good is yes
	number=$((number + 1))
	if [ "$good" = yes ]; then
		echo "ok $number $1"
		return
	fi
	failed=1
	sed 's/^/# /' "$tmp/out" "$tmp/err"
	echo "not ok $number $1"
}

expect() { # what, got, wanted
	[ "$2" = "$3" ] && return
	echo "# $1 is '$2', not '$3'"
	good=no
}

expect_line() { # file, text
	grep -qF -- "$2" "$1" && return
	echo "# $1 lacks '$2'"
	good=no
}

# Start a guest in the background; leaves $pid.
start() { # payload, options
	payload=$1
	shift
	: >"$tmp/out"
	"$hvm" run --kernel "$here/payload-$payload" --memory 16M "$@" \
		>"$tmp/out" 2>"$tmp/err" </dev/null &
	pid=$!
	good=yes
}

finish() {
	wait "$pid"
	status=$?
}

# Run a guest that ends by itself.
guest() { # payload, options
	start "$@" --watchdog 20
	finish
	expect_line "$tmp/out" hello
}

wait_for() { # text
	tries=0
	until grep -qF -- "$1" "$tmp/out"; do
		tries=$((tries + 1))
		[ $tries -lt 200 ] || return
		sleep 0.05
	done
}

ends() { # name, payload, status, text on standard error
	guest "$2"
	expect "the status" "$status" "$3"
	if [ -n "$4" ]; then
		expect_line "$tmp/err" "$4"
	else
		expect "standard error" "$(cat "$tmp/err")" ""
	fi
	result "$1"
}

echo "KTAP version 1"
echo "1..20"

ends "a guest that powers off: 0" poweroff 0
ends "a guest that resets: 32" reset 32
ends "a guest that resets by the keyboard controller: 32" i8042 32
ends "a guest that faults three times: 33" triple 33 "triple fault"
ends "a guest that panics: 34" panic 34 "panicked"
ends "reads where nobody answers give ones" mmio 0

start hang --watchdog 1
finish
expect "the status" "$status" 36
expect_line "$tmp/err" "watchdog"
result "a guest that hangs, with a watchdog: 36"

for sig in TERM INT HUP QUIT; do
	start hang --cpus 3
	wait_for hello
	kill -$sig $pid
	finish
	expect "the status" "$status" 1
	expect_line "$tmp/err" "SIG$sig"
	expect "the output" "$(cat "$tmp/out")" hello
	result "SIG$sig stops a guest and loses no output: 1"
done

start button
wait_for listening
kill -TERM $pid
finish
expect "the status" "$status" 0
expect "standard error" "$(cat "$tmp/err")" ""
result "SIGTERM presses the power button: 0"

start irq
wait_for listening
kill -TERM $pid
finish
expect "the status" "$status" 0
expect "the output" "$(tr -d '\n' <"$tmp/out")" "hello..listening"
result "edges and levels through the IOAPIC"

start hang --cpus 3 --name a-very-long-name-for-a-guest
wait_for hello
expect "the threads" "$(sort "/proc/$pid/task/"*/comm | tr '\n' ' ')" \
	"hvm hvm-a-very-lo/0 hvm-a-very-lo/1 hvm-a-very-lo/2 "
kill -KILL $pid
finish 2>/dev/null
expect "the status" "$status" 137
result "threads bear the guest's name"

guest poweroff --stats "$tmp/stats" --ready llo --name it --cpus 2
for text in '"name":	"it"' '"exit_status":	0' '"boot_seconds":	0.' \
	'"total_seconds":	0.' '"cpus":	2' '"memory_bytes":	16777216' \
	'"io":	'; do
	expect_line "$tmp/stats" "$text"
done
bytes=$(sed -n 's/.*"vmm_private_bytes":[^0-9]*\([0-9]*\).*/\1/p' "$tmp/stats")
echo "# vmm_private_bytes: $bytes"
[ "${bytes:-0}" -gt 100000 ] && [ "$bytes" -le 3145728 ] || good=no
result "statistics, and a VMM of at most 3 MiB"

guest poweroff --stats "$tmp/stats" --ready "not this"
expect_line "$tmp/stats" '"boot_seconds":	null'
result "a guest that was never ready has no boot time"

guest high --memory 5G --cpus 8
expect "the status" "$status" 0
result "5 GiB and 8 vCPUs"

start poweroff --memory 3T
finish
expect "the status" "$status" 35
expect_line "$tmp/err" "address bits"
result "more memory than addresses: 35"

start poweroff --serial "file=$tmp/serial" --watchdog 20
finish
expect "the status" "$status" 0
expect "the file" "$(cat "$tmp/serial")" hello
expect "the output" "$(cat "$tmp/out")" ""
result "the serial port in a file"

start poweroff --serial off --watchdog 20
finish
expect "the status" "$status" 0
expect "the output" "$(cat "$tmp/out")" ""
result "no serial port"

exit $failed
