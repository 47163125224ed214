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
STALL = "0.01"                  # a bound of the histogram
MIB = 1024 * 1024

numbers = itertools.count()


def row(what, figures, to_reach=""):
    print(f"  {what:34} {figures}" + (f"   (to reach: {to_reach})" if to_reach else ""), flush=True)


def memory(operator):
    """{field: bytes} of what the kernel says."""
    lines = Path(f"/proc/{operator.process.pid}/status").read_text().splitlines()
    words = {line.split(":")[0]: line.split()[1:] for line in lines}
    return {field: int(words[field][0]) * 1024 for field in ("VmRSS", "RssAnon", "VmHWM")}


def cpu_seconds(operator):
    fields = Path(f"/proc/{operator.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


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


def turns(operator):
    """(all, those above 10 ms)"""
    metrics, name = operator.metrics(), "eurekube_loop_turn_seconds_bucket{le=\"%s\"}"
    return metrics[name % "+Inf"], metrics[name % "+Inf"] - metrics[name % STALL]


def measure_storm(operator, large, eureka):
    restarts, before, cpu = operator.watch_restarts(), turns(operator), cpu_seconds(operator)
    began = time.monotonic()
    updates = large.roll(N_PODS)
    seconds = time.monotonic() - began
    eventually(lambda: eureka.all_addresses() == large.addresses(), within=60)
    settled = time.monotonic() - began - seconds
    after, metrics = turns(operator), operator.metrics()
    row("slice updates", f"{updates} in {seconds:.1f} s; Eureka is as the cluster {settled:.1f} s later")
    ended = {series: int(value - restarts[series]) for series, value in operator.watch_restarts().items() if value != restarts[series]}
    row("watches that ended", ended or "none", "none")
    row("turns of the loop", f"{after[0] - before[0]:.0f}, above 10 ms {after[1] - before[1]:.0f}; "
        f"the longest since the start {metrics['eurekube_loop_longest_turn_seconds'] * 1000:.1f} ms", "10 ms")
    row("heartbeats later than 0.1 s", f"{operator.late_renewals('0.1'):.0f}", "none")
    row("CPU", f"{cpu_seconds(operator) - cpu:.2f} s; resident {memory(operator)['VmRSS'] / MIB:.1f} MB")


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
