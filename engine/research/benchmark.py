"""`bench`: the table of NUMBERS.md, each figure of ours beside its peers in the same run, in the JSON of CONTRACT.md.

Everything runs on one thread (`ALONE`, set before the interpreter starts). A peer whose package is not installed is
named as absent.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from engine.research.benchmark_deeplob import deeplob
from engine.research.benchmark_lstm import lstm_step, lstm_step_50
from engine.research.benchmark_options import iv_chain
from engine.research.benchmark_row import Row, Say, Table, measured
from engine.research.benchmark_surface import surface_fit

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "RAYON_NUM_THREADS")
ALONE = dict.fromkeys(THREADS, "1")


def rows() -> dict[str, Callable[[], Row]]:
    """Every row of the table, by its name in CONTRACT.md."""
    return {
        "lstm_step": lstm_step, "lstm_step_50": lstm_step_50, "deeplob": deeplob, "iv_chain": iv_chain,
        "surface_fit": surface_fit,
    }  # fmt: skip


def alone() -> None:
    """Start the same command again with one thread for every library, unless that is how it runs."""
    if any(os.environ.get(name) != value for name, value in ALONE.items()):
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], {**os.environ, **ALONE})


def bench(names: Sequence[str], say: Say) -> Table:
    """The table of these rows; raises KeyError for a name that is none."""
    made = rows()
    return {"machine": machine(), "rows": {name: measured(made[name](), name, say) for name in names or made}}


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
    yield f"{table['machine']}; one thread; medians, 95 and 99 %, and how many times ours they are"
    for name, row in table["rows"].items():
        yield f"{name}, {row['unit']}" + (f" ({row['note']})" if row["note"] else "")
        yield _line("ours", row["ours"], None)
        yield from (_line(f"ours, {each}", figures, None) for each, figures in row["beside"].items())
        yield from (_line(peer, figures, row["ratio"][peer]) for peer, figures in row["peers"].items())
        yield from (f"  {peer}: not installed" for peer in row["absent"])
        yield from (f"  {peer}: not timed, it is off by {far:.3g}" for peer, far in row["other"].items())


def _line(name: str, figures: Table, ratio: float | None) -> str:
    more = ", ".join(f"{key} {value:.3g}" for key, value in figures.items() if key not in ("p50", "p95", "p99"))
    times = "" if ratio is None else f"  ×{ratio:.3g}"
    return f"  {name:28} {figures['p50']:10.3f} {figures['p95']:10.3f} {figures['p99']:10.3f}{times:8}  {more}"
