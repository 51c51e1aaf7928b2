"""Pull and flatten: what works is taken away, and what is held is closed, at a person's word.

Theory of operation. **Pull** cancels what works of one side, in one instrument, or all of it, orders by hand too, and
lets proposals lapse. The parents concerned pause, or they would place it all again at once. **Flatten** pulls, and then
closes what is held. In each instrument it waits until nothing of ours works any more, since our own orders must not
meet; then goes one order by hand, reduce-only at the venue: immediate-or-cancel, as deep as the position needs and
never beyond the collar around the mark. It passes every hard block, as any order does. What it leaves is tried again,
until nothing is held or the time is over: then what could not be closed is said, with the reason.
"""

from __future__ import annotations

from collections.abc import Iterator

from engine import messages as m
from engine.domain import NS, Instrument, Side
from engine.execution import propose, risk, router
from engine.execution.asked import Refusal, instrument_of
from engine.execution.blocks import widest
from engine.execution.desk import Child, Desk, Flattening, Parent, side_price
from engine.execution.picture import Picture, walked

AGAIN_NS = NS  # between two orders in one instrument


def pull(desk: Desk, picture: Picture, item: m.Command, verb: m.Pull) -> Iterator[m.Fact]:
    """Raises Refusal."""
    if verb.instrument:
        instrument_of(picture, verb.instrument)
    if not _at_work(desk, verb):
        raise Refusal(f"nothing of ours works {_where(verb.instrument)}")
    return _pulled(desk, picture, item.user, verb)


def flatten(desk: Desk, picture: Picture, item: m.Command, verb: m.Flatten) -> Iterator[m.Fact]:
    """Raises Refusal."""
    if verb.instrument:
        instrument_of(picture, verb.instrument)
    if reason := risk.closed(desk, picture):
        raise Refusal(reason)
    all_of_it = m.Pull(instrument=verb.instrument)
    held = {name for name, lots in desk.positions.items() if lots and verb.instrument in ("", name)}
    held |= {child.request.instrument for child in _children(desk, all_of_it)}  # it may fill before it is gone
    if not held and not _at_work(desk, all_of_it):
        raise Refusal(f"nothing is held {_where(verb.instrument)}, and nothing works")
    return _flattened(desk, picture, item.user, all_of_it, tuple(sorted(held)))


def _flattened(desk: Desk, picture: Picture, by: str, verb: m.Pull, held: tuple[str, ...]) -> Iterator[m.Fact]:
    yield from _pulled(desk, picture, by, verb)
    if held:
        until = picture.now + round(desk.config.execution.flatten_s * NS)
        yield m.FlattenAsked(by=by, instruments=held, until=until)


def _pulled(desk: Desk, picture: Picture, by: str, verb: m.Pull) -> Iterator[m.Fact]:
    reason = f"pulled by {by}"
    for parent in _parents(desk, verb):
        yield from router.stop(desk, parent, by=by, reason=reason)
        if parent.state == "working":
            yield m.ParentPaused(parent=parent.order.id, by=by, reason=reason)
    hedged = [child for child in _children(desk, verb) if child.request.hedge]
    for child in _children(desk, verb):
        if not child.cancelling:
            yield router.cancel(desk, child.request.child, by=by, reason=reason)
    hedge = desk.hedge_proposal
    asked = hedge is not None and _concerned(verb, hedge.born.instrument, hedge.born.side)
    if hedge is not None and asked:
        yield m.Lapsed(proposal=hedge.born.id, reason=reason)
    if hedged or asked:  # or another would be there at once
        rest = round(desk.config.execution.reject_rest_s * NS)
        yield m.HedgeRested(until=picture.now + rest, reason=reason)


def _at_work(desk: Desk, verb: m.Pull) -> bool:
    """Whether there is anything to pull: a paused parent and an order whose cancel is on its way are done with."""
    working = any(parent.state == "working" for parent in _parents(desk, verb))
    hedge = desk.hedge_proposal
    if hedge is not None and _concerned(verb, hedge.born.instrument, hedge.born.side):
        return True
    return working or any(not child.cancelling for child in _children(desk, verb))


def _parents(desk: Desk, verb: m.Pull) -> list[Parent]:
    return [each for each in desk.live_parents if _concerned(verb, each.order.instrument, each.order.side)]


def _children(desk: Desk, verb: m.Pull) -> list[Child]:
    return [each for each in desk.live_children if _concerned(verb, each.request.instrument, each.request.side)]


def _concerned(verb: m.Pull, instrument: str, side: Side) -> bool:
    return verb.instrument in ("", instrument) and verb.side in (None, side)


def _where(instrument: str) -> str:
    return f"in {instrument}" if instrument else "anywhere"


def close_on(desk: Desk, picture: Picture) -> Iterator[m.Fact]:
    """One step of every position that is being closed."""
    for name in list(desk.flattening):
        instrument = picture.venue.instruments.get(name)
        if instrument is None:
            yield m.FlattenEnded(instrument=name, left=desk.positions.get(name, 0), reason=f"{name} is not listed")
        else:
            yield from _close(desk, picture, instrument, desk.flattening[name])


def _close(desk: Desk, picture: Picture, instrument: Instrument, closing: Flattening) -> Iterator[m.Fact]:
    name, held = instrument.name, desk.positions.get(instrument.name, 0)
    last = next((c for c in reversed(desk.children.values()) if c.request.instrument == name), None)
    if any(child.request.instrument == name for child in desk.live_children):
        reason = "an order of ours there has not ended yet"
    elif not held:
        yield m.FlattenEnded(instrument=name, left=0)
        return
    elif desk.killed:  # whatever hedges may do meanwhile
        reason = risk.closed(desk, picture)
    else:
        order = _order(desk, picture, instrument, held, closing.by)
        reason = order if isinstance(order, str) else risk.blocked(desk, picture, order)
        rested = last is None or picture.now - last.request.t >= AGAIN_NS
        if not reason and not isinstance(order, str) and rested and picture.now < closing.until:
            yield propose.request(desk, picture, order, parent="", proposal="", by=closing.by)
            return
    if picture.now >= closing.until or desk.killed:
        said = reason or (last.reason if last else "") or "its time is over"
        yield m.FlattenEnded(instrument=name, left=held, reason=said)


def _order(desk: Desk, picture: Picture, instrument: Instrument, held: int, by: str) -> risk.Wanted | str:
    """The order that closes as much as one may, or why none can be made."""
    side = Side.SELL if held > 0 else Side.BUY
    bound = widest(desk, picture, instrument, side)
    if bound is None:
        return f"there is no mark price of {instrument.name} to hold the price against"
    quantity = min(abs(held), risk.largest(desk, instrument))
    deepest = walked(picture, instrument, side, quantity)
    price = bound if deepest is None else side_price(side, deepest, bound)
    return risk.Wanted(instrument=instrument, side=side, quantity=quantity, price=price, post_only=False, by=by,
                       reduce_only=True)  # fmt: skip
