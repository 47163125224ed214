/* SPDX-License-Identifier: Apache-2.0 */
/* The readers of single objects: whatever they take, they take the same way twice, and nothing is left behind. */
#include "fuzz/fuzz.h"

#include <stdio.h>

#include "kube/records.h"
#include "kube/resources.h"
#include "kube/status.h"
#include "sync/syncer.h"

static void read_slices(struct ek_slice json, struct ek_intern *pool)
{
	struct ek_record_slice *one = NULL, *other = NULL;
	struct ek_error err = EK_ERROR_INIT;
	int code = ek_read_slice(json, pool, &one, &err);

	FUZZ_ASSERT(ek_read_slice(json, pool, &other, &err) == code);
	if (code == EK_OK) {
		FUZZ_ASSERT(ek_record_slice_equals(one, other));
		ek_record_slice_free(one, pool);
		ek_record_slice_free(other, pool);
	}
}

static void read_services(struct ek_slice json, struct ek_intern *pool)
{
	struct ek_record_service *one = NULL, *other = NULL;
	struct ek_error err = EK_ERROR_INIT;
	int code = ek_read_service(json, pool, &one, &err);

	FUZZ_ASSERT(ek_read_service(json, pool, &other, &err) == code);
	if (code == EK_OK) {
		FUZZ_ASSERT(ek_record_service_equals(one, other));
		ek_record_service_free(one, pool);
		ek_record_service_free(other, pool);
	}
}

static void read_records(struct ek_slice json, struct ek_intern *pool)
{
	static const char *const paths[] = { "spec", "metadata.labels", "status.conditions.type", "a.b" };
	static const struct ek_record_reader *const readers[] = { &ek_pod_reader, &ek_node_reader, &ek_tree_reader };
	struct ek_record *one, *other;
	struct ek_tree_fields fields;
	struct ek_arena arena;

	ek_arena_init(&arena);
	ek_tree_fields_init(&fields, paths, sizeof(paths) / sizeof(paths[0]), &arena);
	for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++) {
		int code = readers[i]->read(json, &fields, pool, &one, NULL);

		FUZZ_ASSERT(readers[i]->read(json, &fields, pool, &other, NULL) == code);
		if (code != EK_OK)
			continue;
		FUZZ_ASSERT(readers[i]->equals(one, other));
		if (readers[i] == &ek_tree_reader && !((const struct ek_record_tree *)one)->unfit)
			FUZZ_ASSERT(ek_record_tree_view((const struct ek_record_tree *)one, &arena)->root->kind == EK_TREE_OBJECT);
		ek_record_drop(readers[i], one, pool);
		ek_record_drop(readers[i], other, pool);
	}
	FUZZ_ASSERT(ek_intern_count(pool) == 0);
	ek_arena_clear(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ek_slice json = { (const char *)data, size };
	struct ek_intern *pool = ek_intern_new();
	struct ek_syncer_object *syncer = NULL;
	struct ek_kube_status status;
	struct ek_object_meta meta;
	struct ek_error err = EK_ERROR_INIT;

	read_slices(json, pool);
	read_services(json, pool);
	read_records(json, pool);
	if (ek_syncer_object_read(json, &syncer, &err) == EK_OK) {
		ek_syncer_object_check(syncer, &err);
		ek_syncer_object_free(syncer);
	}
	ek_read_object_meta(json, &meta, &err);
	ek_kube_status_read(json.at, json.n, &status);
	ek_intern_free(pool);
	return 0;
}
