# SPDX-License-Identifier: Apache-2.0
"""Suspended syncers, and syncers that leave their instances behind."""

from kit.wait import eventually, stays


def test_a_suspended_syncer_keeps_its_leases_and_changes_nothing_else(make_operator, syncers, workload, eureka):
    make_operator(lease_seconds=6, renew_seconds=2).start()
    cart = workload("cart", 2)
    pods = cart.run("10.0.1.1", "10.0.1.2")
    syncers.create("cart", selector={"app": "cart"})
    eventually(lambda: len(eureka.addresses("CART")) == 2)
    before = eureka.registered_at("CART")

    syncers.patch("cart", suspend=True)
    eventually(lambda: syncers.is_ready("cart"))
    cart.terminate(pods["10.0.1.1"])
    cart.run("10.0.1.3")        # its ReplicaSet's replacement
    stays(lambda: eureka.registered_at("CART") == before, 8)        # longer than a lease

    syncers.patch("cart", suspend=False)
    eventually(lambda: eureka.addresses("CART") == {"10.0.1.2": "UP", "10.0.1.3": "UP"})


def test_a_suspended_syncer_registers_nothing_to_begin_with(operator, syncers, workload, eureka):
    workload("cart", 1).run("10.0.1.1")
    syncers.create("cart", selector={"app": "cart"}, suspend=True)
    eventually(lambda: syncers.is_ready("cart"))
    assert eureka.instances() == {}


def test_an_orphaning_syncer_goes_at_once_and_its_leases_expire(make_operator, syncers, workload, eureka):
    make_operator(lease_seconds=4, renew_seconds=1).start()
    workload("cart", 1).run("10.0.1.1")
    syncers.create("cart", selector={"app": "cart"}, deletionPolicy="Orphan")
    eventually(lambda: eureka.addresses("CART"))
    eventually(lambda: syncers.is_ready("cart"))
    assert not syncers.find("cart")["metadata"].get("finalizers")
    syncers.delete("cart")
    eventually(lambda: syncers.gone("cart"), within=1)
    stays(lambda: eureka.addresses("CART"), 1)
    eventually(lambda: not eureka.addresses("CART"), within=20)


def test_a_syncer_deleted_while_the_operator_was_away_is_finished_at_its_return(make_operator, syncers, workload, eureka):
    operator = make_operator().start()
    workload("cart", 1).run("10.0.1.1")
    syncers.create("cart", selector={"app": "cart"})
    eventually(lambda: eureka.addresses("CART"))
    operator.kill9()
    syncers.delete("cart")
    assert syncers.find("cart")["metadata"]["deletionTimestamp"]
    operator.start()
    eventually(lambda: syncers.gone("cart"))
    assert eureka.addresses("CART") == {}


def test_a_recreated_syncer_takes_its_old_instances_over(make_operator, syncers, workload, eureka):
    operator = make_operator(lease_seconds=60, renew_seconds=2).start()
    workload("cart", 1).run("10.0.1.1")
    syncers.create("cart", selector={"app": "cart"}, deletionPolicy="Orphan")
    eventually(lambda: eureka.addresses("CART"))
    before = eureka.registered_at("CART")
    operator.kill9()
    syncers.delete("cart")
    eventually(lambda: syncers.gone("cart"))
    syncers.create("cart", selector={"app": "cart"}, deletionPolicy="Orphan")
    operator.start()
    eventually(lambda: syncers.status("cart")["registered"] == 1)
    assert eureka.registered_at("CART") == before
