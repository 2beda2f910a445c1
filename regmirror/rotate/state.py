"""The keys in the cluster, and the pods that use them."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from pydantic import SecretStr

from regmirror.desired import names
from regmirror.desired.mirror_secrets import Account, MirrorSecrets
from regmirror.desired.releases import AUTH_SECRET_NAMES, registry_secret_names
from regmirror.desired.secret_contents import (
    SecretContentError,
    look_up,
    read_config,
    s3_account,
    secret_data,
    upstream_account,
)
from regmirror.desired.secret_versions import combined_version
from regmirror.desired.user_accounts import UserAccount, parse_accounts
from regmirror.errors import DamagedAccountError, RotationError
from regmirror.ports.cluster import DEPLOYMENT, POD, SECRET, Cluster, Object
from regmirror.rotate.rotation_state import Mode, RotationState
from regmirror.signing.bundle import key_id, trusted_keys
from regmirror.signing.key_pair import KeyPair, load_key_pair
from regmirror.workloads.rollout import is_rolled_out

MODE_ANNOTATION = "regmirror.dev/rotation"
IN_USE_SINCE_ANNOTATION = "regmirror.dev/in-use-since"
IN_USE_VERSION_ANNOTATION = "regmirror.dev/in-use-version"
"""The version of the signing Secret that was seen in use: the time above is valid only for that version."""

TIME = "%Y-%m-%dT%H:%M:%SZ"
_REGISTRIES = "app.kubernetes.io/name=registry,app.kubernetes.io/part-of=regmirror"
_DEPLOY = "deploy the mirror first: regmirror deploy"


@dataclass(frozen=True, slots=True)
class RunningWorkload:
    """The release of one component, and its pods; ``versions`` are those of the Secrets that its pods must use."""

    release: str
    versions: str
    is_rolled_out: bool
    outdated: tuple[str, ...]
    """The pods that started with other versions, draining ones included."""
    ready: tuple[str, ...]
    """The pods that take requests."""

    @property
    def is_current(self) -> bool:
        """Whether every existing pod started with the Secrets as they are now."""
        return self.is_rolled_out and not self.outdated


@dataclass(frozen=True, slots=True)
class TokenService:
    """The claims that one registry requires of a token."""

    issuer: str
    service: str


@dataclass(frozen=True, slots=True)
class ObservedState:
    """Everything that a rotation depends on; it is read again before each action."""

    secrets: dict[str, Object]
    current_key: KeyPair
    next_key: KeyPair | None
    bundle: bytes
    registries: tuple[RunningWorkload, ...]
    auth: RunningWorkload
    token_lifetime: timedelta

    @property
    def trusted(self) -> frozenset[str]:
        """The ids of the keys in the bundle."""
        return frozenset(trusted_keys(self.bundle))

    def rotation_state(self, *, is_tested: bool) -> RotationState:
        """The input of the plan; valid only while a rotation is in progress."""
        annotations = self.secrets[names.NEXT_SIGNING_SECRET]["metadata"].get("annotations") or {}
        assert self.next_key is not None  # noqa: S101 - read together with its Secret
        version = _annotation(self.secrets[names.SIGNING_SECRET], names.VERSION_ANNOTATION)
        noted = annotations.get(IN_USE_VERSION_ANNOTATION) == version
        since = datetime.strptime(annotations[IN_USE_SINCE_ANNOTATION], TIME).replace(tzinfo=UTC) if noted else None
        return RotationState(
            mode=Mode(annotations.get(MODE_ANNOTATION, Mode.REGULAR.value)),
            current_key=id_of(self.current_key),
            next_key=id_of(self.next_key),
            trusted=self.trusted,
            registries_current=all(registry.is_current for registry in self.registries),
            auth_current=self.auth.is_current,
            is_tested=is_tested,
            in_use_since=since,
            token_lifetime=self.token_lifetime,
        )

    def token_service(self, registry: RunningWorkload) -> TokenService:
        """Issuer and service that one registry requires of a token; raises RotationError."""
        config = _config(self.secrets, registry_secret_names(registry.release)[0], "config.yml")
        try:
            token = config["auth"]["token"]
            return TokenService(str(token["issuer"]), str(token["service"]))
        except (KeyError, TypeError):
            raise _not_deployed(f"the configuration of {registry.release} has no token authentication") from None

    def mirror_secrets(self) -> MirrorSecrets:
        """The mirror's secrets as they are in the cluster, for redacting the logs of pods."""
        accounts = {}
        s3: Account | None = None
        redis: dict[str, Any] = {}
        for registry in self.registries:
            upstream = registry.release.removeprefix(names.PREFIX)
            credential = self.secrets.get(names.credential_secret(upstream))
            if credential:
                accounts[upstream] = upstream_account(secret_data(credential))
            config = _config(self.secrets, names.registry_secret(upstream), "config.yml")
            s3, redis = s3_account(config) or s3, look_up(config, "redis") or redis
        known = {name: account for name, account in accounts.items() if account}
        password, sentinel = (SecretStr(str(redis.get(key) or "")) for key in ("password", "sentinelpassword"))
        return MirrorSecrets(
            self.current_key, self.bundle, password, s3, known, sentinel_password=sentinel, users=self._users()
        )

    def _users(self) -> tuple[UserAccount, ...]:
        try:
            return parse_accounts(secret_data(self.secrets.get(names.USERS_SECRET, {})))
        except DamagedAccountError:
            # A rotation needs no account; docker_auth has none of them until a deployment succeeds.
            return ()


def id_of(pair: KeyPair) -> str:
    """The id of a key in tokens (``kid``)."""
    key = pair.certificate.public_key()
    assert isinstance(key, rsa.RSAPublicKey)  # noqa: S101 - other key types are never loaded
    return key_id(key)


def observe(cluster: Cluster) -> ObservedState | None:
    """Read the state; None if no mirror is deployed. Raises ClusterError, SigningError or RotationError."""
    managed = cluster.select(SECRET, names.MANAGED_SELECTOR)
    secrets = {secret["metadata"]["name"]: secret for secret in managed}
    if not {names.SIGNING_SECRET, names.BUNDLE_SECRET, names.AUTH_SECRET} <= secrets.keys():
        return None
    next_signing = secrets.get(names.NEXT_SIGNING_SECRET)
    deployments = cluster.select(DEPLOYMENT, _REGISTRIES)
    auth = cluster.get(DEPLOYMENT, names.AUTH)
    if auth is None or not deployments:
        raise _not_deployed("the mirror has no docker_auth or no registry Deployment")
    registries = [
        _running_workload(cluster, deployment, registry_secret_names(deployment["metadata"]["name"]), secrets)
        for deployment in sorted(deployments, key=lambda deployment: str(deployment["metadata"]["name"]))
    ]
    config = _config(secrets, names.AUTH_SECRET, "auth_config.yml")
    return ObservedState(
        secrets,
        _pair(secrets[names.SIGNING_SECRET]),
        _pair(next_signing) if next_signing else None,
        _value(secrets[names.BUNDLE_SECRET], "bundle.crt"),
        tuple(registries),
        _running_workload(cluster, auth, AUTH_SECRET_NAMES, secrets),
        _lifetime(config),
    )


def _running_workload(
    cluster: Cluster, deployment: Object, mounted: tuple[str, ...], secrets: dict[str, Object]
) -> RunningWorkload:
    name = deployment["metadata"]["name"]
    missing = [secret for secret in mounted if secret not in secrets]
    if missing:
        raise _not_deployed(f"the Secret {missing[0]} is missing")
    for secret in mounted:
        _annotation(secrets[secret], names.VERSION_ANNOTATION)
    versions = combined_version([secrets[secret] for secret in mounted])
    # A pod that has ended serves no requests; a pod that is being deleted does until it has drained.
    pods = [
        pod
        for pod in cluster.select(POD, f"app.kubernetes.io/instance={name}")
        if (pod.get("status") or {}).get("phase") not in {"Succeeded", "Failed"}
    ]
    template = deployment["spec"]["template"]
    return RunningWorkload(
        name,
        versions,
        _secret_versions(template) == versions and is_rolled_out(deployment),
        tuple(pod["metadata"]["name"] for pod in pods if _secret_versions(pod) != versions),
        tuple(pod["metadata"]["name"] for pod in pods if _takes_requests(pod)),
    )


def _secret_versions(pod: Object) -> str:
    return str((pod["metadata"].get("annotations") or {}).get(names.SECRET_VERSIONS_ANNOTATION, ""))


def _takes_requests(pod: Object) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or []
    is_ready = any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
    return is_ready and not pod["metadata"].get("deletionTimestamp")


def _lifetime(config: dict[str, Any]) -> timedelta:
    try:
        return timedelta(seconds=int(config["token"]["expiration"]))
    except (KeyError, TypeError, ValueError):
        raise _not_deployed("the configuration of docker_auth has no token lifetime") from None


def _pair(secret: Object) -> KeyPair:
    return load_key_pair(_value(secret, "tls.crt"), _value(secret, "tls.key"))


def _value(secret: Object, key: str) -> bytes:
    try:
        return secret_data(secret)[key]
    except KeyError:
        raise _not_deployed(f"the Secret {secret['metadata']['name']} has no {key}") from None


def _annotation(secret: Object, name: str) -> str:
    value = (secret["metadata"].get("annotations") or {}).get(name)
    if value is None:
        raise _not_deployed(f"the Secret {secret['metadata']['name']} has no annotation {name}")
    return str(value)


def _config(secrets: dict[str, Object], secret: str, key: str) -> dict[str, Any]:
    if secret not in secrets:
        raise _not_deployed(f"the Secret {secret} is missing")
    try:
        return read_config(secret_data(secrets[secret]), key)
    except SecretContentError as error:
        raise _not_deployed(f"Secret {secret}: {error}") from None


def _not_deployed(message: str) -> RotationError:
    return RotationError(message, hint=_DEPLOY)
