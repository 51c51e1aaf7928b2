"""Orders whose price is held at an implied volatility or at USD, and follows the forward in coin.

The venue turns what they are held at into the *nearest* tick, so possibly beyond what was asked, and re-prices them
about once a second; each time the price changes they lose their queue place. They cannot be post-only, and end some
minutes before expiry (VENUE.md, "IV orders").
"""

from __future__ import annotations

import math

from engine.domain import Instrument, Kind
from engine.paper.instruments.marks import Marks
from engine.paper.orders.matching import Order
from engine.paper.orders.terms import Refusal, Rules

IMPLV, USD = "implv", "usd"


def coin_price(marks: Marks, t: int, order: Order) -> int:
    """Units: the tick nearest to what the order is held at, with the marks' forward; at least the smallest."""
    i = marks.instruments[order.instrument]
    if order.advanced == IMPLV:
        coin = marks.worth(order.instrument, order.anchor / 100.0, t)
    else:
        coin = order.anchor / marks.forwards[i.expiry]
    return nearest(i, coin / i.tick)


def nearest(instrument: Instrument, units: float) -> int:
    """The allowed price nearest to `units`; the lower of two as near."""
    low, high = instrument.floor_tick(units), instrument.ceil_tick(units)
    return max(low if units - low <= high - units else high, 1)


def refuse(order: Order, instrument: Instrument, t: int, rules: Rules) -> Refusal | None:
    """Why this order cannot be held at what it asks for."""
    if instrument.kind is not Kind.OPTION:
        return Refusal(11038, "no_adv_for_futures")
    if order.post_only:
        return Refusal(11039, "no_adv_postonly")
    if order.advanced not in (IMPLV, USD) or order.kind != "limit":
        return Refusal(11029, "invalid_arguments", "advanced")
    if ended(instrument, t, rules):
        return Refusal(11037, "outdated_instrument_for_IV_order")
    if not math.isfinite(order.anchor) or order.anchor <= 0.0:
        return Refusal(10005, "price_too_low")
    return None


def ended(instrument: Instrument, t: int, rules: Rules) -> bool:
    """Whether it is too late before expiry for such orders."""
    return t >= instrument.expiry - rules.advanced_end_ns
