"""A parent's terms: from what the trader typed to an order in lots and units, when it is sent and when it is edited."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from engine import messages as m
from engine.config import misfit
from engine.domain import NS, Instrument, Kind
from engine.execution import propose, risk, router
from engine.execution.asked import Refusal, instrument_of, parent_of, price_of, size_of, whole
from engine.execution.desk import Desk, Parent
from engine.execution.impact import kappa_of
from engine.execution.limit import bounded, limit_of
from engine.execution.picture import Picture, touch, walked
from engine.execution.schedules.dice import seed_of

MAX_MINUTES = 24 * 60
MOST_IV = 1000.0  # per cent
LIMITING = frozenset({"limit", "limit_iv", "would"})


def submit(desk: Desk, picture: Picture, item: m.Command, verb: m.SubmitParent) -> Iterator[m.Fact]:
    """A new parent. Raises Refusal."""
    order = order_of(desk, picture, item.user, verb)
    if desk.killed or picture.halted:
        raise Refusal(risk.closed(desk, picture))
    return iter([order])


def order_of(desk: Desk, picture: Picture, user: str, verb: m.SubmitParent) -> m.ParentAccepted:
    """The order that was typed, in lots, units and ns. Raises Refusal, and OffGrid."""
    instrument = instrument_of(picture, verb.instrument)
    if not 0.0 <= verb.start_minutes <= MAX_MINUTES:
        raise Refusal(f"{verb.start_minutes:.12g} minutes is not between 0 and {MAX_MINUTES}")
    start = picture.now + _minutes(verb.start_minutes)
    order = m.ParentAccepted(
        id=desk.next_id("P"), user=user, instrument=instrument.name, side=verb.side,
        quantity=size_of(instrument, verb.quantity), limit=_limit(instrument, verb.limit), start=start,
        end=start + _minutes(_lasting(verb.minutes)), algorithm=verb.algorithm, urgency=verb.urgency,
        min_child=whole(instrument, verb.min_child, "smallest child"),
        max_child=_largest(desk, instrument, verb.max_child), dial=verb.dial,
        auto_limit=whole(instrument, verb.auto_limit, "automatic limit"), arrival=picture.micro(instrument.name),
        baseline=verb.baseline, rate=verb.rate, participation=verb.participation,
        would=price_of(instrument, verb.would) if verb.would else None, random_time=verb.random_time,
        random_size=verb.random_size, seed=seed_of(desk.config.seed, desk.facts + 1), leave=verb.leave,
        policy=verb.policy, hedge=verb.hedge, limit_iv=verb.limit_iv or None,
    )  # fmt: skip
    order = _checked(desk, picture, instrument, order)
    _limited(picture, instrument, order)
    return order


def edit(desk: Desk, picture: Picture, item: m.Command, verb: m.EditParent) -> Iterator[m.Fact]:
    """Other terms for a running parent, as a new version. Raises Refusal."""
    parent = parent_of(desk, verb.parent)
    instrument = instrument_of(picture, parent.order.instrument)
    changes = _changes(desk, picture, instrument, verb)
    if not changes:
        raise Refusal("nothing was changed")
    order = _checked(desk, picture, instrument, msgspec.structs.replace(parent.order, **changes))
    if LIMITING & changes.keys():  # what else is changed must not wait for the forward to come back
        _limited(picture, instrument, order)
    if order.quantity < parent.filled + desk.working(order.id):
        raise Refusal("so much is done or working already")
    limit = limit_of(picture, order, instrument)
    return _edited(desk, parent, order, limit, item.user, verb.pull)


def _edited(
    desk: Desk, parent: Parent, order: m.ParentAccepted, limit: int | None, by: str, pull: bool
) -> Iterator[m.Fact]:
    """What was proposed under the old terms is void; what works stays or is pulled, but none beyond the limit."""
    if proposal := desk.proposal_of(order.id):
        yield m.Lapsed(proposal=proposal.born.id, reason="the parent was edited")
    for child in desk.children_of(order.id):
        beyond = limit is None or order.side.sign * (child.bound - limit) > 0
        if not child.cancelling and (pull or beyond):
            yield router.cancel(desk, child.request.child, by=by, reason="the parent was edited")
    yield m.ParentEdited(parent=order.id, by=by, version=parent.version + 1, order=order)


def press(desk: Desk, picture: Picture, item: m.Command, verb: m.Press) -> Iterator[m.Fact]:
    """More now: an order of this parent across the spread, ahead of its schedule. Raises Refusal."""
    parent = parent_of(desk, verb.parent)
    order, instrument = parent.order, instrument_of(picture, parent.order.instrument)
    quantity = size_of(instrument, verb.quantity)
    if parent.state != "working":
        raise Refusal(f"the parent is {parent.state}")
    if parent.suspended or picture.now < max(parent.halted_until, order.start):
        raise Refusal(parent.reason or "it has not begun")
    if picture.now >= order.end:
        raise Refusal("its time is over")
    if quantity > parent.remaining - desk.working(order.id):
        raise Refusal("it is more than the parent has left")
    terms = bounded(picture, order, instrument)
    if isinstance(terms, str):
        raise Refusal(terms)
    order, far = terms, touch(picture, instrument, order.side.other)
    if far is None or order.side.sign * (far - order.limit) > 0:
        raise Refusal("nothing is to be had inside the parent's limit")
    deepest = walked(picture, instrument, order.side, quantity)
    price = order.limit if deepest is None or order.side.sign * (deepest - order.limit) > 0 else deepest
    wanted = risk.Wanted(instrument=instrument, side=order.side, quantity=quantity, price=price, post_only=False,
                         parent=order.id, by=item.user)  # fmt: skip
    if stop := risk.stopped(desk, picture, wanted):
        raise Refusal(stop.reason, stop.movable)
    return iter([propose.request(desk, picture, wanted, parent=order.id, proposal="", by=item.user)])


def set_view(desk: Desk, picture: Picture, item: m.Command, verb: m.SetView) -> Iterator[m.Fact]:
    """The trader's own odds, weighed with the model's from now on; taken away with no seconds. Raises Refusal."""
    parent = parent_of(desk, verb.parent)
    if not 0.0 <= verb.seconds <= MAX_MINUTES * 60.0:
        raise Refusal(f"a view of {verb.seconds:.12g} seconds is none")
    if not (verb.up >= 0.0 and verb.down >= 0.0 and verb.up + verb.down <= 1.0):
        raise Refusal("odds are shares, and together not above 1")
    weight = desk.config.execution.view_weight if verb.weight is None else verb.weight
    if not 0.0 <= weight <= 1.0:
        raise Refusal("a weight goes from 0 to 1")
    until = picture.now + round(verb.seconds * NS)
    view = m.TraderView(up=verb.up, down=verb.down, weight=weight, until=until) if verb.seconds else None
    return iter([m.ViewSet(parent=parent.order.id, by=item.user, view=view)])


def _changes(desk: Desk, picture: Picture, instrument: Instrument, verb: m.EditParent) -> dict[str, Any]:
    """The fields that an edit names, in lots, units and ns."""
    told = {name: getattr(verb, name) for name in verb.__struct_fields__ if name not in ("parent", "pull")}
    out = {name: value for name, value in told.items() if value is not None}
    for name, what in (("min_child", "smallest child"), ("auto_limit", "automatic limit")):
        if name in out:
            out[name] = whole(instrument, out[name], what)
    if "quantity" in out:
        out["quantity"] = size_of(instrument, out["quantity"])
    if "max_child" in out:
        out["max_child"] = _largest(desk, instrument, out["max_child"])
    if "limit" in out:
        out["limit"] = _limit(instrument, out["limit"])
    if "limit_iv" in out:
        out["limit_iv"] = out["limit_iv"] or None
    if "would" in out:
        out["would"] = price_of(instrument, out["would"]) if out["would"] else None
    if "minutes" in out:
        out["end"] = picture.now + _minutes(_lasting(out.pop("minutes")))
    return out


def _checked(desk: Desk, picture: Picture, instrument: Instrument, order: m.ParentAccepted) -> m.ParentAccepted:
    """The order, with the urgency of its trajectory; refused where its terms cannot be."""
    limits, option = desk.config.limits, instrument.kind is Kind.OPTION
    most, unit = (limits.parent_contracts, "contracts") if option else (limits.future_usd, "USD")
    amount = instrument.amount(order.quantity)
    if amount > most:
        raise Refusal(f"{amount:,.12g} {unit} is over the limit of {most:,.12g} a parent")
    if not 0 <= order.urgency <= 10:
        raise Refusal("urgency goes from 0 to 10")
    if order.end <= order.start:
        raise Refusal("it would end before it begins")
    if instrument.expiry and order.end > instrument.expiry:
        raise Refusal(f"{instrument.name} expires before the order would end")
    for share, what in (
        (order.rate, "rate"), (order.participation, "participation cap"), (order.random_time, "randomisation of time"),
        (order.random_size, "randomisation of size"),
    ):  # fmt: skip
        if not 0.0 <= share <= 1.0:
            raise Refusal(f"the {what} is a share, from 0 to 1")
    if reason := misfit(order.policy or ()):
        raise Refusal(reason)
    return msgspec.structs.replace(order, kappa=kappa_of(desk, picture, instrument, order))


def _limit(instrument: Instrument, price: float) -> int:
    """A limit price in units; 0 for none."""
    return price_of(instrument, price) if price else 0


def volatility(iv: float) -> float:
    """A volatility that somebody typed, per cent. Raises Refusal."""
    if not 0.0 < iv <= MOST_IV:
        raise Refusal(f"{iv:.12g} % is no implied volatility")
    return iv


def _limited(picture: Picture, instrument: Instrument, order: m.ParentAccepted) -> None:
    """Refused without a limit, or with one that cannot be said in a price now, or with an I-would price beyond it."""
    if order.limit_iv is None and not order.limit:
        raise Refusal("it asks for a limit: a price, or an implied volatility")
    if order.limit_iv is not None:
        volatility(order.limit_iv)
    terms = bounded(picture, order, instrument)
    if isinstance(terms, str):
        raise Refusal(terms)
    if order.would is not None and order.side.sign * (order.would - terms.limit) > 0:
        raise Refusal("the I-would price is beyond the limit")


def _largest(desk: Desk, instrument: Instrument, amount: float) -> int:
    """The largest child in lots; where none is said, twice the base child."""
    lots = whole(instrument, amount, "largest child")
    return max(lots, 1) if amount else 2 * instrument.contracts(desk.config.execution.base_child)


def _lasting(minutes: float) -> float:
    if not 0 < minutes <= MAX_MINUTES:
        raise Refusal(f"{minutes:.12g} minutes is not between 0 and {MAX_MINUTES}")
    return minutes


def _minutes(count: float) -> int:
    return round(count * 60 * NS)
