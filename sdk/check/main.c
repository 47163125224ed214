/* SPDX-License-Identifier: Apache-2.0 */
/*
 * eurekube-plugin-check: loads one plugin as the host would, then holds it against the rules of its kind.
 * What is judged is the border; whether a plugin speaks its protocol well is for its own tests.
 * Read next: check.h.
 */
#include "check.h"

#include "plugin/loader.h"

#include <openssl/evp.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define GIVEN_MAX 64

struct arguments {
	const char *file;
	bool is_json, is_live;
	const char *options[GIVEN_MAX + 1], *instance_options[GIVEN_MAX + 1], *objects[EK_RESOURCES_MAX + 1];
	unsigned n_options, n_instance_options, n_objects;
};

static void print_help(FILE *out)
{
	fputs("usage: eurekube-plugin-check [--option NAME=VALUE]... [--instance-option NAME=VALUE]... [--objects PLURAL=FILE]...\n"
	      "                              [--live] [--json] FILE.so\n"
	      "\n"
	      "Holds a EureKube plugin against the rules of mode.h or registry.h: one line for each rule.\n"
	      "\n"
	      "  --live                        send a registry plugin's HTTP requests to where its options point; without it no byte is sent.\n"
	      "                                Entries of application EK-CHECK are written there and removed again\n"
	      "  --json                        one JSON document instead of lines\n"
	      "  --list-rules                  print all rules, and check nothing\n"
	      "  --option NAME=VALUE           an option of the configuration (modes.X.options, registries.X.options)\n"
	      "  --instance-option NAME=VALUE  an option of a syncer (spec.modeOptions, spec.registryOptions)\n"
	      "  --objects PLURAL=FILE         what a mode is shown of a resource that it reads: a list as `kubectl get PLURAL -o json` prints it, of objects\n"
	      "                                in namespace shop; its Services there are cart and edge. Without it: objects of every shape\n"
	      "  --help                        this text\n"
	      "\n"
	      "Values are written as in YAML. Required options that are not given get samples.\n"
	      "Exit status: 0 all rules are kept, 1 some are not, 2 the file cannot be checked.\n"
	      "\n"
	      "example: eurekube-plugin-check --option 'serviceUrls=[http://eureka:8761/eureka/]' ./eureka.so\n",
		out);
}

static const char **room_for(struct arguments *arguments, const char *name)
{
	if (!strcmp(name, "--option") && arguments->n_options < GIVEN_MAX)
		return &arguments->options[arguments->n_options++];
	if (!strcmp(name, "--instance-option") && arguments->n_instance_options < GIVEN_MAX)
		return &arguments->instance_options[arguments->n_instance_options++];
	if (!strcmp(name, "--objects") && arguments->n_objects < EK_RESOURCES_MAX)
		return &arguments->objects[arguments->n_objects++];
	return NULL;
}

/* False: the usage was wrong. */
static bool read_arguments(int argc, char **argv, struct arguments *arguments)
{
	*arguments = (struct arguments){ 0 };
	for (int i = 1; i < argc; i++) {
		const char **room;

		if (!strcmp(argv[i], "--json") || !strcmp(argv[i], "--live")) {
			*(argv[i][2] == 'j' ? &arguments->is_json : &arguments->is_live) = true;
			continue;
		}
		if (argv[i][0] != '-') {
			if (arguments->file)
				return false;
			arguments->file = argv[i];
			continue;
		}
		room = i + 1 < argc && strchr(argv[i + 1], '=') ? room_for(arguments, argv[i]) : NULL;
		if (!room)
			return false;
		*room = argv[++i];
	}
	return arguments->file != NULL;
}

/* The author's own build: pinned by its own bytes, so that modes and owners of a work directory do not matter. */
static bool hash_file(const char *path, char *hex, size_t size)
{
	FILE *file = fopen(path, "re");
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	unsigned char piece[16384], sum[EVP_MAX_MD_SIZE];
	unsigned n_sum = 0;
	size_t n;

	if (file && context && EVP_DigestInit_ex(context, EVP_sha256(), NULL)) {
		while ((n = fread(piece, 1, sizeof(piece), file)) > 0)
			EVP_DigestUpdate(context, piece, n);
		if (!ferror(file))
			EVP_DigestFinal_ex(context, sum, &n_sum);
	}
	for (unsigned i = 0; i < n_sum; i++)
		snprintf(hex + (size_t)2 * i, size - (size_t)2 * i, "%02x", sum[i]);
	EVP_MD_CTX_free(context);
	if (file)
		fclose(file);
	return n_sum != 0;
}

static int load(const char *path, const struct ek_plugin **plugin, char digest[EK_DIGEST_MAX], struct ek_error *err)
{
	struct ek_image image;
	char hex[EK_DIGEST_MAX] = "";
	int code;

	if (!hash_file(path, hex, sizeof(hex)))
		return ek_fail(err, EK_GONE, "%.120s cannot be read: %s", path, strerror(errno));
	snprintf(digest, EK_DIGEST_MAX, "sha256:%.64s", hex);
	code = ek_image_open(NULL, path, hex, &image, err);
	if (code == EK_OK)
		code = ek_image_map(&image, (enum ek_plugin_kind)0, plugin, err);
	return code;
}

static void print_rules(const char *kind, const struct ek_rule *rules)
{
	for (; rules->name; rules++)
		printf("%-8s  %-14s  %s\n", kind, rules->name, rules->text);
}

static void list_rules(void)
{
	printf("%-8s  %-14s  %s\n", "any", "load", "the host would load it: ABI, sizes, mandatory operations, declared options, exports");
	print_rules("mode", ek_mode_rules);
	print_rules("registry", ek_registry_rules);
	print_rules("registry", ek_live_rules);
	print_rules("any", ek_process_rules);
}

static int resolve(struct ek_check *check, const struct arguments *arguments, struct ek_error *err)
{
	int code;

	check->given = arguments->options;
	if (!ek_check_make_samples(check))
		return ek_fail(err, EK_RETRY, "there is no loopback network to make samples of addresses with: %s", strerror(errno));
	code = ek_check_resolve_own(check, err);
	for (unsigned i = 0; i < arguments->n_objects && code == EK_OK; i++)
		code = ek_given_objects_read(arguments->objects[i], &check->arena, &check->objects[i], err);
	if (code != EK_OK)
		return code;
	return ek_check_resolve(check, check->plugin->instance_options, arguments->instance_options, "instance option", &check->instance_options, err);
}

static void run_rules(struct ek_check *check)
{
	bool is_mode = check->plugin->kind == EK_PLUGIN_MODE;

	ek_check_run(check, is_mode ? ek_mode_rules : ek_registry_rules);
	if (!is_mode)
		ek_check_run(check, ek_live_rules);
	ek_check_run(check, ek_process_rules);
}

static void report_loaded(struct ek_check *check)
{
	char loaded[160];

	snprintf(loaded, sizeof(loaded), "%s/%s is a %s plugin for ABI %d.%d", check->plugin->name, check->plugin->version,
		check->plugin->kind == EK_PLUGIN_MODE ? "mode" : "registry", EK_ABI_MAJOR, EK_ABI_MINOR);
	ek_report_rule(check->report, "load", "", EK_VERDICT_PASS, loaded);
}

/* The exit status. */
static int check_file(struct ek_check *check, const struct arguments *arguments)
{
	struct ek_error err = EK_ERROR_INIT;
	char digest[EK_DIGEST_MAX] = "";
	int code;

	if (arguments->is_live)
		check->live = ek_live_new();
	check->before = ek_process_state_new();
	code = load(arguments->file, &check->plugin, digest, &err);
	ek_report_plugin(check->report, arguments->file, code == EK_OK ? check->plugin : NULL, digest);
	if (code != EK_OK) {
		ek_report_rule(check->report, "load", "", EK_VERDICT_FAIL, err.message);
		return 2;
	}
	check->descriptor = ek_check_hash_descriptor(check->plugin);
	if (resolve(check, arguments, &err) != EK_OK) {
		ek_report_rule(check->report, "load", "", EK_VERDICT_FAIL, err.message);
		return 2;
	}
	report_loaded(check);
	run_rules(check);
	return check->n_failed ? 1 : 0;
}

int main(int argc, char **argv)
{
	struct arguments arguments;
	struct ek_check check = { 0 };
	int status;

	if (argc == 2 && !strcmp(argv[1], "--help")) {
		print_help(stdout);
		return 0;
	}
	if (argc == 2 && !strcmp(argv[1], "--list-rules")) {
		list_rules();
		return 0;
	}
	if (!read_arguments(argc, argv, &arguments)) {
		print_help(stderr);
		return 2;
	}
	check.report = ek_report_open(arguments.is_json);
	if (!check.report) {
		fprintf(stderr, "eurekube-plugin-check: standard output cannot be set aside: %s\n", strerror(errno));
		return 2;
	}
	ek_arena_init(&check.arena);
	status = check_file(&check, &arguments);
	ek_live_free(check.live);
	ek_arena_clear(&check.arena);
	ek_report_close(check.report);
	free(check.before);
	return status;
}
