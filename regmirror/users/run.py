"""A change of the accounts: the Secret with the accounts, docker_auth's configuration, and new pods that read it."""

import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from pydantic import SecretStr

from regmirror.config.documents import StepReport
from regmirror.config.model import Mirror
from regmirror.deploy.gitops import ensure_owned
from regmirror.deploy.release import ReleaseStep
from regmirror.deploy.rights import require_rights
from regmirror.deploy.secrets import SecretsStep
from regmirror.desired import names
from regmirror.desired.flavors import chart_source
from regmirror.desired.mirror_secrets import MirrorSecrets
from regmirror.desired.releases import AUTH_SECRET_NAMES, Release
from regmirror.desired.secret_contents import SecretContentError, look_up, read_config, secret_data
from regmirror.desired.secret_versions import annotate_versions, combined_version
from regmirror.desired.secrets import AUTH_CONFIG_KEY, Manifest, auth_secret, users_secret
from regmirror.desired.sign_in_config import SIGN_IN_KEYS
from regmirror.desired.user_accounts import NO_ACCOUNTS_IN_CHART, UserAccount, docker_auth_users, parse_accounts
from regmirror.errors import AccountError, ClusterError, InterruptedRunError, RegmirrorError
from regmirror.errors.documentation import guide_url
from regmirror.ports.cluster import NAMESPACE, SECRET, Object
from regmirror.ports.connections import Connections
from regmirror.steps.clock import Clock
from regmirror.steps.lease import Lease, this_process
from regmirror.steps.runner import run_steps
from regmirror.steps.step import Progress, Step
from regmirror.users.changes import Change
from regmirror.users.rights import user_rights
from regmirror.users.steps import ACCOUNTS_STEP, AccountsStep

LEEWAY = timedelta(seconds=60)
"""How long after its end a registry still accepts a token: ``leeway`` of distribution's token authentication."""
_REPAIR = "regmirror deploy"
_CONTINUE = "see the accounts: regmirror user list; once the cause is fixed, let docker_auth use them: regmirror deploy"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a change did; ``tokens_expire_after`` is None if docker_auth is not deployed."""

    steps: list[StepReport]
    tokens_expire_after: timedelta | None = None

    @property
    def changed(self) -> bool:
        """Whether anything was changed."""
        return any(step.changed for step in self.steps)


@dataclass(frozen=True, slots=True)
class AccountChange:
    """One run of a command that changes accounts. ``timeout`` is for all steps together."""

    connections: Connections
    progress: Progress
    timeout: timedelta
    clock: Clock = field(default_factory=Clock)

    async def run(self, change: Change) -> Outcome:
        """Change the accounts and let docker_auth use them, holding the mirror's Lease. Raises RegmirrorError.

        If docker_auth is not deployed, only the accounts are written.
        """
        mirror, cluster = self.connections.mirror, self.connections.cluster
        require_own_docker_auth(mirror)
        await cluster.run(require_rights, user_rights(mirror), "user")
        if await cluster.get(NAMESPACE, cluster.namespace) is None:
            raise AccountError(
                f"there is no namespace {cluster.namespace} to store accounts in",
                hint=f"deploy the mirror first: regmirror deploy; or: kubectl create namespace {cluster.namespace}",
            )
        await cluster.run(ensure_owned, mirror, "accounts")
        lease = Lease(cluster, this_process("user"), self.clock)
        return await lease.hold(lambda: self._change(change), self.progress)

    async def _change(self, change: Change) -> Outcome:
        deadline = time.monotonic() + self.timeout.total_seconds()
        mirror, cluster = self.connections.mirror, self.connections.cluster
        live = await cluster.get(SECRET, names.USERS_SECRET)
        entries = change(secret_data(live or {}), self.clock.now())
        accounts = parse_accounts(entries)
        steps: list[Step] = [AccountsStep(cluster, users_secret(mirror, entries), live)]
        config = await self._live_config()
        if config is not None:
            steps += await self._of_docker_auth(config, accounts)
        try:
            results = await run_steps(steps, self.progress, deadline, work="change")
        except RegmirrorError as error:
            if error.left_changes or isinstance(error, InterruptedRunError):
                # Not the same command again: the accounts may be written already.
                raise error.reworded(error.message, hint=_CONTINUE) from error
            raise
        reports = [
            StepReport(name=step.name, changed=result.changed, detail=result.detail)
            for step, result in zip(steps, results, strict=True)
        ]
        return Outcome(reports, None if config is None else _lifetime(config) + LEEWAY)

    async def _live_config(self) -> dict[str, Any] | None:
        """docker_auth's configuration; None if it is not deployed. Raises ClusterError."""
        secret = await self.connections.cluster.get(SECRET, names.AUTH_SECRET)
        if secret is None or await self.connections.helm.find(names.AUTH) is None:
            return None
        try:
            return read_config(secret_data(secret), AUTH_CONFIG_KEY)
        except SecretContentError as error:
            raise ClusterError(f"Secret {names.AUTH_SECRET}: {error}", hint=_REPAIR) from None

    async def _of_docker_auth(self, config: dict[str, Any], accounts: tuple[UserAccount, ...]) -> list[Step]:
        """The steps that give docker_auth the accounts; other changes of the file are not applied."""
        cluster, helm = self.connections.cluster, self.connections.helm
        live = {name: await cluster.get(SECRET, name) for name in AUTH_SECRET_NAMES}
        known = {name: secret for name, secret in live.items() if secret}
        files = secret_data(known.get(names.AUTH_SECRET, {}))
        sign_in = {key: files[key] for key in SIGN_IN_KEYS if key in files}
        wanted = auth_secret(self.connections.mirror, {**config, "users": docker_auth_users(accounts)}, sign_in)
        (versioned,) = annotate_versions([wanted], known, self.clock.now())
        release = await self._release({**known, names.AUTH_SECRET: versioned})
        mirror_secrets = MirrorSecrets(None, b"", SecretStr(""), users=accounts)
        rendered = await helm.render(release)
        secrets = SecretsStep(cluster, [versioned], title="docker_auth's accounts", needs=(ACCOUNTS_STEP,))
        return [
            secrets,
            ReleaseStep(release, rendered, helm, cluster, mirror_secrets, unlock=False, needs=(secrets.name,)),
        ]

    async def _release(self, secrets: dict[str, Object | Manifest]) -> Release:
        """docker_auth's release as deployed, with the versions of these Secrets."""
        values = await self.connections.helm.values(names.AUTH)
        try:
            versions = combined_version([secrets[name] for name in AUTH_SECRET_NAMES])
        except KeyError:
            message = f"the Secret {names.SIGNING_SECRET} is missing, or was not written by regmirror"
            raise ClusterError(message, hint=_REPAIR) from None
        source = chart_source(self.connections.mirror, "auth")
        return Release(names.AUTH, "auth", source, values).with_versions(versions)


def require_own_docker_auth(mirror: Mirror) -> None:
    """Raises AccountError if the mirror's docker_auth cannot have accounts of ``regmirror user``."""
    if external := mirror.auth.external:
        raise AccountError(
            f"the docker_auth at {external.realm} has accounts of its own (auth.external)",
            hint=f"add the account there; see {guide_url('existing-token-server')}",
        )
    if mirror.auth.chart:
        raise AccountError(
            f"auth.chart: {NO_ACCOUNTS_IN_CHART}",
            hint="remove auth.chart to use regmirror's own chart",
        )


def _lifetime(config: dict[str, Any]) -> timedelta:
    seconds = look_up(config, "token", "expiration")
    if not isinstance(seconds, int):
        raise ClusterError(f"Secret {names.AUTH_SECRET}: token.expiration is not a number", hint=_REPAIR)
    return timedelta(seconds=seconds)
