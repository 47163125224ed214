/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes and ends the world of a scenario, and runs the operator inside it. What happens in its cluster is in world_cluster.c; it knows
 * nothing of what a scenario wants to see.
 * Next: tests/scenario/test_serving.c.
 */
#include "kit/world.h"

#include "base/alloc.h"
#include "io/http.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

const struct ek_plugin *ek_plugin_entry_v0_pod(void);
const struct ek_plugin *ek_plugin_entry_v0_eureka(void);
const struct ek_plugin *ek_plugin_entry_v0_memory(void);

#define CONFIG_FILE "/scenario/eurekube.yaml"

const char WORLD_CONFIG[] =
	"clusterId: test\n"
	"modes:\n"
	"  pod: {plugin: pod.so}\n"
	"registries:\n"
	"  main:\n"
	"    plugin: eureka.so\n"
	"    default: true\n"
	"    options: {serviceUrls: [\"http://" EUREKA_ORIGIN "/eureka/\"], leaseSeconds: 90, renewSeconds: 27}\n"
	"  spare: {plugin: memory.so}\n";

/* ---- servers ---- */

static void on_eureka(void *arg, const struct ek_serve_request *request, struct ek_serve_exchange *exchange)
{
	struct world *w = arg;
	char application[128], id[512];

	if (w->on_cancel && !strcmp(request->method, "DELETE") && !strstr(request->path, "/status") &&
		sscanf(request->path, "/eureka/apps/%127[^/]/%511s", application, id) == 2)
		w->on_cancel(w, application, id);
	fake_eureka_handle(w->eureka, request, exchange);
}

static void open_servers(struct world *w)
{
	struct ek_serve_config kube = { .host = "kube", .port = 6443, .max_body_bytes = 3 << 20, .handle = fake_kube_handle };
	struct ek_serve_config eureka = { .host = "eureka-0", .port = 8761, .max_body_bytes = 1 << 20, .handle = on_eureka, .arg = w };

	w->kube = fake_kube_new(w->loop);
	kube.arg = w->kube;
	w->kube_serve = ek_serve_new(w->loop, &kube, NULL);
	w->eureka = fake_eureka_new(w->loop, NULL);
	w->eureka_serve = ek_serve_new(w->loop, &eureka, NULL);
}

/* What every cluster has. */
static void furnish_cluster(struct world *w)
{
	const struct fake_endpoint endpoint = { .ip = "172.16.0.1", .ready = true, .serving = true };

	fake_kube_namespace(w->kube, "kube-system");
	fake_kube_namespace(w->kube, "default");
	fake_kube_service(w->kube, &(struct fake_service){ .ns = "default", .name = "kubernetes", .port_name = "https", .port = 443 });
	fake_kube_slice(w->kube, &(struct fake_slice){ .ns = "default", .name = "kubernetes", .service = "kubernetes", .port_name = "https",
		.port = 6443, .endpoints = &endpoint, .n_endpoints = 1 });
}

/* ---- the operator ---- */

static void on_stopped(void *arg)
{
	((struct world *)arg)->is_stopped = true;
}

void given_config(struct world *w, const char *yaml)
{
	struct ek_error err = EK_ERROR_INIT;

	if (w->config)
		ek_config_free(w->config);
	if (ek_config_read(yaml, strlen(yaml), &w->config, &err) != EK_OK)
		fail_msg("configuration: %s", err.message);
	sim_file_write(CONFIG_FILE, yaml, strlen(yaml));
}

void when_config_changes(struct world *w, const char *yaml)
{
	(void)w;
	sim_file_write(CONFIG_FILE, yaml, strlen(yaml));
}

void when_launched(struct world *w)
{
	struct ek_error err = EK_ERROR_INIT;
	struct ek_app_config with = {
		.loop = w->loop, .catalog = w->catalog, .config = w->config, .kube = &w->kube_config, .config_file = CONFIG_FILE, .on_stopped = on_stopped, .arg = w,
		.listen_host = "operator", .listen_port = 8080, .debug_host = "127.0.0.1", .debug_port = 8081,
	};

	assert_null(w->app);
	w->is_stopped = false;
	w->app = ek_app_new(&with, &err);
	if (!w->app)
		fail_msg("the operator does not begin: %s", err.message);
}

bool is_open(struct world *w)
{
	return w->app && w->app->engine && ek_engine_is_open(w->app->engine);
}

void when_started(struct world *w)
{
	when_launched(w);
	within(w, 30000, is_open(w));
}

static void end_operator(struct world *w)
{
	if (!w->app)
		return;
	ek_app_stop(w->app);
	for (int i = 0; i < 10000 && !w->is_stopped; i++)
		sim_advance(w->loop, 1);
	if (!w->is_stopped)
		EK_BUG("the operator does not stop");
	ek_app_free(w->app);
	w->app = NULL;
}

void when_killed(struct world *w)
{
	assert_non_null(w->app);
	end_operator(w);
}

struct ek_sync_registry *world_registry(struct world *w, const char *name)
{
	return ek_engine_find_registry(w->app->engine, name);
}

/* ---- pages ---- */

struct page {
	char *body;
	size_t size;
	int status;
	bool is_done;
};

static void on_page(void *arg, const struct ek_http_result *result)
{
	struct page *page = arg;

	page->status = result->status;
	snprintf(page->body, page->size, "%.*s", (int)result->body_bytes, result->body ? result->body : "");
	page->is_done = true;
}

int when_asked(struct world *w, const char *url, char *body, size_t size)
{
	struct page page = { .body = body, .size = size };
	struct ek_http *http = ek_http_new(w->loop);
	struct ek_http_client *client = ek_http_client_new(http, &(struct ek_http_client_config){ .max_connections = 1 });
	struct ek_http_req request = { .method = "GET", .url = url, .timeout_ms = 5000, .on_done = on_page, .arg = &page, .max_body_bytes = 1 << 20 };

	ek_http_start(client, &request, NULL);
	soon(w, page.is_done);
	ek_http_client_free(client);
	ek_http_free(http);
	return page.status;
}

/* ---- time ---- */

void pass_ms(struct world *w, int64_t ms)
{
	sim_advance(w->loop, ms);
}

int64_t now_ms(struct world *w)
{
	return ek_loop_now_ms(w->loop);
}

/* ---- life ---- */

struct world *world_new(uint64_t seed)
{
	static char source[] = "the scenario", server[] = "https://" KUBE_ORIGIN, namespace_[] = "default", token[] = "s3cret";
	struct world *w = ek_xcalloc(1, sizeof(*w));

	w->seed = seed;
	w->loop = sim_loop_new(seed);
	w->kube_config = (struct ek_kube_config){ .source = source, .server = server, .namespace_ = namespace_, .token = token };
	w->catalog = ek_catalog_new(&(struct ek_plugin_rules){ .directory = "/nowhere" });
	ek_catalog_add_static(w->catalog, "pod.so", ek_plugin_entry_v0_pod());
	ek_catalog_add_static(w->catalog, "eureka.so", ek_plugin_entry_v0_eureka());
	ek_catalog_add_static(w->catalog, "memory.so", ek_plugin_entry_v0_memory());
	open_servers(w);
	furnish_cluster(w);
	given_config(w, WORLD_CONFIG);
	return w;
}

static void free_services(struct world *w)
{
	struct world_service *service, *next_service;
	struct world_pod *pod, *next_pod;

	for (service = w->services; service; service = next_service) {
		next_service = service->next;
		for (pod = service->pods; pod; pod = next_pod) {
			next_pod = pod->next;
			free(pod);
		}
		free(service);
	}
}

void world_free(struct world *w)
{
	sim_fault(w->loop, EUREKA_ORIGIN, SIM_OK);
	sim_fault(w->loop, KUBE_ORIGIN, SIM_OK);
	end_operator(w);
	ek_serve_free(w->kube_serve);
	ek_serve_free(w->eureka_serve);
	fake_kube_free(w->kube);
	fake_eureka_free(w->eureka);
	ek_config_free(w->config);
	ek_catalog_free(w->catalog);
	ek_loop_free(w->loop); /* aborts if anything is left */
	sim_file_clear();
	free_services(w);
	free(w);
}

/* ---- scenarios ---- */

static struct world_scenario *scenarios, **last_scenario = &scenarios;

void world_add_scenario(struct world_scenario *scenario)
{
	*last_scenario = scenario;
	last_scenario = &scenario->next;
}

uint64_t world_number(const char *variable, uint64_t otherwise)
{
	const char *text = getenv(variable);

	return text && *text ? strtoull(text, NULL, 10) : otherwise;
}

void world_choose_log(void)
{
	enum ek_log_level level = EK_LOG_ERROR;
	const char *text = getenv("EK_LOG");

	if (text && ek_log_level_parse(text, &level) == EK_OK)
		ek_log_configure(level, EK_LOG_TEXT, STDERR_FILENO);
	else
		ek_log_configure(EK_LOG_ERROR, EK_LOG_TEXT, open("/dev/null", O_WRONLY | O_CLOEXEC));
}

struct test {
	const struct world_scenario *scenario;
	struct world *w;
};

static int set_up(void **state)
{
	struct test *test = *state;

	test->w = world_new(world_number("EK_SEED", 1));
	return 0;
}

static void run(void **state)
{
	struct test *test = *state;

	test->scenario->run(test->w);
}

static int tear_down(void **state)
{
	struct test *test = *state;

	world_free(test->w);
	return 0;
}

int world_run_scenarios(void)
{
	struct CMUnitTest tests[64];
	struct test states[64];
	size_t n = 0;

	world_choose_log();
	for (struct world_scenario *at = scenarios; at && n < 64; at = at->next, n++) {
		states[n] = (struct test){ .scenario = at };
		tests[n] = (struct CMUnitTest){ .name = at->name, .test_func = run, .setup_func = set_up, .teardown_func = tear_down,
			.initial_state = &states[n] };
	}
	return _cmocka_run_group_tests("scenarios", tests, n, NULL, NULL);
}
