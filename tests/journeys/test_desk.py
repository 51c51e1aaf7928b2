"""What a trader does, in a real browser, on the real server, engine and paper venue."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import processes
from tests.journeys.browser import Page, browser, page


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[processes.Process]:
    with processes.desk(tmp_path / "desk") as running:
        yield running


APPROVE = "#proposals [data-proposal]:not(.gone) [data-action='approve']:not([disabled])"


def open_ladder(at: Page) -> None:
    at.until(lambda: at.find("#ladder [data-price]"), "the ladder has no rows")
    at.says("#feed-badge", "live")
    at.until(lambda: touch(at), "the ladder shows no two-sided book")


def seen(at: Page, path: str) -> Any:
    """A value out of the views that the page was given last."""
    return at.driver.execute_script(f"return window.tidegate?.views?.{path.replace('.', '?.')} ?? null")


def touch(at: Page) -> bool:
    """Whether the page was told a book with both sides."""
    return bool(seen(at, "ladder.bids.length") and seen(at, "ladder.asks.length"))


def fills(at: Page) -> int:
    """Fills that the blotter counts: "1 working · 0 resting · 2 fills"."""
    parts = at.text("#blotter-sum").split("·")
    return int(parts[2].split()[0]) if len(parts) == 3 else 0


def write_parent(at: Page, *, quantity: str, minutes: str, urgency: str) -> None:
    """A TWAP parent, its limit well above the best offer, so that it can be filled."""
    at.click("#ticket-algorithm input[value='twap']")
    at.click("#ticket-side input[value='buy']")
    at.type("#ticket-quantity", quantity)
    at.type("#ticket-minutes", minutes)
    at.type("#ticket-urgency", urgency)
    prices = sorted(float(row.get_attribute("data-price")) for row in at.find("#ladder [data-price]"))
    at.type("#ticket-limit", f"{prices[len(prices) * 3 // 4]:g}")
    at.click("#ticket-send")


def approve_until_filled(at: Page) -> None:
    """A passive child may rest unfilled: go on approving what is proposed until something fills."""

    def step() -> bool:
        if fills(at):
            return True
        for press in at.find(APPROVE)[:1]:
            press.click()
        return False

    at.until(step, "nothing that was approved has filled")


@browser
@pytest.mark.processes
def test_work_an_order_by_click(desk: processes.Process) -> None:
    """Send a parent of 20, approve a proposal, see its fill, switch to automatic, kill."""
    with page(desk.address) as at:
        open_ladder(at)
        write_parent(at, quantity="20", minutes="2", urgency="10")
        at.says("#blotter", "working")
        approve_until_filled(at)
        before = fills(at)
        at.click("#blotter button[data-dial='auto']")
        at.until(lambda: at.find("#blotter button[data-dial='auto'][aria-pressed='true']"), "the dial is not confirmed")
        at.until(lambda: fills(at) > before, "nothing filled by itself")
        at.click("#kill")
        at.says("body", "nothing open")
        at.until(lambda: at.text("#kill") == "KILLED", "the button does not say that it worked")
        assert at.complaints() == []


@browser
@pytest.mark.processes
def test_the_engine_dies_and_comes_back(desk: processes.Process) -> None:
    """The page finds the new engine by itself and shows the state that was recovered, with the parent paused."""
    with page(desk.address) as at:
        open_ladder(at)
        write_parent(at, quantity="20", minutes="10", urgency="5")
        at.says("#blotter", "working")
        session = seen(at, "status.session")
        desk.kill_engine()
        at.until(lambda: seen(at, "status.session") not in (None, session), "no new engine was found")
        at.until(lambda: seen(at, "status.reconciled"), "the new engine did not reconcile")
        at.says("#feed-badge", "live")
        at.says("#blotter", "paused")


@browser
@pytest.mark.processes
def test_replay_of_a_real_recording(tmp_path: Path, shared_data: Path) -> None:
    """Ten real options of 2021 on the same screen: books, surface, forecasts doubted, no route."""
    recording = shared_data / "deribit_frames" / "2021-07-22.ws.txt"
    with processes.desk(tmp_path / "desk", "--replay", str(recording)) as running, page(running.address) as at:
        at.says("#mode-badge", "replay")
        at.until(lambda: at.find("#ladder [data-price]"), "the ladder has no rows")
        assert at.until(lambda: seen(at, "chain.instruments.length"), "no instruments") == 10
        start = position(at)
        at.click("#replay-play")
        at.until(lambda: position(at) > start, "the replay does not move")
        for control in ("#kill", "#ticket-send"):
            assert at.one(control).get_attribute("disabled"), f"{control} is alive in a replay"
        at.until(lambda: not seen(at, "replay.playing"), "the recording does not end")
        assert seen(at, "gauges.note"), "the gauge does not doubt a forecast that it cannot make"


def position(at: Page) -> float:
    """The replay's time, ms."""
    return float(seen(at, "replay.now_ms") or 0)
