# SPDX-License-Identifier: Apache-2.0
"""The Kubernetes API in the few verbs the tests need. Objects are plain dictionaries."""

import requests

SYNCERS = ("eurekube.io/v1alpha1", "eurekasyncers")
SLICES = ("discovery.k8s.io/v1", "endpointslices")
EVENTS = ("events.k8s.io/v1", "events")

MERGE_PATCH = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"

PLURALS = {"ConfigMap": "configmaps", "Namespace": "namespaces", "Node": "nodes", "Pod": "pods", "Service": "services",
           "Deployment": "deployments", "ServiceAccount": "serviceaccounts", "EndpointSlice": "endpointslices",
           "EurekaSyncer": "eurekasyncers", "Ingress": "ingresses"}


class Cluster:
    def __init__(self, url, token, ca_file):
        self.url = url
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.verify = str(ca_file)
        self.session.headers["Authorization"] = f"Bearer {token}"

    def path(self, version, plural, name=None, namespace=None, subresource=None):
        parts = [self.url, "api" if version == "v1" else "apis", version]
        parts += ["namespaces", namespace] if namespace else []
        parts += [plural] + ([name] if name else []) + ([subresource] if subresource else [])
        return "/".join(parts)

    def _call(self, method, url, **arguments):
        reply = self.session.request(method, url, timeout=10, **arguments)
        if reply.status_code >= 400:
            raise ApiError(reply)
        return reply.json()

    def create(self, thing):
        url = self.path(thing["apiVersion"], PLURALS[thing["kind"]], namespace=thing["metadata"].get("namespace"))
        return self._call("POST", url, json=thing)

    def get(self, version, plural, name, namespace=None):
        return self._call("GET", self.path(version, plural, name, namespace))

    def find(self, version, plural, name, namespace=None):
        """As get, or None when there is no such object."""
        try:
            return self.get(version, plural, name, namespace)
        except ApiError as error:
            if error.status != 404:
                raise
            return None

    def list(self, version, plural, namespace=None, labels=None):
        query = {"labelSelector": labels} if labels else {}
        return self._call("GET", self.path(version, plural, namespace=namespace), params=query)["items"]

    def patch(self, version, plural, name, patch, namespace=None, subresource=None):
        return self._call("PATCH", self.path(version, plural, name, namespace, subresource), json=patch,
                          headers={"Content-Type": MERGE_PATCH})

    def json_patch(self, version, plural, name, steps, namespace=None):
        return self._call("PATCH", self.path(version, plural, name, namespace), json=steps, headers={"Content-Type": JSON_PATCH})

    def try_patch(self, *arguments):
        """As patch, or nothing when there is no such object."""
        try:
            self.patch(*arguments)
        except ApiError as error:
            if error.status != 404:
                raise

    def delete(self, version, plural, name, namespace=None, grace_seconds=None):
        body = {} if grace_seconds is None else {"gracePeriodSeconds": grace_seconds}
        return self._call("DELETE", self.path(version, plural, name, namespace), json=body)

    def delete_all(self, version, plural, namespace, grace_seconds=None):
        body = {} if grace_seconds is None else {"gracePeriodSeconds": grace_seconds}
        return self._call("DELETE", self.path(version, plural, namespace=namespace), json=body)

    def create_token(self, namespace, service_account):
        reply = self._call("POST", self.path("v1", "serviceaccounts", service_account, namespace, "token"),
                           json={"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}})
        return reply["status"]["token"]

    # the objects these tests are about

    def slice_addresses(self, namespace, service):
        """{address: conditions} over all slices of a Service."""
        slices = self.list(*SLICES, namespace, labels=f"kubernetes.io/service-name={service}")
        return {endpoint["addresses"][0]: endpoint["conditions"]
                for one in slices for endpoint in one["endpoints"] or []}

    def events_about(self, namespace, name, kind="EurekaSyncer"):
        """Events that regard the object of that kind and name."""
        return [event for event in self.list(*EVENTS, namespace)
                if event["regarding"].get("kind") == kind and event["regarding"].get("name") == name]


class ApiError(AssertionError):
    """A refusal of the API server. An AssertionError, because to a test it is one."""

    def __init__(self, reply):
        try:
            message = reply.json().get("message", reply.text)
        except ValueError:
            message = reply.text
        super().__init__(f"{reply.request.method} {reply.request.path_url}: {reply.status_code}: {message}")
        self.status = reply.status_code
        self.message = message
