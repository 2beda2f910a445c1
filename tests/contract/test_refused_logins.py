"""A refused login, through the real nginx of docker_auth's pod: the reason that docker and Helm show."""

import json
import re
from dataclasses import replace
from pathlib import Path

from tests.charts.helm import Helm

from .case import DEMO, auth, basic
from .programs import Program
from .signing_keys import KeyPair
from .test_client_addresses import front, helm, mirror_with

__all__ = ["helm"]


def test_an_unknown_account_is_refused_with_a_reason(
    helm: Helm,
    program: Program,
    key_pair: KeyPair,
    tmp_path: Path,
) -> None:
    with front(mirror_with(trustedProxies=["127.0.0.0/8"]), helm, program, key_pair, tmp_path) as server:
        refused = server.ask(auth(DEMO), headers=basic("nobody", "wrong"))
        assert refused.status == 401
        assert json.loads(refused.body)["errors"][0]["message"] == "wrong user name or password"
        assert refused.headers["Content-Type"] == "application/json"
        # Of docker_auth itself: it asks for user name and password.
        (challenge,) = refused.headers.get_all("WWW-Authenticate", [])
        assert challenge.startswith("Basic realm=")
        assert server.ask(auth(DEMO)).status == 200


def test_docker_auth_reads_what_nginx_does_not_so_it_does_not_get_it(
    helm: Helm, program: Program, key_pair: KeyPair, tmp_path: Path
) -> None:
    """After a "#", docker_auth finds an account, compares its password, and refuses it; nginx sees no query there."""
    hidden = f"{auth(DEMO)}#&account=nobody"
    with front(mirror_with(trustedProxies=["127.0.0.0/8"]), helm, program, key_pair, tmp_path) as server:
        assert server.ask(hidden).status == 400
        without_front = replace(server, port=_port_of_docker_auth(tmp_path))
        address = {"X-Real-IP": "192.0.2.7"}
        assert [without_front.ask(target, headers=address).status for target in (auth(DEMO), hidden)] == [200, 401]


def _port_of_docker_auth(directory: Path) -> int:
    (found,) = re.findall(r"upstream auth \{\s+server 127\.0\.0\.1:(\d+);", (directory / "nginx.conf").read_text())
    return int(found)
