"""One row of the bench: work that ours and each peer does on the same inputs, in turn, so that whatever else the
machine does falls on all alike. Time is the process's CPU time; what each one made is judged afterwards. Where all are
to make the same they are held against each other first, and who makes something else is named and not timed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

Say = Callable[[str], None]
Work = Callable[[Any], Any]
Table = dict[str, Any]

COMPARED, SAME = 8, 1e-4  # first inputs, and by how much at most what is made of them may differ
PER_NS = {"µs": 1e-3, "ms": 1e-6, "s": 1e-9}


class Row(NamedTuple):
    """One line of the table. `beside`: ours in other settings. `judged`: of all inputs and all that was made of them,
    figures by name. Each does so many inputs `in_a_row` before the next one's turn. `same`: groups of contenders that
    make the same of the first inputs, the first of each group held to be right; ours is ""."""

    unit: str
    inputs: Sequence[Any]
    ours: Work
    peers: Mapping[str, Work | None]
    judged: Callable[[Sequence[Any], Sequence[Any]], Table]
    beside: Mapping[str, Work] = {}
    in_a_row: int = 1
    same: Sequence[Sequence[str]] = ()
    note: str = ""


def measured(row: Row, name: str, say: Say) -> Table:
    """One row: each contender once on every input, in turn, after a first go that is not counted."""
    works = {"": row.ours, **row.beside, **{peer: work for peer, work in row.peers.items() if work is not None}}
    first: dict[str, list[Any]] = {}
    for each, work in works.items():
        say(f"{name}: {each or 'ours'} warms up")
        first[each] = [work(given) for given in row.inputs[: COMPARED if row.same else 1]]
    other = _other(row.same, first)
    works = {each: work for each, work in works.items() if each not in other}
    took: dict[str, list[float]] = {each: [] for each in works}
    made: dict[str, list[Any]] = {each: [] for each in works}
    for n in range(0, len(row.inputs), row.in_a_row):
        say(f"{name}: round {n + 1} of {len(row.inputs)}")
        for each, work in works.items():
            for given in row.inputs[n : n + row.in_a_row]:
                began = time.process_time_ns()
                out = work(given)
                took[each].append((time.process_time_ns() - began) * PER_NS[row.unit])
                made[each].append(out)
    found = {each: {**percentiles(took[each]), **row.judged(row.inputs, made[each])} for each in works}
    peers = {peer: found[peer] for peer in row.peers if peer in found}
    return {
        "unit": row.unit, "rounds": len(row.inputs), "ours": found[""], "note": row.note,
        "beside": {each: found[each] for each in row.beside}, "peers": peers,
        "ratio": {peer: figures["p50"] / max(found[""]["p50"], 1e-12) for peer, figures in peers.items()},
        "absent": [peer for peer, work in row.peers.items() if work is None],
        "other": other,
    }  # fmt: skip


def _other(groups: Sequence[Sequence[str]], first: Mapping[str, Sequence[Any]]) -> dict[str, float]:
    """Who makes something else than the first of its group, and by how much."""
    out: dict[str, float] = {}
    for group in groups:
        right, *rest = [each for each in group if each in first]
        off = {each: float(np.abs(np.array(first[each]) - np.array(first[right])).max()) for each in rest}
        out |= {each: far for each, far in off.items() if not far <= SAME}
    return out


def percentiles(values: Sequence[float], at: Sequence[int] = (50, 95, 99)) -> dict[str, float | None]:
    """By name, as p50; None of nothing."""
    return {f"p{q}": float(np.quantile(values, q / 100)) if values else None for q in at}
