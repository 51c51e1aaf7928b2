"""States that a replay goes back to, so that a jump need not fold the tape from its beginning.

Where some were kept beside the tape, by the code that runs now, those are taken: an engine keeps one a minute, an
import of sweeps one an hour. Else a replay keeps its own as it goes: a bounded number, of which every second one is
dropped when there are too many, and half as many come from then on.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path

import msgspec

from engine import messages as m
from engine.core import Core
from engine.domain import HOUR_NS
from engine.shell import fold
from engine.shell.store import keyframes
from engine.shell.store.folders import meta_of
from engine.shell.store.tape import Gap, number_at

EVERY = 2000  # inputs between two of our own
MOST = 64


class Kept:
    """`code` is the version that runs now; what was kept by another is passed over. Empty: whoever kept it."""

    def __init__(self, folder: Path, code: str = "") -> None:
        self.folder = folder
        self._theirs = bool(keyframes.numbers(folder)) and code in ("", meta_of(folder).code)
        self._own: list[tuple[int, int, bytes]] = []  # (n, t, compressed dump)
        self._every = EVERY

    def keep(self, core: Core) -> None:
        """Offer the state after an input."""
        if self._theirs or core.n % self._every or (self._own and core.n <= self._own[-1][0]):
            return
        dump = zlib.compress(msgspec.msgpack.encode(core.dump()), 1)
        self._own.append((core.n, core.market.now, dump))
        if len(self._own) > MOST:
            self._every *= 2
            self._own = [state for state in self._own if state[0] % self._every == 0]

    def before(self, t: int) -> tuple[int, bytes] | None:
        """The last state at or before `t` (ns), with the number of its input."""
        if self._theirs:
            return keyframes.nearest(self.folder, number_at(self.folder, t))
        number, _, dump = max((state for state in self._own if state[1] <= t), default=(0, 0, b""))
        return (number, zlib.decompress(dump)) if dump else None


def keep_along(folder: Path, weights_of: fold.WeightsOf, progress: Callable[[int], None] = lambda _: None) -> None:
    """Fold a session through once and keep its state beside the tape, once an hour of its time. `progress` hears the
    time come to, ns."""
    core, due = fold.begin(folder, weights_of), 0
    for item in fold.items(folder):
        if isinstance(item, Gap):
            continue
        core.step(item)
        due = due or item.t + HOUR_NS
        if item.t >= due and isinstance(item, m.Tick):
            keyframes.put(folder, core.n, msgspec.msgpack.encode(core.dump()))
            due = item.t + HOUR_NS
            progress(item.t)
