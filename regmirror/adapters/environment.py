"""The environment variables that Helm and boto3 read on their own, and what regmirror does about each.

What is deployed, and where, follows from the configuration file, the options and the kubeconfig. Sources: Helm 3.17 and
4 ``pkg/cli/environment.go``; botocore ``configprovider.py``.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from regmirror.errors import EnvironmentVariableError


class Effect(StrEnum):
    """What happens to a variable."""

    USED = "used"
    IGNORED = "ignored"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable, and why; the sentence follows ``NAME is ignored:`` or ``NAME is set:``."""

    name: str
    effect: Effect
    reason: str


_CLUSTER = "Helm would use another cluster or another user than regmirror"
_CHARTS = "where Helm stores and finds what it downloads"
_STORE = "storage describes the store, for the pods and for regmirror alike"
_CREDENTIALS = "without storage.accessKey, regmirror uses the bucket with the credentials of this machine"

HELM_VARIABLES = (
    *(
        Variable(f"HELM_{name}", Effect.REFUSED, _CLUSTER)
        for name in (
            "KUBEAPISERVER",
            "KUBETOKEN",
            "KUBECAFILE",
            "KUBEASUSER",
            "KUBEASGROUPS",
            "KUBEINSECURE_SKIP_TLS_VERIFY",
            "KUBETLS_SERVER_NAME",
        )
    ),
    Variable("HELM_DRIVER", Effect.REFUSED, "Helm would look for the releases elsewhere than in Secrets"),
    Variable("HELM_KUBECONTEXT", Effect.IGNORED, "--context or REGMIRROR_CONTEXT chooses the context"),
    Variable("HELM_NAMESPACE", Effect.IGNORED, "the configuration file or --namespace names the namespace"),
    Variable("HELM_MAX_HISTORY", Effect.IGNORED, "deploy --rollback-on-failure needs earlier revisions"),
    Variable("HELM_DEBUG", Effect.IGNORED, "it changes what Helm prints, which regmirror reads"),
    Variable("HELM_PLUGINS", Effect.IGNORED, "regmirror runs Helm without plugins"),
    *(
        Variable(f"HELM_{name}", Effect.USED, _CHARTS)
        for name in (
            "CACHE_HOME",
            "CONFIG_HOME",
            "DATA_HOME",
            "CONTENT_CACHE",
            "REPOSITORY_CACHE",
            "REPOSITORY_CONFIG",
            "REGISTRY_CONFIG",
        )
    ),
    Variable("HELM_BURST_LIMIT", Effect.USED, "how fast Helm sends requests to the API server"),
    Variable("HELM_QPS", Effect.USED, "how fast Helm sends requests to the API server"),
)
"""Every other variable that begins with HELM_ is withheld from Helm."""

STORE_VARIABLES = (
    *(
        Variable(name, Effect.IGNORED, _STORE)
        for name in (
            "AWS_ENDPOINT_URL",
            "AWS_ENDPOINT_URL_S3",
            "AWS_CA_BUNDLE",
            "AWS_USE_DUALSTACK_ENDPOINT",
            "AWS_USE_FIPS_ENDPOINT",
            "AWS_S3_USE_ARN_REGION",
            "AWS_S3_US_EAST_1_REGIONAL_ENDPOINT",
            "AWS_S3_DISABLE_MULTIREGION_ACCESS_POINTS",
            "AWS_S3_DISABLE_EXPRESS_SESSION_AUTH",
            "AWS_REQUEST_CHECKSUM_CALCULATION",
            "AWS_RESPONSE_CHECKSUM_VALIDATION",
            "AWS_AUTH_SCHEME_PREFERENCE",
            "AWS_SIGV4A_SIGNING_REGION_SET",
            "AWS_DEFAULTS_MODE",
            "AWS_RETRY_MODE",
            "AWS_MAX_ATTEMPTS",
        )
    ),
    *(
        Variable(name, Effect.USED, _CREDENTIALS)
        for name in (
            "AWS_ACCESS_KEY_ID",
            "AWS_SECRET_ACCESS_KEY",
            "AWS_SESSION_TOKEN",
            "AWS_PROFILE",
            "AWS_DEFAULT_PROFILE",
            "AWS_CONFIG_FILE",
            "AWS_SHARED_CREDENTIALS_FILE",
            "AWS_ROLE_ARN",
            "AWS_ROLE_SESSION_NAME",
            "AWS_WEB_IDENTITY_TOKEN_FILE",
            "AWS_CONTAINER_CREDENTIALS_FULL_URI",
            "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
            "AWS_EC2_METADATA_DISABLED",
            "AWS_EC2_METADATA_SERVICE_ENDPOINT",
            "AWS_METADATA_SERVICE_TIMEOUT",
            "AWS_METADATA_SERVICE_NUM_ATTEMPTS",
            "AWS_ENDPOINT_URL_STS",
        )
    ),
)

_DRIVERS_OF_SECRETS = {"secret", "secrets"}
_HELM_USED = {variable.name for variable in HELM_VARIABLES if variable.effect is Effect.USED}


def require_same_cluster(environ: Mapping[str, str]) -> None:
    """Raise EnvironmentVariableError if a variable would send Helm elsewhere than the Kubernetes client."""
    for variable in HELM_VARIABLES:
        value = environ.get(variable.name)
        harmless = variable.name == "HELM_DRIVER" and value in _DRIVERS_OF_SECRETS
        if variable.effect is Effect.REFUSED and value and not harmless:
            raise EnvironmentVariableError(
                f"{variable.name} is set: {variable.reason}",
                hint=f"unset {variable.name}; --kubeconfig and --context choose cluster and user",
            )


def ignored_variables(environ: Mapping[str, str], *, store: bool) -> Iterator[str]:
    """A sentence for each variable that is set and has no effect on Helm, or on the use of the store."""
    for variable in (*HELM_VARIABLES, *(STORE_VARIABLES if store else ())):
        if variable.effect is Effect.IGNORED and environ.get(variable.name):
            yield f"{variable.name} is ignored: {variable.reason}"


def helm_environment(environ: Mapping[str, str], withheld: Collection[str]) -> dict[str, str]:
    """The environment of Helm, without what could change what it does, and without ``withheld``."""
    kept = {
        name: value
        for name, value in environ.items()
        if name not in withheld and (name in _HELM_USED or not name.startswith("HELM_"))
    }
    return kept | {"HELM_NO_PLUGINS": "1"}
