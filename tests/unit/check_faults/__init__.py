"""Everything that a test breaks in a mirror in memory, and what its check must report; one module for each category."""

from tests.unit.check_faults import cache, clients, cluster, config, registry, storage, tls, token, upstream
from tests.unit.check_faults.table import Fault

FAULTS: list[Fault] = [
    found
    for category in (cluster, config, tls, token, registry, cache, storage, upstream, clients)
    for found in category.fault.faults
]
