"""What was done on the account by other hands, on the venue's own page or as a block: not ours until a person says so.

A fill made elsewhere counts in positions and risk at once, and in no parent; a person may have a parent **adopt** it.
An open order made elsewhere is left alone, our own never cross it, and it is cancelled only when a person says so.
"""

from __future__ import annotations

from collections.abc import Iterator

from engine import messages as m
from engine.execution import router
from engine.execution.asked import Refusal, parent_of
from engine.execution.desk import Desk, Parent
from engine.execution.lifecycle import LIVE_PARENT
from engine.execution.picture import Picture
from engine.market.told import Resting


def orders(desk: Desk, picture: Picture) -> dict[str, Resting]:
    """Open orders of the account that this desk did not send, by the venue's id."""
    return {key: order for key, order in picture.venue.resting.items() if order.label not in desk.children}


def adopt(desk: Desk, picture: Picture, item: m.Command, verb: m.AdoptFill) -> Iterator[m.Fact]:
    """Raises Refusal."""
    parent = parent_of(desk, verb.parent)
    fill = next((fill for fill in reversed(desk.fills) if fill.trade == verb.trade), None)
    if fill is None:
        raise Refusal(f"there is no fill {verb.trade}")
    if fill.n <= desk.epoch_at:
        raise Refusal("it was made before the venue began a new epoch: it is not held any more")
    if fill.child:
        raise Refusal(f"it is a fill of our own order {fill.child}")
    if verb.trade in desk.adopted:
        raise Refusal(f"parent {desk.adopted[verb.trade]} has it already")
    if (fill.instrument, fill.side) != (parent.order.instrument, parent.order.side):
        raise Refusal(f"the parent is to {parent.order.side} {parent.order.instrument}: this fill is another")
    working = desk.working(parent.order.id)
    if fill.quantity > parent.remaining - working:
        beside = " beside what it has working: pull that first" if fill.quantity <= parent.remaining else ""
        raise Refusal(f"it is more than the parent has left{beside}")
    return _adopted(desk, parent, fill, item.user)


def _adopted(desk: Desk, parent: Parent, fill: m.Filled, by: str) -> Iterator[m.Fact]:
    """What was proposed before may be too much now; a parent that has all of it is done."""
    if proposal := desk.proposal_of(parent.order.id):
        yield m.Lapsed(proposal=proposal.born.id, reason="a fill made elsewhere was adopted")
    yield m.FillAdopted(trade=fill.trade, parent=parent.order.id, by=by)
    if parent.remaining <= 0 and parent.state in LIVE_PARENT:
        yield from router.stop(desk, parent, by=by, reason="the parent is done")
        yield m.ParentEnded(parent=parent.order.id, outcome="done", by=by)


def cancel(desk: Desk, picture: Picture, item: m.Command, verb: m.CancelForeign) -> Iterator[m.Fact]:
    """Raises Refusal."""
    if verb.order not in orders(desk, picture):
        raise Refusal(f"no order {verb.order} made elsewhere is open on the account")
    return iter([m.ForeignCancelRequested(order=verb.order, call=f"foreign-{desk.facts + 1}", by=item.user)])
