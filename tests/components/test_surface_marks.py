"""How the scripts say what is sure of a volatility and what is not, where things lie, and what they keep."""

from __future__ import annotations

import math
from typing import Any

import pytest

from tests.components.test_scripts import browser, computed
from tests.components.test_surface_scripts import FORWARD, PIECE, SHAPE, STRIKES, YEARS, fit, point

__all__ = ["browser"]

pytestmark = pytest.mark.browser
NOW = 1_800_000_000_000.0


def quote(strike: float, **other: Any) -> dict[str, Any]:
    """An option quoted a point to either side of the fit, a second ago."""
    sides = {"bid_iv": fit(strike) - 1.0, "ask_iv": fit(strike) + 1.0, "mark_iv": fit(strike)}
    return {**point(strike), **sides, "t_ms": NOW - 1000.0, "state": "open", **other}


def smile(points: list[dict[str, Any]], source: str = "quotes", code: str = "28NOV26") -> dict[str, Any]:
    ks = [one["strike"] for one in points]
    return {"code": code, "forward": FORWARD, "points": points, "shape": SHAPE, "source": source, "years": YEARS,
            "curve_strikes": ks, "curve_iv": [fit(k) for k in ks], "curve_error": []}  # fmt: skip


def cell(browser: Any, given: dict[str, Any], strike: float, now: float = NOW) -> dict[str, Any]:
    expression = (
        "it.cellOf(arguments[0], {strike: arguments[1], place: (s) => Math.log(arguments[1] / s.forward)},"
        " undefined, arguments[2])"
    )
    found: dict[str, Any] = computed(browser, "cells.js", expression, given, strike, now)
    return found


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ({}, ""),
        ({"bid_iv": None, "mid_iv": None}, "no bid"),
        ({"ask_iv": None, "mid_iv": None}, "no offer"),
        ({"bid_iv": None, "ask_iv": None, "mid_iv": None}, "no quote"),
        ({"state": "halted"}, "halted"),
        ({"t_ms": NOW - 61_000}, "quote is old"),
        ({"t_ms": None}, ""),
    ],
)
def test_a_cell_is_quoted_only_where_there_is_a_market_and_says_why_not(
    browser: Any, other: dict[str, Any], why: str
) -> None:
    found = cell(browser, smile([quote(k, **(other if k == 80_000 else {})) for k in STRIKES]), 80_000)
    assert found["why"] == why
    assert found["quality"] == ("fitted" if why else "quoted")
    assert found["iv"] == pytest.approx(fit(80_000.0))
    assert (found["spread"] is None) == bool(why)


def test_how_far_bid_and_ask_are_apart_stands_in_the_cell(browser: Any) -> None:
    assert cell(browser, smile([quote(k) for k in STRIKES]), 90_000)["spread"] == pytest.approx(2.0)


def test_a_strike_that_is_not_listed_is_told_from_one_that_is_not_quoted(browser: Any) -> None:
    found = cell(browser, smile([quote(k) for k in STRIKES]), 85_000)
    assert (found["quality"], found["why"]) == ("between", "not listed")
    assert found["iv"] == pytest.approx(100 * PIECE.iv(math.log(85_000 / FORWARD), YEARS))


def test_a_fit_to_marks_is_shown_as_a_stand_in_and_a_flat_one_not_at_all(browser: Any) -> None:
    points = [quote(k, mid_iv=None) for k in STRIKES]
    assert cell(browser, smile(points, "marks"), 80_000)["quality"] == "stand"
    flat = cell(browser, smile(points, "flat"), 80_000)
    assert (flat["quality"], flat["iv"], flat["fit"]) == ("none", None, None)
    assert cell(browser, smile([quote(k) for k in STRIKES], "flat"), 80_000)["quality"] == "quoted"


def test_columns_stay_when_quotes_come_and_go(browser: Any) -> None:
    def keys(mids: bool) -> list[float]:
        strikes = [60_000.0 + 1000 * n for n in range(41)]
        points = [point(k, 0.0 if mids or n % 3 else None) for n, k in enumerate(strikes)]
        view = {"strikes": strikes, "smiles": [smile(points)], "grid": []}
        found: list[float] = computed(
            browser, "cells.js", "it.columnsOf(arguments[0], 'strike', 9).map((one) => one.key)", view
        )
        return found

    assert keys(mids=True) == keys(mids=False)
    assert len(keys(mids=True)) == 9
    assert FORWARD in keys(mids=True)


@pytest.mark.parametrize(
    ("strikes", "forward", "where"),
    [
        ([70_000, 80_000, 90_000], 80_000.0, 1.5),
        ([70_000, 80_000, 90_000], math.sqrt(80_000.0 * 90_000.0), 2.0),
        ([90_000, 100_000], 80_000.0, None),
        ([60_000, 70_000], 80_000.0, None),
    ],
)
def test_the_forward_is_marked_between_the_columns_where_it_lies(
    browser: Any, strikes: list[float], forward: float, where: float | None
) -> None:
    columns = [{"strike": k} for k in strikes]
    given = {**smile([quote(k) for k in STRIKES]), "forward": forward}
    assert computed(browser, "cells.js", "it.forwardAt(...arguments)", given, columns) == pytest.approx(where)


@pytest.mark.parametrize("kind", ["strike", "moneyness", "delta"])
def test_what_runs_along_the_foot_grows_with_strikes(browser: Any, kind: str) -> None:
    given = smile([quote(k) for k in STRIKES])
    at = computed(browser, "abscissa.js", "arguments[2].map((k) => it.along(arguments[0], arguments[1], k))",
                  kind, given, STRIKES)  # fmt: skip
    assert at == sorted(at)
    assert len(set(at)) == len(at)
    if kind == "delta":
        assert 0.0 < at[0] < at[-1] < 1.0


def test_an_earlier_fit_is_compared_at_the_same_strike_moneyness_or_delta(browser: Any) -> None:
    """The forward has moved by a tenth, the smile with it: the same by moneyness and by delta, another by strike."""
    before = {**SHAPE, "forward": FORWARD / 1.1}
    given = smile([quote(k) for k in STRIKES])
    then = {
        kind: computed(browser, "abscissa.js", "it.thenAt(...arguments)", kind, given, 90_000.0, before)
        for kind in ("strike", "moneyness", "delta")
    }
    assert then["moneyness"] == pytest.approx(fit(90_000.0))
    assert then["delta"] == pytest.approx(fit(90_000.0), abs=1e-3)
    assert then["strike"] == pytest.approx(100 * PIECE.iv(math.log(90_000.0 * 1.1 / FORWARD), YEARS))


def test_strikes_that_nobody_quotes_are_counted_and_left_out_of_the_smile(browser: Any) -> None:
    ks = [60_000.0 + 2500 * n for n in range(17)]
    points = [quote(k) if 75_000 <= k <= 90_000 else quote(k, mid_iv=None) for k in ks]
    part = computed(browser, "smile.js", "it.quotedPart(arguments[0])", smile(points))
    assert [one["strike"] for one in part["points"]] == [k for k in ks if 72_500 <= k <= 92_500]
    assert part["curve_strikes"] == [k for k in ks if 72_500 <= k <= 92_500]
    assert (part["below"], part["above"]) == (5, 3)


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({}, ""),
        ({"fit_iv": 99.0}, "over the offer"),
        ({"fit_iv": 1.0}, "under the bid"),
        ({"fit_iv": 1.0, "bid_iv": None}, ""),
        ({"fit_iv": 1.0, "state": "halted"}, ""),
        ({"fit_iv": None}, ""),
    ],
)
def test_a_fit_outside_of_bid_and_ask_is_said(browser: Any, other: dict[str, Any], said: str) -> None:
    assert computed(browser, "told.js", "it.outside(arguments[0])", quote(80_000.0, **other)) == said


def test_the_card_says_bid_mid_ask_fit_residual_and_age(browser: Any) -> None:
    given = smile([quote(k, mid_iv=fit(k) + 0.25) for k in STRIKES])
    rows = dict(one[:2] for one in computed(browser, "told.js", "it.rows(arguments[0], arguments[0].points[2])", given))
    assert rows["bid · mid · ask"] == " · ".join(f"{fit(80_000.0) + off:.1f}" for off in (-1, 0.25, 1)) + " %"
    assert rows["fit"].startswith(f"{fit(80_000.0):.2f} %")
    assert rows["mid − fit"] == "+0.25 pts"
    assert "Δ" in rows["K÷F"]
    assert rows["told"].split()[0]


def test_in_space_the_far_wings_are_holes(browser: Any) -> None:
    ks = [20_000.0 * 1.2**n for n in range(18)]
    view = {"strikes": ks, "smiles": [smile([quote(k) for k in ks])], "t_ms": NOW}
    seen = computed(
        browser, "mesh.js",
        "((b) => b.cells[0].map((cell) => [cell.strike, b.value(cell)]))(it.build(arguments[0], 'strike'))", view,
    )  # fmt: skip
    heights = dict(seen)
    assert heights[min(heights)] is None
    assert heights[max(heights)] is None
    assert heights[min(heights, key=lambda k: abs(k - FORWARD))] is not None


def test_of_two_coins_one_is_looked_at(browser: Any) -> None:
    view = {"coin": "BTC ETH", "smiles": [smile([quote(k)], code=f"{coin} 28NOV26") for coin, k in
            (("BTC", 80_000.0), ("ETH", 2_000.0))], "strikes": [2_000.0, 80_000.0]}  # fmt: skip
    looked = computed(
        browser, "choices.js",
        "((one) => [one.coin, one.strikes, one.smiles.map((smile) => it.dayOf(smile))])"
        "((it.choice.coin = 'ETH', it.scoped(arguments[0])))", view,
    )  # fmt: skip
    assert looked == ["ETH", [2_000.0], ["28NOV26"]]


def test_what_was_chosen_is_kept_and_what_is_not_ours_is_not_taken(browser: Any) -> None:
    def recalled(kept: str) -> Any:
        expression = (
            "(localStorage.setItem('tidegate.surface', arguments[0]),"
            "Object.assign(it.choice, {tab: 'heatmap', columns: 'strike', moment: '', coin: '', camera: null}),"
            "it.recall(), {...it.choice})"
        )
        return computed(browser, "choices.js", expression, kept)

    plain = {"tab": "heatmap", "columns": "strike", "moment": "", "coin": "", "camera": None}
    for junk in (
        "",
        "null",
        "{",
        '{"tab": "nonsense", "columns": 3, "moment": "7", "coin": 5, "camera": {"yaw": "x"}}',
    ):
        assert recalled(junk) == plain
    camera = {"yaw": 0.1, "pitch": 0.2, "zoom": 1.5}
    kept = {"tab": "3D", "columns": "delta", "moment": "5", "coin": "ETH", "camera": camera}
    told = computed(browser, "choices.js", "(it.keep(arguments[0]), localStorage.getItem('tidegate.surface'))", kept)
    assert recalled(told) == kept


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.04, "+.04"), (-0.5, "−.50"), (0.001, "0"), (-1.64, "−1.6"), (12.3, "+12"), (None, "–"), (0.999, "+1.0")],
)
def test_a_change_has_room_in_a_cell(browser: Any, value: float | None, text: str) -> None:
    assert computed(browser, "format.js", "it.brief(arguments[0])", value) == text
