"""The page as data: ids that others rely on, what a reader without eyes is told, scripts that are safe."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from components import page
from components.forecast import METERS
from components.link import LANES
from components.ticket import FIELDS

ASSETS = Path(__file__).resolve().parents[2] / "assets"
SCRIPTS = sorted(ASSETS.glob("*.js"))
CONTRACT = [
    "ladder", "surface", "gauge-up", "gauge-down", "gauge-stable", "gauge-slippage", "gauge-volatility", "gauge-fill",
    "gauge-impact", "gauge-spread", "ticket", "ticket-side", "ticket-quantity", "ticket-limit", "ticket-algorithm",
    "ticket-minutes", "ticket-dial", "ticket-send", "proposals", "blotter", "mode-badge", "feed-badge", "kill",
    "replay-bar", "replay-play", "surface-columns", "surface-moments", "surface-space", "surface-flags",
]  # fmt: skip
RISKY = [
    "innerHTML",
    "outerHTML",
    "insertAdjacentHTML",
    "document.write",
    "eval(",
    "new Function",
    "http://",
    "https://",
]


def elements(node: Any) -> Iterator[Any]:
    """Every element of a layout, outermost first."""
    if isinstance(node, list | tuple):
        for child in node:
            yield from elements(child)
    elif hasattr(node, "to_plotly_json"):
        yield node
        yield from elements(getattr(node, "children", None))


LAYOUT = list(elements(page.layout()))
IDS = [str(node.id) for node in LAYOUT if getattr(node, "id", None)]


@pytest.mark.parametrize("name", CONTRACT)
def test_an_id_that_others_rely_on_is_on_the_page(name: str) -> None:
    assert name in IDS


def test_the_scripts_know_every_page() -> None:
    known = re.search(r"const PAGES = \{(.*?)\}", (ASSETS / "route.js").read_text())
    assert known is not None
    assert re.findall(r'"(\S+)": "(\w+)"', known[1]) == [(path, name.lower()) for name, path in page.PAGES]


def test_ids_are_unique() -> None:
    assert len(IDS) == len(set(IDS))


def test_the_replay_slider_is_made_by_its_script() -> None:
    assert 'id: "replay-slider"' in (ASSETS / "replay.js").read_text()


def test_every_gauge_is_a_meter_with_a_name_and_a_range() -> None:
    gauges = [node for node in LAYOUT if getattr(node, "role", "") == "meter"]
    assert {node.id for node in gauges} == {"gauge-up", "gauge-stable", "gauge-down", *(name for name, *_ in METERS)}
    for gauge in gauges:
        said = gauge.to_plotly_json()["props"]
        assert said["aria-label"]
        assert float(said["aria-valuemin"]) <= float(said["aria-valuenow"]) <= float(said["aria-valuemax"])


def test_proposals_and_alerts_are_told_politely() -> None:
    live = {str(node.id): node.to_plotly_json()["props"].get("aria-live") for node in LAYOUT if getattr(node, "id", "")}
    assert live["proposals-said"] == "polite"
    assert live["alerts-said"] == "polite"


def test_every_ticket_field_has_a_label() -> None:
    labelled = {node.htmlFor for node in LAYOUT if type(node).__name__ == "Label"}
    assert labelled == set(FIELDS)


def test_the_scripts_know_as_many_lanes_as_the_page_has() -> None:
    lanes = {name for name in IDS if "'type': 'command'" in name}
    assert len(lanes) == LANES
    assert f"const LANES = {LANES};" in (ASSETS / "command.js").read_text()


def test_the_scripts_take_the_ticket_in_the_order_in_which_dash_gives_it() -> None:
    names = re.search(r"const NAMES = \[(.*?)\]", (ASSETS / "ticket.js").read_text())
    assert names is not None
    assert re.findall(r'"(\w+)"', names[1]) == [field.removeprefix("ticket-").replace("-", "_") for field in FIELDS]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_sets_data_as_text_and_loads_nothing_from_elsewhere(script: Path) -> None:
    text = script.read_text()
    for risky in RISKY:
        assert risky not in text
    assert len(text.splitlines()) <= 340


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_imports_only_its_neighbours(script: Path) -> None:
    for name in re.findall(r'from "(.*?)"', script.read_text()):
        assert (ASSETS / name).is_file(), name


def test_every_script_is_loaded_by_the_page() -> None:
    reached: set[str] = set()
    waiting = ["desk.js"]
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += [other.removeprefix("./") for other in re.findall(r'from "(.*?)"', (ASSETS / name).read_text())]
    assert reached == {script.name for script in SCRIPTS}
