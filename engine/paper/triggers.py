"""Orders that wait for a price: stops, takes and trailing stops, in state "untriggered".

A stop waits for the price to move against its side (a buy for a rise), a take for the other way. A trailing stop's
trigger price follows the best price seen at a distance of its offset, and only ever towards it.
"""

from __future__ import annotations

from engine.domain import Instrument, Kind

INDEX_TICK = 0.01  # USD: the grid of an option's trigger price on the index


def unit(instrument: Instrument, trigger: str) -> float:
    """What trigger prices and offsets are counted in: the instrument's tick, or cents of USD for an option's index."""
    return INDEX_TICK if trigger == "index" and instrument.kind is Kind.OPTION else instrument.tick
