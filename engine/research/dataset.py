"""Sessions → features and what became of them, by the very path that runs live.

A session, simulated or recorded, is a stream of inputs. They go through the desk's own `Market`; at each step of the
clock its vectors and the books as they stand are kept. Nothing is computed here a second way.

The simulated session: an exchange and a crowd in memory, the market's own calls answered at once, twenty options
drawn by the seed in focus, a fixed start that the seed shifts by hours, so that expiries and times of day differ.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine import messages as m
from engine.config import STEP_NS, Config
from engine.core.market import Market
from engine.domain import NS, Instrument, Kind
from engine.forecast.baseline import Standing, contracts
from engine.forecast.features import Context, Row
from engine.forecast.labels import fitted_iv, place
from engine.forecast.parameters import Weights
from engine.market.deribit import wire
from engine.market.told import Print
from engine.paper.crowd.settings import digest as settings_digest
from engine.paper.simulation import Simulation
from engine.paper.venue import VenueSettings

Floats = NDArray[np.float64]

FOCUS = 20  # options looked at in a simulated session
START_NS = 1_772_436_600 * NS  # a Monday of March 2026, 07:30 UTC
SHIFT_NS = 37 * 3600 * NS  # per seed
STEPS_PER_MINUTE = 60 * NS // STEP_NS
SHORTEST = 100  # steps: stretches shorter than this are not kept
SIZES = len(m.SIZES)

COLUMNS = (
    "place", "placed", "tick", "micro", "bid", "ask", "bid_lots", "ask_lots", "depth", "push_buy", "push_sell", "iv",
    *(f"buy_{k}" for k in range(SIZES)), *(f"sell_{k}" for k in range(SIZES)),
)  # fmt: skip
"""What is kept of a book at a step, beside its vector: prices in units, costs in ticks, depth in contracts; `placed`
tells whether the surface had a say in `place`. NaN throughout where the book had not two sides."""
AT = {name: k for k, name in enumerate(COLUMNS)}
UNKNOWN = (np.nan,) * len(COLUMNS)


class Stretch(msgspec.Struct, frozen=True):
    """One instrument over T steps without a gap.

    `x` (T, F) features, `now` (T, len(COLUMNS)), `prints` (P, 5): step that first saw it, +1 for a buyer, units,
    lots, contracts. `session` names where it comes from, `t` is the time of its first step.
    """

    session: str
    instrument: Instrument
    t: int
    x: NDArray[np.float32]
    now: Floats
    prints: Floats

    @property
    def option(self) -> bool:
        return self.instrument.kind is Kind.OPTION


class Recorder:
    """Keeps what the market had at each step, instrument by instrument."""

    def __init__(self, session: str) -> None:
        self.session = session
        self.done: list[Stretch] = []
        self._open: dict[str, _Growing] = {}

    def step(self, market: Market, prints: Iterable[tuple[str, Print]]) -> None:
        """After each `Tick` the market observed; `prints` are those since the step before."""
        rows, standings = market.forecaster.rows, market.forecaster.standings
        for name in self._open.keys() - rows.keys():
            self._close(name)
        for name, row in rows.items():
            if name not in self._open:
                self._open[name] = _Growing(market.venue.instruments[name], market.now)
            self._open[name].add(row, standings.get(name), market.context(name))
        for name, trade in prints:
            if name in self._open and trade.plain:
                self._open[name].print(trade)

    def finish(self) -> list[Stretch]:
        for name in list(self._open):
            self._close(name)
        return self.done

    def _close(self, name: str) -> None:
        growing = self._open.pop(name)
        if len(growing.x) >= SHORTEST:
            self.done.append(growing.stretch(self.session))


class _Growing:
    """A stretch while its session runs."""

    def __init__(self, instrument: Instrument, t: int) -> None:
        self.instrument, self.t = instrument, t
        self.x: list[Row] = []
        self.now: list[tuple[float, ...]] = []
        self.prints: list[tuple[float, ...]] = []

    def add(self, row: Row, now: Standing | None, context: Context) -> None:
        self.x.append(row)
        self.now.append(UNKNOWN if now is None else _columns(now, context))

    def print(self, trade: Print) -> None:
        size = contracts(self.instrument, trade.lots, trade.units)
        self.prints.append((len(self.x) - 1, trade.side.sign, trade.units, trade.lots, size))

    def stretch(self, session: str) -> Stretch:
        prints = np.array(self.prints, dtype=np.float64).reshape(-1, 5)
        return Stretch(session, self.instrument, self.t, np.stack(self.x), np.array(self.now), prints)


def _columns(now: Standing, context: Context) -> tuple[float, ...]:
    where, iv = place(now, context), fitted_iv(context)
    return (
        where[0], float(len(where) > 1), now.tick, now.micro, now.bid, now.ask, now.bid_lots, now.ask_lots, now.depth,
        now.push_buy, now.push_sell, np.nan if iv is None else iv, *now.buy, *now.sell,
    )  # fmt: skip


# ------------------------------------------------------------ sessions


def replayed(session: str, inputs: Iterable[m.Input], config: Config) -> list[Stretch]:
    """A recorded session's inputs, through a market of their own."""
    market, recorder = Market(config, None), Recorder(session)
    for item in inputs:
        prints = market.prints
        market.observe(item)
        if isinstance(item, m.Tick):
            recorder.step(market, prints)
    return recorder.finish()


def simulated(seed: int, minutes: float, settings: VenueSettings | None = None, focus: int = FOCUS) -> list[Stretch]:
    """A session of the paper venue in memory: the same seed, length and settings give the same stretches."""
    desk = Watcher(seed, settings)
    desk.look(focus)
    recorder = Recorder(f"paper-{seed}")
    for _ in range(round(minutes * STEPS_PER_MINUTE)):
        prints = desk.step()
        recorder.step(desk.market, prints)
    return recorder.finish()


class Watcher:
    """A desk that only looks: its market's own calls are answered at once, nothing is decided. With weights its
    market forecasts and watches its skill as a running one does."""

    def __init__(self, seed: int, settings: VenueSettings | None, weights: Weights | None = None) -> None:
        self.seed, self.n = seed, 0
        self.simulation = Simulation(seed, START_NS + seed % 100 * SHIFT_NS, settings)
        self.market = Market(Config(seed=seed), weights)
        self.observe(m.Link(n=0, t=self.simulation.t, up=True, authenticated=True))

    def look(self, focus: int) -> None:
        """Draw the options in focus: any strike and expiry, those far out of the money too."""
        names = [i.name for i in self.simulation.instruments if i.kind is Kind.OPTION]
        drawn = np.random.default_rng(self.seed).permutation(len(names))[:focus]
        self.observe(m.Focus(n=0, t=self.simulation.t, instruments=tuple(names[k] for k in sorted(drawn))))

    def step(self) -> list[tuple[str, Print]]:
        """One step of the clock; the prints that it brought."""
        for t, data in self.simulation.advance(self.simulation.t + STEP_NS):
            self.observe(m.Frame(n=0, t=t, data=data))
        prints = self.market.prints
        self.observe(m.Tick(n=0, t=self.simulation.t))
        return prints

    def observe(self, item: m.Input) -> None:
        self.n += 1
        for effect in self.market.observe(msgspec.structs.replace(item, n=self.n)):
            if isinstance(effect, m.Call):
                for data in self.simulation.request(wire.request(effect.id, effect.method, effect.params)):
                    self.observe(m.Frame(n=0, t=self.simulation.t, data=data))


def digest(stretches: Iterable[Stretch]) -> str:
    """A hash of the data itself: the same training data has the same, wherever it was made."""
    whole = hashlib.sha256()
    for stretch in stretches:
        mix(whole, stretch)
    return whole.hexdigest()


def mix(whole: hashlib._Hash, stretch: Stretch) -> None:
    """One more stretch into a `digest` that is made as they come."""
    whole.update(f"{stretch.session} {stretch.instrument.name} {stretch.t}".encode())
    for array in (stretch.x, stretch.now, stretch.prints):
        whole.update(np.ascontiguousarray(array).tobytes())


def crowd_digest(settings: VenueSettings | None) -> str:
    """The hash of the crowd's settings, empty for nobody: a forecast figure without it counts for nothing."""
    crowd = (settings or VenueSettings()).crowd
    return settings_digest(crowd) if crowd is not None else ""
