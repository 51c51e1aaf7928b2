"""Flags, from smiles with and without arbitrage between them."""

from __future__ import annotations

import msgspec
import pytest

from engine.domain import NS, YEAR_NS, expiry_of
from engine.surface import arbitrage
from engine.surface.surface import Fit, Surface
from engine.surface.svi import Slice, flat, raw
from tests.surface.oracle import VOGT

NEAR, FAR = expiry_of("27MAR26"), expiry_of("24APR26")
T = expiry_of("6MAR26")


def fit(expiry: int, piece: Slice, **changes: object) -> Fit:
    base = Fit(expiry=expiry, slice=piece, forward=60_000.0, years=(expiry - T) / YEAR_NS, t=T, source="quotes",
               lowest_k=-0.3, highest_k=0.3)  # fmt: skip
    return msgspec.structs.replace(base, **changes)


def surface(*fits: Fit) -> Surface:
    made = Surface()
    made.fits = {each.expiry: each for each in fits}
    return made


def test_sound_smiles_raise_no_flag() -> None:
    assert arbitrage.flags(surface(fit(NEAR, flat(0.02)), fit(FAR, flat(0.03)))) == []
    assert arbitrage.flags(Surface()) == []


def test_the_slice_of_vogt_is_flagged() -> None:
    (flag,) = arbitrage.flags(surface(fit(FAR, VOGT)))
    assert flag == "Butterfly in 24APR26: g falls to -0.0329"


def test_variance_that_falls_with_time_is_flagged() -> None:
    (flag,) = arbitrage.flags(surface(fit(NEAR, flat(0.03)), fit(FAR, flat(0.027))))
    assert flag == "Calendar: 24APR26 has 10.0% less total variance than 27MAR26 near 44449"


def test_a_crossing_is_found_where_it_is() -> None:
    tilted = raw(a=0.02, b=0.05, rho=-0.9, m=0.0, sigma=0.1)
    (flag,) = arbitrage.flags(surface(fit(NEAR, flat(0.0225)), fit(FAR, tilted)))
    assert flag.startswith("Calendar: 24APR26 has")
    assert "near 74021" in flag  # in the right wing, where the far smile is lowest


@pytest.mark.parametrize(
    ("near", "far"),
    [
        ({"highest_k": -0.1}, {"lowest_k": 0.1}),  # quoted nowhere together
        ({"source": "marks"}, {}),
        ({}, {"source": "flat"}),
        ({}, {"slice": None, "source": "none"}),
        ({}, {"t": NEAR + NS}),  # the near one is over by now
    ],
)
def test_guesses_are_not_compared(near: dict[str, object], far: dict[str, object]) -> None:
    assert arbitrage.flags(surface(fit(NEAR, flat(0.03), **near), fit(FAR, flat(0.027), **far))) == []


def test_an_old_fit_is_aged_to_the_newer_ones_time() -> None:
    """Three weeks before its expiry the near smile held 0.03; two weeks later a third of it is left."""
    later = T + 14 * 86_400 * NS
    fresh = fit(FAR, flat(0.015), t=later, years=(FAR - later) / YEAR_NS)
    assert arbitrage.flags(surface(fit(NEAR, flat(0.03)), fresh)) == []
    (flag,) = arbitrage.flags(surface(fit(NEAR, flat(0.06)), fresh))
    assert "25.0% less" in flag
