"""Orders that wait for a price: stops, takes and trailing stops, in state "untriggered".

A stop waits for the price to move to its side (a buy for a rise, a sell for a fall), a take for the other way. A
trailing stop is a stop whose trigger price keeps at a distance of its offset from the best price seen since it was
placed. All of them wait for a reference: the index, the mark price or the last trade.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from engine.domain import Instrument, Kind
from engine.paper.orders.matching import Order
from engine.paper.orders.terms import TAKES, Refusal

INDEX_TICK = 0.01  # USD: the grid of an option's trigger price on the index
REFERENCES = ("index", "mark", "last")
Place = tuple[int, str]  # instrument, reference


def unit(instrument: Instrument, trigger: str) -> float:
    """What trigger prices and offsets are counted in: the instrument's tick, or cents of USD for an option's index."""
    return INDEX_TICK if trigger == "index" and instrument.kind is Kind.OPTION else instrument.tick


def reached(order: Order, reference: int) -> bool:
    """Whether its trigger price is reached at this price."""
    return (reference - order.trigger_price) * _way(order) >= 0


def trail(order: Order, reference: int) -> bool:
    """Let a trailing stop see a price; whether its trigger price moved."""
    if order.kind != "trailing_stop" or (reference - order.trigger_reference) * order.side.sign >= 0:
        return False
    order.trigger_reference = reference
    order.trigger_price = reference + order.side.sign * order.trigger_offset
    return True


def refuse(order: Order, instrument: Instrument, reference: int) -> Refusal | None:
    """Why this order cannot wait, at this price of what it waits for (0 for none yet)."""
    if order.trigger not in REFERENCES or order.advanced:
        return Refusal(11029, "invalid_arguments", "trigger")
    if order.kind == "trailing_stop":
        return None if order.trigger_offset > 0 and reference else Refusal(11036, "invalid_trigger_price")
    if order.trigger_price <= 0:
        return Refusal(11036, "invalid_trigger_price")
    if unit(instrument, order.trigger) == instrument.tick and not instrument.on_tick(order.trigger_price):
        return Refusal(10044, "trigger_price_wrong_tick")
    if reference and reached(order, reference):
        low = _way(order) > 0
        return Refusal(10035, "trigger_price_too_low") if low else Refusal(10034, "trigger_price_too_high")
    return None


def _way(order: Order) -> int:
    """+1 where it waits for a rise."""
    return -order.side.sign if order.kind in TAKES else order.side.sign


class Triggers:
    """All that waits, by number and by what it waits for."""

    def __init__(self) -> None:
        self.waiting: dict[int, Order] = {}
        self._groups: dict[Place, dict[int, Order]] = {}
        self._seen: dict[Place, int] = {}  # the reference each group was last held against

    def add(self, order: Order) -> None:
        """A new one, or one that was changed: its price is looked at again."""
        place = (order.instrument, order.trigger)
        self.waiting[order.id] = order
        self._groups.setdefault(place, {})[order.id] = order
        self._seen.pop(place, None)

    def remove(self, order: Order) -> None:
        del self.waiting[order.id]
        place = (order.instrument, order.trigger)
        del self._groups[place][order.id]
        if not self._groups[place]:
            del self._groups[place]
            self._seen.pop(place, None)

    def of(self, account: int) -> Iterator[Order]:
        return (order for order in self.waiting.values() if order.account == account)

    def on(self, n: int) -> list[Order]:
        """What waits with an order for this instrument."""
        return [order for order in self.waiting.values() if order.instrument == n]

    def due(self, reference: Callable[[int, str], int]) -> tuple[list[Order], list[Order]]:
        """Orders whose price is reached, and trailing stops that moved. `reference` gives 0 where there is none, or
        where the instrument takes no orders."""
        fired: list[Order] = []
        moved: list[Order] = []
        for place, group in self._groups.items():
            now = reference(*place)
            if not now or self._seen.get(place) == now:
                continue
            self._seen[place] = now
            moved += [order for order in group.values() if trail(order, now)]
            fired += [order for order in group.values() if reached(order, now)]
        return sorted(fired, key=_number), sorted(moved, key=_number)

    def dump(self) -> list[int]:
        return list(self.waiting)

    def load(self, value: list[int], orders: Mapping[int, Order]) -> None:
        self.waiting.clear()
        self._groups.clear()
        self._seen.clear()
        for number in value:
            self.add(orders[number])


def _number(order: Order) -> int:
    return order.id
