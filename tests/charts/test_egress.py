"""The registry trusts a CA bundle and uses a proxy; without them, its pod is as it always was."""

from __future__ import annotations

import subprocess
from pathlib import Path

from .helm import DIRECTORY, Helm
from .manifests import container, mounts, pod

CA = {"caBundle": {"secretName": "hub-config"}}
PROXY = {"proxy": {"secretName": "hub-config", "noProxy": ".svc,s3.example.com"}}


def test_the_certificates_are_in_a_directory_that_go_reads(helm: Helm) -> None:
    """Go reads the certificates of the image, too, because SSL_CERT_FILE is not set."""
    variables = {entry["name"]: entry.get("value") for entry in container(helm, "registry", CA)["env"]}
    assert variables["SSL_CERT_DIR"] == "/etc/ssl/certs:/etc/regmirror/ca"
    assert "SSL_CERT_FILE" not in variables
    volume = mounts(pod(helm, "registry", CA)["spec"])["/etc/regmirror/ca"]
    assert volume["secret"]["items"] == [{"key": "ca.crt", "path": "ca.crt"}]


def test_the_url_of_the_proxy_is_not_in_the_specification_of_the_pod(helm: Helm) -> None:
    variables = {entry["name"]: entry.get("value") for entry in container(helm, "registry", PROXY)["env"]}
    assert variables["NO_PROXY"] == ".svc,s3.example.com"
    assert not {"HTTPS_PROXY", "HTTP_PROXY"} & variables.keys()
    volume = mounts(pod(helm, "registry", PROXY)["spec"])["/etc/regmirror/proxy"]
    assert volume["secret"]["items"] == [{"key": "proxy-url", "path": "proxy-url"}]


def test_without_them_nothing_is_set(helm: Helm) -> None:
    only = container(helm, "registry")
    assert [entry["name"] for entry in only["env"]] == ["OTEL_TRACES_EXPORTER", "GOMEMLIMIT"]
    assert not {mount["name"] for mount in only["volumeMounts"]} & {"ca", "proxy", "account"}


def test_the_registry_gets_the_proxy_from_the_file(tmp_path: Path) -> None:
    """Upper-case names only: Go ignores the others for requests with TLS."""
    (tmp_path / "proxy-url").write_text("http://user:p%40ss@proxy:3128")
    script = (DIRECTORY / "registry/files/run-registry.sh").read_text().replace("/etc/regmirror/proxy", str(tmp_path))
    program = tmp_path / "registry"
    program.write_text('#!/bin/sh\nprintf "%s %s" "$HTTPS_PROXY" "$HTTP_PROXY"\n')
    program.chmod(0o755)
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    done = subprocess.run(["sh", "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "http://user:p%40ss@proxy:3128 http://user:p%40ss@proxy:3128"
