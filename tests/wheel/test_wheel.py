"""The wheel, installed alone in a clean environment, carries its charts and templates and can be used."""

import os
import re
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.wheel

RENDER = """
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import SecretStr

from regmirror.config.load import parse_mirror, read_text
from regmirror.signing.key_pair import generate_private_key, self_signed
from regmirror.desired.mirror_secrets import MirrorSecrets
from regmirror.desired.releases import build_stack

now = datetime.now(UTC)
pair = self_signed(generate_private_key(2048), "wheel", now, timedelta(days=1), 1)
mirror_secrets = MirrorSecrets(pair, pair.certificate_pem, SecretStr("password"))
mirror = parse_mirror(read_text(Path("regmirror.yaml")), "regmirror.yaml")
for release in build_stack(mirror, mirror_secrets, {}, now).releases:
    print(release.name, release.chart, (release.chart / "Chart.yaml").is_file())
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment that has regmirror from its wheel, and its dependencies from this one.

    A path file adds the dependencies; those that it would itself bring, such as the editable regmirror, it does not.
    """
    directory = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(directory), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = directory.glob("*.whl")
    venv.create(directory / "venv", with_pip=True)
    interpreter = directory / "venv" / "bin" / "python"
    install = [str(interpreter), "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", str(wheel)]
    subprocess.run(install, check=True, env=os.environ | {"PIP_DISABLE_PIP_VERSION_CHECK": "1"})
    (site,) = (directory / "venv" / "lib").glob("*/site-packages")
    (ours,) = {Path(entry) for entry in sys.path if entry.endswith("site-packages")}
    (site / "dependencies.pth").write_text(f"{ours}\n")
    return interpreter


def test_the_wheel_inits_and_renders(python: Path, tmp_path: Path) -> None:
    init = ["init", "--yes", "--host=mirror.example.com", "--bucket=layers", "--allow=library"]
    subprocess.run([str(python.parent / "regmirror"), *init], cwd=tmp_path, check=True, capture_output=True)
    script = tmp_path / "render.py"
    script.write_text(RENDER)
    rendered = subprocess.run([str(python), str(script)], cwd=tmp_path, check=True, capture_output=True, text=True)
    lines = rendered.stdout.splitlines()
    assert [line.split()[0] for line in lines] == [
        "regmirror-redis",
        "regmirror-auth",
        "regmirror-docker-hub",
        "regmirror-ingress",
    ]
    for line in lines:
        _, chart, found = line.split()
        assert found == "True"
        assert Path(chart).is_relative_to(python.parents[1])


def test_the_wheel_carries_the_reference_pages_and_the_plugin_of_kubectl(python: Path) -> None:
    (package,) = (python.parents[1] / "lib").glob("*/site-packages/regmirror")
    assert (package / "docs/reference/errors.md").is_file()
    assert (package / "docs/reference/configuration.md").is_file()
    command = [str(python.parent / "kubectl-regmirror"), "--version"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True)
    assert shown.stdout.startswith("regmirror ")
    (metadata,) = package.parent.glob("regmirror_kube-*.dist-info")
    text = (metadata / "METADATA").read_text()
    assert "Project-URL: Documentation, https://" in text
    assert "](https://regmirror-kube.readthedocs.io/en/" in text
    assert re.findall(r"\]\((?!https?://)[^)]*\)", text) == []
