"""How far a long command is: a bar on a terminal, else a line now and then; nothing for one of under two seconds."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TextIO

QUIET_S = 2.0
LINE_S = 5.0
WIDTH = 30


class Bar:
    """Call it with the share done, 0 … 1; `end` clears it away."""

    def __init__(self, what: str, out: TextIO | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self.what = what
        self.out = sys.stderr if out is None else out
        self.clock = clock
        self.began = clock()
        self.said = -LINE_S
        self.drawn = False

    def __call__(self, share: float) -> None:
        now = self.clock()
        terminal = self.out.isatty()
        if now - self.began < QUIET_S or now - self.said < (0.1 if terminal else LINE_S):
            return
        self.said = now
        if terminal:
            full = round(min(share, 1.0) * WIDTH)
            self.out.write(f"\r{self.what} [{'#' * full}{'.' * (WIDTH - full)}] {share:4.0%}")
            self.drawn = True
        else:
            self.out.write(f"{self.what}: {share:.0%}\n")
        self.out.flush()

    def end(self) -> None:
        if self.drawn:
            self.out.write("\r\x1b[K")
            self.out.flush()
