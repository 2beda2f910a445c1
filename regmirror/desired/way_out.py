"""How the pods of a mirror reach what is outside of the cluster; deploy and verify take the same way."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from pydantic import SecretStr

from regmirror.config.model import Mirror, S3Storage
from regmirror.config.no_proxy import is_direct
from regmirror.desired import names

_INSIDE = (
    "localhost",
    "127.0.0.1",
    "::1",
    # The short name of a Service in the mirror's namespace, and all names of the cluster, the API server's included.
    names.REDIS,
    names.AUTH,
    ".svc",
    ".cluster.local",
    # Where cloud providers hand out credentials to pods and nodes.
    "169.254.0.0/16",
    "fd00:ec2::/32",
    "metadata.google.internal",
)


@dataclass(frozen=True, slots=True)
class WayOut:
    """The certificates that are trusted in addition to the public CAs, and the proxy."""

    ca: bytes = b""
    """PEM certificates; empty if there are none."""
    proxy: SecretStr | None = None
    """The URL of the proxy, which may contain a password."""
    no_proxy: tuple[str, ...] = ()

    def proxy_for(self, url: str) -> str | None:
        """The URL of the proxy for a request; None if the request is sent directly."""
        if self.proxy is None or is_direct(url, self.no_proxy):
            return None
        return self.proxy.get_secret_value()


def no_proxy(mirror: Mirror) -> tuple[str, ...]:
    """Everything that the mirror reaches without the proxy; empty without a proxy."""
    egress = mirror.egress
    if egress.https_proxy is None:
        return ()
    is_direct_store = mirror.storage.filesystem is None and not uses_proxy_for_storage(mirror)
    store = (urlsplit(storage_url(mirror.storage)).hostname or "",) if is_direct_store else ()
    return tuple(dict.fromkeys([*_INSIDE, *store, *egress.no_proxy]))


def uses_proxy_for_storage(mirror: Mirror) -> bool:
    """Whether the store is reached through the proxy: AWS is outside, and a store with an endpoint usually is not."""
    if mirror.egress.https_proxy is None:
        return False
    return mirror.storage.endpoint is None if mirror.egress.storage is None else mirror.egress.storage


def storage_url(storage: S3Storage) -> str:
    """The URL of the store; for AWS the regional one, which all requests for buckets of the region go to."""
    region = storage.region or ""
    domain = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    dual_stack = ".dualstack" if storage.dual_stack else ""
    return storage.endpoint or f"https://s3{dual_stack}.{region}.{domain}"


def way_out_references(mirror: Mirror) -> list[object]:
    """The parts of the configuration that refer to what verify and status read to take the way of the registries."""
    accounts = [upstream.credentials for upstream in mirror.upstreams if upstream.credentials]
    followed = [account for account in accounts if account.follows_secrets]
    return [mirror.egress, mirror.storage.ca_bundle, *(upstream.ca_bundle for upstream in mirror.upstreams), *followed]
