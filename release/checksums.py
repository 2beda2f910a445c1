"""SHA256SUMS and its signature: `sha256sum` and OpenSSH check them, so users need no other program."""

from pathlib import Path

from release.distributions import digest
from release.processes import output_of

NAME = "SHA256SUMS"
NAMESPACE = "regmirror-release"
"""What the signature is for: OpenSSH refuses it for anything else."""


def write(directory: Path) -> Path:
    """Writes SHA256SUMS, with all files of the directory in the order of their names."""
    files = sorted(path for path in directory.iterdir() if path.is_file() and not path.name.startswith(NAME))
    (directory / NAME).write_text("".join(f"{digest(file)}  {file.name}\n" for file in files))
    return directory / NAME


def sign(sums: Path, key: Path) -> Path:
    """Writes SHA256SUMS.sig with a private key of OpenSSH, or with a public key whose private key the agent has.

    Raises ReleaseError if the key cannot be used.
    """
    # Without it, a second run asks whether to overwrite.
    signature = sums.with_name(f"{NAME}.sig")
    signature.unlink(missing_ok=True)
    output_of(["ssh-keygen", "-Y", "sign", "-f", key, "-n", NAMESPACE, sums], f"signing with {key}")
    return signature
