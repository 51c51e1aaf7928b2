"""Where our resting orders stand in line: lots of others before them at their price, as a public client can tell it.

The rule. An order that comes to a price stands behind all that others show there. What trades at that price is taken
from before it, a trade beyond it or a fill of its own leaves nobody before it, and never do more stand before it than
others show. What is cancelled is taken to have stood behind it as long as anybody does. So the figure is never less
than the truth, but for what others hide, and is the truth where nobody behind it leaves. A smaller size keeps the
place; another price or a larger size loses it.

A book may be older than the order: until it is surely younger, what it shows is not held against a place.
"""

from __future__ import annotations

import msgspec

from engine.domain import MS, Side
from engine.market.book import Book
from engine.market.told import Print, Resting

SURE_NS = 200 * MS  # after which a book tells of an order whatever its stamp


class Place(msgspec.Struct):
    """`ahead` is lots; `since` the venue's time in ns, from which on it stands there."""

    instrument: str
    side: Side
    units: int
    lots: int
    ahead: int
    since: int


Places = dict[str, Place]  # by the venue's id of the order


def settle(places: Places, order: str, now: Resting | None, book: Book | None, own: int, at: int) -> None:
    """An order as the venue tells of it. `own` is what else we have at its price; `at` the order's own time, ns."""
    before = places.get(order)
    if now is None:
        places.pop(order, None)
    elif before is not None and before.units == now.units and now.lots <= before.lots:
        before.lots = now.lots
    else:
        ahead = max(_shown(book, now.side, now.units) - own, 0)
        places[order] = Place(now.instrument, now.side, now.units, now.lots, ahead, at)


def filled(places: Places, order: str) -> None:
    """A resting order has traded: nobody stands before it."""
    if order in places:
        places[order].ahead = 0


def printed(places: Places, name: str, row: Print) -> None:
    """Somebody has traded with what rests on the other side of the trade."""
    for place in places.values():
        if place.instrument != name or place.side is row.side or row.t < place.since:
            continue
        beyond = place.side.sign * (place.units - row.units)
        place.ahead = 0 if beyond > 0 else max(place.ahead - row.lots, 0) if beyond == 0 else place.ahead


def bounded(places: Places, book: Book, own: dict[tuple[Side, int], int], now: int) -> None:
    """A book has changed, or time has passed."""
    for place in places.values():
        if place.instrument != book.instrument.name or book.stale:
            continue
        if book.t > place.since or now - place.since > SURE_NS:
            others = _shown(book, place.side, place.units) - own.get((place.side, place.units), 0)
            place.ahead = min(place.ahead, max(others, 0))


def _shown(book: Book | None, side: Side, units: int) -> int:
    if book is None:
        return 0
    return (book.bids if side is Side.BUY else book.asks).get(units, 0)
