"""What ``access.signIn`` requires of the rest of the configuration file."""

from collections.abc import Sequence

from regmirror.config.access import EVERY_ACCOUNT
from regmirror.config.access_decision import numbered_rules
from regmirror.config.components import AuthComponent
from regmirror.config.key_paths import KeyPath
from regmirror.config.sign_in import SignIn
from regmirror.config.upstream import Upstream

_KEY: KeyPath = ("access", "signIn")


def sign_in_problem(sign_in: SignIn, auth: AuthComponent, upstreams: Sequence[Upstream]) -> tuple[KeyPath, str] | None:
    """The first key that does not go with signing in, and why; None if all do."""
    if auth.external:
        return _KEY, "has no effect with auth.external: configure the sign-in of your own docker_auth, and remove it"
    if auth.chart:
        return _KEY, "requires regmirror's own chart: remove auth.chart, without which no front limits sign-ins"
    if not sign_in.is_open_to_the_public:
        return None
    for path, rule in numbered_rules(upstreams):
        if rule.allow and EVERY_ACCOUNT in rule.users:
            return (*path, "users"), _EVERYBODY
    return None


_EVERYBODY = (
    "everybody in the world can have an account at the provider of access.signIn, and * would include them: name the "
    "people in signedIn"
)
