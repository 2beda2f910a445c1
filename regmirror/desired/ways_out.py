"""Finds the CA bundles and the proxy of a mirror."""

from collections.abc import Callable
from dataclasses import dataclass

from pydantic import SecretStr

from regmirror.config.ca_bundle import CaBundleResolver
from regmirror.config.egress import check_proxy_url
from regmirror.config.model import Mirror, Upstream
from regmirror.config.secret_references import SecretResolver
from regmirror.desired import names
from regmirror.desired.mirror_secrets import AUTH_CERTIFICATE, REDIS_CA, SIGN_IN_CA
from regmirror.desired.way_out import WayOut, no_proxy
from regmirror.errors import ConfigurationError, MissingSecretError
from regmirror.signing.ca_certificates import join_certificates


def resolve_ca_bundles(mirror: Mirror, resolver: CaBundleResolver) -> dict[str, bytes]:
    """The certificates that each registry trusts, by the name of its upstream; others by key. Raises CaBundleError.

    A registry trusts those of its upstream and those of the store: its process has one list for all connections.
    """
    store = resolve_storage_ca(mirror, resolver)
    bundles = {}
    for index, upstream in enumerate(mirror.upstreams):
        own = upstream.ca_bundle and resolver.resolve(upstream.ca_bundle, f"upstreams[{index}].caBundle")
        if joined := join_certificates(own or b"", store):
            bundles[upstream.name] = joined
    if mirror.auth.external:
        bundles[AUTH_CERTIFICATE] = resolver.resolve(mirror.auth.external.certificate, AUTH_CERTIFICATE)
    redis_tls = mirror.redis.external.tls if mirror.redis.external else None
    if redis_tls and redis_tls.ca_bundle:
        bundles[REDIS_CA] = resolver.resolve(redis_tls.ca_bundle, REDIS_CA)
    sign_in = mirror.access.sign_in
    if sign_in and sign_in.ca_bundle:
        bundles[SIGN_IN_CA] = resolver.resolve(sign_in.ca_bundle, SIGN_IN_CA)
    return bundles


def resolve_storage_ca(mirror: Mirror, resolver: CaBundleResolver) -> bytes:
    """The certificates of the store's CA; empty if there are none. Raises CaBundleError."""
    reference = mirror.storage.ca_bundle
    return resolver.resolve(reference, "storage.caBundle") if reference else b""


def resolve_proxy(mirror: Mirror, resolver: SecretResolver) -> SecretStr | None:
    """The URL of the proxy; None without one. Raises MissingSecretError."""
    reference = mirror.egress.https_proxy
    if reference is None or isinstance(reference, str):
        return SecretStr(reference) if reference else None
    found = resolver.resolve(reference, "egress.httpsProxy")
    try:
        return SecretStr(check_proxy_url(found.get_secret_value()))
    except ValueError as error:
        hint = "store a URL such as http://USER:PASSWORD@proxy.example.com:3128, special characters as %XX"
        raise MissingSecretError(f"egress.httpsProxy: the secret {error}", hint=hint) from None


@dataclass(frozen=True, slots=True)
class WaysOut:
    """The ways of one mirror to its upstreams and to its store.

    A file or a variable that is only on the machine of the last deployment is not needed: then the certificates and the
    proxy that this deployment gave to the registries are used.
    """

    mirror: Mirror
    ca_bundles: CaBundleResolver
    resolver: SecretResolver
    read_secret: Callable[[str, str], bytes | None]
    """Looks up (Secret name, key) in the cluster."""

    def to_upstream(self, upstream: Upstream) -> WayOut:
        """Raises CaBundleError or MissingSecretError if nothing is deployed either."""
        ca = self._ca(upstream, lambda: resolve_ca_bundles(self.mirror, self.ca_bundles).get(upstream.name, b""))
        return WayOut(ca, self._proxy(upstream), no_proxy(self.mirror))

    def to_store(self) -> WayOut:
        """Raises CaBundleError or MissingSecretError if nothing is deployed either."""
        # All registries use the same store.
        first = self.mirror.upstreams[0]
        ca = self._ca(first, lambda: resolve_storage_ca(self.mirror, self.ca_bundles))
        return WayOut(ca, self._proxy(first), no_proxy(self.mirror))

    def _ca(self, upstream: Upstream, resolve: Callable[[], bytes]) -> bytes:
        return self._or_deployed(resolve, upstream, names.CA_KEY)

    def _proxy(self, upstream: Upstream) -> SecretStr | None:
        def resolve() -> bytes:
            proxy = resolve_proxy(self.mirror, self.resolver)
            return proxy.get_secret_value().encode() if proxy else b""

        url = self._or_deployed(resolve, upstream, names.PROXY_KEY)
        return SecretStr(url.decode()) if url else None

    def _or_deployed(self, resolve: Callable[[], bytes], upstream: Upstream, key: str) -> bytes:
        try:
            return resolve()
        except ConfigurationError:
            deployed = self.read_secret(names.registry_secret(upstream.name), key)
            if deployed is None:
                raise
            return deployed
