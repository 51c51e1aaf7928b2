"""One row of the bench: work that ours and each peer does on the same inputs, in turn, so that whatever else the
machine does falls on all alike. Time is the process's CPU time; what each one made is judged afterwards.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

Say = Callable[[str], None]
Work = Callable[[Any], Any]
Table = dict[str, Any]

PER_NS = {"µs": 1e-3, "ms": 1e-6, "s": 1e-9}


class Row(NamedTuple):
    """One line of the table. `beside`: ours in other settings. `judged`: of all inputs and all that was made of them,
    figures by name."""

    unit: str
    inputs: Sequence[Any]
    ours: Work
    peers: Mapping[str, Work | None]
    judged: Callable[[Sequence[Any], Sequence[Any]], Table]
    beside: Mapping[str, Work] = {}


def measured(row: Row, name: str, say: Say) -> Table:
    """One row: each contender once on every input, in turn, after a first go that is not counted."""
    works = {"": row.ours, **row.beside, **{peer: work for peer, work in row.peers.items() if work is not None}}
    took: dict[str, list[float]] = {each: [] for each in works}
    made: dict[str, list[Any]] = {each: [] for each in works}
    for each, work in works.items():
        say(f"{name}: {each or 'ours'} warms up")
        work(row.inputs[0])
    for n, given in enumerate(row.inputs, 1):
        say(f"{name}: round {n} of {len(row.inputs)}")
        for each, work in works.items():
            began = time.process_time_ns()
            made[each].append(work(given))
            took[each].append((time.process_time_ns() - began) * PER_NS[row.unit])
    found = {each: {**percentiles(took[each]), **row.judged(row.inputs, made[each])} for each in works}
    peers = {peer: found[peer] for peer in row.peers if peer in found}
    return {
        "unit": row.unit, "rounds": len(row.inputs), "ours": found[""],
        "beside": {each: found[each] for each in row.beside}, "peers": peers,
        "ratio": {peer: figures["p50"] / max(found[""]["p50"], 1e-12) for peer, figures in peers.items()},
        "absent": [peer for peer, work in row.peers.items() if work is None],
    }  # fmt: skip


def percentiles(values: Sequence[float], at: Sequence[int] = (50, 95, 99)) -> dict[str, float | None]:
    """By name, as p50; None of nothing."""
    return {f"p{q}": float(np.quantile(values, q / 100)) if values else None for q in at}
