"""The params of an order, in decimals → what is asked of the exchange, in units and lots.

Each function returns what it read or the venue's refusal. What depends on the market or the account (bounds, funds,
positions) is the exchange's to refuse.
"""

from __future__ import annotations

from math import isclose, isfinite

from engine.domain import MS, Instrument, Kind, OffGrid, Side
from engine.market.deribit.errors import VenueError, refusal
from engine.market.deribit.methods import orders as m
from engine.paper.orders.matching import Order
from engine.paper.orders.terms import TRIGGERS, Ask, Change
from engine.paper.orders.triggers import unit

ONLY_TAKES = ("immediate_or_cancel", "fill_or_kill")
PRICED = ("limit", "stop_limit", "take_limit")
MOST_LOTS, MOST_UNITS = 10**12, 10**12  # nothing real is as large, and the sums stay well within a float


def ask_of(instrument: Instrument, n: int, side: Side, params: m.Place, session: int) -> Ask | VenueError:
    """An order as the exchange takes it."""
    amount = lots(instrument, params.amount, params.contracts)
    show = 0 if params.display_amount is None else lots(instrument, params.display_amount, None, "display_amount")
    price = 0 if params.type not in PRICED or params.advanced else units(instrument, params.price)
    wait, offset = _trigger_price(instrument, params), _trigger_offset(instrument, params)
    refused = first(_contradiction(instrument, params), amount, show, price, wait, offset)
    if refused is not None:
        return refused
    takes = params.type not in PRICED or params.time_in_force in ONLY_TAKES
    return Ask(
        instrument=n, side=side, amount=whole(amount), price=whole(price), kind=params.type, label=params.label,
        tif=params.time_in_force, session=session, reduce_only=params.reduce_only, mmp=params.mmp, show=whole(show),
        # true where nothing is said, so for an order that can only take it means nothing, unless it is insisted on
        post_only=params.post_only and (not takes or params.reject_post_only), reject_post_only=params.reject_post_only,
        valid_until=(params.valid_until or 0) * MS, advanced=params.advanced or "",
        anchor=params.price or 0.0 if params.advanced else 0.0, trigger_price=whole(wait), trigger_offset=whole(offset),
        trigger=source(params.trigger) if params.type in TRIGGERS else "",
    )  # fmt: skip


def change_of(instrument: Instrument, order: Order, params: m.Edit | m.EditByLabel) -> Change | VenueError:
    """What is said of an order that rests or waits; what is not said stays."""
    advanced = order.advanced if params.advanced is None else params.advanced
    sized = params.amount is not None or params.contracts is not None
    amount = lots(instrument, params.amount, params.contracts) if sized else None
    moved = params.price is not None and not advanced
    price = units(instrument, params.price) if moved else None
    display, offset = getattr(params, "display_amount", None), getattr(params, "trigger_offset", None)
    show = None if display is None else lots(instrument, display, None, "display_amount")
    step = unit(instrument, order.trigger)
    wait = None if params.trigger_price is None else _steps(step, params.trigger_price, "trigger_price")
    trail = None if offset is None else _steps(step, offset, "trigger_offset")
    refused = first(amount, price, show, wait, trail, _unfollowable(instrument, params.advanced, params.price))
    if refused is not None:
        return refused
    takes = order.kind not in PRICED or order.tif in ONLY_TAKES
    return Change(
        price=maybe(price), amount=maybe(amount), reduce_only=params.reduce_only,
        post_only=params.post_only and (not takes or params.reject_post_only),
        reject_post_only=params.reject_post_only, valid_until=(params.valid_until or 0) * MS, show=maybe(show),
        mmp=params.mmp, advanced=params.advanced, anchor=params.price if advanced else None,
        trigger_price=maybe(wait), trigger_offset=maybe(trail),
    )  # fmt: skip


def lots(
    instrument: Instrument, amount: float | None, contracts: float | None, name: str = "amount"
) -> int | VenueError:
    """`amount`, or `contracts` times the contract size; both where they are the same."""
    if contracts is not None:
        if amount is not None and not isclose(amount, contracts * instrument.contract):
            return refusal(11029, "amount and contracts are not the same", "contracts")
        amount = contracts * instrument.contract
    if amount is None:
        return refusal(11029, "amount or contracts is needed", name)
    if not isfinite(amount) or amount > MOST_LOTS * instrument.lot:
        return refusal(10021, "not an amount", name)
    try:
        found = instrument.lots(amount)
    except OffGrid as error:
        return refusal(10021, str(error), name)
    return found if found > 0 else refusal(10002, "", name)


def units(instrument: Instrument, price: float | None) -> int | VenueError:
    if price is None:
        return refusal(11029, "a limit order needs a price", "price")
    if not isfinite(price) or price > MOST_UNITS * instrument.tick:
        return refusal(10007, "not a price", "price")
    try:
        found = instrument.units(price)
    except OffGrid as error:
        return refusal(10043, str(error), "price")
    return found if found > 0 else refusal(10005, "", "price")


def first(*values: object) -> VenueError | None:
    """The first refusal among them."""
    return next((value for value in values if isinstance(value, VenueError)), None)


def whole(value: int | VenueError) -> int:
    """What was read, once it is known that nothing was refused."""
    return value if isinstance(value, int) else 0


def maybe(value: int | VenueError | None) -> int | None:
    return value if isinstance(value, int) else None


def source(trigger: str | None) -> str:
    """The published name of a trigger's price → ours: "index_price" → "index"."""
    return (trigger or "").removesuffix("_price")


def _trigger_price(instrument: Instrument, params: m.Place) -> int | VenueError:
    if params.type not in TRIGGERS or (params.trigger_price is None and params.type == "trailing_stop"):
        return 0
    if params.trigger_price is None:
        return refusal(11029, "a trigger order needs a trigger price", "trigger_price")
    return _steps(unit(instrument, source(params.trigger)), params.trigger_price, "trigger_price")


def _trigger_offset(instrument: Instrument, params: m.Place) -> int | VenueError:
    if params.type != "trailing_stop":
        return 0
    if params.trigger_offset is None:
        return refusal(11029, "a trailing stop needs its offset", "trigger_offset")
    return _steps(unit(instrument, source(params.trigger)), params.trigger_offset, "trigger_offset")


def _steps(step: float, value: float, name: str) -> int | VenueError:
    """A trigger price or offset in whole steps of its grid."""
    if not isfinite(value) or not 0.0 < value <= MOST_UNITS * step:
        return refusal(11029, "must be above zero", name)
    found = round(value / step)
    return found if abs(found * step - value) <= 1e-6 * step and found else refusal(10044, "", name)


def _contradiction(instrument: Instrument, params: m.Place) -> VenueError | None:
    """What does not go together, whatever the market."""
    if params.linked_order_type is not None:
        return refusal(11029, "linked orders are not offered here", "linked_order_type")
    if params.type in TRIGGERS and params.trigger is None:
        return refusal(11029, "a trigger order needs its trigger", "trigger")
    if params.advanced is not None and params.type not in PRICED:
        return refusal(11029, "only limit orders are held at an IV or at USD", "advanced")
    return _unfollowable(instrument, params.advanced, params.price, needed=True)


def _unfollowable(
    instrument: Instrument, advanced: str | None, price: float | None, needed: bool = False
) -> VenueError | None:
    if advanced is None:
        return None
    if instrument.kind is not Kind.OPTION:
        return refusal(11038)
    if price is None:
        return refusal(11029, "an advanced order's price is its IV or USD", "price") if needed else None
    return None if isfinite(price) and 0.0 < price < 1e9 else refusal(11029, "must be above zero", "price")
