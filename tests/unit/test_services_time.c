/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose time is whose: a plugin's slow call is counted against it, the host's own work inside a completion is not.
 * Everything else about services is tested in simulated time, tests/scenario/test_services.c.
 * Read next: host/plugin/services.h.
 */
#include "plugin/services.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"

#define SLOW_MS 55

struct world {
	struct ek_loop *loop;
	struct ek_services *services;
	const struct ek_host *host;
	int64_t plugin_ms, owner_ms;
};

static void be_busy(struct ek_loop *loop, int64_t ms)
{
	int64_t until_us = ek_loop_now_us(loop) + ms * 1000;

	while (ek_loop_now_us(loop) < until_us)
		;
}

static void on_op_done(void *arg, uint64_t token, const struct ek_result *result)
{
	struct world *w = arg;

	be_busy(w->loop, w->owner_ms);
}

static void on_timer(void *arg)
{
	struct world *w = arg;
	struct ek_result result = { .size = sizeof(result), .code = EK_OK };

	be_busy(w->loop, w->plugin_ms);
	w->host->op_done(w->host, 1, &result);
}

static void stop_loop(void *arg)
{
	ek_loop_stop(((struct world *)arg)->loop);
}

static struct ek_services_stats stats_of_one_call(int64_t plugin_ms, int64_t owner_ms)
{
	static const struct ek_plugin plugin = { .size = sizeof(plugin), .name = "test", .version = "1" };
	static const struct ek_library library = { .plugin = &plugin, .label = "test/1" };
	struct world w = { .loop = ek_loop_new(), .plugin_ms = plugin_ms, .owner_ms = owner_ms };
	struct ek_services_config config = { .name = "registry main", .library = &library,
		.owner = { .on_op_done = on_op_done, .arg = &w } };
	struct ek_services_stats stats;
	struct ek_timer stop;

	w.services = ek_services_new(w.loop, NULL, &config);
	w.host = ek_services_host(w.services);
	w.host->timer_start(w.host, 0, on_timer, &w);
	ek_timer_init(&stop, stop_loop, &w);
	ek_loop_arm(w.loop, &stop, plugin_ms + owner_ms + 5);
	ek_loop_run(w.loop);
	ek_services_stats(w.services, &stats);
	ek_services_free(w.services);
	ek_loop_free(w.loop);
	return stats;
}

static void test_a_call_over_50_ms_is_counted_as_slow(void **state)
{
	struct ek_services_stats stats = stats_of_one_call(SLOW_MS, 0);

	assert_int_equal(stats.calls, 1);
	assert_int_equal(stats.slow_calls, 1);
	assert_true(stats.longest_us >= SLOW_MS * 1000);
}

static void test_the_owners_time_is_not_the_plugins(void **state)
{
	struct ek_services_stats stats = stats_of_one_call(0, SLOW_MS);

	assert_int_equal(stats.calls, 1);
	assert_int_equal(stats.slow_calls, 0);
	assert_true(stats.longest_us < SLOW_MS * 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_call_over_50_ms_is_counted_as_slow),
		cmocka_unit_test(test_the_owners_time_is_not_the_plugins),
	};

	ek_log_set_level(EK_LOG_ERROR);
	return cmocka_run_group_tests_name("services' time", tests, NULL, NULL);
}
