"""Arbitrage that can be done: at the quotes, after fees, in whole lots, locked in coin whatever the delivery price.

Theory of operation. With y = 1/S an inverse call pays (1 − Ky)⁺ coin and a put (Ky − 1)⁺; a future bought for N USD at
F pays N (1/F − y). All of it is piecewise linear in y, so a package is locked if its worth is positive at y = 0, at
every kink 1/K, and does not fall beyond the last: `least` says the worst case exactly, and nothing is reported whose
worst case, fees and delivery included, is not a profit.

Candidates, one expiry at a time:
butterfly   both payoffs are convex in K at each y, so a bid above the lower convex hull of the asks is too high. The
            strike 0 is a point of that hull: a call of strike 0 is a coin (worth 1), a put of strike 0 is nothing
vertical    the same with the strike 0 as one wing; and a bid above the ask of one that always pays as much
parity      call − put pays 1 − Ky, which a future of K USD turns into a constant
box         two strikes' call − put in the ratio of the strikes: the forwards they imply do not agree

There is no calendar here: what the later option is worth when the earlier one is settled hangs on the later future's
price then, and no package of today's quotes pins that down. Calendars of the fits are `arbitrage.flags`' to say.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise

import msgspec

from engine.domain import OPTION_FEE_CAP, Instrument, Kind, Side

SLIGHT = 1e-9  # coin: less is rounding


class Quoted(msgspec.Struct, frozen=True):
    """Best quotes of one instrument: coin (options) or USD (futures), sizes in its own amounts; 0 for none."""

    instrument: Instrument
    bid: float
    ask: float
    bid_size: float
    ask_size: float


class Leg(msgspec.Struct, frozen=True):
    instrument: Instrument
    side: Side
    size: float
    price: float


class Arbitrage(msgspec.Struct, frozen=True):
    """`profit`: coin, locked at the least, after taker and delivery fees, for the whole of the legs."""

    kind: str
    expiry: int
    legs: tuple[Leg, ...]
    profit: float


class Delivery(msgspec.Struct, frozen=True):
    """Fees at delivery, coin: per option contract, and as a share of a future's worth."""

    option: float = 0.00015
    future: float = 0.0


def executable(quotes: Sequence[Quoted], delivery: Delivery | None = None) -> list[Arbitrage]:
    """Everything found in the quotes of one coin, the most profitable first. Crossed and one-sided quotes are fine; a
    future is used for the expiry it has, the perpetual for none."""
    fees, expiries = delivery or Delivery(), sorted({q.instrument.expiry for q in quotes if q.instrument.expiry})
    found: list[Arbitrage] = []
    for expiry in expiries:
        chain = [q for q in quotes if q.instrument.expiry == expiry]
        options = [q for q in chain if q.instrument.kind is Kind.OPTION]
        future = next((q for q in chain if q.instrument.kind is Kind.FUTURE), None)
        for kind, legs in _candidates(options, future):
            profit = least(legs, fees)
            if profit > SLIGHT:
                found.append(Arbitrage(kind, expiry, legs, profit))
    return sorted(found, key=lambda each: -each.profit)


def least(legs: Sequence[Leg], fees: Delivery) -> float:
    """The least that a package held to delivery brings, coin; −inf if it has no bound."""
    kinks = sorted({0.0, *(1.0 / leg.instrument.strike for leg in legs if leg.instrument.strike)})
    beyond = 2.0 * kinks[-1] + 1e-9
    values = [sum(_worth(leg, y, fees) for leg in legs) for y in (*kinks, beyond)]
    return -math.inf if values[-1] < values[-2] - 1e-12 else min(values)


def _worth(leg: Leg, y: float, fees: Delivery) -> float:
    one, sign = leg.instrument, leg.side.sign
    if one.kind is not Kind.OPTION:
        taker = leg.size * one.taker_fee / leg.price
        return sign * leg.size * (1.0 / leg.price - y) - taker - leg.size * y * fees.future
    pays = max(1.0 - one.strike * y, 0.0) if one.call else max(one.strike * y - 1.0, 0.0)
    taker = min(one.taker_fee, OPTION_FEE_CAP * leg.price)
    return leg.size * one.contract * (sign * (pays - leg.price) - taker - fees.option)


# ------------------------------------------------------------ what to look at


def _candidates(options: Sequence[Quoted], future: Quoted | None) -> Iterator[tuple[str, tuple[Leg, ...]]]:
    for call in (True, False):
        side = sorted((q for q in options if q.instrument.call == call), key=lambda q: q.instrument.strike)
        yield from _verticals(side, call=call)
        yield from _butterflies(side, call=call)
    pairs = _pairs(options)
    yield from _boxes(pairs)
    if future is not None:
        for each in pairs:
            yield from _parities(*each, future)


def _verticals(side: Sequence[Quoted], *, call: bool) -> Iterator[tuple[str, tuple[Leg, ...]]]:
    """Buy the cheapest of those that pay at least as much, sell the dearer one."""
    cheapest: Quoted | None = None
    for quoted in side if call else reversed(side):
        if cheapest is not None and quoted.bid > cheapest.ask:
            yield from _packed("vertical", [(cheapest, Side.BUY, 1), (quoted, Side.SELL, 1)])
        if quoted.ask > 0.0 and (cheapest is None or quoted.ask < cheapest.ask):
            cheapest = quoted


def _butterflies(side: Sequence[Quoted], *, call: bool) -> Iterator[tuple[str, tuple[Leg, ...]]]:
    """Each bid against the lower convex hull of the asks, taker fees added."""
    hull: list[tuple[float, float, Quoted | None]] = [(0.0, 1.0 if call else 0.0, None)]
    for quoted in side:
        if quoted.ask > 0.0:
            point = (quoted.instrument.strike, quoted.ask + _fee(quoted, quoted.ask), quoted)
            while len(hull) > 1 and _above(hull[-2], hull[-1], point):
                hull.pop()
            hull.append(point)
    for body in side:
        strike = body.instrument.strike
        wings = [(low, high) for low, high in pairwise(hull) if low[0] < strike < high[0]]
        for low, high in wings:
            share = (high[0] - strike) / (high[0] - low[0])
            if body.bid - _fee(body, body.bid) > share * low[1] + (1.0 - share) * high[1]:
                yield from _spread(body, low, high)


def _spread(
    body: Quoted, low: tuple[float, float, Quoted | None], high: tuple[float, float, Quoted | None]
) -> Iterator[tuple[str, tuple[Leg, ...]]]:
    """Wings in whole lots in the ratio of the distances."""
    whole = _integers(high[0] - body.instrument.strike, body.instrument.strike - low[0])
    assert high[2] is not None
    legs = [(high[2], Side.BUY, whole[1]), (body, Side.SELL, whole[0] + whole[1])]
    if low[2] is None:
        yield from _packed("vertical", legs)
    else:
        yield from _packed("butterfly", [(low[2], Side.BUY, whole[0]), *legs])


def _pairs(options: Sequence[Quoted]) -> list[tuple[Quoted, Quoted]]:
    """Call and put of each strike that has both."""
    strikes: dict[float, dict[bool, Quoted]] = {}
    for quoted in options:
        strikes.setdefault(quoted.instrument.strike, {})[quoted.instrument.call] = quoted
    return [(both[True], both[False]) for _, both in sorted(strikes.items()) if len(both) == 2]


def _boxes(pairs: Sequence[tuple[Quoted, Quoted]]) -> Iterator[tuple[str, tuple[Leg, ...]]]:
    """The lowest forward that can be bought against the highest that can be sold, as 1/F = (1 − (c − p)) / K."""
    bought = [((1.0 - c.ask + p.bid) / c.instrument.strike, c, p) for c, p in pairs if c.ask > 0.0 and p.bid > 0.0]
    sold = [((1.0 - c.bid + p.ask) / c.instrument.strike, c, p) for c, p in pairs if c.bid > 0.0 and p.ask > 0.0]
    if not bought or not sold:
        return
    cheap, dear = max(bought, key=lambda row: row[0]), min(sold, key=lambda row: row[0])
    if cheap[0] > dear[0] and cheap[1] is not dear[1]:
        first, second = _integers(dear[1].instrument.strike, cheap[1].instrument.strike)
        yield from _packed("box", [(cheap[1], Side.BUY, first), (cheap[2], Side.SELL, first),
                                   (dear[1], Side.SELL, second), (dear[2], Side.BUY, second)])  # fmt: skip


def _parities(call: Quoted, put: Quoted, future: Quoted) -> Iterator[tuple[str, tuple[Leg, ...]]]:
    """One synthetic forward against the future, both ways; as many lots as make whole contracts of K USD each."""
    one, strike = call.instrument, call.instrument.strike
    lot_usd = one.lot * one.contract * strike
    step = _steps(lot_usd, future.instrument.lot)
    usd = round(step * lot_usd / future.instrument.lot)
    for side in Side:
        legs = [(call, side, step), (put, side.other, step), (future, side.other, usd)]
        yield from _packed("parity", legs)


def _packed(kind: str, wanted: Sequence[tuple[Quoted, Side, int]]) -> Iterator[tuple[str, tuple[Leg, ...]]]:
    """The package as often as the thinnest quote allows; nothing where a side is empty. `wanted`: lots of each."""
    times = min(_lots(quoted, side) // lots for quoted, side, lots in wanted)
    if times > 0:
        legs = (
            Leg(q.instrument, side, q.instrument.amount(lots * times), q.ask if side is Side.BUY else q.bid)
            for q, side, lots in wanted
        )
        yield kind, tuple(legs)


def _lots(quoted: Quoted, side: Side) -> int:
    price, size = (quoted.ask, quoted.ask_size) if side is Side.BUY else (quoted.bid, quoted.bid_size)
    return math.floor(size / quoted.instrument.lot + 1e-9) if price > 0.0 and math.isfinite(size) else 0


def _fee(quoted: Quoted, price: float) -> float:
    return min(quoted.instrument.taker_fee, OPTION_FEE_CAP * price)


def _above(
    first: tuple[float, float, Quoted | None],
    middle: tuple[float, float, Quoted | None],
    last: tuple[float, float, Quoted | None],
) -> bool:
    """Whether the middle point lies on or above the line between the others."""
    return (middle[1] - first[1]) * (last[0] - first[0]) >= (last[1] - first[1]) * (middle[0] - first[0])


def _integers(first: float, second: float) -> tuple[int, int]:
    """The smallest whole numbers in the ratio of two lengths, to a cent."""
    a, b = round(first * 100), round(second * 100)
    common = math.gcd(a, b) or 1
    return a // common, b // common


def _steps(length: float, unit: float) -> int:
    """How many lengths make whole units, to a cent."""
    a, b = round(length * 100), round(unit * 100)
    return b // (math.gcd(a, b) or 1)
