"""Checks of Redis, through a port-forward: it is not reachable from outside the cluster."""

from regmirror.config.model import Upstream
from regmirror.ports.cluster import POD
from regmirror.stack import names
from regmirror.verify.check import Category, Check, Failed, Outcome, Passed, UpstreamCheck
from regmirror.verify.redis_protocol import ask
from regmirror.verify.subject import Subject, look_up


def _password(subject: Subject, upstream: Upstream) -> Outcome:
    pods = subject.cluster.select(POD, selector=f"app.kubernetes.io/instance={names.REDIS}")
    running = [pod for pod in pods if pod["status"].get("phase") == "Running"]
    if not running:
        return Failed("no Redis pod is running", "regmirror deploy")
    password = str(look_up(subject.registry_config(upstream), "redis", "password") or "")
    with subject.cluster.connect(running[0]["metadata"]["name"], names.REDIS_PORT) as connection:
        answer = ask(connection, "AUTH", password)
        if not answer.startswith("+OK"):
            return Failed(
                f"Redis refuses the registry's password ({answer[1:].split(' ')[0]}): every request goes to S3 instead",
                "regmirror deploy",
            )
        answer = ask(connection, "PING")
    return Passed() if answer == "+PONG" else Failed(f"Redis answers {answer[1:]} to PING", "regmirror deploy")


CHECKS: tuple[Check, ...] = (
    UpstreamCheck(
        "cache-password", "Redis accepts the registry's password", Category.CACHE, _password, needs=("cluster-pods",)
    ),
)
