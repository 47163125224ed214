/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Objects as tests speak of them, and answers to what tests ask about objects: the words between a scenario and the JSON
 * of the fake API server. Nothing here is known to the server itself.
 * Next: fake_kube.h, where the words are explained.
 */
#include "kit/fake_kube_inside.h"

#include "base/alloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *or(const char *text, const char *otherwise)
{
	return text ? text : otherwise;
}

static const char *comma(const char *members)
{
	return members && *members ? "," : "";
}

/* `"name":"http",` or nothing. */
static const char *port_name(const char *name, char *text, size_t size)
{
	name = or(name, "http");
	if (*name)
		snprintf(text, size, "\"name\":\"%s\",", name);
	else
		*text = '\0';
	return text;
}

void fake_kube_service(struct fake_kube *kube, const struct fake_service *service)
{
	const char *app = or(service->app, service->name);
	int port = service->port ? service->port : 8080;
	char own[16], name[80];

	snprintf(own, sizeof(own), "%d", port);
	fake_kube_applyf(kube, "{\"kind\":\"Service\",\"metadata\":{\"namespace\":\"%s\",\"name\":\"%s\","
		"\"labels\":{\"app\":\"%s\"%s%s},\"annotations\":{%s}},\"spec\":{\"type\":\"ClusterIP\",\"clusterIP\":"
		"\"10.96.0.10\",\"ipFamilies\":[\"IPv4\"],\"selector\":{\"app\":\"%s\"},\"ports\":[{%s\"protocol\":\"TCP\","
		"\"port\":%d,\"targetPort\":%s}]%s%s}}", service->ns, service->name, app, comma(service->labels),
		or(service->labels, ""), or(service->annotations, ""), app,
		port_name(service->port_name, name, sizeof(name)), port, or(service->target_port, own),
		comma(service->spec), or(service->spec, ""));
}

static void add_endpoint(struct ek_buf *out, const char *ns, const struct fake_endpoint *endpoint)
{
	ek_buf_addf(out, "{\"addresses\":[\"%s\"]", endpoint->ip);
	if (!endpoint->is_nil)
		ek_buf_addf(out, ",\"conditions\":{\"ready\":%s,\"serving\":%s,\"terminating\":%s}",
			endpoint->ready ? "true" : "false", endpoint->serving ? "true" : "false",
			endpoint->terminating ? "true" : "false");
	if (endpoint->pod && endpoint->uid)
		ek_buf_addf(out, ",\"targetRef\":{\"kind\":\"Pod\",\"namespace\":\"%s\",\"name\":\"%s\",\"uid\":\"%s\"}", ns,
			endpoint->pod, endpoint->uid);
	else if (endpoint->pod)
		ek_buf_addf(out, ",\"targetRef\":{\"kind\":\"Pod\",\"namespace\":\"%s\",\"name\":\"%s\",\"uid\":\"uid-%s\"}",
			ns, endpoint->pod, endpoint->pod);
	if (endpoint->node)
		ek_buf_addf(out, ",\"nodeName\":\"%s\"", endpoint->node);
	if (endpoint->zone)
		ek_buf_addf(out, ",\"zone\":\"%s\"", endpoint->zone);
	ek_buf_adds(out, "}");
}

void fake_kube_slice(struct fake_kube *kube, const struct fake_slice *slice)
{
	struct ek_buf endpoints;
	char name[300], port[80], trigger[160] = "";

	ek_buf_init(&endpoints, SIZE_MAX);
	for (unsigned i = 0; i < slice->n_endpoints; i++) {
		ek_buf_adds(&endpoints, i ? "," : "[");
		add_endpoint(&endpoints, slice->ns, &slice->endpoints[i]);
	}
	ek_buf_adds(&endpoints, slice->n_endpoints ? "]" : "null");
	snprintf(name, sizeof(name), "%s%s", or(slice->name, slice->service), slice->name ? "" : "-1");
	if (slice->trigger_time)
		snprintf(trigger, sizeof(trigger), "\"endpoints.kubernetes.io/last-change-trigger-time\":\"%s\"",
			slice->trigger_time);
	fake_kube_applyf(kube, "{\"kind\":\"EndpointSlice\",\"metadata\":{\"namespace\":\"%s\",\"name\":\"%s\","
		"\"labels\":{\"kubernetes.io/service-name\":\"%s\",\"endpointslice.kubernetes.io/managed-by\":"
		"\"endpointslice-controller.k8s.io\"%s%s},\"annotations\":{%s}},\"addressType\":\"%s\",\"endpoints\":%s,"
		"\"ports\":[{%s\"port\":%d,\"protocol\":\"TCP\"}]}", slice->ns, name, slice->service,
		comma(slice->labels), or(slice->labels, ""), trigger, or(slice->address_type, "IPv4"), endpoints.at,
		port_name(slice->port_name, port, sizeof(port)), slice->port ? slice->port : 8080);
	ek_buf_clear(&endpoints);
}

void fake_kube_syncer(struct fake_kube *kube, const struct fake_syncer *syncer)
{
	char selector[512];

	snprintf(selector, sizeof(selector), "{\"app\":\"%s\"}", or(syncer->app, syncer->name));
	fake_kube_applyf(kube, "{\"kind\":\"EurekaSyncer\",\"metadata\":{\"namespace\":\"%s\",\"name\":\"%s\"%s%s},"
		"\"spec\":{\"mode\":\"%s\",\"selector\":%s%s%s}}", syncer->ns, syncer->name, comma(syncer->metadata),
		or(syncer->metadata, ""), or(syncer->mode, "pod"), or(syncer->selector, selector), comma(syncer->spec),
		or(syncer->spec, ""));
}

void fake_kube_pod(struct fake_kube *kube, const struct fake_pod *pod)
{
	char label[300] = "", uid[300];

	if (pod->app)
		snprintf(label, sizeof(label), "\"app\":\"%s\"", pod->app);
	snprintf(uid, sizeof(uid), "%s%s", pod->uid ? "" : "uid-", or(pod->uid, pod->name));
	fake_kube_applyf(kube, "{\"kind\":\"Pod\",\"metadata\":{\"namespace\":\"%s\",\"name\":\"%s\",\"uid\":\"%s\","
		"\"labels\":{%s}},\"spec\":{\"nodeName\":\"%s\",\"containers\":[{\"name\":\"main\",\"image\":\"main\",\"ports\":"
		"[{\"name\":\"http\",\"containerPort\":8080}]}]},\"status\":{\"phase\":\"Running\",\"podIP\":\"%s\","
		"\"podIPs\":[{\"ip\":\"%s\"}],\"conditions\":[{\"type\":\"Ready\",\"status\":\"%s\"}]}}", pod->ns, pod->name,
		uid, label, or(pod->node, "node-1"), or(pod->ip, ""), or(pod->ip, ""), pod->ready ? "True" : "False");
}

void fake_kube_node(struct fake_kube *kube, const char *name, const char *zone)
{
	fake_kube_applyf(kube, "{\"kind\":\"Node\",\"metadata\":{\"name\":\"%s\",\"labels\":{"
		"\"topology.kubernetes.io/zone\":\"%s\"}},\"spec\":{},\"status\":{\"addresses\":[{\"type\":\"InternalIP\","
		"\"address\":\"192.168.0.1\"}]}}", name, or(zone, ""));
}

void fake_kube_namespace(struct fake_kube *kube, const char *name)
{
	fake_kube_applyf(kube, "{\"kind\":\"Namespace\",\"metadata\":{\"name\":\"%s\",\"labels\":{"
		"\"kubernetes.io/metadata.name\":\"%s\"}},\"spec\":{\"finalizers\":[\"kubernetes\"]},"
		"\"status\":{\"phase\":\"Active\"}}", name, name);
}

/* ---- Questions ---- */

static const cJSON *walk(const cJSON *item, const char *path)
{
	char part[128];

	while (item && *path) {
		size_t n = strcspn(path, ".");

		snprintf(part, sizeof(part), "%.*s", (int)n, path);
		path += n + (path[n] == '.');
		item = cJSON_IsArray(item) ? cJSON_GetArrayItem(item, (int)strtol(part, NULL, 10)) :
			cJSON_GetObjectItemCaseSensitive(item, part);
	}
	return item;
}

static const char *keep(struct fake_kube *kube, const cJSON *item)
{
	free(kube->scratch);
	kube->scratch = !item ? NULL : cJSON_IsString(item) ? ek_xstrdup(item->valuestring) :
		cJSON_PrintUnformatted(item);
	return kube->scratch;
}

const char *fake_kube_text(struct fake_kube *kube, const char *plural, const char *ns, const char *name, const char *path)
{
	const char *text = fake_kube_get(kube, plural, ns, name);
	cJSON *json = text ? cJSON_Parse(text) : NULL;
	const char *found = keep(kube, walk(json, path));

	cJSON_Delete(json);
	return found;
}

const char *fake_kube_condition(struct fake_kube *kube, const char *ns, const char *name, const char *type, const char *field)
{
	const char *text = fake_kube_get(kube, "eurekasyncers", ns, name), *found;
	cJSON *json = text ? cJSON_Parse(text) : NULL;
	const cJSON *item, *match = NULL;

	cJSON_ArrayForEach(item, walk(json, "status.conditions"))
		if (!strcmp(fake_json_text(item, "type"), type))
			match = item;
	found = keep(kube, cJSON_GetObjectItemCaseSensitive(match, field));
	cJSON_Delete(json);
	return found;
}

size_t fake_kube_n_events(struct fake_kube *kube, const char *reason, const char *regarding)
{
	struct fake_object *object, *tmp;
	size_t n = 0;

	HASH_ITER(hh, fake_kind_find(kube, "events")->objects, object, tmp) {
		cJSON *json = fake_object_parse(object);
		const cJSON *about = cJSON_GetObjectItemCaseSensitive(json, "regarding");

		n += (!reason || !strcmp(fake_json_text(json, "reason"), reason)) &&
			(!regarding || !strcmp(fake_json_text(about, "name"), regarding));
		cJSON_Delete(json);
	}
	return n;
}
