"""Recordings made by others: a registry of formats, each recognised by the first bytes of what is in the file.

A format gives one of four things:
- `open_recording`: frames of the venue, `(t_ns, bytes)`, which a session can be made of;
- `open_events`: what happened in one instrument's market, whoever recorded it (`Level2`, `Best`, `Printed`);
- `open_chains`: whole option chains over time, a table; `open_surface`: one moment of a whole venue.

Opening reads a file through once, for what it holds, its notes and its bad lines; iterating then streams it. Nothing
is repaired in silence: what cannot be read is listed with its line and why, and what had to be inferred is said in a
note. A file that cannot be read at all raises BadRecording with a sentence. Every file may be compressed by gzip.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, cast

from engine.domain import Instrument
from engine.research.imports.binance import BinanceLog, is_binance
from engine.research.imports.events import Best, Event, EventRecording, Level2, Printed
from engine.research.imports.found import LISTED, BadLine, BadRecording, Progress, silent
from engine.research.imports.framelog import FrameLog, is_frame_log
from engine.research.imports.ladder import Ladder
from engine.research.imports.lines import head

if TYPE_CHECKING:
    from engine.research.imports.chains import Chains
    from engine.research.imports.surfaces import Surface

__all__ = [
    "FORMATS", "LISTED", "BadLine", "BadRecording", "Best", "Event", "EventRecording", "Format", "Ladder",
    "Level2", "Printed", "Progress", "Recording",
    "format_of", "open_chains", "open_events", "open_recording", "open_surface",
]  # fmt: skip

HEAD = 1 << 16  # bytes that a format is recognised by
Paths = Path | Sequence[Path]


class Recording(Protocol):
    """Frames of the venue. Iterating yields `(t, frame)` in order, t in ns UTC and never falling."""

    path: Path
    format: str
    frames: int
    first_t: int
    last_t: int
    instruments: tuple[Instrument, ...]
    notes: tuple[str, ...]
    bad: tuple[BadLine, ...]  # the first thousand
    bad_count: int

    def __iter__(self) -> Iterator[tuple[int, bytes]]: ...


class Format(NamedTuple):
    name: str
    gives: str  # frames, events, chains or surface
    recognises: Callable[[bytes], bool]  # the first bytes of what is in a file
    open: Callable[[tuple[Path, ...], Progress], Any]


def format_of(path: Path) -> Format:
    """The format of a file. Raises BadRecording."""
    if not path.is_file():
        raise BadRecording(f"there is no file '{path}'" if not path.exists() else f"'{path}' is not a file")
    try:
        start = head(path, HEAD)
        empty = path.stat().st_size == 0
    except OSError as error:
        raise BadRecording(f"'{path}' cannot be read: {error.strerror}") from None
    if empty:
        raise BadRecording(f"'{path}' is empty")
    for known in FORMATS:
        if known.recognises(start):
            return known
    names = ", ".join(known.name for known in FORMATS)
    raise BadRecording(f"'{path}' is in no format known here ({names})")


def open_recording(paths: Paths, progress: Progress = silent) -> Recording:
    """Frames of the venue. `progress` hears the share done, 0 … 1. Raises BadRecording."""
    return cast(Recording, _open("frames", paths, progress))


def open_events(paths: Paths, progress: Progress = silent) -> EventRecording:
    """One instrument's market; files that follow each other are given together, in order. Raises BadRecording."""
    return cast(EventRecording, _open("events", paths, progress))


def open_chains(path: Path, progress: Progress = silent) -> Chains:
    """Option chains over time. Raises BadRecording."""
    return cast("Chains", _open("chains", path, progress))


def open_surface(path: Path, progress: Progress = silent) -> Surface:
    """One moment of a whole venue. Raises BadRecording."""
    return cast("Surface", _open("surface", path, progress))


_GIVEN = {
    "frames": "frames of Deribit, which a session is made of",
    "events": "the events of a market",
    "chains": "option chains over time",
    "surface": "one moment of a venue",
}


def _open(what: str, paths: Paths, progress: Progress) -> Any:
    """All of one format that gives `what`, opened together."""
    files = (paths,) if isinstance(paths, Path) else tuple(paths)
    formats = [format_of(path) for path in files]
    for path, found in zip(files, formats, strict=True):
        if found.gives != what:
            raise BadRecording(f"'{path}' is a {found.name}: it gives {_GIVEN[found.gives]}, not {_GIVEN[what]}")
    if len(set(formats)) != 1:
        raise BadRecording("these files are not all in one format" if files else "no file is named")
    try:
        return formats[0].open(files, progress)
    except OSError as error:
        raise BadRecording(f"'{error.filename or files[0]}' cannot be read: {error.strerror}") from None


def _single(opened: Callable[[Path, Progress], Any]) -> Callable[[tuple[Path, ...], Progress], Any]:
    def of(paths: tuple[Path, ...], progress: Progress) -> Any:
        if len(paths) > 1:
            raise BadRecording(f"'{paths[0]}' is read alone, not together with others")
        return opened(paths[0], progress)

    return of


def _is_parquet(start: bytes) -> bool:
    return start.startswith(b"PAR1")


def _is_surface(start: bytes) -> bool:
    text = start.lstrip()
    return text.startswith(b"{") and text[1:].lstrip().startswith((b'"as_of"', b'"asset"'))


def _chains(path: Path, progress: Progress) -> Any:
    from engine.research.imports.chains import open_chains_file  # pandas and pyarrow take a second to import

    return open_chains_file(path, progress)


def _surface(path: Path, progress: Progress) -> Any:
    from engine.research.imports.surfaces import Surface

    return Surface(path, progress)


FORMATS: list[Format] = [
    Format(FrameLog.format, "frames", is_frame_log, _single(FrameLog)),
    Format(BinanceLog.format, "events", is_binance, BinanceLog),
    Format("chain file", "chains", _is_parquet, _single(_chains)),
    Format("surface snapshot", "surface", _is_surface, _single(_surface)),
]
