"""The kill that needs no engine: straight to the venue, cancel, and ask until it says that nothing is open.

It waits for no journal, no disk and no engine. A running engine of the same folder is told as well, by its link and by
a file that it looks for before it sends anything, so that one that hangs sends nothing when it goes on.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

import msgspec
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from engine import messages as m
from engine.client import LinkLost, attach
from engine.shell import pressed
from engine.shell.line import Line, Refused
from engine.shell.options import CannotStart, Options, credentials, running_engine, venue_url
from engine.shell.store.journal import BadJournal, JournalReader

PATIENCE_S = 20.0
ENGINE_S = 1.0  # in which a running engine is told; one that hangs must not hold the word of the venue back


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """What the kill came to: orders found open, and the venue's word that none is left."""

    cancelled: int
    open: int
    ms: float
    engine_told: bool
    engine_silent: bool = False  # one runs here and did not answer: it finds the kill when it goes on


async def kill(options: Options, *, account: bool, tell: bool = True) -> Done:
    """Raises CannotStart with a sentence when the venue cannot be reached or refuses us. `tell` is false where the
    caller has told the engine already."""
    began = time.monotonic()
    pressed.leave(options.folder, account=account)
    told = asyncio.ensure_future(_tell_engine(options, account=account) if tell else _silent())
    try:
        async with asyncio.timeout(PATIENCE_S):
            cancelled, left = await _at_venue(options, account=account)
    except Refused as error:
        raise CannotStart(f"the venue refuses: {error}") from None
    except (OSError, WebSocketException, TimeoutError) as error:
        raise CannotStart(f"the venue could not be reached: {str(error) or 'it did not answer'}") from None
    took = 1000 * (time.monotonic() - began)
    await asyncio.wait([told], timeout=ENGINE_S)
    answered = told.result() if told.done() else False
    told.cancel()
    return Done(
        cancelled=cancelled, open=left, ms=took, engine_told=answered is True, engine_silent=answered is False
    )  # fmt: skip


async def past(options: Options, account: bool) -> m.Answer:
    """For a screen whose engine does not answer: the same, and what came of it in a sentence."""
    try:
        done = await kill(options, account=account, tell=False)
    except CannotStart as error:
        return m.Answer(id="", ok=False, text=f"NOT killed, the engine does not answer either: {error}")
    what = f"nothing is open, {done.cancelled} orders cancelled, confirmed by the venue in {done.ms:.0f} ms"
    return m.Answer(id="", ok=True, text=f"killed past the engine, which does not answer: {what}")


async def _silent() -> bool:
    return False


async def _tell_engine(options: Options, *, account: bool) -> bool | None:
    """Whether the engine of this folder has taken the kill; None if none runs."""
    address = await asyncio.to_thread(running_engine, options)
    if address is None:
        return None
    with suppress(LinkLost, OSError):
        async with attach(address) as desk:
            answer = await desk.ask(m.Kill(account=account), user="command line", role="admin")
            return answer.ok
    return False


async def _at_venue(options: Options, *, account: bool) -> tuple[int, int]:
    prefix = await asyncio.to_thread(_prefix, options)
    async with connect(await asyncio.to_thread(venue_url, options), close_timeout=0.1) as socket:
        venue = Line(socket)
        await venue.login(credentials(options.venue))
        first: set[str] | None = None
        while True:
            rows = await venue.ask("private/get_open_orders")  # of every coin, those waiting for a trigger too
            ours = {
                row["order_id"]: row["label"] for row in rows
                if account or (prefix is not None and row["label"].startswith(prefix))
            }  # fmt: skip
            first = set(ours) if first is None else first
            if not ours:
                return len(first), 0
            with suppress(Refused):  # an order that is no longer open is no failure of a cancel: it is asked again
                await _cancel(venue, ours, account=account)


async def _cancel(venue: Line, orders: dict[str, str], *, account: bool) -> None:
    if account:
        await venue.ask("private/cancel_all")
        return
    for label in orders.values():
        # the matching engine lets few cancels of single orders through in a second, by label many
        await venue.ask("private/cancel_by_label", {"label": label})


def _prefix(options: Options) -> str | None:
    """What the labels of this desk's orders begin with, from its journal; None if it has never sent one. A journal
    that cannot be read says of no order that it is not ours: then it is empty, and every order is taken for ours."""
    if not (path := options.folder / "journal.sqlite").exists():
        return None
    try:
        reader = JournalReader(path)
        try:
            first = next((fact for fact in reader.facts() if isinstance(fact, m.OrderRequested)), None)
        finally:
            reader.close()
    except BadJournal:
        return ""
    return None if first is None else first.child.rpartition("-")[0] + "-"
