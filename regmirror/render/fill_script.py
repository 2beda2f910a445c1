"""A shell script that prints the Secrets with their values, for ``kubectl apply`` or ``kubeseal``.

The script contains no secret value: it reads each from the variable, file or Secret that the configuration refers to.
It is POSIX sh and needs kubectl and base64, and openssl to generate a signing key or a Redis password.
"""

import shlex
from collections.abc import Mapping

from regmirror.config.model import Mirror
from regmirror.config.secret_references import ClusterReference, EnvironmentReference, FileReference, SecretReference
from regmirror.desired import names
from regmirror.desired.secret_templates import (
    REDIS_PASSWORD,
    SIGN_IN_PASSWORD,
    SIGNING_BUNDLE,
    SIGNING_CERTIFICATE,
    SIGNING_KEY,
    USERS,
    Placeholder,
    SecretTemplate,
    SecretValue,
    Template,
    secret_values,
)
from regmirror.render.files import HEADING

_DOCUMENT_END = "END_OF_FILE"
_SIGNING = (names.SIGNING_SECRET, names.BUNDLE_SECRET)


def fill_script(mirror: Mirror, templates: list[SecretTemplate]) -> str:
    """Return the script for the templates that have placeholders."""
    needed = [template for template in templates if template.placeholders]
    variables = {value.name: f"value_{number}" for number, value in enumerate(secret_values(mirror))}
    return "\n".join(
        [
            "#!/bin/sh",
            HEADING.rstrip(),
            _INTRODUCTION,
            f"namespace={shlex.quote(mirror.namespace)}",
            f"all={shlex.quote(' '.join(template.name for template in needed))}",
            _FUNCTIONS + (_read_accounts() if USERS in variables else ""),
            "" if mirror.auth.external else _signing(mirror, variables),
            _generated_passwords(mirror, needed, variables),
            *_users(variables),
            *_references(mirror, needed, variables),
            *(_printer(template, variables) for template in needed),
            _ENDING,
        ]
    )


_INTRODUCTION = """\
# Prints the mirror's Secrets with their values: all of them, or those named as arguments. Reads each value from the
# environment variable, file or Secret that regmirror.yaml refers to. Keeps the signing key and the Redis password that
# are in the cluster, and generates them if there are none.
#
#   sh fill-secrets.sh | kubectl apply --server-side --field-manager=regmirror --force-conflicts -f -
#   sh fill-secrets.sh --each 'kubeseal --format yaml' > sealed-secrets.yaml
#   sh fill-secrets.sh --list
set -eu
umask 077
"""

_FUNCTIONS = """\
filter=
case ${1:-} in
  --list) printf '%s\\n' "$all" | tr ' ' '\\n'; exit ;;
  --each) filter=$2; shift 2 ;;
esac
selected=" ${*:-$all} "

fail() { printf 'fill-secrets.sh: %s\\n' "$1" >&2; exit 1; }

# Escape a value for double quotes. YAML, JSON and redis.conf read the result in the same way.
quote() { printf '%s' "$1" | sed 's/[\\\\"]/\\\\&/g'; }

# Require a value that is not empty and can be quoted.
require() {
  case $2 in
    '') fail "$1 is empty or not set" ;;
    *[[:cntrl:]]*) fail "$1 contains line breaks or control characters" ;;
  esac
}

# Print a key of a Secret in the cluster; print nothing if it does not exist.
read_secret() {
  kubectl -n "$namespace" get --ignore-not-found \\
    -o go-template="{{ with index .data \\"$2\\" }}{{ . | base64decode }}{{ end }}" -- secret "$1"
}

encode() { base64 | tr -d '\\n'; }

is_selected() { case $selected in *" $1 "*) ;; *) return 1 ;; esac; }
"""

_ENDING = """\
for name in $selected; do
  case " $all " in *" $name "*) ;; *) fail "unknown Secret $name; run sh fill-secrets.sh --list" ;; esac
done
for name in $all; do
  if is_selected "$name"; then
    echo ---
    text=$("print_$(printf '%s' "$name" | tr - _)")
    if [ -n "$filter" ]; then printf '%s\\n' "$text" | sh -c "$filter"; else printf '%s\\n' "$text"; fi
  fi
done
"""


def _signing(mirror: Mirror, variables: Mapping[str, str]) -> str:
    key, certificate, bundle = (variables[name] for name in (SIGNING_KEY, SIGNING_CERTIFICATE, SIGNING_BUNDLE))
    signing, bundled = _SIGNING
    return f"""\
if is_selected {signing} || is_selected {bundled}; then
  {key}=$(read_secret {signing} tls.key)
  {certificate}=$(read_secret {signing} tls.crt)
  {bundle}=$(read_secret {bundled} bundle.crt)
  if [ -z "${key}" ]; then
    directory=$(mktemp -d)
    trap 'rm -rf "$directory"' EXIT
    printf '%s\\n' '[req]' 'distinguished_name = name' 'x509_extensions = leaf' '[name]' \\
      '[leaf]' 'basicConstraints = critical, CA:FALSE' > "$directory/openssl.cnf"
    openssl req -x509 -config "$directory/openssl.cnf" \\
      -newkey rsa:{mirror.auth.key_size} -sha256 -nodes -days {mirror.auth.certificate_days} \\
      -subj /CN=regmirror -keyout "$directory/tls.key" -out "$directory/tls.crt" 2>/dev/null \\
      || fail 'openssl cannot generate a signing key'
    {key}=$(cat "$directory/tls.key")
    {certificate}=$(cat "$directory/tls.crt")
    {bundle}=${certificate}
  fi
  if [ -z "${bundle}" ]; then {bundle}=${certificate}; fi
fi
"""


def _generated_passwords(mirror: Mirror, templates: list[SecretTemplate], variables: Mapping[str, str]) -> str:
    """Keep the passwords of the databases that the mirror runs, or generate them."""
    redis = [] if mirror.redis.password or mirror.redis.external else [(REDIS_PASSWORD, names.REDIS_SECRET)]
    sign_in = [(SIGN_IN_PASSWORD, names.SIGN_IN_SECRET)] if mirror.access.sign_in else []
    return "\n".join(_generated_password(*of, templates, variables) for of in [*redis, *sign_in])


def _generated_password(value: str, secret: str, templates: list[SecretTemplate], variables: Mapping[str, str]) -> str:
    variable = variables[value]
    return f"""\
if {_selected_with(value, templates)}; then
  {variable}=${{REGMIRROR_{value.upper().replace("-", "_")}:-}}
  if [ -z "${variable}" ]; then {variable}=$(read_secret {secret} password); fi
  if [ -z "${variable}" ]; then {variable}=$(openssl rand -hex 24); fi
fi
"""


def _users(variables: Mapping[str, str]) -> list[str]:
    """Read the accounts; each becomes a line of docker_auth's configuration."""
    if USERS not in variables:
        return []
    variable = variables[USERS]
    return [
        f"if is_selected {names.AUTH_SECRET}; then",
        f"  {variable}=$(read_accounts)",
        f"  damaged=$(printf '%s\\n' \"${variable}\" | sed -n 's/^!//p' | tr '\\n' ' ')",
        f'  if [ -n "$damaged" ]; then fail "Secret {names.USERS_SECRET}: entries that are not accounts: $damaged"; fi',
        "fi",
        "",
    ]


_READ_ACCOUNTS = r"""
# Print a line of docker_auth's configuration for each account, and a line with a ! for an entry that is not an account:
# without a password, docker_auth would accept every password.
read_accounts() {
  entries=$(kubectl -n "$namespace" get --ignore-not-found \
    -o go-template='{{ range $name, $entry := .data }}{{ $name }} {{ $entry | base64decode }}{{ "\n" }}{{ end }}' \
    -- secret SECRET)
  if [ -z "$entries" ]; then return; fi
  printf '%s\n' "$entries" | sed -e '/^$/d' \
    -e 's/, *"changed": *"[^"]*"}$/}/' -e ta -e :a \
    -e 's/^\([A-Za-z0-9._-]*\) {"password": *"\(HASH\)", *"groups": *\(\[GROUPS\]\)}$/'\
'  "\1": {"password": "\2", "labels": {"user": ["\1"], "groups": \3}}/' \
    -e t -e 's/^\([A-Za-z0-9._-]*\) .*/!\1/' -e t -e 's/.*/!another line/'
}
"""
_IN_READ_ACCOUNTS = {
    "SECRET": names.USERS_SECRET,
    "HASH": r"\$2[aby]\$[01][0-9]\$[./A-Za-z0-9]\{53\}",
    "GROUPS": r'\("[^"\\]*"\(, *"[^"\\]*"\)*\)\{0,1\}',
}


def _read_accounts() -> str:
    text = _READ_ACCOUNTS
    for name, value in _IN_READ_ACCOUNTS.items():
        text = text.replace(name, value)
    return text


def _references(mirror: Mirror, templates: list[SecretTemplate], variables: Mapping[str, str]) -> list[str]:
    lines = []
    for value in secret_values(mirror):
        if value.reference:
            variable = variables[value.name]
            lines += [
                f"if {_selected_with(value.name, templates)}; then",
                f"  {variable}={_read(value.reference)}",
                f'  require {shlex.quote(_source(value))} "${variable}"',
                "fi",
            ]
    return [*lines, ""]


def _selected_with(value: str, templates: list[SecretTemplate]) -> str:
    """The shell condition that a Secret which contains the value is selected."""
    return " || ".join(f"is_selected {template.name}" for template in templates if value in template.placeholders)


def _source(value: SecretValue) -> str:
    """The configuration key, and where its value is read from."""
    match value.reference:
        case EnvironmentReference(env=name):
            return f"{value.key_path}: the environment variable {name}"
        case FileReference(file=path):
            return f"{value.key_path}: the file {path}"
        case ClusterReference(secret=source):
            return f"{value.key_path}: the key {source.key} of the Secret {source.name}"
    return value.key_path


def _read(reference: SecretReference) -> str:
    match reference:
        case EnvironmentReference(env=name):
            return f"${{{name}:-}}"
        case FileReference(file=path):
            return f"$(cat -- {shlex.quote(str(path))})"
        case ClusterReference(secret=source):
            return f"$(read_secret {shlex.quote(source.name)} {shlex.quote(source.key)})"


def _printer(template: SecretTemplate, variables: Mapping[str, str]) -> str:
    lines = [
        f"print_{template.name.replace('-', '_')}() {{",
        f"cat <<{_DOCUMENT_END}",
        "apiVersion: v1",
        "kind: Secret",
        "metadata:",
        f"  name: {template.name}",
        "  namespace: $namespace",
        "  labels:",
        *(f"    {label}: {value}" for label, value in template.labels.items()),
        "  annotations:",
        f'    {names.VERSION_ANNOTATION}: "{template.version}"',
        f"type: {template.type}",
        "data:",
        _DOCUMENT_END,
    ]
    for key, parts in template.files.items():
        lines += [f"printf '  %s: ' {key}", *_encoded(parts, variables), "echo"]
    return "\n".join([*lines, "}", ""])


def _encoded(parts: Template, variables: Mapping[str, str]) -> list[str]:
    """Shell commands that print a file, base64-encoded."""
    match parts:
        case (Placeholder(value=name, quoted=False),):
            newline = "\\n" if name in (SIGNING_KEY, SIGNING_CERTIFICATE, SIGNING_BUNDLE) else ""
            return [f"printf '%s{newline}' \"${variables[name]}\" | encode"]
    text = "".join(_expansion(part, variables) if isinstance(part, Placeholder) else _literal(part) for part in parts)
    return [f"encode <<{_DOCUMENT_END}", text.removesuffix("\n"), _DOCUMENT_END]


def _expansion(placeholder: Placeholder, variables: Mapping[str, str]) -> str:
    if placeholder.value == USERS:
        # Whole lines, or none.
        return f"${{{variables[USERS]}:+${variables[USERS]}\n}}"
    return f'"$(quote "${variables[placeholder.value]}")"'


def _literal(text: str) -> str:
    """Escape a text for a here-document, in which only these three characters are special."""
    return text.replace("\\", "\\\\").replace("$", "\\$").replace("`", "\\`")
