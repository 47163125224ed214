# SPDX-License-Identifier: Apache-2.0
"""What cannot be served says so, and says what to do; what can be is served beside it."""

import pytest

from kit.wait import eventually, stays

# the syncer's name: its spec, the reason, which condition is True, and what its message
# must name: the fault, and what would be right
BAD = {
    "mode": ({"mode": "pods"}, "UnknownMode", "Stalled", ["pods", "pod,pod"]),
    "port": ({"port": "grpc"}, "PortNotFound", "Stalled", ["grpc", "http"]),
    "selector": ({"selector": {"app": "carrt"}}, "NothingSelected", "Reconciling", ["carrt"]),
    "registry": ({"registry": "mian"}, "UnknownRegistry", "Stalled", ["mian", "main"]),
}


def test_four_bad_syncers_say_what_to_do_while_a_good_one_is_served(operator, cluster, syncers, namespace, workload, eureka):
    workload("cart", 1).run("10.0.1.1")
    for name, (change, _, _, _) in BAD.items():
        syncers.create(name, **{"selector": {"app": "cart"}, "application": f"bad-{name}"} | change)
    syncers.create("good", selector={"app": "cart"})

    eventually(lambda: syncers.is_ready("good"))
    assert eureka.addresses("CART") == {"10.0.1.1": "UP"}
    for name, (_, reason, kind, words) in BAD.items():
        message = eventually(lambda: syncers.not_ready(name, reason))["message"]
        for word in words:
            assert all(part in message for part in word.split(",")), f"{name}: {message}"
        assert syncers.condition(name, kind)["status"] == "True", f"{name}: {kind}"

    def one_event_each():
        for name, (_, reason, _, _) in BAD.items():
            events = cluster.events_about(namespace, name)
            assert [(event["reason"], event["type"]) for event in events] == [(reason, "Warning")], name
        return True
    eventually(one_event_each)
    stays(one_event_each, 2)
    assert {one["app"] for one in eureka.instances().values()} == {"CART"}


def test_a_mended_syncer_is_served(operator, syncers, workload, eureka):
    workload("cart", 1).run("10.0.1.1")
    syncers.create("cart", selector={"app": "cart"}, port="grpc")
    eventually(lambda: syncers.not_ready("cart", "PortNotFound"))
    syncers.patch("cart", port="http")
    eventually(lambda: syncers.is_ready("cart"))
    assert eureka.addresses("CART") == {"10.0.1.1": "UP"}
    assert syncers.condition("cart", "Stalled")["status"] == "False"


def test_a_service_that_appears_later_is_served_without_an_edit(operator, syncers, workload, eureka):
    syncers.create("cart", selector={"app": "cart"})
    eventually(lambda: syncers.not_ready("cart", "NothingSelected"))
    workload("cart", 1).run("10.0.1.1")
    eventually(lambda: syncers.is_ready("cart"))
    eventually(lambda: eureka.addresses("CART") == {"10.0.1.1": "UP"})


def test_a_service_without_endpoints_is_ready_with_nothing_registered(operator, syncers, workload):
    workload("cart", 0)
    syncers.create("cart", selector={"app": "cart"})
    eventually(lambda: syncers.is_ready("cart"))
    status = syncers.status("cart")
    assert (status["desired"], status["registered"]) == (0, 0)


NOT_YET = {
    "notReady": {"notReady": "Down"},
    "drain": {"drain": {"action": "OutOfService"}},
    "policy": {"policy": "Observe"},
    "secure": {"instance": {"secure": True}},
    "metadataFrom": {"instance": {"metadataFrom": {"team": {"from": "Service", "label": "team"}}}},
}


def test_a_field_that_is_not_served_yet_is_named(operator, syncers, workload, eureka):
    workload("cart", 1).run("10.0.1.1")
    for field, change in NOT_YET.items():
        syncers.create(field.lower(), selector={"app": "cart"}, application=f"x-{field}", **change)
    for field in NOT_YET:
        condition = eventually(lambda: syncers.not_ready(field.lower(), "NotYetSupported"))
        assert field in condition["message"]
    assert eureka.instances() == {}


@pytest.mark.parametrize("change, back", [
    ({"policy": "Observe"}, {"policy": "Sync"}),
    ({"mode": "pods"}, {"mode": "pod"}),
    ({"port": "grpc"}, {"port": "http"}),
    ({"registry": "mian"}, {"registry": "main"}),
], ids=["unserved field", "unknown mode", "missing port", "unknown registry"])
def test_a_served_syncer_that_turns_bad_keeps_what_it_has(make_operator, syncers, workload, eureka, change, back):
    make_operator(lease_seconds=6, renew_seconds=2).start()
    cart = workload("cart", 2)
    pods = cart.run("10.0.1.1", "10.0.1.2")
    syncers.create("cart", selector={"app": "cart"}, port="http", registry="main")
    eventually(lambda: len(eureka.addresses("CART")) == 2)
    before = eureka.registered_at("CART")

    syncers.patch("cart", **change)
    eventually(lambda: (syncers.condition("cart") or {}).get("status") == "False")
    cart.terminate(pods["10.0.1.1"])
    stays(lambda: eureka.registered_at("CART") == before, 8)        # longer than a lease

    syncers.patch("cart", **back)
    eventually(lambda: eureka.addresses("CART") == {"10.0.1.2": "UP"})
    assert eureka.registered_at("CART").items() <= before.items()
