"""Signing in at a provider, with the configuration that regmirror writes and the real docker_auth."""

from __future__ import annotations

import base64
import json
import re
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import jwt
import pytest

from regmirror.desired.access_rules import access_rules
from regmirror.desired.auth_config import auth_config
from regmirror.desired.sign_in_config import sign_in_config
from regmirror.support.redact import Redactor
from regmirror.verify.sign_in import CLIENT_REFUSED, CODE_REFUSED, UNKNOWN_CODE
from tests import samples
from tests.charts.front import configuration
from tests.charts.helm import find_helm
from tests.charts.nginx import await_listening, running_nginx

from .browser import Browser, browsing
from .login_database import PASSWORD, LoginDatabase, login_database
from .programs import Answer, Program, Server, free_port, running
from .sign_in_provider import CLIENT_ID, Person, Provider, serving
from .signing_keys import KeyPair

CLIENT_SECRET = "client-secret-canary"
RULES = [
    {"deny": ["private/denied"], "groups": ["platform"]},
    {"allow": ["private/**"], "users": ["*"]},
    {"allow": ["team/**"], "groups": ["platform"]},
    {"allow": ["own/**"], "signedIn": ["alice", "alice@example.com"]},
]
_LOGIN = re.compile(r"docker login -u (\S+) -p (\S+) (\S+)</pre>")


@pytest.fixture
def provider(key_pair: KeyPair) -> Iterator[Provider]:
    alice = Person("alice", ["acme"], ["platform"], ["platform"])
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(key_pair.certificate, key_pair.key)
    with serving(Provider({"alice": alice, "mallory": Person("mallory")}, CLIENT_SECRET), tls) as found:
        yield found


@pytest.fixture
def database(tmp_path: Path) -> Iterator[LoginDatabase]:
    found = login_database(tmp_path)
    found.start()
    yield found
    found.kill()


def sections(provider: Provider) -> dict[str, dict[str, Any]]:
    """By kind of provider: its section of the configuration file."""
    client = {"clientId": CLIENT_ID, "clientSecret": {"env": "CLIENT_SECRET"}}
    return {
        "github": {**client, "url": provider.url, "organization": "acme"},
        "gitlab": {**client, "url": provider.url},
        "oidc": {**client, "issuer": provider.url},
    }


Start = Callable[..., Server]


@pytest.fixture
def start(
    docker_auth: Program, key_pair: KeyPair, database: LoginDatabase, provider: Provider, tmp_path: Path
) -> Iterator[Start]:
    """A function that starts docker_auth with a kind of provider, as regmirror configures it."""
    (tmp_path / "client-secret").write_text(f"{CLIENT_SECRET}\n")
    with ExitStack() as stack:

        def started(kind: str, revalidate_after: str = "", **changes: Any) -> Server:
            section = {kind: sections(provider)[kind] | changes}
            hub = {"name": "hub", "anonymousPull": ["library/*"], "rules": RULES}
            mirror = samples.mirror(access={"signIn": section}, upstreams=[hub])
            ((name, settings),) = sign_in_config(mirror, PASSWORD).items()
            settings["client_secret_file"] = str(tmp_path / "client-secret")
            settings["redis_token_db"]["redis_options"]["addr"] = database.address
            if revalidate_after:
                # Less than the file allows.
                settings["revalidate_after"] = revalidate_after
            config = auth_config(mirror) | {name: settings, "acl": access_rules(mirror)}
            config["token"] |= {"certificate": str(key_pair.certificate), "key": str(key_pair.key)}
            del config["server"]
            stack.enter_context(_trusting(key_pair))
            number = len(list(tmp_path.glob("auth_config*")))
            return stack.enter_context(running(docker_auth, config, tmp_path / f"auth_config{number}.yml"))

        yield started


@contextmanager
def _trusting(pair: KeyPair) -> Iterator[None]:
    """Programs that are started in this block trust the stand-in, as with caBundle."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(pair.certificate))
        yield


def signed_in(server: Server, provider: Provider, kind: str, name: str) -> Answer:
    return server.ask(f"/{kind}_auth?{urlencode({'code': provider.code_for(name)})}")


def login(answer: Answer) -> tuple[str, str]:
    """The name and password that the page shows."""
    found = _LOGIN.search(answer.body.decode())
    assert found, answer.body
    assert found[3] == samples.HOST
    return found[1], found[2]


def pull(server: Server, account: tuple[str, str], repository: str) -> tuple[int, list[str]]:
    """The status of a request for a token, and the actions that it grants."""
    encoded = base64.b64encode(":".join(account).encode()).decode()
    target = f"/auth?service={samples.HOST}&scope=repository:{quote(repository)}:pull"
    answer = server.ask(target, headers={"Authorization": f"Basic {encoded}"})
    if answer.status != 200:
        return answer.status, []
    token = json.loads(answer.body)["token"]
    return 200, jwt.decode(token, options={"verify_signature": False})["access"][0]["actions"]


@pytest.mark.parametrize("kind", ["github", "gitlab", "oidc"])
def test_the_page_leads_to_the_provider(kind: str, start: Start, provider: Provider) -> None:
    answer = start(kind).ask(f"/{kind}_auth")
    (link,) = re.findall(r'href="(\S+authorize\?[^"]+)"', answer.body.decode())
    assert link.startswith(f"{provider.url}/")
    assert f"client_id={CLIENT_ID}" in link


@pytest.mark.parametrize("kind", ["github", "gitlab", "oidc"])
def test_a_login_can_pull_what_the_rules_allow(kind: str, start: Start, provider: Provider) -> None:
    server = start(kind)
    account = login(signed_in(server, provider, kind, "alice"))
    assert account[0] == ("alice@example.com" if kind == "oidc" else "alice")
    assert pull(server, account, "private/a") == (200, ["pull"])
    assert pull(server, account, "own/a") == (200, ["pull"])
    # GitLab has no groups.
    assert pull(server, account, "team/a") == (200, [] if kind == "gitlab" else ["pull"])
    assert pull(server, account, "other/a") == (200, [])
    assert pull(server, (account[0], "wrong"), "library/a") == (401, [])


@pytest.mark.parametrize("kind", ["github", "oidc"])
def test_a_rule_that_denies_a_group_does_not_bind_people(kind: str, start: Start, provider: Provider) -> None:
    """What the warning about such rules says: the scopes are in a link that everybody can change."""
    server = start(kind)
    assert pull(server, login(signed_in(server, provider, kind, "alice")), "private/denied") == (200, [])
    provider.people["alice"].gives_groups = False
    assert pull(server, login(signed_in(server, provider, kind, "alice")), "private/denied") == (200, ["pull"])


@pytest.mark.parametrize("kind", ["github", "gitlab", "oidc"])
def test_every_pod_knows_the_login_of_another(kind: str, start: Start, provider: Provider) -> None:
    first, second = start(kind), start(kind)
    account = login(signed_in(first, provider, kind, "alice"))
    assert pull(second, account, "private/a") == (200, ["pull"])


def test_nobody_outside_of_the_organization_gets_a_login(start: Start, provider: Provider) -> None:
    server = start("github")
    answer = signed_in(server, provider, "github", "mallory")
    assert (answer.status, answer.body) == (500, b"Newly-acquired token is invalid\n")


def test_a_support_bundle_has_no_token_of_somebody_outside(start: Start, provider: Provider) -> None:
    """docker_auth logs the token that it has got for somebody whom it does not let in."""
    server = start("github")
    signed_in(server, provider, "github", "mallory")
    server.log.await_text("Newly-acquired token is invalid")
    log = "".join(server.log._lines)
    tokens = [token for token, name in provider.tokens.items() if name == "mallory"]
    assert any(token in log for token in tokens)
    assert not any(token in Redactor([]).redact(log) for token in tokens)


@pytest.mark.parametrize("kind", ["github", "gitlab", "oidc"])
def test_an_unknown_code_shows_whether_the_provider_knows_the_client(
    kind: str, start: Start, provider: Provider
) -> None:
    """What the check token-sign-in of verify reads."""
    server = start(kind)
    target = f"/{kind}_auth?code={UNKNOWN_CODE}"
    assert any(error in server.ask(target).body for error in CODE_REFUSED)
    provider.client_secret = "another"
    assert any(error in server.ask(target).body for error in CLIENT_REFUSED)


def test_another_spelling_of_the_organization_loses_the_teams(start: Start, provider: Provider) -> None:
    provider.people["alice"].organizations = ["acme", "ACME"]
    server = start("github", organization="ACME")
    account = login(signed_in(server, provider, "github", "alice"))
    assert pull(server, account, "private/a") == (200, ["pull"])
    assert pull(server, account, "team/a") == (200, [])


def test_access_ends_with_the_membership(start: Start, provider: Provider) -> None:
    server = start("github", revalidate_after="10ms")
    account = login(signed_in(server, provider, "github", "alice"))
    provider.people["alice"].organizations.clear()
    _until(lambda: pull(server, account, "private/a") == (500, []))


def test_access_ends_with_the_account_at_gitlab(start: Start, provider: Provider) -> None:
    server = start("gitlab", revalidate_after="10ms")
    account = login(signed_in(server, provider, "gitlab", "alice"))
    provider.people["alice"].blocked = True
    _until(lambda: pull(server, account, "private/a") == (500, []))


@pytest.mark.parametrize("kind", ["github", "gitlab"])
def test_docker_auth_answers_with_the_token_of_the_provider_if_it_cannot_check_a_login(
    kind: str, start: Start, provider: Provider
) -> None:
    """A fact about docker_auth, because of which the front replaces the answer (charts/auth/files/nginx.conf)."""
    server = start(kind, revalidate_after="10ms")
    account = login(signed_in(server, provider, kind, "alice"))
    provider.is_down = True
    encoded = base64.b64encode(":".join(account).encode()).decode()
    headers = {"Authorization": f"Basic {encoded}"}
    _until(lambda: server.ask(f"/auth?service={samples.HOST}", headers=headers).status == 500)
    body = server.ask(f"/auth?service={samples.HOST}", headers=headers).body.decode()
    assert any(token in body for token in provider.tokens)


def test_a_refresh_token_keeps_a_login(start: Start, provider: Provider) -> None:
    # docker_auth ends a login 30 seconds before the access token ends.
    provider.access_seconds = 30
    server = start("oidc")
    account = login(signed_in(server, provider, "oidc", "alice"))
    assert pull(server, account, "private/a") == (200, ["pull"])
    assert "/userinfo" in provider.requests
    provider.people["alice"].blocked = True
    assert pull(server, account, "private/a") == (500, [])


def test_without_a_refresh_token_a_login_ends_with_the_access_token(start: Start, provider: Provider) -> None:
    provider.access_seconds, provider.gives_refresh_tokens = 30, False
    server = start("oidc")
    account = login(signed_in(server, provider, "oidc", "alice"))
    assert pull(server, account, "private/a") == (500, [])


@pytest.mark.parametrize("kind", ["github", "gitlab", "oidc"])
def test_clients_without_a_login_are_served_as_before(kind: str, start: Start) -> None:
    server = start(kind)
    answer = server.ask(f"/auth?service={samples.HOST}&scope=repository:library/a:pull")
    assert answer.status == 200


@pytest.mark.parametrize("kind", ["github", "gitlab", "oidc"])
def test_pages_of_other_providers_do_not_exist(kind: str, start: Start) -> None:
    server = start(kind)
    found = {name: server.ask(f"/{name}_auth").status for name in ("github", "google", "gitlab", "oidc")}
    assert found == {name: 200 if name == kind else 404 for name in found}


def test_the_password_of_the_database_is_not_logged(start: Start, provider: Provider) -> None:
    server = start("github")
    signed_in(server, provider, "github", "alice")
    server.log.await_text("New GitHub auth token")
    text = "".join(server.log._lines)
    assert PASSWORD not in text
    assert "token DB at Redis<127.0.0.1:" in text


def test_a_login_survives_the_end_of_the_database(provider: Provider, database: LoginDatabase, start: Start) -> None:
    """It is on the volume before docker_auth shows the password; without the database, only logins fail."""
    server = start("github")
    account = login(signed_in(server, provider, "github", "alice"))
    database.kill()
    assert pull(server, account, "private/a") == (500, [])
    assert server.ask(f"/auth?service={samples.HOST}&scope=repository:library/a:pull").status == 200
    database.start()
    _until(lambda: pull(server, account, "private/a") == (200, ["pull"]))


@pytest.fixture
def browse(provider: Provider, key_pair: KeyPair, tmp_path: Path) -> Iterator[Callable[[str, Server], Browser]]:
    """A function that opens the page as people reach it: by the name of the mirror, through the front."""
    helm = find_helm(3) or pytest.skip("Helm 3 not found: set LAB_HELM3 to its path")
    provider.callback = f"https://{samples.HOST}/github_auth"
    with ExitStack() as stack:

        def opened(kind: str, server: Server) -> Browser:
            port = free_port()
            text = configuration(helm, "auth", {"signIn": {"provider": kind}}).replace("/run/metrics", str(tmp_path))
            text = text.replace("127.0.0.1:5001", f"127.0.0.1:{server.port}").replace("/var/cache/nginx", str(tmp_path))
            tls = f"ssl_certificate {key_pair.certificate};\nssl_certificate_key {key_pair.key};\n"
            (tmp_path / "listen.conf").write_text(f"listen 127.0.0.1:{port} ssl;\n{tls}")
            (tmp_path / "nginx.conf").write_text(text)
            await_listening(port, stack.enter_context(running_nginx(tmp_path / "nginx.conf")))
            browser = stack.enter_context(browsing(tmp_path / "profile", f"MAP {samples.HOST}:443 127.0.0.1:{port}"))
            browser.open(f"https://{samples.HOST}/{kind}_auth")
            return browser

        yield opened


@pytest.mark.parametrize("kind", ["github", "gitlab", "oidc"])
def test_a_person_signs_in_with_a_browser_and_copies_the_login(
    kind: str, start: Start, browse: Callable[[str, Server], Browser], provider: Provider
) -> None:
    server = start(kind)
    browser = browse(kind, server)
    browser.click("a[href*=authorize]")
    assert browser.url.startswith(provider.url)
    browser.click("#alice")
    assert browser.url.startswith(f"https://{samples.HOST}/{kind}_auth?code=")
    words = browser.text("pre").removeprefix("$ ").split()
    assert words[:3] == ["docker", "login", "-u"]
    assert words[-1] == samples.HOST
    assert pull(server, (words[3], words[5]), "private/a") == (200, ["pull"])


def test_a_browser_shows_the_page_to_no_other_site(
    start: Start, browse: Callable[[str, Server], Browser], provider: Provider
) -> None:
    browser = browse("github", start("github"))
    assert "GitHub" in browser.text("body")
    frame = urlencode({"src": f"https://{samples.HOST}/github_auth"})
    assert "GitHub" not in browser.frame_text(f"{provider.url}/frame?{frame}")
    # The other site can show what may be shown.
    frame = urlencode({"src": f"{provider.url}/login/oauth/authorize"})
    assert "Continue as alice" in browser.frame_text(f"{provider.url}/frame?{frame}")


def _until(condition: Callable[[], bool]) -> None:
    for _ in range(200):
        if condition():
            return
    pytest.fail("the condition was never true")
