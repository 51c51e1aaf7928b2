"""The checks of a probe that send orders: the smallest there are, far from the market or of the perpetual."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import Any

import msgspec
from websockets.asyncio.client import connect

from engine.domain import MS
from engine.market.deribit import wire
from engine.shell.feed import MAX_FRAME
from engine.shell.line import Line, Refused
from engine.shell.probe_line import Probe, demand, refused

TELLS_S = 2.0  # in which the private channel tells of an order
GONE_S = 10.0  # in which the orders of a lost connection are cancelled


async def label_round_trip(one: Probe) -> str:
    """An order comes back with its label: in its answer, by label, among the open ones, and on the private channel."""
    order = await one.buy(one.option, one.low)
    demand(order.order_state == "open", f"a bid at {one.low:.12g} is {order.order_state}")
    demand(order.post_only, "it was sent post-only, and is not")
    by_label = await one.by_label(order.label)
    demand([each.order_id for each in by_label] == [order.order_id], "it cannot be found by its label")
    demand(order.label in {each.label for each in await one.ours()}, "it is not among the open orders")
    await one.line.listen(TELLS_S)
    told = [push.data for push in one.line.pushed if push.channel.startswith("user.changes")]
    labels = {each.label for data in told for each in data.orders}
    demand(order.label in labels, f"the private channel did not tell of it in {TELLS_S:.0f} s")
    return "answer, question, list and channel agree"


async def amending(one: Probe) -> str:
    """An edit keeps the order's id and label, and an order can be cancelled once."""
    order = await one.buy(one.option, one.low)
    higher = one.option.price(one.option.step(one.option.units(one.low), 1))
    params = {"order_id": order.order_id, "amount": one.option.lot, "price": higher, "post_only": True}
    edited = msgspec.convert(await one.line.ask("private/edit", params), wire.Placed).order
    same = (edited.order_id, edited.label) == (order.order_id, order.label)
    demand(same, "an edited order has another id or label")
    demand(edited.price == higher, f"edited to {higher:.12g} it stands at {edited.price}")
    cancelled = msgspec.convert(await one.line.ask("private/cancel", {"order_id": order.order_id}), wire.OrderData)
    demand(cancelled.order_state == "cancelled", f"a cancelled order is {cancelled.order_state}")
    return "a second cancel is " + await refused(one.line.ask("private/cancel", {"order_id": order.order_id}))


async def cancel_by_label(one: Probe) -> str:
    order = await one.buy(one.option, one.low)
    count = await one.line.ask("private/cancel_by_label", {"label": order.label})
    demand(count == 1, f"cancelling one order by its label answered {count!r}")
    (after,) = await one.by_label(order.label)
    demand(after.order_state == "cancelled", f"it is {after.order_state}")
    return "it is cancelled, and known by its label still"


async def labels_repeat(one: Probe) -> str:
    """Labels are no key of the venue: two orders may have one, and both are found."""
    order = await one.buy(one.option, one.low)
    again = await one.buy(one.option, one.low, label=order.label)
    found = {each.order_id for each in await one.by_label(order.label)}
    demand(found == {order.order_id, again.order_id}, f"of two orders with one label {len(found)} are found")
    return "two orders may have one label"


async def valid_until(one: Probe) -> str:
    """An order whose time is over is refused, and exists nowhere."""
    label = one.label()
    past = time.time_ns() // MS - 2_000
    said = await refused(one.buy(one.option, one.low, label=label, valid_until=past))
    demand(not await one.by_label(label), "and yet the venue knows an order of its label")
    return said


async def immediate(one: Probe) -> str:
    """An immediate order that finds nobody is cancelled, without a fill, and known by its label."""
    order = await one.buy(one.option, one.low, time_in_force="immediate_or_cancel", post_only=False)
    (after,) = await one.by_label(order.label)
    found = (after.order_state, after.filled_amount)
    demand(found == ("cancelled", 0.0), f"it is {after.order_state} with {after.filled_amount:.12g} filled")
    return "cancelled without a fill"


async def post_only_rejects(one: Probe) -> str:
    ask = (await one.ticker(one.perpetual)).best_ask_price
    demand(ask, "the perpetual has no ask")
    return await refused(one.buy(one.perpetual, ask or 0.0, reject_post_only=True), 11054)


async def post_only_reprices(one: Probe) -> str:
    """Without the rejection it is put inside the spread, and does not take."""
    ask = (await one.ticker(one.perpetual)).best_ask_price
    demand(ask, "the perpetual has no ask")
    order = await one.buy(one.perpetual, (ask or 0.0) + 20 * one.perpetual.tick)
    with suppress(Refused):
        await one.line.ask("private/cancel", {"order_id": order.order_id})
    demand(
        isinstance(order.price, float) and order.price <= (ask or 0.0), f"it stood at {order.price}, the ask at {ask}"
    )
    return f"sent 20 ticks above the ask {ask}, it stood at {order.price}"


async def smallest_amount(one: Probe) -> str:
    return await refused(one.buy(one.option, one.low, amount=one.option.lot / 2))


async def wrong_tick(one: Probe) -> str:
    return await refused(one.buy(one.option, one.low + one.option.tick / 2))


async def beyond_bounds(one: Probe) -> str:
    """A price beyond the venue's own bounds is refused: without this our collar would be the only one."""
    highest = (await one.ticker(one.perpetual)).max_price
    demand(highest, "the ticker states no highest price")
    price = one.perpetual.price(one.perpetual.floor_tick((highest or 0.0) * 2 / one.perpetual.tick))
    more: dict[str, Any] = {"post_only": True, "reject_post_only": True}
    return await refused(one.buy(one.perpetual, price, **more))


async def unknown_instrument(one: Probe) -> str:
    params = {"instrument_name": f"{one.coin}-1JAN20-1-C", "amount": 1.0, "type": "limit", "price": 0.01}
    return await refused(one.line.ask("private/buy", params))


async def positions(one: Probe) -> str:
    rows = msgspec.convert(await one.line.ask("private/get_positions", {"currency": one.coin}), list[wire.PositionData])
    params = {"currency": one.coin, "count": 10, "sorting": "asc", "start_timestamp": time.time_ns() // MS - 60_000}
    said = await one.line.ask("private/get_user_trades_by_currency", params)
    page = msgspec.convert(said, wire.UserTrades | list[wire.UserTradeData])
    count = len(page.trades if isinstance(page, wire.UserTrades) else page)
    return f"{len(rows)} positions, {count} trades in the last minute"


async def cancel_on_disconnect(one: Probe) -> str:
    """Another connection places an order and is lost: its order goes, and ours stays."""
    mine = await one.buy(one.option, one.low)
    async with connect(one.url, max_size=MAX_FRAME, compression=None) as socket:
        other = Probe(one.url, one.secret, one.coin)
        other.line, other.prefix = Line(socket), f"{one.prefix}other-"
        await other.line.login(one.secret)
        said = await other.line.ask("private/enable_cancel_on_disconnect", {"scope": "connection"})
        demand(said == "ok", f"it answered {said!r}")
        theirs = await other.buy(one.option, one.low)
        socket.transport.abort()
    began = time.monotonic()
    while theirs.label in (labels := {order.label for order in await one.ours()}):
        demand(time.monotonic() - began < GONE_S, f"its order was still open after {GONE_S:.0f} s")
        await asyncio.sleep(0.2)
    demand(mine.label in labels, "the order of a connection that stood was cancelled too")
    return f"gone {time.monotonic() - began:.1f} s after the line was cut"


async def clean_up(one: Probe) -> str:
    """Nothing of the probe is left."""
    if not one.token:
        return "nothing was sent"
    cancelled = 0
    while orders := await one.ours():
        for label in {order.label for order in orders}:
            await one.line.ask("private/cancel_by_label", {"label": label})
        cancelled += len(orders)
    return f"{cancelled} orders cancelled, nothing of the probe is open"
