"""Functions that inject a fault into a running mirror; each returns a function that undoes it."""

import base64
import json
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import urllib3
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from regmirror.adapters.cluster import KubernetesCluster
from regmirror.signing.key_pair import KeyPair, generate_private_key, self_signed
from regmirror.workloads.redis_protocol import ask, ask_setting
from tests.e2e.deployed_mirror import DeployedMirror, Object
from tests.e2e.waiting import wait_until

Undo = Callable[[], object]
InjectFault = Callable[[DeployedMirror], Undo]
Change = Callable[[Any], object]

AUTH_FILE = ("regmirror-auth-config", "auth_config.yml")
_OWNER = "docker-hub/.regmirror-owner.json"
REGISTRY_FILE = ("regmirror-docker-hub-config", "config.yml")


def changed(kind: str, name: str, change: Change) -> InjectFault:
    """Change an object, as with ``kubectl edit``."""

    def inject(mirror: DeployedMirror) -> Undo:
        before = without_cluster_fields(json.loads(mirror.kubectl("get", kind, name, "-o", "json")))
        after = json.loads(json.dumps(before))
        change(after)
        mirror.kubectl("replace", "-f", "-", stdin=json.dumps(after))
        return lambda: mirror.kubectl("replace", "-f", "-", stdin=json.dumps(before))

    return inject


def deleted(kind: str, name: str) -> InjectFault:
    """Delete an object."""

    def inject(mirror: DeployedMirror) -> Undo:
        before = without_cluster_fields(json.loads(mirror.kubectl("get", kind, name, "-o", "json")))
        mirror.kubectl("delete", kind, name)
        return lambda: mirror.kubectl("create", "-f", "-", stdin=json.dumps(before))

    return inject


def without_cluster_fields(found: Object) -> Object:
    """An object without the fields that the cluster sets."""
    kept = {key: value for key, value in found["metadata"].items() if key in {"name", "labels", "annotations"}}
    return {key: value for key, value in found.items() if key != "status"} | {"metadata": kept}


def secret(name: str, **data: bytes | Callable[[], bytes]) -> InjectFault:
    """Change values in a Secret."""

    def change(found: Object) -> None:
        for key, value in data.items():
            content = value() if callable(value) else value
            found["data"][key] = base64.b64encode(content).decode()

    return changed("secret", name, change)


def configured(where: tuple[str, str], change: Change) -> InjectFault:
    """Change a configuration file in its Secret; no pod reads it."""
    name, key = where

    def change_secret(found: Object) -> None:
        config = yaml.safe_load(base64.b64decode(found["data"][key]))
        change(config)
        found["data"][key] = base64.b64encode(yaml.safe_dump(config).encode()).decode()

    return changed("secret", name, change_secret)


def read_by_pods(inject: InjectFault, deployment: str) -> InjectFault:
    """Make pods read a changed Secret, and restore the Secret."""

    def inject_in_pods(mirror: DeployedMirror) -> Undo:
        undo = inject(mirror)
        try:
            restart(mirror, deployment)
        finally:
            undo()
        return lambda: restart(mirror, deployment)

    return inject_in_pods


def restart(mirror: DeployedMirror, deployment: str) -> None:
    """Restart the pods of a component."""
    mirror.kubectl("rollout", "restart", f"deployment/{deployment}")
    mirror.kubectl("rollout", "status", f"deployment/{deployment}", "--timeout=600s")


def replaced_text(name: str, key: str, old: bytes, new: bytes) -> InjectFault:
    """Replace text in a configuration file in its Secret."""

    def change(found: Object) -> None:
        content = base64.b64decode(found["data"][key])
        assert old in content
        found["data"][key] = base64.b64encode(content.replace(old, new)).decode()

    return changed("secret", name, change)


def scaled(deployment: str) -> InjectFault:
    """Scale a component to 0."""
    return changed("deployment", deployment, lambda found: found["spec"].update(replicas=0))


def pods(deployment: str, change: Change) -> InjectFault:
    """Change the pods of a component, which replaces them."""
    return changed("deployment", deployment, lambda found: change(found["spec"]["template"]["spec"]))


def ingress(change: Change) -> InjectFault:
    """Change the mirror's Ingress, whose name contains the host."""
    return lambda mirror: changed("ingress", f"regmirror-ingress-{mirror.host}", change)(mirror)


def no_ingress(mirror: DeployedMirror) -> Undo:
    """Delete the Ingress."""
    return deleted("ingress", f"regmirror-ingress-{mirror.host}")(mirror)


def hub(path: str, wanted: Object, healthy: Object) -> InjectFault:
    """Change the behavior of the lab's stand-in for Docker Hub."""

    def inject(mirror: DeployedMirror) -> Undo:
        assert mirror.target.lab is not None
        url = mirror.target.lab["hub"]["control"] + path
        put(url, wanted)
        return lambda: put(url, healthy)

    return inject


@contextmanager
def faulty_hub(mirror: DeployedMirror, **faults: object) -> Iterator[None]:
    """Docker Hub has these faults until the end of the block."""
    undo = hub("/faults", faults, {})(mirror)
    try:
        yield
    finally:
        undo()


def put(url: str, document: Object) -> None:
    answer = urllib3.request("PUT", url, json=document)
    assert answer.status == 200, answer.data


def untrusted_key_pair() -> KeyPair:
    """A signing key pair that no registry trusts."""
    return self_signed(generate_private_key(2048), "untrusted", datetime.now(UTC), timedelta(days=90), 1)


def public_certificate(host: str, days: int) -> bytes:
    """A self-signed certificate that is valid since a year ago, for ``days`` from now."""
    key, name, now = generate_private_key(2048), x509.Name([]), datetime.now(UTC)
    names = x509.SubjectAlternativeName([x509.DNSName(host)])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now - timedelta(days=365))
    builder = builder.not_valid_after(now + timedelta(days=days)).add_extension(names, critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)


def certificate_in_secret(host: Callable[[DeployedMirror], str], days: int) -> InjectFault:
    """Replace the public certificate, but not its key."""
    return lambda mirror: secret("regmirror-tls", **{"tls.crt": public_certificate(host(mirror), days)})(mirror)


def bucket_client(mirror: DeployedMirror) -> Any:
    """An S3 client of the owner of the bucket."""
    environment = mirror.environment
    return boto3.client(
        "s3",
        region_name=environment["S3_REGION"],
        endpoint_url=environment["S3_ENDPOINT"],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
    )


def damaged_layer(mirror: DeployedMirror) -> Undo:
    """Overwrite the content of the largest layer in the bucket; the pod that replaces the registry's has no copy."""
    client, bucket = bucket_client(mirror), mirror.environment["S3_BUCKET"]
    stored = client.list_objects_v2(Bucket=bucket)["Contents"]
    largest = max((entry for entry in stored if entry["Key"].endswith("/data")), key=lambda entry: entry["Size"])
    whole = client.get_object(Bucket=bucket, Key=largest["Key"])["Body"].read()
    client.put_object(Bucket=bucket, Key=largest["Key"], Body=b"x" * len(whole))
    restart(mirror, "regmirror-docker-hub")
    return lambda: client.put_object(Bucket=bucket, Key=largest["Key"], Body=whole)


def lost_layers(mirror: DeployedMirror) -> Undo:
    """Delete the content of every blob from the bucket, as a lifecycle rule does."""
    client, bucket = bucket_client(mirror), mirror.environment["S3_BUCKET"]
    stored = client.list_objects_v2(Bucket=bucket)["Contents"]
    keys = [entry["Key"] for entry in stored if "/v2/blobs/" in entry["Key"]]
    before = {key: client.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}
    for key in before:
        client.delete_object(Bucket=bucket, Key=key)
    return lambda: [client.put_object(Bucket=bucket, Key=key, Body=content) for key, content in before.items()]


def foreign_owner(mirror: DeployedMirror) -> Undo:
    """Record another mirror as the owner of the data."""
    client, place = bucket_client(mirror), {"Bucket": mirror.environment["S3_BUCKET"], "Key": _OWNER}
    before = client.get_object(**place)["Body"].read()
    other = json.loads(before) | {"host": "other.lab.test", "namespace": "other"}
    client.put_object(**place, Body=json.dumps(other).encode())
    return lambda: client.put_object(**place, Body=before)


def redis_commands(begin: Sequence[str], end: Sequence[str] = ()) -> InjectFault:
    """Run commands in the running Redis, and those of ``end`` to undo it.

    ``{password}`` and ``{maxmemory}`` in a command are replaced with the original values.
    """

    def inject(mirror: DeployedMirror) -> Undo:
        (found,) = mirror.objects("secret", "--field-selector=metadata.name=regmirror-redis-config")
        password = base64.b64decode(found["data"]["password"]).decode()
        before = {"password": password, "maxmemory": str(run_redis_commands(mirror, password, []))}
        run_redis_commands(mirror, password, [command.format(**before) for command in begin])
        changed = [command.split()[-1] for command in begin if command.startswith("CONFIG SET requirepass ")]
        last = [command.format(**before) for command in end]
        return lambda: run_redis_commands(mirror, (changed or [password])[-1], last)

    return inject


def run_redis_commands(mirror: DeployedMirror, password: str, commands: Sequence[str]) -> str | None:
    """Run commands in the running Redis; returns its original ``maxmemory``."""
    cluster = KubernetesCluster(None, mirror.target.context, mirror.namespace)
    running = mirror.objects("pods", "-l", "app.kubernetes.io/instance=regmirror-redis")
    with cluster.connect(running[0]["metadata"]["name"], 6379) as connection:
        assert ask(connection, "AUTH", password) == "+OK"
        memory = ask_setting(connection, "maxmemory")
        for command in commands:
            answer = ask(connection, *command.split())
            assert not answer.startswith("-"), answer
    return memory


def paused(deployment: str) -> InjectFault:
    """Pause the program of a component's pod: its port accepts connections and never answers."""

    def inject(mirror: DeployedMirror) -> Undo:
        container = _container(mirror, deployment)
        subprocess.run(["ctr", "tasks", "pause", container], check=True)
        return lambda: subprocess.run(["ctr", "tasks", "resume", container], check=True)

    return inject


def kill(mirror: DeployedMirror, deployment: str, container: str = "") -> None:
    """Kill the program of a component's pod, or another container, as the kernel does when it runs out of memory."""
    found = _container(mirror, deployment, container)
    subprocess.run(["ctr", "tasks", "kill", "--signal", "SIGKILL", found], check=True)


def kill_and_await_restart(mirror: DeployedMirror, deployment: str) -> None:
    """Kill the program of a component's pod, and wait until another container runs it.

    For a moment, Kubernetes still takes the killed one for running.
    """
    killed = _container(mirror, deployment)
    kill(mirror, deployment)
    wait_until(lambda: _container(mirror, deployment) != killed)


def _container(mirror: DeployedMirror, deployment: str, name: str = "") -> str:
    chosen = ["-l", f"app.kubernetes.io/instance={deployment}"]
    mirror.kubectl("wait", "--for=condition=Ready", "pods", *chosen, "--timeout=600s")
    (pod,) = mirror.objects("pods", *chosen)
    wanted = name or pod["spec"]["containers"][0]["name"]
    (status,) = (one for one in pod["status"]["containerStatuses"] if one["name"] == wanted)
    return str(status["containerID"]).removeprefix("containerd://")
