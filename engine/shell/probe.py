"""Checks on the venue, from here, everything that the code assumes about it; live arms only after it has passed.

Theory of operation. Each check is one small function that asks, and raises `Unlike` with a sentence where the venue
does otherwise than VENUE.md says; what it found instead of an assumption is in its detail either way. Orders are of the
smallest size: those on an option rest at the lowest price that the venue allows, those that must stand near the touch
are ten dollars of the perpetual. Whatever happens, what the probe sent is cancelled in the end by its labels, and asked
for until nothing of it is open.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from engine.shell import probe_line as connection
from engine.shell import probe_orders as orders
from engine.shell.feed import MAX_FRAME, Credentials
from engine.shell.line import Line, Refused
from engine.shell.passes import Check
from engine.shell.probe_line import Probe, Unlike

ANSWER_S = 20.0  # in which a check is over


async def probe(url: str, secret: Credentials, coin: str, say: Callable[[Check], None]) -> list[Check]:
    """Every check in its order, said as it is done. Raises OSError where there is no line."""
    found: list[Check] = []
    try:
        async with connect(url, max_size=MAX_FRAME, compression=None) as socket:
            one = Probe(url, secret, coin)
            one.line = Line(socket)
            await _all(one, found, say)
    except WebSocketException as error:
        raise ConnectionError(f"{url} cannot be talked to: {error}") from None
    return found


async def _all(one: Probe, found: list[Check], say: Callable[[Check], None]) -> None:
    try:
        for name, check in CHECKS.items():
            found.append(await _checked(name, check, one))
            say(found[-1])
            if name in NEEDED and not found[-1].ok:
                return
    finally:
        found.append(await _checked("clean up", orders.clean_up, one))
        say(found[-1])


async def _checked(name: str, check: Callable[[Probe], Awaitable[str]], one: Probe) -> Check:
    try:
        async with asyncio.timeout(ANSWER_S):
            return Check(name=name, ok=True, detail=await check(one))
    except (Unlike, Refused) as unlike:
        return Check(name=name, ok=False, detail=str(unlike))
    except TimeoutError:
        return Check(name=name, ok=False, detail=f"the venue did not answer in {ANSWER_S:.0f} s")
    except (WebSocketException, OSError) as error:
        return Check(name=name, ok=False, detail=f"the line broke: {str(error) or type(error).__name__}")
    except (msgspec.ValidationError, KeyError, TypeError) as error:
        return Check(name=name, ok=False, detail=f"an answer is not what it should be: {error}")


CHECKS: dict[str, Callable[[Probe], Awaitable[str]]] = {
    "clock": connection.clock,
    "login": connection.login,
    "refresh": connection.refresh,
    "heartbeat": connection.heartbeat,
    "limits": connection.limits,
    "instruments": connection.instruments,
    "quotes": connection.quotes,
    "subscriptions": connection.subscriptions,
    "label round trip": orders.label_round_trip,
    "amending": orders.amending,
    "cancel by label": orders.cancel_by_label,
    "labels repeat": orders.labels_repeat,
    "valid until": orders.valid_until,
    "immediate or cancel": orders.immediate,
    "post-only rejects": orders.post_only_rejects,
    "post-only re-prices": orders.post_only_reprices,
    "smallest amount": orders.smallest_amount,
    "wrong tick": orders.wrong_tick,
    "price bounds": orders.beyond_bounds,
    "unknown instrument": orders.unknown_instrument,
    "positions": orders.positions,
    "cancel on disconnect": orders.cancel_on_disconnect,
    "burst": connection.burst,
}
NEEDED = frozenset({"login", "limits", "instruments", "quotes"})  # without these the rest can say nothing
