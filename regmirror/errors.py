"""The errors that regmirror shows to its user; every exception of a library is turned into one of these at the edge."""

from enum import IntEnum
from typing import Self


class ExitCode(IntEnum):
    """The exit codes of every command, as documented in docs/errors.md."""

    OK = 0
    FAILED = 1
    USAGE = 2
    PARTIAL = 3
    TIMED_OUT = 124
    INTERRUPTED = 130


class RegmirrorError(Exception):
    """Says what is wrong, where, and what to do about it.

    ``code`` is stable and has a heading in docs/errors.md. Neither text may hold the value of a secret.
    """

    code = "RM000"
    exit_code = ExitCode.FAILED
    left_changes = False
    """Whether what failed had changed something before."""
    causes: tuple["RegmirrorError", ...] = ()
    """The errors that this one sums up."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def reworded(self, message: str, *, hint: str | None = None, left_changes: bool | None = None) -> Self:
        """A new error of the same kind with another message; what is None stays as it is here."""
        error = type(self)(message, hint=hint or self.hint)
        error.causes, error.left_changes = self.causes, self.left_changes if left_changes is None else left_changes
        return error


class ConfigurationError(RegmirrorError):
    """The configuration file, a variable or an option cannot be used as it is."""

    code = "RM100"
    exit_code = ExitCode.USAGE


class MissingSecretError(ConfigurationError):
    """A secret that the configuration refers to cannot be found."""

    code = "RM101"


class TemplateError(RegmirrorError):
    """A template of regmirror does not render to what its chart needs."""

    code = "RM102"


class ClusterError(RegmirrorError):
    """The Kubernetes API refused or failed a request."""

    code = "RM200"


class ClusterUnreachableError(ClusterError):
    """No answer came from the Kubernetes API server."""

    code = "RM201"


class KubeconfigError(ConfigurationError):
    """The kubeconfig is missing, broken, or lacks the context asked for."""

    code = "RM202"


class PermissionDeniedError(ClusterError):
    """The Kubernetes user may not do what the command needs."""

    code = "RM203"


class ConflictError(ClusterError):
    """Somebody else has changed an object in the meantime."""

    code = "RM204"


class HelmError(RegmirrorError):
    """Helm failed."""

    code = "RM300"


class HelmMissingError(HelmError):
    """No usable Helm is installed."""

    code = "RM301"


class ChartError(HelmError):
    """A chart cannot be read or rendered."""

    code = "RM302"


class StorageError(RegmirrorError):
    """The S3 service or the bucket cannot be used."""

    code = "RM400"


class BucketMissingError(StorageError):
    """The bucket does not exist."""

    code = "RM401"


class StorageUnreachableError(StorageError):
    """No answer came from the S3 endpoint."""

    code = "RM402"


class RegistryError(RegmirrorError):
    """A registry or token endpoint could not be reached or gave an answer that makes no sense."""

    code = "RM500"


class UntrustedCertificateError(RegistryError):
    """The TLS certificate of a host is expired, for another host, or of an unknown certificate authority."""


class SigningError(RegmirrorError):
    """The signing key and its certificate cannot be used."""

    code = "RM600"


class RotationError(RegmirrorError):
    """The signing key cannot be rotated, or not as it was asked for."""

    code = "RM610"


class RotationLockedError(RotationError):
    """Another rotation is at work on the same mirror."""

    code = "RM611"


class RolloutBlockedError(RotationError):
    """Something would keep pods from being replaced without an outage."""

    code = "RM612"


class DeadlineError(RegmirrorError):
    """Something was not done, or did not become ready, in time."""

    code = "RM700"
    exit_code = ExitCode.TIMED_OUT


class PartlyAppliedError(RegmirrorError):
    """Some steps were carried out before another failed; running the command again goes on from there."""

    code = "RM701"
    exit_code = ExitCode.PARTIAL


class InterruptedRunError(RegmirrorError):
    """Ctrl-C or SIGTERM ended the command; running it again goes on from there."""

    code = "RM702"
    exit_code = ExitCode.INTERRUPTED


class RolledBackError(RegmirrorError):
    """A deployment failed, and what served before it was put back."""

    code = "RM703"
