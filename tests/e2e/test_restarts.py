# SPDX-License-Identifier: Apache-2.0
"""The operator, Eureka and the API server die and come back; what must not change, does not."""

import pytest

from kit.wait import eventually, stays


@pytest.fixture
def served(syncers, workload, eureka):
    """served(*addresses) -> the workload; each address is a pod that is UP in CART."""
    def serve(*addresses):
        cart = workload("cart", len(addresses))
        cart.named = cart.run(*addresses)
        syncers.create("cart", selector={"app": "cart"})
        eventually(lambda: eureka.addresses("CART") == {address: "UP" for address in addresses})
        eventually(lambda: syncers.is_ready("cart"))
        return cart
    return serve


def test_a_killed_operator_registers_nothing_again_and_removes_what_vanished(make_operator, served, syncers, eureka):
    operator = make_operator(renew_seconds=2, lease_seconds=60).start()
    cart = served("10.0.1.1", "10.0.1.2", "10.0.1.3")
    before = eureka.registered_at("CART")

    operator.kill9()
    cart.scale(2)
    eventually(lambda: len(cart.pods()) == 2)
    [vanished] = set(cart.named.values()) - set(cart.pods())
    cart.finish(vanished)
    eventually(lambda: len(cart.cluster.slice_addresses(cart.namespace, "cart")) == 2)
    assert len(eureka.instances("CART")) == 3, "nobody was there to remove it"

    renewed = {key: one["leaseInfo"]["lastRenewalTimestamp"] for key, one in eureka.instances("CART").items()}
    operator.start()
    remaining = {key: time for key, time in before.items() if vanished not in key}
    eventually(lambda: eureka.registered_at("CART") == remaining)
    for key in remaining:
        eventually(lambda: eureka.instance("CART", key)["leaseInfo"]["lastRenewalTimestamp"] > renewed[key])
    stays(lambda: eureka.registered_at("CART") == remaining, 1)
    eventually(lambda: syncers.status("cart")["registered"] == 2)


def test_sigterm_ends_it_cleanly_and_leaves_the_leases(operator, served, eureka):
    served("10.0.1.1")
    before = eureka.registered_at("CART")
    assert operator.sigterm() == 0
    assert eureka.registered_at("CART") == before


def test_an_eureka_that_restarted_empty_is_refilled_within_one_renewal_period(make_operator, served, eureka):
    renew_seconds = 10
    make_operator(renew_seconds=renew_seconds, lease_seconds=30).start()
    served("10.0.1.1", "10.0.1.2")
    eureka.kill()
    eureka.start()
    eventually(lambda: eureka.addresses("CART") == {"10.0.1.1": "UP", "10.0.1.2": "UP"}, within=renew_seconds)


def test_what_happened_while_eureka_was_away_is_made_up_for(make_operator, served, eureka):
    make_operator(renew_seconds=5, lease_seconds=60).start()
    cart = served("10.0.1.1", "10.0.1.2")
    eureka.kill()
    cart.terminate(cart.named["10.0.1.1"])
    cart.run("10.0.1.3")        # its ReplicaSet's replacement
    eureka.start()
    eventually(lambda: eureka.addresses("CART") == {"10.0.1.2": "UP", "10.0.1.3": "UP"}, within=15)


def test_an_api_server_that_is_away_changes_nothing_in_eureka(make_operator, control_plane, served, syncers, eureka):
    make_operator(renew_seconds=2, lease_seconds=6).start()
    cart = served("10.0.1.1", "10.0.1.2")
    before = eureka.registered_at("CART")
    control_plane.kill_apiserver()
    stays(lambda: eureka.registered_at("CART") == before, 8)        # longer than a lease
    control_plane.restart_apiserver()
    cart.scale(3)
    cart.run("10.0.1.3")
    eventually(lambda: "10.0.1.3" in eureka.addresses("CART"), within=15)
    assert before.items() <= eureka.registered_at("CART").items()


def test_an_operator_without_an_api_server_waits_for_it(make_operator, control_plane, served, eureka):
    control_plane.kill_apiserver()
    operator = make_operator()
    operator.launch()
    stays(lambda: operator.process.running, 2)
    control_plane.restart_apiserver()
    operator.process.until(operator.is_ready, within=15)
    served("10.0.1.1")


def test_leases_are_renewed_while_eviction_is_on(make_operator, served, eureka):
    operator = make_operator(lease_seconds=6, renew_seconds=2).start()
    served("10.0.1.1", "10.0.1.2")
    before = eureka.registered_at("CART")
    stays(lambda: eureka.registered_at("CART") == before, 15)

    # and it is the operator who keeps them
    operator.kill9()
    eventually(lambda: eureka.addresses("CART") == {}, within=25)


@pytest.mark.long
@pytest.mark.timeout(400)
def test_leases_of_the_default_length_live_for_200_seconds(make_operator, served, eureka):
    make_operator().start()
    served("10.0.1.1", "10.0.1.2")
    before = eureka.registered_at("CART")
    stays(lambda: eureka.registered_at("CART") == before, 200)


@pytest.mark.long
@pytest.mark.timeout(400)
def test_two_minutes_without_eureka_end_with_everything_registered(make_operator, served, eureka):
    operator = make_operator().start()
    served("10.0.1.1", "10.0.1.2")
    eureka.kill()
    stays(lambda: operator.process.running and operator.is_ready(), 120)
    eureka.start()
    eventually(lambda: set(eureka.addresses("CART")) == {"10.0.1.1", "10.0.1.2"}, within=10)
