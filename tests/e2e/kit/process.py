# SPDX-License-Identifier: Apache-2.0
"""Child processes that never outlive the suite.

Each runs in a process group of its own and is ended by that group's id, never by name.
Should the suite itself be killed, the kernel kills them.
"""

import ctypes
import os
import signal
import socket
import subprocess
from pathlib import Path

from .wait import eventually

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


def _die_with_parent():
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def free_port():
    """A port nobody listens on now. Servers that take port 0 should be given that."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Process:
    """One command that can be started, ended in three ways, and started again; its
    output is appended to one log file over all its lives."""

    def __init__(self, name, log: Path):
        self.name = name
        self.log = log
        log.unlink(missing_ok=True)
        self._child = None

    def start(self, command, environment=None):
        assert not self.running, f"{self.name} runs already"
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(
                [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=environment, start_new_session=True, preexec_fn=_die_with_parent)

    @property
    def running(self):
        return self._child is not None and self._child.poll() is None

    @property
    def exit_code(self):
        return self._child.poll()

    @property
    def pid(self):
        return self._child.pid

    def wait(self, within):
        """The exit code, once it has ended by itself."""
        try:
            return self._child.wait(within)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} still runs after {within} s\n{self.tail()}") from None

    def terminate(self, within=30):
        """SIGTERM, and its exit code."""
        self._child.terminate()
        return self.wait(within)

    def kill(self):
        """SIGKILL to its whole group. Harmless when it has ended."""
        if self._child is None:
            return
        try:
            os.killpg(self._child.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self._child.wait()

    def until(self, check, within):
        """eventually(), but at once a failure when the process ends."""
        def alive_and_check():
            if not self.running:
                raise RuntimeError(f"{self.name} ended with {self.exit_code}\n{self.tail()}")
            return check()
        try:
            return eventually(alive_and_check, within)
        except AssertionError as error:
            raise AssertionError(f"{self.name}: {error}\n{self.tail()}") from None

    def tail(self, lines=40):
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return "\n".join(text.splitlines()[-lines:])
