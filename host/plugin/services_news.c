/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a registry plugin tells: completions, entries, losses, changes and its end, handed on to the owner of the instance.
 * The owner is never called while it is itself calling the plugin: what comes then waits, copied, for the next turn.
 * Read next: eurekube/registry.h for who may tell what when, sync/registry.h for the owner.
 */
#include "plugin/services_inside.h"

#include "base/alloc.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

/* One piece of news that waits. */
struct ek_news {
	struct ek_news *next;
	struct ek_arena arena;        /* all it points to */
	bool is_completion, is_lost;  /* neither: an entry changed */
	uint64_t token;
	struct ek_result result;
	const char *why, *application, *id;
};

/* ---- Copies ---- */

static const struct ek_pair *const *copy_pairs(struct ek_arena *arena, const struct ek_pair *const *pairs, uint32_t n)
{
	const struct ek_pair **list = ek_arena_alloc(arena, (n + 1) * sizeof(*list));

	for (uint32_t i = 0; i < n; i++) {
		struct ek_pair *pair = ek_arena_alloc(arena, sizeof(*pair));

		*pair = (struct ek_pair){ .size = sizeof(*pair), .key = ek_arena_strdup(arena, pairs[i]->key),
			.value = ek_arena_strdup(arena, pairs[i]->value) };
		list[i] = pair;
	}
	return list;
}

static const struct ek_instance *copy_instance(struct ek_arena *arena, const struct ek_instance *from)
{
	struct ek_instance *to;

	if (!from)
		return NULL;
	to = ek_arena_alloc(arena, sizeof(*to));
	*to = *from;
	to->size = sizeof(*to);
#define COPY(field) to->field = ek_arena_strdup(arena, from->field)
	COPY(id);
	COPY(owner);
	COPY(application);
	COPY(name);
	COPY(address);
	COPY(vip_address);
	COPY(secure_vip_address);
	COPY(home_page_path);
	COPY(status_page_path);
	COPY(health_check_path);
	COPY(zone);
	COPY(node_name);
#undef COPY
	to->metadata = copy_pairs(arena, from->metadata, from->n_metadata);
	to->n_options = 0;
	to->options = NULL;
	to->source_service = NULL;
	to->source = NULL;
	return to;
}

static const struct ek_entry *copy_entry(struct ek_arena *arena, const struct ek_entry *from)
{
	struct ek_entry *to;

	if (!from)
		return NULL;
	to = ek_arena_alloc(arena, sizeof(*to));
	*to = *from;
	to->size = sizeof(*to);
	to->application = ek_arena_strdup(arena, from->application);
	to->id = ek_arena_strdup(arena, from->id);
	to->instance = copy_instance(arena, from->instance);
	return to;
}

/* ---- Waiting ---- */

/* NULL: too many in this call already. */
static struct ek_news *add_news(struct ek_services *services)
{
	struct ek_news *news;

	if (services->n_call_news >= EK_NEWS_MAX) {
		ek_services_blame(services, EK_MISBEHAVIOUR_TOO_MANY, "tells more than %d news in one call", EK_NEWS_MAX);
		return NULL;
	}
	services->n_call_news++;
	news = ek_xcalloc(1, sizeof(*news));

	ek_arena_init(&news->arena);
	*services->news_end = news;
	services->news_end = &news->next;
	if (!ek_timer_is_armed(&services->news_timer))
		ek_loop_arm(services->loop, &services->news_timer, 0);
	return news;
}

static struct ek_news *take_news(struct ek_services *services)
{
	struct ek_news *news = services->news;

	if (!news)
		return NULL;
	services->news = news->next;
	services->has_lost_news = services->has_lost_news && !news->is_lost;
	if (!services->news)
		services->news_end = &services->news;
	return news;
}

static void free_news(struct ek_news *news)
{
	ek_arena_clear(&news->arena);
	free(news);
}

/* True while the owner stands in the plugin's caller. */
static bool must_wait(const struct ek_services *services)
{
	return services->call.kind == EK_CALL_STARTING || services->call.kind == EK_CALL_ENDING;
}

/* ---- Telling the owner ---- */

static void tell_done(struct ek_services *services, uint64_t token, const struct ek_result *result)
{
	const struct ek_services_owner *owner = &services->config.owner;
	struct ek_call call;

	if (services->is_closed || !owner->on_op_done)
		return;
	call = ek_services_pause(services);
	owner->on_op_done(owner->arg, token, result);
	ek_services_resume(services, call);
}

static void tell_lost(struct ek_services *services, const char *why)
{
	const struct ek_services_owner *owner = &services->config.owner;
	struct ek_call call;

	if (services->is_closed || !owner->on_lost)
		return;
	call = ek_services_pause(services);
	owner->on_lost(owner->arg, why);
	ek_services_resume(services, call);
}

static void tell_changed(struct ek_services *services, const char *application, const char *id)
{
	const struct ek_services_owner *owner = &services->config.owner;
	struct ek_call call;

	if (services->is_closed || !owner->on_changed)
		return;
	call = ek_services_pause(services);
	owner->on_changed(owner->arg, application, id);
	ek_services_resume(services, call);
}

static void tell(struct ek_services *services, const struct ek_news *news)
{
	if (news->is_completion)
		tell_done(services, news->token, &news->result);
	else if (news->is_lost)
		tell_lost(services, news->why);
	else
		tell_changed(services, news->application, news->id);
}

static void on_news(void *arg)
{
	struct ek_services *services = arg;
	struct ek_news *news;

	/* The owner may free the instance in any of these. */
	services->n_paused++;
	while ((news = take_news(services))) {
		tell(services, news);
		free_news(news);
	}
	ek_services_resume(services, services->call);
}

/* ---- The slots ---- */

static void op_done(const struct ek_host *host, uint64_t token, const struct ek_result *given)
{
	struct ek_services *services = ek_services_of(host);
	char message[EK_RESULT_TEXT];
	struct ek_result result;
	struct ek_news *news;

	if (!ek_services_is_welcome(services, "op_done"))
		return;
	ek_services_take_result(services, given, message, &result);
	if (!must_wait(services)) {
		tell_done(services, token, &result);
		return;
	}
	if (services->call.kind == EK_CALL_STARTING)
		ek_services_blame(services, EK_MISBEHAVIOUR_EARLY, "completes operations inside the call that started them; a completion must come on a later turn");
	news = add_news(services);
	if (!news)
		return;
	news->is_completion = true;
	news->token = token;
	news->result = result;
	news->result.message = ek_arena_strdup(&news->arena, result.message);
	news->result.entry = copy_entry(&news->arena, result.entry);
}

/* May come inside `list`: the owner has asked for it. */
static int list_entry(const struct ek_host *host, uint64_t token, const struct ek_entry *entry)
{
	struct ek_services *services = ek_services_of(host);
	const struct ek_services_owner *owner = &services->config.owner;
	const char *wrong;
	struct ek_call call;
	int code;

	if (!ek_services_is_welcome(services, "list_entry") || !owner->on_list_entry)
		return 1;
	wrong = ek_services_judge_entry(entry);
	if (wrong)
		ek_services_blame(services, EK_MISBEHAVIOUR_GARBAGE, "lists %s", wrong);
	call = ek_services_pause(services);
	code = owner->on_list_entry(owner->arg, token, wrong ? NULL : entry);
	ek_services_resume(services, call);
	return code;
}

static void lost(const struct ek_host *host, const char *why)
{
	struct ek_services *services = ek_services_of(host);
	char text[EK_RESULT_TEXT];
	struct ek_news *news;

	if (!ek_services_is_welcome(services, "lost"))
		return;
	ek_text_copy(text, sizeof(text), why);
	news = services->has_lost_news ? NULL : add_news(services); /* once a turn is enough */
	if (!news)
		return;
	services->has_lost_news = true;
	news->is_lost = true;
	news->why = ek_arena_strdup(&news->arena, text);
}

static void changed(const struct ek_host *host, const char *application, const char *id)
{
	struct ek_services *services = ek_services_of(host);
	struct ek_news *news;

	if (!ek_services_is_welcome(services, "changed"))
		return;
	if (!ek_text_is_good(id, EK_ID_MAX) || (application && !ek_text_is_good(application, EK_TEXT_MAX))) {
		ek_services_blame(services, EK_MISBEHAVIOUR_GARBAGE, "tells of a change of an entry whose name is no text");
		return;
	}
	news = add_news(services);
	if (!news)
		return;
	news->application = ek_arena_strdup(&news->arena, application);
	news->id = ek_arena_strdup(&news->arena, id);
}

static void closed(const struct ek_host *host)
{
	struct ek_services *services = ek_services_of(host);
	const struct ek_services_owner *owner = &services->config.owner;
	struct ek_call call;

	if (!ek_services_is_welcome(services, "closed"))
		return;
	if (!services->may_close) {
		ek_services_blame(services, EK_MISBEHAVIOUR_CLOSED, "says that it is closed without having been asked to close");
		return;
	}
	__atomic_store_n(&services->is_closed, true, __ATOMIC_RELEASE);
	if (!owner->on_closed)
		return;
	call = ek_services_pause(services);
	owner->on_closed(owner->arg);
	ek_services_resume(services, call);
}

void ek_services_news_init(struct ek_services *services)
{
	struct ek_host *host = &services->host;

	services->news_end = &services->news;
	ek_timer_init(&services->news_timer, on_news, services);
	host->op_done = op_done;
	host->list_entry = list_entry;
	host->lost = lost;
	host->changed = changed;
	host->closed = closed;
}

void ek_services_news_end(struct ek_services *services)
{
	struct ek_news *news;

	ek_loop_disarm(services->loop, &services->news_timer);
	while ((news = take_news(services)))
		free_news(news);
}
