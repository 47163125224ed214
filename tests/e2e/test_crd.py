# SPDX-License-Identifier: Apache-2.0
"""The resource as a real API server sees it: what it accepts, fills in, refuses and shows."""

import copy

import pytest
import yaml

from conftest import ROOT
from kit.cluster import SYNCERS, ApiError

EVERY_FIELD = yaml.safe_load("""
mode: pod
selector:
  namespace: rating
  app: rating
  serviceName: rating
  matchLabels: {tier: web, app.kubernetes.io/part-of: shop}
  matchExpressions:
    - {key: stage, operator: In, values: [blue, green]}
    - {key: legacy, operator: DoesNotExist}
port: http
registry: main
application: RATING
instance:
  vipAddress: rating
  secureVipAddress: rating
  secure: true
  securePort: 8443
  homePagePath: /
  statusPagePath: /actuator/info
  healthCheckPath: /actuator/health
  metadata: {version: "3", management.port: "8081"}
  metadataFrom: {team: {from: Service, label: app.kubernetes.io/part-of}, build: {from: Pod, label: build}}
notReady: Down
drain: {action: OutOfService, seconds: 45}
policy: UpsertOnly
deletionPolicy: Orphan
suspend: true
modeOptions: {weight: 3, nested: {deep: [1, two]}}
registryOptions: {anything: true}
""")

SMALLEST = {"mode": "pod", "selector": {"app": "rating"}}


def a_syncer(spec, name="rating", namespace="default"):
    return {"apiVersion": SYNCERS[0], "kind": "EurekaSyncer", "metadata": {"name": name, "namespace": namespace}, "spec": spec}


def try_create(cluster, spec):
    """What the API server would store."""
    url = cluster.path(*SYNCERS, namespace="default") + "?dryRun=All&fieldValidation=Strict"
    reply = cluster.session.post(url, json=a_syncer(spec), timeout=10)
    if reply.status_code >= 400:
        raise ApiError(reply)
    return reply.json()["spec"]


def test_every_field_is_accepted_and_kept(cluster):
    assert try_create(cluster, EVERY_FIELD) == EVERY_FIELD


def test_static_defaults_are_filled_in_and_no_others(cluster):
    assert try_create(cluster, SMALLEST) == SMALLEST | {
        "instance": {"secure": False}, "notReady": "Deregister", "drain": {"action": "Deregister", "seconds": 100},
        "policy": "Sync", "deletionPolicy": "Deregister", "suspend": False}


@pytest.mark.parametrize("selector", [
    {"app": "a"}, {"serviceName": "a"}, {"matchLabels": {"a": ""}}, {"matchExpressions": [{"key": "a", "operator": "Exists"}]}],
    ids=lambda selector: next(iter(selector)))
def test_one_selector_term_is_enough(cluster, selector):
    try_create(cluster, {"mode": "pod", "selector": selector})


@pytest.mark.parametrize("port", [1, 65535, "http", "8080-tcp"])
def test_a_port_is_a_number_or_a_name(cluster, port):
    assert try_create(cluster, SMALLEST | {"port": port})["port"] == port


def instance(**fields):
    return {"instance": fields}


def metadata(key):
    return instance(metadata={key: "x"})


def selector(**fields):
    return {"selector": {"app": "rating", **fields}}


SOURCE = {"from": "Service", "label": "team"}

# what is wrong: what the message says about it
REFUSED = {
    "no mode": ({"mode": None}, "spec.mode: Required value"),
    "a mode with a space": ({"mode": "my mode"}, "name from the operator's configuration"),
    "no selector": ({"selector": None}, "spec.selector: Required value"),
    "an empty selector": ({"selector": {}}, "at least one term besides namespace"),
    "a selector of a namespace alone": ({"selector": {"namespace": "rating"}}, "at least one term besides namespace"),
    "empty matchLabels alone": ({"selector": {"matchLabels": {}}}, "at least one term besides namespace"),
    "empty matchExpressions alone": ({"selector": {"matchExpressions": []}}, "at least one term besides namespace"),
    "an empty app": ({"selector": {"app": ""}}, "spec.selector.app"),
    "an app that is no label value": ({"selector": {"app": "-x"}}, "must be a label value"),
    "app against matchLabels.app": (selector(matchLabels={"app": "other"}), "the two differ"),
    "a namespace in upper case": (selector(namespace="Rating"), "must be the name of a namespace"),
    "a serviceName in upper case": (selector(serviceName="Rating"), "must be the name of a Service"),
    "a label value with a space": (selector(matchLabels={"a": "b c"}), "spec.selector.matchLabels.a"),
    "In without values": (selector(matchExpressions=[{"key": "a", "operator": "In"}]), "need at least one entry in values"),
    "NotIn with empty values": (selector(matchExpressions=[{"key": "a", "operator": "NotIn", "values": []}]), "need at least one entry in values"),
    "Exists with values": (selector(matchExpressions=[{"key": "a", "operator": "Exists", "values": ["b"]}]), "take no values"),
    "an unknown operator": (selector(matchExpressions=[{"key": "a", "operator": "Like"}]), 'supported values: "In", "NotIn"'),
    "an expression without a key": (selector(matchExpressions=[{"operator": "Exists"}]), "key: Required value"),
    "port 0": ({"port": 0}, "from 1 to 65535"),
    "port 65536": ({"port": 65536}, "from 1 to 65535"),
    "a port name in upper case": ({"port": "HTTP"}, "name of a Service port"),
    "a port name of 64 letters": ({"port": "a" * 64}, "spec.port"),
    "a URL for a registry": ({"registry": "http://eureka:8761/eureka"}, "never a URL"),
    "an application with a space": ({"application": "my app"}, "begin with a letter or digit"),
    "an application with a slash": ({"application": "a/b"}, "begin with a letter or digit"),
    "an application that begins with a dash": ({"application": "-a"}, "begin with a letter or digit"),
    "an application of 64 letters": ({"application": "a" * 64}, "spec.application"),
    "a vipAddress with a space": (instance(vipAddress="a b"), "virtual host name"),
    "a secureVipAddress with a slash": (instance(secureVipAddress="a/b"), "virtual host name"),
    "securePort without secure": (instance(securePort=8443), "only used with secure: true"),
    "securePort 0": (instance(secure=True, securePort=0), "from 1 to 65535"),
    "a relative path": (instance(healthCheckPath="health"), "begins with '/'"),
    "a path with a space": (instance(homePagePath="/a b"), "begins with '/'"),
    "a metadata key with an underscore": (metadata("a_b"), "become XML names in Eureka"),
    "a metadata key with a slash": (metadata("a/b"), "become XML names in Eureka"),
    "a metadata key that begins with a digit": (metadata("1a"), "become XML names in Eureka"),
    "a metadata key of 64 letters": (metadata("a" * 64), "at most 63"),
    "our owner mark": (metadata("eurekube.owner"), "belong to the operator"),
    "our mark from a label": (instance(metadataFrom={"eurekube.pod": SOURCE}), "belong to the operator"),
    "a metadataFrom key with an underscore": (instance(metadataFrom={"a_b": SOURCE}), "become XML names in Eureka"),
    "metadata from a Node": (instance(metadataFrom={"a": {"from": "Node", "label": "b"}}), 'supported values: "Service", "Pod"'),
    "metadata from nothing": (instance(metadataFrom={"a": {"from": "Pod"}}), "label: Required value"),
    "a key both given and taken": (instance(metadata={"team": "a"}, metadataFrom={"team": SOURCE}), "not in both"),
    "metadata that is no string": (instance(metadata={"a": 1}), "must be of type string"),
    "an unknown notReady": ({"notReady": "Remove"}, 'supported values: "Deregister", "Down", "OutOfService"'),
    "an unknown drain action": ({"drain": {"action": "Wait"}}, 'supported values: "Deregister", "OutOfService"'),
    "a drain of no seconds": ({"drain": {"seconds": 0}}, "greater than or equal to 1"),
    "an unknown policy": ({"policy": "Force"}, 'supported values: "Sync", "UpsertOnly", "Observe"'),
    "an unknown deletionPolicy": ({"deletionPolicy": "Keep"}, 'supported values: "Deregister", "Orphan"'),
    "suspend as a word": ({"suspend": "yes"}, "must be of type boolean"),
    "a misspelt field": ({"aplication": "RATING"}, 'unknown field "spec.aplication"'),
}


@pytest.mark.parametrize("what", REFUSED)
def test_it_refuses(cluster, what):
    change, message = REFUSED[what]
    spec = {key: value for key, value in (SMALLEST | change).items() if value is not None}
    with pytest.raises(ApiError) as refusal:
        try_create(cluster, spec)
    assert refusal.value.status in (400, 422)
    assert message in refusal.value.message


def test_the_largest_resource_stays_within_the_cost_that_rules_may_have(cluster):
    keys = [f"key-{number}".ljust(63, "x") for number in range(96)]
    try_create(cluster, {
        "mode": "m" * 63, "application": "a" * 63, "port": "p" * 63, "registry": "r" * 63,
        "selector": {"matchLabels": {f"label-{n}": "v" * 63 for n in range(32)},
                     "matchExpressions": [{"key": "k" * 63, "operator": "In", "values": ["v" * 63] * 64}] * 32},
        "instance": {"metadata": {key: "v" * 1024 for key in keys[:64]}, "metadataFrom": {key: SOURCE for key in keys[64:]},
                     "vipAddress": "v" * 253, "homePagePath": "/" + "p" * 1023}})


def test_kubectl_shows_status_in_columns(cluster, kubectl, control_plane, make_namespace):
    namespace = make_namespace("columns")
    cluster.create(a_syncer(SMALLEST, namespace=namespace))
    cluster.patch(*SYNCERS, "rating", {"status": {
        "desired": 2, "registered": 1, "applications": ["RATING", "RATING-ADMIN"], "registry": "main",
        "modePlugin": {"name": "pod", "version": "0.1.0"},
        "conditions": [{"type": "Ready", "status": "False", "reason": "RegistryUnavailable", "message": "is it running?",
                        "lastTransitionTime": "2026-01-01T00:00:00Z"}]}}, namespace, subresource="status")
    [row] = control_plane.kubectl_table("esync", "-n", namespace)
    assert row.pop("AGE")
    assert row == {"NAME": "rating", "MODE": "pod", "APP": "RATING", "REGISTRY": "main", "DESIRED": "2", "REGISTERED": "1",
                   "READY": "False"}
    [row] = control_plane.kubectl_table("esync", "-n", namespace, "-o", "wide")
    assert (row["PLUGIN"], row["MESSAGE"]) == ("pod", "is it running?")


def test_status_is_not_writable_with_the_spec_nor_the_spec_with_status(cluster, make_namespace):
    namespace = make_namespace("subresource")
    created = cluster.create(a_syncer(SMALLEST, namespace=namespace) | {"status": {"desired": 7}})
    assert "status" not in created
    patched = cluster.patch(*SYNCERS, "rating", {"spec": {"suspend": True}, "status": {"desired": 2}}, namespace, subresource="status")
    assert patched["spec"]["suspend"] is False
    assert patched["status"] == {"desired": 2}
    assert patched["metadata"]["generation"] == created["metadata"]["generation"]


def test_kubectl_explain_reads_as_documentation(kubectl):
    text = kubectl("explain", "esync.spec")
    assert "What should be registered, where, and as what." in text
    assert "The application name that callers use." in text
    assert "Eureka clients look instances up" in kubectl("explain", "esync.spec.instance.vipAddress")
    assert "Deregister | enum" in kubectl("explain", "esync.spec.policy") or "ENUM" in kubectl("explain", "esync.spec.policy")


def test_every_field_has_a_description():
    definition = yaml.safe_load((ROOT / "crds" / "eurekasyncers.yaml").read_text())
    bare = []

    def visit(schema, path):
        if "description" not in schema and path not in ("", ".metadata"):
            bare.append(path)
        for name, field in schema.get("properties", {}).items():
            visit(field, f"{path}.{name}")
        for name, field in schema.get("items", {}).get("properties", {}).items():
            visit(field, f"{path}[].{name}")

    visit(copy.deepcopy(definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]), "")
    assert not bare
