"""Real sweeps of a whole option chain, replayed: the surface fills as it was asked for, at days in a minute."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pandas as pd
import pytest

from tests import processes
from tests.journeys.browser import Page, browser, page
from tests.journeys.test_desk import seen

CHAIN = Path("deribit_chains/btc_2023-04-12_to_14.parquet")


@browser
@pytest.mark.processes
def test_the_surface_fills_from_real_sweeps(tmp_path: Path, shared_data: Path) -> None:
    """Two hours of April 2023: smiles come one by one, play so that all is over in a minute, jump on and back."""
    recording = first_hours(shared_data / CHAIN, tmp_path / "sweeps.parquet", 2)
    with processes.desk(tmp_path / "desk", "--replay", str(recording)) as running, page(running.address) as at:
        at.says("#mode-badge", "replay")
        first = at.until(lambda: fitted(at), "no smile is fitted")
        assert first < 9, "the later expiries were not asked for yet"
        at.says("#ladder", "not subscribed")
        while at.text("#replay-speed") != "2 h/min":
            faster(at)
        at.click("#replay-play")
        at.until(lambda: fitted(at) == 9, "not every expiry has a smile")
        at.until(lambda: quoted(at) > 40, "the heatmap is empty")
        at.until(lambda: seen(at, "surface.smiles[2].curve_iv.length"), "no smile is drawn")
        jump(at, 970)
        at.until(lambda: not seen(at, "replay.playing"), "the sweeps do not end")
        end = moment(at)
        jump(at, 300)
        at.until(lambda: moment(at) < end - 3_600_000, "it does not jump back")
        at.until(lambda: fitted(at) == 9, "there are no smiles at that moment")
        assert at.complaints() == []


def first_hours(path: Path, out: Path, hours: float) -> Path:
    table = pd.read_parquet(path)
    begun = table["timestamp"] < table["timestamp"].min() + dt.timedelta(hours=hours) / dt.timedelta(milliseconds=1)
    table[begun].to_parquet(out)
    return out


def faster(at: Page) -> None:
    before = at.text("#replay-speed")
    at.click("#replay-speed")
    at.until(lambda: at.text("#replay-speed") != before, "the speed does not change")


def jump(at: Page, thousandth: int) -> None:
    at.driver.execute_script(
        "const one = document.querySelector('#replay-slider'); one.value = arguments[0];"
        "one.dispatchEvent(new Event('input')); one.dispatchEvent(new Event('change'))",
        thousandth,
    )


def fitted(at: Page) -> int:
    return int(seen(at, "surface.smiles.filter((one) => one.source === 'quotes').length") or 0)


def quoted(at: Page) -> int:
    """Cells of the heatmap that say an implied volatility."""
    return sum(cell.text.strip()[:1].isdigit() for cell in at.find("#surface-heat .cell"))


def moment(at: Page) -> float:
    return float(seen(at, "replay.now_ms") or 0)
