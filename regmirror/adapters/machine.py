"""The Machine port for this machine, or for a directory that holds the files of another one."""

import os
import re
import stat
import subprocess
from pathlib import Path

from regmirror.adapters.http import Urllib3Http, is_wrong_certificate
from regmirror.errors import RegistryError, UntrustedCertificateError
from regmirror.ports.machine import InvalidCertificateError, UnreadableFileError, Version

_LARGEST = 4 * 2**20
"""Bytes; the largest file that is read is the trust store of the system, with about 250 KiB."""
_MOST_LINKS = 40
"""As in Linux."""
_NO_NAME = "no file can have this name"
_VERSION = re.compile(r"\bv?(\d+)\.(\d+)\.(\d+)")
_SECONDS = 5.0


class LocalMachine:
    """Reads below ``root``, as if it were /; with another root, no program is run and no host is contacted."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root.resolve()

    @property
    def is_this_machine(self) -> bool:
        """Whether the files are those of the machine on which this program runs."""
        return self._root == Path("/")

    @property
    def home(self) -> str:
        """Home directory of the user whose files are read."""
        return str(Path.home()) if self.is_this_machine else "/root"

    @property
    def user_id(self) -> int:
        """Numeric ID of that user."""
        return os.getuid() if self.is_this_machine else 0

    def read(self, path: str) -> str | None:
        """The text of a file; None if there is none. Raises UnreadableFileError."""
        try:
            place = self._place(path)
            if not stat.S_ISREG(place.stat().st_mode):
                raise UnreadableFileError("is not a file")
            with place.open("rb") as stream:
                content = stream.read(_LARGEST + 1)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise _unreadable(error) from None
        return _decoded(content)

    def mode(self, path: str) -> int | None:
        """The permissions of a file; None if there is none."""
        try:
            return stat.S_IMODE(self._place(path).stat().st_mode)
        except (OSError, UnreadableFileError):
            return None

    def names(self, directory: str) -> list[str] | None:
        """The names in a directory, sorted; None if there is no such directory. Raises UnreadableFileError."""
        try:
            return sorted(entry.name for entry in self._place(directory).iterdir())
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise _unreadable(error) from None

    def version(self, program: str) -> Version | None:
        """The version of an installed program; None if it cannot be found out."""
        if not self.is_this_machine:
            return None
        try:
            words = [program, "--version"]
            output = subprocess.run(words, capture_output=True, text=True, timeout=_SECONDS, check=False).stdout
        except (OSError, subprocess.TimeoutExpired, UnicodeDecodeError):
            return None
        match = _VERSION.search(output)
        return tuple(int(part) for part in match.groups()) if match else None

    def connect(self, host: str, ca_pem: str) -> None:
        """Request something from a host of the mirror; trusts the system's CAs and those of a PEM text.

        Raises RegistryError, UntrustedCertificateError or InvalidCertificateError.
        """
        if not self.is_this_machine:
            raise RegistryError("the files of another machine are checked")
        http = Urllib3Http(timeout=_SECONDS)
        if ca_pem:
            http.trust(ca_pem.encode())
        try:
            http.request("GET", f"https://{host}/v2/")
        except UntrustedCertificateError as error:
            if is_wrong_certificate(error):
                raise InvalidCertificateError(error.message) from None
            raise

    def _place(self, path: str) -> Path:
        """Where a path is, with links followed as if the root were /: none leads out of it. Raises as ``read``."""
        try:
            os.fsencode(path)
        except UnicodeEncodeError:
            raise UnreadableFileError(_NO_NAME) from None
        if "\0" in path:
            raise UnreadableFileError(_NO_NAME)
        return Path("/", path) if self.is_this_machine else self._below_root(path)

    def _below_root(self, path: str) -> Path:
        place, parts, links = self._root, path.split("/"), 0
        while parts:
            part = parts.pop(0)
            if part == "..":
                place = place.parent if place != self._root else place
            elif (place / part).is_symlink():
                target = str((place / part).readlink())
                place = self._root if target.startswith("/") else place
                parts, links = target.split("/") + parts, links + 1
                if links > _MOST_LINKS:
                    raise UnreadableFileError("too many levels of symbolic links")
            else:
                place /= part
        return place


def _unreadable(error: OSError) -> UnreadableFileError:
    return UnreadableFileError(error.strerror or "cannot be read", is_denied=isinstance(error, PermissionError))


def _decoded(content: bytes) -> str:
    if len(content) > _LARGEST:
        raise UnreadableFileError(f"has more than {_LARGEST // 2**20} MiB")
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise UnreadableFileError("is not UTF-8 text") from None
