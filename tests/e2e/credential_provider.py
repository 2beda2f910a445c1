"""The lab's kubelet with a credential provider: a program that the kubelet asks for the credentials of an image."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.e2e import kubelet

NAME = "lab-credentials"
USER = "workload"
# Answers with the password in a file, with the ServiceAccount token of the pod if the file is empty, and with nothing
# if there is no file. It writes the hash of the token, by which a test recognizes it.
PROGRAM = """\
#!{python}
import hashlib, json, pathlib, sys
here = pathlib.Path(__file__).parent
request = json.load(sys.stdin)
password, token = here / "password", request.get("serviceAccountToken", "")
(here / "token-hash").write_text(hashlib.sha256(token.encode()).hexdigest())
answer = {{
    "apiVersion": request["apiVersion"], "kind": "CredentialProviderResponse", "cacheKeyType": "Image",
    "cacheDuration": "0s",
}}
if password.exists():
    registry = request["image"].partition("/")[0]
    answer["auth"] = {{registry: {{"username": "{user}", "password": password.read_text() or token}}}}
json.dump(answer, sys.stdout)
"""


@dataclass(frozen=True)
class CredentialProvider:
    """The program in its directory; at first, it has no credentials."""

    directory: Path

    def answer_with(self, password: str) -> None:
        """Answer with a fixed password from now on."""
        (self.directory / "password").write_text(password)

    def answer_with_token(self) -> None:
        """Answer with the ServiceAccount token of each pod from now on."""
        self.answer_with("")

    def answer_with_nothing(self) -> None:
        """Have no credentials from now on."""
        (self.directory / "password").unlink(missing_ok=True)

    @property
    def token_hash(self) -> str:
        """The SHA-256 of the last ServiceAccount token that the kubelet passed."""
        return (self.directory / "token-hash").read_text()


@contextmanager
def credential_provider(directory: Path, match_images: list[str], audience: str) -> Iterator[CredentialProvider]:
    """Restart the lab's kubelet with a credential provider for some images; without it at the end."""
    programs = directory / "bin"
    programs.mkdir()
    program = programs / NAME
    program.write_text(PROGRAM.format(python=sys.executable, user=USER))
    program.chmod(0o755)
    configuration = directory / "credential-providers.json"
    configuration.write_text(json.dumps(_configuration(match_images, audience)))
    kubelet.restart(
        f"--image-credential-provider-config={configuration}", f"--image-credential-provider-bin-dir={programs}"
    )
    try:
        yield CredentialProvider(programs)
    finally:
        kubelet.restart()


def _configuration(match_images: list[str], audience: str) -> dict[str, object]:
    provider = {
        "name": NAME,
        "apiVersion": "credentialprovider.kubelet.k8s.io/v1",
        "matchImages": match_images,
        "defaultCacheDuration": "0s",
        "tokenAttributes": {
            "serviceAccountTokenAudience": audience,
            "requireServiceAccount": True,
            "cacheType": "Token",
        },
    }
    return {"apiVersion": "kubelet.config.k8s.io/v1", "kind": "CredentialProviderConfig", "providers": [provider]}
