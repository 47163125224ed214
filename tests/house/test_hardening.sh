#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The binaries have the hardening that their compiler offers, and a plugin exports its entry alone.
set -u
build=${EK_TEST_BUILD:?}
failures=0

# (readelf's output goes through a variable: a pipe into grep -q may break it)
has() { # FILE READELF_OPTION PATTERN WHAT
	local out
	out=$(readelf -W "$2" "$1")
	grep -qE -- "$3" <<<"$out" || { echo "$1: no $4"; failures=$((failures + 1)); }
}
hasnt() {
	local out
	out=$(readelf -W "$2" "$1")
	! grep -qE -- "$3" <<<"$out" || { echo "$1: has $4"; failures=$((failures + 1)); }
}

files=0
for f in "$build"/bin/eurekube "$build"/bin/eurekube-plugin-check "$build"/plugins/*.so; do
	[[ -e $f ]] || continue
	files=$((files + 1))
	has "$f" -l 'GNU_RELRO' "relocations made read-only"
	has "$f" -d 'BIND_NOW|FLAGS.* NOW' "binding at start"
	has "$f" -l 'GNU_STACK.* RW +0x' "stack without execution"
	hasnt "$f" -d '\((RPATH|RUNPATH|TEXTREL)\)' "a search path or text relocations"
	case $f in
	*.so)
		has "$f" -n 'EureKube' "note for the loader"
		exports=$(nm -D --defined-only "$f" | awk '{ print $3 }')
		[[ $exports == ek_plugin_entry_v0 ]] ||
			{ echo "$f exports: $exports"; failures=$((failures + 1)); }
		;;
	*)
		has "$f" -d 'FLAGS_1.* PIE' "position independence"
		hasnt "$f" --dyn-syms ' GLOBAL +DEFAULT +[0-9]+ ek_' "exports"
		;;
	esac
done
if [[ $build == */release && -e $build/bin/eurekube ]]; then
	has "$build/bin/eurekube" --dyn-syms '__stack_chk_fail' "stack protector"
	has "$build/bin/eurekube" --dyn-syms '_chk@' "fortified calls"
fi

echo "$files files, $failures faults"
((files > 0 && failures == 0))
