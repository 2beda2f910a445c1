"""The commands as data: their purpose and summary in ``regmirror --help``, and the module of each by its name."""

from typing import NamedTuple

SET_UP, PROVE, OPERATE, CLIENTS, CONFIGURATION = "Set up", "Verify", "Operate", "Clients", "Configuration and help"


class CommandEntry(NamedTuple):
    """What ``regmirror --help`` shows of a command, and where the command is."""

    purpose: str
    summary: str


COMMANDS = {
    "init": CommandEntry(SET_UP, "Write the configuration file."),
    "deploy": CommandEntry(SET_UP, "Install or update the mirror in the cluster."),
    "diff": CommandEntry(SET_UP, "Show how the cluster differs from the configuration."),
    "render": CommandEntry(SET_UP, "Print the manifests, for Argo CD, Flux or kubectl."),
    "images": CommandEntry(SET_UP, "List the images of the mirror's own pods."),
    "verify": CommandEntry(PROVE, "Check that the mirror works."),
    "why": CommandEntry(PROVE, "Show whether an image may be pulled, and which rule decides."),
    "access": CommandEntry(PROVE, "Test the access rules against a table of expectations."),
    "status": CommandEntry(OPERATE, "Show health, certificates, cache and pull quota."),
    "monitoring": CommandEntry(OPERATE, "Print alert rules, dashboard and scrape configuration."),
    "report": CommandEntry(OPERATE, "Write an HTML page about health, use and contents."),
    "rotate-cert": CommandEntry(OPERATE, "Replace the key that signs tokens."),
    "user": CommandEntry(OPERATE, "Manage the accounts that may log in to the mirror."),
    "upgrade-notes": CommandEntry(OPERATE, "Show what changes between two versions."),
    "rbac": CommandEntry(OPERATE, "Print the Role that a command needs."),
    "support-bundle": CommandEntry(OPERATE, "Collect diagnostics, with secrets redacted."),
    "destroy": CommandEntry(OPERATE, "Remove the mirror from the cluster."),
    "client-config": CommandEntry(CLIENTS, "Print or check the configuration of a container runtime."),
    "config": CommandEntry(CONFIGURATION, "Validate and show the configuration file, and print schemas."),
    "explain": CommandEntry(CONFIGURATION, "Explain an error code, check, finding or configuration key."),
}
"""In the order of ``--help``."""
