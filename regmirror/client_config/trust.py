"""Where builds look for the CA: on the machine of the build command, which fetches the tokens itself.

Source: measured with docker 20.10, 28.5, 29, buildx 0.38 and buildctl 0.34; Go's crypto/x509 (root_unix.go) for
SSL_CERT_DIR, whose certificates are trusted in addition to the system's bundle.
"""

_TRUST_STORE = (
    "copy {path} to /usr/local/share/ca-certificates/regmirror.crt and run update-ca-certificates (Debian, Ubuntu), or "
    "to /etc/pki/ca-trust/source/anchors/ and run update-ca-trust (Fedora, RHEL)"
)


def trust_store_step(machines: str, path: str) -> str:
    """The step that adds a CA file to the trust store of some machines."""
    return f"{machines}: {_TRUST_STORE.format(path=path)}"


def one_command_step(program: str, directory: str) -> str:
    """How to trust the CA in a directory for one command on Linux, without changing the trust store."""
    return f"or, on Linux, for one command only: SSL_CERT_DIR={directory} {program}"
