"""One seed's paper session, as the evaluation looks at it: tracks of the small listing, chains of the BTC list, and
metaorders of its own. Kept on disk by settings, code, seed and length, so that a long evaluation goes on where it was.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import msgspec
import numpy as np
import pandas as pd

from engine.domain import NS, Kind
from engine.paper.crowd.settings import Settings, digest
from engine.paper.instruments.listing import BTC_ONLY, SMALL
from engine.paper.simulation import Simulation
from engine.paper.venue import VenueSettings
from engine.research.cluster import HERE, Workers
from engine.research.dataset import SHIFT_NS, START_NS
from engine.research.facts import Fact, facts
from engine.research.facts_options import option_facts, paper_quotes, unchanged_options
from engine.research.kept import code_of
from engine.research.metaorders import metaorder_impact
from engine.research.predictability import Moments, moments
from engine.research.track import Track, Watched, paper_tracks

PERPETUAL = "BTC-PERPETUAL"
WARM_S = 30.0
SWEEPS, SWEEP_S = 6, 20.0
SPREAD = 20  # options of the whole list whose books are followed
PAIRS = 6
ROOMS = ("domain.py", "black.py", "paper", "market", "research", "forecast", "surface")  # code that the figures hang on
Say = Callable[[str], None]


class Found(msgspec.Struct, frozen=True):
    """Of one session. `facts` as `facts` and `option_facts` name them; `x`, `move` the perpetual's moments."""

    seed: int
    facts: dict[str, Fact]
    x: list[list[float]]
    move: list[float]

    @property
    def moments(self) -> Moments:
        return Moments(np.array(self.x), np.array(self.move))


def start_of(seed: int) -> int:
    return START_NS + seed % 100 * SHIFT_NS


def session(seed: int, minutes: float, crowd: Settings, sweeps: int = SWEEPS, pairs: int = PAIRS) -> Found:
    """Simulate and look: `sweeps` of the whole BTC list, `pairs` of metaorders."""
    small = Simulation(seed, start_of(seed), VenueSettings(listing=SMALL, crowd=crowd))
    small.advance(small.t + round(WARM_S * NS))
    tracks = paper_tracks(small, [i.name for i in small.instruments], 60.0 * minutes)
    perpetual = tracks[PERPETUAL]
    options = [tracks[i.name] for i in small.instruments if i.kind is Kind.OPTION]
    found: dict[str, Fact] = dict(facts(perpetual))
    quotes, spread_out = _chain(seed, crowd, sweeps)
    found["option_unchanged_share"] = unchanged_options(spread_out)
    found["option_unchanged_share_next_day"] = unchanged_options(options)
    found |= option_facts(quotes)
    found["metaorder"] = metaorder_impact(small, pairs)
    known = moments(perpetual)
    return Found(seed, found, known.x.tolist(), known.move.tolist())


def _chain(seed: int, crowd: Settings, count: int) -> tuple[pd.DataFrame, list[Track]]:
    """Sweeps of the whole BTC list, and tracks between them of options from all over it."""
    whole = Simulation(seed, start_of(seed), VenueSettings(listing=BTC_ONLY, crowd=crowd))
    whole.advance(whole.t + round(WARM_S * NS))
    options = [i for i in whole.instruments if i.kind is Kind.OPTION]
    watched = Watched(options[seed % SPREAD :: max(1, len(options) // SPREAD)])
    for frame in whole.subscribe([f"book.{name}.raw" for name in watched.trackers]):
        watched.take(whole.t, frame)
    sweeps = []
    for sweep in range(count):
        for t, frame in whole.advance(whole.t + round(SWEEP_S * NS)):
            watched.take(t, frame)
        sweeps.append(paper_quotes(whole, "BTC", sweep))
    watched.t = whole.t
    return pd.concat(sweeps, ignore_index=True), list(watched.tracks().values())


def sessions(
    crowds: Mapping[int, Settings], minutes: float, keep: Path | None, say: Say, workers: Workers = HERE
) -> list[Found]:
    """One of each seed under its crowd, those that are kept already from `keep`. Progress is said as each is done."""
    found: dict[int, Found] = {}
    for seed, crowd in crowds.items():
        kept = _kept(keep, seed, minutes, crowd)
        if kept is not None:
            found[seed] = kept
            say(f"seed {seed}: as kept")
    missing = [seed for seed in crowds if seed not in found]
    for done in workers.each(partial(_simulated, minutes=minutes, crowds=crowds), missing):
        found[done.seed] = done
        _keep(keep, done, minutes, crowds[done.seed])
        say(f"seed {done.seed}: {minutes:g} minutes simulated, {len(found)} of {len(crowds)} sessions")
    return [found[seed] for seed in crowds]


def _simulated(seed: int, minutes: float, crowds: Mapping[int, Settings]) -> Found:
    return session(seed, minutes, crowds[seed])


def _place(keep: Path, seed: int, minutes: float, crowd: Settings) -> Path:
    key = hashlib.sha256(f"{digest(crowd)} {code_of(ROOMS)} {minutes!r}".encode()).hexdigest()[:16]
    return keep / f"venue-{key}-{seed}.msgpack"


def _kept(keep: Path | None, seed: int, minutes: float, crowd: Settings) -> Found | None:
    if keep is None:
        return None
    try:
        return msgspec.msgpack.decode(_place(keep, seed, minutes, crowd).read_bytes(), type=Found)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def _keep(keep: Path | None, found: Found, minutes: float, crowd: Settings) -> None:
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        place = _place(keep, found.seed, minutes, crowd)
        unfinished = place.with_suffix(".part")
        unfinished.write_bytes(msgspec.msgpack.encode(found))
        unfinished.replace(place)
