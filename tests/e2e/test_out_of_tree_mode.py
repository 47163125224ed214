# SPDX-License-Identifier: Apache-2.0
"""A third party's mode: compiled outside the tree against what `make install` puts down."""

import pytest

from kit.operator import BUILD
from kit.plugins import build_plugins, run
from kit.wait import eventually


@pytest.fixture(scope="module")
def plugin_directory(tmp_path_factory):
    """The plugins as built, and onebyone.so beside them."""
    return build_plugins(tmp_path_factory.mktemp("out-of-tree"), "onebyone")


def test_a_mode_compiled_outside_the_tree_serves_a_syncer(plugin_directory, make_operator, syncers, workload, eureka):
    modes = {"onebyone": {"plugin": "onebyone.so"}}
    make_operator(modes=modes, plugins=plugin_directory).start()
    pods = workload("cart", 2).run("10.0.1.1", "10.0.1.2")
    syncers.create("cart", selector={"app": "cart"}, mode="onebyone")
    for address, pod in pods.items():
        application = f"CART-{pod.upper()}"
        eventually(lambda: eureka.addresses(application) == {address: "UP"})
        [one] = eureka.instances(application).values()
        assert one["metadata"]["flavour"] == "out-of-tree"
    eventually(lambda: syncers.is_ready("cart"))
    plugin = syncers.status("cart")["modePlugin"]
    assert (plugin["name"], plugin["version"]) == ("onebyone", "7.1.0")
    assert plugin["digest"].startswith("sha256:")


def test_it_passes_the_conformance_kit(plugin_directory):
    checker = BUILD / "bin" / "eurekube-plugin-check"
    if not checker.exists():
        pytest.skip("eurekube-plugin-check is not built")
    run(checker, plugin_directory / "onebyone.so")


def test_a_plugin_that_does_not_load_affects_only_its_own_syncers(plugin_directory, make_operator, syncers, workload, eureka):
    (plugin_directory / "broken.so").write_bytes(b"this is no shared object")
    (plugin_directory / "broken.so").chmod(0o755)
    make_operator(modes={"broken": {"plugin": "broken.so"}}, plugins=plugin_directory).start()
    workload("cart", 1).run("10.0.1.1")
    syncers.create("broken", selector={"app": "cart"}, application="x", mode="broken")
    syncers.create("good", selector={"app": "cart"})
    eventually(lambda: eureka.addresses("CART") == {"10.0.1.1": "UP"})
    condition = eventually(lambda: syncers.not_ready("broken", "PluginUnavailable"))
    assert "broken.so" in condition["message"]
