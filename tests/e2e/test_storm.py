# SPDX-License-Identifier: Apache-2.0
"""Ten thousand endpoints, and a thousand pods that are replaced as fast as the API server takes it. How fast
everything is, is measured by `make bench-real`; here is what must hold however slow the machine is."""

import pytest

from kit.large import Large
from kit.operator import configuration
from kit.standin import StandIn
from kit.wait import eventually


@pytest.fixture
def stand_in(logs):
    stand_in = StandIn(logs)
    stand_in.start()
    yield stand_in
    stand_in.kill()


@pytest.fixture
def large(control_plane, namespace):
    large = Large(control_plane.another_cluster, namespace).create()
    large.create_syncers()
    return large


@pytest.mark.long
@pytest.mark.timeout(400)
def test_a_storm_of_a_thousand_pods_ends_no_watch_and_leaves_the_others_alone(large, stand_in, make_operator):
    operator = make_operator(document=configuration(stand_in.url, lease_seconds=30, renew_seconds=9)).start()
    eventually(lambda: stand_in.all_addresses() == large.addresses(), within=120)
    restarts, registered = operator.watch_restarts(), stand_in.registered_at()
    large.roll(1000)
    eventually(lambda: stand_in.all_addresses() == large.addresses(), within=60)
    assert operator.watch_restarts() == restarts, "the API server has ended a watch"
    stayed = {key: time for key, time in stand_in.registered_at().items() if key in registered}
    assert len(stayed) == 9000 and stayed.items() <= registered.items(), "who stayed was registered again"
    assert operator.late_renewals("5") == 0, "heartbeats were late"
