/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which request carries out an operation: method and path below the server's address. It sends nothing and does not write the body of a registration (body.c
 * does). Read body.c next.
 */
#include "eureka.h"

#include <inttypes.h>
#include <stdlib.h>

bool ek_eureka_path_of_application(const char *application, char path[EK_EUREKA_PATH_MAX])
{
	memcpy(path, "apps/", 5);
	return ek_url_escape(application, path + 5, EK_EUREKA_PATH_MAX - 5) > 0;
}

/* "apps/RATING/ID" and whatever follows. */
EK_PRINTF(3, 4)
static bool write_path(char path[EK_EUREKA_PATH_MAX], const struct ek_op *op, const char *rest, ...)
{
	size_t n;
	va_list args;
	int more;

	if (!ek_eureka_path_of_application(op->application, path))
		return false;
	n = strlen(path);
	path[n++] = '/';
	if (!ek_url_escape(op->id, path + n, EK_EUREKA_PATH_MAX - n))
		return false;
	n += strlen(path + n);
	va_start(args, rest);
	more = vsnprintf(path + n, EK_EUREKA_PATH_MAX - n, rest, args);
	va_end(args);
	return more >= 0 && n + (size_t)more < EK_EUREKA_PATH_MAX;
}

/*
 * The new registration must be newer than whatever the server holds, or it would be ignored with a 204. With an override that follows it is registered as
 * STARTING: Eureka keeps an old UP when OUT_OF_SERVICE is registered over it, and an UP of a moment would draw calls.
 */
static bool describe_put(struct ek_eureka_call *call, const struct ek_op *op)
{
	int64_t wall_ms = call->eureka->host->wall_ms(call->eureka->host);

	call->revision = wall_ms > op->revision ? wall_ms : op->revision + 1;
	call->method = "POST";
	if (op->instance->status == EK_STATUS_OUT_OF_SERVICE) {
		if (!write_path(call->path, op, "/status?value=OUT_OF_SERVICE"))
			return false;
		call->then_path = strdup(call->path);
		if (!call->then_path)
			return false;
	}
	return ek_eureka_path_of_application(op->application, call->path);
}

/* With a revision that is newer than its own a server answers 404, and so tells of an update that it lost. The status is there for people who read logs. */
static bool describe_renew(struct ek_eureka_call *call, const struct ek_op *op)
{
	call->method = "PUT";
	return op->revision ? write_path(call->path, op, "?lastDirtyTimestamp=%" PRId64 "&status=UP", op->revision) :
			      write_path(call->path, op, "%s", "?status=UP");
}

/* Without a value, clearing would leave the status UNKNOWN, and renewals would be answered with 404. */
static bool describe_set_status(struct ek_eureka_call *call, const struct ek_op *op)
{
	call->method = op->status == EK_STATUS_UP ? "DELETE" : "PUT";
	return write_path(call->path, op, "/status?value=%s", ek_eureka_status_word(op->status));
}

static bool describe_plain(struct ek_eureka_call *call, const struct ek_op *op, const char *method)
{
	call->method = method;
	return write_path(call->path, op, "%s", "");
}

int ek_eureka_describe(struct ek_eureka_call *call, const struct ek_op *op, struct ek_error *err)
{
	bool is_good = false;

	switch (op->kind) {
	case EK_OP_PUT:
		is_good = describe_put(call, op);
		break;
	case EK_OP_REMOVE:
		is_good = describe_plain(call, op, "DELETE");
		break;
	case EK_OP_RENEW:
		is_good = describe_renew(call, op);
		break;
	case EK_OP_SET_STATUS:
		is_good = describe_set_status(call, op);
		break;
	case EK_OP_GET:
		is_good = describe_plain(call, op, "GET");
		break;
	default:
		return ek_fail(err, EK_PLUGIN, "an operation of kind %u is not known to this plugin", op->kind);
	}
	if (!is_good)
		return ek_fail(err, EK_TOO_BIG, "application or id is empty or too long for a path");
	return op->kind == EK_OP_PUT ? ek_eureka_write_instance(call, op->instance, err) : EK_OK;
}
