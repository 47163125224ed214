/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the fake Eureka does with registrations: the lease clock, the status rules, overrides, eviction, the delta queue.
 * The odd parts (the doubled duration, the old registration that wins in silence) are the real server's. It knows no HTTP.
 * Next: fake_eureka.c, which calls it.
 */
#include "kit/fake_eureka_inside.h"

#include "base/alloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DELTA_MS     180000
#define MINUTE_MS    60000
#define PER_MINUTE   2      /* expected renewals of each instance */

int64_t fake_eureka_now(const struct fake_eureka *eureka)
{
	return ek_loop_now_ms(eureka->loop) + eureka->wall_offset_ms;
}

struct fake_lease *fake_lease_find(const struct fake_eureka *eureka, const char *app, const char *id)
{
	struct fake_lease *lease;
	char key[1024];

	snprintf(key, sizeof(key), "%s/%s", app, id);
	HASH_FIND_STR(eureka->leases, key, lease);
	return lease;
}

/* ---- Overrides, by id alone ---- */

static struct fake_override *find_override(const struct fake_eureka *eureka, const char *id)
{
	struct fake_override *override;

	HASH_FIND_STR(eureka->overrides, id, override);
	return override;
}

static void set_override(struct fake_eureka *eureka, const char *id, enum fake_status status)
{
	struct fake_override *override = find_override(eureka, id);

	if (!override) {
		override = ek_xcalloc(1, sizeof(*override) + strlen(id) + 1);
		memcpy(override->id, id, strlen(id) + 1);
		HASH_ADD_STR(eureka->overrides, id, override);
	}
	override->status = status;
}

static bool drop_override(struct fake_eureka *eureka, const char *id)
{
	struct fake_override *override = find_override(eureka, id);

	if (!override)
		return false;
	HASH_DEL(eureka->overrides, override);
	free(override);
	return true;
}

/* The rules in their order: down or starting, override, lease, as submitted. */
static enum fake_status judge(const struct fake_eureka *eureka, const char *id, enum fake_status submitted,
	const struct fake_lease *existing, bool is_peer)
{
	const struct fake_override *override = find_override(eureka, id);

	if (submitted != FAKE_UP && submitted != FAKE_OUT_OF_SERVICE)
		return submitted;
	if (override)
		return override->status;
	if (!is_peer && existing && (existing->status == FAKE_UP || existing->status == FAKE_OUT_OF_SERVICE))
		return existing->status;
	return submitted;
}

/* ---- The delta queue ---- */

static void drop_recent(struct fake_eureka *eureka)
{
	struct fake_recent *recent = eureka->recent;

	eureka->recent = recent->next;
	if (!eureka->recent)
		eureka->recent_end = &eureka->recent;
	free(recent->json);
	free(recent);
}

void fake_eureka_sweep(struct fake_eureka *eureka)
{
	while (eureka->recent && eureka->recent->at_ms + DELTA_MS < fake_eureka_now(eureka))
		drop_recent(eureka);
}

/* json: what is left of one that went away; taken over. */
static void remember(struct fake_eureka *eureka, const struct fake_lease *lease, char *json)
{
	size_t n = strlen(lease->key) + 1;
	struct fake_recent *recent = ek_xcalloc(1, sizeof(*recent) + n);

	fake_eureka_sweep(eureka);
	memcpy(recent->key, lease->key, n);
	recent->at_ms = fake_eureka_now(eureka);
	recent->json = json;
	*eureka->recent_end = recent;
	eureka->recent_end = &recent->next;
}

static void touch(struct fake_eureka *eureka, struct fake_lease *lease, const char *action)
{
	lease->action = action;
	lease->updated_ms = fake_eureka_now(eureka);
	remember(eureka, lease, NULL);
}

/* ---- Register, renew, cancel ---- */

static struct fake_lease *add_lease(struct fake_eureka *eureka, const char *app, const char *id)
{
	size_t n = strlen(app) + strlen(id) + 2;
	struct fake_lease *lease = ek_xcalloc(1, sizeof(*lease) + n);

	snprintf(lease->key, n, "%s/%s", app, id);
	lease->id = strchr(lease->key, '/') + 1;
	for (char *c = lease->key; c < lease->id; c++)
		if (*c >= 'a' && *c <= 'z')
			*c = (char)(*c - 'a' + 'A');
	HASH_ADD_STR(eureka->leases, key, lease);
	eureka->n_expected++;
	return lease;
}

void fake_lease_register(struct fake_eureka *eureka, const char *app, const char *id, char *json,
	enum fake_status status, enum fake_status overridden, int64_t dirty_ms, int64_t duration_ms)
{
	struct fake_lease *lease = fake_lease_find(eureka, app, id), existing;
	const struct fake_override *override;
	bool is_new = !lease, is_stale = lease && lease->dirty_ms > dirty_ms;

	if (is_new)
		lease = add_lease(eureka, app, id);
	existing = *lease;
	if (is_stale) {
		free(json);
		status = lease->status;
		overridden = lease->overridden;
	} else {
		free(lease->json);
		lease->json = json;
		lease->dirty_ms = dirty_ms;
	}
	lease->duration_ms = (int32_t)duration_ms;
	lease->registered_ms = lease->lease_ms = fake_eureka_now(eureka);
	lease->renewed_ms = 0;
	if (overridden != FAKE_UNKNOWN && !find_override(eureka, id))
		set_override(eureka, id, overridden);
	override = find_override(eureka, id);
	lease->overridden = override ? override->status : overridden;
	lease->status = judge(eureka, id, status, is_new ? NULL : &existing, false);
	if (lease->status == FAKE_UP && !lease->up_ms)
		lease->up_ms = lease->registered_ms;
	touch(eureka, lease, "ADDED");
}

void fake_lease_reregister(struct fake_eureka *eureka, struct fake_lease *lease)
{
	char app[256];

	fake_lease_app(lease, app, sizeof(app));
	fake_lease_register(eureka, app, lease->id, ek_xstrdup(lease->json), lease->status, lease->overridden,
		lease->dirty_ms, lease->duration_ms);
}

static void extend(struct fake_eureka *eureka, struct fake_lease *lease)
{
	lease->renewed_ms = fake_eureka_now(eureka);
	lease->lease_ms = lease->renewed_ms + lease->duration_ms;
}

int fake_lease_renew(struct fake_eureka *eureka, const char *app, const char *id, const char *dirty, bool is_peer)
{
	struct fake_lease *lease = fake_lease_find(eureka, app, id);
	enum fake_status status;
	char *end;
	int64_t asked;

	if (!lease)
		return 404;
	status = judge(eureka, id, lease->status, lease, is_peer);
	if (status == FAKE_UNKNOWN)
		return 404;
	lease->status = status;
	eureka->n_renewed++;
	extend(eureka, lease);
	if (!*dirty)
		return 200;
	asked = strtoll(dirty, &end, 10);
	if (*end)
		return 500;
	if (asked > lease->dirty_ms)
		return 404;
	return asked < lease->dirty_ms && is_peer ? 409 : 200;
}

static void remove_lease(struct fake_eureka *eureka, struct fake_lease *lease)
{
	cJSON *json;

	lease->action = "DELETED";
	lease->updated_ms = fake_eureka_now(eureka);
	json = fake_lease_json(lease);
	remember(eureka, lease, cJSON_PrintUnformatted(json));
	cJSON_Delete(json);
	HASH_DEL(eureka->leases, lease);
	if (eureka->n_expected)
		eureka->n_expected--;
	free(lease->json);
	free(lease);
}

bool fake_lease_cancel(struct fake_eureka *eureka, const char *app, const char *id)
{
	struct fake_lease *lease = fake_lease_find(eureka, app, id);

	drop_override(eureka, id);
	if (lease)
		remove_lease(eureka, lease);
	return lease;
}

/* ---- Status and metadata ---- */

int fake_lease_set_status(struct fake_eureka *eureka, const char *app, const char *id, enum fake_status status)
{
	struct fake_lease *lease = fake_lease_find(eureka, app, id);

	if (!lease || (fake_eureka_can_expire(eureka) && fake_lease_is_expired(eureka, lease)))
		return 404;
	extend(eureka, lease);
	if (lease->status == status)
		return 200;
	set_override(eureka, id, status);
	lease->overridden = lease->status = status;
	if (status == FAKE_UP && !lease->up_ms)
		lease->up_ms = fake_eureka_now(eureka);
	touch(eureka, lease, "MODIFIED");
	return 200;
}

int fake_lease_drop_status(struct fake_eureka *eureka, const char *app, const char *id, enum fake_status status)
{
	struct fake_lease *lease = fake_lease_find(eureka, app, id);

	if (!lease || (fake_eureka_can_expire(eureka) && fake_lease_is_expired(eureka, lease)))
		return 404;
	extend(eureka, lease);
	if (!drop_override(eureka, id))
		return 200;
	lease->overridden = FAKE_UNKNOWN;
	lease->status = status;
	touch(eureka, lease, "MODIFIED");
	return 200;
}

void fake_lease_set_metadata(struct fake_eureka *eureka, struct fake_lease *lease, const char *key, const char *value)
{
	cJSON *json = cJSON_Parse(lease->json);
	cJSON *metadata = cJSON_GetObjectItemCaseSensitive(json, "metadata");

	cJSON_DeleteItemFromObjectCaseSensitive(metadata, key);
	cJSON_AddStringToObject(metadata, key, value);
	free(lease->json);
	lease->json = cJSON_PrintUnformatted(json);
	cJSON_Delete(json);
}

/* ---- The clock ---- */

bool fake_eureka_can_expire(const struct fake_eureka *eureka)
{
	unsigned threshold = (unsigned)(eureka->n_expected * PER_MINUTE * 0.85);

	return !eureka->config.preserves_itself || (threshold && eureka->n_renewed_last_minute > threshold);
}

/* The duration counts twice after a renewal: once in lease_ms, once here. */
static bool is_expired_by(const struct fake_eureka *eureka, const struct fake_lease *lease, int64_t grace_ms)
{
	return fake_eureka_now(eureka) > lease->lease_ms + lease->duration_ms + grace_ms;
}

bool fake_lease_is_expired(const struct fake_eureka *eureka, const struct fake_lease *lease)
{
	return is_expired_by(eureka, lease, 0);
}

static int64_t period_ms(const struct fake_eureka *eureka)
{
	return eureka->config.eviction_ms ? eureka->config.eviction_ms : MINUTE_MS;
}

/* At most 15% at a time, in random order. */
static void evict(struct fake_eureka *eureka, int64_t grace_ms)
{
	unsigned n = HASH_COUNT(eureka->leases), n_expired = 0, limit = n - (unsigned)(n * 0.85);
	struct fake_lease **expired = ek_xcalloc(n + 1, sizeof(*expired)), *lease, *tmp;

	HASH_ITER(hh, eureka->leases, lease, tmp)
		if (is_expired_by(eureka, lease, grace_ms))
			expired[n_expired++] = lease;
	for (unsigned i = 0; i < n_expired && i < limit; i++) {
		unsigned other = i + (unsigned)(ek_loop_random(eureka->loop) % (n_expired - i));

		lease = expired[other];
		expired[other] = expired[i];
		drop_override(eureka, lease->id);
		remove_lease(eureka, lease);
		eureka->n_evicted++;
	}
	free(expired);
}

static void on_eviction(void *arg)
{
	struct fake_eureka *eureka = arg;
	int64_t now = fake_eureka_now(eureka), late = now - eureka->evicted_at_ms - period_ms(eureka);

	eureka->evicted_at_ms = now;
	if (fake_eureka_can_expire(eureka))
		evict(eureka, late > 0 ? late : 0);
	ek_loop_arm(eureka->loop, &eureka->eviction, period_ms(eureka));
}

static void on_minute(void *arg)
{
	struct fake_eureka *eureka = arg;

	eureka->n_renewed_last_minute = eureka->n_renewed;
	eureka->n_renewed = 0;
	ek_loop_arm(eureka->loop, &eureka->minute, MINUTE_MS);
}

void fake_eureka_start_clock(struct fake_eureka *eureka)
{
	eureka->wall_offset_ms = ek_loop_wall_ms(eureka->loop) - ek_loop_now_ms(eureka->loop);
	eureka->evicted_at_ms = fake_eureka_now(eureka);
	ek_timer_init(&eureka->eviction, on_eviction, eureka);
	ek_timer_init(&eureka->minute, on_minute, eureka);
	if (eureka->config.eviction_ms < 0)
		return;
	ek_loop_arm(eureka->loop, &eureka->eviction, period_ms(eureka));
	ek_loop_arm(eureka->loop, &eureka->minute, MINUTE_MS);
}

void fake_eureka_forget(struct fake_eureka *eureka)
{
	struct fake_lease *lease, *next_lease;
	struct fake_override *override, *next_override;
	struct fake_cached *cached, *next_cached;

	HASH_ITER(hh, eureka->leases, lease, next_lease) {
		HASH_DEL(eureka->leases, lease);
		free(lease->json);
		free(lease);
	}
	HASH_ITER(hh, eureka->overrides, override, next_override) {
		HASH_DEL(eureka->overrides, override);
		free(override);
	}
	HASH_ITER(hh, eureka->cache, cached, next_cached) {
		HASH_DEL(eureka->cache, cached);
		free(cached->body);
		free(cached);
	}
	while (eureka->recent)
		drop_recent(eureka);
	eureka->n_expected = 1;
	eureka->n_renewed = eureka->n_renewed_last_minute = 0;
}
