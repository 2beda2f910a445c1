"""How people sign in: the sections of docker_auth's configuration file, and the files that they refer to.

Source: docker_auth 1.14.0, ``auth_server/authn/{github,google,gitlab,oidc}_auth.go`` and ``tokendb_redis.go``.
"""

from typing import Any, Final

from regmirror.config.durations import format_duration
from regmirror.config.model import Mirror
from regmirror.config.sign_in import GitHubSignIn, GitLabSignIn, GoogleSignIn, OidcSignIn
from regmirror.desired import names
from regmirror.desired.mirror_secrets import SIGN_IN_CA, MirrorSecrets
from regmirror.desired.redis_config import quoted

CLIENT_SECRET_KEY: Final = "client-secret"  # noqa: S105 - the name of a key
SIGN_IN_KEYS: Final = (CLIENT_SECRET_KEY, names.CA_KEY, names.PROXY_KEY)
"""The keys of docker_auth's Secret that only ``access.signIn`` leads to."""
_CONFIG_DIRECTORY = "/config"
_LOWEST_HASH_COST = 4
"""docker_auth generates the passwords: 95 random bits need no slow hash, which a client could make it compute."""
Section = dict[str, Any]


def sign_in_config(mirror: Mirror, database_password: str) -> Section:
    """The section of the configured provider; empty without one."""
    sign_in = mirror.access.sign_in
    if sign_in is None:
        return {}
    common = {
        "client_id": sign_in.provider.client_id,
        "client_secret_file": f"{_CONFIG_DIRECTORY}/{CLIENT_SECRET_KEY}",
        "redis_token_db": {
            "redis_options": {"addr": f"{names.SIGN_IN}:{names.REDIS_PORT}", "password": database_password},
            "token_hash_cost": _LOWEST_HASH_COST,
        },
    }
    return {f"{sign_in.name}_auth": common | _provider(mirror, sign_in.provider)}


def _provider(mirror: Mirror, provider: GitHubSignIn | GoogleSignIn | GitLabSignIn | OidcSignIn) -> Section:
    # The page shows it in the command that people copy.
    registry = {"registry_url": mirror.sign_in_registry}
    match provider:
        case GitHubSignIn():
            return registry | {
                "organization": provider.organization,
                "github_web_uri": provider.web_url,
                "github_api_uri": provider.api_url,
                "revalidate_after": format_duration(provider.revalidate_after),
            }
        case GoogleSignIn():
            return {"domain": provider.domain}
        case GitLabSignIn():
            url = provider.url.rstrip("/")
            return registry | {
                # docker_auth's own defaults of these two are exchanged.
                "gitlab_web_uri": url,
                "gitlab_api_uri": f"{url}/api/v4",
                "redirect_uri": mirror.sign_in_url,
                "grant_type": "authorization_code",
                "revalidate_after": format_duration(provider.revalidate_after),
            }
        case OidcSignIn():
            return registry | {
                "issuer": provider.issuer,
                "redirect_url": mirror.sign_in_url,
                "user_claim": provider.user_claim,
                # Not label_claims, as docker_auth's examples/reference.yml spells it.
                "labels_claims": [provider.groups_claim],
                "scopes": provider.scopes,
            }


def sign_in_files(mirror: Mirror, mirror_secrets: MirrorSecrets) -> dict[str, bytes]:
    """The other keys of docker_auth's Secret; none without ``access.signIn``."""
    secrets = mirror_secrets.sign_in
    if mirror.access.sign_in is None or secrets is None:
        return {}
    files = {CLIENT_SECRET_KEY: secrets.client_secret.get_secret_value().encode()}
    ca, proxy = mirror_secrets.ca_bundles.get(SIGN_IN_CA), mirror_secrets.proxy
    files |= {names.CA_KEY: ca} if ca else {}
    return files | ({names.PROXY_KEY: proxy.get_secret_value().encode()} if proxy else {})


def database_config(password: str) -> str:
    """valkey.conf of the database with the logins: it writes each change to the volume, and evicts nothing."""
    return "\n".join(
        [
            f"requirepass {quoted(password)}",
            "maxmemory 32mb",
            "maxmemory-policy noeviction",
            "dir /data",
            "appendonly yes",
            "appendfsync always",
            "auto-aof-rewrite-min-size 16mb",
            'save ""',
            "databases 1",
            "",
        ]
    )
