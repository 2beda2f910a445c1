"""Whether the pods of a registry can use their store now: what this machine cannot reach, it asks the pods about."""

from collections.abc import Callable, Sequence

from regmirror.config.model import Upstream
from regmirror.desired import names
from regmirror.distribution.store_health import store_problem
from regmirror.errors import RegistryError, RegmirrorError, StorageUnreachableError
from regmirror.ports.cluster import Object
from regmirror.signing.tokens import CATALOG
from regmirror.verify.check import Failed, Outcome, Skipped
from regmirror.verify.hints import then_deploy
from regmirror.verify.live_mirror import LiveMirror
from regmirror.verify.sample_pull import sign

NO_KEY = "only the existing docker_auth can sign the token with which pods are asked about their store"
"""Why pods cannot be asked with ``auth.external``."""


def problem_in_pods(
    live: LiveMirror, upstream: Upstream, pods: Sequence[Object], action: Callable[[str], str]
) -> Failed | Skipped | None:
    """The outcome of a check for the first of these pods that cannot use its store; None if all can.

    ``action`` is what to do about a reason. Raises ClusterError.
    """
    try:
        token = sign(live, upstream, (CATALOG,))
    except RegmirrorError as error:
        return Skipped(f"{error.message}: see token-key-pair")
    store = "its volume" if live.mirror.storage.filesystem else "the bucket"
    for pod in pods:
        name = pod["metadata"]["name"]
        try:
            problem = store_problem(live.cluster, name, token)
        except RegistryError as error:
            return Skipped(f"{error.message}: see token-accepted")
        if problem:
            return Failed(f"pod {name} cannot use {store}: {problem}", then_deploy(live, action(problem)))
    return None


def ask_pods(live: LiveMirror, upstream: Upstream, unreachable: StorageUnreachableError) -> Outcome:
    """The outcome of a check whose store this machine cannot reach: skipped if every pod can use it."""
    if live.mirror.auth.external:
        return Skipped(f"{unreachable.message}; {NO_KEY}")
    hint = unreachable.hint or "check that the object store is healthy"
    try:
        pods = live.ready_pods(names.registry(upstream.name))
        problem = problem_in_pods(live, upstream, pods, lambda _: hint)
    except RegmirrorError as error:
        return Failed(f"{unreachable.message}; the pods cannot be asked: {error.message}", hint)
    if isinstance(problem, Failed):
        return Failed(f"{unreachable.message}; {problem.message}", problem.hint)
    if isinstance(problem, Skipped):
        return Skipped(f"{unreachable.message}; {problem.reason}")
    if not pods:
        return Failed(f"{unreachable.message}; no pod is ready to be asked", then_deploy(live, hint))
    number = f"{len(pods)} pod{'s' * (len(pods) > 1)}"
    return Skipped(
        f"this machine cannot reach {live.mirror.storage.endpoint or 'AWS'}, but {number} can: see storage-pods"
    )
