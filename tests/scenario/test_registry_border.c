/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the host does with what a registry plugin asks of it: applications to list, a renewal put off, a removal refused, numbers of its own. The registry is this
 * file's; it keeps ids and nothing else.
 * Read next: host/sync/registry.c and host/sync/registry_ops.c.
 */
#include "kit/world.h"

#include <stdio.h>

#include <eurekube/registry.h>

/* ---- A registry ---- */

static struct {
	char scope[256];               /* what the last list was asked for */
	unsigned n_lists, n_removes, n_renewals;
	int64_t renewed_ms[8];
	const struct ek_host *host;
} seen;

static const struct ek_option behaviour_option = { .size = sizeof(behaviour_option), .type = EK_OPTION_STRING, .name = "behaviour", .help = "What it does." };
static const struct ek_option *const options[] = { &behaviour_option, NULL };

struct registry {
	const struct ek_host *host;
	struct ek_registry_traits traits;
	const char *behaviour;
};

struct later {
	const struct ek_host *host;
	uint64_t token;
	struct ek_result result;
};

static int is(const struct registry *registry, const char *behaviour)
{
	return strcmp(registry->behaviour, behaviour) == 0;
}

static void complete(void *arg)
{
	struct later *later = arg;

	later->host->op_done(later->host, later->token, &later->result);
	free(later);
}

static void complete_later(const struct ek_host *host, uint64_t token, int32_t code, int64_t retry_after_ms)
{
	struct later *later = calloc(1, sizeof(*later));

	*later = (struct later){ host, token, { .size = sizeof(struct ek_result), .code = code, .retry_after_ms = retry_after_ms, .message = "no" } };
	host->timer_start(host, 1, complete, later);
}

static int create(const struct ek_host *host, void **self, struct ek_error *err)
{
	struct registry *registry = calloc(1, sizeof(*registry));

	(void)err;
	registry->host = seen.host = host;
	registry->behaviour = host->option(host, "behaviour")->text ? host->option(host, "behaviour")->text : "";
	registry->traits = (struct ek_registry_traits){ .size = sizeof(registry->traits), .lease_kind = EK_LEASE_INSTANCE, .max_batch = 4, .renew_ms = 5000,
		                                        .lease_ms = 30000 };
	if (is(registry, "lists by application"))
		registry->traits.flags = EK_REGISTRY_LISTS_BY_APPLICATION;
	if (is(registry, "renews by instance"))
		registry->traits.flags = EK_REGISTRY_RENEWS_BY_INSTANCE;
	*self = registry;
	return EK_OK;
}

static void close_registry(void *self)
{
	const struct ek_host *host = ((struct registry *)self)->host;

	free(self);
	host->closed(host);
}

static const struct ek_registry_traits *traits(void *self)
{
	return &((struct registry *)self)->traits;
}

static void apply_one(struct registry *registry, const struct ek_op *op)
{
	const struct ek_host *host = registry->host;

	if (op->kind == EK_OP_PUT)
		host->count(host, "puts", 1);
	host->count(host, "calls", 1); /* the host's own name: left out */
	host->gauge(host, "fill", 0.5);
	if (op->kind == EK_OP_REMOVE && ++seen.n_removes && is(registry, "refuses removals")) {
		complete_later(host, op->token, EK_INVALID, 0);
	} else if (op->kind == EK_OP_RENEW && is(registry, "asks for patience")) {
		if (seen.n_renewals < 8)
			seen.renewed_ms[seen.n_renewals++] = host->now_ms(host);
		complete_later(host, op->token, EK_THROTTLED, 9000);
	} else {
		complete_later(host, op->token, op->kind == EK_OP_GET ? EK_GONE : EK_OK, 0);
	}
}

static void apply(void *self, const struct ek_op *const *ops, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		apply_one(self, ops[i]);
}

static void list(void *self, const struct ek_scope *scope, uint64_t token)
{
	struct registry *registry = self;
	size_t at = 0;

	seen.n_lists++;
	seen.scope[0] = '\0';
	for (uint32_t i = 0; i < scope->n_applications && at < sizeof(seen.scope); i++)
		at += (size_t)snprintf(seen.scope + at, sizeof(seen.scope) - at, "%s;", scope->applications[i]);
	complete_later(registry->host, token, EK_OK, 0);
}

static const struct ek_registry_ops ops = {
	.size = sizeof(ops), .create = create, .close = close_registry, .traits = traits, .apply = apply, .list = list,
};
static const struct ek_plugin plugin = {
	.size = sizeof(plugin), .abi_major = EK_ABI_MAJOR, .abi_minor = EK_ABI_MINOR, .kind = EK_PLUGIN_REGISTRY, .name = "border", .version = "1.0.0",
	.options = options, .ops = &ops,
};

/* ---- Words ---- */

static void given_registry(struct world *w, const char *behaviour)
{
	static char config[512];

	memset(&seen, 0, sizeof(seen));
	ek_catalog_add_static(w->catalog, "border.so", &plugin);
	snprintf(config, sizeof(config), "clusterId: test\nmodes: {pod: {plugin: pod.so}}\nregistries: {main: {plugin: border.so, default: true, options: "
	         "{behaviour: \"%s\"}}}\naudit: {periodSeconds: 60}\n", behaviour);
	given_config(w, config);
	given_pods(w, "shop/web", 2);
	given_syncer(w, "shop/web", NULL);
	given_pods(w, "shop/api", 2);
	given_syncer(w, "shop/api", NULL);
}

static const char *metrics_of(struct world *w)
{
	static char body[1 << 17];

	when_asked(w, "http://operator:8080/metrics", body, sizeof(body));
	return body;
}

SCENARIO(registry_border, who_lists_by_application_is_told_each_once)
{
	given_registry(w, "lists by application");
	when_started(w);
	within(w, 120000, seen.n_lists >= 2);
	assert_true(!strcmp(seen.scope, "API;WEB;") || !strcmp(seen.scope, "WEB;API;"));
}

SCENARIO(registry_border, who_lists_everything_is_not_bothered_with_names)
{
	given_registry(w, "");
	when_started(w);
	within(w, 120000, seen.n_lists >= 2);
	assert_string_equal(seen.scope, "");
}

SCENARIO(registry_border, who_needs_what_the_host_does_not_give_is_not_used)
{
	given_registry(w, "renews by instance");
	when_launched(w);
	soon(w, !strcmp(ready_of(w, "shop/web", "reason"), "PluginUnavailable"));
	assert_non_null(strstr(ready_of(w, "shop/web", "message"), "border/1.0.0 needs the instance in each renewal"));
}

SCENARIO(registry_border, a_renewal_that_is_put_off_waits_and_never_longer_than_a_third_of_its_lease)
{
	given_registry(w, "asks for patience");
	when_started(w);
	when_pod_vanishes(w, "shop/web", "web-2");
	when_service_deleted(w, "shop/api");
	within(w, 200000, seen.n_renewals >= 8);
	for (unsigned i = 5; i < 8; i++)
		assert_in_range(seen.renewed_ms[i] - seen.renewed_ms[i - 1], 5000, 10500);
}

SCENARIO(registry_border, a_removal_that_is_refused_is_tried_with_patience_and_shown)
{
	given_registry(w, "refuses removals");
	when_started(w);
	soon(w, !strcmp(status_of(w, "shop/web", "registered"), "2"));
	when_pod_vanishes(w, "shop/web", "web-1");
	pass_ms(w, 60000);
	assert_in_range(seen.n_removes, 5, 25);
	assert_string_equal(ready_of(w, "shop/web", "reason"), "Refused");
}

SCENARIO(registry_border, what_a_plugin_counts_is_among_the_metrics)
{
	given_registry(w, "");
	when_started(w);
	soon(w, strstr(metrics_of(w), "\neurekube_plugin_puts_total{plugin=\"border/1.0.0\",instance=\"registry main\"} 4\n"));
	assert_non_null(strstr(metrics_of(w), "\n# TYPE eurekube_plugin_fill gauge\neurekube_plugin_fill{plugin=\"border/1.0.0\",instance=\"registry main\"} 0.5\n"));
	assert_ptr_equal(strstr(strstr(metrics_of(w), "# TYPE eurekube_plugin_calls_total") + 1, "# TYPE eurekube_plugin_calls_total"), NULL);
}

int main(void)
{
	return world_run_scenarios();
}
