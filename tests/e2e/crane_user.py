"""Somebody with crane and logins of their own: pulls from a mirror, and logs in with what its sign-in page shows."""

from dataclasses import dataclass
from pathlib import Path

from tests.contract.browser import Browser
from tests.e2e.deployed_mirror import DeployedMirror, Outcome, run


@dataclass(frozen=True)
class CraneUser:
    """``home`` is the directory of the logins and of the pulled image."""

    mirror: DeployedMirror
    home: Path

    def pull(self, image: str) -> Outcome:
        """Pull an image of the mirror."""
        return self._crane("pull", f"{self.mirror.host}/{image}", str(self.home / "image.tar"))

    def log_in(self, name: str, password: str) -> None:
        """Log in as ``docker login`` does."""
        words = ["auth", "login", self.mirror.host, "--username", name, "--password-stdin"]
        done = self._crane(*words, stdin=password)
        assert done.code == 0, done.stderr

    def sign_in(self, browser: Browser, name: str, kind: str = "github") -> None:
        """Sign in with a browser, and log in as the page says."""
        page = sign_in_page(self.mirror, browser, name, kind)
        (command,) = [line for line in page.splitlines() if "docker login" in line]
        _, _, _, user, _, password, host = command.removeprefix("$ ").split()
        assert host == self.mirror.host
        self.log_in(user, password)

    def _crane(self, *words: str, stdin: str = "") -> Outcome:
        environment = {"SSL_CERT_FILE": str(self.mirror.target.authority), "DOCKER_CONFIG": str(self.home)}
        return run(["crane", *words], self.home, environment, stdin)


def sign_in_page(mirror: DeployedMirror, browser: Browser, name: str, kind: str) -> str:
    """What the page of the mirror shows at the end of a sign-in at the stand-in of a provider."""
    browser.open(f"https://{mirror.host}/{kind}_auth")
    browser.click("a[href*=authorize]")
    browser.click(f"#{name}")
    return browser.text("body")
