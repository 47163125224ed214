# SPDX-License-Identifier: Apache-2.0
"""The main job: pods of a real cluster appear in a real Eureka, and leave it in time."""

import time

import pytest

from kit.wait import eventually, stays
from kit.workload import Syncers, Workload

ONE_SECOND = 1.0


class Rating:
    """The original's example: app, Service and syncer are called rating, two pods."""

    def __init__(self, cluster, namespace):
        self.namespace = namespace
        self.workload = Workload(cluster, namespace, "rating").create(replicas=2)
        self.syncers = Syncers(cluster, namespace)
        self.pods = self.workload.run("10.0.0.1", "10.0.0.2")
        self.syncers.create("rating", selector={"namespace": namespace, "app": "rating"}, port="http", registry="main",
                            application="RATING", instance={"vipAddress": "rating", "metadata": {"version": "3"}})


@pytest.fixture
def rating(cluster, namespace, operator, eureka):
    """Served: both pods are in Eureka."""
    example = Rating(cluster, namespace)
    eventually(lambda: eureka.addresses("RATING") == {"10.0.0.1": "UP", "10.0.0.2": "UP"})
    return example


def test_the_original_example_is_up_in_eureka_and_kubectl_shows_it(cluster, control_plane, make_namespace, operator, eureka):
    example = Rating(cluster, make_namespace("rating"))
    eventually(lambda: eureka.addresses("RATING") == {"10.0.0.1": "UP", "10.0.0.2": "UP"})
    assert set(eureka.instances("RATING")) == {f"e2e:rating:RATING:{pod}:8080" for pod in example.pods.values()}
    for address, pod in example.pods.items():
        one = eureka.instance("RATING", f"e2e:rating:RATING:{pod}:8080")
        assert one["app"] == "RATING"
        assert one["hostName"] == one["ipAddr"] == address
        assert one["status"] == "UP"
        assert one["vipAddress"] == "rating"
        assert one["port"] == {"$": 8080, "@enabled": "true"}
        assert one["securePort"]["@enabled"] == "false"
        assert one["metadata"]["eurekube.owner"] == "e2e/rating/rating"
        assert one["metadata"]["version"] == "3"
        assert one["leaseInfo"]["renewalIntervalInSecs"] == 27
        assert one["leaseInfo"]["durationInSecs"] == 90
        assert one["dataCenterInfo"]["name"] == "MyOwn"

    def shown():
        [row] = control_plane.kubectl_table("esync", "-n", "rating")
        expected = {"NAME": "rating", "MODE": "pod", "APP": "RATING", "REGISTRY": "main", "DESIRED": "2", "REGISTERED": "2", "READY": "True"}
        assert expected.items() <= row.items()
        return row
    eventually(shown)
    control_plane.kubectl("wait", "--for=condition=Ready", "esync/rating", "-n", "rating", "--timeout=5s")
    [row] = control_plane.kubectl_table("esync", "-n", "rating", "-o", "wide")
    assert row["PLUGIN"]


def test_the_spec_is_never_written_by_the_operator(rating, eureka):
    eventually(lambda: rating.syncers.is_ready("rating"))
    syncer = rating.syncers.find("rating")
    assert syncer["metadata"]["generation"] == 1
    assert syncer["metadata"]["finalizers"] == ["eurekube.io/deregister"]


def test_a_grown_deployment_is_in_eureka_within_a_second_of_its_slice(rating, eureka):
    rating.workload.scale(3)
    rating.workload.run("10.0.0.3")             # returns when the slices have it
    eventually(lambda: eureka.addresses("RATING").get("10.0.0.3") == "UP", within=ONE_SECOND)
    eventually(lambda: rating.syncers.status("rating")["registered"] == 3)


def test_a_terminating_pod_leaves_at_the_start_of_its_grace_period(rating, eureka):
    pod = rating.pods["10.0.0.1"]
    rating.workload.terminate(pod, grace_seconds=60)
    eventually(lambda: not rating.workload.in_slice("10.0.0.1"))
    eventually(lambda: "10.0.0.1" not in eureka.addresses("RATING"), within=ONE_SECOND)
    conditions = rating.workload.cluster.slice_addresses(rating.namespace, "rating")["10.0.0.1"]
    assert conditions["terminating"] and conditions["serving"], "it still stands, and serves"
    rating.workload.finish(pod)
    stays(lambda: set(eureka.addresses("RATING")) == {"10.0.0.2"}, 1)


def test_an_unready_pod_leaves_and_comes_back_when_it_is_ready(rating, eureka):
    pod = rating.pods["10.0.0.1"]
    rating.workload.set_ready(pod, False)
    eventually(lambda: set(eureka.addresses("RATING")) == {"10.0.0.2"})
    rating.workload.set_ready(pod, True)
    eventually(lambda: eureka.addresses("RATING").get("10.0.0.1") == "UP")


def test_deleting_the_syncer_empties_the_application_and_the_object_goes(rating, eureka):
    rating.syncers.delete("rating")
    eventually(lambda: rating.syncers.gone("rating"))
    assert eureka.addresses("RATING") == {}, "the object went only when all was out"


def test_deleting_the_service_takes_its_pods_out(rating, cluster, eureka):
    cluster.delete("v1", "services", "rating", rating.namespace)
    eventually(lambda: eureka.addresses("RATING") == {})
    eventually(lambda: rating.syncers.not_ready("rating", "NothingSelected"))


def test_deleting_the_namespace_takes_everything_out_and_wedges_nothing(rating, cluster, eureka):
    cluster.delete("v1", "namespaces", rating.namespace)
    cluster.delete_all("v1", "pods", rating.namespace, grace_seconds=0)
    eventually(lambda: eureka.addresses("RATING") == {}, within=20)
    eventually(lambda: rating.syncers.gone("rating"), within=20)


def test_a_foreign_instance_of_the_same_application_is_left_alone(rating, eureka):
    eureka.register("RATING", "dc-1:rating:8080", address="192.0.2.7")
    before = eureka.registered_at("RATING")["dc-1:rating:8080"]
    rating.workload.scale(3)
    rating.workload.run("10.0.0.3")
    eventually(lambda: "10.0.0.3" in eureka.addresses("RATING"))
    rating.syncers.delete("rating")
    eventually(lambda: rating.syncers.gone("rating"))
    assert eureka.registered_at("RATING") == {"dc-1:rating:8080": before}


def test_what_is_not_given_is_taken_from_the_service(operator, syncers, workload, eureka):
    workload("cart", 1).run("10.0.1.1")
    syncers.create("cart", selector={"serviceName": "cart"})
    eventually(lambda: syncers.is_ready("cart"))
    [one] = eureka.instances("CART").values()
    assert (one["vipAddress"], one["port"]["$"]) == ("cart", 8080)
    assert syncers.status("cart")["registry"] == "main"
    assert syncers.status("cart")["applications"] == ["CART"]
    assert "application" not in syncers.find("cart")["spec"]


def test_a_service_port_number_is_followed_to_the_port_of_the_pods(operator, syncers, workload, eureka):
    workload("cart", 1).run("10.0.1.1")
    syncers.create("cart", selector={"app": "cart"}, port=80)
    eventually(lambda: eureka.addresses("CART") == {"10.0.1.1": "UP"})
    [one] = eureka.instances("CART").values()
    assert one["port"]["$"] == 8080


def test_every_instance_has_the_uid_of_its_pod(operator, syncers, workload, cluster, namespace, eureka):
    web = workload("cart", 1)
    pod = web.run("10.0.1.1")["10.0.1.1"]
    syncers.create("cart", selector={"app": "cart"})
    eventually(lambda: eureka.addresses("CART"))
    [one] = eureka.instances("CART").values()
    assert one["metadata"]["eurekube.pod"] == cluster.get("v1", "pods", pod, namespace)["metadata"]["uid"]


def test_changed_metadata_updates_instances_in_place(operator, syncers, workload, eureka):
    workload("cart", 1).run("10.0.1.1")
    syncers.create("cart", selector={"app": "cart"}, instance={"metadata": {"version": "1"}})
    eventually(lambda: eureka.addresses("CART"))
    [instance_id] = eureka.instances("CART")
    syncers.patch("cart", instance={"metadata": {"version": "2"}})
    eventually(lambda: eureka.instance("CART", instance_id)["metadata"]["version"] == "2")
    assert ("DELETED", instance_id) not in eureka.delta()


def test_a_kubeconfig_with_a_client_certificate_serves_as_well(control_plane, make_operator, syncers, workload, eureka):
    make_operator(kubeconfig=control_plane.kubeconfig_for_certificate("certified")).start()
    workload("cart", 1).run("10.0.1.1")
    syncers.create("cart", selector={"app": "cart"})
    eventually(lambda: eureka.addresses("CART") == {"10.0.1.1": "UP"})


def test_a_hundred_pods_are_registered_within_seconds(operator, syncers, workload, eureka):
    addresses = [f"10.0.2.{number}" for number in range(1, 101)]
    crowd = workload("crowd", len(addresses))
    syncers.create("crowd", selector={"app": "crowd"})
    crowd.run(*addresses)
    begin = time.monotonic()
    eventually(lambda: set(eureka.addresses("CROWD")) == set(addresses), within=5)
    eventually(lambda: syncers.status("crowd")["registered"] == 100)
    print(f"all registered {time.monotonic() - begin:.1f} s after the last slice")


def test_metrics_and_health_answer_while_it_serves(operator, syncers, workload):
    workload("cart", 1).run("10.0.1.1")
    syncers.create("cart", selector={"app": "cart"})
    eventually(lambda: syncers.is_ready("cart"))
    metrics = operator.metrics()
    registered = sum(value for series, value in metrics.items() if series.startswith("eurekube_instances{") and 'registry="main"' in series)
    assert registered >= 1
    assert operator.session.get(f"http://127.0.0.1:{operator.port}/healthz", timeout=2).status_code == 200
