"""The desk on the screen: status, parents, children, fills, proposals, positions."""

from __future__ import annotations

from collections.abc import Iterable

from engine import messages as m
from engine.core import Core
from engine.domain import MS, Instrument, Kind, instrument_of
from engine.execution import risk, today
from engine.execution.desk import Child, Parent, Proposal
from engine.execution.pace import due_by
from engine.view.book import digits

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
        parents=tuple(_parent(core, p) for p in list(state.parents.values())[: -PARENTS - 1 : -1]),
        children=tuple(_child(core, c) for c in list(state.children.values())[: -CHILDREN - 1 : -1]),
        fills=tuple(_fill(core, f) for f in state.fills[: -FILLS - 1 : -1]),
        proposals=tuple(_proposal(core, p) for p in state.live_proposals),
        positions=tuple(desk_positions(core)),
    )


def desk_positions(core: Core) -> list[m.PositionRow]:
    """Positions with their greeks in coin (delta), per USD (gamma) and USD per vol point (vega)."""
    rows = []
    for name, lots in sorted(core.desk.positions.items()):
        if not lots:
            continue
        instrument, quote = _known(core, name), core.market.venue.quotes.get(name)
        size, delta = instrument.amount(lots), core.market.delta(name)
        option = instrument.kind is Kind.OPTION
        rows.append(m.PositionRow(
            instrument=name, size=size, delta=None if delta is None else size * delta,
            gamma=_times(size, quote.gamma if quote else None) if option else 0.0,
            vega=_times(size, quote.vega if quote else None) if option else 0.0, mark=quote.mark if quote else None,
        ))  # fmt: skip
    return rows


def _parent(core: Core, parent: Parent) -> m.ParentRow:
    order = parent.order
    instrument = _known(core, order.instrument)
    average = parent.notional / parent.filled if parent.filled else None
    due = due_by(core.desk, core.market, parent, core.market.now)
    return m.ParentRow(
        id=order.id,
        instrument=order.instrument,
        side=order.side,
        amount=instrument.amount(order.quantity),
        filled=instrument.amount(parent.filled),
        working=instrument.amount(core.desk.working(order.id)),
        scheduled=instrument.amount(due),
        limit=instrument.price(order.limit),
        average=None if average is None else average * instrument.tick,
        arrival=None if order.arrival is None else order.arrival * instrument.tick,
        shortfall_ticks=_shortfall(instrument, parent, average),
        algorithm=order.algorithm,
        dial=parent.dial,
        state=parent.state,
        reason=_waiting(core, parent) if _at_work(core, parent) else parent.reason,
        start_ms=order.start / MS,
        end_ms=order.end / MS,
        user=order.user,
    )


def _shortfall(instrument: Instrument, parent: Parent, average: float | None) -> float | None:
    """Average fill against the micro-price at arrival, in ticks; a cost is positive."""
    arrival = parent.order.arrival
    if average is None or arrival is None:
        return None
    return parent.order.side.sign * (average - arrival) / instrument.tick_units(arrival)


def _at_work(core: Core, parent: Parent) -> bool:
    """Neither paused nor ended nor halted: what was said of an earlier halt is over."""
    return parent.state == "working" and core.market.now >= parent.halted_until


def _waiting(core: Core, parent: Parent) -> str:
    """Why a working parent proposes nothing just now."""
    if parent.state != "working" or core.desk.proposal_of(parent.order.id):
        return ""
    silence = core.desk.config.limits.silence_s
    return risk.closed(core.desk, core.market) or risk.unsound(core.market, parent.order.instrument, silence)


def _child(core: Core, child: Child) -> m.ChildRow:
    request = child.request
    instrument = _known(core, request.instrument)
    return m.ChildRow(
        id=request.child,
        parent=request.parent,
        instrument=request.instrument,
        side=request.side,
        amount=instrument.amount(request.quantity),
        filled=instrument.amount(child.filled),
        price=instrument.price(child.price),
        average=child.notional / child.filled * instrument.tick if child.filled else None,
        post_only=request.post_only,
        state="cancelling" if child.cancelling and child.state == "open" else child.state,
        reason=child.reason,
        by=request.by,
        t_ms=request.t / MS,
    )


def _fill(core: Core, fill: m.Filled) -> m.FillRow:
    instrument = _known(core, fill.instrument)
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
    )


def _proposal(core: Core, proposal: Proposal) -> m.ProposalRow:
    born = proposal.born
    instrument = _known(core, born.instrument)
    return m.ProposalRow(
        id=born.id,
        revision=proposal.revision,
        parent=born.parent,
        instrument=born.instrument,
        side=born.side,
        amount=instrument.amount(proposal.quantity),
        worst=instrument.price(proposal.worst),
        digits=digits(instrument),
        lot=instrument.lot,
        cross=proposal.cross,
        row=proposal.row,
        reason=proposal.reason,
        born_ms=born.t / MS,
        until_ms=born.until / MS,
        up=_said_up(core, proposal.forecast),
        cost_ticks=proposal.cost_ticks,
        wait_ticks=proposal.wait_ticks,
    )


def _said_up(core: Core, forecast: m.Forecast | None) -> float | None:
    """A probability without skill, or of inputs unlike the training, is not said beside an order."""
    skill = core.market.verdicts.get("direction")  # `up` is that of a second, whichever the policy reads
    if skill is None or skill.verdict != "edge" or forecast is None:
        return None
    return forecast.up if forecast.warm and forecast.familiar else None


def _known(core: Core, name: str) -> Instrument:
    """An instrument of the journal may have expired since: its grid is then read from its name."""
    return core.market.venue.instruments.get(name) or instrument_of(name)


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
