"""Every name of Docker Hub means its registry; a host that cannot be mirrored is refused with the URL to use."""

from __future__ import annotations

from typing import Any

import pytest

from regmirror.client_config.registries import mirrored_registries
from regmirror.config.model import DOCKER_HUB, Mirror
from regmirror.config.problem import InvalidFileError
from tests import samples


def mirror_of(url: str, **more: Any) -> Mirror:
    return samples.mirror(upstreams=[{"name": "hub", "url": url, "anonymousPull": ["library/*"], **more}])


@pytest.mark.parametrize(
    "url",
    [
        "https://docker.io",
        "https://index.docker.io",
        "https://hub.docker.com",
        "https://registry.hub.docker.com",
        "https://registry-1.docker.io:443",
        "https://Registry-1.Docker.IO/",
        "http://docker.io",
    ],
)
def test_every_name_of_docker_hub_is_its_registry(url: str) -> None:
    (upstream,) = mirror_of(url).upstreams
    assert (upstream.url, upstream.registry_name) == (DOCKER_HUB, "docker.io")


def test_bare_names_are_refused_under_every_name_of_docker_hub() -> None:
    with pytest.raises(InvalidFileError, match="matches no repository"):
        mirror_of("https://index.docker.io", anonymousPull=["nginx"])


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://quay.io:443", "quay.io"),
        ("http://registry.internal:80", "registry.internal"),
        ("https://quay.io:8443", "quay.io:8443"),
        ("http://registry.internal:443", "registry.internal:443"),
    ],
)
def test_the_default_port_is_left_out(url: str, host: str) -> None:
    assert mirror_of(url).upstreams[0].registry_name == host


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("https://www.docker.com", "www.docker.com is not a registry: write https://registry-1.docker.io"),
        ("https://github.com", "github.com is not a registry: write https://ghcr.io"),
        (
            "https://lscr.io",
            "the token service of lscr.io is ghcr.io, on another domain, which the registry refuses: "
            "write https://ghcr.io",
        ),
        ("https://cr.fluentbit.io", "write https://ghcr.io"),
        ("https://cr.l5d.io:443", "write https://ghcr.io"),
    ],
)
def test_a_host_that_cannot_be_mirrored_is_refused_with_the_one_to_use(url: str, message: str) -> None:
    with pytest.raises(InvalidFileError) as refused:
        mirror_of(url)
    assert message in str(refused.value)
    assert refused.value.problems[0].key_path == "upstreams[0].url"


def test_registry_1_is_not_changed_by_its_own_name() -> None:
    with pytest.raises(InvalidFileError, match="has no effect without an http:// URL"):
        mirror_of("http://docker.io", insecure=True)


@pytest.mark.parametrize("url", ["https://docker.io:8443", "https://registry-1.docker.io:5000"])
def test_a_port_that_docker_hub_does_not_have_is_not_ignored(url: str) -> None:
    with pytest.raises(InvalidFileError, match=r"Docker Hub has no port \d+: write https://registry-1.docker.io"):
        mirror_of(url)


@pytest.mark.parametrize("host", ["docker.io", "quay.io"])
def test_a_dot_at_the_end_is_refused_because_no_image_name_has_it(host: str) -> None:
    with pytest.raises(InvalidFileError, match=f'remove the dot at the end of the host: "https://{host}:8443"'):
        mirror_of(f"https://{host}.:8443")


@pytest.mark.parametrize("url", ["https://registry.hub.docker.com/v2/", "https://index.docker.io/v1/"])
def test_a_path_is_refused_with_the_url_to_write(url: str) -> None:
    host = url.removesuffix("/").rpartition("/")[0]
    with pytest.raises(InvalidFileError, match=f'write only scheme and host: "{host}"'):
        mirror_of(url)


def test_a_lone_star_on_docker_hub_is_refused_with_the_pattern_for_everything() -> None:
    with pytest.raises(InvalidFileError, match=r'every name on Docker Hub has a "/": write "\*\*"'):
        mirror_of("https://docker.io", anonymousPull=["*"])


@pytest.mark.parametrize("url", ["https://docker.io", "https://index.docker.io", "https://registry-1.docker.io:443"])
def test_clients_are_configured_for_docker_io_under_every_name_of_docker_hub(url: str) -> None:
    (registry,) = mirrored_registries(mirror_of(url), {})
    assert (registry.name, registry.server) == ("docker.io", DOCKER_HUB)
