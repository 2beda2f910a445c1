"""The list of all checks, in the order in which they are shown; a check stands after those that it needs."""

from regmirror.verify.check import Check
from regmirror.verify.checks import cache, clients, cluster, config, registry, storage, tls, token

CHECKS: tuple[Check, ...] = (
    *cluster.CHECKS,
    *config.CHECKS,
    *tls.CHECKS,
    *token.CHECKS,
    *registry.CHECKS,
    *storage.CHECKS,
    *cache.CHECKS,
    *clients.CHECKS,
)
