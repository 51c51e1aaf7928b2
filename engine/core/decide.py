"""Facts out of (desk, market, input). Never mutates: each fact is evolved by the loop before the next is asked for."""

from __future__ import annotations

from collections.abc import Iterator

from engine import messages as m
from engine.execution import command, flatten, hedging, limit, markout, propose, recover, router
from engine.execution.desk import Desk
from engine.execution.mark import marked
from engine.execution.picture import Picture


def decide(desk: Desk, market: Picture, item: m.Input) -> Iterator[m.Fact]:
    """Every decision of the desk begins here. Refusals are facts with a reason."""
    for fact in _decided(desk, market, item):
        yield marked(desk, market, fact)


def _decided(desk: Desk, market: Picture, item: m.Input) -> Iterator[m.Fact]:
    match item:
        case m.Started():
            yield from recover.begin(desk, item)
        case m.Link():
            yield from recover.link(desk, item)
        case m.Frame():
            yield from _heard(desk, market)
        case m.Tick():
            yield from _stepped(desk, market)
        case m.Command():
            yield from command.handle(desk, market, item)
        case m.Sent():
            yield from _sent(desk, item)
        case m.Failed():
            yield from _failed(desk, item)
        case m.Mended():
            yield from recover.unhalted(desk)
        case m.ModelSwap(model=model, reason=reason):
            yield m.ModelRefused(model=model, reason=reason) if reason else m.ModelChanged(model=model)


def _heard(desk: Desk, market: Picture) -> Iterator[m.Fact]:
    yield from router.learn(desk, market)
    yield from recover.answers(desk, market)
    yield from recover.proceed(desk, market)
    yield from command.confirm_kill(desk, market)


def _stepped(desk: Desk, market: Picture) -> Iterator[m.Fact]:
    yield from command.press_on(desk, market)
    yield from router.ask_late(desk, market)
    yield from recover.proceed(desk, market)
    yield from markout.look(desk, market)
    for parent in desk.live_parents:
        yield from propose.work(desk, market, parent)
    yield from limit.hold_left(desk, market)
    yield from flatten.close_on(desk, market)
    yield from hedging.work(desk, market)


def _sent(desk: Desk, item: m.Sent) -> Iterator[m.Fact]:
    for child in desk.live_children:
        if child.request.call == item.call and child.state == "requested":
            yield m.OrderSent(child=child.request.child)


def _failed(desk: Desk, item: m.Failed) -> Iterator[m.Fact]:
    """The shell says that it did not write the call: that order exists nowhere."""
    for child in desk.live_children:
        if child.request.call == item.call and child.state == "requested":
            yield m.OrderEnded(child=child.request.child, state="lapsed", reason=f"not sent: {item.reason}")
        elif child.amend and child.amend.call == item.call:
            yield m.AmendRefused(child=child.request.child, reason=f"not sent: {item.reason}")
