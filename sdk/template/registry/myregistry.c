/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The registry "myregistry": speaks a small invented protocol over the host's HTTP client - PUT (If-Match: the revision that it replaces), DELETE and GET of /ID,
 * POST of /ID/renew, and GET of pages of the whole. It retries nothing and decides nothing; it says truthfully how each request ended. Read
 * <eurekube/registry.h> next; the steps to change are numbered.
 */
#include <eurekube/json.h>
#include <eurekube/registry.h>

#include <stdbool.h>
#include <stdlib.h>

#define MAX_BATCH     64    /* operations in one apply */
#define URL_MAX       1024
#define ID_MAX        255   /* a longer id is nobody's that we know */
#define BODY_MAX      65536 /* one entry as JSON */
#define PAGE_ENTRIES  200   /* read one after the other in one callback, so not too many */
#define TEXT_MAX      16384 /* all texts of one entry */
#define METADATA_MAX  256

/* 1. Options: `registries.NAME.options` in the configuration. Credentials and TLS are the host's: `auth` and `tls` beside the options. */
static const struct ek_option url = {
	.size = sizeof(url), .type = EK_OPTION_STRING, .flags = EK_OPTION_REQUIRED, .name = "url",
	.help = "Where the registry answers, such as http://registry:8080/v1/instances.",
};
static const struct ek_option lease_seconds = {
	.size = sizeof(lease_seconds), .type = EK_OPTION_INTEGER, .name = "leaseSeconds", .default_value = "90", .minimum = 3, .maximum = 86400,
	.help = "How long an instance outlives its last renewal.",
};
static const struct ek_option *const options[] = { &url, &lease_seconds, NULL };

/* One request under way: an operation, or one page of a list. */
struct call {
	struct call *next, **previous;
	struct myregistry *registry;
	struct ek_http_handle *request;
	struct ek_timer_handle *timer; /* instead of the request: it could not be sent, and that is told on a later turn */
	struct ek_error why;
	uint64_t token;
	int64_t revision;              /* of what a PUT replaces; 0: of whatever is there */
	uint32_t kind;                 /* enum ek_op_kind; 0: a list */
};

struct myregistry {
	const struct ek_host *host;
	struct ek_registry_traits traits;
	struct call *calls;
	char url[URL_MAX];
};

/* ---- Calls -------------------------------------------------------------------------------------------------------------------------------------------------- */

static struct call *add_call(struct myregistry *registry, uint64_t token, uint32_t kind)
{
	struct call *call = calloc(1, sizeof(*call));

	if (!call)
		return NULL; /* the host hears nothing, and its deadline does the rest */
	call->registry = registry;
	call->token = token;
	call->kind = kind;
	call->next = registry->calls;
	call->previous = &registry->calls;
	if (call->next)
		call->next->previous = &call->next;
	registry->calls = call;
	return call;
}

static void drop_call(struct call *call)
{
	const struct ek_host *host = call->registry->host;

	host->http_cancel(host, call->request);
	host->timer_stop(host, call->timer);
	*call->previous = call->next;
	if (call->next)
		call->next->previous = call->previous;
	free(call);
}

/* Ends a call: the host is told once, and nothing is left of it. */
static void complete(struct call *call, const struct ek_result *result)
{
	const struct ek_host *host = call->registry->host;
	uint64_t token = call->token;

	drop_call(call);
	host->op_done(host, token, result);
}

static void on_unsent(void *arg)
{
	struct call *call = arg;
	struct ek_error why = call->why;
	struct ek_result result = { .size = sizeof(result), .code = why.code, .message = why.message };

	call->timer = NULL;
	complete(call, &result);
}

/* A completion never comes inside the call that started the operation, so even a failure waits for the next turn. */
static void fail_later(struct call *call)
{
	const struct ek_host *host = call->registry->host;

	call->timer = host->timer_start(host, 0, on_unsent, call);
}

static void on_answer(void *arg, const struct ek_http_response *response);

static void send(struct call *call, const char *method, const char *path, const char *body, size_t n_body, int32_t timeout_ms)
{
	static const struct ek_pair json = { .size = sizeof(json), .key = "Content-Type", .value = "application/json" };
	const struct ek_host *host = call->registry->host;
	char full[2 * URL_MAX], revision[24];
	const struct ek_pair if_match = { .size = sizeof(if_match), .key = "If-Match", .value = revision };
	const struct ek_pair *const headers[] = { &json, &if_match };
	struct ek_http_request request = {
		.size = sizeof(request), .method = method, .url = full, .headers = headers, .n_headers = !n_body ? 0 : call->revision ? 2 : 1, .body = body,
		.body_bytes = (uint32_t)n_body, .timeout_ms = timeout_ms, .on_done = on_answer, .arg = call, .max_body_bytes = 1u << 22,
		.lane = call->kind == EK_OP_RENEW ? EK_HTTP_LANE_RENEW : EK_HTTP_LANE_ORDINARY,
	};

	snprintf(full, sizeof(full), "%s%s", call->registry->url, path);
	snprintf(revision, sizeof(revision), "%lld", (long long)call->revision);
	call->request = host->http(host, &request, &call->why);
	if (!call->request)
		fail_later(call);
}

/* ---- 2. An instance as the registry keeps it ---------------------------------------------------------------------------------------------------------------- */

static void write_text(struct ek_json_writer *writer, const char *key, const char *text)
{
	if (!text)
		return;
	ek_json_write_key(writer, key);
	ek_json_write_string(writer, text);
}

static void write_number(struct ek_json_writer *writer, const char *key, int64_t number)
{
	ek_json_write_key(writer, key);
	ek_json_write_integer(writer, number);
}

/* Metadata go whole and unchanged: the marks among them tell the host whose the entry is. Returns the length; 0: it does not fit. */
static size_t write_entry(const struct ek_instance *instance, char *buffer, size_t size)
{
	struct ek_json_writer writer;

	ek_json_writer_init(&writer, buffer, size);
	ek_json_write_object(&writer);
	write_text(&writer, "id", instance->id);
	write_text(&writer, "application", instance->application);
	write_text(&writer, "name", instance->vip_address);
	write_text(&writer, "address", instance->address);
	write_text(&writer, "zone", instance->zone);
	write_number(&writer, "port", instance->port);
	write_number(&writer, "securePort", instance->secure_port);
	write_number(&writer, "status", instance->status);
	ek_json_write_key(&writer, "metadata");
	ek_json_write_object(&writer);
	for (uint32_t i = 0; i < instance->n_metadata; i++)
		write_text(&writer, instance->metadata[i]->key, instance->metadata[i]->value);
	ek_json_write_object_end(&writer);
	ek_json_write_object_end(&writer);
	return ek_json_writer_finish(&writer);
}

/* What was read, with room for its texts. */
struct reading {
	struct ek_entry entry;
	struct ek_instance instance;
	struct ek_pair pairs[METADATA_MAX];
	const struct ek_pair *metadata[METADATA_MAX];
	char texts[TEXT_MAX];
	size_t n_texts;
};

static const char *read_text(struct ek_json *json, struct reading *reading)
{
	const char *text = reading->texts + reading->n_texts;

	if (reading->n_texts == TEXT_MAX) {
		ek_json_fail(json, "an entry with too many texts");
		return "";
	}
	reading->n_texts += ek_json_text(json, reading->texts + reading->n_texts, TEXT_MAX - reading->n_texts) + 1;
	return text;
}

static void read_metadata(struct ek_json *json, struct reading *reading)
{
	struct ek_instance *instance = &reading->instance;
	struct ek_slice key;

	for (ek_json_enter_object(json); ek_json_next_key(json, &key);) {
		struct ek_pair *pair = &reading->pairs[instance->n_metadata];

		if (instance->n_metadata == METADATA_MAX || key.n >= TEXT_MAX - reading->n_texts) {
			ek_json_fail(json, "an entry with too many metadata");
			return;
		}
		*pair = (struct ek_pair){ .size = sizeof(*pair), .key = reading->texts + reading->n_texts };
		memcpy(reading->texts + reading->n_texts, key.at, key.n);
		reading->texts[reading->n_texts + key.n] = '\0';
		reading->n_texts += key.n + 1;
		pair->value = read_text(json, reading);
		reading->metadata[instance->n_metadata++] = pair;
	}
}

static void read_field(struct ek_json *json, struct ek_slice key, struct reading *reading)
{
	struct ek_instance *instance = &reading->instance;

	if (ek_slice_equals(key, "id"))
		instance->id = read_text(json, reading);
	else if (ek_slice_equals(key, "application"))
		instance->application = read_text(json, reading);
	else if (ek_slice_equals(key, "name"))
		instance->vip_address = read_text(json, reading);
	else if (ek_slice_equals(key, "address"))
		instance->address = read_text(json, reading);
	else if (ek_slice_equals(key, "zone"))
		instance->zone = read_text(json, reading);
	else if (ek_slice_equals(key, "port"))
		instance->port = (int32_t)ek_json_integer(json);
	else if (ek_slice_equals(key, "securePort"))
		instance->secure_port = (int32_t)ek_json_integer(json);
	else if (ek_slice_equals(key, "status"))
		instance->status = (int32_t)ek_json_integer(json);
	else if (ek_slice_equals(key, "revision"))
		reading->entry.revision = ek_json_integer(json);
	else if (ek_slice_equals(key, "metadata"))
		read_metadata(json, reading);
	else
		ek_json_skip(json);
}

/* An entry without id or application is a fault of the document. */
static void read_entry(struct ek_json *json, struct reading *reading)
{
	struct ek_instance *instance = &reading->instance;
	struct ek_slice key;

	reading->n_texts = 0;
	*instance = (struct ek_instance){ .size = sizeof(*instance), .status = EK_STATUS_UNKNOWN, .metadata = reading->metadata };
	reading->entry = (struct ek_entry){ .size = sizeof(reading->entry), .flags = EK_ENTRY_RENEWABLE, .instance = instance };
	for (ek_json_enter_object(json); ek_json_next_key(json, &key);)
		read_field(json, key, reading);
	if (!instance->id || !instance->application)
		ek_json_fail(json, "an entry without id or application");
	reading->entry.id = instance->id;
	reading->entry.application = instance->application;
	reading->entry.status = instance->status;
}

/* ---- 3. What an answer means -------------------------------------------------------------------------------------------------------------------------------- */

static int32_t judge(uint32_t kind, const struct ek_http_response *response)
{
	int32_t status = response->http_status;

	if (response->code != EK_OK)
		return response->code; /* RETRY, UNKNOWN, TOO_BIG, AUTH: the host's client knows which */
	if (status >= 200 && status <= 299)
		return EK_OK;
	switch (status) {
	case 401:
	case 403:
		return EK_AUTH;
	case 404: /* of the entry; a PUT or a list that is not found has the wrong address */
		return kind == 0 || kind == EK_OP_PUT ? EK_RETRY : EK_GONE;
	case 409:
	case 412: /* somebody else has written it since */
		return EK_CONFLICT;
	case 413:
		return EK_TOO_BIG;
	case 429:
		return EK_THROTTLED;
	case 502:
	case 504: /* a gateway does not know what became of it */
		return EK_UNKNOWN;
	default:
		return status >= 500 || status == 408 ? EK_RETRY : status >= 400 ? EK_INVALID : EK_PLUGIN;
	}
}

static int read_one(const struct ek_http_response *response, struct reading *reading, struct ek_error *err)
{
	struct ek_json json;

	ek_json_init(&json, response->body, response->body_bytes);
	read_entry(&json, reading);
	return ek_json_finish(&json, err);
}

/* The answer to a PUT may tell the new revision; a registry that has none says nothing. */
static int64_t read_revision(const struct ek_http_response *response)
{
	struct ek_slice key;
	struct ek_json json;
	int64_t revision = 0;

	ek_json_init(&json, response->body, response->body_bytes);
	for (ek_json_enter_object(&json); ek_json_next_key(&json, &key);) {
		if (ek_slice_equals(key, "revision"))
			revision = ek_json_integer(&json);
		else
			ek_json_skip(&json);
	}
	return ek_json_finish(&json, NULL) == EK_OK ? revision : 0;
}

static void finish_operation(struct call *call, const struct ek_http_response *response)
{
	struct ek_error err = EK_ERROR_INIT;
	struct reading reading;
	char message[128];
	struct ek_result result = {
		.size = sizeof(result), .code = judge(call->kind, response), .http_status = response->http_status,
		.retry_after_ms = response->retry_after_ms, .message = response->code == EK_OK ? message : response->message,
	};

	snprintf(message, sizeof(message), "the registry answered %d", response->http_status);
	if (result.code == EK_OK && call->kind == EK_OP_PUT)
		result.revision = read_revision(response);
	if (result.code == EK_OK && call->kind == EK_OP_GET) {
		if (read_one(response, &reading, &err) == EK_OK) {
			result.entry = &reading.entry;
			result.revision = reading.entry.revision;
		} else {
			result.code = EK_PLUGIN;
			result.message = err.message;
		}
	}
	complete(call, &result);
}

/* ---- 4. Listing, a page at a time --------------------------------------------------------------------------------------------------------------------------- */

#define LIST_TIMEOUT_MS 10000

static void ask_for_page(struct call *call, const char *after)
{
	char path[URL_MAX], escaped[3 * ID_MAX + 1] = "";

	ek_url_escape(after, escaped, sizeof(escaped));
	snprintf(path, sizeof(path), "?limit=%d&after=%s", PAGE_ENTRIES, escaped);
	send(call, "GET", path, NULL, 0, LIST_TIMEOUT_MS);
}

/* {"entries":[...],"next":"..."}; next is empty on the last page. False: the host has heard enough. */
static bool read_page(struct call *call, struct ek_json *json, char *next, size_t size)
{
	const struct ek_host *host = call->registry->host;
	struct reading reading;
	struct ek_slice key;
	bool is_page = false;

	for (ek_json_enter_object(json); ek_json_next_key(json, &key);) {
		if (ek_slice_equals(key, "next")) {
			ek_json_text(json, next, size);
		} else if (ek_slice_equals(key, "entries")) {
			is_page = true;
			for (ek_json_enter_array(json); ek_json_next_item(json);) {
				read_entry(json, &reading);
				if (!ek_json_failed(json) && host->list_entry(host, call->token, &reading.entry) != 0)
					return false;
			}
		} else {
			ek_json_skip(json);
		}
	}
	if (!is_page)
		ek_json_fail(json, "this is no page of entries");
	return true;
}

/* Only the last page of a list that was read to its end says EK_OK: what is not in it is gone for the host. */
static void finish_page(struct call *call, const struct ek_http_response *response)
{
	struct ek_result result = { .size = sizeof(result), .code = judge(0, response), .http_status = response->http_status,
		.retry_after_ms = response->retry_after_ms, .message = response->code == EK_OK ? "the registry refused to be read" : response->message };
	struct ek_error err = EK_ERROR_INIT;
	char next[ID_MAX + 1] = "";
	struct ek_json json;

	if (result.code == EK_OK) {
		ek_json_init(&json, response->body, response->body_bytes);
		if (!read_page(call, &json, next, sizeof(next))) {
			result.code = EK_CANCELLED;
		} else if (ek_json_finish(&json, &err) != EK_OK) {
			result.code = EK_PLUGIN;
			result.message = err.message;
		} else if (next[0]) {
			ask_for_page(call, next);
			return;
		}
	}
	complete(call, &result);
}

static void on_answer(void *arg, const struct ek_http_response *response)
{
	struct call *call = arg;

	call->request = NULL; /* its handle is dead now */
	if (call->kind)
		finish_operation(call, response);
	else
		finish_page(call, response);
}

/* ---- 5. What the host calls --------------------------------------------------------------------------------------------------------------------------------- */

static void start(struct myregistry *registry, const struct ek_op *op)
{
	static const char *const methods[] = { [EK_OP_PUT] = "PUT", [EK_OP_REMOVE] = "DELETE", [EK_OP_RENEW] = "POST", [EK_OP_GET] = "GET" };
	struct call *call = add_call(registry, op->token, op->kind);
	char path[URL_MAX], id[3 * ID_MAX + 1], body[BODY_MAX];
	size_t n_body = 0;

	if (!call)
		return;
	if (op->kind == EK_OP_PUT)
		call->revision = op->revision;
	if (!ek_url_escape(op->id, id, sizeof(id)) || (op->kind == EK_OP_PUT && !(n_body = write_entry(op->instance, body, sizeof(body))))) {
		ek_fail(&call->why, EK_TOO_BIG, "the instance does not fit into %d bytes; give it less metadata", BODY_MAX);
		fail_later(call);
		return;
	}
	snprintf(path, sizeof(path), op->kind == EK_OP_RENEW ? "/%s/renew" : "/%s", id);
	send(call, methods[op->kind], path, body, n_body, op->timeout_ms);
}

static void apply(void *self, const struct ek_op *const *ops, uint32_t n_ops)
{
	for (uint32_t i = 0; i < n_ops; i++)
		start(self, ops[i]);
}

static void list(void *self, const struct ek_scope *scope, uint64_t token)
{
	struct call *call = add_call(self, token, 0);

	(void)scope; /* more than was asked for is welcome, less is not */
	if (call)
		ask_for_page(call, "");
}

static void cancel(void *self, uint64_t token)
{
	struct call *call = ((struct myregistry *)self)->calls;

	while (call && call->token != token)
		call = call->next;
	if (call)
		drop_call(call);
}

static const struct ek_registry_traits *traits(void *self)
{
	return &((struct myregistry *)self)->traits;
}

/* Asks nobody: a registry that is away is no reason to fail, only options that cannot work are. */
static int create(const struct ek_host *host, void **self, struct ek_error *err)
{
	const char *where = host->option(host, "url")->text;
	int64_t lease_ms = host->option(host, "leaseSeconds")->integer * 1000;
	struct myregistry *registry;

	if ((strncmp(where, "http://", 7) != 0 && strncmp(where, "https://", 8) != 0) || strlen(where) >= URL_MAX)
		return ek_fail(err, EK_INVALID, "url: \"%.80s\" does not begin with http:// or https://, or is too long", where);
	registry = calloc(1, sizeof(*registry));
	if (!registry)
		return ek_fail(err, EK_RETRY, "out of memory");
	registry->host = host;
	snprintf(registry->url, sizeof(registry->url), "%s", where);
	for (size_t n = strlen(where); n && registry->url[n - 1] == '/'; n--)
		registry->url[n - 1] = '\0';
	registry->traits = (struct ek_registry_traits){
		.size = sizeof(registry->traits), .lease_kind = EK_LEASE_INSTANCE, .max_batch = MAX_BATCH, .lease_ms = lease_ms, .renew_ms = lease_ms / 3,
	};
	*self = registry;
	return EK_OK;
}

/* Forgets what is under way and deregisters nothing: a successor takes the entries over. */
static void close_registry(void *self)
{
	struct myregistry *registry = self;
	const struct ek_host *host = registry->host;

	while (registry->calls)
		drop_call(registry->calls);
	free(registry);
	host->closed(host);
}

static const struct ek_registry_ops ops = {
	.size = sizeof(ops), .create = create, .close = close_registry, .traits = traits, .apply = apply, .list = list, .cancel = cancel,
};

EK_PLUGIN_DEFINE(myregistry, REGISTRY, .version = "0.1.0", .options = options, .ops = &ops);
