"""The account at the upstream, as the registry gets it."""

import asyncio
import json
import time
from dataclasses import dataclass

from fetcher.messages import MessageError

_PATIENCE = 10.0


@dataclass(slots=True)
class Account:
    """Runs a Docker credential helper, the one that the registry runs, and remembers its answer for a few minutes."""

    helper: str = ""
    """The program; empty: the upstream is asked without an account."""
    lifetime: float = 300.0
    _answer: str = ""
    _ends: float = 0.0

    async def read(self) -> str:
        """``user:password``, empty without an account; raises MessageError, whose text has nothing of the answer."""
        if self.helper and self._ends <= time.monotonic():
            self._answer = await self._run()
            self._ends = time.monotonic() + self.lifetime
        return self._answer

    async def _run(self) -> str:
        try:
            document = json.loads(await asyncio.wait_for(_output([self.helper, "get"]), _PATIENCE))
            name, password = document["Username"], document["Secret"]
        except (OSError, ValueError, KeyError, TypeError, TimeoutError):
            # Chained to nothing: the parser's error contains the document.
            raise MessageError("the account at the upstream cannot be read") from None
        return f"{name}:{password}" if name and password else ""


async def _output(command: list[str]) -> bytes:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe)
    try:
        return (await process.communicate(b""))[0]
    finally:
        if process.returncode is None:
            process.kill()
