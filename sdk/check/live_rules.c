/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules of registry.h that can be seen kept only where the registry answers: a registry in memory, one with descriptors of its own, or any by --live.
 * Elsewhere they are skipped, and say so.
 * Read next: registry_rules.c for those that need no registry.
 */
#include "check.h"

#include "subject.h"

#include <stdlib.h>
#include <string.h>

#define OTHER "EK-CHECK-B" /* an application beside our own */
#define KNOCK_MS 5000 /* for how long a registry that does not answer is asked again */
#define IN_FLIGHT 64
#define SLACK_MS 2000

static int code_of(const struct fake_completion *done)
{
	return done ? done->code : -1;
}

static int carry_out(struct ek_subject *registry, enum ek_op_kind kind, const struct ek_instance *instance)
{
	return code_of(ek_subject_do(registry, kind, instance));
}

/* Opens a registry and knocks until it answers. False: it did not; *fault says so. */
static bool open_session(struct ek_check *check, struct ek_subject *registry, const char **fault)
{
	int64_t until_ms = ek_check_clock_ms() + KNOCK_MS;
	int code;

	if (check->is_unanswered || (check->reach == EK_REACH_HTTP && !check->live)) {
		*fault = ek_check_skip(check, "no registry answers here%s", check->reach == EK_REACH_HTTP && !check->live ? "; see --live" : "");
		return false;
	}
	*fault = ek_subject_open(check, registry);
	if (*fault)
		return false;
	while ((code = carry_out(registry, EK_OP_REMOVE, ek_subject_instance(63))) != EK_OK && code != EK_GONE && ek_check_clock_ms() < until_ms)
		fake_host_wait(registry->fake, 200);
	if (code == EK_OK || code == EK_GONE)
		return true;
	ek_subject_close(registry, NULL);
	check->is_unanswered = true;
	*fault = ek_check_skip(check, "the registry does not answer (a removal ended with code %d)", code);
	return false;
}

/* ---- Lists ---- */

static int list_by(struct ek_subject *registry, const char *const *applications, uint32_t n)
{
	uint32_t n_before = registry->fake->n_completions;
	uint64_t token;

	fake_host_forget_entries(registry->fake);
	token = ek_subject_list(registry, applications, n);
	ek_subject_settle(registry, NULL, n_before + 1);
	return code_of(fake_host_done(registry->fake, token));
}

static unsigned times_listed(const struct ek_subject *registry, const char *id, const struct fake_entry **entry)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < registry->fake->n_entries; i++) {
		if (strcmp(registry->fake->entries[i].id, id) != 0)
			continue;
		n++;
		if (entry)
			*entry = &registry->fake->entries[i];
	}
	return n;
}

/* Registries with caches list what is new only later; the traits say how much. */
static int64_t lists_settle_at(const struct ek_subject *registry)
{
	int64_t age_ms = fake_host_traits(registry->fake)->list_age_ms;

	return ek_check_clock_ms() + age_ms + (age_ms ? SLACK_MS : 0);
}

/* How often it is listed in the end; 1000 when the list failed. */
static unsigned wait_until_listed(struct ek_subject *registry, const char *id, unsigned wanted, const struct fake_entry **entry)
{
	static const char *const applications[] = { EK_SUBJECT_APPLICATION };
	int64_t until_ms = lists_settle_at(registry);
	unsigned n = 1000;

	while (list_by(registry, applications, 1) == EK_OK) {
		n = times_listed(registry, id, entry);
		if (n == wanted || ek_check_clock_ms() > until_ms)
			return n;
		fake_host_wait(registry->fake, 200);
	}
	return n;
}

/* ---- Rules ---- */

static const char *judge_entry(struct ek_check *check, const struct ek_subject *registry, const struct fake_entry *entry, const char *where)
{
	const struct ek_registry_traits *traits = fake_host_traits(registry->fake);
	const struct ek_instance *put = ek_subject_instance(0);

	if (!strstr(entry->metadata, EK_MARK_OWNER "=" EK_SUBJECT_OWNER "\n") || !strstr(entry->metadata, EK_MARK_DIGEST "=0123456789abcdef\n"))
		return ek_check_saw(check, "%s the marks came back as \"%.200s\"", where, entry->metadata);
	if (!strstr(entry->metadata, "team=a & b <c>\n"))
		return ek_check_saw(check, "%s the metadata came back as \"%.200s\"", where, entry->metadata);
	if (strcmp(entry->application, put->application) != 0 || strcmp(entry->address, put->address) != 0 || entry->port != put->port)
		return ek_check_saw(check, "%s it is %s at %s:%d", where, entry->application, entry->address, entry->port);
	if (entry->status != EK_STATUS_UP)
		return ek_check_saw(check, "%s its status is %d", where, entry->status);
	if (traits->lease_kind != EK_LEASE_NONE && !(entry->flags & EK_ENTRY_RENEWABLE))
		return ek_check_saw(check, "%s it is said to be nobody's to keep alive", where);
	return NULL;
}

static const char *put_and_read(struct ek_check *check, struct ek_subject *registry)
{
	const struct fake_completion *done;
	const struct fake_entry *entry = NULL;
	const char *fault;
	unsigned n;

	if (carry_out(registry, EK_OP_PUT, ek_subject_instance(0)) != EK_OK)
		return "a PUT failed";
	done = ek_subject_do(registry, EK_OP_GET, ek_subject_instance(0));
	if (code_of(done) != EK_OK || !done->has_entry)
		return ek_check_saw(check, "a GET of what was put ended with code %d", code_of(done));
	fault = judge_entry(check, registry, &done->entry, "in a GET");
	if (fault)
		return fault;
	n = wait_until_listed(registry, ek_subject_instance(0)->id, 1, &entry);
	if (n != 1)
		return ek_check_saw(check, "it is in the list %u times", n);
	return judge_entry(check, registry, entry, "in a list");
}

static const char *remove_and_read(struct ek_check *check, struct ek_subject *registry)
{
	unsigned n;
	int code = carry_out(registry, EK_OP_REMOVE, ek_subject_instance(0));

	if (code != EK_OK && code != EK_GONE)
		return ek_check_saw(check, "a REMOVE ended with code %d", code);
	code = carry_out(registry, EK_OP_GET, ek_subject_instance(0));
	if (code != EK_GONE)
		return ek_check_saw(check, "a GET of what was removed ended with code %d", code);
	n = wait_until_listed(registry, ek_subject_instance(0)->id, 0, NULL);
	return n ? "it is still in the list" : NULL;
}

static const char *gives_back_what_was_put(struct ek_check *check)
{
	struct ek_subject registry;
	const char *fault;

	if (!open_session(check, &registry, &fault))
		return fault;
	fault = put_and_read(check, &registry);
	if (!fault)
		fault = remove_and_read(check, &registry);
	return ek_subject_close(&registry, fault);
}

static const char *repeats_harmlessly(struct ek_check *check)
{
	struct ek_subject registry;
	const char *fault;
	int codes[4];
	unsigned n;

	if (!open_session(check, &registry, &fault))
		return fault;
	codes[0] = carry_out(&registry, EK_OP_PUT, ek_subject_instance(1));
	codes[1] = carry_out(&registry, EK_OP_PUT, ek_subject_instance(1));
	n = wait_until_listed(&registry, ek_subject_instance(1)->id, 1, NULL);
	codes[2] = carry_out(&registry, EK_OP_REMOVE, ek_subject_instance(1));
	codes[3] = carry_out(&registry, EK_OP_REMOVE, ek_subject_instance(1));
	if (codes[0] != EK_OK || codes[1] != EK_OK)
		fault = ek_check_saw(check, "two PUTs ended with codes %d and %d", codes[0], codes[1]);
	else if (n != 1)
		fault = ek_check_saw(check, "put twice, it is in the list %u times", n);
	else if (codes[2] != EK_OK || (codes[3] != EK_OK && codes[3] != EK_GONE))
		fault = ek_check_saw(check, "two REMOVEs ended with codes %d and %d", codes[2], codes[3]);
	return ek_subject_close(&registry, fault);
}

static const char *renews_nothing_that_is_gone(struct ek_check *check)
{
	struct ek_subject registry;
	const char *fault;
	int put, renewed, gone;

	if (!open_session(check, &registry, &fault))
		return fault;
	if (fake_host_traits(registry.fake)->lease_kind != EK_LEASE_INSTANCE)
		return ek_subject_close(&registry, ek_check_skip(check, "its entries are not renewed one by one"));
	put = carry_out(&registry, EK_OP_PUT, ek_subject_instance(2));
	renewed = carry_out(&registry, EK_OP_RENEW, ek_subject_instance(2));
	carry_out(&registry, EK_OP_REMOVE, ek_subject_instance(2));
	gone = carry_out(&registry, EK_OP_RENEW, ek_subject_instance(2));
	if (put != EK_OK || renewed != EK_OK)
		fault = ek_check_saw(check, "a PUT and its renewal ended with codes %d and %d", put, renewed);
	else if (gone != EK_GONE)
		fault = ek_check_saw(check, "after a REMOVE the renewal ended with code %d", gone);
	return ek_subject_close(&registry, fault);
}

/* One batch: entries that can be put, and one that is read and is not there. */
static const char *tells_each_its_own(struct ek_check *check)
{
	struct ek_subject registry;
	struct ek_op ops[3];
	const struct ek_op *list[3];
	const char *fault;
	int codes[3];
	uint32_t n_before;

	if (!open_session(check, &registry, &fault))
		return fault;
	if (fake_host_traits(registry.fake)->max_batch < 3)
		return ek_subject_close(&registry, ek_check_skip(check, "its batches hold fewer than three"));
	ops[0] = ek_subject_op(&registry, EK_OP_PUT, ek_subject_instance(3));
	ops[1] = ek_subject_op(&registry, EK_OP_GET, ek_subject_instance(4));
	ops[2] = ek_subject_op(&registry, EK_OP_PUT, ek_subject_instance(5));
	for (int i = 0; i < 3; i++)
		list[i] = &ops[i];
	n_before = registry.fake->n_completions;
	fake_host_apply_all(registry.fake, list, 3);
	ek_subject_settle(&registry, NULL, n_before + 3);
	for (int i = 0; i < 3; i++)
		codes[i] = code_of(fake_host_done(registry.fake, ops[i].token));
	carry_out(&registry, EK_OP_REMOVE, ek_subject_instance(3));
	carry_out(&registry, EK_OP_REMOVE, ek_subject_instance(5));
	if (codes[0] != EK_OK || codes[1] != EK_GONE || codes[2] != EK_OK)
		fault = ek_check_saw(check, "PUT, GET of what is not there, PUT ended with codes %d, %d, %d", codes[0], codes[1], codes[2]);
	return ek_subject_close(&registry, fault);
}

/* ---- Listing ---- */

static const char *judge_scope(struct ek_check *check, struct ek_subject *registry, const char *const *applications, uint32_t n, const char *const ids[2],
	unsigned n_wanted)
{
	int64_t until_ms = lists_settle_at(registry);
	unsigned n_missing;
	int code;

	do {
		code = list_by(registry, applications, n);
		n_missing = 0;
		for (unsigned i = 0; i < n_wanted; i++)
			n_missing += times_listed(registry, ids[i], NULL) != 1;
		if (n_missing)
			fake_host_wait(registry->fake, 200);
	} while (n_missing && code == EK_OK && ek_check_clock_ms() < until_ms);
	if (code != EK_OK)
		return ek_check_saw(check, "a list of %u applications ended with code %d", n, code);
	for (unsigned i = 0; i < n_wanted; i++)
		if (times_listed(registry, ids[i], NULL) != 1)
			return ek_check_saw(check, "a list of %s%s%s has %s %u times", n ? applications[0] : "everything", n > 1 ? " and " : "",
				n > 1 ? applications[1] : "", ids[i], times_listed(registry, ids[i], NULL));
	return NULL;
}

static const char *lists_by_scope(struct ek_check *check, struct ek_subject *registry, const char *const ids[2])
{
	static const char *const both[] = { EK_SUBJECT_APPLICATION, OTHER }, *const absent[] = { EK_SUBJECT_APPLICATION, "EK-CHECK-ABSENT" };
	const char *fault = judge_scope(check, registry, both, 2, ids, 2);

	if (!fault)
		fault = judge_scope(check, registry, both, 1, ids, 1);
	if (!fault)
		fault = judge_scope(check, registry, absent, 2, ids, 1);
	if (!fault && !(fake_host_traits(registry->fake)->flags & EK_REGISTRY_LISTS_BY_APPLICATION))
		fault = judge_scope(check, registry, NULL, 0, ids, 2);
	return fault;
}

static const char *lists_all_in_scope(struct ek_check *check)
{
	struct ek_instance one = *ek_subject_instance(6), other = *ek_subject_instance(7);
	const char *const ids[2] = { one.id, other.id };
	struct ek_subject registry;
	const char *fault;

	other.application = OTHER;
	if (!open_session(check, &registry, &fault))
		return fault;
	if (carry_out(&registry, EK_OP_PUT, &one) != EK_OK || carry_out(&registry, EK_OP_PUT, &other) != EK_OK)
		fault = "a PUT failed";
	else
		fault = lists_by_scope(check, &registry, ids);
	carry_out(&registry, EK_OP_REMOVE, &one);
	carry_out(&registry, EK_OP_REMOVE, &other);
	return ek_subject_close(&registry, fault);
}

/* The host has had enough: then a list is not complete, whatever it holds. */
static const char *stops_listing(struct ek_check *check)
{
	static const char *const applications[] = { EK_SUBJECT_APPLICATION };
	struct ek_subject registry;
	const char *fault;
	unsigned n;
	int code;

	if (!open_session(check, &registry, &fault))
		return fault;
	for (unsigned i = 8; i < 12; i++)
		if (carry_out(&registry, EK_OP_PUT, ek_subject_instance(i)) != EK_OK)
			fault = "a PUT failed";
	n = wait_until_listed(&registry, ek_subject_instance(11)->id, 1, NULL);
	registry.fake->stop_after = 1;
	code = list_by(&registry, applications, 1);
	if (!fault && n == 1 && (code != EK_CANCELLED || registry.fake->n_entries > 1))
		fault = ek_check_saw(check, "told to stop at the first of four it gave %u and ended with code %d", registry.fake->n_entries, code);
	for (unsigned i = 8; i < 12; i++)
		carry_out(&registry, EK_OP_REMOVE, ek_subject_instance(i));
	return ek_subject_close(&registry, fault);
}

/* ---- Status, and staying ---- */

static int32_t status_after(struct ek_subject *registry, const struct ek_op *op)
{
	uint32_t n_before = registry->fake->n_completions;
	const struct fake_completion *done;

	fake_host_apply_all(registry->fake, &op, 1);
	ek_subject_settle(registry, NULL, n_before + 1);
	done = ek_subject_do(registry, EK_OP_GET, ek_subject_instance(12));
	return code_of(done) == EK_OK && done->has_entry ? done->entry.status : -1;
}

static const char *sets_status(struct ek_check *check)
{
	struct ek_subject registry;
	struct ek_op set, clear;
	const char *fault;
	int32_t out, up;

	if (!open_session(check, &registry, &fault))
		return fault;
	if (!(fake_host_traits(registry.fake)->flags & EK_REGISTRY_SETS_STATUS))
		return ek_subject_close(&registry, ek_check_skip(check, "it sets none; the host puts instances with their new status"));
	if (carry_out(&registry, EK_OP_PUT, ek_subject_instance(12)) != EK_OK)
		fault = "a PUT failed";
	set = ek_subject_op(&registry, EK_OP_SET_STATUS, ek_subject_instance(12));
	out = status_after(&registry, &set);
	clear = ek_subject_op(&registry, EK_OP_SET_STATUS, ek_subject_instance(12));
	clear.status = EK_STATUS_UP;
	up = status_after(&registry, &clear);
	carry_out(&registry, EK_OP_REMOVE, ek_subject_instance(12));
	if (!fault && (out != EK_STATUS_OUT_OF_SERVICE || up != EK_STATUS_UP))
		fault = ek_check_saw(check, "set to %d it read %d, and set back to %d it read %d", EK_STATUS_OUT_OF_SERVICE, out, EK_STATUS_UP, up);
	return ek_subject_close(&registry, fault);
}

/* Two instances of the plugin before one registry, as two replicas of the host. */
static const char *stays_when_closed(struct ek_check *check)
{
	struct ek_subject first, second;
	const char *fault;
	bool is_shared;

	if (!open_session(check, &first, &fault))
		return fault;
	if (!open_session(check, &second, &fault))
		return ek_subject_close(&first, fault);
	if (carry_out(&first, EK_OP_PUT, ek_subject_instance(13)) != EK_OK)
		fault = "a PUT failed";
	is_shared = carry_out(&second, EK_OP_GET, ek_subject_instance(13)) == EK_OK;
	fault = ek_subject_close(&first, fault);
	if (!fault && !is_shared)
		fault = ek_check_skip(check, "its instances share no registry");
	else if (!fault && carry_out(&second, EK_OP_GET, ek_subject_instance(13)) != EK_OK)
		fault = "what an instance had put was gone when it had been closed";
	carry_out(&second, EK_OP_REMOVE, ek_subject_instance(13));
	return ek_subject_close(&second, fault);
}

/* ---- Ten thousand ---- */

static struct ek_instance nth(unsigned i, char id[64])
{
	struct ek_instance instance = *ek_subject_instance(0);

	snprintf(id, 64, "kit:check:" EK_SUBJECT_APPLICATION ":many-%u:8080", i);
	instance.id = id;
	return instance;
}

/* In batches, each when the one before is through. How many ended well. */
static unsigned do_many(struct ek_subject *registry, enum ek_op_kind kind)
{
	uint32_t max = fake_host_traits(registry->fake)->max_batch, n_before = registry->fake->n_completions, n_well = 0;
	int64_t until_ms = ek_check_clock_ms() + EK_CHECK_MANY_MS;
	struct ek_instance instances[IN_FLIGHT];
	struct ek_op ops[IN_FLIGHT];
	const struct ek_op *list[IN_FLIGHT];
	char ids[IN_FLIGHT][64];

	for (unsigned done = 0, n = 0; done < EK_CHECK_MANY && ek_check_clock_ms() < until_ms; done += n) {
		for (n = 0; n < max && n < IN_FLIGHT && done + n < EK_CHECK_MANY; n++) {
			instances[n] = nth(done + n, ids[n]);
			ops[n] = ek_subject_op(registry, kind, &instances[n]);
			list[n] = &ops[n];
		}
		fake_host_apply_all(registry->fake, list, n);
		if (!ek_subject_settle(registry, NULL, n_before + done + n))
			break;
	}
	for (uint32_t i = n_before; i < registry->fake->n_completions; i++)
		n_well += registry->fake->completions[i].code == EK_OK || (kind == EK_OP_REMOVE && registry->fake->completions[i].code == EK_GONE);
	return n_well;
}

static unsigned count_many(const struct ek_subject *registry)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < registry->fake->n_entries; i++)
		n += !strncmp(registry->fake->entries[i].id, "kit:check:" EK_SUBJECT_APPLICATION ":many-", sizeof("kit:check:" EK_SUBJECT_APPLICATION ":many-") - 1);
	return n;
}

static unsigned list_many(struct ek_subject *registry)
{
	static const char *const applications[] = { EK_SUBJECT_APPLICATION };
	int64_t until_ms = lists_settle_at(registry);

	while (list_by(registry, applications, 1) == EK_OK && count_many(registry) != EK_CHECK_MANY && ek_check_clock_ms() < until_ms)
		fake_host_wait(registry->fake, 200);
	return count_many(registry);
}

static const char *carries_ten_thousand(struct ek_check *check)
{
	struct ek_subject registry;
	unsigned n_put, n_listed, n_removed;
	const char *fault;

	if (!open_session(check, &registry, &fault))
		return fault;
	n_put = do_many(&registry, EK_OP_PUT);
	n_listed = n_put == EK_CHECK_MANY ? list_many(&registry) : 0;
	n_removed = do_many(&registry, EK_OP_REMOVE);
	if (n_put != EK_CHECK_MANY)
		fault = ek_check_saw(check, "of %d entries %u were put", EK_CHECK_MANY, n_put);
	else if (n_listed != EK_CHECK_MANY)
		fault = ek_check_saw(check, "of %d entries %u were listed", EK_CHECK_MANY, n_listed);
	else if (n_removed != EK_CHECK_MANY)
		fault = ek_check_saw(check, "of %d entries %u were removed", EK_CHECK_MANY, n_removed);
	return ek_subject_close(&registry, fault);
}

const struct ek_rule ek_live_rules[] = {
	{ "round-trip", "what was put is read and listed as it was put, marks included, and is gone once removed", "completion", gives_back_what_was_put },
	{ "idempotence", "putting or removing twice is as once", "round-trip", repeats_harmlessly },
	{ "renew-gone", "a renewal creates nothing: of what is not there it ends as GONE", "round-trip", renews_nothing_that_is_gone },
	{ "partial", "each operation of a batch has its own outcome", "round-trip", tells_each_its_own },
	{ "listing", "a list gives all that is in its scope, each once", "round-trip", lists_all_in_scope },
	{ "stop", "a list that the host has enough of ends as CANCELLED", "round-trip", stops_listing },
	{ "status", "a status that is set is read, and so is its end", "round-trip", sets_status },
	{ "stays", "closing deregisters nothing", "round-trip", stays_when_closed },
	{ "many", "ten thousand entries are put, listed and removed, none is lost", "listing", carries_ten_thousand },
	{ 0 },
};
