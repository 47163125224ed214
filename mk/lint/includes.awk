# SPDX-License-Identifier: Apache-2.0
#
# usage: awk -f includes.awk FILE...
#
# Includes go one way, libraries stay behind the files that own them, plugins see nothing but the
# SDK, and a .c includes its own header first. docs/architecture.md says why.

BEGIN {
	n = split("base io kube plugin config sync app", order)
	for (i = 1; i <= n; i++)
		rank[order[i]] = i

	# Who may include a library. A file is host/io/loop.c and host/io/loop.h alike.
	owner["uv.h"] = "^host/io/(loop|file)[.]"
	owner["curl/curl.h"] = "^host/io/http[.]"
	owner["microhttpd.h"] = "^host/io/serve[.]"
	owner["spawn.h"] = "^host/io/process[.]"
	owner["dlfcn.h"] = "^host/plugin/loader[.]"
	owner["yaml.h"] = "^host/base/yaml[.]"
	# Reading or writing one document is fine; whoever handles lists works on bytes.
	never["cJSON.h"] = "^host/kube/(watch|resources|records|store|objects|reflector)[._]"

	# Nothing here touches the world, so nothing here may see who does.
	pure = "^(base/.*|kube/(watch|list|resources(_[a-z]+)?|records(_[a-z]+)?)|" \
		"sync/(syncer|selector|identity|outcome|status_rules|status_hash|ledger|plan|guard))[.]h$"
}

FNR == 1 { first = 1; layer = FILENAME ~ /^host\/[a-z]+\// ? part(FILENAME, 2) : "" }

/^[ \t]*#[ \t]*include[ \t]*[<"]/ {
	angle = /include[ \t]*</
	name = $0
	sub(/^[^<"]*[<"]/, "", name)
	sub(/[>"].*/, "", name)
	check(name, angle)
	first = 0
}

function check(name, angle,    base) {
	base = name
	sub(/^cjson\//, "", base)
	if (FILENAME !~ /^(tests|bench|plugins|examples)\//) {
		if (base in owner && FILENAME !~ owner[base])
			report("<" name "> belongs to another file (" owner[base] ")")
		if (base in never && FILENAME ~ never[base])
			report("<" name "> builds trees, and this file handles lists")
	}
	if (name ~ /(^|\/)\.\.\//)
		report("include by name, not by \"..\"")
	else if (angle)
		return
	else if (FILENAME ~ /^sdk-headers\//)
		report("a public header includes only <eurekube/...> and libc")
	else if (FILENAME ~ /^plugins\/|^sdk\/[^\/]+$/)
		own_folder(name)
	else if (FILENAME ~ /^host\//)
		host(name)
	if (first && FILENAME ~ /^(host|plugins|sdk)\/.*\.c$/)
		own_first(name)
}

function host(name,    to) {
	to = name ~ /\// ? part(name, 1) : layer
	if (to == "tests" || to == "kit")
		report("nothing outside tests includes tests")
	else if (!(to in rank) && to != "")
		report("\"" name "\" is in no layer")
	else if (layer != "" && rank[to] > rank[layer])
		report("host/" layer " may not include host/" to)
	else if (layer != "" && (substr(FILENAME, 6) ~ pure_source()) && full(name) !~ pure)
		report("a pure file may not include \"" name "\"")
}

function own_folder(name,    folder) {
	folder = FILENAME
	sub(/[^\/]*$/, "", folder)
	if (name ~ /\// || (getline line < (folder name)) < 0)
		report("\"" name "\" is not in " folder "; only <eurekube/...> and its own files may be included")
	close(folder name)
}

function own_first(name,    header, line) {
	header = FILENAME
	sub(/\.c$/, ".h", header)
	if ((getline line < header) >= 0 && header !~ (name "$"))
		report("its own header comes first")
	close(header)
}

function pure_source(    s) { s = pure; sub(/\[\.\]h\$$/, "[.][ch]$", s); return s }
function full(name) { return name ~ /\// ? name : layer "/" name }
function part(path, i,    p) { split(path, p, "/"); return p[i] }
function report(text) { printf "%s:%d: %s\n", FILENAME, FNR, text; bad = 1 }
END { exit bad }
