/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The instance that contract tests register. Nothing here checks anything. Read fake_host.h next.
 */
#include "kit/sample_instance.h"

static const struct ek_pair digest = { .size = sizeof(digest), .key = EK_MARK_DIGEST, .value = "0123456789abcdef" };
static const struct ek_pair owner = { .size = sizeof(owner), .key = EK_MARK_OWNER, .value = "seoul-1/rating/rating" };
static const struct ek_pair version = { .size = sizeof(version), .key = "version", .value = "3" };
static const struct ek_pair *const metadata[] = { &digest, &owner, &version };

const struct ek_instance sample_instance = {
	.size = sizeof(sample_instance), .status = EK_STATUS_UP, .id = SAMPLE_ID, .owner = "seoul-1/rating/rating", .application = "RATING",
	.name = "rating-1", .address = "10.0.0.1", .vip_address = "rating", .secure_vip_address = "rating", .port = 8080, .renew_seconds = 27,
	.lease_seconds = 90, .n_metadata = 3, .metadata = metadata,
};

struct ek_op sample_op(enum ek_op_kind kind, uint64_t token, const struct ek_instance *instance)
{
	return (struct ek_op){
		.size = sizeof(struct ek_op), .kind = kind, .token = token, .application = "RATING", .id = instance ? instance->id : SAMPLE_ID,
		.instance = kind == EK_OP_PUT ? instance : NULL, .timeout_ms = 10000,
	};
}
