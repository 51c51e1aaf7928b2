"""What the scripts compute, in a real browser, against the engine's own sums: the price grid, implied volatility."""

from __future__ import annotations

import functools
import http.server
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

from engine import black
from engine.domain import Instrument, instrument_of

ASSETS = Path(__file__).resolve().parents[2] / "assets"
FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
OPTION = instrument_of("BTC-27MAR26-80000-C")
STEPS = [[round(above / OPTION.tick), round(tick / OPTION.tick)] for above, tick in OPTION.tick_steps]

pytestmark = pytest.mark.browser


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    chromium, driver = shutil.which("chromium") or shutil.which("google-chrome"), shutil.which("chromedriver")
    if not chromium or not driver:
        pytest.skip("Chromium and its driver are not installed")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(ASSETS)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    options = Options()
    options.binary_location = chromium
    add: Any = options.add_argument
    for flag in FLAGS.split():
        add(flag)
    window = webdriver.Chrome(service=Service(driver), options=options)
    try:
        window.get(f"http://127.0.0.1:{server.server_port}/tidegate.svg")
        yield window
    finally:
        window.quit()
        server.shutdown()
        server.server_close()


def computed(browser: Any, script: str, expression: str, *given: object) -> Any:
    """The value of an expression of one of the scripts' exports, with `given` as its arguments."""
    code = f"""const done = arguments[arguments.length - 1];
        import("/{script}").then((it) => done({expression})).catch((error) => done(String(error)));"""
    return browser.execute_async_script(code, *given)


def stepped(instrument: Instrument, units: int, ticks: int) -> int:
    return instrument.step(units, ticks)


def test_the_ladder_steps_on_the_venues_grid(browser: Any) -> None:
    starts = [2, 7, 48, 49, 50, 51, 53, 55, 60, 525, 530]
    ups = computed(browser, "window.js", "arguments[0].map((u) => it.above(u, arguments[1]))", starts, STEPS)
    downs = computed(browser, "window.js", "arguments[0].map((u) => it.below(u, arguments[1]))", starts, STEPS)
    assert ups == [stepped(OPTION, units, 1) for units in starts]
    assert downs == [stepped(OPTION, units, -1) for units in starts]


@pytest.mark.parametrize("touch", [(525, 530), (50, 55), (48, 49), (45, 60), (3, 4)])
def test_the_ladder_shows_whole_ticks_falling_around_the_touch(browser: Any, touch: tuple[int, int]) -> None:
    view = {"instrument": f"X-{touch[0]}", "steps": STEPS, "bids": [[touch[0], 1]], "asks": [[touch[1], 1]]}
    prices = computed(browser, "window.js", "(it.follow(arguments[0], 340), it.prices.list)", view)
    assert len(prices) == 20
    assert prices == sorted(prices, reverse=True)
    shown = [units for units in prices if units > 0]
    assert set(touch) <= set(shown)
    assert all(OPTION.on_tick(units) for units in shown)
    assert [stepped(OPTION, units, -1) for units in shown[:-1] if units > 1] == shown[1:]


@pytest.mark.parametrize(
    ("hours", "fastest"), [(0.5, ["100×", "500×"]), (2, ["100×", "2 h/min"]), (49, ["500×", "49 h/min"])]
)
def test_a_long_session_can_be_seen_through_in_a_minute(browser: Any, hours: float, fastest: list[str]) -> None:
    session = {"start_ms": 1e12, "end_ms": 1e12 + hours * 3_600_000}
    names = computed(browser, "replay.js", "it.speedsOf(arguments[0]).map(it.speedName)", session)
    assert (names[0], names[-2:]) == ("1×", fastest)


def test_prices_stay_still_until_the_touch_leaves_the_window(browser: Any) -> None:
    def window(bid: int) -> list[int]:
        view = {"instrument": "STILL", "steps": STEPS, "bids": [[bid, 1]], "asks": [[bid + 5, 1]]}
        found: list[int] = computed(browser, "window.js", "(it.follow(arguments[0], 340), it.prices.list)", view)
        return found

    first = window(525)
    assert window(530) == first
    assert window(500) == first
    moved = window(400)
    assert moved != first
    assert moved[len(moved) // 2 - 1] >= 400 >= moved[len(moved) // 2 + 1]


def test_implied_volatility_on_the_ladder_is_the_engines(browser: Any) -> None:
    cases = [
        (forward, strike, years, iv, call)
        for forward, strike in [(80_000.0, 60_000.0), (80_000.0, 80_000.0), (80_000.0, 110_000.0)]
        for years in (0.003, 0.02, 0.25, 1.0)
        for iv in (0.3, 0.6, 1.5)
        for call in (True, False)
    ]
    prices = [float(black.price(f, k, t, iv, call)) for f, k, t, iv, call in cases]
    told = computed(
        browser, "black.js", "arguments[0].map(([p, f, k, t, c]) => it.implied(p, f, k, t, c))",
        [[price, f, k, t, call] for price, (f, k, t, _, call) in zip(prices, cases, strict=True)],
    )  # fmt: skip
    for price, (forward, strike, years, iv, call), said in zip(prices, cases, told, strict=True):
        intrinsic = max(0.0, (1 - strike / forward) * (1 if call else -1))
        if price - intrinsic > 1e-4:  # a tick of time value: below that no price says what its volatility is
            assert said == pytest.approx(iv, abs=2e-3), (forward, strike, years, iv, call)


@pytest.mark.parametrize("price", [0.0, 0.2, 1.0, -0.1])
def test_a_price_that_no_volatility_gives_has_none(browser: Any, price: float) -> None:
    told = computed(browser, "black.js", "it.implied(arguments[0], 80000, 60000, 0.1, true)", price)
    assert told is None


@pytest.mark.parametrize(
    ("band", "said"),
    [
        ([-0.2, -0.1], "better"),
        ([0.1, 0.2], "worse"),
        ([-0.1, 0.1], "unclear"),
        ([-0.1, 0.0], "unclear"),
        ([None, None], "–"),
    ],
)
def test_a_difference_is_called_better_only_if_its_whole_interval_is(
    browser: Any, band: list[float], said: str
) -> None:
    assert computed(browser, "heads.js", "it.verdict({ lo: arguments[0][0], hi: arguments[0][1] })", band) == said


@pytest.mark.parametrize(
    "rows",
    [[], [{"mean": -0.28, "lo": -0.32, "hi": -0.24}, {"mean": 0.01, "lo": None, "hi": None}], [{"mean": 800.0}],
     [{"mean": 0.3, "lo": 0.1, "hi": 0.5}], [{"mean": None, "lo": None, "hi": None}]],
)  # fmt: skip
def test_zero_lies_inside_every_picture_of_differences(browser: Any, rows: list[dict[str, float | None]]) -> None:
    low, high = computed(browser, "heads.js", "it.scaleOf(arguments[0])", rows)
    assert low < 0 < high
    assert (0 - low) / (high - low) == pytest.approx(0.5, abs=0.4), "zero is not at the edge"
    for row in rows:
        if row["mean"] is not None and abs(row["mean"]) <= 1:
            assert low < row["mean"] < high


@pytest.mark.parametrize(
    ("expression", "text"),
    [("it.share(-0.0973)", "−9.7 %"), ("it.share(0.5)", "+50.0 %"), ("it.share(72.7)", "× 74"), ("it.share(null)", "–"),
     ("it.loss(0.35901)", "0.359"), ("it.loss(0.0358)", "0.0358"), ("it.headName('direction_10')", "direction 10 s")],
)  # fmt: skip
def test_scores_are_written_as_traders_read_them(browser: Any, expression: str, text: str) -> None:
    assert computed(browser, "heads.js", expression) == text


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("it.number(-1234.5, 1)", "−1234.5"),
        ("it.number(78240, 0)", "78\u2009240"),
        ("it.number(-0.0001, 2)", "0.00"),
        ("it.number(null, 2)", "–"),
        ("it.signed(0.5, 1)", "+0.5"),
        ("it.signed(0, 1)", "0.0"),
        ("it.amount(310000)", "310 k"),
        ("it.amount(2.5)", "2.5"),
        ("it.percent(0.375, 1)", "37.5 %"),
        ("it.span(76064000)", "21:07:44"),
        ("it.span(266400000)", "3 d 02:00"),
        ("it.clock(1767225599900, true)", "23:59:59.9"),
        ("it.expiryDay(1774598400000)", "27 MAR 26"),
    ],
)
def test_figures_are_written_as_traders_read_them(browser: Any, expression: str, text: str) -> None:
    assert computed(browser, "format.js", expression) == text
