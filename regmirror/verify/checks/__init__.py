"""The list of all checks, in the order in which they are shown; a check stands after those that it needs."""

from regmirror.verify.check import Check
from regmirror.verify.checks import (
    cache,
    clients,
    cluster,
    config,
    drift,
    patterns,
    registry,
    runtimes,
    storage,
    tls,
    token,
    upstream,
)

CHECKS: tuple[Check, ...] = (
    *cluster.CHECKS,
    *config.CHECKS,
    *patterns.CHECKS,
    *drift.CHECKS,
    *tls.CHECKS,
    *token.CHECKS,
    *registry.CHECKS,
    *cache.CHECKS,
    *storage.CHECKS,
    *upstream.CHECKS,
    *clients.CHECKS,
    *runtimes.CHECKS,
)
