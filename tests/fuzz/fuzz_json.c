/* SPDX-License-Identifier: Apache-2.0 */
/* The pull reader against cJSON: what it accepts cJSON accepts too, with the same values. (cJSON is the more lenient of the two.) */
#include "fuzz/fuzz.h"

#include <stdio.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <eurekube/json.h>

#define NUMBER_MAX 60      /* cJSON reads no longer ones */
#define SCRATCH_MAX 65536

static bool has_long_number(const uint8_t *data, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < size; i++) {
		n = strchr("0123456789+-.eE", data[i]) && data[i] ? n + 1 : 0;
		if (n > NUMBER_MAX)
			return true;
	}
	return false;
}

static void compare(struct ek_json *json, const cJSON *item);

static void compare_object(struct ek_json *json, const cJSON *item)
{
	const cJSON *child = item->child;
	struct ek_slice key;

	FUZZ_ASSERT(cJSON_IsObject(item));
	for (ek_json_enter_object(json); ek_json_next_key(json, &key); child = child->next) {
		FUZZ_ASSERT(child != NULL);
		if (!memchr(key.at, '\\', key.n))
			FUZZ_ASSERT(ek_slice_equals(key, child->string));
		compare(json, child);
	}
	FUZZ_ASSERT(ek_json_failed(json) || child == NULL);
}

static void compare_array(struct ek_json *json, const cJSON *item)
{
	const cJSON *child = item->child;

	FUZZ_ASSERT(cJSON_IsArray(item));
	for (ek_json_enter_array(json); ek_json_next_item(json); child = child->next) {
		FUZZ_ASSERT(child != NULL);
		compare(json, child);
	}
	FUZZ_ASSERT(ek_json_failed(json) || child == NULL);
}

static void compare_string(struct ek_json *json, const cJSON *item)
{
	static char scratch[SCRATCH_MAX];
	struct ek_slice text;

	FUZZ_ASSERT(cJSON_IsString(item));
	text = ek_json_slice(json, scratch, sizeof(scratch));
	FUZZ_ASSERT(ek_json_failed(json) || ek_slice_equals(text, item->valuestring));
}

static void compare_number(struct ek_json *json, const cJSON *item)
{
	struct ek_slice raw = ek_json_raw(json);
	char text[NUMBER_MAX + 4];

	FUZZ_ASSERT(cJSON_IsNumber(item));
	FUZZ_ASSERT(raw.n < sizeof(text));
	memcpy(text, raw.at, raw.n);
	text[raw.n] = '\0';
	FUZZ_ASSERT(strtod(text, NULL) == item->valuedouble);
}

static void compare(struct ek_json *json, const cJSON *item)
{
	switch (ek_json_peek(json)) {
	case EK_JSON_OBJECT:
		compare_object(json, item);
		break;
	case EK_JSON_ARRAY:
		compare_array(json, item);
		break;
	case EK_JSON_STRING:
		compare_string(json, item);
		break;
	case EK_JSON_NUMBER:
		compare_number(json, item);
		break;
	case EK_JSON_BOOLEAN:
		FUZZ_ASSERT(cJSON_IsBool(item));
		FUZZ_ASSERT(ek_json_boolean(json, false) == cJSON_IsTrue(item));
		break;
	case EK_JSON_NULL:
		FUZZ_ASSERT(cJSON_IsNull(item));
		ek_json_skip(json);
		break;
	case EK_JSON_END:
		FUZZ_ASSERT(ek_json_failed(json));
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ek_json json;
	cJSON *tree;

	if (has_long_number(data, size))
		return 0;
	ek_json_init(&json, (const char *)data, size);
	ek_json_skip(&json);
	if (ek_json_finish(&json, NULL) != EK_OK)
		return 0;
	tree = cJSON_ParseWithLength((const char *)data, size);
	if (!tree) /* U+0000 cannot be in a text of cJSON's */
		FUZZ_ASSERT(memmem(data, size, "\\u0000", 6));
	ek_json_init(&json, (const char *)data, size);
	if (tree && !memmem(data, size, "\\u0000", 6)) {
		compare(&json, tree);
		FUZZ_ASSERT(ek_json_finish(&json, NULL) == EK_OK);
	}
	cJSON_Delete(tree);
	return 0;
}
