/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What tests ask of the fake Eureka: which instances it holds, how callers see them, what was asked of it and when.
 * Nothing here changes the registry.
 * Next: fake_eureka.h, where the questions are explained.
 */
#include "kit/fake_eureka_inside.h"

#include "base/alloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_of(const struct fake_lease *lease, const char *app)
{
	size_t n = (size_t)(lease->id - lease->key - 1);

	return !app || (strlen(app) == n && !strncmp(lease->key, app, n));
}

size_t fake_eureka_n(const struct fake_eureka *eureka, const char *app)
{
	struct fake_lease *lease, *tmp;
	size_t n = 0;

	if (!app)
		return HASH_COUNT(eureka->leases);
	HASH_ITER(hh, eureka->leases, lease, tmp)
		n += is_of(lease, app);
	return n;
}

static const char *text_at(const cJSON *json, const char *key)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, key);

	return cJSON_IsString(item) ? item->valuestring : "";
}

static bool read_port(const cJSON *json, const char *key, int *number)
{
	const cJSON *port = cJSON_GetObjectItemCaseSensitive(json, key);

	*number = cJSON_GetObjectItemCaseSensitive(port, "$")->valueint;
	return !strcmp(text_at(port, "@enabled"), "true");
}

static const struct fake_instance *show(struct fake_eureka *eureka, const struct fake_lease *lease)
{
	struct fake_instance *found = &eureka->found;
	cJSON *root = cJSON_CreateObject(), *json = fake_lease_json(lease);
	const cJSON *info = cJSON_GetObjectItemCaseSensitive(json, "leaseInfo");

	cJSON_AddItemToObject(root, "instance", json);
	cJSON_Delete(eureka->found_root);
	free(eureka->found_json);
	eureka->found_root = root;
	eureka->found_json = cJSON_PrintUnformatted(root);
	*found = (struct fake_instance){
		.app = text_at(json, "app"), .id = text_at(json, "instanceId"), .host = text_at(json, "hostName"),
		.address = text_at(json, "ipAddr"), .vip = text_at(json, "vipAddress"),
		.status = fake_status_texts[lease->status], .overridden = fake_status_texts[lease->overridden],
		.registered_ms = lease->registered_ms, .renewed_ms = lease->renewed_ms, .dirty_ms = lease->dirty_ms,
		.lease_seconds = cJSON_GetObjectItemCaseSensitive(info, "durationInSecs")->valueint,
		.renew_seconds = cJSON_GetObjectItemCaseSensitive(info, "renewalIntervalInSecs")->valueint,
		.json = eureka->found_json,
	};
	found->has_port = read_port(json, "port", &found->port);
	found->has_secure_port = read_port(json, "securePort", &found->secure_port);
	return found;
}

const struct fake_instance *fake_eureka_find(struct fake_eureka *eureka, const char *app, const char *id)
{
	const struct fake_lease *lease = fake_lease_find(eureka, app, id);

	return lease ? show(eureka, lease) : NULL;
}

static int by_key(struct fake_lease *a, struct fake_lease *b)
{
	return strcmp(a->key, b->key);
}

const struct fake_instance *fake_eureka_at(struct fake_eureka *eureka, const char *app, const char *address)
{
	struct fake_lease *lease, *tmp;
	char needle[128];

	snprintf(needle, sizeof(needle), "\"ipAddr\":\"%s\"", address);
	HASH_SORT(eureka->leases, by_key);
	HASH_ITER(hh, eureka->leases, lease, tmp)
		if (is_of(lease, app) && strstr(lease->json, needle))
			return show(eureka, lease);
	return NULL;
}

const char *fake_eureka_metadata(struct fake_eureka *eureka, const char *app, const char *id, const char *key)
{
	const struct fake_lease *lease = fake_lease_find(eureka, app, id);
	cJSON *json = lease ? cJSON_Parse(lease->json) : NULL;
	const cJSON *metadata = cJSON_GetObjectItemCaseSensitive(json, "metadata");
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(metadata, key);

	free(eureka->scratch);
	eureka->scratch = item ? ek_xstrdup(item->valuestring) : NULL;
	cJSON_Delete(json);
	return eureka->scratch;
}

void fake_eureka_each(struct fake_eureka *eureka, void (*fn)(void *arg, const struct fake_instance *instance), void *arg)
{
	struct fake_lease *lease, *tmp;

	HASH_SORT(eureka->leases, by_key);
	HASH_ITER(hh, eureka->leases, lease, tmp)
		fn(arg, show(eureka, lease));
}

/* ---- The log ---- */

unsigned fake_eureka_count(const struct fake_eureka *eureka, enum fake_op op)
{
	return eureka->n_ops[op];
}

unsigned fake_eureka_count_of(const struct fake_eureka *eureka, enum fake_op op, const char *app, const char *id)
{
	unsigned n = 0;

	for (size_t i = 0; i < eureka->n_log; i++)
		n += eureka->log[i].op == op && !strcmp(eureka->log[i].app, app) &&
			(!id || !strcmp(eureka->log[i].id, id));
	return n;
}

const struct fake_op_record *fake_eureka_log(const struct fake_eureka *eureka, size_t *n)
{
	*n = eureka->n_log;
	return eureka->log;
}

unsigned fake_eureka_n_evicted(const struct fake_eureka *eureka)
{
	return eureka->n_evicted;
}
