"""The accounts of ``regmirror user``: an entry of a Secret for each, and what docker_auth reads of them.

Source of the keys: docker_auth 1.14.0, ``examples/reference.yml`` and ``auth_server/authn/static_auth.go``.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import SecretStr

from regmirror.config.access import account_name, plain_text
from regmirror.desired import names
from regmirror.desired.access_rules import GROUPS_LABEL, USER_LABEL
from regmirror.errors import DamagedAccountError

MOST_COST: Final = 12
"""Of bcrypt: each step more doubles the time that a login takes docker_auth."""
NO_ACCOUNTS_IN_CHART: Final = (
    "this chart writes docker_auth's configuration to a ConfigMap, where everyone who can read ConfigMaps could read "
    "the hashes of passwords"
)
"""Why a mirror with ``auth.chart`` cannot have accounts."""
_BCRYPT = re.compile(r"\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}")
_KEYS = {"password", "groups", "changed"}


@dataclass(frozen=True, slots=True)
class UserAccount:
    """One account."""

    name: str
    password_hash: SecretStr
    """By bcrypt."""
    groups: tuple[str, ...] = ()
    changed: str = ""
    """When it was last changed (RFC 3339, UTC); empty if that was not done by ``regmirror user``."""

    def entry(self) -> bytes:
        """The value of its key in the Secret."""
        content = {"password": self.password_hash.get_secret_value(), "groups": list(self.groups)}
        return json.dumps(content | ({"changed": self.changed} if self.changed else {}), ensure_ascii=False).encode()


class AccountEntryError(ValueError):
    """An entry is not an account; the text says why, without its content."""


def parse_account(name: str, entry: bytes) -> UserAccount:
    """The account of one entry; raises AccountEntryError.

    An entry without a password is refused: docker_auth would accept every password for it.
    """
    try:
        account_name(name)
        content = json.loads(entry)
    except ValueError:
        # Chained to nothing: the parser's error has the document.
        raise AccountEntryError("its name is not valid, or its value is not JSON") from None
    if not isinstance(content, dict) or not content.keys() <= _KEYS:
        raise AccountEntryError(f"its value is not an object with only the keys {', '.join(sorted(_KEYS))}")
    return UserAccount(name, _hash(content.get("password")), _groups(content.get("groups", [])), _changed(content))


def _hash(value: object) -> SecretStr:
    if not value:
        raise AccountEntryError("it has no password")
    found = _BCRYPT.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise AccountEntryError("its password is not a bcrypt hash")
    if int(found[1]) > MOST_COST:
        raise AccountEntryError(f"the cost of its bcrypt hash is more than {MOST_COST}")
    return SecretStr(found[0])


def _groups(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise AccountEntryError("its groups are not a list")
    try:
        return tuple(plain_text(group) for group in value)
    except ValueError:
        raise AccountEntryError("the name of a group is not valid") from None


def _changed(content: Mapping[str, Any]) -> str:
    value = content.get("changed", "")
    return value if isinstance(value, str) and re.fullmatch(r"[0-9TZ:-]{20}", value) else ""


def parse_accounts(entries: Mapping[str, bytes]) -> tuple[UserAccount, ...]:
    """The accounts of these entries, by name; raises DamagedAccountError, which names every damaged entry."""
    accounts, problems = [], {}
    for name in sorted(entries):
        try:
            accounts.append(parse_account(name, entries[name]))
        except AccountEntryError as error:
            problems[name] = str(error)
    if problems:
        listed = "; ".join(f"{name}: {problem}" for name, problem in problems.items())
        raise DamagedAccountError(
            f"the Secret {names.USERS_SECRET} has entries that are not accounts of regmirror user: {listed}",
            hint=f"remove them, then add the accounts again: regmirror user remove {' '.join(problems)}",
        )
    return tuple(accounts)


def docker_auth_users(accounts: Iterable[UserAccount]) -> dict[str, Any]:
    """The users of docker_auth's configuration; the one with the empty name is for clients without credentials."""
    users: dict[str, Any] = {"": {}}
    for account in sorted(accounts, key=lambda account: account.name):
        users[account.name] = {
            "password": account.password_hash.get_secret_value(),
            "labels": {USER_LABEL: [account.name], GROUPS_LABEL: list(account.groups)},
        }
    return users
