"""The files for container runtimes; each is read with a parser of its format, as the runtime does."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from regmirror.cli.options import Runtime
from regmirror.client_config.catalog import RUNTIMES
from regmirror.client_config.registries import MirroredRegistry, mirrored_registries
from regmirror.client_config.setup import ClientOptions, ClientSetup
from regmirror.client_config.toml_template import render_toml, toml_literal
from regmirror.errors import ConfigurationError, TemplateError
from tests import samples

CA_PEM = samples.key_pair().certificate_pem.decode()
HUB = MirroredRegistry("docker.io", "https://registry-1.docker.io", "mirror.example.com")
QUAY = MirroredRegistry("quay.io", "https://quay.io", "quay.example.com")
PARSERS: dict[str, Callable[[str], Any]] = {
    ".toml": tomllib.loads,
    ".conf": tomllib.loads,
    ".json": json.loads,
    ".yaml": lambda text: list(yaml.safe_load_all(text)),
    ".crt": lambda text: x509.load_pem_x509_certificates(text.encode()),
}


def setup_of(
    name: str, ca_pem: str = CA_PEM, registries: list[MirroredRegistry] | None = None, user: str = ""
) -> ClientSetup:
    """The setup of a runtime."""
    return RUNTIMES[name](ClientOptions([HUB, QUAY] if registries is None else registries, ca_pem, user))


def files(
    name: str, ca_pem: str = CA_PEM, registries: list[MirroredRegistry] | None = None, user: str = ""
) -> dict[str, Any]:
    """The parsed files of a runtime by path."""
    setup = setup_of(name, ca_pem, registries, user)
    return {file.path: PARSERS[Path(file.path).suffix](file.content) for file in setup.files}


def certificates() -> list[x509.Certificate]:
    return [samples.key_pair().certificate]


def test_the_command_line_knows_every_runtime() -> None:
    assert [runtime.value for runtime in Runtime] == list(RUNTIMES)


@pytest.mark.parametrize("name", RUNTIMES)
@pytest.mark.parametrize("ca_pem", ["", CA_PEM])
@pytest.mark.parametrize("user", ["", "ci-robot"])
def test_every_file_has_the_format_of_its_name_and_every_runtime_has_limitations(
    name: str, ca_pem: str, user: str
) -> None:
    assert all(files(name, ca_pem, user=user).values())
    setup = setup_of(name, ca_pem, user=user)
    assert setup.steps
    assert setup.limitations
    assert all(limitation.endswith(".") for limitation in setup.limitations)
    assert not any(step.endswith(".") for step in setup.steps)
    assert len({file.path for file in setup.files}) == len(setup.files)
    text = "".join(file.content for file in setup.files)
    assert bool(ca_pem) is ("CERTIFICATE" in text or base64.b64encode(CA_PEM.encode()).decode() in text)


@pytest.mark.parametrize(
    ("name", "directory"),
    [
        ("containerd", "/etc/containerd/certs.d"),
        ("kind", "certs.d"),
        ("minikube", "~/.minikube/files/etc/containerd/certs.d"),
    ],
)
def test_containerd_has_a_directory_for_each_registry(name: str, directory: str) -> None:
    parsed = files(name)
    for registry in (HUB, QUAY):
        server = {} if registry is HUB else {"server": registry.server}
        assert parsed[f"{directory}/{registry.name}/hosts.toml"] == {
            **server,
            "host": {
                f"https://{registry.host}": {
                    "capabilities": ["pull", "resolve"],
                    "dial_timeout": "5s",
                    "ca": "ca.crt",
                }
            },
        }
        assert parsed[f"{directory}/{registry.name}/ca.crt"] == certificates()
        own = {"server": f"https://{registry.host}", "ca": "ca.crt"}
        assert parsed[f"{directory}/{registry.host}/hosts.toml"] == own
        assert parsed[f"{directory}/{registry.host}/ca.crt"] == certificates()
    without = files(name, "")
    assert "ca" not in without[f"{directory}/docker.io/hosts.toml"]["host"]["https://mirror.example.com"]
    assert f"{directory}/docker.io/ca.crt" not in without
    assert f"{directory}/mirror.example.com/hosts.toml" not in without


def test_kind_mounts_the_directory_that_containerd_reads() -> None:
    (cluster,) = files("kind")["kind.yaml"]
    assert (cluster["kind"], cluster["apiVersion"]) == ("Cluster", "kind.x-k8s.io/v1alpha4")
    (mount,) = cluster["nodes"][0]["extraMounts"]
    assert mount == {"hostPath": "./certs.d", "containerPath": "/etc/containerd/certs.d", "readOnly": True}
    (patch,) = cluster["containerdConfigPatches"]
    registry = tomllib.loads(patch)["plugins"]["io.containerd.grpc.v1.cri"]["registry"]
    assert registry == {"config_path": mount["containerPath"]}


def test_dockerd_mirrors_only_docker_hub() -> None:
    parsed = files("dockerd")
    assert parsed == {
        "/etc/docker/daemon.json": {"registry-mirrors": ["https://mirror.example.com"]},
        "/etc/docker/certs.d/mirror.example.com/ca.crt": certificates(),
    }
    with pytest.raises(ConfigurationError, match="no upstream is Docker Hub"):
        files("dockerd", "", [QUAY])


def test_buildkit_trusts_the_ca_pem_for_the_hosts_of_the_mirrors() -> None:
    parsed = files("buildkit")
    path = "/etc/buildkit/regmirror-ca.crt"
    assert parsed["/etc/buildkit/buildkitd.toml"]["registry"] == {
        "docker.io": {"mirrors": ["mirror.example.com"]},
        "mirror.example.com": {"ca": [path]},
        "quay.io": {"mirrors": ["quay.example.com"]},
        "quay.example.com": {"ca": [path]},
    }
    assert parsed[path] == certificates()


@pytest.mark.parametrize("name", ["podman", "cri-o"])
def test_each_registry_of_podman_has_its_own_mirror(name: str) -> None:
    parsed = files(name)
    assert parsed["/etc/containers/registries.conf.d/50-regmirror.conf"]["registry"] == [
        {"prefix": registry.name, "location": registry.name, "mirror": [{"location": registry.host}]}
        for registry in (HUB, QUAY)
    ]
    assert parsed["/etc/containers/certs.d/quay.example.com/ca.crt"] == certificates()


@pytest.mark.parametrize("name", ["k3s", "rke2"])
def test_k3s_and_rke2_have_files_of_their_own(name: str) -> None:
    path = f"/etc/rancher/{name}/registries.yaml"
    (content,) = files(name)[path]
    ca_file = f"/etc/rancher/{name}/regmirror-ca.crt"
    assert content == {
        "mirrors": {registry.name: {"endpoint": [f"https://{registry.host}"]} for registry in (HUB, QUAY)},
        "configs": {registry.host: {"tls": {"ca_file": ca_file}} for registry in (HUB, QUAY)},
    }
    modes = {file.path: file.mode for file in setup_of(name, registries=[HUB]).files}
    assert modes == {path: 0o600, ca_file: 0o644}
    (without,) = files(name, "")[path]
    assert "configs" not in without


def test_talos_has_a_document_for_each_registry_and_the_older_form() -> None:
    parsed = files("talos")
    version = {"apiVersion": "v1alpha1"}
    assert parsed["talos.yaml"] == [
        *(
            version
            | {
                "kind": "RegistryMirrorConfig",
                "name": registry.name,
                "endpoints": [{"url": f"https://{registry.host}"}],
            }
            for registry in (HUB, QUAY)
        ),
        *(version | {"kind": "RegistryTLSConfig", "name": registry.host, "ca": CA_PEM} for registry in (HUB, QUAY)),
    ]
    (older,) = parsed["talos-before-1.12.yaml"]
    registries = older["machine"]["registries"]
    assert registries["mirrors"]["quay.io"] == {"endpoints": ["https://quay.example.com"]}
    assert base64.b64decode(registries["config"]["mirror.example.com"]["tls"]["ca"]).decode() == CA_PEM


LOGINS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "containerd": lambda parsed: [
        parsed["/etc/containerd/certs.d/docker.io/hosts.toml"]["host"]["https://mirror.example.com"]["header"],
        parsed["/etc/containerd/certs.d/mirror.example.com/hosts.toml"]["header"],
    ],
    "k3s": lambda parsed: parsed["/etc/rancher/k3s/registries.yaml"][0]["configs"]["mirror.example.com"]["auth"],
    "rke2": lambda parsed: parsed["/etc/rancher/rke2/registries.yaml"][0]["configs"]["mirror.example.com"]["auth"],
    "talos": lambda parsed: [
        parsed["talos.yaml"][-1],
        parsed["talos-before-1.12.yaml"][0]["machine"]["registries"]["config"]["mirror.example.com"]["auth"],
    ],
}
IN_FILE = {"username": "ci-robot", "password": "PASSWORD"}
IN_HEADER = {"Authorization": "Basic LOGIN"}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("containerd", [IN_HEADER, IN_HEADER]),
        ("k3s", IN_FILE),
        ("rke2", IN_FILE),
        (
            "talos",
            [
                {"apiVersion": "v1alpha1", "kind": "RegistryAuthConfig", "name": "mirror.example.com", **IN_FILE},
                IN_FILE,
            ],
        ),
    ],
)
@pytest.mark.parametrize("ca_pem", ["", CA_PEM])
def test_a_login_is_a_placeholder_in_a_file_that_only_its_owner_reads(name: str, expected: Any, ca_pem: str) -> None:
    assert LOGINS[name](files(name, ca_pem, [HUB], "ci-robot")) == expected
    setup = setup_of(name, ca_pem, [HUB], "ci-robot")
    assert {file.mode for file in setup.files if not file.is_certificate} == {0o600}
    assert any(step.startswith("replace ") for step in setup.steps)


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("dockerd", "docker login --username ci-robot mirror.example.com"),
        ("buildkit", "docker login --username ci-robot mirror.example.com"),
        ("podman", "podman login --authfile ~/.config/containers/auth.json --username ci-robot mirror.example.com"),
        ("cri-o", "podman login --authfile /etc/crio/regmirror-auth.json --username ci-robot mirror.example.com"),
    ],
)
def test_other_runtimes_have_a_command_that_prompts_for_the_password(name: str, command: str) -> None:
    setup = setup_of(name, user="ci-robot")
    assert any(step.endswith(command) for step in setup.steps)
    assert not any("--password" in step for step in setup.steps)


def test_the_command_for_a_header_prints_the_login_on_a_line_of_its_own() -> None:
    """Without line breaks, the result is glued to the prompts of the command and of the shell."""
    step = next(step for step in setup_of("containerd", user="ci-robot").steps if step.startswith("replace LOGIN"))
    command = step.partition("(bash): ")[2]
    done = subprocess.run(["bash", "-c", command], input="pass word\n", capture_output=True, text=True, check=True)
    assert done.stderr == "\n"
    assert done.stdout == base64.b64encode(b"ci-robot:pass word").decode() + "\n"


def test_crio_reads_the_file_in_which_the_login_is_stored() -> None:
    parsed = files("cri-o", user="ci-robot")
    image = parsed["/etc/crio/crio.conf.d/50-regmirror.conf"]["crio"]["image"]
    assert image == {"global_auth_file": "/etc/crio/regmirror-auth.json"}


def test_a_name_cannot_end_a_command() -> None:
    (step,) = [step for step in setup_of("podman", user="a; b", registries=[HUB]).steps if "login" in step]
    assert "--username 'a; b' mirror" in step


@pytest.mark.parametrize("name", ["dockerd", "buildkit"])
def test_with_a_private_ca_the_steps_say_that_builds_fetch_tokens_elsewhere(name: str) -> None:
    assert "update-ca-certificates" in "".join(setup_of(name).steps)
    assert "update-ca-certificates" not in "".join(setup_of(name, "").steps)


@pytest.mark.parametrize("name", RUNTIMES)
def test_no_other_host_is_configured_as_a_mirror(name: str) -> None:
    """The files name Docker Hub only as the registry itself, and no host that is not in the configuration."""
    text = "".join(file.content for file in setup_of(name, "", [HUB]).files)
    assert set(re.findall(r"https://[a-z0-9.-]+", text)) <= {"https://mirror.example.com", HUB.server}


def test_a_registry_is_named_by_the_url_of_its_upstream() -> None:
    assert mirrored_registries(samples.mirror(upstreams=samples.TWO_UPSTREAMS), {}) == [HUB, QUAY]


def test_a_registry_behind_a_proxy_can_be_renamed() -> None:
    proxied = [{"name": "hub", "url": "https://proxy.example.com:8443", "anonymousPull": ["library/*"]}]
    mirror = samples.mirror(upstreams=proxied)
    (by_url,) = mirrored_registries(mirror, {})
    assert (by_url.name, by_url.server) == ("proxy.example.com:8443", "https://proxy.example.com:8443")
    assert mirrored_registries(mirror, {"hub": "docker.io"}) == [HUB]
    assert mirrored_registries(mirror, {"hub": "ghcr.io"})[0].server == "https://ghcr.io"


def test_an_unknown_upstream_cannot_be_renamed() -> None:
    with pytest.raises(ConfigurationError, match="no upstream is named other") as caught:
        mirrored_registries(samples.mirror(), {"other": "docker.io"})
    assert caught.value.hint == "use one of: docker-hub"


def test_two_mirrors_of_one_registry_are_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"two upstreams mirror docker\.io"):
        mirrored_registries(samples.mirror(upstreams=samples.TWO_UPSTREAMS), {"quay": "docker.io"})


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_survives_as_a_toml_string(text: str) -> None:
    assert tomllib.loads(f"{toml_literal(text)} = {toml_literal([text])}") == {text: [text]}


def test_a_template_of_invalid_toml_is_reported() -> None:
    with pytest.raises(TemplateError, match="does not render to valid TOML"):
        render_toml("clients/kind.yaml.j2", {"directory": "/etc"})
