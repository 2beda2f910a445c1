"""Where in Git the rendered files will be."""

from dataclasses import dataclass
from pathlib import PurePosixPath

from regmirror.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Repository:
    """A Git repository, a branch or tag of it, and the path of the rendered directory in it."""

    url: str = ""
    revision: str = ""
    path: str = "."

    def inside(self, path: str) -> str:
        """The path of something in the rendered directory, from the root of the repository."""
        return str(PurePosixPath(self.path) / path)


def parse_repository(url: str, revision: str, path: str) -> Repository:
    """Check what the options say; raises ConfigurationError."""
    parts = PurePosixPath(path)
    if parts.is_absolute() or ".." in parts.parts or not path:
        raise ConfigurationError(f'--path "{path}" is not a path from the root of the repository')
    scheme, _, rest = url.partition("://")
    if scheme in {"http", "https"} and "@" in rest:
        raise ConfigurationError("--repository: credentials do not belong in a URL", hint="keep them in a Secret")
    return Repository(url, revision, str(parts))
