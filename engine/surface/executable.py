"""Arbitrage that can be done: at the quotes, after fees, in whole lots, locked in coin whatever the delivery price.

Nothing is reported whose worst case (`locked.least`) is not a profit. Of one expiry the most profitable package is
taken first, and the next is looked for in what it leaves of the quotes: all that is reported can be done together.

Candidates, one expiry at a time:
butterfly   both payoffs are convex in K at each delivery price, so a bid above the lower convex hull of the asks is too
            high. The strike 0 is a point of that hull: a call of strike 0 is a coin (worth 1), a put of it nothing
vertical    the same with the strike 0 as one wing; and a bid above the ask of one that always pays as much
box         call − put pays 1 − Ky, with y = 1/S: a forward at a price. Two strikes that do not agree on it
parity      the same of one strike against the future
intrinsic   as a box or parity, with an option that has no bid left out: what is bought is worth more by itself

Lots are whole: what is bought is rounded up and what is sold down, so that a thin quote is used as far as it goes.
Arbitrage between expiries needs an assumption, and is `time_spread`'s.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from heapq import nlargest
from itertools import pairwise, product

import msgspec

from engine.domain import Instrument, Kind, Side
from engine.surface.locked import Delivery, Leg, least, trading_fee

SLIGHT = 1e-9  # coin: less is rounding
MOST = 12  # packages of one expiry; beyond that the quotes are no market
TRIED = 40  # candidates for each
WINGS = 4  # on each side of a body, nearest first, beside the hull's


class Quoted(msgspec.Struct, frozen=True):
    """Best quotes of one instrument: coin (options) or USD (futures), sizes in its own amounts; 0 for none."""

    instrument: Instrument
    bid: float
    ask: float
    bid_size: float
    ask_size: float


class Arbitrage(msgspec.Struct, frozen=True):
    """`profit`: coin, locked at the least, after taker and delivery fees, for the whole of the legs. `needs`: what it
    stands on beside the quotes, in words; empty where that is nothing."""

    kind: str
    expiry: int
    legs: tuple[Leg, ...]
    profit: float
    needs: str = ""


class Forward(msgspec.Struct, frozen=True):
    """A forward bought, or sold, made of options or the future: it pays n (1 − strike/S), costs `cost` coin a unit,
    fees included, and `lots` units of `unit` coin can be had. `legs`: instrument, side, lots a unit."""

    strike: float
    cost: float
    unit: float
    lots: int
    legs: tuple[tuple[Quoted, Side], ...]


Wanted = Sequence[tuple[Quoted, Side, int]]  # and how many lots
Candidate = tuple[float, str, Wanted]  # coin that it brings at the most, its kind
Point = tuple[float, float, Quoted | None]  # of the hull: strike, cost, whose ask


def executable(quotes: Sequence[Quoted], delivery: Delivery | None = None) -> list[Arbitrage]:
    """Everything found in the quotes of one coin, the most profitable first. Crossed and one-sided quotes are fine,
    what is no number or no whole lot is no quote; a future is used for the expiry it has, the perpetual for none."""
    fees, found = delivery or Delivery(), []
    for expiry in sorted({q.instrument.expiry for q in quotes if q.instrument.expiry}):
        chain = [sound(q) for q in quotes if q.instrument.expiry == expiry]
        taken = 0
        while taken < MOST and (best := _best(chain, expiry, fees)) is not None:
            found.append(best)
            chain, taken = _without(chain, best.legs), taken + 1
    return sorted(found, key=lambda each: -each.profit)


def _best(chain: Sequence[Quoted], expiry: int, fees: Delivery) -> Arbitrage | None:
    """Tried in the order of what each could bring at the most, until none can bring more than the best found."""
    best: Arbitrage | None = None
    for most, kind, wanted in nlargest(TRIED, _candidates(chain, fees), key=lambda each: each[0]):
        if most <= (best.profit if best else SLIGHT):
            break
        legs = tuple(_leg(*each) for each in wanted)
        profit = least(legs, fees)
        if profit > (best.profit if best else SLIGHT):
            best = Arbitrage(kind, expiry, legs, profit)
    return best


def _leg(quoted: Quoted, side: Side, lots: int) -> Leg:
    one = quoted.instrument
    return Leg(one, side, one.amount(lots), quoted.ask if side is Side.BUY else quoted.bid)


def sound(quoted: Quoted) -> Quoted:
    """With a price and a size of 0 where there is no offer of at least one lot."""
    sides = [(quoted.bid, quoted.bid_size), (quoted.ask, quoted.ask_size)]
    (bid, bid_size), (ask, ask_size) = (
        (price, size)
        if 0.0 < price < math.inf and quoted.instrument.lot <= size * (1.0 + 1e-9) < math.inf
        else (0.0, 0.0)
        for price, size in sides
    )
    return Quoted(quoted.instrument, bid, ask, bid_size, ask_size)


def _without(chain: Sequence[Quoted], legs: Sequence[Leg]) -> list[Quoted]:
    """What is left of the quotes when these have been taken."""
    bought = {leg.instrument.name: leg.size for leg in legs if leg.side is Side.BUY}
    sold = {leg.instrument.name: leg.size for leg in legs if leg.side is Side.SELL}
    return [
        sound(Quoted(q.instrument, q.bid, q.ask, q.bid_size - sold.get(q.instrument.name, 0.0),
                      q.ask_size - bought.get(q.instrument.name, 0.0)))
        if q.instrument.name in bought or q.instrument.name in sold else q
        for q in chain
    ]  # fmt: skip


# ------------------------------------------------------------ what to look at


def _candidates(chain: Sequence[Quoted], fees: Delivery) -> Iterator[Candidate]:
    options = [q for q in chain if q.instrument.kind is Kind.OPTION]
    for call in (True, False):
        side = sorted((q for q in options if q.instrument.call == call), key=lambda q: q.instrument.strike)
        yield from _verticals(side, call=call)
        yield from _butterflies(side, call=call)
    yield from _mismatches(chain, fees)


def _verticals(side: Sequence[Quoted], *, call: bool) -> Iterator[Candidate]:
    """Buy the cheapest of those that pay at least as much, sell the dearer one."""
    cheapest: Quoted | None = None
    for quoted in side if call else reversed(side):
        if cheapest is not None and quoted.bid > cheapest.ask:
            lots = min(lots_of(cheapest, Side.BUY), lots_of(quoted, Side.SELL))
            coin = lots * quoted.instrument.lot * quoted.instrument.contract
            legs = [(cheapest, Side.BUY, lots), (quoted, Side.SELL, lots)]
            yield coin * (quoted.bid - cheapest.ask), "vertical", legs
        if quoted.ask and (cheapest is None or quoted.ask < cheapest.ask):
            cheapest = quoted


def _butterflies(side: Sequence[Quoted], *, call: bool) -> Iterator[Candidate]:
    """Each bid against the lower convex hull of the asks, taker fees added; one above it, against every pair of wings,
    for the best of them may be thin."""
    points: list[Point] = [(0.0, 1.0 if call else 0.0, None)]
    points += [
        (q.instrument.strike, q.ask + trading_fee(q.instrument, q.ask), q) for q in side if q.ask
    ]  # fmt: skip
    hull: list[Point] = []
    for point in points:
        while len(hull) > 1 and _above(hull[-2], hull[-1], point):
            hull.pop()
        hull.append(point)
    for body in side:
        strike, bid = body.instrument.strike, body.bid - trading_fee(body.instrument, body.bid)
        edge = next(((low, high) for low, high in pairwise(hull) if low[0] < strike < high[0]), None)
        if edge is not None and bid > _between(*edge, strike):
            lows, highs = _near(points, strike)
            for low, high in product({edge[0], *lows}, {edge[1], *highs}):
                if (gain := bid - _between(low, high, strike)) > 0.0:
                    yield from _spread(body, low, high, gain)


def _near(points: Sequence[Point], strike: float) -> tuple[list[Point], list[Point]]:
    """The nearest points on either side."""
    below, above = [one for one in points if one[0] < strike], [one for one in points if one[0] > strike]
    return below[-WINGS:], above[:WINGS]


def _between(low: Point, high: Point, strike: float) -> float:
    share = (high[0] - strike) / (high[0] - low[0])
    return share * low[1] + (1.0 - share) * high[1]


def _above(first: Point, middle: Point, last: Point) -> bool:
    """Whether the middle point lies on or above the line between the others."""
    return (middle[1] - first[1]) * (last[0] - first[0]) >= (last[1] - first[1]) * (middle[0] - first[0])


def _spread(body: Quoted, low: Point, high: Point, gain: float) -> Iterator[Candidate]:
    """The wings in the ratio of the distances: as many as there are, and as many as leave nothing over. Where the lower
    one is the strike 0 it is no leg."""
    share = (high[0] - body.instrument.strike) / (high[0] - low[0])
    wings = [(point[2], part) for point, part in ((low, share), (high, 1.0 - share)) if point[2] is not None]
    most = min(math.floor(lots_of(wing, Side.BUY) / part + 1e-9) for wing, part in wings)
    most = min(most, lots_of(body, Side.SELL))
    even = most - most % _even(body.instrument.strike - low[0], high[0] - body.instrument.strike)
    coin = body.instrument.lot * body.instrument.contract
    for lots in {most, even} - {0}:
        bought = [(wing, Side.BUY, math.ceil(lots * part - 1e-9)) for wing, part in wings]
        kind = "butterfly" if len(wings) == 2 else "vertical"
        yield lots * coin * gain, kind, [*bought, (body, Side.SELL, lots)]


def _even(below: float, above: float) -> int:
    """The fewest lots of a body that have wings in whole lots, strikes being whole cents."""
    a, b = round(below * 100), round(above * 100)
    return (a + b) // math.gcd(a, b)


def _mismatches(chain: Sequence[Quoted], fees: Delivery) -> Iterator[Candidate]:
    """Forwards that can be bought against those that can be sold for more, as (1 − cost) / strike = 1/F."""
    sold = list(_forwards(chain, Side.SELL, fees))
    dearest = min(((1.0 + one.cost) / one.strike for one in sold), default=math.inf)
    for cheap in _forwards(chain, Side.BUY, fees):
        price = (1.0 - cheap.cost) / cheap.strike
        if price > dearest:
            for dear in sold:
                gain = price - (1.0 + dear.cost) / dear.strike
                if gain > 0.0 and cheap.strike != dear.strike:
                    yield from _swap(cheap, dear, gain)


def _swap(cheap: Forward, dear: Forward, gain: float) -> Iterator[Candidate]:
    """As much as both allow; of what is bought no more than covers what is sold, whatever the price falls to."""
    usd = min(cheap.lots * cheap.unit * cheap.strike, dear.lots * dear.unit * dear.strike)
    short = min(dear.lots, math.ceil(usd / (dear.unit * dear.strike) - 1e-9))
    long = min(cheap.lots, math.floor(short * dear.unit * dear.strike / (cheap.unit * cheap.strike) + 1e-9))
    if long > 0 and short > 0:
        legs = [(quoted, side, n) for one, n in ((cheap, long), (dear, short)) for quoted, side in one.legs]
        yield gain * usd, _mismatch(cheap, dear), legs


def _mismatch(cheap: Forward, dear: Forward) -> str:
    future = any(q.instrument.kind is not Kind.OPTION for one in (cheap, dear) for q, _ in one.legs)
    whole = len(cheap.legs) + len(dear.legs) == (3 if future else 4)
    return ("parity" if future else "box") if whole else "intrinsic"


def _forwards(chain: Sequence[Quoted], side: Side, fees: Delivery) -> Iterator[Forward]:
    """All that can be bought or sold: call and put of one strike, the one to be sold left out where it has no bid, and
    the future, whose delivery fee is as if it had been traded at a worse price."""
    strikes: dict[float, dict[bool, Quoted]] = {}
    for quoted in chain:
        one = quoted.instrument
        if one.kind is Kind.OPTION:
            strikes.setdefault(one.strike, {})[one.call] = quoted
        elif one.kind is Kind.FUTURE and (price := quoted.ask if side is Side.BUY else quoted.bid):
            strike = price * (1.0 + side.sign * fees.future)
            yield Forward(strike, one.taker_fee, one.lot / price, lots_of(quoted, side), ((quoted, side),))
    for strike, both in strikes.items():
        long, short = both.get(side is Side.BUY), both.get(side is not Side.BUY)
        if long is not None and long.ask:
            yield _synthetic(strike, long, None)
            if short is not None and short.bid:
                yield _synthetic(strike, long, short)


def _synthetic(strike: float, long: Quoted, short: Quoted | None) -> Forward:
    """A forward of this strike: `long` is bought and `short` sold."""
    cost, lots, legs = long.ask + trading_fee(long.instrument, long.ask), lots_of(long, Side.BUY), [(long, Side.BUY)]
    if short is not None:
        cost -= short.bid - trading_fee(short.instrument, short.bid)
        lots = min(lots, lots_of(short, Side.SELL))
        legs.append((short, Side.SELL))
    return Forward(strike, cost, long.instrument.lot * long.instrument.contract, lots, tuple(legs))


def lots_of(quoted: Quoted, side: Side) -> int:
    """Whole lots that can be bought or sold at the quote."""
    return math.floor((quoted.ask_size if side is Side.BUY else quoted.bid_size) / quoted.instrument.lot + 1e-9)
