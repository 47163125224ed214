/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON merge patch (RFC 7396) and the part of JSON patch (RFC 6902) that clients of the API server use.
 * Written apart from the host's own patches on purpose: it is what they are tested against.
 * Next: fake_kube_write.c.
 */
#include "kit/fake_kube_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Objects without regard to order. */
bool fake_json_equal(const cJSON *a, const cJSON *b)
{
	return cJSON_Compare(a, b, true);
}

cJSON *fake_merge_patch(cJSON *target, const cJSON *patch)
{
	const cJSON *item;

	if (!cJSON_IsObject(patch)) {
		cJSON_Delete(target);
		return cJSON_Duplicate(patch, true);
	}
	if (!cJSON_IsObject(target)) {
		cJSON_Delete(target);
		target = cJSON_CreateObject();
	}
	cJSON_ArrayForEach(item, patch) {
		cJSON *old;

		if (cJSON_IsNull(item)) {
			cJSON_DeleteItemFromObjectCaseSensitive(target, item->string);
			continue;
		}
		old = cJSON_GetObjectItemCaseSensitive(target, item->string);
		if (cJSON_IsObject(item) && cJSON_IsObject(old))
			fake_merge_patch(old, item);
		else
			fake_json_set(target, item->string, fake_merge_patch(NULL, item));
	}
	return target;
}

/* ---- JSON patch ---- */

/* The next part of a pointer, unescaped. */
static bool next_part(const char **pointer, char *part, size_t size)
{
	const char *at = *pointer;
	size_t n = 0;

	if (*at++ != '/')
		return false;
	for (; *at && *at != '/'; at++) {
		char c = *at;

		if (c == '~')
			c = *++at == '1' ? '/' : '~';
		if (n + 1 >= size)
			return false;
		part[n++] = c;
	}
	part[n] = '\0';
	*pointer = at;
	return true;
}

/* -1: no index. "-" is the place behind the last. */
static int index_of(const cJSON *array, const char *part)
{
	char *end;
	long i = strtol(part, &end, 10);

	if (!strcmp(part, "-"))
		return cJSON_GetArraySize(array);
	return *part && !*end && i >= 0 && i <= cJSON_GetArraySize(array) ? (int)i : -1;
}

static cJSON *child(cJSON *parent, const char *part)
{
	int i;

	if (!cJSON_IsArray(parent))
		return cJSON_GetObjectItemCaseSensitive(parent, part);
	i = index_of(parent, part);
	return i < 0 ? NULL : cJSON_GetArrayItem(parent, i);
}

/* The container that a pointer's last part lies in. */
static cJSON *find_parent(cJSON *root, const char *pointer, char *last, size_t size)
{
	if (!next_part(&pointer, last, size))
		return NULL;
	while (root && *pointer) {
		root = child(root, last);
		if (!next_part(&pointer, last, size))
			return NULL;
	}
	return cJSON_IsObject(root) || cJSON_IsArray(root) ? root : NULL;
}

static bool put(cJSON *parent, const char *part, cJSON *value, bool is_replace)
{
	int i;

	if (cJSON_IsObject(parent)) {
		if (is_replace && !cJSON_GetObjectItemCaseSensitive(parent, part))
			goto fail;
		fake_json_set(parent, part, value);
		return true;
	}
	i = index_of(parent, part);
	if (i < 0 || (is_replace && i >= cJSON_GetArraySize(parent)))
		goto fail;
	if (is_replace)
		cJSON_ReplaceItemInArray(parent, i, value);
	else if (i == cJSON_GetArraySize(parent))
		cJSON_AddItemToArray(parent, value);
	else
		cJSON_InsertItemInArray(parent, i, value);
	return true;
fail:
	cJSON_Delete(value);
	return false;
}

static bool drop(cJSON *parent, const char *part)
{
	cJSON *item = child(parent, part);

	if (item)
		cJSON_Delete(cJSON_DetachItemViaPointer(parent, item));
	return item;
}

/* A missing value equals null, as in the library that the real server uses. */
static bool holds(cJSON *parent, const char *part, const cJSON *value)
{
	const cJSON *item = child(parent, part);

	if (!item || cJSON_IsNull(item))
		return !value || cJSON_IsNull(value);
	return value && fake_json_equal(item, value);
}

static bool apply_one(cJSON *target, const cJSON *step)
{
	const char *op = fake_json_text(step, "op");
	const cJSON *value = cJSON_GetObjectItemCaseSensitive(step, "value");
	char part[256];
	cJSON *parent = find_parent(target, fake_json_text(step, "path"), part, sizeof(part));

	if (!parent)
		return false;
	if (!strcmp(op, "test"))
		return holds(parent, part, value);
	if (!strcmp(op, "remove"))
		return drop(parent, part);
	if (!strcmp(op, "add") || !strcmp(op, "replace"))
		return value && put(parent, part, cJSON_Duplicate(value, true), *op == 'r');
	return false;
}

bool fake_json_patch(cJSON *target, const cJSON *patch)
{
	const cJSON *step;

	if (!cJSON_IsArray(patch))
		return false;
	cJSON_ArrayForEach(step, patch)
		if (!apply_one(target, step))
			return false;
	return true;
}
