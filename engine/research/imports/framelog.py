"""Lines of frames as somebody received them on the venue's socket: the frame log, and the raw feed of Tardis.

In a frame log a line is one event: `TIME: JSON` from the venue, `URL <-> TIME` a connection, `URL <- TIME: JSON` what
the client sent, `URL -> TIME: JSON` an answer by HTTP; times are the receiver's, in seconds. A `get_instruments`
answer may lie beside the log (`2021-04-17.http.txt` for `2021-04-17.ws.txt`, compressed or not), or be named itself.

In the raw feed of Tardis a line is `TIME JSON`, the receiver's time in ISO 8601; an empty line is a lost connection.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from engine import domain
from engine.market.deribit.wire import Garbage, InstrumentData, decode
from engine.research.imports.found import Bad, Progress, silent
from engine.research.imports.frames import Timed
from engine.research.imports.lines import lines
from engine.research.imports.times import ISO, of_iso

_FRAME = re.compile(rb"(\d{9,11})(?:\.(\d{1,9}))?\d*: (.+)", re.DOTALL)
_OTHER = re.compile(rb"(?:wss?|https?)://\S+ (?:<->|<-|->) \d{9,11}(?:\.\d+)?(?::|$)|configuration: ")
_ANSWER = re.compile(rb"https?://\S*get_instruments\S* -> [\d.]+: (.+)", re.DOTALL)
_RAW = re.compile(rb"(" + ISO + rb") (.+)", re.DOTALL)


class _Answer(msgspec.Struct):
    result: list[InstrumentData]


_answer = msgspec.json.Decoder(_Answer)


class FrameLog:
    """A reader (see frames) of `TIME: JSON` lines."""

    format = "Deribit frame log"

    def __init__(self, path: Path) -> None:
        self.path = path
        self.notes: list[str] = []
        self.listed: dict[str, InstrumentData] = {}

    def read(self, bad: Bad, heard: Progress = silent) -> Iterator[Timed]:
        self._beside()
        for number, raw in lines(self.path, bad, heard):
            text = raw.strip()
            if not text or _OTHER.match(text):
                continue
            match = _FRAME.fullmatch(text)
            if match is None:
                bad.add(number, "it is not 'TIME: JSON'")
                continue
            t = int(match[1]) * domain.NS + int((match[2] or b"").ljust(9, b"0"))
            yield from _frame(number, t, match[3], bad)

    def _beside(self) -> None:
        stem = self.path.name.split(".")[0]
        for name in (f"{stem}.http.txt", f"{stem}.http.txt.gz"):
            path = self.path.with_name(name)
            if path != self.path and path.is_file():
                self.listed, notes = _lists(path, Bad())
                self.notes += [*notes, f"instruments are from {name}, which lists {len(self.listed)}"]
                return


class InstrumentList:
    """A reader of `get_instruments` answers: no frames, but what they list."""

    format = "Deribit instrument list"

    def __init__(self, path: Path) -> None:
        self.path = path
        self.notes: list[str] = []
        self.listed: dict[str, InstrumentData] = {}

    def read(self, bad: Bad, heard: Progress = silent) -> Iterator[Timed]:
        self.listed, notes = _lists(self.path, bad, heard)
        self.notes += [*notes, f"it lists {len(self.listed)} instruments"]
        yield from ()


class TardisRaw:
    """A reader of Tardis's raw lines."""

    format = "Tardis raw feed"

    def __init__(self, path: Path) -> None:
        self.path = path
        self.notes: list[str] = []
        self.listed: dict[str, InstrumentData] = {}

    def read(self, bad: Bad, heard: Progress = silent) -> Iterator[Timed]:
        lost = 0
        for number, raw in lines(self.path, bad, heard):
            text = raw.strip()
            match = _RAW.fullmatch(text)
            t = of_iso(match[1]) if match else None
            if not text:
                lost += 1
            elif match is None or t is None:
                bad.add(number, "it is not 'TIME JSON' with a time like 2021-07-22T22:42:03.8043180Z")
            else:
                yield from _frame(number, t, match[2], bad)
        if lost:
            self.notes.append(f"the connection was lost {lost} times while it was recorded")


def is_frame_log(head: bytes) -> bool:
    first = [line.strip() for line in head.splitlines()[:50]]
    return any(_FRAME.fullmatch(line) or line.startswith((b"ws://", b"wss://")) for line in first)


def is_instrument_list(head: bytes) -> bool:
    return b"get_instruments" in head.split(b" ", 1)[0] and head.startswith(b"http")


def is_tardis_raw(head: bytes) -> bool:
    return any(_RAW.fullmatch(line.strip()) for line in head.splitlines()[:50])


def _frame(number: int, t: int, frame: bytes, bad: Bad) -> Iterator[Timed]:
    event = decode(frame)
    if isinstance(event, Garbage):
        bad.add(number, event.reason)
    else:
        yield Timed(number, t, frame, event)


def _lists(path: Path, bad: Bad, heard: Progress = silent) -> tuple[dict[str, InstrumentData], list[str]]:
    """What the answers in a file list; those that are none are bad lines, and said."""
    listed: dict[str, InstrumentData] = {}
    notes: list[str] = []
    for number, line in lines(path, bad, heard):
        match = _ANSWER.fullmatch(line.strip())
        if match is None:
            continue
        try:
            listed |= {data.instrument_name: data for data in _answer.decode(match[1]).result}
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            bad.add(number, str(error))
            notes.append(f"line {number} of {path.name} is not an instrument list: {error}")
    return listed, notes
