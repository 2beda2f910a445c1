"""The sections ``access`` and ``upstreams[].rules`` of the configuration file: who may pull what."""

import re
from ipaddress import IPv6Network, ip_network
from typing import Annotated, Final, Self

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from regmirror.config.fields import Network, RepositoryPattern
from regmirror.config.problem import error_at
from regmirror.config.section import Section
from regmirror.config.sign_in import SignIn
from regmirror.config.yaml_checks import is_not_text

EVERY_ACCOUNT: Final = "*"
"""In ``users``: everyone who logs in."""
_IPV4_IN_IPV6 = IPv6Network("::ffff:0:0/96")
"""docker_auth treats these addresses as IPv4."""
_ACCOUNT = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")
_NOT_PLAIN: Final = '"\\\t\n\r'
_LONGEST_TEXT: Final = 200


def account_name(value: object) -> str:
    """The name of an account of ``regmirror user``: also a key of a Secret. Raises ValueError."""
    if not isinstance(value, str) or not _ACCOUNT.fullmatch(value):
        raise ValueError(
            f'"{value}" is not a valid account name: use letters, digits, ".", "_" and "-", with a letter or digit at '
            "both ends, at most 63 characters"
        )
    return value


def _user(value: object) -> str:
    return EVERY_ACCOUNT if value == EVERY_ACCOUNT else account_name(value)


def plain_text(value: object) -> str:
    """A text that can be shown in a header, a log and a message without escaping. Raises ValueError."""
    if not isinstance(value, str | list | dict | None):
        raise ValueError(f"expected a string, not {value!r}: put it in quotes")
    if not isinstance(value, str) or not value.strip() or value != value.strip():
        raise ValueError("expected a text without spaces around it")
    if len(value) > _LONGEST_TEXT or any(is_not_text(one) or one in _NOT_PLAIN for one in value):
        raise ValueError(f"use at most {_LONGEST_TEXT} characters, without quotes, backslashes and line breaks")
    return value


UserName = Annotated[
    str,
    BeforeValidator(_user),
    WithJsonSchema({"type": "string", "description": "Name of an account, or * for everyone who logs in."}),
]
PlainText = Annotated[
    str,
    BeforeValidator(plain_text),
    WithJsonSchema({"type": "string", "description": "A text without quotes, backslashes and line breaks."}),
]


class AccessRule(Section):
    """One rule: who may or may not pull which repositories. Of all rules, the first that matches decides.

    Without ``users``, ``groups`` and ``signedIn``, the rule is for everyone, clients without a login included.
    """

    allow: Annotated[
        list[RepositoryPattern],
        Field(description="Repositories that these clients may pull.", examples=[["acme/private-*"]]),
    ] = []  # noqa: RUF012 - Pydantic copies it
    deny: Annotated[
        list[RepositoryPattern],
        Field(description="Repositories that these clients may not pull.", examples=[["acme/private-keys"]]),
    ] = []  # noqa: RUF012 - Pydantic copies it
    users: Annotated[
        list[UserName],
        Field(
            description="Accounts of regmirror user. * is everyone who logs in.", examples=[["ci-robot"]], min_length=1
        ),
    ] = []  # noqa: RUF012 - Pydantic copies it
    groups: Annotated[
        list[PlainText],
        Field(
            description="Groups: those of accounts of regmirror user, teams of GitHub by their slug, values of the "
            "claims of an OIDC provider.",
            examples=[["platform"]],
            min_length=1,
        ),
    ] = []  # noqa: RUF012 - Pydantic copies it
    signed_in: Annotated[
        list[PlainText],
        Field(
            description="Names at the sign-in provider: the login at GitHub or GitLab, the e-mail address at Google or "
            "an OIDC provider.",
            examples=[["alice@example.com"]],
            min_length=1,
        ),
    ] = []  # noqa: RUF012 - Pydantic copies it
    from_: Annotated[
        list[Network],
        Field(
            alias="from",
            description="Networks (CIDR) of the clients. Requires ingress.trustedProxies, or ingress.service with "
            "externalTrafficPolicy Local: otherwise the addresses of clients are not known.",
            examples=[["10.0.0.0/8"]],
            min_length=1,
        ),
    ] = []  # noqa: RUF012 - Pydantic copies it

    @property
    def is_for_everyone(self) -> bool:
        """Whether the rule is also for clients without a login."""
        return not (self.users or self.groups or self.signed_in)

    @property
    def patterns(self) -> list[str]:
        """The patterns of the rule, which has only one of both lists."""
        return self.allow or self.deny

    @property
    def verb(self) -> str:
        """The key of the patterns."""
        return "allow" if self.allow else "deny"

    @model_validator(mode="after")
    def _check_verb(self) -> Self:
        if bool(self.allow) == bool(self.deny):
            message = "set allow or deny, not both" if self.allow else "set allow or deny: a list of repositories"
            raise error_at((), message)
        return self

    @model_validator(mode="after")
    def _check_networks(self) -> Self:
        for index, network in enumerate(self.from_):
            found = ip_network(network)
            if isinstance(found, IPv6Network) and found.subnet_of(_IPV4_IN_IPV6):
                ipv4 = f"{found.network_address.ipv4_mapped}/{found.prefixlen - _IPV4_IN_IPV6.prefixlen}"
                raise error_at(("from", index), f"{network} has IPv4 addresses in IPv6 form: write {ipv4}")
        return self


class Access(Section):
    """Accounts and refusals. The rules themselves are in upstreams[].rules."""

    contact: Annotated[
        PlainText | None,
        Field(
            description="Whom to ask for access: an address or a URL, which clients see when they are refused.",
            examples=["platform-team@example.com"],
        ),
    ] = None
    sign_in: Annotated[
        SignIn | None,
        Field(description="The provider at which people sign in on a page of the mirror. Default: nobody can sign in."),
    ] = None
