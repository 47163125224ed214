# SPDX-License-Identifier: Apache-2.0
"""The ZooKeeper registry of examples/, built outside the tree, against a real ZooKeeper."""

import json
import os
import shutil
import signal

import pytest

from conftest import ROOT
from kit.operator import BUILD, configuration
from kit.plugins import add_plugin, install_sdk, outside_make, run, this_build
from kit.wait import eventually, stays
from kit.zookeeper import ZooKeeper, require_packages

EXAMPLE = ROOT / "examples" / "registry-zookeeper"
SESSION_SECONDS = 3


@pytest.fixture(scope="module")
def plugins(tmp_path_factory):
    """A plugin directory with zookeeper.so in it, made from nothing but what `make install` puts down."""
    require_packages()
    work = tmp_path_factory.mktemp("zookeeper")
    environment = install_sdk(work / "sdk")
    shutil.copytree(EXAMPLE, work / "source", ignore=shutil.ignore_patterns("*.o", "*.d", "*.so"))
    run("make", "-C", work / "source", "CFLAGS=-O2 -Wall -Wextra -Werror", env=environment)

    directory = work / "plugins"
    directory.mkdir(mode=0o755)
    for built in [*(BUILD / "plugins").glob("*.so"), work / "source" / "zookeeper.so"]:
        add_plugin(directory, built)
    return directory


@pytest.fixture(scope="module")
def server(plugins, logs):
    zookeeper = ZooKeeper(logs)
    try:
        yield zookeeper
    finally:
        zookeeper.kill()


@pytest.fixture
def zookeeper(server):
    """It runs and is empty."""
    server.kill()
    server.forget_everything()
    return server.start()


@pytest.fixture
def make_host(make_operator, plugins, zookeeper, eureka):
    """An operator with three registries: Eureka (main), ZooKeeper (zoo) and memory."""
    def make(connect=None, auth=None, lease_seconds=90, renew_seconds=27, memory_lease_seconds=0, **options):
        document = configuration(eureka.url, plugins=plugins, lease_seconds=lease_seconds, renew_seconds=renew_seconds)
        zoo = {"plugin": "zookeeper.so", "options": {
            "connect": connect or [zookeeper.address], "sessionTimeout": f"{SESSION_SECONDS}s", **options}}
        memory = {"plugin": "memory.so", "options": {"leaseSeconds": memory_lease_seconds}}
        document["registries"] |= {"zoo": zoo | ({"auth": auth} if auth else {}), "memory": memory}
        return make_operator(document=document)
    return make


@pytest.fixture
def serve(syncers, workload, zookeeper):
    """serve(*addresses) -> the workload; each address is a pod that is UP in `cart`."""
    def make(*addresses, service="cart", **spec):
        cart = workload("cart", len(addresses))
        cart.named = cart.run(*addresses)
        syncers.create("cart", selector={"app": "cart"}, registry="zoo", **spec)
        eventually(lambda: zookeeper.addresses(service) == {address: "UP" for address in addresses})
        eventually(lambda: syncers.is_ready("cart"))
        return cart
    return make


def owners(zookeeper, service="cart"):
    return {key: stat.ephemeral_owner for key, stat in zookeeper.stats(service).items()}


def test_pods_appear_as_spring_cloud_zookeeper_reads_them(make_host, serve, syncers, zookeeper, namespace):
    make_host().start()
    pods = serve("10.0.1.1", "10.0.1.2", instance={"metadata": {"version": "3"}})
    for key, one in zookeeper.instances("cart").items():
        metadata = one["payload"].pop("metadata")
        assert one.pop("registrationTimeUTC") > 1_600_000_000_000
        assert one == {
            "name": "cart", "id": key, "address": one["address"], "port": 8080, "sslPort": None, "serviceType": "DYNAMIC",
            "payload": {"@class": "org.springframework.cloud.zookeeper.discovery.ZookeeperInstance", "id": key, "name": "cart"},
            "uriSpec": {"parts": [{"value": "scheme", "variable": True}, {"value": "://", "variable": False},
                                  {"value": "address", "variable": True}, {"value": ":", "variable": False},
                                  {"value": "port", "variable": True}]}}
        assert key == f"e2e:{namespace}:CART:{pods.named[one['address']]}:8080"
        assert metadata["version"] == "3"
        assert metadata["instance_status"] == "UP"
        assert metadata["eurekube.owner"] == f"e2e/{namespace}/cart"
    assert all(owners(zookeeper).values()), "the nodes go with their session"
    assert len(set(owners(zookeeper).values())) == 1
    assert syncers.status("cart")["registered"] == 2
    assert syncers.status("cart")["registry"] == "zoo"


def test_curator_reads_them(make_host, serve, zookeeper, namespace, tmp_path):
    make_host().start()
    pods = serve("10.0.1.1", "10.0.1.2")
    ids = {address: f"e2e:{namespace}:CART:{pod}:8080" for address, pod in pods.named.items()}
    assert zookeeper.as_curator_reads("cart", tmp_path) == {
        key: [f"http://{address}:8080", "DYNAMIC", key, "UP"] for address, key in ids.items()}


def test_growing_shrinking_and_going(make_host, serve, syncers, zookeeper):
    make_host().start()
    cart = serve("10.0.1.1", "10.0.1.2")
    before = zookeeper.stats("cart")
    cart.scale(3)
    cart.run("10.0.1.3")
    eventually(lambda: set(zookeeper.addresses("cart")) == {"10.0.1.1", "10.0.1.2", "10.0.1.3"})
    assert before.items() <= zookeeper.stats("cart").items(), "the others were not touched"
    cart.terminate(cart.named["10.0.1.1"])
    eventually(lambda: set(zookeeper.addresses("cart")) == {"10.0.1.2", "10.0.1.3"})
    syncers.delete("cart")
    eventually(lambda: syncers.gone("cart"))
    assert not zookeeper.children("/services/cart")


def test_a_changed_syncer_changes_nodes_in_place(make_host, serve, syncers, zookeeper):
    make_host().start()
    serve("10.0.1.1")
    [before] = zookeeper.stats("cart").values()
    syncers.patch("cart", instance={"metadata": {"colour": "blue"}})
    eventually(lambda: [one["payload"]["metadata"].get("colour") for one in zookeeper.instances("cart").values()] == ["blue"])
    [after] = zookeeper.stats("cart").values()
    assert (after.czxid, after.version) == (before.czxid, before.version + 1)


def test_a_killed_operator_takes_its_nodes_over_and_removes_what_vanished(make_host, serve, syncers, zookeeper):
    operator = make_host(sessionTimeout="7s").start()
    cart = serve("10.0.1.1", "10.0.1.2", "10.0.1.3")
    before = owners(zookeeper)

    operator.kill9()
    cart.scale(2)
    eventually(lambda: len(cart.pods()) == 2)
    [vanished] = set(cart.named.values()) - set(cart.pods())
    cart.finish(vanished)
    eventually(lambda: len(cart.cluster.slice_addresses(cart.namespace, "cart")) == 2)
    assert owners(zookeeper) == before, "the session outlives the process"

    remaining = {key for key in before if vanished not in key}
    operator.start()
    eventually(lambda: set(owners(zookeeper)) == remaining and not set(owners(zookeeper).values()) & set(before.values()))
    # the dead session ends, and takes nothing with it
    stays(lambda: set(zookeeper.children("/services/cart")) == remaining, 9)
    eventually(lambda: syncers.status("cart")["registered"] == 2)


def test_a_stopped_operator_deregisters_nothing_and_its_successor_leaves_no_gap(make_host, serve, zookeeper):
    operator = make_host().start()
    serve("10.0.1.1", "10.0.1.2")
    before = owners(zookeeper)
    assert operator.sigterm() == 0
    assert owners(zookeeper) == before
    operator.launch()
    stays(lambda: set(zookeeper.children("/services/cart")) == set(before), 2 * SESSION_SECONDS)
    assert not set(owners(zookeeper).values()) & set(before.values())


def test_nodes_whose_operator_was_away_too_long_come_back(make_host, serve, zookeeper):
    operator = make_host().start()
    serve("10.0.1.1", "10.0.1.2")
    operator.kill9()
    eventually(lambda: zookeeper.instances("cart") == {}, within=4 * SESSION_SECONDS)
    operator.start()
    eventually(lambda: zookeeper.addresses("cart") == {"10.0.1.1": "UP", "10.0.1.2": "UP"})


def test_a_session_that_expired_is_replaced(make_host, serve, zookeeper):
    operator = make_host().start()
    serve("10.0.1.1", "10.0.1.2")
    before = owners(zookeeper)
    os.kill(operator.process.pid, signal.SIGSTOP)
    try:
        eventually(lambda: zookeeper.instances("cart") == {}, within=4 * SESSION_SECONDS)
    finally:
        os.kill(operator.process.pid, signal.SIGCONT)
    eventually(lambda: set(owners(zookeeper)) == set(before))
    assert not set(owners(zookeeper).values()) & set(before.values())
    assert operator.process.running


def test_a_zookeeper_that_restarted_keeps_the_session(make_host, serve, zookeeper):
    make_host().start()
    serve("10.0.1.1", "10.0.1.2")
    before = owners(zookeeper)
    zookeeper.kill()
    zookeeper.start()
    stays(lambda: owners(zookeeper) == before, 2 * SESSION_SECONDS)


def renewals(operator, registry):
    """(how many were sent, how many of them at most five seconds late)"""
    series = f'eurekube_lease_lateness_seconds_bucket{{registry="{registry}",le="%s"}}'
    metrics = operator.metrics()
    return metrics[series % "+Inf"], metrics[series % "5"]


def puts(operator, registry):
    series = f'eurekube_registry_requests_total{{registry="{registry}",operation="put"'
    return sum(value for key, value in operator.metrics().items() if key.startswith(series))


def test_three_registries_in_one_host_of_which_one_dies_and_returns_empty(make_host, serve, syncers, workload, zookeeper, eureka):
    # a lease of 9 s bears 6 s of lateness
    operator = make_host(lease_seconds=9, renew_seconds=3, memory_lease_seconds=9).start()
    cart = serve("10.0.1.1", "10.0.1.2")
    workload("shop", 1).run("10.0.2.1")
    syncers.create("shop", selector={"app": "shop"}, registry="zoo")
    others = {"main": ["shop-a", "shop-b"], "memory": ["shop-c", "shop-d"]}
    for registry, names in others.items():
        for name in names:
            syncers.create(name, selector={"app": "shop"}, registry=registry, application=name)
    eventually(lambda: zookeeper.addresses("shop") == {"10.0.2.1": "UP"})
    eventually(lambda: all(syncers.is_ready(name) for names in others.values() for name in names))
    registered = {name: eureka.registered_at(name.upper()) for name in others["main"]}
    n_puts = {registry: puts(operator, registry) for registry in others}
    n_renewals = {registry: renewals(operator, registry)[0] for registry in others}

    def others_go_on():
        return operator.is_ready() and all(eureka.registered_at(name.upper()) == at for name, at in registered.items())

    zookeeper.kill()
    zookeeper.forget_everything()
    cart.terminate(cart.named["10.0.1.1"])
    stays(others_go_on, 11)     # longer than a lease
    zookeeper.start()
    eventually(lambda: zookeeper.addresses("cart") == {"10.0.1.2": "UP"}, within=20)
    eventually(lambda: zookeeper.addresses("shop") == {"10.0.2.1": "UP"})
    eventually(lambda: syncers.is_ready("cart") and syncers.is_ready("shop"))
    assert others_go_on()
    for registry in others:
        sent, in_time = renewals(operator, registry)
        assert sent >= n_renewals[registry] + 2 * 3, f"two instances in {registry} were to be renewed three times"
        assert in_time == sent, f"{sent - in_time:.0f} renewals in {registry} came too late"
        assert puts(operator, registry) == n_puts[registry], f"nothing in {registry} had to be registered again"


def test_a_foreign_node_with_our_name_is_left_alone(make_host, syncers, workload, zookeeper, namespace):
    pods = workload("cart", 1).run("10.0.1.1")
    path = f"/services/cart/e2e:{namespace}:CART:{pods['10.0.1.1']}:8080"
    theirs = json.dumps({"name": "cart", "id": "theirs", "address": "192.0.2.1", "port": 1, "payload": None}).encode()
    zookeeper.create(path, theirs)
    make_host().start()
    syncers.create("cart", selector={"app": "cart"}, registry="zoo")
    eventually(lambda: syncers.status("cart").get("failing") == 1)
    assert zookeeper.get(path)[0] == theirs


def test_root_case_and_names_of_servers_are_options(make_host, syncers, workload, zookeeper):
    make_host(connect=[f"localhost:{zookeeper.port}"], root="/apps/prod", case="upper").start()
    workload("cart", 1).run("10.0.1.1")
    syncers.create("cart", selector={"app": "cart"}, registry="zoo")
    eventually(lambda: zookeeper.addresses("CART", root="/apps/prod") == {"10.0.1.1": "UP"})


def test_credentials_protect_the_nodes(make_host, serve, zookeeper, tmp_path):
    for name, secret in [("username", "eurekube"), ("password", "s3cret-of-zookeeper")]:
        (tmp_path / name).write_text(secret)
    operator = make_host(acl="creator", auth={"type": "basic", "usernameFile": str(tmp_path / "username"),
                                              "passwordFile": str(tmp_path / "password")}).start()
    serve("10.0.1.1")
    [key] = zookeeper.children("/services/cart")
    no_auth = -102
    assert zookeeper.set(f"/services/cart/{key}", b"{}") == no_auth
    assert zookeeper.delete(f"/services/cart/{key}") == no_auth
    assert "s3cret" not in operator.process.log.read_text()


def test_it_keeps_the_rules_of_its_header():
    """Its own suite, which ends with the conformance kit; it starts a server of its own."""
    require_packages()
    run(ROOT / "tests" / "zookeeper" / "run", this_build(), env=outside_make())
