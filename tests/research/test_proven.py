"""The proof check: what it proves holds on a dense grid, what it refutes fails where it says, and it knows which."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.research.curves import Curve
from engine.research.intervals import Floats, Interval
from engine.research.proven import blends, butterflies, crossings, lifts
from engine.research.search import Seen, search

DENSE = np.concatenate([np.linspace(-6.0, 6.0, 6001), np.geomspace(6.0, 1e6, 500), -np.geomspace(6.0, 1e6, 500)])


def raw(a: float, b: float, rho: float, m: float, sigma: float) -> Curve:
    return Curve(a, ((b * rho, b, m, sigma),))


VOGT = raw(-0.0410, 0.1331, 0.3060, 0.3586, 0.4153)
PLAIN = raw(0.01, 0.05, -0.3, 0.0, 0.2)
ABOVE, FLATTER = raw(0.03, 0.05, -0.3, 0.0, 0.2), raw(0.03, 0.02, -0.3, 0.0, 0.2)
ONE_SIDED = Curve(0.25, ((0.0, 0.0, 0.0, 0.5), (0.5, 0.5, 0.25, 0.5)))
TWO_SIDED = Curve(0.25, ((-0.5, 0.5, 0.0, 0.5), (0.5, 0.5, 0.0, 0.5)))


def level(curve: Curve, k: Floats) -> Floats:
    return np.asarray(curve.a + sum(p * (k - m) + c * np.hypot(k - m, s) for p, c, m, s in curve.hinges))


def g(curve: Curve, k: Floats, lift: float = 0.0) -> Floats:
    """Gatheral's function as it is written, in numbers."""
    w = level(curve, k) + lift
    slope = sum(p + c * (k - m) / np.hypot(k - m, s) for p, c, m, s in curve.hinges)
    bend = sum(c * s * s / np.hypot(k - m, s) ** 3 for p, c, m, s in curve.hinges)
    return np.asarray((1 - k * slope / (2 * w)) ** 2 - slope**2 / 4 * (1 / w + 0.25) + bend / 2)


def hinge(slope: float, side: int, m: float, sigma: float) -> tuple[float, float, float, float]:
    return side * slope / 2.0, slope / 2.0, m, sigma


@st.composite
def curves(draw: st.DrawFn) -> Curve:
    """Raw SVI, or a hinge for each wing; some with butterflies and some without."""
    m, sigma = rounded(-0.4, 0.4), rounded(0.02, 0.6)
    low = draw(rounded(0.001, 0.3))
    if draw(st.booleans()):
        b, rho, s = draw(rounded(0.01, 1.1)), draw(rounded(-0.95, 0.95)), draw(sigma)
        return raw(low - b * s * math.sqrt(1 - rho * rho), b, rho, draw(m), s)
    wings = tuple(hinge(draw(rounded(0.0, 1.99)), side, draw(m), draw(sigma)) for side in (-1, 1))
    return Curve(low, wings)


def rounded(low: float, high: float) -> st.SearchStrategy[float]:
    return st.floats(low, high).map(lambda x: round(x, 3))


def test_vogts_slice_is_caught_where_it_bends_wrong() -> None:
    (verdict,) = butterflies([VOGT])
    assert verdict.answer == "refuted"
    assert verdict.at is not None
    assert g(VOGT, np.array([verdict.at]))[0] < 0.0


@settings(max_examples=60)
@given(curves())
def test_butterflies_are_decided_and_rightly(curve: Curve) -> None:
    (verdict,) = butterflies([curve])
    if verdict.at is not None:
        assert level(curve, np.array([verdict.at]))[0] <= 0.0 or g(curve, np.array([verdict.at]))[0] < 1e-9
    else:
        assert verdict.answer == "proven" or np.min(np.abs(g(curve, DENSE))) < 1e-6
        assert np.min(g(curve, DENSE)) > -1e-9


@settings(max_examples=40)
@given(curves(), curves())
def test_crossings_are_decided_and_rightly(near: Curve, far: Curve) -> None:
    (verdict,) = crossings([[near]], [[far]])
    rise = level(far, DENSE) - level(near, DENSE)
    if verdict.at is not None:
        at = np.array([verdict.at])
        assert level(far, at)[0] < level(near, at)[0] * (1.0 + 1e-12)  # what rounding leaves of it
    else:
        assert verdict.answer == "proven" or np.min(np.abs(rise)) < 1e-6
        assert np.min(rise) > -1e-9


@pytest.mark.parametrize(
    ("near", "far", "answer"),
    [
        ([PLAIN], [PLAIN], "proven"),
        ([PLAIN], [ABOVE], "proven"),
        ([PLAIN], [FLATTER], "refuted"),  # below it in the wings alone
        ([PLAIN], [FLATTER, PLAIN], "proven"),  # the highest of both
        ([PLAIN, ABOVE], [ABOVE], "proven"),
        ([PLAIN, ABOVE], [PLAIN], "refuted"),
        ([ONE_SIDED], [TWO_SIDED], "proven"),  # to the right they are parallel
        ([TWO_SIDED], [ONE_SIDED], "refuted"),
    ],
)
def test_a_smile_is_the_highest_of_its_curves(near: list[Curve], far: list[Curve], answer: str) -> None:
    (verdict,) = crossings([near], [far])
    assert verdict.answer == answer


def test_a_crossing_far_out_in_the_wing_is_found() -> None:
    steeper = raw(0.01, 0.0502, -0.3, 0.0, 0.2)
    (verdict,) = crossings([[steeper]], [[raw(0.02, 0.05, -0.3, 0.0, 0.2)]])
    assert verdict.answer == "refuted"
    assert abs(verdict.at or 0.0) > 20.0


def test_no_variance_and_wings_too_steep_are_refuted() -> None:
    none, turned, steep = raw(-0.1, 0.05, 0.0, 0.0, 0.2), raw(0.05, -0.05, 0.0, 0.0, 0.2), raw(1.0, 1.9, 0.3, 0.0, 0.2)
    assert [verdict.answer for verdict in butterflies([none, turned, steep, PLAIN])] == ["refuted"] * 3 + ["proven"]


def test_what_lies_between_two_smiles_is_searched_in_every_proportion() -> None:
    mostly = crossings([[VOGT]], [[VOGT]])[0], blends([[VOGT], [PLAIN]], [[ABOVE], [ABOVE]])
    assert [verdict.answer for verdict in (mostly[0], *mostly[1])] == ["proven", "refuted", "proven"]
    assert blends([[VOGT, PLAIN]], [[ABOVE]])[0].answer == "undecided"  # perhaps where the first is not the highest


@settings(max_examples=15)
@given(curves(), curves(), st.floats(0.0, 1.0))
def test_blends_are_decided_rightly(near: Curve, far: Curve, share: float) -> None:
    (verdict,) = blends([[near]], [[far]])
    parts = ((near, 1.0 - share), (far, share))
    hinges = tuple((p * part, c * part, m, s) for curve, part in parts for p, c, m, s in curve.hinges)
    mixed = Curve(near.a * (1.0 - share) + far.a * share, hinges)
    ends = {each.answer for each in butterflies([near, far])}
    assert (
        verdict.answer == "refuted"
        if "refuted" in ends
        else verdict.answer != "proven" or np.min(g(mixed, DENSE)) > -1e-9
    )


@settings(max_examples=30)
@given(curves(), st.floats(0.0, 3.0))
def test_lifts_are_decided_rightly(curve: Curve, lift: float) -> None:
    (verdict,) = lifts([curve])
    assert verdict.answer == "refuted" or butterflies([curve])[0].answer == "proven"
    assert verdict.answer != "proven" or np.min(g(curve, DENSE, lift)) > -1e-9


def test_nothing_asked_is_nothing_answered() -> None:
    assert butterflies([]) == lifts([]) == blends([], []) == crossings([], []) == []


@pytest.mark.parametrize(("least", "answer"), [(1e-9, "proven"), (-1e-9, "refuted"), (0.0, "undecided")])
def test_a_search_halves_until_it_knows_and_says_when_it_cannot(least: float, answer: str) -> None:
    """Of x² + least on [−1, 2], enclosed badly: only its ends are looked at, with room for what lies between."""

    def look(which: object, k: Interval, share: Interval) -> Seen:
        middle = k.middle() ** 2 + least
        low = np.minimum(k.low**2, k.high**2) + least - np.where((k.low < 0.0) & (k.high > 0.0), 1e-30, 0.0)
        low = low - (k.high - k.low) * np.maximum(np.abs(k.low), np.abs(k.high))
        return Seen(low, middle - (1e-30 if least == 0.0 else 0.0) * 0.0, np.zeros(len(middle), dtype=np.bool_))

    (verdict,) = search(look, [np.array([-1.0, 2.0])], np.array([True]))
    assert verdict.answer == answer
