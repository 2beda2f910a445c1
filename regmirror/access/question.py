"""The question that is answered: which image, of which upstream, for which client."""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address

from regmirror.config.access import AccessRule, account_name, plain_text
from regmirror.config.access_decision import Address, Client
from regmirror.config.images import DOCKER_HUB, DOCKER_IO, NamedImage, named_image
from regmirror.config.model import Mirror, Upstream
from regmirror.config.registry_hosts import canonical_url
from regmirror.config.rule_clients import rule_clients
from regmirror.distribution.reference import ImageReference
from regmirror.errors import ConfigurationError, NotMirroredError


@dataclass(frozen=True, slots=True)
class Question:
    """May this client pull this image of this upstream?"""

    upstream: Upstream
    image: ImageReference
    client: Client


def find_image(mirror: Mirror, text: str, upstream_name: str = "") -> tuple[Upstream, ImageReference]:
    """The upstream that an image belongs to, and its name there.

    ``alpine`` and ``docker.io/library/alpine:3`` belong to the upstream of Docker Hub, ``quay.io/acme/tool`` to that of
    quay.io, and ``mirror.example.com/library/alpine`` to the upstream that has this public host. Without a registry, it
    may also belong to the only upstream. Raises ConfigurationError for an invalid name, and NotMirroredError.
    """
    try:
        named = named_image(text)
    except ValueError as error:
        raise ConfigurationError(str(error)) from None
    upstream = _named_upstream(mirror, upstream_name) if upstream_name else _upstream_of(mirror, named)
    return upstream, ImageReference(_repository(mirror, upstream, named), named.reference)


def client_of(
    user: str | None = None, signed_in: str | None = None, groups: Sequence[str] = (), address: str | None = None
) -> Client:
    """The client with this account, or name at the sign-in provider, and address; raises ValueError.

    An empty text is refused as well: it comes from a variable that is not set, and does not mean "without a login".
    """
    if user is not None and signed_in is not None:
        raise ValueError("a client has either an account of regmirror user or a name at the sign-in provider")
    if groups and user is None and signed_in is None:
        raise ValueError("only a client that has logged in has groups: add its account, or its name at the provider")
    if user is not None:
        account_name(user)
    if signed_in is not None:
        _check_text(signed_in, "signed-in name")
    for group in groups:
        _check_text(group, "group")
    return Client(user, signed_in, frozenset(groups), None if address is None else _address(address))


def _check_text(text: str, what: str) -> None:
    try:
        plain_text(text)
    except ValueError as error:
        raise ValueError(f'"{text}" is not a valid {what}: {error}') from None


def require_possible(mirror: Mirror, client: Client) -> None:
    """Raises ConfigurationError for a person whom the mirror never sees: an answer would be about nobody.

    That is without a sign-in, or for groups at a provider without groups.
    """
    sign_in = mirror.access.sign_in
    if client.signed_in is None or mirror.auth.external:
        return
    if sign_in is None:
        raise ConfigurationError(
            "nobody can sign in: the file has no access.signIn",
            hint="add the provider to access.signIn, or ask for an account of regmirror user",
        )
    if client.groups and not sign_in.has_groups:
        raise ConfigurationError(
            f"access.signIn.{sign_in.name} does not provide groups: only accounts of regmirror user have them",
            hint="leave out the groups",
        )


def _address(text: str) -> Address:
    try:
        return ip_address(text)
    except ValueError:
        raise ValueError(f'"{text}" is not an IP address such as 10.0.0.7') from None


def describe_rule(rule: AccessRule) -> str:
    """Whom a rule is about, in words: ``user ci or group deploy, from 10.0.0.0/8``."""
    origin = f", from {' or '.join(rule.from_)}" if rule.from_ else ""
    return " or ".join(map(str, rule_clients(rule))) + origin


def _named_upstream(mirror: Mirror, name: str) -> Upstream:
    found = next((upstream for upstream in mirror.upstreams if upstream.name == name), None)
    if found is None:
        raise NotMirroredError(f'the file has no upstream "{name}"', hint=f"use one of {_names(mirror)}")
    return found


def _upstream_of(mirror: Mirror, named: NamedImage) -> Upstream:
    registry = named.host or DOCKER_IO
    by_host = [upstream for upstream in mirror.upstreams if mirror.endpoint_of(upstream) == registry]
    found = by_host or [upstream for upstream in mirror.upstreams if upstream.registry_name == _canonical(registry)]
    if not found and not named.host and len(mirror.upstreams) == 1:
        # Another proxy of Docker Hub, or an image of the only registry there is.
        return mirror.upstreams[0]
    if not found:
        served = ", ".join(dict.fromkeys(upstream.registry_name for upstream in mirror.upstreams))
        raise NotMirroredError(
            f"no upstream serves {registry}, so clients pull its images from there; the mirror serves {served}",
            hint="add the registry to upstreams, or write the image without it and name an upstream with --upstream",
        )
    if len(found) > 1:
        names = ", ".join(upstream.name for upstream in found)
        raise NotMirroredError(f"several upstreams serve {registry}: {names}", hint="choose one with --upstream")
    return found[0]


def _canonical(registry: str) -> str:
    """``docker.io`` for each of the names of Docker Hub."""
    try:
        return DOCKER_IO if canonical_url(f"https://{registry}") == DOCKER_HUB else registry
    except ValueError:
        return registry


def _repository(mirror: Mirror, upstream: Upstream, named: NamedImage) -> str:
    """Only the name of an image of Docker Hub may omit ``library/``, and not if it begins with the mirror's host."""
    is_short = "/" not in named.repository and upstream.url == DOCKER_HUB
    return (
        f"library/{named.repository}" if is_short and named.host != mirror.endpoint_of(upstream) else named.repository
    )


def _names(mirror: Mirror) -> str:
    return ", ".join(upstream.name for upstream in mirror.upstreams)
