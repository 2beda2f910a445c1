"""lab.json, which describes a running lab: written when `up` is complete, read by tests, the demo and `status`."""

import json
from typing import Any

from lab import (
    addresses,
    build,
    cert_manager,
    debian,
    gateway,
    images,
    processes,
    sample_images,
    services,
    toolchain,
)
from lab.cluster import Cluster
from lab.components import GO_MODULES, KUBERNETES_VERSION, MODULE_FILES, PUBLISHED_PROGRAMS
from lab.credentials import write_secret
from lab.errors import LabError
from lab.instance import Instance

# Increment this whenever a change breaks readers of lab.json.
FORMAT = 2


def write(cluster: Cluster) -> None:
    """Writes lab.json with mode 0600, because it contains the keys of S3 and Docker Hub."""
    write_secret(cluster.instance.lab_info, json.dumps(_content(cluster), indent=2) + "\n")


def is_up(instance: Instance) -> bool:
    """Whether `up` was completed and none of its processes has ended since."""
    found = processes.alive(instance)
    return instance.lab_info.exists() and bool(found) and all(found.values())


def read(instance: Instance) -> dict[str, Any]:
    """The content of lab.json; raises LabError if the lab is not running."""
    try:
        content: dict[str, Any] = json.loads(instance.lab_info.read_text())
    except FileNotFoundError as error:
        raise LabError(f"lab {instance.name} is not running: start it with `python -m lab up`") from error
    if content.get("format") != FORMAT:
        raise LabError(f"{instance.lab_info} is from another version of the lab: remove it with `python -m lab down`")
    return content


def _content(cluster: Cluster) -> dict[str, Any]:
    instance, certificates = cluster.instance, cluster.certificates
    return {
        "format": FORMAT,
        "instance": instance.name,
        "address": addresses.NODE_ADDRESS,
        "kubeconfig": str(instance.kubeconfig),
        "context": instance.name,
        "cluster_version": KUBERNETES_VERSION,
        "versions": versions(),
        "stand_ins": stand_ins(),
        "ingress_class": services.INGRESS_CLASS,
        "gateway": {"namespace": gateway.NAMESPACE, "name": gateway.NAME},
        "cluster_issuer": cert_manager.CLUSTER_ISSUER,
        "certificate_authority": str(certificates.authority),
        "tls": {"certificate": str(certificates.certificate("mirror")), "key": str(certificates.key("mirror"))},
        "hosts": {"mirror": addresses.MIRROR_HOST, "hub": addresses.HUB_HOST, "s3": addresses.S3_HOST},
        "s3": {
            "endpoint": f"http://{addresses.S3_HOST}:{addresses.S3_PORT}",
            "region": services.S3_REGION,
            "access_key": cluster.credentials.s3_access_key,
            "secret_key": cluster.credentials.s3_secret_key,
        },
        "hub": {
            "url": f"http://{addresses.HUB_HOST}:{addresses.HUB_PORT}",
            "control": f"http://{addresses.HUB_CONTROL}",
            "username": cluster.credentials.hub_username,
            "password": cluster.credentials.hub_password,
            "sample_images": list(sample_images.NAMES),
        },
        # With the account and the images of the hub.
        "docker_io": {
            "address": addresses.DOCKER_IO_ADDRESS,
            "control": f"http://{addresses.DOCKER_IO_CONTROL}",
            "certificate_authority": str(certificates.docker_io.authority),
        },
        "images": {
            "registry": images.REGISTRY,
            "auth": images.DOCKER_AUTH_STAND_IN if images.auth_is_stand_in() else images.DOCKER_AUTH,
            "redis": images.REDIS_STAND_IN,
            "nginx": images.NGINX,
            "python": images.PYTHON,
            "shell": images.SHELL,
        },
        "auth_is_stand_in": images.auth_is_stand_in(),
        "helm3": _program(instance, "helm3"),
        "helm4": _program(instance, "helm4"),
        "debian_clients": _program(instance, debian.CACHE_NAME),
        "containerd_address": str(instance.containerd_socket),
        "containerd_certs": str(instance.state / "certs.d"),
        "pod_logs": str(instance.logs / "pods"),
        "pod_directories": str(instance.state / "kubelet" / "pods"),
    }


def versions() -> dict[str, str]:
    """The pinned version of each part."""
    modules = (*GO_MODULES, *build.optional_modules())
    built = {module.name: toolchain.version_of(module) for module in modules if module.version_of}
    fetched = {part.name: part.version for part in (*PUBLISHED_PROGRAMS, *MODULE_FILES)}
    return built | fetched


def stand_ins() -> dict[str, str]:
    """The stand-ins, by the name of what they replace."""
    found = {
        "Docker Hub": "docker-hub-stand-in in front of a real registry",
        "docker.io": "the same for clients that do not use the mirror",
        "Valkey": images.REDIS_STAND_IN,
    }
    return found | ({"docker_auth": images.DOCKER_AUTH_STAND_IN} if images.auth_is_stand_in() else {})


def _program(instance: Instance, name: str) -> str | None:
    path = instance.programs / name
    return str(path) if path.exists() else None
