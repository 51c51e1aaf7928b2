"""What an import says about a file besides its content: that it cannot be read, which lines are bad, how far it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

Progress = Callable[[float], None]  # hears the share done, 0 … 1
LISTED = 1000  # bad lines that are named; all are counted


def silent(_: float) -> None:
    """A progress that nobody listens to."""


class BadRecording(ValueError):
    """A file that cannot be read as a recording. Its text is fit for a person."""


class BadLine(NamedTuple):
    number: int  # of the line or row, from 1; of the heading's line where there is one
    why: str
    file: str = ""  # its name


class Bad:
    """The bad lines of a file: all are counted, the first thousand are kept."""

    def __init__(self, file: str = "") -> None:
        self.file = file
        self.count = 0
        self.listed: list[BadLine] = []

    def add(self, number: int, why: str) -> None:
        self.count += 1
        if len(self.listed) < LISTED:
            self.listed.append(BadLine(number, why, self.file))

    def take(self, listed: Iterable[BadLine], count: int) -> None:
        """Those that another pass has found, so many in all."""
        self.count += count
        self.listed = [*self.listed, *listed][:LISTED]
