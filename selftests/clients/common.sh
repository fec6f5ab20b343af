# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
#
# What the tests of KVM's clients share; runs in a host, in busybox's shell.
# /clients has what they boot, CLIENT_SECONDS is how long a guest may take,
# CLIENT_ROWS a regular expression of the rows to run (default: those that a
# test says), "list" prints their names.

dir=/clients
seconds=${CLIENT_SECONDS:-120}
number=0 failed=0

# The client finds KVM's device where it looks for it.
[ -e /dev/kvm ] || ln -s hvm /dev/kvm

# What may end a guest without a word of QEMU's: the host keeps a record.
trace=/sys/kernel/tracing
watch_resets() {
	local code
	code=$(sed -n 's/.*{ \([0-9]*\), "shutdown" }.*/\1/p' $trace/events/hvm/hvm_exit/format)
	echo "code == $code" >$trace/events/hvm/hvm_exit/filter
	echo 'in == 0 && (port == 0xcf9 || port == 0x64)' >$trace/events/hvm/hvm_pio/filter
	echo 1 >$trace/events/hvm/hvm_exit/enable
	echo 1 >$trace/events/hvm/hvm_pio/enable
}
[ ! -d $trace/events/hvm ] || watch_resets

qemu_cpu=$(grep -qw vmx /proc/cpuinfo && echo Skylake-Server || echo EPYC)
disk_sum=$(cat $dir/disk.sum)
cmdline="console=ttyS0 quiet panic=-1 cryptomgr.notests"

tmp=$(mktemp -d)
trap cleanup EXIT
pids=''
cleanup() {
	# shellcheck disable=SC2086 # a list
	[ -z "$pids" ] || kill -9 $pids 2>/dev/null
	rm -rf "$tmp"
}

wanted() { # row, in the default run?
	if [ -n "${CLIENT_ROWS-}" ]; then
		echo "$1" | grep -qE "^($CLIENT_ROWS)\$"
	else
		[ -n "$2" ]
	fi
}

# What QEMU says of CPUs that are emulated themselves, and few.
noise="host doesn't support requested feature\|exceeds the recommended cpus\|^.qemu.\|Userspace local APIC is deprecated\|Do not use kernel-irqchip"

# Say what became of a row; if it failed, files tell why.
result() { # status, row, file...
	local file
	number=$((number + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $number $2"
		return
	fi
	echo "not ok $number $2"
	failed=1
	shift 2
	for file; do
		echo "# -- ${file##*/}"
		[ ! -e "$file" ] || tr -d '\r\000' <"$file" | grep -av "$noise" |
			tail -n 40 | sed 's/^/# /'
	done
	[ ! -d $trace/events/hvm ] || {
		echo "# -- shutdowns, and writes to the ports that reset (hvm:hvm_exit, hvm:hvm_pio)"
		grep -v '^#' $trace/trace | tail -n 20 | sed 's/^/# /'
	}
}

# Wait for a line in a file, as long as a process is there.
await() { # file, regular expression, pid, seconds
	local n=0
	until grep -aqE "$2" "$1" 2>/dev/null; do
		n=$((n + 1))
		[ $n -le $(($4 * 5)) ] || return 1
		[ "$3" -eq 0 ] || kill -0 "$3" 2>/dev/null || return 1
		usleep 200000
	done
}

# Wait for a process to end within a time, else kill it.
reap() { # pid, seconds
	local n=0
	while kill -0 "$1" 2>/dev/null && [ $n -lt $(($2 * 5)) ]; do
		n=$((n + 1))
		usleep 200000
	done
	kill -9 "$1" 2>/dev/null && echo "# killed after $2 s"
	wait "$1" 2>/dev/null
}

# QEMU with nothing but what a row asks for, in the background: its serial line
# goes to NAME.serial, what it says to NAME.err.  Sets pid.
start() { # name, options
	local name=$1 input=/dev/null
	shift
	[ ! -p "$tmp/$name.monitor" ] || input=$tmp/$name.monitor
	rm -f "$tmp/$name.serial" "$tmp/$name.debug"
	qemu-system-x86_64 -name "$name" -accel "kvm,kernel-irqchip=$irqchip" \
		-nodefaults -no-user-config -display none -no-reboot \
		-serial "file:$tmp/$name.serial" -debugcon "file:$tmp/$name.debug" \
		-global isa-debugcon.iobase=0x402 \
		"$@" <>"$input" >"$tmp/$name.err" 2>&1 &
	pid=$!
	pids="$pids $pid"
}

# The same with a monitor that commands are written to by hmp().
start_monitored() { # name, options
	rm -f "$tmp/$1.monitor"
	mkfifo "$tmp/$1.monitor"
	start "$@" -monitor stdio
	await "$tmp/$1.err" '^.qemu.' "$pid" 60
}

# Opened to read as well, so that it does not wait for a QEMU that has ended.
hmp() { # name, command
	echo "$2" 1<>"$tmp/$1.monitor"
}

# Disk, network and random numbers on a bus: pci or device (which is MMIO).
virtio() { # bus, disk
	echo "-drive file=$2,if=none,id=disk,format=raw -device virtio-blk-$1,drive=disk
		-netdev user,id=net -device virtio-net-$1,netdev=net
		-device virtio-rng-$1"
}

up_seconds() {
	cut -d. -f1 /proc/uptime
}

# Run a function for the rows that rows() prints: those with a + by default.
run_rows() { # function
	local default row rest
	echo "TAP version 13"
	# KVM tells of MSRs that it does not know.
	echo "# klog-allow: kvm \[[0-9]+\]: vcpu"
	rows >"$tmp/rows"
	while read -r default row rest <&4; do
		wanted "$row" "${default%-}" || continue
		# shellcheck disable=SC2086 # several words
		"$1" "$row" $rest
	done 4<"$tmp/rows"
	echo "1..$number"
	exit $failed
}
