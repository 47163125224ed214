# SPDX-License-Identifier: Apache-2.0
"""Measures the operator against a real API server: how it takes in 10,000 endpoints, and a storm of a thousand pods
rolled through them. Prints rows and judges nothing; Eureka is the stand-in, as 10,000 leases would keep a real one
from leaving the machine to the others. `make bench-real` runs it; the parts are those of tests/e2e/kit."""

import datetime
import itertools
import tempfile
import time
from pathlib import Path

from kit.cluster import SYNCERS
from kit.controlplane import ControlPlane
from kit.large import Large
from kit.operator import Operator, configuration
from kit.standin import StandIn
from kit.wait import eventually

ROOT = Path(__file__).resolve().parents[1]
NAMESPACE = "bench"
AUDIT_SECONDS = 5
N_RELISTS = 3
N_PODS = 1000
MIB = 1024 * 1024

numbers = itertools.count()


def row(what, figures, to_reach=""):
    print(f"  {what:37} {figures}" + (f"   (to reach: {to_reach})" if to_reach else ""), flush=True)


def memory(operator):
    """{field: bytes} of what the kernel says."""
    lines = Path(f"/proc/{operator.process.pid}/status").read_text().splitlines()
    words = {line.split(":")[0]: line.split()[1:] for line in lines}
    return {field: int(words[field][0]) * 1024 for field in ("VmRSS", "RssAnon", "VmHWM")}


def cpu_seconds(operator):
    fields = Path(f"/proc/{operator.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


def starved_seconds(operator):
    """How long the loop's thread would have run and was not let to."""
    return int(Path(f"/proc/{operator.process.pid}/task/{operator.process.pid}/schedstat").read_text().split()[1]) / 1e9


def reset_peak(operator):
    Path(f"/proc/{operator.process.pid}/clear_refs").write_text("5")


def lists(operator):
    """Of the resource that has been listed the fewest times."""
    return min(value for series, value in operator.metrics().items() if series.startswith("eurekube_watch_lists_total"))


def make_operator(directory, plane, eureka, **options):
    return Operator(directory / f"operator-{next(numbers)}", plane.kubeconfig, configuration(eureka.url, **options))


def measure_view(operator):
    began = time.time()
    operator.start()
    done = next(one for one in operator.logs() if one.get("message") == "view of the cluster complete")
    seconds = datetime.datetime.fromisoformat(done["time"].replace("Z", "+00:00")).timestamp() - began
    row("exec -> the view is complete", f"{seconds:5.2f} s, of CPU {cpu_seconds(operator):.2f} s")
    steady = memory(operator)
    row("resident", f"{steady['VmRSS'] / MIB:5.1f} MB, of it anonymous {steady['RssAnon'] / MIB:.1f} MB", "18 MB, 8 MB")
    reset_peak(operator)
    eventually(lambda: lists(operator) > N_RELISTS, within=60)
    peak = memory(operator)["VmHWM"]
    row(f"peak, listed again {N_RELISTS} times", f"{peak / MIB:5.1f} MB, {peak / steady['VmRSS']:.2f} of what is resident", "1.5")


class Storm:
    """What the operator's histograms have counted since it was made."""

    NAMES = {"turn": ("eurekube_loop_turn_seconds", ""), "late": ("eurekube_lease_lateness_seconds", 'registry="main"'),
             "news": ("eurekube_propagation_seconds", "")}

    def __init__(self, operator):
        self.operator = operator
        self.before = self._look()
        self.restarts, self.cpu_seconds, self.starved_seconds = operator.watch_restarts(), cpu_seconds(operator), starved_seconds(operator)

    def _look(self):
        return {short: self.operator.histogram(*name) for short, name in self.NAMES.items()}

    def count(self):
        after = self._look()
        self.found = {name: {bound: value - self.before[name][bound] for bound, value in after[name].items()} for name in self.NAMES}
        self.ended = {series: int(value - self.restarts[series]) for series, value in self.operator.watch_restarts().items()
                      if value != self.restarts[series]}
        self.cpu_seconds = cpu_seconds(self.operator) - self.cpu_seconds
        self.starved_seconds = starved_seconds(self.operator) - self.starved_seconds
        return self

    def above(self, name, bound):
        return int(self.found[name]["+Inf"] - self.found[name][bound])

    def quantile(self, name, part):
        """The smallest bound below which that part lies."""
        return next((bound for bound, value in self.found[name].items() if value >= part * self.found[name]["+Inf"]), "?")


def measure_storm(operator, large, eureka):
    storm = Storm(operator)
    began = time.monotonic()
    updates = large.roll(N_PODS)
    seconds = time.monotonic() - began
    eventually(lambda: eureka.all_addresses() == large.addresses(), within=60)
    settled = time.monotonic() - began - seconds
    storm.count()
    row("slice updates", f"{updates} in {seconds:.1f} s; Eureka was seen to be as the cluster {settled:.1f} s later")
    row("watches that ended", storm.ended or "none", "none")
    row("turns of the loop", f"{storm.found['turn']['+Inf']:.0f}, above 10 ms {storm.above('turn', '0.01')}, above 25 ms "
        f"{storm.above('turn', '0.025')}, above 50 ms {storm.above('turn', '0.05')}", "none above 10 ms")
    row("", f"of them spent in waiting for a CPU that others had: {storm.starved_seconds:.1f} s in all")
    row("change -> acknowledged", f"p50 below {storm.quantile('news', 0.5)} s, p99 below {storm.quantile('news', 0.99)} s", "p99 0.25 s")
    row("heartbeats", f"{storm.found['late']['+Inf']:.0f}, later than 1 s {storm.above('late', '1')}", "none later than 60 s")
    row("CPU", f"{storm.cpu_seconds:.2f} s, {storm.cpu_seconds / updates * 1000:.1f} ms for each update")


def serve(plane, eureka, directory):
    plane.start(has_controllers=False)
    plane.kubectl("apply", "--server-side", "-f", ROOT / "crds" / "eurekasyncers.yaml")
    eventually(lambda: plane.cluster.list(*SYNCERS) == [], within=30)
    plane.cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    large = Large(plane.another_cluster, NAMESPACE).create()
    print(f"a real API server: view of {large.n_pods} endpoints in {len(large.slices)} slices", flush=True)
    operator = make_operator(directory, plane, eureka, audit={"periodSeconds": AUDIT_SECONDS})
    measure_view(operator)
    operator.sigterm()
    print(f"a real API server: {N_PODS} pods are rolled through {large.n_pods} that are registered", flush=True)
    large.create_syncers()
    operator = make_operator(directory, plane, eureka).start()
    eventually(lambda: eureka.all_addresses() == large.addresses(), within=120)
    measure_storm(operator, large, eureka)
    operator.sigterm()


def main():
    with tempfile.TemporaryDirectory(prefix="eurekube-bench-") as name:
        directory = Path(name)
        plane, eureka = ControlPlane(directory / "control-plane"), StandIn(directory)
        try:
            eureka.start()
            serve(plane, eureka, directory)
        finally:
            plane.stop()
            eureka.kill()


main()
