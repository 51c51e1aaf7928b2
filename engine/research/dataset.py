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
from engine.paper.simulation import Simulation
from engine.paper.venue import VenueSettings
from engine.research.hidden import Hidden, Hindsight, hindsight
from engine.research.probes import Probe, Prober

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
    lots, contracts. `probes` (Q, 5) by lot, of a simulated session: step, +1 for a buyer, 1 for a taker, contracts,
    and what came: of a taker the micro-price 5 s later, units, of a passive order the share that was filled. `own` (R,)
    are steps that saw a fill of ours. `hidden` (T, len(hidden.NAMES)), of a simulated session, is what no trader sees:
    no model that is shipped is shown it. `session` names where it comes from, `t` is the time of its first step.
    """

    session: str
    instrument: Instrument
    t: int
    x: NDArray[np.float32]
    now: Floats
    prints: Floats
    probes: Floats = msgspec.field(default_factory=lambda: np.zeros((0, 5)))
    own: Floats = msgspec.field(default_factory=lambda: np.zeros(0))
    hidden: Hidden | None = None

    @property
    def option(self) -> bool:
        return self.instrument.kind is Kind.OPTION


class Recorder:
    """Keeps what the market had at each step, instrument by instrument; with `hindsight` what the venue hid, too."""

    def __init__(self, session: str, hindsight: Hindsight | None = None) -> None:
        self.session, self.hindsight = session, hindsight
        self.done: list[Stretch] = []
        self._open: dict[str, _Growing] = {}

    def step(self, market: Market, prints: Iterable[tuple[str, Print]], own: Iterable[str] = ()) -> None:
        """After each `Tick` the market observed; `prints` are those since the step before, `own` the instruments that
        we had fills in."""
        rows, standings = market.forecaster.rows, market.forecaster.standings
        if self.hindsight is not None:
            self.hindsight.step()
        for name in self._open.keys() - rows.keys():
            self._close(name)
        for name, row in rows.items():
            if name not in self._open:
                self._open[name] = _Growing(market.venue.instruments[name], market.now)
            growing, now, context = self._open[name], standings.get(name), market.contexts[name]
            growing.add(row, now, context)
            if self.hindsight is not None:
                growing.hidden.append(self.hindsight.vector(growing.instrument, now, context.coin_delta))
        for name, trade in prints:
            if name in self._open and trade.plain:
                self._open[name].print(trade)
        for name in own:
            if name in self._open:
                self._open[name].own.append(len(self._open[name].x) - 1.0)

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
        self.own: list[float] = []
        self.hidden: list[Hidden] = []

    def add(self, row: Row, now: Standing | None, context: Context) -> None:
        self.x.append(row)
        self.now.append(UNKNOWN if now is None else _columns(now, context))

    def print(self, trade: Print) -> None:
        size = contracts(self.instrument, trade.lots, trade.units)
        self.prints.append((len(self.x) - 1, trade.side.sign, trade.units, trade.lots, size))

    def stretch(self, session: str) -> Stretch:
        prints = np.array(self.prints, dtype=np.float64).reshape(-1, 5)
        return Stretch(
            session, self.instrument, self.t, np.stack(self.x), np.array(self.now), prints, own=np.array(self.own),
            hidden=np.stack(self.hidden) if self.hidden else None,
        )  # fmt: skip


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
        prints, own = market.prints, market.own_fills
        market.observe(item)
        if isinstance(item, m.Tick):
            recorder.step(market, prints, own)
    return recorder.finish()


def simulated(seed: int, minutes: float, settings: VenueSettings | None = None, focus: int = FOCUS) -> list[Stretch]:
    """A session of the paper venue in memory, what probes would have done there, and what it hid: the same seed, length
    and settings give the same stretches."""
    desk = Watcher(seed, settings)
    desk.look(focus)
    recorder, prober = Recorder(f"paper-{seed}", hindsight(desk.simulation)), desk.prober()
    for step in range(round(minutes * STEPS_PER_MINUTE)):
        prints = desk.step()
        recorder.step(desk.market, prints)
        prober.step(step)
    return probed(recorder.finish(), desk.began + STEP_NS, prober.done)


def probed(stretches: Iterable[Stretch], first: int, probes: Iterable[Probe]) -> list[Stretch]:
    """With what probes did; their step 0 is at the time `first`."""
    by_name: dict[str, list[Probe]] = {}
    for each in probes:
        by_name.setdefault(each.instrument, []).append(each)
    return [_probed(stretch, first, by_name.get(stretch.instrument.name, ())) for stretch in stretches]


def _probed(stretch: Stretch, first: int, probes: Iterable[Probe]) -> Stretch:
    skipped = (stretch.t - first) // STEP_NS
    rows = [
        (each.step - skipped, each.side.sign, float(each.taker), each.contracts,
         each.micro if each.taker else each.filled)
        for each in probes if 0 <= each.step - skipped < len(stretch.x)
    ]  # fmt: skip
    return msgspec.structs.replace(stretch, probes=np.array(rows, dtype=np.float64).reshape(-1, 5))


class Watcher:
    """A desk that only looks: its market's own calls are answered at once, nothing is decided. With weights its
    market forecasts and watches its skill as a running one does."""

    def __init__(self, seed: int, settings: VenueSettings | None, weights: Weights | None = None) -> None:
        self.seed, self.n = seed, 0
        self.simulation = Simulation(seed, START_NS + seed % 100 * SHIFT_NS, settings)
        self.market, self.began = Market(Config(seed=seed), weights), self.simulation.t
        self.observe(m.Link(n=0, t=self.simulation.t, up=True, authenticated=True))

    def look(self, focus: int) -> None:
        """Draw the options in focus: any strike and expiry, those far out of the money too."""
        names = [i.name for i in self.simulation.instruments if i.kind is Kind.OPTION]
        drawn = np.random.default_rng(self.seed).permutation(len(names))[:focus]
        self.observe(m.Focus(n=0, t=self.simulation.t, instruments=tuple(names[k] for k in sorted(drawn))))

    def prober(self) -> Prober:
        """Who asks what orders of ours would do in what is followed."""
        return Prober(self.simulation, self.seed, self.market.followed(), self.market.venue.perpetual)

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
    for array in (stretch.x, stretch.now, stretch.prints, stretch.probes, stretch.own):
        whole.update(np.ascontiguousarray(array).tobytes())
