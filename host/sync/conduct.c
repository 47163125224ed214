/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeps the counters of misbehaviour, one row for each plugin and entry of the configuration that ever was. It counts nothing itself: plugin/services_check.c does.
 * Read app/metrics.c next, which prints them.
 */
#include "sync/conduct.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

#define ROWS_MAX 1000 /* names come from configurations, which may change for ever */

uint64_t *ek_conduct_of(struct ek_engine *engine, const char *plugin, const char *instance)
{
	struct ek_conduct **at = &engine->conduct;
	unsigned n = 0;

	for (; *at; at = &(*at)->next, n++)
		if (strcmp((*at)->plugin, plugin) == 0 && strcmp((*at)->instance, instance) == 0)
			return (*at)->n;
	if (n == ROWS_MAX)
		return NULL;
	*at = ek_xcalloc(1, sizeof(**at));
	snprintf((*at)->plugin, sizeof((*at)->plugin), "%s", plugin);
	snprintf((*at)->instance, sizeof((*at)->instance), "%s", instance);
	return (*at)->n;
}

void ek_conduct_clear(struct ek_engine *engine)
{
	while (engine->conduct) {
		struct ek_conduct *next = engine->conduct->next;

		free(engine->conduct);
		engine->conduct = next;
	}
}
