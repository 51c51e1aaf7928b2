"""Where a parent stands on its schedule, and how large its next child may be. Pure."""

from __future__ import annotations

from functools import lru_cache, partial

import msgspec

from engine.domain import NS, Instrument
from engine.execution import risk
from engine.execution.algorithms import schedule_of
from engine.execution.desk import Desk, Parent
from engine.execution.picture import Picture
from engine.execution.policy import Advice
from engine.execution.schedule import FINISHING, child, planned
from engine.execution.schedules.course import Course
from engine.execution.schedules.dice import draw
from engine.execution.schedules.profile import Profile

FILL_S = 5.0  # the horizon of the fill forecast
EASING = 0.2  # share of its time, the last, over which a parent's patience goes to nothing
PATIENT = frozenset({"post", "wait", "weigh"})  # tactics that rest for longer than a schedule's own would
SIZE, TIME = 1, 2  # streams of a parent's dice


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """Where a parent stands: the lots that are due, and of those what fell due since its last child and since the last
    that crossed; how far it lags behind, as a share of itself, beyond the half child that the staircase allows; and
    whether it may be patient no longer; how much lag, as such a share, it has patience for."""

    due: int
    since: int | None
    taken: int | None
    lag: float
    closing: bool
    late: bool
    patience: float


def course_of(desk: Desk, parent: Parent) -> Course:
    order = parent.order
    return Course(
        quantity=order.quantity, done=parent.done_at_start, start=parent.start, end=order.end, kappa=order.kappa,
        rate=order.rate, profile=profile_of(desk.config.execution.profile),
    )  # fmt: skip


def due_by(desk: Desk, picture: Picture, parent: Parent, t: int) -> int:
    """Lots that the parent's schedule wants done by a time."""
    traded = partial(picture.traded, parent.order.instrument)
    return planned(schedule_of(parent.order), course_of(desk, parent), t, traded)


def pace_of(desk: Desk, picture: Picture, parent: Parent, instrument: Instrument) -> Pace:
    order, settings, now = parent.order, desk.config.execution, picture.now
    finishing = schedule_of(order) in FINISHING
    closing = finishing and now >= order.end - min(round(settings.finish_s * NS), (order.end - order.start) // 10)
    due = due_by(desk, picture, parent, now)
    since = taken = None
    if parent.asked_at and not closing:
        since = due - due_by(desk, picture, parent, max(parent.asked_at, parent.start))
    if parent.took_at and not closing:
        taken = due - due_by(desk, picture, parent, max(parent.took_at, parent.start))
    half = instrument.contracts(settings.base_child) / 2
    due = order.quantity if closing else due
    lag = max(due - parent.filled - half, 0.0) / order.quantity
    patience = settings.lag_cross_share * (10 - order.urgency) / 5
    return Pace(due=due, since=since, taken=taken, lag=lag, closing=closing, late=closing or lag >= patience,
                patience=patience * min((order.end - now) / (EASING * (order.end - order.start)), 1.0))  # fmt: skip


def impatient(desk: Desk, advice: Advice, pace: Pace, fill: float | None, saving: float | None) -> bool:
    """Whether the far side is to be taken: a row says so, or the tactic of every schedule, passive first, is late.

    A row that has children rest is patient for longer, but not without end. Where the lag is weighed, it is so only
    while crossing costs more than it usually does (`saving` ticks below 0), or while a fill is likely by a forecast
    that has an edge; unknown (None) neither makes patient.
    """
    if advice.passive:
        return False
    if advice.style not in PATIENT or pace.closing:
        return advice.style == "cross" or pace.late
    settings = desk.config.execution
    wait = (
        advice.style != "weigh"
        or (saving is not None and saving < 0.0)
        or (fill is not None and fill >= settings.fill_likely)
    )
    return pace.lag >= pace.patience * (settings.patient_times if wait else 1.0)


def reach(desk: Desk, pace: Pace) -> float:
    """How far into the spread a child that is weighed rests, 0 … 1 of it: all the way when it must soon cross."""
    most = pace.patience * desk.config.execution.patient_times
    return min(pace.lag / most, 1.0) if most > 0.0 else 1.0


def allowed(desk: Desk, picture: Picture, parent: Parent) -> int:
    """Lots that it may still ask for: what remains, and what the participation cap leaves of it."""
    order, working = parent.order, desk.working(parent.order.id)
    free = parent.remaining - working
    if order.participation <= 0.0:
        return free
    others = picture.traded(order.instrument, parent.start, picture.now)
    return min(free, int(order.participation * others) - (parent.filled - parent.done_at_start) - working)


def largest(desk: Desk, parent: Parent, instrument: Instrument, advice: Advice) -> int:
    """Lots of a single child at most: the parent's, the desk's, the tightest row's."""
    cap = min(parent.order.max_child, risk.largest(desk, instrument))
    return cap if advice.max_child is None else min(cap, instrument.contracts(advice.max_child))


def size_of(
    desk: Desk, picture: Picture, parent: Parent, instrument: Instrument, advice: Advice, pace: Pace, cross: bool
) -> int:
    """Lots for the next child, within what remains and every cap. 0 for none."""
    order, settings = parent.order, desk.config.execution
    base, cap = instrument.contracts(settings.base_child), largest(desk, parent, instrument, advice)
    free, working = allowed(desk, picture, parent), desk.working(order.id)
    if cross and advice.style in PATIENT:
        working = 0  # what rests meanwhile stays there: no two of them are more than what remains
    elif advice.action.times_base is not None and not working:
        soon = cross and picture.now - parent.took_at < settings.opportunity_s * NS
        return 0 if soon else max(min(round(advice.action.times_base * base), cap, free), 0)
    return child(
        pace.due, parent.filled, working, base=_strayed_size(parent, base), min_child=order.min_child, max_child=cap,
        remaining=free, catch_up=settings.catch_up, begun=_begun(parent, cross), since=pace.since,
        taken=pace.taken if cross else None, times=advice.action.times_rate,
    )  # fmt: skip


def _strayed_size(parent: Parent, base: int) -> int:
    if not parent.order.random_size:
        return base
    stray = 2.0 * draw(parent.order.seed, parent.asked_for, SIZE) - 1.0
    return max(round(base * (1.0 + parent.order.random_size * stray)), 1)


def _begun(parent: Parent, cross: bool) -> float:
    """The share of a child that is due before it is proposed: half, unless its moment strays. The very first one rests
    from the start on: it costs nothing, and a parent of one child would idle half of its time."""
    order = parent.order
    first = not parent.filled and parent.start == order.start
    if first and not cross and schedule_of(order) in FINISHING:
        return 0.0
    return 0.5 + order.random_time * (draw(order.seed, parent.asked_for, TIME) - 0.5)


@lru_cache(maxsize=8)
def profile_of(rates: tuple[float, ...]) -> Profile:
    return Profile(rates)
