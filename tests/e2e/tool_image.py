"""The image of regmirror in the lab's containerd, as the release has it: without the lab's CA, for any user."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from lab.instance import Instance
from release import image, packages

_ROOT = Path(__file__).parents[2]
ARCHIVE = os.environ.get("REGMIRROR_IMAGE_ARCHIVE")
"""An image to test instead of one of this machine's files: an OCI layout as a tar file, such as `buildx` writes."""


def import_tool_image(reference: str = image.REFERENCE) -> str:
    """Import the image of the checked-out version into the lab, under this name; returns the name."""
    instance = Instance.from_environment()
    with tempfile.TemporaryDirectory(dir=instance.state, prefix="tool-image-") as directory:
        archive = Path(ARCHIVE) if ARCHIVE else _build(instance, Path(directory))
        # skopeo selects the platform and gives the image its name, which an OCI layout may not have.
        named = Path(directory, "named.tar")
        copy = ["skopeo", "--insecure-policy", "copy", "--quiet", f"oci-archive:{archive}"]
        subprocess.run([*copy, f"docker-archive:{named}:{reference}"], check=True)
        client = ["ctr", "--address", str(instance.containerd_socket), "--namespace=k8s.io", "images"]
        subprocess.run([*client, "import", str(named)], check=True, capture_output=True)
    return reference


def _build(instance: Instance, directory: Path) -> Path:
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(directory), str(_ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    file = directory / "image.tar"
    image.write(packages.wheel(directory), instance.programs / "helm", instance.cache, file)
    return file
