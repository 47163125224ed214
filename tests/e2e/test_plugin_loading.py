# SPDX-License-Identifier: Apache-2.0
"""What is loaded, seen from outside: changes of plugins leave nothing behind, and the command line says what a running operator has."""

import json
import subprocess
from pathlib import Path

import pytest

from kit.operator import BUILD, configuration
from kit.plugins import add_plugin
from kit.wait import eventually

CHANGES = 100
SETTLED = 20        # after so many everything that is kept for ever has been made


class Footprint:
    """What a process holds now."""

    def __init__(self, pid):
        process = Path(f"/proc/{pid}")
        status = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
        self.mappings = len((process / "maps").read_text().splitlines())
        self.descriptors = len(list((process / "fd").iterdir()))
        self.anonymous_kb = int(status["RssAnon"].split()[0])


def used_by(operator, mode):
    """The file that serves a mode."""
    return {use["mode"]: one["file"] for one in operator.state()["plugins"] for use in one["usedBy"] if "mode" in use}.get(mode)


def test_a_hundred_changes_back_and_forth_leave_nothing_behind(config_map, plugins, make_operator, syncers, namespace, workload, eureka):
    files = ("pod.so", "pod-2.so")

    def document(change):
        """Two files and two sets of options, so that mode and registry are replaced in all combinations; long, so that it would be missed."""
        return configuration(eureka.url, plugins=plugins, lease_seconds=(90, 60)[change // 2 % 2], modes={"pod": {"plugin": files[change % 2]}},
                             grants=[{"from": f"team-{i}", "to": f"shop-{i}"} for i in range(300)])

    config_map(document(0))
    operator = make_operator(config_map=f"{namespace}/eurekube").start()
    workload("cart", 2).run("10.0.1.1", "10.0.1.2")
    syncers.create("cart", selector={"app": "cart"})
    eventually(lambda: len(eureka.addresses("CART")) == 2)
    held = []
    for change in range(1, CHANGES + 1):
        config_map(document(change))
        eventually(lambda: used_by(operator, "pod") == files[change % 2], within=5)
        held.append(Footprint(operator.process.pid))

    settled, late = held[SETTLED:SETTLED + 20], held[-20:]
    assert max(one.mappings for one in late) <= max(one.mappings for one in settled) + 1       # the heap may be split once more
    assert max(one.descriptors for one in late) <= max(one.descriptors for one in settled) + 2  # connections come and go
    assert max(one.anonymous_kb for one in late) <= max(one.anonymous_kb for one in settled) + 400
    eventually(lambda: operator.metrics()['eurekube_registry_open{registry="main"}'] == 1)
    assert set(eureka.addresses("CART")) == {"10.0.1.1", "10.0.1.2"}
    assert not [key for action, key in eureka.delta() if action == "DELETED" and f":{namespace}:" in key]


def plugin(*words):
    """Runs `eurekube plugin ...`; its exit code and what it prints."""
    done = subprocess.run([BUILD / "bin" / "eurekube", "plugin", *map(str, words)], text=True, capture_output=True, timeout=30)
    return done.returncode, done.stdout + done.stderr


def listed(operator):
    """{file: its row} as `plugin list -o json` has it."""
    code, text = plugin("list", "--debug", f"127.0.0.1:{operator.debug_port}", "-o", "json")
    assert code == 0, text
    return {one["file"]: one for one in json.loads(text)["plugins"]}


def test_plugin_list_tells_what_is_loaded_and_who_uses_it(plugins, make_operator, syncers, workload, eureka):
    rollout = {"plugin": "pod-2.so", "stage": "Canary", "select": [{"percent": 100}]}
    document = configuration(eureka.url, plugins=plugins, modes={"pod": {"plugin": "pod.so", "rollout": rollout}, "web": {"plugin": "pod.so"}})
    document["registries"]["spare"] = {"plugin": "memory.so"}
    operator = make_operator(document=document).start()
    workload("cart", 1).run("10.0.1.1")
    syncers.create("cart", selector={"app": "cart"})
    eventually(lambda: eureka.addresses("CART"))

    rows = listed(operator)
    assert set(rows) == {"pod.so", "pod-2.so", "eureka.so", "memory.so"}
    for file, row in rows.items():
        assert row["digest"] == "sha256:" + plugin("digest", plugins / file)[1].strip()
        assert row["abi"] == "0.2"
    assert rows["pod.so"]["usedBy"] == [{"mode": "pod", "channel": "stable", "syncers": 0}, {"mode": "web", "channel": "stable", "syncers": 0}]
    assert rows["pod-2.so"]["usedBy"] == [{"mode": "pod", "channel": "canary", "syncers": 1}]
    assert rows["eureka.so"]["usedBy"] == [{"registry": "main"}] and rows["eureka.so"]["kind"] == "registry"
    assert rows["memory.so"]["usedBy"] == [{"registry": "spare"}]

    code, table = plugin("list", "--debug", f"127.0.0.1:{operator.debug_port}")
    head, *lines = table.splitlines()
    assert code == 0 and head.split() == ["NAME", "KIND", "VERSION", "ABI", "FILE", "DIGEST", "USED", "BY"]
    assert [line.split(None, 6)[-1] for line in lines if " pod-2.so " in line] == ["mode pod (canary)"]
    assert [line.split(None, 6)[-1] for line in lines if " pod.so " in line] == ["mode pod (stable), mode web (stable)"]

    # What is no longer used stays loaded, and is shown as such.
    document["modes"] = {"pod": {"plugin": "pod-2.so"}}
    operator.write_config(document)
    eventually(lambda: listed(operator)["pod.so"]["usedBy"] == [])
    assert [line.split(None, 6)[-1] for line in plugin("list", "--debug", f"127.0.0.1:{operator.debug_port}")[1].splitlines()
            if " pod.so " in line] == ["-"]


def test_plugin_list_says_when_somebody_else_answers(eureka):
    code, text = plugin("list", "--debug", eureka.url.split("/")[2])
    assert code == 1
    assert "/debug/plugins answers with status 404; is that the --debug-listen of an operator?" in text


def test_a_file_that_changed_under_a_running_operator_is_read_when_the_document_changes(plugins, make_operator, syncers, workload, eureka):
    """The bytes that run are those that were checked, whatever becomes of the file."""
    document = configuration(eureka.url, plugins=plugins)
    operator = make_operator(document=document).start()
    cart = workload("cart", 2)
    cart.run("10.0.1.1")
    syncers.create("cart", selector={"app": "cart"})
    eventually(lambda: eureka.addresses("CART"))
    before = listed(operator)["pod.so"]["digest"]
    (plugins / "pod.so").write_bytes(b"")
    cart.run("10.0.1.2")
    eventually(lambda: len(eureka.addresses("CART")) == 2)

    operator.write_config(document | {"audit": {"periodSeconds": 200}})
    eventually(lambda: operator.metrics()["eurekube_config_valid"] == 0)
    [line] = [one for one in operator.logs() if "pod.so: is empty" in json.dumps(one)]
    assert line["level"] in ("warn", "error")
    assert listed(operator)["pod.so"]["digest"] == before

    add_plugin(plugins, plugins / "pod-2.so", "pod.so", b"\0")
    operator.write_config(document | {"audit": {"periodSeconds": 201}})
    eventually(lambda: operator.metrics()["eurekube_config_valid"] == 1)
    [now] = [one for one in listed(operator).values() if one["usedBy"] and one["kind"] == "mode"]
    assert now["digest"] == "sha256:" + plugin("digest", plugins / "pod.so")[1].strip() != before
