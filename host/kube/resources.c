/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads Services, and the identity of any object.
 * It judges nothing: what a Service means is the modes' business, what a change means the store's.
 * Next: resources_slice.c, which reads EndpointSlices.
 */
#include "kube/resources.h"

#include "kube/resources_inside.h"

#include <string.h>

/* ---- Identity ---- */

static void read_identity(struct ek_json *json, struct ek_object_meta *out)
{
	struct ek_slice key;

	for (ek_json_enter_object(json); ek_json_next_key(json, &key);) {
		if (ek_slice_equals(key, "namespace")) {
			ek_json_text(json, out->namespace_, sizeof(out->namespace_));
		} else if (ek_slice_equals(key, "name")) {
			ek_json_text(json, out->name, sizeof(out->name));
		} else if (ek_slice_equals(key, "uid")) {
			ek_json_text(json, out->uid, sizeof(out->uid));
		} else if (ek_slice_equals(key, "resourceVersion")) {
			ek_json_text(json, out->resource_version, sizeof(out->resource_version));
		} else if (ek_slice_equals(key, "deletionTimestamp")) {
			out->is_deleting = ek_json_peek(json) == EK_JSON_STRING;
			ek_json_skip(json);
		} else {
			ek_json_skip(json);
		}
	}
}

int ek_read_object_meta(struct ek_slice text, struct ek_object_meta *out, struct ek_error *err)
{
	struct ek_json json;
	struct ek_slice key;

	*out = (struct ek_object_meta){ .name = "" };
	ek_json_init(&json, text.at, text.n);
	for (ek_json_enter_object(&json); ek_json_next_key(&json, &key);) {
		if (ek_slice_equals(key, "metadata"))
			read_identity(&json, out);
		else
			ek_json_skip(&json);
	}
	if (!ek_json_failed(&json) && !out->name[0])
		ek_json_fail(&json, "an object without a name");
	return ek_json_finish(&json, err);
}

/* ---- Services ---- */

/* A Service while it is read. Its texts are known by where they begin; they move. */
struct draft {
	struct ek_record_service record;
	struct ek_intern *pool;
	struct ek_buf texts;
	uint32_t uid, external_name;
	uint32_t cluster_ip;              /* where there is no clusterIPs */
	struct ek_record_label *labels;
	struct ek_record_service_port *ports;
	uint32_t *cluster_ips;
	struct ingress {
		uint32_t ip, hostname;
	} *ingress;
	uint32_t label_room, port_room, ip_room, ingress_room;
};

static void read_labels(struct ek_json *json, struct draft *draft)
{
	struct ek_slice key;

	for (ek_json_enter_object(json); ek_json_next_key(json, &key);) {
		struct ek_record_label *label;
		const char *value = ek_read_interned(json, draft->pool);

		if (ek_json_failed(json)) {
			ek_intern_unref(draft->pool, value);
			return;
		}
		draft->labels = ek_grow(draft->labels, draft->record.n_labels, &draft->label_room, sizeof(*draft->labels));
		label = &draft->labels[draft->record.n_labels++];
		label->key = ek_intern_ref(draft->pool, key.at, key.n);
		label->value = value ? value : ek_intern_ref(draft->pool, "", 0);
	}
}

static void read_metadata(struct ek_json *json, struct draft *draft)
{
	struct ek_slice key;

	for (ek_json_enter_object(json); ek_json_next_key(json, &key);) {
		if (ek_slice_equals(key, "namespace"))
			ek_read_into(json, draft->pool, &draft->record.namespace_);
		else if (ek_slice_equals(key, "name"))
			ek_read_into(json, draft->pool, &draft->record.name);
		else if (ek_slice_equals(key, "uid"))
			draft->uid = ek_read_kept(json, &draft->texts);
		else if (ek_slice_equals(key, "labels"))
			read_labels(json, draft);
		else
			ek_json_skip(json);
	}
}

static void read_target_port(struct ek_json *json, struct draft *draft, struct ek_record_service_port *port)
{
	if (ek_json_peek(json) == EK_JSON_NUMBER)
		port->target_port = (int32_t)ek_json_integer(json);
	else
		ek_read_into(json, draft->pool, &port->target_name);
}

static void read_port(struct ek_json *json, struct draft *draft)
{
	struct ek_record_service_port *port;
	struct ek_slice key;

	draft->ports = ek_grow(draft->ports, draft->record.n_ports, &draft->port_room, sizeof(*draft->ports));
	port = &draft->ports[draft->record.n_ports++];
	*port = (struct ek_record_service_port){ .port = 0 };
	for (ek_json_enter_object(json); ek_json_next_key(json, &key);) {
		if (ek_slice_equals(key, "name"))
			ek_read_into(json, draft->pool, &port->name);
		else if (ek_slice_equals(key, "protocol"))
			ek_read_into(json, draft->pool, &port->protocol);
		else if (ek_slice_equals(key, "port"))
			port->port = (int32_t)ek_json_integer(json);
		else if (ek_slice_equals(key, "nodePort"))
			port->node_port = (int32_t)ek_json_integer(json);
		else if (ek_slice_equals(key, "targetPort"))
			read_target_port(json, draft, port);
		else
			ek_json_skip(json);
	}
	if (!port->name)
		port->name = ek_intern_ref(draft->pool, "", 0);
	if (!port->protocol)
		port->protocol = ek_intern_ref(draft->pool, "TCP", 3);
	if (!port->target_port && !port->target_name)
		port->target_port = port->port;
}

static void add_cluster_ip(struct draft *draft, uint32_t ip)
{
	if (!ip)
		return;
	if (strcmp(draft->texts.at + ip, "None") == 0) {
		draft->record.flags |= EK_SERVICE_HEADLESS;
		return;
	}
	draft->cluster_ips = ek_grow(draft->cluster_ips, draft->record.n_cluster_ips, &draft->ip_room, sizeof(*draft->cluster_ips));
	draft->cluster_ips[draft->record.n_cluster_ips++] = ip;
}

static uint32_t read_type(struct ek_json *json)
{
	char scratch[32];
	struct ek_slice text = ek_json_slice(json, scratch, sizeof(scratch));

	if (ek_slice_equals(text, "NodePort"))
		return EK_SERVICE_NODE_PORT;
	if (ek_slice_equals(text, "LoadBalancer"))
		return EK_SERVICE_LOAD_BALANCER;
	if (ek_slice_equals(text, "ExternalName"))
		return EK_SERVICE_EXTERNAL_NAME;
	return EK_SERVICE_CLUSTER_IP;
}

static void read_spec(struct ek_json *json, struct draft *draft)
{
	char scratch[32];
	struct ek_slice key;

	for (ek_json_enter_object(json); ek_json_next_key(json, &key);) {
		if (ek_slice_equals(key, "type")) {
			draft->record.type = read_type(json);
		} else if (ek_slice_equals(key, "clusterIP")) {
			draft->cluster_ip = ek_read_kept(json, &draft->texts);
		} else if (ek_slice_equals(key, "clusterIPs")) {
			for (ek_json_enter_array(json); ek_json_next_item(json);)
				add_cluster_ip(draft, ek_read_kept(json, &draft->texts));
		} else if (ek_slice_equals(key, "externalName")) {
			draft->external_name = ek_read_kept(json, &draft->texts);
		} else if (ek_slice_equals(key, "externalTrafficPolicy")) {
			if (ek_slice_equals(ek_json_slice(json, scratch, sizeof(scratch)), "Local"))
				draft->record.flags |= EK_SERVICE_LOCAL_TRAFFIC;
		} else if (ek_slice_equals(key, "ports")) {
			for (ek_json_enter_array(json); ek_json_next_item(json);)
				read_port(json, draft);
		} else {
			ek_json_skip(json);
		}
	}
}

static void read_point(struct ek_json *json, struct draft *draft)
{
	struct ingress *point;
	struct ek_slice key;

	draft->ingress = ek_grow(draft->ingress, draft->record.n_ingress, &draft->ingress_room, sizeof(*draft->ingress));
	point = &draft->ingress[draft->record.n_ingress++];
	*point = (struct ingress){ 0 };
	for (ek_json_enter_object(json); ek_json_next_key(json, &key);) {
		if (ek_slice_equals(key, "ip"))
			point->ip = ek_read_kept(json, &draft->texts);
		else if (ek_slice_equals(key, "hostname"))
			point->hostname = ek_read_kept(json, &draft->texts);
		else
			ek_json_skip(json);
	}
}

static void read_load_balancer(struct ek_json *json, struct draft *draft)
{
	struct ek_slice key;

	for (ek_json_enter_object(json); ek_json_next_key(json, &key);) {
		if (ek_slice_equals(key, "ingress"))
			for (ek_json_enter_array(json); ek_json_next_item(json);)
				read_point(json, draft);
		else
			ek_json_skip(json);
	}
}

static void read_status(struct ek_json *json, struct draft *draft)
{
	struct ek_slice key;

	for (ek_json_enter_object(json); ek_json_next_key(json, &key);) {
		if (ek_slice_equals(key, "loadBalancer"))
			read_load_balancer(json, draft);
		else
			ek_json_skip(json);
	}
}

static void read_whole(struct ek_json *json, struct draft *draft)
{
	struct ek_slice key;

	for (ek_json_enter_object(json); ek_json_next_key(json, &key);) {
		if (ek_slice_equals(key, "metadata"))
			read_metadata(json, draft);
		else if (ek_slice_equals(key, "spec"))
			read_spec(json, draft);
		else if (ek_slice_equals(key, "status"))
			read_status(json, draft);
		else
			ek_json_skip(json);
	}
	if (!ek_json_failed(json) && (!draft->record.namespace_ || !draft->record.name))
		ek_json_fail(json, "a Service without a name or namespace");
	if (!draft->record.n_cluster_ips)
		add_cluster_ip(draft, draft->cluster_ip);
}

static int compare_labels(const void *a, const void *b)
{
	return strcmp(((const struct ek_record_label *)a)->key, ((const struct ek_record_label *)b)->key);
}

static const char *text_at(const char *texts, uint32_t at)
{
	return at ? texts + at : NULL;
}

/* The record and all it owns in one piece. */
static struct ek_record_service *pack(const struct draft *draft)
{
	const struct ek_record_service *from = &draft->record;
	size_t n_labels = from->n_labels * sizeof(*draft->labels), n_ports = from->n_ports * sizeof(*draft->ports);
	size_t n_ingress = from->n_ingress * sizeof(struct ek_record_ingress), n_ips = from->n_cluster_ips * sizeof(char *);
	char *at = ek_xmalloc(sizeof(*from) + n_labels + n_ports + n_ingress + n_ips + draft->texts.n), *texts;
	struct ek_record_service *record = (struct ek_record_service *)at;
	struct ek_record_label *labels = (struct ek_record_label *)(at += sizeof(*from));
	struct ek_record_service_port *ports = (struct ek_record_service_port *)(at += n_labels);
	struct ek_record_ingress *ingress = (struct ek_record_ingress *)(at += n_ports);
	const char **ips = (const char **)(at += n_ingress);

	texts = at + n_ips;
	memcpy(texts, draft->texts.at, draft->texts.n);
	if (n_labels) {
		memcpy(labels, draft->labels, n_labels);
		qsort(labels, from->n_labels, sizeof(*labels), compare_labels);
	}
	if (n_ports)
		memcpy(ports, draft->ports, n_ports);
	for (uint32_t i = 0; i < from->n_ingress; i++)
		ingress[i] = (struct ek_record_ingress){ text_at(texts, draft->ingress[i].ip), text_at(texts, draft->ingress[i].hostname) };
	for (uint32_t i = 0; i < from->n_cluster_ips; i++)
		ips[i] = texts + draft->cluster_ips[i];
	*record = *from;
	record->uid = texts + draft->uid;
	record->external_name = text_at(texts, draft->external_name);
	record->labels = labels;
	record->ports = ports;
	record->ingress = ingress;
	record->cluster_ips = ips;
	return record;
}

/* Gives back what the record's texts owe to the pool. */
static void release(struct ek_record_service *record, struct ek_intern *pool)
{
	ek_intern_unref(pool, record->namespace_);
	ek_intern_unref(pool, record->name);
	for (uint32_t i = 0; i < record->n_labels; i++) {
		ek_intern_unref(pool, record->labels[i].key);
		ek_intern_unref(pool, record->labels[i].value);
	}
	for (uint32_t i = 0; i < record->n_ports; i++) {
		ek_intern_unref(pool, record->ports[i].name);
		ek_intern_unref(pool, record->ports[i].protocol);
		ek_intern_unref(pool, record->ports[i].target_name);
	}
}

int ek_read_service(struct ek_slice text, struct ek_intern *pool, struct ek_record_service **out, struct ek_error *err)
{
	struct draft draft = { .pool = pool, .record = { .type = EK_SERVICE_CLUSTER_IP } };
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
		draft.record.labels = draft.labels;
		draft.record.ports = draft.ports;
		release(&draft.record, pool);
	}
	ek_buf_clear(&draft.texts);
	free(draft.labels);
	free(draft.ports);
	free(draft.cluster_ips);
	free(draft.ingress);
	if (code != EK_OK)
		ek_error_wrap(err, "Service");
	return code;
}

void ek_record_service_free(struct ek_record_service *service, struct ek_intern *pool)
{
	if (!service)
		return;
	release(service, pool);
	free(service);
}

/* ---- Equality ---- */

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_addresses(const struct ek_record_service *a, const struct ek_record_service *b)
{
	for (uint32_t i = 0; i < a->n_cluster_ips; i++)
		if (!same_text(a->cluster_ips[i], b->cluster_ips[i]))
			return false;
	for (uint32_t i = 0; i < a->n_ingress; i++)
		if (!same_text(a->ingress[i].ip, b->ingress[i].ip) || !same_text(a->ingress[i].hostname, b->ingress[i].hostname))
			return false;
	return true;
}

bool ek_record_service_equals(const struct ek_record_service *a, const struct ek_record_service *b)
{
	if (a->namespace_ != b->namespace_ || a->name != b->name || a->type != b->type || a->flags != b->flags)
		return false;
	if (a->n_labels != b->n_labels || a->n_ports != b->n_ports)
		return false;
	if (a->n_cluster_ips != b->n_cluster_ips || a->n_ingress != b->n_ingress)
		return false;
	if (memcmp(a->labels, b->labels, a->n_labels * sizeof(*a->labels)) != 0)
		return false;
	if (memcmp(a->ports, b->ports, a->n_ports * sizeof(*a->ports)) != 0)
		return false;
	return same_text(a->uid, b->uid) && same_text(a->external_name, b->external_name) && same_addresses(a, b);
}
