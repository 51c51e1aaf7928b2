"""What the command line says, and where a desk's processes are found: all that an emergency has to know.

Each venue has a folder of its own under the data folder: journal, sessions, and the addresses of what runs there.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from engine.config import Mode
from engine.shell import beside
from engine.shell.feed import BadSecret, Credentials, credentials_from

URLS: dict[Mode, str] = {
    "test": "wss://test.deribit.com/ws/api/v2",
    "live": "wss://www.deribit.com/ws/api/v2",
}


class CannotStart(Exception):
    """What keeps the desk from starting, in a sentence for a person."""


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line says. `data` is the folder of all venues."""

    venue: Mode = "paper"
    data: Path = Path.home() / ".tidegate"
    seed: int = 1
    speed: float = 1.0
    regime: str = "normal"  # of the paper venue's crowd
    replay: Path | None = None
    link_port: int = 0  # of the engine's own link; 0 takes any free one

    @property
    def folder(self) -> Path:
        return self.data / self.venue


def credentials(mode: Mode) -> Credentials:
    """The secret of this venue. Raises CannotStart when there is none."""
    try:
        return credentials_from(os.environ, mode)
    except BadSecret as error:
        raise CannotStart(str(error)) from None


def venue_url(options: Options) -> str:
    """Where the venue of this mode listens now. Raises CannotStart for a paper venue that does not run."""
    if options.venue != "paper":
        return URLS[options.venue]
    found = beside.alive(options.folder / "venue.json")
    if found is None:
        raise CannotStart("no paper venue runs on this data folder: there is nothing to kill or to check")
    return found["address"]


def running_engine(options: Options) -> str | None:
    """Address of the engine that runs on this data folder, if one does."""
    found = beside.alive(options.folder / "engine.json")
    return found["address"] if found else None
