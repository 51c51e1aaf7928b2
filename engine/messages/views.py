"""Views: what a screen may know, in decimals and milliseconds.

Only the newest of a topic matters, except notes, which are numbered and must not be lost.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from engine.config import Mode
from engine.domain import Side
from engine.messages.cost_views import CostsView
from engine.messages.desk_views import DeskView
from engine.messages.hedge_views import HedgeView
from engine.messages.inputs import Forecast
from engine.messages.model_views import JobView, ModelRow, ModelStep
from engine.messages.surface_views import ArbitrageView, RiskView, SurfaceView

Verdict = Literal["edge", "no edge", "unknown yet", "drift"]
FeedState = Literal["live", "stale", "down"]


class _View(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    pass


class Skill(msgspec.Struct, frozen=True, kw_only=True):
    """A head's rolling score against its baseline: gain per forecast (above 0 is better) and its 90 % band."""

    verdict: Verdict
    gain: float | None = None
    lo: float | None = None
    hi: float | None = None
    n: int = 0


class StatusView(_View, frozen=True, kw_only=True, tag="status"):
    mode: Mode
    session: str
    feed: FeedState
    lag_ms: float | None
    now_ms: float
    n: int  # number of the last input
    facts: int  # number of the last fact
    model: str
    skill: Skill
    credits: float | None  # share of the venue's rate limit left
    orders_left: float | None = None  # orders, edits and single cancels that its matching engine takes at once now
    orders_burst: float | None = None  # of those at most
    orders_today: int = 0  # orders and amends sent today; cancelled takers count twice
    orders_per_contract: float | None = None  # of those for each contract filled today; None before the first fill
    margin: float | None  # share of equity used
    delta_coin: float | None
    delta_usd: float | None
    gamma: float | None
    vega: float | None
    pnl: float | None  # coin, today
    next_expiry_ms: float | None
    killed: str  # empty, or who pressed it and what came of it
    reconciled: bool
    halted: str  # empty, or why the engine neither proposes nor sends
    instruments: int
    kill_ms: float | None = None  # from the press to the venue's word that nothing is open; None until then
    kill_delta: float | None = None  # coin, left over


class LadderView(_View, frozen=True, kw_only=True, tag="ladder"):
    """Levels are `[units, contracts]`, best first. A price is `units × unit`, shown with `digits`."""

    instrument: str
    unit: float
    digits: int
    steps: tuple[tuple[int, int], ...]  # (above units, tick in units)
    lot: float
    contract_label: str  # "BTC" or "USD"
    t_ms: float
    stale: str  # empty, or why the book cannot be trusted
    state: str  # of the instrument at the venue: open, halted, …
    bids: tuple[tuple[int, float], ...]
    asks: tuple[tuple[int, float], ...]
    own: tuple[OwnOrder, ...]
    micro: float | None  # units
    fair: float | None  # units: the surface's price at the present forward
    mark: float | None  # units
    forward: float | None  # USD
    mark_iv: float | None  # per cent
    fair_iv: float | None  # per cent
    bid_iv: float | None
    ask_iv: float | None
    delta: float | None
    coin_delta: float | None
    trades: tuple[tuple[float, int, float, str], ...]  # (ms, units, contracts, "buy"|"sell"), newest last


class OwnOrder(msgspec.Struct, frozen=True, kw_only=True):
    child: str
    side: Side
    units: int
    remaining: float
    state: str


class GaugesView(_View, frozen=True, kw_only=True, tag="gauges"):
    """The forecast of one instrument, its verdicts by head, and the thresholds that the policy holds against it."""

    instrument: str
    t_ms: float
    forecast: Forecast | None
    warm: float  # 0 … 1
    note: str  # empty, or in words why there is no forecast or it is not to be trusted
    underlying_ticks: float | None  # expected move that comes from the underlying, × coin delta
    own_ticks: float | None  # the option's own residual
    move_threshold_ticks: float | None  # "stable" is a move below this
    skill: dict[str, Skill]  # direction, direction_10, direction_60, slippage, volatility, fill, impact, spread
    thresholds: dict[str, float]  # the policy's: up, down, slippage, volatility
    firing: dict[str, float]  # policy row → share of moments in which it fired
    fragility: float | None  # 0 … 1
    fragility_ofi: float | None
    later_thresholds_ticks: dict[str, float] = {}  # of direction_10 and direction_60
    direction_s: int = 1  # the horizon that the policy reads


class RowFiring(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the policy, and the share of moments in which it fired; `flag` says so if that says nothing."""

    name: str
    kind: Literal["protective", "opportunistic"]
    share: float | None
    flag: str


class SkillView(_View, frozen=True, kw_only=True, tag="skill"):
    """What the model in use has been worth here of late, all instruments together."""

    model: str  # or "baseline"
    skill: dict[str, Skill]  # by head
    unlike: float  # share of its inputs of late that are unlike its training
    unlike_limit: float  # above which every verdict is drift
    rows: tuple[RowFiring, ...]
    looks: int  # moments in which the rows were read


class Marker(msgspec.Struct, frozen=True, kw_only=True):
    t_ms: float
    kind: str
    text: str


class ReplayView(_View, frozen=True, kw_only=True, tag="replay"):
    session: str
    start_ms: float
    end_ms: float
    now_ms: float
    playing: bool
    speed: float
    step: int  # number of the input shown
    steps: int
    markers: tuple[Marker, ...]
    note: str


class ChainView(_View, frozen=True, kw_only=True, tag="chain"):
    """What can be looked at: name, kind, expiry and strike, in the venue's order."""

    instruments: tuple[tuple[str, str, float, float], ...]


class ModelsView(_View, frozen=True, kw_only=True, tag="models"):
    """The registry, the champion first, and what was promoted and rolled back, newest first."""

    in_use: str  # here and now, or "baseline"
    models: tuple[ModelRow, ...]
    history: tuple[ModelStep, ...]
    note: str  # empty, or why the registry cannot be read


class NoteView(_View, frozen=True, kw_only=True, tag="note"):
    """A numbered line of the decision log and the alerts; must not be lost."""

    n: int
    t_ms: float
    level: Literal["info", "good", "warn", "bad"]
    who: str
    text: str
    instrument: str = ""
    parent: str = ""
    model: str = ""


View = (
    StatusView
    | LadderView
    | GaugesView
    | SkillView
    | SurfaceView
    | ArbitrageView
    | RiskView
    | HedgeView
    | DeskView
    | CostsView
    | ReplayView
    | ChainView
    | ModelsView
    | JobView
    | NoteView
)
