"""Writes docs/explanation/reliability.md from what was measured: ``python docs/generate_reliability.py > docs/explanation/reliability.md``.

``make reliability`` measures, into docs/reliability.json, and runs this.
"""

import json
import sys
from pathlib import Path
from typing import Any

RECORD = Path(__file__).parent / "reliability.json"
KINDS = {
    "token": "new token",
    "tag": "manifest by tag",
    "digest": "manifest by digest",
    "layer": "layer",
    "new": "image not in the cache",
}
GROUPS = {
    "Docker Hub": "Docker Hub",
    "S3": "The bucket",
    "Redis": "Redis",
    "docker_auth": "docker_auth",
    "The": "Pods and nodes",
}

_INTRODUCTION = """\
# When something fails

<!-- Made by docs/generate_reliability.py from docs/reliability.json: make reliability writes both. -->

A mirror stands between every pull and what the pull needs. This page says what clients get while something is broken,
how long it takes until all is well again, and which [checks](../reference/checks/index.md) of `regmirror verify` tell it. Nothing here is
an estimate: `make reliability` breaks one thing after another in a mirror as `regmirror init` makes it, on [the
lab](../contributing/lab.md), while clients pull, and writes these tables. They were measured on 2 cores.

In each cell stand how requests were answered and the median time that it took, with the longest where one took much
longer, or how often they were answered in which way; the first 12 seconds of the fault count, and clients waited for at
most 20 seconds.
*Manifest by tag*, *by digest* and *layer* are of an image that the mirror has; these clients hold a token that they got
before. *Again* is the time from the end of the fault until requests of every kind are served, the image that was not in
the cache included; nobody lends a hand. After none of them anything that was in the cache had to be fetched from Docker
Hub again.
"""

_MEANING = """\
## What that means

- **Docker Hub may go away.** What is in the cache is served: by digest and as layers without asking Docker Hub at
  all, by tag as it was when Docker Hub was last asked. Nothing tells a client that a tag may be stale. Pin what
  matters by digest: such a pull is not even slower.
- **A Docker Hub that accepts connections and never answers is worse than one that is down.** For a tag the registry
  asks it for a token, for which it waits 15 seconds, and then for the tag's digest, for which it waits as long as the
  client does. distribution has no setting for either ([why nothing stands in
  between](../decisions/0013-what-a-fault-may-cost.md)). The [cache of manifests](../decisions/0014-a-cache-of-manifests.md)
  spares it all clients but one for each tag at a time; the others are told what the tag was seconds ago. Pulls by
  digest are not touched.
- **What cannot be had is an error**, or a download that breaks off: docker, containerd and podman then go on to
  Docker Hub by themselves. None of them takes half a layer for a whole one, because its digest is known. The registry
  says 404 for whatever keeps it from Docker Hub, a 429 or a 401 as well: verify tells which it is.
- **Redis may go away, hang, forget or refuse.** It is a cache of descriptors: without it each request asks the bucket
  instead. A Redis that cannot be reached is asked a few times in vain, then not again until it is back. One that
  accepts and never answers costs 0.1 seconds for each question; a layer takes seven.
- **The bucket is the one thing that cached images need.** While it fails, clients go on to Docker Hub, and so does
  the registry, which asks it for each layer that it cannot read and then cannot keep. When it has refused for half a
  minute, the registry's pods leave the Service, so that with several replicas one node without a way to the bucket
  harms nobody; they are back within some ten seconds of its recovery. A shorter fault makes no pod leave. Each pod
  asks for a HEAD and a LIST every ten seconds, some 260,000 of each in a month: a dollar or two at AWS.
- **A bucket that hangs cannot be told from a slow one**: distribution waits for it without a limit. Give clients a
  time limit of their own.
- **A full bucket refuses pulls by tag as well**, because distribution notes a tag's digest at each of them. Pulls by
  digest go on. An S3 service with a quota should have some room left, and an alarm.
- **While docker_auth is away** nobody gets a new token; who has one goes on for as long as it lives
  (`auth.tokenLifetime`). Two replicas (`auth.replicas: 2`) on two nodes survive the loss of one; so do two of the
  registry (`registry.replicas: 2` and `ttl: 0`).
- **A pod that is killed breaks the downloads that go through it.** docker, containerd and podman take up a broken
  download where it ended; the rest comes from the next pod. Updates do not kill: see [rotation](../guides/rotate-the-signing-key.md).
"""


def document(record: list[dict[str, Any]]) -> str:
    """The whole page."""
    tables = [_table(title, [row for row in record if _group(row) == prefix]) for prefix, title in GROUPS.items()]
    return "\n".join([_INTRODUCTION, *tables, _MEANING])


def _group(row: dict[str, Any]) -> str:
    return next(prefix for prefix in GROUPS if str(row["outage"]).startswith(prefix))


def _table(title: str, rows: list[dict[str, Any]]) -> str:
    head = ["fault", *KINDS.values(), "again", "told by"]
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|", *(_row(row) for row in rows)]
    return "\n".join([f"## {title}", "", *lines, ""])


def _row(row: dict[str, Any]) -> str:
    answers = [_cell(row["requests"][kind]) for kind in KINDS]
    told = (
        ", ".join(
            f"[{check}](../reference/checks/{check.partition('-')[0]}.md#{check})" for check in row["failedChecks"]
        )
        or "nothing"
    )
    return f"| {' | '.join([row['outage'], *answers, _seconds(row['recoverySeconds']), told])} |"


def _cell(figures: dict[str, Any]) -> str:
    answers = figures["answers"]
    if len(answers) > 1:
        return ", ".join(f"{count}× {said}" for said, count in sorted(answers.items()))
    (said,) = answers
    if said == "no answer":
        return f"{said} in 20 s"
    median, longest = figures["median"], figures["max"]
    also = f", one {_seconds(longest)}" if longest > max(1.0, 10 * median) else ""
    return f"{said}, {_seconds(median)}{also}"


def _seconds(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


if __name__ == "__main__":
    sys.stdout.write(document(json.loads(RECORD.read_text())))
