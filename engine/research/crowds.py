"""Which crowd each session lives in: the settings of a seed, and the one hash that names many of them.

A session is told by its seed and its regime. Training goes through a cycle of regimes, evaluation through all of them
and the held-out settings in turn: of these each seed has others, and nothing is trained on them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import NamedTuple

import msgspec

from engine.paper.crowd.settings import REGIMES, Settings, digest, held_out, settings_of
from engine.paper.venue import VenueSettings

HELD_OUT = "held-out"
ALL = "all"  # the regimes and the held-out settings in turn
TURNS = (*REGIMES, HELD_OUT)
MIX = ("normal", "volatile", "calm", "normal", "trending", "thin", "normal", "crisis")
"""What the shipped weights are trained on, in turn."""


class Session(NamedTuple):
    """A session to simulate. Without a regime its crowd is that of the venue's settings."""

    seed: int
    regime: str = ""

    def venue(self, base: VenueSettings | None = None) -> VenueSettings:
        """The settings it runs under. Raises ValueError for an unknown regime."""
        usual = base or VenueSettings()
        return msgspec.structs.replace(usual, crowd=crowd_of(self.regime, self.seed)) if self.regime else usual


def crowd_of(regime: str, seed: int) -> Settings:
    """The frozen settings, a regime's, or for `held-out` some that training is not given, others for each seed. Raises
    ValueError."""
    if not regime:
        return Settings()
    if regime == HELD_OUT:
        return held_out(seed)
    if regime not in REGIMES:
        raise ValueError(f"there is no regime '{regime}' (there are {', '.join(TURNS)})")
    return settings_of(regime)


def in_turn(seeds: Iterable[int], regimes: Sequence[str]) -> list[Session]:
    """One of each seed: the regimes one after the other, and from the first again."""
    return [Session(seed, regimes[k % len(regimes)] if regimes else "") for k, seed in enumerate(seeds)]


def named(crowds: Iterable[Settings]) -> str:
    """The hash of the settings; where sessions have several, of their hashes."""
    digests = list(dict.fromkeys(map(digest, crowds)))
    return digests[0] if len(digests) == 1 else sha256(" ".join(digests).encode()).hexdigest()


def named_of(sessions: Iterable[Session], base: VenueSettings | None = None) -> str:
    """Of these sessions; empty where nobody trades. A forecast's figure without it counts for nothing."""
    crowds = [crowd for session in sessions if (crowd := session.venue(base).crowd) is not None]
    return named(crowds) if crowds else ""
