/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ek-democtl: as much of kubectl as the demo needs, and a look into Eureka, so that the demo runs where neither kubectl nor
 * curl is installed. It is a tool of the demo and of no other use.
 * Next: examples/demo/run, which speaks through it.
 */
#include <eurekube/error.h>

#include <arpa/inet.h>
#include <ctype.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cjson/cJSON.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/yaml.h"
#include "io/http.h"
#include "io/loop.h"
#include "kube/client.h"
#include "kube/config.h"

static const char help[] =
	"Usage: ek-democtl [--kubeconfig FILE] [--eureka URL] [--within SECONDS] COMMAND\n"
	"\n"
	"  apply FILE|-              create or change the objects of a YAML or JSON file\n"
	"  get PATH [FIELD]          print an object, or one field of it: status.registered\n"
	"  patch PATH JSON           merge patch\n"
	"  delete PATH [--now]       delete; --now: without grace period\n"
	"  wait-gone PATH            until the object is not there\n"
	"  wait-field PATH FIELD VALUE\n"
	"  show APP [ID...]          what Eureka holds, as a table; of these ids, else by its list\n"
	"  wait-up APP ID...         until each instance is there and UP; ids after --gone: until they are not there\n"
	"  wait-http URL             until it answers 200\n"
	"  free-port                 print a port that is free\n"
	"\n"
	"Example:\n"
	"  ek-democtl --eureka http://localhost:8761/eureka/ show RATING\n";

struct ctl {
	struct ek_loop *loop;
	struct ek_http *http;
	struct ek_http_client *client;
	struct ek_kube *kube;
	const char *kubeconfig, *eureka;
	int64_t within_ms;
	bool is_now;
	/* The last answer. */
	int code, status;
	char *body;
	char message[300];
};

__attribute__((noreturn, format(printf, 1, 2))) static void die(const char *format, ...)
{
	va_list args;

	fputs("ek-democtl: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

/* ---- Requests, one after another ---- */

static void keep(struct ctl *ctl, int code, int status, const char *body, const char *message)
{
	ctl->code = code;
	ctl->status = status;
	free(ctl->body);
	ctl->body = ek_xstrdup(body ? body : "");
	snprintf(ctl->message, sizeof(ctl->message), "%s", message ? message : "");
	ek_loop_stop(ctl->loop);
}

static void on_kube(void *arg, const struct ek_kube_reply *reply)
{
	keep(arg, reply->code, reply->status, reply->body, reply->message);
}

static void on_http(void *arg, const struct ek_http_result *result)
{
	keep(arg, result->code, result->status, result->body, result->message);
}

static void need_kube(struct ctl *ctl)
{
	struct ek_kube_config config = { 0 };
	struct ek_error err = EK_ERROR_INIT;

	if (ctl->kube)
		return;
	if (ek_kube_config_load(ctl->kubeconfig, NULL, &config, &err) != EK_OK)
		die("%s", err.message);
	ctl->kube = ek_kube_new(ctl->loop, ctl->http, &config, &err);
	if (!ctl->kube)
		die("%s", err.message);
	ek_kube_config_clear(&config);
}

/* Gives the status. Anything but an answer of the server ends the program. */
static int ask_kube(struct ctl *ctl, const char *method, const char *path, const char *type, const char *body)
{
	struct ek_error err = EK_ERROR_INIT;

	need_kube(ctl);
	if (!ek_kube_call(ctl->kube, &(struct ek_kube_request){ .method = method, .path = path, .content_type = type,
		.body = body, .body_bytes = body ? strlen(body) : 0, .on_done = on_kube, .arg = ctl }, &err))
		die("%s", err.message);
	ek_loop_run(ctl->loop);
	if (!ctl->status)
		die("%s %s: %s", method, path, ctl->message);
	return ctl->status;
}

static int ask_url(struct ctl *ctl, const char *url)
{
	const struct ek_http_header accept = { "Accept", "application/json" };
	struct ek_error err = EK_ERROR_INIT;

	if (!ek_http_start(ctl->client, &(struct ek_http_req){ .method = "GET", .url = url, .headers = &accept, .n_headers = 1,
		.timeout_ms = 10000, .max_body_bytes = 64u << 20, .arg = ctl, .on_done = on_http }, &err))
		die("%s", err.message);
	ek_loop_run(ctl->loop);
	return ctl->code == EK_OK ? ctl->status : 0;
}

static int ask_eureka(struct ctl *ctl, const char *app, const char *id)
{
	char url[2048];
	size_t n = ctl->eureka ? strlen(ctl->eureka) : 0;

	if (!n)
		die("--eureka URL is missing");
	snprintf(url, sizeof(url), "%s%sapps/%s%s%s", ctl->eureka, ctl->eureka[n - 1] == '/' ? "" : "/", app, id ? "/" : "",
		id ? id : "");
	return ask_url(ctl, url);
}

/* ---- Waiting ---- */

struct pause {
	struct ek_timer timer;
	struct ek_loop *loop;
};

static void on_pause_over(void *arg)
{
	ek_loop_stop(((struct pause *)arg)->loop);
}

/* False when the time is over. */
static bool pause_until(struct ctl *ctl, int64_t end_ms, int64_t ms)
{
	struct pause pause = { .loop = ctl->loop };

	if (ek_loop_now_ms(ctl->loop) >= end_ms)
		return false;
	ek_timer_init(&pause.timer, on_pause_over, &pause);
	ek_loop_arm(ctl->loop, &pause.timer, ms);
	ek_loop_run(ctl->loop);
	return true;
}

/* ---- Manifests ---- */

static bool is_number(const char *text)
{
	char *end;

	if (!*text || isspace((unsigned char)*text))
		return false;
	strtod(text, &end);
	return !*end && strspn(text, "+-.0123456789eE") == strlen(text);
}

static cJSON *to_json(const struct ek_value *value)
{
	cJSON *json;

	switch (value->kind) {
	case EK_VALUE_NULL:
		return cJSON_CreateNull();
	case EK_VALUE_SCALAR:
		if (!value->is_quoted && (!strcmp(value->text, "true") || !strcmp(value->text, "false")))
			return cJSON_CreateBool(*value->text == 't');
		if (!value->is_quoted && is_number(value->text))
			return cJSON_CreateNumber(strtod(value->text, NULL));
		return cJSON_CreateString(value->text);
	case EK_VALUE_LIST:
		json = cJSON_CreateArray();
		for (const struct ek_value *item = value->first; item; item = item->next)
			cJSON_AddItemToArray(json, to_json(item));
		return json;
	default:
		json = cJSON_CreateObject();
		for (const struct ek_value *item = value->first; item; item = item->next)
			cJSON_AddItemToObject(json, item->key, to_json(item));
		return json;
	}
}

static const char *text_at(const cJSON *json, const char *key)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, key);

	return cJSON_IsString(item) ? item->valuestring : "";
}

/* /apis/eurekube.io/v1alpha1/namespaces/rating/eurekasyncers; plurals are regular here. */
static void collection_of(const cJSON *json, char *path, size_t size)
{
	const cJSON *metadata = cJSON_GetObjectItemCaseSensitive(json, "metadata");
	const char *version = text_at(json, "apiVersion"), *kind = text_at(json, "kind"), *ns = text_at(metadata, "namespace");
	char plural[64];
	size_t n;

	snprintf(plural, sizeof(plural), "%ss", kind);
	for (char *c = plural; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	n = (size_t)snprintf(path, size, "%s/%s", strchr(version, '/') ? "/apis" : "/api", version);
	snprintf(path + n, size - n, "%s%s/%s", *ns ? "/namespaces/" : "", ns, plural);
}

static void check(const struct ctl *ctl, const char *what)
{
	if (ctl->code != EK_OK)
		die("%s: %d %s", what, ctl->status, ctl->message);
}

static void apply_one(struct ctl *ctl, const cJSON *json)
{
	const cJSON *metadata = cJSON_GetObjectItemCaseSensitive(json, "metadata");
	char collection[1024], path[1400], *text = cJSON_PrintUnformatted(json);
	const char *what = "created";

	collection_of(json, collection, sizeof(collection));
	snprintf(path, sizeof(path), "%s/%s", collection, text_at(metadata, "name"));
	if (ask_kube(ctl, "GET", path, NULL, NULL) == 404) {
		ask_kube(ctl, "POST", collection, "application/json", text);
	} else {
		what = "changed";
		ask_kube(ctl, "PATCH", path, "application/merge-patch+json", text);
	}
	check(ctl, path);
	printf("%s/%s %s\n", text_at(json, "kind"), text_at(metadata, "name"), what);
	free(text);
}

static void apply_document(struct ctl *ctl, const char *text, size_t n)
{
	struct ek_error err = EK_ERROR_INIT;
	const struct ek_value *root;
	struct ek_arena arena;
	cJSON *json;

	ek_arena_init(&arena);
	if (ek_yaml_read(text, n, 100000, &arena, &root, &err) != EK_OK)
		die("%s", err.message);
	if (root->kind != EK_VALUE_NULL) {
		json = to_json(root);
		apply_one(ctl, json);
		cJSON_Delete(json);
	}
	ek_arena_clear(&arena);
}

static void apply(struct ctl *ctl, const char *path)
{
	FILE *file = strcmp(path, "-") ? fopen(path, "r") : stdin;
	struct ek_buf text;
	char part[4096];
	size_t n;

	if (!file)
		die("cannot read %s", path);
	ek_buf_init(&text, 16u << 20);
	while ((n = fread(part, 1, sizeof(part), file)) > 0)
		ek_buf_add(&text, part, n);
	if (file != stdin)
		fclose(file);
	for (const char *at = text.at; at;) {
		const char *end = strncmp(at, "---\n", 4) ? strstr(at, "\n---\n") : at - 1;

		apply_document(ctl, at, end ? (size_t)(end + 1 - at) : strlen(at));
		at = end ? end + 5 : NULL;
	}
	ek_buf_clear(&text);
}

/* ---- Objects ---- */

/* The field as text, to be freed; NULL: it is not there. */
static char *field_of(const char *body, const char *field)
{
	cJSON *root = cJSON_Parse(body);
	const cJSON *item = root;
	char part[128], *text = NULL;

	while (item && *field) {
		size_t n = strcspn(field, ".");

		snprintf(part, sizeof(part), "%.*s", (int)n, field);
		field += n + (field[n] == '.');
		item = cJSON_IsArray(item) ? cJSON_GetArrayItem(item, (int)strtol(part, NULL, 10)) :
			cJSON_GetObjectItemCaseSensitive(item, part);
	}
	if (item)
		text = cJSON_IsString(item) ? ek_xstrdup(item->valuestring) : cJSON_PrintUnformatted(item);
	cJSON_Delete(root);
	return text;
}

static void get(struct ctl *ctl, const char *path, const char *field)
{
	char *text;

	ask_kube(ctl, "GET", path, NULL, NULL);
	check(ctl, path);
	text = field_of(ctl->body, field ? field : "");
	if (!text)
		die("%s has no %s", path, field);
	puts(text);
	free(text);
}

static void delete(struct ctl *ctl, const char *path)
{
	ask_kube(ctl, "DELETE", path, "application/json", ctl->is_now ? "{\"gracePeriodSeconds\":0}" : "{}");
	check(ctl, path);
}

static void wait_gone(struct ctl *ctl, const char *path)
{
	int64_t end_ms = ek_loop_now_ms(ctl->loop) + ctl->within_ms;

	while (ask_kube(ctl, "GET", path, NULL, NULL) != 404)
		if (!pause_until(ctl, end_ms, 10))
			die("%s is still there", path);
}

static void wait_field(struct ctl *ctl, const char *path, const char *field, const char *value)
{
	int64_t end_ms = ek_loop_now_ms(ctl->loop) + ctl->within_ms;

	for (;;) {
		char *text;

		ask_kube(ctl, "GET", path, NULL, NULL);
		text = field_of(ctl->body, field);
		if (text && !strcmp(text, value)) {
			free(text);
			return;
		}
		if (!pause_until(ctl, end_ms, 10))
			die("%s: %s is %s, not %s", path, field, text ? text : "not there", value);
		free(text);
	}
}

/* ---- Eureka ---- */

static void print_row(int width, const char *id, const char *status, const char *address, const char *vip, const char *owner)
{
	printf("    %-*s %-8s %-22s %-12s %s\n", width, id, status, address, vip, owner);
}

static void print_table(const cJSON *instances, const char *app)
{
	const cJSON *item;
	int width = 8;

	if (!cJSON_GetArraySize(instances)) {
		printf("    %s has no instances\n", app);
		return;
	}
	cJSON_ArrayForEach(item, instances)
		if ((int)strlen(text_at(item, "instanceId")) > width)
			width = (int)strlen(text_at(item, "instanceId"));
	print_row(width, "INSTANCE", "STATUS", "ADDRESS", "VIP", "OWNER");
	cJSON_ArrayForEach(item, instances) {
		const cJSON *port = cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(item, "port"), "$");
		const cJSON *metadata = cJSON_GetObjectItemCaseSensitive(item, "metadata");
		char address[300];

		snprintf(address, sizeof(address), "%s:%d", text_at(item, "hostName"), port ? port->valueint : 0);
		print_row(width, text_at(item, "instanceId"), text_at(item, "status"), address, text_at(item, "vipAddress"),
			text_at(metadata, "eurekube.owner"));
	}
}

static void add_list(struct ctl *ctl, const char *app, cJSON *instances)
{
	int status = ask_eureka(ctl, app, NULL);
	const cJSON *list, *item;
	cJSON *root;

	if (status == 404)
		return;
	if (status != 200)
		die("%s: %d %s", app, status, ctl->message);
	root = cJSON_Parse(ctl->body);
	list = cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(root, "application"), "instance");
	if (cJSON_IsObject(list))
		cJSON_AddItemToArray(instances, cJSON_Duplicate(list, true));
	else
		cJSON_ArrayForEach(item, list)
			cJSON_AddItemToArray(instances, cJSON_Duplicate(item, true));
	cJSON_Delete(root);
}

static void show(struct ctl *ctl, const char *app, char **ids)
{
	cJSON *instances = cJSON_CreateArray();

	if (!*ids)
		add_list(ctl, app, instances);
	for (; *ids; ids++) {
		cJSON *root;

		if (ask_eureka(ctl, app, *ids) != 200)
			continue;
		root = cJSON_Parse(ctl->body);
		cJSON_AddItemToArray(instances, cJSON_DetachItemFromObjectCaseSensitive(root, "instance"));
		cJSON_Delete(root);
	}
	print_table(instances, app);
	cJSON_Delete(instances);
}

/* Single reads, since lists of a real server come from a cache. */
static bool is_as_wanted(struct ctl *ctl, const char *app, const char *id, bool is_gone)
{
	int status = ask_eureka(ctl, app, id);

	return is_gone ? status == 404 : status == 200 && strstr(ctl->body, "\"status\":\"UP\"");
}

static void wait_up(struct ctl *ctl, const char *app, char **ids)
{
	int64_t end_ms = ek_loop_now_ms(ctl->loop) + ctl->within_ms;
	bool is_gone = false;

	for (; *ids; ids++) {
		if (!strcmp(*ids, "--gone")) {
			is_gone = true;
			continue;
		}
		while (!is_as_wanted(ctl, app, *ids, is_gone))
			if (!pause_until(ctl, end_ms, 2))
				die("%s %s after %lld s", *ids, is_gone ? "is still registered" : "is not UP in Eureka",
					(long long)ctl->within_ms / 1000);
	}
}

/* ---- The rest ---- */

static void wait_http(struct ctl *ctl, const char *url)
{
	int64_t end_ms = ek_loop_now_ms(ctl->loop) + ctl->within_ms;

	while (ask_url(ctl, url) != 200)
		if (!pause_until(ctl, end_ms, 10))
			die("%s does not answer 200: %s", url, ctl->code == EK_OK ? ctl->body : ctl->message);
}

static void print_free_port(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t n = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, n) || getsockname(fd, (struct sockaddr *)&address, &n))
		die("cannot find a free port");
	printf("%u\n", ntohs(address.sin_port));
	close(fd);
}

static bool run(struct ctl *ctl, char **argv, int argc)
{
	const char *command = argc ? argv[0] : "";

	if (!strcmp(command, "apply") && argc == 2)
		apply(ctl, argv[1]);
	else if (!strcmp(command, "get") && (argc == 2 || argc == 3))
		get(ctl, argv[1], argv[2]);
	else if (!strcmp(command, "patch") && argc == 3)
		ask_kube(ctl, "PATCH", argv[1], "application/merge-patch+json", argv[2]), check(ctl, argv[1]);
	else if (!strcmp(command, "delete") && argc == 2)
		delete(ctl, argv[1]);
	else if (!strcmp(command, "wait-gone") && argc == 2)
		wait_gone(ctl, argv[1]);
	else if (!strcmp(command, "wait-field") && argc == 4)
		wait_field(ctl, argv[1], argv[2], argv[3]);
	else if (!strcmp(command, "show") && argc >= 2)
		show(ctl, argv[1], argv + 2);
	else if (!strcmp(command, "wait-up") && argc >= 2)
		wait_up(ctl, argv[1], argv + 2);
	else if (!strcmp(command, "wait-http") && argc == 2)
		wait_http(ctl, argv[1]);
	else if (!strcmp(command, "free-port") && argc == 1)
		print_free_port();
	else
		return false;
	return true;
}

/* Options stand before the command, but --now may stand behind it. */
static int read_options(struct ctl *ctl, int argc, char **argv)
{
	static const struct option known[] = {
		{ "kubeconfig", required_argument, NULL, 'k' }, { "eureka", required_argument, NULL, 'e' },
		{ "within", required_argument, NULL, 'w' }, { "help", no_argument, NULL, 'h' }, { 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "+", known, NULL)) != -1) {
		switch (c) {
		case 'k': ctl->kubeconfig = optarg; break;
		case 'e': ctl->eureka = optarg; break;
		case 'w': ctl->within_ms = strtoll(optarg, NULL, 10) * 1000; break;
		case 'h': fputs(help, stdout); exit(0);
		default: fputs(help, stderr); exit(2);
		}
	}
	if (argc > optind && !strcmp(argv[argc - 1], "--now")) {
		ctl->is_now = true;
		argv[--argc] = NULL;
	}
	return argc;
}

int main(int argc, char **argv)
{
	struct ctl ctl = { .within_ms = 10000 };
	bool is_known;

	argc = read_options(&ctl, argc, argv);
	signal(SIGPIPE, SIG_IGN);
	ctl.loop = ek_loop_new();
	ctl.http = ek_http_new(ctl.loop);
	ctl.client = ek_http_client_new(ctl.http, &(struct ek_http_client_config){ .name = "eureka" });
	is_known = run(&ctl, argv + optind, argc - optind);
	ek_kube_free(ctl.kube);
	ek_http_client_free(ctl.client);
	ek_http_free(ctl.http);
	ek_loop_free(ctl.loop);
	free(ctl.body);
	if (!is_known)
		fputs(help, stderr);
	return is_known ? 0 : 2;
}
