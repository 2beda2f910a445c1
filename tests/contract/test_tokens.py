"""The parts of a token that the cases do not cover: signature, key ID, times and ID."""

import json
import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from .case import DEMO, auth, basic
from .configurations import ALICE, ISSUER, LIFETIME, SERVICE
from .conftest import Servers
from .programs import Program
from .signing_keys import KeyPair, fingerprint, thumbprint

CLOCK_TOLERANCE = 5


def token_from(servers: Servers, program: Program, configuration: str) -> str:
    answer = servers(program, configuration).ask(auth(DEMO), headers=basic(*ALICE))
    token: str = json.loads(answer.body)["token"]
    return token


def verified(token: str, key_pair: KeyPair) -> dict[str, Any]:
    """The claims of a token, after checking it as the registry does: signature, issuer, audience and times."""
    public = key_pair.public
    claims: dict[str, Any] = jwt.decode(token, public, algorithms=["RS256"], audience=SERVICE, issuer=ISSUER)
    return claims


@pytest.mark.parametrize(("configuration", "key_id"), [("mirror", thumbprint), ("closed", fingerprint)])
def test_the_header_names_the_key(
    configuration: str, key_id: Callable[[rsa.RSAPublicKey], str], program: Program, servers: Servers, key_pair: KeyPair
) -> None:
    assert isinstance(key_pair.public, rsa.RSAPublicKey)
    header = jwt.get_unverified_header(token_from(servers, program, configuration))
    assert header == {"typ": "JWT", "alg": "RS256", "kid": key_id(key_pair.public)}


def test_the_signature_is_by_the_configured_key(program: Program, servers: Servers, key_pair: KeyPair) -> None:
    token = token_from(servers, program, "mirror")
    assert verified(token, key_pair)["sub"] == ALICE[0]
    head, signature = token.rsplit(".", 1)
    tampered = f"{head}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}"
    with pytest.raises(jwt.InvalidSignatureError):
        verified(tampered, key_pair)


def test_the_times_are_those_of_the_configuration(program: Program, servers: Servers, key_pair: KeyPair) -> None:
    claims = verified(token_from(servers, program, "mirror"), key_pair)
    assert abs(claims["iat"] - time.time()) < CLOCK_TOLERANCE
    assert (claims["exp"] - claims["iat"], claims["iat"] - claims["nbf"]) == (LIFETIME, 10)


def test_no_claim_is_left_out_or_added(program: Program, servers: Servers, key_pair: KeyPair) -> None:
    claims = verified(token_from(servers, program, "mirror"), key_pair)
    assert set(claims) == {"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "access"}


def test_every_token_has_a_number_of_its_own(program: Program, servers: Servers, key_pair: KeyPair) -> None:
    numbers = {verified(token_from(servers, program, "mirror"), key_pair)["jti"] for _ in range(10)}
    assert len(numbers) == 10
    assert all(number.isdigit() for number in numbers)
