"""The lab's downloads are pinned by version and hash, and its Go modules by go.sum."""

import base64
import re

import pytest

from lab import components, toolchain

OPTIONAL_MODULES = (*components.CLIENT_MODULES, *components.LONG_CLIENT_MODULES, *components.LONG_TEST_MODULES)
MODULES = (*components.GO_MODULES, *OPTIONAL_MODULES)


@pytest.mark.parametrize(
    "program", (*components.PUBLISHED_PROGRAMS, components.DRAYAGE), ids=lambda program: program.name
)
def test_a_downloaded_program_has_an_exact_version_and_a_hash(program: components.PublishedProgram) -> None:
    separator = "==" if program.registry == "PyPI" else "@"
    assert re.fullmatch(r"\d+(\.\d+){1,2}", program.requirement.rpartition(separator)[2])
    if program.registry == "PyPI":
        assert re.fullmatch("sha256:[0-9a-f]{64}", program.digest)
    else:
        assert len(base64.b64decode(program.digest.removeprefix("sha512-"), validate=True)) == 64


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_a_go_module_pins_its_dependencies(module: components.GoModule) -> None:
    directory = toolchain.MODULES / module.name
    requires = re.search(r"^\s*(require )?\S+ v\d", (directory / "go.mod").read_text(), re.MULTILINE)
    assert (directory / "go.sum").exists() == bool(requires)
    if module.version_of:
        assert re.fullmatch(r"v\d+\.\d+\.\d+(-beta\.\d+|\+incompatible)?", toolchain.version_of(module))


def test_the_cluster_reports_the_version_that_it_was_built_from() -> None:
    kubernetes = next(module for module in components.GO_MODULES if module.name == "kubernetes")
    assert toolchain.version_of(kubernetes) == components.KUBERNETES_VERSION
    major, minor, _ = components.KUBERNETES_VERSION.removeprefix("v").split(".")
    assert list(kubernetes.definitions.values()) == [components.KUBERNETES_VERSION, major, minor]


@pytest.mark.parametrize("modules", [components.GO_MODULES, OPTIONAL_MODULES])
def test_a_downloaded_go_is_new_enough_for_every_module(modules: tuple[components.GoModule, ...]) -> None:
    texts = [(toolchain.MODULES / module.name / "go.mod").read_text() for module in modules]
    needed = [version(re.findall(r"^go (\S+)$", text, re.MULTILINE)[0]) for text in texts]
    assert max(needed) <= max(version(requirement.rpartition("==")[2]) for requirement in components.GO_TOOLCHAINS)
    assert all(re.fullmatch("sha256:[0-9a-f]{64}", digest) for digest in components.GO_TOOLCHAINS.values())


def version(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(".")))


def test_files_of_a_module_are_pinned_by_its_hash() -> None:
    for files in components.MODULE_FILES:
        assert re.fullmatch(r"v\d+\.\d+\.\d+", files.version)
        assert len(base64.b64decode(files.digest.removeprefix("h1:"), validate=True)) == 32
