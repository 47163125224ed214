/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The border's customs: what a plugin hands over is judged before anybody else reads it, and blamed on it when it is no good. A pointer that points nowhere cannot
 * be told from a good one; texts are read within bounds. Read services_news.c next.
 */
#include "plugin/services_inside.h"

#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define RETRY_AFTER_MAX_MS 3600000
#define METADATA_MAX 4096
#define ID_MAX 1024            /* a foreign entry's may be longer than ours */

static const char *const names[EK_N_MISBEHAVIOURS] = { "early_completion", "double_completion", "no_completion", "call_after_close",
	                                               "garbage", "refused_instance", "too_many", "foreign_thread" };

const char *ek_misbehaviour_name(enum ek_misbehaviour kind)
{
	return names[kind];
}

const char *ek_services_label(const struct ek_services *services)
{
	return services->config.library->label;
}

void ek_services_blame(struct ek_services *services, enum ek_misbehaviour kind, const char *what, ...)
{
	uint64_t n = ++services->stats.misbehaviours[kind];
	char text[300];
	va_list args;

	if (services->config.misbehaviours && !services->is_buried)
		services->config.misbehaviours[kind]++;
	if (n & (n - 1))
		return;
	va_start(args, what);
	vsnprintf(text, sizeof(text), what, args);
	va_end(args);
	EK_WARN(&services->log, "a plugin misbehaves", EK_S("kind", names[kind]), EK_S("it", text), EK_I("times", (int64_t)n));
}

bool ek_services_is_ours(struct ek_services *services)
{
	if (pthread_equal(pthread_self(), services->thread))
		return true;
	__atomic_add_fetch(&services->n_strangers, 1, __ATOMIC_RELAXED);
	return false;
}

bool ek_services_is_welcome(struct ek_services *services, const char *slot)
{
	if (!ek_services_is_ours(services))
		return false;
	if (!services->is_closed)
		return true;
	ek_services_blame(services, EK_MISBEHAVIOUR_CLOSED, "calls %s after closed", slot);
	return false;
}

/* ---- entries ---- */

static const char *judge_metadata(const struct ek_instance *instance)
{
	if (instance->n_metadata > METADATA_MAX)
		return "more metadata than 4096 pairs";
	if (instance->n_metadata && !instance->metadata)
		return "metadata that are NULL";
	for (uint32_t i = 0; i < instance->n_metadata; i++) {
		const struct ek_pair *pair = instance->metadata[i];

		if (!pair || !pair->key || !pair->value)
			return "metadata that are NULL";
		if (strnlen(pair->key, EK_TEXT_MAX + 1) > EK_TEXT_MAX || strnlen(pair->value, EK_TEXT_MAX * 16 + 1) > EK_TEXT_MAX * 16)
			return "metadata without end";
	}
	return NULL;
}

/* What foreign entries hold is their owners' affair, so texts need not be good ones; but they must end. */
static const char *judge_instance(const struct ek_instance *instance)
{
	const char *const texts[] = { instance->id, instance->owner, instance->application, instance->name, instance->address, instance->vip_address,
		                      instance->secure_vip_address, instance->home_page_path, instance->status_page_path,
		                      instance->health_check_path, instance->zone, instance->node_name };

	if (instance->size < sizeof(*instance))
		return "an instance whose size is too small";
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (texts[i] && strnlen(texts[i], EK_TEXT_MAX + 1) > EK_TEXT_MAX)
			return "a text without end";
	return judge_metadata(instance);
}

const char *ek_services_judge_entry(const struct ek_entry *entry)
{
	if (!entry)
		return "an entry that is NULL";
	if (entry->size < sizeof(*entry))
		return "an entry whose size is too small";
	if (!ek_text_is_good(entry->id, ID_MAX) || !entry->id[0])
		return "an entry whose id is no text";
	if (!ek_text_is_good(entry->application, EK_TEXT_MAX))
		return "an entry whose application is no text";
	if (entry->status < EK_STATUS_NONE || entry->status > EK_STATUS_UNKNOWN)
		return "an entry with a status that there is not";
	return entry->instance ? judge_instance(entry->instance) : "an entry without an instance";
}

/* ---- results ---- */

static const char *judge_result(const struct ek_result *given)
{
	if (!given)
		return "no result";
	if (given->size < sizeof(*given))
		return "a result whose size is too small";
	if (given->code < EK_OK || given->code > EK_CANCELLED)
		return "a result with a code that there is not";
	return given->entry ? ek_services_judge_entry(given->entry) : NULL;
}

bool ek_services_take_result(struct ek_services *services, const struct ek_result *given, char message[EK_RESULT_TEXT], struct ek_result *out)
{
	const char *wrong = judge_result(given);

	message[0] = '\0';
	if (!wrong) {
		*out = *given;
		out->size = sizeof(*out);
		if (out->retry_after_ms < 0 || out->retry_after_ms > RETRY_AFTER_MAX_MS)
			out->retry_after_ms = out->retry_after_ms < 0 ? 0 : RETRY_AFTER_MAX_MS;
		if (given->message)
			ek_text_copy(message, EK_RESULT_TEXT, given->message);
		out->message = given->message ? message : NULL;
		return true;
	}
	ek_services_blame(services, EK_MISBEHAVIOUR_GARBAGE, "completes an operation with %s", wrong);
	snprintf(message, EK_RESULT_TEXT, "plugin %s completed the operation with %s", ek_services_label(services), wrong);
	*out = (struct ek_result){ .size = sizeof(*out), .code = EK_PLUGIN, .message = message };
	return false;
}
