"""Writes containerd's files on a node once the mirror has proven itself, and removes them with its DaemonSet.

It runs in a pod of each node, from its source text, with nothing but Python's standard library:
``python3 node_agent.py FILES_JSON DIRECTORY``. It uses the network and the DNS of the node, as containerd does.
"""

import hashlib
import json
import os
import re
import signal
import ssl
import sys
import threading
import urllib.error
import urllib.request
from contextlib import suppress
from email.message import Message
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

RECORD = ".regmirror.json"
"""In the directory: the files that were written here, by path, with the SHA-256 of what was written."""
READY = Path("/tmp/ready")  # noqa: S108 - the pod's own volume; the readiness probe looks for it
ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
PAUSE = 10.0
TIMEOUT = 10.0
_LIMIT = 2**16
_CHALLENGE = re.compile(r'(\w+)="([^"]*)"')


class ProofError(Exception):
    """The mirror does not serve as it must; the text says why."""


def ask(url: str, headers: dict[str, str], context: ssl.SSLContext) -> tuple[int, dict[str, str], bytes]:
    """One GET without redirects to other schemes: status, headers by lowercase name, and the beginning of the body."""
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 - always https
    opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=context), urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=TIMEOUT) as answer:
            return answer.status, _lowercase(answer.headers), answer.read(_LIMIT)
    except urllib.error.HTTPError as error:
        return error.code, _lowercase(error.headers), error.read(_LIMIT)
    except (OSError, ValueError) as error:
        raise ProofError(f"{url.partition('?')[0]}: {getattr(error, 'reason', error)}") from None


def _lowercase(headers: Message) -> dict[str, str]:
    """Proxies write names as they like: Traefik sends Www-Authenticate."""
    return {name.lower(): value for name, value in headers.items()}


def prove(host: str, repository: str, ca_pem: str) -> None:
    """Ask the mirror for a manifest that does not exist, as containerd would; raises ProofError unless it says so."""
    context = ssl.create_default_context()
    if ca_pem:
        context.load_verify_locations(cadata=ca_pem)
    url = f"https://{host}/v2/{repository}/manifests/regmirror-proof"
    status, headers, _ = ask(url, {}, context)
    challenge = dict(_CHALLENGE.findall(headers.get("www-authenticate", "")))
    if status != 401 or not challenge.get("realm", "").startswith("https://"):
        raise ProofError(f"{url} answered {status} without asking for a token")
    query = urlencode({"service": challenge.get("service", ""), "scope": f"repository:{repository}:pull"})
    status, _, body = ask(f"{challenge['realm']}?{query}", {}, context)
    try:
        token = str(json.loads(body)["token"])
    except (ValueError, KeyError, TypeError):
        raise ProofError(f"{challenge['realm']} answered {status} without a token") from None
    status, _, _ = ask(url, {"Authorization": f"Bearer {token}"}, context)
    if status != 404:
        raise ProofError(f"{url} answered {status} instead of 404")


def digest(content: bytes) -> str:
    """The SHA-256 of a file's content."""
    return hashlib.sha256(content).hexdigest()


def read(path: Path) -> bytes | None:
    """The content of a file; None if there is none."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def replace(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Write a file so that a reader finds the old or the new content, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.regmirror")
    temporary.write_bytes(content)
    temporary.chmod(mode)
    temporary.replace(path)


def recorded(directory: Path) -> dict[str, str]:
    """What was written here before."""
    try:
        return dict(json.loads(read(directory / RECORD) or b"{}"))
    except ValueError:
        return {}


def write_files(directory: Path, files: dict[str, str]) -> list[str]:
    """Write the files, and remove those that were written before and are no longer wanted; returns foreign ones.

    A file that somebody else wrote or changed is never touched. The record is written first, so that nothing of what
    is written can be forgotten.
    """
    record = recorded(directory)
    foreign = [name for name in files if _is_foreign(directory, name, files[name], record)]
    # A file that was the same before is not ours to remove.
    own = {
        name: digest(text.encode())
        for name, text in files.items()
        if name not in foreign and (name in record or read(directory / name) is None)
    }
    unwanted = {name: found for name, found in record.items() if name not in files}
    replace(directory / RECORD, json.dumps(own | unwanted).encode())
    for name in own:
        replace(directory / name, files[name].encode())
    remove_files(directory, unwanted)
    replace(directory / RECORD, json.dumps(own).encode())
    return foreign


def _is_foreign(directory: Path, name: str, wanted: str, record: dict[str, str]) -> bool:
    content = read(directory / name)
    return content is not None and content != wanted.encode() and digest(content) != record.get(name)


def remove_files(directory: Path, record: dict[str, str]) -> None:
    """Remove the recorded files that nobody has changed since, and the directories that are empty then."""
    for name, written in record.items():
        path = directory / name
        content = read(path)
        if content is not None and digest(content) == written:
            path.unlink()
            with suppress(OSError):
                path.parent.rmdir()


def is_removed(daemon_set: str) -> bool:
    """Whether the DaemonSet or its namespace is being removed: this is not only a restart.

    With the namespace, the permission to ask is removed as well: a refusal means the same as "not found". False if the
    API server does not answer.
    """
    try:
        context = ssl.create_default_context(cafile=str(ACCOUNT / "ca.crt"))
        headers = {"Authorization": f"Bearer {(ACCOUNT / 'token').read_text()}"}
        server = f"https://{os.environ['KUBERNETES_SERVICE_HOST']}:{os.environ['KUBERNETES_SERVICE_PORT']}"
        namespace = f"namespaces/{(ACCOUNT / 'namespace').read_text()}"
        paths = (f"api/v1/{namespace}", f"apis/apps/v1/{namespace}/daemonsets/{daemon_set}")
        return any(_is_gone(*ask(f"{server}/{path}", headers, context)) for path in paths)
    except (ProofError, OSError, KeyError, ValueError):
        return False


def _is_gone(status: int, _headers: dict[str, str], body: bytes) -> bool:
    found: Any = json.loads(body) if status == 200 else {}
    return status in {401, 403, 404} or "deletionTimestamp" in found.get("metadata", {})


def say(text: str) -> None:
    """A line of the log."""
    print(text, flush=True)  # noqa: T201 - a program of its own


def main(files_json: str, directory: Path) -> None:
    """Prove the mirror, write the files, and wait for the end."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    wanted = json.loads(Path(files_json).read_text())
    while not stop.is_set():
        try:
            for mirror in wanted["mirrors"]:
                prove(mirror["host"], mirror["repository"], wanted["ca"])
            break
        except ProofError as error:
            say(f"nothing is written, because the mirror does not work from this node: {error}")
            stop.wait(PAUSE)
    if not stop.is_set():
        foreign = write_files(directory, wanted["files"])
        for name in foreign:
            say(f"{directory / name} is not changed: somebody else wrote it; remove it, or merge it by hand")
        if not foreign:
            READY.touch()
            say(f"the mirror works from this node, and {directory} names it")
    stop.wait()
    if is_removed(wanted["daemonSet"]):
        remove_files(directory, recorded(directory))
        (directory / RECORD).unlink(missing_ok=True)
        say("the files are removed")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
