"""The Secrets as ExternalSecrets: the External Secrets Operator fills the forms from a secret store.

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
    """A secret store, and the entry in it whose properties are the values."""

    kind: str
    name: str
    key: str


def parse_store(text: str, key: str) -> Store:
    """Read ``NAME`` or ``KIND/NAME``; raises ConfigurationError."""
    kind, _, name = text.rpartition("/")
    if (kind or _KINDS[0]) not in _KINDS or not name:
        raise ConfigurationError(
            f'--external-secrets "{text}" is not NAME or KIND/NAME', hint=f"KIND is {' or '.join(_KINDS)}"
        )
    return Store(kind or _KINDS[0], name, key)


def external_secret(mirror: Mirror, form: SecretTemplate, store: Store) -> Object:
    """One Secret by reference."""
    metadata = secret_metadata(mirror, form)
    return {
        "apiVersion": "external-secrets.io/v1",
        "kind": "ExternalSecret",
        "metadata": {"name": form.name, "namespace": mirror.namespace, "labels": form.labels},
        "spec": {
            "refreshInterval": "1h",
            "secretStoreRef": {"kind": store.kind, "name": store.name},
            "target": {
                "name": form.name,
                "template": {
                    "engineVersion": "v2",
                    "type": form.type,
                    "metadata": {"labels": metadata["labels"], "annotations": metadata["annotations"]},
                    "data": {key: go_template(parts) for key, parts in form.files.items()},
                },
            },
            "data": [_reference(name, store) for name in form.blanks],
        },
    }


def _reference(name: str, store: Store) -> dict[str, Any]:
    return {"secretKey": name, "remoteRef": {"key": store.key, "property": name}}


def go_template(parts: Template) -> str:
    """The form as a Go template; what looks like one in the text stays text."""
    return "".join(_action(part) if isinstance(part, Placeholder) else _literal(part) for part in parts)


def _action(blank: Placeholder) -> str:
    # Raw: Redis does not know the \u003c that toJson makes of a "<".
    return f'{{{{ index . "{blank.value}"{" | toRawJson" if blank.quoted else ""} }}}}'


def _literal(text: str) -> str:
    return text.replace("{{", '{{ "{{" }}')
