"""What the forecasts and the surface say a trade costs and risks: the parameters of Almgren and Chriss."""

from __future__ import annotations

import msgspec

from engine import messages as m
from engine.domain import NS, Instrument, Side
from engine.execution.desk import Desk
from engine.execution.picture import Picture
from engine.execution.policy import or_baseline
from engine.execution.schedules import almgren_chriss as ac
from engine.messages import SIZES

TEN = 10.0  # contracts, of the impact head


class Impact(msgspec.Struct, frozen=True, kw_only=True):
    """Per contract, for one side: `slope`, ticks beyond the touch that each contract taken at once costs, and
    `permanent`, ticks by which it leaves the price moved."""

    slope: float
    permanent: float


def impact_of(picture: Picture, name: str, side: Side) -> Impact | None:
    """Of the heads that have an edge, else of the book walked as it stands. None without a two-sided book."""
    forecast = picture.forecasts.get(name)
    slip, push = or_baseline(picture, forecast, name, "slippage"), or_baseline(picture, forecast, name, "impact")
    if slip is None or push is None:
        return None
    curve = slip.slip_buy if side is Side.BUY else slip.slip_sell
    moved = push.impact_buy if side is Side.BUY else push.impact_sell
    slope = ac.slope(SIZES, [max(mid, 0.0) for _, mid, _ in curve])
    return Impact(slope=slope, permanent=max(moved, 0.0) / TEN)


def kappa_of(desk: Desk, picture: Picture, instrument: Instrument, order: m.ParentAccepted) -> float:
    """κ of an order per second; 0, which is TWAP, where the book or the volatility is not known."""
    impact, sigma = impact_of(picture, instrument.name, order.side), picture.sigma_ticks(instrument.name)
    if impact is None or sigma is None:
        return 0.0
    contracts = order.quantity * instrument.lot / instrument.contract
    tau = (order.end - order.start) / NS * min(desk.config.execution.base_child / contracts, 1.0)
    risk = ac.risk_aversion(order.urgency, contracts)
    return ac.kappa(risk, sigma, impact.slope * tau, impact.permanent, tau)
