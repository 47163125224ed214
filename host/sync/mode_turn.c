/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asks one version of a mode: shows it the syncer with its options and the view, and takes what it emits. Turning that into complete instances is in complete.c;
 * which version is asked, and what a fault means for it, is rollout.c's. Read complete.c next.
 */
#include "sync/mode_turn.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/yaml.h"
#include "plugin/options.h"
#include "sync/complete.h"
#include "sync/reads.h"

#define OPTION_NODES_MAX 1000

static int resolve_options(struct ek_engine *engine, const char *text, const struct ek_option *const *declared, const char *what,
                           const struct ek_option_value *const **values, uint32_t *n, struct ek_error *err)
{
	const struct ek_value *given = NULL;
	int code = EK_OK;

	if (text)
		code = ek_yaml_read(text, strlen(text), OPTION_NODES_MAX, &engine->scratch, &given, err);
	if (code == EK_OK)
		code = ek_options_resolve(declared, given, what, &engine->scratch, values, n, err);
	if (code != EK_OK)
		snprintf(err->reason, sizeof(err->reason), "InvalidOptions");
	return code;
}

static int describe_syncer(struct ek_sync_syncer *syncer, const struct ek_mode_version *version, struct ek_syncer *view, struct ek_error *err)
{
	const struct ek_syncer_object *object = syncer->object;

	*view = (struct ek_syncer){
		.size = sizeof(*view), .is_secure = object->is_secure, .namespace_ = object->namespace_, .name = object->name,
		.uid = object->uid, .application = object->application, .port_name = object->port.name, .port = object->port.number,
		.secure_port_name = object->secure_port.name, .secure_port = object->secure_port.number,
	};
	return resolve_options(syncer->engine, object->mode_options, version->library->plugin->instance_options, "spec.modeOptions",
	                       &view->options, &view->n_options, err);
}

static bool fail(struct ek_mode_turn *out, int code)
{
	out->fault.code = code;
	out->fault_kind = code == EK_INVALID || code == EK_TOO_BIG ? EK_FAULT_STALLED : EK_FAULT_PASSING;
	return false;
}

/* A condition's reason is one CamelCase word, or the API server refuses the whole status. */
static bool is_reason(const char *reason)
{
	size_t n = strspn(reason, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789");

	return n && reason[n] == '\0' && (reason[0] < '0' || reason[0] > '9');
}

/* What the mode has written into the error is a stranger's text. */
static int take_failure(struct ek_mode_version *version, int code, const struct ek_error *given, struct ek_error *err)
{
	char reason[sizeof(given->reason)], message[sizeof(given->message)];

	if (code < EK_OK || code > EK_CANCELLED)
		return ek_completion_blame(version, EK_MISBEHAVIOUR_GARBAGE, err, "returned the code %d, which there is not", code);
	ek_text_copy(reason, sizeof(reason), given->reason);
	ek_text_copy(message, sizeof(message), given->message);
	if (!message[0])
		return ek_completion_blame(version, EK_MISBEHAVIOUR_GARBAGE, err, "failed with code %d and did not say why", code);
	return ek_fail_reason(err, code, is_reason(reason) ? reason : "ModeFailed", "%s", message);
}

static int ask(struct ek_completion *completion, const struct ek_syncer *view, struct ek_error *err)
{
	struct ek_mode_version *version = completion->version;
	struct ek_error given = EK_ERROR_INIT;
	int code;

	ek_services_enter(version->services);
	code = version->ops->desired(version->self, view, completion->cluster, &completion->sink, &given);
	ek_services_leave(version->services);
	ek_completion_close(completion);
	if (completion->code != EK_OK) {
		if (code == EK_OK)
			ek_services_blame(version->services, EK_MISBEHAVIOUR_REFUSED, "says EK_OK after a refusal");
		*err = completion->err;
		return completion->code;
	}
	return code == EK_OK ? EK_OK : take_failure(version, code, &given, err);
}

bool ek_mode_turn(struct ek_sync_syncer *syncer, struct ek_mode_version *version, struct ek_sync_registry *registry, const struct ek_cluster *cluster,
                  struct ek_mode_turn *out)
{
	const struct ek_option_value *const *options;
	struct ek_completion *completion = NULL;
	const struct ek_cluster *shown;
	struct ek_syncer view;
	uint32_t n_options;
	int code;

	memset(out, 0, sizeof(*out));
	shown = ek_reads_show(syncer, version, cluster, &out->is_waiting, &out->fault);
	if (!shown)
		return fail(out, out->fault.code);
	code = describe_syncer(syncer, version, &view, &out->fault);
	if (code == EK_OK)
		code = resolve_options(syncer->engine, syncer->object->registry_options, registry->library->plugin->instance_options,
		                       "spec.registryOptions", &options, &n_options, &out->fault);
	if (code == EK_OK) {
		completion = ek_completion_open(version, syncer, registry, shown, options, n_options);
		code = ask(completion, &view, &out->fault);
	}
	ek_reads_hide(version, shown);
	if (code != EK_OK) {
		version->n_failed++;
		return fail(out, code);
	}
	version->n_ok++;
	out->wanted = completion->wanted;
	out->n_wanted = completion->n;
	return true;
}
