"""The jobs that run regmirror in the cluster: which command, when, with which permissions."""

from typing import Any

import yaml

from regmirror.config.ca_bundle import CaBundleConfigMap, CaBundleSecret
from regmirror.config.fields import image_parts
from regmirror.config.model import Mirror
from regmirror.config.verification import Verification
from regmirror.desired import names
from regmirror.desired.job_rights import job_rights
from regmirror.desired.rights import role_rules

_VERIFY = ["verify", "--publish", "--wait=5m", "--output=short"]
"""A rollout that is under way does not count as a failure: what fails is checked again for a while."""
_ROTATE = ["rotate-cert", "--timeout=10m"]
_VERIFY_SECONDS = 15 * 60
_ROTATE_SECONDS = 3600
"""For the rollouts of a rotation, in addition to the lifetime of a token."""


def job_contexts(mirror: Mirror) -> dict[str, dict[str, Any]]:
    """The variables of the template job.yaml.j2 for each job, by its name; none without ``verification``."""
    verification = mirror.verification
    if verification is None:
        return {}
    lifetime = int(mirror.auth.token_lifetime.total_seconds())
    commands = {names.VERIFICATION: (verification.schedule, _VERIFY, _VERIFY_SECONDS)}
    if rotation := verification.rotation:
        commands[names.ROTATION] = (rotation.schedule, _ROTATE, _ROTATE_SECONDS + lifetime)
    rights = job_rights(mirror)
    return {
        name: {
            **_shared(mirror, verification),
            "schedule": schedule,
            "command": command,
            "deadline_seconds": seconds,
            "rules": role_rules(rights[name]),
        }
        for name, (schedule, command, seconds) in commands.items()
    }


def _shared(mirror: Mirror, verification: Verification) -> dict[str, Any]:
    return {
        "image": image_parts(verification.image),
        "resources": verification.resources,
        "image_pull_secrets": verification.image_pull_secrets,
        "node_selector": verification.node_selector,
        "tolerations": verification.tolerations,
        "pod_security": mirror.pod_security or "fixed",
        "configuration": configuration_file(mirror),
        "ca_bundle": _ca_bundle(verification),
    }


def configuration_file(mirror: Mirror) -> str:
    """The configuration as a file for the pods: references to secrets, never their values.

    The jobs need none of the variables and files that it names: ``verify`` and ``rotate-cert`` read what is deployed.
    """
    content = mirror.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return yaml.safe_dump(content, sort_keys=False, width=2**31, allow_unicode=True)


def _ca_bundle(verification: Verification) -> dict[str, Any]:
    """The source of a projected volume; empty if the public CAs are enough."""
    match verification.ca_bundle:
        case CaBundleConfigMap(config_map=wanted):
            kind = "configMap"
        case CaBundleSecret(secret=wanted):
            kind = "secret"
        case _:
            return {}
    return {kind: {"name": wanted.name, "items": [{"key": wanted.key, "path": "public-ca.crt"}]}}
