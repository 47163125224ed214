#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# usage: mk/probe.sh CC BUILD_DIR compile|link FLAG...
#
# Prints those of the flags that the compiler accepts. The answer is kept in BUILD_DIR, under a name
# made of the compiler's version and the flags, so that it is asked once.
set -eu

cc=$1 dir=$2 step=$3
shift 3

key=$({ $cc --version; echo "$cc $step $*"; } | cksum | cut -d ' ' -f 1)
cache=$dir/probe/$step-$key
if [ ! -s "$cache" ]; then
	mkdir -p "$dir/probe"
	src=$cache.$$.c out=$cache.$$.out
	trap 'rm -f "$src" "$out"' EXIT
	echo 'int main(void) { return 0; }' >"$src"
	case $step in compile) how=-c ;; *) how= ;; esac
	accepted=
	for flag; do
		# -Werror, since compilers only warn of options that they do not know
		if $cc -O2 -Wall -Werror "$flag" $how -o "$out" "$src" >/dev/null 2>&1; then
			accepted="$accepted $flag"
		fi
	done
	echo "$accepted" >"$cache.$$" && mv "$cache.$$" "$cache"
fi
cat "$cache"
