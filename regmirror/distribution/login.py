"""What an upstream does with an account, and with the token service that it names."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from regmirror.config.registry_hosts import realm_problem
from regmirror.distribution.challenge import asks_for_basic, parse_challenge
from regmirror.distribution.client import NoRegistryError, RegistryClient, basic_authorization
from regmirror.errors import RegistryError
from regmirror.ports.http import Http


@dataclass(frozen=True, slots=True)
class Login:
    """How an upstream authenticates clients: with a token of a service, with user name and password, or not at all."""

    realm: str = ""
    """The URL of the token service; empty if there is none."""
    service: str = ""
    needs_account: bool = False
    """Whether every request must have user name and password."""

    def problem(self, url: str) -> tuple[str, str] | None:
        """Why the registry cannot log in to the upstream at ``url``, and what to do; None if it can."""
        if not self.realm or not (problem := realm_problem(url, self.realm)):
            return None
        return problem, f"set upstreams[].url to the registry of that service, such as https://{_host(self.realm)}"


def ask_login(http: Http, url: str) -> Login:
    """Ask the upstream how it authenticates clients.

    Raises NoRegistryError if it does not answer as a registry, and RegistryError if it does not answer.
    """
    answer = http.request("GET", f"{url}/v2/")
    header = answer.headers.get("www-authenticate", "")
    challenge = parse_challenge(header)
    if answer.status == 200:
        return Login()
    if answer.status == 401 and challenge:
        return Login(challenge.realm, challenge.service)
    if answer.status == 401 and asks_for_basic(header):
        return Login(needs_account=True)
    error = NoRegistryError if answer.status < 429 else RegistryError
    raise error(f"{url} does not answer as a registry ({answer.status} to /v2/)")


def login_status(http: Http, url: str, login: Login, account: tuple[str, str]) -> int:
    """The HTTP status with which the upstream, or its token service, answers to an account; 401 or 403 refuses it."""
    if login.needs_account:
        return http.request("GET", f"{url}/v2/", {"Authorization": basic_authorization(account)}).status
    if not login.realm:
        return 200
    return RegistryClient(http, url, account).ask_token(login.realm, login.service).status


def _host(url: str) -> str:
    return urlsplit(url).netloc
