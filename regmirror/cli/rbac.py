"""``regmirror rbac``: the Role with exactly the permissions that a command needs."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from regmirror.cli import options
from regmirror.cli.options import DEFAULT_FILE, Format
from regmirror.cli.terminal import Terminal, terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from regmirror.config.model import Mirror
    from regmirror.ports.cluster import Right


class Command(StrEnum):
    """The commands that use a cluster."""

    DEPLOY = "deploy"
    DIFF = "diff"
    VERIFY = "verify"
    VERIFY_NODES = "verify-nodes"
    STATUS = "status"
    REPORT = "report"
    WHY = "why"
    ROTATE_CERT = "rotate-cert"
    SUPPORT_BUNDLE = "support-bundle"
    USER = "user"
    UPGRADE_NOTES = "upgrade-notes"
    DESTROY = "destroy"

    @property
    def words(self) -> str:
        """The command as it is typed."""
        return "verify --nodes" if self is Command.VERIFY_NODES else self.value


_LIST_NODES = (
    "No Role can grant the permission to list nodes: name them with --node NAME, or create a ClusterRole: "
    "kubectl create clusterrole regmirror-list-nodes --verb=list --resource=nodes"
)
_DESCRIPTION = "kubernetes.io/description"
"""A well-known annotation; kubectl describe shows it."""


def rbac(
    command: Annotated[
        Command | None, typer.Argument(help="Command that needs the Role. Default: all commands.", show_default=False)
    ] = None,
    file: options.File = DEFAULT_FILE,
    namespace: options.Namespace = None,
    output: options.Output = Format.YAML,
    debug: options.Debug = False,
    no_color: options.NoColor = False,
) -> None:
    """Print the Role that a command needs, for a CI job or a CronJob.

    The Role has the permissions for this configuration file, and names the
    Secrets where Kubernetes allows it. After you change the file, print the
    Role and apply it again. Needs no cluster.

        regmirror rbac deploy
        regmirror rbac rotate-cert | kubectl apply -f -
    """
    with terminal(output, debug=debug, no_color=no_color) as streams:
        from regmirror.cli.connections import read_mirror

        mirror = read_mirror(file, namespace)
        roles = [role(mirror, chosen) for chosen in ([command] if command else Command)]
        _print(streams, roles)
        name = roles[0]["metadata"]["name"]
        bind = f"kubectl -n {mirror.namespace} create rolebinding {name} --role={name}"
        streams.info(f"To bind it to a ServiceAccount: {bind} --serviceaccount={mirror.namespace}:NAME")
        update = " ".join(["regmirror rbac", *([command] if command else [])])
        streams.info(f"After a change of the configuration file, update it: {update} | kubectl apply -f -")
        if command in {None, Command.VERIFY_NODES}:
            streams.info(_LIST_NODES)


def _print(streams: Terminal, roles: list[dict[str, Any]]) -> None:
    if streams.output is Format.JSON:
        streams.document(roles[0] if len(roles) == 1 else {"apiVersion": "v1", "kind": "List", "items": roles})
        return
    import yaml

    streams.result(yaml.safe_dump_all(roles, sort_keys=False, width=2**31).rstrip())


def role(mirror: "Mirror", command: Command) -> dict[str, Any]:
    """The Role of one command, as a manifest."""
    from regmirror.desired.rights import role_rules

    metadata = {
        "name": f"regmirror-{command.value}",
        "namespace": mirror.namespace,
        "annotations": {
            _DESCRIPTION: f"Permissions of regmirror {command.words} for the current configuration file. "
            f"After a change of the file, run regmirror rbac {command.value} and apply the Role again."
        },
    }
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": metadata,
        "rules": role_rules(rights(mirror, command)),
    }


def rights(mirror: "Mirror", command: Command) -> "Sequence[Right]":
    """The permissions that a command uses; commands that change the cluster check for them first."""
    from regmirror.access.rights import why_rights
    from regmirror.cli.upgrade_notes import UPGRADE_RIGHTS
    from regmirror.deploy.rights import deploy_rights, diff_rights, optional_rights
    from regmirror.desired.rotate_rights import rotate_rights
    from regmirror.desired.verify_rights import verify_rights
    from regmirror.destroy.rights import destroy_rights
    from regmirror.report.rights import report_rights
    from regmirror.status.rights import status_rights
    from regmirror.support.rights import support_rights
    from regmirror.users.rights import user_rights
    from regmirror.verify.nodes.rights import node_rights

    of_command: dict[Command, Callable[[Mirror], Sequence[Right]]] = {
        Command.DEPLOY: lambda mirror: [*deploy_rights(mirror), *optional_rights(mirror)],
        Command.DIFF: diff_rights,
        Command.VERIFY: verify_rights,
        Command.VERIFY_NODES: node_rights,
        Command.STATUS: status_rights,
        Command.REPORT: report_rights,
        Command.WHY: why_rights,
        Command.ROTATE_CERT: rotate_rights,
        Command.SUPPORT_BUNDLE: support_rights,
        Command.USER: user_rights,
        Command.UPGRADE_NOTES: lambda _: UPGRADE_RIGHTS,
        Command.DESTROY: destroy_rights,
    }
    return of_command[command](mirror)
