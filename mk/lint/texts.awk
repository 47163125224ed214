# SPDX-License-Identifier: Apache-2.0
#
# usage: awk -f texts.awk FILE...
#
# Every file names its licence, a header's guard is the end of its path, and long functions and
# files are mentioned (to standard error: a commit may have a reason for one).

FNR == 1 { finish(); file = FILENAME; spdx = 0; guard = ""; start = 0 }
FNR <= 5 && /SPDX-License-Identifier: Apache-2.0/ { spdx = 1 }
FILENAME ~ /\.h$/ && guard == "" && /^#ifndef / { guard = $2 }
FILENAME ~ /\.[ch]$/ && /^{/ { start = FNR }
FILENAME ~ /\.[ch]$/ && /^}/ && start {
	if (FNR - start - 1 > 80)
		warn(FILENAME ":" start ": a function of " FNR - start - 1 " lines")
	start = 0
}
{ lines = FNR }
END { finish(); exit bad }

function finish() {
	if (file == "")
		return
	if (!spdx)
		report(file ":1: no SPDX-License-Identifier in the first lines")
	if (file ~ /\.h$/ && !is_guard(guard, file))
		report(file ":1: include guard " guard " is not EK_<PATH>_H")
	if (file ~ /\.[ch]$/ && lines > 600)
		warn(file ": " lines " lines")
}

# host/base/buf.h: EK_BASE_BUF_H or EK_HOST_BASE_BUF_H, but not EK_BUF_H.
function is_guard(guard, path,    n, p) {
	n = split(path, p, "/")
	path = "/" toupper(path)
	gsub(/[^A-Z0-9]/, "_", path)
	gsub(/[^A-Za-z0-9]/, "_", p[n - 1])
	sub(/^EK_/, "_", guard)
	return guard ~ (toupper(p[n - 1]) "_") && substr(path, length(path) - length(guard) + 1) == guard
}
function report(text) { print text; bad = 1 }
function warn(text) { print text >"/dev/stderr" }
