/* SPDX-License-Identifier: Apache-2.0 */
/*
 * No function of the host calls back into a plugin before it returns (eurekube/host.h): a plugin that completes operations in the middle of its own work meets no
 * call in there. The plugin is a registry of this file, which completes everything on the next turn and notes when it is called from within a completion.
 * Read next: host/sync/registry.c.
 */
#include "kit/world.h"

#include <eurekube/plugin.h>
#include <eurekube/registry.h>

#include "base/alloc.h"

static unsigned depth, n_nested, n_lists, n_renewals;

struct answer {
	const struct ek_host *host;
	uint64_t token;
	int32_t code;
};

static void complete(void *arg)
{
	struct answer answer = *(struct answer *)arg;
	struct ek_result result = { .size = sizeof(result), .code = answer.code };

	free(arg);
	depth++;
	answer.host->op_done(answer.host, answer.token, &result);
	depth--;
}

static void answer_later(const struct ek_host *host, uint64_t token, int32_t code)
{
	struct answer *answer = ek_xmalloc(sizeof(*answer));

	n_nested += depth;
	*answer = (struct answer){ host, token, code };
	host->timer_start(host, 1, complete, answer);
}

static int create(const struct ek_host *host, void **self, struct ek_error *err)
{
	(void)err;
	*self = (void *)(uintptr_t)host;
	return EK_OK;
}

static void close_registry(void *self)
{
	const struct ek_host *host = self;

	host->closed(host);
}

static const struct ek_registry_traits *traits(void *self)
{
	static const struct ek_registry_traits all = {
		.size = sizeof(all), .lease_kind = EK_LEASE_INSTANCE, .max_batch = 1, .renew_ms = 5000, .lease_ms = 15000,
	};

	(void)self;
	return &all;
}

static void apply(void *self, const struct ek_op *const *ops, uint32_t n_ops)
{
	for (uint32_t i = 0; i < n_ops; i++) {
		n_renewals += ops[i]->kind == EK_OP_RENEW;
		answer_later(self, ops[i]->token, ops[i]->kind == EK_OP_GET ? EK_GONE : EK_OK);
	}
}

static void list(void *self, const struct ek_scope *scope, uint64_t token)
{
	(void)scope;
	n_lists++;
	answer_later(self, token, EK_OK);
}

static const struct ek_registry_ops ops = {
	.size = sizeof(ops), .create = create, .close = close_registry, .traits = traits, .apply = apply, .list = list,
};
static const struct ek_plugin plugin = {
	.size = sizeof(plugin), .abi_major = EK_ABI_MAJOR, .abi_minor = EK_ABI_MINOR, .kind = EK_PLUGIN_REGISTRY,
	.name = "noting", .version = "1.0.0", .ops = &ops,
};

SCENARIO(no_nesting, the_list_after_the_last_probe_is_asked_for_on_a_later_turn)
{
	depth = n_nested = n_lists = n_renewals = 0;
	ek_catalog_add_static(w->catalog, "noting.so", &plugin);
	given_config(w, "clusterId: test\nmodes: {pod: {plugin: pod.so}}\nregistries: {main: {plugin: noting.so, default: true}}\n");
	given_pods(w, "shop/web", 3);
	given_syncer(w, "shop/web", NULL);
	when_started(w);
	soon(w, !strcmp(ready_of(w, "shop/web", "status"), "True"));
	pass_ms(w, 20000);
	assert_int_equal(n_lists, 1);
	assert_in_range(n_renewals, 3 + 9, 3 + 18);
	assert_int_equal(n_nested, 0);
}

int main(void)
{
	return world_run_scenarios();
}
