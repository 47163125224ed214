# SPDX-License-Identifier: Apache-2.0
"""A mode that reads pods and nodes, against the API server's own objects."""

import pytest

from kit.plugins import build_plugins
from kit.wait import eventually, stays
from kit.workload import NODE

ZONE = "topology.kubernetes.io/zone"


@pytest.fixture(scope="module")
def plugins(tmp_path_factory):
    """The plugins as built, and onnodes.so beside them."""
    return build_plugins(tmp_path_factory.mktemp("onnodes"), "onnodes")


@pytest.fixture
def node(cluster):
    """node(zone, ready) changes the node that all pods run on."""
    def change(zone, ready, heartbeat="2026-01-01T00:00:00Z"):
        cluster.patch("v1", "nodes", NODE, {"metadata": {"labels": {ZONE: zone}}})
        cluster.patch("v1", "nodes", NODE, {"status": {"conditions": [{
            "type": "Ready", "status": "True" if ready else "False", "lastHeartbeatTime": heartbeat}]}}, subresource="status")
    yield change
    change(None, True)


def test_labels_of_pods_and_zones_of_nodes_reach_eureka(make_operator, plugins, node, syncers, workload, cluster, eureka, namespace):
    node("zone-a", True)
    operator = make_operator(modes={"onnodes": {"plugin": "onnodes.so"}}, plugins=plugins).start()
    [pod] = workload("cart", 1).run("10.0.1.1").values()
    syncers.create("cart", selector={"app": "cart"}, mode="onnodes")

    def told():
        return [tuple(one["metadata"][key] for key in ("version", "nodeZone", "nodeState")) for one in eureka.instances("CART").values()]
    eventually(lambda: told() == [("unlabelled", "zone-a", "ready")])
    cluster.patch("v1", "pods", pod, {"metadata": {"labels": {"version": "3"}}}, namespace)
    eventually(lambda: told() == [("3", "zone-a", "ready")])
    node("zone-b", False)
    eventually(lambda: told() == [("3", "zone-b", "away")])
    eventually(lambda: syncers.is_ready("cart"))

    def turns():
        return sum(value for series, value in operator.metrics().items() if series.startswith("eurekube_reconcile_total{"))
    settled = turns()
    node("zone-b", False, heartbeat="2026-01-01T00:00:10Z")
    cluster.patch("v1", "pods", pod, {"metadata": {"annotations": {"told": "nobody"}}}, namespace)
    stays(lambda: turns() == settled, 2)
