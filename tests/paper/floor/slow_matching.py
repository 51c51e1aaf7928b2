"""The slow book: what an incoming order should trade with, worked out from a flat list.

Each step looks for the best of all that is left: best price, then who has waited longest. An iceberg that has traded
what it showed shows its next part and waits anew.
"""

from __future__ import annotations

from engine.domain import Side
from engine.paper.orders.matching import Order, OrderBook


class Overlap(Exception):
    """The order would meet one of its own account's."""


class _Row:
    def __init__(self, order: Order, turn: int) -> None:
        self.number, self.account, self.turn = order.id, order.account, turn
        self.rank = -order.price * order.side.sign
        self.rest, self.show, self.shown = order.rest, order.show, order.shown


def expected(book: OrderBook, account: int, side: Side, limit: int, lots: int, *, gives_way: bool) -> dict[int, int]:
    """Lots by the number of the resting order. Raises Overlap where the account's own orders do not give way."""
    turn = len(book.orders())
    rows = [_Row(order, place) for place, order in enumerate(book.orders())
            if order.side is not side and (limit - order.price) * side.sign >= 0]  # fmt: skip
    traded: dict[int, int] = {}
    while lots and rows:
        best = min(rows, key=lambda row: (row.rank, row.turn))
        if best.account == account:
            if not gives_way:
                raise Overlap
            rows.remove(best)
            continue
        now = min(lots, best.shown if best.show else best.rest)
        traded[best.number] = traded.get(best.number, 0) + now
        lots, best.rest, best.shown = lots - now, best.rest - now, best.shown - now
        if not best.rest:
            rows.remove(best)
        elif best.show and not best.shown:
            best.shown, best.turn, turn = min(best.show, best.rest), turn, turn + 1
    return traded
