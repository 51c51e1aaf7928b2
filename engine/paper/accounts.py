"""Who holds what at the venue, in whole numbers: nothing is ever made or lost by rounding.

Money is an integer count of 1e-12 coin ("pico"). A trade has one integer value, which both sides use: premium for an
option, USD ÷ price for an inverse future. So over all accounts, the venue's own fee account among them,
Σ (cash + cost of open futures) never changes, and Σ size of every instrument is 0.

Inverse futures: a long of N USD at price p is a claim of N/p_entry − N/p_mark coin. `cost` keeps the signed entry
values, so the claim is cost − N/p_mark, and closing releases a proportional share of the cost.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from engine.domain import OPTION_FEE_CAP, Instrument, Kind
from engine.paper.matching import Order

PICO = 10**12
VENUE = 0  # the account that collects fees


class Position(msgspec.Struct):
    """`size` lots, signed. `cost` pico, signed, of the open size. `realised` pico, since the account was opened."""

    size: int = 0
    cost: int = 0
    realised: int = 0


class Account(msgspec.Struct):
    """One client. `house` accounts are the crowd's: never refused for money, and told nothing."""

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
            "fees": self.fees, "positions": [[n, p.size, p.cost, p.realised] for n, p in self.positions.items()],
            "open": list(self.open), "orders": [order.id for order in self.orders],
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
        return account


class Money:
    """The integer arithmetic of one instrument's trades."""

    __slots__ = ("fee_cap", "instrument", "inverse", "maker", "per_lot", "scale", "taker")

    def __init__(self, instrument: Instrument) -> None:
        self.instrument = instrument
        self.inverse = instrument.kind is not Kind.OPTION
        ratio = instrument.lot / instrument.tick if self.inverse else instrument.lot * instrument.tick
        self.scale = round(ratio * PICO)
        self.per_lot = round(instrument.lot * PICO)
        self.maker, self.taker = _per_million(instrument.maker_fee), _per_million(instrument.taker_fee)
        self.fee_cap = _per_million(OPTION_FEE_CAP)

    def value(self, price: int, lots: int) -> int:
        """Pico: the premium of an option trade, the coin value of a future's."""
        return lots * self.scale // price if self.inverse else lots * price * self.scale

    def fee(self, value: int, lots: int, maker: bool) -> int:
        """Pico. Options: a rate per contract, at most 12.5 % of the premium. Futures: a rate on the coin value."""
        rate = self.maker if maker else self.taker
        if self.inverse:
            return value * rate // 1_000_000
        return min(lots * self.per_lot * rate, value * self.fee_cap) // 1_000_000

    def apply(self, account: Account, instrument: int, lots: int, value: int) -> int:
        """Book a trade of `lots` (signed) with this value; returns the realised profit in pico."""
        position = account.position(instrument)
        signed = value if lots > 0 else -value
        closing = min(abs(lots), abs(position.size)) if position.size * lots < 0 else 0
        closed = signed * closing // abs(lots) if closing else 0
        released = position.cost * closing // abs(position.size) if closing else 0
        position.size += lots
        position.cost += signed - closed - released
        # an option is bought with cash; a future pays when it is closed
        profit = (released + closed) if self.inverse else -(released + closed)
        if self.inverse:
            account.cash += profit
        else:
            account.cash -= signed
        position.realised += profit
        return profit

    def deliver(self, account: Account, instrument: int, price: float) -> None:
        """Expiry at this price in USD: the position is paid out in coin and gone."""
        position, i = account.positions[instrument], self.instrument
        if self.inverse:
            paid = position.cost - position.size * round(i.lot / price * PICO)
        else:
            inside = price - i.strike if i.call else i.strike - price
            paid = position.size * round(max(inside, 0.0) / price * i.lot * PICO)
        account.cash += paid
        position.realised += paid if self.inverse else paid - position.cost
        position.size = position.cost = 0


def _per_million(rate: float) -> int:
    return round(rate * 1_000_000)
