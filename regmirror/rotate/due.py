"""Whether a signing certificate is due for rotation."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509

from regmirror.config.durations import parse_duration


@dataclass(frozen=True, slots=True)
class Threshold:
    """When a certificate is due: if less than ``left`` remains, or if the share ``elapsed`` (0 to 1) has passed."""

    left: timedelta | None = None
    elapsed: float = 1.0

    def is_due(self, certificate: x509.Certificate, now: datetime) -> bool:
        """Whether the certificate is due; ``now`` is in UTC. An expired certificate always is."""
        return now >= self.due_at(certificate)

    def due_at(self, certificate: x509.Certificate) -> datetime:
        """When the certificate becomes due, in UTC."""
        begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        return ends - self.left if self.left is not None else begins + (ends - begins) * self.elapsed


def parse_threshold(text: str) -> Threshold:
    """Read ``30d`` or ``720h`` (what remains), or ``66%`` (what has elapsed, as smallstep's ``step`` counts it).

    Raises ValueError.
    """
    if percent := re.fullmatch(r"(\d{1,3})%", text):
        if int(percent[1]) > 100:
            raise ValueError(f'"{text}" is more than 100%')
        return Threshold(elapsed=int(percent[1]) / 100)
    return Threshold(left=parse_days(text))


def parse_days(text: str) -> timedelta:
    """Read ``30d``, or a duration as Go writes it; raises ValueError."""
    days = re.fullmatch(r"(\d{1,5})d", text)
    return timedelta(days=int(days[1])) if days else parse_duration(text)
