"""A kubeconfig means the same for regmirror as for kubectl and Helm, or is refused."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from regmirror.adapters.kubeconfig import load_kubeconfig
from regmirror.errors import KubeconfigError

PROGRAM = """
import json, sys
from regmirror.adapters.kubeconfig import load_kubeconfig
from regmirror.errors import KubeconfigError
try:
    configuration, context = load_kubeconfig(None, sys.argv[1] if sys.argv[1:] else None)
    print(json.dumps([context, configuration.host, configuration.proxy, configuration.no_proxy]))
except KubeconfigError as error:
    print(json.dumps([error.message]))
"""


def write(path: Path, name: str, current: str | None, cluster: dict[str, Any] | None = None, **user: Any) -> Path:
    """A kubeconfig with one context; cluster, context and user have the same name."""
    server = {"server": f"https://{path.stem}.example.com"}
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "clusters": [{"name": name, "cluster": server | (cluster or {})}],
        "users": [{"name": name, "user": {"token": f"token-{path.stem}"} | user}],
    }
    path.write_text(yaml.safe_dump(content | ({} if current is None else {"current-context": current})))
    return path


def loaded(*files: Path, context: str = "", **environment: str) -> list[Any]:
    """What a process with these files in KUBECONFIG makes of them."""
    variables = os.environ | {"KUBECONFIG": os.pathsep.join(map(str, files))} | environment
    command = [sys.executable, "-c", PROGRAM, *([context] if context else [])]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=True)
    result: list[Any] = json.loads(done.stdout)
    return result


@pytest.mark.parametrize("second", ["two", "", None])
def test_the_first_file_with_a_current_context_decides(second: str | None, tmp_path: Path) -> None:
    one, two = write(tmp_path / "one", "one", "one"), write(tmp_path / "two", "two", second)
    assert loaded(one, two)[:2] == ["one", "https://one.example.com"]
    assert loaded(one, two, context="two")[:2] == ["two", "https://two.example.com"]


@pytest.mark.parametrize("first", ["", None])
def test_a_later_file_decides_if_the_first_has_no_current_context(first: str | None, tmp_path: Path) -> None:
    one, two = write(tmp_path / "one", "one", first), write(tmp_path / "two", "two", "two")
    assert loaded(tmp_path / "absent", one, two)[:2] == ["two", "https://two.example.com"]


def test_the_first_file_with_an_entry_decides(tmp_path: Path) -> None:
    one, two = write(tmp_path / "one", "same", "same"), write(tmp_path / "two", "same", "same")
    assert loaded(one, two)[:2] == ["same", "https://one.example.com"]
    assert loaded(two, one)[:2] == ["same", "https://two.example.com"]


def test_a_context_that_is_missing_is_named_with_those_of_all_files(tmp_path: Path) -> None:
    one, two = write(tmp_path / "one", "one", None), write(tmp_path / "two", "two", None)
    with pytest.raises(KubeconfigError) as caught:
        load_kubeconfig(one, "absent")
    assert caught.value.hint == "choose one with --context: one"
    assert loaded(one, two, context="absent") == ["the kubeconfig has no context absent"]
    assert loaded(one, two) == ["the kubeconfig has no current context"]


def test_the_option_names_one_file(tmp_path: Path) -> None:
    """As for Helm, which gets the same option."""
    one, two = write(tmp_path / "one", "one", "one"), write(tmp_path / "two", "two", "two")
    with pytest.raises(KubeconfigError, match="there is no kubeconfig file"):
        load_kubeconfig(Path(f"{one}{os.pathsep}{two}"), None)


def test_the_proxy_of_the_kubeconfig_is_used_whatever_no_proxy_says(tmp_path: Path) -> None:
    file = write(tmp_path / "one", "one", "one", {"proxy-url": "http://proxy.example.com:3128"})
    environment = {"NO_PROXY": "*", "no_proxy": "*", "HTTPS_PROXY": "http://other.example.com"}
    assert loaded(file, **environment)[2:] == ["http://proxy.example.com:3128", None]


def test_the_account_of_the_proxy_is_used(tmp_path: Path) -> None:
    file = write(tmp_path / "one", "one", "one", {"proxy-url": "http://me:p%40ss@proxy.example.com:3128"})
    configuration, _ = load_kubeconfig(file, None)
    assert configuration.proxy_headers == {"proxy-authorization": f"Basic {base64.b64encode(b'me:p@ss').decode()}"}


def test_the_name_of_the_server_s_certificate_is_used(tmp_path: Path) -> None:
    file = write(tmp_path / "one", "one", "one", {"tls-server-name": "other.example.com"})
    configuration, _ = load_kubeconfig(file, None)
    assert configuration.tls_server_name == "other.example.com"


@pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
def test_a_socks_proxy_is_refused(scheme: str, tmp_path: Path) -> None:
    file = write(tmp_path / "one", "one", "one", {"proxy-url": f"{scheme}://127.0.0.1:1080"})
    with pytest.raises(KubeconfigError, match=r"context one of the kubeconfig \S+ reaches the cluster through a SOCKS"):
        load_kubeconfig(file, None)


@pytest.mark.parametrize("user", [{"as": "system:admin"}, {"as-groups": ["system:masters"]}])
def test_impersonation_is_refused(user: dict[str, Any], tmp_path: Path) -> None:
    file = write(tmp_path / "one", "one", "one", **user)
    with pytest.raises(KubeconfigError, match="impersonates another user") as caught:
        load_kubeconfig(file, None)
    assert "token-one" not in caught.value.message


@pytest.mark.parametrize("text", ["[]", "a", "contexts: 5", "contexts: [{}]", "contexts: [a]", "clusters: {a: b}"])
def test_what_is_not_a_kubeconfig_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "one").write_text(text)
    with pytest.raises(KubeconfigError):
        load_kubeconfig(tmp_path / "one", None)
