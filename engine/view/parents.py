"""Parents on the screen: how far each has come, at what price, and on which terms."""

from __future__ import annotations

from engine import messages as m
from engine.core import Core
from engine.domain import MINUTE_NS, MS, NS, Instrument
from engine.execution import risk
from engine.execution.desk import Parent
from engine.execution.lifecycle import LIVE_PARENT
from engine.execution.pace import due_by
from engine.execution.want import moment_of, sought
from engine.view.book import digits
from engine.view.grid import known


def row(core: Core, parent: Parent) -> m.ParentRow:
    """One line of the blotter, and all that an edit of it would begin from."""
    order = parent.order
    instrument = known(core, order.instrument)
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
        version=parent.version,
        terms=_terms(instrument, order),
        digits=digits(instrument),
        lot=instrument.lot,
        suspended=parent.suspended,
        halted_until_ms=parent.halted_until / MS,
        view=_view(core, parent),
        participation=_participation(core, parent),
        eta_ms=_eta(core, parent),
    )


def _terms(instrument: Instrument, order: m.ParentAccepted) -> m.Terms:
    return m.Terms(
        quantity=instrument.amount(order.quantity),
        limit=instrument.price(order.limit),
        minutes=(order.end - order.start) / MINUTE_NS,
        algorithm=order.algorithm,
        baseline=order.baseline,
        urgency=order.urgency,
        min_child=instrument.amount(order.min_child),
        max_child=instrument.amount(order.max_child),
        auto_limit=instrument.amount(order.auto_limit),
        rate=order.rate,
        participation=order.participation,
        would=None if order.would is None else instrument.price(order.would),
        random_time=order.random_time,
        random_size=order.random_size,
        leave=order.leave,
        limit_iv=order.limit_iv,
        hedge=order.hedge,
    )


def _view(core: Core, parent: Parent) -> m.OwnView | None:
    own = parent.view
    if own is None or core.market.now >= own.until:
        return None
    return m.OwnView(up=own.up, down=own.down, weight=own.weight, until_ms=own.until / MS)


def _participation(core: Core, parent: Parent) -> float | None:
    """Our share of what has traded since a running parent began; None where nothing has."""
    order = parent.order
    if parent.state not in LIVE_PARENT or core.market.now <= order.start:
        return None
    all_lots = parent.filled + core.market.traded(order.instrument, order.start, core.market.now)
    return parent.filled / all_lots if all_lots else None


def _eta(core: Core, parent: Parent) -> float | None:
    """When the rest would be done at the pace since it was last spread; None without a pace to go by."""
    done, took = parent.filled - parent.done_at_start, core.market.now - parent.start
    if parent.state != "working" or done <= 0 or took <= 0:
        return None
    return (core.market.now + parent.remaining * took / done) / MS


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
    """Why a working parent proposes nothing just now, where it is not simply on schedule."""
    desk, market = core.desk, core.market
    instrument = market.venue.instruments.get(parent.order.instrument)
    if instrument is None or market.now < parent.order.start or desk.proposal_of(parent.order.id):
        return ""
    if market.now < parent.quiet_until:
        return parent.reason or f"it rests {(parent.quiet_until - market.now) / NS:.0f} s after a rejection"
    found = sought(desk, market, parent, instrument, moment_of(desk, market, parent, instrument))
    if isinstance(found, str):
        return "" if found == "on schedule" else found
    return risk.blocked(desk, market, found.order) or risk.price_inside(market, found.order)
