"""What the venue does by itself once a second with everybody's money: funding, settlement, delivery, liquidation.

One object beside the exchange. `turn(t)` is called at each full second (`next`), in order of time with all else that
happens; its order within a second is fixed: the index is sampled, funding accrues, what expires is delivered, the
session ends if it is time, accounts in danger are liquidated.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import msgspec

from engine.domain import NEVER, NS, Instrument, Kind
from engine.paper.clearing import liquidation, settlement
from engine.paper.clearing.accounts import INSURANCE, PICO, VENUE
from engine.paper.clearing.funding import Funding
from engine.paper.clearing.settlement import Settled, Settlements
from engine.paper.orders.terms import BOOK_OPEN, SETTLEMENT, Stats


class Floor(liquidation.Floor, Protocol):
    """The exchange that is cleared."""

    stats: list[Stats]

    @property
    def instruments(self) -> Sequence[Instrument]: ...

    def settle(self, t: int, n: int, price: float) -> None: ...

    def set_state(self, t: int, n: int | None, state: str) -> object: ...

    def money_moved(self, account: int) -> None:
        """An account's owner is to be told of its money."""
        ...


class ClearingSettings(msgspec.Struct, frozen=True, kw_only=True):
    """`settlement_s`: how long books are in settlement, 0 for not at all; `insurance`: the fund's coin.

    Delivering options as futures first, as the venue does since August 2026, is not modelled; asked for, it is refused.
    """

    settlement_s: int = 1
    insurance: float = 100.0
    options_to_futures: bool = False

    def __post_init__(self) -> None:
        if self.options_to_futures:
            raise ValueError("delivery of options as futures is not modelled: options are paid out in coin")


class Clearing:
    """Of one exchange (`floor`), from `start_ns` on; `settlements` and `funding` keep what was done."""

    def __init__(self, floor: Floor, start_ns: int, settings: ClearingSettings | None = None) -> None:
        self.floor, self.settings = floor, settings or ClearingSettings()
        self.next = (start_ns // NS + 1) * NS
        self.settlements = Settlements()
        fund = floor.accounts[INSURANCE]
        fund.cash = fund.deposit = round(self.settings.insurance * PICO)
        self.funding: Funding | None = None
        for n, i in enumerate(floor.instruments):
            if i.kind is Kind.PERPETUAL:
                self.funding = Funding(n, i.lot, start_ns, floor.marks.index)
        self._next_session = settlement.next_settlement(start_ns)
        self._resume: list[tuple[int, str]] = []  # instruments in settlement, and their state before
        self._resume_at = 0
        self._next_expiry = 0  # 0: to be looked for
        self.delivered = 0  # expiries that are over

    @property
    def interest(self) -> float:
        """Funding since the venue began, as a share of a position's value."""
        return self.funding.total if self.funding else 0.0

    def turn(self, t: int) -> None:
        self.next = (t // NS + 1) * NS
        marks = self.floor.marks
        marks.sample()
        if self.funding:
            self.funding.accrue(t, marks, self.floor.accounts)
        if self._resume and t >= self._resume_at:
            self._reopen(t)
        if t >= (self._next_expiry or self._first_expiry()):
            self._deliver(t)
        if t >= self._next_session:
            self._settle(t)
        self._liquidate(t)

    def deliver(self, t: int, n: int, price: float) -> None:
        """Pay out every position in an instrument that is over. Called by the exchange's `settle`."""
        floor = self.floor
        venue, money, interest = floor.accounts[VENUE], floor.money[n], floor.stats[n].open_interest
        lines = []
        for account in floor.accounts:
            if account.size(n):
                line = settlement.deliver_position(account, venue, money, floor.marks, n, t, price)
                lines.append(line)
                self._tell(line)
        kind = "delivery"
        self.settlements.note(settlement.totals(lines, interest, n, t, floor.marks, kind, price))
        delivered = self.settlements.delivered
        if not delivered or delivered[-1][0] != floor.instruments[n].expiry:
            delivered.append((floor.instruments[n].expiry, price))

    def dump(self) -> dict[str, Any]:
        return {
            "next": self.next, "session": self._next_session, "resume": [list(each) for each in self._resume],
            "resume_at": self._resume_at, "delivered": self.delivered, "settlements": self.settlements.dump(),
            "funding": self.funding.dump() if self.funding else None,
        }  # fmt: skip

    def load(self, value: dict[str, Any]) -> None:
        """The exchange has its own state back already."""
        self.next, self._next_session, self._resume_at = value["next"], value["session"], value["resume_at"]
        self._resume = [(n, state) for n, state in value["resume"]]
        self._next_expiry, self.delivered = 0, value["delivered"]
        self.settlements.load(value["settlements"])
        if self.funding:
            self.funding.load(value["funding"])

    # within

    def _live(self) -> list[int]:
        return [n for n, stats in enumerate(self.floor.stats) if not stats.closed]

    def _first_expiry(self) -> int:
        """The nearest expiry of what is still alive."""
        expiries = [self.floor.instruments[n].expiry for n in self._live() if self.floor.instruments[n].expiry]
        self._next_expiry = min(expiries, default=NEVER)
        return self._next_expiry

    def _deliver(self, t: int) -> None:
        price, self._next_expiry = self.floor.marks.delivery(), 0
        self.delivered += 1
        for n in self._live():
            if 0 < self.floor.instruments[n].expiry <= t:
                self.floor.settle(t, n, price)

    def _settle(self, t: int) -> None:
        """The session ends: the marks are the settlement prices."""
        self._next_session = settlement.next_settlement(t)
        marks, live = self.floor.marks, self._live()
        self._forget()
        for n in live:
            lines = []
            for account in self.floor.accounts:
                if n in account.positions:
                    line = settlement.settle_position(account, self.floor.money[n], marks, n, t)
                    if line is not None:
                        lines.append(line)
                        self._tell(line)
            if self.floor.instruments[n].kind is not Kind.OPTION:
                interest = self.floor.stats[n].open_interest
                self.settlements.note(settlement.totals(lines, interest, n, t, marks, "settlement", marks.index))
            marks.settled[n] = marks.price[n]
        self._close(t, live)

    def _forget(self) -> None:
        """What was delivered has no part in the next session."""
        for account in self.floor.accounts:
            for n in [n for n in account.positions if self.floor.stats[n].closed]:
                del account.positions[n]

    def _close(self, t: int, live: Sequence[int]) -> None:
        if self.settings.settlement_s and not self._resume:
            self._resume = [(n, self.floor.stats[n].state) for n in live]
            self._resume_at = t + self.settings.settlement_s * NS
            for n in live:
                self.floor.set_state(t, n, SETTLEMENT)

    def _reopen(self, t: int) -> None:
        for n, state in self._resume:
            if self.floor.stats[n].state == SETTLEMENT:  # nobody has said otherwise meanwhile
                self.floor.set_state(t, n, state if state != SETTLEMENT else BOOK_OPEN)
        self._resume = []

    def _liquidate(self, t: int) -> None:
        floor = self.floor
        for account in floor.accounts:
            if account.positions and liquidation.endangered(account, floor.marks):
                line = liquidation.liquidate(floor, t, account, floor.accounts[INSURANCE])
                if line is not None:
                    self.settlements.note(line)
                if not account.house:
                    floor.money_moved(account.id)

    def _tell(self, line: Settled) -> None:
        """Keep a client's line, and let it be told of its money; the crowd is told nothing."""
        if not self.floor.accounts[line.account].house:
            self.settlements.note(line)
            self.floor.money_moved(line.account)
