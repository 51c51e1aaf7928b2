"""What the ticket says of an order before it is sent: every way of doing it, in ticks, coin and USD. Pure, and a look:
it refuses what would refuse the order itself, and changes nothing."""

from __future__ import annotations

from typing import NamedTuple

from engine import messages as m
from engine.domain import Instrument, Kind, OffGrid
from engine.execution import rfq, terms
from engine.execution.asked import Refusal
from engine.execution.desk import Desk
from engine.execution.estimate import AT_ONCE, Estimate, estimates, stand
from engine.execution.limit import bounded
from engine.execution.picture import Picture, shown, touch


def advice_of(desk: Desk, picture: Picture, verb: m.SubmitParent, fragility: float = 0.0) -> m.Estimated | str:
    """What the order would cost, each way; or in words why nothing can be said. `fragility`: of its book, 0 … 1."""
    try:
        typed = terms.order_of(desk, picture, "", verb)
    except (Refusal, OffGrid) as refused:
        return str(refused)
    instrument = picture.venue.instruments[typed.instrument]
    order = bounded(picture, typed, instrument)
    if isinstance(order, str):
        return order
    found, micro = estimates(desk, picture, instrument, order, fragility), picture.micro(order.instrument)
    if not found or not micro:
        return f"the book of {order.instrument} is not two-sided: nothing can be said of its cost"
    scale = _Scale(instrument, instrument.amount(order.quantity), instrument.tick * micro, picture.venue.index)
    ways = tuple(_way(each, scale, _warning(picture, instrument, order, each)) for each in found)
    return m.Estimated(ways=ways, book_or_rfq=_book_or_rfq(desk, picture, instrument, order, found, scale, fragility))


def _book_or_rfq(
    desk: Desk, picture: Picture, instrument: Instrument, order: m.ParentAccepted, found: tuple[Estimate, ...],
    scale: _Scale, fragility: float,
) -> m.BookOrRfq | None:  # fmt: skip
    """None for what is too small for a block, or is no option."""
    settings, now = desk.config.block, stand(desk, picture, instrument, order.side, fragility)
    if now is None or not rfq.large_enough(settings, instrument, order.quantity):
        return None
    ways = rfq.compared(found, rfq.block(settings, now, picture.vega_ticks(instrument.name)))
    sweep, work, block = (
        _way(each, scale, _warning(picture, instrument, order, each)) for each in (ways.sweep, ways.work, ways.block)
    )
    return m.BookOrRfq(sweep=sweep, work=work, block=block, best=ways.best.algorithm, advice=rfq.advice(ways))


def _warning(picture: Picture, instrument: Instrument, order: m.ParentAccepted, way: Estimate) -> str:
    """What the figures do not hold: an order that is not expected to finish, a limit that stops it."""
    if way.algorithm == rfq.BLOCK:
        return "at an assumed dealer's spread: nobody has been asked"
    if way.algorithm == AT_ONCE:
        found = shown(picture, instrument, order.side, order.limit)
        if found < order.quantity:
            return f"only {instrument.amount(found):.12g} are shown inside the limit"
        return ""
    far = touch(picture, instrument, order.side.other)
    if far is not None and order.side.sign * (far - order.limit) > 0:
        return f"the limit does not reach the {'ask' if order.side.sign > 0 else 'bid'}: it only rests"
    if way.done < rfq.FINISHED:
        return f"about {way.done:.0%} of it is expected to be done in its time: participation waits for others"
    return ""


class _Scale(NamedTuple):
    """What a tick a contract is worth, over all of an order. `price` is the instrument's, `spot` USD a coin."""

    instrument: Instrument
    amount: float
    price: float
    spot: float | None

    def money(self, ticks: float) -> m.Money:
        tick = self.instrument.tick * self.instrument.tick_units(self.price / self.instrument.tick)
        if self.instrument.kind is Kind.OPTION:
            coin = self.amount * ticks * tick
            return m.Money(ticks=ticks, coin=coin, usd=None if self.spot is None else coin * self.spot)
        usd = self.amount * ticks * tick / self.price  # of an inverse future: so many USD, at a price
        return m.Money(ticks=ticks, coin=usd / self.price, usd=usd)


def _way(each: Estimate, scale: _Scale, warning: str) -> m.Way:
    return m.Way(
        name=each.algorithm, cost=scale.money(each.cost), low=scale.money(each.low), high=scale.money(each.high),
        seconds=each.seconds, passive=each.passive, done=each.done, warning=warning,
    )  # fmt: skip
