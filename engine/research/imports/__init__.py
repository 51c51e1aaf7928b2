"""Recordings made by others: a registry of formats, each recognised by the first bytes of what is in the file.

A format gives one or more of four things:
- `open_recording`: frames of the venue, `(t_ns, bytes)`, which a session can be made of;
- `open_events`: what happened in one instrument's market, whoever recorded it (`Level2`, `Best`, `Printed`);
- `open_chains`: whole option chains over time, a table; `open_surface`: one moment of a whole venue.

Opening reads a file through once, for what it holds, its notes and its bad lines; iterating then streams it. Nothing
is repaired in silence: what cannot be read is listed with its line and why, and what had to be inferred is said in a
note. A file that cannot be read at all raises BadRecording with a sentence. Every file may be compressed by gzip.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from engine.research.imports.binance import BinanceLog, is_binance
from engine.research.imports.events import Best, Event, EventRecording, Level2, Printed
from engine.research.imports.found import LISTED, BadLine, BadRecording, Progress, silent
from engine.research.imports.framelog import (
    FrameLog,
    InstrumentList,
    TardisRaw,
    is_frame_log,
    is_instrument_list,
    is_tardis_raw,
)
from engine.research.imports.frames import Frames, Reader, Source
from engine.research.imports.ladder import Ladder
from engine.research.imports.lines import head
from engine.research.imports.tardis_csv import is_tardis_csv
from engine.research.imports.tardis_events import TardisEvents
from engine.research.imports.tardis_frames import TardisFrames

if TYPE_CHECKING:
    from engine.research.imports.chains import Chains
    from engine.research.imports.surfaces import Surface

__all__ = [
    "FORMATS", "LISTED", "BadLine", "BadRecording", "Best", "Event", "EventRecording", "Format", "Frames", "Ladder",
    "Level2", "Printed", "Progress",
    "format_of", "open_chains", "open_events", "open_recording", "open_surface",
]  # fmt: skip

HEAD = 1 << 16  # bytes that a format is recognised by
Paths = Path | Sequence[Path]


class Format(NamedTuple):
    """A format, what recognises it by its first bytes, and what opens it as each thing that it gives. Frames are opened
    file by file and put together; for everything else the files of a recording are opened at once."""

    name: str
    recognises: Callable[[bytes], bool]
    gives: Mapping[str, Callable[[tuple[Path, ...], Progress], Any]]


def format_of(path: Path) -> Format:
    """The format of a file. Raises BadRecording."""
    if not path.is_file():
        raise BadRecording(f"there is no file '{path}'" if not path.exists() else f"'{path}' is not a file")
    try:
        start = head(path, HEAD)
    except OSError as error:
        raise BadRecording(f"'{path}' cannot be read: {error.strerror}") from None
    if not start.strip():
        raise BadRecording(f"'{path}' is empty")
    for known in FORMATS:
        if known.recognises(start):
            return known
    names = ", ".join(known.name for known in FORMATS)
    raise BadRecording(f"'{path}' is in no format known here ({names})")


def open_recording(paths: Paths, progress: Progress = silent) -> Frames:
    """Frames of the venue, of one file or of several, in any of the formats that hold them, merged in order of time.
    `progress` hears the share done, 0 … 1. Raises BadRecording."""
    files = _files(paths)
    opened = [(path, _opener("frames", path)) for path in files]
    sources: list[Source] = []
    for place, (path, opener) in enumerate(opened):
        sources.append(_read(opener, (path,), _part(progress, place, len(files))))
    return Frames(sources)


def open_events(paths: Paths, progress: Progress = silent) -> EventRecording:
    """One instrument's market; files of one format that belong together are given together. Raises BadRecording."""
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
_Opener = Callable[[tuple[Path, ...], Progress], Any]


def _files(paths: Paths) -> tuple[Path, ...]:
    files = (paths,) if isinstance(paths, Path) else tuple(paths)
    if not files:
        raise BadRecording("no file is named")
    if len({path.resolve() for path in files}) < len(files):
        raise BadRecording("a file is named twice")
    return files


def _opener(what: str, path: Path) -> _Opener:
    known = format_of(path)
    if what not in known.gives:
        given = " and ".join(_GIVEN[each] for each in known.gives)
        raise BadRecording(f"'{path}' is a {known.name}: it gives {given}, not {_GIVEN[what]}")
    return known.gives[what]


def _open(what: str, paths: Paths, progress: Progress) -> Any:
    files = _files(paths)
    openers = {_opener(what, path) for path in files}
    if len(openers) > 1:
        raise BadRecording("these files are not all in one format")
    return _read(openers.pop(), files, progress)


def _read(opener: _Opener, files: tuple[Path, ...], progress: Progress) -> Any:
    try:
        return opener(files, progress)
    except OSError as error:
        raise BadRecording(f"'{error.filename or files[0]}' cannot be read: {error.strerror or error}") from None


def _part(progress: Progress, place: int, of: int) -> Progress:
    return lambda share: progress((place + share) / of)


def _frames(name: str, reader: Callable[[Path], Reader]) -> _Opener:
    return lambda paths, progress: Source(paths[0], name, reader, progress)


def _alone(paths: tuple[Path, ...]) -> Path:
    if len(paths) > 1:
        raise BadRecording(f"'{paths[0]}' is read alone, not together with others")
    return paths[0]


def _chains(paths: tuple[Path, ...], progress: Progress) -> Any:
    from engine.research.imports.chains import open_chains_file  # pandas and pyarrow take a second to import

    return open_chains_file(_alone(paths), progress)


def _chain_frames(paths: tuple[Path, ...], progress: Progress) -> Any:
    from engine.research.imports.chains import open_chains_file
    from engine.research.imports.sweeps import Swept, born

    chains = open_chains_file(_alone(paths), lambda share: progress(share / 2))
    return Source(chains.path, Swept.format, lambda _: Swept(chains), lambda share: progress((1 + share) / 2),
                  born(chains.table))  # fmt: skip


def _chain_rows(paths: tuple[Path, ...], progress: Progress) -> Any:
    from engine.research.imports.chains import open_chain_rows

    return open_chain_rows(_alone(paths), progress)


def _still_frames(paths: tuple[Path, ...], progress: Progress) -> Any:
    from engine.research.imports.stills import Still, born

    found = _surface(paths, silent)
    return Source(found.path, Still.format, lambda _: Still(found), progress, born(found))


def _surface(paths: tuple[Path, ...], progress: Progress) -> Any:
    from engine.research.imports.surfaces import Surface

    return Surface(_alone(paths), progress)


def _is_parquet(start: bytes) -> bool:
    return start.startswith(b"PAR1")


def _is_surface(start: bytes) -> bool:
    text = start.lstrip()
    return text.startswith(b"{") and text[1:].lstrip().startswith((b'"as_of"', b'"asset"'))


FORMATS: list[Format] = [
    Format(FrameLog.format, is_frame_log, {"frames": _frames(FrameLog.format, FrameLog)}),
    Format(InstrumentList.format, is_instrument_list, {"frames": _frames(InstrumentList.format, InstrumentList)}),
    Format(BinanceLog.format, is_binance, {"events": BinanceLog}),
    Format(TardisRaw.format, is_tardis_raw, {"frames": _frames(TardisRaw.format, TardisRaw)}),
    Format(
        TardisFrames.format,
        is_tardis_csv,
        {"frames": _frames(TardisFrames.format, TardisFrames), "events": TardisEvents, "chains": _chain_rows},
    ),
    Format("chain file", _is_parquet, {"frames": _chain_frames, "chains": _chains}),
    Format("surface snapshot", _is_surface, {"frames": _still_frames, "surface": _surface}),
]
