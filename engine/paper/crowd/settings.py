"""Every setting of the crowd."""

from __future__ import annotations

import msgspec

from engine.paper.crowd.blocks import BlockSettings
from engine.paper.crowd.consensus import ConsensusSettings
from engine.paper.crowd.flow import FlowSettings
from engine.paper.crowd.leverage import LeverageSettings
from engine.paper.crowd.makers import FutureMakerSettings, PickerSettings
from engine.paper.crowd.metaorders import MetaorderSettings
from engine.paper.crowd.option_takers import OptionTakerSettings
from engine.paper.crowd.option_visitors import OptionVisitorSettings
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
    option_visitors: OptionVisitorSettings = OptionVisitorSettings()
    blocks: BlockSettings = BlockSettings()
    flow: FlowSettings = FlowSettings()
    future_makers: FutureMakerSettings = FutureMakerSettings()
    pickers: PickerSettings = PickerSettings()
    metaorders: MetaorderSettings = MetaorderSettings()
    leverage: LeverageSettings = LeverageSettings()
