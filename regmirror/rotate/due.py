"""Whether a signing certificate is due to be replaced."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509

from regmirror.config.durations import parse_duration


@dataclass(frozen=True, slots=True)
class Threshold:
    """From when on a certificate is due: less than ``left`` of its validity is left, or ``passed`` of it is over."""

    left: timedelta | None = None
    passed: float = 1.0

    def is_due(self, certificate: x509.Certificate, now: datetime) -> bool:
        """Whether the certificate is due; ``now`` is in UTC. One that has ended always is."""
        return now >= self.due_at(certificate)

    def due_at(self, certificate: x509.Certificate) -> datetime:
        """When the certificate becomes due, in UTC."""
        begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        return ends - self.left if self.left is not None else begins + (ends - begins) * self.passed


def parse_threshold(text: str) -> Threshold:
    """Read ``30d`` or ``720h`` (what is left), or ``66%`` (what has passed, as smallstep's ``step`` counts it).

    Raises ValueError.
    """
    if percent := re.fullmatch(r"(\d{1,3})%", text):
        if int(percent[1]) > 100:
            raise ValueError(f'"{text}" is more than the whole validity')
        return Threshold(passed=int(percent[1]) / 100)
    return Threshold(left=parse_days(text))


def parse_days(text: str) -> timedelta:
    """Read ``30d``, or a duration as Go writes it; raises ValueError."""
    days = re.fullmatch(r"(\d{1,5})d", text)
    return timedelta(days=int(days[1])) if days else parse_duration(text)
