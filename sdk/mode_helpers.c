/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every mode would otherwise write again: the choice of an endpoint's ports, and the look-up of an option.
 * It emits nothing and looks at no conditions.
 * Next: plugins/pod/pod.c, which uses it.
 */
#include <eurekube/mode.h>

#include <stdbool.h>

/* What the syncer asks for: a name, or a number, or nothing. */
struct wish {
	const char *field; /* as the user knows it */
	const char *name;
	int32_t number;
};

struct place {
	const struct ek_service *service;
	const struct ek_endpoint *endpoint;
};

static bool is_tcp(const char *protocol)
{
	return strcmp(protocol, "TCP") == 0;
}

/* ---- The endpoint's ports ---- */

static const struct ek_port *find_named(const struct ek_endpoint *endpoint, const char *name)
{
	for (uint32_t i = 0; i < endpoint->n_ports; i++)
		if (is_tcp(endpoint->ports[i]->protocol) && strcmp(endpoint->ports[i]->name, name) == 0)
			return endpoint->ports[i];
	return NULL;
}

static const struct ek_port *find_numbered(const struct ek_endpoint *endpoint, int32_t number)
{
	for (uint32_t i = 0; i < endpoint->n_ports; i++)
		if (is_tcp(endpoint->ports[i]->protocol) && endpoint->ports[i]->number == number)
			return endpoint->ports[i];
	return NULL;
}

static const struct ek_port *find_only(const struct ek_endpoint *endpoint)
{
	const struct ek_port *only = NULL;

	for (uint32_t i = 0; i < endpoint->n_ports; i++) {
		if (!is_tcp(endpoint->ports[i]->protocol))
			continue;
		if (only)
			return NULL;
		only = endpoint->ports[i];
	}
	return only;
}

/* ---- The Service's ports ---- */

static const struct ek_service_port *find_declared(const struct ek_service *service, const struct wish *wish)
{
	for (uint32_t i = 0; i < service->n_ports; i++) {
		const struct ek_service_port *port = service->ports[i];

		if (is_tcp(port->protocol) && (wish->name ? strcmp(port->name, wish->name) == 0 : port->port == wish->number))
			return port;
	}
	return NULL;
}

static bool is_target(const struct ek_service *service, int32_t number)
{
	for (uint32_t i = 0; i < service->n_ports; i++)
		if (is_tcp(service->ports[i]->protocol) && service->ports[i]->target_port == number)
			return true;
	return false;
}

/* *n: how many there are. */
static const struct ek_service_port *find_only_declared(const struct ek_service *service, uint32_t *n)
{
	const struct ek_service_port *only = NULL;

	*n = 0;
	for (uint32_t i = 0; i < service->n_ports; i++) {
		if (!is_tcp(service->ports[i]->protocol))
			continue;
		(*n)++;
		only = service->ports[i];
	}
	return *n == 1 ? only : NULL;
}

/* ---- Faults ---- */

struct listing {
	char text[160];
	size_t n;
};

static void list_port(struct listing *listing, const char *name, int32_t number)
{
	size_t room = sizeof(listing->text) - listing->n;
	int n = snprintf(listing->text + listing->n, room, "%s%s%s%d%s", listing->n ? ", " : "", name, name[0] ? " (" : "", (int)number,
		name[0] ? ")" : "");

	if (n > 0 && (size_t)n < room)
		listing->n += (size_t)n;
	else
		listing->text[listing->n] = '\0';
}

static int refuse(const struct place *place, const struct wish *wish, struct ek_error *err)
{
	const struct ek_endpoint *endpoint = place->endpoint;
	const struct ek_service *service = place->service;
	struct listing listing = { .text = "" };
	char asked[80] = "";
	bool is_listed;

	for (uint32_t i = 0; i < endpoint->n_ports; i++)
		if (is_tcp(endpoint->ports[i]->protocol))
			list_port(&listing, endpoint->ports[i]->name, endpoint->ports[i]->number);
	is_listed = listing.n > 0;
	for (uint32_t i = 0; !is_listed && i < service->n_ports; i++)
		if (is_tcp(service->ports[i]->protocol))
			list_port(&listing, service->ports[i]->name, service->ports[i]->port);
	if (!listing.n)
		return ek_fail_reason(err, EK_INVALID, "PortNotFound", "Service %.63s has no TCP port", service->name);
	if (wish->name)
		snprintf(asked, sizeof(asked), " \"%.63s\"", wish->name);
	else if (wish->number)
		snprintf(asked, sizeof(asked), " %d", (int)wish->number);
	else
		return ek_fail_reason(err, EK_INVALID, "PortNotFound", "set %s: Service %.63s has several ports and none named http: %s", wish->field,
			service->name, listing.text);
	return ek_fail_reason(err, EK_INVALID, "PortNotFound", "%s%s is no TCP port of Service %.63s; it has %s", wish->field, asked, service->name,
		listing.text);
}

static int skip_endpoint(const struct place *place, struct ek_error *err)
{
	return ek_fail(err, EK_GONE, "the endpoint %.64s does not have the port of Service %.63s", place->endpoint->address, place->service->name);
}

/* ---- The rules ---- */

static int pick_named(const struct place *place, const struct wish *wish, int32_t *number, struct ek_error *err)
{
	const struct ek_port *port = find_named(place->endpoint, wish->name);

	if (port) {
		*number = port->number;
		return EK_OK;
	}
	return find_declared(place->service, wish) ? skip_endpoint(place, err) : refuse(place, wish, err);
}

static int pick_numbered(const struct place *place, const struct wish *wish, int32_t *number, struct ek_error *err)
{
	const struct ek_port *port = find_numbered(place->endpoint, wish->number);
	const struct ek_service_port *declared = find_declared(place->service, wish);

	if (!port && declared)
		port = find_named(place->endpoint, declared->name);
	if (port) {
		*number = port->number;
		return EK_OK;
	}
	return declared || is_target(place->service, wish->number) ? skip_endpoint(place, err) : refuse(place, wish, err);
}

/* The Service decides where it declares ports: an endpoint may have fewer than its siblings, and its only one be another. */
static int pick_unasked(const struct place *place, const struct wish *wish, int32_t *number, struct ek_error *err)
{
	static const struct wish http = { .name = "http" };
	const struct ek_service_port *declared;
	const struct ek_port *port = NULL;
	uint32_t n_declared;

	declared = find_only_declared(place->service, &n_declared);
	if (n_declared > 1)
		declared = find_declared(place->service, &http);
	if (declared)
		port = find_named(place->endpoint, declared->name);
	if (!port && n_declared <= 1)
		port = find_only(place->endpoint);
	if (!port && n_declared <= 1)
		port = find_named(place->endpoint, "http");
	if (port) {
		*number = port->number;
		return EK_OK;
	}
	return declared ? skip_endpoint(place, err) : refuse(place, wish, err);
}

static int pick(const struct place *place, const struct wish *wish, int32_t *number, struct ek_error *err)
{
	if (wish->name)
		return pick_named(place, wish, number, err);
	if (wish->number)
		return pick_numbered(place, wish, number, err);
	return pick_unasked(place, wish, number, err);
}

int ek_pick_ports(const struct ek_syncer *syncer, const struct ek_service *service, const struct ek_endpoint *endpoint, struct ek_instance *instance,
                  struct ek_error *err)
{
	const struct place place = { .service = service, .endpoint = endpoint };
	const struct wish plain = { .field = "spec.port", .name = syncer->port_name, .number = syncer->port };
	const struct wish secure = { .field = "spec.instance.securePort", .name = syncer->secure_port_name, .number = syncer->secure_port };
	int32_t port = 0, secure_port = 0;
	int code = pick(&place, &plain, &port, err);

	if (code == EK_OK && (secure.name || secure.number))
		code = pick(&place, &secure, &secure_port, err);
	if (code != EK_OK)
		return code;
	if (syncer->is_secure && !secure_port)
		secure_port = port;
	/* A port does not speak both http and https, and only for the secure one was said which. */
	if (secure_port == port && (syncer->is_secure || (!plain.name && !plain.number)))
		port = 0;
	instance->port = port;
	instance->secure_port = secure_port;
	instance->flags &= ~(uint32_t)EK_INSTANCE_PRIMARY_SECURE;
	if (syncer->is_secure)
		instance->flags |= EK_INSTANCE_PRIMARY_SECURE;
	return EK_OK;
}

const struct ek_option_value *ek_option_find(const struct ek_option_value *const *options, uint32_t n_options, const char *name)
{
	for (uint32_t i = 0; i < n_options; i++)
		if (strcmp(options[i]->name, name) == 0)
			return options[i];
	return NULL;
}
