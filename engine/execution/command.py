"""What a person asks, turned into facts, or refused with a reason. The one path for clicks, keys and scripts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from engine import messages as m
from engine.domain import NS, OffGrid, Side
from engine.execution import flatten, foreign, hedge_terms, hedging, propose, risk, router, terms
from engine.execution.amend import edit as edit_child
from engine.execution.asked import Refusal, instrument_of, parent_of, price_of, size_of
from engine.execution.desk import Desk, Parent, Proposal, side_price
from engine.execution.lifecycle import LIVE_CHILD, RESTING_CHILD
from engine.execution.limit import price_at
from engine.execution.picture import Picture
from engine.market.deribit import wire
from engine.market.meter import COST
from engine.market.told import Answered

KILL_AGAIN_NS = NS // 2


def handle(desk: Desk, picture: Picture, item: m.Command) -> Iterator[m.Fact]:
    """The facts of one command; exactly one `Refused` and nothing else when it cannot be done."""
    try:
        _allowed(desk, item)
        facts = _VERBS[type(item.verb)](desk, picture, item, item.verb)
    except (Refusal, OffGrid) as refused:
        block = refused.block if isinstance(refused, Refusal) else ""
        yield m.Refused(command=item.id, user=item.user, reason=str(refused), block=block)
        return
    yield from facts


def _allowed(desk: Desk, item: m.Command) -> None:
    if desk.config.mode == "replay":
        raise Refusal("this is a replay: nothing can be done in it")
    if item.role == "viewer":
        raise Refusal(f"{item.user} may look, not trade")
    if isinstance(item.verb, m.Rearm | m.Unhalt) and item.role != "admin":
        raise Refusal("only an admin may re-arm")


# Each verb checks first, all of it, and only then returns an iterator of facts: a refused command leaves no trace
# but its refusal.


def _pause(desk: Desk, _: Picture, item: m.Command, verb: m.Pause) -> Iterator[m.Fact]:
    parent = parent_of(desk, verb.parent)
    if parent.state == "paused":
        raise Refusal("it is paused already")
    leave = parent.order.leave if verb.leave is None else verb.leave
    return _pausing(desk, parent, item.user, leave)


def _pausing(desk: Desk, parent: Parent, user: str, leave: bool) -> Iterator[m.Fact]:
    yield from router.stop(desk, parent, by=user, reason="paused", leave=leave)
    yield m.ParentPaused(parent=parent.order.id, by=user, reason=f"paused by {user}")


def _resume(desk: Desk, picture: Picture, item: m.Command, verb: m.Resume) -> Iterator[m.Fact]:
    parent = parent_of(desk, verb.parent)
    if reason := risk.closed(desk, picture):
        raise Refusal(reason)
    return iter([m.ParentResumed(parent=parent.order.id, by=item.user, rebased=picture.now)])


def _cancel_parent(desk: Desk, _: Picture, item: m.Command, verb: m.CancelParent) -> Iterator[m.Fact]:
    parent = parent_of(desk, verb.parent)
    return _cancelling(desk, parent, item.user, verb.leave)


def _cancelling(desk: Desk, parent: Parent, user: str, leave: bool) -> Iterator[m.Fact]:
    yield from router.stop(desk, parent, by=user, reason="the parent was cancelled", leave=leave)
    yield m.ParentEnded(parent=parent.order.id, outcome="cancelled", by=user)


def _dial(desk: Desk, _: Picture, item: m.Command, verb: m.SetDial) -> Iterator[m.Fact]:
    parent = parent_of(desk, verb.parent)
    return iter([m.DialSet(parent=parent.order.id, by=item.user, dial=verb.dial)])


def _approve(desk: Desk, picture: Picture, item: m.Command, verb: m.Approve) -> Iterator[m.Fact]:
    proposal = _proposal(desk, verb.proposal)
    if verb.revision not in proposal.shown:
        raise Refusal(f"proposal {verb.proposal} has no revision {verb.revision}")
    instrument = instrument_of(picture, proposal.born.instrument)
    shown_quantity, worst, _ = proposal.shown[verb.revision]
    quantity = min(shown_quantity, proposal.quantity)  # the market may have asked for less since
    if verb.quantity is not None:
        quantity = size_of(instrument, verb.quantity)
    if verb.worst is not None:
        worst = price_of(instrument, verb.worst)
    if verb.worst_iv is not None:
        priced = price_at(picture, instrument, proposal.born.side, terms.volatility(verb.worst_iv))
        if isinstance(priced, str):
            raise Refusal(priced)
        worst = priced if verb.worst is None else side_price(proposal.born.side, worst, priced)
    refusal = hedging.refusal if proposal.born.hedge else propose.refusal
    if reason := refusal(desk, picture, proposal, verb.revision, quantity, worst, by=item.user):
        stop = risk.stopped(desk, picture, propose.order_now(desk, picture, proposal, quantity, worst, item.user))
        raise Refusal(reason, stop.movable if stop and stop.reason == reason else "")
    edited = (verb.quantity, verb.worst, verb.worst_iv) != (None, None, None)
    return propose.fire(desk, picture, proposal, by=item.user, revision=verb.revision, quantity=quantity,
                        worst=worst, edited=edited)  # fmt: skip


def _reject(desk: Desk, picture: Picture, item: m.Command, verb: m.Reject) -> Iterator[m.Fact]:
    proposal = _proposal(desk, verb.proposal)
    quiet = picture.now + round(desk.config.execution.reject_rest_s * NS)
    return iter([m.Rejected(proposal=proposal.born.id, by=item.user, reason=verb.reason, quiet_until=quiet)])


def _send(desk: Desk, picture: Picture, item: m.Command, verb: m.SendOrder) -> Iterator[m.Fact]:
    instrument = instrument_of(picture, verb.instrument)
    wanted = risk.Wanted(
        instrument=instrument, side=Side(verb.side), quantity=size_of(instrument, verb.quantity),
        price=price_of(instrument, verb.price), post_only=verb.post_only, by=item.user,
    )  # fmt: skip
    if stop := risk.stopped(desk, picture, wanted):
        raise Refusal(stop.reason, stop.movable)
    if reason := risk.price_inside(picture, wanted):
        raise Refusal(reason)
    return iter([propose.request(desk, picture, wanted, parent="", proposal="", by=item.user)])


def _cancel_child(desk: Desk, _: Picture, item: m.Command, verb: m.CancelChild) -> Iterator[m.Fact]:
    child = desk.children.get(verb.child)
    if child is None or child.state not in LIVE_CHILD:
        raise Refusal(f"no order {verb.child} is working")
    return iter([router.cancel(desk, verb.child, by=item.user, reason=f"cancelled by {item.user}")])


def _kill(desk: Desk, _: Picture, item: m.Command, verb: m.Kill) -> Iterator[m.Fact]:
    yield m.Killed(by=item.user, account=verb.account)
    yield m.KillAsked(call=f"kill{desk.facts + 1}")
    for proposal in desk.live_proposals:
        yield m.Lapsed(proposal=proposal.born.id, reason="killed")
    for parent in desk.live_parents:
        if parent.state == "working":
            yield m.ParentPaused(parent=parent.order.id, by=item.user, reason="killed")


def _rearm(desk: Desk, _: Picture, item: m.Command, verb: m.Rearm) -> Iterator[m.Fact]:
    if not desk.killed:
        raise Refusal("the desk is armed")
    if not desk.killed.took:  # an order that waits for the disk would leave after all
        raise Refusal("the venue has not confirmed yet that nothing is open")
    if not verb.reason.strip():
        raise Refusal("re-arming asks for a reason")
    return iter([m.Rearmed(by=_person(item), reason=verb.reason.strip())])


def _ask_lift(desk: Desk, picture: Picture, item: m.Command, verb: m.AskLift) -> Iterator[m.Fact]:
    instrument = instrument_of(picture, verb.instrument)
    if verb.block not in risk.LIFTABLE:
        raise Refusal(f"'{verb.block}' cannot be lifted; these can: {', '.join(risk.LIFTABLE)}")
    if not verb.reason.strip():
        raise Refusal("lifting a block asks for a reason")
    return iter([m.LiftAsked(id=desk.next_id("L"), block=verb.block, instrument=instrument.name, by=_person(item),
                             reason=verb.reason.strip(), until=_lift_until(desk, picture))])  # fmt: skip


def _grant_lift(desk: Desk, picture: Picture, item: m.Command, verb: m.GrantLift) -> Iterator[m.Fact]:
    lift = desk.lifts.get(verb.lift)
    if lift is None or picture.now >= lift.until:
        raise Refusal(f"no lift {verb.lift} is asked for, or its time is over")
    if lift.by != _person(item):
        raise Refusal(f"{lift.by} asked for it: nobody else may confirm it")
    if lift.state != "asked":
        raise Refusal("it is confirmed already")
    return iter([m.LiftGranted(id=verb.lift, by=item.user, until=_lift_until(desk, picture))])


def _lift_until(desk: Desk, picture: Picture) -> int:
    return picture.now + round(desk.config.limits.lift_s * NS)


def _rearm_repeats(desk: Desk, _: Picture, item: m.Command, verb: m.RearmRepeats) -> Iterator[m.Fact]:
    if not any(f"{side} {verb.instrument}" in desk.tripped for side in Side):
        raise Refusal(f"'{verb.instrument}' is not held for being executed too often")
    if not verb.reason.strip():
        raise Refusal("re-arming asks for a reason")
    return iter([m.RepeatsRearmed(instrument=verb.instrument, by=_person(item), reason=verb.reason.strip())])


def _unhalt(_: Desk, picture: Picture, item: m.Command, verb: m.Unhalt) -> Iterator[m.Fact]:
    if not picture.halted:
        raise Refusal("the engine is not halted")
    if not verb.reason.strip():
        raise Refusal("going on asks for a reason")
    return iter([m.UnhaltAsked(by=_person(item), reason=verb.reason.strip())])


def _person(item: m.Command) -> str:
    if not item.user.strip():
        raise Refusal("this asks for a user with a name")
    return item.user


def _promote(_: Desk, __: Picture, item: m.Command, verb: m.PromoteModel) -> Iterator[m.Fact]:
    if not verb.model:
        raise Refusal("which model? 'python -m engine models' lists them")
    try:
        msgspec.convert(verb.model, m.ModelId)
    except msgspec.ValidationError:
        raise Refusal("that cannot be a model's name: letters, digits, '.', '_' and '-', up to 100") from None
    return iter([m.ModelAsked(model=verb.model, by=item.user)])


def _roll_back(_: Desk, __: Picture, item: m.Command, ___: m.RollBackModel) -> Iterator[m.Fact]:
    return iter([m.ModelAsked(model="", by=item.user)])


_VERBS: dict[type, Callable[[Desk, Picture, m.Command, Any], Iterator[m.Fact]]] = {
    m.SubmitParent: terms.submit,
    m.EditParent: terms.edit,
    m.Press: terms.press,
    m.SetView: terms.set_view,
    m.Pause: _pause,
    m.Resume: _resume,
    m.CancelParent: _cancel_parent,
    m.SetDial: _dial,
    m.SetHedge: hedge_terms.of_book,
    m.SetHedgeDial: hedge_terms.of_parent,
    m.Approve: _approve,
    m.Reject: _reject,
    m.SendOrder: _send,
    m.CancelChild: _cancel_child,
    m.EditChild: edit_child,
    m.AdoptFill: foreign.adopt,
    m.CancelForeign: foreign.cancel,
    m.Pull: flatten.pull,
    m.Flatten: flatten.flatten,
    m.Kill: _kill,
    m.Rearm: _rearm,
    m.PromoteModel: _promote,
    m.RollBackModel: _roll_back,
    m.AskLift: _ask_lift,
    m.GrantLift: _grant_lift,
    m.RearmRepeats: _rearm_repeats,
    m.Unhalt: _unhalt,
}


def confirm_kill(desk: Desk, picture: Picture) -> Iterator[m.Fact]:
    """The venue's list of open orders after a kill: none of them ours means confirmed."""
    if not desk.killed or desk.killed.took:
        return
    for news in picture.venue.news:
        if not isinstance(news, Answered) or news.call != f"{desk.killed.call}-open":
            continue
        orders = news.read(list[wire.OrderData])
        if orders is None or any(child.state not in RESTING_CHILD for child in desk.live_children):
            return  # what may still be on its way could open after all
        if not [order for order in orders if desk.killed.account or order.label.startswith(f"{desk.tag}-")]:
            delta = sum(_coin_delta(picture, name, lots) for name, lots in desk.positions.items())
            yield m.KillConfirmed(took=max(picture.now - desk.killed.t, 1), delta=delta)


def press_on(desk: Desk, picture: Picture) -> Iterator[m.Fact]:
    """While a kill is not confirmed: cancel and ask again, on each half second, as far as the venue's credits pay."""
    killed, venue = desk.killed, picture.venue
    if not killed or killed.took or not venue.authenticated or picture.now - killed.asked < KILL_AGAIN_NS:
        return
    if venue.meter.credits_at(picture.now) >= 2 * COST:  # a cancel, and the question
        yield m.KillAsked(call=f"kill{desk.facts + 1}")


def _coin_delta(picture: Picture, name: str, lots: int) -> float:
    instrument, delta = picture.venue.instruments.get(name), picture.delta(name)
    return 0.0 if instrument is None or delta is None else instrument.amount(lots) * delta


def _proposal(desk: Desk, proposal: str) -> Proposal:
    found = desk.proposals.get(proposal)
    if found is None:
        raise Refusal(f"there is no proposal {proposal}")
    if found.state != "live":
        raise Refusal(f"proposal {proposal} is {found.state}: {found.reason}")
    return found
