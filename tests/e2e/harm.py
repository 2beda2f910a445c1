"""Ways to harm a running mirror, each of which gives back what undoes it."""

import base64
import json
import subprocess
from collections.abc import Callable, Sequence
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
from regmirror.verify.redis_protocol import ask, ask_setting
from tests.e2e.deployed_mirror import Deployment, Object

Undo = Callable[[], object]
Harm = Callable[[Deployment], Undo]
Change = Callable[[Any], object]

AUTH_FILE = ("regmirror-auth-config", "auth_config.yml")
REGISTRY_FILE = ("regmirror-docker-hub-config", "config.yml")


def changed(kind: str, name: str, change: Change) -> Harm:
    """Another content of an object, as ``kubectl edit`` would give it."""

    def harm(mirror: Deployment) -> Undo:
        before = bare(json.loads(mirror.kubectl("get", kind, name, "-o", "json")))
        after = json.loads(json.dumps(before))
        change(after)
        mirror.kubectl("replace", "-f", "-", stdin=json.dumps(after))
        return lambda: mirror.kubectl("replace", "-f", "-", stdin=json.dumps(before))

    return harm


def deleted(kind: str, name: str) -> Harm:
    """An object that is gone."""

    def harm(mirror: Deployment) -> Undo:
        before = bare(json.loads(mirror.kubectl("get", kind, name, "-o", "json")))
        mirror.kubectl("delete", kind, name)
        return lambda: mirror.kubectl("create", "-f", "-", stdin=json.dumps(before))

    return harm


def bare(found: Object) -> Object:
    """An object without what the cluster itself keeps of it."""
    kept = {key: value for key, value in found["metadata"].items() if key in {"name", "labels", "annotations"}}
    return {key: value for key, value in found.items() if key != "status"} | {"metadata": kept}


def secret(name: str, **data: bytes | Callable[[], bytes]) -> Harm:
    """Other values in a Secret."""

    def change(found: Object) -> None:
        for key, value in data.items():
            content = value() if callable(value) else value
            found["data"][key] = base64.b64encode(content).decode()

    return changed("secret", name, change)


def configured(where: tuple[str, str], change: Change) -> Harm:
    """Another content of a configuration file inside its Secret; no pod has read it yet."""
    name, key = where

    def change_secret(found: Object) -> None:
        config = yaml.safe_load(base64.b64decode(found["data"][key]))
        change(config)
        found["data"][key] = base64.b64encode(yaml.safe_dump(config).encode()).decode()

    return changed("secret", name, change_secret)


def read_by_pods(harm: Harm, deployment: str) -> Harm:
    """What a harm has put into a Secret, in the pods alone: they have read it, and the Secret is as it was again."""

    def harm_pods(mirror: Deployment) -> Undo:
        undo = harm(mirror)
        try:
            restart(mirror, deployment)
        finally:
            undo()
        return lambda: restart(mirror, deployment)

    return harm_pods


def restart(mirror: Deployment, deployment: str) -> None:
    """Replace the pods of a component."""
    mirror.kubectl("rollout", "restart", f"deployment/{deployment}")
    mirror.kubectl("rollout", "status", f"deployment/{deployment}", "--timeout=90s")


def replaced_text(name: str, key: str, old: bytes, new: bytes) -> Harm:
    """Another word in a configuration file inside its Secret."""

    def change(found: Object) -> None:
        content = base64.b64decode(found["data"][key])
        assert old in content
        found["data"][key] = base64.b64encode(content.replace(old, new)).decode()

    return changed("secret", name, change)


def scaled(deployment: str) -> Harm:
    """No pod left of a component."""
    return changed("deployment", deployment, lambda found: found["spec"].update(replicas=0))


def pods(deployment: str, change: Change) -> Harm:
    """Other pods of a component, which replace those that run."""
    return changed("deployment", deployment, lambda found: change(found["spec"]["template"]["spec"]))


def ingress(change: Change) -> Harm:
    """Another content of the mirror's Ingress, whose name has the host in it."""
    return lambda mirror: changed("ingress", f"regmirror-ingress-{mirror.host}", change)(mirror)


def no_ingress(mirror: Deployment) -> Undo:
    """The Ingress is gone."""
    return deleted("ingress", f"regmirror-ingress-{mirror.host}")(mirror)


def hub(path: str, wanted: Object, healthy: Object) -> Harm:
    """Another behaviour of the lab's stand-in for Docker Hub."""

    def harm(mirror: Deployment) -> Undo:
        assert mirror.setting.lab is not None
        url = mirror.setting.lab["hub"]["control"] + path
        put(url, wanted)
        return lambda: put(url, healthy)

    return harm


def put(url: str, document: Object) -> None:
    answer = urllib3.request("PUT", url, json=document)
    assert answer.status == 200, answer.data


def stranger() -> KeyPair:
    """A signing pair that nobody trusts."""
    return self_signed(generate_private_key(2048), "stranger", datetime.now(UTC), timedelta(days=90), 1)


def public_certificate(host: str, days: int) -> bytes:
    """A certificate that no authority has signed, begun a year ago."""
    key, name, now = generate_private_key(2048), x509.Name([]), datetime.now(UTC)
    names = x509.SubjectAlternativeName([x509.DNSName(host)])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now - timedelta(days=365))
    builder = builder.not_valid_after(now + timedelta(days=days)).add_extension(names, critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)


def certificate_in_secret(host: Callable[[Deployment], str], days: int) -> Harm:
    """Another public certificate, without its key."""
    return lambda mirror: secret("regmirror-tls", **{"tls.crt": public_certificate(host(mirror), days)})(mirror)


def bucket_client(mirror: Deployment) -> Any:
    """The S3 service, as the owner of the bucket."""
    environment = mirror.environment
    return boto3.client(
        "s3",
        region_name=environment["S3_REGION"],
        endpoint_url=environment["S3_ENDPOINT"],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
    )


def damaged_layer(mirror: Deployment) -> Undo:
    """Other bytes in the bucket under the digest of the largest layer."""
    client, bucket = bucket_client(mirror), mirror.environment["S3_BUCKET"]
    stored = client.list_objects_v2(Bucket=bucket)["Contents"]
    largest = max((entry for entry in stored if entry["Key"].endswith("/data")), key=lambda entry: entry["Size"])
    whole = client.get_object(Bucket=bucket, Key=largest["Key"])["Body"].read()
    client.put_object(Bucket=bucket, Key=largest["Key"], Body=b"x" * len(whole))
    return lambda: client.put_object(Bucket=bucket, Key=largest["Key"], Body=whole)


def redis_commands(begin: Sequence[str], end: Sequence[str] = ()) -> Harm:
    """Commands to the running Redis, and those that end the harm.

    ``{password}`` and ``{maxmemory}`` in a command stand for what they were before.
    """

    def harm(mirror: Deployment) -> Undo:
        (found,) = mirror.objects("secret", "--field-selector=metadata.name=regmirror-redis-config")
        password = base64.b64decode(found["data"]["password"]).decode()
        before = {"password": password, "maxmemory": str(tell_redis(mirror, password, []))}
        tell_redis(mirror, password, [command.format(**before) for command in begin])
        changed = [command.split()[-1] for command in begin if command.startswith("CONFIG SET requirepass ")]
        last = [command.format(**before) for command in end]
        return lambda: tell_redis(mirror, (changed or [password])[-1], last)

    return harm


def tell_redis(mirror: Deployment, password: str, commands: Sequence[str]) -> str | None:
    """Log in to the running Redis and have commands carried out; gives its ``maxmemory`` as it was before."""
    cluster = KubernetesCluster(None, mirror.setting.context, mirror.namespace)
    running = mirror.objects("pods", "-l", "app.kubernetes.io/instance=regmirror-redis")
    with cluster.connect(running[0]["metadata"]["name"], 6379) as connection:
        assert ask(connection, "AUTH", password) == "+OK"
        memory = ask_setting(connection, "maxmemory")
        for command in commands:
            answer = ask(connection, *command.split())
            assert not answer.startswith("-"), answer
    return memory


def frozen(deployment: str) -> Harm:
    """The program of a component's pod stands still: its port accepts, and never answers."""

    def harm(mirror: Deployment) -> Undo:
        container = _container(mirror, deployment)
        subprocess.run(["ctr", "tasks", "pause", container], check=True)
        return lambda: subprocess.run(["ctr", "tasks", "resume", container], check=True)

    return harm


def kill(mirror: Deployment, deployment: str) -> None:
    """End the program of a component's pod at once, as the kernel does when memory is short."""
    subprocess.run(["ctr", "tasks", "kill", "--signal", "SIGKILL", _container(mirror, deployment)], check=True)


def _container(mirror: Deployment, deployment: str) -> str:
    chosen = ["-l", f"app.kubernetes.io/instance={deployment}"]
    mirror.kubectl("wait", "--for=condition=Ready", "pods", *chosen, "--timeout=60s")
    (pod,) = mirror.objects("pods", *chosen)
    component = pod["spec"]["containers"][0]["name"]
    (status,) = (one for one in pod["status"]["containerStatuses"] if one["name"] == component)
    return str(status["containerID"]).removeprefix("containerd://")
