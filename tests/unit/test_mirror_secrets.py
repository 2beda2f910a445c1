"""What others have written is shown without the secrets in it."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from regmirror.desired.mirror_secrets import Account
from tests import samples


def test_the_secrets_are_not_in_its_own_description() -> None:
    text = repr(samples.mirror_secrets())
    assert not [canary for canary in samples.CANARIES if canary in text]
    assert "PRIVATE KEY" not in text


@pytest.mark.parametrize("secret", ["canary-redis-password", "canary-s3-secret", "canary-hub-token"])
def test_a_secret_in_a_text_is_blotted_out(secret: str) -> None:
    assert samples.mirror_secrets().redact(f"dial with {secret}: refused {secret}") == "dial with ***: refused ***"


def test_a_secret_that_holds_another_is_blotted_out_whole() -> None:
    account = Account(SecretStr("id"), SecretStr("abc-longer"))
    mirror_secrets = samples.mirror_secrets(redis_password=SecretStr("abc"), s3=account)
    assert mirror_secrets.redact("abc-longer abc") == "*** ***"


def test_without_accounts_there_is_less_to_hide() -> None:
    mirror_secrets = samples.mirror_secrets(s3=None, upstreams={})
    assert mirror_secrets.redact("canary-redis-password, not canary-s3-secret") == "***, not canary-s3-secret"
