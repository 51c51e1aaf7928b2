"""Costs as tables, units in the names of their columns: parents, children, fills, markouts and decisions, as CSV and
as Parquet.

A spreadsheet takes a text that begins like a formula for one, so in CSV such a text gets an apostrophe in front: what a
trader wrote as a reason must not be able to compute on somebody else's machine.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from engine import messages as m
from engine.execution.cost import OF_A_FILL, TERMS

FORMULA = ("=", "+", "-", "@", "\t", "\r")
Row = dict[str, Any]
UNITS = (("ticks", "ticks_per_contract"), ("vol", "vol_points_per_contract"), ("coin", "coin"), ("usd", "usd"))


def tables(details: Sequence[m.CostDetail], by_hand: Sequence[m.ChildCost]) -> dict[str, pd.DataFrame]:
    """By name; a table without rows still has its columns."""
    children = [child for found in details for child in found.children] + list(by_hand)
    return {
        "parents": pd.DataFrame([_parent(found.parent) for found in details], columns=_columns(_parent_names())),
        "children": pd.DataFrame([_child(child) for child in children], columns=_columns(_CHILD)),
        "fills": pd.DataFrame([_fill(found, fill) for found in details for fill in found.fills],
                              columns=_columns(_FILL)),
        "markouts": pd.DataFrame([row for found in details for row in _markouts(found)], columns=_columns(_MARKOUT)),
        "decisions": pd.DataFrame([_call(row) for found in details for row in found.calls], columns=_columns(_CALL)),
    }  # fmt: skip


def write_csv(folder: Path, found: dict[str, pd.DataFrame]) -> list[Path]:
    """One file each, texts that a spreadsheet would compute made harmless."""
    out = []
    for name, table in found.items():
        path = folder / f"{name}.csv"
        safe = table.map(harmless) if len(table) else table
        safe.to_csv(path, index=False)
        out.append(path)
    return out


def write_parquet(folder: Path, found: dict[str, pd.DataFrame]) -> list[Path]:
    out = []
    for name, table in found.items():
        path = folder / f"{name}.parquet"
        table.to_parquet(path, index=False)
        out.append(path)
    return out


def harmless(value: Any) -> Any:
    """A text that begins like a formula, quoted."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def _time(ms: float) -> dt.datetime:
    return dt.datetime.fromtimestamp(ms / 1000, dt.UTC)


def _columns(names: Sequence[str]) -> pd.Index:
    return pd.Index(names)


def _parent_names() -> list[str]:
    terms = [f"{term}_{unit}" for _, unit in UNITS for term in (*TERMS, "total")]
    marks = ["arrival", "twap", "vwap", "at_once"]
    return [
        "parent", "instrument", "side", "user", "algorithm", "state", "began_utc", "ended_utc", "amount_coin_or_usd",
        "filled_coin_or_usd", "edits", "decision_price", "arrival_price", "average_price", "final_price", *terms,
        *(f"{name}_benchmark_price" for name in marks), *(f"{name}_benchmark_ticks" for name in marks), "not_known",
    ]  # fmt: skip


def _parent(row: m.CostRow) -> Row:
    out: Row = {
        "parent": row.id, "instrument": row.instrument, "side": str(row.side), "user": row.user,
        "algorithm": row.algorithm, "state": row.state, "began_utc": _time(row.start_ms),
        "ended_utc": _time(row.end_ms), "amount_coin_or_usd": row.amount, "filled_coin_or_usd": row.filled,
        "edits": row.edits,
        "decision_price": row.decision, "arrival_price": row.arrival, "average_price": row.average,
        "final_price": row.final, "not_known": _unknown(row.unknown),
    }  # fmt: skip
    for field, unit in UNITS:
        for term, value in (getattr(row, field) or {}).items():
            out[f"{term}_{unit}"] = value
    for mark in row.benchmarks:
        name = mark.name.lower().replace(" ", "_")
        out[f"{name}_benchmark_price"], out[f"{name}_benchmark_ticks"] = mark.price, mark.ticks
    return out


_CHILD = [
    "child", "parent", "instrument", "side", "by", "sent_utc", "amount_coin_or_usd", "filled_coin_or_usd",
    "average_price", "crossed", "row", *(f"{term}_ticks_per_contract" for term in (*TERMS, "total")),
    "total_coin", "total_usd", "forecast_by", "slippage_predicted_ticks", "slippage_realised_ticks", "not_known",
]  # fmt: skip


def _child(child: m.ChildCost) -> Row:
    out: Row = {
        "child": child.id, "parent": child.parent, "instrument": child.instrument, "side": str(child.side),
        "by": child.by, "sent_utc": _time(child.t_ms), "amount_coin_or_usd": child.amount,
        "filled_coin_or_usd": child.filled, "average_price": child.average, "crossed": child.crossed,
        "row": child.row, "forecast_by": child.model, "slippage_predicted_ticks": child.predicted,
        "slippage_realised_ticks": child.realised, "not_known": _unknown(child.unknown),
        "total_coin": (child.coin or {}).get("total"), "total_usd": (child.usd or {}).get("total"),
    }  # fmt: skip
    return out | {f"{term}_ticks_per_contract": value for term, value in (child.ticks or {}).items()}


_FILL = [
    "trade", "child", "parent", "instrument", "side", "made_utc", "amount_coin_or_usd", "price", "maker", "fee_coin",
    "micro_before_price", *(f"{term}_ticks_per_contract" for term in OF_A_FILL), "not_known",
]  # fmt: skip


def _fill(found: m.CostDetail, fill: m.FillCost) -> Row:
    out: Row = {
        "trade": fill.trade, "child": fill.child, "parent": found.parent.id, "instrument": found.parent.instrument,
        "side": str(found.parent.side), "made_utc": _time(fill.t_ms), "amount_coin_or_usd": fill.amount,
        "price": fill.price, "maker": fill.maker, "fee_coin": fill.fee, "micro_before_price": fill.micro,
        "not_known": ", ".join(fill.unknown),
    }  # fmt: skip
    return out | {f"{term}_ticks_per_contract": value for term, value in fill.ticks.items()}


_MARKOUT = ["trade", "parent", "instrument", "maker", "amount_coin_or_usd", "after_s", "markout_ticks"]


def _markouts(found: m.CostDetail) -> Iterator[Row]:
    for fill in found.fills:
        for seconds, ticks in fill.markouts.items():
            yield {
                "trade": fill.trade, "parent": found.parent.id, "instrument": found.parent.instrument,
                "maker": fill.maker, "amount_coin_or_usd": fill.amount, "after_s": int(seconds),
                "markout_ticks": ticks,
            }  # fmt: skip


_CALL = [
    "decided_utc", "kind", "parent", "by", "side", "amount_coin_or_usd", "suggested_price_estimate", "paid_price",
    "earned_ticks_per_contract_estimate", "earned_coin_estimate", "reason", "why_not_scored",
]  # fmt: skip


def _call(row: m.CallRow) -> Row:
    return {
        "decided_utc": _time(row.t_ms), "kind": row.kind, "parent": row.parent, "by": row.by, "side": str(row.side),
        "amount_coin_or_usd": row.amount, "suggested_price_estimate": row.suggested, "paid_price": row.paid,
        "earned_ticks_per_contract_estimate": row.earned_ticks, "earned_coin_estimate": row.earned_coin,
        "reason": row.reason, "why_not_scored": row.why,
    }  # fmt: skip


def _unknown(shares: dict[str, float]) -> str:
    """`spread 25 %, impact 25 %`: of the lots."""
    return ", ".join(f"{term} {share:.0%}" for term, share in shares.items())
