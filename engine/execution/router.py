"""From the venue to facts: what its word makes of our orders, and what is asked again where it said none.

Three sources speak of an order: the answer to its request, the private channel, and the answer to a question asked by
its label. All three end in the same functions here, so that it does not matter which comes first, or twice.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from engine import messages as m
from engine.domain import MS, NS, Instrument, Side
from engine.execution import ending, rejects
from engine.execution.desk import Child, Desk, Parent
from engine.execution.lifecycle import LIVE_CHILD, LIVE_PARENT, RESTING_CHILD
from engine.execution.picture import Picture
from engine.market.deribit import wire
from engine.market.meter import COST
from engine.market.told import Answered, Changes, Placed

ASK_AGAIN_NS = 2 * NS
REFUSED_NS = 60 * NS  # a hedge that would be refused again: it is tried after a while, and said so

# ---------------------------------------------------------------- what takes orders away


def cancel(desk: Desk, child: str, *, by: str, reason: str) -> m.CancelRequested:
    return m.CancelRequested(child=child, call=f"cancel-{desk.facts + 1}", by=by, reason=reason)


def stop(desk: Desk, parent: Parent, *, by: str, reason: str, leave: bool = False) -> Iterator[m.Fact]:
    """Let the proposal lapse and pull what works, or leave it: a parent that is not working sends nothing new."""
    if proposal := desk.proposal_of(parent.order.id):
        yield m.Lapsed(proposal=proposal.born.id, reason=reason)
    for child in () if leave else desk.children_of(parent.order.id):
        if not child.cancelling:
            yield cancel(desk, child.request.child, by=by, reason=reason)


# ---------------------------------------------------------------- the venue's word → facts


def learn(desk: Desk, picture: Picture) -> Iterator[m.Fact]:
    """Facts out of what the present input told about orders."""
    for news in picture.venue.news:
        match news:
            case Changes():
                yield from take(desk, picture, news.orders, news.trades)
            case Answered():
                yield from _answered(desk, picture, news)


def take(
    desk: Desk, picture: Picture, orders: list[wire.OrderData], trades: list[wire.UserTradeData]
) -> Iterator[m.Fact]:
    """Fills first, then states: an order ends only when its fills are all known."""
    for trade in trades:
        yield from _fill(desk, picture, trade)
    for order in orders:
        yield from _state(desk, picture, order)


def _fill(desk: Desk, picture: Picture, trade: wire.UserTradeData) -> Iterator[m.Fact]:
    instrument = picture.venue.instruments.get(trade.instrument_name)
    if trade.trade_id in desk.trades or instrument is None:
        return
    child = desk.children.get(trade.label)
    yield m.Filled(
        trade=trade.trade_id,
        child=trade.label if child else "",
        instrument=instrument.name,
        side=Side(trade.direction),
        quantity=round(trade.amount / instrument.lot),
        price=round(trade.price / instrument.tick),  # a combo's leg may fill between two ticks: still a fill
        fee=trade.fee,
        maker=trade.liquidity == "M",
        at=trade.timestamp * wire.MS,
    )
    yield from _repeated(desk, picture, Side(trade.direction), instrument)
    if child and child.state in LIVE_CHILD and child.remaining <= 0:
        yield m.OrderEnded(child=trade.label, state="filled", reason="")
    if child and child.request.parent:
        parent = desk.parents[child.request.parent]
        if parent.remaining <= 0 and parent.state in LIVE_PARENT:
            yield from stop(desk, parent, by="fills", reason="the parent is done")
            yield m.ParentEnded(parent=parent.order.id, outcome="done", by="fills")


def _repeated(desk: Desk, picture: Picture, side: Side, instrument: Instrument) -> Iterator[m.Fact]:
    """The same thing executed again and again is a loop until a person says that it is not."""
    limits, key = desk.config.limits, f"{side} {instrument.name}"
    since = picture.now - round(limits.repeat_s * NS)
    count = sum(1 for t in desk.executions.get(key, ()) if t > since)
    if count >= limits.repeats and key not in desk.tripped:
        yield m.RepeatsTripped(instrument=instrument.name, side=side, count=count, seconds=limits.repeat_s)


def _state(desk: Desk, picture: Picture, order: wire.OrderData) -> Iterator[m.Fact]:
    child = desk.children.get(order.label)
    instrument = picture.venue.instruments.get(order.instrument_name)
    if child is None or instrument is None or child.state not in LIVE_CHILD or isinstance(order.price, str):
        return
    label, price = order.label, round(order.price / instrument.tick)
    if order.order_state == "open":
        yield from _standing(child, order, price, round(order.amount / instrument.lot))
        return
    if round(order.filled_amount / instrument.lot) > child.filled:
        if not child.order:  # so that its fills can be asked for
            yield m.OrderOpened(child=label, order=order.order_id, price=price)
        yield m.Asked(child=label, call=f"fills-{desk.facts + 1}")
        return
    if order.order_state in ("filled", "cancelled", "rejected"):
        yield ending.told(desk, child, order)


def _standing(child: Child, order: wire.OrderData, price: int, quantity: int) -> Iterator[m.Fact]:
    """An order that rests: whether it is new, and whether it stands otherwise than we knew. News from before the last
    amend tell nothing any more; while one is not answered, what has not changed says nothing of it."""
    label, changed = child.request.child, (price, quantity) != (child.price, child.quantity)
    if changed and order.last_update_timestamp * MS <= child.amended and not child.ask_call:
        return
    if child.state not in RESTING_CHILD or (child.state == "open" and (child.ask_call or price != child.price)):
        yield m.OrderOpened(child=label, order=order.order_id, price=price)
        changed = quantity != child.quantity
    if changed:
        yield _amended(child, order, price, quantity)


def _amended(child: Child, order: wire.OrderData, price: int, quantity: int) -> m.Amended:
    return m.Amended(child=child.request.child, quantity=quantity, price=price, at=order.last_update_timestamp * MS)


def _answered(desk: Desk, picture: Picture, news: Answered) -> Iterator[m.Fact]:
    kind = news.call.split("-")[0]
    if kind == "order":
        yield from _placed(desk, picture, news)
    elif kind == "amend":
        yield from _changed(desk, picture, news)
    elif kind == "cancel":
        yield from _cancelled(desk, picture, news)
    elif kind in ("label", "fills"):
        yield from _told(desk, picture, news)


def _placed(desk: Desk, picture: Picture, news: Answered) -> Iterator[m.Fact]:
    child = next((c for c in desk.live_children if c.request.call == news.call), None)
    if child is None:
        return
    if news.error is not None and child.state in RESTING_CHILD:
        yield ask(desk, child)  # refused, and yet the venue has told of it
    elif news.error is not None:
        yield from _refused(desk, picture, child, news.error)
    elif placed := news.read(Placed):
        yield from take(desk, picture, [placed.order], placed.trades)


def _refused(desk: Desk, picture: Picture, child: Child, error: wire.VenueError) -> Iterator[m.Fact]:
    """As the table of refusals says: look for it, or end it and let its parent rest, or pause until a person looks."""
    action, reason = rejects.action_of(error), rejects.said(error)
    if action == "ask":
        yield ask(desk, child)
        return
    yield m.OrderEnded(child=child.request.child, state="rejected", reason=reason)
    yield from _sit_back(desk, picture, child, action, reason)


def _sit_back(
    desk: Desk, picture: Picture, child: Child, action: rejects.Action, reason: str
) -> Iterator[m.Fact]:  # fmt: skip
    """The parent of an order that was refused rests, or pauses until a person looks; hedging rests."""
    if child.request.hedge:
        yield m.HedgeRested(until=picture.now + (rejects.REST_NS[action] or REFUSED_NS), reason=reason)
        return
    parent = desk.parents.get(child.request.parent)
    if parent is None or parent.state != "working":
        return
    if action == "pause":
        yield from stop(desk, parent, by="venue", reason=reason)
        yield m.ParentPaused(parent=parent.order.id, by="venue", reason=reason)
    else:
        yield m.ParentRested(parent=parent.order.id, until=picture.now + rejects.REST_NS[action], reason=reason)


def _changed(desk: Desk, picture: Picture, news: Answered) -> Iterator[m.Fact]:
    """The answer to an amend: the order as it stands now, or why it stands as before."""
    child = next((c for c in desk.live_children if c.amend and c.amend.call == news.call), None)
    if child is None:
        return
    if news.error is not None:
        yield from _kept(desk, picture, child, news.error)
    elif placed := news.read(Placed):
        yield from take(desk, picture, [placed.order], placed.trades)
        instrument = picture.venue.instruments[child.request.instrument]
        if child.state == "amending" and placed.order.order_state == "open" and isinstance(placed.order.price, float):
            price, lots = round(placed.order.price / instrument.tick), round(placed.order.amount / instrument.lot)
            yield _amended(child, placed.order, price, lots)  # taken, and moved back by the venue to where it stood


def _kept(desk: Desk, picture: Picture, child: Child, error: wire.VenueError) -> Iterator[m.Fact]:
    """An amend that was refused: as the table of refusals says. Where the venue cannot say whether it was taken, the
    order is asked for; where it knows no such order any more, that too. A parent that amends by itself sits back."""
    action, reason, by = rejects.action_of(error), rejects.said(error), child.amend.by if child.amend else ""
    if error.code not in rejects.UNSURE:
        yield m.AmendRefused(child=child.request.child, reason=reason)
    if action == "ask":
        yield ask(desk, child)
    elif by in ("semi", "auto"):
        yield from _sit_back(desk, picture, child, action, reason)


def _cancelled(desk: Desk, picture: Picture, news: Answered) -> Iterator[m.Fact]:
    """A cancel that was refused means that the order ended otherwise: ask."""
    if news.error is None and news.method == "private/cancel":
        if order := news.read(wire.OrderData):
            yield from take(desk, picture, [order], [])
        return
    for child in desk.live_children:
        if child.cancelling and not child.ask_call and (news.error is not None or not child.order):
            yield ask(desk, child)


def _told(desk: Desk, picture: Picture, news: Answered) -> Iterator[m.Fact]:
    """The answer to a question about one order, by its label or about its fills. One that cannot be used is asked
    again on a later step."""
    child = next((c for c in desk.live_children if c.ask_call == news.call), None)
    if child is None:
        return
    if news.method == "private/get_user_trades_by_order":
        before = child.filled
        yield from take(desk, picture, [], page.trades if (page := trades_of(news)) else [])
        if child.state in LIVE_CHILD and child.filled > before:
            yield ask(desk, child)  # its state, now that the fills are known
        return
    one = news.read(wire.OrderData)
    orders = [one] if one else news.read(list[wire.OrderData])
    if orders is None:
        return
    if mine := [order for order in orders if order.label == child.request.child]:
        yield from take(desk, picture, mine, [])
        if child.state == "amending" and child.asked > _certain(desk, child) and mine[0].order_state == "open":
            yield m.AmendRefused(child=child.request.child, reason="it never reached the venue")
    elif child.asked > _certain(desk, child):
        yield ending.unknown(child)


def _certain(desk: Desk, child: Child) -> int:
    """From when on an order, or an amend, that the venue does not know cannot turn up there any more, by any clock."""
    return (child.amend or child.request).valid_until + round(desk.config.execution.ask_after_s * NS)


def trades_of(news: Answered) -> TradePage | None:
    """Some answers are a list, some `{trades, has_more}`; None for what is neither."""
    if page := news.read(TradePage):
        return page
    rows = news.read(list[wire.UserTradeData])
    return None if rows is None else TradePage(rows)


class TradePage(msgspec.Struct, frozen=True):
    trades: list[wire.UserTradeData]
    has_more: bool = False


def ask(desk: Desk, child: Child) -> m.Asked:
    return m.Asked(child=child.request.child, call=f"label-{desk.facts + 1}")


def ask_late(desk: Desk, picture: Picture) -> Iterator[m.Fact]:
    """What has had no answer in time, until the venue tells: an order and an amend are asked for by label, a cancel is
    sent again. Never on the last of the venue's credits: those are a kill's, which itself waits for these answers."""
    if not picture.venue.authenticated:
        return
    now, grace = picture.now, round(desk.config.execution.ask_after_s * NS)
    for child in desk.live_children:
        meter, killing = picture.venue.meter, desk.killed is not None and not desk.killed.took
        if meter.credits_at(now) < COST or (not killing and meter.share(now) < desk.config.limits.credits_kept / 2):
            return
        late = child.state != "open" and now > _certain(desk, child)
        if (late or child.ask_call) and now - child.asked > ASK_AGAIN_NS:
            yield ask(desk, child)
        elif child.cancelling and now - child.cancelling > grace:
            yield cancel(desk, child.request.child, by="engine", reason=child.reason)
