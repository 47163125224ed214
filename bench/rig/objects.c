/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Services and EndpointSlices as long as real ones, by number: what their controllers and Helm write into them is there, managed fields are not.
 * Nothing in them is random, so that runs compare.
 * Next: bench/view.c.
 */
#include "rig/objects.h"

static void write_endpoint(FILE *out, unsigned service, unsigned number)
{
	fprintf(out, "{\"addresses\":[\"10.%u.%u.%u\"],\"conditions\":{\"ready\":true,\"serving\":true,\"terminating\":false},\"targetRef\":{\"kind\":\"Pod\","
		     "\"namespace\":\"team-%u\",\"name\":\"service-%u-7d4b9c6f5-%05x\",\"uid\":\"%08x-1111-4222-8333-%012x\"},\"nodeName\":\"node-%u.example.internal\","
		     "\"zone\":\"zone-%c\"}",
		number >> 16 & 255, number >> 8 & 255, number & 255, service % 50, service, number, number * 2654435761u, number, number % 1000,
		"abc"[number % 3]);
}

void rig_write_slice(FILE *out, const char *head, const struct rig_slice *slice)
{
	unsigned service = slice->service;

	fprintf(out, "{%s\"metadata\":{\"name\":\"service-%u-%04x\",\"generateName\":\"service-%u-\",\"namespace\":\"team-%u\",\"uid\":\"%08x-aaaa-4bbb-8ccc-000000000000\","
		     "\"resourceVersion\":\"%u\",\"generation\":7,\"creationTimestamp\":\"2024-01-01T00:00:00Z\",\"labels\":{\"app\":\"service-%u\","
		     "\"endpointslice.kubernetes.io/managed-by\":\"endpointslice-controller.k8s.io\",\"kubernetes.io/service-name\":\"service-%u\"},\"annotations\":{"
		     "\"endpoints.kubernetes.io/last-change-trigger-time\":\"2024-01-01T00:00:0%uZ\"},\"ownerReferences\":[{\"apiVersion\":\"v1\",\"kind\":\"Service\","
		     "\"name\":\"service-%u\",\"uid\":\"%08x-dddd-4eee-8fff-000000000000\",\"controller\":true,\"blockOwnerDeletion\":true}]},\"addressType\":\"IPv4\","
		     "\"endpoints\":[",
		head, service, slice->number, service, service % 50, slice->first, slice->first + 1000, service, service, slice->second, service, service);
	for (unsigned i = 0; i < slice->n_endpoints; i++) {
		fputs(i ? "," : "", out);
		write_endpoint(out, service, slice->first + i);
	}
	fputs("],\"ports\":[{\"name\":\"http\",\"port\":8080,\"protocol\":\"TCP\"}]}", out);
}

void rig_write_service(FILE *out, const char *head, unsigned service)
{
	fprintf(out, "{%s\"metadata\":{\"name\":\"service-%u\",\"namespace\":\"team-%u\",\"uid\":\"%08x-dddd-4eee-8fff-000000000000\",\"resourceVersion\":\"%u\","
		     "\"creationTimestamp\":\"2024-01-01T00:00:00Z\",\"labels\":{\"app\":\"service-%u\",\"app.kubernetes.io/managed-by\":\"Helm\"}},\"spec\":{\"ports\":["
		     "{\"name\":\"http\",\"protocol\":\"TCP\",\"port\":80,\"targetPort\":8080}],\"selector\":{\"app\":\"service-%u\"},\"clusterIP\":\"10.96.%u.%u\","
		     "\"clusterIPs\":[\"10.96.%u.%u\"],\"type\":\"ClusterIP\",\"sessionAffinity\":\"None\",\"ipFamilies\":[\"IPv4\"],\"ipFamilyPolicy\":\"SingleStack\","
		     "\"internalTrafficPolicy\":\"Cluster\"},\"status\":{\"loadBalancer\":{}}}",
		head, service, service % 50, service, service + 1, service, service, service >> 8 & 255, service & 255, service >> 8 & 255, service & 255);
}
