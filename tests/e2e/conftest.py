# SPDX-License-Identifier: Apache-2.0
"""One control plane and one Eureka for all tests; for each test a namespace and an
operator of its own. Whatever a test leaves is cleared before the next."""

import itertools
import os
import re
from pathlib import Path

import pytest
import yaml

from kit.cluster import SYNCERS
from kit.controlplane import ControlPlane
from kit.eureka import Eureka
from kit.operator import BUILD, Operator, configuration
from kit.plugins import add_plugin, copy_plugins
from kit.wait import eventually
from kit.workload import Syncers, Workload, ensure_node

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def logs(tmp_path_factory):
    """Where every process writes: $EUREKUBE_LOGS, or a temporary directory."""
    kept = os.environ.get("EUREKUBE_LOGS")
    return Path(kept).resolve() if kept else tmp_path_factory.mktemp("logs")


@pytest.fixture(scope="session")
def servers(logs):
    """Both start at the same time."""
    eureka = Eureka(logs)
    control_plane = ControlPlane(logs / "control-plane", feature_gates=os.environ.get("EK_E2E_FEATURE_GATES", ""))
    try:
        eureka.launch()
        control_plane.start()
        install_crd(control_plane)
        eureka.wait_until_up()
        yield control_plane, eureka
    finally:
        control_plane.stop()
        eureka.kill()


def install_crd(control_plane):
    control_plane.kubectl("apply", "--server-side", "-f", ROOT / "crds" / "eurekasyncers.yaml")
    control_plane.kubectl("wait", "--for=condition=Established", "crd/eurekasyncers.eurekube.io", "--timeout=30s")
    # Established is not yet served: "429: storage is (re)initializing".
    eventually(lambda: control_plane.cluster.list(*SYNCERS) == [])
    ensure_node(control_plane.cluster)


@pytest.fixture
def control_plane(servers):
    plane = servers[0]
    yield plane
    if not plane.apiserver.running:     # the test that killed it has failed half-way
        plane.restart_apiserver()


@pytest.fixture
def cluster(control_plane):
    return control_plane.cluster


@pytest.fixture
def kubectl(control_plane):
    return control_plane.kubectl


@pytest.fixture
def eureka(servers):
    """It runs and is empty."""
    server = servers[1]
    if not server.process.running:
        server.start()
    server.clear()
    return server


@pytest.fixture
def make_namespace(control_plane, cluster):
    """make_namespace(name) -> name; deleted after the test, finalizers notwithstanding."""
    made = []

    def make(name):
        cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        made.append(name)
        return name

    yield make
    if not control_plane.apiserver.running:
        control_plane.restart_apiserver()
    for name in made:
        delete_namespace(cluster, name)


def delete_namespace(cluster, name):
    """Begins it; nothing is left in it that would wait for a kubelet or for an operator."""
    if not cluster.find("v1", "namespaces", name):
        return
    cluster.delete("v1", "namespaces", name)        # from here on nothing new is made in it
    for syncer in cluster.list(*SYNCERS, name):
        if syncer["metadata"].get("finalizers"):
            cluster.try_patch(*SYNCERS, syncer["metadata"]["name"], {"metadata": {"finalizers": None}}, name)
    cluster.delete_all(*SYNCERS, name)
    cluster.delete_all("v1", "pods", name, grace_seconds=0)


_number = itertools.count(1)


@pytest.fixture
def namespace(make_namespace, request):
    """One whose name tells which test it belongs to, and that was never used before."""
    words = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower().removeprefix("test_"))
    return make_namespace(f"{words[:40].strip('-')}-{next(_number)}")


@pytest.fixture
def syncers(cluster, namespace):
    return Syncers(cluster, namespace)


@pytest.fixture
def workload(cluster, namespace):
    """workload(name, replicas) -> a Deployment behind a Service, pods not running yet."""
    def make(name, replicas=0, **options):
        return Workload(cluster, namespace, name, **options).create(replicas)
    return make


@pytest.fixture
def plugins(tmp_path):
    """The plugins as built, and pod-2.so: the same mode in a file with another digest."""
    directory = copy_plugins(tmp_path / "plugins")
    add_plugin(directory, directory / "pod.so", "pod-2.so", b"\0")
    return directory


@pytest.fixture
def config_map(cluster, namespace):
    """config_map(document) writes it into the ConfigMap eurekube; a string is written as it is."""
    def write(document):
        data = {"data": {"eurekube.yaml": document if isinstance(document, str) else yaml.safe_dump(document)}}
        if cluster.find("v1", "configmaps", "eurekube", namespace):
            cluster.patch("v1", "configmaps", "eurekube", data, namespace)
        else:
            cluster.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "eurekube", "namespace": namespace}} | data)
    return write


@pytest.fixture
def make_operator(request, logs, control_plane, eureka):
    """make_operator(...) -> an Operator that is not started; options are those of
    configuration(), plus kubeconfig, document, valgrind and config_map."""
    directory = logs / re.sub(r"[^A-Za-z0-9]+", "-", request.node.name)
    made = []

    def make(kubeconfig=None, document=None, valgrind=False, config_map=None, **options):
        document = document or configuration(eureka.url, **options)
        made.append(Operator(directory / str(len(made)), kubeconfig or control_plane.kubeconfig, document, valgrind, config_map))
        return made[-1]

    request.node.operators = made
    yield make
    for operator in made:
        operator.process.kill()


@pytest.fixture
def operator(make_operator):
    return make_operator().start()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.failed:
        for number, operator in enumerate(getattr(item, "operators", [])):
            report.sections.append((f"operator {number}: {operator.process.log}", operator.process.tail(25)))
    return report


def pytest_report_header():
    return f"operator: {BUILD}"
