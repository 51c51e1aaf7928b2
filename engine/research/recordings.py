"""Recordings and sessions, as stretches: each goes as a session through the desk's own market, as a replay does.

A recording is a file; files of one market that follow each other are one run, since a book goes on from file to file,
and are cut apart again where the next begins. While the market runs it forecasts with the given weights: how often it
calls itself familiar, and which policy rows fire, is what the desk would have said.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine import messages as m
from engine.config import STEP_NS, Config
from engine.core.market import Market
from engine.domain import MINUTE_NS
from engine.forecast.parameters import Weights
from engine.research.dataset import Recorder, Stretch
from engine.research.fitting import Say
from engine.research.imports import BadRecording, EventRecording, format_of, open_events, open_recording
from engine.research.kept import Kept
from engine.research.recorded import begins
from engine.research.retold import frames, told_as
from engine.shell.fold import items
from engine.shell.modes import code_version
from engine.shell.recording import lay
from engine.shell.store.folders import meta_of
from engine.shell.store.tape import Gap

OWN = "deribit"  # market of what our own venue's frames say
FOLLOWS_NS = MINUTE_NS  # a file that begins this soon after another goes on with its book


class Run(msgspec.Struct, frozen=True):
    """Files, in order of time, that go through one market; `begins` when each begins, ns."""

    market: str
    paths: tuple[Path, ...]
    begins: tuple[int, ...]


class Piece(msgspec.Struct, frozen=True):
    """One file's part of a run. `said` (n, 2): at each warm forecast its time in ns, and whether it was familiar. In
    how many of `looks` each policy row `fired`; and would have, had the model been `believed`; and in how many each
    head's skill was called what."""

    name: str
    market: str  # inverse, linear, deribit
    symbol: str
    stretches: list[Stretch]
    said: NDArray[np.int64]
    fired: dict[str, int]
    believed: dict[str, int]
    looks: int
    verdicts: dict[str, dict[str, int]] = {}

    @property
    def begin(self) -> int:
        return min(stretch.t for stretch in self.stretches)

    @property
    def end(self) -> int:
        return max(stretch.t + len(stretch.x) * STEP_NS for stretch in self.stretches)


def found(paths: Sequence[Path]) -> list[Path]:
    """Sessions and files of recordings, of folders what lies in them that is one. Raises BadRecording for none."""
    out: list[Path] = []
    for path in paths:
        if (path / "session.json").exists() or path.is_file():
            out.append(path)
        elif path.is_dir():
            out += [each for each in sorted(path.iterdir()) if (each / "session.json").exists() or _gives(each)]
        else:
            raise BadRecording(f"there is no session or recording at '{path}'")
    if not out:
        raise BadRecording(f"there is no session and no recording of books in {', '.join(map(str, paths))}")
    return out


def _gives(path: Path) -> bool:
    """Whether a file in a folder is a recording of books; lists, sweeps of chains and notes are not."""
    try:
        known = format_of(path)
    except BadRecording:
        return False
    return known.name in ("Binance depth log", "Deribit frame log", "Tardis raw feed")


def runs(paths: Sequence[Path], say: Say) -> list[Run]:
    """In order of time. Raises BadRecording."""
    out: list[Run] = []
    logs: list[tuple[Path, EventRecording]] = []
    for path in paths:
        if (path / "session.json").exists():
            out.append(Run(OWN, (path,), (meta_of(path).started,)))
        elif "frames" in format_of(path).gives:
            out.append(Run(OWN, (path,), (open_recording(path).first_t,)))
        else:
            logs.append((path, open_events(path)))
            say(f"{path.name}: {logs[-1][1].symbol}, {logs[-1][1].events} events")
    logs.sort(key=lambda each: (each[1].symbol, each[1].first_t))
    joined: list[list[tuple[Path, EventRecording]]] = []
    for path, log in logs:
        before = joined[-1][-1][1] if joined else None
        if before is not None and before.symbol == log.symbol and log.first_t - before.last_t < FOLLOWS_NS:
            joined[-1].append((path, log))
        else:
            joined.append([(path, log)])
    for group in joined:
        first = [begins(path) for path, _ in group]
        out.append(Run("inverse" if group[0][1].inverse else "linear", tuple(p for p, _ in group), tuple(first)))
    return sorted(out, key=lambda run: run.begins[0])


def pieces(run: Run, weights: Weights, say: Say, keep: Path | None = None) -> list[Piece]:
    """The run's files as stretches, from `keep` where they were made before. Raises BadRecording, BadSession."""
    kept = Kept(keep, "recording", weights.id, [_digest(path) for path in run.paths])
    done: list[Piece] | None = kept.read_object()
    names = ", ".join(path.name for path in run.paths)
    if done is not None:
        say(f"{names}: as kept")
        return done
    say(f"{names}: through the market")
    done = _made(run, weights)
    say(f"{names}: {sum(len(s.x) for piece in done for s in piece.stretches)} steps")
    kept.write_object(done)
    return done


def _made(run: Run, weights: Weights) -> list[Piece]:
    if (run.paths[0] / "session.json").exists():
        return [_watched(run.paths[0].name, run.market, _inputs(run.paths[0]), weights)]
    with tempfile.TemporaryDirectory(prefix="tidegate-recording-") as made:
        folder = Path(made) / "sessions" / "recording"
        symbol = _laid(run, folder)
        whole = _watched(run.paths[0].name, run.market, _inputs(folder), weights)
    whole = msgspec.structs.replace(whole, symbol=symbol)
    ends = [*run.begins[1:], 1 << 62]
    cut = [part(whole, path.name, a, b) for path, a, b in zip(run.paths, (0, *run.begins[1:]), ends, strict=True)]
    return [piece for piece in cut if piece.stretches or piece.looks]


def _laid(run: Run, folder: Path) -> str:
    """Make a session of the run; the recorded market's own name."""
    if run.market == OWN:
        recording = open_recording(run.paths)
        lay(folder, recording.instruments, recording, model="", code=code_version())
        return OWN
    log = open_events(run.paths)
    instrument = told_as(log)
    lay(folder, (instrument,), frames(log, instrument), model="", code=code_version())
    return log.symbol


def _inputs(folder: Path) -> Iterator[m.Input]:
    """Without another model's coming in: ours is what is asked about."""
    return (item for item in items(folder) if not isinstance(item, Gap | m.ModelSwap))


def _watched(name: str, market: str, inputs: Iterable[m.Input], weights: Weights) -> Piece:
    desk, recorder, said = _Watched(Config(), weights), Recorder(name), list[tuple[int, int]]()
    for item in inputs:
        if isinstance(item, m.Started):
            desk = _Watched(item.config, weights)
        prints = desk.prints
        desk.observe(item)
        if isinstance(item, m.Tick):
            recorder.step(desk, prints)
            said += [(item.t, int(forecast.familiar)) for forecast in desk.forecasts.values() if forecast.warm]
    return Piece(name, market, market, recorder.finish(), np.array(said, np.int64).reshape(-1, 2), dict(desk.fired),
                 desk.believed, desk.looks, desk.called)  # fmt: skip


class _Watched(Market):
    """Also counts what each head's skill is called at each look at an option, and which rows would fire were the model
    taken at its word: as if it had an edge, in a market that it knows."""

    def __init__(self, config: Config, weights: Weights) -> None:
        super().__init__(config, weights)
        self.believed: dict[str, int] = {}
        self.called: dict[str, dict[str, int]] = {}

    def _count_firing(self) -> None:
        before = self.looks
        super()._count_firing()
        for head, skill in self.verdicts.items():
            counts = self.called.setdefault(head, {})
            counts[skill.verdict] = counts.get(skill.verdict, 0) + self.looks - before
        held = self.fired, self.looks, self.forecasts, self.verdicts
        self.fired = self.believed
        self.forecasts = {n: msgspec.structs.replace(said, familiar=True) for n, said in self.forecasts.items()}
        self.verdicts = {head: msgspec.structs.replace(skill, verdict="edge") for head, skill in self.verdicts.items()}
        super()._count_firing()
        self.fired, self.looks, self.forecasts, self.verdicts = held


def part(piece: Piece, name: str, begin: int, end: int) -> Piece:
    """What lies in [begin, end), ns; how often rows fired is of the whole run."""
    inside = (piece.said[:, 0] >= begin) & (piece.said[:, 0] < end)
    stretches = [msgspec.structs.replace(short, session=name) for stretch in piece.stretches
                 if (short := between(stretch, begin, end)) is not None]  # fmt: skip
    return msgspec.structs.replace(piece, name=name, stretches=stretches, said=piece.said[inside])


def between(stretch: Stretch, begin: int, end: int) -> Stretch | None:
    """The steps in [begin, end), ns; labels made of it know of nothing outside. None where there are none."""
    first = max(-(-(begin - stretch.t) // STEP_NS), 0)
    last = min(-(-(end - stretch.t) // STEP_NS), len(stretch.x))
    if last <= first:
        return None
    inside = (stretch.prints[:, 0] >= first) & (stretch.prints[:, 0] < last)
    prints = stretch.prints[inside] - np.array([first, 0.0, 0.0, 0.0, 0.0])
    return msgspec.structs.replace(
        stretch, t=stretch.t + first * STEP_NS, x=stretch.x[first:last], now=stretch.now[first:last], prints=prints
    )


def _digest(path: Path) -> str:
    whole = hashlib.sha256(path.name.encode())
    for file in sorted(path.glob("tape-*.seg")) if path.is_dir() else [path]:
        whole.update(file.read_bytes())
    return whole.hexdigest()
