"""`evaluate forecast --sessions`: recordings through the desk's market, the split by time, tables, plain words."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from engine.__main__ import main
from engine.config import DEFAULT_POLICY, STEP_NS, WARM_STEPS
from engine.domain import NS, Side
from engine.forecast.features import NAMES
from engine.market.book import Book
from engine.market.deribit.wire import BookData, Push, decode
from engine.research.bootstrap import bootstrap
from engine.research.evaluate_recorded import SMALL, STAND_IN, Asked, evaluate_recorded
from engine.research.folds import whole
from engine.research.frozen import freeze
from engine.research.imports import BadRecording, Printed, open_events
from engine.research.judging import EVERY
from engine.research.networks import KINDS as NETWORKS
from engine.research.recorded_folds import APART, folds_of, quarters
from engine.research.recorded_tables import NAMED, NEITHER, verdicts
from engine.research.recordings import OWN, Piece, between, found, pieces, runs
from engine.research.retold import frames, told_as
from engine.research.rivals import lesson_of
from engine.research.rivals_recorded import Single, each_step
from engine.research.targets import EMBARGO, labels_of
from engine.research.track import tops
from tests.forecast.market import START
from tests.forecast.weights import random_net, weights_of
from tests.research.stretches import SIGNAL, planted

WEIGHTS = weights_of(random_net())
TINY = Asked(plan=msgspec.structs.replace(SMALL, hidden=4, segment=100, batch=4), epochs=(1,))
MS = 1_000_000


def quiet(text: str) -> None:
    assert text


def log(path: Path, begin: int, seconds: int, seed: int, *, fresh: bool) -> None:
    """A random walk of a linear perpetual's best prices, as a Binance log in ms; the whole book only if `fresh`."""
    dice, lines, mid = np.random.default_rng(seed), [], 1000
    book = {"lastUpdateId": 1, "bids": [["99.9", "5"], ["99.8", "7"]], "asks": [["100.1", "5"]]}
    if fresh:
        lines.append(f"{begin // MS} {json.dumps(book)}")
    for step in range(seconds * 10):
        mid += int(dice.integers(-1, 2))
        best = {"e": "bookTicker", "s": "BTCUSDT", "u": 10 + step, "b": f"{(mid - 1) / 10}", "a": f"{(mid + 1) / 10}",
                "B": f"{dice.integers(1, 9)}", "A": f"{dice.integers(1, 9)}"}  # fmt: skip
        trade = {"e": "trade", "s": "BTCUSDT", "t": step, "p": f"{(mid + 1) / 10}", "q": "1", "m": bool(step % 2)}
        lines += [f"{(begin + step * NS // 10) // MS} {json.dumps({'stream': 'x', 'data': data})}" for data in
                  ([best, trade] if step % 5 == 0 else [best])]  # fmt: skip
    path.write_text("\n".join(lines) + "\n")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two logs of two minutes that follow each other, and a note that is no recording."""
    made = tmp_path_factory.mktemp("logs")
    log(made / "a.gz.log", START, 120, 1, fresh=True)
    log(made / "b.gz.log", START + 120 * NS, 150, 2, fresh=False)
    (made / "LICENSE").write_text("none")
    return made


@pytest.fixture(scope="module")
def cut(folder: Path) -> list[Piece]:
    (run,) = runs(found([folder]), quiet)
    return pieces(run, WEIGHTS, quiet)


# ------------------------------------------------------------ recordings as stretches


def test_files_that_follow_each_other_are_one_market_cut_apart_again(cut: list[Piece]) -> None:
    first, second = cut
    assert (first.name, second.name) == ("a.gz.log", "b.gz.log")
    assert {piece.market for piece in cut} == {"linear"}
    assert (len(first.stretches), len(second.stretches)) == (1, 1)
    assert first.end <= second.begin + STEP_NS <= first.end + 2 * STEP_NS
    assert len(second.stretches[0].x) == pytest.approx(1500, abs=3)
    assert len(second.stretches[0].prints) == pytest.approx(300, abs=3)
    assert first.looks == 0, "there are no options in it"


def test_a_recording_is_read_as_the_market_reads_it(folder: Path, cut: list[Piece]) -> None:
    """Sizes of a linear contract are USD at the first price, so that ten coins' worth means what it means live."""
    instrument = told_as(open_events([folder / "a.gz.log"]))
    assert instrument.name == "BTC-PERPETUAL"
    assert instrument.tick == pytest.approx(0.1)
    assert instrument.lot == pytest.approx(99.9)
    contracts = cut[0].stretches[0].prints[:, 4]
    assert np.allclose(contracts, 1.0, atol=0.2), "a trade of one coin is about one contract"


def test_what_is_told_is_the_recorded_book(shared_data: Path) -> None:
    log = open_events([shared_data / "binance_l2" / "usdm_ethusdt_20240718.gz"])
    instrument = told_as(log)
    book = Book(instrument)
    told = ((t, decode(frame)) for t, frame in frames(log, instrument))
    events = [each for each in islice(tops(log, 40), 3000) if not isinstance(each[0], Printed)]
    now = {}
    for event, bids, asks in events:
        now[event.t] = bids, asks
    seen = 0
    for t, said in told:
        if t > events[-1][0].t:
            break
        if isinstance(said, Push) and isinstance(said.data, BookData):
            take = book.snapshot if said.data.type == "snapshot" else book.change
            take(said.data)
            assert not book.stale
            seen += 1
    bids, asks = now[events[-1][0].t]
    for side, levels in ((Side.BUY, bids), (Side.SELL, asks)):
        assert book.levels(side, 40) == [(round(p / log.tick), round(s / log.lot)) for p, s in levels]
    assert seen > 1000


def test_what_is_cut_knows_nothing_outside() -> None:
    stretch = planted(1, 400)
    short = between(stretch, stretch.t + 100 * STEP_NS, stretch.t + 300 * STEP_NS)
    assert short is not None
    assert (short.t, len(short.x), len(short.now)) == (stretch.t + 100 * STEP_NS, 200, 200)
    assert np.isnan(labels_of(short).move[-10:]).all()
    assert np.array_equal(labels_of(short).move[:-10], labels_of(stretch).move[100:290])
    assert between(stretch, 0, stretch.t) is None


# ------------------------------------------------------------ the split


def test_the_last_file_is_judged_after_an_embargo(cut: list[Piece]) -> None:
    ((fold,), notes) = folds_of(cut, 100)
    assert notes == []
    assert [piece.name for piece in fold.training] == ["a.gz.log"]
    assert [piece.name for piece in fold.judged] == ["b.gz.log"]
    assert fold.judged[0].begin == fold.training[0].end + EMBARGO * STEP_NS
    assert fold.own == fold.training


def test_every_quarter_is_left_out_once(cut: list[Piece]) -> None:
    (stretch,) = cut[0].stretches
    ends = []
    for learned, (held,) in quarters(cut[:1]):
        for other in learned:
            gap = max(held.t - other.t - len(other.x) * STEP_NS, other.t - held.t - len(held.x) * STEP_NS)
            assert gap == APART * STEP_NS
        ends += [held.t, held.t + len(held.x) * STEP_NS]
    assert (ends[0], ends[-1]) == (stretch.t, stretch.t + len(stretch.x) * STEP_NS)
    assert ends[1:-1:2] == ends[2:-1:2]


def test_other_venues_markets_are_trained_on_together(cut: list[Piece]) -> None:
    """What is judged of one may be trained on for another that is judged later, and not the other way round."""
    later = [msgspec.structs.replace(piece, name=f"later {piece.name}", market="inverse", stretches=[
        msgspec.structs.replace(stretch, t=stretch.t + 3600 * NS) for stretch in piece.stretches
    ]) for piece in cut]  # fmt: skip
    own = [msgspec.structs.replace(piece, name=f"own {piece.name}", market=OWN) for piece in cut]
    trained = {fold.market: [piece.name for piece in fold.training] for fold in folds_of([*later, *cut, *own], 100)[0]}
    assert trained == {
        "linear": ["a.gz.log"],
        OWN: ["own a.gz.log"],
        "inverse": ["a.gz.log", "b.gz.log", "later a.gz.log"],
    }


def test_what_is_too_short_is_said(cut: list[Piece]) -> None:
    folds, notes = folds_of(cut, 5000)
    assert folds == []
    assert "a.gz.log, b.gz.log are too few or too short" in notes[0]
    assert folds_of(cut[:1], 100)[0] == []


# ------------------------------------------------------------ the evaluation


@pytest.fixture(scope="module")
def table(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    keep = tmp_path_factory.mktemp("kept")
    one = evaluate_recorded(WEIGHTS, [folder], TINY, quiet, keep)
    said: list[str] = []
    again = evaluate_recorded(WEIGHTS, [folder], TINY, said.append, keep)
    assert msgspec.json.encode(one) == msgspec.json.encode(again)
    assert sum("as kept" in line for line in said) == 2
    out: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(one))
    return out


def test_the_table_has_the_shape_that_others_script_against(table: dict[str, Any]) -> None:
    assert table["stand_in"] is True
    assert table["data"] == "trained on a.gz.log, judged on b.gz.log"
    fold = table["folds"]["linear"]
    for each in (table, fold):
        losses = each["direction"]["log_loss"]
        assert all(losses[name] > 0.0 for name in ("lstm", "past_only", *NAMED) if name not in NETWORKS)
        assert {f"direction_vs_{name}" for name in ("base", "single", "boosting")} <= each["intervals"].keys()
    assert fold["n"] == pytest.approx((1500 - EMBARGO - WARM_STEPS) / EVERY, abs=2)
    assert {"weights", "log_loss", "intervals", "familiar", "shares"} <= fold["transfer"].keys()
    assert table["rows"] is None
    assert table["notes"][0] == STAND_IN


def test_nothing_is_claimed_of_a_random_walk(table: dict[str, Any]) -> None:
    assert any(NEITHER in line for line in table["notes"])


def test_words_follow_the_intervals() -> None:
    losses = {"lstm": 0.5, "base": 0.6, "single": 0.55, "past_only": None}
    bands = {"direction_vs_base": (-0.2, -0.1), "direction_vs_single": (-0.1, 0.1), "fill_vs_base": (0.1, 0.2)}
    said = verdicts("linear", {"direction": {"log_loss": losses}, "intervals": bands})
    assert "below the base rate 0.6000 [-0.2000, -0.1000]; not told apart from the best single input" in said[0]
    assert said[1].endswith("beats the base rate, not the best single input")
    assert said[2].endswith("fill against base: above it [+0.1000, +0.2000]")
    assert "not told apart from the base rate" in verdicts("linear", {
        "direction": {"log_loss": losses}, "intervals": bands | {"direction_vs_base": (-4e-10, -3e-10)},
    })[0]  # fmt: skip


def test_policy_rows_on_real_frames(shared_data: Path, tmp_path: Path) -> None:
    """The first seconds of a recording, twice: the same."""
    whole_file = (shared_data / "deribit_frames" / "2021-07-22.ws.txt").read_text().splitlines(keepends=True)
    short = tmp_path / "2021-07-22.ws.txt"
    short.write_text("".join(whole_file[:90]))
    table = evaluate_recorded(WEIGHTS, [short], TINY, quiet)
    assert msgspec.json.encode(evaluate_recorded(WEIGHTS, [short], TINY, quiet)) == msgspec.json.encode(table)
    assert table["rows"].keys() == table["rows_believed"].keys() == {row.name for row in DEFAULT_POLICY}
    of = table["rows_of"]
    assert of["looks"] > 100
    assert of["verdicts"].keys() >= {"direction", "slippage", "volatility", "fill", "impact"}
    assert all(sum(shares.values()) == pytest.approx(1.0) for shares in of["verdicts"].values())
    assert 0.8 < of["unchanged_1s"]["least"] <= of["unchanged_1s"]["share"] <= of["unchanged_1s"]["most"] <= 1.0
    assert any("the micro-price is exactly where it was" in line for line in table["notes"])
    assert set(table["rows_flagged"]) == {name for name, share in table["rows"].items() if not 0.01 <= share <= 0.95}
    assert table["folds"] == {}


def test_what_cannot_be_evaluated_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "forecast", "--sessions", str(tmp_path), "--data", str(tmp_path)]) == 1
    assert "no session and no recording" in capsys.readouterr().err
    with pytest.raises(BadRecording, match="no session or recording at"):
        found([tmp_path / "absent"])


# ------------------------------------------------------------ rivals and intervals


def test_the_single_input_is_the_one_that_tells() -> None:
    parts = [whole(planted(seed, 1500, 3.0)) for seed in (1, 2)]
    frozen = freeze(parts)
    every = each_step(parts)
    assert sum(len(lesson_of(part, frozen).came[::EVERY]) for part in every) == 3000
    single = Single([lesson_of(part, frozen) for part in every], frozen)
    said = single.says(parts[0], np.arange(50, 1000, 10))
    assert single.input == NAMES[SIGNAL]
    assert np.allclose(said.sum(axis=1), 1.0)


def test_blocks_are_drawn_whole() -> None:
    values = np.repeat(np.array([1.0, -1.0, 1.0, -1.0]), 50)
    block = np.repeat(np.arange(4.0), 50)
    wide, narrow = bootstrap(values, block), bootstrap(values, np.arange(200.0))
    assert wide is not None
    assert narrow is not None
    assert wide[1] - wide[0] > 1.5
    assert narrow[1] - narrow[0] < 0.4
    assert bootstrap(values, np.zeros(200)) is None
    assert bootstrap(values, block) == wide
