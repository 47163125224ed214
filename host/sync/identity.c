/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Formats and reads the names that we leave in registries. It does not decide who owns what (plan.c does). Read ledger.c next.
 */
#include "sync/identity.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <eurekube/plugin.h>

#include "base/hash.h"

static bool is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_name_byte(char c)
{
	static const uint32_t set[8] = { 0, 0x03ff6000, 0x87fffffe, 0x07fffffe }; /* 0-9 - . A-Z _ a-z */

	return set[(unsigned char)c / 32] >> ((unsigned char)c % 32) & 1;
}

int ek_application_normalize(const char *application, char out[EK_APPLICATION_MAX + 1], struct ek_error *err)
{
	size_t n = strlen(application);
	bool is_good = n >= 1 && n <= EK_APPLICATION_MAX && is_plain(application[0]);

	for (size_t i = 0; is_good && i < n; i++)
		is_good = is_name_byte(application[i]);
	if (!is_good)
		return ek_fail_reason(err, EK_INVALID, "InvalidApplication",
		                      "application \"%.80s\" must begin with a letter or digit and have at most 63 letters, digits, "
		                      "dots, underscores and dashes; set spec.application", application);
	for (size_t i = 0; i <= n; i++)
		out[i] = application[i] >= 'a' && application[i] <= 'z' ? (char)(application[i] - 'a' + 'A') : application[i];
	return EK_OK;
}

static char *append(char *at, const char *text, size_t limit)
{
	size_t n = strnlen(text, limit);

	memcpy(at, text, n);
	at[n] = ':';
	return at + n + 1;
}

/* Written for each instance of each evaluation: no printf. */
void ek_id_format(const char *cluster_id, const char *namespace_, const char *application, const char *name, int port, char out[EK_ID_MAX + 1])
{
	char tail[16], digits[16], *at = append(append(append(out, cluster_id, 20), namespace_, 63), application, 63);
	size_t n_head = (size_t)(at - out), n_digits = 0, n_tail = 1, room, n = strlen(name);

	for (unsigned rest = port > 0 ? (unsigned)port : 0; rest || !n_digits; rest /= 10)
		digits[n_digits++] = (char)('0' + rest % 10);
	tail[0] = ':';
	while (n_digits)
		tail[n_tail++] = digits[--n_digits];
	room = EK_ID_MAX - n_head - n_tail;
	if (n > room) {
		snprintf(at, room + 1, "%.*s-%08x", (int)(room - 9), name, (unsigned)(ek_hash64_text(EK_HASH_SEED, name) & 0xffffffffu));
		n = room;
	} else {
		memcpy(at, name, n);
	}
	for (size_t i = 0; i < n; i++)
		if (!is_name_byte(at[i]))
			at[i] = '-';
	memcpy(at + n, tail, n_tail);
	at[n + n_tail] = '\0';
}

uint64_t ek_id_name_hash(const char *id)
{
	const char *from = id, *to = strrchr(id, ':');

	for (int i = 0; i < 3; i++) {
		const char *colon = strchr(from, ':');

		if (!colon)
			return ek_hash64_text(EK_HASH_SEED, id);
		from = colon + 1;
	}
	return to && to > from ? ek_hash64(EK_HASH_SEED, from, (size_t)(to - from)) : ek_hash64_text(EK_HASH_SEED, id);
}

void ek_owner_format(const char *cluster_id, const char *namespace_, const char *name, char out[EK_OWNER_MAX])
{
	snprintf(out, EK_OWNER_MAX, "%s/%s/%s", cluster_id, namespace_, name);
}

static bool copy_part(const char *from, size_t n, char *to, size_t size)
{
	if (n == 0 || n >= size)
		return false;
	memcpy(to, from, n);
	to[n] = '\0';
	return true;
}

bool ek_owner_parse(const char *mark, struct ek_owner *out)
{
	const char *first = mark ? strchr(mark, '/') : NULL, *second = first ? strchr(first + 1, '/') : NULL;

	if (!second || strchr(second + 1, '/'))
		return false;
	return copy_part(mark, (size_t)(first - mark), out->cluster_id, sizeof(out->cluster_id)) &&
	       copy_part(first + 1, (size_t)(second - first - 1), out->namespace_, sizeof(out->namespace_)) &&
	       copy_part(second + 1, strlen(second + 1), out->name, sizeof(out->name));
}

uint64_t ek_instance_digest(const struct ek_instance *instance)
{
	const char *const texts[] = { instance->owner, instance->application, instance->name, instance->address, instance->vip_address,
		                      instance->secure_vip_address, instance->home_page_path, instance->status_page_path,
		                      instance->health_check_path, instance->zone };
	uint64_t hash = EK_HASH_SEED;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		hash = ek_hash64_text(hash, texts[i]);
	hash = ek_hash64_number(hash, instance->port);
	hash = ek_hash64_number(hash, instance->secure_port);
	hash = ek_hash64_number(hash, instance->flags);
	hash = ek_hash64_number(hash, instance->renew_seconds);
	hash = ek_hash64_number(hash, instance->lease_seconds);
	for (uint32_t i = 0; i < instance->n_metadata; i++) {
		if (strcmp(instance->metadata[i]->key, EK_MARK_DIGEST) == 0)
			continue;
		hash = ek_hash64_text(hash, instance->metadata[i]->key);
		hash = ek_hash64_text(hash, instance->metadata[i]->value);
	}
	for (uint32_t i = 0; i < instance->n_options; i++) {
		hash = ek_hash64_text(hash, instance->options[i]->text);
		hash = ek_hash64_number(hash, instance->options[i]->integer);
		for (uint32_t j = 0; j < instance->options[i]->n_list; j++)
			hash = ek_hash64_text(hash, instance->options[i]->list[j]);
	}
	return hash;
}

void ek_digest_format(uint64_t digest, char out[17])
{
	for (int i = 15; i >= 0; i--, digest >>= 4)
		out[i] = "0123456789abcdef"[digest & 15];
	out[16] = '\0';
}

bool ek_digest_parse(const char *text, uint64_t *out)
{
	if (!text || strlen(text) != 16)
		return false;
	for (const char *c = text; *c; c++)
		if (!isxdigit((unsigned char)*c))
			return false;
	*out = strtoull(text, NULL, 16);
	return true;
}

const char *ek_instance_mark(const struct ek_instance *instance, const char *key)
{
	for (uint32_t i = 0; i < instance->n_metadata; i++)
		if (strcmp(instance->metadata[i]->key, key) == 0)
			return instance->metadata[i]->value;
	return NULL;
}

bool ek_is_mark(const char *key)
{
	return strncmp(key, EK_MARK_PREFIX, sizeof(EK_MARK_PREFIX) - 1) == 0;
}
