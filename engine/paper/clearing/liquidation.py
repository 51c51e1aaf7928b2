"""An account that cannot keep its margin is liquidated, in steps, by the venue's own orders.

Once a second, an account whose maintenance margin exceeds its margin balance loses its working orders; then, a
quarter of the position that binds most at a time, it is closed at the market, at most `STEPS` times a second and
only as long as it must be. Each step costs the liquidation fee, which goes to the insurance account. What is owed
when nothing is left to close is paid by the insurance. Nobody else's profit is touched: a loss beyond the insurance
leaves it negative.

Accounts in danger are clients' and those of the house that were opened with coin: the rest of the crowd has no limit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from engine.domain import Kind, Side
from engine.paper.clearing import margin
from engine.paper.clearing.accounts import Account, Money
from engine.paper.clearing.settlement import Settled, log
from engine.paper.instruments.marks import Marks
from engine.paper.orders.matching import Order, OrderBook

STEPS = 4
SHARE = 4  # a step closes one part in so many


class Floor(Protocol):
    """What the liquidation works on: an exchange."""

    marks: Marks
    accounts: list[Account]
    books: list[OrderBook]
    money: list[Money]

    def trades(self, n: int) -> bool: ...

    def liquidate(self, t: int, account: int, n: int, side: Side, price: int, lots: int) -> Order: ...

    def cancel_where(self, t: int, account: int, picks: Callable[[Order], bool], reason: str = ...) -> int: ...


def endangered(account: Account, marks: Marks) -> bool:
    """Whether the account's maintenance margin is not covered, or it owes money."""
    if account.deposit <= 0 and account.house:
        return False
    cover = margin.cover(account, marks)
    return account.cash < 0 if cover is None else cover < 0.0


def liquidate(floor: Floor, t: int, account: Account, insurance: Account) -> Settled | None:
    """One second's steps for an endangered account; the line to keep when the insurance had to pay."""
    floor.cancel_where(t, account.id, _any, "autoliquidation")
    for _ in range(STEPS):
        if not endangered(account, floor.marks) or not _step(floor, t, account, insurance):
            break
    if account.cash < 0 and not any(position.size for position in account.positions.values()):
        return _bail_out(floor.marks, t, account, insurance)
    return None


def _step(floor: Floor, t: int, account: Account, insurance: Account) -> bool:
    """Close a part of what binds most and can be traded; False when nothing could be."""
    for n in _by_margin(account, floor.marks):
        size = account.size(n)
        side = Side.SELL if size > 0 else Side.BUY
        if not floor.trades(n) or floor.books[n].half(side.other).best is None:
            continue
        low, high = floor.marks.band(n)
        order = floor.liquidate(t, account.id, n, side, low if side is Side.SELL else high, -(-abs(size) // SHARE))
        if order.filled:
            _charge(floor, t, account, insurance, order)
            return True
    return False


def _by_margin(account: Account, marks: Marks) -> Sequence[int]:
    """Held instruments, what binds most margin first; options bought are sold last."""
    held = [n for n, position in account.positions.items() if position.size]
    bound = {n: margin.maintenance_of(marks, n, account.size(n)) for n in held}
    return sorted(held, key=lambda n: (-bound[n], n))


def _charge(floor: Floor, t: int, account: Account, insurance: Account, order: Order) -> None:
    """The liquidation fee of what an order has traded, on its average price."""
    money = floor.money[order.instrument]
    if money.instrument.kind is Kind.OPTION:
        value = order.traded * money.scale
    else:
        value = order.filled * order.filled * money.scale // order.traded
    fee = money.liquidation_fee(value, order.filled)
    account.cash -= fee
    account.fees += fee
    insurance.cash += fee
    if not account.house:
        log(account, t, floor.marks, type="liquidation", instrument=order.instrument, side=order.side.value,
            lots=order.filled, position=account.size(order.instrument), fee=fee, order=order.id)  # fmt: skip


def _bail_out(marks: Marks, t: int, account: Account, insurance: Account) -> Settled:
    owed = -account.cash
    account.cash += owed
    insurance.cash -= owed
    if not account.house:
        log(account, t, marks, type="bankruptcy", cashflow=owed)
    last = next(reversed(account.positions), 0)
    return Settled(type="bankruptcy", t=t, account=account.id, instrument=last, position=0, mark=0.0, index=marks.index,
                   profit_loss=owed, bankruptcy=owed)  # fmt: skip


def _any(order: Order) -> bool:
    return True
