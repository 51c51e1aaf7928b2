"""The market as a cost needs it, put into the facts that costs are later told from. Pure.

Theory of operation. A cost is told of what was kept when it happened, never of what a market is rebuilt to. So each
fact that a cost stands on (a parent taken up or ended, a proposal made or answered, an order that leaves, a fill)
carries a `Mark`. All are put in here, at the one door that facts come out of.

The mark of a fill is the market *before* it. What we took may have left the book by the time that we hear of it, so a
taker's is that of the order's own departure; a resting order's is that of the last step of the clock. A fill that is
learned of long after it was made has none: its market is not known.
"""

from __future__ import annotations

from typing import Any

import msgspec

from engine import messages as m
from engine.domain import NS, Instrument, Kind, Side
from engine.execution.desk import Desk
from engine.execution.picture import Picture, touch

LATE_NS = 5 * NS  # a fill that is heard of later than this has no mark
LEVELS = 50
_MARKED = (
    m.ParentAccepted, m.ParentEnded, m.Proposed, m.Approved, m.Rejected, m.Lapsed, m.OrderRequested, m.Filled,
)  # fmt: skip


def marked(desk: Desk, picture: Picture, fact: m.Fact) -> m.Fact:
    """The fact with the market in it, if it is one that a cost is told from."""
    if not isinstance(fact, _MARKED) or fact.mark is not None:
        return fact
    found = _mark_of(desk, picture, fact)
    return fact if found is None else msgspec.structs.replace(fact, mark=found)


def mark(picture: Picture, name: str, side: Side = Side.BUY, lots: int = 0) -> m.Mark | None:
    """The market now, with what taking so many lots on `side` would come to; None without a book to be believed."""
    instrument, micro = picture.venue.instruments.get(name), picture.micro(name)
    book = picture.venue.books.get(name)
    if instrument is None or micro is None or book is None or book.stale:
        return None
    bid, ask = touch(picture, instrument, Side.BUY), touch(picture, instrument, Side.SELL)
    if bid is None or ask is None:
        return None
    taken, value = _taken(picture, instrument, side, lots) if lots else (0, 0)
    fair = picture.fair(name)
    return m.Mark(
        micro=micro, bid=bid, ask=ask, **_driven(picture, instrument), index=picture.venue.index,
        fair=None if fair is None else round(fair, 3), take=value / taken if taken else None, taken=taken,
    )  # fmt: skip


def _driven(picture: Picture, instrument: Instrument) -> dict[str, float | None]:
    """What moves the price: all of one ticker, so that it fits together."""
    quote, delta = picture.venue.quotes.get(instrument.name), picture.delta(instrument.name)
    if instrument.kind is not Kind.OPTION or quote is None:
        return {"forward": None if instrument.kind is Kind.OPTION else picture.venue.index, "delta": delta}
    vega = quote.vega / quote.forward / instrument.tick if quote.vega and quote.forward else None
    iv = None if quote.mark_iv is None else 100.0 * quote.mark_iv
    return {"forward": quote.forward, "iv": iv, "delta": delta, "vega": vega}


def _taken(picture: Picture, instrument: Instrument, side: Side, lots: int) -> tuple[int, int]:
    """Lots that taking so many at once would find, and Σ lots × units of them."""
    own, book = picture.venue.own_lots(instrument.name), picture.venue.books[instrument.name]
    left, value = lots, 0
    for units, shown in book.levels(side.other, LEVELS):
        here = min(left, max(shown - own.get((side.other, units), 0), 0))
        left, value = left - here, value + here * units
        if not left:
            break
    return lots - left, value


def _mark_of(desk: Desk, picture: Picture, fact: Any) -> m.Mark | None:
    match fact:
        case m.ParentAccepted():
            return mark(picture, fact.instrument, fact.side, fact.quantity)
        case m.ParentEnded():
            return mark(picture, desk.parents[fact.parent].order.instrument)
        case m.Proposed() | m.OrderRequested():
            return mark(picture, fact.instrument, fact.side, fact.quantity)
        case m.Approved() | m.Rejected() | m.Lapsed():
            proposal = desk.proposals[fact.proposal]
            return mark(picture, proposal.born.instrument, proposal.born.side, proposal.quantity)
    return _before(desk, picture, fact)


def _before(desk: Desk, picture: Picture, fill: m.Filled) -> m.Mark | None:
    """The market before a fill of ours."""
    child = desk.children.get(fill.child)
    if child is None or abs(picture.now - fill.at) > LATE_NS:
        return None
    if not fill.maker and child.request.mark is not None:
        return child.request.mark
    now, stood = mark(picture, fill.instrument), picture.stood(fill.instrument)
    if now is None or stood is None:
        return now
    micro, bid, ask = stood
    return msgspec.structs.replace(now, micro=micro, bid=bid, ask=ask)
