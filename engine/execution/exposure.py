"""What the desk would hold if everything on its way were filled, at worst: greeks, positions, short contracts, margin.

Theory of operation. An order reserves its remaining lots from the fact that it is requested until it ends, whatever it
is doing meanwhile; a fill turns as much of the reservation into a position. There is no second account of this: a
reservation *is* a live child's remaining quantity, so that it is freed once and cannot be forgotten. Since any part of
what works may be filled and the rest not, a limit is held against the worst of all cases: for a greek, everything that
moves it one way filled and nothing that moves it the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

import msgspec

from engine.domain import Instrument, Kind, Side
from engine.execution.desk import Child, Desk
from engine.execution.picture import Picture

Greek = Literal["delta", "gamma", "vega"]

FUTURE_MARGIN, FUTURE_SLOPE = 0.02, 0.00005  # the venue's published standard margin, inverse contracts
SHORT_MARGIN, SHORT_LEAST = 0.15, 0.10


class Unknown(Exception):
    """A figure that a limit needs is not known; its text is fit for a person. Caught in `risk`, and a refusal there."""


class Span(msgspec.Struct, frozen=True):
    """A figure now, and the lowest and highest it can become by what is on its way."""

    now: float
    low: float
    high: float


def span(desk: Desk, picture: Picture, greek: Greek) -> Span:
    """A greek of the whole book. Raises Unknown where one that is held or worked has none yet."""
    now = sum(greek_of(picture, name, greek) * amount for name, amount in held(desk, picture))
    low = high = now
    for child in desk.live_children:
        moved = greek_of(picture, child.request.instrument, greek) * _amount(picture, child)
        low, high = low + min(moved, 0.0), high + max(moved, 0.0)
    return Span(now, low, high)


def greek_of(picture: Picture, name: str, greek: Greek) -> float:
    """Of one unit of amount: coin of delta, coin of delta a USD, USD a vol point. Raises Unknown."""
    instrument, quote = picture.venue.instruments.get(name), picture.venue.quotes.get(name)
    if greek == "delta":
        value = picture.delta(name)
    elif instrument is not None and instrument.kind is not Kind.OPTION:
        value = 0.0
    else:
        value = None if quote is None else quote.gamma if greek == "gamma" else quote.vega
    if value is None:
        raise Unknown(f"the {greek} of {name} is not known")
    return value


def held(desk: Desk, picture: Picture) -> Iterator[tuple[str, float]]:
    """Name and signed amount of what is held and has not expired. Raises Unknown for what the venue does not list."""
    for name, lots in desk.positions.items():
        if not lots:
            continue
        instrument = picture.venue.instruments.get(name)
        if instrument is None:
            raise Unknown(f"the venue has not listed {name}, which is held")
        if not instrument.expiry or picture.now < instrument.expiry:
            yield name, instrument.amount(lots)


def reach(before: int, instrument: Instrument, side: Side, lots: int, children: Iterable[Child]) -> float:
    """Contracts at most in this order's direction: lots held before, with what these children and the order add."""
    working = sum(c.remaining for c in children if (c.request.instrument, c.request.side) == (instrument.name, side))
    return instrument.amount(side.sign * before + working + lots) / instrument.contract


def short(desk: Desk, picture: Picture, order: Instrument, lots: int) -> float:
    """Contracts sold short of the order's expiry and of its kind, calls or puts: every sale on its way filled, and no
    purchase. A long put covers no short call."""
    alike = _alike(picture, order)
    total = order.amount(lots)
    for name, count in desk.positions.items():
        if name in alike:
            total -= alike[name].amount(count)
    for child in desk.live_children:
        request = child.request
        if request.side is Side.SELL and request.instrument in alike:
            total += alike[request.instrument].amount(child.remaining)
    return total


def _alike(picture: Picture, order: Instrument) -> dict[str, Instrument]:
    """Options of the same coin, expiry and kind."""
    options = picture.venue.options_of(order.expiry, order.coin)
    return {each.name: each for each in options if each.call == order.call}


def margin(desk: Desk, picture: Picture, instrument: Instrument, side: Side, lots: int, price: int) -> float:
    """Coin that positions, working orders and this one bind: the venue's own figure, and, at its published standard
    rates, what it has not counted yet. Raises Unknown."""
    account = picture.venue.account
    if "margin" not in account:
        raise Unknown("the venue has not stated the account's margin")
    total = account["margin"] + _initial(desk, picture, instrument, side, lots, price)
    for child in desk.live_children:
        listed = picture.venue.instruments.get(child.request.instrument)
        if listed is not None and (child.state != "open" or max(child.opened, child.placed) > account.get("t", 0.0)):
            total += _initial(desk, picture, listed, child.request.side, child.remaining, child.bound)
    return total


def _initial(desk: Desk, picture: Picture, instrument: Instrument, side: Side, lots: int, price: int) -> float:
    """Initial margin of an order, in coin; none for one that only closes, whatever else may close it first."""
    working = sum(c.remaining for c in desk.live_children if c.request.instrument == instrument.name)
    if side.sign * desk.positions.get(instrument.name, 0) < 0 and lots + working <= abs(
        desk.positions[instrument.name]
    ):
        return 0.0
    amount, quote = instrument.amount(lots), picture.venue.quotes.get(instrument.name)
    if quote is None or not quote.mark:
        raise Unknown(f"there is no mark price of {instrument.name}")
    if instrument.kind is not Kind.OPTION:
        coins = amount / quote.mark
        return coins * (FUTURE_MARGIN + FUTURE_SLOPE * coins)
    if side is Side.BUY:
        return amount * (instrument.price(price) + instrument.taker_fee)
    return amount * (max(SHORT_MARGIN - _out_of_the_money(picture, instrument), SHORT_LEAST) + quote.mark)


def _out_of_the_money(picture: Picture, instrument: Instrument) -> float:
    """As a share of the index; 0 in the money, or where no index is known."""
    index = picture.venue.index
    if not index:
        return 0.0
    return max((instrument.strike - index) / index * (1 if instrument.call else -1), 0.0)


def _amount(picture: Picture, child: Child) -> float:
    instrument = picture.venue.instruments.get(child.request.instrument)
    if instrument is None:
        raise Unknown(f"the venue has not listed {child.request.instrument}, which is being traded")
    return child.request.side.sign * instrument.amount(child.remaining)
