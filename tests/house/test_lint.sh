#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Every check of mk/lint is seen failing: a small tree that passes, then one fault at a time.
set -u
for tool in git g++; do
	command -v $tool >/dev/null || { echo "needs $tool"; exit 77; }
done
top=$PWD
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
failures=0

spdx='/* SPDX-License-Identifier: Apache-2.0 */'

put() { # FILE LINE...
	mkdir -p "$tree/$(dirname "$1")"
	printf '%s\n' "$spdx" "${@:2}" >"$tree/$1"
}

expect() { # MESSAGE: lint says so, and fails unless the message is a note; then the fault is undone
	local out rc=0 due=1
	out=$("$tree/mk/lint/run" 2>&1) || rc=1
	[[ $1 != note:* ]] || due=0
	if ((rc != due)) || ! grep -qF -- "$1" <<<"$out"; then
		printf 'expected: %s\ngot (status %d):\n%s\n' "$1" "$rc" "$out"
		failures=$((failures + 1))
	fi
	git -C "$tree" reset -q --hard && git -C "$tree" clean -qfd
}

cp -r "$top/mk" "$tree"
put host/base/buf.h '#ifndef EK_BASE_BUF_H' '#define EK_BASE_BUF_H' '#endif'
put host/io/loop.h '#ifndef EK_IO_LOOP_H' '#define EK_IO_LOOP_H' '#endif'
put host/io/loop.c '#include "io/loop.h"' '' '#include "base/buf.h"' '#include <uv.h>'
put plugins/pod/pod.c '#include <eurekube/types.h>' '#include "own.h"'
put plugins/pod/own.h '#ifndef EK_POD_OWN_H' '#define EK_POD_OWN_H' '#endif'
put sdk-headers/eurekube/types.h '#ifndef EK_EUREKUBE_TYPES_H' '#define EK_EUREKUBE_TYPES_H' \
	'#include <stdint.h>' '#endif'
git -C "$tree" init -q
git -C "$tree" add -A
git -C "$tree" -c user.name=t -c user.email=t@example.invalid commit -qm start
"$tree/mk/lint/run" >"$tree.out" 2>&1 || { echo "the sound tree fails:"; cat "$tree.out"; failures=1; }
rm -f "$tree.out"

put host/base/x.c '#include "io/loop.h"'
expect "host/base/x.c:2: host/base may not include host/io"
put host/sync/x.c '#include "nowhere/x.h"'
expect '"nowhere/x.h" is in no layer'
put host/sync/plan.c '#include "sync/writer.h"'
expect 'a pure file may not include "sync/writer.h"'
put host/sync/x.c '#include <uv.h>'
expect "host/sync/x.c:2: <uv.h> belongs to another file"
put host/io/serve.c '#include <curl/curl.h>'
expect "<curl/curl.h> belongs to another file"
put host/io/http.c '#include <microhttpd.h>'
expect "<microhttpd.h> belongs to another file"
put host/app/run.c '#include <dlfcn.h>'
expect "<dlfcn.h> belongs to another file"
put host/sync/x.c '#include <yaml.h>'
expect "<yaml.h> belongs to another file"
put host/kube/store.c '#include <cjson/cJSON.h>'
expect "host/kube/store.c:2: <cjson/cJSON.h> builds trees"
put plugins/pod/x.c '#include "base/buf.h"'
expect '"base/buf.h" is not in plugins/pod/'
put plugins/pod/x.c '#include "../memory/m.h"'
expect 'include by name, not by ".."'
put host/app/x.c '#include "kit/world.h"'
expect "nothing outside tests includes tests"
put sdk-headers/eurekube/types.h '#ifndef EK_EUREKUBE_TYPES_H' '#define EK_EUREKUBE_TYPES_H' \
	'#include "buf.h"' '#endif'
expect "a public header includes only"
put host/io/loop.c '#include "base/buf.h"' '#include "io/loop.h"'
expect "host/io/loop.c:2: its own header comes first"
put host/io/loop.h '#ifndef LOOP_H' '#define LOOP_H' '#endif'
expect "include guard LOOP_H is not EK_<PATH>_H"
put host/io/loop.h '#ifndef EK_LOOP_H' '#define EK_LOOP_H' '#endif'
expect "include guard EK_LOOP_H is not EK_<PATH>_H"
echo 'int x;' >"$tree/host/io/x.c"
expect "host/io/x.c:1: no SPDX-License-Identifier"
put host/io/x.c 'void f(void)' '{' "$(yes ';' | head -n 81)" '}'
expect "note: host/io/x.c:3: a function of 81 lines"
put host/io/x.c "$(yes '//' | head -n 600)"
expect "note: host/io/x.c: 601 lines"
put sdk-headers/eurekube/types.h '#ifndef EK_EUREKUBE_TYPES_H' '#define EK_EUREKUBE_TYPES_H' \
	'uint32_t x(void);' '#endif'
expect "sdk-headers/eurekube/types.h:1: does not compile alone as c11"
put sdk-headers/eurekube/types.h '#ifndef EK_EUREKUBE_TYPES_H' '#define EK_EUREKUBE_TYPES_H' \
	'int new;' '#endif'
expect "sdk-headers/eurekube/types.h:1: does not compile alone as c++17"
put host/io/x.c "/* see $tree/notes */"
expect "name a path of this machine"
if command -v shellcheck >/dev/null; then
	# shellcheck disable=SC2016
	printf '#!/bin/sh\n# SPDX-License-Identifier: Apache-2.0\ncd $1\n' >"$tree/mk/x.sh"
	expect "SC2086"
fi

# The compiler's part of it.
put host/io/x.c 'char *f(char *, const char *);' 'char *f(char *a, const char *b) { return strcpy(a, b); }'
if gcc -Wall -include "$top/host/base/banned.h" -c -o /dev/null "$tree/host/io/x.c" 2>"$tree/err" ||
	! grep -q ek_banned_strcpy "$tree/err"; then
	echo "strcpy was not refused:"
	cat "$tree/err"
	failures=$((failures + 1))
fi

echo "$failures unexpected"
((failures == 0))
