# SPDX-License-Identifier: Apache-2.0
"""The stand-in for Eureka, where ten thousand instances would keep a Spring server busy."""

from .eureka import Eureka
from .operator import BUILD


class StandIn(Eureka):
    def launch(self):
        self.process.start([BUILD / "bin" / "ek-standins", "--eureka-port", self.port, "--eviction-ms", "1000", "--no-slices"])

    def all_addresses(self):
        """{application: addresses} of what is UP."""
        found = {}
        for one in self.instances().values():
            if one["status"] == "UP":
                found.setdefault(one["app"], set()).add(one["ipAddr"])
        return found
