"""A forecaster that is told what the venue hides: gradient boosting on the features and the hidden state together.

It is no rival, since no trader could run it. It stands beside the oracle and says what is missing on the way there:
where it comes much further than the model, the rest is hidden information; where it does not, it is chance, or what a
present vector cannot tell.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.research.frozen import Frozen
from engine.research.rivals import Boosting, Lesson, lesson_of, thinned
from engine.research.targets import Part


class Knowing(Boosting):
    """By the same machinery as the rival, on the same moments: of lessons that are thinned out already."""

    name = "hidden_state"
    every = 1

    def seen(self, part: Part, steps: NDArray[np.int64]) -> NDArray[np.float32]:
        """(N, F + H). Raises ValueError where nobody looked at what is hidden."""
        hidden = part.stretch.hidden
        if hidden is None:
            raise ValueError(f"of {part.stretch.session} nothing hidden is known")
        return np.concatenate([super().seen(part, steps), hidden[part.begin + steps]], axis=1)


def told_of(part: Part, frozen: Frozen) -> list[Lesson]:
    """What it learns from of one part; nothing, where nothing hidden is known of it."""
    hidden = part.stretch.hidden
    if hidden is None:
        return []
    lesson = lesson_of(part, frozen)
    return [thinned(Lesson(np.concatenate([lesson.x, hidden[part.span]], axis=1), lesson.came))]
