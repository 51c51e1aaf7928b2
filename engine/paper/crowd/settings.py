"""Every setting of the crowd: the usual, the regimes to choose from, what is held out, and the hash of it all.

The figures are each struct's own defaults, with their sources beside them. They were fitted to the recordings and are
frozen: every figure that was made on the paper market names `digest(settings)`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np

from engine.paper.crowd.blocks import BlockSettings
from engine.paper.crowd.consensus import ConsensusSettings
from engine.paper.crowd.flow import FlowSettings
from engine.paper.crowd.future_makers import FutureMakerSettings, PickerSettings
from engine.paper.crowd.leverage import LeverageSettings
from engine.paper.crowd.metaorders import MetaorderSettings
from engine.paper.crowd.option_makers import OptionMakerSettings
from engine.paper.crowd.option_takers import OptionTakerSettings
from engine.paper.crowd.option_visitors import OptionVisitorSettings
from engine.paper.crowd.smile import SmileSettings
from engine.paper.crowd.tape import TapeSettings
from engine.paper.crowd.world import Regime, Weather


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The crowd of every coin. `coins` has each one's share of the volumes and of the volatility here said."""

    weather: Weather = Weather()
    smile: SmileSettings = SmileSettings()
    consensus: ConsensusSettings = ConsensusSettings()
    option_makers: OptionMakerSettings = OptionMakerSettings()
    option_takers: OptionTakerSettings = OptionTakerSettings()
    option_visitors: OptionVisitorSettings = OptionVisitorSettings()
    blocks: BlockSettings = BlockSettings()
    flow: FlowSettings = FlowSettings()
    future_makers: FutureMakerSettings = FutureMakerSettings()
    tape: TapeSettings = TapeSettings()
    pickers: PickerSettings = PickerSettings()
    metaorders: MetaorderSettings = MetaorderSettings()
    leverage: LeverageSettings = LeverageSettings()
    coins: tuple[tuple[str, float, float], ...] = (("BTC", 1.0, 1.0), ("ETH", 0.4, 1.3))

    def of(self, coin: str) -> Settings:
        """As they are for this coin's underlying."""
        volume, vol = next((row[1:] for row in self.coins if row[0] == coin), (1.0, 1.0))
        return _scaled(self, volume=volume, vol=vol)


REGIMES = ("calm", "normal", "trending", "volatile", "thin", "crisis")


def settings_of(regime: str) -> Settings:
    """Raises KeyError for a name that is not among REGIMES."""
    return _MADE[regime]


def held_out(seed: int, regime: str = "normal") -> Settings:
    """Settings nobody trains on: each figure from a band between or beyond those of the regimes, or, of another regime
    than the normal, as far from its own. Raises KeyError for a regime that there is not."""
    own, usual = settings_of(regime), Settings()
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, _HELD_OUT])))
    vol = _band(rng, (0.70, 0.80), (1.25, 1.60))
    made = _scaled(own, volume=_band(rng, (0.55, 0.75), (1.30, 1.70)), vol=vol)
    w, f, m = made.weather, made.flow, made.future_makers
    rate = _band(rng, (0.70, 0.85), (1.20, 1.45))
    weather = msgspec.structs.replace(
        w, fast=_band(rng, (0.22, 0.30), (0.42, 0.55)) * (w.fast / usual.weather.fast),
        jumps_per_hour=_band(rng, (2.0, 4.0), (8.0, 14.0)) * (w.jumps_per_hour / usual.weather.jumps_per_hour),
        drift=max(_band(rng, (0.006, 0.009)), w.drift),
        burst=_band(rng, (0.45, 0.55), (0.65, 0.75)),
    )  # fmt: skip
    flow = msgspec.structs.replace(
        f, rates=_times(f.rates, rate), length=_band(rng, (1.35, 1.45), (1.6, 1.8)),
        touch=_band(rng, (0.12, 0.16), (0.21, 0.26)),
    )  # fmt: skip
    makers = msgspec.structs.replace(
        m, tolerance_bp=_times(m.tolerance_bp, _band(rng, (0.80, 0.90), (1.10, 1.20))),
        late_ms=_times(m.late_ms, _band(rng, (0.6, 0.8), (1.3, 1.8))), skew=m.skew * _band(rng, (0.6, 0.8), (1.1, 1.2)),
    )  # fmt: skip
    return msgspec.structs.replace(made, weather=weather, flow=flow, future_makers=makers)


def digest(settings: Settings) -> str:
    """The SHA-256 of the settings' JSON, by which figures name the market they were made on."""
    return hashlib.sha256(msgspec.json.encode(settings)).hexdigest()


_HELD_OUT = 0x48454C44


def _band(rng: np.random.Generator, *bands: tuple[float, float]) -> float:
    """From one of the bands, whichever: uniform inside it."""
    which, within = float(rng.random()), float(rng.random())
    low, high = bands[int(which * len(bands))]
    return round(low + (high - low) * within, 6)


def _times(values: tuple[float, ...], by: float) -> tuple[float, ...]:
    return tuple(round(value * by, 9) for value in values)


def _with(settings: Settings, changes: Mapping[str, Mapping[str, Any]]) -> Settings:
    """Fields of parts, by the part's name."""
    parts = {part: msgspec.structs.replace(getattr(settings, part), **new) for part, new in changes.items()}
    return msgspec.structs.replace(settings, **parts)


def _scaled(s: Settings, volume: float = 1.0, vol: float = 1.0, depth: float = 1.0, busy: float = 1.0) -> Settings:
    """Everybody trades `volume` times as much at a time, in a price `vol` times as restless; the book is `depth` times
    as deep besides and events come `busy` times as often. Distances follow the volatility."""
    near = vol**0.8
    size = volume * depth
    return _with(s, {
        "weather": {"vol": s.weather.vol * vol},
        "flow": {"rates": _times(s.flow.rates, busy), "size": s.flow.size * volume,
                 "rest_size": s.flow.rest_size * size, "depth_bp": s.flow.depth_bp * near,
                 "sight_bp": s.flow.sight_bp * near, "flee_bp": s.flow.flee_bp * near},
        "future_makers": {"tolerance_bp": _times(s.future_makers.tolerance_bp, near),
                          "touch": s.future_makers.touch * size, "remnant": s.future_makers.remnant * size,
                          "edge_bp": s.future_makers.edge_bp * near, "deep_bp": _times(s.future_makers.deep_bp, near),
                          "lean_usd": s.future_makers.lean_usd * size},
        "pickers": {"edge_bp": s.pickers.edge_bp * near, "size": s.pickers.size * volume},
        "tape": {"bp": s.tape.bp * near, "usd": s.tape.usd * volume, "news_bp": s.tape.news_bp * near},
        "metaorders": {"size": s.metaorders.size * volume},
        "leverage": {"size": s.leverage.size * volume, "piece": s.leverage.piece * volume,
                     "near_bp": s.leverage.near_bp * near, "far_bp": s.leverage.far_bp * near},
    })  # fmt: skip


def _regimes() -> dict[str, Settings]:
    usual = Settings()
    quiet = (Regime(level=0.7, stay_s=3600.0, draw=0.5), Regime(level=1.0, stay_s=1800.0, draw=0.5))
    wild = (Regime(level=0.8, stay_s=900.0, draw=0.4), Regime(level=1.2, stay_s=600.0, draw=0.6))
    return {
        "normal": usual,
        "calm": _with(_scaled(usual, vol=0.55, busy=0.6, depth=1.3), {
            "weather": {"regimes": quiet, "jumps_per_hour": 1.0, "fast": 0.25}}),
        "trending": _with(usual, {
            "weather": {"drift": 0.08, "drift_half_life": 1200.0}, "leverage": {"herd": 0.85, "open_s": 8.0}}),
        "volatile": _with(_scaled(usual, vol=2.0, busy=1.5, depth=0.7), {
            "weather": {"regimes": wild, "jumps_per_hour": 15.0, "fast": 0.45},
            "option_makers": {"width": usual.option_makers.width * 1.5}}),
        "thin": _with(_scaled(usual, busy=0.5, depth=0.25), {
            "flow": {"resting": usual.flow.resting // 2},
            "option_makers": {"width": usual.option_makers.width * 1.5, "size": usual.option_makers.size * 0.4}}),
        "crisis": _with(_scaled(usual, vol=3.2, busy=1.8, depth=0.35), {
            "weather": {"regimes": wild, "jumps_per_hour": 60.0, "jump": 0.003, "fast": 0.5, "drift": 0.04},
            "future_makers": {"fear": 3.0},
            "leverage": {"most": 240, "open_s": 4.0, "near_bp": 15.0, "far_bp": 300.0, "herd": 0.8,
                         "size": usual.leverage.size * 3.0},
            "option_makers": {"width": usual.option_makers.width * 2.5, "size": usual.option_makers.size * 0.4}}),
    }  # fmt: skip


_MADE = _regimes()
