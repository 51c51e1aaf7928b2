"""What a simpler model says of the training moments, for the network to learn from beside what came.

What came is one draw of a distribution; boosting, which is hard to lead astray by what tells one session from another,
says something of the distribution itself. A network that is to agree with both learns less noise by heart (knowledge
distillation; Hinton, Vinyals and Dean 2015). Nobody is taught by one who has seen the answers: the sessions are dealt
into two halves, and each half's teacher learned from the other.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from engine.research.frozen import Frozen
from engine.research.rivals import Boosting, Lesson, lesson_of, thinned
from engine.research.targets import Part

HALVES = 2


class Teacher(Boosting):
    """The rival itself, given lessons that are thinned out already."""

    name = "teacher"
    every = 1


class Teachers:
    """`parts` are gone through once; of each, one step in `rivals.EVERY` is kept."""

    def __init__(self, parts: Iterable[Part], frozen: Frozen) -> None:
        self._half: dict[str, int] = {}
        lessons: tuple[list[Lesson], ...] = tuple([] for _ in range(HALVES))
        for part in parts:
            half = self._half.setdefault(part.stretch.session, len(self._half) % HALVES)
            lesson = thinned(lesson_of(part, frozen))
            for other in range(HALVES):
                if other != half:
                    lessons[other].append(lesson)
        self._of = [Teacher(each, frozen) for each in lessons] if len(self._half) >= HALVES else []

    def say(self, part: Part) -> NDArray[np.float32]:
        """(T, 3) of each step of the part; NaN where there is but one session, and so no teacher."""
        steps = np.arange(part.end - part.begin)
        if not self._of:
            return np.full((len(steps), 3), np.nan, np.float32)
        return self._of[self._half[part.stretch.session]].says(part, steps).astype(np.float32)
