/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The subcommand `plugin`: its command line, and the two verbs that look at one file as the operator would, but for its directory. It makes no
 * instance of a plugin, and what is loaded elsewhere is asked for by another file. Read cmd_plugin_list.c next, plugin/loader.h for what is
 * checked.
 */
#include "app/cmd_plugin.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include <eurekube/json.h>

#include "app/options.h"
#include "plugin/loader.h"

static const char help[] =
	"Usage: eurekube plugin list [--debug HOST:PORT] [-o json]\n"
	"       eurekube plugin verify FILE [-o json]\n"
	"       eurekube plugin digest FILE [-o json]\n"
	"\n"
	"list shows what a running operator has loaded, and which modes and registries use it; verify says\n"
	"whether the operator would load FILE as it is, without a pin, and why not; digest prints its SHA-256\n"
	"for the key sha256 of a mode or registry in the configuration.\n"
	"\n"
	"  --debug HOST:PORT   where the operator answers (its --debug-listen; default 127.0.0.1:8081)\n"
	"  -o json             one JSON document instead of lines\n"
	"  --help              this text\n"
	"\n"
	"Examples:\n"
	"  eurekube plugin verify ./mymode.so\n"
	"  kubectl exec -n eurekube deploy/eurekube -- eurekube plugin list\n"
	"\n"
	"Exit codes: 0 good, 1 refused, or no operator answers; 2 wrong usage.\n";

struct command_line {
	const char *verb, *file;     /* file: NULL for list */
	char host[64];
	uint16_t port;
	bool is_json, is_help, has_debug;
};

/* ---- One file ---- */

static const char *kind_name(uint32_t kind)
{
	return kind == EK_PLUGIN_MODE ? "mode" : "registry";
}

static void write_pair(struct ek_json_writer *writer, const char *key, const char *text)
{
	ek_json_write_key(writer, key);
	ek_json_write_string(writer, text);
}

static void write_descriptor(struct ek_json_writer *writer, const struct ek_plugin *plugin)
{
	char abi[16];

	snprintf(abi, sizeof(abi), "%u.%u", plugin->abi_major, plugin->abi_minor);
	write_pair(writer, "name", plugin->name);
	write_pair(writer, "kind", kind_name(plugin->kind));
	write_pair(writer, "version", plugin->version);
	write_pair(writer, "abi", abi);
}

/* plugin NULL: not mapped, or refused. */
static void print_json(const struct ek_image *image, const struct ek_plugin *plugin, const struct ek_error *err)
{
	struct ek_json_writer writer;
	char text[4096];

	ek_json_writer_init(&writer, text, sizeof(text));
	ek_json_write_object(&writer);
	write_pair(&writer, "file", image->name);
	ek_json_write_key(&writer, "ok");
	ek_json_write_boolean(&writer, err->code == EK_OK);
	if (image->digest[0])
		write_pair(&writer, "digest", image->digest);
	if (plugin)
		write_descriptor(&writer, plugin);
	if (err->code != EK_OK)
		write_pair(&writer, "error", err->message);
	ek_json_write_object_end(&writer);
	if (ek_json_writer_finish(&writer))
		puts(text);
}

static void print_line(const struct ek_image *image, const struct ek_plugin *plugin, const struct ek_error *err)
{
	if (err->code != EK_OK)
		printf("FAIL  %s\n", err->message);
	else if (plugin)
		printf("ok    %s: %s %s/%s, ABI %u.%u, %s\n", image->name, kind_name(plugin->kind), plugin->name, plugin->version, plugin->abi_major,
		       plugin->abi_minor, image->digest);
	else
		puts(strchr(image->digest, ':') + 1);
}

static int look_at(const struct command_line *line)
{
	struct ek_error err = EK_ERROR_INIT;
	const struct ek_plugin *plugin = NULL;
	struct ek_image image;
	bool is_digest = strcmp(line->verb, "digest") == 0;
	int code = is_digest ? ek_image_read(line->file, &image, &err) : ek_image_open(NULL, line->file, NULL, &image, &err);

	if (code == EK_OK && !is_digest)
		code = ek_image_map(&image, (enum ek_plugin_kind)0, &plugin, &err);
	if (line->is_json)
		print_json(&image, plugin, &err);
	else
		print_line(&image, plugin, &err);
	return code == EK_OK ? 0 : 1;
}

/* ---- The command line ---- */

static int read_option(int option, struct command_line *out, struct ek_error *err)
{
	switch (option) {
	case 'o':
		out->is_json = strcmp(optarg, "json") == 0;
		return out->is_json ? EK_OK : ek_fail(err, EK_INVALID, "-o %.40s: use json, or leave it out", optarg);
	case 'd':
		out->has_debug = true;
		return ek_address_read(optarg, out->host, sizeof(out->host), &out->port, err);
	case 'h':
		out->is_help = true;
		return EK_OK;
	default:
		return ek_fail(err, EK_INVALID, "an option is unknown to this version, or lacks its value");
	}
}

static int read_words(int n, char **words, struct command_line *out, struct ek_error *err)
{
	bool is_list;

	if (n == 0)
		return ek_fail(err, EK_INVALID, "use list, verify FILE or digest FILE");
	out->verb = words[0];
	is_list = strcmp(out->verb, "list") == 0;
	if (!is_list && strcmp(out->verb, "verify") != 0 && strcmp(out->verb, "digest") != 0)
		return ek_fail(err, EK_INVALID, "\"%.40s\": use list, verify FILE or digest FILE", out->verb);
	if (n != (is_list ? 1 : 2))
		return ek_fail(err, EK_INVALID, is_list ? "list takes no file" : "%.40s takes one file", out->verb);
	if (out->has_debug && !is_list)
		return ek_fail(err, EK_INVALID, "--debug is for list only");
	out->file = is_list ? NULL : words[1];
	return EK_OK;
}

static int read_line(int argc, char **argv, struct command_line *out, struct ek_error *err)
{
	static const struct option options[] = {
		{ "debug", required_argument, NULL, 'd' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int option, code;

	*out = (struct command_line){ .host = "127.0.0.1", .port = 8081 };
	opterr = 0;
	while ((option = getopt_long(argc, argv, "o:", options, NULL)) != -1) {
		code = read_option(option, out, err);
		if (code != EK_OK || out->is_help)
			return code;
	}
	return read_words(argc - optind, argv + optind, out, err);
}

int ek_cmd_plugin(int argc, char **argv)
{
	struct ek_error err = EK_ERROR_INIT;
	struct command_line line;

	if (read_line(argc, argv, &line, &err) != EK_OK) {
		fprintf(stderr, "eurekube plugin: %s; see eurekube plugin --help\n", err.message);
		return 2;
	}
	if (line.is_help) {
		fputs(help, stdout);
		return 0;
	}
	return line.file ? look_at(&line) : ek_plugin_list(line.host[0] ? line.host : "127.0.0.1", line.port, line.is_json);
}
