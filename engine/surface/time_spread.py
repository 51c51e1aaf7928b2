"""Calendars at the quotes: an option bought that outlives the one sold, for less than that one brings.

No quote of today pins down what the later forward F₂ will be over the delivery price S of the earlier expiry, so each
of these stands on an assumption, which is said with it (`needs`). If the earlier option ends in the money, K₂ USD of
the later future are traded then; with the later option they bring at least 1 − K₂/F₂ (a call) or K₂/F₂ − 1 (a put),
whatever comes after. The earlier one costs 1 − K₁/S or K₁/S − 1: no more than that, as long as

    call   F₂/S ≥ K₂/K₁ · (1 + c)        put   F₂/S ≤ K₂/K₁ · (1 − c)

c being what the future costs, as a share of its worth. Only calendars that hold with a basis F₂/S a `CARRY` worse than
today's F₂/F₁ are reported. Coins earn nothing while they wait, and both options are held to their ends.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate

from engine.domain import Kind, Side, expiry_code
from engine.surface.executable import SLIGHT, Arbitrage, Quoted, lots_of, sound
from engine.surface.locked import Delivery, Leg, trading_fee

CARRY = 0.01  # how far today's basis may go against it
FUTURE_TAKER = 0.0005  # of the later future, when it is needed


def calendars(
    quotes: Sequence[Quoted], forwards: Mapping[int, float], expiry: int, delivery: Delivery | None = None
) -> list[Arbitrage]:
    """Of one earlier expiry against all later ones; each offer is used once, the most profitable first. `forwards`: USD
    by expiry, those that are known."""
    fees, options = delivery or Delivery(), [q for q in quotes if q.instrument.kind is Kind.OPTION]
    near = [one for q in options if q.instrument.expiry == expiry and (one := sound(q)).bid]
    dearest = max((q.bid for q in near), default=0.0)
    far = [one for q in options if q.instrument.expiry > expiry and q.ask < dearest and (one := sound(q)).ask]
    found: list[Arbitrage] = []
    used: set[str] = set()
    for each in sorted(_found(near, far, forwards, fees), key=lambda one: -one.profit):
        names = {leg.instrument.name for leg in each.legs}
        if not names & used:
            used |= names
            found.append(each)
    return found


def _found(
    near: Sequence[Quoted], far: Sequence[Quoted], forwards: Mapping[int, float], fees: Delivery
) -> Iterator[Arbitrage]:
    """Of each option to be sold, against the cheapest of each later expiry whose strike leaves room enough."""
    cheapest = {
        (later, call): _running(far, later, call=call)
        for later in {q.instrument.expiry for q in far}
        for call in (True, False)
    }
    for sold in near:
        for (later, call), offers in cheapest.items():
            basis = _basis(sold.instrument.expiry, later, forwards)
            if call == sold.instrument.call and (bought := _eligible(offers, sold, basis, fees)) is not None:
                one = _package(sold, bought, _bound(sold, bought.instrument.strike, fees), basis, fees)
                if one.profit > SLIGHT:
                    yield one


def _running(far: Sequence[Quoted], expiry: int, *, call: bool) -> list[tuple[float, Quoted]]:
    """By strike, from the one with the least that is needed: the cheapest up to it."""
    side = [q for q in far if q.instrument.expiry == expiry and q.instrument.call == call]
    side.sort(key=lambda q: q.instrument.strike, reverse=not call)
    best = accumulate(side, _cheaper)
    return [(q.instrument.strike, cheap) for q, cheap in zip(side, best, strict=True)]


def _cheaper(one: Quoted, other: Quoted) -> Quoted:
    return other if other.ask < one.ask else one


def _eligible(offers: Sequence[tuple[float, Quoted]], sold: Quoted, basis: float, fees: Delivery) -> Quoted | None:
    """The cheapest that stays within the bound with the basis a `CARRY` worse, if it costs less than is got."""

    def wide(strike: float) -> bool:
        bound = _bound(sold, strike, fees)
        return basis * (1.0 - CARRY) >= bound if sold.instrument.call else basis * (1.0 + CARRY) <= bound

    count = bisect_left(offers, True, key=lambda offer: not wide(offer[0]))
    found = offers[count - 1][1] if count else None
    return found if found is not None and found.ask < sold.bid else None


def _basis(first: int, second: int, forwards: Mapping[int, float]) -> float:
    """The later forward over the earlier one; NaN, which nothing holds with, where one is not known."""
    one, other = forwards.get(first), forwards.get(second)
    return other / one if one and other else math.nan


def _bound(sold: Quoted, strike: float, fees: Delivery) -> float:
    """The least (call) or most (put) that the later forward may be over the earlier delivery price, in the digits that
    are told."""
    cost, ratio = FUTURE_TAKER + fees.future, strike / sold.instrument.strike
    if sold.instrument.call:
        return math.ceil(ratio * (1.0 + cost) * 1e4) / 1e4
    return math.floor(ratio * (1.0 - cost) * 1e4) / 1e4


def _package(sold: Quoted, bought: Quoted, bound: float, basis: float, fees: Delivery) -> Arbitrage:
    one, other = sold.instrument, bought.instrument
    size = min(one.amount(lots_of(sold, Side.SELL)), other.amount(lots_of(bought, Side.BUY)))
    costs = trading_fee(one, sold.bid) + trading_fee(other, bought.ask) + 2.0 * fees.option
    side = "at least" if one.call else "at most"
    needs = (
        f"{expiry_code(other.expiry)} forward {side} {bound:.4f} of {expiry_code(one.expiry)} delivery, now {basis:.4f}"
    )
    legs = (Leg(other, Side.BUY, size, bought.ask), Leg(one, Side.SELL, size, sold.bid))
    return Arbitrage("calendar", one.expiry, legs, size * one.contract * (sold.bid - bought.ask - costs), needs)
