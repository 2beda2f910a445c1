"""Checks of the cluster and the mirror's pods."""

from regmirror.deploy.rollout import diagnose, is_rolled_out, progress_of
from regmirror.ports.cluster import DEPLOYMENT
from regmirror.stack import names
from regmirror.verify.check import Category, Check, Failed, Outcome, Passed
from regmirror.verify.subject import Subject


def _api(subject: Subject) -> Outcome:
    major, minor = subject.cluster.version()
    return Passed(f"Kubernetes {major}.{minor}, context {subject.cluster.context}")


def _pods(subject: Subject) -> Outcome:
    wanted = [names.REDIS, names.AUTH, *(names.registry(upstream.name) for upstream in subject.mirror.upstreams)]
    troubles = [line for name in wanted for line in _trouble(subject, name)]
    if troubles:
        return Failed("\n".join(troubles), f"kubectl -n {subject.cluster.namespace} get pods, then regmirror deploy")
    return Passed(", ".join(wanted))


def _trouble(subject: Subject, name: str) -> list[str]:
    deployment = subject.cluster.get(DEPLOYMENT, name)
    if deployment is None:
        return [f"there is no Deployment {name} in namespace {subject.cluster.namespace}"]
    if is_rolled_out(deployment):
        return []
    return [f"{name}: {progress_of(deployment)}", *diagnose(subject.cluster, name)]


CHECKS = (
    Check("cluster-api", "the Kubernetes API answers", Category.CLUSTER, _api),
    Check("cluster-pods", "every pod is ready", Category.CLUSTER, _pods, needs=("cluster-api",)),
)
