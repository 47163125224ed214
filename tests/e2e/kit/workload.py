# SPDX-License-Identifier: Apache-2.0
"""A namespace with a Deployment, a Service and EurekaSyncers in it, and the part of the
kubelet: pods get addresses, become ready, fail, and end as slowly as a test wants."""

from .cluster import SYNCERS
from .wait import eventually

NODE = "node-1"


def ensure_node(cluster, name=NODE):
    """Without a Node object the slice controller leaves the node's pods out."""
    if not cluster.find("v1", "nodes", name):
        cluster.create({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}})


class Workload:
    """`replicas` pods of one Deployment behind one Service, all under one name."""

    def __init__(self, cluster, namespace, name, port=8080, port_name="http"):
        self.cluster = cluster
        self.namespace = namespace
        self.name = name
        self.port = port
        self.port_name = port_name

    def create(self, replicas, service_port=80):
        labels = {"app": self.name}
        self.cluster.create({
            "apiVersion": "v1", "kind": "Service",
            "metadata": {"name": self.name, "namespace": self.namespace, "labels": labels},
            "spec": {"selector": labels, "ports": [{"name": self.port_name, "port": service_port, "targetPort": self.port}]}})
        self.cluster.create({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": self.name, "namespace": self.namespace, "labels": labels},
            "spec": {"replicas": replicas, "selector": {"matchLabels": labels}, "template": {
                "metadata": {"labels": labels},
                "spec": {"nodeName": NODE, "terminationGracePeriodSeconds": 60,
                         "containers": [{"name": "main", "image": "unused", "ports": [{"containerPort": self.port}]}]}}}})
        return self

    def scale(self, replicas):
        self.cluster.patch("apps/v1", "deployments", self.name, {"spec": {"replicas": replicas}}, self.namespace)

    def pods(self):
        """Those that are not terminating, by name."""
        pods = self.cluster.list("v1", "pods", self.namespace, labels=f"app={self.name}")
        return {pod["metadata"]["name"]: pod for pod in pods if "deletionTimestamp" not in pod["metadata"]}

    def run(self, *addresses):
        """Gives each address to a pod that has none yet and makes it ready; waits for the
        pods, then for the slices. Returns {address: pod name}."""
        def waiting():
            names = sorted(name for name, pod in self.pods().items() if not pod["status"].get("podIP"))
            return names if len(names) >= len(addresses) else None
        chosen = dict(zip(addresses, eventually(waiting)))
        for address, pod in chosen.items():
            self.set_ready(pod, True, address)
        eventually(lambda: all(self.in_slice(address) for address in addresses))
        return chosen

    def set_ready(self, pod, is_ready, address=None):
        """What the kubelet reports when a readiness probe succeeds or fails."""
        value = "True" if is_ready else "False"
        status = {"phase": "Running", "conditions": [
            {"type": kind, "status": value} for kind in ("Ready", "ContainersReady")]}
        if address:
            status |= {"podIP": address, "podIPs": [{"ip": address}], "hostIP": "192.168.0.1"}
        self.cluster.patch("v1", "pods", pod, {"status": status}, self.namespace, subresource="status")

    def terminate(self, pod, grace_seconds=60):
        """Begins its grace period; the pod stays until finish()."""
        self.cluster.delete("v1", "pods", pod, self.namespace, grace_seconds)

    def finish(self, pod):
        """Ends it, as the kubelet does when the containers have stopped."""
        self.cluster.delete("v1", "pods", pod, self.namespace, 0)

    def in_slice(self, address):
        """The conditions of a ready address, as the slices have it now."""
        conditions = self.cluster.slice_addresses(self.namespace, self.name).get(address)
        return conditions if conditions and conditions["ready"] else None


class Syncers:
    """The EurekaSyncers of one namespace."""

    def __init__(self, cluster, namespace):
        self.cluster = cluster
        self.namespace = namespace

    def create(self, name, **spec):
        return self.cluster.create({"apiVersion": SYNCERS[0], "kind": "EurekaSyncer",
                                    "metadata": {"name": name, "namespace": self.namespace},
                                    "spec": {"mode": "pod", **spec}})

    def patch(self, name, **spec):
        return self.cluster.patch(*SYNCERS, name, {"spec": spec}, self.namespace)

    def label(self, name, **labels):
        return self.cluster.patch(*SYNCERS, name, {"metadata": {"labels": labels}}, self.namespace)

    def delete(self, name):
        self.cluster.delete(*SYNCERS, name, self.namespace)

    def find(self, name):
        return self.cluster.find(*SYNCERS, name, self.namespace)

    def gone(self, name):
        return self.find(name) is None

    def status(self, name):
        return self.find(name).get("status", {})

    def condition(self, name, kind="Ready"):
        """The condition of that type, judged for the present generation; or None."""
        syncer = self.find(name)
        status = syncer.get("status", {})
        if status.get("observedGeneration") != syncer["metadata"]["generation"]:
            return None
        return next((one for one in status.get("conditions", []) if one["type"] == kind), None)

    def is_ready(self, name):
        condition = self.condition(name)
        return condition and condition["status"] == "True"

    def not_ready(self, name, reason):
        """Its Ready condition, when that is False for this reason."""
        condition = self.condition(name)
        return condition if condition and condition["status"] == "False" and condition["reason"] == reason else None
