#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# usage: tests/house/test_tutorial.sh [TUTORIAL.md]
#
# Follows the tutorials to the letter, each in an empty home of its own: files are written as they are printed, commands run as
# they are printed, and what is said to be printed is looked for. Then both templates are copied, built and checked, and the registry
# is held against a server that speaks its protocol.
#
# A block's language and the sentence before it say what it is:
#   ```sh                           a command; in the source tree where the sentence says "source tree", otherwise where the last one ended
#   ```text                         lines that the command before prints; "..." stands for anything
#   ... "Put this into `FILE`:"     the file; "Add this to `FILE`:" more of it
set -euo pipefail
build=${EK_TEST_BUILD:?}
top=$PWD
top_flags=${MAKEFLAGS:-B=$build}
if grep -qE '__(asan|ubsan)_' "$build/lib/libeurekube-sdk.a"; then
	echo "the SDK library of a sanitizer build does not link into anything else"
	exit 77
fi
for tool in curl pkg-config; do
	command -v "$tool" >/dev/null || { echo "needs $tool"; exit 77; }
done
unset TESTS MAKEFLAGS MAKELEVEL KUBECONFIG PKG_CONFIG_PATH
tmp=$(mktemp -d "${TMPDIR:-/tmp}/tutorial.XXXXXX")
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$tmp"' EXIT

# What a tutorial tells to do, as a script; `begin` and `prints` are in the driver below.
cat >"$tmp/extract.awk" <<'AWK'
function quoted(text) { gsub(/'/, "'\\''", text); return "'" text "'" }
function named(sentence) { return match(sentence, /`[^`]+`:$/) ? substr(sentence, RSTART + 1, RLENGTH - 3) : "" }

/^```/ && !inside {
	inside = 1
	language = substr($0, 4)
	mark = "END_OF_BLOCK_" FNR
	if (language == "sh")
		print "begin " quoted(FILENAME ":" FNR) "\n{" (sentence ~ /source tree/ ? "\n(cd \"$top\"; export MAKEFLAGS=\"$top_flags\"" : "")
	else if (language == "text")
		print "prints " quoted(FILENAME ":" FNR) " <<'" mark "'"
	else if (sentence ~ /[Pp]ut this into/)
		print "cat >" quoted(named(sentence)) " <<'" mark "'"
	else if (sentence ~ /[Aa]dd this to/)
		print "cat >>" quoted(named(sentence)) " <<'" mark "'"
	else
		language = ""
	next
}
/^```/ {
	inside = 0
	if (language == "sh")
		print (sentence ~ /source tree/ ? ")\n" : "") "} >\"$out\" 2>&1"
	else if (language != "")
		print mark
	is_over = 1
	next
}
inside { if (language != "") print; next }
/^$/ { is_over = 1; next }
{ sentence = is_over ? $0 : sentence " " $0; is_over = 0 }
AWK

cat >"$tmp/driver.sh" <<'DRIVER'
set -eu
exec 3>&1
out=$HOME/out
begin() { block=$1; }
prints() { # PLACE, lines on standard input
	local wanted line pattern found
	while IFS= read -r wanted; do
		printf -v pattern '%q' "$wanted"
		found=
		while IFS= read -r line || [ -n "$line" ]; do
			# shellcheck disable=SC2053 # it is a pattern
			[[ $line != *${pattern//.../*}* ]] || found=1
		done <"$out"
		[ -n "$found" ] || { echo "$1: \"$wanted\" is not printed"; exit 1; }
	done
}
at_end() {
	local rc=$?
	trap - EXIT
	for pid in $(jobs -p); do kill "$pid" 2>/dev/null || true; done
	((rc == 0)) || { echo "$block: ended with $rc; it printed:"; cat "$out"; cat run/operator.log 2>/dev/null; } >&3
	exit "$rc"
}
trap at_end EXIT
DRIVER

follow() { # TUTORIAL
	local name=${1##*/} start=$SECONDS
	HOME=$tmp/${name%.md}
	export HOME
	mkdir "$HOME"
	cat "$tmp/driver.sh" >"$HOME/script"
	awk -f "$tmp/extract.awk" "$1" >>"$HOME/script"
	(cd "$HOME" && top=$top top_flags=$top_flags exec timeout 120 bash script)
	! grep misbehaves "$HOME"/*/run/operator.log || { echo "$1: its plugin misbehaves in the operator"; exit 1; }
	echo "$1: followed in $((SECONDS - start)) s"
}

try_template() { # KIND
	cp -r "$(pkg-config --variable=templatedir eurekube-sdk)/$1" "$HOME/my$1"
	make -s -C "$HOME/my$1" CFLAGS="-O2 -Wall -Wextra -Wconversion -Wshadow -Werror" all check
	eurekube plugin verify "$HOME/my$1/my$1.so"
}

try_registry_live() {
	command -v python3 >/dev/null || { echo "no python3: the registry template was not held against a server"; return; }
	python3 tests/house/template_server.py >"$tmp/port" &
	server=$!
	until [ -s "$tmp/port" ]; do sleep 0.1; kill -0 "$server"; done
	make -s -C "$HOME/myregistry" check CHECK_OPTIONS="--live --option url=http://127.0.0.1:$(cat "$tmp/port")/v1/instances" | tee "$tmp/live"
	for rule in round-trip idempotence renew-gone partial many; do
		grep -q "^ok   $rule:" "$tmp/live" || { echo "the server was not asked about $rule"; exit 1; }
	done
}

if (($#)); then
	follow "$1"
	exit
fi
follow docs/plugins/tutorial-mode.md
follow docs/plugins/tutorial-registry.md

# The last one's installation serves the templates.
PATH=$HOME/eurekube/bin:$PATH PKG_CONFIG_PATH=$HOME/eurekube/lib/pkgconfig
export PATH PKG_CONFIG_PATH
try_template mode
try_template registry
try_registry_live
