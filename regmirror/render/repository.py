"""The place of the rendered files in Git."""

from dataclasses import dataclass
from pathlib import PurePosixPath

from regmirror.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Repository:
    """A Git repository, a branch, and the path of the rendered directory in it."""

    url: str = ""
    revision: str = ""
    path: str = "."

    def inside(self, path: str) -> str:
        """Return a path in the rendered directory as a path from the root of the repository."""
        return str(PurePosixPath(self.path) / path)


def parse_repository(url: str, revision: str, path: str) -> Repository:
    """Validate --repository, --revision and --path; raises ConfigurationError."""
    parts = PurePosixPath(path)
    if parts.is_absolute() or ".." in parts.parts or not path:
        raise ConfigurationError(
            f'--path "{path}" is not a path from the root of the repository',
            hint="use a relative path without .., for example --path clusters/production/regmirror",
        )
    scheme, _, rest = url.partition("://")
    if scheme in {"http", "https"} and "@" in rest:
        raise ConfigurationError(
            "--repository must not contain credentials",
            hint="remove them from the URL and configure them as a Secret of Flux or Argo CD",
        )
    return Repository(url, revision, str(parts))
