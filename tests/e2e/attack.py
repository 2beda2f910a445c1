"""An attack as data, and its measurement."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from tests.e2e.hostile_client import Answers, Victim
from tests.e2e.pod_resources import PodResources
from tests.e2e.pulls import SERVED, Figures

Move = Callable[[Victim], Awaitable[Answers]]


@dataclass(frozen=True)
class Attack:
    """An attack while other clients pull.

    ``move`` can be pickled, because it runs in its own process. The attacker gets only ``answers``. Other clients are
    always served, each within ``within`` seconds. At most ``upstream_requests`` reach the upstream. With ``new_layer``,
    the attacked layer is on its way from a slow upstream. ``quick`` attacks are tested in every run.
    """

    name: str
    move: Move
    answers: frozenset[str]
    within: float = 5.0
    upstream_requests: int | None = None
    new_layer: bool = False
    quick: bool = False


@dataclass(frozen=True)
class MeasuredAttack:
    """The measurement of an attack."""

    attack: Attack
    answers: Answers
    others: Figures
    resources: PodResources
    upstream_requests: int
    recovery_seconds: float

    def document(self) -> dict[str, Any]:
        """The measurement as a JSON object."""
        return {
            "attack": self.attack.name,
            "answers": dict(sorted(self.answers.items())),
            "others": self.others.document(),
            "memory": {name: [held, limit] for name, (held, limit) in sorted(self.resources.memory.items())},
            "logBytes": self.resources.log_bytes,
            "diskBytes": sum(used for used, _ in self.resources.volumes.values()),
            "upstreamRequests": self.upstream_requests,
            "recoverySeconds": round(self.recovery_seconds, 1),
        }

    def problems(self, log_bytes: int, slower: float) -> list[str]:
        """Everything that must not happen in this attack, on a machine that is ``slower`` times slower than idle."""
        attack, longest = self.attack, max(self.others.seconds)
        allowed = attack.upstream_requests
        found = {
            f"the attacker got {dict(self.answers)}": set(self.answers) <= attack.answers,
            f"other clients got {dict(self.others.answers)}": set(self.others.answers) == {SERVED},
            f"another client waited {longest:.1f} s": longest <= attack.within * slower,
            f"the pods wrote {self.resources.log_bytes} bytes of log": self.resources.log_bytes <= log_bytes,
            f"{self.upstream_requests} requests reached the upstream": allowed is None
            or self.upstream_requests <= allowed,
        }
        return [problem for problem, is_right in found.items() if not is_right] + self.resources.problems()
