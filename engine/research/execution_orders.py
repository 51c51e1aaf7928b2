"""A parent order while a simulated desk works it, and what it came to.

What it cost, per contract of the whole parent, in ticks at the arrival price: what was paid over the arrival
micro-price (for a seller: received under it), with what is unfilled at the end priced at what taking it then would
cost, as deep as the book goes and at the parent's limit beyond. Fees are apart.

To cross at once is to press for all of it as it begins; what the book does not hold goes on as TWAP does.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from engine import messages as m
from engine.config import STEP_NS, Limits
from engine.domain import NS, Side
from engine.execution.picture import touch
from engine.execution.want import moment_of
from engine.research.simulated import Simulated

OF_COLLAR = 0.7  # how far off a parent's limit is
LOOK_EVERY = 10  # steps between two looks at which row acts
MARKS_S = (5.0, 30.0)  # after a fill
BASELINES = ("twap", "vwap", "pov")  # read no forecast at all
AT_ONCE = "cross_at_once"
BLIND = "adaptive_no_forecasts"
BLINDED = (*BASELINES, AT_ONCE, BLIND)
ALGORITHMS = ("adaptive", "twap", "vwap", "pov", "almgren_chriss", AT_ONCE, BLIND)
POV_RATE = 1.0  # of the others' volume: with less it ends with next to nothing done


class Task(NamedTuple):
    """A market to trade on, for so long before its parent is sent. `minutes` are the parent's; 0 draws them."""

    seed: int
    regime: str
    minutes: float = 0.0
    warm_s: float = 75.0


class Ordered(msgspec.Struct, frozen=True):
    """A parent as it was drawn, contracts."""

    instrument: str
    side: Side
    quantity: float
    minutes: float


class Under(msgspec.Struct, frozen=True, kw_only=True):
    """What the children of one row came to, contracts and tick-contracts: `edge` is what was paid over the micro-price
    as the fill came, `timing` that micro-price over the arrival's, `after` how far it had then moved the order's way
    after each of `MARKS_S`, of the `marked` contracts for which that is known."""

    children: int = 0
    filled: float = 0.0
    passive: float = 0.0
    edge: float = 0.0
    timing: float = 0.0
    after: tuple[float, ...] = (0.0,) * len(MARKS_S)
    marked: tuple[float, ...] = (0.0,) * len(MARKS_S)


class Outcome(msgspec.Struct, frozen=True, kw_only=True, tag="ran"):
    """What one algorithm made of one parent. `shortfall`, `fees` are ticks per contract of the parent, `half_spread`
    ticks at arrival, `depth` contracts at the far touch then; `missing` the share unfilled and `missing_ticks` what
    that adds to the shortfall; `fired` the looks in which each row acted; `edges` the heads with a say at the start."""

    seed: int
    regime: str
    algorithm: str
    order: Ordered
    shortfall: float
    fees: float
    half_spread: float
    depth: float
    missing: float
    missing_ticks: float
    passive: float
    children: int
    seconds: float
    market_s: float
    cpu_s: float
    rows: dict[str, Under]
    fired: dict[str, int] = {}
    edges: tuple[str, ...] = ()


class Skipped(msgspec.Struct, frozen=True, tag="skipped"):
    """No parent could be sent on this market, and why."""

    seed: int
    regime: str
    why: str


class Worked:
    """A parent while it is worked, and what is looked at beside it: the micro-price at each step."""

    def __init__(self, desk: Simulated, order: Ordered) -> None:
        self.desk, self.order = desk, order
        self.instrument = desk.core.market.venue.instruments[order.instrument]
        self.start = desk.t
        self.micros: list[float] = []
        self.fired: dict[str, int] = {}
        self.id = ""
        self.edges = tuple(h for h, skill in desk.core.market.verdicts.items() if skill.verdict == "edge")

    def send(self, algorithm: str) -> str:
        """Why it was refused; empty if it works."""
        market, order = self.desk.core.market, self.order
        bid, ask = (touch(market, self.instrument, side) for side in Side)
        micro = market.micro(order.instrument)
        if bid is None or ask is None or micro is None:
            return "the book is one-sided"
        self.arrival, self.tick = micro, self.instrument.tick_units(micro)
        self.half = (ask - bid) / 2 / self.tick
        far = market.venue.books[order.instrument].levels(order.side.other, 1)
        self.depth = far[0][1] * self.instrument.lot
        self.micros.append(micro)
        limit = self._limit(micro)
        shape: Any = {AT_ONCE: "twap", BLIND: "adaptive"}.get(algorithm, algorithm)
        facts = self.desk.do(m.SubmitParent(
            instrument=order.instrument, side=order.side, quantity=order.quantity, limit=self.instrument.price(limit),
            minutes=order.minutes, algorithm=shape, dial="auto", rate=POV_RATE if shape == "pov" else 0.1,
        ))  # fmt: skip
        self.limit = limit
        for fact in facts:
            if isinstance(fact, m.ParentAccepted):
                self.id = fact.id
            elif isinstance(fact, m.Refused):
                return fact.reason
        pressed = self.desk.do(m.Press(parent=self.id, quantity=order.quantity)) if algorithm == AT_ONCE else []
        return next((fact.reason for fact in pressed if isinstance(fact, m.Refused)), "")

    def _limit(self, micro: float) -> int:
        """Most of the way to the desk's own collar: it does not bind."""
        limits = Limits()
        away = OF_COLLAR * max(limits.collar_ticks * self.tick, limits.collar_share * micro)
        if self.order.side is Side.BUY:
            return self.instrument.floor_tick(micro + away)
        return max(self.instrument.ceil_tick(micro - away), self.instrument.ceil_tick(1))

    def until(self, end: int) -> None:
        """Run until it and its children have ended."""
        core = self.desk.core
        while self.desk.t < end and (core.desk.live_parents or core.desk.live_children):
            self.desk.run(self.desk.t + STEP_NS)
            micro = core.market.micro(self.order.instrument)
            self.micros.append(self.micros[-1] if micro is None else micro)
            if len(self.micros) % LOOK_EVERY == 0 and core.desk.parents[self.id].state == "working":
                parent = core.desk.parents[self.id]
                row = moment_of(core.desk, core.market, parent, self.instrument).advice.row
                self.fired[row] = self.fired.get(row, 0) + 1

    def outcome(self, task: Task, algorithm: str, cpu: float) -> Outcome:
        contract = self.instrument.lot / self.instrument.contract
        rows: dict[str, Under] = {}
        children, paid, fees, filled, passive, last = 0, 0.0, 0.0, 0.0, 0.0, self.start
        for fact in self.desk.facts:
            if isinstance(fact, m.OrderRequested) and fact.parent == self.id:
                children += 1
                row = self._row(fact.child)
                under = rows.get(row, Under())
                rows[row] = msgspec.structs.replace(under, children=under.children + 1)
            elif isinstance(fact, m.Filled) and fact.child in self.desk.core.desk.children:
                size = fact.quantity * contract
                paid += size * self._over(fact.price, self.arrival)
                fees += fact.fee
                filled += size
                passive += size if fact.maker else 0.0
                last = max(last, fact.at)
                row = self._row(fact.child)
                rows[row] = self._added(rows[row], fact, size)
        whole = self.order.quantity
        missing = round(whole - filled, 9)
        left = self._left(missing) if missing else 0.0
        tick_coin = self.tick * self.instrument.tick
        return Outcome(
            seed=task.seed, regime=task.regime, algorithm=algorithm, order=self.order,
            shortfall=(paid + left) / whole, fees=fees / whole / tick_coin, half_spread=self.half, depth=self.depth,
            missing=missing / whole, missing_ticks=left / whole, passive=passive / filled if filled else 0.0,
            children=children, seconds=(last - self.start) / NS, market_s=(self.desk.t - self.start) / NS, cpu_s=cpu,
            rows=rows, fired=self.fired, edges=self.edges,
        )  # fmt: skip

    def _row(self, child: str) -> str:
        desk = self.desk.core.desk
        proposal = desk.proposals.get(desk.children[child].request.proposal)
        return proposal.row if proposal else "press"

    def _over(self, price: float, than: float) -> float:
        """Ticks by which a price is dearer for this order."""
        return self.order.side.sign * (price - than) / self.tick

    def _micro_at(self, t: int) -> float:
        """As of the last step before or at `t`."""
        return self.micros[min(max((t - self.start) // STEP_NS, 0), len(self.micros) - 1)]

    def _added(self, under: Under, fact: m.Filled, size: float) -> Under:
        before = self._micro_at(fact.at - 1)
        after, marked = list(under.after), list(under.marked)
        for k, seconds in enumerate(MARKS_S):
            place = (fact.at - self.start) // STEP_NS + round(seconds * NS / STEP_NS)
            if place < len(self.micros):
                after[k] += size * self._over(self.micros[place], before)
                marked[k] += size
        return msgspec.structs.replace(
            under, filled=under.filled + size, passive=under.passive + (size if fact.maker else 0.0),
            edge=under.edge + size * self._over(fact.price, before),
            timing=under.timing + size * self._over(before, self.arrival), after=tuple(after), marked=tuple(marked),
        )  # fmt: skip

    def _left(self, contracts: float) -> float:
        """Tick-contracts of taking what is unfilled, now."""
        market, side = self.desk.core.market, self.order.side
        own = market.venue.own_lots(self.order.instrument)
        left, cost = round(contracts / self.instrument.lot * self.instrument.contract), 0.0
        contract = self.instrument.lot / self.instrument.contract
        for units, lots in market.venue.books[self.order.instrument].levels(side.other, 50):
            if side.sign * (units - self.limit) > 0:
                break
            taken = min(left, max(lots - own.get((side.other, units), 0), 0))
            cost += taken * contract * self._over(units, self.arrival)
            left -= taken
        return cost + left * contract * self._over(self.limit, self.arrival)
