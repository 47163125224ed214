# SPDX-License-Identifier: Apache-2.0
"""Namespaces that go, and syncers that meet in one."""

from kit.wait import eventually, stays


def test_a_namespace_deleted_with_everything_in_it_is_not_held_up(operator, cluster, syncers, namespace, workload, eureka):
    workload("cart", 2).run("10.0.1.1", "10.0.1.2")
    syncers.create("cart", selector={"app": "cart"})
    eventually(lambda: len(eureka.addresses("CART")) == 2)
    cluster.delete("v1", "namespaces", namespace)
    cluster.delete_all("v1", "pods", namespace, grace_seconds=0)    # as the kubelet would; a namespace waits for its pods first
    eventually(lambda: syncers.gone("cart"), within=40)
    assert eureka.addresses("CART") == {}


def test_of_two_syncers_with_one_application_the_older_is_served_and_the_younger_told(operator, syncers, workload, eureka):
    workload("cart", 1).run("10.0.1.1")
    workload("basket", 1).run("10.0.1.2")
    syncers.create("a-first", selector={"app": "cart"}, application="SHOP")
    eventually(lambda: eureka.addresses("SHOP") == {"10.0.1.1": "UP"})
    syncers.create("b-second", selector={"app": "basket"}, application="shop")
    message = eventually(lambda: syncers.not_ready("b-second", "Conflict"))["message"]
    assert "a-first" in message
    stays(lambda: eureka.addresses("SHOP") == {"10.0.1.1": "UP"}, 2)

    syncers.delete("a-first")
    eventually(lambda: eureka.addresses("SHOP") == {"10.0.1.2": "UP"})
    eventually(lambda: syncers.is_ready("b-second"))


def test_a_rollout_never_leaves_a_gap(operator, syncers, workload, eureka):
    cart = workload("cart", 3)
    old = cart.run("10.0.1.1", "10.0.1.2", "10.0.1.3")
    syncers.create("cart", selector={"app": "cart"}, port="http")
    eventually(lambda: len(eureka.addresses("CART")) == 3)
    for number, address in enumerate(sorted(old), 1):
        cart.terminate(old[address])
        cart.run(f"10.0.2.{number}")
        eventually(lambda: f"10.0.2.{number}" in eureka.addresses("CART"))
        eventually(lambda: address not in eureka.addresses("CART"))
        assert len(eureka.addresses("CART")) == 3


def test_an_application_renamed_is_registered_under_the_new_name_before_the_old_one_goes(operator, syncers, workload, eureka):
    workload("cart", 2).run("10.0.1.1", "10.0.1.2")
    syncers.create("cart", selector={"app": "cart"}, application="OLD")
    eventually(lambda: len(eureka.addresses("OLD")) == 2)
    syncers.patch("cart", application="NEW")

    def all_are_somewhere():
        return len(eureka.addresses("OLD") | eureka.addresses("NEW")) == 2
    stays(all_are_somewhere, 2)
    assert eureka.addresses("OLD") == {}
    eventually(lambda: syncers.status("cart")["applications"] == ["NEW"])
