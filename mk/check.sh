#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# usage: mk/check.sh BUILD_DIR TEST...
#
# Runs every test, whatever became of the one before, and sums up. A test is a cmocka program, whose
# own tests are counted, or a script that counts as one; a script that ends with 77 lacks a tool and
# counts as none. Output is kept beside the program and shown when it failed (always with V=1).
set -u

build=$1
shift
export EK_TEST_BUILD=$build
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1:abort_on_error=0:strict_string_checks=1:detect_stack_use_after_return=1}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
passed=0 failed=0 bad=()

sum() { # FILE PATTERN: adds up the numbers that the pattern's group finds
	sed -n "s/^\[ *$2.*/\1/p" "$1" | awk '{ n += $1 } END { print n + 0 }'
}

for t; do
	case $t in
	*.sh) log=$build/$t.log ;;
	*) log=$t.log ;;
	esac
	mkdir -p "$(dirname "$log")"
	start=${EPOCHREALTIME/[.,]/}
	timeout --kill-after=10 "${TEST_TIMEOUT:-600}" "$t" >"$log" 2>&1 </dev/null
	rc=$?
	ms=$(((${EPOCHREALTIME/[.,]/} - start) / 1000))

	if [[ $t == *.sh ]]; then
		if ((rc == 77)); then
			printf 'skip  %-50s %s\n' "$t" "$(tail -n 1 "$log")"
			continue
		fi
		ok=$((rc == 0)) no=$((rc != 0))
	else
		ok=$(sum "$log" 'PASSED *\] \([0-9]*\) test')
		no=$(sum "$log" 'FAILED *\] \([0-9]*\) test')
		# a crash, a leak found at exit, or a program that tested nothing
		if ((no == 0 && (rc != 0 || ok == 0))); then
			no=1
		fi
	fi
	((passed += ok, failed += no))
	if ((no)); then
		bad+=("$t (exit status $rc)")
		printf 'FAIL  %-50s %4d failed  %6d ms\n' "${t#"$build"/}" "$no" "$ms"
	else
		printf 'ok    %-50s %4d passed  %6d ms\n' "${t#"$build"/}" "$ok" "$ms"
	fi
	if ((no)) || [[ ${V:-} == 1 ]]; then
		sed 's/^/      | /' "$log"
	fi
done

if ((${#bad[@]})); then
	printf '\nfailed:\n'
	printf '  %s\n' "${bad[@]}"
fi
if ((passed + failed == 0)); then
	echo "no tests were run" >&2
	failed=1
fi
echo "$passed passed, $failed failed"
((failed == 0))
