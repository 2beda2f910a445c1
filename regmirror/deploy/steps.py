"""The steps of a deployment, in order."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from regmirror.config.model import Mirror
from regmirror.deploy.admission import AdmissionStep
from regmirror.deploy.adopt_certificates import ADOPT_STEP, AdoptCertificatesStep
from regmirror.deploy.bucket import BucketStep
from regmirror.deploy.bucket_in_cluster import BucketInClusterStep
from regmirror.deploy.certificates import CERTIFICATES_STEP, CertificatesStep
from regmirror.deploy.cloud_role import CloudRoleStep, OperatorsBucketStep
from regmirror.deploy.diff_changes import DiffableStep
from regmirror.deploy.namespace import NAMESPACE_STEP, NamespaceStep
from regmirror.deploy.ownership import Ownership, OwnershipStep
from regmirror.deploy.prune import Orphans, PruneStep
from regmirror.deploy.public_check import PublicCheckStep
from regmirror.deploy.release import ReleaseStep
from regmirror.deploy.route import ROUTE_STEP, RouteStep, routes_of
from regmirror.deploy.secrets import SECRETS_STEP, SecretsStep
from regmirror.deploy.volume import data_volumes, login_volume
from regmirror.desired import names
from regmirror.desired.mirror_secrets import MirrorSecrets
from regmirror.desired.pod_security import pod_security_warnings
from regmirror.desired.releases import Stack
from regmirror.ports.cluster import Object
from regmirror.ports.connections import Connections
from regmirror.ports.helm import ListedRelease
from regmirror.ports.object_store import ObjectStore
from regmirror.steps.lease import Lease
from regmirror.steps.step import Step


@dataclass(frozen=True, slots=True)
class DeployOptions:
    """What the options of ``regmirror deploy`` change about a deployment."""

    unlock: bool = False
    """Clear a stale Helm lock immediately."""
    prune: bool = False
    """Remove what is left of upstreams that are no longer configured."""
    rollback: bool = False
    """Restore the previous state if the deployment fails."""
    skip_bucket: bool = False
    skip_admission: bool = False
    """Do not find out in advance whether the namespace admits the pods."""
    take_over: bool = False
    """Claim data in the bucket that belongs to another mirror."""
    change_host: bool = False
    """Replace the public host that the namespace serves."""
    skip_verify: bool = False
    """Do not check the public hosts at the end."""


@dataclass(frozen=True, slots=True)
class DesiredState:
    """What a deployment has to achieve, and what exists already."""

    mirror: Mirror
    mirror_secrets: MirrorSecrets
    stack: Stack
    rendered: dict[str, list[Object]]
    """The objects of each release, by its name."""
    existing: Mapping[str, ListedRelease]
    """The releases in the cluster, by name."""
    has_namespace: bool = True
    """Whether the namespace exists already."""
    is_checked: bool = True
    """Whether the steps find what the namespace does not admit; a diff does that before, and goes on."""
    store: ObjectStore | None = None
    """The bucket; None if its check is skipped, or the data is on a volume."""
    is_store_reachable: bool = True
    """Whether this machine reaches the store; a pod has to, otherwise."""
    ownership: Ownership | None = None
    """The claims on the data in the bucket; None with ``store``."""
    pruned: Orphans = field(default_factory=lambda: Orphans((), ()))
    """What is in the cluster, not desired, and to be removed."""

    @property
    def pod_warnings(self) -> list[str]:
        """What in the pods of each release a namespace with Pod Security ``restricted`` refuses."""
        return pod_security_warnings(self.stack.releases, self.rendered)


def deployment_steps(
    desired: DesiredState, connections: Connections, options: DeployOptions, lease: Lease
) -> list[Step]:
    """The steps that change the cluster, and the checks of the public hosts and their certificates."""
    steps: list[Step] = [*changing_steps(desired, connections, lease, unlock=options.unlock)]
    endpoint = desired.stack.releases[-1].name
    needs: tuple[str, ...] = (endpoint,)
    if routes := routes_of(desired.rendered[endpoint]):
        steps.append(RouteStep(routes, connections.cluster, needs))
        needs = (ROUTE_STEP,)
    if options.skip_verify:
        return steps
    if issued := desired.mirror.issued_hosts:
        # Not after the endpoint, which may itself wait for the certificate: a Gateway accepts no listener without one.
        requested_by = names.CERTIFICATES if desired.mirror.ingress.issuer else endpoint
        steps.append(CertificatesStep(issued, connections.cluster, needs=(requested_by,)))
        needs = (*needs, CERTIFICATES_STEP)
    return [*steps, _public_check(desired, connections, needs)]


def changing_steps(
    desired: DesiredState, connections: Connections, lease: Lease | None = None, *, unlock: bool = False
) -> list[DiffableStep]:
    """The steps that change something; each can show what it would change, which needs no ``lease``."""
    stack = desired.stack
    steps: list[DiffableStep] = []
    if desired.is_checked and desired.has_namespace:
        steps.append(_admission(desired, connections))
    sign_in = desired.mirror.access.sign_in
    if sign_in and sign_in.has_volume:
        steps.append(login_volume(sign_in, connections.cluster.blocking, tuple(step.name for step in steps)))
    steps += _storage(desired, connections, tuple(step.name for step in steps))
    # The bucket comes first: if S3 refuses the key, nothing is changed in the cluster; and the registry panics at
    # start if its bucket is missing.
    steps.append(NamespaceStep(connections.cluster, tuple(step.name for step in steps), lease))
    if desired.is_checked and not desired.has_namespace:
        # What the cluster demands in the namespace is known as soon as it exists.
        steps.append(_admission(desired, connections, NAMESPACE_STEP))
    steps += _claims(desired, connections)
    steps.append(SecretsStep(connections.cluster, stack.secrets, needs=tuple(step.name for step in steps)))
    adoption: tuple[str, ...] = ()
    if desired.mirror.ingress.issuer:
        steps.append(AdoptCertificatesStep((*desired.mirror.tls_hosts,), connections.cluster, needs=(SECRETS_STEP,)))
        adoption = (ADOPT_STEP,)
    steps += [
        ReleaseStep(
            release,
            desired.rendered[release.name],
            connections.helm,
            connections.cluster,
            desired.mirror_secrets,
            unlock,
            needs=(SECRETS_STEP, *adoption, *release.needs),
            existing=desired.existing.get(release.name),
        )
        for release in stack.releases
    ]
    if desired.store and desired.mirror_secrets.s3 is None:
        mirror = desired.mirror
        services = {names.registry(upstream.name): mirror.service_of(upstream) for upstream in mirror.upstreams}
        steps.append(CloudRoleStep(connections.cluster, services, mirror.issuer, desired.mirror_secrets.signing))
    if desired.pruned:
        needs = (stack.releases[-1].name,)
        steps.append(PruneStep(desired.pruned, connections.helm, connections.cluster, needs))
    return steps


def _admission(desired: DesiredState, connections: Connections, *needs: str) -> AdmissionStep:
    return AdmissionStep(connections.cluster, desired.stack.secrets, desired.rendered, needs)


def _storage(desired: DesiredState, connections: Connections, needs: tuple[str, ...]) -> list[DiffableStep]:
    """The step that checks the bucket or the volumes, as far as this machine can before the namespace exists."""
    mirror = desired.mirror
    if filesystem := mirror.storage.filesystem:
        return [data_volumes(mirror, filesystem, connections.cluster.blocking, needs)]
    if desired.store is None or not desired.is_store_reachable:
        return []
    return [_with_credentials(desired, BucketStep(mirror, desired.store, desired.ownership, needs=needs))]


def _claims(desired: DesiredState, connections: Connections) -> list[DiffableStep]:
    """The step that claims the data in the bucket; it also checks a bucket that only pods can reach."""
    if desired.ownership is None:
        return []
    if desired.is_store_reachable:
        return [_with_credentials(desired, OwnershipStep(desired.ownership))]
    step: DiffableStep = BucketInClusterStep(connections, desired.mirror_secrets.s3, desired.ownership)
    return [_with_credentials(desired, step)]


def _with_credentials(desired: DesiredState, step: DiffableStep) -> DiffableStep:
    """With a cloud role, the credentials of this machine are others than those of the pods."""
    return step if desired.mirror_secrets.s3 else OperatorsBucketStep(step)


def _public_check(desired: DesiredState, connections: Connections, needs: tuple[str, ...]) -> PublicCheckStep:
    mirror, self_signed = desired.mirror, desired.mirror_secrets.self_signed
    return PublicCheckStep(
        tuple(mirror.endpoint_of(upstream) for upstream in mirror.upstreams),
        connections.http,
        connections.cluster,
        needs=needs,
        tls_secrets={mirror.endpoint_of(u): secret for u in mirror.upstreams if (secret := mirror.tls_secret_of(u))},
        realms={mirror.endpoint_of(u): mirror.realm_of(u) for u in mirror.upstreams} if mirror.auth.external else {},
        authority=self_signed.authority.certificate_pem if self_signed else b"",
        is_service=mirror.ingress.service is not None,
    )
