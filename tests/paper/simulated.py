"""A small paper venue in memory, and all that its client can subscribe to."""

from __future__ import annotations

from engine.paper.instruments.listing import Spec
from engine.paper.simulation import Simulation
from engine.paper.venue import VenueSettings
from tests.paper.small import START

SETTINGS = VenueSettings(listing=(Spec(expiries=2, strikes=3, futures=1),))


def simulation(seed: int = 7) -> Simulation:
    return Simulation(seed, START, SETTINGS)


def channels(sim: Simulation, pace: str = "raw") -> list[str]:
    names = [instrument.name for instrument in sim.instruments]
    return [f"{family}.{name}.{pace}" for name in names for family in ("book", "ticker", "trades")] + [
        "markprice.options.btc_usd", "deribit_price_index.btc_usd", "deribit_volatility_index.btc_usd",
        "user.orders.any.any.raw", "user.trades.any.any.raw", "user.changes.any.any.raw", "user.portfolio.btc",
    ]  # fmt: skip
