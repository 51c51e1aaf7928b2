"""`bench`: the table of NUMBERS.md, each figure of ours beside its peers in the same run, in the JSON of CONTRACT.md.

A row is work that ours and each peer does on the same inputs, in turn, so that whatever else the machine does falls on
all alike. Time is the process's CPU time; everything runs on one thread (`ALONE`, set before the interpreter starts).
What each one made is judged afterwards. A peer whose package is not installed is named as absent.
"""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

Say = Callable[[str], None]
Work = Callable[[Any], Any]
Table = dict[str, Any]

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "RAYON_NUM_THREADS")
ALONE = dict.fromkeys(THREADS, "1")
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


def rows() -> dict[str, Callable[[], Row]]:
    """Every row of the table, by its name in CONTRACT.md."""
    from engine.research.benchmark_options import iv_chain
    from engine.research.benchmark_surface import surface_fit

    return {"iv_chain": iv_chain, "surface_fit": surface_fit}


def alone() -> None:
    """Start the same command again with one thread for every library, unless that is how it runs."""
    if any(os.environ.get(name) != value for name, value in ALONE.items()):
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], {**os.environ, **ALONE})


def bench(names: Sequence[str], say: Say) -> Table:
    """The table of these rows; raises KeyError for a name that is none."""
    made = rows()
    return {"machine": machine(), "rows": {name: measured(made[name](), name, say) for name in names or made}}


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


def machine() -> str:
    """Processor, cores that this process may use, Python."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{_processor()}, {cores} cores, {platform.system()}, Python {platform.python_version()}"


def _processor() -> str:
    told = Path("/proc/cpuinfo")
    lines_ = told.read_text(encoding="utf-8").splitlines() if told.exists() else []
    named = [line.partition(":")[2].strip() for line in lines_ if line.startswith("model name")]
    return named[0] if named else platform.processor() or platform.machine()


def lines(table: Table) -> Iterator[str]:
    """The table for a person."""
    yield f"{table['machine']}; one thread; medians and 95 %, and how many times ours they are"
    for name, row in table["rows"].items():
        yield f"{name}, {row['unit']}"
        yield _line("ours", row["ours"], None)
        yield from (_line(f"ours, {each}", figures, None) for each, figures in row["beside"].items())
        yield from (_line(peer, figures, row["ratio"][peer]) for peer, figures in row["peers"].items())
        yield from (f"  {peer}: not installed" for peer in row["absent"])


def _line(name: str, figures: Table, ratio: float | None) -> str:
    more = ", ".join(f"{key} {value:.3g}" for key, value in figures.items() if key not in ("p50", "p95", "p99"))
    times = "" if ratio is None else f"  ×{ratio:.3g}"
    return f"  {name:28} {figures['p50']:10.3f} {figures['p95']:10.3f}{times:8}  {more}"
