"""A drill of the kill, on the paper venue or the test net: orders that nobody takes, the press, the venue's word.

It goes the way that a trader goes: through the running engine, by its own link. What it rests is of the smallest size,
and far below the market. A desk at work is left alone, since a kill would take its orders too.
"""

from __future__ import annotations

import asyncio
import time

import msgspec

from engine import messages as m
from engine.client import LinkLost, attach
from engine.domain import Side, instrument_of
from engine.shell.options import CannotStart, Options, running_engine
from engine.shell.seen import Seen

PATIENCE_S = 60.0
DEEP = 3  # ticks below the best bid, and one more for each order
PAUSE_S = 0.25  # before an order is tried again that the desk's own limits hold back


class Drilled(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it: orders open at the press; ms from there to the venue's word in the journal, the longest and
    each; until an attached screen was told of it, each; coin delta left over."""

    orders: int
    ms: float
    delta: float
    rearmed: bool
    each: tuple[float, ...] = ()
    seen: tuple[float, ...] = ()


async def drill(options: Options, orders: int, user: str, repeats: int = 1) -> Drilled:
    """So many times over. Raises CannotStart with a sentence where it cannot be held, or the venue does not confirm."""
    each = [await _once(options, orders, user) for _ in range(repeats)]
    return Drilled(
        orders=min(one.orders for one in each), ms=max(one.ms for one in each), delta=each[-1].delta,
        rearmed=all(one.rearmed for one in each), each=tuple(one.ms for one in each),
        seen=tuple(ms for one in each for ms in one.seen),
    )  # fmt: skip


async def _once(options: Options, orders: int, user: str) -> Drilled:
    if options.venue not in ("paper", "test"):
        raise CannotStart("a drill is held on the paper venue or the test net, never on live")
    address = running_engine(options)
    if address is None:
        raise CannotStart("no engine runs on this data folder: start the desk first")
    try:
        async with asyncio.timeout(PATIENCE_S), attach(address) as client:
            return await _drill(Seen(client), orders, user)
    except (LinkLost, TimeoutError) as error:
        raise CannotStart(f"the drill did not end: {str(error) or 'the engine did not answer'}") from None


async def _drill(seen: Seen, orders: int, user: str) -> Drilled:
    await seen.ready()
    assert seen.desk is not None
    if any(row.state == "working" for row in seen.desk.parents) or _open(seen):
        raise CannotStart("the desk is at work: a drill would cancel its orders")
    await _rest(seen, orders, user)
    count = _open(seen)
    began = time.monotonic()
    await _ask(seen, m.Kill(), user)
    await seen.until(lambda s: s.status and s.status.kill_ms is not None)
    told = 1000 * (time.monotonic() - began)
    assert seen.status is not None
    took, delta = seen.status.kill_ms or 0.0, seen.status.kill_delta or 0.0
    answer = await seen.client.ask(m.Rearm(reason="the drill is over"), user=user, role="admin")
    return Drilled(orders=count, ms=took, delta=delta, rearmed=answer.ok, seen=(told,))


async def _rest(seen: Seen, orders: int, user: str) -> None:
    """So many orders by hand, a tick apart, each open at the venue."""
    assert seen.chain is not None
    name = _near_the_money(seen.chain)
    await seen.client.look([name])
    await seen.until(lambda s: s.ladder and s.ladder.instrument == name and s.ladder.bids and not s.ladder.stale)
    assert seen.ladder is not None
    grid, best, lot = instrument_of(name), seen.ladder.bids[0][0], seen.ladder.lot
    for k in range(orders):
        price = grid.price(grid.step(best, -DEEP - k))
        order = m.SendOrder(instrument=name, side=Side.BUY, quantity=lot, price=price)
        await _ask(seen, order, user)
    await seen.until(lambda s: _open(s) >= orders)


async def _ask(seen: Seen, verb: m.Verb, user: str) -> None:
    """Again and again where a limit of rates holds it back, until the drill's patience is over."""
    while True:
        answer = await seen.client.ask(verb, user=user, role="admin")
        if answer.ok:
            return
        if "orders in the last" not in answer.text and "a second" not in answer.text:
            raise CannotStart(f"the drill cannot go on: {answer.text}")
        await asyncio.sleep(PAUSE_S)


def _open(seen: Seen) -> int:
    return 0 if seen.desk is None else sum(row.state == "open" for row in seen.desk.children)


def _near_the_money(chain: m.ChainView) -> str:
    """A call of the second expiry, at the middle of its strikes."""
    calls = [row for row in chain.instruments if row[1] == "option" and row[0].endswith("-C")]
    second = sorted({expiry for _, _, expiry, _ in calls})[:2][-1]
    strikes = sorted((strike, name) for name, _, expiry, strike in calls if expiry == second)
    return strikes[len(strikes) // 2][1]
