"""The grid that a row of the screen is written on."""

from __future__ import annotations

from engine.core import Core
from engine.domain import Instrument, instrument_of


def known(core: Core, name: str) -> Instrument:
    """An instrument of the journal may have expired since: its grid is then read from its name."""
    return core.market.venue.instruments.get(name) or instrument_of(name)
