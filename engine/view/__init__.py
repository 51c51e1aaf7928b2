"""What a screen may know, as functions of the engine's state. A view decides nothing and changes nothing."""

from engine.view.book import gauges, ladder
from engine.view.chain import chain, surface
from engine.view.desk import desk, status
from engine.view.notes import say

__all__ = ["chain", "desk", "gauges", "ladder", "say", "status", "surface"]
