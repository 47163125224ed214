/* SPDX-License-Identifier: Apache-2.0 */
/* One complete instance, as the host hands it to a registry plugin; a test copies it and changes what matters to it. */
#ifndef EK_KIT_SAMPLE_INSTANCE_H
#define EK_KIT_SAMPLE_INSTANCE_H

#include <eurekube/registry.h>

#define SAMPLE_ID "seoul-1:rating:RATING:rating-1:8080"

/* RATING at 10.0.0.1:8080, UP, leases 27/90, with owner mark, digest and version. */
extern const struct ek_instance sample_instance;

/* An operation on it. The instance is NULL where the kind needs none. */
struct ek_op sample_op(enum ek_op_kind kind, uint64_t token, const struct ek_instance *instance);

#endif
