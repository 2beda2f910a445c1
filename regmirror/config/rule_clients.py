"""Whom a rule is about, one by one and in words."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from regmirror.config.access import EVERY_ACCOUNT, AccessRule


class ClientKind(Enum):
    """How a rule names clients; the values are the words for it."""

    EVERYONE = "everyone"
    EVERY_ACCOUNT = "everyone who logs in"
    USER = "user {}"
    GROUP = "group {}"
    SIGNED_IN = "{} (signed in)"


@dataclass(frozen=True, slots=True)
class RuleClients:
    """The clients that have one name of a rule; EVERYONE and EVERY_ACCOUNT have no name."""

    kind: ClientKind
    name: str = ""

    def __str__(self) -> str:
        return self.kind.value.format(self.name)


def rule_clients(rule: AccessRule) -> Iterator[RuleClients]:
    """Everyone, or the clients with each name of the rule."""
    if rule.is_for_everyone:
        yield RuleClients(ClientKind.EVERYONE)
    for user in rule.users:
        yield RuleClients(ClientKind.EVERY_ACCOUNT) if user == EVERY_ACCOUNT else RuleClients(ClientKind.USER, user)
    for group in rule.groups:
        yield RuleClients(ClientKind.GROUP, group)
    for name in rule.signed_in:
        yield RuleClients(ClientKind.SIGNED_IN, name)
