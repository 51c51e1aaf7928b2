"""What the venue tells of an account and its positions: worth, profit, greeks, and where it would be liquidated."""

from __future__ import annotations

import msgspec

from engine.domain import Kind, Side
from engine.paper.clearing.accounts import PICO, Account, Position
from engine.paper.clearing.margin import asked, floating, initial, maintenance, maintenance_of
from engine.paper.instruments.marks import Marks


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """One position as the venue tells it: coin, or USD where the name says so; `size` in lots, signed.

    `floating` and `realised` are of the session (since the last daily settlement), `total` since the entry. Greeks are
    the position's. `liquidation` is the mark at which the account is liquidated if all futures move alike, 0 for none.
    """

    instrument: int
    size: int
    size_currency: float  # coin, of futures; contracts of options
    average_price: float
    average_price_usd: float
    mark_price: float
    index_price: float
    settlement_price: float
    delta: float
    gamma: float
    vega: float
    theta: float
    initial_margin: float
    maintenance_margin: float
    open_orders_margin: float
    floating: float
    floating_usd: float
    realised: float
    total: float
    realised_funding: float
    interest_value: float
    liquidation: float


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """An account in one coin. All in coin but the greeks, which are the venue's (gamma, vega, theta in USD terms)."""

    equity: float
    balance: float  # settled cash: without the session's profit on futures
    margin_balance: float
    available_funds: float
    available_withdrawal_funds: float
    initial_margin: float
    maintenance_margin: float
    projected_initial_margin: float
    projected_maintenance_margin: float
    session_rpl: float
    session_upl: float
    total_pl: float
    futures_pl: float
    futures_session_rpl: float
    futures_session_upl: float
    options_pl: float
    options_session_rpl: float
    options_session_upl: float
    options_value: float
    options_delta: float
    options_gamma: float
    options_vega: float
    options_theta: float
    delta_total: float
    projected_delta_total: float
    estimated_liquidation_ratio: float
    index: float  # USD, for the totals in USD
    positions: tuple[Held, ...]  # those with a size


def summary(account: Account, marks: Marks, interest: float = 0.0) -> Summary:
    """Everything the venue tells of an account. `interest` is the funding accumulated since the venue began."""
    ratio = liquidation_ratio(account, marks)
    held = tuple(_held(account, marks, n, interest, ratio) for n, p in account.positions.items() if p.size)
    chain = [h for h in held if marks.instruments[h.instrument].kind is Kind.OPTION]
    linear = [h for h in held if marks.instruments[h.instrument].kind is not Kind.OPTION]
    options_rpl, futures_rpl = session(account, marks)
    floating_futures, value = floating(account, marks)
    bound, kept = initial(account, marks, account.open.values()), maintenance(account, marks)
    cash, delta = account.cash / PICO, sum(h.delta for h in held)
    options_upl = sum(h.floating for h in chain)
    settled = cash - futures_rpl
    return Summary(
        equity=cash + floating_futures + value, balance=settled, margin_balance=cash + floating_futures,
        available_funds=cash + floating_futures - bound,
        available_withdrawal_funds=max(0.0, settled + min(futures_rpl + floating_futures, 0.0) - bound),
        initial_margin=bound, maintenance_margin=kept, projected_initial_margin=bound,
        projected_maintenance_margin=kept, session_rpl=futures_rpl + options_rpl,
        session_upl=floating_futures + options_upl, total_pl=futures_rpl + options_rpl + sum(h.total for h in held),
        futures_pl=futures_rpl + sum(h.total for h in linear), futures_session_rpl=futures_rpl,
        futures_session_upl=floating_futures, options_pl=options_rpl + sum(h.total for h in chain),
        options_session_rpl=options_rpl, options_session_upl=options_upl, options_value=value,
        options_delta=sum(h.delta for h in chain), options_gamma=sum(h.gamma for h in chain),
        options_vega=sum(h.vega for h in chain), options_theta=sum(h.theta for h in chain), delta_total=delta,
        projected_delta_total=delta, estimated_liquidation_ratio=ratio, index=marks.index, positions=held,
    )  # fmt: skip


def held(account: Account, marks: Marks, n: int, interest: float = 0.0) -> Held:
    """One position, also of an instrument that the account does not hold."""
    return _held(account, marks, n, interest, liquidation_ratio(account, marks))


def session(account: Account, marks: Marks) -> tuple[float, float]:
    """Coin realised since the last daily settlement: options', futures' with their funding."""
    sums = [0, 0]
    for n, position in account.positions.items():
        sums[marks.instruments[n].kind is not Kind.OPTION] += position.session
    return sums[0] / PICO, sums[1] / PICO


def liquidation_ratio(account: Account, marks: Marks) -> float:
    """Times every future's mark price, the prices at which the maintenance margin is reached; 0 when never.

    With V the futures' signed coin value, M their maintenance margin and C their cost, at ratio r the balance
    cash + C − V/r meets the margin M/r + options' margin, so r = (V + M) / (cash + C − options' margin).
    """
    room, value = account.cash / PICO, 0.0
    for n, position in account.positions.items():
        if not position.size:
            continue
        instrument, kept = marks.instruments[n], maintenance_of(marks, n, position.size)
        if instrument.kind is Kind.OPTION:
            room -= kept
        else:
            room += position.cost / PICO
            value += position.size * instrument.lot / float(marks.price[n]) + kept
    return value / room if value and value * room > 0.0 else 0.0


def _held(account: Account, marks: Marks, n: int, interest: float, ratio: float) -> Held:
    position = account.positions.get(n) or Position()
    i, mark = marks.instruments[n], float(marks.price[n])
    option, size = i.kind is Kind.OPTION, position.size * i.lot
    worth = size * mark if option else size / mark
    upward = 1.0 if option else -1.0  # an inverse long gains when its coin value falls
    price = average(position, i.lot, option)
    orders = [o for o in account.open.values() if o.instrument == n]
    buys, sells = [o for o in orders if o.side is Side.BUY], [o for o in orders if o.side is Side.SELL]
    bound = asked(position.size, marks, n, [], [])
    delta, gamma, vega, theta = (float(g) for g in marks.greeks[:4, n])
    profit = upward * (worth - position.cost / PICO)
    return Held(
        instrument=n, size=position.size, size_currency=size if option else worth, average_price=price,
        average_price_usd=price * marks.index if option else price, mark_price=mark, index_price=marks.index,
        # the venue's delta of an option position is the net one: Black's minus the mark price
        settlement_price=float(marks.settled[n]), delta=size * (delta - mark) if option else worth,
        gamma=size * gamma if option else 0.0, vega=size * vega if option else 0.0,
        theta=size * theta if option else 0.0, initial_margin=bound,
        maintenance_margin=maintenance_of(marks, n, position.size),
        open_orders_margin=asked(position.size, marks, n, buys, sells) - bound, floating=profit,
        floating_usd=profit * marks.index, realised=position.session / PICO,
        total=upward * (worth - position.entry / PICO), realised_funding=position.funding / PICO,
        interest_value=interest if i.kind is Kind.PERPETUAL else 0.0,
        liquidation=mark * ratio if position.size and not option else 0.0,
    )  # fmt: skip


def average(position: Position, lot: float, option: bool) -> float:
    """Average entry price: coin for options; for inverse futures USD, the size over its coin value."""
    if not position.size or not position.entry:
        return 0.0
    contracts, entry = position.size * lot, position.entry / PICO
    return entry / contracts if option else contracts / entry
