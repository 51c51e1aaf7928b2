"""Why a child is wanted, in words a trader would use."""

from __future__ import annotations

from engine import messages as m
from engine.domain import Instrument, Side
from engine.execution.pace import PATIENT, Pace
from engine.execution.policy import SCHEDULE, Advice

_NEUTRAL = {
    SCHEDULE: "no edge",
    "else": "no row but the last",
    "stable": "the price likely to stay",
    "calm": "calm, so half as fast again",
}


def sentence(
    instrument: Instrument, order: m.ParentAccepted, advice: Advice, quantity: int, worst: int, cross: bool, pace: Pace,
    row: str, odds: m.Odds | None,
) -> str:  # fmt: skip
    amount, price = f"{instrument.amount(quantity):.12g}", f"{instrument.price(worst):.12g}"
    buyer = order.side is Side.BUY
    act = f"take {amount} {'up' if buyer else 'down'} to {price}" if cross else f"rest {amount} at {price}"
    capped = " Size is dear: capped." if advice.max_child is not None else ""
    if row == "would":
        return f"At the price you would do all at: {act}.{capped}"
    against, back = (0.0, 0.0) if odds is None else (odds.up, odds.down) if buyer else (odds.down, odds.up)
    away, home = ("rise", "fall") if buyer else ("fall", "rise")
    if cross and advice.style in PATIENT:  # whatever the row, it has rested for long enough
        return _scheduled(act, "ask" if buyer else "bid", cross, pace, "") + capped
    if row == "up":
        return f"Price likely to {away} ({against:.0%}), worth more than the spread: {act}.{capped}"
    if row == "up, not worth the spread":
        return f"Price likely to {away} ({against:.0%}), but not by the spread: {act}.{capped}"
    if row == "down":
        return f"Price likely to {home} ({back:.0%}): {act} and let it come.{capped}"
    if row == "quiet":
        return f"Quiet, and the near side is deep: {act}.{capped}"
    if row not in _NEUTRAL:
        return f"The row '{row}' fires: {act}.{capped}"
    return _scheduled(act, "ask" if buyer else "bid", cross, pace, _NEUTRAL[row]) + capped


def _scheduled(act: str, far: str, cross: bool, pace: Pace, why: str) -> str:
    """Where size and side follow the schedule."""
    if cross and pace.closing:
        return f"Its time is nearly over: {act}, the {far}."
    if cross and pace.late and pace.lag >= 0.005:
        return f"Behind schedule by {pace.lag:.0%} of the order: {act}, the {far}."
    if cross and pace.late:
        return f"Due now, and the order is urgent: {act}, the {far}."
    if cross:
        return f"A fill is unlikely before it is too late: {act}, the {far}."
    return f"On the schedule, {why}: {act}."
