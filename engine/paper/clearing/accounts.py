"""Who holds what at the venue, in whole numbers: nothing is ever made or lost by rounding.

Money is an integer count of 1e-12 coin ("pico"). A trade has one integer value, which both sides use: premium for an
option, USD ÷ price for an inverse future. So over all accounts, the venue's own fee account and its insurance among
them, Σ (cash + cost of open futures) never changes, and Σ size of every instrument is 0.

Inverse futures: a long of N USD at price p is a claim of N/p_entry − N/p_mark coin. `cost` keeps the signed entry
values, so the claim is cost − N/p_mark, and closing releases a proportional share of the cost. The daily settlement
pays the claim out and sets the cost to the settlement's value; `entry` stays what was really traded.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

import msgspec

from engine.domain import Instrument, Kind
from engine.paper.instruments.fees import Fees, Rates, period_of
from engine.paper.orders.matching import Order

PICO = 10**12
VENUE = 0  # the account that collects fees, and what funding's rounding leaves
INSURANCE = 1  # the account that liquidation fees go to, and that pays what bankrupt accounts owe
LOG_LENGTH = 20_000  # entries of an account's transaction log that are kept


class Position(msgspec.Struct):
    """`size` lots, signed. Money in pico. `cost` is the open size at its trades' or the last settlement's prices,
    `entry` at its trades' prices; `realised` since the account was opened, `session` and `funding` since the last
    daily settlement (funding is part of both)."""

    size: int = 0
    cost: int = 0
    realised: int = 0
    entry: int = 0
    session: int = 0
    funding: int = 0


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the transaction log: what changed an account's cash and why. Money in pico, sizes in lots."""

    id: int
    t: int
    type: str  # trade, delivery, settlement, funding, liquidation, deposit, bankruptcy
    instrument: int = -1
    side: str = ""
    lots: int = 0
    position: int = 0  # after it
    price: float = 0.0  # USD, or coin for options
    fee: int = 0
    cashflow: int = 0  # without the fee
    cash: int = 0  # after it
    funding: int = 0
    session_rpl: int = 0
    session_upl: int = 0
    mark: float = 0.0
    index: float = 0.0
    trade: int = 0
    order: int = 0
    maker: bool = False

    @property
    def change(self) -> int:
        return self.cashflow - self.fee


class Account(msgspec.Struct):
    """One client. `house` accounts are the crowd's: never refused for money, and told nothing. A house account that
    was opened with coin is liquidated like a client's when that is gone."""

    id: int
    name: str
    house: bool
    cash: int  # pico
    deposit: int  # pico, what was paid in
    fees: int = 0
    positions: dict[int, Position] = {}
    open: dict[int, Order] = {}
    orders: list[Order] = []  # every order ever, in order of arrival
    labels: dict[str, list[Order]] = {}
    reducing: int = 0  # how many resting orders are reduce-only
    log: deque[Entry] = msgspec.field(default_factory=lambda: deque(maxlen=LOG_LENGTH))
    logged: int = 0  # entries ever written

    def position(self, instrument: int) -> Position:
        position = self.positions.get(instrument)
        if position is None:
            position = self.positions[instrument] = Position()
        return position

    def size(self, instrument: int) -> int:
        position = self.positions.get(instrument)
        return position.size if position is not None else 0

    def dump(self) -> dict[str, Any]:
        """Orders by number; a house account keeps none but the open ones."""
        return {
            "id": self.id, "name": self.name, "house": self.house, "cash": self.cash, "deposit": self.deposit,
            "fees": self.fees, "positions": [[n, *msgspec.structs.astuple(p)] for n, p in self.positions.items()],
            "open": list(self.open), "orders": [order.id for order in self.orders],
            "log": [msgspec.to_builtins(entry) for entry in self.log], "logged": self.logged,
        }  # fmt: skip

    @classmethod
    def load(cls, value: dict[str, Any], orders: Mapping[int, Order]) -> Account:
        account = cls(value["id"], value["name"], value["house"], value["cash"], value["deposit"], value["fees"])
        account.positions = {n: Position(*rest) for n, *rest in value["positions"]}
        account.open = {number: orders[number] for number in value["open"]}
        account.orders = [orders[number] for number in value["orders"]]
        for order in account.orders:
            if order.label:
                account.labels.setdefault(order.label, []).append(order)
        account.reducing = sum(order.reduce_only for order in account.open.values())
        account.log.extend(msgspec.convert(value["log"], list[Entry]))
        account.logged = value["logged"]
        return account


class Money:
    """The integer arithmetic of one instrument's trades."""

    __slots__ = ("delivery", "fee_cap", "instrument", "inverse", "liquidation", "maker", "per_lot", "scale", "taker")

    def __init__(self, instrument: Instrument, fees: Fees | None = None) -> None:
        """Makers and takers pay what the instrument itself says; the rest of the rates is the table's."""
        self.instrument = instrument
        self.inverse = instrument.kind is not Kind.OPTION
        ratio = instrument.lot / instrument.tick if self.inverse else instrument.lot * instrument.tick
        self.scale = round(ratio * PICO)
        self.per_lot = round(instrument.lot * PICO)
        fees = fees or Fees()
        rates: Rates = fees.of(instrument, period_of(instrument.expiry))
        self.maker, self.taker = _per_million(instrument.maker_fee), _per_million(instrument.taker_fee)
        self.delivery, self.liquidation = _per_million(rates.delivery), _per_million(rates.liquidation)
        self.fee_cap = _per_million(fees.cap)

    def value(self, price: int, lots: int) -> int:
        """Pico: the premium of an option trade, the coin value of a future's."""
        return lots * self.scale // price if self.inverse else lots * price * self.scale

    def fee(self, value: int, lots: int, maker: bool) -> int:
        """Pico. Options: a rate per contract, at most 12.5 % of the premium. Futures: a rate on the coin value."""
        return self._fee(self.maker if maker else self.taker, value, lots)

    def liquidation_fee(self, value: int, lots: int) -> int:
        """Pico, on top of the trade's own."""
        return self._fee(self.liquidation, value, lots)

    def delivery_fee(self, price: float, lots: int) -> int:
        """Pico, of an expiry at this price in USD; options that end worthless pay nothing."""
        return self._fee(self.delivery, abs(self.worth(price, lots)), abs(lots))

    def worth(self, price: float, lots: int) -> int:
        """Pico, signed as the lots: coin value of a future at a price in USD, payout of an option at delivery."""
        i = self.instrument
        if self.inverse:
            return lots * round(i.lot / price * PICO)
        inside = price - i.strike if i.call else i.strike - price
        return lots * round(max(inside, 0.0) / price * i.lot * PICO)

    def volume(self, price: int, lots: int, index: float) -> tuple[float, float]:
        """What a trade counts as: coin, USD. Options count their contracts, and their premium in USD."""
        i = self.instrument
        if self.inverse:
            return lots * i.lot / (price * i.tick), lots * i.lot
        return lots * i.lot, lots * i.lot * price * i.tick * index

    def apply(self, account: Account, instrument: int, lots: int, value: int) -> int:
        """Book a trade of `lots` (signed) with this value; returns the realised profit in pico."""
        position = account.position(instrument)
        signed = value if lots > 0 else -value
        held = abs(position.size)
        closing = min(abs(lots), held) if position.size * lots < 0 else 0
        closed = signed * closing // abs(lots) if closing else 0
        released = position.cost * closing // held if closing else 0
        position.entry += signed - closed - (position.entry * closing // held if closing else 0)
        position.size += lots
        position.cost += signed - closed - released
        # an option is bought with cash; a future pays when it is closed
        profit = (released + closed) if self.inverse else -(released + closed)
        account.cash += profit if self.inverse else -signed
        position.realised += profit
        position.session += profit
        return profit

    def settle(self, account: Account, instrument: int, mark: float) -> int:
        """The daily settlement at this mark: what floats is paid (futures) or booked as realised (options), and a new
        session begins. Returns it, in pico."""
        position, i = account.positions[instrument], self.instrument
        worth = round((position.size * i.lot / mark if self.inverse else position.size * i.lot * mark) * PICO)
        profit = position.cost - worth if self.inverse else worth - position.cost
        if self.inverse:
            account.cash += profit
        position.cost = worth
        position.realised += profit
        position.session = position.funding = 0
        return profit

    def deliver(self, account: Account, instrument: int, price: float) -> int:
        """Expiry at this price in USD: the position is paid out in coin and gone. Returns the payment, in pico."""
        position = account.positions[instrument]
        worth = self.worth(price, position.size)
        paid = position.cost - worth if self.inverse else worth
        profit = paid if self.inverse else paid - position.cost
        account.cash += paid
        position.realised += profit
        position.session += profit
        position.size = position.cost = position.entry = 0
        return paid

    def _fee(self, rate: int, value: int, lots: int) -> int:
        if self.inverse:
            return value * rate // 1_000_000
        return min(lots * self.per_lot * rate, value * self.fee_cap) // 1_000_000


def _per_million(rate: float) -> int:
    return round(rate * 1_000_000)
