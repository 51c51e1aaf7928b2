"""What is asked of the exchange, and what it says: units, lots and pico, no decimals.

A command's news come as announcements, in the order of `Exchange.commit`. Everything here is a value.
"""

from __future__ import annotations

import msgspec

from engine.domain import NS, Side
from engine.paper.orders.matching import Order

# States of an instrument. Orders are taken only while it is open, and cancels only while it is open or locked.
BOOK_OPEN, SETTLEMENT, DELIVERED, INACTIVE = "open", "settlement", "delivered", "inactive"
LOCKED, HALTED, ARCHIVIZED = "locked", "halted", "archivized"
CREATED = "created"  # only ever announced: what is listed anew is open at once
ENDED = (DELIVERED, ARCHIVIZED)  # for good

STOPS = ("stop_limit", "stop_market")
TAKES = ("take_limit", "take_market")
TRIGGERS = (*STOPS, *TAKES, "trailing_stop")
KINDS = ("limit", "market", "market_limit", *TRIGGERS)


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """What an exchange can be told to do otherwise. The rates are requests a second, 0 for as many as one likes."""

    reprice_ns: int = NS  # how often IV and USD orders follow the forward
    advanced_end_ns: int = 900 * NS  # before expiry, when they are cancelled
    order_rate: float = 5.0  # orders, edits and single cancels of one account
    order_burst: float = 20.0
    sweep_rate: float = 200.0  # cancel_all and its like, which have an allowance of their own
    sweep_burst: float = 250.0
    kept: int = 10_000  # of one account's orders that are over, and of its fills: at least so many, at most twice
    max_open: int = 1000  # of one account
    max_triggers: int = 100  # of one account, that wait
    show_lots: int = 100  # the least an iceberg may show
    show_ratio: int = 100  # what it hides is less than this many times what it shows


class Refusal(msgspec.Struct, frozen=True):
    """Why something was not done: the venue's code and word for it, and what is particular."""

    code: int
    message: str
    reason: str = ""


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """What a client wants placed: units and lots. `price` is ignored for a market order and for an advanced one.

    `kind` is one of `KINDS`. A trigger order says `trigger` ("index", "mark" or "last") and `trigger_price`, a
    trailing stop `trigger_offset`, in units of `triggers.unit`. An advanced order ("implv", "usd") says its IV in
    per cent or its USD as `anchor`.
    """

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
    show: int = 0  # display_amount, 0 for all of it
    mmp: bool = False
    advanced: str = ""
    anchor: float = 0.0
    trigger: str = ""
    trigger_price: int = 0
    trigger_offset: int = 0


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What a client wants of an order that rests or waits; None leaves it as it is.

    `advanced` other than None makes it follow the forward by another rule, or ("") by none any more.
    """

    price: int | None = None
    amount: int | None = None
    post_only: bool = False
    reject_post_only: bool = False
    reduce_only: bool | None = None
    valid_until: int = 0
    show: int | None = None
    mmp: bool | None = None
    advanced: str | None = None
    anchor: float | None = None
    trigger_price: int | None = None
    trigger_offset: int | None = None


class Trade(msgspec.Struct, frozen=True):
    """A public trade. `side` is the aggressor's. `liquidation` says whose order was one: "M", "T" or "MT"."""

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
    liquidation: str = ""
    block_trade_id: str = ""
    block_rfq_id: int = 0
    combo_id: str = ""


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
    advanced: str = ""
    mmp: bool = False


class Report(msgspec.Struct, frozen=True):
    """What one command meant for one client's account: its orders as they now are, its fills in order."""

    t: int
    account: int
    orders: tuple[Order, ...]
    fills: tuple[Fill, ...]


class Trades(msgspec.Struct, frozen=True):
    """Prints of one instrument that one command brought about, in order."""

    t: int
    instrument: int
    trades: tuple[Trade, ...]


class BookChange(msgspec.Struct, frozen=True):
    """One book's net change by one command: ("new", "change" or "delete", price, lots) by side."""

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


class BookState(msgspec.Struct, frozen=True):
    """An instrument is now in this state (channel instrument.state)."""

    t: int
    instrument: int
    state: str


class Platform(msgspec.Struct, frozen=True):
    """All instruments of this exchange were put into one state at once (channel platform_state)."""

    t: int
    state: str

    @property
    def locked(self) -> bool:
        return self.state != BOOK_OPEN


class Protected(msgspec.Struct, frozen=True):
    """A client's market-maker protection has cancelled its orders (channel user.mmp_trigger).

    `until` is ns UTC; `domain.NEVER` until it is reset by hand.
    """

    t: int
    account: int
    until: int


Announcement = Report | Protected | Trades | BookChange | Closed | BookState | Platform


class Placed(msgspec.Struct, frozen=True):
    """An order as it is after it was placed or edited, and what it traded at once."""

    order: Order
    fills: tuple[Fill, ...]


class Stats(msgspec.Struct):
    """Of one instrument, since the venue began."""

    last: int = 0
    tick_direction: int = 0
    seq: int = 0
    open_interest: int = 0
    state: str = BOOK_OPEN

    @property
    def closed(self) -> bool:
        """Whether it is over for good."""
        return self.state in ENDED
