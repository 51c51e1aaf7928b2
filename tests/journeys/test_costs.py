"""What an order cost, looked at while it works: its terms on the Costs page, its fills, the files to keep."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from engine import messages as m
from tests import processes
from tests.journeys.browser import Page, browser, page
from tests.journeys.test_desk import approve_until_filled, open_ladder, write_parent

TERMS = ("delay", "underlying", "volatility", "timing", "spread", "impact", "opportunity", "fees")
FETCH = """
const done = arguments[arguments.length - 1];
fetch(arguments[0]).then(async (answer) => done([answer.status, await answer.text()]));
"""


def fetched(at: Page, address: str) -> tuple[int, str]:
    status, text = at.driver.execute_async_script(FETCH, address)
    return status, text


@browser
@pytest.mark.processes
def test_what_an_order_cost_is_seen_while_it_works(tmp_path: Path) -> None:
    with processes.desk(tmp_path / "desk") as desk, page(desk.address) as at:
        open_ladder(at)
        write_parent(at, quantity="20", minutes="3", urgency="10")
        at.says("#blotter", "working")
        approve_until_filled(at)
        at.click("#pages [data-page='costs']")
        number = at.one("#costs-table tr[data-parent]").get_attribute("data-parent") or ""
        for term in TERMS:
            at.says("#costs-waterfall", term)
        at.until(lambda: at.find("#costs-fills tbody tr"), "the fill is not in its table")
        at.until(lambda: "0 of 20" not in at.text("#costs-table"), "what was filled is not told")
        at.click("#costs-unit-tabs [data-tab='coin']")
        at.says("#costs-said", "coin")
        status, text = fetched(at, f"/cost?form=json&parent={number}")
        assert status == 200
        found = msgspec.json.decode(text, type=m.CostDetail)
        assert found.parent.id == number
        assert found.fills
        assert at.one(f"#costs-files a[href='/cost?form=html&parent={number}']").text == "HTML"
        assert at.complaints() == []
