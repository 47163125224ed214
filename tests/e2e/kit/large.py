# SPDX-License-Identifier: Apache-2.0
"""A cluster of many endpoints, whose slices are written directly: no pod, no controller."""

import datetime
import threading

from .cluster import SLICES, SYNCERS

READY = {"ready": True, "serving": True, "terminating": False}
NOT_READY = {"ready": False, "serving": False, "terminating": False}
TRIGGER_TIME = "endpoints.kubernetes.io/last-change-trigger-time"
TERMINATING = {"ready": False, "serving": True, "terminating": True}


class Large:
    """Services of `slices` slices of `endpoints` each; make_cluster() gives a Cluster for each thread that writes."""

    def __init__(self, make_cluster, namespace, services=10, slices=10, endpoints=100, writers=4):
        self.clusters = [make_cluster() for _ in range(writers)]
        self.namespace = namespace
        self.services = [f"large-{number}" for number in range(services)]
        self.slices = {f"{service}-{number}": service for service in self.services for number in range(slices)}
        self.pods = {}          # slice -> numbers of its pods, in the order of its endpoints
        self.n_pods = 0
        for name in self.slices:
            self.pods[name] = list(range(self.n_pods, self.n_pods + endpoints))
            self.n_pods += endpoints

    def create(self):
        for service in self.services:
            self.clusters[0].create({"apiVersion": "v1", "kind": "Service",
                                     "metadata": {"name": service, "namespace": self.namespace, "labels": {"app": service}},
                                     "spec": {"ports": [{"name": "http", "port": 80, "targetPort": 8080}]}})
        self._share(lambda cluster, name: cluster.create(self._slice(name)))
        return self

    def create_syncers(self):
        """One for each Service."""
        for service in self.services:
            self.clusters[0].create({"apiVersion": SYNCERS[0], "kind": "EurekaSyncer",
                                     "metadata": {"name": service, "namespace": self.namespace},
                                     "spec": {"mode": "pod", "selector": {"app": service}}})

    def addresses(self):
        """Of the ready endpoints, by application."""
        found = {service.upper(): set() for service in self.services}
        for name, service in self.slices.items():
            found[service.upper()] |= {_address(pod) for pod in self.pods[name]}
        return found

    def roll(self, pods):
        """Replaces so many pods, as many of each slice, as fast as the API server takes it: each comes and becomes ready,
        the oldest terminates and vanishes. Returns how many updates that were."""
        turns, first = pods // len(self.slices), self.n_pods
        self.n_pods += turns * len(self.slices)
        fresh = {name: range(first + number, self.n_pods, len(self.slices)) for number, name in enumerate(self.slices)}
        self._share(lambda cluster, name: [self._replace(cluster, name, pod) for pod in fresh[name]])
        return 4 * turns * len(self.slices)

    def _replace(self, cluster, name, fresh):
        pods, at = self.pods[name], len(self.pods[name])
        self._patch(cluster, name, "add", "-", self._endpoint(fresh, NOT_READY))
        self._patch(cluster, name, "replace", f"{at}/conditions", READY)
        self._patch(cluster, name, "replace", "0/conditions", TERMINATING)
        self._patch(cluster, name, "remove", "0")
        self.pods[name] = [*pods[1:], fresh]

    def _patch(self, cluster, name, verb, path, value=None):
        step = {"op": verb, "path": f"/endpoints/{path}"} | ({"value": value} if value else {})
        stamp = {"op": "add", "path": f"/metadata/annotations/{TRIGGER_TIME.replace('/', '~1')}", "value": _now()}
        cluster.json_patch(*SLICES, name, [stamp, step], self.namespace)

    def _share(self, work):
        """work(cluster, slice) for each slice, in as many threads as there are clusters."""
        failures = []

        def run(cluster, names):
            try:
                for name in names:
                    work(cluster, name)
            except Exception as error:      # told by the thread that waits
                failures.append(error)

        names = list(self.slices)
        threads = [threading.Thread(target=run, args=(cluster, names[number::len(self.clusters)]))
                   for number, cluster in enumerate(self.clusters)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failures:
            raise failures[0]

    def _slice(self, name):
        return {"apiVersion": SLICES[0], "kind": "EndpointSlice", "addressType": "IPv4",
                "metadata": {"name": name, "namespace": self.namespace, "annotations": {TRIGGER_TIME: _now()},
                             "labels": {"kubernetes.io/service-name": self.slices[name],
                                        "endpointslice.kubernetes.io/managed-by": "eurekube-e2e"}},
                "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}],
                "endpoints": [self._endpoint(pod, READY) for pod in self.pods[name]]}

    def _endpoint(self, pod, conditions):
        return {"addresses": [_address(pod)], "conditions": conditions, "nodeName": f"node-{pod % 500}", "zone": f"zone-{pod % 3}",
                "targetRef": {"kind": "Pod", "namespace": self.namespace, "name": f"large-7d4b9c6f5-{pod:05x}",
                              "uid": f"{pod:08x}-1111-4222-8333-000000000000"}}


def _now():
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _address(pod):
    return f"10.{pod >> 16}.{pod >> 8 & 255}.{pod & 255}"
