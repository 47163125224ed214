# SPDX-License-Identifier: Apache-2.0
"""Who the operator is: tokens and certificates that rotate under it, and plugins that hand
them out. Revoking a token is deleting its service account."""

import json
import shutil
import socket
import socketserver
import threading

import pytest
import requests
import yaml

from kit.wait import eventually

# Hands out the token in a file, or says why not.
PLUGIN = """#!/bin/sh
echo run >>{directory}/runs
[ -s {directory}/token ] || {{ echo "no session for eyJhbGciOiJSUzI1NiJ9.e30; log in again" >&2; exit 1; }}
printf '{{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{{"token":"%s"}}}}' "$(cat {directory}/token)"
"""


@pytest.fixture
def make_account(control_plane, cluster, namespace):
    """make_account(name) -> a token of a new service account that may do everything."""
    made = []

    def make(name):
        control_plane.kubectl("create", "serviceaccount", name, "-n", namespace)
        made.append(f"{namespace}-{name}")
        control_plane.kubectl("create", "clusterrolebinding", made[-1], "--clusterrole=cluster-admin",
                              f"--serviceaccount={namespace}:{name}")
        return cluster.create_token(namespace, name)

    yield make
    for binding in made:
        control_plane.kubectl("delete", "clusterrolebinding", binding)


@pytest.fixture
def kubeconfig_of(control_plane, tmp_path):
    """kubeconfig_of({...}) -> the administrator's kubeconfig with that user in it."""
    def write(user):
        document = yaml.safe_load(control_plane.kubeconfig.read_text())
        document["users"][0]["user"] = user
        path = tmp_path / "kubeconfig"
        path.write_text(yaml.safe_dump(document))
        return path
    return write


@pytest.fixture
def plugin_kubeconfig(kubeconfig_of, tmp_path):
    """A kubeconfig with the plugin beside it; the token goes into the file `token`."""
    script = tmp_path / "plugin"
    script.write_text(PLUGIN.format(directory=tmp_path))
    script.chmod(0o700)
    return kubeconfig_of({"exec": {"command": "./plugin", "apiVersion": "client.authentication.k8s.io/v1",
                                   "interactiveMode": "Never"}})


def replace(path, text):
    fresh = path.with_suffix(".new")
    fresh.write_text(text)
    fresh.rename(path)


def revoke(control_plane, namespace, account, token):
    """Returns when the API server, which remembers for some seconds, refuses the token."""
    control_plane.kubectl("delete", "serviceaccount", account, "-n", namespace)
    eventually(lambda: requests.get(f"{control_plane.url}/api", headers={"Authorization": f"Bearer {token}"},
                                    verify=str(control_plane.authority.ca_file), timeout=5).status_code == 401, within=30)


def runs(directory):
    return len((directory / "runs").read_text().splitlines())


def assert_works(workload, syncers, eureka, name, address, within=30):
    """From a new Service to Eureka and back into the status: reading and writing."""
    workload(name, 1).run(address)
    syncers.create(name, selector={"app": name})
    eventually(lambda: eureka.addresses(name.upper()) == {address: "UP"}, within)
    eventually(lambda: syncers.status(name)["registry"] == "main", within)


def test_a_plugin_is_run_again_when_its_token_is_revoked(plugin_kubeconfig, make_account, make_operator, control_plane, namespace,
                                                         workload, syncers, eureka, tmp_path):
    first, second = make_account("first"), make_account("second")
    (tmp_path / "token").write_text(first)
    operator = make_operator(plugin_kubeconfig).start()
    assert_works(workload, syncers, eureka, "cart", "10.0.1.1")
    assert runs(tmp_path) == 1
    replace(tmp_path / "token", second)
    revoke(control_plane, namespace, "first", first)
    assert_works(workload, syncers, eureka, "rating", "10.0.2.1")
    assert runs(tmp_path) == 2
    log = json.dumps(operator.logs())
    assert first not in log and second not in log


def test_a_plugin_that_fails_is_quoted_and_its_mending_noticed(plugin_kubeconfig, make_account, make_operator, workload, syncers, eureka,
                                                               tmp_path):
    operator = make_operator(plugin_kubeconfig)
    operator.launch()
    failure = eventually(lambda: [line for line in operator.logs() if "stderr" in line])[0]
    assert "ended with status 1" in failure["error"]
    assert failure["stderr"].strip() == f"no session for {'*' * 24}; log in again"       # it may have been a secret
    (tmp_path / "token").write_text(make_account("late"))
    operator.process.until(operator.is_ready, within=40)
    assert_works(workload, syncers, eureka, "cart", "10.0.1.1")


def test_a_token_file_is_read_again_when_its_token_is_revoked(kubeconfig_of, make_account, make_operator, control_plane, namespace,
                                                              workload, syncers, eureka, tmp_path):
    first = make_account("first")
    (tmp_path / "token").write_text(first)
    make_operator(kubeconfig_of({"tokenFile": "token"})).start()
    replace(tmp_path / "token", make_account("second"))
    revoke(control_plane, namespace, "first", first)
    assert_works(workload, syncers, eureka, "cart", "10.0.1.1")


@pytest.mark.timeout(180)
def test_a_certificate_replaced_on_disk_is_used_within_a_minute(kubeconfig_of, make_operator, control_plane, workload, syncers, eureka,
                                                                tmp_path):
    """The old one has no rights any more: open watches in its name would say nothing of that."""
    def put(name, organization):
        for source, target in zip(control_plane.authority.client(name, organization), ("client.crt", "client.key")):
            shutil.copy(source, tmp_path / target)

    control_plane.kubectl("create", "clusterrolebinding", "rotated", "--clusterrole=cluster-admin", "--user=before")
    try:
        put("before", "nobody")
        make_operator(kubeconfig_of({"client-certificate": "client.crt", "client-key": "client.key"})).start()
        assert_works(workload, syncers, eureka, "cart", "10.0.1.1")
        put("after", "system:masters")
    finally:
        control_plane.kubectl("delete", "clusterrolebinding", "rotated")
    assert_works(workload, syncers, eureka, "rating", "10.0.2.1", within=90)


class Proxy(socketserver.ThreadingTCPServer):
    """Speaks HTTP CONNECT and SOCKS5, and leads every name to one port of this machine."""
    allow_reuse_address = daemon_threads = True

    def __init__(self, port):
        self.target, self.asked = port, set()
        super().__init__(("127.0.0.1", 0), Tunnel)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Tunnel(socketserver.StreamRequestHandler):
    def handle(self):
        first = self.rfile.read(1)
        host = self.greet_socks() if first == b"\x05" else self.greet_http(first)
        self.server.asked.add(host)
        with socket.create_connection(("127.0.0.1", self.server.target)) as there:
            back = threading.Thread(target=self.copy, args=(there.recv, self.wfile.write), daemon=True)
            back.start()
            self.copy(self.rfile.read1, there.sendall)

    def greet_http(self, first):
        line = first + self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
        return line.split()[1].decode()

    def greet_socks(self):
        self.rfile.read(self.rfile.read(1)[0])
        self.wfile.write(b"\x05\x00")
        assert self.rfile.read(4) == b"\x05\x01\x00\x03"            # connect, to a name: it is not resolved on this side
        host = self.rfile.read(self.rfile.read(1)[0]).decode()
        port = int.from_bytes(self.rfile.read(2), "big")
        self.wfile.write(b"\x05\x00\x00\x01" + bytes(6))
        return f"{host}:{port}"

    @staticmethod
    def copy(read, write):
        try:
            while piece := read(65536):
                write(piece)
        except OSError:
            pass


@pytest.mark.parametrize("scheme", ["http", "socks5"])
def test_an_api_server_behind_a_proxy_under_another_name_in_the_name_of_another(scheme, kubeconfig_of, make_operator, control_plane, workload,
                                                                                 syncers, eureka):
    user = yaml.safe_load(control_plane.kubeconfig.read_text())["users"][0]["user"]
    with Proxy(control_plane.port) as proxy:
        path = kubeconfig_of({**user, "as": "somebody", "as-groups": ["system:masters"]})
        document = yaml.safe_load(path.read_text())
        document["clusters"][0]["cluster"] |= {"server": "https://api.elsewhere.invalid:6443", "tls-server-name": "localhost",
                                               "proxy-url": f"{scheme}://127.0.0.1:{proxy.server_address[1]}"}
        path.write_text(yaml.safe_dump(document))
        operator = make_operator(path).start()
        assert_works(workload, syncers, eureka, "cart", "10.0.1.1")
        assert proxy.asked == {"api.elsewhere.invalid:6443"}
        operator.kill9()
        proxy.shutdown()
