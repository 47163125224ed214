# SPDX-License-Identifier: Apache-2.0
"""What `deploy/` ships works as shipped: the manifests, the samples, and the rights."""

import pytest
import yaml

from conftest import ROOT
from kit.operator import configuration
from kit.wait import eventually

KUSTOMIZE = ROOT / "deploy" / "kustomize"


@pytest.fixture(scope="module")
def deployed(servers):
    """`kubectl apply -k`, and everything but the definition taken away afterwards."""
    control_plane, _ = servers
    control_plane.kubectl("apply", "--server-side", "-k", KUSTOMIZE)
    yield
    control_plane.cluster.delete_all("v1", "pods", "eurekube", grace_seconds=0)
    control_plane.kubectl("delete", "namespace/eurekube", "clusterrole/eurekube", "clusterrolebinding/eurekube", "--wait=false")


def test_its_pod_is_admitted_under_the_restricted_profile(deployed, cluster):
    [pod] = eventually(lambda: cluster.list("v1", "pods", "eurekube"))
    assert pod["spec"]["containers"][0]["image"].startswith("eurekube:")
    assert cluster.get("v1", "namespaces", "eurekube")["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


def test_its_configuration_names_what_the_pod_mounts(deployed, cluster):
    document = yaml.safe_load(cluster.get("v1", "configmaps", "eurekube", "eurekube")["data"]["eurekube.yaml"])
    assert document["registries"]["main"]["default"] is True
    [pod] = eventually(lambda: cluster.list("v1", "pods", "eurekube"))
    assert "--config=/etc/eurekube/eurekube.yaml" in pod["spec"]["containers"][0]["args"]


@pytest.mark.parametrize("sample", sorted((ROOT / "deploy" / "samples").glob("*.yaml")), ids=lambda path: path.stem)
def test_the_samples_are_accepted(sample, kubectl, namespace):
    # Objects of a namespace that exists only dry would be refused.
    of_sample, *objects = list(yaml.safe_load_all(sample.read_text()))
    for one in objects:
        assert one["metadata"]["namespace"] == of_sample["metadata"]["name"]
        one["metadata"]["namespace"] = namespace
    kubectl("apply", "--dry-run=server", "--validate=strict", "-f", "-", input=yaml.safe_dump_all(objects))


def test_the_shipped_rights_are_enough_and_the_cluster_names_itself(
        deployed, control_plane, cluster, make_operator, syncers, namespace, workload, eureka):
    kubeconfig = control_plane.kubeconfig_for_service_account("eurekube", "eurekube")
    operator = make_operator(kubeconfig=kubeconfig, document=configuration(eureka.url, cluster_id=None)).start()
    workload("cart", 1).run("10.0.1.1")
    syncers.create("cart", selector={"app": "cart"})
    syncers.create("bad", selector={"app": "cart"}, port="grpc")

    eventually(lambda: eureka.addresses("CART") == {"10.0.1.1": "UP"})
    eventually(lambda: syncers.is_ready("cart"))
    eventually(lambda: cluster.events_about(namespace, "bad"))
    [one] = eureka.instances("CART").values()
    uid = cluster.get("v1", "namespaces", "kube-system")["metadata"]["uid"]
    assert one["metadata"]["eurekube.owner"] == f"{uid[:8]}/{namespace}/cart"

    syncers.delete("cart")
    eventually(lambda: syncers.gone("cart"))
    assert eureka.addresses("CART") == {}
    refused = [record for record in operator.logs() if "orbidden" in str(record) or "403" in str(record.get("code", ""))]
    assert not refused


@pytest.mark.parametrize("verb, what", [
    ("list", "secrets"), ("get", "configmaps"), ("list", "pods"), ("delete", "eurekasyncers.eurekube.io"), ("list", "namespaces"),
    ("patch", "services")])
def test_the_shipped_rights_are_no_more_than_that(deployed, control_plane, verb, what):
    asked = control_plane.try_kubectl("auth", "can-i", verb, what, "-A", "--as=system:serviceaccount:eurekube:eurekube")
    assert asked.stdout.strip() == "no"
