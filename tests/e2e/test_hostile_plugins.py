# SPDX-License-Identifier: Apache-2.0
"""Plugins that do what they must not, under the real operator: it lives through all but a crash and a call that never returns, and names them."""

import pytest

from kit.operator import BUILD, configuration
from kit.plugins import copy_plugins
from kit.wait import eventually, stays

HOSTILE = BUILD / "bad-plugins"


@pytest.fixture
def plugins(tmp_path):
    """The plugins as built, and the two hostile ones."""
    return copy_plugins(tmp_path / "plugins", HOSTILE / "hostile-mode.so", HOSTILE / "hostile-registry.so")


@pytest.fixture
def hostile(plugins, eureka):
    """hostile(behaviour, registry=...) -> a document in which mode `hostile` and registry `hostile` do that."""
    def document(mode="", registry=""):
        return configuration(eureka.url, lease_seconds=6, renew_seconds=2, plugins=plugins, modes={
            "hostile": {"plugin": "hostile-mode.so", "options": {"behaviour": mode, "only": "bad"}}}) | {
            "registries": configuration(eureka.url, lease_seconds=6, renew_seconds=2)["registries"] | {
                "hostile": {"plugin": "hostile-registry.so", "options": {"behaviour": registry}}}}
    return document


@pytest.fixture
def serve(make_operator, syncers, workload, eureka):
    """serve(document) -> the operator, with `good` served by mode pod in Eureka, and a workload for `bad`."""
    def start(document):
        operator = make_operator(document=document).start()
        workload("good", 1).run("10.0.1.1")
        syncers.create("good", selector={"app": "good"})
        eventually(lambda: eureka.addresses("GOOD"))
        workload("bad", 1).run("10.0.1.2")
        return operator
    return start


def misbehaviour(operator, plugin, instance, kind):
    return operator.metrics()[f'eurekube_plugin_misbehaviour_total{{plugin="{plugin}",instance="{instance}",kind="{kind}"}}']


@pytest.mark.parametrize("behaviour, message, kind", [
    ("no UTF-8", "emitted an instance with something that is no text: too long, not UTF-8, or with control characters", "garbage"),
    ("null metadata value", "emitted metadata that are no text: NULL, too long, not UTF-8, or with control characters", "garbage"),
    ("invented endpoint", "emitted an instance of an endpoint that it was not shown in that Service", "garbage"),
    ("ten million instances", "emitted more than 10004 instances for 1 endpoints", "too_many"),
    ("heavy instances", "emitted more than 16392 KiB of texts for 1 endpoints", "too_many"),
    ("unknown code", "returned the code 4711, which there is not", "garbage"),
])
def test_a_mode_that_gives_garbage_is_refused_by_name(serve, hostile, syncers, eureka, behaviour, message, kind):
    operator = serve(hostile(mode=behaviour))
    before = eureka.registered_at("GOOD")
    syncers.create("bad", selector={"app": "bad"}, mode="hostile")
    condition = eventually(lambda: syncers.not_ready("bad", "PluginMisbehaved"), within=15)
    assert condition["message"] == f"mode hostile (plugin hostile/6.6.6) {message}"
    assert misbehaviour(operator, "hostile/6.6.6", "mode hostile", kind) >= 1
    assert not eureka.addresses("BAD")
    stays(lambda: eureka.registered_at("GOOD") == before, 3)


@pytest.mark.parametrize("behaviour, message, kind", [
    ("never completes", "did not complete the operation within the time it was given", "no_completion"),
    ("result without size", "completed the operation with a result whose size is too small", "garbage"),
    ("lists NULL", "listed garbage", "garbage"),
])
def test_a_registry_that_answers_garbage_is_named_and_others_keep_their_leases(
        serve, hostile, syncers, eureka, behaviour, message, kind):
    operator = serve(hostile(registry=behaviour))
    before = eureka.registered_at("GOOD")
    syncers.create("bad", selector={"app": "bad"}, registry="hostile")
    condition = eventually(lambda: syncers.not_ready("bad", "PluginMisbehaved"), within=30)
    assert f"plugin hostile-registry/6.6.6 {message}" in condition["message"]
    assert misbehaviour(operator, "hostile-registry/6.6.6", "registry hostile", kind) >= 1
    assert eureka.registered_at("GOOD") == before


def test_a_completion_that_comes_twice_is_told_to_the_syncer(serve, hostile, syncers, cluster, namespace):
    serve(hostile(registry="completes twice"))
    syncers.create("bad", selector={"app": "bad"}, registry="hostile")
    eventually(lambda: syncers.is_ready("bad"))
    [event] = eventually(lambda: [one for one in cluster.events_about(namespace, "bad") if one["reason"] == "PluginMisbehaved"])
    assert "plugin hostile-registry/6.6.6 completed an operation on" in event["note"]


@pytest.mark.parametrize("behaviour, kind", [
    ("says that it is closed", "call_after_close"),
    ("floods with timers", "too_many"),
    ("floods with posts", "too_many"),
])
def test_a_registry_that_does_too_much_is_served_and_counted(serve, hostile, syncers, eureka, behaviour, kind):
    operator = serve(hostile(registry=behaviour))
    before = eureka.registered_at("GOOD")
    syncers.create("bad", selector={"app": "bad"}, registry="hostile")
    eventually(lambda: syncers.is_ready("bad"), within=15)
    eventually(lambda: misbehaviour(operator, "hostile-registry/6.6.6", "registry hostile", kind) >= 1)
    stays(lambda: eureka.registered_at("GOOD") == before, 3)


@pytest.mark.parametrize("behaviour, kind", [
    ("stops what has ended", "garbage"),
    ("emits from a thread", "foreign_thread"),
    ("misuses the host", "garbage"),
])
def test_a_mode_that_misuses_the_host_is_served_and_counted(serve, hostile, syncers, eureka, behaviour, kind):
    operator = serve(hostile(mode=behaviour))
    syncers.create("bad", selector={"app": "bad"}, mode="hostile")
    eventually(lambda: eureka.addresses("BAD") == {"10.0.1.2": "UP"}, within=15)
    assert misbehaviour(operator, "hostile/6.6.6", "mode hostile", kind) >= 1
    assert operator.process.running


def test_a_call_that_takes_long_is_counted_and_logged_with_its_plugin(serve, hostile, syncers, eureka):
    operator = serve(hostile(mode="blocks for 60 ms"))
    syncers.create("bad", selector={"app": "bad"}, mode="hostile")
    eventually(lambda: eureka.addresses("BAD"))
    assert operator.metrics()['eurekube_plugin_slow_calls_total{plugin="hostile/6.6.6",instance="mode hostile"}'] >= 1
    [line, *_] = [one for one in operator.logs() if one.get("message") == "a plugin's call took long"]
    assert line["plugin"] == "hostile/6.6.6" and line["instance"] == "mode hostile"


def test_a_call_that_blocks_for_six_seconds_is_reported_while_it_does(serve, hostile, syncers, eureka):
    operator = serve(hostile(mode="blocks for 6 s"))
    syncers.create("bad", selector={"app": "bad"}, mode="hostile")
    eventually(lambda: any(one.get("message") == "the loop is blocked" for one in operator.logs()), within=12)
    [line] = [one for one in operator.logs() if one.get("message") == "the loop is blocked"]
    assert line["who"] == "plugin hostile/6.6.6 mode hostile"
    eventually(lambda: eureka.addresses("BAD"), within=15)
    assert operator.process.running


@pytest.mark.parametrize("behaviour, word", [
    ("crashes", "the process crashes"),
    ("exits", "a plugin has ended the process"),
    ("blocks for ever", "the loop is blocked for too long, the process ends"),
])
def test_what_cannot_be_contained_ends_the_process_with_the_plugin_in_its_last_lines(serve, hostile, syncers, behaviour, word):
    operator = serve(hostile(mode=behaviour))
    syncers.create("bad", selector={"app": "bad"}, mode="hostile")
    assert operator.process.wait(within=20) != 0
    assert any(one.get("message") == word for one in operator.logs()[-2:])
    assert operator.logs()[-1]["who"] == "plugin hostile/6.6.6 mode hostile"
