/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mode "ingress": one instance for each host of an Ingress that leads to a Service which the syncer selects, so that callers outside of the cluster go through
 * the ingress controller. It looks at no endpoint and at no condition; which hosts are served is what the Ingresses say. Read <eurekube/mode.h> next.
 */
#include <eurekube/mode.h>

#include <string.h>

/* ---- What it reads ---- */

static const char *const fields[] = { "spec.rules", "spec.defaultBackend", "spec.tls.hosts", "status.loadBalancer.ingress" };
static const struct ek_resource_read ingresses = {
	.size = sizeof(ingresses), .is_namespaced = 1, .group = "networking.k8s.io", .version = "v1", .plural = "ingresses",
	.n_fields = sizeof(fields) / sizeof(fields[0]), .fields = fields,
};
static const struct ek_resource_read *const resources[] = { &ingresses };

static const struct ek_resource_read *const *resources_of(void *self, uint32_t *n)
{
	(void)self;
	*n = 1;
	return resources;
}

/* ---- What the author of a syncer may say ---- */

static const struct ek_option tls = {
	.size = sizeof(tls), .type = EK_OPTION_ENUM, .name = "tls", .default_value = "auto", .choices = "auto|always|never",
	.help = "Whether callers use port 443: auto asks spec.tls of the Ingresses.",
};
static const struct ek_option only_admitted = {
	.size = sizeof(only_admitted), .type = EK_OPTION_BOOLEAN, .name = "onlyAdmitted", .default_value = "false",
	.help = "Leave out Ingresses to which no controller has given an address yet.",
};
static const struct ek_option *const instance_options[] = { &tls, &only_admitted, NULL };

/* ---- Hosts ---- */

/* "shop.example" by itself, or by "*.example", which stands for one label. */
static int covers(const char *pattern, const char *host)
{
	const char *rest = strchr(host, '.');

	if (strncmp(pattern, "*.", 2) == 0)
		return rest && strcmp(rest, pattern + 1) == 0;
	return strcmp(pattern, host) == 0;
}

static int has_tls(const struct ek_object *ingress, const char *host)
{
	const struct ek_tree *entries = ek_tree_find(ingress->root, "spec.tls");

	for (uint32_t i = 0; entries && i < entries->n_children; i++) {
		const struct ek_tree *hosts = ek_tree_find(entries->children[i], "hosts");

		for (uint32_t k = 0; hosts && k < hosts->n_children; k++)
			if (hosts->children[k]->kind == EK_TREE_STRING && covers(hosts->children[k]->text, host))
				return 1;
	}
	return 0;
}

/* One host may be in several Ingresses, of which one has its certificate. */
static int is_secure(const struct ek_syncer *syncer, const struct ek_object_list *list, const char *host)
{
	const char *choice = ek_option_find(syncer->options, syncer->n_options, "tls")->text;

	if (strcmp(choice, "auto") != 0)
		return strcmp(choice, "always") == 0;
	for (uint32_t i = 0; i < list->n_objects; i++)
		if (has_tls(list->objects[i], host))
			return 1;
	return 0;
}

static int is_admitted(const struct ek_object *ingress)
{
	const struct ek_tree *points = ek_tree_find(ingress->root, "status.loadBalancer.ingress");

	return points && points->n_children;
}

/* ---- Rules ---- */

/* A rule without paths leads to the Ingress's default backend. */
static int leads_to(const struct ek_object *ingress, const struct ek_tree *rule, const char *service)
{
	const struct ek_tree *paths = ek_tree_find(rule, "http.paths");
	const char *fallback = ek_tree_text(ingress->root, "spec.defaultBackend.service.name");

	if (!paths || !paths->n_children)
		return fallback && strcmp(fallback, service) == 0;
	for (uint32_t i = 0; i < paths->n_children; i++) {
		const char *name = ek_tree_text(paths->children[i], "backend.service.name");

		if (name && strcmp(name, service) == 0)
			return 1;
	}
	return 0;
}

/* What is given twice, by two Ingresses, is the same instance, and the host takes it once. */
static int emit_host(const struct ek_service *service, const char *host, int secure, const struct ek_sink *sink, struct ek_error *err)
{
	const struct ek_instance instance = {
		.size = sizeof(instance),
		.name = host,
		.address = host,
		.port = secure ? 0 : 80,
		.secure_port = secure ? 443 : 0,
		.flags = secure ? EK_INSTANCE_PRIMARY_SECURE : 0,
		.status = EK_STATUS_UP,
		.source_service = service,
	};

	return sink->emit(sink, &instance, err);
}

struct question {
	const struct ek_syncer *syncer;
	const struct ek_object_list *ingresses;
	const struct ek_sink *sink;
};

static int emit_ingress(const struct question *question, const struct ek_object *ingress, const struct ek_service *service, struct ek_error *err)
{
	const struct ek_tree *rules = ek_tree_find(ingress->root, "spec.rules");

	for (uint32_t i = 0; rules && i < rules->n_children; i++) {
		const char *host = ek_tree_text(rules->children[i], "host");
		int code;

		if (!host || !host[0] || host[0] == '*' || !leads_to(ingress, rules->children[i], service->name))
			continue; /* nobody can call "*.example" */
		code = emit_host(service, host, is_secure(question->syncer, question->ingresses, host), question->sink, err);
		if (code != EK_OK)
			return code;
	}
	return EK_OK;
}

static int desired(void *self, const struct ek_syncer *syncer, const struct ek_cluster *cluster, const struct ek_sink *sink, struct ek_error *err)
{
	const struct question question = { .syncer = syncer, .ingresses = cluster->resources[0], .sink = sink };
	int64_t admitted_alone = ek_option_find(syncer->options, syncer->n_options, "onlyAdmitted")->integer;

	(void)self;
	for (uint32_t s = 0; s < cluster->n_services; s++) {
		for (uint32_t i = 0; i < question.ingresses->n_objects; i++) {
			const struct ek_object *ingress = question.ingresses->objects[i];
			int code = EK_OK;

			if (!admitted_alone || is_admitted(ingress))
				code = emit_ingress(&question, ingress, cluster->services[s], err);
			if (code != EK_OK)
				return code;
		}
	}
	return EK_OK;
}

static const struct ek_mode_ops ops = {
	.size = sizeof(ops),
	.reads = EK_READS_SERVICES,
	.desired = desired,
	.resources_of = resources_of,
};

EK_PLUGIN_DEFINE(ingress, MODE, .version = "0.1.0", .instance_options = instance_options, .ops = &ops);
