"""A shell script that prints the Secrets with their values, for ``kubectl apply`` or ``kubeseal``.

It holds no value: it reads each where the configuration says that it is kept. It is plain POSIX sh, and needs kubectl,
base64, and openssl where a signing key or a Redis password is to be made.
"""

import shlex
from collections.abc import Mapping

from regmirror.config.model import Mirror
from regmirror.config.secret_references import ClusterReference, EnvironmentReference, FileReference, SecretReference
from regmirror.desired import names
from regmirror.desired.secret_templates import (
    REDIS_PASSWORD,
    SIGNING_BUNDLE,
    SIGNING_CERTIFICATE,
    SIGNING_KEY,
    Placeholder,
    SecretTemplate,
    SecretValue,
    Template,
    secret_values,
)
from regmirror.render.files import HEADING

_DOCUMENT_END = "END_OF_FILE"
_SIGNING = (names.SIGNING_SECRET, names.BUNDLE_SECRET)


def fill_script(mirror: Mirror, forms: list[SecretTemplate]) -> str:
    """The text of the script, for the forms that have blanks."""
    needed = [form for form in forms if form.blanks]
    variables = {value.name: f"value_{number}" for number, value in enumerate(secret_values(mirror))}
    return "\n".join(
        [
            "#!/bin/sh",
            HEADING.rstrip(),
            _INTRODUCTION,
            f"namespace={shlex.quote(mirror.namespace)}",
            f"all={shlex.quote(' '.join(form.name for form in needed))}",
            _FUNCTIONS,
            _signing(mirror, variables),
            _redis_password(mirror, needed, variables[REDIS_PASSWORD]),
            *_references(mirror, needed, variables),
            *(_printer(form, variables) for form in needed),
            _ENDING,
        ]
    )


_INTRODUCTION = """\
# Prints the mirror's Secrets with their values, which it reads where regmirror.yaml says that they are kept. Say which
# Secrets, or have them all. A signing key and a Redis password that the cluster has are kept, else they are made.
#
#   sh fill-secrets.sh | kubectl apply --server-side --field-manager=regmirror --force-conflicts -f -
#   sh fill-secrets.sh --each 'kubeseal --format yaml' > sealed-secrets.yaml
#   sh fill-secrets.sh --list
set -eu
umask 077
"""

_FUNCTIONS = """\
each=
case ${1:-} in
  --list) printf '%s\\n' $all; exit ;;
  --each) each=$2; shift 2 ;;
esac
wanted=" ${*:-$all} "

fail() { printf 'fill-secrets.sh: %s\\n' "$1" >&2; exit 1; }

# A value for quotes: what YAML, JSON and redis.conf all read the same way.
quoted() { printf '%s' "$1" | sed 's/[\\\\"]/\\\\&/g'; }

# A value that is there and can stand in quotes.
checked() {
  case $2 in
    '') fail "$1 is empty" ;;
    *[[:cntrl:]]*) fail "$1 has line breaks or control characters" ;;
  esac
}

# A key of a Secret in the cluster; nothing where there is none.
kept() {
  kubectl -n "$namespace" get secret "$1" --ignore-not-found \\
    -o go-template="{{ with index .data \\"$2\\" }}{{ . | base64decode }}{{ end }}"
}

encoded() { base64 | tr -d '\\n'; }

wants() { case $wanted in *" $1 "*) ;; *) return 1 ;; esac; }
"""

_ENDING = """\
for name in $wanted; do
  case " $all " in *" $name "*) ;; *) fail "there is no Secret $name: see --list" ;; esac
done
for name in $all; do
  if wants "$name"; then
    echo ---
    text=$("print_$(printf '%s' "$name" | tr - _)")
    if [ -n "$each" ]; then printf '%s\\n' "$text" | sh -c "$each"; else printf '%s\\n' "$text"; fi
  fi
done
"""


def _signing(mirror: Mirror, variables: Mapping[str, str]) -> str:
    key, certificate, bundle = (variables[name] for name in (SIGNING_KEY, SIGNING_CERTIFICATE, SIGNING_BUNDLE))
    signing, bundled = _SIGNING
    return f"""\
if wants {signing} || wants {bundled}; then
  {key}=$(kept {signing} tls.key)
  {certificate}=$(kept {signing} tls.crt)
  {bundle}=$(kept {bundled} bundle.crt)
  if [ -z "${key}" ]; then
    directory=$(mktemp -d)
    trap 'rm -rf "$directory"' EXIT
    openssl req -x509 -newkey rsa:{mirror.auth.key_size} -sha256 -nodes -days {mirror.auth.certificate_days} \\
      -subj /CN=regmirror -keyout "$directory/tls.key" -out "$directory/tls.crt" 2>/dev/null \\
      || fail 'openssl made no signing key'
    {key}=$(cat "$directory/tls.key")
    {certificate}=$(cat "$directory/tls.crt")
    {bundle}=${certificate}
  fi
  if [ -z "${bundle}" ]; then {bundle}=${certificate}; fi
fi
"""


def _redis_password(mirror: Mirror, forms: list[SecretTemplate], variable: str) -> str:
    if mirror.redis.password:
        return ""
    return f"""\
if {_wanted_by(REDIS_PASSWORD, forms)}; then
  {variable}=${{REGMIRROR_REDIS_PASSWORD:-}}
  if [ -z "${variable}" ]; then {variable}=$(kept {names.REDIS_SECRET} password); fi
  if [ -z "${variable}" ]; then {variable}=$(openssl rand -hex 24); fi
fi
"""


def _references(mirror: Mirror, forms: list[SecretTemplate], variables: Mapping[str, str]) -> list[str]:
    lines = []
    for value in secret_values(mirror):
        if value.reference:
            variable = variables[value.name]
            lines += [
                f"if {_wanted_by(value.name, forms)}; then",
                f"  {variable}={_read(value.reference)}",
                f'  checked {shlex.quote(_described(value))} "${variable}"',
                "fi",
            ]
    return [*lines, ""]


def _wanted_by(value: str, forms: list[SecretTemplate]) -> str:
    """The question whether a Secret that needs the value was asked for."""
    return " || ".join(f"wants {form.name}" for form in forms if value in form.blanks)


def _described(value: SecretValue) -> str:
    """The key of the file, and where its value is looked for."""
    match value.reference:
        case EnvironmentReference(env=name):
            return f"{value.key_path}: the variable {name}"
        case FileReference(file=path):
            return f"{value.key_path}: the file {path}"
    return value.key_path


def _read(reference: SecretReference) -> str:
    match reference:
        case EnvironmentReference(env=name):
            return f"${{{name}:-}}"
        case FileReference(file=path):
            return f"$(cat -- {shlex.quote(str(path))})"
        case ClusterReference(secret=wanted):
            return f"$(kept {shlex.quote(wanted.name)} {shlex.quote(wanted.key)})"


def _printer(form: SecretTemplate, variables: Mapping[str, str]) -> str:
    lines = [
        f"print_{form.name.replace('-', '_')}() {{",
        f"cat <<{_DOCUMENT_END}",
        "apiVersion: v1",
        "kind: Secret",
        "metadata:",
        f"  name: {form.name}",
        "  namespace: $namespace",
        "  labels:",
        *(f"    {label}: {value}" for label, value in form.labels.items()),
        "  annotations:",
        f'    {names.VERSION_ANNOTATION}: "{form.version}"',
        f"type: {form.type}",
        "data:",
        _DOCUMENT_END,
    ]
    for key, parts in form.files.items():
        lines += [f"printf '  %s: ' {key}", *_encoded(parts, variables), "echo"]
    return "\n".join([*lines, "}", ""])


def _encoded(parts: Template, variables: Mapping[str, str]) -> list[str]:
    """Commands that print a file in base64."""
    match parts:
        case (Placeholder(value=name, quoted=False),):
            newline = "\\n" if name in (SIGNING_KEY, SIGNING_CERTIFICATE, SIGNING_BUNDLE) else ""
            return [f"printf '%s{newline}' \"${variables[name]}\" | encoded"]
    text = "".join(_blank(part, variables) if isinstance(part, Placeholder) else _literal(part) for part in parts)
    return [f"encoded <<{_DOCUMENT_END}", text.removesuffix("\n"), _DOCUMENT_END]


def _blank(blank: Placeholder, variables: Mapping[str, str]) -> str:
    return f'"$(quoted "${variables[blank.value]}")"'


def _literal(text: str) -> str:
    """A text in a here-document, where the shell looks for these three alone."""
    return text.replace("\\", "\\\\").replace("$", "\\$").replace("`", "\\`")
