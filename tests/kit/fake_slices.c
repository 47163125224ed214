/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small endpoint slice controller and kubelet for the fake API server, level-based: after any change of a Service or Pod
 * all slices are computed again, and only those that differ are written. One address family, a hundred endpoints a slice.
 * Next: fake_kube_store.c, where what it writes ends.
 */
#include "kit/fake_slices.h"

#include "base/alloc.h"
#include "base/buf.h"

#include <cjson/cJSON.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PER_SLICE 100

struct fake_slices {
	struct ek_loop *loop;
	struct fake_kube *kube;
	struct ek_timer timer;
	bool plays_kubelet;
	unsigned n_addresses;
	cJSON *pods, *services, *slices;       /* arrays, while it computes */
};

static const cJSON *at(const cJSON *item, const char *a, const char *b)
{
	item = cJSON_GetObjectItemCaseSensitive(item, a);
	return b ? cJSON_GetObjectItemCaseSensitive(item, b) : item;
}

static const char *text(const cJSON *item, const char *a, const char *b)
{
	const cJSON *found = at(item, a, b);

	return cJSON_IsString(found) ? found->valuestring : "";
}

/* ---- The kubelet ---- */

static void run_pod(struct fake_slices *slices, const cJSON *pod)
{
	char patch[512], ip[32];

	if (*text(pod, "status", "podIP") || *text(pod, "metadata", "deletionTimestamp"))
		return;
	slices->n_addresses++;
	snprintf(ip, sizeof(ip), "10.0.%u.%u", slices->n_addresses / 250, slices->n_addresses % 250);
	snprintf(patch, sizeof(patch), "{\"spec\":{\"nodeName\":\"node-1\"},\"status\":{\"phase\":\"Running\",\"podIP\":\"%s\","
		"\"podIPs\":[{\"ip\":\"%s\"}],\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\"}]}}", ip, ip);
	fake_kube_patch(slices->kube, "pods", text(pod, "metadata", "namespace"), text(pod, "metadata", "name"), NULL, patch);
}

/* ---- The controller ---- */

static bool is_selected(const cJSON *service, const cJSON *pod)
{
	const cJSON *selector = at(service, "spec", "selector"), *labels = at(pod, "metadata", "labels"), *term;

	if (strcmp(text(service, "metadata", "namespace"), text(pod, "metadata", "namespace")))
		return false;
	cJSON_ArrayForEach(term, selector)
		if (strcmp(text(labels, term->string, NULL), term->valuestring))
			return false;
	return cJSON_GetArraySize(selector);
}

static bool is_ready(const cJSON *pod)
{
	const cJSON *condition;

	cJSON_ArrayForEach(condition, at(pod, "status", "conditions"))
		if (!strcmp(text(condition, "type", NULL), "Ready"))
			return !strcmp(text(condition, "status", NULL), "True");
	return false;
}

static bool has_endpoint(const cJSON *pod)
{
	const char *phase = text(pod, "status", "phase");

	return *text(pod, "status", "podIP") && strcmp(phase, "Succeeded") && strcmp(phase, "Failed");
}

static cJSON *make_endpoint(const cJSON *service, const cJSON *pod)
{
	cJSON *endpoint = cJSON_CreateObject(), *item;
	bool is_serving = is_ready(pod), is_ending = *text(pod, "metadata", "deletionTimestamp");
	bool is_public = cJSON_IsTrue(at(service, "spec", "publishNotReadyAddresses"));

	item = cJSON_AddArrayToObject(endpoint, "addresses");
	cJSON_AddItemToArray(item, cJSON_CreateString(text(pod, "status", "podIP")));
	item = cJSON_AddObjectToObject(endpoint, "conditions");
	cJSON_AddBoolToObject(item, "ready", is_public || (is_serving && !is_ending));
	cJSON_AddBoolToObject(item, "serving", is_serving);
	cJSON_AddBoolToObject(item, "terminating", is_ending);
	item = cJSON_AddObjectToObject(endpoint, "targetRef");
	cJSON_AddStringToObject(item, "kind", "Pod");
	cJSON_AddStringToObject(item, "namespace", text(pod, "metadata", "namespace"));
	cJSON_AddStringToObject(item, "name", text(pod, "metadata", "name"));
	cJSON_AddStringToObject(item, "uid", text(pod, "metadata", "uid"));
	if (*text(pod, "spec", "nodeName"))
		cJSON_AddStringToObject(endpoint, "nodeName", text(pod, "spec", "nodeName"));
	return endpoint;
}

/* A named target port is looked up in the containers of the first pod. */
static int find_port(const cJSON *port, const cJSON *pod)
{
	const cJSON *target = at(port, "targetPort", NULL), *container, *candidate;

	if (cJSON_IsNumber(target) && target->valueint)
		return target->valueint;
	if (!cJSON_IsString(target))
		return at(port, "port", NULL)->valueint;
	cJSON_ArrayForEach(container, at(pod, "spec", "containers"))
		cJSON_ArrayForEach(candidate, at(container, "ports", NULL))
			if (!strcmp(text(candidate, "name", NULL), target->valuestring))
				return at(candidate, "containerPort", NULL)->valueint;
	return 0;
}

static cJSON *make_ports(const cJSON *service, const cJSON *pod)
{
	cJSON *ports = cJSON_CreateArray();
	const cJSON *port;

	cJSON_ArrayForEach(port, at(service, "spec", "ports")) {
		int number = find_port(port, pod);
		cJSON *item;

		if (!number)
			continue;
		item = cJSON_CreateObject();
		cJSON_AddStringToObject(item, "name", text(port, "name", NULL));
		cJSON_AddNumberToObject(item, "port", number);
		cJSON_AddStringToObject(item, "protocol", "TCP");
		cJSON_AddItemToArray(ports, item);
	}
	return ports;
}

static cJSON *make_labels(const cJSON *service)
{
	const cJSON *own = at(service, "metadata", "labels");
	cJSON *labels = own ? cJSON_Duplicate(own, true) : cJSON_CreateObject();

	cJSON_AddStringToObject(labels, "kubernetes.io/service-name", text(service, "metadata", "name"));
	cJSON_AddStringToObject(labels, "endpointslice.kubernetes.io/managed-by", "endpointslice-controller.k8s.io");
	return labels;
}

static bool is_same(const cJSON *old, const cJSON *new)
{
	return old && cJSON_Compare(at(old, "endpoints", NULL), at(new, "endpoints", NULL), true) &&
		cJSON_Compare(at(old, "ports", NULL), at(new, "ports", NULL), true) &&
		cJSON_Compare(at(old, "metadata", "labels"), at(new, "metadata", "labels"), true);
}

/* Takes over the lists. */
static void write_slice(struct fake_slices *slices, const cJSON *service, unsigned number, cJSON *endpoints, cJSON *ports)
{
	const char *ns = text(service, "metadata", "namespace");
	cJSON *slice = cJSON_CreateObject(), *metadata, *old;
	char name[300], when[40], *json;
	const char *present;

	snprintf(name, sizeof(name), "%s-%u", text(service, "metadata", "name"), number);
	cJSON_AddStringToObject(slice, "kind", "EndpointSlice");
	metadata = cJSON_AddObjectToObject(slice, "metadata");
	cJSON_AddStringToObject(metadata, "namespace", ns);
	cJSON_AddStringToObject(metadata, "name", name);
	cJSON_AddItemToObject(metadata, "labels", make_labels(service));
	cJSON_AddStringToObject(slice, "addressType", "IPv4");
	cJSON_AddItemToObject(slice, "endpoints", endpoints);
	cJSON_AddItemToObject(slice, "ports", ports);
	present = fake_kube_get(slices->kube, "endpointslices", ns, name);
	old = present ? cJSON_Parse(present) : NULL;
	if (!is_same(old, slice)) {
		fake_time(ek_loop_wall_ms(slices->loop), 0, when);
		cJSON_AddStringToObject(cJSON_AddObjectToObject(metadata, "annotations"),
			"endpoints.kubernetes.io/last-change-trigger-time", when);
		json = cJSON_PrintUnformatted(slice);
		fake_kube_apply(slices->kube, json);
		free(json);
	}
	cJSON_Delete(old);
	cJSON_Delete(slice);
}

/* Always one slice, if empty; gives how many. */
static unsigned serve(struct fake_slices *slices, const cJSON *service)
{
	cJSON *endpoints = cJSON_CreateArray();
	const cJSON *pod, *first = NULL;
	unsigned n = 0, number = 1;

	cJSON_ArrayForEach(pod, slices->pods) {
		if (!is_selected(service, pod) || !has_endpoint(pod))
			continue;
		if (n == PER_SLICE) {
			write_slice(slices, service, number++, endpoints, make_ports(service, first));
			endpoints = cJSON_CreateArray();
			n = 0;
		}
		first = first ? first : pod;
		n++;
		cJSON_AddItemToArray(endpoints, make_endpoint(service, pod));
	}
	write_slice(slices, service, number, endpoints, make_ports(service, first));
	return number;
}

static const cJSON *find_service(const struct fake_slices *slices, const cJSON *slice)
{
	const cJSON *service, *labels = at(slice, "metadata", "labels");
	const char *name = text(labels, "kubernetes.io/service-name", NULL);

	cJSON_ArrayForEach(service, slices->services)
		if (!strcmp(text(service, "metadata", "name"), name) &&
			!strcmp(text(service, "metadata", "namespace"), text(slice, "metadata", "namespace")))
			return service;
	return NULL;
}

/* Ours, of a service that is gone or needs fewer by now. */
static void drop_surplus(struct fake_slices *slices, const cJSON *slice)
{
	const cJSON *service = find_service(slices, slice), *labels = at(slice, "metadata", "labels");
	const char *name = text(slice, "metadata", "name"), *dash = strrchr(name, '-');
	const cJSON *needed = service ? at(service, "needed", NULL) : NULL;

	if (strcmp(text(labels, "endpointslice.kubernetes.io/managed-by", NULL), "endpointslice-controller.k8s.io"))
		return;
	if (!service || (needed && dash && strtol(dash + 1, NULL, 10) > needed->valueint))
		fake_kube_remove(slices->kube, "endpointslices", text(slice, "metadata", "namespace"), name);
}

static void collect(void *arg, const char *ns, const char *name, const char *json)
{
	cJSON_AddItemToArray(arg, cJSON_Parse(json));
}

static void read_all(struct fake_slices *slices)
{
	slices->pods = cJSON_CreateArray();
	slices->services = cJSON_CreateArray();
	slices->slices = cJSON_CreateArray();
	fake_kube_each(slices->kube, "pods", collect, slices->pods);
	fake_kube_each(slices->kube, "services", collect, slices->services);
	fake_kube_each(slices->kube, "endpointslices", collect, slices->slices);
}

static void compute(void *arg)
{
	struct fake_slices *slices = arg;
	cJSON *item;

	read_all(slices);
	if (slices->plays_kubelet)
		cJSON_ArrayForEach(item, slices->pods)
			run_pod(slices, item);
	cJSON_ArrayForEach(item, slices->services)
		if (cJSON_GetArraySize(at(item, "spec", "selector")))
			cJSON_AddNumberToObject(item, "needed", serve(slices, item));
	cJSON_ArrayForEach(item, slices->slices)
		drop_surplus(slices, item);
	cJSON_Delete(slices->pods);
	cJSON_Delete(slices->services);
	cJSON_Delete(slices->slices);
}

static void on_change(void *arg, const char *plural, const char *ns, const char *name)
{
	struct fake_slices *slices = arg;

	if (!strcmp(plural, "pods") || !strcmp(plural, "services"))
		ek_loop_arm(slices->loop, &slices->timer, 0);
}

struct fake_slices *fake_slices_new(struct ek_loop *loop, struct fake_kube *kube, bool plays_kubelet)
{
	struct fake_slices *slices = ek_xcalloc(1, sizeof(*slices));

	slices->loop = loop;
	slices->kube = kube;
	slices->plays_kubelet = plays_kubelet;
	ek_timer_init(&slices->timer, compute, slices);
	fake_kube_on_change(kube, on_change, slices);
	ek_loop_arm(loop, &slices->timer, 0);
	return slices;
}

void fake_slices_free(struct fake_slices *slices)
{
	if (!slices)
		return;
	ek_loop_disarm(slices->loop, &slices->timer);
	fake_kube_on_change(slices->kube, NULL, NULL);
	free(slices);
}
