"""What to do about a node that does not use the mirror."""

from regmirror.verify.nodes.targets import Node
from regmirror.verify.nodes.verdict import Evidence, Reason

_ON_THE_NODE = {Reason.CA, Reason.FILES_NOT_READ, Reason.NOT_LISTED, Reason.NO_TOKEN}
_WITHOUT_FILES = {"talos"}
"""Their machines have no shell in which the check could run."""


def fix(node: Node, evidence: Evidence, reason: Reason) -> str:
    """The hint for a reason; a command begins with its program and ends at a comma or at the end."""
    target = evidence.target
    if reason in _ON_THE_NODE:
        return _of_files(node)
    match reason:
        case Reason.REFUSED:
            return f"find the rule that decides: regmirror why {target.registry}/{target.repository}"
        case Reason.LOGIN_REJECTED:
            return (
                f"remove the credentials for {target.registry} where images come from the mirror: pull secrets of "
                "ServiceAccounts and pods, and those that the kubelet or the runtime of the node has"
            )
        case Reason.UNREACHABLE:
            return f"check DNS and firewall, on the node: curl -v https://{target.mirror}/v2/"
        case Reason.MIRROR_ERROR:
            return "check the mirror: regmirror verify"
        case _:
            return f"probe the node again: regmirror verify --node {node.name}"


def _of_files(node: Node) -> str:
    if node.runtime in _WITHOUT_FILES:
        return f"compare the node's configuration with the output of: regmirror client-config {node.runtime}"
    return f"find the fault, on the node: regmirror client-config {node.runtime} --check"
