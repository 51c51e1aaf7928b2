"""The models on the screen: promoted by a click, used from the next step on, rolled back, and a spoilt one refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.shell.registry import Registry, shipped
from tests import processes
from tests.forecast.weights import random_net, weights_of
from tests.journeys.browser import browser, page

SHIPPED = shipped()[-1].stem
ONE, SPOILT = weights_of(random_net(1)), weights_of(random_net(2))


@browser
@pytest.mark.processes
def test_a_model_is_promoted_and_rolled_back_on_the_screen(data: Path) -> None:
    registry = Registry(data)
    registry.folder.mkdir()
    (registry.folder / f"{ONE.id}.weights").write_bytes(ONE.to_bytes())
    (registry.folder / f"{SPOILT.id}.weights").write_bytes(SPOILT.to_bytes()[:-5])
    with processes.desk(data) as desk, page(desk.address) as at:
        at.says("#top-model", SHIPPED)
        at.click("#top-model")
        at.says("#models-rows", ONE.id)
        at.says("#models-rows tr:first-child", "in use, champion, shipped")
        row = f"#models-rows tr:nth-child({1 + [one.id for one in registry.entries()].index(ONE.id)})"
        at.click(f"{row} button")
        at.says("#models-in-use", ONE.id)
        at.says("#top-model", ONE.id)
        at.says("#models-history", f"promoted {ONE.id}")
        assert registry.champion() == ONE.id
        at.says("#models-rows tr.bad", "cut short or damaged")
        assert at.one("#models-rows tr.bad button").get_attribute("disabled")
        at.click("#models-back")
        at.says("#models-in-use", SHIPPED)
        assert registry.champion() == SHIPPED
        assert at.complaints() == []
        at.driver.save_screenshot(str(data / "models.png"))
        at.click("#models .close")
        at.until(lambda: not at.one("#models").is_displayed(), "the dialog stays open")
