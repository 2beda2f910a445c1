"""The Helm port over pyhelm3, whose Command runs without a shell and can be cancelled."""

import asyncio
import json
import logging
import os
import re
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyhelm3
import yaml

from regmirror.adapters.environment import helm_environment
from regmirror.desired.releases import Release
from regmirror.errors import ChartError, HelmError, HelmMissingError
from regmirror.ports.helm import DeployedRelease, ListedRelease

MINIMUM_VERSION = (3, 17)
_TERMINATION_GRACE = 10.0
"""Seconds in which Helm may mark its release as failed after SIGTERM."""

# pyhelm3 logs every failed command at WARNING, which Python prints to stderr even if logging is not set up.
logging.getLogger("pyhelm3").setLevel(logging.CRITICAL)


class ExecCommand(pyhelm3.Command):  # type: ignore[misc] # pyhelm3 publishes no types
    """pyhelm3's Command as a plain child process.

    pyhelm3 0.5.8 runs ``sh -c``: cancelling it ends the shell, but not Helm.
    """

    def __init__(self, withheld: Collection[str], **options: Any) -> None:
        super().__init__(**options)
        self._withheld = frozenset(withheld)

    async def run(self, command: list[Any], input: bytes | None = None) -> bytes:
        """Run Helm and return its standard output; raises HelmError. A cancelled task ends Helm first."""
        words = [self._executable, *map(str, command)]
        if self._kubeconfig:
            words += ["--kubeconfig", str(self._kubeconfig)]
        if self._kubecontext:
            words += ["--kube-context", self._kubecontext]
        try:
            process = await asyncio.create_subprocess_exec(
                *words,
                stdin=DEVNULL if input is None else PIPE,
                stdout=PIPE,
                stderr=PIPE,
                env=helm_environment(os.environ, self._withheld),
            )
        except OSError as error:
            raise HelmMissingError(
                f"cannot start Helm ({self._executable}): {error.strerror}",
                hint="install Helm 3.17 or newer (https://helm.sh/docs/intro/install), or set --helm to its path",
            ) from error
        try:
            output, errors = await process.communicate(None if input is None else _as_yaml(input))
        except asyncio.CancelledError:
            await _terminate(process)
            raise
        if process.returncode:
            raise _translate(str(command[0]), errors.decode(errors="replace"))
        return output


class Pyhelm3Helm:
    """Helm on one namespace of one context."""

    def __init__(
        self,
        executable: str,
        kubeconfig: Path | None,
        context: str,
        namespace: str,
        withheld: Collection[str] = (),
        directory: Path = Path(),
    ) -> None:
        """``withheld`` are the environment variables that neither Helm nor its plugins may read.

        ``directory`` is that of the configuration file, which paths of charts are relative to.
        """
        self._command = ExecCommand(withheld, executable=executable, kubeconfig=kubeconfig, kubecontext=context)
        self._executable = executable
        self._namespace = namespace
        self._directory = directory

    async def version(self) -> tuple[int, int]:
        """Major and minor version; raises HelmMissingError if it is missing or too old."""
        text = (await self._command.run(["version", "--template", "{{ .Version }}"])).decode()
        match = re.match(r"v?(\d+)\.(\d+)", text)
        version = (int(match[1]), int(match[2])) if match else (0, 0)
        if version < MINIMUM_VERSION:
            raise HelmMissingError(
                f"{self._executable} is Helm {text.strip() or 'of an unknown version'}, but 3.17 or newer is required",
                hint="install a newer Helm (https://helm.sh/docs/intro/install), or set --helm to its path",
            )
        return version

    async def find(self, name: str) -> DeployedRelease | None:
        """The newest revision of a release, of any status."""
        try:
            history = await self._command.history(name, max_revisions=1, namespace=self._namespace)
        except _ReleaseMissingError:
            return None
        newest = list(history)[-1]
        return DeployedRelease(int(newest["revision"]), str(newest["status"]))

    async def releases(self) -> list[ListedRelease]:
        """Every release of the namespace, by name; Helm lists some statuses only if asked."""
        releases = await self._command.list(
            include_failed=True,
            include_pending=True,
            include_uninstalling=True,
            include_uninstalled=True,
            namespace=self._namespace,
        )
        return [ListedRelease(r["name"], r["chart"], int(r["revision"]), r["status"]) for r in releases]

    async def manifest(self, name: str) -> list[dict[str, Any]]:
        """The objects that the newest revision applied."""
        return _objects(await self._command.run(["get", "manifest", name, "--namespace", self._namespace]))

    async def values(self, name: str) -> dict[str, Any]:
        """The values that the newest revision was given."""
        return dict(await self._command.get_values(name, namespace=self._namespace))

    async def render(self, release: Release) -> list[dict[str, Any]]:
        """The objects that installing or upgrading to ``release`` would apply."""
        reference, options = self._chart(release)
        words = ["template", release.name, reference, "--is-upgrade", "--skip-crds", "--values", "-"]
        words += ["--namespace", self._namespace]
        words += [word for name, value in options.items() for word in (f"--{name}", value)]
        try:
            # Helm does not list hooks as objects of a release.
            rendered = await self._command.run([*words, "--no-hooks"], json.dumps(release.values).encode())
        except ChartError as error:
            raise _explained(release, error) from error
        return _objects(rendered)

    async def upgrade(self, release: Release) -> int:
        """Install or upgrade without waiting for pods; returns the new revision.

        Helm 4 uses server-side apply and refuses fields that others changed, unless conflicts are forced.
        """
        major, _ = await self.version()
        conflict_options = {"server_side": "true", "force_conflicts": True} if major >= 4 else {}
        reference, options = self._chart(release)
        answer: Any = await self._command.install_or_upgrade(
            release.name,
            reference,
            release.values,
            create_namespace=False,
            namespace=self._namespace,
            **conflict_options,
            **options,
        )
        return int(answer["version"])

    def _chart(self, release: Release) -> tuple[Path | str, dict[str, str]]:
        """The chart of a release, and the options with which Helm finds it."""
        remote = release.source.remote
        if remote is None:
            return self._directory / release.chart, {}
        options = {"version": remote.version, **({"repo": remote.repository} if remote.repository else {})}
        return remote.reference, options

    async def uninstall(self, name: str) -> None:
        """Uninstall a release with its history, without waiting for pods; a missing one is fine."""
        with suppress(_ReleaseMissingError):
            await self._command.uninstall(name, namespace=self._namespace)

    async def rollback(self, name: str, revision: int) -> int:
        """Roll a release back to an earlier revision without waiting for pods; returns the new revision."""
        major, _ = await self.version()
        # pyhelm3 does not know these two.
        conflict_options = ["--server-side", "true", "--force-conflicts"] if major >= 4 else []
        await self._command.run(["rollback", name, revision, "--namespace", self._namespace, *conflict_options])
        newest = await self.find(name)
        return newest.revision if newest else 0


def _explained(release: Release, error: ChartError) -> ChartError:
    """The error with a hint at what the file says; otherwise the installation is the likely cause."""
    sources = ", ".join(dict.fromkeys(value.source for value in release.overridden))
    if release.source.flavor:
        sources = f"{release.component}.chart{f' and {sources}' if sources else ''}"
    if not sources:
        return error
    return error.reworded(error.message, hint=f"correct {sources}: the values of a chart are in its values.yaml")


class _ReleaseMissingError(HelmError):
    """Helm has no release of this name."""


def _as_yaml(values: bytes) -> bytes:
    """pyhelm3's JSON without surrogate pairs, which Helm's YAML parser cannot read."""
    return json.dumps(json.loads(values), ensure_ascii=False).encode()


async def _terminate(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
    try:
        # Also of a process that has ended: asyncio closes pipes only when they are read to their end.
        await asyncio.wait_for(process.communicate(), _TERMINATION_GRACE)
    except TimeoutError:
        if process.returncode is None:
            process.kill()
            await process.wait()


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc] # only known at run time
    """As pyhelm3's loader, which is written in Python and needs most of a deployment's CPU time."""


# A plain = has no meaning in YAML 1.2, which Helm writes.
_Loader.add_constructor("tag:yaml.org,2002:value", _Loader.construct_scalar)


def _objects(manifest: bytes) -> list[dict[str, Any]]:
    """The objects of a manifest; raises ChartError."""
    try:
        objects = [document for document in yaml.load_all(manifest, _Loader) if document]
    except yaml.YAMLError as error:
        reason = " ".join(str(error).split())
        raise ChartError(f"cannot parse the manifest from Helm: {reason}", hint="report this as a bug") from None
    if not all(isinstance(found, dict) and "kind" in found for found in objects):
        hint = "check that the helm in PATH is Helm: helm version"
        raise ChartError("Helm printed something other than Kubernetes objects", hint=hint)
    return objects


def _translate(command: str, errors: str) -> HelmError:
    lines = [line for line in errors.splitlines() if line.strip() and not line.startswith(("WARNING:", "level="))]
    message = "\n  ".join(lines).removeprefix("Error: ") or "no reason given"
    if "release: not found" in errors:
        return _ReleaseMissingError(message)
    chart_faults = (
        "values don't meet the specifications",
        "execution error at",
        "Chart.yaml",
        "parse error",
        "YAML parse",
    )
    if command == "template" or any(fault in errors for fault in chart_faults):
        return ChartError(
            f"cannot render a chart: {message}", hint="reinstall regmirror; if that does not help, report it"
        )
    if "another operation" in errors:
        return HelmError(
            f"helm {command} failed: {message}", hint="wait until the other operation ends, then run the command again"
        )
    return HelmError(f"helm {command} failed: {message}")
