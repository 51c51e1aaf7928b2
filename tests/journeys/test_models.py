"""The Model page: a candidate promoted while the desk runs, rolled back, a spoilt one refused; long work begun, seen
again after the page was loaded anew, and ended."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.shell.registry import Registry, shipped
from tests import processes
from tests.forecast.weights import random_net, weights_of
from tests.journeys.browser import Page, browser, page

SHIPPED = shipped()[-1].stem
ONE, SPOILT = weights_of(random_net(1)), weights_of(random_net(2))


@browser
@pytest.mark.processes
def test_models_are_promoted_rolled_back_and_long_work_is_begun_and_ended(data: Path) -> None:
    registry = Registry(data)
    registry.folder.mkdir()
    (registry.folder / f"{ONE.id}.weights").write_bytes(ONE.to_bytes())
    (registry.folder / f"{SPOILT.id}.weights").write_bytes(SPOILT.to_bytes()[:-5])
    with processes.desk(data) as desk, page(desk.address) as at:
        at.says("#top-model", SHIPPED)
        at.click("#pages [data-page='model']")
        at.says(row(SHIPPED), "in use · champion")
        at.says("#scores-table", "past-only rule")
        at.says("#skill-name", SHIPPED)
        assert at.driver.current_url.split("#")[0].endswith("/model")
        _promote(at, registry)
        _roll_back(at, registry)
        _work(at)
        assert at.complaints() == []


def row(model: str) -> str:
    return f"#models-table tr[data-model='{model}']"


def _promote(at: Page, registry: Registry) -> None:
    at.says(row(SPOILT.id), "cut short or damaged")
    assert at.one(f"{row(SPOILT.id)} .act").get_attribute("disabled")
    at.click(f"{row(ONE.id)} .act")
    at.says("#models-confirm", f"Make {ONE.id} the champion?")
    at.click("#models-confirm .quiet")
    at.until(lambda: not at.one("#models-confirm").is_displayed(), "the question stays open")
    assert registry.champion() == SHIPPED, "asked, not done"
    at.click(f"{row(ONE.id)} .act")
    at.click("#models-confirm .yes")
    at.says("#top-model", ONE.id)
    at.says(row(ONE.id), "in use · champion")
    at.says("#models-said", f"forecasts come from {ONE.id} now")
    at.says("#models-history", f"promoted {ONE.id}")
    assert registry.champion() == ONE.id


def _roll_back(at: Page, registry: Registry) -> None:
    at.click("#pages [data-page='desk']")
    at.until(lambda: at.one("#ladder").is_displayed() and not at.one("#model").is_displayed(), "the desk is not back")
    at.says("#top-model", ONE.id)
    at.one("body").send_keys("m")
    at.click("#models-back")
    at.click("#models-confirm .yes")
    at.says("#top-model", SHIPPED)
    at.says("#models-history", f"rolled back to {SHIPPED}")
    assert registry.champion() == SHIPPED


def _work(at: Page) -> None:
    at.type("#work-sessions", "2")
    at.type("#work-minutes", "4")
    at.click("#work-begin")
    at.says("#work-progress .title", "training on 2 sessions of 4 min")
    at.driver.refresh()
    at.says("#work-progress", "running")
    assert at.one("#work-begin").get_attribute("disabled"), "one at a time"
    at.click("#work-end")
    at.says("#work-progress .verdict", "cancelled")
    at.click("#work-tabs [data-tab='compare']")
    at.until(lambda: at.one("#work-first").is_displayed(), "nothing to choose from")
