"""What the cluster shows of keys and of the pods that use them."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from pydantic import SecretStr

from regmirror.desired import names
from regmirror.desired.mirror_secrets import MirrorSecrets
from regmirror.desired.releases import AUTH_SECRET_NAMES, registry_secret_names
from regmirror.desired.secret_contents import SecretContentError, read_config, s3_account, secret_data, upstream_account
from regmirror.desired.secret_versions import combined_version
from regmirror.errors import RotationError
from regmirror.ports.cluster import DEPLOYMENT, POD, SECRET, Cluster, Object
from regmirror.rotate.rotation_state import Mode, RotationState
from regmirror.signing.bundle import key_id, trusted_keys
from regmirror.signing.key_pair import KeyPair, load_key_pair
from regmirror.workloads.rollout import is_rolled_out

MODE_ANNOTATION = "regmirror.dev/rotation"
IN_USE_SINCE_ANNOTATION = "regmirror.dev/in-use-since"
IN_USE_VERSION_ANNOTATION = "regmirror.dev/in-use-version"
"""Which version of the signing Secret was seen in use: the time counts for no other one."""

TIME = "%Y-%m-%dT%H:%M:%SZ"
_REGISTRIES = "app.kubernetes.io/name=registry,app.kubernetes.io/part-of=regmirror"
_DEPLOY = "bring the mirror up first: regmirror deploy"


@dataclass(frozen=True, slots=True)
class Workload:
    """One component's release, and its pods; ``versions`` are those of the Secrets that the pods should carry."""

    release: str
    versions: str
    is_rolled_out: bool
    outdated: tuple[str, ...]
    """The pods that started with other versions, those that are draining included."""
    ready: tuple[str, ...]
    """The pods that take requests."""

    @property
    def is_current(self) -> bool:
        """Whether every pod that there is has started with the Secrets as they are now."""
        return self.is_rolled_out and not self.outdated


@dataclass(frozen=True, slots=True)
class Service:
    """How the tokens of one registry must be made out."""

    issuer: str
    service: str


@dataclass(frozen=True, slots=True)
class ObservedState:
    """Everything that a rotation looks at, read anew before each step."""

    secrets: dict[str, Object]
    signing: KeyPair
    successor: KeyPair | None
    bundle: bytes
    registries: tuple[Workload, ...]
    auth: Workload
    token_lifetime: timedelta

    @property
    def trusted(self) -> frozenset[str]:
        """The ids of the keys in the bundle."""
        return frozenset(trusted_keys(self.bundle))

    def situation(self, *, proven: bool) -> RotationState:
        """The same as the plan wants it; only while a rotation is under way."""
        successor = self.secrets[names.NEXT_SIGNING_SECRET]
        annotations = successor["metadata"].get("annotations") or {}
        assert self.successor is not None  # noqa: S101 - read together with its Secret
        version = _annotation(self.secrets[names.SIGNING_SECRET], names.VERSION_ANNOTATION)
        noted = annotations.get(IN_USE_VERSION_ANNOTATION) == version
        since = datetime.strptime(annotations[IN_USE_SINCE_ANNOTATION], TIME).replace(tzinfo=UTC) if noted else None
        return RotationState(
            mode=Mode(annotations.get(MODE_ANNOTATION, Mode.REGULAR.value)),
            signing=id_of(self.signing),
            successor=id_of(self.successor),
            trusted=self.trusted,
            registries_current=all(registry.is_current for registry in self.registries),
            auth_current=self.auth.is_current,
            proven=proven,
            in_use_since=since,
            token_lifetime=self.token_lifetime,
        )

    def service_of(self, registry: Workload) -> Service:
        """Issuer and service that one registry asks of a token; raises RotationError."""
        config = _config(self.secrets, registry_secret_names(registry.release)[0], "config.yml")
        try:
            token = config["auth"]["token"]
            return Service(str(token["issuer"]), str(token["service"]))
        except (KeyError, TypeError):
            raise _not_deployed(f"the configuration of {registry.release} has no token authentication") from None

    def mirror_secrets(self) -> MirrorSecrets:
        """The mirror's secrets as they are in the cluster: they must not show in what pods have logged."""
        password = _value(self.secrets[names.REDIS_SECRET], "password").decode() if self._has_redis() else ""
        accounts = {}
        s3 = None
        for registry in self.registries:
            upstream = registry.release.removeprefix(names.PREFIX)
            credential = self.secrets.get(names.credential_secret(upstream))
            if credential:
                accounts[upstream] = upstream_account(secret_data(credential))
            s3 = s3_account(_config(self.secrets, names.registry_secret(upstream), "config.yml")) or s3
        known = {name: account for name, account in accounts.items() if account}
        return MirrorSecrets(self.signing, self.bundle, SecretStr(password), s3, known)

    def _has_redis(self) -> bool:
        return bool(((self.secrets.get(names.REDIS_SECRET) or {}).get("data") or {}).get("password"))


def id_of(pair: KeyPair) -> str:
    """The id by which tokens name a key."""
    key = pair.certificate.public_key()
    assert isinstance(key, rsa.RSAPublicKey)  # noqa: S101 - no other pair is ever loaded
    return key_id(key)


def look(cluster: Cluster) -> ObservedState | None:
    """What there is; None where no mirror is deployed. Raises ClusterError, SigningError or RotationError."""
    ours = cluster.select(SECRET, names.MANAGED_SELECTOR)
    secrets = {secret["metadata"]["name"]: secret for secret in ours}
    if not {names.SIGNING_SECRET, names.BUNDLE_SECRET, names.AUTH_SECRET} <= secrets.keys():
        return None
    successor = secrets.get(names.NEXT_SIGNING_SECRET)
    found = cluster.select(DEPLOYMENT, _REGISTRIES)
    auth = cluster.get(DEPLOYMENT, names.AUTH)
    if auth is None or not found:
        raise _not_deployed("the mirror lacks its docker_auth or its registry")
    registries = [
        _workload(cluster, one, registry_secret_names(one["metadata"]["name"]), secrets)
        for one in sorted(found, key=lambda one: str(one["metadata"]["name"]))
    ]
    config = _config(secrets, names.AUTH_SECRET, "auth_config.yml")
    return ObservedState(
        secrets,
        _pair(secrets[names.SIGNING_SECRET]),
        _pair(successor) if successor else None,
        _value(secrets[names.BUNDLE_SECRET], "bundle.crt"),
        tuple(registries),
        _workload(cluster, auth, AUTH_SECRET_NAMES, secrets),
        _lifetime(config),
    )


def _workload(cluster: Cluster, deployment: Object, mounted: tuple[str, ...], secrets: dict[str, Object]) -> Workload:
    name = deployment["metadata"]["name"]
    missing = [secret for secret in mounted if secret not in secrets]
    if missing:
        raise _not_deployed(f"the Secret {missing[0]} is missing")
    for secret in mounted:
        _annotation(secrets[secret], names.VERSION_ANNOTATION)
    versions = combined_version([secrets[secret] for secret in mounted])
    # A pod that has ended no longer answers anybody; one that is being deleted does so until it has drained.
    pods = [
        pod
        for pod in cluster.select(POD, f"app.kubernetes.io/instance={name}")
        if (pod.get("status") or {}).get("phase") not in {"Succeeded", "Failed"}
    ]
    template = deployment["spec"]["template"]
    return Workload(
        name,
        versions,
        _carried(template) == versions and is_rolled_out(deployment),
        tuple(pod["metadata"]["name"] for pod in pods if _carried(pod) != versions),
        tuple(pod["metadata"]["name"] for pod in pods if _takes_requests(pod)),
    )


def _carried(found: Object) -> str:
    return str((found["metadata"].get("annotations") or {}).get(names.SECRET_VERSIONS_ANNOTATION, ""))


def _takes_requests(pod: Object) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or []
    is_ready = any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
    return is_ready and not pod["metadata"].get("deletionTimestamp")


def _lifetime(config: dict[str, Any]) -> timedelta:
    try:
        return timedelta(seconds=int(config["token"]["expiration"]))
    except (KeyError, TypeError, ValueError):
        raise _not_deployed("docker_auth's configuration says no lifetime of tokens") from None


def _pair(secret: Object) -> KeyPair:
    return load_key_pair(_value(secret, "tls.crt"), _value(secret, "tls.key"))


def _value(secret: Object, key: str) -> bytes:
    try:
        return secret_data(secret)[key]
    except KeyError:
        raise _not_deployed(f"the Secret {secret['metadata']['name']} lacks {key}") from None


def _annotation(secret: Object, name: str) -> str:
    value = (secret["metadata"].get("annotations") or {}).get(name)
    if value is None:
        raise _not_deployed(f"the Secret {secret['metadata']['name']} lacks the annotation {name}")
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
