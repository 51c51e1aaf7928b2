"""The surface's picture: every smile and every panel is on it, and it is well-formed."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from engine.research.evaluate_surface import drawn_sweep
from engine.research.picture_surface import Drawn, picture

K = np.array([-0.2, 0.0, 0.2])
SMILE = Drawn("14 Apr 2023, 1 days", K, K * 0.0 + 0.5, K * 0.0 + 0.6, np.array([0.55, 0.55, 0.7]), K, K * 0.0 + 0.55)
OFF = {"ours_vol_bp": 30.0, "scipy_lm_vol_bp": 29.0, "marks_vol_bp": 28.0}
PLAIN = {"inside_bid_ask": 0.989, "rmse_vol_bp": 29.0}
DONE, BROKEN = {"proven": 9, "refuted": 0, "undecided": 0}, {"proven": 7, "refuted": 2, "undecided": 0}
FIGURES = {"p50": 5.0, "rmse_vol_bp": 12.0, "butterfly": 0, "calendar": 0}
SLOW = {**FIGURES, "p50": 50.0}
TABLE: dict[str, Any] = {
    "snapshots": 1, "expiries": 9, "proof": {"smiles": DONE, "neighbours": DONE},
    "peers": {"scipy_lm": {"slices": BROKEN, "neighbours": BROKEN}},
    "what_is_off": {"by_width": [{"up_to": width, **OFF} for width in (1.0, 2.0)],
                    "by_hour": [{"utc": f"2023-04-12 1{hour}:00", **OFF} for hour in range(3)]},
    "trade_off": [{"missed": missed, **PLAIN, "scipy_lm": PLAIN} for missed in (0.0, 2.0)],
    "synthetic": {"ours": FIGURES, "beside": {"from the last fit": FIGURES}, "peers": {"scipy & co": SLOW}},
}  # fmt: skip


def test_it_is_well_formed_and_says_what_it_shows() -> None:
    page = picture(TABLE, [SMILE, SMILE], 1_681_300_000 * 10**9)
    words = " ".join(text for text in ElementTree.fromstring(page).itertext())
    for said in (
        "9 of 9 smiles proven",
        "2023-04-12 11:46",
        "2 of 3 quotes hold the fit",
        "scipy & co",
        "Off mid, hour",
    ):
        assert said in words


def test_quotes_that_miss_the_fit_are_marked() -> None:
    page = picture(TABLE, [SMILE], 0)
    assert page.count("#e0566f") == 1


def test_a_real_sweep_is_drawn(shared_data: Path) -> None:
    smiles, when = drawn_sweep(shared_data)
    assert len(smiles) >= 9
    assert when == pytest.approx(1_681_389_000 * 10**9, abs=10**13)
    for smile in smiles:
        assert (np.diff(smile.k) >= 0.0).all()
        assert np.isfinite(smile.line).all()
        assert (smile.bid <= smile.ask).all()
