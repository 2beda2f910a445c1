"""``regmirror rbac``: the Role that each command needs, and no more."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from regmirror.cli import options
from regmirror.cli.options import DEFAULT_FILE, Format
from regmirror.cli.terminal import terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from regmirror.config.model import Mirror
    from regmirror.ports.cluster import Right


class Command(StrEnum):
    """The commands that talk to a cluster."""

    DEPLOY = "deploy"
    DIFF = "diff"
    VERIFY = "verify"
    STATUS = "status"
    ROTATE_CERT = "rotate-cert"
    SUPPORT_BUNDLE = "support-bundle"
    UPGRADE_NOTES = "upgrade-notes"
    DESTROY = "destroy"


def rbac(
    command: Annotated[Command | None, typer.Argument(help="The command; without it, all of them.")] = None,
    file: options.File = DEFAULT_FILE,
    namespace: options.Namespace = None,
    debug: options.Debug = False,
    no_color: options.NoColor = False,
) -> None:
    """Print the Role that a command needs in the mirror's namespace, for a CI job or a CronJob.

    regmirror rbac rotate-cert | kubectl apply -f -
    """
    with terminal(Format.YAML, debug=debug, no_color=no_color) as streams:
        import yaml

        from regmirror.cli.connections import read_mirror

        mirror = read_mirror(file, namespace)
        roles = [role(mirror, chosen) for chosen in ([command] if command else Command)]
        streams.result(yaml.safe_dump_all(roles, sort_keys=False).rstrip())
        name, where = roles[0]["metadata"]["name"], mirror.namespace
        bind = f"kubectl -n {where} create rolebinding {name} --role={name} --serviceaccount={where}:NAME"
        streams.info(f"Bind it: {bind}")


def role(mirror: "Mirror", command: Command) -> dict[str, Any]:
    """The Role of one command, as a manifest."""
    grouped: dict[tuple[str, str], list[str]] = {}
    for right in rights(mirror, command):
        grouped.setdefault((right.group, right.resource), []).append(right.verb)
    rules = [
        {"apiGroups": [group], "resources": [resource], "verbs": verbs} for (group, resource), verbs in grouped.items()
    ]
    metadata = {"name": f"regmirror-{command.value}", "namespace": mirror.namespace}
    return {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": metadata, "rules": rules}


def rights(mirror: "Mirror", command: Command) -> "Sequence[Right]":
    """What a command asks the API server for; one that changes something checks the same before it begins."""
    from regmirror.deploy.rights import deploy_rights, diff_rights
    from regmirror.destroy.rights import destroy_rights
    from regmirror.rotate.rights import rotate_rights
    from regmirror.status.rights import STATUS_RIGHTS
    from regmirror.support.rights import support_rights
    from regmirror.upgrade.rights import UPGRADE_RIGHTS
    from regmirror.verify.rights import VERIFY_RIGHTS

    of_command: dict[Command, Callable[[Mirror], Sequence[Right]]] = {
        Command.DEPLOY: deploy_rights,
        Command.DIFF: diff_rights,
        Command.VERIFY: lambda _: VERIFY_RIGHTS,
        Command.STATUS: lambda _: STATUS_RIGHTS,
        Command.ROTATE_CERT: rotate_rights,
        Command.SUPPORT_BUNDLE: lambda _: support_rights(),
        Command.UPGRADE_NOTES: lambda _: UPGRADE_RIGHTS,
        Command.DESTROY: lambda _: destroy_rights(),
    }
    return of_command[command](mirror)
