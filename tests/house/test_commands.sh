#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What the subcommands print and how they exit, on the built binary and plugins.
set -eu
build=${EK_TEST_BUILD:-build/release}
eurekube=$build/bin/eurekube
work=$(mktemp -d "${TMPDIR:-/tmp}/commands.XXXXXX")
trap 'rm -rf "$work"' EXIT

fail() { echo "$0: $*" >&2; exit 1; }

says() { # STATUS TEXT COMMAND...
	local status=$1 text=$2 rc=0 out
	shift 2
	out=$("$@" 2>&1) || rc=$?
	[ "$rc" -eq "$status" ] || fail "$*: exit status $rc instead of $status: $out"
	case $out in *"$text"*) ;; *) fail "$*: \"$text\" is not in: $out" ;; esac
}

digest=$(sha256sum "$build/plugins/pod.so" | cut -d' ' -f1)
says 0 "ok    pod.so: mode pod/" "$eurekube" plugin verify "$build/plugins/pod.so"
says 0 "$digest" "$eurekube" plugin digest "$build/plugins/pod.so"
says 1 "has no EureKube note" "$eurekube" plugin verify "$eurekube"
says 1 "is not there" "$eurekube" plugin verify "$work/nothing.so"
says 2 "Usage: eurekube plugin" "$eurekube" plugin

cat >"$work/good.yaml" <<YAML
plugins: {directory: "$PWD/$build/plugins"}
modes: {pod: {plugin: pod.so, sha256: "$digest"}}
registries: {main: {plugin: memory.so}}
YAML
says 0 "ok    modes pod: pod/" "$eurekube" config check "$work/good.yaml"
sed "s/$digest/${digest//[0-9]/0}/" "$work/good.yaml" >"$work/pinned.yaml"
says 1 "FAIL  modes pod:" "$eurekube" config check "$work/pinned.yaml"
sed 's/^modes/moeds/' "$work/good.yaml" >"$work/unknown.yaml"
says 1 "line 2, column 1" "$eurekube" config check "$work/unknown.yaml"
says 1 "line 2, column 1" "$eurekube" run --config "$work/unknown.yaml"
says 2 "is not a command" "$eurekube" rnu
says 0 "plugin ABI 0.1" "$eurekube" version
