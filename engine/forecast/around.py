"""What the rest of the market adds to a vector: volatilities, the underlying, the chain (pure functions).

`means` are the instrument's own of each level named in `CONTEXT_MEANS`, and of ln(underlying) under "under".
"""

from __future__ import annotations

from collections.abc import Mapping
from math import log, log1p

from engine.domain import Instrument, Kind
from engine.forecast.context import Context
from engine.forecast.decay import Means
from engine.forecast.depth import bend

BP = 10_000.0
CONTEXT_MEANS = ("mark_iv", "bid_iv", "ask_iv", "near_iv", "atm_iv", "skew", "curvature", "index_vol", "dvol", "basis",
                 "premium")  # fmt: skip
IV_CHANGES = (  # of what, over which of the time constants
    ("mark_iv", 1), ("mark_iv", 2), ("mark_iv", 3), ("bid_iv", 2), ("ask_iv", 2), ("near_iv", 2), ("near_iv", 3),
    ("atm_iv", 2), ("atm_iv", 3), ("skew", 2), ("skew", 3), ("curvature", 2), ("curvature", 3),
)  # fmt: skip

Changed = tuple[int, float | None, float]
"""When the instrument's book last changed; ln(underlying) and the chain's total then."""


def iv_part(context: Context, means: Mapping[str, Means]) -> tuple[float, ...]:
    """Volatilities against each other and against what they were, in vol points."""
    atm, mark, index = context.atm_iv, context.mark_iv, context.index_vol
    over_atm = [_points(iv, atm) for iv in (context.bid_iv, context.ask_iv, mark)]
    over_mark = [_points(iv, mark) for iv in (context.below_iv, context.above_iv)]
    changes = {name: means[name].away(getattr(context, name)) for name in CONTEXT_MEANS}
    moved = [bend(100.0 * changes[name][at]) for name, at in IV_CHANGES]
    return (
        *over_atm, *over_mark, log(atm) if atm else 0.0, context.skew or 0.0, context.curvature or 0.0, *moved,
        log1p(context.smile_age or 0.0), log(index) if index else 0.0,
        *(bend(100.0 * x) for x in changes["index_vol"][2:]),
        _points(context.dvol, index), bend(100.0 * changes["dvol"][3]),
    )  # fmt: skip


def _delta(instrument: Instrument, context: Context) -> float:
    return context.coin_delta or 0.0 if instrument.kind is Kind.OPTION else 1.0


def _per(instrument: Instrument, context: Context, price: float | None, tick: int) -> float:
    """Ticks by log-return of the underlying: that × coin delta is coin, ÷ the tick it is ticks of this option."""
    if instrument.kind is Kind.OPTION:
        return _delta(instrument, context) / instrument.tick / tick
    return (price or 0.0) / tick


def chain_part(
    instrument: Instrument, context: Context, changed: Changed | None, price: float | None, tick: int
) -> tuple[float, ...]:
    """What the whole chain's quotes did, and have not done yet, in ticks of this instrument."""
    chain, per = context.chain, _per(instrument, context, price, tick)
    if chain is None:
        return (0.0,) * 9
    since = chain.total - changed[2] if changed is not None else 0.0
    return (
        *(log1p(x) for x in chain.rates),
        *(bend(x * per) for x in (*chain.moves, since)),
        log1p(chain.age),
        bend(chain.since * per),
        bend(BP * abs(chain.since)),
    )


def under_part(
    instrument: Instrument, context: Context, means: Mapping[str, Means], changed: Changed | None,
    price: float | None, tick: int,
) -> tuple[float, ...]:  # fmt: skip
    """What the underlying is, did and has not been answered yet, in ticks of this instrument or along its delta."""
    sign, per = _delta(instrument, context), _per(instrument, context, price, tick)
    under = log(context.under_mid) if context.under_mid else None
    then = changed[1] if changed is not None else None
    since = under - then if under is not None and then is not None else 0.0
    basis, premium = (means[name].away(getattr(context, name))[2] for name in ("basis", "premium"))
    return (
        sign,
        log1p(abs(context.vega_ticks or 0.0)),
        log(max(context.years, 1e-5)) if instrument.kind is Kind.OPTION else 0.0,
        *(bend(x * per) for x in (*means["under"].away(under)[:3], since)),
        *(bend(x * sign) for x in (context.under_ofi_05, context.under_ofi, context.under_flow)),
        context.under_imbalance * sign,
        *(bend(BP * (x or 0.0)) for x in (context.basis, basis, context.premium, premium)),
        BP * (context.funding or 0.0),
    )


def missing_part(context: Context) -> tuple[float, ...]:
    """1 for each thing that is not known and was left at zero."""
    return (
        float(context.fair is None),
        float(context.mark_iv is None or context.atm_iv is None),
        float(context.bid_iv is None),
        float(context.ask_iv is None),
        float(context.below_iv is None),
        float(context.above_iv is None),
        float(not context.under_mid),
        float(not context.index),
        float(context.index_vol is None),
        float(context.dvol is None),
        float(context.basis is None),
        float(context.funding is None),
        float(context.chain is None),
    )


def _points(iv: float | None, other: float | None) -> float:
    """One volatility over another, in vol points, bent; 0 while either is missing."""
    return bend(100.0 * (iv - other)) if iv is not None and other is not None else 0.0
