/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies the entries that a plugin reports, and checks what registry.h says of them. Read fake_host.c next.
 */
#include "kit/fake_host_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *join_metadata(const struct ek_instance *instance)
{
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);

	for (uint32_t i = 0; i < instance->n_metadata; i++)
		fprintf(out, "%s=%s\n", instance->metadata[i]->key, instance->metadata[i]->value);
	fclose(out);
	return text;
}

static const char *owner_of(const struct ek_instance *instance)
{
	for (uint32_t i = 0; i < instance->n_metadata; i++)
		if (strcmp(instance->metadata[i]->key, EK_MARK_OWNER) == 0)
			return instance->metadata[i]->value;
	return NULL;
}

static void check_entry(struct fake_host *fake, const struct ek_entry *entry)
{
	if (entry->size < sizeof(*entry))
		fake_host_breach(fake, "an entry does not know its size");
	else if (!entry->id || !*entry->id || !entry->application || !*entry->application)
		fake_host_breach(fake, "an entry has no id or application");
	else if (!entry->instance || entry->instance->size < sizeof(*entry->instance))
		fake_host_breach(fake, "an entry has no instance that knows its size");
	for (const char *c = entry->application; c && *c; c++)
		if (*c >= 'a' && *c <= 'z')
			fake_host_breach(fake, "an application is not in upper case");
}

struct fake_entry fake_host_copy_entry(struct fake_host *fake, const struct ek_entry *entry)
{
	static const struct ek_instance none = { .size = sizeof(none) };
	const struct ek_instance *instance = entry->instance ? entry->instance : &none;

	check_entry(fake, entry);
	return (struct fake_entry){
		.application = fake_host_copy(entry->application), .id = fake_host_copy(entry->id), .address = fake_host_copy(instance->address),
		.vip_address = fake_host_copy(instance->vip_address), .owner = fake_host_copy(owner_of(instance)),
		.metadata = join_metadata(instance), .flags = entry->flags, .n_metadata = instance->n_metadata, .status = entry->status,
		.instance_status = instance->status, .port = instance->port, .secure_port = instance->secure_port,
		.renew_seconds = instance->renew_seconds, .lease_seconds = instance->lease_seconds, .revision = entry->revision,
	};
}
