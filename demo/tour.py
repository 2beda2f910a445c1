"""The stations of the demonstration: init, deploy, verify, and images pulled by ordinary clients."""

import os
import sys
import time
from pathlib import Path
from typing import Any

from demo.show import run, say
from lab.setting import Setting

DIRECTORY = Path("build/demo")
NAMESPACE = "regmirror-demo"
PROGRAMS = str(Path(sys.executable).parent)


def take(setting: Setting) -> None:
    """Walk through all stations; raises DemoError at the first that fails."""
    started = time.monotonic()
    host = f"mirror.{setting.domain}"
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    environment = _environment(setting)
    _introduce(setting, host)
    run(["regmirror", *_init(setting, host)], DIRECTORY, environment)
    _bring_certificate(setting, environment)
    run(["regmirror", "deploy"], DIRECTORY, environment)
    run(["regmirror", "verify"], DIRECTORY, environment)
    if setting.lab is not None:
        _pull_in_lab(setting, setting.lab, host, environment)
    say(f"\nDone in {time.monotonic() - started:.0f} s.")
    _tell_what_next(setting, host)


def _environment(setting: Setting) -> dict[str, str]:
    environment = {
        **setting.environment,
        "PATH": f"{PROGRAMS}:{os.environ['PATH']}",
        "REGMIRROR_CONTEXT": setting.context,
        "REGMIRROR_NAMESPACE": NAMESPACE,
    }
    environment.setdefault("S3_BUCKET", "regmirror-demo")
    if setting.authority:
        environment["REGMIRROR_CA_FILE"] = str(setting.authority.resolve())
        environment["SSL_CERT_FILE"] = str(setting.authority.resolve())
    return environment


def _introduce(setting: Setting, host: str) -> None:
    if setting.lab is None:
        say(f"A mirror of Docker Hub at {host}, on the cluster {setting.context}.")
        return
    say(f"A mirror of Docker Hub at {host}, on the lab: a real Kubernetes, registry, S3 server and Ingress controller.")
    say("Docker Hub itself is a stand-in here, because the lab has no way out of this machine.")
    if setting.lab["auth_is_stand_in"]:
        say("docker_auth is a stand-in, too; LAB_DOCKER_AUTH=/path/to/auth_server puts the real one in its place.")


def _init(setting: Setting, host: str) -> list[str]:
    options = ["--create-bucket", f"--probe-image={setting.allowed_image}", *setting.init_options]
    return ["init", "--yes", "--force", f"--host={host}", *options]


def _bring_certificate(setting: Setting, environment: dict[str, str]) -> None:
    """Put the certificate of the public host where the configuration looks for it, as its owner would."""
    if not (setting.certificate and setting.key):
        return
    kubectl = f"kubectl --context {setting.context}"
    secret = (
        f"create secret tls regmirror-tls --cert={setting.certificate} --key={setting.key} --dry-run=client -o yaml"
    )
    shown = f"{kubectl} create namespace {NAMESPACE}; {kubectl} create secret tls regmirror-tls --cert=... --key=..."
    script = (
        f"{kubectl} create namespace {NAMESPACE} --dry-run=client -o yaml | {kubectl} apply -f - && "
        f"{kubectl} -n {NAMESPACE} {secret} | {kubectl} apply -f -"
    )
    run(["sh", "-c", script], DIRECTORY, environment, shown=shown)


def _pull_in_lab(setting: Setting, lab: dict[str, Any], host: str, environment: dict[str, str]) -> None:
    """Pull as an ordinary client does: crane by the mirror's name, containerd by Docker Hub's name."""
    say("\nNow as clients do. crane, by the name of the mirror:")
    run(["crane", "pull", f"{host}/{setting.allowed_image}", "demo.tar"], DIRECTORY, environment)
    say("\nAnd containerd, for a pod that names Docker Hub; a hosts.toml sends it to the mirror:")
    hosts = Path(lab["containerd_certs"]) / "docker.io" / "hosts.toml"
    hosts.parent.mkdir(parents=True, exist_ok=True)
    hosts.write_text(
        f'server = "https://registry-1.docker.io"\n\n[host."https://{host}"]\n'
        f'  capabilities = ["pull", "resolve"]\n  ca = "{setting.authority}"\n'
    )
    run(["cat", str(hosts)], DIRECTORY, environment)
    kubectl = ["kubectl", "-n", NAMESPACE]
    image = f"docker.io/{setting.allowed_image}"
    hello = ["run", "hello", f"--image={image}", "--image-pull-policy=Always", "--restart=Never"]
    run([*kubectl, "delete", "pod", "hello", "--ignore-not-found", "--now"], DIRECTORY, environment)
    run([*kubectl, *hello], DIRECTORY, environment)
    finished = "--for=jsonpath={.status.phase}=Succeeded"
    run([*kubectl, "wait", finished, "pod/hello", "--timeout=60s"], DIRECTORY, environment)
    run([*kubectl, "events", "--for=pod/hello"], DIRECTORY, environment)
    run([*kubectl, "logs", "hello"], DIRECTORY, environment)


def _tell_what_next(setting: Setting, host: str) -> None:
    say("\nTry next:")
    if not setting.is_lab:
        say(f"  regmirror -f {DIRECTORY}/regmirror.yaml verify --context {setting.context} -n {NAMESPACE}")
        return
    inside = f"{os.path.relpath(sys.executable)} -m lab run --"
    refused = f"env SSL_CERT_FILE={setting.authority} crane pull {host}/{setting.refused_image} x.tar"
    for command, why in (
        (f"{inside} kubectl -n {NAMESPACE} get pods,ingress", "what is running"),
        (f"{inside} {refused}", "an image outside the list is refused"),
        (f"less {DIRECTORY}/regmirror.yaml", "the configuration"),
        ("make clean-lab", "stop the lab and remove what it built"),
    ):
        say(f"  {why}:\n    {command}")
