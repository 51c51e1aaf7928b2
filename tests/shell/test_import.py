"""`python -m engine import`: each kind of recording becomes a session that verifies and shows its books."""

from __future__ import annotations

import asyncio
import gzip
import json
from pathlib import Path

import pytest

from engine import messages as m
from engine.__main__ import main
from engine.config import STEP_NS
from engine.domain import NS, instrument_of
from engine.shell.recording import LAST_NS, lay
from engine.shell.replay import Replay
from engine.shell.store import tape
from tests.research.imports.made import BOOK, CALL, PERPETUAL, SNAPSHOT, TRADES, raw_of, row, ticker, written

FRAMES = Path("deribit_frames/2021-07-22.ws.txt")


def imported(capsys: pytest.CaptureFixture[str], out: Path, *paths: Path) -> tuple[int, str]:
    """Import by the command. Returns the number of inputs and what was said on stderr."""
    assert main(["import", *map(str, paths), "--out", str(out), "--json"]) == 0
    done = capsys.readouterr()
    answer = json.loads(done.out)
    assert answer["session"] == str(out)
    return answer["inputs"], done.err


def ladders(folder: Path, inputs: int) -> list[m.LadderView]:
    """What a screen that looks at every instrument shows at the end."""
    replay = Replay(folder, lambda _: None)
    started = next(iter(tape.read(folder)))
    assert isinstance(started, m.Started)
    replay.look(1, tuple(instrument.name for instrument in started.instruments))
    asyncio.run(replay.drive(m.Drive(id="1", do="step", value=inputs)))
    return [view for view in replay.recall(0) if isinstance(view, m.LadderView)]


def frames(folder: Path) -> list[bytes]:
    return [item.data for item in tape.read(folder) if isinstance(item, m.Frame)]


def test_a_frame_log_and_the_same_as_a_raw_feed(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = shared_data / FRAMES
    packed = tmp_path / "log.ws.txt.gz"
    packed.write_bytes(gzip.compress(log.read_bytes()))
    raw = raw_of(log, tmp_path)
    for n, path in enumerate((log, packed, raw)):
        inputs, said = imported(capsys, tmp_path / f"session-{n}", path)
        assert "import: no instrument list: the 7 BTC options are known by their names" in said
        assert len(frames(tmp_path / f"session-{n}")) == 136
    shown = ladders(tmp_path / "session-2", inputs)
    assert len(shown) == 10
    assert not any(view.stale for view in shown)


def test_rows_of_a_book_and_of_trades_replay_on_the_screen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    book = written(
        tmp_path, BOOK, *SNAPSHOT, "deribit,BTC-PERPETUAL,?", row("false", "bid", 6400, 30, at=700_000), name="book.csv"
    )
    trades = written(tmp_path, TRADES, row("1", "sell", 6400, 70, at=400_000), name="trades.csv")
    inputs, said = imported(capsys, tmp_path / "session", trades, book)
    assert "import: line 6 of book.csv is left out: it has 3 cells, not 8" in said
    assert "import: book.csv: the change ids of 1 books are made here, from 1: the file has none" in said
    channels = [json.loads(frame)["params"]["channel"].split(".")[0] for frame in frames(tmp_path / "session")]
    assert channels == ["book", "trades", "book"]
    (view,) = ladders(tmp_path / "session", inputs)
    assert (view.instrument, view.stale) == (PERPETUAL, "")


def test_the_vendors_rows_and_a_log_of_another_day_together(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A year lies between them; the session has a broken link there, not a year of clock ticks."""
    rows = shared_data / "tardis_csv" / "deribit_options_chain.csv"
    inputs, _ = imported(capsys, tmp_path / "session", shared_data / FRAMES, rows)
    assert inputs < 3000
    links = [item.up for item in tape.read(tmp_path / "session") if isinstance(item, m.Link)]
    assert links == [True, False, True]
    sound = [view for view in ladders(tmp_path / "session", inputs) if not view.stale]
    assert len(sound) == 10


def test_what_cannot_be_a_session_is_refused_in_a_sentence(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cut = tmp_path / "cut.ws.txt.gz"
    cut.write_bytes(gzip.compress((shared_data / FRAMES).read_bytes())[:40])
    cases = {
        shared_data / "binance_l2" / "usdm_btcusdt_20240718.gz": "is a Binance depth log: it gives the events",
        shared_data / "tardis_csv" / "bitmex_trades.csv": "is of bitmex; a session is made of Deribit's rows only",
        shared_data / "deribit_frames" / "2021-04-17.http.txt": "no line of it is a frame of Deribit",
        tmp_path / "nowhere": "there is no file",
        tmp_path: "is not a file",
        cut: "cut.ws.txt.gz'",
    }  # fmt: skip
    for path, sentence in cases.items():
        assert main(["import", str(path), "--out", str(tmp_path / "session")]) == 1
        said = capsys.readouterr().err
        assert said.startswith("import: ")
        assert said.count("\n") == 1
        assert sentence in said
        assert not (tmp_path / "session").exists()


def test_a_session_verifies_and_is_never_written_over(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["import", str(shared_data / FRAMES), "--out", str(tmp_path / "session")]) == 0
    assert main(["verify", str(tmp_path / "session")]) == 0
    assert main(["import", str(shared_data / FRAMES), "--out", str(tmp_path / "session")]) == 1
    assert "is there already" in capsys.readouterr().err


def test_an_hour_of_silence_is_a_broken_link_and_less_is_not(tmp_path: Path) -> None:
    t0 = 1_770_000_000 * NS
    heard: list[int] = []
    times = [t0, t0 + 3599 * NS, t0 + 3 * 3600 * NS]
    told = [(t, ticker(CALL)) for t in times]
    lay(tmp_path / "s", (instrument_of(CALL),), told, model="", code="", progress=heard.append)
    kinds = m.Started | m.Tick | m.Link | m.Focus | m.Frame
    items = [item for item in tape.read(tmp_path / "s") if isinstance(item, kinds)]
    ticks = [item.t for item in items if isinstance(item, m.Tick)]
    assert len(ticks) == (3599 + LAST_NS // NS) * NS // STEP_NS
    down = next(item for item in items if isinstance(item, m.Link) and not item.up)
    assert (down.t, down.reason) == (times[1] + LAST_NS, "nothing was recorded")
    after = [type(item) for item in items if item.t == times[2]]
    assert after == [m.Link, m.Focus, m.Frame]
    assert [item.t for item in items] == sorted(item.t for item in items)
    assert heard == sorted(heard)
