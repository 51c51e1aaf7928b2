"""The desk on the screen: status, parents, children, fills, proposals, positions."""

from __future__ import annotations

from collections.abc import Iterable

from engine import messages as m
from engine.core import Core
from engine.domain import MS, Instrument, Kind
from engine.execution import foreign, today
from engine.execution.desk import Child
from engine.execution.lifecycle import RESTING_CHILD
from engine.execution.tend import ahead
from engine.view import parents, proposals
from engine.view.grid import known

FILLS = 200
CHILDREN = 200
PARENTS = 50


def status(core: Core) -> m.StatusView:
    """The top bar."""
    market, desk, venue = core.market, core.desk, core.market.venue
    positions = desk_positions(core)
    account = venue.account
    equity = account.get("equity", 0.0)
    delta = None if any(row.delta is None for row in positions) else sum(row.delta or 0.0 for row in positions)
    expiries = [expiry for expiry in venue.expiries() if expiry > market.now]
    return m.StatusView(
        mode=desk.config.mode,
        session=desk.session,
        feed=feed(core),
        lag_ms=None if venue.lag is None else venue.lag / MS,
        now_ms=market.now / MS,
        n=core.n,
        facts=desk.facts,
        model=market.forecaster.id,
        skill=market.verdicts.get("direction", m.Skill(verdict="unknown yet")),
        credits=venue.meter.share(market.now),
        orders_left=max(venue.meter.requests_at(market.now), 0.0),
        orders_burst=venue.meter.burst,
        orders_today=today.orders(desk.day, market),
        orders_per_contract=today.ratio(desk.day, market),
        margin=account["margin"] / equity if equity else None,
        delta_coin=delta,
        delta_usd=None if delta is None or venue.index is None else delta * venue.index,
        gamma=_total(row.gamma for row in positions),
        vega=_total(row.vega for row in positions),
        pnl=today.profit(desk.day, market),
        next_expiry_ms=expiries[0] / MS if expiries else None,
        killed=_killed(core),
        reconciled=desk.reconciled,
        halted=market.halted,
        instruments=len(venue.instruments),
        kill_ms=desk.killed.took / MS if desk.killed and desk.killed.took else None,
        kill_delta=desk.killed.delta if desk.killed and desk.killed.took else None,
    )


def feed(core: Core) -> m.FeedState:
    """Down without a link, stale when the venue is silent."""
    venue, silence = core.market.venue, core.desk.config.limits.silence_s * 1e9
    if not venue.up:
        return "down"
    return "stale" if core.market.now - venue.heard > silence else "live"


def desk(core: Core) -> m.DeskView:
    """Everything the blotter and the proposals panel show, newest first."""
    state = core.desk
    return m.DeskView(
        facts=state.facts,
        parents=tuple(parents.row(core, p) for p in list(state.parents.values())[: -PARENTS - 1 : -1]),
        children=tuple(_child(core, c) for c in list(state.children.values())[: -CHILDREN - 1 : -1]),
        fills=tuple(_fill(core, f) for f in state.fills[: -FILLS - 1 : -1]),
        proposals=tuple(proposals.row(core, p) for p in state.live_proposals),
        positions=tuple(desk_positions(core)),
        lifts=tuple(_lifts(core)),
        tripped=tuple(_tripped(core)),
        foreign=tuple(_foreign(core)),
    )


def _lifts(core: Core) -> Iterable[m.LiftRow]:
    """Those whose time is not over, asked for or granted."""
    for key, lift in core.desk.lifts.items():
        if lift.state != "used" and core.market.now < lift.until:
            yield m.LiftRow(
                id=key, block=lift.block, instrument=lift.instrument, by=lift.by, reason=lift.reason, state=lift.state,
                until_ms=lift.until / MS,
            )  # fmt: skip


def _foreign(core: Core) -> Iterable[m.ForeignRow]:
    for key, order in foreign.orders(core.desk, core.market).items():
        instrument = known(core, order.instrument)
        yield m.ForeignRow(
            order=key, instrument=order.instrument, side=order.side, amount=instrument.amount(order.lots),
            price=instrument.price(order.units), label=order.label,
        )  # fmt: skip


def _tripped(core: Core) -> Iterable[m.TrippedRow]:
    for key, reason in core.desk.tripped.items():
        side, _, instrument = key.partition(" ")
        yield m.TrippedRow(instrument=instrument, side=side, reason=reason)


def desk_positions(core: Core) -> list[m.PositionRow]:
    """Positions with their greeks in coin (delta), per USD (gamma) and USD per vol point (vega)."""
    rows = []
    for name, lots in sorted(core.desk.positions.items()):
        if not lots:
            continue
        instrument, quote = known(core, name), core.market.venue.quotes.get(name)
        size, delta = instrument.amount(lots), core.market.delta(name)
        option = instrument.kind is Kind.OPTION
        rows.append(m.PositionRow(
            instrument=name, size=size, delta=None if delta is None else size * delta,
            gamma=_times(size, quote.gamma if quote else None) if option else 0.0,
            vega=_times(size, quote.vega if quote else None) if option else 0.0, mark=quote.mark if quote else None,
        ))  # fmt: skip
    return rows


def _child(core: Core, child: Child) -> m.ChildRow:
    request = child.request
    instrument = known(core, request.instrument)
    return m.ChildRow(
        id=request.child,
        parent=request.parent,
        instrument=request.instrument,
        side=request.side,
        amount=instrument.amount(child.quantity),
        filled=instrument.amount(child.filled),
        price=instrument.price(child.price),
        average=child.notional / child.filled * instrument.tick if child.filled else None,
        post_only=request.post_only,
        state="cancelling" if child.cancelling and child.state in RESTING_CHILD else child.state,
        reason=child.reason,
        by=request.by,
        t_ms=request.t / MS,
        ahead=_ahead(core, child, instrument),
    )


def _ahead(core: Core, child: Child, instrument: Instrument) -> float | None:
    if child.state not in RESTING_CHILD or not child.request.post_only:
        return None
    return instrument.amount(ahead(core.market, child, instrument))


def _fill(core: Core, fill: m.Filled) -> m.FillRow:
    instrument = known(core, fill.instrument)
    return m.FillRow(
        trade=fill.trade,
        child=fill.child,
        instrument=fill.instrument,
        side=fill.side,
        amount=instrument.amount(fill.quantity),
        price=instrument.price(fill.price),
        fee=fill.fee,
        maker=fill.maker,
        t_ms=fill.at / MS,
        foreign=not fill.child and fill.trade not in core.desk.adopted,
        adopted=core.desk.adopted.get(fill.trade, ""),
    )


def _killed(core: Core) -> str:
    killed = core.desk.killed
    if killed is None:
        return ""
    if not killed.took:
        return f"killed by {killed.by}: asking the venue until nothing is open"
    return f"killed by {killed.by}: nothing open after {killed.took / MS:.0f} ms, delta left {killed.delta:+.2f}"


def _times(size: float, greek: float | None) -> float | None:
    return None if greek is None else size * greek


def _total(values: Iterable[float | None]) -> float | None:
    rows = list(values)
    return None if None in rows else sum(value for value in rows if value is not None)
