"""The volatility panel in a real browser: its pictures, its columns, its moments, and what a click opens."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import processes
from tests.journeys.browser import Page, browser, page
from tests.journeys.test_desk import open_ladder, seen


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[processes.Process]:
    with processes.desk(tmp_path / "desk") as running:
        yield running


def shown(at: Page, tab: str) -> None:
    at.click(f"#surface-tabs [data-tab='{tab}']")
    at.until(lambda: at.one(f"[data-body='{tab}']").is_displayed(), f"{tab} is not shown")


def columns(at: Page, kind: str, label: str) -> None:
    at.click(f"#surface-columns [data-choice='{kind}']")
    at.until(lambda: label in at.text("#surface-heat .heat"), f"no column {label}")


def painted(at: Page, canvas: str) -> int:
    """A number that is another when the canvas shows another picture; 0 for an empty one."""
    return int(
        at.driver.execute_script(
            "const c = document.querySelector(arguments[0]); if (!c.width || !c.height) return 0;"
            "return c.getContext('2d').getImageData(0, 0, c.width, c.height).data"
            ".reduce((sum, one, i) => (sum * 31 + one * (1 + (i % 7))) % 1000003, 0)",
            canvas,
        )
    )


@browser
@pytest.mark.processes
def test_the_surface_in_every_picture(desk: processes.Process) -> None:
    with page(desk.address) as at:
        open_ladder(at)
        at.until(lambda: seen(at, "surface.smiles.length"), "no surface")
        columns(at, "moneyness", "1.00")
        columns(at, "delta", "25P")
        at.until(lambda: seen(at, "surface.past.length"), "no earlier moment is kept")
        at.click("#surface-moments [data-choice='0']")
        at.until(lambda: at.find("#surface-heat .cell.rise, #surface-heat .cell.fall"), "no change is shown")
        signs = {cell.text[0] for cell in at.find("#surface-heat .cell.rise, #surface-heat .cell.fall") if cell.text}
        assert signs <= set("+−0"), "a change without its sign"
        at.click("#surface-moments [data-choice='']")
        columns(at, "strike", "100k")
        for tab, canvas in (("smiles", "#surface-smiles"), ("term", "#surface-term"), ("3D", "#surface-space")):
            shown(at, tab)
            at.until(lambda canvas=canvas: painted(at, canvas), f"{tab} is not painted")  # type: ignore[misc]
        shown(at, "flags")
        at.until(lambda: "arbitrage" in at.text("#surface-flags").lower(), "nothing is said of arbitrage")
        assert at.complaints() == []


@browser
@pytest.mark.processes
def test_the_surface_in_space_is_turned_and_opened_by_keys_and_keeps_its_canvas(desk: processes.Process) -> None:
    with page(desk.address) as at:
        open_ladder(at)
        shown(at, "3D")
        canvas = at.one("#surface-space")
        at.driver.execute_script("arguments[0].mine = true; arguments[0].focus()", canvas)
        before = at.until(lambda: painted(at, "#surface-space"), "nothing is painted")
        press = (
            "arguments[0].dispatchEvent(new KeyboardEvent('keydown',"
            "{key: arguments[1], shiftKey: arguments[2], bubbles: true}))"
        )
        at.driver.execute_script(press, canvas, "ArrowRight", False)
        at.until(lambda: painted(at, "#surface-space") != before, "it does not turn")

        def walked() -> bool:
            at.driver.execute_script(press, canvas, "ArrowRight", True)
            return "BTC-" in at.text("#surface-said")

        at.until(walked, "no point is said")
        name = at.text("#surface-said").split()[-1]
        at.driver.execute_script(press, canvas, "Enter", False)
        at.until(lambda: seen(at, "ladder.instrument") == name, "its ladder does not open")
        shown(at, "heatmap")
        shown(at, "3D")
        assert at.driver.execute_script("return document.getElementById('surface-space').mine") is True
        assert at.complaints() == []
