# SPDX-License-Identifier: Apache-2.0
"""The main job again where something underneath is different: an API server without
streaming lists, a configuration that changes, a debugger that watches memory."""

import shutil

import pytest

from conftest import install_crd
from kit.controlplane import ControlPlane
from kit.operator import VALGRIND_PATIENCE, configuration
from kit.wait import eventually, stays
from kit.workload import Syncers, Workload


@pytest.fixture(scope="module")
def plain_control_plane(logs):
    """As Kubernetes 1.29 to 1.33 are by default: no streaming lists."""
    plane = ControlPlane(logs / "control-plane-without-watchlist", feature_gates="WatchList=false")
    try:
        plane.start()
        install_crd(plane)
        yield plane
    finally:
        plane.stop()


def test_an_api_server_without_streaming_lists_serves_as_well(plain_control_plane, make_operator, eureka):
    cluster = plain_control_plane.cluster
    cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "plain"}})
    cart, syncers = Workload(cluster, "plain", "cart").create(2), Syncers(cluster, "plain")
    pods = cart.run("10.0.1.1", "10.0.1.2")
    syncers.create("cart", selector={"app": "cart"})

    operator = make_operator(kubeconfig=plain_control_plane.kubeconfig).start()     # finds all of it in lists
    eventually(lambda: eureka.addresses("CART") == {"10.0.1.1": "UP", "10.0.1.2": "UP"})
    cart.scale(3)
    cart.run("10.0.1.3")                                                            # and this in a watch
    eventually(lambda: len(eureka.addresses("CART")) == 3)
    cart.terminate(pods["10.0.1.1"])
    eventually(lambda: "10.0.1.1" not in eureka.addresses("CART"))

    plain_control_plane.kill_apiserver()
    plain_control_plane.restart_apiserver()
    cart.run("10.0.1.4")
    eventually(lambda: "10.0.1.4" in eureka.addresses("CART"), within=15)
    assert operator.process.running


def test_a_registry_added_to_the_file_is_used_without_a_restart(make_operator, syncers, workload, eureka):
    document = configuration(eureka.url)
    operator = make_operator(document=document).start()
    workload("cart", 1).run("10.0.1.1")
    syncers.create("cart", selector={"app": "cart"}, registry="second")
    eventually(lambda: syncers.not_ready("cart", "UnknownRegistry"))
    document["registries"]["second"] = document["registries"]["main"] | {"default": False}
    operator.write_config(document)
    eventually(lambda: eureka.addresses("CART") == {"10.0.1.1": "UP"})
    eventually(lambda: syncers.status("cart")["registry"] == "second")


def test_a_bad_document_leaves_the_one_in_force(make_operator, syncers, workload, eureka):
    operator = make_operator().start()
    assert operator.metrics()["eurekube_config_valid"] == 1
    operator.write_config({"registries": "none"})
    eventually(lambda: operator.metrics()["eurekube_config_valid"] == 0)
    workload("cart", 1).run("10.0.1.1")
    syncers.create("cart", selector={"app": "cart"})
    eventually(lambda: eureka.addresses("CART") == {"10.0.1.1": "UP"})


def test_a_document_that_cannot_be_read_at_the_start_ends_it_with_line_and_column(make_operator):
    operator = make_operator()
    operator.config.write_text("modes:\n  pod: {plugin: pod.so}\nregistreis: {}\n")
    operator.launch()
    assert operator.process.wait(within=5) != 0
    assert "registreis" in operator.process.tail() and "3" in operator.process.tail()


@pytest.mark.skipif(not shutil.which("valgrind"), reason="valgrind is not installed")
@pytest.mark.timeout(240)
def test_valgrind_has_nothing_to_say_about_a_whole_life(make_operator, syncers, workload, eureka):
    operator = make_operator(valgrind=True, lease_seconds=30, renew_seconds=3).start()
    cart = workload("cart", 2)
    pods = cart.run("10.0.1.1", "10.0.1.2")
    syncers.create("cart", selector={"app": "cart"})
    syncers.create("bad", selector={"app": "cart"}, port="grpc")
    eventually(lambda: len(eureka.addresses("CART")) == 2, within=VALGRIND_PATIENCE)
    cart.scale(3)
    cart.run("10.0.1.3")
    eventually(lambda: len(eureka.addresses("CART")) == 3, within=VALGRIND_PATIENCE)
    cart.terminate(pods["10.0.1.1"])
    eventually(lambda: len(eureka.addresses("CART")) == 2, within=VALGRIND_PATIENCE)
    eureka.clear()                                              # found out by the next renewal
    eventually(lambda: len(eureka.addresses("CART")) == 2, within=3 * VALGRIND_PATIENCE)
    stays(lambda: operator.process.running, 4)                  # a few more renewals
    syncers.delete("cart")
    eventually(lambda: syncers.gone("cart"), within=VALGRIND_PATIENCE)
    assert operator.sigterm() == 0, operator.process.tail()
