/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a target on the files of its corpus, once each, and on the empty input. Counts as one test; who invents new inputs is libFuzzer, in `make fuzz`.
 * Read fuzz.h next.
 */
#include "fuzz/fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

#define INPUT_MAX (4u << 20)

static int replay(const char *path)
{
	static uint8_t bytes[INPUT_MAX];
	FILE *file = fopen(path, "re");
	uint8_t *exact;
	size_t n;

	if (!file)
		return 0;
	n = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	exact = malloc(n + 1); /* of its own size, so that a sanitizer sees who reads on */
	memcpy(exact, bytes, n);
	LLVMFuzzerTestOneInput(exact, n);
	free(exact);
	return 1;
}

int main(int argc, char **argv)
{
	const char *name = strstr(argv[0], "fuzz_") ? strrchr(argv[0], '/') + 1 + strlen("fuzz_") : argv[0];
	char directory[256], path[600];
	int n = 0;
	DIR *open;

	(void)argc;
	snprintf(directory, sizeof(directory), "tests/fuzz/corpus/%s", name);
	LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
	open = opendir(directory);
	for (struct dirent *entry; open && (entry = readdir(open));) {
		snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
		if (entry->d_name[0] != '.')
			n += replay(path);
	}
	if (open)
		closedir(open);
	printf("%d inputs of %s\n[  %s  ] 1 test(s).\n", n, directory, n ? "PASSED" : "FAILED");
	return n ? 0 : 1;
}
