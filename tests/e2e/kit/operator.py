# SPDX-License-Identifier: Apache-2.0
"""The operator under test: the built binary with the built plugins."""

import json
import os
import signal
from pathlib import Path

import requests
import yaml

from .process import Process, free_port

BUILD = Path(os.environ.get("EK_TEST_BUILD", "build/release")).resolve()

VALGRIND = ["valgrind", "--error-exitcode=99", "--leak-check=full", "--show-leak-kinds=definite",
            "--errors-for-leak-kinds=definite", "--track-fds=no", "--quiet"]

# So much slower everything is under valgrind.
VALGRIND_PATIENCE = 30


def configuration(*eureka_urls, cluster_id="e2e", lease_seconds=90, renew_seconds=27, modes=None, plugins=None, **more):
    """The configuration document most tests want: one registry `main`, the mode `pod`."""
    document = {
        "modes": {"pod": {"plugin": "pod.so"}, **(modes or {})},
        "plugins": {"directory": str(plugins or BUILD / "plugins")},
        "registries": {"main": {"plugin": "eureka.so", "default": True, "options": {
            "serviceUrls": list(eureka_urls), "heartbeats": "single",
            "leaseSeconds": lease_seconds, "renewSeconds": renew_seconds}}},
        **more}
    return document | ({"clusterId": cluster_id} if cluster_id else {})


class Operator:
    def __init__(self, directory: Path, kubeconfig: Path, document, valgrind=False, config_map=None):
        """With config_map ("namespace/name") the document is the test's to put there."""
        assert (BUILD / "bin" / "eurekube").exists(), f"no operator in {BUILD}: run make"
        directory.mkdir(parents=True, exist_ok=True)
        self.kubeconfig = kubeconfig
        self.config = directory / "eurekube.yaml"
        self.source = ["--config-map", config_map] if config_map else ["--config", self.config]
        self.write_config(document)
        self.process = Process("eurekube", directory / "operator.log")
        self.valgrind = valgrind
        self.environment = {}       # beside ours
        self.port, self.debug_port = free_port(), free_port()
        self.session = requests.Session()
        self.session.trust_env = False

    def write_config(self, document):
        """Replaced by a rename, as the kubelet does with a mounted ConfigMap."""
        fresh = self.config.with_suffix(".new")
        fresh.write_text(yaml.safe_dump(document))
        fresh.rename(self.config)

    def launch(self, *arguments):
        """Starts it without waiting."""
        environment = {key: value for key, value in os.environ.items() if key != "KUBECONFIG"} | self.environment
        self.process.start([
            *(VALGRIND if self.valgrind else []), BUILD / "bin" / "eurekube", "run",
            *self.source, "--kubeconfig", self.kubeconfig, "--listen", f"127.0.0.1:{self.port}",
            "--debug-listen", f"127.0.0.1:{self.debug_port}", "--log-format", "json", *arguments], environment)

    def start(self, *arguments):
        """Returns when it says that it is ready: every watch has synced."""
        self.launch(*arguments)
        patience = VALGRIND_PATIENCE if self.valgrind else 1
        self.process.until(self.is_ready, within=10 * patience)
        return self

    def is_ready(self):
        return self.session.get(f"http://127.0.0.1:{self.port}/readyz", timeout=2).status_code == 200

    def metrics(self):
        """{series: value}, a series as it is written."""
        text = self.session.get(f"http://127.0.0.1:{self.port}/metrics", timeout=2).text
        lines = [line.rsplit(" ", 1) for line in text.splitlines() if line and not line.startswith("#")]
        return {series: float(value) for series, value in lines}

    def watch_restarts(self):
        """{series: count} of every cause but the audit, which is our own."""
        return {series: value for series, value in self.metrics().items()
                if series.startswith("eurekube_watch_restarts_total") and 'cause="audit"' not in series}

    def histogram(self, name, labels=""):
        """{bound: how many are not above it}, bounds as they are written."""
        start = f'{name}_bucket{{{labels}{"," if labels else ""}le="'
        return {series.removeprefix(start).removesuffix('"}'): value for series, value in self.metrics().items() if series.startswith(start)}

    def late_renewals(self, seconds, registry="main"):
        """Heartbeats that were sent so long after their time; `seconds` as the histogram writes one of its bounds."""
        metrics, name = self.metrics(), f'eurekube_lease_lateness_seconds_bucket{{registry="{registry}",le="%s"}}'
        assert metrics[name % "+Inf"] > 0, "there were heartbeats"
        return metrics[name % "+Inf"] - metrics[name % seconds]

    def state(self):
        """What it tells people on this machine."""
        return self.session.get(f"http://127.0.0.1:{self.debug_port}/debug/state", timeout=2).json()

    def kill9(self):
        self.process.kill()

    def sigterm(self):
        """Its exit code."""
        os.kill(self.process.pid, signal.SIGTERM)
        return self.process.wait(within=30 * (VALGRIND_PATIENCE if self.valgrind else 1))

    def logs(self):
        """All records of all its lives; what is not JSON, as {"raw": line}."""
        def parse(line):
            try:
                return json.loads(line)
            except ValueError:
                return {"raw": line}
        return [parse(line) for line in self.process.log.read_text(errors="replace").splitlines()]
