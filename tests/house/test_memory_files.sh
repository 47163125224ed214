#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Where the kernel forbids executable memory files: the refusal, and the plugin directory on a read-only mount. In namespaces of its own, so the
# machine's setting stays as it is; that takes root and Linux 6.3.
set -eu
build=${EK_TEST_BUILD:-build/release}
eurekube=$build/bin/eurekube

if [ "${1:-}" != inside ]; then
	work=$(mktemp -d "${TMPDIR:-/tmp}/memory-files.XXXXXX")
	trap 'rm -rf "$work"' EXIT
	[ "$(id -u)" -eq 0 ] || { echo "needs root"; exit 77; }
	[ -e /proc/sys/vm/memfd_noexec ] || { echo "this kernel has no vm.memfd_noexec"; exit 77; }
	unshare --mount --pid --fork --mount-proc true 2>/dev/null || { echo "namespaces are not allowed here"; exit 77; }
	unshare --mount --pid --fork --mount-proc "$0" inside "$work"
	exit
fi

work=$2
fail() { echo "$0: $*" >&2; exit 1; }

says() { # STATUS TEXT COMMAND...
	local status=$1 text=$2 rc=0 out
	shift 2
	out=$("$@" 2>&1) || rc=$?
	[ "$rc" -eq "$status" ] || fail "$*: exit status $rc instead of $status: $out"
	case $out in *"$text"*) ;; *) fail "$*: \"$text\" is not in: $out" ;; esac
}

mkdir -m 755 "$work/plugins"
cp "$build/plugins/pod.so" "$build/plugins/memory.so" "$work/plugins"
chmod 755 "$work/plugins"/*
pin() { sha256sum "$work/plugins/$1" | cut -d' ' -f1; }
document() { # READ_ONLY PIN_OF_POD
	cat <<-YAML
	plugins: {directory: "$work/plugins", readOnlyDirectory: $1}
	modes: {pod: {plugin: pod.so, sha256: "$2"}}
	registries: {main: {plugin: memory.so}}
	YAML
}
document false "" >"$work/memory.yaml"
document true "" >"$work/in-place.yaml"
document true "$(pin pod.so)" >"$work/pinned.yaml"
document true "$(pin memory.so)" >"$work/wrong.yaml"

says 0 "ok    modes pod: pod/" "$eurekube" config check "$work/memory.yaml"

# Nothing but what is sealed against running may be made.
echo 2 >/proc/sys/vm/memfd_noexec
forbidden="pod.so: cannot be loaded: this system forbids executable memory files; set the sysctl vm.memfd_noexec to 0 or 1, or plugins.readOnlyDirectory"
says 1 "FAIL  modes pod: $forbidden" "$eurekube" config check "$work/memory.yaml"
says 1 "$forbidden" "$eurekube" plugin verify "$work/plugins/pod.so"
says 0 "$(pin pod.so)" "$eurekube" plugin digest "$work/plugins/pod.so"
says 1 "FAIL  modes pod: pod.so: lies on a mount that can be written; with plugins.readOnlyDirectory the plugin directory has to be mounted read-only" \
	"$eurekube" config check "$work/in-place.yaml"

mount --bind "$work/plugins" "$work/plugins"
mount -o remount,bind,ro "$work/plugins"
says 0 "ok    registries main: memory/" "$eurekube" config check "$work/in-place.yaml"
says 0 "ok    modes pod: pod/" "$eurekube" config check "$work/pinned.yaml"
says 1 "has sha256 $(pin pod.so), but the configuration wants $(pin memory.so)" "$eurekube" config check "$work/wrong.yaml"

# Path rules hold in place even with a pin: bytes that somebody else can reach are not those that were compared.
mount -o remount,bind,rw "$work/plugins"
chmod g+w "$work/plugins/pod.so"
mount -o remount,bind,ro "$work/plugins"
says 1 "pod.so: can be written by its group or by others; run chmod go-w on it" "$eurekube" config check "$work/pinned.yaml"

# A mount over the file itself counts, not that of the directory.
touch "$work/other.so"
mount -o remount,bind,rw "$work/plugins"
chmod g-w "$work/plugins/pod.so"
mount -o remount,bind,ro "$work/plugins"
cp "$build/plugins/pod.so" "$work/other.so"
chmod 755 "$work/other.so"
mount --bind "$work/other.so" "$work/plugins/pod.so"
says 1 "FAIL  modes pod: pod.so: lies on a mount that can be written" "$eurekube" config check "$work/in-place.yaml"

umount "$work/plugins/pod.so"
mount -o remount,bind,ro,noexec "$work/plugins"
says 1 "pod.so: cannot be mapped for running: Operation not permitted; mount the plugin directory without noexec" \
	"$eurekube" config check "$work/in-place.yaml"
