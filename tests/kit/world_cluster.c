/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happens in the world's cluster and what stands in its Eureka, in the words of scenarios. It plays the user, the kubelet and the slice
 * controller; the operator is world.c's.
 * Next: fake_kube.h.
 */
#include "kit/world.h"

#include "base/alloc.h"

#include <stdio.h>

struct path {
	char ns[64], name[80];
};

static struct path split(const char *text)
{
	struct path path;

	if (sscanf(text, "%63[^/]/%79s", path.ns, path.name) != 2)
		EK_BUG("%s is not namespace/name", text);
	return path;
}

/* ---- services and pods ---- */

static struct world_service *find_service(struct world *w, const char *text)
{
	struct path path = split(text);
	struct world_service *service = w->services;

	while (service && (strcmp(service->ns, path.ns) != 0 || strcmp(service->name, path.name) != 0))
		service = service->next;
	return service;
}

struct world_service *world_service(struct world *w, const char *text)
{
	struct world_service *service = find_service(w, text);

	if (!service)
		EK_BUG("the scenario has no Service %s", text);
	return service;
}

struct world_pod *world_pod(struct world *w, const char *service, const char *name)
{
	struct world_pod *pod = world_service(w, service)->pods;

	while (pod && strcmp(pod->name, name) != 0)
		pod = pod->next;
	return pod;
}

static struct world_pod *need_pod(struct world *w, const char *service, const char *name)
{
	struct world_pod *pod = world_pod(w, service, name);

	if (!pod)
		EK_BUG("the scenario has no pod %s in %s", name, service);
	return pod;
}

void world_publish(struct world *w, struct world_service *service)
{
	struct fake_endpoint *endpoints;
	unsigned n = 0, at = 0;
	char time[40];

	if (service->is_absent)
		return;
	for (const struct world_pod *pod = service->pods; pod; pod = pod->next)
		n++;
	endpoints = ek_xcalloc(n + 1, sizeof(*endpoints));
	for (const struct world_pod *pod = service->pods; pod; pod = pod->next)
		endpoints[at++] = (struct fake_endpoint){ .pod = pod->name, .ip = pod->ip, .uid = pod->uid, .ready = pod->is_ready && !pod->is_terminating,
			.serving = pod->is_ready, .terminating = pod->is_terminating };
	fake_time(ek_loop_wall_ms(w->loop), 0, time);
	fake_kube_slice(w->kube, &(struct fake_slice){ .ns = service->ns, .service = service->name, .port_name = service->port_name,
		.port = service->port, .endpoints = endpoints, .n_endpoints = n, .trigger_time = time });
	free(endpoints);
}

static void touch(struct world *w, struct world_service *service, struct world_pod *pod)
{
	service->changed_ms = now_ms(w);
	if (pod)
		pod->changed_ms = now_ms(w);
	world_publish(w, service);
}

void given_service_on(struct world *w, const char *text, const char *port_name, int port)
{
	struct path path = split(text);
	struct world_service *service = find_service(w, text);

	if (!service) {
		service = ek_xcalloc(1, sizeof(*service));
		service->next = w->services;
		w->services = service;
		w->n_services_ever++;
	}
	snprintf(service->ns, sizeof(service->ns), "%s", path.ns);
	snprintf(service->name, sizeof(service->name), "%.63s", path.name);
	service->port_name = port_name;
	service->port = port;
	service->is_absent = false;
	fake_kube_service(w->kube, &(struct fake_service){ .ns = path.ns, .name = path.name, .port_name = port_name, .port = port });
	touch(w, service, NULL);
}

void given_service(struct world *w, const char *text)
{
	given_service_on(w, text, "http", 8080);
}

static struct world_pod *add_pod(struct world *w, struct world_service *service, const char *name)
{
	struct world_pod *pod = ek_xcalloc(1, sizeof(*pod));
	unsigned number = ++service->n_pods_ever, column = 0;

	for (const struct world_service *at = service->next; at; at = at->next)
		column++; /* its age among the Services, so that addresses differ */
	snprintf(pod->name, sizeof(pod->name), "%s", name);
	snprintf(pod->ip, sizeof(pod->ip), "10.%u.%u.%u", column, (number - 1) / 250, (number - 1) % 250 + 1);
	snprintf(pod->uid, sizeof(pod->uid), "uid-%.60s-%u", name, number);
	pod->is_ready = true;
	pod->next = service->pods;
	service->pods = pod;
	return pod;
}

void given_pods(struct world *w, const char *text, unsigned n)
{
	struct world_service *service = find_service(w, text);
	char name[80];

	if (!service) {
		given_service(w, text);
		service = world_service(w, text);
	}
	for (unsigned i = 1; i <= n; i++) {
		snprintf(name, sizeof(name), "%s-%u", service->name, i);
		add_pod(w, service, name)->changed_ms = now_ms(w);
	}
	touch(w, service, NULL);
}

void when_pod_comes(struct world *w, const char *text, const char *name)
{
	struct world_service *service = world_service(w, text);

	touch(w, service, add_pod(w, service, name));
}

void when_pod_is_ready(struct world *w, const char *text, const char *name, bool is_ready)
{
	struct world_pod *pod = need_pod(w, text, name);

	pod->is_ready = is_ready;
	touch(w, world_service(w, text), pod);
}

void when_pod_terminates(struct world *w, const char *text, const char *name)
{
	struct world_pod *pod = need_pod(w, text, name);

	pod->is_terminating = true;
	touch(w, world_service(w, text), pod);
}

void when_pod_vanishes(struct world *w, const char *text, const char *name)
{
	struct world_service *service = world_service(w, text);
	struct world_pod *pod = need_pod(w, text, name), **at = &service->pods;

	while (*at != pod)
		at = &(*at)->next;
	*at = pod->next;
	free(pod);
	touch(w, service, NULL);
}

void when_pod_is_reborn(struct world *w, const char *text, const char *name)
{
	struct world_service *service = world_service(w, text);
	struct world_pod *pod = need_pod(w, text, name);

	snprintf(pod->uid, sizeof(pod->uid), "uid-%.60s-%u", name, ++service->n_pods_ever);
	pod->is_ready = true;
	pod->is_terminating = false;
	touch(w, service, pod);
}

void when_service_deleted(struct world *w, const char *text)
{
	struct world_service *service = world_service(w, text);
	char slice[80];

	snprintf(slice, sizeof(slice), "%s-1", service->name);
	service->is_absent = true;
	service->changed_ms = now_ms(w);
	fake_kube_delete(w->kube, "services", service->ns, service->name);
	fake_kube_delete(w->kube, "endpointslices", service->ns, slice);
}

/* ---- syncers ---- */

void given_syncer(struct world *w, const char *syncer, const char *spec)
{
	struct path path = split(syncer);

	fake_kube_syncer(w->kube, &(struct fake_syncer){ .ns = path.ns, .name = path.name, .spec = spec });
}

void given_syncer_at(struct world *w, const char *syncer, const char *created, const char *selector, const char *spec)
{
	struct path path = split(syncer);
	char metadata[80];

	snprintf(metadata, sizeof(metadata), "\"creationTimestamp\":\"%s\"", created);
	fake_kube_syncer(w->kube, &(struct fake_syncer){ .ns = path.ns, .name = path.name, .selector = selector, .spec = spec, .metadata = metadata });
}

void when_spec_changes(struct world *w, const char *syncer, const char *merge)
{
	struct path path = split(syncer);
	char patch[2048];

	snprintf(patch, sizeof(patch), "{\"spec\":{%s}}", merge);
	if (!fake_kube_patch(w->kube, "eurekasyncers", path.ns, path.name, NULL, patch))
		EK_BUG("the scenario has no EurekaSyncer %s", syncer);
}

void when_syncer_deleted(struct world *w, const char *syncer)
{
	struct path path = split(syncer);

	if (!fake_kube_delete(w->kube, "eurekasyncers", path.ns, path.name))
		EK_BUG("the scenario has no EurekaSyncer %s", syncer);
}

bool syncer_exists(struct world *w, const char *syncer)
{
	struct path path = split(syncer);

	return fake_kube_get(w->kube, "eurekasyncers", path.ns, path.name) != NULL;
}

const char *status_of(struct world *w, const char *syncer, const char *field)
{
	struct path path = split(syncer);
	const char *text;
	char full[128];

	snprintf(full, sizeof(full), "status.%s", field);
	text = fake_kube_text(w->kube, "eurekasyncers", path.ns, path.name, full);
	return text ? text : "";
}

const char *ready_of(struct world *w, const char *syncer, const char *field)
{
	struct path path = split(syncer);
	const char *text = fake_kube_condition(w->kube, path.ns, path.name, "Ready", field);

	return text ? text : "";
}

/* ---- Eureka ---- */

struct reference {
	char application[64], id[256];
};

static struct reference refer(const char *instance)
{
	struct reference reference;
	char ns[64], pod[80];
	int port = 8080;

	if (sscanf(instance, "%63[^/]/%63[^/]/%79[^:]:%d", ns, reference.application, pod, &port) < 3)
		EK_BUG("%s is not namespace/APPLICATION/pod", instance);
	snprintf(reference.id, sizeof(reference.id), "test:%s:%s:%s:%d", ns, reference.application, pod, port);
	return reference;
}

const struct fake_instance *instance_of(struct world *w, const char *instance)
{
	struct reference reference = refer(instance);

	return fake_eureka_find(w->eureka, reference.application, reference.id);
}

bool is_up(struct world *w, const char *instance)
{
	const struct fake_instance *found = instance_of(w, instance);

	return found && !strcmp(found->status, "UP");
}

const char *mark_of(struct world *w, const char *instance, const char *key)
{
	struct reference reference = refer(instance);
	const char *value = fake_eureka_metadata(w->eureka, reference.application, reference.id, key);

	return value ? value : "";
}

unsigned n_ops(struct world *w, enum fake_op op, const char *instance)
{
	struct reference reference = refer(instance);

	return fake_eureka_count_of(w->eureka, op, reference.application, reference.id);
}

void given_web_served(struct world *w, unsigned n)
{
	given_pods(w, "shop/web", n);
	given_syncer(w, "shop/web", NULL);
	when_started(w);
	within(w, 10000, fake_eureka_n(w->eureka, "WEB") == n);
	soon(w, !strcmp(ready_of(w, "shop/web", "status"), "True"));
	pass_ms(w, 5000);
	fake_eureka_reset_log(w->eureka);
}
