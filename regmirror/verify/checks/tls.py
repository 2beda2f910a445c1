"""Checks of the public entrance."""

from regmirror.config.model import Upstream
from regmirror.errors import RegistryError
from regmirror.verify.check import Category, Check, Failed, Outcome, Passed, UpstreamCheck
from regmirror.verify.subject import Subject


def _answers(subject: Subject, upstream: Upstream) -> Outcome:
    try:
        answer = subject.client(upstream).request("GET", "/v2/")
    except RegistryError as error:
        return Failed(error.message, error.hint or "")
    if answer.status == 404:
        return Failed(
            f"https://{subject.mirror.host_of(upstream)}/v2/ answered 404: the Ingress controller knows no such host",
            "see what its Ingress says: kubectl get ingress; then regmirror deploy",
        )
    if answer.status >= 500:
        return Failed(
            f"https://{subject.mirror.host_of(upstream)}/v2/ answered {answer.status}: no registry pod serves",
            "see the check cluster-pods",
        )
    return Passed(f"https://{subject.mirror.host_of(upstream)}")


CHECKS: tuple[Check, ...] = (
    UpstreamCheck("tls-host", "the public host answers with a trusted certificate", Category.TLS, _answers),
)
