"""Starting up is recovering: the venue is asked what it holds before anything new goes out.

Theory of operation. When the link comes up (first, or again) the venue's fills since the last known one and its open
orders are asked for. Fills come first: they count once, by trade id. Then every live child is looked for among the
open orders; one that is missing is asked for by its label, but not before its `valid_until` has passed: an order still
in flight could otherwise be called lapsed and arrive after all. So could an amend: one that shows no effect waits as
long, and then the order stands as the venue says. When every child is accounted for, positions are
compared; what differs is taken from the venue and written down. Only `Reconciled` opens the desk again.

A venue that states a new epoch (a paper venue that was started anew) has forgotten every order and position: that too
is a fact, not a surprise.
"""

from __future__ import annotations

from collections.abc import Iterator

from engine import messages as m
from engine.execution import router
from engine.execution.desk import Desk
from engine.execution.lifecycle import RESTING_CHILD
from engine.execution.picture import Picture
from engine.market.deribit import wire
from engine.market.told import Answered

RETRY_NS = 5 * 10**9
DELIVERED_NS = 60 * 10**9  # after its expiry a position is asked about, and again if the venue still has it


def begin(desk: Desk, item: m.Started) -> Iterator[m.Fact]:
    """An engine takes up the desk: proposals are stale, parents wait for the trader."""
    yield m.Began(session=item.session, config=item.config, code=item.code, model=item.model)
    for proposal in desk.live_proposals:
        yield m.Lapsed(proposal=proposal.born.id, reason="the engine started anew")
    for name in list(desk.flattening):
        left = desk.positions.get(name, 0)
        yield m.FlattenEnded(instrument=name, left=left, reason="the engine started anew")
    for parent in [p for p in desk.live_parents if p.state == "working"]:
        if item.config.resume_after_recovery:  # the time lost is not owed
            yield m.ParentResumed(parent=parent.order.id, by="recovery", rebased=item.t)
        else:
            yield m.ParentPaused(parent=parent.order.id, by="recovery", reason="the engine started anew")


def unhalted(desk: Desk) -> Iterator[m.Fact]:
    """What is decided is kept again: parents wait for the trader, who has not seen what they missed."""
    yield m.Unhalted()
    for parent in [p for p in desk.live_parents if p.state == "working"]:
        yield m.ParentPaused(parent=parent.order.id, by="engine", reason="the engine was halted")


def link(desk: Desk, item: m.Link) -> Iterator[m.Fact]:
    """The link fell or is a new one: nothing is confirmed until the venue has introduced itself and been asked."""
    if desk.reconciled or desk.reconciling:
        for proposal in desk.live_proposals:
            yield m.Lapsed(proposal=proposal.born.id, reason="the connection was lost")
        reason = "the connection is a new one" if item.up else f"the connection was lost: {item.reason}"
        yield m.Reconciling(reason=reason, call="")


def answers(desk: Desk, picture: Picture) -> Iterator[m.Fact]:
    """What the venue's introduction and its answers to our questions make of the desk."""
    for news in picture.venue.news:
        if not isinstance(news, Answered):
            continue
        if news.method == "public/get_instruments" and news.error is None and picture.venue.authenticated:
            if not (desk.reconciled or desk.reconciling):  # else it only lists something new
                yield from _introduced(desk, picture)
        elif desk.reconciling and news.call.startswith(desk.reconciling) and news.result is not None:
            yield from _checked(desk, picture, news)


def proceed(desk: Desk, picture: Picture) -> Iterator[m.Fact]:
    """Once every child is accounted for, ask for positions; begin again when an answer was refused or lost, or when
    positions have been delivered."""
    if not desk.reconciling or not picture.venue.authenticated:
        return
    if desk.reconciled:
        if picture.now - desk.reconciling_since > DELIVERED_NS and (name := _expired(desk, picture)):
            yield m.Reconciling(reason=f"{name} has expired", call=f"recon{desk.facts + 1}")
        return
    if set(desk.checked) == {"trades", "orders"} and _accounted(desk):
        yield m.Checked(what="children")
    elif picture.now - desk.reconciling_since > RETRY_NS and _unanswered(desk):
        yield m.Reconciling(reason="the venue did not answer", call=f"recon{desk.facts + 1}")


def _introduced(desk: Desk, picture: Picture) -> Iterator[m.Fact]:
    """Instruments are known and the epoch is stated: begin to reconcile."""
    epoch = picture.venue.epoch
    if epoch and epoch != desk.epoch:
        if desk.epoch:
            yield from _new_epoch(desk)
        yield m.EpochBegan(epoch=epoch, first=not desk.epoch)
    yield m.Reconciling(reason="the link is up", call=f"recon{desk.facts + 1}")


def _new_epoch(desk: Desk) -> Iterator[m.Fact]:
    reason = "the venue began a new epoch"
    for child in desk.live_children:
        state: m.OrderState = "cancelled" if child.state in RESTING_CHILD else "lapsed"
        yield m.OrderEnded(child=child.request.child, state=state, reason=reason)
    for parent in desk.live_parents:
        if proposal := desk.proposal_of(parent.order.id):
            yield m.Lapsed(proposal=proposal.born.id, reason=reason)
        yield m.ParentEnded(parent=parent.order.id, outcome="cancelled", by=reason)


def _checked(desk: Desk, picture: Picture, news: Answered) -> Iterator[m.Fact]:
    what = news.call.removeprefix(f"{desk.reconciling}-")
    if what == "trades" and (page := router.trades_of(news)) is not None:
        yield from _trades(desk, picture, page)
    elif what == "orders" and (orders := news.read(list[wire.OrderData])) is not None:
        yield from _orders(desk, picture, orders)
    elif what == "positions" and (rows := news.read(list[wire.PositionData])) is not None:
        yield from _positions(desk, picture, rows)
        yield m.Reconciled(differences=tuple(desk.differences))


def _trades(desk: Desk, picture: Picture, page: router.TradePage) -> Iterator[m.Fact]:
    """Fills that were missed. Where one answer does not hold them all the next begins where it ended."""
    before = len(desk.fills)
    yield from router.take(desk, picture, [], page.trades)
    missed = desk.fills[before:]
    if page.has_more and page.trades and page.trades[-1].timestamp > page.trades[0].timestamp:
        since = page.trades[-1].timestamp * wire.MS
        reason = "more was filled than one answer holds"
        yield m.Reconciling(reason=reason, call=f"recon{desk.facts + 1}", since=since)
    else:
        yield m.Checked(what="trades", differences=tuple(_missed(picture, fill) for fill in missed))


def _orders(desk: Desk, picture: Picture, orders: list[wire.OrderData]) -> Iterator[m.Fact]:
    """Every live child is found among the open orders, or asked for by label."""
    open_labels = {order.label for order in orders}
    yield from router.take(desk, picture, orders, [])
    for child in desk.live_children:
        if child.request.child not in open_labels and child.state in RESTING_CHILD:
            yield router.ask(desk, child)  # the others once they cannot turn up any more
    strange = []
    for order in orders:
        if order.label.startswith(f"{desk.tag}-") and order.label not in desk.children:
            strange.append(f"an open order {order.label} that the journal lacks")
    yield m.Checked(what="orders", differences=tuple(strange))


def _expired(desk: Desk, picture: Picture) -> str:
    """A position that must have been delivered by now: no fill tells of that."""
    for name, lots in desk.positions.items():
        instrument = picture.venue.instruments.get(name)
        if lots and instrument is not None and instrument.expiry and picture.now - instrument.expiry > DELIVERED_NS:
            return name
    return ""


def _unanswered(desk: Desk) -> bool:
    return not {"trades", "orders"} <= set(desk.checked) or "children" in desk.checked


def _accounted(desk: Desk) -> bool:
    return all(child.state == "open" and not child.ask_call for child in desk.live_children)


def _positions(desk: Desk, picture: Picture, rows: list[wire.PositionData]) -> Iterator[m.Fact]:
    theirs = {}
    for row in rows:
        instrument = picture.venue.instruments.get(row.instrument_name)
        if instrument is not None:
            theirs[instrument.name] = round(row.size / instrument.lot)
    for name in sorted({*theirs, *desk.positions}):
        size, ours = theirs.get(name, 0), desk.positions.get(name, 0)
        if size != ours:
            yield m.PositionSet(instrument=name, size=size, reason=f"the venue holds {size}, the journal {ours} lots")


def _missed(picture: Picture, fill: m.Filled) -> str:
    amount = picture.venue.instruments[fill.instrument].amount(fill.quantity)
    return f"{fill.side} {amount:.12g} {fill.instrument} filled while away"
