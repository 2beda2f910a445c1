"""Which rules are about which accounts of ``regmirror user``, and what of that is probably a mistake."""

from collections.abc import Iterable

from regmirror.config.access import EVERY_ACCOUNT, AccessRule
from regmirror.config.access_decision import numbered_rules
from regmirror.config.key_paths import format_path
from regmirror.config.model import Mirror
from regmirror.desired.user_accounts import UserAccount


def rules_about(mirror: Mirror, account: UserAccount) -> list[str]:
    """The keys of the rules that name an account or one of its groups, such as ``upstreams[0].rules[1]``."""
    return [key for key, rule in _rules(mirror) if _names(rule, account)]


def account_warnings(mirror: Mirror, accounts: Iterable[UserAccount], *, in_git: bool = False) -> list[str]:
    """A sentence for each account that a rule names and that does not exist, and for each that no rule names.

    If the mirror is managed with GitOps (``in_git``), ``regmirror user add`` is refused, and not recommended.
    """
    known = {account.name: account for account in accounts}
    missing = [
        f'{key}.users: there is no account "{user}"' + ("" if in_git else f"; add it: regmirror user add {user}")
        for key, rule in _rules(mirror)
        for user in rule.users
        if user not in known and user != EVERY_ACCOUNT
    ]
    unnamed = [
        f'no rule names the account "{name}" or a group of it: it may pull only what everyone may'
        for name, account in known.items()
        if not rules_about(mirror, account)
    ]
    return [*missing, *unnamed]


def has_account_rules(mirror: Mirror) -> bool:
    """Whether a rule is about accounts, and docker_auth can have them."""
    is_possible = mirror.auth.external is None and mirror.auth.chart is None
    return is_possible and any(rule.users or rule.groups for _, rule in _rules(mirror))


def _rules(mirror: Mirror) -> list[tuple[str, AccessRule]]:
    return [(format_path(path), rule) for path, rule in numbered_rules(mirror.upstreams)]


def _names(rule: AccessRule, account: UserAccount) -> bool:
    return bool({EVERY_ACCOUNT, account.name} & set(rule.users) or set(account.groups) & set(rule.groups))
