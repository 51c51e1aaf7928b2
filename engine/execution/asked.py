"""What a person's words mean in lots, units and the desk's own things; a `Refusal` where they mean nothing."""

from __future__ import annotations

from engine.domain import MAX_UNITS, Instrument
from engine.execution.desk import Desk, Parent
from engine.execution.lifecycle import LIVE_PARENT
from engine.execution.picture import Picture


class Refusal(Exception):
    """Leaves a check early; it becomes a `Refused` fact. Its text is fit for a person; `block` names the hard block
    that says so, where a person can do something about it."""

    def __init__(self, reason: str, block: str = "") -> None:
        super().__init__(reason)
        self.block = block


def instrument_of(picture: Picture, name: str) -> Instrument:
    instrument = picture.venue.instruments.get(name)
    if instrument is None:
        raise Refusal(f"'{name}' is not listed at the venue")
    return instrument


def size_of(instrument: Instrument, amount: float) -> int:
    lots = instrument.lots(amount)
    if lots <= 0:
        raise Refusal(f"a quantity of {amount:.12g} is nothing")
    return lots


def whole(instrument: Instrument, amount: float, what: str) -> int:
    """A size setting, rounded to lots: it need not be exact, as an order must."""
    if not 0.0 <= amount <= instrument.lot * MAX_UNITS:
        raise Refusal(f"the {what} cannot be {amount:.12g}")
    return round(amount / instrument.lot)


def price_of(instrument: Instrument, price: float) -> int:
    units = instrument.units(price)
    if units <= 0:
        raise Refusal(f"a price of {price:.12g} is nothing")
    if not instrument.on_tick(units):
        tick = instrument.price(instrument.tick_units(units))
        raise Refusal(f"the price {price:.12g} is off the tick of {tick:.12g}")
    return units


def parent_of(desk: Desk, parent: str) -> Parent:
    found = desk.parents.get(parent)
    if found is None or found.state not in LIVE_PARENT:
        raise Refusal(f"no parent {parent} is running")
    return found
