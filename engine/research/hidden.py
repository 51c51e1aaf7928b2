"""What the paper venue knows and no trader sees, as a vector beside each instrument's features: for evaluation only.

Reading changes nothing: the market goes on as if nobody had looked.

A model that is given this too shows how much of the gap to the oracle is hidden information and how much is a weak
model. It lives above the venue; nothing that forecasts on the desk can reach it.
"""

from __future__ import annotations

from math import log1p
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.domain import NS, Instrument, Kind
from engine.forecast.baseline import Standing
from engine.paper.crowd.consensus import Consensus
from engine.paper.crowd.crowd import Crowd
from engine.paper.crowd.flow import Flow
from engine.paper.crowd.future_makers import FutureMaker
from engine.paper.crowd.metaorders import Metaorder
from engine.paper.crowd.option_makers import OptionMaker
from engine.paper.crowd.option_takers import HiddenOrder, NoiseTaker
from engine.paper.instruments.marks import Floats
from engine.paper.simulation import Simulation

MAKERS = 4
NAMES = (
    "reference_move", "reference_due", "reference_gap", "true_gap", "heat", "look_due",
    *(f"maker{k}_{what}" for k in range(MAKERS) for what in ("out", "next", "bid", "ask", "due", "busy", "away")),
    "hidden_order", "hidden_due", "takers",
    "worth", "drift", "fast", *(f"held{k}" for k in range(MAKERS)), "metaorder", "parents", "excited_market",
    "excited_add", "excited_cancel",
)  # fmt: skip
"""Of an option: how far the forward has come since the makers' reference, signed by delta in ticks, and as a share of
what makes a new one; the reference's and the true price over the micro-price; how restless it is; by maker how far its
quote is from where it should be, and from where it will be, its bid and ask over the touch, when its turn comes, how
many quotes it has to move; who works an order in it. Of a future: what it is worth over the micro-price, and who pushes
it. Zero where it is of the other kind. Distances are ticks, times seconds."""
OPTIONS = NAMES.index("worth")
Hidden = NDArray[np.float32]


def hindsight(simulation: Simulation) -> Hindsight | None:
    """None where nobody trades."""
    crowd = simulation.venue.crowd
    return Hindsight(simulation, crowd) if isinstance(crowd, Crowd) else None


class Hindsight:
    """Reads one simulation's crowd."""

    def __init__(self, simulation: Simulation, crowd: Crowd) -> None:
        self._simulation, self._crowd = simulation, crowd
        self._agents: dict[str, Any] = {}
        self._due: dict[str, int] = {}
        self._views: dict[str, tuple[Floats, Floats, float]] = {}  # by maker, of this step

    def step(self) -> None:
        """Once before the vectors of a step: who is there, and when everybody acts next."""
        crowd = self._crowd
        self._agents = {name: agent for name, _, agent in crowd.cast}
        self._due = {crowd.cast[order][0]: t for t, order in crowd.due()}
        self._views = {}

    def vector(self, instrument: Instrument, now: Standing | None, coin_delta: float | None) -> Hidden:
        """(len(NAMES),) of one instrument, now; zeros where its book has not two sides."""
        out = np.zeros(len(NAMES), np.float32)
        if now is None:
            return out
        if instrument.kind is Kind.OPTION:
            out[:OPTIONS] = self._option(instrument, now, coin_delta or 0.0)
        else:
            out[OPTIONS:] = self._future(instrument, now)
        return out

    def _wait(self, name: str) -> float:
        return max(self._due[name] - self._simulation.t, 0) / NS

    def _option(self, instrument: Instrument, now: Standing, delta: float) -> list[float]:
        coin = instrument.coin
        _, number = self._simulation.exchange(instrument.name)
        consensus: Consensus = self._agents[f"{coin}/option consensus"]
        world, reference, row = consensus.world, consensus.now, consensus.chain.row[number]
        moved = world.log_price - reference.log_price
        ticks = moved * delta / instrument.tick / now.tick
        gap = (float(reference.fair[row]) - now.micro) / now.tick
        out = [
            ticks, abs(moved) / (consensus.settings.band * world.usual_deviation()), gap, gap + ticks,
            world.second_deviation() / world.usual_deviation(), self._wait(f"{coin}/option consensus"),
        ]  # fmt: skip
        for place in range(MAKERS):
            out += self._maker(f"{coin}/option maker {place}", row, now)
        order: HiddenOrder = self._agents[f"{coin}/hidden option orders"]
        takers: NoiseTaker = self._agents[f"{coin}/option takers"]
        out += [
            float(order.number == number) * order.side.sign, self._wait(f"{coin}/hidden option orders"),
            float(takers.slot == consensus.chain.slot[row]) * takers.side.sign,
        ]  # fmt: skip
        return out

    def _maker(self, name: str, row: int, now: Standing) -> list[float]:
        maker: OptionMaker = self._agents[name]
        t = self._simulation.t
        due, away = self._wait(name), float(maker.away > t)
        if not maker.quotes.standing[row]:
            return [0.0, 0.0, 0.0, 0.0, due, 0.0, away]
        if name not in self._views:
            self._views[name] = _views(maker, t, due)
        fair, then, busy = self._views[name]
        own, half = float(maker.quotes.middle[row]), float(maker.quotes.wide[row]) / 2.0
        distances = float(fair[row]) - own, float(then[row]) - own, own - half - now.bid, own + half - now.ask
        return [*(distance / now.tick for distance in distances), due, log1p(busy), away]

    def _future(self, instrument: Instrument, now: Standing) -> list[float]:
        book = f"{instrument.coin}/{instrument.name}"
        flow: Flow = self._agents[f"{book}/flow"]
        makers = [self._agents.get(f"{book}/maker {place}") for place in range(MAKERS)]
        order: Metaorder | None = self._agents.get(f"{book}/metaorders")
        world = flow.world
        worth = world.fair(instrument.expiry, 0) * (1.0 + flow.tape.share) / instrument.tick
        excited = np.sum(flow.hawkes.excited, axis=0)
        return [
            (worth - now.micro) / now.tick, world.drift, world.log_vol, *(_held(maker) for maker in makers),
            float(order.side.sign) * log1p(order.left) if order is not None else 0.0,
            float(sum(sign * min(left, 20) for sign, left in flow.parents)), *(float(log1p(x)) for x in excited[:3]),
        ]  # fmt: skip


def _views(maker: OptionMaker, t: int, due: float) -> tuple[Floats, Floats, float]:
    """Where it would have its quotes by what it has heard, by what it will have heard at its next turn, and how many
    of them are out."""
    heard, newest = maker.consensus.at(t - maker.late), maker.consensus.now
    fair = maker.fair(heard, maker.consensus.to_press(t))
    then = maker.fair(newest, maker.consensus.to_press(t + round(due * NS))) if newest is not heard else fair
    return fair, then, float((np.abs(fair - maker.quotes.middle) / heard.tick > maker.settings.slack).sum())


def _held(maker: FutureMaker | None) -> float:
    """Its lean, about as the square root of what it holds, in millions of USD."""
    if maker is None:
        return 0.0
    usd = maker.held * maker.instrument.lot / 1e6
    return float(np.copysign(np.sqrt(abs(usd)), usd))
