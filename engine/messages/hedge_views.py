"""The view of hedging: what the book and each parent hold of delta, the band it may stray in, what is done about it.

`delta` is coin in the kind that the settings say (`coin`: Black–Scholes less the mark; or `black_scholes`), `usd` the
same at the index. Commands: `SetHedge` (on, dial, target of the book), `SetHedgeDial` (of one parent); a hedge's
proposal is a `ProposalRow` with `mark` "hedge" and no parent, answered with `Approve` and `Reject` like any other.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from engine.domain import Side
from engine.messages.verbs import Dial, HedgeDial

HedgeState = Literal["off", "unknown", "inside", "outside", "asked", "working", "blocked"]


class HedgedRow(msgspec.Struct, frozen=True, kw_only=True):
    """What one owner's fills have of delta: a parent's, or, with no `parent`, `what` says whose: the hedges' own, or
    what was done by hand or elsewhere. `dial` of a parent's is how a hedge of it goes; "off": it is left unhedged."""

    parent: str
    what: str  # the instrument of a parent; "hedges"; "by hand or elsewhere"
    delta: float
    usd: float | None
    dial: HedgeDial | None


class BandTerms(msgspec.Struct, frozen=True, kw_only=True):
    """Whalley–Wilmott: (3/2 · λ · S Γ² / γ)^(1/3), λ = half spread + fee + fragility; shares of the price.

    `ofi` is the order-flow imbalance of the hedge's book against its side, in shares of the usual depth, 0 where the
    flow goes its way, None where it is not known yet. `whalley` is the half-band before its cap and its least, coin.
    """

    half_spread: float
    fee: float
    fragility: float
    ofi: float | None
    friction: float
    gamma: float  # of the book, coin of delta a USD
    spot: float  # USD
    whalley: float
    capped: bool


class AdviceLeg(msgspec.Struct, frozen=True, kw_only=True):
    instrument: str
    side: Side
    size: float  # contracts of options; USD of the hedge's instrument
    price: float  # of the side that is shown
    cost: float  # coin: half spread and fee


class HedgeAdvice(msgspec.Struct, frozen=True, kw_only=True):
    """The cheapest trades, no larger than shown, that bring gamma and vega inside what is set as wanted, delta neutral
    with the hedge's instrument. Advice: nothing is proposed of it. `text` says why there is none, or what is left."""

    text: str
    legs: tuple[AdviceLeg, ...] = ()
    cost: float = 0.0  # coin
    gamma: float | None = None  # after it
    vega: float | None = None


class HedgeView(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="hedge"):
    """`state` and `why` say in a word and a sentence what is done now. `delta` is of the whole book, `wanted` what of
    it is left to parents that are "off", `working` what hedges on their way will add; it is hedged when
    delta + working − wanted − target leaves ±`band`. None where it cannot be said."""

    t_ms: float
    on: bool
    dial: Dial
    waits: bool  # every hedge is asked for, whatever the dials say, until `SetHedge`: the engine started anew
    target: float
    kind: Literal["coin", "black_scholes"]
    hedged_with: str  # what is hedged with; empty while there is none
    state: HedgeState
    why: str
    proposal: str  # the one that asks, empty for none
    delta: float | None
    usd: float | None
    wanted: float | None
    working: float | None
    away: float | None  # delta + working − wanted − target
    gamma: float | None  # coin of delta a USD
    vega: float | None  # USD a vol point
    band: float | None  # half of it, coin
    terms: BandTerms | None
    rows: tuple[HedgedRow, ...]
    advice: HedgeAdvice
