#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# From what `make install` puts down, a plugin is built outside the tree by a Makefile of three
# lines; what pkg-config names is there; `make uninstall` takes everything away again.
set -eu
build=${EK_TEST_BUILD:?}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
unset TESTS

make -s --no-print-directory install PREFIX="$tmp/root"
export PKG_CONFIG_PATH=$tmp/root/lib/pkgconfig

there() { # VARIABLE FILE...: below the place that pkg-config's variable names
	local place
	place=$(pkg-config --variable="$1" eurekube-sdk)
	for f in "${@:2}"; do
		[ -e "$place/$f" ] || { echo "$1 is \"$place\", which has no $f"; exit 1; }
	done
}
there plugindir pod.so memory.so
there templatedir mode/Makefile mode/mymode.c registry/Makefile registry/myregistry.c
there toolsdir ek-standins ek-democtl

# The SDK library of a sanitizer build does not link into anything else.
case $build in
*/release | */debug)
	mkdir "$tmp/mymode"
	cat >"$tmp/mymode/mymode.c" <<-'C'
		#include <eurekube/mode.h>
		static int desired(void *self, const struct ek_syncer *syncer, const struct ek_cluster *cluster,
			const struct ek_sink *sink, struct ek_error *err)
		{
			(void)self, (void)syncer, (void)cluster, (void)sink, (void)err;
			return EK_OK;
		}
		static const struct ek_mode_ops ops = {.size = sizeof(ops), .desired = desired};
		EK_PLUGIN_DEFINE(mymode, MODE, .version = "1.0.0", .ops = &ops);
	C
	# shellcheck disable=SC2016
	printf '%s\n' 'EK_PLUGIN = mymode' 'SRCS = mymode.c' \
		'include $(shell pkg-config --variable=pluginmk eurekube-sdk)' >"$tmp/mymode/Makefile"
	env -u MAKEFLAGS -u MAKELEVEL make -s -C "$tmp/mymode" CFLAGS='-O2 -Wall -Wextra -Werror' all install
	cmp "$tmp/mymode/mymode.so" "$tmp/root/lib/eurekube/plugins/mymode.so"
	exports=$(nm -D --defined-only "$tmp/mymode/mymode.so" | awk '{ print $3 }')
	[ "$exports" = ek_plugin_entry_v0 ] || { echo "mymode.so exports $exports"; exit 1; }
	rm "$tmp/root/lib/eurekube/plugins/mymode.so"
	;;
esac

make -s --no-print-directory uninstall PREFIX="$tmp/root"
left=$(find "$tmp/root" ! -type d)
[ -z "$left" ] || { echo "left behind: $left"; exit 1; }
for d in lib/eurekube include/eurekube share/eurekube; do
	[ ! -d "$tmp/root/$d" ] || { echo "left behind: $d"; exit 1; }
done
