"""Forwards and factors as a screen knows them."""

from __future__ import annotations

import msgspec
import pytest

from engine import messages as m
from engine import view
from engine.paper.instruments.listing import Spec
from engine.paper.venue import VenueSettings
from tests.link import QUIET, ready


def test_forwards_and_factors_are_shown_with_their_sources_changes_and_skill() -> None:
    world, _ = ready(settings=VenueSettings(listing=(Spec(expiries=3),), crowd=QUIET.crowd))
    world.run(65)
    shown = view.surface(world.core)
    codes = [smile.code for smile in shown.smiles]
    assert [row.code for row in shown.forwards] == codes
    for row in shown.forwards:
        assert {name for name, _, _ in row.sources} <= {"future", "parity", "ticker"}
        assert "ticker" in {name for name, _, _ in row.sources}
        off = [bp for _, _, bp in row.sources]
        assert row.apart_bp == pytest.approx(max(off) - min(off))
        for _, usd, bp in row.sources:
            assert bp == pytest.approx((usd / row.value - 1.0) * 1e4)
    first, *others = shown.factors
    assert (first.name, first.code) == ("index", "")
    levels = [row for row in others if row.name == "level"]
    assert {row.code for row in levels} <= set(codes)
    assert all(5.0 < row.value < 300.0 for row in (first, *levels))
    assert {row.verdict for row in shown.factors} == {"unknown yet"}
    assert [ago for ago, _ in first.changes] == [1]
    assert msgspec.json.decode(msgspec.json.encode(shown), type=m.SurfaceView) == shown


def test_before_anything_is_told_nothing_is_shown() -> None:
    world, _ = ready()
    world.core.market.smiles = type(world.core.market.smiles)()
    shown = view.surface(world.core)
    assert shown.forwards == ()
    assert shown.factors == ()
