# SPDX-License-Identifier: Apache-2.0
"""The configuration in a ConfigMap: taken when it changes, refused when it is wrong."""

import pytest

from kit.operator import BUILD, configuration
from kit.wait import eventually, stays


def test_an_edit_switches_a_mode_to_another_file_without_a_write_to_eureka(
        config_map, plugins, make_operator, syncers, namespace, workload, eureka):
    document = configuration(eureka.url, plugins=plugins)
    config_map(document)
    make_operator(config_map=f"{namespace}/eurekube").start()
    workload("cart", 2).run("10.0.1.1", "10.0.1.2")
    syncers.create("cart", selector={"app": "cart"})
    eventually(lambda: len(eureka.addresses("CART")) == 2)
    eventually(lambda: syncers.is_ready("cart"))
    first, before = syncers.status("cart")["modePlugin"]["digest"], eureka.registered_at("CART")
    changes = eureka.delta()

    document["modes"]["pod"]["plugin"] = "pod-2.so"
    config_map(document)
    eventually(lambda: syncers.status("cart")["modePlugin"]["digest"] != first, within=2)
    stays(lambda: eureka.registered_at("CART") == before, 2)

    document["modes"]["pod"]["plugin"] = "pod.so"
    config_map(document)
    eventually(lambda: syncers.status("cart")["modePlugin"]["digest"] == first, within=2)
    assert eureka.registered_at("CART") == before
    assert [change for change in eureka.delta() if change not in changes] == []


@pytest.mark.parametrize("broken, words", [
    ("modes:\n  pod: {plugin: pod.so}\nregistreis: {}\n", ["line 3", "registreis"]),
    ("modes: {pod: {plugin: nobody.so}}\nregistries: {}\n", ["modes.pod", "nobody.so"]),
], ids=["unknown key", "missing plugin"])
def test_a_broken_edit_changes_nothing_and_is_told_on_the_config_map(
        config_map, make_operator, syncers, namespace, cluster, workload, eureka, broken, words):
    document = configuration(eureka.url)
    config_map(document)
    operator = make_operator(config_map=f"{namespace}/eurekube").start()
    cart = workload("cart", 1)
    cart.run("10.0.1.1")
    syncers.create("cart", selector={"app": "cart"})
    eventually(lambda: eureka.addresses("CART"))

    if "registries" in broken:
        broken = f"clusterId: e2e\nplugins: {{directory: {BUILD / 'plugins'}}}\n" + broken
    config_map(broken)
    eventually(lambda: operator.metrics()["eurekube_config_valid"] == 0)
    [event] = eventually(lambda: cluster.events_about(namespace, "eurekube", "ConfigMap"))
    assert event["type"] == "Warning"
    for word in words:
        assert word in event["note"], event["note"]
    cart.scale(2)
    cart.run("10.0.1.2")
    eventually(lambda: len(eureka.addresses("CART")) == 2)

    config_map(document)
    eventually(lambda: operator.metrics()["eurekube_config_valid"] == 1)


def test_a_registry_taken_out_keeps_the_leases_of_its_syncers(
        config_map, make_operator, syncers, namespace, workload, eureka):
    document = configuration(eureka.url, lease_seconds=6, renew_seconds=2)
    config_map(document)
    make_operator(config_map=f"{namespace}/eurekube").start()
    workload("cart", 1).run("10.0.1.1")
    syncers.create("cart", selector={"app": "cart"}, registry="main")
    eventually(lambda: eureka.addresses("CART"))
    before = eureka.registered_at("CART")

    kept = document["registries"].pop("main")
    document["registries"]["other"] = {"plugin": "memory.so"}
    config_map(document)
    eventually(lambda: syncers.not_ready("cart", "UnknownRegistry"))
    stays(lambda: eureka.registered_at("CART") == before, 8)        # longer than a lease

    document["registries"]["main"] = kept
    config_map(document)
    eventually(lambda: syncers.is_ready("cart"))
    assert eureka.registered_at("CART") == before

    syncers.patch("cart", registry="other")
    eventually(lambda: syncers.status("cart")["registry"] == "other")
    eventually(lambda: not eureka.addresses("CART"))


def test_a_mode_taken_out_keeps_the_leases_of_its_syncers(config_map, make_operator, syncers, namespace, workload, eureka):
    document = configuration(eureka.url, lease_seconds=6, renew_seconds=2)
    config_map(document)
    make_operator(config_map=f"{namespace}/eurekube").start()
    cart = workload("cart", 1)
    cart.run("10.0.1.1")
    syncers.create("cart", selector={"app": "cart"})
    eventually(lambda: eureka.addresses("CART"))
    before = eureka.registered_at("CART")

    kept = document["modes"].pop("pod")
    document["modes"]["other"] = kept
    config_map(document)
    condition = eventually(lambda: syncers.not_ready("cart", "UnknownMode"))
    assert "other" in condition["message"]
    stays(lambda: eureka.registered_at("CART") == before, 8)        # longer than a lease

    document["modes"]["pod"] = kept
    config_map(document)
    eventually(lambda: syncers.is_ready("cart"))
    assert eureka.registered_at("CART") == before


def test_a_first_document_that_cannot_be_read_ends_the_process_with_its_line(config_map, make_operator, namespace):
    config_map("modes: {}\nregistreis: {}\n")
    operator = make_operator(config_map=f"{namespace}/eurekube")
    operator.launch()
    assert operator.process.wait(within=10) == 1
    assert "line 2" in operator.process.tail(5)
