"""Carries out the actions of the plan; each may be done again without harm."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from cryptography import x509

from regmirror.deploy.release import ReleaseStep
from regmirror.desired import names
from regmirror.desired.assets import chart_directory
from regmirror.desired.releases import Release
from regmirror.desired.secret_versions import annotate_versions
from regmirror.desired.secrets import Manifest, bundle_secret, signing_secret
from regmirror.errors import DeadlineError, RegmirrorError, RotationError
from regmirror.ports.cluster import SECRET
from regmirror.ports.connections import Connections
from regmirror.rotate.clock import Clock
from regmirror.rotate.plan import Action
from regmirror.rotate.proof import prove_auth, prove_registries
from regmirror.rotate.rotation_state import Mode
from regmirror.rotate.state import (
    IN_USE_SINCE_ANNOTATION,
    IN_USE_VERSION_ANNOTATION,
    MODE_ANNOTATION,
    TIME,
    ObservedState,
    Workload,
    id_of,
    look,
)
from regmirror.signing.bundle import join_bundle, parse_bundle
from regmirror.signing.key_pair import KeyPair
from regmirror.steps.runner import run_steps
from regmirror.steps.step import Done, Progress

_POLL = 0.5


@dataclass(frozen=True, slots=True)
class Executor:
    """Acts on one mirror. ``timeout`` is for each rollout, draining included."""

    connections: Connections
    progress: Progress
    clock: Clock
    timeout: timedelta
    unlock: bool = False

    async def act(self, action: Action, live: ObservedState) -> str:
        """Do one thing; gives what was done, in few words. Raises RegmirrorError."""
        work: dict[Action, Callable[[ObservedState], Awaitable[str]]] = {
            Action.TRUST: self._trust,
            Action.ROLL_REGISTRIES: lambda live: self._roll(live.registries),
            Action.PROVE: self._prove,
            Action.SWAP: self._swap,
            Action.ROLL_AUTH: lambda live: self._roll((live.auth,)),
            Action.ROLL_ALL: lambda live: self._roll((live.auth, *live.registries)),
            Action.MARK: self._mark,
            Action.WAIT: self._wait,
            Action.DROP: self._drop,
            Action.FINISH: self._finish,
        }
        return await work[action](live)

    async def begin(self, pair: KeyPair, mode: Mode) -> str:
        """Write the successor down: from here on a rotation is under way."""
        return await self._told("New key", self._write_successor(pair, {MODE_ANNOTATION: mode.value}, describe(pair)))

    async def change_mode(self, live: ObservedState, mode: Mode) -> str:
        """Have a rotation that is under way end in another way."""
        pair = _successor(live)
        return await self._told("Rotation", self._write_successor(pair, {MODE_ANNOTATION: mode.value}, mode.value))

    async def _trust(self, live: ObservedState) -> str:
        certificates = [_successor(live).certificate, live.signing.certificate, *parse_bundle(live.bundle)]
        return await self._told("Certificate bundle", self._write_bundle(certificates))

    async def _drop(self, live: ObservedState) -> str:
        remaining = live.signing if live.situation(proven=False).mode is Mode.ABORT else _successor(live)
        return await self._told("Certificate bundle", self._write_bundle([remaining.certificate]))

    async def _prove(self, live: ObservedState) -> str:
        async def proven() -> str:
            await prove_auth(self.connections.cluster.blocking, live, live.signing, self.clock)
            pods = await prove_registries(self.connections.cluster.blocking, live, _successor(live), self.clock)
            return f"a token of the new key is accepted by {pods} registry pod{'s' * (pods != 1)}"

        return await self._told("Proof", proven())

    async def _swap(self, live: ObservedState) -> str:
        async def swapped() -> str:
            await self._apply(signing_secret(self.connections.mirror, _successor(live)))
            return f"key id {id_of(_successor(live))}"

        return await self._told("Signing key", swapped())

    async def _mark(self, live: ObservedState) -> str:
        async def marked() -> str:
            pair = _successor(live)
            pods = await prove_auth(self.connections.cluster.blocking, live, pair, self.clock)
            signing = live.secrets[names.SIGNING_SECRET]["metadata"]["annotations"]
            notes = {
                MODE_ANNOTATION: live.situation(proven=False).mode.value,
                IN_USE_SINCE_ANNOTATION: self.clock.now().strftime(TIME),
                IN_USE_VERSION_ANNOTATION: signing[names.VERSION_ANNOTATION],
            }
            return await self._write_successor(pair, notes, f"it signs on {pods} docker_auth pod{'s' * (pods != 1)}")

        return await self._told("New key in use", marked())

    async def _wait(self, live: ObservedState) -> str:
        title, ends = "Old tokens", live.situation(proven=False).old_tokens_end

        async def waited() -> str:
            while ends and (left := (ends - self.clock.now()).total_seconds()) > 0:
                self.progress.waiting(title, f"{left:.0f}s until the last one has expired")
                await self.clock.sleep(min(left, 1))
            return "the last one has expired"

        return await self._told(title, waited())

    async def _finish(self, live: ObservedState) -> str:
        async def finished() -> str:
            pods = await prove_auth(self.connections.cluster.blocking, live, live.signing, self.clock)
            pods += await prove_registries(self.connections.cluster.blocking, live, live.signing, self.clock)
            await self.connections.cluster.delete(SECRET, names.NEXT_SIGNING_SECRET)
            return f"verified on {pods} pods"

        return await self._told("Rotation", finished())

    async def _roll(self, workloads: tuple[Workload, ...]) -> str:
        """Upgrade the releases to the versions of their Secrets; wait until no older pod answers anybody."""
        live = await self._look()
        deadline = time.monotonic() + self.timeout.total_seconds()
        mirror_secrets, chosen = live.mirror_secrets(), [workload for workload in workloads if not workload.is_current]
        steps = []
        for workload in chosen:
            release = await self._release(workload)
            wanted = await self.connections.helm.render(release)
            edges = (self.connections.helm, self.connections.cluster, mirror_secrets, self.unlock)
            steps.append(ReleaseStep(release, wanted, *edges, needs=()))
        await run_steps(steps, self.progress, deadline)
        names_of = {workload.release for workload in chosen}
        return await self._told("Old pods", self._drained(names_of, deadline))

    async def _release(self, workload: Workload) -> Release:
        """The release as it is deployed, but for the versions of its Secrets: no change of the file comes with it."""
        component = "auth" if workload.release == names.AUTH else "registry"
        values = await self.connections.helm.values(workload.release)
        return Release(
            workload.release, component, chart_directory(component), {**values, "secretVersions": workload.versions}
        )

    async def _drained(self, releases: set[str], deadline: float) -> str:
        while True:
            live = await self._look()
            left = [p for one in (live.auth, *live.registries) if one.release in releases for p in one.outdated]
            if not left:
                return f"none of {', '.join(sorted(releases))} is left"
            if time.monotonic() > deadline:
                raise DeadlineError(
                    f"pods with the Secrets of before did not end in time: {', '.join(left)}",
                    hint=f"kubectl -n {self.connections.cluster.namespace} get pods; give it more time by --timeout",
                )
            self.progress.waiting("Old pods", f"{', '.join(left)} drain{'s' * (len(left) == 1)}")
            await self.clock.sleep(_POLL)

    async def _look(self) -> ObservedState:
        live = await self.connections.cluster.run(look)
        if live is None:
            raise RotationError("the mirror's Secrets have disappeared", hint="regmirror deploy")
        return live

    async def _write_bundle(self, certificates: list[x509.Certificate]) -> str:
        bundle = join_bundle(certificates)
        await self._apply(bundle_secret(self.connections.mirror, bundle))
        count = len(parse_bundle(bundle))
        return f"{count} key{'s' * (count != 1)} trusted"

    async def _write_successor(self, pair: KeyPair, annotations: dict[str, str], words: str) -> str:
        manifest = signing_secret(self.connections.mirror, pair, names.NEXT_SIGNING_SECRET)
        manifest["metadata"]["annotations"] |= annotations
        await self.connections.cluster.apply(manifest)
        return words

    async def _apply(self, manifest: Manifest) -> None:
        """Apply a Secret under a new version, which is what rolls the pods that mount it."""
        versioned: list[dict[str, Any]] = annotate_versions([manifest], {}, self.clock.now())
        await self.connections.cluster.apply(versioned[0])

    async def _told(self, title: str, work: Awaitable[str]) -> str:
        """Do the work and have the progress hear of it."""
        self.progress.started(title)
        try:
            words = await work
        except RegmirrorError as error:
            self.progress.failed(title, error)
            raise
        self.progress.finished(title, Done(words, changed=True))
        return words


def describe(pair: KeyPair) -> str:
    """A key in few words; nothing secret."""
    ends = pair.certificate.not_valid_after_utc
    return f"RSA {pair.private_key.key_size}, key id {id_of(pair)}, until {ends:%Y-%m-%d}"


def _successor(live: ObservedState) -> KeyPair:
    if live.successor is None:
        raise RotationError("the Secret of the new key has disappeared", hint="start again: regmirror rotate-cert")
    return live.successor
