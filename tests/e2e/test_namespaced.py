# SPDX-License-Identifier: Apache-2.0
"""An operator that has rights in some namespaces and none in the cluster."""

import itertools

import pytest

from conftest import ROOT
from kit.operator import configuration
from kit.wait import eventually, stays
from kit.workload import Syncers, Workload

NAMESPACED = ROOT / "deploy" / "namespaced"


def created(cluster, name):
    """One of an earlier test may still be on its way out."""
    return cluster.find("v1", "namespaces", name) is None and cluster.create(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})


@pytest.fixture(scope="module")
def identity(servers):
    """The kubeconfig of a service account that may do nothing yet."""
    control_plane, _ = servers
    eventually(lambda: created(control_plane.cluster, "eurekube"), within=60)
    control_plane.cluster.create({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "eurekube", "namespace": "eurekube"}})
    yield control_plane.kubeconfig_for_service_account("eurekube", "eurekube")
    control_plane.kubectl("delete", "namespace/eurekube", "--wait=false")


_number = itertools.count(1)


@pytest.fixture
def team(cluster, make_namespace, kubectl):
    """team(name, is_granted) -> its syncers, in a namespace of its own; one pod behind one Service, and a syncer for it."""
    def make(name, is_granted=True):
        namespace = make_namespace(f"{name}-{next(_number)}")
        if is_granted:
            kubectl("apply", "-n", namespace, "-f", NAMESPACED / "role.yaml")
        Workload(cluster, namespace, name).create(1).run(f"10.0.1.{len(name)}")
        syncers = Syncers(cluster, namespace)
        syncers.create(name, selector={"app": name})
        return syncers
    return make


def test_it_serves_the_namespaces_it_may_and_sees_no_other(identity, team, make_operator, eureka, cluster):
    teams = {name: team(name, is_granted) for name, is_granted in (("red", True), ("green", True), ("purple", False))}
    operator = make_operator(kubeconfig=identity, document=configuration(eureka.url, watchNamespaces=[teams["red"].namespace, teams["green"].namespace])).start()
    eventually(lambda: eureka.addresses("RED") and eureka.addresses("GREEN"))
    eventually(lambda: teams["red"].is_ready("red") and teams["green"].is_ready("green"))
    teams["green"].create("bad", selector={"app": "green"}, port="grpc", application="bad")
    eventually(lambda: cluster.events_about(teams["green"].namespace, "bad"))
    stays(lambda: not eureka.addresses("PURPLE") and not teams["purple"].status("purple"), 2)

    teams["red"].delete("red")
    eventually(lambda: teams["red"].gone("red"))
    assert not eureka.addresses("RED") and eureka.addresses("GREEN")
    refused = [record for record in operator.logs() if "orbidden" in str(record) or record.get("level") == "error"]
    assert not refused


def test_a_namespace_without_the_role_holds_no_other_up_and_is_served_once_it_has_it(
        identity, team, make_operator, eureka, kubectl):
    red, indigo = team("red"), team("indigo", is_granted=False)
    operator = make_operator(kubeconfig=identity, document=configuration(eureka.url, watchNamespaces=[red.namespace, indigo.namespace]))
    operator.launch()
    eventually(lambda: eureka.addresses("RED"), within=25)
    readiness = operator.session.get(f"http://127.0.0.1:{operator.port}/readyz?verbose", timeout=2)
    assert readiness.status_code == 503
    assert f"[+]watch-services/{red.namespace} ok" in readiness.text
    assert f"[-]watch-services/{indigo.namespace} failed: not synced yet" in readiness.text

    kubectl("apply", "-n", indigo.namespace, "-f", NAMESPACED / "role.yaml")
    eventually(lambda: eureka.addresses("INDIGO"), within=45)
    eventually(lambda: indigo.is_ready("indigo"))
    eventually(operator.is_ready, within=45)


def test_a_role_taken_away_takes_nothing_out_of_eureka(identity, team, make_operator, eureka, kubectl):
    red = team("red")
    make_operator(kubeconfig=identity, document=configuration(eureka.url, watchNamespaces=[red.namespace], audit={"periodSeconds": 3})).start()
    eventually(lambda: eureka.addresses("RED"))
    before = eureka.registered_at("RED")
    kubectl("delete", "-n", red.namespace, "rolebinding/eurekube")
    stays(lambda: eureka.registered_at("RED") == before, 8)
    kubectl("apply", "-n", red.namespace, "-f", NAMESPACED / "role.yaml")
    eventually(lambda: red.is_ready("red"))
    assert eureka.registered_at("RED") == before


def test_the_overlay_grants_nothing_in_the_cluster(kubectl):
    rendered = kubectl("kustomize", NAMESPACED)
    assert "kind: Deployment" in rendered
    assert "ClusterRole" not in rendered
