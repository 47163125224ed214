/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads Status documents with the pull reader and maps HTTP statuses to codes.
 * It decides nothing: what a watch or a write does about a code stands with the watch or the write.
 * Read next: client.c, which calls it for each error body, and reflector_endings.c.
 */
#include "kube/status.h"

#include <eurekube/json.h>

#include <stdio.h>
#include <string.h>

#define MAX_RETRY_AFTER_SECONDS 3600

static bool is_known(struct ek_slice raw, const char *text)
{
	size_t n = strlen(text);

	return raw.n == n + 2 && memcmp(raw.at + 1, text, n) == 0;
}

static void read_causes(struct ek_json *json, struct ek_kube_status *out)
{
	struct ek_slice key;

	for (ek_json_enter_array(json); ek_json_next_item(json);) {
		for (ek_json_enter_object(json); ek_json_next_key(json, &key);) {
			if (ek_slice_equals(key, "reason") && is_known(ek_json_raw(json), "ResourceVersionTooLarge"))
				out->is_rv_too_large = true;
			else if (!ek_slice_equals(key, "reason"))
				ek_json_skip(json);
		}
	}
}

static void read_details(struct ek_json *json, struct ek_kube_status *out)
{
	struct ek_slice key;

	for (ek_json_enter_object(json); ek_json_next_key(json, &key);) {
		if (ek_slice_equals(key, "retryAfterSeconds")) {
			int64_t seconds = ek_json_integer(json);

			if (seconds > 0 && seconds <= MAX_RETRY_AFTER_SECONDS)
				out->retry_after_ms = seconds * 1000;
		} else if (ek_slice_equals(key, "causes")) {
			read_causes(json, out);
		} else {
			ek_json_skip(json);
		}
	}
}

/* A text of any length, cut to what fits and made printable. */
static void take_text(struct ek_slice text, char *buffer, size_t size)
{
	size_t n = text.n < size - 1 ? text.n : size - 1;

	while (n < text.n && n > 0 && ((unsigned char)text.at[n] & 0xc0) == 0x80)
		n--; /* not inside of a UTF-8 sequence */
	while (n > 0 && (unsigned char)text.at[n - 1] <= ' ')
		n--;
	for (size_t i = 0; i < n; i++)
		buffer[i] = (unsigned char)text.at[i] < 0x20 || text.at[i] == 0x7f ? ' ' : text.at[i];
	buffer[n] = '\0';
}

static void read_text(struct ek_json *json, char *buffer, size_t size)
{
	char scratch[4096];
	struct ek_slice raw = ek_json_raw(json);
	struct ek_json string;
	struct ek_slice text;

	ek_json_init(&string, raw.at, raw.n);
	text = ek_json_slice(&string, scratch, sizeof(scratch));
	if (ek_json_finish(&string, NULL) == EK_OK)
		take_text(text, buffer, size);
}

static bool read_document(const char *bytes, size_t n, struct ek_kube_status *out)
{
	struct ek_json json;
	struct ek_slice key;
	bool is_status = false;

	ek_json_init(&json, bytes, n);
	for (ek_json_enter_object(&json); ek_json_next_key(&json, &key);) {
		if (ek_slice_equals(key, "kind"))
			is_status = is_known(ek_json_raw(&json), "Status");
		else if (ek_slice_equals(key, "code"))
			out->status = (int)ek_json_integer(&json);
		else if (ek_slice_equals(key, "reason"))
			read_text(&json, out->reason, sizeof(out->reason));
		else if (ek_slice_equals(key, "message"))
			read_text(&json, out->message, sizeof(out->message));
		else if (ek_slice_equals(key, "details"))
			read_details(&json, out);
		else
			ek_json_skip(&json);
	}
	return ek_json_finish(&json, NULL) == EK_OK && is_status;
}

void ek_kube_status_read(const char *bytes, size_t n, struct ek_kube_status *out)
{
	memset(out, 0, sizeof(*out));
	if (n > 0 && read_document(bytes, n, out))
		return;
	memset(out, 0, sizeof(*out));
	take_text((struct ek_slice){ bytes, n }, out->message, sizeof(out->message));
}

int ek_kube_status_code(int http_status)
{
	if (http_status >= 200 && http_status < 300)
		return EK_OK;
	switch (http_status) {
	case 401:
	case 403:
		return EK_AUTH;
	case 404:
		return EK_GONE;
	case 409:
		return EK_CONFLICT;
	case 410:
		return EK_EXPIRED;
	case 413:
		return EK_TOO_BIG;
	case 429:
		return EK_THROTTLED;
	default:
		return http_status >= 500 ? EK_RETRY : EK_INVALID;
	}
}
