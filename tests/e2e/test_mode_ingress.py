# SPDX-License-Identifier: Apache-2.0
"""The mode of examples/mode-ingress, built outside the tree: a resource that only this mode reads."""

import json
import shutil

import pytest
import yaml

from conftest import ROOT
from kit.operator import BUILD, configuration
from kit.plugins import copy_plugins, install_sdk, run
from kit.wait import eventually, stays

EXAMPLE = ROOT / "examples" / "mode-ingress"
INGRESSES = ("networking.k8s.io/v1", "ingresses")
MODES = {"ingress": {"plugin": "ingress.so"}}


@pytest.fixture(scope="module")
def sdk(tmp_path_factory):
    """The environment to build plugins in."""
    return install_sdk(tmp_path_factory.mktemp("sdk") / "sdk")


@pytest.fixture(scope="module")
def source(tmp_path_factory, sdk):
    """The example, built."""
    source = tmp_path_factory.mktemp("ingress") / "source"
    shutil.copytree(EXAMPLE, source, ignore=shutil.ignore_patterns("*.o", "*.d", "*.so"))
    run("make", "-C", source, "CFLAGS=-O2 -Wall -Wextra -Werror", env=sdk)
    return source


@pytest.fixture(scope="module")
def plugins(tmp_path_factory, source):
    return copy_plugins(tmp_path_factory.mktemp("ingress") / "plugins", source / "ingress.so")


@pytest.fixture
def ingress(cluster, namespace):
    """ingress(name, service, *hosts, tls=[...]) creates or replaces one."""
    def write(name, service, *hosts, tls=()):
        backend = {"service": {"name": service, "port": {"number": 80}}}
        spec = {"rules": [{"host": host, "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}} for host in hosts],
                "tls": [{"hosts": list(tls)}] if tls else None}
        if cluster.find(*INGRESSES, name, namespace):
            cluster.patch(*INGRESSES, name, {"spec": spec}, namespace)
        else:
            cluster.create({"apiVersion": INGRESSES[0], "kind": "Ingress", "metadata": {"name": name, "namespace": namespace}, "spec": spec})
    return write


def watched(operator):
    """The resources that it watches."""
    return {series.split('resource="')[1].split('"')[0] for series in operator.metrics() if series.startswith("eurekube_watch_synced{")}


def test_hosts_of_ingresses_come_change_and_go(make_operator, plugins, syncers, workload, ingress, cluster, eureka, namespace):
    make_operator(modes=MODES, plugins=plugins).start()
    workload("cart", 1).run("10.0.1.1")
    workload("other", 1).run("10.0.1.2")
    ingress("cart", "cart", "cart.example", "secure.example", "*.wild.example", tls=["secure.example"])
    ingress("other", "other", "other.example")
    syncers.create("cart", selector={"app": "cart"}, mode="ingress")
    eventually(lambda: eureka.addresses("CART") == {"cart.example": "UP", "secure.example": "UP"})
    eventually(lambda: syncers.is_ready("cart"))
    ports = {one["ipAddr"]: (one["port"], one["securePort"]) for one in eureka.instances("CART").values()}
    assert ports["cart.example"][0] == {"$": 80, "@enabled": "true"}
    assert ports["secure.example"][1] == {"$": 443, "@enabled": "true"}
    assert ports["secure.example"][0]["@enabled"] == "false"
    before = eureka.registered_at("CART")

    ingress("cart", "cart", "cart.example", "new.example")
    eventually(lambda: eureka.addresses("CART") == {"cart.example": "UP", "new.example": "UP"})
    assert before.items() & eureka.registered_at("CART").items(), "what did not change was not touched"
    cluster.delete(*INGRESSES, "cart", namespace)
    eventually(lambda: not eureka.addresses("CART"))


def test_they_are_watched_from_the_moment_a_mode_reads_them(make_operator, plugins, syncers, workload, ingress, eureka, config_map, namespace):
    without, with_mode = (configuration(eureka.url, plugins=plugins, modes=modes) for modes in ({}, MODES))
    config_map(without)
    operator = make_operator(config_map=f"{namespace}/eurekube").start()
    assert watched(operator) == {"services", "endpointslices", "eurekasyncers"}
    workload("cart", 1).run("10.0.1.1")
    ingress("cart", "cart", "cart.example")
    syncers.create("cart", selector={"app": "cart"}, mode="ingress")
    eventually(lambda: syncers.not_ready("cart", "UnknownMode"))

    config_map(with_mode)
    eventually(lambda: eureka.addresses("CART") == {"cart.example": "UP"})
    assert "ingresses.networking.k8s.io" in watched(operator)
    config_map(without)
    eventually(lambda: watched(operator) == {"services", "endpointslices", "eurekasyncers"})
    assert eureka.addresses("CART") == {"cart.example": "UP"}


def rights(file, account, namespace):
    """The roles of a file, as JSON for kubectl: under names of this test's own, and bound to its account."""
    documents = [one for one in yaml.safe_load_all(file.read_text()) if one["kind"] in ("ClusterRole", "ClusterRoleBinding")]
    for one in documents:
        one["metadata"] = {"name": f"{namespace}-{one['metadata']['name']}"}
        if one["kind"] == "ClusterRoleBinding":
            one["roleRef"]["name"] = f"{namespace}-{one['roleRef']['name']}"
            one["subjects"] = [{"kind": "ServiceAccount", "name": account, "namespace": namespace}]
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": documents})


def test_without_the_right_to_read_them_nothing_is_removed_and_others_are_served(
        make_operator, control_plane, plugins, syncers, workload, ingress, eureka, cluster, kubectl, namespace):
    cluster.create({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "operator", "namespace": namespace}})
    own, more = (rights(file, "operator", namespace) for file in (ROOT / "deploy" / "kustomize" / "rbac.yaml", EXAMPLE / "rbac.yaml"))
    identity = control_plane.kubeconfig_for_service_account(namespace, "operator")
    try:
        kubectl("apply", "-f", "-", input=own)
        kubectl("apply", "-f", "-", input=more)
        operator = make_operator(kubeconfig=identity, modes=MODES, plugins=plugins).start()
        workload("cart", 1).run("10.0.1.1")
        ingress("cart", "cart", "cart.example")
        syncers.create("cart", selector={"app": "cart"}, mode="ingress")
        eventually(lambda: eureka.addresses("CART") == {"cart.example": "UP"})
        operator.kill9()
        before = eureka.registered_at("CART")

        kubectl("delete", "-f", "-", input=more)
        operator.start()
        condition = eventually(lambda: syncers.not_ready("cart", "ResourceUnavailable"))
        eventually(lambda: "RBAC" in syncers.condition("cart")["message"])
        assert "ingresses.networking.k8s.io" in condition["message"]
        syncers.create("plain", selector={"app": "cart"}, application="plain")
        eventually(lambda: eureka.addresses("PLAIN") == {"10.0.1.1": "UP"})
        stays(lambda: eureka.registered_at("CART") == before, 3)

        kubectl("apply", "-f", "-", input=more)
        eventually(lambda: syncers.is_ready("cart"), within=45)
        assert eureka.registered_at("CART") == before
    finally:
        for roles in (own, more):
            kubectl("delete", "--ignore-not-found", "-f", "-", input=roles)


def test_it_keeps_the_rules_of_its_header(source, sdk):
    checker = BUILD / "bin" / "eurekube-plugin-check"
    if not checker.exists():
        pytest.skip("eurekube-plugin-check is not built")
    said = run("make", "-C", source, "check", env=sdk | {"PATH": f"{BUILD / 'bin'}:{sdk['PATH']}"})
    assert "ok   instances:" in said
