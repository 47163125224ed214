/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compares what two versions of a mode want, instance by instance and field by field, and writes the outcome as JSON. It draws no conclusion from a difference;
 * rollout.c does. Read rollout.c next.
 */
#include "sync/comparison.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "sync/identity.h"
#include "sync/status_rules.h"

#define VALUE_MAX 120

static const char *const kind_names[] = { "Added", "Removed", "Changed" };

/* ---- sorted lists ---- */

static int compare_ids(const void *a, const void *b)
{
	return strcmp((*(struct ek_wanted *const *)a)->instance.id, (*(struct ek_wanted *const *)b)->instance.id);
}

struct ek_wanted_list ek_wanted_sort(struct ek_arena *scratch, struct ek_wanted *const *wanted, size_t n)
{
	struct ek_wanted_list list = { .at = ek_arena_alloc(scratch, (n + 1) * sizeof(*list.at)) };

	for (size_t i = 0; i < n; i++)
		if (wanted[i]->instance.status)
			list.at[list.n++] = wanted[i];
	qsort(list.at, list.n, sizeof(*list.at), compare_ids);
	return list;
}

const struct ek_wanted *ek_wanted_find(const struct ek_wanted_list *list, const char *id)
{
	struct ek_wanted key, *at = &key;
	struct ek_wanted *const *found;

	key.instance.id = id;
	found = bsearch(&at, list->at, list->n, sizeof(*list->at), compare_ids);
	return found ? *found : NULL;
}

/* ---- fields of one instance ---- */

static const char *keep(struct ek_arena *arena, const char *text)
{
	return text ? ek_arena_strndup(arena, text, strnlen(text, VALUE_MAX)) : NULL;
}

static void add_field(struct ek_comparison *comparison, struct ek_instance_difference *difference, const char *prefix, const char *name, const char *stable,
                      const char *canary)
{
	struct ek_field_difference *field;
	char text[VALUE_MAX + 16];

	if (difference->n_fields == EK_COMPARISON_FIELDS)
		return;
	field = &difference->fields[difference->n_fields++];
	snprintf(text, sizeof(text), "%s%.*s", prefix, VALUE_MAX, name);
	field->name = ek_arena_strdup(&comparison->arena, text);
	field->stable = keep(&comparison->arena, stable);
	field->canary = keep(&comparison->arena, canary);
}

static void compare_text(struct ek_comparison *comparison, struct ek_instance_difference *difference, const char *name, const char *stable,
                         const char *canary)
{
	if (strcmp(stable ? stable : "", canary ? canary : "") != 0)
		add_field(comparison, difference, "", name, stable, canary);
}

static void compare_number(struct ek_comparison *comparison, struct ek_instance_difference *difference, const char *name, int32_t stable, int32_t canary)
{
	char a[16], b[16];

	snprintf(a, sizeof(a), "%" PRId32, stable);
	snprintf(b, sizeof(b), "%" PRId32, canary);
	compare_text(comparison, difference, name, a, b);
}

/* The operator's own marks follow from the rest. */
static void compare_metadata(struct ek_comparison *comparison, struct ek_instance_difference *difference, const struct ek_instance *stable,
                             const struct ek_instance *canary)
{
	uint32_t i = 0, j = 0;

	while (i < stable->n_metadata || j < canary->n_metadata) {
		const struct ek_pair *a = i < stable->n_metadata ? stable->metadata[i] : NULL, *b = j < canary->n_metadata ? canary->metadata[j] : NULL;
		int order = !a ? 1 : !b ? -1 : strcmp(a->key, b->key);
		const char *key = order <= 0 ? a->key : b->key;

		i += order <= 0;
		j += order >= 0;
		if (!ek_is_mark(key) && (order != 0 || strcmp(a->value, b->value) != 0))
			add_field(comparison, difference, "metadata.", key, order <= 0 ? a->value : NULL, order >= 0 ? b->value : NULL);
	}
}

static void compare_fields(struct ek_comparison *comparison, struct ek_instance_difference *difference, const struct ek_instance *stable,
                           const struct ek_instance *canary)
{
	difference->fields = ek_arena_alloc(&comparison->arena, EK_COMPARISON_FIELDS * sizeof(*difference->fields));
	compare_text(comparison, difference, "application", stable->application, canary->application);
	compare_text(comparison, difference, "address", stable->address, canary->address);
	compare_number(comparison, difference, "port", stable->port, canary->port);
	compare_number(comparison, difference, "securePort", stable->secure_port, canary->secure_port);
	compare_text(comparison, difference, "status", ek_status_name(stable->status), ek_status_name(canary->status));
	compare_text(comparison, difference, "vipAddress", stable->vip_address, canary->vip_address);
	compare_text(comparison, difference, "secureVipAddress", stable->secure_vip_address, canary->secure_vip_address);
	compare_text(comparison, difference, "homePagePath", stable->home_page_path, canary->home_page_path);
	compare_text(comparison, difference, "statusPagePath", stable->status_page_path, canary->status_page_path);
	compare_text(comparison, difference, "healthCheckPath", stable->health_check_path, canary->health_check_path);
	compare_text(comparison, difference, "zone", stable->zone, canary->zone);
	compare_number(comparison, difference, "flags", (int32_t)stable->flags, (int32_t)canary->flags);
	compare_metadata(comparison, difference, stable, canary);
}

/* ---- two lists ---- */

static void note(struct ek_comparison *comparison, const struct ek_wanted *stable, const struct ek_wanted *canary)
{
	const char *id = stable ? stable->instance.id : canary->instance.id;
	struct ek_instance_difference *difference = &comparison->listed[comparison->n_listed];
	uint64_t digests[4] = { stable ? stable->digest : 0, canary ? canary->digest : 0, stable ? (uint64_t)stable->instance.status : 0,
		                canary ? (uint64_t)canary->instance.status : 0 };

	comparison->n_differing++;
	comparison->hash = ek_hash64(ek_hash64_text(comparison->hash, id), digests, sizeof(digests));
	if (comparison->n_listed == EK_COMPARISON_LISTED)
		return;
	comparison->n_listed++;
	difference->id = ek_arena_strdup(&comparison->arena, id);
	difference->kind = !stable ? EK_DIFFERENCE_ADDED : !canary ? EK_DIFFERENCE_REMOVED : EK_DIFFERENCE_CHANGED;
	if (stable && canary)
		compare_fields(comparison, difference, &stable->instance, &canary->instance);
}

static struct ek_comparison *new_comparison(void)
{
	struct ek_comparison *comparison = ek_xcalloc(1, sizeof(*comparison));

	ek_arena_init(&comparison->arena);
	comparison->hash = EK_HASH_SEED;
	return comparison;
}

struct ek_comparison *ek_comparison_new(const struct ek_wanted_list *stable, const struct ek_wanted_list *canary)
{
	struct ek_comparison *comparison = new_comparison();
	size_t i = 0, j = 0;

	while (i < stable->n || j < canary->n) {
		const struct ek_wanted *a = i < stable->n ? stable->at[i] : NULL, *b = j < canary->n ? canary->at[j] : NULL;
		int order = !a ? 1 : !b ? -1 : strcmp(a->instance.id, b->instance.id);

		i += order <= 0;
		j += order >= 0;
		if (order != 0 || a->digest != b->digest || a->instance.status != b->instance.status)
			note(comparison, order <= 0 ? a : NULL, order >= 0 ? b : NULL);
	}
	return comparison;
}

struct ek_comparison *ek_comparison_of_failure(const char *message)
{
	struct ek_comparison *comparison = new_comparison();

	comparison->failure = ek_arena_strdup(&comparison->arena, message);
	comparison->hash = ek_hash64_text(comparison->hash, message);
	return comparison;
}

void ek_comparison_free(struct ek_comparison *comparison)
{
	if (!comparison)
		return;
	ek_arena_clear(&comparison->arena);
	free(comparison);
}

/* ---- JSON ---- */

static void write_value(struct ek_json_writer *writer, const char *key, const char *value)
{
	ek_json_write_key(writer, key);
	if (value)
		ek_json_write_string(writer, value);
	else
		ek_json_write_null(writer);
}

static void write_field(struct ek_json_writer *writer, const struct ek_field_difference *field, bool with_values)
{
	if (!with_values) {
		ek_json_write_string(writer, field->name);
		return;
	}
	ek_json_write_object(writer);
	write_value(writer, "name", field->name);
	write_value(writer, "stable", field->stable);
	write_value(writer, "canary", field->canary);
	ek_json_write_object_end(writer);
}

void ek_comparison_write(struct ek_json_writer *writer, const struct ek_comparison *comparison, bool with_values)
{
	ek_json_write_key(writer, "differing");
	ek_json_write_integer(writer, (int64_t)comparison->n_differing);
	if (comparison->failure)
		write_value(writer, "failure", comparison->failure);
	ek_json_write_key(writer, "instances");
	ek_json_write_array(writer);
	for (unsigned i = 0; i < comparison->n_listed; i++) {
		const struct ek_instance_difference *difference = &comparison->listed[i];

		ek_json_write_object(writer);
		write_value(writer, "id", difference->id);
		write_value(writer, "change", kind_names[difference->kind]);
		ek_json_write_key(writer, "fields");
		ek_json_write_array(writer);
		for (unsigned k = 0; k < difference->n_fields; k++)
			write_field(writer, &difference->fields[k], with_values);
		ek_json_write_array_end(writer);
		ek_json_write_object_end(writer);
	}
	ek_json_write_array_end(writer);
}
