"""What runs of parent orders came to, as tables: by regime and pooled, by algorithm, paired with TWAP by seed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from engine.research.bootstrap import bootstrap
from engine.research.dataset import Floats
from engine.research.execution_orders import ALGORITHMS, MARKS_S, Outcome, Skipped

Table = dict[str, Any]


def tabled(found: Iterable[Outcome | Skipped]) -> Table:
    """By regime and pooled; `vs_twap` is the mean paired difference in ticks, and its 95 % by seed."""
    every = sorted(found, key=lambda one: (one.seed, one.algorithm if isinstance(one, Outcome) else ""))
    ran = [one for one in every if isinstance(one, Outcome)]
    skipped = {one.seed: f"{one.regime}: {one.why}" for one in every if isinstance(one, Skipped)}
    regimes = dict.fromkeys(one.regime for one in ran)
    return {
        "seeds": len({one.seed for one in ran}),
        "regimes": {regime: _algorithms([one for one in ran if one.regime == regime]) for regime in regimes},
        "pooled": _algorithms(ran),
        "core_hours": sum(one.cpu_s for one in ran) / 3600.0,
        "market_hours": sum(one.market_s for one in ran) / 3600.0,
        "skipped": {str(seed): why for seed, why in sorted(skipped.items())},
        "edges": _edges(ran),
    }  # fmt: skip


def _edges(outcomes: Iterable[Outcome]) -> dict[str, list[str]]:
    """By regime, the heads that had a say as parents began."""
    out: dict[str, set[str]] = {}
    for one in outcomes:
        out.setdefault(one.regime, set()).update(one.edges)
    return {regime: sorted(heads) for regime, heads in out.items()}


def _algorithms(outcomes: Sequence[Outcome]) -> dict[str, Table]:
    names = [name for name in ALGORITHMS if any(one.algorithm == name for one in outcomes)]
    by = {name: {one.seed: one for one in outcomes if one.algorithm == name} for name in names}
    twap = by.get("twap", {})
    return {name: _row(by[name], twap) for name in names}


def _row(mine: dict[int, Outcome], twap: dict[int, Outcome]) -> Table:
    all_ = list(mine.values())
    half = [one.shortfall / one.half_spread for one in all_ if one.half_spread > 0.0]
    return {
        "n": len(all_),
        "shortfall_ticks": _mean([one.shortfall for one in all_]),
        "of_half_spread": _mean(half),
        "vs_twap": paired(mine, twap),
        "fees_ticks": _mean([one.fees for one in all_]),
        "unfilled": _mean([one.missing for one in all_]),
        "passive": _mean([one.passive for one in all_]),
        "children": _mean([one.children for one in all_]),
        "seconds": _mean([one.seconds for one in all_]),
        "cost": cost(all_),
        "rows": _rows(all_),
        "fired": _fired(all_),
    }


def paired(mine: dict[int, Outcome], twap: dict[int, Outcome]) -> Table:
    """What mine cost beyond TWAP on the same seeds, ticks; `share` is that over TWAP's mean absolute shortfall."""
    both = sorted(mine.keys() & twap.keys())
    if not both:
        return {"mean": None, "lo": None, "hi": None, "n": 0, "share": None}
    differences = np.array([mine[seed].shortfall - twap[seed].shortfall for seed in both])
    whole = _mean([abs(twap[seed].shortfall) for seed in both])
    band = bootstrap(differences, np.arange(float(len(both))))
    mean = float(differences.mean())
    halves = [(mine[s].shortfall - twap[s].shortfall) / twap[s].half_spread for s in both if twap[s].half_spread > 0.0]
    return {
        "mean": mean, "lo": band[0] if band else None, "hi": band[1] if band else None, "n": len(both),
        "share": mean / whole if whole else None, "of_half_spread": _mean(halves),
    }  # fmt: skip


def cost(outcomes: Sequence[Outcome]) -> dict[str, float]:
    """Where the shortfall sits, ticks per contract of the parent, whose sum it is: `edge` paid over the micro-price as
    fills came, of makers and takers apart, `timing` by which that had moved since arrival, and what is unfilled."""

    def per(field: str) -> float:
        return _mean([sum(getattr(u, field) for u in one.rows.values()) / one.order.quantity for one in outcomes])

    return {"edge": per("edge"), "timing": per("timing"), "unfilled": _mean([one.missing_ticks for one in outcomes])}


def _rows(outcomes: Sequence[Outcome]) -> dict[str, Table]:
    """By policy row: its children, its share of what was filled, and per contract what that cost."""
    whole = sum(under.filled for one in outcomes for under in one.rows.values()) or 1.0
    out: dict[str, Table] = {}
    marks = range(len(MARKS_S))
    for name in dict.fromkeys(row for one in outcomes for row in one.rows):
        every = [one.rows[name] for one in outcomes if name in one.rows]
        filled = sum(u.filled for u in every) or float("nan")
        out[name] = {
            "children": sum(u.children for u in every), "share": sum(u.filled for u in every) / whole,
            "passive": sum(u.passive for u in every) / filled, "edge": sum(u.edge for u in every) / filled,
            "timing": sum(u.timing for u in every) / filled,
            "after": [_over(sum(u.after[k] for u in every), sum(u.marked[k] for u in every)) for k in marks],
        }  # fmt: skip
    return out


def _over(total: float, count: float) -> float | None:
    return total / count if count else None


def _fired(outcomes: Sequence[Outcome]) -> dict[str, float]:
    """By policy row, the share of looks in which it acted."""
    counts: dict[str, int] = {}
    for one in outcomes:
        for row, n in one.fired.items():
            counts[row] = counts.get(row, 0) + n
    return {row: n / sum(counts.values()) for row, n in counts.items()}


def _mean(values: Sequence[float] | Floats) -> float:
    return float(np.mean(values)) if len(values) else 0.0


def lines(table: Table) -> list[str]:
    """For a person: each regime and the pool, each algorithm beside TWAP."""
    out = [f"{table['data']}; {table['seeds']} seeds, {table['core_hours']:.2f} core hours", ""]
    out.append(
        f"{'':10}{'':24}{'n':>4}{'ticks':>8}{'half-spreads':>14}{'against TWAP':>26}{'share':>8}{'unfilled':>10}"
    )
    for name, algorithms in [*table["regimes"].items(), ("pooled", table["pooled"])]:
        out += [f"{name:10}{algorithm:24}{_line(row)}" for algorithm, row in algorithms.items()]
    out += ["", *(f"{regime}: {', '.join(had) or 'no head'} had an edge" for regime, had in table["edges"].items())]
    return [*out, *(f"market {seed} was left out, {why}" for seed, why in table["skipped"].items())]


def _line(row: Table) -> str:
    beside = row["vs_twap"]
    told = "" if beside["lo"] is None else f"{beside['mean']:+.3f} [{beside['lo']:+.3f}, {beside['hi']:+.3f}]"
    share = "" if beside["share"] is None else f"{beside['share']:+.1%}"
    return (f"{row['n']:>4}{row['shortfall_ticks']:>8.2f}{row['of_half_spread']:>14.2f}{told:>26}{share:>8}"
            f"{row['unfilled']:>10.1%}")  # fmt: skip
