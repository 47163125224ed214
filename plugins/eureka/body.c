/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The JSON of a registration. Eureka's parser merges objects under keys that it does not know into the instance itself, so nothing is written here but what it
 * knows. It does not decide what is registered; the host has. Read verdicts.c next.
 */
#include "eureka.h"

#include <stdlib.h>

static void write_text(struct ek_json_writer *writer, const char *key, const char *text)
{
	ek_json_write_key(writer, key);
	ek_json_write_string(writer, text);
}

static void write_integer(struct ek_json_writer *writer, const char *key, int64_t number)
{
	ek_json_write_key(writer, key);
	ek_json_write_integer(writer, number);
}

static bool has_secure_port(const struct ek_instance *instance)
{
	return instance->secure_port > 0;
}

/*
 * Callers on Spring take the secure port whenever it is enabled. So one that is only there beside a preferred plain port is written down, but not enabled.
 */
static bool is_secure_port_enabled(const struct ek_instance *instance)
{
	return has_secure_port(instance) && ((instance->flags & EK_INSTANCE_PRIMARY_SECURE) || instance->port <= 0);
}

static void write_port(struct ek_json_writer *writer, const char *key, int32_t port, bool is_enabled)
{
	ek_json_write_key(writer, key);
	ek_json_write_object(writer);
	write_integer(writer, "$", port);
	write_text(writer, "@enabled", is_enabled ? "true" : "false");
	ek_json_write_object_end(writer);
}

static void write_url(struct ek_json_writer *writer, const char *key, const struct ek_instance *instance, const char *path, bool is_secure)
{
	bool has_brackets = strchr(instance->address, ':') != NULL;
	char url[1024];
	int n;

	if (!path)
		return;
	n = snprintf(url, sizeof(url), "%s://%s%s%s:%d%s%s", is_secure ? "https" : "http", has_brackets ? "[" : "", instance->address,
		has_brackets ? "]" : "", is_secure ? instance->secure_port : instance->port, path[0] == '/' ? "" : "/", path);
	if (n > 0 && (size_t)n < sizeof(url))
		write_text(writer, key, url);
}

static void write_urls(struct ek_json_writer *writer, const struct ek_instance *instance)
{
	bool is_secure = is_secure_port_enabled(instance);

	write_url(writer, "homePageUrl", instance, instance->home_page_path, is_secure);
	write_url(writer, "statusPageUrl", instance, instance->status_page_path, is_secure);
	if (instance->port > 0)
		write_url(writer, "healthCheckUrl", instance, instance->health_check_path, false);
	if (is_secure)
		write_url(writer, "secureHealthCheckUrl", instance, instance->health_check_path, true);
}

/* Zone-aware callers look for metadata.zone. */
static void write_metadata(struct ek_json_writer *writer, const struct ek_instance *instance, bool adds_zone)
{
	bool has_zone = false;

	ek_json_write_key(writer, "metadata");
	ek_json_write_object(writer);
	for (uint32_t i = 0; i < instance->n_metadata; i++) {
		write_text(writer, instance->metadata[i]->key, instance->metadata[i]->value);
		has_zone = has_zone || strcmp(instance->metadata[i]->key, "zone") == 0;
	}
	if (adds_zone && !has_zone && instance->zone)
		write_text(writer, "zone", instance->zone);
	ek_json_write_object_end(writer);
}

static void write_lease(struct ek_json_writer *writer, const struct ek_eureka *eureka, const struct ek_instance *instance)
{
	ek_json_write_key(writer, "leaseInfo");
	ek_json_write_object(writer);
	write_integer(writer, "renewalIntervalInSecs", instance->renew_seconds > 0 ? instance->renew_seconds : eureka->renew_seconds);
	write_integer(writer, "durationInSecs", instance->lease_seconds > 0 ? instance->lease_seconds : eureka->lease_seconds);
	ek_json_write_object_end(writer);
}

static void write_data_center(struct ek_json_writer *writer)
{
	ek_json_write_key(writer, "dataCenterInfo");
	ek_json_write_object(writer);
	write_text(writer, "@class", "com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo");
	write_text(writer, "name", "MyOwn");
	ek_json_write_object_end(writer);
}

/* See requests.c for the status. An override is never part of a registration: it would create one. */
static const char *status_word(const struct ek_instance *instance)
{
	return ek_eureka_status_word(instance->status == EK_STATUS_OUT_OF_SERVICE ? EK_STATUS_STARTING : instance->status);
}

/*
 * hostName is what Spring's callers dial, so it is the address as well. An absent port would read as 7001, enabled.
 */
static void write_instance(struct ek_json_writer *writer, const struct ek_eureka_call *call, const struct ek_instance *instance)
{
	ek_json_write_object(writer);
	ek_json_write_key(writer, "instance");
	ek_json_write_object(writer);
	write_text(writer, "instanceId", instance->id);
	write_text(writer, "hostName", instance->address);
	write_text(writer, "app", instance->application);
	write_text(writer, "ipAddr", instance->address);
	write_text(writer, "status", status_word(instance));
	write_port(writer, "port", instance->port > 0 ? instance->port : 80, instance->port > 0);
	write_port(writer, "securePort", has_secure_port(instance) ? instance->secure_port : 443, is_secure_port_enabled(instance));
	write_data_center(writer);
	write_lease(writer, call->eureka, instance);
	write_metadata(writer, instance, call->eureka->adds_zone);
	write_text(writer, "vipAddress", instance->vip_address);
	write_text(writer, "secureVipAddress", instance->secure_vip_address);
	write_urls(writer, instance);
	write_integer(writer, "lastDirtyTimestamp", call->revision);
	ek_json_write_object_end(writer);
	ek_json_write_object_end(writer);
}

static bool grow(struct ek_eureka *eureka)
{
	size_t room = eureka->body_room ? eureka->body_room * 4 : 16384;
	char *body;

	if (room > EK_EUREKA_BODY_MAX)
		return false;
	body = realloc(eureka->body, room);
	if (!body)
		return false;
	eureka->body = body;
	eureka->body_room = room;
	return true;
}

int ek_eureka_write_instance(struct ek_eureka_call *call, const struct ek_instance *instance, struct ek_error *err)
{
	struct ek_eureka *eureka = call->eureka;
	struct ek_json_writer writer;
	size_t n = 0;

	while (!n) {
		if (eureka->body_room) {
			ek_json_writer_init(&writer, eureka->body, eureka->body_room);
			write_instance(&writer, call, instance);
			n = ek_json_writer_finish(&writer);
		}
		if (!n && !grow(eureka))
			return ek_fail(err, EK_TOO_BIG, "the registration has more than %u bytes; shorten its metadata", EK_EUREKA_BODY_MAX / 4);
	}
	call->body = malloc(n);
	if (!call->body)
		return ek_fail(err, EK_RETRY, "out of memory");
	memcpy(call->body, eureka->body, n);
	call->body_bytes = n;
	return EK_OK;
}
