"""The process of the attacker."""

import asyncio
import multiprocessing
import os
import resource
from concurrent.futures import ProcessPoolExecutor

from tests.e2e.attack import Move
from tests.e2e.hostile_client import Answers, Victim


def in_another_process(move: Move, victim: Victim) -> Answers:
    """What the attacker gets; in this process, it would slow down the client that is measured."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(run_move, move, victim).result()


def run_move(move: Move, victim: Victim) -> Answers:
    """Attack with as many connections as the kernel allows, and with less CPU time than the mirror gets."""
    _, limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    os.nice(10)
    return asyncio.run(_run(move, victim))


async def _run(move: Move, victim: Victim) -> Answers:
    return await move(victim)
