"""What an order cost, split into terms that sum to it exactly. Pure, told from facts alone.

Theory of operation. The shortfall of an order of X lots against the price P_d at which it was decided (Perold;
Kissell), for a buyer, a seller's being its mirror; a cost is positive:

    Σ xⱼ (pⱼ − P_d)  +  (X − Σ xⱼ) (P_n − P_d)  +  fees

Each fill's price is taken apart as pⱼ − P_d = (P_0 − P_d) + (mⱼ − P_0) + (pⱼ − mⱼ), with P_0 the micro-price on arrival
and mⱼ that before the fill, and so

    delay        X (P_0 − P_d)
    underlying   Σ xⱼ · (delta ÷ forward) · (Fⱼ − F_0)        the mean of both moments' greeks
    volatility   Σ xⱼ · vega · (IVⱼ − IV_0)                   the same
    timing       Σ xⱼ (mⱼ − P_0) less these two               the rest of the market's own move
    spread       Σ ± xⱼ · half spread                         paid by a taker, earned by a maker
    impact       Σ xⱼ (pⱼ − mⱼ) less the spread
    opportunity  (X − Σ xⱼ) (P_n − P_0)                       what was not done, at the final price
    fees         as the venue charged them

What a term stands on may not be known: a fill of which nobody saw the market, an older journal. Its part is then left
in `timing`, so that the sum stays whole, and `unknown` says for which share of the lots. Where the final price is not
known, what was not filled is left out altogether, and so it is where nothing was known at the decision.

Lots × units are what everything is in; a `Scale` tells them in ticks or vol points a contract, coin or USD, by one
factor each, so that they sum in every unit.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Literal

import msgspec

from engine import messages as m
from engine.domain import Instrument, Kind, instrument_of
from engine.execution.cost_story import Story, Work

Term = Literal["delay", "underlying", "volatility", "timing", "spread", "impact", "opportunity", "fees"]
Unit = Literal["ticks", "vol", "coin", "usd"]
TERMS: tuple[Term, ...] = (
    "delay", "underlying", "volatility", "timing", "spread", "impact", "opportunity", "fees",
)  # fmt: skip
OF_A_FILL: tuple[Term, ...] = ("underlying", "volatility", "timing", "spread", "impact", "fees")


class Scale(msgspec.Struct, frozen=True, kw_only=True):
    """`tick` and `vega` are units a tick and a vol point, `coin` what one lot × unit is worth, `usd` USD a coin; all
    as they were at the decision."""

    lots: int
    tick: float
    coin: float
    vega: float | None
    usd: float | None

    def factor(self, unit: Unit) -> float | None:
        """By which lots × units become ticks or vol points for each contract of the order, coin, or USD."""
        match unit:
            case "ticks":
                return 1.0 / (self.lots * self.tick) if self.lots else None
            case "vol":
                return 1.0 / (self.lots * self.vega) if self.lots and self.vega else None
            case "coin":
                return self.coin
        return None if self.usd is None else self.coin * self.usd


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """Terms in lots × units. `unknown` says of which share of the lots a term is not known."""

    terms: dict[Term, float]
    unknown: dict[str, float]
    filled: int
    scale: Scale

    @property
    def total(self) -> float:
        return math.fsum(self.terms.values())

    def told(self, unit: Unit) -> dict[str, float] | None:
        """The terms in another unit, `total` beside them; None where what that takes is not known."""
        factor = self.scale.factor(unit)
        if factor is None:
            return None
        return {**{name: value * factor for name, value in self.terms.items()}, "total": self.total * factor}


def of_parent(story: Story, now: m.Mark | None = None) -> Cost:
    """A parent's, so far if it still lives: what is left of it then counts at `now`, or as the market was last seen."""
    order, instrument = story.order, instrument_of(story.order.instrument)
    sign, filled, decision, arrival = order.side.sign, story.filled, decided_at(story), arrived_at(story)
    final = now if now is not None and story.ended is None else story.final
    scale = scale_of(instrument, order.quantity, decision, marks_of(story))
    terms, unknown = _nothing(), _nothing()
    if decision is None or arrival is None:  # nothing was known at the decision: no fill can be held against it
        terms["fees"] = fees(story.fills, scale)
        return Cost(terms=terms, unknown=dict.fromkeys(map(str, TERMS[:-1]), 1.0), filled=filled, scale=scale)
    done, left = filled if final is None else order.quantity, order.quantity - filled
    terms["delay"] = sign * done * (arrival - decision)
    terms["opportunity"] = sign * left * (final.micro - arrival) if final is not None else 0.0
    _add_fills(terms, unknown, story.fills, _first(story), arrival, scale)
    if not story.seen and (story.fills or story.ended):
        unknown["delay"] = 1.0
    if final is None and left:
        unknown["opportunity"] = 1.0
    return Cost(terms=terms, unknown={k: v for k, v in unknown.items() if v}, filled=filled, scale=scale)


def of_child(work: Work) -> Cost:
    """A child's, of what was filled of it, against the price at which it was proposed; what was not filled of it goes
    back to its parent, and is counted there. `delay` is from the proposal to the order's departure."""
    request, instrument = work.request, instrument_of(work.request.instrument)
    born = work.proposed.mark if work.proposed else None
    arrival = request.mark.micro if request.mark else request.mid
    decision = born.micro if born else arrival
    scale = scale_of(instrument, work.filled, decision, [mark for mark in (born, request.mark) if mark])
    terms, unknown = _nothing(), _nothing()
    if decision is None or arrival is None:
        terms["fees"] = fees(work.fills, scale)
        return Cost(terms=terms, unknown=dict.fromkeys(map(str, TERMS[:-1]), 1.0), filled=work.filled, scale=scale)
    terms["delay"] = request.side.sign * work.filled * (arrival - decision)
    _add_fills(terms, unknown, work.fills, request.mark, arrival, scale)
    if work.proposed and born is None:
        unknown["delay"] = 1.0
    return Cost(terms=terms, unknown={k: v for k, v in unknown.items() if v}, filled=work.filled, scale=scale)


def of_fill(fill: m.Filled, first: m.Mark | None, arrival: float, scale: Scale) -> tuple[dict[Term, float], set[Term]]:
    """The terms of one fill against the market on arrival, and those that are not known."""
    terms = dict.fromkeys(OF_A_FILL, 0.0)
    terms["fees"] = fees([fill], scale)
    lots, before = fill.side.sign * fill.quantity, fill.mark
    if before is None:
        terms["timing"] = lots * (fill.price - arrival)
        return terms, {"underlying", "volatility", "spread", "impact"}
    driven, unknown = _driven(instrument_of(fill.instrument), first, before)
    terms["underlying"], terms["volatility"] = (lots * move for move in driven)
    terms["timing"] = lots * (before.micro - arrival) - terms["underlying"] - terms["volatility"]
    terms["spread"] = (-1 if fill.maker else 1) * fill.quantity * before.half
    terms["impact"] = lots * (fill.price - before.micro) - terms["spread"]
    return terms, unknown


def fees(fills: Iterable[m.Filled], scale: Scale) -> float:
    """In lots × units, like all the rest."""
    return math.fsum(fill.fee for fill in fills) / scale.coin


def decided_at(story: Story) -> float | None:
    """Micro-price at the decision; an older desk kept it as the arrival."""
    return story.decided.mark.micro if story.decided.mark else story.decided.arrival


def arrived_at(story: Story) -> float | None:
    return story.seen[0].mark.micro if story.seen else decided_at(story)


def marks_of(story: Story) -> list[m.Mark]:
    """What is known of the market's drivers, the earliest first."""
    found = [story.decided.mark, *(seen.mark for seen in story.seen[:1]), *(fill.mark for fill in story.fills)]
    return [mark for mark in found if mark is not None]


def scale_of(instrument: Instrument, lots: int, price: float | None, marks: list[m.Mark]) -> Scale:
    """Of an order in this instrument, at this price in units."""
    at = price if price else marks[0].micro if marks else 0.0
    coin = instrument.lot * instrument.tick
    if instrument.kind is not Kind.OPTION:  # inverse: a move of the price is worth this much coin at that price
        coin = coin / (at * instrument.tick) ** 2 if at else coin
    return Scale(
        lots=lots, tick=float(instrument.tick_units(at)), coin=coin,
        vega=next((mark.vega for mark in marks if mark.vega), None),
        usd=next((mark.index for mark in marks if mark.index), None),
    )  # fmt: skip


def _first(story: Story) -> m.Mark | None:
    return story.seen[0].mark if story.seen else story.decided.mark


def _add_fills(
    terms: dict[Term, float], unknown: dict[Term, float], fills: list[m.Filled], first: m.Mark | None, arrival: float,
    scale: Scale,
) -> None:  # fmt: skip
    filled = sum(fill.quantity for fill in fills)
    parts = [of_fill(fill, first, arrival, scale) for fill in fills]
    for name in OF_A_FILL:
        terms[name] = math.fsum(part[name] for part, _ in parts)
        unknown[name] = sum(fill.quantity for fill, (_, not_known) in zip(fills, parts, strict=True)
                            if name in not_known) / filled if filled else 0.0  # fmt: skip


def _driven(instrument: Instrument, then: m.Mark | None, now: m.Mark) -> tuple[tuple[float, float], set[Term]]:
    """Units by which the underlying, and by which the volatility, has moved the price between two moments."""
    unknown: set[Term] = set()
    under = vol = 0.0
    slopes = (_slope(instrument, then), _slope(instrument, now))
    if then is None or then.forward is None or now.forward is None or slopes[0] is None or slopes[1] is None:
        unknown.add("underlying")
    else:
        under = (slopes[0] + slopes[1]) / 2 * (now.forward - then.forward)
    if instrument.kind is not Kind.OPTION:
        return (under, 0.0), unknown
    if then is None or then.iv is None or now.iv is None or then.vega is None or now.vega is None:
        unknown.add("volatility")
    else:
        vol = (then.vega + now.vega) / 2 * (now.iv - then.iv)
    return (under, vol), unknown


def _slope(instrument: Instrument, mark: m.Mark | None) -> float | None:
    """Units of price per USD of the underlying: d(premium in coin) ÷ dF is the coin delta ÷ F."""
    if mark is None or mark.forward is None:
        return None
    if instrument.kind is not Kind.OPTION:
        return 1.0 / instrument.tick
    return None if mark.delta is None else mark.delta / mark.forward / instrument.tick


def _nothing() -> dict[Term, float]:
    return dict.fromkeys(TERMS, 0.0)
