/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads one instance as a Eureka server writes it: strings where numbers belong, one element where a list belongs, Java class names where an empty map
 * belongs, all of which some server writes.
 */
#ifndef EK_PLUGINS_EUREKA_REPLIES_H
#define EK_PLUGINS_EUREKA_REPLIES_H

#include <eurekube/json.h>
#include <eurekube/registry.h>

#define EK_EUREKA_METADATA_MAX 1024

/* What was read last; its memory is used again by the next reading. */
struct ek_eureka_reading {
	struct ek_entry entry;
	struct ek_instance instance;
	char *text, *text_at;
	size_t text_room;
	struct ek_pair *pairs;
	const struct ek_pair **metadata;
	uint32_t pairs_room;
};

void ek_eureka_reading_clear(struct ek_eureka_reading *reading);

/* Reads the text of an instance, without the outer {"instance":}. EK_OK: reading->entry is valid until the next call. EK_PLUGIN with err, EK_RETRY without memory. */
int ek_eureka_read_instance(struct ek_eureka_reading *reading, struct ek_slice json, struct ek_error *err);

/* Reads {"instance":{...}}, the answer to a single read. */
int ek_eureka_read_single(struct ek_eureka_reading *reading, const char *body, size_t n, struct ek_error *err);

/* Eureka's word for a status, and back; an unknown word is EK_STATUS_UNKNOWN. */
const char *ek_eureka_status_word(int32_t status);
int32_t ek_eureka_status_of(struct ek_slice word);

#endif
