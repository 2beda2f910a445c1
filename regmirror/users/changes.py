"""The changes of ``regmirror user``, each as a function of the entries in the Secret."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from pydantic import SecretStr

from regmirror.desired.user_accounts import UserAccount, parse_accounts
from regmirror.errors import AccountError

Entries = dict[str, bytes]
Change = Callable[[Entries, datetime], Entries]
"""The entries after a change at a time in UTC; raises AccountError or DamagedAccountError."""
_TIME = "%Y-%m-%dT%H:%M:%SZ"


def add(name: str, password_hash: SecretStr, groups: Sequence[str]) -> Change:
    """Add an account."""

    def change(entries: Entries, now: datetime) -> Entries:
        if name in entries:
            raise AccountError(
                f'there is an account "{name}" already',
                hint=f"set another password: regmirror user passwd {name}; or apply an account that docker_auth does "
                "not have yet: regmirror deploy",
            )
        account = UserAccount(name, password_hash, tuple(dict.fromkeys(groups)), now.strftime(_TIME))
        return {**entries, name: account.entry()}

    return change


def set_password(name: str, password_hash: SecretStr) -> Change:
    """Give an account another password."""
    return _changed(name, lambda account: replace(account, password_hash=password_hash))


def set_groups(name: str, groups: Sequence[str]) -> Change:
    """Put an account into exactly these groups."""
    return _changed(name, lambda account: replace(account, groups=tuple(dict.fromkeys(groups))))


def remove(names: Sequence[str]) -> Change:
    """Remove accounts, and entries that are not accounts."""

    def change(entries: Entries, now: datetime) -> Entries:
        del now
        for name in names:
            _require(entries, name)
        return {name: entry for name, entry in entries.items() if name not in names}

    return change


def _changed(name: str, edit: Callable[[UserAccount], UserAccount]) -> Change:
    def change(entries: Entries, now: datetime) -> Entries:
        _require(entries, name)
        (account,) = parse_accounts({name: entries[name]})
        after = edit(account)
        if after == account:
            return entries
        return {**entries, name: replace(after, changed=now.strftime(_TIME)).entry()}

    return change


def _require(entries: Entries, name: str) -> None:
    if name not in entries:
        existing = f"existing accounts: {', '.join(sorted(entries))}" if entries else "the mirror has no accounts"
        raise AccountError(f'there is no account "{name}"; {existing}', hint=f"regmirror user add {name}")
