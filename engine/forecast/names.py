"""What each feature is called, in the order of the vector, and in groups for a reader."""

from __future__ import annotations

from engine.forecast.depth import BOOK_NAMES

_FLOW = ("ofi_05", "ofi_2", "ofi_10", "touch_ofi_05", "touch_ofi_2", "touch_ofi_10", "flow_05", "flow_2", "flow_10",
         "liquidations", "trade_rate_2", "trade_rate", "trade_rate_60", "book_rate", "book_rate_10", "trade_age",
         "book_age", "trade_micro")  # fmt: skip
_PRICE = (
    "micro_05",
    "micro_2",
    "micro_10",
    "fair_micro",
    "fair_bid",
    "fair_ask",
    "jitter_10",
    "jitter_60",
    "place_05",
    "place_2",
    "place_10",
    "unrest_10",
    "unrest_60",
    "spread_2",
    "spread_10",
)
_IV = (
    "bid_iv", "ask_iv", "mark_iv", "below_iv", "above_iv", "atm_iv", "skew", "curvature", "mark_iv_2", "mark_iv_10",
    "mark_iv_60", "bid_iv_10", "ask_iv_10", "near_iv_10", "near_iv_60", "atm_iv_10", "atm_iv_60", "skew_10", "skew_60",
    "curvature_10", "curvature_60", "smile_age", "index_vol", "index_vol_10", "index_vol_60", "dvol", "dvol_60",
)  # fmt: skip
_UNDER = (
    "coin_delta", "vega", "years", "under_05", "under_2", "under_10", "under_since", "under_ofi_05", "under_ofi",
    "under_flow", "under_imbalance", "basis", "basis_10", "premium", "premium_10", "funding",
)  # fmt: skip
_CHAIN = ("chain_rate_05", "chain_rate_2", "chain_rate_10", "chain_05", "chain_2", "chain_since", "wave_age",
          "under_wave", "under_wave_size")  # fmt: skip
_MISSING = (
    "is_option", "one_sided", "no_trade", "no_fair", "no_iv", "no_bid_iv", "no_ask_iv", "no_below", "no_above",
    "no_under", "no_index", "no_index_vol", "no_dvol", "no_basis", "no_funding", "no_chain",
)  # fmt: skip
NAMES: tuple[str, ...] = BOOK_NAMES + _FLOW + _PRICE + _IV + _UNDER + _CHAIN + _MISSING
GROUPS: dict[str, tuple[str, ...]] = {
    "book": (*BOOK_NAMES, "micro_05", "micro_2", "micro_10", "jitter_10", "jitter_60", "spread_2", "spread_10",
             "book_rate", "book_rate_10", "book_age", "one_sided"),
    "order flow": tuple(name for name in _FLOW if "ofi" in name),
    "trades": ("flow_05", "flow_2", "flow_10", "liquidations", "trade_rate_2", "trade_rate", "trade_rate_60",
               "trade_age", "trade_micro", "no_trade"),
    "fair price": ("fair_micro", "fair_bid", "fair_ask", "place_05", "place_2", "place_10", "unrest_10", "unrest_60",
                   "smile_age", "no_fair"),
    "volatility": (*(name for name in _IV if name != "smile_age"), "vega", "no_iv", "no_bid_iv", "no_ask_iv",
                   "no_below", "no_above", "no_index_vol", "no_dvol"),
    "underlying": ("under_05", "under_2", "under_10", "under_since", "under_ofi_05", "under_ofi", "under_flow",
                   "under_imbalance", "coin_delta", "no_under"),
    "basis and funding": ("basis", "basis_10", "premium", "premium_10", "funding", "no_index", "no_basis",
                          "no_funding"),
    "the chain": (*_CHAIN, "no_chain"),
    "contract": ("years", "is_option"),
}  # fmt: skip
"""Every feature, in groups that mean something to a trader."""
