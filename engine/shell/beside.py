"""The processes beside an engine: how they are found, and how the paper venue is started, kept and ended.

Each writes a small record of itself into its venue's folder: address, port, process id.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

LOOK_S = 1.0


class NoVenue(OSError):
    """The paper venue did not start. Its text is fit for a person."""


def alive(record: Path) -> dict[str, str] | None:
    """What a running process wrote about itself, if its port still answers."""
    try:
        found: dict[str, str] = json.loads(record.read_text())
        with socket.create_connection(("127.0.0.1", int(found["port"])), timeout=0.5):
            return found
    except (OSError, ValueError, KeyError):
        return None


class Wanted(NamedTuple):
    """What the paper venue is started with."""

    seed: int
    speed: float
    regime: str


def paper_venue(folder: Path, wanted: Wanted, port: str = "0") -> dict[str, str]:
    """The paper venue of this folder: the one that still runs there, else a new process. It outlives an engine that
    dies; `end_paper_venue` ends it. Raises NoVenue."""
    record = folder / "venue.json"
    if found := alive(record):
        return found
    command = [sys.executable, "-m", "engine", "venue", "--port", port, "--seed", str(wanted.seed),
               "--speed", str(wanted.speed), "--regime", wanted.regime]  # fmt: skip
    with (folder / "venue.log").open("ab") as log:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True, text=True
        )
    assert process.stdout is not None
    with process.stdout as said:
        line = said.readline()
    if not line.startswith("venue: "):
        process.wait()
        raise NoVenue(f"the paper venue did not start; see {folder / 'venue.log'}")
    address = line.split()[1]
    found = {"address": address, "port": str(urlsplit(address).port), "pid": str(process.pid)}
    record.write_text(json.dumps(found))
    return found


async def keep_paper_venue(folder: Path, wanted: Wanted, up: Callable[[], bool]) -> None:
    """A paper venue that has died comes back at its port, with a new epoch: it has forgotten orders and positions,
    and says so. `up` tells whether the line to it is; while it is nothing is asked. Raises NoVenue for one that ran
    faster than the wall: its time has died with it, and an engine that lives in that time must begin anew."""
    port = json.loads((folder / "venue.json").read_text())["port"]
    while True:
        await asyncio.sleep(LOOK_S)
        if not up() and alive(folder / "venue.json") is None:
            if wanted.speed != 1.0:
                raise NoVenue("the paper venue died, and the time it kept")
            starting = asyncio.ensure_future(asyncio.to_thread(paper_venue, folder, wanted, port))
            try:
                await asyncio.shield(starting)
            except asyncio.CancelledError:
                await starting  # or what has just been started would be left behind
                raise


def end_paper_venue(folder: Path) -> None:
    record = folder / "venue.json"
    if found := alive(record):
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(found["pid"]), signal.SIGTERM)
    record.unlink(missing_ok=True)
