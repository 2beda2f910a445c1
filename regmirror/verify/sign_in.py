"""Whether people can sign in; a part of the check token-sign-in."""

from regmirror.desired import names
from regmirror.ports.http import Answer
from regmirror.verify.check import Failed, Outcome, Passed
from regmirror.verify.hints import deploy, restart, then_deploy
from regmirror.verify.live_mirror import LiveMirror

UNKNOWN_CODE = "regmirror-verify"
"""A code that no provider has issued: what it says about it shows that it knows the client."""
CODE_REFUSED = (b"bad_verification_code", b"invalid_grant")
CLIENT_REFUSED = (b"incorrect_client_credentials", b"invalid_client", b"unauthorized_client")
"""What providers say (RFC 6749, section 5.2, and GitHub's own errors); docker_auth repeats it."""
_SHOWN = 300


def check_sign_in(live: LiveMirror) -> Outcome:
    """Whether the page is there, and the provider knows the mirror's client and its secret."""
    sign_in, url = live.mirror.access.sign_in, live.mirror.sign_in_url
    if sign_in is None or url is None:
        return Passed("nobody can sign in: access.signIn is not set")
    if sign_in.google:
        answer = live.http.request("GET", url)
        # The page gets the code by a script, and sends it in a body.
        return Passed(f"{url}; Google itself was not asked") if answer.status == 200 else _no_page(live, url, answer)
    answer = live.http.request("GET", f"{url}?code={UNKNOWN_CODE}")
    if answer.status in {404, 405} or not answer.body:
        return _no_page(live, url, answer)
    return _exchanged(live, url, answer)


def _no_page(live: LiveMirror, url: str, answer: Answer) -> Outcome:
    if answer.status == 404:
        return Failed(
            f"{url} does not exist: it is not routed, or docker_auth has an older configuration", deploy(live)
        )
    return Failed(f"{url} answered {answer.status} instead of the sign-in page", restart(live, names.AUTH))


def _exchanged(live: LiveMirror, url: str, answer: Answer) -> Outcome:
    """The answer of docker_auth, which repeats that of the provider."""
    key = f"access.signIn.{live.mirror.access.sign_in.name}" if live.mirror.access.sign_in else ""
    if any(error in answer.body for error in CODE_REFUSED):
        return Passed(url)
    if any(error in answer.body for error in CLIENT_REFUSED):
        action = f"correct {key}.clientId and {key}.clientSecret"
        return Failed("the sign-in provider refuses the client ID or the client secret", then_deploy(live, action))
    if answer.status == 429:
        return Failed(
            f"{url} answered 429: too many people sign in at once, or somebody tries codes", "try again later"
        )
    reason = " ".join(answer.body.decode(errors="replace").split())[:_SHOWN]
    action = f"check {key}, access.signIn.caBundle and egress: docker_auth must reach the provider"
    return Failed(f"docker_auth got no answer from the sign-in provider: {reason}", then_deploy(live, action))
