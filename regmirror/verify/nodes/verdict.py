"""Decides from the evidence whether a node pulls through the mirror, and if not, why: a pure table of reasons."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from regmirror.verify.nodes.probe import Target
from regmirror.verify.nodes.sightings import Sighting

_UNTRUSTED = re.compile(r"x509:|certificate|tls: ", re.IGNORECASE)
_UNREACHABLE = re.compile(
    r"no such host|server misbehaving|connection refused|no route|unreachable|timeout|timed out|deadline exceeded"
    r"|connection reset|\bEOF\b|lookup ",
    re.IGNORECASE,
)
_NOT_FOUND = re.compile(r"not found|manifest unknown|\b404\b", re.IGNORECASE)


class Reason(StrEnum):
    """Why a node does or does not use the mirror; the ids are documented and do not change."""

    USED = "used"
    REFUSED = "refused"
    LOGIN_REJECTED = "login-rejected"
    NO_TOKEN = "no-token"  # noqa: S105 - a reason
    CA = "ca"
    UNREACHABLE = "unreachable"
    MIRROR_ERROR = "mirror-error"
    FILES_NOT_READ = "files-not-read"
    NOT_LISTED = "not-listed"
    NOT_PROBED = "not-probed"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One image: the runtime's error, empty while it has not answered, and the requests that reached the mirror."""

    error: str = ""
    sightings: tuple[Sighting, ...] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that is known about one node and one registry."""

    target: Target
    tag: Attempt = Attempt()
    repository: Attempt = Attempt()
    own_name: Attempt = Attempt()
    pull_secrets: tuple[str, ...] = ()
    """Those of the pod, which it got from its ServiceAccount."""

    @property
    def is_pull(self) -> bool:
        """Whether the node pulled through the mirror."""
        return any(one.is_pull for one in self.tag.sightings)

    @property
    def is_refused(self) -> bool:
        """Whether the mirror refused the repository."""
        return not self.is_pull and any(one.is_refused for one in self.tag.sightings)

    @property
    def is_decided(self) -> bool:
        """Whether further answers of the runtime would not change the verdict."""
        return self.is_pull or self.is_refused

    @property
    def errors_at_mirror(self) -> str:
        """The errors of the runtime that name the mirror, although the images do not."""
        return "\n".join(one.error for one in (self.tag, self.repository) if self._names_mirror(one.error))

    def _names_mirror(self, error: str) -> bool:
        return re.search(rf"(?<![\w.-]){re.escape(self.target.mirror)}(?![\w.-])", error) is not None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The reason, and what was seen in one sentence."""

    reason: Reason
    message: str

    @property
    def bypasses(self) -> bool:
        """Whether images of this registry reach the node without the mirror."""
        return self.reason not in {Reason.USED, Reason.NOT_PROBED}


def judge(evidence: Evidence) -> Verdict:
    """The first reason of the table that the evidence shows."""
    for reason, applies, message in _TABLE:
        if applies(evidence):
            return Verdict(reason, message(evidence))
    raise AssertionError("the last line of the table always applies")


def _asked_without_token(evidence: Evidence) -> bool:
    return bool(evidence.tag.sightings)


def _rejected(evidence: Evidence) -> bool:
    """Whether the node sent credentials to the mirror, for which it got no token.

    By the mirror's own name a pull secret of the registry is not sent: if that got a token, it is the credentials.
    """
    if evidence.errors_at_mirror:
        return re.search(r"/auth\b.*\b40[13]\b", evidence.errors_at_mirror, re.DOTALL) is not None
    other_way = any(one.credentials == "token" for one in evidence.own_name.sightings)
    return _asked_without_token(evidence) and (other_way or bool(evidence.pull_secrets))


def _matches(pattern: re.Pattern[str]) -> Callable[[Evidence], bool]:
    return lambda evidence: pattern.search(evidence.errors_at_mirror) is not None


def _not_read(evidence: Evidence) -> bool:
    return not evidence.own_name.sightings and _UNTRUSTED.search(evidence.own_name.error) is not None


def _login_message(evidence: Evidence) -> str:
    source = f"pull secret {' and '.join(evidence.pull_secrets)}" if evidence.pull_secrets else "the node's credentials"
    return f"the mirror rejects a login for {evidence.target.registry} that the runtime sends it ({source})"


def _not_read_message(evidence: Evidence) -> str:
    found = "the runtime does not ask the mirror, and does not trust its certificate: its files are missing, or in a "
    found += "directory that it does not read"
    # A registry that answers 404 hides an error at the mirror.
    hidden = _NOT_FOUND.search(evidence.repository.error) is not None
    return found + (", or have another CA" if hidden else "")


def _not_listed_message(evidence: Evidence) -> str:
    target = evidence.target
    reached = "reaches the mirror by its own name, but " if evidence.own_name.sightings else ""
    return f"the runtime {reached}does not ask it for {target.registry}: no file that it reads names {target.mirror}"


def _quoted(evidence: Evidence) -> str:
    return shortened(evidence.errors_at_mirror.splitlines()[0])


def _used_message(evidence: Evidence) -> str:
    found = [one for one in evidence.tag.sightings if one.is_pull]
    failed = [one.status for one in found if one.status >= 500 or one.status == 429]
    client = f" ({found[0].client})" if found[0].client else ""
    return f"uses the mirror{client}" + (f", which answered {failed[-1]}" if len(failed) == len(found) else "")


def _first_error(evidence: Evidence) -> str:
    return f": {shortened(evidence.tag.error)}" if evidence.tag.error else ""


_Line = tuple[Reason, Callable[[Evidence], bool], Callable[[Evidence], str]]
_TABLE: Sequence[_Line] = (
    (Reason.USED, lambda found: found.is_pull, _used_message),
    (
        Reason.REFUSED,
        lambda found: found.is_refused,
        lambda found: f"the mirror refuses {found.target.repository} to this node, which then asks the registry itself",
    ),
    (Reason.LOGIN_REJECTED, _rejected, _login_message),
    (Reason.CA, _matches(_UNTRUSTED), lambda found: f"the runtime does not trust the mirror: {_quoted(found)}"),
    (Reason.UNREACHABLE, _matches(_UNREACHABLE), lambda found: f"the node cannot reach the mirror: {_quoted(found)}"),
    (
        Reason.NO_TOKEN,
        _asked_without_token,
        lambda found: f"the runtime asked the mirror, but got no token from it{_first_error(found)}",
    ),
    (
        Reason.MIRROR_ERROR,
        lambda found: bool(found.errors_at_mirror),
        lambda found: f"the pull through the mirror failed: {_quoted(found)}",
    ),
    (Reason.FILES_NOT_READ, _not_read, _not_read_message),
    (Reason.NOT_LISTED, lambda _: True, _not_listed_message),
)


def shortened(error: str) -> str:
    """The end of a runtime's error, which has the cause; the beginning only repeats the image."""
    text = " ".join(error.split())
    cause = re.split(r"failed to do request: |failed to resolve reference \S+ ", text)[-1]
    return cause if len(cause) <= 300 else f"{cause[:297]}..."
