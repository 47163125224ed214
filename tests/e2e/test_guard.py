# SPDX-License-Identifier: Apache-2.0
"""What an API server, or what is in front of it, does not show is not removed on its word alone."""

import pytest

from kit.cluster import SLICES, SYNCERS
from kit.proxy import HidesObjects, Proxy, refusal
from kit.wait import eventually, stays

N = 20


@pytest.fixture
def proxy(control_plane):
    proxy = Proxy(control_plane)
    yield proxy
    proxy.close()


class Shops:
    """Twenty Services with a slice and a syncer each; their slices are the test's own."""

    def __init__(self, cluster, syncers, eureka):
        self.cluster, self.syncers, self.eureka = cluster, syncers, eureka
        self.namespace = syncers.namespace

    def create(self):
        for number in range(N):
            name = f"part-{number}"
            self.cluster.create({"apiVersion": "v1", "kind": "Service",
                                 "metadata": {"name": name, "namespace": self.namespace, "labels": {"app": name}},
                                 "spec": {"ports": [{"name": "http", "port": 80, "targetPort": 8080}]}})
            self.cluster.create({"apiVersion": SLICES[0], "kind": "EndpointSlice", "addressType": "IPv4",
                                 "metadata": {"name": name, "namespace": self.namespace, "labels": {"kubernetes.io/service-name": name}},
                                 "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}],
                                 "endpoints": [self.endpoint(name, number, host) for host in (1, 2)]})
            self.syncers.create(name, selector={"app": name})
        eventually(lambda: self.registered() == set(range(N)), within=30)
        self.first = self.eureka.registered_at("PART-0")
        return self

    def endpoint(self, name, number, host):
        return {"addresses": [f"10.1.{number}.{host}"], "conditions": {"ready": True, "serving": True, "terminating": False},
                "targetRef": {"kind": "Pod", "name": f"{name}-{host}", "namespace": self.namespace}}

    def registered(self):
        """The numbers of those that are there with both instances."""
        applications = [one["app"] for one in self.eureka.instances().values() if one["app"].startswith("PART-")]
        return {number for number in range(N) if applications.count(f"PART-{number}") == 2}

    def held(self):
        return {number for number in range(N) if self.syncers.not_ready(f"part-{number}", "DeletesHeld")}

    def are_all_ready(self):
        return all(self.syncers.is_ready(f"part-{number}") for number in range(N))

    def lose(self, numbers):
        for number in numbers:
            self.cluster.delete(*SLICES, f"part-{number}", self.namespace)
            self.cluster.delete("v1", "services", f"part-{number}", self.namespace)

    def approve(self, number):
        plan = self.syncers.status(f"part-{number}")["plan"]["hash"]
        self.cluster.patch(*SYNCERS, f"part-{number}", {"metadata": {"annotations": {"eurekube.io/approve": plan}}}, self.namespace)


@pytest.fixture
def shops(cluster, syncers, eureka):
    return Shops(cluster, syncers, eureka)


@pytest.fixture
def operate(make_operator, namespace):
    """operate(...) starts an operator that sees this namespace alone: what other tests have left in the cluster would change what is half of it."""
    return lambda **options: make_operator(watchNamespaces=[namespace], **options).start()


@pytest.mark.parametrize("resource", ["endpointslices", "/services", "/"])
def test_a_list_that_hides_most_objects_removes_nothing(resource, shops, proxy, operate, control_plane):
    operate(kubeconfig=control_plane.kubeconfig_through(proxy.url))
    shops.create()
    hides = proxy.begin(HidesObjects("part-([4-9]|1[0-9])", resource))
    eventually(lambda: len(shops.held()) == N - 4, within=20)
    assert hides.hits
    stays(lambda: shops.registered() == set(range(N)), 5)
    proxy.heal()
    eventually(shops.are_all_ready, within=20)
    assert shops.registered() == set(range(N))
    assert shops.eureka.registered_at("PART-0") == shops.first


def test_what_is_truly_gone_goes_when_a_person_approves_it(shops, proxy, operate, control_plane):
    operate(kubeconfig=control_plane.kubeconfig_through(proxy.url))
    shops.create()
    lost = set(range(4, N))
    history = proxy.begin(refusal(410, "Expired", "too old resource version", resource="watch=1"))
    shops.lose(lost)
    eventually(lambda: history.hits >= 9)           # all three watches have met it: they must list
    proxy.heal()
    eventually(lambda: shops.held() == lost, within=20)
    assert shops.registered() == set(range(N))
    shops.approve(4)
    eventually(lambda: shops.registered() == set(range(N)) - {4})
    stays(lambda: shops.registered() == set(range(N)) - {4}, 3)
    for number in lost - {4}:
        shops.approve(number)
    eventually(lambda: shops.registered() == set(range(4)))


def test_a_few_that_vanish_are_confirmed_and_go(shops, operate):
    operator = operate()
    shops.create()
    shops.lose({1, 2, 3})
    eventually(lambda: shops.registered() == set(range(N)) - {1, 2, 3}, within=5)
    assert operator.metrics()['eurekube_quorum_reads_total{result="confirmed"}'] >= 3
    assert operator.metrics()['eurekube_quorum_reads_total{result="contradicted"}'] == 0


def test_an_operator_that_starts_behind_such_a_proxy_removes_nothing(shops, proxy, operate, control_plane):
    first = operate()
    shops.create()
    first.process.kill()
    proxy.begin(HidesObjects("part-([4-9]|1[0-9])"))
    operate(kubeconfig=control_plane.kubeconfig_through(proxy.url))
    eventually(lambda: len(shops.held()) == N - 4, within=20)
    stays(lambda: shops.registered() == set(range(N)), 5)
    proxy.heal()
    eventually(shops.are_all_ready, within=20)
    assert shops.registered() == set(range(N))
