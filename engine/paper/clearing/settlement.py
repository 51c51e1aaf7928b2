"""The daily settlement and the delivery of what expires: what is paid, and the records of it.

At 08:00 UTC every session ends: what floats on futures is paid at the mark, options' profits are booked, and the
marks become the settlement prices. At its expiry an instrument is delivered at the index's average of the last half
hour: futures pay their claim, options in the money their payout, each less the delivery fee.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

import msgspec

from engine.domain import DAY_NS, HOUR_NS, Kind
from engine.paper.clearing.accounts import VENUE, Account, Entry, Money
from engine.paper.instruments.marks import Marks

SETTLED_AT_NS = 8 * HOUR_NS  # of each day, UTC
KEPT = 5_000


class Settled(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the settlement history: an account's, or (account 0) the instrument's as everybody may see it.

    Money in pico. `position` in lots; publicly it is the open interest, and the profit what the winners got.
    """

    type: str  # settlement, delivery, bankruptcy
    t: int
    account: int
    instrument: int
    position: int
    mark: float
    index: float
    session_profit_loss: int = 0
    profit_loss: int = 0  # of the line itself
    funding: int = 0
    bankruptcy: int = 0  # coin that the insurance paid


class Settlements:
    """What was settled and delivered, newest last. `delivered` lists (time, USD), one an expiry."""

    def __init__(self) -> None:
        self.public: deque[Settled] = deque(maxlen=KEPT)
        self.own: dict[int, deque[Settled]] = {}
        self.delivered: list[tuple[int, float]] = []

    def note(self, line: Settled) -> None:
        if line.account == VENUE:
            self.public.append(line)
        else:
            self.own.setdefault(line.account, deque(maxlen=KEPT)).append(line)

    def price(self, expiry: int) -> float:
        """USD that this expiry was delivered at. Raises KeyError before."""
        return dict(self.delivered)[expiry]

    def of(self, account: int) -> Sequence[Settled]:
        return self.own.get(account, ())

    def dump(self) -> dict[str, Any]:
        return {"public": [msgspec.to_builtins(line) for line in self.public], "delivered": self.delivered,
                "own": [[n, [msgspec.to_builtins(line) for line in kept]] for n, kept in self.own.items()]}  # fmt: skip

    def load(self, value: dict[str, Any]) -> None:
        self.public = deque(msgspec.convert(value["public"], list[Settled]), maxlen=KEPT)
        self.own = {n: deque(msgspec.convert(kept, list[Settled]), maxlen=KEPT) for n, kept in value["own"]}
        self.delivered = [(t, price) for t, price in value["delivered"]]


def next_settlement(t: int) -> int:
    """The first 08:00 UTC after `t`."""
    return (t - SETTLED_AT_NS) // DAY_NS * DAY_NS + DAY_NS + SETTLED_AT_NS


def settle_position(account: Account, money: Money, marks: Marks, n: int, t: int) -> Settled | None:
    """End the session of one position at its mark; None where there is nothing to say."""
    position, mark = account.positions[n], float(marks.price[n])
    before, funding = position.session, position.funding
    if not (position.size or before):
        return None
    profit = money.settle(account, n, mark)
    if money.instrument.kind is Kind.OPTION:
        return None
    if not account.house:
        log(account, t, marks, type="settlement", instrument=n, position=position.size, price=mark, cashflow=profit,
            funding=funding, session_rpl=before, session_upl=profit)  # fmt: skip
    return Settled(type="settlement", t=t, account=account.id, instrument=n, position=position.size, mark=mark,
                   index=marks.index, session_profit_loss=before + profit, profit_loss=profit,
                   funding=funding)  # fmt: skip


def deliver_position(
    account: Account, venue: Account, money: Money, marks: Marks, n: int, t: int, price: float
) -> Settled:
    """Pay one position out at this price in USD, and take the fee of it from clients."""
    position = account.positions[n]
    size, before, funding = position.size, position.session, position.funding
    paid = money.deliver(account, n, price)
    fee = 0 if account.house else money.delivery_fee(price, size)
    account.cash -= fee
    account.fees += fee
    venue.cash += fee
    if not account.house:
        log(account, t, marks, type="delivery", instrument=n, side="sell" if size > 0 else "buy", lots=abs(size),
            price=price, cashflow=paid, fee=fee, funding=funding, session_rpl=position.session)  # fmt: skip
    return Settled(type="delivery", t=t, account=account.id, instrument=n, position=size, mark=float(marks.price[n]),
                   index=price, session_profit_loss=position.session, profit_loss=position.session - before,
                   funding=funding)  # fmt: skip


def log(account: Account, t: int, marks: Marks, **what: Any) -> None:
    """Write a line of the account's transaction log; its cash is already what it is after it."""
    account.logged += 1
    n = what.get("instrument", -1)
    mark = float(marks.price[n]) if n >= 0 else 0.0
    account.log.append(Entry(id=account.logged, t=t, cash=account.cash, mark=mark, index=marks.index, **what))


def totals(lines: Sequence[Settled], interest: int, n: int, t: int, marks: Marks, kind: str, index: float) -> Settled:
    """The public line of what these accounts' lines were."""
    won = sum(max(line.session_profit_loss, 0) for line in lines)
    return Settled(type=kind, t=t, account=VENUE, instrument=n, position=interest, mark=float(marks.price[n]),
                   index=index, session_profit_loss=won,
                   funding=sum(max(line.funding, 0) for line in lines))  # fmt: skip
