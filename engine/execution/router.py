"""Between facts and the venue: which calls a fact makes, and which facts the venue's word makes.

Three sources speak of an order: the answer to its request, the private channel, and the answer to a question asked by
its label. All three end in the same functions here, so that it does not matter which comes first, or twice.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from engine import messages as m
from engine.domain import NS, Instrument, Side
from engine.execution import ending, rejects
from engine.execution.desk import Child, Desk, Parent
from engine.execution.lifecycle import LIVE_CHILD, LIVE_PARENT
from engine.execution.picture import Picture
from engine.market.deribit import wire
from engine.market.state import Venue
from engine.market.told import Answered, Changes, Placed

ASK_AGAIN_NS = 2 * NS
REFUSED_NS = 60 * NS  # a hedge that would be refused again: it is tried after a while, and said so

# ---------------------------------------------------------------- facts → calls


def effects_of(fact: m.Fact, desk: Desk, venue: Venue) -> list[m.Call]:
    """The calls that a fact makes. An order waits until its fact is durable; cancels and questions never wait."""
    match fact:
        case m.OrderRequested():
            return [_order(fact, venue.instruments[fact.instrument])]
        case m.CancelRequested():
            return [_cancel(fact, desk.children[fact.child], venue)]
        case m.Asked():
            return [_question(fact, desk.children[fact.child], venue.coin)]
        case m.KillAsked():
            return _kill(fact, desk, venue.coin)
        case m.Reconciling(call=call, since=since) if call:
            return [
                _by_currency(f"{call}-trades", "private/get_user_trades_by_currency", venue.coin, _since(desk, since)),
                _by_currency(f"{call}-orders", "private/get_open_orders_by_currency", venue.coin, {}),
            ]
        case m.Checked(what="children"):
            return [_by_currency(f"{desk.reconciling}-positions", "private/get_positions", venue.coin, {})]
    return []


def _order(fact: m.OrderRequested, instrument: Instrument) -> m.Call:
    params = {
        "instrument_name": fact.instrument,
        "amount": instrument.amount(fact.quantity),
        "type": "limit",
        "price": instrument.price(fact.price),
        "label": fact.child,
        "time_in_force": "good_til_cancelled" if fact.post_only else "immediate_or_cancel",
        "post_only": fact.post_only,  # said always: the venue's default differs
        "reject_post_only": False,
        "valid_until": fact.valid_until // 1_000_000,
    }
    if fact.reduce_only:
        params["reduce_only"] = True
    return m.Call(id=fact.call, method=f"private/{fact.side}", params=params, after=fact.n, child=fact.child)


def _cancel(fact: m.CancelRequested, child: Child, venue: Venue) -> m.Call:
    """By its id; by its label where it has none yet, or where the matching engine would refuse one cancel more."""
    if child.order and venue.meter.requests_at(venue.now) >= 1.0:
        return m.Call(id=fact.call, method="private/cancel", params={"order_id": child.order})
    return m.Call(id=fact.call, method="private/cancel_by_label", params={"label": fact.child})


def _question(fact: m.Asked, child: Child, coin: str) -> m.Call:
    if fact.call.startswith("fills-"):
        return m.Call(id=fact.call, method="private/get_user_trades_by_order", params={"order_id": child.order})
    params = {"currency": coin, "label": fact.child}
    return m.Call(id=fact.call, method="private/get_order_state_by_label", params=params)


def _kill(fact: m.KillAsked, desk: Desk, coin: str) -> list[m.Call]:
    """Cancel, then ask what is open. The whole account at once, or each of ours by its label."""
    if desk.killed and desk.killed.account:
        out = [m.Call(id=f"{fact.call}-all", method="private/cancel_all", params={})]
    else:
        out = [
            m.Call(id=f"{fact.call}-{i}", method="private/cancel_by_label", params={"label": child.request.child})
            for i, child in enumerate(desk.live_children)
        ]
    return [*out, _by_currency(f"{fact.call}-open", "private/get_open_orders_by_currency", coin, {})]


def _by_currency(call: str, method: str, coin: str, more: dict[str, object]) -> m.Call:
    return m.Call(id=call, method=method, params={"currency": coin, **more})


def _since(desk: Desk, told: int) -> dict[str, object]:
    """Trades to ask for again: from a minute before the last fill known, else before our first order, if there was
    any. They count once, by their id. What the account did before this journal is no business of it."""
    first = next((child.request.t for child in desk.children.values()), desk.reconciling_since)
    last = max((fill.at for fill in desk.fills), default=first)
    start = told or last - 60 * NS
    return {"count": 1000, "sorting": "asc", "start_timestamp": start // wire.MS}


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
        if child.state != "open" or child.price != price or child.ask_call or not child.order:
            yield m.OrderOpened(child=label, order=order.order_id, price=price)
        return
    if round(order.filled_amount / instrument.lot) > child.filled:
        if not child.order:  # so that its fills can be asked for
            yield m.OrderOpened(child=label, order=order.order_id, price=price)
        yield m.Asked(child=label, call=f"fills-{desk.facts + 1}")
        return
    if order.order_state in ("filled", "cancelled", "rejected"):
        yield ending.told(desk, child, order)


def _answered(desk: Desk, picture: Picture, news: Answered) -> Iterator[m.Fact]:
    kind = news.call.split("-")[0]
    if kind == "order":
        yield from _placed(desk, picture, news)
    elif kind == "cancel":
        yield from _cancelled(desk, picture, news)
    elif kind in ("label", "fills"):
        yield from _told(desk, picture, news)


def _placed(desk: Desk, picture: Picture, news: Answered) -> Iterator[m.Fact]:
    child = next((c for c in desk.live_children if c.request.call == news.call), None)
    if child is None:
        return
    if news.error is not None and child.state == "open":
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
    if child.request.hedge:
        yield m.HedgeRested(until=picture.now + (rejects.REST_NS[action] or REFUSED_NS), reason=reason)
    parent = desk.parents.get(child.request.parent)
    if parent is None or parent.state != "working":
        return
    if action == "pause":
        yield from stop(desk, parent, by="venue", reason=reason)
        yield m.ParentPaused(parent=parent.order.id, by="venue", reason=reason)
    else:
        yield m.ParentRested(parent=parent.order.id, until=picture.now + rejects.REST_NS[action], reason=reason)


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
    elif child.asked > _certain(desk, child):
        yield ending.unknown(child)


def _certain(desk: Desk, child: Child) -> int:
    """From when on an order that the venue does not know cannot turn up there any more, by any clock."""
    return child.request.valid_until + round(desk.config.execution.ask_after_s * NS)


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
    """What has had no answer in time, until the venue tells: an order is asked for by its label, a cancel is sent
    again."""
    if not picture.venue.authenticated:
        return
    now, grace = picture.now, round(desk.config.execution.ask_after_s * NS)
    for child in desk.live_children:
        late = child.state != "open" and now > _certain(desk, child)
        if (late or child.ask_call) and now - child.asked > ASK_AGAIN_NS:
            yield ask(desk, child)
        elif child.cancelling and now - child.cancelling > grace:
            yield cancel(desk, child.request.child, by="engine", reason=child.reason)
