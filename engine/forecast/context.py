"""What the rest of the market says about one instrument at one step, as its features read it."""

from __future__ import annotations

from math import log

import msgspec


class Chain(msgspec.Struct, frozen=True, kw_only=True):
    """What the quotes of all of a coin's options have lately done together.

    `rates` are sums of the shares of two-sided options whose middle moved in a step, `moves` of the log-moves of the
    underlying that the chain's middles amount to, forgetting with decays of 0.5, 2 (and 10) s; `total` adds up all
    moves since the beginning. `age` is how long ago the last wave was in which many moved at once, in seconds, and
    `since` the underlying's log-move since.
    """

    rates: tuple[float, float, float]
    moves: tuple[float, float]
    total: float
    age: float
    since: float


class Context(msgspec.Struct, kw_only=True):
    """What the market state knows of one instrument at one step; None where unknown.

    `forward` is of an option's expiry, of a future its own price, USD. `fair` is the surface's price at the present
    forward, in units, `smile_age` how long ago it was fitted, in seconds; `fair_iv` is the fitted surface's IV at this
    strike, `vega_ticks` ticks of premium per vol point. Volatilities are fractions; `below_iv` and `above_iv` are the
    mark IVs of the neighbouring strikes, `index_vol` is the surface's 30-day volatility, `dvol` the venue's own.
    `index` is the venue's price index and `under_mid` the perpetual's price, USD; `under_ofi` and `under_flow` are the
    perpetual's own `Features.ofi()[1]` and `Features.flow()[1]` (decay 2 s), `under_ofi_05` the first with a decay of
    0.5 s, `under_imbalance` that of its touch, −1 … 1; `funding` is the perpetual's rate. For a future `coin_delta`,
    `vega_ticks` and the IVs of strikes and smiles are None. `chain` is what all options of the coin did.
    """

    forward: float | None = None
    years: float = 0.0
    strike: float = 0.0
    fair: float | None = None
    coin_delta: float | None = None
    vega_ticks: float | None = None
    bid_iv: float | None = None
    ask_iv: float | None = None
    mark_iv: float | None = None
    atm_iv: float | None = None
    skew: float | None = None
    curvature: float | None = None
    under_mid: float | None = None
    under_ofi: float = 0.0
    under_flow: float = 0.0
    funding: float | None = None
    fair_iv: float | None = None
    smile_age: float | None = None
    below_iv: float | None = None
    above_iv: float | None = None
    index: float | None = None
    index_vol: float | None = None
    dvol: float | None = None
    under_imbalance: float = 0.0
    under_ofi_05: float = 0.0
    chain: Chain | None = None

    @property
    def near_iv(self) -> float | None:
        """Mean of the neighbours' that are known."""
        known = [iv for iv in (self.below_iv, self.above_iv) if iv is not None]
        return sum(known) / len(known) if known else None

    @property
    def premium(self) -> float | None:
        """Of the perpetual over the index, ln."""
        return log(self.under_mid / self.index) if self.under_mid and self.index else None

    @property
    def basis(self) -> float | None:
        """Of the forward over the index, ln."""
        return log(self.forward / self.index) if self.forward and self.index else None
