# SPDX-License-Identifier: Apache-2.0
"""A ZooKeeper server of the distribution, and what it holds.

The client below knows the few requests that the tests need; it is simple rather than
fast: each question is a connection of its own."""

import json
import os
import shutil
import socket
import struct
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

from .process import Process, free_port

ROOT = Path(__file__).resolve().parents[3]
JAR = Path("/usr/share/java/zookeeper.jar")
PACKAGES = ("libzookeeper-java", "libzookeeper-st-dev", "libcurator-discovery-java")
READERS = Path(__file__).resolve().parents[1] / "readers"
CURATOR = ":".join(f"/usr/share/java/{name}.jar" for name in (
    "curator-x-discovery", "curator-framework", "curator-client", "zookeeper", "guava",
    "jackson-core", "jackson-databind", "jackson-annotations", "slf4j-api"))

OK = 0
CREATE, DELETE, GET, SET, CHILDREN = 1, 2, 4, 5, 8
ALL_PERMISSIONS = 31


def require_packages():
    """Server and client library; installs them, or skips the test and says why."""
    if all(Path(path).exists() for path in (JAR, "/usr/include/zookeeper/zookeeper.h", "/usr/share/java/curator-x-discovery.jar")):
        return
    may_install = os.geteuid() == 0 or (shutil.which("sudo") and subprocess.run(["sudo", "-n", "true"]).returncode == 0)
    if not may_install:
        pytest.skip(f"needs root to install {' '.join(PACKAGES)}")
    done = subprocess.run([ROOT / "mk" / "deps.sh", *PACKAGES], capture_output=True, text=True)
    if done.returncode != 0 or not JAR.exists():
        pytest.skip(f"{' '.join(PACKAGES)} cannot be installed: {done.stderr.strip()[-200:]}")


class Stat(NamedTuple):
    czxid: int
    mzxid: int
    ctime: int
    mtime: int
    version: int
    cversion: int
    aversion: int
    ephemeral_owner: int
    data_length: int
    n_children: int
    pzxid: int


STAT = struct.Struct(">qqqqiiiqiiq")


class ZooKeeper:
    def __init__(self, directory: Path, tick_ms=500):
        """Sessions may last from 2 to 20 ticks."""
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.data = directory / f"zookeeper-{self.port}"
        self.data.mkdir(parents=True)
        self.config = self.data / "zoo.cfg"
        self.config.write_text(f"tickTime={tick_ms}\ndataDir={self.data}/data\nclientPort={self.port}\n"
                               "clientPortAddress=127.0.0.1\nadmin.enableServer=false\n")
        self.process = Process("zookeeper", directory / f"zookeeper-{self.port}.log")

    def start(self):
        self.process.start(["java", "-Xmx128m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", JAR,
                            "org.apache.zookeeper.server.ZooKeeperServerMain", self.config])
        self.process.until(lambda: self._answers(), within=30)
        return self

    def _answers(self):
        try:
            return self.children("/") is not None
        except OSError:
            return False

    def kill(self):
        self.process.kill()

    def forget_everything(self):
        """While it does not run."""
        shutil.rmtree(self.data / "data", ignore_errors=True)

    # what it holds

    def children(self, path):
        """Their names, sorted; None when there is no such node."""
        with Connection(self.port) as connection:
            code, body = connection.ask(CHILDREN, text(path) + b"\0")
        return sorted(read_texts(body)) if code == OK else None

    def get(self, path):
        """(data, Stat), or None."""
        with Connection(self.port) as connection:
            code, body = connection.ask(GET, text(path) + b"\0")
        if code != OK:
            return None
        n = max(0, struct.unpack_from(">i", body)[0])
        return body[4:4 + n], Stat(*STAT.unpack_from(body, 4 + n))

    def instances(self, service, root="/services"):
        """{id: Curator's document} of one service."""
        nodes = {name: self.get(f"{root}/{service}/{name}") for name in self.children(f"{root}/{service}") or []}
        return {name: json.loads(node[0]) for name, node in nodes.items() if node}

    def stats(self, service, root="/services"):
        nodes = {name: self.get(f"{root}/{service}/{name}") for name in self.children(f"{root}/{service}") or []}
        return {name: node[1] for name, node in nodes.items() if node}

    def addresses(self, service, root="/services"):
        """{address: status}: what a caller would choose from."""
        return {one["address"]: one["payload"]["metadata"].get("instance_status", "UP")
                for one in self.instances(service, root).values()}

    def as_curator_reads(self, service, classes, root="/services"):
        """{id: [URI, type, the payload's id, status]}, by the library that Spring Cloud Zookeeper is made of.
        `classes` is a directory for compiled code."""
        sources = [str(path) for path in READERS.rglob("*.java")]
        subprocess.run(["javac", "-cp", CURATOR, "-d", classes, *sources], check=True, timeout=60)
        done = subprocess.run(["java", "-cp", f"{CURATOR}:{classes}", "CuratorReader", self.address, root, service],
                              capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return {words[0]: words[1:] for words in map(str.split, done.stdout.splitlines())}

    # what others do to it

    def create(self, path, data=b""):
        """Persistent, open to all; missing parents as well."""
        parent = path.rsplit("/", 1)[0]
        if parent and self.children(parent) is None:
            self.create(parent)
        acl = struct.pack(">ii", 1, ALL_PERMISSIONS) + text("world") + text("anyone")
        with Connection(self.port) as connection:
            code, _ = connection.ask(CREATE, text(path) + text(data) + acl + struct.pack(">i", 0))
        assert code == OK, code

    def set(self, path, data):
        with Connection(self.port) as connection:
            code, _ = connection.ask(SET, text(path) + text(data) + struct.pack(">i", -1))
        return code

    def delete(self, path):
        with Connection(self.port) as connection:
            code, _ = connection.ask(DELETE, text(path) + struct.pack(">i", -1))
        return code


class Connection:
    """One session for one question."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=1)    # it listens before it answers
        self._send(struct.pack(">iqiq", 0, 0, 5000, 0) + text(b"\0" * 16) + b"\0")
        self._receive()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._send(struct.pack(">ii", 2, -11))      # closes the session
        self.socket.close()

    def ask(self, kind, body):
        """(code, the answer's body)"""
        self._send(struct.pack(">ii", 1, kind) + body)
        answer = self._receive()
        _, _, code = struct.unpack_from(">iqi", answer)
        return code, answer[16:]

    def _send(self, packet):
        self.socket.sendall(struct.pack(">i", len(packet)) + packet)

    def _receive(self):
        return self._take(struct.unpack(">i", self._take(4))[0])

    def _take(self, n):
        data = b""
        while len(data) < n:
            piece = self.socket.recv(n - len(data))
            if not piece:
                raise ConnectionResetError("ZooKeeper closed the connection")
            data += piece
        return data


def text(value):
    raw = value if isinstance(value, bytes) else value.encode()
    return struct.pack(">i", len(raw)) + raw


def read_texts(body):
    count, at = struct.unpack_from(">i", body)[0], 4
    for _ in range(count):
        n = struct.unpack_from(">i", body, at)[0]
        yield body[at + 4:at + 4 + n].decode()
        at += 4 + n
