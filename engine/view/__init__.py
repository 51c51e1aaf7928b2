"""What a screen may know, as functions of the engine's state. A view decides nothing and changes nothing."""

from engine.view.arbitrage import Watch
from engine.view.book import gauges, ladder
from engine.view.chain import chain
from engine.view.costs import costed, costs
from engine.view.desk import desk, status
from engine.view.estimate import answer as estimate
from engine.view.hedge import hedged
from engine.view.notes import say
from engine.view.risk import risk
from engine.view.skill import skill
from engine.view.surface import surface
from engine.view.why import answer as why

__all__ = [
    "Watch", "chain", "costed", "costs", "desk", "estimate", "gauges", "hedged", "ladder", "risk", "say", "skill",
    "status", "surface", "why",
]  # fmt: skip
