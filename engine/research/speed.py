"""How fast the paper market runs in memory, without the engine: market seconds a second of one core."""

from __future__ import annotations

import time
from typing import Any

from engine.domain import NS
from engine.paper.simulation import Simulation
from engine.paper.venue import VenueSettings

WARM_S = 5.0
STEP_S = 0.5


def speed(settings: VenueSettings, seed: int, start_ns: int, cpu_s: float = 3.0) -> dict[str, Any]:
    """Of this listing and crowd: `times` real time (of the process's own CPU seconds) with nobody watching, and `heard`
    with a client on the raw books and trades of everything; what is listed, how many agents trade, and the events (book
    changes and prints) of a market second."""
    simulation = Simulation(seed, start_ns, settings)
    simulation.advance(simulation.t + round(WARM_S * NS))
    times, _ = _run(simulation, cpu_s)
    channels = [f"{family}.{i.name}.raw" for i in simulation.instruments for family in ("book", "trades")]
    simulation.subscribe(channels)
    heard, events = _run(simulation, cpu_s)
    return {
        "times": times,
        "heard": heard,
        "events_per_s": events,
        "instruments": len(simulation.instruments),
        "coins": list(simulation.venue.markets),
        "agents": len(getattr(simulation.venue.crowd, "cast", ())),
    }


def _run(simulation: Simulation, cpu_s: float) -> tuple[float, float]:
    """(market seconds a CPU second, frames a market second)."""
    begin, cpu, frames = simulation.t, time.process_time(), 0
    while time.process_time() - cpu < cpu_s:
        frames += len(simulation.advance(simulation.t + round(STEP_S * NS)))
    seconds = (simulation.t - begin) / NS
    return round(seconds / (time.process_time() - cpu), 1), round(frames / seconds, 1)
