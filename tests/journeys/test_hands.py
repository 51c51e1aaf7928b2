"""What a trader does to an order that runs, in a real browser: priced before it is sent, edited, pressed past a block
that is lifted for one order, its proposal rejected with a reason."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests import processes
from tests.journeys.browser import Page, browser, page
from tests.journeys.test_desk import open_ladder, seen

LARGEST = 4  # contracts an order may have on this desk
NEWEST = "#blotter tr.parent"  # the newest parent stands first
DRAWER = "#blotter tr.drawer"

pytestmark = [browser, pytest.mark.processes]


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """One desk for all of these: each writes a parent of its own and ends it."""
    data: Path = tmp_path_factory.mktemp("hands") / "desk"
    data.mkdir()
    (data / "settings.toml").write_text(f"[limits]\norder_contracts = {LARGEST}.0\n")
    with processes.desk(data) as running, page(running.address) as opened:
        open_ladder(opened)
        yield opened


@pytest.fixture
def parent(at: Page) -> Iterator[str]:
    """A manual parent of 20 to buy, its limit well above the offer; its id."""
    before = {row["id"] for row in seen(at, "desk.parents")}
    at.click("#ticket-algorithm input[value='twap']")
    at.type("#ticket-quantity", "20")
    at.type("#ticket-minutes", "5")
    prices = sorted(float(row.get_attribute("data-price")) for row in at.find("#ladder [data-price]"))
    at.type("#ticket-limit", f"{prices[len(prices) * 3 // 4]:g}")
    at.click("#ticket-send")
    at.until(lambda: len(seen(at, "desk.parents")) > len(before), "the parent was not taken")
    yield next(row["id"] for row in seen(at, "desk.parents") if row["id"] not in before)
    if not at.find(DRAWER):
        at.click(f"{NEWEST} [data-form='press']")
    at.click(f"{DRAWER} [data-tab='cancel']")
    at.click(f"{DRAWER} .form-cancel .no")
    at.until(lambda: not at.find(DRAWER), "the parent was not cancelled")


def row_of(at: Page, parent: str) -> dict[str, object]:
    return next(row for row in seen(at, "desk.parents") if row["id"] == parent)


def expected(at: Page, way: str) -> str:
    """What the ticket says that an algorithm would cost of the order, USD."""
    return at.text(f"#ticket-ways [data-way='{way}'] .usd")


def test_a_ticket_says_before_it_is_sent_what_each_algorithm_costs(at: Page) -> None:
    sent = seen(at, "desk.parents.length")
    at.type("#ticket-quantity", "5")
    for way in ("adaptive", "twap", "vwap", "pov", "almgren_chriss", "at once"):
        at.until(partial(expected, at, way), f"nothing is expected of {way}")
    small = expected(at, "at once")
    at.click("#ticket-ways [data-way='vwap']")
    at.until(lambda: at.find("#ticket-ways [data-way='vwap'].chosen"), "the choice is not marked")
    at.type("#ticket-quantity", "60")
    at.until(lambda: expected(at, "at once") not in ("", small), "it does not follow the quantity")
    at.until(lambda: "block" in at.text("#ticket-ways .advice"), "no word on a block for so many")
    assert seen(at, "desk.parents.length") == sent
    assert at.complaints() == []


def test_a_running_parent_is_edited(at: Page, parent: str) -> None:
    at.click(f"{NEWEST} [data-form='edit']")
    at.type(f"{DRAWER} .slot:nth-of-type(1) input", "30")
    at.says(f"{DRAWER} .yes", "change 1 → version 2")
    at.click(f"{DRAWER} .yes")
    at.until(lambda: row_of(at, parent)["version"] == 2, "the edit was not taken")
    assert row_of(at, parent)["amount"] == 30
    at.says(NEWEST, "v2")
    at.until(lambda: not at.find(DRAWER), "the form does not close once it was taken")


def test_more_is_taken_now_and_a_block_lifted_once_for_it(at: Page, parent: str) -> None:
    """A press of more than an order may have is refused; lifted in two steps, with a reason, one such order passes."""
    at.click(f"{NEWEST} [data-form='press']")
    at.type(f"{DRAWER} input", str(LARGEST + 2))
    at.click(f"{DRAWER} .form-press .yes")
    at.says(f"{DRAWER} .said", f"over the limit of {LARGEST}")
    at.click(f"{DRAWER} [data-lift='size'] .act")
    at.type(f"{DRAWER} [data-lift='size'] input", "the block is agreed")
    at.click(f"{DRAWER} [data-lift='size'] .yes")
    at.says("#guards", "asked to lift ‘size’")
    assert row_of(at, parent)["filled"] == 0
    at.click(f"{DRAWER} [data-action='grant']")
    at.says("#guards", "unused")
    at.click(f"{DRAWER} .form-press .yes")
    at.until(lambda: row_of(at, parent)["filled"] or row_of(at, parent)["working"], "nothing was taken")
    at.until(lambda: not at.find("#guards [data-guard='granted']"), "the lift was not used up")


def test_a_proposal_is_rejected_with_a_reason(at: Page, parent: str) -> None:
    mine = f"#proposals [data-proposal='{proposed(at, parent)}']"
    at.click(f"{mine} [data-action='because']")
    at.type(f"{mine} input", "not at this price")
    at.click(f"{mine} .amend .no")
    at.until(lambda: not at.find(f"{mine}:not(.gone)"), "the proposal still stands")
    at.click("#blotter-tabs [data-tab='decisions']")
    at.says("#blotter .notes:not([hidden])", "not at this price")
    at.click("#blotter-tabs [data-tab='orders']")


def proposed(at: Page, parent: str) -> str:
    """The parent's proposal, once there is one."""
    rows = at.until(
        lambda: [row["id"] for row in seen(at, "desk.proposals") if row["parent"] == parent], "nothing is proposed"
    )
    return str(rows[0])
