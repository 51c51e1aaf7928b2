"""What moves a forecast most, in words: made when somebody asks."""

from __future__ import annotations

from engine import messages as m
from engine.core import Core
from engine.forecast.why import Reason, why

SHOWN = 4
LEAST = 0.005  # what moves a probability by less than half a point is not a reason


def answer(core: Core, asked: m.Why) -> m.Answer:
    """Refused, with the reason, where there is no forecast of a model to explain."""
    market = core.market
    forecast, past = market.forecasts.get(asked.instrument), market.forecaster.past(asked.instrument)
    weights = market.forecaster.weights
    if forecast is None or past is None or weights is None or forecast.source != weights.id:
        return m.Answer(id=asked.id, ok=False, text="no model forecasts this instrument now")
    reasons = why(weights, market.venue.instruments[asked.instrument].kind, past)
    if reasons is None:
        return m.Answer(id=asked.id, ok=False, text="the model has not seen enough of it yet")
    said = [_said(each) for each in reasons[:SHOWN] if max(abs(each.up), abs(each.down)) >= LEAST]
    found = "; ".join(said) or "as on average, nothing stands out"
    return m.Answer(id=asked.id, ok=True, text=f"up {forecast.up:.0%}, down {forecast.down:.0%}: {found}")


def _said(reason: Reason) -> str:
    return f"{reason.group} {100 * reason.up:+.1f} up, {100 * reason.down:+.1f} down"
