/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The grammar of RFC 8259, below the reader: each function checks one piece of text and moves past it. On a fault they record
 * it in the reader and return false, with the reader standing at the fault.
 */
#ifndef EK_SDK_JSON_SCAN_H
#define EK_SDK_JSON_SCAN_H

#include <eurekube/json.h>

/* At the opening quote; leaves the reader behind the closing one. The content is what lies between. */
bool ek_json_scan_string(struct ek_json *json, struct ek_slice *content, bool *has_escapes);
bool ek_json_scan_number(struct ek_json *json, struct ek_slice *number);
/* true, false, null */
bool ek_json_scan_word(struct ek_json *json, const char *word, size_t n);
/* Any value, however deep. */
bool ek_json_scan_value(struct ek_json *json);

/* Decodes the content of a string that was scanned; false if it does not fit or holds U+0000. */
bool ek_json_decode(struct ek_json *json, struct ek_slice content, char *out, size_t size, size_t *n);

static inline void ek_json_skip_space(struct ek_json *json)
{
	while (json->at < json->end && (*json->at == ' ' || *json->at == '\n' || *json->at == '\t' || *json->at == '\r'))
		json->at++;
}

static inline bool ek_json_fault(struct ek_json *json, const char *fault)
{
	ek_json_fail(json, fault);
	return false;
}

#endif
