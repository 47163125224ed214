# SPDX-License-Identifier: Apache-2.0
"""A second version of a mode takes over gradually: chosen syncers only, nothing twice, and back when it fails."""

import pytest

from kit.operator import configuration
from kit.plugins import add_plugin, build_plugins
from kit.wait import eventually, stays

N = 50


@pytest.fixture(scope="module")
def plugins(tmp_path_factory):
    """The plugins as built; podnext.so, another version of pod; pod-2.so, pod in a file with another digest."""
    directory = build_plugins(tmp_path_factory.mktemp("rollout"), "podnext")
    add_plugin(directory, directory / "pod.so", "pod-2.so", b"\0")
    return directory


@pytest.fixture
def serve(plugins, make_operator, syncers, workload, eureka):
    """serve(n) -> n syncers of one pod, app-00, app-01, ..., registered, and the operator that does it."""
    def start(n):
        operator = make_operator(plugins=plugins).start()
        workload("cart", 1).run("10.0.1.1")
        for i in range(n):
            syncers.create(f"app-{i:02}", selector={"app": "cart"}, application=f"app-{i:02}")
        eventually(lambda: len(eureka.instances()) == n, within=20)
        return operator
    return start


@pytest.fixture
def rollout(plugins, eureka):
    """rollout(operator, plugin, stage, ...) writes the document with it."""
    def write(operator, plugin, stage, select=None, options=None, failures=3):
        mode = {"plugin": "pod.so", "rollout": {"plugin": plugin, "stage": stage, "select": select or [],
                                                "options": options or {}, "rollback": {"failures": failures}}}
        operator.write_config(configuration(eureka.url, plugins=plugins, modes={"pod": mode}))
    return write


def versions(operator):
    """{channel: how many syncers it serves}"""
    prefix = 'eurekube_mode_syncers{mode="pod",channel="'
    return {series.removeprefix(prefix).split('"')[0]: int(value)
            for series, value in operator.metrics().items() if series.startswith(prefix)}


def marked(eureka):
    """The applications that the second version registers."""
    return {one["app"] for one in eureka.instances().values() if one["metadata"].get("channel") == "next"}


def removed(eureka):
    return [change for change in eureka.delta() if change[0] == "DELETED"]


def test_raising_the_percentage_moves_the_chosen_and_nobody_else(serve, rollout, eureka):
    operator = serve(N)
    cleared = removed(eureka)
    chosen = set()
    for percent in (0, 10, 50, 100):
        before = {one["app"]: one["leaseInfo"]["registrationTimestamp"] for one in eureka.instances().values()}
        rollout(operator, "podnext.so", "Canary", [{"percent": percent}], {"channel": "next"})
        eventually(lambda: abs(versions(operator).get("canary", -100) * 100 / N - percent) <= 6)
        eventually(lambda: len(marked(eureka)) == versions(operator)["canary"])
        stays(lambda: len(marked(eureka)) == versions(operator)["canary"], 1)

        now_chosen = marked(eureka)
        assert chosen <= now_chosen
        after = {one["app"]: one["leaseInfo"]["registrationTimestamp"] for one in eureka.instances().values()}
        assert {app for app in after if after[app] != before[app]} == now_chosen - chosen
        chosen = now_chosen
    assert len(chosen) == N
    assert removed(eureka) == cleared


def test_versions_that_agree_are_exchanged_without_one_write(serve, rollout, eureka, syncers):
    operator = serve(10)
    before, cleared = eureka.registered_at(None), removed(eureka)
    for percent in (0, 10, 50, 100):
        rollout(operator, "pod-2.so", "Canary", [{"percent": percent}])
        eventually(lambda: abs(versions(operator).get("canary", -100) * 10 - percent) <= 20)
    eventually(lambda: syncers.status("app-03")["modePlugin"]["channel"] == "canary")
    assert syncers.status("app-03")["rollout"]["differing"] == 0
    assert eureka.registered_at(None) == before
    assert removed(eureka) == cleared


def test_a_shadow_lists_exactly_what_differs_and_changes_nothing(serve, rollout, eureka, syncers):
    operator = serve(3)
    before = eureka.registered_at(None)
    rollout(operator, "podnext.so", "Shadow", options={"channel": "next", "hidesFor": "app-01", "failsFor": "app-02"})
    shadow = eventually(lambda: syncers.status("app-00").get("rollout"))
    [identity] = eureka.instances("APP-00")
    assert (shadow["stage"], shadow["version"], shadow["differing"]) == ("Shadow", "2.0.0", 1)
    assert shadow["instances"] == [{"id": identity, "change": "Changed", "fields": ["metadata.channel"]}]
    [hidden] = eventually(lambda: syncers.status("app-01").get("rollout"))["instances"]
    assert hidden["change"] == "Removed"
    assert "cannot serve app-02" in eventually(lambda: syncers.status("app-02").get("rollout"))["failure"]
    assert syncers.status("app-00")["modePlugin"]["channel"] == "stable"

    metrics = operator.metrics()
    assert metrics['eurekube_rollout_differing_syncers{mode="pod"}'] == 3
    assert metrics['eurekube_rollout_differing_instances{mode="pod"}'] == 2
    [state] = [one for one in operator.state()["syncers"] if one["name"].endswith("/app-00")]
    assert state["rollout"]["instances"][0]["fields"] == [{"name": "metadata.channel", "stable": None, "canary": "next"}]
    assert eureka.registered_at(None) == before and marked(eureka) == set()


def test_a_version_that_fails_goes_back_for_its_syncers_only_and_this_is_remembered(
        serve, rollout, eureka, syncers, cluster, namespace):
    operator = serve(4)
    cleared = removed(eureka)
    options = {"channel": "next", "failsFor": "app-01", "hidesFor": "app-02"}
    rollout(operator, "podnext.so", "Canary", [{"namespaces": [namespace]}], options)
    failed = eventually(lambda: syncers.status("app-01").get("rollback"), within=15)
    hiding = eventually(lambda: syncers.status("app-02").get("rollback"), within=15)
    assert (failed["reason"], failed["failures"]) == ("Broken", 3)
    assert hiding["reason"] == "DeletesHeld"
    eventually(lambda: marked(eureka) == {"APP-00", "APP-03"})
    eventually(lambda: versions(operator) == {"stable": 2, "canary": 2})
    assert syncers.condition("app-01", "RolledBack")["status"] == "True"
    assert syncers.is_ready("app-01") and syncers.is_ready("app-02")
    for name in ("app-01", "app-02"):
        assert "RolledBack" in [event["reason"] for event in cluster.events_about(namespace, name)]
    assert removed(eureka) == cleared

    before = eureka.registered_at(None)
    operator.kill9()
    operator.start()
    eventually(lambda: versions(operator) == {"stable": 2, "canary": 2})
    stays(lambda: versions(operator) == {"stable": 2, "canary": 2}, 4)
    assert operator.metrics()['eurekube_rollout_rollbacks_total{mode="pod"}'] == 0
    assert syncers.status("app-01")["rollback"] == failed
    assert eureka.registered_at(None) == before

    rollout(operator, "podnext.so", "Canary", [{"namespaces": [namespace]}], {"channel": "next"})
    eventually(lambda: len(marked(eureka)) == 4)
    eventually(lambda: "rollback" not in syncers.status("app-01"))
    assert syncers.condition("app-01", "RolledBack") is None
    assert removed(eureka) == cleared


def test_a_label_on_the_syncer_and_one_document_on_the_config_map_choose_it(
        plugins, config_map, make_operator, syncers, workload, eureka, namespace):
    document = configuration(eureka.url, plugins=plugins, modes={"pod": {"plugin": "pod.so", "rollout": {
        "plugin": "podnext.so", "stage": "Canary", "options": {"channel": "next"}, "select": [{"matchLabels": {"channel": "canary"}}]}}})
    config_map(document)
    make_operator(config_map=f"{namespace}/eurekube").start()
    workload("cart", 1).run("10.0.1.1")
    syncers.create("cart", selector={"app": "cart"})
    eventually(lambda: syncers.is_ready("cart"))
    assert marked(eureka) == set()
    syncers.label("cart", channel="canary")
    eventually(lambda: marked(eureka) == {"CART"})
