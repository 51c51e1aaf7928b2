"""Sweeps as a session: what the venue listed comes as it came, quotes grow old between sweeps, a jump is short."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pandas as pd
import pytest

from engine import messages as m
from engine import view
from engine.__main__ import main
from engine.core import Core
from engine.domain import MS, NS, expiry_of
from engine.research.imports import Frames, open_recording
from engine.shell import fold
from engine.shell.kept import MOST, Kept, keep_along
from engine.shell.recording import LAST_NS, REST_STEPS, SILENCE_S, SWEEP_STEP_NS, lay
from engine.shell.replay import Replay
from engine.shell.store import keyframes, tape
from engine.shell.store.folders import meta_of
from tests.research.imports.test_chains import GOOD

START_MS = 1_681_296_000_000
EVERY_MS = 300_000
NEAR, FAR, NEW = "21APR23", "28APR23", "5MAY23"
STRIKES = range(27_000, 34_000, 1000)


def sweep(number: int, *codes: str) -> list[dict[str, object]]:
    """One strike a second, one expiry after the other."""
    start = START_MS + number * EVERY_MS
    rows: list[dict[str, object]] = []
    for code in codes:
        for strike in STRIKES:
            iv = 60.0 + (strike / 30_000 - 1) ** 2 * 200
            rows.append({
                **GOOD, "instrument_name": f"BTC-{code}-{strike}-{'C' if strike >= 30_000 else 'P'}",
                "timestamp": start + 1000 * len(rows), "bid_iv": iv - 1, "ask_iv": iv + 1, "mark_iv": iv,
                "delta": 0.5 if strike >= 30_000 else -0.5, "snap": f"sweep-{number:03}",
            })  # fmt: skip
    return rows


def recorded(folder: Path, *sweeps: list[dict[str, object]]) -> Path:
    folder.mkdir(exist_ok=True)
    pd.DataFrame([row for rows in sweeps for row in rows]).to_parquet(folder / "chain.parquet")
    return folder / "chain.parquet"


def laid(folder: Path, *sweeps: list[dict[str, object]]) -> Path:
    recording: Frames = open_recording(recorded(folder, *sweeps))
    out = folder / "sessions" / "swept"
    lay(out, recording.instruments, recording, model="", code="this", born=recording.born)
    return out


def no_weights(_: str) -> None:
    return None


def folded(session: Path, until: int = 2**62) -> Core:
    core = fold.begin(session, no_weights)
    for item in fold.items(session):
        if isinstance(item, tape.Gap) or item.t > until:
            break
        core.step(item)
    return core


def at(number: int, seconds: float) -> int:
    return (START_MS + number * EVERY_MS) * MS + round(seconds * NS)


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sweeps of two expiries, and one of three."""
    sweeps = sweep(0, NEAR, FAR), sweep(1, NEAR, FAR), sweep(2, NEAR, FAR, NEW)
    return laid(tmp_path_factory.mktemp("swept"), *sweeps)


def test_the_listing_is_told_as_it_grew(session: Path) -> None:
    two, three = len(STRIKES) * 2, len(STRIKES) * 3
    for moment, listed in ((at(0, 0), two), (at(1, 20), two), (at(2, -1), two), (at(2, 0), three), (at(2, 30), three)):
        core = folded(session, moment)
        assert len(core.market.venue.instruments) == listed
        assert core.market.venue.talk.introduced
        assert core.market.venue.garbage == 0
        assert len(core.market.venue.awaiting) < 10
    started = next(iter(fold.items(session)))
    assert isinstance(started, m.Started)
    assert (started.instruments, started.config.limits.silence_s) == ((), SILENCE_S)


def test_what_has_expired_is_gone(tmp_path: Path) -> None:
    session = laid(tmp_path, sweep(0, "13APR23", NEAR), sweep(260, NEAR))
    for moment, expiries in ((at(0, 30), {"13APR23", NEAR}), (at(260, 30), {NEAR})):
        core = folded(session, moment)
        assert {name.split("-")[1] for name, *_ in view.chain(core).instruments} == expiries
        assert {smile.code for smile in view.surface(core).smiles} == expiries


def test_every_sweep_is_fitted_and_then_grows_old(session: Path) -> None:
    for number in range(3):
        surface = folded(session, at(number, 60)).market.surface("BTC")
        for code in (NEAR, FAR) if number < 2 else (NEAR, FAR, NEW):
            fit = surface.fit(expiry_of(code))
            assert fit is not None
            assert (fit.source, fit.t > at(number, 0)) == ("quotes", True)
            assert fit.atm_iv == pytest.approx(0.6, abs=0.005)
    old = folded(session, at(1, 200)).market.surface("BTC").fit(expiry_of(NEAR))
    assert old is not None
    assert "no quotes for" in old.note


def test_the_clock_is_quick_while_quotes_are_fresh_and_slow_between(session: Path) -> None:
    ticks = {item.t for item in fold.items(session) if isinstance(item, m.Tick)}
    frames = [item.t for item in fold.items(session) if isinstance(item, m.Frame)]
    first, last = frames[0] // SWEEP_STEP_NS + 1, (frames[-1] + LAST_NS) // SWEEP_STEP_NS
    for step in range(first, last + 1):
        t = step * SWEEP_STEP_NS
        silent = t - max(heard for heard in frames if heard < t)
        assert (t in ticks) == (silent <= LAST_NS or step % REST_STEPS == 0)
    assert len(ticks) < last + 1 - first


def test_it_verifies_and_nothing_is_proposed_on_it(session: Path) -> None:
    found = fold.verify(session, no_weights)
    assert (found.same, found.gaps) == (True, ())
    core = folded(session)
    assert not core.market.venue.books
    assert not core.market.venue.authenticated
    assert not core.desk.proposals


def test_the_screen_begins_with_a_smile_and_says_that_there_is_no_book(session: Path) -> None:
    replay = Replay(session, no_weights)
    name = f"BTC-{NEAR}-30000-C"
    replay.look(1, (name,))
    views = replay.recall(0)
    surface = next(view for view in views if isinstance(view, m.SurfaceView))
    assert [smile.source for smile in surface.smiles][:1] == ["quotes"]
    ladder = next(view for view in views if isinstance(view, m.LadderView))
    assert (ladder.bids, ladder.asks) == ((), ())
    assert "not subscribed" in ladder.stale


def test_any_pace_up_to_days_in_a_minute(session: Path) -> None:
    replay = Replay(session, no_weights)

    def drive(value: float) -> m.Answer:
        return asyncio.run(replay.drive(m.Drive(id="1", do="speed", value=value)))

    assert drive(2940.0).ok
    assert replay.speed == 2940.0
    assert not drive(0.0).ok
    assert "10,000" in drive(1e5).text


# ------------------------------------------------------------ jumps


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sweeps of five hours with a break of one, with states kept along."""
    session = laid(tmp_path_factory.mktemp("day"), *(sweep(number, NEAR) for number in (*range(30), *range(44, 60))))
    keep_along(session, no_weights)
    return session


def test_a_state_is_kept_each_hour_and_a_jump_there_is_a_fold(day: Path) -> None:
    assert 3 <= len(keyframes.numbers(day)) <= 5
    replay = Replay(day, no_weights, code="this", answer_s=60.0)
    span = replay.last_t - replay.first_t
    for share in (0.99, 0.3, 0.6):
        t = replay.first_t + round(span * share)
        answer = asyncio.run(replay.drive(m.Drive(id="1", do="seek", value=t / MS)))
        assert (answer.ok, answer.text) == (True, "")
        assert replay.core.digest() == folded(day, round(t / MS * MS)).digest()


def test_a_break_of_an_hour_is_a_link_that_is_down_and_a_mark(day: Path) -> None:
    assert folded(day, at(29, 2000)).market.venue.up is False
    replay = Replay(day, no_weights, code="other")
    asyncio.run(replay.drive(m.Drive(id="1", do="seek", value=replay.last_t / MS)))
    gaps = [marker for marker in replay.markers if marker.kind == "gap"]
    assert [(gap.t_ms, gap.text) for gap in gaps] == [(at(29, 6) / MS + LAST_NS / MS, "nothing was recorded")]


def test_states_that_other_code_has_kept_are_passed_over(day: Path) -> None:
    assert meta_of(day).code == "this"
    assert Kept(day, "this").before(at(59, 0)) is not None
    assert Kept(day, "other").before(at(59, 0)) is None


def test_own_states_are_thinned_and_stay_true(session: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.shell.kept.EVERY", 1)
    kept, core = Kept(session), fold.begin(session, no_weights)
    for item in fold.items(session):
        assert not isinstance(item, tape.Gap)
        core.step(item)
        kept.keep(core)
    numbers = [number for number, _, _ in kept._own]
    assert len(numbers) <= MOST
    assert all(number % kept._every == 0 for number in numbers)
    found = kept.before(at(1, 10))
    assert found is not None
    state = Core.load(msgspec.msgpack.decode(found[1]), None)
    again = fold.begin(session, no_weights)
    for item in fold.items(session):
        assert not isinstance(item, tape.Gap)
        if item.n > found[0]:
            break
        again.step(item)
    assert state.digest() == again.digest()


def test_a_long_jump_is_answered_before_it_arrives(day: Path) -> None:
    replay = Replay(day, no_weights, code="other", answer_s=0.0)

    async def jump() -> m.Answer:
        answer = await replay.drive(m.Drive(id="1", do="seek", value=replay.last_t / MS))
        while replay._moving or not replay._moves:
            await asyncio.sleep(0)
        return answer

    assert asyncio.run(jump()) == m.Answer(id="1", ok=True, text="on the way")
    assert replay.core.n == replay.last_n


# ------------------------------------------------------------ the command


def test_the_command_imports_sweeps_and_leaves_nothing_of_what_it_cannot(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, out = recorded(tmp_path, sweep(0, NEAR), sweep(1, NEAR)), tmp_path / "session"
    assert main(["import", str(path), "--out", str(out)]) == 0
    assert "the 7 BTC options are known by their names" in capsys.readouterr().err
    assert main(["verify", str(out)]) == 0
    assert folded(out).market.now >= at(1, 6)
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(path.read_bytes()[:-20])
    assert main(["import", str(broken), "--out", str(tmp_path / "none")]) == 1
    assert "broken.parquet' cannot be read as a chain: " in capsys.readouterr().err
    assert not (tmp_path / "none").exists()


def test_half_an_hour_of_the_real_sweeps(shared_data: Path, tmp_path: Path) -> None:
    """Every row is understood; nine smiles, fitted to quotes, with their factors; it verifies."""
    table = pd.read_parquet(shared_data / "deribit_chains" / "btc_2023-04-12_to_14.parquet")
    table[table["snap"].isin(sorted(table["snap"].unique())[:6])].to_parquet(tmp_path / "half.parquet")
    recording = open_recording(tmp_path / "half.parquet")
    session = tmp_path / "sessions" / "half"
    lay(session, recording.instruments, recording, model="", code="this", born=recording.born)
    core = folded(session)
    assert len(core.market.venue.instruments) == len(recording.instruments) == len(recording.born or ())
    assert core.market.venue.garbage == 0
    fits = core.market.surface("BTC").fits
    assert len(fits) == 9
    assert {fit.source for fit in fits.values()} == {"quotes"}
    assert all(core.market.now - fit.t < 240 * NS for fit in fits.values())
    assert len(core.market.smiles.history["BTC"].column("index")[0]) > 60
    assert 40 < core.market.smiles.factors["BTC"]["index"] < 70
    assert fold.verify(session, no_weights).same
