/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Takes what a mode emits and writes it down.
 * It keeps no pointer, as the host's sink keeps none.
 * Read next: mode_rules.c.
 */
#include "answer.h"

#include <string.h>

#define TEXT_MAX (1u << 20)

static const char *fault_of_ports(const struct ek_instance *instance)
{
	if (instance->port < 0 || instance->port > 65535 || instance->secure_port < 0 || instance->secure_port > 65535)
		return "an instance has a port out of range";
	if (!instance->port && !instance->secure_port)
		return "an instance has no port";
	return NULL;
}

static const char *fault_of_metadata(const struct ek_instance *instance)
{
	for (uint32_t i = 0; i < instance->n_metadata; i++) {
		const struct ek_pair *pair = instance->metadata[i];

		if (!pair || !pair->key || !pair->value)
			return "an instance has metadata without key or value";
		if (!strncmp(pair->key, EK_MARK_PREFIX, strlen(EK_MARK_PREFIX)))
			return "an instance uses a metadata key that begins with " EK_MARK_PREFIX;
	}
	return NULL;
}

static const char *fault_of(const struct ek_instance *instance)
{
	const char *fault;

	if (instance->size < sizeof(*instance))
		return "an instance does not know its size; set .size";
	if (!instance->address || !instance->address[0])
		return "an instance has no address";
	if (!instance->name || !instance->name[0])
		return "an instance has no name";
	if (instance->id || instance->owner)
		return "an instance has an id or an owner, which are the host's to give";
	if (instance->source && instance->status != EK_STATUS_NONE)
		return "an instance with a source endpoint has a status of its own, which is the host's to decide";
	if (!instance->source && instance->status == EK_STATUS_NONE)
		return "an instance without a source endpoint has no status";
	fault = fault_of_ports(instance);
	return fault ? fault : fault_of_metadata(instance);
}

static const char *or_none(const char *text)
{
	return text ? text : "-";
}

static void write_down(struct ek_answer *answer, const struct ek_instance *instance)
{
	ek_buf_addf(&answer->text, "%s %s %d %d %x %s %s %s", or_none(instance->name), or_none(instance->address), instance->port,
		instance->secure_port, instance->flags, or_none(instance->application), or_none(instance->vip_address),
		or_none(instance->secure_vip_address));
	ek_buf_addf(&answer->text, " %s %s %s %s %s %d", or_none(instance->home_page_path), or_none(instance->status_page_path),
		or_none(instance->health_check_path), or_none(instance->zone), or_none(instance->node_name), instance->status);
	for (uint32_t i = 0; i < instance->n_metadata; i++)
		ek_buf_addf(&answer->text, " %s=%s", or_none(instance->metadata[i]->key), or_none(instance->metadata[i]->value));
	ek_buf_addf(&answer->text, " <- %s of %s\n", instance->source ? instance->source->address : "-",
		instance->source_service ? instance->source_service->name : "-");
}

static int emit(const struct ek_sink *sink, const struct ek_instance *instance, struct ek_error *err)
{
	struct ek_answer *answer = (struct ek_answer *)(uintptr_t)sink;
	const char *fault = fault_of(instance);

	answer->n++;
	if (answer->refuses_from && answer->n > answer->refuses_from)
		answer->went_on = true;
	if (!answer->fault)
		answer->fault = fault;
	answer->n_sources += instance->source != NULL;
	if (!fault)
		write_down(answer, instance);
	if (answer->refuses_from && answer->n >= answer->refuses_from)
		return ek_fail_reason(err, EK_ANSWER_CODE, EK_ANSWER_REASON, "the check takes no more");
	return EK_OK;
}

void ek_answer_init(struct ek_answer *answer)
{
	*answer = (struct ek_answer){ .sink = { .size = sizeof(answer->sink), .emit = emit } };
	ek_buf_init(&answer->text, TEXT_MAX);
}

void ek_answer_clear(struct ek_answer *answer)
{
	ek_buf_clear(&answer->text);
}
