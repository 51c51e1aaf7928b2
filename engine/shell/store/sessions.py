"""The list of a data folder's sessions, from their `session.json` and the headers of their blocks alone."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Literal

import msgspec

from engine.shell.store.folders import BadSession, meta_of, sessions_of
from engine.shell.store.tape import headers, running

_LATEST = 2**63 - 1
State = Literal["running", "closed", "recovered", "unreadable"]


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """One session. Times are ns UTC, 0 where unknown; `inputs` counts numbers, lost ones included; `size` is bytes.

    `recovered`: it was cut off, and ends with the last block that is whole. `note` says why one is unreadable.
    """

    name: str
    state: State
    mode: str = ""
    code: str = ""
    instruments: int = 0
    start: int = 0
    end: int = 0
    inputs: int = 0
    size: int = 0
    note: str = ""


def sessions(data: Path) -> list[Session]:
    """All sessions below `data`, the oldest first. An unreadable one is listed too, with the reason."""
    folders = [path for path in sessions_of(data).glob("*") if path.is_dir()]
    return sorted((session_of(folder) for folder in folders), key=lambda one: (one.start, one.name))


def session_of(folder: Path) -> Session:
    """What is known of the session in this folder, without reading its inputs."""
    size = _size(folder)
    try:
        meta = meta_of(folder)
    except BadSession as error:
        return Session(name=folder.name, state="unreadable", size=size, note=str(error))
    state: State = "closed" if meta.closed else "running" if running(folder) else "recovered"
    last, end = (meta.last, meta.ended) if meta.closed else _reach(folder, meta.first - 1, meta.started)
    return Session(
        name=meta.name, state=state, mode=meta.mode, code=meta.code, instruments=meta.instruments, start=meta.started,
        end=end, inputs=last - meta.first + 1, size=size,
    )  # fmt: skip


def _reach(folder: Path, last: int, t: int) -> tuple[int, int]:
    """Number and time of the last input that is readable."""
    for header in headers(folder, t=_LATEST):
        last, t = header.last, header.t_last
    return last, t


def _size(folder: Path) -> int:
    """Bytes of all its files; one may go while we look, as `session.json` does when it is replaced."""
    total = 0
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):
            total += path.stat().st_size if path.is_file() else 0
    return total
