/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Label matching as Kubernetes defines it (NotIn also matches where the key is absent). It knows one Service at a time and nothing of stores. Read
 * status_rules.c next.
 */
#include "sync/selector.h"

#include <stdio.h>
#include <string.h>

#include "base/hash.h"

static const char *find_label(const struct ek_record_service *service, const char *key)
{
	for (uint32_t i = 0; i < service->n_labels; i++)
		if (strcmp(service->labels[i].key, key) == 0)
			return service->labels[i].value;
	return NULL;
}

static bool has_label(const struct ek_record_service *service, const char *key, const char *value)
{
	const char *found = find_label(service, key);

	return found && strcmp(found, value) == 0;
}

static bool is_among(const struct ek_selector_term *term, const char *value)
{
	for (unsigned i = 0; i < term->n_values; i++)
		if (strcmp(term->values[i], value) == 0)
			return true;
	return false;
}

static bool term_matches(const struct ek_selector_term *term, const struct ek_record_service *service)
{
	const char *value = find_label(service, term->key);

	switch (term->op) {
	case EK_SELECTOR_IN:
		return value && is_among(term, value);
	case EK_SELECTOR_NOT_IN:
		return !value || !is_among(term, value);
	case EK_SELECTOR_EXISTS:
		return value != NULL;
	case EK_SELECTOR_DOES_NOT_EXIST:
		return value == NULL;
	}
	return false;
}

static bool is_empty(const struct ek_selector *selector)
{
	return !selector->app && !selector->service_name && !selector->n_labels && !selector->n_terms;
}

bool ek_selector_matches(const struct ek_selector *selector, const struct ek_record_service *service)
{
	if (is_empty(selector))
		return false;
	if (selector->app && !has_label(service, "app", selector->app))
		return false;
	if (selector->service_name && strcmp(selector->service_name, service->name) != 0)
		return false;
	for (unsigned i = 0; i < selector->n_labels; i++)
		if (!has_label(service, selector->labels[i].key, selector->labels[i].value))
			return false;
	for (unsigned i = 0; i < selector->n_terms; i++)
		if (!term_matches(&selector->terms[i], service))
			return false;
	return true;
}

uint64_t ek_name_bit(const char *name)
{
	return 1ull << (ek_hash64_text(EK_HASH_SEED, name) & 63);
}

void ek_selector_describe(const struct ek_selector *selector, char *buffer, size_t size)
{
	static const char *const words[] = { "in", "not in", "exists", "does not exist" };
	int n = snprintf(buffer, size, "namespace %s", selector->namespace_);

#define MORE(...)                                                                              \
	do {                                                                                   \
		if (n >= 0 && (size_t)n < size)                                                \
			n += snprintf(buffer + n, size - (size_t)n, __VA_ARGS__);              \
	} while (0)
	if (selector->service_name)
		MORE(", name %s", selector->service_name);
	if (selector->app)
		MORE(", label app=%s", selector->app);
	for (unsigned i = 0; i < selector->n_labels; i++)
		MORE(", label %s=%s", selector->labels[i].key, selector->labels[i].value);
	for (unsigned i = 0; i < selector->n_terms; i++)
		MORE(", label %s %s", selector->terms[i].key, words[selector->terms[i].op]);
#undef MORE
}
