"""What an operator should know of the signing key: deploy keeps it, whatever the configuration says."""

from datetime import datetime

from regmirror.config.model import AuthComponent
from regmirror.signing.key_pair import WARN_BEFORE, KeyPair


def signing_key_warnings(auth: AuthComponent, pair: KeyPair, now: datetime) -> list[str]:
    """Sentences, one for each thing that only a rotation changes; ``now`` is in UTC."""
    certificate, bits = pair.certificate, pair.private_key.key_size
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    advice = []
    if ends <= now:
        advice.append(f"The signing certificate ended on {ends:%Y-%m-%d}: regmirror rotate-cert")
    elif ends - now < WARN_BEFORE:
        advice.append(f"The signing certificate ends in {(ends - now).days} days: regmirror rotate-cert --force")
    asked = {"keySize": (auth.key_size, bits), "certificateDays": (auth.certificate_days, (ends - begins).days)}
    for name, (wanted, found) in asked.items():
        if wanted != found:
            advice.append(
                f"auth.{name} is {wanted} in the file and {found} in the key in use, which deploy never replaces: "
                "regmirror rotate-cert --force"
            )
    return advice
