"""The venue's initial margin, thin: enough that an account with nothing left is refused.

Shorts of options: the venue's published standard formula, max(15 % − out-of-the-money share, 10 %) + mark, in coin a
contract. Options bought: their premium, while the order rests. Futures: 2 % of the coin value of the worse side.
Working orders count as if filled; what only closes a position asks for nothing.
"""

from __future__ import annotations

from collections.abc import Iterable

from engine.domain import Instrument, Kind, Side
from engine.paper.accounts import PICO, Account
from engine.paper.marks import Marks
from engine.paper.matching import Order

FUTURE_RATE = 0.02
SHORT_RATE, SHORT_FLOOR = 0.15, 0.10
FEE_ROOM = 0.0003  # coin a contract, kept for the fee of a bought option


def initial(account: Account, marks: Marks, orders: Iterable[Order]) -> float:
    """Coin that positions and these working orders bind."""
    buys: dict[int, list[Order]] = {}
    sells: dict[int, list[Order]] = {}
    for order in orders:
        (buys if order.side is Side.BUY else sells).setdefault(order.instrument, []).append(order)
    touched = {n for n, position in account.positions.items() if position.size} | buys.keys() | sells.keys()
    return sum(_one(account.size(n), marks, n, buys.get(n, []), sells.get(n, [])) for n in sorted(touched))


def _one(size: int, marks: Marks, n: int, buys: list[Order], sells: list[Order]) -> float:
    instrument = marks.instruments[n]
    bought, sold = sum(o.rest for o in buys), sum(o.rest for o in sells)
    if instrument.kind is not Kind.OPTION:
        worst = max(abs(size + bought), abs(size - sold))
        return FUTURE_RATE * worst * instrument.lot / float(marks.price[n])
    short = max(0, sold - size) * instrument.lot * short_rate(marks, n)
    opening = max(0, bought - max(0, -size)) / bought if bought else 0.0
    premium = sum(o.rest * instrument.lot * (o.price * instrument.tick + FEE_ROOM) for o in buys)
    return short + opening * premium


def short_rate(marks: Marks, n: int) -> float:
    """Coin a contract for a short option."""
    instrument: Instrument = marks.instruments[n]
    distance = instrument.strike - marks.index if instrument.call else marks.index - instrument.strike
    return max(SHORT_RATE - max(distance, 0.0) / marks.index, SHORT_FLOOR) + float(marks.price[n])


def floating(account: Account, marks: Marks) -> tuple[float, float]:
    """Coin: what closing all futures now would pay, and the marked value of all options."""
    futures = options = 0.0
    for n, position in account.positions.items():
        if not position.size:
            continue
        instrument, mark = marks.instruments[n], float(marks.price[n])
        if instrument.kind is Kind.OPTION:
            options += position.size * instrument.lot * mark
        else:
            futures += position.cost / PICO - position.size * instrument.lot / mark
    return futures, options


def available(account: Account, marks: Marks, orders: Iterable[Order]) -> float:
    """Coin left for new orders; negative when positions and orders bind more than there is."""
    return account.cash / PICO + floating(account, marks)[0] - initial(account, marks, orders)
