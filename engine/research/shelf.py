"""Simulated sessions as files: those that are there are taken, the others are simulated, several at a time.

A file's name tells what its session hangs on: the code that simulates, the settings of its market, its length and its
seed. Beside the files a list by the hash of the data says which of them some weights were trained on, so that whoever
needs the same data again finds it, though the code has changed since.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import msgspec

from engine.paper.venue import VenueSettings
from engine.research.cluster import Workers
from engine.research.crowds import Session
from engine.research.dataset import simulated
from engine.research.fitting import Say
from engine.research.kept import MARKET, code_of
from engine.research.stored import Stored, write
from engine.shell.store.folders import write_whole

ROOMS = (*MARKET, *(f"research/{name}.py" for name in ("dataset", "hidden", "probes", "entered", "stored")))


def stored(
    sessions: Sequence[Session], minutes: float, base: VenueSettings | None, workers: Workers, say: Say, keep: Path
) -> list[Stored]:
    """These sessions as files in `keep`."""
    paths = {session: _place(keep, session, minutes, base) for session in sessions}
    missing = [session for session, path in paths.items() if not _readable(path)]
    say(f"simulating {len(missing)} sessions of {minutes:g} minutes, {len(paths) - len(missing)} are there")
    run = partial(_simulate, paths=paths, minutes=minutes, base=base)
    for done, session in enumerate(workers.each(run, missing), 1):
        say(f"session {session.seed} {session.regime}".rstrip() + f": {done} of {len(missing)}")
    return [Stored(paths[session]) for session in sessions]


def remember(keep: Path, data_hash: str, sessions: Sequence[Stored]) -> None:
    """Write down which files make this data."""
    names = [session.path.name for session in sessions]
    write_whole(_list(keep, data_hash), msgspec.json.encode(names))


def remembered(keep: Path | None, data_hash: str) -> list[Stored] | None:
    """The files that make this data, one of each session; None where one of them is no longer there or of other
    features. What they hold is for the caller to check against the hash."""
    try:
        if keep is None:
            return None
        names = msgspec.json.decode(_list(keep, data_hash).read_bytes(), type=list[str])
        return [Stored(keep / "sessions" / Path(name).name) for name in names]
    except (OSError, ValueError):
        return None


def _list(keep: Path, data_hash: str) -> Path:
    return keep / "sessions" / f"data-{data_hash[:16]}.json"


def _place(keep: Path, session: Session, minutes: float, base: VenueSettings | None) -> Path:
    hangs_on = [code_of(ROOMS), msgspec.to_builtins(session.venue(base)), minutes]
    key = hashlib.sha256(msgspec.json.encode(hangs_on)).hexdigest()[:12]
    return keep / "sessions" / f"{key}-{session.seed}.parquet"


def _simulate(session: Session, paths: Mapping[Session, Path], minutes: float, base: VenueSettings | None) -> Session:
    write(paths[session], simulated(session.seed, minutes, session.venue(base)))
    return session


def _readable(path: Path) -> bool:
    try:
        Stored(path)
    except (OSError, ValueError):
        return False
    return True
