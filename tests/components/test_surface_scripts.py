"""What the scripts of the surface compute, in a real browser, against the engine's own sums."""

from __future__ import annotations

import math
from typing import Any

import pytest
from msgspec.structs import astuple

from engine.surface.svi import raw
from tests.components.test_scripts import browser, computed

__all__ = ["browser"]

pytestmark = pytest.mark.browser
PIECE = raw(a=0.01, b=0.08, rho=-0.4, m=0.02, sigma=0.15)
YEARS = 0.2
FORWARD = 80_000.0
SHAPE = {"code": "28NOV26", "forward": FORWARD, "years": YEARS,
         "slices": [astuple(PIECE)]}  # fmt: skip
STRIKES = [60_000.0, 70_000.0, 80_000.0, 90_000.0, 100_000.0]


def fit(strike: float) -> float:
    return 100 * PIECE.iv(math.log(strike / FORWARD), YEARS)


def point(strike: float, gap: float | None = 0.0) -> dict[str, Any]:
    """An option whose mid is `gap` points over the fit; None: not quoted on both sides."""
    mid = None if gap is None else fit(strike) + gap
    return {"instrument": f"BTC-28NOV26-{strike:.0f}-{'C' if strike >= FORWARD else 'P'}", "strike": strike,
            "call": strike >= FORWARD, "mid_iv": mid, "fit_iv": fit(strike)}  # fmt: skip


def view(points: list[dict[str, Any]], shape: dict[str, Any] | None) -> dict[str, Any]:
    smile = {"code": "28NOV26", "forward": FORWARD, "points": points, "shape": shape}
    return {"strikes": STRIKES, "smiles": [smile], "grid": [[one["mid_iv"] for one in points]]}


def cells(browser: Any, kind: str, points: list[dict[str, Any]], shape: Any = SHAPE, earlier: Any = None) -> Any:
    """`{label: cell}` of a view with one smile."""
    expression = (
        "Object.fromEntries(it.columnsOf(arguments[0], arguments[1], 11)"
        ".map((column) => [column.label, it.cellOf(arguments[0].smiles[0], column, arguments[2] ?? undefined)]))"
    )
    return computed(browser, "cells.js", expression, view(points, shape), kind, earlier)


def test_a_smile_on_the_page_is_the_engines(browser: Any) -> None:
    ks = [-1.0, -0.2, 0.0, 0.3, 1.2]
    told = computed(browser, "svi.js", "arguments[1].map((k) => it.ivAt(arguments[0], k))", SHAPE, ks)
    assert told == pytest.approx([100 * PIECE.iv(k, YEARS) for k in ks])


@pytest.mark.parametrize("delta", [0.05, 0.25, 0.5, 0.75, 0.95])
def test_a_deltas_strike_has_that_delta(browser: Any, delta: float) -> None:
    k = computed(browser, "svi.js", "it.moneynessOf(arguments[0], arguments[1])", SHAPE, delta)
    deviation = PIECE.iv(k, YEARS) * math.sqrt(YEARS)
    d1 = -k / deviation + deviation / 2
    assert 0.5 * math.erfc(-d1 / math.sqrt(2)) == pytest.approx(delta, abs=1e-5)


def test_a_quoted_strike_shows_its_mid_and_opens_its_option(browser: Any) -> None:
    shown = cells(browser, "strike", [point(k, 0.4) for k in STRIKES])
    assert set(shown) == {"60k", "70k", "80k", "90k", "100k"}
    for strike in STRIKES:
        cell = shown[f"{strike / 1000:.0f}k"]
        assert cell["quality"] == "quoted"
        assert cell["iv"] == pytest.approx(fit(strike) + 0.4)
        assert cell["instrument"] == point(strike)["instrument"]


def test_where_one_side_is_missing_the_fit_is_shown_and_said(browser: Any) -> None:
    shown = cells(browser, "strike", [point(k, None if k == 70_000 else 0.4) for k in STRIKES])
    assert shown["70k"]["quality"] == "fitted"
    assert shown["70k"]["iv"] == pytest.approx(fit(70_000.0))


def test_between_strikes_the_mids_are_carried_and_beyond_them_nothing_is_known(browser: Any) -> None:
    shown = cells(browser, "moneyness", [point(k, 0.4) for k in STRIKES])
    assert shown["0.95"]["iv"] == pytest.approx(100 * PIECE.iv(math.log(0.95), YEARS) + 0.4)
    assert shown["0.95"]["instrument"] == "BTC-28NOV26-80000-C"
    assert shown["0.70"]["quality"] == shown["1.30"]["quality"] == "none"
    assert shown["0.70"]["iv"] is None


def test_without_a_fit_only_quotes_are_shown(browser: Any) -> None:
    points = [{**point(k, 0.0), "fit_iv": None} for k in STRIKES]
    assert cells(browser, "strike", points, None)["90k"]["iv"] == pytest.approx(fit(90_000.0))
    assert all(cell["iv"] is None for cell in cells(browser, "delta", points, None).values())


@pytest.mark.parametrize("kind", ["strike", "moneyness", "delta"])
def test_a_change_is_the_fit_now_less_the_fit_then(browser: Any, kind: str) -> None:
    """Total variance four times as high: twice the volatility, half of what is now was then."""
    quarter = [astuple(PIECE.scaled(0.25))]
    earlier = {"minutes": 1, "t_ms": 0, "shapes": [{**SHAPE, "slices": quarter}]}
    shown = cells(browser, kind, [point(k) for k in STRIKES], earlier=earlier)
    middle = shown[{"strike": "80k", "moneyness": "1.00", "delta": "50Δ"}[kind]]
    assert middle["change"] == pytest.approx(middle["fit"] / 2, rel=0.02)
    other = cells(browser, kind, [point(k) for k in STRIKES], earlier={**earlier, "shapes": []})
    assert all(cell["change"] is None for cell in other.values())


def test_nearer_points_of_the_box_are_painted_later_and_heights_go_up(browser: Any) -> None:
    low, high, near = computed(
        browser, "camera.js",
        "(() => { const p = it.place({yaw: 0, pitch: 0.5, zoom: 1}, 400, 300);"
        "return [p(0, 0, 0), p(0, 0, 1), p(0, 1, 0)]; })()",
    )  # fmt: skip
    assert high["y"] < low["y"]
    assert near["depth"] > low["depth"]
    assert low["x"] == near["x"] == pytest.approx(200)
