"""The accounts as ``regmirror user list`` shows them."""

from typing import Any

from regmirror.config.model import Mirror
from regmirror.desired import names
from regmirror.desired.account_rules import account_warnings, rules_about
from regmirror.desired.secret_contents import SecretContentError, read_config, secret_data
from regmirror.desired.secrets import AUTH_CONFIG_KEY
from regmirror.desired.user_accounts import AccountEntryError, UserAccount, docker_auth_users, parse_account
from regmirror.ports.cluster import SECRET, Cluster
from regmirror.users.report import UserEntry, UserList


def list_users(cluster: Cluster, mirror: Mirror) -> UserList:
    """Every account, damaged ones included. Raises ClusterError."""
    entries = secret_data(cluster.get(SECRET, names.USERS_SECRET) or {})
    live = _live_users(cluster)
    accounts, damaged = [], []
    for name in sorted(entries):
        try:
            accounts.append(parse_account(name, entries[name]))
        except AccountEntryError as error:
            damaged.append(UserEntry(name=name, groups=[], changed=None, rules=[], in_effect=False, problem=str(error)))
    users = [*(_entry(mirror, account, live) for account in accounts), *damaged]
    return UserList(
        host=mirror.endpoint,
        namespace=cluster.namespace,
        context=cluster.context,
        users=sorted(users, key=lambda user: user.name),
        warnings=account_warnings(mirror, accounts),
    )


def _entry(mirror: Mirror, account: UserAccount, live: dict[str, Any]) -> UserEntry:
    return UserEntry(
        name=account.name,
        groups=list(account.groups),
        changed=account.changed or None,
        rules=rules_about(mirror, account),
        in_effect=live.get(account.name) == docker_auth_users([account])[account.name],
    )


def _live_users(cluster: Cluster) -> dict[str, Any]:
    """The users in docker_auth's configuration; none if it is not deployed or cannot be read."""
    try:
        users = read_config(secret_data(cluster.get(SECRET, names.AUTH_SECRET) or {}), AUTH_CONFIG_KEY).get("users")
    except SecretContentError:
        return {}
    return users if isinstance(users, dict) else {}
