"""Inputs: all that can happen, each with a number `n` and a time `t` (ns UTC) given at the one door."""

from __future__ import annotations

from typing import Literal

import msgspec

from engine.config import Config
from engine.domain import Instrument
from engine.messages.verbs import Verb

Role = Literal["viewer", "trader", "admin"]


SIZES = (1.0, 2.0, 5.0, 10.0, 25.0)  # contracts, of the slippage curve


class Odds(msgspec.Struct, frozen=True, kw_only=True):
    """Where the fair micro-price will be after so many seconds; a move below the frozen threshold is "stable"."""

    seconds: int
    up: float
    down: float
    stable: float


class TraderView(msgspec.Struct, frozen=True, kw_only=True):
    """What the trader thinks himself, with the weight that it has beside the model; over at `until` (ns)."""

    up: float
    down: float
    weight: float
    until: int


class Forecast(msgspec.Struct, frozen=True, kw_only=True):
    """One instrument's forecast at one step. Probabilities sum to 1; ticks are ticks at that price.

    `up`, `down`, `stable` are of the next second, `later` of longer horizons.

    `slip_buy[i]` is the expected cost beyond the touch of taking SIZES[i] contracts now, `(lo, mid, hi)`. `impact_*`
    is the push on the micro-price after 5 s of taking 10. `fill_*` is P(a passive order at that touch fills in 5 s).
    `iv_move` is the relative change of IV in 60 s, in per cent, `(lo, mid, hi)`; bands are 80 %.
    `drift_ticks` is the expected move of the fair micro-price in 1 s.
    """

    t: int
    source: str  # id of the weights, or "baseline"
    warm: bool
    familiar: bool  # the inputs look like those of the training
    up: float
    down: float
    stable: float
    drift_ticks: float
    slip_buy: tuple[tuple[float, float, float], ...]
    slip_sell: tuple[tuple[float, float, float], ...]
    impact_buy: float
    impact_sell: float
    fill_bid: float
    fill_ask: float
    iv_move: tuple[float, float, float]
    spread_ticks: float
    depth: float  # contracts at the touch, mean of both sides, expected in 10 s
    later: tuple[Odds, ...] = ()

    def odds(self, seconds: int) -> Odds | None:
        """Of this horizon, None where nothing is said of it."""
        if seconds == 1:
            return Odds(seconds=1, up=self.up, down=self.down, stable=self.stable)
        return next((each for each in self.later if each.seconds == seconds), None)


class _Input(msgspec.Struct, frozen=True, kw_only=True, tag_field="in"):
    n: int
    t: int


class Started(_Input, frozen=True, kw_only=True, tag="started"):
    """An engine began. `code` is the version of the code, `model` the id of the weights, empty for none."""

    config: Config
    code: str
    model: str
    seed: int
    session: str
    instruments: tuple[Instrument, ...] = ()  # known beforehand, where a recording has no instrument answer


class Frame(_Input, frozen=True, kw_only=True, tag="frame"):
    """Bytes from the venue, exactly as they came."""

    data: bytes


class Link(_Input, frozen=True, kw_only=True, tag="link"):
    """The venue's connection came up (authenticated or not) or went down."""

    up: bool
    authenticated: bool = False
    reason: str = ""


class Tick(_Input, frozen=True, kw_only=True, tag="tick"):
    """The clock's 100 ms step. The core has no other clock."""


class Command(_Input, frozen=True, kw_only=True, tag="command"):
    id: str
    user: str
    role: Role
    verb: Verb


class Sent(_Input, frozen=True, kw_only=True, tag="sent"):
    """The shell has written this call to the socket."""

    call: str


class Failed(_Input, frozen=True, kw_only=True, tag="failed"):
    """The shell did not write this call: the link was down, or it had gone stale while it became durable."""

    call: str
    reason: str


class Focus(_Input, frozen=True, kw_only=True, tag="focus"):
    """What all screens together look at: subscribed at full depth and forecast."""

    instruments: tuple[str, ...]


class ModelSwap(_Input, frozen=True, kw_only=True, tag="model"):
    """From the next step on forecasts are made by this model; with a reason, it cannot be used and the present one
    goes on."""

    model: str
    reason: str = ""


class Halted(_Input, frozen=True, kw_only=True, tag="halted"):
    """The shell can no longer keep what is decided (a journal or tape that cannot be written): nothing new goes out."""

    reason: str


class Mended(_Input, frozen=True, kw_only=True, tag="mended"):
    """The shell keeps what is decided again, and all that it could not keep meanwhile."""


Input = Started | Frame | Link | Tick | Command | Sent | Failed | Focus | ModelSwap | Halted | Mended


class Forecasts(msgspec.Struct, frozen=True, tag_field="in", tag="forecasts"):
    """Beside the inputs on the tape: the model's outputs that step `n` made and decisions may have read."""

    n: int
    values: dict[str, Forecast]
