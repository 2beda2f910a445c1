"""The Secrets as ExternalSecrets: the External Secrets Operator fills the templates from a secret store.

Source: External Secrets Operator, API external-secrets.io/v1 and the guide of its template engine v2, whose functions
are those of sprig.
"""

from dataclasses import dataclass
from typing import Any

from regmirror.config.model import Mirror
from regmirror.desired.secret_templates import Placeholder, SecretTemplate, Template
from regmirror.errors import ConfigurationError
from regmirror.ports.cluster import Object
from regmirror.render.objects import secret_metadata

_KINDS = ("ClusterSecretStore", "SecretStore")


@dataclass(frozen=True, slots=True)
class Store:
    """A secret store, and the entry in it whose properties hold the values."""

    kind: str
    name: str
    key: str


def parse_store(text: str, key: str) -> Store:
    """Parse ``STORE`` or ``KIND/STORE``; raises ConfigurationError."""
    kind, _, name = text.rpartition("/")
    if (kind or _KINDS[0]) not in _KINDS or not name:
        raise ConfigurationError(
            f'--external-secrets "{text}" is not STORE or KIND/STORE',
            hint=f"use STORE, or KIND/STORE where KIND is {' or '.join(_KINDS)}",
        )
    return Store(kind or _KINDS[0], name, key)


def external_secret(mirror: Mirror, template: SecretTemplate, store: Store) -> Object:
    """The ExternalSecret that creates one Secret."""
    metadata = secret_metadata(mirror, template)
    return {
        "apiVersion": "external-secrets.io/v1",
        "kind": "ExternalSecret",
        "metadata": {"name": template.name, "namespace": mirror.namespace, "labels": template.labels},
        "spec": {
            "refreshInterval": "1h",
            "secretStoreRef": {"kind": store.kind, "name": store.name},
            "target": {
                "name": template.name,
                "template": {
                    "engineVersion": "v2",
                    "type": template.type,
                    "metadata": {"labels": metadata["labels"], "annotations": metadata["annotations"]},
                    "data": {key: go_template(parts) for key, parts in template.files.items()},
                },
            },
            "data": [_reference(name, store) for name in template.placeholders],
        },
    }


def _reference(name: str, store: Store) -> dict[str, Any]:
    return {"secretKey": name, "remoteRef": {"key": store.key, "property": name}}


def go_template(parts: Template) -> str:
    """Return the text as a Go template; braces in the text itself are escaped."""
    return "".join(_action(part) if isinstance(part, Placeholder) else _literal(part) for part in parts)


def _action(placeholder: Placeholder) -> str:
    # toRawJson: toJson writes "<" as \u003c, which Redis does not understand.
    return f'{{{{ index . "{placeholder.value}"{" | toRawJson" if placeholder.quoted else ""} }}}}'


def _literal(text: str) -> str:
    return text.replace("{{", '{{ "{{" }}')
