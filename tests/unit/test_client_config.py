"""The files for container runtimes; each is read with a parser of its format, as the runtime does."""

from __future__ import annotations

import base64
import json
import re
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
from regmirror.client_config.setup import ClientSetup
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


def files(name: str, ca_pem: str = CA_PEM, registries: list[MirroredRegistry] | None = None) -> dict[str, Any]:
    """The parsed files of a runtime by path."""
    setup = RUNTIMES[name]([HUB, QUAY] if registries is None else registries, ca_pem)
    return {file.path: PARSERS[Path(file.path).suffix](file.content) for file in setup.files}


def certificates() -> list[x509.Certificate]:
    return [samples.key_pair().certificate]


def test_the_command_line_knows_every_runtime() -> None:
    assert [runtime.value for runtime in Runtime] == list(RUNTIMES)


@pytest.mark.parametrize("name", RUNTIMES)
@pytest.mark.parametrize("ca_pem", ["", CA_PEM])
def test_every_file_has_the_format_of_its_name_and_every_runtime_has_limitations(name: str, ca_pem: str) -> None:
    assert all(files(name, ca_pem).values())
    setup = RUNTIMES[name]([HUB, QUAY], ca_pem)
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
        assert parsed[f"{directory}/{registry.name}/hosts.toml"] == {
            "server": registry.server,
            "host": {
                f"https://{registry.host}": {
                    "capabilities": ["pull", "resolve"],
                    "dial_timeout": "5s",
                    "ca": "ca.crt",
                }
            },
        }
        assert parsed[f"{directory}/{registry.name}/ca.crt"] == certificates()
    without = files(name, "")
    assert "ca" not in without[f"{directory}/docker.io/hosts.toml"]["host"]["https://mirror.example.com"]
    assert f"{directory}/docker.io/ca.crt" not in without


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
    modes = {file.path: file.mode for file in RUNTIMES[name]([HUB], CA_PEM).files}
    assert modes == {path: 0o600, ca_file: 0o644}
    (without,) = files(name, "")[path]
    assert "configs" not in without


def test_talos_has_a_document_for_each_registry_and_the_older_form() -> None:
    parsed = files("talos")
    expected = [
        document
        for registry in (HUB, QUAY)
        for document in (
            {
                "apiVersion": "v1alpha1",
                "kind": "RegistryMirrorConfig",
                "name": registry.name,
                "endpoints": [{"url": f"https://{registry.host}"}],
            },
            {"apiVersion": "v1alpha1", "kind": "RegistryTLSConfig", "name": registry.host, "ca": CA_PEM},
        )
    ]
    assert parsed["talos.yaml"] == expected
    (older,) = parsed["talos-before-1.12.yaml"]
    registries = older["machine"]["registries"]
    assert registries["mirrors"]["quay.io"] == {"endpoints": ["https://quay.example.com"]}
    assert base64.b64decode(registries["config"]["mirror.example.com"]["tls"]["ca"]).decode() == CA_PEM


@pytest.mark.parametrize("name", RUNTIMES)
def test_no_other_host_is_configured_as_a_mirror(name: str) -> None:
    """The files name Docker Hub only as the registry itself, and no host that is not in the configuration."""
    setup: ClientSetup = RUNTIMES[name]([HUB], "")
    text = "".join(file.content for file in setup.files)
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
