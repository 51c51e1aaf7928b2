"""The kill that needs no engine: straight to the venue, cancel, and ask until it says that nothing is open.

It waits for no journal and no disk. A running engine of the same folder is told as well, so that it stops proposing.
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
from engine.shell import modes
from engine.shell.line import Line, Refused
from engine.shell.store.journal import BadJournal, JournalReader

PATIENCE_S = 20.0
ENGINE_S = 3.0  # in which a running engine is told; one that hangs must not hold the word of the venue back


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """What the kill came to: orders found open, and the venue's word that none is left."""

    cancelled: int
    open: int
    ms: float
    engine_told: bool
    engine_silent: bool = False  # one runs here and did not answer: it may yet send, and should be ended


async def kill(options: modes.Options, *, account: bool) -> Done:
    """Raises CannotStart with a sentence when the venue cannot be reached or refuses us."""
    began = time.monotonic()
    told = asyncio.ensure_future(_tell_engine(options, account=account))
    try:
        async with asyncio.timeout(PATIENCE_S):
            cancelled, left = await _at_venue(options, account=account)
    except Refused as error:
        raise modes.CannotStart(f"the venue refuses: {error}") from None
    except (OSError, WebSocketException, TimeoutError) as error:
        raise modes.CannotStart(f"the venue could not be reached: {str(error) or 'it did not answer'}") from None
    took = 1000 * (time.monotonic() - began)
    answered = await told
    return Done(
        cancelled=cancelled, open=left, ms=took, engine_told=answered is True, engine_silent=answered is False
    )  # fmt: skip


async def _tell_engine(options: modes.Options, *, account: bool) -> bool | None:
    """Whether the engine of this folder has taken the kill; None if none runs."""
    address = modes.running_engine(options)
    if address is None:
        return None
    with suppress(LinkLost, OSError):  # a TimeoutError is an OSError
        async with asyncio.timeout(ENGINE_S), attach(address) as desk:
            answer = await desk.ask(m.Kill(account=account), user="command line", role="admin")
            return answer.ok
    return False


async def _at_venue(options: modes.Options, *, account: bool) -> tuple[int, int]:
    prefix = _prefix(options)
    async with connect(modes.venue_url(options)) as socket:
        venue = Line(socket)
        await venue.login(modes.credentials(options.venue))
        first: set[str] | None = None
        while True:
            rows = await venue.ask("private/get_open_orders")  # of every coin, those waiting for a trigger too
            ours = {row["order_id"]: row["label"] for row in rows if account or _is_ours(row["label"], prefix)}
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


def _is_ours(label: str, prefix: str) -> bool:
    return bool(prefix) and label.startswith(prefix)


def _prefix(options: modes.Options) -> str:
    """What the labels of this desk's orders begin with, from its journal; empty if it has none."""
    try:
        reader = JournalReader(options.folder / "journal.sqlite")
    except BadJournal:
        return ""
    try:
        for fact in reader.facts():
            if isinstance(fact, m.OrderRequested):
                return fact.child.rpartition("-")[0] + "-"
    finally:
        reader.close()
    return ""
