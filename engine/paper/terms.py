"""What is asked of the exchange, and what it says: units, lots and pico, no decimals.

A command's news come as announcements, in the order of `Exchange.commit`. Everything here is a value.
"""

from __future__ import annotations

import msgspec

from engine.domain import Side
from engine.paper.matching import Order


class Refusal(msgspec.Struct, frozen=True):
    code: int
    message: str
    reason: str = ""


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """What a client wants placed: units and lots. `price` is ignored for a market order."""

    instrument: int
    side: Side
    amount: int
    price: int = 0
    kind: str = "limit"
    tif: str = "good_til_cancelled"
    label: str = ""
    post_only: bool = False
    reject_post_only: bool = False
    reduce_only: bool = False
    valid_until: int = 0  # ns, 0 for never
    session: int = 0


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What a client wants of an order that rests; None leaves it as it is."""

    price: int | None = None
    amount: int | None = None
    post_only: bool = False
    reject_post_only: bool = False
    reduce_only: bool | None = None
    valid_until: int = 0


class Trade(msgspec.Struct, frozen=True):
    """A public trade. `side` is the aggressor's."""

    id: int
    seq: int
    t: int
    instrument: int
    side: Side
    price: int
    lots: int
    tick_direction: int
    mark: float
    index: float
    iv: float
    underlying: float


class Fill(msgspec.Struct, frozen=True):
    """One account's half of a trade; money in pico."""

    trade: Trade
    side: Side
    order: int
    kind: str
    label: str
    maker: bool
    fee: int
    profit: int
    state: str
    post_only: bool
    reduce_only: bool


class Report(msgspec.Struct, frozen=True):
    """What one command meant for one client's account: its orders as they now are, its fills in order."""

    t: int
    account: int
    orders: tuple[Order, ...]
    fills: tuple[Fill, ...]


class Trades(msgspec.Struct, frozen=True):
    t: int
    instrument: int
    trades: tuple[Trade, ...]


class BookChange(msgspec.Struct, frozen=True):
    t: int
    instrument: int
    change_id: int
    prev_change_id: int
    bids: list[tuple[str, int, int]]
    asks: list[tuple[str, int, int]]


class Closed(msgspec.Struct, frozen=True):
    """An instrument expired and was delivered at this price (USD for futures and options alike)."""

    t: int
    instrument: int
    price: float


Announcement = Report | Trades | BookChange | Closed


class Placed(msgspec.Struct, frozen=True):
    order: Order
    fills: tuple[Fill, ...]


class Stats(msgspec.Struct):
    """Of one instrument, since the venue began."""

    first: int = 0
    last: int = 0
    tick_direction: int = 0
    seq: int = 0
    volume: int = 0
    high: int = 0
    low: int = 0
    open_interest: int = 0
    closed: bool = False
