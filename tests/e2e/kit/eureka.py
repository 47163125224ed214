# SPDX-License-Identifier: Apache-2.0
"""A Spring Eureka server, and what it holds."""

import os
from pathlib import Path

import requests

from .process import Process, free_port

# Eviction is on and quick and self-preservation off, so that a lease which is not renewed
# is lost at once; caches are off or short, so that what is read is what there is.
PROPERTIES = {
    "eureka.client.register-with-eureka": "false",
    "eureka.client.fetch-registry": "false",
    "eureka.server.enable-self-preservation": "false",
    "eureka.server.eviction-interval-timer-in-ms": "1000",
    "eureka.server.use-read-only-response-cache": "false",
    "eureka.server.response-cache-auto-expiration-in-seconds": "1",
    "eureka.server.wait-time-in-ms-when-sync-empty": "0",
    "eureka.dashboard.enabled": "false",
    "server.tomcat.max-keep-alive-requests": "100",
    "spring.main.banner-mode": "off",
    "spring.jmx.enabled": "false",
}


class Eureka:
    def __init__(self, directory: Path, **properties):
        """Further properties with `_` for `.` would be ambiguous: pass them as a
        dictionary, Eureka(d, **{"eureka.server.enable-self-preservation": "true"})."""
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/eureka/"
        # Without its own address it takes itself for a peer and replicates every write to
        # itself half a second later: a removal then undoes a registration that followed it.
        self._properties = {**PROPERTIES, "server.port": str(self.port), "server.address": "127.0.0.1",
                            "eureka.instance.hostname": "127.0.0.1", "eureka.server.my-url": self.url,
                            "eureka.client.service-url.defaultZone": self.url, **properties}
        directory.mkdir(parents=True, exist_ok=True)
        self.process = Process("eureka", directory / f"eureka-{self.port}.log")
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["Accept"] = "application/json"

    def launch(self):
        """Starts it without waiting."""
        self.process.start([
            "java", "-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Djava.security.egd=file:/dev/urandom",
            *(f"-D{key}={value}" for key, value in self._properties.items()),
            "-jar", Path(os.environ["EUREKA_DIR"]) / "eureka-server.jar"])

    def wait_until_up(self):
        self.process.until(lambda: self._get("apps").status_code == 200, within=60)

    def start(self):
        self.launch()
        self.wait_until_up()
        return self

    def kill(self):
        self.process.kill()

    # what it holds

    def _get(self, path):
        return self.session.get(self.url + path, timeout=5)

    def instance(self, application, instance_id):
        """Never from a cache; None when it is not there."""
        reply = self._get(f"apps/{application}/{instance_id}")
        assert reply.status_code in (200, 404), f"{reply.status_code} {reply.text}"
        return _tidy(reply.json()["instance"]) if reply.status_code == 200 else None

    def instances(self, application=None):
        """{id: instance} of one application or of all."""
        reply = self._get("apps")
        assert reply.status_code == 200, reply.status_code
        return {instance["instanceId"]: _tidy(instance)
                for one in reply.json()["applications"]["application"]
                if application in (None, one["name"]) for instance in one["instance"]}

    def addresses(self, application):
        """{address: status} of one application: what a caller would choose from."""
        return {one["ipAddr"]: one["status"] for one in self.instances(application).values()}

    def registered_at(self, application=None):
        """{id: time}: changes when an instance is registered again, not when it is renewed."""
        return {key: one["leaseInfo"]["registrationTimestamp"] for key, one in self.instances(application).items()}

    def delta(self):
        """The last changes as (action, id), oldest first."""
        reply = self._get("apps/delta")
        assert reply.status_code == 200, reply.status_code
        changes = [one for application in reply.json()["applications"]["application"] for one in application["instance"]]
        return [(one["actionType"], one["instanceId"]) for one in sorted(changes, key=lambda one: int(one["lastUpdatedTimestamp"]))]

    # what others do to it

    def register(self, application, instance_id, address="192.0.2.1", port=80, lease_seconds=90, **fields):
        """An instance of somebody else's."""
        body = {"instance": {
            "instanceId": instance_id, "hostName": address, "app": application, "ipAddr": address, "status": "UP",
            "port": {"$": port, "@enabled": "true"}, "securePort": {"$": 443, "@enabled": "false"},
            "vipAddress": application.lower(),
            "dataCenterInfo": {"@class": "com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo", "name": "MyOwn"},
            "leaseInfo": {"renewalIntervalInSecs": 30, "durationInSecs": lease_seconds}, **fields}}
        reply = self.session.post(f"{self.url}apps/{application}", json=body, timeout=5)
        assert reply.status_code == 204, f"{reply.status_code} {reply.text}"

    def remove(self, application, instance_id):
        return self.session.delete(f"{self.url}apps/{application}/{instance_id}", timeout=5).status_code

    def clear(self):
        for key, one in self.instances().items():
            self.remove(one["app"], key)


def _tidy(instance):
    """Eureka writes an empty map as the name of its Java class."""
    instance["metadata"] = {key: value for key, value in instance["metadata"].items() if key != "@class"}
    return instance
