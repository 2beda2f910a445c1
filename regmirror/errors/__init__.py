"""The errors that regmirror reports; adapters convert the exceptions of libraries to these."""

from enum import IntEnum
from typing import Self


class ExitCode(IntEnum):
    """The exit codes of every command; docs/reference/exit-codes.md documents them."""

    OK = 0
    FAILED = 1
    USAGE = 2
    PARTIAL = 3
    TIMED_OUT = 124
    INTERRUPTED = 130


class RegmirrorError(Exception):
    """An error with a stable code, a message that says what is wrong and where, and a hint that says what to do.

    Each ``code`` has a section in docs/reference/errors.md. Neither message nor hint contains the value of a secret.
    """

    code = "RM000"
    exit_code = ExitCode.FAILED
    left_changes = False
    """Whether the operation changed something before it failed."""
    causes: tuple["RegmirrorError", ...] = ()
    """The errors that this one summarizes."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def reworded(self, message: str, *, hint: str | None = None, left_changes: bool | None = None) -> Self:
        """A new error of the same kind with another message; what is None stays as it is here."""
        error = type(self)(message, hint=hint or self.hint)
        error.causes, error.left_changes = self.causes, self.left_changes if left_changes is None else left_changes
        return error

    def after_changes(self) -> Self:
        """This error, marked as one after which a command leaves changes behind: it exits as partly applied."""
        self.left_changes, self.exit_code = True, ExitCode.PARTIAL
        return self


class ConfigurationError(RegmirrorError):
    """The configuration file, an environment variable or an option is not valid."""

    code = "RM100"
    exit_code = ExitCode.USAGE


class MissingSecretError(ConfigurationError):
    """A secret that the configuration refers to does not exist."""

    code = "RM101"


class HostChangeError(ConfigurationError):
    """A deployment would replace the public host of the mirror in the namespace."""

    code = "RM103"


class TemplateError(RegmirrorError):
    """A file of the installation is missing, or a template of it cannot be rendered."""

    code = "RM102"


class CaBundleError(ConfigurationError):
    """A CA bundle that the configuration refers to does not exist, or does not contain certificates only."""

    code = "RM113"


class RedisDatabaseError(ConfigurationError):
    """A database of an external Redis holds what another upstream, or another place in the store, has."""

    code = "RM116"


class UnsuitableChartError(ConfigurationError):
    """A chart that the file names instead of regmirror's own does not render what the mirror needs."""

    code = "RM117"


class ClientSecretError(ConfigurationError):
    """docker_auth cannot use the client secret of the sign-in provider."""

    code = "RM140"


class ManagedByGitOpsError(ConfigurationError):
    """Something else than deploy applied the mirror, such as kubectl or Argo CD, so regmirror must not change it."""

    code = "RM104"


class CertificateAuthorityError(ConfigurationError):
    """The private CA of the mirror cannot be used."""

    code = "RM111"


class RouteRefusedError(RegmirrorError):
    """A Gateway does not accept a route of the mirror."""

    code = "RM105"


class EnvironmentVariableError(ConfigurationError):
    """An environment variable would make Helm use another cluster, user or release storage than regmirror."""

    code = "RM120"


class AccountError(RegmirrorError):
    """An account of ``regmirror user`` cannot be added or changed."""

    code = "RM130"


class DamagedAccountError(RegmirrorError):
    """An entry of the Secret with the accounts cannot be used."""

    code = "RM131"


class PasswordError(ConfigurationError):
    """A password cannot be used for an account."""

    code = "RM132"


class NotMirroredError(ConfigurationError):
    """No upstream of the configuration serves the registry of an image, or several do."""

    code = "RM135"


class InvalidExpectationsError(ConfigurationError):
    """The file of expectations for ``access test`` is not valid."""

    code = "RM136"


class LoginRefusedError(RegmirrorError):
    """The mirror does not accept an account, or its password."""

    code = "RM137"


class ClusterError(RegmirrorError):
    """A request to the Kubernetes API failed."""

    code = "RM200"


class ClusterUnreachableError(ClusterError):
    """The Kubernetes API server cannot be reached."""

    code = "RM201"


class KubeconfigError(ConfigurationError):
    """The kubeconfig is missing or invalid, or does not contain the requested context."""

    code = "RM202"


class PermissionDeniedError(ClusterError):
    """The Kubernetes user lacks a permission that the command needs."""

    code = "RM203"


class ConflictError(ClusterError):
    """Another client changed an object at the same time."""

    code = "RM204"


class CertificateNotIssuedError(ClusterError):
    """cert-manager could not issue the certificate of a public host."""

    code = "RM110"


class QuotaError(ClusterError):
    """The quotas or limits of the namespace do not admit the deployment."""

    code = "RM205"


class PodsRefusedError(ClusterError):
    """A policy of the cluster does not admit the mirror's pods."""

    code = "RM206"


class HelmError(RegmirrorError):
    """A Helm command failed."""

    code = "RM300"


class HelmMissingError(HelmError):
    """Helm is not installed, or its version is not supported."""

    code = "RM301"


class ChartError(HelmError):
    """A chart cannot be read or rendered."""

    code = "RM302"


class StorageError(RegmirrorError):
    """The S3 service rejected a request, or the bucket cannot be used."""

    code = "RM400"


class BucketMissingError(StorageError):
    """The bucket does not exist."""

    code = "RM401"


class StorageUnreachableError(StorageError):
    """The S3 endpoint cannot be reached."""

    code = "RM402"


class ForeignDataError(StorageError):
    """The data in the bucket belongs to another mirror."""

    code = "RM403"


class StoreRegionError(StorageError):
    """The S3 service expects requests for another region."""

    code = "RM404"


class WriteRefusedError(StorageError):
    """The S3 service lists the bucket, but refuses to create objects in it."""

    code = "RM405"


class UnsuitableStoreError(StorageError):
    """The S3 service lacks a request that the registry needs."""

    code = "RM406"


class VolumeError(StorageError):
    """The volume for cached blobs and manifests cannot be used."""

    code = "RM407"


class RegistryError(RegmirrorError):
    """A registry or token endpoint cannot be reached, or its response is not valid."""

    code = "RM500"


class UntrustedCertificateError(RegistryError):
    """The TLS certificate of a host is expired, for another host, or of an unknown certificate authority."""


class SigningError(RegmirrorError):
    """The signing key or its certificate is not valid."""

    code = "RM600"


class RotationError(RegmirrorError):
    """The signing key cannot be rotated, or not with these options."""

    code = "RM610"


class ChangeInProgressError(RegmirrorError):
    """Another command is changing the same mirror."""

    code = "RM611"


class RolloutBlockedError(RotationError):
    """Pods cannot be replaced without an outage."""

    code = "RM612"


class DeadlineError(RegmirrorError):
    """An operation did not finish, or a resource did not become ready, within the time limit."""

    code = "RM700"
    exit_code = ExitCode.TIMED_OUT


class PartlyAppliedError(RegmirrorError):
    """Some steps succeeded before another failed; run the command again to continue."""

    code = "RM701"
    exit_code = ExitCode.PARTIAL


class InterruptedRunError(RegmirrorError):
    """The command was interrupted by Ctrl-C or SIGTERM."""

    code = "RM702"
    exit_code = ExitCode.INTERRUPTED


class OutputError(RegmirrorError):
    """The result of a command cannot be written."""

    code = "RM704"


class RolledBackError(RegmirrorError):
    """A deployment failed, and the previous one was restored."""

    code = "RM703"
