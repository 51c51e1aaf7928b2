"""Book or RFQ: whether an order large enough for a block had better be one. Advice only: nothing here sends a request.

Theory of operation. Three ways, in ticks a contract against the micro-price now. *Sweeping* walks the book as it
stands. *Working* is the cheapest of the algorithms that are expected to finish. A *block* is bought from a dealer who
is asked off the book: half of his spread around the micro-price, which is assumed, since nobody has asked: so many vol
points of the option, or a share of the book's own spread, whichever is wider. The range of a block is what that
assumption may be wrong by, and how far the price may move until a quote is taken.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import msgspec

from engine.config import Block
from engine.domain import Instrument, Kind
from engine.execution.estimate import AT_ONCE, Z80, Estimate, Stand

BLOCK = "block"
FINISHED = 0.995  # of an order: less than that is left over
ALIKE = 0.1  # two ways that differ by less than this share of their ranges are alike
_NAMES = {"twap": "TWAP", "vwap": "VWAP", "pov": "participation", "almgren_chriss": "Almgren–Chriss"}


def large_enough(settings: Block, instrument: Instrument, lots: int) -> bool:
    """Whether the venue would take so many as a block."""
    contracts = lots * instrument.lot / instrument.contract
    return instrument.kind is Kind.OPTION and contracts >= settings.contracts - 1e-9


def block(settings: Block, now: Stand, vega_ticks: float | None) -> Estimate:
    """Of a block; without a vega it costs a share of the spread alone."""
    half = max(settings.vol_points / 2 * (vega_ticks or 0.0), settings.spread_share * now.half)
    spread = math.hypot(settings.doubt * half, now.sigma * math.sqrt(settings.seconds))
    cost = half + now.fee
    return Estimate(algorithm=BLOCK, cost=cost, low=cost - Z80 * spread, high=cost + Z80 * spread,
                    seconds=settings.seconds, passive=0.0, done=1.0)  # fmt: skip


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    sweep: Estimate
    work: Estimate
    block: Estimate

    @property
    def best(self) -> Estimate:
        return min((self.work, self.block, self.sweep), key=lambda each: each.cost)


def compared(found: Iterable[Estimate], dealer: Estimate) -> Compared:
    """The three beside each other, out of `estimates`. Where no algorithm is expected to finish, the one that comes
    furthest is held against the block."""
    worked = {each.algorithm: each for each in found}
    sweep = worked.pop(AT_ONCE)
    work = min(worked.values(), key=lambda each: (-min(each.done, FINISHED), each.cost))
    return Compared(sweep=sweep, work=work, block=dealer)


def advice(ways: Compared) -> str:
    """The recommendation, in a sentence or two."""
    best = ways.best
    others = [each for each in (ways.work, ways.block, ways.sweep) if each is not best]
    second, cost = min(others, key=lambda each: each.cost), f"{best.cost:.1f} ticks a contract"
    if second.cost - best.cost < ALIKE * (max(best.high, second.high) - min(best.low, second.low)):
        first = f"Little lies between {_said(best)}, {cost}, and {_said(second)}, {second.cost:.1f}."
    else:
        against = " and ".join(f"{each.cost:.1f} for {_said(each)}" for each in others)
        first = f"{_capital(_said(best))} is expected to cost least: {cost}, against {against}."
    return f"{first}{_surer(best, second)}"


def _surer(best: Estimate, second: Estimate) -> str:
    if second.high >= best.high:
        return ""
    surer = _capital(_said(second))
    return f" {surer} is the surer: in nine of ten cases under {second.high:.1f} ticks, against {best.high:.1f}."


def _said(way: Estimate) -> str:
    if way.algorithm == BLOCK:
        return "a block"
    if way.algorithm == AT_ONCE:
        return "taking it all at once"
    return f"working it by {_NAMES.get(way.algorithm, way.algorithm)}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
