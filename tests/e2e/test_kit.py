# SPDX-License-Identifier: Apache-2.0
"""What the other tests take for granted of the servers and of the kit itself."""

from kit.cluster import SLICES
from kit.wait import eventually, stays


def test_addresses_in_slices_come_from_the_real_controller(cluster, namespace, workload):
    web = workload("web", 2)
    pods = web.run("10.0.0.1", "10.0.0.2")
    assert set(pods) == {"10.0.0.1", "10.0.0.2"}
    [one] = cluster.list(*SLICES, namespace)
    assert one["metadata"]["labels"]["endpointslice.kubernetes.io/managed-by"] == "endpointslice-controller.k8s.io"
    assert [(port["name"], port["port"]) for port in one["ports"]] == [("http", 8080)]
    assert {endpoint["targetRef"]["name"] for endpoint in one["endpoints"]} == set(pods.values())


def test_a_terminating_pod_stays_in_its_slice_until_it_is_finished(cluster, namespace, workload):
    web = workload("web", 1)
    pod = web.run("10.0.0.1")["10.0.0.1"]
    web.terminate(pod)

    def conditions():
        return cluster.slice_addresses(namespace, "web").get("10.0.0.1")

    eventually(lambda: conditions()["terminating"])
    assert conditions() == {"ready": False, "serving": True, "terminating": True}
    web.finish(pod)
    eventually(lambda: conditions() is None)


def test_an_unready_pod_stays_in_its_slice_as_not_ready(cluster, namespace, workload):
    web = workload("web", 1)
    web.set_ready(web.run("10.0.0.1")["10.0.0.1"], False)
    eventually(lambda: cluster.slice_addresses(namespace, "web")["10.0.0.1"]["ready"] is False)


def test_eureka_holds_what_is_registered_and_forgets_what_is_removed(eureka):
    eureka.register("RATING", "a", address="10.0.0.1")
    eureka.register("RATING", "b", address="10.0.0.2")
    assert eureka.addresses("RATING") == {"10.0.0.1": "UP", "10.0.0.2": "UP"}
    assert eureka.instance("RATING", "a")["hostName"] == "10.0.0.1"
    assert eureka.remove("RATING", "a") == 200
    eventually(lambda: eureka.addresses("RATING") == {"10.0.0.2": "UP"})
    assert eureka.instance("RATING", "a") is None


def test_eureka_evicts_a_lease_that_nobody_renews(eureka):
    eureka.register("RATING", "a", lease_seconds=3)
    stays(lambda: eureka.instance("RATING", "a"), 2)
    eventually(lambda: eureka.instance("RATING", "a") is None, within=6)


def test_a_client_certificate_opens_the_api_server(control_plane, kubectl):
    kubeconfig = control_plane.kubeconfig_for_certificate("certified")
    assert "kube-system" in kubectl("get", "namespaces", kubeconfig=kubeconfig)


def test_a_stranger_is_refused(control_plane):
    kubeconfig = control_plane.kubeconfig_for_token("stranger", "guessed")
    refused = control_plane.try_kubectl("get", "namespaces", kubeconfig=kubeconfig)
    assert refused.returncode != 0 and "Unauthorized" in refused.stderr
