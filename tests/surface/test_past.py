"""Smiles as they were: which moments are kept, how many, and that a dump goes on."""

from __future__ import annotations

import math

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.domain import NS
from engine.surface.past import EVERY_NS, KEPT, Past
from engine.surface.surface import Surface
from tests.surface.slices import quotes_of, slices

EXPIRY = 40 * 86_400 * NS


def surfaces() -> dict[str, Surface]:
    """One fitted expiry."""
    surface = Surface()
    surface.refit(EXPIRY, 80_000.0, quotes_of(slices()[0]), NS)
    assert surface.fits[EXPIRY].slice is not None
    return {"BTC": surface}
