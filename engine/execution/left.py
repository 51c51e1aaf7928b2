"""Why a parent whose time is over has something left, in words. Pure."""

from __future__ import annotations

from engine.execution import risk
from engine.execution.desk import Desk, Parent
from engine.execution.limit import bounded
from engine.execution.pace import allowed, due_by
from engine.execution.picture import Picture, touch


def why_left(desk: Desk, picture: Picture, parent: Parent) -> str:
    """What holds the rest back as it ends: first what stops it whatever the market does, then the market."""
    order, instrument = parent.order, picture.venue.instruments.get(parent.order.instrument)
    if parent.state == "paused":
        return parent.reason or "it was paused"
    if instrument is None:
        return f"{order.instrument} is not listed any more"
    if parent.suspended:
        return parent.suspended
    if reason := risk.closed(desk, picture) or risk.unsound(picture, instrument.name, desk.config.limits.silence_s):
        return reason
    if picture.now < max(parent.halted_until, parent.quiet_until):
        return parent.reason or "its proposal was turned down"
    if allowed(desk, picture, parent) <= 0:
        return "held back by the participation cap"
    far = touch(picture, instrument, order.side.other)
    article, what = ("an", "ask") if order.side.sign > 0 else ("a", "bid")
    if far is None:
        return f"nobody shows {article} {what}"
    terms = bounded(picture, order, instrument)
    if isinstance(terms, str):
        return terms
    if order.side.sign * (far - terms.limit) > 0:
        return f"the {what} of {instrument.price(far):.12g} is beyond its limit {instrument.price(terms.limit):.12g}"
    if due_by(desk, picture, parent, picture.now) <= parent.filled:
        return "its schedule asked for no more"
    return "what it worked was not filled in time"
