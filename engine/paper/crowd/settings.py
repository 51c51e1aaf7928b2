"""Every setting of the crowd."""

from __future__ import annotations

import msgspec

from engine.paper.crowd.blocks import BlockSettings
from engine.paper.crowd.consensus import ConsensusSettings
from engine.paper.crowd.option_takers import OptionTakerSettings
from engine.paper.crowd.options import MakerSettings
from engine.paper.crowd.smile import SmileSettings
from engine.paper.crowd.world import Weather


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The crowd: how many there are and how busy. Intervals are mean seconds between turns."""

    weather: Weather = Weather()
    smile: SmileSettings = SmileSettings()
    consensus: ConsensusSettings = ConsensusSettings()
    option_makers: MakerSettings = MakerSettings()
    option_takers: OptionTakerSettings = OptionTakerSettings()
    blocks: BlockSettings = BlockSettings()
    future_makers: int = 3
    future_maker_s: float = 0.15
    latency_ms: tuple[float, ...] = (60.0, 180.0, 400.0)  # of the makers, in turn
    future_taker_s: float = 0.40
    informed: float = 0.6  # how much of the takers' side comes from the drift
    visitor_s: float = 1.2
    picker_s: float = 0.3
