# SPDX-License-Identifier: Apache-2.0
"""A whole Kubernetes control plane on this machine: etcd, kube-apiserver and
kube-controller-manager on free ports. There is no scheduler (pod templates name their
node) and no kubelet (kubelet.py plays it)."""

import base64
import os
import shutil
import signal
import subprocess
from pathlib import Path

import requests
import yaml

from .certificates import Authority
from .cluster import SYNCERS, Cluster
from .process import Process, free_port

ADMIN_TOKEN = "e2e-admin-token"

# Those that the tests need: from a Deployment to the addresses in EndpointSlices, and the
# deletion of namespaces.
CONTROLLERS = ("deployment-controller,replicaset-controller,statefulset-controller,endpointslice-controller,"
               "garbage-collector-controller,namespace-controller,serviceaccount-controller")


class ControlPlane:
    def __init__(self, directory: Path, feature_gates=""):
        self.directory = directory
        self.bin = Path(os.environ["KUBERNETES_DIR"])
        self.port = free_port()
        self.url = f"https://127.0.0.1:{self.port}"
        self._etcd_port, self._etcd_peer_port = free_port(), free_port()
        self._feature_gates = feature_gates
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
        self._prepare_files()
        self.etcd = Process("etcd", directory / "etcd.log")
        self.apiserver = Process("kube-apiserver", directory / "kube-apiserver.log")
        self.controllers = Process("kube-controller-manager", directory / "kube-controller-manager.log")
        self.cluster = self.another_cluster()

    def another_cluster(self):
        """A Cluster with connections of its own, for another thread."""
        return Cluster(self.url, ADMIN_TOKEN, self.authority.ca_file)

    def _prepare_files(self):
        self.authority = Authority(self.directory)
        self._serving = self.authority.server("kube-apiserver")
        self._signing = self.authority.signing_key("service-account")
        self._tokens = self.directory / "tokens.csv"
        self._tokens.write_text(f'{ADMIN_TOKEN},admin,admin,"system:masters"\n')
        self.kubeconfig = self.kubeconfig_for_token("admin", ADMIN_TOKEN)

    # kubeconfigs: the ways in which a client may prove who it is

    def kubeconfig_for_token(self, name, token):
        return self._write_kubeconfig(name, {"token": token})

    def kubeconfig_for_token_file(self, name, token_file, server=None):
        return self._write_kubeconfig(name, {"tokenFile": str(token_file)}, server)

    def kubeconfig_through(self, url):
        """For the administrator, who reaches the API server at this address."""
        return self._write_kubeconfig("through-proxy", {"token": ADMIN_TOKEN}, server=url)

    def kubeconfig_for_certificate(self, name, organization="system:masters"):
        """With the certificate as data inside the file, as cluster installers write it."""
        certificate, key = self.authority.client(name, organization)
        return self._write_kubeconfig(name, {
            "client-certificate-data": base64.b64encode(certificate.read_bytes()).decode(),
            "client-key-data": base64.b64encode(key.read_bytes()).decode()})

    def kubeconfig_for_service_account(self, namespace, name):
        token = self.cluster.create_token(namespace, name)
        return self.kubeconfig_for_token(f"{namespace}-{name}", token)

    def _write_kubeconfig(self, name, user, server=None):
        path = self.directory / f"{name}.kubeconfig"
        authority = base64.b64encode(self.authority.ca_file.read_bytes()).decode()
        path.write_text(yaml.safe_dump({
            "apiVersion": "v1", "kind": "Config", "current-context": "e2e",
            "clusters": [{"name": "e2e", "cluster": {"server": server or self.url, "certificate-authority-data": authority}}],
            "users": [{"name": name, "user": user}],
            "contexts": [{"name": "e2e", "context": {"cluster": "e2e", "user": name}}]}))
        path.chmod(0o600)
        return path

    # life

    def start(self, has_controllers=True):
        self._start_etcd()
        self.start_apiserver()
        if has_controllers:
            self._start_controllers()
        return self

    def stop(self):
        for process in (self.controllers, self.apiserver, self.etcd):
            process.kill()
        shutil.rmtree(self.directory / "etcd", ignore_errors=True)

    def kill_apiserver(self):
        self.apiserver.kill()

    def freeze_apiserver(self):
        """Its connections stay open, and the kernel goes on to acknowledge what comes."""
        os.kill(self.apiserver.pid, signal.SIGSTOP)

    def thaw_apiserver(self):
        os.kill(self.apiserver.pid, signal.SIGCONT)

    def compact_etcd(self):
        """Forgets all history up to now."""
        url = f"http://127.0.0.1:{self._etcd_port}/v3/kv"
        now = requests.post(f"{url}/range", json={"key": "Lw=="}, timeout=5).json()["header"]["revision"]
        done = requests.post(f"{url}/compaction", json={"revision": now, "physical": True}, timeout=10)
        assert done.ok, done.text

    def restart_apiserver(self):
        """With new controllers: the old ones would wait up to half a minute before they
        asked again, and their patience is not what is tested."""
        self.controllers.kill()
        self.start_apiserver()
        # It is ready before it serves custom resources: "429: storage is (re)initializing".
        self.apiserver.until(lambda: self.cluster.list(*SYNCERS) is not None, within=30)
        self._start_controllers()

    def start_apiserver(self):
        """Returns when it is ready, with the built-in roles and namespaces there."""
        certificate, key = self._serving
        signing, verifying = self._signing
        gates = [f"--feature-gates={self._feature_gates}"] if self._feature_gates else []
        self.apiserver.start([
            self.bin / "kube-apiserver", f"--etcd-servers=http://127.0.0.1:{self._etcd_port}",
            "--bind-address=127.0.0.1", f"--secure-port={self.port}", f"--cert-dir={self.directory}",
            f"--tls-cert-file={certificate}", f"--tls-private-key-file={key}",
            f"--client-ca-file={self.authority.ca_file}", f"--token-auth-file={self._tokens}",
            "--authorization-mode=RBAC", "--service-cluster-ip-range=10.96.0.0/16",
            "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
            f"--service-account-key-file={verifying}", f"--service-account-signing-key-file={signing}",
            "--disable-admission-plugins=ServiceAccount", "--endpoint-reconciler-type=none",
            "--allow-privileged=true", *gates])
        self.apiserver.until(self.is_ready, within=60)

    def is_ready(self):
        return (self.cluster.session.get(f"{self.url}/readyz", timeout=2).status_code == 200
                and self.cluster.find("v1", "namespaces", "kube-system"))

    def _start_etcd(self):
        client, peer = f"http://127.0.0.1:{self._etcd_port}", f"http://127.0.0.1:{self._etcd_peer_port}"
        self.etcd.start([
            Path(os.environ["ETCD_DIR"]) / "etcd", f"--data-dir={self.directory / 'etcd'}", "--log-level=warn",
            "--unsafe-no-fsync", f"--listen-client-urls={client}", f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}", f"--initial-cluster=default={peer}"])
        self.etcd.until(lambda: requests.get(f"{client}/health", timeout=2).ok, within=30)

    def _start_controllers(self):
        signing, _ = self._signing
        self.controllers.start([
            self.bin / "kube-controller-manager", f"--kubeconfig={self.kubeconfig}", "--leader-elect=false",
            "--secure-port=0", f"--service-account-private-key-file={signing}",
            f"--root-ca-file={self.authority.ca_file}", "--use-service-account-credentials=false",
            "--allocate-node-cidrs=false", f"--controllers={CONTROLLERS}",
            "--kube-api-qps=1000", "--kube-api-burst=2000"])

    # kubectl

    def kubectl(self, *arguments, kubeconfig=None, input=None):
        """Its standard output; an AssertionError with what it said when it fails."""
        done = self.try_kubectl(*arguments, kubeconfig=kubeconfig, input=input)
        assert done.returncode == 0, f"kubectl {' '.join(map(str, arguments))}: {done.stderr}"
        return done.stdout

    def try_kubectl(self, *arguments, kubeconfig=None, input=None):
        # HOME: kubectl keeps its discovery cache there.
        return subprocess.run(
            [str(self.bin / "kubectl"), f"--kubeconfig={kubeconfig or self.kubeconfig}", *map(str, arguments)],
            input=input, text=True, capture_output=True, timeout=60,
            env={**os.environ, "HOME": str(self.directory)})

    def kubectl_table(self, *arguments):
        """`kubectl get` as a list of {COLUMN: value}."""
        header, *rows = self.kubectl("get", *arguments).rstrip("\n").split("\n")
        columns = header.split()
        starts = [header.index(f" {column}") + 1 if i else 0 for i, column in enumerate(columns)]
        ends = starts[1:] + [None]
        return [{column: row[start:end].strip() for column, start, end in zip(columns, starts, ends)} for row in rows]
