# SPDX-License-Identifier: Apache-2.0
"""The API server has a name, and whoever knows names takes half a minute for it. The
heartbeats of what is registered do not wait for that."""

import subprocess
from pathlib import Path

import pytest

from kit.operator import configuration
from kit.proxy import Proxy
from kit.wait import eventually, stays

NAME = "api.slow.test"
SLOW_SECONDS = 30
REMEMBERED_SECONDS = 60     # libcurl knows a name for so long


@pytest.fixture
def resolver(tmp_path):
    """The environment of a process whose resolver is slow while the file that SLOW_WHILE names exists."""
    library = tmp_path / "slow_resolver.so"
    subprocess.run(["cc", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o", library,
                    Path(__file__).parent / "shims" / "slow_resolver.c"], check=True)
    return {"LD_PRELOAD": str(library), "SLOW_NAME": NAME, "SLOW_SECONDS": str(SLOW_SECONDS), "SLOW_WHILE": str(tmp_path / "slow")}


@pytest.fixture
def proxy(control_plane):
    proxy = Proxy(control_plane, name=NAME)
    yield proxy
    proxy.close()


@pytest.mark.long
@pytest.mark.timeout(300)
def test_a_resolver_that_hangs_delays_no_heartbeat(resolver, proxy, make_operator, control_plane, syncers, workload, eureka):
    operator = make_operator(kubeconfig=control_plane.kubeconfig_through(proxy.url),
                             document=configuration(eureka.url, renew_seconds=2, lease_seconds=6))
    operator.environment = resolver
    operator.start()
    cart = workload("cart", 1)
    cart.run("10.0.1.1")
    syncers.create("cart", selector={"app": "cart"})
    eventually(lambda: eureka.addresses("CART") == {"10.0.1.1": "UP"})
    before = eureka.registered_at("CART")

    slow = Path(resolver["SLOW_WHILE"])
    stays(lambda: eureka.registered_at("CART") == before, REMEMBERED_SECONDS + 5)
    slow.touch()
    proxy.break_open()                          # every connection has to be made anew, and the name found again
    stays(lambda: eureka.registered_at("CART") == before, SLOW_SECONDS + 10)
    assert slow.stat().st_size > 0, "the resolver was asked"
    assert operator.late_renewals("1") == 0
    slow.unlink()

    cart.scale(2)
    cart.run("10.0.1.2")
    eventually(lambda: "10.0.1.2" in eureka.addresses("CART"), within=SLOW_SECONDS + 10)
