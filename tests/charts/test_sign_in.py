"""The page on which people sign in: what the front lets through, and what the public endpoint publishes."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from .front import configuration
from .helm import Helm
from .manifests import one, pod
from .nginx import await_listening, free_port, running_nginx
from .test_front import Front, run

PROVIDERS = ("github", "google", "gitlab", "oidc")


@pytest.fixture(params=PROVIDERS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def front(helm3: Helm, kind: str, tmp_path: Path) -> Iterator[Front]:
    with run(configuration(helm3, "auth", {"signIn": {"provider": kind}}), "auth", tmp_path) as running:
        yield running


@pytest.fixture
def github(helm3: Helm, tmp_path: Path) -> Iterator[Front]:
    with run(configuration(helm3, "auth", {"signIn": {"provider": "github"}}), "auth", tmp_path) as running:
        yield running


def test_only_the_page_of_the_provider_exists(front: Front, kind: str) -> None:
    found = {name: front.ask("GET", f"/{name}_auth").status for name in PROVIDERS}
    assert found == {name: 200 if name == kind else 404 for name in PROVIDERS}
    assert front.ask("GET", f"/{kind}_auth/").status == 404


def test_no_cache_and_no_other_site_gets_the_page(front: Front, kind: str) -> None:
    for status in (200, 400, 500):
        front.program.status = status
        headers = front.ask("GET", f"/{kind}_auth?code=x").headers
        assert headers["Cache-Control"] == "no-store"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["X-Frame-Options"] == "DENY"
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert ("default-src 'none'" in headers["Content-Security-Policy"]) is (kind != "google")


def test_only_google_gets_a_body_and_only_a_small_one(front: Front, kind: str) -> None:
    allowed = {"google": {"GET", "HEAD", "POST"}}.get(kind, {"GET", "HEAD"})
    for method in ("GET", "HEAD", "POST", "PUT", "DELETE"):
        assert (front.ask(method, f"/{kind}_auth").status == 200) is (method in allowed)
    front.program.asked.clear()
    headers = {"Content-Type": "application/json"}
    assert front.ask("POST", f"/{kind}_auth", headers, b"x" * 8000).status == (200 if kind == "google" else 413)
    sent = [(headers.get("content-type"), headers.get("content-length")) for _, _, headers in front.program.asked]
    assert sent == ([("application/json", "8000")] if kind == "google" else [])
    assert front.ask("POST", f"/{kind}_auth", headers, b"x" * 9000).status == 413


def test_a_flood_of_codes_is_refused_and_the_page_is_not(github: Front) -> None:
    """Each code makes docker_auth ask the provider. It also reads a name of a parameter that is encoded."""

    def sign_in(query: str) -> int:
        return github.ask("GET", f"/github_auth?{query}").status

    for name in ("c%6fde", "code"):
        with ThreadPoolExecutor(8) as pool:
            statuses = list(pool.map(sign_in, [f"{name}={number}" for number in range(150)]))
        assert 429 in set(statuses) <= {200, 429, 503}
        assert statuses.count(200) <= 70
    assert {github.ask("GET", "/github_auth").status for _ in range(60)} == {200}
    assert {github.ask("GET", "/").status for _ in range(60)} == {200}


def test_one_client_does_not_use_up_the_sign_ins_of_all(helm3: Helm, tmp_path: Path) -> None:
    values = {"signIn": {"provider": "github"}, "front": {"trustedProxies": ["127.0.0.0/8"]}}

    def sign_in(address: str) -> int:
        return behind.ask("GET", "/github_auth?code=x", {"X-Forwarded-For": address}).status

    with run(configuration(helm3, "auth", values), "auth", tmp_path) as behind:
        hostile = [sign_in("192.0.2.1") for _ in range(40)]
        assert hostile[-1] == 429
        assert sign_in("192.0.2.2") == 200


def test_the_reason_why_a_login_cannot_be_checked_is_not_passed_on(github: Front) -> None:
    """It has the provider's token: tests/contract/test_sign_in.py."""
    github.program.status, github.program.headers = 500, {"X-Canary": "canary"}
    answer = github.ask("GET", "/auth?service=x")
    assert (answer.status, answer.headers["X-Canary"]) == (500, None)
    github.program.status, github.program.headers = 401, {"WWW-Authenticate": "Basic"}
    assert github.ask("GET", "/auth?service=x").headers["WWW-Authenticate"] == "Basic"


def test_the_kubelet_is_not_sent_to_the_page(github: Front) -> None:
    github.program.status, github.program.headers = 301, {"Location": "/github_auth"}
    answer = github.ask("GET", "/")
    assert (answer.status, answer.headers["Location"]) == (200, None)
    github.program.status, github.program.headers = 500, {}
    assert github.ask("GET", "/").status == 500


def test_a_code_is_never_logged(helm3: Helm, tmp_path: Path) -> None:
    """Not even if docker_auth does not answer, which nginx logs with the whole URL."""
    log = tmp_path / "error.log"
    text = configuration(helm3, "auth", {"signIn": {"provider": "github"}})
    text = text.replace("127.0.0.1:5001", f"127.0.0.1:{free_port()}").replace("error_log stderr", f"error_log {log}")
    with run(text, "auth", tmp_path) as dead:
        assert dead.ask("GET", "/github_auth?code=canary-code").status == 502
        assert dead.ask("GET", "/auth?service=canary-service").status == 502
    assert "canary-service" in log.read_text()
    assert "canary-code" not in log.read_text()


def test_docker_auth_gets_the_client_secret_as_a_file(helm: Helm) -> None:
    values = {"signIn": {"provider": "oidc"}, "caBundle": {"secretName": "ca"}, "proxy": {"secretName": "way"}}
    container = next(each for each in pod(helm, "auth", values)["spec"]["containers"] if each["name"] == "auth")
    mounts = {mount["mountPath"]: mount for mount in container["volumeMounts"]}
    assert mounts["/config/client-secret"] | {"readOnly": True} == {
        "name": "config",
        "mountPath": "/config/client-secret",
        "subPath": "client-secret",
        "readOnly": True,
    }
    variables = {each["name"]: each for each in container["env"]}
    assert variables["HTTPS_PROXY"]["valueFrom"] == {"secretKeyRef": {"name": "way", "key": "proxy-url"}}
    assert variables["SSL_CERT_DIR"]["value"] == "/etc/ssl/certs:/etc/regmirror/ca"
    assert "/etc/regmirror/ca" in mounts


def test_tokens_of_the_provider_are_not_logged(helm: Helm) -> None:
    refused = helm.template("auth", {"signIn": {"provider": "github"}, "logLevel": 2})
    assert refused.returncode != 0
    assert "logs the provider's tokens at level 2" in refused.stderr


PAGE = {"host": "mirror.example.com", "path": "/github_auth"}
HOSTS = [
    {"host": "mirror.example.com", "registryService": "hub", "tlsSecretName": "a"},
    {"host": "quay.example.com", "registryService": "quay", "tlsSecretName": "b"},
]


def test_the_ingress_publishes_the_page_at_one_host(helm: Helm) -> None:
    found = _paths_of_ingress(helm.render("ingress", {"hosts": HOSTS, "signIn": PAGE}))
    assert found == {
        "mirror.example.com": [("/auth", "Exact"), ("/github_auth", "Exact"), ("/v2", "Prefix")],
        "quay.example.com": [("/auth", "Exact"), ("/v2", "Prefix")],
    }
    assert "github_auth" not in str(helm.render("ingress", {"hosts": HOSTS}))
    # With an existing token server, there is no page either.
    assert "github_auth" not in str(helm.render("ingress", {"hosts": HOSTS, "signIn": PAGE, "authService": ""}))


def _paths_of_ingress(manifests: list[dict[str, Any]]) -> dict[str, list[tuple[str, str]]]:
    rules = [each["spec"]["rules"][0] for each in manifests]
    return {rule["host"]: [(path["path"], path["pathType"]) for path in rule["http"]["paths"]] for rule in rules}


def test_the_route_publishes_the_page_at_one_host(helm: Helm) -> None:
    values = {"kind": "HTTPRoute", "parentRefs": [{"name": "public"}], "hosts": HOSTS, "signIn": PAGE}
    found = {
        each["spec"]["hostnames"][0]: [match["path"] for match in each["spec"]["rules"][0]["matches"]]
        for each in helm.render("ingress", values)
    }
    exact = {name: {"type": "Exact", "value": name} for name in ("/auth", "/github_auth")}
    assert found == {
        "mirror.example.com": [exact["/auth"], exact["/github_auth"]],
        "quay.example.com": [exact["/auth"]],
    }


def test_the_endpoint_publishes_the_page_at_one_host(helm: Helm) -> None:
    text = configuration(helm, "endpoint", {"hosts": HOSTS, "signIn": PAGE})
    location = text.partition("location = /github_auth {")[2].partition("location")[0]
    assert 'if ($host != "mirror.example.com") {' in location
    assert "error_log /dev/null emerg;" in location
    assert "_auth {" not in configuration(helm, "endpoint", {"hosts": HOSTS}).replace("location = /auth {", "")


def test_the_database_of_logins_has_a_volume_and_serves_docker_auth_only(helm: Helm) -> None:
    values = {"client": "auth", "data": {"enabled": True, "storageClassName": "fast", "size": "1Gi"}}
    manifests = helm.render("redis", {**values, "networkPolicy": {"enabled": True}})
    claim = one(manifests, "PersistentVolumeClaim")
    assert claim["spec"]["storageClassName"] == "fast"
    # It has tokens of people: it is removed with the mirror.
    assert "annotations" not in claim["metadata"]
    volumes = one(manifests, "Deployment")["spec"]["template"]["spec"]["volumes"]
    assert {"name": "data", "persistentVolumeClaim": {"claimName": "mirror"}} in volumes
    ((peer,),) = (rule["from"] for rule in one(manifests, "NetworkPolicy")["spec"]["ingress"])
    assert peer["podSelector"]["matchLabels"].items() <= pod(helm, "auth")["metadata"]["labels"].items()


def test_nginx_accepts_the_endpoint_of_every_provider(helm3: Helm, kind: str, tmp_path: Path) -> None:
    values = {"hosts": HOSTS, "signIn": {"host": "mirror.example.com", "path": f"/{kind}_auth"}}
    text = configuration(helm3, "endpoint", values).replace("/run/metrics", str(tmp_path))
    text = text.replace("/var/cache/nginx", str(tmp_path))
    port = free_port()
    (tmp_path / "nginx.conf").write_text(text)
    (tmp_path / "listen.conf").write_text(f"listen 127.0.0.1:{port};")
    upstreams = [f"upstream {name} {{ server 127.0.0.1:1; }}" for name in ("auth", "hub", "quay")]
    (tmp_path / "upstreams.conf").write_text("\n".join(upstreams))
    with running_nginx(tmp_path / "nginx.conf") as process:
        await_listening(port, process)
        # Only docker_auth, which does not run here, is behind the page.
        assert _status(port, "mirror.example.com", f"/{kind}_auth") == 502
        assert _status(port, "quay.example.com", f"/{kind}_auth") == 404


def _status(port: int, host: str, path: str) -> int:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
        connection.request("GET", path, headers={"Host": host})
        return connection.getresponse().status
