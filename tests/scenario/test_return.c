/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How soon a registry that comes back, with or without its memory, holds everything again: well before each instance's own turn.
 * What is kept while it is away is test_faults.c's.
 * Read next: tests/scenario/test_faults.c.
 */
#include "kit/world.h"

static void given_served(struct world *w, unsigned n)
{
	given_pods(w, "shop/web", n);
	given_syncer(w, "shop/web", NULL);
	when_started(w);
	within(w, 10000, fake_eureka_n(w->eureka, "WEB") == n);
	pass_ms(w, 30000);
	fake_eureka_reset_log(w->eureka);
}

SCENARIO(return, of_an_empty_eureka_is_noticed_by_three_instances_and_believed_for_all)
{
	given_served(w, 200);
	fake_eureka_restart(w->eureka);
	within(w, 4000, fake_eureka_n(w->eureka, "WEB") == 200);
	pass_ms(w, 60000);
	assert_int_equal(fake_eureka_count(w->eureka, FAKE_OP_REGISTER), 200);
}

SCENARIO(return, of_an_eureka_that_was_away_wakes_what_waits)
{
	given_served(w, 10);
	sim_fault(w->loop, EUREKA_ORIGIN, SIM_REFUSE);
	when_pod_comes(w, "shop/web", "web-11");
	pass_ms(w, 120000);
	fake_eureka_restart(w->eureka);
	sim_fault(w->loop, EUREKA_ORIGIN, SIM_OK);
	within(w, 8000, fake_eureka_n(w->eureka, "WEB") == 11);
}

int main(void)
{
	return world_run_scenarios();
}
