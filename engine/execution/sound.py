"""Whether anything at all may be sent now: by this desk, and in this instrument. Pure."""

from __future__ import annotations

from engine.domain import NS
from engine.execution.desk import Desk
from engine.execution.picture import Picture


def closed(desk: Desk, picture: Picture, reducing: bool = False) -> str:
    """Why the whole desk sends nothing new now; empty if it may. `reducing` is of a hedge that only reduces a position:
    it may be allowed once a kill is confirmed."""
    if desk.config.mode == "replay":
        return "this is a replay: it has no route to any venue"
    if picture.halted:
        return picture.halted
    if desk.killed and not (reducing and desk.killed.took and desk.config.hedging.while_killed):
        return f"killed by {desk.killed.by}; an admin must re-arm"
    if not picture.venue.up:
        return "the venue's connection is down"
    if not picture.venue.authenticated:
        return "the venue has not authenticated this desk"
    lag = picture.venue.lag
    if lag is not None and abs(lag) > desk.config.limits.clock_s * NS:
        return f"the venue's clock and ours are {abs(lag) / NS:.1f} s apart"
    if not desk.reconciled:
        return "the venue is still being asked what it holds"
    if not picture.venue.listening:
        return "the venue has not agreed to tell this desk of its orders"
    return ""


def unsound(picture: Picture, name: str, silence_s: float) -> str:
    """Why this instrument's book cannot be acted on; empty if it can."""
    venue = picture.venue
    book = venue.books.get(name)
    if book is None:
        return f"the book of {name} is not subscribed"
    if book.stale:
        return f"the book of {name} is stale: {book.stale}"
    if picture.now - venue.heard > silence_s * NS:
        return f"the venue has said nothing for {(picture.now - venue.heard) / NS:.1f} s"
    state = venue.state_of(name)
    if state != "open":
        return f"{name} is {state} at the venue"
    instrument = venue.instruments.get(name)
    if instrument is None:
        return f"{name} is not listed"
    if instrument.expiry and picture.now >= instrument.expiry:
        return f"{name} has expired"
    return ""
