"""Stretches made by hand: a book that stands as told, with a signal that can be planted in one feature."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.domain import Instrument
from engine.forecast.features import NAMES
from engine.forecast.stream import IS_OPTION
from engine.research.dataset import COLUMNS, Floats, Stretch
from tests.forecast.market import OPTION, START

SIGNAL = NAMES.index("ofi_2")
TICK = 5.0


def stretch_of(
    mids: Floats,
    *,
    x: np.ndarray | None = None,
    prints: Sequence[tuple[float, ...]] = (),
    session: str = "made",
    instrument: Instrument = OPTION,
    half: float = 5.0,
    lots: float = 100.0,
) -> Stretch:
    """A book of one size on both sides around `mids` (T,), in units; costs and pushes are 0, IV stands still."""
    steps = len(mids)
    values: dict[str, Floats | float] = {
        "place": mids, "placed": 1.0, "tick": TICK, "micro": mids, "bid": mids - half, "ask": mids + half,
        "bid_lots": lots, "ask_lots": lots, "depth": lots / 10, "iv": 0.5,
    }  # fmt: skip
    now = np.stack([np.zeros(steps) + values.get(name, 0.0) for name in COLUMNS], axis=1)
    if x is None:
        x = np.random.default_rng(0).normal(size=(steps, len(NAMES)))
        x[:, IS_OPTION] = 1.0
    table = np.array(prints, dtype=np.float64).reshape(-1, 5)
    return Stretch(session, instrument, START, x.astype(np.float32), now, table)


def planted(seed: int, steps: int, strength: float = 1.0) -> Stretch:
    """The mid drifts with a slowly turning signal, which one feature shows; all other features are noise."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(steps, len(NAMES)))
    x[:, IS_OPTION] = 1.0
    signal = np.zeros(steps)
    for k in range(1, steps):
        signal[k] = 0.97 * signal[k - 1] + np.sqrt(1 - 0.97**2) * rng.normal()
    x[:, SIGNAL] = signal
    moves = 0.15 * strength * signal + 0.3 * rng.normal(size=steps)
    return stretch_of(10_000.0 + np.cumsum(moves), x=x, session=f"made-{seed}")


def shuffled(stretch: Stretch, seed: int) -> Stretch:
    """The same outcomes, features of other moments."""
    order = np.random.default_rng(seed).permutation(len(stretch.x))
    return Stretch(stretch.session, stretch.instrument, stretch.t, stretch.x[order], stretch.now, stretch.prints)
