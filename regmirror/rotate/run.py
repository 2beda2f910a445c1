"""A whole rotation: starts or resumes it, then executes one action after another to the end."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from regmirror.config.documents import StepReport
from regmirror.deploy.gitops import ensure_owned
from regmirror.deploy.rights import require_rights
from regmirror.desired.rotate_rights import rotate_rights
from regmirror.errors import ExitCode, PartlyAppliedError, RegmirrorError, RotationError
from regmirror.errors.documentation import guide_url
from regmirror.ports.connections import Connections
from regmirror.rotate.execute import Executor, describe
from regmirror.rotate.options import RotationOptions
from regmirror.rotate.plan import Action, next_action, rest_of_plan
from regmirror.rotate.public_hosts import PublicHostCheck
from regmirror.rotate.report import RotateCheck, RotatePlan, RotateReport
from regmirror.rotate.rollout_guard import ReleaseGroup, ensure_can_roll, releases_to_roll
from regmirror.rotate.rotation_state import Mode, RotationState
from regmirror.rotate.state import ObservedState, id_of, observe
from regmirror.signing.key_pair import KeyPair
from regmirror.steps.clock import Clock
from regmirror.steps.lease import Lease, this_process
from regmirror.steps.step import Progress

_ROLLOUT = "Rollout"
_MOST_ACTIONS = 40
"""More than any rotation takes: beyond it, somebody else keeps changing what the rotation changes."""
_CONTINUES = "run the command again: it continues from there"


@dataclass(slots=True)
class Rotation:
    """One run of ``regmirror rotate-cert``; ``announce`` receives each action before it is executed."""

    connections: Connections
    progress: Progress
    announce: Callable[[Action], None]
    timeout: timedelta
    options: RotationOptions
    skip_verify: bool = False
    """Skip the final check of the public hosts."""
    clock: Clock = field(default_factory=Clock)
    done: list[StepReport] = field(default_factory=list)
    """What this run has done so far."""

    async def run(self) -> RotateReport:
        """Rotate if it is due or in progress. Raises RegmirrorError."""
        self._require_own_key()
        await self.connections.cluster.run(require_rights, rotate_rights(self.connections.mirror), "rotate-cert")
        await self.connections.cluster.run(ensure_owned, self.connections.mirror, "rotate-cert")
        before = await self._observe()
        if not self.options.requires_rotation(before, self.clock.now()):
            return self._report(before, before, [])
        await self.connections.helm.version()
        lease = Lease(self.connections.cluster, this_process("rotate-cert"), self.clock)
        try:
            await lease.hold(self._rotate, self.progress)
        except RegmirrorError as error:
            raise self._with_progress(error) from error
        after = await self._observe()
        return self._report(before, after, await self._check_public_hosts(before, after))

    async def check(self) -> RotateCheck:
        """Whether there is something to do; nothing is changed. Raises RegmirrorError."""
        self._require_own_key()
        live = await self.connections.cluster.run(observe)
        if live is None:
            message = f"no mirror is deployed in namespace {self.connections.cluster.namespace}"
            return RotateCheck(**self._mirror(), deployed=False, due=False, in_progress=False, message=message)
        is_due = self.options.requires_rotation(live, self.clock.now())
        due_at, key = self.options.threshold.due_at(live.current_key.certificate), describe(live.current_key)
        message = f"{'due since' if is_due else 'not due before'} {due_at:%Y-%m-%d}"
        if live.next_key is not None:
            message = "a rotation is in progress; continue it: regmirror rotate-cert"
        return RotateCheck(
            **self._mirror(),
            deployed=True,
            due=is_due,
            in_progress=live.next_key is not None,
            key=key,
            key_id=id_of(live.current_key),
            not_after=live.current_key.certificate.not_valid_after_utc,
            due_at=due_at,
            message=message,
        )

    async def plan(self) -> list[Action]:
        """What ``run`` would do now; nothing is changed."""
        self._require_own_key()
        await self.connections.cluster.run(ensure_owned, self.connections.mirror, "rotate-cert")
        live = await self._observe()
        if not self.options.requires_rotation(live, self.clock.now()):
            return []
        self.options.validate(live, self.clock.now())
        await ensure_can_roll(self.connections.cluster, self._groups_to_roll(live), self.clock)
        return list(rest_of_plan(self._expected_state(live), self.clock.now()))

    async def dry_run(self) -> RotatePlan:
        """The plan as a document. Raises RegmirrorError."""
        actions = await self.plan()
        steps = [_step(action, action.title) for action in actions]
        return RotatePlan(**self._mirror(), due=bool(actions), steps=steps)

    def _require_own_key(self) -> None:
        """Raises RotationError if an existing docker_auth signs the tokens: its key is not regmirror's to replace."""
        external = self.connections.mirror.auth.external
        if external:
            raise RotationError(
                f"the docker_auth at {external.realm} signs the tokens, and regmirror does not have its key "
                "(auth.external)",
                hint="add the new certificate to auth.external.certificate, run regmirror deploy, then replace the key "
                f"of docker_auth; see {guide_url('existing-token-server')}",
            )

    async def _rotate(self) -> None:
        executor = Executor(self.connections, self.progress, self.clock, self.timeout, unlock=self.options.unlock)
        await self._begin(executor, await self._observe())
        is_tested = False
        for _ in range(_MOST_ACTIONS):
            live = await self._observe()
            if live.next_key is None:
                return
            state = live.rotation_state(is_tested=is_tested)
            action = next_action(state, self.clock.now())
            self.announce(action)
            if group := releases_to_roll(action, live, state.mode):
                await self._ensure_can_roll([group])
            self.done.append(_step(action, await executor.execute(action, live)))
            # A test is valid only for the action that follows it.
            is_tested = action is Action.TEST_NEXT_KEY
        raise RotationError(
            "the rotation does not complete: something keeps changing the mirror's Secrets or pods",
            hint="stop other deployments of this mirror, then run the command again",
        )

    async def _begin(self, executor: Executor, live: ObservedState) -> None:
        """Store in the cluster what this run is about to do, unless it is stored already."""
        self.options.validate(live, self.clock.now())
        await self._ensure_can_roll(self._groups_to_roll(live))
        if self.options.mode is Mode.ABORT:
            detail = await executor.change_mode(live, Mode.ABORT)
            self.done.append(StepReport(name="abort", changed=True, detail=detail))
        elif live.next_key is None or self.options.replaces_next_key(live):
            auth = self.connections.mirror.auth
            pair = await asyncio.to_thread(self.options.new_key_pair, auth, self.clock.now())
            detail = await executor.begin(pair, self.options.mode)
            self.done.append(StepReport(name="begin", changed=True, detail=detail))

    async def _ensure_can_roll(self, groups: list[ReleaseGroup]) -> None:
        if not groups:
            return
        self.progress.started(_ROLLOUT)
        try:
            await ensure_can_roll(
                self.connections.cluster, groups, self.clock, lambda reason: self.progress.waiting(_ROLLOUT, reason)
            )
        except RegmirrorError as error:
            self.progress.failed(_ROLLOUT, error)
            raise
        releases = sorted({release for group in groups for release in group})
        self.progress.finished(_ROLLOUT, f"possible for {', '.join(releases)}")

    def _groups_to_roll(self, live: ObservedState) -> list[ReleaseGroup]:
        """The releases that each remaining action rolls out."""
        expected = self._expected_state(live)
        rest = rest_of_plan(expected, self.clock.now())
        return list(dict.fromkeys(filter(None, (releases_to_roll(action, live, expected.mode) for action in rest))))

    def _expected_state(self, live: ObservedState) -> RotationState:
        """The state directly after the start."""
        if live.next_key is not None and not self.options.replaces_next_key(live):
            state = live.rotation_state(is_tested=False)
            return state if self.options.mode is Mode.REGULAR else replace(state, mode=self.options.mode)
        return RotationState.begun(
            self.options.mode,
            id_of(live.current_key),
            live.trusted,
            live.token_lifetime,
            registries_current=all(registry.is_current for registry in live.registries),
            auth_current=live.auth.is_current,
        )

    async def _check_public_hosts(self, before: ObservedState, after: ObservedState) -> list[str]:
        """Check what clients see; returns the hosts that were checked."""
        if self.skip_verify:
            return []
        old_key = before.current_key if id_of(before.current_key) != id_of(after.current_key) else None
        return await PublicHostCheck(self.connections.http, self.clock, self.progress).run(after, old_key)

    async def _observe(self) -> ObservedState:
        live = await self.connections.cluster.run(observe)
        if live is None:
            raise RotationError(
                f"no mirror is deployed in namespace {self.connections.cluster.namespace}",
                hint="deploy it: regmirror deploy",
            )
        return live

    def _with_progress(self, error: RegmirrorError) -> RegmirrorError:
        """The error, with the last step if this run has changed anything."""
        if not self.done:
            return error
        message = f"the rotation stopped after {self.done[-1].name}: {error.message}"
        hint = f"{error.hint or 'fix the cause'}; then {_CONTINUES}"
        is_failure = error.exit_code in {ExitCode.FAILED, ExitCode.PARTIAL}
        kind = PartlyAppliedError if is_failure else type(error)
        return kind(message, hint=hint)

    def _report(self, before: ObservedState, after: ObservedState, checked_hosts: list[str]) -> RotateReport:
        certificate = after.current_key.certificate
        pods = {pod for workload in (before.auth, *before.registries) for pod in workload.ready}
        ready = [pod for workload in (after.auth, *after.registries) for pod in workload.ready]
        return RotateReport(
            **self._mirror(),
            changed=bool(self.done),
            rotated=id_of(after.current_key) != id_of(before.current_key) or _is_next_key(after.current_key, before),
            key=describe(after.current_key),
            key_id=id_of(after.current_key),
            not_after=certificate.not_valid_after_utc,
            due_at=self.options.threshold.due_at(certificate),
            steps=self.done,
            started_pods=[pod for pod in ready if pod not in pods],
            checked_hosts=checked_hosts,
            warnings=["the public host was not checked"] if self.done and self.skip_verify else [],
        )

    def _mirror(self) -> dict[str, Any]:
        cluster = self.connections.cluster
        return {"host": self.connections.mirror.endpoint, "namespace": cluster.namespace, "context": cluster.context}


def _step(action: Action, detail: str) -> StepReport:
    return StepReport(name=action.value, changed=action.changes_cluster, detail=detail)


def _is_next_key(pair: KeyPair, live: ObservedState) -> bool:
    """Whether this is the next key of the rotation in progress: an earlier run has introduced it."""
    return live.next_key is not None and id_of(live.next_key) == id_of(pair)
