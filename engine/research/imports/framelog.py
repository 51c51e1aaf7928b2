"""The Deribit frame log: what somebody received on the venue's socket, line by line.

A line is one event: `TIME: JSON` from the venue, `URL <-> TIME` a connection, `URL <- TIME: JSON`
what the client sent, `URL -> TIME: JSON` an answer by HTTP. Times are the receiver's, in seconds. A
`get_instruments` answer may lie beside the log (`2021-04-17.http.txt` for `2021-04-17.ws.txt`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from engine import domain
from engine.domain import Instrument, Kind, OffGrid
from engine.market.deribit.wire import (
    BookData,
    Event,
    Garbage,
    InstrumentData,
    Push,
    Reply,
    TickerData,
    decode,
    instrument_of,
)
from engine.research.imports.found import LISTED, BadLine, BadRecording, Progress, silent

_FRAME = re.compile(rb"(\d{9,11})(?:\.(\d{1,9}))?\d*: (.+)", re.DOTALL)
_OTHER = re.compile(rb"(?:wss?|https?)://\S+ (?:<->|<-|->) \d{9,11}(?:\.\d+)?(?::|$)|configuration: ")
_ANSWER = re.compile(rb"https?://\S*get_instruments\S* -> [\d.]+: (.+)", re.DOTALL)
_instruments = msgspec.json.Decoder(list[InstrumentData])


class _Answer(msgspec.Struct):
    result: list[InstrumentData]


_answer = msgspec.json.Decoder(_Answer)


class _Line(NamedTuple):
    number: int
    size: int
    t: int
    frame: bytes
    event: Event  # Garbage: there is no frame


class FrameLog:
    """A Deribit frame log. Raises BadRecording where it holds no frame of Deribit at all."""

    format = "Deribit frame log"

    def __init__(self, path: Path, progress: Progress = silent) -> None:
        self.path = path
        self.frames = self.bad_count = self.first_t = self.last_t = 0
        self.instruments: tuple[Instrument, ...] = ()
        self.notes: tuple[str, ...] = ()
        self.bad: tuple[BadLine, ...] = ()
        self._read_through(progress)

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        t = 0
        for line in _lines(self.path):
            if not isinstance(line.event, Garbage):
                t = max(t, line.t)
                yield t, line.frame

    def _read_through(self, progress: Progress) -> None:
        seen, back = _Seen(), 0
        bad: list[BadLine] = []
        size, done = max(self.path.stat().st_size, 1), 0
        for line in _lines(self.path):
            done += line.size
            if isinstance(line.event, Garbage):
                self.bad_count += 1
                bad += [BadLine(line.number, line.event.reason, self.path.name)] if len(bad) < LISTED else []
                continue
            seen.take(line.event)
            back += line.t < self.last_t
            self.first_t = self.first_t or line.t
            self.last_t = max(self.last_t, line.t)
            self.frames += 1
            if self.frames % 10_000 == 0:
                progress(done / size)
        if not self.frames:
            raise BadRecording(f"'{self.path}' looks like a frame log, but no line of it is a frame of Deribit")
        self.bad = tuple(bad)
        notes = [f"{back} lines go back in time; they keep the time before them"] if back else []
        self.instruments, more = _instruments_of(seen, self.path)
        self.notes = (*notes, *more)


def _lines(path: Path) -> Iterator[_Line]:
    """The lines that are, or should be, frames of the venue."""
    with path.open("rb") as file:
        for number, raw in enumerate(file, 1):
            text = raw.strip()
            if not text or _OTHER.match(text):
                continue
            match = _FRAME.fullmatch(text)
            if match is None:
                yield _Line(number, len(raw), 0, b"", Garbage("it is not 'TIME: JSON'"))
                continue
            t = int(match[1]) * domain.NS + int((match[2] or b"").ljust(9, b"0"))
            yield _Line(number, len(raw), t, match[3], decode(match[3]))


class _Seen:
    """What a log says about its instruments: their names in order, the decimals of their books, answers in it."""

    def __init__(self) -> None:
        self.prices: dict[str, set[float]] = {}
        self.amounts: dict[str, set[float]] = {}
        self.listed: dict[str, InstrumentData] = {}

    def take(self, event: Event) -> None:
        match event:
            case Push(data=BookData() as data):
                levels = [*data.bids, *data.asks]
                self._add(data.instrument_name, [l[1] for l in levels], [l[2] for l in levels])
            case Push(data=TickerData() as data):
                best = [(data.best_bid_price, data.best_bid_amount), (data.best_ask_price, data.best_ask_amount)]
                self._add(data.instrument_name, [p for p, _ in best if p], [a for _, a in best if a])
            case Reply(result=msgspec.Raw() as result):
                self._list(bytes(result))

    def _add(self, name: str, prices: Iterable[float], amounts: Iterable[float]) -> None:
        self.prices.setdefault(name, set()).update(prices)
        self.amounts.setdefault(name, set()).update(amount for amount in amounts if amount > 0)

    def _list(self, result: bytes) -> None:
        if b'"instrument_name"' not in result[:4096] or b'"tick_size"' not in result[:4096]:
            return
        try:
            self.listed |= {data.instrument_name: data for data in _instruments.decode(result)}
        except msgspec.DecodeError:
            return  # another answer that happens to name these


def _instruments_of(seen: _Seen, path: Path) -> tuple[tuple[Instrument, ...], list[str]]:
    """Those that occur in the log: as the venue listed them, else from their names and the decimals they show."""
    notes: list[str] = []
    listed = {**_beside(path, notes), **seen.listed}
    found: dict[str, Instrument] = {}
    unlisted: list[Instrument] = []
    for name in seen.prices:
        try:
            if name in listed:
                found[name] = instrument_of(listed[name])
            else:
                unlisted.append(domain.instrument_of(name))
        except ValueError as error:
            notes.append(f"left out: {error}")
    found |= {instrument.name: instrument for instrument in _inferred(unlisted, seen, notes)}
    return tuple(found[name] for name in seen.prices if name in found), notes


def _beside(path: Path, notes: list[str]) -> Mapping[str, InstrumentData]:
    """The `get_instruments` answers that lie beside a log of the same date."""
    answers = path.with_name(f"{path.name.split('.')[0]}.http.txt")
    if answers == path or not answers.is_file():
        return {}
    listed: dict[str, InstrumentData] = {}
    with answers.open("rb") as file:
        for number, line in enumerate(file, 1):
            match = _ANSWER.fullmatch(line.strip())
            if match is None:
                continue
            try:
                listed |= {data.instrument_name: data for data in _answer.decode(match[1]).result}
            except msgspec.DecodeError as error:
                notes.append(f"line {number} of {answers.name} is not an instrument list: {error}")
    notes.append(f"instruments are from {answers.name}, which lists {len(listed)}")
    return listed


def _inferred(instruments: list[Instrument], seen: _Seen, notes: list[str]) -> list[Instrument]:
    """Today's grid, or another where the decimals say so; one grid for all of a coin and kind."""
    out: list[Instrument] = []
    for coin, kind in dict.fromkeys((i.coin, i.kind) for i in instruments):
        group = [i for i in instruments if (i.coin, i.kind) == (coin, kind)]
        out += _regrid(group, seen, notes, f"{coin} {kind}s")
    return out


def _regrid(group: list[Instrument], seen: _Seen, notes: list[str], who: str) -> list[Instrument]:
    first = group[0]
    prices = {(i.name, price) for i in group for price in seen.prices[i.name]}
    amounts = {amount for i in group for amount in seen.amounts[i.name]}
    tick, steps, lot = first.tick, first.tick_steps, first.lot
    if _off(first.units, (price for _, price in prices)):
        tick, steps = _divisor([first.tick, *(price for _, price in prices)]), ()
    elif first.kind is Kind.OPTION and _coarse(prices, steps):
        tick, steps = steps[0][1], ()
    if _off(first.lots, amounts):
        lot = _divisor([first.lot, *amounts])
    grid = f"tick {tick:g}{''.join(f', {step:g} above {above:g}' for above, step in steps)}, lot {lot:g}"
    how = "as published today" if (tick, lot, steps) == (first.tick, first.lot, first.tick_steps) else "as observed"
    notes.append(f"no instrument list: the {len(group)} {who} are known by their names; {grid}, {how}")
    return [msgspec.structs.replace(i, tick=tick, tick_steps=steps, lot=lot) for i in group]


def _coarse(prices: set[tuple[str, float]], steps: tuple[tuple[float, float], ...]) -> bool:
    """Whether the coarse tick holds throughout: at least five levels where the fine one was possible, none on it."""
    above, step = steps[0]
    low = [price for _, price in prices if price <= above]
    return len(low) >= 5 and all(abs(price / step - round(price / step)) < 1e-6 for price in low)


def _off(count: Callable[[float], int], decimals: Iterable[float]) -> bool:
    try:
        for decimal in decimals:
            count(decimal)
    except OffGrid:
        return True
    return False


def _divisor(decimals: Iterable[float]) -> float:
    """The greatest step that all of them are multiples of, no finer than 1e-8."""
    return math.gcd(*(round(decimal * 1e8) for decimal in decimals)) / 1e8


def is_frame_log(head: bytes) -> bool:
    lines = [line.strip() for line in head.splitlines()[:50]]
    return any(_FRAME.fullmatch(line) or line.startswith((b"ws://", b"wss://")) for line in lines if line)
