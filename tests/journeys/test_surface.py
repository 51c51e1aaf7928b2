"""The volatility panel in a real browser: its pictures, its columns, its moments, and what a click opens."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver.common.keys import Keys

from tests import processes
from tests.journeys import market
from tests.journeys.browser import Page, browser, page
from tests.journeys.market import Odd, name_of
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


SIZES = ((1440, 900), (1280, 720))
TABS = ("heatmap", "smiles", "term", "3D", "flags")


def sized(at: Page, width: int, height: int) -> None:
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    at.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    at.until(lambda: at.driver.execute_script("return innerHeight") == height, "the window is not of that size")


def edges(at: Page) -> list[float]:
    """Where the panel, its picture, its smile and its last line begin and end, from top to bottom."""
    found: list[float] = at.driver.execute_script(
        "return ['#panel-surface', '#surface', '#panel-surface .smile', '#surface-foot']"
        ".flatMap((css) => { const r = document.querySelector(css).getBoundingClientRect(); return [r.top, r.bottom] })"
    )
    return found


def focused(at: Page, name: str) -> str:
    value: str = at.driver.execute_script(f"return document.activeElement.{name} ?? ''")
    return value


@browser
@pytest.mark.processes
def test_tabs_do_not_jump_cells_are_walked_by_keys_and_what_was_chosen_is_kept(desk: processes.Process) -> None:
    with page(desk.address) as at:
        open_ladder(at)
        at.until(lambda: at.find("#surface-heat .cell"), "no cells")
        for width, height in SIZES:
            sized(at, width, height)
            stand = set()
            for tab in TABS:
                shown(at, tab)
                stand.add(tuple(edges(at)))
            assert len(stand) == 1, f"what stands below the tabs jumps at {width}×{height}"
            foot, panel = edges(at)[-1], edges(at)[1]
            assert foot <= panel <= height, "something is below the fold"
        shown(at, "heatmap")
        assert at.until(lambda: at.find("#surface-heat [tabindex='0']"), "no cell can be reached with the keyboard")
        at.driver.execute_script("document.querySelector('#surface-heat [tabindex=\"0\"]').focus()")
        before = focused(at, "dataset.instrument")
        assert before
        at.until(lambda: before[:-2] in at.text("#surface-card"), "the card does not tell of the cell")
        for said in ("bid · mid · ask", "fit", "mid − fit", "told"):
            assert said in at.text("#surface-card")

        def walked() -> bool:
            at.driver.switch_to.active_element.send_keys(Keys.ARROW_DOWN)
            return focused(at, "dataset.instrument") not in ("", before)

        at.until(walked, "the arrows walk nowhere")
        name = focused(at, "dataset.instrument")
        at.driver.switch_to.active_element.send_keys(Keys.ENTER)
        at.until(lambda: seen(at, "ladder.instrument") == name, "its ladder does not open")
        at.until(lambda: at.find(f"#surface-heat .cell.on[data-instrument='{name}']"), "its cell is not marked")
        columns(at, "delta", "25P")
        shown(at, "smiles")
        at.until(lambda: not at.one("#surface-card").is_displayed(), "the card of a picture outlives it")
        at.driver.refresh()
        at.until(lambda: at.find("#surface-tabs [data-tab='smiles'][aria-selected='true']"), "the tab is not kept")
        at.until(lambda: at.find("#surface-columns [data-choice='delta'][aria-pressed='true']"), "the axis is not kept")
        at.until(lambda: painted(at, "#surface-smiles"), "the smiles are not painted")
        assert at.complaints() == []


@browser
@pytest.mark.processes
def test_what_is_odd_is_seen_and_an_arbitrage_opens_its_legs(tmp_path: Path) -> None:
    """A recording with a halted option, one without bids, one beside the smile, and a box that pays for itself."""
    odd = {
        name_of(24_000, True): Odd(ask=0.10),
        name_of(26_000, True): Odd(bid=0.22, ask=0.225),
        name_of(28_000, False): Odd(iv=0.12),
        name_of(36_000, True): Odd(sides=("ask",)),
        name_of(40_000, True): Odd(state="halted"),
    }
    recording = market.write(tmp_path / "odd.ws.txt", odd)
    with processes.desk(tmp_path / "desk", "--replay", str(recording)) as running, page(running.address) as at:
        at.says("#mode-badge", "replay")
        at.until(lambda: seen(at, "surface.smiles.length"), "no surface")
        at.click("#replay-play")
        at.until(lambda: seen(at, "arbitrage.rows.length"), "no arbitrage is found")

        def quality(name: str) -> str:
            return str(at.one(f"#surface-heat [data-instrument='{name}']").get_attribute("data-quality"))

        at.until(lambda: quality(name_of(36_000, True)) == "fitted", "an option without bids is shown as quoted")
        at.until(lambda: quality(name_of(40_000, True)) == "fitted", "a halted option is shown as quoted")
        assert quality(name_of(34_000, True)) == "quoted"
        at.says("#panel-surface .banner", "1 not open")
        at.says("#smile-fit", "outside 1")
        at.click("#surface-foot .flags")
        at.until(lambda: at.one("#surface-flags").is_displayed(), "the flags do not open")
        at.until(lambda: at.find("#surface-flags .package .leg"), "no legs are listed")
        said = at.text("#surface-flags .package")
        leg = at.text("#surface-flags .package .leg .link")
        assert leg in odd
        for part in ("buy", "0.1000", "BTC · ", "USD"):
            assert part in said, f"{part} is not said of the package"
        at.click("#surface-flags .package .leg .link")
        at.until(lambda: seen(at, "ladder.instrument") == leg, "the leg's ladder does not open")
        assert at.complaints() == []


@browser
@pytest.mark.processes
def test_two_coins_stand_apart_and_a_stand_in_is_told_from_a_smile(tmp_path: Path, shared_data: Path) -> None:
    """Ten real options of two coins: too few for any smile."""
    recording = shared_data / "deribit_frames" / "2021-07-22.ws.txt"
    with processes.desk(tmp_path / "desk", "--replay", str(recording)) as running, page(running.address) as at:
        at.until(lambda: at.find("#surface-coins [data-choice='ETH']"), "the coins cannot be chosen")
        at.click("#replay-play")
        at.click("#surface-coins [data-choice='ETH']")
        at.until(lambda: "4000" in at.text("#surface-heat"), "the other coin is not shown")
        assert "300k" not in at.text("#surface-heat"), "two coins share an axis"
        at.says("#surface-heat .expiry", "≈")
        at.says("#smile-fit", "stand-in")
        at.until(lambda: "skew –" in at.text("#surface-foot"), "a flat stand-in is said to have a skew")
        assert at.complaints() == []
