# SPDX-License-Identifier: Apache-2.0
"""Fifty syncers are served with short leases while the API server, or what is between it
and the operator, misbehaves. Eureka's clients must never notice: nothing is removed,
nothing is registered again, no heartbeat is late; and what changed meanwhile is there
within one reconnect backoff."""

import os

import pytest

from kit.cluster import SLICES
from kit.controlplane import ADMIN_TOKEN
from kit.proxy import HTML, Answers, CutsInMidLine, EmptyLists, ErrorEvent, Proxy, Stalls, refusal
from kit.wait import eventually, stays

N_SYNCERS = 50
RENEW_SECONDS, LEASE_SECONDS = 2, 6
BACKOFF_SECONDS = 5
# Five seconds from the change in the view to the answer of Eureka's /apps, whose cache lives for one: the machine may be busy.
WITHIN = BACKOFF_SECONDS + 5
OUTAGE = LEASE_SECONDS + 2
# Nobody says when an empty list has become a true one: the operator asks so often.
DOUBT_SECONDS = 10


class Fifty:
    """One Service with a slice of the test's own, and a syncer for each of fifty applications."""

    def __init__(self, cluster, syncers, eureka):
        self.cluster, self.syncers, self.eureka = cluster, syncers, eureka
        self.namespace = syncers.namespace
        self.addresses = []

    def create(self):
        self.cluster.create({"apiVersion": "v1", "kind": "Service",
                             "metadata": {"name": "shop", "namespace": self.namespace, "labels": {"app": "shop"}},
                             "spec": {"ports": [{"name": "http", "port": 80, "targetPort": 8080}]}})
        self.cluster.create({"apiVersion": SLICES[0], "kind": "EndpointSlice", "addressType": "IPv4",
                             "metadata": {"name": "shop-1", "namespace": self.namespace,
                                          "labels": {"kubernetes.io/service-name": "shop"}},
                             "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}], "endpoints": []})
        for number in range(N_SYNCERS):
            self.syncers.create(f"shop-{number}", selector={"app": "shop"}, application=f"shop-{number}")
        self.set_addresses("10.0.1.1")
        self.is_served_soon(within=30)
        self.first = self.registered_at()
        return self

    def set_addresses(self, *addresses):
        self.addresses = list(addresses)
        self.cluster.patch(*SLICES, "shop-1", {"endpoints": [
            {"addresses": [address], "conditions": {"ready": True, "serving": True, "terminating": False},
             "targetRef": {"kind": "Pod", "name": f"shop-{address.replace('.', '-')}", "namespace": self.namespace}}
            for address in addresses]}, self.namespace)

    def add(self):
        """One more address: fifty more instances."""
        self.set_addresses(*self.addresses, f"10.0.1.{len(self.addresses) + 1}")

    def mine(self):
        return {key: one for key, one in self.eureka.instances().items() if one["app"].startswith("SHOP-")}

    def registered_at(self):
        return {key: one["leaseInfo"]["registrationTimestamp"] for key, one in self.mine().items()}

    def is_served(self):
        found = sorted((one["app"], one["ipAddr"], one["status"]) for one in self.mine().values())
        return found == sorted((f"SHOP-{number}", address, "UP") for number in range(N_SYNCERS) for address in self.addresses)

    def is_served_soon(self, within=WITHIN):
        eventually(self.is_served, within)

    def is_untouched(self):
        return self.first.items() <= self.registered_at().items()


@pytest.fixture
def fifty(cluster, syncers, eureka):
    return Fifty(cluster, syncers, eureka)


@pytest.fixture
def undisturbed(fifty, make_operator, eureka):
    """undisturbed(kubeconfig) starts the operator and returns the served fifty. When the test
    is over it proves that no client of Eureka has noticed anything."""
    made = []

    def serve(kubeconfig=None):
        made.append(make_operator(kubeconfig=kubeconfig, renew_seconds=RENEW_SECONDS, lease_seconds=LEASE_SECONDS).start())
        fifty.create()
        fifty.operator = made[0]
        return fifty

    yield serve
    if not made:
        return
    assert fifty.is_untouched(), "instances were registered again or are gone"
    removed = [key for action, key in eureka.delta() if action == "DELETED" and key in fifty.first]
    assert not removed, "instances were removed meanwhile"
    # By less than that an overloaded machine delays them; Eureka's eviction judges the rest.
    assert made[0].late_renewals("5") == 0, "heartbeats were late"


# the API server itself


def test_a_killed_api_server_that_comes_back_is_followed_again(undisturbed, control_plane):
    fifty = undisturbed()
    control_plane.kill_apiserver()
    stays(fifty.is_served, OUTAGE)
    control_plane.restart_apiserver()
    fifty.add()
    fifty.is_served_soon()


def freeze(fifty, control_plane, seconds):
    control_plane.freeze_apiserver()
    try:
        stays(fifty.is_served, seconds)
    finally:
        control_plane.thaw_apiserver()
    eventually(control_plane.is_ready, within=10)
    fifty.add()
    fifty.is_served_soon()


def test_an_api_server_that_hangs_for_15_seconds_is_waited_for(undisturbed, control_plane):
    freeze(undisturbed(), control_plane, 15)


@pytest.mark.long
@pytest.mark.timeout(240)
def test_an_api_server_that_hangs_for_a_minute_is_waited_for(undisturbed, control_plane):
    freeze(undisturbed(), control_plane, 60)


def test_an_api_server_that_drains_and_is_replaced_is_followed(undisturbed, control_plane):
    fifty = undisturbed()
    control_plane.apiserver.terminate(within=90)
    assert fifty.is_served()
    control_plane.restart_apiserver()
    fifty.add()
    fifty.is_served_soon()


def test_an_etcd_compacted_under_a_running_watch_changes_nothing(undisturbed, control_plane):
    fifty = undisturbed()
    for _ in range(3):
        fifty.add()
        control_plane.compact_etcd()
        fifty.is_served_soon()


def take_rights(fifty, control_plane, kubectl, seconds):
    """The rights on slices are taken and given back, and the API server restarted in between: a watch outlives its rights."""
    kubectl("patch", "clusterrole/faults-slices", "--type=merge", "-p", '{"rules":[]}')
    control_plane.kill_apiserver()
    control_plane.restart_apiserver()
    eventually(lambda: "endpointslices" in refused(fifty.operator), within=WITHIN)
    fifty.add()
    stays(fifty.is_untouched, seconds)
    grant_slices(kubectl)


def refused(operator):
    """The resources whose watch was refused."""
    return {one["resource"] for one in operator.logs() if one.get("message") == "watch broken" and one.get("cause") == "auth"}


def grant_slices(kubectl):
    kubectl("patch", "clusterrole/faults-slices", "--type=merge", "-p",
            '{"rules":[{"apiGroups":["discovery.k8s.io"],"resources":["endpointslices"],"verbs":["get","list","watch"]}]}')


@pytest.fixture
def limited(control_plane, kubectl, namespace):
    """The kubeconfig of one whose right on slices is a role of its own."""
    account = f"{namespace}:operator"
    kubectl("create", "serviceaccount", "operator", "-n", namespace)
    kubectl("create", "clusterrole", "faults-slices", "--verb=get,list,watch", "--resource=endpointslices.discovery.k8s.io")
    kubectl("create", "clusterrolebinding", "faults-slices", "--clusterrole=faults-slices", f"--serviceaccount={account}")
    kubectl("create", "clusterrole", "faults-rest", "--verb=get,list,watch,patch,create",
            "--resource=services,eurekasyncers.eurekube.io,eurekasyncers.eurekube.io/status,events.events.k8s.io,namespaces")
    kubectl("create", "clusterrolebinding", "faults-rest", "--clusterrole=faults-rest", f"--serviceaccount={account}")
    yield control_plane.kubeconfig_for_service_account(namespace, "operator")
    for kind in ("clusterrolebinding", "clusterrole"):
        kubectl("delete", kind, "faults-slices", "faults-rest")


def test_rights_that_are_gone_for_six_seconds_take_nothing_away(undisturbed, limited, control_plane, kubectl):
    fifty = undisturbed(limited)
    take_rights(fifty, control_plane, kubectl, 6)
    fifty.is_served_soon()


@pytest.mark.long
@pytest.mark.timeout(240)
def test_rights_that_are_gone_for_half_a_minute_take_nothing_away(undisturbed, limited, control_plane, kubectl):
    fifty = undisturbed(limited)
    take_rights(fifty, control_plane, kubectl, 30)
    fifty.is_served_soon()


def test_a_token_that_is_replaced_in_its_file_is_read_when_the_old_one_is_refused(undisturbed, control_plane, tmp_path, proxy):
    token = tmp_path / "token"
    token.write_text(ADMIN_TOKEN)
    fifty = undisturbed(control_plane.kubeconfig_for_token_file("token-file", token, proxy.url))
    fresh = tmp_path / "fresh"
    fresh.write_text(ADMIN_TOKEN + "\n")
    proxy.begin(refusal(401, "Unauthorized", "the token has expired"))
    stays(fifty.is_served, OUTAGE)
    os.rename(fresh, token)
    fifty.add()
    proxy.heal()
    fifty.is_served_soon()


# what is between


@pytest.fixture
def proxy(control_plane):
    proxy = Proxy(control_plane)
    yield proxy
    proxy.close()


FAULTS = {
    "cuts every line in the middle": lambda: CutsInMidLine(),
    "truncates every answer and calls it whole": lambda: CutsInMidLine(ends_well=True),
    "answers that all lists are empty": lambda: EmptyLists(),
    "answers that there are no slices": lambda: EmptyLists("endpointslices"),
    "answers that there are no services": lambda: EmptyLists("/services"),
    "answers 410": lambda: refusal(410, "Expired", "too old resource version"),
    "answers 429 and when to come back": lambda: refusal(429, "TooManyRequests", "later", **{"Retry-After": "1"}),
    "answers 500": lambda: refusal(500, "InternalError", "it broke"),
    "answers 200 with a page of HTML": lambda: Answers(200, HTML, "text/html"),
    "answers 502 with a page of HTML": lambda: Answers(502, HTML, "text/html"),
    "answers 404 to everything": lambda: Answers(404, b"404 page not found", "text/plain"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_proxy_takes_nothing_away_that(name, undisturbed, proxy, control_plane):
    fifty = undisturbed(control_plane.kubeconfig_through(proxy.url))
    fault = proxy.begin(FAULTS[name]())
    fifty.add()                                 # nobody tells the operator
    stays(fifty.is_untouched, OUTAGE)
    assert fault.hits > 0
    proxy.heal()
    fifty.is_served_soon(WITHIN + (DOUBT_SECONDS if isinstance(fault, EmptyLists) else 0))


def test_a_proxy_that_stalls_delays_a_change_and_takes_nothing_away(undisturbed, proxy, control_plane):
    fifty = undisturbed(control_plane.kubeconfig_through(proxy.url))
    fault = proxy.begin(Stalls(), break_open=False)
    fifty.add()
    stays(fifty.is_untouched, OUTAGE)
    assert fault.hits > 0
    proxy.heal()
    fifty.is_served_soon()


def test_a_running_watch_that_is_told_it_is_too_old_lists_again(undisturbed, proxy, control_plane):
    fifty = undisturbed(control_plane.kubeconfig_through(proxy.url))
    fault = proxy.begin(ErrorEvent("endpointslices", 410, "Expired", "too old resource version: 5 (6)"), break_open=False)
    fifty.add()
    eventually(lambda: fault.hits > 0)
    proxy.heal()
    fifty.is_served_soon()
