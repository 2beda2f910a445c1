"""A whole rotation: begin it or take it up where it stands, then one action after the other to the end."""

import asyncio
import os
import secrets
import socket
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from regmirror.config.model import API_VERSION
from regmirror.deploy.rights import require_rights
from regmirror.errors import ExitCode, PartlyAppliedError, RegmirrorError, RotationError
from regmirror.ports.connections import Connections
from regmirror.rotate.clock import Clock
from regmirror.rotate.execute import Executor, describe
from regmirror.rotate.lease import Lease
from regmirror.rotate.options import RotationOptions
from regmirror.rotate.plan import Action, next_action, rest_of_plan
from regmirror.rotate.public_proof import PublicProof
from regmirror.rotate.rights import rotate_rights
from regmirror.rotate.rollout_guard import Together, ensure_can_roll, replaced_by
from regmirror.rotate.rotation_state import Mode, RotationState
from regmirror.rotate.state import ObservedState, id_of, look
from regmirror.signing.key_pair import KeyPair
from regmirror.steps.step import Done, Progress

_LEASE = "Lease"
_PODS = "Pods"
_MOST_ACTIONS = 40
"""More than any rotation takes: beyond it somebody else keeps changing what we change."""


@dataclass(slots=True)
class Rotation:
    """One run of ``regmirror rotate-cert``; ``announce`` hears each action before it is done."""

    connections: Connections
    progress: Progress
    announce: Callable[[Action], None]
    timeout: timedelta
    options: RotationOptions
    skip_verify: bool = False
    """Do not check the public hosts at the end."""
    clock: Clock = field(default_factory=Clock)
    done: list[tuple[str, str]] = field(default_factory=list)
    """What was done in this run, each with its outcome in few words."""
    _holds_lease: bool = False

    async def run(self) -> dict[str, Any]:
        """Rotate if it is due or was begun; gives the report. Raises RegmirrorError."""
        await self.connections.cluster.run(require_rights, rotate_rights(self.connections.mirror), "rotate-cert")
        before = await self._look()
        if not self.options.is_for(before, self.clock.now()):
            return self._report(before, before, [])
        await self.connections.helm.version()
        holder = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
        lease = Lease(self.connections.cluster, holder, self.clock)
        self.progress.started(_LEASE)
        try:
            await lease.hold(self._rotate, lambda reason: self.progress.waiting(_LEASE, reason))
        except RegmirrorError as error:
            if not self._holds_lease:
                self.progress.failed(_LEASE, error)
            raise self._placed(error) from error
        after = await self._look()
        return self._report(before, after, await self._prove(before, after))

    async def _prove(self, before: ObservedState, after: ObservedState) -> list[str]:
        """See at the public hosts what clients see; gives those hosts."""
        if self.skip_verify:
            return []
        gone = before.signing if id_of(before.signing) != id_of(after.signing) else None
        return await PublicProof(self.connections.http, self.clock, self.progress).prove(after, gone)

    async def check(self) -> dict[str, Any]:
        """Whether there is something to do, as ``--check`` tells it; nothing is changed. Raises RegmirrorError."""
        live = await self.connections.cluster.run(look)
        if live is None:
            message = f"no mirror is deployed in namespace {self.connections.cluster.namespace}"
            return {"deployed": False, "due": False, "message": message}
        is_due = self.options.is_for(live, self.clock.now())
        when = self.options.threshold.due_at(live.signing.certificate)
        message = f"{'due since' if is_due else 'not due before'} {when:%Y-%m-%d}: {describe(live.signing)}"
        if live.successor is not None:
            message = f"a rotation is under way, from {describe(live.signing)}: regmirror rotate-cert goes on with it"
        return {"deployed": True, "due": is_due, "message": message}

    async def plan(self) -> list[Action]:
        """What ``run`` would do now; nothing is changed."""
        live = await self._look()
        if not self.options.is_for(live, self.clock.now()):
            return []
        self.options.check(live, self.clock.now())
        await ensure_can_roll(self.connections.cluster, self._together(live), self.clock)
        return list(rest_of_plan(self._expected(live), self.clock.now()))

    def _together(self, live: ObservedState) -> list[Together]:
        """The releases whose pods the whole rest replaces, by each action."""
        expected = self._expected(live)
        rest = rest_of_plan(expected, self.clock.now())
        return list(dict.fromkeys(filter(None, (replaced_by(action, live, expected.mode) for action in rest))))

    async def _require_replaceable(self, together: list[Together]) -> None:
        if not together:
            return
        self.progress.started(_PODS)
        try:
            await ensure_can_roll(
                self.connections.cluster, together, self.clock, lambda reason: self.progress.waiting(_PODS, reason)
            )
        except RegmirrorError as error:
            self.progress.failed(_PODS, error)
            raise
        releases = sorted({release for one in together for release in one})
        self.progress.finished(_PODS, Done(f"those of {', '.join(releases)} can be replaced"))

    def _expected(self, live: ObservedState) -> RotationState:
        """The situation right after the beginning."""
        if live.successor is not None and not self.options.replaces(live):
            begun = live.situation(proven=False)
            return begun if self.options.mode is Mode.REGULAR else replace(begun, mode=self.options.mode)
        return RotationState.begun(
            self.options.mode,
            id_of(live.signing),
            live.trusted,
            live.token_lifetime,
            registries_current=all(one.is_current for one in live.registries),
            auth_current=live.auth.is_current,
        )

    async def _rotate(self) -> None:
        self._holds_lease = True
        self.progress.finished(_LEASE, Done("no other rotation is at work"))
        actor = Executor(self.connections, self.progress, self.clock, self.timeout, unlock=self.options.unlock)
        await self._begin(actor, await self._look())
        proven = False
        for _ in range(_MOST_ACTIONS):
            live = await self._look()
            if live.successor is None:
                return
            situation = live.situation(proven=proven)
            action = next_action(situation, self.clock.now())
            self.announce(action)
            if replaced := replaced_by(action, live, situation.mode):
                await self._require_replaceable([replaced])
            self.done.append((action.value, await actor.act(action, live)))
            # A proof counts for what comes right after it, and for nothing later.
            proven = action is Action.PROVE
        raise RotationError(
            "the rotation does not come to its end: something keeps changing the mirror's Secrets or pods",
            hint="stop other deployments of this mirror, then run the command again",
        )

    async def _begin(self, actor: Executor, live: ObservedState) -> None:
        """Write down what is to be done, unless it stands there already."""
        self.options.check(live, self.clock.now())
        await self._require_replaceable(self._together(live))
        if self.options.mode is Mode.ABORT:
            self.done.append(("abort", await actor.change_mode(live, Mode.ABORT)))
        elif live.successor is None or self.options.replaces(live):
            pair = await asyncio.to_thread(self.options.chosen_pair, self.connections.mirror.auth, self.clock.now())
            self.done.append(("begin", await actor.begin(pair, self.options.mode)))

    async def _look(self) -> ObservedState:
        live = await self.connections.cluster.run(look)
        if live is None:
            raise RotationError(
                f"no mirror is deployed in namespace {self.connections.cluster.namespace}",
                hint="deploy it: regmirror deploy",
            )
        return live

    def _placed(self, error: RegmirrorError) -> RegmirrorError:
        """The error, with where the rotation stands if this run has changed anything."""
        if not self.done:
            return error
        message = f"the rotation stopped after {self.done[-1][0]}: {error.message}"
        again = "then run the command again: it goes on from there"
        hint = f"{error.hint}; {again}" if error.hint else f"mend it, {again}"
        if error.exit_code is ExitCode.FAILED:
            return PartlyAppliedError(message, hint=hint)
        error.message, error.hint = message, hint
        return error

    def _report(self, before: ObservedState, after: ObservedState, proven: list[str]) -> dict[str, Any]:
        certificate = after.signing.certificate
        pods = {pod for one in (before.auth, *before.registries) for pod in one.ready}
        started = [pod for one in (after.auth, *after.registries) for pod in one.ready if pod not in pods]
        return {
            "apiVersion": API_VERSION,
            "kind": "RotateReport",
            "host": self.connections.mirror.host,
            "namespace": self.connections.cluster.namespace,
            "changed": bool(self.done),
            "rotated": id_of(after.signing) != id_of(before.signing) or _is_successor(after.signing, before),
            "key": describe(after.signing),
            "keyId": id_of(after.signing),
            "notAfter": certificate.not_valid_after_utc.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "due": self.options.threshold.due_at(certificate).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "steps": [{"name": name, "detail": detail} for name, detail in self.done],
            "started": started,
            "provenAt": proven,
        }


def _is_successor(pair: KeyPair, live: ObservedState) -> bool:
    """Whether this is the key of the rotation that was under way: an earlier run has brought it in."""
    return live.successor is not None and id_of(live.successor) == id_of(pair)
