"""The settings of the image, from the last stage of the Containerfile: every build of the image has the same."""

import json
from pathlib import Path
from typing import Any

from release.errors import ReleaseError


def settings(file: Path) -> dict[str, Any]:
    """Env, Labels, User and Entrypoint, as the configuration of an OCI image has them.

    Knows one assignment per ENV and LABEL and the JSON form of ENTRYPOINT; raises ReleaseError for anything else that
    would change the image's configuration.
    """
    found: dict[str, Any] = {"Env": [], "Labels": {}}
    for instruction, value in _last_stage(file.read_text()):
        match instruction:
            case "ENV":
                found["Env"].append(value)
            case "LABEL":
                name, _, text = value.partition("=")
                found["Labels"][name] = json.loads(text)
            case "USER":
                found["User"] = value
            case "ENTRYPOINT":
                found["Entrypoint"] = json.loads(value)
            case "FROM" | "COPY":
                pass
            case _:
                raise ReleaseError(f"{file.name}: {instruction} in the last stage is not supported")
    return found


def arguments(file: Path) -> dict[str, str]:
    """The defaults of its arguments, such as the names of the base images."""
    lines = [line.removeprefix("ARG ") for line in file.read_text().splitlines() if line.startswith("ARG ")]
    return {name: value for name, equals, value in (line.partition("=") for line in lines) if equals}


def _last_stage(text: str) -> list[tuple[str, str]]:
    lines = [line for line in text.replace("\\\n", " ").splitlines() if line and not line.startswith("#")]
    first = max(number for number, line in enumerate(lines) if line.startswith("FROM "))
    return [(words[0], words[1].strip()) for line in lines[first:] if (words := line.split(maxsplit=1))]
