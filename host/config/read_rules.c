/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sections that say who may do what: endpoints, grants, application names and the guard.
 * It enforces none of them; sync does.
 * Read next: sync/evaluate.c for grants, names and endpoints.
 */
#include "config/sections.h"

#include <arpa/inet.h>

#include <stdlib.h>
#include <string.h>

/* ---- Endpoints ---- */

static int read_families(const struct ek_place *place, void *target)
{
	struct ek_config *config = target;

	if (ek_place_expect_list(place) != EK_OK)
		return EK_INVALID;
	config->n_families = 0;
	for (const struct ek_value *item = place->at->first; item; item = item->next) {
		struct ek_place inside = ek_place_item(place, item, config->n_families);
		const char *text = ek_value_text(item, "");
		int family = !strcmp(text, "IPv4") ? 4 : !strcmp(text, "IPv6") ? 6 : 0;

		if (!family)
			return ek_place_fail(&inside, "must be IPv4 or IPv6");
		if (config->n_families == 2 || (config->n_families == 1 && config->families[0] == family))
			return ek_place_fail(&inside, "names %s twice", text);
		config->families[config->n_families++] = family;
	}
	return config->n_families ? EK_OK : ek_place_fail(place, "must name IPv4, IPv6 or both");
}

/* "10.0.0.0" and "8" */
static bool split_cidr(const char *text, struct ek_config_cidr *cidr)
{
	const char *slash = strchr(text, '/');
	char address[INET6_ADDRSTRLEN];
	long bits;
	char *end;

	if (!slash || (size_t)(slash - text) >= sizeof(address) || slash[1] < '0' || slash[1] > '9')
		return false;
	memcpy(address, text, (size_t)(slash - text));
	address[slash - text] = '\0';
	bits = strtol(slash + 1, &end, 10);
	cidr->family = strchr(address, ':') ? 6 : 4;
	if (*end || bits > (cidr->family == 6 ? 128 : 32))
		return false;
	cidr->bits = (uint8_t)bits;
	return inet_pton(cidr->family == 6 ? AF_INET6 : AF_INET, address, cidr->address) == 1;
}

static bool has_host_bits(const struct ek_config_cidr *cidr)
{
	for (unsigned bit = cidr->bits; bit < 8 * sizeof(cidr->address); bit++)
		if (cidr->address[bit / 8] & (0x80u >> bit % 8))
			return true;
	return false;
}

static int read_deny(const struct ek_place *place, void *target)
{
	struct ek_config *config = target;

	if (ek_place_expect_list(place) != EK_OK)
		return EK_INVALID;
	config->deny = ek_arena_alloc(place->arena, (place->at->n + 1) * sizeof(*config->deny));
	for (const struct ek_value *item = place->at->first; item; item = item->next) {
		struct ek_place inside = ek_place_item(place, item, config->n_deny);
		struct ek_config_cidr *cidr = &config->deny[config->n_deny++];

		if (!split_cidr(ek_value_text(item, ""), cidr))
			return ek_place_fail(&inside, "must be a CIDR like 10.0.0.0/8 or fd00::/8");
		if (has_host_bits(cidr))
			return ek_place_fail(&inside, "%.50s has bits beyond its prefix of %u; which network is meant?",
				item->text, cidr->bits);
	}
	return EK_OK;
}

int ek_config_read_endpoints(const struct ek_place *place, void *target)
{
	static const struct ek_field_rule rules[] = {
		{ "allowWithoutPod", EK_FIELD_BOOLEAN, .offset = offsetof(struct ek_config, allow_without_pod) },
		{ "ipFamilies", EK_FIELD_OWN, .read = read_families },
		{ "deny", EK_FIELD_OWN, .read = read_deny },
		{ NULL },
	};

	return ek_fields_read(place, rules, target);
}

/* ---- Grants ---- */

int ek_config_read_grants(const struct ek_place *place, void *target)
{
	static const struct ek_field_rule rules[] = {
		{ "from", EK_FIELD_TEXT, true, offsetof(struct ek_config_grant, from), .check = ek_check_name },
		{ "to", EK_FIELD_TEXT, true, offsetof(struct ek_config_grant, to), .check = ek_check_name },
		{ NULL },
	};
	struct ek_config *config = target;

	if (ek_place_expect_list(place) != EK_OK)
		return EK_INVALID;
	config->grants = ek_arena_alloc(place->arena, (place->at->n + 1) * sizeof(*config->grants));
	for (const struct ek_value *item = place->at->first; item; item = item->next) {
		struct ek_place inside = ek_place_item(place, item, config->n_grants);

		if (ek_fields_read(&inside, rules, &config->grants[config->n_grants++]) != EK_OK)
			return EK_INVALID;
	}
	return EK_OK;
}

/* ---- Application names ---- */

static int check_pattern(const struct ek_place *place, const char *text)
{
	size_t n = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-*?[]!");

	if (text[n] == '\0' && n <= 128)
		return EK_OK;
	return ek_place_fail(place, "\"%.64s\" is no pattern of application names; write names with * and ?", text);
}

int ek_config_read_names(const struct ek_place *place, void *target)
{
	struct ek_config *config = target;

	if (ek_place_expect_map(place) != EK_OK)
		return EK_INVALID;
	config->names = ek_arena_alloc(place->arena, (place->at->n + 1) * sizeof(*config->names));
	for (const struct ek_value *member = place->at->first; member; member = member->next) {
		struct ek_place inside = ek_place_member(place, member);
		struct ek_config_names *names = &config->names[config->n_names++];

		names->namespace_ = member->key;
		if (strcmp(member->key, "*") != 0 && ek_check_name(&inside, member->key) != EK_OK)
			return EK_INVALID;
		if (ek_place_texts(&inside, check_pattern, &names->n, &names->patterns) != EK_OK)
			return EK_INVALID;
	}
	return EK_OK;
}

/* ---- Guard ---- */

static int read_guard_mode(const struct ek_place *place, void *target)
{
	struct ek_config *config = target;
	const char *text = ek_value_text(place->at, "");

	config->guard.is_block = !strcmp(text, "Block");
	if (config->guard.is_block || !strcmp(text, "Confirm"))
		return EK_OK;
	return ek_place_fail(place, "must be Confirm or Block");
}

int ek_config_read_guard(const struct ek_place *place, void *target)
{
#define GUARD(key, field, min, max) \
	{ key, EK_FIELD_INTEGER, .offset = offsetof(struct ek_config, guard.field), .minimum = min, .maximum = max }
	static const struct ek_field_rule rules[] = {
		GUARD("syncerPercent", syncer_percent, 0, 100),
		GUARD("syncerMin", syncer_min, 0, 1000000),
		GUARD("registryPercent", registry_percent, 0, 100),
		GUARD("registryMin", registry_min, 0, 1000000),
		GUARD("windowSeconds", window_seconds, 1, 86400),
		GUARD("confirmSeconds", confirm_seconds, 0, 86400),
		{ "mode", EK_FIELD_OWN, .read = read_guard_mode },
		{ NULL },
	};
#undef GUARD

	return ek_fields_read(place, rules, target);
}
