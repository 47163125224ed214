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
memory=$(sha256sum "$build/plugins/memory.so" | cut -d' ' -f1)
says 0 "ok    pod.so: mode pod/" "$eurekube" plugin verify "$build/plugins/pod.so"
says 0 "$digest" "$eurekube" plugin digest "$build/plugins/pod.so"
says 1 "has no EureKube note" "$eurekube" plugin verify "$eurekube"
says 1 "is not there" "$eurekube" plugin verify "$work/nothing.so"
cp "$build/plugins/pod.so" "$work/writable.so"
chmod 775 "$work/writable.so"
ln -s writable.so "$work/link.so"
says 1 "writable.so: can be written by its group or by others" "$eurekube" plugin verify "$work/writable.so"
says 0 "$digest" "$eurekube" plugin digest "$work/writable.so"
says 0 "$digest" "$eurekube" plugin digest "$work/link.so"
says 1 "\"ok\":false" "$eurekube" plugin verify -o json "$eurekube"
says 0 "{\"file\":\"pod.so\",\"ok\":true,\"digest\":\"sha256:$digest\",\"name\":\"pod\",\"kind\":\"mode\"," \
	"$eurekube" plugin verify "$build/plugins/pod.so" -o json
says 0 "{\"file\":\"pod.so\",\"ok\":true,\"digest\":\"sha256:$digest\"}" "$eurekube" plugin digest "$build/plugins/pod.so" -o json
says 0 "Examples:" "$eurekube" plugin --help
says 2 "use list, verify FILE or digest FILE" "$eurekube" plugin
says 2 "use list, verify FILE or digest FILE" "$eurekube" plugin examine "$build/plugins/pod.so"
says 2 "verify takes one file" "$eurekube" plugin verify
says 2 "--debug is for list only" "$eurekube" plugin verify "$build/plugins/pod.so" --debug :1
says 2 "-o yaml: use json" "$eurekube" plugin list -o yaml
says 1 "no operator answers (127.0.0.1:1:" "$eurekube" plugin list --debug :1

cat >"$work/good.yaml" <<YAML
plugins: {directory: "$PWD/$build/plugins"}
modes: {pod: {plugin: pod.so, sha256: "$digest"}}
registries: {main: {plugin: memory.so}}
YAML
says 0 "ok    modes pod: pod/" "$eurekube" config check "$work/good.yaml"
sed "s/$digest/${digest//[0-9]/0}/" "$work/good.yaml" >"$work/pinned.yaml"
says 1 "FAIL  modes pod:" "$eurekube" config check "$work/pinned.yaml"
sed "s/\"}\$/\", requireDigest: true}/" "$work/good.yaml" >"$work/digests.yaml"
says 1 "ok    modes pod: pod/" "$eurekube" config check "$work/digests.yaml"
says 1 "FAIL  registries main: memory.so: has no sha256, and plugins.requireDigest is set" "$eurekube" config check "$work/digests.yaml"
sed "s/memory.so/memory.so, sha256: $memory/" "$work/digests.yaml" >"$work/all-pinned.yaml"
says 0 "ok    registries main: memory/" "$eurekube" config check "$work/all-pinned.yaml"
sed "s/\"}\$/\", readOnlyDirectory: true}/" "$work/good.yaml" >"$work/in-place.yaml"
says 1 "pod.so: lies on a mount that can be written" "$eurekube" config check "$work/in-place.yaml"
sed 's/^modes/moeds/' "$work/good.yaml" >"$work/unknown.yaml"
says 1 "line 2, column 1" "$eurekube" config check "$work/unknown.yaml"
says 1 "line 2, column 1" "$eurekube" run --config "$work/unknown.yaml"
says 2 "is not a command" "$eurekube" rnu
says 0 "plugin ABI 0.2" "$eurekube" version
