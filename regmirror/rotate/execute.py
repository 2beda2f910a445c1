"""Executes the actions of the plan; each action can be repeated safely."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from cryptography import x509

from regmirror.deploy.release import ReleaseStep
from regmirror.desired import names
from regmirror.desired.flavors import chart_source
from regmirror.desired.releases import Release
from regmirror.desired.secret_versions import annotate_versions
from regmirror.desired.secrets import Manifest, bundle_secret, signing_secret
from regmirror.errors import DeadlineError, RegmirrorError, RotationError
from regmirror.ports.cluster import SECRET
from regmirror.ports.connections import Connections
from regmirror.rotate.plan import Action
from regmirror.rotate.pod_checks import check_auth, check_registries
from regmirror.rotate.rotation_state import Mode
from regmirror.rotate.state import (
    IN_USE_SINCE_ANNOTATION,
    IN_USE_VERSION_ANNOTATION,
    MODE_ANNOTATION,
    TIME,
    ObservedState,
    RunningWorkload,
    id_of,
    observe,
)
from regmirror.signing.bundle import join_bundle, parse_bundle
from regmirror.signing.key_pair import KeyPair
from regmirror.steps.clock import Clock
from regmirror.steps.runner import run_steps
from regmirror.steps.step import Progress

_POLL = 0.5


@dataclass(frozen=True, slots=True)
class Executor:
    """Executes actions on one mirror. ``timeout`` applies to each rollout, draining included."""

    connections: Connections
    progress: Progress
    clock: Clock
    timeout: timedelta
    unlock: bool = False

    async def execute(self, action: Action, live: ObservedState) -> str:
        """Execute one action; returns what was done, in a few words. Raises RegmirrorError."""
        work: dict[Action, Callable[[ObservedState], Awaitable[str]]] = {
            Action.ADD_CERT: self._add_cert,
            Action.ROLL_OUT_REGISTRIES: lambda live: self._roll_out(live.registries),
            Action.TEST_NEXT_KEY: self._test_next_key,
            Action.REPLACE_KEY: self._replace_key,
            Action.ROLL_OUT_AUTH: lambda live: self._roll_out((live.auth,)),
            Action.ROLL_OUT_ALL: lambda live: self._roll_out((live.auth, *live.registries)),
            Action.CONFIRM_KEY: self._confirm_key,
            Action.WAIT: self._wait,
            Action.REMOVE_OLD_CERTS: self._remove_old_certs,
            Action.COMPLETE: self._complete,
        }
        return await work[action](live)

    async def begin(self, pair: KeyPair, mode: Mode) -> str:
        """Store the next key: from here on a rotation is in progress."""
        return await self._report("New key", self._write_next_key(pair, {MODE_ANNOTATION: mode.value}, describe(pair)))

    async def change_mode(self, live: ObservedState, mode: Mode) -> str:
        """Change how a rotation in progress ends."""
        pair = _next_key(live)
        return await self._report("Rotation", self._write_next_key(pair, {MODE_ANNOTATION: mode.value}, mode.value))

    async def _add_cert(self, live: ObservedState) -> str:
        certificates = [_next_key(live).certificate, live.current_key.certificate, *parse_bundle(live.bundle)]
        return await self._report("Trust bundle", self._write_bundle(certificates))

    async def _remove_old_certs(self, live: ObservedState) -> str:
        is_abort = live.rotation_state(is_tested=False).mode is Mode.ABORT
        remaining = live.current_key if is_abort else _next_key(live)
        return await self._report("Trust bundle", self._write_bundle([remaining.certificate]))

    async def _test_next_key(self, live: ObservedState) -> str:
        async def test() -> str:
            await check_auth(self.connections.cluster.blocking, live, live.current_key, self.clock)
            pods = await check_registries(self.connections.cluster.blocking, live, _next_key(live), self.clock)
            return f"accepted by {pods} registry pod{'s' * (pods != 1)}"

        return await self._report("Test of the new key", test())

    async def _replace_key(self, live: ObservedState) -> str:
        async def replace() -> str:
            await self._apply(signing_secret(self.connections.mirror, _next_key(live)))
            return f"replaced by the key {_short_id(_next_key(live))}"

        return await self._report("Signing key", replace())

    async def _confirm_key(self, live: ObservedState) -> str:
        async def confirm() -> str:
            pair = _next_key(live)
            pods = await check_auth(self.connections.cluster.blocking, live, pair, self.clock)
            signing = live.secrets[names.SIGNING_SECRET]["metadata"]["annotations"]
            notes = {
                MODE_ANNOTATION: live.rotation_state(is_tested=False).mode.value,
                IN_USE_SINCE_ANNOTATION: self.clock.now().strftime(TIME),
                IN_USE_VERSION_ANNOTATION: signing[names.VERSION_ANNOTATION],
            }
            return await self._write_next_key(pair, notes, f"used by {pods} docker_auth pod{'s' * (pods != 1)}")

        return await self._report("New key in use", confirm())

    async def _wait(self, live: ObservedState) -> str:
        title, ends = "Old tokens", live.rotation_state(is_tested=False).old_tokens_end

        async def wait() -> str:
            while ends and (left := (ends - self.clock.now()).total_seconds()) > 0:
                self.progress.waiting(title, f"the last one expires in {left:.0f}s")
                await self.clock.sleep(min(left, 1))
            return "all expired"

        return await self._report(title, wait())

    async def _complete(self, live: ObservedState) -> str:
        async def complete() -> str:
            pods = await check_auth(self.connections.cluster.blocking, live, live.current_key, self.clock)
            pods += await check_registries(self.connections.cluster.blocking, live, live.current_key, self.clock)
            await self.connections.cluster.delete(SECRET, names.NEXT_SIGNING_SECRET)
            return f"complete, {pods} pods checked"

        return await self._report("Rotation", complete())

    async def _roll_out(self, workloads: tuple[RunningWorkload, ...]) -> str:
        """Upgrade the releases to the versions of their Secrets; wait until no older pod serves requests."""
        live = await self._observe()
        deadline = time.monotonic() + self.timeout.total_seconds()
        mirror_secrets, outdated = (
            live.mirror_secrets(),
            [workload for workload in workloads if not workload.is_current],
        )
        steps = []
        for workload in outdated:
            release = await self._release(workload)
            wanted = await self.connections.helm.render(release)
            helm, cluster = self.connections.helm, self.connections.cluster
            steps.append(ReleaseStep(release, wanted, helm, cluster, mirror_secrets, self.unlock, needs=()))
        await run_steps(steps, self.progress, deadline)
        releases = {workload.release for workload in outdated}
        return await self._report("Old pods", self._wait_for_drain(releases, deadline))

    async def _release(self, workload: RunningWorkload) -> Release:
        """The release as deployed, with the new versions of its Secrets; changes of the file are not applied."""
        component = "auth" if workload.release == names.AUTH else "registry"
        values = await self.connections.helm.values(workload.release)
        source = chart_source(self.connections.mirror, component)
        return Release(workload.release, component, source, values).with_versions(workload.versions)

    async def _wait_for_drain(self, releases: set[str], deadline: float) -> str:
        while True:
            live = await self._observe()
            workloads = [workload for workload in (live.auth, *live.registries) if workload.release in releases]
            left = [pod for workload in workloads for pod in workload.outdated]
            if not left:
                return f"{', '.join(sorted(releases))}: all have ended"
            if time.monotonic() > deadline:
                cluster = self.connections.cluster
                raise DeadlineError(
                    f"old pods did not terminate in time: {', '.join(left)}",
                    hint=f"kubectl --context {cluster.context} -n {cluster.namespace} get pods; or raise --timeout",
                )
            self.progress.waiting("Old pods", f"waiting for {', '.join(left)} to terminate")
            await self.clock.sleep(_POLL)

    async def _observe(self) -> ObservedState:
        live = await self.connections.cluster.run(observe)
        if live is None:
            raise RotationError("the mirror's Secrets have been deleted", hint="create them: regmirror deploy")
        return live

    async def _write_bundle(self, certificates: list[x509.Certificate]) -> str:
        bundle = join_bundle(certificates)
        await self._apply(bundle_secret(self.connections.mirror, bundle))
        count = len(parse_bundle(bundle))
        return f"{count} certificate{'s' * (count != 1)}"

    async def _write_next_key(self, pair: KeyPair, annotations: dict[str, str], detail: str) -> str:
        manifest = signing_secret(self.connections.mirror, pair, names.NEXT_SIGNING_SECRET)
        manifest["metadata"]["annotations"] |= annotations
        await self.connections.cluster.apply(manifest)
        return detail

    async def _apply(self, manifest: Manifest) -> None:
        """Apply a Secret with a new version, which makes the next rollout replace the pods that mount it."""
        versioned: list[dict[str, Any]] = annotate_versions([manifest], {}, self.clock.now())
        await self.connections.cluster.apply(versioned[0])

    async def _report(self, title: str, work: Awaitable[str]) -> str:
        """Do the work and report its progress."""
        self.progress.started(title)
        try:
            detail = await work
        except RegmirrorError as error:
            self.progress.failed(title, error)
            raise
        self.progress.finished(title, detail, changed=True)
        return detail


def describe(pair: KeyPair) -> str:
    """A key in a few words; nothing secret."""
    ends = pair.certificate.not_valid_after_utc
    return f"RSA {pair.private_key.key_size}, id {_short_id(pair)}, valid until {ends:%Y-%m-%d}"


def _short_id(pair: KeyPair) -> str:
    """Enough of the id to compare keys by eye."""
    return id_of(pair)[:12]


def _next_key(live: ObservedState) -> KeyPair:
    if live.next_key is None:
        raise RotationError("the Secret of the new key has been deleted", hint="start again: regmirror rotate-cert")
    return live.next_key
