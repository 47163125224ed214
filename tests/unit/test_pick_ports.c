/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which port of an endpoint is registered, case by case.
 * Next: the prose above ek_pick_ports in sdk-headers/eurekube/mode.h.
 */
#include <eurekube/mode.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A port of the Service (port, target) or of the endpoint (number); name NULL ends the list. */
struct port {
	const char *name;
	int32_t port, target;
	const char *protocol; /* NULL: TCP */
};

struct a_case {
	const char *what;
	struct port service[4], endpoint[4];
	struct ek_syncer syncer;
	int code;
	int32_t port, secure_port; /* after EK_OK */
	const char *message;       /* after a failure */
};

#define HTTP      { "http", 80, 8080, NULL }
#define METRICS   { "metrics", 9090, 9091, NULL }
#define HTTPS     { "https", 443, 8443, NULL }
#define E_HTTP    { "http", 8080, 0, NULL }
#define E_METRICS { "metrics", 9091, 0, NULL }
#define E_HTTPS   { "https", 8443, 0, NULL }
#define E_DNS     { "dns", 8053, 0, "UDP" }

static const struct a_case cases[] = {
	/* by name */
	{ "a name is the endpoint's port", { HTTP, METRICS }, { E_HTTP, E_METRICS }, { .port_name = "metrics" }, EK_OK, 9091, 0, NULL },
	{ "a name that nobody has", { HTTP, METRICS }, { E_HTTP, E_METRICS }, { .port_name = "web" }, EK_INVALID, 0, 0,
		"spec.port \"web\" is no TCP port of Service web; it has http (8080), metrics (9091)" },
	{ "a name that only the Service has", { HTTP, METRICS }, { E_METRICS }, { .port_name = "http" }, EK_GONE, 0, 0,
		"the endpoint 10.0.0.1 does not have the port of Service web" },
	{ "a name of another protocol", { HTTP }, { E_HTTP, E_DNS }, { .port_name = "dns" }, EK_INVALID, 0, 0,
		"spec.port \"dns\" is no TCP port of Service web; it has http (8080)" },
	{ "a name that UDP has too", { HTTP }, { { "http", 8053, 0, "UDP" }, E_HTTP }, { .port_name = "http" }, EK_OK, 8080, 0, NULL },
	/* by number */
	{ "a number of the endpoint", { HTTP, METRICS }, { E_HTTP, E_METRICS }, { .port = 9091 }, EK_OK, 9091, 0, NULL },
	{ "a number of the Service", { HTTP, METRICS }, { E_HTTP, E_METRICS }, { .port = 9090 }, EK_OK, 9091, 0, NULL },
	{ "a number that both have is the endpoint's", { { "a", 80, 8080, NULL }, { "b", 8080, 80, NULL } }, { { "a", 8080, 0, NULL }, { "b", 80, 0, NULL } },
		{ .port = 8080 }, EK_OK, 8080, 0, NULL },
	{ "the number of a port without a name", { { "", 80, 8080, NULL } }, { { "", 8080, 0, NULL } }, { .port = 80 }, EK_OK, 8080, 0, NULL },
	{ "a number that nobody has", { HTTP }, { E_HTTP }, { .port = 81 }, EK_INVALID, 0, 0,
		"spec.port 81 is no TCP port of Service web; it has http (8080)" },
	{ "a number that only the Service has", { HTTP, METRICS }, { E_METRICS }, { .port = 80 }, EK_GONE, 0, 0,
		"the endpoint 10.0.0.1 does not have the port of Service web" },
	{ "a number that only the Service aims at", { HTTP, METRICS }, { E_METRICS }, { .port = 8080 }, EK_GONE, 0, 0,
		"the endpoint 10.0.0.1 does not have the port of Service web" },
	{ "a number of another protocol", { HTTP }, { E_HTTP, E_DNS }, { .port = 8053 }, EK_INVALID, 0, 0,
		"spec.port 8053 is no TCP port of Service web; it has http (8080)" },
	/* unset */
	{ "the only port", { METRICS }, { E_METRICS }, { .port = 0 }, EK_OK, 9091, 0, NULL },
	{ "the only port, named differently in a slice of its own", { METRICS }, { { "", 9091, 0, NULL } }, { .port = 0 }, EK_OK, 9091, 0, NULL },
	{ "the only TCP port", { METRICS, { "dns", 53, 8053, "UDP" } }, { E_DNS, E_METRICS }, { .port = 0 }, EK_OK, 9091, 0, NULL },
	{ "http among several", { METRICS, HTTP }, { E_METRICS, E_HTTP }, { .port = 0 }, EK_OK, 8080, 0, NULL },
	{ "several and none is http", { METRICS, HTTPS }, { E_METRICS, E_HTTPS }, { .port = 0 }, EK_INVALID, 0, 0,
		"set spec.port: Service web has several ports and none named http: metrics (9091), https (8443)" },
	{ "a pod that lacks http keeps its only port for itself", { HTTP, METRICS }, { E_METRICS }, { .port = 0 }, EK_GONE, 0, 0,
		"the endpoint 10.0.0.1 does not have the port of Service web" },
	{ "a Service without ports: the endpoint's only one", { { NULL } }, { E_METRICS }, { .port = 0 }, EK_OK, 9091, 0, NULL },
	{ "a Service without ports: the endpoint's http", { { NULL } }, { E_METRICS, E_HTTP }, { .port = 0 }, EK_OK, 8080, 0, NULL },
	{ "no ports at all", { { NULL } }, { { NULL } }, { .port = 0 }, EK_INVALID, 0, 0, "Service web has no TCP port" },
	{ "an endpoint without ports", { HTTP }, { { NULL } }, { .port = 0 }, EK_GONE, 0, 0, "the endpoint 10.0.0.1 does not have the port of Service web" },
	{ "an endpoint without ports, a name nobody has", { HTTP }, { { NULL } }, { .port_name = "web" }, EK_INVALID, 0, 0,
		"spec.port \"web\" is no TCP port of Service web; it has http (80)" },
	/* secure */
	{ "the chosen port is the secure one", { HTTPS }, { E_HTTPS }, { .is_secure = 1 }, EK_OK, 0, 8443, NULL },
	{ "a secure port of its own", { HTTP, HTTPS }, { E_HTTP, E_HTTPS }, { .is_secure = 1, .secure_port_name = "https" }, EK_OK, 8080, 8443, NULL },
	{ "a secure port beside the preferred one", { HTTP, HTTPS }, { E_HTTP, E_HTTPS }, { .port_name = "http", .secure_port = 443 }, EK_OK, 8080, 8443, NULL },
	{ "the only port is the secure port", { HTTPS }, { E_HTTPS }, { .secure_port_name = "https" }, EK_OK, 0, 8443, NULL },
	{ "the same port for both, said twice", { HTTPS }, { E_HTTPS }, { .port_name = "https", .secure_port_name = "https" }, EK_OK, 8443, 8443, NULL },
	{ "a secure port that nobody has", { HTTP }, { E_HTTP }, { .is_secure = 1, .secure_port_name = "https" }, EK_INVALID, 0, 0,
		"spec.instance.securePort \"https\" is no TCP port of Service web; it has http (8080)" },
	{ "a secure port that only the Service has", { HTTP, HTTPS }, { E_HTTP }, { .is_secure = 1, .secure_port_name = "https" }, EK_GONE, 0, 0,
		"the endpoint 10.0.0.1 does not have the port of Service web" },
};

static void check(const struct a_case *c)
{
	struct ek_service_port service_ports[4];
	struct ek_port ports[4];
	const struct ek_service_port *service_at[4];
	const struct ek_port *at[4];
	struct ek_service service = { .size = sizeof(service), .namespace_ = "shop", .name = "web", .ports = service_at };
	struct ek_endpoint endpoint = { .size = sizeof(endpoint), .address = "10.0.0.1", .ports = at };
	struct ek_instance instance = { .size = sizeof(instance), .port = -1, .secure_port = -1, .flags = EK_INSTANCE_PRIMARY_SECURE };
	struct ek_error err = EK_ERROR_INIT;
	uint32_t n;
	int code;

	for (n = 0; n < 4 && c->service[n].name; n++) {
		service_ports[n] = (struct ek_service_port){ .size = sizeof(service_ports[n]), .name = c->service[n].name, .port = c->service[n].port,
			.target_port = c->service[n].target, .protocol = c->service[n].protocol ? c->service[n].protocol : "TCP" };
		service_at[n] = &service_ports[n];
	}
	service.n_ports = n;
	for (n = 0; n < 4 && c->endpoint[n].name; n++) {
		ports[n] = (struct ek_port){ .size = sizeof(ports[n]), .name = c->endpoint[n].name, .number = c->endpoint[n].port,
			.protocol = c->endpoint[n].protocol ? c->endpoint[n].protocol : "TCP" };
		at[n] = &ports[n];
	}
	endpoint.n_ports = n;

	code = ek_pick_ports(&c->syncer, &service, &endpoint, &instance, &err);
	if (code != c->code || (code == EK_OK && (instance.port != c->port || instance.secure_port != c->secure_port)) ||
		(code != EK_OK && strcmp(err.message, c->message) != 0))
		fail_msg("%s: %d, port %d, secure %d, \"%s\"", c->what, code, instance.port, instance.secure_port, err.message);
	assert_string_equal(err.reason, code == EK_INVALID ? "PortNotFound" : "");
	if (code == EK_OK)
		assert_int_equal(instance.flags, c->syncer.is_secure ? EK_INSTANCE_PRIMARY_SECURE : 0);
	else
		assert_true(instance.port == -1 && instance.secure_port == -1 && instance.flags == EK_INSTANCE_PRIMARY_SECURE);
}

static void the_port_is_chosen_by_the_rules_that_all_modes_share(void **state)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check(&cases[i]);
}

static void many_ports_are_listed_as_far_as_they_fit(void **state)
{
	static const char name[] = "a-port-name-ab"; /* 15 bytes is the API's limit */
	struct ek_service_port declared[40];
	const struct ek_service_port *at[40];
	struct ek_service service = { .size = sizeof(service), .name = "web", .ports = at, .n_ports = 40 };
	struct ek_endpoint endpoint = { .size = sizeof(endpoint), .address = "10.0.0.1" };
	struct ek_syncer syncer = { .size = sizeof(syncer), .port_name = "x" };
	struct ek_instance instance = { .size = sizeof(instance) };
	struct ek_error err = EK_ERROR_INIT;

	for (int i = 0; i < 40; i++) {
		declared[i] = (struct ek_service_port){ .size = sizeof(declared[i]), .name = name, .port = 10000 + i, .protocol = "TCP" };
		at[i] = &declared[i];
	}
	assert_int_equal(ek_pick_ports(&syncer, &service, &endpoint, &instance, &err), EK_INVALID);
	assert_non_null(strstr(err.message, "it has a-port-name-ab (10000), a-port-name-ab (10001)"));
	assert_int_equal(err.message[strlen(err.message) - 1], ')');
}

static void an_option_is_found_by_name(void **state)
{
	const struct ek_option_value one = { .size = sizeof(one), .name = "one" }, two = { .size = sizeof(two), .name = "two" };
	const struct ek_option_value *const options[] = { &one, &two };

	assert_ptr_equal(ek_option_find(options, 2, "two"), &two);
	assert_null(ek_option_find(options, 2, "three"));
	assert_null(ek_option_find(options, 1, "two"));
	assert_null(ek_option_find(NULL, 0, "one"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_port_is_chosen_by_the_rules_that_all_modes_share),
		cmocka_unit_test(many_ports_are_listed_as_far_as_they_fit),
		cmocka_unit_test(an_option_is_found_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
