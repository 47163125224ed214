/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where every field of every public structure lies. A number here changes only together with the ABI version in plugin.h: append a line, never edit one.
 * That the tables name all fields follows from each field beginning where the one before it ends. Next: sdk-headers/eurekube/types.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Padding in a public structure does not compile here. */
#pragma GCC diagnostic push
#pragma GCC diagnostic error "-Wpadded"
#include <eurekube/types.h>

#include <eurekube/error.h>
#include <eurekube/host.h>
#include <eurekube/instance.h>
#include <eurekube/mode.h>
#include <eurekube/plugin.h>
#include <eurekube/registry.h>
#pragma GCC diagnostic pop

#include <cmocka.h>

struct field {
	const char *name;
	size_t offset, bytes;       /* as they are */
	size_t offset_then, bytes_then; /* as they were when the field was published */
};

#define FIELD(type, field, offset_then, bytes_then) \
	{ #field, offsetof(struct type, field), sizeof(((struct type *)0)->field), offset_then, bytes_then }

static const struct field fields_of_ek_pair[] = {
	FIELD(ek_pair, size, 0, 4),
	FIELD(ek_pair, reserved, 4, 4),
	FIELD(ek_pair, key, 8, 8),
	FIELD(ek_pair, value, 16, 8),
};

static const struct field fields_of_ek_error[] = {
	FIELD(ek_error, size, 0, 4),
	FIELD(ek_error, code, 4, 4),
	FIELD(ek_error, os_errno, 8, 4),
	FIELD(ek_error, http_status, 12, 4),
	FIELD(ek_error, curl_code, 16, 4),
	FIELD(ek_error, reserved, 20, 4),
	FIELD(ek_error, retry_after_ms, 24, 8),
	FIELD(ek_error, reason, 32, 64),
	FIELD(ek_error, origin, 96, 64),
	FIELD(ek_error, object, 160, 192),
	FIELD(ek_error, message, 352, 256),
};

static const struct field fields_of_ek_instance[] = {
	FIELD(ek_instance, size, 0, 4),
	FIELD(ek_instance, status, 4, 4),
	FIELD(ek_instance, id, 8, 8),
	FIELD(ek_instance, owner, 16, 8),
	FIELD(ek_instance, application, 24, 8),
	FIELD(ek_instance, name, 32, 8),
	FIELD(ek_instance, address, 40, 8),
	FIELD(ek_instance, vip_address, 48, 8),
	FIELD(ek_instance, secure_vip_address, 56, 8),
	FIELD(ek_instance, home_page_path, 64, 8),
	FIELD(ek_instance, status_page_path, 72, 8),
	FIELD(ek_instance, health_check_path, 80, 8),
	FIELD(ek_instance, zone, 88, 8),
	FIELD(ek_instance, node_name, 96, 8),
	FIELD(ek_instance, port, 104, 4),
	FIELD(ek_instance, secure_port, 108, 4),
	FIELD(ek_instance, flags, 112, 4),
	FIELD(ek_instance, renew_seconds, 116, 4),
	FIELD(ek_instance, lease_seconds, 120, 4),
	FIELD(ek_instance, n_metadata, 124, 4),
	FIELD(ek_instance, metadata, 128, 8),
	FIELD(ek_instance, n_options, 136, 4),
	FIELD(ek_instance, reserved, 140, 4),
	FIELD(ek_instance, options, 144, 8),
	FIELD(ek_instance, source_service, 152, 8),
	FIELD(ek_instance, source, 160, 8),
};

static const struct field fields_of_ek_option[] = {
	FIELD(ek_option, size, 0, 4),
	FIELD(ek_option, type, 4, 4),
	FIELD(ek_option, flags, 8, 4),
	FIELD(ek_option, reserved, 12, 4),
	FIELD(ek_option, name, 16, 8),
	FIELD(ek_option, default_value, 24, 8),
	FIELD(ek_option, choices, 32, 8),
	FIELD(ek_option, help, 40, 8),
	FIELD(ek_option, minimum, 48, 8),
	FIELD(ek_option, maximum, 56, 8),
};

static const struct field fields_of_ek_option_value[] = {
	FIELD(ek_option_value, size, 0, 4),
	FIELD(ek_option_value, type, 4, 4),
	FIELD(ek_option_value, name, 8, 8),
	FIELD(ek_option_value, text, 16, 8),
	FIELD(ek_option_value, integer, 24, 8),
	FIELD(ek_option_value, list, 32, 8),
	FIELD(ek_option_value, n_list, 40, 4),
	FIELD(ek_option_value, is_set, 44, 4),
};

static const struct field fields_of_ek_plugin[] = {
	FIELD(ek_plugin, size, 0, 4),
	FIELD(ek_plugin, abi_major, 4, 2),
	FIELD(ek_plugin, abi_minor, 6, 2),
	FIELD(ek_plugin, kind, 8, 4),
	FIELD(ek_plugin, reserved, 12, 4),
	FIELD(ek_plugin, name, 16, 8),
	FIELD(ek_plugin, version, 24, 8),
	FIELD(ek_plugin, build_id, 32, 8),
	FIELD(ek_plugin, options, 40, 8),
	FIELD(ek_plugin, instance_options, 48, 8),
	FIELD(ek_plugin, ops, 56, 8),
};

static const struct field fields_of_ek_plugin_note[] = {
	FIELD(ek_plugin_note, name_size, 0, 4),
	FIELD(ek_plugin_note, description_size, 4, 4),
	FIELD(ek_plugin_note, type, 8, 4),
	FIELD(ek_plugin_note, name, 12, 12),
	FIELD(ek_plugin_note, abi_major, 24, 2),
	FIELD(ek_plugin_note, abi_minor, 26, 2),
	FIELD(ek_plugin_note, kind, 28, 4),
};

static const struct field fields_of_ek_http_response[] = {
	FIELD(ek_http_response, size, 0, 4),
	FIELD(ek_http_response, code, 4, 4),
	FIELD(ek_http_response, http_status, 8, 4),
	FIELD(ek_http_response, body_bytes, 12, 4),
	FIELD(ek_http_response, retry_after_ms, 16, 8),
	FIELD(ek_http_response, body, 24, 8),
	FIELD(ek_http_response, content_type, 32, 8),
	FIELD(ek_http_response, message, 40, 8),
};

static const struct field fields_of_ek_http_request[] = {
	FIELD(ek_http_request, size, 0, 4),
	FIELD(ek_http_request, lane, 4, 4),
	FIELD(ek_http_request, method, 8, 8),
	FIELD(ek_http_request, url, 16, 8),
	FIELD(ek_http_request, headers, 24, 8),
	FIELD(ek_http_request, n_headers, 32, 4),
	FIELD(ek_http_request, body_bytes, 36, 4),
	FIELD(ek_http_request, body, 40, 8),
	FIELD(ek_http_request, connect_timeout_ms, 48, 4),
	FIELD(ek_http_request, timeout_ms, 52, 4),
	FIELD(ek_http_request, max_body_bytes, 56, 4),
	FIELD(ek_http_request, accept_gzip, 60, 4),
	FIELD(ek_http_request, arg, 64, 8),
	FIELD(ek_http_request, on_body, 72, 8),
	FIELD(ek_http_request, on_done, 80, 8),
};

static const struct field fields_of_ek_host[] = {
	FIELD(ek_host, size, 0, 4),
	FIELD(ek_host, reserved, 4, 4),
	FIELD(ek_host, log, 8, 8),
	FIELD(ek_host, now_ms, 16, 8),
	FIELD(ek_host, wall_ms, 24, 8),
	FIELD(ek_host, timer_start, 32, 8),
	FIELD(ek_host, timer_stop, 40, 8),
	FIELD(ek_host, post, 48, 8),
	FIELD(ek_host, http, 56, 8),
	FIELD(ek_host, http_cancel, 64, 8),
	FIELD(ek_host, fd_watch, 72, 8),
	FIELD(ek_host, fd_update, 80, 8),
	FIELD(ek_host, fd_stop, 88, 8),
	FIELD(ek_host, count, 96, 8),
	FIELD(ek_host, gauge, 104, 8),
	FIELD(ek_host, option, 112, 8),
	FIELD(ek_host, secret, 120, 8),
	FIELD(ek_host, op_done, 128, 8),
	FIELD(ek_host, list_entry, 136, 8),
	FIELD(ek_host, lost, 144, 8),
	FIELD(ek_host, changed, 152, 8),
	FIELD(ek_host, closed, 160, 8),
};

static const struct field fields_of_ek_port[] = {
	FIELD(ek_port, size, 0, 4),
	FIELD(ek_port, number, 4, 4),
	FIELD(ek_port, name, 8, 8),
	FIELD(ek_port, protocol, 16, 8),
	FIELD(ek_port, app_protocol, 24, 8),
};

static const struct field fields_of_ek_endpoint[] = {
	FIELD(ek_endpoint, size, 0, 4),
	FIELD(ek_endpoint, flags, 4, 4),
	FIELD(ek_endpoint, address, 8, 8),
	FIELD(ek_endpoint, pod_name, 16, 8),
	FIELD(ek_endpoint, pod_uid, 24, 8),
	FIELD(ek_endpoint, node_name, 32, 8),
	FIELD(ek_endpoint, zone, 40, 8),
	FIELD(ek_endpoint, hostname, 48, 8),
	FIELD(ek_endpoint, pod, 56, 8),
	FIELD(ek_endpoint, ports, 64, 8),
	FIELD(ek_endpoint, n_ports, 72, 4),
	FIELD(ek_endpoint, ip_family, 76, 4),
};

static const struct field fields_of_ek_service_port[] = {
	FIELD(ek_service_port, size, 0, 4),
	FIELD(ek_service_port, port, 4, 4),
	FIELD(ek_service_port, node_port, 8, 4),
	FIELD(ek_service_port, target_port, 12, 4),
	FIELD(ek_service_port, name, 16, 8),
	FIELD(ek_service_port, protocol, 24, 8),
	FIELD(ek_service_port, target_name, 32, 8),
};

static const struct field fields_of_ek_ingress_point[] = {
	FIELD(ek_ingress_point, size, 0, 4),
	FIELD(ek_ingress_point, reserved, 4, 4),
	FIELD(ek_ingress_point, ip, 8, 8),
	FIELD(ek_ingress_point, hostname, 16, 8),
};

static const struct field fields_of_ek_service[] = {
	FIELD(ek_service, size, 0, 4),
	FIELD(ek_service, type, 4, 4),
	FIELD(ek_service, namespace_, 8, 8),
	FIELD(ek_service, name, 16, 8),
	FIELD(ek_service, uid, 24, 8),
	FIELD(ek_service, external_name, 32, 8),
	FIELD(ek_service, flags, 40, 4),
	FIELD(ek_service, n_cluster_ips, 44, 4),
	FIELD(ek_service, cluster_ips, 48, 8),
	FIELD(ek_service, n_labels, 56, 4),
	FIELD(ek_service, n_ports, 60, 4),
	FIELD(ek_service, labels, 64, 8),
	FIELD(ek_service, ports, 72, 8),
	FIELD(ek_service, n_ingress, 80, 4),
	FIELD(ek_service, n_endpoints, 84, 4),
	FIELD(ek_service, ingress, 88, 8),
	FIELD(ek_service, endpoints, 96, 8),
};

static const struct field fields_of_ek_pod[] = {
	FIELD(ek_pod, size, 0, 4),
	FIELD(ek_pod, n_labels, 4, 4),
	FIELD(ek_pod, namespace_, 8, 8),
	FIELD(ek_pod, name, 16, 8),
	FIELD(ek_pod, uid, 24, 8),
	FIELD(ek_pod, labels, 32, 8),
};

static const struct field fields_of_ek_node[] = {
	FIELD(ek_node, size, 0, 4),
	FIELD(ek_node, flags, 4, 4),
	FIELD(ek_node, name, 8, 8),
	FIELD(ek_node, zone, 16, 8),
	FIELD(ek_node, n_addresses, 24, 4),
	FIELD(ek_node, n_labels, 28, 4),
	FIELD(ek_node, addresses, 32, 8),
	FIELD(ek_node, labels, 40, 8),
};

static const struct field fields_of_ek_cluster[] = {
	FIELD(ek_cluster, size, 0, 4),
	FIELD(ek_cluster, n_services, 4, 4),
	FIELD(ek_cluster, services, 8, 8),
	FIELD(ek_cluster, n_nodes, 16, 4),
	FIELD(ek_cluster, reserved, 20, 4),
	FIELD(ek_cluster, nodes, 24, 8),
	FIELD(ek_cluster, n_resources, 32, 4),
	FIELD(ek_cluster, reserved_too, 36, 4),
	FIELD(ek_cluster, resources, 40, 8),
};

static const struct field fields_of_ek_tree[] = {
	FIELD(ek_tree, size, 0, 4),
	FIELD(ek_tree, kind, 4, 4),
	FIELD(ek_tree, key, 8, 8),
	FIELD(ek_tree, text, 16, 8),
	FIELD(ek_tree, n_children, 24, 4),
	FIELD(ek_tree, reserved, 28, 4),
	FIELD(ek_tree, children, 32, 8),
};

static const struct field fields_of_ek_object[] = {
	FIELD(ek_object, size, 0, 4),
	FIELD(ek_object, reserved, 4, 4),
	FIELD(ek_object, namespace_, 8, 8),
	FIELD(ek_object, name, 16, 8),
	FIELD(ek_object, uid, 24, 8),
	FIELD(ek_object, root, 32, 8),
};

static const struct field fields_of_ek_object_list[] = {
	FIELD(ek_object_list, size, 0, 4),
	FIELD(ek_object_list, n_objects, 4, 4),
	FIELD(ek_object_list, objects, 8, 8),
};

static const struct field fields_of_ek_resource_read[] = {
	FIELD(ek_resource_read, size, 0, 4),
	FIELD(ek_resource_read, is_namespaced, 4, 4),
	FIELD(ek_resource_read, group, 8, 8),
	FIELD(ek_resource_read, version, 16, 8),
	FIELD(ek_resource_read, plural, 24, 8),
	FIELD(ek_resource_read, n_fields, 32, 4),
	FIELD(ek_resource_read, reserved, 36, 4),
	FIELD(ek_resource_read, fields, 40, 8),
};

static const struct field fields_of_ek_syncer[] = {
	FIELD(ek_syncer, size, 0, 4),
	FIELD(ek_syncer, is_secure, 4, 4),
	FIELD(ek_syncer, namespace_, 8, 8),
	FIELD(ek_syncer, name, 16, 8),
	FIELD(ek_syncer, uid, 24, 8),
	FIELD(ek_syncer, application, 32, 8),
	FIELD(ek_syncer, port_name, 40, 8),
	FIELD(ek_syncer, secure_port_name, 48, 8),
	FIELD(ek_syncer, port, 56, 4),
	FIELD(ek_syncer, secure_port, 60, 4),
	FIELD(ek_syncer, n_options, 64, 4),
	FIELD(ek_syncer, reserved, 68, 4),
	FIELD(ek_syncer, options, 72, 8),
};

static const struct field fields_of_ek_sink[] = {
	FIELD(ek_sink, size, 0, 4),
	FIELD(ek_sink, reserved, 4, 4),
	FIELD(ek_sink, emit, 8, 8),
};

static const struct field fields_of_ek_mode_ops[] = {
	FIELD(ek_mode_ops, size, 0, 4),
	FIELD(ek_mode_ops, flags, 4, 4),
	FIELD(ek_mode_ops, reads, 8, 4),
	FIELD(ek_mode_ops, reserved, 12, 4),
	FIELD(ek_mode_ops, create, 16, 8),
	FIELD(ek_mode_ops, destroy, 24, 8),
	FIELD(ek_mode_ops, reads_of, 32, 8),
	FIELD(ek_mode_ops, desired, 40, 8),
	FIELD(ek_mode_ops, resources_of, 48, 8),
};

static const struct field fields_of_ek_op[] = {
	FIELD(ek_op, size, 0, 4),
	FIELD(ek_op, kind, 4, 4),
	FIELD(ek_op, token, 8, 8),
	FIELD(ek_op, application, 16, 8),
	FIELD(ek_op, id, 24, 8),
	FIELD(ek_op, instance, 32, 8),
	FIELD(ek_op, revision, 40, 8),
	FIELD(ek_op, status, 48, 4),
	FIELD(ek_op, timeout_ms, 52, 4),
};

static const struct field fields_of_ek_entry[] = {
	FIELD(ek_entry, size, 0, 4),
	FIELD(ek_entry, flags, 4, 4),
	FIELD(ek_entry, application, 8, 8),
	FIELD(ek_entry, id, 16, 8),
	FIELD(ek_entry, instance, 24, 8),
	FIELD(ek_entry, revision, 32, 8),
	FIELD(ek_entry, status, 40, 4),
	FIELD(ek_entry, reserved, 44, 4),
};

static const struct field fields_of_ek_result[] = {
	FIELD(ek_result, size, 0, 4),
	FIELD(ek_result, code, 4, 4),
	FIELD(ek_result, revision, 8, 8),
	FIELD(ek_result, retry_after_ms, 16, 8),
	FIELD(ek_result, http_status, 24, 4),
	FIELD(ek_result, reserved, 28, 4),
	FIELD(ek_result, entry, 32, 8),
	FIELD(ek_result, message, 40, 8),
};

static const struct field fields_of_ek_scope[] = {
	FIELD(ek_scope, size, 0, 4),
	FIELD(ek_scope, n_applications, 4, 4),
	FIELD(ek_scope, applications, 8, 8),
	FIELD(ek_scope, owner_prefix, 16, 8),
};

static const struct field fields_of_ek_registry_traits[] = {
	FIELD(ek_registry_traits, size, 0, 4),
	FIELD(ek_registry_traits, flags, 4, 4),
	FIELD(ek_registry_traits, lease_kind, 8, 4),
	FIELD(ek_registry_traits, max_batch, 12, 4),
	FIELD(ek_registry_traits, renew_ms, 16, 8),
	FIELD(ek_registry_traits, lease_ms, 24, 8),
	FIELD(ek_registry_traits, list_age_ms, 32, 8),
	FIELD(ek_registry_traits, same_id_gap_ms, 40, 8),
};

static const struct field fields_of_ek_registry_ops[] = {
	FIELD(ek_registry_ops, size, 0, 4),
	FIELD(ek_registry_ops, flags, 4, 4),
	FIELD(ek_registry_ops, create, 8, 8),
	FIELD(ek_registry_ops, close, 16, 8),
	FIELD(ek_registry_ops, traits, 24, 8),
	FIELD(ek_registry_ops, apply, 32, 8),
	FIELD(ek_registry_ops, list, 40, 8),
	FIELD(ek_registry_ops, probe, 48, 8),
	FIELD(ek_registry_ops, cancel, 56, 8),
};

static const struct {
	const char *name;
	size_t bytes, bytes_then;
	const struct field *fields;
	size_t n_fields;
} structures[] = {
#define STRUCTURE(type, bytes_then) \
	{ #type, sizeof(struct type), bytes_then, fields_of_##type, sizeof(fields_of_##type) / sizeof(fields_of_##type[0]) }
	STRUCTURE(ek_pair, 24),
	STRUCTURE(ek_error, 608),
	STRUCTURE(ek_instance, 168),
	STRUCTURE(ek_option, 64),
	STRUCTURE(ek_option_value, 48),
	STRUCTURE(ek_plugin, 64),
	STRUCTURE(ek_plugin_note, 32),
	STRUCTURE(ek_http_response, 48),
	STRUCTURE(ek_http_request, 88),
	STRUCTURE(ek_host, 168),
	STRUCTURE(ek_port, 32),
	STRUCTURE(ek_endpoint, 80),
	STRUCTURE(ek_service_port, 40),
	STRUCTURE(ek_ingress_point, 24),
	STRUCTURE(ek_service, 104),
	STRUCTURE(ek_pod, 40),
	STRUCTURE(ek_node, 48),
	STRUCTURE(ek_cluster, 48),
	STRUCTURE(ek_tree, 40),
	STRUCTURE(ek_object, 40),
	STRUCTURE(ek_object_list, 16),
	STRUCTURE(ek_resource_read, 48),
	STRUCTURE(ek_syncer, 80),
	STRUCTURE(ek_sink, 16),
	STRUCTURE(ek_mode_ops, 56),
	STRUCTURE(ek_op, 56),
	STRUCTURE(ek_entry, 48),
	STRUCTURE(ek_result, 48),
	STRUCTURE(ek_scope, 24),
	STRUCTURE(ek_registry_traits, 48),
	STRUCTURE(ek_registry_ops, 64),
};
#define N_STRUCTURES (sizeof(structures) / sizeof(structures[0]))

static void no_field_has_moved(void **state)
{
	for (size_t i = 0; i < N_STRUCTURES; i++) {
		for (size_t k = 0; k < structures[i].n_fields; k++) {
			const struct field *field = &structures[i].fields[k];

			if (field->offset != field->offset_then || field->bytes != field->bytes_then)
				fail_msg("%s.%s: %zu bytes at %zu; it was published as %zu at %zu", structures[i].name, field->name, field->bytes,
					field->offset, field->bytes_then, field->offset_then);
		}
	}
}

static void each_structure_has_its_published_size(void **state)
{
	for (size_t i = 0; i < N_STRUCTURES; i++)
		if (structures[i].bytes != structures[i].bytes_then)
			fail_msg("%s has %zu bytes; it was published with %zu", structures[i].name, structures[i].bytes, structures[i].bytes_then);
}

static void the_tables_name_every_field_and_there_are_no_gaps(void **state)
{
	for (size_t i = 0; i < N_STRUCTURES; i++) {
		size_t end = 0;

		for (size_t k = 0; k < structures[i].n_fields; k++) {
			const struct field *field = &structures[i].fields[k];

			if (field->offset != end)
				fail_msg("%s: between byte %zu and %s at %zu something is missing here", structures[i].name, end, field->name, field->offset);
			end = field->offset + field->bytes;
		}
		if (end != structures[i].bytes)
			fail_msg("%s: behind byte %zu of %zu something is missing here", structures[i].name, end, structures[i].bytes);
	}
}

/* The ELF note is laid out by others. */
static void every_structure_begins_with_its_size(void **state)
{
	for (size_t i = 0; i < N_STRUCTURES; i++) {
		const struct field *first = &structures[i].fields[0];

		if (strcmp(structures[i].name, "ek_plugin_note") == 0)
			continue;
		if (strcmp(first->name, "size") != 0 || first->bytes != sizeof(uint32_t))
			fail_msg("%s begins with %s", structures[i].name, first->name);
	}
}

/* Names of our own for numbers that are frozen. */
static void the_numbers_of_the_border_are_frozen(void **state)
{
	assert_int_equal(EK_ABI_MAJOR, 0);
	assert_int_equal(EK_ABI_MINOR, 2);
	assert_string_equal(EK_PLUGIN_ENTRY_SYMBOL, "ek_plugin_entry_v0");
	assert_int_equal(EK_OK, 0);
	assert_int_equal(EK_CANCELLED, 11);
	assert_int_equal(EK_PLUGIN_MODE, 1);
	assert_int_equal(EK_PLUGIN_REGISTRY, 2);
	assert_int_equal(EK_OPTION_ENUM, 6);
	assert_int_equal(EK_STATUS_UP, 1);
	assert_int_equal(EK_STATUS_UNKNOWN, 5);
	assert_int_equal(EK_OP_PUT, 1);
	assert_int_equal(EK_OP_GET, 5);
	assert_int_equal(EK_LEASE_SESSION, 2);
	assert_int_equal(EK_REGISTRY_LISTS_BY_APPLICATION, 4);
	assert_int_equal(EK_ENTRY_OVERRIDDEN, 2);
	assert_int_equal(EK_ENDPOINT_TERMINATING, 4);
	assert_int_equal(EK_READS_NODES, 8);
	assert_int_equal(EK_TREE_OBJECT, 6);
	assert_int_equal(EK_SERVICE_EXTERNAL_NAME, 4);
	assert_int_equal(EK_FD_WRITABLE, 2);
	assert_int_equal(EK_HTTP_LANE_RENEW, 1);
	assert_string_equal(EK_MARK_OWNER, "eurekube.owner");
	assert_string_equal(EK_MARK_DIGEST, "eurekube.digest");
	assert_string_equal(EK_MARK_POD, "eurekube.pod");
}

/* What a later reader asks before it touches a field that an earlier creator did not know. */
static void has_tells_what_the_creator_knew(void **state)
{
	struct ek_port port = { .size = sizeof(port) };

	assert_true(EK_HAS(&port, app_protocol));
	port.size = offsetof(struct ek_port, app_protocol);
	assert_false(EK_HAS(&port, app_protocol));
	assert_true(EK_HAS(&port, protocol));
	port.size = offsetof(struct ek_port, app_protocol) + 1;
	assert_false(EK_HAS(&port, app_protocol));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_field_has_moved),
		cmocka_unit_test(each_structure_has_its_published_size),
		cmocka_unit_test(the_tables_name_every_field_and_there_are_no_gaps),
		cmocka_unit_test(every_structure_begins_with_its_size),
		cmocka_unit_test(the_numbers_of_the_border_are_frozen),
		cmocka_unit_test(has_tells_what_the_creator_knew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
