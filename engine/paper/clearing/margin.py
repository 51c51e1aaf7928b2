"""The venue's standard margin: what positions and working orders bind, and what an account is worth.

In coin, per the published formulas ("Standard margin", inverse contracts), N the size in coin at the mark:
- futures: initial 2 % + N × 0.005 % (ETH 0.0004 %), maintenance 1 % + the same slope, of N;
- short calls: initial max(15 % − out-of-the-money share, 10 %) + mark a contract, maintenance 7.5 % + mark;
- short puts: initial at least the maintenance, which is max(7.5 %, 7.5 % × mark) + mark;
- options bought: nothing once held; their premium and fee while the order rests.

Working orders count as if filled, each side by itself, the worse of the two; what only closes asks for nothing.
Our own addition, since prices may be farther from the mark than the margin reaches: an order at a worse price than the
mark binds what it would lose at once, less the margin that it frees. Without it two accounts that trade with each other
could pass on more than the one of them has, and the insurance would pay it.
The margin balance is the cash with the futures' floating profit: options' value does not count towards it.
"""

from __future__ import annotations

from collections.abc import Iterable

from engine.domain import Instrument, Kind, Side
from engine.paper.clearing.accounts import PICO, Account
from engine.paper.instruments.marks import Marks
from engine.paper.orders.matching import Order

FUTURE_INITIAL, FUTURE_MAINTENANCE = 0.02, 0.01
SLOPE = {"BTC": 0.00005, "ETH": 0.000004}  # per coin of the position
SHORT_RATE, SHORT_FLOOR, SHORT_MAINTENANCE = 0.15, 0.10, 0.075
FEE_ROOM = 0.0003  # coin a contract, kept for the fee of a bought option
LEVERAGE = 50  # 1 / FUTURE_INITIAL


def initial(account: Account, marks: Marks, orders: Iterable[Order]) -> float:
    """Coin that positions and these working orders bind."""
    buys: dict[int, list[Order]] = {}
    sells: dict[int, list[Order]] = {}
    for order in orders:
        (buys if order.side is Side.BUY else sells).setdefault(order.instrument, []).append(order)
    touched = {n for n, position in account.positions.items() if position.size} | buys.keys() | sells.keys()
    return sum(asked(account.size(n), marks, n, buys.get(n, []), sells.get(n, [])) for n in sorted(touched))


def maintenance(account: Account, marks: Marks) -> float:
    """Coin below which the margin balance must not fall."""
    return sum(maintenance_of(marks, n, position.size) for n, position in account.positions.items() if position.size)


def asked(size: int, marks: Marks, n: int, buys: list[Order], sells: list[Order]) -> float:
    """Coin that `size` lots of one instrument bind together with orders in it."""
    instrument = marks.instruments[n]
    bought, sold = sum(o.rest for o in buys), sum(o.rest for o in sells)
    if instrument.kind is not Kind.OPTION:
        mark = float(marks.price[n])
        up = _future(instrument, mark, size + bought) + _conceded(instrument, mark, buys)
        return max(up, _future(instrument, mark, size - sold) + _conceded(instrument, mark, sells))
    rate = short_rate(marks, n)
    short = max(0, sold - size) * instrument.lot * rate
    if not bought:
        return short
    opening, premium, excess = max(0, bought - max(0, -size)) / bought, 0.0, 0.0
    for o in buys:
        price = o.price * instrument.tick + FEE_ROOM
        premium += o.rest * instrument.lot * price
        excess += o.rest * instrument.lot * max(0.0, price - rate)
    return short + opening * premium + (1.0 - opening) * excess


def _future(instrument: Instrument, mark: float, lots: int) -> float:
    coins = abs(lots) * instrument.lot / mark
    return coins * (FUTURE_INITIAL + SLOPE.get(instrument.coin, 0.0) * coins)


def _conceded(instrument: Instrument, mark: float, orders: list[Order]) -> float:
    """Coin that these orders would lose at once against the mark."""
    lost = 0.0
    for o in orders:
        if o.price:  # a market order that finds nothing has none
            change = 1.0 / mark - 1.0 / (o.price * instrument.tick)
            lost += o.rest * instrument.lot * max(0.0, o.side.sign * change)
    return lost


def maintenance_of(marks: Marks, n: int, size: int) -> float:
    """Coin that a position of so many lots binds."""
    instrument, mark = marks.instruments[n], float(marks.price[n])
    if instrument.kind is not Kind.OPTION:
        coins = abs(size) * instrument.lot / mark
        return coins * (FUTURE_MAINTENANCE + SLOPE.get(instrument.coin, 0.0) * coins)
    return max(0, -size) * instrument.lot * short_maintenance(instrument.call, mark)


def short_maintenance(call: bool, mark: float) -> float:
    """Coin a contract for a short option."""
    return (SHORT_MAINTENANCE if call else max(SHORT_MAINTENANCE, SHORT_MAINTENANCE * mark)) + mark


def short_rate(marks: Marks, n: int) -> float:
    """Initial margin, coin a contract, of a short option."""
    instrument, mark = marks.instruments[n], float(marks.price[n])
    forward = marks.forwards[instrument.expiry]
    outside = instrument.strike - forward if instrument.call else forward - instrument.strike
    rate = max(SHORT_RATE - max(outside, 0.0) / forward, SHORT_FLOOR) + mark
    return rate if instrument.call else max(rate, short_maintenance(False, mark))


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


def balance(account: Account, marks: Marks) -> float:
    """The margin balance: cash and the futures' floating profit."""
    return account.cash / PICO + floating(account, marks)[0]


def available(account: Account, marks: Marks, orders: Iterable[Order]) -> float:
    """Coin left for new orders; negative when positions and orders bind more than there is."""
    return balance(account, marks) - initial(account, marks, orders)


def cover(account: Account, marks: Marks) -> float | None:
    """The margin balance less the maintenance margin; None where nothing binds any. One pass: it is asked of every
    account every second."""
    bound, room, price = 0.0, account.cash / PICO, marks.price
    for n, position in account.positions.items():
        size = position.size
        if not size:
            continue
        instrument, mark = marks.instruments[n], price.item(n)
        if instrument.kind is not Kind.OPTION:
            coins = size * instrument.lot / mark
            room += position.cost / PICO - coins
            bound += abs(coins) * (FUTURE_MAINTENANCE + SLOPE.get(instrument.coin, 0.0) * abs(coins))
        elif size < 0:
            bound -= size * instrument.lot * short_maintenance(instrument.call, mark)
    return room - bound if bound else None
