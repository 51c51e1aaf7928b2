"""Orders of the client's in a simulated market, entered as any client would, and what the venue knows of them."""

from __future__ import annotations

import msgspec

from engine.domain import Side
from engine.market.deribit.wire import request
from engine.paper.orders.matching import Order
from engine.paper.simulation import Simulation


class _Named(msgspec.Struct):
    order_id: str


class _Result(msgspec.Struct):
    order: _Named


class _Answer(msgspec.Struct):
    result: _Result | None = None


def entered(simulation: Simulation, name: str, side: Side, lots: int, price: int | None) -> str | None:
    """The order's id, None where it was refused. Post-only at `price` (units); without one a market order."""
    exchange, n = simulation.exchange(name)
    instrument = exchange.instruments[n]
    params: dict[str, object] = {"instrument_name": name, "amount": instrument.amount(lots)}
    if price is None:
        params |= {"type": "market"}
    else:
        params |= {"type": "limit", "price": instrument.price(price), "post_only": True}
    answer = msgspec.json.decode(simulation.request(request("entered", f"private/{side}", params))[0], type=_Answer)
    return answer.result.order.order_id if answer.result is not None else None


def order_of(simulation: Simulation, name: str, order_id: str) -> Order:
    """As the venue has it now."""
    exchange, _ = simulation.exchange(name)
    number = int(order_id.rpartition("-")[2])
    return next(found for account in simulation.venue.accounts.values() if (found := exchange.order(account, number)))


def micro(simulation: Simulation, name: str) -> float | None:
    """Now, from the venue's own book, units; None where a side is empty."""
    exchange, n = simulation.exchange(name)
    book = exchange.books[n]
    bid, ask = book.bids.best, book.asks.best
    if bid is None or ask is None:
        return None
    bid_size, ask_size = book.bids.total(bid), book.asks.total(ask)
    return (bid * ask_size + ask * bid_size) / (bid_size + ask_size)
