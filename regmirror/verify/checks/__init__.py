"""All checks, in the order in which they are shown; a check comes after those that it needs."""

from regmirror.verify.check import Check
from regmirror.verify.checks import cache, clients, cluster, config, registry, storage, tls, token, upstream

_CATEGORIES = (cluster, config, tls, token, registry, cache, storage, upstream, clients)

CHECKS: tuple[Check, ...] = tuple(check for category in _CATEGORIES for check in category.check.checks)
