"""Does anything that a model is shown know the future? Then it is shown something else when the future is cut off.

A session is run twice, once to its end and once to a moment before it: whatever was known at the steps that both have
must be the same, to the bit. A column that looks ahead differs, or is missing, where its look leaves the shorter run.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.forecast.features import NAMES
from engine.research.dataset import Stretch


def future_columns(long: Sequence[Stretch], short: Sequence[Stretch]) -> list[str]:
    """Names of the features that differ at the steps which both runs of a session have. Raises ValueError where they
    have none in common: then nothing is shown."""
    later = {(stretch.instrument.name, stretch.t): stretch for stretch in long}
    pairs = [(stretch, later[stretch.instrument.name, stretch.t]) for stretch in short
             if (stretch.instrument.name, stretch.t) in later]  # fmt: skip
    if not pairs:
        raise ValueError("the two runs have no stretch in common")
    differs = np.zeros(len(NAMES), dtype=bool)
    for cut, whole in pairs:
        steps = min(len(cut.x), len(whole.x))
        differs |= (cut.x[:steps] != whole.x[:steps]).any(axis=0)
    return [name for name, bad in zip(NAMES, differs, strict=True) if bad]
