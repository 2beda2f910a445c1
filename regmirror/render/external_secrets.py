"""The Secrets as ExternalSecrets: the External Secrets Operator fills the templates from a secret store.

Source: External Secrets Operator, API external-secrets.io/v1 and the guide of its template engine v2, whose functions
are those of sprig.
"""

from dataclasses import dataclass
from typing import Any

from regmirror.config.model import Mirror
from regmirror.desired import names
from regmirror.desired.secret_templates import USERS, Placeholder, SecretTemplate, Template
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
    data = {key: go_template(parts) for key, parts in template.files.items()}
    return _external_secret(mirror, template, {"data": data}, template.placeholders, store)


def accounts_external_secret(mirror: Mirror, store: Store) -> Object:
    """The ExternalSecret of the Secret that ``regmirror user`` would write, which verify and user list read."""
    template = SecretTemplate(names.USERS_SECRET, "Opaque", names.labels("auth"), {})
    # A literal is filled, and then read as a YAML mapping of the Secret's keys.
    content = {"templateFrom": [{"target": "Data", "literal": _ACCOUNTS}]}
    return _external_secret(mirror, template, content, (USERS,), store)


def _external_secret(
    mirror: Mirror, template: SecretTemplate, content: dict[str, Any], values: tuple[str, ...], store: Store
) -> Object:
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
                    **content,
                },
            },
            "data": [_reference(name, store) for name in values],
        },
    }


def _reference(name: str, store: Store) -> dict[str, Any]:
    return {"secretKey": name, "remoteRef": {"key": store.key, "property": name}}


def go_template(parts: Template) -> str:
    """Return the text as a Go template; braces in the text itself are escaped."""
    return "".join(_action(part) if isinstance(part, Placeholder) else _literal(part) for part in parts)


_USERS = (
    '{{ range $name, $user := index . "users" | fromJson }}'
    '{{ if not (hasPrefix "$2" $user.password) }}{{ fail (printf "%s has no bcrypt hash as password" $name) }}{{ end }}'
    '  {{ $name | toRawJson }}: {"password": {{ $user.password | toRawJson }}, '
    '"labels": {"user": [{{ $name | toRawJson }}], "groups": {{ $user.groups | toRawJson }}}}\n{{ end }}'
)
"""A line of docker_auth's configuration for each account. Without a password, it would accept every one."""
_ACCOUNTS = (
    '{{ range $name, $user := index . "users" | fromJson }}'
    "{{ $name | toRawJson }}: {{ $user | toRawJson | toRawJson }}\n{{ end }}"
)
"""A key for each account, with its entry as text."""


def _action(placeholder: Placeholder) -> str:
    if placeholder.value == USERS:
        return _USERS
    # toRawJson: toJson writes "<" as \u003c, which Redis does not understand.
    return f'{{{{ index . "{placeholder.value}"{" | toRawJson" if placeholder.quoted else ""} }}}}'


def _literal(text: str) -> str:
    return text.replace("{{", '{{ "{{" }}')
