# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What all lanes of emulated hosts share: the command line, the initramfs, and
# the way the results come back.  A lane sets its defaults, calls host_main
# "$@" and provides
#
#   lane_prepare  make ready what else the emulator needs
#   lane_start    start the emulator (exec; it runs under a time limit)
#   lane_spare    whether the emulator has one more CPU, number 0, on which COMMAND
#                 may not run
#
# which finds: kernel_dir, release, run (the run's directory, with initrd and
# the pipe "channel"), smp, spare, memory, append, interactive, icount, turns, console.

# shellcheck source=lab/lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

host_usage() {
	cat <<USAGE
usage: lab/$lane [OPTION]... -- COMMAND [ARG]...

Run COMMAND in an emulated host with $lane_title.  Its output
is written to stdout as it comes, its exit status is passed through; 124 means
that the time limit was reached, 125 that the lab or the host itself failed.

  --kernel KERNEL       host kernel: 6.1 (default), 6.12, 7, a release, debug, or
                        a directory with vmlinuz and lib/modules
  --smp N               CPUs that COMMAND has (default 1)
  --memory MIB          memory of the host (default $memory)
  --timeout SEC         time limit (default $timeout)
  --append STR          more kernel command line
  --in FILE[:DEST]      take a file or directory in (default /root/NAME);
                        shared libraries it needs come along
  --image FILE          unpack this cpio archive below everything else
  --out PATH[:DEST]     bring a file or directory out when COMMAND has ended
  --module FILE[ ARGS]  take a kernel module in, insert it before COMMAND
  --stock-modules LIST  insert modules of the kernel's own package (a,b,...)
  --modules LIST        the same, taken in to /modules but not inserted
  --klog FILE           write the host's kernel log here
  --console FILE        write the host's serial console here
  --emulator-log FILE   write the emulator's own log here (Bochs: which rule a VM
                        entry broke)
  --interactive         COMMAND (default: a shell) gets a terminal;
                        $lane_escape
  --icount              one instruction takes 1 ns of the host's time
  --turns               its CPUs run in turns, not each in a thread of its own: slower
                        with several, but without a race inside QEMU
  --count FILE          write how often each instruction was executed between the
                        marks (see lab/profile)
  --quiet               no messages of the lab itself
USAGE
}

# Defaults, options.
host_options() {
	kernel=6.1 smp=1 append='' klog='' console_out='' log_out='' interactive='' icount='' turns='' count='' quiet=''
	ins=() outs=() images=() modules=() stock=() stock_in=() command=()
	while [ $# -gt 0 ]; do
		case $1 in
		--kernel)	 kernel=${2?} ;;
		--smp)		 smp=${2?} ;;
		--memory)	 memory=${2?} ;;
		--timeout)	 timeout=${2?} ;;
		--append)	 append="$append ${2?}" ;;
		--in)		 ins+=("${2?}") ;;
		--image)	 images+=("${2?}") ;;
		--out)		 outs+=("${2?}") ;;
		--module)	 modules+=("${2?}") ;;
		--stock-modules) IFS=, read -ra names <<<"${2?}"; stock+=("${names[@]}") ;;
		--modules)	 IFS=, read -ra names <<<"${2?}"; stock_in+=("${names[@]}") ;;
		--klog)		 klog=${2?} ;;
		--console)	 console_out=${2?} ;;
		--emulator-log)	 log_out=${2?} ;;
		--interactive)	 interactive=1; shift; continue ;;
		--icount)	 icount=1; shift; continue ;;
		--turns)	 turns=1; shift; continue ;;
		--count)	 count=$(realpath -m "${2?}") ;;
		--quiet)	 quiet=1; shift; continue ;;
		--)		 shift; command=("$@"); break ;;
		-h | --help)	 host_usage; exit 0 ;;
		*)		 die "unknown option $1 (lab/$lane --help lists them)" ;;
		esac
		shift 2
	done
	if [ ${#command[@]} -eq 0 ]; then
		[ -n "$interactive" ] || die "no command; lab/$lane --help shows the usage"
		command=(sh -l)
	fi
}

# Set kernel_dir and release.
host_kernel() {
	case $kernel in
	*/*)	kernel_dir=$kernel ;;
	*)	kernel_dir=$("$LAB/fetch" kernel "$kernel") || exit 125 ;;
	esac
	release=$(basename "$kernel_dir"/lib/modules/*)
	[ -r "$kernel_dir/vmlinuz" ] || die "$kernel_dir has no vmlinuz"
}

# The part of the initramfs that is the same in every run: busybox, the agent
# and a few files of a root file system.  Kept in the cache by its inputs.
host_base() { # sets base, receive, chunk and counter
	local busybox key dir tmp
	busybox=$(command -v busybox) || die "no busybox here; lab/deps installs what is needed"
	key=$(cat "$busybox" "$LAB/init" "$LAB/agent.c" "$LAB/receive.c" \
		"$LAB/chunk.c" "$LAB/count.c" "$LAB/channel.h" "$LAB/host.sh" | sha256sum | cut -c1-16)
	dir=$HVM_CACHE/base/$key
	base=$dir/base.cpio
	receive=$dir/receive
	chunk=$dir/chunk.so
	counter=$dir/count.so
	[ ! -e "$dir" ] || return 0
	mkdir -p "$HVM_CACHE/base"
	tmp=$(mktemp -d "$HVM_CACHE/base/tmp.XXXXXX")
	${CC:-gcc} -O2 -Wall -static -o "$tmp/agent" "$LAB/agent.c"
	${CC:-gcc} -O2 -Wall -o "$tmp/receive" "$LAB/receive.c"
	${CC:-gcc} -O2 -Wall -shared -fPIC -o "$tmp/chunk.so" "$LAB/chunk.c"
	${CC:-gcc} -O2 -Wall -shared -fPIC -fvisibility=hidden -o "$tmp/count.so" "$LAB/count.c"
	host_root "$tmp/root" "$busybox"
	mkdir "$tmp/root/lab" "$tmp/root/modules"
	cp "$tmp/agent" "$tmp/root/lab/agent"
	cp "$LAB/init" "$tmp/root/init"
	host_cpio "$tmp/root" >"$tmp/base.cpio"
	rm -rf "$tmp/root"
	chmod 755 "$tmp"
	mv -T "$tmp" "$dir" 2>/dev/null || rm -rf "$tmp" # another run was first
}

# A root file system with busybox in it.
host_root() { # root, busybox
	local root=$1 applet
	mkdir -p "$root"/{bin,dev,etc,lib,lib64,proc,root,run,sbin,sys,tmp,var}
	mkdir -p "$root"/usr/{bin,sbin} "$root"/home/user
	ln -s /run "$root/var/run"
	cp "$2" "$root/bin/busybox"
	for applet in $("$2" --list-full); do
		mkdir -p "$root/${applet%/*}"
		[ -e "$root/$applet" ] || ln -s /bin/busybox "$root/$applet"
	done
	host_libraries "$root" "$root/bin/busybox"
	cat >"$root/etc/passwd" <<-END
		root:x:0:0:root:/root:/bin/sh
		user:x:1000:1000:user:/home/user:/bin/sh
		nobody:x:65534:65534:nobody:/:/bin/sh
	END
	cat >"$root/etc/group" <<-END
		root:x:0:
		tty:x:5:
		kvm:x:106:
		user:x:1000:
		nogroup:x:65534:
	END
	echo "127.0.0.1 localhost host" >"$root/etc/hosts"
	echo "passwd: files" >"$root/etc/nsswitch.conf"
	# shellcheck disable=SC2016 # for the shell in the host
	echo 'PS1="\\h:\\w\\$ "' >"$root/etc/profile"
}

host_cpio() { # root
	(cd "$1" && find . -print0 | LC_ALL=C sort -z |
		cpio -0 -o -H newc -R 0:0 --quiet)
}

# Copy the shared libraries of a program to where it looks for them.
host_libraries() { # root, file
	local lib
	{ ldd "$2" 2>/dev/null || true; } | sed -n 's|^[^/]*\(/[^ ]*\).*|\1|p' | while read -r lib; do
		[ ! -e "$1$lib" ] || continue
		mkdir -p "$1${lib%/*}"
		cp -L "$lib" "$1$lib"
	done
}

host_all_libraries() { # root
	local file magic
	find "$1" -type f ! -name '*.ko' ! -name '*.o' -size +1k | while read -r file; do
		LC_ALL=C IFS= read -r -n4 magic <"$file" || continue
		[ "$magic" != $'\x7fELF' ] || host_libraries "$1" "$file"
	done 2>/dev/null
}

host_take_in() { # root, FILE[:DEST]
	local from=${2%%:*} to=
	[ "$2" = "$from" ] || to=${2#*:}
	[ -e "$from" ] || die "no such file: $from"
	case $to in
	'')	to=/root/$(basename "$from") ;;
	*/)	to=$to$(basename "$from") ;;
	/*)	;;
	*)	to=/root/$to ;;
	esac
	mkdir -p "$1${to%/*}"
	if [ -d "$from" ]; then
		mkdir -p "$1$to"
		cp -a --reflink=auto "$from/." "$1$to/"
	else
		cp -L --preserve=mode --reflink=auto "$from" "$1$to"
	fi
}

# Take modules of the kernel's package in, each after those it needs, and
# print the names of their files in the host.
host_stock() { # root, module...
	local root=$1 name paths path file
	shift
	for name; do
		paths=$(modprobe -d "$kernel_dir" -S "$release" --ignore-install \
			--show-depends "$name" 2>/dev/null | sed -n 's/^insmod \([^ ]*\).*/\1/p') ||
			die "kernel $release has no module $name"
		for path in $paths; do
			file=$(basename "$path")
			file=${file%.xz}
			file=${file%.zst}
			echo "/modules/$file"
			[ ! -e "$root/modules/$file" ] || continue
			mkdir -p "$root/modules"
			case $path in
			*.xz)	xz -dc "$path" >"$root/modules/$file" ;;
			*.zst)	zstd -qdc "$path" >"$root/modules/$file" ;;
			*)	cp "$path" "$root/modules/$file" ;;
			esac
		done
	done | awk '!seen[$0]++'
}

# /lab/command: inserts the modules, then becomes the command.
host_command() { # root
	local root=$1 file entry depends rows columns
	if [ -n "$interactive" ]; then
		# A serial line carries neither the size nor the kind of terminal.
		read -r rows columns < <(stty size 2>/dev/null) || true
		[ "${columns:-0}" -eq 0 ] || echo "stty rows $rows cols $columns"
		printf 'export TERM=%q\n' "${TERM:-linux}"
	fi
	[ ${#stock_in[@]} -eq 0 ] || host_stock "$root" "${stock_in[@]}" >/dev/null
	[ ${#stock[@]} -eq 0 ] || for file in $(host_stock "$root" "${stock[@]}"); do
		echo "insmod $file || exit 125"
	done
	for entry in ${modules[@]+"${modules[@]}"}; do
		file=${entry%% *}
		[ -r "$file" ] || die "no such module: $file"
		host_take_in "$root" "$file:/modules/"
		depends=$(modinfo -F depends "$file" | tr ',' ' ')
		# shellcheck disable=SC2086 # a list of names
		[ -z "$depends" ] || for file in $(host_stock "$root" $depends); do
			echo "[ -e /sys/module/$(basename "$file" .ko | tr - _) ] || insmod $file || exit 125"
		done
		echo "insmod /modules/$(basename "${entry%% *}")${entry#"${entry%% *}"} || exit 125"
	done
	echo "cd /root"
	printf 'exec'
	printf ' %q' "${command[@]}"
	echo
}

host_initrd() {
	local root=$run/root entry
	mkdir -p "$root/lab" "$root/root"
	chmod 755 "$root" "$root/root"
	for entry in ${ins[@]+"${ins[@]}"}; do
		host_take_in "$root" "$entry"
	done
	host_command "$root" >"$root/lab/command"
	for entry in ${outs[@]+"${outs[@]}"}; do
		echo "${entry%%:*}"
	done >"$root/lab/out"
	echo "${interactive:+tty}" >"$root/lab/mode"
	[ $spare -eq 0 ] || echo "1-$smp" >"$root/lab/cpus"
	host_all_libraries "$root"
	host_base
	{ cat "$base" ${images[@]+"${images[@]}"}; host_cpio "$root"; } >"$run/initrd"
	rm -rf "$root"
}

# Put the files that were taken out where they belong.
host_deliver() {
	local number=0 entry to missing=0
	for entry in ${outs[@]+"${outs[@]}"}; do
		to=$(basename "$entry")
		[ "$entry" = "${entry#*:}" ] || to=${entry#*:}
		if [ -e "$run/got/$number.tar" ]; then
			mkdir -p "$to"
			tar -xf "$run/got/$number.tar" -C "$to" --no-same-owner
		elif [ -e "$run/got/$number" ]; then
			cp "$run/got/$number" "$to"
		else
			note "the host left no ${entry%%:*}"
			missing=1
		fi
		number=$((number + 1))
	done
	if [ -n "$klog" ]; then
		if [ -e "$run/got/klog" ]; then
			cp "$run/got/klog" "$klog"
		else
			cp "$run/console" "$klog"
		fi
	fi
	[ -z "$log_out" ] || cp "$emulator_log" "$log_out"
	[ -z "$console_out" ] || cp "$run/console" "$console_out"
	return $missing
}

host_cleanup() {
	trap '' INT TERM
	[ -z "${emulator-}" ] || kill "$emulator" 2>/dev/null || true
	exec 8>&- # else the receiver never comes to the channel's end
	wait 2>/dev/null || true
	[ -n "${HVM_LAB_KEEP-}" ] || rm -rf "$run"
}

# Run the emulator under the time limit; sets ended to its exit status.
host_emulate() {
	mkfifo "$run/channel"
	mkdir "$run/got"
	: >"$run/console"
	"$receive" "$run/channel" "$run/got" &
	receiver=$!
	exec 8<>"$run/channel" # until the emulator has opened it
	ended=0
	if [ -n "$interactive" ]; then
		(lane_start timeout --foreground -k 5 "$timeout" 2>"$run/emulator.log" 8>&-) || ended=$?
	else
		lane_start timeout -k 5 "$timeout" </dev/null >"$run/emulator.log" 2>&1 8>&- &
		emulator=$!
		while ended=0; wait "$emulator" || ended=$?; kill -0 "$emulator" 2>/dev/null; do :; done
		emulator=''
	fi
	exec 8>&-
	wait "$receiver" || true
}

host_main() {
	set -euo pipefail
	host_options "$@"
	host_kernel
	spare=0
	! lane_spare || spare=1
	mkdir -p "$HVM_CACHE"
	run=$(mktemp -d "${TMPDIR:-/tmp}/hvm-lab.XXXXXX")
	trap host_cleanup EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	emulator_log=$run/emulator.log
	host_initrd
	lane_prepare
	[ -n "$quiet" ] || note "starting an emulated $lane host, kernel $release, $smp CPU(s), $memory MiB"
	host_emulate
	delivered=0
	host_deliver || delivered=125
	if [ -e "$run/got/status" ]; then
		status=$(cat "$run/got/status")
		[ "$status" -ne 0 ] || status=$delivered
		exit "$status"
	fi
	sed 's/\r$//' "$run/console" | tail -n 60 >&2
	if [ $ended -eq 124 ] || [ $ended -eq 137 ]; then
		note "time limit of $timeout s reached; above is the end of the host's console"
		exit 124
	fi
	[ ! -e "$emulator_log" ] || tail -n 20 "$emulator_log" >&2
	note "the host stopped without an exit status (emulator: $ended)"
	exit 125
}
