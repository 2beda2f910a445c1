"""The section ``access.signIn`` of the configuration file: the provider at which people sign in."""

import re
from datetime import timedelta
from typing import Annotated, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from regmirror.config.ca_bundle import CaBundle
from regmirror.config.fields import Duration, Host
from regmirror.config.kubernetes_fields import ObjectName
from regmirror.config.problem import error_at
from regmirror.config.public_providers import is_open_to_the_public
from regmirror.config.secret_references import SecretReference
from regmirror.config.section import Section

_ORGANIZATION = re.compile(r"[A-Za-z0-9](-?[A-Za-z0-9]){0,38}")
_CLIENT_ID = re.compile(r"[A-Za-z0-9._~-]{1,200}")
_CLAIM = re.compile(r"[A-Za-z0-9_.:/-]{1,200}")
_SCOPE = re.compile(r"[A-Za-z0-9_.:/-]{1,200}")
_LOCATION = re.compile(r"https://[a-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~/-]*)?")
_CHOSEN_BY_PEOPLE: Final = frozenset(
    {
        "birthdate",
        "family_name",
        "gender",
        "given_name",
        "locale",
        "middle_name",
        "name",
        "nickname",
        "picture",
        "preferred_username",
        "profile",
        "website",
        "zoneinfo",
    }
)
"""Claims that people set themselves at most providers (OpenID Connect Core 1.0, sections 5.1 and 5.7)."""
_NOT_A_TEXT: Final = frozenset({"address", "email_verified", "phone_number_verified", "updated_at"})
"""Claims with another type (section 5.1): docker_auth lets nobody in without a text."""


def _matching(grammar: re.Pattern[str], what: str) -> list[object]:
    def check(value: object) -> str:
        if not isinstance(value, str) or not grammar.fullmatch(value):
            raise ValueError(f'"{value}" is not {what}')
        return value

    return [BeforeValidator(check), WithJsonSchema({"type": "string", "pattern": f"^{grammar.pattern}$"})]


def _location(value: object) -> str:
    text = value if isinstance(value, str) else ""
    # Checked first, so that no other message repeats the password.
    if "@" in text:
        raise ValueError("credentials are not allowed in a URL")
    if text.startswith("http://"):
        raise ValueError("must begin with https://: anyone on the way could sign in as anybody")
    if not _LOCATION.fullmatch(text) or not _has_port(text):
        raise ValueError(f'"{value}" is not a URL such as https://login.example.com, without a query')
    return text


def _has_port(url: str) -> bool:
    try:
        return urlsplit(url).port != 0
    except ValueError:
        return False


Location = Annotated[
    str, BeforeValidator(_location), WithJsonSchema({"type": "string", "pattern": "^https://[^@?#]+$"})
]
ClientId = Annotated[str, *_matching(_CLIENT_ID, "a client ID, as the provider shows it")]
Claim = Annotated[str, *_matching(_CLAIM, "the name of a claim, such as email")]
Scope = Annotated[str, *_matching(_SCOPE, "a scope, such as openid")]


class SignInProvider(Section):
    """What every provider has: the application that is registered there."""

    client_id: Annotated[
        ClientId, Field(description="Client ID of the application at the provider.", examples=["0123456789abcdef"])
    ]
    client_secret: Annotated[
        SecretReference,
        Field(description="Client secret of the application.", examples=[{"env": "SIGN_IN_CLIENT_SECRET"}]),
    ]


class _Revalidated(SignInProvider):
    """A provider that is asked again whether somebody still has access."""

    revalidate_after: Annotated[
        Duration,
        Field(
            description="How long a login is valid before the provider is asked again, from 1m to 24h. Someone who "
            "loses access at the provider can pull for that long.",
            examples=["30m"],
        ),
    ] = timedelta(hours=1)

    @model_validator(mode="after")
    def _check_time(self) -> Self:
        if not timedelta(minutes=1) <= self.revalidate_after <= timedelta(hours=24):
            raise error_at(("revalidateAfter",), "must be from 1m to 24h")
        return self


class GitHubSignIn(_Revalidated):
    """GitHub, or GitHub Enterprise: members of one organization."""

    organization: Annotated[
        str,
        *_matching(_ORGANIZATION, "the login of an organization at GitHub"),
        Field(
            description="Organization whose members may sign in, spelled as GitHub shows it: its teams are groups only "
            "if upper and lower case are right.",
            examples=["acme"],
        ),
    ]
    url: Annotated[
        Location, Field(description="URL of GitHub, or of GitHub Enterprise.", examples=["https://github.example.com"])
    ] = "https://github.com"

    @property
    def web_url(self) -> str:
        """The URL of its pages, without a slash at its end."""
        return self.url.rstrip("/")

    @property
    def api_url(self) -> str:
        """The URL of its API. Source: docs.github.com, "Getting started with the REST API", of each edition."""
        scheme, _, host = self.web_url.partition("://")
        if host == "github.com" or host.endswith(".ghe.com"):
            return f"{scheme}://api.{host}"
        return f"{self.web_url}/api/v3"


class GoogleSignIn(SignInProvider):
    """Google: people with an e-mail address of one domain."""

    domain: Annotated[
        Host, Field(description="Domain of the e-mail addresses that may sign in.", examples=["example.com"])
    ]


class GitLabSignIn(_Revalidated):
    """GitLab: everybody with an account there. It is not asked about groups."""

    url: Annotated[Location, Field(description="URL of GitLab.", examples=["https://gitlab.example.com"])]


class OidcSignIn(SignInProvider):
    """A provider of OpenID Connect, such as Keycloak, Dex, Okta or Microsoft Entra ID."""

    issuer: Annotated[
        Location,
        Field(
            description="Issuer, exactly as the provider spells it, with or without a slash at its end.",
            examples=["https://login.example.com/realms/acme"],
        ),
    ]
    user_claim: Annotated[
        Claim,
        Field(
            description="Claim of the ID token with the name of the person. Its values must be unique, and people must "
            "not be able to choose them. Whether an e-mail address is verified is not checked.",
            examples=["email"],
        ),
    ] = "email"
    groups_claim: Annotated[
        Claim, Field(description="Claim of the ID token with the list of groups.", examples=["groups"])
    ] = "groups"
    scopes: Annotated[
        list[Scope],
        Field(
            min_length=1,
            description="Scopes to request. Without offline_access most providers return no refresh token, and people "
            "sign in again as soon as the access token ends.",
            examples=[["openid", "email", "groups", "offline_access"]],
        ),
    ] = ["openid", "email", "offline_access"]  # noqa: RUF012 - Pydantic copies it

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.user_claim in _CHOSEN_BY_PEOPLE:
            message = f"people choose {self.user_claim} themselves at most providers: use email or sub"
            raise error_at(("userClaim",), message)
        if self.user_claim in _NOT_A_TEXT:
            message = f"{self.user_claim} is not a text, so nobody could sign in: use email or sub"
            raise error_at(("userClaim",), message)
        if self.groups_claim == "user":
            raise error_at(("groupsClaim",), "the name user is taken by the accounts of regmirror user")
        if "openid" not in self.scopes:
            raise error_at(("scopes",), "add openid: without it there is no ID token")
        return self


ProviderName = Literal["github", "google", "gitlab", "oidc"]
PROVIDERS: Final[tuple[ProviderName, ...]] = ("github", "google", "gitlab", "oidc")


class SignIn(Section):
    """How people sign in: exactly one of github, google, gitlab and oidc."""

    github: Annotated[GitHubSignIn | None, Field(description="Members of an organization at GitHub.")] = None
    google: Annotated[GoogleSignIn | None, Field(description="People of a domain at Google.")] = None
    gitlab: Annotated[GitLabSignIn | None, Field(description="People with an account at a GitLab.")] = None
    oidc: Annotated[OidcSignIn | None, Field(description="People of a provider of OpenID Connect.")] = None
    ca_bundle: Annotated[
        CaBundle | None,
        Field(
            description="Certificates of private CAs, to check the certificate of the provider.",
            examples=[{"file": "company-ca.pem"}],
        ),
    ] = None
    volume: Annotated[
        Literal["emptyDir"] | ObjectName | None,
        Field(
            description="Where logins are stored: the name of a StorageClass, or emptyDir, which loses all logins when "
            "its pod restarts. Default: the default StorageClass of the cluster.",
            examples=["emptyDir"],
        ),
    ] = None

    @property
    def name(self) -> ProviderName:
        """The key of the provider."""
        return next(name for name in PROVIDERS if getattr(self, name))

    @property
    def provider(self) -> GitHubSignIn | GoogleSignIn | GitLabSignIn | OidcSignIn:
        """The provider."""
        found = self.github or self.google or self.gitlab or self.oidc
        assert found is not None  # noqa: S101 - checked when the file was read
        return found

    @property
    def path(self) -> str:
        """The path of the page on which people sign in (docker_auth 1.14.0, ``server/server.go``)."""
        return f"/{self.name}_auth"

    @property
    def has_groups(self) -> bool:
        """Whether docker_auth learns the groups of a person from the provider."""
        return bool(self.github or self.oidc)

    @property
    def uses_callback_url(self) -> bool:
        """Whether the provider sends people back to the page; Google's script passes the code to the open page."""
        return self.google is None

    @property
    def has_volume(self) -> bool:
        """Whether deploy creates a volume for the logins."""
        return self.volume != "emptyDir"

    @property
    def is_open_to_the_public(self) -> bool:
        """Whether anybody can have an account at the provider."""
        url = self.gitlab.url if self.gitlab else self.oidc.issuer if self.oidc else ""
        return is_open_to_the_public(url)

    @model_validator(mode="after")
    def _check_provider(self) -> Self:
        found = [name for name in PROVIDERS if getattr(self, name)]
        if not found:
            raise error_at((), f"set one of {', '.join(PROVIDERS)}")
        if len(found) > 1:
            message = f"set only one provider: docker_auth refuses the people of all but the first ({found[0]})"
            raise error_at((found[1],), message)
        return self
