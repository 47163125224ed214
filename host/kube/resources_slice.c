/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads EndpointSlices, most of the bytes that a cluster sends.
 * It keeps every endpoint whatever its state; who may be called is decided elsewhere, by all slices of a Service together.
 * Next: store.c, where the records go.
 */
#include "kube/resources.h"

#include "kube/resources_inside.h"

#include <arpa/inet.h>
#include <string.h>
#include <time.h>

#define LABEL_SERVICE      "kubernetes.io/service-name"
#define ANNOTATION_TRIGGER "endpoints.kubernetes.io/last-change-trigger-time"

/* A slice while it is read. */
struct draft {
	struct ek_record_slice record;
	struct ek_intern *pool;
	struct ek_buf texts;
	struct ek_record_port *ports;
	struct ek_record_endpoint *endpoints;
	uint32_t name;
	bool has_metadata, is_fqdn;
	uint32_t port_room, endpoint_room;
};

/* ---- Small texts ---- */

static int two_digits(const char *at)
{
	if (at[0] < '0' || at[0] > '9' || at[1] < '0' || at[1] > '9')
		return -1;
	return (at[0] - '0') * 10 + at[1] - '0';
}

/* Behind the seconds: a fraction in milliseconds. */
static int64_t fraction_ms(const char **at, const char *end)
{
	int64_t ms = 0, weight = 100;

	if (*at == end || **at != '.')
		return 0;
	for ((*at)++; *at < end && **at >= '0' && **at <= '9'; (*at)++) {
		ms += (**at - '0') * weight;
		weight /= 10;
	}
	return ms;
}

/* Z or an offset such as +09:00, in milliseconds; false for anything else. */
static bool read_zone(const char *at, const char *end, int64_t *offset_ms)
{
	*offset_ms = 0;
	if (end - at == 1 && *at == 'Z')
		return true;
	if (end - at != 6 || (*at != '+' && *at != '-') || at[3] != ':' || two_digits(at + 1) < 0 || two_digits(at + 4) < 0)
		return false;
	*offset_ms = (int64_t)(two_digits(at + 1) * 60 + two_digits(at + 4)) * (*at == '-' ? -60000 : 60000);
	return true;
}

/* RFC 3339 as milliseconds since 1970; 0 for what is no time. */
static int64_t read_time(struct ek_slice text)
{
	const char *at = text.at, *end = text.at + text.n;
	struct tm tm = { 0 };
	int64_t offset_ms, ms;

	if (text.n < 20 || at[4] != '-' || at[7] != '-' || at[10] != 'T' || at[13] != ':' || at[16] != ':')
		return 0;
	if (two_digits(at) < 0 || two_digits(at + 2) < 0)
		return 0;
	tm.tm_year = two_digits(at) * 100 + two_digits(at + 2) - 1900;
	tm.tm_mon = two_digits(at + 5) - 1;
	tm.tm_mday = two_digits(at + 8);
	tm.tm_hour = two_digits(at + 11);
	tm.tm_min = two_digits(at + 14);
	tm.tm_sec = two_digits(at + 17);
	if (tm.tm_year < 70 || tm.tm_mon < 0 || tm.tm_mday < 1 || tm.tm_hour < 0 || tm.tm_min < 0 || tm.tm_sec < 0)
		return 0;
	at += 19;
	ms = fraction_ms(&at, end);
	if (!read_zone(at, end, &offset_ms))
		return 0;
	return (int64_t)timegm(&tm) * 1000 + ms - offset_ms;
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Only what can be written back byte for byte: lower case, dashes where they belong. */
static bool read_uuid(struct ek_slice text, uint8_t out[16])
{
	size_t n = 0;

	if (text.n != EK_UID_TEXT - 1)
		return false;
	for (size_t i = 0; i < text.n;) {
		if (i == 8 || i == 13 || i == 18 || i == 23) {
			if (text.at[i++] != '-')
				return false;
			continue;
		}
		if (hex(text.at[i]) < 0 || hex(text.at[i + 1]) < 0)
			return false;
		out[n++] = (uint8_t)(hex(text.at[i]) << 4 | hex(text.at[i + 1]));
		i += 2;
	}
	return true;
}

const char *ek_record_pod_uid(const struct ek_record_slice *slice, const struct ek_record_endpoint *endpoint, char buffer[EK_UID_TEXT])
{
	static const char digits[] = "0123456789abcdef";
	size_t at = 0;

	if (!endpoint->has_binary_uid)
		return endpoint->pod_uid_text ? slice->texts + endpoint->pod_uid_text : NULL;
	for (size_t i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			buffer[at++] = '-';
		buffer[at++] = digits[endpoint->pod_uid[i] >> 4];
		buffer[at++] = digits[endpoint->pod_uid[i] & 15];
	}
	buffer[at] = '\0';
	return buffer;
}

/* One of an IPv4 address's four numbers, without the weight of printf: each view writes all its addresses. */
static char *write_number(char *at, unsigned number)
{
	if (number >= 100)
		*at++ = (char)('0' + number / 100);
	if (number >= 10)
		*at++ = (char)('0' + number / 10 % 10);
	*at++ = (char)('0' + number % 10);
	return at;
}

const char *ek_record_address(const struct ek_record_endpoint *endpoint, char buffer[EK_ADDRESS_TEXT])
{
	char *at = buffer;

	if (endpoint->family != 4)
		return inet_ntop(AF_INET6, endpoint->address, buffer, EK_ADDRESS_TEXT);
	for (int i = 0; i < 4; i++) {
		at = write_number(at, endpoint->address[i]);
		*at++ = i < 3 ? '.' : '\0';
	}
	return buffer;
}

/* The family, or 0 for what is no address. */
static uint8_t read_address(struct ek_slice text, uint8_t out[16])
{
	char copy[INET6_ADDRSTRLEN];

	if (text.n >= sizeof(copy))
		return 0;
	memcpy(copy, text.at, text.n);
	copy[text.n] = '\0';
	if (inet_pton(AF_INET, copy, out) == 1)
		return 4;
	return inet_pton(AF_INET6, copy, out) == 1 ? 6 : 0;
}

/* ---- Endpoints ---- */

static void read_conditions(struct ek_json *json, struct ek_record_endpoint *endpoint)
{
	bool is_ready = true, is_serving = true, is_terminating = false;
	struct ek_slice key;

	for (ek_json_enter_object(json); ek_json_next_key(json, &key);) {
		if (ek_slice_equals(key, "ready"))
			is_ready = ek_json_boolean(json, true);
		else if (ek_slice_equals(key, "serving"))
			is_serving = ek_json_boolean(json, true);
		else if (ek_slice_equals(key, "terminating"))
			is_terminating = ek_json_boolean(json, false);
		else
			ek_json_skip(json);
	}
	endpoint->flags = (uint8_t)((is_ready ? EK_ENDPOINT_READY : 0) | (is_serving ? EK_ENDPOINT_SERVING : 0) |
		(is_terminating ? EK_ENDPOINT_TERMINATING : 0));
}

struct target {
	struct ek_slice namespace_, name, uid;
	bool is_pod;
	char scratch[3][256];
};

static void read_target(struct ek_json *json, struct target *target)
{
	struct ek_slice key;
	char kind[64];

	for (ek_json_enter_object(json); ek_json_next_key(json, &key);) {
		if (ek_slice_equals(key, "kind"))
			target->is_pod = ek_slice_equals(ek_json_slice(json, kind, sizeof(kind)), "Pod");
		else if (ek_slice_equals(key, "namespace"))
			target->namespace_ = ek_json_slice(json, target->scratch[0], sizeof(target->scratch[0]));
		else if (ek_slice_equals(key, "name"))
			target->name = ek_json_slice(json, target->scratch[1], sizeof(target->scratch[1]));
		else if (ek_slice_equals(key, "uid"))
			target->uid = ek_json_slice(json, target->scratch[2], sizeof(target->scratch[2]));
		else
			ek_json_skip(json);
	}
}

static void keep_target(struct ek_json *json, struct draft *draft, const struct target *target, struct ek_record_endpoint *endpoint)
{
	const char *namespace_ = draft->record.namespace_;

	if (!target->is_pod || !target->name.n || !namespace_)
		return;
	if (target->namespace_.n && !ek_slice_equals(target->namespace_, namespace_))
		return;
	endpoint->has_pod = 1;
	endpoint->pod_name = ek_keep_text(json, &draft->texts, target->name);
	endpoint->has_binary_uid = read_uuid(target->uid, endpoint->pod_uid);
	if (endpoint->has_binary_uid)
		return;
	memset(endpoint->pod_uid, 0, sizeof(endpoint->pod_uid));
	endpoint->pod_uid_text = ek_keep_text(json, &draft->texts, target->uid);
}

/* Only the first address means anything. */
static void read_addresses(struct ek_json *json, struct ek_record_endpoint *endpoint)
{
	char scratch[INET6_ADDRSTRLEN];
	bool is_first = true;

	for (ek_json_enter_array(json); ek_json_next_item(json); is_first = false) {
		if (is_first)
			endpoint->family = read_address(ek_json_slice(json, scratch, sizeof(scratch)), endpoint->address);
		else
			ek_json_skip(json);
	}
}

static void read_endpoint(struct ek_json *json, struct draft *draft)
{
	struct ek_record_endpoint *endpoint;
	struct target target;
	struct ek_slice key;

	target.is_pod = false;
	target.namespace_ = target.name = target.uid = (struct ek_slice){ "", 0 };
	draft->endpoints = ek_grow(draft->endpoints, draft->record.n_endpoints, &draft->endpoint_room, sizeof(*draft->endpoints));
	endpoint = &draft->endpoints[draft->record.n_endpoints++];
	*endpoint = (struct ek_record_endpoint){ .flags = EK_ENDPOINT_READY | EK_ENDPOINT_SERVING };
	for (ek_json_enter_object(json); ek_json_next_key(json, &key);) {
		if (ek_slice_equals(key, "addresses"))
			read_addresses(json, endpoint);
		else if (ek_slice_equals(key, "conditions"))
			read_conditions(json, endpoint);
		else if (ek_slice_equals(key, "targetRef"))
			read_target(json, &target);
		else if (ek_slice_equals(key, "nodeName"))
			ek_read_into(json, draft->pool, &endpoint->node_name);
		else if (ek_slice_equals(key, "zone"))
			ek_read_into(json, draft->pool, &endpoint->zone);
		else if (ek_slice_equals(key, "hostname"))
			endpoint->hostname = ek_read_kept(json, &draft->texts);
		else
			ek_json_skip(json);
	}
	keep_target(json, draft, &target, endpoint);
}

/* What has no address of ours is none of ours. */
static void drop_endpoint(struct draft *draft)
{
	const struct ek_record_endpoint *last = &draft->endpoints[--draft->record.n_endpoints];

	ek_intern_unref(draft->pool, last->node_name);
	ek_intern_unref(draft->pool, last->zone);
}

static void read_endpoints(struct ek_json *json, struct draft *draft)
{
	for (ek_json_enter_array(json); ek_json_next_item(json);) {
		read_endpoint(json, draft);
		if (!draft->endpoints[draft->record.n_endpoints - 1].family)
			drop_endpoint(draft);
	}
}

/* ---- The rest of a slice ---- */

static void read_port(struct ek_json *json, struct draft *draft)
{
	struct ek_record_port *port;
	struct ek_slice key;

	draft->ports = ek_grow(draft->ports, draft->record.n_ports, &draft->port_room, sizeof(*draft->ports));
	port = &draft->ports[draft->record.n_ports++];
	*port = (struct ek_record_port){ .number = 0 };
	for (ek_json_enter_object(json); ek_json_next_key(json, &key);) {
		if (ek_slice_equals(key, "name"))
			ek_read_into(json, draft->pool, &port->name);
		else if (ek_slice_equals(key, "protocol"))
			ek_read_into(json, draft->pool, &port->protocol);
		else if (ek_slice_equals(key, "appProtocol"))
			ek_read_into(json, draft->pool, &port->app_protocol);
		else if (ek_slice_equals(key, "port"))
			port->number = (int32_t)ek_json_integer(json);
		else
			ek_json_skip(json);
	}
	if (!port->name)
		port->name = ek_intern_ref(draft->pool, "", 0);
	if (!port->protocol)
		port->protocol = ek_intern_ref(draft->pool, "TCP", 3);
}

static void read_labels(struct ek_json *json, struct draft *draft)
{
	struct ek_slice key;

	for (ek_json_enter_object(json); ek_json_next_key(json, &key);) {
		if (ek_slice_equals(key, LABEL_SERVICE))
			ek_read_into(json, draft->pool, &draft->record.service);
		else
			ek_json_skip(json);
	}
}

static void read_annotations(struct ek_json *json, struct draft *draft)
{
	char scratch[64];
	struct ek_slice key;

	for (ek_json_enter_object(json); ek_json_next_key(json, &key);) {
		if (ek_slice_equals(key, ANNOTATION_TRIGGER))
			draft->record.trigger_wall_ms = read_time(ek_json_slice(json, scratch, sizeof(scratch)));
		else
			ek_json_skip(json);
	}
}

static void read_metadata(struct ek_json *json, struct draft *draft)
{
	struct ek_slice key;

	draft->has_metadata = true;
	for (ek_json_enter_object(json); ek_json_next_key(json, &key);) {
		if (ek_slice_equals(key, "namespace"))
			ek_read_into(json, draft->pool, &draft->record.namespace_);
		else if (ek_slice_equals(key, "name"))
			draft->name = ek_read_kept(json, &draft->texts);
		else if (ek_slice_equals(key, "labels"))
			read_labels(json, draft);
		else if (ek_slice_equals(key, "annotations"))
			read_annotations(json, draft);
		else
			ek_json_skip(json);
	}
}

/* Endpoints can be read only once the namespace is known; where they come before it, they wait. */
static void read_whole(struct ek_json *json, struct draft *draft)
{
	struct ek_slice key, waiting = { "", 0 };
	struct ek_json later;
	char scratch[16];

	for (ek_json_enter_object(json); ek_json_next_key(json, &key);) {
		if (ek_slice_equals(key, "metadata")) {
			read_metadata(json, draft);
		} else if (ek_slice_equals(key, "endpoints")) {
			if (draft->has_metadata)
				read_endpoints(json, draft);
			else
				waiting = ek_json_raw(json);
		} else if (ek_slice_equals(key, "ports")) {
			for (ek_json_enter_array(json); ek_json_next_item(json);)
				read_port(json, draft);
		} else if (ek_slice_equals(key, "addressType")) {
			draft->is_fqdn = ek_slice_equals(ek_json_slice(json, scratch, sizeof(scratch)), "FQDN");
		} else {
			ek_json_skip(json);
		}
	}
	if (waiting.n && !ek_json_failed(json)) {
		ek_json_init(&later, waiting.at, waiting.n);
		read_endpoints(&later, draft);
		if (ek_json_failed(&later))
			ek_json_fail(json, later.fault);
	}
	while (draft->is_fqdn && draft->record.n_endpoints)
		drop_endpoint(draft);
	if (!ek_json_failed(json) && (!draft->record.namespace_ || !draft->name))
		ek_json_fail(json, "an EndpointSlice without a name or namespace");
}

/* ---- Records ---- */

/* The record and all it owns in one piece. */
static struct ek_record_slice *pack(const struct draft *draft)
{
	size_t n_ports = draft->record.n_ports * sizeof(*draft->ports), n_endpoints = draft->record.n_endpoints * sizeof(*draft->endpoints);
	struct ek_record_slice *record = ek_xmalloc(sizeof(*record) + n_endpoints + n_ports + draft->texts.n);
	char *endpoints = (char *)(record + 1), *ports = endpoints + n_endpoints, *texts = ports + n_ports;

	if (n_endpoints)
		memcpy(endpoints, draft->endpoints, n_endpoints);
	if (n_ports)
		memcpy(ports, draft->ports, n_ports);
	memcpy(texts, draft->texts.at, draft->texts.n);
	*record = draft->record;
	record->name = texts + draft->name;
	record->endpoints = (const struct ek_record_endpoint *)endpoints;
	record->ports = (const struct ek_record_port *)ports;
	record->texts = texts;
	record->n_text_bytes = (uint32_t)draft->texts.n;
	return record;
}

/* Gives back what the record's texts owe to the pool. */
static void release(struct ek_record_slice *record, struct ek_intern *pool)
{
	ek_intern_unref(pool, record->namespace_);
	ek_intern_unref(pool, record->service);
	for (uint32_t i = 0; i < record->n_ports; i++) {
		ek_intern_unref(pool, record->ports[i].name);
		ek_intern_unref(pool, record->ports[i].protocol);
		ek_intern_unref(pool, record->ports[i].app_protocol);
	}
	for (uint32_t i = 0; i < record->n_endpoints; i++) {
		ek_intern_unref(pool, record->endpoints[i].node_name);
		ek_intern_unref(pool, record->endpoints[i].zone);
	}
}

int ek_read_slice(struct ek_slice text, struct ek_intern *pool, struct ek_record_slice **out, struct ek_error *err)
{
	struct draft draft = { .pool = pool };
	struct ek_json json;
	int code;

	ek_buf_init(&draft.texts, UINT32_MAX / 2);
	ek_buf_add(&draft.texts, "", 1);
	ek_json_init(&json, text.at, text.n);
	read_whole(&json, &draft);
	code = ek_json_finish(&json, err);
	if (code == EK_OK) {
		*out = pack(&draft);
	} else {
		draft.record.endpoints = draft.endpoints;
		draft.record.ports = draft.ports;
		release(&draft.record, pool);
	}
	ek_buf_clear(&draft.texts);
	free(draft.endpoints);
	free(draft.ports);
	if (code != EK_OK)
		ek_error_wrap(err, "EndpointSlice");
	return code;
}

void ek_record_slice_free(struct ek_record_slice *slice, struct ek_intern *pool)
{
	if (!slice)
		return;
	release(slice, pool);
	free(slice);
}

/* Interned texts are equal where their pointers are, and neither struct has padding. */
bool ek_record_slice_equals(const struct ek_record_slice *a, const struct ek_record_slice *b)
{
	return a->namespace_ == b->namespace_ && a->service == b->service && a->n_ports == b->n_ports && a->n_endpoints == b->n_endpoints &&
	       a->n_text_bytes == b->n_text_bytes && memcmp(a->ports, b->ports, a->n_ports * sizeof(*a->ports)) == 0 &&
	       memcmp(a->endpoints, b->endpoints, a->n_endpoints * sizeof(*a->endpoints)) == 0 && memcmp(a->texts, b->texts, a->n_text_bytes) == 0;
}

static bool has_same_text(const struct ek_record_slice *a_slice, uint32_t a, const struct ek_record_slice *b_slice, uint32_t b)
{
	return !a == !b && strcmp(a_slice->texts + a, b_slice->texts + b) == 0;
}

bool ek_record_endpoint_equals(const struct ek_record_slice *a_slice, const struct ek_record_endpoint *a, const struct ek_record_slice *b_slice,
                               const struct ek_record_endpoint *b)
{
	return memcmp(a->address, b->address, sizeof(a->address)) == 0 && memcmp(a->pod_uid, b->pod_uid, sizeof(a->pod_uid)) == 0 &&
	       a->node_name == b->node_name && a->zone == b->zone && a->flags == b->flags && a->family == b->family && a->has_pod == b->has_pod &&
	       a->has_binary_uid == b->has_binary_uid && has_same_text(a_slice, a->pod_name, b_slice, b->pod_name) &&
	       has_same_text(a_slice, a->pod_uid_text, b_slice, b->pod_uid_text) && has_same_text(a_slice, a->hostname, b_slice, b->hostname);
}

_Static_assert(sizeof(struct ek_record_endpoint) == 64, "an endpoint fills a line of the cache and has no padding");
_Static_assert(sizeof(struct ek_record_port) == 32, "a port has no padding");
_Static_assert(sizeof(struct ek_record_service_port) == 40, "a port of a Service has no padding");
