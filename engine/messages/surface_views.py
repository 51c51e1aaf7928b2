"""Views of the volatility surface. IVs per cent, strikes and forwards USD, times ms; None where nothing is known."""

from __future__ import annotations

import msgspec

from engine.domain import Side

Seven = tuple[float, float, float, float, float, float, float]  # a, b₁, m₁, σ₁, b₂, m₂, σ₂ of a split SVI slice


class SmilePoint(msgspec.Struct, frozen=True, kw_only=True):
    instrument: str
    strike: float
    call: bool
    bid_iv: float | None
    ask_iv: float | None
    mid_iv: float | None
    mark_iv: float | None
    fit_iv: float | None = None
    t_ms: float | None = None  # when the venue last told of it; None: never
    state: str = "open"  # other than open it cannot be traded


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """A smile as numbers: total variance over `years` is the highest of its slices at ln(strike / forward)."""

    code: str
    forward: float
    years: float
    slices: tuple[Seven, ...]


class Smile(msgspec.Struct, frozen=True, kw_only=True):
    """One expiry: quotes as points, the fit as a curve."""

    expiry_ms: float
    code: str
    forward: float
    years: float
    points: tuple[SmilePoint, ...]
    curve_strikes: tuple[float, ...]
    curve_iv: tuple[float, ...]
    curve_error: tuple[float, ...] = ()  # standard error of the curve, vol points; empty where nothing is known of it
    atm_iv: float | None
    skew: float | None  # vol points per 10 % of log-moneyness
    curvature: float | None = None  # vol points per (10 % of log-moneyness)²
    rms_bp: float | None  # fit against mid, vol basis points
    source: str = "none"  # quotes, marks, flat, none
    shape: Shape | None = None  # None where no smile is known
    note: str


class Earlier(msgspec.Struct, frozen=True, kw_only=True):
    """The smiles of an earlier moment, asked for as `minutes` ago, 0 for the session's start."""

    minutes: int
    t_ms: float
    shapes: tuple[Shape, ...]


class ForwardRow(msgspec.Struct, frozen=True, kw_only=True):
    """An expiry's forward as agreed on, USD; `sources`: name (future, parity, ticker), USD, and how far off in bp."""

    code: str
    value: float
    apart_bp: float
    sources: tuple[tuple[str, float, float], ...]


class FactorRow(msgspec.Struct, frozen=True, kw_only=True):
    """Level, skew, curvature or slope of an expiry, or the index (`code` is empty): per cent, now and one minute ahead
    (None while the smile is an old one: nothing is foretold from that).

    Persistence is the baseline: `gain` in absolute error over it with its 90 % band, and what that means in a word.
    `changes`: minutes back, and the change since; only what is known of that moment.
    """

    name: str
    coin: str
    code: str
    value: float
    ahead: float | None
    verdict: str  # edge, no edge, drift, unknown yet
    gain: float | None
    lo: float | None
    hi: float | None
    n: int
    changes: tuple[tuple[int, float], ...]


class SurfaceView(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="surface"):
    coin: str
    t_ms: float
    strikes: tuple[float, ...]
    smiles: tuple[Smile, ...]
    flags: tuple[str, ...]  # what is wrong with the fits, in words
    past: tuple[Earlier, ...] = ()
    forwards: tuple[ForwardRow, ...] = ()
    factors: tuple[FactorRow, ...] = ()


class ExposureRow(msgspec.Struct, frozen=True, kw_only=True):
    """What is held of one expiry, or of all: coin (value, deltas), USD (value), USD a vol point and a day; `gamma`:
    delta's change for 1 %. `known` positions are in these sums, `unknown` ones are not."""

    code: str
    value: float
    usd: float
    delta: float
    coin_delta: float
    gamma: float
    vega: float
    theta: float
    known: int
    unknown: int


class RiskView(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="risk"):
    """`ladder`: USD gained when all forwards move by `spot` (fractions, columns) and all IVs by `points` (rows);
    `coins`: the same in coin, where one coin is held. `unknown`: instruments held that are in no sum, for want of a
    volatility or a forward."""

    spot: tuple[float, ...]
    points: tuple[float, ...]
    ladder: tuple[tuple[float, ...], ...]
    coins: tuple[tuple[float, ...], ...]
    exposures: tuple[ExposureRow, ...]
    unknown: tuple[str, ...]


class LegRow(msgspec.Struct, frozen=True, kw_only=True):
    instrument: str
    side: Side
    size: float
    price: float
    digits: int


class ArbitrageRow(msgspec.Struct, frozen=True, kw_only=True):
    """What can be done at the quotes. `profit`: coin, locked at the least, after fees; `usd` at the forward. `needs`:
    what a calendar stands on beside the quotes, in words."""

    kind: str
    code: str
    coin: str
    legs: tuple[LegRow, ...]
    profit: float
    usd: float | None
    needs: str = ""


class ArbitrageView(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="arbitrage"):
    """`looked`: expiries looked at lately, of `expiries`; with none looked at, nothing is said."""

    looked: int
    expiries: int
    quotes: int
    rows: tuple[ArbitrageRow, ...]
