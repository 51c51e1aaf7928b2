"""One vector per step: the same streamed as computed from the whole history, and blind to our own orders."""

from __future__ import annotations

from math import exp, log1p

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.domain import Side
from engine.forecast.context import Chain
from engine.forecast.decay import TAUS
from engine.forecast.depth import OFI_LEVELS, bend, ofi_levels
from engine.forecast.features import NAMES, Context, Features
from engine.forecast.others import Levels, OwnLots, others, weighted
from engine.market.book import Book
from tests.forecast.market import OPTION, START, STEP, Moment, book_of, walk_market, with_ours

NOTHING = {
    "no_trade", "no_fair", "no_iv", "no_bid_iv", "no_ask_iv", "no_below", "no_above", "no_under", "no_index",
    "no_index_vol", "no_dvol", "no_basis", "no_funding", "no_chain",
}  # fmt: skip
CHAIN = Chain(rates=(0.1, 0.2, 0.3), moves=(1e-4, 2e-4), total=3e-4, age=2.0, since=-1e-4)
KNOWN = Context(
    fair=400.0, mark_iv=0.5, atm_iv=0.5, bid_iv=0.4, ask_iv=0.6, under_mid=8e4, funding=0.0, index=8e4, forward=8.1e4,
    below_iv=0.52, above_iv=0.49, index_vol=0.5, dvol=0.51, chain=CHAIN,
)  # fmt: skip
STILL = [  # what our own fill must not be seen in, before others react to it
    name for name in NAMES
    if name.split("_")[0] in ("ofi", "touch", "flow", "trade", "liquidations", "no") or name.startswith("book_")
    or name in ("micro_05", "micro_2", "micro_10", "place_05", "place_2", "place_10", "jitter_10", "jitter_60",
                "unrest_10", "unrest_60", "spread_2", "spread_10", "under_since")
    if name != "trade_micro"
]  # fmt: skip
AT = {name: k for k, name in enumerate(NAMES)}


def feed(features: Features, moment: Moment, own: OwnLots | None = None) -> None:
    for book in moment.books:
        left = {key: lots for key, lots in (own or {}).items() if not crosses(book, *key)}  # pulled before it trades
        features.on_book(with_ours(book, left), left)
    for trade in moment.trades:
        features.on_trade(moment.t, trade.units, trade.lots, trade.side)


def crosses(book: Book, side: Side, units: int) -> bool:
    assert book.best_bid is not None
    assert book.best_ask is not None
    return units >= book.best_ask if side is Side.BUY else units <= book.best_bid


def stream(moments: list[Moment]) -> np.ndarray:
    features, rows, book = Features(OPTION), [], None
    for moment in moments:
        feed(features, moment)
        book = moment.books[-1] if moment.books else book
        if book is not None:
            rows.append(features.row(moment.t, book, {}, moment.context))
    return np.stack(rows)


def decayed(events: list[tuple[int, float]], t: int, tau: float) -> float:
    return sum(x * exp(-(t - seen) * 1e-9 / tau) for seen, x in events if seen <= t)


def mean_of(series: list[tuple[int, float]], t: int, tau: float) -> float:
    """The exponential mean by its weights: the first value's is what the later ones leave."""
    series = [(s, x) for s, x in series if s <= t]
    total, left, before = 0.0, 1.0, t
    for (seen, x), (previous, _) in zip(reversed(series), [*reversed(series[:-1]), (None, 0.0)], strict=True):
        share = 1.0 if previous is None else 1.0 - exp(-(seen - previous) * 1e-9 / tau)
        total += left * share * x
        left *= 1.0 - share
        before = seen
    assert before == series[0][0]
    return total


def test_streamed_features_equal_those_of_the_whole_history() -> None:
    """A slow reference keeps every event and sums over all of them, at each of a few late steps."""
    moments = list(walk_market(3, 300))
    while not moments[0].books:
        moments.pop(0)
    rows = stream(moments)
    ofi: list[tuple[int, float]] = []
    flow: list[tuple[int, float]] = []
    prices: list[tuple[int, float]] = []
    depths: list[tuple[int, float]] = []
    before: tuple[Levels, Levels] | None = None
    now: tuple[Levels, Levels] = ([], [])
    for moment in moments:
        for book in moment.books:
            now = others(book, {}, 10)
            if before is not None and now != before:
                ofi.append((moment.t, sum(ofi_levels(before, now)) / OFI_LEVELS))
            before = now
        flow += [(moment.t, trade.side.sign * trade.lots) for trade in moment.trades]
        prices.append((moment.t, weighted(now[0][0], now[1][0])))
        depths.append((moment.t, sum(lots for side in now for _, lots in side[:5]) / 10))
    for k in (10, 150, len(moments) - 1):
        t = moments[k].t
        usual = max(mean_of(depths, t, TAUS[2]), 1.0)
        want = {"trade_rate": log1p(decayed([(s, 1.0) for s, _ in flow], t, TAUS[2]))}
        for n, tau in zip(("05", "2", "10"), TAUS, strict=False):
            want[f"ofi_{n}"] = bend(decayed(ofi, t, tau) / usual)
            want[f"flow_{n}"] = bend(decayed(flow, t, tau) / usual)
            want[f"micro_{n}"] = bend((prices[k][1] - mean_of(prices, t, tau)) / 5)
        got = {name: float(rows[k][AT[name]]) for name in want}
        assert got == pytest.approx(want, rel=1e-5, abs=1e-5)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1_000), st.data())
def test_our_own_orders_change_no_feature(seed: int, data: st.DataObject) -> None:
    """Orders of ours come and go on both sides, inside the spread too; each vector equals the one without them."""
    plain, ours = Features(OPTION), Features(OPTION)
    own: dict[tuple[Side, int], int] = {}
    book = None
    for moment in walk_market(seed, 25):
        feed(plain, moment)
        feed(ours, moment, own)
        book = moment.books[-1] if moment.books else book
        if book is None:
            continue
        side, k = data.draw(st.sampled_from(Side)), data.draw(st.integers(-1, 14))
        best = book.best_bid if side is Side.BUY else book.best_ask
        assert best is not None
        own = (
            {}
            if k < 0
            else {(side, best + side.sign * (4 - 5 * k if k < 2 else -5 * k)): data.draw(st.integers(1, 99))}
        )
        shown = with_ours(book, own)
        ours.on_book(shown, own)  # the venue's message about our own order
        np.testing.assert_array_equal(
            plain.row(moment.t, book, {}, moment.context), ours.row(moment.t, shown, own, moment.context)
        )


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 1_000), st.permutations(["book", "print", "fill"]), st.integers(1, 60), st.sampled_from(Side))
def test_a_fill_of_ours_flows_and_moves_nothing(seed: int, order: list[str], lots: int, side: Side) -> None:
    """We take from the touch; the venue tells of book, print and fill in any order. At the next step nothing flowed,
    traded or moved, though the book that is left is what it is, and counts as one step in its usual depth."""
    plain, ours = Features(OPTION), Features(OPTION)
    moments, book = list(walk_market(seed, 12)), None
    for moment in moments:
        feed(plain, moment)
        feed(ours, moment)
        book = moment.books[-1] if moment.books else book
        if book is not None:
            plain.row(moment.t, book, {}, moment.context)
            ours.row(moment.t, book, {}, moment.context)
    assert book is not None
    touch = book.best_ask if side is Side.BUY else book.best_bid
    assert touch is not None
    lots = min(lots, (book.asks if side is Side.BUY else book.bids)[touch])
    levels = {Side.SELL: dict(book.bids), Side.BUY: dict(book.asks)}
    levels[side][touch] -= lots
    left = book_of(OPTION, *({units: size for units, size in half.items() if size} for half in levels.values()))
    t, context = moments[-1].t + STEP, moments[-1].context
    told = False
    for what in order:
        if what == "book":
            ours.on_book(left, {})
            told = True
        elif what == "print":
            ours.on_trade(t, touch, lots, side, trade="mine")
        else:
            ours.on_own_fill(t, t if told else t - STEP, "mine", touch, lots, side)
    if order.index("print") > order.index("fill"):  # the market knows by its id that it is ours
        ours = Features.load(OPTION, ours.dump() | {"prints": []})
    want, got = plain.row(t, book, {}, context), ours.row(t, left, {}, context)
    at = [AT[name] for name in STILL]
    np.testing.assert_allclose(got[at], want[at], atol=2e-5, rtol=5e-3)


def test_a_message_of_our_own_order_undoes_what_the_book_seemed_to_do() -> None:
    """The book shows our order before we are told that it rests; at the step there was no flow."""
    plain, ours = Features(OPTION), Features(OPTION)
    book, own = book_of(OPTION, {400: 10}, {410: 10}), {(Side.BUY, 400): 25}
    for features in (plain, ours):
        features.on_book(book, {})
    shown = with_ours(book, own)
    ours.on_book(shown, {})
    ours.on_own_order(shown, own)
    context = Context()
    np.testing.assert_array_equal(plain.row(START, book, {}, context), ours.row(START, shown, own, context))


@pytest.mark.parametrize("cut", [0, 1, 37, 99])
def test_a_loaded_state_goes_on_exactly(cut: int) -> None:
    moments = list(walk_market(5, 120))
    first = Features(OPTION)
    for moment in moments[:cut]:
        feed(first, moment)
        if moment.books:
            first.row(moment.t, moment.books[-1], {}, moment.context)
    if cut:  # in the middle of a step
        feed(first, moments[cut - 1])
    second = Features.load(OPTION, msgspec.msgpack.decode(msgspec.msgpack.encode(first.dump())))
    for moment in moments[cut:]:
        feed(first, moment)
        feed(second, moment)
        if moment.books:
            np.testing.assert_array_equal(
                first.row(moment.t, moment.books[-1], {}, moment.context),
                second.row(moment.t, moment.books[-1], {}, moment.context),
            )
    assert msgspec.msgpack.encode(first.dump()) == msgspec.msgpack.encode(second.dump())


@pytest.mark.parametrize(
    ("bids", "asks", "context", "said"),
    [
        ({400: 10}, {410: 10}, Context(), NOTHING),
        ({400: 10}, {}, Context(), {*NOTHING, "one_sided"}),
        ({}, {}, Context(fair=400.0), {*NOTHING, "one_sided"} - {"no_fair"}),
        ({400: 10}, {410: 10}, KNOWN, {"no_trade"}),
    ],
)
def test_what_is_missing_is_said(bids: dict[int, int], asks: dict[int, int], context: Context, said: set[str]) -> None:
    row = Features(OPTION).row(START, book_of(OPTION, bids, asks), {}, context)
    assert np.isfinite(row).all()
    assert {n for n in NAMES if n == "one_sided" or n.startswith("no_") if row[AT[n]]} == said


def test_prints_that_are_not_plain_do_not_enter_flow() -> None:
    book = book_of(OPTION, {400: 10}, {410: 10})
    features = Features(OPTION)
    features.on_trade(START, 410, 250, Side.BUY, plain=False)
    row = features.row(START, book, {}, Context())
    assert row[AT["flow_2"]] == 0
    assert row[AT["no_trade"]] == 1
    features.on_trade(START, 410, 10, Side.BUY)
    assert features.row(START + STEP, book, {}, Context())[AT["flow_2"]] > 0


def test_a_book_that_broke_gives_no_flow_when_it_comes_back() -> None:
    features = Features(OPTION)
    book = book_of(OPTION, {400: 10}, {410: 10})
    features.on_book(book, {})
    book.drop("a change is missing")
    features.on_book(book, {})
    features.on_book(book_of(OPTION, {300: 10}, {310: 10}), {})
    features.row(START, book_of(OPTION, {300: 10}, {310: 10}), {}, Context())
    assert features.ofi() == (0.0, 0.0, 0.0)
    assert features.fragility() == 0.0


def test_bid_that_joins_is_positive_flow_and_ask_that_joins_negative() -> None:
    base = ([(400, 10)], [(410, 10)])
    assert ofi_levels(base, ([(400, 15)], [(410, 10)]))[0] == 5
    assert ofi_levels(base, ([(405, 7)], [(410, 10)]))[0] == 7
    assert ofi_levels(base, ([(395, 7)], [(410, 10)]))[0] == -10
    assert ofi_levels(base, ([(400, 10)], [(405, 7)]))[0] == -7
    assert ofi_levels(base, ([(400, 10)], [(415, 7)]))[0] == 10
